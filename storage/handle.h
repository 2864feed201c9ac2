/*
 * What a pyro_store_t is: the catalogue, the writer's mutex, what it remembers
 * of infos, and counters.
 */

#ifndef _PYRO_HANDLE_H_INCLUDED_
#define _PYRO_HANDLE_H_INCLUDED_


#include "storage/catalog.h"
#include "storage/guard.h"
#include "storage/info.h"
#include "storage/owner.h"
#include "storage/trust.h"


struct pyro_store_s {
    pyro_catalog_t        catalog;
    pthread_mutex_t       writing;      /* one pyro_store_write() at a time */
    pyro_info_t           info;         /* under it */
    pyro_guard_t          guard;
    int                   owner;        /* as pyro_owner_take() gave it */
    int                   upkeep;       /* file whose lock is held, or -1 */
    struct pyro_seal_s   *seal;         /* the upkeep's, or NULL */
    int                   tidy;         /* its directory, as far as copies */
    pyro_trust_t          trust;        /* the upkeep's */
    int64_t               trusted;      /* the time to remove by */
    atomic_llong          readers_checked;  /* pyro_clock_mono() */

    _Atomic uint64_t      commits;
    _Atomic uint64_t      commit_failures;
    _Atomic uint64_t      cache_hits;
    _Atomic uint64_t      cache_misses;
    _Atomic uint64_t      damaged;      /* records */
    _Atomic uint64_t      info_failures;
};


#define PYRO_UPKEEP_LOCK  "upkeep.lock"

/*
 * The lock of what one process at a time may do, until the store is closed:
 * the upkeep, and deleting.  PYRO_NOT_FOUND: somebody else has it.
 */
pyro_status_e pyro_upkeep_lock(pyro_store_t *store, pyro_error_t *err);


/* Of several errors the first is kept; err may be NULL. */
static inline void
pyro_first_error(pyro_status_e status, const pyro_error_t *one,
    pyro_status_e *first, pyro_error_t *err)
{
    if (status == PYRO_OK || *first != PYRO_OK) {
        return;
    }

    *first = status;

    if (err != NULL) {
        *err = *one;
    }
}


#endif /* _PYRO_HANDLE_H_INCLUDED_ */
