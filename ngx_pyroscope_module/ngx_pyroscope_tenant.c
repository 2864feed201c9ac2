#include "ngx_pyroscope_module/ngx_pyroscope_tenant.h"

#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/tenant.h"


static pyro_status_e ngx_pyroscope_tenant_text(ngx_http_request_t *r,
    pyro_slice_t *value, pyro_error_t *err);
static ngx_str_t ngx_pyroscope_tenant_header(ngx_http_request_t *r);
static int64_t ngx_pyroscope_tenant_tighter(int64_t a, int64_t b);


pyro_status_e
ngx_pyroscope_tenant(ngx_http_request_t *r, pyro_slice_t *tenant,
    pyro_error_t *err)
{
    if (ngx_pyroscope_tenant_text(r, tenant, err) != PYRO_OK) {
        return err->status;
    }

    return pyro_tenant_check(*tenant, err);
}


pyro_status_e
ngx_pyroscope_tenants(ngx_http_request_t *r, pyro_slice_t **tenants,
    uint32_t *n, pyro_error_t *err)
{
    pyro_slice_t   value;

    *n = 1;
    *tenants = ngx_palloc(r->pool, PYRO_TENANTS_MAX * sizeof(pyro_slice_t));

    if (*tenants == NULL) {
        return pyro_error_memory(err);
    }

    if (ngx_pyroscope_tenant_text(r, &value, err) != PYRO_OK) {
        return err->status;
    }

    return pyro_tenants_parse(value, *tenants, n, err);
}


static pyro_status_e
ngx_pyroscope_tenant_text(ngx_http_request_t *r, pyro_slice_t *value,
    pyro_error_t *err)
{
    ngx_str_t             name;
    ngx_pyroscope_ctx_t  *ctx;

    ngx_str_set(&name, PYRO_TENANT_DEFAULT);

    if (ngx_pyroscope_worker.conf->settings->multitenancy_enabled) {
        name = ngx_pyroscope_tenant_header(r);
    }

    if (name.len == 0) {
        return pyro_error_set(err, PYRO_UNAUTHENTICATED, PYRO_REASON_REQUEST,
                              "no org id");
    }

    *value = ngx_pyroscope_slice(&name);

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);
    ctx->tenant = name;

    return PYRO_OK;
}


/*
 * What a map is asked about, so that nobody is let in as one tenant and is
 * another: nginx takes X_Scope_OrgID for the same where underscores are
 * allowed, and has rules of its own for a header that comes twice.
 */

static ngx_str_t
ngx_pyroscope_tenant_header(ngx_http_request_t *r)
{
    ngx_str_t                   value;
    ngx_http_variable_value_t  *v;

    static ngx_str_t  name = ngx_string("http_x_scope_orgid");

    ngx_str_null(&value);

    v = ngx_http_get_variable(r, &name, ngx_hash_key(name.data, name.len));

    if (v != NULL && !v->not_found) {
        value.data = v->data;
        value.len = v->len;
    }

    return value;
}


void
ngx_pyroscope_tenants_limits(const pyro_settings_t *settings,
    const pyro_slice_t *tenants, uint32_t n, pyro_limits_t *limits)
{
    uint32_t              i;
    const pyro_limits_t  *other;

    *limits = *pyro_settings_limits(settings, tenants[0]);

    for (i = 1; i < n; i++) {
        other = pyro_settings_limits(settings, tenants[i]);

        limits->max_flamegraph_nodes_default =
            ngx_min(limits->max_flamegraph_nodes_default,
                    other->max_flamegraph_nodes_default);
        limits->max_flamegraph_nodes_max =
            ngx_min(limits->max_flamegraph_nodes_max,
                    other->max_flamegraph_nodes_max);
        limits->max_query_length =
            ngx_pyroscope_tenant_tighter(limits->max_query_length,
                                         other->max_query_length);
        limits->max_query_lookback =
            ngx_pyroscope_tenant_tighter(limits->max_query_lookback,
                                         other->max_query_lookback);
    }
}


/* 0 is no limit. */

static int64_t
ngx_pyroscope_tenant_tighter(int64_t a, int64_t b)
{
    return a == 0 || (b && b < a) ? b : a;
}


pyro_status_e
ngx_pyroscope_tenant_take(pyro_slice_t tenant, const pyro_limits_t *limits,
    pyro_rate_kind_e kind, uint64_t n, pyro_error_t *err)
{
    int64_t      wait;
    uint64_t     rate, burst;
    const char  *name;

    rate = kind == PYRO_RATE_BYTES ? limits->ingestion_rate
                                   : limits->ingestion_rate_pushes;

    if (rate == 0) {
        return PYRO_OK;
    }

    burst = kind == PYRO_RATE_BYTES ? limits->ingestion_burst
                                    : limits->ingestion_burst_pushes;
    burst = burst ? burst : rate;

    wait = pyro_rate_take(ngx_pyroscope_metrics_rates(),
                          pyro_hash64(tenant.data, tenant.len, 0), kind, n,
                          rate, burst, pyro_clock_mono());

    if (wait == 0) {
        return PYRO_OK;
    }

    name = kind == PYRO_RATE_BYTES ? "limits.ingestion_rate_mb"
                                   : "limits.ingestion_rate_pushes";

    if (wait == INT64_MAX) {
        return pyro_error_set(err, PYRO_EXHAUSTED, PYRO_REASON_RATE,
                              "%s of tenant \"%.*s\": %llu bytes at once, its "
                              "burst is %llu", name, PYRO_SLICE_ARG(tenant),
                              (unsigned long long) n,
                              (unsigned long long) burst);
    }

    (void) pyro_error_set(err, PYRO_EXHAUSTED, PYRO_REASON_RATE,
                          "%s of tenant \"%.*s\" is used up: %llu %s a "
                          "second, %llu at once", name, PYRO_SLICE_ARG(tenant),
                          (unsigned long long) rate,
                          kind == PYRO_RATE_BYTES ? "bytes" : "pushes",
                          (unsigned long long) burst);

    err->retry = (uint32_t) ((wait + PYRO_NS_PER_SEC - 1) / PYRO_NS_PER_SEC);

    return PYRO_EXHAUSTED;
}
