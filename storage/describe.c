/*
 * What is in a store, partition by partition, and the dropping of whole ones.
 */

#include "storage/handle.h"

#include <stdlib.h>

#include "storage/level.h"
#include "storage/sealed_hour.h"
#include "storage/series_index.h"


static void pyro_describe_part(const pyro_catalog_t *catalog,
    const pyro_partition_t *part, pyro_store_part_t *out);
static pyro_status_e pyro_describe_stats(const pyro_view_t *view,
    pyro_store_part_stats_t *stats);
static int pyro_describe_dbs(const pyro_view_t *view,
    pyro_store_part_stats_t *stats);
static int pyro_describe_sealed(const pyro_view_t *view,
    pyro_store_part_stats_t *stats);
static pyro_status_e pyro_describe_streams(const pyro_view_t *view,
    pyro_store_part_stats_t *stats);
static pyro_status_e pyro_describe_scopes(const pyro_view_t *view,
    pyro_store_part_stats_t *stats);


const char *
pyro_store_state_text(unsigned state)
{
    static const char  *states[PYRO_STORE_STATES] = {
        "open", "sealing", "removed", "building", "sealed", "hours", "days"
    };

    return state < PYRO_STORE_STATES ? states[state] : "unknown";
}


static void
pyro_describe_part(const pyro_catalog_t *catalog, const pyro_partition_t *part,
    pyro_store_part_t *out)
{
    out->name = part->name;
    out->state = pyro_store_state_text(part->state);
    out->start = pyro_partition_start(part);
    out->end = pyro_partition_end(part);
    out->generation = part->generation;
    out->bytes = pyro_catalog_size(catalog, part->name);
}


pyro_status_e
pyro_store_parts(pyro_store_t *store, pyro_store_part_pt handler, void *ctx,
    pyro_error_t *err)
{
    uint32_t             i, n;
    pyro_arena_t        *arena;
    pyro_status_e        status;
    pyro_partition_t   **parts;
    pyro_store_part_t    part;

    arena = pyro_arena_create(0);

    if (arena == NULL) {
        return pyro_error_memory(err);
    }

    status = pyro_catalog_list(&store->catalog, 0, INT64_MAX, arena, &parts,
                               &n, err);

    for (i = 0; status == PYRO_OK && i < n; i++) {
        pyro_describe_part(&store->catalog, parts[i], &part);
        status = handler(ctx, &part, err);
    }

    pyro_arena_destroy(arena);

    return status;
}


pyro_status_e
pyro_store_tenants(pyro_store_t *store, pyro_store_tenant_pt handler,
    void *ctx, pyro_error_t *err)
{
    uint32_t         i, n;
    pyro_slice_t    *names;
    pyro_status_e    status;
    pyro_catalog_t  *catalog;

    catalog = &store->catalog;

    pthread_mutex_lock(&catalog->mutex);

    status = pyro_catalog_refresh_locked(catalog, err);
    n = catalog->tenants.n;
    names = malloc((n + (size_t) 1) * sizeof(pyro_slice_t));

    if (names != NULL && n) {
        memcpy(names, catalog->tenants.items, n * sizeof(pyro_slice_t));
    }

    pthread_mutex_unlock(&catalog->mutex);

    if (names == NULL) {
        return pyro_error_memory(err);
    }

    qsort(names, n, sizeof(pyro_slice_t), pyro_slice_order);

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = handler(ctx, names[i], err);
    }

    free(names);

    return status;
}


pyro_status_e
pyro_store_drop(pyro_store_t *store, const char *file, int64_t before,
    int only, pyro_store_part_pt handler, void *ctx, uint32_t *dropped,
    pyro_error_t *err)
{
    uint32_t             i, n;
    pyro_error_t         one;
    pyro_arena_t        *arena;
    pyro_status_e        status, first;
    pyro_partition_t   **parts;
    pyro_store_part_t    part;

    *dropped = 0;
    arena = pyro_arena_create(0);

    if (arena == NULL) {
        return pyro_error_memory(err);
    }

    first = pyro_catalog_list(&store->catalog, 0, INT64_MAX, arena, &parts, &n,
                              err);
    n = first == PYRO_OK ? n : 0;

    for (i = 0; i < n; i++) {

        if (pyro_partition_end(parts[i]) > before
            || (file != NULL && strcmp(parts[i]->name, file) != 0))
        {
            continue;
        }

        status = PYRO_OK;

        if (handler != NULL) {
            pyro_describe_part(&store->catalog, parts[i], &part);
            status = handler(ctx, &part, &one);
        }

        if (status == PYRO_OK && !only) {
            status = pyro_catalog_remove(&store->catalog, parts[i], &one);
        }

        *dropped += status == PYRO_OK;
        pyro_first_error(status, &one, &first, err);
    }

    pyro_arena_destroy(arena);

    if (first == PYRO_OK && file != NULL && *dropped == 0) {
        return pyro_error_set(err, PYRO_NOT_FOUND, PYRO_REASON_STORE,
                              "the store has no partition \"%s\"", file);
    }

    return first;
}


pyro_status_e
pyro_store_part_stats(pyro_store_t *store, pyro_store_part_stats_pt handler,
    void *ctx, pyro_error_t *err)
{
    uint32_t                  i, n;
    pyro_view_t               view;
    pyro_error_t              one;
    pyro_arena_t             *arena;
    pyro_status_e             status, first;
    pyro_partition_t        **parts;
    pyro_store_part_stats_t   stats;

    arena = pyro_arena_create(0);

    if (arena == NULL) {
        return pyro_error_memory(err);
    }

    first = pyro_catalog_list(&store->catalog, 0, INT64_MAX, arena, &parts, &n,
                              err);
    n = first == PYRO_OK ? n : 0;
    view.err = &one;

    for (i = 0; i < n; i++) {
        memset(&stats, 0, sizeof(pyro_store_part_stats_t));
        pyro_describe_part(&store->catalog, parts[i], &stats.part);

        view.part = parts[i];
        status = pyro_catalog_acquire(&store->catalog, parts[i], &one);

        if (status == PYRO_NOT_FOUND && parts[i]->state == PYRO_STATE_REMOVED)
        {
            continue;
        }

        if (status == PYRO_OK) {
            status = pyro_env_begin(parts[i]->env, 1, &view.txn, &one);

            if (status == PYRO_OK) {
                status = pyro_describe_stats(&view, &stats);
                pyro_env_abort(parts[i]->env, view.txn);
            }

            pyro_describe_part(&store->catalog, parts[i], &stats.part);
            pyro_catalog_release(&store->catalog, parts[i]);
        }

        pyro_first_error(status, &one, &first, err);
        stats.error = status == PYRO_OK ? NULL : &one;
        status = handler(ctx, &stats, &one);

        if (status != PYRO_OK) {
            pyro_first_error(status, &one, &first, err);
            break;
        }
    }

    pyro_arena_destroy(arena);

    return first;
}


static pyro_status_e
pyro_describe_stats(const pyro_view_t *view, pyro_store_part_stats_t *stats)
{
    int             rc;
    pyro_status_e   status;
    pyro_rolled_t   rolled;

    rc = pyro_kv_room(view->part->env, view->txn, &stats->used, &stats->free);

    if (rc == 0) {
        rc = pyro_describe_dbs(view, stats);
    }

    if (rc == 0 && view->part->sealed) {
        rc = pyro_describe_sealed(view, stats);
    }

    if (rc) {
        return pyro_env_error(view->part->env, rc, "be read", view->err);
    }

    status = pyro_rolled_read(view, &rolled);

    if (status == PYRO_OK && rolled.rolled > rolled.first) {
        stats->rolled = pyro_slot_start(rolled.rolled);

        if (stats->rolled > stats->part.end) {
            stats->rolled = stats->part.end;
        }
    }

    if (status == PYRO_OK) {
        status = pyro_describe_scopes(view, stats);
    }

    return status == PYRO_OK ? pyro_describe_streams(view, stats) : status;
}


static int
pyro_describe_dbs(const pyro_view_t *view, pyro_store_part_stats_t *stats)
{
    int               rc;
    pyro_kv_stat_t    stat;
    pyro_db_e         db;
    pyro_store_db_t  *out;

    for (db = PYRO_DB_META; db < PYRO_DB_COUNT; db++) {

        /* not in this file */

        if (view->part->dbi[db] == 0) {
            continue;
        }

        rc = pyro_kv_stat(view->txn, view->part->dbi[db], &stat);

        if (rc) {
            return rc;
        }

        out = &stats->dbs[stats->n_dbs++];

        out->name = pyro_db_names[db];
        out->entries = stat.entries;
        out->bytes = stat.bytes;

        switch (db) {

        case PYRO_DB_RAW:
            stats->pushes = view->part->sealed ? 0 : stat.entries;
            break;

        case PYRO_DB_STR:
            stats->strings = stat.entries;
            break;

        case PYRO_DB_FRAME:
            stats->frames = stat.entries;
            break;

        case PYRO_DB_PTYPE:
            stats->types = stat.entries;
            break;

        case PYRO_DB_LATE:
            stats->late = stat.entries;
            break;

        default:
            break;
        }
    }

    return 0;
}


/* Pushes by the directories of their hours; what cannot be read is left out. */
static int
pyro_describe_sealed(const pyro_view_t *view, pyro_store_part_stats_t *stats)
{
    int                  rc;
    uint32_t             i;
    pyro_slice_t         key, value;
    pyro_kv_cursor_t    *cursor;
    pyro_sealed_hour_t   hour;

    rc = pyro_kv_cursor(view->txn, view->part->dbi[PYRO_DB_RAW], &cursor);

    if (rc) {
        return rc;
    }

    while ((rc = pyro_kv_move(cursor, PYRO_KV_NEXT, &key, &value)) == 0) {
        if (key.len != PYRO_SEALED_KEY
            || pyro_sealed_hour_open(value,
                                pyro_get_be32((uint8_t *) key.data + 4),
                                &hour))
        {
            continue;
        }

        for (i = 0; i < hour.n; i++) {
            stats->pushes += hour.slots[i].pushes;
        }
    }

    pyro_kv_cursor_close(cursor);

    return rc == PYRO_KV_NOT_FOUND ? 0 : rc;
}


static pyro_status_e
pyro_describe_scopes(const pyro_view_t *view, pyro_store_part_stats_t *stats)
{
    pyro_kv_cursor_t    *cursor;
    pyro_slice_t         key, value;
    pyro_status_e        status;
    pyro_scope_value_t   scope;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(view, PYRO_DB_SCOPE, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(view, cursor, PYRO_KV_NEXT, &key, &value))
           == PYRO_OK)
    {
        if (pyro_scope_get(value, &scope)) {
            status = pyro_env_damaged(view->part->env, "scope",
                                      stats->scopes + 1, view->err);
            break;
        }

        stats->scopes++;
        stats->nodes += scope.nodes;
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_describe_streams(const pyro_view_t *view, pyro_store_part_stats_t *stats)
{
    pyro_kv_cursor_t     *cursor;
    pyro_slice_t          key, value;
    pyro_status_e         status;
    pyro_stream_value_t   stream;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(view, PYRO_DB_STREAM, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(view, cursor, PYRO_KV_NEXT, &key, &value))
           == PYRO_OK)
    {
        if (pyro_stream_get(value, &stream)) {
            status = pyro_env_damaged(view->part->env, "stream",
                                      stats->streams + 1, view->err);
            break;
        }

        if (stats->streams == 0 || stream.first < stats->first) {
            stats->first = stream.first;
        }

        stats->last = stream.last > stats->last ? stream.last : stats->last;
        stats->series += stream.n_ptypes;
        stats->streams++;
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}
