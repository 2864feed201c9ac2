/*
 * Which data is over by age (storage/store.h, options.retention and
 * options.retentions).  A partition has the data of all tenants: it goes when
 * the longest retention of those it has is over.  What of it is over sooner
 * answers no query, and goes from it as soon as it is sealed.
 */

#ifndef _PYRO_EXPIRY_H_INCLUDED_
#define _PYRO_EXPIRY_H_INCLUDED_


#include "storage/handle.h"


/* What of a partition is over. */
typedef enum {
    PYRO_EXPIRY_NONE = 0,
    PYRO_EXPIRY_SOME,
    PYRO_EXPIRY_ALL
} pyro_expiry_e;


/* 1 if a tenant's data of the partition is over, at that time (ns). */
int pyro_expiry_is_over(const pyro_store_options_t *options,
    pyro_slice_t tenant, const pyro_partition_t *part, int64_t now);

/*
 * Looks into the partition if need be, and remembers what it saw there for as
 * long as the file does not change.  One thread of the process that does the
 * upkeep.  On an error *expiry is NONE.
 */
pyro_status_e pyro_expiry_look(pyro_store_t *store, pyro_partition_t *part,
    int64_t now, pyro_expiry_e *expiry, pyro_error_t *err);


#endif /* _PYRO_EXPIRY_H_INCLUDED_ */
