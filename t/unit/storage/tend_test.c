/*
 * pyro_store_refresh(): what each process does for the files that it has open.
 * Counts the syncs that LMDB asks for.
 */

#include "store_fixture.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "storage/handle.h"


static atomic_int  tend_syncs;


/* Instead of libc's, also for LMDB. */
__attribute__((visibility("default"))) int
fdatasync(int fd)
{
    atomic_fetch_add(&tend_syncs, 1);

    return (int) syscall(SYS_fdatasync, fd);
}


static void
tend_write(pyro_store_t *store, uint32_t i)
{
    pyro_arena_t  *arena;

    arena = pyro_arena_create(0);
    fixture_write(store, fixture_one(arena, "service_name=s", "a;b", 1),
                  T0 + i * SEC);
    pyro_arena_destroy(arena);
}


static void
tend_sleep(int64_t ns)
{
    struct timespec  pause = { ns / SEC, ns % SEC };

    nanosleep(&pause, NULL);
}


static void
periodic_syncs_when_idle(void **state)
{
    int                syncs;
    char              *dir;
    uint32_t           i;
    pyro_error_t       err;
    pyro_store_t      *store;
    pyro_partition_t  *part;

    (void) state;

    dir = fixture_dir();
    store = fixture_open_as(dir, PYRO_DURABILITY_PERIODIC);

    tend_write(store, 0);
    part = pyro_catalog_find(&store->catalog, T0);

    /* until one comes within a second of the sync of another */

    for (i = 1; !atomic_load(&part->env->unsynced); i++) {
        tend_write(store, i);
    }

    tend_sleep(SEC + SEC / 20);
    syncs = atomic_load(&tend_syncs);

    assert_int_equal(pyro_store_refresh(store, &err), PYRO_OK);
    assert_true(atomic_load(&tend_syncs) > syncs);
    assert_int_equal(atomic_load(&part->env->unsynced), 0);

    /* and not again: nothing came since */

    tend_sleep(SEC + SEC / 20);
    syncs = atomic_load(&tend_syncs);

    assert_int_equal(pyro_store_refresh(store, &err), PYRO_OK);
    assert_int_equal(atomic_load(&tend_syncs), syncs);

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
commit_syncs_each(void **state)
{
    int            syncs;
    char          *dir;
    uint32_t       i;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);

    for (i = 0; i < 5; i++) {
        syncs = atomic_load(&tend_syncs);
        tend_write(store, i);
        assert_true(atomic_load(&tend_syncs) > syncs);
    }

    pyro_store_close(store);
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(periodic_syncs_when_idle),
        cmocka_unit_test(commit_syncs_each),
    };

    return unit_run(tests);
}
