#include "jfr/jfr_output.h"


/*
 * Label sets of an upload, at most: their bytes, and what each costs beside
 * them in streams, sections and tables.
 */
#define PYRO_JFR_LABELS_TIMES  4
#define PYRO_JFR_LABELS_FIXED  16384
#define PYRO_JFR_SET_COST      512
#define PYRO_JFR_LABEL_COST    16


/* What a tag becomes; both ids of the profile. */
typedef struct {
    uint32_t  labels;               /* PYRO_NONE: not yet */
    uint32_t  span;
} pyro_jfr_tagged_t;


static uint32_t pyro_jfr_set_labels(pyro_jfr_output_t *out,
    pyro_labels_t *labels);
static const pyro_jfr_set_t *pyro_jfr_set(pyro_jfr_output_t *out,
    uint64_t key);
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
    pyro_profile_t *profile, pyro_jfr_report_t *report, size_t bytes)
{
    uint32_t  i;

    memset(out, 0, sizeof(pyro_jfr_output_t));

    out->arena = arena;
    out->profile = profile;
    out->report = report;
    out->labels_left = bytes * PYRO_JFR_LABELS_TIMES + PYRO_JFR_LABELS_FIXED;
    pyro_jfr_index_init(&out->set_keys, arena);

    for (i = 0; i < PYRO_JFR_TYPE_COUNT; i++) {
        out->columns[i] = PYRO_NONE;
    }
}


/* The profile's label set; the empty one if they are too many by now. */
static uint32_t
pyro_jfr_set_labels(pyro_jfr_output_t *out, pyro_labels_t *labels)
{
    size_t    cost;
    uint32_t  i;

    cost = PYRO_JFR_SET_COST;

    for (i = 0; i < labels->n; i++) {
        cost += labels->items[i].name.len + labels->items[i].value.len
                + PYRO_JFR_LABEL_COST;
    }

    if (cost > out->labels_left) {
        out->labels_left = 0;
        pyro_jfr_problem(out->report, "its samples have too many different "
                         "labels: more than %d times the upload's bytes",
                         PYRO_JFR_LABELS_TIMES);
        return 0;
    }

    out->labels_left -= cost;
    labels->n = pyro_labels_sort(labels->items, labels->n);

    return pyro_profile_label_set(out->profile, labels);
}


/* NULL: no memory. */
static const pyro_jfr_set_t *
pyro_jfr_set(pyro_jfr_output_t *out, uint64_t key)
{
    int              is_new;
    uint32_t         id;
    pyro_label_t     items[PYRO_JFR_MAX_LABELS + 1];
    pyro_labels_t    labels = { items, 0 };
    pyro_jfr_set_t  *set;

    id = pyro_jfr_index_enter(&out->set_keys, key, &is_new);

    if (id == PYRO_NONE
        || pyro_arena_grow(out->arena, &out->sets, &out->cap_sets,
                           (size_t) id + 1, sizeof(pyro_jfr_set_t)))
    {
        return NULL;
    }

    set = &out->sets[id];

    if (is_new) {
        memset(set, 0, sizeof(pyro_jfr_set_t));

        if (out->labels_left) {
            pyro_jfr_context_labels(out->context, key, &labels, &set->span);
            set->labels = pyro_jfr_set_labels(out, &labels);
        }

        pyro_jfr_count_add(out->report, PYRO_JFR_LABELS_FOLDED,
                           out->labels_left == 0);
    }

    return set->labels == PYRO_NONE ? NULL : set;
}


static int
pyro_jfr_tag_resolve(pyro_jfr_output_t *out, const pyro_jfr_tag_t *tag,
    pyro_jfr_tagged_t *tagged)
{
    uint64_t               key;
    pyro_span_t            span;
    const pyro_jfr_set_t  *set;

    if (tagged->labels != PYRO_NONE) {
        return 0;
    }

    span.id = tag->span;
    span.trace_hi = tag->trace_hi;
    span.trace_lo = tag->trace_lo;

    tagged->labels = 0;
    key = pyro_jfr_context_key(out->context, tag);

    if (key) {
        set = pyro_jfr_set(out, key);

        if (set == NULL) {
            return -1;
        }

        /* an event's own ids go before those among its labels */

        tagged->labels = set->labels;

        if (span.id == 0) {
            span.id = set->span.id;
        }

        if ((span.trace_hi | span.trace_lo) == 0) {
            span.trace_hi = set->span.trace_hi;
            span.trace_lo = set->span.trace_lo;
        }
    }

    tagged->span = pyro_profile_span(out->profile, &span);

    return tagged->span == PYRO_NONE ? -1 : 0;
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

    if (sample->kind == PYRO_JFR_CPU_TIME
        && out->cpu == PYRO_JFR_CPU_BY_SAMPLING)
    {
        return 0;
    }

    if (sample->kind <= PYRO_JFR_WALL_RESTING) {
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

    if (tagged == NULL
        || pyro_arena_grow(out->arena, &out->rows, &out->cap_rows,
                           (size_t) out->n_rows + samples->n,
                           sizeof(pyro_jfr_row_t)))
    {
        return -1;
    }

    for (i = 0; i < samples->n_tags; i++) {
        tagged[i].labels = PYRO_NONE;
    }

    for (i = 0; i < samples->n; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
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

    if (out->cpu == PYRO_JFR_CPU_BY_TIME) {
        return 0;
    }

    if (row->kind == PYRO_JFR_RUNNING && out->cpu == PYRO_JFR_CPU_BY_ANY
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
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);

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
