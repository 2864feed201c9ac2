/*
 * Sums by tenant and name, in memory that processes share, of a bounded number
 * of names: those that come first have a row each, what comes after them is
 * one row together.  Nothing leaves the table.
 *
 * Names become text that may be shown: bytes that are not UTF-8 and control
 * characters are '?', and rows differ in what is shown.  Too long a name has no
 * row of its own.
 *
 * Any thread of any process.  Looking up locks nothing; a new row is entered
 * under a robust mutex, and is there when it is whole.
 */

#ifndef _PYRO_TALLY_H_INCLUDED_
#define _PYRO_TALLY_H_INCLUDED_


#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/base/slice.h"
#include "core/base/tenant.h"


#define PYRO_TALLY_ROWS  512
#define PYRO_TALLY_NAME  256        /* bytes */
#define PYRO_TALLY_HASH  1024       /* of twice as many: short ways */


typedef enum {
    PYRO_TALLY_PUSHES = 0,
    PYRO_TALLY_BYTES,
    PYRO_TALLY_SAMPLES,
    PYRO_TALLY_SUMS
} pyro_tally_sum_e;


typedef struct {
    _Atomic uint64_t  sums[PYRO_TALLY_SUMS];
    _Atomic int64_t   last;         /* of the latest, ns since the epoch */

    uint32_t          tenant_len;
    uint32_t          name_len;
    char              tenant[PYRO_TENANT_MAX];
    char              name[PYRO_TALLY_NAME];
} pyro_tally_row_t;


typedef struct {
    pthread_mutex_t   mutex;
    _Atomic uint32_t  n;            /* rows that are whole */
    _Atomic uint64_t  hashes[PYRO_TALLY_HASH];      /* 0: free */
    uint32_t          ids[PYRO_TALLY_HASH];
    pyro_tally_row_t  rest;
    pyro_tally_row_t  rows[PYRO_TALLY_ROWS];
} pyro_tally_t;


/* In zeroed memory.  -1: it cannot be. */
int pyro_tally_init(pyro_tally_t *tally);

/* Adds to the row of that name, or to the rest. */
void pyro_tally_add(pyro_tally_t *tally, pyro_slice_t tenant,
    pyro_slice_t name, const uint64_t sums[PYRO_TALLY_SUMS], int64_t now);

/* Rows from 0 on that can be read. */
static inline uint32_t
pyro_tally_rows(pyro_tally_t *tally)
{
    return atomic_load_explicit(&tally->n, memory_order_acquire);
}


#endif /* _PYRO_TALLY_H_INCLUDED_ */
