#include "ngx_pyroscope_module/ngx_pyroscope_commit.h"

#include "ngx_pyroscope_module/ngx_pyroscope_load.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_task.h"

#include "core/base/clock.h"


#define NGX_PYROSCOPE_COMMIT_MAX  256       /* uploads a group */


/* The group in flight: filled on the loop, then the thread's until it ends. */
typedef struct {
    pyro_store_t            *store;
    ngx_pyroscope_upload_t  *uploads[NGX_PYROSCOPE_COMMIT_MAX];
    pyro_store_push_t       *pushes[NGX_PYROSCOPE_COMMIT_MAX];
    ngx_uint_t               n;
    int64_t                  time;          /* ns */
} ngx_pyroscope_group_t;


static void ngx_pyroscope_commit_note(void);
static void ngx_pyroscope_commit_start(void);
static void ngx_pyroscope_commit_thread(void *data, ngx_log_t *log);
static void ngx_pyroscope_commit_done(ngx_event_t *ev);
static void ngx_pyroscope_commit_result(ngx_pyroscope_upload_t *upload);
static void ngx_pyroscope_commit_fail(void);


static ngx_queue_t            ngx_pyroscope_commit_queue;
static ngx_thread_task_t      ngx_pyroscope_commit_task;
static ngx_pyroscope_group_t  ngx_pyroscope_commit_group;


void
ngx_pyroscope_commit_init(ngx_cycle_t *cycle)
{
    ngx_thread_task_t  *task;

    ngx_queue_init(&ngx_pyroscope_commit_queue);

    task = &ngx_pyroscope_commit_task;

    ngx_memzero(task, sizeof(ngx_thread_task_t));

    task->ctx = &ngx_pyroscope_commit_group;
    task->handler = ngx_pyroscope_commit_thread;
    task->event.handler = ngx_pyroscope_commit_done;
    task->event.data = &ngx_pyroscope_commit_group;
    task->event.log = cycle->log;
}


void
ngx_pyroscope_commit_enqueue(ngx_pyroscope_upload_t *upload)
{
    upload->queued = ngx_current_msec;

    ngx_queue_insert_tail(&ngx_pyroscope_commit_queue, &upload->queue);
    ngx_pyroscope_worker.load->queued++;
    ngx_pyroscope_commit_note();

    if (ngx_pyroscope_commit_group.n == 0) {
        ngx_pyroscope_commit_start();
    }
}


ngx_msec_int_t
ngx_pyroscope_commit_age(void)
{
    ngx_msec_t  oldest;

    oldest = ngx_pyroscope_worker.load->oldest;

    return oldest ? (ngx_msec_int_t) (ngx_current_msec - oldest) : 0;
}


/* For others to see. */

static void
ngx_pyroscope_commit_note(void)
{
    ngx_queue_t             *q;
    ngx_pyroscope_load_t    *load;
    ngx_pyroscope_upload_t  *oldest;

    load = ngx_pyroscope_worker.load;
    load->committing = ngx_pyroscope_commit_group.n;

    if (ngx_queue_empty(&ngx_pyroscope_commit_queue)) {
        load->oldest = 0;
        return;
    }

    q = ngx_queue_head(&ngx_pyroscope_commit_queue);
    oldest = ngx_queue_data(q, ngx_pyroscope_upload_t, queue);
    load->oldest = oldest->queued;
}


static void
ngx_pyroscope_commit_start(void)
{
    ngx_queue_t             *q;
    ngx_thread_task_t       *task;
    ngx_pyroscope_group_t   *group;
    ngx_pyroscope_upload_t  *upload;

    group = &ngx_pyroscope_commit_group;
    group->store = ngx_pyroscope_worker.store;

    while (group->n < NGX_PYROSCOPE_COMMIT_MAX
           && !ngx_queue_empty(&ngx_pyroscope_commit_queue))
    {
        q = ngx_queue_head(&ngx_pyroscope_commit_queue);
        ngx_queue_remove(q);

        upload = ngx_queue_data(q, ngx_pyroscope_upload_t, queue);
        group->uploads[group->n] = upload;
        group->pushes[group->n] = &upload->push;
        group->n++;
    }

    ngx_pyroscope_worker.load->queued -= group->n;
    ngx_pyroscope_commit_note();

    if (group->n == 0) {
        return;
    }

    task = &ngx_pyroscope_commit_task;

    if (ngx_thread_task_post(ngx_pyroscope_worker.write_pool, task)
        != NGX_OK)
    {
        ngx_pyroscope_commit_fail();
        return;
    }

    ngx_pyroscope_task_armed(&task->event);
}


static void
ngx_pyroscope_commit_thread(void *data, ngx_log_t *log)
{
    int64_t                 start;
    ngx_pyroscope_group_t  *group = data;

    start = pyro_clock_mono();

    pyro_store_write(group->store, group->pushes, (uint32_t) group->n);

    group->time = pyro_clock_mono() - start;
}


static void
ngx_pyroscope_commit_done(ngx_event_t *ev)
{
    int64_t                  time;
    ngx_uint_t               i, n;
    ngx_pyroscope_group_t   *group;
    ngx_pyroscope_upload_t  *uploads[NGX_PYROSCOPE_COMMIT_MAX];

    if (!ngx_pyroscope_task_ended(ev)) {
        return;
    }

    group = &ngx_pyroscope_commit_group;

    ngx_pyroscope_metrics_observe(NGX_PYROSCOPE_HISTOGRAM_COMMIT, group->time);
    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_COMMITS, 1);

    n = group->n;
    time = group->time;
    ngx_memcpy(uploads, group->uploads, n * sizeof(ngx_pyroscope_upload_t *));
    group->n = 0;

    /* the next group syncs while this one's answers go out */

    ngx_pyroscope_commit_start();

    for (i = 0; i < n; i++) {
        uploads[i]->commit_time = time;
        ngx_pyroscope_commit_result(uploads[i]);
        ngx_pyroscope_task_wake(uploads[i]->request);
    }
}


static void
ngx_pyroscope_commit_result(ngx_pyroscope_upload_t *upload)
{
    pyro_store_push_t  *push;

    push = &upload->push;
    upload->status = push->status;

    if (push->info_failed) {
        ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_INFO_FAILURES, 1);
    }

    if (push->status != PYRO_OK) {
        upload->error = push->error;
        return;
    }

    ngx_pyroscope_metrics_service(push->tenant, push->service,
                                  upload->body.size,
                                  push->stored ? push->profile->n_samples : 0);

    if (push->stored) {
        ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_PUSHES_STORED, 1);
        ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_SAMPLES,
                                  push->profile->n_samples);
        ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_FOLDED, push->folded);
        ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_SERIES_FOLDED,
                                  push->series_folded);

    } else if (push->profile->n_sections == 0) {
        ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_PUSHES_EMPTY, 1);

    } else {
        ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_PUSHES_REPEATED, 1);
    }
}


/* The pool's queue is full, which its one task cannot bring about. */

static void
ngx_pyroscope_commit_fail(void)
{
    ngx_uint_t               i, n;
    ngx_pyroscope_group_t   *group;
    ngx_pyroscope_upload_t  *upload;

    group = &ngx_pyroscope_commit_group;
    n = group->n;

    for (i = 0; i < n; i++) {
        upload = group->uploads[i];
        upload->status = pyro_error_set(&upload->error, PYRO_EXHAUSTED,
                                        PYRO_REASON_QUEUE,
                                        "the queue of the thread pool "
                                        "\"pyroscope_write\" is full");
        ngx_pyroscope_task_wake(upload->request);
    }

    group->n = 0;
    ngx_pyroscope_commit_note();
}
