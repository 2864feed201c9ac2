/*
 * Samples of the chunks into sections of the profile.
 *
 * Label sets of all samples together are bounded by what the upload has bytes:
 * samples beyond that keep their span and lose their labels, and are counted.
 *
 * What is worth a fixed time (CPU and wall samples) waits for the end of the
 * recording, when all settings have been seen and it is known whether the JDK
 * has measured CPU time in another way too.
 *
 * Lives in the recording's arena; one thread.
 */

#ifndef _PYRO_JFR_OUTPUT_H_INCLUDED_
#define _PYRO_JFR_OUTPUT_H_INCLUDED_


#include "jfr/jfr_sample.h"
#include "jfr/jfr_settings.h"
#include "jfr/jfr_stack.h"


/* The profile types that a recording may give. */
typedef enum {
    PYRO_JFR_TYPE_CPU,
    PYRO_JFR_TYPE_WALL,
    PYRO_JFR_TYPE_IN_TLAB_OBJECTS,
    PYRO_JFR_TYPE_IN_TLAB_BYTES,
    PYRO_JFR_TYPE_OUTSIDE_TLAB_OBJECTS,
    PYRO_JFR_TYPE_OUTSIDE_TLAB_BYTES,
    PYRO_JFR_TYPE_SAMPLE_OBJECTS,
    PYRO_JFR_TYPE_SAMPLE_BYTES,
    PYRO_JFR_TYPE_MUTEX_CONTENTIONS,
    PYRO_JFR_TYPE_MUTEX_DELAY,
    PYRO_JFR_TYPE_BLOCK_CONTENTIONS,
    PYRO_JFR_TYPE_BLOCK_DELAY,
    PYRO_JFR_TYPE_LIVE,
    PYRO_JFR_TYPE_MALLOC_OBJECTS,
    PYRO_JFR_TYPE_MALLOC_BYTES,
    PYRO_JFR_TYPE_COUNT
} pyro_jfr_profile_type_e;


/* Labels of the samples of a context: both ids of the profile. */
typedef struct {
    uint32_t                  labels;
    pyro_span_t               span;         /* where the labels tell one */
} pyro_jfr_set_t;


/* A timed sample that waits. */
typedef struct {
    pyro_jfr_sample_e         kind;
    uint32_t                  labels;
    uint32_t                  node;
    uint32_t                  span;
    uint64_t                  count;
} pyro_jfr_row_t;


typedef struct {
    pyro_arena_t             *arena;
    pyro_profile_t           *profile;
    pyro_jfr_report_t        *report;
    const pyro_jfr_context_t *context;
    pyro_jfr_settings_t      *settings;
    pyro_jfr_cpu_e            cpu;
    size_t                    labels_left;  /* bytes of label sets */
    pyro_jfr_index_t          set_keys;     /* pyro_jfr_context_key() */
    pyro_jfr_set_t           *sets;
    uint32_t                  cap_sets;
    pyro_jfr_row_t           *rows;
    uint32_t                  n_rows;
    uint32_t                  cap_rows;
    uint64_t                  stored;       /* samples with a stack */
    uint32_t                  columns[PYRO_JFR_TYPE_COUNT];
} pyro_jfr_output_t;


/* bytes: of the recording and the snapshot of labels. */
void pyro_jfr_output_init(pyro_jfr_output_t *out, pyro_arena_t *arena,
    pyro_profile_t *profile, pyro_jfr_report_t *report, size_t bytes);

/* The samples of one chunk.  -1: no memory. */
int pyro_jfr_output_chunk(pyro_jfr_output_t *out,
    const pyro_jfr_samples_t *samples, pyro_jfr_stacks_t *stacks);

/*
 * What waited, and the labels jfr_event and jfr_engine.  sample_rate is that of
 * the request.  -1: no memory.
 */
int pyro_jfr_output_end(pyro_jfr_output_t *out, int64_t sample_rate);


#endif /* _PYRO_JFR_OUTPUT_H_INCLUDED_ */
