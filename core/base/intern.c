#include "core/base/intern.h"

#include "core/base/clock.h"
#include "core/base/count.h"
#include "core/base/hash.h"


#define PYRO_INTERN_FIRST  64


static int pyro_intern_items(pyro_intern_t *table, size_t n);
static int pyro_intern_grow(pyro_intern_t *table, uint32_t size);
static uint32_t pyro_intern_slot(const pyro_intern_t *table, pyro_slice_t s,
    uint64_t hash);


void
pyro_intern_init(pyro_intern_t *table, pyro_arena_t *arena)
{
    memset(table, 0, sizeof(pyro_intern_t));

    table->arena = arena;
    table->seed = pyro_hash_mix((uint64_t) pyro_clock_mono(),
                                (uint64_t) (uintptr_t) arena);
}


int
pyro_intern_reserve(pyro_intern_t *table, uint32_t n)
{
    uint32_t  size;

    size = table->mask ? table->mask + 1 : PYRO_INTERN_FIRST;

    /* a quarter of the slots stays free */

    while (size && size - size / 4 <= n) {
        size *= 2;
    }

    if (size == 0 || (size != table->mask + 1
                      && pyro_intern_grow(table, size)))
    {
        return -1;
    }

    return pyro_intern_items(table, n);
}


/* Room for the entries themselves. */
static int
pyro_intern_items(pyro_intern_t *table, size_t n)
{
    uint32_t  cap;

    cap = table->cap;

    return pyro_arena_grow(table->arena, &table->hashes, &cap, n,
                           sizeof(uint64_t))
           || pyro_arena_grow(table->arena, &table->items, &table->cap, n,
                              sizeof(pyro_slice_t))
           ? -1 : 0;
}


static int
pyro_intern_grow(pyro_intern_t *table, uint32_t size)
{
    uint32_t  i, slot, *slots;

    slots = pyro_arena_calloc(table->arena, size, sizeof(uint32_t));

    if (slots == NULL) {
        return -1;
    }

    for (i = 0; i < table->n; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        slot = (uint32_t) table->hashes[i] & (size - 1);

        while (slots[slot]) {
            PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
            slot = (slot + 1) & (size - 1);
        }

        slots[slot] = i + 1;
    }

    if (table->mask) {
        pyro_arena_free(table->arena, table->slots,
                        ((size_t) table->mask + 1) * sizeof(uint32_t));
    }

    table->slots = slots;
    table->mask = size - 1;

    return 0;
}


/* The slot of s, or the free one where it belongs. */
static uint32_t
pyro_intern_slot(const pyro_intern_t *table, pyro_slice_t s, uint64_t hash)
{
    uint32_t  id, slot;

    for (slot = (uint32_t) hash & table->mask;
         table->slots[slot];
         slot = (slot + 1) & table->mask)
    {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
        id = table->slots[slot] - 1;

        if (table->hashes[id] == hash && pyro_slice_eq(table->items[id], s)) {
            break;
        }
    }

    return slot;
}


uint32_t
pyro_intern_find(const pyro_intern_t *table, pyro_slice_t s)
{
    uint32_t  slot;

    if (table->mask == 0) {
        return PYRO_NONE;
    }

    slot = pyro_intern_slot(table, s, pyro_hash64(s.data, s.len, table->seed));

    /* a free slot holds 0, and 0 - 1 is PYRO_NONE */

    return table->slots[slot] - 1;
}


uint32_t
pyro_intern(pyro_intern_t *table, pyro_slice_t s, int copy)
{
    uint32_t      id, slot;
    uint64_t      hash;
    pyro_slice_t  item;

    if ((table->n >= table->mask - table->mask / 4
         && pyro_intern_reserve(table, table->n + 1))
        || pyro_intern_items(table, (size_t) table->n + 1))
    {
        return PYRO_NONE;
    }

    hash = pyro_hash64(s.data, s.len, table->seed);
    slot = pyro_intern_slot(table, s, hash);

    if (table->slots[slot]) {
        return table->slots[slot] - 1;
    }

    item = s;

    if (copy) {
        item = pyro_arena_dup(table->arena, s);

        if (item.data == NULL) {
            return PYRO_NONE;
        }
    }

    id = table->n++;
    table->items[id] = item;
    table->hashes[id] = hash;
    table->slots[slot] = id + 1;

    return id;
}
