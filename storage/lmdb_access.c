/*
 * What is looked at before a file that exists is opened: whether it is one of
 * ours and of a format that is known, who else has it open, and whether its
 * lock file can be had.  LMDB makes or resets the lock file before it looks at
 * anything, so a file that is to be refused is read without it first.
 */

#include "storage/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/partition.h"


#define PYRO_PROBE_DBS  4


static int pyro_env_lock_path(const pyro_env_t *env, char *path, size_t size);
static int pyro_env_is_used(const char *lock);
static int pyro_env_may_lock(const pyro_env_t *env, const char *lock);
static pyro_status_e pyro_env_look(pyro_env_t *env, pyro_error_t *err);
static pyro_status_e pyro_env_look_format(pyro_env_t *env, MDB_env *mdb,
    pyro_error_t *err);
static int pyro_env_open_look(const char *path, MDB_env **mdb);


pyro_status_e
pyro_env_probe(pyro_env_t *env, pyro_error_t *err)
{
    int          used;
    char         lock[4096];
    struct stat  st;

    if (stat(env->path, &st)) {
        return pyro_env_error(env, errno, "be opened", err);
    }

    if (!S_ISREG(st.st_mode) || st.st_size == 0) {
        return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage: %s is %s", env->name,
                              S_ISREG(st.st_mode) ? "empty" : "no file");
    }

    if (pyro_env_lock_path(env, lock, sizeof(lock))) {
        return pyro_env_error(env, ENAMETOOLONG, "be opened", err);
    }

    used = pyro_env_is_used(lock);

    if (env->access == PYRO_ACCESS_READ && !pyro_env_may_lock(env, lock)) {

        if (used) {
            return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                                  "storage: %s is in use and its lock file "
                                  "cannot be written: be the user whom the "
                                  "server runs as", env->name);
        }

        env->unlocked = 1;
    }

    /* who has it open has looked at its format, and keeps its pages moving */

    return used ? PYRO_OK : pyro_env_look(env, err);
}


static int
pyro_env_lock_path(const pyro_env_t *env, char *path, size_t size)
{
    int  n;

    n = snprintf(path, size, "%s-lock", env->path);

    return n < 0 || (size_t) n >= size ? -1 : 0;
}


/*
 * LMDB's processes share a lock on the first byte of the lock file.  To be
 * asked only where this process does not have the file open: closing the
 * descriptor would give that lock up.
 */
static int
pyro_env_is_used(const char *lock)
{
    int           fd, used;
    struct flock  range;

    fd = open(lock, O_RDONLY | O_CLOEXEC);

    if (fd == -1) {
        return errno != ENOENT;
    }

    memset(&range, 0, sizeof(range));

    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_len = 1;

    used = fcntl(fd, F_GETLK, &range) == -1 || range.l_type != F_UNLCK;

    close(fd);

    return used;
}


static int
pyro_env_may_lock(const pyro_env_t *env, const char *lock)
{
    int    may;
    char  *dir;

    if (access(lock, F_OK) == 0) {
        return access(lock, R_OK | W_OK) == 0;
    }

    dir = strndup(env->path, (size_t) (env->name - env->path));
    may = dir != NULL && access(dir[0] ? dir : ".", W_OK | X_OK) == 0;
    free(dir);

    return may;
}


static pyro_status_e
pyro_env_look(pyro_env_t *env, pyro_error_t *err)
{
    int            rc;
    MDB_env       *mdb;
    pyro_status_e  status;

    rc = pyro_env_open_look(env->path, &mdb);

    if (rc) {
        return pyro_env_error(env, rc, "be opened", err);
    }

    status = pyro_env_look_format(env, mdb, err);
    mdb_env_close(mdb);

    return status;
}


/* For a look of a moment, without a lock file. */
static int
pyro_env_open_look(const char *path, MDB_env **mdb)
{
    int  rc;

    rc = mdb_env_create(mdb);

    if (rc) {
        return rc;
    }

    rc = mdb_env_set_maxdbs(*mdb, PYRO_PROBE_DBS);

    if (rc == 0) {
        rc = mdb_env_open(*mdb, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_RDONLY
                                      | MDB_NOLOCK, PYRO_KV_MODE);
    }

    if (rc) {
        mdb_env_close(*mdb);
    }

    return rc;
}


int
pyro_env_is_foreign(const char *path)
{
    int       foreign;
    MDB_dbi   meta;
    MDB_env  *mdb;
    MDB_txn  *txn;
    uint32_t  format;

    if (pyro_env_open_look(path, &mdb)) {
        return 0;
    }

    foreign = 0;

    if (mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn) == 0) {
        foreign = mdb_dbi_open(txn, "meta", 0, &meta) == 0
                  && pyro_meta_u32((pyro_kv_txn_t *) txn, meta, "format",
                                   &format) == 0
                  && format != PYRO_FORMAT;
        mdb_txn_abort(txn);
    }

    mdb_env_close(mdb);

    return foreign;
}


static pyro_status_e
pyro_env_look_format(pyro_env_t *env, MDB_env *mdb, pyro_error_t *err)
{
    int            rc;
    MDB_dbi        meta;
    MDB_txn       *txn;
    pyro_status_e  status;

    rc = mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn);

    if (rc) {
        return pyro_env_error(env, rc, "be read", err);
    }

    rc = mdb_dbi_open(txn, "meta", 0, &meta);

    status = rc ? pyro_env_error(env, rc, "be used: it is no file of a store",
                                 err)
                : pyro_meta_format(env, (pyro_kv_txn_t *) txn, meta, err);

    mdb_txn_abort(txn);

    return status;
}
