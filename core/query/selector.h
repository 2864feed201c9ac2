/*
 * Label selectors: {name="value", other=~"re"} (PromQL: vector selectors) to
 * matchers, and their evaluation.  All four operators; regular expressions are
 * anchored at both ends and run by PCRE2 with match and depth limits, so that
 * no pattern can hold a thread.
 *
 * A parsed selector is read-only and may be used by several threads; slices
 * are in the arena; pyro_selector_free() releases the compiled patterns.
 */

#ifndef _PYRO_SELECTOR_H_INCLUDED_
#define _PYRO_SELECTOR_H_INCLUDED_


#include "core/model/labels.h"


typedef enum {
    PYRO_MATCH_EQUAL = 0,       /* =  */
    PYRO_MATCH_NOT_EQUAL,       /* != */
    PYRO_MATCH_REGEX,           /* =~ */
    PYRO_MATCH_NOT_REGEX        /* !~ */
} pyro_match_e;


typedef struct {
    pyro_match_e   op;
    pyro_slice_t   name;
    pyro_slice_t   value;
    void          *code;        /* compiled pattern, NULL for = and != */
    pyro_slice_t  *literals;    /* of =~: all that it matches, if they are */
    uint32_t       n_literals;  /* literals; 0: they are not */
} pyro_matcher_t;


typedef struct {
    pyro_matcher_t  *items;
    uint32_t         n;
    uint32_t         cap;
    pyro_arena_t    *arena;
} pyro_selector_t;


/*
 * Parses text.  Strict forms and lenient ones: empty text,
 * {}, a bare matcher list without braces, a metric or profile type name before
 * the brace, quoted and dotted label names.
 *
 * PYRO_INVALID with the position and what was expected, or the regular
 * expression's own error (its syntax: core/query/regex.h), or more than 100
 * matchers.  After an error there is nothing to free.
 */
pyro_status_e pyro_selector_parse(pyro_arena_t *arena, pyro_slice_t text,
    pyro_selector_t *selector, pyro_error_t *err);

/* Adds name="value"; -1: no memory.  The bytes are borrowed. */
int pyro_selector_add(pyro_selector_t *selector, pyro_slice_t name,
    pyro_slice_t value);

void pyro_selector_free(pyro_selector_t *selector);

/*
 * 1 if the value satisfies the matcher (a missing label is the empty value), 0
 * if not; -1: the pattern ran into a match limit, err (PYRO_INVALID) names it.
 */
int pyro_matcher_test(const pyro_matcher_t *matcher, pyro_slice_t value,
    pyro_error_t *err);

/* The same for all matchers of a selector. */
int pyro_selector_test(const pyro_selector_t *selector,
    const pyro_labels_t *labels, pyro_error_t *err);


#endif /* _PYRO_SELECTOR_H_INCLUDED_ */
