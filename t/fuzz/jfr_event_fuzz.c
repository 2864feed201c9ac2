/*
 * Events of all kinds over sound types and pools, and what becomes of them.
 *
 * The input is events, each the number of its type and a byte with its length
 * before it.
 */

#include "profile_check.h"
#include "jfr_make.h"

#include "jfr/jfr.h"


#define FUZZ_TAGS    " contextId:12 spanId:12 spanName:12"
#define FUZZ_TRACED  FUZZ_TAGS " traceIdHi:12 traceIdLo:12"
#define FUZZ_FIRST   40
#define FUZZ_EVENTS  20
#define FUZZ_BUDGET  (64 * 1024 * 1024)

#define FUZZ_TYPES                                                            \
    JFR_MAKE_TYPES                                                            \
    "jdk.ExecutionSample:40 startTime:12 stackTrace:23* state:25*"            \
    FUZZ_TRACED "\n"                                                          \
    "profiler.WallClockSample:41 startTime:12 stackTrace:23* state:25* "      \
    "samples:11" FUZZ_TAGS "\n"                                               \
    "jdk.CPUTimeSample:42 stackTrace:23* failed:10 samplingPeriod:12\n"       \
    "jdk.ObjectAllocationInNewTLAB:43 stackTrace:23* tlabSize:12" FUZZ_TAGS   \
    "\n"                                                                      \
    "jdk.ObjectAllocationOutsideTLAB:44 stackTrace:23* allocationSize:12"     \
    FUZZ_TAGS "\n"                                                            \
    "jdk.ObjectAllocationSample:45 stackTrace:23* weight:12\n"                \
    "jdk.JavaMonitorEnter:46 duration:12 stackTrace:23*" FUZZ_TAGS "\n"       \
    "jdk.ThreadPark:47 duration:12 stackTrace:23*" FUZZ_TAGS "\n"             \
    "profiler.LiveObject:48 stackTrace:23*\n"                                 \
    "profiler.Malloc:49 stackTrace:23* size:12\n"                             \
    "jdk.CPUTimeSamplesLost:50 lostSamples:11\n"                              \
    "jdk.DataLoss:51 amount:12\n"                                             \
    "jdk.ActiveSetting:52 id:12 name:13 value:13\n"                           \
    "jdk.JVMInformation:53 jvmName:13 jvmVersion:13 jvmArguments:13 "         \
    "javaArguments:13 jvmStartTime:12 pid:12\n"                               \
    "jdk.OSInformation:54 osVersion:13\n"                                     \
    "jdk.CPUInformation:55 cpu:13 description:13 sockets:11 cores:11 "        \
    "hwThreads:11\n"                                                          \
    "jdk.ActiveRecording:56 id:12 name:13\n"                                  \
    "a.Other:57 inner:23 all:25[]\n"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void pools(jfr_make_t *m);
static size_t events(jfr_make_t *m, const uint8_t *data, size_t size);
static void check(const pyro_jfr_report_t *report, size_t n);


static const char  snapshot[] =
    "\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x01"          /* 1: empty value */
    "\x0a\x0a\x08\x02\x12\x06\x0a\x04\x08\x01\x10\x02"  /* 2: a=b */
    "\x0a\x0a\x08\x03\x12\x06\x0a\x04\x08\x03\x10\x04"  /* 3: profile_id */
    "\x12\x05\x08\x01\x12\x01" "a"
    "\x12\x05\x08\x02\x12\x01" "b"
    "\x12\x0e\x08\x03\x12\x0a" "profile_id"
    "\x12\x14\x08\x04\x12\x10" "00000000000000ff";


/* Stacks 1 to 3: a method, none, one that is missing; states 1 to 3. */
static void
pools(jfr_make_t *m)
{
    jfr_make_checkpoint(m);
    jfr_make_varint(m, 6);
    jfr_make_bytes(m, "\x0d\2\1\3\5event\2\3\4wall", 17);
    jfr_make_bytes(m, "\x16\2\1\3\3App\2\2\1", 11);
    jfr_make_bytes(m, "\x14\1\1\1", 4);
    jfr_make_bytes(m, "\x15\1\1\1\2", 5);
    jfr_make_bytes(m, "\x17\3\1\0\1\1\7\2\1\0\3\0\1\x63\1", 15);
    jfr_make_bytes(m, "\x19\3\1", 3);
    jfr_make_text(m, "STATE_RUNNABLE", 14);
    jfr_make_bytes(m, "\2", 1);
    jfr_make_text(m, "STATE_SLEEPING", 14);
    jfr_make_bytes(m, "\3\2\2", 3);
    jfr_make_close(m);
}


static size_t
events(jfr_make_t *m, const uint8_t *data, size_t size)
{
    size_t        n;
    uint64_t      type;
    pyro_slice_t  record;

    for (n = 0; size > 1; n++) {
        type = FUZZ_FIRST + *data % FUZZ_EVENTS;
        data++;
        size--;
        record = jfr_make_record(&data, &size);

        jfr_make_open(m, type);
        jfr_make_bytes(m, record.data, record.len);
        jfr_make_close(m);
    }

    return n;
}


/* No more of anything than there are events. */
static void
check(const pyro_jfr_report_t *report, size_t n)
{
    size_t  i;

    static const pyro_jfr_counter_e  counters[] = {
        PYRO_JFR_EVENTS, PYRO_JFR_EVENTS_BROKEN, PYRO_JFR_STATE_UNKNOWN,
        PYRO_JFR_VALUE_NEGATIVE, PYRO_JFR_CPU_TIME_SAMPLES,
        PYRO_JFR_LABELS_FOLDED,
    };

    for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        FUZZ_CHECK(report->counters[counters[i]] <= n);
    }

    FUZZ_CHECK(report->counters[PYRO_JFR_CHUNKS] == 1);
    FUZZ_CHECK(report->counters[PYRO_JFR_CHUNKS_BROKEN] == 0);
    FUZZ_CHECK(report->counters[PYRO_JFR_STACK_TRUNCATED] <= 1);
    FUZZ_CHECK(report->info.n_settings <= PYRO_JFR_INFO_SETTINGS);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                n;
    jfr_make_t            m;
    pyro_error_t          err;
    pyro_arena_t         *arena;
    pyro_profile_t       *profile;
    pyro_status_e         status;
    pyro_labels_t         labels = { NULL, 0 };
    pyro_jfr_report_t     report;
    pyro_jfr_options_t    options;
    pyro_label_limits_t   limits = { 30, 1024, 2048 };

    memset(&options, 0, sizeof(options));
    options.cpu = size ? data[0] % 3 : 0;
    options.sample_rate = 100;
    options.labels = pyro_slice(snapshot, sizeof(snapshot) - 1);

    jfr_make_begin(&m);
    jfr_make_metadata(&m, FUZZ_TYPES);
    pools(&m);
    n = size ? events(&m, data + 1, size - 1) : 0;

    arena = pyro_arena_create(FUZZ_BUDGET);
    profile = arena != NULL ? pyro_profile_create(arena) : NULL;

    if (profile != NULL) {
        status = pyro_jfr_read(jfr_make_end(&m), &options, profile, &report,
                               &err);
        FUZZ_CHECK(status == PYRO_OK || report.counters[PYRO_JFR_EVENTS_BROKEN]
                   || pyro_arena_exhausted(arena));
        check(&report, n);

        if (status == PYRO_OK
            && pyro_profile_finish(profile, &labels, &limits, &err)
               == PYRO_OK)
        {
            profile_check(profile);
        }

        FUZZ_CHECK(pyro_arena_used(arena) <= FUZZ_BUDGET);
    }

    pyro_arena_destroy(arena);
    free(m.data);

    return 0;
}
