/*
 * Which stacks of a chunk of version 0.9 end in what async-profiler 1.x puts
 * there for an allocation or a lock: a native method "new" of the signature
 * "()L;", whose class is the one that was allocated or locked.
 *
 * What is found out of an entry is kept, so that each is read once.  Lives in
 * an arena; one thread.
 */

#ifndef _PYRO_JFR_OLD_LEAF_H_INCLUDED_
#define _PYRO_JFR_OLD_LEAF_H_INCLUDED_


#include "jfr/jfr_old_pool.h"


typedef struct {
    const pyro_jfr_old_pools_t  *pools;
    uint8_t                     *marks[PYRO_JFR_OLD_POOL_NONE];
    pyro_jfr_old_values_t        values;
} pyro_jfr_old_leaves_t;


/* -1: no memory. */
int pyro_jfr_old_leaves_init(pyro_jfr_old_leaves_t *leaves,
    const pyro_jfr_old_pools_t *pools, pyro_arena_t *arena);

/* 1 if the stack of this key is such a one. */
int pyro_jfr_old_leaf_is_new(pyro_jfr_old_leaves_t *leaves, uint64_t stack);


#endif /* _PYRO_JFR_OLD_LEAF_H_INCLUDED_ */
