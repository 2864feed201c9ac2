#include "storage/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"


#define PYRO_OWNER_MODE      0640
#define PYRO_OWNER_NAME      128
#define PYRO_OWNER_ATTEMPTS  10
#define PYRO_OWNER_LONGER    250    /* while somebody is just taking it */
#define PYRO_OWNER_PAUSE     (20 * PYRO_NS_PER_MS)


typedef struct {
    int            fd;
    int            make;
    int            writable;
    int            passing;                     /* the last refusal was */
    char           path[4096];
    char           own[PYRO_OWNER_NAME];
    char           named[PYRO_OWNER_NAME];      /* in the file */
    pyro_error_t  *err;
} pyro_owner_t;


static pyro_status_e pyro_owner_open(pyro_owner_t *owner, const char *dir);
static void pyro_owner_give(const pyro_owner_t *owner, const char *dir);
static int pyro_owner_try(pyro_owner_t *owner);
static int pyro_owner_replace(pyro_owner_t *owner);
static void pyro_owner_own(char *name);
static void pyro_owner_read(pyro_owner_t *owner);
static int pyro_owner_write(const pyro_owner_t *owner);
static void pyro_owner_pause(int attempt);
static pyro_status_e pyro_owner_refuse(const pyro_owner_t *owner, int rc,
    const char *dir);


pyro_status_e
pyro_owner_take(const char *dir, int make, int *fd, pyro_error_t *err)
{
    int            i, rc;
    pyro_owner_t   owner;
    pyro_status_e  status;

    *fd = -1;

    memset(&owner, 0, sizeof(pyro_owner_t));
    owner.err = err;
    owner.make = make;

    status = pyro_owner_open(&owner, dir);

    if (status != PYRO_OK || owner.fd == -1) {
        return status;
    }

    pyro_owner_own(owner.own);
    rc = pyro_owner_try(&owner);

    /*
     * Others of our own may be looking, and hold it meanwhile.  Whoever takes
     * it is done in no time, but may not have a processor for some.
     */

    for (i = 1;
         rc == EWOULDBLOCK
         && i < (owner.passing ? PYRO_OWNER_LONGER : PYRO_OWNER_ATTEMPTS);
         i++)
    {
        pyro_owner_pause(i);
        rc = pyro_owner_try(&owner);
    }

    if (rc == 0) {
        *fd = owner.fd;
        return PYRO_OK;
    }

    close(owner.fd);

    if (rc == ENOSPC || rc == EDQUOT || rc == EROFS) {
        return PYRO_OK;
    }

    return pyro_owner_refuse(&owner, rc, dir);
}


void
pyro_owner_leave(int fd)
{
    if (fd != -1) {
        close(fd);
    }
}


/* fd is -1 where the file is not there and cannot be made. */
static pyro_status_e
pyro_owner_open(pyro_owner_t *owner, const char *dir)
{
    int  n, rc;

    n = snprintf(owner->path, sizeof(owner->path), "%s/%s", dir,
                 PYRO_OWNER_FILE);

    if (n < 0 || (size_t) n >= sizeof(owner->path)) {
        return pyro_error_set(owner->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage.filesystem.dir \"%.100s...\": %s", dir,
                              strerror(ENAMETOOLONG));
    }

    owner->writable = 1;
    owner->fd = open(owner->path,
                     O_RDWR | O_CLOEXEC | (owner->make ? O_CREAT : 0),
                     PYRO_OWNER_MODE);
    rc = owner->fd == -1 ? errno : 0;

    if (rc == ENOENT && !owner->make) {
        return PYRO_OK;
    }

    if (rc == ENOENT || rc == ENOTDIR) {
        return pyro_error_set(owner->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage.filesystem.dir \"%s\": %s", dir,
                              strerror(rc));
    }

    if (rc) {
        owner->writable = 0;
        owner->fd = open(owner->path, O_RDONLY | O_CLOEXEC);

    } else {
        pyro_owner_give(owner, dir);
    }

    return PYRO_OK;
}


/* A tool that root runs first must not keep the server from it. */
static void
pyro_owner_give(const pyro_owner_t *owner, const char *dir)
{
    struct stat  at, st;

    if (geteuid() == 0 && stat(dir, &at) == 0 && fstat(owner->fd, &st) == 0
        && st.st_uid == 0 && at.st_uid != 0
        && fchown(owner->fd, at.st_uid, at.st_gid) == -1)
    {
        /* whoever cannot open it then goes on without it */
        return;
    }
}


/* 0: the lock is held, and the file has our name.  EWOULDBLOCK: others do. */
static int
pyro_owner_try(pyro_owner_t *owner)
{
    /* nobody has it alone, or shares it without a name, but to write one */

    owner->passing = 1;

    if (flock(owner->fd, LOCK_SH | LOCK_NB) == -1) {
        return errno;
    }

    pyro_owner_read(owner);

    if (strcmp(owner->named, owner->own) == 0) {
        return 0;
    }

    owner->passing = owner->writable && owner->named[0] == '\0';

    /* this gives the shared lock up, also if it fails */

    if (flock(owner->fd, LOCK_EX | LOCK_NB) == -1) {
        return errno;
    }

    return pyro_owner_replace(owner);
}


/* Nobody else holds it. */
static int
pyro_owner_replace(pyro_owner_t *owner)
{
    int  rc;

    if (owner->writable) {
        rc = pyro_owner_write(owner);

        if (rc) {
            return rc;
        }
    }

    if (flock(owner->fd, LOCK_SH | LOCK_NB) == -1) {
        return errno;
    }

    if (!owner->writable) {
        return 0;
    }

    pyro_owner_read(owner);

    return strcmp(owner->named, owner->own) == 0 ? 0 : EWOULDBLOCK;
}


/* What cannot be told is the same for all. */
static void
pyro_owner_own(char *name)
{
    char     boot[64], space[48];
    FILE    *f;
    ssize_t  n;

    boot[0] = '\0';
    f = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (f != NULL) {
        if (fscanf(f, "%63s", boot) != 1) {
            boot[0] = '\0';
        }

        fclose(f);
    }

    n = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);
    space[n > 0 ? n : 0] = '\0';

    snprintf(name, PYRO_OWNER_NAME, "%s %s", boot[0] ? boot : "-",
             space[0] ? space : "-");
}


/* One line; an empty one, of a file that was just made, is nobody's. */
static void
pyro_owner_read(pyro_owner_t *owner)
{
    ssize_t  n;

    n = pread(owner->fd, owner->named, sizeof(owner->named) - 1, 0);

    owner->named[n > 0 ? n : 0] = '\0';
    owner->named[strcspn(owner->named, "\n")] = '\0';
}


static int
pyro_owner_write(const pyro_owner_t *owner)
{
    int      n;
    char     line[PYRO_OWNER_NAME + 1];
    ssize_t  rc;

    n = snprintf(line, sizeof(line), "%s\n", owner->own);
    rc = pwrite(owner->fd, line, (size_t) n, 0);

    if (rc != n) {
        return rc == -1 ? errno : ENOSPC;
    }

    return ftruncate(owner->fd, n) == -1 ? errno : 0;
}


/* Those that wait for each other are not to wake at the same time. */
static void
pyro_owner_pause(int attempt)
{
    struct timespec  pause = { 0, 0 };

    pause.tv_nsec = PYRO_OWNER_PAUSE / 2
                    + (getpid() * 7919L + attempt * 104729L) % 1000
                      * (PYRO_OWNER_PAUSE / 1000);
    nanosleep(&pause, NULL);
}


static pyro_status_e
pyro_owner_refuse(const pyro_owner_t *owner, int rc, const char *dir)
{
    size_t  n;

    if (rc != EWOULDBLOCK) {
        return pyro_error_set(owner->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage: %s cannot be locked: %s; the store "
                              "needs a local file system with flock()",
                              owner->path, strerror(rc));
    }

    n = strcspn(owner->own, " ");

    return pyro_error_set(owner->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                          "storage: \"%s\" is in use by %s: %s says \"%s\", "
                          "here it is \"%s\"", dir,
                          strncmp(owner->own, owner->named, n + 1) == 0
                          ? "a server in another PID namespace, such as that "
                            "of another container"
                          : "a server on another machine",
                          PYRO_OWNER_FILE, owner->named, owner->own);
}
