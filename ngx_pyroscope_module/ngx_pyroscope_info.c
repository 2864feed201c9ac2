#include "ngx_pyroscope_module/ngx_pyroscope_info.h"

#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"
#include "ngx_pyroscope_module/ngx_pyroscope_task.h"
#include "ngx_pyroscope_module/ngx_pyroscope_tenant.h"

#include "core/base/urlform.h"


/* What the query pool is asked, and its answer. */
typedef struct {
    pyro_store_t   *store;
    pyro_arena_t   *arena;
    pyro_slice_t    tenant;
    pyro_slice_t    service;
    pyro_rope_t     answer;
    pyro_status_e   status;
    pyro_error_t    error;
} ngx_pyroscope_info_t;


static ngx_pyroscope_info_t *ngx_pyroscope_info_create(ngx_http_request_t *r);
static void ngx_pyroscope_info_cleanup(void *data);
static pyro_status_e ngx_pyroscope_info_parse(ngx_http_request_t *r,
    ngx_pyroscope_info_t *info, pyro_error_t *err);
static void ngx_pyroscope_info_run(void *data);
static void ngx_pyroscope_info_done(ngx_http_request_t *r, void *data);
static void ngx_pyroscope_info_resume(ngx_http_request_t *r);


ngx_int_t
ngx_pyroscope_info_handler(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx)
{
    ngx_int_t              rc;
    pyro_error_t           err;
    ngx_pyroscope_info_t  *info;
    ngx_pyroscope_task_t   task;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    info = ngx_pyroscope_info_create(r);

    if (info == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_pyroscope_tenant(r, &info->tenant, &err) != PYRO_OK
        || ngx_pyroscope_info_parse(r, info, &err) != PYRO_OK)
    {
        return ngx_pyroscope_reply_error(r, &err);
    }

    info->store = ngx_pyroscope_worker.store;

    if (info->store == NULL) {
        return ngx_pyroscope_reply_error(r, &ngx_pyroscope_worker.store_error);
    }

    ngx_memzero(&task, sizeof(ngx_pyroscope_task_t));
    task.data = info;
    task.run = ngx_pyroscope_info_run;
    task.done = ngx_pyroscope_info_done;

    ctx->resume = ngx_pyroscope_info_resume;
    ctx->info = info;

    if (ngx_pyroscope_task_post(r, ngx_pyroscope_worker.query_pool, &task)
        != NGX_OK)
    {
        (void) pyro_error_set(&err, PYRO_EXHAUSTED, PYRO_REASON_QUEUE,
                              "the queue of the thread pool "
                              "\"pyroscope_query\" is full");
        return ngx_pyroscope_reply_error(r, &err);
    }

    /* no body reader holds a reference here: the parked request needs one */

    r->main->count++;

    return NGX_DONE;
}


static ngx_pyroscope_info_t *
ngx_pyroscope_info_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t    *cln;
    ngx_pyroscope_info_t  *info;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pyroscope_info_t));

    if (cln == NULL) {
        return NULL;
    }

    info = cln->data;
    ngx_memzero(info, sizeof(ngx_pyroscope_info_t));
    cln->handler = ngx_pyroscope_info_cleanup;

    pyro_rope_init(&info->answer, 0);
    info->arena = pyro_arena_create(0);

    return info->arena != NULL ? info : NULL;
}


static void
ngx_pyroscope_info_cleanup(void *data)
{
    ngx_pyroscope_info_t *info = data;

    pyro_rope_free(&info->answer);
    pyro_arena_destroy(info->arena);
}


static pyro_status_e
ngx_pyroscope_info_parse(ngx_http_request_t *r, ngx_pyroscope_info_t *info,
    pyro_error_t *err)
{
    int            found;
    uint32_t       n;
    pyro_slice_t   query;
    pyro_status_e  status;

    query = ngx_pyroscope_slice(&r->args);
    n = pyro_urlform_count(query, "service_name");

    if (n > 1) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "service_name: is there %u times, must be there "
                              "once", n);
    }

    status = pyro_urlform_get(info->arena, query, "service_name",
                              &info->service, &found, err);

    if (status == PYRO_OK && info->service.len == 0) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "service_name: is required, %s",
                              found ? "and is empty" : "and is missing");
    }

    return status;
}


static void
ngx_pyroscope_info_run(void *data)
{
    pyro_slice_t           json;
    ngx_pyroscope_info_t  *info = data;

    info->status = pyro_store_info(info->store, info->tenant, info->service,
                                   info->arena, &json, &info->error);

    if (info->status == PYRO_OK) {
        pyro_rope_append(&info->answer, json.data, json.len);
        info->status = pyro_rope_status(&info->answer, &info->error);
    }
}


static void
ngx_pyroscope_info_done(ngx_http_request_t *r, void *data)
{
    ngx_pyroscope_task_wake(r);
}


static void
ngx_pyroscope_info_resume(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    pyro_rope_t            answer;
    ngx_pyroscope_ctx_t   *ctx;
    ngx_pyroscope_info_t  *info;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);
    info = ctx->info;

    if (info->status != PYRO_OK) {
        rc = ngx_pyroscope_reply_error(r, &info->error);

    } else {
        answer = info->answer;
        pyro_rope_init(&info->answer, 0);

        rc = ngx_pyroscope_reply(r, NGX_HTTP_OK, "application/json", &answer,
                                 0);
    }

    ngx_http_finalize_request(r, rc);
}
