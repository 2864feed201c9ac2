/*
 * Single values of ProtoJSON: numbers (whole ones also as "1e3" and in
 * strings), names of enums, base64.  Any thread; nothing is kept of the JSON.
 */

#ifndef _PYRO_JSON_SCALAR_H_INCLUDED_
#define _PYRO_JSON_SCALAR_H_INCLUDED_


#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "core/base/arena.h"


typedef enum {
    PYRO_JSON_SET = 0,
    PYRO_JSON_SKIP,                 /* unknown name of an enum: not there */
    PYRO_JSON_WRONG,                /* of another type or out of range */
    PYRO_JSON_FAILED                /* no memory, or an error that is set */
} pyro_json_e;


/* min is 0 - 2^k. */
pyro_json_e pyro_json_signed(json_t *value, int64_t min, int64_t max,
    int64_t *out);

pyro_json_e pyro_json_unsigned(json_t *value, uint64_t max, uint64_t *out);

pyro_json_e pyro_json_real(json_t *value, double *out);

pyro_json_e pyro_json_enum_of(const ProtobufCEnumDescriptor *type,
    json_t *value, int *out);

/* Either alphabet, padded or not; the bytes are in the arena. */
pyro_json_e pyro_json_base64(pyro_arena_t *arena, json_t *value,
    ProtobufCBinaryData *out);


#endif /* _PYRO_JSON_SCALAR_H_INCLUDED_ */
