/*
 * The push record: what one push put into one stream, the value of "raw".
 *
 *   0   be32      low half of XXH3-64 (seed 0) of all bytes from 4 on
 *   4   u8        version, 1
 *   5   u8        flags: 1 spans follow the sections
 *   6   be64 × 2  digest, high half first (core/model/profile.h)
 *   22  varint    duration, ms
 *       varint    sections, ascending by ptype; each:
 *                   varint ptype
 *                   varint bytes of the rest of this section
 *                   varint scale, the greatest common divisor of its values
 *                   varint total / scale
 *                   varint pairs, ascending by node; each:
 *                     varint node, less the node before it
 *                     varint value / scale
 *   spans:
 *       varint    spans; each: u8 1 with a trace id, 0 without; be64 id; if 1
 *                 be64 × 2 trace id
 *       for each section: varint bytes of what follows
 *                   varint groups, ascending by span; each:
 *                     varint span (from 1), less the span before it
 *                     varint pairs, and the pairs as above, of this span alone
 *
 * The pairs of a section are the sums over all its spans and what has none.  A
 * section's length lets a reader skip it.  Values and totals are 1 to
 * INT64_MAX.
 *
 * Reading checks every length, number and sum: a record may come from a damaged
 * disk.  Nothing is allocated by it.  Writing uses the arena given.  Any
 * thread.
 */

#ifndef _PYRO_RECORD_H_INCLUDED_
#define _PYRO_RECORD_H_INCLUDED_


#include "core/model/profile.h"
#include "storage/pairs.h"


/* One section, encoded but for its ptype. */
typedef struct {
    uint32_t        ptype;
    pyro_slice_t    body;
    pyro_slice_t    groups;         /* empty if the record has no spans */
} pyro_record_part_t;


typedef struct {
    pyro_hash128_t  digest;
    uint64_t        duration;       /* ms */
    int             has_spans;
    uint32_t        n_sections;
    uint32_t        left;           /* sections not read yet */
    pyro_bytes_t    rest;
} pyro_record_t;


typedef struct {
    uint32_t        ptype;
    uint32_t        n;              /* pairs */
    uint64_t        scale;
    uint64_t        total;
    pyro_bytes_t    pairs;
} pyro_record_section_t;


/* ---- writing; -1: no memory ---- */

/*
 * Encodes a section.  ids: stored node of each of the profile's nodes; several
 * may have the same.  spans: number in the record's table of each of the
 * profile's spans, or NULL if the record has none.
 */
int pyro_record_section(pyro_arena_t *arena, pyro_pairs_t *room,
    const pyro_section_t *section, const uint32_t *ids, const uint32_t *spans,
    pyro_record_part_t *part);

/* Encodes the span table: list has n spans of the profile. */
int pyro_record_span_table(pyro_arena_t *arena, const pyro_span_t *spans,
    const uint32_t *list, uint32_t n, pyro_slice_t *table);

/*
 * Puts the record together; parts are ascending by ptype; table is empty if
 * there are no spans.
 */
int pyro_record_encode(pyro_arena_t *arena, pyro_hash128_t digest,
    uint64_t duration, const pyro_record_part_t *parts, uint32_t n,
    pyro_slice_t table, pyro_slice_t *record);

/*
 * The same by hand: bytes that a record needs at most, its head and sections,
 * behind which spans may follow, and its end.
 */
size_t pyro_record_size(const pyro_record_part_t *parts, uint32_t n,
    size_t rest);
uint8_t *pyro_record_put(uint8_t *start, pyro_hash128_t digest,
    uint64_t duration, int has_spans, const pyro_record_part_t *parts,
    uint32_t n);
pyro_slice_t pyro_record_close(uint8_t *start, const uint8_t *end);


/* ---- reading; -1: damaged ---- */

/* Checks the checksum and reads what precedes the sections. */
int pyro_record_open(pyro_slice_t in, pyro_record_t *record);

/* Of a record that is sound. */
pyro_hash128_t pyro_record_digest(pyro_slice_t in);

/* The next section: 1, or 0 behind the last one. */
int pyro_record_next(pyro_record_t *record, pyro_record_section_t *section);

/* What follows a section's length: scale, total, pairs. */
int pyro_record_body(pyro_bytes_t in, pyro_record_section_t *section);

/* Adds the pairs to the accumulator of n nodes; sums stop at INT64_MAX. */
int pyro_record_add(const pyro_record_section_t *section, uint64_t *acc,
    uint32_t n);

/* The number of spans; behind the last section, once. */
int pyro_record_spans(pyro_record_t *record, uint32_t *n);

/* The next span of the table. */
int pyro_record_span(pyro_record_t *record, pyro_span_t *span);

/*
 * Behind the table, for one section after the other: adds the pairs of those
 * spans whose byte in wanted is set (index 0 is span 1).
 */
int pyro_record_add_spans(pyro_record_t *record,
    const pyro_record_section_t *section, const uint8_t *wanted,
    uint32_t n_wanted, uint64_t *acc, uint32_t n);

/* In its place: adds up each span, sums has one for each of the n. */
int pyro_record_sum_spans(pyro_record_t *record,
    const pyro_record_section_t *section, uint64_t *sums, uint32_t n);

/* In its place: a section that nobody asks for. */
int pyro_record_skip_spans(pyro_record_t *record);


#endif /* _PYRO_RECORD_H_INCLUDED_ */
