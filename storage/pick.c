#include "storage/pick.h"

#include <stdlib.h>

#include "core/base/uuid.h"


#define PYRO_PICK_PROFILE  24       /* bytes that a profile's id is made of */


static void *pyro_pick_copy(pyro_arena_t *arena, const void *items, uint32_t n,
    size_t size, int (*cmp)(const void *one, const void *two));
static int pyro_pick_span_cmp(const void *one, const void *two);
static int pyro_pick_id_cmp(const void *one, const void *two);
static int pyro_pick_has(const void *key, const void *items, uint32_t n,
    size_t size, int (*cmp)(const void *one, const void *two));
static uint32_t pyro_pick_want(pyro_pick_t *pick);
static int pyro_pick_is_wanted(const pyro_pick_t *pick,
    const pyro_span_t *span);


pyro_hash128_t
pyro_store_profile_id(pyro_hash128_t digest, int64_t time)
{
    uint8_t  bytes[PYRO_PICK_PROFILE];

    pyro_put_be64(bytes, digest.hi);
    pyro_put_be64(bytes + 8, digest.lo);
    pyro_put_be64(bytes + 16, (uint64_t) time);

    return pyro_uuid_of(pyro_hash128(bytes, sizeof(bytes)));
}


int
pyro_pick_prepare(pyro_pick_t *pick, const pyro_store_pick_t *wanted,
    pyro_arena_t *arena)
{
    memset(pick, 0, sizeof(pyro_pick_t));

    pick->arena = arena;
    pick->n_spans = wanted->n_spans;
    pick->n_traces = wanted->n_traces;
    pick->n_profiles = wanted->n_profiles;

    pick->spans = pyro_pick_copy(arena, wanted->spans, pick->n_spans,
                                 sizeof(uint64_t), pyro_pick_span_cmp);
    pick->traces = pyro_pick_copy(arena, wanted->traces, pick->n_traces,
                                  sizeof(pyro_hash128_t), pyro_pick_id_cmp);
    pick->profiles = pyro_pick_copy(arena, wanted->profiles, pick->n_profiles,
                                    sizeof(pyro_hash128_t), pyro_pick_id_cmp);

    return pick->spans == NULL || pick->traces == NULL
           || pick->profiles == NULL ? -1 : 0;
}


static void *
pyro_pick_copy(pyro_arena_t *arena, const void *items, uint32_t n, size_t size,
    int (*cmp)(const void *one, const void *two))
{
    void  *copy;

    copy = pyro_arena_alloc(arena, n * size);

    if (copy != NULL && n) {
        memcpy(copy, items, n * size);
        qsort(copy, n, size, cmp);
    }

    return copy;
}


static int
pyro_pick_span_cmp(const void *one, const void *two)
{
    const uint64_t  *a = one, *b = two;

    return (*a > *b) - (*a < *b);
}


static int
pyro_pick_id_cmp(const void *one, const void *two)
{
    const pyro_hash128_t  *a = one, *b = two;

    return pyro_uuid_cmp(*a, *b);
}


static int
pyro_pick_has(const void *key, const void *items, uint32_t n, size_t size,
    int (*cmp)(const void *one, const void *two))
{
    return n && bsearch(key, items, n, size, cmp) != NULL;
}


int
pyro_pick_has_profile(const pyro_pick_t *pick, pyro_hash128_t digest,
    int64_t time)
{
    pyro_hash128_t  id;

    if (pick->n_profiles == 0) {
        return 1;
    }

    id = pyro_store_profile_id(digest, time);

    return pyro_pick_has(&id, pick->profiles, pick->n_profiles, sizeof(id),
                         pyro_pick_id_cmp);
}


pyro_status_e
pyro_pick_add(pyro_pick_t *pick, pyro_record_t *record, const uint8_t *types,
    uint32_t n_types, uint64_t *acc, uint32_t n)
{
    int                           rc;
    uint32_t                      i;
    pyro_spans_t                 *room;
    pyro_status_e                 status;
    const pyro_record_section_t  *section;

    if (!record->has_spans) {
        return PYRO_OK;
    }

    room = &pick->room;
    status = pyro_spans_sections(room, pick->arena, record);

    if (status == PYRO_OK) {
        status = pyro_spans_table(room, pick->arena, record);
    }

    if (status != PYRO_OK || pyro_pick_want(pick) == 0) {
        return status;
    }

    for (i = 0; i < room->n_sections; i++) {
        section = &room->sections[i];

        rc = section->ptype && section->ptype <= n_types
             && types[section->ptype - 1]
             ? pyro_record_add_spans(record, section, room->wanted,
                                     room->n_spans, acc, n)
             : pyro_record_skip_spans(record);

        if (rc) {
            return PYRO_UNPROCESSABLE;
        }
    }

    return PYRO_OK;
}


/* Marks the spans of the record that are meant; returns how many. */
static uint32_t
pyro_pick_want(pyro_pick_t *pick)
{
    uint32_t       i, wanted;
    pyro_spans_t  *room;

    room = &pick->room;

    for (i = 0, wanted = 0; i < room->n_spans; i++) {
        room->wanted[i] = (uint8_t) pyro_pick_is_wanted(pick, &room->spans[i]);
        wanted += room->wanted[i];
    }

    return wanted;
}


/* A span without an id, or without a trace, has 0, which names none. */
static int
pyro_pick_is_wanted(const pyro_pick_t *pick, const pyro_span_t *span)
{
    pyro_hash128_t  trace;

    trace.hi = span->trace_hi;
    trace.lo = span->trace_lo;

    return (span->id
            && pyro_pick_has(&span->id, pick->spans, pick->n_spans,
                             sizeof(span->id), pyro_pick_span_cmp))
           || ((trace.hi || trace.lo)
               && pyro_pick_has(&trace, pick->traces, pick->n_traces,
                                sizeof(trace), pyro_pick_id_cmp));
}
