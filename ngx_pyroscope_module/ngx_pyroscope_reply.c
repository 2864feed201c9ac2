#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"

#include "ngx_pyroscope_module/ngx_pyroscope_grpc.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"

#include "core/api/codec.h"


/* seconds, where nobody knows better */
#define NGX_PYROSCOPE_RETRY_AFTER  1

/* seconds between lines of the error log that say the disk is full */
#define NGX_PYROSCOPE_SAID         60


static ngx_int_t ngx_pyroscope_reply_send(ngx_http_request_t *r,
    ngx_uint_t status, const char *content_type, size_t size,
    ngx_chain_t *out);
static ngx_table_elt_t *ngx_pyroscope_reply_push(ngx_list_t *list,
    const char *name, const char *value);
static ngx_int_t ngx_pyroscope_reply_retry(ngx_http_request_t *r,
    const pyro_error_t *err);
static ngx_uint_t ngx_pyroscope_reply_level(const pyro_error_t *err);
static const char *ngx_pyroscope_reply_code(ngx_http_request_t *r,
    pyro_status_e status);
static ngx_chain_t *ngx_pyroscope_reply_chain(ngx_http_request_t *r,
    pyro_rope_t *rope);
static void ngx_pyroscope_reply_free(void *data);


/* by pyro_status_e */

static ngx_uint_t  ngx_pyroscope_http_statuses[] = {
    NGX_HTTP_OK,
    NGX_HTTP_BAD_REQUEST,
    NGX_HTTP_UNAUTHORIZED,
    NGX_HTTP_NOT_FOUND,
    NGX_HTTP_CONFLICT,
    NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
    422,
    NGX_HTTP_TOO_MANY_REQUESTS,
    NGX_HTTP_CLIENT_CLOSED_REQUEST,
    NGX_HTTP_INTERNAL_SERVER_ERROR,
    NGX_HTTP_NOT_IMPLEMENTED,
    NGX_HTTP_SERVICE_UNAVAILABLE,
    NGX_HTTP_GATEWAY_TIME_OUT
};


static struct {
    ngx_uint_t   status;
    const char  *code;
} ngx_pyroscope_http_codes[] = {
    { NGX_HTTP_BAD_REQUEST,              "invalid_argument" },
    { NGX_HTTP_UNAUTHORIZED,             "unauthenticated" },
    { NGX_HTTP_FORBIDDEN,                "permission_denied" },
    { NGX_HTTP_NOT_FOUND,                "unimplemented" },
    { NGX_HTTP_NOT_ALLOWED,              "unimplemented" },
    { NGX_HTTP_REQUEST_TIME_OUT,         "deadline_exceeded" },
    { NGX_HTTP_CONFLICT,                 "already_exists" },
    { NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "resource_exhausted" },
    { NGX_HTTP_REQUEST_URI_TOO_LARGE,    "resource_exhausted" },
    { 422,                               "resource_exhausted" },
    { NGX_HTTP_TOO_MANY_REQUESTS,        "resource_exhausted" },
    { NGX_HTTP_REQUEST_HEADER_TOO_LARGE, "resource_exhausted" },
    { NGX_HTTP_NOT_IMPLEMENTED,          "unimplemented" },
    { NGX_HTTP_BAD_GATEWAY,              "unavailable" },
    { NGX_HTTP_SERVICE_UNAVAILABLE,      "unavailable" },
    { NGX_HTTP_GATEWAY_TIME_OUT,         "deadline_exceeded" },
    { 0, NULL }
};


ngx_uint_t
ngx_pyroscope_http_status(pyro_status_e status)
{
    return ngx_pyroscope_http_statuses[status];
}


const char *
ngx_pyroscope_http_code(ngx_uint_t status)
{
    ngx_uint_t  i;

    for (i = 0; ngx_pyroscope_http_codes[i].status; i++) {
        if (ngx_pyroscope_http_codes[i].status == status) {
            return ngx_pyroscope_http_codes[i].code;
        }
    }

    return status < 500 ? "invalid_argument" : "internal";
}


ngx_int_t
ngx_pyroscope_reply(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, pyro_rope_t *rope, ngx_uint_t gzip)
{
    ngx_chain_t  *out;

    out = ngx_pyroscope_reply_chain(r, rope);

    if (out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (gzip) {
        if (ngx_pyroscope_reply_header(r, "Content-Encoding", "gzip")
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_pyroscope_reply_send(r, status, content_type, rope->size, out);
}


/* The rope's chunks as buffers, without a copy. */

static ngx_chain_t *
ngx_pyroscope_reply_chain(ngx_http_request_t *r, pyro_rope_t *rope)
{
    ngx_buf_t           *b;
    ngx_chain_t         *cl, *out, **last;
    pyro_rope_t         *owned;
    pyro_rope_chunk_t   *chunk;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(pyro_rope_t));

    if (cln == NULL) {
        pyro_rope_free(rope);
        return NULL;
    }

    owned = cln->data;
    *owned = *rope;
    cln->handler = ngx_pyroscope_reply_free;

    out = NULL;
    last = &out;
    b = NULL;

    for (chunk = owned->first; chunk != NULL || b == NULL;
         chunk = chunk != NULL ? chunk->next : NULL)
    {
        cl = ngx_alloc_chain_link(r->pool);
        b = ngx_calloc_buf(r->pool);

        if (cl == NULL || b == NULL) {
            return NULL;
        }

        if (chunk != NULL && chunk->len) {
            b->memory = 1;
            b->pos = (u_char *) chunk->data;
            b->last = b->pos + chunk->len;

        } else {
            b->sync = 1;
        }

        cl->buf = b;
        cl->next = NULL;
        *last = cl;
        last = &cl->next;
    }

    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    return out;
}


static void
ngx_pyroscope_reply_free(void *data)
{
    pyro_rope_free(data);
}


ngx_int_t
ngx_pyroscope_reply_text(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, const char *text)
{
    size_t        len;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    len = ngx_strlen(text);
    b = ngx_create_temp_buf(r->pool, len + 1);

    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (len) {
        b->last = ngx_cpymem(b->last, text, len);

    } else {
        /* in a subrequest nothing else tells it from a forgotten buffer */
        b->temporary = 0;
        b->sync = 1;
    }

    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_pyroscope_reply_send(r, status, len ? content_type : NULL, len,
                                    &out);
}


ngx_int_t
ngx_pyroscope_reply_not_modified(ngx_http_request_t *r)
{
    ngx_pyroscope_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);

    ctx->answered = 1;
    ngx_pyroscope_metrics_request(r, ctx, NGX_HTTP_NOT_MODIFIED);

    r->headers_out.status = NGX_HTTP_NOT_MODIFIED;
    r->headers_out.content_length_n = -1;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


ngx_int_t
ngx_pyroscope_reply_error(ngx_http_request_t *r, const pyro_error_t *err)
{
    ngx_uint_t                  status, level;
    pyro_rope_t                 rope;
    const char                 *code;
    const pyro_content_type_t  *grpc;

    level = ngx_pyroscope_reply_level(err);

    ngx_log_error(level, r->connection->log, 0, "pyroscope: %s", err->message);

    status = ngx_pyroscope_http_status(err->status);
    code = ngx_pyroscope_reply_code(r, err->status);
    grpc = ngx_pyroscope_grpc(r);

    if (grpc != NULL) {
        return ngx_pyroscope_grpc_reply_error(r, grpc, status, code,
                                              err->message);
    }

    if ((err->status == PYRO_EXHAUSTED || err->status == PYRO_UNAVAILABLE)
        && ngx_pyroscope_reply_retry(r, err) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    pyro_rope_init(&rope, 0);
    pyro_connect_error(&rope, code, err->message);

    if (rope.failed) {
        pyro_rope_free(&rope);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_pyroscope_reply(r, status, "application/json", &rope, 0);
}


/* When it may be tried again: agents back off by themselves, others ask. */

static ngx_int_t
ngx_pyroscope_reply_retry(ngx_http_request_t *r, const pyro_error_t *err)
{
    u_char  *value;

    value = ngx_pnalloc(r->pool, NGX_INT32_LEN + 1);

    if (value == NULL) {
        return NGX_ERROR;
    }

    *ngx_sprintf(value, "%uD", err->retry ? err->retry
                                          : NGX_PYROSCOPE_RETRY_AFTER) = '\0';

    return ngx_pyroscope_reply_header(r, "Retry-After", (char *) value);
}


/*
 * A broken request is its client's matter, the store's trouble is ours.  That a
 * disk is full is said once a minute: a line for each push would fill it, too.
 */

static ngx_uint_t
ngx_pyroscope_reply_level(const pyro_error_t *err)
{
    static time_t  said;

    if (err->status != PYRO_UNAVAILABLE && err->status != PYRO_INTERNAL) {
        return NGX_LOG_INFO;
    }

    if (err->reason == PYRO_REASON_DISK) {

        if (said && ngx_time() - said < NGX_PYROSCOPE_SAID) {
            return NGX_LOG_INFO;
        }

        said = ngx_time();
    }

    return NGX_LOG_ERR;
}


/* Where the path is known it is the thing asked for that is not there. */

static const char *
ngx_pyroscope_reply_code(ngx_http_request_t *r, pyro_status_e status)
{
    ngx_pyroscope_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);

    return status == PYRO_NOT_FOUND && ctx != NULL && ctx->route != NULL
           ? "not_found" : pyro_connect_code(status);
}


static ngx_int_t
ngx_pyroscope_reply_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, size_t size, ngx_chain_t *out)
{
    ngx_int_t             rc;
    ngx_pyroscope_ctx_t  *ctx;

    ctx = ngx_pyroscope_ctx(r);

    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->answered = 1;
    ngx_pyroscope_metrics_request(r, ctx, status);

    r->headers_out.status = status;
    r->headers_out.content_length_n = r->expect_trailers ? -1 : (off_t) size;

    if (content_type != NULL) {
        r->headers_out.content_type.data = (u_char *) content_type;
        r->headers_out.content_type.len = ngx_strlen(content_type);
        r->headers_out.content_type_len = strcspn(content_type, ";");
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}


ngx_int_t
ngx_pyroscope_reply_header(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_pyroscope_reply_push(&r->headers_out.headers, name, value);

    if (h == NULL) {
        return NGX_ERROR;
    }

    /* nginx's gzip filter leaves alone what is encoded already */

    if (ngx_strcmp(name, "Content-Encoding") == 0) {
        r->headers_out.content_encoding = h;
    }

    return NGX_OK;
}


ngx_int_t
ngx_pyroscope_reply_trailer(ngx_http_request_t *r, const char *name,
    const char *value)
{
    return ngx_pyroscope_reply_push(&r->headers_out.trailers, name, value)
           != NULL ? NGX_OK : NGX_ERROR;
}


static ngx_table_elt_t *
ngx_pyroscope_reply_push(ngx_list_t *list, const char *name,
    const char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(list);

    if (h == NULL) {
        return NULL;
    }

    /* from 1.23.0 on an element has a link, which must be empty */

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return h;
}


ngx_str_t *
ngx_pyroscope_request_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len
            && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
        {
            return &h[i].value;
        }
    }
}


ngx_uint_t
ngx_pyroscope_accepts_gzip(ngx_http_request_t *r, const char *name)
{
    u_char     *p, *end, *last, *q;
    ngx_str_t  *value;

    value = ngx_pyroscope_request_header(r, name);

    if (value == NULL) {
        return 0;
    }

    last = value->data + value->len;

    for (p = value->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        while (p < end && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (!((end - p >= 4 && ngx_strncasecmp(p, (u_char *) "gzip", 4) == 0
               && (end - p == 4 || p[4] == ';' || p[4] == ' '))
              || (end - p >= 1 && *p == '*')))
        {
            continue;
        }

        q = ngx_strlchr(p, end, '=');

        if (q == NULL) {
            return 1;
        }

        /* q=0, q=0.0, ... refuse; anything with another digit accepts */

        for (q++; q < end; q++) {
            if (*q >= '1' && *q <= '9') {
                return 1;
            }
        }
    }

    return 0;
}
