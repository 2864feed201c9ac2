/*
 * pyro_regex_literals(): "a|b\\.c", also in one pair of parentheses, and
 * Grafana's "{a,b}".
 */

#include "core/query/regex.h"

#include <string.h>


#define PYRO_LITERALS_MAX  256


static pyro_slice_t pyro_literals_inner(pyro_slice_t pattern, char *by);
static int pyro_literals_take(pyro_slice_t *rest, char by, char *text,
    size_t *len);


int
pyro_regex_literals(pyro_arena_t *arena, pyro_slice_t pattern,
    pyro_slice_t **literals, uint32_t *n)
{
    int            more;
    char           by, *text;
    size_t         len;
    pyro_slice_t  *list, rest;

    *n = 0;
    rest = pyro_literals_inner(pattern, &by);
    list = pyro_arena_calloc(arena, PYRO_LITERALS_MAX, sizeof(pyro_slice_t));
    text = pyro_arena_alloc(arena, pattern.len + 1);
    *literals = list;

    if (list == NULL || text == NULL) {
        return -1;
    }

    for (more = 1; more; /* void */ ) {
        more = pyro_literals_take(&rest, by, text, &len);

        if (more == -1 || len == 0 || *n == PYRO_LITERALS_MAX) {
            *n = 0;
            return 0;
        }

        list[(*n)++] = pyro_slice(text, len);
        text += len;
    }

    return 0;
}


/* What is in the parentheses or braces around all of it. */
static pyro_slice_t
pyro_literals_inner(pyro_slice_t pattern, char *by)
{
    size_t       i, len;
    const char  *p;

    *by = '|';
    p = pattern.data;
    len = pattern.len;

    if (len >= 2 && p[0] == '{' && p[len - 1] == '}') {
        *by = ',';
        return pyro_slice(p + 1, len - 2);
    }

    if (len < 2 || p[0] != '(' || p[len - 1] != ')') {
        return pattern;
    }

    i = len > 3 && p[1] == '?' && p[2] == ':' ? 3 : 1;

    return pyro_slice(p + i, len - i - 1);
}


/* One literal, up to by: 1; up to the end: 0; -1: it is none. */
static int
pyro_literals_take(pyro_slice_t *rest, char by, char *text, size_t *len)
{
    char    c;
    size_t  i;

    *len = 0;

    for (i = 0; i < rest->len; i++) {
        c = rest->data[i];

        if (c == by) {
            *rest = pyro_slice(rest->data + i + 1, rest->len - i - 1);
            return 1;
        }

        if (c == '\\' && by == '|') {
            c = ++i < rest->len ? rest->data[i] : 'a';

            if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9') || (unsigned char) c >= 0x80)
            {
                return -1;
            }

        } else if (strchr(by == '|' ? ".*+?()[]{}^$|" : "{}\\", c) != NULL) {
            return -1;
        }

        text[(*len)++] = c;
    }

    return 0;
}
