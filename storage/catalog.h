/*
 * The catalogue: control.mdb with the list of partitions and tenants, its copy
 * in this process, and the partitions that are open.
 *
 * Any thread: everything below is under the catalogue's mutex.  A partition
 * that was acquired stays open until it is released; of the others as many are
 * kept open as options.max_open allows, the longest unused closed first.  An
 * entry, once known, lives as long as the store.
 *
 * Other processes change control.mdb: each call that looks something up reads
 * its generation first and reloads what changed.
 */

#ifndef _PYRO_CATALOG_H_INCLUDED_
#define _PYRO_CATALOG_H_INCLUDED_


#include "core/base/intern.h"
#include "storage/partition.h"
#include "storage/suspects.h"


#define PYRO_PART_VALUE  5          /* bytes before the file name in "part" */

/* They stay for ever, and control.mdb has to have room for partitions. */
#define PYRO_CATALOG_TENANTS  100000


typedef enum {
    PYRO_CONTROL_META = 0,
    PYRO_CONTROL_PART,
    PYRO_CONTROL_TENANT,
    PYRO_CONTROL_INFO,              /* from here on: older files lack it */
    PYRO_CONTROL_SETTING,
    PYRO_CONTROL_COUNT
} pyro_control_db_e;


typedef struct {
    pyro_store_options_t   options;     /* with defaults filled in */
    char                  *dir;
    pyro_env_t            *control;
    pyro_kv_db_t           dbi[PYRO_CONTROL_COUNT];     /* 0: not there */

    pthread_mutex_t        mutex;
    uint32_t               holds;       /* of control */
    uint32_t               generation;  /* loaded; 0: nothing yet */
    pyro_partition_t     **parts;       /* in order of arrival */
    uint32_t               n_parts;
    uint32_t               cap_parts;
    uint32_t               n_open;
    uint64_t               clock;       /* counts uses */

    pyro_arena_t          *arena;       /* of the tables below */
    pyro_intern_t          tenants;
    uint32_t              *tenant_ids;  /* by index in tenants */
    uint32_t               cap_tenants;
} pyro_catalog_t;


pyro_status_e pyro_catalog_open(pyro_catalog_t *catalog,
    const pyro_store_options_t *options, pyro_error_t *err);

void pyro_catalog_close(pyro_catalog_t *catalog);

/* Takes over what other processes have changed. */
pyro_status_e pyro_catalog_refresh(pyro_catalog_t *catalog, pyro_error_t *err);

/* The partition of this start and generation, unless it was removed. */
pyro_partition_t *pyro_catalog_generation(pyro_catalog_t *catalog,
    uint64_t start, uint32_t generation);

/* The partition that data of this time (ns) is written to, or NULL. */
pyro_partition_t *pyro_catalog_find(pyro_catalog_t *catalog, int64_t time);

/* 1 if single pushes of that time are not kept any more. */
int pyro_catalog_is_thinned(pyro_catalog_t *catalog, int64_t time);

/* The same; the partition is made if there is none. */
pyro_status_e pyro_catalog_make(pyro_catalog_t *catalog, int64_t time,
    pyro_partition_t **part, pyro_error_t *err);

/*
 * Removes a partition: first its own meta says so, so that nobody writes to it
 * any more, then the catalogue forgets it, then its files go.  Killed between
 * two of these, pyro_catalog_adopt() or the next call finishes.
 */
pyro_status_e pyro_catalog_remove(pyro_catalog_t *catalog,
    pyro_partition_t *part, pyro_error_t *err);

/* Those that overlap start to end (ns, both included), by start, length and
 * generation. */
pyro_status_e pyro_catalog_list(pyro_catalog_t *catalog, int64_t start,
    int64_t end, pyro_arena_t *arena, pyro_partition_t ***parts, uint32_t *n,
    pyro_error_t *err);

/* Opens the partition if need be.  PYRO_NOT_FOUND: it was removed. */
pyro_status_e pyro_catalog_acquire(pyro_catalog_t *catalog,
    pyro_partition_t *part, pyro_error_t *err);

/*
 * After PYRO_NOT_FOUND: 1 if the catalogue has the partition even so.  Somebody
 * has taken its file away; it counts as removed.
 */
int pyro_catalog_is_missing(pyro_catalog_t *catalog, pyro_partition_t *part);

/*
 * All of one start and length, or what has replaced them meanwhile: parts and n
 * are changed then, in the arena.  n 0: they were removed.  Those whose files
 * are not there are left out, with missing those that cannot be opened as well;
 * missing says which.
 */
pyro_status_e pyro_catalog_acquire_all(pyro_catalog_t *catalog,
    pyro_arena_t *arena, pyro_partition_t ***parts, uint32_t *n,
    pyro_store_missing_t *missing, pyro_error_t *err);

/* Notes a partition that an answer is without. */
void pyro_catalog_note(pyro_store_missing_t *missing,
    const pyro_partition_t *part, const pyro_error_t *err);

/* The partition's entry among the suspects, or NULL; whether it is set aside,
 * so that nobody opens it; and pyro_suspects_damage() of it. */
pyro_suspect_t *pyro_catalog_suspect(const pyro_catalog_t *catalog,
    const pyro_partition_t *part);
int pyro_catalog_is_aside(const pyro_catalog_t *catalog,
    const pyro_partition_t *part);
int pyro_catalog_damage(const pyro_catalog_t *catalog,
    const pyro_partition_t *part, uint32_t damage);

void pyro_catalog_release(pyro_catalog_t *catalog, pyro_partition_t *part);

/* The number of a tenant, or PYRO_NONE. */
uint32_t pyro_catalog_tenant(pyro_catalog_t *catalog, pyro_slice_t name);

/* PYRO_UNPROCESSABLE: it is new, and the store has PYRO_CATALOG_TENANTS. */
pyro_status_e pyro_catalog_may_add_tenant(pyro_catalog_t *catalog,
    pyro_slice_t name, pyro_error_t *err);

/* The number of a tenant, who is entered if he is new and may be. */
pyro_status_e pyro_catalog_add_tenant(pyro_catalog_t *catalog,
    pyro_slice_t name, uint32_t *tenant, pyro_error_t *err);


/*
 * control.mdb for a transaction outside the mutex, which is every query's and
 * must not wait for a disk: until it is given back, control and dbi stay as
 * they are.  The database is there: it is made, or without make, where an older
 * file does not have it, nothing is held and it is PYRO_NOT_FOUND.
 */
pyro_status_e pyro_catalog_hold(pyro_catalog_t *catalog, pyro_control_db_e db,
    int make, pyro_error_t *err);
void pyro_catalog_unhold(pyro_catalog_t *catalog);


/* ---- for the files of the catalogue: the mutex is held ---- */

/* Opens control.mdb, or makes it. */
pyro_status_e pyro_catalog_control(pyro_catalog_t *catalog, pyro_error_t *err);

/* Under the mutex: opens control.mdb again if LMDB has given it up. */
pyro_status_e pyro_catalog_ready(pyro_catalog_t *catalog, pyro_error_t *err);

/*
 * One of dbi that older files do not have: PYRO_NOT_FOUND, or made.  Handles
 * are opened nowhere else but here and in pyro_catalog_control(): LMDB wants
 * one transaction at a time for that.
 */
pyro_status_e pyro_catalog_db_locked(pyro_catalog_t *catalog,
    pyro_control_db_e db, int make, pyro_error_t *err);

/* pyro_catalog_refresh(), pyro_catalog_generation(), pyro_catalog_find(). */
pyro_status_e pyro_catalog_refresh_locked(pyro_catalog_t *catalog,
    pyro_error_t *err);
pyro_partition_t *pyro_catalog_generation_locked(pyro_catalog_t *catalog,
    uint64_t start, uint32_t generation);
pyro_partition_t *pyro_catalog_find_locked(pyro_catalog_t *catalog,
    int64_t time);

/* Reads everything from control.mdb, as txn sees it, if that has changed.
 * PYRO_UNAVAILABLE also if it is of another format now. */
pyro_status_e pyro_catalog_load(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    pyro_error_t *err);

/* Begins to change it: a write transaction, with everything loaded. */
pyro_status_e pyro_catalog_change(pyro_catalog_t *catalog, pyro_kv_txn_t **txn,
    pyro_error_t *err);

/* Enters a partition, or a tenant, in a write transaction. */
int pyro_catalog_put_part(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    const pyro_partition_t *part);
int pyro_catalog_put_tenant(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    uint32_t id, pyro_slice_t name);

/* Commits a change as this generation and loads it. */
pyro_status_e pyro_catalog_commit(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    uint32_t generation, pyro_error_t *err);

/* The path of a file of the store, in the arena-free buffer given. */
int pyro_catalog_path(const pyro_catalog_t *catalog, const char *name,
    char *path, size_t size);

/* Bytes of a file of the store; 0 if it is not there. */
uint64_t pyro_catalog_size(const pyro_catalog_t *catalog, const char *name);

/* What was made or renamed in the directory is on disk. */
pyro_status_e pyro_catalog_sync_dir(const pyro_catalog_t *catalog,
    pyro_error_t *err);

/* The files of a partition that the catalogue does not have (any more). */
void pyro_catalog_unlink(const pyro_catalog_t *catalog, const char *name);

/* The partition files of the directory that the catalogue does not know; in the
 * arena, by generation.  -1: no memory. */
int pyro_catalog_strays(pyro_catalog_t *catalog, pyro_arena_t *arena,
    pyro_slice_t **names, uint32_t *n);

/* 1 if a file in the directory is named as partitions are. */
int pyro_catalog_is_partition(const char *name);

/* Takes in partition files that the catalogue does not know, and removes those
 * whose removal was cut off. */
pyro_status_e pyro_catalog_adopt(pyro_catalog_t *catalog, pyro_error_t *err);

/*
 * Takes in one file whose meta is valid, in a write transaction; *adopted tells
 * whether it was.  *generation is raised to the file's.
 */
pyro_status_e pyro_catalog_adopt_file(pyro_catalog_t *catalog,
    pyro_kv_txn_t *txn, const char *name, uint32_t *generation,
    pyro_partition_t *part, int *adopted, pyro_error_t *err);


#endif /* _PYRO_CATALOG_H_INCLUDED_ */
