/*
 * The pushes of one stream in one slot of five minutes, as a sealed partition
 * has them: in columns, beside the sums of the slot (storage/rollup.h, one a
 * type), which tell the nodes.  Sums and columns together give back every push
 * record and its key, byte for byte.
 *
 *   u8        kind: 1 columns, 2 records as they are
 *
 * COLUMNS
 *
 *   head      varint pushes, n
 *             varint scale of times, ns, 1 at least
 *             n varints: time less the one before it, / scale; the first less
 *               (slot - 1) × five minutes
 *             n varints: duration, ms
 *             n varints: bytes of spans
 *   digests   n × (be64, be64)
 *   for each type of the sums:
 *     counts  n varints: scale of the push's section, 0: it has none; m have
 *             for each node of the sum: varint pushes that have it, 1 to m
 *     gaps    for each node that not all m have: where those are that have it,
 *             or, if they are more than half of m, those that have it not; as
 *             varints: position less the one behind the position before it
 *     values  for each node and push that has it, varint value / scale; but
 *             for the last push of a node, whose value is what is left of the
 *             sum, unless the sum is INT64_MAX
 *   spans     of each push that has some: what follows the sections of its
 *             record
 *
 * A push record's lowest type is its first section's, and seq counts equal
 * times and lowest types from 0.  Its total is the sum of its values.
 *
 * RECORDS, where columns would not give back the same
 *
 *   varint pushes; each: varint time, less (slot - 1) × five minutes, ns;
 *   varint lowest ptype, varint seq, varint length, the push record
 *
 * Reading checks everything and takes no more memory than the bytes account
 * for.  One thread.
 */

#ifndef _PYRO_SEALED_SLOT_H_INCLUDED_
#define _PYRO_SEALED_SLOT_H_INCLUDED_


#include "storage/rollup.h"


#define PYRO_SEALED_COLUMNS  1
#define PYRO_SEALED_RECORDS  2
#define PYRO_SEALED_DIGEST   16


/* A push record and its key; stream is the caller's. */
typedef struct {
    pyro_raw_key_t     key;
    pyro_slice_t       record;
} pyro_sealed_push_t;


/* What the pushes of a slot add up to, of one type; ascending by ptype. */
typedef struct {
    uint32_t           ptype;
    pyro_slice_t       record;      /* storage/rollup.h, "stacks" */
} pyro_sealed_sum_t;


/* A section of a push while its record is put together. */
typedef struct {
    size_t             at;          /* in bodies */
    size_t             len;         /* 0: the push has no such section */
} pyro_sealed_part_t;


/*
 * What was read of a slot, and room for reading, used again and again; in the
 * arena that was given.  Zeroed at first.  pushes and their records are valid
 * until the next slot is read into it.
 */
typedef struct {
    pyro_sealed_push_t   *pushes;
    uint32_t              n;

    uint32_t              cap_pushes;
    uint8_t              *data;         /* their records */
    uint32_t              cap_data;
    uint8_t              *bodies;
    uint32_t              cap_bodies;
    size_t                n_bodies;
    pyro_sealed_part_t   *parts;        /* by push, then by type */
    uint32_t              cap_parts;
    uint64_t             *numbers;      /* by push: 5 columns */
    uint32_t              cap_numbers;
    pyro_pair_t          *nodes;        /* of a sum */
    uint32_t              cap_nodes;
    uint32_t             *counts;       /* by node */
    uint32_t              cap_counts;
    uint32_t             *places;       /* by node and push */
    uint32_t              cap_places;
    pyro_pair_t          *pairs;        /* by push and node */
    uint32_t              cap_pairs;
    pyro_record_part_t   *sections;     /* of one push */
    uint32_t              cap_sections;
} pyro_sealed_room_t;


/* Where the times of a slot are counted from. */
static inline int64_t
pyro_sealed_base(uint32_t slot)
{
    return slot ? (int64_t) (slot - 1) * PYRO_SLOT : 0;
}


/*
 * The columns of n pushes, ascending by key, seq from 0, whose records are
 * sound; sums are those of these pushes.  columns: one behind the other they
 * are the slot; each is better compressed by itself.  PYRO_UNAVAILABLE: no
 * memory.
 */
pyro_status_e pyro_sealed_slot_encode(pyro_arena_t *arena, uint32_t slot,
    const pyro_sealed_push_t *pushes, uint32_t n,
    const pyro_sealed_sum_t *sums, uint32_t n_sums, pyro_slice_t **columns,
    uint32_t *n_columns);

/* Reads a slot into room.  PYRO_UNPROCESSABLE: damaged; PYRO_UNAVAILABLE: no
 * memory. */
pyro_status_e pyro_sealed_slot_decode(pyro_slice_t in, uint32_t slot,
    const pyro_sealed_sum_t *sums, uint32_t n_sums, pyro_arena_t *arena,
    pyro_sealed_room_t *room);


#endif /* _PYRO_SEALED_SLOT_H_INCLUDED_ */
