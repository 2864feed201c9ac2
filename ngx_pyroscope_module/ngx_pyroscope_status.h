/*
 * The small GET endpoints: /ready, /healthz, /metrics,
 * /api/v1/status/buildinfo and /api/v1/status/config.
 */

#ifndef _NGX_PYROSCOPE_STATUS_H_INCLUDED_
#define _NGX_PYROSCOPE_STATUS_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


/* 200 "ready" where this worker has the store open, else 503 with the reason */
ngx_int_t ngx_pyroscope_ready_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);

/* 200 as long as the worker answers */
ngx_int_t ngx_pyroscope_healthz_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);

/* Prometheus' text format; asks the store in the query pool */
ngx_int_t ngx_pyroscope_metrics_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);

/* {"status":"success","data":{"version":...}} */
ngx_int_t ngx_pyroscope_buildinfo_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);

/* the settings in effect, as the YAML that gives them */
ngx_int_t ngx_pyroscope_config_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);


#endif /* _NGX_PYROSCOPE_STATUS_H_INCLUDED_ */
