#include "jfr/jfr_index.h"

#include "core/base/clock.h"
#include "core/base/hash.h"


#define PYRO_JFR_INDEX_FIRST  6     /* 2^6 slots */
#define PYRO_JFR_INDEX_LAST   30
#define PYRO_JFR_INDEX_DENSE  256   /* entries of the smallest array */
#define PYRO_JFR_INDEX_SPARE  4     /* array entries for each key, at most */


static uint32_t pyro_jfr_index_slot(const pyro_jfr_index_t *index,
    uint64_t key);
static int pyro_jfr_index_grow_dense(pyro_jfr_index_t *index, uint64_t key);
static int pyro_jfr_index_grow_slots(pyro_jfr_index_t *index);


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
    uint32_t  slot, mask;

    mask = (1U << index->bits) - 1;
    slot = (uint32_t) (key * index->factor >> (64 - index->bits));

    while (index->slots[slot].value && index->slots[slot].key != key) {
        slot = (slot + 1) & mask;
    }

    return slot;
}


uint32_t
pyro_jfr_index_find(const pyro_jfr_index_t *index, uint64_t key)
{
    /* a free slot's 0 becomes PYRO_NONE */
    return index->slots[pyro_jfr_index_slot(index, key)].value - 1;
}


static int
pyro_jfr_index_grow_dense(pyro_jfr_index_t *index, uint64_t key)
{
    size_t     room;
    uint32_t  *dense;

    room = index->n_dense ? (size_t) index->n_dense * 2 : PYRO_JFR_INDEX_DENSE;

    while (room <= key) {
        room *= 2;
    }

    dense = room <= UINT32_MAX
            ? pyro_arena_calloc(index->arena, room, sizeof(uint32_t)) : NULL;

    if (dense == NULL) {
        return -1;
    }

    if (index->n_dense) {
        memcpy(dense, index->dense, index->n_dense * sizeof(uint32_t));
    }

    index->dense = dense;
    index->n_dense = (uint32_t) room;

    return 0;
}


static int
pyro_jfr_index_grow_slots(pyro_jfr_index_t *index)
{
    uint32_t          i, bits, n_old;
    pyro_jfr_slot_t  *old, *slots;

    n_old = index->bits ? 1U << index->bits : 0;
    bits = index->bits ? index->bits + 1 : PYRO_JFR_INDEX_FIRST;
    slots = bits <= PYRO_JFR_INDEX_LAST
            ? pyro_arena_calloc(index->arena, (size_t) 1 << bits,
                                sizeof(pyro_jfr_slot_t))
            : NULL;

    if (slots == NULL) {
        return -1;
    }

    old = index->slots;
    index->slots = slots;
    index->bits = bits;

    for (i = 0; i < n_old; i++) {
        if (old[i].value) {
            slots[pyro_jfr_index_slot(index, old[i].key)] = old[i];
        }
    }

    return 0;
}


int
pyro_jfr_index_put(pyro_jfr_index_t *index, uint64_t key, uint32_t value)
{
    uint32_t  slot;

    if (key < index->n_dense
        || key / PYRO_JFR_INDEX_SPARE < (uint64_t) index->n
                                        + PYRO_JFR_INDEX_DENSE
                                          / PYRO_JFR_INDEX_SPARE)
    {
        if (key >= index->n_dense && pyro_jfr_index_grow_dense(index, key)) {
            return -1;
        }

        index->n += index->dense[key] == 0;
        index->dense[key] = value + 1;

        return 0;
    }

    if ((index->bits == 0 || index->n_slots >= 1U << (index->bits - 1))
        && pyro_jfr_index_grow_slots(index))
    {
        return -1;
    }

    slot = pyro_jfr_index_slot(index, key);

    if (index->slots[slot].value == 0) {
        index->n_slots++;
        index->n++;
    }

    index->slots[slot].key = key;
    index->slots[slot].value = value + 1;

    return 0;
}
