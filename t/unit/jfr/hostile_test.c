#include "craft.h"


#define SAMPLE_NS  10000000


static craft_t  craft;


static void
start(void)
{
    memset(&craft, 0, sizeof(craft));
}


/* Reads the crafted bytes; the arena is gone afterwards. */
static void
expect(pyro_status_e status, uint64_t cpu, uint64_t chunks, uint64_t broken)
{
    reading_t  reading;

    craft_read(&craft, &reading);

    assert_int_equal(reading.status, status);
    assert_int_equal(recording_total(&reading, "cpu"), cpu);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], chunks);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS_BROKEN], broken);
    assert_true(status == PYRO_OK || reading.err.message[0]);
    assert_true(broken == 0 || reading.report.problem[0]);

    pyro_arena_destroy(reading.arena);
}


static void
not_a_recording(void **state)
{
    (void) state;

    start();
    expect(PYRO_UNPROCESSABLE, 0, 0, 0);

    memcpy(craft.data, "FLR", 4);
    craft.n = 3;
    expect(PYRO_UNPROCESSABLE, 0, 0, 0);

    craft.n = 40;
    expect(PYRO_UNPROCESSABLE, 0, 0, 1);

    start();
    craft_chunk(&craft, 1);
    expect(PYRO_OK, SAMPLE_NS, 1, 0);
    craft.data[0] = 0;
    expect(PYRO_UNPROCESSABLE, 0, 0, 0);
}


static void
sound_without_samples(void **state)
{
    (void) state;

    start();
    craft_chunk(&craft, 0);
    expect(PYRO_OK, 0, 1, 0);
}


/* Of three chunks the second has a broken header; what can be had is had. */
static void
headers(void **state)
{
    size_t           i, second;
    uint8_t         *p;
    static craft_t   good;

    static const struct {
        size_t        at;
        uint64_t      value;
        int           samples;          /* of the seven */
    } cases[] = {
        { 8, 0, 7 }, { 8, 67, 7 }, { 8, UINT64_MAX, 7 }, { 8, 1 << 30, 7 },
        { 16, 0, 7 }, { 16, 67, 7 }, { 16, UINT64_MAX, 7 }, { 16, 1 << 30, 7 },
        { 24, 0, 7 }, { 24, 67, 7 }, { 24, UINT64_MAX, 7 }, { 24, 1 << 30, 7 },
        { 24, 69, 7 }, { 16, 69, 7 }, { 4, 0x0000000900000000, 5 },
        { 4, 0x0003000000000000, 5 }, { 0, 0x464c520100020000, 5 },
    };

    (void) state;

    memset(&good, 0, sizeof(good));
    craft_chunk(&good, 1);
    second = good.n;
    craft_chunk(&good, 2);
    craft_chunk(&good, 4);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        craft = good;
        p = craft.data + second;
        pyro_put_be64(p + cases[i].at, cases[i].value);

        expect(PYRO_OK, (uint64_t) SAMPLE_NS * cases[i].samples, 2, 1);
    }

    /* equal offsets: the metadata is no checkpoint */

    craft = good;
    memcpy(craft.data + 16, craft.data + 24, 8);
    expect(PYRO_OK, SAMPLE_NS * 7, 2, 1);

    /* bytes between two chunks and behind the last one */

    craft = good;
    memmove(craft.data + second + 5, craft.data + second, craft.n - second);
    memcpy(craft.data + second, "FLR\0x", 5);
    craft.n += 5;
    expect(PYRO_OK, SAMPLE_NS * 7, 3, 1);

    craft = good;
    craft_byte(&craft, 'F');
    expect(PYRO_OK, SAMPLE_NS * 7, 3, 1);

    /* a chunk that is still being written is valid up to its size */

    craft.data[good.start + 64] = 6;
    expect(PYRO_OK, SAMPLE_NS * 7, 3, 0);

    /* JDK 9's and 10's number */

    craft = good;
    pyro_put_be32(craft.data + second + 4, 0x00010000);
    expect(PYRO_OK, SAMPLE_NS * 7, 3, 0);
}


/* Cut anywhere: what lies before the cut, as far as its pools do. */
static void
truncated(void **state)
{
    size_t          n, second, pools;
    static craft_t  good;

    (void) state;

    memset(&good, 0, sizeof(good));
    craft_chunk(&good, 1);
    second = good.n;

    /* pools in front of two of the four samples, as the JDK may write them */

    craft_begin(&good);
    craft_metadata(&good, NULL, 0);
    craft_execution(&good, 1, 1);
    craft_execution(&good, 1, 1);
    craft_pools(&good);
    pools = good.n;
    craft_execution(&good, 1, 1);
    craft_execution(&good, 1, 1);
    craft_end(&good);

    for (n = second + 1; n < good.n; n += 1) {
        craft = good;
        craft.n = n;

        expect(PYRO_OK, (uint64_t) SAMPLE_NS
                        * (n < pools ? 1 : 3 + (n - pools) * 2
                                               / (good.n - pools)), 1, 1);
    }
}


/* A broken event size hides no later chunk, whatever the header says. */
static void
swallowed(void **state)
{
    size_t    first, second;
    uint8_t  *p;

    (void) state;

    start();
    craft_begin(&craft);
    craft_metadata(&craft, NULL, 0);
    craft_execution(&craft, 1, 1);
    first = craft.n;
    craft_execution(&craft, 1, 1);
    craft_pools(&craft);
    craft_end(&craft);
    second = craft.n;
    craft_chunk(&craft, 4);

    /* the first chunk claims the second one's bytes too */

    memset(craft.data + first, 0, 4);
    p = craft.data + 8;
    pyro_put_be64(p, craft.n);
    expect(PYRO_OK, SAMPLE_NS * 5, 1, 1);

    pyro_put_be64(p, second);
    expect(PYRO_OK, SAMPLE_NS * 5, 1, 1);
}


static void
clock_without_frequency(void **state)
{
    reading_t  reading;

    (void) state;

    start();
    craft_begin(&craft);
    craft_metadata(&craft, NULL, 0);
    craft_execution(&craft, 1, 1);
    craft_open(&craft, CRAFT_MONITOR);
    craft_varint(&craft, 1);
    craft_varint(&craft, 3);
    craft_varint(&craft, 1);
    craft_close(&craft);
    craft_open(&craft, CRAFT_MONITOR);
    craft_varint(&craft, 1);
    craft_varint(&craft, UINT64_MAX);
    craft_varint(&craft, 1);
    craft_close(&craft);
    craft_open(&craft, CRAFT_MONITOR);
    craft_varint(&craft, 1);
    craft_varint(&craft, INT64_MAX);
    craft_varint(&craft, 1);
    craft_close(&craft);
    craft_pools(&craft);
    craft_end(&craft);

    /* 3 ticks of 0.5 ns are 1 ns; a negative duration is none */

    craft_read(&craft, &reading);
    assert_int_equal(recording_total(&reading, "delay"), INT64_MAX / 2 + 1);
    assert_int_equal(recording_total(&reading, "contentions"), 2);
    assert_int_equal(reading.report.counters[PYRO_JFR_VALUE_NEGATIVE], 1);
    pyro_arena_destroy(reading.arena);

    pyro_put_be64(craft.data + 56, 1);
    craft_read(&craft, &reading);
    assert_int_equal(recording_total(&reading, "delay"), INT64_MAX);
    pyro_arena_destroy(reading.arena);

    pyro_put_be64(craft.data + 56, 0);
    craft_read(&craft, &reading);
    assert_int_equal(reading.status, PYRO_OK);
    assert_int_equal(recording_total(&reading, "contentions"), 0);
    assert_int_equal(recording_total(&reading, "cpu"), SAMPLE_NS);
    assert_int_equal(reading.report.counters[PYRO_JFR_EVENTS_BROKEN], 2);
    pyro_arena_destroy(reading.arena);
}


static void
event_sizes(void **state)
{
    size_t          first;
    static craft_t  good;

    (void) state;

    memset(&good, 0, sizeof(good));
    craft_begin(&good);
    craft_metadata(&good, NULL, 0);
    craft_execution(&good, 1, 1);
    first = good.n;
    craft_execution(&good, 1, 1);
    craft_execution(&good, 1, 1);
    craft_pools(&good);
    craft_end(&good);

    /* zero, shorter than its own head, beyond the chunk, top bit set */

    craft = good;
    memset(craft.data + first, 0, 4);
    expect(PYRO_OK, SAMPLE_NS, 0, 1);

    craft = good;
    craft.data[first] = 0x82;
    expect(PYRO_OK, SAMPLE_NS, 0, 1);

    craft = good;
    craft.data[first + 2] = 0xff;
    expect(PYRO_OK, SAMPLE_NS, 0, 1);

    craft = good;
    memset(craft.data + first, 0x80, 9);
    expect(PYRO_OK, SAMPLE_NS, 0, 1);

    craft = good;
    memset(craft.data + 68, 0x80, 9);
    expect(PYRO_UNPROCESSABLE, 0, 0, 1);
}


static void
payload_past_its_size(void **state)
{
    reading_t  reading;

    (void) state;

    start();
    craft_begin(&craft);
    craft_metadata(&craft, NULL, 0);
    craft_open(&craft, CRAFT_EXECUTION);
    craft_varint(&craft, 1);
    craft_close(&craft);
    craft_execution(&craft, 1, 1);
    craft_open(&craft, CRAFT_EXECUTION);
    craft_varint(&craft, 1);
    craft_varint(&craft, 1);
    craft_varint(&craft, 1);
    craft_varint(&craft, 12345);
    craft_close(&craft);
    craft_pools(&craft);
    craft_end(&craft);

    craft_read(&craft, &reading);
    assert_int_equal(recording_total(&reading, "cpu"), 2 * SAMPLE_NS);
    assert_int_equal(reading.report.counters[PYRO_JFR_EVENTS_BROKEN], 1);
    assert_int_equal(reading.report.counters[PYRO_JFR_CHUNKS], 1);
    pyro_arena_destroy(reading.arena);
}


static void
missing_references(void **state)
{
    uint64_t   *counters;
    reading_t   reading;

    (void) state;

    start();
    craft_begin(&craft);
    craft_metadata(&craft, NULL, 0);
    craft_execution(&craft, 0, 1);
    craft_execution(&craft, 99, 1);
    craft_execution(&craft, 1, 0);
    craft_execution(&craft, 2, 1);
    craft_execution(&craft, 3, 1);
    craft_checkpoint(&craft, 0, 4);

    /* stack 1 has a method that is not there, 2 one without a class */

    craft_varint(&craft, CRAFT_STACK);
    craft_varint(&craft, 3);
    craft_varint(&craft, 1);
    craft_byte(&craft, 0);
    craft_varint(&craft, 0);
    craft_varint(&craft, 2);
    craft_byte(&craft, 1);
    craft_varint(&craft, 2);
    craft_varint(&craft, UINT64_MAX);
    craft_varint(&craft, 5);
    craft_varint(&craft, 1);
    craft_varint(&craft, 5);
    craft_varint(&craft, 3);
    craft_byte(&craft, 0);
    craft_varint(&craft, 1);
    craft_varint(&craft, 2);
    craft_varint(&craft, 0xffffffff);

    craft_varint(&craft, CRAFT_METHOD);
    craft_varint(&craft, 2);
    craft_varint(&craft, 1);
    craft_varint(&craft, 77);
    craft_varint(&craft, 77);
    craft_varint(&craft, 2);
    craft_varint(&craft, 1);
    craft_varint(&craft, 77);

    craft_varint(&craft, CRAFT_CLASS);
    craft_varint(&craft, 1);
    craft_varint(&craft, 1);
    craft_varint(&craft, 77);

    craft_varint(&craft, CRAFT_STATE);
    craft_varint(&craft, 1);
    craft_varint(&craft, 1);
    craft_text(&craft, "STATE_RUNNABLE");
    craft_close(&craft);
    craft_end(&craft);

    craft_read(&craft, &reading);
    counters = reading.report.counters;

    assert_int_equal(reading.status, PYRO_OK);
    assert_int_equal(recording_total(&reading, "cpu"), 2 * SAMPLE_NS);
    assert_int_equal(counters[PYRO_JFR_STACK_MISSING], 2);
    assert_int_equal(counters[PYRO_JFR_STATE_UNKNOWN], 1);
    assert_int_equal(counters[PYRO_JFR_METHOD_MISSING], 2);
    assert_int_equal(counters[PYRO_JFR_STACK_TRUNCATED], 1);
    assert_int_not_equal(pyro_intern_find(&reading.profile->strings,
                                          PYRO_SLICE("[unknown]")), PYRO_NONE);

    /* no symbols at all: the dot stays; line -1 is unknown */

    assert_int_not_equal(pyro_intern_find(&reading.profile->strings,
                                          PYRO_SLICE(".")), PYRO_NONE);
    pyro_arena_destroy(reading.arena);
}


/* Pools that say more than is there; what came before them counts. */
static void
huge_counts(void **state)
{
    size_t    i;
    uint64_t  n;

    static const uint64_t  counts[] = {
        1000, 1 << 20, UINT32_MAX, 1ULL << 62, UINT64_MAX
    };

    (void) state;

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        n = counts[i];

        start();
        craft_begin(&craft);
        craft_metadata(&craft, NULL, 0);
        craft_execution(&craft, 1, 1);
        craft_checkpoint(&craft, 0, 1);
        craft_varint(&craft, CRAFT_STACK);
        craft_varint(&craft, n);
        craft_close(&craft);
        craft_end(&craft);
        expect(PYRO_UNPROCESSABLE, 0, 0, 1);

        start();
        craft_begin(&craft);
        craft_metadata(&craft, NULL, 0);
        craft_checkpoint(&craft, 0, 1);
        craft_varint(&craft, CRAFT_STACK);
        craft_varint(&craft, 1);
        craft_varint(&craft, 1);
        craft_byte(&craft, 0);
        craft_varint(&craft, n);
        craft_close(&craft);
        craft_end(&craft);
        expect(PYRO_UNPROCESSABLE, 0, 0, 1);

        start();
        craft_begin(&craft);
        craft_metadata(&craft, NULL, 0);
        craft_checkpoint(&craft, 0, 1);
        craft_varint(&craft, CRAFT_SYMBOL);
        craft_varint(&craft, 1);
        craft_varint(&craft, 1);
        craft_byte(&craft, 3 + i % 3);
        craft_varint(&craft, n);
        craft_close(&craft);
        craft_end(&craft);
        expect(PYRO_UNPROCESSABLE, 0, 0, 1);

        start();
        craft_begin(&craft);
        craft.metadata = craft.n;
        craft_open(&craft, 0);
        craft_varint(&craft, 0);
        craft_varint(&craft, 0);
        craft_varint(&craft, 0);
        craft_varint(&craft, n);
        craft_close(&craft);
        craft_checkpoint(&craft, 0, 0);
        craft_close(&craft);
        craft_end(&craft);
        expect(PYRO_UNPROCESSABLE, 0, 0, 1);
    }
}


static void
checkpoint_chains(void **state)
{
    size_t  i;

    static const int64_t  deltas[] = {
        1, 1000, -1, -1000000, INT64_MIN, INT64_MAX
    };

    (void) state;

    for (i = 0; i < sizeof(deltas) / sizeof(deltas[0]); i++) {
        start();
        craft_begin(&craft);
        craft_metadata(&craft, NULL, 0);
        craft_execution(&craft, 1, 1);
        craft_pools(&craft);
        craft_checkpoint(&craft, deltas[i], 0);
        craft_close(&craft);
        craft_end(&craft);
        expect(PYRO_OK, SAMPLE_NS, 0, 1);
    }

    /* to the one before, which is sound */

    start();
    craft_begin(&craft);
    craft_metadata(&craft, NULL, 0);
    craft_execution(&craft, 1, 1);
    craft_pools(&craft);
    i = craft.checkpoint;
    craft_checkpoint(&craft, (int64_t) i - (int64_t) craft.n, 0);
    craft_close(&craft);
    craft_end(&craft);
    expect(PYRO_OK, SAMPLE_NS, 1, 0);

    /* to an event that is none */

    start();
    craft_begin(&craft);
    craft_metadata(&craft, NULL, 0);
    craft_execution(&craft, 1, 1);
    craft_pools(&craft);
    craft_end(&craft);
    pyro_put_be64(craft.data + 16, craft.metadata);
    expect(PYRO_OK, SAMPLE_NS, 0, 1);
}


/* A class inside itself, arrays of nothing, a type that is not described. */
static void
strange_types(void **state)
{
    size_t  i;

    static const craft_class_t  strange[] = {
        { "a.Self", CRAFT_EXTRA,
          { { "self", CRAFT_EXTRA, 0, 0 }, { "x", CRAFT_INT, 0, 0 } } },
        { "a.Nothing", CRAFT_EXTRA + 1, { { NULL, 0, 0, 0 } } },
        { "a.Nothings", CRAFT_EXTRA + 2,
          { { "all", CRAFT_EXTRA + 1, 0, 1 } } },
        { "a.Selves", CRAFT_EXTRA + 3, { { "all", CRAFT_EXTRA + 3, 0, 1 } } },
        { "a.Other", CRAFT_EXTRA + 4, { { "x", 9999, 0, 0 } } },
        { "a.OnlySelf", CRAFT_EXTRA + 5,
          { { "self", CRAFT_EXTRA + 5, 0, 0 } } },
        { "again", CRAFT_EXTRA, { { NULL, 0, 0, 0 } } },
    };

    (void) state;

    for (i = 0; i < 6; i++) {
        start();
        craft_begin(&craft);
        craft_metadata(&craft, strange, 7);
        craft_execution(&craft, 1, 1);
        craft_open(&craft, CRAFT_EXTRA + i);
        craft_close(&craft);
        craft_pools(&craft);
        craft.n = craft.start + craft.checkpoint;

        /* the same pools, with one of this type first */

        craft_checkpoint(&craft, 0, 1);
        craft_varint(&craft, CRAFT_EXTRA + i);
        craft_varint(&craft, 1);
        memset(craft.data + craft.n, 1, 64);
        craft.n += 64;
        craft_close(&craft);
        craft_end(&craft);
        expect(PYRO_UNPROCESSABLE, 0, 0, 1);
    }

    /* events of such types are only skipped */

    start();
    craft_begin(&craft);
    craft_metadata(&craft, strange, 7);
    craft_execution(&craft, 1, 1);

    for (i = 0; i < 8; i++) {
        craft_open(&craft, CRAFT_EXTRA + i);
        craft_close(&craft);
    }

    craft_pools(&craft);
    craft_end(&craft);
    expect(PYRO_OK, SAMPLE_NS, 1, 0);
}


/* A tree of 1000 elements inside each other. */
static void
deep_metadata(void **state)
{
    int  i;

    (void) state;

    start();
    craft_begin(&craft);
    craft.metadata = craft.n;
    craft_open(&craft, 0);
    craft_varint(&craft, 0);
    craft_varint(&craft, 0);
    craft_varint(&craft, 0);
    craft_varint(&craft, 1);
    craft_text(&craft, "class");

    for (i = 0; i < 1000; i++) {
        craft_varint(&craft, 0);
        craft_varint(&craft, 0);
        craft_varint(&craft, 1);
    }

    craft_close(&craft);
    craft_checkpoint(&craft, 0, 0);
    craft_close(&craft);
    craft_end(&craft);
    expect(PYRO_UNPROCESSABLE, 0, 0, 1);
}


/* Every event costs itself alone, whatever is cut or turned over. */
static void
mutations(void **state)
{
    size_t         i, n;
    uint64_t       seed;
    reading_t      reading;
    const char    *names[] = { "nativemem", "new_spancontext" };
    pyro_arena_t  *arena;
    pyro_slice_t   data, labels;

    (void) state;

    arena = pyro_arena_create(0);
    seed = 1;

    for (i = 0; i < 2; i++) {
        data = recording_file(arena, names[i], "recording.jfr.gz");
        labels = recording_file(arena, names[i], "labels.pb.gz");

        for (n = 0; n < data.len; n += 1 + data.len / 100) {
            recording_read(&reading, pyro_slice(data.data, n), labels, 100);
            assert_int_equal(reading.status, PYRO_UNPROCESSABLE);
            pyro_arena_destroy(reading.arena);
        }

        recording_mutate(data, labels, 500, &seed);
    }

    pyro_arena_destroy(arena);
}


/* A profile without room is an answer, not a crash. */
static void
no_memory(void **state)
{
    (void) state;

    recording_without_room("cortex-dev-01__kafka-0__cpu__0", 128 * 1024);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(not_a_recording),
        cmocka_unit_test(sound_without_samples),
        cmocka_unit_test(headers),
        cmocka_unit_test(truncated),
        cmocka_unit_test(swallowed),
        cmocka_unit_test(clock_without_frequency),
        cmocka_unit_test(event_sizes),
        cmocka_unit_test(payload_past_its_size),
        cmocka_unit_test(missing_references),
        cmocka_unit_test(huge_counts),
        cmocka_unit_test(checkpoint_chains),
        cmocka_unit_test(strange_types),
        cmocka_unit_test(deep_metadata),
        cmocka_unit_test(mutations),
        cmocka_unit_test(no_memory),
    };

    return unit_run(tests);
}
