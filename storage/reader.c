#include "storage/reader.h"

#include "core/base/clock.h"


#define PYRO_READ_SNAPSHOT  (20 * PYRO_NS_PER_MS)
#define PYRO_READ_TICKS     16          /* polls to one look at the clock */


static pyro_status_e pyro_read_partition(pyro_store_t *store,
    const pyro_store_query_t *query, pyro_partition_t *part, uint32_t tenant,
    pyro_read_pt handler, void *ctx, pyro_error_t *err);
static pyro_status_e pyro_read_types(pyro_read_t *read);


pyro_status_e
pyro_read_each(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_read_pt handler, void *ctx, pyro_error_t *err)
{
    uint32_t            i, n, tenant;
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

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_read_partition(store, query, parts[i], tenant, handler,
                                     ctx, err);
    }

    if (status == PYRO_UNAVAILABLE && err->reason == PYRO_REASON_MEMORY) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_QUERY,
                              "the query needs more memory than "
                              "query.max_memory allows, it has %zu bytes",
                              pyro_arena_used(query->arena));
    }

    return status;
}


static pyro_status_e
pyro_read_partition(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_partition_t *part, uint32_t tenant, pyro_read_pt handler, void *ctx,
    pyro_error_t *err)
{
    pyro_read_t    read;
    pyro_status_e  status;

    status = pyro_catalog_acquire(&store->catalog, part, err);

    if (status == PYRO_NOT_FOUND) {
        /* retention was faster */
        return PYRO_OK;
    }

    if (status != PYRO_OK) {
        return status;
    }

    memset(&read, 0, sizeof(pyro_read_t));

    read.store = store;
    read.query = query;
    read.tenant = tenant;
    read.view.part = part;
    read.view.err = err;
    read.renewed = pyro_clock_mono();

    status = pyro_env_begin(part->env, 1, &read.view.txn, err);

    if (status == PYRO_OK) {
        status = pyro_view_cursor(&read.view, PYRO_DB_RAW, &read.raw);

        if (status == PYRO_OK) {
            status = pyro_read_poll(&read);

            if (status == PYRO_OK) {
                status = pyro_read_types(&read);
            }

            if (status == PYRO_OK) {
                status = handler(&read, ctx);
            }

            mdb_cursor_close(read.raw);
        }

        pyro_env_abort(part->env, read.view.txn);
    }

    pyro_catalog_release(&store->catalog, part);

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

    rc = mdb_cursor_renew(read->view.txn, read->raw);

    return rc ? pyro_env_error(read->view.part->env, rc, "be read",
                               read->view.err)
              : PYRO_OK;
}


void
pyro_scan_start(pyro_scan_t *scan, pyro_read_t *read, uint32_t stream,
    int64_t start, int64_t end)
{
    pyro_raw_key_t  raw;

    memset(scan, 0, sizeof(pyro_scan_t));

    scan->read = read;
    scan->stream = stream;
    scan->end = end;

    raw.stream = stream;
    raw.time = start < 0 ? 0 : start;
    raw.ptype = 0;
    raw.seq = 0;

    pyro_key_raw(scan->key, &raw);
}


pyro_status_e
pyro_scan_next(pyro_scan_t *scan)
{
    pyro_read_t     *read;
    pyro_slice_t     key, value;
    MDB_cursor_op    op;
    pyro_status_e    status;
    pyro_raw_key_t   raw;

    read = scan->read;

    for ( ;; ) {
        status = pyro_read_poll(read);

        if (status != PYRO_OK) {
            return status;
        }

        /* a cursor that was renewed stands nowhere: go back to the last key */

        op = scan->started && scan->snapshot == read->snapshot
             ? MDB_NEXT : MDB_SET_RANGE;

        key = pyro_slice(scan->key, PYRO_RAW_KEY);
        status = pyro_view_seek(&read->view, read->raw, op, &key, &value);

        if (status == PYRO_OK && op == MDB_SET_RANGE && scan->started
            && key.len == PYRO_RAW_KEY
            && memcmp(key.data, scan->key, PYRO_RAW_KEY) == 0)
        {
            status = pyro_view_seek(&read->view, read->raw, MDB_NEXT, &key,
                                    &value);
        }

        scan->snapshot = read->snapshot;

        if (status != PYRO_OK) {
            return status;
        }

        if (pyro_raw_key_get(key, &raw) || raw.stream != scan->stream
            || raw.time > scan->end)
        {
            return PYRO_NOT_FOUND;
        }

        memcpy(scan->key, key.data, PYRO_RAW_KEY);
        scan->started = 1;
        scan->time = raw.time;

        if (pyro_record_open(value, &scan->record) == 0) {
            return PYRO_OK;
        }

        read->store->damaged++;
    }
}
