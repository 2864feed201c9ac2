#include "core/base/rope.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/utf8.h"


#define PYRO_ROPE_FIRST  (4 * 1024)
#define PYRO_ROPE_MAX    (64 * 1024)


static pyro_rope_chunk_t *pyro_rope_chunk(pyro_rope_t *rope);
static pyro_rope_chunk_t *pyro_rope_chunk_alloc(pyro_rope_t *rope,
    size_t cap);


void
pyro_rope_init(pyro_rope_t *rope, size_t limit)
{
    memset(rope, 0, sizeof(pyro_rope_t));
    rope->limit = limit;
}


void
pyro_rope_free(pyro_rope_t *rope)
{
    pyro_rope_chunk_t  *chunk, *next;

    for (chunk = rope->first; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }

    pyro_rope_init(rope, rope->limit);
}


static pyro_rope_chunk_t *
pyro_rope_chunk(pyro_rope_t *rope)
{
    size_t              cap;
    pyro_rope_chunk_t  *chunk;

    cap = rope->last ? rope->last->cap * 4 : PYRO_ROPE_FIRST;

    if (cap < PYRO_ROPE_FIRST) {
        cap = PYRO_ROPE_FIRST;
    }

    if (cap > PYRO_ROPE_MAX) {
        cap = PYRO_ROPE_MAX;
    }

    chunk = pyro_rope_chunk_alloc(rope, cap);

    if (chunk == NULL) {
        return NULL;
    }

    if (rope->last != NULL) {
        rope->last->next = chunk;

    } else {
        rope->first = chunk;
    }

    rope->last = chunk;

    return chunk;
}


static pyro_rope_chunk_t *
pyro_rope_chunk_alloc(pyro_rope_t *rope, size_t cap)
{
    pyro_rope_chunk_t  *chunk;

    chunk = malloc(sizeof(pyro_rope_chunk_t) + cap);

    if (chunk == NULL) {
        rope->failed = 1;
        return NULL;
    }

    chunk->next = NULL;
    chunk->len = 0;
    chunk->cap = cap;

    return chunk;
}


void
pyro_rope_append(pyro_rope_t *rope, const void *data, size_t len)
{
    size_t              n;
    const char         *p;
    pyro_rope_chunk_t  *chunk;

    if (rope->failed) {
        return;
    }

    if (rope->limit && len > rope->limit - rope->size) {
        rope->failed = 2;
        return;
    }

    p = data;

    while (len) {
        chunk = rope->last;

        if (chunk == NULL || chunk->len == chunk->cap) {
            chunk = pyro_rope_chunk(rope);

            if (chunk == NULL) {
                return;
            }
        }

        n = chunk->cap - chunk->len;

        if (n > len) {
            n = len;
        }

        memcpy(chunk->data + chunk->len, p, n);
        chunk->len += n;
        rope->size += n;
        p += n;
        len -= n;
    }
}


void
pyro_rope_prepend(pyro_rope_t *rope, const void *data, size_t len)
{
    pyro_rope_chunk_t  *chunk;

    if (rope->failed) {
        return;
    }

    chunk = pyro_rope_chunk_alloc(rope, len);

    if (chunk == NULL) {
        return;
    }

    memcpy(chunk->data, data, len);
    chunk->len = len;
    chunk->next = rope->first;
    rope->first = chunk;
    rope->size += len;
    rope->limit += rope->limit ? len : 0;

    if (rope->last == NULL) {
        rope->last = chunk;
    }
}


void
pyro_rope_printf(pyro_rope_t *rope, const char *fmt, ...)
{
    int      n;
    char     text[1024], *p;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (n >= 0 && (size_t) n < sizeof(text)) {
        pyro_rope_append(rope, text, (size_t) n);
        return;
    }

    /* what is rare: a name of a client's, of any length */

    p = n < 0 ? NULL : malloc((size_t) n + 1);

    if (p == NULL) {
        rope->failed = 1;
        return;
    }

    va_start(args, fmt);
    (void) vsnprintf(p, (size_t) n + 1, fmt, args);
    va_end(args);

    pyro_rope_append(rope, p, (size_t) n);
    free(p);
}


void
pyro_rope_json(pyro_rope_t *rope, pyro_slice_t s)
{
    char    escape[8];
    size_t  n, plain;

    pyro_rope_append(rope, "\"", 1);

    while (s.len) {

        for (plain = 0; plain < s.len; plain += n) {
            n = pyro_utf8_char(s.data + plain, s.len - plain);

            if (n == 0 || (unsigned char) s.data[plain] < 0x20
                || s.data[plain] == '"' || s.data[plain] == '\\')
            {
                break;
            }
        }

        pyro_rope_append(rope, s.data, plain);
        s.data += plain;
        s.len -= plain;

        if (s.len == 0) {
            break;
        }

        if (s.data[0] == '"' || s.data[0] == '\\') {
            snprintf(escape, sizeof(escape), "\\%c", s.data[0]);

        } else if ((unsigned char) s.data[0] < 0x20) {
            snprintf(escape, sizeof(escape), "\\u%04x",
                     (unsigned char) s.data[0]);

        } else {
            snprintf(escape, sizeof(escape), "\xef\xbf\xbd");
        }

        pyro_rope_append(rope, escape, strlen(escape));
        s.data++;
        s.len--;
    }

    pyro_rope_append(rope, "\"", 1);
}


pyro_slice_t
pyro_rope_flat(const pyro_rope_t *rope, pyro_arena_t *arena)
{
    char               *data;
    size_t              len;
    pyro_rope_chunk_t  *chunk;

    data = rope->failed ? NULL : pyro_arena_alloc(arena, rope->size);

    if (data == NULL) {
        return pyro_slice(NULL, 0);
    }

    for (chunk = rope->first, len = 0; chunk != NULL; chunk = chunk->next) {
        memcpy(data + len, chunk->data, chunk->len);
        len += chunk->len;
    }

    return pyro_slice(data, len);
}


pyro_status_e
pyro_rope_status(const pyro_rope_t *rope, pyro_error_t *err)
{
    switch (rope->failed) {

    case 0:
        return PYRO_OK;

    case 2:
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_QUERY,
                              "the answer is larger than the limit of %zu "
                              "bytes (query.max_response_bytes)", rope->limit);

    default:
        return pyro_error_memory(err);
    }
}
