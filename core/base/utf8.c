#include "core/base/utf8.h"

#include <stdint.h>
#include <string.h>

#include "core/base/count.h"


size_t
pyro_utf8_char(const char *text, size_t len)
{
    size_t          i, n;
    uint32_t        code;
    const uint8_t  *p;

    p = (const uint8_t *) text;

    if (len == 0) {
        return 0;
    }

    if (p[0] < 0x80) {
        return 1;
    }

    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }

    n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (n > len) {
        return 0;
    }

    code = p[0] & (0x7f >> n);

    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        code = code << 6 | (p[i] & 0x3f);
    }

    if ((n == 3 && code < 0x800)
        || (n == 4 && (code < 0x10000 || code > 0x10ffff))
        || (code >= 0xd800 && code <= 0xdfff))
    {
        return 0;
    }

    return n;
}


int
pyro_utf8_valid(const char *p, size_t len)
{
    size_t    n;
    uint64_t  word;

    PYRO_COUNT(PYRO_COUNT_BYTES, len);

    while (len) {

        if (len >= 8) {
            memcpy(&word, p, 8);

            if ((word & 0x8080808080808080ULL) == 0) {
                p += 8;
                len -= 8;
                continue;
            }
        }

        n = pyro_utf8_char(p, len);

        if (n == 0) {
            return 0;
        }

        p += n;
        len -= n;
    }

    return 1;
}


size_t
pyro_utf8_clean(char *dst, size_t max, const char *src, size_t len)
{
    size_t  n, out;

    out = 0;

    while (len) {
        n = pyro_utf8_char(src, len);

        if (out + (n ? n : 1) > max) {
            break;
        }

        if (n == 0 || (uint8_t) *src < 0x20 || *src == 0x7f) {
            dst[out++] = '?';
            n = 1;

        } else {
            memcpy(dst + out, src, n);
            out += n;
        }

        src += n;
        len -= n;
    }

    PYRO_COUNT(PYRO_COUNT_BYTES, out);

    return out;
}
