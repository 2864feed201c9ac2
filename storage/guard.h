/*
 * The room that is to stay free on the store's file system
 * (storage/store.h, options.min_free_disk).
 *
 * Who writes looks before it begins, but asks the system four times a second at
 * the most; who must not wait takes what was found last.  A sixteenth more than
 * the limit has to be free before pushes go on, so that they do not come and go
 * with each of them.
 *
 * Any thread.  The mutex is never held over a system call.
 */

#ifndef _PYRO_GUARD_H_INCLUDED_
#define _PYRO_GUARD_H_INCLUDED_


#include <pthread.h>

#include "core/base/status.h"


typedef struct {
    const char        *dir;         /* the catalogue's */
    int64_t            min_free;    /* bytes, minus a percentage, 0: off */

    pthread_mutex_t    mutex;
    int64_t            looked;      /* pyro_clock_mono(); 0: never */
    int                scarce;
    uint64_t           free;        /* bytes, for this user */
    uint64_t           limit;       /* bytes */

    /* the upkeep's: of files that it removed, but somebody has open still */
    uint64_t           freed;
    int64_t            freed_until; /* pyro_clock_mono() */
} pyro_guard_t;


void pyro_guard_init(pyro_guard_t *guard, const char *dir, int64_t min_free);
void pyro_guard_destroy(pyro_guard_t *guard);

/* PYRO_UNAVAILABLE, with the limit and what is free, if there is no room. */
pyro_status_e pyro_guard_check(pyro_guard_t *guard, pyro_error_t *err);

/* The same as far as it is known: without a system call. */
pyro_status_e pyro_guard_known(pyro_guard_t *guard, pyro_error_t *err);

/* Takes in what the system says of the file system, in bytes. */
void pyro_guard_set(pyro_guard_t *guard, uint64_t free, uint64_t size);

/* The limit in bytes, as it was when somebody looked; 0: off. */
uint64_t pyro_guard_limit(pyro_guard_t *guard);

/* For the upkeep: bytes that have to become free before pushes go on. */
uint64_t pyro_guard_missing(pyro_guard_t *guard);

/* For the upkeep: so many bytes will be free when all have closed a file. */
void pyro_guard_freed(pyro_guard_t *guard, uint64_t bytes);


#endif /* _PYRO_GUARD_H_INCLUDED_ */
