#include "storage/deleting.h"

#include <stdlib.h>


static int pyro_deleting_cmp(const void *one, const void *two);
static pyro_status_e pyro_deleting_write(const pyro_view_t *view,
    const uint8_t *list, size_t n);


pyro_status_e
pyro_deleting_read(const pyro_view_t *view, pyro_slice_t *list)
{
    pyro_status_e  status;

    status = pyro_view_get(view, PYRO_DB_META, "deleting", strlen("deleting"),
                           list);

    if (status == PYRO_NOT_FOUND) {
        *list = pyro_slice(NULL, 0);
        return PYRO_OK;
    }

    if (status == PYRO_OK && list->len % 4) {
        return pyro_env_damaged(view->part->env, "deleting of format",
                                PYRO_FORMAT, view->err);
    }

    return status;
}


pyro_status_e
pyro_deleting_count(const pyro_view_t *view, uint32_t *n)
{
    pyro_slice_t   list;
    pyro_status_e  status;

    *n = 0;
    status = pyro_deleting_read(view, &list);

    if (status == PYRO_OK) {
        *n = (uint32_t) (list.len / 4);
    }

    return status;
}


int
pyro_deleting_has(const pyro_view_t *view, uint32_t stream)
{
    uint32_t        id;
    size_t          low, high, middle;
    pyro_slice_t    list;

    if (pyro_deleting_read(view, &list) != PYRO_OK) {
        return 0;
    }

    for (low = 0, high = list.len / 4; low < high; /* void */ ) {
        middle = low + (high - low) / 2;
        id = pyro_get_be32((const uint8_t *) list.data + middle * 4);

        if (id == stream) {
            return 1;
        }

        if (id < stream) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return 0;
}


/* be32: byte order is the numbers'. */
static int
pyro_deleting_cmp(const void *one, const void *two)
{
    return memcmp(one, two, 4);
}


static pyro_status_e
pyro_deleting_write(const pyro_view_t *view, const uint8_t *list, size_t n)
{
    return n == 0
           ? pyro_view_delete(view, PYRO_DB_META, "deleting",
                              strlen("deleting"))
           : pyro_view_put(view, PYRO_DB_META, "deleting", strlen("deleting"),
                           list, n * 4);
}


pyro_status_e
pyro_deleting_add(const pyro_view_t *view, pyro_arena_t *arena,
    const uint32_t *streams, uint32_t n)
{
    size_t          count;
    uint8_t        *list;
    uint32_t        i;
    pyro_slice_t    known;
    pyro_status_e   status;

    status = pyro_deleting_read(view, &known);

    if (status != PYRO_OK) {
        return status;
    }

    list = pyro_arena_alloc(arena, known.len + (size_t) n * 4);

    if (list == NULL) {
        return pyro_error_memory(view->err);
    }

    if (known.len) {
        memcpy(list, known.data, known.len);
    }

    count = known.len / 4;

    for (i = 0; i < n; i++) {
        pyro_put_be32(list + 4 * count++, streams[i]);
    }

    qsort(list, count, 4, pyro_deleting_cmp);

    return pyro_deleting_write(view, list, count);
}


pyro_status_e
pyro_deleting_done(const pyro_view_t *view, pyro_arena_t *arena,
    uint32_t stream)
{
    size_t          i, n;
    uint8_t        *list;
    pyro_slice_t    known;
    pyro_status_e   status;

    status = pyro_deleting_read(view, &known);

    if (status != PYRO_OK) {
        return status;
    }

    list = pyro_arena_alloc(arena, known.len);

    if (list == NULL) {
        return pyro_error_memory(view->err);
    }

    for (i = 0, n = 0; i < known.len; i += 4) {
        if (pyro_get_be32((const uint8_t *) known.data + i) != stream) {
            memcpy(list + 4 * n++, known.data + i, 4);
        }
    }

    return pyro_deleting_write(view, list, n);
}
