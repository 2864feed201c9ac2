/*
 * One query from its bytes to the bytes of its answer: what the query pool
 * runs.  Plan (core/api), store, merge (core/query), encode (core/api).
 *
 * Knows no request: everything it needs is in the query.
 */

#ifndef _NGX_PYROSCOPE_QUERIER_H_INCLUDED_
#define _NGX_PYROSCOPE_QUERIER_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_query.h"


/* data is a ngx_pyroscope_query_t; sets status, error or answer, time. */
void ngx_pyroscope_querier_run(void *data);


#endif /* _NGX_PYROSCOPE_QUERIER_H_INCLUDED_ */
