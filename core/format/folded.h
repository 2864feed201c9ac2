/*
 * A profile as lines of text, one a stack, sorted by bytes.
 *
 * PYRO_FOLDED_SAMPLES: "labels TAB stack TAB values", one line for each label
 * set and stack.  Labels are those of the samples alone, "name=value" joined by
 * ",", a span among them as profile_id (16 hexadecimal digits) and trace_id
 * (32).  A stack is "function:line" joined by ";", root first, and may be
 * empty.  Values are joined by a space.  Nothing is lost: backslashes and
 * control characters are written as \xHH, so are "," in labels, "=" in their
 * names, and a ";" in a function where ":" and digits stand before it, so that
 * a ";" behind a line number is always between two frames.
 *
 * PYRO_FOLDED_STACKS: "stack SPACE value", the collapsed form that flame graph
 * tools read.  Labels are summed over.  In functions ";" becomes "," and
 * control characters spaces; stacks that are equal then are one.  What has no
 * name is "[unknown]", also the only frame of an empty stack.
 *
 * The profile may be finished or not, and must stay as it is meanwhile.  Memory
 * comes from the arena and is linear in the profile's and in the text of its
 * labels; sums stop at INT64_MAX.  One thread.
 */

#ifndef _PYRO_FOLDED_H_INCLUDED_
#define _PYRO_FOLDED_H_INCLUDED_


#include "core/base/rope.h"
#include "core/model/profile.h"


#define PYRO_FOLDED_VALUES  2       /* of a line, at most */


typedef enum {
    PYRO_FOLDED_SAMPLES = 0,
    PYRO_FOLDED_STACKS
} pyro_folded_form_e;


typedef struct {
    pyro_folded_form_e  form;
    int                 lines;      /* stacks: "function:line" */
    uint32_t            n_values;   /* of a line */

    /* the profile's type of each value; PYRO_NONE: there is none, 0 */
    uint32_t            types[PYRO_FOLDED_VALUES];
} pyro_folded_options_t;


typedef struct pyro_folded_s  pyro_folded_t;


/* Sums and sorts; NULL: no memory. */
pyro_folded_t *pyro_folded_create(pyro_arena_t *arena,
    const pyro_profile_t *profile, const pyro_folded_options_t *options);

/*
 * Appends the next lines, and stops, perhaps within a line, when that many
 * bytes or a few more were appended.  Returns 1 while there is more, 0 at the
 * end or when the rope has failed.
 */
int pyro_folded_write(pyro_folded_t *folded, size_t bytes, pyro_rope_t *out);


#endif /* _PYRO_FOLDED_H_INCLUDED_ */
