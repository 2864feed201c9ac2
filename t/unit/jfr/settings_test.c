#include "unit.h"

#include "jfr/jfr_settings.h"


static void
periods(void **state)
{
    size_t               i;
    pyro_jfr_settings_t  settings;

    /* event, interval, period of the JDK, rate; ns */

    static const struct {
        const char  *event;
        const char  *interval;
        const char  *period;
        int64_t      rate;
        int64_t      ns;
    } cases[] = {
        { "itimer", "10000000", "", 100, 10000000 },
        { "itimer", "20000000", "", 50, 20000000 },
        { "itimer", "3000000", "", 333, 3003003 },
        { "itimer", "20000000", "", 100, 20000000 },
        { "ctimer", "20000000", "", -1, 20000000 },
        { "ctimer", "0", "", -1, 10000000 },
        { "wall", "20000000", "", 0, 20000000 },
        { "cpu", "2000000000", "", 0, 2000000000 },
        { "cycles", "1000000", "", -1, 10000000 },
        { "", "1000000", "", -1, 10000000 },
        { "itimer", "10ms", "", 50, 20000000 },
        { "itimer", "", "", 97, 10309278 },
        { "itimer", "", "", 2000000000, 10000000 },
        { "", "", "20 ms", -1, 20000000 },
        { "", "", "20 ms", 100, 10000000 },
        { "", "", "1 s", 0, 1000000000 },
        { "", "", "everyChunk", -1, 10000000 },
        { "", "", "99999999999999999999 d", -1, 10000000 },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&settings, 0, sizeof(settings));

        pyro_jfr_setting(&settings, PYRO_SLICE("event"),
                         pyro_slice_str(cases[i].event), 0);
        pyro_jfr_setting(&settings, PYRO_SLICE("interval"),
                         pyro_slice_str(cases[i].interval), 1);
        pyro_jfr_setting(&settings, PYRO_SLICE("period"),
                         pyro_slice_str(cases[i].period), 1);
        pyro_jfr_setting(&settings, PYRO_SLICE("period"),
                         PYRO_SLICE("7 s"), 0);
        pyro_jfr_setting(&settings, PYRO_SLICE("wall"),
                         PYRO_SLICE("200000000"), 1);

        assert_int_equal(pyro_jfr_period(&settings, cases[i].rate),
                         cases[i].ns);
    }
}


static void
engines(void **state)
{
    size_t               i;
    pyro_jfr_settings_t  settings;

    static const struct {
        const char  *event;
        const char  *engine;
        const char  *expected;
    } cases[] = {
        { "cpu", "perf_events", "perf_events" },
        { "cpu", "ctimer", "ctimer" },
        { "cpu", "", "" },
        { "itimer", "", "itimer" },
        { "ctimer", "", "ctimer" },
        { "wall", "", "wall" },
        { "", "", "" },
        { "java.lang.Thread.run", "", "" },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&settings, 0, sizeof(settings));

        pyro_jfr_setting(&settings, PYRO_SLICE("event"),
                         PYRO_SLICE("forgotten"), 0);
        pyro_jfr_setting(&settings, PYRO_SLICE("event"),
                         pyro_slice_str(cases[i].event), 0);
        pyro_jfr_setting(&settings, PYRO_SLICE("engine"),
                         pyro_slice_str(cases[i].engine), 0);

        assert_true(pyro_slice_is(pyro_jfr_engine(&settings),
                                  cases[i].expected));
        assert_string_equal(settings.event, cases[i].event);
        assert_int_equal(pyro_jfr_is_wall(&settings),
                         strcmp(cases[i].event, "wall") == 0);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(periods),
        cmocka_unit_test(engines),
    };

    return unit_run(tests);
}
