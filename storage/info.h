/*
 * What recordings said of themselves: in control.mdb one entry a tenant and
 * service, the last one; and what this process remembers of having written.
 *
 * An entry costs a sync, so it is not written with each push: once in 10 s if
 * it has changed, else once in 60 s, so that its time stays near the truth.
 * The table of that has a fixed size.  A slot is taken until its 60 s are over;
 * while no slot near a service's place is free nothing of that service is
 * written: with more services than slots each is written more rarely, and names
 * that somebody makes up cost no more than the table's size in a minute.
 *
 * Under the store's write mutex, but pyro_store_info(): any thread.
 */

#ifndef _PYRO_INFO_H_INCLUDED_
#define _PYRO_INFO_H_INCLUDED_


#include "core/base/clock.h"
#include "storage/store.h"


#define PYRO_INFO_SLOTS    4096
#define PYRO_INFO_CHANGED  (10 * PYRO_NS_PER_SEC)
#define PYRO_INFO_SAME     (60 * PYRO_NS_PER_SEC)

#define PYRO_INFO_ENTRIES  100000
#define PYRO_INFO_BYTES    (128 * 1024 * 1024)  /* of 256 MiB of control.mdb */


typedef struct {
    uint64_t           key;         /* tenant and service: a hash alone */
    uint64_t           hash;        /* of what was written */
    int64_t            until;       /* when it is due again; 0: never used */
} pyro_info_slot_t;


typedef struct {
    uint64_t           seed;        /* of the slots' keys */
    int64_t          (*clock)(void);    /* pyro_clock_mono(), but in tests */
    uint64_t           max_entries;
    uint64_t           max_bytes;
    pyro_info_slot_t   slots[PYRO_INFO_SLOTS];
} pyro_info_t;


/* info is zeroed. */
void pyro_info_init(pyro_info_t *info);

/*
 * Writes what is due of the pushes that are PYRO_OK, in one transaction.  What
 * could not be kept is counted and marked in its push; if the transaction
 * failed it is due again in 10 s.
 */
void pyro_info_write(pyro_store_t *store, pyro_store_push_t **pushes,
    uint32_t n);


#endif /* _PYRO_INFO_H_INCLUDED_ */
