#include "ngx_pyroscope_module/ngx_pyroscope_body.h"


ngx_int_t
ngx_pyroscope_body_collect(ngx_http_request_t *r, ngx_pyroscope_body_t *body)
{
    size_t                  len;
    ngx_buf_t              *b;
    ngx_uint_t              n;
    ngx_chain_t            *cl, *bufs;
    ngx_pyroscope_range_t  *range;

    ngx_memzero(body, sizeof(ngx_pyroscope_body_t));
    body->fd = NGX_INVALID_FILE;

    bufs = r->request_body != NULL ? r->request_body->bufs : NULL;
    n = 0;

    for (cl = bufs; cl != NULL; cl = cl->next) {
        n++;
    }

    if (n == 0) {
        return NGX_OK;
    }

    body->ranges = ngx_pcalloc(r->pool, n * sizeof(ngx_pyroscope_range_t));

    if (body->ranges == NULL) {
        return NGX_ERROR;
    }

    for (cl = bufs; cl != NULL; cl = cl->next) {
        b = cl->buf;
        range = &body->ranges[body->n];

        if (b->in_file) {
            len = (size_t) (b->file_last - b->file_pos);
            range->offset = b->file_pos;
            body->fd = b->file->fd;

        } else {
            len = b->last - b->pos;
            range->data = b->pos;
        }

        if (len) {
            range->len = len;
            body->size += len;
            body->n++;
        }
    }

    return NGX_OK;
}


pyro_status_e
ngx_pyroscope_body_read(const ngx_pyroscope_body_t *body, pyro_arena_t *arena,
    pyro_slice_t *out, pyro_error_t *err)
{
    char                         *p;
    off_t                         offset;
    size_t                        left;
    ssize_t                       n;
    ngx_uint_t                    i;
    const ngx_pyroscope_range_t  *range;

    if (body->n == 0) {
        *out = pyro_slice("", 0);
        return PYRO_OK;
    }

    if (body->n == 1 && body->ranges[0].data != NULL) {
        *out = pyro_slice(body->ranges[0].data, body->size);
        return PYRO_OK;
    }

    p = pyro_arena_alloc(arena, body->size);

    if (p == NULL) {
        return pyro_error_memory(err);
    }

    *out = pyro_slice(p, body->size);

    for (i = 0; i < body->n; i++) {
        range = &body->ranges[i];

        if (range->data != NULL) {
            memcpy(p, range->data, range->len);
            p += range->len;
            continue;
        }

        offset = range->offset;

        for (left = range->len; left; left -= n) {
            n = pread(body->fd, p, left, offset);

            if (n <= 0) {
                if (n == -1 && errno == EINTR) {
                    n = 0;
                    continue;
                }

                return pyro_error_set(err, PYRO_UNAVAILABLE,
                                      PYRO_REASON_STORE,
                                      "the request's temporary file cannot be "
                                      "read: %s",
                                      n == 0 ? "it ended early"
                                             : "an I/O error");
            }

            p += n;
            offset += n;
        }
    }

    return PYRO_OK;
}
