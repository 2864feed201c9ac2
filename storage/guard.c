#include "storage/guard.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "core/base/clock.h"


#define PYRO_GUARD_PERIOD  (250 * PYRO_NS_PER_MS)
#define PYRO_GUARD_MARGIN  16

/* workers give up what was removed within ten seconds, queries with their
 * time-out, a minute unless it was changed */
#define PYRO_GUARD_SETTLE  (60 * PYRO_NS_PER_SEC)


static void pyro_guard_look(pyro_guard_t *guard);
static uint64_t pyro_guard_enough(const pyro_guard_t *guard);


void
pyro_guard_init(pyro_guard_t *guard, const char *dir, int64_t min_free)
{
    memset(guard, 0, sizeof(pyro_guard_t));

    guard->dir = dir;
    guard->min_free = min_free;

    pthread_mutex_init(&guard->mutex, NULL);
}


void
pyro_guard_destroy(pyro_guard_t *guard)
{
    pthread_mutex_destroy(&guard->mutex);
}


pyro_status_e
pyro_guard_check(pyro_guard_t *guard, pyro_error_t *err)
{
    pyro_guard_look(guard);

    return pyro_guard_known(guard, err);
}


/* A file system that does not answer, or has no size, limits nothing. */
static void
pyro_guard_look(pyro_guard_t *guard)
{
    int             due;
    int64_t         now;
    struct statvfs  fs;

    if (guard->min_free == 0) {
        return;
    }

    now = pyro_clock_mono();

    pthread_mutex_lock(&guard->mutex);

    due = guard->looked == 0 || now - guard->looked >= PYRO_GUARD_PERIOD;

    if (due) {
        guard->looked = now;
    }

    pthread_mutex_unlock(&guard->mutex);

    if (due && statvfs(guard->dir, &fs) == 0) {
        pyro_guard_set(guard, (uint64_t) fs.f_bavail * fs.f_frsize,
                       (uint64_t) fs.f_blocks * fs.f_frsize);
    }
}


void
pyro_guard_set(pyro_guard_t *guard, uint64_t free, uint64_t size)
{
    pthread_mutex_lock(&guard->mutex);

    guard->free = free;
    guard->limit = guard->min_free >= 0 ? (uint64_t) guard->min_free
                   : size / 100 * (uint64_t) -guard->min_free;

    if (size == 0) {
        guard->scarce = 0;

    } else if (free < guard->limit) {
        guard->scarce = 1;

    } else if (free >= pyro_guard_enough(guard)) {
        guard->scarce = 0;
    }

    pthread_mutex_unlock(&guard->mutex);
}


static uint64_t
pyro_guard_enough(const pyro_guard_t *guard)
{
    return guard->limit + guard->limit / PYRO_GUARD_MARGIN;
}


pyro_status_e
pyro_guard_known(pyro_guard_t *guard, pyro_error_t *err)
{
    int       scarce;
    char      percent[16];
    uint64_t  free, limit, enough;

    pthread_mutex_lock(&guard->mutex);
    scarce = guard->scarce;
    free = guard->free;
    limit = guard->limit;
    enough = pyro_guard_enough(guard);
    pthread_mutex_unlock(&guard->mutex);

    if (!scarce) {
        return PYRO_OK;
    }

    percent[0] = '\0';

    if (guard->min_free < 0) {
        snprintf(percent, sizeof(percent), "%d%%, ", (int) -guard->min_free);
    }

    return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_DISK,
                          "the disk is nearly full: lmdb.min_free_disk is "
                          "%s%llu bytes, %llu are free in \"%s\"; pushes go on "
                          "when there are %llu", percent,
                          (unsigned long long) limit,
                          (unsigned long long) free, guard->dir,
                          (unsigned long long) enough);
}


uint64_t
pyro_guard_limit(pyro_guard_t *guard)
{
    uint64_t  limit;

    pthread_mutex_lock(&guard->mutex);
    limit = guard->limit;
    pthread_mutex_unlock(&guard->mutex);

    return limit;
}


uint64_t
pyro_guard_missing(pyro_guard_t *guard)
{
    uint64_t  have, enough;

    pyro_guard_look(guard);

    if (pyro_clock_mono() >= guard->freed_until) {
        guard->freed = 0;
    }

    pthread_mutex_lock(&guard->mutex);
    have = guard->free + guard->freed;
    enough = guard->scarce ? pyro_guard_enough(guard) : 0;
    pthread_mutex_unlock(&guard->mutex);

    return have < enough ? enough - have : 0;
}


void
pyro_guard_freed(pyro_guard_t *guard, uint64_t bytes)
{
    guard->freed += bytes;
    guard->freed_until = pyro_clock_mono() + PYRO_GUARD_SETTLE;
}
