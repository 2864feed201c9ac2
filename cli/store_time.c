#include "cli/store_time.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/timespec.h"


#define PYRO_STORE_DIGITS  "0123456789"


static int pyro_store_time_number(const char *text, int64_t *ns);
static int pyro_store_time_now(const char *text, int64_t now, int64_t *ns);
static int pyro_store_time_date(const char *text, int64_t *ns);
static const char *pyro_store_time_digits(const char *p, int n, int *value);
static const char *pyro_store_time_clock(const char *p, struct tm *tm,
    int64_t *fraction);
static const char *pyro_store_time_zone(const char *p, int64_t *offset);


pyro_status_e
pyro_store_time_parse(const char *text, const char *what, int64_t now,
    int64_t *ns, pyro_error_t *err)
{
    if (pyro_store_time_number(text, ns) == 0
        || pyro_store_time_now(text, now, ns) == 0
        || pyro_store_time_date(text, ns) == 0)
    {
        return PYRO_OK;
    }

    return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                          "%s=%.64s: no time; allowed are 2026-11-22, "
                          "2026-11-22T13:00:00Z, seconds, ms, us or ns since "
                          "1970, now, now-1h30m", what, text);
}


static int
pyro_store_time_number(const char *text, int64_t *ns)
{
    size_t    len;
    int64_t   unit;
    uint64_t  value;

    len = strlen(text);

    if (len == 0 || len > 19 || strspn(text, PYRO_STORE_DIGITS) != len) {
        return -1;
    }

    unit = len <= 10 ? PYRO_NS_PER_SEC : len <= 13 ? PYRO_NS_PER_MS
           : len <= 16 ? 1000 : 1;
    value = strtoull(text, NULL, 10);

    if (value > (uint64_t) (INT64_MAX / unit)) {
        return -1;
    }

    *ns = (int64_t) value * unit;

    return 0;
}


/* Checked here, reckoned where pushes are. */
static int
pyro_store_time_now(const char *text, int64_t now, int64_t *ns)
{
    size_t       n;
    const char  *p;

    if (strncmp(text, "now", 3) != 0) {
        return -1;
    }

    p = text + 3;

    if (*p == '\0') {
        *ns = now;
        return 0;
    }

    if (*p != '-' && *p != '+') {
        return -1;
    }

    for (p++; *p; p += n + 1) {
        n = strspn(p, PYRO_STORE_DIGITS);

        if (n == 0 || n > 9 || p[n] == '\0' || strchr("smhdwy", p[n]) == NULL)
        {
            return -1;
        }
    }

    if (p[-1] == '-' || p[-1] == '+') {
        return -1;
    }

    *ns = pyro_time_parse(pyro_slice_str(text), now);

    return 0;
}


static int
pyro_store_time_date(const char *text, int64_t *ns)
{
    int          year, month;
    time_t       seconds;
    int64_t      fraction, offset;
    struct tm    tm, check;
    const char  *p;

    memset(&tm, 0, sizeof(tm));
    fraction = 0;
    offset = 0;

    p = pyro_store_time_digits(text, 4, &year);
    p = p && *p == '-' ? pyro_store_time_digits(p + 1, 2, &month) : NULL;
    p = p && *p == '-' ? pyro_store_time_digits(p + 1, 2, &tm.tm_mday) : NULL;

    if (p == NULL) {
        return -1;
    }

    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;

    if (*p) {
        p = *p == 'T' || *p == 't' || *p == ' '
            ? pyro_store_time_clock(p + 1, &tm, &fraction) : NULL;
        p = p ? pyro_store_time_zone(p, &offset) : NULL;

        if (p == NULL || *p) {
            return -1;
        }
    }

    /* what is no day of the calendar comes back as another one */

    check = tm;
    seconds = timegm(&check);

    if (year < 1970 || year > 2261 || check.tm_mday != tm.tm_mday
        || check.tm_mon != tm.tm_mon || seconds < offset)
    {
        return -1;
    }

    *ns = ((int64_t) seconds - offset) * PYRO_NS_PER_SEC + fraction;

    return 0;
}


/* n digits; NULL: others. */
static const char *
pyro_store_time_digits(const char *p, int n, int *value)
{
    for (*value = 0; n; n--, p++) {

        if (*p < '0' || *p > '9') {
            return NULL;
        }

        *value = *value * 10 + *p - '0';
    }

    return p;
}


static const char *
pyro_store_time_clock(const char *p, struct tm *tm, int64_t *fraction)
{
    int64_t  unit;

    p = pyro_store_time_digits(p, 2, &tm->tm_hour);
    p = p && *p == ':' ? pyro_store_time_digits(p + 1, 2, &tm->tm_min) : NULL;
    p = p && *p == ':' ? pyro_store_time_digits(p + 1, 2, &tm->tm_sec) : NULL;

    if (p == NULL || tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 59) {
        return NULL;
    }

    if (*p != '.') {
        return p;
    }

    if (p[1] < '0' || p[1] > '9') {
        return NULL;
    }

    for (p++, unit = PYRO_NS_PER_SEC / 10; *p >= '0' && *p <= '9'; p++) {
        *fraction += unit * (*p - '0');
        unit /= 10;
    }

    return p;
}


static const char *
pyro_store_time_zone(const char *p, int64_t *offset)
{
    int  sign, hours, minutes;

    if (*p == 'Z' || *p == 'z') {
        return p + 1;
    }

    if (*p != '+' && *p != '-') {
        return NULL;
    }

    sign = *p == '-' ? -1 : 1;
    p = pyro_store_time_digits(p + 1, 2, &hours);
    p = p && *p == ':' ? pyro_store_time_digits(p + 1, 2, &minutes) : NULL;

    if (p == NULL || hours > 23 || minutes > 59) {
        return NULL;
    }

    *offset = sign * (hours * 3600 + minutes * 60);

    return p;
}


void
pyro_store_time_text(int64_t ns, char *text)
{
    size_t     len;
    time_t     seconds;
    int64_t    fraction;
    struct tm  tm;

    seconds = (time_t) (ns / PYRO_NS_PER_SEC);
    fraction = ns % PYRO_NS_PER_SEC;

    memset(&tm, 0, sizeof(tm));
    gmtime_r(&seconds, &tm);
    len = strftime(text, PYRO_STORE_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);

    if (fraction % PYRO_NS_PER_MS) {
        snprintf(text + len, PYRO_STORE_TIME_MAX - len, ".%09lldZ",
                 (long long) fraction);

    } else if (fraction) {
        snprintf(text + len, PYRO_STORE_TIME_MAX - len, ".%03lldZ",
                 (long long) (fraction / PYRO_NS_PER_MS));

    } else {
        snprintf(text + len, PYRO_STORE_TIME_MAX - len, "Z");
    }
}
