#include "core/query/cut.h"


static uint64_t pyro_cut_largest(const pyro_tree_t *tree, uint64_t *heap,
    uint32_t cap);
static void pyro_cut_sift(uint64_t *heap, uint32_t n, uint32_t i);
static int pyro_cut_copy(const pyro_tree_t *tree, uint64_t min,
    pyro_tree_t *out, uint32_t *kept);
static int pyro_cut_rest(const pyro_tree_t *tree, pyro_tree_t *out,
    const uint32_t *kept);
static uint32_t pyro_cut_other(pyro_tree_t *out);


pyro_status_e
pyro_cut_min(const pyro_tree_t *tree, uint64_t max_nodes, uint64_t *min,
    pyro_error_t *err)
{
    uint64_t  *heap;

    *min = 1;

    if (max_nodes == 0 || tree->n - 1 <= max_nodes) {
        return PYRO_OK;
    }

    heap = pyro_arena_alloc(tree->arena, (size_t) max_nodes
                                         * sizeof(uint64_t));

    if (heap == NULL) {
        return pyro_error_memory(err);
    }

    *min = pyro_cut_largest(tree, heap, (uint32_t) max_nodes);

    return PYRO_OK;
}


/*
 * The smallest of the cap largest totals (there are more of them), at least 1:
 * a bar of no width at a border would be taken for the child of a neighbour.
 */
static uint64_t
pyro_cut_largest(const pyro_tree_t *tree, uint64_t *heap, uint32_t cap)
{
    uint32_t  i, n;
    uint64_t  total;

    n = 0;

    for (i = 1; i < tree->n; i++) {
        total = tree->nodes[i].total;

        if (n < cap) {
            heap[n++] = total;

            if (n == cap) {
                for (n = cap / 2; n > 0; n--) {
                    pyro_cut_sift(heap, cap, n - 1);
                }

                n = cap;
            }

        } else if (total > heap[0]) {
            heap[0] = total;
            pyro_cut_sift(heap, cap, 0);
        }
    }

    return heap[0] ? heap[0] : 1;
}


static void
pyro_cut_sift(uint64_t *heap, uint32_t n, uint32_t i)
{
    uint32_t  child;
    uint64_t  value;

    value = heap[i];

    while (i < n / 2) {
        child = i * 2 + 1;

        if (child + 1 < n && heap[child + 1] < heap[child]) {
            child++;
        }

        if (value <= heap[child]) {
            break;
        }

        heap[i] = heap[child];
        i = child;
    }

    heap[i] = value;
}


pyro_status_e
pyro_cut(pyro_tree_t *tree, uint64_t max_nodes, pyro_tree_t **out,
    pyro_error_t *err)
{
    uint64_t        min;
    uint32_t       *kept;
    pyro_status_e   status;

    *out = tree;
    pyro_tree_totals(tree);

    if (max_nodes == 0 || tree->n - 1 <= max_nodes) {
        return PYRO_OK;
    }

    status = pyro_cut_min(tree, max_nodes, &min, err);

    if (status != PYRO_OK) {
        return status;
    }

    *out = tree->by_lines ? pyro_tree_create_by_lines(tree->arena)
                          : pyro_tree_create(tree->arena);
    kept = pyro_arena_calloc(tree->arena, tree->n, sizeof(uint32_t));

    if (*out == NULL || kept == NULL || pyro_cut_copy(tree, min, *out, kept)
        || pyro_cut_rest(tree, *out, kept))
    {
        return pyro_error_memory(err);
    }

    pyro_tree_totals(*out);

    return PYRO_OK;
}


/* kept: by node its own in the new tree, or PYRO_NONE. */
static int
pyro_cut_copy(const pyro_tree_t *tree, uint64_t min, pyro_tree_t *out,
    uint32_t *kept)
{
    uint32_t                 i, name;
    pyro_tree_frame_t        frame;
    const pyro_tree_node_t  *node;

    pyro_tree_add(out, 0, tree->nodes[0].self);

    for (i = 1; i < tree->n; i++) {
        node = &tree->nodes[i];

        if (node->total < min || kept[node->parent] == PYRO_NONE) {
            kept[i] = PYRO_NONE;
            continue;
        }

        name = pyro_tree_name(out,
                              tree->names.items[pyro_tree_function(tree, i)]);

        if (name != PYRO_NONE && tree->by_lines) {
            frame = tree->frames[node->name];
            frame.function = name;

            if (frame.file != PYRO_NONE) {
                frame.file = pyro_tree_name(out,
                                            tree->names.items[frame.file]);
            }

            name = pyro_tree_frame(out, &frame);
        }

        kept[i] = name == PYRO_NONE ? PYRO_NONE
                  : pyro_tree_node(out, kept[node->parent], name);

        if (kept[i] == PYRO_NONE) {
            return -1;
        }

        pyro_tree_add(out, kept[i], node->self);
    }

    return 0;
}


static int
pyro_cut_rest(const pyro_tree_t *tree, pyro_tree_t *out, const uint32_t *kept)
{
    uint32_t                 i, other, rest;
    const pyro_tree_node_t  *node;

    other = PYRO_NONE;

    for (i = 1; i < tree->n; i++) {
        node = &tree->nodes[i];

        if (kept[i] != PYRO_NONE || node->total == 0
            || kept[node->parent] == PYRO_NONE)
        {
            continue;
        }

        if (other == PYRO_NONE) {
            other = pyro_cut_other(out);
        }

        rest = other == PYRO_NONE ? PYRO_NONE
               : pyro_tree_node(out, kept[node->parent], other);

        if (rest == PYRO_NONE) {
            return -1;
        }

        pyro_tree_add(out, rest, node->total);
    }

    return 0;
}


static uint32_t
pyro_cut_other(pyro_tree_t *out)
{
    pyro_tree_frame_t  frame = { 0, PYRO_NONE, 0, 0 };

    frame.function = pyro_tree_name(out, PYRO_SLICE(PYRO_CUT_NAME));

    return frame.function == PYRO_NONE || !out->by_lines
           ? frame.function : pyro_tree_frame(out, &frame);
}
