#include "core/base/timespec.h"

#include "core/base/clock.h"


#define PYRO_DAY_NS  (86400 * PYRO_NS_PER_SEC)


static int pyro_time_next(pyro_slice_t *text);
static int64_t pyro_time_mul(int64_t a, int64_t b);
static int64_t pyro_time_number(pyro_slice_t *text, uint32_t *digits);
static int pyro_time_date(int64_t digits, int64_t *days);
static int64_t pyro_time_absolute(int64_t value, uint32_t digits);
static int64_t pyro_time_unit(pyro_slice_t *text);
static int64_t pyro_time_offset(pyro_slice_t text);


int64_t
pyro_time_parse(pyro_slice_t text, int64_t now_ns)
{
    int64_t        value;
    uint32_t       digits;
    const char    *sign;
    pyro_slice_t   rest;

    rest = text;
    value = pyro_time_number(&rest, &digits);

    if (digits && pyro_time_next(&rest) < 0) {
        return pyro_time_absolute(value, digits);
    }

    sign = text.len ? memchr(text.data, '+', text.len) : NULL;

    if (sign == NULL) {
        sign = text.len ? memchr(text.data, '-', text.len) : NULL;
    }

    if (sign == NULL) {
        return now_ns;
    }

    value = pyro_time_offset(pyro_slice(sign + 1, text.len
                                        - (size_t) (sign + 1 - text.data)));

    if (*sign == '-') {
        return now_ns > value ? now_ns - value : 0;
    }

    return value < INT64_MAX - now_ns ? now_ns + value : INT64_MAX;
}


/* The next character, with what people write between digits left out; -1. */
static int
pyro_time_next(pyro_slice_t *text)
{
    while (text->len && memchr(" _,\t\r\n", text->data[0], 6) != NULL) {
        *text = pyro_slice(text->data + 1, text->len - 1);
    }

    return text->len ? (unsigned char) text->data[0] : -1;
}


static int64_t
pyro_time_mul(int64_t a, int64_t b)
{
    int64_t  product;

    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}


static int64_t
pyro_time_number(pyro_slice_t *text, uint32_t *digits)
{
    int      c;
    int64_t  value;

    value = 0;

    for (*digits = 0; ; (*digits)++) {
        c = pyro_time_next(text);

        if (c < '0' || c > '9') {
            return value;
        }

        if (__builtin_mul_overflow(value, 10, &value)
            || __builtin_add_overflow(value, c - '0', &value))
        {
            value = INT64_MAX;
        }

        *text = pyro_slice(text->data + 1, text->len - 1);
    }
}


/* Days since the epoch of a date written YYYYMMDD. */
static int
pyro_time_date(int64_t digits, int64_t *days)
{
    int64_t             year, month, day, leap, era, last;
    static const char   lengths[] = { 31, 28, 31, 30, 31, 30,
                                      31, 31, 30, 31, 30, 31 };

    year = digits / 10000;
    month = digits / 100 % 100;
    day = digits % 100;

    if (year <= 1900 || month < 1 || month > 12) {
        return -1;
    }

    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    last = lengths[month - 1] + (leap && month == 2);

    if (day < 1 || day > last) {
        return -1;
    }

    /* a year that begins in March has its leap day at its end */

    year -= month <= 2;
    month += month <= 2 ? 9 : -3;
    era = year / 400;

    *days = era * 146097 + year % 400 * 365 + year % 400 / 4
            - year % 400 / 100 + (153 * month + 2) / 5 + day - 1 - 719468;

    return 0;
}


static int64_t
pyro_time_absolute(int64_t value, uint32_t digits)
{
    int64_t  days;

    switch (digits) {

    case 8:
        if (pyro_time_date(value, &days)) {
            break;
        }

        return days > 0 ? pyro_time_mul(days, PYRO_DAY_NS) : 0;

    case 13:
        return pyro_time_mul(value, PYRO_NS_PER_MS);

    case 16:
        return pyro_time_mul(value, 1000);

    case 19:
        return value;
    }

    return pyro_time_mul(value, PYRO_NS_PER_SEC);
}


/* What a run of letters stands for, in ns; 0 if nothing. */
static int64_t
pyro_time_unit(pyro_slice_t *text)
{
    int     c;
    char    unit[4];
    size_t  n;

    memset(unit, 0, sizeof(unit));

    for (n = 0; ; n++) {
        c = pyro_time_next(text);

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
            break;
        }

        if (n < 3) {
            unit[n] = (char) c;
        }

        *text = pyro_slice(text->data + 1, text->len - 1);
    }

    switch (unit[0]) {

    case 's':
        return PYRO_NS_PER_SEC;

    case 'm':
        return strcmp(unit, "mon") == 0 ? 30 * PYRO_DAY_NS
                                        : 60 * PYRO_NS_PER_SEC;

    case 'M':
        return 30 * PYRO_DAY_NS;

    case 'h':
        return 3600 * PYRO_NS_PER_SEC;

    case 'd':
        return PYRO_DAY_NS;

    case 'w':
        return 7 * PYRO_DAY_NS;

    case 'y':
        return 365 * PYRO_DAY_NS;

    default:
        return 0;
    }
}


/* The sum of all pairs of a number and a unit; what is neither is skipped. */
static int64_t
pyro_time_offset(pyro_slice_t text)
{
    size_t    before;
    int64_t   sum, number;
    uint32_t  digits;

    sum = 0;

    while (pyro_time_next(&text) >= 0) {
        before = text.len;

        number = pyro_time_number(&text, &digits);
        number = pyro_time_mul(number, pyro_time_unit(&text));

        if (__builtin_add_overflow(sum, number, &sum)) {
            sum = INT64_MAX;
        }

        if (text.len == before) {
            text = pyro_slice(text.data + 1, text.len - 1);
        }
    }

    return sum;
}
