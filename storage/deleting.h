/*
 * Streams that are being deleted (storage/delete.c).
 *
 * "deleting" in a partition's meta is a list of stream ids, be32 each,
 * ascending.  The transaction that enters a stream there takes it out of
 * "stream", "streamx", "post" and "late": nobody finds it any more.  Its
 * records and roll-ups go in as many transactions as they need, and then its id
 * goes from the list.  Ids are never given again, so what is left after a crash
 * is nobody else's.
 */

#ifndef _PYRO_DELETING_H_INCLUDED_
#define _PYRO_DELETING_H_INCLUDED_


#include "storage/partition.h"


/* The list, in the map; without one it is empty. */
pyro_status_e pyro_deleting_read(const pyro_view_t *view, pyro_slice_t *list);

pyro_status_e pyro_deleting_count(const pyro_view_t *view, uint32_t *n);

/* Adds n streams, or takes one out; in a write transaction. */
pyro_status_e pyro_deleting_add(const pyro_view_t *view, pyro_arena_t *arena,
    const uint32_t *streams, uint32_t n);
pyro_status_e pyro_deleting_done(const pyro_view_t *view, pyro_arena_t *arena,
    uint32_t stream);

/* 1 if the stream is in the list. */
int pyro_deleting_has(const pyro_view_t *view, uint32_t stream);


#endif /* _PYRO_DELETING_H_INCLUDED_ */
