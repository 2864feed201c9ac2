/*
 * Where a chunk's metadata and its checkpoints lie: as its header and the chain
 * of checkpoints say, or, where these are broken or missing, as a walk over its
 * events finds them.
 *
 * Lives in the chunk's arena; one thread.
 */

#ifndef _PYRO_JFR_LAYOUT_H_INCLUDED_
#define _PYRO_JFR_LAYOUT_H_INCLUDED_


#include "jfr/jfr_chunk.h"


typedef struct {
    uint32_t   metadata;            /* 0: there is none */
    uint32_t  *checkpoints;         /* the last one first */
    uint32_t   n_checkpoints;
    uint32_t   cap_checkpoints;
    size_t     end;                 /* of the one that ends last */
    int        walked;              /* the header or the chain is broken */
} pyro_jfr_layout_t;


/* -1: no memory. */
int pyro_jfr_layout_read(pyro_jfr_layout_t *layout,
    const pyro_jfr_chunk_t *chunk, pyro_arena_t *arena);

/* Walks, whatever the header says: what it named has turned out as broken. */
int pyro_jfr_layout_walk(pyro_jfr_layout_t *layout,
    const pyro_jfr_chunk_t *chunk, pyro_arena_t *arena);


#endif /* _PYRO_JFR_LAYOUT_H_INCLUDED_ */
