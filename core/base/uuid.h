/*
 * UUIDs (RFC 9562) as numbers of 128 bits, and as text: 36 characters, of which
 * hi is the first half and lo the second.  Any thread, no allocation.
 */

#ifndef _PYRO_UUID_H_INCLUDED_
#define _PYRO_UUID_H_INCLUDED_


#include "core/base/hash.h"
#include "core/base/status.h"


#define PYRO_UUID_TEXT  36          /* characters */


/* A hash as a UUID of version 8, "vendor-specific": 122 of its bits stay. */
static inline pyro_hash128_t
pyro_uuid_of(pyro_hash128_t hash)
{
    hash.hi = (hash.hi & ~0xf000ULL) | 0x8000ULL;
    hash.lo = (hash.lo & ~(3ULL << 62)) | 2ULL << 62;

    return hash;
}


/* The order of numbers, which is that of texts. */
static inline int
pyro_uuid_cmp(pyro_hash128_t a, pyro_hash128_t b)
{
    return a.hi != b.hi ? (a.hi > b.hi) - (a.hi < b.hi)
                        : (a.lo > b.lo) - (a.lo < b.lo);
}


/* In lower case; text has room for PYRO_UUID_TEXT and a zero byte. */
void pyro_uuid_text(pyro_hash128_t id, char *text);

/*
 * Of any version, in lower or upper case.  PYRO_INVALID, with the name of the
 * field and the value: it is none.
 */
pyro_status_e pyro_uuid_parse(const char *field, pyro_slice_t text,
    pyro_hash128_t *id, pyro_error_t *err);


#endif /* _PYRO_UUID_H_INCLUDED_ */
