/*
 * Method and path to handler: one static table, and the content handler that
 * reads it.  Event loop only.
 */

#ifndef _NGX_PYROSCOPE_ROUTE_H_INCLUDED_
#define _NGX_PYROSCOPE_ROUTE_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"

#include "core/api/querier.h"


struct ngx_pyroscope_route_s {
    ngx_str_t     path;
    const char   *name;             /* label "route" of the metrics */
    ngx_uint_t    serves;           /* NGX_PYROSCOPE_*, any bit */
    ngx_uint_t    methods;          /* NGX_HTTP_GET (and HEAD) or _POST */
    ngx_uint_t    rpc;              /* Connect: errors as it has them */
    pyro_rpc_e    call;             /* of a query */
    ngx_int_t   (*handler)(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx);
};


#define NGX_PYROSCOPE_ROUTES  35    /* the table's rows, and one for "other" */


/* The content handler of a "pyroscope" location. */
ngx_int_t ngx_pyroscope_handler(ngx_http_request_t *r);

/* The route of the request's path in its location; NULL: none. */
const ngx_pyroscope_route_t *ngx_pyroscope_route_of(ngx_http_request_t *r);

/* "/package.v1.Service/Method": two pieces, a dot in the first. */
ngx_uint_t ngx_pyroscope_route_is_rpc(ngx_str_t *uri);

/* NULL is "other". */
ngx_uint_t ngx_pyroscope_route_index(const ngx_pyroscope_route_t *route);
const char *ngx_pyroscope_route_name(ngx_uint_t index);


#endif /* _NGX_PYROSCOPE_ROUTE_H_INCLUDED_ */
