#include "core/api/stacks.h"

#include "core/base/bytes.h"
#include "core/query/siblings.h"


static void pyro_tree_bytes_node(const pyro_tree_t *tree,
    const pyro_siblings_t *siblings, uint32_t node, pyro_rope_t *out);
static void pyro_tree_bytes_number(uint64_t number, pyro_rope_t *out);


/* Depth first, by a stack of our own: children are pushed in their order, so
 * that the last one is taken first. */
pyro_status_e
pyro_tree_bytes(pyro_tree_t *tree, pyro_rope_t *out, pyro_error_t *err)
{
    uint32_t         n, node, child, *stack;
    pyro_siblings_t  siblings;

    pyro_tree_totals(tree);

    if (tree->nodes[0].total == 0) {
        return PYRO_OK;
    }

    stack = pyro_arena_calloc(tree->arena, tree->n, sizeof(uint32_t));

    if (stack == NULL || pyro_siblings(tree, 1, &siblings)) {
        return pyro_error_memory(err);
    }

    for (n = 1, stack[0] = 0; n; /* void */ ) {
        node = stack[--n];
        pyro_tree_bytes_node(tree, &siblings, node, out);

        for (child = siblings.first[node]; child;
             child = siblings.next[child])
        {
            stack[n++] = child;
        }
    }

    return pyro_rope_status(out, err);
}


static void
pyro_tree_bytes_node(const pyro_tree_t *tree, const pyro_siblings_t *siblings,
    uint32_t node, pyro_rope_t *out)
{
    uint32_t      child, children;
    pyro_slice_t  name;

    name = node ? tree->names.items[tree->nodes[node].name]
                : pyro_slice("", 0);
    children = 0;

    for (child = siblings->first[node]; child; child = siblings->next[child]) {
        children++;
    }

    pyro_tree_bytes_number(name.len, out);
    pyro_rope_append(out, name.data, name.len);
    pyro_tree_bytes_number(node ? tree->nodes[node].self : 0, out);
    pyro_tree_bytes_number(children, out);
}


static void
pyro_tree_bytes_number(uint64_t number, pyro_rope_t *out)
{
    uint8_t  bytes[PYRO_VARINT_MAX], *end;

    end = pyro_put_varint(bytes, number);
    pyro_rope_append(out, bytes, (size_t) (end - bytes));
}
