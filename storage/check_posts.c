/*
 * "post", both ways: what a list names has that label, and every label of every
 * stream is in its list; and "late".
 */

#include "storage/check.h"


/* The list that is read. */
typedef struct {
    int                  started;
    uint8_t              key[PYRO_POST_KEY];
    uint32_t             last;          /* stream of the chunks so far */
    uint64_t             n;             /* entries of all lists */
} pyro_check_post_t;


static void pyro_check_post(pyro_check_t *c, pyro_check_post_t *post,
    pyro_slice_t key, pyro_slice_t value);
static int pyro_check_post_head(pyro_check_t *c, pyro_check_post_t *post,
    pyro_slice_t value, uint32_t *n);
static int pyro_check_post_has(pyro_check_t *c, uint32_t stream,
    const uint8_t *key);
static pyro_status_e pyro_check_unlisted(pyro_check_t *c);
static void pyro_check_unlisted_stream(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *stream);
static int pyro_check_is_listed(pyro_check_t *c, const uint8_t *first,
    uint32_t stream);


pyro_status_e
pyro_check_posts(pyro_check_t *c)
{
    pyro_kv_cursor_t   *cursor;
    pyro_slice_t        key, value;
    pyro_status_e       status;
    pyro_check_post_t   post;

    if (!pyro_check_has_db(c, PYRO_DB_POST)) {
        return PYRO_OK;
    }

    memset(&post, 0, sizeof(pyro_check_post_t));
    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, PYRO_DB_POST, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len == PYRO_POST_KEY) {
            pyro_check_post(c, &post, key, value);
        }
    }

    pyro_kv_cursor_close(cursor);

    if (status != PYRO_NOT_FOUND) {
        return status;
    }

    /* all entries are true and each is there once: is it all of them? */

    return post.n == c->posts ? PYRO_OK : pyro_check_unlisted(c);
}


static void
pyro_check_post(pyro_check_t *c, pyro_check_post_t *post, pyro_slice_t key,
    pyro_slice_t value)
{
    uint32_t        i, n, id, delta;
    pyro_bytes_t    in;
    const uint8_t  *p;

    p = (const uint8_t *) key.data;

    if (!post->started || memcmp(post->key, p, PYRO_POST_KEY - 2) != 0) {
        post->started = 1;
        post->last = 0;
    }

    memcpy(post->key, p, PYRO_POST_KEY);

    if (pyro_check_post_head(c, post, value, &n)) {
        return;
    }

    in = pyro_bytes(value.data + PYRO_POST_HEADER,
                    value.len - PYRO_POST_HEADER);

    for (i = 0, id = 0; i < n; i++) {

        if (pyro_take_u32(&in, &delta) || delta > UINT32_MAX - id) {
            pyro_check_damage(c, PYRO_DB_POST, id, "a list of label %u=%u "
                              "cannot be read behind stream %u",
                              pyro_get_be32(p + 4), pyro_get_be32(p + 8), id);
            return;
        }

        id += delta;

        if (id <= post->last) {
            pyro_check_damage(c, PYRO_DB_POST, id, "the list of label %u=%u "
                              "has stream %u behind %u", pyro_get_be32(p + 4),
                              pyro_get_be32(p + 8), id, post->last);
            return;
        }

        post->last = id;

        if (!pyro_check_post_has(c, id, p)) {
            pyro_check_damage(c, PYRO_DB_POST, id, "the list of label %u=%u "
                              "has stream %u, which does not have the label",
                              pyro_get_be32(p + 4), pyro_get_be32(p + 8), id);
            continue;
        }

        post->n++;
    }

    if (in.p != in.end
        || post->last != pyro_get_be32((const uint8_t *) value.data + 2))
    {
        pyro_check_damage(c, PYRO_DB_POST, post->last, "the list of label "
                          "%u=%u does not end where it says",
                          pyro_get_be32(p + 4), pyro_get_be32(p + 8));
    }
}


static int
pyro_check_post_head(pyro_check_t *c, pyro_check_post_t *post,
    pyro_slice_t value, uint32_t *n)
{
    *n = value.len < PYRO_POST_HEADER
         ? 0 : pyro_get_be16((const uint8_t *) value.data);

    if (*n == 0 || *n > PYRO_POSTS_PER_CHUNK) {
        pyro_check_damage(c, PYRO_DB_POST, 0, "a list of label %u=%u has %u "
                          "streams", pyro_get_be32(post->key + 4),
                          pyro_get_be32(post->key + 8), *n);
        return -1;
    }

    return 0;
}


/* 1 if the stream is the tenant's and has the label of the key. */
static int
pyro_check_post_has(pyro_check_t *c, uint32_t stream, const uint8_t *key)
{
    uint32_t            i, name, value;
    pyro_bytes_t        in;
    pyro_scope_value_t  scope;

    if (!pyro_check_owner(c, stream)
        || pyro_scope_read(&c->view, c->owner_value.scope, &scope) != PYRO_OK
        || scope.tenant != pyro_get_be32(key))
    {
        return 0;
    }

    in = c->owner_value.labels;

    for (i = 0; i < c->owner_value.n_labels; i++) {
        name = pyro_take_known(&in);
        value = pyro_take_known(&in);

        if (name == pyro_get_be32(key + 4) && value == pyro_get_be32(key + 8))
        {
            return 1;
        }
    }

    return 0;
}


/* Names the streams that are missing in lists: slow, and never needed. */
static pyro_status_e
pyro_check_unlisted(pyro_check_t *c)
{
    pyro_kv_cursor_t     *cursor;
    pyro_slice_t          key, value;
    pyro_status_e         status;
    pyro_stream_value_t   stream;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, PYRO_DB_STREAM, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len == 4 && pyro_stream_get(value, &stream) == 0) {
            pyro_check_unlisted_stream(c,
                              pyro_get_be32((const uint8_t *) key.data),
                              &stream);
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static void
pyro_check_unlisted_stream(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *stream)
{
    uint8_t             key[PYRO_KEY_MAX];
    uint32_t            i, name, value;
    pyro_bytes_t        in;
    pyro_slice_t        text;
    pyro_scope_value_t  scope;

    if (pyro_scope_read(&c->view, stream->scope, &scope) != PYRO_OK) {
        return;
    }

    in = stream->labels;

    for (i = 0; i < stream->n_labels; i++) {
        name = pyro_take_known(&in);
        value = pyro_take_known(&in);

        pyro_key_post(key, scope.tenant, name, value, 0);

        if (!pyro_check_is_listed(c, key, id)) {
            text = pyro_check_text(c, name);
            pyro_check_damage(c, PYRO_DB_POST, id, "stream %u is not found by "
                              "its label \"%.*s\"", id, PYRO_SLICE_ARG(text));
        }
    }
}


static int
pyro_check_is_listed(pyro_check_t *c, const uint8_t *first, uint32_t stream)
{
    int                listed;
    uint32_t           n, id, delta;
    pyro_kv_cursor_t  *cursor;
    pyro_bytes_t       in;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    if (pyro_view_cursor(&c->view, PYRO_DB_POST, &cursor) != PYRO_OK) {
        return 0;
    }

    listed = 0;
    key = pyro_slice(first, PYRO_POST_KEY);
    status = pyro_view_seek(&c->view, cursor, PYRO_KV_SEEK, &key, &value);

    while (status == PYRO_OK && !listed && key.len == PYRO_POST_KEY
           && memcmp(key.data, first, PYRO_POST_KEY - 2) == 0)
    {
        if (value.len >= PYRO_POST_HEADER) {
            n = pyro_get_be16((const uint8_t *) value.data);
            in = pyro_bytes(value.data + PYRO_POST_HEADER,
                            value.len - PYRO_POST_HEADER);

            for (id = 0; n && !listed && !pyro_take_u32(&in, &delta); n--) {
                id += delta;
                listed = id == stream;
            }
        }

        status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key, &value);
    }

    pyro_kv_cursor_close(cursor);

    return listed;
}


/* A note of a stream that is gone would stop the upkeep at it. */
pyro_status_e
pyro_check_late(pyro_check_t *c)
{
    uint32_t           stream, slot;
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    if (!pyro_check_has_db(c, PYRO_DB_LATE)) {
        return PYRO_OK;
    }

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, PYRO_DB_LATE, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len != PYRO_LATE_KEY) {
            continue;
        }

        stream = pyro_get_be32((const uint8_t *) key.data);
        slot = pyro_get_be32((const uint8_t *) key.data + 4);

        if (!pyro_check_owner(c, stream)) {
            pyro_check_damage(c, PYRO_DB_LATE, stream, "slot %u of stream %u: "
                              "there is no such stream", slot, stream);

        } else if (slot < c->rolled.first || slot > c->rolled.last) {
            pyro_check_damage(c, PYRO_DB_LATE, stream, "slot %u of stream %u: "
                              "the partition has slots %u to %u", slot, stream,
                              c->rolled.first, c->rolled.last);
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}
