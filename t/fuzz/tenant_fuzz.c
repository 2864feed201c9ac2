/*
 * X-Scope-OrgID: what is accepted is sorted, each once, parts of the text, and
 * each a name by itself.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/tenant.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t      i, n;
    const char   *text;
    pyro_error_t  err;
    pyro_slice_t  tenants[PYRO_TENANTS_MAX];

    text = (const char *) data;

    if (pyro_tenants_parse(pyro_slice(text, size), tenants, &n, &err)
        != PYRO_OK)
    {
        return 0;
    }

    if (n == 0 || n > PYRO_TENANTS_MAX) {
        abort();
    }

    for (i = 0; i < n; i++) {

        if (tenants[i].data < text
            || tenants[i].data + tenants[i].len > text + size
            || pyro_tenant_check(tenants[i], &err) != PYRO_OK
            || (i && pyro_slice_cmp(tenants[i - 1], tenants[i]) >= 0))
        {
            abort();
        }
    }

    return 0;
}
