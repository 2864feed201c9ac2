#include "jfr/jfr_settings.h"

#include "core/base/clock.h"
#include "core/base/utf8.h"


#define PYRO_JFR_DEFAULT_PERIOD  (10 * PYRO_NS_PER_MS)


static void pyro_jfr_setting_text(char *text, pyro_slice_t value);
static int64_t pyro_jfr_number(pyro_slice_t *text);
static int64_t pyro_jfr_timespan(pyro_slice_t text);
static int pyro_jfr_one_of(const char *text, const char *const *words);


/* Events that async-profiler samples by time, so that interval is in ns. */
static const char *const  pyro_jfr_timed[] = {
    "cpu", "itimer", "ctimer", "wall", NULL
};


/* Events that name their engine. */
static const char *const  pyro_jfr_engines[] = {
    "itimer", "ctimer", "wall", NULL
};


static void
pyro_jfr_setting_text(char *text, pyro_slice_t value)
{
    size_t  len;

    len = pyro_utf8_clean(text, PYRO_JFR_MAX_EVENT - 1, value.data, value.len);
    text[len] = '\0';
}


/* Decimal digits at the front, which are cut off; 0 if none or too many. */
static int64_t
pyro_jfr_number(pyro_slice_t *text)
{
    int64_t  n;

    n = 0;

    while (text->len && *text->data >= '0' && *text->data <= '9') {
        n = n > INT64_MAX / 10 - 1 ? INT64_MAX / 10 - 1
                                   : n * 10 + (*text->data - '0');
        text->data++;
        text->len--;
    }

    return n;
}


/* The JDK's "10 ms"; 0 if it is no time ("everyChunk"). */
static int64_t
pyro_jfr_timespan(pyro_slice_t text)
{
    size_t   i;
    int64_t  n;

    static const struct {
        const char  *unit;
        int64_t      ns;
    } units[] = {
        { "ns", 1 },
        { "us", 1000 },
        { "ms", PYRO_NS_PER_MS },
        { "s",  PYRO_NS_PER_SEC },
        { "m",  60 * PYRO_NS_PER_SEC },
        { "h",  3600 * PYRO_NS_PER_SEC },
        { "d",  86400 * PYRO_NS_PER_SEC },
    };

    text = pyro_slice_trim(text);
    n = pyro_jfr_number(&text);
    text = pyro_slice_trim(text);

    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (pyro_slice_is(text, units[i].unit)) {
            return n > INT64_MAX / units[i].ns ? 0 : n * units[i].ns;
        }
    }

    return 0;
}


static int
pyro_jfr_one_of(const char *text, const char *const *words)
{
    for ( /* void */ ; *words != NULL; words++) {
        if (strcmp(text, *words) == 0) {
            return 1;
        }
    }

    return 0;
}


void
pyro_jfr_setting(pyro_jfr_settings_t *settings, pyro_slice_t name,
    pyro_slice_t value, int of_sample)
{
    if (pyro_slice_is(name, "event")) {
        pyro_jfr_setting_text(settings->event, value);

    } else if (pyro_slice_is(name, "engine")) {
        pyro_jfr_setting_text(settings->engine, value);

    } else if (pyro_slice_is(name, "interval")) {
        settings->interval = pyro_jfr_number(&value);

        if (value.len) {
            settings->interval = 0;
        }

    } else if (of_sample && pyro_slice_is(name, "period")) {
        settings->period = pyro_jfr_timespan(value);
    }
}


int64_t
pyro_jfr_period(const pyro_jfr_settings_t *settings, int64_t sample_rate)
{
    int64_t  interval;

    interval = pyro_jfr_one_of(settings->event, pyro_jfr_timed)
               ? settings->interval : 0;

    if (sample_rate > PYRO_NS_PER_SEC) {
        sample_rate = 0;
    }

    if (interval
        && (sample_rate <= 0 || sample_rate != PYRO_NS_PER_SEC / interval))
    {
        return interval;
    }

    if (sample_rate > 0) {
        return PYRO_NS_PER_SEC / sample_rate;
    }

    return settings->period ? settings->period : PYRO_JFR_DEFAULT_PERIOD;
}


int
pyro_jfr_is_wall(const pyro_jfr_settings_t *settings)
{
    return strcmp(settings->event, "wall") == 0;
}


pyro_slice_t
pyro_jfr_engine(const pyro_jfr_settings_t *settings)
{
    if (settings->engine[0]) {
        return pyro_slice_str(settings->engine);
    }

    return pyro_jfr_one_of(settings->event, pyro_jfr_engines)
           ? pyro_slice_str(settings->event) : pyro_slice("", 0);
}
