#include "storage/expiry.h"

#include <sys/stat.h>


static int pyro_expiry_has_passed(const pyro_partition_t *part, int64_t now,
    int64_t retention);
static uint32_t pyro_expiry_count(const pyro_store_options_t *options,
    const pyro_partition_t *part, int64_t now);
static int pyro_expiry_changed(const pyro_store_t *store,
    pyro_partition_t *part);
static pyro_status_e pyro_expiry_read(const pyro_store_options_t *options,
    const pyro_view_t *view, int64_t now, pyro_expiry_e *expiry);
static pyro_status_e pyro_expiry_has(const pyro_view_t *view, uint32_t tenant,
    int *has);


int
pyro_expiry_is_over(const pyro_store_options_t *options, pyro_slice_t tenant,
    const pyro_partition_t *part, int64_t now)
{
    uint32_t  i;

    for (i = 0; i < options->n_retentions; i++) {
        if (pyro_slice_eq(options->retentions[i].tenant, tenant)) {
            return pyro_expiry_has_passed(part, now,
                                          options->retentions[i].retention);
        }
    }

    return pyro_expiry_has_passed(part, now, options->retention);
}


static int
pyro_expiry_has_passed(const pyro_partition_t *part, int64_t now,
    int64_t retention)
{
    int64_t  end;

    end = pyro_partition_end(part);

    return retention && end <= now
           && (now - end) / PYRO_NS_PER_SEC >= retention;
}


pyro_status_e
pyro_expiry_look(pyro_store_t *store, pyro_partition_t *part, int64_t now,
    pyro_expiry_e *expiry, pyro_error_t *err)
{
    uint32_t                     passed;
    pyro_view_t                  view;
    pyro_status_e                status;
    const pyro_store_options_t  *options;

    options = &store->catalog.options;
    *expiry = PYRO_EXPIRY_NONE;
    passed = pyro_expiry_count(options, part, now);

    if (passed == 0) {
        return PYRO_OK;
    }

    if (passed == options->n_retentions + 1) {
        *expiry = PYRO_EXPIRY_ALL;
        return PYRO_OK;
    }

    if (!pyro_expiry_changed(store, part) && part->expiry_passed == passed) {
        *expiry = (pyro_expiry_e) part->expiry;
        return PYRO_OK;
    }

    if (pyro_catalog_is_aside(&store->catalog, part)) {
        return PYRO_OK;
    }

    status = pyro_catalog_acquire(&store->catalog, part, err);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND ? PYRO_OK : status;
    }

    view.part = part;
    view.err = err;
    status = pyro_env_begin(part->env, 1, &view.txn, err);

    if (status == PYRO_OK) {
        status = pyro_expiry_read(options, &view, now, expiry);
        pyro_env_abort(part->env, view.txn);
    }

    pyro_catalog_release(&store->catalog, part);

    part->expiry_passed = status == PYRO_OK ? passed : 0;
    part->expiry = (int) *expiry;

    return status;
}


/* How many of the retentions that there are, for the others and of tenants. */
static uint32_t
pyro_expiry_count(const pyro_store_options_t *options,
    const pyro_partition_t *part, int64_t now)
{
    uint32_t  i, n;

    n = (uint32_t) pyro_expiry_has_passed(part, now, options->retention);

    for (i = 0; i < options->n_retentions; i++) {
        n += (uint32_t) pyro_expiry_has_passed(part, now,
                                            options->retentions[i].retention);
    }

    return n;
}


static int
pyro_expiry_changed(const pyro_store_t *store, pyro_partition_t *part)
{
    int          same;
    char         path[4096];
    struct stat  st;

    pyro_catalog_path(&store->catalog, part->name, path, sizeof(path));

    if (stat(path, &st) != 0) {
        return 1;
    }

    same = st.st_mtim.tv_sec == part->expiry_time.tv_sec
           && st.st_mtim.tv_nsec == part->expiry_time.tv_nsec;
    part->expiry_time = st.st_mtim;

    return !same;
}


/* A tenant without a stream in it has nothing there. */
static pyro_status_e
pyro_expiry_read(const pyro_store_options_t *options, const pyro_view_t *view,
    int64_t now, pyro_expiry_e *expiry)
{
    int                has, over, kept;
    pyro_slice_t       key, name;
    pyro_status_e      status;
    pyro_kv_cursor_t  *cursor;

    status = pyro_view_cursor(view, PYRO_DB_TENANT, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    has = 0;
    over = 0;
    kept = 0;
    key = pyro_slice(NULL, 0);

    while ((status = pyro_view_seek(view, cursor, PYRO_KV_NEXT, &key, &name))
           == PYRO_OK)
    {
        status = key.len == 4
                 ? pyro_expiry_has(view,
                                   pyro_get_be32((const uint8_t *) key.data),
                                   &has)
                 : pyro_env_damaged(view->part->env, "tenant", 0, view->err);

        if (status != PYRO_OK) {
            break;
        }

        if (has && pyro_expiry_is_over(options, name, view->part, now)) {
            over = 1;

        } else if (has) {
            kept = 1;
        }
    }

    pyro_kv_cursor_close(cursor);

    if (status != PYRO_NOT_FOUND) {
        return status;
    }

    *expiry = !over ? PYRO_EXPIRY_NONE : kept ? PYRO_EXPIRY_SOME
                                              : PYRO_EXPIRY_ALL;

    return PYRO_OK;
}


/* All streams have a label: their service's name. */
static pyro_status_e
pyro_expiry_has(const pyro_view_t *view, uint32_t tenant, int *has)
{
    uint8_t            bytes[PYRO_KEY_MAX];
    pyro_slice_t       key, value;
    pyro_status_e      status;
    pyro_kv_cursor_t  *cursor;

    *has = 0;
    key = pyro_slice(bytes, pyro_key_post(bytes, tenant, 0, 0, 0));
    status = pyro_view_cursor(view, PYRO_DB_POST, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_view_seek(view, cursor, PYRO_KV_SEEK, &key, &value);

    if (status == PYRO_OK) {
        *has = key.len == PYRO_POST_KEY
               && pyro_get_be32((const uint8_t *) key.data) == tenant;
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}
