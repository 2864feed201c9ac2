#include "core/api/json_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>


static int pyro_json_number(const char *text, double *out);
static int pyro_json_digit(char c);


/* Numbers as JSON has them, also with an exponent, if they are whole. */
static int
pyro_json_number(const char *text, double *out)
{
    char  *end;

    if (*text == '\0' || strspn(text, "+-.0123456789eE") != strlen(text)) {
        return -1;
    }

    *out = strtod(text, &end);

    return *end != '\0' || isinf(*out) ? -1 : 0;
}


pyro_json_e
pyro_json_signed(json_t *value, int64_t min, int64_t max, int64_t *out)
{
    char        *end;
    double       real;
    const char  *text;

    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return *out >= min && *out <= max ? PYRO_JSON_SET : PYRO_JSON_WRONG;
    }

    real = json_real_value(value);

    if (json_is_string(value)) {
        text = json_string_value(value);

        if (pyro_json_number(text, &real)) {
            return PYRO_JSON_WRONG;
        }

        errno = 0;
        *out = strtoll(text, &end, 10);

        if (*end == '\0') {
            return errno == 0 && *out >= min && *out <= max
                   ? PYRO_JSON_SET : PYRO_JSON_WRONG;
        }

    } else if (!json_is_real(value)) {
        return PYRO_JSON_WRONG;
    }

    /* -min is a power of two, so exact as a double; max is not */

    if (real < (double) min || real >= -(double) min
        || real != (double) (int64_t) real)
    {
        return PYRO_JSON_WRONG;
    }

    *out = (int64_t) real;

    return PYRO_JSON_SET;
}


pyro_json_e
pyro_json_unsigned(json_t *value, uint64_t max, uint64_t *out)
{
    char        *end;
    double       real;
    const char  *text;

    if (json_is_integer(value)) {
        *out = (uint64_t) json_integer_value(value);
        return json_integer_value(value) >= 0 && *out <= max
               ? PYRO_JSON_SET : PYRO_JSON_WRONG;
    }

    real = json_real_value(value);

    if (json_is_string(value)) {
        text = json_string_value(value);

        if (pyro_json_number(text, &real) || text[0] == '-') {
            return PYRO_JSON_WRONG;
        }

        errno = 0;
        *out = strtoull(text, &end, 10);

        if (*end == '\0') {
            return errno == 0 && *out <= max ? PYRO_JSON_SET : PYRO_JSON_WRONG;
        }

    } else if (!json_is_real(value)) {
        return PYRO_JSON_WRONG;
    }

    /* 2^64 is the first double that does not fit */

    if (real < 0 || real >= 18446744073709551616.0 || real > (double) max
        || real != (double) (uint64_t) real)
    {
        return PYRO_JSON_WRONG;
    }

    *out = (uint64_t) real;

    return PYRO_JSON_SET;
}


pyro_json_e
pyro_json_real(json_t *value, double *out)
{
    const char  *text;

    if (json_is_number(value)) {
        *out = json_number_value(value);
        return PYRO_JSON_SET;
    }

    if (!json_is_string(value)) {
        return PYRO_JSON_WRONG;
    }

    text = json_string_value(value);

    if (strcmp(text, "NaN") == 0) {
        *out = NAN;
        return PYRO_JSON_SET;
    }

    if (strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0) {
        *out = text[0] == '-' ? -INFINITY : INFINITY;
        return PYRO_JSON_SET;
    }

    return pyro_json_number(text, out) ? PYRO_JSON_WRONG : PYRO_JSON_SET;
}


pyro_json_e
pyro_json_enum_of(const ProtobufCEnumDescriptor *type, json_t *value, int *out)
{
    int64_t                    number;
    const ProtobufCEnumValue  *known;

    if (json_is_string(value)) {
        known = protobuf_c_enum_descriptor_get_value_by_name(type,
                                                     json_string_value(value));

        if (known == NULL) {
            return PYRO_JSON_SKIP;
        }

        *out = known->value;
        return PYRO_JSON_SET;
    }

    if (pyro_json_signed(value, INT32_MIN, INT32_MAX, &number)
        != PYRO_JSON_SET)
    {
        return PYRO_JSON_WRONG;
    }

    *out = (int) number;

    return PYRO_JSON_SET;
}


static int
pyro_json_digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}


pyro_json_e
pyro_json_base64(pyro_arena_t *arena, json_t *value,
    ProtobufCBinaryData *out)
{
    int           digit;
    size_t        i, len;
    uint32_t      bits, v;
    const char   *text;

    if (!json_is_string(value)) {
        return PYRO_JSON_WRONG;
    }

    text = json_string_value(value);
    len = json_string_length(value);

    for (i = 0; i < 2 && len && text[len - 1] == '='; i++) {
        len--;
    }

    out->len = 0;
    out->data = pyro_arena_alloc(arena, len / 4 * 3 + 3);

    if (out->data == NULL) {
        return PYRO_JSON_FAILED;
    }

    v = 0;
    bits = 0;

    for (i = 0; i < len; i++) {
        digit = pyro_json_digit(text[i]);

        if (digit < 0) {
            return PYRO_JSON_WRONG;
        }

        v = (v << 6 | (uint32_t) digit) & 0xffffff;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            out->data[out->len++] = (uint8_t) (v >> bits);
        }
    }

    return len % 4 == 1 ? PYRO_JSON_WRONG : PYRO_JSON_SET;
}
