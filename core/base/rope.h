/*
 * Append-only output in chunks of up to 64 KiB: what a task builds off the
 * event loop and the module hands to nginx unchanged.
 *
 * One thread at a time; freed as a whole.  Errors stick: after a failed append
 * (no memory, or more than limit bytes) all further ones do nothing and
 * pyro_rope_failed() tells, so an encoder checks once at its end.
 */

#ifndef _PYRO_ROPE_H_INCLUDED_
#define _PYRO_ROPE_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/slice.h"
#include "core/base/status.h"


typedef struct pyro_rope_chunk_s  pyro_rope_chunk_t;

struct pyro_rope_chunk_s {
    pyro_rope_chunk_t  *next;
    size_t              len;
    size_t              cap;
    char                data[];
};


typedef struct {
    pyro_rope_chunk_t  *first;
    pyro_rope_chunk_t  *last;
    size_t              size;       /* bytes in all chunks */
    size_t              limit;      /* bytes at most, 0 for none */
    int                 failed;     /* 1 no memory, 2 over the limit */
} pyro_rope_t;


void pyro_rope_init(pyro_rope_t *rope, size_t limit);
void pyro_rope_free(pyro_rope_t *rope);

void pyro_rope_append(pyro_rope_t *rope, const void *data, size_t len);

/* Before everything else that is in it; the limit does not count it. */
void pyro_rope_prepend(pyro_rope_t *rope, const void *data, size_t len);

void pyro_rope_printf(pyro_rope_t *rope, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* s as a JSON string with its quotes; malformed UTF-8 becomes U+FFFD. */
void pyro_rope_json(pyro_rope_t *rope, pyro_slice_t s);

/* All of it as one range in the arena; data NULL: no memory, or it failed. */
pyro_slice_t pyro_rope_flat(const pyro_rope_t *rope, pyro_arena_t *arena);

/* PYRO_OK, or what went wrong: no memory, or the limit with its name. */
pyro_status_e pyro_rope_status(const pyro_rope_t *rope, pyro_error_t *err);


#endif /* _PYRO_ROPE_H_INCLUDED_ */
