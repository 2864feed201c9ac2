/*
 * Stack trees in the forms that tools read: pprof, Pyroscope's TREE, Graphviz,
 * collapsed stacks, speedscope.
 *
 * Everything is in the tree's arena.  Trees are cut (core/query/cut.h) before;
 * their totals are set here where they are needed.  One thread.
 * PYRO_UNAVAILABLE: no memory; a rope that fails says so itself.
 */

#ifndef _PYRO_STACKS_H_INCLUDED_
#define _PYRO_STACKS_H_INCLUDED_


#include "core/api/proto/profile.pb-c.h"
#include "core/base/rope.h"
#include "core/model/profile_type.h"
#include "core/query/tree.h"


typedef struct {
    const pyro_profile_type_t  *type;
    int64_t                     start;              /* ns */
    int64_t                     end;
    uint32_t                    keep_locations;     /* of each stack so many
                                                     * leaves; 0: all */
    int                         aggregate_callees;  /* a leaf's line counts
                                                     * for nothing */
} pyro_pprof_options_t;


/*
 * A profile of one sample type (pprof: profile.proto) from a tree by lines:
 * stacks leaf first, a location for each frame, functions by name and file.  An
 * empty tree gives a message without fields.
 */
pyro_status_e pyro_pprof_build(const pyro_tree_t *tree,
    const pyro_pprof_options_t *options, Google__V1__Profile **out,
    pyro_error_t *err);

/*
 * TREE, from a tree by functions: nodes depth first, the last child first, each
 * as uvarint length of its name, name, uvarint own value, uvarint children;
 * first the root, without a name or a value.  Nothing: no byte.
 */
pyro_status_e pyro_tree_bytes(pyro_tree_t *tree, pyro_rope_t *out,
    pyro_error_t *err);

/*
 * Graphviz's language, from a tree by functions: a node for each function, at
 * most max_functions (0: all), those of the largest totals, with its own value
 * and its total, in which a recursion counts once; an edge for each call.
 * Nothing: no byte.
 */
pyro_status_e pyro_dot_write(pyro_tree_t *tree,
    const pyro_profile_type_t *type, uint32_t max_functions, pyro_rope_t *out,
    pyro_error_t *err);

/* "a:1;b:2 value" for each stack, sorted, as core/format/folded.h has it;
 * lines of a tree by lines alone. */
pyro_status_e pyro_collapsed_write(pyro_tree_t *tree, pyro_rope_t *out,
    pyro_error_t *err);

/* speedscope's file format, a sampled profile, from a tree by lines. */
pyro_status_e pyro_speedscope_write(pyro_tree_t *tree,
    const pyro_profile_type_t *type, pyro_slice_t name, pyro_rope_t *out,
    pyro_error_t *err);


#endif /* _PYRO_STACKS_H_INCLUDED_ */
