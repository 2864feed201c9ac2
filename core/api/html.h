/*
 * A flame graph as one page that needs nothing else: to be kept, mailed, and
 * opened years later.
 */

#ifndef _PYRO_HTML_H_INCLUDED_
#define _PYRO_HTML_H_INCLUDED_


#include "core/base/rope.h"
#include "core/model/profile_type.h"
#include "core/query/flamegraph.h"


typedef struct {
    const pyro_profile_type_t  *type;
    pyro_slice_t                query;      /* as it was asked */
    int64_t                     start;      /* ns, included */
    int64_t                     end;
} pyro_html_options_t;


/* Whatever names and query have in them is text in the page.  Memory is the
 * arena's.  PYRO_UNAVAILABLE: no memory. */
pyro_status_e pyro_html_write(pyro_arena_t *arena,
    const pyro_flamegraph_t *graph, const pyro_html_options_t *options,
    pyro_rope_t *out, pyro_error_t *err);


#endif /* _PYRO_HTML_H_INCLUDED_ */
