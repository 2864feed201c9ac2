/*
 * Heatmaps: cells, rows from the smallest to the largest value, slots on the
 * grid, the largest of a cell, order and limit of series.
 */

#include "unit.h"

#include "core/base/intern.h"
#include "core/query/heatmap.h"


#define SECOND  1000


static pyro_labels_t
heatmap_labels(pyro_label_t *item, const char *service)
{
    pyro_labels_t  labels = { item, 1 };

    item->name = PYRO_SLICE("service_name");
    item->value = pyro_slice_str(service);

    return labels;
}


static void
heatmap_put(pyro_heatmap_set_t *set, const char *service, int64_t time,
    uint64_t value)
{
    uint32_t              group;
    pyro_label_t          item;
    pyro_error_t          err;
    pyro_labels_t         labels;
    pyro_exemplar_t  v;

    labels = heatmap_labels(&item, service);
    group = pyro_heatmap_group(set, &labels);
    assert_int_not_equal(group, PYRO_NONE);

    memset(&v, 0, sizeof(v));
    v.time = time;
    v.value = value;
    v.span = value;
    assert_int_equal(pyro_heatmap_add(set, group, &v, &err), PYRO_OK);
}


static void
heatmap_counts_cells(void **state)
{
    pyro_slice_t            by = PYRO_SLICE("service_name");
    pyro_error_t            err;
    pyro_arena_t           *arena;
    pyro_heatmap_t          map;
    pyro_heatmap_set_t     *set;
    pyro_series_options_t   options;

    (void) state;

    memset(&options, 0, sizeof(options));
    options.start = 1000 * SECOND;
    options.end = 1060 * SECOND;
    options.step = 15 * SECOND;
    options.group_by = &by;
    options.n_group_by = 1;

    arena = pyro_arena_create(0);
    set = pyro_heatmap_create(arena, &options);
    assert_non_null(set);

    heatmap_put(set, "b", 1000 * SECOND, 100);
    heatmap_put(set, "b", 1000 * SECOND, 102);
    heatmap_put(set, "b", 1000 * SECOND + 1, 200);
    heatmap_put(set, "a", 1015 * SECOND, 195);
    heatmap_put(set, "a", 1016 * SECOND, 194);
    heatmap_put(set, "a", 1061 * SECOND, 7);
    heatmap_put(set, "a", 985 * SECOND - 1, 7);

    assert_int_equal(pyro_heatmap_finish(set, &map, &err), PYRO_OK);
    assert_int_equal(map.n, 2);
    assert_true(pyro_slice_is(map.series[0].labels.items[0].value, "b"));
    assert_int_equal(map.series[0].count, 3);
    assert_int_equal(map.series[0].n, 2);
    assert_int_equal(map.series[0].slots[0].time, 1000 * SECOND);
    assert_int_equal(map.series[0].slots[0].counts[0], 2);
    assert_int_equal(map.series[0].slots[0].best[0]->value, 102);
    assert_null(map.series[0].slots[0].best[1]);
    assert_int_equal(map.series[0].slots[1].time, 1015 * SECOND);
    assert_int_equal(map.series[0].slots[1].counts[19], 1);

    assert_int_equal(map.series[1].n, 2);
    assert_int_equal(map.series[1].slots[0].counts[19], 1);
    assert_int_equal(map.series[1].slots[1].time, 1030 * SECOND);
    assert_int_equal(map.series[1].slots[1].counts[18], 1);

    assert_true(map.y_min[0] == 100 && map.y_min[1] == 105
                && map.y_min[19] == 195);
    pyro_arena_destroy(arena);
}


static void
heatmap_edges(void **state)
{
    pyro_slice_t            by = PYRO_SLICE("service_name");
    pyro_error_t            err;
    pyro_arena_t           *arena;
    pyro_heatmap_t          map;
    pyro_heatmap_set_t     *set;
    pyro_exemplar_t    value;
    pyro_series_options_t   options;

    (void) state;

    memset(&options, 0, sizeof(options));
    options.start = 0;
    options.end = 60 * SECOND;
    options.step = SECOND;
    options.group_by = &by;
    options.n_group_by = 1;
    options.limit = 1;
    options.max_points = 3;

    arena = pyro_arena_create(0);
    set = pyro_heatmap_create(arena, &options);
    assert_int_equal(pyro_heatmap_finish(set, &map, &err), PYRO_OK);
    assert_int_equal(map.n, 0);

    /* all equal: one row, of a height of a twentieth */

    set = pyro_heatmap_create(arena, &options);
    heatmap_put(set, "b", SECOND, 5);
    heatmap_put(set, "a", SECOND, 5);
    heatmap_put(set, "a", SECOND, 5);

    memset(&value, 0, sizeof(value));
    assert_int_equal(pyro_heatmap_add(set, 0, &value, &err),
                     PYRO_UNPROCESSABLE);
    assert_non_null(strstr(err.message, "more than 3 values"));

    assert_int_equal(pyro_heatmap_finish(set, &map, &err), PYRO_OK);
    assert_int_equal(map.n, 1);
    assert_true(pyro_slice_is(map.series[0].labels.items[0].value, "a"));
    assert_int_equal(map.series[0].slots[0].counts[0], 2);
    assert_true(map.y_min[0] == 5 && map.y_min[1] > 5.04
                && map.y_min[1] < 5.06);
    pyro_arena_destroy(arena);
}


static void
heatmap_reports_no_memory(void **state)
{
    uint32_t                i;
    pyro_error_t            err;
    pyro_arena_t           *arena;
    pyro_status_e           status;
    pyro_heatmap_set_t     *set;
    pyro_exemplar_t    value;
    pyro_series_options_t   options;

    (void) state;

    memset(&options, 0, sizeof(options));
    options.end = 60 * SECOND;
    options.step = SECOND;
    memset(&value, 0, sizeof(value));

    arena = pyro_arena_create(256 * 1024);
    set = pyro_heatmap_create(arena, &options);

    for (i = 0, status = PYRO_OK; i < 100000 && status == PYRO_OK; i++) {
        status = pyro_heatmap_add(set, 0, &value, &err);
    }

    assert_int_equal(status, PYRO_UNAVAILABLE);
    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(heatmap_counts_cells),
        cmocka_unit_test(heatmap_edges),
        cmocka_unit_test(heatmap_reports_no_memory),
    };

    return unit_run(tests);
}
