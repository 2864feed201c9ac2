#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"

#include "ngx_pyroscope_module/ngx_pyroscope_route.h"

#include "core/base/tenant.h"


#define NGX_PYROSCOPE_ZONE      "pyroscope_metrics"
#define NGX_PYROSCOPE_BUCKETS   12
#define NGX_PYROSCOPE_STATUSES  20


typedef struct {
    ngx_atomic_t  buckets[NGX_PYROSCOPE_BUCKETS + 1];   /* the last: +Inf */
    ngx_atomic_t  microseconds;
} ngx_pyroscope_histogram_t;


/* In shared memory: fixed size, so a reload finds it as it was. */
typedef struct {
    ngx_atomic_t               counters[NGX_PYROSCOPE_COUNT_N];
    ngx_atomic_t               discarded[PYRO_REASON_COUNT];
    ngx_atomic_t               discarded_bytes[PYRO_REASON_COUNT];
    ngx_atomic_t               jfr[PYRO_JFR_COUNTER_COUNT];
    ngx_atomic_t               requests[NGX_PYROSCOPE_ROUTES]
                                       [NGX_PYROSCOPE_STATUSES];
    ngx_pyroscope_histogram_t  times[NGX_PYROSCOPE_TIME_N];
    void                      *store;           /* pyro_store_watch() */
    pyro_rates_t               rates;           /* of tenants */
} ngx_pyroscope_metrics_t;


static ngx_int_t ngx_pyroscope_metrics_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_pyroscope_metrics_t *ngx_pyroscope_metrics(void);
static void ngx_pyroscope_metrics_head(pyro_rope_t *out, const char *name,
    const char *type, const char *help);
static void ngx_pyroscope_metrics_uploads(pyro_rope_t *out,
    ngx_pyroscope_metrics_t *m);
static void ngx_pyroscope_metrics_reasons(pyro_rope_t *out, const char *name,
    const char *help, const ngx_atomic_t *values);
static void ngx_pyroscope_metrics_requests(pyro_rope_t *out,
    ngx_pyroscope_metrics_t *m);
static void ngx_pyroscope_metrics_times(pyro_rope_t *out,
    ngx_pyroscope_metrics_t *m);
static void ngx_pyroscope_metrics_store(pyro_rope_t *out,
    const pyro_store_stats_t *stats, ngx_uint_t available);
static void ngx_pyroscope_metrics_value(pyro_rope_t *out, const char *type,
    const char *name, const char *help, uint64_t value);


/* upper bounds, µs */

static const uint64_t  ngx_pyroscope_bounds[NGX_PYROSCOPE_BUCKETS] = {
    250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000,
    10000000
};


/* the last one counts all that are not listed */

static const ngx_uint_t  ngx_pyroscope_statuses[NGX_PYROSCOPE_STATUSES] = {
    200, 304, 400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 422, 429, 499,
    500, 501, 503, 504, 0
};


static const struct {
    const char  *name;
    const char  *labels;
    const char  *help;
} ngx_pyroscope_counters[] = {
#define NGX_PYROSCOPE_COUNTER_ROW(id, name, labels, help)                     \
    { name, labels, help },
    NGX_PYROSCOPE_COUNTERS(NGX_PYROSCOPE_COUNTER_ROW)
#undef NGX_PYROSCOPE_COUNTER_ROW
};


static const struct {
    const char  *name;
    const char  *help;
} ngx_pyroscope_times[NGX_PYROSCOPE_TIME_N] = {
    { "ngx_pyroscope_parse_duration_seconds",
      "Time to read one upload: gzip, multipart, recording." },
    { "ngx_pyroscope_commit_duration_seconds",
      "Time to store one group of uploads, fsync included." },
    { "ngx_pyroscope_query_duration_seconds",
      "Time to answer one query, without waiting and sending." }
};


char *
ngx_pyroscope_metrics_zone(ngx_conf_t *cf, ngx_pyroscope_main_conf_t *pmcf)
{
    ngx_str_t        name;
    ngx_shm_zone_t  *zone;

    ngx_str_set(&name, NGX_PYROSCOPE_ZONE);

    zone = ngx_shared_memory_add(cf, &name,
                                 8 * ngx_pagesize
                                 + sizeof(ngx_pyroscope_metrics_t),
                                 &ngx_pyroscope_module);

    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->init = ngx_pyroscope_metrics_init_zone;
    pmcf->metrics = zone;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_pyroscope_metrics_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t          *shpool;
    ngx_pyroscope_metrics_t  *m;

    if (data != NULL) {
        zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    m = ngx_slab_calloc(shpool, sizeof(ngx_pyroscope_metrics_t));

    if (m == NULL) {
        return NGX_ERROR;
    }

    m->store = ngx_slab_calloc(shpool, pyro_store_shared_size());

    zone->data = m;
    shpool->data = m;

    return m->store != NULL ? NGX_OK : NGX_ERROR;
}


void *
ngx_pyroscope_metrics_shared(ngx_pyroscope_main_conf_t *pmcf)
{
    return ((ngx_pyroscope_metrics_t *) pmcf->metrics->data)->store;
}


static ngx_pyroscope_metrics_t *
ngx_pyroscope_metrics(void)
{
    return ngx_pyroscope_worker.conf->metrics->data;
}


pyro_rates_t *
ngx_pyroscope_metrics_rates(void)
{
    return &ngx_pyroscope_metrics()->rates;
}


void
ngx_pyroscope_metrics_add(ngx_pyroscope_counter_e counter, uint64_t n)
{
    (void) ngx_atomic_fetch_add(&ngx_pyroscope_metrics()->counters[counter],
                                n);
}


void
ngx_pyroscope_metrics_time(ngx_pyroscope_time_e what, int64_t ns)
{
    uint64_t                    us;
    ngx_uint_t                  i;
    ngx_pyroscope_histogram_t  *h;

    h = &ngx_pyroscope_metrics()->times[what];
    us = ns < 0 ? 0 : (uint64_t) ns / 1000;

    for (i = 0; i < NGX_PYROSCOPE_BUCKETS; i++) {
        if (us <= ngx_pyroscope_bounds[i]) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&h->buckets[i], 1);
    (void) ngx_atomic_fetch_add(&h->microseconds, us);
}


void
ngx_pyroscope_metrics_discarded(pyro_reason_e reason, size_t bytes)
{
    ngx_pyroscope_metrics_t  *m;

    m = ngx_pyroscope_metrics();

    (void) ngx_atomic_fetch_add(&m->discarded[reason], 1);
    (void) ngx_atomic_fetch_add(&m->discarded_bytes[reason], bytes);
}


void
ngx_pyroscope_metrics_jfr(const pyro_jfr_report_t *report)
{
    ngx_uint_t                i;
    ngx_pyroscope_metrics_t  *m;

    m = ngx_pyroscope_metrics();

    for (i = 0; i < PYRO_JFR_COUNTER_COUNT; i++) {
        if (report->counters[i]) {
            (void) ngx_atomic_fetch_add(&m->jfr[i], report->counters[i]);
        }
    }
}


void
ngx_pyroscope_metrics_request(ngx_pyroscope_ctx_t *ctx, ngx_uint_t status)
{
    ngx_uint_t  i, route;

    if (ctx->counted) {
        return;
    }

    ctx->counted = 1;
    route = ngx_pyroscope_route_index(ctx->route);

    for (i = 0; i < NGX_PYROSCOPE_STATUSES - 1; i++) {
        if (ngx_pyroscope_statuses[i] == status) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&ngx_pyroscope_metrics()->requests[route][i],
                                1);
}


void
ngx_pyroscope_metrics_text(pyro_rope_t *out, const pyro_store_stats_t *stats,
    ngx_uint_t available)
{
    ngx_pyroscope_metrics_t  *m;

    m = ngx_pyroscope_metrics();

    ngx_pyroscope_metrics_head(out, "pyroscope_build_info", "gauge",
                               "The version of this server.");
    pyro_rope_printf(out, "pyroscope_build_info{version=\"%s\"} 1\n",
                     NGX_PYROSCOPE_VERSION);

    ngx_pyroscope_metrics_uploads(out, m);
    ngx_pyroscope_metrics_requests(out, m);
    ngx_pyroscope_metrics_times(out, m);
    ngx_pyroscope_metrics_store(out, stats, available);
}


static void
ngx_pyroscope_metrics_head(pyro_rope_t *out, const char *name,
    const char *type, const char *help)
{
    pyro_rope_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                     type);
}


static void
ngx_pyroscope_metrics_uploads(pyro_rope_t *out, ngx_pyroscope_metrics_t *m)
{
    ngx_uint_t   i;
    const char  *name;

    for (i = 0; i < NGX_PYROSCOPE_COUNT_N; i++) {
        name = ngx_pyroscope_counters[i].name;

        if (ngx_pyroscope_counters[i].help != NULL) {
            ngx_pyroscope_metrics_head(out, name, "counter",
                                       ngx_pyroscope_counters[i].help);
        }

        if (ngx_pyroscope_counters[i].labels[0] == '\0') {
            pyro_rope_printf(out, "%s %lu\n", name,
                             (unsigned long) m->counters[i]);
        } else {
            pyro_rope_printf(out, "%s{%s} %lu\n", name,
                             ngx_pyroscope_counters[i].labels,
                             (unsigned long) m->counters[i]);
        }
    }

    ngx_pyroscope_metrics_reasons(out, "pyroscope_discarded_samples_total",
                                  "Uploads refused, by reason.",
                                  m->discarded);
    ngx_pyroscope_metrics_reasons(out, "pyroscope_discarded_bytes_total",
                                  "Body bytes of refused uploads, by reason.",
                                  m->discarded_bytes);

    name = "ngx_pyroscope_jfr_total";
    ngx_pyroscope_metrics_head(out, name, "counter",
                               "What was found in recordings, by kind.");

    for (i = 0; i < PYRO_JFR_COUNTER_COUNT; i++) {
        pyro_rope_printf(out, "%s{kind=\"%s\"} %lu\n", name,
                         pyro_jfr_counter_text(i), (unsigned long) m->jfr[i]);
    }
}


static void
ngx_pyroscope_metrics_reasons(pyro_rope_t *out, const char *name,
    const char *help, const ngx_atomic_t *values)
{
    ngx_uint_t   i;
    const char  *tenant;

    /* of several tenants it is the sum */

    tenant = ngx_pyroscope_worker.conf->settings->multitenancy_enabled
             ? "" : ",tenant=\"" PYRO_TENANT_DEFAULT "\"";

    ngx_pyroscope_metrics_head(out, name, "counter", help);

    for (i = 0; i < PYRO_REASON_COUNT; i++) {
        pyro_rope_printf(out, "%s{reason=\"%s\"%s} %lu\n", name,
                         pyro_reason_text(i), tenant,
                         (unsigned long) values[i]);
    }
}


/* A combination that never happened has no line: there are too many. */

static void
ngx_pyroscope_metrics_requests(pyro_rope_t *out, ngx_pyroscope_metrics_t *m)
{
    ngx_uint_t         r, s;
    ngx_atomic_uint_t  n;

    ngx_pyroscope_metrics_head(out, "ngx_pyroscope_requests_total", "counter",
                               "Answers, by route and HTTP status.");

    for (r = 0; r < NGX_PYROSCOPE_ROUTES; r++) {
        for (s = 0; s < NGX_PYROSCOPE_STATUSES; s++) {
            n = m->requests[r][s];

            if (n == 0) {
                continue;
            }

            if (ngx_pyroscope_statuses[s]) {
                pyro_rope_printf(out, "ngx_pyroscope_requests_total{"
                                 "route=\"%s\",status_code=\"%lu\"} %lu\n",
                                 ngx_pyroscope_route_name(r),
                                 (unsigned long) ngx_pyroscope_statuses[s],
                                 (unsigned long) n);
            } else {
                pyro_rope_printf(out, "ngx_pyroscope_requests_total{"
                                 "route=\"%s\",status_code=\"other\"} %lu\n",
                                 ngx_pyroscope_route_name(r),
                                 (unsigned long) n);
            }
        }
    }
}


static void
ngx_pyroscope_metrics_times(pyro_rope_t *out, ngx_pyroscope_metrics_t *m)
{
    uint64_t                    n;
    ngx_uint_t                  i, b;
    const char                 *name;
    ngx_pyroscope_histogram_t  *h;

    for (i = 0; i < NGX_PYROSCOPE_TIME_N; i++) {
        h = &m->times[i];
        name = ngx_pyroscope_times[i].name;
        n = 0;

        ngx_pyroscope_metrics_head(out, name, "histogram",
                                   ngx_pyroscope_times[i].help);

        for (b = 0; b < NGX_PYROSCOPE_BUCKETS; b++) {
            n += h->buckets[b];
            pyro_rope_printf(out, "%s_bucket{le=\"%g\"} %lu\n", name,
                             (double) ngx_pyroscope_bounds[b] / 1e6,
                             (unsigned long) n);
        }

        n += h->buckets[NGX_PYROSCOPE_BUCKETS];
        pyro_rope_printf(out, "%s_bucket{le=\"+Inf\"} %lu\n", name,
                         (unsigned long) n);
        pyro_rope_printf(out, "%s_sum %.6f\n%s_count %lu\n", name,
                         (double) h->microseconds / 1e6, name,
                         (unsigned long) n);
    }
}


static void
ngx_pyroscope_metrics_store(pyro_rope_t *out, const pyro_store_stats_t *stats,
    ngx_uint_t available)
{
    ngx_pyroscope_metrics_value(out, "gauge", "ngx_pyroscope_store_available",
                                "1 if this worker has the store open.",
                                available);

    if (stats == NULL) {
        return;
    }

    ngx_pyroscope_metrics_value(out, "gauge", "ngx_pyroscope_store_bytes",
                                "Bytes of all files of the store.",
                                stats->bytes);
    ngx_pyroscope_metrics_value(out, "gauge",
                                "ngx_pyroscope_store_partitions",
                                "Partition files in the catalogue.",
                                stats->partitions);
    ngx_pyroscope_metrics_value(out, "gauge",
                                "ngx_pyroscope_store_disk_free_bytes",
                                "Bytes free on the store's file system.",
                                stats->disk_free);
    ngx_pyroscope_metrics_value(out, "gauge",
                                "ngx_pyroscope_store_disk_limit_bytes",
                                "Bytes that are to stay free there.",
                                stats->disk_limit);
    ngx_pyroscope_metrics_value(out, "gauge",
                                "ngx_pyroscope_store_disk_scarce",
                                "1 while pushes are refused for lack of room.",
                                stats->disk_scarce);
}


static void
ngx_pyroscope_metrics_value(pyro_rope_t *out, const char *type,
    const char *name, const char *help, uint64_t value)
{
    ngx_pyroscope_metrics_head(out, name, type, help);
    pyro_rope_printf(out, "%s %lu\n", name, (unsigned long) value);
}
