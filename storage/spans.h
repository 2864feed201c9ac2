/*
 * The spans of one push record: its sections, which come before its spans, and
 * then its table of spans; what follows in the record are the groups of each
 * section, for pyro_record_add_spans() and its like.
 *
 * Room, used again and again, in an arena; zeroed at first.  One thread.
 */

#ifndef _PYRO_STORE_SPANS_H_INCLUDED_
#define _PYRO_STORE_SPANS_H_INCLUDED_


#include "storage/record.h"


typedef struct {
    pyro_record_section_t  *sections;
    uint32_t                n_sections;
    uint32_t                cap_sections;
    pyro_span_t            *spans;
    uint32_t                n_spans;
    uint32_t                cap_spans;
    uint8_t                *wanted;     /* by span: room for a caller */
    uint32_t                cap_wanted;
    uint64_t               *sums;       /* the same */
    uint32_t                cap_sums;
} pyro_spans_t;


/*
 * The sections of a record that was opened just now.  PYRO_UNPROCESSABLE:
 * damaged; PYRO_UNAVAILABLE: no memory; so below.
 */
pyro_status_e pyro_spans_sections(pyro_spans_t *room, pyro_arena_t *arena,
    pyro_record_t *record);

/* Then the table of spans, none if it has none; wanted and sums have room for
 * each of them, and are never NULL. */
pyro_status_e pyro_spans_table(pyro_spans_t *room, pyro_arena_t *arena,
    pyro_record_t *record);


#endif /* _PYRO_STORE_SPANS_H_INCLUDED_ */
