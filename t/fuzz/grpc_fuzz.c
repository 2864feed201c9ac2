/*
 * What gRPC has around a request (the first byte is the length of
 * grpc-timeout): its timeout, its frame; and a frame around the same bytes is
 * taken apart to them.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/api/grpc.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
grpc_fuzz_message(pyro_slice_t body)
{
    int           packed;
    pyro_slice_t  message;
    pyro_error_t  err;

    if (pyro_grpc_message(body, &message, &packed, &err) == PYRO_OK
        && (message.data != body.data + PYRO_GRPC_HEAD
            || message.len != body.len - PYRO_GRPC_HEAD
            || (packed != 0 && packed != 1)))
    {
        abort();
    }
}


static void
grpc_fuzz_again(pyro_slice_t text)
{
    int            packed;
    pyro_rope_t    rope;
    pyro_slice_t   flat, message;
    pyro_arena_t  *arena;
    pyro_error_t   err;

    arena = pyro_arena_create(0);

    pyro_rope_init(&rope, 0);
    pyro_rope_append(&rope, text.data, text.len);
    pyro_grpc_frame(&rope, 1);
    flat = pyro_rope_flat(&rope, arena);

    if (pyro_grpc_message(flat, &message, &packed, &err) != PYRO_OK
        || packed != 1 || !pyro_slice_eq(message, text))
    {
        abort();
    }

    pyro_rope_free(&rope);
    pyro_arena_destroy(arena);
}


static void
grpc_fuzz_escape(pyro_slice_t text)
{
    char    *copy, *out;
    size_t   i, len;

    copy = malloc(text.len + 1);
    out = malloc(3 * text.len + 1);

    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    len = pyro_grpc_escape(out, copy);

    for (i = 0; i < len; i++) {
        if (out[i] < 0x20 || out[i] == 0x7f) {
            abort();
        }
    }

    free(copy);
    free(out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t        n;
    int64_t       ns;
    pyro_error_t  err;
    pyro_slice_t  rest;

    if (size == 0) {
        return 0;
    }

    n = data[0] < size ? data[0] : size - 1;

    if (pyro_grpc_timeout(pyro_slice(data + 1, n), &ns, &err) == PYRO_OK
        && (ns < 0 || ns > 86400LL * 1000000000))
    {
        abort();
    }

    rest = pyro_slice(data + 1 + n, size - 1 - n);

    grpc_fuzz_message(rest);
    grpc_fuzz_again(rest);
    grpc_fuzz_escape(rest);

    return 0;
}
