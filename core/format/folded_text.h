/*
 * Names and labels as folded.h has them in a line.
 *
 * A text grows in an arena and is used again and again; one thread.
 */

#ifndef _PYRO_FOLDED_TEXT_H_INCLUDED_
#define _PYRO_FOLDED_TEXT_H_INCLUDED_


#include "core/format/folded.h"


typedef struct {
    pyro_arena_t  *arena;
    char          *data;
    uint32_t       len;
    uint32_t       cap;
    int            failed;          /* no memory */
} pyro_folded_text_t;


/* The function's name; what it returns may be s itself or live in the text
 * until the next call. */
pyro_slice_t pyro_folded_function(pyro_folded_text_t *text, pyro_slice_t s,
    pyro_folded_form_e form);

/* The labels of a sample, its span among them; as long as the text lives. */
pyro_slice_t pyro_folded_labels(pyro_folded_text_t *text,
    const pyro_labels_t *labels, const pyro_span_t *span);


#endif /* _PYRO_FOLDED_TEXT_H_INCLUDED_ */
