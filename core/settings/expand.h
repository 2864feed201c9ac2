/*
 * ${NAME} and ${NAME:-default} in the values of a settings file.
 *
 * The default stands where the variable is not set or empty.  "$$" is one "$";
 * a "$" before anything but "{" stands for itself.  A value or a default is
 * taken as it is, never expanded again.  Reads the environment: one thread.
 */

#ifndef _PYRO_EXPAND_H_INCLUDED_
#define _PYRO_EXPAND_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/status.h"


#define PYRO_EXPAND_MAX  (64 * 1024)    /* bytes of an expanded value */


/* Names in the order of their first use; begin with zeros. */
typedef struct {
    const char  **names;
    uint32_t      n;
    uint32_t      cap;
} pyro_variables_t;


/*
 * text with its variables replaced, in the arena, or text itself if it has
 * none.  PYRO_INVALID: err says what is wrong with which variable (no file and
 * no line, which the caller knows); PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_expand(pyro_arena_t *arena, pyro_slice_t text,
    pyro_variables_t *variables, pyro_slice_t *out, pyro_error_t *err);


#endif /* _PYRO_EXPAND_H_INCLUDED_ */
