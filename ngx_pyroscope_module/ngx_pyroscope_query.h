/*
 * The RPCs of querier.v1 and beside it: headers and body on the event loop,
 * decode, select, merge, encode and compress in the query pool, the answer as
 * one chain.
 */

#ifndef _NGX_PYROSCOPE_QUERY_H_INCLUDED_
#define _NGX_PYROSCOPE_QUERY_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"
#include "ngx_pyroscope_module/ngx_pyroscope_body.h"

#include "core/api/protocol.h"
#include "core/api/querier.h"


struct ngx_pyroscope_query_s {
    /* set on the event loop, read by the task */
    ngx_pyroscope_body_t    body;
    pyro_rpc_e              rpc;
    pyro_slice_t            args;           /* of a URL, */
    pyro_slice_t            if_none_match;  /* and its header, or empty */
    pyro_protocol_e         protocol;       /* Connect for a URL */
    pyro_codec_e            codec;
    ngx_uint_t              gzip_in;
    ngx_uint_t              gzip_out;
    ngx_uint_t              utf8_names;
    int64_t                 deadline;       /* pyro_clock_mono() */
    pyro_store_t           *store;
    const pyro_settings_t  *settings;
    pyro_slice_t           *tenants;        /* whose data is asked for, */
    uint32_t                n_tenants;      /* at least one */
    pyro_limits_t           limits;         /* of all of them */
    const atomic_int       *canceled;

    /* made by the task; answer goes to nginx, or is freed with the pool */
    pyro_rope_t             answer;
    const char             *content_type;   /* of an RPC it is the request's */
    char                    file[160];      /* of a download, or empty */
    char                    etag[24];       /* in its quotes, or empty */
    int                     etag_len;
    ngx_uint_t              closed;         /* its time is over */
    ngx_uint_t              unchanged;      /* the client has the answer */
    pyro_status_e           status;
    pyro_error_t            error;
    pyro_store_missing_t    missing;
    int64_t                 time;           /* ns */

    unsigned                counted:1;      /* in the worker's queries */
};


ngx_int_t ngx_pyroscope_query_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);

/* What is asked by a URL alone: GET. */
ngx_int_t ngx_pyroscope_query_get_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);

/*
 * gzip_in from the header that names how the request's message is compressed;
 * PYRO_UNIMPLEMENTED for anything but gzip and identity.
 */
pyro_status_e ngx_pyroscope_query_encoding(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q, const char *header, pyro_error_t *err);


#endif /* _NGX_PYROSCOPE_QUERY_H_INCLUDED_ */
