/*
 * Answers: bodies built by tasks, error bodies, and the one table from the
 * project's status to HTTP.
 *
 * Event loop only.  Each function sends header and body and returns what
 * ngx_http_finalize_request() takes.
 */

#ifndef _NGX_PYROSCOPE_REPLY_H_INCLUDED_
#define _NGX_PYROSCOPE_REPLY_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"

#include "core/base/rope.h"


/* status -> HTTP status */
ngx_uint_t ngx_pyroscope_http_status(pyro_status_e status);

/* HTTP status of nginx's own errors -> Connect's code */
const char *ngx_pyroscope_http_code(ngx_uint_t status);

/*
 * A body in a rope, which is nginx's from here on: it is freed with the
 * request.  gzip: the rope holds a gzip member.  No Content-Length where
 * trailers are expected.
 */
ngx_int_t ngx_pyroscope_reply(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, pyro_rope_t *rope, ngx_uint_t gzip);

/* 304: the client has it. */
ngx_int_t ngx_pyroscope_reply_not_modified(ngx_http_request_t *r);

/* A short text (copied); an empty one gives no Content-Type. */
ngx_int_t ngx_pyroscope_reply_text(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, const char *text);

/*
 * {"code":...,"message":...}, and a log line; Retry-After with 429, 503.  What
 * was asked in gRPC is answered in gRPC.
 */
ngx_int_t ngx_pyroscope_reply_error(ngx_http_request_t *r,
    const pyro_error_t *err);

/* Adds a header to the answer; value must live as long as the request. */
ngx_int_t ngx_pyroscope_reply_header(ngx_http_request_t *r, const char *name,
    const char *value);

/* The same behind the body, where trailers are expected. */
ngx_int_t ngx_pyroscope_reply_trailer(ngx_http_request_t *r, const char *name,
    const char *value);

/* The request's header of this name, in any case, or NULL. */
ngx_str_t *ngx_pyroscope_request_header(ngx_http_request_t *r,
    const char *name);

/*
 * 1 if the client takes gzip: "gzip" or "*" without q=0 in the header of this
 * name.
 */
ngx_uint_t ngx_pyroscope_accepts_gzip(ngx_http_request_t *r,
    const char *name);


#endif /* _NGX_PYROSCOPE_REPLY_H_INCLUDED_ */
