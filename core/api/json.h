/*
 * The JSON mapping of protobuf messages (ProtoJSON), driven by protobuf-c's
 * descriptors: the codec's two JSON halves.
 *
 * Reading accepts lowerCamelCase and proto names, 64-bit integers as numbers
 * or strings, enums by name or number, null for "not set", bytes as either
 * base64; it skips unknown fields and unknown names of enums.  Writing omits
 * defaults and goes straight into a rope, since flame graphs are large.  Any
 * thread; decoded messages live in the arena.
 */

#ifndef _PYRO_JSON_H_INCLUDED_
#define _PYRO_JSON_H_INCLUDED_


#include <protobuf-c/protobuf-c.h>

#include "core/base/arena.h"
#include "core/base/rope.h"
#include "core/base/status.h"


#define PYRO_JSON_MAX_DEPTH  32
#define PYRO_JSON_MAX_SIZE   (1024 * 1024)  /* bytes; a tree takes 40 times */
#define PYRO_JSON_MAX_NAME   64             /* a field's name with its zero */


/* The errors are those of pyro_codec_decode(). */
pyro_status_e pyro_json_decode(const ProtobufCMessageDescriptor *type,
    pyro_slice_t in, pyro_arena_t *arena, ProtobufCMessage **message,
    pyro_error_t *err);

void pyro_json_encode(const ProtobufCMessage *message, pyro_rope_t *out);

/* The lowerCamelCase name of a field. */
void pyro_json_name(const ProtobufCFieldDescriptor *field,
    char name[PYRO_JSON_MAX_NAME]);

/* 1 if a one-of's field, or a plain one, is there at all. */
static inline int
pyro_json_is_set(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
    const char  *base;

    base = (const char *) message;

    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0
           || *(const uint32_t *) (base + field->quantifier_offset)
              == field->id;
}


#endif /* _PYRO_JSON_H_INCLUDED_ */
