/*
 * A range of bytes that somebody else owns.  Any thread.
 */

#ifndef _PYRO_SLICE_H_INCLUDED_
#define _PYRO_SLICE_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/count.h"


typedef struct {
    const char  *data;      /* may be NULL only if len is 0 */
    size_t       len;
} pyro_slice_t;


#define PYRO_SLICE(text)  ((pyro_slice_t) { text, sizeof(text) - 1 })

/* For printf's "%.*s"; the lengths printed here are far below INT_MAX. */
#define PYRO_SLICE_ARG(s)  (int) (s).len, (s).data


static inline pyro_slice_t
pyro_slice(const void *data, size_t len)
{
    pyro_slice_t  s = { (const char *) data, len };

    return s;
}


static inline pyro_slice_t
pyro_slice_str(const char *text)
{
    return pyro_slice(text, strlen(text));
}


/* What memcmp() looks at, where it is counted. */
static inline void
pyro_slice_count(pyro_slice_t a, pyro_slice_t b)
{
#ifdef PYRO_COUNTING
    size_t  i, n;

    n = a.len < b.len ? a.len : b.len;

    for (i = 0; i < n && a.data[i] == b.data[i]; i++) { /* void */ }

    PYRO_COUNT(PYRO_COUNT_BYTES, i);
#else
    (void) a;
    (void) b;
#endif
}


static inline int
pyro_slice_eq(pyro_slice_t a, pyro_slice_t b)
{
    if (a.len == b.len) {
        pyro_slice_count(a, b);
    }

    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


static inline int
pyro_slice_is(pyro_slice_t a, const char *text)
{
    return pyro_slice_eq(a, pyro_slice_str(text));
}


static inline int
pyro_slice_starts(pyro_slice_t s, pyro_slice_t prefix)
{
    if (s.len >= prefix.len) {
        pyro_slice_count(s, prefix);
    }

    return s.len >= prefix.len
           && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}


/* Byte order, the shorter first: the order of labels and of names. */
static inline int
pyro_slice_cmp(pyro_slice_t a, pyro_slice_t b)
{
    int     rc;
    size_t  n;

    pyro_slice_count(a, b);

    n = a.len < b.len ? a.len : b.len;
    rc = n ? memcmp(a.data, b.data, n) : 0;

    return rc ? rc : (a.len > b.len) - (a.len < b.len);
}


/* The same of two pyro_slice_t, for qsort(). */
static inline int
pyro_slice_order(const void *a, const void *b)
{
    return pyro_slice_cmp(*(const pyro_slice_t *) a,
                          *(const pyro_slice_t *) b);
}


/* Without spaces and tabs at both ends. */
static inline pyro_slice_t
pyro_slice_trim(pyro_slice_t s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }

    return s;
}


#endif /* _PYRO_SLICE_H_INCLUDED_ */
