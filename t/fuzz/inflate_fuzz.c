/*
 * Any bytes as gzip: nothing above the limit comes out, the size of what does
 * is limit enough for it, and one byte less is not.
 */

#include <stdlib.h>

#include "core/base/inflate.h"


#define LIMIT  (256 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pyro_slice_t   in, out, exact;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    arena = pyro_arena_create(4 * LIMIT);

    if (arena == NULL) {
        return 0;
    }

    in = pyro_slice(data, size);

    if (pyro_gunzip(arena, in, LIMIT, "limit", &out, &err) == PYRO_OK) {

        if (out.len > LIMIT
            || pyro_gunzip(arena, in, out.len, "limit", &exact, &err)
               != PYRO_OK
            || !pyro_slice_eq(out, exact)
            || (out.len && pyro_gunzip(arena, in, out.len - 1, "limit", &exact,
                                       &err) == PYRO_OK))
        {
            abort();
        }

    } else if (err.message[0] == '\0') {
        abort();
    }

    pyro_arena_destroy(arena);

    return 0;
}
