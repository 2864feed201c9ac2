#include "core/api/grpc.h"

#include <string.h>

#include "core/base/clock.h"


#define PYRO_GRPC_PACKED        0x01
#define PYRO_GRPC_WEB_TRAILERS  0x80

#define PYRO_GRPC_DIGITS        8       /* of grpc-timeout, at most */
#define PYRO_GRPC_UNKNOWN       2


static void pyro_grpc_head(unsigned char *head, unsigned flag, size_t len);


/* by grpc-status */
static const char *const  pyro_grpc_codes[] = {
    "ok", "canceled", "unknown", "invalid_argument", "deadline_exceeded",
    "not_found", "already_exists", "permission_denied", "resource_exhausted",
    "failed_precondition", "aborted", "out_of_range", "unimplemented",
    "internal", "unavailable", "data_loss", "unauthenticated"
};


pyro_status_e
pyro_grpc_message(pyro_slice_t body, pyro_slice_t *message, int *packed,
    pyro_error_t *err)
{
    size_t                len;
    const unsigned char  *p;

    p = (const unsigned char *) body.data;

    if (body.len == 0) {
        return pyro_error_set(err, PYRO_UNIMPLEMENTED, PYRO_REASON_REQUEST,
                              "the body has no gRPC message, one is needed");
    }

    if (body.len < PYRO_GRPC_HEAD) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "the body of %zu bytes ends in the %d bytes "
                              "before a gRPC message", body.len,
                              PYRO_GRPC_HEAD);
    }

    if (p[0] & ~PYRO_GRPC_PACKED) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "flag %u of a gRPC message: allowed are 0 and 1",
                              p[0]);
    }

    len = ((size_t) p[1] << 24) | ((size_t) p[2] << 16) | ((size_t) p[3] << 8)
          | p[4];

    if (len > body.len - PYRO_GRPC_HEAD) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "a gRPC message of %zu bytes, %zu are there",
                              len, body.len - PYRO_GRPC_HEAD);
    }

    if (len < body.len - PYRO_GRPC_HEAD) {
        return pyro_error_set(err, PYRO_UNIMPLEMENTED, PYRO_REASON_REQUEST,
                              "the body has more than one gRPC message, %zu "
                              "bytes follow the first",
                              body.len - PYRO_GRPC_HEAD - len);
    }

    *message = pyro_slice(body.data + PYRO_GRPC_HEAD, len);
    *packed = p[0] & PYRO_GRPC_PACKED;

    return PYRO_OK;
}


static void
pyro_grpc_head(unsigned char *head, unsigned flag, size_t len)
{
    head[0] = (unsigned char) flag;
    head[1] = (unsigned char) (len >> 24);
    head[2] = (unsigned char) (len >> 16);
    head[3] = (unsigned char) (len >> 8);
    head[4] = (unsigned char) len;
}


void
pyro_grpc_frame(pyro_rope_t *rope, int packed)
{
    unsigned char  head[PYRO_GRPC_HEAD];

    if (rope->size > UINT32_MAX) {
        rope->failed = 2;
        return;
    }

    pyro_grpc_head(head, packed ? PYRO_GRPC_PACKED : 0, rope->size);
    pyro_rope_prepend(rope, head, sizeof(head));
}


void
pyro_grpc_web_end(pyro_rope_t *rope)
{
    unsigned char      head[PYRO_GRPC_HEAD];
    static const char  trailers[] = "grpc-status: 0\r\n";

    pyro_grpc_head(head, PYRO_GRPC_WEB_TRAILERS, sizeof(trailers) - 1);
    pyro_rope_append(rope, head, sizeof(head));
    pyro_rope_append(rope, trailers, sizeof(trailers) - 1);
}


pyro_status_e
pyro_grpc_timeout(pyro_slice_t value, int64_t *ns, pyro_error_t *err)
{
    size_t       i;
    int64_t      n;
    const char  *unit;

    static const char     units[] = "HMSmun";
    static const int64_t  lengths[] = {
        3600 * PYRO_NS_PER_SEC, 60 * PYRO_NS_PER_SEC, PYRO_NS_PER_SEC,
        PYRO_NS_PER_MS, 1000, 1
    };

    n = 0;

    for (i = 0; i < value.len && i < PYRO_GRPC_DIGITS
                && value.data[i] >= '0' && value.data[i] <= '9'; i++)
    {
        n = n * 10 + (value.data[i] - '0');
    }

    unit = i && value.len == i + 1 && value.data[i] != '\0'
           ? strchr(units, value.data[i]) : NULL;

    if (unit == NULL) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "grpc-timeout: \"%.*s\" is not a number of up "
                              "to 8 digits and one of H M S m u n",
                              (int) (value.len < 32 ? value.len : 32),
                              value.data);
    }

    /* a day is for ever here, and 8 digits of hours would overflow */

    if (n > 86400 * PYRO_NS_PER_SEC / lengths[unit - units]) {
        *ns = 86400 * PYRO_NS_PER_SEC;

    } else {
        *ns = n * lengths[unit - units];
    }

    return PYRO_OK;
}


unsigned
pyro_grpc_status(const char *code)
{
    unsigned  i;

    for (i = 0; i < sizeof(pyro_grpc_codes) / sizeof(pyro_grpc_codes[0]);
         i++)
    {
        if (strcmp(pyro_grpc_codes[i], code) == 0) {
            return i;
        }
    }

    return PYRO_GRPC_UNKNOWN;
}


size_t
pyro_grpc_escape(char *out, const char *text)
{
    char                 *p;
    unsigned char         c;
    static const char     hex[] = "0123456789ABCDEF";

    for (p = out; *text != '\0'; text++) {
        c = (unsigned char) *text;

        if (c >= 0x20 && c < 0x7f && c != '%') {
            *p++ = (char) c;
            continue;
        }

        *p++ = '%';
        *p++ = hex[c >> 4];
        *p++ = hex[c & 0xf];
    }

    return (size_t) (p - out);
}
