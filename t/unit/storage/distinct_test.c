/*
 * query->distinct: an answer of labels that is made of the series that are
 * reported then is the one that is made of all series.  Random streams, types,
 * ranges and selectors over two days, of which some is rolled up.
 */

#include "store_fixture.h"

#include "core/base/intern.h"


#define PUSHES   400
#define QUERIES  300


typedef struct {
    pyro_arena_t           *arena;
    pyro_intern_t           texts;
    pyro_store_distinct_e   what;
    pyro_slice_t            label;
    uint32_t                calls;
} distinct_t;


static uint64_t  distinct_seed = 20261126;


static uint32_t
distinct_random(uint32_t n)
{
    distinct_seed = distinct_seed * 6364136223846793005ULL
                    + 1442695040888963407ULL;

    return (uint32_t) (distinct_seed >> 33) % n;
}


static pyro_store_t *
distinct_fill(const char *dir)
{
    char                labels[128];
    uint32_t            i, k;
    pyro_error_t        err;
    pyro_store_t       *store;
    pyro_arena_t       *arena;
    pyro_profile_t     *p;
    pyro_store_work_t   work;

    static const char  *const  more[] = { ",a=1", ",a=2", ",b=1", ",c=x",
                                          ",a=3,c=y", "" };

    store = fixture_open(dir);

    for (i = 0; i < PUSHES; i++) {
        arena = pyro_arena_create(0);
        p = pyro_profile_create(arena);
        k = distinct_random(3);

        if (k) {
            fixture_add(p, 0, &fixture_cpu, "m;c", 0, 5);
        }

        if (k != 1) {
            fixture_add(p, 0, &fixture_alloc, "m;a", 0, 7);
        }

        snprintf(labels, sizeof(labels), "service_name=s%u,pod=p%u%s",
                 distinct_random(3), distinct_random(20),
                 more[distinct_random(6)]);
        fixture_finish(p, labels);
        fixture_write(store, p, T0 + (int64_t) distinct_random(2 * DAY) * SEC
                                   + i);
        pyro_arena_destroy(arena);
    }

    memset(&work, 0, sizeof(work));
    work.now = T0 + DAY * SEC;
    assert_int_equal(pyro_store_maintain(store, &work, &err), PYRO_OK);

    return store;
}


static pyro_status_e
distinct_on_series(void *ctx, const pyro_labels_t *labels, pyro_error_t *err)
{
    uint32_t       i;
    distinct_t    *d;
    pyro_slice_t   value;

    (void) err;
    d = ctx;
    d->calls++;

    for (i = 0; d->what == PYRO_DISTINCT_NAMES && i < labels->n; i++) {
        pyro_intern(&d->texts, labels->items[i].name, 1);
    }

    value = pyro_labels_get(labels, d->what == PYRO_DISTINCT_TYPES
                                    ? PYRO_SLICE("__profile_type__")
                                    : d->label);

    if (d->what != PYRO_DISTINCT_NAMES && value.len) {
        pyro_intern(&d->texts, value, 1);
    }

    return PYRO_OK;
}


static void
distinct_ask(pyro_store_t *store, distinct_t *d, const char *selector,
    int64_t start, int64_t end, int distinct)
{
    pyro_error_t     err;
    fixture_query_t  q;

    d->arena = pyro_arena_create(0);
    d->calls = 0;
    pyro_intern_init(&d->texts, d->arena);

    fixture_query(&q, selector, start, end);

    if (distinct) {
        q.query.distinct = d->what;
        q.query.label = d->label;
    }

    assert_int_equal(pyro_store_series(store, &q.query, distinct_on_series, d,
                                       &err), PYRO_OK);
    fixture_query_end(&q);
}


static void
distinct_is_the_same(void **state)
{
    char          *dir;
    int64_t        start, end;
    uint32_t       i, k, saved;
    distinct_t     all, some;
    const char    *selector;
    pyro_store_t  *store;

    static const char  *const  selectors[] = {
        "{}", "{service_name=\"s1\"}", "{pod=~\"p1.*\"}", "{a!=\"1\"}",
        "{__type__=\"cpu\"}", "{c=\"x\",service_name!=\"s0\"}"
    };
    static const char  *const  labels[] = {
        "service_name", "__service_name__", "pod", "a", "c", "__type__",
        "__profile_type__", "none"
    };

    (void) state;

    dir = fixture_dir();
    store = distinct_fill(dir);
    saved = 0;

    for (i = 0; i < QUERIES; i++) {
        start = T0 + (int64_t) distinct_random(2 * DAY) * SEC;
        end = start + (int64_t) distinct_random(i % 3 ? 2 * DAY : 3600) * SEC;
        selector = selectors[distinct_random(6)];

        all.what = 1 + distinct_random(3);
        all.label = pyro_slice_str(labels[distinct_random(8)]);
        some = all;

        distinct_ask(store, &all, selector, start, end, 0);
        distinct_ask(store, &some, selector, start, end, 1);

        assert_int_equal(some.texts.n, all.texts.n);
        assert_true(some.calls <= all.calls);
        saved += all.calls - some.calls;

        for (k = 0; k < all.texts.n; k++) {
            if (pyro_intern(&some.texts, all.texts.items[k], 0) >= all.texts.n)
            {
                fail_msg("%.*s", PYRO_SLICE_ARG(all.texts.items[k]));
            }
        }

        pyro_arena_destroy(all.arena);
        pyro_arena_destroy(some.arena);
    }

    assert_true(saved > 10 * QUERIES);

    pyro_store_close(store);
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(distinct_is_the_same),
    };

    return unit_run(tests);
}
