#include "store_fixture.h"

#include <lmdb.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "storage/handle.h"


#define WRITES  60


static int64_t        info_now;
static pyro_arena_t  *info_arena;


static int64_t
info_clock(void)
{
    return info_now;
}


/* A store whose clock is info_now. */
static pyro_store_t *
info_open(const char *dir)
{
    pyro_store_t  *store;

    store = fixture_open(dir);
    store->info.clock = info_clock;

    return store;
}


static pyro_store_push_t
info_push(const char *tenant, const char *service, const char *info,
    int64_t time)
{
    pyro_profile_t     *empty;
    pyro_store_push_t   push;

    empty = pyro_profile_create(info_arena);
    fixture_finish(empty, "service_name=s");

    push = fixture_push(empty, time);
    push.tenant = pyro_slice_str(tenant);
    push.service = pyro_slice_str(service);
    push.info = pyro_slice_str(info);

    return push;
}


/* Writes one; returns whether it was due and could not be kept. */
static int
info_write(pyro_store_t *store, const char *service, const char *info,
    int64_t time)
{
    pyro_store_push_t  push, *list[1];

    push = info_push("anonymous", service, info, time);
    list[0] = &push;

    pyro_store_write(store, list, 1);
    assert_int_equal(push.status, PYRO_OK);

    return push.info_failed;
}


/* What is known of a service; NULL: nothing. */
static const char *
info_of(pyro_store_t *store, const char *tenant, const char *service)
{
    pyro_slice_t   info;
    pyro_error_t   err;
    pyro_status_e  status;

    status = pyro_store_info(store, pyro_slice_str(tenant),
                             pyro_slice_str(service), info_arena, &info, &err);

    if (status == PYRO_NOT_FOUND) {
        assert_int_equal(err.status, PYRO_NOT_FOUND);
        assert_int_equal(info.len, 0);
        return NULL;
    }

    if (status != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(strlen(info.data), info.len);

    return info.data;
}


static void
info_is(pyro_store_t *store, const char *service, const char *wanted)
{
    const char  *info;

    info = info_of(store, "anonymous", service);

    if (wanted == NULL) {
        assert_null(info);
        return;
    }

    assert_non_null(info);
    assert_string_equal(info, wanted);
}


static uint64_t
info_failures(pyro_store_t *store)
{
    pyro_error_t        err;
    pyro_store_stats_t  stats;

    assert_int_equal(pyro_store_stats(store, &stats, &err), PYRO_OK);

    return stats.info_failures;
}


/* The number of entries. */
static size_t
info_entries(pyro_store_t *store)
{
    pyro_kv_txn_t    *txn;
    pyro_kv_stat_t    stat;
    pyro_error_t      err;
    pyro_catalog_t   *catalog;

    catalog = &store->catalog;

    assert_int_equal(pyro_env_begin(catalog->control, 1, &txn, &err), PYRO_OK);
    assert_int_equal(pyro_kv_stat(txn, catalog->dbi[PYRO_CONTROL_INFO], &stat),
                     0);
    pyro_env_abort(catalog->control, txn);

    return stat.entries;
}


static void
info_is_kept(void **state)
{
    char               *dir;
    pyro_error_t        err;
    pyro_slice_t        info;
    pyro_store_t       *store;
    pyro_store_push_t   push, none, *list[2];

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);

    assert_int_equal(pyro_store_info(store, PYRO_SLICE("anonymous"),
                                     PYRO_SLICE("shop"), info_arena, &info,
                                     &err), PYRO_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"shop\""));

    /* beside samples, and a push without info */

    push = fixture_push(fixture_one(info_arena, "service_name=shop", "a", 1),
                        T0);
    none = fixture_push(fixture_one(info_arena, "service_name=other", "a", 1),
                        T0);
    push.service = PYRO_SLICE("shop");
    push.info = PYRO_SLICE("{}");
    list[0] = &push;
    list[1] = &none;

    pyro_store_write(store, list, 2);
    assert_int_equal(push.status, PYRO_OK);
    assert_int_equal(push.stored, 1);
    assert_int_equal(push.info_failed, 0);
    assert_int_equal(none.status, PYRO_OK);

    info_is(store, "shop", "{}");
    info_is(store, "other", NULL);
    info_is(store, "sho", NULL);
    info_is(store, "", NULL);

    pyro_store_close(store);

    store = fixture_open(dir);
    info_is(store, "shop", "{}");
    assert_int_equal(info_failures(store), 0);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 2);

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
info_of_an_empty_profile(void **state)
{
    char                *dir;
    pyro_error_t         err;
    pyro_store_t        *store;
    pyro_store_stats_t   stats;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);

    info_write(store, "idle", "facts", T0);
    info_is(store, "idle", "facts");

    assert_int_equal(pyro_store_stats(store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.partitions, 0);
    assert_int_equal(stats.commits, 0);

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
info_is_not_written_each_time(void **state)
{
    char          *dir;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    info_now = 5 * SEC;

    info_write(store, "s", "one", T0);
    info_is(store, "s", "one");

    /* another service is another matter */

    info_write(store, "t", "t", T0);
    info_is(store, "t", "t");

    info_now += PYRO_INFO_CHANGED - 1;
    info_write(store, "s", "two", T0 + SEC);
    info_is(store, "s", "one");

    info_now += 1;
    info_write(store, "s", "two", T0 + SEC);
    info_is(store, "s", "two");

    /* 10 s from then, not from the one before */

    info_now += PYRO_INFO_CHANGED - 1;
    info_write(store, "s", "three", T0 + 2 * SEC);
    info_is(store, "s", "two");

    pyro_store_close(store);

    /* another process has not written anything yet */

    store = info_open(dir);
    info_write(store, "s", "three", T0 + 2 * SEC);
    info_is(store, "s", "three");

    pyro_store_close(store);
    fixture_remove(dir);
}


static pyro_store_push_t
info_write_hashed(pyro_store_t *store, const char *info, uint64_t hash,
    int64_t time)
{
    pyro_store_push_t  push, *list[1];

    push = info_push("anonymous", "s", info, time);
    push.info_hash = hash;
    list[0] = &push;

    pyro_store_write(store, list, 1);
    assert_int_equal(push.status, PYRO_OK);

    return push;
}


static void
info_that_has_not_changed(void **state)
{
    char          *dir;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    info_now = 5 * SEC;

    /* the time in it is no change: the hash says so */

    info_write_hashed(store, "at 0", 7, T0);
    info_is(store, "s", "at 0");

    info_now += PYRO_INFO_SAME - 1;
    info_write_hashed(store, "at 59", 7, T0 + 59 * SEC);
    info_is(store, "s", "at 0");

    info_now += 1;
    info_write_hashed(store, "at 60", 7, T0 + 60 * SEC);
    info_is(store, "s", "at 60");

    info_now += PYRO_INFO_CHANGED;
    info_write_hashed(store, "at 70", 7, T0 + 70 * SEC);
    info_is(store, "s", "at 60");
    info_write_hashed(store, "new", 8, T0 + 71 * SEC);
    info_is(store, "s", "new");

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
info_of_an_older_recording(void **state)
{
    char               *dir;
    pyro_store_t       *store;
    pyro_store_push_t   a, b, c, *list[3];

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    info_now = 5 * SEC;

    /* of one call the latest, whatever its place */

    a = info_push("anonymous", "s", "first", T0 + SEC);
    b = info_push("anonymous", "s", "last", T0 + 3 * SEC);
    c = info_push("anonymous", "s", "middle", T0 + 2 * SEC);
    list[0] = &a;
    list[1] = &b;
    list[2] = &c;
    pyro_store_write(store, list, 3);
    info_is(store, "s", "last");

    /* of one time the last */

    info_now += PYRO_INFO_SAME;
    b = info_push("anonymous", "s", "one", T0 + 4 * SEC);
    a = info_push("anonymous", "s", "two", T0 + 4 * SEC);
    list[0] = &b;
    list[1] = &a;
    pyro_store_write(store, list, 2);
    info_is(store, "s", "two");

    info_now += PYRO_INFO_SAME;
    assert_int_equal(info_write(store, "s", "old", T0), 0);
    info_is(store, "s", "two");

    pyro_store_close(store);

    store = info_open(dir);
    info_write(store, "s", "old", T0 + 4 * SEC - 1);
    info_is(store, "s", "two");
    assert_int_equal(info_failures(store), 0);
    pyro_store_close(store);

    store = info_open(dir);
    info_write(store, "s", "same time", T0 + 4 * SEC);
    info_is(store, "s", "same time");

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
info_of_long_names(void **state)
{
    char           *dir, a[5001], b[5001];
    pyro_store_t   *store;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);

    memset(a, 'x', sizeof(a));
    a[sizeof(a) - 1] = '\0';
    memcpy(b, a, sizeof(a));
    b[sizeof(b) - 2] = 'y';

    info_write(store, a, "a", T0);
    info_is(store, a, "a");
    info_is(store, b, NULL);

    info_write(store, b, "b", T0);
    info_is(store, a, "a");
    info_is(store, b, "b");

    info_write(store, "a \"service\" \xc3\xa4/\xff", "c", T0);
    info_is(store, "a \"service\" \xc3\xa4/\xff", "c");

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
info_of_tenants(void **state)
{
    char               *dir;
    pyro_store_t       *store;
    pyro_store_push_t   a, b, *list[2];

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);

    a = info_push("a", "s", "of a", T0);
    b = info_push("b", "s", "of b", T0);
    list[0] = &a;
    list[1] = &b;
    pyro_store_write(store, list, 2);

    assert_string_equal(info_of(store, "a", "s"), "of a");
    assert_string_equal(info_of(store, "b", "s"), "of b");
    assert_null(info_of(store, "c", "s"));

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
info_that_is_too_large(void **state)
{
    char               *dir, *large;
    pyro_store_t       *store;
    pyro_store_push_t   push, *list[1];

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);

    large = malloc(PYRO_STORE_INFO_MAX + 2);
    assert_non_null(large);
    memset(large, 'x', PYRO_STORE_INFO_MAX + 1);
    large[PYRO_STORE_INFO_MAX + 1] = '\0';

    push = fixture_push(fixture_one(info_arena, "service_name=s", "a", 1), T0);
    push.service = PYRO_SLICE("s");
    push.info = pyro_slice_str(large);
    list[0] = &push;

    pyro_store_write(store, list, 1);
    assert_int_equal(push.status, PYRO_OK);
    assert_int_equal(push.stored, 1);
    assert_int_equal(push.info_failed, 1);
    assert_int_equal(info_failures(store), 1);
    info_is(store, "s", NULL);

    large[PYRO_STORE_INFO_MAX] = '\0';
    assert_int_equal(info_write(store, "s", large, T0), 0);
    info_is(store, "s", large);

    free(large);
    pyro_store_close(store);
    fixture_remove(dir);
}


/* The entry under the key of a service: another service's, or broken. */
static void
info_plant(pyro_store_t *store, const char *service, const char *bytes,
    size_t len)
{
    uint8_t          key[PYRO_KEY_MAX];
    pyro_slice_t     k, v;
    pyro_kv_txn_t   *txn;
    uint32_t         tenant;
    pyro_error_t     err;
    pyro_slice_t     name;
    pyro_catalog_t  *catalog;

    catalog = &store->catalog;
    tenant = pyro_catalog_tenant(catalog, PYRO_SLICE("anonymous"));

    /* a copy: of a constant GCC 12 unrolls the hash of long inputs and warns */

    name = pyro_arena_dup(info_arena, pyro_slice_str(service));

    k = pyro_slice(key, pyro_key_pair(key, tenant, pyro_hash64(name.data,
                                                               name.len, 0)));
    v = pyro_slice(bytes, len);

    assert_int_equal(pyro_env_begin(catalog->control, 0, &txn, &err), PYRO_OK);
    assert_int_equal(pyro_kv_put(txn, catalog->dbi[PYRO_CONTROL_INFO], k, v),
                     0);
    assert_int_equal(pyro_env_commit(catalog->control, txn, &err), PYRO_OK);
}


static void
info_of_one_hash(void **state)
{
    char               *dir;
    uint8_t             bytes[PYRO_INFO_HEADER + 8];
    pyro_store_t       *store;
    pyro_info_value_t   v;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    info_write(store, "t", "t", T0);

    v.time = INT64_MAX;
    v.service = PYRO_SLICE("else");
    v.info = PYRO_SLICE("info");
    pyro_info_put(bytes, &v);
    info_plant(store, "s", (char *) bytes, sizeof(bytes));

    /* a name decides; the last that is written is known */

    info_is(store, "s", NULL);
    info_write(store, "s", "mine", T0);
    info_is(store, "s", "mine");
    assert_int_equal(info_entries(store), 2);

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
info_that_is_damaged(void **state)
{
    char           *dir;
    pyro_slice_t    info;
    pyro_error_t    err;
    pyro_store_t   *store;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    info_write(store, "t", "t", T0);

    /* too short, and a name longer than the value */

    info_plant(store, "s", "12345678901", 11);
    assert_int_equal(pyro_store_info(store, PYRO_SLICE("anonymous"),
                                     PYRO_SLICE("s"), info_arena, &info, &err),
                     PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "control.mdb is damaged"));

    info_plant(store, "s", "12345678\0\0\0\2s", 13);
    assert_int_equal(pyro_store_info(store, PYRO_SLICE("anonymous"),
                                     PYRO_SLICE("s"), info_arena, &info, &err),
                     PYRO_UNAVAILABLE);

    info_write(store, "s", "whole", T0);
    info_is(store, "s", "whole");

    pyro_store_close(store);
    fixture_remove(dir);
}


/* The file as a version without infos has left it. */
static void
info_drop(const char *dir)
{
    pyro_kv_txn_t    *txn;
    pyro_store_t     *store;
    pyro_error_t      err;
    pyro_catalog_t   *catalog;

    store = fixture_open(dir);
    catalog = &store->catalog;

    assert_int_equal(pyro_env_begin(catalog->control, 0, &txn, &err), PYRO_OK);
    assert_int_equal(mdb_drop((MDB_txn *) txn,
                              catalog->dbi[PYRO_CONTROL_INFO], 1), 0);
    assert_int_equal(pyro_env_commit(catalog->control, txn, &err), PYRO_OK);

    catalog->dbi[PYRO_CONTROL_INFO] = 0;
    pyro_store_close(store);
}


static void
info_of_an_older_file(void **state)
{
    char          *dir;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    fixture_write(store, fixture_one(info_arena, "service_name=s", "a", 1),
                  T0);
    pyro_store_close(store);

    info_drop(dir);

    store = info_open(dir);
    assert_int_equal(store->catalog.dbi[PYRO_CONTROL_INFO], 0);
    info_is(store, "s", NULL);
    assert_int_equal(store->catalog.dbi[PYRO_CONTROL_INFO], 0);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 1);

    info_write(store, "s", "made", T0);
    info_is(store, "s", "made");
    pyro_store_close(store);

    store = info_open(dir);
    info_is(store, "s", "made");
    pyro_store_close(store);

    fixture_remove(dir);
}


static void
info_entries_are_bounded(void **state)
{
    char           *dir, name[32], last[32];
    uint32_t        i, known;
    pyro_store_t   *store;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    store->info.max_entries = 50;
    info_now = 5 * SEC;

    for (i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "service %u", i);
        assert_int_equal(info_write(store, name, name, T0 + i * SEC), 0);
        info_is(store, name, name);
    }

    assert_int_equal(info_entries(store), 50);

    /* the old ones went: of the later half most are there */

    for (i = 100, known = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "service %u", i);
        known += info_of(store, "anonymous", name) != NULL;
    }

    assert_true(known > 40);
    memcpy(last, name, sizeof(name));

    /* what is there is renewed in its place */

    info_now += PYRO_INFO_SAME;
    assert_int_equal(info_write(store, last, "renewed", T0 + 300 * SEC), 0);
    info_is(store, last, "renewed");
    assert_int_equal(info_entries(store), 50);

    /* room for none */

    store->info.max_entries = 0;
    assert_int_equal(info_write(store, "new", "new", T0), 1);
    info_is(store, "new", NULL);
    assert_int_equal(info_failures(store), 1);

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
info_bytes_are_bounded(void **state)
{
    char           *dir, name[32], text[8001];
    uint32_t        i;
    pyro_store_t   *store;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    store->info.max_bytes = 256 * 1024;
    info_now = 5 * SEC;

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';

    for (i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "service %u", i);
        assert_int_equal(info_write(store, name, text, T0 + i * SEC), 0);
        info_is(store, name, text);
    }

    assert_in_range(info_entries(store), 15, 31);
    assert_int_equal(info_failures(store), 0);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* control.mdb has no room: the day's samples are stored nevertheless. */
static void
info_of_a_full_file(void **state)
{
    char               *dir;
    uint64_t            size;
    pyro_store_t       *store;
    pyro_store_push_t   push, *list[1];

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    info_now = 5 * SEC;

    info_write(store, "t", "t", T0);
    size = store->catalog.control->map_size;
    store->catalog.control->map_size = 4096;

    push = fixture_push(fixture_one(info_arena, "service_name=s", "a", 1), T0);
    push.service = PYRO_SLICE("s");
    push.info = PYRO_SLICE("s");
    list[0] = &push;

    pyro_store_write(store, list, 1);
    assert_int_equal(push.status, PYRO_OK);
    assert_int_equal(push.stored, 1);
    assert_int_equal(push.info_failed, 1);
    assert_int_equal(info_failures(store), 1);
    info_is(store, "s", NULL);

    /* again in 10 s, not with the next push */

    store->catalog.control->map_size = size;

    info_now += PYRO_INFO_CHANGED - 1;
    info_write(store, "s", "s", T0);
    info_is(store, "s", NULL);

    info_now += 1;
    info_write(store, "s", "s", T0);
    info_is(store, "s", "s");
    assert_int_equal(info_failures(store), 1);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* No file may grow: what a full disk is to LMDB. */
static void
info_of_a_full_disk(void **state)
{
    char            *dir, name[32], *large;
    uint32_t         i;
    pyro_store_t    *store;
    struct rlimit    old, none;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    info_now = 5 * SEC;

    info_write(store, "s", "one", T0);

    large = malloc(PYRO_STORE_INFO_MAX + 1);
    assert_non_null(large);
    memset(large, 'x', PYRO_STORE_INFO_MAX);
    large[PYRO_STORE_INFO_MAX] = '\0';

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none = old;
    none.rlim_cur = 16 * 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);

    for (i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "t%u", i);
        assert_int_equal(info_write(store, name, large, T0), 1);
        info_is(store, name, NULL);
    }

    info_is(store, "s", "one");
    assert_int_equal(info_failures(store), 5);
    assert_int_equal(store->catalog.holds, 0);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);

    info_now += PYRO_INFO_CHANGED;
    assert_int_equal(info_write(store, "t0", large, T0), 0);
    info_is(store, "t0", large);
    info_is(store, "s", "one");

    free(large);
    pyro_store_close(store);
    fixture_remove(dir);
}


static void
info_of_a_broken_catalogue(void **state)
{
    char          *dir;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    info_write(store, "s", "one", T0);

    atomic_store(&store->catalog.control->broken, 1);
    info_is(store, "s", "one");
    assert_int_equal(atomic_load(&store->catalog.control->broken), 0);

    atomic_store(&store->catalog.control->broken, 1);
    info_write(store, "t", "two", T0);
    info_is(store, "t", "two");
    assert_int_equal(store->catalog.holds, 0);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* More services than slots: each takes what is free, none is written twice. */
static void
info_slots_are_bounded(void **state)
{
    char           *dir, name[32];
    uint32_t        i, n, written;
    pyro_store_t   *store;

    (void) state;

    dir = fixture_dir();
    store = info_open(dir);
    info_now = 5 * SEC;
    n = 0;

    for (i = 0; i < PYRO_INFO_SLOTS; i++) {
        store->info.slots[i].until = info_now + PYRO_INFO_SAME;
        store->info.slots[i].key = 1;
    }

    info_write(store, "s", "s", T0);
    info_is(store, "s", NULL);
    assert_int_equal(info_failures(store), 0);

    for (i = 0; i < PYRO_INFO_SLOTS; i += 16) {
        store->info.slots[i].until = info_now;
        n++;
    }

    for (i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "service %u", i);
        info_write(store, name, name, T0);
    }

    written = (uint32_t) info_entries(store);
    assert_in_range(written, n / 2, n);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* One of two processes: writes infos of rising times, beginning anew each time
 * so that each is due; the parent has no store open. */
static void
info_child(const char *dir, int64_t from)
{
    char                   text[32];
    uint32_t               i;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_push_t      push, *list[1];
    pyro_store_options_t   options;

    memset(&options, 0, sizeof(options));
    options.dir = dir;

    if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
        _exit(1);
    }

    store->info.clock = info_clock;

    for (i = 0; i < WRITES; i++) {
        info_now += PYRO_INFO_SAME;
        snprintf(text, sizeof(text), "%lld", (long long) (from + 2 * i));
        push = info_push("anonymous", "s", text, from + 2 * i);
        list[0] = &push;
        pyro_store_write(store, list, 1);

        if (push.status != PYRO_OK || push.info_failed
            || atoll(info_of(store, "anonymous", "s")) < from + 2 * i)
        {
            _exit(2);
        }
    }

    pyro_store_close(store);
    _exit(0);
}


static void
info_of_two_processes(void **state)
{
    int            i, rc;
    char          *dir, last[32];
    pid_t          pids[2];
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();

    for (i = 0; i < 2; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);

        if (pids[i] == 0) {
            info_child(dir, T0 + i);
        }
    }

    for (i = 0; i < 2; i++) {
        assert_int_equal(waitpid(pids[i], &rc, 0), pids[i]);
        assert_int_equal(rc, 0);
    }

    store = fixture_open(dir);
    snprintf(last, sizeof(last), "%lld", (long long) T0 + 1 + 2 * (WRITES - 1));
    info_is(store, "s", last);
    assert_int_equal(info_entries(store), 1);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* Another process has made the database after this one has opened the file. */
static void
info_that_another_process_made(void **state)
{
    int            rc, tell[2], go[2];
    char          *dir, c;
    pid_t          pid;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    info_write(store, "t", "t", T0);
    pyro_store_close(store);
    info_drop(dir);

    assert_int_equal(pipe(tell), 0);
    assert_int_equal(pipe(go), 0);

    pid = fork();
    assert_true(pid >= 0);

    if (pid == 0) {
        store = fixture_open(dir);

        if (info_of(store, "anonymous", "s") != NULL
            || write(tell[1], "+", 1) != 1 || read(go[0], &c, 1) != 1)
        {
            _exit(1);
        }

        if (info_of(store, "anonymous", "s") == NULL) {
            _exit(2);
        }

        pyro_store_close(store);
        _exit(0);
    }

    assert_int_equal(read(tell[0], &c, 1), 1);

    store = fixture_open(dir);
    info_write(store, "s", "s", T0);
    assert_int_equal(write(go[1], "+", 1), 1);

    assert_int_equal(waitpid(pid, &rc, 0), pid);
    assert_int_equal(rc, 0);

    close(tell[0]);
    close(tell[1]);
    close(go[0]);
    close(go[1]);

    pyro_store_close(store);
    fixture_remove(dir);
}


int
main(void)
{
    int                      rc;
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(info_is_kept),
        cmocka_unit_test(info_of_an_empty_profile),
        cmocka_unit_test(info_is_not_written_each_time),
        cmocka_unit_test(info_that_has_not_changed),
        cmocka_unit_test(info_of_an_older_recording),
        cmocka_unit_test(info_of_long_names),
        cmocka_unit_test(info_of_tenants),
        cmocka_unit_test(info_that_is_too_large),
        cmocka_unit_test(info_of_one_hash),
        cmocka_unit_test(info_that_is_damaged),
        cmocka_unit_test(info_of_an_older_file),
        cmocka_unit_test(info_entries_are_bounded),
        cmocka_unit_test(info_bytes_are_bounded),
        cmocka_unit_test(info_of_a_full_file),
        cmocka_unit_test(info_of_a_full_disk),
        cmocka_unit_test(info_of_a_broken_catalogue),
        cmocka_unit_test(info_slots_are_bounded),
        cmocka_unit_test(info_of_two_processes),
        cmocka_unit_test(info_that_another_process_made),
    };

    info_arena = pyro_arena_create(0);
    rc = unit_run(tests);
    pyro_arena_destroy(info_arena);

    return rc;
}
