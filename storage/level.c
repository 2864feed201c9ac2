#include "storage/level.h"


#define PYRO_ROLLED_SIZE  8


pyro_status_e
pyro_rolled_read(const pyro_view_t *view, pyro_rolled_t *rolled)
{
    pyro_slice_t             in;
    pyro_status_e            status;
    const pyro_partition_t  *part;

    part = view->part;
    memset(rolled, 0, sizeof(pyro_rolled_t));

    rolled->first = pyro_slot(pyro_partition_start(part));
    rolled->last = pyro_slot(pyro_partition_end(part) - 1);

    status = pyro_view_get(view, PYRO_DB_META, "rolled", strlen("rolled"),
                           &in);

    if (status == PYRO_NOT_FOUND) {
        return PYRO_OK;
    }

    if (status == PYRO_OK && in.len != PYRO_ROLLED_SIZE) {
        return pyro_env_damaged(part->env, "rolled of format", PYRO_FORMAT,
                                view->err);
    }

    if (status == PYRO_OK) {
        rolled->rolled = pyro_get_be32((const uint8_t *) in.data);
        rolled->rolling = pyro_get_be32((const uint8_t *) in.data + 4);
    }

    return status;
}


pyro_status_e
pyro_rolled_write(const pyro_view_t *view, const pyro_rolled_t *rolled)
{
    uint8_t  value[PYRO_ROLLED_SIZE];

    pyro_put_be32(value, rolled->rolled);
    pyro_put_be32(value + 4, rolled->rolling);

    return pyro_view_put(view, PYRO_DB_META, "rolled", strlen("rolled"),
                         value, sizeof(value));
}
