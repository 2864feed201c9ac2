/*
 * New partitions outside of the last two days: how many, whoever makes them.
 */

#include "store_fixture.h"

#include <sys/wait.h>

#include "storage/handle.h"
#include "storage/late.h"


#define HOUR      (3600 * SEC)
#define LIMIT     6
#define OLD       (1000000000 / DAY * DAY * SEC)    /* 2001 */
#define CHILDREN  3


typedef struct {
    char                  *dir;
    pyro_store_options_t   options;
    pyro_store_t          *store;
    pyro_arena_t          *arena;
    pyro_profile_t        *profile;
} late_t;


static void
late_reopen(late_t *l)
{
    pyro_error_t  err;

    if (l->store != NULL) {
        pyro_store_close(l->store);
    }

    if (pyro_store_open(&l->options, &l->store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


static void
late_open(late_t *l, uint32_t limit)
{
    memset(l, 0, sizeof(late_t));
    l->dir = fixture_dir();
    l->options.dir = l->dir;
    l->options.map_size = 64 * 1024 * 1024;
    l->options.max_late_partitions = limit;
    l->arena = pyro_arena_create(0);
    l->profile = fixture_one(l->arena, "service_name=shop", "a;b", 10);
    late_reopen(l);
}


static void
late_close(late_t *l)
{
    pyro_store_close(l->store);
    pyro_arena_destroy(l->arena);
    fixture_remove(l->dir);
}


static pyro_status_e
late_push(late_t *l, int64_t time, pyro_error_t *err)
{
    pyro_store_push_t  push, *list[1];

    push = fixture_push(l->profile, time);
    list[0] = &push;
    pyro_store_write(l->store, list, 1);
    *err = push.error;

    return push.status;
}


/* Takes one in a transaction of its own. */
static pyro_status_e
late_take(late_t *l, int64_t time, int64_t now)
{
    pyro_kv_txn_t   *txn;
    pyro_error_t     err;
    pyro_status_e    status;
    pyro_catalog_t  *catalog;

    catalog = &l->store->catalog;
    assert_int_equal(pyro_env_begin(catalog->control, 0, &txn, &err), PYRO_OK);
    status = pyro_late_take(catalog, txn, time, now, &err);

    if (status != PYRO_OK) {
        pyro_env_abort(catalog->control, txn);
        return status;
    }

    assert_int_equal(pyro_env_commit(catalog->control, txn, &err), PYRO_OK);

    return status;
}


/* How many there are at a moment. */
static uint32_t
late_left(late_t *l, int64_t now)
{
    uint32_t  n;

    for (n = 0; late_take(l, OLD, now) == PYRO_OK; n++) {
        assert_true(n < 1000);
    }

    return n;
}


/* ---- the tests ---- */

static void
an_hour_has_so_many(void **state)
{
    late_t    l;
    uint32_t  i, n;

    (void) state;

    late_open(&l, LIMIT);
    assert_int_equal(late_left(&l, T0), LIMIT);

    /* one comes back each time its share of the hour is over */

    assert_int_equal(late_left(&l, T0 + HOUR / LIMIT - 1), 0);
    assert_int_equal(late_left(&l, T0 + HOUR / LIMIT), 1);
    assert_int_equal(late_left(&l, T0 + HOUR / 2), LIMIT / 2 - 1);
    assert_int_equal(late_left(&l, T0 + 100 * HOUR), LIMIT);

    for (i = 0, n = 0; i < 3600; i++) {
        n += late_left(&l, T0 + 100 * HOUR + (i + 1) * SEC);
    }

    assert_int_equal(n, LIMIT);

    /* a clock that was an hour ahead, or a year: it is not waited for */

    assert_int_equal(late_left(&l, T0 + 200 * HOUR), LIMIT);
    assert_int_equal(late_left(&l, T0 + 199 * HOUR), 0);
    assert_int_equal(late_left(&l, T0 + 200 * HOUR + HOUR / 2), LIMIT / 2);
    assert_int_equal(late_left(&l, T0 + 365 * DAY * SEC), LIMIT);
    assert_int_equal(late_left(&l, T0), LIMIT);
    assert_int_equal(late_left(&l, T0), 0);
    late_close(&l);
}


static void
which_partitions_are_late(void **state)
{
    late_t   l;
    int64_t  now;

    (void) state;

    late_open(&l, 1);
    now = T0 + 12 * HOUR;
    assert_int_equal(late_take(&l, OLD, now), PYRO_OK);
    assert_int_equal(late_take(&l, OLD, now), PYRO_EXHAUSTED);

    assert_int_equal(late_take(&l, now, now), PYRO_OK);
    assert_int_equal(late_take(&l, T0 - DAY * SEC, now), PYRO_OK);
    assert_int_equal(late_take(&l, T0 - 2 * DAY * SEC, now), PYRO_OK);
    assert_int_equal(late_take(&l, T0 - 2 * DAY * SEC - 1, now),
                     PYRO_EXHAUSTED);
    assert_int_equal(late_take(&l, T0, T0 + 3 * DAY * SEC - 1), PYRO_OK);
    assert_int_equal(late_take(&l, OLD, T0 + 3 * DAY * SEC), PYRO_OK);
    assert_int_equal(late_take(&l, T0, T0 + 3 * DAY * SEC), PYRO_EXHAUSTED);
    assert_int_equal(late_take(&l, OLD, now), PYRO_OK);

    /* agents may be some minutes ahead at midnight */

    assert_int_equal(late_take(&l, T0 + DAY * SEC, now), PYRO_EXHAUSTED);
    assert_int_equal(late_take(&l, T0 + DAY * SEC, T0 + 23 * HOUR), PYRO_OK);
    assert_int_equal(late_take(&l, INT64_MAX, now), PYRO_EXHAUSTED);
    late_close(&l);
}


static void
zero_is_no_limit(void **state)
{
    int     i;
    late_t  l;

    (void) state;

    late_open(&l, 0);

    for (i = 0; i < 1000; i++) {
        assert_int_equal(late_take(&l, OLD, T0), PYRO_OK);
    }

    late_close(&l);
}


static void
pushes_beyond_it_are_refused(void **state)
{
    int                  i;
    late_t               l;
    int64_t              begin, took;
    pyro_error_t         err;
    pyro_store_push_t    pushes[3], *list[3];
    pyro_store_stats_t   stats;

    (void) state;

    late_open(&l, LIMIT);
    begin = pyro_clock_wall();

    for (i = 0; i < LIMIT; i++) {
        assert_int_equal(late_push(&l, OLD + i * DAY * SEC, &err), PYRO_OK);
    }

    assert_int_equal(late_push(&l, OLD + LIMIT * DAY * SEC, &err),
                     PYRO_EXHAUSTED);
    assert_int_equal(err.reason, PYRO_REASON_LATE);
    assert_non_null(strstr(err.message, "the profile's time is 2001-09-15T"));
    assert_non_null(strstr(err.message, "lmdb.max_late_partitions allows 6 "));

    /* six an hour, of which some seconds are over */

    took = (pyro_clock_wall() - begin) / SEC;
    assert_in_range(err.retry, 600 - took - 1, 601);

    /* what is beside it in a group, in partitions that are there or of now */

    pushes[0] = fixture_push(l.profile, OLD + SEC);
    pushes[1] = fixture_push(l.profile, OLD + LIMIT * DAY * SEC);
    pushes[2] = fixture_push(l.profile, pyro_clock_wall());

    for (i = 0; i < 3; i++) {
        list[i] = &pushes[i];
    }

    pyro_store_write(l.store, list, 3);
    assert_int_equal(pushes[0].status, PYRO_OK);
    assert_int_equal(pushes[1].status, PYRO_EXHAUSTED);
    assert_int_equal(pushes[2].status, PYRO_OK);

    /* an open store more is no other count */

    late_reopen(&l);
    assert_int_equal(late_push(&l, OLD + LIMIT * DAY * SEC, &err),
                     PYRO_EXHAUSTED);
    assert_int_equal(pyro_store_stats(l.store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.partitions, LIMIT + 1);
    assert_int_equal(fixture_total(l.store, "{}", 0, INT64_MAX),
                     (LIMIT + 2) * 10);
    late_close(&l);
}


static void
the_processes_have_one_count(void **state)
{
    int                  i, k, rc;
    pid_t                pids[CHILDREN];
    late_t               l;
    pyro_error_t         err;
    pyro_store_stats_t   stats;

    (void) state;

    late_open(&l, LIMIT);
    pyro_store_close(l.store);
    l.store = NULL;

    for (i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);

        if (pids[i] == 0) {
            late_reopen(&l);

            for (k = 0; k < 2 * LIMIT; k++) {
                late_push(&l, OLD + (i + k * CHILDREN) * DAY * SEC, &err);
            }

            pyro_store_close(l.store);
            _exit(0);
        }
    }

    for (i = 0; i < CHILDREN; i++) {
        assert_int_equal(waitpid(pids[i], &rc, 0), pids[i]);
        assert_int_equal(rc, 0);
    }

    late_reopen(&l);
    assert_int_equal(pyro_store_stats(l.store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.partitions, LIMIT);
    late_close(&l);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(an_hour_has_so_many),
        cmocka_unit_test(which_partitions_are_late),
        cmocka_unit_test(zero_is_no_limit),
        cmocka_unit_test(pushes_beyond_it_are_refused),
        cmocka_unit_test(the_processes_have_one_count),
    };

    return unit_run(tests);
}
