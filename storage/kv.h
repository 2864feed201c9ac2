/*
 * The ordered key-value seam: what the store needs of an engine that keeps
 * bytes under bytes, in order, in transactions.  All of storage/ but the files
 * named after an engine is written against it; today's engine is LMDB, in
 * lmdb_*.c.  Another one takes its place by defining what is declared here.
 *
 * An environment is one file with named databases.  In each, keys are unique
 * and in the order of pyro_slice_cmp().  One transaction at a time writes, of
 * all processes, and blocks the others until it ends; any number of them read,
 * each what was committed when it began, and block nobody.  What a write
 * transaction did is there as a whole after its commit, whatever is killed, or
 * not at all.
 *
 * An environment belongs to the process that opened it (never across a fork)
 * and may be used by any of its threads; a file is open only once in a process:
 * the catalogue sees to it.  A transaction and its cursors belong to one
 * thread, which holds at most one of an environment.
 *
 * Keys and values that are read lie in the engine's memory: until the
 * transaction ends or is renewed, and in one that writes, until the next
 * change.
 *
 * Calls that return an int: 0, PYRO_KV_NOT_FOUND, PYRO_KV_EXISTS, PYRO_KV_FULL,
 * or another number of the engine; pyro_env_error() makes an error of it:
 * PYRO_UNAVAILABLE, reason "disk_full" for a full map or file system and
 * "store_unavailable" for the rest, with the file's name and the engine's text.
 */

#ifndef _PYRO_KV_H_INCLUDED_
#define _PYRO_KV_H_INCLUDED_


#include <pthread.h>
#include <stdatomic.h>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "storage/store.h"


/* Numbers that no errno has. */
#define PYRO_KV_EXISTS     (-30799)
#define PYRO_KV_NOT_FOUND  (-30798)
#define PYRO_KV_FULL       (-30792)     /* no room in the map */

#define PYRO_KV_DBS        32           /* databases in an environment */
#define PYRO_KV_MODE       0640         /* of files */


typedef struct pyro_kv_txn_s     pyro_kv_txn_t;
typedef struct pyro_kv_cursor_s  pyro_kv_cursor_t;

/* Called where the engine finds a file so damaged that it gives it up; must not
 * return. */
typedef void (*pyro_env_fatal_pt)(void *ctx, const char *text);

/* A database, in each transaction of its environment.  0 is none. */
typedef unsigned int             pyro_kv_db_t;


typedef struct {
    void               *engine;     /* what it calls an environment */
    pthread_rwlock_t    gate;       /* shared: a transaction is open */
    char               *path;
    const char         *name;       /* of the file, for messages */
    uint64_t            map_size;
    pyro_durability_e   durability;
    pyro_access_e       access;     /* READ on a read-only file system */
    int                 unlocked;   /* no lock file: nobody else may write */
    atomic_llong        synced;     /* pyro_clock_mono(), PERIODIC only */
    atomic_int          unsynced;   /* commits since then */
    atomic_int          broken;     /* the engine works only when reopened */
    uint64_t            suspect;    /* storage/suspects.h; 0: control.mdb */
    pyro_env_fatal_pt   fatal;      /* pyro_env_on_fatal() */
    void               *fatal_ctx;
} pyro_env_t;


/* ---- environments and transactions ---- */

/*
 * Opens path, or makes it, if access allows that; an attempt that fails is
 * repeated a few times, since opening may collide with another process's
 * opening or closing.  What is on a read-only file system can be read, without
 * a lock file: nobody writes.
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
pyro_status_e pyro_env_begin(pyro_env_t *env, int readonly, pyro_kv_txn_t **txn,
    pyro_error_t *err);

pyro_status_e pyro_env_commit(pyro_env_t *env, pyro_kv_txn_t *txn,
    pyro_error_t *err);

void pyro_env_abort(pyro_env_t *env, pyro_kv_txn_t *txn);

/* Of a read transaction: the number of the last one that wrote what it sees. */
uint64_t pyro_kv_txn_number(pyro_kv_txn_t *txn);

/* With PERIODIC: what this process has committed is on disk, if the last time
 * is a second ago.  Commits see to it as well, as long as there are any. */
pyro_status_e pyro_env_settle(pyro_env_t *env, pyro_error_t *err);

/*
 * Moves a read transaction to the newest snapshot; its cursors need
 * pyro_kv_cursor_renew().  After an error the transaction can only be aborted.
 */
pyro_status_e pyro_env_renew(pyro_env_t *env, pyro_kv_txn_t *txn,
    pyro_error_t *err);

/* What a number of the engine, or of errno, says. */
const char *pyro_kv_strerror(int rc);

/* Clears slots of dead readers; returns how many, -1 on an error. */
int pyro_env_reader_check(pyro_env_t *env, pyro_error_t *err);

/* How many readers the file has had at once, of how many that it can have; 0
 * while its map is being replaced. */
void pyro_env_readers(pyro_env_t *env, uint64_t *readers, uint64_t *limit);

/* what: "cannot <what>".  err->damaged is env where the number says that of the
 * file. */
pyro_status_e pyro_env_error(pyro_env_t *env, int rc, const char *what,
    pyro_error_t *err);

/* A value that cannot be what this program wrote; err->damaged is env. */
pyro_status_e pyro_env_damaged(const pyro_env_t *env, const char *what,
    uint64_t id, pyro_error_t *err);


/* A copy of one snapshot, as short as it can be, into an empty file. */
int pyro_env_copy(pyro_env_t *env, int fd);

/* Bytes that the file takes with all that it ever had at once. */
int pyro_env_extent(pyro_env_t *env, uint64_t *bytes);

/* Without a handler the engine aborts the process. */
void pyro_env_on_fatal(pyro_env_t *env, pyro_env_fatal_pt handler, void *ctx);


/* ---- databases, keys and values ---- */

/* name NULL: the one with the names of the others, read-only. */
int pyro_kv_open(pyro_kv_txn_t *txn, const char *name, int make,
    pyro_kv_db_t *db);

typedef struct {
    uint64_t  entries;
    uint64_t  bytes;                /* of its pages */
} pyro_kv_stat_t;

int pyro_kv_stat(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_kv_stat_t *stat);

/* Bytes of the environment that hold something, and that can be used again. */
int pyro_kv_room(pyro_env_t *env, pyro_kv_txn_t *txn, uint64_t *used,
    uint64_t *free);

int pyro_kv_get(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t *value);

/* Whether the key is there or not. */
int pyro_kv_put(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t value);

/* Behind all keys, so that pages get full; PYRO_KV_EXISTS: it is not. */
int pyro_kv_append(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t value);

/* If the key is not there; PYRO_KV_EXISTS: it is, with what *value is now. */
int pyro_kv_add(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t *value);

/* Sets a value of len bytes that the caller writes before its next call. */
int pyro_kv_reserve(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    size_t len, void **value);

int pyro_kv_delete(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key);


typedef enum {
    PYRO_KV_FIRST,
    PYRO_KV_LAST,
    PYRO_KV_NEXT,                   /* the first one of a new cursor */
    PYRO_KV_PREV,
    PYRO_KV_SEEK                    /* the first key that is not below *key */
} pyro_kv_move_e;

/* To be closed before its transaction ends, if that writes. */
int pyro_kv_cursor(pyro_kv_txn_t *txn, pyro_kv_db_t db,
    pyro_kv_cursor_t **cursor);
int pyro_kv_cursor_renew(pyro_kv_txn_t *txn, pyro_kv_cursor_t *cursor);
void pyro_kv_cursor_close(pyro_kv_cursor_t *cursor);

int pyro_kv_move(pyro_kv_cursor_t *cursor, pyro_kv_move_e move,
    pyro_slice_t *key, pyro_slice_t *value);

/* Deletes what the cursor is at; PYRO_KV_NEXT goes on behind it. */
int pyro_kv_cursor_delete(pyro_kv_cursor_t *cursor);


#endif /* _PYRO_KV_H_INCLUDED_ */
