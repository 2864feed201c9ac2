#include "storage/partition.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "storage/quota.h"
#include "storage/suspects.h"


static int pyro_partition_dbs(pyro_kv_txn_t *txn, pyro_kv_db_t *dbi, int make);
static int pyro_partition_fill(pyro_kv_txn_t *txn, pyro_kv_db_t meta,
    const pyro_partition_value_t *value, pyro_state_e state);
static pyro_status_e pyro_partition_load(pyro_partition_t *part,
    pyro_error_t *err);
static pyro_status_e pyro_partition_meta(pyro_partition_t *part,
    pyro_kv_txn_t *txn, pyro_error_t *err);


pyro_status_e
pyro_partition_create(const char *path, uint64_t map_size,
    const pyro_partition_value_t *value, pyro_state_e state,
    pyro_error_t *err)
{
    int             rc;
    pyro_kv_db_t    dbi[PYRO_DB_COUNT];
    pyro_kv_txn_t  *txn;
    pyro_env_t     *env;
    pyro_status_e   status;

    status = pyro_env_open(path, map_size, PYRO_DURABILITY_COMMIT,
                           PYRO_ACCESS_MAKE, &env, err);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_env_begin(env, 0, &txn, err);

    if (status == PYRO_OK) {
        rc = pyro_partition_dbs(txn, dbi, 1);

        if (rc == 0) {
            rc = pyro_partition_fill(txn, dbi[PYRO_DB_META], value, state);
        }

        if (rc) {
            pyro_env_abort(env, txn);
            status = pyro_env_error(env, rc, "be made", err);

        } else {
            status = pyro_env_commit(env, txn, err);
        }
    }

    pyro_env_close(env);

    if (status != PYRO_OK) {
        pyro_partition_unlink(path);
    }

    return status;
}


void
pyro_partition_unlink(const char *path)
{
    char  lock[4096 + 8];

    snprintf(lock, sizeof(lock), "%s-lock", path);

    (void) unlink(path);
    (void) unlink(lock);
}


static int
pyro_partition_dbs(pyro_kv_txn_t *txn, pyro_kv_db_t *dbi, int make)
{
    int       rc;
    uint32_t  i;

    for (i = 0; i < PYRO_DB_COUNT; i++) {
        rc = pyro_kv_open(txn, pyro_db_names[i], make, &dbi[i]);

        if (rc) {
            return rc;
        }
    }

    return 0;
}


static int
pyro_partition_fill(pyro_kv_txn_t *txn, pyro_kv_db_t meta,
    const pyro_partition_value_t *value, pyro_state_e state)
{
    int         rc;
    uint8_t     format[4], partition[PYRO_PARTITION_SIZE], byte[1];
    uint8_t     last[PYRO_IDS_SIZE];
    pyro_ids_t  ids = { 0, 0, 0, 0, 0 };

    pyro_put_be32(format, PYRO_FORMAT);
    pyro_partition_put(partition, value);
    byte[0] = (uint8_t) state;
    pyro_ids_put(last, &ids);

    rc = pyro_meta_put(txn, meta, "format", format, sizeof(format));

    if (rc == 0) {
        rc = pyro_meta_put(txn, meta, "partition", partition,
                           sizeof(partition));
    }

    if (rc == 0) {
        rc = pyro_meta_put(txn, meta, "state", byte, sizeof(byte));
    }

    return rc ? rc : pyro_meta_put(txn, meta, "ids", last, sizeof(last));
}


pyro_status_e
pyro_partition_open(pyro_partition_t *part, const char *path,
    uint64_t map_size, pyro_durability_e durability, pyro_access_e access,
    pyro_error_t *err)
{
    int            gone;
    uint64_t       id;
    struct stat    before, after;
    pyro_slice_t   dir;
    pyro_status_e  status;

    /* pyro_env_open() would make a file that is not there */

    dir = pyro_slice(path, (size_t) (strrchr(path, '/') - path));
    id = pyro_suspects_id(dir, part->start, part->generation);
    gone = stat(path, &before) != 0;

    if (gone && errno == ENOENT) {
        return pyro_error_set(err, PYRO_NOT_FOUND, PYRO_REASON_STORE,
                              "storage: %s is not there", path);
    }

    pyro_suspects_enter(id);
    status = pyro_env_open(path, map_size, durability, access, &part->env,
                           err);
    pyro_suspects_leave(id);

    if (status != PYRO_OK) {
        return status;
    }

    /* and has, if it was removed just now: two pages; no file of ours shrinks.
     * Its inode says nothing: it is used again, and changes in a container's
     * file system when a file is first written. */

    gone = gone || stat(path, &after) != 0;

    if (gone || after.st_size < before.st_size) {
        pyro_env_close(part->env);
        part->env = NULL;

        if (!gone) {
            pyro_partition_unlink(path);
        }

        return pyro_error_set(err, PYRO_NOT_FOUND, PYRO_REASON_STORE,
                              "storage: %s is not there any more", path);
    }

    part->env->suspect = id;
    status = pyro_partition_load(part, err);

    if (status == PYRO_OK && pyro_node_cache_init(&part->cache)) {
        status = pyro_error_memory(err);
    }

    if (status != PYRO_OK) {
        pyro_env_close(part->env);
        part->env = NULL;
        return status;
    }

    /* a slot left by a killed reader would keep freed pages from being used */

    (void) pyro_env_reader_check(part->env, NULL);

    return PYRO_OK;
}


static pyro_status_e
pyro_partition_load(pyro_partition_t *part, pyro_error_t *err)
{
    int             rc;
    pyro_kv_db_t    meta;
    pyro_kv_txn_t  *txn;
    pyro_status_e   status;

    status = pyro_env_begin(part->env, 1, &txn, err);

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_kv_open(txn, pyro_db_names[PYRO_DB_META], 0, &meta);

    if (rc) {
        status = pyro_env_error(part->env, rc, "be used: it is no partition",
                                err);

    } else {
        status = pyro_meta_format(part->env, txn, meta, err);
    }

    if (status == PYRO_OK) {
        rc = pyro_partition_dbs(txn, part->dbi, 0);

        if (rc) {
            status = pyro_env_error(part->env, rc, "open its databases", err);

        } else {
            status = pyro_partition_meta(part, txn, err);
        }
    }

    if (status != PYRO_OK) {
        pyro_env_abort(part->env, txn);
        return status;
    }

    /* handles live on only if their transaction is committed */

    return pyro_env_commit(part->env, txn, err);
}


static pyro_status_e
pyro_partition_meta(pyro_partition_t *part, pyro_kv_txn_t *txn,
    pyro_error_t *err)
{
    pyro_view_t             view = { part, txn, err };
    pyro_slice_t            in;
    pyro_status_e           status;
    pyro_partition_value_t  value;

    status = pyro_view_get(&view, PYRO_DB_META, "partition",
                           strlen("partition"), &in);

    if (status == PYRO_OK && pyro_partition_get(in, &value)) {
        status = PYRO_NOT_FOUND;
    }

    if (status == PYRO_NOT_FOUND) {
        return pyro_env_damaged(part->env, "meta of format", PYRO_FORMAT, err);
    }

    if (status != PYRO_OK) {
        return status;
    }

    part->start = value.start;
    part->length = value.length;
    part->generation = value.generation;
    part->seed = value.seed;

    status = pyro_view_get(&view, PYRO_DB_META, "state", strlen("state"), &in);

    if (status == PYRO_NOT_FOUND || (status == PYRO_OK && in.len != 1)) {
        return pyro_env_damaged(part->env, "state of format", PYRO_FORMAT,
                                err);
    }

    if (status == PYRO_OK) {
        part->state = (pyro_state_e) (uint8_t) in.data[0];
        part->sealed = part->state == PYRO_STATE_BUILDING
                       || pyro_state_is_sealed(part->state);
        part->thinned = part->state == PYRO_STATE_HOURS ? 1
                        : part->state == PYRO_STATE_DAYS ? 2 : 0;
    }

    return status;
}


int
pyro_partition_sources(pyro_partition_t *part, uint32_t *list, uint32_t *n)
{
    size_t          i;
    pyro_kv_txn_t  *txn;
    pyro_view_t     view;
    pyro_slice_t    in;
    pyro_status_e   status;

    if (pyro_env_begin(part->env, 1, &txn, NULL) != PYRO_OK) {
        return -1;
    }

    view.part = part;
    view.txn = txn;
    view.err = NULL;

    status = pyro_view_get(&view, PYRO_DB_META, "sources", strlen("sources"),
                           &in);

    if (status == PYRO_OK && in.len <= 4 * PYRO_SOURCES_MAX) {
        *n = (uint32_t) in.len / 4;

        for (i = 0; i < *n; i++) {
            list[i] = pyro_get_be32((const uint8_t *) in.data + 4 * i);
        }

    } else {
        status = PYRO_NOT_FOUND;
    }

    pyro_env_abort(part->env, txn);

    return status == PYRO_OK ? 0 : -1;
}


void
pyro_partition_close(pyro_partition_t *part)
{
    if (part->env != NULL) {
        pyro_env_close(part->env);
        pyro_node_cache_free(&part->cache);
        pyro_quota_forget(&part->quota);
        part->env = NULL;
    }
}


int
pyro_partition_overlaps(const pyro_partition_t *part, int64_t start,
    int64_t end)
{
    uint64_t  first, last;

    if (end < 0 || end < start) {
        return 0;
    }

    first = start < 0 ? 0 : (uint64_t) start / PYRO_NS_PER_SEC;
    last = (uint64_t) end / PYRO_NS_PER_SEC;

    return part->start <= last && first < part->start + part->length;
}


pyro_status_e
pyro_view_ids(const pyro_view_t *view, pyro_ids_t *ids)
{
    pyro_slice_t   in;
    pyro_status_e  status;

    status = pyro_view_get(view, PYRO_DB_META, "ids", strlen("ids"), &in);

    if (status == PYRO_NOT_FOUND
        || (status == PYRO_OK && pyro_ids_get(in, ids)))
    {
        return pyro_env_damaged(view->part->env, "meta of format", PYRO_FORMAT,
                                view->err);
    }

    return status;
}


pyro_status_e
pyro_view_get(const pyro_view_t *view, pyro_db_e db, const void *key,
    size_t key_len, pyro_slice_t *value)
{
    int  rc;

    rc = pyro_kv_get(view->txn, view->part->dbi[db], pyro_slice(key, key_len),
                     value);

    if (rc == PYRO_KV_NOT_FOUND) {
        return PYRO_NOT_FOUND;
    }

    return rc ? pyro_env_error(view->part->env, rc, "be read", view->err)
              : PYRO_OK;
}


pyro_status_e
pyro_view_put(const pyro_view_t *view, pyro_db_e db, const void *key,
    size_t key_len, const void *value, size_t len)
{
    int  rc;

    rc = pyro_kv_put(view->txn, view->part->dbi[db], pyro_slice(key, key_len),
                     pyro_slice(value, len));

    return rc ? pyro_env_error(view->part->env, rc, "be written", view->err)
              : PYRO_OK;
}


pyro_status_e
pyro_view_delete(const pyro_view_t *view, pyro_db_e db, const void *key,
    size_t key_len)
{
    int  rc;

    rc = pyro_kv_delete(view->txn, view->part->dbi[db],
                        pyro_slice(key, key_len));

    return rc && rc != PYRO_KV_NOT_FOUND
           ? pyro_env_error(view->part->env, rc, "be written", view->err)
           : PYRO_OK;
}


pyro_status_e
pyro_view_cursor(const pyro_view_t *view, pyro_db_e db,
    pyro_kv_cursor_t **cursor)
{
    int  rc;

    rc = pyro_kv_cursor(view->txn, view->part->dbi[db], cursor);

    return rc ? pyro_env_error(view->part->env, rc, "be read", view->err)
              : PYRO_OK;
}


pyro_status_e
pyro_view_seek(const pyro_view_t *view, pyro_kv_cursor_t *cursor,
    pyro_kv_move_e op, pyro_slice_t *key, pyro_slice_t *value)
{
    int  rc;

    rc = pyro_kv_move(cursor, op, key, value);

    if (rc == PYRO_KV_NOT_FOUND) {
        return PYRO_NOT_FOUND;
    }

    return rc ? pyro_env_error(view->part->env, rc, "be read", view->err)
              : PYRO_OK;
}


int
pyro_meta_u32(pyro_kv_txn_t *txn, pyro_kv_db_t meta, const char *name,
    uint32_t *v)
{
    pyro_slice_t  value;

    if (pyro_kv_get(txn, meta, pyro_slice_str(name), &value)
        || value.len != 4)
    {
        return -1;
    }

    *v = pyro_get_be32((const uint8_t *) value.data);

    return 0;
}


int
pyro_meta_put(pyro_kv_txn_t *txn, pyro_kv_db_t meta, const char *name,
    const void *value, size_t len)
{
    return pyro_kv_put(txn, meta, pyro_slice_str(name),
                       pyro_slice(value, len));
}


pyro_status_e
pyro_meta_format(pyro_env_t *env, pyro_kv_txn_t *txn, pyro_kv_db_t meta,
    pyro_error_t *err)
{
    uint32_t       format;
    pyro_status_e  status;

    if (pyro_meta_u32(txn, meta, "format", &format)) {
        status = pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                                "storage: %s has no format number", env->name);

        return pyro_error_damage(err, status, env);
    }

    if (format != PYRO_FORMAT) {
        return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage: %s has format %u, this version reads "
                              "and writes format %u", env->name, format,
                              PYRO_FORMAT);
    }

    return PYRO_OK;
}
