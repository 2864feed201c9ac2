#include "ngx_pyroscope_module/ngx_pyroscope_grpc.h"

#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"
#include "ngx_pyroscope_module/ngx_pyroscope_route.h"

#include "core/api/grpc.h"


const pyro_content_type_t *
ngx_pyroscope_content_type(ngx_http_request_t *r)
{
    if (r->headers_in.content_type == NULL) {
        return NULL;
    }

    return pyro_content_type_find(
                      ngx_pyroscope_slice(&r->headers_in.content_type->value));
}


const pyro_content_type_t *
ngx_pyroscope_grpc(ngx_http_request_t *r)
{
    const pyro_content_type_t  *type;

    if (!ngx_pyroscope_route_is_rpc(&r->uri)) {
        return NULL;
    }

    type = ngx_pyroscope_content_type(r);

    return type != NULL && type->protocol != PYRO_PROTOCOL_CONNECT ? type
                                                                   : NULL;
}


pyro_status_e
ngx_pyroscope_grpc_headers(ngx_http_request_t *r, ngx_pyroscope_query_t *q,
    int64_t *timeout, pyro_error_t *err)
{
    ngx_str_t  *value;

    q->gzip_out = ngx_pyroscope_accepts_gzip(r, "grpc-accept-encoding");

    value = ngx_pyroscope_request_header(r, "grpc-timeout");

    if (value != NULL
        && pyro_grpc_timeout(ngx_pyroscope_slice(value), timeout, err)
           != PYRO_OK)
    {
        return err->status;
    }

    return ngx_pyroscope_query_encoding(r, q, "grpc-encoding", err);
}


ngx_int_t
ngx_pyroscope_grpc_reply(ngx_http_request_t *r, ngx_pyroscope_query_t *q,
    pyro_rope_t *answer)
{
    if (q->protocol == PYRO_PROTOCOL_GRPC) {
        r->expect_trailers = 1;

        if (ngx_pyroscope_reply_trailer(r, "grpc-status", "0") != NGX_OK) {
            pyro_rope_free(answer);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ngx_pyroscope_reply_header(r, "grpc-accept-encoding", "gzip") != NGX_OK
        || (q->gzip_out
            && ngx_pyroscope_reply_header(r, "grpc-encoding", "gzip")
               != NGX_OK))
    {
        pyro_rope_free(answer);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_pyroscope_reply(r, NGX_HTTP_OK, q->content_type, answer, 0);
}


ngx_int_t
ngx_pyroscope_grpc_reply_error(ngx_http_request_t *r,
    const pyro_content_type_t *type, ngx_uint_t counted, const char *code,
    const char *message)
{
    ngx_pyroscope_ctx_t  *ctx;

    ctx = ngx_pyroscope_ctx(r);

    if (ctx == NULL
        || ngx_pyroscope_grpc_error_headers(r, type, code, message) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->answered = 1;
    ngx_pyroscope_metrics_request(r, ctx, counted);

    return ngx_http_send_header(r);
}


ngx_int_t
ngx_pyroscope_grpc_error_headers(ngx_http_request_t *r,
    const pyro_content_type_t *type, const char *code, const char *message)
{
    char  *status, *text;

    status = ngx_pnalloc(r->pool, NGX_INT_T_LEN + 1);
    text = ngx_pnalloc(r->pool, 3 * ngx_strlen(message) + 1);

    if (status == NULL || text == NULL) {
        return NGX_ERROR;
    }

    *ngx_sprintf((u_char *) status, "%ui",
                 (ngx_uint_t) pyro_grpc_status(code)) = '\0';
    text[pyro_grpc_escape(text, message)] = '\0';

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_type.data = (u_char *) type->name;
    r->headers_out.content_type.len = ngx_strlen(type->name);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset.len = 0;

    /* no body: HTTP/2 ends with the headers, HTTP/1.1 by the length */

    r->header_only = 1;
    r->headers_out.content_length_n = r->http_version < NGX_HTTP_VERSION_20
                                      ? 0 : -1;

    return ngx_pyroscope_reply_header(r, "grpc-status", status) == NGX_OK
           && ngx_pyroscope_reply_header(r, "grpc-message", text) == NGX_OK
           ? NGX_OK : NGX_ERROR;
}
