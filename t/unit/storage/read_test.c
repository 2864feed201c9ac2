#include "store_fixture.h"


/* ---- a store with known content, and the same content in an array ---- */

#define SERVICES  3
#define PODS      4
#define SPANS     3         /* values of span_name, the first is "not there" */
#define PUSHES    200


typedef struct {
    int64_t   time;
    uint32_t  service;
    uint32_t  pod;
    uint32_t  span;
    int       alloc;        /* type */
    uint64_t  value;
} read_fact_t;


typedef struct {
    char          *dir;
    pyro_store_t  *store;
    read_fact_t    facts[PUSHES * SPANS * 2];
    uint32_t       n;
} read_store_t;


static const char  *read_services[] = { "shop", "cart", "mail" };
static const char  *read_spans[] = { "", "GET /a", "POST /b" };


static uint32_t
read_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return (uint32_t) (*seed >> 33);
}


static void
read_make(read_store_t *s)
{
    char             labels[64], name[64];
    uint32_t         i, k, type, set, service, pod;
    int64_t          time;
    uint64_t         seed, value;
    pyro_arena_t    *arena;
    pyro_labels_t    dynamic;
    pyro_profile_t  *p;

    s->dir = fixture_dir();
    s->store = fixture_open(s->dir);
    s->n = 0;
    seed = 42;

    for (i = 0; i < PUSHES; i++) {
        arena = pyro_arena_create(0);
        p = pyro_profile_create(arena);

        service = read_random(&seed) % SERVICES;
        pod = read_random(&seed) % PODS;

        /* three days, out of order, at times that do not repeat */
        time = T0 - DAY * SEC + (int64_t) (read_random(&seed) % (3 * DAY))
               * SEC + i;

        for (k = 0; k < SPANS; k++) {
            snprintf(name, sizeof(name), "span_name=%s", read_spans[k]);
            dynamic = fixture_labels(arena, k ? name : "");
            set = pyro_profile_label_set(p, &dynamic);

            for (type = 0; type < 2; type++) {

                if (read_random(&seed) % 3 == 0) {
                    continue;
                }

                value = read_random(&seed) % 1000 + 1;
                fixture_add(p, set, type ? &fixture_alloc : &fixture_cpu,
                            k ? "main;a;b" : "main;a", 0, (int64_t) value);

                s->facts[s->n].time = time;
                s->facts[s->n].service = service;
                s->facts[s->n].pod = pod;
                s->facts[s->n].span = k;
                s->facts[s->n].alloc = type == 1;
                s->facts[s->n++].value = value;
            }
        }

        snprintf(labels, sizeof(labels), "service_name=%s,pod=p%u",
                 read_services[service], pod);
        fixture_finish(p, labels);
        fixture_write(s->store, p, time);

        pyro_arena_destroy(arena);
    }
}


static void
read_free(read_store_t *s)
{
    pyro_store_close(s->store);
    fixture_remove(s->dir);
}


/* The labels of a fact, as a query shows them. */
static pyro_labels_t
read_labels(pyro_arena_t *arena, const read_fact_t *f)
{
    char  text[512];

    snprintf(text, sizeof(text), "service_name=%s,__service_name__=%s,pod=p%u,"
             "%s%s%s__name__=%s,__type__=%s,__unit__=%s,__period_type__=%s,"
             "__period_unit__=%s,__profile_type__=%s",
             read_services[f->service], read_services[f->service], f->pod,
             f->span ? "span_name=" : "", read_spans[f->span],
             f->span ? "," : "",
             f->alloc ? "memory" : "process_cpu",
             f->alloc ? "alloc_in_new_tlab_bytes" : "cpu",
             f->alloc ? "bytes" : "nanoseconds",
             f->alloc ? "space" : "cpu", f->alloc ? "bytes" : "nanoseconds",
             f->alloc ? "memory:alloc_in_new_tlab_bytes:bytes:space:bytes"
                      : "process_cpu:cpu:nanoseconds:cpu:nanoseconds");

    return fixture_labels(arena, text);
}


/* The label sets that a call has seen, each once. */
typedef struct {
    pyro_arena_t   *arena;
    pyro_labels_t   sets[512];
    uint64_t        totals[512];
    uint32_t        n;
    uint64_t        sum;
} read_seen_t;


static uint32_t
read_seen(read_seen_t *seen, const pyro_labels_t *labels)
{
    uint32_t       i;
    pyro_labels_t  none = { NULL, 0 };

    for (i = 0; i < seen->n; i++) {
        if (pyro_labels_cmp(&seen->sets[i], labels) == 0) {
            return i;
        }
    }

    assert_true(i < 512);

    pyro_labels_merge(seen->arena, labels, &none, &seen->sets[i]);

    for (i = 0; i < labels->n; i++) {
        seen->sets[seen->n].items[i].name =
                     pyro_arena_dup(seen->arena, labels->items[i].name);
        seen->sets[seen->n].items[i].value =
                     pyro_arena_dup(seen->arena, labels->items[i].value);
    }

    return seen->n++;
}


static pyro_status_e
read_on_series(void *ctx, const pyro_labels_t *labels, pyro_error_t *err)
{
    (void) err;

    read_seen(ctx, labels);

    return PYRO_OK;
}


static pyro_status_e
read_on_group(void *ctx, const pyro_labels_t *labels, uint32_t *group,
    pyro_error_t *err)
{
    (void) err;

    *group = read_seen(ctx, labels);

    return PYRO_OK;
}


static pyro_status_e
read_on_total(void *ctx, uint32_t group, int64_t time_ns, uint64_t total,
    uint32_t count, pyro_error_t *err)
{
    read_seen_t  *seen;

    (void) err;
    (void) count;
    (void) time_ns;

    seen = ctx;
    seen->totals[group] += total;
    seen->sum += total;

    return PYRO_OK;
}


/* One query, by the store and by brute force. */
static void
read_compare(read_store_t *s, const char *selector, int64_t start, int64_t end)
{
    uint32_t                      i, index;
    uint64_t                      total;
    pyro_tree_t                  *tree;
    read_seen_t                   want, series, totals;
    pyro_labels_t                 labels;
    pyro_error_t                  err;
    fixture_query_t               q;
    pyro_store_totals_handler_t   handler;

    fixture_query(&q, selector, start, end);

    memset(&want, 0, sizeof(want));
    memset(&series, 0, sizeof(series));
    memset(&totals, 0, sizeof(totals));
    want.arena = series.arena = totals.arena = q.arena;
    total = 0;

    for (i = 0; i < s->n; i++) {
        labels = read_labels(q.arena, &s->facts[i]);

        if (s->facts[i].time >= start && s->facts[i].time <= end
            && pyro_selector_test(&q.selector, &labels, &err) == 1)
        {
            index = read_seen(&want, &labels);
            want.totals[index] += s->facts[i].value;
            total += s->facts[i].value;
        }
    }

    tree = pyro_tree_create(q.arena);
    assert_int_equal(pyro_store_merge(s->store, &q.query, tree, &err),
                     PYRO_OK);
    pyro_tree_totals(tree);
    assert_int_equal(tree->nodes[0].total, total);

    assert_int_equal(pyro_store_series(s->store, &q.query, read_on_series,
                                       &series, &err), PYRO_OK);
    assert_int_equal(series.n, want.n);

    memset(&handler, 0, sizeof(handler));
    handler.ctx = &totals;
    handler.series = read_on_group;
    handler.total = read_on_total;
    assert_int_equal(pyro_store_totals(s->store, &q.query, &handler, &err),
                     PYRO_OK);
    assert_int_equal(totals.sum, total);

    for (i = 0; i < want.n; i++) {
        assert_true(read_seen(&series, &want.sets[i]) < want.n);
        index = read_seen(&totals, &want.sets[i]);
        assert_int_equal(totals.totals[index], want.totals[i]);
    }

    assert_int_equal(series.n, want.n);
    assert_int_equal(totals.n, want.n);

    fixture_query_end(&q);
}


/* ---- the tests ---- */

static void
read_agrees_with_brute_force(void **state)
{
    char          text[512];
    size_t        len;
    int64_t       start, end;
    uint32_t      i, k, n;
    uint64_t      seed;
    read_store_t  s;

    static const char  *names[] = {
        "service_name", "__service_name__", "pod", "span_name", "__name__",
        "__type__", "__profile_type__", "missing"
    };
    static const char  *values[] = {
        "shop", "cart", "p1", "p2", "", "GET /a", "process_cpu", "memory",
        "cpu", "nothing",
        "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
    };
    static const char  *patterns[] = {
        "shop|cart", "p[0-2]", ".*", ".+", "", "GET.*", "process_.*",
        "c(art|pu)", "nothing"
    };
    static const char  *operators[] = { "=", "!=", "=~", "!~" };

    (void) state;

    read_make(&s);

    read_compare(&s, "{}", 0, INT64_MAX);
    read_compare(&s, "{}", T0, T0 + DAY * SEC - 1);
    read_compare(&s, "{}", T0 + DAY * SEC, T0);
    read_compare(&s, "{service_name=\"shop\"}", T0, T0 + DAY * SEC - 1);

    seed = 7;

    for (i = 0; i < 250; i++) {
        n = read_random(&seed) % 4;
        len = 0;
        text[len++] = '{';

        for (k = 0; k < n; k++) {
            uint32_t  op = read_random(&seed) % 4;

            len += (size_t) snprintf(text + len, sizeof(text) - len,
                             "%s%s%s\"%s\"", k ? "," : "",
                             names[read_random(&seed) % 8], operators[op],
                             op < 2 ? values[read_random(&seed) % 11]
                                    : patterns[read_random(&seed) % 9]);
        }

        snprintf(text + len, sizeof(text) - len, "}");

        start = T0 - DAY * SEC + (int64_t) (read_random(&seed) % (3 * DAY))
                * SEC;
        end = start + (int64_t) (read_random(&seed) % (2 * DAY)) * SEC;

        if (i % 4 == 0) {
            start = 0;
            end = INT64_MAX;
        }

        read_compare(&s, text, start, end);
    }

    read_free(&s);
}


static void
read_unites_selectors(void **state)
{
    uint32_t          n;
    pyro_error_t      err;
    read_store_t      s;
    pyro_selector_t   both[2];
    fixture_query_t   one, two;

    (void) state;

    read_make(&s);

    fixture_query(&one, "{service_name=\"shop\"}", 0, INT64_MAX);
    fixture_query(&two, "{service_name=~\"shop|cart\",pod=\"p1\"}", 0,
                  INT64_MAX);

    both[0] = one.selector;
    both[1] = two.selector;
    one.query.selectors = both;
    one.query.n_selectors = 2;
    n = 0;

    assert_int_equal(pyro_store_series(s.store, &one.query, fixture_count, &n,
                                       &err), PYRO_OK);
    assert_int_equal(n, fixture_series(s.store, "{service_name=\"shop\"}", 0,
                                       INT64_MAX)
                        + fixture_series(s.store, "{service_name=\"cart\","
                                         "pod=\"p1\"}", 0, INT64_MAX));

    one.query.n_selectors = 0;
    n = 0;
    assert_int_equal(pyro_store_series(s.store, &one.query, fixture_count, &n,
                                       &err), PYRO_OK);
    assert_int_equal(n, fixture_series(s.store, "{}", 0, INT64_MAX));

    /* another tenant sees nothing */

    one.query.tenant = PYRO_SLICE("other");
    n = 0;
    assert_int_equal(pyro_store_series(s.store, &one.query, fixture_count, &n,
                                       &err), PYRO_OK);
    assert_int_equal(n, 0);

    fixture_query_end(&one);
    fixture_query_end(&two);
    read_free(&s);
}


static void
read_is_exact_at_the_ends(void **state)
{
    char             *dir;
    pyro_arena_t     *arena;
    pyro_store_t     *store;
    pyro_profile_t   *p, *q;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=s", "a", 1);

    q = pyro_profile_create(arena);
    fixture_add(q, 0, &fixture_alloc, "a", 0, 5);
    fixture_finish(q, "service_name=s");

    fixture_write(store, p, T0 + 1000 * SEC);
    fixture_write(store, p, T0 + 1010 * SEC);
    fixture_write(store, q, T0 + 2000 * SEC);
    fixture_write(store, p, T0 + 100 * SEC);

    assert_int_equal(fixture_total(store, "{}", T0 + 1000 * SEC,
                                   T0 + 1010 * SEC), 2);
    assert_int_equal(fixture_total(store, "{}", T0 + 1000 * SEC + 1,
                                   T0 + 1010 * SEC - 1), 0);
    assert_int_equal(fixture_series(store, "{}", T0 + 1000 * SEC + 1,
                                    T0 + 1010 * SEC - 1), 0);
    assert_int_equal(fixture_series(store, "{}", T0 + 2000 * SEC + 1,
                                    T0 + 2100 * SEC), 0);
    assert_int_equal(fixture_series(store, "{}", T0, T0 + 100 * SEC), 1);
    assert_int_equal(fixture_series(store, "{}", T0, T0 + 100 * SEC - 1), 0);

    /* the type that has data in the range, not the one that has it later */

    assert_int_equal(fixture_series(store, "{}", T0, T0 + 1500 * SEC), 1);
    assert_int_equal(fixture_series(store, "{}", T0, T0 + 2000 * SEC), 2);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
read_keeps_tenants_apart(void **state)
{
    char               *dir;
    pyro_arena_t       *arena;
    pyro_store_t       *store;
    pyro_store_push_t   push, *list[1];

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);

    push = fixture_push(fixture_one(arena, "service_name=s", "a", 100), T0);
    push.tenant = PYRO_SLICE("other");
    list[0] = &push;
    pyro_store_write(store, list, 1);
    assert_int_equal(push.stored, 1);

    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 0);
    fixture_write(store, fixture_one(arena, "service_name=s", "a", 1), T0);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 1);
    assert_int_equal(fixture_total(store, "{service_name=\"s\"}", 0,
                                   INT64_MAX), 1);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
read_obeys_limits(void **state)
{
    uint32_t          n;
    atomic_int        cancel;
    pyro_tree_t      *tree;
    pyro_arena_t     *small;
    pyro_error_t      err;
    read_store_t      s;
    fixture_query_t   q;

    (void) state;

    read_make(&s);
    fixture_query(&q, "{}", 0, INT64_MAX);
    tree = pyro_tree_create(q.arena);
    n = 0;

    q.query.max_series = 3;
    assert_int_equal(pyro_store_series(s.store, &q.query, fixture_count, &n,
                                       &err), PYRO_UNPROCESSABLE);
    assert_non_null(strstr(err.message, "query.max_series"));
    assert_int_equal(err.reason, PYRO_REASON_QUERY);
    q.query.max_series = 0;

    atomic_init(&cancel, 1);
    q.query.cancel = &cancel;
    assert_int_equal(pyro_store_merge(s.store, &q.query, tree, &err),
                     PYRO_CANCELED);
    q.query.cancel = NULL;

    q.query.deadline = pyro_clock_mono() - 1;
    assert_int_equal(pyro_store_merge(s.store, &q.query, tree, &err),
                     PYRO_DEADLINE);
    q.query.deadline = 0;

    small = pyro_arena_create(1024);
    q.query.arena = small;
    assert_int_equal(pyro_store_merge(s.store, &q.query, tree, &err),
                     PYRO_UNPROCESSABLE);
    assert_non_null(strstr(err.message, "query.max_memory"));
    pyro_arena_destroy(small);

    fixture_query_end(&q);
    read_free(&s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(read_agrees_with_brute_force),
        cmocka_unit_test(read_unites_selectors),
        cmocka_unit_test(read_is_exact_at_the_ends),
        cmocka_unit_test(read_keeps_tenants_apart),
        cmocka_unit_test(read_obeys_limits),
    };

    return unit_run(tests);
}
