/*
 * Whose a request is: X-Scope-OrgID, where multitenancy_enabled says so, else
 * "anonymous" whatever the header is (Pyroscope API: tenancy).  Nobody checks
 * who may name which tenant but nginx: a map that refuses what does not fit the
 * user, or a proxy before it that sets the header.
 *
 * Event loop only, but for what says otherwise; what is returned lives as long
 * as the request.
 */

#ifndef _NGX_PYROSCOPE_TENANT_H_INCLUDED_
#define _NGX_PYROSCOPE_TENANT_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"

#include "core/base/rate.h"


/*
 * The one tenant of a push or a setting.  PYRO_UNAUTHENTICATED: the header is
 * missing or empty; PYRO_INVALID: it is no tenant's name.
 */
pyro_status_e ngx_pyroscope_tenant(ngx_http_request_t *r,
    pyro_slice_t *tenant, pyro_error_t *err);

/*
 * The tenants that a query is over, of which there are more with "a|b".
 * PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e ngx_pyroscope_tenants(ngx_http_request_t *r,
    pyro_slice_t **tenants, uint32_t *n, pyro_error_t *err);

/* What all of them allow: the tightest of each of their limits of queries. */
void ngx_pyroscope_tenants_limits(const pyro_settings_t *settings,
    const pyro_slice_t *tenants, uint32_t n, pyro_limits_t *limits);

/*
 * Takes n of a tenant's rate: of pushes, or of bytes that a recording inflates
 * to.  PYRO_EXHAUSTED with the limit, and when it may be tried again.  Any
 * thread.
 */
pyro_status_e ngx_pyroscope_tenant_take(pyro_slice_t tenant,
    const pyro_limits_t *limits, pyro_rate_kind_e kind, uint64_t n,
    pyro_error_t *err);


#endif /* _NGX_PYROSCOPE_TENANT_H_INCLUDED_ */
