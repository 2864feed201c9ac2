/*
 * Filling the report of a reading (jfr.h), and counting the events of a chunk.
 * One thread.
 */

#ifndef _PYRO_JFR_REPORT_H_INCLUDED_
#define _PYRO_JFR_REPORT_H_INCLUDED_


#include "jfr/jfr.h"


/* The events of a chunk by type, in its arena. */
typedef struct {
    pyro_jfr_event_count_t  *items;
    uint32_t                 n;
    uint32_t                 checkpoints;
} pyro_jfr_event_counts_t;


static inline void
pyro_jfr_count_add(pyro_jfr_report_t *report, pyro_jfr_counter_e counter,
    uint64_t n)
{
    report->counters[counter] += n;
}


/* Keeps the first thing that was wrong; later ones are only counted. */
void pyro_jfr_problem(pyro_jfr_report_t *report, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* _PYRO_JFR_REPORT_H_INCLUDED_ */
