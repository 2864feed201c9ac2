#include "core/query/lexer.h"

#include "core/base/utf8.h"


static void pyro_lexer_skip(pyro_lexer_t *lexer);
static int pyro_lexer_in_name(char c, pyro_lexer_name_e kind, int first);
static size_t pyro_lexer_quoted(const pyro_lexer_t *lexer, char quote);
static int pyro_lexer_unescape(pyro_slice_t in, char *out, size_t *len,
    size_t *bad);
static size_t pyro_lexer_escape(pyro_slice_t in, char *out, size_t *len);
static size_t pyro_lexer_number(pyro_slice_t in, size_t digits, unsigned base,
    uint32_t *value);
static size_t pyro_lexer_utf8(uint32_t c, char *out);


void
pyro_lexer_init(pyro_lexer_t *lexer, pyro_arena_t *arena, pyro_slice_t text)
{
    lexer->text = text;
    lexer->arena = arena;
    lexer->pos = 0;
}


void
pyro_lexer_reset(pyro_lexer_t *lexer)
{
    lexer->pos = 0;
}


static void
pyro_lexer_skip(pyro_lexer_t *lexer)
{
    char  c;

    while (lexer->pos < lexer->text.len) {
        c = lexer->text.data[lexer->pos];

        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            break;
        }

        lexer->pos++;
    }
}


int
pyro_lexer_at_end(pyro_lexer_t *lexer)
{
    pyro_lexer_skip(lexer);

    return lexer->pos == lexer->text.len;
}


char
pyro_lexer_peek(pyro_lexer_t *lexer)
{
    return pyro_lexer_at_end(lexer) ? '\0' : lexer->text.data[lexer->pos];
}


int
pyro_lexer_take(pyro_lexer_t *lexer, char c)
{
    pyro_lexer_skip(lexer);

    return pyro_lexer_follows(lexer, c);
}


int
pyro_lexer_follows(pyro_lexer_t *lexer, char c)
{
    if (lexer->pos == lexer->text.len || lexer->text.data[lexer->pos] != c) {
        return 0;
    }

    lexer->pos++;

    return 1;
}


pyro_status_e
pyro_lexer_error(pyro_lexer_t *lexer, const char *expected, pyro_error_t *err)
{
    size_t         n;
    pyro_status_e  status;

    n = lexer->text.len - lexer->pos;

    if (n == 0) {
        status = pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                                "label selector: parse error: position %zu: "
                                "expected %s, got the end of the text",
                                lexer->pos, expected);

    } else {
        status = pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                                "label selector: parse error: position %zu: "
                                "expected %s, got \"%.*s\"", lexer->pos,
                                expected, n < 32 ? (int) n : 32,
                                lexer->text.data + lexer->pos);
    }

    if (err != NULL) {
        err->offset = lexer->pos;
    }

    return status;
}


static int
pyro_lexer_in_name(char c, pyro_lexer_name_e kind, int first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_') {
        return 1;
    }

    if (kind == PYRO_LEXER_METRIC && c == ':') {
        return 1;
    }

    if (first) {
        return 0;
    }

    return (c >= '0' && c <= '9') || c == '.'
           || (kind == PYRO_LEXER_METRIC && (c == '-' || c == '/'));
}


pyro_status_e
pyro_lexer_name(pyro_lexer_t *lexer, pyro_lexer_name_e kind,
    pyro_slice_t *name, pyro_error_t *err)
{
    char           c;
    size_t         start;
    pyro_status_e  status;

    c = pyro_lexer_peek(lexer);
    start = lexer->pos;

    if (c == '"' || c == '\'' || c == '`') {
        status = pyro_lexer_string(lexer, name, err);

        if (status == PYRO_OK && name->len == 0) {
            lexer->pos = start;
            return pyro_lexer_error(lexer, "a label name", err);
        }

        return status;
    }

    while (lexer->pos < lexer->text.len
           && pyro_lexer_in_name(lexer->text.data[lexer->pos], kind,
                                 lexer->pos == start))
    {
        lexer->pos++;
    }

    if (lexer->pos == start) {
        return pyro_lexer_error(lexer, "a label name", err);
    }

    *name = pyro_slice(lexer->text.data + start, lexer->pos - start);

    return PYRO_OK;
}


/* Position of the closing quote, or the end of the text. */
static size_t
pyro_lexer_quoted(const pyro_lexer_t *lexer, char quote)
{
    size_t  i;

    for (i = lexer->pos; i < lexer->text.len; i++) {
        if (lexer->text.data[i] == quote) {
            break;
        }

        if (lexer->text.data[i] == '\\' && quote != '`'
            && i + 1 < lexer->text.len)
        {
            i++;
        }
    }

    return i;
}


pyro_status_e
pyro_lexer_string(pyro_lexer_t *lexer, pyro_slice_t *value, pyro_error_t *err)
{
    char          *out, quote;
    size_t         end, len, bad;
    pyro_slice_t   in;

    quote = pyro_lexer_peek(lexer);

    if (quote != '"' && quote != '\'' && quote != '`') {
        return pyro_lexer_error(lexer, "a quoted string", err);
    }

    lexer->pos++;
    end = pyro_lexer_quoted(lexer, quote);

    if (end == lexer->text.len) {
        lexer->pos = end;
        return pyro_lexer_error(lexer, "a closing quote", err);
    }

    in = pyro_slice(lexer->text.data + lexer->pos, end - lexer->pos);
    *value = in;

    if (quote != '`' && in.len && memchr(in.data, '\\', in.len) != NULL) {
        out = pyro_arena_alloc(lexer->arena, in.len);

        if (out == NULL) {
            return pyro_error_memory(err);
        }

        if (pyro_lexer_unescape(in, out, &len, &bad)) {
            lexer->pos += bad;
            return pyro_lexer_error(lexer, "an escape sequence", err);
        }

        *value = pyro_slice(out, len);
    }

    if (!pyro_utf8_valid(value->data, value->len)) {
        return pyro_lexer_error(lexer, "UTF-8", err);
    }

    lexer->pos = end + 1;

    return PYRO_OK;
}


/* An escape is never shorter than what it stands for: out has room. */
static int
pyro_lexer_unescape(pyro_slice_t in, char *out, size_t *len, size_t *bad)
{
    size_t  i, n;

    *len = 0;

    for (i = 0; i < in.len; i += n) {
        n = 1;

        if (in.data[i] != '\\') {
            out[(*len)++] = in.data[i];
            continue;
        }

        n = pyro_lexer_escape(pyro_slice(in.data + i, in.len - i), out, len);

        if (n == 0) {
            *bad = i;
            return -1;
        }
    }

    return 0;
}


/* Go's escapes: the length of the one at the beginning, 0 if it is none. */
static size_t
pyro_lexer_escape(pyro_slice_t in, char *out, size_t *len)
{
    size_t       n;
    uint32_t     c;
    const char  *p;

    static const char  from[] = "abfnrtv\\'\"";
    static const char  to[] = "\a\b\f\n\r\t\v\\'\"";

    if (in.len < 2) {
        return 0;
    }

    p = memchr(from, in.data[1], sizeof(from) - 1);

    if (p != NULL) {
        out[(*len)++] = to[p - from];
        return 2;
    }

    switch (in.data[1]) {

    case 'x':
        n = pyro_lexer_number(pyro_slice(in.data + 2, in.len - 2), 2, 16, &c);
        break;

    case 'u':
        n = pyro_lexer_number(pyro_slice(in.data + 2, in.len - 2), 4, 16, &c);
        break;

    case 'U':
        n = pyro_lexer_number(pyro_slice(in.data + 2, in.len - 2), 8, 16, &c);
        break;

    default:
        n = pyro_lexer_number(pyro_slice(in.data + 1, in.len - 1), 3, 8, &c);

        if (n == 0 || c > 0xff) {
            return 0;
        }

        out[(*len)++] = (char) c;
        return n + 1;
    }

    if (n == 0) {
        return 0;
    }

    if (in.data[1] == 'x') {
        out[(*len)++] = (char) c;
        return n + 2;
    }

    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }

    *len += pyro_lexer_utf8(c, out + *len);

    return n + 2;
}


/* Exactly so many digits; at most 8, so they fit. */
static size_t
pyro_lexer_number(pyro_slice_t in, size_t digits, unsigned base,
    uint32_t *value)
{
    char      c;
    size_t    i;
    unsigned  digit;

    if (in.len < digits) {
        return 0;
    }

    *value = 0;

    for (i = 0; i < digits; i++) {
        c = in.data[i];

        if (c >= '0' && c <= '9') {
            digit = (unsigned) (c - '0');

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (unsigned) ((c | 0x20) - 'a') + 10;

        } else {
            return 0;
        }

        if (digit >= base) {
            return 0;
        }

        *value = *value * base + digit;
    }

    return digits;
}


static size_t
pyro_lexer_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char) c;
        return 1;
    }

    if (c < 0x800) {
        out[0] = (char) (0xc0 | c >> 6);
        out[1] = (char) (0x80 | (c & 0x3f));
        return 2;
    }

    if (c < 0x10000) {
        out[0] = (char) (0xe0 | c >> 12);
        out[1] = (char) (0x80 | (c >> 6 & 0x3f));
        out[2] = (char) (0x80 | (c & 0x3f));
        return 3;
    }

    out[0] = (char) (0xf0 | c >> 18);
    out[1] = (char) (0x80 | (c >> 12 & 0x3f));
    out[2] = (char) (0x80 | (c >> 6 & 0x3f));
    out[3] = (char) (0x80 | (c & 0x3f));

    return 4;
}
