/*
 * What the files that make response messages share.
 */

#ifndef _PYRO_ANSWER_H_INCLUDED_
#define _PYRO_ANSWER_H_INCLUDED_


#include "core/api/proto/querier.pb-c.h"
#include "core/api/querier.h"


/* A copy in the arena that ends with a zero byte, as protobuf-c has strings.
 * NULL: no memory, here and below. */
char *pyro_answer_text(pyro_arena_t *arena, pyro_slice_t text);

Types__V1__LabelPair **pyro_answer_pairs(pyro_arena_t *arena,
    const pyro_labels_t *labels);

/* A profile or a span as an exemplar of a series that the plan groups. */
Types__V1__Exemplar *pyro_answer_exemplar(pyro_arena_t *arena,
    const pyro_plan_t *plan, const pyro_exemplar_t *value);

#endif /* _PYRO_ANSWER_H_INCLUDED_ */
