#include "storage/deleting.h"


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
