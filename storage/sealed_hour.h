/*
 * An hour of one stream in a sealed partition: the value of "raw" there, whose
 * key is stream be32, slot of an hour be32.  It has its slots of five minutes,
 * each as the sums of its types (roll-ups of five minutes) and its pushes in
 * columns (storage/sealed_slot.h), in parts that are read one by one.
 *
 *   0   be32      low half of XXH3-64 (seed 0) of all bytes from 4 to the
 *                 directory's end
 *   4   u8        version, 1
 *   5   be32      bytes of the directory
 *   9   directory:
 *         varint  slots, ascending; each:
 *           varint  slot less the hour's first one, 0 to 11
 *           varint  pushes
 *           varint  types, ascending; each: varint ptype, less the one before
 *           its part of sums, and of pushes; each:
 *             varint  bytes
 *             varint  bytes inflated, 0: the part is as it is
 *             be32    low half of XXH3-64 (seed 0) of the part
 *       the parts, in that order
 *
 *   sums          for each type: varint length, the record
 *
 * Reading checks everything; one thread.  What it yields lies in the value that
 * was given or in room, and is valid as long as both are left alone.
 */

#ifndef _PYRO_SEALED_HOUR_H_INCLUDED_
#define _PYRO_SEALED_HOUR_H_INCLUDED_


#include "core/base/deflate.h"
#include "storage/sealed_slot.h"


#define PYRO_SEALED_KEY  8


typedef struct {
    pyro_slice_t         bytes;
    size_t               inflated;      /* 0: as they are */
    uint32_t             checksum;
} pyro_sealed_piece_t;


typedef struct {
    uint32_t             slot;          /* of five minutes, since the epoch */
    uint32_t             pushes;
    uint32_t             n_types;
    pyro_bytes_t         types;         /* for pyro_take_known() */
    pyro_sealed_piece_t  sums;
    pyro_sealed_piece_t  columns;
} pyro_sealed_entry_t;


typedef struct {
    pyro_sealed_entry_t  slots[PYRO_SLOTS_HOUR];
    uint32_t             n;
} pyro_sealed_hour_t;


/* Room for reading, used again and again, in an arena; zeroed at first. */
typedef struct {
    uint8_t             *sums;
    uint32_t             cap_sums;
    uint8_t             *columns;
    uint32_t             cap_columns;
    pyro_sealed_sum_t   *list;          /* of the slot that was read */
    uint32_t             n;
    uint32_t             cap_list;
    pyro_sealed_room_t   slot;
} pyro_sealed_hour_room_t;


/* An hour that is being written, in an arena. */
typedef struct {
    pyro_arena_t        *arena;
    pyro_deflater_t     *deflater;
    uint32_t             hour;
    uint32_t             n;
    struct {
        uint32_t                  slot;
        uint32_t                  pushes;
        uint32_t                  n_types;
        const pyro_sealed_sum_t  *types;
        pyro_sealed_piece_t       sums;
        pyro_sealed_piece_t       columns;
    }                    slots[PYRO_SLOTS_HOUR];
} pyro_sealed_builder_t;


size_t pyro_key_sealed(uint8_t *key, uint32_t stream, uint32_t hour);

/* -1: damaged, the directory.  The value is lent. */
int pyro_sealed_hour_open(pyro_slice_t value, uint32_t hour,
    pyro_sealed_hour_t *out);

/* The sums of a slot, in room->list.  PYRO_UNPROCESSABLE: damaged;
 * PYRO_UNAVAILABLE: no memory; so below. */
pyro_status_e pyro_sealed_hour_sums(const pyro_sealed_entry_t *entry,
    pyro_arena_t *arena, pyro_sealed_hour_room_t *room);

/* The pushes of a slot, in room->slot, and its sums. */
pyro_status_e pyro_sealed_hour_pushes(const pyro_sealed_entry_t *entry,
    pyro_arena_t *arena, pyro_sealed_hour_room_t *room);

void pyro_sealed_builder_begin(pyro_sealed_builder_t *builder,
    pyro_arena_t *arena, pyro_deflater_t *deflater, uint32_t hour);

/* Adds a slot, in ascending order; see pyro_sealed_slot_encode().  sums stay
 * as long as the builder.  -1: no memory. */
int pyro_sealed_builder_add(pyro_sealed_builder_t *builder, uint32_t slot,
    const pyro_sealed_push_t *pushes, uint32_t n,
    const pyro_sealed_sum_t *sums, uint32_t n_sums);

/* The value; in the arena.  -1: no memory. */
int pyro_sealed_builder_end(pyro_sealed_builder_t *builder,
    pyro_slice_t *value);


#endif /* _PYRO_SEALED_HOUR_H_INCLUDED_ */
