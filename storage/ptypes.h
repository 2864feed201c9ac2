/*
 * The profile types of a partition: few, so a transaction or a query reads them
 * all (storage/schema.h, "ptype").  Everything is copied to the arena.
 */

#ifndef _PYRO_PTYPES_H_INCLUDED_
#define _PYRO_PTYPES_H_INCLUDED_


#include "core/model/profile.h"
#include "storage/partition.h"


typedef struct {
    pyro_profile_column_t  *items;      /* ptype id - 1 to type */
    uint32_t                n;
    uint32_t                cap;
} pyro_ptypes_t;


pyro_status_e pyro_ptypes_load(const pyro_view_t *view, pyro_arena_t *arena,
    pyro_ptypes_t *ptypes);

/* The id, or PYRO_NONE. */
uint32_t pyro_ptypes_find(const pyro_ptypes_t *ptypes,
    const pyro_profile_column_t *column);


#endif /* _PYRO_PTYPES_H_INCLUDED_ */
