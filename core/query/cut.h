/*
 * A tree cut down to its largest nodes: Pyroscope API, SelectMergeStacktraces,
 * "max_nodes".
 */

#ifndef _PYRO_CUT_H_INCLUDED_
#define _PYRO_CUT_H_INCLUDED_


#include "core/query/tree.h"


#define PYRO_CUT_NAME  "other"


/*
 * The smallest total that stays, of a tree whose totals are set: the smallest
 * of the max_nodes largest ones, without the root; max_nodes 0: all stay.  At
 * least 1.  More nodes than that stay where totals are equal.
 * PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_cut_min(const pyro_tree_t *tree, uint64_t max_nodes,
    uint64_t *min, pyro_error_t *err);

/*
 * The tree with these nodes alone, in the same arena, totals set: below each of
 * them what was cut there is one node "other", together with what has that name
 * already.  PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_cut(pyro_tree_t *tree, uint64_t max_nodes,
    pyro_tree_t **out, pyro_error_t *err);


#endif /* _PYRO_CUT_H_INCLUDED_ */
