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


#define PYRO_JFR_MAX_NESTED  8          /* real ones: 2 */


typedef struct {
    uint16_t     name;                  /* words */
    uint16_t     type;
    uint8_t      pool;
    uint8_t      array;
    uint8_t      slot;
} pyro_jfr_want_t;


typedef enum {
    PYRO_JFR_TO_LAST,           /* behind the last wanted field */
    PYRO_JFR_AT_LAST,           /* the same, but for a string or an array at
                                   its beginning: of pool entries, which have
                                   been read as a whole before */
    PYRO_JFR_TO_END             /* behind the value */
} pyro_jfr_extent_e;


/*
 * A plan for the wanted fields (at most 32) of a class.  Slots get: pool keys,
 * longs, ints with their sign, bytes; of strings and arrays the position in the
 * chunk.  extent says where it ends.  *found is a bit for each want.  -1: no
 * memory.
 */
int pyro_jfr_plan_make(pyro_jfr_metadata_t *md, uint32_t class,
    const pyro_jfr_want_t *wants, uint32_t n, pyro_jfr_extent_e extent,
    pyro_jfr_plan_t *plan, uint32_t *found);

/* The plan that skips a value, made when first asked for; NULL: no memory. */
const pyro_jfr_plan_t *pyro_jfr_class_skip(pyro_jfr_metadata_t *md,
    uint32_t class);

/* 1 if a value of the class takes at least one byte. */
int pyro_jfr_class_is_sized(pyro_jfr_metadata_t *md, uint32_t class);

void pyro_jfr_plan_run(pyro_jfr_metadata_t *md, const pyro_jfr_plan_t *plan,
    pyro_jfr_reader_t *r, uint64_t *slots);

/*
 * If a plan to the end reads nothing but compressed integers: how many, and
 * which of them (from 0) goes into each of the slots.  Else 0.
 */
uint32_t pyro_jfr_plan_varints(const pyro_jfr_plan_t *plan, uint32_t *slots);

/* 1 if all that a plan does is to skip one string: the thousands of symbols. */
int pyro_jfr_plan_is_string(const pyro_jfr_plan_t *plan);

/* 1 if all that a plan does is to give the position where a value begins. */
int pyro_jfr_plan_is_mark(const pyro_jfr_plan_t *plan);


#endif /* _PYRO_JFR_VALUE_H_INCLUDED_ */
