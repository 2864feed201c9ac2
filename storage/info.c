#include "storage/handle.h"

#include <stdlib.h>
#include <sys/random.h>

#include "core/base/hash.h"


#define PYRO_INFO_PROBE    64       /* slots in which a service may be */
#define PYRO_INFO_NEAR     8        /* entries of which the oldest goes */
#define PYRO_INFO_KEY      12
#define PYRO_INFO_MESSAGE  200      /* bytes of a name in a message */


typedef struct {
    pyro_store_push_t  *push;
    uint32_t            order;      /* as given */
    uint32_t            tenant;
    pyro_info_slot_t   *slot;
} pyro_info_item_t;


typedef struct {
    pyro_store_t       *store;
    pyro_env_t         *env;
    pyro_kv_db_t        dbi;
    pyro_kv_txn_t      *txn;
} pyro_info_txn_t;


static uint32_t pyro_info_collect(pyro_store_t *store,
    pyro_store_push_t **pushes, uint32_t n, pyro_info_item_t *items);
static int pyro_info_cmp(const void *one, const void *two);
static void pyro_info_fail(pyro_store_t *store, pyro_store_push_t *push);
static pyro_info_slot_t *pyro_info_due(pyro_info_t *info,
    const pyro_store_push_t *push, int64_t now);
static pyro_status_e pyro_info_commit(pyro_store_t *store,
    pyro_info_item_t *items, uint32_t n);
static int pyro_info_apply(pyro_info_txn_t *t, pyro_info_item_t *items,
    uint32_t n);
static int pyro_info_entry(pyro_info_txn_t *t, pyro_info_item_t *item);
static int pyro_info_stays(const pyro_slice_t *value,
    const pyro_info_value_t *v);
static int pyro_info_room(pyro_info_txn_t *t, const pyro_slice_t *key,
    size_t size, int is_new);
static int pyro_info_evict(pyro_info_txn_t *t, const pyro_slice_t *key);
static int pyro_info_oldest(pyro_kv_cursor_t *cursor, const pyro_slice_t *key,
    uint8_t *oldest);
static void pyro_info_key(uint8_t *bytes, uint32_t tenant,
    pyro_slice_t service, pyro_slice_t *key);
static pyro_status_e pyro_info_read(pyro_catalog_t *catalog, uint32_t tenant,
    pyro_slice_t service, pyro_arena_t *arena, pyro_slice_t *info,
    pyro_error_t *err);


void
pyro_info_init(pyro_info_t *info)
{
    info->clock = pyro_clock_mono;
    info->max_entries = PYRO_INFO_ENTRIES;
    info->max_bytes = PYRO_INFO_BYTES;

    if (getrandom(&info->seed, sizeof(info->seed), 0)
        != (ssize_t) sizeof(info->seed))
    {
        info->seed = (uint64_t) pyro_clock_wall();
    }
}


void
pyro_info_write(pyro_store_t *store, pyro_store_push_t **pushes, uint32_t n)
{
    int64_t            now;
    uint32_t           i, count, due;
    pyro_info_item_t  *items;

    items = calloc((size_t) n + 1, sizeof(pyro_info_item_t));

    if (items == NULL) {
        store->info_failures++;
        return;
    }

    count = pyro_info_collect(store, pushes, n, items);
    now = store->info.clock();

    /* of several pushes of a service the latest comes first and takes it */

    qsort(items, count, sizeof(pyro_info_item_t), pyro_info_cmp);

    for (i = 0, due = 0; i < count; i++) {
        items[i].slot = pyro_info_due(&store->info, items[i].push, now);

        if (items[i].slot != NULL) {
            items[due++] = items[i];
        }
    }

    if (due && pyro_info_commit(store, items, due) != PYRO_OK) {

        for (i = 0; i < due; i++) {
            /* what is not there is a change: due in 10 s, not in 60 */
            items[i].slot->hash = ~items[i].slot->hash;
            pyro_info_fail(store, items[i].push);
        }
    }

    free(items);
}


static uint32_t
pyro_info_collect(pyro_store_t *store, pyro_store_push_t **pushes, uint32_t n,
    pyro_info_item_t *items)
{
    uint32_t            i, count;
    pyro_store_push_t  *push;

    for (i = 0, count = 0; i < n; i++) {
        push = pushes[i];

        if (push->status != PYRO_OK || push->service.len == 0
            || push->info.len == 0)
        {
            continue;
        }

        if (push->info.len > PYRO_STORE_INFO_MAX
            || push->service.len > UINT32_MAX)
        {
            pyro_info_fail(store, push);
            continue;
        }

        items[count].push = push;
        items[count++].order = i;
    }

    return count;
}


static int
pyro_info_cmp(const void *one, const void *two)
{
    const pyro_info_item_t  *a = one, *b = two;

    if (a->push->time != b->push->time) {
        return a->push->time > b->push->time ? -1 : 1;
    }

    return (a->order < b->order) - (a->order > b->order);
}


static void
pyro_info_fail(pyro_store_t *store, pyro_store_push_t *push)
{
    if (!push->info_failed) {
        push->info_failed = 1;
        store->info_failures++;
    }
}


/* The push's slot, which is taken; NULL: it is not due, or there is none. */
static pyro_info_slot_t *
pyro_info_due(pyro_info_t *info, const pyro_store_push_t *push, int64_t now)
{
    uint32_t           i;
    uint64_t           key, hash;
    pyro_info_slot_t  *slot, *taken;

    key = pyro_hash_mix(pyro_hash64(push->tenant.data, push->tenant.len,
                                    info->seed),
                        pyro_hash64(push->service.data, push->service.len,
                                    info->seed));
    hash = push->info_hash ? push->info_hash
                           : pyro_hash64(push->info.data, push->info.len, 0);
    taken = NULL;

    for (i = 0; i < PYRO_INFO_PROBE; i++) {
        slot = &info->slots[(key + i) % PYRO_INFO_SLOTS];

        if (slot->until <= now) {
            taken = taken == NULL ? slot : taken;
            continue;
        }

        if (slot->key == key) {

            if (slot->hash == hash
                || now < slot->until - (PYRO_INFO_SAME - PYRO_INFO_CHANGED))
            {
                return NULL;
            }

            taken = slot;
            break;
        }
    }

    if (taken != NULL) {
        taken->key = key;
        taken->hash = hash;
        taken->until = now + PYRO_INFO_SAME;
    }

    return taken;
}


static pyro_status_e
pyro_info_commit(pyro_store_t *store, pyro_info_item_t *items, uint32_t n)
{
    int               rc;
    uint32_t          i;
    pyro_status_e     status;
    pyro_catalog_t   *catalog;
    pyro_info_txn_t   t;

    catalog = &store->catalog;

    /* nothing goes into what a newer version has taken over */

    status = pyro_catalog_refresh(catalog, NULL);

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_catalog_add_tenant(catalog, items[i].push->tenant,
                                         &items[i].tenant, NULL);
    }

    if (status == PYRO_OK) {
        status = pyro_catalog_hold(catalog, PYRO_CONTROL_INFO, 1, NULL);
    }

    if (status != PYRO_OK) {
        return status;
    }

    t.store = store;
    t.env = catalog->control;
    t.dbi = catalog->dbi[PYRO_CONTROL_INFO];

    status = pyro_env_begin(t.env, 0, &t.txn, NULL);

    if (status == PYRO_OK) {
        rc = pyro_info_apply(&t, items, n);

        if (rc == 0) {
            status = pyro_env_commit(t.env, t.txn, NULL);

        } else {
            pyro_env_abort(t.env, t.txn);
            status = pyro_env_error(t.env, rc, "be written", NULL);
        }
    }

    pyro_catalog_unhold(catalog);

    return status;
}


static int
pyro_info_apply(pyro_info_txn_t *t, pyro_info_item_t *items, uint32_t n)
{
    int       rc;
    uint32_t  i;
    uint64_t  extent;

    /*
     * The file must never be full of this: without room in it there is no new
     * partition.  It grows beyond what infos may take where a reader that hangs
     * keeps old pages.
     */

    rc = pyro_env_extent(t->env, &extent);

    if (rc == 0 && extent > t->env->map_size / 4 * 3) {
        rc = PYRO_KV_FULL;
    }

    for (i = 0; i < n && rc == 0; i++) {
        rc = pyro_info_entry(t, &items[i]);
    }

    return rc;
}


static int
pyro_info_entry(pyro_info_txn_t *t, pyro_info_item_t *item)
{
    int                 rc, is_new;
    void               *room;
    size_t              size;
    uint8_t             bytes[PYRO_KEY_MAX];
    pyro_slice_t        key, value;
    pyro_info_value_t   v;

    v.time = item->push->time;
    v.service = item->push->service;
    v.info = item->push->info;

    pyro_info_key(bytes, item->tenant, v.service, &key);

    rc = pyro_kv_get(t->txn, t->dbi, key, &value);

    if (rc != 0 && rc != PYRO_KV_NOT_FOUND) {
        return rc;
    }

    is_new = rc == PYRO_KV_NOT_FOUND;

    if (!is_new && pyro_info_stays(&value, &v)) {
        return 0;
    }

    size = PYRO_INFO_HEADER + v.service.len + v.info.len;
    rc = pyro_info_room(t, &key, size, is_new);

    if (rc == PYRO_KV_NOT_FOUND) {
        pyro_info_fail(t->store, item->push);
        return 0;
    }

    if (rc == 0) {
        rc = pyro_kv_reserve(t->txn, t->dbi, key, size, &room);
    }

    if (rc == 0) {
        pyro_info_put(room, &v);
    }

    return rc;
}


/* 1: the entry is the service's, and newer than v or the same. */
static int
pyro_info_stays(const pyro_slice_t *value, const pyro_info_value_t *v)
{
    pyro_info_value_t  known;

    return pyro_info_get(*value, &known)
           == 0
           && pyro_slice_eq(known.service, v->service)
           && (known.time > v->time
               || (known.time == v->time
                   && pyro_slice_eq(known.info, v->info)));
}


/* PYRO_KV_NOT_FOUND: there is no room, and what was taken away made none. */
static int
pyro_info_room(pyro_info_txn_t *t, const pyro_slice_t *key, size_t size,
    int is_new)
{
    int             rc;
    uint32_t        i;
    pyro_kv_stat_t  stat;

    for (i = 0; i < PYRO_INFO_NEAR; i++) {
        rc = pyro_kv_stat(t->txn, t->dbi, &stat);

        if (rc) {
            return rc;
        }

        if (stat.entries + (size_t) is_new <= t->store->info.max_entries
            && stat.bytes + size <= t->store->info.max_bytes)
        {
            return 0;
        }

        rc = pyro_info_evict(t, key);

        if (rc) {
            return rc;
        }
    }

    return PYRO_KV_NOT_FOUND;
}


/*
 * Takes away the oldest of the entries behind key, which are any entries: keys
 * are hashes.  PYRO_KV_NOT_FOUND: there is none but key's own.
 */
static int
pyro_info_evict(pyro_info_txn_t *t, const pyro_slice_t *key)
{
    int                rc;
    uint8_t            bytes[PYRO_INFO_KEY];
    pyro_kv_cursor_t  *cursor;

    rc = pyro_kv_cursor(t->txn, t->dbi, &cursor);

    if (rc) {
        return rc;
    }

    rc = pyro_info_oldest(cursor, key, bytes);

    pyro_kv_cursor_close(cursor);

    if (rc) {
        return rc;
    }

    return pyro_kv_delete(t->txn, t->dbi, pyro_slice(bytes, PYRO_INFO_KEY));
}


/* The key of the oldest; one that cannot be read is older than all. */
static int
pyro_info_oldest(pyro_kv_cursor_t *cursor, const pyro_slice_t *key,
    uint8_t *oldest)
{
    int                 rc;
    int64_t             time;
    pyro_slice_t        k, v;
    uint32_t            i;
    pyro_info_value_t   known;

    k = *key;
    time = INT64_MAX;
    rc = pyro_kv_move(cursor, PYRO_KV_SEEK, &k, &v);

    for (i = 0; i < PYRO_INFO_NEAR; i++) {

        if (rc == PYRO_KV_NOT_FOUND) {
            rc = pyro_kv_move(cursor, PYRO_KV_FIRST, &k, &v);
        }

        if (rc) {
            break;
        }

        if (pyro_info_get(v, &known)) {
            known.time = INT64_MIN;
        }

        if (k.len == PYRO_INFO_KEY && known.time < time
            && memcmp(k.data, key->data, PYRO_INFO_KEY) != 0)
        {
            time = known.time;
            memcpy(oldest, k.data, PYRO_INFO_KEY);
        }

        rc = pyro_kv_move(cursor, PYRO_KV_NEXT, &k, &v);
    }

    if (rc == 0 || rc == PYRO_KV_NOT_FOUND) {
        rc = time == INT64_MAX ? PYRO_KV_NOT_FOUND : 0;
    }

    return rc;
}


static void
pyro_info_key(uint8_t *bytes, uint32_t tenant, pyro_slice_t service,
    pyro_slice_t *key)
{
    *key = pyro_slice(bytes,
                      pyro_key_pair(bytes, tenant,
                                    pyro_hash64(service.data, service.len,
                                                0)));
}


pyro_status_e
pyro_store_info(pyro_store_t *store, pyro_slice_t tenant, pyro_slice_t service,
    pyro_arena_t *arena, pyro_slice_t *info, pyro_error_t *err)
{
    size_t           len;
    uint32_t         id;
    pyro_status_e    status;
    pyro_catalog_t  *catalog;

    catalog = &store->catalog;
    *info = pyro_slice(NULL, 0);

    /* another process may have entered the tenant */

    status = pyro_catalog_refresh(catalog, err);

    if (status != PYRO_OK) {
        return status;
    }

    id = pyro_catalog_tenant(catalog, tenant);

    pthread_mutex_lock(&catalog->mutex);

    status = id == PYRO_NONE ? PYRO_NOT_FOUND
                             : pyro_catalog_ready(catalog, err);

    if (status == PYRO_OK) {
        status = pyro_catalog_db_locked(catalog, PYRO_CONTROL_INFO, 0, err);
    }

    if (status == PYRO_OK) {
        status = pyro_info_read(catalog, id, service, arena, info, err);
    }

    pthread_mutex_unlock(&catalog->mutex);

    if (status == PYRO_NOT_FOUND) {
        len = service.len < PYRO_INFO_MESSAGE ? service.len
                                              : PYRO_INFO_MESSAGE;

        return pyro_error_set(err, PYRO_NOT_FOUND, PYRO_REASON_REQUEST,
                              "no JFR recording of the service \"%.*s\" is "
                              "known", (int) len, service.data);
    }

    return status;
}


static pyro_status_e
pyro_info_read(pyro_catalog_t *catalog, uint32_t tenant, pyro_slice_t service,
    pyro_arena_t *arena, pyro_slice_t *info, pyro_error_t *err)
{
    int                 rc;
    uint8_t             bytes[PYRO_KEY_MAX];
    pyro_slice_t        key, value;
    pyro_kv_txn_t      *txn;
    pyro_status_e       status;
    pyro_info_value_t   known;

    status = pyro_env_begin(catalog->control, 1, &txn, err);

    if (status != PYRO_OK) {
        return status;
    }

    pyro_info_key(bytes, tenant, service, &key);

    rc = pyro_kv_get(txn, catalog->dbi[PYRO_CONTROL_INFO], key, &value);

    if (rc == PYRO_KV_NOT_FOUND) {
        status = PYRO_NOT_FOUND;

    } else if (rc) {
        status = pyro_env_error(catalog->control, rc, "be read", err);

    } else if (pyro_info_get(value, &known))
    {
        status = pyro_env_damaged(catalog->control, "an info of tenant",
                                  tenant, err);

    } else if (!pyro_slice_eq(known.service, service)) {
        status = PYRO_NOT_FOUND;

    } else {
        *info = pyro_arena_dup(arena, known.info);
        status = info->data == NULL ? pyro_error_memory(err) : PYRO_OK;
    }

    pyro_env_abort(catalog->control, txn);

    return status;
}
