#include "unit.h"

#include "core/base/slice.h"
#include "core/base/utf8.h"


static void
characters(void **state)
{
    size_t  i;

    static const struct {
        pyro_slice_t  text;
        size_t        len;
    } cases[] = {
        { PYRO_SLICE(""),                   0 },
        { PYRO_SLICE("a"),                  1 },
        { PYRO_SLICE("\0"),                 1 },
        { PYRO_SLICE("\x7f"),               1 },
        { PYRO_SLICE("\x80"),               0 },
        { PYRO_SLICE("\xbf"),               0 },
        { PYRO_SLICE("\xc0\x80"),           0 },    /* overlong */
        { PYRO_SLICE("\xc1\xbf"),           0 },
        { PYRO_SLICE("\xc2\x80"),           2 },
        { PYRO_SLICE("\xdf\xbf" "a"),       2 },
        { PYRO_SLICE("\xc2"),               0 },    /* truncated */
        { PYRO_SLICE("\xc2" "a"),           0 },
        { PYRO_SLICE("\xe0\x9f\xbf"),       0 },    /* overlong */
        { PYRO_SLICE("\xe0\xa0\x80"),       3 },
        { PYRO_SLICE("\xe2\x82"),           0 },
        { PYRO_SLICE("\xed\x9f\xbf"),       3 },
        { PYRO_SLICE("\xed\xa0\x80"),       0 },    /* surrogates */
        { PYRO_SLICE("\xed\xbf\xbf"),       0 },
        { PYRO_SLICE("\xee\x80\x80"),       3 },
        { PYRO_SLICE("\xef\xbf\xbf"),       3 },
        { PYRO_SLICE("\xf0\x8f\xbf\xbf"),   0 },    /* overlong */
        { PYRO_SLICE("\xf0\x90\x80\x80"),   4 },
        { PYRO_SLICE("\xf0\x90\x80"),       0 },
        { PYRO_SLICE("\xf4\x8f\xbf\xbf"),   4 },
        { PYRO_SLICE("\xf4\x90\x80\x80"),   0 },    /* above U+10FFFF */
        { PYRO_SLICE("\xf5\x80\x80\x80"),   0 },
        { PYRO_SLICE("\xff"),               0 },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(pyro_utf8_char(cases[i].text.data,
                                        cases[i].text.len), cases[i].len);
    }
}


/* A bad byte at every place of a text longer than a machine word. */
static void
validity(void **state)
{
    char    text[64];
    size_t  i, len;

    (void) state;

    for (len = 0; len < sizeof(text); len++) {
        memset(text, 'a', sizeof(text));
        assert_true(pyro_utf8_valid(text, len));

        for (i = 0; i < len; i++) {
            text[i] = '\xff';
            assert_false(pyro_utf8_valid(text, len));
            text[i] = 'a';
        }
    }

    memcpy(text + 6, "\xe2\x82\xac", 3);
    assert_true(pyro_utf8_valid(text, 20));
    assert_false(pyro_utf8_valid(text, 8));
    assert_true(pyro_utf8_valid(NULL, 0));
}


static void
cleaning(void **state)
{
    char          out[16];
    size_t        len;
    pyro_slice_t  in = PYRO_SLICE("a\n\xff\x7f\xc3\xa4z");

    (void) state;

    len = pyro_utf8_clean(out, sizeof(out), in.data, in.len);
    assert_true(pyro_slice_eq(pyro_slice(out, len),
                              PYRO_SLICE("a???\xc3\xa4z")));

    /* no character is cut in two */

    assert_int_equal(pyro_utf8_clean(out, 6, in.data, in.len), 6);
    assert_int_equal(pyro_utf8_clean(out, 5, in.data, in.len), 4);
    assert_int_equal(pyro_utf8_clean(out, 4, in.data, in.len), 4);
    assert_int_equal(pyro_utf8_clean(out, 0, in.data, in.len), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(characters),
        cmocka_unit_test(validity),
        cmocka_unit_test(cleaning),
    };

    return unit_run(tests);
}
