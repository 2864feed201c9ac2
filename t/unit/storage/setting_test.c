/*
 * Settings of tenants: kept, versioned, bounded, in several processes, in files
 * of older versions, in copies, and checked.
 */

#include "store_fixture.h"

#include <lmdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "storage/handle.h"


#define CHILDREN  4
#define WRITES    50
#define THREADS   4


static pyro_arena_t  *setting_arena;


static pyro_status_e
setting_try(pyro_store_t *store, const char *tenant, pyro_slice_t name,
    pyro_slice_t value, int64_t modified_at, pyro_error_t *err)
{
    pyro_store_setting_t  setting = { name, value, modified_at };

    return pyro_store_settings_set(store, pyro_slice_str(tenant), &setting,
                                   err);
}


static void
setting_set(pyro_store_t *store, const char *tenant, const char *name,
    const char *value, int64_t modified_at)
{
    pyro_error_t  err;

    if (setting_try(store, tenant, pyro_slice_str(name), pyro_slice_str(value),
                    modified_at, &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }
}


static void
setting_delete(pyro_store_t *store, const char *tenant, const char *name)
{
    pyro_error_t  err;

    if (pyro_store_settings_delete(store, pyro_slice_str(tenant),
                                   pyro_slice_str(name), &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }
}


/* "name=value@time ..." of all. */
static char *
setting_all(pyro_store_t *store, const char *tenant)
{
    uint32_t               i, n;
    pyro_error_t           err;
    pyro_store_setting_t  *settings;

    static char  text[4096];

    if (pyro_store_settings_get(store, pyro_slice_str(tenant), setting_arena,
                                &settings, &n, &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    text[0] = '\0';

    for (i = 0; i < n; i++) {
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "%s%.*s=%.*s@%lld", i ? " " : "",
                 PYRO_SLICE_ARG(settings[i].name),
                 PYRO_SLICE_ARG(settings[i].value),
                 (long long) settings[i].modified_at);
    }

    return text;
}


static void
setting_on_finding(void *ctx, const pyro_finding_t *finding)
{
    snprintf(ctx, 1024, "%s: %s: %s", finding->file, finding->what,
             finding->text);
}


/* What a check says last; no store is open. */
static const char *
setting_check(const char *dir)
{
    pyro_error_t         err;
    pyro_check_result_t  result;

    static char  text[1024];

    text[0] = '\0';
    assert_int_equal(pyro_store_check(dir, setting_on_finding, text, &result,
                                      &err), PYRO_OK);
    assert_int_equal(result.damaged, text[0] != '\0');

    return text;
}


static void
settings_are_kept(void **state)
{
    char          *dir;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    assert_string_equal(setting_all(store, "anonymous"), "");
    setting_delete(store, "anonymous", "nothing");

    setting_set(store, "anonymous", "pluginSettings", "{\"a\":1}", 1000);
    setting_set(store, "anonymous", "b", "", 5);
    setting_set(store, "anonymous", "a", "1", 6);
    setting_set(store, "other", "a", "2", 7);
    assert_string_equal(setting_all(store, "anonymous"),
                        "a=1@6 b=@5 pluginSettings={\"a\":1}@1000");
    assert_string_equal(setting_all(store, "other"), "a=2@7");
    assert_string_equal(setting_all(store, "nobody"), "");
    pyro_store_close(store);

    store = fixture_open(dir);
    assert_string_equal(setting_all(store, "anonymous"),
                        "a=1@6 b=@5 pluginSettings={\"a\":1}@1000");

    setting_set(store, "anonymous", "b", "now it is longer", 5);
    setting_delete(store, "anonymous", "a");
    setting_delete(store, "anonymous", "a");
    setting_delete(store, "nobody", "a");
    assert_string_equal(setting_all(store, "anonymous"),
                        "b=now it is longer@5 pluginSettings={\"a\":1}@1000");
    assert_string_equal(setting_all(store, "other"), "a=2@7");
    pyro_store_close(store);

    assert_string_equal(setting_check(dir), "");
    fixture_remove(dir);
}


static void
the_later_change_stays(void **state)
{
    char                  *dir;
    int64_t                now;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_setting_t   setting;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    setting_set(store, "t", "a", "first", 1000);

    assert_int_equal(setting_try(store, "t", PYRO_SLICE("a"),
                                 PYRO_SLICE("older"), 999, &err),
                     PYRO_CONFLICT);
    assert_int_equal(err.status, PYRO_CONFLICT);
    assert_string_equal(err.message, "setting \"a\" was changed at 1000, which "
                        "is later than modifiedAt, 999 (ms)");
    assert_string_equal(setting_all(store, "t"), "a=first@1000");

    setting_set(store, "t", "a", "as old", 1000);
    assert_string_equal(setting_all(store, "t"), "a=as old@1000");

    /* 0 and less: now */

    now = pyro_clock_wall() / PYRO_NS_PER_MS;
    setting.name = PYRO_SLICE("a");
    setting.value = PYRO_SLICE("now");
    setting.modified_at = 0;
    assert_int_equal(pyro_store_settings_set(store, PYRO_SLICE("t"), &setting,
                                             &err), PYRO_OK);
    assert_true(setting.modified_at >= now
                && setting.modified_at < now + 60000);

    assert_int_equal(setting_try(store, "t", PYRO_SLICE("a"),
                                 PYRO_SLICE("older"), now - 1, &err),
                     PYRO_CONFLICT);

    pyro_store_close(store);
    fixture_remove(dir);
}


static void
settings_are_bounded(void **state)
{
    char           *dir, name[200], *value;
    uint32_t        i, n;
    pyro_error_t    err;
    pyro_store_t   *store;
    pyro_store_setting_t  *settings;

    (void) state;

    dir = fixture_dir();
    store = fixture_open_as(dir, PYRO_DURABILITY_PERIODIC);
    memset(name, 'n', sizeof(name));
    value = malloc(PYRO_STORE_SETTING_VALUE + 1);
    memset(value, 'v', PYRO_STORE_SETTING_VALUE + 1);

    assert_int_equal(setting_try(store, "t", pyro_slice(NULL, 0),
                                 PYRO_SLICE("v"), 1, &err), PYRO_INVALID);
    assert_string_equal(err.message, "setting.name is empty");

    assert_int_equal(setting_try(store, "t", pyro_slice(name, 129),
                                 PYRO_SLICE("v"), 1, &err), PYRO_INVALID);
    assert_non_null(strstr(err.message, "setting.name \"nnn"));
    assert_non_null(strstr(err.message, "has 129 bytes, the limit is 128"));

    assert_int_equal(setting_try(store, "t", PYRO_SLICE("\xff"),
                                 PYRO_SLICE("v"), 1, &err), PYRO_INVALID);
    assert_string_equal(err.message, "setting.name \"?\" is not UTF-8");

    assert_int_equal(pyro_store_settings_delete(store, PYRO_SLICE("t"),
                                                pyro_slice(NULL, 0), &err),
                     PYRO_INVALID);

    assert_int_equal(setting_try(store, "t", PYRO_SLICE("a"),
                                 pyro_slice(value,
                                            PYRO_STORE_SETTING_VALUE + 1),
                                 1, &err), PYRO_TOO_LARGE);
    assert_string_equal(err.message, "setting.value of \"a\" has 65537 bytes, "
                        "the limit is 65536");
    assert_string_equal(setting_all(store, "t"), "");

    /* the largest that there may be, and as many */

    assert_int_equal(setting_try(store, "t", pyro_slice(name, 128),
                                 pyro_slice(value, PYRO_STORE_SETTING_VALUE),
                                 1, &err), PYRO_OK);

    for (i = 1; i < PYRO_STORE_SETTINGS; i++) {
        snprintf(name, sizeof(name), "%u", i);
        setting_set(store, "t", name, "v", 1);
    }

    assert_int_equal(setting_try(store, "t", PYRO_SLICE("more"),
                                 PYRO_SLICE("v"), 1, &err),
                     PYRO_UNPROCESSABLE);
    assert_string_equal(err.message, "setting \"more\" would be one more than "
                        "the 256 that a tenant may have");

    setting_set(store, "s", "more", "v", 1);
    setting_set(store, "t", "17", "other", 1);
    setting_delete(store, "t", "17");
    setting_set(store, "t", "more", "v", 1);

    assert_int_equal(pyro_store_settings_get(store, PYRO_SLICE("t"),
                                             setting_arena, &settings, &n,
                                             &err), PYRO_OK);
    assert_int_equal(n, PYRO_STORE_SETTINGS);
    assert_int_equal(settings[n - 1].name.len, 128);
    assert_int_equal(settings[n - 1].value.len, PYRO_STORE_SETTING_VALUE);
    assert_memory_equal(settings[n - 1].value.data, value,
                        PYRO_STORE_SETTING_VALUE);

    for (i = 1; i < n; i++) {
        assert_true(pyro_slice_cmp(settings[i - 1].name, settings[i].name)
                    < 0);
    }

    free(value);
    pyro_store_close(store);
    assert_string_equal(setting_check(dir), "");
    fixture_remove(dir);
}


/* control.mdb has room for partitions, whatever tenants make up. */
static void
all_of_them_are_bounded(void **state)
{
    char           *dir, text[32], *value;
    uint32_t        i;
    pyro_error_t    err;
    pyro_store_t   *store;
    pyro_status_e   status;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    value = malloc(PYRO_STORE_SETTING_VALUE);
    memset(value, 'v', PYRO_STORE_SETTING_VALUE);

    for (i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "%u", i);
        status = setting_try(store, i % 4 ? "a" : text, pyro_slice_str(text),
                             pyro_slice(value, PYRO_STORE_SETTING_VALUE), 1,
                             &err);

        if (status != PYRO_OK && status != PYRO_UNPROCESSABLE) {
            break;
        }
    }

    assert_int_equal(status, PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "settings of all tenants take "));
    assert_true(i > 400);

    /* and goes on */

    fixture_write(store, fixture_one(setting_arena, "service_name=s", "a", 1),
                  T0);
    setting_delete(store, "a", "1");
    setting_set(store, "b", "b", "v", 1);
    assert_string_equal(setting_all(store, "b"), "b=v@1");

    free(value);
    pyro_store_close(store);
    assert_string_equal(setting_check(dir), "");
    fixture_remove(dir);
}


/* The file as a version that does not have the database has left it. */
static void
setting_drop(const char *dir, pyro_control_db_e db)
{
    pyro_kv_txn_t    *txn;
    pyro_store_t     *store;
    pyro_error_t      err;
    pyro_catalog_t   *catalog;

    store = fixture_open(dir);
    catalog = &store->catalog;

    assert_int_equal(pyro_env_begin(catalog->control, 0, &txn, &err), PYRO_OK);
    assert_int_equal(mdb_drop((MDB_txn *) txn, catalog->dbi[db], 1), 0);
    assert_int_equal(pyro_env_commit(catalog->control, txn, &err), PYRO_OK);

    catalog->dbi[db] = 0;
    pyro_store_close(store);
}


static void
settings_of_an_older_file(void **state)
{
    char                  *dir;
    pyro_error_t           err;
    pyro_store_t          *store, *reader;
    pyro_store_options_t   options;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    fixture_write(store, fixture_one(setting_arena, "service_name=s", "a", 1),
                  T0);
    pyro_store_close(store);
    setting_drop(dir, PYRO_CONTROL_SETTING);

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.access = PYRO_ACCESS_READ;

    assert_int_equal(pyro_store_open(&options, &reader, &err), PYRO_OK);
    assert_int_equal(reader->catalog.dbi[PYRO_CONTROL_SETTING], 0);
    assert_string_equal(setting_all(reader, "anonymous"), "");
    setting_delete(reader, "anonymous", "a");
    assert_int_not_equal(setting_try(reader, "anonymous", PYRO_SLICE("a"),
                                     PYRO_SLICE("1"), 1, &err), PYRO_OK);
    assert_int_equal(reader->catalog.dbi[PYRO_CONTROL_SETTING], 0);
    assert_int_equal(fixture_total(reader, "{}", 0, INT64_MAX), 1);
    pyro_store_close(reader);
    assert_string_equal(setting_check(dir), "");

    store = fixture_open(dir);
    assert_int_equal(store->catalog.dbi[PYRO_CONTROL_SETTING], 0);
    assert_string_equal(setting_all(store, "anonymous"), "");
    assert_int_equal(store->catalog.dbi[PYRO_CONTROL_SETTING], 0);
    setting_set(store, "anonymous", "a", "1", 1);
    assert_string_equal(setting_all(store, "anonymous"), "a=1@1");
    pyro_store_close(store);

    store = fixture_open(dir);
    assert_string_equal(setting_all(store, "anonymous"), "a=1@1");
    pyro_store_close(store);

    options.access = PYRO_ACCESS_READ;
    assert_int_equal(pyro_store_open(&options, &reader, &err), PYRO_OK);
    assert_string_equal(setting_all(reader, "anonymous"), "a=1@1");
    assert_int_equal(setting_try(reader, "anonymous", PYRO_SLICE("a"),
                                 PYRO_SLICE("2"), 2, &err), PYRO_UNAVAILABLE);
    pyro_store_close(reader);

    assert_string_equal(setting_check(dir), "");
    fixture_remove(dir);
}


/* Each counts up one of all, as long as it wins, and one of its own. */
static void
setting_child(const char *dir, int number)
{
    int            i;
    char           name[32], value[32];
    pyro_error_t   err;
    pyro_store_t  *store;

    store = fixture_open(dir);
    snprintf(name, sizeof(name), "child%d", number);

    for (i = 1; i <= WRITES; i++) {
        snprintf(value, sizeof(value), "%d", i);

        if (setting_try(store, "t", pyro_slice_str(name),
                        pyro_slice_str(value), i, &err)
            != PYRO_OK)
        {
            _exit(1);
        }

        switch (setting_try(store, "t", PYRO_SLICE("all"),
                            pyro_slice_str(value), i, &err)) {
        case PYRO_OK:
        case PYRO_CONFLICT:
            break;
        default:
            _exit(2);
        }
    }

    pyro_store_close(store);
    _exit(0);
}


static void
processes_share_settings(void **state)
{
    int            i, rc;
    char          *dir;
    pid_t          pids[CHILDREN];
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    pyro_store_close(store);
    setting_drop(dir, PYRO_CONTROL_SETTING);

    for (i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);

        if (pids[i] == 0) {
            setting_child(dir, i);
        }
    }

    for (i = 0; i < CHILDREN; i++) {
        assert_int_equal(waitpid(pids[i], &rc, 0), pids[i]);
        assert_int_equal(rc, 0);
    }

    store = fixture_open(dir);
    assert_string_equal(setting_all(store, "t"), "all=50@50 child0=50@50 "
                        "child1=50@50 child2=50@50 child3=50@50");
    pyro_store_close(store);

    assert_string_equal(setting_check(dir), "");
    fixture_remove(dir);
}


/* What another process has set is seen; what is reported is there, though the
 * process is killed. */
static void
a_process_sees_what_others_set(void **state)
{
    int            go[2], done[2], rc;
    char          *dir, c;
    pid_t          pid;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    pyro_store_close(store);
    setting_drop(dir, PYRO_CONTROL_SETTING);

    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(done), 0);
    pid = fork();

    if (pid == 0) {
        store = fixture_open(dir);

        if (read(go[0], &c, 1) == 1) {
            setting_set(store, "new", "a", "1", 1);

            if (write(done[1], "+", 1) == 1) {
                pause();
            }
        }

        _exit(1);
    }

    store = fixture_open(dir);
    assert_string_equal(setting_all(store, "new"), "");
    assert_int_equal(write(go[1], "+", 1), 1);
    assert_int_equal(read(done[0], &c, 1), 1);
    assert_string_equal(setting_all(store, "new"), "a=1@1");

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &rc, 0), pid);
    assert_string_equal(setting_all(store, "new"), "a=1@1");

    close(go[0]);
    close(go[1]);
    close(done[0]);
    close(done[1]);
    pyro_store_close(store);
    fixture_remove(dir);
}


typedef struct {
    pyro_store_t  *store;
    int            number;
    int            failed;
} setting_thread_t;


/* One of its own, among others who push. */
static void *
setting_thread(void *ctx)
{
    int                    i;
    char                   name[32];
    uint32_t               n;
    pyro_error_t           err;
    pyro_arena_t          *arena;
    setting_thread_t      *t;
    pyro_store_push_t      push, *list[1];
    pyro_store_setting_t  *settings;

    t = ctx;
    snprintf(name, sizeof(name), "thread%d", t->number);

    for (i = 1; i <= WRITES; i++) {
        arena = pyro_arena_create(0);

        push = fixture_push(fixture_one(arena, "service_name=s", "a", 1),
                            T0 + (t->number * WRITES + i) * SEC);
        push.service = pyro_slice_str(name);
        push.info = pyro_slice_str(name);
        list[0] = &push;

        if (t->number % 2) {
            pyro_store_write(t->store, list, 1);
            t->failed |= push.status != PYRO_OK || push.info_failed;
        }

        t->failed |= setting_try(t->store, "t", pyro_slice_str(name),
                                 pyro_slice_str(name), i, &err)
                     != PYRO_OK;
        t->failed |= pyro_store_settings_get(t->store, PYRO_SLICE("t"), arena,
                                             &settings, &n, &err)
                     != PYRO_OK
                     || n == 0 || n > THREADS;

        pyro_arena_destroy(arena);
    }

    return NULL;
}


/* Both databases are made, by whoever comes first. */
static void
threads_share_settings(void **state)
{
    int                i;
    char              *dir;
    pthread_t          threads[THREADS];
    pyro_store_t      *store;
    setting_thread_t   t[THREADS];

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    pyro_store_close(store);
    setting_drop(dir, PYRO_CONTROL_SETTING);
    setting_drop(dir, PYRO_CONTROL_INFO);
    store = fixture_open(dir);

    for (i = 0; i < THREADS; i++) {
        t[i].store = store;
        t[i].number = i;
        t[i].failed = 0;
        assert_int_equal(pthread_create(&threads[i], NULL, setting_thread,
                                        &t[i]), 0);
    }

    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(t[i].failed, 0);
    }

    assert_string_equal(setting_all(store, "t"), "thread0=thread0@50 "
                        "thread1=thread1@50 thread2=thread2@50 "
                        "thread3=thread3@50");
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX),
                     THREADS / 2 * WRITES);
    pyro_store_close(store);

    assert_string_equal(setting_check(dir), "");
    fixture_remove(dir);
}


static void
a_copy_has_them(void **state)
{
    char                  *dir, target[64];
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_backup_result_t   result;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    fixture_write(store, fixture_one(setting_arena, "service_name=s", "a", 1),
                  T0);
    setting_set(store, "anonymous", "a", "1", 1);

    snprintf(target, sizeof(target), "%s-copy", dir);
    assert_int_equal(pyro_store_backup(store, target, &result, &err), PYRO_OK);
    pyro_store_close(store);

    store = fixture_open(target);
    assert_string_equal(setting_all(store, "anonymous"), "a=1@1");
    pyro_store_close(store);
    assert_string_equal(setting_check(target), "");

    fixture_remove(strdup(target));
    fixture_remove(dir);
}


static void
setting_plant(const char *dir, pyro_slice_t key, pyro_slice_t value)
{
    pyro_kv_txn_t    *txn;
    pyro_error_t      err;
    pyro_store_t     *store;
    pyro_catalog_t   *catalog;

    store = fixture_open(dir);
    catalog = &store->catalog;

    assert_int_equal(pyro_env_begin(catalog->control, 0, &txn, &err), PYRO_OK);
    assert_int_equal(mdb_drop((MDB_txn *) txn,
                              catalog->dbi[PYRO_CONTROL_SETTING], 0), 0);
    assert_int_equal(pyro_kv_put(txn, catalog->dbi[PYRO_CONTROL_SETTING], key,
                                 value), 0);
    assert_int_equal(pyro_env_commit(catalog->control, txn, &err), PYRO_OK);
    pyro_store_close(store);
}


static void
a_check_finds_what_is_wrong(void **state)
{
    char                   *dir, *huge;
    size_t                  i;
    uint32_t                n;
    pyro_error_t            err;
    pyro_store_t           *store;
    pyro_store_setting_t   *settings;

    static const struct {
        pyro_slice_t  key;
        pyro_slice_t  value;
        const char   *found;
    } cases[] = {
        { { "\0\0\0\1x", 5 }, { "\0\0\0\0\0\0\0\1v", 9 }, "" },
        { { "\0\0\0\1x", 5 }, { "\0\0\0\0\0\0\0\1", 8 }, "" },
        { { "\0\0\0\1x", 5 }, { "\0\0\0\0\0\0\1", 7 }, "cannot be read" },
        { { "\0\0\0\1x", 5 }, { "\0\0\0\0\0\0\0\0v", 9 }, "cannot be read" },
        { { "\0\0\0\1x", 5 }, { "\377\0\0\0\0\0\0\0v", 9 }, "cannot be read" },
        { { "\0\0\0\1", 4 }, { "\0\0\0\0\0\0\0\1v", 9 }, "cannot be read" },
        { { "\0\0\0\1\377", 5 }, { "\0\0\0\0\0\0\0\1v", 9 }, "cannot be read" },
        { { "\0\0\0\2x", 5 }, { "\0\0\0\0\0\0\0\1v", 9 }, "is not there" }
    };

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    setting_set(store, "t", "x", "v", 1);
    pyro_store_close(store);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setting_plant(dir, cases[i].key, cases[i].value);

        if (cases[i].found[0] == '\0') {
            assert_string_equal(setting_check(dir), "");

        } else {
            assert_non_null(strstr(setting_check(dir), cases[i].found));
            assert_non_null(strstr(setting_check(dir),
                                   "control.mdb: setting: "));
        }
    }

    huge = calloc(1, PYRO_STORE_SETTING_VALUE + 9);
    huge[7] = 1;
    setting_plant(dir, pyro_slice("\0\0\0\1x", 5),
                  pyro_slice(huge, PYRO_STORE_SETTING_VALUE + 8));
    assert_string_equal(setting_check(dir), "");
    setting_plant(dir, pyro_slice("\0\0\0\1x", 5),
                  pyro_slice(huge, PYRO_STORE_SETTING_VALUE + 9));
    assert_non_null(strstr(setting_check(dir), "cannot be read"));
    free(huge);

    /* one that cannot be read says so, and is replaced */

    setting_plant(dir, pyro_slice("\0\0\0\1x", 5), PYRO_SLICE("short"));
    store = fixture_open(dir);
    assert_int_equal(pyro_store_settings_get(store, PYRO_SLICE("t"),
                                             setting_arena, &settings, &n,
                                             &err), PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "control.mdb is damaged"));
    setting_set(store, "t", "x", "whole", 1);
    assert_string_equal(setting_all(store, "t"), "x=whole@1");
    pyro_store_close(store);

    assert_string_equal(setting_check(dir), "");
    fixture_remove(dir);
}


static int
setting_setup(void **state)
{
    (void) state;

    setting_arena = pyro_arena_create(0);

    return setting_arena == NULL;
}


static int
setting_teardown(void **state)
{
    (void) state;

    pyro_arena_destroy(setting_arena);

    return 0;
}


#define setting_unit(test)                                                    \
    cmocka_unit_test_setup_teardown(test, setting_setup, setting_teardown)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        setting_unit(settings_are_kept),
        setting_unit(the_later_change_stays),
        setting_unit(settings_are_bounded),
        setting_unit(all_of_them_are_bounded),
        setting_unit(settings_of_an_older_file),
        setting_unit(processes_share_settings),
        setting_unit(a_process_sees_what_others_set),
        setting_unit(threads_share_settings),
        setting_unit(a_copy_has_them),
        setting_unit(a_check_finds_what_is_wrong),
    };

    return unit_run(tests);
}
