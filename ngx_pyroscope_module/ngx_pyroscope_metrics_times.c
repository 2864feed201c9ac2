#include "ngx_pyroscope_module/ngx_pyroscope_metrics_zone.h"

#include "core/base/clock.h"


#define NGX_PYROSCOPE_STATUS_MAX  1000      /* above all HTTP statuses */


/* Upper bounds, in the unit of the sum; bounds are shown divided by scale. */
typedef struct {
    ngx_uint_t         n;
    double             scale;
    uint64_t           bounds[NGX_PYROSCOPE_BUCKETS];
} ngx_pyroscope_scale_t;


static ngx_uint_t ngx_pyroscope_histogram_is(ngx_uint_t histogram,
    pyro_slice_t type);
static void ngx_pyroscope_histogram_add(ngx_pyroscope_histogram_t *h,
    const ngx_pyroscope_scale_t *scale, uint64_t value);
static void ngx_pyroscope_histogram_text(pyro_rope_t *out, const char *name,
    const char *labels, ngx_pyroscope_histogram_t *h,
    const ngx_pyroscope_scale_t *scale);
static ngx_pyroscope_request_row_t *ngx_pyroscope_request_row(
    ngx_atomic_uint_t key);


static const ngx_pyroscope_scale_t  ngx_pyroscope_scale_TIME = {
    12, 1e6, { 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
               1000000, 10000000 }
};

static const ngx_pyroscope_scale_t  ngx_pyroscope_scale_BYTES = {
    10, 1, { 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22,
             1 << 24, 1 << 26, 1 << 28 }
};

static const ngx_pyroscope_scale_t  ngx_pyroscope_scale_COUNT = {
    9, 1, { 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000 }
};

/* upstream's */

static const ngx_pyroscope_scale_t  ngx_pyroscope_scale_request = {
    14, 1e6, { 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
               2500000, 5000000, 10000000, 25000000, 50000000, 100000000 }
};


static const struct {
    const char                   *name;
    const char                   *label;
    ngx_uint_t                    tenant;
    const ngx_pyroscope_scale_t  *scale;
    const char                   *help;
} ngx_pyroscope_histograms[] = {
#define NGX_PYROSCOPE_HISTOGRAM_ROW(id, name, label, tenant, unit, help)      \
    { name, label, tenant, &ngx_pyroscope_scale_##unit, help },
    NGX_PYROSCOPE_HISTOGRAMS(NGX_PYROSCOPE_HISTOGRAM_ROW)
#undef NGX_PYROSCOPE_HISTOGRAM_ROW
};


void
ngx_pyroscope_metrics_observe(ngx_pyroscope_histogram_e histogram,
    int64_t value)
{
    const ngx_pyroscope_scale_t  *scale;

    scale = ngx_pyroscope_histograms[histogram].scale;
    value = ngx_max(value, 0);

    ngx_pyroscope_histogram_add(
        &ngx_pyroscope_metrics()->histograms[histogram], scale,
        (uint64_t) value / (scale == &ngx_pyroscope_scale_TIME ? 1000 : 1));
}


void
ngx_pyroscope_metrics_samples(const pyro_profile_t *profile)
{
    uint32_t                         i, n;
    ngx_uint_t                       h;
    const pyro_section_t            *s;
    const pyro_profile_type_t       *type;

    /* sections of one label set, and of one name in it, are neighbours: what
     * one sample has several values for is a section each */

    for (i = 0, n = 0; i < profile->n_sections; i++) {
        s = &profile->sections[i];
        type = &profile->types[s->type].type;
        n = ngx_max(n, s->n);

        if (i + 1 < profile->n_sections && s[1].labels == s->labels
            && pyro_slice_eq(profile->types[s[1].type].type.name, type->name))
        {
            continue;
        }

        for (h = NGX_PYROSCOPE_HISTOGRAM_CPU;
             h < NGX_PYROSCOPE_HISTOGRAM_OTHER; h++)
        {
            if (ngx_pyroscope_histogram_is(h, type->name)) {
                break;
            }
        }

        ngx_pyroscope_metrics_observe(h, n);
        n = 0;
    }
}


/* Whether its label is that type. */

static ngx_uint_t
ngx_pyroscope_histogram_is(ngx_uint_t histogram, pyro_slice_t type)
{
    const char  *label;

    label = ngx_pyroscope_histograms[histogram].label;

    return ngx_strlen(label) == type.len + sizeof("type=\"\"") - 1
           && ngx_memcmp(label + sizeof("type=\"") - 1, type.data, type.len)
              == 0;
}


static void
ngx_pyroscope_histogram_add(ngx_pyroscope_histogram_t *h,
    const ngx_pyroscope_scale_t *scale, uint64_t value)
{
    ngx_uint_t  i;

    for (i = 0; i < scale->n; i++) {
        if (value <= scale->bounds[i]) {
            break;
        }
    }

    i = i == scale->n ? NGX_PYROSCOPE_BUCKETS : i;

    (void) ngx_atomic_fetch_add(&h->buckets[i], 1);
    (void) ngx_atomic_fetch_add(&h->sum, value);
}


void
ngx_pyroscope_metrics_histograms(pyro_rope_t *out)
{
    char         labels[64];
    ngx_uint_t   i;
    const char  *name;

    for (i = 0; i < NGX_PYROSCOPE_HISTOGRAM_N; i++) {
        name = ngx_pyroscope_histograms[i].name;

        if (ngx_pyroscope_histograms[i].help != NULL) {
            ngx_pyroscope_metrics_head(out, name, "histogram",
                                       ngx_pyroscope_histograms[i].help);
        }

        *ngx_snprintf((u_char *) labels, sizeof(labels) - 1, "%s%s",
                      ngx_pyroscope_histograms[i].label,
                      ngx_pyroscope_histograms[i].tenant
                      ? ngx_pyroscope_metrics_tenant() : "") = '\0';

        ngx_pyroscope_histogram_text(out, name, labels,
                                     &ngx_pyroscope_metrics()->histograms[i],
                                     ngx_pyroscope_histograms[i].scale);
    }
}


/* The count is that of the buckets, whatever is added meanwhile. */

static void
ngx_pyroscope_histogram_text(pyro_rope_t *out, const char *name,
    const char *labels, ngx_pyroscope_histogram_t *h,
    const ngx_pyroscope_scale_t *scale)
{
    uint64_t     n;
    ngx_uint_t   b;
    const char  *comma, *open, *close;

    n = 0;
    comma = labels[0] ? "," : "";
    open = labels[0] ? "{" : "";
    close = labels[0] ? "}" : "";

    for (b = 0; b < scale->n; b++) {
        n += h->buckets[b];
        pyro_rope_printf(out, "%s_bucket{%s%sle=\"%.10g\"} %lu\n", name,
                         labels, comma,
                         (double) scale->bounds[b] / scale->scale,
                         (unsigned long) n);
    }

    n += h->buckets[NGX_PYROSCOPE_BUCKETS];
    pyro_rope_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %lu\n", name, labels,
                     comma, (unsigned long) n);
    pyro_rope_printf(out, "%s_sum%s%s%s %.15g\n%s_count%s%s%s %lu\n", name,
                     open, labels, close, (double) h->sum / scale->scale, name,
                     open, labels, close, (unsigned long) n);
}


/* ---- requests: a row for each combination that really occurred ---- */

void
ngx_pyroscope_metrics_request(ngx_http_request_t *r, ngx_pyroscope_ctx_t *ctx,
    ngx_uint_t status)
{
    int64_t            time;
    ngx_atomic_uint_t  key;

    if (ctx->counted) {
        return;
    }

    ctx->counted = 1;
    time = pyro_clock_mono() - ctx->start;

    key = ngx_pyroscope_route_index(ctx->route) * NGX_PYROSCOPE_METHODS
          + ngx_pyroscope_load_method(r);
    key = key * NGX_PYROSCOPE_STATUS_MAX
          + ngx_min(status, NGX_PYROSCOPE_STATUS_MAX - 1) + 1;

    ngx_pyroscope_histogram_add(&ngx_pyroscope_request_row(key)->times,
                                &ngx_pyroscope_scale_request,
                                (uint64_t) ngx_max(time, 0) / 1000);
}


/* Rows are taken in order of arrival, so the frequent ones are found first. */

static ngx_pyroscope_request_row_t *
ngx_pyroscope_request_row(ngx_atomic_uint_t key)
{
    ngx_uint_t                    i;
    ngx_pyroscope_request_row_t  *rows;

    rows = ngx_pyroscope_metrics()->requests;

    for (i = 0; i < NGX_PYROSCOPE_REQUEST_ROWS; i++) {

        if (rows[i].key == 0) {
            (void) ngx_atomic_cmp_set(&rows[i].key, 0, key);
        }

        if (rows[i].key == key) {
            break;
        }
    }

    return &rows[i];
}


void
ngx_pyroscope_metrics_requests(pyro_rope_t *out,
    u_char seen[NGX_PYROSCOPE_ROUTES][NGX_PYROSCOPE_METHODS])
{
    char                          labels[160];
    ngx_uint_t                    i, key, route, method;
    const char                   *name;
    ngx_pyroscope_request_row_t  *rows;

    name = "pyroscope_request_duration_seconds";
    rows = ngx_pyroscope_metrics()->requests;

    ngx_pyroscope_metrics_head(out, name, "histogram",
                               "Time from a request to its answer.");

    for (i = 0; i < NGX_PYROSCOPE_REQUEST_ROWS && rows[i].key; i++) {
        key = rows[i].key - 1;
        route = key / NGX_PYROSCOPE_STATUS_MAX / NGX_PYROSCOPE_METHODS;
        method = key / NGX_PYROSCOPE_STATUS_MAX % NGX_PYROSCOPE_METHODS;
        seen[route][method] = 1;

        *ngx_snprintf((u_char *) labels, sizeof(labels) - 1,
                      "method=\"%s\",route=\"%s\",status_code=\"%ui\","
                      "ws=\"false\"", ngx_pyroscope_load_method_name(method),
                      ngx_pyroscope_route_name(route),
                      key % NGX_PYROSCOPE_STATUS_MAX) = '\0';

        ngx_pyroscope_histogram_text(out, name, labels, &rows[i].times,
                                     &ngx_pyroscope_scale_request);
    }

    if (rows[NGX_PYROSCOPE_REQUEST_ROWS - 1].key) {
        ngx_pyroscope_histogram_text(out, name, "method=\"other\","
                                     "route=\"other\",status_code=\"other\","
                                     "ws=\"false\"",
                                     &rows[NGX_PYROSCOPE_REQUEST_ROWS].times,
                                     &ngx_pyroscope_scale_request);
    }
}
