#include "core/settings/expand.h"

#include <stdlib.h>

#include "core/base/utf8.h"


typedef struct {
    pyro_arena_t      *arena;
    pyro_error_t      *err;
    pyro_variables_t  *variables;
    char              *out;
    size_t             len;
} pyro_expand_t;


static pyro_status_e pyro_expand_piece(pyro_expand_t *expand,
    pyro_slice_t *text);
static pyro_status_e pyro_expand_variable(pyro_expand_t *expand,
    pyro_slice_t body);
static pyro_status_e pyro_expand_lookup(pyro_expand_t *expand,
    pyro_slice_t whole, const char *name, pyro_slice_t rest);
static pyro_slice_t pyro_expand_name(pyro_slice_t body);
static pyro_status_e pyro_expand_note(pyro_expand_t *expand,
    const char *name);
static pyro_status_e pyro_expand_append(pyro_expand_t *expand,
    pyro_slice_t text);
static pyro_status_e pyro_expand_error(pyro_expand_t *expand, pyro_slice_t what,
    const char *text);


pyro_status_e
pyro_expand(pyro_arena_t *arena, pyro_slice_t text, pyro_variables_t *variables,
    pyro_slice_t *out, pyro_error_t *err)
{
    pyro_expand_t  expand;
    pyro_status_e  rc;

    if (text.len == 0 || memchr(text.data, '$', text.len) == NULL) {
        *out = text;
        return PYRO_OK;
    }

    expand = (pyro_expand_t) { arena, err, variables, NULL, 0 };
    expand.out = pyro_arena_alloc(arena, PYRO_EXPAND_MAX + 1);

    if (expand.out == NULL) {
        return pyro_error_memory(err);
    }

    while (text.len) {
        rc = pyro_expand_piece(&expand, &text);

        if (rc != PYRO_OK) {
            return rc;
        }
    }

    expand.out[expand.len] = '\0';
    *out = pyro_slice(expand.out, expand.len);

    return PYRO_OK;
}


/* a byte, "$$" or a variable off the front of text */

static pyro_status_e
pyro_expand_piece(pyro_expand_t *expand, pyro_slice_t *text)
{
    char          next;
    size_t        n;
    const char   *brace;
    pyro_slice_t  piece;

    piece = *text;
    next = piece.data[0] == '$' && piece.len > 1 ? piece.data[1] : '\0';

    if (next != '{') {
        n = next == '$' ? 2 : 1;
        *text = pyro_slice(piece.data + n, piece.len - n);

        return pyro_expand_append(expand, pyro_slice(piece.data, 1));
    }

    brace = memchr(piece.data, '}', piece.len);

    if (brace == NULL) {
        return pyro_expand_error(expand, piece, "has no closing brace");
    }

    n = (size_t) (brace - piece.data) + 1;
    *text = pyro_slice(piece.data + n, piece.len - n);

    return pyro_expand_variable(expand, pyro_slice(piece.data + 2, n - 3));
}


/* body is what stands between the braces */

static pyro_status_e
pyro_expand_variable(pyro_expand_t *expand, pyro_slice_t body)
{
    pyro_slice_t   name, rest, whole;
    pyro_status_e  rc;

    whole = pyro_slice(body.data - 2, body.len + 3);
    name = pyro_expand_name(body);
    rest = pyro_slice(body.data + name.len, body.len - name.len);

    if (name.len == 0
        || (rest.len && !pyro_slice_starts(rest, PYRO_SLICE(":-"))))
    {
        return pyro_expand_error(expand, whole, "is neither ${NAME} nor "
                                 "${NAME:-default}; a single $ is written $$");
    }

    if (rest.len && memchr(rest.data, '$', rest.len) != NULL) {
        return pyro_expand_error(expand, whole,
                                 "has a $ in its default, which is not "
                                 "expanded");
    }

    name = pyro_arena_dup(expand->arena, name);

    if (name.data == NULL) {
        return pyro_error_memory(expand->err);
    }

    rc = pyro_expand_note(expand, name.data);

    if (rc != PYRO_OK) {
        return rc;
    }

    return pyro_expand_lookup(expand, whole, name.data, rest);
}


/* rest is ":-default", or empty */

static pyro_status_e
pyro_expand_lookup(pyro_expand_t *expand, pyro_slice_t whole, const char *name,
    pyro_slice_t rest)
{
    const char  *env;

    env = getenv(name);

    if (rest.len && (env == NULL || *env == '\0')) {
        return pyro_expand_append(expand,
                                  pyro_slice(rest.data + 2, rest.len - 2));
    }

    if (env == NULL) {
        return pyro_expand_error(expand, whole, "the environment has no such "
                                 "variable, and there is no default as in "
                                 "${NAME:-default}");
    }

    if (!pyro_utf8_valid(env, strlen(env))) {
        return pyro_expand_error(expand, whole, "the variable is not UTF-8");
    }

    return pyro_expand_append(expand, pyro_slice_str(env));
}


static pyro_slice_t
pyro_expand_name(pyro_slice_t body)
{
    char    c;
    size_t  n;

    for (n = 0; n < body.len; n++) {
        c = body.data[n];

        if (c != '_' && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z')
            && !(n && c >= '0' && c <= '9'))
        {
            break;
        }
    }

    return pyro_slice(body.data, n);
}


static pyro_status_e
pyro_expand_note(pyro_expand_t *expand, const char *name)
{
    uint32_t           i;
    pyro_variables_t  *variables;

    variables = expand->variables;

    for (i = 0; i < variables->n; i++) {

        if (strcmp(variables->names[i], name) == 0) {
            return PYRO_OK;
        }
    }

    if (pyro_arena_grow(expand->arena, &variables->names, &variables->cap,
                        (size_t) variables->n + 1, sizeof(const char *)))
    {
        return pyro_error_memory(expand->err);
    }

    variables->names[variables->n++] = name;

    return PYRO_OK;
}


static pyro_status_e
pyro_expand_append(pyro_expand_t *expand, pyro_slice_t text)
{
    if (text.len > PYRO_EXPAND_MAX - expand->len) {
        return pyro_error_set(expand->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                              "has more than %d bytes with its variables "
                              "expanded", PYRO_EXPAND_MAX);
    }

    if (text.len) {
        memcpy(expand->out + expand->len, text.data, text.len);
        expand->len += text.len;
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_expand_error(pyro_expand_t *expand, pyro_slice_t what, const char *text)
{
    if (what.len > 64) {
        what.len = 64;
    }

    return pyro_error_set(expand->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                          "%.*s: %s", PYRO_SLICE_ARG(what), text);
}
