/*
 * Byte strings to dense ids 0, 1, 2, ... in order of arrival: open addressing,
 * the bytes compared, never the hash alone.
 *
 * Lives in an arena; one thread at a time.
 */

#ifndef _PYRO_INTERN_H_INCLUDED_
#define _PYRO_INTERN_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/slice.h"


#define PYRO_NONE  UINT32_MAX       /* no id: no memory, or no entry */


typedef struct {
    pyro_arena_t  *arena;
    pyro_slice_t  *items;           /* id to bytes */
    uint64_t      *hashes;          /* id to hash */
    uint32_t      *slots;           /* id + 1, 0 is free */
    uint32_t       mask;
    uint32_t       n;
    uint32_t       cap;
    uint64_t       seed;            /* nobody can construct collisions */
} pyro_intern_t;


/* Nothing is allocated before the first entry. */
void pyro_intern_init(pyro_intern_t *table, pyro_arena_t *arena);

/* Makes room for n entries in all.  -1: no memory. */
int pyro_intern_reserve(pyro_intern_t *table, uint32_t n);

/* The id of s, entering it if new.  The bytes are copied if copy is set,
 * else they must live as long as the arena.  PYRO_NONE: no memory. */
uint32_t pyro_intern(pyro_intern_t *table, pyro_slice_t s, int copy);

/* The id of s, or PYRO_NONE if it was never entered. */
uint32_t pyro_intern_find(const pyro_intern_t *table, pyro_slice_t s);


#endif /* _PYRO_INTERN_H_INCLUDED_ */
