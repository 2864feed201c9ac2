/*
 * The inverted index: (tenant, label name, value) to the streams that have that
 * label, ascending (storage/schema.h, "post").
 */

#ifndef _PYRO_POSTINGS_H_INCLUDED_
#define _PYRO_POSTINGS_H_INCLUDED_


#include "storage/batch.h"


typedef struct {
    uint32_t  *ids;
    uint32_t   n;
    uint32_t   cap;
} pyro_stream_ids_t;


/* Adds a stream whose id is above all that the list has. */
pyro_status_e pyro_postings_add(pyro_batch_t *batch, uint32_t tenant,
    uint32_t name, uint32_t value, uint32_t stream);

/* Takes a stream out of a list that has it. */
pyro_status_e pyro_postings_remove(const pyro_view_t *view,
    pyro_arena_t *arena, uint32_t tenant, uint32_t name, uint32_t value,
    uint32_t stream);

/* Appends the streams of one label to list. */
pyro_status_e pyro_postings_read(const pyro_view_t *view, pyro_arena_t *arena,
    uint32_t tenant, uint32_t name, uint32_t value, pyro_stream_ids_t *list);

/* Makes *value the next one of the name that has a list, beginning with itself.
 * PYRO_NOT_FOUND: there is none. */
pyro_status_e pyro_postings_value(const pyro_view_t *view, uint32_t tenant,
    uint32_t name, uint32_t *value);

/* Leaves in a what is in b as well; both ascending. */
void pyro_postings_intersect(pyro_stream_ids_t *a, const pyro_stream_ids_t *b);


#endif /* _PYRO_POSTINGS_H_INCLUDED_ */
