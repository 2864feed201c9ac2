#include "core/api/stacks.h"

#include <stdlib.h>


/* A function; the call of one by another. */
typedef struct {
    uint32_t      name;
    uint32_t      number;           /* in the text, from 1; 0: left out */
    uint64_t      self;
    uint64_t      total;
} pyro_dot_node_t;


typedef struct {
    uint32_t      from;             /* names */
    uint32_t      to;
    uint64_t      total;
} pyro_dot_edge_t;


typedef struct {
    pyro_tree_t                *tree;
    const pyro_profile_type_t  *type;
    pyro_dot_node_t            *nodes;      /* by name, then by total */
    uint32_t                   *numbers;    /* by name */
    uint32_t                    n;
    pyro_dot_edge_t            *edges;
    uint32_t                    n_edges;
} pyro_dot_t;


static int pyro_dot_sum(pyro_dot_t *d);
static int pyro_dot_above(const pyro_tree_t *tree, uint32_t node,
    uint32_t caller);
static void pyro_dot_join(pyro_dot_t *d);
static void pyro_dot_text(const pyro_dot_t *d, pyro_rope_t *out);
static void pyro_dot_label(const pyro_dot_t *d, const pyro_dot_node_t *node,
    pyro_rope_t *out);
static void pyro_dot_value(const pyro_dot_t *d, uint64_t value,
    pyro_rope_t *out);
static void pyro_dot_name(pyro_slice_t name, pyro_rope_t *out);
static int pyro_dot_node_cmp(const void *a, const void *b);
static int pyro_dot_edge_cmp(const void *a, const void *b);
static int pyro_dot_weight_cmp(const void *a, const void *b);


pyro_status_e
pyro_dot_write(pyro_tree_t *tree, const pyro_profile_type_t *type,
    uint32_t max_functions, pyro_rope_t *out, pyro_error_t *err)
{
    uint32_t     i;
    pyro_dot_t   d;

    pyro_tree_totals(tree);

    if (tree->nodes[0].total == 0) {
        return PYRO_OK;
    }

    memset(&d, 0, sizeof(pyro_dot_t));
    d.tree = tree;
    d.type = type;

    if (pyro_dot_sum(&d)) {
        return pyro_error_memory(err);
    }

    qsort(d.nodes, d.n, sizeof(pyro_dot_node_t), pyro_dot_node_cmp);

    for (i = 0; i < d.n && (max_functions == 0 || i < max_functions); i++) {
        if (d.nodes[i].total) {
            d.nodes[i].number = i + 1;
            d.numbers[d.nodes[i].name] = i + 1;
        }
    }

    pyro_dot_join(&d);
    pyro_dot_text(&d, out);

    return pyro_rope_status(out, err);
}


/* What occurs twice in a stack counts once. */
static int
pyro_dot_sum(pyro_dot_t *d)
{
    uint32_t                 i, caller;
    pyro_tree_t             *tree;
    pyro_dot_edge_t         *edge;
    const pyro_tree_node_t  *node;

    tree = d->tree;
    d->n = tree->names.n;
    d->nodes = pyro_arena_calloc(tree->arena, d->n, sizeof(pyro_dot_node_t));
    d->numbers = pyro_arena_calloc(tree->arena, d->n, sizeof(uint32_t));
    d->edges = pyro_arena_calloc(tree->arena, tree->n,
                                 sizeof(pyro_dot_edge_t));

    if (d->nodes == NULL || d->numbers == NULL || d->edges == NULL) {
        return -1;
    }

    for (i = 0; i < d->n; i++) {
        d->nodes[i].name = i;
    }

    for (i = 1; i < tree->n; i++) {
        node = &tree->nodes[i];
        d->nodes[node->name].self += node->self;

        if (!pyro_dot_above(tree, i, PYRO_NONE)) {
            d->nodes[node->name].total += node->total;
        }

        caller = tree->nodes[node->parent].name;

        if (node->parent && node->total && !pyro_dot_above(tree, i, caller)) {
            edge = &d->edges[d->n_edges++];
            edge->from = caller;
            edge->to = node->name;
            edge->total = node->total;
        }
    }

    return 0;
}


/* 1 if the node's function, or its call by that one, is above it as well. */
static int
pyro_dot_above(const pyro_tree_t *tree, uint32_t node, uint32_t caller)
{
    uint32_t                 at;
    const pyro_tree_node_t  *nodes;

    nodes = tree->nodes;

    for (at = nodes[node].parent; at; at = nodes[at].parent) {
        if (nodes[at].name == nodes[node].name
            && (caller == PYRO_NONE
                || (nodes[at].parent
                    && nodes[nodes[at].parent].name == caller)))
        {
            return 1;
        }
    }

    return 0;
}


/* The edges of functions that stay, each once, the heaviest first. */
static void
pyro_dot_join(pyro_dot_t *d)
{
    uint32_t          i, n;
    pyro_dot_edge_t  *edges;

    edges = d->edges;

    if (d->n_edges) {
        qsort(edges, d->n_edges, sizeof(pyro_dot_edge_t), pyro_dot_edge_cmp);
    }

    for (i = 0, n = 0; i < d->n_edges; i++) {

        if (d->numbers[edges[i].from] == 0 || d->numbers[edges[i].to] == 0) {
            continue;
        }

        if (n && edges[n - 1].from == edges[i].from
            && edges[n - 1].to == edges[i].to)
        {
            edges[n - 1].total += edges[i].total;

        } else {
            edges[n++] = edges[i];
        }
    }

    d->n_edges = n;

    if (n) {
        qsort(edges, n, sizeof(pyro_dot_edge_t), pyro_dot_weight_cmp);
    }
}


static void
pyro_dot_text(const pyro_dot_t *d, pyro_rope_t *out)
{
    uint32_t                i;
    const pyro_dot_edge_t  *edge;

    pyro_rope_printf(out, "digraph \"profile\" {\n"
                     "node [shape=box style=filled fillcolor=\"#f8f8f8\"]\n");

    for (i = 0; i < d->n; i++) {
        if (d->nodes[i].number) {
            pyro_dot_label(d, &d->nodes[i], out);
        }
    }

    for (i = 0; i < d->n_edges; i++) {
        edge = &d->edges[i];

        pyro_rope_printf(out, "N%u -> N%u [label=\" ",
                         d->numbers[edge->from], d->numbers[edge->to]);
        pyro_dot_value(d, edge->total, out);
        pyro_rope_printf(out, "\" weight=%u]\n",
                         (unsigned) (100 * (double) edge->total
                                     / (double) d->tree->nodes[0].total) + 1);
    }

    pyro_rope_printf(out, "}\n");
}


static void
pyro_dot_label(const pyro_dot_t *d, const pyro_dot_node_t *node,
    pyro_rope_t *out)
{
    double  all;

    all = (double) d->tree->nodes[0].total;

    pyro_rope_printf(out, "N%u [label=\"", node->number);
    pyro_dot_name(d->tree->names.items[node->name], out);
    pyro_rope_printf(out, "\\n");
    pyro_dot_value(d, node->self, out);
    pyro_rope_printf(out, " (%.2f%%)\\nof ", 100 * (double) node->self / all);
    pyro_dot_value(d, node->total, out);
    pyro_rope_printf(out, " (%.2f%%)\"]\n", 100 * (double) node->total / all);
}


static void
pyro_dot_value(const pyro_dot_t *d, uint64_t value, pyro_rope_t *out)
{
    double  v;

    v = (double) value;

    if (pyro_slice_is(d->type->sample_unit, "nanoseconds")) {
        v < 1e9 ? pyro_rope_printf(out, "%.2fms", v / 1e6)
                : pyro_rope_printf(out, "%.2fs", v / 1e9);

    } else if (pyro_slice_is(d->type->sample_unit, "bytes")) {
        v < 1024 * 1024 ? pyro_rope_printf(out, "%.2fkB", v / 1024)
                        : pyro_rope_printf(out, "%.2fMB", v / 1024 / 1024);

    } else {
        pyro_rope_printf(out, "%llu", (unsigned long long) value);
    }
}


static void
pyro_dot_name(pyro_slice_t name, pyro_rope_t *out)
{
    size_t  i;

    for (i = 0; i < name.len; i++) {

        if (name.data[i] == '"' || name.data[i] == '\\') {
            pyro_rope_append(out, "\\", 1);
        }

        pyro_rope_append(out, (unsigned char) name.data[i] < 0x20
                              ? " " : &name.data[i], 1);
    }
}


static int
pyro_dot_node_cmp(const void *a, const void *b)
{
    const pyro_dot_node_t  *one = a, *two = b;

    if (one->total != two->total) {
        return one->total > two->total ? -1 : 1;
    }

    return (one->name > two->name) - (one->name < two->name);
}


static int
pyro_dot_edge_cmp(const void *a, const void *b)
{
    const pyro_dot_edge_t  *one = a, *two = b;

    if (one->from != two->from) {
        return one->from < two->from ? -1 : 1;
    }

    return (one->to > two->to) - (one->to < two->to);
}


static int
pyro_dot_weight_cmp(const void *a, const void *b)
{
    const pyro_dot_edge_t  *one = a, *two = b;

    if (one->total != two->total) {
        return one->total > two->total ? -1 : 1;
    }

    return pyro_dot_edge_cmp(a, b);
}
