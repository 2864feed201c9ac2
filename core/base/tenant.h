/*
 * Names of tenants, as X-Scope-OrgID has them (Pyroscope API: tenancy).  Any
 * thread.
 */

#ifndef _PYRO_TENANT_H_INCLUDED_
#define _PYRO_TENANT_H_INCLUDED_


#include "core/base/slice.h"
#include "core/base/status.h"


#define PYRO_TENANT_DEFAULT  "anonymous"    /* whose all is without tenants */
#define PYRO_TENANT_MAX      150            /* bytes */
#define PYRO_TENANTS_MAX     32             /* of one query */


/*
 * PYRO_INVALID, with the name, unless it is 1 to 150 letters, digits and
 * ! - _ . * ' ( ), and neither "." nor "..".
 */
pyro_status_e pyro_tenant_check(pyro_slice_t name, pyro_error_t *err);

/*
 * Names with | between them into tenants, which has room for PYRO_TENANTS_MAX:
 * sorted, each once, parts of the text.  PYRO_INVALID also for more of them.
 */
pyro_status_e pyro_tenants_parse(pyro_slice_t text, pyro_slice_t *tenants,
    uint32_t *n, pyro_error_t *err);


#endif /* _PYRO_TENANT_H_INCLUDED_ */
