#include "recording.h"

#include "core/base/rope.h"


static pyro_rope_t  rope;


static void
json_of(const reading_t *reading, const pyro_jfr_seen_t *seen)
{
    pyro_rope_init(&rope, 0);
    pyro_jfr_info_json(&reading->report, seen, &rope);
    pyro_rope_append(&rope, "", 1);
    assert_int_equal(rope.failed, 0);
}


static void
has(const char *text)
{
    if (strstr(rope.first->data, text) == NULL) {
        fail_msg("%s is not in %s", text, rope.first->data);
    }
}


static void
read_named(reading_t *reading, pyro_arena_t *arena, const char *name)
{
    recording_read(reading, recording_file(arena, name, "recording.jfr.gz"),
                   pyro_slice(NULL, 0), 100);
    assert_int_equal(reading->status, PYRO_OK);
}


static void
facts_of_async_profiler(void **state)
{
    reading_t         reading;
    pyro_arena_t     *arena;
    pyro_jfr_seen_t   seen = { PYRO_SLICE("shop \"1\""), PYRO_SLICE("javaspy"),
                               PYRO_SLICE("2.9.1"), 1700000000123000000 };

    (void) state;

    arena = pyro_arena_create(0);
    read_named(&reading, arena, "ap45-itimer-alloc-lock-live");
    json_of(&reading, &seen);

    has("{\"service\":\"shop \\\"1\\\"\","
        "\"lastSeen\":\"2023-11-14T22:13:20.123Z\",\"jvm\":{");
    has("\"jvm\":{\"name\":\"OpenJDK 64-Bit Server VM\","
        "\"version\":\"17.0.15+6-Debian-1deb12u1\"");
    has("\"os\":{\"version\":\"uname: Linux ");
    has("\"cpu\":\"AMD EPYC\",\"sockets\":1,\"cores\":2,\"threads\":2}");
    has("\"agent\":{\"spyName\":\"javaspy\",\"version\":\"2.9.1\","
        "\"recorder\":\"async-profiler 4.5.0.0\"}");
    has("\"settings\":{\"version\":\"4.5.0.0\",\"engine\":\"itimer\"");
    has("\"interval\":\"10000000\"");
    has("\"jdk.ThreadPark#enabled\":\"true\"");
    has("\"lost\":{}}");

    assert_true(reading.report.info.duration == 8029179000);
    assert_true(reading.report.info.start == 1795365503711858000);

    pyro_rope_free(&rope);
    pyro_arena_destroy(reading.arena);
    pyro_arena_destroy(arena);
}


static void
facts_of_the_jdk(void **state)
{
    reading_t         reading;
    pyro_arena_t     *arena;
    pyro_jfr_seen_t   seen;

    (void) state;

    memset(&seen, 0, sizeof(seen));

    arena = pyro_arena_create(0);
    read_named(&reading, arena, "jdk17-own");
    json_of(&reading, &seen);

    has("{\"jvm\":{\"name\"");
    has("\"arguments\":\"-XX:FlightRecorderOptions=repository=");
    has("\"mainClass\":\"Demo\",\"pid\":30813,\"started\":\"2026-11-22T16:39:4"
        "9.088Z\"}");
    has("\"agent\":{\"recorder\":\"demo\"}");
    has("\"jdk.ExecutionSample#period\":\"10 ms\"");
    has("\"lost\":{\"stack_missing\":2,\"stack_truncated\":198}}");

    pyro_rope_free(&rope);
    pyro_arena_destroy(reading.arena);
    pyro_arena_destroy(arena);
}


static void
nothing_is_known(void **state)
{
    reading_t        reading;
    pyro_jfr_seen_t  seen;

    (void) state;

    memset(&reading, 0, sizeof(reading));
    memset(&seen, 0, sizeof(seen));
    seen.time = -1;

    json_of(&reading, &seen);
    assert_string_equal(rope.first->data, "{\"jvm\":{},\"os\":{},\"agent\":{},"
                        "\"settings\":{},\"lost\":{}}");
    pyro_rope_free(&rope);
}


static void
losses(void **state)
{
    char                text[PYRO_JFR_LOSSES_MAX];
    uint32_t            i, n;
    pyro_jfr_report_t   report;

    (void) state;

    memset(&report, 0, sizeof(report));
    report.counters[PYRO_JFR_EVENTS] = 7;
    pyro_jfr_losses(&report, text);
    assert_string_equal(text, "");

    report.counters[PYRO_JFR_CHUNKS_BROKEN] = 1;
    report.counters[PYRO_JFR_STACK_MISSING] = 12;
    pyro_jfr_losses(&report, text);
    assert_string_equal(text, "1 chunks_broken, 12 stack_missing");

    /* all of them at their largest fit */

    for (i = 0, n = 0; i < PYRO_JFR_COUNTER_COUNT; i++) {
        report.counters[i] = UINT64_MAX;
        n += (uint32_t) pyro_jfr_counter_is_loss(i);
    }

    pyro_jfr_losses(&report, text);

    for (i = 0; text[i]; i++) {
        n -= text[i] == ' ' && text[i + 1] >= 'a';
    }

    assert_int_equal(n, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(facts_of_async_profiler),
        cmocka_unit_test(facts_of_the_jdk),
        cmocka_unit_test(nothing_is_known),
        cmocka_unit_test(losses),
    };

    return unit_run(tests);
}
