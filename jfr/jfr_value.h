/*
 * Values by their descriptors: a plan is made once a chunk for a class and the
 * fields wanted of it, and run for each record.
 *
 * Fields are bound by name, type, pool flag and dimension; what differs counts
 * as absent, and absent slots keep what the caller put there.  Structs nest at
 * most PYRO_JFR_MAX_NESTED deep; arrays of values that take no bytes are
 * malformed.  Plans live in the metadata's arena.  One thread.
 */

#ifndef _PYRO_JFR_VALUE_H_INCLUDED_
#define _PYRO_JFR_VALUE_H_INCLUDED_


#include "jfr/jfr_metadata.h"


#define PYRO_JFR_MAX_NESTED  16


typedef struct {
    const char  *name;
    const char  *type;
    uint8_t      pool;
    uint8_t      array;
    uint8_t      slot;
} pyro_jfr_want_t;


/*
 * A plan for the wanted fields (at most 32) of a class.  Slots get: pool keys,
 * longs, ints with their sign, bytes; of strings and arrays the position in the
 * chunk.  It ends behind the last wanted field, or with whole set behind the
 * value.  *found is a bit for each want.  -1: no memory.
 */
int pyro_jfr_plan_make(const pyro_jfr_metadata_t *md, uint32_t class,
    const pyro_jfr_want_t *wants, uint32_t n, int whole, pyro_jfr_plan_t *plan,
    uint32_t *found);

/* The plan that skips a value. */
int pyro_jfr_plan_skip(const pyro_jfr_metadata_t *md, uint32_t class,
    pyro_jfr_plan_t *plan);

void pyro_jfr_plan_run(const pyro_jfr_metadata_t *md,
    const pyro_jfr_plan_t *plan, pyro_jfr_reader_t *r, uint64_t *slots);

/*
 * If a whole plan reads nothing but compressed integers: how many, and which
 * of them (from 0) goes into each of the slots.  Else 0.
 */
uint32_t pyro_jfr_plan_varints(const pyro_jfr_plan_t *plan, uint32_t *slots);

/* Skips n values of a class that is sized, one behind the other. */
void pyro_jfr_skip_values(const pyro_jfr_metadata_t *md, uint32_t class,
    uint64_t n, pyro_jfr_reader_t *r);


#endif /* _PYRO_JFR_VALUE_H_INCLUDED_ */
