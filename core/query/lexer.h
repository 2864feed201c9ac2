/*
 * The words of a label selector: names, quoted strings with Go's escapes,
 * single characters.  White space separates words.
 *
 * Slices are parts of the text or, where a string has escapes, of the arena.
 * One thread.  Errors are PYRO_INVALID with the byte position (from 0) and what
 * was expected there.
 */

#ifndef _PYRO_LEXER_H_INCLUDED_
#define _PYRO_LEXER_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/status.h"


typedef struct {
    pyro_slice_t   text;
    size_t         pos;
    pyro_arena_t  *arena;
} pyro_lexer_t;


typedef enum {
    PYRO_LEXER_LABEL = 0,       /* letters, digits, "_", "." */
    PYRO_LEXER_METRIC           /* also ":", "-" and "/" */
} pyro_lexer_name_e;


void pyro_lexer_init(pyro_lexer_t *lexer, pyro_arena_t *arena,
    pyro_slice_t text);

/* Back to the beginning of the text. */
void pyro_lexer_reset(pyro_lexer_t *lexer);

int pyro_lexer_at_end(pyro_lexer_t *lexer);

/* The next character that is no white space, or 0 at the end. */
char pyro_lexer_peek(pyro_lexer_t *lexer);

/* 1 if the next word begins with c, which is then behind us. */
int pyro_lexer_take(pyro_lexer_t *lexer, char c);

/* The same without white space before c. */
int pyro_lexer_follows(pyro_lexer_t *lexer, char c);

/* A name as it is, or a quoted one, which must not be empty. */
pyro_status_e pyro_lexer_name(pyro_lexer_t *lexer, pyro_lexer_name_e kind,
    pyro_slice_t *name, pyro_error_t *err);

/* "...", '...' or `...` (no escapes in the last); UTF-8. */
pyro_status_e pyro_lexer_string(pyro_lexer_t *lexer, pyro_slice_t *value,
    pyro_error_t *err);

pyro_status_e pyro_lexer_error(pyro_lexer_t *lexer, const char *expected,
    pyro_error_t *err);


#endif /* _PYRO_LEXER_H_INCLUDED_ */
