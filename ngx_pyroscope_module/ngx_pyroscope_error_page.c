#include "ngx_pyroscope_module/ngx_pyroscope_module.h"

#include "ngx_pyroscope_module/ngx_pyroscope_error_page.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"
#include "ngx_pyroscope_module/ngx_pyroscope_route.h"


static ngx_int_t ngx_pyroscope_error_page_header(ngx_http_request_t *r);
static ngx_int_t ngx_pyroscope_error_page_body(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_uint_t ngx_pyroscope_error_page_wanted(ngx_http_request_t *r);
static void ngx_pyroscope_error_page_count(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);
static void ngx_pyroscope_error_page_text(ngx_http_request_t *r,
    ngx_str_t *text);


static ngx_http_output_header_filter_pt  ngx_pyroscope_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_pyroscope_next_body_filter;


void
ngx_pyroscope_error_page_init(void)
{
    ngx_pyroscope_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_pyroscope_error_page_header;

    ngx_pyroscope_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_pyroscope_error_page_body;
}


static ngx_int_t
ngx_pyroscope_error_page_header(ngx_http_request_t *r)
{
    ngx_pyroscope_ctx_t  *ctx;

    if (!ngx_pyroscope_error_page_wanted(r)) {
        return ngx_pyroscope_next_header_filter(r);
    }

    ctx = ngx_pyroscope_ctx(r);

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_pyroscope_error_page_count(r, ctx);
    ngx_pyroscope_error_page_text(r, &ctx->error_page);

    if (ctx->error_page.data != NULL) {
        ngx_str_set(&r->headers_out.content_type, "application/json");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;
        r->headers_out.charset.len = 0;
        r->headers_out.content_length_n = ctx->error_page.len;
    }

    return ngx_pyroscope_next_header_filter(r);
}


static ngx_uint_t
ngx_pyroscope_error_page_wanted(ngx_http_request_t *r)
{
    ngx_pyroscope_ctx_t       *ctx;
    ngx_pyroscope_loc_conf_t  *plcf;
    ngx_pyroscope_srv_conf_t  *pscf;
    ngx_http_core_loc_conf_t  *clcf;

    /* err_status is nginx's own page; a "return 403 text" is the user's */

    if (r != r->main || r->err_status < 400 || r->headers_out.status < 400) {
        return 0;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);

    if (ctx != NULL && (ctx->answered || ctx->error_page.data != NULL)) {
        return 0;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->error_pages != NULL) {
        return 0;
    }

    plcf = ngx_http_get_module_loc_conf(r, ngx_pyroscope_module);
    pscf = ngx_http_get_module_srv_conf(r, ngx_pyroscope_module);

    return plcf->serves || (pscf->configured && clcf->name.len == 0);
}


/* A body that nginx refuses never comes to its handler. */

static void
ngx_pyroscope_error_page_count(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx)
{
    off_t  length;

    if (ctx->route == NULL) {
        ctx->route = ngx_pyroscope_route_of(r);
    }

    ngx_pyroscope_metrics_request(ctx, r->headers_out.status);

    if (r->headers_out.status != NGX_HTTP_REQUEST_ENTITY_TOO_LARGE
        || ctx->route == NULL || ctx->route->serves != NGX_PYROSCOPE_PUSH)
    {
        return;
    }

    length = r->headers_in.content_length_n;

    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_PUSHES_REFUSED, 1);
    ngx_pyroscope_metrics_discarded(PYRO_REASON_BODY_SIZE,
                                    length > 0 ? (size_t) length : 0);
}


/* Without memory the text stays empty, and nginx's own page goes out. */

static void
ngx_pyroscope_error_page_text(ngx_http_request_t *r, ngx_str_t *text)
{
    u_char                    *p;
    size_t                     size;
    ngx_uint_t                 status;
    ngx_http_core_loc_conf_t  *clcf;

    size = 256;
    p = ngx_pnalloc(r->pool, size);

    if (p == NULL) {
        return;
    }

    text->data = p;
    status = r->headers_out.status;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    switch (status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        p = ngx_slprintf(p, p + size, "{\"code\":\"%s\",\"message\":\"the "
                         "request body is larger than client_max_body_size, "
                         "%O bytes\"}", ngx_pyroscope_http_code(status),
                         clcf->client_max_body_size);
        break;

    case NGX_HTTP_REQUEST_URI_TOO_LARGE:
        p = ngx_slprintf(p, p + size, "{\"code\":\"%s\",\"message\":\"the "
                         "request line is longer than a buffer of "
                         "large_client_header_buffers\"}",
                         ngx_pyroscope_http_code(status));
        break;

    case NGX_HTTP_NOT_FOUND:
        p = ngx_slprintf(p, p + size, "{\"code\":\"%s\",\"message\":\"no such "
                         "path\"}", ngx_pyroscope_http_code(status));
        break;

    default:
        p = ngx_slprintf(p, p + size, "{\"code\":\"%s\",\"message\":\"HTTP "
                         "status %ui\"}", ngx_pyroscope_http_code(status),
                         status);
    }

    text->len = p - text->data;
}


static ngx_int_t
ngx_pyroscope_error_page_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t            *b;
    ngx_chain_t          *cl, out;
    ngx_pyroscope_ctx_t  *ctx;

    ctx = r == r->main ? ngx_http_get_module_ctx(r, ngx_pyroscope_module)
                       : NULL;

    if (ctx == NULL || ctx->error_page.data == NULL || in == NULL) {
        return ngx_pyroscope_next_body_filter(r, in);
    }

    /* nginx's page is swallowed; ours goes out once */

    for (cl = in; cl != NULL; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    if (ctx->error_page.len == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);

    if (b == NULL) {
        return NGX_ERROR;
    }

    b->memory = 1;
    b->pos = ctx->error_page.data;
    b->last = b->pos + ctx->error_page.len;
    b->last_buf = 1;
    b->last_in_chain = 1;

    ctx->error_page.len = 0;

    out.buf = b;
    out.next = NULL;

    return ngx_pyroscope_next_body_filter(r, &out);
}
