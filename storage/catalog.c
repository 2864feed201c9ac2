#include "storage/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>


#define PYRO_CATALOG_ATTEMPTS  16       /* files that are replaced meanwhile */


static pyro_status_e pyro_catalog_enter(pyro_catalog_t *catalog,
    const pyro_slice_t *key, const pyro_slice_t *value, uint32_t generation,
    pyro_error_t *err);
static int pyro_catalog_cmp(const void *one, const void *two);
static void pyro_catalog_shut(pyro_catalog_t *catalog, pyro_partition_t *part);
static void pyro_catalog_drop(pyro_catalog_t *catalog, pyro_partition_t *part);
static pyro_status_e pyro_catalog_list_group(pyro_catalog_t *catalog,
    uint64_t start, uint32_t length, pyro_arena_t *arena,
    pyro_partition_t ***parts, uint32_t *n, pyro_error_t *err);
static pyro_status_e pyro_catalog_open_part(pyro_catalog_t *catalog,
    pyro_partition_t *part, pyro_error_t *err);
static uint64_t pyro_catalog_suspect_id(const pyro_catalog_t *catalog,
    const pyro_partition_t *part);
static void pyro_catalog_evict(pyro_catalog_t *catalog);


pyro_status_e
pyro_catalog_open(pyro_catalog_t *catalog, const pyro_store_options_t *options,
    pyro_error_t *err)
{
    int            rc;
    struct stat    st;
    pyro_error_t   stray;
    pyro_status_e  status;

    memset(catalog, 0, sizeof(pyro_catalog_t));
    pthread_mutex_init(&catalog->mutex, NULL);

    catalog->options = *options;
    catalog->dir = strdup(options->dir);
    catalog->arena = pyro_arena_create(0);

    if (catalog->dir == NULL || catalog->arena == NULL) {
        pyro_catalog_close(catalog);
        return pyro_error_memory(err);
    }

    pyro_intern_init(&catalog->tenants, catalog->arena);

    rc = stat(options->dir, &st) ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;

    if (rc) {
        status = pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                                "storage.filesystem.dir \"%s\": %s",
                                options->dir, strerror(rc));

    } else {
        status = pyro_catalog_control(catalog, err);
    }

    if (status == PYRO_OK && options->access != PYRO_ACCESS_MAKE) {
        status = pyro_catalog_refresh(catalog, err);

    } else if (status == PYRO_OK) {
        status = pyro_catalog_adopt(catalog, &stray);

        /* on a full disk strays wait: what is known can be read */

        if (status != PYRO_OK && stray.reason == PYRO_REASON_DISK) {
            status = PYRO_OK;

        } else if (status != PYRO_OK && err != NULL) {
            *err = stray;
        }
    }

    if (status != PYRO_OK) {
        pyro_catalog_close(catalog);
    }

    return status;
}


void
pyro_catalog_close(pyro_catalog_t *catalog)
{
    uint32_t  i;

    for (i = 0; i < catalog->n_parts; i++) {
        pyro_partition_close(catalog->parts[i]);
    }

    pyro_env_close(catalog->control);
    pyro_arena_destroy(catalog->arena);
    pthread_mutex_destroy(&catalog->mutex);

    free(catalog->dir);
}


pyro_status_e
pyro_catalog_load(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    pyro_error_t *err)
{
    int                rc;
    pyro_slice_t       key, value;
    uint32_t           i, generation, index;
    pyro_kv_cursor_t  *cursor;
    pyro_status_e      status;

    if (pyro_meta_u32(txn, catalog->dbi[PYRO_CONTROL_META], "generation",
                      &generation))
    {
        return pyro_env_damaged(catalog->control, "generation of format",
                                PYRO_FORMAT, err);
    }

    if (generation == catalog->generation) {
        return PYRO_OK;
    }

    /* a newer version may have taken the store over: see docs/upgrade.md */

    status = pyro_meta_format(catalog->control, txn,
                              catalog->dbi[PYRO_CONTROL_META], err);

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_kv_cursor(txn, catalog->dbi[PYRO_CONTROL_PART], &cursor);

    if (rc == 0) {
        while (status == PYRO_OK
               && (rc = pyro_kv_move(cursor, PYRO_KV_NEXT, &key, &value)) == 0)
        {
            status = pyro_catalog_enter(catalog, &key, &value, generation, err);
        }

        pyro_kv_cursor_close(cursor);
        rc = rc == PYRO_KV_NOT_FOUND ? 0 : rc;
    }

    if (rc == 0 && status == PYRO_OK) {
        rc = pyro_kv_cursor(txn, catalog->dbi[PYRO_CONTROL_TENANT], &cursor);
    }

    if (rc || status != PYRO_OK) {
        return rc ? pyro_env_error(catalog->control, rc, "be read", err)
                  : status;
    }

    while ((rc = pyro_kv_move(cursor, PYRO_KV_NEXT, &key, &value)) == 0) {
        index = pyro_intern(&catalog->tenants, value, 1);

        if (index == PYRO_NONE || key.len != 4
            || pyro_arena_grow(catalog->arena, &catalog->tenant_ids,
                               &catalog->cap_tenants, index + 1,
                               sizeof(uint32_t)))
        {
            rc = ENOMEM;
            break;
        }

        catalog->tenant_ids[index] = pyro_get_be32((const uint8_t *) key.data);
    }

    pyro_kv_cursor_close(cursor);

    if (rc != PYRO_KV_NOT_FOUND) {
        return pyro_env_error(catalog->control, rc, "be read", err);
    }

    for (i = 0; i < catalog->n_parts; i++) {
        if (catalog->parts[i]->seen != generation) {
            catalog->parts[i]->state = PYRO_STATE_REMOVED;
        }
    }

    catalog->generation = generation;

    return PYRO_OK;
}


static pyro_status_e
pyro_catalog_enter(pyro_catalog_t *catalog, const pyro_slice_t *key,
    const pyro_slice_t *value, uint32_t generation, pyro_error_t *err)
{
    size_t             len;
    uint64_t           start;
    uint32_t           i, number;
    const uint8_t     *k, *p;
    pyro_partition_t  *part;

    k = (const uint8_t *) key->data;
    p = (const uint8_t *) value->data;

    if (key->len != 12 || value->len <= PYRO_PART_VALUE
        || value->len - PYRO_PART_VALUE >= PYRO_FILE_NAME_MAX)
    {
        return pyro_env_damaged(catalog->control, "an entry of generation",
                                generation, err);
    }

    start = pyro_get_be64(k);
    number = pyro_get_be32(k + 8);

    for (i = 0; i < catalog->n_parts; i++) {
        if (catalog->parts[i]->start == start
            && catalog->parts[i]->generation == number)
        {
            break;
        }
    }

    if (i == catalog->n_parts) {
        part = pyro_arena_calloc(catalog->arena, 1, sizeof(pyro_partition_t));

        if (part == NULL
            || pyro_arena_grow(catalog->arena, &catalog->parts,
                               &catalog->cap_parts, i + 1,
                               sizeof(pyro_partition_t *)))
        {
            return pyro_error_memory(err);
        }

        len = value->len - PYRO_PART_VALUE;

        part->start = start;
        part->generation = number;
        part->max_nodes = catalog->options.max_nodes;
        part->length = pyro_get_be32(p);

        memcpy(part->name, p + PYRO_PART_VALUE, len);
        part->name[len] = '\0';

        catalog->parts[catalog->n_parts++] = part;
    }

    /* what others read without the mutex stays as it is from here on */

    part = catalog->parts[i];
    part->state = (pyro_state_e) p[4];
    part->seen = generation;

    return PYRO_OK;
}


pyro_status_e
pyro_catalog_refresh_locked(pyro_catalog_t *catalog, pyro_error_t *err)
{
    pyro_kv_txn_t  *txn;
    uint32_t        i;
    pyro_status_e   status;

    status = pyro_catalog_ready(catalog, err);

    if (status == PYRO_OK) {
        status = pyro_env_begin(catalog->control, 1, &txn, err);
    }

    if (status == PYRO_OK) {
        status = pyro_catalog_load(catalog, txn, err);
        pyro_env_abort(catalog->control, txn);
    }

    for (i = 0; i < catalog->n_parts; i++) {
        pyro_catalog_drop(catalog, catalog->parts[i]);
    }

    return status;
}


static void
pyro_catalog_shut(pyro_catalog_t *catalog, pyro_partition_t *part)
{
    pyro_partition_close(part);
    catalog->n_open--;
}


/* A file that is open takes its room on the disk, removed or not. */
static void
pyro_catalog_drop(pyro_catalog_t *catalog, pyro_partition_t *part)
{
    if (part->state == PYRO_STATE_REMOVED && part->env != NULL
        && part->refs == 0)
    {
        pyro_catalog_shut(catalog, part);
    }
}


pyro_status_e
pyro_catalog_refresh(pyro_catalog_t *catalog, pyro_error_t *err)
{
    pyro_status_e  status;

    pthread_mutex_lock(&catalog->mutex);
    status = pyro_catalog_refresh_locked(catalog, err);
    pthread_mutex_unlock(&catalog->mutex);

    return status;
}


/* Of several the one that was made first, so that a repeat finds its record. */
pyro_partition_t *
pyro_catalog_find_locked(pyro_catalog_t *catalog, int64_t time)
{
    uint32_t           i;
    pyro_partition_t  *part, *found;

    found = NULL;

    for (i = 0; i < catalog->n_parts; i++) {
        part = catalog->parts[i];

        if (part->state == PYRO_STATE_OPEN && !part->elsewhere
            && pyro_partition_overlaps(part, time, time)
            && (found == NULL || part->generation < found->generation))
        {
            found = part;
        }
    }

    return found;
}


pyro_partition_t *
pyro_catalog_generation_locked(pyro_catalog_t *catalog, uint64_t start,
    uint32_t generation)
{
    uint32_t           i;
    pyro_partition_t  *part;

    for (i = 0; i < catalog->n_parts; i++) {
        part = catalog->parts[i];

        if (part->start == start && part->generation == generation
            && part->state != PYRO_STATE_REMOVED)
        {
            return part;
        }
    }

    return NULL;
}


pyro_partition_t *
pyro_catalog_generation(pyro_catalog_t *catalog, uint64_t start,
    uint32_t generation)
{
    pyro_partition_t  *part;

    pthread_mutex_lock(&catalog->mutex);
    part = pyro_catalog_generation_locked(catalog, start, generation);
    pthread_mutex_unlock(&catalog->mutex);

    return part;
}


pyro_partition_t *
pyro_catalog_find(pyro_catalog_t *catalog, int64_t time)
{
    pyro_partition_t  *part;

    pthread_mutex_lock(&catalog->mutex);
    part = pyro_catalog_find_locked(catalog, time);
    pthread_mutex_unlock(&catalog->mutex);

    return part;
}


int
pyro_catalog_is_thinned(pyro_catalog_t *catalog, int64_t time)
{
    int                      thinned;
    uint32_t                 i;
    const pyro_partition_t  *part;

    thinned = 0;
    pthread_mutex_lock(&catalog->mutex);

    for (i = 0; i < catalog->n_parts && !thinned; i++) {
        part = catalog->parts[i];
        thinned = (part->state == PYRO_STATE_HOURS
                   || part->state == PYRO_STATE_DAYS)
                  && pyro_partition_overlaps(part, time, time);
    }

    pthread_mutex_unlock(&catalog->mutex);

    return thinned;
}


pyro_status_e
pyro_catalog_list(pyro_catalog_t *catalog, int64_t start, int64_t end,
    pyro_arena_t *arena, pyro_partition_t ***parts, uint32_t *n,
    pyro_error_t *err)
{
    uint32_t           i;
    pyro_status_e      status;
    pyro_partition_t  *part, **list;

    *n = 0;
    *parts = NULL;

    pthread_mutex_lock(&catalog->mutex);

    status = pyro_catalog_refresh_locked(catalog, err);
    list = pyro_arena_calloc(arena, catalog->n_parts,
                             sizeof(pyro_partition_t *));

    if (list == NULL) {
        status = pyro_error_memory(err);
    }

    for (i = 0; status == PYRO_OK && i < catalog->n_parts; i++) {
        part = catalog->parts[i];

        if (part->state != PYRO_STATE_REMOVED
            && pyro_partition_overlaps(part, start, end))
        {
            list[(*n)++] = part;
        }
    }

    pthread_mutex_unlock(&catalog->mutex);

    if (status == PYRO_OK) {
        qsort(list, *n, sizeof(pyro_partition_t *), pyro_catalog_cmp);
        *parts = list;
    }

    return status;
}


static int
pyro_catalog_cmp(const void *one, const void *two)
{
    const pyro_partition_t *const  *a = one;
    const pyro_partition_t *const  *b = two;

    if ((*a)->start != (*b)->start) {
        return (*a)->start < (*b)->start ? -1 : 1;
    }

    if ((*a)->length != (*b)->length) {
        return (*a)->length < (*b)->length ? -1 : 1;
    }

    return ((*a)->generation > (*b)->generation)
           - ((*a)->generation < (*b)->generation);
}


pyro_status_e
pyro_catalog_acquire(pyro_catalog_t *catalog, pyro_partition_t *part,
    pyro_error_t *err)
{
    pyro_status_e    status;
    pyro_suspect_t  *suspect;

    status = PYRO_OK;

    pthread_mutex_lock(&catalog->mutex);

    if (part->env != NULL && atomic_load(&part->env->broken)
        && part->refs == 0)
    {
        pyro_catalog_shut(catalog, part);
    }

    suspect = pyro_catalog_suspect(catalog, part);

    if (pyro_suspect_is_aside(suspect)) {
        status = pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                                "storage: %s %s", part->name,
                                pyro_suspect_text(suspect));

    } else if (part->env == NULL && part->state == PYRO_STATE_REMOVED) {
        status = PYRO_NOT_FOUND;

    } else if (part->env == NULL) {
        status = pyro_catalog_open_part(catalog, part, err);
    }

    if (status == PYRO_OK) {
        part->refs++;
        part->used = ++catalog->clock;
    }

    pthread_mutex_unlock(&catalog->mutex);

    return status;
}


static pyro_status_e
pyro_catalog_open_part(pyro_catalog_t *catalog, pyro_partition_t *part,
    pyro_error_t *err)
{
    char           path[4096];
    pyro_error_t   why;
    pyro_status_e  status;

    why.damaged = NULL;

    pyro_catalog_evict(catalog);
    pyro_catalog_path(catalog, part->name, path, sizeof(path));

    status = pyro_partition_open(part, path, catalog->options.map_size,
                                 catalog->options.durability,
                                 catalog->options.access, &why);

    if (status == PYRO_OK) {
        catalog->n_open++;
        return PYRO_OK;
    }

    if (status == PYRO_UNAVAILABLE
        && pyro_catalog_refresh_locked(catalog, NULL) == PYRO_OK
        && part->state == PYRO_STATE_REMOVED)
    {
        /* it went while it was being opened */
        return PYRO_NOT_FOUND;
    }

    if (why.damaged != NULL) {
        (void) pyro_catalog_damage(catalog, part, PYRO_SUSPECT_OPEN);
    }

    if (err != NULL) {
        *err = why;
    }

    return status;
}


int
pyro_catalog_is_missing(pyro_catalog_t *catalog, pyro_partition_t *part)
{
    int  missing;

    pthread_mutex_lock(&catalog->mutex);

    missing = pyro_catalog_refresh_locked(catalog, NULL) == PYRO_OK
              && part->state != PYRO_STATE_REMOVED
              && pyro_catalog_size(catalog, part->name) == 0;

    pthread_mutex_unlock(&catalog->mutex);

    return missing;
}


static uint64_t
pyro_catalog_suspect_id(const pyro_catalog_t *catalog,
    const pyro_partition_t *part)
{
    return pyro_suspects_id(pyro_slice_str(catalog->dir), part->start,
                            part->generation);
}


pyro_suspect_t *
pyro_catalog_suspect(const pyro_catalog_t *catalog,
    const pyro_partition_t *part)
{
    return pyro_suspects_find(catalog->options.shared,
                              pyro_catalog_suspect_id(catalog, part));
}


int
pyro_catalog_is_aside(const pyro_catalog_t *catalog,
    const pyro_partition_t *part)
{
    return pyro_suspect_is_aside(pyro_catalog_suspect(catalog, part));
}


int
pyro_catalog_damage(const pyro_catalog_t *catalog,
    const pyro_partition_t *part, uint32_t damage)
{
    return pyro_suspects_damage(catalog->options.shared,
                                pyro_catalog_suspect_id(catalog, part),
                                damage);
}


void
pyro_catalog_note(pyro_store_missing_t *missing, const pyro_partition_t *part,
    const pyro_error_t *err)
{
    if (missing->n++ == 0) {
        memcpy(missing->name, part->name, sizeof(missing->name));
        missing->error = *err;
    }
}


pyro_status_e
pyro_catalog_acquire_all(pyro_catalog_t *catalog, pyro_arena_t *arena,
    pyro_partition_t ***parts, uint32_t *n, pyro_store_missing_t *missing,
    pyro_error_t *err)
{
    uint32_t       i, length, attempt;
    uint64_t       start;
    pyro_status_e  status;

    start = (*parts)[0]->start;
    length = (*parts)[0]->length;

    for (attempt = 0; attempt < PYRO_CATALOG_ATTEMPTS; attempt++) {
        status = PYRO_OK;

        for (i = 0; i < *n; i++) {
            status = pyro_catalog_acquire(catalog, (*parts)[i], err);

            if ((status == PYRO_NOT_FOUND
                 && pyro_catalog_is_missing(catalog, (*parts)[i]))
                || (status == PYRO_UNAVAILABLE && missing != NULL
                    && err->reason != PYRO_REASON_MEMORY))
            {
                if (missing != NULL) {
                    pyro_catalog_note(missing, (*parts)[i], err);
                }

                (*parts)[i--] = (*parts)[--(*n)];
                status = PYRO_OK;
            }

            if (status != PYRO_OK) {
                break;
            }
        }

        if (status == PYRO_OK) {
            return PYRO_OK;
        }

        while (i) {
            pyro_catalog_release(catalog, (*parts)[--i]);
        }

        if (status == PYRO_NOT_FOUND) {
            status = pyro_catalog_list_group(catalog, start, length, arena,
                                             parts, n, err);
        }

        if (status != PYRO_OK) {
            return status;
        }
    }

    return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                          "storage: the files of %llu are replaced again and "
                          "again", (unsigned long long) start);
}


/* What there is of one start and length. */
static pyro_status_e
pyro_catalog_list_group(pyro_catalog_t *catalog, uint64_t start,
    uint32_t length, pyro_arena_t *arena, pyro_partition_t ***parts,
    uint32_t *n, pyro_error_t *err)
{
    int64_t        ns;
    uint32_t       i, k;
    pyro_status_e  status;

    ns = (int64_t) start * PYRO_NS_PER_SEC;
    status = pyro_catalog_list(catalog, ns, ns, arena, parts, n, err);

    for (i = 0, k = 0; i < *n; i++) {
        if ((*parts)[i]->start == start && (*parts)[i]->length == length) {
            (*parts)[k++] = (*parts)[i];
        }
    }

    *n = k;

    return status;
}


/* Closes the longest unused until there is room for one more. */
static void
pyro_catalog_evict(pyro_catalog_t *catalog)
{
    uint32_t           i;
    pyro_partition_t  *part, *oldest;

    while (catalog->n_open >= catalog->options.max_open) {
        oldest = NULL;

        for (i = 0; i < catalog->n_parts; i++) {
            part = catalog->parts[i];

            if (part->env != NULL && part->refs == 0
                && (oldest == NULL || part->used < oldest->used))
            {
                oldest = part;
            }
        }

        if (oldest == NULL) {
            return;
        }

        pyro_catalog_shut(catalog, oldest);
    }
}


void
pyro_catalog_release(pyro_catalog_t *catalog, pyro_partition_t *part)
{
    pthread_mutex_lock(&catalog->mutex);
    part->refs--;
    pyro_catalog_drop(catalog, part);
    pthread_mutex_unlock(&catalog->mutex);
}
