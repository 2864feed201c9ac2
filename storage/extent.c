/*
 * How far a tenant's data reaches, and what a query would touch: from entries
 * of streams, sums and sizes of databases; of push records those of the last
 * five minutes are read.
 */

#include "storage/select.h"
#include "storage/series_index.h"


typedef struct {
    pyro_store_t           *store;
    pyro_store_query_t      query;
    pyro_store_missing_t    missing;
    pyro_partition_t      **parts;      /* by start */
    uint32_t                n;
    uint8_t                *seen;       /* by part */
    int64_t                 oldest;
    int64_t                 newest;

    /* of the partition at hand: streams that reach the furthest, by entries
     * whose last time is rounded up to five minutes */
    uint32_t               *last;
    uint32_t                n_last;
    uint32_t                cap_last;
    int64_t                 bound;
} pyro_extent_t;


typedef struct {
    pyro_arena_t           *arena;
    pyro_intern_t           series;     /* hashes of label sets */
    pyro_store_analysis_t  *result;
} pyro_analyze_t;


static pyro_status_e pyro_extent_ends(pyro_extent_t *e, pyro_error_t *err);
static pyro_status_e pyro_extent_look(pyro_extent_t *e, uint32_t i,
    pyro_error_t *err);
static pyro_status_e pyro_extent_partition(pyro_read_t *read, void *ctx);
static pyro_status_e pyro_extent_stream(pyro_read_t *read, pyro_extent_t *e,
    uint32_t id, const pyro_slice_t *value, uint32_t *scope,
    uint32_t *tenant);
static pyro_status_e pyro_extent_newest(pyro_read_t *read, pyro_extent_t *e);
static pyro_status_e pyro_analyze_partition(pyro_read_t *read, void *ctx);
static uint64_t *pyro_analyze_kind(pyro_store_analysis_t *result,
    pyro_db_e db);
static pyro_status_e pyro_analyze_series(void *ctx,
    const pyro_labels_t *labels, uint32_t *group, pyro_error_t *err);
static pyro_status_e pyro_analyze_total(void *ctx, uint32_t group,
    int64_t time_ns, uint64_t total, uint32_t count, pyro_error_t *err);


pyro_status_e
pyro_store_extent(pyro_store_t *store, pyro_slice_t tenant, int64_t *oldest,
    int64_t *newest, pyro_error_t *err)
{
    pyro_extent_t  e;
    pyro_status_e  status;

    memset(&e, 0, sizeof(pyro_extent_t));

    e.store = store;
    e.oldest = INT64_MAX;
    e.newest = -1;
    e.query.tenant = tenant;
    e.query.missing = &e.missing;
    e.query.arena = pyro_arena_create(0);

    if (e.query.arena == NULL) {
        return pyro_error_memory(err);
    }

    status = pyro_extent_ends(&e, err);
    pyro_arena_destroy(e.query.arena);

    *oldest = e.oldest;
    *newest = e.newest;

    if (status != PYRO_OK || e.newest != -1) {
        return status;
    }

    /* what cannot be read may have something */

    if (e.missing.n) {
        return pyro_error_set(err, e.missing.error.status,
                              e.missing.error.reason, "%s",
                              e.missing.error.message);
    }

    return pyro_error_set(err, PYRO_NOT_FOUND, PYRO_REASON_REQUEST,
                          "the tenant \"%.*s\" has no profiles",
                          PYRO_SLICE_ARG(tenant));
}


/* Partitions may overlap, where their length was another one once. */
static pyro_status_e
pyro_extent_ends(pyro_extent_t *e, pyro_error_t *err)
{
    uint32_t        i;
    pyro_status_e   status;

    status = pyro_catalog_list(&e->store->catalog, 0, INT64_MAX,
                               e->query.arena, &e->parts, &e->n, err);

    if (status != PYRO_OK) {
        return status;
    }

    e->seen = pyro_arena_calloc(e->query.arena, e->n, 1);

    if (e->seen == NULL) {
        return pyro_error_memory(err);
    }

    for (i = 0; i < e->n && status == PYRO_OK; i++) {
        if (pyro_partition_start(e->parts[i]) < e->oldest) {
            status = pyro_extent_look(e, i, err);
        }
    }

    for (i = e->n; i && status == PYRO_OK; i--) {
        if (pyro_partition_end(e->parts[i - 1]) - 1 > e->newest) {
            status = pyro_extent_look(e, i - 1, err);
        }
    }

    return status;
}


/* All files of the partition's time. */
static pyro_status_e
pyro_extent_look(pyro_extent_t *e, uint32_t i, pyro_error_t *err)
{
    uint32_t           k;
    pyro_partition_t  *part;

    if (e->seen[i]) {
        return PYRO_OK;
    }

    part = e->parts[i];

    for (k = 0; k < e->n; k++) {
        if (e->parts[k]->start == part->start
            && e->parts[k]->length == part->length)
        {
            e->seen[k] = 1;
        }
    }

    e->query.start = pyro_partition_start(part);
    e->query.end = pyro_partition_end(part) - 1;

    return pyro_read_each(e->store, &e->query, pyro_extent_partition, e, err);
}


static pyro_status_e
pyro_extent_partition(pyro_read_t *read, void *ctx)
{
    uint32_t           scope, tenant;
    pyro_slice_t       key, value;
    pyro_extent_t     *e;
    pyro_status_e      status;
    pyro_kv_cursor_t  *cursor;

    e = ctx;
    e->n_last = 0;
    e->bound = -1;
    scope = 0;
    tenant = PYRO_NONE;
    status = pyro_view_cursor(&read->view, PYRO_DB_STREAM, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while (status == PYRO_OK) {
        status = pyro_view_seek(&read->view, cursor, PYRO_KV_NEXT, &key,
                                &value);

        if (status == PYRO_OK) {
            status = key.len == 4
                     ? pyro_extent_stream(read, e,
                                 pyro_get_be32((const uint8_t *) key.data),
                                 &value, &scope, &tenant)
                     : pyro_env_damaged(read->view.part->env, "a stream of "
                                        "scope", scope, read->view.err);
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? pyro_extent_newest(read, e) : status;
}


/* Streams of a scope mostly lie side by side. */
static pyro_status_e
pyro_extent_stream(pyro_read_t *read, pyro_extent_t *e, uint32_t id,
    const pyro_slice_t *value, uint32_t *scope, uint32_t *tenant)
{
    pyro_status_e         status;
    pyro_scope_value_t    owner;
    pyro_stream_value_t   stream;

    if (pyro_stream_get(*value, &stream)) {
        return pyro_env_damaged(read->view.part->env, "a stream of scope",
                                *scope, read->view.err);
    }

    if (stream.scope != *scope) {
        status = pyro_scope_read(&read->view, stream.scope, &owner);

        if (status != PYRO_OK) {
            return status;
        }

        *scope = stream.scope;
        *tenant = owner.tenant;
    }

    if (*tenant != read->tenant) {
        return PYRO_OK;
    }

    e->oldest = stream.first < e->oldest ? stream.first : e->oldest;

    if (stream.last < e->bound || stream.last <= e->newest) {
        return PYRO_OK;
    }

    if (stream.last > e->bound) {
        e->bound = stream.last;
        e->n_last = 0;
    }

    if (pyro_arena_grow(read->query->arena, &e->last, &e->cap_last,
                        (size_t) e->n_last + 1, sizeof(uint32_t)))
    {
        return pyro_error_memory(read->view.err);
    }

    e->last[e->n_last++] = id;

    return PYRO_OK;
}


/* The records of those five minutes.  Of a thinned partition there are none:
 * their end, which may be in the next partition. */
static pyro_status_e
pyro_extent_newest(pyro_read_t *read, pyro_extent_t *e)
{
    int64_t        end;
    uint32_t       i;
    pyro_scan_t    scan;
    pyro_status_e  status;

    end = pyro_partition_end(read->view.part) - 1;
    end = e->bound < end ? e->bound : end;

    if (read->view.part->thinned) {
        e->newest = e->n_last && end > e->newest ? end : e->newest;
        return PYRO_OK;
    }

    status = PYRO_NOT_FOUND;

    for (i = 0; i < e->n_last && status == PYRO_NOT_FOUND; i++) {
        pyro_scan_start(&scan, read, e->last[i], e->bound - PYRO_SLOT, end);

        while ((status = pyro_scan_next(&scan)) == PYRO_OK) {
            e->newest = scan.time > e->newest ? scan.time : e->newest;
        }
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


/*
 * One point of a grid takes the whole range: so many hours as there are whole
 * ones in it are read as sums.
 */
pyro_status_e
pyro_store_analyze(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_store_analysis_t *result, pyro_error_t *err)
{
    pyro_status_e                 status;
    pyro_analyze_t                analyze;
    pyro_series_options_t         grid;
    pyro_store_totals_handler_t   handler;

    memset(result, 0, sizeof(pyro_store_analysis_t));
    memset(&grid, 0, sizeof(pyro_series_options_t));
    memset(&handler, 0, sizeof(pyro_store_totals_handler_t));

    analyze.arena = query->arena;
    analyze.result = result;
    pyro_intern_init(&analyze.series, query->arena);

    grid.end = query->end / PYRO_NS_PER_MS;
    grid.start = grid.end;
    grid.step = grid.end - query->start / PYRO_NS_PER_MS;
    grid.step = grid.step > 0 ? grid.step : 1;

    handler.ctx = &analyze;
    handler.grid = &grid;
    handler.series = pyro_analyze_series;
    handler.total = pyro_analyze_total;

    status = pyro_read_each(store, query, pyro_analyze_partition, &analyze,
                            err);

    if (status == PYRO_OK && result->partitions) {
        status = pyro_store_totals(store, query, &handler, err);
    }

    result->series = analyze.series.n;

    return status;
}


static pyro_status_e
pyro_analyze_partition(pyro_read_t *read, void *ctx)
{
    int               rc;
    uint32_t          n;
    pyro_db_e         db;
    pyro_status_e     status;
    pyro_kv_stat_t    stat;
    pyro_analyze_t   *analyze;
    pyro_selected_t  *selected;

    analyze = ctx;
    status = pyro_select(read, &selected, &n);

    if (status != PYRO_OK || n == 0) {
        return status;
    }

    for (db = PYRO_DB_META; db < PYRO_DB_COUNT; db++) {
        rc = pyro_kv_stat(read->view.txn, read->view.part->dbi[db], &stat);

        if (rc) {
            return pyro_env_error(read->view.part->env, rc, "be read",
                                  read->view.err);
        }

        *pyro_analyze_kind(analyze->result, db) += stat.bytes;
    }

    analyze->result->partitions++;

    return PYRO_OK;
}


static uint64_t *
pyro_analyze_kind(pyro_store_analysis_t *result, pyro_db_e db)
{
    switch (db) {

    case PYRO_DB_STR:
    case PYRO_DB_STRX:
    case PYRO_DB_FRAME:
    case PYRO_DB_FRAMEX:
    case PYRO_DB_MAP:
    case PYRO_DB_NODE:
    case PYRO_DB_NODEX:
        return &result->symbol_bytes;

    case PYRO_DB_RAW:
    case PYRO_DB_R5M:
    case PYRO_DB_R1H:
    case PYRO_DB_R1D:
    case PYRO_DB_TOT:
        return &result->profile_bytes;

    default:
        return &result->index_bytes;
    }
}


static pyro_status_e
pyro_analyze_series(void *ctx, const pyro_labels_t *labels, uint32_t *group,
    pyro_error_t *err)
{
    pyro_analyze_t  *analyze;
    pyro_hash128_t   hash;

    (void) group;

    analyze = ctx;
    hash = pyro_labels_hash(labels);

    return pyro_intern(&analyze->series, pyro_slice(&hash, sizeof(hash)), 1)
           == PYRO_NONE ? pyro_error_memory(err) : PYRO_OK;
}


static pyro_status_e
pyro_analyze_total(void *ctx, uint32_t group, int64_t time_ns, uint64_t total,
    uint32_t count, pyro_error_t *err)
{
    pyro_analyze_t  *analyze;

    (void) group;
    (void) time_ns;
    (void) total;
    (void) err;

    analyze = ctx;
    analyze->result->profiles += count;

    return PYRO_OK;
}
