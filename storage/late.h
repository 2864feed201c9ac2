/*
 * How fast partitions may be made for times that are not of these days
 * (storage/store.h, options.max_late_partitions): each is a file with a sync of
 * its own, and whoever sends nonsense times could fill a directory with them.
 *
 * An allowance for all processes of the store, in control.mdb's meta: so many
 * at once if there were none for an hour, and one more each time the hour's
 * share of one has passed.  It is one time, at which all would be allowed
 * again; each partition moves it on.
 */

#ifndef _PYRO_LATE_H_INCLUDED_
#define _PYRO_LATE_H_INCLUDED_


#include "storage/catalog.h"


/*
 * Takes one for a new partition with data of this time, in the transaction that
 * makes it; nothing where the partition is of the last two days or the next
 * hour.  PYRO_EXHAUSTED: none is left.  Both are ns, now of the wall clock.
 */
pyro_status_e pyro_late_take(pyro_catalog_t *catalog, pyro_kv_txn_t *txn,
    int64_t time, int64_t now, pyro_error_t *err);


#endif /* _PYRO_LATE_H_INCLUDED_ */
