#include "core/query/selector.h"

#include "core/query/lexer.h"
#include "core/query/regex.h"


#define PYRO_SELECTOR_MAX_MATCHERS  100


static pyro_status_e pyro_selector_text(pyro_selector_t *selector,
    pyro_lexer_t *lexer, pyro_error_t *err);
static pyro_status_e pyro_selector_matchers(pyro_selector_t *selector,
    pyro_lexer_t *lexer, pyro_error_t *err);
static pyro_status_e pyro_selector_matcher(pyro_selector_t *selector,
    pyro_lexer_t *lexer, pyro_slice_t name, pyro_error_t *err);
static pyro_status_e pyro_selector_metric(pyro_selector_t *selector,
    pyro_slice_t name, pyro_error_t *err);
static pyro_matcher_t *pyro_selector_push(pyro_selector_t *selector,
    pyro_match_e op, pyro_slice_t name, pyro_slice_t value);


pyro_status_e
pyro_selector_parse(pyro_arena_t *arena, pyro_slice_t text,
    pyro_selector_t *selector, pyro_error_t *err)
{
    pyro_lexer_t   lexer;
    pyro_slice_t   copy;
    pyro_error_t   ignored;
    pyro_status_e  status;

    memset(selector, 0, sizeof(pyro_selector_t));
    selector->arena = arena;

    copy = pyro_arena_dup(arena, text);

    if (copy.data == NULL) {
        return pyro_error_memory(err);
    }

    pyro_lexer_init(&lexer, arena, copy);
    status = pyro_selector_text(selector, &lexer, err ? err : &ignored);

    if (status != PYRO_OK) {
        pyro_selector_free(selector);
    }

    return status;
}


/* [ metric ] [ "{" matchers "}" ], or matchers without braces. */
static pyro_status_e
pyro_selector_text(pyro_selector_t *selector, pyro_lexer_t *lexer,
    pyro_error_t *err)
{
    pyro_slice_t   name;
    pyro_status_e  status;

    if (pyro_lexer_at_end(lexer)) {
        return PYRO_OK;
    }

    if (pyro_lexer_peek(lexer) != '{') {
        status = pyro_lexer_name(lexer, PYRO_LEXER_METRIC, &name, err);

        if (status != PYRO_OK) {
            return status;
        }

        if (pyro_lexer_peek(lexer) == '=' || pyro_lexer_peek(lexer) == '!') {
            pyro_lexer_reset(lexer);
            status = pyro_selector_matchers(selector, lexer, err);

            return status != PYRO_OK || pyro_lexer_at_end(lexer)
                   ? status : pyro_lexer_error(lexer, "\",\" or the end", err);
        }

        status = pyro_selector_metric(selector, name, err);

        if (status != PYRO_OK || pyro_lexer_at_end(lexer)) {
            return status;
        }
    }

    if (!pyro_lexer_take(lexer, '{')) {
        return pyro_lexer_error(lexer, "\"{\"", err);
    }

    status = pyro_selector_matchers(selector, lexer, err);

    if (status != PYRO_OK) {
        return status;
    }

    if (!pyro_lexer_take(lexer, '}')) {
        return pyro_lexer_error(lexer, "\",\" or \"}\"", err);
    }

    return pyro_lexer_at_end(lexer)
           ? PYRO_OK : pyro_lexer_error(lexer, "the end", err);
}


/* Up to "}" or the end, which are left in place. */
static pyro_status_e
pyro_selector_matchers(pyro_selector_t *selector, pyro_lexer_t *lexer,
    pyro_error_t *err)
{
    pyro_slice_t   name;
    pyro_status_e  status;

    while (pyro_lexer_peek(lexer) != '}' && !pyro_lexer_at_end(lexer)) {

        status = pyro_lexer_name(lexer, PYRO_LEXER_LABEL, &name, err);

        if (status == PYRO_OK) {
            status = pyro_selector_matcher(selector, lexer, name, err);
        }

        if (status != PYRO_OK) {
            return status;
        }

        if (!pyro_lexer_take(lexer, ',')) {
            break;
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_selector_matcher(pyro_selector_t *selector, pyro_lexer_t *lexer,
    pyro_slice_t name, pyro_error_t *err)
{
    pyro_match_e     op;
    pyro_slice_t     value;
    pyro_status_e    status;
    pyro_matcher_t  *matcher;

    if (selector->n == PYRO_SELECTOR_MAX_MATCHERS) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_QUERY,
                              "label selector has more than %d matchers",
                              PYRO_SELECTOR_MAX_MATCHERS);
    }

    if (pyro_lexer_take(lexer, '!')) {
        op = PYRO_MATCH_NOT_EQUAL;

        if (pyro_lexer_follows(lexer, '~')) {
            op = PYRO_MATCH_NOT_REGEX;

        } else if (!pyro_lexer_follows(lexer, '=')) {
            return pyro_lexer_error(lexer, "\"=\" or \"~\"", err);
        }

    } else if (pyro_lexer_take(lexer, '=')) {
        op = pyro_lexer_follows(lexer, '~') ? PYRO_MATCH_REGEX
                                            : PYRO_MATCH_EQUAL;

    } else {
        return pyro_lexer_error(lexer, "\"=\", \"!=\", \"=~\" or \"!~\"", err);
    }

    status = pyro_lexer_string(lexer, &value, err);

    if (status != PYRO_OK) {
        return status;
    }

    matcher = pyro_selector_push(selector, op, name, value);

    if (matcher == NULL) {
        return pyro_error_memory(err);
    }

    if (op == PYRO_MATCH_REGEX || op == PYRO_MATCH_NOT_REGEX) {
        matcher->code = pyro_regex_compile(selector->arena, value, err);

        if (matcher->code == NULL) {
            return err->status;
        }

        if (pyro_regex_literals(selector->arena, value, &matcher->literals,
                                &matcher->n_literals))
        {
            return pyro_error_memory(err);
        }
    }

    return PYRO_OK;
}


/* Five pieces between colons, or six, are a profile type's id. */
static pyro_status_e
pyro_selector_metric(pyro_selector_t *selector, pyro_slice_t name,
    pyro_error_t *err)
{
    int     rc;
    size_t  i, five, colons;

    five = name.len;
    colons = 0;

    for (i = 0; i < name.len; i++) {
        if (name.data[i] == ':' && ++colons == 5) {
            five = i;
        }
    }

    if (colons == 4 || colons == 5) {
        rc = pyro_selector_add(selector, PYRO_SLICE("__profile_type__"),
                               pyro_slice(name.data, five));

    } else {
        rc = pyro_selector_add(selector, PYRO_SLICE("__name__"), name);
    }

    return rc ? pyro_error_memory(err) : PYRO_OK;
}


static pyro_matcher_t *
pyro_selector_push(pyro_selector_t *selector, pyro_match_e op,
    pyro_slice_t name, pyro_slice_t value)
{
    pyro_matcher_t  *matcher;

    if (pyro_arena_grow(selector->arena, &selector->items, &selector->cap,
                        (size_t) selector->n + 1, sizeof(pyro_matcher_t)))
    {
        return NULL;
    }

    matcher = &selector->items[selector->n++];
    matcher->op = op;
    matcher->name = name;
    matcher->value = value;
    matcher->code = NULL;

    return matcher;
}


int
pyro_selector_add(pyro_selector_t *selector, pyro_slice_t name,
    pyro_slice_t value)
{
    return pyro_selector_push(selector, PYRO_MATCH_EQUAL, name, value) ? 0 : -1;
}


void
pyro_selector_free(pyro_selector_t *selector)
{
    uint32_t  i;

    for (i = 0; i < selector->n; i++) {
        pyro_regex_free(selector->items[i].code);
        selector->items[i].code = NULL;
    }
}


int
pyro_matcher_test(const pyro_matcher_t *matcher, pyro_slice_t value,
    pyro_error_t *err)
{
    int  rc;

    switch (matcher->op) {

    case PYRO_MATCH_EQUAL:
        return pyro_slice_eq(matcher->value, value);

    case PYRO_MATCH_NOT_EQUAL:
        return !pyro_slice_eq(matcher->value, value);

    case PYRO_MATCH_REGEX:
        return pyro_regex_test(matcher->code, value, err);

    default:
        rc = pyro_regex_test(matcher->code, value, err);
        return rc < 0 ? rc : !rc;
    }
}


int
pyro_selector_test(const pyro_selector_t *selector,
    const pyro_labels_t *labels, pyro_error_t *err)
{
    int                    rc;
    uint32_t               i;
    const pyro_matcher_t  *matcher;

    for (i = 0; i < selector->n; i++) {
        matcher = &selector->items[i];
        rc = pyro_matcher_test(matcher, pyro_labels_get(labels, matcher->name),
                               err);

        if (rc != 1) {
            return rc;
        }
    }

    return 1;
}
