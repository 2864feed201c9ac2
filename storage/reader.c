#include "storage/reader.h"

#include "core/base/clock.h"
#include "storage/expiry.h"
#include "storage/series_index.h"


#define PYRO_READ_SNAPSHOT  (20 * PYRO_NS_PER_MS)
#define PYRO_READ_TICKS     16          /* polls to one look at the clock */


static pyro_status_e pyro_read_group(pyro_store_t *store,
    const pyro_store_query_t *query, pyro_partition_t **parts, uint32_t n,
    uint32_t tenant, pyro_read_pt handler, void *ctx, pyro_error_t *err);
static pyro_status_e pyro_read_partition(pyro_store_t *store,
    const pyro_store_query_t *query, pyro_partition_t *part, uint32_t tenant,
    pyro_read_pt handler, void *ctx, pyro_error_t *err);
static pyro_status_e pyro_read_types(pyro_read_t *read);
static pyro_status_e pyro_read_next(pyro_read_t *read, pyro_place_t *place,
    pyro_slice_t *key, pyro_slice_t *value);


pyro_status_e
pyro_read_each(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_read_pt handler, void *ctx, pyro_error_t *err)
{
    int64_t             now;
    uint32_t            i, n, end, tenant;
    pyro_error_t        local;
    pyro_status_e       status;
    pyro_partition_t  **parts;

    err = err ? err : &local;
    err->reason = PYRO_REASON_UNKNOWN;

    status = pyro_catalog_list(&store->catalog, query->start, query->end,
                               query->arena, &parts, &n, err);

    tenant = pyro_catalog_tenant(&store->catalog, query->tenant);

    if (tenant == PYRO_NONE) {
        n = 0;
    }

    now = pyro_clock_wall();

    for (i = 0; i < n && status == PYRO_OK; i = end) {

        for (end = i + 1; end < n; end++) {
            if (parts[end]->start != parts[i]->start
                || parts[end]->length != parts[i]->length)
            {
                break;
            }
        }

        /* others may keep the file for longer */

        if (store->catalog.options.n_retentions
            && pyro_expiry_is_over(&store->catalog.options, query->tenant,
                                   parts[i], now))
        {
            continue;
        }

        status = pyro_read_group(store, query, &parts[i], end - i, tenant,
                                 handler, ctx, err);
    }

    if (status == PYRO_UNAVAILABLE && err->reason == PYRO_REASON_MEMORY) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_QUERY,
                              "the query needs more memory than "
                              "query.max_memory allows, it has %zu bytes",
                              pyro_arena_used(query->arena));
    }

    return status;
}


/*
 * The files of one time, which sealing makes one: all of them, or what has
 * taken their place.
 */
static pyro_status_e
pyro_read_group(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_partition_t **parts, uint32_t n, uint32_t tenant,
    pyro_read_pt handler, void *ctx, pyro_error_t *err)
{
    uint32_t       i, held;
    pyro_status_e  status;

    status = pyro_catalog_acquire_all(&store->catalog, query->arena, &parts,
                                      &n, query->missing, err);
    held = status == PYRO_OK ? n : 0;

    for (i = 0; i < held && status == PYRO_OK; i++) {
        status = pyro_read_partition(store, query, parts[i], tenant, handler,
                                     ctx, err);

        if (status == PYRO_UNAVAILABLE && query->missing != NULL
            && err->reason != PYRO_REASON_MEMORY)
        {
            pyro_catalog_note(query->missing, parts[i], err);
            status = PYRO_OK;
        }
    }

    for (i = 0; i < held; i++) {
        pyro_catalog_release(&store->catalog, parts[i]);
    }

    return status;
}


static pyro_status_e
pyro_read_partition(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_partition_t *part, uint32_t tenant, pyro_read_pt handler, void *ctx,
    pyro_error_t *err)
{
    pyro_read_t    read;
    pyro_level_e   level;
    pyro_status_e  status;

    memset(&read, 0, sizeof(pyro_read_t));

    read.store = store;
    read.query = query;
    read.tenant = tenant;
    read.view.part = part;
    read.view.err = err;
    read.renewed = pyro_clock_mono();

    status = pyro_env_begin(part->env, 1, &read.view.txn, err);

    if (status == PYRO_OK) {
        status = pyro_read_poll(&read);

        if (status == PYRO_OK) {
            status = pyro_read_types(&read);
        }

        if (status == PYRO_OK) {
            status = handler(&read, ctx);
        }

        for (level = PYRO_LEVEL_RAW; level < PYRO_LEVELS; level++) {
            if (read.cursors[level] != NULL) {
                pyro_kv_cursor_close(read.cursors[level]);
            }
        }

        pyro_env_abort(part->env, read.view.txn);
    }

    return status;
}


static pyro_status_e
pyro_read_types(pyro_read_t *read)
{
    uint32_t        i;
    pyro_arena_t   *arena;
    pyro_status_e   status;

    arena = read->query->arena;
    status = pyro_ptypes_load(&read->view, arena, &read->ptypes);

    if (status != PYRO_OK) {
        return status;
    }

    read->type_labels = pyro_arena_calloc(arena, read->ptypes.n,
                                          sizeof(pyro_labels_t));

    if (read->type_labels == NULL) {
        return pyro_error_memory(read->view.err);
    }

    for (i = 0; i < read->ptypes.n; i++) {
        if (pyro_profile_type_labels(arena, &read->ptypes.items[i].type,
                                     &read->ptypes.items[i].extra,
                                     &read->type_labels[i]))
        {
            return pyro_error_memory(read->view.err);
        }
    }

    return PYRO_OK;
}


pyro_status_e
pyro_read_poll(pyro_read_t *read)
{
    int                        rc;
    int64_t                    now;
    pyro_level_e               level;
    pyro_status_e              status;
    const pyro_store_query_t  *query;

    query = read->query;

    if (query->cancel != NULL
        && atomic_load_explicit(query->cancel, memory_order_relaxed))
    {
        return pyro_error_set(read->view.err, PYRO_CANCELED,
                              PYRO_REASON_CANCELED, "the query was canceled");
    }

    if (read->ticks++ % PYRO_READ_TICKS) {
        return PYRO_OK;
    }

    now = pyro_clock_mono();

    if (query->deadline && now >= query->deadline) {
        return pyro_error_set(read->view.err, PYRO_DEADLINE,
                              PYRO_REASON_DEADLINE,
                              "the query did not end within query.timeout");
    }

    if (now - read->renewed < PYRO_READ_SNAPSHOT) {
        return PYRO_OK;
    }

    read->renewed = now;
    read->snapshot++;

    status = pyro_env_renew(read->view.part->env, read->view.txn,
                            read->view.err);

    if (status != PYRO_OK) {
        return status;
    }

    for (level = PYRO_LEVEL_RAW, rc = 0; level < PYRO_LEVELS && rc == 0;
         level++)
    {
        rc = read->cursors[level] == NULL ? 0
             : pyro_kv_cursor_renew(read->view.txn, read->cursors[level]);
    }

    return rc ? pyro_env_error(read->view.part->env, rc, "be read",
                               read->view.err)
              : PYRO_OK;
}


/*
 * The record behind place, which is moved to it.  A cursor that was renewed,
 * or that another walk has moved, stands elsewhere: back to the last key.
 */
static pyro_status_e
pyro_read_next(pyro_read_t *read, pyro_place_t *place, pyro_slice_t *key,
    pyro_slice_t *value)
{
    pyro_kv_cursor_t  **cursor;
    pyro_kv_move_e      op;
    pyro_status_e       status;

    status = pyro_read_poll(read);
    cursor = &read->cursors[place->level];

    if (status == PYRO_OK && *cursor == NULL) {
        status = pyro_view_cursor(&read->view, pyro_level_db(place->level),
                                  cursor);
    }

    if (status != PYRO_OK) {
        return status;
    }

    op = place->started && place->snapshot == read->snapshot
         ? PYRO_KV_NEXT : PYRO_KV_SEEK;

    *key = pyro_slice(place->key, place->len);
    status = pyro_view_seek(&read->view, *cursor, op, key, value);

    if (status == PYRO_OK && op == PYRO_KV_SEEK && place->started
        && key->len == place->len
        && memcmp(key->data, place->key, place->len) == 0)
    {
        status = pyro_view_seek(&read->view, *cursor, PYRO_KV_NEXT, key, value);
    }

    place->snapshot = read->snapshot;

    if (status == PYRO_OK && key->len == place->len) {
        memcpy(place->key, key->data, place->len);
        place->started = 1;
    }

    return status;
}


pyro_status_e
pyro_read_stream(const pyro_read_t *read, uint32_t id,
    pyro_stream_value_t *stream)
{
    pyro_status_e  status;

    status = pyro_stream_read(&read->view, id, stream);

    return status == PYRO_NOT_FOUND && read->snapshot == 0
           ? pyro_env_damaged(read->view.part->env, "stream", id,
                              read->view.err)
           : status;
}


void
pyro_scan_start(pyro_scan_t *scan, pyro_read_t *read, uint32_t stream,
    int64_t start, int64_t end)
{
    pyro_raw_key_t  raw;

    memset(scan, 0, sizeof(pyro_scan_t));

    scan->read = read;
    scan->stream = stream;
    scan->start = start < 0 ? 0 : start;
    scan->end = end;

    if (read->view.part->sealed) {
        pyro_sealed_scan_start(scan);
        return;
    }

    raw.stream = stream;
    raw.time = scan->start;
    raw.ptype = 0;
    raw.seq = 0;

    scan->place.level = PYRO_LEVEL_RAW;
    scan->place.len = pyro_key_raw(scan->place.key, &raw);
}


pyro_status_e
pyro_scan_next(pyro_scan_t *scan)
{
    pyro_slice_t   key;
    pyro_status_e  status;

    if (scan->read->view.part->sealed) {
        return pyro_sealed_scan_next(scan);
    }

    for ( ;; ) {
        status = pyro_read_next(scan->read, &scan->place, &key, &scan->value);

        if (status != PYRO_OK) {
            return status;
        }

        if (pyro_raw_key_get(key, &scan->key)
            || scan->key.stream != scan->stream || scan->key.time > scan->end)
        {
            return PYRO_NOT_FOUND;
        }

        scan->time = scan->key.time;

        if (pyro_record_open(scan->value, &scan->record) == 0) {
            return PYRO_OK;
        }

        scan->read->store->damaged++;
    }
}


void
pyro_rollup_scan_start(pyro_rollup_scan_t *scan, pyro_read_t *read,
    pyro_level_e level, uint32_t stream, uint32_t ptype, uint32_t from,
    uint32_t to)
{
    memset(scan, 0, sizeof(pyro_rollup_scan_t));

    scan->read = read;
    scan->stream = stream;
    scan->ptype = ptype;
    scan->place.level = level;
    scan->place.len = pyro_key_rollup(scan->place.key, stream, ptype, from);
    pyro_key_rollup(scan->end, stream, ptype, to);

    if (read->view.part->sealed && level == PYRO_LEVEL_5M) {
        pyro_sealed_rollup_start(scan, from, to);
    }
}


pyro_status_e
pyro_rollup_scan_next(pyro_rollup_scan_t *scan)
{
    pyro_slice_t   key, value;
    pyro_status_e  status;

    if (scan->read->view.part->sealed && scan->place.level == PYRO_LEVEL_5M) {
        return pyro_sealed_rollup_next(scan);
    }

    status = pyro_read_next(scan->read, &scan->place, &key, &value);

    if (status != PYRO_OK) {
        return status;
    }

    if (key.len != PYRO_ROLLUP_KEY
        || memcmp(key.data, scan->end, PYRO_ROLLUP_KEY) > 0)
    {
        return PYRO_NOT_FOUND;
    }

    scan->slot = pyro_get_be32((const uint8_t *) key.data + 6);

    if (pyro_rollup_open(value, &scan->rollup)) {
        scan->read->store->damaged++;
        return PYRO_UNPROCESSABLE;
    }

    return PYRO_OK;
}


pyro_status_e
pyro_read_has(pyro_read_t *read, uint32_t stream, uint32_t ptype,
    uint32_t from, uint32_t to, int *has)
{
    uint8_t        end[PYRO_ROLLUP_KEY];
    pyro_slice_t   key, value;
    pyro_place_t   place;
    pyro_level_e   level;
    pyro_status_e  status;

    level = pyro_level_kept(read->view.part);

    if (read->view.part->sealed && level == PYRO_LEVEL_RAW) {
        return pyro_sealed_has(read, stream, ptype, from, to, has);
    }

    level = level == PYRO_LEVEL_RAW ? PYRO_LEVEL_5M : level;
    memset(&place, 0, sizeof(pyro_place_t));

    place.level = level;
    place.len = pyro_key_rollup(place.key, stream, ptype,
                                pyro_slot_at(level, from));
    pyro_key_rollup(end, stream, ptype, pyro_slot_at(level, to));

    status = pyro_read_next(read, &place, &key, &value);

    *has = status == PYRO_OK && key.len == PYRO_ROLLUP_KEY
           && memcmp(key.data, end, PYRO_ROLLUP_KEY) <= 0;

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}
