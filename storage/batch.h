/*
 * A write transaction on one partition, and what is kept beside it until its
 * end: the id counters, the scopes it touches with the last chunk of their
 * nodes, the types.  They are written once, at commit.  New nodes enter the
 * process's cache only after it.
 *
 * One thread, under the store's write mutex.  Everything is in the arena.
 */

#ifndef _PYRO_BATCH_H_INCLUDED_
#define _PYRO_BATCH_H_INCLUDED_


#include "storage/level.h"
#include "storage/ptypes.h"


typedef struct pyro_batch_scope_s  pyro_batch_scope_t;

struct pyro_batch_scope_s {
    pyro_batch_scope_t     *next;
    uint32_t                id;
    uint32_t                tenant;
    pyro_slice_t            service;
    pyro_scope_value_t      value;
    int                     changed;
    int                     loaded;     /* tail holds the chunk's bytes */
    uint8_t                *tail;       /* the last, incomplete chunk */
    size_t                  tail_len;
};


typedef struct {
    uint64_t                key;
    uint32_t                check;
    uint32_t                node;
} pyro_batch_node_t;


typedef struct {
    pyro_view_t             view;
    pyro_arena_t           *arena;
    pyro_ids_t              ids;
    pyro_ids_t              stored;     /* ids as they are on disk */
    pyro_rolled_t           rolled;
    pyro_ptypes_t           ptypes;
    pyro_batch_scope_t     *scopes;
    pyro_batch_node_t      *nodes;      /* for the cache */
    uint32_t                folded;     /* nodes that became "other" */
    uint32_t                n_nodes;
    uint32_t                cap_nodes;
} pyro_batch_t;


/*
 * Begins; waits for other writers.  *elsewhere is set, and nothing begun, if
 * the partition is not written any more.
 */
pyro_status_e pyro_batch_begin(pyro_batch_t *batch, pyro_partition_t *part,
    pyro_arena_t *arena, int *elsewhere, pyro_error_t *err);

/* The same, whatever the partition's state. */
pyro_status_e pyro_batch_open(pyro_batch_t *batch, pyro_partition_t *part,
    pyro_arena_t *arena, pyro_error_t *err);

/* On an error nothing has been written. */
pyro_status_e pyro_batch_commit(pyro_batch_t *batch);

void pyro_batch_abort(pyro_batch_t *batch);

/* Remembers a node for the cache; -1: no memory. */
int pyro_batch_node(pyro_batch_t *batch, uint64_t key, uint32_t check,
    uint32_t node);

/* Notes that a scope got data of this time. */
void pyro_batch_touch(pyro_batch_scope_t *scope, int64_t time);


#endif /* _PYRO_BATCH_H_INCLUDED_ */
