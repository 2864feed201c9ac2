/*
 * A push made ready for a write transaction: everything that needs no LMDB,
 * done before the lock is taken.
 *
 * A unit is what a push has for one service (a push nearly always has one);
 * its streams are the push's label sets.  If all stacks are known to the
 * process's cache the sections are encoded here as well.  In the arena, under
 * the store's write mutex.
 */

#ifndef _PYRO_PREPARE_H_INCLUDED_
#define _PYRO_PREPARE_H_INCLUDED_


#include "storage/nodes.h"
#include "storage/record.h"


typedef struct pyro_unit_s         pyro_unit_t;
typedef struct pyro_unit_stream_s  pyro_unit_stream_t;

struct pyro_unit_stream_s {
    pyro_unit_stream_t      *next;
    const pyro_label_set_t  *set;
    uint64_t                 hash;      /* of the labels */
    const pyro_section_t    *sections;
    uint32_t                 n;
    pyro_record_part_t      *parts;     /* of sections, encoded or to be */
    int                      known;     /* another file has it */
    int                      has_spans;
    pyro_slice_t             spans;     /* their table */
};


struct pyro_unit_s {
    pyro_unit_t             *next;
    pyro_slice_t             service;
    pyro_node_map_t          nodes;
    int                      encoded;
    uint32_t                *spans;     /* number in the stream's table */
    pyro_unit_stream_t      *streams;
    pyro_unit_stream_t     **last;
};


/* How often the cache knew a sample's node, and how often not. */
typedef struct {
    uint64_t                 hits;
    uint64_t                 misses;
} pyro_prepare_counts_t;


/* The units of a push for a partition; NULL: no memory.  A profile without
 * sections must not be given. */
pyro_unit_t *pyro_prepare(const pyro_store_push_t *push,
    const pyro_partition_t *part, pyro_arena_t *arena, pyro_pairs_t *room,
    pyro_prepare_counts_t *counts);

/* Encodes the sections of a unit whose nodes are all known; -1: no memory. */
int pyro_prepare_encode(pyro_unit_t *unit, pyro_arena_t *arena,
    pyro_pairs_t *room);


#endif /* _PYRO_PREPARE_H_INCLUDED_ */
