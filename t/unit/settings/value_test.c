#include "unit.h"

#include "core/settings/expand.h"
#include "core/settings/value.h"


#define MS   1000000LL
#define SEC  (1000 * MS)
#define DAY  (86400 * SEC)


typedef const char *(*reader_pt)(pyro_slice_t s, int64_t *value);


typedef struct {
    const char  *text;
    int64_t      value;
} good_t;


typedef struct {
    const char  *text;
    const char  *message;
} bad_t;


#define N(array)  (sizeof(array) / sizeof(array[0]))


static void
check(reader_pt reader, const good_t *good, size_t n_good, const bad_t *bad,
    size_t n_bad)
{
    size_t       i;
    int64_t      value;
    const char  *message;

    for (i = 0; i < n_good; i++) {
        value = -1;
        message = reader(pyro_slice_str(good[i].text), &value);

        if (message != NULL || value != good[i].value) {
            fail_msg("\"%s\": %lld, %s", good[i].text, (long long) value,
                     message ? message : "no error");
        }
    }

    for (i = 0; i < n_bad; i++) {
        message = reader(pyro_slice_str(bad[i].text), &value);

        if (message == NULL || strstr(message, bad[i].message) == NULL) {
            fail_msg("\"%s\": \"%s\" is not \"%s\"", bad[i].text,
                     message ? message : "no error", bad[i].message);
        }
    }
}


static void
value_durations(void **state)
{
    static const good_t  good[] = {
        { "0", 0 },
        { "0s", 0 },
        { "500ms", 500 * MS },
        { "30s", 30 * SEC },
        { "5m", 300 * SEC },
        { "1h30m", 5400 * SEC },
        { "1d", DAY },
        { "1w", 7 * DAY },
        { "1y", 365 * DAY },
        { "1y2w3d4h5m6s7ms", 382 * DAY + 14706 * SEC + 7 * MS },
        { "1.5h", 5400 * SEC },
        { "0.25s", 250 * MS },
        { "1.5s500ms", 2 * SEC },
        { "1h0m0s", 3600 * SEC },
        { "30m1h", 5400 * SEC },
        { "10us", 10000 },
        { "10\xc2\xb5s", 10000 },
        { "10\xce\xbcs", 10000 },
        { "7ns", 7 },
        { "0.0000000019s", 1 },
        { "1.00000000000000000000000000000000000001s", SEC },
        { "2562047h47m16.854775807s", INT64_MAX },
        { "292y", 292 * 365 * DAY }
    };
    static const bad_t   bad[] = {
        { "", "is not a duration" },
        { "s", "is not a duration" },
        { "-1h", "is not a duration" },
        { "+1h", "is not a duration" },
        { " 1h", "is not a duration" },
        { "1 h", "unknown unit" },
        { "1h ", "unknown unit" },
        { ".5h", "is not a duration" },
        { "1.h", "is not a duration" },
        { "1.", "is not a duration" },
        { "1.5.5h", "needs a unit" },
        { "10", "needs a unit" },
        { "1h30", "needs a unit" },
        { "00", "needs a unit" },
        { "1D", "unknown unit" },
        { "1mo", "unknown unit" },
        { "1hm", "unknown unit" },
        { "1h-1m", "unknown unit" },
        { "2562047h47m16.854775808s", "is too long" },
        { "2562048h", "is too long" },
        { "293y", "is too long" },
        { "99999999999999999999ns", "is too long" }
    };

    (void) state;

    check(pyro_value_duration, good, N(good), bad, N(bad));
}


static void
value_sizes(void **state)
{
    static const good_t  good[] = {
        { "0", 0 },
        { "4096", 4096 },
        { "12B", 12 },
        { "1K", 1024 },
        { "1k", 1024 },
        { "1KB", 1000 },
        { "1kB", 1000 },
        { "1KiB", 1024 },
        { "64MB", 64000000 },
        { "64MiB", 64 << 20 },
        { "64M", 64 << 20 },
        { "64m", 64 << 20 },
        { "1G", 1 << 30 },
        { "1g", 1 << 30 },
        { "2GB", 2000000000 },
        { "3T", 3LL << 40 },
        { "1TB", 1000000000000 },
        { "1 GiB", 1 << 30 },
        { "9223372036854775807", INT64_MAX },
        { "8388607TiB", 8388607LL << 40 }
    };
    static const bad_t   bad[] = {
        { "", "is not a size" },
        { "MiB", "is not a size" },
        { "-1", "is not a size" },
        { " 1", "is not a size" },
        { "1.5G", "unknown unit" },
        { "1P", "unknown unit" },
        { "1Mib", "unknown unit" },
        { "0x10", "unknown unit" },
        { "9223372036854775808", "is too large" },
        { "8388608TiB", "is too large" }
    };

    (void) state;

    check(pyro_value_size, good, N(good), bad, N(bad));
}


static void
value_shares(void **state)
{
    static const good_t  good[] = {
        { "1%", -1 }, { "1 %", -1 }, { "100%", -100 }, { "0%", 0 },
        { "10G", 10LL << 30 }
    };
    static const bad_t   bad[] = {
        { "101%", "percentage" }, { "%", "percentage" },
        { "-1%", "percentage" }, { "1.5%", "percentage" },
        { "", "is not a size" }, { "1%%", "percentage" }
    };

    (void) state;

    check(pyro_value_share, good, N(good), bad, N(bad));
}


static void
value_counts_and_bools(void **state)
{
    static const good_t  counts[] = {
        { "0", 0 }, { "007", 7 }, { "9223372036854775807", INT64_MAX }
    };
    static const bad_t   bad_counts[] = {
        { "", "whole number" }, { "-1", "whole number" },
        { "+1", "whole number" }, { "1.0", "whole number" },
        { "0x1f", "whole number" }, { "1_000", "whole number" },
        { "9223372036854775808", "too large" },
        { "99999999999999999999999x", "too large" }
    };
    static const good_t  bools[] = {
        { "true", 1 }, { "false", 0 }, { "True", 1 }, { "FALSE", 0 },
        { "yes", 1 }, { "No", 0 }, { "on", 1 }, { "OFF", 0 }
    };
    static const bad_t   bad_bools[] = {
        { "", "neither true nor false" }, { "1", "neither" },
        { "tRue", "neither" }, { "true ", "neither" }
    };

    (void) state;

    check(pyro_value_count, counts, N(counts), bad_counts, N(bad_counts));
    check(pyro_value_bool, bools, N(bools), bad_bools, N(bad_bools));
}


static void
value_numbers(void **state)
{
    char     text[PYRO_VALUE_SHOW_MAX];
    size_t   i;
    int64_t  value, again;

    static const struct {
        const char  *text;
        int64_t      value;
        const char  *shown;
    } good[] = {
        { "0", 0, "0" }, { "4", 4 << 20, "4" }, { "0.5", 1 << 19, "0.5" },
        { ".25", 1 << 18, "0.25" }, { "1.", 1 << 20, "1" },
        { "4.5000000", 9 << 19, "4.5" }, { "0.000001", 1, "0.000001" },
        { "0.99999999999", (1 << 20) - 1, "0.9999991" },
        { "1048576", 1LL << 40, "1048576" }
    };

    static const char *const  bad[] = {
        "", ".", "1.2.3", "-1", "4M", "1e3", " 1", "99999999999999999999",
        "9223372036854775807"
    };

    (void) state;

    for (i = 0; i < N(good); i++) {
        assert_null(pyro_value_number(pyro_slice_str(good[i].text), 1 << 20,
                                      &value));
        assert_true(value == good[i].value);
        assert_string_equal(pyro_value_show_number(text, value, 1 << 20),
                            good[i].shown);
    }

    for (i = 0; i < N(bad); i++) {
        assert_non_null(pyro_value_number(pyro_slice_str(bad[i]), 1 << 20,
                                          &value));
    }

    /* what is shown is read as the same */

    for (value = 1; value < 3 << 20; value += 997) {
        assert_null(pyro_value_number(
                        pyro_slice_str(pyro_value_show_number(text, value,
                                                              1 << 20)),
                        1 << 20, &again));
        assert_true(again == value);
    }
}


static void
value_shown(void **state)
{
    char  text[PYRO_VALUE_SHOW_MAX];

    (void) state;

    assert_string_equal(pyro_value_show_size(text, 0), "0");
    assert_string_equal(pyro_value_show_size(text, 1023), "1023");
    assert_string_equal(pyro_value_show_size(text, 64 << 20), "64MiB");
    assert_string_equal(pyro_value_show_size(text, INT64_MAX),
                        "9223372036854775807");
    assert_string_equal(pyro_value_show_duration(text, 0), "0");
    assert_string_equal(pyro_value_show_duration(text, 90 * SEC), "90s");
    assert_string_equal(pyro_value_show_duration(text, DAY), "1d");
    assert_string_equal(pyro_value_show_duration(text, 7 * DAY), "1w");
    assert_string_equal(pyro_value_show_duration(text, INT64_MAX),
                        "9223372036854775807ns");
}


static pyro_status_e
expand(const char *text, pyro_variables_t *variables, char *out, size_t size,
    pyro_error_t *err)
{
    pyro_slice_t   s;
    pyro_arena_t  *arena;
    pyro_status_e  rc;

    arena = pyro_arena_create(0);
    assert_non_null(arena);

    memset(variables, 0, sizeof(pyro_variables_t));
    memset(err, 0, sizeof(pyro_error_t));

    rc = pyro_expand(arena, pyro_slice_str(text), variables, &s, err);

    if (rc == PYRO_OK) {
        snprintf(out, size, "%.*s", PYRO_SLICE_ARG(s));
    }

    pyro_arena_destroy(arena);

    return rc;
}


static void
value_expanded(void **state)
{
    char                 out[256];
    size_t               i;
    pyro_error_t         err;
    pyro_variables_t     variables;
    static const struct {
        const char  *text;
        const char  *expanded;
        uint32_t     n;
    } good[] = {
        { "", "", 0 },
        { "plain", "plain", 0 },
        { "${PYRO_T_A}", "one", 1 },
        { "<${PYRO_T_A}-${PYRO_T_A}>", "<one-one>", 1 },
        { "${PYRO_T_A}${PYRO_T_B:-x}", "onetwo ${PYRO_T_A}", 2 },
        { "${PYRO_T_NONE:-4040}", "4040", 1 },
        { "${PYRO_T_NONE:-}", "", 1 },
        { "${PYRO_T_NONE:-a:-b}", "a:-b", 1 },
        { "${PYRO_T_EMPTY:-x}", "x", 1 },
        { "${PYRO_T_EMPTY}", "", 1 },
        { "$$", "$", 0 },
        { "$${PYRO_T_A}", "${PYRO_T_A}", 0 },
        { "$$${PYRO_T_A}", "$one", 1 },
        { "a$", "a$", 0 },
        { "$PYRO_T_A", "$PYRO_T_A", 0 },
        { "}{", "}{", 0 },
        { "${PYRO_T_A}}", "one}", 1 }
    };
    static const bad_t   bad[] = {
        { "${PYRO_T_NONE}", "${PYRO_T_NONE}: the environment has no such" },
        { "x${PYRO_T_A", "${PYRO_T_A: has no closing brace" },
        { "${", "${: has no closing brace" },
        { "${}", "${}: is neither ${NAME} nor ${NAME:-default}" },
        { "${1A}", "${1A}: is neither" },
        { "${A B}", "${A B}: is neither" },
        { "${A-b}", "${A-b}: is neither" },
        { "${A:b}", "${A:b}: is neither" },
        { "${A:=b}", "${A:=b}: is neither" },
        { "${A:-${B}}", "${A:-${B}: has a $ in its default" },
        { "${PYRO_T_BYTES}", "${PYRO_T_BYTES}: the variable is not UTF-8" }
    };

    (void) state;

    setenv("PYRO_T_A", "one", 1);
    setenv("PYRO_T_B", "two ${PYRO_T_A}", 1);
    setenv("PYRO_T_EMPTY", "", 1);
    setenv("PYRO_T_BYTES", "\xff", 1);
    unsetenv("PYRO_T_NONE");

    for (i = 0; i < N(good); i++) {
        assert_int_equal(expand(good[i].text, &variables, out, sizeof(out),
                                &err), PYRO_OK);
        assert_string_equal(out, good[i].expanded);
        assert_int_equal(variables.n, good[i].n);
    }

    for (i = 0; i < N(bad); i++) {
        assert_int_equal(expand(bad[i].text, &variables, out, sizeof(out),
                                &err), PYRO_INVALID);

        if (strstr(err.message, bad[i].message) != err.message) {
            fail_msg("\"%s\" is not \"%s\"", err.message, bad[i].message);
        }
    }
}


static void
value_expanded_is_bounded(void **state)
{
    char              *big, *out;
    pyro_error_t       err;
    pyro_variables_t   variables;

    (void) state;

    big = malloc(PYRO_EXPAND_MAX + 1);
    out = malloc(PYRO_EXPAND_MAX + 16);
    assert_non_null(big);
    assert_non_null(out);

    memset(big, 'x', PYRO_EXPAND_MAX);
    big[PYRO_EXPAND_MAX] = '\0';
    setenv("PYRO_T_BIG", big, 1);

    assert_int_equal(expand("${PYRO_T_BIG}", &variables, out,
                            PYRO_EXPAND_MAX + 16, &err), PYRO_OK);
    assert_string_equal(out, big);
    assert_int_equal(expand("${PYRO_T_BIG}x", &variables, out,
                            PYRO_EXPAND_MAX + 16, &err), PYRO_INVALID);
    assert_string_equal(err.message, "has more than 65536 bytes with its "
                                     "variables expanded");

    unsetenv("PYRO_T_BIG");
    free(big);
    free(out);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(value_durations),
        cmocka_unit_test(value_sizes),
        cmocka_unit_test(value_shares),
        cmocka_unit_test(value_counts_and_bools),
        cmocka_unit_test(value_numbers),
        cmocka_unit_test(value_shown),
        cmocka_unit_test(value_expanded),
        cmocka_unit_test(value_expanded_is_bounded),
    };

    return unit_run(tests);
}
