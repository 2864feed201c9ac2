#include "storage/retention.h"

#include <sys/stat.h>

#include "core/base/clock.h"
#include "storage/expiry.h"


static uint64_t pyro_retention_strays(pyro_catalog_t *catalog,
    pyro_arena_t *arena);
static pyro_status_e pyro_retention_is_due(pyro_store_t *store,
    pyro_partition_t *part, uint64_t bytes, int *due, pyro_error_t *err);
static uint64_t pyro_retention_blocks(const pyro_catalog_t *catalog,
    const char *name);
static pyro_status_e pyro_catalog_forget(pyro_catalog_t *catalog,
    const pyro_partition_t *part, pyro_error_t *err);


pyro_status_e
pyro_retention(pyro_store_t *store, pyro_store_work_t *work, pyro_error_t *err)
{
    int                 due;
    uint32_t            i, n;
    uint64_t            bytes, size, blocks;
    pyro_arena_t       *arena;
    pyro_error_t        one;
    pyro_catalog_t     *catalog;
    pyro_status_e       status, first;
    pyro_partition_t  **parts;

    catalog = &store->catalog;

    if (catalog->options.retention == 0 && catalog->options.n_retentions == 0
        && catalog->options.max_disk_size == 0)
    {
        return PYRO_OK;
    }

    arena = pyro_arena_create(0);

    if (arena == NULL) {
        return pyro_error_memory(err);
    }

    first = pyro_catalog_list(catalog, 0, INT64_MAX, arena, &parts, &n, err);
    n = first == PYRO_OK ? n : 0;

    bytes = pyro_retention_strays(catalog, arena);

    for (i = 0; i < n; i++) {
        bytes += pyro_catalog_size(catalog, parts[i]->name);
    }

    /* the oldest first; the list is by start */

    for (i = 0; i < n; i++) {

        status = pyro_retention_is_due(store, parts[i], bytes, &due, &one);
        pyro_first_error(status, &one, &first, err);

        if (status != PYRO_OK || !due) {
            continue;
        }

        size = pyro_catalog_size(catalog, parts[i]->name);
        blocks = pyro_retention_blocks(catalog, parts[i]->name);
        status = pyro_catalog_remove(catalog, parts[i], &one);
        pyro_first_error(status, &one, &first, err);

        if (status == PYRO_OK) {
            bytes -= size < bytes ? size : bytes;
            pyro_guard_freed(&store->guard, blocks);
            work->removed++;
        }
    }

    pyro_arena_destroy(arena);

    return first;
}


/* What files take that are no partitions yet: copies that sealing makes. */
static uint64_t
pyro_retention_strays(pyro_catalog_t *catalog, pyro_arena_t *arena)
{
    uint32_t       i, n;
    uint64_t       bytes;
    pyro_slice_t  *names;

    pthread_mutex_lock(&catalog->mutex);

    bytes = 0;
    n = pyro_catalog_strays(catalog, arena, &names, &n) == 0 ? n : 0;

    for (i = 0; i < n; i++) {
        bytes += pyro_catalog_size(catalog, names[i].data);
    }

    pthread_mutex_unlock(&catalog->mutex);

    return bytes;
}


static pyro_status_e
pyro_retention_is_due(pyro_store_t *store, pyro_partition_t *part,
    uint64_t bytes, int *due, pyro_error_t *err)
{
    pyro_expiry_e                expiry;
    pyro_status_e                status;
    const pyro_store_options_t  *options;

    options = &store->catalog.options;
    *due = 0;

    if (pyro_partition_end(part) > store->trusted) {
        return PYRO_OK;
    }

    /* a tenant's retention is no leave to remove what others have */

    if ((options->max_disk_size && bytes > options->max_disk_size)
        || ((options->max_disk_size || options->retention)
            && pyro_guard_missing(&store->guard)))
    {
        *due = 1;
        return PYRO_OK;
    }

    status = pyro_expiry_look(store, part, store->trusted, &expiry, err);
    *due = expiry == PYRO_EXPIRY_ALL;

    return status;
}


/* What a file takes on the disk; 0 if it is not there. */
static uint64_t
pyro_retention_blocks(const pyro_catalog_t *catalog, const char *name)
{
    char         path[4096];
    struct stat  st;

    pyro_catalog_path(catalog, name, path, sizeof(path));

    return stat(path, &st) == 0 ? (uint64_t) st.st_blocks * 512 : 0;
}


pyro_status_e
pyro_catalog_remove(pyro_catalog_t *catalog, pyro_partition_t *part,
    pyro_error_t *err)
{
    int             rc;
    uint8_t         state[1] = { PYRO_STATE_REMOVED };
    pyro_kv_txn_t  *txn;
    pyro_status_e   status;

    err->damaged = NULL;
    status = pyro_catalog_acquire(catalog, part, err);

    if (status == PYRO_OK) {
        status = pyro_env_begin(part->env, 0, &txn, err);

        if (status == PYRO_OK) {
            rc = pyro_meta_put(txn, part->dbi[PYRO_DB_META], "state", state,
                               sizeof(state));

            if (rc) {
                pyro_env_abort(part->env, txn);
                status = pyro_env_error(part->env, rc, "be removed", err);

            } else {
                status = pyro_env_commit(part->env, txn, err);
            }
        }

        pyro_catalog_release(catalog, part);
    }

    if (status != PYRO_OK && err->damaged != NULL) {
        /* the mark cannot be made: from here on nobody opens it */
        (void) pyro_catalog_damage(catalog, part, PYRO_SUSPECT_OPEN);
    }

    if (status == PYRO_UNAVAILABLE
        && (err->reason == PYRO_REASON_DISK
            || pyro_catalog_is_aside(catalog, part)))
    {
        /* nobody writes to it: a full disk, which has no page for the mark,
         * has none for a push */
        status = PYRO_NOT_FOUND;
    }

    if (status == PYRO_OK || status == PYRO_NOT_FOUND) {
        status = pyro_catalog_forget(catalog, part, err);
    }

    if (status == PYRO_OK) {
        pyro_catalog_unlink(catalog, part->name);
    }

    return status;
}


static pyro_status_e
pyro_catalog_forget(pyro_catalog_t *catalog, const pyro_partition_t *part,
    pyro_error_t *err)
{
    int             rc;
    uint8_t         bytes[PYRO_KEY_MAX];
    pyro_kv_txn_t  *txn;
    pyro_slice_t    key;
    pyro_status_e   status;

    key = pyro_slice(bytes,
                     pyro_key_part(bytes, part->start, part->generation));

    pthread_mutex_lock(&catalog->mutex);

    status = pyro_catalog_change(catalog, &txn, err);

    if (status == PYRO_OK) {
        rc = pyro_kv_delete(txn, catalog->dbi[PYRO_CONTROL_PART], key);

        if (rc && rc != PYRO_KV_NOT_FOUND) {
            pyro_env_abort(catalog->control, txn);
            status = pyro_env_error(catalog->control, rc, "be written", err);

        } else {
            status = pyro_catalog_commit(catalog, txn, catalog->generation + 1,
                                         err);
        }
    }

    pthread_mutex_unlock(&catalog->mutex);

    return status;
}


/* What cannot be unlinked is found, and tried again, when a store is opened. */
void
pyro_catalog_unlink(const pyro_catalog_t *catalog, const char *name)
{
    char  path[4096];

    pyro_catalog_path(catalog, name, path, sizeof(path));
    pyro_partition_unlink(path);
}
