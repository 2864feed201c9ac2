#include "unit.h"

#include "jfr/jfr_settings.h"


static pyro_jfr_setting_list_t  list;


static void
setting(const char *type, const char *name, const char *value)
{
    pyro_jfr_setting_t  s = { pyro_slice_str(type), pyro_slice_str(name),
                              pyro_slice_str(value) };

    pyro_jfr_setting_list_add(&list, &s);
}


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

        pyro_jfr_setting_list_init(&list);
        setting("jdk.ActiveRecording", "event", cases[i].event);
        setting("jdk.ExecutionSample", "interval", cases[i].interval);
        setting("jdk.ExecutionSample", "period", cases[i].period);
        setting("jdk.NativeMethodSample", "period", "7 s");
        setting("jdk.ExecutionSample", "wall", "200000000");
        pyro_jfr_settings_take(&settings, &list);

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

        pyro_jfr_setting_list_init(&list);
        setting("", "event", "forgotten");
        setting("", "event", cases[i].event);
        setting("", "engine", cases[i].engine);
        pyro_jfr_settings_take(&settings, &list);

        assert_true(pyro_slice_is(pyro_jfr_engine(&settings),
                                  cases[i].expected));
        assert_string_equal(settings.event, cases[i].event);
        assert_int_equal(pyro_jfr_is_wall(&settings),
                         strcmp(cases[i].event, "wall") == 0);
    }
}


/* Of a chunk and those before it, the last of a name and an event counts. */
static void
facts(void **state)
{
    char              names[2 * PYRO_JFR_MAX_SETTINGS][16];
    uint32_t          i;
    pyro_arena_t     *arena;
    pyro_jfr_info_t   info;

    (void) state;

    arena = pyro_arena_create(0);
    memset(&info, 0, sizeof(info));

    pyro_jfr_setting_list_init(&list);
    setting("jdk.ActiveRecording", "version", "4.5");
    setting("jdk.ExecutionSample", "enabled", "false");
    setting("jdk.ExecutionSample", "enabled", "true");
    setting("jdk.ThreadPark", "enabled", "true");
    setting("", "enabled", "true");
    setting("", "filter", "");
    assert_int_equal(pyro_jfr_settings_keep(&info, arena, &list), 0);

    assert_int_equal(info.n_settings, 3);
    assert_true(pyro_slice_is(info.settings[0].name, "version"));
    assert_true(pyro_slice_is(info.settings[0].value, "4.5"));
    assert_true(pyro_slice_is(info.settings[1].name,
                              "jdk.ExecutionSample#enabled"));
    assert_true(pyro_slice_is(info.settings[1].value, "true"));
    assert_true(pyro_slice_is(info.settings[2].name,
                              "jdk.ThreadPark#enabled"));

    /* more than are kept do not push out what decides */

    pyro_jfr_setting_list_init(&list);
    setting("", "version", "4.6\n");

    for (i = 0; i < 2 * PYRO_JFR_MAX_SETTINGS; i++) {
        snprintf(names[i], sizeof(names[i]), "setting%u", i);
        setting("", names[i], "x");
    }

    setting("", "event", "wall");
    assert_int_equal(pyro_jfr_settings_keep(&info, arena, &list), 0);
    assert_int_equal(info.n_settings, PYRO_JFR_INFO_SETTINGS);
    assert_true(pyro_slice_is(info.settings[0].value, "4.6?"));
    assert_true(pyro_slice_is(list.decisive[PYRO_JFR_SETTING_EVENT], "wall"));

    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(periods),
        cmocka_unit_test(engines),
        cmocka_unit_test(facts),
    };

    return unit_run(tests);
}
