/*
 * Maintenance and queries that are killed at any moment while one process
 * pushes, and late, and another one asks: what is acknowledged is there, once,
 * whatever was cut off, checks find nothing, and when a maintenance ends
 * nothing of those that did not is left.
 *
 * PYRO_SOAK: rounds, 10 unless it is set.
 */

#include "seal_model.h"


#define ROUNDS  10
#define FIRST   150
#define BURST   40
#define KILLS   5                   /* of a round, at most */
#define CHECKS  5                   /* rounds from check to check */


/* Pushes as they come, but for the moments when somebody counts. */
static void
crash_writes(model_t *m)
{
    uint32_t            i;
    pyro_store_t       *store;
    pyro_store_push_t   push;

    store = model_open(m);

    if (store == NULL) {
        _exit(1);
    }

    for (i = 1; !atomic_load(&m->shared->stop); i++) {

        if (atomic_load(&m->shared->pause)) {
            atomic_store(&m->shared->paused, 1);
            model_sleep(200000);
            continue;
        }

        atomic_store(&m->shared->paused, 0);

        if (atomic_load(&m->shared->asked) == MODEL_MAX) {
            break;
        }

        /* one that is known, now and then */

        if (i % 9 == 0) {
            push = model_push(m, store,
                              (uint32_t) model_random(m,
                                             atomic_load(&m->shared->done)));

            if (push.status != PYRO_OK || push.repeated != 1) {
                model_fail(m, "a repeat", push.error.message);
            }
        }

        push = model_push(m, store, atomic_fetch_add(&m->shared->asked, 1));

        if (push.status != PYRO_OK || push.stored != 1) {
            model_fail(m, "a push", push.error.message);
        }

        atomic_fetch_add(&m->shared->done, 1);

        if (i % BURST == 0) {
            model_sleep(10000000);
        }
    }

    pyro_store_close(store);
    _exit(0);
}


static void
crash_asks(model_t *m)
{
    uint32_t       i;
    pyro_store_t  *store;

    store = model_open(m);

    if (store == NULL) {
        _exit(1);
    }

    for (i = 0; !atomic_load(&m->shared->stop); i++) {
        model_ask(m, store, (int) (i % 3));

        /* as one that starts just now */

        if (i % 20 == 19) {
            pyro_store_close(store);
            store = model_open(m);

            if (store == NULL) {
                _exit(1);
            }
        }

        model_sleep(1000000);
    }

    pyro_store_close(store);
    _exit(0);
}


/* For ever, a little in each call. */
static void
crash_maintains(model_t *m)
{
    pyro_error_t        err;
    pyro_store_t       *store;
    pyro_store_work_t   work;

    store = model_open(m);

    if (store == NULL) {
        _exit(1);
    }

    for ( ;; ) {
        if (model_maintain(store, 1 + (int64_t) model_random(m, 2000000),
                           MODEL_LATER, &work, &err)
            != PYRO_OK)
        {
            model_fail(m, "maintenance", err.message);
        }

        if (!work.more) {
            model_sleep(1000000);
        }
    }
}


/* One that maintains, or one that reads. */
static void
crash_kill(model_t *m)
{
    int    rc;
    pid_t  pid;

    m->seed++;
    pid = model_fork(m, model_random(m, 4) ? crash_maintains : crash_asks);
    model_sleep((int64_t) model_random(m, model_random(m, 2) ? 10000000
                                                             : 150000000));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &rc, 0), pid);
    model_no_failure(m);
    assert_true(WIFSIGNALED(rc));
}


/* The writer waits; what it was told is there.  In every second round a
 * maintenance ends, too; the check reads all there is, which grows. */
static void
crash_check(model_t *m, int whole, int sound)
{
    uint32_t       n;
    pyro_store_t  *store;

    atomic_store(&m->shared->paused, 0);
    atomic_store(&m->shared->pause, 1);

    while (!atomic_load(&m->shared->paused)) {
        model_no_failure(m);
        model_sleep(1000000);
    }

    n = atomic_load(&m->shared->done);
    assert_int_equal(n, atomic_load(&m->shared->asked));

    store = model_open(m);
    model_no_failure(m);
    model_check(m, store, n);

    if (whole) {
        model_seal_all(store, SEC);
        model_check(m, store, n);
        model_files_are_known(m, store);
    }

    model_repeat(m, store, n, 20);
    pyro_store_close(store);

    if (sound) {
        model_is_sound(m);
    }

    atomic_store(&m->shared->pause, 0);
}


static void
killed_maintenance_loses_nothing(void **state)
{
    int            rc;
    pid_t          pids[2];
    uint32_t       i, k, rounds;
    model_t        m;
    pyro_store_t  *store;

    (void) state;

    model_begin(&m, (uint64_t) getpid(), DAY, 3);
    print_message("# seed %d\n", (int) getpid());

    store = model_open(&m);
    model_no_failure(&m);
    model_write(&m, store, FIRST);
    pyro_store_close(store);

    pids[0] = model_fork(&m, crash_writes);
    pids[1] = model_fork(&m, crash_asks);
    rounds = model_rounds(ROUNDS);

    for (i = 0; i < rounds; i++) {
        for (k = 1 + (uint32_t) model_random(&m, KILLS); k; k--) {
            crash_kill(&m);
        }

        crash_check(&m, i % 2, i % CHECKS == CHECKS - 1);
    }

    crash_check(&m, 1, 1);
    atomic_store(&m.shared->stop, 1);

    for (i = 0; i < 2; i++) {
        assert_int_equal(waitpid(pids[i], &rc, 0), pids[i]);
        model_no_failure(&m);
        assert_int_equal(rc, 0);
    }

    store = model_open(&m);
    model_no_failure(&m);
    model_check(&m, store, atomic_load(&m.shared->done));
    pyro_store_close(store);

    print_message("# %u pushes, %u answers\n", atomic_load(&m.shared->done),
                  atomic_load(&m.shared->answers));
    model_end(&m);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(killed_maintenance_loses_nothing),
    };

    return unit_run(tests);
}
