#include "unit.h"

#include "core/base/clock.h"
#include "core/base/intern.h"
#include "core/query/series.h"


typedef struct {
    int64_t   time;             /* ms */
    uint64_t  value;
} series_sample_t;


static void
series_options(pyro_series_options_t *o, int64_t start, int64_t end,
    int64_t step)
{
    memset(o, 0, sizeof(pyro_series_options_t));
    o->start = start;
    o->end = end;
    o->step = step;
    o->max_points = 1000;
}


/* One series without labels; its points as "time=value". */
static const char *
series_points(const pyro_series_options_t *o, const series_sample_t *samples)
{
    static char          text[1024];
    char                *p;
    uint32_t             i, n, group;
    pyro_arena_t        *arena;
    pyro_error_t         err;
    pyro_labels_t        none = { NULL, 0 };
    pyro_series_t       *series;
    pyro_series_set_t   *set;

    arena = pyro_arena_create(0);
    set = pyro_series_create(arena, o);
    group = pyro_series_group(set, &none);
    assert_int_equal(group, 0);

    for ( /* void */ ; samples->value; samples++) {
        assert_int_equal(pyro_series_add(set, group,
                                         samples->time * PYRO_NS_PER_MS,
                                         samples->value, &err), PYRO_OK);
    }

    assert_int_equal(pyro_series_finish(set, &series, &n, &err), PYRO_OK);
    assert_in_range(n, 0, 1);
    p = text;
    *p = '\0';

    for (i = 0; n && i < series[0].n; i++) {
        p += sprintf(p, "%s%ld=%g", i ? " " : "",
                     (long) series[0].points[i].time,
                     series[0].points[i].value);
    }

    pyro_arena_destroy(arena);

    return text;
}


static void
series_of_the_documented_example(void **state)
{
    pyro_series_options_t  o;

    static const series_sample_t  samples[] = {
        { 985001, 5 }, { 1000000, 1 }, { 1000001, 2 }, { 1020000, 4 }, { 0, 0 }
    };

    (void) state;

    series_options(&o, 1000000, 1030000, 15000);
    assert_string_equal(series_points(&o, samples),
                        "1000000=6 1015000=2 1030000=4");

    o.aggregation = PYRO_SERIES_AVERAGE;
    assert_string_equal(series_points(&o, samples),
                        "1000000=3 1015000=2 1030000=4");
}


static void
series_edges(void **state)
{
    pyro_series_options_t  o;

    static const series_sample_t  edges[] = {
        { 899, 1 }, { 900, 2 }, { 1000, 4 }, { 1001, 8 }, { 1100, 16 },
        { 1101, 32 }, { 1200, 64 }, { 1201, 128 }, { 1249, 256 }, { 0, 0 }
    };
    static const series_sample_t  backwards[] = {
        { 1200, 64 }, { 1100, 16 }, { 1000, 4 }, { 0, 0 }
    };
    static const series_sample_t  early[] = {
        { -150, 1 }, { -100, 2 }, { -1, 4 }, { 1, 8 }, { 0, 0 }
    };

    (void) state;

    /* 1250 is no grid point: what comes after 1200 is left out */

    series_options(&o, 1000, 1250, 100);
    assert_string_equal(series_points(&o, edges), "1000=6 1100=24 1200=96");
    assert_string_equal(series_points(&o, backwards), "1000=4 1100=16 1200=64");

    series_options(&o, 1000, 1000, 5000);
    assert_string_equal(series_points(&o, backwards), "1000=4");

    series_options(&o, -100, 100, 100);
    assert_string_equal(series_points(&o, early), "-100=3 0=4 100=8");

    series_options(&o, 1000, 1250, 1);
    assert_string_equal(series_points(&o, backwards), "1000=4 1100=16 1200=64");
}


static void
series_range_is_from_one_step_before(void **state)
{
    int64_t                start, end;
    pyro_series_options_t  o;

    (void) state;

    series_options(&o, 1000, 2000, 15);
    pyro_series_range(&o, &start, &end);
    assert_int_equal(start, 985 * PYRO_NS_PER_MS);
    assert_int_equal(end, 2001 * PYRO_NS_PER_MS - 1);

    series_options(&o, -(INT64_MAX / PYRO_NS_PER_MS),
                   INT64_MAX / PYRO_NS_PER_MS, INT64_MAX / PYRO_NS_PER_MS);
    pyro_series_range(&o, &start, &end);
    assert_int_equal(start, INT64_MIN);
    assert_true(end > 0);
}


static void
series_time_is_floored_to_ms(void **state)
{
    uint32_t                n;
    pyro_arena_t           *arena;
    pyro_error_t            err;
    pyro_labels_t           none = { NULL, 0 };
    pyro_series_t          *series;
    pyro_series_set_t      *set;
    pyro_series_options_t   o;

    (void) state;

    series_options(&o, -10, 10, 10);
    arena = pyro_arena_create(0);
    set = pyro_series_create(arena, &o);
    pyro_series_group(set, &none);

    pyro_series_add(set, 0, 999999, 1, &err);       /* 0 ms */
    pyro_series_add(set, 0, 1000000, 2, &err);      /* 1 ms */
    pyro_series_add(set, 0, -1, 4, &err);           /* -1 ms */
    pyro_series_add(set, 0, -10000001, 8, &err);    /* -11 ms */
    pyro_series_add(set, 0, INT64_MIN, 16, &err);
    pyro_series_add(set, 0, INT64_MAX, 16, &err);

    pyro_series_finish(set, &series, &n, &err);
    assert_int_equal(n, 1);
    assert_int_equal(series[0].n, 3);
    assert_true(series[0].points[0].value == 8);
    assert_true(series[0].points[1].value == 5);
    assert_true(series[0].points[2].value == 2);
    assert_true(series[0].total == 15);

    pyro_arena_destroy(arena);
}


static void
series_are_grouped_and_ordered(void **state)
{
    uint32_t                i, n, group;
    pyro_slice_t            by[] = { PYRO_SLICE("region"), PYRO_SLICE("app"),
                                     PYRO_SLICE("region") };
    pyro_arena_t           *arena;
    pyro_error_t            err;
    pyro_series_t          *series;
    pyro_series_set_t      *set;
    pyro_series_options_t   o;

    pyro_label_t  eu[] = { { PYRO_SLICE("app"), PYRO_SLICE("shop") },
                           { PYRO_SLICE("host"), PYRO_SLICE("h1") },
                           { PYRO_SLICE("region"), PYRO_SLICE("eu") } };
    pyro_label_t  eu2[] = { { PYRO_SLICE("app"), PYRO_SLICE("shop") },
                            { PYRO_SLICE("host"), PYRO_SLICE("h2") },
                            { PYRO_SLICE("region"), PYRO_SLICE("eu") } };
    pyro_label_t  us[] = { { PYRO_SLICE("app"), PYRO_SLICE("shop") },
                           { PYRO_SLICE("region"), PYRO_SLICE("us") } };
    pyro_label_t  bare[] = { { PYRO_SLICE("host"), PYRO_SLICE("h1") } };
    pyro_label_t  empty[] = { { PYRO_SLICE("app"), PYRO_SLICE("void") } };

    const struct {
        pyro_labels_t  labels;
        int64_t        time;
        uint64_t       value;
        uint32_t       group;
    } rows[] = {
        { { eu, 3 }, 0, 3, 0 }, { { us, 2 }, 10, 10, 1 },
        { { bare, 1 }, 20, 7, 2 }, { { eu2, 3 }, 10, 4, 0 },
        { { eu, 3 }, 20, 3, 0 },
    };

    (void) state;

    series_options(&o, 0, 100, 10);
    o.group_by = by;
    o.n_group_by = 3;
    arena = pyro_arena_create(0);
    set = pyro_series_create(arena, &o);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        group = pyro_series_group(set, &rows[i].labels);
        assert_int_equal(group, rows[i].group);
        pyro_series_add(set, group, rows[i].time * PYRO_NS_PER_MS,
                        rows[i].value, &err);
    }

    pyro_series_group(set, &(pyro_labels_t) { empty, 1 });

    /* labels are copied */

    memset(eu, 0, sizeof(eu));

    assert_int_equal(pyro_series_finish(set, &series, &n, &err), PYRO_OK);
    assert_int_equal(n, 3);

    /* equal totals of 10: by labels; a group without a point is not there */

    assert_int_equal(series[0].labels.n, 2);
    assert_true(pyro_slice_is(series[0].labels.items[0].name, "app"));
    assert_true(pyro_slice_is(series[0].labels.items[1].value, "eu"));
    assert_int_equal(series[0].n, 3);
    assert_true(pyro_slice_is(series[1].labels.items[1].value, "us"));
    assert_int_equal(series[2].labels.n, 0);
    assert_true(series[2].total == 7);

    pyro_arena_destroy(arena);
}


static void
series_are_limited(void **state)
{
    char                    text[16];
    uint32_t                i, n, group;
    pyro_slice_t            by = PYRO_SLICE("a");
    pyro_label_t            label;
    pyro_arena_t           *arena;
    pyro_error_t            err;
    pyro_labels_t           labels = { &label, 1 };
    pyro_series_t          *series;
    pyro_series_set_t      *set;
    pyro_series_options_t   o;

    (void) state;

    series_options(&o, 0, 100000, 1);
    o.group_by = &by;
    o.n_group_by = 1;
    o.limit = 2;
    arena = pyro_arena_create(0);
    set = pyro_series_create(arena, &o);

    for (i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "v%u", i);
        label.name = by;
        label.value = pyro_slice_str(text);
        group = pyro_series_group(set, &labels);
        assert_int_equal(group, i);
        assert_int_equal(pyro_series_add(set, group, i * PYRO_NS_PER_MS, i,
                                         &err), PYRO_OK);
    }

    /* a point that exists is no new one */

    assert_int_equal(pyro_series_add(set, 0, 0, 1, &err), PYRO_OK);
    assert_int_equal(pyro_series_add(set, 0, PYRO_NS_PER_MS, 1, &err),
                     PYRO_UNPROCESSABLE);
    assert_non_null(strstr(err.message, "1000"));

    pyro_arena_destroy(arena);

    o.max_points = 0;
    arena = pyro_arena_create(0);
    set = pyro_series_create(arena, &o);

    for (i = 0; i < 5; i++) {
        snprintf(text, sizeof(text), "v%u", i);
        label.value = pyro_slice_str(text);
        pyro_series_add(set, pyro_series_group(set, &labels), 0, i + 1, &err);
    }

    assert_int_equal(pyro_series_finish(set, &series, &n, &err), PYRO_OK);
    assert_int_equal(n, 2);
    assert_true(series[0].total == 5 && series[1].total == 4);
    pyro_arena_destroy(arena);
}


static void
series_sums_stop_at_the_limit(void **state)
{
    uint32_t                n;
    pyro_arena_t           *arena;
    pyro_error_t            err;
    pyro_labels_t           none = { NULL, 0 };
    pyro_series_t          *series;
    pyro_series_set_t      *set;
    pyro_series_options_t   o;

    (void) state;

    series_options(&o, 0, 100, 10);
    arena = pyro_arena_create(0);
    set = pyro_series_create(arena, &o);
    pyro_series_group(set, &none);
    pyro_series_add(set, 0, 0, INT64_MAX, &err);
    pyro_series_add(set, 0, 0, UINT64_MAX, &err);
    pyro_series_finish(set, &series, &n, &err);
    assert_true(series[0].total == (double) INT64_MAX);
    pyro_arena_destroy(arena);
}


static void
series_reports_no_memory(void **state)
{
    size_t                  budget;
    uint32_t                i, n, done;
    pyro_slice_t            by = PYRO_SLICE("a");
    pyro_label_t            label;
    pyro_arena_t           *arena;
    pyro_error_t            err;
    pyro_labels_t           labels = { &label, 1 };
    pyro_series_t          *series;
    pyro_series_set_t      *set;
    pyro_series_options_t   o;

    (void) state;

    series_options(&o, 0, 100000, 1);
    o.group_by = &by;
    o.n_group_by = 1;
    label.name = by;
    done = 0;

    for (budget = 64; budget < 512 * 1024 && !done; budget += 512) {
        arena = pyro_arena_create(budget);
        set = pyro_series_create(arena, &o);

        for (i = 0; set != NULL && i < 200; i++) {
            label.value = pyro_slice(&i, sizeof(i));
            n = pyro_series_group(set, &labels);

            if (n == PYRO_NONE || pyro_series_add(set, n, i * PYRO_NS_PER_MS,
                                                  1, &err) != PYRO_OK)
            {
                break;
            }
        }

        done = set != NULL && i == 200
               && pyro_series_finish(set, &series, &n, &err) == PYRO_OK
               && n == 200;
        pyro_arena_destroy(arena);
    }

    assert_true(done);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(series_of_the_documented_example),
        cmocka_unit_test(series_edges),
        cmocka_unit_test(series_range_is_from_one_step_before),
        cmocka_unit_test(series_time_is_floored_to_ms),
        cmocka_unit_test(series_are_grouped_and_ordered),
        cmocka_unit_test(series_are_limited),
        cmocka_unit_test(series_sums_stop_at_the_limit),
        cmocka_unit_test(series_reports_no_memory),
    };

    return unit_run(tests);
}
