/*
 * What each process does now and then for the files that it has open, so that a
 * store that nobody pushes to is as sound as a busy one.
 */

#include "storage/handle.h"


#define PYRO_TEND_READERS  (10 * PYRO_NS_PER_SEC)   /* from check to check */


/* What is done to a file that is open, and stays so meanwhile. */
typedef pyro_status_e (*pyro_tend_pt)(pyro_env_t *env, void *ctx,
    pyro_error_t *err);


static pyro_status_e pyro_tend_each(pyro_catalog_t *catalog, pyro_tend_pt tend,
    void *ctx, pyro_error_t *err);
static pyro_status_e pyro_tend_control(pyro_catalog_t *catalog,
    pyro_tend_pt tend, void *ctx, pyro_error_t *err);
static pyro_partition_t *pyro_tend_next(pyro_catalog_t *catalog, uint32_t *i);
static pyro_status_e pyro_tend_settle(pyro_env_t *env, void *ctx,
    pyro_error_t *err);
static pyro_status_e pyro_tend_readers(pyro_env_t *env, void *ctx,
    pyro_error_t *err);


pyro_status_e
pyro_store_refresh(pyro_store_t *store, pyro_error_t *err)
{
    int             dead;
    int64_t         now;
    pyro_status_e   status;

    dead = 0;
    (void) pyro_guard_check(&store->guard, NULL);

    status = pyro_catalog_refresh(&store->catalog, err);

    if (status == PYRO_OK) {
        status = pyro_tend_each(&store->catalog, pyro_tend_settle, NULL, err);
    }

    now = pyro_clock_mono();

    if (now - atomic_load(&store->readers_checked) >= PYRO_TEND_READERS) {
        atomic_store(&store->readers_checked, now);
        (void) pyro_tend_each(&store->catalog, pyro_tend_readers, &dead, NULL);
    }

    return status;
}


int
pyro_store_reader_check(pyro_store_t *store, pyro_error_t *err)
{
    int  dead;

    dead = 0;

    return pyro_tend_each(&store->catalog, pyro_tend_readers, &dead, err)
           == PYRO_OK ? dead : -1;
}


/* The first error; the other files have their turn nevertheless. */
static pyro_status_e
pyro_tend_each(pyro_catalog_t *catalog, pyro_tend_pt tend, void *ctx,
    pyro_error_t *err)
{
    uint32_t           i;
    pyro_status_e      status, first;
    pyro_partition_t  *part;

    first = pyro_tend_control(catalog, tend, ctx, err);
    i = 0;

    while ((part = pyro_tend_next(catalog, &i)) != NULL) {
        status = tend(part->env, ctx, first == PYRO_OK ? err : NULL);
        first = first == PYRO_OK ? status : first;
        pyro_catalog_release(catalog, part);
    }

    return first;
}


static pyro_status_e
pyro_tend_control(pyro_catalog_t *catalog, pyro_tend_pt tend, void *ctx,
    pyro_error_t *err)
{
    pyro_status_e  status;

    pthread_mutex_lock(&catalog->mutex);
    status = pyro_catalog_ready(catalog, err);
    catalog->holds += status == PYRO_OK;
    pthread_mutex_unlock(&catalog->mutex);

    if (status != PYRO_OK) {
        return status;
    }

    status = tend(catalog->control, ctx, err);
    pyro_catalog_unhold(catalog);

    return status;
}


/* The next one that is open, acquired; NULL: there is none. */
static pyro_partition_t *
pyro_tend_next(pyro_catalog_t *catalog, uint32_t *i)
{
    pyro_partition_t  *part;

    part = NULL;

    pthread_mutex_lock(&catalog->mutex);

    while (part == NULL && *i < catalog->n_parts) {
        part = catalog->parts[(*i)++];

        if (part->env == NULL || atomic_load(&part->env->broken)) {
            part = NULL;
        }
    }

    if (part != NULL) {
        part->refs++;
    }

    pthread_mutex_unlock(&catalog->mutex);

    return part;
}


static pyro_status_e
pyro_tend_settle(pyro_env_t *env, void *ctx, pyro_error_t *err)
{
    (void) ctx;

    return pyro_env_settle(env, err);
}


static pyro_status_e
pyro_tend_readers(pyro_env_t *env, void *ctx, pyro_error_t *err)
{
    int  n, *dead;

    dead = ctx;
    n = pyro_env_reader_check(env, err);

    if (n == -1) {
        return PYRO_UNAVAILABLE;
    }

    *dead += n;

    return PYRO_OK;
}
