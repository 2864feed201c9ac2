/*
 * How many series a tenant has in a partition: label sets, whatever types of
 * profiles they have.  Where a day has several files, since it is sealed and
 * something came late, it is the sum of them.
 *
 * Each process counts for itself, beside the open file, and is brought up to
 * date by reading the streams that came since, whoever entered them: nothing is
 * on disk, and a file that never had a limit costs nothing.
 *
 * One thread, under the store's write mutex, within a batch.
 */

#ifndef _PYRO_QUOTA_H_INCLUDED_
#define _PYRO_QUOTA_H_INCLUDED_


#include "storage/batch.h"
#include "storage/prepare.h"
#include "storage/repeats.h"


/*
 * Which label sets of a push there is no room for in push->max_series (not 0):
 * *n of them, those whose byte in fold is 1 (one for each, in the batch's
 * arena).  What the batch or another file of that time has needs no room.
 * PYRO_EXHAUSTED with the limit: set 0, which would take them, is none that is
 * there, and one too many.
 */
pyro_status_e pyro_quota_fit(pyro_batch_t *batch, pyro_repeats_t *repeats,
    const pyro_store_push_t *push, uint32_t tenant, const pyro_unit_t *units,
    uint8_t **fold, uint32_t *n);

/* When the file is closed, or after a batch that was not committed: what it
 * entered is not there. */
void pyro_quota_forget(pyro_quota_t *quota);


#endif /* _PYRO_QUOTA_H_INCLUDED_ */
