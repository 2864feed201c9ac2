/*
 * Raw deflate (RFC 1951) of columns of numbers that are kept: no header, no
 * checksum, the size is known to whoever inflates.  For gzip see
 * core/base/inflate.h.
 *
 * A deflater is one thread's at a time and is used again and again: making one
 * costs more than compressing a few kilobytes.  Inflating needs no state; any
 * thread.
 */

#ifndef _PYRO_DEFLATE_H_INCLUDED_
#define _PYRO_DEFLATE_H_INCLUDED_


#include "core/base/arena.h"


#define PYRO_DEFLATE_RATIO  1032    /* deflate cannot expand more than that */


typedef struct pyro_deflater_s  pyro_deflater_t;


/* NULL: no memory. */
pyro_deflater_t *pyro_deflater_create(void);

void pyro_deflater_destroy(pyro_deflater_t *deflater);

/*
 * Compresses the columns, one behind the other, into the arena.  Each begins a
 * block of its own, so that it has a code of its own.  -1: no memory.
 */
int pyro_deflate(pyro_deflater_t *deflater, pyro_arena_t *arena,
    const pyro_slice_t *columns, uint32_t n, pyro_slice_t *out);

/*
 * Inflates into out.  -1: damaged, or other than size bytes come out, or there
 * is no memory for tables.
 */
int pyro_inflate(pyro_slice_t in, void *out, size_t size);


#endif /* _PYRO_DEFLATE_H_INCLUDED_ */
