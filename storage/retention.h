/*
 * Which partitions go: by age, by the size of all, and where one of these is
 * limited also for room on the disk (storage/store.h, options.retention,
 * max_disk_size and min_free_disk).  Part of the upkeep: one thread of one
 * process.
 */

#ifndef _PYRO_RETENTION_H_INCLUDED_
#define _PYRO_RETENTION_H_INCLUDED_


#include "storage/handle.h"


/* Removes what is due by work->now, as far as that is believed, and counts it;
 * the first error: what else is due is removed nevertheless. */
pyro_status_e pyro_retention(pyro_store_t *store, pyro_store_work_t *work,
    pyro_error_t *err);


#endif /* _PYRO_RETENTION_H_INCLUDED_ */
