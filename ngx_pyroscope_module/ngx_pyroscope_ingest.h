/*
 * POST /ingest: headers and body on the event loop; gzip, multipart, recording
 * and labels in the parse pool; the finished profile to the commit queue; 200
 * with an empty body once it is on disk.
 */

#ifndef _NGX_PYROSCOPE_INGEST_H_INCLUDED_
#define _NGX_PYROSCOPE_INGEST_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"
#include "ngx_pyroscope_module/ngx_pyroscope_body.h"

#include "jfr/jfr.h"


struct ngx_pyroscope_upload_s {
    ngx_queue_t             queue;          /* of the commit queue */
    ngx_http_request_t     *request;
    ngx_msec_t              queued;         /* when it entered the queue */

    /* set on the event loop, read by the parse task */
    size_t                  length;         /* of the body, as the headers say:
                                             * of one that is not read */
    ngx_pyroscope_body_t    body;
    pyro_slice_t            query;          /* the request's arguments */
    pyro_slice_t            content_type;
    pyro_slice_t            content_encoding;
    const pyro_settings_t  *settings;
    const pyro_limits_t    *limits;         /* of the tenant in push */
    atomic_int             *canceled;
    atomic_size_t          *parse_bytes;

    /* made by the parse task; the arena is freed with the request's pool */
    pyro_arena_t           *arena;
    pyro_slice_t            service;        /* its name, once it is known */
    pyro_jfr_report_t       report;
    pyro_status_e           status;
    pyro_error_t            error;
    size_t                  inflated;       /* bytes of the recording */
    int64_t                 parse_time;     /* ns */
    int64_t                 commit_time;    /* ns, of its group */

    pyro_store_push_t       push;           /* what the store is given */

    unsigned                counted:1;      /* in the worker's pushes */
};


ngx_int_t ngx_pyroscope_ingest_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);


#endif /* _NGX_PYROSCOPE_INGEST_H_INCLUDED_ */
