/*
 * Opening a store without making one: what is not there or not ours stays as it
 * is, to the byte and the name; and reading where nothing can be written.
 */

#include "storage/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/base/bytes.h"


static uint64_t
file_hash(const char *path)
{
    int       fd;
    char     *data;
    ssize_t   n;
    uint64_t  hash;

    data = malloc(8 * 1024 * 1024);
    fd = open(path, O_RDONLY);
    assert_true(fd != -1);
    n = read(fd, data, 8 * 1024 * 1024);
    assert_true(n >= 0);
    hash = pyro_hash64(data, (size_t) n, (uint64_t) n);
    close(fd);
    free(data);

    return hash;
}


/* Of all names, contents and times of a directory, in any order. */
static uint64_t
dir_hash(const char *dir)
{
    DIR            *d;
    char            path[4096];
    uint64_t        hash;
    struct stat     st;
    struct dirent  *entry;

    hash = 1;
    d = opendir(dir);
    assert_non_null(d);

    while ((entry = readdir(d)) != NULL) {

        if (entry->d_name[0] == '.') {
            continue;
        }

        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        assert_int_equal(stat(path, &st), 0);
        hash += pyro_hash_mix(file_hash(path),
                              pyro_hash64(entry->d_name,
                                          strlen(entry->d_name),
                                          (uint64_t) st.st_mtim.tv_nsec));
    }

    closedir(d);

    return hash;
}


static pyro_status_e
try(const char *dir, pyro_access_e access, pyro_error_t *err)
{
    pyro_store_t          *store;
    pyro_status_e          status;
    pyro_store_options_t   options;

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.access = access;
    options.map_size = 256 * 1024 * 1024;

    status = pyro_store_open(&options, &store, err);

    if (status == PYRO_OK) {
        pyro_store_close(store);
    }

    return status;
}


static void
on_finding(void *ctx, const pyro_finding_t *finding)
{
    (void) finding;

    (*(uint32_t *) ctx)++;
}


/* Refused with either access, and by a check, and unchanged. */
static void
stays(const char *dir, pyro_status_e status, const char *text)
{
    uint32_t              n;
    uint64_t              before;
    pyro_error_t          err;
    pyro_check_result_t   result;

    before = dir_hash(dir);
    n = 0;

    assert_int_equal(try(dir, PYRO_ACCESS_READ, &err), status);

    if (strstr(err.message, text) == NULL) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(try(dir, PYRO_ACCESS_WRITE, &err), status);

    if (pyro_store_check(dir, on_finding, &n, &result, &err) == PYRO_OK) {
        assert_true(n > 0 && result.damaged > 0);
    }

    assert_true(dir_hash(dir) == before);
}


static void
put_u32(const char *dir, const char *name, const char *key, uint32_t v)
{
    char      path[4096];
    MDB_dbi   dbi;
    MDB_env  *env;
    MDB_txn  *txn;
    MDB_val   k, value;
    uint8_t   bytes[4];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    pyro_put_be32(bytes, v);
    k.mv_data = (void *) key;
    k.mv_size = strlen(key);
    value.mv_data = bytes;
    value.mv_size = 4;

    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 32);
    mdb_env_set_mapsize(env, 256 * 1024 * 1024);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR, 0640), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}


static void
unlock(const char *dir)
{
    DIR            *d;
    char            path[4096];
    struct dirent  *entry;

    d = opendir(dir);

    while ((entry = readdir(d)) != NULL) {
        if (strstr(entry->d_name, "lock") != NULL) {
            snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
            unlink(path);
        }
    }

    closedir(d);
}


static void
write_file(const char *dir, const char *name, const char *text)
{
    char   path[4096];
    FILE  *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}


static char *
made(void)
{
    char          *dir;
    pyro_arena_t  *arena;
    pyro_store_t  *store;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);
    fixture_write(store, fixture_one(arena, "service_name=a", "b", 7), T0);
    pyro_arena_destroy(arena);
    pyro_store_close(store);

    return dir;
}


static void
access_none(void **state)
{
    char          *dir;
    pyro_error_t   err;

    (void) state;

    dir = fixture_dir();
    stays(dir, PYRO_NOT_FOUND, "holds no store");
    write_file(dir, "letter.txt", "dear sir");
    stays(dir, PYRO_NOT_FOUND, "holds no store");

    write_file(dir, "control.mdb", "");
    stays(dir, PYRO_UNAVAILABLE, "is empty");
    write_file(dir, "control.mdb", "dear madam, this is no such file at all");
    stays(dir, PYRO_UNAVAILABLE, "control.mdb");
    fixture_remove(dir);

    assert_int_equal(try("build/not-there", PYRO_ACCESS_READ, &err),
                     PYRO_UNAVAILABLE);
    assert_int_equal(access("build/not-there", F_OK), -1);
}


static void
access_newer(void **state)
{
    DIR            *d;
    char           *dir;
    uint32_t        n;
    uint64_t        before;
    pyro_error_t    err;
    pyro_store_t   *store;
    struct dirent  *entry;

    (void) state;

    /* with lock files, as a server left them, and without */

    dir = made();
    put_u32(dir, "control.mdb", "format", 2);
    stays(dir, PYRO_UNAVAILABLE, "has format 2, this version reads");
    unlock(dir);
    stays(dir, PYRO_UNAVAILABLE, "has format 2, this version reads");
    fixture_remove(dir);

    /* a partition alone */

    dir = made();
    d = opendir(dir);

    while ((entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == 'p' && strstr(entry->d_name, "lock") == NULL) {
            put_u32(dir, entry->d_name, "format", 2);
        }
    }

    closedir(d);
    unlock(dir);

    {
        pyro_store_options_t  options;

        memset(&options, 0, sizeof(options));
        options.dir = dir;
        options.access = PYRO_ACCESS_WRITE;
        assert_int_equal(pyro_store_open(&options, &store, &err), PYRO_OK);
    }

    before = dir_hash(dir);
    n = 0;
    assert_int_equal(pyro_store_drop(store, NULL, INT64_MAX, 0, NULL, NULL, &n,
                                     &err), PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "has format 2"));
    assert_true(dir_hash(dir) == before);

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
access_reads(void **state)
{
    char                  *dir;
    uint32_t               n;
    pyro_error_t           err;
    pyro_arena_t          *arena;
    pyro_store_t          *store;
    pyro_store_push_t      push, *list[1];
    pyro_store_options_t   options;

    (void) state;

    dir = made();
    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.access = PYRO_ACCESS_READ;
    assert_int_equal(pyro_store_open(&options, &store, &err), PYRO_OK);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 7);

    /* and writes nothing */

    arena = pyro_arena_create(0);
    push = fixture_push(fixture_one(arena, "service_name=a", "b", 7),
                        T0 + SEC);
    list[0] = &push;
    pyro_store_write(store, list, 1);
    assert_int_equal(push.status, PYRO_UNAVAILABLE);
    assert_int_equal(pyro_store_drop(store, NULL, INT64_MAX, 0, NULL, NULL, &n,
                                     &err), PYRO_UNAVAILABLE);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 7);
    pyro_arena_destroy(arena);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* As another user, in a directory of somebody else's. */
static int
read_only(const char *dir, int *notes)
{
    int                   status;
    pid_t                 pid;
    uint32_t              n;
    pyro_error_t          err;
    pyro_check_result_t   result;

    pid = fork();

    if (pid == 0) {
        n = 0;

        if (geteuid() == 0 && setreuid(65534, 65534) == -1) {
            _exit(9);
        }

        if (access(dir, R_OK | X_OK) || access(dir, W_OK) == 0) {
            _exit(9);
        }

        if (pyro_store_check(dir, on_finding, &n, &result, &err) != PYRO_OK) {
            _exit(8);
        }

        _exit(result.damaged ? 7 : result.pushes == 1 ? (int) n : 6);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    *notes = WEXITSTATUS(status);

    return *notes == 9 ? -1 : 0;
}


static void
access_read_only(void **state)
{
    int             notes, fd, fds[2], opened[2];
    DIR            *d;
    char           *dir, copy[] = "/tmp/pyro-access-XXXXXX";
    char            from[4096], to[4096];
    pid_t           pid;
    uint64_t        before;
    pyro_store_t   *store;
    struct dirent  *entry;

    (void) state;

    dir = made();
    unlock(dir);
    assert_non_null(mkdtemp(copy));
    d = opendir(dir);

    while ((entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.') {
            char     *data;
            ssize_t   n;

            data = malloc(1024 * 1024);
            snprintf(from, sizeof(from), "%s/%s", dir, entry->d_name);
            snprintf(to, sizeof(to), "%s/%s", copy, entry->d_name);
            fd = open(from, O_RDONLY);
            n = read(fd, data, 1024 * 1024);
            close(fd);
            fd = open(to, O_WRONLY | O_CREAT, 0444);
            assert_int_equal(write(fd, data, (size_t) n), n);
            close(fd);
            free(data);
        }
    }

    closedir(d);
    chmod(copy, 0555);
    before = dir_hash(copy);

    if (read_only(copy, &notes)) {
        print_message("# not another user here: skipped\n");

    } else {
        /* one for each file: it was read without locks */

        assert_int_equal(notes, 2);
        assert_true(dir_hash(copy) == before);

        /* beside a writer that is not safe, and refused */

        chmod(copy, 0755);
        assert_int_equal(pipe(fds), 0);
        assert_int_equal(pipe(opened), 0);
        pid = fork();

        if (pid == 0) {
            close(fds[1]);
            store = fixture_open(copy);
            fixture_total(store, "{}", 0, INT64_MAX);
            (void) !write(opened[1], "o", 1);
            (void) !read(fds[0], to, 1);
            pyro_store_close(store);
            _exit(0);
        }

        close(fds[0]);
        close(opened[1]);
        assert_int_equal(read(opened[0], to, 1), 1);
        close(opened[0]);
        assert_int_equal(read_only(copy, &notes), 0);
        assert_int_equal(notes, 7);
        close(fds[1]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }

    chmod(copy, 0755);
    fixture_remove(strdup(copy));
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(access_none),
        cmocka_unit_test(access_newer),
        cmocka_unit_test(access_reads),
        cmocka_unit_test(access_read_only),
    };

    return unit_run(tests);
}
