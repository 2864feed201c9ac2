/*
 * A file of LMDB's: how it is opened, begun, renewed and closed, and what its
 * errors become.  Every transaction holds the gate shared from begin to commit
 * or abort, so that the map can be grown, which LMDB allows only without any
 * transaction, when another process has outgrown it.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* fallocate() */
#endif

#include "storage/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "storage/suspects.h"


#define PYRO_ENV_READERS      1024
#define PYRO_ENV_ATTEMPTS     6
#define PYRO_ENV_PAUSE        (20 * PYRO_NS_PER_MS)
#define PYRO_ENV_SYNC_PERIOD  PYRO_NS_PER_SEC

/* of a lock file: LMDB's header, which opening writes, and all readers */
#define PYRO_ENV_LOCK_HEAD    4096
#define PYRO_ENV_LOCK_SIZE    (128 * PYRO_ENV_READERS)


static int pyro_env_gate(pyro_env_t *env);
static int pyro_env_try(pyro_env_t *env);
static int pyro_env_reserve(const pyro_env_t *env);
static int pyro_env_usable(MDB_env *mdb);
static int pyro_env_may_pass(int rc);
static int pyro_env_follow(pyro_env_t *env);
static int pyro_env_start(pyro_env_t *env, unsigned int flags,
    MDB_txn **txn);
static int pyro_env_restart(pyro_env_t *env, pyro_kv_txn_t *txn);
static int pyro_env_sync(pyro_env_t *env);
static void pyro_lmdb_fatal(MDB_env *mdb, const char *text);
static int pyro_env_is_damage(int rc);


pyro_status_e
pyro_env_open(const char *path, uint64_t map_size,
    pyro_durability_e durability, pyro_access_e access, pyro_env_t **out,
    pyro_error_t *err)
{
    int              i, rc;
    const char      *slash;
    pyro_env_t      *env;
    pyro_status_e    status;
    struct timespec  pause = { 0, PYRO_ENV_PAUSE };

    env = calloc(1, sizeof(pyro_env_t));

    if (env == NULL) {
        return pyro_error_memory(err);
    }

    env->path = strdup(path);

    if (env->path == NULL || pyro_env_gate(env)) {
        free(env->path);
        free(env);
        return pyro_error_memory(err);
    }

    slash = strrchr(env->path, '/');
    env->name = slash ? slash + 1 : env->path;
    env->map_size = map_size;
    env->durability = durability;
    env->access = access;

    status = access == PYRO_ACCESS_MAKE ? PYRO_OK : pyro_env_probe(env, err);

    if (status != PYRO_OK) {
        pyro_env_close(env);
        return status;
    }

    rc = pyro_env_try(env);

    if (rc == EROFS) {
        env->access = PYRO_ACCESS_READ;
        rc = pyro_env_try(env);

        /* it is not there, and cannot be made */
        rc = rc == ENOENT ? EROFS : rc;
    }

    for (i = 1; rc && i < PYRO_ENV_ATTEMPTS && pyro_env_may_pass(rc); i++) {
        nanosleep(&pause, NULL);
        rc = pyro_env_try(env);
    }

    if (rc) {
        status = pyro_env_error(env, rc, "be opened", err);

        /* the disk has lost its first pages: read with pread(), not mapped */

        if (rc == EIO) {
            status = pyro_error_damage(err, status, env);
        }

        pyro_env_close(env);
        return status;
    }

    *out = env;

    return PYRO_OK;
}


static int
pyro_env_gate(pyro_env_t *env)
{
    int                   rc;
    pthread_rwlockattr_t  attr;

    if (pthread_rwlockattr_init(&attr)) {
        return -1;
    }

    /* overlapping readers must not keep a resize out for ever */

    pthread_rwlockattr_setkind_np(&attr,
                                PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);

    rc = pthread_rwlock_init(&env->gate, &attr);

    pthread_rwlockattr_destroy(&attr);

    return rc ? -1 : 0;
}


static int
pyro_env_try(pyro_env_t *env)
{
    int           rc;
    MDB_env      *mdb;
    unsigned int  flags;

    flags = MDB_NOSUBDIR | MDB_NOTLS;

    if (env->durability == PYRO_DURABILITY_NOMETASYNC) {
        flags |= MDB_NOMETASYNC;

    } else if (env->durability == PYRO_DURABILITY_PERIODIC) {
        flags |= MDB_NOSYNC;
    }

    if (env->access == PYRO_ACCESS_READ) {
        flags |= MDB_RDONLY;
    }

    if (env->unlocked) {
        flags |= MDB_NOLOCK;
    }

    rc = pyro_env_reserve(env);

    if (rc) {
        return rc;
    }

    rc = mdb_env_create(&mdb);

    if (rc) {
        return rc;
    }

    rc = mdb_env_set_maxreaders(mdb, PYRO_ENV_READERS);

    if (rc == 0) {
        rc = mdb_env_set_maxdbs(mdb, PYRO_KV_DBS);
    }

    if (rc == 0) {
        rc = mdb_env_set_mapsize(mdb, env->map_size);
    }

    if (rc == 0) {
        rc = mdb_env_open(mdb, env->path, flags, PYRO_KV_MODE);
    }

    if (rc == 0) {
        rc = pyro_env_usable(mdb);
    }

    if (rc) {
        mdb_env_close(mdb);
        return rc;
    }

    env->engine = mdb;

    return 0;
}


/*
 * LMDB gives its lock file a size, and maps it: where the disk is full the
 * first touch of a page would be a SIGBUS.  What cannot be reserved beyond the
 * header is left: nobody needs it but a process with many readers.
 *
 * Closing a file drops all fcntl() locks of the process on it: to be called
 * before LMDB has the file, which it has once in a process.
 */
static int
pyro_env_reserve(const pyro_env_t *env)
{
    int   fd, rc, flags;
    char  path[PATH_MAX];

    if (env->unlocked
        || snprintf(path, sizeof(path), "%s-lock", env->path)
           >= (int) sizeof(path))
    {
        return 0;
    }

    flags = env->access == PYRO_ACCESS_MAKE || access(env->path, F_OK) == 0
            ? O_CREAT : 0;
    fd = open(path, O_RDWR | O_CLOEXEC | flags, PYRO_KV_MODE);

    if (fd == -1) {
        /* LMDB will tell, or goes without */
        return 0;
    }

    rc = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, PYRO_ENV_LOCK_HEAD) == -1
         && (errno == ENOSPC || errno == EDQUOT) ? errno : 0;

    if (rc == 0) {
        (void) fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, PYRO_ENV_LOCK_SIZE);
    }

    close(fd);

    return rc;
}


/*
 * LMDB, since 0.9.26, destroys the mutexes of the lock file when the last
 * process closes it.  One that opened it at that moment waited for the lock on
 * the file, takes the mutexes for another's, and would have none for as long as
 * it has the file open: EINVAL, where all that have it so must open it again.
 * Once sound they stay so, for who has it open is not the last.
 */
static int
pyro_env_usable(MDB_env *mdb)
{
    int       rc;
    MDB_txn  *txn;

    rc = mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn);

    if (rc == 0) {
        mdb_txn_abort(txn);
    }

    /* anything else can be mended while it is open */

    return rc == EINVAL ? rc : 0;
}


static int
pyro_env_may_pass(int rc)
{
    switch (rc) {

    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOSPC:
    case ENOMEM:
        return 0;

    default:
        return 1;
    }
}


void
pyro_env_close(pyro_env_t *env)
{
    if (env == NULL) {
        return;
    }

    if (env->engine != NULL) {

        if (env->durability == PYRO_DURABILITY_PERIODIC
            && env->access != PYRO_ACCESS_READ)
        {
            mdb_env_sync(env->engine, 1);
        }

        mdb_env_close(env->engine);
    }

    pthread_rwlock_destroy(&env->gate);

    free(env->path);
    free(env);
}


/*
 * Takes over the size to which another process has grown the map.  If that
 * fails LMDB has no map any more, and would read where it was.
 */
static int
pyro_env_follow(pyro_env_t *env)
{
    int  rc;

    pthread_rwlock_wrlock(&env->gate);

    rc = atomic_load(&env->broken) ? MDB_PANIC
                                   : mdb_env_set_mapsize(env->engine, 0);

    if (rc) {
        atomic_store(&env->broken, 1);
    }

    pthread_rwlock_unlock(&env->gate);

    return rc;
}


/* The gate is held. */
static int
pyro_env_start(pyro_env_t *env, unsigned int flags, MDB_txn **txn)
{
    return atomic_load(&env->broken) ? MDB_PANIC
                                     : mdb_txn_begin(env->engine, NULL, flags,
                                                     txn);
}


pyro_status_e
pyro_env_begin(pyro_env_t *env, int readonly, pyro_kv_txn_t **txn,
    pyro_error_t *err)
{
    int           rc;
    MDB_txn      *begun;
    unsigned int  flags;

    *txn = NULL;
    flags = readonly ? MDB_RDONLY : 0;

    if (env->access == PYRO_ACCESS_READ && !readonly) {
        return pyro_env_error(env, EROFS, "be written", err);
    }

    pthread_rwlock_rdlock(&env->gate);
    pyro_suspects_enter(env->suspect);
    rc = pyro_env_start(env, flags, &begun);

    if (rc == MDB_MAP_RESIZED) {
        pthread_rwlock_unlock(&env->gate);
        rc = pyro_env_follow(env);
        pthread_rwlock_rdlock(&env->gate);

        if (rc == 0) {
            rc = pyro_env_start(env, flags, &begun);
        }
    }

    if (rc) {
        pyro_suspects_leave(env->suspect);
        pthread_rwlock_unlock(&env->gate);
        return pyro_env_error(env, rc, "begin a transaction", err);
    }

    *txn = (pyro_kv_txn_t *) begun;

    return PYRO_OK;
}


/* The gate is held. */
static int
pyro_env_restart(pyro_env_t *env, pyro_kv_txn_t *txn)
{
    return atomic_load(&env->broken) ? MDB_PANIC
                                     : mdb_txn_renew((MDB_txn *) txn);
}


pyro_status_e
pyro_env_commit(pyro_env_t *env, pyro_kv_txn_t *txn, pyro_error_t *err)
{
    int  rc;

    rc = mdb_txn_commit((MDB_txn *) txn);

    if (rc == 0 && env->durability == PYRO_DURABILITY_PERIODIC) {
        atomic_store(&env->unsynced, 1);
        rc = pyro_env_sync(env);
    }

    pyro_suspects_leave(env->suspect);
    pthread_rwlock_unlock(&env->gate);

    return rc ? pyro_env_error(env, rc, "commit", err) : PYRO_OK;
}


/* If it is due. */
static int
pyro_env_sync(pyro_env_t *env)
{
    int      rc;
    int64_t  now;

    now = pyro_clock_mono();

    if (now - atomic_load(&env->synced) < PYRO_ENV_SYNC_PERIOD
        || !atomic_exchange(&env->unsynced, 0))
    {
        return 0;
    }

    atomic_store(&env->synced, now);
    rc = mdb_env_sync(env->engine, 1);

    if (rc) {
        atomic_store(&env->unsynced, 1);
    }

    return rc;
}


pyro_status_e
pyro_env_settle(pyro_env_t *env, pyro_error_t *err)
{
    int  rc;

    if (env->durability != PYRO_DURABILITY_PERIODIC) {
        return PYRO_OK;
    }

    pthread_rwlock_rdlock(&env->gate);
    rc = pyro_env_sync(env);
    pthread_rwlock_unlock(&env->gate);

    return rc ? pyro_env_error(env, rc, "be synced", err) : PYRO_OK;
}


void
pyro_env_abort(pyro_env_t *env, pyro_kv_txn_t *txn)
{
    mdb_txn_abort((MDB_txn *) txn);
    pyro_suspects_leave(env->suspect);
    pthread_rwlock_unlock(&env->gate);
}


pyro_status_e
pyro_env_renew(pyro_env_t *env, pyro_kv_txn_t *txn, pyro_error_t *err)
{
    int  rc;

    mdb_txn_reset((MDB_txn *) txn);

    pthread_rwlock_unlock(&env->gate);
    pthread_rwlock_rdlock(&env->gate);

    rc = pyro_env_restart(env, txn);

    if (rc == MDB_MAP_RESIZED) {
        pthread_rwlock_unlock(&env->gate);
        rc = pyro_env_follow(env);
        pthread_rwlock_rdlock(&env->gate);

        if (rc == 0) {
            rc = pyro_env_restart(env, txn);
        }
    }

    return rc ? pyro_env_error(env, rc, "renew a transaction", err) : PYRO_OK;
}


int
pyro_env_copy(pyro_env_t *env, int fd)
{
    int  rc, i;

    for (i = 0; ; i++) {
        pthread_rwlock_rdlock(&env->gate);
        rc = atomic_load(&env->broken) ? MDB_PANIC
             : mdb_env_copyfd2(env->engine, fd, MDB_CP_COMPACT);
        pthread_rwlock_unlock(&env->gate);

        if (rc != MDB_MAP_RESIZED || i == 3) {
            return rc;
        }

        rc = pyro_env_follow(env);

        if (rc) {
            return rc;
        }

        if (lseek(fd, 0, SEEK_SET) == -1 || ftruncate(fd, 0) == -1) {
            return errno;
        }
    }
}


void
pyro_env_on_fatal(pyro_env_t *env, pyro_env_fatal_pt handler, void *ctx)
{
    env->fatal = handler;
    env->fatal_ctx = ctx;

    mdb_env_set_userctx(env->engine, env);
    mdb_env_set_assert(env->engine, pyro_lmdb_fatal);
}


static void
pyro_lmdb_fatal(MDB_env *mdb, const char *text)
{
    char         message[512];
    pyro_env_t  *env;

    env = mdb_env_get_userctx(mdb);

    snprintf(message, sizeof(message), "LMDB gives it up: %s", text);
    env->fatal(env->fatal_ctx, message);
}


int
pyro_env_extent(pyro_env_t *env, uint64_t *bytes)
{
    int          rc;
    MDB_stat     stat;
    MDB_envinfo  info;

    rc = mdb_env_info(env->engine, &info);

    if (rc == 0) {
        rc = mdb_env_stat(env->engine, &stat);
    }

    if (rc == 0) {
        *bytes = ((uint64_t) info.me_last_pgno + 1) * stat.ms_psize;
    }

    return rc;
}


const char *
pyro_kv_strerror(int rc)
{
    return mdb_strerror(rc);
}


int
pyro_env_reader_check(pyro_env_t *env, pyro_error_t *err)
{
    int  rc, dead;

    rc = mdb_reader_check(env->engine, &dead);

    if (rc) {
        pyro_env_error(env, rc, "check its readers", err);
        return -1;
    }

    return dead;
}


void
pyro_env_readers(pyro_env_t *env, uint64_t *readers, uint64_t *limit)
{
    MDB_envinfo  info;

    memset(&info, 0, sizeof(info));

    /* without a wait: whoever takes over a larger map may hold the gate long */

    if (pthread_rwlock_tryrdlock(&env->gate) == 0) {

        if (!atomic_load(&env->broken)) {
            (void) mdb_env_info(env->engine, &info);
        }

        pthread_rwlock_unlock(&env->gate);
    }

    *readers = info.me_numreaders;
    *limit = info.me_maxreaders;
}


pyro_status_e
pyro_env_error(pyro_env_t *env, int rc, const char *what, pyro_error_t *err)
{
    pyro_status_e  status;

    if (rc == MDB_PANIC) {
        atomic_store(&env->broken, 1);
    }

    if (rc == MDB_MAP_FULL) {
        return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_DISK,
                              "storage: %s cannot %s: it has reached "
                              "lmdb.map_size, %llu bytes (%s)", env->name,
                              what, (unsigned long long) env->map_size,
                              mdb_strerror(rc));
    }

    if (rc == EACCES) {
        return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage: %s cannot %s: %s, for user %lu",
                              env->name, what, mdb_strerror(rc),
                              (unsigned long) geteuid());
    }

    status = pyro_error_set(err, PYRO_UNAVAILABLE,
                            rc == ENOSPC || rc == EDQUOT ? PYRO_REASON_DISK
                                                         : PYRO_REASON_STORE,
                            "storage: %s cannot %s: %s", env->name, what,
                            mdb_strerror(rc));

    return pyro_env_is_damage(rc) ? pyro_error_damage(err, status, env)
                                  : status;
}


/*
 * A database, or key, that each file has is not there; or the pages say it.
 * Where opening a cursor meets that, LMDB keeps it to itself, and the next call
 * finds the transaction bad.
 */
static int
pyro_env_is_damage(int rc)
{
    switch (rc) {

    case MDB_NOTFOUND:
    case MDB_PAGE_NOTFOUND:
    case MDB_PAGE_FULL:
    case MDB_CURSOR_FULL:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_TXN:
        return 1;

    default:
        return 0;
    }
}


pyro_status_e
pyro_env_damaged(const pyro_env_t *env, const char *what, uint64_t id,
    pyro_error_t *err)
{
    pyro_status_e  status;

    status = pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                            "storage: %s is damaged: %s %llu", env->name, what,
                            (unsigned long long) id);

    return pyro_error_damage(err, status, env);
}
