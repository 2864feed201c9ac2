/*
 * The streams of one partition that selectors may match, by its index of
 * labels: what a matcher names, one value or alternatives, or all.  Whether
 * they do match, and whose they are, is seen when they are read.
 */

#ifndef _PYRO_CANDIDATES_H_INCLUDED_
#define _PYRO_CANDIDATES_H_INCLUDED_


#include "storage/postings.h"
#include "storage/reader.h"


/* Those of any of the selectors, of which NULL is everything; ascending, in the
 * query's arena. */
pyro_status_e pyro_candidates(pyro_read_t *read,
    const pyro_selector_t *const *selectors, uint32_t n,
    pyro_stream_ids_t *ids);

/* The name that a matcher is about: __service_name__ means service_name. */
pyro_slice_t pyro_candidates_name(pyro_slice_t name);


#endif /* _PYRO_CANDIDATES_H_INCLUDED_ */
