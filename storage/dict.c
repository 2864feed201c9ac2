#include "storage/dict.h"

#include "core/base/hash.h"


#define PYRO_DICT_NEAR  8           /* steps that cost less than a search */


static pyro_status_e pyro_dict_walk_on(const pyro_view_t *view,
    pyro_dict_walk_t *walk, uint32_t id, pyro_slice_t *key);


pyro_status_e
pyro_dict_text(const pyro_view_t *view, uint32_t id, pyro_slice_t *s)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    pyro_status_e  status;

    if (id == 0) {
        *s = pyro_slice(NULL, 0);
        return PYRO_OK;
    }

    len = pyro_key_id(key, id);
    status = pyro_view_get(view, PYRO_DB_STR, key, len, s);

    return status == PYRO_NOT_FOUND
           ? pyro_env_damaged(view->part->env, "string", id, view->err)
           : status;
}


pyro_status_e
pyro_dict_walk(const pyro_view_t *view, pyro_db_e db, pyro_dict_walk_t *walk,
    uint32_t snapshot, uint32_t id, pyro_slice_t *value)
{
    uint8_t        bytes[PYRO_KEY_MAX];
    pyro_slice_t   key;
    pyro_status_e  status;

    if (walk->snapshot != snapshot) {
        pyro_dict_walk_end(walk);
        walk->snapshot = snapshot;
    }

    if (walk->cursor == NULL) {
        status = pyro_view_cursor(view, db, &walk->cursor);

        if (status != PYRO_OK) {
            walk->cursor = NULL;
            return status;
        }
    }

    if (walk->id && id == walk->id) {
        *value = walk->value;
        return PYRO_OK;
    }

    key = pyro_slice(bytes, pyro_key_id(bytes, id));

    if (walk->id && id > walk->id && id - walk->id <= PYRO_DICT_NEAR) {
        status = pyro_dict_walk_on(view, walk, id, &key);

    } else {
        status = pyro_view_seek(view, walk->cursor, PYRO_KV_SEEK, &key,
                                &walk->value);
    }

    if (status == PYRO_NOT_FOUND
        || (status == PYRO_OK
            && (key.len != 4
                || pyro_get_be32((const uint8_t *) key.data) != id)))
    {
        walk->id = 0;
        return pyro_env_damaged(view->part->env, pyro_db_names[db], id,
                                view->err);
    }

    walk->id = status == PYRO_OK ? id : 0;
    *value = walk->value;

    return status;
}


/* To the first that is not below id. */
static pyro_status_e
pyro_dict_walk_on(const pyro_view_t *view, pyro_dict_walk_t *walk, uint32_t id,
    pyro_slice_t *key)
{
    pyro_status_e  status;

    do {
        status = pyro_view_seek(view, walk->cursor, PYRO_KV_NEXT, key,
                                &walk->value);
    } while (status == PYRO_OK && key->len == 4
             && pyro_get_be32((const uint8_t *) key->data) < id);

    return status;
}


void
pyro_dict_walk_end(pyro_dict_walk_t *walk)
{
    if (walk->cursor != NULL) {
        pyro_kv_cursor_close(walk->cursor);
    }

    memset(walk, 0, sizeof(pyro_dict_walk_t));
}


pyro_status_e
pyro_dict_find(const pyro_view_t *view, pyro_slice_t s, uint32_t *id)
{
    size_t         i, len;
    uint8_t        key[PYRO_KEY_MAX];
    pyro_slice_t   list, known;
    pyro_status_e  status;

    *id = 0;

    if (s.len == 0) {
        return PYRO_OK;
    }

    len = pyro_key_hash(key, pyro_hash64(s.data, s.len, view->part->seed));
    status = pyro_view_get(view, PYRO_DB_STRX, key, len, &list);

    if (status != PYRO_OK) {
        return status;
    }

    for (i = 0; (*id = pyro_dict_list_get(list, i)) != 0; i++) {
        status = pyro_dict_text(view, *id, &known);

        if (status != PYRO_OK || pyro_slice_eq(known, s)) {
            return status;
        }
    }

    return PYRO_NOT_FOUND;
}


pyro_status_e
pyro_dict_string(pyro_batch_t *batch, pyro_slice_t s, uint32_t *id)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    uint64_t       hash;
    pyro_status_e  status;

    status = pyro_dict_find(&batch->view, s, id);

    if (status != PYRO_NOT_FOUND) {
        return status;
    }

    *id = ++batch->ids.string;

    len = pyro_key_id(key, *id);
    status = pyro_view_put(&batch->view, PYRO_DB_STR, key, len, s.data, s.len);

    if (status != PYRO_OK) {
        return status;
    }

    hash = pyro_hash64(s.data, s.len, batch->view.part->seed);
    len = pyro_key_hash(key, hash);

    return pyro_dict_list_add(batch, PYRO_DB_STRX, key, len, *id);
}


pyro_status_e
pyro_dict_index(pyro_batch_t *batch, pyro_slice_t s, uint32_t id)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    uint32_t       known;
    pyro_status_e  status;

    status = pyro_dict_find(&batch->view, s, &known);

    if (status != PYRO_NOT_FOUND) {
        return status;
    }

    len = pyro_key_hash(key, pyro_hash64(s.data, s.len,
                                         batch->view.part->seed));

    return pyro_dict_list_add(batch, PYRO_DB_STRX, key, len, id);
}


pyro_status_e
pyro_dict_frame_get(const pyro_view_t *view, uint32_t id,
    pyro_frame_value_t *frame)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    pyro_slice_t   in;
    pyro_status_e  status;

    len = pyro_key_id(key, id);
    status = pyro_view_get(view, PYRO_DB_FRAME, key, len, &in);

    if (status == PYRO_NOT_FOUND
        || (status == PYRO_OK && pyro_frame_get(in, frame)))
    {
        return pyro_env_damaged(view->part->env, "frame", id, view->err);
    }

    return status;
}


pyro_status_e
pyro_dict_frame(pyro_batch_t *batch, const pyro_frame_value_t *frame,
    uint64_t hash, uint32_t *id)
{
    size_t         i, len, size;
    uint8_t        key[PYRO_KEY_MAX], value[PYRO_FRAME_MAX];
    pyro_slice_t   list, known;
    pyro_status_e  status;

    size = pyro_frame_put(value, frame);
    len = pyro_key_hash(key, hash);
    status = pyro_view_get(&batch->view, PYRO_DB_FRAMEX, key, len, &list);

    if (status == PYRO_NOT_FOUND) {
        list = pyro_slice(NULL, 0);

    } else if (status != PYRO_OK) {
        return status;
    }

    for (i = 0; (*id = pyro_dict_list_get(list, i)) != 0; i++) {
        len = pyro_key_id(key, *id);
        status = pyro_view_get(&batch->view, PYRO_DB_FRAME, key, len, &known);

        if (status == PYRO_NOT_FOUND) {
            return pyro_env_damaged(batch->view.part->env, "frame", *id,
                                    batch->view.err);
        }

        if (status != PYRO_OK || pyro_slice_eq(known, pyro_slice(value, size)))
        {
            return status;
        }
    }

    *id = ++batch->ids.frame;

    len = pyro_key_id(key, *id);
    status = pyro_view_put(&batch->view, PYRO_DB_FRAME, key, len, value, size);

    if (status != PYRO_OK) {
        return status;
    }

    len = pyro_key_hash(key, hash);

    return pyro_dict_list_add(batch, PYRO_DB_FRAMEX, key, len, *id);
}


pyro_status_e
pyro_dict_list_add(pyro_batch_t *batch, pyro_db_e db, const uint8_t *key,
    size_t len, uint32_t id)
{
    uint8_t        *list;
    pyro_slice_t    known;
    pyro_status_e   status;

    status = pyro_view_get(&batch->view, db, key, len, &known);

    if (status == PYRO_NOT_FOUND) {
        known.len = 0;

    } else if (status != PYRO_OK) {
        return status;
    }

    list = pyro_arena_alloc(batch->arena, known.len + 4);

    if (list == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    if (known.len) {
        memcpy(list, known.data, known.len);
    }

    pyro_put_be32(list + known.len, id);

    return pyro_view_put(&batch->view, db, key, len, list, known.len + 4);
}
