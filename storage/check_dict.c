/*
 * What has an id: strings, frames, scopes, types, streams.  Ids are given one
 * after the other, what an entry refers to is there, its index finds it, and
 * the index finds nothing else.
 */

#include "storage/check.h"

#include "storage/deleting.h"
#include "storage/dict.h"
#include "storage/nodes.h"


/* A database of entries by id, and the one that finds them by content. */
typedef struct {
    pyro_db_e    db;
    pyro_db_e    index;
    const char  *name;              /* of an entry */
    int          gaps;              /* 1: entries may have been deleted */

    /* reports what is wrong with an entry */
    void       (*look)(pyro_check_t *c, uint32_t id, pyro_slice_t value);

    /* its key in the index, *len 0: none can be made */
    void       (*key)(pyro_check_t *c, pyro_slice_t value, uint8_t *key,
                      size_t *len);
} pyro_check_table_t;


static pyro_status_e pyro_check_table(pyro_check_t *c,
    const pyro_check_table_t *table, uint32_t last);
static void pyro_check_entry(pyro_check_t *c, const pyro_check_table_t *table,
    uint32_t id, pyro_slice_t value);
static pyro_status_e pyro_check_index(pyro_check_t *c,
    const pyro_check_table_t *table);
static void pyro_check_found(pyro_check_t *c, const pyro_check_table_t *table,
    pyro_slice_t key, uint32_t id);
static void pyro_check_string_look(pyro_check_t *c, uint32_t id,
    pyro_slice_t value);
static void pyro_check_string_key(pyro_check_t *c, pyro_slice_t value,
    uint8_t *key, size_t *len);
static void pyro_check_frame_look(pyro_check_t *c, uint32_t id,
    pyro_slice_t value);
static void pyro_check_frame_key(pyro_check_t *c, pyro_slice_t value,
    uint8_t *key, size_t *len);
static void pyro_check_scope_look(pyro_check_t *c, uint32_t id,
    pyro_slice_t value);
static void pyro_check_scope_key(pyro_check_t *c, pyro_slice_t value,
    uint8_t *key, size_t *len);
static void pyro_check_stream_look(pyro_check_t *c, uint32_t id,
    pyro_slice_t value);
static void pyro_check_stream_scope(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *stream);
static int pyro_check_stream_labels(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *stream);
static int pyro_check_is_found(pyro_check_t *c, uint32_t string);
static void pyro_check_stream_key(pyro_check_t *c, pyro_slice_t value,
    uint8_t *key, size_t *len);


static const pyro_check_table_t  pyro_check_string_table = {
    PYRO_DB_STR, PYRO_DB_STRX, "string", 0,
    pyro_check_string_look, pyro_check_string_key
};

static const pyro_check_table_t  pyro_check_frame_table = {
    PYRO_DB_FRAME, PYRO_DB_FRAMEX, "frame", 0,
    pyro_check_frame_look, pyro_check_frame_key
};

static const pyro_check_table_t  pyro_check_scope_table = {
    PYRO_DB_SCOPE, PYRO_DB_SCOPEX, "scope", 0,
    pyro_check_scope_look, pyro_check_scope_key
};

static const pyro_check_table_t  pyro_check_stream_table = {
    PYRO_DB_STREAM, PYRO_DB_STREAMX, "stream", 1,
    pyro_check_stream_look, pyro_check_stream_key
};


/* Entries up to last, and both ways of the index. */
static pyro_status_e
pyro_check_table(pyro_check_t *c, const pyro_check_table_t *table,
    uint32_t last)
{
    uint32_t           id, next;
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, table->db, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    next = 1;
    c->dense[table->db] = 1;

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len != 4) {
            continue;
        }

        id = pyro_get_be32((const uint8_t *) key.data);

        if (id == 0 || id > last) {
            pyro_check_damage(c, table->db, id, "%s %u is there, and %u is the "
                              "last that was given", table->name, id, last);
            continue;
        }

        if (id != next) {
            c->dense[table->db] = 0;

            if (!table->gaps) {
                pyro_check_damage(c, table->db, next, "%ss %u to %u are "
                                  "missing", table->name, next, id - 1);
            }
        }

        next = id + 1;
        pyro_check_entry(c, table, id, value);
    }

    pyro_kv_cursor_close(cursor);

    if (next != last + 1) {
        c->dense[table->db] = 0;

        if (!table->gaps) {
            pyro_check_damage(c, table->db, next, "%ss %u to %u are missing",
                              table->name, next, last);
        }
    }

    if (status != PYRO_NOT_FOUND) {
        return status;
    }

    return pyro_check_has_db(c, table->index) ? pyro_check_index(c, table)
                                              : PYRO_OK;
}


static void
pyro_check_entry(pyro_check_t *c, const pyro_check_table_t *table, uint32_t id,
    pyro_slice_t value)
{
    size_t         i, len;
    uint8_t        key[PYRO_KEY_MAX];
    uint32_t       found;
    pyro_slice_t   list;

    table->look(c, id, value);

    if (!pyro_check_is_indexed(c, table->index)) {
        return;
    }

    table->key(c, value, key, &len);

    if (len == 0) {
        return;
    }

    if (pyro_view_get(&c->view, table->index, key, len, &list) != PYRO_OK) {
        list = pyro_slice(NULL, 0);
    }

    for (i = 0; (found = pyro_dict_list_get(list, i)) != 0; i++) {
        if (found == id) {
            return;
        }
    }

    pyro_check_damage(c, table->index, id, "%s %u is not found by its content",
                      table->name, id);
}


static pyro_status_e
pyro_check_index(pyro_check_t *c, const pyro_check_table_t *table)
{
    size_t             i;
    uint32_t           id, last;
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, list;
    pyro_status_e      status;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, table->index, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &list))
           == PYRO_OK)
    {
        if (list.len == 0 || list.len % 4) {
            pyro_check_damage(c, table->index, 0, "a list of %ss has %zu "
                              "bytes", table->name, list.len);
        }

        for (i = 0, last = 0; i < list.len / 4; i++) {
            id = pyro_get_be32((const uint8_t *) list.data + i * 4);

            if (id <= last) {
                pyro_check_damage(c, table->index, id, "%s %u follows %u in a "
                                  "list", table->name, id, last);
            }

            last = id;
            pyro_check_found(c, table, key, id);
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


/* What the index finds is there, and has that content. */
static void
pyro_check_found(pyro_check_t *c, const pyro_check_table_t *table,
    pyro_slice_t key, uint32_t id)
{
    size_t        len;
    uint8_t       bytes[PYRO_KEY_MAX];
    pyro_slice_t  value;

    len = pyro_key_id(bytes, id);

    if (pyro_view_get(&c->view, table->db, bytes, len, &value) != PYRO_OK) {
        pyro_check_damage(c, table->index, id, "it names %s %u, which is not "
                          "there", table->name, id);
        return;
    }

    table->key(c, value, bytes, &len);

    if (len && !pyro_slice_eq(key, pyro_slice(bytes, len))) {
        pyro_check_damage(c, table->index, id, "it names %s %u under a hash "
                          "that is not its content's", table->name, id);
    }
}


/* ---- strings ---- */

pyro_status_e
pyro_check_strings(pyro_check_t *c)
{
    return pyro_check_table(c, &pyro_check_string_table, c->ids.string);
}


static void
pyro_check_string_look(pyro_check_t *c, uint32_t id, pyro_slice_t value)
{
    if (value.len == 0) {
        pyro_check_damage(c, PYRO_DB_STR, id, "string %u is empty", id);
    }
}


static void
pyro_check_string_key(pyro_check_t *c, pyro_slice_t value, uint8_t *key,
    size_t *len)
{
    *len = pyro_key_hash(key, pyro_hash64(value.data, value.len,
                                          c->part.seed));
}


/* ---- frames ---- */

pyro_status_e
pyro_check_frames(pyro_check_t *c)
{
    return pyro_check_table(c, &pyro_check_frame_table, c->ids.frame);
}


static void
pyro_check_frame_look(pyro_check_t *c, uint32_t id, pyro_slice_t value)
{
    uint8_t              again[PYRO_FRAME_MAX];
    pyro_frame_value_t   frame;

    /* other bytes of the same content would not be found by it */

    if (pyro_frame_get(value, &frame)
        || !pyro_slice_eq(value, pyro_slice(again, pyro_frame_put(again,
                                                                  &frame))))
    {
        pyro_check_damage(c, PYRO_DB_FRAME, id, "frame %u cannot be read", id);
        return;
    }

    if (!pyro_check_has(c, PYRO_DB_STR, frame.function)
        || !pyro_check_has(c, PYRO_DB_STR, frame.file))
    {
        pyro_check_damage(c, PYRO_DB_FRAME, id, "frame %u has strings %u and "
                          "%u, which are not all there", id, frame.function,
                          frame.file);
    }
}


static void
pyro_check_frame_key(pyro_check_t *c, pyro_slice_t value, uint8_t *key,
    size_t *len)
{
    pyro_chain_t         hash;
    pyro_frame_value_t   frame;

    *len = 0;

    if (pyro_frame_get(value, &frame)
        || !pyro_check_has(c, PYRO_DB_STR, frame.function)
        || !pyro_check_has(c, PYRO_DB_STR, frame.file))
    {
        return;
    }

    hash = pyro_nodes_frame_hash(c->part.seed, &frame,
                                 pyro_check_text(c, frame.function),
                                 pyro_check_text(c, frame.file));
    *len = pyro_key_hash(key, hash.hash);
}


/* ---- scopes ---- */

pyro_status_e
pyro_check_scopes(pyro_check_t *c)
{
    return pyro_check_table(c, &pyro_check_scope_table, c->ids.scope);
}


static void
pyro_check_scope_look(pyro_check_t *c, uint32_t id, pyro_slice_t value)
{
    size_t              len;
    uint8_t             key[PYRO_KEY_MAX];
    pyro_slice_t        name;
    pyro_scope_value_t  scope;

    if (pyro_scope_get(value, &scope)) {
        pyro_check_damage(c, PYRO_DB_SCOPE, id, "scope %u cannot be read", id);
        return;
    }

    len = pyro_key_id(key, scope.tenant);

    if (pyro_view_get(&c->view, PYRO_DB_TENANT, key, len, &name) != PYRO_OK) {
        pyro_check_damage(c, PYRO_DB_SCOPE, id, "scope %u is of tenant %u, "
                          "which is not there", id, scope.tenant);
    }

    if (!pyro_check_has(c, PYRO_DB_STR, scope.service)) {
        pyro_check_damage(c, PYRO_DB_SCOPE, id, "scope %u is of service %u, a "
                          "string that is not there", id, scope.service);
    }

    if (scope.first > scope.last) {
        pyro_check_damage(c, PYRO_DB_SCOPE, id, "scope %u ends before it "
                          "begins", id);
    }
}


static void
pyro_check_scope_key(pyro_check_t *c, pyro_slice_t value, uint8_t *key,
    size_t *len)
{
    pyro_slice_t        service;
    pyro_scope_value_t  scope;

    *len = 0;

    if (pyro_scope_get(value, &scope)
        || !pyro_check_has(c, PYRO_DB_STR, scope.service))
    {
        return;
    }

    service = pyro_check_text(c, scope.service);
    *len = pyro_key_pair(key, scope.tenant,
                         pyro_hash64(service.data, service.len,
                                     c->part.seed));
}


/* ---- types ---- */

/* They are few: all of them are read, as a query does. */
pyro_status_e
pyro_check_ptypes(pyro_check_t *c)
{
    uint32_t       i, found;
    pyro_status_e  status;

    status = pyro_ptypes_load(&c->view, c->arena, &c->read.ptypes);

    if (status != PYRO_OK) {
        return status;
    }

    if (c->read.ptypes.n != c->ids.ptype) {
        pyro_check_damage(c, PYRO_DB_PTYPE, c->read.ptypes.n, "%u types are "
                          "there, and %u is the last that was given",
                          c->read.ptypes.n, c->ids.ptype);
    }

    for (i = 0; i < c->read.ptypes.n; i++) {
        found = pyro_ptypes_find(&c->read.ptypes, &c->read.ptypes.items[i]);

        if (found != i + 1) {
            pyro_check_damage(c, PYRO_DB_PTYPE, i + 1, "type %u is type %u "
                              "once more", i + 1, found);
        }
    }

    return PYRO_OK;
}


/* ---- streams ---- */

pyro_status_e
pyro_check_streams(pyro_check_t *c)
{
    return pyro_check_table(c, &pyro_check_stream_table, c->ids.stream);
}


static void
pyro_check_stream_look(pyro_check_t *c, uint32_t id, pyro_slice_t value)
{
    uint32_t             i, ptype;
    pyro_bytes_t         in;
    pyro_stream_value_t  stream;

    if (pyro_stream_get(value, &stream)) {
        pyro_check_damage(c, PYRO_DB_STREAM, id, "stream %u cannot be read",
                          id);
        return;
    }

    if (pyro_deleting_has(&c->view, id)) {
        pyro_check_damage(c, PYRO_DB_STREAM, id, "stream %u is there and being "
                          "deleted", id);
    }

    if (stream.n_ptypes == 0 || stream.first > stream.last) {
        pyro_check_damage(c, PYRO_DB_STREAM, id, "stream %u has %u types, "
                          "begins at %lld and ends at %lld", id,
                          stream.n_ptypes, (long long) stream.first,
                          (long long) stream.last);
    }

    in = stream.ptypes;

    for (i = 0, ptype = 0; i < stream.n_ptypes; i++) {
        ptype += pyro_take_known(&in);

        if (ptype > c->read.ptypes.n) {
            pyro_check_damage(c, PYRO_DB_STREAM, id, "stream %u has type %u, "
                              "which is not there", id, ptype);
        }
    }

    c->posts += stream.n_labels;

    if (pyro_check_stream_labels(c, id, &stream) == 0) {
        pyro_check_stream_scope(c, id, &stream);
    }
}


/* -1: they cannot be used. */
static int
pyro_check_stream_labels(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *stream)
{
    uint32_t       i, name, value;
    pyro_bytes_t   in;
    pyro_slice_t   last, text;

    in = stream->labels;
    last = pyro_slice("", 0);

    for (i = 0; i < stream->n_labels; i++) {
        name = pyro_take_known(&in);
        value = pyro_take_known(&in);

        if (name == 0 || value == 0 || !pyro_check_has(c, PYRO_DB_STR, name)
            || !pyro_check_has(c, PYRO_DB_STR, value))
        {
            pyro_check_damage(c, PYRO_DB_STREAM, id, "stream %u has a label of "
                              "strings %u and %u, which are not all there", id,
                              name, value);
            return -1;
        }

        /* in a sealed partition a query finds these strings alone */

        if (c->part.sealed
            && (!pyro_check_is_found(c, name)
                || !pyro_check_is_found(c, value)))
        {
            pyro_check_damage(c, PYRO_DB_STRX, id, "a label of stream %u, of "
                              "strings %u and %u, is not found by its content",
                              id, name, value);
        }

        text = pyro_check_text(c, name);

        if (pyro_slice_cmp(last, text) >= 0) {
            pyro_check_damage(c, PYRO_DB_STREAM, id, "stream %u has label "
                              "\"%.*s\" behind \"%.*s\"", id,
                              PYRO_SLICE_ARG(text), PYRO_SLICE_ARG(last));
            return -1;
        }

        last = text;
    }

    if (in.p != in.end) {
        pyro_check_damage(c, PYRO_DB_STREAM, id, "stream %u has bytes behind "
                          "its labels", id);
    }

    return 0;
}


static int
pyro_check_is_found(pyro_check_t *c, uint32_t string)
{
    uint32_t  id;

    return pyro_dict_find(&c->view, pyro_check_text(c, string), &id) == PYRO_OK
           && id == string;
}


static void
pyro_check_stream_scope(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *stream)
{
    pyro_slice_t        service;
    pyro_scope_value_t  scope;

    if (pyro_scope_read(&c->view, stream->scope, &scope) != PYRO_OK) {
        pyro_check_damage(c, PYRO_DB_STREAM, id, "stream %u is of scope %u, "
                          "which is not there", id, stream->scope);
        return;
    }

    if (stream->first < scope.first || stream->last > scope.last) {
        pyro_check_damage(c, PYRO_DB_SCOPE, stream->scope, "scope %u does not "
                          "cover the time of stream %u", stream->scope, id);
    }

    if (pyro_stream_labels(&c->view, c->arena, stream, &c->labels) != PYRO_OK) {
        return;
    }

    service = pyro_labels_get(&c->labels.labels, PYRO_SLICE("service_name"));

    if (!pyro_slice_eq(service, pyro_check_text(c, scope.service))) {
        pyro_check_damage(c, PYRO_DB_STREAM, id, "stream %u is of service "
                          "\"%.*s\" and in the scope of another one", id,
                          PYRO_SLICE_ARG(service));
    }
}


static void
pyro_check_stream_key(pyro_check_t *c, pyro_slice_t value, uint8_t *key,
    size_t *len)
{
    pyro_scope_value_t   scope;
    pyro_stream_value_t  stream;

    *len = 0;

    if (pyro_stream_get(value, &stream)
        || pyro_scope_read(&c->view, stream.scope, &scope) != PYRO_OK
        || pyro_stream_labels(&c->view, c->arena, &stream, &c->labels)
           != PYRO_OK)
    {
        return;
    }

    *len = pyro_key_pair(key, scope.tenant,
                         pyro_stream_hash(&c->labels.labels, c->part.seed));
}
