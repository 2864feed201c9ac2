/*
 * A bump allocator: everything computed for one task, freed as a whole.
 *
 * One thread at a time.  The budget bounds what one request may take,
 * whatever its bytes say; beyond it, or when malloc fails, NULL is returned
 * and the caller answers pyro_error_memory() or a limit of its own.
 */

#ifndef _PYRO_ARENA_H_INCLUDED_
#define _PYRO_ARENA_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"


typedef struct pyro_arena_s  pyro_arena_t;


/* budget: bytes taken from malloc at most; 0 for no limit.  NULL: no memory. */
pyro_arena_t *pyro_arena_create(size_t budget);

void pyro_arena_destroy(pyro_arena_t *arena);

/* 16-byte aligned, not cleared.  size 0 gives a valid pointer. */
void *pyro_arena_alloc(pyro_arena_t *arena, size_t size);

/* n × size bytes, cleared; NULL also if the product overflows. */
void *pyro_arena_calloc(pyro_arena_t *arena, size_t n, size_t size);

/* A copy of s, a zero byte behind it (not counted); data NULL: no memory. */
pyro_slice_t pyro_arena_dup(pyro_arena_t *arena, pyro_slice_t s);

/*
 * Makes room for n items of size bytes in a growing array: *items is moved to
 * twice the room when *cap < n (the old array is left in the arena).  Returns
 * 0, or -1 if there is no memory (array and *cap unchanged).
 */
int pyro_arena_grow(pyro_arena_t *arena, void *items, uint32_t *cap, size_t n,
    size_t size);

/* Bytes taken from malloc so far. */
size_t pyro_arena_used(const pyro_arena_t *arena);


#endif /* _PYRO_ARENA_H_INCLUDED_ */
