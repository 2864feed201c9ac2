/*
 * What protobuf-c leaves to its caller: strings of a binary message are UTF-8
 * (Protocol Buffers: encoding), and have no zero byte, at which a C string
 * would end without a word.
 */

#ifndef _PYRO_PROTO_TEXTS_H_INCLUDED_
#define _PYRO_PROTO_TEXTS_H_INCLUDED_


#include <protobuf-c/protobuf-c.h>

#include "core/base/slice.h"
#include "core/base/status.h"


/*
 * Reads the bytes of a message of this type, of its messages as well; no field
 * of a type may be of the type itself.  PYRO_INVALID names the field and its
 * text.  Bytes that are no message are left to whoever decodes them: PYRO_OK.
 * Any thread.
 */
pyro_status_e pyro_proto_texts(const ProtobufCMessageDescriptor *type,
    pyro_slice_t in, pyro_error_t *err);


#endif /* _PYRO_PROTO_TEXTS_H_INCLUDED_ */
