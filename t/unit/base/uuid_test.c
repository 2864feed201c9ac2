#include "unit.h"

#include "core/base/uuid.h"


static pyro_hash128_t
uuid_number(uint64_t hi, uint64_t lo)
{
    pyro_hash128_t  id;

    id.hi = hi;
    id.lo = lo;

    return id;
}


static void
numbers_and_texts(void **state)
{
    char            text[PYRO_UUID_TEXT + 1];
    size_t          i;
    pyro_error_t    err;
    pyro_hash128_t  id;

    static const struct {
        uint64_t     hi;
        uint64_t     lo;
        const char  *text;
    } cases[] = {
        { 0, 0, "00000000-0000-0000-0000-000000000000" },
        { UINT64_MAX, UINT64_MAX, "ffffffff-ffff-ffff-ffff-ffffffffffff" },
        { 0x0123456789abcdefULL, 0xfedcba9876543210ULL,
          "01234567-89ab-cdef-fedc-ba9876543210" },
        { 1, 1, "00000000-0000-0001-0000-000000000001" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pyro_uuid_text(uuid_number(cases[i].hi, cases[i].lo), text);
        assert_string_equal(text, cases[i].text);

        assert_int_equal(pyro_uuid_parse("id", pyro_slice_str(text), &id,
                                         &err), PYRO_OK);
        assert_true(id.hi == cases[i].hi && id.lo == cases[i].lo);
    }

    assert_int_equal(pyro_uuid_parse("id",
                         PYRO_SLICE("01234567-89AB-CDEF-FEDC-BA9876543210"),
                         &id, NULL), PYRO_OK);
    assert_true(id.hi == 0x0123456789abcdefULL
                && id.lo == 0xfedcba9876543210ULL);
}


static void
what_is_none_is_named(void **state)
{
    char            text[600];
    size_t          i;
    pyro_error_t    err;
    pyro_hash128_t  id;

    static const char  *cases[] = {
        "", "x", "0123456789abcdeffedcba9876543210",
        "01234567-89ab-cdef-fedc-ba987654321",
        "01234567-89ab-cdef-fedc-ba98765432100",
        "01234567-89ab-cdef-fedc-ba987654321g",
        "01234567-89ab-cdef-fedc_ba9876543210",
        "0123456-789ab-cdef-fedc-ba9876543210",
        "{1234567-89ab-cdef-fedc-ba987654321}"
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(pyro_uuid_parse("profile_id_selector",
                                         pyro_slice_str(cases[i]), &id, &err),
                         PYRO_INVALID);
        snprintf(text, sizeof(text), "profile_id_selector \"%s\" is no UUID: "
                 "32 hexadecimal digits in groups of 8-4-4-4-12", cases[i]);
        assert_string_equal(err.message, text);
    }

    assert_int_equal(pyro_uuid_parse("id", pyro_slice(NULL, 0), &id, &err),
                     PYRO_INVALID);

    memset(text, 'a', sizeof(text));
    assert_int_equal(pyro_uuid_parse("id", pyro_slice(text, sizeof(text)), &id,
                                     &err), PYRO_INVALID);
    assert_non_null(strstr(err.message, "8-4-4-4-12"));
}


static void
hashes_become_version_8(void **state)
{
    char            text[PYRO_UUID_TEXT + 1];
    uint64_t        i;
    pyro_hash128_t  id;

    (void) state;

    for (i = 0; i < 100; i++) {
        id = pyro_uuid_of(pyro_hash128(&i, sizeof(i)));
        pyro_uuid_text(id, text);

        assert_int_equal(text[14], '8');
        assert_non_null(strchr("89ab", text[19]));
    }

    id = pyro_uuid_of(uuid_number(UINT64_MAX, UINT64_MAX));
    pyro_uuid_text(id, text);
    assert_string_equal(text, "ffffffff-ffff-8fff-bfff-ffffffffffff");

    id = pyro_uuid_of(uuid_number(0, 0));
    pyro_uuid_text(id, text);
    assert_string_equal(text, "00000000-0000-8000-8000-000000000000");
}


static void
numbers_are_ordered(void **state)
{
    (void) state;

    assert_int_equal(pyro_uuid_cmp(uuid_number(1, 2), uuid_number(1, 2)), 0);
    assert_int_equal(pyro_uuid_cmp(uuid_number(1, 2), uuid_number(1, 3)), -1);
    assert_int_equal(pyro_uuid_cmp(uuid_number(1, 3), uuid_number(1, 2)), 1);
    assert_int_equal(pyro_uuid_cmp(uuid_number(2, 0), uuid_number(1, 9)), 1);
    assert_int_equal(pyro_uuid_cmp(uuid_number(1, 9), uuid_number(2, 0)), -1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(numbers_and_texts),
        cmocka_unit_test(what_is_none_is_named),
        cmocka_unit_test(hashes_become_version_8),
        cmocka_unit_test(numbers_are_ordered),
    };

    return unit_run(tests);
}
