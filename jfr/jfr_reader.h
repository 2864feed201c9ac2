/*
 * A bounded reader over the bytes of one JFR chunk.
 *
 * Errors stick: after the first read past the end, or the first malformed
 * value, bad is set, nothing is left, and every further read gives 0, so that a
 * caller checks once behind a whole value.  Counts are checked against what
 * remains, since an item takes at least a byte.  Nothing is copied but strings
 * that are not ASCII.
 *
 * Integers (JFR "compressed integers"): little-endian groups of seven bits, at
 * most nine bytes, of which the ninth gives all eight bits.  A chunk whose flag
 * bit 0 is clear has big-endian integers of their type's width instead.
 *
 * One thread.
 */

#ifndef _PYRO_JFR_READER_H_INCLUDED_
#define _PYRO_JFR_READER_H_INCLUDED_


#include <endian.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/count.h"
#include "core/base/slice.h"


#define PYRO_JFR_VARINT_MAX  9

#define PYRO_JFR_HIGH_BITS   0x8080808080808080ULL


typedef enum {
    PYRO_JFR_SOUND = 0,
    PYRO_JFR_MALFORMED,
    PYRO_JFR_NO_MEMORY
} pyro_jfr_bad_e;


typedef struct {
    const uint8_t   *pos;
    const uint8_t   *end;
    pyro_jfr_bad_e   bad;
    int              fixed;         /* integers are not compressed */
} pyro_jfr_reader_t;


typedef enum {
    PYRO_JFR_TEXT,                  /* the text itself */
    PYRO_JFR_NULL,
    PYRO_JFR_KEY                    /* a key into the pool of strings */
} pyro_jfr_string_e;


/* The slow forms of the inline functions below. */
uint64_t pyro_jfr_varint_long(pyro_jfr_reader_t *r);
uint64_t pyro_jfr_fixed(pyro_jfr_reader_t *r, size_t width);

void pyro_jfr_skip_varints(pyro_jfr_reader_t *r, uint64_t n);
void pyro_jfr_skip_bytes(pyro_jfr_reader_t *r, uint64_t n);

/*
 * A java.lang.String in any of its six encodings.  The text is UTF-8, or what
 * the file has in its place, and points into the chunk or into the arena.
 */
pyro_jfr_string_e pyro_jfr_string(pyro_jfr_reader_t *r, pyro_arena_t *arena,
    pyro_slice_t *text, uint64_t *key);
void pyro_jfr_skip_string(pyro_jfr_reader_t *r);


static inline void
pyro_jfr_fail(pyro_jfr_reader_t *r, pyro_jfr_bad_e bad)
{
    if (r->bad == PYRO_JFR_SOUND) {
        r->bad = bad;
    }

    r->pos = r->end;
}


static inline size_t
pyro_jfr_left(const pyro_jfr_reader_t *r)
{
    return (size_t) (r->end - r->pos);
}


/* The groups of up to eight bytes, joined by twos, fours and eights. */
static inline uint64_t
pyro_jfr_groups(uint64_t v)
{
    v = (v & 0x007f007f007f007fULL) | (v & 0x7f007f007f007f00ULL) >> 1;
    v = (v & 0x00003fff00003fffULL) | (v & 0x3fff00003fff0000ULL) >> 2;

    return (v & 0x0fffffffULL) | (v & 0x0fffffff00000000ULL) >> 4;
}


static inline uint64_t
pyro_jfr_varint(pyro_jfr_reader_t *r)
{
    const uint8_t  *p;

    p = r->pos;

    if (r->end - p >= 2) {
        if (p[0] < 0x80) {
            r->pos = p + 1;
            return p[0];
        }

        if (p[1] < 0x80) {
            r->pos = p + 2;
            return (uint64_t) (p[0] & 0x7f) | (uint64_t) p[1] << 7;
        }
    }

    return pyro_jfr_varint_long(r);
}


/* Eight bytes, the first in the lowest ones: where varints end. */
static inline uint64_t
pyro_jfr_word_at(const uint8_t *p)
{
    uint64_t  word;

    memcpy(&word, p, sizeof(word));

    return le64toh(word);
}


static inline uint8_t
pyro_jfr_byte(pyro_jfr_reader_t *r)
{
    if (r->pos == r->end) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return 0;
    }

    return *r->pos++;
}


/* A long, an id or a pool key. */
static inline uint64_t
pyro_jfr_long(pyro_jfr_reader_t *r)
{
    return r->fixed ? pyro_jfr_fixed(r, 8) : pyro_jfr_varint(r);
}


/* An int with its sign, whatever the width it was written with. */
static inline int32_t
pyro_jfr_int(pyro_jfr_reader_t *r)
{
    return (int32_t) (uint32_t) (r->fixed ? pyro_jfr_fixed(r, 4)
                                          : pyro_jfr_varint(r));
}


/* An event's size: not yet checked. */
static inline uint64_t
pyro_jfr_size(pyro_jfr_reader_t *r)
{
    return r->fixed ? pyro_jfr_fixed(r, 4) : pyro_jfr_varint(r);
}


/* The number of items that follow: never more than there are bytes left. */
static inline uint64_t
pyro_jfr_count(pyro_jfr_reader_t *r)
{
    uint64_t  n;

    n = pyro_jfr_size(r);

    if (n > pyro_jfr_left(r)) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return 0;
    }

    return n;
}


#endif /* _PYRO_JFR_READER_H_INCLUDED_ */
