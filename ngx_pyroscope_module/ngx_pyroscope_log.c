#include "ngx_pyroscope_module/ngx_pyroscope_module.h"

#include "ngx_pyroscope_module/ngx_pyroscope_log.h"


#define NGX_PYROSCOPE_LOG_LINE  NGX_MAX_ERROR_STR   /* nginx cuts there, too */


static ngx_int_t ngx_pyroscope_log_begin(ngx_http_request_t *r);
static u_char *ngx_pyroscope_log_handler(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);
static u_char *ngx_pyroscope_log_line(const ngx_str_t *line, u_char *p,
    u_char *last);
static u_char *ngx_pyroscope_log_parameter(u_char *p, u_char *last,
    u_char *start, u_char *end);
static ngx_uint_t ngx_pyroscope_log_is_shown(const u_char *name, size_t len);
static u_char *ngx_pyroscope_log_copy(u_char *p, u_char *last,
    const u_char *data, size_t len);


/* what a mistake of a client is found by */

static ngx_str_t  ngx_pyroscope_log_shown[] = {
    ngx_string("name"),
    ngx_string("from"),
    ngx_string("until"),
    ngx_string("format"),
    ngx_string("sampleRate"),
    ngx_string("spyName"),
    ngx_string("units"),
    ngx_string("aggregationType"),
    ngx_string("query"),
    ngx_string("maxNodes"),
    ngx_string("max-nodes"),
    ngx_string("groupBy"),
    ngx_string("label"),
    ngx_string("leftQuery"),
    ngx_string("leftFrom"),
    ngx_string("leftUntil"),
    ngx_string("rightQuery"),
    ngx_string("rightFrom"),
    ngx_string("rightUntil"),
    ngx_string("service_name"),
    ngx_null_string
};

/* nginx's, the same for all requests */
static ngx_http_log_handler_pt  ngx_pyroscope_log_nginx;


ngx_int_t
ngx_pyroscope_log_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *handler;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    /* the first phase with a location, before limits and access */

    handler = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);

    if (handler == NULL) {
        return NGX_ERROR;
    }

    *handler = ngx_pyroscope_log_begin;

    return NGX_OK;
}


static ngx_int_t
ngx_pyroscope_log_begin(ngx_http_request_t *r)
{
    ngx_pyroscope_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_pyroscope_module);

    if (plcf->serves && r->main->log_handler != ngx_pyroscope_log_handler) {
        ngx_pyroscope_log_nginx = r->main->log_handler;
        r->main->log_handler = ngx_pyroscope_log_handler;
    }

    return NGX_DECLINED;
}


/* nginx's own line, of a request that looks as it may be shown. */

static u_char *
ngx_pyroscope_log_handler(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    u_char           *p, text[NGX_PYROSCOPE_LOG_LINE];
    ngx_str_t         line;
    ngx_table_elt_t  *referer;

    line = r->request_line;
    referer = r->headers_in.referer;

    r->request_line.data = text;
    r->request_line.len = ngx_pyroscope_log_line(&line, text,
                                                 text + sizeof(text))
                          - text;
    r->headers_in.referer = NULL;

    p = ngx_pyroscope_log_nginx(r, sr, buf, len);

    r->request_line = line;
    r->headers_in.referer = referer;

    return p;
}


/* METHOD SP path ? parameters SP protocol; what does not fit is left out. */

static u_char *
ngx_pyroscope_log_line(const ngx_str_t *line, u_char *p, u_char *last)
{
    u_char  *end, *start, *next, *tail;

    end = line->data + line->len;
    start = ngx_strlchr(line->data, end, '?');

    if (start == NULL) {
        return ngx_pyroscope_log_copy(p, last, line->data, line->len);
    }

    start++;
    p = ngx_pyroscope_log_copy(p, last, line->data, start - line->data);

    for (tail = end; tail > start && tail[-1] != ' '; tail--) { /* void */ }

    tail = tail > start ? tail - 1 : end;

    for ( /* void */ ; start < tail; start = next + 1) {
        next = ngx_strlchr(start, tail, '&');
        next = next ? next : tail;

        p = ngx_pyroscope_log_parameter(p, last, start, next);

        if (next < tail) {
            p = ngx_pyroscope_log_copy(p, last, (u_char *) "&", 1);
        }
    }

    return ngx_pyroscope_log_copy(p, last, tail, end - tail);
}


/* One without a name may be anything. */

static u_char *
ngx_pyroscope_log_parameter(u_char *p, u_char *last, u_char *start,
    u_char *end)
{
    u_char  *value;

    value = ngx_strlchr(start, end, '=');

    if (value != NULL && ngx_pyroscope_log_is_shown(start, value - start)) {
        return ngx_pyroscope_log_copy(p, last, start, end - start);
    }

    if (value != NULL) {
        p = ngx_pyroscope_log_copy(p, last, start, value + 1 - start);
    }

    return start == end ? p
           : ngx_pyroscope_log_copy(p, last, (u_char *) "***", 3);
}


static ngx_uint_t
ngx_pyroscope_log_is_shown(const u_char *name, size_t len)
{
    ngx_str_t  *shown;

    for (shown = ngx_pyroscope_log_shown; shown->len; shown++) {

        if (shown->len == len && ngx_memcmp(shown->data, name, len) == 0) {
            return 1;
        }
    }

    return 0;
}


static u_char *
ngx_pyroscope_log_copy(u_char *p, u_char *last, const u_char *data,
    size_t len)
{
    return ngx_cpymem(p, data, ngx_min(len, (size_t) (last - p)));
}
