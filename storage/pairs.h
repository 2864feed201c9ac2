/*
 * Pairs of a stored node and a value: what records of pushes and of roll-ups
 * are made of, and the room in which they are summed.
 *
 *   pairs         ascending by node; each:
 *     varint      node, less the node before it
 *     varint      value / scale
 *
 * scale is a common divisor of all values, 1 to INT64_MAX; values are 1 to
 * INT64_MAX and so are sums, which stop there.  Reading checks every number.
 * One thread; room is in an arena.
 */

#ifndef _PYRO_PAIRS_H_INCLUDED_
#define _PYRO_PAIRS_H_INCLUDED_


#include "core/base/arena.h"
#include "storage/schema.h"


typedef struct {
    uint64_t        key;            /* a node; above it may be a span */
    uint64_t        value;
} pyro_pair_t;


/* Room for building, used again and again. */
typedef struct {
    pyro_pair_t    *items;
    uint32_t        cap;
    pyro_pair_t    *spare;
    uint32_t        cap_spare;
} pyro_pairs_t;


/* Room for n pairs in both arrays; what items has stays.  -1: no memory. */
int pyro_pairs_reserve(pyro_arena_t *arena, pyro_pairs_t *room, size_t n);

/* Sorts the first n by key; both arrays have room for them. */
void pyro_pairs_sort(pyro_pairs_t *room, uint32_t n);

/* Joins equal keys of n sorted pairs; returns how many are left. */
uint32_t pyro_pairs_join(pyro_pair_t *items, uint32_t n);

uint64_t pyro_pairs_gcd(uint64_t a, uint64_t b);

/* Writes n pairs; p has room for 5 + PYRO_VARINT_MAX bytes each. */
uint8_t *pyro_pairs_put(uint8_t *p, const pyro_pair_t *items, uint32_t n,
    uint64_t scale);

/* Adds count pairs to the accumulator of n nodes.  -1: damaged. */
int pyro_pairs_add(pyro_bytes_t *in, uint32_t count, uint64_t scale,
    uint64_t *acc, uint32_t n);

/* Adds the values of count pairs to *sum, of any nodes.  -1: damaged. */
int pyro_pairs_sum(pyro_bytes_t *in, uint32_t count, uint64_t scale,
    uint64_t *sum);

/* Reads count pairs into items.  -1: damaged. */
int pyro_pairs_take(pyro_bytes_t *in, uint32_t count, uint64_t scale,
    pyro_pair_t *items);

/* Skips count pairs.  -1: damaged. */
int pyro_pairs_skip(pyro_bytes_t *in, uint32_t count);


#endif /* _PYRO_PAIRS_H_INCLUDED_ */
