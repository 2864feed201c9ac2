/*
 * pyro_store_delete(): streams are found as a query finds them; then, partition
 * by partition, they leave all indexes in one transaction, a few at a time, and
 * their records go in slices (storage/deleting.h).
 */

#include "storage/delete.h"

#include "storage/deleting.h"
#include "storage/dict.h"
#include "storage/postings.h"
#include "storage/select.h"
#include "storage/series_index.h"


#define PYRO_DELETE_STREAMS  32                     /* a transaction */
#define PYRO_DELETE_RECORDS  2000
#define PYRO_DELETE_TIME     (20 * PYRO_NS_PER_MS)  /* with the lock held */


/* The streams of one partition. */
typedef struct {
    pyro_partition_t      *part;
    uint32_t              *streams;
    uint32_t               n;
} pyro_delete_part_t;


typedef struct {
    pyro_store_stream_pt   handler;
    void                  *ctx;
    pyro_delete_result_t  *result;
    pyro_arena_t          *arena;
    pyro_delete_part_t    *parts;
    uint32_t               n;
    uint32_t               cap;
    pyro_label_room_t      labels;
} pyro_delete_t;


static pyro_status_e pyro_delete_may(const pyro_store_query_t *query,
    pyro_error_t *err);
static pyro_status_e pyro_delete_find(pyro_read_t *read, void *ctx);
static pyro_status_e pyro_delete_ask(pyro_read_t *read, pyro_delete_t *d,
    const pyro_selected_t *selected);
static pyro_status_e pyro_delete_all(pyro_store_t *store, pyro_delete_t *d,
    pyro_error_t *err);
static pyro_status_e pyro_delete_partition(pyro_partition_t *part,
    const pyro_delete_part_t *found, pyro_delete_result_t *result,
    pyro_error_t *err);
static pyro_status_e pyro_delete_begin(pyro_partition_t *part,
    pyro_view_t *view, pyro_arena_t **arena, pyro_error_t *err);
static pyro_status_e pyro_delete_end(pyro_view_t *view, pyro_arena_t *arena,
    pyro_status_e status, int64_t began);
static pyro_status_e pyro_delete_left(pyro_partition_t *part, uint32_t *n,
    pyro_error_t *err);
static pyro_status_e pyro_delete_enter(pyro_partition_t *part,
    const uint32_t *streams, uint32_t n, pyro_error_t *err);
static pyro_status_e pyro_delete_indexes(const pyro_view_t *view,
    pyro_arena_t *arena, uint32_t stream);
static pyro_status_e pyro_delete_labels(const pyro_view_t *view,
    pyro_arena_t *arena, uint32_t stream, uint32_t tenant,
    const uint32_t *strings, uint32_t n);
static pyro_status_e pyro_delete_listed(const pyro_view_t *view,
    pyro_arena_t *arena, uint32_t stream, const uint8_t *key, size_t len);
static pyro_status_e pyro_delete_slice(pyro_partition_t *part, uint32_t *left,
    pyro_delete_result_t *result, pyro_error_t *err);
static pyro_status_e pyro_delete_range(const pyro_view_t *view, pyro_db_e db,
    uint32_t stream, uint32_t *budget, int64_t until, uint64_t *n);


pyro_status_e
pyro_store_delete(pyro_store_t *store, const pyro_store_query_t *query,
    int only, pyro_store_stream_pt handler, void *ctx,
    pyro_delete_result_t *result, pyro_error_t *err)
{
    pyro_status_e  status;

    memset(result, 0, sizeof(pyro_delete_result_t));

    status = pyro_delete_may(query, err);

    return status == PYRO_OK
           ? pyro_delete_streams(store, query, only, handler, ctx, result, err)
           : status;
}


pyro_status_e
pyro_delete_streams(pyro_store_t *store, const pyro_store_query_t *query,
    int only, pyro_store_stream_pt handler, void *ctx,
    pyro_delete_result_t *result, pyro_error_t *err)
{
    pyro_delete_t       d;
    pyro_status_e       status;
    pyro_store_query_t  all;

    memset(&d, 0, sizeof(pyro_delete_t));

    d.handler = handler;
    d.ctx = ctx;
    d.result = result;
    d.arena = query->arena;

    status = only ? PYRO_OK : pyro_upkeep_lock(store, err);

    if (status == PYRO_NOT_FOUND) {
        return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "a server's upkeep has %s locked: stop the "
                              "server first", PYRO_UPKEEP_LOCK);
    }

    if (status != PYRO_OK) {
        return status;
    }

    all = *query;
    all.start = 0;
    all.end = INT64_MAX;

    status = pyro_read_each(store, &all, pyro_delete_find, &d, err);

    return status != PYRO_OK || only ? status
                                     : pyro_delete_all(store, &d, err);
}


/* A slip is not to take everything. */
static pyro_status_e
pyro_delete_may(const pyro_store_query_t *query, pyro_error_t *err)
{
    int                    positive;
    uint32_t               i;
    const pyro_matcher_t  *matcher;

    positive = 0;

    for (i = 0; query->n_selectors == 1 && i < query->selectors->n; i++) {
        matcher = &query->selectors->items[i];

        if (pyro_profile_type_owns(matcher->name)) {
            return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                                  "the selector has \"%.*s\", which profile "
                                  "types have: label sets are deleted with all "
                                  "of theirs", PYRO_SLICE_ARG(matcher->name));
        }

        /* one that a missing label would satisfy names nothing */

        positive |= (matcher->op == PYRO_MATCH_EQUAL
                     || matcher->op == PYRO_MATCH_REGEX)
                    && pyro_matcher_test(matcher, pyro_slice("", 0), err) == 0;
    }

    return positive ? PYRO_OK
           : pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                            "the selector has to have one matcher with = or "
                            "=~ that an empty value does not match");
}


/* ---- finding ---- */

static pyro_status_e
pyro_delete_find(pyro_read_t *read, void *ctx)
{
    uint32_t             i, n;
    pyro_delete_t       *d;
    pyro_status_e        status;
    pyro_selected_t     *selected;
    pyro_delete_part_t  *part;

    d = ctx;
    n = 0;
    status = pyro_select(read, &selected, &n);

    if (status != PYRO_OK || n == 0) {
        return status;
    }

    if (pyro_arena_grow(d->arena, &d->parts, &d->cap, (size_t) d->n + 1,
                        sizeof(pyro_delete_part_t)))
    {
        return pyro_error_memory(read->view.err);
    }

    part = &d->parts[d->n];
    part->part = read->view.part;
    part->n = n;
    part->streams = pyro_arena_alloc(d->arena, n * sizeof(uint32_t));

    if (part->streams == NULL) {
        return pyro_error_memory(read->view.err);
    }

    for (i = 0; i < n && status == PYRO_OK; i++) {
        part->streams[i] = selected[i].stream;
        status = pyro_read_poll(read);

        if (status == PYRO_OK && d->handler != NULL) {
            status = pyro_delete_ask(read, d, &selected[i]);
        }
    }

    d->n++;
    d->result->streams += n;

    return status;
}


static pyro_status_e
pyro_delete_ask(pyro_read_t *read, pyro_delete_t *d,
    const pyro_selected_t *selected)
{
    pyro_status_e        status;
    pyro_stream_value_t  stream;

    status = pyro_stream_read(&read->view, selected->stream, &stream);

    if (status == PYRO_OK) {
        status = pyro_stream_labels(&read->view, d->arena, &stream,
                                    &d->labels);
    }

    return status == PYRO_OK
           ? d->handler(d->ctx, read->view.part->name, &d->labels.labels,
                        read->view.err)
           : status;
}


/* ---- deleting ---- */

/* All partitions: something may be left in one in which nothing matches. */
static pyro_status_e
pyro_delete_all(pyro_store_t *store, pyro_delete_t *d, pyro_error_t *err)
{
    uint32_t                   i, k, n;
    pyro_status_e              status;
    pyro_partition_t         **parts;
    const pyro_delete_part_t  *found;

    status = pyro_catalog_list(&store->catalog, 0, INT64_MAX, d->arena, &parts,
                               &n, err);

    for (i = 0; status == PYRO_OK && i < n; i++) {
        found = NULL;

        for (k = 0; k < d->n; k++) {
            if (d->parts[k].part == parts[i]) {
                found = &d->parts[k];
            }
        }

        status = pyro_catalog_acquire(&store->catalog, parts[i], err);

        if (status == PYRO_NOT_FOUND
            && parts[i]->state == PYRO_STATE_REMOVED)
        {
            status = PYRO_OK;
            continue;
        }

        if (status == PYRO_OK) {
            status = pyro_delete_partition(parts[i], found, d->result, err);
            pyro_catalog_release(&store->catalog, parts[i]);
        }
    }

    return status;
}


static pyro_status_e
pyro_delete_partition(pyro_partition_t *part, const pyro_delete_part_t *found,
    pyro_delete_result_t *result, pyro_error_t *err)
{
    uint32_t       i, n, left;
    pyro_status_e  status;

    status = pyro_delete_left(part, &left, err);

    if (status != PYRO_OK || (found == NULL && left == 0)
        || part->state == PYRO_STATE_REMOVED)
    {
        return status;
    }

    /* the copy that is being made would have what is deleted here */

    if (part->state != PYRO_STATE_OPEN && !pyro_state_is_sealed(part->state))
    {
        return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage: %s is being sealed: let a server end "
                              "that, stop it, and delete then", part->name);
    }

    result->resumed += left;

    for (i = 0; found != NULL && i < found->n && status == PYRO_OK; i += n) {
        n = found->n - i < PYRO_DELETE_STREAMS ? found->n - i
                                               : PYRO_DELETE_STREAMS;
        status = pyro_delete_enter(part, &found->streams[i], n, err);
        left += n;
    }

    while (status == PYRO_OK && left) {
        status = pyro_delete_slice(part, &left, result, err);
    }

    return status;
}


static pyro_status_e
pyro_delete_left(pyro_partition_t *part, uint32_t *n, pyro_error_t *err)
{
    pyro_view_t    view;
    pyro_status_e  status;

    view.part = part;
    view.err = err;
    *n = 0;

    status = pyro_env_begin(part->env, 1, &view.txn, err);

    if (status == PYRO_OK) {
        status = pyro_deleting_count(&view, n);
        pyro_env_abort(part->env, view.txn);
    }

    return status;
}


static pyro_status_e
pyro_delete_begin(pyro_partition_t *part, pyro_view_t *view,
    pyro_arena_t **arena, pyro_error_t *err)
{
    pyro_status_e  status;

    view->part = part;
    view->err = err;
    *arena = pyro_arena_create(0);

    if (*arena == NULL) {
        return pyro_error_memory(err);
    }

    status = pyro_env_begin(part->env, 0, &view->txn, err);

    if (status != PYRO_OK) {
        pyro_arena_destroy(*arena);
    }

    return status;
}


/* Commits, and leaves the lock alone for as long as it was held: LMDB's is not
 * fair, and workers may be writing. */
static pyro_status_e
pyro_delete_end(pyro_view_t *view, pyro_arena_t *arena, pyro_status_e status,
    int64_t began)
{
    int64_t          held;
    struct timespec  pause = { 0, 0 };

    pyro_arena_destroy(arena);

    if (status == PYRO_OK) {
        status = pyro_env_commit(view->part->env, view->txn, view->err);

    } else {
        pyro_env_abort(view->part->env, view->txn);
    }

    held = pyro_clock_mono() - began;
    pause.tv_nsec = held < 2 * PYRO_DELETE_TIME ? held : 2 * PYRO_DELETE_TIME;
    nanosleep(&pause, NULL);

    return status;
}


/* Takes streams out of all indexes, and notes their ids. */
static pyro_status_e
pyro_delete_enter(pyro_partition_t *part, const uint32_t *streams, uint32_t n,
    pyro_error_t *err)
{
    int64_t         began;
    uint32_t        i;
    pyro_view_t     view;
    pyro_arena_t   *arena;
    pyro_status_e   status;

    status = pyro_delete_begin(part, &view, &arena, err);
    began = pyro_clock_mono();

    if (status != PYRO_OK) {
        return status;
    }

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_delete_indexes(&view, arena, streams[i]);
    }

    if (status == PYRO_OK) {
        status = pyro_deleting_add(&view, arena, streams, n);
    }

    return pyro_delete_end(&view, arena, status, began);
}


/* What is in the map moves with the first write: all is read before. */
static pyro_status_e
pyro_delete_indexes(const pyro_view_t *view, pyro_arena_t *arena,
    uint32_t stream)
{
    size_t                len;
    uint8_t               key[PYRO_KEY_MAX], id[PYRO_KEY_MAX];
    uint32_t              i, n, budget, *strings;
    uint64_t              late;
    pyro_bytes_t          in;
    pyro_status_e         status;
    pyro_label_room_t     room;
    pyro_scope_value_t    scope;
    pyro_stream_value_t   value;

    memset(&room, 0, sizeof(pyro_label_room_t));

    status = pyro_stream_read(view, stream, &value);

    if (status == PYRO_NOT_FOUND) {
        return pyro_env_damaged(view->part->env, "stream", stream, view->err);
    }

    if (status == PYRO_OK) {
        status = pyro_scope_read(view, value.scope, &scope);
    }

    if (status == PYRO_OK) {
        status = pyro_stream_labels(view, arena, &value, &room);
    }

    if (status != PYRO_OK) {
        return status;
    }

    len = pyro_key_pair(key, scope.tenant,
                        pyro_stream_hash(&room.labels, view->part->seed));
    n = value.n_labels;
    strings = pyro_arena_alloc(arena, 2 * (size_t) n * sizeof(uint32_t));

    if (strings == NULL) {
        return pyro_error_memory(view->err);
    }

    in = value.labels;

    for (i = 0; i < 2 * n; i++) {
        strings[i] = pyro_take_known(&in);
    }

    status = pyro_delete_listed(view, arena, stream, key, len);

    if (status == PYRO_OK) {
        status = pyro_delete_labels(view, arena, stream, scope.tenant, strings,
                                    n);
    }

    if (status == PYRO_OK) {
        status = pyro_view_delete(view, PYRO_DB_STREAM, id,
                                  pyro_key_id(id, stream));
    }

    /* what is noted there keeps the upkeep busy: at most a partition's slots */

    budget = UINT32_MAX;
    late = 0;

    return status == PYRO_OK
           ? pyro_delete_range(view, PYRO_DB_LATE, stream, &budget, INT64_MAX,
                               &late)
           : status;
}


static pyro_status_e
pyro_delete_labels(const pyro_view_t *view, pyro_arena_t *arena,
    uint32_t stream, uint32_t tenant, const uint32_t *strings, uint32_t n)
{
    uint32_t       i;
    pyro_status_e  status;

    status = PYRO_OK;

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_postings_remove(view, arena, tenant, strings[2 * i],
                                      strings[2 * i + 1], stream);
    }

    return status;
}


/* Out of the list of streams with that hash. */
static pyro_status_e
pyro_delete_listed(const pyro_view_t *view, pyro_arena_t *arena,
    uint32_t stream, const uint8_t *key, size_t len)
{
    size_t          i, n;
    uint8_t        *left;
    uint32_t        id;
    pyro_slice_t    list;
    pyro_status_e   status;

    status = pyro_view_get(view, PYRO_DB_STREAMX, key, len, &list);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND
               ? pyro_env_damaged(view->part->env, "the index of stream",
                                  stream, view->err)
               : status;
    }

    left = pyro_arena_alloc(arena, list.len);

    if (left == NULL) {
        return pyro_error_memory(view->err);
    }

    for (i = 0, n = 0; (id = pyro_dict_list_get(list, i)) != 0; i++) {
        if (id != stream) {
            pyro_put_be32(left + 4 * n++, id);
        }
    }

    return n == 0 ? pyro_view_delete(view, PYRO_DB_STREAMX, key, len)
                  : pyro_view_put(view, PYRO_DB_STREAMX, key, len, left,
                                  4 * n);
}


/* Some records of streams that are noted; *left is how many of these are. */
static pyro_status_e
pyro_delete_slice(pyro_partition_t *part, uint32_t *left,
    pyro_delete_result_t *result, pyro_error_t *err)
{
    int64_t            began;
    uint32_t           stream, budget;
    uint64_t           n;
    size_t             i;
    pyro_view_t        view;
    pyro_slice_t       list;
    pyro_arena_t      *arena;
    pyro_status_e      status;
    static pyro_db_e   dbs[] = { PYRO_DB_RAW, PYRO_DB_R5M, PYRO_DB_R1H,
                                 PYRO_DB_R1D, PYRO_DB_TOT };

    status = pyro_delete_begin(part, &view, &arena, err);
    began = pyro_clock_mono();

    if (status != PYRO_OK) {
        return status;
    }

    for (budget = PYRO_DELETE_RECORDS; status == PYRO_OK && budget; ) {
        status = pyro_deleting_read(&view, &list);

        if (status != PYRO_OK || list.len == 0) {
            *left = 0;
            break;
        }

        *left = (uint32_t) (list.len / 4);
        stream = pyro_get_be32((const uint8_t *) list.data);

        for (i = 0; i < sizeof(dbs) / sizeof(dbs[0]); i++) {
            n = 0;

            if (status == PYRO_OK && budget) {
                status = pyro_delete_range(&view, dbs[i], stream, &budget,
                                           began + PYRO_DELETE_TIME, &n);
            }

            result->records += dbs[i] == PYRO_DB_RAW ? n : 0;
        }

        if (status == PYRO_OK && budget) {
            status = pyro_deleting_done(&view, arena, stream);
        }
    }

    return pyro_delete_end(&view, arena, status, began);
}


/* Keys that begin with the stream; *budget 0: there may be more of them. */
static pyro_status_e
pyro_delete_range(const pyro_view_t *view, pyro_db_e db, uint32_t stream,
    uint32_t *budget, int64_t until, uint64_t *n)
{
    int                rc;
    uint8_t            first[PYRO_KEY_MAX];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    /* not in this file */

    if (view->part->dbi[db] == 0) {
        return PYRO_OK;
    }

    pyro_key_id(first, stream);
    status = pyro_view_cursor(view, db, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    for ( /* void */ ; *budget; (*budget)--, (*n)++) {
        key = pyro_slice(first, 4);
        status = pyro_view_seek(view, cursor, PYRO_KV_SEEK, &key, &value);

        if (status != PYRO_OK || key.len < 4
            || memcmp(key.data, first, 4) != 0)
        {
            break;
        }

        if (*n % 64 == 63 && pyro_clock_mono() >= until) {
            *budget = 0;
            break;
        }

        rc = pyro_kv_cursor_delete(cursor);

        if (rc) {
            status = pyro_env_error(view->part->env, rc, "be written",
                                    view->err);
            break;
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}
