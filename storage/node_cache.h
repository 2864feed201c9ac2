/*
 * Stack to node id, of one partition in one process: what makes a known stack
 * cost no look-up in LMDB.  Stacks are known by pyro_nodes_key().
 *
 * A table of fixed size, in sets of one cache line, that forgets when a set is
 * full.  It has the nodes that samples end at; the nodes above them are asked
 * for only when a stack is new.  Entries are made only after the transaction
 * that stored the node has been committed, so each one is true for as long as
 * the file exists.  Used by the store's writer alone, under its mutex.
 */

#ifndef _PYRO_NODE_CACHE_H_INCLUDED_
#define _PYRO_NODE_CACHE_H_INCLUDED_


#include <stdlib.h>

#include "core/base/intern.h"


#define PYRO_NODE_CACHE_SIZE  (128 * 1024)      /* entries of 16 bytes */
#define PYRO_NODE_CACHE_WAYS  4                 /* entries of a set */


typedef struct {
    uint64_t                  key;
    uint32_t                  check;
    uint32_t                  node;     /* 0: free */
} pyro_node_cache_entry_t;


typedef struct {
    pyro_node_cache_entry_t  *entries;
} pyro_node_cache_t;


/* -1: no memory.  Pages are taken when they are first written. */
static inline int
pyro_node_cache_init(pyro_node_cache_t *cache)
{
    cache->entries = calloc(PYRO_NODE_CACHE_SIZE,
                            sizeof(pyro_node_cache_entry_t));

    return cache->entries ? 0 : -1;
}


static inline void
pyro_node_cache_free(pyro_node_cache_t *cache)
{
    free(cache->entries);
    cache->entries = NULL;
}


static inline pyro_node_cache_entry_t *
pyro_node_cache_set(const pyro_node_cache_t *cache, uint64_t key)
{
    return &cache->entries[(key & (PYRO_NODE_CACHE_SIZE - 1))
                           & ~(uint64_t) (PYRO_NODE_CACHE_WAYS - 1)];
}


/* Its memory is asked for now, since the table is larger than CPU caches. */
static inline void
pyro_node_cache_prefetch(const pyro_node_cache_t *cache, uint64_t key)
{
    __builtin_prefetch(pyro_node_cache_set(cache, key));
}


static inline uint32_t
pyro_node_cache_get(const pyro_node_cache_t *cache, uint64_t key,
    uint32_t check)
{
    uint32_t                        i;
    const pyro_node_cache_entry_t  *e;

    e = pyro_node_cache_set(cache, key);

    for (i = 0; i < PYRO_NODE_CACHE_WAYS; i++) {
        if (e[i].node && e[i].key == key && e[i].check == check) {
            return e[i].node;
        }
    }

    return PYRO_NONE;
}


/* In a full set the check's bits say which entry goes. */
static inline void
pyro_node_cache_put(pyro_node_cache_t *cache, uint64_t key, uint32_t check,
    uint32_t node)
{
    uint32_t                  i;
    pyro_node_cache_entry_t  *e;

    e = pyro_node_cache_set(cache, key);

    for (i = 0; i < PYRO_NODE_CACHE_WAYS; i++) {
        if (e[i].node == 0 || e[i].key == key) {
            break;
        }
    }

    if (i == PYRO_NODE_CACHE_WAYS) {
        i = check % PYRO_NODE_CACHE_WAYS;
    }

    e[i].key = key;
    e[i].check = check;
    e[i].node = node;
}


#endif /* _PYRO_NODE_CACHE_H_INCLUDED_ */
