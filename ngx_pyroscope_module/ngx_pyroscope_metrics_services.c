#include "ngx_pyroscope_module/ngx_pyroscope_metrics_zone.h"

#include "core/base/clock.h"


static void ngx_pyroscope_metrics_row(pyro_rope_t *out, const char *name,
    const pyro_tally_row_t *row, const char *value);
static const char *ngx_pyroscope_metrics_cell(const pyro_tally_row_t *row,
    ngx_uint_t column, char *text, size_t size);


/* the sums of a tally, and its time */

static const struct {
    const char  *name;
    const char  *type;
    const char  *help;
} ngx_pyroscope_columns[PYRO_TALLY_SUMS + 1] = {
    { "ngx_pyroscope_service_pushes_total", "counter",
      "Uploads of a service that were answered 200." },
    { "ngx_pyroscope_service_received_bytes_total", "counter",
      "Bytes of their bodies." },
    { "ngx_pyroscope_service_samples_total", "counter",
      "Distinct samples of them that were stored." },
    { "ngx_pyroscope_service_last_push_timestamp_seconds", "gauge",
      "When the latest of them was answered." }
};


void
ngx_pyroscope_metrics_service(pyro_slice_t tenant, pyro_slice_t service,
    uint64_t bytes, uint64_t samples)
{
    uint64_t  sums[PYRO_TALLY_SUMS];

    sums[PYRO_TALLY_PUSHES] = 1;
    sums[PYRO_TALLY_BYTES] = bytes;
    sums[PYRO_TALLY_SAMPLES] = samples;

    pyro_tally_add(&ngx_pyroscope_metrics()->services, tenant, service, sums,
                   pyro_clock_wall());
}


void
ngx_pyroscope_metrics_services(pyro_rope_t *out)
{
    char           text[32];
    uint32_t       i, n;
    ngx_uint_t     column;
    const char    *name;
    pyro_tally_t  *tally;

    tally = &ngx_pyroscope_metrics()->services;
    n = pyro_tally_rows(tally);

    for (column = 0; column <= PYRO_TALLY_SUMS; column++) {
        name = ngx_pyroscope_columns[column].name;

        ngx_pyroscope_metrics_head(out, name,
                                   ngx_pyroscope_columns[column].type,
                                   ngx_pyroscope_columns[column].help);

        for (i = 0; i < n; i++) {
            ngx_pyroscope_metrics_row(out, name, &tally->rows[i],
                ngx_pyroscope_metrics_cell(&tally->rows[i], column, text,
                                           sizeof(text)));
        }

        if (tally->rest.sums[PYRO_TALLY_PUSHES]) {
            pyro_rope_printf(out, "%s{rest=\"others\"} %s\n", name,
                ngx_pyroscope_metrics_cell(&tally->rest, column, text,
                                           sizeof(text)));
        }
    }
}


static const char *
ngx_pyroscope_metrics_cell(const pyro_tally_row_t *row, ngx_uint_t column,
    char *text, size_t size)
{
    if (column < PYRO_TALLY_SUMS) {
        snprintf(text, size, "%lu", (unsigned long) row->sums[column]);

    } else {
        snprintf(text, size, "%.3f", (double) row->last / 1e9);
    }

    return text;
}


/*
 * A name is clean text, of which JSON and Prometheus escape the same.  Tenants
 * may have come before a reload turned them off.
 */

static void
ngx_pyroscope_metrics_row(pyro_rope_t *out, const char *name,
    const pyro_tally_row_t *row, const char *value)
{
    pyro_slice_t  tenant;

    tenant = pyro_slice(row->tenant, row->tenant_len);

    pyro_rope_printf(out, "%s{service_name=", name);
    pyro_rope_json(out, pyro_slice(row->name, row->name_len));

    if (ngx_pyroscope_worker.conf->settings->multitenancy_enabled
        || !pyro_slice_is(tenant, PYRO_TENANT_DEFAULT))
    {
        pyro_rope_append(out, ",tenant=", sizeof(",tenant=") - 1);
        pyro_rope_json(out, tenant);
    }

    pyro_rope_printf(out, "} %s\n", value);
}
