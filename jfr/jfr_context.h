/*
 * The label snapshot of an upload: which labels and span names the numbers in
 * a recording's events stand for.
 *
 *     message Context        { map<int64, int64>   labels   = 1; }
 *     message LabelsSnapshot { map<int64, Context> contexts = 1;
 *                              map<int64, string>  strings  = 2; }
 *
 * Of equal keys the last counts; unknown fields are skipped; what refers to a
 * string that is missing or empty is no label.  Strings point into the message,
 * everything else lives in the arena.  One thread.
 */

#ifndef _PYRO_JFR_CONTEXT_H_INCLUDED_
#define _PYRO_JFR_CONTEXT_H_INCLUDED_


#include "core/model/profile.h"
#include "jfr/jfr_index.h"


#define PYRO_JFR_MAX_LABELS  256        /* of one context */


typedef struct {
    uint64_t           name;            /* string ids */
    uint64_t           value;
} pyro_jfr_pair_t;


typedef struct {
    uint32_t           first;           /* of the pairs */
    uint32_t           n;
} pyro_jfr_labels_t;


typedef struct {
    pyro_jfr_index_t   context_ids;
    pyro_jfr_index_t   string_ids;
    pyro_jfr_labels_t *contexts;
    pyro_jfr_pair_t   *pairs;
    pyro_slice_t      *strings;
    uint32_t           cap_contexts;
    uint32_t           n_pairs;
    uint32_t           cap_pairs;
    uint32_t           cap_strings;
} pyro_jfr_context_t;


/* What an event says about the work it belongs to; all zero: nothing. */
typedef struct {
    uint64_t           context;
    uint64_t           span;
    uint64_t           span_name;       /* string id */
    uint64_t           trace_hi;
    uint64_t           trace_lo;
} pyro_jfr_tag_t;


/*
 * Reads a snapshot, which may be empty.  PYRO_UNPROCESSABLE: not this message,
 * or a context of more than PYRO_JFR_MAX_LABELS labels; PYRO_UNAVAILABLE.
 */
pyro_status_e pyro_jfr_context_read(pyro_jfr_context_t *context,
    pyro_slice_t snapshot, pyro_arena_t *arena, pyro_error_t *err);

/*
 * What of a tag decides its labels, as a number: equal for tags with equal
 * labels; 0: there are none.
 */
uint64_t pyro_jfr_context_key(const pyro_jfr_context_t *context,
    const pyro_jfr_tag_t *tag);

/*
 * The labels of a key (room for PYRO_JFR_MAX_LABELS + 1), not yet sorted, and
 * what of them is a span: old agents have spans among the labels, as profile_id
 * or span_id and trace_id in hexadecimal.
 */
void pyro_jfr_context_labels(const pyro_jfr_context_t *context, uint64_t key,
    pyro_labels_t *labels, pyro_span_t *span);


#endif /* _PYRO_JFR_CONTEXT_H_INCLUDED_ */
