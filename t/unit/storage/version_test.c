/*
 * The version of a range: another one after each push that may be in it, the
 * same one as long as nothing came.
 */

#include "store_fixture.h"


static uint64_t
version_of(pyro_store_t *store, const char *tenant, int64_t start,
    int64_t end)
{
    uint64_t            version;
    pyro_error_t        err;
    pyro_store_query_t  query;

    memset(&query, 0, sizeof(query));
    query.tenant = pyro_slice_str(tenant);
    query.start = start;
    query.end = end;
    query.arena = pyro_arena_create(0);

    if (pyro_store_version(store, &query, &version, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    pyro_arena_destroy(query.arena);

    return version;
}


static void
version_push(pyro_store_t *store, const char *tenant, int64_t time)
{
    pyro_arena_t       *arena;
    pyro_store_push_t   push, *list[1];

    arena = pyro_arena_create(0);
    push = fixture_push(fixture_one(arena, "service_name=a", "a;b", 7), time);
    push.tenant = pyro_slice_str(tenant);
    list[0] = &push;

    pyro_store_write(store, list, 1);
    assert_int_equal(push.status, PYRO_OK);
    pyro_arena_destroy(arena);
}


static void
follows_the_files_of_the_range(void **state)
{
    char          *dir;
    uint64_t       none, one, both, two;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);

    /* what is not there yet has a version, too */

    none = version_of(store, "t", T0, T0 + DAY * SEC - 1);
    assert_int_not_equal(none, 0);

    version_push(store, "t", T0);
    one = version_of(store, "t", T0, T0);
    assert_int_not_equal(one, none);
    assert_int_not_equal(one, 0);
    assert_true(version_of(store, "t", T0, T0) == one);

    /* of another day and of another tenant */

    version_push(store, "t", T0 + 2LL * DAY * SEC);
    assert_true(version_of(store, "t", T0, T0) == one);
    assert_true(version_of(store, "u", T0, T0) == none);

    both = version_of(store, "t", T0, T0 + 2LL * DAY * SEC);
    assert_int_not_equal(both, one);

    version_push(store, "t", T0 + 1);
    two = version_of(store, "t", T0, T0);
    assert_int_not_equal(two, one);
    assert_int_not_equal(version_of(store, "t", T0,
                                    T0 + 2LL * DAY * SEC), both);

    pyro_store_close(store);

    store = fixture_open(dir);
    assert_true(version_of(store, "t", T0, T0) == two);
    pyro_store_close(store);
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(follows_the_files_of_the_range),
    };

    return unit_run(tests);
}
