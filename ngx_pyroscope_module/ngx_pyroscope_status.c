#include "ngx_pyroscope_module/ngx_pyroscope_status.h"

#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"
#include "ngx_pyroscope_module/ngx_pyroscope_task.h"

#include "core/settings/show.h"


#define NGX_PYROSCOPE_TEXT     "text/plain; charset=utf-8"
#define NGX_PYROSCOPE_METRICS  "text/plain; version=0.0.4; charset=utf-8"


/* What the query pool makes of /metrics. */
typedef struct {
    pyro_store_t  *store;
    int            available;
    pyro_rope_t    answer;
} ngx_pyroscope_scrape_t;


static ngx_int_t ngx_pyroscope_status_text(ngx_http_request_t *r,
    ngx_uint_t status, const char *content_type, const char *text);
static void ngx_pyroscope_scrape_run(void *data);
static void ngx_pyroscope_scrape_done(ngx_http_request_t *r, void *data);
static void ngx_pyroscope_scrape_resume(ngx_http_request_t *r);
static void ngx_pyroscope_scrape_cleanup(void *data);


static ngx_int_t
ngx_pyroscope_status_text(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, const char *text)
{
    ngx_int_t  rc;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_pyroscope_reply_text(r, status, content_type, text);
}


ngx_int_t
ngx_pyroscope_ready_handler(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx)
{
    u_char                  *text;
    pyro_error_t             err;
    ngx_pyroscope_worker_t  *worker;

    worker = &ngx_pyroscope_worker;

    /* not opened, or opened and not readable any more */

    if (worker->store == NULL || worker->store_error.status != PYRO_OK) {
        err = worker->store_error;

    } else if (pyro_store_room(worker->store, &err) == PYRO_OK) {
        return ngx_pyroscope_status_text(r, NGX_HTTP_OK, NGX_PYROSCOPE_TEXT,
                                         "ready");
    }

    text = ngx_pnalloc(r->pool, sizeof("Store \"\" not ready: \n")
                                + worker->conf->dir.len
                                + PYRO_ERROR_MESSAGE_MAX);

    if (text == NULL
        || ngx_pyroscope_reply_header(r, "Retry-After", "1") != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_sprintf(text, "Store \"%V\" not ready: %s\n%Z", &worker->conf->dir,
                err.message);

    return ngx_pyroscope_status_text(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     NGX_PYROSCOPE_TEXT, (char *) text);
}


ngx_int_t
ngx_pyroscope_healthz_handler(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx)
{
    return ngx_pyroscope_status_text(r, NGX_HTTP_OK, NGX_PYROSCOPE_TEXT, "ok");
}


ngx_int_t
ngx_pyroscope_buildinfo_handler(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx)
{
    return ngx_pyroscope_status_text(r, NGX_HTTP_OK, "application/json",
        "{\"status\":\"success\",\"data\":{"
        "\"version\":\"" NGX_PYROSCOPE_VERSION "\",\"revision\":\"\","
        "\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\","
        "\"goVersion\":\"\",\"nginxVersion\":\"" NGINX_VERSION "\"}}");
}


ngx_int_t
ngx_pyroscope_config_handler(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx)
{
    ngx_int_t    rc;
    pyro_rope_t  text;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    pyro_rope_init(&text, 0);
    pyro_settings_show(ngx_pyroscope_worker.conf->settings, &text);

    if (text.failed) {
        pyro_rope_free(&text);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_pyroscope_reply(r, NGX_HTTP_OK, NGX_PYROSCOPE_TEXT, &text, 0);
}


ngx_int_t
ngx_pyroscope_metrics_handler(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx)
{
    ngx_int_t                rc;
    ngx_pool_cleanup_t      *cln;
    ngx_pyroscope_task_t     task;
    ngx_pyroscope_scrape_t  *scrape;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pyroscope_scrape_t));

    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    scrape = cln->data;
    cln->handler = ngx_pyroscope_scrape_cleanup;

    pyro_rope_init(&scrape->answer, 0);
    scrape->store = ngx_pyroscope_worker.store;
    scrape->available = scrape->store != NULL
                        && ngx_pyroscope_worker.store_error.status == PYRO_OK;

    ngx_memzero(&task, sizeof(ngx_pyroscope_task_t));
    task.data = scrape;
    task.run = ngx_pyroscope_scrape_run;
    task.done = ngx_pyroscope_scrape_done;

    ctx->resume = ngx_pyroscope_scrape_resume;
    ctx->scrape = scrape;

    if (ngx_pyroscope_task_post(r, ngx_pyroscope_worker.query_pool, &task)
        != NGX_OK)
    {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    /* no body reader holds a reference here: the parked request needs one */

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_pyroscope_scrape_run(void *data)
{
    ngx_uint_t               known;
    pyro_error_t             err;
    pyro_store_stats_t       stats;
    ngx_pyroscope_scrape_t  *scrape = data;

    known = scrape->store != NULL
            && pyro_store_stats(scrape->store, &stats, &err) == PYRO_OK;

    ngx_pyroscope_metrics_text(&scrape->answer, known ? &stats : NULL,
                               scrape->available);
}


static void
ngx_pyroscope_scrape_done(ngx_http_request_t *r, void *data)
{
    ngx_pyroscope_task_wake(r);
}


static void
ngx_pyroscope_scrape_resume(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    pyro_rope_t              answer;
    ngx_pyroscope_ctx_t     *ctx;
    ngx_pyroscope_scrape_t  *scrape;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);
    scrape = ctx->scrape;

    if (scrape->answer.failed) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else {
        answer = scrape->answer;
        pyro_rope_init(&scrape->answer, 0);

        rc = ngx_pyroscope_reply(r, NGX_HTTP_OK, NGX_PYROSCOPE_METRICS,
                                 &answer, 0);
    }

    ngx_http_finalize_request(r, rc);
}


static void
ngx_pyroscope_scrape_cleanup(void *data)
{
    ngx_pyroscope_scrape_t *scrape = data;

    pyro_rope_free(&scrape->answer);
}
