/*
 * Partitions that processes die of: noted by the handler of the signal, set
 * aside after the second death, missing in answers that say so, written beside,
 * and used again once a child has found them sound.  Those that cannot be
 * opened, and those in which a writer meets damage: written beside as well.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* memmem() */
#endif

#include "store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "storage/handle.h"
#include "storage/suspects.h"


typedef struct {
    char                  *dir;
    pyro_suspects_t       *shared;
    pyro_store_options_t   options;
    uint64_t               ids[2];      /* of two days */
    char                   names[2][PYRO_FILE_NAME_MAX];
} suspects_t;


static pyro_store_t *
suspects_open(suspects_t *s)
{
    pyro_error_t   err;
    pyro_store_t  *store;

    if (pyro_store_open(&s->options, &store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return store;
}


/* Two days: of value 1 and 10 an entry, 500 each. */
static void
suspects_begin(suspects_t *s)
{
    int            i;
    char           stack[128];
    pyro_arena_t  *arena;
    pyro_store_t  *store;

    memset(s, 0, sizeof(suspects_t));
    s->dir = fixture_dir();
    s->shared = mmap(NULL, pyro_store_shared_size(), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s->shared != MAP_FAILED);

    s->options.dir = s->dir;
    s->options.map_size = 64 * 1024 * 1024;
    s->options.shared = s->shared;
    s->options.durability = PYRO_DURABILITY_PERIODIC;
    store = suspects_open(s);

    for (i = 0; i < 1000; i++) {
        arena = pyro_arena_create(0);
        snprintf(stack, sizeof(stack), "main;f%d;a.rather.long.name.%d", i, i);
        fixture_write(store, fixture_one(arena, "service_name=shop", stack,
                                         i % 2 ? 10 : 1),
                      T0 + (i % 2) * (int64_t) DAY * SEC + i * SEC);
        pyro_arena_destroy(arena);
    }

    for (i = 0; i < 2; i++) {
        s->ids[i] = pyro_suspects_id(pyro_slice_str(s->dir),
                                     store->catalog.parts[i]->start,
                                     store->catalog.parts[i]->generation);
        memcpy(s->names[i], store->catalog.parts[i]->name,
               PYRO_FILE_NAME_MAX);
    }

    pyro_store_close(store);
}


static void
suspects_end(suspects_t *s)
{
    munmap(s->shared, pyro_store_shared_size());
    fixture_remove(s->dir);
}


static int
suspects_aside(suspects_t *s, uint64_t id)
{
    return pyro_suspect_is_aside(pyro_suspects_find(s->shared, id));
}


/* A process that has the store, runs, and dies of a signal. */
static void
suspects_die(suspects_t *s, void (*run)(suspects_t *s))
{
    int             status;
    pid_t           pid;
    struct rlimit   none = { 0, 0 };

    pid = fork();
    assert_true(pid >= 0);

    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        setrlimit(RLIMIT_CORE, &none);

        pyro_store_watch(s->shared);
        run(s);
        _exit(0);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}


static void
suspects_read(suspects_t *s)
{
    pyro_store_t  *store;

    store = suspects_open(s);
    fixture_total(store, "{}", T0, T0 + (int64_t) DAY * SEC - 1);
}


/* As if LMDB had aborted in the second day's file. */
static void
suspects_abort(suspects_t *s)
{
    pyro_suspects_enter(7);
    pyro_suspects_enter(s->ids[1]);
    pyro_suspects_leave(7);
    abort();
}


static uint64_t
suspects_total(pyro_store_t *store, pyro_store_missing_t *missing,
    pyro_status_e expected)
{
    uint64_t          total;
    pyro_tree_t      *tree;
    pyro_error_t      err;
    fixture_query_t   q;

    fixture_query(&q, "{}", 0, INT64_MAX);
    q.query.missing = missing;
    tree = pyro_tree_create(q.arena);

    assert_int_equal(pyro_store_merge(store, &q.query, tree, &err), expected);

    pyro_tree_totals(tree);
    total = tree->nodes[0].total;
    fixture_query_end(&q);

    return total;
}


/* Until the child of the upkeep has its verdict. */
static void
suspects_maintain(pyro_store_t *store, suspects_t *s, uint64_t id,
    uint32_t verdict)
{
    int                i, k;
    pyro_error_t       err;
    struct timespec    pause = { 0, 20000000 };
    pyro_store_work_t  work;

    for (i = 0; i < 3000; i++) {
        memset(&work, 0, sizeof(work));
        work.now = T0 + 3LL * DAY * SEC;
        assert_int_equal(pyro_store_maintain(store, &work, &err), PYRO_OK);

        for (k = 0; atomic_load(&s->shared->items[k].id) != id; k++) {
            assert_true(k < PYRO_SUSPECTS_MAX);
        }

        if (atomic_load(&s->shared->items[k].verdict) == verdict
            && (verdict || atomic_load(&s->shared->items[k].deaths) == 0))
        {
            return;
        }

        nanosleep(&pause, NULL);
    }

    fail_msg("no verdict");
}


/* Of the first day, twice: what they became. */
static void
suspects_push(pyro_store_t *store, const char *stack, pyro_store_push_t *one,
    pyro_store_push_t *two)
{
    pyro_arena_t       *arena;
    pyro_store_push_t  *pushes[1];

    arena = pyro_arena_create(0);
    *one = fixture_push(fixture_one(arena, "service_name=shop", stack, 100),
                        T0 + 5 * SEC);
    *two = *one;

    pushes[0] = one;
    pyro_store_write(store, pushes, 1);
    pushes[0] = two;
    pyro_store_write(store, pushes, 1);

    pyro_arena_destroy(arena);
}


static void
a_file_that_kills_is_set_aside(void **state)
{
    char                   path[512];
    suspects_t             s;
    struct stat            st;
    pyro_store_t          *store;
    pyro_store_push_t      one, two;
    pyro_store_missing_t   missing;

    (void) state;

    suspects_begin(&s);
    snprintf(path, sizeof(path), "%s/%s", s.dir, s.names[0]);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, 3 * 4096), 0);

    suspects_die(&s, suspects_read);
    assert_false(suspects_aside(&s, s.ids[0]));
    suspects_die(&s, suspects_read);
    assert_true(suspects_aside(&s, s.ids[0]));
    assert_false(suspects_aside(&s, s.ids[1]));

    /* nobody dies any more, and answers say what they are without */

    store = suspects_open(&s);
    memset(&missing, 0, sizeof(missing));
    assert_int_equal(suspects_total(store, &missing, PYRO_OK), 5000);
    assert_int_equal(missing.n, 1);
    assert_string_equal(missing.name, s.names[0]);
    assert_non_null(strstr(missing.error.message, "set aside"));
    suspects_total(store, NULL, PYRO_UNAVAILABLE);

    /* a push of its time is stored beside it, once */

    suspects_push(store, "new", &one, &two);
    assert_int_equal(one.status, PYRO_OK);
    assert_int_equal(one.stored, 1);
    assert_int_equal(two.status, PYRO_OK);
    assert_int_equal(two.repeated, 1);
    assert_int_equal(suspects_total(store, &missing, PYRO_OK), 5100);

    /* the child finds it damaged, or dies of it */

    suspects_maintain(store, &s, s.ids[0], PYRO_SUSPECT_DAMAGED);
    assert_int_equal(suspects_total(store, &missing, PYRO_OK), 5100);

    pyro_store_close(store);
    suspects_end(&s);
}


/* Whatever was held against it. */
static void
a_sound_one_comes_back(void **state)
{
    int                    i;
    suspects_t             s;
    pyro_store_t          *store;
    pyro_store_missing_t   missing;

    (void) state;

    for (i = 0; i < 2; i++) {
        suspects_begin(&s);

        if (i == 0) {
            suspects_die(&s, suspects_abort);
            suspects_die(&s, suspects_abort);

        } else {
            assert_int_equal(pyro_suspects_damage(s.shared, s.ids[1],
                                                  PYRO_SUSPECT_OPEN), 1);
        }

        assert_true(suspects_aside(&s, s.ids[1]));
        assert_false(suspects_aside(&s, 7));

        store = suspects_open(&s);
        memset(&missing, 0, sizeof(missing));
        assert_int_equal(suspects_total(store, &missing, PYRO_OK), 500);
        assert_int_equal(missing.n, 1);

        suspects_maintain(store, &s, s.ids[1], PYRO_SUSPECT_UNKNOWN);
        assert_false(suspects_aside(&s, s.ids[1]));
        memset(&missing, 0, sizeof(missing));
        assert_int_equal(suspects_total(store, &missing, PYRO_OK), 5500);
        assert_int_equal(missing.n, 0);

        pyro_store_close(store);
        suspects_end(&s);
    }
}


/* A copy has files of the same names and numbers: after a reload with another
 * directory nothing of the one before is held against them. */
static void
another_store_is_another(void **state)
{
    char                   copy[64];
    suspects_t             s, other;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_missing_t   missing;
    pyro_backup_result_t   result;

    (void) state;

    suspects_begin(&s);
    snprintf(copy, sizeof(copy), "%s-copy", s.dir);

    store = suspects_open(&s);
    assert_int_equal(pyro_store_backup(store, copy, &result, &err), PYRO_OK);
    pyro_store_close(store);

    suspects_die(&s, suspects_abort);
    suspects_die(&s, suspects_abort);
    assert_true(suspects_aside(&s, s.ids[1]));

    other = s;
    other.options.dir = copy;
    store = suspects_open(&other);
    memset(&missing, 0, sizeof(missing));
    assert_int_equal(suspects_total(store, &missing, PYRO_OK), 5500);
    assert_int_equal(missing.n, 0);
    pyro_store_close(store);

    fixture_remove(strdup(copy));
    suspects_end(&s);
}


/* Bytes from there on become this one. */
static void
suspects_overwrite(suspects_t *s, int day, off_t from, int byte)
{
    int          fd;
    char         path[512], page[4096];
    struct stat  st;

    snprintf(path, sizeof(path), "%s/%s", s->dir, s->names[day]);
    fd = open(path, O_WRONLY);
    assert_true(fd != -1);
    assert_int_equal(fstat(fd, &st), 0);
    memset(page, byte, sizeof(page));

    for (/* void */ ; from < st.st_size; from += (off_t) sizeof(page)) {
        assert_int_equal(pwrite(fd, page, sizeof(page), from), sizeof(page));
    }

    close(fd);
}


static const char *
suspects_found(pyro_store_t *store, pyro_store_work_t *work, int64_t now)
{
    pyro_error_t  err;

    memset(work, 0, sizeof(pyro_store_work_t));
    work->now = now;
    (void) pyro_store_maintain(store, work, &err);

    return work->found;
}


static void
what_cannot_be_opened_is_set_aside(void **state)
{
    char                   path[512];
    suspects_t             s;
    struct stat            st;
    pyro_store_t          *store;
    pyro_store_push_t      one, two;
    pyro_store_work_t      work;
    pyro_store_missing_t   missing;

    (void) state;

    suspects_begin(&s);
    suspects_overwrite(&s, 0, 0, 'x');

    /* without a table nobody can be told */

    s.options.shared = NULL;
    store = suspects_open(&s);
    suspects_push(store, "new", &one, &two);
    assert_int_equal(one.status, PYRO_UNAVAILABLE);
    assert_non_null(strstr(one.error.message, s.names[0]));
    pyro_store_close(store);

    s.options.shared = s.shared;
    store = suspects_open(&s);
    suspects_push(store, "new", &one, &two);
    assert_int_equal(one.status, PYRO_OK);
    assert_int_equal(one.stored, 1);
    assert_int_equal(two.repeated, 1);
    assert_true(suspects_aside(&s, s.ids[0]));

    memset(&missing, 0, sizeof(missing));
    assert_int_equal(suspects_total(store, &missing, PYRO_OK), 5100);
    assert_string_equal(missing.name, s.names[0]);
    assert_non_null(strstr(missing.error.message, "it cannot be opened"));

    /* said once; the child agrees */

    assert_non_null(strstr(suspects_found(store, &work, T0), s.names[0]));
    assert_non_null(strstr(work.found, "it cannot be opened"));
    assert_string_equal(suspects_found(store, &work, T0), "");
    suspects_maintain(store, &s, s.ids[0], PYRO_SUSPECT_DAMAGED);
    pyro_store_close(store);

    /* and retention takes it */

    s.options.retention = 60 * DAY;
    store = suspects_open(&s);
    suspects_found(store, &work, T0 + 90LL * DAY * SEC);
    snprintf(path, sizeof(path), "%s/%s", s.dir, s.names[0]);
    assert_int_equal(stat(path, &st), -1);
    assert_int_equal(work.removed, 3);

    pyro_store_close(store);
    suspects_end(&s);
}


/* All pages but those that LMDB begins with, while it is open. */
static void
damage_that_a_writer_meets(void **state)
{
    int                    i;
    uint32_t               n;
    suspects_t             s;
    pyro_arena_t          *arena;
    pyro_store_t          *store;
    pyro_store_push_t      one, two, *list[1];
    pyro_store_work_t      work;
    pyro_store_missing_t   missing;

    (void) state;

    suspects_begin(&s);
    store = suspects_open(&s);
    assert_int_equal(suspects_total(store, NULL, PYRO_OK), 5500);
    suspects_overwrite(&s, 0, 8192, 0);

    suspects_push(store, "new", &one, &two);
    assert_int_equal(one.status, PYRO_OK);
    assert_int_equal(one.stored, 1);
    assert_int_equal(two.repeated, 1);

    memset(&missing, 0, sizeof(missing));
    assert_int_equal(suspects_total(store, &missing, PYRO_OK), 5100);
    assert_string_equal(missing.name, s.names[0]);

    assert_false(suspects_aside(&s, s.ids[0]));
    assert_non_null(strstr(suspects_found(store, &work, T0), s.names[0]));
    assert_non_null(strstr(work.found, "is damaged"));
    assert_string_equal(suspects_found(store, &work, T0), "");

    /* counting series meets it too, and it is not the new file's */

    n = store->catalog.n_parts;
    arena = pyro_arena_create(0);
    one = fixture_push(fixture_one(arena, "service_name=shop,new=1", "main",
                                   100), T0 + 6 * SEC);
    one.max_series = 100;
    list[0] = &one;
    pyro_store_write(store, list, 1);
    assert_int_equal(one.status, PYRO_OK);
    assert_int_equal(one.stored, 1);
    assert_int_equal(store->catalog.n_parts, n);
    pyro_arena_destroy(arena);

    /* file after file is not what becomes of it */

    for (i = 0; i < PYRO_SUSPECTS_MAX; i++) {
        pyro_suspects_damage(s.shared, 1000 + (uint64_t) i,
                             PYRO_SUSPECT_WRITE);
    }

    suspects_push(store, "next", &one, &two);
    assert_int_equal(one.stored, 1);
    memcpy(s.names[0], store->catalog.parts[2]->name, PYRO_FILE_NAME_MAX);
    suspects_overwrite(&s, 0, 8192, 0);
    suspects_push(store, "last", &one, &two);
    assert_int_equal(one.status, PYRO_UNAVAILABLE);
    assert_int_equal(one.stored, 0);
    assert_int_equal(two.status, PYRO_UNAVAILABLE);

    /* retention takes both, though it cannot mark them */

    store->catalog.options.retention = 60 * DAY;
    suspects_found(store, &work, T0 + 90LL * DAY * SEC);
    assert_int_equal(work.removed, 3);

    pyro_store_close(store);
    suspects_end(&s);
}


/* What one worker has left no other one writes. */
static void
what_is_left_is_left_by_all(void **state)
{
    suspects_t          s;
    pyro_store_t       *store;
    pyro_store_push_t   one, two;

    (void) state;

    suspects_begin(&s);
    assert_int_equal(pyro_suspects_damage(s.shared, s.ids[0],
                                          PYRO_SUSPECT_WRITE), 1);

    store = suspects_open(&s);
    suspects_push(store, "new", &one, &two);
    assert_int_equal(one.stored, 1);
    assert_int_equal(two.repeated, 1);
    assert_int_equal(store->catalog.n_parts, 3);
    assert_int_equal(suspects_total(store, NULL, PYRO_OK), 5600);

    pyro_store_close(store);
    suspects_end(&s);
}


/* All pushes of the first day once more, so many in a call: how many are known
 * to be there. */
static uint32_t
suspects_repeat(pyro_store_t *store, uint32_t at_once)
{
    uint32_t            i, n, repeated;
    char                stack[128];
    pyro_arena_t       *arena;
    pyro_store_push_t   pushes[500], *list[500];

    arena = pyro_arena_create(0);

    for (i = 0; i < 500; i++) {
        snprintf(stack, sizeof(stack), "main;f%d;a.rather.long.name.%d",
                 (int) (2 * i), (int) (2 * i));
        pushes[i] = fixture_push(fixture_one(arena, "service_name=shop", stack,
                                             1), T0 + 2LL * i * SEC);
        list[i] = &pushes[i];
    }

    for (i = 0; i < 500; i += n) {
        n = at_once < 500 - i ? at_once : 500 - i;
        pyro_store_write(store, &list[i], n);
    }

    for (i = 0, repeated = 0; i < 500; i++) {
        assert_int_equal(pushes[i].status, PYRO_OK);
        assert_int_equal(pushes[i].repeated + pushes[i].stored, 1);
        repeated += pushes[i].repeated;
    }

    pyro_arena_destroy(arena);

    return repeated;
}


/* The page with the first push of the first day, which no cursor comes to from
 * its neighbour (LMDB would abort), and its old copies. */
static void
suspects_zero(suspects_t *s, pyro_store_t *store)
{
    int                fd;
    char               path[512], page[4096], zero[4096], first[4096];
    off_t              from;
    pyro_slice_t       key, value;
    pyro_kv_txn_t     *txn;
    pyro_kv_cursor_t  *cursor;
    pyro_partition_t  *part;

    part = store->catalog.parts[0];
    assert_int_equal(pyro_env_begin(part->env, 1, &txn, NULL), PYRO_OK);
    assert_int_equal(pyro_kv_cursor(txn, part->dbi[PYRO_DB_RAW], &cursor), 0);
    assert_int_equal(pyro_kv_move(cursor, PYRO_KV_FIRST, &key, &value), 0);
    assert_true(value.len < sizeof(first));
    memcpy(first, value.data, value.len);
    pyro_kv_cursor_close(cursor);
    pyro_env_abort(part->env, txn);

    snprintf(path, sizeof(path), "%s/%s", s->dir, s->names[0]);
    fd = open(path, O_RDWR);
    assert_true(fd != -1);
    memset(zero, 0, sizeof(zero));

    for (from = 0; pread(fd, page, sizeof(page), from) == sizeof(page);
         from += (off_t) sizeof(page))
    {
        if (memmem(page, sizeof(page), first, value.len) != NULL) {
            assert_int_equal(pwrite(fd, zero, sizeof(zero), from),
                             sizeof(zero));
        }
    }

    close(fd);
}


/* A page that is damaged hides no push of another one, in a group either. */
static void
the_rest_is_read_on(void **state)
{
    int            i;
    char           cmd[512];
    uint32_t       known[2];
    suspects_t     s, copy;
    pyro_store_t  *store;

    (void) state;

    suspects_begin(&s);
    copy = s;
    copy.dir = fixture_dir();
    copy.options.dir = copy.dir;
    snprintf(cmd, sizeof(cmd), "cp %s/* %s", s.dir, copy.dir);
    assert_int_equal(system(cmd), 0);

    for (i = 0; i < 2; i++) {
        store = suspects_open(i ? &copy : &s);
        assert_int_equal(suspects_total(store, NULL, PYRO_OK), 5500);
        suspects_zero(i ? &copy : &s, store);
        known[i] = suspects_repeat(store, i ? 100 : 1);
        pyro_store_close(store);
    }

    assert_true(known[0] > 0 && known[0] < 500);
    assert_int_equal(known[0], known[1]);

    fixture_remove(copy.dir);
    suspects_end(&s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_file_that_kills_is_set_aside),
        cmocka_unit_test(a_sound_one_comes_back),
        cmocka_unit_test(another_store_is_another),
        cmocka_unit_test(what_cannot_be_opened_is_set_aside),
        cmocka_unit_test(damage_that_a_writer_meets),
        cmocka_unit_test(what_is_left_is_left_by_all),
        cmocka_unit_test(the_rest_is_read_on),
    };

    return unit_run(tests);
}
