/*
 * "jfrcat --summary": text for people, one fact a line.
 *
 * Names that stand in a recording are cleaned of control characters.
 */

#ifndef _PYRO_JFRCAT_SUMMARY_H_INCLUDED_
#define _PYRO_JFRCAT_SUMMARY_H_INCLUDED_


#include "core/base/rope.h"
#include "jfr/jfr.h"


/* The n-th chunk (from 0), its header and its events by type. */
void pyro_jfrcat_chunk(pyro_rope_t *out, uint64_t n,
    const pyro_jfr_chunk_summary_t *chunk);

/* What is to be said of the whole recording: facts, settings, losses. */
void pyro_jfrcat_report(pyro_rope_t *out, const pyro_jfr_report_t *report);


#endif /* _PYRO_JFRCAT_SUMMARY_H_INCLUDED_ */
