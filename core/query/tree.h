/*
 * A merged stack tree by function name: what a query adds samples to and flame
 * graphs are cut from.
 *
 * Lives in an arena, one thread.  Node 0 is the root; a parent's id is below
 * its children's, so totals are one reverse pass and nothing recurses.
 */

#ifndef _PYRO_TREE_H_INCLUDED_
#define _PYRO_TREE_H_INCLUDED_


#include "core/base/intern.h"
#include "core/base/status.h"


typedef struct {
    uint32_t        parent;
    uint32_t        name;           /* id in names */
    uint64_t        self;
    uint64_t        total;          /* after pyro_tree_totals() */
} pyro_tree_node_t;


typedef struct {
    pyro_arena_t      *arena;
    pyro_intern_t      names;       /* name 0 is "total", the root's */
    pyro_tree_node_t  *nodes;
    uint32_t           n;
    uint32_t           cap;
    uint32_t          *slots;       /* (parent, name) to node */
    uint32_t           mask;
} pyro_tree_t;


/* NULL: no memory. */
pyro_tree_t *pyro_tree_create(pyro_arena_t *arena);

/* The id of a function name (copied); PYRO_NONE: no memory. */
uint32_t pyro_tree_name(pyro_tree_t *tree, pyro_slice_t name);

/* The child of parent with this name; PYRO_NONE: no memory. */
uint32_t pyro_tree_node(pyro_tree_t *tree, uint32_t parent, uint32_t name);

/* Adds to a node's own value; sums stop at INT64_MAX. */
void pyro_tree_add(pyro_tree_t *tree, uint32_t node, uint64_t self);

/* Sets each node's total: its own value and its descendants'. */
void pyro_tree_totals(pyro_tree_t *tree);


#endif /* _PYRO_TREE_H_INCLUDED_ */
