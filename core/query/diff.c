#include "core/query/diff.h"

#include "core/query/siblings.h"


typedef struct {
    uint64_t            self;
    uint64_t            total;
    int64_t             x;          /* where its first child begins */
} pyro_diff_side_t;


typedef struct {
    pyro_tree_t        *both;       /* values of both sides together */
    pyro_diff_side_t   *sides[2];   /* by node */
    pyro_siblings_t     siblings;
    uint32_t           *order;      /* nodes, level by level */
    int64_t            *values;
    uint32_t           *index;      /* by name id: index in out->names, + 1 */
    int64_t             end[2];     /* of the last node of the level */
    pyro_flamegraph_t  *out;
    uint32_t            cap_levels;
    uint32_t            cap_names;
} pyro_diff_t;


static int pyro_diff_join(pyro_diff_t *d, pyro_tree_t *tree, uint32_t *joined);
static int pyro_diff_sides(pyro_diff_t *d, pyro_tree_t *trees[2],
    uint32_t *joined[2]);
static int pyro_diff_levels(pyro_diff_t *d);
static int pyro_diff_node(pyro_diff_t *d, uint32_t node, int64_t x[2],
    int64_t *values);
static int pyro_diff_name(pyro_diff_t *d, uint32_t name, int64_t *index);
static int64_t pyro_diff_sum(uint64_t a, uint64_t b);


pyro_status_e
pyro_diff_build(pyro_tree_t *left, pyro_tree_t *right, pyro_flamegraph_t *out,
    int64_t *left_total, int64_t *right_total, pyro_error_t *err)
{
    uint32_t      *joined[2];
    pyro_diff_t    d;
    pyro_tree_t   *trees[2] = { left, right };

    memset(&d, 0, sizeof(pyro_diff_t));
    memset(out, 0, sizeof(pyro_flamegraph_t));

    d.out = out;
    d.both = pyro_tree_create(left->arena);
    joined[0] = pyro_arena_calloc(left->arena, left->n, sizeof(uint32_t));
    joined[1] = pyro_arena_calloc(left->arena, right->n, sizeof(uint32_t));

    if (d.both == NULL || joined[0] == NULL || joined[1] == NULL
        || pyro_diff_join(&d, left, joined[0])
        || pyro_diff_join(&d, right, joined[1])
        || pyro_diff_sides(&d, trees, joined)
        || pyro_siblings(d.both, 1, &d.siblings) || pyro_diff_levels(&d))
    {
        return pyro_error_memory(err);
    }

    *left_total = (int64_t) d.sides[0][0].total;
    *right_total = (int64_t) d.sides[1][0].total;
    out->total = pyro_diff_sum(d.sides[0][0].total, d.sides[1][0].total);

    return PYRO_OK;
}


/* Adds a tree's nodes and values; joined: where each of them is. */
static int
pyro_diff_join(pyro_diff_t *d, pyro_tree_t *tree, uint32_t *joined)
{
    uint32_t                 i, name;
    const pyro_tree_node_t  *node;

    pyro_tree_add(d->both, 0, tree->nodes[0].self);

    for (i = 1; i < tree->n; i++) {
        node = &tree->nodes[i];
        name = pyro_tree_name(d->both, tree->names.items[node->name]);
        joined[i] = name == PYRO_NONE ? PYRO_NONE
                    : pyro_tree_node(d->both, joined[node->parent], name);

        if (joined[i] == PYRO_NONE) {
            return -1;
        }

        pyro_tree_add(d->both, joined[i], node->self);
    }

    return 0;
}


static int
pyro_diff_sides(pyro_diff_t *d, pyro_tree_t *trees[2], uint32_t *joined[2])
{
    uint32_t           i, k, parent;
    pyro_diff_side_t  *side;

    pyro_tree_totals(d->both);

    for (k = 0; k < 2; k++) {
        side = pyro_arena_calloc(d->both->arena, d->both->n,
                                 sizeof(pyro_diff_side_t));

        if (side == NULL) {
            return -1;
        }

        d->sides[k] = side;

        for (i = 0; i < trees[k]->n; i++) {
            side[joined[k][i]].self = trees[k]->nodes[i].self;
        }

        for (i = 0; i < d->both->n; i++) {
            side[i].total = side[i].self;
        }

        for (i = d->both->n - 1; i > 0; i--) {
            parent = d->both->nodes[i].parent;
            side[parent].total = (uint64_t) pyro_diff_sum(side[parent].total,
                                                          side[i].total);
        }
    }

    return 0;
}


/* Level by level: the children of each node of the one before. */
static int
pyro_diff_levels(pyro_diff_t *d)
{
    int64_t                   x[2];
    uint32_t                  i, n, last, node;
    pyro_arena_t             *arena;
    pyro_flamegraph_level_t  *level;

    arena = d->both->arena;
    d->order = pyro_arena_calloc(arena, d->both->n, sizeof(uint32_t));
    d->index = pyro_arena_calloc(arena, d->both->names.n, sizeof(uint32_t));
    d->values = pyro_arena_calloc(arena, (size_t) d->both->n * PYRO_DIFF_VALUES,
                                  sizeof(int64_t));

    if (d->order == NULL || d->index == NULL || d->values == NULL) {
        return -1;
    }

    memset(x, 0, sizeof(x));

    if (pyro_diff_node(d, 0, x, d->values)) {
        return -1;
    }

    for (i = 0, n = 1; i < n; i = last) {
        last = n;

        if (pyro_arena_grow(arena, &d->out->levels, &d->cap_levels,
                            (size_t) d->out->n_levels + 1,
                            sizeof(pyro_flamegraph_level_t)))
        {
            return -1;
        }

        level = &d->out->levels[d->out->n_levels++];
        level->values = d->values + (size_t) i * PYRO_DIFF_VALUES;
        level->n = (size_t) (last - i) * PYRO_DIFF_VALUES;
        memset(d->end, 0, sizeof(d->end));

        for ( /* void */ ; i < last; i++) {
            x[0] = d->sides[0][d->order[i]].x;
            x[1] = d->sides[1][d->order[i]].x;

            for (node = d->siblings.first[d->order[i]]; node;
                 node = d->siblings.next[node])
            {
                d->order[n] = node;

                if (pyro_diff_node(d, node, x, d->values
                                               + (size_t) n * PYRO_DIFF_VALUES))
                {
                    return -1;
                }

                n++;
            }
        }
    }

    return 0;
}


/* At x of both sides, which move to its ends. */
static int
pyro_diff_node(pyro_diff_t *d, uint32_t node, int64_t x[2], int64_t *values)
{
    uint32_t           k;
    pyro_diff_side_t  *side;

    for (k = 0; k < 2; k++) {
        side = &d->sides[k][node];
        side->x = pyro_diff_sum((uint64_t) x[k], side->self);

        values[3 * k] = x[k] - d->end[k];
        values[3 * k + 1] = (int64_t) side->total;
        values[3 * k + 2] = (int64_t) side->self;

        x[k] = pyro_diff_sum((uint64_t) x[k], side->total);
        d->end[k] = x[k];

        if ((int64_t) side->self > d->out->max_self) {
            d->out->max_self = (int64_t) side->self;
        }
    }

    return pyro_diff_name(d, d->both->nodes[node].name, &values[6]);
}


static int
pyro_diff_name(pyro_diff_t *d, uint32_t name, int64_t *index)
{
    pyro_flamegraph_t  *out;

    out = d->out;

    if (d->index[name] == 0) {
        if (pyro_arena_grow(d->both->arena, &out->names, &d->cap_names,
                            (size_t) out->n_names + 1, sizeof(pyro_slice_t)))
        {
            return -1;
        }

        out->names[out->n_names++] = d->both->names.items[name];
        d->index[name] = out->n_names;
    }

    *index = d->index[name] - 1;

    return 0;
}


static int64_t
pyro_diff_sum(uint64_t a, uint64_t b)
{
    return b > INT64_MAX || a > INT64_MAX - b ? INT64_MAX : (int64_t) (a + b);
}
