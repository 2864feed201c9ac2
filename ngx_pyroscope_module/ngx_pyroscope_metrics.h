/*
 * Counters of all workers in one shared zone, and their text form.
 *
 * Updated on the event loop with atomic adds; never reset, inherited on reload.
 * A binary upgrade starts a zone of its own, as a restart does.
 *
 * Names are upstream's where upstream has one (pyroscope_*), else
 * ngx_pyroscope_*.  README, "Metrics", lists them all.
 */

#ifndef _NGX_PYROSCOPE_METRICS_H_INCLUDED_
#define _NGX_PYROSCOPE_METRICS_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"

#include "core/base/rate.h"

#include "core/base/rope.h"
#include "jfr/jfr.h"


/* id, name, labels, help */

#define NGX_PYROSCOPE_COUNTERS(X)                                             \
    X(PUSHES_STORED, "ngx_pyroscope_pushes_total", "result=\"stored\"",       \
      "Uploads, by what became of them.")                                     \
    X(PUSHES_REPEATED, "ngx_pyroscope_pushes_total", "result=\"repeated\"",   \
      NULL)                                                                   \
    X(PUSHES_EMPTY, "ngx_pyroscope_pushes_total", "result=\"empty\"", NULL)   \
    X(PUSHES_REFUSED, "ngx_pyroscope_pushes_total", "result=\"refused\"",     \
      NULL)                                                                   \
    X(SAMPLES, "ngx_pyroscope_samples_total", "",                             \
      "Distinct samples (stack, labels, type) of stored uploads.")            \
    X(FOLDED, "ngx_pyroscope_stacks_folded_total", "",                        \
      "Stacks whose service has no room for more: they end in \"other\".")    \
    X(SERIES_FOLDED, "ngx_pyroscope_series_folded_total", "",                 \
      "Label sets of samples beyond limits.max_global_series_per_tenant.")    \
    X(COMMITS, "ngx_pyroscope_commits_total", "",                             \
      "Group commits: one or more uploads each.")                             \
    X(INFO_FAILURES, "ngx_pyroscope_info_failures_total", "",                 \
      "Stored uploads whose facts for jfr-info could not be kept.")           \
    X(DAMAGED, "ngx_pyroscope_damaged_records_total", "",                     \
      "Records of the store that were met and could not be used.")            \
    X(INCOMPLETE, "ngx_pyroscope_incomplete_answers_total", "",               \
      "Answers without a partition that cannot be read.")                     \
    X(ROLLED, "ngx_pyroscope_rollup_slots_total", "",                         \
      "Five minutes of a stream that were summed up.")                        \
    X(ROLLED_LATE, "ngx_pyroscope_rollup_late_slots_total", "",               \
      "Of them: once more, since an upload came later.")                      \
    X(REMOVED, "ngx_pyroscope_removed_partitions_total", "",                  \
      "Partitions removed for age, the size of all or lack of room.")         \
    X(SEALED, "ngx_pyroscope_sealed_partitions_total", "",                    \
      "Partitions rewritten compactly after their time.")                     \
    X(THINNED, "ngx_pyroscope_thinned_partitions_total", "",                  \
      "Partitions of which only sums of hours or days are left.")             \
    X(CLOCK_STEPS, "ngx_pyroscope_clock_steps_total", "",                     \
      "Times that the clock was found set by more than an hour.")             \
    X(UPKEEP_FAILURES, "ngx_pyroscope_upkeep_failures_total", "",             \
      "Runs of the store's upkeep that ended with an error.")


typedef enum {
#define NGX_PYROSCOPE_COUNTER_ENUM(id, name, labels, help)                    \
    NGX_PYROSCOPE_COUNT_##id,
    NGX_PYROSCOPE_COUNTERS(NGX_PYROSCOPE_COUNTER_ENUM)
#undef NGX_PYROSCOPE_COUNTER_ENUM
    NGX_PYROSCOPE_COUNT_N
} ngx_pyroscope_counter_e;


/* id, name, label, 1: upstream has its tenant as well, unit, help */

#define NGX_PYROSCOPE_HISTOGRAMS(X)                                           \
    X(RECEIVED, "pyroscope_distributor_received_compressed_bytes",            \
      "type=\"jfr\"", 1, BYTES, "Bytes of one upload's body, as it came.")    \
    X(INFLATED, "pyroscope_distributor_received_decompressed_bytes",          \
      "type=\"jfr\"", 1, BYTES,                                               \
      "Bytes of one upload's recording after gzip.")                          \
    X(CPU, "pyroscope_distributor_received_samples",                          \
      "type=\"process_cpu\"", 1, COUNT,                                       \
      "Samples of one profile of an upload.")                                 \
    X(WALL, "pyroscope_distributor_received_samples", "type=\"wall\"", 1,     \
      COUNT, NULL)                                                            \
    X(MEMORY, "pyroscope_distributor_received_samples", "type=\"memory\"", 1, \
      COUNT, NULL)                                                            \
    X(MUTEX, "pyroscope_distributor_received_samples", "type=\"mutex\"", 1,   \
      COUNT, NULL)                                                            \
    X(BLOCK, "pyroscope_distributor_received_samples", "type=\"block\"", 1,   \
      COUNT, NULL)                                                            \
    X(OTHER, "pyroscope_distributor_received_samples", "type=\"other\"", 1,   \
      COUNT, NULL)                                                            \
    X(PARSE, "pyroscope_distributor_parse_duration_seconds",                  \
      "type=\"jfr\"", 1, TIME,                                                \
      "Time to read one upload: gzip, multipart, recording.")                 \
    X(COMMIT, "ngx_pyroscope_commit_duration_seconds", "", 0, TIME,           \
      "Time to store one group of uploads, fsync included.")                  \
    X(QUERY, "ngx_pyroscope_query_duration_seconds", "", 0, TIME,             \
      "Time to answer one query, without waiting and sending.")


typedef enum {
#define NGX_PYROSCOPE_HISTOGRAM_ENUM(id, name, label, tenant, unit, help)     \
    NGX_PYROSCOPE_HISTOGRAM_##id,
    NGX_PYROSCOPE_HISTOGRAMS(NGX_PYROSCOPE_HISTOGRAM_ENUM)
#undef NGX_PYROSCOPE_HISTOGRAM_ENUM
    NGX_PYROSCOPE_HISTOGRAM_N
} ngx_pyroscope_histogram_e;


/* Makes the shared zone; configuration time. */
char *ngx_pyroscope_metrics_zone(ngx_conf_t *cf,
    ngx_pyroscope_main_conf_t *pmcf);

/* What the store's processes share: pyro_store_watch(). */
void *ngx_pyroscope_metrics_shared(ngx_pyroscope_main_conf_t *pmcf);

/* The buckets of tenants, which the workers share.  Any thread. */
pyro_rates_t *ngx_pyroscope_metrics_rates(void);

void ngx_pyroscope_metrics_add(ngx_pyroscope_counter_e counter, uint64_t n);

/* One value: bytes, samples; ns of a duration. */
void ngx_pyroscope_metrics_observe(ngx_pyroscope_histogram_e histogram,
    int64_t value);

/* An upload refused: pyroscope_discarded_samples_total{reason} and bytes. */
void ngx_pyroscope_metrics_discarded(pyro_reason_e reason, size_t bytes);

/* What a recording lost. */
void ngx_pyroscope_metrics_jfr(const pyro_jfr_report_t *report);

/* The samples of what was read: of each label set and name of types. */
void ngx_pyroscope_metrics_samples(const pyro_profile_t *profile);

/* An upload that is answered 200, in the totals of its service. */
void ngx_pyroscope_metrics_service(pyro_slice_t tenant, pyro_slice_t service,
    uint64_t bytes, uint64_t samples);

/* One that is refused; only a service that has a line gets it there. */
void ngx_pyroscope_metrics_service_refused(pyro_slice_t tenant,
    pyro_slice_t service);

/* An answer: by route, method and status; once a request. */
void ngx_pyroscope_metrics_request(ngx_http_request_t *r,
    ngx_pyroscope_ctx_t *ctx, ngx_uint_t status);

/* The damaged records that this worker's store has met until now. */
void ngx_pyroscope_metrics_damaged(void);

/* A run of the upkeep that ended well; rolled: nothing is left to roll up. */
void ngx_pyroscope_metrics_upkeep(ngx_uint_t rolled);

/* All of it in Prometheus' text format; stats may be NULL.  Any thread. */
void ngx_pyroscope_metrics_text(pyro_rope_t *out,
    const pyro_store_stats_t *stats, ngx_uint_t available);


#endif /* _NGX_PYROSCOPE_METRICS_H_INCLUDED_ */
