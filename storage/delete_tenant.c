/*
 * pyro_store_delete_tenant(): streams, and then what control.mdb keeps of a
 * tenant beside its name, "setting" and "info", whose keys begin with its
 * number (storage/schema.h).  These go some a transaction: what is left of them
 * after a crash the next call deletes.
 */

#include "storage/delete.h"
#include "storage/handle.h"

#include <time.h>


#define PYRO_ENTRIES_BATCH  1000                /* a transaction */
#define PYRO_ENTRIES_PAUSE  (5 * 1000 * 1000)   /* ns, behind it */


typedef struct {
    pyro_env_t            *env;
    pyro_kv_db_t           dbi;
    pyro_kv_txn_t         *txn;
    pyro_kv_cursor_t      *cursor;
    uint32_t               tenant;
    int                    in_tenant;   /* 0: before the first one */
    pyro_slice_t           key;
    pyro_slice_t           value;
    pyro_error_t          *err;
} pyro_entries_t;


static pyro_status_e pyro_entries_each(pyro_catalog_t *catalog,
    pyro_control_db_e db, uint32_t tenant, pyro_store_entry_pt handler,
    void *ctx, uint64_t *n, pyro_error_t *err);
static pyro_status_e pyro_entries_delete(pyro_catalog_t *catalog,
    pyro_control_db_e db, uint32_t tenant, uint64_t *n, pyro_error_t *err);
static pyro_status_e pyro_entries_begin(pyro_entries_t *e,
    pyro_catalog_t *catalog, pyro_control_db_e db, int readonly);
static pyro_status_e pyro_entries_next(pyro_entries_t *e);
static pyro_slice_t pyro_entries_name(const pyro_entries_t *e,
    pyro_control_db_e db);
static pyro_status_e pyro_entries_batch(pyro_entries_t *e,
    pyro_catalog_t *catalog, pyro_control_db_e db, uint32_t *n);


/* The streams go first: what is left of it tells of nothing that is there. */
pyro_status_e
pyro_store_delete_tenant(pyro_store_t *store, const pyro_store_query_t *query,
    int only, pyro_store_stream_pt handler, pyro_store_entry_pt entry,
    void *ctx, pyro_delete_result_t *result, pyro_error_t *err)
{
    uint32_t           tenant;
    pyro_status_e      status;
    pyro_catalog_t    *catalog;

    memset(result, 0, sizeof(pyro_delete_result_t));

    catalog = &store->catalog;
    status = pyro_catalog_refresh(catalog, err);

    if (status != PYRO_OK) {
        return status;
    }

    tenant = pyro_catalog_tenant(catalog, query->tenant);

    if (tenant == PYRO_NONE) {
        return pyro_error_set(err, PYRO_NOT_FOUND, PYRO_REASON_REQUEST,
                              "the store has no tenant \"%.*s\"",
                              PYRO_SLICE_ARG(query->tenant));
    }

    status = pyro_delete_streams(store, query, only, handler, ctx, result, err);

    if (status == PYRO_OK) {
        status = pyro_entries_each(catalog, PYRO_CONTROL_SETTING, tenant,
                                   entry, ctx, &result->settings, err);
    }

    if (status == PYRO_OK) {
        status = pyro_entries_each(catalog, PYRO_CONTROL_INFO, tenant, entry,
                                   ctx, &result->infos, err);
    }

    if (status == PYRO_OK && !only) {
        status = pyro_entries_delete(catalog, PYRO_CONTROL_SETTING, tenant,
                                     &result->settings, err);
    }

    if (status == PYRO_OK && !only) {
        status = pyro_entries_delete(catalog, PYRO_CONTROL_INFO, tenant,
                                     &result->infos, err);
    }

    return status;
}


/* All of a tenant in one of these databases, in one snapshot. */
static pyro_status_e
pyro_entries_each(pyro_catalog_t *catalog, pyro_control_db_e db,
    uint32_t tenant, pyro_store_entry_pt handler, void *ctx, uint64_t *n,
    pyro_error_t *err)
{
    const char      *kind;
    pyro_status_e    status;
    pyro_entries_t   e = { .tenant = tenant, .err = err };

    *n = 0;
    kind = db == PYRO_CONTROL_INFO ? "jfr-info" : "setting";
    status = pyro_entries_begin(&e, catalog, db, 1);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND ? PYRO_OK : status;
    }

    while (status == PYRO_OK && (status = pyro_entries_next(&e)) == PYRO_OK) {
        (*n)++;

        if (handler != NULL) {
            status = handler(ctx, kind, pyro_entries_name(&e, db), err);
        }
    }

    pyro_kv_cursor_close(e.cursor);
    pyro_env_abort(e.env, e.txn);
    pyro_catalog_unhold(catalog);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_entries_delete(pyro_catalog_t *catalog, pyro_control_db_e db,
    uint32_t tenant, uint64_t *n, pyro_error_t *err)
{
    uint32_t         batch;
    pyro_status_e    status;
    struct timespec  pause = { 0, PYRO_ENTRIES_PAUSE };

    *n = 0;

    do {
        pyro_entries_t  e = { .tenant = tenant, .err = err };

        batch = 0;
        status = pyro_entries_batch(&e, catalog, db, &batch);

        if (status == PYRO_OK && batch) {
            *n += batch;
            nanosleep(&pause, NULL);
        }

    } while (status == PYRO_OK && batch == PYRO_ENTRIES_BATCH);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


/* A transaction of the database; PYRO_NOT_FOUND: an older file has it not. */
static pyro_status_e
pyro_entries_begin(pyro_entries_t *e, pyro_catalog_t *catalog,
    pyro_control_db_e db, int readonly)
{
    int            rc;
    pyro_status_e  status;

    status = pyro_catalog_hold(catalog, db, 0, e->err);

    if (status != PYRO_OK) {
        return status;
    }

    e->env = catalog->control;
    e->dbi = catalog->dbi[db];
    status = pyro_env_begin(e->env, readonly, &e->txn, e->err);

    if (status == PYRO_OK) {
        rc = pyro_kv_cursor(e->txn, e->dbi, &e->cursor);

        if (rc) {
            pyro_env_abort(e->env, e->txn);
            status = pyro_env_error(e->env, rc, "be read", e->err);
        }
    }

    if (status != PYRO_OK) {
        pyro_catalog_unhold(catalog);
    }

    return status;
}


/* PYRO_NOT_FOUND behind the last one of the tenant. */
static pyro_status_e
pyro_entries_next(pyro_entries_t *e)
{
    int      rc;
    uint8_t  first[PYRO_KEY_MAX];

    if (!e->in_tenant) {
        e->key = pyro_slice(first, pyro_key_id(first, e->tenant));
    }

    rc = pyro_kv_move(e->cursor, e->in_tenant ? PYRO_KV_NEXT : PYRO_KV_SEEK,
                      &e->key, &e->value);
    e->in_tenant = 1;

    if (rc) {
        return rc == PYRO_KV_NOT_FOUND ? PYRO_NOT_FOUND
               : pyro_env_error(e->env, rc, "be read", e->err);
    }

    return e->key.len >= 4
           && pyro_get_be32((const uint8_t *) e->key.data) == e->tenant
           ? PYRO_OK : PYRO_NOT_FOUND;
}


/* One that cannot be read goes like others. */
static pyro_slice_t
pyro_entries_name(const pyro_entries_t *e, pyro_control_db_e db)
{
    pyro_info_value_t  info;

    if (db != PYRO_CONTROL_INFO) {
        return pyro_slice(e->key.data + 4, e->key.len - 4);
    }

    return pyro_info_get(e->value, &info) ? PYRO_SLICE("?") : info.service;
}


static pyro_status_e
pyro_entries_batch(pyro_entries_t *e, pyro_catalog_t *catalog,
    pyro_control_db_e db, uint32_t *n)
{
    int            rc;
    pyro_status_e  status;

    status = pyro_entries_begin(e, catalog, db, 0);

    if (status != PYRO_OK) {
        return status;
    }

    while (*n < PYRO_ENTRIES_BATCH
           && (status = pyro_entries_next(e)) == PYRO_OK)
    {
        rc = pyro_kv_cursor_delete(e->cursor);

        if (rc) {
            status = pyro_env_error(e->env, rc, "be written", e->err);
            break;
        }

        (*n)++;
    }

    pyro_kv_cursor_close(e->cursor);

    if (status == PYRO_OK || status == PYRO_NOT_FOUND) {
        status = pyro_env_commit(e->env, e->txn, e->err);

    } else {
        pyro_env_abort(e->env, e->txn);
    }

    pyro_catalog_unhold(catalog);

    return status;
}
