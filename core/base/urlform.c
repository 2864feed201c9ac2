#include "core/base/urlform.h"


static int pyro_urlform_next(pyro_slice_t *query, const char *name,
    pyro_slice_t *value);
static int pyro_urlform_hex(char c);
static char pyro_urlform_char(pyro_slice_t *text);
static int pyro_urlform_is(pyro_slice_t text, const char *name);


pyro_status_e
pyro_urlform_get(pyro_arena_t *arena, pyro_slice_t query, const char *name,
    pyro_slice_t *value, int *found, pyro_error_t *err)
{
    pyro_status_e  status;

    *found = pyro_urlform_count(query, name) != 0;
    *value = pyro_slice(NULL, 0);

    if (!*found) {
        return PYRO_OK;
    }

    status = pyro_urlform_all(arena, query, name, value, 1, err);
    *found = status == PYRO_OK;

    return status;
}


pyro_status_e
pyro_urlform_all(pyro_arena_t *arena, pyro_slice_t query, const char *name,
    pyro_slice_t *values, uint32_t n, pyro_error_t *err)
{
    char          *data;
    size_t         len;
    uint32_t       i;
    pyro_slice_t   text;

    for (i = 0; i < n && pyro_urlform_next(&query, name, &text); i++) {
        data = pyro_arena_alloc(arena, text.len + 1);

        if (data == NULL) {
            return pyro_error_memory(err);
        }

        for (len = 0; text.len; len++) {
            data[len] = pyro_urlform_char(&text);
        }

        data[len] = '\0';
        values[i] = pyro_slice(data, len);
    }

    return PYRO_OK;
}


uint32_t
pyro_urlform_count(pyro_slice_t query, const char *name)
{
    uint32_t      n;
    pyro_slice_t  value;

    for (n = 0; pyro_urlform_next(&query, name, &value); n++) {
        /* void */
    }

    return n;
}


/* Takes what is up to the end of the next parameter of this name off query; its
 * value is not decoded.  0: there is none. */
static int
pyro_urlform_next(pyro_slice_t *query, const char *name, pyro_slice_t *value)
{
    size_t         len;
    const char    *end, *equal;
    pyro_slice_t   pair;

    while (query->len) {

        end = memchr(query->data, '&', query->len);
        pair = pyro_slice(query->data, end ? (size_t) (end - query->data)
                                           : query->len);

        len = pair.len + (end != NULL);
        *query = pyro_slice(query->data + len, query->len - len);

        equal = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
        len = equal ? (size_t) (equal - pair.data) : pair.len;

        if (pyro_urlform_is(pyro_slice(pair.data, len), name)) {
            len += equal != NULL;
            *value = pyro_slice(pair.data + len, pair.len - len);
            return 1;
        }
    }

    return 0;
}


static int
pyro_urlform_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }

    return -1;
}


/* Takes the next decoded byte off a text that is not empty. */
static char
pyro_urlform_char(pyro_slice_t *text)
{
    int   high, low;
    char  c;

    c = text->data[0];

    if (c == '%' && text->len >= 3) {
        high = pyro_urlform_hex(text->data[1]);
        low = pyro_urlform_hex(text->data[2]);

        if (high >= 0 && low >= 0) {
            *text = pyro_slice(text->data + 3, text->len - 3);
            return (char) (high << 4 | low);
        }
    }

    *text = pyro_slice(text->data + 1, text->len - 1);

    return c == '+' ? ' ' : c;
}


static int
pyro_urlform_is(pyro_slice_t text, const char *name)
{
    while (text.len) {

        if (*name == '\0' || pyro_urlform_char(&text) != *name) {
            return 0;
        }

        name++;
    }

    return *name == '\0';
}
