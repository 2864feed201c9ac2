/*
 * A request's body as bytes for a task.  nginx leaves it in buffers, in one
 * temporary file, or in both; the event loop only notes where (collect), the
 * task reads (read).
 */

#ifndef _NGX_PYROSCOPE_BODY_H_INCLUDED_
#define _NGX_PYROSCOPE_BODY_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


typedef struct {
    u_char    *data;            /* in memory, or NULL */
    off_t      offset;          /* in the file else */
    size_t     len;
} ngx_pyroscope_range_t;


typedef struct {
    ngx_pyroscope_range_t  *ranges;     /* in the request's pool */
    ngx_uint_t              n;
    size_t                  size;       /* of all ranges */
    ngx_fd_t                fd;
} ngx_pyroscope_body_t;


/* Event loop: notes the ranges of r's body.  NGX_ERROR: no memory. */
ngx_int_t ngx_pyroscope_body_collect(ngx_http_request_t *r,
    ngx_pyroscope_body_t *body);

/*
 * Pool thread: the body as one range, without a copy where it is one buffer,
 * else in the arena.  PYRO_UNAVAILABLE: no memory, or the file cannot be read.
 */
pyro_status_e ngx_pyroscope_body_read(const ngx_pyroscope_body_t *body,
    pyro_arena_t *arena, pyro_slice_t *out, pyro_error_t *err);


#endif /* _NGX_PYROSCOPE_BODY_H_INCLUDED_ */
