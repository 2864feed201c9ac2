/*
 * UTF-8 (RFC 3629): validation and repair.  Any thread, no allocation.
 */

#ifndef _PYRO_UTF8_H_INCLUDED_
#define _PYRO_UTF8_H_INCLUDED_


#include <stddef.h>


/*
 * Length of the well-formed character at p (1 to 4), or 0 if there is none
 * within len bytes: overlong forms, surrogates and values above U+10FFFF are
 * not well formed.
 */
size_t pyro_utf8_char(const char *p, size_t len);

/* 1 if all len bytes are well-formed UTF-8. */
int pyro_utf8_valid(const char *p, size_t len);

/*
 * Copies src into dst, each malformed byte and each control byte (below 0x20,
 * and 0x7f) as '?', never splitting a character at max.  Returns the length.
 */
size_t pyro_utf8_clean(char *dst, size_t max, const char *src, size_t len);


#endif /* _PYRO_UTF8_H_INCLUDED_ */
