/*
 * Opening and closing the store, and its numbers.
 */

#include "storage/handle.h"
#include "storage/seal.h"
#include "storage/suspects.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>


#define PYRO_STORE_MAP_SIZE   (64ULL * 1024 * 1024 * 1024)
#define PYRO_STORE_PARTITION  86400
#define PYRO_STORE_MAX_OPEN   64


static void pyro_store_follow(pyro_catalog_t *catalog);
static void pyro_stats_files(pyro_catalog_t *catalog,
    pyro_store_stats_t *stats);
static void pyro_stats_partition(pyro_catalog_t *catalog,
    const pyro_partition_t *part, pyro_store_stats_t *stats);
static void pyro_stats_readers(pyro_env_t *env, pyro_store_stats_t *stats);


pyro_status_e
pyro_store_open(const pyro_store_options_t *options, pyro_store_t **store,
    pyro_error_t *err)
{
    pyro_store_t          *s;
    pyro_status_e          status;
    pyro_store_options_t   filled;

    s = calloc(1, sizeof(pyro_store_t));

    if (s == NULL) {
        return pyro_error_memory(err);
    }

    filled = *options;
    filled.map_size = filled.map_size ? filled.map_size : PYRO_STORE_MAP_SIZE;
    filled.partition = filled.partition ? filled.partition
                                        : PYRO_STORE_PARTITION;
    filled.max_nodes = filled.max_nodes
                       && filled.max_nodes < PYRO_NODES_FULL
                       ? filled.max_nodes : PYRO_NODES_FULL;
    filled.max_open = filled.max_open ? filled.max_open : PYRO_STORE_MAX_OPEN;

    status = pyro_owner_take(options->dir,
                             options->access == PYRO_ACCESS_MAKE, &s->owner,
                             err);

    if (status == PYRO_OK) {
        status = pyro_catalog_open(&s->catalog, &filled, err);
    }

    if (status != PYRO_OK) {
        pyro_owner_leave(s->owner);
        free(s);
        return status;
    }

    if (options->access == PYRO_ACCESS_WRITE && options->partition == 0) {
        pyro_store_follow(&s->catalog);
    }

    pthread_mutex_init(&s->writing, NULL);
    pyro_info_init(&s->info);
    pyro_guard_init(&s->guard, s->catalog.dir, filled.min_free_disk);
    s->upkeep = -1;

    if (pyro_store_reader_check(s, err) == -1) {
        pyro_store_close(s);
        return PYRO_UNAVAILABLE;
    }

    *store = s;

    return PYRO_OK;
}


/* Who adds to a store that others have set up makes partitions as they do. */
static void
pyro_store_follow(pyro_catalog_t *catalog)
{
    uint32_t  i, latest;

    for (i = 0, latest = 0; i < catalog->n_parts; i++) {
        if (catalog->parts[i]->generation > latest) {
            latest = catalog->parts[i]->generation;
            catalog->options.partition = catalog->parts[i]->length;
        }
    }
}


void
pyro_store_close(pyro_store_t *store)
{
    pyro_seal_close(store);
    pyro_catalog_close(&store->catalog);
    pyro_guard_destroy(&store->guard);
    pthread_mutex_destroy(&store->writing);

    if (store->upkeep != -1) {
        close(store->upkeep);
    }

    pyro_owner_leave(store->owner);

    free(store);
}


size_t
pyro_store_shared_size(void)
{
    return sizeof(pyro_suspects_t);
}


void
pyro_store_watch(void *shared)
{
    pyro_suspects_watch(shared);
}


pyro_status_e
pyro_store_stats(pyro_store_t *store, pyro_store_stats_t *stats,
    pyro_error_t *err)
{
    pyro_status_e    status;
    pyro_catalog_t  *catalog;
    struct statvfs   fs;

    catalog = &store->catalog;
    memset(stats, 0, sizeof(pyro_store_stats_t));

    status = pyro_catalog_refresh(catalog, err);

    if (status != PYRO_OK) {
        return status;
    }

    pthread_mutex_lock(&catalog->mutex);
    pyro_stats_files(catalog, stats);
    pthread_mutex_unlock(&catalog->mutex);

    if (statvfs(catalog->dir, &fs) != 0) {
        return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage.filesystem.dir \"%s\": %s",
                              catalog->dir, strerror(errno));
    }

    stats->disk_free = (uint64_t) fs.f_bavail * fs.f_frsize;
    stats->disk_scarce = pyro_guard_check(&store->guard, NULL) != PYRO_OK;
    stats->disk_limit = pyro_guard_limit(&store->guard);
    stats->commits = store->commits;
    stats->commit_failures = store->commit_failures;
    stats->node_cache_hits = store->cache_hits;
    stats->node_cache_misses = store->cache_misses;
    stats->damaged_records = store->damaged;
    stats->info_failures = store->info_failures;

    return PYRO_OK;
}


/* Under the catalogue's mutex. */
static void
pyro_stats_files(pyro_catalog_t *catalog, pyro_store_stats_t *stats)
{
    uint32_t           i;
    pyro_partition_t  *part;

    if (catalog->control != NULL) {
        stats->control_bytes = pyro_catalog_size(catalog,
                                                 catalog->control->name);
        pyro_stats_readers(catalog->control, stats);
    }

    stats->bytes = stats->control_bytes;
    stats->open_partitions = catalog->n_open;

    for (i = 0; i < catalog->n_parts; i++) {
        part = catalog->parts[i];

        if (part->state != PYRO_STATE_REMOVED) {
            pyro_stats_partition(catalog, part, stats);
        }

        if (part->env != NULL) {
            pyro_stats_readers(part->env, stats);
        }
    }
}


static void
pyro_stats_partition(pyro_catalog_t *catalog, const pyro_partition_t *part,
    pyro_store_stats_t *stats)
{
    int64_t   start, end;
    uint64_t  bytes;

    bytes = pyro_catalog_size(catalog, part->name);
    start = pyro_partition_start(part);
    end = pyro_partition_end(part);

    if (stats->partitions == 0 || start < stats->oldest) {
        stats->oldest = start;
    }

    if (stats->partitions == 0 || end > stats->newest) {
        stats->newest = end;
    }

    stats->partitions++;
    stats->bytes += bytes;
    stats->aside += pyro_catalog_is_aside(catalog, part) != 0;

    if ((unsigned) part->state < PYRO_STORE_STATES) {
        stats->states[part->state].partitions++;
        stats->states[part->state].bytes += bytes;
    }
}


static void
pyro_stats_readers(pyro_env_t *env, pyro_store_stats_t *stats)
{
    uint64_t  readers, limit;

    pyro_env_readers(env, &readers, &limit);

    stats->readers = readers > stats->readers ? readers : stats->readers;
    stats->readers_limit = limit ? limit : stats->readers_limit;
}


uint64_t
pyro_store_damaged(pyro_store_t *store)
{
    return store->damaged;
}


pyro_status_e
pyro_store_room(pyro_store_t *store, pyro_error_t *err)
{
    return pyro_guard_known(&store->guard, err);
}
