#include "core/api/proto_texts.h"

#include "core/base/utf8.h"


/* how a value lies on the wire */
enum {
    WIRE_VARINT = 0,
    WIRE_64     = 1,
    WIRE_BYTES  = 2,
    WIRE_32     = 5
};


static int pyro_proto_varint(pyro_slice_t *in, uint64_t *value);
static int pyro_proto_value(pyro_slice_t *in, unsigned wire,
    pyro_slice_t *value);
static pyro_status_e pyro_proto_text(const ProtobufCFieldDescriptor *field,
    pyro_slice_t text, pyro_error_t *err);


pyro_status_e
pyro_proto_texts(const ProtobufCMessageDescriptor *type, pyro_slice_t in,
    pyro_error_t *err)
{
    uint64_t                         tag;
    pyro_slice_t                     value;
    pyro_status_e                    status;
    const ProtobufCFieldDescriptor  *field;

    while (in.len) {

        if (pyro_proto_varint(&in, &tag) || tag > UINT32_MAX
            || pyro_proto_value(&in, tag & 7, &value))
        {
            return PYRO_OK;
        }

        field = protobuf_c_message_descriptor_get_field(type, tag >> 3);

        if (field == NULL || (tag & 7) != WIRE_BYTES) {
            continue;
        }

        status = PYRO_OK;

        if (field->type == PROTOBUF_C_TYPE_STRING) {
            status = pyro_proto_text(field, value, err);

        } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            status = pyro_proto_texts(field->descriptor, value, err);
        }

        if (status != PYRO_OK) {
            return status;
        }
    }

    return PYRO_OK;
}


static int
pyro_proto_varint(pyro_slice_t *in, uint64_t *value)
{
    unsigned       shift;
    unsigned char  c;

    *value = 0;

    for (shift = 0; in->len && shift < 64; shift += 7) {
        c = (unsigned char) in->data[0];
        in->data++;
        in->len--;
        *value |= (uint64_t) (c & 0x7f) << shift;

        if ((c & 0x80) == 0) {
            return 0;
        }
    }

    return -1;
}


/* Takes a value off; value is what follows the length of one that has one. */
static int
pyro_proto_value(pyro_slice_t *in, unsigned wire, pyro_slice_t *value)
{
    uint64_t  len;

    *value = pyro_slice(NULL, 0);

    switch (wire) {

    case WIRE_VARINT:
        return pyro_proto_varint(in, &len);

    case WIRE_64:
        len = 8;
        break;

    case WIRE_BYTES:
        if (pyro_proto_varint(in, &len)) {
            return -1;
        }

        break;

    case WIRE_32:
        len = 4;
        break;

    default:
        return -1;
    }

    if (len > in->len) {
        return -1;
    }

    *value = pyro_slice(in->data, len);
    in->data += len;
    in->len -= len;

    return 0;
}


static pyro_status_e
pyro_proto_text(const ProtobufCFieldDescriptor *field, pyro_slice_t text,
    pyro_error_t *err)
{
    int  len;

    len = text.len < 64 ? (int) text.len : 64;

    if (!pyro_utf8_valid(text.data, text.len)) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "field %s: \"%.*s\" is not UTF-8", field->name,
                              len, text.data);
    }

    if (text.len && memchr(text.data, '\0', text.len) != NULL) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "field %s: \"%.*s\" is followed by a zero byte",
                              field->name, len, text.data);
    }

    return PYRO_OK;
}
