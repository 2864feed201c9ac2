#include "unit.h"

#include "core/base/clock.h"
#include "core/base/timespec.h"


#define SEC   PYRO_NS_PER_SEC
#define NOW   (1700000000 * SEC + 5)


static void
is(const char *text, int64_t expected)
{
    int64_t  value;

    value = pyro_time_parse(pyro_slice_str(text), NOW);

    if (value != expected) {
        fail_msg("%s: %lld, expected %lld", text, (long long) value,
                 (long long) expected);
    }
}


static void
absolute(void **state)
{
    (void) state;

    is("1700000000", 1700000000 * SEC);
    is(" 1_700,000 000\t", 1700000000 * SEC);
    is("1700000000123", 1700000000123 * PYRO_NS_PER_MS);
    is("1700000000123456", 1700000000123456 * 1000);
    is("1700000000123456789", 1700000000123456789);
    is("0", 0);
    is("17", 17 * SEC);
    is("170000000012", INT64_MAX);
    is("9999999999", INT64_MAX);
    is("9223372036", 9223372036 * SEC);
    is("9223372036854775807", INT64_MAX);
    is("9223372036854775808", INT64_MAX);
    is("99999999999999999999999999", INT64_MAX);
    is("00000000000000000000000001", SEC);
}


static void
dates(void **state)
{
    (void) state;

    is("19700101", 0);
    is("19700102", 86400 * SEC);
    is("20231114", 1699920000 * SEC);
    is("20240229", 1709164800 * SEC);
    is("20000229", 951782400 * SEC);
    is("20240301", 1709251200 * SEC);
    is("2023-11-14", NOW);

    /* not a date: seconds */

    is("20230229", 20230229 * SEC);
    is("20231301", 20231301 * SEC);
    is("20230001", 20230001 * SEC);
    is("20230100", 20230100 * SEC);
    is("20230132", 20230132 * SEC);
    is("19000101", 19000101 * SEC);

    /* outside of what nanoseconds hold */

    is("19010101", 0);
    is("99991231", INT64_MAX);
}


static void
relative(void **state)
{
    (void) state;

    is("", NOW);
    is("now", NOW);
    is("whatever", NOW);
    is("now-1h", NOW - 3600 * SEC);
    is("now-1h30m", NOW - 5400 * SEC);
    is("now-30min", NOW - 1800 * SEC);
    is("-5m", NOW - 300 * SEC);
    is("now + 2 d", NOW + 2 * 86400 * SEC);
    is("now-1mon", NOW - 30 * 86400 * SEC);
    is("now-1month", NOW - 30 * 86400 * SEC);
    is("now-1M", NOW - 30 * 86400 * SEC);
    is("now-2weeks", NOW - 14 * 86400 * SEC);
    is("now-1y", NOW - 365 * 86400 * SEC);
    is("now-10seconds", NOW - 10 * SEC);
    is("now-10", NOW);
    is("now-10q", NOW);
    is("now-", NOW);
    is("now-1h+30m", NOW + 1800 * SEC);
    is("midnight-1h", NOW - 3600 * SEC);
    is("2023-11-14T10:00:00Z", NOW);
}


static void
out_of_range(void **state)
{
    (void) state;

    is("now-99999y", 0);
    is("now+99999y", INT64_MAX);
    is("now-99999999999999999999999h", 0);
    is("now+9223372036854775807s9223372036854775807s", INT64_MAX);
    is("now-9223372036854775807s1s", 0);
    is("now-54y", 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(absolute),
        cmocka_unit_test(dates),
        cmocka_unit_test(relative),
        cmocka_unit_test(out_of_range),
    };

    return unit_run(tests);
}
