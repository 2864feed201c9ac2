/*
 * Persistent ids of strings and frames in a partition: bytes to id inside a
 * write transaction, id to bytes for readers (storage/schema.h: str, frame).
 *
 * A hash finds candidates, the stored bytes decide.  String 0 is the empty one.
 */

#ifndef _PYRO_DICT_H_INCLUDED_
#define _PYRO_DICT_H_INCLUDED_


#include "storage/batch.h"


/* The id of s, entering it if it is new. */
pyro_status_e pyro_dict_string(pyro_batch_t *batch, pyro_slice_t s,
    uint32_t *id);

/* Sees to it that s, whose id is known, is found by its bytes. */
pyro_status_e pyro_dict_index(pyro_batch_t *batch, pyro_slice_t s,
    uint32_t id);

/* hash: of the frame's content (storage/nodes.h). */
pyro_status_e pyro_dict_frame(pyro_batch_t *batch,
    const pyro_frame_value_t *frame, uint64_t hash, uint32_t *id);

/* The id of s; PYRO_NOT_FOUND if it was never entered. */
pyro_status_e pyro_dict_find(const pyro_view_t *view, pyro_slice_t s,
    uint32_t *id);

/* The bytes of a string, in the map. */
pyro_status_e pyro_dict_text(const pyro_view_t *view, uint32_t id,
    pyro_slice_t *s);

pyro_status_e pyro_dict_frame_get(const pyro_view_t *view, uint32_t id,
    pyro_frame_value_t *frame);

/*
 * Strings, frames or streams (db) by ids that mostly rise: the next ones lie
 * beside those before, so few of them are searched for.  Begins as zeros; the
 * values are in the map.  snapshot counts how often the view's transaction was
 * renewed (storage/reader.h): the walk begins anew then.
 */
typedef struct {
    pyro_kv_cursor_t  *cursor;
    uint32_t           snapshot;    /* that it is of */
    uint32_t           id;          /* where it stands; 0: nowhere */
    pyro_slice_t       value;
} pyro_dict_walk_t;

pyro_status_e pyro_dict_walk(const pyro_view_t *view, pyro_db_e db,
    pyro_dict_walk_t *walk, uint32_t snapshot, uint32_t id,
    pyro_slice_t *value);
void pyro_dict_walk_end(pyro_dict_walk_t *walk);

/* Adds id to a list of ids: the value of scopex, strx, framex, streamx. */
pyro_status_e pyro_dict_list_add(pyro_batch_t *batch, pyro_db_e db,
    const uint8_t *key, size_t len, uint32_t id);

/* Entry i of such a list; 0 behind its end. */
static inline uint32_t
pyro_dict_list_get(pyro_slice_t list, size_t i)
{
    return i < list.len / 4
           ? pyro_get_be32((const uint8_t *) list.data + i * 4) : 0;
}


#endif /* _PYRO_DICT_H_INCLUDED_ */
