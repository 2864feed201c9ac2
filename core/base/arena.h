/*
 * An allocator for everything computed for one task, freed as a whole.
 *
 * Small pieces lie side by side in blocks; those of 2 KiB and more have a block
 * of their own, which goes back when an array grows out of it or the piece is
 * freed.  Blocks that arenas give back are kept for the next one, up to 4 MiB
 * in a process, any thread's for any thread.
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
#include "core/base/status.h"


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
 * Gives a piece of this size back before the arena's end, if it has a block of
 * its own; others stay.  p is not used afterwards either way.
 */
void pyro_arena_free(pyro_arena_t *arena, void *p, size_t size);

/* The part of pyro_arena_grow() that moves. */
int pyro_arena_move(pyro_arena_t *arena, void *items, uint32_t *cap, size_t n,
    size_t size);

/*
 * Makes room for n items of size bytes in a growing array: *items is moved to
 * twice the room when *cap < n, and the old array is freed.  *cap is what this
 * function set, 0 at first.  Returns 0, or -1 if there is no memory (array and
 * *cap unchanged).
 */
static inline int
pyro_arena_grow(pyro_arena_t *arena, void *items, uint32_t *cap, size_t n,
    size_t size)
{
    return n <= *cap ? 0 : pyro_arena_move(arena, items, cap, n, size);
}

/*
 * Lowers the budget to what is used and so many bytes more, where what follows
 * is known to need no more.
 */
void pyro_arena_limit(pyro_arena_t *arena, size_t more);

/* Bytes of the blocks that it holds. */
size_t pyro_arena_used(const pyro_arena_t *arena);

/* 1 if something was refused because of the budget. */
int pyro_arena_exhausted(const pyro_arena_t *arena);

/*
 * Why an allocation failed: PYRO_TOO_LARGE with the budget if that is spent,
 * which trying again does not help, else pyro_error_memory().
 */
pyro_status_e pyro_arena_error(const pyro_arena_t *arena, pyro_error_t *err);


#endif /* _PYRO_ARENA_H_INCLUDED_ */
