/*
 * Settings of tenants, in control.mdb (storage/schema.h).  Each call is one
 * transaction; LMDB sees to it that one process writes at a time.
 */

#include "storage/handle.h"

#include "core/base/utf8.h"


#define PYRO_SETTING_BYTES  (32 * 1024 * 1024)  /* of 256 MiB of control.mdb */
#define PYRO_SETTING_SHOWN  200     /* bytes of a name in a message */


/* Of one tenant. */
typedef struct {
    pyro_catalog_t        *catalog;
    uint32_t               tenant;
    pyro_env_t            *env;
    pyro_kv_db_t           dbi;
    pyro_kv_txn_t         *txn;
    pyro_error_t          *err;
} pyro_setting_txn_t;


static pyro_status_e pyro_setting_begin(pyro_setting_txn_t *t,
    pyro_store_t *store, pyro_slice_t tenant, int readonly, int make,
    pyro_error_t *err);
static pyro_status_e pyro_setting_end(pyro_setting_txn_t *t,
    pyro_status_e status, int readonly);
static pyro_status_e pyro_setting_failed(pyro_setting_txn_t *t, int rc,
    const char *what);
static int pyro_setting_next(pyro_setting_txn_t *t, pyro_kv_cursor_t *cursor,
    int first, pyro_slice_t *key, pyro_slice_t *value);
static pyro_status_e pyro_setting_list(pyro_setting_txn_t *t,
    pyro_arena_t *arena, pyro_store_setting_t **settings, uint32_t *n);
static pyro_status_e pyro_setting_copy(pyro_setting_txn_t *t,
    pyro_arena_t *arena, const pyro_slice_t *key, const pyro_slice_t *value,
    pyro_store_setting_t *setting);
static pyro_status_e pyro_setting_check_name(pyro_slice_t name,
    pyro_error_t *err);
static pyro_status_e pyro_setting_write(pyro_setting_txn_t *t,
    const pyro_store_setting_t *setting);
static pyro_status_e pyro_setting_conflict(pyro_setting_txn_t *t,
    const pyro_store_setting_t *setting, pyro_slice_t value);
static pyro_status_e pyro_setting_count(pyro_setting_txn_t *t,
    const pyro_store_setting_t *setting);
static pyro_status_e pyro_setting_room(pyro_setting_txn_t *t, size_t size);
static int pyro_setting_shown(pyro_slice_t name);


pyro_status_e
pyro_store_settings_get(pyro_store_t *store, pyro_slice_t tenant,
    pyro_arena_t *arena, pyro_store_setting_t **settings, uint32_t *n,
    pyro_error_t *err)
{
    pyro_status_e        status;
    pyro_setting_txn_t   t;

    *settings = NULL;
    *n = 0;

    status = pyro_setting_begin(&t, store, tenant, 1, 0, err);

    if (status == PYRO_OK) {
        status = pyro_setting_list(&t, arena, settings, n);
        status = pyro_setting_end(&t, status, 1);
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


pyro_status_e
pyro_store_settings_set(pyro_store_t *store, pyro_slice_t tenant,
    pyro_store_setting_t *setting, pyro_error_t *err)
{
    pyro_status_e        status;
    pyro_setting_txn_t   t;

    status = pyro_setting_check_name(setting->name, err);

    if (status != PYRO_OK) {
        return status;
    }

    if (setting->value.len > PYRO_STORE_SETTING_VALUE) {
        return pyro_error_set(err, PYRO_TOO_LARGE, PYRO_REASON_REQUEST,
                              "setting.value of \"%.*s\" has %zu bytes, the "
                              "limit is %d",
                              pyro_setting_shown(setting->name),
                              setting->name.data, setting->value.len,
                              PYRO_STORE_SETTING_VALUE);
    }

    if (setting->modified_at <= 0) {
        setting->modified_at = pyro_clock_wall() / PYRO_NS_PER_MS;
    }

    status = pyro_setting_begin(&t, store, tenant, 0, 1, err);

    if (status == PYRO_OK) {
        status = pyro_setting_write(&t, setting);
        status = pyro_setting_end(&t, status, 0);
    }

    return status;
}


pyro_status_e
pyro_store_settings_delete(pyro_store_t *store, pyro_slice_t tenant,
    pyro_slice_t name, pyro_error_t *err)
{
    int                  rc;
    uint8_t              key[PYRO_SETTING_KEY];
    pyro_status_e        status;
    pyro_setting_txn_t   t;

    status = pyro_setting_check_name(name, err);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_setting_begin(&t, store, tenant, 0, 0, err);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND ? PYRO_OK : status;
    }

    rc = pyro_kv_delete(t.txn, t.dbi,
                        pyro_slice(key, pyro_key_setting(key, t.tenant,
                                                         name)));

    if (rc != 0 && rc != PYRO_KV_NOT_FOUND) {
        status = pyro_setting_failed(&t, rc, "be written");
    }

    return pyro_setting_end(&t, status, 0);
}


/* PYRO_NOT_FOUND, if make is 0: there is no such tenant, or no setting of any;
 * else the tenant is entered. */
static pyro_status_e
pyro_setting_begin(pyro_setting_txn_t *t, pyro_store_t *store,
    pyro_slice_t tenant, int readonly, int make, pyro_error_t *err)
{
    pyro_status_e  status;

    t->catalog = &store->catalog;
    t->err = err;

    /* another process may have entered the tenant */

    status = pyro_catalog_refresh(t->catalog, err);

    if (status == PYRO_OK && make) {
        status = pyro_catalog_add_tenant(t->catalog, tenant, &t->tenant, err);

    } else if (status == PYRO_OK) {
        t->tenant = pyro_catalog_tenant(t->catalog, tenant);
        status = t->tenant == PYRO_NONE ? PYRO_NOT_FOUND : PYRO_OK;
    }

    if (status == PYRO_OK) {
        status = pyro_catalog_hold(t->catalog, PYRO_CONTROL_SETTING, make,
                                   err);
    }

    if (status != PYRO_OK) {
        return status;
    }

    t->env = t->catalog->control;
    t->dbi = t->catalog->dbi[PYRO_CONTROL_SETTING];

    status = pyro_env_begin(t->env, readonly, &t->txn, err);

    if (status != PYRO_OK) {
        pyro_catalog_unhold(t->catalog);
    }

    return status;
}


static pyro_status_e
pyro_setting_end(pyro_setting_txn_t *t, pyro_status_e status, int readonly)
{
    if (readonly || status != PYRO_OK) {
        pyro_env_abort(t->env, t->txn);

    } else {
        status = pyro_env_commit(t->env, t->txn, t->err);
    }

    pyro_catalog_unhold(t->catalog);

    return status;
}


static pyro_status_e
pyro_setting_failed(pyro_setting_txn_t *t, int rc, const char *what)
{
    return pyro_env_error(t->env, rc, what, t->err);
}


/* The next one of the tenant; PYRO_KV_NOT_FOUND behind the last one. */
static int
pyro_setting_next(pyro_setting_txn_t *t, pyro_kv_cursor_t *cursor, int first,
    pyro_slice_t *key, pyro_slice_t *value)
{
    int      rc;
    uint8_t  bytes[PYRO_SETTING_KEY];

    *key = pyro_slice(bytes, pyro_key_setting(bytes, t->tenant,
                                              pyro_slice(NULL, 0)));
    rc = pyro_kv_move(cursor, first ? PYRO_KV_SEEK : PYRO_KV_NEXT, key, value);

    if (rc == 0
        && (key->len < 4
            || pyro_get_be32((const uint8_t *) key->data) != t->tenant))
    {
        return PYRO_KV_NOT_FOUND;
    }

    return rc;
}


static pyro_status_e
pyro_setting_list(pyro_setting_txn_t *t, pyro_arena_t *arena,
    pyro_store_setting_t **settings, uint32_t *n)
{
    int                rc;
    uint32_t           cap;
    pyro_slice_t       key, value;
    pyro_status_e      status;
    pyro_kv_cursor_t  *cursor;

    rc = pyro_kv_cursor(t->txn, t->dbi, &cursor);

    if (rc) {
        return pyro_setting_failed(t, rc, "be read");
    }

    cap = 0;
    status = PYRO_OK;

    while (status == PYRO_OK
           && (rc = pyro_setting_next(t, cursor, *n == 0, &key, &value)) == 0)
    {
        status = pyro_arena_grow(arena, settings, &cap, (size_t) *n + 1,
                                 sizeof(pyro_store_setting_t))
                 ? pyro_error_memory(t->err)
                 : pyro_setting_copy(t, arena, &key, &value, &(*settings)[*n]);

        *n += status == PYRO_OK;
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_OK && rc != PYRO_KV_NOT_FOUND
           ? pyro_setting_failed(t, rc, "be read") : status;
}


static pyro_status_e
pyro_setting_copy(pyro_setting_txn_t *t, pyro_arena_t *arena,
    const pyro_slice_t *key, const pyro_slice_t *value,
    pyro_store_setting_t *setting)
{
    pyro_setting_value_t  stored;

    if (pyro_setting_get(*value, &stored)) {
        return pyro_env_damaged(t->env, "a setting of tenant", t->tenant,
                                t->err);
    }

    setting->modified_at = stored.modified;
    setting->name = pyro_arena_dup(arena, pyro_slice(key->data + 4,
                                                     key->len - 4));
    setting->value = pyro_arena_dup(arena, stored.text);

    return setting->name.data == NULL || setting->value.data == NULL
           ? pyro_error_memory(t->err) : PYRO_OK;
}


static pyro_status_e
pyro_setting_check_name(pyro_slice_t name, pyro_error_t *err)
{
    if (name.len == 0) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "setting.name is empty");
    }

    if (name.len > PYRO_STORE_SETTING_NAME) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "setting.name \"%.*s\" has %zu bytes, the limit "
                              "is %d", pyro_setting_shown(name), name.data,
                              name.len, PYRO_STORE_SETTING_NAME);
    }

    if (!pyro_utf8_valid(name.data, name.len)) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "setting.name \"%.*s\" is not UTF-8",
                              PYRO_SLICE_ARG(name));
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_setting_write(pyro_setting_txn_t *t, const pyro_store_setting_t *setting)
{
    int                    rc;
    void                  *room;
    size_t                 size;
    uint8_t                bytes[PYRO_SETTING_KEY];
    pyro_slice_t           key, value;
    pyro_status_e          status;
    pyro_setting_value_t   v;

    key = pyro_slice(bytes, pyro_key_setting(bytes, t->tenant,
                                             setting->name));
    rc = pyro_kv_get(t->txn, t->dbi, key, &value);

    if (rc != 0 && rc != PYRO_KV_NOT_FOUND) {
        return pyro_setting_failed(t, rc, "be read");
    }

    status = rc == 0 ? pyro_setting_conflict(t, setting, value)
                     : pyro_setting_count(t, setting);

    size = PYRO_SETTING_HEADER + setting->value.len;

    if (status == PYRO_OK) {
        status = pyro_setting_room(t, size);
    }

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_kv_reserve(t->txn, t->dbi, key, size, &room);

    if (rc) {
        return pyro_setting_failed(t, rc, "be written");
    }

    v.modified = setting->modified_at;
    v.text = setting->value;
    pyro_setting_put(room, &v);

    return PYRO_OK;
}


/* One that cannot be read is replaced. */
static pyro_status_e
pyro_setting_conflict(pyro_setting_txn_t *t,
    const pyro_store_setting_t *setting, pyro_slice_t value)
{
    pyro_setting_value_t  stored;

    if (pyro_setting_get(value, &stored)
        || stored.modified <= setting->modified_at)
    {
        return PYRO_OK;
    }

    return pyro_error_set(t->err, PYRO_CONFLICT, PYRO_REASON_REQUEST,
                          "setting \"%.*s\" was changed at %lld, which is "
                          "later than modifiedAt, %lld (ms)",
                          pyro_setting_shown(setting->name),
                          setting->name.data, (long long) stored.modified,
                          (long long) setting->modified_at);
}


/* Room for one more of the tenant. */
static pyro_status_e
pyro_setting_count(pyro_setting_txn_t *t, const pyro_store_setting_t *setting)
{
    int                rc;
    uint32_t           n;
    pyro_slice_t       key, value;
    pyro_kv_cursor_t  *cursor;

    rc = pyro_kv_cursor(t->txn, t->dbi, &cursor);

    if (rc) {
        return pyro_setting_failed(t, rc, "be read");
    }

    for (n = 0; n < PYRO_STORE_SETTINGS; n++) {
        rc = pyro_setting_next(t, cursor, n == 0, &key, &value);

        if (rc) {
            break;
        }
    }

    pyro_kv_cursor_close(cursor);

    if (rc == 0) {
        return pyro_error_set(t->err, PYRO_UNPROCESSABLE, PYRO_REASON_REQUEST,
                              "setting \"%.*s\" would be one more than the %d "
                              "that a tenant may have",
                              pyro_setting_shown(setting->name),
                              setting->name.data, PYRO_STORE_SETTINGS);
    }

    return rc == PYRO_KV_NOT_FOUND ? PYRO_OK
                                   : pyro_setting_failed(t, rc, "be read");
}


/*
 * The file must never be full of this: without room in it there is no new
 * partition.
 */
static pyro_status_e
pyro_setting_room(pyro_setting_txn_t *t, size_t size)
{
    int             rc;
    uint64_t        extent;
    pyro_kv_stat_t  stat;

    rc = pyro_kv_stat(t->txn, t->dbi, &stat);

    if (rc == 0) {
        rc = pyro_env_extent(t->env, &extent);
    }

    if (rc) {
        return pyro_setting_failed(t, rc, "be read");
    }

    if (stat.bytes + size > PYRO_SETTING_BYTES
        || extent > t->env->map_size / 4 * 3)
    {
        return pyro_error_set(t->err, PYRO_UNAVAILABLE, PYRO_REASON_DISK,
                              "settings of all tenants take %llu bytes of "
                              "control.mdb, of %d; it has %llu, of %llu",
                              (unsigned long long) stat.bytes,
                              PYRO_SETTING_BYTES, (unsigned long long) extent,
                              (unsigned long long) t->env->map_size);
    }

    return PYRO_OK;
}


static int
pyro_setting_shown(pyro_slice_t name)
{
    return name.len < PYRO_SETTING_SHOWN ? (int) name.len : PYRO_SETTING_SHOWN;
}
