/*
 * 64-bit keys to numbers 0, 1, 2, ... in order of arrival: what looks up pool
 * entries, classes and labels.
 *
 * async-profiler's ids are slots of its hash tables, the JDK's are addresses
 * and epochs put together: open addressing, hashed with a secret number, so
 * that nobody can construct collisions.
 *
 * Lives in an arena; one thread.
 */

#ifndef _PYRO_JFR_INDEX_H_INCLUDED_
#define _PYRO_JFR_INDEX_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/count.h"
#include "core/base/intern.h"


typedef struct {
    pyro_arena_t       *arena;
    uint64_t           *keys;       /* by number */
    uint32_t           *slots;      /* number + 1, 0 is free */
    uint32_t            n;
    uint32_t            cap;
    uint32_t            room;       /* keys that fit without growing */
    uint32_t            mask;       /* slots less one; 0: none yet */
    uint32_t            shift;      /* of a product to its slot */
    uint64_t            factor;     /* of the hash: random, odd */
} pyro_jfr_index_t;


/* Nothing is allocated before the first entry. */
void pyro_jfr_index_init(pyro_jfr_index_t *index, pyro_arena_t *arena);

/* Makes room for n keys in all.  -1: no memory. */
int pyro_jfr_index_reserve(pyro_jfr_index_t *index, uint64_t n);

/*
 * The number of a key, which is entered if it is new (*is_new).  PYRO_NONE: no
 * memory.
 */
uint32_t pyro_jfr_index_enter(pyro_jfr_index_t *index, uint64_t key,
    int *is_new);


/*
 * One multiplication alone leaves keys at equal distances at equal distances:
 * for one secret number in a hundred they fall into a few long runs.
 */
static inline uint32_t
pyro_jfr_index_hash(const pyro_jfr_index_t *index, uint64_t key)
{
    key *= index->factor;
    key ^= key >> 32;
    key *= 0x9e3779b97f4a7c15ULL;

    return (uint32_t) (key >> index->shift);
}


/* PYRO_NONE if the key was never entered. */
static inline uint32_t
pyro_jfr_index_get(const pyro_jfr_index_t *index, uint64_t key)
{
    uint32_t  slot, number;

    if (index->n == 0) {
        return PYRO_NONE;
    }

    slot = pyro_jfr_index_hash(index, key);

    for ( ;; ) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);

        /* a free slot's 0 becomes PYRO_NONE */

        number = index->slots[slot] - 1;

        if (number == PYRO_NONE || index->keys[number] == key) {
            return number;
        }

        slot = (slot + 1) & index->mask;
    }
}


#endif /* _PYRO_JFR_INDEX_H_INCLUDED_ */
