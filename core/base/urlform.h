/*
 * application/x-www-form-urlencoded: query strings.  '+' is a space, %XX a
 * byte, a broken escape stays as it is.  Any thread.
 */

#ifndef _PYRO_URLFORM_H_INCLUDED_
#define _PYRO_URLFORM_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/status.h"


/*
 * The first parameter of this name, decoded into the arena.  *found is 0 if
 * there is none (then *value is empty).  PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_urlform_get(pyro_arena_t *arena, pyro_slice_t query,
    const char *name, pyro_slice_t *value, int *found, pyro_error_t *err);


/* The first n parameters of this name, where there are so many. */
pyro_status_e pyro_urlform_all(pyro_arena_t *arena, pyro_slice_t query,
    const char *name, pyro_slice_t *values, uint32_t n, pyro_error_t *err);

/* How many parameters have this name. */
uint32_t pyro_urlform_count(pyro_slice_t query, const char *name);


#endif /* _PYRO_URLFORM_H_INCLUDED_ */
