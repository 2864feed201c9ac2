#include "core/base/arena.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/count.h"


#define PYRO_ARENA_ALIGN   16
#define PYRO_ARENA_LEAST   (4 * 1024)   /* blocks of small pieces: at first */
#define PYRO_ARENA_MOST    (32 * 1024)  /* and at most */
#define PYRO_ARENA_SHARE   4            /* of what the arena has, in between */
#define PYRO_ARENA_OWN     2048         /* pieces that have their own block */

#define PYRO_SPARE_BLOCKS  64
#define PYRO_SPARE_BYTES   (4 * 1024 * 1024)
#define PYRO_SPARE_LEAST   4096
#define PYRO_SPARE_MOST    (1024 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define PYRO_SPARE  0                   /* what is freed must be seen as such */
#else
#define PYRO_SPARE  1
#endif


typedef struct pyro_arena_block_s  pyro_arena_block_t;

struct pyro_arena_block_s {
    pyro_arena_block_t   *next;
    pyro_arena_block_t  **link;         /* what points to this one */
    size_t                size;         /* with this head */
    uintptr_t             owner;        /* the arena: see pyro_arena_own() */
};


struct pyro_arena_s {
    pyro_arena_block_t   *blocks;
    char                 *pos;
    char                 *end;
    size_t                budget;
    size_t                used;
    int                   exhausted;
};


/*
 * Blocks that arenas gave back: the next one takes them over with their pages,
 * which cost the kernel more than everything else that a small task does.
 */
static struct {
    pthread_mutex_t       mutex;
    pyro_arena_block_t   *blocks[PYRO_SPARE_BLOCKS];
    size_t                bytes;
    unsigned              n;
} pyro_spare = { .mutex = PTHREAD_MUTEX_INITIALIZER };


static pyro_arena_block_t *pyro_spare_take(size_t size);
static int pyro_spare_put(pyro_arena_block_t *block);
static void *pyro_arena_block(pyro_arena_t *arena, size_t size);
static size_t pyro_arena_next(const pyro_arena_t *arena);
static pyro_arena_block_t *pyro_arena_own(const pyro_arena_t *arena,
    const void *p, size_t size);


/* The smallest that has the size, unless much of it would lie idle. */
static pyro_arena_block_t *
pyro_spare_take(size_t size)
{
    size_t               most;
    unsigned             i, found;
    pyro_arena_block_t  *block;

    if (!PYRO_SPARE || size < PYRO_SPARE_LEAST || size > PYRO_SPARE_MOST) {
        return NULL;
    }

    block = NULL;
    most = size + size / 2;
    found = 0;

    pthread_mutex_lock(&pyro_spare.mutex);

    for (i = 0; i < pyro_spare.n; i++) {
        if (pyro_spare.blocks[i]->size >= size
            && pyro_spare.blocks[i]->size <= most)
        {
            block = pyro_spare.blocks[i];
            most = block->size;
            found = i;
        }
    }

    if (block != NULL) {
        pyro_spare.blocks[found] = pyro_spare.blocks[--pyro_spare.n];
        pyro_spare.bytes -= block->size;
    }

    pthread_mutex_unlock(&pyro_spare.mutex);

    return block;
}


static int
pyro_spare_put(pyro_arena_block_t *block)
{
    int  kept;

    if (!PYRO_SPARE || block->size < PYRO_SPARE_LEAST
        || block->size > PYRO_SPARE_MOST)
    {
        return 0;
    }

    pthread_mutex_lock(&pyro_spare.mutex);

    kept = pyro_spare.n < PYRO_SPARE_BLOCKS
           && pyro_spare.bytes + block->size <= PYRO_SPARE_BYTES;

    if (kept) {
        pyro_spare.blocks[pyro_spare.n++] = block;
        pyro_spare.bytes += block->size;
    }

    pthread_mutex_unlock(&pyro_spare.mutex);

    return kept;
}


pyro_arena_t *
pyro_arena_create(size_t budget)
{
    pyro_arena_t  *arena;

    arena = calloc(1, sizeof(pyro_arena_t));

    if (arena != NULL) {
        arena->budget = budget;
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
        PYRO_HOLD(-(int64_t) block->size);

        if (!pyro_spare_put(block)) {
            free(block);
        }
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
        arena->exhausted = 1;
        return NULL;
    }

    block = pyro_spare_take(total);

    if (block == NULL) {
        block = malloc(total);

        if (block == NULL) {
            return NULL;
        }

        block->size = total;
    }

    block->owner = (uintptr_t) arena;
    block->next = arena->blocks;
    block->link = &arena->blocks;

    if (block->next != NULL) {
        block->next->link = &block->next;
    }

    arena->blocks = block;
    arena->used += block->size;
    PYRO_HOLD(block->size);

    return block + 1;
}


/* The block that a piece of this size has to itself, or NULL. */
static pyro_arena_block_t *
pyro_arena_own(const pyro_arena_t *arena, const void *p, size_t size)
{
    pyro_arena_block_t  *block;

    if (size < PYRO_ARENA_OWN) {
        return NULL;
    }

    block = (pyro_arena_block_t *) (uintptr_t) p - 1;

    return block->owner == (uintptr_t) arena ? block : NULL;
}


/* What the next block of small pieces has room for. */
static size_t
pyro_arena_next(const pyro_arena_t *arena)
{
    size_t  size;

    size = arena->used / PYRO_ARENA_SHARE / PYRO_ARENA_LEAST
           * PYRO_ARENA_LEAST;

    if (size < PYRO_ARENA_LEAST) {
        size = PYRO_ARENA_LEAST;

    } else if (size > PYRO_ARENA_MOST) {
        size = PYRO_ARENA_MOST;
    }

    return size - sizeof(pyro_arena_block_t);
}


void *
pyro_arena_alloc(pyro_arena_t *arena, size_t size)
{
    char    *p;
    size_t   need;

    if (size > SIZE_MAX - PYRO_ARENA_ALIGN) {
        arena->exhausted = 1;
        return NULL;
    }

    if (size >= PYRO_ARENA_OWN) {
        return pyro_arena_block(arena, size);
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

    size = pyro_arena_next(arena);
    p = pyro_arena_block(arena, size);

    if (p == NULL) {
        return pyro_arena_block(arena, need);
    }

    arena->pos = p + need;
    arena->end = p + size;

    return p;
}


void *
pyro_arena_calloc(pyro_arena_t *arena, size_t n, size_t size)
{
    void  *p;

    if (size && n > SIZE_MAX / size) {
        arena->exhausted = 1;
        return NULL;
    }

    p = pyro_arena_alloc(arena, n * size);

    if (p != NULL) {
        PYRO_COUNT_MOVED(n * size);
        memset(p, 0, n * size);
    }

    return p;
}


void
pyro_arena_free(pyro_arena_t *arena, void *p, size_t size)
{
    pyro_arena_block_t  *block;

    block = pyro_arena_own(arena, p, size);

    if (block == NULL) {
        return;
    }

    *block->link = block->next;

    if (block->next != NULL) {
        block->next->link = block->link;
    }

    arena->used -= block->size;
    PYRO_HOLD(-(int64_t) block->size);

    if (!pyro_spare_put(block)) {
        free(block);
    }
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
        PYRO_COUNT_MOVED(s.len);
        memcpy(p, s.data, s.len);
    }

    p[s.len] = '\0';

    return pyro_slice(p, s.len);
}


int
pyro_arena_move(pyro_arena_t *arena, void *items, uint32_t *cap, size_t n,
    size_t size)
{
    void    *old, *p;
    size_t   room;

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
        PYRO_COUNT_MOVED((size_t) *cap * size);
        memcpy(p, old, (size_t) *cap * size);
        pyro_arena_free(arena, old, (size_t) *cap * size);
    }

    memcpy(items, &p, sizeof(void *));
    *cap = (uint32_t) room;

    return 0;
}


void
pyro_arena_limit(pyro_arena_t *arena, size_t more)
{
    size_t  budget;

    budget = more > SIZE_MAX - arena->used ? SIZE_MAX : arena->used + more;

    if (arena->budget == 0 || budget < arena->budget) {
        arena->budget = budget;
    }
}


size_t
pyro_arena_used(const pyro_arena_t *arena)
{
    return arena->used;
}


int
pyro_arena_exhausted(const pyro_arena_t *arena)
{
    return arena->exhausted;
}


pyro_status_e
pyro_arena_error(const pyro_arena_t *arena, pyro_error_t *err)
{
    if (!arena->exhausted) {
        return pyro_error_memory(err);
    }

    return pyro_error_set(err, PYRO_TOO_LARGE, PYRO_REASON_PROFILE_SIZE,
                          "what this upload stands for takes more than the "
                          "%zu bytes of memory that one of its size may take",
                          arena->budget);
}
