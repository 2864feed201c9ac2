#include "core/api/answer.h"

#include <stdio.h>

#include "core/base/uuid.h"


static Types__V1__HeatmapSeries *pyro_answer_heatmap(pyro_arena_t *arena,
    const pyro_plan_t *plan, const pyro_heatmap_t *heatmap,
    const pyro_heatmap_series_t *series);
static int pyro_answer_slot(pyro_arena_t *arena, const pyro_plan_t *plan,
    const pyro_heatmap_t *heatmap, const pyro_heatmap_slot_t *slot,
    Types__V1__HeatmapSlot *m);


pyro_status_e
pyro_heatmap_encode(pyro_arena_t *arena, const pyro_plan_t *plan,
    const pyro_heatmap_t *heatmap, pyro_codec_e codec, pyro_rope_t *out,
    pyro_error_t *err)
{
    uint32_t                            i;
    Querier__V1__SelectHeatmapResponse  m;

    querier__v1__select_heatmap_response__init(&m);
    m.n_series = heatmap->n;
    m.series = pyro_arena_calloc(arena, heatmap->n, sizeof(void *));

    if (m.series == NULL) {
        return pyro_error_memory(err);
    }

    for (i = 0; i < heatmap->n; i++) {
        m.series[i] = pyro_answer_heatmap(arena, plan, heatmap,
                                          &heatmap->series[i]);

        if (m.series[i] == NULL) {
            return pyro_error_memory(err);
        }
    }

    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}


static Types__V1__HeatmapSeries *
pyro_answer_heatmap(pyro_arena_t *arena, const pyro_plan_t *plan,
    const pyro_heatmap_t *heatmap, const pyro_heatmap_series_t *series)
{
    uint32_t                   i;
    Types__V1__HeatmapSlot    *slots;
    Types__V1__HeatmapSeries  *m;

    m = pyro_arena_alloc(arena, sizeof(*m));
    slots = pyro_arena_calloc(arena, series->n, sizeof(*slots));

    if (m == NULL || slots == NULL) {
        return NULL;
    }

    types__v1__heatmap_series__init(m);
    m->n_labels = series->labels.n;
    m->labels = pyro_answer_pairs(arena, &series->labels);
    m->n_slots = series->n;
    m->slots = pyro_arena_calloc(arena, series->n, sizeof(void *));

    if (m->labels == NULL || m->slots == NULL) {
        return NULL;
    }

    for (i = 0; i < series->n; i++) {
        if (pyro_answer_slot(arena, plan, heatmap, &series->slots[i],
                             &slots[i]))
        {
            return NULL;
        }

        m->slots[i] = &slots[i];
    }

    return m;
}


static int
pyro_answer_slot(pyro_arena_t *arena, const pyro_plan_t *plan,
    const pyro_heatmap_t *heatmap, const pyro_heatmap_slot_t *slot,
    Types__V1__HeatmapSlot *m)
{
    uint32_t  i;

    types__v1__heatmap_slot__init(m);
    m->timestamp = slot->time;
    m->n_y_min = PYRO_HEATMAP_ROWS;
    m->y_min = (double *) heatmap->y_min;
    m->n_counts = PYRO_HEATMAP_ROWS;
    m->counts = (int32_t *) slot->counts;
    m->exemplars = pyro_arena_calloc(arena, PYRO_HEATMAP_ROWS, sizeof(void *));

    if (m->exemplars == NULL) {
        return -1;
    }

    for (i = 0; plan->exemplars && i < PYRO_HEATMAP_ROWS; i++) {

        if (slot->best[i] == NULL) {
            continue;
        }

        m->exemplars[m->n_exemplars] = pyro_answer_exemplar(arena, plan,
                                                            slot->best[i]);

        if (m->exemplars[m->n_exemplars++] == NULL) {
            return -1;
        }
    }

    return 0;
}


/* The labels but for those that series are grouped by. */
Types__V1__Exemplar *
pyro_answer_exemplar(pyro_arena_t *arena, const pyro_plan_t *plan,
    const pyro_exemplar_t *value)
{
    char                  text[40];
    uint32_t              i, k;
    pyro_labels_t         rest;
    Types__V1__Exemplar  *m;

    m = pyro_arena_alloc(arena, sizeof(*m));
    rest.n = 0;
    rest.items = pyro_arena_calloc(arena, value->labels.n,
                                   sizeof(pyro_label_t));

    if (m == NULL || rest.items == NULL) {
        return NULL;
    }

    for (i = 0; i < value->labels.n; i++) {
        for (k = 0; k < plan->series.n_group_by; k++) {
            if (pyro_slice_eq(plan->series.group_by[k],
                              value->labels.items[i].name))
            {
                break;
            }
        }

        if (k == plan->series.n_group_by) {
            rest.items[rest.n++] = value->labels.items[i];
        }
    }

    types__v1__exemplar__init(m);
    m->timestamp = value->time;
    m->value = value->value > INT64_MAX ? INT64_MAX : (int64_t) value->value;
    m->n_labels = rest.n;
    m->labels = pyro_answer_pairs(arena, &rest);

    pyro_uuid_text(value->profile, text);
    m->profile_id = pyro_answer_text(arena, pyro_slice_str(text));

    if (value->span) {
        snprintf(text, sizeof(text), "%016llx",
                 (unsigned long long) value->span);
        m->span_id = pyro_answer_text(arena, pyro_slice_str(text));
    }

    return m->labels == NULL || m->profile_id == NULL || m->span_id == NULL
           ? NULL : m;
}
