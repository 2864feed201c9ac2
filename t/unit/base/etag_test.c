#include "unit.h"

#include "core/base/etag.h"


#define ETAG  "\"0123456789abcdef\""


static int
listed(const char *list)
{
    return pyro_etag_listed(pyro_slice_str(list), PYRO_SLICE(ETAG));
}


static void
has_the_tag(void **state)
{
    size_t  i;

    static const char *const  lists[] = {
        ETAG, "W/" ETAG, " \t" ETAG " ", "\"x\"," ETAG, "\"x\", W/" ETAG,
        ETAG ",\"x\"", ",," ETAG ",", "\"x\" ,\tW/\"y\" ,W/" ETAG,
        "*", " * ", "\"x\", *"
    };

    (void) state;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (!listed(lists[i])) {
            fail_msg("not in: %s", lists[i]);
        }
    }
}


static void
has_it_not(void **state)
{
    size_t  i;

    static const char *const  lists[] = {
        "", " ", ",", ", ,", "\"", "\"\"", "W/", "W/,", "W", "**", "\"*\"",
        "0123456789abcdef", "\"0123456789abcdef", "\"0123456789abcde\"",
        "\"0123456789abcdef0\"", "\"0123456789ABCDEF\"", "w/" ETAG,
        "W/ " ETAG, "W/W/" ETAG, "x" ETAG, ETAG "x", ETAG " " ETAG
    };

    (void) state;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (listed(lists[i])) {
            fail_msg("in: %s", lists[i]);
        }
    }

    assert_int_equal(pyro_etag_listed(pyro_slice(NULL, 0), PYRO_SLICE(ETAG)),
                     0);
    assert_int_equal(pyro_etag_listed(PYRO_SLICE(ETAG "\0"), PYRO_SLICE(ETAG)),
                     0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(has_the_tag),
        cmocka_unit_test(has_it_not),
    };

    return unit_run(tests);
}
