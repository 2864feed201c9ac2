/*
 * What the workers have in work, and how near they are to their limits: gauges
 * of /metrics, and what a worker goes by itself.
 *
 * Each worker has its numbers in the shared zone, so that one of them can tell
 * of all; a worker that dies takes them along (core/base/crew.h).
 */

#ifndef _NGX_PYROSCOPE_LOAD_H_INCLUDED_
#define _NGX_PYROSCOPE_LOAD_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"
#include "ngx_pyroscope_module/ngx_pyroscope_route.h"

#include "core/base/rope.h"


typedef enum {
    NGX_PYROSCOPE_METHOD_GET = 0,
    NGX_PYROSCOPE_METHOD_HEAD,
    NGX_PYROSCOPE_METHOD_POST,
    NGX_PYROSCOPE_METHOD_OTHER,
    NGX_PYROSCOPE_METHODS
} ngx_pyroscope_method_e;


/* Written by the event loop, but what threads count; read by any process. */
struct ngx_pyroscope_load_s {
    _Atomic uint64_t  pushes;           /* from body to answer */
    _Atomic uint64_t  push_bytes;       /* their bodies */
    atomic_size_t     parse_bytes;      /* inflated; threads count */
    _Atomic uint64_t  queued;           /* that wait for a commit */
    _Atomic uint64_t  oldest;           /* ngx_current_msec of the first one */
    _Atomic uint64_t  committing;
    _Atomic uint64_t  queries;          /* in the query pool, or before it */
    _Atomic uint64_t  running;          /* of them; threads count */

    _Atomic uint32_t  requests[NGX_PYROSCOPE_ROUTES][NGX_PYROSCOPE_METHODS];
};


/* Sets worker->load, whether or not there is room for one worker more. */
void ngx_pyroscope_load_init(ngx_pyroscope_worker_t *worker);

ngx_pyroscope_method_e ngx_pyroscope_load_method(ngx_http_request_t *r);
const char *ngx_pyroscope_load_method_name(ngx_uint_t method);

/* The request is one in work until its memory is freed.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_pyroscope_load_request(ngx_http_request_t *r,
    const ngx_pyroscope_route_t *route);

/*
 * The gauges; seen: combinations of route and method that have a line although
 * none is in work.  Any thread.
 */
void ngx_pyroscope_load_text(pyro_rope_t *out,
    u_char seen[NGX_PYROSCOPE_ROUTES][NGX_PYROSCOPE_METHODS]);


#endif /* _NGX_PYROSCOPE_LOAD_H_INCLUDED_ */
