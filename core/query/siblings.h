/*
 * The children of each node of a tree by functions, in the order of their
 * names' bytes.
 */

#ifndef _PYRO_SIBLINGS_H_INCLUDED_
#define _PYRO_SIBLINGS_H_INCLUDED_


#include "core/query/tree.h"


/* By node, in the tree's arena. */
typedef struct {
    uint32_t       *first;          /* its first child, 0 none */
    uint32_t       *next;           /* its next sibling, 0 none */
} pyro_siblings_t;


/* Of the nodes whose totals, which are set, are at least min.  -1: no
 * memory. */
int pyro_siblings(const pyro_tree_t *tree, uint64_t min, pyro_siblings_t *out);


#endif /* _PYRO_SIBLINGS_H_INCLUDED_ */
