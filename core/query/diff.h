/*
 * Two stack trees beside each other, as the levels of a flame graph of both:
 * Pyroscope API, Diff.
 *
 * Everything is in the left tree's arena.  One thread.
 */

#ifndef _PYRO_DIFF_H_INCLUDED_
#define _PYRO_DIFF_H_INCLUDED_


#include "core/query/flamegraph.h"


#define PYRO_DIFF_VALUES  7         /* a node: xDelta, total, self of the left,
                                     * the same of the right, name */


/*
 * Trees by functions; either may be cut (core/query/cut.h).  A node that one
 * of them has is there on both sides, with 0 where it is not.  The total is the
 * sum of both, left and right say each one's; max_self is the largest of either
 * side.  Sums stop at INT64_MAX.  PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_diff_build(pyro_tree_t *left, pyro_tree_t *right,
    pyro_flamegraph_t *out, int64_t *left_total, int64_t *right_total,
    pyro_error_t *err);


#endif /* _PYRO_DIFF_H_INCLUDED_ */
