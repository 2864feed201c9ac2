#include "core/api/answer.h"

#include <stdlib.h>


struct pyro_label_answer_s {
    pyro_arena_t       *arena;
    const pyro_plan_t  *plan;
    pyro_intern_t       texts;      /* names and values, each once */
    pyro_intern_t       sets;       /* Series: pairs of ids of texts */
    uint32_t           *pairs;      /* the set at hand */
    uint32_t            cap_pairs;
};


static int pyro_label_is_plain(pyro_slice_t name);
static int pyro_label_answer_shows(const pyro_label_answer_t *answer,
    pyro_slice_t name);
static int pyro_label_answer_set(pyro_label_answer_t *answer,
    const pyro_labels_t *labels);
static int pyro_label_answer_text(pyro_label_answer_t *answer,
    pyro_slice_t text);
static void pyro_label_answer_sort(pyro_label_answer_t *answer);
static ProtobufCMessage *pyro_label_answer_message(
    pyro_label_answer_t *answer);
static ProtobufCMessage *pyro_label_answer_types(pyro_label_answer_t *answer);
static ProtobufCMessage *pyro_label_answer_names(pyro_label_answer_t *answer);
static ProtobufCMessage *pyro_label_answer_sets(pyro_label_answer_t *answer);
static int pyro_label_answer_set_cmp(const void *a, const void *b);
static pyro_labels_t *pyro_label_answer_sorted(pyro_label_answer_t *answer);
static Types__V1__Series *pyro_answer_series(pyro_arena_t *arena,
    const pyro_plan_t *plan, const pyro_series_t *series);


pyro_label_answer_t *
pyro_label_answer_create(pyro_arena_t *arena, const pyro_plan_t *plan)
{
    pyro_label_answer_t  *answer;

    answer = pyro_arena_calloc(arena, 1, sizeof(pyro_label_answer_t));

    if (answer != NULL) {
        answer->arena = arena;
        answer->plan = plan;
        pyro_intern_init(&answer->texts, arena);
        pyro_intern_init(&answer->sets, arena);
    }

    return answer;
}


static int
pyro_label_is_plain(pyro_slice_t name)
{
    char    c;
    size_t  i;

    for (i = 0; i < name.len; i++) {
        c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
              || (i && c >= '0' && c <= '9')))
        {
            return 0;
        }
    }

    return name.len > 0;
}


/* If a label belongs into the answers of LabelNames and Series. */
static int
pyro_label_answer_shows(const pyro_label_answer_t *answer, pyro_slice_t name)
{
    uint32_t  i;

    if (!answer->plan->utf8_names && !pyro_label_is_plain(name)) {
        return 0;
    }

    for (i = 0; i < answer->plan->n_label_names; i++) {
        if (pyro_slice_eq(answer->plan->label_names[i], name)) {
            return 1;
        }
    }

    return answer->plan->n_label_names == 0;
}


static int
pyro_label_answer_text(pyro_label_answer_t *answer, pyro_slice_t text)
{
    if (text.len == 0) {
        return 0;
    }

    return pyro_intern(&answer->texts, text, 1) == PYRO_NONE ? -1 : 0;
}


static int
pyro_label_answer_set(pyro_label_answer_t *answer, const pyro_labels_t *labels)
{
    uint32_t             i, n;
    const pyro_label_t  *label;

    if (pyro_arena_grow(answer->arena, &answer->pairs, &answer->cap_pairs,
                        (size_t) labels->n * 2 + 1, sizeof(uint32_t)))
    {
        return -1;
    }

    n = 0;

    for (i = 0; i < labels->n; i++) {
        label = &labels->items[i];

        if (!pyro_label_answer_shows(answer, label->name)) {
            continue;
        }

        answer->pairs[n] = pyro_intern(&answer->texts, label->name, 1);
        answer->pairs[n + 1] = pyro_intern(&answer->texts, label->value, 1);

        if (answer->pairs[n] == PYRO_NONE || answer->pairs[n + 1] == PYRO_NONE)
        {
            return -1;
        }

        n += 2;
    }

    return pyro_intern(&answer->sets,
                       pyro_slice(answer->pairs, n * sizeof(uint32_t)), 1)
           == PYRO_NONE ? -1 : 0;
}


pyro_status_e
pyro_label_answer_add(void *ctx, const pyro_labels_t *labels,
    pyro_error_t *err)
{
    int                   rc;
    uint32_t              i;
    pyro_label_answer_t  *answer;

    answer = ctx;
    rc = 0;

    switch (answer->plan->rpc) {

    case PYRO_RPC_PROFILE_TYPES:
        rc = pyro_label_answer_text(answer,
                     pyro_labels_get(labels, PYRO_SLICE("__profile_type__")));
        break;

    case PYRO_RPC_LABEL_VALUES:
        rc = pyro_label_answer_text(answer,
                                pyro_labels_get(labels, answer->plan->label));
        break;

    case PYRO_RPC_LABEL_NAMES:
        for (i = 0; i < labels->n && rc == 0; i++) {
            if (pyro_label_answer_shows(answer, labels->items[i].name)) {
                rc = pyro_label_answer_text(answer, labels->items[i].name);
            }
        }

        break;

    default:
        rc = pyro_label_answer_set(answer, labels);
    }

    return rc ? pyro_error_memory(err) : PYRO_OK;
}


pyro_status_e
pyro_label_answer_encode(pyro_label_answer_t *answer, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err)
{
    ProtobufCMessage  *message;

    message = pyro_label_answer_message(answer);

    if (message == NULL) {
        return pyro_error_memory(err);
    }

    pyro_codec_encode(codec, message, out);

    return pyro_rope_status(out, err);
}


/* NULL from here on: no memory. */
pyro_status_e
pyro_label_answer_list(pyro_label_answer_t *answer, pyro_rope_t *out,
    pyro_error_t *err)
{
    uint32_t  i;

    pyro_label_answer_sort(answer);

    for (i = 0; i < answer->texts.n; i++) {
        pyro_rope_append(out, i ? "," : "[", 1);
        pyro_rope_json(out, answer->texts.items[i]);
    }

    pyro_rope_printf(out, i ? "]\n" : "null\n");

    return pyro_rope_status(out, err);
}


static void
pyro_label_answer_sort(pyro_label_answer_t *answer)
{
    if (answer->texts.n) {
        qsort(answer->texts.items, answer->texts.n, sizeof(pyro_slice_t),
              pyro_slice_order);
    }
}


static ProtobufCMessage *
pyro_label_answer_message(pyro_label_answer_t *answer)
{
    if (answer->plan->rpc == PYRO_RPC_SERIES) {
        return pyro_label_answer_sets(answer);
    }

    pyro_label_answer_sort(answer);

    return answer->plan->rpc == PYRO_RPC_PROFILE_TYPES
           ? pyro_label_answer_types(answer) : pyro_label_answer_names(answer);
}


static int
pyro_label_answer_set_cmp(const void *a, const void *b)
{
    return pyro_labels_cmp(a, b);
}


static ProtobufCMessage *
pyro_label_answer_types(pyro_label_answer_t *answer)
{
    uint32_t                            i;
    pyro_slice_t                        id;
    pyro_profile_type_t                 type;
    Types__V1__ProfileType             *item;
    Querier__V1__ProfileTypesResponse  *m;

    m = pyro_arena_alloc(answer->arena, sizeof(*m));

    if (m == NULL) {
        return NULL;
    }

    querier__v1__profile_types_response__init(m);
    m->profile_types = pyro_arena_calloc(answer->arena, answer->texts.n,
                                         sizeof(void *));

    if (m->profile_types == NULL) {
        return NULL;
    }

    for (i = 0; i < answer->texts.n; i++) {
        id = answer->texts.items[i];

        if (pyro_profile_type_parse(id, &type, NULL) != PYRO_OK) {
            continue;
        }

        item = pyro_arena_alloc(answer->arena, sizeof(*item));

        if (item == NULL) {
            return NULL;
        }

        types__v1__profile_type__init(item);
        item->id = pyro_answer_text(answer->arena, id);
        item->name = pyro_answer_text(answer->arena, type.name);
        item->sample_type = pyro_answer_text(answer->arena, type.sample_type);
        item->sample_unit = pyro_answer_text(answer->arena, type.sample_unit);
        item->period_type = pyro_answer_text(answer->arena, type.period_type);
        item->period_unit = pyro_answer_text(answer->arena, type.period_unit);

        if (item->id == NULL || item->name == NULL || item->sample_type == NULL
            || item->sample_unit == NULL || item->period_type == NULL
            || item->period_unit == NULL)
        {
            return NULL;
        }

        m->profile_types[m->n_profile_types++] = item;
    }

    return &m->base;
}


/* LabelNames and LabelValues answer with the same fields. */
static ProtobufCMessage *
pyro_label_answer_names(pyro_label_answer_t *answer)
{
    uint32_t                        i;
    char                          **names;
    Types__V1__LabelNamesResponse   *m;
    Types__V1__LabelValuesResponse  *values;

    names = pyro_arena_calloc(answer->arena, answer->texts.n, sizeof(char *));
    m = pyro_arena_alloc(answer->arena, sizeof(*m));
    values = pyro_arena_alloc(answer->arena, sizeof(*values));

    if (names == NULL || m == NULL || values == NULL) {
        return NULL;
    }

    for (i = 0; i < answer->texts.n; i++) {
        names[i] = pyro_answer_text(answer->arena, answer->texts.items[i]);

        if (names[i] == NULL) {
            return NULL;
        }
    }

    if (answer->plan->rpc == PYRO_RPC_LABEL_VALUES) {
        types__v1__label_values_response__init(values);
        values->names = names;
        values->n_names = answer->texts.n;
        return &values->base;
    }

    types__v1__label_names_response__init(m);
    m->names = names;
    m->n_names = answer->texts.n;

    return &m->base;
}


static pyro_labels_t *
pyro_label_answer_sorted(pyro_label_answer_t *answer)
{
    uint32_t        i, j, ids[2];
    const char     *pairs;
    pyro_label_t   *label;
    pyro_labels_t  *sets;

    sets = pyro_arena_calloc(answer->arena, answer->sets.n,
                             sizeof(pyro_labels_t));

    for (i = 0; sets != NULL && i < answer->sets.n; i++) {
        pairs = answer->sets.items[i].data;
        sets[i].n = (uint32_t) (answer->sets.items[i].len / sizeof(ids));
        sets[i].items = pyro_arena_calloc(answer->arena, sets[i].n,
                                          sizeof(pyro_label_t));

        if (sets[i].items == NULL) {
            return NULL;
        }

        for (j = 0; j < sets[i].n; j++) {
            memcpy(ids, pairs + j * sizeof(ids), sizeof(ids));
            label = &sets[i].items[j];
            label->name = answer->texts.items[ids[0]];
            label->value = answer->texts.items[ids[1]];
        }
    }

    if (sets != NULL && answer->sets.n) {
        qsort(sets, answer->sets.n, sizeof(pyro_labels_t),
              pyro_label_answer_set_cmp);
    }

    return sets;
}


static ProtobufCMessage *
pyro_label_answer_sets(pyro_label_answer_t *answer)
{
    uint32_t                      i;
    pyro_labels_t                *sets;
    Types__V1__Labels            *items;
    Querier__V1__SeriesResponse  *m;

    sets = pyro_label_answer_sorted(answer);
    items = pyro_arena_calloc(answer->arena, answer->sets.n, sizeof(*items));
    m = pyro_arena_alloc(answer->arena, sizeof(*m));

    if (sets == NULL || items == NULL || m == NULL) {
        return NULL;
    }

    querier__v1__series_response__init(m);
    m->n_labels_set = answer->sets.n;
    m->labels_set = pyro_arena_calloc(answer->arena, answer->sets.n,
                                      sizeof(void *));

    for (i = 0; m->labels_set != NULL && i < answer->sets.n; i++) {
        types__v1__labels__init(&items[i]);
        items[i].n_labels = sets[i].n;
        items[i].labels = pyro_answer_pairs(answer->arena, &sets[i]);

        if (items[i].labels == NULL) {
            return NULL;
        }

        m->labels_set[i] = &items[i];
    }

    return m->labels_set != NULL ? &m->base : NULL;
}


char *
pyro_answer_text(pyro_arena_t *arena, pyro_slice_t text)
{
    return (char *) pyro_arena_dup(arena, text).data;
}


Types__V1__LabelPair **
pyro_answer_pairs(pyro_arena_t *arena, const pyro_labels_t *labels)
{
    uint32_t               i;
    Types__V1__LabelPair  *items, **pairs;

    items = pyro_arena_calloc(arena, labels->n, sizeof(*items));
    pairs = pyro_arena_calloc(arena, labels->n, sizeof(*pairs));

    if (items == NULL || pairs == NULL) {
        return NULL;
    }

    for (i = 0; i < labels->n; i++) {
        types__v1__label_pair__init(&items[i]);
        items[i].name = pyro_answer_text(arena, labels->items[i].name);
        items[i].value = pyro_answer_text(arena, labels->items[i].value);
        pairs[i] = &items[i];

        if (items[i].name == NULL || items[i].value == NULL) {
            return NULL;
        }
    }

    return pairs;
}


static Types__V1__Series *
pyro_answer_series(pyro_arena_t *arena, const pyro_plan_t *plan,
    const pyro_series_t *series)
{
    uint32_t            i;
    Types__V1__Point   *points;
    Types__V1__Series  *m;

    m = pyro_arena_alloc(arena, sizeof(*m));
    points = pyro_arena_calloc(arena, series->n, sizeof(*points));

    if (m == NULL || points == NULL) {
        return NULL;
    }

    types__v1__series__init(m);
    m->n_labels = series->labels.n;
    m->labels = pyro_answer_pairs(arena, &series->labels);
    m->n_points = series->n;
    m->points = pyro_arena_calloc(arena, series->n, sizeof(void *));

    if (m->labels == NULL || m->points == NULL) {
        return NULL;
    }

    for (i = 0; i < series->n; i++) {
        types__v1__point__init(&points[i]);
        points[i].timestamp = series->points[i].time;
        points[i].value = series->points[i].value;
        m->points[i] = &points[i];

        if (series->points[i].exemplar == NULL) {
            continue;
        }

        points[i].n_exemplars = 1;
        points[i].exemplars = pyro_arena_alloc(arena, sizeof(void *));

        if (points[i].exemplars == NULL) {
            return NULL;
        }

        points[i].exemplars[0] = pyro_answer_exemplar(arena, plan,
                                                  series->points[i].exemplar);

        if (points[i].exemplars[0] == NULL) {
            return NULL;
        }
    }

    return m;
}


pyro_status_e
pyro_series_encode(pyro_arena_t *arena, const pyro_plan_t *plan,
    const pyro_series_t *series, uint32_t n, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err)
{
    uint32_t                           i;
    Querier__V1__SelectSeriesResponse  m;

    querier__v1__select_series_response__init(&m);
    m.n_series = n;
    m.series = pyro_arena_calloc(arena, n, sizeof(void *));

    if (m.series == NULL) {
        return pyro_error_memory(err);
    }

    for (i = 0; i < n; i++) {
        m.series[i] = pyro_answer_series(arena, plan, &series[i]);

        if (m.series[i] == NULL) {
            return pyro_error_memory(err);
        }
    }

    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}
