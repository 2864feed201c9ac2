#include "core/api/codec.h"

#include "core/api/json.h"
#include "core/api/proto_texts.h"


#define PYRO_CODEC_BUFFER  4096     /* bytes gathered for one append */


typedef struct {
    pyro_arena_t      *arena;
    int                exhausted;
} pyro_codec_memory_t;


typedef struct {
    ProtobufCBuffer    base;        /* first: protobuf-c knows only this */
    pyro_rope_t       *out;
    size_t             len;
    char               data[PYRO_CODEC_BUFFER];
} pyro_codec_buffer_t;


static pyro_status_e pyro_proto_decode(const ProtobufCMessageDescriptor *type,
    pyro_slice_t in, pyro_arena_t *arena, ProtobufCMessage **message,
    pyro_error_t *err);
static void *pyro_codec_alloc(void *ctx, size_t size);
static void pyro_codec_free(void *ctx, void *p);
static void pyro_proto_forget(ProtobufCMessage *message);
static void pyro_proto_encode(const ProtobufCMessage *message,
    pyro_rope_t *out);
static void pyro_codec_append(ProtobufCBuffer *buffer, size_t len,
    const uint8_t *data);


pyro_status_e
pyro_codec_decode(pyro_codec_e codec, const ProtobufCMessageDescriptor *type,
    pyro_slice_t in, pyro_arena_t *arena, ProtobufCMessage **message,
    pyro_error_t *err)
{
    if (codec == PYRO_CODEC_JSON) {
        return pyro_json_decode(type, in, arena, message, err);
    }

    return pyro_proto_decode(type, in, arena, message, err);
}


void
pyro_codec_encode(pyro_codec_e codec, const ProtobufCMessage *message,
    pyro_rope_t *out)
{
    if (codec == PYRO_CODEC_JSON) {
        pyro_json_encode(message, out);

    } else {
        pyro_proto_encode(message, out);
    }
}


static void *
pyro_codec_alloc(void *ctx, size_t size)
{
    void                 *p;
    pyro_codec_memory_t  *memory;

    memory = ctx;
    p = pyro_arena_alloc(memory->arena, size);
    memory->exhausted |= p == NULL;

    return p;
}


/* The arena goes as a whole. */
static void
pyro_codec_free(void *ctx, void *p)
{
    (void) ctx;
    (void) p;
}


static pyro_status_e
pyro_proto_decode(const ProtobufCMessageDescriptor *type, pyro_slice_t in,
    pyro_arena_t *arena, ProtobufCMessage **message, pyro_error_t *err)
{
    ProtobufCAllocator   allocator;
    pyro_codec_memory_t  memory;

    if (pyro_proto_texts(type, in, err) != PYRO_OK) {
        return PYRO_INVALID;
    }

    memory.arena = arena;
    memory.exhausted = 0;

    allocator.alloc = pyro_codec_alloc;
    allocator.free = pyro_codec_free;
    allocator.allocator_data = &memory;

    *message = protobuf_c_message_unpack(type, &allocator, in.len,
                                         (const uint8_t *) (in.len ? in.data
                                                                   : ""));

    if (memory.exhausted) {
        return pyro_error_memory(err);
    }

    if (*message == NULL) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "the body of %zu bytes is not a binary %s",
                              in.len, type->name);
    }

    pyro_proto_forget(*message);

    return PYRO_OK;
}


/* What protobuf-c kept of unknown fields is dropped. */
static void
pyro_proto_forget(ProtobufCMessage *message)
{
    size_t                           j, n;
    unsigned                         i;
    void                            *at;
    const ProtobufCFieldDescriptor  *field;

    message->n_unknown_fields = 0;

    for (i = 0; i < message->descriptor->n_fields; i++) {
        field = &message->descriptor->fields[i];

        if (field->type != PROTOBUF_C_TYPE_MESSAGE
            || !pyro_json_is_set(message, field))
        {
            continue;
        }

        at = (char *) message + field->offset;
        n = 1;

        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            n = *(size_t *) ((char *) message + field->quantifier_offset);
            at = *(void **) at;
        }

        for (j = 0; j < n; j++) {
            if (((void **) at)[j] != NULL) {
                pyro_proto_forget(((void **) at)[j]);
            }
        }
    }
}


static void
pyro_proto_encode(const ProtobufCMessage *message, pyro_rope_t *out)
{
    pyro_codec_buffer_t  buffer;

    buffer.base.append = pyro_codec_append;
    buffer.out = out;
    buffer.len = 0;

    protobuf_c_message_pack_to_buffer(message, &buffer.base);
    pyro_rope_append(out, buffer.data, buffer.len);
}


/* protobuf-c appends number by number. */
static void
pyro_codec_append(ProtobufCBuffer *base, size_t len, const uint8_t *data)
{
    pyro_codec_buffer_t  *buffer;

    buffer = (pyro_codec_buffer_t *) base;

    if (len > sizeof(buffer->data) - buffer->len) {
        pyro_rope_append(buffer->out, buffer->data, buffer->len);
        buffer->len = 0;

        if (len > sizeof(buffer->data)) {
            pyro_rope_append(buffer->out, data, len);
            return;
        }
    }

    memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
}


const char *
pyro_connect_code(pyro_status_e status)
{
    switch (status) {

    case PYRO_OK:
        return "ok";

    case PYRO_INVALID:
        return "invalid_argument";

    case PYRO_UNAUTHENTICATED:
        return "unauthenticated";

    case PYRO_NOT_FOUND:
    case PYRO_UNIMPLEMENTED:
        return "unimplemented";

    case PYRO_CONFLICT:
        return "already_exists";

    case PYRO_TOO_LARGE:
    case PYRO_UNPROCESSABLE:
    case PYRO_EXHAUSTED:
        return "resource_exhausted";

    case PYRO_CANCELED:
        return "canceled";

    case PYRO_INTERNAL:
        return "internal";

    case PYRO_UNAVAILABLE:
        return "unavailable";

    case PYRO_DEADLINE:
        return "deadline_exceeded";
    }

    return "unknown";
}


void
pyro_connect_error(pyro_rope_t *out, const char *code, const char *message)
{
    pyro_rope_append(out, "{\"code\":", 8);
    pyro_rope_json(out, pyro_slice_str(code));

    if (message[0] != '\0') {
        pyro_rope_append(out, ",\"message\":", 11);
        pyro_rope_json(out, pyro_slice_str(message));
    }

    pyro_rope_append(out, "}", 1);
}
