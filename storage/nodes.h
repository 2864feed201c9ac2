/*
 * The tree of stacks of a scope: chain hashes of a profile's nodes, their
 * stored ids, new nodes in a write transaction, and the whole array for readers
 * (storage/schema.h, "Nodes" and "Chain hash").
 *
 * Hashing and looking up in the cache need no transaction.
 */

#ifndef _PYRO_NODES_H_INCLUDED_
#define _PYRO_NODES_H_INCLUDED_


#include "storage/batch.h"


/* Hash of what a frame is: its strings and lines. */
typedef struct {
    uint64_t               hash;
    uint32_t               check;      /* independent of hash */
} pyro_frame_hash_t;


#define PYRO_NODES_OTHER  "other"


/* The nodes of one profile in one scope.  Arrays are by the profile's ids. */
typedef struct {
    const pyro_profile_t  *profile;
    pyro_frame_hash_t     *frames;
    uint64_t              *chains;
    uint32_t              *checks;
    uint32_t              *ids;        /* stored node, PYRO_NONE if unknown */

    /* in a transaction only */
    uint32_t              *strings;    /* stored string + 1, 0 not asked */
    uint32_t              *frame_ids;  /* stored frame, 0 not asked */
    uint32_t              *path;
} pyro_node_map_t;


/* The second chain: another mix of other bits than the first one's. */
static inline uint32_t
pyro_nodes_check(uint32_t parent, uint32_t frame)
{
    parent = (parent << 13 | parent >> 19) * 5 + 0xe6546b64;

    return (parent ^ frame) * 0x85ebca6b;
}


/*
 * Fills the map but for what a transaction finds out; root is the scope's
 * hash.  ids are those that the cache knows.  -1: no memory.
 */
int pyro_nodes_hash(pyro_node_map_t *map, const pyro_profile_t *profile,
    const pyro_partition_t *part, uint64_t root, pyro_arena_t *arena);

/* Hash of a frame; function and file are its strings. */
pyro_frame_hash_t pyro_nodes_frame_hash(uint64_t seed,
    const pyro_frame_value_t *frame, pyro_slice_t function, pyro_slice_t file);

/*
 * Looks a node up in the cache: 1 if ids[node] is known now.  Done for those
 * nodes only that have samples.
 */
int pyro_nodes_cached(pyro_node_map_t *map, const pyro_partition_t *part,
    uint32_t node);

/*
 * Sets ids[node], entering it and its ancestors where they are new.  In a scope
 * that is full (options.max_nodes) a new node becomes a child "other" of its
 * deepest stored ancestor, and batch->folded counts it.
 */
pyro_status_e pyro_nodes_resolve(pyro_batch_t *batch,
    pyro_batch_scope_t *scope, pyro_node_map_t *map, uint32_t node);

/* Writes the incomplete chunk. */
pyro_status_e pyro_nodes_flush(pyro_batch_t *batch, pyro_batch_scope_t *scope);

/* Reads nodes 1 to n of a scope; the arrays have n + 1 entries. */
pyro_status_e pyro_nodes_load(const pyro_view_t *view, uint32_t scope,
    uint32_t n, uint32_t *parents, uint32_t *frames);


#endif /* _PYRO_NODES_H_INCLUDED_ */
