#include "jfr/jfr_report.h"

#include <stdarg.h>
#include <stdio.h>


static const char  *pyro_jfr_counter_texts[] = {
#define PYRO_JFR_COUNTER_TEXT(id, text)  text,
    PYRO_JFR_COUNTERS(PYRO_JFR_COUNTER_TEXT)
#undef PYRO_JFR_COUNTER_TEXT
};


const char *
pyro_jfr_counter_text(pyro_jfr_counter_e counter)
{
    return pyro_jfr_counter_texts[counter];
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
