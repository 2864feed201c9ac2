/*
 * Regular expressions of label matchers: RE2's syntax, run by PCRE2 without
 * JIT, anchored at both ends, "." matching every character.
 *
 * What backtracking could make expensive is bounded: pattern length, steps,
 * depth and heap of a match.  What PCRE2 has beyond RE2 (look-around,
 * backreferences, recursion, verbs) is refused, so that a selector means the
 * same here as at every other server.  A group "{a,b}" as the whole pattern is
 * what Grafana makes of a variable with several values: an alternation of
 * literals.
 *
 * A compiled expression lives in malloc's memory until pyro_regex_free() and
 * may be used by several threads.
 */

#ifndef _PYRO_REGEX_H_INCLUDED_
#define _PYRO_REGEX_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/status.h"


#define PYRO_REGEX_MAX_LENGTH  4096     /* bytes of a pattern */


typedef struct pyro_regex_s  pyro_regex_t;


/*
 * NULL: PYRO_INVALID with what is wrong and where, or PYRO_UNAVAILABLE.  The
 * pattern must be UTF-8; arena is for the work only.
 */
pyro_regex_t *pyro_regex_compile(pyro_arena_t *arena, pyro_slice_t pattern,
    pyro_error_t *err);

void pyro_regex_free(pyro_regex_t *regex);

/*
 * A pattern, sound, that only literals match, or none: their texts, unescaped,
 * in the arena; n 0: it is more than that, or the empty text is one of them.
 * -1: no memory.
 */
int pyro_regex_literals(pyro_arena_t *arena, pyro_slice_t pattern,
    pyro_slice_t **literals, uint32_t *n);

/* 1, 0; -1: a limit was reached (PYRO_INVALID names it), or no memory. */
int pyro_regex_test(const pyro_regex_t *regex, pyro_slice_t value,
    pyro_error_t *err);


#endif /* _PYRO_REGEX_H_INCLUDED_ */
