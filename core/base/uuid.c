#include "core/base/uuid.h"


#define PYRO_UUID_SHOWN  100        /* bytes of a value in a message */


static int pyro_uuid_is_dash(size_t i);
static int pyro_uuid_digit(char c);


static int
pyro_uuid_is_dash(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}


/* -1: it is none. */
static int
pyro_uuid_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}


void
pyro_uuid_text(pyro_hash128_t id, char *text)
{
    size_t    i;
    unsigned  shift;
    uint64_t  half;

    half = id.hi;

    for (i = 0, shift = 64; i < PYRO_UUID_TEXT; i++) {

        if (pyro_uuid_is_dash(i)) {
            text[i] = '-';
            continue;
        }

        if (shift == 0) {
            half = id.lo;
            shift = 64;
        }

        shift -= 4;
        text[i] = "0123456789abcdef"[half >> shift & 15];
    }

    text[PYRO_UUID_TEXT] = '\0';
}


pyro_status_e
pyro_uuid_parse(const char *field, pyro_slice_t text, pyro_hash128_t *id,
    pyro_error_t *err)
{
    int     digit;
    size_t  i;

    id->hi = 0;
    id->lo = 0;

    for (i = 0; text.len == PYRO_UUID_TEXT && i < text.len; i++) {

        if (pyro_uuid_is_dash(i)) {

            if (text.data[i] == '-') {
                continue;
            }

            break;
        }

        digit = pyro_uuid_digit(text.data[i]);

        if (digit == -1) {
            break;
        }

        id->hi = id->hi << 4 | id->lo >> 60;
        id->lo = id->lo << 4 | (uint64_t) digit;
    }

    if (text.len == PYRO_UUID_TEXT && i == text.len) {
        return PYRO_OK;
    }

    return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                          "%s \"%.*s\" is no UUID: 32 hexadecimal digits in "
                          "groups of 8-4-4-4-12", field,
                          (int) (text.len < PYRO_UUID_SHOWN ? text.len
                                                            : PYRO_UUID_SHOWN),
                          text.len ? text.data : "");
}
