#include "store_fixture.h"

#include "storage/handle.h"


static pyro_arena_t  *files_arena;


static pyro_store_push_t
files_write(pyro_store_t *store, const char *stack, int64_t value,
    int64_t time)
{
    return fixture_write(store, fixture_one(files_arena, "service_name=s",
                                            stack, value), time);
}


/* The partition of T0: its name, which the caller frees. */
static char *
files_partition(const char *dir)
{
    DIR            *d;
    char           *name;
    struct dirent  *entry;

    name = NULL;
    d = opendir(dir);
    assert_non_null(d);

    while ((entry = readdir(d)) != NULL) {
        if (strncmp(entry->d_name, "p-", 2) == 0
            && strstr(entry->d_name, "-lock") == NULL)
        {
            name = strdup(entry->d_name);
            break;
        }
    }

    closedir(d);
    assert_non_null(name);

    return name;
}


static void
files_copy(const char *from, const char *to)
{
    int    c;
    FILE  *in, *out;

    in = fopen(from, "rb");
    out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);

    while ((c = getc(in)) != EOF) {
        putc(c, out);
    }

    fclose(in);
    fclose(out);
}


static void
files_of_a_copy(void **state)
{
    char          *dir, *name, from[512], to[512];
    uint32_t       i;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    files_write(store, "a", 1, T0 + SEC);
    pyro_store_close(store);

    name = files_partition(dir);
    snprintf(from, sizeof(from), "%s/%s", dir, name);
    snprintf(to, sizeof(to), "%s/p-20261122.bak.mdb", dir);
    files_copy(from, to);

    store = fixture_open(dir);
    files_write(store, "b", 10, T0 + 2 * SEC);
    pyro_store_close(store);

    for (i = 0; i < 3; i++) {
        store = fixture_open(dir);
        assert_int_equal(fixture_total(store, "{}", T0, T0 + 9 * SEC), 11);
        pyro_store_close(store);
    }

    free(name);
    fixture_remove(dir);
}


static void
files_of_a_removed_day(void **state)
{
    char               *dir, *name, path[512];
    pyro_store_t       *store;
    pyro_store_push_t   push;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    files_write(store, "a", 1, T0 + SEC);
    pyro_store_close(store);

    name = files_partition(dir);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(unlink(path), 0);

    store = fixture_open(dir);
    push = files_write(store, "b", 10, T0 + 2 * SEC);
    assert_int_equal(push.status, PYRO_OK);
    push = files_write(store, "b", 10, T0 + 2 * SEC);
    assert_int_equal(push.repeated, 1);
    assert_int_equal(fixture_total(store, "{}", T0, T0 + 9 * SEC), 10);
    pyro_store_close(store);

    /* the next process finds what took its place */

    store = fixture_open(dir);
    push = files_write(store, "b", 10, T0 + 2 * SEC);
    assert_int_equal(push.repeated, 1);
    pyro_store_close(store);

    free(name);
    fixture_remove(dir);
}


static void
files_of_a_broken_catalogue(void **state)
{
    char               *dir;
    pyro_store_t       *store;
    pyro_store_push_t   push;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    files_write(store, "a", 1, T0 + SEC);

    /* what is left of an environment after MDB_PANIC */
    atomic_store(&store->catalog.control->broken, 1);

    push = files_write(store, "b", 10, T0 + (int64_t) DAY * SEC);
    assert_int_equal(push.status, PYRO_OK);
    assert_int_equal(atomic_load(&store->catalog.control->broken), 0);
    assert_int_equal(fixture_total(store, "{}", T0, T0 + 2LL * DAY * SEC), 11);

    pyro_store_close(store);
    fixture_remove(dir);
}


int
main(void)
{
    int                      rc;
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(files_of_a_copy),
        cmocka_unit_test(files_of_a_removed_day),
        cmocka_unit_test(files_of_a_broken_catalogue),
    };

    files_arena = pyro_arena_create(0);
    rc = unit_run(tests);
    pyro_arena_destroy(files_arena);

    return rc;
}
