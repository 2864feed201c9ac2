#include "unit.h"

#include "cli/jfrcat_summary.h"


static void
check_text(pyro_rope_t *rope, const char *expected)
{
    assert_int_equal(rope->failed, 0);
    assert_int_equal(rope->size, strlen(expected));
    pyro_rope_append(rope, "", 1);
    assert_string_equal(rope->first->data, expected);
    pyro_rope_free(rope);
}


static void
a_chunk_with_its_events(void **state)
{
    pyro_rope_t               rope;
    pyro_jfr_chunk_summary_t  chunk;
    pyro_jfr_event_count_t    events[] = {
        { PYRO_SLICE("<metadata>"), 1 },
        { PYRO_SLICE("jdk.\x1b[2JExecution\nSample"), 4294967296 },
    };

    (void) state;

    memset(&chunk, 0, sizeof(chunk));
    chunk.offset = 68;
    chunk.size = 449659;
    chunk.major = 2;
    chunk.minor = 1;
    chunk.start = 1700000000123456789;
    chunk.duration = 5000000007;
    chunk.frequency = 1000000000;
    chunk.checkpoints = 37;
    chunk.events = events;
    chunk.n_events = 2;

    pyro_rope_init(&rope, 0);
    pyro_jfrcat_chunk(&rope, 3, &chunk);
    check_text(&rope,
        "chunk 3\n"
        "  offset         68\n"
        "  size           449659 bytes\n"
        "  version        2.1\n"
        "  state          sound\n"
        "  start          2023-11-14T22:13:20.123Z\n"
        "  duration       5.000000007 s\n"
        "  clock          1000000000 ticks/s\n"
        "  checkpoints    37\n"
        "  events         4294967297\n"
        "             1  <metadata>\n"
        "    4294967296  jdk.?[2JExecution?Sample\n");
}


/* Numbers of a damaged file are anything. */
static void
a_damaged_chunk(void **state)
{
    pyro_rope_t               rope;
    pyro_jfr_chunk_summary_t  chunk;

    (void) state;

    memset(&chunk, 0, sizeof(chunk));
    chunk.start = INT64_MIN;
    chunk.duration = -1;
    chunk.frequency = INT64_MIN;
    chunk.unfinished = 1;
    chunk.broken = 1;

    pyro_rope_init(&rope, 0);
    pyro_jfrcat_chunk(&rope, 0, &chunk);
    check_text(&rope,
        "chunk 0\n"
        "  offset         0\n"
        "  size           0 bytes\n"
        "  version        0.0\n"
        "  state          damaged, unfinished\n"
        "  clock          -9223372036854775808 ticks/s\n"
        "  checkpoints    0\n"
        "  events         0\n");
}


static void
a_report_with_facts(void **state)
{
    pyro_rope_t              rope;
    pyro_jfr_info_t         *info;
    pyro_jfr_report_t        report;
    pyro_jfr_info_setting_t  settings[] = {
        { PYRO_SLICE("interval"), PYRO_SLICE("20ms"), 0 },
        { PYRO_SLICE("jdk.ExecutionSample#period"), PYRO_SLICE(""), 0 },
    };

    (void) state;

    memset(&report, 0, sizeof(report));
    strcpy(report.event, "itimer");
    strcpy(report.engine, "ctimer");
    strcpy(report.problem, "chunk at byte 7: bad metadata");
    report.counters[PYRO_JFR_CHUNKS] = 2;
    report.counters[PYRO_JFR_CHUNKS_BROKEN] = 1;
    report.counters[PYRO_JFR_EVENTS] = 1000;
    report.counters[PYRO_JFR_CPU_TIME_SAMPLES] = 8;
    report.counters[PYRO_JFR_STACK_MISSING] = 5;

    info = &report.info;
    info->start = 1700000000000000000;
    info->duration = 1;
    info->recorder = PYRO_SLICE("async-profiler 4.5.0.0");
    info->jvm_name = PYRO_SLICE("OpenJDK");
    info->jvm_version = PYRO_SLICE("17");
    info->jvm_arguments = PYRO_SLICE("-Xmx1g");
    info->main_class = PYRO_SLICE("Shop");
    info->jvm_started = 1700000000001;
    info->pid = 12;
    info->os = PYRO_SLICE("Linux");
    info->cpu = PYRO_SLICE("x");
    info->sockets = 1;
    info->cores = 2;
    info->threads = 4;
    info->settings = settings;
    info->n_settings = 2;

    pyro_rope_init(&rope, 0);
    pyro_jfrcat_report(&rope, &report);
    check_text(&rope,
        "recording\n"
        "  chunks         2\n"
        "  sample events  1000\n"
        "  event          itimer\n"
        "  engine         ctimer\n"
        "  start          2023-11-14T22:13:20.000Z\n"
        "  duration       0.000000001 s\n"
        "  recorder       async-profiler 4.5.0.0\n"
        "  JVM            OpenJDK\n"
        "  JVM version    17\n"
        "  JVM arguments  -Xmx1g\n"
        "  JVM started    2023-11-14T22:13:20.001Z\n"
        "  main class     Shop\n"
        "  process id     12\n"
        "  OS             Linux\n"
        "  CPU            x\n"
        "  processors     4 threads, 2 cores, 1 sockets\n"
        "  lost           1 chunks_broken, 5 stack_missing\n"
        "  problem        chunk at byte 7: bad metadata\n"
        "settings\n"
        "  interval=20ms\n"
        "  jdk.ExecutionSample#period=\n");
}


static void
a_report_without_facts(void **state)
{
    pyro_rope_t         rope;
    pyro_jfr_report_t   report;

    (void) state;

    memset(&report, 0, sizeof(report));
    report.info.jvm_started = INT64_MIN;

    pyro_rope_init(&rope, 0);
    pyro_jfrcat_report(&rope, &report);
    check_text(&rope,
        "recording\n"
        "  chunks         0\n"
        "  sample events  0\n"
        "  lost           nothing\n");

    report.info.jvm_started = INT64_MAX;
    pyro_jfrcat_report(&rope, &report);
    pyro_rope_free(&rope);
}


/* Longer than the piece that is cleaned at a time, cut between characters. */
static void
a_long_text_is_whole(void **state)
{
    char               *text;
    size_t              i, len;
    pyro_rope_t         rope;
    pyro_jfr_report_t   report;

    (void) state;

    len = 3 * 2200;
    text = malloc(len);
    assert_non_null(text);

    for (i = 0; i < len; i += 3) {
        memcpy(text + i, "\xe2\x82\xac", 3);
    }

    memset(&report, 0, sizeof(report));
    report.info.main_class = pyro_slice(text, len);

    pyro_rope_init(&rope, 0);
    pyro_jfrcat_report(&rope, &report);
    assert_in_range(rope.size, len + 17, len + 200);
    assert_null(memchr(rope.first->data, '?', rope.first->len));
    assert_null(memchr(rope.last->data, '?', rope.last->len));

    pyro_rope_free(&rope);
    free(text);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_chunk_with_its_events),
        cmocka_unit_test(a_damaged_chunk),
        cmocka_unit_test(a_report_with_facts),
        cmocka_unit_test(a_report_without_facts),
        cmocka_unit_test(a_long_text_is_whole),
    };

    return unit_run(tests);
}
