/*
 * The tree of stacks of a scope: the stored ids of a profile's nodes, new nodes
 * in a write transaction, and the whole array for readers (storage/schema.h,
 * "Nodes" and "Chain hash").
 *
 * What the process's cache knows is found by the hashes that the profile has of
 * its stacks, without a transaction.  Chain hashes, which have the file's seed,
 * are made of those stacks alone that it does not know.
 */

#ifndef _PYRO_NODES_H_INCLUDED_
#define _PYRO_NODES_H_INCLUDED_


#include "storage/batch.h"


/* Hash of a string, of a frame (its strings and lines), or of a stack. */
typedef struct {
    uint64_t               hash;
    uint32_t               check;      /* independent of hash */
    uint32_t               known;      /* 1: it was made */
} pyro_chain_t;


#define PYRO_NODES_OTHER  "other"


/* The nodes of one profile in one scope.  Arrays are by the profile's ids. */
typedef struct {
    const pyro_profile_t  *profile;
    uint64_t               seed;       /* of the file */
    uint64_t               root;       /* the chain hash of node 0 */
    uint32_t              *ids;        /* stored node, PYRO_NONE if unknown */

    /* in a transaction only, as far as they are needed */
    pyro_chain_t          *texts;
    pyro_chain_t          *frames;
    pyro_chain_t          *chains;
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


/* scope: the scope's hash.  -1: no memory. */
int pyro_nodes_begin(pyro_node_map_t *map, const pyro_profile_t *profile,
    const pyro_partition_t *part, uint64_t scope, pyro_arena_t *arena);

/* Hash of a frame; function and file are its strings. */
pyro_chain_t pyro_nodes_frame_hash(uint64_t seed,
    const pyro_frame_value_t *frame, pyro_slice_t function, pyro_slice_t file);

/* What the cache knows a node by: its scope and stack. */
static inline uint64_t
pyro_nodes_key(const pyro_node_map_t *map, uint32_t node, uint32_t *check)
{
    const pyro_hash128_t  *stack;

    stack = &map->profile->stacks[node];
    *check = (uint32_t) stack->hi;

    return pyro_hash_mix(map->root, stack->lo);
}


/*
 * Looks a node up in the cache: 1 if ids[node] is known now.  Done for those
 * nodes only that have samples.
 */
int pyro_nodes_cached(pyro_node_map_t *map, const pyro_partition_t *part,
    uint32_t node);

/* The chain hashes of a node and all above it, in map->chains. */
pyro_status_e pyro_nodes_chain(pyro_node_map_t *map, uint32_t node,
    pyro_arena_t *arena, pyro_error_t *err);

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
