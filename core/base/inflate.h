/*
 * gzip (RFC 1952) in and out of memory.
 *
 * Inflating is bounded by an output limit that holds while it runs, so a bomb
 * costs no more than the limit.  libdeflate does whole members where the build
 * has it, zlib everything else.  Any thread.
 */

#ifndef _PYRO_INFLATE_H_INCLUDED_
#define _PYRO_INFLATE_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/rope.h"
#include "core/base/status.h"


/* 1 if the bytes begin with gzip's magic 1f 8b. */
int pyro_is_gzip(pyro_slice_t in);

/*
 * All members of in, one after the other, into one range in the arena.
 *
 * PYRO_TOO_LARGE: more than limit bytes come out; what names the limit in the
 * message ("limits.max_profile_size_bytes").  PYRO_UNPROCESSABLE: truncated, a
 * wrong checksum or length, bytes behind the last member that are not a member
 * (zero bytes are padding).  PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_gunzip(pyro_arena_t *arena, pyro_slice_t in, size_t limit,
    const char *what, pyro_slice_t *out, pyro_error_t *err);

/* in as one gzip member, level 1, into out. */
pyro_status_e pyro_gzip(const pyro_rope_t *in, pyro_rope_t *out,
    pyro_error_t *err);


#endif /* _PYRO_INFLATE_H_INCLUDED_ */
