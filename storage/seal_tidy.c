/*
 * Files that whoever made them was killed over, and nobody goes on with.
 */

#include "storage/seal_job.h"


static void pyro_seal_tidy_file(pyro_store_t *store, const char *name);
static int pyro_seal_is_blank(const char *path, uint64_t map_size);


/* Under the catalogue's lock: a partition that is being made is blank, too. */
void
pyro_seal_tidy(pyro_store_t *store)
{
    pyro_kv_txn_t   *txn;
    uint32_t         i, n;
    pyro_arena_t    *arena;
    pyro_slice_t    *names;
    pyro_catalog_t  *catalog;

    catalog = &store->catalog;
    arena = pyro_arena_create(0);

    if (arena == NULL) {
        return;
    }

    pthread_mutex_lock(&catalog->mutex);

    if (pyro_catalog_change(catalog, &txn, NULL) == PYRO_OK) {

        if (pyro_catalog_strays(catalog, arena, &names, &n)) {
            n = 0;
        }

        for (i = 0; i < n; i++) {

            /* a file is open once only */

            if (store->seal == NULL || store->seal->copy.env == NULL
                || strcmp(store->seal->copy.name, names[i].data) != 0)
            {
                pyro_seal_tidy_file(store, names[i].data);
            }
        }

        pyro_env_abort(catalog->control, txn);
    }

    pthread_mutex_unlock(&catalog->mutex);
    pyro_arena_destroy(arena);
}


static void
pyro_seal_tidy_file(pyro_store_t *store, const char *name)
{
    int               waste;
    char              path[4096];
    pyro_status_e     status;
    pyro_partition_t  part;

    memset(&part, 0, sizeof(pyro_partition_t));
    pyro_catalog_path(&store->catalog, name, path, sizeof(path));

    status = pyro_partition_open(&part, path, store->catalog.options.map_size,
                                 PYRO_DURABILITY_COMMIT, PYRO_ACCESS_MAKE,
                                 NULL);

    if (status == PYRO_OK) {
        waste = part.state == PYRO_STATE_BUILDING
                && pyro_seal_is_orphan(store, &part);
        pyro_partition_close(&part);

    } else {
        waste = status == PYRO_UNAVAILABLE
                && pyro_seal_is_blank(path, store->catalog.options.map_size);
    }

    if (waste) {
        pyro_catalog_unlink(&store->catalog, name);
    }
}


int
pyro_seal_is_orphan(pyro_store_t *store, pyro_partition_t *copy)
{
    uint32_t  i, n, list[PYRO_SOURCES_MAX];

    if (pyro_partition_sources(copy, list, &n)) {
        return 1;
    }

    for (i = 0; i < n; i++) {
        if (pyro_catalog_generation_locked(&store->catalog, copy->start,
                                           list[i])
            == NULL)
        {
            return 1;
        }
    }

    return n == 0;
}


/* 1 if it has no database, not even an empty one. */
static int
pyro_seal_is_blank(const char *path, uint64_t map_size)
{
    int             blank;
    pyro_kv_db_t    dbi;
    pyro_kv_stat_t  st;
    pyro_kv_txn_t  *txn;
    pyro_env_t     *env;

    if (pyro_env_open(path, map_size, PYRO_DURABILITY_COMMIT,
                      PYRO_ACCESS_MAKE, &env, NULL)
        != PYRO_OK)
    {
        return 0;
    }

    blank = 0;

    if (pyro_env_begin(env, 1, &txn, NULL) == PYRO_OK) {
        blank = pyro_kv_open(txn, NULL, 0, &dbi) == 0
                && pyro_kv_stat(txn, dbi, &st) == 0 && st.entries == 0;
        pyro_env_abort(env, txn);
    }

    pyro_env_close(env);

    return blank;
}
