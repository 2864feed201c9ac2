#include "unit.h"

#include "jfr/jfr_word.h"


/* The table is searched by halves, so its order matters. */
static void
every_word_is_found(void **state)
{
    uint32_t      i;
    pyro_slice_t  text;

    (void) state;

    for (i = 1; i < PYRO_JFR_WORD_COUNT; i++) {
        text = pyro_jfr_word_text(i);

        if (pyro_jfr_word(text) != i) {
            fail_msg("%.*s is not found", PYRO_SLICE_ARG(text));
        }

        assert_true(text.len <= PYRO_JFR_MAX_WORD);
        text.len--;
        assert_int_not_equal(pyro_jfr_word(text), i);
    }

    assert_int_equal(pyro_jfr_word_text(PYRO_JFR_WORD_NONE).len, 0);
    assert_int_equal(pyro_jfr_word(pyro_slice(NULL, 0)), PYRO_JFR_WORD_NONE);
    assert_int_equal(pyro_jfr_word(PYRO_SLICE("jdk.executionsample")),
                     PYRO_JFR_WORD_NONE);
    assert_int_equal(pyro_jfr_word(PYRO_SLICE("jdk.ObjectAllocationOutsideTLAB"
                                              "s")), PYRO_JFR_WORD_NONE);
}


static void
names_of_version_1(void **state)
{
    (void) state;

    assert_int_equal(pyro_jfr_word_v1(
                         PYRO_SLICE("com.oracle.jdk.ExecutionSample")),
                     PYRO_JFR_WORD_JDK_EXECUTION_SAMPLE);
    assert_int_equal(pyro_jfr_word_v1(
                   PYRO_SLICE("com.oracle.jdk.ObjectAllocationOutsideTLAB")),
                     PYRO_JFR_WORD_JDK_OBJECT_ALLOCATION_OUTSIDE_TLAB);
    assert_int_equal(pyro_jfr_word_v1(
                         PYRO_SLICE("com.oracle.jfr.types.StackTrace")),
                     PYRO_JFR_WORD_JDK_TYPES_STACK_TRACE);
    assert_int_equal(pyro_jfr_word_v1(PYRO_SLICE("java.lang.Class")),
                     PYRO_JFR_WORD_JAVA_LANG_CLASS);
    assert_int_equal(pyro_jfr_word_v1(PYRO_SLICE("com.oracle.jdk.")),
                     PYRO_JFR_WORD_NONE);
    assert_int_equal(pyro_jfr_word_v1(PYRO_SLICE("com.oracle.jdk."
                         "0123456789012345678901234567890123456789")),
                     PYRO_JFR_WORD_NONE);
    assert_int_equal(pyro_jfr_word(
                         PYRO_SLICE("com.oracle.jdk.ExecutionSample")),
                     PYRO_JFR_WORD_NONE);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(every_word_is_found),
        cmocka_unit_test(names_of_version_1),
    };

    return unit_run(tests);
}
