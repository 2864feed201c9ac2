#define _GNU_SOURCE

#include "store_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "storage/handle.h"


static pyro_status_e
failure_open(const char *dir, uint64_t map_size, pyro_store_t **store,
    pyro_error_t *err)
{
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.map_size = map_size;

    return pyro_store_open(&options, store, err);
}


static void
failure_of_the_directory(void **state)
{
    char           *dir, path[256];
    FILE           *f;
    pyro_error_t    err;
    pyro_store_t   *store;

    (void) state;

    assert_int_equal(failure_open("build/not-there", 0, &store, &err),
                     PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "build/not-there"));
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(err.reason, PYRO_REASON_STORE);

    dir = fixture_dir();
    snprintf(path, sizeof(path), "%s/file", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);

    assert_int_equal(failure_open(path, 0, &store, &err), PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "Not a directory"));

    fixture_remove(dir);
}


/* Root may write everywhere: as somebody else, in a process of its own. */
static void
failure_as_nobody(int (*run)(const char *dir))
{
    int    rc;
    char  *dir;
    pid_t  pid;

    dir = fixture_dir();

    if (geteuid() == 0) {
        assert_int_equal(chown(dir, 65534, 65534), 0);
    }

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        if (geteuid() == 0 && (setgid(65534) == -1 || setuid(65534) == -1)) {
            _exit(99);
        }

        if (access(dir, W_OK) == -1) {
            _exit(77);
        }

        rc = run(dir);
        chmod(dir, 0700);
        _exit(rc);
    }

    assert_int_equal(waitpid(pid, &rc, 0), pid);

    if (WIFEXITED(rc) && WEXITSTATUS(rc) == 77) {
        print_message("# skipped: nobody may come here\n");

    } else {
        assert_int_equal(rc, 0);
    }

    fixture_remove(dir);
}


static int
failure_no_store(const char *dir)
{
    pyro_error_t   err;
    pyro_store_t  *store;

    return chmod(dir, 0500) == -1
           || failure_open(dir, 0, &store, &err) != PYRO_UNAVAILABLE
           || strstr(err.message, "Permission denied") == NULL;
}


/* What is there can be read and written, also without an owner's name. */
static int
failure_no_new_file(const char *dir)
{
    int                  failed;
    char                 path[256];
    pyro_arena_t        *arena;
    pyro_store_t        *store;
    pyro_profile_t      *p;
    pyro_store_push_t    push, *list[1];

    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=s", "a", 1);

    store = fixture_open(dir);
    fixture_write(store, p, T0);
    pyro_store_close(store);

    snprintf(path, sizeof(path), "%s/%s", dir, PYRO_OWNER_FILE);
    failed = unlink(path) == -1 || chmod(dir, 0500) == -1;

    store = fixture_open(dir);
    fixture_write(store, p, T0 + SEC);
    failed |= fixture_total(store, "{}", 0, INT64_MAX) != 2;

    push = fixture_push(p, T0 + DAY * SEC);
    list[0] = &push;
    pyro_store_write(store, list, 1);
    failed |= push.status != PYRO_UNAVAILABLE
              || strstr(push.error.message, "Permission denied") == NULL;

    failed |= fixture_total(store, "{}", 0, INT64_MAX) != 2;
    pyro_store_close(store);
    pyro_arena_destroy(arena);

    return failed;
}


static void
failure_of_a_read_only_directory(void **state)
{
    (void) state;

    failure_as_nobody(failure_no_store);
    failure_as_nobody(failure_no_new_file);
}


/* In a process with mounts of its own: 77 where it may not have them. */
static int
failure_read_only(const char *dir)
{
    int                  failed;
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_store_t        *store;
    pyro_profile_t      *p;
    pyro_store_push_t    push, *list[1];
    pyro_store_stats_t   stats;

    if (unshare(CLONE_NEWNS) == -1
        || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1
        || mount("none", dir, "tmpfs", 0, "size=32m") == -1)
    {
        return 77;
    }

    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=s", "a", 1);

    store = fixture_open(dir);
    fixture_write(store, p, T0);
    pyro_store_close(store);

    if (mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) == -1) {
        return 77;
    }

    /* what is there is read, nothing is written, neither here nor elsewhere */

    store = fixture_open(dir);
    failed = fixture_total(store, "{}", 0, INT64_MAX) != 1;
    failed |= pyro_store_stats(store, &stats, &err) != PYRO_OK
              || stats.partitions != 1;

    push = fixture_push(p, T0 + SEC);
    list[0] = &push;
    pyro_store_write(store, list, 1);
    failed |= push.status != PYRO_UNAVAILABLE
              || strstr(push.error.message, "Read-only file system") == NULL;

    push = fixture_push(p, T0 + DAY * SEC);
    pyro_store_write(store, list, 1);
    failed |= push.status != PYRO_UNAVAILABLE
              || strstr(push.error.message, "Read-only file system") == NULL;

    failed |= fixture_total(store, "{}", 0, INT64_MAX) != 1;
    pyro_store_close(store);

    /* no store is made there */

    failed |= mount(NULL, dir, NULL, MS_REMOUNT, "size=32m") == -1
              || mount("none", dir, "tmpfs", MS_RDONLY, NULL) == -1
              || failure_open(dir, 0, &store, &err) != PYRO_UNAVAILABLE
              || strstr(err.message, "Read-only file system") == NULL
              || umount(dir) == -1;

    /* and with another mount all goes on */

    store = fixture_open(dir);
    fixture_write(store, p, T0 + SEC);
    failed |= fixture_total(store, "{}", 0, INT64_MAX) != 2;
    pyro_store_close(store);
    pyro_arena_destroy(arena);

    return failed;
}


static void
failure_of_a_read_only_file_system(void **state)
{
    int    rc;
    char  *dir;
    pid_t  pid;

    (void) state;

    dir = fixture_dir();
    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        _exit(failure_read_only(dir));
    }

    assert_int_equal(waitpid(pid, &rc, 0), pid);
    assert_true(WIFEXITED(rc));

    if (WEXITSTATUS(rc) == 77) {
        print_message("# skipped: mounting is not permitted\n");

    } else {
        assert_int_equal(WEXITSTATUS(rc), 0);
    }

    fixture_remove(dir);
}


/* Writes another format number into the store's control.mdb or partition. */
static void
failure_newer(pyro_env_t *env, pyro_kv_db_t meta)
{
    uint8_t         format[4];
    pyro_kv_txn_t  *txn;
    pyro_error_t    err;

    pyro_put_be32(format, PYRO_FORMAT + 1);

    assert_int_equal(pyro_env_begin(env, 0, &txn, &err), PYRO_OK);
    assert_int_equal(pyro_meta_put(txn, meta, "format", format, 4), 0);
    assert_int_equal(pyro_env_commit(env, txn, &err), PYRO_OK);
}


/* A file's bytes, which the caller frees. */
static uint8_t *
failure_bytes(const char *dir, const char *name, size_t *len)
{
    char      path[256];
    FILE     *f;
    uint8_t  *bytes;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *len = (size_t) ftell(f);
    bytes = malloc(*len);
    assert_non_null(bytes);
    rewind(f);
    assert_int_equal(fread(bytes, 1, *len, f), *len);
    fclose(f);

    return bytes;
}


/* Another process writes both into control.mdb. */
static void
failure_enter(const char *dir, uint32_t format, uint32_t generation)
{
    int             rc;
    char            path[256];
    pid_t           pid;
    uint8_t         number[4];
    pyro_env_t     *env;
    pyro_error_t    err;
    pyro_kv_db_t    meta;
    pyro_kv_txn_t  *txn;

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        snprintf(path, sizeof(path), "%s/control.mdb", dir);

        /* which looks at no format */

        if (pyro_env_open(path, 0, PYRO_DURABILITY_COMMIT, PYRO_ACCESS_MAKE,
                          &env, &err) != PYRO_OK
            || pyro_env_begin(env, 0, &txn, &err) != PYRO_OK
            || pyro_kv_open(txn, "meta", 0, &meta) != 0)
        {
            _exit(1);
        }

        pyro_put_be32(number, format);
        rc = pyro_meta_put(txn, meta, "format", number, 4);
        pyro_put_be32(number, generation);

        if (rc != 0 || pyro_meta_put(txn, meta, "generation", number, 4) != 0
            || pyro_env_commit(env, txn, &err) != PYRO_OK)
        {
            _exit(2);
        }

        pyro_env_close(env);
        _exit(0);
    }

    assert_int_equal(waitpid(pid, &rc, 0), pid);
    assert_int_equal(rc, 0);
}


/* By a newer version, which raises the generation with the format. */
static void
failure_taken_over(pyro_store_t *store, const char *dir, pyro_profile_t *p,
    pyro_profile_t *idle)
{
    uint32_t            format, generation;
    pyro_error_t        err;
    pyro_store_work_t   work = { .now = T0 };
    pyro_store_push_t   push, *list[1];

    generation = store->catalog.generation;
    list[0] = &push;

    for (format = PYRO_FORMAT + 1; format >= PYRO_FORMAT; format--) {
        failure_enter(dir, format, ++generation);

        push = fixture_push(p, T0 + DAY * SEC);
        pyro_store_write(store, list, 1);

        if (format != PYRO_FORMAT) {
            assert_int_equal(push.status, PYRO_UNAVAILABLE);
            assert_non_null(strstr(push.error.message,
                                   "control.mdb has format 2"));
            assert_int_equal(pyro_store_refresh(store, &err),
                             PYRO_UNAVAILABLE);
            assert_int_equal(pyro_store_maintain(store, &work, &err),
                             PYRO_UNAVAILABLE);
            assert_int_equal(work.slots, 0);

            /* an idle JVM's, of which there is nothing but what it said */

            push = fixture_push(idle, T0 + DAY * SEC);
            push.service = PYRO_SLICE("s");
            push.info = PYRO_SLICE("{}");
            pyro_store_write(store, list, 1);
            assert_int_equal(push.status, PYRO_OK);
            assert_int_equal(push.info_failed, 1);

        } else {
            assert_int_equal(push.status, PYRO_OK);
            assert_int_equal(pyro_store_refresh(store, &err), PYRO_OK);
        }
    }
}


static void
failure_of_a_newer_format(void **state)
{
    char               *dir, name[PYRO_FILE_NAME_MAX];
    size_t              len, now;
    uint8_t            *before, *after;
    pyro_error_t        err;
    pyro_arena_t       *arena;
    pyro_store_t       *store;
    pyro_profile_t     *p;
    pyro_partition_t   *part;
    pyro_store_push_t   push, *list[1];

    (void) state;

    dir = fixture_dir();
    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=s", "a", 1);

    store = fixture_open(dir);
    fixture_write(store, p, T0);
    part = pyro_catalog_find(&store->catalog, T0);
    failure_newer(part->env, part->dbi[PYRO_DB_META]);
    memcpy(name, part->name, sizeof(name));
    pyro_store_close(store);
    before = failure_bytes(dir, name, &len);

    /* a partition: its day alone */

    store = fixture_open(dir);
    push = fixture_push(p, T0);
    list[0] = &push;
    pyro_store_write(store, list, 1);

    assert_int_equal(push.status, PYRO_UNAVAILABLE);
    assert_non_null(strstr(push.error.message, "format 2"));
    assert_non_null(strstr(push.error.message, "format 1"));

    fixture_write(store, p, T0 + DAY * SEC);

    after = failure_bytes(dir, name, &now);
    assert_int_equal(now, len);
    assert_memory_equal(after, before, len);
    free(before);
    free(after);

    /* the catalogue: the store, at once for those that have it open */

    failure_taken_over(store, dir, p, pyro_profile_create(arena));

    failure_newer(store->catalog.control,
                  store->catalog.dbi[PYRO_CONTROL_META]);
    pyro_store_close(store);
    before = failure_bytes(dir, "control.mdb", &len);

    assert_int_equal(failure_open(dir, 0, &store, &err), PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "control.mdb has format 2"));

    after = failure_bytes(dir, "control.mdb", &now);
    assert_int_equal(now, len);
    assert_memory_equal(after, before, len);
    free(before);
    free(after);

    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
failure_of_a_full_map(void **state)
{
    char                 *dir, stack[64];
    uint64_t              total;
    uint32_t              i, k, full;
    pyro_error_t          err;
    pyro_arena_t         *arena;
    pyro_store_t         *store;
    pyro_profile_t       *p;
    pyro_store_push_t     push, *list[1];
    pyro_store_stats_t    stats;

    (void) state;

    dir = fixture_dir();
    assert_int_equal(failure_open(dir, 512 * 1024, &store, &err), PYRO_OK);

    total = 0;
    full = 0;

    for (i = 0; i < 200; i++) {
        arena = pyro_arena_create(0);
        p = pyro_profile_create(arena);

        for (k = 0; k < 50; k++) {
            snprintf(stack, sizeof(stack), "main;f%u", i * 50 + k);
            fixture_add(p, 0, &fixture_cpu, stack, 0, 1);
        }

        fixture_finish(p, "service_name=s");

        push = fixture_push(p, T0 + i * SEC);
        list[0] = &push;
        pyro_store_write(store, list, 1);

        if (push.status == PYRO_OK) {
            total += 50;

        } else {
            full++;
            assert_int_equal(push.status, PYRO_UNAVAILABLE);
            assert_int_equal(push.error.reason, PYRO_REASON_DISK);
            assert_non_null(strstr(push.error.message, "lmdb.map_size"));
            assert_int_equal(push.stored, 0);
        }

        pyro_arena_destroy(arena);
    }

    assert_true(total > 0);
    assert_true(full > 0);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), total);

    assert_int_equal(pyro_store_stats(store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.commit_failures, full);

    pyro_store_close(store);

    /* with more room it goes on */

    assert_int_equal(failure_open(dir, 64 * 1024 * 1024, &store, &err),
                     PYRO_OK);
    arena = pyro_arena_create(0);
    fixture_write(store, fixture_one(arena, "service_name=s", "z", 7), T0);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), total + 7);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


/* Pushes of 50 stacks that nobody has pushed, until one is refused. */
static uint32_t
failure_fill(pyro_store_t *store, uint32_t first, uint32_t n)
{
    char                 stack[64];
    uint32_t             i, k;
    pyro_arena_t        *arena;
    pyro_profile_t      *p;
    pyro_store_push_t    push, *list[1];

    push.status = PYRO_OK;

    for (i = 0; i < n && push.status == PYRO_OK; i++) {
        arena = pyro_arena_create(0);
        p = pyro_profile_create(arena);

        for (k = 0; k < 50; k++) {
            snprintf(stack, sizeof(stack), "main;f%u", (first + i) * 50 + k);
            fixture_add(p, 0, &fixture_cpu, stack, 0, 1);
        }

        fixture_finish(p, "service_name=s");

        push = fixture_push(p, T0 + (first + i) * SEC);
        list[0] = &push;
        pyro_store_write(store, list, 1);
        pyro_arena_destroy(arena);
    }

    return push.status == PYRO_OK ? n : i - 1;
}


/* Another generation has more room, and uses it. */
static void
failure_of_a_map_that_others_outgrew(void **state)
{
    int            rc, to[2], from[2];
    char          *dir, c;
    pid_t          pid;
    uint32_t       n;
    pyro_error_t   err;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        rc = read(to[0], &c, 1) != 1
             || failure_open(dir, 64 * 1024 * 1024, &store, &err) != PYRO_OK
             || failure_fill(store, 1000, 200) != 200
             || write(from[1], "w", 1) != 1 || read(to[0], &c, 1) != 1
             || fixture_total(store, "{}", 0, INT64_MAX) < 11000;
        pyro_store_close(store);
        _exit(rc);
    }

    assert_int_equal(failure_open(dir, 512 * 1024, &store, &err), PYRO_OK);
    n = failure_fill(store, 0, 200);
    assert_in_range(n, 1, 199);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), n * 50);
    assert_int_equal(write(to[1], "1", 1), 1);
    assert_int_equal(read(from[0], &c, 1), 1);

    /* here it is to be mapped anew, for reading and for writing */

    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), (n + 200) * 50);
    assert_int_equal(failure_fill(store, 2000, 20), 20);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), (n + 220) * 50);

    assert_int_equal(write(to[1], "2", 1), 1);
    assert_int_equal(waitpid(pid, &rc, 0), pid);
    assert_int_equal(rc, 0);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* A record whose checksum is wrong is left out and counted. */
static void
failure_of_a_record(void **state)
{
    char                 *dir;
    pyro_slice_t          key, value;
    pyro_kv_txn_t        *txn;
    uint8_t               bytes[PYRO_RAW_KEY], *copy;
    pyro_error_t          err;
    pyro_arena_t         *arena;
    pyro_store_t         *store;
    pyro_raw_key_t        raw = { 1, T0, 1, 0 };
    pyro_partition_t     *part;
    pyro_store_stats_t    stats;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);

    fixture_write(store, fixture_one(arena, "service_name=s", "a", 1), T0);
    fixture_write(store, fixture_one(arena, "service_name=s", "a", 2),
                  T0 + SEC);

    part = pyro_catalog_find(&store->catalog, T0);
    key = pyro_slice(bytes, pyro_key_raw(bytes, &raw));

    assert_int_equal(pyro_env_begin(part->env, 0, &txn, &err), PYRO_OK);
    assert_int_equal(pyro_kv_get(txn, part->dbi[PYRO_DB_RAW], key, &value), 0);

    copy = malloc(value.len);
    assert_non_null(copy);
    memcpy(copy, value.data, value.len);
    copy[value.len - 1] ^= 1;
    value = pyro_slice(copy, value.len);

    assert_int_equal(pyro_kv_put(txn, part->dbi[PYRO_DB_RAW], key, value), 0);
    assert_int_equal(pyro_env_commit(part->env, txn, &err), PYRO_OK);
    free(copy);

    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 2);
    assert_int_equal(pyro_store_stats(store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.damaged_records, 1);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(failure_of_the_directory),
        cmocka_unit_test(failure_of_a_read_only_directory),
        cmocka_unit_test(failure_of_a_read_only_file_system),
        cmocka_unit_test(failure_of_a_newer_format),
        cmocka_unit_test(failure_of_a_full_map),
        cmocka_unit_test(failure_of_a_map_that_others_outgrew),
        cmocka_unit_test(failure_of_a_record),
    };

    return unit_run(tests);
}
