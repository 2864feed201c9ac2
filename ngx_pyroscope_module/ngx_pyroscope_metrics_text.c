#include "ngx_pyroscope_module/ngx_pyroscope_metrics_zone.h"

#include "core/base/clock.h"


static void ngx_pyroscope_metrics_counters(pyro_rope_t *out,
    ngx_pyroscope_metrics_t *m);
static void ngx_pyroscope_metrics_refused(pyro_rope_t *out,
    ngx_pyroscope_metrics_t *m);
static void ngx_pyroscope_metrics_reasons(pyro_rope_t *out, const char *name,
    const char *help, const ngx_atomic_t *values);


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


void
ngx_pyroscope_metrics_text(pyro_rope_t *out, const pyro_store_stats_t *stats,
    ngx_uint_t available)
{
    ngx_pyroscope_metrics_t  *m;

    u_char  seen[NGX_PYROSCOPE_ROUTES][NGX_PYROSCOPE_METHODS];

    m = ngx_pyroscope_metrics();
    ngx_memzero(seen, sizeof(seen));

    ngx_pyroscope_metrics_head(out, "pyroscope_build_info", "gauge",
                               "The version of this server.");
    pyro_rope_printf(out, "pyroscope_build_info{version=\"%s\"} 1\n",
                     NGX_PYROSCOPE_VERSION);

    ngx_pyroscope_metrics_counters(out, m);
    ngx_pyroscope_metrics_refused(out, m);
    ngx_pyroscope_metrics_histograms(out);
    ngx_pyroscope_metrics_requests(out, seen);
    ngx_pyroscope_load_text(out, seen);
    ngx_pyroscope_metrics_services(out);
    ngx_pyroscope_metrics_store(out, stats, available);
}


void
ngx_pyroscope_metrics_head(pyro_rope_t *out, const char *name,
    const char *type, const char *help)
{
    pyro_rope_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                     type);
}


void
ngx_pyroscope_metrics_value(pyro_rope_t *out, const char *type,
    const char *name, const char *help, uint64_t value)
{
    ngx_pyroscope_metrics_head(out, name, type, help);
    pyro_rope_printf(out, "%s %lu\n", name, (unsigned long) value);
}


const char *
ngx_pyroscope_metrics_tenant(void)
{
    return ngx_pyroscope_worker.conf->settings->multitenancy_enabled
           ? "" : ",tenant=\"" PYRO_TENANT_DEFAULT "\"";
}


static void
ngx_pyroscope_metrics_counters(pyro_rope_t *out, ngx_pyroscope_metrics_t *m)
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
}


static void
ngx_pyroscope_metrics_refused(pyro_rope_t *out, ngx_pyroscope_metrics_t *m)
{
    ngx_uint_t   i;
    const char  *name;

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
    ngx_uint_t  i;

    ngx_pyroscope_metrics_head(out, name, "counter", help);

    for (i = 0; i < PYRO_REASON_COUNT; i++) {
        pyro_rope_printf(out, "%s{reason=\"%s\"%s} %lu\n", name,
                         pyro_reason_text(i), ngx_pyroscope_metrics_tenant(),
                         (unsigned long) values[i]);
    }
}
