#include "core/query/siblings.h"

#include <stdlib.h>


typedef struct {
    pyro_slice_t   text;
    uint32_t       name;
} pyro_siblings_name_t;


static pyro_siblings_name_t *pyro_siblings_sort(const pyro_tree_t *tree,
    uint64_t min, uint32_t *n);
static int pyro_siblings_cmp(const void *a, const void *b);


/*
 * Nodes are put into a list for each name, and the lists, last name first, in
 * front of the parents' lists: names are compared once for all, not in every
 * sibling list.
 */
int
pyro_siblings(const pyro_tree_t *tree, uint64_t min, pyro_siblings_t *out)
{
    uint32_t                i, n, node, *by_name, *same;
    pyro_siblings_name_t   *sorted;
    const pyro_tree_node_t *nodes;

    nodes = tree->nodes;
    sorted = pyro_siblings_sort(tree, min, &n);
    out->first = pyro_arena_calloc(tree->arena, tree->n, sizeof(uint32_t));
    out->next = pyro_arena_calloc(tree->arena, tree->n, sizeof(uint32_t));
    by_name = pyro_arena_calloc(tree->arena, tree->names.n, sizeof(uint32_t));
    same = pyro_arena_calloc(tree->arena, tree->n, sizeof(uint32_t));

    if (sorted == NULL || out->first == NULL || out->next == NULL
        || by_name == NULL || same == NULL)
    {
        return -1;
    }

    for (i = 1; i < tree->n; i++) {
        if (nodes[i].total >= min) {
            same[i] = by_name[nodes[i].name];
            by_name[nodes[i].name] = i;
        }
    }

    while (n > 0) {
        n--;

        for (node = by_name[sorted[n].name]; node != 0; node = same[node]) {
            out->next[node] = out->first[nodes[node].parent];
            out->first[nodes[node].parent] = node;
        }
    }

    return 0;
}


/* The names of the nodes that stay, in order. */
static pyro_siblings_name_t *
pyro_siblings_sort(const pyro_tree_t *tree, uint64_t min, uint32_t *n)
{
    uint8_t               *used;
    uint32_t               i, count, name;
    pyro_siblings_name_t  *sorted;

    *n = 0;
    count = 0;
    used = pyro_arena_calloc(tree->arena, tree->names.n, 1);

    if (used == NULL) {
        return NULL;
    }

    for (i = 1; i < tree->n; i++) {
        name = tree->nodes[i].name;

        if (tree->nodes[i].total >= min && !used[name]) {
            used[name] = 1;
            count++;
        }
    }

    sorted = pyro_arena_calloc(tree->arena, count,
                               sizeof(pyro_siblings_name_t));

    for (i = 0; sorted != NULL && i < tree->names.n; i++) {
        if (used[i]) {
            sorted[*n].name = i;
            sorted[(*n)++].text = tree->names.items[i];
        }
    }

    if (*n) {
        qsort(sorted, *n, sizeof(pyro_siblings_name_t), pyro_siblings_cmp);
    }

    return sorted;
}


static int
pyro_siblings_cmp(const void *a, const void *b)
{
    return pyro_slice_cmp(((const pyro_siblings_name_t *) a)->text,
                          ((const pyro_siblings_name_t *) b)->text);
}
