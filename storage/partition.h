/*
 * One partition of time: its file, the databases in it, and a transaction's
 * view of them (storage/schema.h has the format).
 *
 * Partitions belong to the catalogue, which opens and closes them under its
 * mutex; while a caller holds one (pyro_catalog_acquire()) everything here but
 * what is the writer's may be used by any thread.
 *
 * Slices that come out of a view point into LMDB's map: they are valid until
 * the next write of the same transaction, or its end or renewal.
 */

#ifndef _PYRO_PARTITION_H_INCLUDED_
#define _PYRO_PARTITION_H_INCLUDED_


#include <time.h>

#include "core/base/clock.h"
#include "storage/kv.h"
#include "storage/node_cache.h"
#include "storage/schema.h"


/* Series of tenants, as far as they are counted: storage/quota.h. */

typedef struct {
    uint32_t            tenant;
    uint32_t            n;
} pyro_quota_tenant_t;


typedef struct {
    uint32_t                seen;   /* the last stream that is counted */
    pyro_quota_tenant_t    *items;  /* by tenant */
    uint32_t                n;
    uint32_t                cap;
} pyro_quota_t;


typedef struct {
    uint64_t            start;      /* seconds */
    uint32_t            length;     /* seconds */
    uint32_t            generation;
    char                name[PYRO_FILE_NAME_MAX];

    /* the catalogue's, under its mutex */
    pyro_state_e        state;
    uint32_t            seen;       /* catalogue generation that has it */
    uint32_t            refs;
    uint64_t            used;       /* order of use */
    int                 elsewhere;  /* not written any more */
    uint32_t            max_nodes;  /* of a scope, but for "other" */

    /* the upkeep's: the file when all was done, time of change and size */
    struct timespec     done_time;
    int64_t             done_size;
    int64_t             seal_retry; /* pyro_clock_mono(): not before */

    /* and of storage/expiry.c: what it saw in the file of that time, when so
     * many retentions had passed; 0: nothing yet */
    struct timespec     expiry_time;
    uint32_t            expiry_passed;
    int                 expiry;

    /* while it is open */
    pyro_env_t         *env;
    int                 sealed;     /* "raw" has hours, if anything */
    int                 thinned;    /* 1 sums of hours alone, 2 of days */
    uint64_t            seed;
    pyro_kv_db_t        dbi[PYRO_DB_COUNT];
    pyro_node_cache_t   cache;      /* the writer's */
    pyro_quota_t        quota;      /* the writer's */
} pyro_partition_t;


typedef struct {
    pyro_partition_t   *part;
    pyro_kv_txn_t      *txn;
    pyro_error_t       *err;
} pyro_view_t;


/* Makes the file with empty databases and syncs it; removes it on an error. */
pyro_status_e pyro_partition_create(const char *path, uint64_t map_size,
    const pyro_partition_value_t *value, pyro_state_e state,
    pyro_error_t *err);

/*
 * Opens the file of part.  PYRO_NOT_FOUND if there is none; PYRO_UNAVAILABLE if
 * it is no partition, or one of a newer format, which stays untouched.
 */
pyro_status_e pyro_partition_open(pyro_partition_t *part, const char *path,
    uint64_t map_size, pyro_durability_e durability, pyro_access_e access,
    pyro_error_t *err);

/* Removes a partition's file and the lock file beside it. */
void pyro_partition_unlink(const char *path);

/* The generations of the files that an open one is a copy of.  -1: it is
 * none, or damaged. */
int pyro_partition_sources(pyro_partition_t *part, uint32_t *list,
    uint32_t *n);

/* No transaction may be open. */
void pyro_partition_close(pyro_partition_t *part);

/* Where it begins, and behind its end; ns. */
static inline int64_t
pyro_partition_start(const pyro_partition_t *part)
{
    return (int64_t) part->start * PYRO_NS_PER_SEC;
}


static inline int64_t
pyro_partition_end(const pyro_partition_t *part)
{
    return (int64_t) (part->start + part->length) * PYRO_NS_PER_SEC;
}


/* 1 if the partition overlaps start to end, ns, both included. */
int pyro_partition_overlaps(const pyro_partition_t *part, int64_t start,
    int64_t end);

/* The last id given of each kind. */
pyro_status_e pyro_view_ids(const pyro_view_t *view, pyro_ids_t *ids);

/* PYRO_NOT_FOUND, without a message, if there is no such key. */
pyro_status_e pyro_view_get(const pyro_view_t *view, pyro_db_e db,
    const void *key, size_t key_len, pyro_slice_t *value);

pyro_status_e pyro_view_put(const pyro_view_t *view, pyro_db_e db,
    const void *key, size_t key_len, const void *value, size_t len);

/* A key that is not there is no error. */
pyro_status_e pyro_view_delete(const pyro_view_t *view, pyro_db_e db,
    const void *key, size_t key_len);

pyro_status_e pyro_view_cursor(const pyro_view_t *view, pyro_db_e db,
    pyro_kv_cursor_t **cursor);

/*
 * Moves the cursor as pyro_kv_move() does.  PYRO_NOT_FOUND: there is no such
 * key.
 */
pyro_status_e pyro_view_seek(const pyro_view_t *view, pyro_kv_cursor_t *cursor,
    pyro_kv_move_e op, pyro_slice_t *key, pyro_slice_t *value);

/* A number of 32 bits in a meta database; -1: none or damaged. */
int pyro_meta_u32(pyro_kv_txn_t *txn, pyro_kv_db_t meta, const char *name,
    uint32_t *v);
int pyro_meta_put(pyro_kv_txn_t *txn, pyro_kv_db_t meta, const char *name,
    const void *value, size_t len);

/* PYRO_UNAVAILABLE with both numbers unless the file's format is known. */
pyro_status_e pyro_meta_format(pyro_env_t *env, pyro_kv_txn_t *txn,
    pyro_kv_db_t meta, pyro_error_t *err);


#endif /* _PYRO_PARTITION_H_INCLUDED_ */
