/*
 * Tenants, and partition files that the catalogue does not know: those left by
 * a crash between their making and the catalogue's commit, and all of them
 * where control.mdb was lost.
 */

#include "storage/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>


static int pyro_catalog_knows(const pyro_catalog_t *catalog, const char *name);
static int pyro_catalog_stray_cmp(const void *one, const void *two);
static uint32_t pyro_catalog_stray_generation(const char *name);
static pyro_status_e pyro_catalog_adopt_all(pyro_catalog_t *catalog,
    const pyro_slice_t *names, uint32_t n, pyro_error_t *err);
static int pyro_catalog_is_replaced(pyro_catalog_t *catalog,
    pyro_partition_t *part);
static int pyro_catalog_copied(pyro_catalog_t *catalog,
    pyro_partition_t *known, const pyro_partition_t *part,
    const uint32_t *sources, uint32_t n);
static int pyro_catalog_replace(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    pyro_partition_t *part);
static int pyro_catalog_adopt_tenants(pyro_catalog_t *catalog,
    pyro_kv_txn_t *txn, pyro_partition_t *part, int enter);
static pyro_status_e pyro_catalog_may_add_locked(const pyro_catalog_t *catalog,
    pyro_slice_t name, pyro_error_t *err);
static uint32_t pyro_catalog_tenant_locked(const pyro_catalog_t *catalog,
    pyro_slice_t name);


pyro_status_e
pyro_catalog_adopt(pyro_catalog_t *catalog, pyro_error_t *err)
{
    uint32_t        n;
    pyro_arena_t   *arena;
    pyro_slice_t   *names;
    pyro_status_e   status;

    status = pyro_catalog_refresh(catalog, err);

    if (status != PYRO_OK) {
        return status;
    }

    arena = pyro_arena_create(0);

    if (arena == NULL || pyro_catalog_strays(catalog, arena, &names, &n)) {
        pyro_arena_destroy(arena);
        return pyro_error_memory(err);
    }

    if (n) {
        pthread_mutex_lock(&catalog->mutex);
        status = pyro_catalog_adopt_all(catalog, names, n, err);
        pthread_mutex_unlock(&catalog->mutex);
    }

    pyro_arena_destroy(arena);

    return status;
}


int
pyro_catalog_is_partition(const char *name)
{
    size_t  len;

    len = strlen(name);

    return len > 6 && len < PYRO_FILE_NAME_MAX && memcmp(name, "p-", 2) == 0
           && strcmp(name + len - 4, ".mdb") == 0;
}


static int
pyro_catalog_knows(const pyro_catalog_t *catalog, const char *name)
{
    uint32_t  i;

    for (i = 0; i < catalog->n_parts; i++) {
        if (strcmp(catalog->parts[i]->name, name) == 0) {
            return 1;
        }
    }

    return 0;
}


/* A directory that cannot be read has no strays: writing will tell. */
int
pyro_catalog_strays(pyro_catalog_t *catalog, pyro_arena_t *arena,
    pyro_slice_t **names, uint32_t *n)
{
    DIR            *dir;
    uint32_t        cap;
    struct dirent  *entry;

    *n = 0;
    *names = NULL;
    cap = 0;

    dir = opendir(catalog->dir);

    if (dir == NULL) {
        return 0;
    }

    while ((entry = readdir(dir)) != NULL) {

        if (!pyro_catalog_is_partition(entry->d_name)
            || pyro_catalog_knows(catalog, entry->d_name))
        {
            continue;
        }

        if (pyro_arena_grow(arena, names, &cap, *n + 1, sizeof(pyro_slice_t))) {
            closedir(dir);
            return -1;
        }

        (*names)[*n] = pyro_arena_dup(arena, pyro_slice_str(entry->d_name));

        if ((*names)[(*n)++].data == NULL) {
            closedir(dir);
            return -1;
        }
    }

    closedir(dir);

    /* what a file was copied from comes before it */

    if (*n) {
        qsort(*names, *n, sizeof(pyro_slice_t), pyro_catalog_stray_cmp);
    }

    return 0;
}


static int
pyro_catalog_stray_cmp(const void *one, const void *two)
{
    uint32_t             first, second;
    const pyro_slice_t  *a = one, *b = two;

    first = pyro_catalog_stray_generation(a->data);
    second = pyro_catalog_stray_generation(b->data);

    return first == second ? strcmp(a->data, b->data)
                           : first < second ? -1 : 1;
}


/* The number behind the date. */
static uint32_t
pyro_catalog_stray_generation(const char *name)
{
    const char  *dot;

    dot = strchr(name, '.');

    return dot == NULL ? 0 : (uint32_t) strtoul(dot + 1, NULL, 10);
}


static pyro_status_e
pyro_catalog_adopt_all(pyro_catalog_t *catalog, const pyro_slice_t *names,
    uint32_t n, pyro_error_t *err)
{
    int                rc, adopted, some;
    pyro_kv_txn_t     *txn;
    uint32_t           i, generation;
    pyro_status_e      status;
    pyro_partition_t   part;

    status = pyro_env_begin(catalog->control, 0, &txn, err);

    if (status != PYRO_OK) {
        return status;
    }

    /* who is just making a partition has entered it by now */

    status = pyro_catalog_load(catalog, txn, err);
    generation = catalog->generation;
    some = 0;

    for (i = 0; status == PYRO_OK && i < n; i++) {

        if (pyro_catalog_knows(catalog, names[i].data)) {
            continue;
        }

        status = pyro_catalog_adopt_file(catalog, txn, names[i].data,
                                         &generation, &part, &adopted, err);

        if (status == PYRO_OK && adopted) {
            some = 1;
            rc = pyro_catalog_put_part(catalog, txn, &part);

            if (rc) {
                status = pyro_env_error(catalog->control, rc,
                                        "enter a partition", err);
            }
        }
    }

    /* who made it may have died before its name was on disk */

    if (status == PYRO_OK && some) {
        status = pyro_catalog_sync_dir(catalog, err);
    }

    if (status != PYRO_OK || !some) {
        pyro_env_abort(catalog->control, txn);
        return status;
    }

    return pyro_catalog_commit(catalog, txn, generation + 1, err);
}


pyro_status_e
pyro_catalog_adopt_file(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    const char *name, uint32_t *generation, pyro_partition_t *part,
    int *adopted, pyro_error_t *err)
{
    int   rc;
    char  path[4096], own[PYRO_FILE_NAME_MAX];

    *adopted = 0;

    pyro_catalog_path(catalog, name, path, sizeof(path));

    memset(part, 0, sizeof(pyro_partition_t));
    memcpy(part->name, name, strlen(name) + 1);

    /* a file that cannot be opened is left where it is */

    if (pyro_partition_open(part, path, catalog->options.map_size,
                            catalog->options.durability, PYRO_ACCESS_MAKE,
                            NULL)
        != PYRO_OK)
    {
        return PYRO_OK;
    }

    /* somebody's copy is not to take the place of the file it was made of */

    pyro_partition_name(own, part->start, part->length, part->generation);

    if (strcmp(own, name) == 0
        && (part->state == PYRO_STATE_REMOVED
            || pyro_catalog_is_replaced(catalog, part)))
    {
        pyro_partition_close(part);
        pyro_catalog_unlink(catalog, name);
        return PYRO_OK;
    }

    /* what is being built is the upkeep's */

    rc = strcmp(own, name) != 0 || part->state == PYRO_STATE_BUILDING
         || pyro_catalog_adopt_tenants(catalog, txn, part, 0);

    if (rc == 0) {
        rc = pyro_catalog_adopt_tenants(catalog, txn, part, 1);

        if (rc == 0) {
            rc = pyro_catalog_replace(catalog, txn, part);
        }

        if (rc) {
            pyro_partition_close(part);
            return pyro_env_error(catalog->control, rc, "enter a partition",
                                  err);
        }

        *adopted = 1;

        if (part->generation > *generation) {
            *generation = part->generation;
        }
    }

    pyro_partition_close(part);

    return PYRO_OK;
}


/*
 * 1 if the catalogue has a sealed file that was made of this one, or of what
 * this one was made of: whoever sealed was killed before it had unlinked it.
 */
static int
pyro_catalog_is_replaced(pyro_catalog_t *catalog, pyro_partition_t *part)
{
    int                rc;
    uint32_t           i, n, sources[PYRO_SOURCES_MAX];
    pyro_partition_t  *known;

    if (part->state == PYRO_STATE_OPEN || part->state == PYRO_STATE_BUILDING
        || pyro_partition_sources(part, sources, &n))
    {
        n = 0;
    }

    for (i = 0, rc = 0; i < catalog->n_parts && rc == 0; i++) {
        known = catalog->parts[i];

        if (pyro_state_is_sealed(known->state) && known->start == part->start
            && known->length == part->length
            && part->state != PYRO_STATE_OPEN)
        {
            rc = pyro_catalog_copied(catalog, known, part, sources, n);
        }
    }

    return rc;
}


static int
pyro_catalog_copied(pyro_catalog_t *catalog, pyro_partition_t *known,
    const pyro_partition_t *part, const uint32_t *sources, uint32_t n)
{
    int                rc;
    char               path[4096];
    uint32_t           i, k, m, list[PYRO_SOURCES_MAX];
    pyro_partition_t   file, *p;

    p = known;

    if (known->env == NULL) {
        memset(&file, 0, sizeof(pyro_partition_t));
        memcpy(file.name, known->name, sizeof(file.name));
        pyro_catalog_path(catalog, file.name, path, sizeof(path));

        if (pyro_partition_open(&file, path, catalog->options.map_size,
                                catalog->options.durability, PYRO_ACCESS_MAKE,
                                NULL)
            != PYRO_OK)
        {
            return 0;
        }

        p = &file;
    }

    rc = 0;

    if (pyro_partition_sources(p, list, &m) == 0) {
        for (i = 0; i < m; i++) {
            rc |= list[i] == part->generation;

            for (k = 0; k < n; k++) {
                rc |= list[i] == sources[k];
            }
        }
    }

    if (known->env == NULL) {
        pyro_partition_close(&file);
    }

    return rc;
}


/*
 * A sealed file takes the place of what it was made of.  That may go before the
 * catalogue is committed: the copy is whole, and will be found again.
 */
static int
pyro_catalog_replace(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    pyro_partition_t *part)
{
    int           rc;
    char          name[PYRO_FILE_NAME_MAX];
    uint8_t       bytes[PYRO_KEY_MAX];
    pyro_slice_t  key;
    uint32_t      i, n, list[PYRO_SOURCES_MAX];

    if (!pyro_state_is_sealed(part->state)
        || pyro_partition_sources(part, list, &n))
    {
        return 0;
    }

    for (i = 0; i < n; i++) {
        key = pyro_slice(bytes, pyro_key_part(bytes, part->start, list[i]));
        rc = pyro_kv_delete(txn, catalog->dbi[PYRO_CONTROL_PART], key);

        if (rc && rc != PYRO_KV_NOT_FOUND) {
            return rc;
        }

        pyro_partition_name(name, part->start, part->length, list[i]);
        pyro_catalog_unlink(catalog, name);
    }

    return 0;
}


/*
 * Checks that the file's tenants have the catalogue's numbers, or enters them.
 * Not 0: a number that is another tenant's here, or an error of LMDB.
 */
static int
pyro_catalog_adopt_tenants(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    pyro_partition_t *part, int enter)
{
    int                rc, differs;
    pyro_slice_t       key, value, known;
    pyro_kv_txn_t     *reader;
    pyro_kv_cursor_t  *cursor;

    if (pyro_env_begin(part->env, 1, &reader, NULL) != PYRO_OK) {
        return EIO;
    }

    rc = pyro_kv_cursor(reader, part->dbi[PYRO_DB_TENANT], &cursor);

    if (rc) {
        pyro_env_abort(part->env, reader);
        return rc;
    }

    while ((rc = pyro_kv_move(cursor, PYRO_KV_NEXT, &key, &value)) == 0) {
        if (enter) {
            rc = key.len == 4
                 ? pyro_catalog_put_tenant(catalog, txn, pyro_get_be32(
                                               (const uint8_t *) key.data),
                                           value)
                 : EINVAL;

        } else {
            rc = pyro_kv_get(txn, catalog->dbi[PYRO_CONTROL_TENANT], key,
                             &known);
            differs = rc == 0 ? !pyro_slice_eq(value, known)
                              : pyro_catalog_tenant_locked(catalog, value)
                                != PYRO_NONE;
            rc = differs ? EINVAL : rc == PYRO_KV_NOT_FOUND ? 0 : rc;
        }

        if (rc) {
            break;
        }
    }

    pyro_kv_cursor_close(cursor);
    pyro_env_abort(part->env, reader);

    return rc == PYRO_KV_NOT_FOUND ? 0 : rc;
}


static uint32_t
pyro_catalog_tenant_locked(const pyro_catalog_t *catalog, pyro_slice_t name)
{
    uint32_t  index;

    index = pyro_intern_find(&catalog->tenants, name);

    return index == PYRO_NONE ? PYRO_NONE : catalog->tenant_ids[index];
}


uint32_t
pyro_catalog_tenant(pyro_catalog_t *catalog, pyro_slice_t name)
{
    uint32_t  tenant;

    pthread_mutex_lock(&catalog->mutex);
    tenant = pyro_catalog_tenant_locked(catalog, name);
    pthread_mutex_unlock(&catalog->mutex);

    return tenant;
}


pyro_status_e
pyro_catalog_may_add_tenant(pyro_catalog_t *catalog, pyro_slice_t name,
    pyro_error_t *err)
{
    pyro_status_e  status;

    pthread_mutex_lock(&catalog->mutex);
    status = pyro_catalog_may_add_locked(catalog, name, err);
    pthread_mutex_unlock(&catalog->mutex);

    return status;
}


static pyro_status_e
pyro_catalog_may_add_locked(const pyro_catalog_t *catalog, pyro_slice_t name,
    pyro_error_t *err)
{
    if (catalog->tenants.n < PYRO_CATALOG_TENANTS
        || pyro_catalog_tenant_locked(catalog, name) != PYRO_NONE)
    {
        return PYRO_OK;
    }

    return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_REQUEST,
                          "tenant \"%.*s\" would be one more than the %d "
                          "that a store may have", PYRO_SLICE_ARG(name),
                          PYRO_CATALOG_TENANTS);
}


pyro_status_e
pyro_catalog_add_tenant(pyro_catalog_t *catalog, pyro_slice_t name,
    uint32_t *tenant, pyro_error_t *err)
{
    int             rc;
    pyro_kv_txn_t  *txn;
    uint32_t        i, id;
    pyro_status_e   status;

    *tenant = pyro_catalog_tenant(catalog, name);

    if (*tenant != PYRO_NONE) {
        return PYRO_OK;
    }

    pthread_mutex_lock(&catalog->mutex);

    status = pyro_catalog_ready(catalog, err);

    if (status == PYRO_OK) {
        status = pyro_env_begin(catalog->control, 0, &txn, err);
    }

    if (status == PYRO_OK) {
        status = pyro_catalog_load(catalog, txn, err);

        /* others may have entered some meanwhile */

        if (status == PYRO_OK) {
            status = pyro_catalog_may_add_locked(catalog, name, err);
        }

        if (status != PYRO_OK
            || pyro_catalog_tenant_locked(catalog, name) != PYRO_NONE)
        {
            pyro_env_abort(catalog->control, txn);

        } else {
            for (i = 0, id = 0; i < catalog->tenants.n; i++) {
                if (catalog->tenant_ids[i] > id) {
                    id = catalog->tenant_ids[i];
                }
            }

            rc = pyro_catalog_put_tenant(catalog, txn, id + 1, name);

            if (rc) {
                pyro_env_abort(catalog->control, txn);
                status = pyro_env_error(catalog->control, rc,
                                        "enter a tenant", err);

            } else {
                status = pyro_catalog_commit(catalog, txn,
                                             catalog->generation + 1, err);
            }
        }
    }

    *tenant = pyro_catalog_tenant_locked(catalog, name);

    pthread_mutex_unlock(&catalog->mutex);

    return status;
}
