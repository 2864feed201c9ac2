/*
 * Room on the disk: when pushes are refused and when they go on, and what the
 * upkeep removes for it.
 */

#include "store_fixture.h"

#include "storage/handle.h"


#define DAYS   6
#define SIZE   (1024 * 1024 * 1024ULL)
#define NEVER  (pyro_clock_mono() + 3600 * SEC)


typedef struct {
    char                  *dir;
    pyro_store_options_t   options;
    pyro_store_t          *store;
    pyro_arena_t          *arena;
    pyro_profile_t        *profile;
} guard_t;


static void
guard_open(guard_t *g, int64_t min_free_disk)
{
    pyro_error_t  err;

    memset(g, 0, sizeof(guard_t));
    g->dir = fixture_dir();
    g->options.dir = g->dir;
    g->options.map_size = SIZE;
    g->options.min_free_disk = min_free_disk;
    g->arena = pyro_arena_create(0);
    g->profile = fixture_one(g->arena, "service_name=shop", "a;b", 10);

    if (pyro_store_open(&g->options, &g->store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


static void
guard_close(guard_t *g)
{
    pyro_store_close(g->store);
    pyro_arena_destroy(g->arena);
    fixture_remove(g->dir);
}


/* As if the file system were of this size, and had so much free. */
static void
guard_disk(guard_t *g, uint64_t free, uint64_t size)
{
    g->store->guard.looked = NEVER;
    pyro_guard_set(&g->store->guard, free, size);
}


static pyro_status_e
guard_push(guard_t *g, int64_t time, pyro_error_t *err)
{
    pyro_store_push_t  push, *list[1];

    push = fixture_push(g->profile, time);
    list[0] = &push;
    pyro_store_write(g->store, list, 1);
    *err = push.error;

    return push.status;
}


static uint32_t
guard_work(guard_t *g, int64_t now)
{
    pyro_error_t       err;
    pyro_store_work_t  work;

    memset(&work, 0, sizeof(work));
    work.now = now;

    if (pyro_store_maintain(g->store, &work, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return work.removed;
}


/* ---- the tests ---- */

static void
a_little_more_than_the_limit_ends_it(void **state)
{
    pyro_error_t  err;
    pyro_guard_t  guard;

    (void) state;

    pyro_guard_init(&guard, "build", 1600);
    pyro_guard_set(&guard, 1600, 100000);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_OK);

    pyro_guard_set(&guard, 1599, 100000);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_UNAVAILABLE);
    assert_int_equal(err.reason, PYRO_REASON_DISK);
    assert_string_equal(err.message,
                        "the disk is nearly full: lmdb.min_free_disk is 1600 "
                        "bytes, 1599 are free in \"build\"; pushes go on when "
                        "there are 1700");

    pyro_guard_set(&guard, 1699, 100000);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_UNAVAILABLE);
    pyro_guard_set(&guard, 1700, 100000);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_OK);
    pyro_guard_set(&guard, 1600, 100000);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_OK);

    /* a file system that has no size, as some that are no disk */

    pyro_guard_set(&guard, 0, 0);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_OK);
    pyro_guard_destroy(&guard);
}


static void
a_percentage_is_of_the_file_system(void **state)
{
    pyro_error_t  err;
    pyro_guard_t  guard;

    (void) state;

    pyro_guard_init(&guard, "build", -3);
    pyro_guard_set(&guard, 3000, 100000);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_OK);
    assert_int_equal(pyro_guard_limit(&guard), 3000);

    pyro_guard_set(&guard, 2999, 100000);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "lmdb.min_free_disk is 3%, 3000 "));

    /* exabytes */

    pyro_guard_set(&guard, UINT64_MAX / 2, UINT64_MAX);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_OK);
    pyro_guard_destroy(&guard);
}


static void
what_is_free_is_asked_of_the_system(void **state)
{
    int64_t       looked;
    pyro_error_t  err;
    pyro_guard_t  guard;

    (void) state;

    pyro_guard_init(&guard, "build", INT64_MAX);
    assert_int_equal(pyro_guard_known(&guard, &err), PYRO_OK);
    assert_int_equal(pyro_guard_check(&guard, &err), PYRO_UNAVAILABLE);
    assert_true(guard.free > 0);

    /* not again at once */

    looked = guard.looked = NEVER;
    guard.min_free = 1;
    assert_int_equal(pyro_guard_check(&guard, &err), PYRO_UNAVAILABLE);
    assert_int_equal(guard.looked, looked);
    guard.looked = 0;
    assert_int_equal(pyro_guard_check(&guard, &err), PYRO_OK);
    pyro_guard_destroy(&guard);

    pyro_guard_init(&guard, "build/not-there", INT64_MAX);
    assert_int_equal(pyro_guard_check(&guard, &err), PYRO_OK);
    pyro_guard_destroy(&guard);

    pyro_guard_init(&guard, "build", 0);
    assert_int_equal(pyro_guard_check(&guard, &err), PYRO_OK);
    assert_int_equal(guard.looked, 0);
    pyro_guard_destroy(&guard);
}


static void
pushes_wait_for_room(void **state)
{
    guard_t              g;
    pyro_error_t         err;
    pyro_store_stats_t   stats;

    (void) state;

    guard_open(&g, 1000);
    guard_disk(&g, 1000, 100000);
    assert_int_equal(guard_push(&g, T0, &err), PYRO_OK);
    assert_int_equal(pyro_store_room(g.store, &err), PYRO_OK);

    guard_disk(&g, 999, 100000);
    assert_int_equal(pyro_store_room(g.store, &err), PYRO_UNAVAILABLE);
    assert_int_equal(guard_push(&g, T0 + SEC, &err), PYRO_UNAVAILABLE);
    assert_int_equal(err.reason, PYRO_REASON_DISK);
    assert_non_null(strstr(err.message, "lmdb.min_free_disk"));
    assert_int_equal(guard_push(&g, T0 + DAY * SEC, &err), PYRO_UNAVAILABLE);

    assert_int_equal(pyro_store_stats(g.store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.partitions, 1);
    assert_int_equal(stats.disk_limit, 1000);
    assert_int_equal(stats.disk_scarce, 1);
    assert_int_equal(stats.commits, 1);
    assert_int_equal(fixture_total(g.store, "{}", 0, INT64_MAX), 10);

    guard_disk(&g, 2000, 100000);
    assert_int_equal(guard_push(&g, T0 + SEC, &err), PYRO_OK);
    assert_int_equal(fixture_total(g.store, "{}", 0, INT64_MAX), 20);
    assert_int_equal(pyro_store_stats(g.store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.disk_scarce, 0);
    guard_close(&g);
}


/* Only where something is to go at all, and never what is written now. */
static void
the_oldest_go_for_room(void **state)
{
    int                  i;
    guard_t              g;
    uint64_t             one;
    pyro_error_t         err;
    pyro_store_stats_t   stats;

    (void) state;

    guard_open(&g, 1);

    for (i = 0; i < DAYS; i++) {
        assert_int_equal(guard_push(&g, T0 + i * DAY * SEC, &err), PYRO_OK);
    }

    assert_int_equal(pyro_store_stats(g.store, &stats, &err), PYRO_OK);
    one = stats.bytes / (DAYS + 1);

    /* room for one and a half of them is missing */

    g.store->guard.min_free = (int64_t) (16 * one);
    guard_disk(&g, 17 * one - one * 3 / 2, SIZE);
    assert_int_equal(pyro_store_room(g.store, &err), PYRO_UNAVAILABLE);
    assert_int_equal(guard_work(&g, T0 + DAYS * DAY * SEC), 0);

    g.store->catalog.options.retention = 1000LL * 365 * DAY;
    assert_in_range(guard_work(&g, T0 + DAYS * DAY * SEC), 1, 3);

    /* others have the files open still: that is no reason for more to go */

    assert_int_equal(guard_work(&g, T0 + DAYS * DAY * SEC), 0);
    assert_int_equal(pyro_store_stats(g.store, &stats, &err), PYRO_OK);
    assert_in_range(stats.partitions, DAYS - 3, DAYS - 1);
    assert_int_equal(fixture_total(g.store, "{}", T0 + 3 * DAY * SEC,
                                   INT64_MAX), 30);

    /* a minute later it is */

    g.store->guard.freed_until = 0;
    guard_disk(&g, 0, SIZE);
    assert_true(guard_work(&g, T0 + (DAYS - 1) * DAY * SEC + SEC) > 0);
    assert_int_equal(pyro_store_stats(g.store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.partitions, 1);
    assert_int_equal(fixture_total(g.store, "{}", 0, INT64_MAX), 10);
    guard_close(&g);
}


/* Sealing takes room before it gives some back. */
static void
sealing_waits_for_room(void **state)
{
    int                i;
    guard_t            g;
    pyro_error_t       err;
    pyro_store_work_t  work;

    (void) state;

    guard_open(&g, 1000);
    g.store->catalog.options.seal_after = 3600;
    assert_int_equal(guard_push(&g, T0, &err), PYRO_OK);

    memset(&work, 0, sizeof(work));
    work.now = T0 + 2 * DAY * SEC;
    work.seal_cpu = 10 * SEC;
    guard_disk(&g, 999, 100000);

    for (i = 0; i < 3; i++) {
        assert_int_equal(pyro_store_maintain(g.store, &work, &err), PYRO_OK);
    }

    assert_int_equal(work.sealed, 0);
    assert_int_equal(fixture_total(g.store, "{}", 0, INT64_MAX), 10);
    guard_disk(&g, 5000, 100000);

    for (i = 0; i < 1000 && work.sealed == 0; i++) {
        assert_int_equal(pyro_store_maintain(g.store, &work, &err), PYRO_OK);
        usleep(10000);
    }

    assert_int_equal(work.sealed, 1);
    assert_int_equal(fixture_total(g.store, "{}", 0, INT64_MAX), 10);
    guard_close(&g);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_little_more_than_the_limit_ends_it),
        cmocka_unit_test(a_percentage_is_of_the_file_system),
        cmocka_unit_test(what_is_free_is_asked_of_the_system),
        cmocka_unit_test(pushes_wait_for_room),
        cmocka_unit_test(the_oldest_go_for_room),
        cmocka_unit_test(sealing_waits_for_room),
    };

    return unit_run(tests);
}
