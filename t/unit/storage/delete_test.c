/*
 * Deleting streams: all of them is gone and nothing else, whenever it is cut
 * off the store is sound, and the next call ends it.
 */

#include "storage/store_fixture.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "storage/handle.h"
#include "storage/seal_job.h"


#define STREAMS  600        /* more than a posting's chunk has */
#define PUSHES   40         /* of one stream, with many records */


static int  pauses = -1;    /* until the process ends; -1: it does not */

static pyro_store_t  *clocked;      /* in which shop goes when the clock is */
static int            looks;        /* read so often, a second ahead then */


static void delete_by_clock(void);


/* In the place of libc's: a second is behind which a query takes a new look. */
int
clock_gettime(clockid_t id, struct timespec *time)
{
    int  rc;

    rc = (int) syscall(SYS_clock_gettime, id, time);

    if (clocked != NULL && looks-- == 0) {
        delete_by_clock();
    }

    time->tv_sec += clocked == NULL;

    return rc;
}


/* In the place of libc's: the upkeep and deleting sleep behind each commit. */
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


static void
on_finding(void *ctx, const pyro_finding_t *finding)
{
    (void) ctx;

    if (!finding->note) {
        print_message("# %s: %s: %s\n", finding->file, finding->what,
                      finding->text);
    }
}


/* The number of records. */
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


static void
write_many(pyro_store_t *store, const char *labels, int64_t time, uint32_t n)
{
    char                stack[64];
    uint32_t            i;
    pyro_arena_t       *arena;
    pyro_store_push_t  *pushes, **list;

    arena = pyro_arena_create(0);
    pushes = calloc(n, sizeof(pyro_store_push_t));
    list = calloc(n, sizeof(pyro_store_push_t *));

    for (i = 0; i < n; i++) {
        snprintf(stack, sizeof(stack), "main;f%u", i % 5);
        pushes[i] = fixture_push(fixture_one(arena, labels, stack, 1),
                                 time + i * SEC);
        list[i] = &pushes[i];
    }

    pyro_store_write(store, list, n);

    for (i = 0; i < n; i++) {
        assert_int_equal(pushes[i].status, PYRO_OK);
    }

    free(pushes);
    free(list);
    pyro_arena_destroy(arena);
}


/* Two days, in which shop has many records and many streams. */
static void
fill(pyro_store_t *store)
{
    char               labels[64];
    uint32_t           i;
    pyro_error_t       err;
    pyro_store_work_t  work;

    for (i = 0; i < STREAMS; i++) {
        snprintf(labels, sizeof(labels), "service_name=%s,pod=p%u",
                 i % 7 ? "shop" : "cart", i);
        write_many(store, labels, T0 + i * SEC, 1);
    }

    write_many(store, "service_name=shop", T0 + DAY * SEC, PUSHES * 70);
    write_many(store, "service_name=cart", T0 + DAY * SEC, PUSHES);

    memset(&work, 0, sizeof(work));
    work.now = T0 + (2 * DAY) * SEC;
    assert_int_equal(pyro_store_maintain(store, &work, &err), PYRO_OK);

    write_many(store, "service_name=shop", T0 + (DAY + 7) * SEC + 1, PUSHES);
}


static pyro_status_e
delete(pyro_store_t *store, const char *selector, int only,
    pyro_delete_result_t *result, pyro_error_t *err)
{
    pyro_status_e    status;
    fixture_query_t  q;

    fixture_query(&q, selector, 0, 1);
    status = pyro_store_delete(store, &q.query, only, NULL, NULL, result, err);
    fixture_query_end(&q);

    return status;
}


static void
delete_by_clock(void)
{
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_delete_result_t   result;

    store = clocked;
    clocked = NULL;

    if (delete(store, "{service_name=\"shop\"}", 0, &result, &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }
}


static uint64_t
total(pyro_store_t *store, const char *selector)
{
    return fixture_total(store, selector, 0, INT64_MAX);
}


static void
delete_whole(void **state)
{
    char                  *dir;
    uint64_t               shop, cart, left;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_delete_result_t   result;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    fill(store);
    shop = total(store, "{service_name=\"shop\"}");
    cart = total(store, "{service_name=\"cart\"}");

    assert_int_equal(delete(store, "{service_name=\"shop\"}", 1, &result,
                            &err), PYRO_OK);
    assert_int_equal(result.streams, STREAMS - (STREAMS + 6) / 7 + 1);
    assert_int_equal(result.records, 0);
    assert_int_equal(total(store, "{service_name=\"shop\"}"), shop);

    /* one label set in the midst of a list */

    assert_int_equal(delete(store, "{pod=\"p100\"}", 0, &result, &err),
                     PYRO_OK);
    assert_int_equal(result.streams, 1);
    assert_int_equal(result.records, 1);
    assert_int_equal(total(store, "{service_name=\"shop\"}"), shop - 1);

    if (delete(store, "{service_name=\"shop\"}", 0, &result, &err) != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    assert_int_equal(result.streams, STREAMS - (STREAMS + 6) / 7);
    assert_int_equal(result.records, shop - 1);
    assert_int_equal(total(store, "{service_name=\"shop\"}"), 0);
    assert_int_equal(fixture_series(store, "{service_name=\"shop\"}", 0,
                                    INT64_MAX), 0);
    assert_int_equal(fixture_series(store, "{pod=\"p101\"}", 0, INT64_MAX), 0);
    assert_int_equal(total(store, "{service_name=\"cart\"}"), cart);

    assert_int_equal(delete(store, "{service_name=\"shop\"}", 0, &result,
                            &err), PYRO_OK);
    assert_int_equal(result.streams, 0);

    /* what is pushed again is as new, also in the lists that were cut */

    write_many(store, "service_name=shop,pod=p100", T0, 3);
    assert_int_equal(total(store, "{pod=\"p100\"}"), 3);
    assert_int_equal(total(store, "{service_name=\"shop\"}"), 3);

    pyro_store_close(store);
    left = check_clean(dir);
    assert_int_equal(left, cart + 3);
    fixture_remove(dir);
}


static void
delete_refused(void **state)
{
    int                    fd;
    char                  *dir, path[4096];
    size_t                 i;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_delete_result_t   result;
    static const char     *selectors[] = {
        "{}", "{service_name!=\"shop\"}", "{service_name=\"\"}",
        "{service_name=~\".*\"}", "{service_name!~\"x\"}",
        "{service_name=\"shop\", __name__=\"memory\"}",
        "{service_name=\"shop\", jfr_event=\"cpu\"}",
    };

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    write_many(store, "service_name=shop", T0, 1);

    for (i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        assert_int_equal(delete(store, selectors[i], 0, &result, &err),
                         PYRO_INVALID);
    }

    /* an upkeep */

    snprintf(path, sizeof(path), "%s/upkeep.lock", dir);
    fd = open(path, O_RDWR | O_CREAT, 0640);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(delete(store, "{service_name=\"shop\"}", 0, &result,
                            &err), PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "stop the server"));
    assert_int_equal(delete(store, "{service_name=\"shop\"}", 1, &result,
                            &err), PYRO_OK);
    assert_int_equal(result.streams, 1);
    close(fd);

    assert_int_equal(total(store, "{}"), 1);
    assert_int_equal(delete(store, "{service_name=\"shop\"}", 0, &result,
                            &err), PYRO_OK);
    assert_int_equal(total(store, "{}"), 0);

    pyro_store_close(store);
    check_clean(dir);
    fixture_remove(dir);
}


/* Cut off behind the first commit, the second, ... */
static void
delete_cut_off(void **state)
{
    int                    status, commits;
    char                  *dir;
    pid_t                  pid;
    uint64_t               cart, before, now;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_delete_result_t   result;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    fill(store);
    cart = total(store, "{service_name=\"cart\"}");
    pyro_store_close(store);
    before = check_clean(dir);

    for (commits = 0; /* void */ ; commits++) {
        pid = fork();

        if (pid == 0) {
            store = fixture_open(dir);
            pauses = commits % 5;
            status = delete(store, "{service_name=\"shop\"}", 0, &result, &err);
            pauses = -1;
            pyro_store_close(store);
            _exit(status == PYRO_OK ? 0 : 1);
        }

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 7);

        now = check_clean(dir);
        assert_true(now <= before);
        before = now;

        if (WEXITSTATUS(status) == 0) {
            break;
        }
    }

    print_message("# cut off %d times\n", commits);
    assert_true(commits > 5);
    assert_int_equal(before, cart);

    store = fixture_open(dir);
    assert_int_equal(total(store, "{service_name=\"shop\"}"), 0);
    assert_int_equal(total(store, "{service_name=\"cart\"}"), cart);
    pyro_store_close(store);
    fixture_remove(dir);
}


/* Half a deletion is ended by one that has nothing else to do; the upkeep does
 * not mind it. */
static void
delete_resumed(void **state)
{
    int                    status;
    char                  *dir;
    pid_t                  pid;
    uint64_t               cart;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_work_t      work;
    pyro_delete_result_t   result;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    fill(store);
    cart = total(store, "{service_name=\"cart\"}");
    pyro_store_close(store);

    /* in the midst of the commits that take streams out of the first day */

    pid = fork();

    if (pid == 0) {
        store = fixture_open(dir);
        pauses = 10;
        delete(store, "{service_name=\"shop\"}", 0, &result, &err);
        _exit(0);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 7);

    store = fixture_open(dir);
    write_many(store, "service_name=cart", T0 + (DAY + 3) * SEC + 5, 2);
    memset(&work, 0, sizeof(work));
    work.now = T0 + 3 * DAY * SEC;
    assert_int_equal(pyro_store_maintain(store, &work, &err), PYRO_OK);
    assert_int_equal(work.more, 0);
    assert_int_equal(work.damaged, 0);
    pyro_store_close(store);
    check_clean(dir);

    store = fixture_open(dir);
    assert_int_equal(delete(store, "{service_name=\"none\"}", 0, &result,
                            &err), PYRO_OK);
    assert_int_equal(result.streams, 0);
    assert_true(result.resumed > 0);
    assert_int_equal(delete(store, "{service_name=\"shop\"}", 0, &result,
                            &err), PYRO_OK);
    assert_int_equal(result.resumed, 0);
    pyro_store_close(store);
    assert_int_equal(check_clean(dir), cart + 2);
    fixture_remove(dir);
}


static void
seal(pyro_store_t *store, int64_t now, uint32_t n)
{
    uint32_t           i, sealed;
    pyro_error_t       err;
    pyro_store_work_t  work;

    for (i = 0, sealed = 0; i < 1000 && sealed < n; i++) {
        memset(&work, 0, sizeof(work));
        work.now = now;
        work.seal_cpu = 10 * SEC;
        assert_int_equal(pyro_store_maintain(store, &work, &err), PYRO_OK);
        sealed += work.sealed;

        /* its share of the processor is no matter here */

        store->seal->resume = 0;
    }

    assert_int_equal(sealed, n);
}


/* Also from days that are sealed. */
static void
delete_sealed(void **state)
{
    char                  *dir;
    uint64_t               cart;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_delete_result_t   result;
    pyro_store_options_t   options;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    fill(store);
    cart = total(store, "{service_name=\"cart\"}");
    pyro_store_close(store);

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.map_size = 1024 * 1024 * 1024;
    options.seal_after = 7200;
    assert_int_equal(pyro_store_open(&options, &store, &err), PYRO_OK);

    seal(store, T0 + 9 * DAY * SEC, 2);

    if (delete(store, "{service_name=\"shop\"}", 0, &result, &err) != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    assert_true(result.records > 0);
    assert_int_equal(total(store, "{service_name=\"shop\"}"), 0);
    assert_int_equal(total(store, "{service_name=\"cart\"}"), cart);
    pyro_store_close(store);
    assert_int_equal(check_clean(dir), cart);

    /* copied once more, with what came late; files are quiet by then */

    assert_int_equal(pyro_store_open(&options, &store, &err), PYRO_OK);
    write_many(store, "service_name=cart", T0 + 50 * SEC + 1, 3);
    seal(store, fixture_later(), 1);
    assert_int_equal(total(store, "{}"), cart + 3);
    pyro_store_close(store);
    assert_int_equal(check_clean(dir), cart + 3);
    fixture_remove(dir);
}


static pyro_status_e
count_series(void *ctx, const pyro_labels_t *labels, pyro_error_t *err)
{
    (void) labels;
    (void) err;
    (*(int *) ctx)++;

    return PYRO_OK;
}


static pyro_status_e
no_group(void *ctx, const pyro_labels_t *labels, uint32_t *group,
    pyro_error_t *err)
{
    (void) ctx;
    (void) labels;
    (void) err;
    *group = 0;

    return PYRO_OK;
}


static pyro_status_e
add_total(void *ctx, uint32_t group, int64_t time, uint64_t value,
    uint32_t count, pyro_error_t *err)
{
    (void) group;
    (void) time;
    (void) count;
    (void) err;
    *(uint64_t *) ctx += value;

    return PYRO_OK;
}


/* A query that runs while streams go has those that are left, and no error. */
static void
delete_beside_query(void **state)
{
    int                          i, kind, n, over;
    char                        *dir, labels[64];
    uint64_t                     sum;
    pyro_error_t                 err;
    pyro_store_t                *store;
    pyro_status_e                status;
    fixture_query_t              q;
    pyro_store_missing_t         missing;
    pyro_store_totals_handler_t  handler;

    (void) state;

    memset(&handler, 0, sizeof(handler));
    handler.ctx = &sum;
    handler.series = no_group;
    handler.total = add_total;

    for (kind = 0; kind < 3; kind++) {

        for (i = 0, over = 0; !over; i++) {
            dir = fixture_dir();
            store = fixture_open(dir);

            for (n = 0; n < 100; n++) {
                snprintf(labels, sizeof(labels), "service_name=%s,pod=p%d",
                         n % 2 ? "shop" : "cart", n);
                write_many(store, labels, T0 + n * SEC, 1);
            }

            memset(&missing, 0, sizeof(missing));
            fixture_query(&q, "{}", 0, INT64_MAX);
            q.query.missing = &missing;
            n = 0;
            sum = 0;
            looks = i;
            clocked = store;

            if (kind == 0) {
                status = pyro_store_series(store, &q.query, count_series, &n,
                                           &err);
                sum = (uint64_t) n;

            } else if (kind == 1) {
                status = pyro_store_totals(store, &q.query, &handler, &err);

            } else {
                status = PYRO_OK;
                sum = total(store, "{}");
            }

            over = clocked != NULL;
            clocked = NULL;

            if (status != PYRO_OK) {
                fail_msg("%d, look %d: %s", kind, i, err.message);
            }

            assert_int_equal(missing.n, 0);
            assert_in_range(sum, 50, 100);

            fixture_query_end(&q);
            pyro_store_close(store);
            fixture_remove(dir);
        }

        print_message("# %d: %d looks at the clock\n", kind, i);
        assert_true(i > 3);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(delete_whole),
        cmocka_unit_test(delete_refused),
        cmocka_unit_test(delete_cut_off),
        cmocka_unit_test(delete_resumed),
        cmocka_unit_test(delete_sealed),
        cmocka_unit_test(delete_beside_query),
    };

    return unit_run(tests);
}
