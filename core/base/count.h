/*
 * What reading costs, in numbers that do not depend on the machine: steps
 * taken, bytes looked at, look-ups in tables.  Only in builds that define
 * PYRO_COUNTING (the sanitizers'); elsewhere nothing is left of it.
 *
 * Memory that is cleared or copied as a whole counts a step for each word of
 * eight bytes, since no byte of it is looked at.
 *
 * The counters are the thread's, and so is what arenas hold: bytes now, and at
 * the most since somebody set the second number.
 */

#ifndef _PYRO_COUNT_H_INCLUDED_
#define _PYRO_COUNT_H_INCLUDED_


#include <stdint.h>


typedef enum {
    PYRO_COUNT_STEPS = 0,           /* values, frames, events, items, words */
    PYRO_COUNT_BYTES,               /* read, compared or hashed */
    PYRO_COUNT_LOOKUPS,             /* slots of hash tables looked at */
    PYRO_COUNT_KINDS
} pyro_count_e;


#ifdef PYRO_COUNTING

extern __thread uint64_t  pyro_counts[PYRO_COUNT_KINDS];

extern __thread int64_t   pyro_held;
extern __thread int64_t   pyro_held_most;

#define PYRO_COUNT(kind, n)  (pyro_counts[kind] += (uint64_t) (n))
#define PYRO_COUNT_MOVED(n)  PYRO_COUNT(PYRO_COUNT_STEPS, ((n) + 7) / 8)
#define PYRO_HOLD(n)                                                          \
    (pyro_held += (int64_t) (n),                                              \
     pyro_held_most = pyro_held > pyro_held_most ? pyro_held : pyro_held_most)

#else

#define PYRO_COUNT(kind, n)  ((void) 0)
#define PYRO_COUNT_MOVED(n)  ((void) 0)
#define PYRO_HOLD(n)         ((void) 0)

#endif


#endif /* _PYRO_COUNT_H_INCLUDED_ */
