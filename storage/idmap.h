/*
 * Hashes to ids from 1, for finding what has an id by its content: a hash gives
 * candidates, the caller compares them.  Open addressing, eight bytes an entry;
 * in an arena.  One thread.
 */

#ifndef _PYRO_IDMAP_H_INCLUDED_
#define _PYRO_IDMAP_H_INCLUDED_


#include <string.h>

#include "core/base/arena.h"


typedef struct {
    uint64_t  *slots;               /* upper half of the hash, id; 0: free */
    size_t     mask;
} pyro_idmap_t;


/* The next candidate of a hash, 0: there is none.  *at is 0 at first. */
static inline uint32_t
pyro_idmap_next(const pyro_idmap_t *map, uint64_t hash, size_t *at)
{
    uint64_t  slot;

    while (map->slots != NULL) {
        slot = map->slots[(hash + *at) & map->mask];

        if (slot == 0) {
            break;
        }

        (*at)++;

        if (slot >> 32 == hash >> 32) {
            return (uint32_t) slot;
        }
    }

    return 0;
}


/* Room for n entries, none is there yet.  -1: no memory. */
static inline int
pyro_idmap_init(pyro_idmap_t *map, pyro_arena_t *arena, size_t n)
{
    size_t  size;

    for (size = 64; size < n + n / 2; size *= 2) {
        /* void */
    }

    map->slots = pyro_arena_calloc(arena, size, sizeof(uint64_t));
    map->mask = size - 1;

    return map->slots == NULL ? -1 : 0;
}


/* As many entries at the most as there is room for. */
static inline void
pyro_idmap_add(pyro_idmap_t *map, uint64_t hash, uint32_t id)
{
    size_t  at;

    for (at = (size_t) hash & map->mask; map->slots[at];
         at = (at + 1) & map->mask)
    {
        /* void */
    }

    map->slots[at] = hash >> 32 << 32 | id;
}


#endif /* _PYRO_IDMAP_H_INCLUDED_ */
