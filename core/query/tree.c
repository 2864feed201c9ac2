#include "core/query/tree.h"

#include "core/base/hash.h"


#define PYRO_TREE_FIRST  256        /* slots, a power of two */


static int pyro_tree_rehash(pyro_tree_t *tree);
static uint32_t pyro_tree_slot(const pyro_tree_t *tree, uint32_t parent,
    uint32_t name);
static uint32_t pyro_tree_append(pyro_tree_t *tree, uint32_t parent,
    uint32_t name);
static uint64_t pyro_tree_sum(uint64_t a, uint64_t b);


pyro_tree_t *
pyro_tree_create(pyro_arena_t *arena)
{
    pyro_tree_t  *tree;

    tree = pyro_arena_calloc(arena, 1, sizeof(pyro_tree_t));

    if (tree == NULL) {
        return NULL;
    }

    tree->arena = arena;
    pyro_intern_init(&tree->names, arena);

    if (pyro_intern(&tree->names, PYRO_SLICE("total"), 0) == PYRO_NONE
        || pyro_tree_append(tree, PYRO_NONE, 0) == PYRO_NONE)
    {
        return NULL;
    }

    return tree;
}


uint32_t
pyro_tree_name(pyro_tree_t *tree, pyro_slice_t name)
{
    return pyro_intern(&tree->names, name, 1);
}


static uint32_t
pyro_tree_append(pyro_tree_t *tree, uint32_t parent, uint32_t name)
{
    pyro_tree_node_t  *node;

    if (tree->n == PYRO_NONE
        || pyro_arena_grow(tree->arena, &tree->nodes, &tree->cap,
                           (size_t) tree->n + 1, sizeof(pyro_tree_node_t)))
    {
        return PYRO_NONE;
    }

    node = &tree->nodes[tree->n];
    node->parent = parent;
    node->name = name;
    node->self = 0;
    node->total = 0;

    return tree->n++;
}


/* The slot of (parent, name): its node's, or the free one where it belongs. */
static uint32_t
pyro_tree_slot(const pyro_tree_t *tree, uint32_t parent, uint32_t name)
{
    uint32_t                 slot;
    const pyro_tree_node_t  *node;

    slot = (uint32_t) pyro_hash_mix((uint64_t) parent << 32 | name,
                                    tree->names.seed)
           & tree->mask;

    while (tree->slots[slot]) {
        node = &tree->nodes[tree->slots[slot] - 1];

        if (node->parent == parent && node->name == name) {
            break;
        }

        slot = (slot + 1) & tree->mask;
    }

    return slot;
}


static int
pyro_tree_rehash(pyro_tree_t *tree)
{
    uint32_t           i, n, *slots;
    pyro_tree_node_t  *node;

    n = tree->mask ? (tree->mask + 1) * 2 : PYRO_TREE_FIRST;

    if (n == 0) {
        return -1;
    }

    slots = pyro_arena_calloc(tree->arena, n, sizeof(uint32_t));

    if (slots == NULL) {
        return -1;
    }

    tree->slots = slots;
    tree->mask = n - 1;

    for (i = 1; i < tree->n; i++) {
        node = &tree->nodes[i];
        slots[pyro_tree_slot(tree, node->parent, node->name)] = i + 1;
    }

    return 0;
}


uint32_t
pyro_tree_node(pyro_tree_t *tree, uint32_t parent, uint32_t name)
{
    uint32_t  node, slot;

    if (tree->n >= tree->mask / 2 && pyro_tree_rehash(tree)) {
        return PYRO_NONE;
    }

    slot = pyro_tree_slot(tree, parent, name);

    if (tree->slots[slot]) {
        return tree->slots[slot] - 1;
    }

    node = pyro_tree_append(tree, parent, name);

    if (node != PYRO_NONE) {
        tree->slots[slot] = node + 1;
    }

    return node;
}


static uint64_t
pyro_tree_sum(uint64_t a, uint64_t b)
{
    return b > INT64_MAX || a > INT64_MAX - b ? INT64_MAX : a + b;
}


void
pyro_tree_add(pyro_tree_t *tree, uint32_t node, uint64_t self)
{
    tree->nodes[node].self = pyro_tree_sum(tree->nodes[node].self, self);
}


void
pyro_tree_totals(pyro_tree_t *tree)
{
    uint32_t           i;
    pyro_tree_node_t  *nodes;

    nodes = tree->nodes;

    for (i = 0; i < tree->n; i++) {
        nodes[i].total = nodes[i].self;
    }

    for (i = tree->n - 1; i > 0; i--) {
        nodes[nodes[i].parent].total =
                   pyro_tree_sum(nodes[nodes[i].parent].total, nodes[i].total);
    }
}
