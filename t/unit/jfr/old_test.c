#include "craft_old.h"


#define SAMPLE_NS  10000000


static old_t                      old;
static pyro_jfr_chunk_summary_t   told;
static int                        n_told;


static void
start(void)
{
    old.n = 0;
    old_begin(&old);
}


/* Reads the crafted bytes; the arena is gone afterwards. */
static void
expect(pyro_status_e status, uint64_t cpu, uint64_t chunks, uint64_t broken)
{
    reading_t  reading;

    old_read(&old, &reading);

    assert_int_equal(reading.status, status);
    assert_int_equal(recording_total(&reading, "cpu"), cpu);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], chunks);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS_BROKEN], broken);
    assert_true(status == PYRO_OK || reading.err.message[0]);
    assert_true(broken == 0 || reading.report.problem[0]);

    pyro_arena_destroy(reading.arena);
}


static void
tell(void *ctx, const pyro_jfr_chunk_summary_t *summary)
{
    (void) ctx;

    told = *summary;
    n_told++;
}


static void
events(void **state)
{
    reading_t  reading;

    (void) state;

    start();
    old_execution(&old, 1, 1);
    old_execution(&old, 1, 2);
    old_allocation(&old, OLD_IN_TLAB, 1, 16, 4096);
    old_allocation(&old, OLD_OUTSIDE_TLAB, 1, 300, 0);
    old_allocation(&old, OLD_OUTSIDE_TLAB, 1, UINT64_MAX, 0);
    old_lock(&old, OLD_MONITOR, 1, 100, 301);
    old_lock(&old, OLD_PARK, 1, 100, 120);
    old_lock(&old, OLD_PARK, 1, 120, 100);
    old_open(&old, 2);
    old_put(&old, 0, 8);
    old_put(&old, 7, 8);
    old_close(&old);
    old_open(&old, 12345);
    old_close(&old);
    old_open(&old, OLD_RECORDING);
    old_put(&old, 90, 8);
    old_string(&old, "Rec\xe9");
    old_put(&old, 1, 8);
    old_close(&old);
    old_pools(&old);
    old_metadata(&old, NULL, 0);

    old_read(&old, &reading);
    assert_int_equal(reading.status, PYRO_OK);
    assert_string_equal(reading.report.problem, "");
    assert_int_equal(recording_total(&reading, "cpu"), SAMPLE_NS);
    assert_int_equal(recording_total(&reading, "alloc_in_new_tlab_bytes"),
                     4096);
    assert_int_equal(recording_total(&reading, "alloc_outside_tlab_bytes"),
                     300);
    assert_int_equal(recording_total(&reading, "contentions"), 2);
    assert_int_equal(recording_total(&reading, "delay"), 100 + 10);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], 1);
    assert_int_equal(reading.report.counters[PYRO_JFR_VALUE_NEGATIVE], 2);
    assert_int_equal(reading.report.counters[PYRO_JFR_KIND_UNKNOWN], 0);
    assert_int_not_equal(pyro_intern_find(&reading.profile->strings,
                                          PYRO_SLICE("App.run")), PYRO_NONE);
    assert_true(pyro_slice_is(reading.report.info.recorder, "Rec\xc3\xa9"));
    pyro_arena_destroy(reading.arena);
}


static void
summary(void **state)
{
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_profile_t      *profile;
    pyro_jfr_report_t    report;
    pyro_jfr_options_t   options = { .sample_rate = 100, .chunk = tell };

    (void) state;

    old.n = 0;
    old_chunk(&old, 1);
    old_chunk(&old, 2);
    n_told = 0;

    arena = pyro_arena_create(0);
    profile = pyro_profile_create(arena);
    assert_int_equal(pyro_jfr_read(pyro_slice(old.data, old.n), &options,
                                   profile, &report, &err), PYRO_OK);
    assert_int_equal(n_told, 2);
    assert_int_equal(told.offset, old.start);
    assert_int_equal(told.size, old.n - old.start);
    assert_int_equal(told.major, 0);
    assert_int_equal(told.minor, 9);
    assert_int_equal(told.start, 1000000000);
    assert_int_equal(told.duration, 2000000000);
    assert_int_equal(told.frequency, 2000000000);
    assert_false(told.broken);
    assert_int_equal(report.info.start, 1000000000);
    assert_int_equal(report.info.duration, 4000000000);
    pyro_arena_destroy(arena);
}


/* The period counts only without a sample rate. */
static void
settings(void **state)
{
    reading_t  reading;

    (void) state;

    start();
    old_execution(&old, 1, 1);
    old_setting(&old, 20, 1, OLD_EXECUTION);
    old_setting(&old, 30, 0, OLD_EXECUTION);
    old_setting(&old, 0, 1, OLD_EXECUTION);
    old_setting(&old, -5, 1, OLD_EXECUTION);
    old_setting(&old, 50, 1, 1);
    old_pools(&old);
    old_metadata(&old, NULL, 0);

    recording_read(&reading, pyro_slice(old.data, old.n), pyro_slice(NULL, 0),
                   0);
    assert_int_equal(recording_total(&reading, "cpu"), 20000000);
    assert_int_equal(reading.report.info.n_settings, 1);
    assert_true(pyro_slice_is(reading.report.info.settings[0].name,
                              "jdk.ExecutionSample#period"));
    assert_true(pyro_slice_is(reading.report.info.settings[0].value,
                              "20 ms"));
    pyro_arena_destroy(reading.arena);

    expect(PYRO_OK, SAMPLE_NS, 1, 0);
}


/* async-profiler 1.x's allocations and locks. */
static void
kind_unknown(void **state)
{
    reading_t  reading;

    (void) state;

    start();
    old_execution(&old, 2, 1);
    old_execution(&old, 2, 1);
    old_pools(&old);
    old_metadata(&old, NULL, 0);

    old_read(&old, &reading);
    assert_int_equal(reading.status, PYRO_OK);
    assert_int_equal(reading.profile->n_types, 0);
    assert_int_equal(reading.report.counters[PYRO_JFR_KIND_UNKNOWN], 2);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], 1);
    assert_string_equal(reading.report.problem, "");
    pyro_arena_destroy(reading.arena);

    /* 3: not native, 4: another signature, 5: another name, 6: not the leaf */

    start();
    old_execution(&old, 2, 1);
    old_execution(&old, 3, 1);
    old_execution(&old, 4, 1);
    old_execution(&old, 5, 1);
    old_execution(&old, 6, 1);
    old_pools(&old);
    old_checkpoint(&old);
    old_pool(&old, OLD_STACKS, 4);
    old_stack(&old, 3, 2, 0, 1);
    old_stack(&old, 4, 3, 0, 4);
    old_stack(&old, 5, 4, 0, 4);
    old_put(&old, 6, 8);
    old_put(&old, 0, 1);
    old_put(&old, 2, 4);
    old_put(&old, 1, 8);
    old_put(&old, 1, 8);
    old_put(&old, 1, 1);
    old_put(&old, 2, 8);
    old_put(&old, 1, 8);
    old_put(&old, 4, 1);
    old_pool(&old, OLD_METHODS, 2);
    old_method(&old, 3, 1, 4, 3);
    old_method(&old, 4, 1, 2, 5);
    old_close(&old);
    old_metadata(&old, NULL, 0);

    old_read(&old, &reading);
    assert_int_equal(recording_total(&reading, "cpu"), 4 * SAMPLE_NS);
    assert_int_equal(reading.report.counters[PYRO_JFR_KIND_UNKNOWN], 1);
    pyro_arena_destroy(reading.arena);
}


static void
missing_references(void **state)
{
    uint64_t   *counters;
    reading_t   reading;

    (void) state;

    start();
    old_execution(&old, 0, 1);
    old_execution(&old, 99, 1);
    old_execution(&old, 1, 0);
    old_execution(&old, 3, 1);
    old_execution(&old, UINT64_MAX, 1);
    old_pools(&old);
    old_checkpoint(&old);
    old_pool(&old, OLD_STACKS, 2);
    old_stack(&old, 3, 77, 5, 4);
    old_put(&old, UINT64_MAX, 8);
    old_put(&old, 1, 1);
    old_put(&old, 0, 4);
    old_close(&old);
    old_metadata(&old, NULL, 0);

    old_read(&old, &reading);
    counters = reading.report.counters;

    assert_int_equal(reading.status, PYRO_OK);
    assert_int_equal(recording_total(&reading, "cpu"), 2 * SAMPLE_NS);
    assert_int_equal(counters[PYRO_JFR_STACK_MISSING], 2);
    assert_int_equal(counters[PYRO_JFR_STATE_UNKNOWN], 1);
    assert_int_equal(counters[PYRO_JFR_METHOD_MISSING], 1);
    assert_int_equal(counters[PYRO_JFR_STACK_TRUNCATED], 1);
    pyro_arena_destroy(reading.arena);
}


/* Of a key the newest entry counts; pools may lie in different checkpoints. */
static void
checkpoints(void **state)
{
    reading_t  reading;

    (void) state;

    start();
    old_execution(&old, 1, 1);
    old_pools(&old);
    old_checkpoint(&old);
    old_pool(&old, OLD_SYMBOLS, 2);
    old_symbol(&old, 2, "walk");
    old_symbol(&old, 2, "swim");
    old_close(&old);
    old_metadata(&old, NULL, 0);

    old_read(&old, &reading);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], 1);
    assert_int_equal(recording_total(&reading, "cpu"), SAMPLE_NS);
    assert_int_not_equal(pyro_intern_find(&reading.profile->strings,
                                          PYRO_SLICE("App.walk")), PYRO_NONE);
    assert_int_equal(pyro_intern_find(&reading.profile->strings,
                                      PYRO_SLICE("App.run")), PYRO_NONE);
    pyro_arena_destroy(reading.arena);
}


/* The last checkpoint, and where it says that the one before is. */
static void
checkpoint_chains(void **state)
{
    size_t    i, last;
    uint64_t  before;

    (void) state;

    for (i = 0; i < 8; i++) {
        start();
        old_execution(&old, 1, 1);
        old_pools(&old);
        last = old.checkpoint;
        old_checkpoint(&old);
        old_pool(&old, OLD_SYMBOLS, 0);
        old_close(&old);

        before = i == 0 ? old.checkpoint            /* itself */
                 : i == 1 ? old.checkpoint + 1
                 : i == 2 ? old.n                   /* the metadata */
                 : i == 3 ? last + 1
                 : i == 4 ? 16                      /* an event */
                 : i == 5 ? 15
                 : i == 6 ? UINT64_MAX
                 : last;

        pyro_put_be64(old.data + old.checkpoint + 16, before);
        old_metadata(&old, NULL, 0);

        if (i == 7) {
            expect(PYRO_OK, SAMPLE_NS, 1, 0);

        } else {
            expect(PYRO_UNPROCESSABLE, 0, 0, 1);
        }
    }

    /* one that reaches into the next */

    start();
    old_execution(&old, 1, 1);
    old_pools(&old);
    last = old.open;
    old_checkpoint(&old);
    old_close(&old);
    pyro_put_be32(old.data + last, (uint32_t) (old.n - last));
    old_metadata(&old, NULL, 0);
    expect(PYRO_UNPROCESSABLE, 0, 0, 1);

    /* what the metadata says is none */

    start();
    old_execution(&old, 1, 1);
    old_pools(&old);
    old.checkpoint = 16;
    old_metadata(&old, NULL, 0);
    expect(PYRO_UNPROCESSABLE, 0, 0, 1);

    start();
    old_execution(&old, 1, 1);
    old_pools(&old);
    old.checkpoint = 0;
    old_metadata(&old, NULL, 0);
    expect(PYRO_OK, 0, 1, 0);
}


/* Never finished, of impossible size: the chunk behind it is found. */
static void
headers(void **state)
{
    size_t         i, second;
    uint8_t       *p;
    static old_t   good;

    static const struct {
        size_t    at;
        uint64_t  value;
    } cases[] = {
        { 8, 0 }, { 8, 1 }, { 8, 15 }, { 8, 1 << 30 }, { 8, UINT64_MAX },
        { 8, UINT64_MAX - 7 }, { 4, 0x0000000800000000 },
        { 4, 0x0003000000000000 }, { 0, 0x464c520100000009 },
    };

    static const uint32_t  sizes[] = { 0, 7, 0x7fffffff, 0xffffffff };

    (void) state;

    good.n = 0;
    old_chunk(&good, 1);
    second = good.n;
    old_chunk(&good, 2);
    old_chunk(&good, 4);
    old = good;
    expect(PYRO_OK, 7 * SAMPLE_NS, 3, 0);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        old = good;
        pyro_put_be64(old.data + second + cases[i].at, cases[i].value);
        expect(PYRO_OK, 5 * SAMPLE_NS, 2, 1);
    }

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        old = good;
        p = old.data + second;
        pyro_put_be32(p + pyro_get_be64(p + 8), sizes[i]);
        expect(PYRO_OK, 5 * SAMPLE_NS, 2, 1);
    }

    /* not the metadata's type */

    old = good;
    p = old.data + second;
    p[pyro_get_be64(p + 8) + 7] = 1;
    expect(PYRO_OK, 5 * SAMPLE_NS, 2, 1);

    /* bytes between two chunks */

    old = good;
    memmove(old.data + second + 5, old.data + second, old.n - second);
    memcpy(old.data + second, "FLR\0x", 5);
    old.n += 5;
    expect(PYRO_OK, 7 * SAMPLE_NS, 3, 1);

    /* alone, a chunk that was never finished gives nothing */

    start();
    old_execution(&old, 1, 1);
    expect(PYRO_UNPROCESSABLE, 0, 0, 1);

    while (old.n < 200) {
        old_execution(&old, 1, 1);
    }

    expect(PYRO_UNPROCESSABLE, 0, 0, 1);

    /* nothing but metadata */

    start();
    old_metadata(&old, NULL, 0);
    expect(PYRO_OK, 0, 1, 0);
}


static void
event_sizes(void **state)
{
    size_t         i, second;
    static old_t   good;

    static const uint32_t  sizes[] = { 0, 7, 0xffffff, 0x7fffffff, UINT32_MAX };

    (void) state;

    good.n = 0;
    old_begin(&good);
    old_execution(&good, 1, 1);
    second = good.n;
    old_execution(&good, 1, 1);
    old_pools(&good);
    old_metadata(&good, NULL, 0);
    old_chunk(&good, 4);

    /* what precedes it, and the next chunk */

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        old = good;
        pyro_put_be32(old.data + second, sizes[i]);
        expect(PYRO_OK, 5 * SAMPLE_NS, 1, 1);
    }

    old = good;
    pyro_put_be32(old.data + 16, 0);
    expect(PYRO_OK, 4 * SAMPLE_NS, 1, 1);
}


static void
payload_past_its_size(void **state)
{
    reading_t  reading;

    (void) state;

    start();
    old_open(&old, OLD_EXECUTION);
    old_put(&old, 90, 8);
    old_put(&old, 1, 4);
    old_close(&old);
    old_open(&old, OLD_MONITOR);
    old_close(&old);
    old_open(&old, OLD_RECORDING);
    old_put(&old, 90, 8);
    old_put(&old, UINT32_MAX, 4);
    old_close(&old);
    old_execution(&old, 1, 1);
    old_pools(&old);
    old_metadata(&old, NULL, 0);

    old_read(&old, &reading);
    assert_int_equal(recording_total(&reading, "cpu"), SAMPLE_NS);
    assert_int_equal(reading.report.counters[PYRO_JFR_EVENTS_BROKEN], 3);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], 1);
    pyro_arena_destroy(reading.arena);
}


/* A pool whose beginning is there, and what it is the beginning of. */
static void
huge_pool(int type, uint32_t n, int width, uint64_t value)
{
    start();
    old_execution(&old, 1, 1);
    old_checkpoint(&old);
    old_pool(&old, type, n);
    old_put(&old, value, width);
    old_close(&old);
    old_metadata(&old, NULL, 0);
    expect(PYRO_UNPROCESSABLE, 0, 0, 1);
}


static void
huge_counts(void **state)
{
    size_t    i, k;
    uint32_t  n;

    static const uint32_t  counts[] = {
        3, 1000, 1 << 20, INT32_MAX, 1U << 31, UINT32_MAX
    };

    (void) state;

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        n = counts[i];

        huge_pool(OLD_STACKS, n, 0, 0);
        huge_pool(OLD_SYMBOLS, n, 8, 1);
        huge_pool(OLD_CLASSES, n, 8, 1);
        huge_pool(OLD_STATES, n, 4, 0x0001ffff);

        /* frames of a stack */

        start();
        old_execution(&old, 1, 1);
        old_checkpoint(&old);
        old_pool(&old, OLD_STACKS, 1);
        old_put(&old, 1, 8);
        old_put(&old, 0, 1);
        old_put(&old, n, 4);
        old_close(&old);
        old_metadata(&old, NULL, 0);
        expect(PYRO_UNPROCESSABLE, 0, 0, 1);

        /* producers; then relations, structures, fields, events, contents */

        for (k = 0; k < 6; k++) {
            start();
            old_pools(&old);
            old.metadata = old.n;
            old_open(&old, 0);
            old_put(&old, k == 0 ? n : 1, 4);
            old_put(&old, 1, 4);
            old_put(&old, 0, 6);
            old_put(&old, k == 1 ? n : 0, 4);
            old_put(&old, k == 2 ? n : k == 3, 4);
            old_put(&old, n, k == 3 ? 4 : 0);
            old_put(&old, k == 4 ? n : 0, 4);
            old_put(&old, k == 5 ? n : 0, 4);
            old_tail(&old);
            old_end(&old);
            expect(PYRO_UNPROCESSABLE, 0, 0, 1);
        }
    }
}


/* With values of each in a pool and in an event. */
static void
strange_structure(const old_struct_t *extra, int n, int which, int is_sound)
{
    start();
    old_execution(&old, 1, 1);
    old_open(&old, OLD_EXTRA_EVENT + which);
    old_close(&old);
    old_pools(&old);
    old.n = old.open;
    old.checkpoint = 0;

    /* the same pools, with one of this type behind them */

    old_pools(&old);
    old_pool(&old, OLD_EXTRA_POOL + which, is_sound ? 1 : 5);
    old_put(&old, 1, 1);

    if (!is_sound) {
        memset(old.data + old.n, 1, 64);
        old.n += 64;
    }

    old_close(&old);
    old_metadata(&old, extra, n);
    expect(PYRO_OK, SAMPLE_NS, is_sound, !is_sound);
}


static void
strange_structures(void **state)
{
    int  i;

    enum { SELF = OLD_EXTRA_STRUCT, NOTHING, NOTHINGS, SELVES, NOWHERE,
           NO_TYPE, NO_ELEMENT, ONE, OTHER };

    static const old_struct_t  strange[] = {
        { { { "x", OLD_U1, 0 }, { "self", OLD_STRUCT, SELF } } },
        { { { NULL, 0, 0 } } },
        { { { "all", OLD_STRUCTARRAY, NOTHING } } },
        { { { "all", OLD_STRUCTARRAY, SELVES } } },
        { { { "x", OLD_STRUCT, 9999 } } },
        { { { "x", 16, 0 } } },
        { { { "x", OLD_ARRAY, OLD_STRUCT } } },
        { { { "x", OLD_U1, 0 }, { "other", OLD_STRUCT, OTHER } } },
        { { { "one", OLD_STRUCT, ONE } } },
    };

    static const old_struct_t  nothing[] = {
        { { { NULL, 0, 0 } } },
        { { { "a", OLD_STRUCT, OLD_EXTRA_STRUCT },
            { "b", OLD_STRUCT, OLD_EXTRA_STRUCT } } },
    };

    (void) state;

    for (i = 0; i < OLD_N(strange); i++) {
        if (OLD_EXTRA_STRUCT + i != NOTHING) {
            strange_structure(strange, OLD_N(strange), i, 0);
        }
    }

    /* values of nothing have a key, which is something */

    strange_structure(nothing, 2, 0, 1);
    strange_structure(nothing, 2, 1, 1);
}


/* Structures inside each other: eight can be read, nine cannot. */
static void
deep_structures(void **state)
{
    int            i, n;
    old_struct_t   deep[16];

    (void) state;

    for (n = 8; n <= 9; n++) {
        memset(deep, 0, sizeof(deep));

        for (i = 0; i < n; i++) {
            deep[i].fields[0].id = "x";
            deep[i].fields[0].type = i < n - 1 ? OLD_STRUCT : OLD_UTF8;
            deep[i].fields[0].structure = OLD_EXTRA_STRUCT + i + 1;
        }

        start();
        old_execution(&old, 1, 1);
        old_checkpoint(&old);
        old_pool(&old, OLD_EXTRA_POOL, 1);
        old_put(&old, 1, 1);
        old_text(&old, "text");
        old_close(&old);
        old_pools(&old);
        old_metadata(&old, deep, n);
        expect(PYRO_OK, SAMPLE_NS, n == 8, n == 9);
    }
}


/* Values of all types, in the way to what is wanted. */
static void
other_values(void **state)
{
    int  i;

    static const old_struct_t  extra[] = {
        { { { "a", OLD_DOUBLE, 0 }, { "b", OLD_STRING, 0 },
            { "c", OLD_ARRAY, OLD_SHORT }, { "d", OLD_ARRAY, OLD_UTF8 },
            { "e", OLD_STRUCTARRAY, OLD_EXTRA_STRUCT + 1 },
            { "f", OLD_STRUCT, OLD_EXTRA_STRUCT + 1 } } },
        { { { "a", OLD_UTF8, 0 }, { "b", OLD_ARRAY, OLD_STRING } } },
    };

    (void) state;

    start();
    old_execution(&old, 1, 1);
    old_checkpoint(&old);
    old_pool(&old, OLD_EXTRA_POOL, 2);

    for (i = 0; i < 2; i++) {
        old_put(&old, i, 1);
        old_put(&old, 1, 8);
        old_string(&old, "string");
        old_put(&old, 3, 4);
        old_put(&old, 1, 6);
        old_put(&old, 2, 4);
        old_text(&old, "");
        old_text(&old, "text");
        old_put(&old, i, 4);

        if (i == 1) {
            old_text(&old, "in e");
            old_put(&old, 1, 4);
            old_string(&old, "of e");
        }

        old_text(&old, "in f");
        old_put(&old, 0, 4);
    }

    old_close(&old);
    old_pools(&old);
    old_metadata(&old, extra, 2);
    expect(PYRO_OK, SAMPLE_NS, 1, 0);
}


/* Of an id, of a path and of a name the first counts. */
static void
duplicates(void **state)
{
    reading_t  reading;

    (void) state;

    start();
    old_execution(&old, 1, 1);
    old_open(&old, OLD_EXTRA_EVENT);
    old_put(&old, 90, 8);
    old_put(&old, 1, 8);
    old_close(&old);
    old_pools(&old);
    old_checkpoint(&old);
    old_pool(&old, OLD_EXTRA_POOL, 1);
    old_put(&old, 1, 1);
    old_put(&old, 1, 8);
    old_close(&old);

    old.metadata = old.n;
    old_open(&old, 0);
    old_put(&old, 3, 4);
    old_producer(&old, NULL, 0);
    old_producer(&old, NULL, 0);

    old_put(&old, 2, 4);
    old_put(&old, 0, 6);
    old_put(&old, 0, 4);
    old_put(&old, 1, 4);
    old_struct(&old, &(old_struct_t) { { { "stackTrace", OLD_U8, 0 } } });
    old_put(&old, 1, 4);
    old_event_type(&old, OLD_EXTRA_EVENT, "vm/prof/execution_sample", 0, 0, 0);
    old_put(&old, 1, 4);
    old_content(&old, OLD_EXTRA_POOL, "StackTrace", OLD_U1, 0);

    old_tail(&old);
    old_end(&old);

    old_read(&old, &reading);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], 1);
    assert_int_equal(reading.report.counters[PYRO_JFR_EVENTS], 1);
    assert_int_equal(recording_total(&reading, "cpu"), SAMPLE_NS);
    pyro_arena_destroy(reading.arena);
}


/* What cannot be skipped costs the rest of its checkpoint, and no other. */
static void
undescribed_pools(void **state)
{
    (void) state;

    start();
    old_execution(&old, 1, 1);
    old_pools(&old);
    old_checkpoint(&old);
    old_pool(&old, 4711, 0);
    old_pool(&old, 4711, 1);
    old_put(&old, 1, 8);
    old_close(&old);
    old_metadata(&old, NULL, 0);
    expect(PYRO_OK, SAMPLE_NS, 0, 1);

    /* none of it */

    start();
    old_execution(&old, 1, 1);
    old_pools(&old);
    old_checkpoint(&old);
    old_pool(&old, 4711, 0);
    old_close(&old);
    old_metadata(&old, NULL, 0);
    expect(PYRO_OK, SAMPLE_NS, 1, 0);
}


/* One byte a frame would become five. */
static void
amplification(void **state)
{
    int                        i, n;
    size_t                     at;
    static const old_struct_t  extra[] = {
        { { { "method", OLD_U1, 0 } } },
        { { { "frames", OLD_STRUCTARRAY, OLD_EXTRA_STRUCT } } },
    };

    (void) state;

    for (n = 1000; n <= 200000; n += 199000) {
        start();
        old_execution(&old, 1, 1);
        old_pools(&old);
        old_checkpoint(&old);
        old_pool(&old, OLD_STACKS, 1);
        old_put(&old, 1, 8);
        old_put(&old, n, 4);

        for (i = 0; i < n; i++) {
            old_put(&old, 1, 1);
        }

        old_close(&old);
        at = old.n;
        old_metadata(&old, extra, 2);

        /* the pool of stacks has the second structure */

        for ( /* void */ ; at < old.n - 32; at++) {
            if (memcmp(old.data + at, "\0\12StackTrace\0\0", 14) == 0) {
                pyro_put_be32(old.data + at + 15, OLD_EXTRA_STRUCT + 1);
            }
        }

        /* the older checkpoint has such as it should, which is no sound one */

        if (n == 1000) {
            expect(PYRO_OK, SAMPLE_NS, 0, 1);

        } else {
            expect(PYRO_UNPROCESSABLE, 0, 0, 1);
        }
    }
}


/* Cut anywhere there is no metadata, and so nothing. */
static void
truncated(void **state)
{
    size_t         n;
    reading_t      reading;
    pyro_arena_t  *arena;
    pyro_slice_t   data;

    (void) state;

    arena = pyro_arena_create(0);
    data = recording_file(arena, "ap18-itimer", "recording.jfr.gz");
    assert_non_null(data.data);

    for (n = 0; n < data.len; n++) {
        recording_read(&reading, pyro_slice(data.data, n), pyro_slice(NULL, 0),
                       100);
        assert_int_equal(reading.status, PYRO_UNPROCESSABLE);
        assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS_BROKEN],
                         n >= 4);
        pyro_arena_destroy(reading.arena);
    }

    pyro_arena_destroy(arena);
}


static void
mutations(void **state)
{
    size_t         i;
    uint64_t       seed;
    const char    *names[] = { "ap18-resume", "jdk8" };
    pyro_arena_t  *arena;
    pyro_slice_t   data;

    (void) state;

    arena = pyro_arena_create(0);
    seed = 1;

    for (i = 0; i < 2; i++) {
        data = recording_file(arena, names[i], "recording.jfr.gz");
        recording_mutate(data, pyro_slice(NULL, 0), 1000, &seed);
    }

    pyro_arena_destroy(arena);
}


/* A profile without room is an answer, not a crash. */
static void
no_memory(void **state)
{
    (void) state;

    recording_without_room("jdk8", 64 * 1024);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(events),
        cmocka_unit_test(summary),
        cmocka_unit_test(settings),
        cmocka_unit_test(kind_unknown),
        cmocka_unit_test(missing_references),
        cmocka_unit_test(checkpoints),
        cmocka_unit_test(checkpoint_chains),
        cmocka_unit_test(headers),
        cmocka_unit_test(event_sizes),
        cmocka_unit_test(payload_past_its_size),
        cmocka_unit_test(huge_counts),
        cmocka_unit_test(strange_structures),
        cmocka_unit_test(deep_structures),
        cmocka_unit_test(other_values),
        cmocka_unit_test(duplicates),
        cmocka_unit_test(undescribed_pools),
        cmocka_unit_test(amplification),
        cmocka_unit_test(truncated),
        cmocka_unit_test(mutations),
        cmocka_unit_test(no_memory),
    };

    return unit_run(tests);
}
