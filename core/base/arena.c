#include "core/base/arena.h"

#include <stdlib.h>


#define PYRO_ARENA_ALIGN  16
#define PYRO_ARENA_FIRST  (16 * 1024)
#define PYRO_ARENA_MAX    (1024 * 1024)


typedef struct pyro_arena_block_s  pyro_arena_block_t;

struct pyro_arena_block_s {
    pyro_arena_block_t  *next;
    size_t               size;      /* keeps the data 16-byte aligned */
};


struct pyro_arena_s {
    pyro_arena_block_t  *blocks;
    char                *pos;
    char                *end;
    size_t               budget;
    size_t               used;
    size_t               next_size;
};


static void *pyro_arena_block(pyro_arena_t *arena, size_t size);


pyro_arena_t *
pyro_arena_create(size_t budget)
{
    pyro_arena_t  *arena;

    arena = calloc(1, sizeof(pyro_arena_t));

    if (arena != NULL) {
        arena->budget = budget;
        arena->next_size = PYRO_ARENA_FIRST;
    }

    return arena;
}


void
pyro_arena_destroy(pyro_arena_t *arena)
{
    pyro_arena_block_t  *block, *next;

    if (arena == NULL) {
        return;
    }

    for (block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        free(block);
    }

    free(arena);
}


static void *
pyro_arena_block(pyro_arena_t *arena, size_t size)
{
    size_t               total;
    pyro_arena_block_t  *block;

    total = sizeof(pyro_arena_block_t) + size;

    if (total < size
        || (arena->budget
            && (total > arena->budget || arena->used > arena->budget - total)))
    {
        return NULL;
    }

    block = malloc(total);

    if (block == NULL) {
        return NULL;
    }

    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->used += total;

    return block + 1;
}


void *
pyro_arena_alloc(pyro_arena_t *arena, size_t size)
{
    char    *p;
    size_t   need;

    if (size > SIZE_MAX - PYRO_ARENA_ALIGN) {
        return NULL;
    }

    if (size == 0) {
        size = 1;
    }

    need = (size + PYRO_ARENA_ALIGN - 1) & ~(size_t) (PYRO_ARENA_ALIGN - 1);

    if (need <= (size_t) (arena->end - arena->pos)) {
        p = arena->pos;
        arena->pos += need;
        return p;
    }

    /* a large piece gets a block of its own; the current one stays in use */

    if (need > arena->next_size / 4) {
        return pyro_arena_block(arena, need);
    }

    p = pyro_arena_block(arena, arena->next_size);

    if (p == NULL) {
        return pyro_arena_block(arena, need);
    }

    arena->pos = p + need;
    arena->end = p + arena->next_size;

    if (arena->next_size < PYRO_ARENA_MAX) {
        arena->next_size *= 2;
    }

    return p;
}


void *
pyro_arena_calloc(pyro_arena_t *arena, size_t n, size_t size)
{
    void  *p;

    if (size && n > SIZE_MAX / size) {
        return NULL;
    }

    p = pyro_arena_alloc(arena, n * size);

    if (p != NULL) {
        memset(p, 0, n * size);
    }

    return p;
}


pyro_slice_t
pyro_arena_dup(pyro_arena_t *arena, pyro_slice_t s)
{
    char  *p;

    p = s.len < SIZE_MAX ? pyro_arena_alloc(arena, s.len + 1) : NULL;

    if (p == NULL) {
        return pyro_slice(NULL, 0);
    }

    if (s.len) {
        memcpy(p, s.data, s.len);
    }

    p[s.len] = '\0';

    return pyro_slice(p, s.len);
}


int
pyro_arena_grow(pyro_arena_t *arena, void *items, uint32_t *cap, size_t n,
    size_t size)
{
    void    *old, *p;
    size_t   room;

    if (n <= *cap) {
        return 0;
    }

    room = *cap ? (size_t) *cap * 2 : 16;

    if (room < n) {
        room = n;
    }

    if (room > UINT32_MAX || room > SIZE_MAX / size) {
        return -1;
    }

    p = pyro_arena_alloc(arena, room * size);

    if (p == NULL) {
        return -1;
    }

    memcpy(&old, items, sizeof(void *));

    if (*cap) {
        memcpy(p, old, (size_t) *cap * size);
    }

    memcpy(items, &p, sizeof(void *));
    *cap = (uint32_t) room;

    return 0;
}


size_t
pyro_arena_used(const pyro_arena_t *arena)
{
    return arena->used;
}
