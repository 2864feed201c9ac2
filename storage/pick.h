/*
 * A query's pick (storage/store.h): which push records of a stream, and which
 * samples of them, are meant.  In the query's arena; one thread.
 */

#ifndef _PYRO_PICK_H_INCLUDED_
#define _PYRO_PICK_H_INCLUDED_


#include "storage/spans.h"
#include "storage/store.h"


/* The lists are copies, sorted. */
typedef struct {
    pyro_arena_t      *arena;
    uint64_t          *spans;
    uint32_t           n_spans;
    pyro_hash128_t    *traces;
    uint32_t           n_traces;
    pyro_hash128_t    *profiles;
    uint32_t           n_profiles;
    pyro_spans_t       room;
} pyro_pick_t;


/* -1: no memory. */
int pyro_pick_prepare(pyro_pick_t *pick, const pyro_store_pick_t *wanted,
    pyro_arena_t *arena);

/* 1 if the profile of this digest and time is one of those that are meant. */
int pyro_pick_has_profile(const pyro_pick_t *pick, pyro_hash128_t digest,
    int64_t time);

/* 1 if spans or traces are named: not all samples of a profile are meant. */
static inline int
pyro_pick_has_spans(const pyro_pick_t *pick)
{
    return pick->n_spans || pick->n_traces;
}


/*
 * Adds the samples that are meant of a record that was opened just now, of
 * types whose byte in types (by ptype - 1) is set, to the accumulator of n
 * nodes.  PYRO_UNPROCESSABLE: damaged; PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_pick_add(pyro_pick_t *pick, pyro_record_t *record,
    const uint8_t *types, uint32_t n_types, uint64_t *acc, uint32_t n);


#endif /* _PYRO_PICK_H_INCLUDED_ */
