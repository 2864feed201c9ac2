#include "jfr/jfr.h"

#include <stdlib.h>

#include "core/base/utf8.h"
#include "jfr/jfr_event.h"
#include "jfr/jfr_old.h"
#include "jfr/jfr_output.h"


/*
 * What a chunk's tables may take: each entry of a pool, an index or a sample
 * comes from bytes of the chunk, a few words for each at the worst.
 */
#define PYRO_JFR_SCRATCH_FIXED  (1024 * 1024)
#define PYRO_JFR_SCRATCH_TIMES  32

#define PYRO_JFR_MAX_NARROWED   3


/* A recording that is being read. */
typedef struct {
    const pyro_jfr_options_t  *options;
    pyro_slice_t               recording;
    size_t                     offset;      /* of what comes next */
    unsigned                   narrowed;    /* chunks that others began in */
    pyro_jfr_settings_t        settings;
    pyro_jfr_context_t         context;
    pyro_jfr_output_t          out;
    pyro_jfr_report_t         *report;
    size_t                     names_left;  /* bytes of function texts */
} pyro_jfr_reading_t;


/* A chunk that is being read; everything but events is in the arena. */
typedef struct {
    pyro_jfr_chunk_t           source;      /* as the recording has it */
    pyro_jfr_chunk_t           chunk;       /* as it is read */
    pyro_arena_t              *arena;
    pyro_jfr_layout_t          layout;
    pyro_jfr_metadata_t        md;
    pyro_jfr_cpool_t           cpool;
    pyro_jfr_events_t          events;
    pyro_jfr_stacks_t          stacks;
    int                        readable;    /* its types are known */
    uint64_t                  *counts;      /* of events, if somebody asks */
    pyro_jfr_event_counts_t    summary;     /* of them */
} pyro_jfr_chunk_reading_t;


static pyro_arena_t *pyro_jfr_scratch(const pyro_jfr_options_t *options,
    size_t len);
static int pyro_jfr_event_count_cmp(const void *one, const void *two);
static int pyro_jfr_event_counts(pyro_jfr_chunk_reading_t *c);
static int pyro_jfr_chunk_tell(pyro_jfr_reading_t *reading,
    pyro_jfr_chunk_reading_t *c, int broken);
static pyro_jfr_bad_e pyro_jfr_chunk_types(pyro_jfr_chunk_reading_t *c);
static pyro_jfr_bad_e pyro_jfr_chunk_tables(pyro_jfr_reading_t *reading,
    pyro_jfr_chunk_reading_t *c);
static pyro_jfr_bad_e pyro_jfr_chunk_events(pyro_jfr_reading_t *reading,
    pyro_jfr_chunk_reading_t *c);
static pyro_jfr_bad_e pyro_jfr_chunk_open(pyro_jfr_reading_t *reading,
    pyro_jfr_chunk_reading_t *c);
static pyro_jfr_bad_e pyro_jfr_chunk_parse(pyro_jfr_reading_t *reading,
    pyro_jfr_chunk_reading_t *c);
static int pyro_jfr_chunk_narrow(pyro_jfr_reading_t *reading,
    pyro_jfr_chunk_reading_t *c);
static int pyro_jfr_chunk_output(pyro_jfr_reading_t *reading,
    pyro_jfr_chunk_reading_t *c);
static void pyro_jfr_chunk_time(pyro_jfr_info_t *info,
    const pyro_jfr_chunk_t *chunk);
static pyro_status_e pyro_jfr_chunk_read(pyro_jfr_reading_t *reading,
    pyro_jfr_chunk_reading_t *c, int damaged, pyro_error_t *err);
static pyro_status_e pyro_jfr_chunks(pyro_jfr_reading_t *reading,
    pyro_error_t *err);
static pyro_status_e pyro_jfr_end(pyro_jfr_reading_t *reading,
    pyro_error_t *err);
static pyro_status_e pyro_jfr_recording(pyro_jfr_reading_t *reading,
    pyro_arena_t *arena, pyro_profile_t *profile, pyro_error_t *err);


static pyro_arena_t *
pyro_jfr_scratch(const pyro_jfr_options_t *options, size_t len)
{
    pyro_arena_t  *arena;

    arena = pyro_arena_create(len > SIZE_MAX / PYRO_JFR_SCRATCH_TIMES / 2
                              ? SIZE_MAX
                              : len * PYRO_JFR_SCRATCH_TIMES
                                + PYRO_JFR_SCRATCH_FIXED);

    if (arena != NULL && options->max_memory) {
        pyro_arena_limit(arena, options->max_memory);
    }

    return arena;
}


static int
pyro_jfr_event_count_cmp(const void *one, const void *two)
{
    const pyro_jfr_event_count_t  *a = one, *b = two;

    return pyro_slice_cmp(a->type, b->type);
}


/* Of the versions from 1.0 on; those of 0.9 are counted as they are read. */
static int
pyro_jfr_event_counts(pyro_jfr_chunk_reading_t *c)
{
    uint32_t                 i, n;
    pyro_jfr_event_count_t  *items;

    items = pyro_arena_calloc(c->arena, (size_t) c->md.n_classes + 2,
                              sizeof(pyro_jfr_event_count_t));

    if (items == NULL) {
        return -1;
    }

    n = 0;

    for (i = 0; i < c->md.n_classes; i++) {
        if (c->counts[i]) {
            items[n].type = pyro_jfr_metadata_name(&c->md, i);
            items[n++].n = c->counts[i];
        }
    }

    if (c->events.n_metadata) {
        items[n].type = PYRO_SLICE("<metadata>");
        items[n++].n = c->events.n_metadata;
    }

    if (c->events.n_checkpoints) {
        items[n].type = PYRO_SLICE("<checkpoint>");
        items[n++].n = c->events.n_checkpoints;
    }

    c->summary.items = items;
    c->summary.n = n;
    c->summary.checkpoints = c->events.n_checkpoints;

    return 0;
}


/* To whoever wants to know of each chunk.  -1: no memory. */
static int
pyro_jfr_chunk_tell(pyro_jfr_reading_t *reading, pyro_jfr_chunk_reading_t *c,
    int broken)
{
    pyro_jfr_chunk_summary_t  summary;

    if (reading->options->chunk == NULL) {
        return 0;
    }

    memset(&summary, 0, sizeof(pyro_jfr_chunk_summary_t));

    summary.offset = c->chunk.offset;
    summary.size = c->source.size;
    summary.major = c->source.major;
    summary.minor = c->source.minor;
    summary.start = c->chunk.start;
    summary.duration = c->chunk.duration;
    summary.frequency = c->chunk.frequency;
    summary.unfinished = c->source.unfinished;
    summary.broken = broken;

    if (c->counts != NULL && pyro_jfr_event_counts(c)) {
        return -1;
    }

    if (c->summary.n) {
        qsort(c->summary.items, c->summary.n, sizeof(pyro_jfr_event_count_t),
              pyro_jfr_event_count_cmp);
    }

    summary.events = c->summary.items;
    summary.n_events = c->summary.n;
    summary.checkpoints = c->summary.checkpoints;

    reading->options->chunk(reading->options->ctx, &summary);

    return 0;
}


static pyro_jfr_bad_e
pyro_jfr_chunk_types(pyro_jfr_chunk_reading_t *c)
{
    return c->layout.metadata
           ? pyro_jfr_metadata_read(&c->md, &c->chunk, c->layout.metadata,
                                    c->arena)
           : PYRO_JFR_MALFORMED;
}


/* Types and pools. */
static pyro_jfr_bad_e
pyro_jfr_chunk_tables(pyro_jfr_reading_t *reading, pyro_jfr_chunk_reading_t *c)
{
    pyro_jfr_bad_e  bad;

    if (pyro_jfr_layout_read(&c->layout, &c->chunk, c->arena)) {
        return PYRO_JFR_NO_MEMORY;
    }

    bad = pyro_jfr_chunk_types(c);

    if (bad == PYRO_JFR_MALFORMED && !c->layout.walked) {
        if (pyro_jfr_layout_walk(&c->layout, &c->chunk, c->arena)) {
            return PYRO_JFR_NO_MEMORY;
        }

        bad = pyro_jfr_chunk_types(c);
    }

    if (bad) {
        pyro_jfr_problem(reading->report, "chunk at byte %zu: %s metadata",
                         c->chunk.offset,
                         c->layout.metadata ? "bad" : "it has no");
        return bad;
    }

    c->readable = 1;

    bad = pyro_jfr_cpool_read(&c->cpool, &c->md, &c->layout, c->arena);

    if (bad || c->layout.walked) {
        pyro_jfr_problem(reading->report, "chunk at byte %zu: bad constant "
                         "pool or header", c->chunk.offset);
        bad = bad ? bad : PYRO_JFR_MALFORMED;
    }

    return bad;
}


static pyro_jfr_bad_e
pyro_jfr_chunk_events(pyro_jfr_reading_t *reading, pyro_jfr_chunk_reading_t *c)
{
    if (reading->options->chunk != NULL && c->source.major) {
        c->counts = pyro_arena_calloc(c->arena, c->md.n_classes,
                                      sizeof(uint64_t));

        if (c->counts == NULL) {
            return PYRO_JFR_NO_MEMORY;
        }
    }

    return pyro_jfr_events_read(&c->events, &c->cpool, reading->report,
                                c->counts);
}


/* Makes the arena, and of a chunk of version 0.9 one that can be read. */
static pyro_jfr_bad_e
pyro_jfr_chunk_open(pyro_jfr_reading_t *reading, pyro_jfr_chunk_reading_t *c)
{
    int  old;

    old = c->source.major == 0;
    c->arena = pyro_jfr_scratch(reading->options,
                                old ? c->source.size * (1 + PYRO_JFR_OLD_TIMES)
                                      + PYRO_JFR_OLD_ROOM
                                    : c->source.size);

    if (c->arena == NULL) {
        return PYRO_JFR_NO_MEMORY;
    }

    if (!old) {
        c->chunk = c->source;
        return PYRO_JFR_SOUND;
    }

    return pyro_jfr_old_read(&c->source, c->arena, reading->report, &c->chunk,
                             reading->options->chunk != NULL
                             ? &c->summary : NULL);
}


/* Everything of a chunk but what its samples become. */
static pyro_jfr_bad_e
pyro_jfr_chunk_parse(pyro_jfr_reading_t *reading, pyro_jfr_chunk_reading_t *c)
{
    pyro_jfr_bad_e  bad, tables, events;

    c->counts = NULL;
    memset(&c->summary, 0, sizeof(pyro_jfr_event_counts_t));
    c->readable = 0;
    bad = pyro_jfr_chunk_open(reading, c);

    if (bad == PYRO_JFR_NO_MEMORY || c->chunk.size == 0) {
        return bad;
    }

    tables = pyro_jfr_chunk_tables(reading, c);
    bad = tables ? tables : bad;

    if (!c->readable || bad == PYRO_JFR_NO_MEMORY) {
        return bad;
    }

    events = pyro_jfr_chunk_events(reading, c);

    return events ? events : bad;
}


/*
 * A chunk that is damaged may have lost its end: then the next one begins
 * inside of it, and what is behind that is not to be read as its own.  Looked
 * for a few times a recording only, since bytes are read once more for it.
 */
static int
pyro_jfr_chunk_narrow(pyro_jfr_reading_t *reading, pyro_jfr_chunk_reading_t *c)
{
    size_t             next;
    pyro_jfr_chunk_t  *source;

    source = &c->source;

    if (source->major == 0 || reading->narrowed == PYRO_JFR_MAX_NARROWED) {
        return 0;
    }

    next = pyro_jfr_chunk_inside(reading->recording, source);

    if (next == source->offset + source->size) {
        return 0;
    }

    reading->narrowed++;
    reading->offset = next;
    source->size = next - source->offset;

    if (source->checkpoint >= source->size) {
        source->checkpoint = 0;
    }

    if (source->metadata >= source->size) {
        source->metadata = 0;
    }

    return 1;
}


/* The samples of a chunk into the profile, and its facts. */
static int
pyro_jfr_chunk_output(pyro_jfr_reading_t *reading, pyro_jfr_chunk_reading_t *c)
{
    pyro_profile_t     *profile;
    pyro_jfr_report_t  *report;

    report = reading->report;
    profile = reading->out.profile;

    pyro_jfr_settings_take(&reading->settings, &c->events.settings);

    return pyro_jfr_settings_keep(&report->info, profile->arena,
                                  &c->events.settings)
           || pyro_jfr_facts_end(&c->events.facts, &c->cpool, profile->arena,
                                 &report->info)
           || pyro_jfr_stacks_init(&c->stacks, &c->cpool, profile, report,
                                   &reading->names_left)
           || pyro_jfr_output_chunk(&reading->out, &c->events.samples,
                                    &c->stacks);
}


/* When it began, and how long all of it took. */
static void
pyro_jfr_chunk_time(pyro_jfr_info_t *info, const pyro_jfr_chunk_t *chunk)
{
    if (info->start == 0) {
        info->start = chunk->start;
    }

    if (chunk->duration > 0 && chunk->duration <= INT64_MAX - info->duration) {
        info->duration += chunk->duration;
    }
}


static pyro_status_e
pyro_jfr_chunk_read(pyro_jfr_reading_t *reading, pyro_jfr_chunk_reading_t *c,
    int damaged, pyro_error_t *err)
{
    int             failed;
    uint64_t        counters[PYRO_JFR_COUNTER_COUNT];
    pyro_jfr_bad_e  bad;
    pyro_status_e   status;

    memcpy(counters, reading->report->counters, sizeof(counters));
    bad = pyro_jfr_chunk_parse(reading, c);

    if (bad == PYRO_JFR_MALFORMED && pyro_jfr_chunk_narrow(reading, c)) {
        memcpy(reading->report->counters, counters, sizeof(counters));
        pyro_arena_destroy(c->arena);
        bad = pyro_jfr_chunk_parse(reading, c);
        damaged = 1;
    }

    damaged |= bad != PYRO_JFR_SOUND;
    failed = bad == PYRO_JFR_NO_MEMORY
             || (c->readable && pyro_jfr_chunk_output(reading, c))
             || pyro_jfr_chunk_tell(reading, c, damaged);

    status = !failed ? PYRO_OK
             : pyro_arena_error(c->arena != NULL
                                && pyro_arena_exhausted(c->arena)
                                ? c->arena : reading->out.profile->arena, err);

    pyro_arena_destroy(c->arena);
    pyro_jfr_count_add(reading->report, damaged ? PYRO_JFR_CHUNKS_BROKEN
                                                : PYRO_JFR_CHUNKS, 1);
    pyro_jfr_chunk_time(&reading->report->info, &c->chunk);

    return status;
}


static pyro_status_e
pyro_jfr_chunks(pyro_jfr_reading_t *reading, pyro_error_t *err)
{
    int                        unfinished;
    const char                *problem;
    pyro_status_e              status;
    pyro_jfr_chunk_e           found;
    pyro_jfr_chunk_reading_t  *c;

    /* tens of kilobytes, which a thread's stack need not have */

    c = pyro_arena_alloc(reading->out.arena, sizeof(pyro_jfr_chunk_reading_t));

    if (c == NULL) {
        return pyro_error_memory(err);
    }

    status = PYRO_OK;
    unfinished = 0;

    while (status == PYRO_OK) {
        found = pyro_jfr_chunk_next(reading->recording, &reading->offset,
                                    &c->source, &problem);

        if (found == PYRO_JFR_CHUNK_END) {
            break;
        }

        if (found != PYRO_JFR_CHUNK_OK
            && !(found == PYRO_JFR_CHUNK_SKIPPED && unfinished))
        {
            pyro_jfr_problem(reading->report, "chunk at byte %zu: %s",
                             c->source.offset, problem);
        }

        if (found == PYRO_JFR_CHUNK_SKIPPED) {

            /* behind a chunk that is still being written there may be more */

            pyro_jfr_count_add(reading->report, PYRO_JFR_CHUNKS_BROKEN,
                               !unfinished);
            unfinished = 0;
            continue;
        }

        status = pyro_jfr_chunk_read(reading, c,
                                     found == PYRO_JFR_CHUNK_DAMAGED, err);
        unfinished = c->source.unfinished;
    }

    return status;
}


static pyro_status_e
pyro_jfr_end(pyro_jfr_reading_t *reading, pyro_error_t *err)
{
    uint64_t           *counters;
    pyro_jfr_report_t  *report;

    report = reading->report;
    counters = report->counters;

    if (pyro_jfr_output_end(&reading->out, reading->options->sample_rate)) {
        return pyro_arena_error(reading->out.profile->arena, err);
    }

    pyro_utf8_clean(report->event, sizeof(report->event) - 1,
                    reading->settings.event, strlen(reading->settings.event));
    pyro_utf8_clean(report->engine, sizeof(report->engine) - 1,
                    reading->settings.engine,
                    strlen(reading->settings.engine));

    if (reading->out.stored == 0
        && (counters[PYRO_JFR_CHUNKS_BROKEN]
            || counters[PYRO_JFR_EVENTS_BROKEN]))
    {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                              "jfr: nothing could be read: %s",
                              report->problem);
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_jfr_recording(pyro_jfr_reading_t *reading, pyro_arena_t *arena,
    pyro_profile_t *profile, pyro_error_t *err)
{
    pyro_slice_t   labels;
    pyro_status_e  status;

    labels = reading->options->labels;
    status = pyro_jfr_context_read(&reading->context, labels, arena, err);

    if (status != PYRO_OK) {
        return status;
    }

    pyro_jfr_output_init(&reading->out, arena, profile, reading->report,
                         reading->recording.len + labels.len);

    reading->out.context = &reading->context;
    reading->out.settings = &reading->settings;
    reading->out.cpu = reading->options->cpu;

    status = pyro_jfr_chunks(reading, err);

    return status == PYRO_OK ? pyro_jfr_end(reading, err) : status;
}


pyro_status_e
pyro_jfr_read(pyro_slice_t recording, const pyro_jfr_options_t *options,
    pyro_profile_t *profile, pyro_jfr_report_t *report, pyro_error_t *err)
{
    pyro_arena_t        *arena;
    pyro_status_e        status;
    pyro_jfr_reading_t  *reading;

    memset(report, 0, sizeof(pyro_jfr_report_t));

    if (!pyro_jfr_is_chunk(recording)) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                              "jfr: not a JFR recording: it does not begin "
                              "with \"FLR\" and a zero byte");
    }

    arena = pyro_jfr_scratch(options, recording.len + options->labels.len);
    reading = arena != NULL
              ? pyro_arena_calloc(arena, 1, sizeof(pyro_jfr_reading_t)) : NULL;

    if (reading == NULL) {
        pyro_arena_destroy(arena);
        return pyro_error_memory(err);
    }

    reading->options = options;
    reading->recording = recording;
    reading->report = report;
    reading->names_left = recording.len * PYRO_JFR_NAMES_TIMES
                          + PYRO_JFR_NAMES_FIXED;

    status = pyro_jfr_recording(reading, arena, profile, err);
    pyro_arena_destroy(arena);

    return status;
}
