/*
 * The time that retention goes by.
 *
 * What is removed by a wrong clock does not come back.  A wall clock may be set
 * ahead by years at any moment, and be wrong from the start of a machine; so
 * retention has a time of its own, which the monotonic clock carries on and
 * control.mdb remembers:
 *
 *   - It follows the wall clock as long as this is within an hour of it.
 *   - Otherwise the earlier of the two counts: a clock ahead removes nothing
 *     before its time, a clock behind makes what is to come neither old nor
 *     "of the past", which the size of all would have removed.
 *   - When the wall clock has kept that distance for a day, by the monotonic
 *     clock, over restarts as well, it is believed: whoever sets a clock right
 *     waits a day for it, whoever was off for a week too.
 *
 * What a process has not written when it dies is lost: ten minutes of it.
 *
 * Part of the upkeep: one thread of one process.
 */

#ifndef _PYRO_TRUST_H_INCLUDED_
#define _PYRO_TRUST_H_INCLUDED_


#include "storage/catalog.h"


typedef struct {
    int64_t            time;        /* ns since the epoch, at mono */
    int64_t            mono;        /* pyro_clock_mono(); 0: nothing yet */
    int64_t            held;        /* ns that the distance has been kept */
    int64_t            distance;    /* of the wall clock, ns; 0: it is near */
    int64_t            written;     /* pyro_clock_mono(); 0: never */
} pyro_trust_t;


/* Takes both clocks in; returns the time to go by. */
int64_t pyro_trust(pyro_catalog_t *catalog, pyro_trust_t *trust, int64_t wall,
    int64_t mono);


#endif /* _PYRO_TRUST_H_INCLUDED_ */
