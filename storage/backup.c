/*
 * pyro_store_backup(): the catalogue first, then the partitions that the copied
 * one names, until all of them are there.
 *
 * A partition that is removed or sealed meanwhile has to be looked for in a
 * newer copy of the catalogue; what was copied stays, since names are never
 * used twice.  One that is being removed is as good as gone: in the copy it
 * would be removed as well.  A tenant enters the catalogue before a partition
 * has it, so that a catalogue is too old if it lacks one in the end.
 */

#include "storage/handle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>


#define PYRO_BACKUP_CONTROL  "control.mdb"
#define PYRO_BACKUP_ROUNDS   100
#define PYRO_BACKUP_PAUSE    (10 * PYRO_NS_PER_MS)
#define PYRO_BACKUP_MODE     0750


typedef struct {
    pyro_catalog_t        *catalog;
    const char            *target;
    pyro_backup_result_t  *result;
    pyro_error_t          *err;
    pyro_arena_t          *arena;
    pyro_slice_t          *names;       /* copied, partitions only */
    uint32_t               n;
    uint32_t               cap;
    int                    made;        /* the directory, by this call */
    const char            *missing;     /* why one could not be copied */
} pyro_backup_t;


static pyro_status_e pyro_backup_begin(pyro_backup_t *b);
static pyro_status_e pyro_backup_round(pyro_backup_t *b, int *done);
static pyro_status_e pyro_backup_part(pyro_backup_t *b, const char *name);
static pyro_status_e pyro_backup_is_removed(pyro_backup_t *b,
    pyro_partition_t *part, int *removed);
static int pyro_backup_has(const pyro_backup_t *b, const char *name);
static pyro_status_e pyro_backup_copy(pyro_backup_t *b, pyro_env_t *env,
    const char *name);
static void pyro_backup_rest(pyro_backup_t *b, pyro_partition_t **parts,
    uint32_t n);
static pyro_status_e pyro_backup_sync(pyro_backup_t *b);
static pyro_status_e pyro_backup_failed(pyro_backup_t *b, const char *name,
    int error);
static int pyro_backup_path(const pyro_backup_t *b, const char *name,
    char *path, size_t size);
static void pyro_backup_undo(pyro_backup_t *b);


pyro_status_e
pyro_store_backup(pyro_store_t *store, const char *target,
    pyro_backup_result_t *result, pyro_error_t *err)
{
    int             done;
    uint32_t        i;
    pyro_backup_t   b;
    pyro_status_e   status;

    memset(&b, 0, sizeof(pyro_backup_t));
    memset(result, 0, sizeof(pyro_backup_result_t));

    b.catalog = &store->catalog;
    b.target = target;
    b.result = result;
    b.err = err;
    b.arena = pyro_arena_create(0);

    if (b.arena == NULL) {
        return pyro_error_memory(err);
    }

    status = pyro_backup_begin(&b);

    if (status != PYRO_OK) {
        pyro_arena_destroy(b.arena);
        return status;
    }

    for (i = 0, done = 0; status == PYRO_OK && !done; i++) {

        if (i == PYRO_BACKUP_ROUNDS) {
            status = pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                                    "storage: a partition that the catalogue "
                                    "names %s, %d times in a row",
                                    b.missing ? b.missing
                                    : "has another tenant",
                                    PYRO_BACKUP_ROUNDS);
            break;
        }

        status = pyro_backup_round(&b, &done);
    }

    if (status == PYRO_OK) {
        status = pyro_backup_sync(&b);
    }

    if (status != PYRO_OK) {
        pyro_backup_undo(&b);
    }

    pyro_arena_destroy(b.arena);

    return status;
}


/* The directory, empty. */
static pyro_status_e
pyro_backup_begin(pyro_backup_t *b)
{
    DIR            *dir;
    struct dirent  *entry;

    if (mkdir(b->target, PYRO_BACKUP_MODE) == 0) {
        b->made = 1;
        return PYRO_OK;
    }

    dir = errno == EEXIST ? opendir(b->target) : NULL;

    if (dir == NULL) {
        return pyro_error_set(b->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "\"%s\" cannot be the copy: %s", b->target,
                              strerror(errno));
    }

    do {
        entry = readdir(dir);
    } while (entry != NULL && (strcmp(entry->d_name, ".") == 0
                               || strcmp(entry->d_name, "..") == 0));

    closedir(dir);

    return entry == NULL ? PYRO_OK
           : pyro_error_set(b->err, PYRO_INVALID, PYRO_REASON_STORE,
                            "\"%s\" is not empty", b->target);
}


static pyro_status_e
pyro_backup_round(pyro_backup_t *b, int *done)
{
    uint32_t               i;
    pyro_status_e          status;
    pyro_catalog_t         copy;
    pyro_store_options_t   options;
    struct timespec        pause = { 0, PYRO_BACKUP_PAUSE };

    memset(&options, 0, sizeof(pyro_store_options_t));

    options.dir = b->target;
    options.access = PYRO_ACCESS_READ;

    status = pyro_backup_copy(b, b->catalog->control, PYRO_BACKUP_CONTROL);

    if (status == PYRO_OK) {
        status = pyro_catalog_open(&copy, &options, b->err);
    }

    if (status != PYRO_OK) {
        return status;
    }

    b->missing = NULL;
    status = pyro_catalog_refresh(b->catalog, b->err);

    for (i = 0; i < copy.n_parts && status == PYRO_OK; i++) {
        if (!pyro_backup_has(b, copy.parts[i]->name)) {
            status = pyro_backup_part(b, copy.parts[i]->name);
        }
    }

    if (status == PYRO_OK) {
        status = pyro_catalog_refresh(b->catalog, b->err);
    }

    *done = status == PYRO_OK && b->missing == NULL
            && b->catalog->tenants.n == copy.tenants.n;

    if (*done) {
        pyro_backup_rest(b, copy.parts, copy.n_parts);

    } else if (status == PYRO_OK) {
        nanosleep(&pause, NULL);
    }

    pyro_catalog_close(&copy);

    return status;
}


static int
pyro_backup_has(const pyro_backup_t *b, const char *name)
{
    uint32_t  i;

    for (i = 0; i < b->n; i++) {
        if (pyro_slice_is(b->names[i], name)) {
            return 1;
        }
    }

    return 0;
}


/* One that the copied catalogue names. */
static pyro_status_e
pyro_backup_part(pyro_backup_t *b, const char *name)
{
    int                removed;
    char               path[4096];
    uint32_t           i;
    pyro_status_e      status;
    pyro_partition_t  *part;

    for (i = 0, part = NULL; i < b->catalog->n_parts; i++) {
        if (strcmp(b->catalog->parts[i]->name, name) == 0) {
            part = b->catalog->parts[i];
        }
    }

    status = part == NULL || part->state == PYRO_STATE_REMOVED
             ? PYRO_NOT_FOUND
             : pyro_catalog_acquire(b->catalog, part, b->err);

    if (status != PYRO_OK && pyro_catalog_size(b->catalog, name) == 0) {
        b->missing = "is not there";
        return PYRO_OK;
    }

    if (status == PYRO_NOT_FOUND) {
        b->missing = "is gone, and its file not";
        return PYRO_OK;
    }

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_backup_copy(b, part->env, part->name);
    removed = 0;

    if (status == PYRO_OK) {
        status = pyro_backup_is_removed(b, part, &removed);
    }

    if (status != PYRO_OK || removed) {
        pyro_backup_path(b, part->name, path, sizeof(path));
        (void) unlink(path);
        b->missing = "is half removed, which the server's upkeep ends";

    } else if (pyro_arena_grow(b->arena, &b->names, &b->cap,
                               (size_t) b->n + 1, sizeof(pyro_slice_t)))
    {
        status = pyro_error_memory(b->err);

    } else {
        /* an entry of the catalogue lives as long as the store */

        b->names[b->n++] = pyro_slice_str(part->name);
    }

    pyro_catalog_release(b->catalog, part);

    return status;
}


/* Asked when it has been copied: states only go one way. */
static pyro_status_e
pyro_backup_is_removed(pyro_backup_t *b, pyro_partition_t *part, int *removed)
{
    pyro_view_t    view;
    pyro_slice_t   in;
    pyro_status_e  status;

    view.part = part;
    view.err = b->err;

    status = pyro_env_begin(part->env, 1, &view.txn, b->err);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_view_get(&view, PYRO_DB_META, "state", strlen("state"), &in);
    *removed = status == PYRO_OK && in.len == 1
               && in.data[0] == PYRO_STATE_REMOVED;

    pyro_env_abort(part->env, view.txn);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_backup_copy(pyro_backup_t *b, pyro_env_t *env, const char *name)
{
    int   fd, rc;
    char  path[4096];

    if (pyro_backup_path(b, name, path, sizeof(path))) {
        return pyro_backup_failed(b, name, ENAMETOOLONG);
    }

    /* the catalogue may be copied more than once */

    (void) unlink(path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, PYRO_KV_MODE);

    if (fd == -1) {
        return pyro_backup_failed(b, name, errno);
    }

    rc = pyro_env_copy(env, fd);

    if (rc == 0 && fsync(fd) == -1) {
        rc = errno;
    }

    if (close(fd) == -1 && rc == 0) {
        rc = errno;
    }

    return rc ? pyro_backup_failed(b, name, rc) : PYRO_OK;
}


/* Takes away what the catalogue did not name in the end, and counts. */
static void
pyro_backup_rest(pyro_backup_t *b, pyro_partition_t **parts, uint32_t n)
{
    char          path[4096];
    uint32_t      i, k;
    struct stat   st;

    for (i = 0; i < b->n; i++) {

        for (k = 0; k < n; k++) {
            if (pyro_slice_is(b->names[i], parts[k]->name)) {
                break;
            }
        }

        pyro_backup_path(b, b->names[i].data, path, sizeof(path));

        if (k == n) {
            (void) unlink(path);

        } else if (stat(path, &st) == 0) {
            b->result->files++;
            b->result->bytes += (uint64_t) st.st_size;
        }
    }

    pyro_backup_path(b, PYRO_BACKUP_CONTROL, path, sizeof(path));

    if (stat(path, &st) == 0) {
        b->result->files++;
        b->result->bytes += (uint64_t) st.st_size;
    }

    /* made when the copied catalogue was read */

    pyro_backup_path(b, PYRO_BACKUP_CONTROL "-lock", path, sizeof(path));
    (void) unlink(path);
}


/* The names, and the directory's own, are on disk. */
static pyro_status_e
pyro_backup_sync(pyro_backup_t *b)
{
    int   fd, rc, i;
    char  path[4096];

    for (i = 0; i < 2; i++) {
        rc = pyro_backup_path(b, i ? ".." : ".", path, sizeof(path));
        fd = rc ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        rc = fd == -1 || fsync(fd) == -1 ? errno : 0;

        if (fd != -1) {
            close(fd);
        }

        if (rc) {
            return pyro_backup_failed(b, path, rc);
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_backup_failed(pyro_backup_t *b, const char *name, int error)
{
    return pyro_error_set(b->err, PYRO_UNAVAILABLE,
                          error == ENOSPC ? PYRO_REASON_DISK
                                          : PYRO_REASON_STORE,
                          "%s cannot be copied to \"%s\": %s", name, b->target,
                          pyro_kv_strerror(error));
}


static int
pyro_backup_path(const pyro_backup_t *b, const char *name, char *path,
    size_t size)
{
    int  n;

    n = snprintf(path, size, "%s/%s", b->target, name);

    return n < 0 || (size_t) n >= size ? -1 : 0;
}


static void
pyro_backup_undo(pyro_backup_t *b)
{
    char      path[4096];
    uint32_t  i;

    for (i = 0; i < b->n; i++) {
        if (pyro_backup_path(b, b->names[i].data, path, sizeof(path)) == 0) {
            (void) unlink(path);
        }
    }

    if (pyro_backup_path(b, PYRO_BACKUP_CONTROL, path, sizeof(path)) == 0) {
        (void) unlink(path);
    }

    if (pyro_backup_path(b, PYRO_BACKUP_CONTROL "-lock", path, sizeof(path))
        == 0)
    {
        (void) unlink(path);
    }

    if (b->made) {
        (void) rmdir(b->target);
    }
}
