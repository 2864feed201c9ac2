/*
 * The samples of a chunk, equal ones summed before anything is resolved: most
 * events of a recording repeat a few stacks.
 *
 * A sample is what happened, the stack (its pool entry) and the tag (context,
 * span, trace).  Sums stop at INT64_MAX.  Lives in the chunk's arena; one
 * thread.
 */

#ifndef _PYRO_JFR_SAMPLE_H_INCLUDED_
#define _PYRO_JFR_SAMPLE_H_INCLUDED_


#include "jfr/jfr_context.h"


/* What happened. */
typedef enum {
    PYRO_JFR_RUNNING,           /* ExecutionSample that is CPU time */
    PYRO_JFR_RESTING,           /* ExecutionSample that is not */
    PYRO_JFR_WALL_RUNNING,      /* WallClockSample, by its state */
    PYRO_JFR_WALL_RESTING,
    PYRO_JFR_CPU_TIME,
    PYRO_JFR_IN_TLAB,
    PYRO_JFR_OUTSIDE_TLAB,
    PYRO_JFR_ALLOC_SAMPLE,
    PYRO_JFR_MONITOR,
    PYRO_JFR_PARK,
    PYRO_JFR_LIVE,
    PYRO_JFR_MALLOC
} pyro_jfr_sample_e;


typedef struct {
    uint32_t            stack;
    uint32_t            tag;            /* number, 0 none */
    pyro_jfr_sample_e   kind;
    uint64_t            count;
    uint64_t            value;          /* bytes or ns */
} pyro_jfr_sample_t;


typedef struct {
    pyro_arena_t       *arena;
    pyro_jfr_sample_t  *items;
    pyro_jfr_tag_t     *tags;           /* tag 0 is all zero */
    uint32_t           *slots;          /* of the samples: + 1, 0 is free */
    uint32_t           *tag_slots;
    uint32_t            mask;           /* slots less one; 0: none yet */
    uint32_t            tag_mask;
    uint32_t            n;
    uint32_t            cap;
    uint32_t            n_tags;
    uint32_t            cap_tags;
    uint64_t            seed;
} pyro_jfr_samples_t;


/* -1: no memory. */
int pyro_jfr_samples_init(pyro_jfr_samples_t *samples, pyro_arena_t *arena);

/* The number of a tag that is not all zero, PYRO_NONE: no memory. */
uint32_t pyro_jfr_samples_tag(pyro_jfr_samples_t *samples,
    const pyro_jfr_tag_t *tag);

/* -1: no memory. */
int pyro_jfr_samples_add(pyro_jfr_samples_t *samples,
    const pyro_jfr_sample_t *sample);

static inline uint64_t
pyro_jfr_sum(uint64_t a, uint64_t b)
{
    return a + b > INT64_MAX ? INT64_MAX : a + b;
}


#endif /* _PYRO_JFR_SAMPLE_H_INCLUDED_ */
