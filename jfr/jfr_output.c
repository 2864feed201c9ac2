#include "jfr/jfr_output.h"


/* What a tag becomes; both ids of the profile. */
typedef struct {
    uint32_t  labels;               /* PYRO_NONE: not yet */
    uint32_t  span;
} pyro_jfr_tagged_t;


static int pyro_jfr_tag_resolve(pyro_jfr_output_t *out,
    const pyro_jfr_tag_t *tag, pyro_jfr_tagged_t *tagged);
static int pyro_jfr_sample_out(pyro_jfr_output_t *out,
    const pyro_jfr_sample_t *sample, uint32_t node,
    const pyro_jfr_tagged_t *tagged);
static int pyro_jfr_sample_resolve(pyro_jfr_output_t *out,
    const pyro_jfr_samples_t *samples, const pyro_jfr_sample_t *sample,
    pyro_jfr_stacks_t *stacks, pyro_jfr_tagged_t *tagged);
static int pyro_jfr_add(pyro_jfr_output_t *out, pyro_jfr_profile_type_e type,
    const pyro_jfr_row_t *row, uint64_t value);
static int pyro_jfr_row_out(pyro_jfr_output_t *out, const pyro_jfr_row_t *row,
    uint64_t period, int wall);
static int pyro_jfr_extra(pyro_jfr_output_t *out, pyro_labels_t *extra,
    pyro_slice_t event, pyro_slice_t engine);


static const pyro_profile_type_t  pyro_jfr_types[PYRO_JFR_TYPE_COUNT] = {
    [PYRO_JFR_TYPE_CPU] =
        { PYRO_SLICE("process_cpu"), PYRO_SLICE("cpu"),
          PYRO_SLICE("nanoseconds"), PYRO_SLICE("cpu"),
          PYRO_SLICE("nanoseconds") },
    [PYRO_JFR_TYPE_WALL] =
        { PYRO_SLICE("wall"), PYRO_SLICE("wall"), PYRO_SLICE("nanoseconds"),
          PYRO_SLICE("wall"), PYRO_SLICE("nanoseconds") },
    [PYRO_JFR_TYPE_IN_TLAB_OBJECTS] =
        { PYRO_SLICE("memory"), PYRO_SLICE("alloc_in_new_tlab_objects"),
          PYRO_SLICE("count"), PYRO_SLICE("space"), PYRO_SLICE("bytes") },
    [PYRO_JFR_TYPE_IN_TLAB_BYTES] =
        { PYRO_SLICE("memory"), PYRO_SLICE("alloc_in_new_tlab_bytes"),
          PYRO_SLICE("bytes"), PYRO_SLICE("space"), PYRO_SLICE("bytes") },
    [PYRO_JFR_TYPE_OUTSIDE_TLAB_OBJECTS] =
        { PYRO_SLICE("memory"), PYRO_SLICE("alloc_outside_tlab_objects"),
          PYRO_SLICE("count"), PYRO_SLICE("space"), PYRO_SLICE("bytes") },
    [PYRO_JFR_TYPE_OUTSIDE_TLAB_BYTES] =
        { PYRO_SLICE("memory"), PYRO_SLICE("alloc_outside_tlab_bytes"),
          PYRO_SLICE("bytes"), PYRO_SLICE("space"), PYRO_SLICE("bytes") },
    [PYRO_JFR_TYPE_SAMPLE_OBJECTS] =
        { PYRO_SLICE("memory"), PYRO_SLICE("alloc_sample_objects"),
          PYRO_SLICE("count"), PYRO_SLICE("space"), PYRO_SLICE("bytes") },
    [PYRO_JFR_TYPE_SAMPLE_BYTES] =
        { PYRO_SLICE("memory"), PYRO_SLICE("alloc_sample_bytes"),
          PYRO_SLICE("bytes"), PYRO_SLICE("space"), PYRO_SLICE("bytes") },
    [PYRO_JFR_TYPE_MUTEX_CONTENTIONS] =
        { PYRO_SLICE("mutex"), PYRO_SLICE("contentions"), PYRO_SLICE("count"),
          PYRO_SLICE("mutex"), PYRO_SLICE("count") },
    [PYRO_JFR_TYPE_MUTEX_DELAY] =
        { PYRO_SLICE("mutex"), PYRO_SLICE("delay"), PYRO_SLICE("nanoseconds"),
          PYRO_SLICE("mutex"), PYRO_SLICE("count") },
    [PYRO_JFR_TYPE_BLOCK_CONTENTIONS] =
        { PYRO_SLICE("block"), PYRO_SLICE("contentions"), PYRO_SLICE("count"),
          PYRO_SLICE("block"), PYRO_SLICE("count") },
    [PYRO_JFR_TYPE_BLOCK_DELAY] =
        { PYRO_SLICE("block"), PYRO_SLICE("delay"), PYRO_SLICE("nanoseconds"),
          PYRO_SLICE("block"), PYRO_SLICE("count") },
    [PYRO_JFR_TYPE_LIVE] =
        { PYRO_SLICE("memory"), PYRO_SLICE("live"), PYRO_SLICE("count"),
          PYRO_SLICE("objects"), PYRO_SLICE("count") },
    [PYRO_JFR_TYPE_MALLOC_OBJECTS] =
        { PYRO_SLICE("memory"), PYRO_SLICE("malloc_objects"),
          PYRO_SLICE("count"), PYRO_SLICE(""), PYRO_SLICE("") },
    [PYRO_JFR_TYPE_MALLOC_BYTES] =
        { PYRO_SLICE("memory"), PYRO_SLICE("malloc_bytes"),
          PYRO_SLICE("bytes"), PYRO_SLICE(""), PYRO_SLICE("") },
};


/* The types of what is counted; NONE where there is no second one. */
#define PYRO_JFR_TYPE_NONE  PYRO_JFR_TYPE_COUNT

static const struct {
    pyro_jfr_profile_type_e  count;
    pyro_jfr_profile_type_e  value;
} pyro_jfr_counted[] = {
    [PYRO_JFR_CPU_TIME] = { PYRO_JFR_TYPE_NONE, PYRO_JFR_TYPE_CPU },
    [PYRO_JFR_IN_TLAB] = { PYRO_JFR_TYPE_IN_TLAB_OBJECTS,
                           PYRO_JFR_TYPE_IN_TLAB_BYTES },
    [PYRO_JFR_OUTSIDE_TLAB] = { PYRO_JFR_TYPE_OUTSIDE_TLAB_OBJECTS,
                                PYRO_JFR_TYPE_OUTSIDE_TLAB_BYTES },
    [PYRO_JFR_ALLOC_SAMPLE] = { PYRO_JFR_TYPE_SAMPLE_OBJECTS,
                                PYRO_JFR_TYPE_SAMPLE_BYTES },
    [PYRO_JFR_MONITOR] = { PYRO_JFR_TYPE_MUTEX_CONTENTIONS,
                           PYRO_JFR_TYPE_MUTEX_DELAY },
    [PYRO_JFR_PARK] = { PYRO_JFR_TYPE_BLOCK_CONTENTIONS,
                        PYRO_JFR_TYPE_BLOCK_DELAY },
    [PYRO_JFR_LIVE] = { PYRO_JFR_TYPE_LIVE, PYRO_JFR_TYPE_NONE },
    [PYRO_JFR_MALLOC] = { PYRO_JFR_TYPE_MALLOC_OBJECTS,
                          PYRO_JFR_TYPE_MALLOC_BYTES },
};


void
pyro_jfr_output_init(pyro_jfr_output_t *out, pyro_arena_t *arena,
    pyro_profile_t *profile, pyro_jfr_report_t *report)
{
    uint32_t  i;

    memset(out, 0, sizeof(pyro_jfr_output_t));

    out->arena = arena;
    out->profile = profile;
    out->report = report;

    for (i = 0; i < PYRO_JFR_TYPE_COUNT; i++) {
        out->columns[i] = PYRO_NONE;
    }
}


static int
pyro_jfr_tag_resolve(pyro_jfr_output_t *out, const pyro_jfr_tag_t *tag,
    pyro_jfr_tagged_t *tagged)
{
    pyro_span_t    span;
    pyro_label_t   items[PYRO_JFR_MAX_LABELS + 1];
    pyro_labels_t  labels = { items, 0 };

    if (tagged->labels != PYRO_NONE) {
        return 0;
    }

    pyro_jfr_context_tag(out->context, tag, &labels, &span);

    tagged->labels = pyro_profile_label_set(out->profile, &labels);
    tagged->span = pyro_profile_span(out->profile, &span);

    return tagged->labels == PYRO_NONE || tagged->span == PYRO_NONE ? -1 : 0;
}


static int
pyro_jfr_add(pyro_jfr_output_t *out, pyro_jfr_profile_type_e type,
    const pyro_jfr_row_t *row, uint64_t value)
{
    uint32_t  *column;

    column = &out->columns[type];

    if (*column == PYRO_NONE) {
        *column = pyro_profile_column(out->profile, &pyro_jfr_types[type]);

        if (*column == PYRO_NONE) {
            return -1;
        }
    }

    return pyro_profile_add(out->profile, row->labels, *column, row->node,
                            row->span, (int64_t) value);
}


static int
pyro_jfr_sample_out(pyro_jfr_output_t *out, const pyro_jfr_sample_t *sample,
    uint32_t node, const pyro_jfr_tagged_t *tagged)
{
    pyro_jfr_row_t  row;

    row.kind = sample->kind;
    row.labels = tagged->labels;
    row.node = node;
    row.span = tagged->span;
    row.count = sample->count;

    if (sample->kind <= PYRO_JFR_WALL_RESTING) {
        if (pyro_arena_grow(out->arena, &out->rows, &out->cap_rows,
                            (size_t) out->n_rows + 1, sizeof(pyro_jfr_row_t)))
        {
            return -1;
        }

        out->rows[out->n_rows++] = row;

        return 0;
    }

    if (pyro_jfr_counted[sample->kind].count != PYRO_JFR_TYPE_NONE
        && pyro_jfr_add(out, pyro_jfr_counted[sample->kind].count, &row,
                        sample->count))
    {
        return -1;
    }

    return pyro_jfr_counted[sample->kind].value != PYRO_JFR_TYPE_NONE
           ? pyro_jfr_add(out, pyro_jfr_counted[sample->kind].value, &row,
                          sample->value)
           : 0;
}


static int
pyro_jfr_sample_resolve(pyro_jfr_output_t *out,
    const pyro_jfr_samples_t *samples, const pyro_jfr_sample_t *sample,
    pyro_jfr_stacks_t *stacks, pyro_jfr_tagged_t *tagged)
{
    uint32_t  node;

    /* the settings stand at the front, if a recording has any */

    if (sample->kind == PYRO_JFR_RESTING && !pyro_jfr_is_wall(out->settings)) {
        return 0;
    }

    node = pyro_jfr_stack(stacks, sample->stack);

    if (node == PYRO_NONE
        || pyro_jfr_tag_resolve(out, &samples->tags[sample->tag], tagged))
    {
        return -1;
    }

    if (node == PYRO_JFR_NO_STACK) {
        pyro_jfr_count_add(out->report, PYRO_JFR_STACK_MISSING, sample->count);
        return 0;
    }

    return pyro_jfr_sample_out(out, sample, node, tagged);
}


int
pyro_jfr_output_chunk(pyro_jfr_output_t *out,
    const pyro_jfr_samples_t *samples, pyro_jfr_stacks_t *stacks)
{
    uint32_t                  i;
    pyro_jfr_tagged_t        *tagged;
    const pyro_jfr_sample_t  *sample;

    tagged = pyro_arena_alloc(samples->arena, (size_t) samples->n_tags
                                              * sizeof(pyro_jfr_tagged_t));

    if (tagged == NULL) {
        return -1;
    }

    for (i = 0; i < samples->n_tags; i++) {
        tagged[i].labels = PYRO_NONE;
    }

    for (i = 0; i < samples->n; i++) {
        sample = &samples->items[i];
        out->stored = pyro_jfr_sum(out->stored, sample->count);

        if (pyro_jfr_sample_resolve(out, samples, sample, stacks,
                                    &tagged[sample->tag]))
        {
            return -1;
        }
    }

    return 0;
}


static int
pyro_jfr_row_out(pyro_jfr_output_t *out, const pyro_jfr_row_t *row,
    uint64_t period, int wall)
{
    uint64_t  value;

    if (__builtin_mul_overflow(row->count, period, &value)
        || value > INT64_MAX)
    {
        value = INT64_MAX;
    }

    if ((wall || row->kind == PYRO_JFR_WALL_RUNNING
         || row->kind == PYRO_JFR_WALL_RESTING)
        && pyro_jfr_add(out, PYRO_JFR_TYPE_WALL, row, value))
    {
        return -1;
    }

    if (row->kind == PYRO_JFR_RUNNING
        && out->report->counters[PYRO_JFR_CPU_TIME_SAMPLES])
    {
        pyro_jfr_count_add(out->report, PYRO_JFR_EXECUTION_SKIPPED,
                           row->count);
        return 0;
    }

    return row->kind == PYRO_JFR_RUNNING
           || (wall && row->kind == PYRO_JFR_WALL_RUNNING)
           ? pyro_jfr_add(out, PYRO_JFR_TYPE_CPU, row, value) : 0;
}


static int
pyro_jfr_extra(pyro_jfr_output_t *out, pyro_labels_t *extra,
    pyro_slice_t event, pyro_slice_t engine)
{
    pyro_label_t  *items;

    items = pyro_arena_alloc(out->profile->arena, 2 * sizeof(pyro_label_t));

    if (items == NULL) {
        return -1;
    }

    items[0].name = PYRO_SLICE("jfr_engine");
    items[0].value = pyro_arena_dup(out->profile->arena, engine);
    items[1].name = PYRO_SLICE("jfr_event");
    items[1].value = pyro_arena_dup(out->profile->arena, event);

    if (items[0].value.data == NULL || items[1].value.data == NULL) {
        return -1;
    }

    extra->items = items;
    extra->n = pyro_labels_sort(items, 2);

    return 0;
}


int
pyro_jfr_output_end(pyro_jfr_output_t *out, int64_t sample_rate)
{
    int            wall;
    uint32_t       i;
    uint64_t       period;
    pyro_slice_t   event, engine;
    pyro_labels_t  extra, timed;

    wall = pyro_jfr_is_wall(out->settings);
    period = (uint64_t) pyro_jfr_period(out->settings, sample_rate);

    for (i = 0; i < out->n_rows; i++) {
        if (pyro_jfr_row_out(out, &out->rows[i], period, wall)) {
            return -1;
        }
    }

    event = pyro_slice_str(out->settings->event);
    engine = pyro_jfr_engine(out->settings);

    if (pyro_jfr_extra(out, &extra, event, pyro_slice("", 0))
        || pyro_jfr_extra(out, &timed, event, engine))
    {
        return -1;
    }

    for (i = 0; i < PYRO_JFR_TYPE_COUNT; i++) {
        if (out->columns[i] != PYRO_NONE) {
            out->profile->types[out->columns[i]].extra
                = i <= PYRO_JFR_TYPE_WALL ? timed : extra;
        }
    }

    return 0;
}
