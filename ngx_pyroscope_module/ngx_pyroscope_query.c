#include "ngx_pyroscope_module/ngx_pyroscope_query.h"

#include "ngx_pyroscope_module/ngx_pyroscope_grpc.h"
#include "ngx_pyroscope_module/ngx_pyroscope_load.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_querier.h"
#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"
#include "ngx_pyroscope_module/ngx_pyroscope_route.h"
#include "ngx_pyroscope_module/ngx_pyroscope_task.h"
#include "ngx_pyroscope_module/ngx_pyroscope_tenant.h"

#include "core/base/clock.h"


#define NGX_PYROSCOPE_UTF8         "allow-utf8-labelnames=true"
#define NGX_PYROSCOPE_INCOMPLETE   "X-Pyroscope-Incomplete"
#define NGX_PYROSCOPE_SAY          60      /* seconds from line to line */


static ngx_pyroscope_query_t *ngx_pyroscope_query_create(
    ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx);
static void ngx_pyroscope_query_cleanup(void *data);
static pyro_status_e ngx_pyroscope_query_headers(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q, pyro_error_t *err);
static ngx_uint_t ngx_pyroscope_query_is_open(pyro_rpc_e rpc);
static pyro_status_e ngx_pyroscope_query_tenants(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q, pyro_error_t *err);
static pyro_status_e ngx_pyroscope_query_connect(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q, int64_t *timeout, pyro_error_t *err);
static ngx_int_t ngx_pyroscope_query_unsupported(ngx_http_request_t *r);
static void ngx_pyroscope_query_body_handler(ngx_http_request_t *r);
static pyro_status_e ngx_pyroscope_query_post(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q, pyro_error_t *err);
static void ngx_pyroscope_query_run(void *data);
static void ngx_pyroscope_query_done(ngx_http_request_t *r, void *data);
static void ngx_pyroscope_query_resume(ngx_http_request_t *r);
static ngx_int_t ngx_pyroscope_query_missing(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q);
static ngx_int_t ngx_pyroscope_query_etag(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q);
static ngx_int_t ngx_pyroscope_query_file(ngx_http_request_t *r,
    ngx_pyroscope_query_t *q);


ngx_int_t
ngx_pyroscope_query_handler(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx)
{
    ngx_int_t                   rc;
    pyro_error_t                err;
    ngx_pyroscope_query_t      *q;
    const pyro_content_type_t  *type;

    q = ngx_pyroscope_query_create(r, ctx);

    if (q == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    type = ngx_pyroscope_content_type(r);

    if (type == NULL) {
        return ngx_pyroscope_query_unsupported(r);
    }

    q->content_type = type->name;
    q->protocol = type->protocol;
    q->codec = type->codec;

    if (ngx_pyroscope_query_headers(r, q, &err) != PYRO_OK) {
        rc = ngx_http_discard_request_body(r);

        return rc != NGX_OK ? rc : ngx_pyroscope_reply_error(r, &err);
    }

    rc = ngx_http_read_client_request_body(r, ngx_pyroscope_query_body_handler);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static ngx_pyroscope_query_t *
ngx_pyroscope_query_create(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx)
{
    ngx_pool_cleanup_t     *cln;
    ngx_pyroscope_query_t  *q;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pyroscope_query_t));

    if (cln == NULL) {
        return NULL;
    }

    q = cln->data;
    ngx_memzero(q, sizeof(ngx_pyroscope_query_t));
    cln->handler = ngx_pyroscope_query_cleanup;

    ctx->query = q;
    ctx->resume = ngx_pyroscope_query_resume;

    /* nginx would answer 304 to "If-None-Match: *", whatever the answer is */

    r->disable_not_modified = 1;

    q->rpc = ctx->route->call;
    q->settings = ngx_pyroscope_worker.conf->settings;
    q->canceled = &ctx->canceled;

    return q;
}


static void
ngx_pyroscope_query_cleanup(void *data)
{
    ngx_pyroscope_query_t *q = data;

    if (q->counted) {
        ngx_pyroscope_worker.load->queries--;
    }

    pyro_rope_free(&q->answer);
}


static pyro_status_e
ngx_pyroscope_query_headers(ngx_http_request_t *r, ngx_pyroscope_query_t *q,
    pyro_error_t *err)
{
    int64_t        timeout;
    ngx_str_t     *value;
    pyro_status_e  status;

    if (ngx_pyroscope_query_tenants(r, q, err) != PYRO_OK) {
        return err->status;
    }

    value = ngx_pyroscope_request_header(r, "accept");

    q->utf8_names = value != NULL
                    && ngx_strlcasestrn(value->data, value->data + value->len,
                                        (u_char *) NGX_PYROSCOPE_UTF8,
                                        sizeof(NGX_PYROSCOPE_UTF8) - 2)
                       != NULL;

    timeout = q->settings->query.timeout * PYRO_NS_PER_MS;

    status = q->protocol == PYRO_PROTOCOL_CONNECT
             ? ngx_pyroscope_query_connect(r, q, &timeout, err)
             : ngx_pyroscope_grpc_headers(r, q, &timeout, err);

    q->deadline = pyro_clock_mono()
                  + ngx_min(timeout,
                            q->settings->query.timeout * PYRO_NS_PER_MS);

    return status;
}


/* Probes and front-ends ask these before they know of tenants. */

static ngx_uint_t
ngx_pyroscope_query_is_open(pyro_rpc_e rpc)
{
    return rpc == PYRO_RPC_VERSION || rpc == PYRO_RPC_HEALTH;
}


static pyro_status_e
ngx_pyroscope_query_tenants(ngx_http_request_t *r, ngx_pyroscope_query_t *q,
    pyro_error_t *err)
{
    if (ngx_pyroscope_query_is_open(q->rpc)) {
        return PYRO_OK;
    }

    if (ngx_pyroscope_tenants(r, &q->tenants, &q->n_tenants, err) != PYRO_OK) {
        return err->status;
    }

    if (q->n_tenants > 1
        && (q->rpc == PYRO_RPC_GET_SETTINGS || q->rpc == PYRO_RPC_SET_SETTINGS
            || q->rpc == PYRO_RPC_DELETE_SETTINGS))
    {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "X-Scope-OrgID: settings are of one tenant, not "
                              "of %u", q->n_tenants);
    }

    ngx_pyroscope_tenants_limits(q->settings, q->tenants, q->n_tenants,
                                 &q->limits);

    return PYRO_OK;
}


static pyro_status_e
ngx_pyroscope_query_connect(ngx_http_request_t *r, ngx_pyroscope_query_t *q,
    int64_t *timeout, pyro_error_t *err)
{
    ngx_int_t   n;
    ngx_str_t  *value;

    q->gzip_out = ngx_pyroscope_accepts_gzip(r, "Accept-Encoding");

    value = ngx_pyroscope_request_header(r, "connect-protocol-version");

    if (value != NULL && !pyro_slice_is(ngx_pyroscope_slice(value), "1")) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "Connect-Protocol-Version: \"%.*s\" is not "
                              "supported, 1 is",
                              (int) ngx_min(value->len, 32),
                              (char *) value->data);
    }

    value = ngx_pyroscope_request_header(r, "connect-timeout-ms");

    if (value != NULL) {
        n = value->len <= 10 ? ngx_atoi(value->data, value->len) : NGX_ERROR;

        if (n == NGX_ERROR) {
            return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                                  "Connect-Timeout-Ms: \"%.*s\" is not a "
                                  "number of up to 10 digits",
                                  (int) ngx_min(value->len, 32),
                                  (char *) value->data);
        }

        *timeout = n * PYRO_NS_PER_MS;
    }

    return ngx_pyroscope_query_encoding(r, q, "Content-Encoding", err);
}


pyro_status_e
ngx_pyroscope_query_encoding(ngx_http_request_t *r, ngx_pyroscope_query_t *q,
    const char *header, pyro_error_t *err)
{
    ngx_str_t  *value;

    value = ngx_pyroscope_request_header(r, header);

    if (value == NULL || pyro_slice_is(ngx_pyroscope_slice(value), "identity"))
    {
        return PYRO_OK;
    }

    if (!pyro_slice_is(ngx_pyroscope_slice(value), "gzip")) {
        return pyro_error_set(err, PYRO_UNIMPLEMENTED, PYRO_REASON_REQUEST,
                              "%s: \"%.*s\" is not supported, gzip is", header,
                              (int) ngx_min(value->len, 32),
                              (char *) value->data);
    }

    q->gzip_in = 1;

    return PYRO_OK;
}


static ngx_int_t
ngx_pyroscope_query_unsupported(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_pyroscope_reply_header(r, "Accept-Post",
                                   PYRO_CONTENT_TYPES)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_pyroscope_reply_text(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
                                    "");
}


static void
ngx_pyroscope_query_body_handler(ngx_http_request_t *r)
{
    pyro_error_t            err;
    ngx_pyroscope_ctx_t    *ctx;
    ngx_pyroscope_query_t  *q;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);
    q = ctx->query;

    if (ngx_pyroscope_body_collect(r, &q->body) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ngx_pyroscope_query_post(r, q, &err) != PYRO_OK) {
        ngx_http_finalize_request(r, ngx_pyroscope_reply_error(r, &err));
    }
}


/* To the query pool, if there is a store, and room. */

static pyro_status_e
ngx_pyroscope_query_post(ngx_http_request_t *r, ngx_pyroscope_query_t *q,
    pyro_error_t *err)
{
    ngx_pyroscope_task_t     task;
    ngx_pyroscope_worker_t  *worker;

    worker = &ngx_pyroscope_worker;
    q->store = worker->store;

    /* queries ask the store themselves whether it can be read still */

    if (q->store == NULL
        || (q->rpc == PYRO_RPC_HEALTH
            && worker->store_error.status != PYRO_OK))
    {
        *err = worker->store_error;
        return err->status;
    }

    if (worker->load->queries >= q->settings->query.max_concurrent) {
        return pyro_error_set(err, PYRO_EXHAUSTED, PYRO_REASON_QUERY,
                              "%lu queries run in this worker, "
                              "query.max_concurrent is %u",
                              (unsigned long) worker->load->queries,
                              q->settings->query.max_concurrent);
    }

    worker->load->queries++;
    q->counted = 1;

    ngx_memzero(&task, sizeof(ngx_pyroscope_task_t));
    task.data = q;
    task.run = ngx_pyroscope_query_run;
    task.done = ngx_pyroscope_query_done;

    if (ngx_pyroscope_task_post(r, worker->query_pool, &task) != NGX_OK) {
        return pyro_error_set(err, PYRO_EXHAUSTED, PYRO_REASON_QUEUE,
                              "the queue of the thread pool "
                              "\"pyroscope_query\" is full");
    }

    return PYRO_OK;
}


ngx_int_t
ngx_pyroscope_query_get_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx)
{
    ngx_int_t               rc;
    ngx_str_t              *if_none_match;
    pyro_error_t            err;
    ngx_pyroscope_query_t  *q;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    q = ngx_pyroscope_query_create(r, ctx);

    if (q == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if_none_match = ngx_pyroscope_request_header(r, "If-None-Match");

    if (if_none_match != NULL) {
        q->if_none_match = ngx_pyroscope_slice(if_none_match);
    }

    q->args = ngx_pyroscope_slice(&r->args);
    q->gzip_out = ngx_pyroscope_accepts_gzip(r, "Accept-Encoding");
    q->deadline = pyro_clock_mono()
                  + q->settings->query.timeout * PYRO_NS_PER_MS;

    if (ngx_pyroscope_query_tenants(r, q, &err) != PYRO_OK
        || ngx_pyroscope_query_post(r, q, &err) != PYRO_OK)
    {
        return ngx_pyroscope_reply_error(r, &err);
    }

    /* no body reader holds a reference here: the parked request needs one */

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_pyroscope_query_run(void *data)
{
    ngx_pyroscope_load_t  *load;

    load = ngx_pyroscope_worker.load;

    atomic_fetch_add(&load->running, 1);
    ngx_pyroscope_querier_run(data);
    atomic_fetch_sub(&load->running, 1);
}


static void
ngx_pyroscope_query_done(ngx_http_request_t *r, void *data)
{
    ngx_pyroscope_query_t *q = data;

    q->counted = 0;
    ngx_pyroscope_worker.load->queries--;

    ngx_pyroscope_metrics_observe(NGX_PYROSCOPE_HISTOGRAM_QUERY, q->time);
    ngx_pyroscope_metrics_damaged();
    ngx_pyroscope_task_wake(r);
}


static void
ngx_pyroscope_query_resume(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    pyro_rope_t             answer;
    ngx_pyroscope_ctx_t    *ctx;
    ngx_pyroscope_query_t  *q;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);
    q = ctx->query;

    if (q->status != PYRO_OK) {
        rc = ngx_pyroscope_reply_error(r, &q->error);

    } else if ((q->missing.n && ngx_pyroscope_query_missing(r, q) != NGX_OK)
               || (q->file[0] && ngx_pyroscope_query_file(r, q) != NGX_OK)
               || (q->etag_len && ngx_pyroscope_query_etag(r, q) != NGX_OK))
    {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (q->unchanged) {
        rc = ngx_pyroscope_reply_not_modified(r);

    } else {
        answer = q->answer;
        pyro_rope_init(&q->answer, 0);

        rc = q->protocol == PYRO_PROTOCOL_CONNECT
             ? ngx_pyroscope_reply(r, NGX_HTTP_OK, q->content_type, &answer,
                                   q->gzip_out)
             : ngx_pyroscope_grpc_reply(r, q, &answer);
    }

    ngx_http_finalize_request(r, rc);
}


/* A day is missing: the answer says so, and now and then the log. */

static ngx_int_t
ngx_pyroscope_query_missing(ngx_http_request_t *r, ngx_pyroscope_query_t *q)
{
    u_char         *name;
    size_t          len;

    static time_t   said;

    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_INCOMPLETE, 1);

    if (said == 0 || ngx_time() - said >= NGX_PYROSCOPE_SAY) {
        said = ngx_time();

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "pyroscope store "
                      "\"%V\": answers are without %uD partitions: %s",
                      &ngx_pyroscope_worker.conf->dir, q->missing.n,
                      q->missing.error.message);
    }

    len = ngx_strlen(q->missing.name);
    name = ngx_pnalloc(r->pool, len + 1);

    if (name == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(name, q->missing.name, len + 1);

    return ngx_pyroscope_reply_header(r, NGX_PYROSCOPE_INCOMPLETE,
                                      (char *) name);
}


/*
 * What is over is kept for a minute without a question, since something may
 * come late; anything else is asked for again, and is 304 if nothing came.
 * Whoever changes to another tenant asks anew.
 */

static ngx_int_t
ngx_pyroscope_query_etag(ngx_http_request_t *r, ngx_pyroscope_query_t *q)
{
    if (q->missing.n) {
        return NGX_OK;
    }

    return ngx_pyroscope_reply_header(r, "ETag", q->etag) == NGX_OK
           && ngx_pyroscope_reply_header(r, "Cache-Control",
                                         q->closed ? "private, max-age=60"
                                                   : "private, no-cache")
              == NGX_OK
           && ngx_pyroscope_reply_header(r, "Vary",
                                         q->settings->multitenancy_enabled
                                         ? "Accept-Encoding, X-Scope-OrgID"
                                         : "Accept-Encoding")
              == NGX_OK
           ? NGX_OK : NGX_ERROR;
}


/* A browser is to store it under this name, which needs no quoting. */

static ngx_int_t
ngx_pyroscope_query_file(ngx_http_request_t *r, ngx_pyroscope_query_t *q)
{
    u_char  *value;

    value = ngx_pnalloc(r->pool, sizeof("attachment; filename=\"\"")
                                 + ngx_strlen(q->file));

    if (value == NULL) {
        return NGX_ERROR;
    }

    *ngx_sprintf(value, "attachment; filename=\"%s\"", q->file) = '\0';

    return ngx_pyroscope_reply_header(r, "Content-Disposition",
                                      (char *) value);
}
