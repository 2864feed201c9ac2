/*
 * Records of roll-ups: what all pushes of a slot put into one stream, of one
 * type.  Values of "r5m", "r1h", "r1d" (stacks) and "tot" (totals).
 *
 * STACKS
 *
 *   0   be32      low half of XXH3-64 (seed 0) of all bytes from 4 on
 *   4   u8        version, 1
 *   5   varint    pushes
 *       varint    scale
 *       varint    total / scale; total is the sum of all values
 *       varint    pairs, and the pairs (storage/pairs.h)
 *
 * TOTALS OF PUSHES, of an hour
 *
 *   0   be32, u8  as above
 *   5   varint    scale
 *       varint    pushes, ascending by time; each:
 *                   varint time, ms, less that of the one before; the first
 *                   less the start of the hour's slot
 *                   varint total / scale
 *
 * TOTALS OF HOURS, of a day
 *
 *   0   be32, u8  as above
 *   5   varint    hours that have pushes, ascending; each:
 *                   varint hour of the day's slot, 0 to 23
 *                   varint pushes
 *                   varint sum of their totals; pushes 0, sum 1: more than
 *                   INT64_MAX
 *
 * Sums stop at INT64_MAX, as those of a query do.  Reading checks everything.
 * One thread.
 */

#ifndef _PYRO_ROLLUP_H_INCLUDED_
#define _PYRO_ROLLUP_H_INCLUDED_


#include "storage/level.h"
#include "storage/pairs.h"
#include "storage/record.h"


typedef struct {
    uint64_t               pushes;
    pyro_record_section_t  section;     /* its ptype is not set */
} pyro_rollup_t;


/* What is being summed up, of one type. */
typedef struct {
    pyro_pairs_t           room;
    uint32_t               n;
    uint32_t               joined;      /* of n: sorted, each node once */
    uint64_t               pushes;
} pyro_rollup_sum_t;


typedef struct {
    int64_t                time;        /* ms */
    uint64_t               total;
} pyro_total_t;


typedef struct {
    pyro_total_t          *items;
    uint32_t               n;
    uint32_t               cap;
} pyro_total_list_t;


typedef struct {
    uint64_t               pushes;      /* 0: none, or see sum */
    uint64_t               sum;         /* pushes 0: 1 is too much */
} pyro_hour_total_t;


/* ---- stacks ---- */

/* Adds a section of a push, or of a finer roll-up.  PYRO_UNPROCESSABLE:
 * damaged, nothing was added; PYRO_UNAVAILABLE: no memory. */
pyro_status_e pyro_rollup_add(pyro_rollup_sum_t *sum, pyro_arena_t *arena,
    const pyro_record_section_t *section, uint64_t pushes);

/* Encodes the sum and empties it.  -1: no memory. */
int pyro_rollup_encode(pyro_rollup_sum_t *sum, pyro_arena_t *arena,
    pyro_slice_t *record);

/* -1: damaged. */
int pyro_rollup_open(pyro_slice_t in, pyro_rollup_t *rollup);


/* ---- totals ---- */

/* The list ascending by time.  -1: no memory. */
int pyro_totals_encode(const pyro_total_list_t *list, uint32_t hour,
    pyro_arena_t *arena, pyro_slice_t *record);

/* Appends a record's totals to the list.  PYRO_UNPROCESSABLE: damaged. */
pyro_status_e pyro_totals_decode(pyro_slice_t in, uint32_t hour,
    pyro_arena_t *arena, pyro_total_list_t *list);

/* hours: PYRO_HOURS_DAY of them. */
int pyro_hours_encode(const pyro_hour_total_t *hours, pyro_arena_t *arena,
    pyro_slice_t *record);

/* -1: damaged. */
int pyro_hours_decode(pyro_slice_t in, pyro_hour_total_t *hours);


/* ---- keys ---- */

#define PYRO_ROLLUP_KEY  10
#define PYRO_TOTAL_KEY   11
#define PYRO_LATE_KEY    8

size_t pyro_key_rollup(uint8_t *key, uint32_t stream, uint32_t ptype,
    uint32_t slot);

/* level: 1H of the pushes, 1D of the hours. */
size_t pyro_key_total(uint8_t *key, uint32_t stream, uint32_t ptype,
    pyro_level_e level, uint32_t slot);

size_t pyro_key_late(uint8_t *key, uint32_t stream, uint32_t slot);


#endif /* _PYRO_ROLLUP_H_INCLUDED_ */
