#define _GNU_SOURCE

#include "jfr/jfr_symbol.h"

#include "core/base/count.h"


#define PYRO_JFR_ASYNC_BUILD  "-17b9a1d8156277a98ccc871afa9a8f69215f92"


static int pyro_jfr_eat(pyro_slice_t *s, const char *text);
static int pyro_jfr_eat_digits(pyro_slice_t *s);
static size_t pyro_jfr_eat_hex(pyro_slice_t *s, size_t max);
static void pyro_jfr_eat_tmp(pyro_slice_t *s);
static int pyro_jfr_is_deleted_end(pyro_slice_t s);
static int pyro_jfr_has_dollars(pyro_slice_t s);
static const char *pyro_jfr_last(pyro_slice_t s, pyro_slice_t what);
static pyro_slice_t pyro_jfr_head(pyro_arena_t *arena, pyro_slice_t symbol,
    size_t len);
static size_t pyro_jfr_accessor(pyro_slice_t s);
static size_t pyro_jfr_lambda(pyro_slice_t s);
static size_t pyro_jfr_cglib(pyro_slice_t s);
static int pyro_jfr_zstd(pyro_slice_t s);
static int pyro_jfr_corretto(pyro_slice_t s);
static int pyro_jfr_async(pyro_slice_t s);
static pyro_slice_t pyro_jfr_library(pyro_slice_t s);


static int
pyro_jfr_eat(pyro_slice_t *s, const char *text)
{
    size_t  len;

    len = strlen(text);

    if (!pyro_slice_starts(*s, pyro_slice(text, len))) {
        return 0;
    }

    s->data += len;
    s->len -= len;

    return 1;
}


static int
pyro_jfr_eat_digits(pyro_slice_t *s)
{
    size_t  len;

    len = s->len;

    while (s->len && *s->data >= '0' && *s->data <= '9') {
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);
        s->data++;
        s->len--;
    }

    return s->len != len;
}


/* Lower-case hexadecimal digits, at most max; returns how many. */
static size_t
pyro_jfr_eat_hex(pyro_slice_t *s, size_t max)
{
    size_t  n;

    for (n = 0; n < max && n < s->len; n++) {
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);

        if (!(s->data[n] >= '0' && s->data[n] <= '9')
            && !(s->data[n] >= 'a' && s->data[n] <= 'f'))
        {
            break;
        }
    }

    s->data += n;
    s->len -= n;

    return n;
}


static void
pyro_jfr_eat_tmp(pyro_slice_t *s)
{
    if (!pyro_jfr_eat(s, "/tmp/")) {
        pyro_jfr_eat(s, "./tmp/");
    }
}


static int
pyro_jfr_is_deleted_end(pyro_slice_t s)
{
    pyro_jfr_eat(&s, " (deleted)");

    return s.len == 0;
}


/* 1 if there are two dollar signs side by side, as in all made-up classes. */
static int
pyro_jfr_has_dollars(pyro_slice_t s)
{
    const char  *p, *end;

    end = s.data + s.len;

    for (p = s.data;
         p < end && (p = memchr(p, '$', (size_t) (end - p))) != NULL;
         p++)
    {
        if (p + 1 < end && p[1] == '$') {
            return 1;
        }
    }

    return 0;
}


/* The last place of what, which begins with a dollar sign, or NULL. */
static const char *
pyro_jfr_last(pyro_slice_t s, pyro_slice_t what)
{
    const char  *p, *end;

    end = s.data + s.len;
    PYRO_COUNT(PYRO_COUNT_BYTES, s.len);

    while ((p = memrchr(s.data, '$', s.len)) != NULL) {
        if (pyro_slice_starts(pyro_slice(p, (size_t) (end - p)), what)) {
            return p;
        }

        s.len = (size_t) (p - s.data);
    }

    return NULL;
}


/* The first len bytes and an underscore. */
static pyro_slice_t
pyro_jfr_head(pyro_arena_t *arena, pyro_slice_t symbol, size_t len)
{
    char  *p;

    p = pyro_arena_alloc(arena, len + 1);

    if (p == NULL) {
        return pyro_slice(NULL, 0);
    }

    PYRO_COUNT(PYRO_COUNT_BYTES, len);
    memcpy(p, symbol.data, len);
    p[len] = '_';

    return pyro_slice(p, len + 1);
}


/* Those below return how much of the symbol is kept, 0: not of this form. */

static size_t
pyro_jfr_accessor(pyro_slice_t s)
{
    pyro_slice_t  rest;

    rest = s;

    if (pyro_jfr_eat(&rest, "jdk/internal/reflect/GeneratedMethodAccessor")) {
        s.len -= rest.len;

        if (pyro_jfr_eat_digits(&rest) && rest.len == 0) {
            return s.len;
        }
    }

    return 0;
}


static size_t
pyro_jfr_lambda(pyro_slice_t s)
{
    size_t         len;
    const char    *p;
    pyro_slice_t   rest;

    p = pyro_jfr_last(s, PYRO_SLICE("$$Lambda"));

    if (p == NULL || p == s.data || memchr(s.data, '\n', s.len) != NULL) {
        return 0;
    }

    len = (size_t) (p - s.data) + sizeof("$$Lambda") - 1;
    rest = pyro_slice(s.data + len, s.len - len);

    /* the digits of an old lambda, with nothing behind them */

    if (pyro_jfr_eat_digits(&rest) && rest.len == 0) {
        return len;
    }

    /* or [$][digits] . or / [0x] hexadecimal digits */

    rest = pyro_slice(s.data + len, s.len - len);
    pyro_jfr_eat(&rest, "$");
    pyro_jfr_eat_digits(&rest);

    if (!pyro_jfr_eat(&rest, ".") && !pyro_jfr_eat(&rest, "/")) {
        return 0;
    }

    pyro_jfr_eat(&rest, "0x");

    return pyro_jfr_eat_hex(&rest, SIZE_MAX) && rest.len == 0 ? len : 0;
}


static size_t
pyro_jfr_cglib(pyro_slice_t s)
{
    const char  *p;

    p = pyro_jfr_last(s, PYRO_SLICE("$$EnhancerBySpringCGLIB$$"));

    if (p == NULL || p == s.data || memchr(s.data, '\n', s.len) != NULL) {
        return 0;
    }

    return (size_t) (p - s.data) + sizeof("$$EnhancerBySpringCGLIB$$") - 1;
}


/* Libraries: 1 if the symbol is of this form. */

static int
pyro_jfr_zstd(pyro_slice_t s)
{
    pyro_jfr_eat_tmp(&s);

    return pyro_jfr_eat(&s, "libzstd-jni-")
           && pyro_jfr_eat_digits(&s) && pyro_jfr_eat(&s, ".")
           && pyro_jfr_eat_digits(&s) && pyro_jfr_eat(&s, ".")
           && pyro_jfr_eat_digits(&s) && pyro_jfr_eat(&s, "-")
           && pyro_jfr_eat_digits(&s) && pyro_jfr_eat(&s, ".so")
           && pyro_jfr_is_deleted_end(s);
}


static int
pyro_jfr_corretto(pyro_slice_t s)
{
    pyro_jfr_eat_tmp(&s);
    pyro_jfr_eat(&s, "lib");

    if (!pyro_jfr_eat(&s, "amazonCorrettoCryptoProvider")) {
        return 0;
    }

    pyro_jfr_eat(&s, "NativeLibraries.");

    if (pyro_jfr_eat_hex(&s, 16) != 16) {
        return 0;
    }

    if (!pyro_jfr_eat(&s, "/libcrypto")) {
        pyro_jfr_eat(&s, "/libamazonCorrettoCryptoProvider");
    }

    return pyro_jfr_eat(&s, ".so") && pyro_jfr_is_deleted_end(s);
}


static int
pyro_jfr_async(pyro_slice_t s)
{
    pyro_jfr_eat_tmp(&s);

    return pyro_jfr_eat(&s, "libasyncProfiler-")
           && (pyro_jfr_eat(&s, "linux-arm64")
               || pyro_jfr_eat(&s, "linux-musl-x64")
               || pyro_jfr_eat(&s, "linux-x64")
               || pyro_jfr_eat(&s, "macos"))
           && pyro_jfr_eat(&s, PYRO_JFR_ASYNC_BUILD ".so")
           && pyro_jfr_is_deleted_end(s);
}


static pyro_slice_t
pyro_jfr_library(pyro_slice_t s)
{
    if (pyro_jfr_zstd(s)) {
        return PYRO_SLICE("libzstd-jni-_.so");
    }

    if (pyro_jfr_corretto(s)) {
        return PYRO_SLICE("libamazonCorrettoCryptoProvider_.so");
    }

    if (pyro_jfr_async(s)) {
        return PYRO_SLICE("libasyncProfiler-_.so");
    }

    return s;
}


pyro_slice_t
pyro_jfr_symbol(pyro_arena_t *arena, pyro_slice_t symbol)
{
    char    last;
    size_t  len;

    if (symbol.len == 0) {
        return symbol;
    }

    /* nearly all symbols have none of these */

    last = symbol.data[symbol.len - 1];

    if (last == 'o' || last == ')') {
        symbol = pyro_jfr_library(symbol);

    } else if (last >= '0' && last <= '9') {
        len = pyro_jfr_accessor(symbol);

        if (len) {
            return pyro_jfr_head(arena, symbol, len);
        }
    }

    PYRO_COUNT(PYRO_COUNT_BYTES, symbol.len);

    if (!pyro_jfr_has_dollars(symbol)) {
        return symbol;
    }

    /* and for the two that look for a line's end */

    PYRO_COUNT(PYRO_COUNT_BYTES, 2 * symbol.len);

    len = pyro_jfr_lambda(symbol);

    if (len) {
        symbol = pyro_jfr_head(arena, symbol, len);
    }

    len = symbol.data != NULL ? pyro_jfr_cglib(symbol) : 0;

    return len ? pyro_jfr_head(arena, symbol, len) : symbol;
}
