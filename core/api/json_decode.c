#include "core/api/json.h"

#include <stdlib.h>

#include "core/api/json_scalar.h"


#define PYRO_JSON_SHOW  64          /* bytes of a value that a message shows */


typedef struct {
    pyro_arena_t                    *arena;
    pyro_error_t                    *err;
} pyro_json_t;


static size_t pyro_json_depth(pyro_slice_t in);
static pyro_status_e pyro_json_object(pyro_json_t *ctx,
    const ProtobufCMessageDescriptor *type, json_t *object,
    ProtobufCMessage **message);
static const ProtobufCFieldDescriptor *pyro_json_field(
    const ProtobufCMessageDescriptor *type, const char *key);
static pyro_status_e pyro_json_set(pyro_json_t *ctx,
    const ProtobufCFieldDescriptor *field, json_t *value,
    ProtobufCMessage *message);
static pyro_status_e pyro_json_array(pyro_json_t *ctx,
    const ProtobufCFieldDescriptor *field, json_t *array,
    ProtobufCMessage *message);
static size_t pyro_json_size(const ProtobufCFieldDescriptor *field);
static pyro_json_e pyro_json_read(pyro_json_t *ctx,
    const ProtobufCFieldDescriptor *field, json_t *value, void *out);
static pyro_json_e pyro_json_text(pyro_json_t *ctx, json_t *value, char **out);
static pyro_status_e pyro_json_wrong(pyro_json_t *ctx,
    const ProtobufCFieldDescriptor *field, json_t *value);
static const char *pyro_json_kind(const ProtobufCFieldDescriptor *field);


pyro_status_e
pyro_json_decode(const ProtobufCMessageDescriptor *type, pyro_slice_t in,
    pyro_arena_t *arena, ProtobufCMessage **message, pyro_error_t *err)
{
    json_t         *root;
    pyro_json_t     ctx;
    json_error_t    error;
    pyro_error_t    ignored;
    pyro_status_e   status;

    if (in.len > PYRO_JSON_MAX_SIZE) {
        return pyro_error_set(err, PYRO_TOO_LARGE, PYRO_REASON_BODY_SIZE,
                              "JSON body of %zu bytes, at most %d are allowed",
                              in.len, PYRO_JSON_MAX_SIZE);
    }

    if (pyro_json_depth(in) > PYRO_JSON_MAX_DEPTH) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "the JSON body nests deeper than %d",
                              PYRO_JSON_MAX_DEPTH);
    }

    root = json_loadb(in.len ? in.data : "", in.len, 0, &error);

    if (root == NULL && json_error_code(&error) == json_error_out_of_memory) {
        return pyro_error_memory(err);
    }

    if (!json_is_object(root)) {
        json_decref(root);

        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "the body is not a JSON object: %s",
                              in.len == 0 ? "it is empty, send {}"
                              : root == NULL ? error.text : "it is an array");
    }

    ctx.arena = arena;
    ctx.err = err != NULL ? err : &ignored;
    status = pyro_json_object(&ctx, type, root, message);
    json_decref(root);

    return status;
}


/* jansson has a limit of its own, but recurses up to it. */
static size_t
pyro_json_depth(pyro_slice_t in)
{
    int     string;
    size_t  i, depth, deepest;

    string = 0;
    depth = 0;
    deepest = 0;

    for (i = 0; i < in.len; i++) {

        switch (in.data[i]) {

        case '"':
            string = !string;
            break;

        case '\\':
            i += string;
            break;

        case '{':
        case '[':
            depth += !string;
            deepest = depth > deepest ? depth : deepest;
            break;

        case '}':
        case ']':
            depth -= !string && depth;
            break;
        }
    }

    return deepest;
}


static pyro_status_e
pyro_json_object(pyro_json_t *ctx, const ProtobufCMessageDescriptor *type,
    json_t *object, ProtobufCMessage **message)
{
    json_t                          *value;
    const char                      *key;
    pyro_status_e                    status;
    const ProtobufCFieldDescriptor  *field;

    *message = pyro_arena_calloc(ctx->arena, 1, type->sizeof_message);

    if (*message == NULL) {
        return pyro_error_memory(ctx->err);
    }

    protobuf_c_message_init(type, *message);

    json_object_foreach (object, key, value) {
        field = pyro_json_field(type, key);

        if (field == NULL || json_is_null(value)) {
            continue;
        }

        status = field->label == PROTOBUF_C_LABEL_REPEATED
                 ? pyro_json_array(ctx, field, value, *message)
                 : pyro_json_set(ctx, field, value, *message);

        if (status != PYRO_OK) {
            return status;
        }
    }

    return PYRO_OK;
}


static const ProtobufCFieldDescriptor *
pyro_json_field(const ProtobufCMessageDescriptor *type, const char *key)
{
    char                             name[PYRO_JSON_MAX_NAME];
    unsigned                         i;
    const ProtobufCFieldDescriptor  *field;

    for (i = 0; i < type->n_fields; i++) {
        field = &type->fields[i];
        pyro_json_name(field, name);

        if (strcmp(key, name) == 0 || strcmp(key, field->name) == 0) {
            return field;
        }
    }

    return NULL;
}


static pyro_status_e
pyro_json_set(pyro_json_t *ctx, const ProtobufCFieldDescriptor *field,
    json_t *value, ProtobufCMessage *message)
{
    char  *base;

    base = (char *) message;

    switch (pyro_json_read(ctx, field, value, base + field->offset)) {

    case PYRO_JSON_SET:
        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            *(uint32_t *) (base + field->quantifier_offset) = field->id;
        }

        return PYRO_OK;

    case PYRO_JSON_SKIP:
        return PYRO_OK;

    case PYRO_JSON_WRONG:
        return pyro_json_wrong(ctx, field, value);

    default:
        return ctx->err->status;
    }
}


static pyro_status_e
pyro_json_array(pyro_json_t *ctx, const ProtobufCFieldDescriptor *field,
    json_t *array, ProtobufCMessage *message)
{
    char        *items;
    size_t       i, n, size;
    json_t      *value;
    pyro_json_e  rc;

    if (!json_is_array(array)) {
        return pyro_json_wrong(ctx, field, array);
    }

    size = pyro_json_size(field);
    items = pyro_arena_calloc(ctx->arena, json_array_size(array), size);

    if (items == NULL) {
        return pyro_error_memory(ctx->err);
    }

    n = 0;

    json_array_foreach (array, i, value) {
        rc = pyro_json_read(ctx, field, value, items + n * size);

        if (rc == PYRO_JSON_WRONG) {
            return pyro_json_wrong(ctx, field, value);
        }

        if (rc == PYRO_JSON_FAILED) {
            return ctx->err->status;
        }

        n += rc == PYRO_JSON_SET;
    }

    *(size_t *) ((char *) message + field->quantifier_offset) = n;
    *(void **) ((char *) message + field->offset) = items;

    return PYRO_OK;
}


static size_t
pyro_json_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {

    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(int64_t);

    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);

    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);

    default:
        return sizeof(int32_t);
    }
}


static pyro_json_e
pyro_json_read(pyro_json_t *ctx, const ProtobufCFieldDescriptor *field,
    json_t *value, void *out)
{
    double       real;
    int64_t      i;
    uint64_t     u;
    pyro_json_e  rc;

    switch (field->type) {

    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return pyro_json_signed(value, INT64_MIN, INT64_MAX, out);

    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        rc = pyro_json_signed(value, INT32_MIN, INT32_MAX, &i);

        if (rc == PYRO_JSON_SET) {
            *(int32_t *) out = (int32_t) i;
        }

        return rc;

    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return pyro_json_unsigned(value, UINT64_MAX, out);

    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        rc = pyro_json_unsigned(value, UINT32_MAX, &u);

        if (rc == PYRO_JSON_SET) {
            *(uint32_t *) out = (uint32_t) u;
        }

        return rc;

    case PROTOBUF_C_TYPE_DOUBLE:
        return pyro_json_real(value, out);

    case PROTOBUF_C_TYPE_FLOAT:
        rc = pyro_json_real(value, &real);

        if (rc == PYRO_JSON_SET) {
            *(float *) out = (float) real;
        }

        return rc;

    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(value)) {
            return PYRO_JSON_WRONG;
        }

        *(protobuf_c_boolean *) out = json_is_true(value);
        return PYRO_JSON_SET;

    case PROTOBUF_C_TYPE_ENUM:
        return pyro_json_enum_of(field->descriptor, value, out);

    case PROTOBUF_C_TYPE_STRING:
        return pyro_json_text(ctx, value, out);

    case PROTOBUF_C_TYPE_BYTES:
        rc = pyro_json_base64(ctx->arena, value, out);

        if (rc == PYRO_JSON_FAILED) {
            pyro_error_memory(ctx->err);
        }

        return rc;

    default:
        if (!json_is_object(value)) {
            return PYRO_JSON_WRONG;
        }

        return pyro_json_object(ctx, field->descriptor, value, out) == PYRO_OK
               ? PYRO_JSON_SET : PYRO_JSON_FAILED;
    }
}


static pyro_json_e
pyro_json_text(pyro_json_t *ctx, json_t *value, char **out)
{
    pyro_slice_t  copy;

    if (!json_is_string(value)) {
        return PYRO_JSON_WRONG;
    }

    copy = pyro_arena_dup(ctx->arena, pyro_slice(json_string_value(value),
                                                 json_string_length(value)));

    if (copy.data == NULL) {
        pyro_error_memory(ctx->err);
        return PYRO_JSON_FAILED;
    }

    *out = (char *) copy.data;

    return PYRO_JSON_SET;
}


static const char *
pyro_json_kind(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {

    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FLOAT:
        return "number";

    case PROTOBUF_C_TYPE_BOOL:
        return "boolean";

    case PROTOBUF_C_TYPE_ENUM:
        return "enum's name or number";

    case PROTOBUF_C_TYPE_STRING:
        return "string";

    case PROTOBUF_C_TYPE_BYTES:
        return "base64 string";

    case PROTOBUF_C_TYPE_MESSAGE:
        return "object";

    default:
        return "whole number";
    }
}


static pyro_status_e
pyro_json_wrong(pyro_json_t *ctx, const ProtobufCFieldDescriptor *field,
    json_t *value)
{
    char           name[PYRO_JSON_MAX_NAME], *shown;
    pyro_status_e  status;

    pyro_json_name(field, name);
    shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    status = pyro_error_set(ctx->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                            "field %s: expected %s%s, got %.*s", name,
                            field->label == PROTOBUF_C_LABEL_REPEATED
                            ? "an array, each item a " : "a ",
                            pyro_json_kind(field), PYRO_JSON_SHOW,
                            shown != NULL ? shown : "something else");
    free(shown);

    return status;
}
