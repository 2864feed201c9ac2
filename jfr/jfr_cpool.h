/*
 * The constant pools of a chunk: where the entries of the types that stacks are
 * made of lie, by their 64-bit keys.
 *
 * An entry is decoded when somebody refers to it; here is only its position.
 * Of entries with the same key the first met counts (checkpoints are read from
 * the last to the first; all copies say the same).  Lives in the chunk's arena.
 * JFR checkpoint event.  One thread.
 */

#ifndef _PYRO_JFR_CPOOL_H_INCLUDED_
#define _PYRO_JFR_CPOOL_H_INCLUDED_


#include "jfr/jfr_layout.h"
#include "jfr/jfr_value.h"


typedef enum {
    PYRO_JFR_POOL_STRING,
    PYRO_JFR_POOL_SYMBOL,
    PYRO_JFR_POOL_CLASS,
    PYRO_JFR_POOL_METHOD,
    PYRO_JFR_POOL_STACK,
    PYRO_JFR_POOL_STATE,
    PYRO_JFR_POOL_COUNT
} pyro_jfr_pool_e;


typedef struct {
    pyro_jfr_index_t      keys;         /* to entry numbers */
    uint32_t             *positions;    /* in the chunk */
    uint32_t              cap;
    uint32_t              class;        /* PYRO_NONE: not described */
} pyro_jfr_pool_t;


typedef struct {
    pyro_arena_t         *arena;
    pyro_jfr_metadata_t  *md;
    pyro_slice_t         *texts;        /* of pooled strings; NULL: not yet */
    pyro_jfr_pool_t       pools[PYRO_JFR_POOL_COUNT];
} pyro_jfr_cpool_t;


/*
 * Reads the checkpoints of the chunk.  After PYRO_JFR_MALFORMED the entries
 * that could be read are there.
 */
pyro_jfr_bad_e pyro_jfr_cpool_read(pyro_jfr_cpool_t *cpool,
    pyro_jfr_metadata_t *md, const pyro_jfr_layout_t *layout,
    pyro_arena_t *arena);

static inline uint32_t
pyro_jfr_cpool_size(const pyro_jfr_cpool_t *cpool, pyro_jfr_pool_e pool)
{
    return cpool->pools[pool].keys.n;
}


/* The entry of a key, or PYRO_NONE. */
static inline uint32_t
pyro_jfr_cpool_entry(const pyro_jfr_cpool_t *cpool, pyro_jfr_pool_e pool,
    uint64_t key)
{
    return pyro_jfr_index_get(&cpool->pools[pool].keys, key);
}


/* A reader at an entry's value. */
static inline pyro_jfr_reader_t
pyro_jfr_cpool_reader(const pyro_jfr_cpool_t *cpool, pyro_jfr_pool_e pool,
    uint32_t entry)
{
    return pyro_jfr_chunk_reader(cpool->md->chunk,
                                 cpool->pools[pool].positions[entry]);
}


/*
 * The String at r, also where it is a key into the pool of strings; null and a
 * missing entry are empty.  The chunk's bytes, or the arena's.
 */
pyro_slice_t pyro_jfr_cpool_string(pyro_jfr_cpool_t *cpool,
    pyro_jfr_reader_t *r);


#endif /* _PYRO_JFR_CPOOL_H_INCLUDED_ */
