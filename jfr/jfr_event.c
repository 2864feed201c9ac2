#include "jfr/jfr_event.h"


typedef enum {
    PYRO_JFR_SLOT_STACK,
    PYRO_JFR_SLOT_STATE,
    PYRO_JFR_SLOT_COUNT,
    PYRO_JFR_SLOT_AMOUNT,           /* bytes or ticks */
    PYRO_JFR_SLOT_FAILED,
    PYRO_JFR_SLOT_CONTEXT,
    PYRO_JFR_SLOT_SPAN,
    PYRO_JFR_SLOT_SPAN_NAME,
    PYRO_JFR_SLOT_TRACE_HI,
    PYRO_JFR_SLOT_TRACE_LO,
    PYRO_JFR_SLOTS
} pyro_jfr_event_slot_e;


/* Of a setting: every event clears all slots, so it has none of its own. */
enum {
    PYRO_JFR_SLOT_ID,
    PYRO_JFR_SLOT_NAME,             /* positions */
    PYRO_JFR_SLOT_TEXT = PYRO_JFR_SLOT_AMOUNT
};


typedef enum {
    PYRO_JFR_STATE_UNREAD = 0,
    PYRO_JFR_STATE_BAD,
    PYRO_JFR_STATE_RUNNABLE,
    PYRO_JFR_STATE_SLEEPING,
    PYRO_JFR_STATE_OTHER
} pyro_jfr_state_e;


typedef enum {
    PYRO_JFR_AMOUNT_NONE,
    PYRO_JFR_AMOUNT_BYTES,
    PYRO_JFR_AMOUNT_TICKS
} pyro_jfr_amount_e;


typedef struct {
    uint16_t               type;            /* word */
    pyro_jfr_sample_e      sample;
    pyro_jfr_amount_e      amount;
    pyro_jfr_want_t        amount_want;     /* or another one of its own */
} pyro_jfr_event_type_t;


static int pyro_jfr_event_plan(pyro_jfr_events_t *events,
    pyro_jfr_event_e event, uint32_t class);
static int pyro_jfr_event_bind(pyro_jfr_events_t *events,
    pyro_jfr_event_e event);
static int pyro_jfr_events_bind(pyro_jfr_events_t *events);
static pyro_jfr_state_e pyro_jfr_state(pyro_jfr_events_t *events,
    uint64_t key);
static pyro_jfr_state_e pyro_jfr_state_read(pyro_jfr_cpool_t *cpool,
    uint32_t entry);
static void pyro_jfr_event_setting(pyro_jfr_events_t *events,
    const uint64_t *slots);
static int pyro_jfr_event_amount(pyro_jfr_events_t *events,
    pyro_jfr_event_e event, const uint64_t *slots, pyro_jfr_sample_t *sample);
static pyro_jfr_sample_e pyro_jfr_event_kind(pyro_jfr_events_t *events,
    pyro_jfr_event_e event, const uint64_t *slots);
static int pyro_jfr_event_sample(pyro_jfr_events_t *events,
    pyro_jfr_event_e event, const uint64_t *slots);
static void pyro_jfr_event_broken(pyro_jfr_events_t *events,
    pyro_jfr_event_e event, const pyro_jfr_reader_t *r);
static int pyro_jfr_event_take(pyro_jfr_events_t *events,
    pyro_jfr_event_e event, pyro_jfr_reader_t *r);
static inline uint32_t pyro_jfr_event_class(const pyro_jfr_events_t *events,
    uint64_t type);


#define PYRO_JFR_LONG_WANT(word, slot)                                        \
    { PYRO_JFR_WORD_##word, PYRO_JFR_WORD_LONG, 0, 0, slot }
#define PYRO_JFR_INT_WANT(word, slot)                                         \
    { PYRO_JFR_WORD_##word, PYRO_JFR_WORD_INT, 0, 0, slot }
#define PYRO_JFR_NO_WANT                                                      \
    { PYRO_JFR_WORD_NONE, PYRO_JFR_WORD_NONE, 0, 0, 0 }


/* Of every sample, where the profiler writes them. */
static const pyro_jfr_want_t  pyro_jfr_sample_wants[] = {
    { PYRO_JFR_WORD_STACK_TRACE, PYRO_JFR_WORD_JDK_TYPES_STACK_TRACE, 1, 0,
      PYRO_JFR_SLOT_STACK },
    { PYRO_JFR_WORD_STATE, PYRO_JFR_WORD_JDK_TYPES_THREAD_STATE, 1, 0,
      PYRO_JFR_SLOT_STATE },
    { PYRO_JFR_WORD_FAILED, PYRO_JFR_WORD_BOOLEAN, 0, 0,
      PYRO_JFR_SLOT_FAILED },
    PYRO_JFR_LONG_WANT(CONTEXT_ID, PYRO_JFR_SLOT_CONTEXT),
    PYRO_JFR_LONG_WANT(SPAN_ID, PYRO_JFR_SLOT_SPAN),
    PYRO_JFR_LONG_WANT(SPAN_NAME, PYRO_JFR_SLOT_SPAN_NAME),
    PYRO_JFR_LONG_WANT(TRACE_ID_HI, PYRO_JFR_SLOT_TRACE_HI),
    PYRO_JFR_LONG_WANT(TRACE_ID_LO, PYRO_JFR_SLOT_TRACE_LO),
};


static const pyro_jfr_want_t  pyro_jfr_setting_wants[] = {
    PYRO_JFR_LONG_WANT(ID, PYRO_JFR_SLOT_ID),
    { PYRO_JFR_WORD_NAME, PYRO_JFR_WORD_JAVA_LANG_STRING, 0, 0,
      PYRO_JFR_SLOT_NAME },
    { PYRO_JFR_WORD_VALUE, PYRO_JFR_WORD_JAVA_LANG_STRING, 0, 0,
      PYRO_JFR_SLOT_TEXT },
};


#define PYRO_JFR_SAMPLE_WANTS                                                 \
    (sizeof(pyro_jfr_sample_wants) / sizeof(pyro_jfr_sample_wants[0]))
#define PYRO_JFR_SETTING_WANTS                                                \
    (sizeof(pyro_jfr_setting_wants) / sizeof(pyro_jfr_setting_wants[0]))


/* What does not become a sample has its own case in pyro_jfr_event_take(). */
static const pyro_jfr_event_type_t  pyro_jfr_event_types[PYRO_JFR_EV_FACT] = {

    [PYRO_JFR_EV_EXECUTION] =
        { PYRO_JFR_WORD_JDK_EXECUTION_SAMPLE, PYRO_JFR_RUNNING,
          PYRO_JFR_AMOUNT_NONE, PYRO_JFR_NO_WANT },

    [PYRO_JFR_EV_WALL_CLOCK] =
        { PYRO_JFR_WORD_PROFILER_WALL_CLOCK_SAMPLE, PYRO_JFR_WALL_RUNNING,
          PYRO_JFR_AMOUNT_NONE,
          PYRO_JFR_INT_WANT(SAMPLES, PYRO_JFR_SLOT_COUNT) },

    [PYRO_JFR_EV_CPU_TIME] =
        { PYRO_JFR_WORD_JDK_CPU_TIME_SAMPLE, PYRO_JFR_CPU_TIME,
          PYRO_JFR_AMOUNT_TICKS,
          PYRO_JFR_LONG_WANT(SAMPLING_PERIOD, PYRO_JFR_SLOT_AMOUNT) },

    [PYRO_JFR_EV_IN_TLAB] =
        { PYRO_JFR_WORD_JDK_OBJECT_ALLOCATION_IN_NEW_TLAB, PYRO_JFR_IN_TLAB,
          PYRO_JFR_AMOUNT_BYTES,
          PYRO_JFR_LONG_WANT(TLAB_SIZE, PYRO_JFR_SLOT_AMOUNT) },

    [PYRO_JFR_EV_OUTSIDE_TLAB] =
        { PYRO_JFR_WORD_JDK_OBJECT_ALLOCATION_OUTSIDE_TLAB,
          PYRO_JFR_OUTSIDE_TLAB, PYRO_JFR_AMOUNT_BYTES,
          PYRO_JFR_LONG_WANT(ALLOCATION_SIZE, PYRO_JFR_SLOT_AMOUNT) },

    [PYRO_JFR_EV_ALLOC_SAMPLE] =
        { PYRO_JFR_WORD_JDK_OBJECT_ALLOCATION_SAMPLE, PYRO_JFR_ALLOC_SAMPLE,
          PYRO_JFR_AMOUNT_BYTES,
          PYRO_JFR_LONG_WANT(WEIGHT, PYRO_JFR_SLOT_AMOUNT) },

    [PYRO_JFR_EV_MONITOR] =
        { PYRO_JFR_WORD_JDK_JAVA_MONITOR_ENTER, PYRO_JFR_MONITOR,
          PYRO_JFR_AMOUNT_TICKS,
          PYRO_JFR_LONG_WANT(DURATION, PYRO_JFR_SLOT_AMOUNT) },

    [PYRO_JFR_EV_PARK] =
        { PYRO_JFR_WORD_JDK_THREAD_PARK, PYRO_JFR_PARK, PYRO_JFR_AMOUNT_TICKS,
          PYRO_JFR_LONG_WANT(DURATION, PYRO_JFR_SLOT_AMOUNT) },

    [PYRO_JFR_EV_LIVE] =
        { PYRO_JFR_WORD_PROFILER_LIVE_OBJECT, PYRO_JFR_LIVE,
          PYRO_JFR_AMOUNT_NONE, PYRO_JFR_NO_WANT },

    [PYRO_JFR_EV_MALLOC] =
        { PYRO_JFR_WORD_PROFILER_MALLOC, PYRO_JFR_MALLOC,
          PYRO_JFR_AMOUNT_BYTES,
          PYRO_JFR_LONG_WANT(SIZE, PYRO_JFR_SLOT_AMOUNT) },

    [PYRO_JFR_EV_CPU_TIME_LOST] =
        { PYRO_JFR_WORD_JDK_CPU_TIME_SAMPLES_LOST, PYRO_JFR_RUNNING,
          PYRO_JFR_AMOUNT_NONE,
          PYRO_JFR_INT_WANT(LOST_SAMPLES, PYRO_JFR_SLOT_COUNT) },

    [PYRO_JFR_EV_DATA_LOSS] =
        { PYRO_JFR_WORD_JDK_DATA_LOSS, PYRO_JFR_RUNNING, PYRO_JFR_AMOUNT_NONE,
          PYRO_JFR_LONG_WANT(AMOUNT, PYRO_JFR_SLOT_AMOUNT) },

    [PYRO_JFR_EV_SETTING] =
        { PYRO_JFR_WORD_JDK_ACTIVE_SETTING, PYRO_JFR_RUNNING,
          PYRO_JFR_AMOUNT_NONE, PYRO_JFR_NO_WANT },
};


static int
pyro_jfr_event_plan(pyro_jfr_events_t *events, pyro_jfr_event_e event,
    uint32_t class)
{
    uint32_t         n, found;
    pyro_jfr_want_t  wants[PYRO_JFR_SAMPLE_WANTS + 1];

    if (event == PYRO_JFR_EV_SETTING) {
        return pyro_jfr_plan_make(events->md, class, pyro_jfr_setting_wants,
                                  PYRO_JFR_SETTING_WANTS, PYRO_JFR_TO_LAST,
                                  &events->plans[event], &found);
    }

    n = PYRO_JFR_SAMPLE_WANTS;
    memcpy(wants, pyro_jfr_sample_wants, sizeof(pyro_jfr_sample_wants));

    if (pyro_jfr_event_types[event].amount_want.name != PYRO_JFR_WORD_NONE) {
        wants[n++] = pyro_jfr_event_types[event].amount_want;
    }

    return pyro_jfr_plan_make(events->md, class, wants, n, PYRO_JFR_TO_LAST,
                              &events->plans[event], &found);
}


static int
pyro_jfr_event_bind(pyro_jfr_events_t *events, pyro_jfr_event_e event)
{
    uint32_t         class;
    pyro_jfr_fact_e  fact;
    pyro_jfr_word_e  type;

    fact = event >= PYRO_JFR_EV_FACT ? event - PYRO_JFR_EV_FACT : 0;
    type = event >= PYRO_JFR_EV_FACT ? pyro_jfr_fact_type(fact)
                                     : pyro_jfr_event_types[event].type;

    class = pyro_jfr_metadata_find(events->md, type);

    if (class == PYRO_NONE) {
        return 0;
    }

    events->of_class[class] = (uint8_t) event;

    return event >= PYRO_JFR_EV_FACT
           ? pyro_jfr_fact_bind(&events->facts, fact, events->md, class)
           : pyro_jfr_event_plan(events, event, class);
}


static int
pyro_jfr_events_bind(pyro_jfr_events_t *events)
{
    uint32_t              i, event;
    pyro_jfr_metadata_t  *md;

    md = events->md;

    events->of_class = pyro_arena_calloc(md->arena, md->n_classes, 1);
    events->states = pyro_arena_calloc(md->arena,
                                       pyro_jfr_cpool_size(events->cpool,
                                                   PYRO_JFR_POOL_STATE), 1);

    if (events->of_class == NULL || events->states == NULL) {
        return -1;
    }

    for (event = PYRO_JFR_EV_NONE + 1; event < PYRO_JFR_EV_COUNT; event++) {
        if (pyro_jfr_event_bind(events, event)) {
            return -1;
        }
    }

    PYRO_COUNT(PYRO_COUNT_STEPS, md->n_classes + PYRO_JFR_EV_COUNT);

    for (i = 0; i < md->n_classes; i++) {
        if (md->ids.keys[i] < PYRO_JFR_SMALL_TYPES) {
            events->small[md->ids.keys[i]] = (uint16_t) (i + 1);
        }
    }

    return 0;
}


static pyro_jfr_state_e
pyro_jfr_state_read(pyro_jfr_cpool_t *cpool, uint32_t entry)
{
    pyro_slice_t       name;
    pyro_jfr_reader_t  r;

    /* a simple type: its only field is the name */

    r = pyro_jfr_cpool_reader(cpool, PYRO_JFR_POOL_STATE, entry);
    name = pyro_jfr_cpool_string(cpool, &r);

    if (r.bad) {
        return PYRO_JFR_STATE_BAD;
    }

    if (pyro_slice_is(name, "STATE_RUNNABLE")) {
        return PYRO_JFR_STATE_RUNNABLE;
    }

    return pyro_slice_is(name, "STATE_SLEEPING") ? PYRO_JFR_STATE_SLEEPING
                                                 : PYRO_JFR_STATE_OTHER;
}


static pyro_jfr_state_e
pyro_jfr_state(pyro_jfr_events_t *events, uint64_t key)
{
    uint32_t  entry;

    entry = pyro_jfr_cpool_entry(events->cpool, PYRO_JFR_POOL_STATE, key);

    if (entry == PYRO_NONE) {
        return PYRO_JFR_STATE_BAD;
    }

    if (events->states[entry] == PYRO_JFR_STATE_UNREAD) {
        events->states[entry] = (uint8_t) pyro_jfr_state_read(events->cpool,
                                                              entry);
    }

    return events->states[entry];
}


static void
pyro_jfr_event_setting(pyro_jfr_events_t *events, const uint64_t *slots)
{
    uint32_t             class, event;
    pyro_jfr_reader_t    r;
    pyro_jfr_setting_t   setting;

    if (slots[PYRO_JFR_SLOT_NAME] == 0 || slots[PYRO_JFR_SLOT_TEXT] == 0) {
        return;
    }

    r = pyro_jfr_chunk_reader(events->md->chunk, slots[PYRO_JFR_SLOT_NAME]);
    setting.name = pyro_jfr_cpool_string(events->cpool, &r);
    r = pyro_jfr_chunk_reader(events->md->chunk, slots[PYRO_JFR_SLOT_TEXT]);
    setting.value = pyro_jfr_cpool_string(events->cpool, &r);

    class = pyro_jfr_index_get(&events->md->ids, slots[PYRO_JFR_SLOT_ID]);
    event = class == PYRO_NONE ? PYRO_JFR_EV_NONE : events->of_class[class];
    setting.type = event == PYRO_JFR_EV_NONE || event > PYRO_JFR_EV_MALLOC
                   ? pyro_slice("", 0)
                   : pyro_jfr_word_text(pyro_jfr_event_types[event].type);

    pyro_jfr_setting_list_add(&events->settings, &setting);
}


/* The count and the bytes or ns of a sample; -1: there is none. */
static int
pyro_jfr_event_amount(pyro_jfr_events_t *events, pyro_jfr_event_e event,
    const uint64_t *slots, pyro_jfr_sample_t *sample)
{
    int64_t  count, amount;

    count = (int64_t) slots[PYRO_JFR_SLOT_COUNT];
    amount = (int64_t) slots[PYRO_JFR_SLOT_AMOUNT];

    if (count < 0 || amount < 0) {
        pyro_jfr_count_add(events->report, PYRO_JFR_VALUE_NEGATIVE, 1);
        return -1;
    }

    if (pyro_jfr_event_types[event].amount == PYRO_JFR_AMOUNT_TICKS) {
        amount = pyro_jfr_chunk_ns(events->md->chunk, amount);

        if (amount < 0) {
            pyro_jfr_count_add(events->report, PYRO_JFR_EVENTS_BROKEN, 1);
            pyro_jfr_problem(events->report,
                             "chunk at byte %zu: its clock has no frequency",
                             events->md->chunk->offset);
            return -1;
        }
    }

    sample->count = (uint64_t) count;
    sample->value = (uint64_t) amount;

    return 0;
}


static pyro_jfr_sample_e
pyro_jfr_event_kind(pyro_jfr_events_t *events, pyro_jfr_event_e event,
    const uint64_t *slots)
{
    pyro_jfr_state_e  state;

    switch (event) {

    case PYRO_JFR_EV_EXECUTION:
        state = pyro_jfr_state(events, slots[PYRO_JFR_SLOT_STATE]);

        if (state == PYRO_JFR_STATE_BAD) {
            pyro_jfr_count_add(events->report, PYRO_JFR_STATE_UNKNOWN, 1);
            return PYRO_JFR_RESTING;
        }

        return state == PYRO_JFR_STATE_SLEEPING ? PYRO_JFR_RESTING
                                                : PYRO_JFR_RUNNING;

    case PYRO_JFR_EV_WALL_CLOCK:
        state = pyro_jfr_state(events, slots[PYRO_JFR_SLOT_STATE]);

        return state == PYRO_JFR_STATE_RUNNABLE ? PYRO_JFR_WALL_RUNNING
                                                : PYRO_JFR_WALL_RESTING;

    default:
        return pyro_jfr_event_types[event].sample;
    }
}


static int
pyro_jfr_event_sample(pyro_jfr_events_t *events, pyro_jfr_event_e event,
    const uint64_t *slots)
{
    pyro_jfr_tag_t     tag;
    pyro_jfr_sample_t  sample;

    sample.stack = pyro_jfr_cpool_entry(events->cpool, PYRO_JFR_POOL_STACK,
                                        slots[PYRO_JFR_SLOT_STACK]);

    if (sample.stack == PYRO_NONE) {
        pyro_jfr_count_add(events->report, PYRO_JFR_STACK_MISSING, 1);
        return 0;
    }

    if (pyro_jfr_event_amount(events, event, slots, &sample)) {
        return 0;
    }

    if (event == PYRO_JFR_EV_CPU_TIME) {
        pyro_jfr_count_add(events->report, PYRO_JFR_CPU_TIME_SAMPLES, 1);
    }

    sample.tag = 0;

    if (slots[PYRO_JFR_SLOT_CONTEXT] | slots[PYRO_JFR_SLOT_SPAN]
        | slots[PYRO_JFR_SLOT_SPAN_NAME] | slots[PYRO_JFR_SLOT_TRACE_HI]
        | slots[PYRO_JFR_SLOT_TRACE_LO])
    {
        tag.context = slots[PYRO_JFR_SLOT_CONTEXT];
        tag.span = slots[PYRO_JFR_SLOT_SPAN];
        tag.span_name = slots[PYRO_JFR_SLOT_SPAN_NAME];
        tag.trace_hi = slots[PYRO_JFR_SLOT_TRACE_HI];
        tag.trace_lo = slots[PYRO_JFR_SLOT_TRACE_LO];

        sample.tag = pyro_jfr_samples_tag(&events->samples, &tag);
    }

    sample.kind = pyro_jfr_event_kind(events, event, slots);

    return sample.tag == PYRO_NONE
           || pyro_jfr_samples_add(&events->samples, &sample) ? -1 : 0;
}


static void
pyro_jfr_event_broken(pyro_jfr_events_t *events, pyro_jfr_event_e event,
    const pyro_jfr_reader_t *r)
{
    pyro_jfr_count_add(events->report, PYRO_JFR_EVENTS_BROKEN, 1);
    pyro_jfr_problem(events->report, "chunk at byte %zu: a %s before %zu is "
                     "shorter than its fields", events->md->chunk->offset,
                     pyro_jfr_word_text(pyro_jfr_event_types[event].type).data,
                     (size_t) (r->end - events->md->chunk->base));
}


static int
pyro_jfr_event_take(pyro_jfr_events_t *events, pyro_jfr_event_e event,
    pyro_jfr_reader_t *r)
{
    uint64_t  slots[PYRO_JFR_SLOTS] = { [PYRO_JFR_SLOT_COUNT] = 1 };

    PYRO_COUNT_MOVED(sizeof(slots));

    if (event >= PYRO_JFR_EV_FACT) {
        pyro_jfr_fact_read(&events->facts, event - PYRO_JFR_EV_FACT,
                           events->md, r);
        return 0;
    }

    pyro_jfr_plan_run(events->md, &events->plans[event], r, slots);

    if (r->bad) {
        pyro_jfr_event_broken(events, event, r);
        return r->bad == PYRO_JFR_NO_MEMORY ? -1 : 0;
    }

    switch (event) {

    case PYRO_JFR_EV_SETTING:
        pyro_jfr_event_setting(events, slots);
        return 0;

    case PYRO_JFR_EV_CPU_TIME_LOST:
        if ((int64_t) slots[PYRO_JFR_SLOT_COUNT] > 0) {
            pyro_jfr_count_add(events->report, PYRO_JFR_CPU_TIME_LOST,
                               slots[PYRO_JFR_SLOT_COUNT]);
        }

        return 0;

    case PYRO_JFR_EV_DATA_LOSS:
        if ((int64_t) slots[PYRO_JFR_SLOT_AMOUNT] > 0) {
            pyro_jfr_count_add(events->report, PYRO_JFR_DATA_LOST,
                               slots[PYRO_JFR_SLOT_AMOUNT]);
        }

        return 0;

    default:
        pyro_jfr_count_add(events->report, PYRO_JFR_EVENTS, 1);

        return slots[PYRO_JFR_SLOT_FAILED]
               ? 0 : pyro_jfr_event_sample(events, event, slots);
    }
}


static inline uint32_t
pyro_jfr_event_class(const pyro_jfr_events_t *events, uint64_t type)
{
    return type < PYRO_JFR_SMALL_TYPES
           ? (uint32_t) events->small[type] - 1
           : pyro_jfr_index_get(&events->md->ids, type);
}


pyro_jfr_bad_e
pyro_jfr_events_read(pyro_jfr_events_t *events, pyro_jfr_cpool_t *cpool,
    pyro_jfr_report_t *report, uint64_t *counts)
{
    uint32_t           class;
    uint64_t           type;
    pyro_jfr_event_e   event;
    pyro_jfr_reader_t  r, payload;

    PYRO_COUNT_MOVED(offsetof(pyro_jfr_events_t, settings)
                     + sizeof(events->settings.slots));
    memset(events, 0, offsetof(pyro_jfr_events_t, settings));

    events->md = cpool->md;
    events->cpool = cpool;
    events->report = report;

    pyro_jfr_setting_list_init(&events->settings);

    if (pyro_jfr_samples_init(&events->samples, cpool->arena)
        || pyro_jfr_events_bind(events))
    {
        return PYRO_JFR_NO_MEMORY;
    }

    r = pyro_jfr_chunk_reader(cpool->md->chunk, PYRO_JFR_HEADER_SIZE);

    while (r.pos != r.end) {
        if (pyro_jfr_event_head(&r, &type, &payload)) {
            pyro_jfr_problem(report, "chunk at byte %zu: event at %zu has a "
                             "wrong size", cpool->md->chunk->offset,
                             (size_t) (r.pos - cpool->md->chunk->base));
            return PYRO_JFR_MALFORMED;
        }

        class = pyro_jfr_event_class(events, type);

        if (class == PYRO_NONE || type <= 1) {
            events->n_metadata += type == 0;
            events->n_checkpoints += type == 1;
            continue;
        }

        if (counts != NULL) {
            counts[class]++;
        }

        event = events->of_class[class];

        if (event != PYRO_JFR_EV_NONE
            && pyro_jfr_event_take(events, event, &payload))
        {
            return PYRO_JFR_NO_MEMORY;
        }
    }

    return PYRO_JFR_SOUND;
}
