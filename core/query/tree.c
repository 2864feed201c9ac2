#include "core/query/tree.h"

#include "core/base/hash.h"


#define PYRO_TREE_FIRST  256        /* slots, a power of two */


static uint32_t *pyro_tree_frame_slot(const pyro_tree_t *tree,
    const pyro_tree_frame_t *frame);
static int pyro_tree_frame_rehash(pyro_tree_t *tree);
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


pyro_tree_t *
pyro_tree_create_by_lines(pyro_arena_t *arena)
{
    pyro_tree_t        *tree;
    pyro_tree_frame_t   root = { 0, PYRO_NONE, 0, 0 };

    tree = pyro_tree_create(arena);

    if (tree == NULL) {
        return NULL;
    }

    tree->by_lines = 1;

    return pyro_tree_frame(tree, &root) == PYRO_NONE ? NULL : tree;
}


uint32_t
pyro_tree_name(pyro_tree_t *tree, pyro_slice_t name)
{
    return pyro_intern(&tree->names, name, 1);
}


uint32_t
pyro_tree_frame(pyro_tree_t *tree, const pyro_tree_frame_t *frame)
{
    uint32_t  *slot;

    if (tree->n_frames >= tree->frame_mask / 2
        && pyro_tree_frame_rehash(tree))
    {
        return PYRO_NONE;
    }

    slot = pyro_tree_frame_slot(tree, frame);

    if (*slot) {
        return *slot - 1;
    }

    if (tree->n_frames == PYRO_NONE
        || pyro_arena_grow(tree->arena, &tree->frames, &tree->cap_frames,
                           (size_t) tree->n_frames + 1,
                           sizeof(pyro_tree_frame_t)))
    {
        return PYRO_NONE;
    }

    tree->frames[tree->n_frames++] = *frame;
    *slot = tree->n_frames;

    return tree->n_frames - 1;
}


static uint32_t *
pyro_tree_frame_slot(const pyro_tree_t *tree, const pyro_tree_frame_t *frame)
{
    uint32_t                  slot;
    const pyro_tree_frame_t  *known;

    slot = (uint32_t) pyro_hash_mix((uint64_t) frame->function << 32
                                    | frame->line,
                                    tree->names.seed ^ frame->file)
           & tree->frame_mask;

    while (tree->frame_slots[slot]) {
        known = &tree->frames[tree->frame_slots[slot] - 1];

        if (known->function == frame->function && known->file == frame->file
            && known->line == frame->line
            && known->start_line == frame->start_line)
        {
            break;
        }

        slot = (slot + 1) & tree->frame_mask;
    }

    return &tree->frame_slots[slot];
}


static int
pyro_tree_frame_rehash(pyro_tree_t *tree)
{
    uint32_t  i, n;

    n = tree->frame_mask ? (tree->frame_mask + 1) * 2 : PYRO_TREE_FIRST;

    if (n == 0) {
        return -1;
    }

    tree->frame_slots = pyro_arena_calloc(tree->arena, n, sizeof(uint32_t));

    if (tree->frame_slots == NULL) {
        return -1;
    }

    tree->frame_mask = n - 1;

    for (i = 0; i < tree->n_frames; i++) {
        *pyro_tree_frame_slot(tree, &tree->frames[i]) = i + 1;
    }

    return 0;
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


int
pyro_tree_keep(pyro_tree_t *tree, const pyro_slice_t *functions, uint32_t n)
{
    uint32_t           i, *depth;
    pyro_slice_t       name;
    pyro_tree_node_t  *node;

    /* of a node whose stack does not begin so: PYRO_NONE; else at most n */

    depth = pyro_arena_calloc(tree->arena, tree->n, sizeof(uint32_t));

    if (depth == NULL) {
        return -1;
    }

    for (i = 0; i < tree->n; i++) {
        node = &tree->nodes[i];

        if (i > 0) {
            depth[i] = depth[node->parent];
        }

        if (i > 0 && depth[i] < n) {
            name = tree->names.items[pyro_tree_function(tree, i)];
            depth[i] = pyro_slice_eq(name, functions[depth[i]])
                       ? depth[i] + 1 : PYRO_NONE;
        }

        if (depth[i] != n) {
            node->self = 0;
        }
    }

    return 0;
}


pyro_tree_t *
pyro_tree_by_functions(pyro_tree_t *tree)
{
    uint32_t           i, name, *joined;
    pyro_tree_t       *out;
    pyro_tree_node_t  *node;

    if (!tree->by_lines) {
        return tree;
    }

    out = pyro_tree_create(tree->arena);
    joined = pyro_arena_calloc(tree->arena, tree->n, sizeof(uint32_t));

    if (out == NULL || joined == NULL) {
        return NULL;
    }

    pyro_tree_add(out, 0, tree->nodes[0].self);

    for (i = 1; i < tree->n; i++) {
        node = &tree->nodes[i];
        name = pyro_tree_name(out,
                              tree->names.items[pyro_tree_function(tree, i)]);
        joined[i] = name == PYRO_NONE ? PYRO_NONE
                    : pyro_tree_node(out, joined[node->parent], name);

        if (joined[i] == PYRO_NONE) {
            return NULL;
        }

        pyro_tree_add(out, joined[i], node->self);
    }

    return out;
}
