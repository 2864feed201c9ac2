#include "ngx_pyroscope_module/ngx_pyroscope_variables.h"


static ngx_int_t ngx_pyroscope_variable_text(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_pyroscope_variable_samples(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_pyroscope_variable_time(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_pyroscope_variable_none(ngx_http_variable_value_t *v);
static void ngx_pyroscope_variable_set(ngx_http_variable_value_t *v,
    u_char *text, size_t len);


static ngx_http_variable_t  ngx_pyroscope_variables[] = {

    { ngx_string("pyroscope_tenant"), NULL, ngx_pyroscope_variable_text,
      offsetof(ngx_pyroscope_ctx_t, tenant), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("pyroscope_service"), NULL, ngx_pyroscope_variable_text,
      offsetof(ngx_pyroscope_ctx_t, service), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("pyroscope_samples"), NULL, ngx_pyroscope_variable_samples,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("pyroscope_parse_time"), NULL, ngx_pyroscope_variable_time,
      offsetof(ngx_pyroscope_ctx_t, parse_time), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("pyroscope_commit_time"), NULL, ngx_pyroscope_variable_time,
      offsetof(ngx_pyroscope_ctx_t, commit_time), NGX_HTTP_VAR_NOCACHEABLE,
      0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_pyroscope_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_pyroscope_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);

        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_pyroscope_variable_text(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t            *text;
    ngx_pyroscope_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_pyroscope_module);

    if (ctx == NULL) {
        return ngx_pyroscope_variable_none(v);
    }

    text = (ngx_str_t *) ((char *) ctx + data);

    if (text->len == 0) {
        return ngx_pyroscope_variable_none(v);
    }

    ngx_pyroscope_variable_set(v, text->data, text->len);

    return NGX_OK;
}


static ngx_int_t
ngx_pyroscope_variable_samples(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char               *p;
    ngx_pyroscope_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_pyroscope_module);

    if (ctx == NULL || !ctx->stored) {
        return ngx_pyroscope_variable_none(v);
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);

    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_pyroscope_variable_set(v, p, ngx_sprintf(p, "%uL", ctx->samples) - p);

    return NGX_OK;
}


static ngx_int_t
ngx_pyroscope_variable_time(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char               *p;
    int64_t               us;
    ngx_pyroscope_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_pyroscope_module);
    us = ctx != NULL ? *(int64_t *) ((char *) ctx + data) / 1000 : 0;

    if (us == 0) {
        return ngx_pyroscope_variable_none(v);
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN + sizeof(".000000"));

    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_pyroscope_variable_set(v, p, ngx_sprintf(p, "%L.%06L", us / 1000000,
                                                 us % 1000000)
                                     - p);

    return NGX_OK;
}


static ngx_int_t
ngx_pyroscope_variable_none(ngx_http_variable_value_t *v)
{
    v->not_found = 1;

    return NGX_OK;
}


static void
ngx_pyroscope_variable_set(ngx_http_variable_value_t *v, u_char *text,
    size_t len)
{
    v->data = text;
    v->len = len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}
