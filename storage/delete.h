/*
 * Deleting streams (storage/delete.c), for whoever deletes more than them.
 */

#ifndef _PYRO_DELETE_H_INCLUDED_
#define _PYRO_DELETE_H_INCLUDED_


#include "storage/store.h"


/*
 * As pyro_store_delete(), of whatever the query's selectors match; without one
 * all of its tenant.  The result is added to.
 */
pyro_status_e pyro_delete_streams(pyro_store_t *store,
    const pyro_store_query_t *query, int only, pyro_store_stream_pt handler,
    void *ctx, pyro_delete_result_t *result, pyro_error_t *err);


#endif /* _PYRO_DELETE_H_INCLUDED_ */
