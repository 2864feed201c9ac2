#include "core/query/regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH  8
#include <pcre2.h>


#define PYRO_REGEX_MATCH_LIMIT  100000      /* steps */
#define PYRO_REGEX_DEPTH_LIMIT  20000       /* nested backtracking points */
#define PYRO_REGEX_HEAP_LIMIT   8192        /* KiB */

#define PYRO_REGEX_SHOW  128        /* bytes of a pattern in a message */

#define PYRO_REGEX_OPTIONS                                                    \
    (PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL            \
     | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP)

/* letters and digits that RE2 knows behind a backslash, less \C */
#define PYRO_REGEX_ESCAPES  "0AaBbDdEfnPpQrSstvWwxz"


struct pyro_regex_s {
    pcre2_code           *code;
    pcre2_match_context  *limits;
};


static pyro_status_e pyro_regex_check(pyro_slice_t pattern, pyro_error_t *err);
static size_t pyro_regex_escape(pyro_slice_t pattern, size_t i);
static size_t pyro_regex_group(pyro_slice_t pattern, size_t i);
static size_t pyro_regex_class(pyro_slice_t pattern, size_t i);
static size_t pyro_regex_posix(pyro_slice_t pattern, size_t i);
static int pyro_regex_is_glob(pyro_slice_t pattern);
static pyro_slice_t pyro_regex_glob(pyro_arena_t *arena, pyro_slice_t pattern);
static pcre2_match_context *pyro_regex_limits(void);
static int pyro_regex_shown(pyro_slice_t pattern);


pyro_regex_t *
pyro_regex_compile(pyro_arena_t *arena, pyro_slice_t pattern,
    pyro_error_t *err)
{
    int            code;
    PCRE2_SIZE     offset;
    PCRE2_UCHAR    text[128];
    pyro_slice_t   source;
    pyro_regex_t  *regex;

    if (pattern.len > PYRO_REGEX_MAX_LENGTH) {
        pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                       "regular expression of %zu bytes, at most %d are "
                       "allowed", pattern.len, PYRO_REGEX_MAX_LENGTH);
        return NULL;
    }

    if (pyro_regex_check(pattern, err) != PYRO_OK) {
        return NULL;
    }

    source = pattern;

    if (pyro_regex_is_glob(pattern)) {
        source = pyro_regex_glob(arena, pattern);
    }

    regex = calloc(1, sizeof(pyro_regex_t));

    if (regex == NULL || (source.data == NULL && pattern.len)) {
        free(regex);
        pyro_error_memory(err);
        return NULL;
    }

    regex->limits = pyro_regex_limits();
    regex->code = pcre2_compile((PCRE2_SPTR) (source.len ? source.data : ""),
                                source.len, PYRO_REGEX_OPTIONS, &code, &offset,
                                NULL);

    if (regex->code == NULL && code != PCRE2_ERROR_NOMEMORY) {
        pcre2_get_error_message(code, text, sizeof(text));
        pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                       "error parsing regular expression \"%.*s\" at offset "
                       "%zu: %s", pyro_regex_shown(pattern), pattern.data,
                       (size_t) offset, (char *) text);
        pyro_regex_free(regex);
        return NULL;
    }

    if (regex->code == NULL || regex->limits == NULL) {
        pyro_error_memory(err);
        pyro_regex_free(regex);
        return NULL;
    }

    return regex;
}


static int
pyro_regex_shown(pyro_slice_t pattern)
{
    return pattern.len < PYRO_REGEX_SHOW ? (int) pattern.len : PYRO_REGEX_SHOW;
}


static pcre2_match_context *
pyro_regex_limits(void)
{
    pcre2_match_context  *limits;

    limits = pcre2_match_context_create(NULL);

    if (limits != NULL) {
        pcre2_set_match_limit(limits, PYRO_REGEX_MATCH_LIMIT);
        pcre2_set_depth_limit(limits, PYRO_REGEX_DEPTH_LIMIT);
        pcre2_set_heap_limit(limits, PYRO_REGEX_HEAP_LIMIT);
    }

    return limits;
}


void
pyro_regex_free(pyro_regex_t *regex)
{
    if (regex != NULL) {
        pcre2_code_free(regex->code);
        pcre2_match_context_free(regex->limits);
        free(regex);
    }
}


/* Each step says how far the construct at i reaches; 0: not RE2. */
static pyro_status_e
pyro_regex_check(pyro_slice_t pattern, pyro_error_t *err)
{
    size_t  i, n, shown;

    for (i = 0; i < pattern.len; i += n) {

        switch (pattern.data[i]) {

        case '\\':
            n = pyro_regex_escape(pattern, i);
            shown = 2;
            break;

        case '(':
            n = pyro_regex_group(pattern, i);
            shown = 4;
            break;

        case '[':
            n = pyro_regex_class(pattern, i);
            shown = 2;
            break;

        default:
            n = 1;
            shown = 1;
        }

        if (n == 0) {
            shown = shown < pattern.len - i ? shown : pattern.len - i;

            return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                                  "error parsing regular expression \"%.*s\" "
                                  "at offset %zu: \"%.*s\" is not supported "
                                  "(the syntax is RE2's: no look-around, "
                                  "no backreferences)",
                                  pyro_regex_shown(pattern), pattern.data, i,
                                  (int) shown, pattern.data + i);
        }
    }

    return PYRO_OK;
}


/* A backslash and what belongs to it; \Q reaches to \E. */
static size_t
pyro_regex_escape(pyro_slice_t pattern, size_t i)
{
    char    c;
    size_t  j;

    if (pattern.len - i < 2) {
        return 1;
    }

    c = pattern.data[i + 1];

    if (c == 'Q') {
        for (j = i + 2; j + 1 < pattern.len; j++) {
            if (pattern.data[j] == '\\' && pattern.data[j + 1] == 'E') {
                return j + 2 - i;
            }
        }

        return pattern.len - i;
    }

    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z'))
    {
        return strchr(PYRO_REGEX_ESCAPES, c) != NULL ? 2 : 0;
    }

    return 2;
}


/*
 * A parenthesis that opens a group: plain, named, or with the flags i, m, s, U
 * up to its colon or parenthesis.
 */
static size_t
pyro_regex_group(pyro_slice_t pattern, size_t i)
{
    size_t        j;
    pyro_slice_t  rest;

    rest = pyro_slice(pattern.data + i + 1, pattern.len - i - 1);

    if (pyro_slice_starts(rest, PYRO_SLICE("*"))) {
        return 0;
    }

    if (!pyro_slice_starts(rest, PYRO_SLICE("?"))) {
        return 1;
    }

    if (pyro_slice_starts(rest, PYRO_SLICE("?P<"))) {
        return 4;
    }

    if (pyro_slice_starts(rest, PYRO_SLICE("?<"))) {
        return rest.len > 2 && rest.data[2] != '=' && rest.data[2] != '!'
               ? 3 : 0;
    }

    for (j = 1; j < rest.len; j++) {
        if (rest.data[j] == ':' || rest.data[j] == ')') {
            return j + 2;
        }

        if (rest.data[j] == '\0' || strchr("imsU-", rest.data[j]) == NULL) {
            return 0;
        }
    }

    return 0;
}


/*
 * A bracket and all up to its end, where parentheses mean nothing; an escape
 * in it is checked as anywhere.  An unclosed one is left to PCRE2.
 */
static size_t
pyro_regex_class(pyro_slice_t pattern, size_t i)
{
    size_t  j, n;

    j = i + 1;

    if (j < pattern.len && pattern.data[j] == '^') {
        j++;
    }

    if (j < pattern.len && pattern.data[j] == ']') {
        j++;
    }

    while (j < pattern.len && pattern.data[j] != ']') {
        n = 1;

        if (pattern.data[j] == '\\') {
            n = pyro_regex_escape(pattern, j);

        } else if (pattern.data[j] == '[') {
            n = pyro_regex_posix(pattern, j);
        }

        if (n == 0) {
            return 0;
        }

        j += n;
    }

    return (j < pattern.len ? j + 1 : j) - i;
}


/* "[:alpha:]" inside a class, or a bracket that stands for itself. */
static size_t
pyro_regex_posix(pyro_slice_t pattern, size_t i)
{
    size_t  j;

    if (pattern.len - i < 2 || pattern.data[i + 1] != ':') {
        return 1;
    }

    for (j = i + 2; j + 1 < pattern.len && pattern.data[j] != ']'; j++) {
        if (pattern.data[j] == ':' && pattern.data[j + 1] == ']') {
            return j + 2 - i;
        }
    }

    return 1;
}


static int
pyro_regex_is_glob(pyro_slice_t pattern)
{
    int     digits;
    size_t  i, commas;

    if (pattern.len < 3 || pattern.data[0] != '{'
        || pattern.data[pattern.len - 1] != '}')
    {
        return 0;
    }

    commas = 0;
    digits = 1;

    for (i = 1; i < pattern.len - 1; i++) {
        if (pattern.data[i] == '{' || pattern.data[i] == '}') {
            return 0;
        }

        commas += pattern.data[i] == ',';
        digits &= pattern.data[i] == ','
                  || (pattern.data[i] >= '0' && pattern.data[i] <= '9');
    }

    /* "{1,2}" is a repetition of nothing: an error in RE2 and here */

    return commas && !(digits && commas == 1);
}


/* "{a,b.c}" to "(?:a|b\.c)". */
static pyro_slice_t
pyro_regex_glob(pyro_arena_t *arena, pyro_slice_t pattern)
{
    char    *start, *p, c;
    size_t   i;

    start = pyro_arena_alloc(arena, pattern.len * 2 + 4);

    if (start == NULL) {
        return pyro_slice(NULL, 0);
    }

    memcpy(start, "(?:", 3);
    p = start + 3;

    for (i = 1; i < pattern.len - 1; i++) {
        c = pattern.data[i];

        if (c == ',') {
            *p++ = '|';
            continue;
        }

        if (c > ' ' && c < 0x7f && strchr("\\^$.[|()?*+", c) != NULL) {
            *p++ = '\\';
        }

        *p++ = c;
    }

    *p++ = ')';

    return pyro_slice(start, (size_t) (p - start));
}


int
pyro_regex_test(const pyro_regex_t *regex, pyro_slice_t value,
    pyro_error_t *err)
{
    int                rc;
    PCRE2_UCHAR        text[128];
    pcre2_match_data  *match;

    match = pcre2_match_data_create(1, NULL);

    if (match == NULL) {
        pyro_error_memory(err);
        return -1;
    }

    rc = pcre2_match(regex->code, (PCRE2_SPTR) (value.len ? value.data : ""),
                     value.len, 0, 0, match, regex->limits);

    pcre2_match_data_free(match);

    if (rc == PCRE2_ERROR_NOMATCH) {
        return 0;
    }

    if (rc >= 0) {
        return 1;
    }

    if (rc == PCRE2_ERROR_NOMEMORY) {
        pyro_error_memory(err);
        return -1;
    }

    pcre2_get_error_message(rc, text, sizeof(text));
    pyro_error_set(err, PYRO_INVALID, PYRO_REASON_QUERY,
                   "regular expression against a value of %zu bytes: %s",
                   value.len, (char *) text);

    return -1;
}
