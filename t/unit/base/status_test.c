#include "unit.h"

#include "core/base/status.h"
#include "core/base/utf8.h"


static void
errors_carry_what_was_said(void **state)
{
    pyro_error_t  err;

    (void) state;

    err.offset = 7;

    assert_int_equal(pyro_error_set(&err, PYRO_INVALID, PYRO_REASON_LABELS,
                                    "label %s: %d", "x", 5), PYRO_INVALID);
    assert_int_equal(err.status, PYRO_INVALID);
    assert_int_equal(err.reason, PYRO_REASON_LABELS);
    assert_int_equal(err.offset, 0);
    assert_string_equal(err.message, "label x: 5");

    assert_int_equal(pyro_error_memory(&err), PYRO_UNAVAILABLE);
    assert_int_equal(err.reason, PYRO_REASON_MEMORY);
    assert_string_equal(err.message, "out of memory");

    assert_int_equal(pyro_error_set(NULL, PYRO_INVALID, PYRO_REASON_LABELS,
                                    "nobody listens"), PYRO_INVALID);

    /* damage is of one error, not of the next in the same record */

    assert_int_equal(pyro_error_damage(&err, PYRO_UNAVAILABLE, state),
                     PYRO_UNAVAILABLE);
    assert_ptr_equal(err.damaged, state);
    pyro_error_memory(&err);
    assert_null(err.damaged);
    assert_int_equal(pyro_error_damage(NULL, PYRO_UNAVAILABLE, state),
                     PYRO_UNAVAILABLE);
}


static void
messages_are_clean_and_bounded(void **state)
{
    char          text[2000];
    size_t        i;
    pyro_error_t  err;

    (void) state;

    pyro_error_set(&err, PYRO_INVALID, PYRO_REASON_LABELS, "%s",
                   "a\r\n\x01\xff\xc3\xa4");
    assert_string_equal(err.message, "a????\xc3\xa4");

    /* two-byte characters at even and at odd places meet the limit */

    for (i = 0; i < sizeof(text) - 1; i += 2) {
        memcpy(text + i, "\xc3\xa4", 2);
    }

    text[sizeof(text) - 1] = '\0';

    for (i = 0; i < 2; i++) {
        pyro_error_set(&err, PYRO_INVALID, PYRO_REASON_LABELS, "%s%s",
                       i ? "x" : "", text);
        assert_true(strlen(err.message) >= PYRO_ERROR_MESSAGE_MAX - 2);
        assert_true(strlen(err.message) < PYRO_ERROR_MESSAGE_MAX);
        assert_true(pyro_utf8_valid(err.message, strlen(err.message)));
    }
}


static void
reasons_have_texts(void **state)
{
    int  i, k;

    (void) state;

    for (i = 0; i < PYRO_REASON_COUNT; i++) {
        for (k = 0; k < i; k++) {
            assert_string_not_equal(pyro_reason_text((pyro_reason_e) i),
                                    pyro_reason_text((pyro_reason_e) k));
        }
    }

    assert_string_equal(pyro_reason_text(PYRO_REASON_PROFILE_SIZE),
                        "profile_size_limit");
    assert_string_equal(pyro_reason_text(PYRO_REASON_COUNT), "unknown");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(errors_carry_what_was_said),
        cmocka_unit_test(messages_are_clean_and_bounded),
        cmocka_unit_test(reasons_have_texts),
    };

    return unit_run(tests);
}
