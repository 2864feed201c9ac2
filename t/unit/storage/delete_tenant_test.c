/*
 * Tenants by name, and deleting one: label sets, settings and infos go, those
 * of the tenants whose numbers are beside its do not, and what is cut off is
 * ended by the next call.
 */

#include "storage/store_fixture.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>


#define SERVICES  1500      /* more than a transaction deletes */


static const char *const  tenants[] = { "acme", "beta", "gamma" };

static pyro_arena_t  *arena;
static int            pauses = -1;  /* until it ends; -1: it does not */


/* What is to be seen of a tenant. */
typedef struct {
    uint64_t  total;
    uint32_t  series;
    uint32_t  settings;
    uint32_t  infos;
} seen_t;


/* In the place of libc's: deleting sleeps behind each commit. */
int
nanosleep(const struct timespec *time, struct timespec *left)
{
    (void) time;
    (void) left;

    if (pauses != -1 && pauses-- == 0) {
        _exit(7);
    }

    return 0;
}


static int
setup(void **state)
{
    (void) state;

    arena = pyro_arena_create(0);

    return arena == NULL;
}


static int
teardown(void **state)
{
    (void) state;

    pyro_arena_destroy(arena);

    return 0;
}


static void
write_as(pyro_store_t *store, const char *tenant, const char *labels,
    int64_t time)
{
    pyro_store_push_t  push, *list[1];

    push = fixture_push(fixture_one(arena, labels, "main;f", 1), time);
    push.tenant = pyro_slice_str(tenant);
    list[0] = &push;

    pyro_store_write(store, list, 1);
    assert_int_equal(push.status, PYRO_OK);
}


/* What recordings of services s0, s1, ... said. */
static void
write_infos(pyro_store_t *store, const char *tenant, uint32_t n)
{
    uint32_t             i;
    pyro_profile_t      *empty;
    pyro_store_push_t   *pushes, **list;

    pushes = calloc(n, sizeof(pyro_store_push_t));
    list = calloc(n, sizeof(pyro_store_push_t *));
    empty = pyro_profile_create(arena);
    fixture_finish(empty, "service_name=s");

    for (i = 0; i < n; i++) {
        pushes[i] = fixture_push(empty, T0);
        pushes[i].tenant = pyro_slice_str(tenant);
        pushes[i].service.data = pyro_arena_alloc(arena, 8);
        pushes[i].service.len = (size_t) snprintf(
            (char *) pushes[i].service.data, 8, "s%u", i);
        pushes[i].info = PYRO_SLICE("{}");
        list[i] = &pushes[i];
    }

    pyro_store_write(store, list, n);

    for (i = 0; i < n; i++) {
        assert_int_equal(pushes[i].status, PYRO_OK);
        assert_int_equal(pushes[i].info_failed, 0);
    }

    free(pushes);
    free(list);
}


/* Each tenant has four label sets in two days, three settings and five infos,
 * beta so many. */
static void
fill(pyro_store_t *store, uint32_t infos)
{
    size_t                 i, k;
    pyro_error_t           err;
    pyro_store_setting_t   setting;
    static const char     *names[] = { "a", "b", "\xc3\xbf" };

    for (i = 0; i < 3; i++) {
        write_as(store, tenants[i], "service_name=shop", T0);
        write_as(store, tenants[i], "service_name=shop,pod=a", T0);
        write_as(store, tenants[i], "pod=b", T0);
        write_as(store, tenants[i], "service_name=cart", T0 + DAY * SEC);
        write_infos(store, tenants[i], i == 1 ? infos : 5);

        for (k = 0; k < 3; k++) {
            setting = (pyro_store_setting_t) { pyro_slice_str(names[k]),
                                               PYRO_SLICE("v"), 1 };
            assert_int_equal(pyro_store_settings_set(
                store, pyro_slice_str(tenants[i]), &setting, &err), PYRO_OK);
        }
    }
}


static seen_t
look(pyro_store_t *store, const char *tenant)
{
    char                   name[8];
    seen_t                 seen;
    uint32_t               i;
    pyro_tree_t           *tree;
    pyro_slice_t           info;
    pyro_error_t           err;
    fixture_query_t        q;
    pyro_store_setting_t  *settings;

    memset(&seen, 0, sizeof(seen_t));
    fixture_query(&q, "{}", 0, INT64_MAX);
    q.query.tenant = pyro_slice_str(tenant);
    tree = pyro_tree_create(q.arena);

    assert_int_equal(pyro_store_merge(store, &q.query, tree, &err), PYRO_OK);
    pyro_tree_totals(tree);
    seen.total = tree->nodes[0].total;

    assert_int_equal(pyro_store_series(store, &q.query, fixture_count,
                                       &seen.series, &err), PYRO_OK);
    assert_int_equal(pyro_store_settings_get(store, q.query.tenant, q.arena,
                                             &settings, &seen.settings, &err),
                     PYRO_OK);

    for (i = 0; i < SERVICES; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        seen.infos += pyro_store_info(store, q.query.tenant,
                                      pyro_slice_str(name), q.arena, &info,
                                      &err) == PYRO_OK;
    }

    fixture_query_end(&q);

    return seen;
}


static void
check_clean(const char *dir)
{
    pyro_error_t         err;
    pyro_check_result_t  result;

    assert_int_equal(pyro_store_check(dir, NULL, NULL, &result, &err),
                     PYRO_OK);
    assert_int_equal(result.findings, 0);
}


static pyro_status_e
count_streams(void *ctx, const char *file, const pyro_labels_t *labels,
    pyro_error_t *err)
{
    (void) file;
    (void) labels;
    (void) err;

    ((seen_t *) ctx)->series++;

    return PYRO_OK;
}


static pyro_status_e
count_entries(void *ctx, const char *kind, pyro_slice_t name,
    pyro_error_t *err)
{
    seen_t  *seen = ctx;

    (void) err;

    if (strcmp(kind, "setting") == 0) {
        assert_true(pyro_slice_is(name, "a") || pyro_slice_is(name, "b")
                    || pyro_slice_is(name, "\xc3\xbf"));
        seen->settings++;

    } else {
        assert_string_equal(kind, "jfr-info");
        assert_int_equal(name.data[0], 's');
        seen->infos++;
    }

    return PYRO_OK;
}


static pyro_status_e
delete(pyro_store_t *store, const char *tenant, int only, seen_t *told,
    pyro_delete_result_t *result, pyro_error_t *err)
{
    pyro_status_e       status;
    pyro_store_query_t  query;

    memset(&query, 0, sizeof(pyro_store_query_t));
    memset(told, 0, sizeof(seen_t));
    query.tenant = pyro_slice_str(tenant);
    query.arena = pyro_arena_create(0);

    status = pyro_store_delete_tenant(store, &query, only, count_streams,
                                      count_entries, told, result, err);
    pyro_arena_destroy(query.arena);

    return status;
}


static void
is_whole(pyro_store_t *store, const char *tenant)
{
    seen_t  seen;

    seen = look(store, tenant);
    assert_int_equal(seen.total, 4);
    assert_int_equal(seen.series, 4);
    assert_int_equal(seen.settings, 3);
    assert_int_equal(seen.infos, 5);
}


static void
is_gone(pyro_store_t *store, const char *tenant)
{
    seen_t  seen, none;

    memset(&none, 0, sizeof(seen_t));
    seen = look(store, tenant);
    assert_memory_equal(&seen, &none, sizeof(seen_t));
}


static void
everything_of_one(void **state)
{
    int                    only;
    char                  *dir;
    seen_t                 told;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_delete_result_t   result;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    fill(store, 5);

    for (only = 1; only >= 0; only--) {
        is_whole(store, "beta");

        if (delete(store, "beta", only, &told, &result, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }

        assert_int_equal(told.series, 4);
        assert_int_equal(told.settings, 3);
        assert_int_equal(told.infos, 5);
        assert_int_equal(result.streams, 4);
        assert_int_equal(result.records, only ? 0 : 4);
        assert_int_equal(result.settings, 3);
        assert_int_equal(result.infos, 5);
    }

    is_gone(store, "beta");
    is_whole(store, "acme");
    is_whole(store, "gamma");

    /* once more is no error, and nothing; the last one ends the databases */

    assert_int_equal(delete(store, "beta", 0, &told, &result, &err), PYRO_OK);
    assert_int_equal(result.streams + result.settings + result.infos, 0);
    assert_int_equal(delete(store, "gamma", 0, &told, &result, &err), PYRO_OK);
    is_gone(store, "gamma");
    is_whole(store, "acme");

    /* it may come again */

    write_as(store, "beta", "service_name=shop", T0);
    assert_int_equal(look(store, "beta").total, 1);

    pyro_store_close(store);
    check_clean(dir);
    fixture_remove(dir);
}


static void
refused(void **state)
{
    int                    fd;
    char                  *dir, path[4096];
    seen_t                 told;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_delete_result_t   result;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);

    /* a store in which nothing ever was */

    assert_int_equal(delete(store, "acme", 0, &told, &result, &err),
                     PYRO_NOT_FOUND);
    assert_string_equal(err.message, "the store has no tenant \"acme\"");

    fill(store, 5);
    assert_int_equal(delete(store, "Acme", 0, &told, &result, &err),
                     PYRO_NOT_FOUND);

    /* an upkeep */

    snprintf(path, sizeof(path), "%s/upkeep.lock", dir);
    fd = open(path, O_RDWR | O_CREAT, 0640);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(delete(store, "acme", 0, &told, &result, &err),
                     PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "stop the server"));
    assert_int_equal(delete(store, "acme", 1, &told, &result, &err), PYRO_OK);
    close(fd);

    is_whole(store, "acme");

    pyro_store_close(store);
    fixture_remove(dir);
}


/* Cut off behind the first commit, the second, ... */
static void
cut_off(void **state)
{
    int                    status, commits;
    char                  *dir;
    pid_t                  pid;
    seen_t                 told;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_delete_result_t   result;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    fill(store, SERVICES);
    pyro_store_close(store);

    for (commits = 0; /* void */ ; commits++) {
        pid = fork();

        if (pid == 0) {
            store = fixture_open(dir);
            pauses = commits % 2;
            status = delete(store, "beta", 0, &told, &result, &err);
            pauses = -1;
            pyro_store_close(store);
            _exit(status == PYRO_OK ? 0 : 1);
        }

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 7);
        check_clean(dir);

        if (WEXITSTATUS(status) == 0) {
            break;
        }
    }

    print_message("# cut off %d times\n", commits);
    assert_true(commits > 3);

    store = fixture_open(dir);
    is_gone(store, "beta");
    is_whole(store, "acme");
    is_whole(store, "gamma");
    pyro_store_close(store);
    fixture_remove(dir);
}


static pyro_status_e
on_tenant(void *ctx, pyro_slice_t name, pyro_error_t *err)
{
    char  *names;

    names = ctx;

    if (strlen(names) > 20) {
        return pyro_error_set(err, PYRO_CANCELED, PYRO_REASON_CANCELED,
                              "enough");
    }

    strncat(names, name.data, name.len);
    strcat(names, " ");

    return PYRO_OK;
}


static void
by_name(void **state)
{
    char           names[64] = "", *dir;
    pyro_error_t   err;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    assert_int_equal(pyro_store_tenants(store, on_tenant, names, &err),
                     PYRO_OK);
    assert_string_equal(names, "");

    write_as(store, "gamma", "service_name=shop", T0);
    write_as(store, "alpha", "service_name=shop", T0);
    write_as(store, "alphabet", "service_name=shop", T0);
    assert_int_equal(pyro_store_tenants(store, on_tenant, names, &err),
                     PYRO_OK);
    assert_string_equal(names, "alpha alphabet gamma ");

    /* a handler may end it */

    assert_int_equal(pyro_store_tenants(store, on_tenant, names, &err),
                     PYRO_CANCELED);
    assert_string_equal(err.message, "enough");

    pyro_store_close(store);
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(everything_of_one, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(by_name, setup, teardown),
    };

    return unit_run(tests);
}
