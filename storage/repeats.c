#include "storage/repeats.h"

#include "storage/series_index.h"


static pyro_status_e pyro_repeats_open(pyro_repeats_t *repeats,
    pyro_partition_t *part, pyro_error_t *err);
static void pyro_repeats_cursors(pyro_read_t *read);
static pyro_status_e pyro_repeats_has(pyro_read_t *read, uint32_t stream,
    int64_t time, pyro_hash128_t digest, int *found);


pyro_status_e
pyro_repeats_begin(pyro_repeats_t *repeats, pyro_store_t *store,
    const pyro_partition_t *part, int64_t start, int64_t end,
    pyro_arena_t *arena, pyro_error_t *err)
{
    uint32_t            i, n;
    pyro_status_e       status;
    pyro_partition_t  **parts;

    memset(repeats, 0, sizeof(pyro_repeats_t));

    repeats->store = store;
    repeats->query.arena = arena;

    status = pyro_catalog_list(&store->catalog, start, end, arena, &parts, &n,
                               err);

    if (status != PYRO_OK || n == 0 || (n == 1 && parts[0] == part)) {
        return status;
    }

    repeats->reads = pyro_arena_calloc(arena, n, sizeof(pyro_read_t));

    if (repeats->reads == NULL) {
        return pyro_error_memory(err);
    }

    for (i = 0; i < n && status == PYRO_OK; i++) {
        if (parts[i] != part) {
            status = pyro_repeats_open(repeats, parts[i], err);
        }
    }

    if (status != PYRO_OK) {
        pyro_repeats_end(repeats);
    }

    return status;
}


static pyro_status_e
pyro_repeats_open(pyro_repeats_t *repeats, pyro_partition_t *part,
    pyro_error_t *err)
{
    int               i, broken;
    pyro_read_t      *read;
    pyro_status_e     status;
    pyro_catalog_t   *catalog;

    catalog = &repeats->store->catalog;
    read = &repeats->reads[repeats->n];

    /* what the engine gives up is opened anew, once */

    for (i = 0, broken = 1; i < 2 && broken; i++) {
        status = pyro_catalog_acquire(catalog, part, err);

        if ((status == PYRO_NOT_FOUND && pyro_catalog_is_missing(catalog, part))
            || (status == PYRO_UNAVAILABLE
                && pyro_catalog_is_aside(catalog, part)))
        {
            return PYRO_OK;
        }

        if (status != PYRO_OK) {
            return status;
        }

        status = pyro_env_begin(part->env, 1, &read->view.txn, err);

        if (status == PYRO_OK) {
            break;
        }

        broken = atomic_load(&part->env->broken);
        pyro_catalog_release(catalog, part);
    }

    if (status != PYRO_OK) {
        return status;
    }

    read->store = repeats->store;
    read->query = &repeats->query;
    read->view.part = part;
    read->view.err = err;
    read->renewed = pyro_clock_mono();

    repeats->n++;

    return PYRO_OK;
}


pyro_status_e
pyro_repeats_find(pyro_repeats_t *repeats, uint32_t tenant,
    const pyro_labels_t *labels, int64_t time, const pyro_hash128_t *digest,
    int *found)
{
    uint32_t              i, stream;
    uint64_t              hash;
    pyro_read_t          *read;
    pyro_status_e         status;
    pyro_stream_value_t   value;

    *found = 0;

    for (i = 0; i < repeats->n && !*found; i++) {
        read = &repeats->reads[i];

        if (!pyro_partition_overlaps(read->view.part, time, time)) {
            continue;
        }

        hash = pyro_stream_hash(labels, read->view.part->seed);
        status = pyro_stream_find(&read->view, tenant, hash, labels, &stream,
                                  &value);

        if (status == PYRO_OK && digest == NULL) {
            *found = 1;

        } else if (status == PYRO_OK) {
            status = pyro_repeats_has(read, stream, time, *digest, found);
        }

        if (status != PYRO_OK && status != PYRO_NOT_FOUND) {
            status = pyro_repeats_pass(read, status);

            if (status != PYRO_OK) {
                return status;
            }
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_repeats_has(pyro_read_t *read, uint32_t stream, int64_t time,
    pyro_hash128_t digest, int *found)
{
    pyro_scan_t    scan;
    pyro_status_e  status;

    pyro_scan_start(&scan, read, stream, time, time);

    do {
        status = pyro_scan_next(&scan);
        *found = status == PYRO_OK && scan.record.digest.lo == digest.lo
                 && scan.record.digest.hi == digest.hi;

    } while (status == PYRO_OK && !*found);

    return status;
}


/* LMDB takes a transaction that met damage for bad from there on. */
pyro_status_e
pyro_repeats_pass(pyro_read_t *read, pyro_status_e status)
{
    if (read->view.err->damaged != read->view.part->env) {
        return status;
    }

    read->view.err->damaged = NULL;
    pyro_repeats_cursors(read);
    read->snapshot++;

    return pyro_env_renew(read->view.part->env, read->view.txn,
                          read->view.err);
}


static void
pyro_repeats_cursors(pyro_read_t *read)
{
    pyro_level_e  level;

    for (level = PYRO_LEVEL_RAW; level < PYRO_LEVELS; level++) {
        if (read->cursors[level] != NULL) {
            pyro_kv_cursor_close(read->cursors[level]);
            read->cursors[level] = NULL;
        }
    }
}


void
pyro_repeats_end(pyro_repeats_t *repeats)
{
    pyro_read_t  *read;

    while (repeats->n) {
        read = &repeats->reads[--repeats->n];

        pyro_repeats_cursors(read);
        pyro_env_abort(read->view.part->env, read->view.txn);
        pyro_catalog_release(&repeats->store->catalog, read->view.part);
    }
}
