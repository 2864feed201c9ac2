/*
 * The two codecs of messages over protobuf-c descriptors: binary protobuf, and
 * JSON by the protobuf mapping, derived from the same descriptors
 * (Protocol Buffers: JSON mapping; Connect protocol: error codes).
 *
 * Decoded messages live in the arena given (protobuf-c allocates there), are
 * never freed one by one.  Any thread.
 */

#ifndef _PYRO_CODEC_H_INCLUDED_
#define _PYRO_CODEC_H_INCLUDED_


#include <protobuf-c/protobuf-c.h>

#include "core/base/arena.h"
#include "core/base/rope.h"
#include "core/base/status.h"


typedef enum {
    PYRO_CODEC_PROTO = 0,
    PYRO_CODEC_JSON
} pyro_codec_e;


/*
 * PYRO_INVALID: bytes that are not this message; JSON that is not JSON, nests
 * deeper than 32, or has a value of the wrong type: the message names the field
 * and the value.  PYRO_TOO_LARGE: JSON of more than 1 MiB.  PYRO_UNAVAILABLE:
 * no memory.  An empty binary body is the empty message, an empty JSON body
 * is an error.
 */
pyro_status_e pyro_codec_decode(pyro_codec_e codec,
    const ProtobufCMessageDescriptor *type, pyro_slice_t in,
    pyro_arena_t *arena, ProtobufCMessage **message, pyro_error_t *err);

/* Appends the message to out; check pyro_rope_status() of out. */
void pyro_codec_encode(pyro_codec_e codec, const ProtobufCMessage *message,
    pyro_rope_t *out);

/* Connect's name of a status: "invalid_argument", ... */
const char *pyro_connect_code(pyro_status_e status);

/* {"code":"...","message":"..."} */
void pyro_connect_error(pyro_rope_t *out, const char *code,
    const char *message);


#endif /* _PYRO_CODEC_H_INCLUDED_ */
