/*
 * What a Content-Type says of an RPC: the protocol around its message, and the
 * codec of the message (Connect protocol: unary; gRPC over HTTP/2; gRPC-Web).
 *
 * Constant data, any thread.
 */

#ifndef _PYRO_PROTOCOL_H_INCLUDED_
#define _PYRO_PROTOCOL_H_INCLUDED_


#include "core/api/codec.h"


typedef enum {
    PYRO_PROTOCOL_CONNECT = 0,      /* the message is the body */
    PYRO_PROTOCOL_GRPC,             /* in a frame; the status in trailers */
    PYRO_PROTOCOL_GRPC_WEB          /* in a frame; the status in another one */
} pyro_protocol_e;


typedef struct {
    const char       *name;         /* as the answer has it */
    pyro_protocol_e   protocol;
    pyro_codec_e      codec;
} pyro_content_type_t;


/* All of them, as Accept-Post has them. */
#define PYRO_CONTENT_TYPES                                                    \
    "application/proto, application/json, "                                   \
    "application/grpc, application/grpc+proto, application/grpc+json, "       \
    "application/grpc-web, application/grpc-web+proto, "                      \
    "application/grpc-web+json"

/*
 * The row of a Content-Type, parameters and case ignored; NULL: none of them.
 * application/x-protobuf is none, as upstream has it.
 */
const pyro_content_type_t *pyro_content_type_find(pyro_slice_t value);


#endif /* _PYRO_PROTOCOL_H_INCLUDED_ */
