/*
 * One LMDB environment: how it is opened, begun, renewed and closed, and what
 * its errors become.
 *
 * An environment belongs to the process that opened it (never across a fork)
 * and may be used by any of its threads.  A file must be open only once in a
 * process: the catalogue sees to it.  Every transaction holds the gate shared
 * from begin to commit or abort, so that the map can be grown, which LMDB
 * allows only without any transaction, when another process has outgrown it.
 * A thread holds at most one transaction of an environment.
 *
 * Errors: PYRO_UNAVAILABLE, reason "disk_full" for a full map or file system
 * and "store_unavailable" for the rest, with the file's name and LMDB's text.
 */

#ifndef _PYRO_ENV_H_INCLUDED_
#define _PYRO_ENV_H_INCLUDED_


#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/base/status.h"
#include "storage/store.h"


#define PYRO_ENV_READERS  1024
#define PYRO_ENV_DBS      32
#define PYRO_ENV_MODE     0640


typedef struct {
    MDB_env            *mdb;
    pthread_rwlock_t    gate;
    char               *path;
    const char         *name;       /* of the file, for messages */
    uint64_t            map_size;
    pyro_durability_e   durability;
    pyro_access_e       access;     /* READ on a read-only file system */
    int                 unlocked;   /* no lock file: nobody else may write */
    int64_t             synced;     /* pyro_clock_mono(), PERIODIC only */
    atomic_int          broken;     /* LMDB works only when reopened */
    uint64_t            suspect;    /* storage/suspects.h; 0: control.mdb */
} pyro_env_t;


/*
 * Opens path, or makes it, if access allows that; an attempt that fails is
 * repeated a few times, since opening may collide with another process's
 * opening or closing.  What is on a read-only file system can be read, without
 * LMDB's lock file: nobody writes.
 */
pyro_status_e pyro_env_open(const char *path, uint64_t map_size,
    pyro_durability_e durability, pyro_access_e access, pyro_env_t **out,
    pyro_error_t *err);

void pyro_env_close(pyro_env_t *env);

/*
 * For pyro_env_open() with another access than MAKE: refuses what is no file of
 * a store, or has another format, without a trace of it beside the file.  Sets
 * env->unlocked.
 */
pyro_status_e pyro_env_probe(pyro_env_t *env, pyro_error_t *err);

/* 1 if the file is of a store, and of a format that is not known.  To be asked
 * where it is not open. */
int pyro_env_is_foreign(const char *path);

/* Blocks while another writer, of any process, has its transaction. */
pyro_status_e pyro_env_begin(pyro_env_t *env, int readonly, MDB_txn **txn,
    pyro_error_t *err);

pyro_status_e pyro_env_commit(pyro_env_t *env, MDB_txn *txn,
    pyro_error_t *err);

void pyro_env_abort(pyro_env_t *env, MDB_txn *txn);

/*
 * Moves a read transaction to the newest snapshot; its cursors need
 * mdb_cursor_renew().  After an error the transaction can only be aborted.
 */
pyro_status_e pyro_env_renew(pyro_env_t *env, MDB_txn *txn, pyro_error_t *err);

/* Clears slots of dead readers; returns how many, -1 on an error. */
int pyro_env_reader_check(pyro_env_t *env, pyro_error_t *err);

/* what: "cannot <what>". */
pyro_status_e pyro_env_error(pyro_env_t *env, int rc, const char *what,
    pyro_error_t *err);

/* A value that cannot be what this program wrote. */
pyro_status_e pyro_env_damaged(const pyro_env_t *env, const char *what,
    uint64_t id, pyro_error_t *err);


#endif /* _PYRO_ENV_H_INCLUDED_ */
