/*
 * Token buckets of many owners, in memory that processes share (generic cell
 * rate algorithm: one time a bucket, until when what was taken is paid off).
 *
 * Zeroed memory is a table of full buckets.  Any thread of any process: words
 * are changed by compare and swap, nothing is locked, and a process that dies
 * leaves nothing behind.  Times are CLOCK_MONOTONIC's, which processes share.
 */

#ifndef _PYRO_RATE_H_INCLUDED_
#define _PYRO_RATE_H_INCLUDED_


#include <stdatomic.h>
#include <stdint.h>


#define PYRO_RATE_SLOTS  1024       /* owners with a bucket that is not full */


typedef enum {
    PYRO_RATE_BYTES = 0,
    PYRO_RATE_PUSHES,
    PYRO_RATE_KINDS
} pyro_rate_kind_e;


typedef struct {
    _Atomic uint64_t  owner;                    /* hash; 0: nobody */
    _Atomic int64_t   due[PYRO_RATE_KINDS];     /* ns */
} pyro_rate_slot_t;


typedef struct {
    pyro_rate_slot_t  slots[PYRO_RATE_SLOTS];
} pyro_rates_t;


/*
 * Takes n from the owner's bucket, which fills by rate a second up to burst, at
 * the time now (pyro_clock_mono()).  0: they are taken; else nothing is, and it
 * is so many ns until they could be, INT64_MAX where n is above burst.  A rate
 * of 0 is none.  Where more than PYRO_RATE_SLOTS owners are in debt at once
 * some have no bucket, and take what they want.
 */
int64_t pyro_rate_take(pyro_rates_t *rates, uint64_t owner,
    pyro_rate_kind_e kind, uint64_t n, uint64_t rate, uint64_t burst,
    int64_t now);


#endif /* _PYRO_RATE_H_INCLUDED_ */
