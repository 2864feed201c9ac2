/*
 * A JFR chunk around what a target is given: a header, events with their right
 * sizes, a sound metadata event.
 *
 * Text of the metadata: "class:id field:type[*][[]] ..." a class, where * is a
 * pool key and [] an array.
 */

#ifndef _PYRO_JFR_MAKE_H_INCLUDED_
#define _PYRO_JFR_MAKE_H_INCLUDED_


#include <stdlib.h>

#include "core/base/bytes.h"
#include "jfr/jfr_chunk.h"


typedef struct {
    uint8_t   *data;
    size_t     n;
    size_t     cap;
    size_t     open;            /* of the event being written */
    size_t     metadata;
    size_t     checkpoint;
    int        fixed;           /* integers of their type's width */
} jfr_make_t;


static inline void
jfr_make_bytes(jfr_make_t *m, const void *data, size_t n)
{
    if (m->n + n > m->cap) {
        m->cap = (m->n + n) * 2;
        m->data = realloc(m->data, m->cap);

        if (m->data == NULL) {
            abort();
        }
    }

    if (n) {
        memcpy(m->data + m->n, data, n);
    }

    m->n += n;
}


static inline void
jfr_make_varint(jfr_make_t *m, uint64_t v)
{
    uint8_t  byte;

    for ( /* void */ ; v >= 0x80; v >>= 7) {
        byte = (uint8_t) (v | 0x80);
        jfr_make_bytes(m, &byte, 1);
    }

    byte = (uint8_t) v;
    jfr_make_bytes(m, &byte, 1);
}


static inline void
jfr_make_text(jfr_make_t *m, const char *text, size_t len)
{
    jfr_make_varint(m, 3);
    jfr_make_varint(m, len);
    jfr_make_bytes(m, text, len);
}


static inline void
jfr_make_begin(jfr_make_t *m)
{
    static const uint8_t  header[PYRO_JFR_HEADER_SIZE] = { 'F', 'L', 'R' };

    memset(m, 0, sizeof(jfr_make_t));
    jfr_make_bytes(m, header, sizeof(header));
}


/* An event up to its payload; the size takes four bytes. */
static inline void
jfr_make_open(jfr_make_t *m, uint64_t type)
{
    uint8_t  bytes[8];

    m->open = m->n;
    jfr_make_bytes(m, "size", 4);

    if (m->fixed) {
        pyro_put_be64(bytes, type);
        jfr_make_bytes(m, bytes, 8);

    } else {
        jfr_make_varint(m, type);
    }
}


static inline void
jfr_make_close(jfr_make_t *m)
{
    int     i;
    size_t  size;

    size = m->n - m->open;

    if (m->fixed) {
        pyro_put_be32(m->data + m->open, (uint32_t) size);
        return;
    }

    for (i = 0; i < 4; i++) {
        m->data[m->open + (size_t) i] = (uint8_t) ((size >> (7 * i) & 0x7f)
                                                   | (i < 3 ? 0x80 : 0));
    }
}


/* One attribute: both are texts that are strings of the table. */
static inline void
jfr_make_attribute(jfr_make_t *m, uint64_t key, uint64_t value)
{
    jfr_make_varint(m, key);
    jfr_make_varint(m, value);
}


/* Strings behind the fixed ones: two words of the text each, in order. */
static inline uint64_t
jfr_make_words(jfr_make_t *m, const char *text)
{
    size_t    len;
    uint64_t  n;

    for (n = 0; *text; n++) {
        text += strspn(text, " :*[]\n");
        len = strcspn(text, " :*[]\n");

        if (len == 0) {
            break;
        }

        if (m != NULL) {
            jfr_make_text(m, text, len);
        }

        text += len;
    }

    return n;
}


/* The element of the class or field at text, up to its number of children. */
static inline void
jfr_make_element(jfr_make_t *m, const char *text, int class, uint64_t *word)
{
    int     pool, array;
    size_t  len;

    len = strcspn(text, " \n");
    pool = memchr(text, '*', len) != NULL;
    array = memchr(text, '[', len) != NULL;

    jfr_make_varint(m, class ? 2 : 3);
    jfr_make_varint(m, (uint64_t) (2 + pool + array));
    jfr_make_attribute(m, 4, (*word)++);
    jfr_make_attribute(m, class ? 5 : 2, (*word)++);

    if (pool) {
        jfr_make_attribute(m, 6, 8);
    }

    if (array) {
        jfr_make_attribute(m, 7, 9);
    }
}


static inline void
jfr_make_tree(jfr_make_t *m, const char *text)
{
    uint64_t     n, word;
    const char  *p;

    word = 10;

    for (n = 0, p = text; *p; p++) {
        n += *p == '\n';
    }

    /* root and metadata */

    jfr_make_bytes(m, "\0\0\1\1\0", 5);
    jfr_make_varint(m, n);

    while (*text) {
        jfr_make_element(m, text, 1, &word);

        for (n = 0, p = text; *p != '\n'; p++) {
            n += *p == ' ';
        }

        jfr_make_varint(m, n);

        for (text = strpbrk(text, " \n"); *text == ' ';
             text = strpbrk(text, " \n"))
        {
            text++;
            jfr_make_element(m, text, 0, &word);
            jfr_make_varint(m, 0);
        }

        text++;
    }
}


/* A line a class, each with a line's end behind it. */
static inline void
jfr_make_metadata(jfr_make_t *m, const char *text)
{
    m->metadata = m->n;
    jfr_make_open(m, 0);
    jfr_make_bytes(m, "\0\0\0", 3);
    jfr_make_varint(m, 10 + jfr_make_words(NULL, text));
    jfr_make_words(m, "root metadata class field name id constantPool "
                      "dimension true 1");
    jfr_make_words(m, text);
    jfr_make_tree(m, text);
    jfr_make_close(m);
}


/* A checkpoint up to its number of pools; the one before is named by it. */
static inline void
jfr_make_checkpoint(jfr_make_t *m)
{
    int       i;
    uint8_t   byte;
    uint64_t  delta;

    delta = m->checkpoint ? (uint64_t) m->checkpoint - m->n : 0;
    m->checkpoint = m->n;
    jfr_make_open(m, 1);
    jfr_make_bytes(m, "\0\0", 2);

    /* nine bytes, as it is negative */

    for (i = 0; delta && i < 8; i++) {
        byte = (uint8_t) (delta >> (7 * i) | 0x80);
        jfr_make_bytes(m, &byte, 1);
    }

    byte = (uint8_t) (delta >> 56);
    jfr_make_bytes(m, &byte, 1);
    jfr_make_bytes(m, "", 1);
}


static inline pyro_slice_t
jfr_make_end(jfr_make_t *m)
{
    m->data[5] = 2;
    pyro_put_be64(m->data + 8, m->n);
    pyro_put_be64(m->data + 16, m->checkpoint);
    pyro_put_be64(m->data + 24, m->metadata);
    pyro_put_be64(m->data + 56, 1000000000);
    m->data[67] = !m->fixed;

    return pyro_slice(m->data, m->n);
}


/* The next n bytes of an input, n being its first byte, or what there is. */
static inline pyro_slice_t
jfr_make_record(const uint8_t **data, size_t *size)
{
    size_t        n;
    pyro_slice_t  record;

    n = **data;
    (*data)++;
    (*size)--;
    n = n < *size ? n : *size;

    record = pyro_slice(*data, n);
    *data += n;
    *size -= n;

    return record;
}


#define JFR_MAKE_TYPES                                                        \
    "boolean:10\nint:11\nlong:12\njava.lang.String:13\n"                      \
    "java.lang.Class:20 name:22*\n"                                           \
    "jdk.types.Method:21 type:20* name:22*\n"                                 \
    "jdk.types.Symbol:22 string:13\n"                                         \
    "jdk.types.StackTrace:23 truncated:10 frames:24[]\n"                      \
    "jdk.types.StackFrame:24 method:21* lineNumber:11\n"                      \
    "jdk.types.ThreadState:25 name:13\n"


#endif /* _PYRO_JFR_MAKE_H_INCLUDED_ */
