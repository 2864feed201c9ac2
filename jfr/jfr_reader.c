#include "jfr/jfr_reader.h"


#define PYRO_JFR_LOW_BITS   0x0101010101010101ULL


enum {
    PYRO_JFR_ENC_NULL = 0,
    PYRO_JFR_ENC_EMPTY,
    PYRO_JFR_ENC_KEY,
    PYRO_JFR_ENC_UTF8,
    PYRO_JFR_ENC_CHARS,
    PYRO_JFR_ENC_LATIN1
};


static uint64_t pyro_jfr_skip_short(pyro_jfr_reader_t *r, uint64_t n);
static int pyro_jfr_is_ascii(const uint8_t *p, size_t n);
static pyro_slice_t pyro_jfr_bytes(pyro_jfr_reader_t *r, uint64_t n);
static uint32_t pyro_jfr_char(pyro_jfr_reader_t *r);
static char *pyro_jfr_put_utf8(char *p, uint32_t c);
static pyro_slice_t pyro_jfr_chars(pyro_jfr_reader_t *r, uint64_t n,
    pyro_arena_t *arena);
static pyro_slice_t pyro_jfr_latin1(pyro_jfr_reader_t *r, uint64_t n,
    pyro_arena_t *arena);


uint64_t
pyro_jfr_varint_long(pyro_jfr_reader_t *r)
{
    uint64_t        v, last;
    unsigned        i, n;
    const uint8_t  *p;

    p = r->pos;

    if (pyro_jfr_left(r) >= 8) {
        v = pyro_jfr_word_at(p);
        last = ~v & PYRO_JFR_HIGH_BITS;

        if (last) {
            last &= -last;
            r->pos = p + __builtin_ctzll(last) / 8 + 1;

            return pyro_jfr_groups(v & (last - 1));
        }
    }

    n = pyro_jfr_left(r) < PYRO_JFR_VARINT_MAX ? (unsigned) pyro_jfr_left(r)
                                               : PYRO_JFR_VARINT_MAX;
    v = 0;

    for (i = 0; i < n; i++) {
        if (i == PYRO_JFR_VARINT_MAX - 1) {
            r->pos = p + i + 1;
            return v | (uint64_t) p[i] << 56;
        }

        v |= (uint64_t) (p[i] & 0x7f) << (7 * i);

        if (p[i] < 0x80) {
            r->pos = p + i + 1;
            return v;
        }
    }

    pyro_jfr_fail(r, PYRO_JFR_MALFORMED);

    return 0;
}


uint64_t
pyro_jfr_fixed(pyro_jfr_reader_t *r, size_t width)
{
    size_t    i;
    uint64_t  v;

    if (pyro_jfr_left(r) < width) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return 0;
    }

    v = 0;

    for (i = 0; i < width; i++) {
        v = v << 8 | *r->pos++;
    }

    return v;
}


/*
 * Many short varints, eight bytes at a time from wherever they begin: as long
 * as each half of them has the end of one, none of nine bytes is among them,
 * and counting ends is enough.  Returns how many are left.
 */
static uint64_t
pyro_jfr_skip_short(pyro_jfr_reader_t *r, uint64_t n)
{
    uint64_t        last;
    const uint8_t  *p, *end;

    p = r->pos;
    end = r->end - 8;

    while (n >= 8 && p <= end) {
        last = ~pyro_jfr_word_at(p) & PYRO_JFR_HIGH_BITS;

        if ((uint32_t) last == 0 || last >> 32 == 0) {
            break;
        }

        n -= (last >> 7) * PYRO_JFR_LOW_BITS >> 56;
        p += 8;
    }

    /* back to where the varint begins that is not at its end yet */

    while (p != r->pos && p[-1] >= 0x80) {
        p--;
    }

    r->pos = p;

    return n;
}


void
pyro_jfr_skip_varints(pyro_jfr_reader_t *r, uint64_t n)
{
    uint64_t  last, count;

    /*
     * Eight bytes at a time, always from the beginning of a varint: the last
     * bytes of varints are those without the high bit.  Eight bytes without
     * any belong to one of nine bytes, whose last may have it.
     */

    PYRO_COUNT(PYRO_COUNT_BYTES, n > pyro_jfr_left(r) ? pyro_jfr_left(r) : n);

    if (n >= 16 && pyro_jfr_left(r) >= 8) {
        n = pyro_jfr_skip_short(r, n);
    }

    while (n && pyro_jfr_left(r) >= 8) {
        last = ~pyro_jfr_word_at(r->pos) & PYRO_JFR_HIGH_BITS;

        if (last == 0) {
            pyro_jfr_varint_long(r);
            n--;
            continue;
        }

        count = (last >> 7) * PYRO_JFR_LOW_BITS >> 56;

        if (count <= n) {
            r->pos += (63 - __builtin_clzll(last)) / 8 + 1;
            n -= count;
            continue;
        }

        while (--n) {
            last &= last - 1;
        }

        r->pos += __builtin_ctzll(last) / 8 + 1;

        return;
    }

    while (n-- && r->bad == PYRO_JFR_SOUND) {
        pyro_jfr_varint(r);
    }
}


void
pyro_jfr_skip_bytes(pyro_jfr_reader_t *r, uint64_t n)
{
    if (n > pyro_jfr_left(r)) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return;
    }

    r->pos += n;
}


static int
pyro_jfr_is_ascii(const uint8_t *p, size_t n)
{
    size_t    i;
    uint8_t   all;
    uint64_t  word;

    for (i = 0; n - i >= 8; i += 8) {
        PYRO_COUNT(PYRO_COUNT_BYTES, 8);
        memcpy(&word, p + i, sizeof(word));

        if (word & PYRO_JFR_HIGH_BITS) {
            return 0;
        }
    }

    for (all = 0; i < n; i++) {
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);
        all |= p[i];
    }

    return all < 0x80;
}


static pyro_slice_t
pyro_jfr_bytes(pyro_jfr_reader_t *r, uint64_t n)
{
    pyro_slice_t  s;

    s = pyro_slice(r->pos, n);
    r->pos += n;

    return s;
}


static uint32_t
pyro_jfr_char(pyro_jfr_reader_t *r)
{
    return (uint32_t) (r->fixed ? pyro_jfr_fixed(r, 2) : pyro_jfr_varint(r))
           & 0xffff;
}


static char *
pyro_jfr_put_utf8(char *p, uint32_t c)
{
    if (c < 0x80) {
        *p++ = (char) c;
        return p;
    }

    if (c < 0x800) {
        *p++ = (char) (0xc0 | c >> 6);

    } else {
        if (c < 0x10000) {
            *p++ = (char) (0xe0 | c >> 12);

        } else {
            *p++ = (char) (0xf0 | c >> 18);
            *p++ = (char) (0x80 | (c >> 12 & 0x3f));
        }

        *p++ = (char) (0x80 | (c >> 6 & 0x3f));
    }

    *p++ = (char) (0x80 | (c & 0x3f));

    return p;
}


static pyro_slice_t
pyro_jfr_chars(pyro_jfr_reader_t *r, uint64_t n, pyro_arena_t *arena)
{
    char      *text, *p;
    uint32_t   c, high;

    /* a code unit below 0x80 is written as that byte: the text as it is */

    if (!r->fixed && pyro_jfr_is_ascii(r->pos, n)) {
        return pyro_jfr_bytes(r, n);
    }

    text = pyro_arena_alloc(arena, n * 3);

    if (text == NULL) {
        pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
        return pyro_slice(NULL, 0);
    }

    p = text;
    high = 0;

    while (n-- && r->bad == PYRO_JFR_SOUND) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        c = pyro_jfr_char(r);

        if (high && c >= 0xdc00 && c < 0xe000) {
            p = pyro_jfr_put_utf8(p, 0x10000 + ((high - 0xd800) << 10)
                                     + (c - 0xdc00));
            high = 0;
            continue;
        }

        if (high) {
            p = pyro_jfr_put_utf8(p, 0xfffd);
        }

        high = c >= 0xd800 && c < 0xdc00 ? c : 0;

        if (high == 0) {
            p = pyro_jfr_put_utf8(p, c >= 0xdc00 && c < 0xe000 ? 0xfffd : c);
        }
    }

    if (high) {
        p = pyro_jfr_put_utf8(p, 0xfffd);
    }

    return pyro_slice(text, (size_t) (p - text));
}


static pyro_slice_t
pyro_jfr_latin1(pyro_jfr_reader_t *r, uint64_t n, pyro_arena_t *arena)
{
    char  *text, *p;

    if (pyro_jfr_is_ascii(r->pos, n)) {
        return pyro_jfr_bytes(r, n);
    }

    text = pyro_arena_alloc(arena, n * 2);

    if (text == NULL) {
        pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
        return pyro_slice(NULL, 0);
    }

    for (p = text; n; n--) {
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);
        p = pyro_jfr_put_utf8(p, *r->pos++);
    }

    return pyro_slice(text, (size_t) (p - text));
}


pyro_jfr_string_e
pyro_jfr_string(pyro_jfr_reader_t *r, pyro_arena_t *arena, pyro_slice_t *text,
    uint64_t *key)
{
    *key = 0;
    *text = pyro_slice("", 0);

    switch (pyro_jfr_byte(r)) {

    case PYRO_JFR_ENC_NULL:
        return PYRO_JFR_NULL;

    case PYRO_JFR_ENC_EMPTY:
        return PYRO_JFR_TEXT;

    case PYRO_JFR_ENC_KEY:
        *key = pyro_jfr_long(r);
        return PYRO_JFR_KEY;

    case PYRO_JFR_ENC_UTF8:
        *text = pyro_jfr_bytes(r, pyro_jfr_count(r));
        return PYRO_JFR_TEXT;

    case PYRO_JFR_ENC_CHARS:
        *text = pyro_jfr_chars(r, pyro_jfr_count(r), arena);
        return PYRO_JFR_TEXT;

    case PYRO_JFR_ENC_LATIN1:
        *text = pyro_jfr_latin1(r, pyro_jfr_count(r), arena);
        return PYRO_JFR_TEXT;

    default:
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return PYRO_JFR_NULL;
    }
}


void
pyro_jfr_skip_string(pyro_jfr_reader_t *r)
{
    uint64_t  n;

    switch (pyro_jfr_byte(r)) {

    case PYRO_JFR_ENC_NULL:
    case PYRO_JFR_ENC_EMPTY:
        return;

    case PYRO_JFR_ENC_KEY:
        pyro_jfr_long(r);
        return;

    case PYRO_JFR_ENC_UTF8:
    case PYRO_JFR_ENC_LATIN1:
        pyro_jfr_skip_bytes(r, pyro_jfr_count(r));
        return;

    case PYRO_JFR_ENC_CHARS:
        n = pyro_jfr_count(r);

        if (r->fixed) {
            pyro_jfr_skip_bytes(r, n * 2);

        } else {
            pyro_jfr_skip_varints(r, n);
        }

        return;

    default:
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
    }
}
