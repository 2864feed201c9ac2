#include "unit.h"

#include "core/base/tenant.h"


static void
names(void **state)
{
    char          name[PYRO_TENANT_MAX + 2];
    size_t        i;
    pyro_error_t  err;

    static const char *const  good[] = {
        "a", "anonymous", "team-1", "A.b_c!*'()", "..."
    };

    static const struct {
        const char  *name;
        const char  *message;
    } bad[] = {
        { "", "a tenant's name of 0 bytes; allowed are 1 to 150" },
        { ".", "\".\" is no name of a tenant" },
        { "..", "\"..\" is no name of a tenant" },
        { "a/b", "tenant \"a/b\": allowed are letters, digits and" },
        { "a b", "tenant \"a b\": allowed" },
        { "a|b", "tenant \"a|b\": allowed" },
        { "\xc3\xa4", "tenant \"\xc3\xa4\": allowed" },
        { "a\n", "tenant \"a?\": allowed" }
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(pyro_tenant_check(pyro_slice_str(good[i]), &err),
                         PYRO_OK);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(pyro_tenant_check(pyro_slice_str(bad[i].name), &err),
                         PYRO_INVALID);
        assert_ptr_equal(strstr(err.message, bad[i].message), err.message);
    }

    assert_int_equal(pyro_tenant_check(PYRO_SLICE("a\0b"), &err),
                     PYRO_INVALID);

    memset(name, 'n', sizeof(name));
    assert_int_equal(pyro_tenant_check(pyro_slice(name, PYRO_TENANT_MAX),
                                       &err), PYRO_OK);
    assert_int_equal(pyro_tenant_check(pyro_slice(name, PYRO_TENANT_MAX + 1),
                                       &err), PYRO_INVALID);
}


static void
several_names(void **state)
{
    char           text[3 * PYRO_TENANTS_MAX + 8];
    size_t         i;
    uint32_t       n;
    pyro_error_t   err;
    pyro_slice_t   tenants[PYRO_TENANTS_MAX];

    static const char *const  bad[] = {
        "", "|", "a|", "|a", "a||b", "a|.", "a|b c"
    };

    (void) state;

    assert_int_equal(pyro_tenants_parse(PYRO_SLICE("one"), tenants, &n, &err),
                     PYRO_OK);
    assert_int_equal(n, 1);

    assert_int_equal(pyro_tenants_parse(PYRO_SLICE("b|c|a|b|a|c|bb"), tenants,
                                        &n, &err), PYRO_OK);
    assert_int_equal(n, 4);
    assert_true(pyro_slice_is(tenants[0], "a"));
    assert_true(pyro_slice_is(tenants[1], "b"));
    assert_true(pyro_slice_is(tenants[2], "bb"));
    assert_true(pyro_slice_is(tenants[3], "c"));

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(pyro_tenants_parse(pyro_slice_str(bad[i]), tenants,
                                            &n, &err), PYRO_INVALID);
    }

    /* as many as there is room for, and one more */

    for (i = 0; i <= PYRO_TENANTS_MAX; i++) {
        snprintf(text + 3 * i, 4, "%02zu|", i);
    }

    assert_int_equal(pyro_tenants_parse(pyro_slice(text,
                                                   3 * PYRO_TENANTS_MAX - 1),
                                        tenants, &n, &err), PYRO_OK);
    assert_int_equal(n, PYRO_TENANTS_MAX);
    assert_int_equal(pyro_tenants_parse(pyro_slice(text,
                                                   3 * PYRO_TENANTS_MAX + 2),
                                        tenants, &n, &err), PYRO_INVALID);
    assert_string_equal(err.message, "more than 32 tenants in one query");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(several_names),
    };

    return unit_run(tests);
}
