/*
 * What has an identity in a partition: scopes, streams, types; and the reading
 * of them (storage/schema.h).  Writing happens in a batch, reading in any view.
 */

#ifndef _PYRO_SERIES_INDEX_H_INCLUDED_
#define _PYRO_SERIES_INDEX_H_INCLUDED_


#include "storage/batch.h"


/* Labels that are read again and again into the same room. */
typedef struct {
    pyro_label_t  *items;
    uint32_t       cap;
    pyro_labels_t  labels;
} pyro_label_room_t;


/* The scope of a tenant and service, entered if it is new; it stays valid as
 * long as the batch. */
pyro_status_e pyro_scope_resolve(pyro_batch_t *batch, uint32_t tenant,
    pyro_slice_t tenant_name, pyro_slice_t service, int64_t time,
    pyro_batch_scope_t **scope);

/* The id of a type, entered if it is new; PYRO_UNPROCESSABLE if there are too
 * many (PYRO_PTYPES_MAX). */
pyro_status_e pyro_ptype_resolve(pyro_batch_t *batch,
    const pyro_profile_column_t *column, uint32_t *ptype);

/* Seeded hash of a label set. */
uint64_t pyro_stream_hash(const pyro_labels_t *labels, uint64_t seed);

/*
 * The id of a stream, entered if it is new, with its first, last and list of
 * types brought up to date for a record of this time with n types, ascending.
 */
pyro_status_e pyro_stream_resolve(pyro_batch_t *batch,
    const pyro_batch_scope_t *scope, const pyro_labels_t *labels,
    uint64_t hash, int64_t time, const uint32_t *ptypes, uint32_t n,
    uint32_t *stream);

/* The stream that has these labels; hash: pyro_stream_hash() with the file's
 * seed.  PYRO_NOT_FOUND: there is none. */
pyro_status_e pyro_stream_find(const pyro_view_t *view, uint32_t tenant,
    uint64_t hash, const pyro_labels_t *labels, uint32_t *stream,
    pyro_stream_value_t *value);

/* PYRO_NOT_FOUND if there is no such stream. */
pyro_status_e pyro_stream_read(const pyro_view_t *view, uint32_t id,
    pyro_stream_value_t *stream);

/* The stream's labels; their bytes are in the map. */
pyro_status_e pyro_stream_labels(const pyro_view_t *view, pyro_arena_t *arena,
    const pyro_stream_value_t *stream, pyro_label_room_t *room);

/* The same, of the label with this name (a string's id) alone. */
pyro_status_e pyro_stream_label(const pyro_view_t *view, pyro_arena_t *arena,
    const pyro_stream_value_t *stream, uint32_t name, pyro_label_room_t *room);

pyro_status_e pyro_scope_read(const pyro_view_t *view, uint32_t id,
    pyro_scope_value_t *scope);


#endif /* _PYRO_SERIES_INDEX_H_INCLUDED_ */
