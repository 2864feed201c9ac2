#include "craft.h"


#define SAMPLE_NS  10000000


static const craft_class_t  extra[] = {
    { "jdk.ActiveSetting", CRAFT_EXTRA,
      { { "startTime", CRAFT_LONG, 0, 0 }, { "name", CRAFT_STRING, 0, 0 },
        { "value", CRAFT_STRING, 0, 0 } } },
    { "jdk.CPUTimeSample", CRAFT_EXTRA + 1,
      { { "startTime", CRAFT_LONG, 0, 0 }, { "stackTrace", CRAFT_STACK, 1, 0 },
        { "failed", CRAFT_BOOLEAN, 0, 0 },
        { "samplingPeriod", CRAFT_LONG, 0, 0 } } },

    /* a field of this name, but of another type: absent */

    { "profiler.Malloc", CRAFT_EXTRA + 2,
      { { "size", CRAFT_INT, 0, 0 }, { "stackTrace", CRAFT_STACK, 1, 0 } } },
};


static craft_t  craft;


static void
setting(const char *name, const char *value)
{
    craft_open(&craft, CRAFT_EXTRA);
    craft_varint(&craft, 1);
    craft_text(&craft, name);

    if (value != NULL) {
        craft_text(&craft, value);

    } else {
        craft_byte(&craft, 0);
    }

    craft_close(&craft);
}


static pyro_slice_t
label(const reading_t *reading, const char *sample_type, const char *name)
{
    uint32_t  i;

    for (i = 0; i < reading->profile->n_types; i++) {
        if (pyro_slice_is(reading->profile->types[i].type.sample_type,
                          sample_type))
        {
            return pyro_labels_get(&reading->profile->types[i].extra,
                                   pyro_slice_str(name));
        }
    }

    return pyro_slice(NULL, 0);
}


static void
read_file(reading_t *reading, const char *name, int64_t rate)
{
    pyro_arena_t  *arena;

    arena = pyro_arena_create(0);
    recording_read(reading, recording_file(arena, name, "recording.jfr.gz"),
                   recording_file(arena, name, "labels.pb.gz"), rate);
    assert_int_equal(reading->status, PYRO_OK);
    pyro_arena_destroy(arena);
}


/* interval is 20 ms, which 50 Hz agree with, and 100 Hz do not. */
static void
interval_of_the_recording(void **state)
{
    size_t     i;
    reading_t  reading;
    int64_t    rates[] = { -1, 0, 50, 100 };

    (void) state;

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        read_file(&reading, "ap45-wall", rates[i]);
        assert_true(recording_total(&reading, "wall") == 194860000000);
        assert_true(recording_total(&reading, "cpu") == 25860000000);
        assert_string_equal(reading.report.event, "wall");
        assert_string_equal(reading.report.engine, "wall");
        pyro_arena_destroy(reading.arena);
    }
}


static void
engine_is_of_cpu_alone(void **state)
{
    reading_t  reading;

    (void) state;

    read_file(&reading, "ap45-itimer-alloc-lock-live", 100);
    assert_true(pyro_slice_is(label(&reading, "cpu", "jfr_engine"), "itimer"));
    assert_true(pyro_slice_is(label(&reading, "cpu", "jfr_event"), "itimer"));
    assert_true(pyro_slice_is(label(&reading, "delay", "jfr_event"),
                              "itimer"));
    assert_int_equal(label(&reading, "delay", "jfr_engine").len, 0);
    pyro_arena_destroy(reading.arena);
}


static void
what_was_not_read(void **state)
{
    reading_t  reading;

    (void) state;

    read_file(&reading, "jdk25-cputime", 100);
    assert_int_equal(reading.report.counters[PYRO_JFR_CPU_TIME_SAMPLES], 685);
    assert_int_not_equal(reading.report.counters[PYRO_JFR_CPU_TIME_LOST], 0);
    assert_int_equal(reading.report.counters[PYRO_JFR_STACK_MISSING], 2);
    assert_int_equal(label(&reading, "cpu", "jfr_event").len, 0);
    pyro_arena_destroy(reading.arena);

    read_file(&reading, "ap45-inflight", 100);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], 1);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS_BROKEN], 1);
    assert_non_null(strstr(reading.report.problem, "334842"));
    pyro_arena_destroy(reading.arena);

    read_file(&reading, "jdk17-inflight", 100);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS_BROKEN], 0);
    pyro_arena_destroy(reading.arena);

    read_file(&reading, "jdk17-own", 100);
    assert_int_not_equal(reading.report.counters[PYRO_JFR_STACK_TRUNCATED], 0);
    pyro_arena_destroy(reading.arena);

    assert_string_equal(pyro_jfr_counter_text(PYRO_JFR_STATE_UNKNOWN),
                        "state_unknown");
}


/* Settings count wherever they stand in the chunk, the last of a name. */
static void
execution_samples_of_wall(void **state)
{
    reading_t  reading;

    (void) state;

    memset(&craft, 0, sizeof(craft));
    craft_begin(&craft);
    craft_metadata(&craft, extra, 3);
    setting("event", "cpu");
    craft_execution(&craft, 1, 1);
    craft_execution(&craft, 1, 99);
    setting("event", "wall");
    craft_pools(&craft);
    craft_end(&craft);

    craft_read(&craft, &reading);
    assert_int_equal(recording_total(&reading, "cpu"), SAMPLE_NS);
    assert_int_equal(recording_total(&reading, "wall"), 2 * SAMPLE_NS);
    assert_true(pyro_slice_is(label(&reading, "wall", "jfr_engine"), "wall"));
    pyro_arena_destroy(reading.arena);
}


static void
event_may_be_null(void **state)
{
    reading_t  reading;

    (void) state;

    memset(&craft, 0, sizeof(craft));
    craft_begin(&craft);
    craft_metadata(&craft, extra, 3);
    setting("event", NULL);
    setting("engine", "noop");
    craft_execution(&craft, 1, 1);
    craft_open(&craft, CRAFT_EXTRA + 2);
    craft_varint(&craft, 4096);
    craft_varint(&craft, 1);
    craft_close(&craft);
    craft_pools(&craft);
    craft_end(&craft);

    craft_read(&craft, &reading);
    assert_int_equal(label(&reading, "cpu", "jfr_event").len, 0);
    assert_true(pyro_slice_is(label(&reading, "cpu", "jfr_engine"), "noop"));
    assert_int_equal(recording_total(&reading, "malloc_objects"), 1);
    assert_int_equal(recording_total(&reading, "malloc_bytes"), 0);
    pyro_arena_destroy(reading.arena);
}


/* CPU time measured in two ways counts once, in whatever chunk it was. */
static void
cpu_time_samples(void **state)
{
    int        i;
    reading_t  reading;

    (void) state;

    memset(&craft, 0, sizeof(craft));
    craft_chunk(&craft, 3);
    craft_begin(&craft);
    craft_metadata(&craft, extra, 3);

    for (i = 0; i < 3; i++) {
        craft_open(&craft, CRAFT_EXTRA + 1);
        craft_varint(&craft, 1);
        craft_varint(&craft, 1);
        craft_byte(&craft, i == 2);
        craft_varint(&craft, 40000000);
        craft_close(&craft);
    }

    craft_pools(&craft);
    craft_end(&craft);

    /* two of 40,000,000 ticks at 2 GHz; the third has failed */

    craft_read(&craft, &reading);
    assert_int_equal(reading.status, PYRO_OK);
    assert_int_equal(recording_total(&reading, "cpu"), 40000000);
    assert_int_equal(reading.report.counters[PYRO_JFR_CPU_TIME_SAMPLES], 2);
    assert_int_equal(reading.report.counters[PYRO_JFR_EXECUTION_SKIPPED], 3);
    pyro_arena_destroy(reading.arena);
}


/* Integers of fixed width, and compressed ones that pretend to be. */
static void
fixed_width_chunk(void **state)
{
    reading_t  reading;

    (void) state;

    memset(&craft, 0, sizeof(craft));
    craft.fixed = 1;
    craft_chunk(&craft, 3);
    craft.fixed = 0;
    craft_chunk(&craft, 1);

    craft_read(&craft, &reading);
    assert_int_equal(reading.status, PYRO_OK);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], 2);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS_BROKEN], 0);
    assert_int_equal(recording_total(&reading, "cpu"), 4 * SAMPLE_NS);
    assert_int_equal(reading.profile->n_nodes, 2);
    assert_int_equal(reading.profile->frames[0].line, 7);
    pyro_arena_destroy(reading.arena);

    memset(&craft, 0, sizeof(craft));
    craft_chunk(&craft, 1);
    craft.data[67] = 0;
    craft_read(&craft, &reading);
    assert_int_equal(reading.status, PYRO_UNPROCESSABLE);
    assert_non_null(strstr(reading.err.message, "metadata"));
    pyro_arena_destroy(reading.arena);
}


/* CPU samples of one kind alone, for who asks for them. */
static void
cpu_by_choice(void **state)
{
    int                  i;
    reading_t            reading;
    pyro_jfr_options_t   options = { .sample_rate = 100 };

    static const struct {
        pyro_jfr_cpu_e  cpu;
        uint64_t        total;
    } cases[] = {
        { PYRO_JFR_CPU_BY_ANY, 20000000 },
        { PYRO_JFR_CPU_BY_SAMPLING, 3 * SAMPLE_NS },
        { PYRO_JFR_CPU_BY_TIME, 20000000 },
    };

    (void) state;

    memset(&craft, 0, sizeof(craft));
    craft_chunk(&craft, 3);
    craft_begin(&craft);
    craft_metadata(&craft, extra, 3);
    craft_open(&craft, CRAFT_EXTRA + 1);
    craft_varint(&craft, 1);
    craft_varint(&craft, 1);
    craft_byte(&craft, 0);
    craft_varint(&craft, 40000000);
    craft_close(&craft);
    craft_pools(&craft);
    craft_end(&craft);

    for (i = 0; i < 3; i++) {
        memset(&reading, 0, sizeof(reading));
        options.cpu = cases[i].cpu;
        reading.arena = pyro_arena_create(0);
        reading.profile = pyro_profile_create(reading.arena);
        assert_int_equal(pyro_jfr_read(pyro_slice(craft.data, craft.n),
                                       &options, reading.profile,
                                       &reading.report, &reading.err),
                         PYRO_OK);
        assert_true(recording_total(&reading, "cpu") == cases[i].total);
        pyro_arena_destroy(reading.arena);
    }
}


/* What is told of each chunk; ctx is where the next one goes. */
static void
take_chunk(void *ctx, const pyro_jfr_chunk_summary_t *summary)
{
    pyro_jfr_chunk_summary_t  **next = ctx;

    *(*next)++ = *summary;

    assert_true(summary->n_events == 0 || summary->events[0].n);
}


static void
chunks_are_told(void **state)
{
    reading_t                  reading;
    pyro_jfr_options_t         options = { .sample_rate = 100 };
    pyro_jfr_chunk_summary_t   chunks[4], *next;

    (void) state;

    memset(&craft, 0, sizeof(craft));
    craft_chunk(&craft, 3);
    craft_chunk(&craft, 1);
    pyro_put_be64(craft.data + craft.start + 16, 0);
    craft.data[craft.start + 64] = 5;

    next = chunks;
    options.chunk = take_chunk;
    options.ctx = &next;

    memset(&reading, 0, sizeof(reading));
    reading.arena = pyro_arena_create(0);
    reading.profile = pyro_profile_create(reading.arena);
    assert_int_equal(pyro_jfr_read(pyro_slice(craft.data, craft.n), &options,
                                   reading.profile, &reading.report,
                                   &reading.err), PYRO_OK);

    assert_int_equal(next - chunks, 2);
    assert_int_equal(chunks[0].offset, 0);
    assert_int_equal(chunks[0].size, craft.start);
    assert_int_equal(chunks[0].broken, 0);
    assert_int_equal(chunks[0].checkpoints, 1);
    assert_int_equal(chunks[0].n_events, 3);
    assert_int_equal(chunks[1].offset, craft.start);
    assert_int_equal(chunks[1].unfinished, 1);
    assert_int_equal(chunks[1].broken, 1);
    assert_int_equal(chunks[1].frequency, 2000000000);
    assert_int_equal(chunks[1].major, 2);

    pyro_arena_destroy(reading.arena);
}


/* Events of ever new contexts: their labels stop, their samples do not. */
static void
labels_beyond_the_budget(void **state)
{
    int            i, k;
    size_t         n;
    uint8_t        text[1000], *snapshot;
    reading_t      reading;
    pyro_slice_t   labels;

    /* an event with a context in the place of ExecutionSample */

    static const craft_class_t  sample = {
        "jdk.ObjectAllocationSample", CRAFT_EXTRA + 1,
        { { "stackTrace", CRAFT_STACK, 1, 0 },
          { "weight", CRAFT_LONG, 0, 0 },
          { "contextId", CRAFT_LONG, 0, 0 } }
    };

    (void) state;

    /* string 1 is "a"; strings 2 to 201 are 1000 bytes; contexts { a = s } */

    snapshot = calloc(1, 512 * 1024);
    n = 0;
    memset(text, 'x', sizeof(text));
    memcpy(snapshot, "\x12\x05\x08\x01\x12\x01" "a", 7);
    n = 7;

    for (i = 2; i < 202; i++) {
            text[0] = (uint8_t) ('a' + i % 26);
        text[1] = (uint8_t) ('a' + i / 26);

        /* { 1: i, 2: text } of 3 + 3 + 1000 bytes */

        k = 1006;
        snapshot[n++] = 0x12;
        snapshot[n++] = (uint8_t) (k % 128 | 0x80);
        snapshot[n++] = (uint8_t) (k / 128);
        snapshot[n++] = 0x08;
        snapshot[n++] = (uint8_t) (i % 128 | 0x80);
        snapshot[n++] = (uint8_t) (i / 128);
        snapshot[n++] = 0x12;
        snapshot[n++] = (uint8_t) (1000 % 128 | 0x80);
        snapshot[n++] = (uint8_t) (1000 / 128);
        memcpy(snapshot + n, text, 1000);
        n += 1000;
    }

    /* contexts 1 to 2000: { a = one of them }; as pairs with span_name */

    for (i = 1; i < 2000; i++) {
        k = 2 + i % 200;
        memcpy(snapshot + n, "\x0a\x0c\x08\x80\x00\x12\x07\x0a\x05\x08"
               "\x01\x10\x80\x00", 14);
        snapshot[n + 3] = (uint8_t) (i % 128 | 0x80);
        snapshot[n + 4] = (uint8_t) (i / 128);
        snapshot[n + 12] = (uint8_t) (k % 128 | 0x80);
        snapshot[n + 13] = (uint8_t) (k / 128);
        n += 14;
    }

    labels = pyro_slice(snapshot, n);

    memset(&craft, 0, sizeof(craft));
    craft_begin(&craft);
    craft_metadata(&craft, &sample, 1);

    for (i = 1; i < 2000; i++) {
        craft_open(&craft, CRAFT_EXTRA + 1);
        craft_varint(&craft, 1);
        craft_varint(&craft, 10);
        craft_varint(&craft, (uint64_t) i);
        craft_close(&craft);
    }

    craft_pools(&craft);
    craft_end(&craft);

    recording_read(&reading, pyro_slice(craft.data, craft.n), labels, 100);
    assert_int_equal(reading.status, PYRO_OK);
    assert_int_equal(recording_total(&reading, "alloc_sample_objects"), 1999);
    assert_true(reading.profile->n_label_sets > 100);
    assert_int_not_equal(reading.report.counters[PYRO_JFR_LABELS_FOLDED], 0);
    assert_non_null(strstr(reading.report.problem, "different labels"));

    pyro_arena_destroy(reading.arena);
    free(snapshot);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(interval_of_the_recording),
        cmocka_unit_test(engine_is_of_cpu_alone),
        cmocka_unit_test(what_was_not_read),
        cmocka_unit_test(execution_samples_of_wall),
        cmocka_unit_test(event_may_be_null),
        cmocka_unit_test(cpu_time_samples),
        cmocka_unit_test(fixed_width_chunk),
        cmocka_unit_test(cpu_by_choice),
        cmocka_unit_test(chunks_are_told),
        cmocka_unit_test(labels_beyond_the_budget),
    };

    return unit_run(tests);
}
