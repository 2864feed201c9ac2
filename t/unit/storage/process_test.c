/*
 * Several processes on one directory.  The parent never has the store open when
 * it forks: an LMDB environment must not cross a fork.
 *
 * PYRO_SOAK: writers that are killed, 10 unless it is set.
 */

#include "store_fixture.h"

#include <signal.h>
#include <sys/wait.h>

#include "storage/handle.h"


#define CHILDREN  4
#define WRITES    40
#define KILLED    10
#define OPENINGS  500


static pyro_store_t *
process_open(const char *dir)
{
    pyro_error_t          err;
    pyro_store_t         *store;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.map_size = 256 * 1024 * 1024;

    return pyro_store_open(&options, &store, &err) == PYRO_OK ? store : NULL;
}


/* Writes pushes from, from + 1, ... of value 1 and tells each one that is
 * acknowledged; n 0: for ever. */
static void
process_write(const char *dir, uint32_t from, uint32_t n, int tell)
{
    char                stack[64];
    uint32_t            i;
    pyro_arena_t       *arena;
    pyro_store_t       *store;
    pyro_store_push_t   push, *list[1];

    store = process_open(dir);

    if (store == NULL) {
        _exit(1);
    }

    for (i = from; n == 0 || i < from + n; i++) {
        arena = pyro_arena_create(0);
        snprintf(stack, sizeof(stack), "main;f%u;g%u", i % 11, i % 37);

        push = fixture_push(fixture_one(arena, i % 2 ? "service_name=s,pod=a"
                                                     : "service_name=s,pod=b",
                                        stack, 1),
                            T0 + i * SEC);
        list[0] = &push;

        pyro_store_write(store, list, 1);

        if (push.status != PYRO_OK || push.stored != 1) {
            _exit(2);
        }

        if (write(tell, "+", 1) != 1) {
            _exit(3);
        }

        pyro_arena_destroy(arena);
    }

    pyro_store_close(store);
    _exit(0);
}


static uint32_t
process_count(int fd, uint32_t most)
{
    char      c;
    uint32_t  n;

    for (n = 0; n < most; n++) {
        if (read(fd, &c, 1) != 1) {
            break;
        }
    }

    return n;
}


static void
process_on_finding(void *ctx, const pyro_finding_t *finding)
{
    (void) ctx;

    if (!finding->note) {
        fail_msg("%s: %s", finding->file, finding->text);
    }
}


static void
processes_write_together(void **state)
{
    int            i, rc, fds[2];
    char          *dir;
    pid_t          pids[CHILDREN];
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    assert_int_equal(pipe(fds), 0);

    for (i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);

        if (pids[i] == 0) {
            close(fds[0]);
            process_write(dir, (uint32_t) i * WRITES, WRITES, fds[1]);
        }
    }

    close(fds[1]);
    assert_int_equal(process_count(fds[0], UINT32_MAX), CHILDREN * WRITES);
    close(fds[0]);

    for (i = 0; i < CHILDREN; i++) {
        assert_int_equal(waitpid(pids[i], &rc, 0), pids[i]);
        assert_int_equal(rc, 0);
    }

    store = fixture_open(dir);

    /* one partition, one tenant, two streams, whoever made them */

    assert_int_equal(store->catalog.n_parts, 1);
    assert_int_equal(store->catalog.tenants.n, 1);
    assert_int_equal(fixture_series(store, "{}", 0, INT64_MAX), 2);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX),
                     CHILDREN * WRITES);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* Opens a file, writes it and closes it, over and over, with pauses, so that
 * often nobody has it.  An opening may fail that meets others at each attempt;
 * what is open can be used. */
static void
process_open_and_close(const char *path, int number)
{
    int              opened, tries;
    pyro_env_t      *env;
    pyro_error_t     err;
    pyro_kv_txn_t   *txn;
    struct timespec  pause;

    for (opened = 0, tries = 0; opened < OPENINGS; tries++) {
        if (pyro_env_open(path, 1024 * 1024, PYRO_DURABILITY_COMMIT,
                          PYRO_ACCESS_MAKE, &env, &err)
            != PYRO_OK)
        {
            if (tries == 2 * OPENINGS) {
                fprintf(stderr, "%s\n", err.message);
                _exit(1);
            }

            continue;
        }

        opened++;

        if (pyro_env_begin(env, 0, &txn, &err) != PYRO_OK) {
            fprintf(stderr, "%s\n", err.message);
            _exit(2);
        }

        pyro_env_abort(env, txn);
        pyro_env_close(env);

        pause.tv_sec = 0;
        pause.tv_nsec = (opened * 37 + number * 11) % 50 * 20000;
        nanosleep(&pause, NULL);
    }

    _exit(0);
}


/* The last one to close a file takes its locks from nobody who opens it. */
static void
processes_open_what_others_close(void **state)
{
    int    i, rc;
    char  *dir, path[256];
    pid_t  pids[CHILDREN];

    (void) state;

    dir = fixture_dir();
    snprintf(path, sizeof(path), "%s/file.mdb", dir);

    for (i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);

        if (pids[i] == 0) {
            process_open_and_close(path, i);
        }
    }

    for (i = 0; i < CHILDREN; i++) {
        assert_int_equal(waitpid(pids[i], &rc, 0), pids[i]);
        assert_int_equal(rc, 0);
    }

    fixture_remove(dir);
}


static void
process_killed_loses_nothing(void **state)
{
    int                   rc, fds[2];
    char                 *dir;
    pid_t                 pid;
    uint32_t              round, rounds, told, seen;
    const char           *soak;
    pyro_error_t          err;
    pyro_store_t         *store;
    pyro_check_result_t   result;

    (void) state;

    dir = fixture_dir();
    soak = getenv("PYRO_SOAK");
    rounds = soak == NULL ? KILLED : (uint32_t) atoi(soak);

    for (round = 0, told = 0; round < rounds; round++) {
        assert_int_equal(pipe(fds), 0);

        pid = fork();
        assert_true(pid >= 0);

        if (pid == 0) {
            close(fds[0]);
            process_write(dir, round * 10000, 0, fds[1]);
        }

        close(fds[1]);
        told += process_count(fds[0], 20 + round % 10 * 3);
        assert_int_equal(kill(pid, SIGKILL), 0);
        told += process_count(fds[0], UINT32_MAX);
        close(fds[0]);

        assert_int_equal(waitpid(pid, &rc, 0), pid);
        assert_true(WIFSIGNALED(rc));

        /* the push that was in work at each kill may be there or not */

        store = fixture_open(dir);
        seen = (uint32_t) fixture_total(store, "{}", 0, INT64_MAX);
        assert_in_range(seen, told, told + round + 1);
        pyro_store_close(store);
    }

    assert_int_equal(pyro_store_check(dir, process_on_finding, NULL, &result,
                                      &err), PYRO_OK);
    assert_int_equal(result.damaged, 0);
    assert_int_equal(result.pushes, seen);

    fixture_remove(dir);
}


static void
process_clears_reader(int by_refresh)
{
    int                rc, fds[2];
    char              *dir;
    pid_t              pid;
    pyro_kv_txn_t     *txn;
    pyro_arena_t      *arena;
    pyro_error_t       err;
    pyro_store_t      *store;
    pyro_partition_t  *part;

    dir = fixture_dir();
    assert_int_equal(pipe(fds), 0);

    pid = fork();
    assert_true(pid >= 0);

    if (pid == 0) {
        store = process_open(dir);

        if (store == NULL) {
            _exit(1);
        }

        arena = pyro_arena_create(0);
        fixture_write(store, fixture_one(arena, "service_name=s", "a", 1), T0);
        part = pyro_catalog_find(&store->catalog, T0);

        if (pyro_catalog_acquire(&store->catalog, part, &err) != PYRO_OK
            || pyro_env_begin(part->env, 1, &txn, &err) != PYRO_OK
            || write(fds[1], "+", 1) != 1)
        {
            _exit(2);
        }

        for ( ;; ) {
            pause();
        }
    }

    close(fds[1]);
    assert_int_equal(process_count(fds[0], 1), 1);
    close(fds[0]);

    store = fixture_open(dir);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 1);
    assert_int_equal(pyro_store_reader_check(store, &err), 0);

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &rc, 0), pid);

    if (by_refresh) {
        atomic_store(&store->readers_checked, 0);
        assert_int_equal(pyro_store_refresh(store, &err), PYRO_OK);

    } else {
        assert_true(pyro_store_reader_check(store, &err) >= 1);
    }

    assert_int_equal(pyro_store_reader_check(store, &err), 0);

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
process_reader_is_cleared(void **state)
{
    (void) state;

    process_clears_reader(0);
    process_clears_reader(1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(processes_write_together),
        cmocka_unit_test(processes_open_what_others_close),
        cmocka_unit_test(process_killed_loses_nothing),
        cmocka_unit_test(process_reader_is_cleared),
    };

    return unit_run(tests);
}
