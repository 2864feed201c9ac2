#include "jfr/jfr.h"

#include "core/base/utf8.h"
#include "jfr/jfr_event.h"
#include "jfr/jfr_output.h"


/*
 * What a chunk's tables may take: each entry of a pool, an index or a sample
 * comes from bytes of the chunk, a few words for each at the worst.
 */
#define PYRO_JFR_SCRATCH_FIXED  (4 * 1024 * 1024)
#define PYRO_JFR_SCRATCH_TIMES  32


static pyro_arena_t *pyro_jfr_scratch(size_t len);
static pyro_jfr_bad_e pyro_jfr_chunk_samples(pyro_jfr_output_t *out,
    pyro_jfr_settings_t *settings, const pyro_jfr_chunk_t *chunk,
    pyro_arena_t *arena);
static pyro_status_e pyro_jfr_chunk_read(pyro_jfr_output_t *out,
    pyro_jfr_settings_t *settings, const pyro_jfr_chunk_t *chunk,
    pyro_error_t *err);
static pyro_status_e pyro_jfr_chunks(pyro_jfr_output_t *out,
    pyro_jfr_settings_t *settings, pyro_slice_t recording, pyro_error_t *err);
static pyro_status_e pyro_jfr_recording(pyro_slice_t recording,
    const pyro_jfr_options_t *options, pyro_profile_t *profile,
    pyro_jfr_report_t *report, pyro_arena_t *arena, pyro_error_t *err);


static pyro_arena_t *
pyro_jfr_scratch(size_t len)
{
    return pyro_arena_create(len > SIZE_MAX / PYRO_JFR_SCRATCH_TIMES / 2
                             ? SIZE_MAX
                             : len * PYRO_JFR_SCRATCH_TIMES
                               + PYRO_JFR_SCRATCH_FIXED);
}


/* Everything of one chunk; PYRO_JFR_MALFORMED: what could be read is there. */
static pyro_jfr_bad_e
pyro_jfr_chunk_samples(pyro_jfr_output_t *out, pyro_jfr_settings_t *settings,
    const pyro_jfr_chunk_t *chunk, pyro_arena_t *arena)
{
    pyro_jfr_bad_e        bad, pools;
    pyro_jfr_cpool_t      cpool;
    pyro_jfr_events_t     events;
    pyro_jfr_stacks_t     stacks;
    pyro_jfr_metadata_t   md;

    bad = pyro_jfr_metadata_read(&md, chunk, arena);

    if (bad) {
        pyro_jfr_problem(out->report, "chunk at byte %zu: bad metadata",
                         chunk->offset);
        return bad;
    }

    pools = pyro_jfr_cpool_read(&cpool, &md, arena);

    if (pools == PYRO_JFR_NO_MEMORY) {
        return pools;
    }

    if (pools) {
        pyro_jfr_problem(out->report, "chunk at byte %zu: bad constant pool",
                         chunk->offset);
    }

    bad = pyro_jfr_events_read(&events, &cpool, settings, out->report);

    if (bad == PYRO_JFR_NO_MEMORY
        || pyro_jfr_stacks_init(&stacks, &cpool, out->profile, out->report)
        || pyro_jfr_output_chunk(out, &events.samples, &stacks))
    {
        return PYRO_JFR_NO_MEMORY;
    }

    return bad ? bad : pools;
}


static pyro_status_e
pyro_jfr_chunk_read(pyro_jfr_output_t *out, pyro_jfr_settings_t *settings,
    const pyro_jfr_chunk_t *chunk, pyro_error_t *err)
{
    pyro_arena_t    *arena;
    pyro_jfr_bad_e   bad;

    arena = pyro_jfr_scratch(chunk->size);

    if (arena == NULL) {
        return pyro_error_memory(err);
    }

    bad = pyro_jfr_chunk_samples(out, settings, chunk, arena);
    pyro_arena_destroy(arena);

    if (bad == PYRO_JFR_NO_MEMORY) {
        return pyro_error_memory(err);
    }

    pyro_jfr_count_add(out->report, bad ? PYRO_JFR_CHUNKS_BROKEN
                                        : PYRO_JFR_CHUNKS, 1);

    return PYRO_OK;
}


static pyro_status_e
pyro_jfr_chunks(pyro_jfr_output_t *out, pyro_jfr_settings_t *settings,
    pyro_slice_t recording, pyro_error_t *err)
{
    size_t             offset;
    const char        *problem;
    pyro_status_e      status;
    pyro_jfr_chunk_t   chunk;
    pyro_jfr_chunk_e   found;

    offset = 0;
    chunk.unfinished = 0;

    for ( ;; ) {
        found = pyro_jfr_chunk_next(recording, &offset, &chunk, &problem);

        if (found == PYRO_JFR_CHUNK_END
            || (found == PYRO_JFR_CHUNK_LAST && chunk.unfinished))
        {
            return PYRO_OK;
        }

        if (found == PYRO_JFR_CHUNK_OK) {
            status = pyro_jfr_chunk_read(out, settings, &chunk, err);

            if (status != PYRO_OK) {
                return status;
            }

            continue;
        }

        pyro_jfr_problem(out->report, "chunk at byte %zu: %s", chunk.offset,
                         problem);
        pyro_jfr_count_add(out->report, PYRO_JFR_CHUNKS_BROKEN, 1);

        if (found == PYRO_JFR_CHUNK_LAST) {
            return PYRO_OK;
        }
    }
}


static pyro_status_e
pyro_jfr_recording(pyro_slice_t recording, const pyro_jfr_options_t *options,
    pyro_profile_t *profile, pyro_jfr_report_t *report, pyro_arena_t *arena,
    pyro_error_t *err)
{
    uint64_t             *counters;
    pyro_status_e         status;
    pyro_jfr_output_t     out;
    pyro_jfr_context_t    context;
    pyro_jfr_settings_t   settings;

    status = pyro_jfr_context_read(&context, options->labels, arena, err);

    if (status != PYRO_OK) {
        return status;
    }

    memset(&settings, 0, sizeof(pyro_jfr_settings_t));

    pyro_jfr_output_init(&out, arena, profile, report);
    out.context = &context;
    out.settings = &settings;

    status = pyro_jfr_chunks(&out, &settings, recording, err);

    if (status != PYRO_OK) {
        return status;
    }

    if (pyro_jfr_output_end(&out, options->sample_rate)) {
        return pyro_error_memory(err);
    }

    pyro_utf8_clean(report->event, sizeof(report->event) - 1, settings.event,
                    strlen(settings.event));
    pyro_utf8_clean(report->engine, sizeof(report->engine) - 1,
                    settings.engine, strlen(settings.engine));

    counters = report->counters;

    if (out.stored == 0 && (counters[PYRO_JFR_CHUNKS_BROKEN]
                            || counters[PYRO_JFR_EVENTS_BROKEN]))
    {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                              "jfr: nothing could be read: %s",
                              report->problem[0] ? report->problem
                                                 : "its events are broken");
    }

    return PYRO_OK;
}


pyro_status_e
pyro_jfr_read(pyro_slice_t recording, const pyro_jfr_options_t *options,
    pyro_profile_t *profile, pyro_jfr_report_t *report, pyro_error_t *err)
{
    pyro_arena_t   *arena;
    pyro_status_e   status;

    memset(report, 0, sizeof(pyro_jfr_report_t));

    if (!pyro_jfr_is_chunk(recording)) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                              "jfr: not a JFR recording: it does not begin "
                              "with \"FLR\" and a zero byte");
    }

    arena = pyro_jfr_scratch(recording.len + options->labels.len);

    if (arena == NULL) {
        return pyro_error_memory(err);
    }

    status = pyro_jfr_recording(recording, options, profile, report, arena,
                                err);
    pyro_arena_destroy(arena);

    return status;
}
