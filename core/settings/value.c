#include "core/settings/value.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/clock.h"


#define PYRO_VALUE_DURATION  "a duration is written like 30s, 1h30m or 7d"
#define PYRO_VALUE_SIZE      "a size is written like 4096, 64MiB or 1GB"

#define PYRO_VALUE_DIGITS    7          /* of a fraction */
#define PYRO_VALUE_PARTS     10000000


typedef struct {
    const char  *name;
    int64_t      value;
} pyro_unit_t;


static const char *pyro_value_step(pyro_slice_t *s, int64_t *sum);
static pyro_slice_t pyro_value_digits(pyro_slice_t *s);
static int64_t pyro_value_fraction(pyro_slice_t digits, int64_t unit);
static int64_t pyro_value_unit(const pyro_unit_t *units, pyro_slice_t name);
static const char *pyro_value_show(char *text, const pyro_unit_t *units,
    int64_t value);
static int pyro_value_digit(pyro_slice_t s);


/* in the order in which pyro_value_show() tries them */

static const pyro_unit_t  pyro_sizes[] = {
    { "TiB", 1LL << 40 },
    { "GiB", 1LL << 30 },
    { "MiB", 1LL << 20 },
    { "KiB", 1LL << 10 },
    { "", 1 },
    { "B", 1 },
    { "T", 1LL << 40 },
    { "G", 1LL << 30 },
    { "M", 1LL << 20 },
    { "K", 1LL << 10 },
    { "k", 1LL << 10 },
    { "m", 1LL << 20 },
    { "g", 1LL << 30 },
    { "TB", 1000000000000LL },
    { "GB", 1000000000LL },
    { "MB", 1000000LL },
    { "KB", 1000LL },
    { "kB", 1000LL },
    { NULL, 0 }
};


static const pyro_unit_t  pyro_durations[] = {
    { "y", 365 * 86400 * PYRO_NS_PER_SEC },
    { "w", 7 * 86400 * PYRO_NS_PER_SEC },
    { "d", 86400 * PYRO_NS_PER_SEC },
    { "h", 3600 * PYRO_NS_PER_SEC },
    { "m", 60 * PYRO_NS_PER_SEC },
    { "s", PYRO_NS_PER_SEC },
    { "ms", PYRO_NS_PER_MS },
    { "us", 1000 },
    { "\xc2\xb5s", 1000 },      /* U+00B5, the micro sign */
    { "\xce\xbcs", 1000 },      /* U+03BC, the letter mu */
    { "ns", 1 },
    { NULL, 0 }
};


static int
pyro_value_digit(pyro_slice_t s)
{
    return s.len && s.data[0] >= '0' && s.data[0] <= '9';
}


const char *
pyro_value_bool(pyro_slice_t s, int64_t *value)
{
    size_t              i;
    static const char  *words[] = {
        "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF",
        "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {

        if (pyro_slice_is(s, words[i])) {
            *value = i >= sizeof(words) / sizeof(words[0]) / 2;
            return NULL;
        }
    }

    return "is neither true nor false";
}


const char *
pyro_value_count(pyro_slice_t s, int64_t *value)
{
    int64_t  v;

    if (s.len == 0) {
        return "is not a whole number";
    }

    for (v = 0; s.len; s.data++, s.len--) {

        if (!pyro_value_digit(s)) {
            return "is not a whole number";
        }

        if (__builtin_mul_overflow(v, 10, &v)
            || __builtin_add_overflow(v, s.data[0] - '0', &v))
        {
            return "is too large";
        }
    }

    *value = v;

    return NULL;
}


const char *
pyro_value_number(pyro_slice_t s, int64_t unit, int64_t *value)
{
    int            i;
    int64_t        fraction;
    const char    *text;
    pyro_slice_t   whole, digits;

    whole = pyro_value_digits(&s);
    digits = pyro_slice(NULL, 0);

    if (s.len && s.data[0] == '.') {
        s.data++;
        s.len--;
        digits = pyro_value_digits(&s);
    }

    if (s.len || whole.len + digits.len == 0) {
        return "is not a number";
    }

    *value = 0;
    text = whole.len ? pyro_value_count(whole, value) : NULL;

    for (i = 0, fraction = 0; i < PYRO_VALUE_DIGITS; i++) {
        fraction = fraction * 10
                   + ((size_t) i < digits.len ? digits.data[i] - '0' : 0);
    }

    if (text == NULL
        && (__builtin_mul_overflow(*value, unit, value)
            || __builtin_add_overflow(*value,
                                      (int64_t) ((__int128) fraction * unit
                                                 / PYRO_VALUE_PARTS),
                                      value)))
    {
        text = "is too large";
    }

    return text;
}


const char *
pyro_value_show_number(char *text, int64_t value, int64_t unit)
{
    int      len;
    int64_t  parts;

    /* rounded up, so that what is cut when it is read gives the same */

    parts = (int64_t) (((__int128) (value % unit) * PYRO_VALUE_PARTS + unit - 1)
                       / unit);
    len = snprintf(text, PYRO_VALUE_SHOW_MAX, "%" PRId64 ".%0*" PRId64,
                   value / unit, PYRO_VALUE_DIGITS, parts);

    while (text[len - 1] == '0') {
        len--;
    }

    text[text[len - 1] == '.' ? len - 1 : len] = '\0';

    return text;
}


const char *
pyro_value_size(pyro_slice_t s, int64_t *bytes)
{
    int64_t       unit;
    const char   *text;
    pyro_slice_t  digits;

    digits = pyro_value_digits(&s);

    if (digits.len == 0) {
        return "is not a size; " PYRO_VALUE_SIZE;
    }

    unit = pyro_value_unit(pyro_sizes, pyro_slice_trim(s));

    if (unit == 0) {
        return "has an unknown unit; " PYRO_VALUE_SIZE;
    }

    text = pyro_value_count(digits, bytes);

    if (text == NULL && __builtin_mul_overflow(*bytes, unit, bytes)) {
        text = "is too large";
    }

    return text;
}


const char *
pyro_value_share(pyro_slice_t s, int64_t *value)
{
    const char  *text;

    if (s.len == 0 || s.data[s.len - 1] != '%') {
        return pyro_value_size(s, value);
    }

    s.len--;
    text = pyro_value_count(pyro_slice_trim(s), value);

    if (text != NULL || *value > 100) {
        return "is not a percentage from 0% to 100%";
    }

    *value = -*value;

    return NULL;
}


const char *
pyro_value_duration(pyro_slice_t s, int64_t *ns)
{
    int64_t      sum;
    const char  *text;

    sum = 0;

    if (pyro_slice_is(s, "0")) {
        *ns = 0;
        return NULL;
    }

    do {
        text = pyro_value_step(&s, &sum);

        if (text != NULL) {
            return text;
        }

    } while (s.len);

    *ns = sum;

    return NULL;
}


/* one number with its unit off the front of s */

static const char *
pyro_value_step(pyro_slice_t *s, int64_t *sum)
{
    int64_t       unit, whole;
    const char   *text;
    pyro_slice_t  number, fraction, name;

    number = pyro_value_digits(s);
    fraction = pyro_slice(s->data, 0);

    if (s->len && s->data[0] == '.') {
        s->data++;
        s->len--;
        fraction = pyro_value_digits(s);

        if (fraction.len == 0) {
            return "is not a duration; " PYRO_VALUE_DURATION;
        }
    }

    name = pyro_slice(s->data, 0);

    while (s->len && !pyro_value_digit(*s) && s->data[0] != '.') {
        name.len++;
        s->data++;
        s->len--;
    }

    if (number.len == 0) {
        return "is not a duration; " PYRO_VALUE_DURATION;
    }

    unit = pyro_value_unit(pyro_durations, name);

    if (unit == 0) {
        return name.len ? "has an unknown unit; " PYRO_VALUE_DURATION
                        : "needs a unit; " PYRO_VALUE_DURATION;
    }

    text = pyro_value_count(number, &whole);

    if (text != NULL || __builtin_mul_overflow(whole, unit, &whole)
        || __builtin_add_overflow(*sum, whole, sum)
        || __builtin_add_overflow(*sum, pyro_value_fraction(fraction, unit),
                                  sum))
    {
        return "is too long";
    }

    return NULL;
}


/* the digits off the front of s */

static pyro_slice_t
pyro_value_digits(pyro_slice_t *s)
{
    pyro_slice_t  digits;

    digits = pyro_slice(s->data, 0);

    while (pyro_value_digit(*s)) {
        digits.len++;
        s->data++;
        s->len--;
    }

    return digits;
}


/* below one unit, whatever the digits are */

static int64_t
pyro_value_fraction(pyro_slice_t digits, int64_t unit)
{
    size_t   i;
    int64_t  part;

    part = 0;

    for (i = 0; i < digits.len; i++) {
        unit /= 10;
        part += unit * (digits.data[i] - '0');
    }

    return part;
}


/* 0: no such unit */

static int64_t
pyro_value_unit(const pyro_unit_t *units, pyro_slice_t name)
{
    while (units->name != NULL && !pyro_slice_is(name, units->name)) {
        units++;
    }

    return units->value;
}


const char *
pyro_value_show_size(char *text, int64_t bytes)
{
    return pyro_value_show(text, pyro_sizes, bytes);
}


const char *
pyro_value_show_duration(char *text, int64_t ns)
{
    return pyro_value_show(text, pyro_durations, ns);
}


static const char *
pyro_value_show(char *text, const pyro_unit_t *units, int64_t value)
{
    if (value == 0) {
        return "0";
    }

    while (value % units->value) {
        units++;
    }

    snprintf(text, PYRO_VALUE_SHOW_MAX, "%" PRId64 "%s", value / units->value,
             units->name);

    return text;
}
