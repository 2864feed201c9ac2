/*
 * Label sets: name and value pairs, sorted by name in byte order, names unique,
 * no empty value (an empty value means "not there", as for Prometheus).
 *
 * A set borrows its bytes; the arrays live in the arena given.  Any thread.
 */

#ifndef _PYRO_LABELS_H_INCLUDED_
#define _PYRO_LABELS_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/base/slice.h"
#include "core/base/status.h"


typedef struct {
    pyro_slice_t  name;
    pyro_slice_t  value;
} pyro_label_t;


typedef struct {
    pyro_label_t  *items;
    uint32_t       n;
} pyro_labels_t;


/* 0 anywhere: no limit. */
typedef struct {
    uint32_t  max_names;            /* limits.max_label_names_per_series */
    uint32_t  max_name_length;      /* bytes */
    uint32_t  max_value_length;     /* bytes */
} pyro_label_limits_t;


/* The value of a label, or an empty slice. */
pyro_slice_t pyro_labels_get(const pyro_labels_t *labels, pyro_slice_t name);

/* Order of two sets: label by label, name before value; the shorter first. */
int pyro_labels_cmp(const pyro_labels_t *a, const pyro_labels_t *b);

/*
 * Sorts items in place, of equal names keeps the last, drops empty values.
 * Returns the number left.
 */
uint32_t pyro_labels_sort(pyro_label_t *items, uint32_t n);

/*
 * a and b together; where both have a name, a's value.  Returns -1 if there is
 * no memory.
 */
int pyro_labels_merge(pyro_arena_t *arena, const pyro_labels_t *a,
    const pyro_labels_t *b, pyro_labels_t *out);

/* Unseeded 128-bit hash over names and values with their lengths. */
pyro_hash128_t pyro_labels_hash(const pyro_labels_t *labels);

/*
 * Number of labels, lengths, UTF-8.  PYRO_UNPROCESSABLE with the name, the
 * length and the limit in the message.
 */
pyro_status_e pyro_labels_check(const pyro_labels_t *labels,
    const pyro_label_limits_t *limits, pyro_error_t *err);


#endif /* _PYRO_LABELS_H_INCLUDED_ */
