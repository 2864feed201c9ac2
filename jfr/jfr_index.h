/*
 * 64-bit keys to numbers: what looks up pool entries, classes and labels.
 *
 * async-profiler's ids are small and dense, the JDK's are addresses and epochs
 * put together: keys below a bound that grows with the number of entries are
 * in an array, all others in an open-addressing hash by multiplication with a
 * secret number, so that nobody can construct collisions.
 *
 * Lives in an arena; one thread.
 */

#ifndef _PYRO_JFR_INDEX_H_INCLUDED_
#define _PYRO_JFR_INDEX_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/intern.h"


typedef struct {
    uint64_t            key;
    uint32_t            value;      /* + 1, 0 is free */
} pyro_jfr_slot_t;


typedef struct {
    pyro_arena_t       *arena;
    uint32_t           *dense;      /* value + 1, 0 is none */
    pyro_jfr_slot_t    *slots;
    uint32_t            n_dense;
    uint32_t            bits;       /* 2^bits slots */
    uint32_t            n_slots;    /* in use */
    uint32_t            n;          /* in both */
    uint64_t            factor;     /* of the hash: random, odd */
} pyro_jfr_index_t;


/* Nothing is allocated before the first entry. */
void pyro_jfr_index_init(pyro_jfr_index_t *index, pyro_arena_t *arena);

/* Enters or replaces; value is below PYRO_NONE.  -1: no memory. */
int pyro_jfr_index_put(pyro_jfr_index_t *index, uint64_t key, uint32_t value);

/* PYRO_NONE if key was never entered; in the hash. */
uint32_t pyro_jfr_index_find(const pyro_jfr_index_t *index, uint64_t key);


static inline uint32_t
pyro_jfr_index_get(const pyro_jfr_index_t *index, uint64_t key)
{
    if (key < index->n_dense && index->dense[key]) {
        return index->dense[key] - 1;
    }

    return index->n_slots ? pyro_jfr_index_find(index, key) : PYRO_NONE;
}


#endif /* _PYRO_JFR_INDEX_H_INCLUDED_ */
