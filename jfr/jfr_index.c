#include "jfr/jfr_index.h"

#include "core/base/clock.h"
#include "core/base/hash.h"


#define PYRO_JFR_INDEX_FIRST  16
#define PYRO_JFR_INDEX_LAST   (1U << 31)


static uint32_t pyro_jfr_index_slot(const pyro_jfr_index_t *index,
    uint64_t key);
static int pyro_jfr_index_grow(pyro_jfr_index_t *index, uint32_t size);


void
pyro_jfr_index_init(pyro_jfr_index_t *index, pyro_arena_t *arena)
{
    memset(index, 0, sizeof(pyro_jfr_index_t));

    index->arena = arena;
    index->factor = pyro_hash_mix((uint64_t) pyro_clock_mono(),
                                  (uint64_t) (uintptr_t) index) | 1;
}


/* The slot that has key, or the free one where it belongs. */
static uint32_t
pyro_jfr_index_slot(const pyro_jfr_index_t *index, uint64_t key)
{
    uint32_t  slot;

    slot = pyro_jfr_index_hash(index, key);

    while (index->slots[slot] && index->keys[index->slots[slot] - 1] != key) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
        slot = (slot + 1) & index->mask;
    }

    return slot;
}


static int
pyro_jfr_index_grow(pyro_jfr_index_t *index, uint32_t size)
{
    uint32_t  i, *slots;

    slots = pyro_arena_calloc(index->arena, size, sizeof(uint32_t));

    if (slots == NULL) {
        return -1;
    }

    if (index->mask) {
        pyro_arena_free(index->arena, index->slots,
                        ((size_t) index->mask + 1) * sizeof(uint32_t));
    }

    index->slots = slots;
    index->mask = size - 1;
    index->shift = 64 - (uint32_t) __builtin_ctz(size);

    for (i = 0; i < index->n; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        slots[pyro_jfr_index_slot(index, index->keys[i])] = i + 1;
    }

    return 0;
}


int
pyro_jfr_index_reserve(pyro_jfr_index_t *index, uint64_t n)
{
    uint32_t  size;

    size = index->mask ? index->mask + 1 : PYRO_JFR_INDEX_FIRST;

    /* a quarter of the slots stays free */

    while (size - size / 4 <= n) {
        if (size == PYRO_JFR_INDEX_LAST) {
            return -1;
        }

        size *= 2;
    }

    if ((size != index->mask + 1 && pyro_jfr_index_grow(index, size))
        || pyro_arena_grow(index->arena, &index->keys, &index->cap, (size_t) n,
                           sizeof(uint64_t)))
    {
        return -1;
    }

    size -= size / 4;
    index->room = index->cap < size ? index->cap : size;

    return 0;
}


uint32_t
pyro_jfr_index_enter(pyro_jfr_index_t *index, uint64_t key, int *is_new)
{
    uint32_t  slot;

    *is_new = 0;

    if (index->n >= index->room
        && pyro_jfr_index_reserve(index, (uint64_t) index->n + 1))
    {
        return PYRO_NONE;
    }

    slot = pyro_jfr_index_slot(index, key);

    if (index->slots[slot] == 0) {
        index->keys[index->n++] = key;
        index->slots[slot] = index->n;
        *is_new = 1;
    }

    return index->slots[slot] - 1;
}
