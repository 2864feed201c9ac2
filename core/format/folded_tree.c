#include "core/format/folded_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>


/*
 * A node's places in the order of bytes among its siblings: that of the stack
 * that ends with it, and that of the stacks that go on, with a ";".  "a:1" is
 * before "a:12", but "a:1;b" is behind it.
 */
typedef struct {
    pyro_slice_t            function;
    uint32_t                parent;
    uint32_t                node;
    uint8_t                 on;         /* 1: of those that go on */
    uint8_t                 len;
    char                    tail[14];   /* ":4294967295;" */
} pyro_folded_place_t;


static inline int pyro_folded_byte(const pyro_folded_place_t *place, size_t i);
static int pyro_folded_cmp_places(const void *one, const void *two);
static void pyro_folded_place(const pyro_folded_tree_t *tree, uint32_t node,
    int on, pyro_folded_place_t *place);
static void pyro_folded_walk(pyro_folded_tree_t *tree,
    const pyro_folded_place_t *places, uint32_t n);


int
pyro_folded_tree_init(pyro_folded_tree_t *tree, pyro_arena_t *arena, int lines)
{
    memset(tree, 0, sizeof(pyro_folded_tree_t));

    tree->arena = arena;
    tree->lines = lines;

    pyro_intern_init(&tree->functions, arena);
    pyro_intern_init(&tree->keys, arena);

    if (pyro_arena_grow(arena, &tree->nodes, &tree->cap, 1,
                        sizeof(pyro_folded_node_t)))
    {
        return -1;
    }

    memset(&tree->nodes[0], 0, sizeof(pyro_folded_node_t));
    tree->n = 1;

    return 0;
}


uint32_t
pyro_folded_tree_node(pyro_folded_tree_t *tree, uint32_t parent,
    uint32_t function, uint32_t line)
{
    uint32_t             id, key[3];
    pyro_folded_node_t  *node;

    /* there are two places for each node, with an id of 32 bits */

    if (function == PYRO_NONE || tree->n >= UINT32_MAX / 2
        || pyro_arena_grow(tree->arena, &tree->nodes, &tree->cap,
                           (size_t) tree->n + 1, sizeof(pyro_folded_node_t)))
    {
        return PYRO_NONE;
    }

    key[0] = parent;
    key[1] = function;
    key[2] = tree->lines ? line : 0;

    id = pyro_intern(&tree->keys, pyro_slice(key, sizeof(key)), 1);

    if (id != PYRO_NONE && ++id == tree->n) {
        node = &tree->nodes[tree->n++];
        memset(node, 0, sizeof(pyro_folded_node_t));

        node->parent = parent;
        node->function = function;
        node->line = key[2];
    }

    return id;
}


/* A byte of a place's text, -1 behind its end. */
static inline int
pyro_folded_byte(const pyro_folded_place_t *place, size_t i)
{
    if (i < place->function.len) {
        return (unsigned char) place->function.data[i];
    }

    i -= place->function.len;

    return i < place->len ? (unsigned char) place->tail[i] : -1;
}


/* By parent, then by text: no text of two siblings is the same. */
static int
pyro_folded_cmp_places(const void *one, const void *two)
{
    int                         rc;
    size_t                      i;
    const pyro_folded_place_t  *a = one, *b = two;

    if (a->parent != b->parent) {
        return a->parent < b->parent ? -1 : 1;
    }

    i = a->function.len < b->function.len ? a->function.len : b->function.len;
    rc = i ? memcmp(a->function.data, b->function.data, i) : 0;

    while (rc == 0) {
        rc = pyro_folded_byte(a, i) - pyro_folded_byte(b, i);

        if (pyro_folded_byte(a, i++) < 0) {
            break;
        }
    }

    return rc;
}


static void
pyro_folded_place(const pyro_folded_tree_t *tree, uint32_t node, int on,
    pyro_folded_place_t *place)
{
    const pyro_folded_node_t  *n;

    n = &tree->nodes[node];

    place->function = tree->functions.items[n->function];
    place->parent = n->parent;
    place->node = node;
    place->on = (uint8_t) on;
    place->len = 0;

    if (tree->lines) {
        place->len = (uint8_t) snprintf(place->tail, sizeof(place->tail),
                                        ":%" PRIu32, n->line);
    }

    if (on) {
        place->tail[place->len++] = ';';
    }
}


/* Counts the stacks in their order, down and up by the places of nodes. */
static void
pyro_folded_walk(pyro_folded_tree_t *tree, const pyro_folded_place_t *places,
    uint32_t n)
{
    uint32_t  node, pos, rank;

    node = 0;
    pos = 0;
    rank = 1;                       /* the empty stack is before all */

    for ( ;; ) {

        if (pos == n || places[pos].parent != node) {

            if (node == 0) {
                return;
            }

            pos = tree->nodes[node].place + 1;
            node = tree->nodes[node].parent;

        } else if (places[pos].on) {
            node = places[pos].node;
            tree->nodes[node].place = pos;
            pos = tree->nodes[node].first;

        } else {
            tree->nodes[places[pos++].node].rank = rank++;
        }
    }
}


int
pyro_folded_tree_rank(pyro_folded_tree_t *tree)
{
    uint32_t              i, n;
    pyro_folded_place_t  *places;

    n = 2 * (tree->n - 1);
    places = pyro_arena_calloc(tree->arena, n, sizeof(pyro_folded_place_t));

    if (places == NULL) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        pyro_folded_place(tree, 1 + i / 2, i % 2, &places[i]);
    }

    qsort(places, n, sizeof(pyro_folded_place_t), pyro_folded_cmp_places);

    for (i = 0; i < tree->n; i++) {
        tree->nodes[i].first = n;
    }

    for (i = n; i; i--) {
        tree->nodes[places[i - 1].parent].first = i - 1;
    }

    pyro_folded_walk(tree, places, n);

    return 0;
}


void
pyro_folded_tree_frame(const pyro_folded_tree_t *tree, uint32_t node, int more,
    pyro_rope_t *out)
{
    pyro_folded_place_t  place;

    pyro_folded_place(tree, node, more, &place);

    pyro_rope_append(out, place.function.data, place.function.len);
    pyro_rope_append(out, place.tail, place.len);
}
