/*
 * The tables of a copy: strings, frames, types, scopes, tenants.  Those of the
 * base are copied key by key; what other sources have is found by content, or
 * entered behind them.  Both can be repeated: what is there is not done again.
 */

#include "storage/seal_job.h"

#include "storage/dict.h"
#include "storage/series_index.h"


#define PYRO_SEAL_STEP  (256 * 1024)    /* bytes copied from poll to poll */


static pyro_status_e pyro_seal_table(pyro_seal_t *job, pyro_db_e db,
    int *done);
static int pyro_seal_is_left_out(pyro_db_e db, pyro_slice_t key);
static pyro_status_e pyro_seal_table_from(pyro_seal_t *job, pyro_db_e db,
    pyro_kv_cursor_t *cursor, pyro_slice_t *key, pyro_slice_t *value);
static pyro_status_e pyro_seal_index(pyro_seal_t *job);
static pyro_status_e pyro_seal_map_strings(pyro_seal_t *job,
    pyro_seal_source_t *source);
static pyro_status_e pyro_seal_string(pyro_seal_t *job, pyro_slice_t text,
    uint32_t *id);
static pyro_status_e pyro_seal_map_frames(pyro_seal_t *job,
    pyro_seal_source_t *source);
static pyro_status_e pyro_seal_frame(pyro_seal_t *job,
    const pyro_frame_value_t *frame, uint32_t *id);
static pyro_status_e pyro_seal_map_types(pyro_seal_t *job,
    pyro_seal_source_t *source);
static pyro_status_e pyro_seal_type_strings(pyro_seal_t *job,
    const pyro_profile_column_t *column);
static pyro_status_e pyro_seal_map_scopes(pyro_seal_t *job,
    pyro_seal_source_t *source);
static pyro_status_e pyro_seal_scope(pyro_seal_t *job,
    const pyro_scope_value_t *value, uint32_t *id);
static pyro_status_e pyro_seal_map_tenants(pyro_seal_t *job,
    pyro_seal_source_t *source);


/* For sealing the first ones; the last one is not there in days. */
static const pyro_db_e  pyro_seal_base_tables[] = {
    PYRO_DB_TENANT, PYRO_DB_STR, PYRO_DB_FRAME, PYRO_DB_PTYPE, PYRO_DB_SCOPE,
    PYRO_DB_STRX, PYRO_DB_NODE, PYRO_DB_STREAM, PYRO_DB_STREAMX, PYRO_DB_POST,
    PYRO_DB_R1D, PYRO_DB_TOT, PYRO_DB_R1H
};

#define PYRO_SEAL_TABLES        5
#define PYRO_SEAL_TABLES_DAYS   12
#define PYRO_SEAL_TABLES_HOURS  13


pyro_status_e
pyro_seal_tables(pyro_seal_t *job, int *done)
{
    int            copied;
    uint32_t       tables;
    pyro_status_e  status;

    *done = 0;
    status = PYRO_OK;
    tables = job->target == PYRO_STATE_SEALED ? PYRO_SEAL_TABLES
             : job->target == PYRO_STATE_DAYS ? PYRO_SEAL_TABLES_DAYS
                                              : PYRO_SEAL_TABLES_HOURS;

    while (status == PYRO_OK && job->table < tables) {

        if (pyro_seal_pauses(job)) {
            return PYRO_OK;
        }

        status = pyro_seal_table(job, pyro_seal_base_tables[job->table],
                                 &copied);

        if (status == PYRO_OK && copied) {
            job->table++;
        }

        if (status == PYRO_OK) {
            status = pyro_seal_settle(job);
        }
    }

    *done = status == PYRO_OK;

    return status;
}


/* A piece of a table; *done if it was the last one. */
static pyro_status_e
pyro_seal_table(pyro_seal_t *job, pyro_db_e db, int *done)
{
    size_t             size;
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    status = pyro_view_cursor(&job->sources[0].read.view, db, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_seal_table_from(job, db, cursor, &key, &value);

    for (size = 0; status == PYRO_OK && size < PYRO_SEAL_STEP; /* void */ ) {
        size += key.len + value.len;
        status = pyro_seal_is_left_out(db, key) ? PYRO_OK
                 : pyro_seal_put(job, db, key.data, key.len, value.data,
                                 value.len, 1);

        if (status == PYRO_OK) {
            status = pyro_view_seek(&job->sources[0].read.view, cursor,
                                    PYRO_KV_NEXT, &key, &value);
        }
    }

    pyro_kv_cursor_close(cursor);

    *done = status == PYRO_NOT_FOUND;

    return *done ? PYRO_OK : status;
}


/* The totals of single pushes go with them. */
static int
pyro_seal_is_left_out(pyro_db_e db, pyro_slice_t key)
{
    return db == PYRO_DB_TOT && key.len == PYRO_TOTAL_KEY
           && key.data[6] == PYRO_LEVEL_1H;
}


/* The base's first entry behind those that the copy has. */
static pyro_status_e
pyro_seal_table_from(pyro_seal_t *job, pyro_db_e db, pyro_kv_cursor_t *cursor,
    pyro_slice_t *key, pyro_slice_t *value)
{
    uint8_t            last[PYRO_KEY_MAX];
    pyro_kv_cursor_t  *end;
    pyro_slice_t       known;
    pyro_status_e      status;

    *key = pyro_slice(NULL, 0);
    known = *key;
    status = pyro_seal_begin(job);

    if (status == PYRO_OK) {
        status = pyro_view_cursor(&job->batch.view, db, &end);
    }

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_view_seek(&job->batch.view, end, PYRO_KV_LAST, &known, value);

    if (status == PYRO_OK && known.len <= sizeof(last)) {
        memcpy(last, known.data, known.len);
        *key = pyro_slice(last, known.len);
    }

    pyro_kv_cursor_close(end);

    if (status != PYRO_OK && status != PYRO_NOT_FOUND) {
        return status;
    }

    if (key->len == 0) {
        return pyro_view_seek(&job->sources[0].read.view, cursor, PYRO_KV_FIRST,
                              key, value);
    }

    known = *key;
    status = pyro_view_seek(&job->sources[0].read.view, cursor, PYRO_KV_SEEK,
                            key, value);

    return status == PYRO_OK && pyro_slice_eq(*key, known)
           ? pyro_view_seek(&job->sources[0].read.view, cursor, PYRO_KV_NEXT,
                            key, value)
           : status;
}


pyro_status_e
pyro_seal_map(pyro_seal_t *job)
{
    uint32_t             i;
    pyro_status_e        status;
    pyro_seal_source_t  *source;

    status = job->n_sources > 1 ? pyro_seal_index(job) : PYRO_OK;

    for (i = 1; i < job->n_sources && status == PYRO_OK; i++) {
        source = &job->sources[i];
        status = pyro_seal_map_strings(job, source);

        if (status == PYRO_OK) {
            status = pyro_seal_map_frames(job, source);
        }

        if (status == PYRO_OK) {
            status = pyro_seal_map_types(job, source);
        }

        if (status == PYRO_OK) {
            status = pyro_seal_map_scopes(job, source);
        }

        if (status == PYRO_OK) {
            status = pyro_seal_map_tenants(job, source);
        }
    }

    return status;
}


static uint64_t
pyro_seal_frame_hash(const pyro_seal_t *job, const pyro_frame_value_t *frame)
{
    return pyro_hash_mix(pyro_hash_mix(job->copy.seed,
                                       (uint64_t) frame->function << 32
                                       | frame->file),
                         (uint64_t) frame->line << 32 | frame->start_line);
}


/* Strings and frames of the copy, by content. */
static pyro_status_e
pyro_seal_index(pyro_seal_t *job)
{
    size_t               strings, frames;
    uint32_t             i;
    pyro_slice_t         text;
    pyro_status_e        status;
    pyro_frame_value_t   frame;

    status = pyro_seal_begin(job);

    if (status != PYRO_OK) {
        return status;
    }

    strings = job->batch.ids.string;
    frames = job->batch.ids.frame;

    for (i = 1; i < job->n_sources; i++) {
        strings += job->sources[i].ids.string;
        frames += job->sources[i].ids.frame;
    }

    if (pyro_idmap_init(&job->strings, job->arena, strings)
        || pyro_idmap_init(&job->frames, job->arena, frames))
    {
        return pyro_error_memory(job->err);
    }

    for (i = 1; i <= job->batch.ids.string && status == PYRO_OK; i++) {
        status = pyro_dict_text(&job->batch.view, i, &text);

        if (status == PYRO_OK) {
            pyro_idmap_add(&job->strings,
                           pyro_hash64(text.data, text.len, job->copy.seed),
                           i);
        }
    }

    for (i = 1; i <= job->batch.ids.frame && status == PYRO_OK; i++) {
        status = pyro_dict_frame_get(&job->batch.view, i, &frame);

        if (status == PYRO_OK) {
            pyro_idmap_add(&job->frames, pyro_seal_frame_hash(job, &frame),
                           i);
        }
    }

    return status;
}


static pyro_status_e
pyro_seal_map_strings(pyro_seal_t *job, pyro_seal_source_t *source)
{
    uint32_t       i;
    pyro_slice_t   text;
    pyro_status_e  status;

    source->strings = pyro_arena_calloc(job->arena,
                                        (size_t) source->ids.string + 1,
                                        sizeof(uint32_t));

    if (source->strings == NULL) {
        return pyro_error_memory(job->err);
    }

    status = PYRO_OK;

    for (i = 1; i <= source->ids.string && status == PYRO_OK; i++) {
        status = pyro_dict_text(&source->read.view, i, &text);

        if (status == PYRO_OK) {
            status = pyro_seal_string(job, text, &source->strings[i]);
        }

        if (status == PYRO_OK) {
            status = pyro_seal_settle(job);
        }
    }

    return status;
}


static pyro_status_e
pyro_seal_string(pyro_seal_t *job, pyro_slice_t text, uint32_t *id)
{
    size_t         at;
    uint8_t        key[PYRO_KEY_MAX];
    uint64_t       hash;
    pyro_slice_t   known;
    pyro_status_e  status;

    at = 0;
    hash = pyro_hash64(text.data, text.len, job->copy.seed);
    status = pyro_seal_begin(job);

    while (status == PYRO_OK) {
        *id = pyro_idmap_next(&job->strings, hash, &at);

        if (*id == 0) {
            break;
        }

        status = pyro_dict_text(&job->batch.view, *id, &known);

        if (status == PYRO_OK && pyro_slice_eq(known, text)) {
            return PYRO_OK;
        }
    }

    if (status != PYRO_OK) {
        return status;
    }

    *id = ++job->batch.ids.string;
    pyro_idmap_add(&job->strings, hash, *id);

    return pyro_seal_put(job, PYRO_DB_STR, key, pyro_key_id(key, *id),
                         text.data, text.len, 1);
}


static pyro_status_e
pyro_seal_map_frames(pyro_seal_t *job, pyro_seal_source_t *source)
{
    uint32_t             i;
    pyro_status_e        status;
    pyro_frame_value_t   frame;

    source->frames = pyro_arena_calloc(job->arena,
                                       (size_t) source->ids.frame + 1,
                                       sizeof(uint32_t));

    if (source->frames == NULL) {
        return pyro_error_memory(job->err);
    }

    status = PYRO_OK;

    for (i = 1; i <= source->ids.frame && status == PYRO_OK; i++) {
        status = pyro_dict_frame_get(&source->read.view, i, &frame);

        if (status == PYRO_OK && (frame.function > source->ids.string
                                  || frame.file > source->ids.string))
        {
            return pyro_env_damaged(source->part->env, "frame", i, job->err);
        }

        if (status == PYRO_OK) {
            frame.function = source->strings[frame.function];
            frame.file = source->strings[frame.file];
            status = pyro_seal_frame(job, &frame, &source->frames[i]);
        }

        if (status == PYRO_OK) {
            status = pyro_seal_settle(job);
        }
    }

    return status;
}


static pyro_status_e
pyro_seal_frame(pyro_seal_t *job, const pyro_frame_value_t *frame,
    uint32_t *id)
{
    size_t               at, len;
    uint8_t              key[PYRO_KEY_MAX], value[PYRO_FRAME_MAX];
    uint64_t             hash;
    pyro_status_e        status;
    pyro_frame_value_t   known;

    at = 0;
    hash = pyro_seal_frame_hash(job, frame);
    status = pyro_seal_begin(job);

    while (status == PYRO_OK) {
        *id = pyro_idmap_next(&job->frames, hash, &at);

        if (*id == 0) {
            break;
        }

        status = pyro_dict_frame_get(&job->batch.view, *id, &known);

        if (status == PYRO_OK
            && known.function == frame->function && known.file == frame->file
            && known.line == frame->line
            && known.start_line == frame->start_line)
        {
            return PYRO_OK;
        }
    }

    if (status != PYRO_OK) {
        return status;
    }

    *id = ++job->batch.ids.frame;
    pyro_idmap_add(&job->frames, hash, *id);
    len = pyro_frame_put(value, frame);

    return pyro_seal_put(job, PYRO_DB_FRAME, key, pyro_key_id(key, *id),
                         value, len, 1);
}


static pyro_status_e
pyro_seal_map_types(pyro_seal_t *job, pyro_seal_source_t *source)
{
    uint32_t        i;
    pyro_ptypes_t   types;
    pyro_status_e   status;

    status = pyro_ptypes_load(&source->read.view, job->arena, &types);

    if (status != PYRO_OK) {
        return status;
    }

    source->ptypes = pyro_arena_calloc(job->arena, (size_t) types.n + 1,
                                       sizeof(uint32_t));

    if (source->ptypes == NULL) {
        return pyro_error_memory(job->err);
    }

    source->ids.ptype = types.n;
    status = pyro_seal_begin(job);

    for (i = 0; i < types.n && status == PYRO_OK; i++) {

        if (pyro_ptypes_find(&job->batch.ptypes, &types.items[i])
            == PYRO_NONE)
        {
            status = pyro_seal_type_strings(job, &types.items[i]);
        }

        if (status == PYRO_OK) {
            status = pyro_ptype_resolve(&job->batch, &types.items[i],
                                        &source->ptypes[i + 1]);
        }
    }

    return status;
}


/* A type's strings are looked up by their index when it is entered. */
static pyro_status_e
pyro_seal_type_strings(pyro_seal_t *job, const pyro_profile_column_t *column)
{
    uint32_t        i, n, id;
    pyro_slice_t    text;
    pyro_status_e   status;

    n = 5 + 2 * column->extra.n;
    status = PYRO_OK;

    for (i = 0; i < n && status == PYRO_OK; i++) {

        switch (i) {

        case 0: text = column->type.name; break;
        case 1: text = column->type.sample_type; break;
        case 2: text = column->type.sample_unit; break;
        case 3: text = column->type.period_type; break;
        case 4: text = column->type.period_unit; break;

        default:
            text = (i - 5) % 2 ? column->extra.items[(i - 5) / 2].value
                               : column->extra.items[(i - 5) / 2].name;
        }

        if (text.len == 0) {
            continue;
        }

        status = pyro_seal_string(job, text, &id);

        if (status == PYRO_OK) {
            status = pyro_dict_index(&job->batch, text, id);
        }
    }

    return status;
}


static pyro_status_e
pyro_seal_map_scopes(pyro_seal_t *job, pyro_seal_source_t *source)
{
    uint32_t             i;
    pyro_status_e        status;
    pyro_scope_value_t   scope;

    source->scopes = pyro_arena_calloc(job->arena,
                                       (size_t) source->ids.scope + 1,
                                       sizeof(uint32_t));

    if (source->scopes == NULL) {
        return pyro_error_memory(job->err);
    }

    status = PYRO_OK;

    for (i = 1; i <= source->ids.scope && status == PYRO_OK; i++) {
        status = pyro_scope_read(&source->read.view, i, &scope);

        if (status == PYRO_OK && scope.service > source->ids.string) {
            return pyro_env_damaged(source->part->env, "scope", i, job->err);
        }

        if (status == PYRO_OK) {
            scope.service = source->strings[scope.service];
            status = pyro_seal_scope(job, &scope, &source->scopes[i]);
        }
    }

    return status;
}


/* There are few scopes: they are looked through. */
static pyro_status_e
pyro_seal_scope(pyro_seal_t *job, const pyro_scope_value_t *value,
    uint32_t *id)
{
    uint32_t             i;
    uint8_t              key[PYRO_KEY_MAX], bytes[PYRO_SCOPE_SIZE];
    pyro_status_e        status;
    pyro_scope_value_t   known, scope;

    status = pyro_seal_begin(job);

    for (i = 1; i <= job->batch.ids.scope && status == PYRO_OK; i++) {
        status = pyro_scope_read(&job->batch.view, i, &known);

        if (status == PYRO_OK && known.tenant == value->tenant
            && known.service == value->service)
        {
            *id = i;
            return PYRO_OK;
        }
    }

    if (status != PYRO_OK) {
        return status;
    }

    scope = *value;
    scope.nodes = 0;
    *id = ++job->batch.ids.scope;
    pyro_scope_put(bytes, &scope);

    return pyro_seal_put(job, PYRO_DB_SCOPE, key, pyro_key_id(key, *id),
                         bytes, sizeof(bytes), 1);
}


/* A tenant has one number in all partitions. */
static pyro_status_e
pyro_seal_map_tenants(pyro_seal_t *job, pyro_seal_source_t *source)
{
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&source->read.view, PYRO_DB_TENANT, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&source->read.view, cursor, PYRO_KV_NEXT,
                                    &key, &value))
           == PYRO_OK)
    {
        status = pyro_seal_put(job, PYRO_DB_TENANT, key.data, key.len,
                               value.data, value.len, 0);

        if (status != PYRO_OK) {
            break;
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}
