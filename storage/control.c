/*
 * control.mdb: made, opened and written; and the making of partitions, whose
 * files come into being under its write lock.
 */

#include "storage/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "storage/late.h"


#define PYRO_CONTROL_FILE      "control.mdb"
#define PYRO_CONTROL_MAP_SIZE  (256 * 1024 * 1024)
#define PYRO_NAME_ATTEMPTS     1000
#define PYRO_MAKE_ATTEMPTS     16


static pyro_status_e pyro_catalog_init(pyro_catalog_t *catalog,
    pyro_error_t *err);
static pyro_status_e pyro_catalog_make_locked(pyro_catalog_t *catalog,
    int64_t time, pyro_error_t *err);
static pyro_status_e pyro_catalog_create(pyro_catalog_t *catalog,
    pyro_kv_txn_t *txn, int64_t time, pyro_error_t *err);


static const char  *pyro_control_names[PYRO_CONTROL_COUNT] = {
    "meta", "part", "tenant", "info", "setting"
};


pyro_status_e
pyro_catalog_control(pyro_catalog_t *catalog, pyro_error_t *err)
{
    int             rc;
    char            path[4096];
    pyro_kv_txn_t  *txn;
    uint32_t        i;
    pyro_status_e   status;

    if (pyro_catalog_path(catalog, PYRO_CONTROL_FILE, path, sizeof(path))) {
        return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage.filesystem.dir is longer than %zu bytes",
                              sizeof(path) - PYRO_FILE_NAME_MAX);
    }

    if (catalog->options.access != PYRO_ACCESS_MAKE && access(path, F_OK)) {
        return pyro_error_set(err, PYRO_NOT_FOUND, PYRO_REASON_STORE,
                              "\"%s\" holds no store: %s: %s", catalog->dir,
                              PYRO_CONTROL_FILE, strerror(errno));
    }

    status = pyro_env_open(path, PYRO_CONTROL_MAP_SIZE, PYRO_DURABILITY_COMMIT,
                           catalog->options.access, &catalog->control, err);

    if (status == PYRO_OK) {
        status = pyro_catalog_init(catalog, err);
    }

    if (status == PYRO_OK) {
        status = pyro_env_begin(catalog->control, 1, &txn, err);
    }

    if (status != PYRO_OK) {
        return status;
    }

    for (i = 0, rc = 0; i < PYRO_CONTROL_COUNT && rc == 0; i++) {
        rc = pyro_kv_open(txn, pyro_control_names[i], 0, &catalog->dbi[i]);

        if (rc == PYRO_KV_NOT_FOUND && i >= PYRO_CONTROL_INFO) {
            catalog->dbi[i] = 0;
            rc = 0;
        }
    }

    if (rc) {
        pyro_env_abort(catalog->control, txn);
        return pyro_env_error(catalog->control, rc, "open its databases", err);
    }

    return pyro_env_commit(catalog->control, txn, err);
}


/*
 * LMDB gives up an environment whose meta page could not be written; nothing
 * but opening it again helps.  No transaction of it may be open: all of them
 * are under the mutex or hold it.
 */
pyro_status_e
pyro_catalog_ready(pyro_catalog_t *catalog, pyro_error_t *err)
{
    pyro_status_e  status;

    if (catalog->control != NULL
        && (!atomic_load(&catalog->control->broken) || catalog->holds))
    {
        return PYRO_OK;
    }

    pyro_env_close(catalog->control);
    catalog->control = NULL;

    status = pyro_catalog_control(catalog, err);

    if (status != PYRO_OK) {
        pyro_env_close(catalog->control);
        catalog->control = NULL;
    }

    return status;
}


pyro_status_e
pyro_catalog_db_locked(pyro_catalog_t *catalog, pyro_control_db_e db, int make,
    pyro_error_t *err)
{
    int             rc;
    pyro_kv_db_t    dbi;
    pyro_kv_txn_t  *txn;
    pyro_status_e   status;

    if (catalog->dbi[db]) {
        return PYRO_OK;
    }

    status = pyro_env_begin(catalog->control, !make, &txn, err);

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_kv_open(txn, pyro_control_names[db], make, &dbi);

    if (rc) {
        pyro_env_abort(catalog->control, txn);
        return rc == PYRO_KV_NOT_FOUND ? PYRO_NOT_FOUND
               : pyro_env_error(catalog->control, rc, "open its databases",
                                err);
    }

    status = pyro_env_commit(catalog->control, txn, err);

    if (status == PYRO_OK) {
        catalog->dbi[db] = dbi;
    }

    return status;
}


pyro_status_e
pyro_catalog_hold(pyro_catalog_t *catalog, pyro_control_db_e db, int make,
    pyro_error_t *err)
{
    pyro_status_e  status;

    pthread_mutex_lock(&catalog->mutex);

    status = pyro_catalog_ready(catalog, err);

    if (status == PYRO_OK) {
        status = pyro_catalog_db_locked(catalog, db, make, err);
    }

    if (status == PYRO_OK) {
        catalog->holds++;
    }

    pthread_mutex_unlock(&catalog->mutex);

    return status;
}


void
pyro_catalog_unhold(pyro_catalog_t *catalog)
{
    pthread_mutex_lock(&catalog->mutex);
    catalog->holds--;
    pthread_mutex_unlock(&catalog->mutex);
}


/* Makes the databases of a new file, refuses one of another format. */
static pyro_status_e
pyro_catalog_init(pyro_catalog_t *catalog, pyro_error_t *err)
{
    int             rc;
    pyro_kv_db_t    dbi;
    pyro_kv_txn_t  *txn;
    uint8_t         format[4], generation[4];
    uint32_t        i;
    pyro_status_e   status;

    status = pyro_env_begin(catalog->control, 1, &txn, err);

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_kv_open(txn, "meta", 0, &dbi);

    if (rc != PYRO_KV_NOT_FOUND
        || catalog->options.access != PYRO_ACCESS_MAKE)
    {
        status = rc ? pyro_env_error(catalog->control, rc, "be read", err)
                    : pyro_meta_format(catalog->control, txn, dbi, err);

        pyro_env_abort(catalog->control, txn);
        return status;
    }

    pyro_env_abort(catalog->control, txn);

    status = pyro_env_begin(catalog->control, 0, &txn, err);

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_kv_open(txn, "meta", 0, &dbi);

    if (rc != PYRO_KV_NOT_FOUND) {
        /* another process was faster */
        pyro_env_abort(catalog->control, txn);
        return rc ? pyro_env_error(catalog->control, rc, "be read", err)
                  : PYRO_OK;
    }

    for (i = PYRO_CONTROL_COUNT, rc = 0; i && rc == 0; i--) {
        rc = pyro_kv_open(txn, pyro_control_names[i - 1], 1, &dbi);
    }

    pyro_put_be32(format, PYRO_FORMAT);
    pyro_put_be32(generation, 1);

    if (rc == 0) {
        rc = pyro_meta_put(txn, dbi, "format", format, sizeof(format));
    }

    if (rc == 0) {
        rc = pyro_meta_put(txn, dbi, "generation", generation,
                           sizeof(generation));
    }

    if (rc) {
        pyro_env_abort(catalog->control, txn);
        return pyro_env_error(catalog->control, rc, "be made", err);
    }

    status = pyro_env_commit(catalog->control, txn, err);

    return status == PYRO_OK ? pyro_catalog_sync_dir(catalog, err) : status;
}


pyro_status_e
pyro_catalog_make(pyro_catalog_t *catalog, int64_t time,
    pyro_partition_t **part, pyro_error_t *err)
{
    uint32_t       i;
    pyro_status_e  status;

    *part = NULL;
    pthread_mutex_lock(&catalog->mutex);

    status = pyro_catalog_refresh_locked(catalog, err);

    /* a stray that was found in its place may be one that is not written */

    for (i = 0; status == PYRO_OK && i < PYRO_MAKE_ATTEMPTS; i++) {
        *part = pyro_catalog_find_locked(catalog, time);

        if (*part != NULL) {
            break;
        }

        status = pyro_catalog_make_locked(catalog, time, err);
    }

    if (status == PYRO_OK && *part == NULL) {
        status = pyro_env_damaged(catalog->control, "generation",
                                  catalog->generation, err);
    }

    pthread_mutex_unlock(&catalog->mutex);

    return status;
}


pyro_status_e
pyro_catalog_change(pyro_catalog_t *catalog, pyro_kv_txn_t **txn,
    pyro_error_t *err)
{
    pyro_status_e  status;

    status = pyro_catalog_ready(catalog, err);

    if (status == PYRO_OK) {
        status = pyro_env_begin(catalog->control, 0, txn, err);
    }

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_catalog_load(catalog, *txn, err);

    if (status != PYRO_OK) {
        pyro_env_abort(catalog->control, *txn);
    }

    return status;
}


/* control.mdb's write lock makes this one process's at a time. */
static pyro_status_e
pyro_catalog_make_locked(pyro_catalog_t *catalog, int64_t time,
    pyro_error_t *err)
{
    pyro_kv_txn_t  *txn;
    pyro_status_e   status;

    status = pyro_catalog_change(catalog, &txn, err);

    if (status != PYRO_OK) {
        return status;
    }

    if (pyro_catalog_find_locked(catalog, time) != NULL) {
        pyro_env_abort(catalog->control, txn);
        return PYRO_OK;
    }

    status = pyro_late_take(catalog, txn, time, pyro_clock_wall(), err);

    if (status != PYRO_OK) {
        pyro_env_abort(catalog->control, txn);
        return status;
    }

    return pyro_catalog_create(catalog, txn, time, err);
}


static pyro_status_e
pyro_catalog_create(pyro_catalog_t *catalog, pyro_kv_txn_t *txn, int64_t time,
    pyro_error_t *err)
{
    int                     rc, adopted;
    char                    path[4096], name[PYRO_FILE_NAME_MAX];
    uint32_t                i, generation;
    uint64_t                seconds;
    pyro_status_e           status;
    pyro_partition_t        part;
    pyro_partition_value_t  value;

    seconds = (uint64_t) time / PYRO_NS_PER_SEC;
    status = PYRO_UNAVAILABLE;
    generation = catalog->generation;
    adopted = 0;
    rc = 0;

    memset(&part, 0, sizeof(pyro_partition_t));

    value.length = catalog->options.partition;
    value.start = seconds / value.length * value.length;

    if (getrandom(&value.seed, sizeof(value.seed), 0)
        != (ssize_t) sizeof(value.seed))
    {
        rc = errno;
    }

    for (i = 0; rc == 0 && i < PYRO_NAME_ATTEMPTS; i++) {
        value.generation = ++generation;
        part.start = value.start;
        part.length = value.length;
        part.generation = generation;

        pyro_partition_name(name, value.start, value.length, generation);
        pyro_catalog_path(catalog, name, path, sizeof(path));
        memcpy(part.name, name, sizeof(name));

        if (access(path, F_OK) != 0) {
            status = pyro_partition_create(path, catalog->options.map_size,
                                           &value, PYRO_STATE_OPEN, err);
            break;
        }

        /* left by a crash between its making and the catalogue's commit */

        status = pyro_catalog_adopt_file(catalog, txn, name, &generation, &part,
                                         &adopted, err);

        if (status != PYRO_OK || adopted) {
            break;
        }
    }

    if (rc == 0 && status == PYRO_OK) {
        status = pyro_catalog_sync_dir(catalog, err);
        rc = status == PYRO_OK ? pyro_catalog_put_part(catalog, txn, &part) : 0;
    }

    if (rc || status != PYRO_OK) {
        pyro_env_abort(catalog->control, txn);
        return rc ? pyro_env_error(catalog->control, rc, "enter a partition",
                                   err)
                  : status;
    }

    return pyro_catalog_commit(catalog, txn, generation, err);
}


int
pyro_catalog_put_part(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    const pyro_partition_t *part)
{
    size_t   key_len, len;
    uint8_t  key[PYRO_KEY_MAX], value[PYRO_PART_VALUE + PYRO_FILE_NAME_MAX];

    len = strlen(part->name);

    pyro_put_be32(value, part->length);
    value[4] = (uint8_t) part->state;
    memcpy(value + PYRO_PART_VALUE, part->name, len);

    key_len = pyro_key_part(key, part->start, part->generation);

    return pyro_kv_put(txn, catalog->dbi[PYRO_CONTROL_PART],
                       pyro_slice(key, key_len),
                       pyro_slice(value, PYRO_PART_VALUE + len));
}


int
pyro_catalog_put_tenant(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    uint32_t id, pyro_slice_t name)
{
    size_t   len;
    uint8_t  key[PYRO_KEY_MAX];

    len = pyro_key_id(key, id);

    return pyro_kv_put(txn, catalog->dbi[PYRO_CONTROL_TENANT],
                       pyro_slice(key, len), name);
}


pyro_status_e
pyro_catalog_commit(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    uint32_t generation, pyro_error_t *err)
{
    int             rc;
    uint8_t         value[4];
    pyro_status_e   status;

    pyro_put_be32(value, generation);

    rc = pyro_meta_put(txn, catalog->dbi[PYRO_CONTROL_META], "generation",
                       value, sizeof(value));

    if (rc) {
        pyro_env_abort(catalog->control, txn);
        return pyro_env_error(catalog->control, rc, "be written", err);
    }

    status = pyro_env_commit(catalog->control, txn, err);

    return status == PYRO_OK ? pyro_catalog_refresh_locked(catalog, err)
                             : status;
}


int
pyro_catalog_path(const pyro_catalog_t *catalog, const char *name, char *path,
    size_t size)
{
    int  n;

    n = snprintf(path, size, "%s/%s", catalog->dir, name);

    /* LMDB's lock file has a longer name */

    return n < 0 || (size_t) n + PYRO_FILE_NAME_MAX > size ? -1 : 0;
}


uint64_t
pyro_catalog_size(const pyro_catalog_t *catalog, const char *name)
{
    char         path[4096];
    struct stat  st;

    pyro_catalog_path(catalog, name, path, sizeof(path));

    return stat(path, &st) == 0 ? (uint64_t) st.st_size : 0;
}


pyro_status_e
pyro_catalog_sync_dir(const pyro_catalog_t *catalog, pyro_error_t *err)
{
    int  fd, rc;

    fd = open(catalog->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd == -1 ? -1 : fsync(fd);

    if (rc == -1) {
        pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                       "storage.filesystem.dir \"%s\" cannot be synced: %s",
                       catalog->dir, strerror(errno));
    }

    if (fd != -1) {
        close(fd);
    }

    return rc == -1 ? PYRO_UNAVAILABLE : PYRO_OK;
}
