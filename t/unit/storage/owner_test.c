/*
 * One PID namespace per store: who is let in, who is refused, and who comes
 * after whom.
 */

#define _GNU_SOURCE

#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "storage/owner.h"


#define SPACES  3
#define TAKERS  3           /* in each */
#define ROUNDS  60


/* How many of each namespace have the lock. */
typedef struct {
    atomic_int  in[SPACES];
    atomic_int  taken;
    atomic_int  both;
} owner_shared_t;


static int
owner_open(const char *dir, pyro_store_t **store, pyro_error_t *err)
{
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.map_size = 64 * 1024 * 1024;

    return pyro_store_open(&options, store, err) == PYRO_OK;
}


/* A child in a PID namespace of its own; 0 in it, -1 where that may not be. */
static pid_t
owner_fork(void)
{
    int    rc;
    pid_t  pid, inner;

    pid = fork();
    assert_true(pid != -1);

    if (pid) {
        return pid;
    }

    if (unshare(CLONE_NEWPID) == -1) {
        _exit(77);
    }

    inner = fork();

    if (inner == 0) {
        return 0;
    }

    /* the child's end is this one's */

    if (inner == -1 || waitpid(inner, &rc, 0) != inner || !WIFEXITED(rc)) {
        _exit(99);
    }

    _exit(WEXITSTATUS(rc));
}


static int
owner_may(void)
{
    int    rc;
    pid_t  pid;

    pid = owner_fork();

    if (pid == 0) {
        _exit(0);
    }

    assert_int_equal(waitpid(pid, &rc, 0), pid);

    if (WEXITSTATUS(rc) == 77) {
        print_message("# skipped: unshare(CLONE_NEWPID) is not permitted\n");
    }

    return WEXITSTATUS(rc) == 0;
}


static void
owner_line(const char *dir, char *line, size_t size)
{
    int      fd;
    char     path[256];
    ssize_t  n;

    snprintf(path, sizeof(path), "%s/%s", dir, PYRO_OWNER_FILE);
    fd = open(path, O_RDONLY);
    assert_true(fd != -1);
    n = read(fd, line, size - 1);
    assert_true(n >= 0);
    line[n] = '\0';
    close(fd);
}


/* ---- the tests ---- */

static void
all_of_a_namespace_share_it(void **state)
{
    int            i, fds[5], rc;
    char          *dir, line[256], boot[64];
    FILE          *f;
    pid_t          pid;
    pyro_error_t   err;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();

    for (i = 0; i < 5; i++) {
        assert_int_equal(pyro_owner_take(dir, 1, &fds[i], &err), PYRO_OK);
        assert_true(fds[i] != -1);
    }

    f = fopen("/proc/sys/kernel/random/boot_id", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%63s", boot), 1);
    fclose(f);

    owner_line(dir, line, sizeof(line));
    assert_int_equal(strncmp(line, boot, strlen(boot)), 0);
    assert_int_equal(strncmp(line + strlen(boot), " pid:[", 6), 0);
    assert_int_equal(line[strlen(line) - 1], '\n');

    pid = fork();
    assert_true(pid >= 0);

    if (pid == 0) {
        _exit(owner_open(dir, &store, &err) ? 0 : 1);
    }

    assert_int_equal(waitpid(pid, &rc, 0), pid);
    assert_int_equal(rc, 0);

    for (i = 0; i < 5; i++) {
        pyro_owner_leave(fds[i]);
    }

    fixture_remove(dir);
}


/* What the file says is somebody else's, as long as somebody holds it. */
static void
another_name_is_replaced_when_nobody_holds_it(void **state)
{
    int            held, fd;
    char          *dir, path[256], line[256], long_[400];
    pyro_error_t   err;

    static const char  other[] = "0f0f0f0f-0000-4000-8000-000000000000 "
                                 "pid:[4026531836]\n";

    (void) state;

    dir = fixture_dir();
    snprintf(path, sizeof(path), "%s/%s", dir, PYRO_OWNER_FILE);

    held = open(path, O_RDWR | O_CREAT, 0640);
    assert_int_equal(write(held, other, strlen(other)), strlen(other));
    assert_int_equal(flock(held, LOCK_SH), 0);

    assert_int_equal(pyro_owner_take(dir, 1, &fd, &err), PYRO_UNAVAILABLE);
    assert_int_equal(fd, -1);
    assert_int_equal(err.reason, PYRO_REASON_STORE);
    assert_non_null(strstr(err.message, "by a server on another machine"));
    assert_non_null(strstr(err.message, "says \"0f0f0f0f-0000-4000-8000-"));
    owner_line(dir, line, sizeof(line));
    assert_string_equal(line, other);

    /* somebody who replaces it at this moment */

    assert_int_equal(flock(held, LOCK_EX), 0);
    assert_int_equal(pyro_owner_take(dir, 1, &fd, &err), PYRO_UNAVAILABLE);
    assert_int_equal(flock(held, LOCK_UN), 0);
    assert_int_equal(pyro_owner_take(dir, 1, &fd, &err), PYRO_OK);
    owner_line(dir, line, sizeof(line));
    assert_string_not_equal(line, other);
    pyro_owner_leave(fd);

    /* a longer one, and none at all */

    memset(long_, 'x', sizeof(long_));
    assert_int_equal(pwrite(held, long_, sizeof(long_), 0), sizeof(long_));
    assert_int_equal(pyro_owner_take(dir, 1, &fd, &err), PYRO_OK);
    pyro_owner_leave(fd);
    owner_line(dir, line, sizeof(line));
    assert_int_equal(line[strlen(line) - 1], '\n');
    assert_null(strchr(line, 'x'));

    assert_int_equal(ftruncate(held, 0), 0);
    assert_int_equal(pyro_owner_take(dir, 1, &fd, &err), PYRO_OK);
    pyro_owner_leave(fd);

    close(held);
    fixture_remove(dir);
}


/* One that has no processor for a while is no other server. */
static void
whoever_takes_it_may_be_slow(void **state)
{
    int           i, fd, held, rc, ready[2];
    char         *dir, path[256], c;
    pid_t         pid;
    pyro_error_t  err;

    static const int  locks[] = { LOCK_EX, LOCK_SH };

    (void) state;

    dir = fixture_dir();
    snprintf(path, sizeof(path), "%s/%s", dir, PYRO_OWNER_FILE);

    for (i = 0; i < 2; i++) {
        assert_int_equal(pipe(ready), 0);

        pid = fork();
        assert_true(pid != -1);

        if (pid == 0) {
            held = open(path, O_RDWR | O_CREAT | O_TRUNC, 0640);
            rc = held == -1 || flock(held, locks[i]) == -1
                 || write(ready[1], "r", 1) != 1;
            usleep(800 * 1000);
            _exit(rc);
        }

        assert_int_equal(read(ready[0], &c, 1), 1);
        assert_int_equal(pyro_owner_take(dir, 1, &fd, &err), PYRO_OK);
        pyro_owner_leave(fd);

        assert_int_equal(waitpid(pid, &rc, 0), pid);
        assert_int_equal(rc, 0);
        close(ready[0]);
        close(ready[1]);
    }

    fixture_remove(dir);
}


static void
another_namespace_waits_for_its_turn(void **state)
{
    int             rc, to[2], from[2];
    char           *dir, c;
    pid_t           pid;
    pyro_error_t    err;
    pyro_arena_t   *arena;
    pyro_store_t   *store;

    (void) state;

    if (!owner_may()) {
        return;
    }

    dir = fixture_dir();
    arena = pyro_arena_create(0);
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);

    pid = owner_fork();

    if (pid == 0) {
        rc = read(to[0], &c, 1) != 1 || owner_open(dir, &store, &err)
             || strstr(err.message, "in another PID namespace") == NULL;
        rc |= write(from[1], "r", 1) != 1 || read(to[0], &c, 1) != 1;

        rc |= !owner_open(dir, &store, &err)
              || fixture_total(store, "{}", 0, INT64_MAX) != 1;
        rc |= write(from[1], "o", 1) != 1 || read(to[0], &c, 1) != 1;
        pyro_store_close(store);
        _exit(rc);
    }

    store = fixture_open(dir);
    fixture_write(store, fixture_one(arena, "service_name=s", "a", 1), T0);
    assert_int_equal(write(to[1], "1", 1), 1);
    assert_int_equal(read(from[0], &c, 1), 1);

    /* the one that was refused has disturbed nobody */

    fixture_write(store, fixture_one(arena, "service_name=s", "a", 1), T0);
    pyro_store_close(store);
    assert_int_equal(write(to[1], "2", 1), 1);
    assert_int_equal(read(from[0], &c, 1), 1);

    assert_false(owner_open(dir, &store, &err));
    assert_non_null(strstr(err.message, "in another PID namespace"));
    assert_int_equal(write(to[1], "3", 1), 1);
    assert_int_equal(waitpid(pid, &rc, 0), pid);
    assert_int_equal(WEXITSTATUS(rc), 0);

    store = fixture_open(dir);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 1);
    pyro_store_close(store);

    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


/* Takes it again and again; counts where another namespace has it too. */
static void
owner_take_all(const char *dir, owner_shared_t *shared, int space)
{
    int           i, k, fd;
    pyro_error_t  err;

    for (i = 0; i < ROUNDS; i++) {

        if (pyro_owner_take(dir, 1, &fd, &err) != PYRO_OK) {
            continue;
        }

        atomic_fetch_add(&shared->in[space], 1);
        atomic_fetch_add(&shared->taken, 1);

        for (k = 0; k < SPACES; k++) {
            if (k != space && atomic_load(&shared->in[k])) {
                atomic_fetch_add(&shared->both, 1);
            }
        }

        usleep(200);
        atomic_fetch_sub(&shared->in[space], 1);
        pyro_owner_leave(fd);
    }
}


static void
no_two_namespaces_have_it_at_once(void **state)
{
    int              i, k, rc;
    char            *dir;
    pid_t            pids[SPACES], inner[TAKERS];
    owner_shared_t  *shared;

    (void) state;

    if (!owner_may()) {
        return;
    }

    dir = fixture_dir();
    shared = mmap(NULL, sizeof(owner_shared_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);

    for (i = 0; i < SPACES; i++) {
        pids[i] = owner_fork();

        if (pids[i] == 0) {

            for (k = 0; k < TAKERS; k++) {
                inner[k] = fork();

                if (inner[k] == 0) {
                    owner_take_all(dir, shared, i);
                    _exit(0);
                }
            }

            for (k = 0; k < TAKERS; k++) {
                waitpid(inner[k], &rc, 0);
            }

            _exit(0);
        }
    }

    for (i = 0; i < SPACES; i++) {
        assert_int_equal(waitpid(pids[i], &rc, 0), pids[i]);
        assert_int_equal(rc, 0);
    }

    assert_true(atomic_load(&shared->taken) > ROUNDS);
    assert_int_equal(atomic_load(&shared->both), 0);

    munmap(shared, sizeof(owner_shared_t));
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(all_of_a_namespace_share_it),
        cmocka_unit_test(another_name_is_replaced_when_nobody_holds_it),
        cmocka_unit_test(whoever_takes_it_may_be_slow),
        cmocka_unit_test(another_namespace_waits_for_its_turn),
        cmocka_unit_test(no_two_namespaces_have_it_at_once),
    };

    return unit_run(tests);
}
