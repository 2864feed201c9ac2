#include "store_fixture.h"

#include <sys/stat.h>

#include "storage/handle.h"


static void
catalog_makes_partitions(void **state)
{
    char                *dir, path[256];
    struct stat          st;
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_store_t        *store, *other;
    pyro_profile_t      *p;
    pyro_store_stats_t   stats;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=s", "a", 1);

    fixture_write(store, p, T0 + 5 * SEC);
    fixture_write(store, p, T0 + DAY * SEC);
    fixture_write(store, p, T0 + 6 * SEC);

    assert_int_equal(pyro_store_stats(store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.partitions, 2);
    assert_int_equal(stats.open_partitions, 2);
    assert_true(stats.disk_free > 0);

    assert_int_equal(stats.states[PYRO_STATE_OPEN].partitions, 2);
    assert_true(stats.control_bytes > 0);
    assert_int_equal(stats.bytes, stats.control_bytes
                                  + stats.states[PYRO_STATE_OPEN].bytes);
    assert_int_equal(stats.oldest, T0);
    assert_int_equal(stats.newest, T0 + 2 * DAY * SEC);
    assert_int_equal(stats.aside, 0);
    assert_in_range(stats.readers, 1, stats.readers_limit);

    /* generation 1 is the empty catalogue, 2 its first tenant or file */

    snprintf(path, sizeof(path), "%s/%s", dir,
             store->catalog.parts[0]->name);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777 & ~0640, 0);
    assert_int_equal(memcmp(store->catalog.parts[0]->name, "p-20261122.", 11),
                     0);

    pyro_store_close(store);

    other = fixture_open(dir);
    assert_int_equal(fixture_total(other, "{}", 0, INT64_MAX), 3);
    pyro_store_close(other);

    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
catalog_has_hourly_partitions(void **state)
{
    char                  *dir;
    pyro_error_t           err;
    pyro_arena_t          *arena;
    pyro_store_t          *store;
    pyro_profile_t        *p;
    pyro_store_stats_t     stats;
    pyro_store_options_t   options;

    (void) state;

    dir = fixture_dir();
    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=s", "a", 1);

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.partition = 3600;
    options.max_open = 2;
    options.map_size = 64 * 1024 * 1024;

    assert_int_equal(pyro_store_open(&options, &store, &err), PYRO_OK);

    fixture_write(store, p, T0);
    fixture_write(store, p, T0 + 3600 * SEC);
    fixture_write(store, p, T0 + 7200 * SEC);
    fixture_write(store, p, T0 + 13 * 3600 * SEC);
    fixture_write(store, p, T0);

    assert_int_equal(pyro_store_stats(store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.partitions, 4);
    assert_true(stats.open_partitions <= 2);
    assert_int_equal(memcmp(store->catalog.parts[3]->name, "p-20261122T13.",
                            14), 0);

    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 4);
    pyro_store_close(store);

    /* another length: what is there stays readable and writable */

    options.partition = DAY;
    assert_int_equal(pyro_store_open(&options, &store, &err), PYRO_OK);

    fixture_write(store, p, T0);
    fixture_write(store, p, T0 + 5 * 3600 * SEC);

    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 5);
    pyro_store_close(store);

    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
catalog_adopts_strays(void **state)
{
    char             *dir, path[256];
    FILE             *f;
    pyro_arena_t     *arena;
    pyro_store_t     *store;
    pyro_profile_t   *p;

    (void) state;

    dir = fixture_dir();
    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=s", "a", 1);

    store = fixture_open(dir);
    fixture_write(store, p, T0);
    fixture_write(store, p, T0 + DAY * SEC);
    pyro_store_close(store);

    /* the catalogue is lost, and somebody left a file of another kind */

    snprintf(path, sizeof(path), "%s/control.mdb", dir);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/control.mdb-lock", dir);
    assert_int_equal(unlink(path), 0);

    snprintf(path, sizeof(path), "%s/p-20260101.1.mdb", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "this is no partition\n");
    fclose(f);

    store = fixture_open(dir);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 2);

    /* a new partition gets a name that was never used */

    fixture_write(store, p, T0 + 2 * DAY * SEC);
    fixture_write(store, p, T0);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 3);
    assert_int_equal(access(path, F_OK), 0);
    pyro_store_close(store);

    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
catalog_goes_elsewhere(void **state)
{
    char               *dir;
    uint8_t             sealing[1] = { PYRO_STATE_SEALING };
    pyro_kv_txn_t      *txn;
    pyro_arena_t       *arena;
    pyro_store_t       *store;
    pyro_error_t        err;
    pyro_profile_t     *p;
    pyro_partition_t   *part;

    (void) state;

    dir = fixture_dir();
    arena = pyro_arena_create(0);
    store = fixture_open(dir);
    p = fixture_one(arena, "service_name=s", "a", 1);

    fixture_write(store, p, T0);

    part = pyro_catalog_find(&store->catalog, T0);
    assert_non_null(part);
    assert_int_equal(pyro_env_begin(part->env, 0, &txn, &err), PYRO_OK);
    assert_int_equal(pyro_meta_put(txn, part->dbi[PYRO_DB_META], "state",
                                   sealing, 1), 0);
    assert_int_equal(pyro_env_commit(part->env, txn, &err), PYRO_OK);

    fixture_write(store, p, T0 + SEC);

    assert_ptr_not_equal(pyro_catalog_find(&store->catalog, T0), part);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 2);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static pyro_status_e
catalog_push(pyro_store_t *store, pyro_store_push_t *push, const char *tenant)
{
    push->tenant = pyro_slice_str(tenant);
    pyro_store_write(store, &push, 1);

    return push->status;
}


/* Beside others in one call, and of an idle JVM as well: a tenant too many is
 * refused alone, and those that are known go on. */
static void
catalog_of_many_tenants(void **state)
{
    char                  *dir, name[32];
    uint32_t               i;
    pyro_error_t           err;
    pyro_arena_t          *arena;
    pyro_store_t          *store;
    pyro_kv_txn_t         *txn;
    pyro_catalog_t        *catalog;
    pyro_store_push_t      one, two, *both[] = { &one, &two };
    pyro_store_setting_t   setting = { PYRO_SLICE("a"), PYRO_SLICE("b"), 0 };

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    catalog = &store->catalog;
    arena = pyro_arena_create(0);
    one = fixture_push(fixture_one(arena, "service_name=s", "a", 1), T0);
    two = one;

    assert_int_equal(catalog_push(store, &one, "known"), PYRO_OK);
    assert_int_equal(pyro_catalog_change(catalog, &txn, &err), PYRO_OK);

    for (i = 2; i < PYRO_CATALOG_TENANTS; i++) {
        snprintf(name, sizeof(name), "t%u", i);
        assert_int_equal(pyro_catalog_put_tenant(catalog, txn, i,
                                                 pyro_slice_str(name)), 0);
    }

    assert_int_equal(pyro_catalog_commit(catalog, txn, catalog->generation + 1,
                                         &err), PYRO_OK);

    assert_int_equal(catalog_push(store, &two, "last"), PYRO_OK);

    one.time += SEC;
    two.tenant = PYRO_SLICE("more");
    pyro_store_write(store, both, 2);
    assert_int_equal(one.status, PYRO_OK);
    assert_int_equal(one.stored, 1);
    assert_int_equal(two.status, PYRO_UNPROCESSABLE);
    assert_string_equal(two.error.message, "tenant \"more\" would be one more "
                        "than the 100000 that a store may have");

    two.profile = pyro_profile_create(arena);
    assert_int_equal(catalog_push(store, &two, "idle"), PYRO_UNPROCESSABLE);
    assert_int_equal(catalog_push(store, &two, "t77"), PYRO_OK);

    assert_int_equal(pyro_store_settings_set(store, PYRO_SLICE("more"),
                                             &setting, &err),
                     PYRO_UNPROCESSABLE);
    assert_int_equal(pyro_store_settings_set(store, PYRO_SLICE("t77"),
                                             &setting, &err), PYRO_OK);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(catalog_makes_partitions),
        cmocka_unit_test(catalog_has_hourly_partitions),
        cmocka_unit_test(catalog_adopts_strays),
        cmocka_unit_test(catalog_goes_elsewhere),
        cmocka_unit_test(catalog_of_many_tenants),
    };

    return unit_run(tests);
}
