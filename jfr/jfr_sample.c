#include "jfr/jfr_sample.h"

#include "core/base/clock.h"
#include "core/base/count.h"


#define PYRO_JFR_SAMPLES_FIRST  64      /* slots */


static uint64_t pyro_jfr_sample_hash(const pyro_jfr_samples_t *samples,
    const pyro_jfr_sample_t *sample);
static uint64_t pyro_jfr_tag_hash(const pyro_jfr_samples_t *samples,
    const pyro_jfr_tag_t *tag);
static uint32_t *pyro_jfr_slots(pyro_arena_t *arena, uint32_t **slots,
    uint32_t *mask);
static int pyro_jfr_samples_grow(pyro_jfr_samples_t *samples);
static int pyro_jfr_tags_grow(pyro_jfr_samples_t *samples);


int
pyro_jfr_samples_init(pyro_jfr_samples_t *samples, pyro_arena_t *arena)
{
    memset(samples, 0, sizeof(pyro_jfr_samples_t));

    samples->arena = arena;
    samples->seed = pyro_hash_mix((uint64_t) pyro_clock_mono(),
                                  (uint64_t) (uintptr_t) samples);

    if (pyro_arena_grow(arena, &samples->tags, &samples->cap_tags, 1,
                        sizeof(pyro_jfr_tag_t)))
    {
        return -1;
    }

    memset(samples->tags, 0, sizeof(pyro_jfr_tag_t));
    samples->n_tags = 1;

    return 0;
}


static uint64_t
pyro_jfr_sample_hash(const pyro_jfr_samples_t *samples,
    const pyro_jfr_sample_t *sample)
{
    uint64_t  h;

    /* by a secret factor, twice: see pyro_jfr_index_hash() */

    h = ((uint64_t) sample->stack << 32 | sample->tag)
        ^ (uint64_t) sample->kind << 28;
    h *= samples->seed | 1;
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15ULL;

    return h >> 32;
}


static uint64_t
pyro_jfr_tag_hash(const pyro_jfr_samples_t *samples,
    const pyro_jfr_tag_t *tag)
{
    return pyro_hash64(tag, sizeof(pyro_jfr_tag_t), samples->seed);
}


/* Puts twice as many free slots in the place of those there. */
static uint32_t *
pyro_jfr_slots(pyro_arena_t *arena, uint32_t **slots, uint32_t *mask)
{
    uint32_t  n, *more;

    n = *mask ? (*mask + 1) * 2 : PYRO_JFR_SAMPLES_FIRST;
    more = n ? pyro_arena_calloc(arena, n, sizeof(uint32_t)) : NULL;

    if (more == NULL) {
        return NULL;
    }

    if (*mask) {
        pyro_arena_free(arena, *slots,
                        ((size_t) *mask + 1) * sizeof(uint32_t));
    }

    *slots = more;
    *mask = n - 1;

    return more;
}


static int
pyro_jfr_samples_grow(pyro_jfr_samples_t *samples)
{
    uint32_t  i, slot, *slots;

    slots = pyro_jfr_slots(samples->arena, &samples->slots, &samples->mask);

    if (slots == NULL) {
        return -1;
    }

    for (i = 0; i < samples->n; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        slot = (uint32_t) pyro_jfr_sample_hash(samples, &samples->items[i])
               & samples->mask;

        while (slots[slot]) {
            PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
            slot = (slot + 1) & samples->mask;
        }

        slots[slot] = i + 1;
    }

    return 0;
}


static int
pyro_jfr_tags_grow(pyro_jfr_samples_t *samples)
{
    uint32_t  i, slot, *slots;

    slots = pyro_jfr_slots(samples->arena, &samples->tag_slots,
                           &samples->tag_mask);

    if (slots == NULL) {
        return -1;
    }

    for (i = 1; i < samples->n_tags; i++) {
        slot = (uint32_t) pyro_jfr_tag_hash(samples, &samples->tags[i])
               & samples->tag_mask;

        while (slots[slot]) {
            PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
            slot = (slot + 1) & samples->tag_mask;
        }

        slots[slot] = i;
    }

    return 0;
}


uint32_t
pyro_jfr_samples_tag(pyro_jfr_samples_t *samples, const pyro_jfr_tag_t *tag)
{
    uint32_t  slot, id;

    if (samples->n_tags > samples->tag_mask / 2
        && pyro_jfr_tags_grow(samples))
    {
        return PYRO_NONE;
    }

    slot = (uint32_t) pyro_jfr_tag_hash(samples, tag) & samples->tag_mask;

    while ((id = samples->tag_slots[slot]) != 0) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);

        if (memcmp(&samples->tags[id], tag, sizeof(pyro_jfr_tag_t)) == 0) {
            return id;
        }

        slot = (slot + 1) & samples->tag_mask;
    }

    if (pyro_arena_grow(samples->arena, &samples->tags, &samples->cap_tags,
                        (size_t) samples->n_tags + 1, sizeof(pyro_jfr_tag_t)))
    {
        return PYRO_NONE;
    }

    samples->tags[samples->n_tags] = *tag;
    samples->tag_slots[slot] = samples->n_tags;

    return samples->n_tags++;
}


int
pyro_jfr_samples_add(pyro_jfr_samples_t *samples,
    const pyro_jfr_sample_t *sample)
{
    uint32_t            slot;
    pyro_jfr_sample_t  *item;

    /* a quarter of the slots stays free */

    if (samples->n >= samples->mask - samples->mask / 4
        && pyro_jfr_samples_grow(samples))
    {
        return -1;
    }

    slot = (uint32_t) pyro_jfr_sample_hash(samples, sample) & samples->mask;

    while (samples->slots[slot]) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
        item = &samples->items[samples->slots[slot] - 1];

        if (item->stack == sample->stack && item->tag == sample->tag
            && item->kind == sample->kind)
        {
            item->count = pyro_jfr_sum(item->count, sample->count);
            item->value = pyro_jfr_sum(item->value, sample->value);
            return 0;
        }

        slot = (slot + 1) & samples->mask;
    }

    if (pyro_arena_grow(samples->arena, &samples->items, &samples->cap,
                        (size_t) samples->n + 1, sizeof(pyro_jfr_sample_t)))
    {
        return -1;
    }

    samples->items[samples->n++] = *sample;
    samples->slots[slot] = samples->n;

    return 0;
}
