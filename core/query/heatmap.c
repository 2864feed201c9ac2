#include "core/query/heatmap.h"

#include <stdlib.h>



typedef struct {
    uint32_t               group;
    uint32_t               row;
    int64_t                point;       /* of the grid */
    pyro_exemplar_t   value;
} pyro_heatmap_item_t;


struct pyro_heatmap_set_s {
    pyro_arena_t                 *arena;
    const pyro_series_options_t  *options;
    pyro_series_set_t            *groups;
    pyro_heatmap_item_t          *items;
    uint32_t                      n;
    uint32_t                      cap;
};


static void pyro_heatmap_rows(pyro_heatmap_set_t *set, pyro_heatmap_t *out);
static int pyro_heatmap_item_cmp(const void *a, const void *b);
static uint32_t pyro_heatmap_count(const pyro_heatmap_set_t *set,
    uint32_t *slots);
static void pyro_heatmap_fill(pyro_heatmap_set_t *set, pyro_heatmap_t *out,
    pyro_heatmap_slot_t *slots);
static void pyro_heatmap_cell(pyro_heatmap_slot_t *slot,
    const pyro_heatmap_item_t *item);
static int pyro_heatmap_series_cmp(const void *a, const void *b);


pyro_heatmap_set_t *
pyro_heatmap_create(pyro_arena_t *arena, const pyro_series_options_t *options)
{
    pyro_heatmap_set_t  *set;

    set = pyro_arena_calloc(arena, 1, sizeof(pyro_heatmap_set_t));

    if (set == NULL) {
        return NULL;
    }

    set->arena = arena;
    set->options = options;
    set->groups = pyro_series_create(arena, options);

    return set->groups == NULL ? NULL : set;
}


uint32_t
pyro_heatmap_group(pyro_heatmap_set_t *set, const pyro_labels_t *labels)
{
    return pyro_series_group(set->groups, labels);
}


pyro_status_e
pyro_heatmap_add(pyro_heatmap_set_t *set, uint32_t group,
    const pyro_exemplar_t *value, pyro_error_t *err)
{
    int64_t               point;
    pyro_heatmap_item_t  *item;

    point = pyro_series_point(set->options, value->time);

    if (point == -1) {
        return PYRO_OK;
    }

    if (set->options->max_points && set->n >= set->options->max_points) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_QUERY,
                              "the heatmap has more than %u values: ask for a "
                              "shorter range or fewer series",
                              set->options->max_points);
    }

    if (pyro_arena_grow(set->arena, &set->items, &set->cap,
                        (size_t) set->n + 1, sizeof(pyro_heatmap_item_t)))
    {
        return pyro_error_memory(err);
    }

    item = &set->items[set->n++];
    item->group = group;
    item->row = 0;
    item->point = point;
    item->value = *value;

    return PYRO_OK;
}


pyro_status_e
pyro_heatmap_finish(pyro_heatmap_set_t *set, pyro_heatmap_t *out,
    pyro_error_t *err)
{
    uint32_t              slots;
    pyro_heatmap_slot_t  *room;

    memset(out, 0, sizeof(pyro_heatmap_t));

    pyro_heatmap_rows(set, out);

    if (set->n) {
        qsort(set->items, set->n, sizeof(pyro_heatmap_item_t),
              pyro_heatmap_item_cmp);
    }

    out->n = pyro_heatmap_count(set, &slots);
    out->series = pyro_arena_calloc(set->arena, out->n,
                                    sizeof(pyro_heatmap_series_t));
    room = pyro_arena_calloc(set->arena, slots, sizeof(pyro_heatmap_slot_t));

    if (out->series == NULL || room == NULL) {
        return pyro_error_memory(err);
    }

    pyro_heatmap_fill(set, out, room);

    if (out->n) {
        qsort(out->series, out->n, sizeof(pyro_heatmap_series_t),
              pyro_heatmap_series_cmp);
    }

    if (set->options->limit && out->n > set->options->limit) {
        out->n = (uint32_t) set->options->limit;
    }

    return PYRO_OK;
}


/* Each item's row; the largest value belongs to the last one. */
static void
pyro_heatmap_rows(pyro_heatmap_set_t *set, pyro_heatmap_t *out)
{
    double    low, high, height, row;
    uint32_t  i;

    low = set->n ? (double) set->items[0].value.value : 0;
    high = low;

    for (i = 1; i < set->n; i++) {
        row = (double) set->items[i].value.value;
        low = row < low ? row : low;
        high = row > high ? row : high;
    }

    high = high > low ? high : low + 1;
    height = (high - low) / PYRO_HEATMAP_ROWS;

    for (i = 0; i < PYRO_HEATMAP_ROWS; i++) {
        out->y_min[i] = low + i * height;
    }

    for (i = 0; i < set->n; i++) {
        row = ((double) set->items[i].value.value - low) / height;
        set->items[i].row = row < PYRO_HEATMAP_ROWS
                            ? (uint32_t) row : PYRO_HEATMAP_ROWS - 1;
    }
}


static int
pyro_heatmap_item_cmp(const void *a, const void *b)
{
    const pyro_heatmap_item_t  *one = a, *two = b;

    if (one->group != two->group) {
        return one->group < two->group ? -1 : 1;
    }

    if (one->point != two->point) {
        return one->point < two->point ? -1 : 1;
    }

    if (one->value.time != two->value.time) {
        return one->value.time < two->value.time ? -1 : 1;
    }

    return (one->value.span > two->value.span)
           - (one->value.span < two->value.span);
}


/* Series, and slots of all of them. */
static uint32_t
pyro_heatmap_count(const pyro_heatmap_set_t *set, uint32_t *slots)
{
    uint32_t                    i, series;
    const pyro_heatmap_item_t  *item;

    series = 0;
    *slots = 0;

    for (i = 0; i < set->n; i++) {
        item = &set->items[i];
        series += i == 0 || item->group != item[-1].group;
        *slots += i == 0 || item->group != item[-1].group
                  || item->point != item[-1].point;
    }

    return series;
}


static void
pyro_heatmap_fill(pyro_heatmap_set_t *set, pyro_heatmap_t *out,
    pyro_heatmap_slot_t *slots)
{
    uint32_t                     i;
    pyro_heatmap_slot_t         *slot;
    pyro_heatmap_series_t       *series;
    const pyro_heatmap_item_t   *item;
    const pyro_series_options_t *options;

    options = set->options;
    series = out->series - 1;
    slot = slots - 1;

    for (i = 0; i < set->n; i++) {
        item = &set->items[i];

        if (i == 0 || item->group != item[-1].group) {
            series++;
            series->labels = *pyro_series_labels_of(set->groups, item->group);
            series->slots = slot + 1;
        }

        if (i == 0 || item->group != item[-1].group
            || item->point != item[-1].point)
        {
            slot++;
            series->n++;
            slot->time = options->start + item->point * options->step;
        }

        series->count++;
        pyro_heatmap_cell(slot, item);
    }
}


static void
pyro_heatmap_cell(pyro_heatmap_slot_t *slot, const pyro_heatmap_item_t *item)
{
    const pyro_exemplar_t  *best;

    best = slot->best[item->row];

    if (slot->counts[item->row] < INT32_MAX) {
        slot->counts[item->row]++;
    }

    if (best == NULL || item->value.value > best->value) {
        slot->best[item->row] = &item->value;
    }
}


static int
pyro_heatmap_series_cmp(const void *a, const void *b)
{
    const pyro_heatmap_series_t  *one = a, *two = b;

    if (one->count != two->count) {
        return one->count > two->count ? -1 : 1;
    }

    return pyro_labels_cmp(&one->labels, &two->labels);
}
