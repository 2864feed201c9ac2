/*
 * Stacks as text: a tree of frames that read the same, and the order of bytes
 * of all its stacks without writing one of them.
 *
 * Lives in an arena; one thread.  Functions that return an id return PYRO_NONE
 * when there is no memory.
 */

#ifndef _PYRO_FOLDED_TREE_H_INCLUDED_
#define _PYRO_FOLDED_TREE_H_INCLUDED_


#include "core/base/intern.h"
#include "core/base/rope.h"


/* Node 0 is the root; a parent's id is below its child's. */
typedef struct {
    uint32_t              parent;
    uint32_t              function;     /* text */
    uint32_t              line;         /* 0 where lines are not shown */
    uint32_t              rank;         /* of the stack that ends here */
    uint32_t              first;        /* of its children's places */
    uint32_t              place;        /* where the walk came from */
} pyro_folded_node_t;


typedef struct {
    pyro_arena_t         *arena;
    int                   lines;        /* frames are "function:line" */
    pyro_intern_t         functions;    /* texts */
    pyro_intern_t         keys;         /* of node - 1 */
    pyro_folded_node_t   *nodes;
    uint32_t              n;
    uint32_t              cap;
} pyro_folded_tree_t;


/* -1: no memory. */
int pyro_folded_tree_init(pyro_folded_tree_t *tree, pyro_arena_t *arena,
    int lines);

/*
 * The child of parent that has this text.  No ";" in a function may stand where
 * it would look like the end of a frame.
 */
uint32_t pyro_folded_tree_node(pyro_folded_tree_t *tree, uint32_t parent,
    uint32_t function, uint32_t line);

/* Sets the ranks, once all nodes are there.  -1: no memory. */
int pyro_folded_tree_rank(pyro_folded_tree_t *tree);

/* A frame, and a ";" if more follow. */
void pyro_folded_tree_frame(const pyro_folded_tree_t *tree, uint32_t node,
    int more, pyro_rope_t *out);


#endif /* _PYRO_FOLDED_TREE_H_INCLUDED_ */
