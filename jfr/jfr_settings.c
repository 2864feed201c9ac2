#include "jfr/jfr_settings.h"

#include "core/base/clock.h"
#include "core/base/count.h"
#include "core/base/hash.h"
#include "core/base/utf8.h"


#define PYRO_JFR_DEFAULT_PERIOD  (10 * PYRO_NS_PER_MS)
#define PYRO_JFR_MAX_NAME        64     /* bytes of a setting's name */
#define PYRO_JFR_MAX_FACT        (2 * PYRO_JFR_MAX_NAME + 2)


static int pyro_jfr_setting_is_jdk(pyro_slice_t name);
static uint8_t *pyro_jfr_setting_slot(pyro_jfr_setting_list_t *list,
    const pyro_jfr_setting_t *setting);
static pyro_jfr_setting_e pyro_jfr_setting_decides(
    const pyro_jfr_setting_t *setting);
static int pyro_jfr_setting_keep(pyro_jfr_info_t *info, pyro_arena_t *arena,
    const pyro_jfr_setting_t *setting);
static void pyro_jfr_setting_text(char *text, pyro_slice_t value);
static int64_t pyro_jfr_setting_number(pyro_slice_t value);
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
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);
        n = n > INT64_MAX / 10 - 1 ? INT64_MAX / 10 - 1
                                   : n * 10 + (*text->data - '0');
        text->data++;
        text->len--;
    }

    return n;
}


/* All of it digits, or 0. */
static int64_t
pyro_jfr_setting_number(pyro_slice_t value)
{
    int64_t  n;

    n = pyro_jfr_number(&value);

    return value.len ? 0 : n;
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
pyro_jfr_setting_list_init(pyro_jfr_setting_list_t *list)
{
    list->seed = (uint64_t) pyro_clock_mono();
    list->n = 0;
    list->given = 0;

    memset(list->slots, 0, sizeof(list->slots));
}


static int
pyro_jfr_setting_is_jdk(pyro_slice_t name)
{
    return pyro_slice_is(name, "enabled") || pyro_slice_is(name, "period")
           || pyro_slice_is(name, "threshold")
           || pyro_slice_is(name, "throttle")
           || pyro_slice_is(name, "stackTrace")
           || pyro_slice_is(name, "cutoff") || pyro_slice_is(name, "level");
}


/* PYRO_JFR_SETTING_COUNT: none of them. */
static pyro_jfr_setting_e
pyro_jfr_setting_decides(const pyro_jfr_setting_t *setting)
{
    if (pyro_slice_is(setting->name, "event")) {
        return PYRO_JFR_SETTING_EVENT;
    }

    if (pyro_slice_is(setting->name, "engine")) {
        return PYRO_JFR_SETTING_ENGINE;
    }

    if (pyro_slice_is(setting->name, "interval")) {
        return PYRO_JFR_SETTING_INTERVAL;
    }

    if (pyro_slice_is(setting->name, "period")
        && pyro_slice_is(setting->type, "jdk.ExecutionSample"))
    {
        return PYRO_JFR_SETTING_PERIOD;
    }

    return PYRO_JFR_SETTING_COUNT;
}


/* The slot of the setting of this name and event, or the free one for it. */
static uint8_t *
pyro_jfr_setting_slot(pyro_jfr_setting_list_t *list,
    const pyro_jfr_setting_t *setting)
{
    uint64_t             slot;
    pyro_jfr_setting_t  *item;

    slot = pyro_hash64(setting->type.data, setting->type.len, list->seed);
    slot = pyro_hash64(setting->name.data, setting->name.len, slot);

    for ( ;; ) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
        slot %= PYRO_JFR_SETTING_SLOTS;

        if (list->slots[slot] == 0) {
            return &list->slots[slot];
        }

        item = &list->items[list->slots[slot] - 1];

        if (pyro_slice_eq(item->type, setting->type)
            && pyro_slice_eq(item->name, setting->name))
        {
            return &list->slots[slot];
        }

        slot++;
    }
}


void
pyro_jfr_setting_list_add(pyro_jfr_setting_list_t *list,
    const pyro_jfr_setting_t *setting)
{
    int                  jdk;
    uint8_t             *slot;
    pyro_jfr_setting_t   item;
    pyro_jfr_setting_e   decides;

    item = *setting;
    decides = pyro_jfr_setting_decides(&item);

    if (decides != PYRO_JFR_SETTING_COUNT) {
        list->decisive[decides] = item.value;
        list->given |= 1U << decides;
    }

    jdk = pyro_jfr_setting_is_jdk(item.name);

    if (item.value.len == 0 || item.name.len == 0
        || item.name.len > PYRO_JFR_MAX_NAME
        || item.type.len > PYRO_JFR_MAX_NAME
        || (jdk && item.type.len == 0)
        || pyro_slice_is(item.name, "stackTrace"))
    {
        return;
    }

    /* a name of async-profiler's says what it is for */

    if (!jdk) {
        item.type = pyro_slice("", 0);
    }

    slot = pyro_jfr_setting_slot(list, &item);

    if (*slot == 0) {
        if (list->n == PYRO_JFR_MAX_SETTINGS) {
            return;
        }

        *slot = (uint8_t) ++list->n;
    }

    list->items[*slot - 1] = item;
}


void
pyro_jfr_settings_take(pyro_jfr_settings_t *settings,
    const pyro_jfr_setting_list_t *list)
{
    if (list->given & 1U << PYRO_JFR_SETTING_EVENT) {
        pyro_jfr_setting_text(settings->event,
                              list->decisive[PYRO_JFR_SETTING_EVENT]);
    }

    if (list->given & 1U << PYRO_JFR_SETTING_ENGINE) {
        pyro_jfr_setting_text(settings->engine,
                              list->decisive[PYRO_JFR_SETTING_ENGINE]);
    }

    if (list->given & 1U << PYRO_JFR_SETTING_INTERVAL) {
        settings->interval = pyro_jfr_setting_number(
                                   list->decisive[PYRO_JFR_SETTING_INTERVAL]);
    }

    if (list->given & 1U << PYRO_JFR_SETTING_PERIOD) {
        settings->period = pyro_jfr_timespan(
                                   list->decisive[PYRO_JFR_SETTING_PERIOD]);
    }
}


/* One fact: it replaces the one of the same name, of a chunk before. */
static int
pyro_jfr_setting_keep(pyro_jfr_info_t *info, pyro_arena_t *arena,
    const pyro_jfr_setting_t *setting)
{
    char                      text[PYRO_JFR_MAX_FACT];
    size_t                    len;
    uint32_t                  i;
    pyro_slice_t              name;
    pyro_jfr_info_setting_t  *item;

    len = pyro_utf8_clean(text, PYRO_JFR_MAX_NAME, setting->type.data,
                          setting->type.len);

    if (len) {
        text[len++] = '#';
    }

    len += pyro_utf8_clean(text + len, PYRO_JFR_MAX_NAME, setting->name.data,
                           setting->name.len);
    name = pyro_slice(text, len);

    for (i = 0; i < info->n_settings; i++) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);

        if (pyro_slice_eq(info->settings[i].name, name)) {
            break;
        }
    }

    if (i == PYRO_JFR_INFO_SETTINGS) {
        return 0;
    }

    item = &info->settings[i];

    if (i == info->n_settings) {
        item->name = pyro_arena_dup(arena, name);
        info->n_settings++;
    }

    return item->name.data == NULL
           || pyro_jfr_info_set(arena, &item->value, &item->room,
                                setting->value, PYRO_JFR_INFO_VALUE)
           ? -1 : 0;
}


int
pyro_jfr_settings_keep(pyro_jfr_info_t *info, pyro_arena_t *arena,
    const pyro_jfr_setting_list_t *list)
{
    uint32_t  i;

    if (list->n && info->settings == NULL) {
        info->settings = pyro_arena_calloc(arena, PYRO_JFR_INFO_SETTINGS,
                                           sizeof(pyro_jfr_info_setting_t));

        if (info->settings == NULL) {
            return -1;
        }
    }

    for (i = 0; i < list->n; i++) {
        if (pyro_jfr_setting_keep(info, arena, &list->items[i])) {
            return -1;
        }
    }

    return 0;
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
