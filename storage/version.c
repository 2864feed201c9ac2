/*
 * A number for what the files of a range hold: their names, each of which is
 * used once, and the number of the last transaction that each was changed by.
 */

#include "core/base/hash.h"
#include "storage/reader.h"


static pyro_status_e pyro_version_partition(pyro_read_t *read, void *ctx);


pyro_status_e
pyro_store_version(pyro_store_t *store, const pyro_store_query_t *query,
    uint64_t *version, pyro_error_t *err)
{
    pyro_status_e         status;
    pyro_store_query_t    every;
    pyro_store_missing_t  missing;

    memset(&missing, 0, sizeof(pyro_store_missing_t));

    every = *query;
    every.missing = &missing;
    *version = 1;

    status = pyro_read_each(store, &every, pyro_version_partition, version,
                            err);

    if (status != PYRO_OK || missing.n) {
        *version = 0;
    }

    return status;
}


static pyro_status_e
pyro_version_partition(pyro_read_t *read, void *ctx)
{
    uint64_t  hash, *version;

    version = ctx;

    hash = pyro_hash64(read->view.part->name, strlen(read->view.part->name),
                       pyro_kv_txn_number(read->view.txn));

    *version = pyro_hash_mix(*version, hash) | 1;

    return PYRO_OK;
}
