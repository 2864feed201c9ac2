/*
 * Chunks of version 0.9, which async-profiler 1.4 to 1.8.8 and the JDKs 7 and
 * 8 of Oracle wrote: each is turned into the chunk of version 2.0 that says the
 * same, as far as anybody asks, and that is what is read.
 *
 * Events are found by their path, pools by their name, fields by their id.  Of
 * pool entries with the same key the newest counts.  Each byte is looked at a
 * few times at most, whatever the file says, and the new chunk has at most
 * PYRO_JFR_OLD_TIMES times the bytes of the old one; files of known writers
 * get shorter.
 *
 * async-profiler 1.x wrote allocations and locks as the events of CPU time, and
 * without bytes or delays.  They can be told by their leaf, the native method
 * "new", and are left out and counted.
 *
 * One thread.
 */

#ifndef _PYRO_JFR_OLD_H_INCLUDED_
#define _PYRO_JFR_OLD_H_INCLUDED_


#include "jfr/jfr_chunk.h"
#include "jfr/jfr_report.h"


#define PYRO_JFR_OLD_TIMES  2
#define PYRO_JFR_OLD_ROOM   65536   /* bytes beside that */


/*
 * Makes *to of *from, in the arena; its offset and its times are the old one's.
 * The old chunk's events are counted if counts is not NULL.
 * PYRO_JFR_MALFORMED: there is what precedes the damage, or, to->size being 0,
 * nothing.  PYRO_JFR_NO_MEMORY.
 */
pyro_jfr_bad_e pyro_jfr_old_read(const pyro_jfr_chunk_t *from,
    pyro_arena_t *arena, pyro_jfr_report_t *report, pyro_jfr_chunk_t *to,
    pyro_jfr_event_counts_t *counts);


#endif /* _PYRO_JFR_OLD_H_INCLUDED_ */
