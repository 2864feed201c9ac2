/*
 * Integers in byte strings, free of alignment and of the machine's byte order.
 * "be" is big-endian: the order of keys, so that memcmp sorts numbers; "le" is
 * little-endian.  Varint is LEB128, at most 10 bytes for 64 bits (protobuf's,
 * and that of the store's records; JFR's own form is in jfr/).
 */

#ifndef _PYRO_BYTES_H_INCLUDED_
#define _PYRO_BYTES_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#define PYRO_VARINT_MAX  10     /* bytes of a 64-bit varint */


static inline void
pyro_put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t) (v >> 8);
    p[1] = (uint8_t) v;
}


static inline void
pyro_put_be32(uint8_t *p, uint32_t v)
{
    pyro_put_be16(p, (uint16_t) (v >> 16));
    pyro_put_be16(p + 2, (uint16_t) v);
}


static inline void
pyro_put_be64(uint8_t *p, uint64_t v)
{
    pyro_put_be32(p, (uint32_t) (v >> 32));
    pyro_put_be32(p + 4, (uint32_t) v);
}


static inline uint16_t
pyro_get_be16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}


static inline uint32_t
pyro_get_be32(const uint8_t *p)
{
    return (uint32_t) pyro_get_be16(p) << 16 | pyro_get_be16(p + 2);
}


static inline uint64_t
pyro_get_be64(const uint8_t *p)
{
    return (uint64_t) pyro_get_be32(p) << 32 | pyro_get_be32(p + 4);
}


/* Writes v at p (room for PYRO_VARINT_MAX) and returns the end. */
static inline uint8_t *
pyro_put_varint(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t) (v | 0x80);
        v >>= 7;
    }

    *p++ = (uint8_t) v;

    return p;
}


/*
 * Reads a varint between p and end.  Returns the position behind it, or NULL
 * if the bytes end inside it or it does not fit 64 bits.
 */
static inline const uint8_t *
pyro_get_varint(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    uint64_t  value;
    unsigned  shift;

    value = 0;

    for (shift = 0; shift < 64 && p != end; shift += 7) {
        if (shift == 63 && *p > 1) {
            return NULL;
        }

        value |= (uint64_t) (*p & 0x7f) << shift;

        if ((*p++ & 0x80) == 0) {
            *v = value;
            return p;
        }
    }

    return NULL;
}


#endif /* _PYRO_BYTES_H_INCLUDED_ */
