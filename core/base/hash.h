/*
 * The hashes of this project: XXH3 (xxHash 0.8), also on disk, so fixed once
 * for all.  Values are numbers: whoever writes one to disk chooses its byte
 * order (storage/schema.h).  Any thread.
 */

#ifndef _PYRO_HASH_H_INCLUDED_
#define _PYRO_HASH_H_INCLUDED_


#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/count.h"
#include "core/base/slice.h"


typedef struct {
    uint64_t  lo;
    uint64_t  hi;
} pyro_hash128_t;


static inline uint64_t
pyro_hash64(const void *data, size_t len, uint64_t seed)
{
    PYRO_COUNT(PYRO_COUNT_BYTES, len);

    return XXH3_64bits_withSeed(data, len, seed);
}


static inline pyro_hash128_t
pyro_hash128(const void *data, size_t len)
{
    XXH128_hash_t   h = XXH3_128bits(data, len);
    pyro_hash128_t  r = { h.low64, h.high64 };

    PYRO_COUNT(PYRO_COUNT_BYTES, len);

    return r;
}


/* The order-sensitive mix of two 64-bit values: chain hashes of stacks. */
static inline uint64_t
pyro_hash_mix(uint64_t a, uint64_t b)
{
    a ^= b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2);
    a = (a ^ (a >> 32)) * 0xd6e8feb86659fd93ULL;
    a = (a ^ (a >> 32)) * 0xd6e8feb86659fd93ULL;

    return a ^ (a >> 32);
}


#endif /* _PYRO_HASH_H_INCLUDED_ */
