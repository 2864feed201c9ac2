#include "core/base/tenant.h"


static int pyro_tenant_allows(char c);
static uint32_t pyro_tenant_place(const pyro_slice_t *tenants, uint32_t n,
    pyro_slice_t name, int *found);


pyro_status_e
pyro_tenant_check(pyro_slice_t name, pyro_error_t *err)
{
    size_t  i;

    if (name.len == 0 || name.len > PYRO_TENANT_MAX) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "a tenant's name of %zu bytes; allowed are 1 to "
                              "%d", name.len, PYRO_TENANT_MAX);
    }

    if (pyro_slice_is(name, ".") || pyro_slice_is(name, "..")) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "\"%.*s\" is no name of a tenant",
                              PYRO_SLICE_ARG(name));
    }

    for (i = 0; i < name.len; i++) {

        if (!pyro_tenant_allows(name.data[i])) {
            return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                                  "tenant \"%.*s\": allowed are letters, "
                                  "digits and ! - _ . * ' ( )",
                                  PYRO_SLICE_ARG(name));
        }
    }

    return PYRO_OK;
}


static int
pyro_tenant_allows(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9')
           || (c != '\0' && strchr("!-_.*'()", c) != NULL);
}


pyro_status_e
pyro_tenants_parse(pyro_slice_t text, pyro_slice_t *tenants, uint32_t *n,
    pyro_error_t *err)
{
    int            found;
    uint32_t       i;
    const char    *bar;
    pyro_slice_t   name;

    *n = 0;

    do {
        bar = text.len ? memchr(text.data, '|', text.len) : NULL;
        name = pyro_slice(text.data, bar != NULL ? (size_t) (bar - text.data)
                                                 : text.len);

        if (pyro_tenant_check(name, err) != PYRO_OK) {
            return PYRO_INVALID;
        }

        i = pyro_tenant_place(tenants, *n, name, &found);

        if (!found) {
            if (*n == PYRO_TENANTS_MAX) {
                return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                                      "more than %d tenants in one query",
                                      PYRO_TENANTS_MAX);
            }

            memmove(&tenants[i + 1], &tenants[i],
                    (*n - i) * sizeof(pyro_slice_t));
            tenants[i] = name;
            (*n)++;
        }

        if (bar != NULL) {
            text.len -= (size_t) (bar + 1 - text.data);
            text.data = bar + 1;
        }

    } while (bar != NULL);

    return PYRO_OK;
}


/* Where the name is, or belongs. */
static uint32_t
pyro_tenant_place(const pyro_slice_t *tenants, uint32_t n, pyro_slice_t name,
    int *found)
{
    int       cmp;
    uint32_t  i;

    *found = 0;

    for (i = 0; i < n; i++) {
        cmp = pyro_slice_cmp(tenants[i], name);

        if (cmp >= 0) {
            *found = cmp == 0;
            break;
        }
    }

    return i;
}
