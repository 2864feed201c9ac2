/*
 * Copies of a store, and dropping days: while it is written, what was
 * acknowledged before is in the copy, which is a sound store.
 */

#include "storage/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>


#define FAR  5000LL     /* days: the one that stays */


static pyro_store_t *
open_as(const char *dir, pyro_access_e access)
{
    pyro_error_t          err;
    pyro_store_t         *store;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.access = access;
    options.map_size = 1024 * 1024 * 1024;

    if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return store;
}


static void
write_one(pyro_store_t *store, const char *labels, int64_t time)
{
    pyro_arena_t  *arena;

    arena = pyro_arena_create(0);
    fixture_write(store, fixture_one(arena, labels, "a;b", 1), time);
    pyro_arena_destroy(arena);
}


static void
on_finding(void *ctx, const pyro_finding_t *finding)
{
    (void) ctx;

    print_message("# %s: %s: %s\n", finding->file, finding->what,
                  finding->text);
}


static uint64_t
check_clean(const char *dir)
{
    pyro_error_t         err;
    pyro_check_result_t  result;

    if (pyro_store_check(dir, on_finding, NULL, &result, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(result.findings, 0);

    return result.pushes;
}


static uint32_t
files(const char *dir)
{
    DIR            *d;
    uint32_t        n;
    struct dirent  *entry;

    d = opendir(dir);

    if (d == NULL) {
        return 0;
    }

    for (n = 0; (entry = readdir(d)) != NULL; /* void */ ) {
        n += entry->d_name[0] != '.';
    }

    closedir(d);

    return n;
}


static void
backup_whole(void **state)
{
    char                   *dir, target[64];
    struct stat             st;
    pyro_error_t            err;
    pyro_store_t           *store;
    pyro_backup_result_t    result;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    write_one(store, "service_name=a", T0);
    write_one(store, "service_name=a", T0 + DAY * SEC);
    pyro_store_close(store);

    store = open_as(dir, PYRO_ACCESS_READ);
    snprintf(target, sizeof(target), "%s-copy", dir);
    assert_int_equal(pyro_store_backup(store, target, &result, &err), PYRO_OK);
    assert_int_equal(result.files, 3);
    assert_int_equal(files(target), 3);
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);

    /* not into what has something in it; and nothing of that is touched */

    assert_int_equal(pyro_store_backup(store, target, &result, &err),
                     PYRO_INVALID);
    assert_non_null(strstr(err.message, "is not empty"));
    assert_int_equal(files(target), 3);
    assert_int_equal(pyro_store_backup(store, "build/none/none", &result,
                                       &err), PYRO_UNAVAILABLE);
    pyro_store_close(store);

    assert_int_equal(check_clean(target), 2);
    store = fixture_open(target);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 2);
    write_one(store, "service_name=a", T0 + 2 * DAY * SEC);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 3);
    pyro_store_close(store);
    check_clean(target);

    fixture_remove(strdup(target));
    fixture_remove(dir);
}


/* Days come and go, and so do tenants. */
static void
writer(const char *dir, int fd)
{
    char                stack[64];
    uint32_t            i, dropped;
    pyro_error_t        err;
    pyro_arena_t       *arena;
    pyro_store_t       *store;
    pyro_store_push_t   push, *list[1];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    store = open_as(dir, PYRO_ACCESS_MAKE);

    for (i = 0; ; i++) {
        arena = pyro_arena_create(0);
        snprintf(stack, sizeof(stack), "main;f%u;g%u", i % 11, i % 97);
        push = fixture_push(fixture_one(arena, "service_name=s", stack, 1),
                            i % 4 ? T0 + (int64_t) (FAR * DAY + i) * SEC
                                  : T0 + (int64_t) (i / 8) * DAY * SEC + i);
        list[0] = &push;
        pyro_store_write(store, list, 1);

        if (push.status != PYRO_OK) {
            _exit(1);
        }

        pyro_arena_destroy(arena);

        /* the pushes of the day that stays */

        if (i % 4 && write(fd, "x", 1) != 1) {
            _exit(1);
        }

        if (i % 16 == 15
            && pyro_store_drop(store, NULL,
                               T0 + (int64_t) (i / 8) * DAY * SEC, 0, NULL,
                               NULL, &dropped, &err) != PYRO_OK)
        {
            _exit(1);
        }
    }
}


static void
backup_under_load(void **state)
{
    int                     fds[2], status;
    char                   *dir, target[64], bytes[4096];
    pid_t                   pid;
    ssize_t                 n;
    uint32_t                round;
    uint64_t                acked;
    pyro_error_t            err;
    pyro_store_t           *store;
    pyro_backup_result_t    result;

    (void) state;

    dir = fixture_dir();
    assert_int_equal(pipe(fds), 0);
    pid = fork();

    if (pid == 0) {
        writer(dir, fds[1]);
    }

    close(fds[1]);
    acked = 0;

    for (round = 0; round < 12; round++) {

        /* at least one more, then all that are waiting to be read */

        n = read(fds[0], bytes, sizeof(bytes));
        assert_true(n > 0);
        fcntl(fds[0], F_SETFL, O_NONBLOCK);

        for ( /* void */ ; n > 0; n = read(fds[0], bytes, sizeof(bytes))) {
            acked += (uint64_t) n;
        }

        fcntl(fds[0], F_SETFL, 0);

        store = open_as(dir, PYRO_ACCESS_READ);
        snprintf(target, sizeof(target), "%s-copy", dir);

        if (pyro_store_backup(store, target, &result, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }

        pyro_store_close(store);

        check_clean(target);
        store = fixture_open(target);
        assert_true(fixture_total(store, "{}", T0 + FAR * DAY * SEC,
                                  T0 + (FAR + 1) * DAY * SEC - 1) >= acked);
        pyro_store_close(store);
        fixture_remove(strdup(target));

        /* the live one as well: beside its writer */

        check_clean(dir);
    }

    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    close(fds[0]);
    print_message("# %llu pushes\n", (unsigned long long) acked);
    fixture_remove(dir);
}


static pyro_status_e
not_the_second(void *ctx, const pyro_store_part_t *part, pyro_error_t *err)
{
    (*(uint32_t *) ctx)++;

    return part->start == T0 + DAY * SEC
           ? pyro_error_set(err, PYRO_CANCELED, PYRO_REASON_CANCELED, "no")
           : PYRO_OK;
}


static pyro_status_e
the_last(void *ctx, const pyro_store_part_t *part, pyro_error_t *err)
{
    (void) err;

    snprintf(ctx, NAME_MAX + 1, "%s", part->name);

    return PYRO_OK;
}


static void
drop(void **state)
{
    char          *dir, name[NAME_MAX + 1];
    uint32_t       n, asked;
    uint64_t       day;
    pyro_error_t   err;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);

    for (day = 0; day < 5; day++) {
        write_one(store, "service_name=a", T0 + (int64_t) day * DAY * SEC);
    }

    pyro_store_close(store);
    store = open_as(dir, PYRO_ACCESS_WRITE);

    assert_int_equal(pyro_store_drop(store, NULL, T0 + 3 * DAY * SEC - 1, 1,
                                     NULL, NULL, &n, &err), PYRO_OK);
    assert_int_equal(n, 2);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 5);

    asked = 0;
    assert_int_equal(pyro_store_drop(store, NULL, T0 + 3 * DAY * SEC, 0,
                                     not_the_second, &asked, &n, &err),
                     PYRO_CANCELED);
    assert_int_equal(asked, 3);
    assert_int_equal(n, 2);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 3);
    assert_int_equal(pyro_store_drop(store, NULL, T0, 0, NULL, NULL, &n, &err),
                     PYRO_OK);
    assert_int_equal(n, 0);

    /* one alone, by its name */

    assert_int_equal(pyro_store_drop(store, "p-20260101.1.mdb", INT64_MAX, 0,
                                     NULL, NULL, &n, &err), PYRO_NOT_FOUND);
    assert_int_equal(n, 0);
    assert_int_equal(pyro_store_parts(store, the_last, name, &err), PYRO_OK);
    assert_int_equal(pyro_store_drop(store, name, INT64_MAX, 0, NULL, NULL, &n,
                                     &err), PYRO_OK);
    assert_int_equal(n, 1);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 2);

    pyro_store_close(store);
    assert_int_equal(check_clean(dir), 2);
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(backup_whole),
        cmocka_unit_test(backup_under_load),
        cmocka_unit_test(drop),
    };

    return unit_run(tests);
}
