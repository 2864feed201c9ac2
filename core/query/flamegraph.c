#include "core/query/flamegraph.h"

#include "core/query/cut.h"
#include "core/query/siblings.h"


/* A bar whose children are still to be laid out. */
typedef struct {
    uint32_t             node;
    int64_t              x;             /* where its first child begins */
    int64_t              end;
} pyro_flamegraph_bar_t;


typedef struct {
    pyro_tree_t            *tree;
    pyro_flamegraph_t      *out;
    uint64_t                min;        /* smaller totals are cut */

    uint32_t                other;      /* name id of what is cut */
    pyro_siblings_t         siblings;
    uint32_t               *index;      /* by name id: index in out->names */

    pyro_flamegraph_bar_t  *bars;       /* of all levels, in order */
    uint32_t                n_bars;
    int64_t                *values;     /* of all levels, in order */
    size_t                  n_values;
    int64_t                 end;        /* of the last bar of the level */
    uint32_t                cap_levels;
    uint32_t                cap_names;
} pyro_flamegraph_build_t;


static int pyro_flamegraph_alloc(pyro_flamegraph_build_t *build);
static int pyro_flamegraph_levels(pyro_flamegraph_build_t *build);
static int pyro_flamegraph_children(pyro_flamegraph_build_t *build,
    pyro_flamegraph_bar_t *parent);
static int pyro_flamegraph_bar(pyro_flamegraph_build_t *build, uint32_t node,
    uint32_t name, uint64_t total, uint64_t self,
    pyro_flamegraph_bar_t *parent);
static int pyro_flamegraph_name(pyro_flamegraph_build_t *build, uint32_t name,
    int64_t *index);


pyro_status_e
pyro_flamegraph_build(pyro_tree_t *tree, uint64_t max_nodes,
    pyro_flamegraph_t *out, pyro_error_t *err)
{
    pyro_status_e            status;
    pyro_flamegraph_build_t  build;

    memset(out, 0, sizeof(pyro_flamegraph_t));
    memset(&build, 0, sizeof(pyro_flamegraph_build_t));

    build.tree = tree;
    build.out = out;

    pyro_tree_totals(tree);
    status = pyro_cut_min(tree, max_nodes, &build.min, err);

    if (status != PYRO_OK) {
        return status;
    }

    if (pyro_flamegraph_alloc(&build)
        || pyro_siblings(tree, build.min, &build.siblings)
        || pyro_flamegraph_levels(&build))
    {
        return pyro_error_memory(err);
    }

    return PYRO_OK;
}


static int
pyro_flamegraph_alloc(pyro_flamegraph_build_t *build)
{
    size_t        bars, kept;
    uint32_t      i;
    pyro_tree_t  *tree;

    tree = build->tree;
    build->other = pyro_tree_name(tree, PYRO_SLICE(PYRO_CUT_NAME));

    if (build->other == PYRO_NONE) {
        return -1;
    }

    /* the nodes that stay, and an "other" below one for what was cut there */

    kept = 1;

    for (i = 1; i < tree->n; i++) {
        kept += tree->nodes[i].total >= build->min;
    }

    bars = kept + (tree->n - kept < kept ? tree->n - kept : kept);

    build->index = pyro_arena_calloc(tree->arena, tree->names.n,
                                     sizeof(uint32_t));
    build->bars = pyro_arena_calloc(tree->arena, bars,
                                    sizeof(pyro_flamegraph_bar_t));
    build->values = pyro_arena_calloc(tree->arena, bars * 4, sizeof(int64_t));

    if (build->index == NULL || build->bars == NULL || build->values == NULL)
    {
        return -1;
    }

    return 0;
}


/* Bars are laid out in the order in which they come: level by level. */
static int
pyro_flamegraph_levels(pyro_flamegraph_build_t *build)
{
    uint32_t                  i, last;
    pyro_flamegraph_t        *out;
    const pyro_tree_node_t   *root;
    pyro_flamegraph_bar_t     all;
    pyro_flamegraph_level_t  *level;

    out = build->out;
    root = &build->tree->nodes[0];
    out->total = (int64_t) root->total;

    memset(&all, 0, sizeof(pyro_flamegraph_bar_t));
    all.end = out->total;

    if (pyro_flamegraph_bar(build, 0, root->name, root->total, root->self,
                            &all))
    {
        return -1;
    }

    for (i = 0; i < build->n_bars; /* void */) {

        if (pyro_arena_grow(build->tree->arena, &out->levels,
                            &build->cap_levels, (size_t) out->n_levels + 1,
                            sizeof(pyro_flamegraph_level_t)))
        {
            return -1;
        }

        last = build->n_bars;
        level = &out->levels[out->n_levels++];
        level->values = &build->values[(size_t) i * 4];
        level->n = (size_t) (last - i) * 4;
        build->end = 0;

        for ( /* void */ ; i < last; i++) {
            if (pyro_flamegraph_children(build, &build->bars[i])) {
                return -1;
            }
        }
    }

    return 0;
}


/*
 * The part of a parent that its own value and its children leave is what was
 * cut.  (Where sums stopped at their limit children may not all fit.)
 */
static int
pyro_flamegraph_children(pyro_flamegraph_build_t *build,
    pyro_flamegraph_bar_t *parent)
{
    uint32_t           node, first, *next;
    uint64_t           rest;
    pyro_tree_node_t  *nodes;

    if (parent->node == PYRO_NONE) {
        return 0;
    }

    nodes = build->tree->nodes;
    rest = (uint64_t) (parent->end - parent->x);

    next = build->siblings.next;
    first = build->siblings.first[parent->node];

    for (node = first; node; node = next[node]) {
        rest -= nodes[node].total < rest ? nodes[node].total : rest;
    }

    for (node = first; node; node = next[node]) {

        if (rest && nodes[node].name == build->other) {
            continue;
        }

        if (pyro_flamegraph_bar(build, node, nodes[node].name,
                                nodes[node].total, nodes[node].self, parent))
        {
            return -1;
        }
    }

    if (rest) {
        rest = (uint64_t) (parent->end - parent->x);
        return pyro_flamegraph_bar(build, PYRO_NONE, build->other, rest, rest,
                                   parent);
    }

    return 0;
}


/* Puts a bar at parent->x, which moves to its end. */
static int
pyro_flamegraph_bar(pyro_flamegraph_build_t *build, uint32_t node,
    uint32_t name, uint64_t total, uint64_t self, pyro_flamegraph_bar_t *parent)
{
    int64_t                 width, own, *values;
    pyro_flamegraph_bar_t  *bar;

    width = parent->end - parent->x;
    width = total < (uint64_t) width ? (int64_t) total : width;
    own = self < (uint64_t) width ? (int64_t) self : width;

    if (width == 0 && node != 0) {
        return 0;
    }

    values = &build->values[(size_t) build->n_bars * 4];
    values[0] = parent->x - build->end;
    values[1] = width;
    values[2] = own;

    if (pyro_flamegraph_name(build, name, &values[3])) {
        return -1;
    }

    bar = &build->bars[build->n_bars++];
    bar->node = node;
    bar->x = parent->x + own;
    bar->end = parent->x + width;

    parent->x = bar->end;
    build->end = bar->end;

    if (own > build->out->max_self) {
        build->out->max_self = own;
    }

    return 0;
}


static int
pyro_flamegraph_name(pyro_flamegraph_build_t *build, uint32_t name,
    int64_t *index)
{
    pyro_flamegraph_t  *out;

    out = build->out;

    if (build->index[name] == 0) {
        if (pyro_arena_grow(build->tree->arena, &out->names, &build->cap_names,
                            (size_t) out->n_names + 1, sizeof(pyro_slice_t)))
        {
            return -1;
        }

        out->names[out->n_names++] = build->tree->names.items[name];
        build->index[name] = out->n_names;
    }

    *index = build->index[name] - 1;

    return 0;
}
