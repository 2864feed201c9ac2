/*
 * pyro_store_maintain(): what is too old goes first; then the partitions one
 * after the other, the newest first, since people look at them.
 */

#include "storage/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/probe.h"
#include "storage/retention.h"
#include "storage/roll.h"
#include "storage/seal.h"


#define PYRO_UPKEEP_GRACE  (60 * PYRO_NS_PER_SEC)   /* agents send late */
#define PYRO_UPKEEP_SLICE  PYRO_NS_PER_SEC


static void pyro_upkeep_clock(pyro_store_t *store, pyro_store_work_t *work);
static int pyro_upkeep_changed(pyro_store_t *store, pyro_partition_t *part,
    struct stat *st);
static pyro_status_e pyro_upkeep_partition(pyro_store_t *store,
    pyro_partition_t *part, pyro_store_work_t *work, pyro_error_t *err);


pyro_status_e
pyro_store_maintain(pyro_store_t *store, pyro_store_work_t *work,
    pyro_error_t *err)
{
    int                 rolled;
    uint32_t            i, n, removed;
    pyro_error_t        first;
    pyro_arena_t       *arena;
    pyro_status_e       status, worst;
    pyro_partition_t  **parts;

    work->held = 0;
    work->rolled = 0;
    work->more = 0;
    work->wait = 0;
    work->found[0] = '\0';
    worst = pyro_upkeep_lock(store, err);

    if (worst != PYRO_OK) {
        return worst == PYRO_NOT_FOUND ? PYRO_OK : worst;
    }

    /* partitions are no business of ours if it is of another version now */

    worst = pyro_catalog_refresh(&store->catalog, err);

    if (worst != PYRO_OK) {
        return worst;
    }

    arena = pyro_arena_create(0);

    if (arena == NULL) {
        return pyro_error_memory(err);
    }

    (void) pyro_store_refresh(store, NULL);
    pyro_upkeep_clock(store, work);
    work->held = 1;

    removed = work->removed;
    worst = pyro_retention(store, work, err);

    if (!store->tidy || work->removed != removed) {
        pyro_seal_tidy(store);
        store->tidy = 1;
    }

    status = pyro_catalog_list(&store->catalog, 0, INT64_MAX, arena, &parts,
                               &n, &first);
    pyro_first_error(status, &first, &worst, err);
    rolled = status == PYRO_OK;

    for (i = status == PYRO_OK ? n : 0; i && !work->more; i--) {

        if (pyro_work_ends(work)) {
            work->more = 1;
            break;
        }

        status = pyro_upkeep_partition(store, parts[i - 1], work, &first);
        pyro_first_error(status, &first, &worst, err);
        rolled = rolled && status == PYRO_OK;
    }

    work->rolled = rolled && !work->more;
    pyro_arena_destroy(arena);

    /* what people look at comes first; a copy needs room */

    if (!work->more && pyro_guard_check(&store->guard, NULL) == PYRO_OK) {
        status = pyro_seal(store, work, &first);
        pyro_first_error(status, &first, &worst, err);
    }

    /* what was found wrong just now is among them */

    pyro_probe(store, work);

    return worst;
}


/* Remembering the time costs a sync now and then: where nothing is ever removed
 * there is no need to. */
static void
pyro_upkeep_clock(pyro_store_t *store, pyro_store_work_t *work)
{
    const pyro_store_options_t  *options;

    options = &store->catalog.options;
    store->trusted = work->now;

    if (options->retention || options->n_retentions || options->max_disk_size
        || options->keep_raw || options->keep_1h)
    {
        store->trusted = pyro_trust(&store->catalog, &store->trust, work->now,
                                    work->mono ? work->mono
                                               : pyro_clock_mono());
        work->distance = store->trust.distance;
    }
}


/* The kernel gives the lock up when the process ends, however it does. */
pyro_status_e
pyro_upkeep_lock(pyro_store_t *store, pyro_error_t *err)
{
    int   fd, rc;
    char  path[4096];

    if (store->upkeep != -1) {
        return PYRO_OK;
    }

    pyro_catalog_path(&store->catalog, PYRO_UPKEEP_LOCK, path, sizeof(path));

    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, PYRO_KV_MODE);
    rc = fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;

    if (rc == 0) {
        store->upkeep = fd;
        return PYRO_OK;
    }

    if (fd != -1) {
        close(fd);
    }

    return rc == EWOULDBLOCK ? PYRO_NOT_FOUND
           : pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                            "storage: %s cannot be locked: %s", path,
                            strerror(rc));
}


pyro_status_e
pyro_store_seal(pyro_store_t *store, int64_t now, uint32_t *sealed,
    pyro_error_t *err)
{
    pyro_status_e      status;
    pyro_store_work_t  work;

    *sealed = 0;
    status = pyro_upkeep_lock(store, err);

    if (status == PYRO_NOT_FOUND) {
        return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "the upkeep of a server runs, which seals as "
                              "lmdb.seal_after says: stop it first");
    }

    memset(&work, 0, sizeof(pyro_store_work_t));

    work.now = now;
    work.seal_cpu = PYRO_UPKEEP_SLICE;
    store->trusted = now;

    do {
        work.more = 0;

        if (status == PYRO_OK) {
            status = pyro_seal_now(store, &work, err);
        }

    } while (status == PYRO_OK && work.more);

    *sealed = work.sealed;

    return status;
}


/* Whatever is written to a partition changes its file. */
static int
pyro_upkeep_changed(pyro_store_t *store, pyro_partition_t *part,
    struct stat *st)
{
    char  path[4096];

    pyro_catalog_path(&store->catalog, part->name, path, sizeof(path));

    return stat(path, st) == 0
           && (st->st_mtim.tv_sec != part->done_time.tv_sec
               || st->st_mtim.tv_nsec != part->done_time.tv_nsec
               || st->st_size != part->done_size);
}


static pyro_status_e
pyro_upkeep_partition(pyro_store_t *store, pyro_partition_t *part,
    pyro_store_work_t *work, pyro_error_t *err)
{
    int            done, whole;
    int64_t        past;
    uint32_t       bound;
    struct stat    st;
    pyro_status_e  status;

    if (part->state == PYRO_STATE_SEALING
        || pyro_state_is_sealed(part->state))
    {
        return PYRO_OK;
    }

    past = work->now - PYRO_UPKEEP_GRACE;
    bound = past > 0 ? pyro_slot(past) : 0;

    whole = bound > pyro_slot(pyro_partition_end(part));

    /* the open one has new slots by and by without a push */

    memset(&st, 0, sizeof(st));

    if (!pyro_upkeep_changed(store, part, &st) && whole) {
        return PYRO_OK;
    }

    if (pyro_catalog_is_aside(&store->catalog, part)) {
        return PYRO_OK;
    }

    status = pyro_catalog_acquire(&store->catalog, part, err);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND ? PYRO_OK : status;
    }

    /* its meta says so: whoever removed it was cut off */

    if (part->state == PYRO_STATE_REMOVED) {
        pyro_catalog_release(&store->catalog, part);
        return pyro_catalog_remove(&store->catalog, part, err);
    }

    status = pyro_roll(part, bound, work, &done, err);
    pyro_catalog_release(&store->catalog, part);

    if (status == PYRO_OK && done && whole) {
        part->done_time = st.st_mtim;
        part->done_size = st.st_size;
    }

    work->more = !done;

    return status;
}
