/*
 * gRPC's and gRPC-Web's frames, and what they have in headers and trailers
 * (gRPC over HTTP/2: requests, responses; gRPC-Web: protocol differences).
 * Unary calls: one message each way.
 *
 * Memory is the caller's.  Any thread.
 */

#ifndef _PYRO_GRPC_H_INCLUDED_
#define _PYRO_GRPC_H_INCLUDED_


#include "core/base/rope.h"
#include "core/base/status.h"


#define PYRO_GRPC_HEAD  5       /* bytes before a message: a flag, its length */


/*
 * The one message of a body, a part of it; packed: it is compressed.
 * PYRO_INVALID: a frame that ends early or has another flag.
 * PYRO_UNIMPLEMENTED: no message, or more than one, as gRPC has it.
 */
pyro_status_e pyro_grpc_message(pyro_slice_t body, pyro_slice_t *message,
    int *packed, pyro_error_t *err);

/*
 * Puts the frame's head before the message that is in the rope; one of 4 GiB
 * is over the rope's limit.
 */
void pyro_grpc_frame(pyro_rope_t *rope, int packed);

/* The frame that ends an answer of gRPC-Web that went well. */
void pyro_grpc_web_end(pyro_rope_t *rope);

/*
 * The header grpc-timeout: up to 8 digits and a unit (H M S m u n), in ns.
 * PYRO_INVALID with the value.
 */
pyro_status_e pyro_grpc_timeout(pyro_slice_t value, int64_t *ns,
    pyro_error_t *err);

/* The number of grpc-status for Connect's name of a code; 2 for others. */
unsigned pyro_grpc_status(const char *code);

/*
 * grpc-message: bytes that are not printable ASCII, and %, as %XX.  Writes at
 * most three times the text's length, returns the length.
 */
size_t pyro_grpc_escape(char *out, const char *text);


#endif /* _PYRO_GRPC_H_INCLUDED_ */
