/*
 * pyro_store_push_t.max_series.  What has no room loses its own labels and
 * nothing else, a repeat is one whatever was folded, and counts are exact over
 * transactions, processes, failed commits and sealed days.
 */

#include "store_fixture.h"

#include <sys/wait.h>

#include "storage/handle.h"


typedef struct {
    char          *dir;
    pyro_arena_t  *arena;
    pyro_store_t  *store;
} quota_t;


static void
quota_open(quota_t *q, uint64_t map_size)
{
    pyro_error_t          err;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = q->dir;
    options.map_size = map_size;
    options.seal_after = 1;

    if (pyro_store_open(&options, &q->store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


static int
quota_setup(void **state)
{
    quota_t  *q;

    q = calloc(1, sizeof(quota_t));
    assert_non_null(q);

    q->dir = fixture_dir();
    q->arena = pyro_arena_create(0);
    quota_open(q, 64 * 1024 * 1024);
    *state = q;

    return 0;
}


static int
quota_teardown(void **state)
{
    quota_t  *q = *state;

    pyro_store_close(q->store);
    pyro_arena_destroy(q->arena);
    fixture_remove(q->dir);
    free(q);

    return 0;
}


/* shop's, with a sample of its own (own > 0) and n of spans from first on; of
 * two types, span i with the value i of each. */
static pyro_profile_t *
quota_profile(quota_t *q, uint32_t first, uint32_t n, int64_t own)
{
    char             text[32];
    uint32_t         i, set;
    pyro_labels_t    labels;
    pyro_profile_t  *p;

    p = pyro_profile_create(q->arena);

    if (own) {
        fixture_add(p, 0, &fixture_cpu, "a;b", 0, own);
    }

    for (i = first; i < first + n; i++) {
        snprintf(text, sizeof(text), "span_name=s%u", i);
        labels = fixture_labels(q->arena, text);
        set = pyro_profile_label_set(p, &labels);
        fixture_add(p, set, &fixture_cpu, "a;b", 7, i);
        fixture_add(p, set, &fixture_alloc, i % 2 ? "a;c" : "a", 0, i);
    }

    fixture_finish(p, "service_name=shop,host=h1");

    return p;
}


static pyro_store_push_t
quota_push(quota_t *q, const pyro_profile_t *p, int64_t time, uint32_t most)
{
    pyro_store_push_t  push, *list[1];

    push = fixture_push(p, time);
    push.max_series = most;
    list[0] = &push;
    pyro_store_write(q->store, list, 1);

    return push;
}


static pyro_store_push_t
quota_service(quota_t *q, const char *name, int64_t time, uint32_t most)
{
    char  labels[64];

    snprintf(labels, sizeof(labels), "service_name=%s", name);

    return quota_push(q, fixture_one(q->arena, labels, "a;b", 1), time, most);
}


static uint32_t
quota_streams(quota_t *q, const char *type)
{
    char  selector[64];

    snprintf(selector, sizeof(selector), "{__name__=\"%s\"}", type);

    return fixture_series(q->store, selector, T0, T0 + DAY * SEC);
}


static uint64_t
quota_total(quota_t *q, const char *labels, const char *type)
{
    char  selector[128];

    snprintf(selector, sizeof(selector), "{__name__=\"%s\"%s}", type, labels);

    return fixture_total(q->store, selector, T0, T0 + DAY * SEC);
}


static void
services(void **state)
{
    quota_t            *q = *state;
    pyro_store_push_t   push, other, *list[1];

    assert_int_equal(quota_service(q, "a", T0, 2).status, PYRO_OK);
    assert_int_equal(quota_service(q, "b", T0, 2).status, PYRO_OK);

    push = quota_service(q, "c", T0, 2);
    assert_int_equal(push.status, PYRO_EXHAUSTED);
    assert_int_equal(push.error.reason, PYRO_REASON_SERIES);
    assert_int_equal(push.error.retry, 60);
    assert_non_null(strstr(push.error.message,
                           "limits.max_global_series_per_tenant: tenant "
                           "\"anonymous\" has 2 series in p-20261122."));
    assert_non_null(strstr(push.error.message, "the limit is 2, and these "
                           "labels of service \"c\" are new"));
    assert_int_equal(push.stored, 0);

    /* what is there goes on, as does another day, and another tenant */

    assert_int_equal(quota_service(q, "a", T0 + SEC, 2).stored, 1);
    assert_int_equal(quota_service(q, "c", T0 + DAY * SEC, 2).stored, 1);

    other = fixture_push(push.profile, T0);
    other.tenant = PYRO_SLICE("other");
    other.max_series = 1;
    list[0] = &other;
    pyro_store_write(q->store, list, 1);
    assert_int_equal(other.status, PYRO_OK);

    /* a limit that was lowered, one that was raised, none */

    assert_int_equal(quota_service(q, "b", T0 + SEC, 1).stored, 1);
    assert_int_equal(quota_service(q, "c", T0, 1).status, PYRO_EXHAUSTED);
    assert_int_equal(quota_service(q, "c", T0, 3).stored, 1);
    assert_int_equal(quota_service(q, "d", T0, 0).stored, 1);
    assert_int_equal(quota_service(q, "e", T0, 4).status, PYRO_EXHAUSTED);
}


static void
spans_are_folded(void **state)
{
    quota_t            *q = *state;
    uint32_t            i;
    pyro_profile_t     *p;
    pyro_store_push_t   push;

    p = quota_profile(q, 1, 5, 100);
    push = quota_push(q, p, T0, 3);

    assert_int_equal(push.status, PYRO_OK);
    assert_int_equal(push.series_folded, 3);
    assert_int_equal(push.stored, 3);
    assert_int_equal(quota_streams(q, "process_cpu"), 3);
    assert_int_equal(quota_total(q, "", "process_cpu"), 115);
    assert_int_equal(quota_total(q, "", "memory"), 15);
    assert_int_equal(quota_total(q, ",span_name=\"s2\"", "memory"), 2);
    assert_int_equal(quota_total(q, ",span_name=\"s3\"", "process_cpu"), 0);
    assert_int_equal(quota_total(q, ",span_name=\"\"", "process_cpu"), 112);
    assert_int_equal(quota_total(q, ",span_name=\"\"", "memory"), 12);

    /* the profile that was given is as it was, and so is a repeat */

    assert_int_equal(p->n_samples, 11);

    for (i = 0; i < 2; i++) {
        push = quota_push(q, quota_profile(q, 1, 5, 100), T0, 3);
        assert_int_equal(push.status, PYRO_OK);
        assert_int_equal(push.stored, 0);
        assert_int_equal(push.repeated, 3);
    }

    /* all of it */

    push = quota_push(q, quota_profile(q, 10, 3, 50), T0 + SEC, 3);
    assert_int_equal(push.series_folded, 3);
    assert_int_equal(push.stored, 1);
    assert_int_equal(quota_total(q, ",span_name=\"\"", "process_cpu"),
                     112 + 50 + 33);
    assert_int_equal(quota_streams(q, "process_cpu"), 3);
}


/* The push's own labels take a room only where there are samples for them. */
static void
spans_alone(void **state)
{
    quota_t            *q = *state;
    pyro_store_push_t   push;

    push = quota_push(q, quota_profile(q, 1, 2, 0), T0, 2);
    assert_int_equal(push.stored, 2);
    assert_int_equal(push.series_folded, 0);

    push = quota_push(q, quota_profile(q, 2, 2, 0), T0 + SEC, 2);
    assert_int_equal(push.status, PYRO_EXHAUSTED);
    assert_int_equal(push.series_folded, 0);
    assert_int_equal(quota_total(q, "", "process_cpu"), 3);

    push = quota_push(q, quota_profile(q, 2, 3, 0), T0 + SEC, 3);
    assert_int_equal(push.stored, 2);
    assert_int_equal(push.series_folded, 2);
    assert_int_equal(quota_total(q, ",span_name=\"\"", "memory"), 7);
    assert_int_equal(quota_total(q, "", "process_cpu"), 3 + 9);
}


/* In one call, so in one transaction. */
static void
in_one_transaction(void **state)
{
    char                labels[32];
    quota_t            *q = *state;
    uint32_t            i;
    pyro_store_push_t   pushes[6], *list[6];

    for (i = 0; i < 6; i++) {
        snprintf(labels, sizeof(labels), "service_name=s%u", i % 4);
        pushes[i] = fixture_push(fixture_one(q->arena, labels, "a;b", 1),
                                 T0 + i * SEC);
        pushes[i].max_series = 3;
        list[i] = &pushes[i];
    }

    pyro_store_write(q->store, list, 6);

    for (i = 0; i < 6; i++) {
        assert_int_equal(pushes[i].status, i == 3 ? PYRO_EXHAUSTED : PYRO_OK);
        assert_int_equal(pushes[i].stored, i != 3);
    }
}


/* What another process has entered counts. */
static void
two_processes(void **state)
{
    int       result;
    pid_t     pid;
    quota_t  *q = *state;

    /* no environment crosses a fork */

    pyro_store_close(q->store);
    pid = fork();
    assert_int_not_equal(pid, -1);

    if (pid != 0) {
        quota_open(q, 64 * 1024 * 1024);
        assert_int_equal(quota_service(q, "a", T0, 3).stored, 1);
        assert_int_equal(waitpid(pid, &result, 0), pid);
        assert_int_equal(result, 0);

        assert_int_equal(quota_service(q, "c", T0, 3).stored, 1);
        assert_int_equal(quota_service(q, "d", T0, 3).status, PYRO_EXHAUSTED);
        return;
    }

    quota_open(q, 64 * 1024 * 1024);
    result = quota_service(q, "b", T0, 3).status;
    pyro_store_close(q->store);
    _exit(result);
}


/* What was not committed does not count. */
static void
failed_commit(void **state)
{
    char                stack[64];
    quota_t            *q = *state;
    uint32_t            i;
    pyro_profile_t     *p;
    pyro_store_push_t   push;

    pyro_store_close(q->store);
    quota_open(q, 1024 * 1024);

    assert_int_equal(quota_service(q, "a", T0, 2).stored, 1);

    p = pyro_profile_create(q->arena);

    for (i = 0; i < 20000; i++) {
        snprintf(stack, sizeof(stack), "a;long_function_name_number_%u", i);
        fixture_add(p, 0, &fixture_cpu, stack, 0, 1);
    }

    fixture_finish(p, "service_name=large");
    push = quota_push(q, p, T0, 2);
    assert_int_equal(push.status, PYRO_UNAVAILABLE);

    assert_int_equal(quota_service(q, "b", T0, 2).stored, 1);
    assert_int_equal(quota_service(q, "c", T0, 2).status, PYRO_EXHAUSTED);
}


/* A repeat that comes when the day is sealed is found there, and labels that
 * had no room get none in the file beside it. */
static void
sealed(void **state)
{
    quota_t            *q = *state;
    uint32_t            n;
    pyro_error_t        err;
    pyro_store_push_t   push;

    assert_int_equal(quota_push(q, quota_profile(q, 1, 5, 9), T0, 3).stored,
                     3);

    if (pyro_store_seal(q->store, fixture_later(), &n, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(n, 1);

    push = quota_push(q, quota_profile(q, 1, 5, 9), T0, 3);
    assert_int_equal(push.status, PYRO_OK);
    assert_int_equal(push.stored, 0);
    assert_int_equal(push.repeated, 3);

    push = quota_push(q, quota_profile(q, 2, 2, 9), T0 + SEC, 3);
    assert_int_equal(push.stored, 2);
    assert_int_equal(push.series_folded, 1);
    assert_int_equal(quota_service(q, "new", T0, 3).status, PYRO_EXHAUSTED);
    assert_int_equal(quota_total(q, "", "process_cpu"), 24 + 14);
}


/* A stream that cannot be read is nobody's, and costs nobody his pushes. */
static void
damaged_stream(void **state)
{
    uint8_t            key[PYRO_KEY_MAX];
    quota_t           *q = *state;
    pyro_error_t       err;
    pyro_kv_txn_t     *txn;
    pyro_partition_t  *part;

    assert_int_equal(quota_service(q, "a", T0, 0).stored, 1);
    assert_int_equal(quota_service(q, "b", T0, 0).stored, 1);

    part = pyro_catalog_find(&q->store->catalog, T0);

    assert_int_equal(pyro_env_begin(part->env, 0, &txn, &err), PYRO_OK);
    assert_int_equal(pyro_kv_put(txn, part->dbi[PYRO_DB_STREAM],
                                 pyro_slice(key, pyro_key_id(key, 1)),
                                 PYRO_SLICE("x")), 0);
    assert_int_equal(pyro_env_commit(part->env, txn, &err), PYRO_OK);

    assert_int_equal(quota_service(q, "c", T0, 2).stored, 1);
    assert_int_equal(quota_service(q, "d", T0, 2).status, PYRO_EXHAUSTED);
}


int
main(void)
{
#define QUOTA_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, quota_setup, quota_teardown)

    const struct CMUnitTest  tests[] = {
        QUOTA_TEST(services),
        QUOTA_TEST(spans_are_folded),
        QUOTA_TEST(spans_alone),
        QUOTA_TEST(in_one_transaction),
        QUOTA_TEST(two_processes),
        QUOTA_TEST(failed_commit),
        QUOTA_TEST(sealed),
        QUOTA_TEST(damaged_stream),
    };

    return unit_run(tests);
}
