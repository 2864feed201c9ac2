/*
 * gRPC and gRPC-Web around the same queries as Connect: what they have in
 * headers and trailers (gRPC over HTTP/2; gRPC-Web).  Their frames are made and
 * taken apart in the query pool (core/api/grpc.h).
 *
 * An answer of gRPC ends with trailers; an error is headers only, HTTP status
 * 200, its code in grpc-status.  Works over HTTP/1.1 as well, where trailers
 * are those of chunks.
 *
 * Event loop only.
 */

#ifndef _NGX_PYROSCOPE_GRPC_H_INCLUDED_
#define _NGX_PYROSCOPE_GRPC_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_query.h"


/* What the request's Content-Type says; NULL: nothing that an RPC takes. */
const pyro_content_type_t *ngx_pyroscope_content_type(ngx_http_request_t *r);

/* The same of a request that wants gRPC's answer to an RPC; NULL: it does
 * not. */
const pyro_content_type_t *ngx_pyroscope_grpc(ngx_http_request_t *r);

/*
 * grpc-encoding, grpc-accept-encoding and grpc-timeout; timeout is set where
 * there is one, in ns.
 */
pyro_status_e ngx_pyroscope_grpc_headers(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q, int64_t *timeout, pyro_error_t *err);

/* A framed answer and its trailers; the rope is nginx's from here on. */
ngx_int_t ngx_pyroscope_grpc_reply(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q, pyro_rope_t *answer);

/*
 * Headers only: code is Connect's name of it, counted is the HTTP status that
 * stands for it in the metrics.
 */
ngx_int_t ngx_pyroscope_grpc_reply_error(ngx_http_request_t *r,
    const pyro_content_type_t *type, ngx_uint_t counted, const char *code,
    const char *message);

/* The headers of an error, for an answer that somebody else sends. */
ngx_int_t ngx_pyroscope_grpc_error_headers(ngx_http_request_t *r,
    const pyro_content_type_t *type, const char *code, const char *message);


#endif /* _NGX_PYROSCOPE_GRPC_H_INCLUDED_ */
