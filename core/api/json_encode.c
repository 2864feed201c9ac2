#include "core/api/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>


#define PYRO_JSON_BATCH  4096       /* bytes gathered for one append */
#define PYRO_JSON_INT    24         /* a 64-bit number, quotes and a comma */
#define PYRO_JSON_EXACT  9007199254740992.0     /* 2^53 */


static int pyro_json_is_default(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field);
static void pyro_json_list(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, pyro_rope_t *out);
static void pyro_json_ints(const int64_t *values, size_t n, pyro_rope_t *out);
static void pyro_json_value(const ProtobufCFieldDescriptor *field,
    const void *value, pyro_rope_t *out);
static char *pyro_json_int(char *p, uint64_t value, int negative);
static void pyro_json_double(double value, pyro_rope_t *out);
static void pyro_json_enum(const ProtobufCEnumDescriptor *type, int value,
    pyro_rope_t *out);
static void pyro_json_bytes(const ProtobufCBinaryData *bytes,
    pyro_rope_t *out);


void
pyro_json_name(const ProtobufCFieldDescriptor *field,
    char name[PYRO_JSON_MAX_NAME])
{
    int          upper;
    size_t       n;
    const char  *p;

    upper = 0;
    n = 0;

    for (p = field->name; *p != '\0' && n < PYRO_JSON_MAX_NAME - 1; p++) {
        if (*p == '_') {
            upper = 1;
            continue;
        }

        name[n++] = upper && *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p;
        upper = 0;
    }

    name[n] = '\0';
}


void
pyro_json_encode(const ProtobufCMessage *message, pyro_rope_t *out)
{
    char                             name[PYRO_JSON_MAX_NAME];
    unsigned                         i;
    const char                      *separator;
    const ProtobufCFieldDescriptor  *field;

    separator = "";
    pyro_rope_append(out, "{", 1);

    for (i = 0; i < message->descriptor->n_fields; i++) {
        field = &message->descriptor->fields[i];

        if (pyro_json_is_default(message, field)) {
            continue;
        }

        pyro_json_name(field, name);
        pyro_rope_printf(out, "%s\"%s\":", separator, name);
        separator = ",";

        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            pyro_json_list(message, field, out);

        } else {
            pyro_json_value(field, (const char *) message + field->offset, out);
        }
    }

    pyro_rope_append(out, "}", 1);
}


/* A member of a one-of that is set is written even if it is zero. */
static int
pyro_json_is_default(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
    const char  *base;
    const void  *value;

    base = (const char *) message;
    value = base + field->offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return *(const size_t *) (base + field->quantifier_offset) == 0;
    }

    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        return !pyro_json_is_set(message, field);
    }

    switch (field->type) {

    case PROTOBUF_C_TYPE_STRING:
        return *(char *const *) value == NULL
               || (*(char *const *) value)[0] == '\0';

    case PROTOBUF_C_TYPE_MESSAGE:
        return *(void *const *) value == NULL;

    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *) value)->len == 0;

    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return *(const uint64_t *) value == 0;

    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *) value == 0;

    case PROTOBUF_C_TYPE_FLOAT:
        return *(const float *) value == 0;

    default:
        return *(const uint32_t *) value == 0;
    }
}


static void
pyro_json_list(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, pyro_rope_t *out)
{
    size_t       i, n, size;
    const char  *items;

    items = *(char *const *) ((const char *) message + field->offset);
    n = *(const size_t *) ((const char *) message + field->quantifier_offset);
    size = sizeof(uint32_t);

    pyro_rope_append(out, "[", 1);

    switch (field->type) {

    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        pyro_json_ints((const int64_t *) items, n, out);
        n = 0;
        break;

    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        size = sizeof(void *);
        break;

    case PROTOBUF_C_TYPE_BYTES:
        size = sizeof(ProtobufCBinaryData);
        break;

    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        size = sizeof(uint64_t);
        break;

    default:
        break;
    }

    for (i = 0; i < n; i++) {
        if (i) {
            pyro_rope_append(out, ",", 1);
        }

        pyro_json_value(field, items + i * size, out);
    }

    pyro_rope_append(out, "]", 1);
}


/* The levels of a flame graph have millions of these. */
static void
pyro_json_ints(const int64_t *values, size_t n, pyro_rope_t *out)
{
    char     text[PYRO_JSON_BATCH], *p;
    size_t   i;

    p = text;

    for (i = 0; i < n; i++) {
        if ((size_t) (text + sizeof(text) - p) < PYRO_JSON_INT) {
            pyro_rope_append(out, text, (size_t) (p - text));
            p = text;
        }

        if (i) {
            *p++ = ',';
        }

        *p++ = '"';
        p = pyro_json_int(p, values[i] < 0 ? 0 - (uint64_t) values[i]
                                           : (uint64_t) values[i],
                          values[i] < 0);
        *p++ = '"';
    }

    pyro_rope_append(out, text, (size_t) (p - text));
}


static char *
pyro_json_int(char *p, uint64_t value, int negative)
{
    char  digits[PYRO_JSON_INT], *start, *end;

    end = digits + sizeof(digits);
    start = end;

    do {
        *--start = (char) ('0' + value % 10);
        value /= 10;
    } while (value);

    if (negative) {
        *--start = '-';
    }

    memcpy(p, start, (size_t) (end - start));

    return p + (end - start);
}


static void
pyro_json_value(const ProtobufCFieldDescriptor *field, const void *value,
    pyro_rope_t *out)
{
    const char  *text;

    switch (field->type) {

    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        pyro_json_ints(value, 1, out);
        break;

    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        pyro_rope_printf(out, "\"%llu\"",
                         (unsigned long long) *(const uint64_t *) value);
        break;

    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        pyro_rope_printf(out, "%lu", (unsigned long) *(const uint32_t *) value);
        break;

    case PROTOBUF_C_TYPE_DOUBLE:
        pyro_json_double(*(const double *) value, out);
        break;

    case PROTOBUF_C_TYPE_FLOAT:
        pyro_json_double((double) *(const float *) value, out);
        break;

    case PROTOBUF_C_TYPE_BOOL:
        text = *(const protobuf_c_boolean *) value ? "true" : "false";
        pyro_rope_append(out, text, strlen(text));
        break;

    case PROTOBUF_C_TYPE_ENUM:
        pyro_json_enum(field->descriptor, *(const int *) value, out);
        break;

    case PROTOBUF_C_TYPE_STRING:
        text = *(char *const *) value;
        pyro_rope_json(out, pyro_slice_str(text ? text : ""));
        break;

    case PROTOBUF_C_TYPE_BYTES:
        pyro_json_bytes(value, out);
        break;

    case PROTOBUF_C_TYPE_MESSAGE:
        pyro_json_encode(*(const ProtobufCMessage *const *) value, out);
        break;

    default:
        pyro_rope_printf(out, "%ld", (long) *(const int32_t *) value);
    }
}


/* The shortest text that reads back as the same number. */
static void
pyro_json_double(double value, pyro_rope_t *out)
{
    int   digits;
    char  text[40];

    if (isnan(value)) {
        pyro_rope_append(out, "\"NaN\"", 5);
        return;
    }

    if (isinf(value)) {
        pyro_rope_printf(out, "\"%sInfinity\"", value < 0 ? "-" : "");
        return;
    }

    if (value > -PYRO_JSON_EXACT && value < PYRO_JSON_EXACT
        && value == (double) (int64_t) value)
    {
        pyro_rope_printf(out, "%lld", (long long) value);
        return;
    }

    for (digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);

        if (strtod(text, NULL) == value) {
            break;
        }
    }

    pyro_rope_append(out, text, strlen(text));
}


static void
pyro_json_enum(const ProtobufCEnumDescriptor *type, int value,
    pyro_rope_t *out)
{
    const ProtobufCEnumValue  *known;

    known = protobuf_c_enum_descriptor_get_value(type, value);

    if (known != NULL) {
        pyro_rope_printf(out, "\"%s\"", known->name);

    } else {
        pyro_rope_printf(out, "%d", value);
    }
}


static void
pyro_json_bytes(const ProtobufCBinaryData *bytes, pyro_rope_t *out)
{
    char      quad[4];
    size_t    i, left;
    uint32_t  v;

    static const char  alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "abcdefghijklmnopqrstuvwxyz0123456789+/";

    pyro_rope_append(out, "\"", 1);

    for (i = 0; i < bytes->len; i += 3) {
        left = bytes->len - i;
        v = (uint32_t) bytes->data[i] << 16
            | (uint32_t) (left > 1 ? bytes->data[i + 1] : 0) << 8
            | (uint32_t) (left > 2 ? bytes->data[i + 2] : 0);

        quad[0] = alphabet[v >> 18];
        quad[1] = alphabet[v >> 12 & 63];
        quad[2] = left > 1 ? alphabet[v >> 6 & 63] : '=';
        quad[3] = left > 2 ? alphabet[v & 63] : '=';

        pyro_rope_append(out, quad, 4);
    }

    pyro_rope_append(out, "\"", 1);
}
