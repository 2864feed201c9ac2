/*
 * Names that the JVM or a library makes up anew in each run, put into one form
 * so that they fall together: lambda classes, reflection accessors, CGLIB
 * proxies, libraries unpacked to a temporary file.  Any thread.
 */

#ifndef _PYRO_JFR_SYMBOL_H_INCLUDED_
#define _PYRO_JFR_SYMBOL_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/slice.h"


/* The symbol as it is, or its one form in the arena; data NULL: no memory. */
pyro_slice_t pyro_jfr_symbol(pyro_arena_t *arena, pyro_slice_t symbol);


#endif /* _PYRO_JFR_SYMBOL_H_INCLUDED_ */
