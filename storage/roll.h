/*
 * Building a partition's roll-ups from its push records (storage/level.h,
 * storage/rollup.h).
 *
 * Slots are rolled up in order, an hour's at the most in a pass.  A pass first
 * says so in the meta ("rolling"), then takes the streams a few at a time, each
 * few a transaction, and at its end moves the mark ("rolled"): killed half-way
 * it is repeated, and what it wrote is written over.  From the first of these
 * commits on, a push into one of the slots is noted in "late" by the writer's
 * own transaction; whoever reads takes the push records where a slot is noted,
 * and here it is summed up once more.
 *
 * One thread of one process at a time for a partition; while it runs, others
 * write and read.
 */

#ifndef _PYRO_ROLL_H_INCLUDED_
#define _PYRO_ROLL_H_INCLUDED_


#include "storage/level.h"


/*
 * Rolls up what lies below bound (a slot of five minutes) and what is late, and
 * adds to the work's counts.  *done is 0 if its time ran out: more is left.
 */
pyro_status_e pyro_roll(pyro_partition_t *part, uint32_t bound,
    pyro_store_work_t *work, int *done, pyro_error_t *err);

/* 1 if the work is to end now. */
int pyro_work_ends(const pyro_store_work_t *work);


#endif /* _PYRO_ROLL_H_INCLUDED_ */
