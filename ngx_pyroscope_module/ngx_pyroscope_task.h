/*
 * Leaving the event loop and coming back: the only file that parks a request
 * and, with commit, the only one that touches ngx_thread_task_t.
 *
 * A parked request is pinned: nginx keeps its memory, and swaps the write
 * handler for a finalizer if its client goes away.  So whatever a thread uses
 * is freed by a cleanup of the request's pool, never by a request cleanup, and
 * a parked request continues only through its write handler.
 */

#ifndef _NGX_PYROSCOPE_TASK_H_INCLUDED_
#define _NGX_PYROSCOPE_TASK_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


typedef struct {
    ngx_http_request_t  *request;
    void                *data;

    /* in a pool thread: no request, no nginx pool, no log */
    void               (*run)(void *data);

    /* on the event loop, when run() has returned; still parked */
    void               (*done)(ngx_http_request_t *r, void *data);
} ngx_pyroscope_task_t;


/*
 * Posts run(data) to a pool.  NGX_ERROR: no memory, or the pool's queue is
 * full; the request is not parked then.  The request's context says where it
 * goes on (ctx->resume) and carries the cancel flag, which is raised when the
 * client goes away.
 */
ngx_int_t ngx_pyroscope_task_post(ngx_http_request_t *r,
    ngx_thread_pool_t *pool, ngx_pyroscope_task_t *task);

/* Unpins a parked request: ctx->resume(r) runs, if the client is there. */
void ngx_pyroscope_task_wake(ngx_http_request_t *r);

/*
 * The timer of a running task's event: a worker that shuts down lives until no
 * timer is left, so it keeps the worker until the task's end.  armed() starts
 * it; ended() is called first in the event's handler, returns 0 and starts it
 * again if only the timer ran out.
 */
void ngx_pyroscope_task_armed(ngx_event_t *ev);
ngx_uint_t ngx_pyroscope_task_ended(ngx_event_t *ev);


#endif /* _NGX_PYROSCOPE_TASK_H_INCLUDED_ */
