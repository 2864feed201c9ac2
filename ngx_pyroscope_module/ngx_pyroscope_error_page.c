#include "ngx_pyroscope_module/ngx_pyroscope_module.h"

#include "ngx_pyroscope_module/ngx_pyroscope_error_page.h"
#include "ngx_pyroscope_module/ngx_pyroscope_grpc.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"
#include "ngx_pyroscope_module/ngx_pyroscope_route.h"


#define NGX_PYROSCOPE_ERROR_MESSAGE  128    /* bytes of the longest one */


static ngx_int_t ngx_pyroscope_error_page_header(ngx_http_request_t *r);
static ngx_int_t ngx_pyroscope_error_page_body(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_uint_t ngx_pyroscope_error_page_wanted(ngx_http_request_t *r);
static void ngx_pyroscope_error_page_count(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx);
static void ngx_pyroscope_error_page_json(ngx_http_request_t *r,
    ngx_str_t *text);
static char *ngx_pyroscope_error_page_message(ngx_http_request_t *r);


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
    char                       *message;
    ngx_uint_t                  status;
    ngx_pyroscope_ctx_t        *ctx;
    const pyro_content_type_t  *grpc;

    if (!ngx_pyroscope_error_page_wanted(r)) {
        return ngx_pyroscope_next_header_filter(r);
    }

    ctx = ngx_pyroscope_ctx(r);

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_pyroscope_error_page_count(r, ctx);
    grpc = ngx_pyroscope_grpc(r);

    if (grpc != NULL) {
        status = r->headers_out.status;
        message = ngx_pyroscope_error_page_message(r);

        if (message == NULL
            || ngx_pyroscope_grpc_error_headers(r, grpc,
                                                ngx_pyroscope_http_code(status),
                                                message)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        return ngx_pyroscope_next_header_filter(r);
    }

    ngx_pyroscope_error_page_json(r, &ctx->error_page);

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

    ngx_pyroscope_metrics_request(r, ctx, r->headers_out.status);

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
ngx_pyroscope_error_page_json(ngx_http_request_t *r, ngx_str_t *text)
{
    char        *message;
    size_t       len;
    u_char      *p;
    const char  *code;

    message = ngx_pyroscope_error_page_message(r);

    if (message == NULL) {
        return;
    }

    code = ngx_pyroscope_http_code(r->headers_out.status);
    len = sizeof("{\"code\":\"\",\"message\":\"\"}") + ngx_strlen(code)
          + ngx_strlen(message);
    p = ngx_pnalloc(r->pool, len);

    if (p == NULL) {
        return;
    }

    text->data = p;
    text->len = ngx_sprintf(p, "{\"code\":\"%s\",\"message\":\"%s\"}", code,
                            message)
                - p;
}


/* What JSON has no need to escape. */

static char *
ngx_pyroscope_error_page_message(ngx_http_request_t *r)
{
    u_char                    *p, *text;
    ngx_http_core_loc_conf_t  *clcf;

    text = ngx_pnalloc(r->pool, NGX_PYROSCOPE_ERROR_MESSAGE);

    if (text == NULL) {
        return NULL;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    switch (r->headers_out.status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        p = ngx_sprintf(text, "the request body is larger than "
                        "client_max_body_size, %O bytes",
                        clcf->client_max_body_size);
        break;

    case NGX_HTTP_REQUEST_URI_TOO_LARGE:
        p = ngx_sprintf(text, "the request line is longer than a buffer of "
                        "large_client_header_buffers");
        break;

    case NGX_HTTP_NOT_FOUND:
        p = ngx_sprintf(text, "no such path");
        break;

    default:
        p = ngx_sprintf(text, "HTTP status %ui", r->headers_out.status);
    }

    *p = '\0';

    return (char *) text;
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
