#include "jfr/jfr_old.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "jfr/jfr_old_leaf.h"
#include "jfr/jfr_old_write.h"


#define PYRO_JFR_OLD_HEAD        8      /* of an event: size, type */
#define PYRO_JFR_OLD_CHECKPOINT  1      /* types of events */
#define PYRO_JFR_OLD_LAST_FIXED  2      /* buffer lost */


typedef struct {
    const pyro_jfr_chunk_t   *chunk;
    pyro_jfr_report_t        *report;
    int                       readable;     /* its types are known */
    pyro_jfr_old_types_t      types;
    pyro_jfr_old_pools_t      pools;
    pyro_jfr_old_values_t     values;       /* of what is written */
    pyro_jfr_old_leaves_t     leaves;
    pyro_jfr_out_t            out;
    uint32_t                  checkpoints;
} pyro_jfr_old_t;


/* An event as it is written. */
typedef struct {
    pyro_jfr_old_event_e      event;
    uint64_t                  start;        /* ticks */
    uint64_t                  duration;
    uint64_t                  stack;
} pyro_jfr_old_item_t;


static void pyro_jfr_old_write_stack(pyro_jfr_old_t *old);
static void pyro_jfr_old_write_entry(pyro_jfr_old_t *old,
    pyro_jfr_old_pool_e pool);
static void pyro_jfr_old_write_pools(pyro_jfr_old_t *old);
static void pyro_jfr_old_write_setting(pyro_jfr_old_t *old,
    const pyro_jfr_old_item_t *item);
static void pyro_jfr_old_write_recording(pyro_jfr_old_t *old,
    const pyro_jfr_old_item_t *item);
static void pyro_jfr_old_write_sample(pyro_jfr_old_t *old,
    const pyro_jfr_old_item_t *item);
static void pyro_jfr_old_write_event(pyro_jfr_old_t *old,
    const pyro_jfr_old_item_t *item);
static void pyro_jfr_old_event(pyro_jfr_old_t *old,
    const pyro_jfr_old_event_type_t *type, pyro_jfr_reader_t *r);
static pyro_jfr_bad_e pyro_jfr_old_events(pyro_jfr_old_t *old);
static int pyro_jfr_old_count(pyro_jfr_old_t *old, pyro_arena_t *arena,
    pyro_jfr_event_counts_t *counts);
static int64_t pyro_jfr_old_ns(int64_t ms);
static void pyro_jfr_old_end(pyro_jfr_old_t *old, pyro_jfr_chunk_t *to);
static pyro_jfr_bad_e pyro_jfr_old_open(pyro_jfr_old_t *old,
    pyro_arena_t *arena);


/* What the pools are in the new chunk; frame types are not written. */
static const pyro_jfr_out_type_e  pyro_jfr_old_pool_types[] = {
    [PYRO_JFR_OLD_POOL_SYMBOL] = PYRO_JFR_OUT_SYMBOL,
    [PYRO_JFR_OLD_POOL_CLASS] = PYRO_JFR_OUT_CLASS,
    [PYRO_JFR_OLD_POOL_METHOD] = PYRO_JFR_OUT_METHOD,
    [PYRO_JFR_OLD_POOL_STACK] = PYRO_JFR_OUT_STACK,
    [PYRO_JFR_OLD_POOL_STATE] = PYRO_JFR_OUT_STATE,
};


#define PYRO_JFR_OLD_WRITTEN                                                  \
    (sizeof(pyro_jfr_old_pool_types) / sizeof(pyro_jfr_old_pool_types[0]))


static const pyro_jfr_out_type_e  pyro_jfr_old_event_types[] = {
    [PYRO_JFR_OLD_EV_EXECUTION] = PYRO_JFR_OUT_EXECUTION,
    [PYRO_JFR_OLD_EV_IN_TLAB] = PYRO_JFR_OUT_IN_TLAB,
    [PYRO_JFR_OLD_EV_OUTSIDE_TLAB] = PYRO_JFR_OUT_OUTSIDE_TLAB,
    [PYRO_JFR_OLD_EV_MONITOR] = PYRO_JFR_OUT_MONITOR,
    [PYRO_JFR_OLD_EV_PARK] = PYRO_JFR_OUT_PARK,
    [PYRO_JFR_OLD_EV_SETTING] = PYRO_JFR_OUT_SETTING,
    [PYRO_JFR_OLD_EV_RECORDING] = PYRO_JFR_OUT_RECORDING,
};


static void
pyro_jfr_old_write_stack(pyro_jfr_old_t *old)
{
    int64_t            line;
    uint32_t           n, structure;
    pyro_jfr_reader_t  r;

    pyro_jfr_out_byte(&old->out, pyro_jfr_old_number(&old->values,
                                                     PYRO_JFR_OLD_TRUNCATED)
                                 != 0);
    n = pyro_jfr_old_array(old->chunk, &old->values, PYRO_JFR_OLD_FRAMES, &r,
                           &structure);
    pyro_jfr_out_long(&old->out, n);
    pyro_jfr_old_values_clear(&old->values);

    for ( /* void */ ; n && old->out.bad == PYRO_JFR_SOUND; n--) {
        pyro_jfr_old_values(&old->types, old->chunk, structure, &r,
                            &old->values);
        line = (int64_t) pyro_jfr_old_number(&old->values, PYRO_JFR_OLD_LINE);

        pyro_jfr_out_long(&old->out, pyro_jfr_old_number(&old->values,
                                                         PYRO_JFR_OLD_METHOD));
        pyro_jfr_out_long(&old->out, line < 0 || line > INT32_MAX
                                     ? 0 : (uint64_t) line);
        pyro_jfr_out_byte(&old->out, 0);
        pyro_jfr_out_byte(&old->out, 0);
    }
}


static void
pyro_jfr_old_write_entry(pyro_jfr_old_t *old, pyro_jfr_old_pool_e pool)
{
    pyro_jfr_out_t         *out;
    pyro_jfr_old_values_t  *values;

    out = &old->out;
    values = &old->values;

    switch (pool) {

    case PYRO_JFR_OLD_POOL_SYMBOL:
        pyro_jfr_out_text(out, pyro_jfr_old_text(old->chunk, values,
                                                 PYRO_JFR_OLD_TEXT));
        return;

    case PYRO_JFR_OLD_POOL_CLASS:
        pyro_jfr_out_long(out, pyro_jfr_old_number(values,
                                                   PYRO_JFR_OLD_NAME));
        return;

    case PYRO_JFR_OLD_POOL_METHOD:
        pyro_jfr_out_long(out, pyro_jfr_old_number(values,
                                                   PYRO_JFR_OLD_CLASS));
        pyro_jfr_out_long(out, pyro_jfr_old_number(values,
                                                   PYRO_JFR_OLD_NAME));
        return;

    case PYRO_JFR_OLD_POOL_STACK:
        pyro_jfr_old_write_stack(old);
        return;

    default:
        pyro_jfr_out_text(out, pyro_jfr_old_text(old->chunk, values,
                                                 PYRO_JFR_OLD_NAME));
    }
}


static void
pyro_jfr_old_write_pools(pyro_jfr_old_t *old)
{
    uint32_t                 i, pool;
    pyro_jfr_old_entries_t  *entries;

    pyro_jfr_out_checkpoint(&old->out, PYRO_JFR_OLD_WRITTEN);

    for (pool = 0; pool < PYRO_JFR_OLD_WRITTEN; pool++) {
        entries = &old->pools.of[pool];
        pyro_jfr_out_pool(&old->out, pyro_jfr_old_pool_types[pool],
                          entries->keys.n);

        for (i = 0; i < entries->keys.n && old->out.bad == PYRO_JFR_SOUND;
             i++)
        {
            pyro_jfr_out_long(&old->out, entries->keys.keys[i]);
            pyro_jfr_old_pools_value(&old->pools, pool, i, &old->values);
            pyro_jfr_old_write_entry(old, pool);
        }
    }

    pyro_jfr_out_close(&old->out);
}


/* The period of execution samples; async-profiler's is for no event. */
static void
pyro_jfr_old_write_setting(pyro_jfr_old_t *old,
    const pyro_jfr_old_item_t *item)
{
    int       len;
    char      text[32];
    int64_t   period;
    uint32_t  sample;

    sample = old->types.by_event[PYRO_JFR_OLD_EV_EXECUTION];
    period = (int64_t) pyro_jfr_old_number(&old->values, PYRO_JFR_OLD_PERIOD);

    if (sample == PYRO_NONE || period <= 0
        || pyro_jfr_old_number(&old->values, PYRO_JFR_OLD_ENABLED) == 0
        || old->types.event_ids.keys[sample]
           != (uint32_t) pyro_jfr_old_number(&old->values, PYRO_JFR_OLD_ID))
    {
        return;
    }

    len = snprintf(text, sizeof(text), "%" PRId64 " ms", period);

    pyro_jfr_out_open(&old->out, PYRO_JFR_OUT_ID(PYRO_JFR_OUT_SETTING));
    pyro_jfr_out_long(&old->out, item->start);
    pyro_jfr_out_long(&old->out, PYRO_JFR_OUT_ID(PYRO_JFR_OUT_EXECUTION));
    pyro_jfr_out_text(&old->out, PYRO_SLICE("period"));
    pyro_jfr_out_text(&old->out, pyro_slice(text, (size_t) len));
    pyro_jfr_out_close(&old->out);
}


static void
pyro_jfr_old_write_recording(pyro_jfr_old_t *old,
    const pyro_jfr_old_item_t *item)
{
    uint32_t                     n;
    pyro_jfr_reader_t            r;
    const pyro_jfr_old_value_t  *name;

    name = &old->values.of[PYRO_JFR_OLD_NAME];

    if (name->type != PYRO_JFR_OLD_STRING) {
        return;
    }

    r = pyro_jfr_old_reader(old->chunk, name->number, old->chunk->metadata);
    n = (uint32_t) pyro_jfr_fixed(&r, 4);

    pyro_jfr_out_open(&old->out, PYRO_JFR_OUT_ID(PYRO_JFR_OUT_RECORDING));
    pyro_jfr_out_long(&old->out, item->start);
    pyro_jfr_out_chars(&old->out, r.pos, n);
    pyro_jfr_out_close(&old->out);
}


static void
pyro_jfr_old_write_sample(pyro_jfr_old_t *old,
    const pyro_jfr_old_item_t *item)
{
    int                   timed;
    pyro_jfr_old_field_e  amount;

    timed = item->event == PYRO_JFR_OLD_EV_MONITOR
            || item->event == PYRO_JFR_OLD_EV_PARK;

    amount = item->event == PYRO_JFR_OLD_EV_EXECUTION ? PYRO_JFR_OLD_STATE
             : item->event == PYRO_JFR_OLD_EV_IN_TLAB ? PYRO_JFR_OLD_TLAB_SIZE
             : PYRO_JFR_OLD_SIZE;

    pyro_jfr_out_open(&old->out,
                      PYRO_JFR_OUT_ID(pyro_jfr_old_event_types[item->event]));
    pyro_jfr_out_long(&old->out, item->start);

    if (timed) {
        pyro_jfr_out_long(&old->out, item->duration);
    }

    pyro_jfr_out_long(&old->out, item->stack);

    if (!timed) {
        pyro_jfr_out_long(&old->out, pyro_jfr_old_number(&old->values,
                                                         amount));
    }

    pyro_jfr_out_close(&old->out);
}


static void
pyro_jfr_old_write_event(pyro_jfr_old_t *old, const pyro_jfr_old_item_t *item)
{
    switch (item->event) {

    case PYRO_JFR_OLD_EV_SETTING:
        pyro_jfr_old_write_setting(old, item);
        return;

    case PYRO_JFR_OLD_EV_RECORDING:
        pyro_jfr_old_write_recording(old, item);
        return;

    case PYRO_JFR_OLD_EV_EXECUTION:
        if (pyro_jfr_old_leaf_is_new(&old->leaves, item->stack)) {
            pyro_jfr_count_add(old->report, PYRO_JFR_KIND_UNKNOWN, 1);
            return;
        }

        pyro_jfr_old_write_sample(old, item);
        return;

    default:
        pyro_jfr_old_write_sample(old, item);
    }
}


/* An event's payload. */
static void
pyro_jfr_old_event(pyro_jfr_old_t *old, const pyro_jfr_old_event_type_t *type,
    pyro_jfr_reader_t *r)
{
    uint64_t              end, stack;
    pyro_jfr_old_item_t   item;

    end = pyro_jfr_fixed(r, 8);

    item.event = type->event;
    item.start = type->has_start ? pyro_jfr_fixed(r, 8) : end;
    item.duration = end - item.start;

    if (type->has_thread) {
        pyro_jfr_fixed(r, 4);
    }

    stack = type->has_stack ? pyro_jfr_fixed(r, 8) : 0;

    pyro_jfr_old_values_clear(&old->values);
    pyro_jfr_old_values(&old->types, old->chunk, type->structure, r,
                        &old->values);
    item.stack = type->has_stack ? stack
                                 : pyro_jfr_old_number(&old->values,
                                                       PYRO_JFR_OLD_STACK);

    if (r->bad) {
        pyro_jfr_count_add(old->report, PYRO_JFR_EVENTS_BROKEN, 1);
        pyro_jfr_problem(old->report, "chunk at byte %zu: an event before %zu "
                         "is shorter than its fields", old->chunk->offset,
                         (size_t) (r->end - old->chunk->base));
        return;
    }

    pyro_jfr_old_write_event(old, &item);
}


static pyro_jfr_bad_e
pyro_jfr_old_events(pyro_jfr_old_t *old)
{
    uint32_t                    entry;
    uint64_t                    size, type;
    pyro_jfr_reader_t           r, event;
    pyro_jfr_old_event_type_t  *t;

    r = pyro_jfr_old_reader(old->chunk, PYRO_JFR_OLD_HEADER_SIZE,
                            old->chunk->metadata);

    while (r.pos != r.end && old->out.bad == PYRO_JFR_SOUND) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);

        event = r;
        size = pyro_jfr_fixed(&event, 4);
        type = pyro_jfr_fixed(&event, 4);

        if (event.bad || size < PYRO_JFR_OLD_HEAD || size > pyro_jfr_left(&r))
        {
            pyro_jfr_problem(old->report, "chunk at byte %zu: event at %zu "
                             "has a wrong size", old->chunk->offset,
                             (size_t) (r.pos - old->chunk->base));
            return PYRO_JFR_MALFORMED;
        }

        r.pos += size;
        event.end = r.pos;

        old->checkpoints += type == PYRO_JFR_OLD_CHECKPOINT;
        entry = type <= PYRO_JFR_OLD_LAST_FIXED
                ? PYRO_NONE : pyro_jfr_index_get(&old->types.event_ids, type);

        if (entry == PYRO_NONE) {
            continue;
        }

        t = &old->types.events[entry];
        t->n++;

        if (t->event != PYRO_JFR_OLD_EV_NONE) {
            pyro_jfr_old_event(old, t, &event);
        }
    }

    return old->out.bad;
}


static int64_t
pyro_jfr_old_ns(int64_t ms)
{
    return ms < 0 || ms > INT64_MAX / PYRO_NS_PER_MS ? 0
                                                     : ms * PYRO_NS_PER_MS;
}


/* -1: no memory. */
static int
pyro_jfr_old_count(pyro_jfr_old_t *old, pyro_arena_t *arena,
    pyro_jfr_event_counts_t *counts)
{
    uint32_t                    i, n;
    pyro_jfr_event_count_t     *items;
    pyro_jfr_old_event_type_t  *type;

    n = old->types.event_ids.n;
    items = pyro_arena_calloc(arena, (size_t) n + 2,
                              sizeof(pyro_jfr_event_count_t));

    if (items == NULL) {
        return -1;
    }

    counts->items = items;
    counts->checkpoints = old->checkpoints;

    for (i = 0; i < n; i++) {
        type = &old->types.events[i];

        if (type->n) {
            items[counts->n].type = type->path;
            items[counts->n++].n = type->n;
        }
    }

    items[counts->n].type = PYRO_SLICE("<metadata>");
    items[counts->n++].n = 1;

    if (old->checkpoints) {
        items[counts->n].type = PYRO_SLICE("<checkpoint>");
        items[counts->n++].n = old->checkpoints;
    }

    return 0;
}


/* The new chunk, whose header is nowhere else. */
static void
pyro_jfr_old_end(pyro_jfr_old_t *old, pyro_jfr_chunk_t *to)
{
    pyro_jfr_old_types_t  *types;

    types = &old->types;

    to->base = old->out.data;
    to->size = old->out.n;
    to->checkpoint = old->out.checkpoint;
    to->metadata = old->out.metadata;
    to->major = 2;
    to->start = pyro_jfr_old_ns(types->start);
    to->duration = types->end < types->start || types->start < 0
                   ? 0 : pyro_jfr_old_ns(types->end - types->start);
    to->frequency = types->frequency;
}


/* Types and pools. */
static pyro_jfr_bad_e
pyro_jfr_old_open(pyro_jfr_old_t *old, pyro_arena_t *arena)
{
    pyro_jfr_bad_e           bad;
    const pyro_jfr_chunk_t  *chunk;

    chunk = old->chunk;
    bad = chunk->metadata == 0
          ? PYRO_JFR_MALFORMED
          : pyro_jfr_old_types_read(&old->types, chunk, arena);

    if (bad) {
        pyro_jfr_problem(old->report, "chunk at byte %zu: %s metadata",
                         chunk->offset, chunk->metadata ? "bad" : "it has no");
        return bad;
    }

    old->readable = 1;
    bad = pyro_jfr_old_pools_read(&old->pools, &old->types, chunk, arena);

    if (bad == PYRO_JFR_MALFORMED) {
        pyro_jfr_problem(old->report, "chunk at byte %zu: bad constant pool",
                         chunk->offset);
    }

    return bad == PYRO_JFR_NO_MEMORY
           || pyro_jfr_old_leaves_init(&old->leaves, &old->pools, arena)
           ? PYRO_JFR_NO_MEMORY : bad;
}


pyro_jfr_bad_e
pyro_jfr_old_read(const pyro_jfr_chunk_t *from, pyro_arena_t *arena,
    pyro_jfr_report_t *report, pyro_jfr_chunk_t *to,
    pyro_jfr_event_counts_t *counts)
{
    pyro_jfr_old_t  old;
    pyro_jfr_bad_e  bad, events;

    memset(to, 0, sizeof(pyro_jfr_chunk_t));
    to->offset = from->offset;

    memset(&old, 0, sizeof(pyro_jfr_old_t));
    old.chunk = from;
    old.report = report;

    bad = pyro_jfr_old_open(&old, arena);

    if (bad == PYRO_JFR_NO_MEMORY || !old.readable) {
        return bad;
    }

    pyro_jfr_out_begin(&old.out, arena, from->size * PYRO_JFR_OLD_TIMES
                                        + PYRO_JFR_OLD_ROOM);
    pyro_jfr_old_write_pools(&old);
    events = pyro_jfr_old_events(&old);

    if (old.out.bad == PYRO_JFR_MALFORMED) {
        pyro_jfr_problem(report, "chunk at byte %zu: it would become more "
                         "than %d times its bytes", from->offset,
                         PYRO_JFR_OLD_TIMES);
    }

    if (old.out.bad) {
        return old.out.bad;
    }

    if (counts != NULL && pyro_jfr_old_count(&old, arena, counts)) {
        return PYRO_JFR_NO_MEMORY;
    }

    pyro_jfr_old_end(&old, to);

    return bad ? bad : events;
}
