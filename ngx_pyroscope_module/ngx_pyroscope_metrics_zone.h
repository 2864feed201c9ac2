/*
 * The shared zone of metrics, for the files that fill it and show it.
 *
 * Of fixed size, so that a reload finds it as it was; zeroed at first.
 */

#ifndef _NGX_PYROSCOPE_METRICS_ZONE_H_INCLUDED_
#define _NGX_PYROSCOPE_METRICS_ZONE_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_load.h"

#include "core/base/crew.h"
#include "core/base/tally.h"


#define NGX_PYROSCOPE_BUCKETS       14      /* of a histogram, at most */

/* Combinations of route, method and status that have a row, more than there
 * are in sound use: those that come later share the last one. */
#define NGX_PYROSCOPE_REQUEST_ROWS  256


typedef struct {
    ngx_atomic_t  buckets[NGX_PYROSCOPE_BUCKETS + 1];   /* the last: +Inf */
    ngx_atomic_t  sum;                                  /* of times: µs */
} ngx_pyroscope_histogram_t;


typedef struct {
    ngx_atomic_t               key;             /* 0: free */
    ngx_pyroscope_histogram_t  times;
} ngx_pyroscope_request_row_t;


typedef struct {
    ngx_atomic_t                 counters[NGX_PYROSCOPE_COUNT_N];
    ngx_atomic_t                 discarded[PYRO_REASON_COUNT];
    ngx_atomic_t                 discarded_bytes[PYRO_REASON_COUNT];
    ngx_atomic_t                 jfr[PYRO_JFR_COUNTER_COUNT];
    ngx_pyroscope_histogram_t    histograms[NGX_PYROSCOPE_HISTOGRAM_N];
    ngx_pyroscope_request_row_t  requests[NGX_PYROSCOPE_REQUEST_ROWS + 1];
    _Atomic int64_t              upkeep;        /* when it last ended well, ns
                                                 * since the epoch; 0: never */
    _Atomic int64_t              rolled;        /* pyro_clock_mono() when all
                                                 * was rolled up, or of the
                                                 * start */
    void                        *store;         /* pyro_store_watch() */
    pyro_rates_t                 rates;         /* of tenants */
    pyro_crew_t                 *crew;          /* of workers */
    pyro_tally_t                 services;
} ngx_pyroscope_metrics_t;


ngx_pyroscope_metrics_t *ngx_pyroscope_metrics(void);


/* ---- text; any thread ---- */

void ngx_pyroscope_metrics_head(pyro_rope_t *out, const char *name,
    const char *type, const char *help);
void ngx_pyroscope_metrics_value(pyro_rope_t *out, const char *type,
    const char *name, const char *help, uint64_t value);

/* The label that upstream has, to follow another one: with several tenants it
 * is the sum of all, and nothing. */
const char *ngx_pyroscope_metrics_tenant(void);

void ngx_pyroscope_metrics_histograms(pyro_rope_t *out);

/* Sets seen of those that ever came. */
void ngx_pyroscope_metrics_requests(pyro_rope_t *out,
    u_char seen[NGX_PYROSCOPE_ROUTES][NGX_PYROSCOPE_METHODS]);

void ngx_pyroscope_metrics_services(pyro_rope_t *out);
void ngx_pyroscope_metrics_store(pyro_rope_t *out,
    const pyro_store_stats_t *stats, ngx_uint_t available);


#endif /* _NGX_PYROSCOPE_METRICS_ZONE_H_INCLUDED_ */
