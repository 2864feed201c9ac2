#include "ngx_pyroscope_module/ngx_pyroscope_ingest.h"

#include "ngx_pyroscope_module/ngx_pyroscope_commit.h"
#include "ngx_pyroscope_module/ngx_pyroscope_load.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"
#include "ngx_pyroscope_module/ngx_pyroscope_task.h"
#include "ngx_pyroscope_module/ngx_pyroscope_tenant.h"
#include "ngx_pyroscope_module/ngx_pyroscope_upload.h"


static ngx_pyroscope_upload_t *ngx_pyroscope_upload_create(
    ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx);
static void ngx_pyroscope_upload_release(void *data);
static void ngx_pyroscope_ingest_body_handler(ngx_http_request_t *r);
static pyro_status_e ngx_pyroscope_ingest_admit(ngx_pyroscope_upload_t *u,
    pyro_error_t *err);
static void ngx_pyroscope_ingest_parsed(ngx_http_request_t *r, void *data);
static void ngx_pyroscope_ingest_resume(ngx_http_request_t *r);
static void ngx_pyroscope_ingest_note(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx, ngx_pyroscope_upload_t *u);
static void ngx_pyroscope_ingest_log(ngx_http_request_t *r,
    ngx_pyroscope_upload_t *u);
static ngx_int_t ngx_pyroscope_ingest_refuse(ngx_http_request_t *r,
    ngx_pyroscope_upload_t *u, const pyro_error_t *err);


ngx_int_t
ngx_pyroscope_ingest_handler(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx)
{
    ngx_int_t                rc;
    pyro_error_t             err;
    ngx_pyroscope_upload_t  *u;

    u = ngx_pyroscope_upload_create(r, ctx);

    if (u == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_pyroscope_worker.store == NULL) {
        err = ngx_pyroscope_worker.store_error;
        goto refuse;
    }

    if (ngx_pyroscope_tenant(r, &u->push.tenant, &err) != PYRO_OK
        || ngx_pyroscope_upload_check(u, &err) != PYRO_OK)
    {
        goto refuse;
    }

    u->limits = pyro_settings_limits(u->settings, u->push.tenant);
    u->push.max_series = u->limits->max_global_series_per_tenant;

    if (ngx_pyroscope_tenant_take(u->push.tenant, u->limits, PYRO_RATE_PUSHES,
                                  1, &err)
        != PYRO_OK)
    {
        goto refuse;
    }

    /* a profile of some size goes to a temporary file: no warning for that */

    r->request_body_file_log_level = 0;

    rc = ngx_http_read_client_request_body(r,
                                           ngx_pyroscope_ingest_body_handler);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;

refuse:

    rc = ngx_http_discard_request_body(r);

    return rc != NGX_OK ? rc : ngx_pyroscope_ingest_refuse(r, u, &err);
}


static ngx_pyroscope_upload_t *
ngx_pyroscope_upload_create(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx)
{
    ngx_str_t               *value;
    ngx_pool_cleanup_t      *cln;
    ngx_pyroscope_upload_t  *u;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pyroscope_upload_t));

    if (cln == NULL) {
        return NULL;
    }

    u = cln->data;
    ngx_memzero(u, sizeof(ngx_pyroscope_upload_t));
    cln->handler = ngx_pyroscope_upload_release;

    ctx->upload = u;
    ctx->resume = ngx_pyroscope_ingest_resume;

    u->request = r;
    u->settings = ngx_pyroscope_worker.conf->settings;
    u->canceled = &ctx->canceled;
    u->parse_bytes = &ngx_pyroscope_worker.load->parse_bytes;
    u->query = ngx_pyroscope_slice(&r->args);
    u->length = (size_t) ngx_max(r->headers_in.content_length_n, 0);

    if (r->headers_in.content_type != NULL) {
        u->content_type = ngx_pyroscope_slice(
                                            &r->headers_in.content_type->value);
    }

    value = ngx_pyroscope_request_header(r, "content-encoding");

    if (value != NULL) {
        u->content_encoding = ngx_pyroscope_slice(value);
    }

    return u;
}


/*
 * Gives back what an upload holds of the worker's limits: when it is stored or
 * refused, for its client may keep the connection, and so the request's pool,
 * for long after; and at the pool's end, whatever became of it.
 */

static void
ngx_pyroscope_upload_release(void *data)
{
    ngx_pyroscope_upload_t *u = data;

    if (u->counted) {
        u->counted = 0;
        ngx_pyroscope_worker.load->pushes--;
        ngx_pyroscope_worker.load->push_bytes -= u->body.size;
    }

    atomic_fetch_sub(u->parse_bytes, u->inflated);
    u->inflated = 0;

    pyro_arena_destroy(u->arena);
    u->arena = NULL;
}


static void
ngx_pyroscope_ingest_body_handler(ngx_http_request_t *r)
{
    pyro_error_t             err;
    ngx_pyroscope_ctx_t     *ctx;
    ngx_pyroscope_task_t     task;
    ngx_pyroscope_upload_t  *u;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);
    u = ctx->upload;

    if (ngx_pyroscope_body_collect(r, &u->body) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_pyroscope_metrics_observe(NGX_PYROSCOPE_HISTOGRAM_RECEIVED,
                                  (int64_t) u->body.size);

    if (ngx_pyroscope_ingest_admit(u, &err) != PYRO_OK) {
        ngx_http_finalize_request(r, ngx_pyroscope_ingest_refuse(r, u, &err));
        return;
    }

    ngx_memzero(&task, sizeof(ngx_pyroscope_task_t));
    task.data = u;
    task.run = ngx_pyroscope_upload_parse;
    task.done = ngx_pyroscope_ingest_parsed;

    if (ngx_pyroscope_task_post(r, ngx_pyroscope_worker.parse_pool, &task)
        != NGX_OK)
    {
        (void) pyro_error_set(&err, PYRO_EXHAUSTED, PYRO_REASON_QUEUE,
                              "the queue of the thread pool "
                              "\"pyroscope_parse\" is full");
        ngx_http_finalize_request(r, ngx_pyroscope_ingest_refuse(r, u, &err));
    }
}


static pyro_status_e
ngx_pyroscope_ingest_admit(ngx_pyroscope_upload_t *u, pyro_error_t *err)
{
    ngx_msec_int_t           age;
    ngx_pyroscope_load_t    *load;
    const pyro_settings_t   *settings;
    ngx_pyroscope_worker_t  *worker;

    worker = &ngx_pyroscope_worker;
    load = worker->load;
    settings = u->settings;

    if (worker->store == NULL) {
        *err = worker->store_error;
        return err->status;
    }

    if (load->pushes >= settings->lmdb.queue_pushes) {
        return pyro_error_set(err, PYRO_EXHAUSTED, PYRO_REASON_QUEUE,
                              "%lu uploads wait in this worker, "
                              "lmdb.queue_pushes is %u",
                              (unsigned long) load->pushes,
                              settings->lmdb.queue_pushes);
    }

    if (load->pushes
        && load->push_bytes + u->body.size > settings->lmdb.queue_bytes)
    {
        return pyro_error_set(err, PYRO_EXHAUSTED, PYRO_REASON_QUEUE,
                              "%zu bytes of uploads wait in this worker, "
                              "lmdb.queue_bytes is %llu",
                              load->push_bytes + u->body.size,
                              (unsigned long long)
                              settings->lmdb.queue_bytes);
    }

    age = ngx_pyroscope_commit_age();

    if (age > settings->lmdb.queue_age) {
        return pyro_error_set(err, PYRO_EXHAUSTED, PYRO_REASON_QUEUE,
                              "the oldest upload waits for %ld ms to be "
                              "stored, lmdb.queue_age is %lld ms", (long) age,
                              (long long) settings->lmdb.queue_age);
    }

    load->pushes++;
    load->push_bytes += u->body.size;
    u->counted = 1;

    return PYRO_OK;
}


/* Back from the parse pool; the request stays parked until it is stored. */

static void
ngx_pyroscope_ingest_parsed(ngx_http_request_t *r, void *data)
{
    ngx_pyroscope_upload_t *u = data;

    ngx_pyroscope_metrics_observe(NGX_PYROSCOPE_HISTOGRAM_PARSE,
                                  u->parse_time);

    if (u->inflated) {
        ngx_pyroscope_metrics_observe(NGX_PYROSCOPE_HISTOGRAM_INFLATED,
                                      (int64_t) u->inflated);
    }

    ngx_pyroscope_metrics_jfr(&u->report);

    if (u->status != PYRO_OK) {
        ngx_pyroscope_task_wake(r);
        return;
    }

    ngx_pyroscope_metrics_samples(u->push.profile);

    /* also an idle JVM's, which is sound and has no sample: its facts count */

    ngx_pyroscope_commit_enqueue(u);
}


static void
ngx_pyroscope_ingest_resume(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_pyroscope_ctx_t     *ctx;
    ngx_pyroscope_upload_t  *u;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);
    u = ctx->upload;

    ngx_pyroscope_ingest_note(r, ctx, u);
    ngx_pyroscope_upload_release(u);

    ngx_pyroscope_ingest_log(r, u);

    if (u->status != PYRO_OK) {
        rc = ngx_pyroscope_ingest_refuse(r, u, &u->error);

    } else {
        rc = ngx_pyroscope_reply_text(r, NGX_HTTP_OK, NULL, "");
    }

    ngx_http_finalize_request(r, rc);
}


/* What access logs may tell, of which the upload's arena has a part. */

static void
ngx_pyroscope_ingest_note(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx,
    ngx_pyroscope_upload_t *u)
{
    ngx_str_t  service;

    ctx->parse_time = u->parse_time;
    ctx->commit_time = u->commit_time;

    if (u->service.len) {
        service.data = (u_char *) u->service.data;
        service.len = u->service.len;
        ctx->service.data = ngx_pstrdup(r->pool, &service);
        ctx->service.len = ctx->service.data != NULL ? service.len : 0;
    }

    if (u->status == PYRO_OK && u->push.profile != NULL) {
        ctx->samples = u->push.profile->n_samples;
        ctx->stored = 1;
    }
}


/* A damaged recording is worth a warning, what the JVM has lost itself not. */

static void
ngx_pyroscope_ingest_log(ngx_http_request_t *r, ngx_pyroscope_upload_t *u)
{
    char                lost[PYRO_JFR_LOSSES_MAX];
    ngx_uint_t          level;
    pyro_jfr_report_t  *report;

    report = &u->report;
    pyro_jfr_losses(report, lost);

    if (report->problem[0] == '\0' && lost[0] == '\0') {
        return;
    }

    level = report->problem[0] ? NGX_LOG_WARN : NGX_LOG_INFO;

    ngx_log_error(level, r->connection->log, 0,
                  "pyroscope recording: %s%schunks read: %uL, sample events: "
                  "%uL; lost: %s", report->problem,
                  report->problem[0] ? "; " : "",
                  report->counters[PYRO_JFR_CHUNKS],
                  report->counters[PYRO_JFR_EVENTS],
                  lost[0] ? lost : "nothing");
}


static ngx_int_t
ngx_pyroscope_ingest_refuse(ngx_http_request_t *r, ngx_pyroscope_upload_t *u,
    const pyro_error_t *err)
{
    ngx_pyroscope_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);

    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_PUSHES_REFUSED, 1);
    ngx_pyroscope_metrics_discarded(err->reason,
                                    u->body.size ? u->body.size : u->length);

    if (ctx->service.len) {
        ngx_pyroscope_metrics_service_refused(u->push.tenant,
                                          ngx_pyroscope_slice(&ctx->service));
    }

    return ngx_pyroscope_reply_error(r, err);
}
