#include "storage/postings.h"


static pyro_status_e pyro_postings_last(pyro_batch_t *batch,
    const uint8_t *prefix, uint32_t *chunk, pyro_slice_t *value);
static pyro_status_e pyro_postings_cut(const pyro_view_t *view,
    pyro_arena_t *arena, const uint8_t *key, pyro_slice_t chunk,
    uint32_t stream);
static int pyro_postings_decode(pyro_slice_t value, pyro_arena_t *arena,
    pyro_stream_ids_t *list);


pyro_status_e
pyro_postings_add(pyro_batch_t *batch, uint32_t tenant, uint32_t name,
    uint32_t value, uint32_t stream)
{
    size_t          len;
    uint8_t         key[PYRO_KEY_MAX], *p, *end;
    uint32_t        n, last, chunk;
    pyro_slice_t    known;
    pyro_status_e   status;

    pyro_key_post(key, tenant, name, value, 0);
    status = pyro_postings_last(batch, key, &chunk, &known);

    if (status != PYRO_OK && status != PYRO_NOT_FOUND) {
        return status;
    }

    n = 0;
    last = 0;

    if (status == PYRO_OK) {
        n = pyro_get_be16((const uint8_t *) known.data);
        last = pyro_get_be32((const uint8_t *) known.data + 2);

        if (n >= PYRO_POSTS_PER_CHUNK) {
            n = 0;
            last = 0;
            chunk++;
        }

        if (chunk > UINT16_MAX) {
            return pyro_error_set(batch->view.err, PYRO_UNPROCESSABLE,
                                  PYRO_REASON_LABELS, "storage: %s has no "
                                  "room for more series of one label, %u are "
                                  "there", batch->view.part->name, stream);
        }
    }

    if (n == 0) {
        known = pyro_slice(NULL, PYRO_POST_HEADER);
    }

    p = pyro_arena_alloc(batch->arena, known.len + PYRO_VARINT_MAX);

    if (p == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    if (n) {
        memcpy(p, known.data, known.len);
    }

    pyro_put_be16(p, (uint16_t) (n + 1));
    pyro_put_be32(p + 2, stream);
    end = pyro_put_varint(p + known.len, stream - last);

    len = pyro_key_post(key, tenant, name, value, chunk);

    return pyro_view_put(&batch->view, PYRO_DB_POST, key, len, p,
                         (size_t) (end - p));
}


/* The last chunk of the list that the key's first 12 bytes name. */
static pyro_status_e
pyro_postings_last(pyro_batch_t *batch, const uint8_t *prefix, uint32_t *chunk,
    pyro_slice_t *value)
{
    uint8_t            bytes[PYRO_KEY_MAX];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key;
    pyro_status_e      status;

    *chunk = 0;

    status = pyro_view_cursor(&batch->view, PYRO_DB_POST, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    memcpy(bytes, prefix, PYRO_POST_KEY - 2);
    pyro_put_be16(bytes + PYRO_POST_KEY - 2, UINT16_MAX);
    key = pyro_slice(bytes, PYRO_POST_KEY);

    status = pyro_view_seek(&batch->view, cursor, PYRO_KV_SEEK, &key, value);

    if (status == PYRO_NOT_FOUND) {
        status = pyro_view_seek(&batch->view, cursor, PYRO_KV_LAST, &key,
                                value);

    } else if (status == PYRO_OK
               && memcmp(key.data, bytes, PYRO_POST_KEY) != 0)
    {
        status = pyro_view_seek(&batch->view, cursor, PYRO_KV_PREV, &key,
                                value);
    }

    pyro_kv_cursor_close(cursor);

    if (status != PYRO_OK) {
        return status;
    }

    if (key.len != PYRO_POST_KEY
        || memcmp(key.data, prefix, PYRO_POST_KEY - 2) != 0)
    {
        return PYRO_NOT_FOUND;
    }

    if (value->len < PYRO_POST_HEADER) {
        return pyro_env_damaged(batch->view.part->env, "a posting of tenant",
                                pyro_get_be32(prefix), batch->view.err);
    }

    *chunk = pyro_get_be16((const uint8_t *) key.data + PYRO_POST_KEY - 2);

    return PYRO_OK;
}


pyro_status_e
pyro_postings_read(const pyro_view_t *view, pyro_arena_t *arena,
    uint32_t tenant, uint32_t name, uint32_t value, pyro_stream_ids_t *list)
{
    int                rc;
    uint8_t            first[PYRO_KEY_MAX];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, in;
    pyro_kv_move_e     op;
    pyro_status_e      status;

    key = pyro_slice(first, pyro_key_post(first, tenant, name, value, 0));
    status = pyro_view_cursor(view, PYRO_DB_POST, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    for (op = PYRO_KV_SEEK; /* void */ ; op = PYRO_KV_NEXT) {
        status = pyro_view_seek(view, cursor, op, &key, &in);

        if (status != PYRO_OK || key.len != PYRO_POST_KEY
            || memcmp(key.data, first, PYRO_POST_KEY - 2) != 0)
        {
            break;
        }

        rc = pyro_postings_decode(in, arena, list);

        if (rc) {
            status = rc == -1
                     ? pyro_error_memory(view->err)
                     : pyro_env_damaged(view->part->env, "a posting of tenant",
                                        tenant, view->err);
            break;
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


pyro_status_e
pyro_postings_value(const pyro_view_t *view, uint32_t tenant, uint32_t name,
    uint32_t *value)
{
    uint8_t            first[PYRO_KEY_MAX];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, in;
    pyro_status_e      status;

    key = pyro_slice(first, pyro_key_post(first, tenant, name, *value, 0));
    status = pyro_view_cursor(view, PYRO_DB_POST, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_view_seek(view, cursor, PYRO_KV_SEEK, &key, &in);

    if (status == PYRO_OK
        && (key.len != PYRO_POST_KEY || memcmp(key.data, first, 8) != 0))
    {
        status = PYRO_NOT_FOUND;
    }

    if (status == PYRO_OK) {
        *value = pyro_get_be32((const uint8_t *) key.data + 8);
    }

    pyro_kv_cursor_close(cursor);

    return status;
}


pyro_status_e
pyro_postings_remove(const pyro_view_t *view, pyro_arena_t *arena,
    uint32_t tenant, uint32_t name, uint32_t value, uint32_t stream)
{
    uint8_t            first[PYRO_KEY_MAX], found[PYRO_KEY_MAX];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, in;
    pyro_kv_move_e     op;
    pyro_status_e      status;

    key = pyro_slice(first, pyro_key_post(first, tenant, name, value, 0));
    status = pyro_view_cursor(view, PYRO_DB_POST, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    for (op = PYRO_KV_SEEK; /* void */ ; op = PYRO_KV_NEXT) {
        status = pyro_view_seek(view, cursor, op, &key, &in);

        if (status == PYRO_OK
            && (key.len != PYRO_POST_KEY
                || memcmp(key.data, first, PYRO_POST_KEY - 2) != 0))
        {
            status = PYRO_NOT_FOUND;
        }

        if (status != PYRO_OK || (in.len >= PYRO_POST_HEADER
            && pyro_get_be32((const uint8_t *) in.data + 2) >= stream))
        {
            break;
        }
    }

    if (status == PYRO_OK) {
        memcpy(found, key.data, PYRO_POST_KEY);
    }

    pyro_kv_cursor_close(cursor);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND
               ? pyro_env_damaged(view->part->env, "the postings of stream",
                                  stream, view->err)
               : status;
    }

    return pyro_postings_cut(view, arena, found, in, stream);
}


/* Writes the chunk without the stream, or not at all if it was alone. */
static pyro_status_e
pyro_postings_cut(const pyro_view_t *view, pyro_arena_t *arena,
    const uint8_t *key, pyro_slice_t chunk, uint32_t stream)
{
    int                 rc;
    uint8_t            *p, *start;
    uint32_t            i, n, last;
    pyro_stream_ids_t   list;

    memset(&list, 0, sizeof(pyro_stream_ids_t));

    rc = pyro_postings_decode(chunk, arena, &list);
    start = pyro_arena_alloc(arena, PYRO_POST_HEADER
                                    + (size_t) list.n * PYRO_VARINT_MAX);

    if (rc == -1 || start == NULL) {
        return pyro_error_memory(view->err);
    }

    p = start + PYRO_POST_HEADER;

    for (i = 0, n = 0, last = 0; i < list.n; i++) {
        if (list.ids[i] != stream) {
            p = pyro_put_varint(p, list.ids[i] - last);
            last = list.ids[i];
            n++;
        }
    }

    if (rc || n + 1 != list.n) {
        return pyro_env_damaged(view->part->env, "the postings of stream",
                                stream, view->err);
    }

    if (n == 0) {
        return pyro_view_delete(view, PYRO_DB_POST, key, PYRO_POST_KEY);
    }

    pyro_put_be16(start, (uint16_t) n);
    pyro_put_be32(start + 2, last);

    return pyro_view_put(view, PYRO_DB_POST, key, PYRO_POST_KEY, start,
                         (size_t) (p - start));
}


/* -1: no memory; -2: damaged. */
static int
pyro_postings_decode(pyro_slice_t value, pyro_arena_t *arena,
    pyro_stream_ids_t *list)
{
    uint32_t      i, n, delta, last;
    pyro_bytes_t  in;

    if (value.len < PYRO_POST_HEADER) {
        return -2;
    }

    n = pyro_get_be16((const uint8_t *) value.data);
    in = pyro_bytes(value.data + PYRO_POST_HEADER,
                    value.len - PYRO_POST_HEADER);

    if (n > value.len
        || pyro_arena_grow(arena, &list->ids, &list->cap, list->n + n,
                           sizeof(uint32_t)))
    {
        return n > value.len ? -2 : -1;
    }

    for (i = 0, last = 0; i < n; i++) {

        if (pyro_take_u32(&in, &delta) || delta == 0
            || delta > UINT32_MAX - last)
        {
            return -2;
        }

        last += delta;
        list->ids[list->n++] = last;
    }

    return 0;
}


void
pyro_postings_intersect(pyro_stream_ids_t *a, const pyro_stream_ids_t *b)
{
    uint32_t  i, k, n;

    for (i = 0, k = 0, n = 0; i < a->n; i++) {

        while (k < b->n && b->ids[k] < a->ids[i]) {
            k++;
        }

        if (k < b->n && b->ids[k] == a->ids[i]) {
            a->ids[n++] = a->ids[i];
        }
    }

    a->n = n;
}
