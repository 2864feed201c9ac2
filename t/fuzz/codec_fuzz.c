/*
 * A request body in either codec (the first byte chooses codec and message):
 * what could be read is written and read again in both.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/api/codec.h"
#include "core/api/proto/querier.pb-c.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void codec_fuzz_again(pyro_arena_t *arena, pyro_codec_e codec,
    const ProtobufCMessage *message);


static void
codec_fuzz_again(pyro_arena_t *arena, pyro_codec_e codec,
    const ProtobufCMessage *message)
{
    char               *text, *p;
    pyro_rope_t         rope;
    pyro_error_t        err;
    ProtobufCMessage   *again;
    pyro_rope_chunk_t  *chunk;

    pyro_rope_init(&rope, 0);
    pyro_codec_encode(codec, message, &rope);

    text = malloc(rope.size + 1);

    if (text != NULL && pyro_rope_status(&rope, &err) == PYRO_OK) {
        p = text;

        for (chunk = rope.first; chunk != NULL; chunk = chunk->next) {
            memcpy(p, chunk->data, chunk->len);
            p += chunk->len;
        }

        /* JSON has a size limit and the arena a budget: nothing else fails */

        if (pyro_codec_decode(codec, message->descriptor,
                              pyro_slice(text, rope.size), arena, &again, &err)
            == PYRO_INVALID)
        {
            abort();
        }
    }

    free(text);
    pyro_rope_free(&rope);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pyro_codec_e                       codec;
    pyro_arena_t                      *arena;
    pyro_error_t                       err;
    ProtobufCMessage                  *message;
    const ProtobufCMessageDescriptor  *type;

    if (size == 0) {
        return 0;
    }

    arena = pyro_arena_create(4 * 1024 * 1024);

    if (arena == NULL) {
        return 0;
    }

    codec = data[0] & 1 ? PYRO_CODEC_JSON : PYRO_CODEC_PROTO;
    type = data[0] & 2 ? &querier__v1__select_series_request__descriptor
         : data[0] & 4 ? &querier__v1__select_series_response__descriptor
         : &querier__v1__select_merge_stacktraces_response__descriptor;

    if (pyro_codec_decode(codec, type, pyro_slice(data + 1, size - 1), arena,
                          &message, &err) == PYRO_OK)
    {
        codec_fuzz_again(arena, PYRO_CODEC_PROTO, message);
        codec_fuzz_again(arena, PYRO_CODEC_JSON, message);
    }

    pyro_arena_destroy(arena);

    return 0;
}
