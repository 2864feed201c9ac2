/*
 * Pushes by hand for the codec of sealed hours: records of random sections,
 * spans and values, ordered as sealing orders them, and their sums.
 */

#ifndef _PYRO_SEALED_FIXTURE_H_INCLUDED_
#define _PYRO_SEALED_FIXTURE_H_INCLUDED_


#include "unit.h"

#include "core/base/hash.h"
#include "storage/sealed_hour.h"


#define SEALED_NODES  4000
#define SEALED_SPANS  40
#define SEALED_TYPES  6
#define SEALED_PAIRS  400
#define SEALED_HOUR   498696        /* 2026-11-22 00:00 UTC begins it */


typedef enum {
    SEALED_STEADY = 0,              /* multiples of 10 ms */
    SEALED_RANDOM,                  /* anything */
    SEALED_HUGE,                    /* sums stop at INT64_MAX */
    SEALED_KINDS
} sealed_kind_e;


typedef struct {
    pyro_arena_t        *arena;
    uint64_t             seed;
    sealed_kind_e        kind;
    uint32_t             pairs;     /* of a section, at most; 0: of none */
    uint32_t             types;
    int                  spans;
    uint32_t             moments;   /* different times; 0: any */

    uint32_t             slot;
    pyro_sealed_push_t  *pushes;
    uint32_t             n;
    pyro_sealed_sum_t   *sums;
    uint32_t             n_sums;
} sealed_t;


static inline uint64_t
sealed_random(sealed_t *s, uint64_t n)
{
    s->seed = s->seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return pyro_hash_mix(s->seed, 0) % n;
}


static inline uint64_t
sealed_value(sealed_t *s)
{
    switch (s->kind) {

    case SEALED_STEADY:
        return 10000000 * (1 + sealed_random(s, 5));

    case SEALED_HUGE:
        switch (sealed_random(s, 4)) {
        case 0:
            return INT64_MAX;
        case 1:
            return INT64_MAX / 2 + sealed_random(s, 3);
        default:
            return 1 + sealed_random(s, 100);
        }

    default:
        return 1 + (sealed_random(s, UINT64_MAX) >> (2 + sealed_random(s, 61)))
               % INT64_MAX;
    }
}


/* The samples of a section, ascending by node and span. */
static inline void
sealed_section(sealed_t *s, pyro_section_t *section)
{
    uint32_t        i, node, span, most;
    pyro_sample_t  *sample;

    memset(section, 0, sizeof(pyro_section_t));
    most = s->pairs ? 1 + (uint32_t) sealed_random(s, s->pairs) : 0;
    section->samples = pyro_arena_calloc(s->arena, most,
                                         sizeof(pyro_sample_t));
    assert_non_null(section->samples);

    /* the empty stack now and then; often the nodes that others have */

    node = sealed_random(s, 6) ? 1 + (uint32_t) sealed_random(s, 3) : 0;
    span = 0;

    for (i = 0; i < most && node < SEALED_NODES; i++) {
        sample = &section->samples[section->n++];
        sample->node = node;
        sample->span = span;
        sample->value = sealed_value(s);
        section->total += sample->value;
        section->total = section->total > INT64_MAX ? INT64_MAX
                                                    : section->total;

        if (s->spans && sealed_random(s, 3) == 0 && span + 1 < SEALED_SPANS) {
            span += 1 + (uint32_t) sealed_random(s, SEALED_SPANS - span - 1);

        } else {
            node += 1 + (uint32_t) sealed_random(s, sealed_random(s, 20)
                                                    ? 3 : 300);
            span = 0;
        }
    }
}


/* The table has all spans, used or not; every second has a trace id. */
static inline pyro_slice_t
sealed_span_table(sealed_t *s)
{
    uint32_t       i, list[SEALED_SPANS];
    pyro_span_t    spans[SEALED_SPANS];
    pyro_slice_t   table;

    memset(spans, 0, sizeof(spans));

    for (i = 1; i < SEALED_SPANS; i++) {
        spans[i].id = sealed_random(s, UINT64_MAX);
        spans[i].trace_hi = i % 2 ? sealed_random(s, UINT64_MAX) : 0;
        spans[i].trace_lo = i % 2 ? i : 0;
        list[i - 1] = i;
    }

    assert_int_equal(pyro_record_span_table(s->arena, spans, list,
                                            SEALED_SPANS - 1, &table), 0);

    return table;
}


static inline pyro_slice_t
sealed_record(sealed_t *s, uint16_t *ptype)
{
    int                  has_spans;
    uint32_t             i, n, ids[SEALED_NODES], spans[SEALED_SPANS];
    pyro_pairs_t         room;
    pyro_slice_t         table, record;
    pyro_section_t       section;
    pyro_hash128_t       digest;
    pyro_record_part_t   parts[SEALED_TYPES];

    for (i = 0; i < SEALED_NODES; i++) {
        ids[i] = i;
    }

    for (i = 0; i < SEALED_SPANS; i++) {
        spans[i] = i;
    }

    memset(&room, 0, sizeof(room));
    has_spans = s->spans && sealed_random(s, 3);
    table = has_spans ? sealed_span_table(s) : pyro_slice(NULL, 0);

    for (i = 0, n = 0; i < s->types; i++) {

        if (i + 1 < s->types || n ? sealed_random(s, 3) == 0 : 0) {
            continue;
        }

        parts[n].ptype = 1 + 3 * i;
        sealed_section(s, &section);
        assert_int_equal(pyro_record_section(s->arena, &room, &section, ids,
                                             has_spans ? spans : NULL,
                                             &parts[n]), 0);
        n++;
    }

    digest.hi = sealed_random(s, UINT64_MAX);
    digest.lo = sealed_random(s, UINT64_MAX);
    *ptype = (uint16_t) parts[0].ptype;

    assert_int_equal(pyro_record_encode(s->arena, digest,
                                        sealed_random(s, 3)
                                        ? 10000 : sealed_random(s, UINT64_MAX),
                                        parts, n, table, &record), 0);

    return record;
}


static inline int
sealed_push_cmp(const void *one, const void *two)
{
    const pyro_sealed_push_t  *a = one, *b = two;

    if (a->key.time != b->key.time) {
        return a->key.time < b->key.time ? -1 : 1;
    }

    return (a->key.ptype > b->key.ptype) - (a->key.ptype < b->key.ptype);
}


/* Their order and numbers, from their times and lowest types. */
static inline void
sealed_order(sealed_t *s)
{
    uint32_t             i;
    pyro_sealed_push_t  *push;

    qsort(s->pushes, s->n, sizeof(pyro_sealed_push_t), sealed_push_cmp);

    for (i = 0; i < s->n; i++) {
        push = &s->pushes[i];
        push->key.seq = i && sealed_push_cmp(push, push - 1) == 0
                        ? (uint16_t) (push[-1].key.seq + 1) : 0;
    }
}


/* What the pushes add up to, as storage/seal_hour.c has it. */
static inline void
sealed_sum_up(sealed_t *s)
{
    uint32_t                i, ptype;
    pyro_record_t           record;
    pyro_rollup_sum_t       sum;
    pyro_record_section_t   section;

    s->n_sums = 0;
    s->sums = pyro_arena_calloc(s->arena, SEALED_TYPES,
                                sizeof(pyro_sealed_sum_t));
    assert_non_null(s->sums);

    for (ptype = 1; ptype < 1 + 3 * SEALED_TYPES; ptype++) {
        memset(&sum, 0, sizeof(sum));

        for (i = 0; i < s->n; i++) {
            assert_int_equal(pyro_record_open(s->pushes[i].record, &record),
                             0);

            while (pyro_record_next(&record, &section) == 1) {
                if (section.ptype == ptype) {
                    assert_int_equal(pyro_rollup_add(&sum, s->arena, &section,
                                                     1), PYRO_OK);
                }
            }
        }

        if (sum.pushes) {
            s->sums[s->n_sums].ptype = ptype;
            assert_int_equal(pyro_rollup_encode(&sum, s->arena,
                                          &s->sums[s->n_sums++].record), 0);
        }
    }
}


/* n pushes in the slot, and their sums. */
static inline void
sealed_fill(sealed_t *s, uint32_t n)
{
    int64_t              start, moment;
    uint32_t             i;
    pyro_sealed_push_t  *push;

    s->n = n;
    s->pushes = pyro_arena_calloc(s->arena, n, sizeof(pyro_sealed_push_t));
    assert_non_null(s->pushes);
    start = pyro_slot_start(s->slot);

    for (i = 0; i < n; i++) {
        push = &s->pushes[i];
        moment = (int64_t) sealed_random(s, s->moments ? s->moments
                                                       : PYRO_SLOT);
        push->key.time = start + (s->moments ? moment * PYRO_SLOT / s->moments
                                             : moment);
        push->record = sealed_record(s, &push->key.ptype);
    }

    sealed_order(s);
    sealed_sum_up(s);
}


/* Any shape of pushes: how many types, pairs, moments, whether spans. */
static inline void
sealed_shape(sealed_t *s)
{
    static const uint32_t  moments[] = { 0, 1, 2, 30, 300 };

    s->kind = (sealed_kind_e) sealed_random(s, SEALED_KINDS);
    s->types = 1 + (uint32_t) sealed_random(s, SEALED_TYPES);
    s->pairs = sealed_random(s, 8) == 0 ? (uint32_t) sealed_random(s, 2)
               : 1 + (uint32_t) sealed_random(s, sealed_random(s, 4)
                                                 ? 12 : SEALED_PAIRS);
    s->spans = sealed_random(s, 2) == 0;
    s->moments = moments[sealed_random(s, 5)];
}


static inline void
sealed_begin(sealed_t *s, uint64_t seed)
{
    memset(s, 0, sizeof(sealed_t));

    s->seed = seed;
    s->arena = pyro_arena_create(0);
    s->slot = pyro_slot_first(PYRO_LEVEL_1H, SEALED_HOUR) + 5;
    assert_non_null(s->arena);
}


/* All that was made goes. */
static inline void
sealed_again(sealed_t *s)
{
    pyro_arena_destroy(s->arena);
    s->arena = pyro_arena_create(0);
    assert_non_null(s->arena);
}


/* The columns one behind the other, as a slot is stored. */
static inline pyro_slice_t
sealed_join(sealed_t *s, const pyro_slice_t *columns, uint32_t n)
{
    char      *all, *p;
    size_t     size;
    uint32_t   i;

    for (i = 0, size = 0; i < n; i++) {
        size += columns[i].len;
    }

    all = pyro_arena_alloc(s->arena, size);
    assert_non_null(all);

    for (i = 0, p = all; i < n; p += columns[i++].len) {
        if (columns[i].len) {
            memcpy(p, columns[i].data, columns[i].len);
        }
    }

    return pyro_slice(all, size);
}


static inline pyro_slice_t
sealed_encode(sealed_t *s)
{
    uint32_t       n;
    pyro_slice_t  *columns;

    assert_int_equal(pyro_sealed_slot_encode(s->arena, s->slot, s->pushes,
                                             s->n, s->sums, s->n_sums,
                                             &columns, &n), PYRO_OK);

    return sealed_join(s, columns, n);
}


static inline void
sealed_is(const sealed_t *s, const pyro_sealed_push_t *pushes, uint32_t n)
{
    uint32_t  i;

    assert_int_equal(n, s->n);

    for (i = 0; i < n; i++) {
        assert_true(pushes[i].key.time == s->pushes[i].key.time);
        assert_int_equal(pushes[i].key.ptype, s->pushes[i].key.ptype);
        assert_int_equal(pushes[i].key.seq, s->pushes[i].key.seq);
        assert_true(pyro_slice_eq(pushes[i].record, s->pushes[i].record));
    }
}


#endif /* _PYRO_SEALED_FIXTURE_H_INCLUDED_ */
