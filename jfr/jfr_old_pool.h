/*
 * The pools of a chunk of version 0.9: where the entries lie that somebody may
 * ask for, by their keys.  Of entries with the same key the first met counts,
 * which is the newest, since checkpoints are read from the last one.
 *
 * Lives in an arena; one thread.
 */

#ifndef _PYRO_JFR_OLD_POOL_H_INCLUDED_
#define _PYRO_JFR_OLD_POOL_H_INCLUDED_


#include "jfr/jfr_old_value.h"


typedef struct {
    pyro_jfr_index_t              keys;         /* to entry numbers */
    uint32_t                     *positions;    /* of values, in the chunk */
    uint32_t                      cap;
} pyro_jfr_old_entries_t;


typedef struct {
    const pyro_jfr_old_types_t   *types;
    const pyro_jfr_chunk_t       *chunk;
    pyro_jfr_old_entries_t        of[PYRO_JFR_OLD_POOL_NONE];
} pyro_jfr_old_pools_t;


/*
 * Reads the checkpoints.  After PYRO_JFR_MALFORMED the entries that could be
 * read are there.
 */
pyro_jfr_bad_e pyro_jfr_old_pools_read(pyro_jfr_old_pools_t *pools,
    const pyro_jfr_old_types_t *types, const pyro_jfr_chunk_t *chunk,
    pyro_arena_t *arena);

/* The value of an entry. */
void pyro_jfr_old_pools_value(const pyro_jfr_old_pools_t *pools,
    pyro_jfr_old_pool_e pool, uint32_t entry, pyro_jfr_old_values_t *values);


#endif /* _PYRO_JFR_OLD_POOL_H_INCLUDED_ */
