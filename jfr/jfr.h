/*
 * The JFR reader's whole interface: one recording into one profile.
 *
 * The recording is a contiguous range of raw (inflated) bytes, one or more
 * chunks of versions 0.9 to 2.x.  Nothing of it is copied but the strings that
 * samples need.  One thread; memory comes from the profile's arena and from a
 * scratch arena that ends with each chunk.
 *
 * Format: reference "JFR File Format"; events and their meaning: README,
 * "What a recording becomes".
 */

#ifndef _PYRO_JFR_H_INCLUDED_
#define _PYRO_JFR_H_INCLUDED_


#include "core/model/profile.h"
#include "jfr/jfr_info.h"


/*
 * What was read and what was not; each is a counter in /metrics.  The last
 * column is 1 for what is not there in the samples.
 */

#define PYRO_JFR_COUNTERS(X)                                                  \
    X(CHUNKS,            "chunks",            0)    /* read to their end */   \
    X(CHUNKS_BROKEN,     "chunks_broken",     1)    /* cut off or damaged */  \
    X(EVENTS,            "events",            0)    /* of the kinds mapped */ \
    X(EVENTS_BROKEN,     "events_broken",     1)    /* past their size */     \
    X(STACK_MISSING,     "stack_missing",     1)    /* sample dropped */      \
    X(METHOD_MISSING,    "method_missing",    1)    /* frame "[unknown]" */   \
    X(STACK_TRUNCATED,   "stack_truncated",   1)    /* by the profiler */     \
    X(STATE_UNKNOWN,     "state_unknown",     1)    /* sample dropped */      \
    X(VALUE_NEGATIVE,    "value_negative",    1)    /* sample dropped */      \
    X(KIND_UNKNOWN,      "kind_unknown",      1)    /* sample dropped: 0.9 */ \
    X(LABELS_FOLDED,     "labels_folded",     1)    /* too many label sets */ \
    X(NAMES_FOLDED,      "names_folded",      1)    /* methods too long */    \
    X(DATA_LOST,         "data_lost_bytes",   1)    /* jdk.DataLoss */        \
    X(CPU_TIME_LOST,     "cpu_time_lost",     1)    /* CPUTimeSamplesLost */  \
    X(CPU_TIME_SAMPLES,  "cpu_time_samples",  0)    /* jdk.CPUTimeSample */   \
    X(EXECUTION_SKIPPED, "execution_skipped", 0)    /* beside those */


typedef enum {
#define PYRO_JFR_COUNTER_ENUM(id, text, loss)  PYRO_JFR_##id,
    PYRO_JFR_COUNTERS(PYRO_JFR_COUNTER_ENUM)
#undef PYRO_JFR_COUNTER_ENUM
    PYRO_JFR_COUNTER_COUNT
} pyro_jfr_counter_e;


typedef struct {
    uint64_t          counters[PYRO_JFR_COUNTER_COUNT];
    char              event[64];    /* the setting, empty if absent */
    char              engine[64];
    char              problem[160]; /* the first thing that was wrong, or "" */
    pyro_jfr_info_t   info;
} pyro_jfr_report_t;


/* Which events are process_cpu. */
typedef enum {
    PYRO_JFR_CPU_BY_ANY = 0,        /* CPUTimeSample, or else ExecutionSample */
    PYRO_JFR_CPU_BY_SAMPLING,       /* ExecutionSample alone */
    PYRO_JFR_CPU_BY_TIME            /* CPUTimeSample alone */
} pyro_jfr_cpu_e;


typedef struct {
    pyro_slice_t      type;         /* "jdk.ExecutionSample"; 0.9: its path */
    uint64_t          n;
} pyro_jfr_event_count_t;


/* A chunk as it was read; what it points to is gone after the call. */
typedef struct {
    size_t            offset;       /* in the recording */
    size_t            size;
    unsigned          major;
    unsigned          minor;
    int64_t           start;        /* ns since the epoch */
    int64_t           duration;     /* ns */
    int64_t           frequency;    /* ticks a second */
    uint32_t          checkpoints;
    int               unfinished;   /* still being written when copied */
    int               broken;
    uint32_t          n_events;
    const pyro_jfr_event_count_t *events;   /* those that occur, by type */
} pyro_jfr_chunk_summary_t;


typedef struct {
    int64_t           sample_rate;  /* Hz, of the request; -1 unusable */
    pyro_slice_t      labels;       /* LabelsSnapshot, protobuf; or empty */
    pyro_jfr_cpu_e    cpu;
    size_t            max_memory;   /* of a chunk's tables; 0: by its size */

    /* may be NULL: called for each chunk that was read, in order */
    void            (*chunk)(void *ctx,
                             const pyro_jfr_chunk_summary_t *summary);
    void             *ctx;
} pyro_jfr_options_t;


/*
 * Reads a recording into profile, which stays open (the caller finishes it).
 *
 * PYRO_OK: also for a sound recording without samples, and for a damaged one of
 * which something could be read: the report says what is missing.
 * PYRO_UNPROCESSABLE: not a JFR file; damaged and without a readable sample;
 * a label snapshot that is not protobuf.  PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_jfr_read(pyro_slice_t recording,
    const pyro_jfr_options_t *options, pyro_profile_t *profile,
    pyro_jfr_report_t *report, pyro_error_t *err);

const char *pyro_jfr_counter_text(pyro_jfr_counter_e counter);

/* 1 for what is not there in the samples. */
int pyro_jfr_counter_is_loss(pyro_jfr_counter_e counter);

/*
 * All losses of a report that are not 0, "2 stack_missing, 198 stack_truncated"
 * with a zero byte behind it; empty if there are none.
 */
#define PYRO_JFR_LOSSES_MAX  640        /* bytes that it takes at the most */

void pyro_jfr_losses(const pyro_jfr_report_t *report,
    char text[PYRO_JFR_LOSSES_MAX]);

/*
 * The report's facts as a JSON object: service, lastSeen, jvm, os, agent,
 * settings, lost (counters of losses that are not 0).  README, "jfr-info".
 */
void pyro_jfr_info_json(const pyro_jfr_report_t *report,
    const pyro_jfr_seen_t *seen, pyro_rope_t *out);


#endif /* _PYRO_JFR_H_INCLUDED_ */
