#include "ngx_pyroscope_module/ngx_pyroscope_tenant.h"

#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"

#include "core/base/tenant.h"


static pyro_status_e ngx_pyroscope_tenant_header(ngx_http_request_t *r,
    pyro_slice_t *value, pyro_error_t *err);
static int64_t ngx_pyroscope_tenant_tighter(int64_t a, int64_t b);


pyro_status_e
ngx_pyroscope_tenant(ngx_http_request_t *r, pyro_slice_t *tenant,
    pyro_error_t *err)
{
    if (!ngx_pyroscope_worker.conf->settings->multitenancy_enabled) {
        *tenant = PYRO_SLICE(PYRO_TENANT_DEFAULT);
        return PYRO_OK;
    }

    if (ngx_pyroscope_tenant_header(r, tenant, err) != PYRO_OK) {
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

    if (!ngx_pyroscope_worker.conf->settings->multitenancy_enabled) {
        (*tenants)[0] = PYRO_SLICE(PYRO_TENANT_DEFAULT);
        return PYRO_OK;
    }

    if (ngx_pyroscope_tenant_header(r, &value, err) != PYRO_OK) {
        return err->status;
    }

    return pyro_tenants_parse(value, *tenants, n, err);
}


static pyro_status_e
ngx_pyroscope_tenant_header(ngx_http_request_t *r, pyro_slice_t *value,
    pyro_error_t *err)
{
    ngx_str_t  *header;

    header = ngx_pyroscope_request_header(r, "X-Scope-OrgID");

    if (header == NULL || header->len == 0) {
        return pyro_error_set(err, PYRO_UNAUTHENTICATED, PYRO_REASON_REQUEST,
                              "no org id");
    }

    *value = ngx_pyroscope_slice(header);

    return PYRO_OK;
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
