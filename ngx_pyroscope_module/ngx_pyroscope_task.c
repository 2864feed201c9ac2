#include "ngx_pyroscope_module/ngx_pyroscope_task.h"

#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"


#define NGX_PYROSCOPE_TASK_TIMER  60000     /* ms */


static void ngx_pyroscope_task_thread(void *data, ngx_log_t *log);
static void ngx_pyroscope_task_done(ngx_event_t *ev);
static ngx_int_t ngx_pyroscope_task_watch(ngx_http_request_t *r);
static void ngx_pyroscope_task_cancel(void *data);
static void ngx_pyroscope_task_resume(ngx_http_request_t *r);


ngx_int_t
ngx_pyroscope_task_post(ngx_http_request_t *r, ngx_thread_pool_t *pool,
    ngx_pyroscope_task_t *task)
{
    ngx_thread_task_t     *thread_task;
    ngx_pyroscope_task_t  *t;

    thread_task = ngx_thread_task_alloc(r->pool, sizeof(ngx_pyroscope_task_t));

    if (thread_task == NULL) {
        return NGX_ERROR;
    }

    t = thread_task->ctx;
    *t = *task;
    t->request = r;

    thread_task->handler = ngx_pyroscope_task_thread;
    thread_task->event.handler = ngx_pyroscope_task_done;
    thread_task->event.data = t;
    thread_task->event.log = r->connection->log;

    if (ngx_pyroscope_task_watch(r) != NGX_OK
        || ngx_thread_task_post(pool, thread_task) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_pyroscope_task_armed(&thread_task->event);

    r->main->blocked++;
    r->aio = 1;
    r->write_event_handler = ngx_pyroscope_task_resume;

    return NGX_OK;
}


static void
ngx_pyroscope_task_thread(void *data, ngx_log_t *log)
{
    ngx_pyroscope_task_t *task = data;

    task->run(task->data);
}


static void
ngx_pyroscope_task_done(ngx_event_t *ev)
{
    ngx_pyroscope_task_t *task = ev->data;

    if (ngx_pyroscope_task_ended(ev)) {
        task->done(task->request, task->data);
    }
}


void
ngx_pyroscope_task_armed(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_PYROSCOPE_TASK_TIMER);
}


ngx_uint_t
ngx_pyroscope_task_ended(ngx_event_t *ev)
{
    if (ev->timedout) {
        ev->timedout = 0;
        ngx_log_error(NGX_LOG_WARN, ev->log, 0,
                      "pyroscope task runs for more than a minute");
        ngx_pyroscope_task_armed(ev);
        return 0;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    return 1;
}


void
ngx_pyroscope_task_wake(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    r->main->blocked--;
    r->aio = 0;

    r->write_event_handler(r);

    ngx_http_run_posted_requests(c);
}


/* While a request is parked nothing else would notice that its client left. */

static ngx_int_t
ngx_pyroscope_task_watch(ngx_http_request_t *r)
{
    ngx_http_cleanup_t  *cln;

    cln = ngx_http_cleanup_add(r, 0);

    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_pyroscope_task_cancel;
    cln->data = r;

    /* a body that is being discarded has a reader, which sees the end itself */

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    return ngx_handle_read_event(r->connection->read, 0);
}


/* The end of a request; of one that is parked only if its client left. */

static void
ngx_pyroscope_task_cancel(void *data)
{
    ngx_pyroscope_ctx_t  *ctx;
    ngx_http_request_t   *r = data;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);

    if (!r->aio || ctx == NULL) {
        return;
    }

    atomic_store_explicit(&ctx->canceled, 1, memory_order_relaxed);

    ngx_pyroscope_metrics_request(r, ctx, NGX_HTTP_CLIENT_CLOSED_REQUEST);
}


static void
ngx_pyroscope_task_resume(ngx_http_request_t *r)
{
    ngx_pyroscope_ctx_t  *ctx;

    if (r->aio) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);
    ctx->resume(r);
}
