#include "unit.h"

#include "core/base/urlform.h"


static void
get(const char *query, const char *name, const char *expected)
{
    int            found;
    pyro_slice_t   value;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    arena = pyro_arena_create(0);

    assert_int_equal(pyro_urlform_get(arena, pyro_slice_str(query), name,
                                      &value, &found, &err), PYRO_OK);
    assert_int_equal(found, expected != NULL);

    if (expected != NULL) {
        assert_string_equal(value.data, expected);
    }

    assert_int_equal(value.len, expected != NULL ? strlen(expected) : 0);

    pyro_arena_destroy(arena);
}


static void
parameters(void **state)
{
    (void) state;

    get("", "a", NULL);
    get("a=1&b=2", "a", "1");
    get("a=1&b=2", "b", "2");
    get("a=1&b=2", "c", NULL);
    get("aa=1&a=2", "a", "2");
    get("a=1&a=2", "a", "1");
    get("a", "a", "");
    get("a=", "a", "");
    get("&&a==b=&", "a", "=b=");
    get("=x", "", "x");
    get("a=1", "", NULL);
    get("%61%62=1", "ab", "1");
    get("a%3db=1", "a=b", "1");
}


static void
escapes(void **state)
{
    int            found;
    pyro_slice_t   value;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    (void) state;

    get("a=x+y%20z%2B%2b", "a", "x y z++");
    get("name=shop%7Benv%3Dprod%2Cv%3D17.0.4%2B7%7D", "name",
        "shop{env=prod,v=17.0.4+7}");
    get("a=100%", "a", "100%");
    get("a=%4", "a", "%4");
    get("a=%4&b=1", "a", "%4");
    get("a=%zz%4g%g4%41", "a", "%zz%4g%g4A");
    get("a=%%41", "a", "%A");

    arena = pyro_arena_create(0);
    assert_int_equal(pyro_urlform_get(arena, PYRO_SLICE("a=%00%ff"), "a",
                                      &value, &found, &err), PYRO_OK);
    assert_true(pyro_slice_eq(value, PYRO_SLICE("\0\xff")));
    pyro_arena_destroy(arena);
}


static void
counts(void **state)
{
    (void) state;

    assert_int_equal(pyro_urlform_count(PYRO_SLICE(""), "a"), 0);
    assert_int_equal(pyro_urlform_count(PYRO_SLICE("b=a&ab&=a"), "a"), 0);
    assert_int_equal(pyro_urlform_count(PYRO_SLICE("a"), "a"), 1);
    assert_int_equal(pyro_urlform_count(PYRO_SLICE("a=1&b=2&a=1"), "a"), 2);
    assert_int_equal(pyro_urlform_count(PYRO_SLICE("a&&%61=2&a="), "a"), 3);
}


static void
no_memory(void **state)
{
    int            found;
    pyro_slice_t   value;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(8);
    assert_int_equal(pyro_urlform_get(arena, PYRO_SLICE("a=1"), "a", &value,
                                      &found, &err), PYRO_UNAVAILABLE);
    assert_int_equal(err.reason, PYRO_REASON_MEMORY);
    assert_int_equal(found, 0);
    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(parameters),
        cmocka_unit_test(escapes),
        cmocka_unit_test(counts),
        cmocka_unit_test(no_memory),
    };

    return unit_run(tests);
}
