#include "jfr/jfr_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>


static const struct {
    const char  *text;
    int          loss;
} pyro_jfr_counters[] = {
#define PYRO_JFR_COUNTER_ROW(id, text, loss)  { text, loss },
    PYRO_JFR_COUNTERS(PYRO_JFR_COUNTER_ROW)
#undef PYRO_JFR_COUNTER_ROW
};


const char *
pyro_jfr_counter_text(pyro_jfr_counter_e counter)
{
    return pyro_jfr_counters[counter].text;
}


int
pyro_jfr_counter_is_loss(pyro_jfr_counter_e counter)
{
    return pyro_jfr_counters[counter].loss;
}


void
pyro_jfr_losses(const pyro_jfr_report_t *report,
    char text[PYRO_JFR_LOSSES_MAX])
{
    int       n;
    size_t    len;
    uint32_t  i;

    len = 0;
    text[0] = '\0';

    for (i = 0; i < PYRO_JFR_COUNTER_COUNT; i++) {
        if (!pyro_jfr_counters[i].loss || report->counters[i] == 0) {
            continue;
        }

        n = snprintf(text + len, PYRO_JFR_LOSSES_MAX - len, "%s%" PRIu64 " %s",
                     len ? ", " : "", report->counters[i],
                     pyro_jfr_counters[i].text);

        if (n < 0 || (size_t) n >= PYRO_JFR_LOSSES_MAX - len) {
            return;
        }

        len += (size_t) n;
    }
}


void
pyro_jfr_problem(pyro_jfr_report_t *report, const char *fmt, ...)
{
    va_list  args;

    if (report->problem[0]) {
        return;
    }

    va_start(args, fmt);
    vsnprintf(report->problem, sizeof(report->problem), fmt, args);
    va_end(args);
}
