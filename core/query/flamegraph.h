/*
 * A stack tree to the names and levels of a flame graph, cut to max_nodes:
 * Pyroscope API, SelectMergeStacktraces.
 *
 * Everything is in the tree's arena.  One thread.
 */

#ifndef _PYRO_FLAMEGRAPH_H_INCLUDED_
#define _PYRO_FLAMEGRAPH_H_INCLUDED_


#include "core/query/tree.h"


typedef struct {
    int64_t       *values;          /* four a node: xDelta, total, self, name */
    size_t         n;               /* values, four times the nodes */
} pyro_flamegraph_level_t;


typedef struct {
    pyro_slice_t             *names;
    uint32_t                  n_names;
    pyro_flamegraph_level_t  *levels;       /* level 0 has the root alone */
    uint32_t                  n_levels;
    int64_t                   total;
    int64_t                   max_self;
} pyro_flamegraph_t;


/*
 * Builds the flame graph of a tree (its totals are computed here).  max_nodes:
 * nodes without the root, 0 for all.  An empty tree gives one name, "total",
 * and one level of four zeros.  PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_flamegraph_build(pyro_tree_t *tree, uint64_t max_nodes,
    pyro_flamegraph_t *out, pyro_error_t *err);


#endif /* _PYRO_FLAMEGRAPH_H_INCLUDED_ */
