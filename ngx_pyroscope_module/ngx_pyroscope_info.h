/*
 * GET /api/v1/jfr-info: what the latest recording of a service said of itself.
 */

#ifndef _NGX_PYROSCOPE_INFO_H_INCLUDED_
#define _NGX_PYROSCOPE_INFO_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


/* The JSON object that was stored, or 404; asks the store in the query pool. */
ngx_int_t ngx_pyroscope_info_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);


#endif /* _NGX_PYROSCOPE_INFO_H_INCLUDED_ */
