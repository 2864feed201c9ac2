#define _GNU_SOURCE                 /* memmem() */

#include "core/base/multipart.h"

#include <stdio.h>
#include <strings.h>


#define PYRO_MULTIPART_BOUNDARY  70             /* RFC 2046 */
#define PYRO_MULTIPART_LINE      (8 * 1024)
#define PYRO_MULTIPART_PARTS     64
#define PYRO_MULTIPART_SHOW      64             /* bytes of a name shown */


/* A place between two parts. */
typedef struct {
    size_t  start;                  /* of the line break before it */
    size_t  end;                    /* of its line */
    int     closing;
} pyro_delimiter_t;


static int pyro_slice_is_nocase(pyro_slice_t s, const char *text);
static pyro_slice_t pyro_mime_blank(pyro_slice_t s);
static pyro_slice_t pyro_mime_token(pyro_slice_t *s, const char *stop);
static pyro_slice_t pyro_mime_value(pyro_slice_t *s);
static int pyro_mime_param(pyro_slice_t *s, pyro_slice_t *name,
    pyro_slice_t *value);
static int pyro_multipart_delimiter(const pyro_multipart_t *mp, size_t pos,
    pyro_delimiter_t *d);
static int pyro_multipart_find(const pyro_multipart_t *mp, size_t pos,
    pyro_delimiter_t *d);
static void pyro_multipart_advance(pyro_multipart_t *mp,
    const pyro_delimiter_t *d);
static int pyro_multipart_line(pyro_slice_t rest, size_t *len);
static void pyro_multipart_disposition(pyro_slice_t line, pyro_part_t *part);
static pyro_status_e pyro_multipart_headers(const pyro_multipart_t *mp,
    pyro_part_t *part, size_t *end, pyro_error_t *err);
static pyro_status_e pyro_multipart_broken(const pyro_multipart_t *mp,
    const pyro_part_t *part, const char *problem, pyro_error_t *err);


int
pyro_is_multipart(pyro_slice_t content_type)
{
    pyro_slice_t  type;

    type = pyro_mime_token(&content_type, ";");

    return pyro_slice_is_nocase(type, "multipart/form-data");
}


pyro_status_e
pyro_multipart_init(pyro_multipart_t *mp, pyro_slice_t content_type,
    pyro_slice_t body, pyro_error_t *err)
{
    pyro_slice_t  name, value;

    memset(mp, 0, sizeof(pyro_multipart_t));
    mp->rest = body;

    pyro_mime_token(&content_type, ";");

    while (pyro_mime_param(&content_type, &name, &value)) {

        if (pyro_slice_is_nocase(name, "boundary")) {
            mp->boundary = value;
            break;
        }
    }

    if (mp->boundary.len == 0) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                              "multipart: Content-Type has no boundary");
    }

    if (mp->boundary.len > PYRO_MULTIPART_BOUNDARY) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                              "multipart: the boundary has %zu bytes, the "
                              "limit is %d", mp->boundary.len,
                              PYRO_MULTIPART_BOUNDARY);
    }

    return PYRO_OK;
}


pyro_status_e
pyro_multipart_next(pyro_multipart_t *mp, pyro_part_t *part, int *more,
    pyro_error_t *err)
{
    size_t            start;
    pyro_status_e     rc;
    pyro_delimiter_t  d;

    start = 0;
    *more = 0;
    memset(part, 0, sizeof(pyro_part_t));

    if (!mp->started) {

        if (pyro_multipart_delimiter(mp, 0, &d)
            && pyro_multipart_find(mp, 0, &d))
        {
            return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                                  "multipart: the boundary does not occur in "
                                  "the body of %zu bytes", mp->rest.len);
        }

        mp->started = 1;
        pyro_multipart_advance(mp, &d);
    }

    if (mp->rest.data == NULL) {
        return PYRO_OK;
    }

    if (++mp->parts > PYRO_MULTIPART_PARTS) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                              "multipart: part %u: the limit is %d parts",
                              mp->parts, PYRO_MULTIPART_PARTS);
    }

    rc = pyro_multipart_headers(mp, part, &start, err);

    if (rc != PYRO_OK) {
        return rc;
    }

    /* an empty body may share the line break of the headers' end */

    if (pyro_multipart_find(mp, start - 2, &d)) {
        return pyro_multipart_broken(mp, part, "no boundary ends it", err);
    }

    part->body = pyro_slice(mp->rest.data + start,
                            d.start > start ? d.start - start : 0);
    pyro_multipart_advance(mp, &d);

    *more = 1;

    return PYRO_OK;
}


static int
pyro_slice_is_nocase(pyro_slice_t s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.data, text, s.len) == 0;
}


/* Without white space at both ends; a folded header has line breaks in it. */
static pyro_slice_t
pyro_mime_blank(pyro_slice_t s)
{
    while (s.len && memchr(" \t\r\n", s.data[0], 4) != NULL) {
        s = pyro_slice(s.data + 1, s.len - 1);
    }

    while (s.len && memchr(" \t\r\n", s.data[s.len - 1], 4) != NULL) {
        s.len--;
    }

    return s;
}


/* Takes what precedes the first of the stop characters off s. */
static pyro_slice_t
pyro_mime_token(pyro_slice_t *s, const char *stop)
{
    size_t        i;
    pyro_slice_t  token;

    for (i = 0; i < s->len; i++) {
        if (memchr(stop, s->data[i], strlen(stop)) != NULL) {
            break;
        }
    }

    token = pyro_slice(s->data, i);
    *s = pyro_slice(s->data + i, s->len - i);

    return pyro_mime_blank(token);
}


/* A quoted string's inside, its escapes as they are, or a token. */
static pyro_slice_t
pyro_mime_value(pyro_slice_t *s)
{
    size_t        i;
    pyro_slice_t  value;

    *s = pyro_mime_blank(*s);

    if (s->len == 0 || s->data[0] != '"') {
        return pyro_mime_token(s, ";");
    }

    for (i = 1; i < s->len && s->data[i] != '"'; i++) {
        if (s->data[i] == '\\' && i + 1 < s->len) {
            i++;
        }
    }

    value = pyro_slice(s->data + 1, i - 1);
    *s = pyro_slice(s->data + i, s->len - i);

    pyro_mime_token(s, ";");

    return value;
}


/* The next "; name=value"; 0 at the end. */
static int
pyro_mime_param(pyro_slice_t *s, pyro_slice_t *name, pyro_slice_t *value)
{
    if (s->len == 0 || s->data[0] != ';') {
        return 0;
    }

    *s = pyro_slice(s->data + 1, s->len - 1);
    *name = pyro_mime_token(s, "=;");
    *value = pyro_slice(NULL, 0);

    if (s->len && s->data[0] == '=') {
        *s = pyro_slice(s->data + 1, s->len - 1);
        *value = pyro_mime_value(s);
    }

    return 1;
}


/*
 * Whether a delimiter's line begins at pos of the rest: two hyphens, the
 * boundary, two more in the closing one, blanks, the line's end.  Binary data
 * may hold what only begins like one.
 */
static int
pyro_multipart_delimiter(const pyro_multipart_t *mp, size_t pos,
    pyro_delimiter_t *d)
{
    pyro_slice_t  rest;

    rest = pyro_slice(mp->rest.data + pos, mp->rest.len - pos);

    if (!pyro_slice_starts(rest, PYRO_SLICE("--"))) {
        return -1;
    }

    rest = pyro_slice(rest.data + 2, rest.len - 2);

    if (!pyro_slice_starts(rest, mp->boundary)) {
        return -1;
    }

    rest = pyro_slice(rest.data + mp->boundary.len,
                      rest.len - mp->boundary.len);

    d->start = pos;
    d->closing = pyro_slice_starts(rest, PYRO_SLICE("--"));

    if (d->closing) {
        rest = pyro_slice(rest.data + 2, rest.len - 2);
    }

    while (rest.len && (rest.data[0] == ' ' || rest.data[0] == '\t')) {
        rest = pyro_slice(rest.data + 1, rest.len - 1);
    }

    if (pyro_slice_starts(rest, PYRO_SLICE("\r\n"))) {
        d->end = (size_t) (rest.data + 2 - mp->rest.data);
        return 0;
    }

    d->end = mp->rest.len;

    return d->closing && rest.len == 0 ? 0 : -1;
}


/* The first delimiter that begins on a line of its own at or behind pos. */
static int
pyro_multipart_find(const pyro_multipart_t *mp, size_t pos,
    pyro_delimiter_t *d)
{
    char         needle[4 + PYRO_MULTIPART_BOUNDARY];
    size_t       len;
    const char  *p;

    len = 4 + mp->boundary.len;
    memcpy(needle, "\r\n--", 4);
    memcpy(needle + 4, mp->boundary.data, mp->boundary.len);

    while (pos < mp->rest.len) {
        p = memmem(mp->rest.data + pos, mp->rest.len - pos, needle, len);

        if (p == NULL) {
            break;
        }

        pos = (size_t) (p - mp->rest.data);

        if (pyro_multipart_delimiter(mp, pos + 2, d) == 0) {
            d->start = pos;
            return 0;
        }

        pos += len;
    }

    return -1;
}


/* Behind the closing delimiter there is no rest. */
static void
pyro_multipart_advance(pyro_multipart_t *mp, const pyro_delimiter_t *d)
{
    mp->rest = d->closing ? pyro_slice(NULL, 0)
                          : pyro_slice(mp->rest.data + d->end,
                                       mp->rest.len - d->end);
}


/*
 * The length of a header line without its line break, lines that continue it
 * (they begin with a blank) included.  -1: it does not end within the limit.
 */
static int
pyro_multipart_line(pyro_slice_t rest, size_t *len)
{
    size_t       pos, max;
    const char  *p;

    max = rest.len < PYRO_MULTIPART_LINE + 2 ? rest.len
                                             : PYRO_MULTIPART_LINE + 2;

    for (pos = 0; pos < max; pos = *len + 2) {
        p = memmem(rest.data + pos, max - pos, "\r\n", 2);

        if (p == NULL) {
            break;
        }

        *len = (size_t) (p - rest.data);

        if (*len == 0 || *len + 2 == rest.len
            || (p[2] != ' ' && p[2] != '\t'))
        {
            return 0;
        }
    }

    return -1;
}


static void
pyro_multipart_disposition(pyro_slice_t line, pyro_part_t *part)
{
    pyro_slice_t  name, value;

    if (!pyro_slice_is_nocase(pyro_mime_token(&line, ";"), "form-data")) {
        return;
    }

    while (pyro_mime_param(&line, &name, &value)) {

        if (pyro_slice_is_nocase(name, "name")) {
            part->name = value;

        } else if (pyro_slice_is_nocase(name, "filename")
                   || pyro_slice_is_nocase(name, "filename*"))
        {
            part->has_filename = 1;
        }
    }
}


/* end: where the body begins. */
static pyro_status_e
pyro_multipart_headers(const pyro_multipart_t *mp, pyro_part_t *part,
    size_t *end, pyro_error_t *err)
{
    size_t        len;
    pyro_slice_t  rest, line, name;

    rest = mp->rest;

    for ( ;; ) {

        if (pyro_multipart_line(rest, &len)) {
            return pyro_multipart_broken(mp, part,
                                         rest.len > PYRO_MULTIPART_LINE
                                         ? "a header line is longer than 8192 "
                                           "bytes, the limit"
                                         : "its headers do not end", err);
        }

        line = pyro_slice(rest.data, len);
        rest = pyro_slice(rest.data + len + 2, rest.len - len - 2);

        if (len == 0) {
            break;
        }

        name = pyro_mime_token(&line, ":");

        if (line.len == 0) {
            return pyro_multipart_broken(mp, part, "a header line has no colon",
                                         err);
        }

        line = pyro_slice(line.data + 1, line.len - 1);

        if (pyro_slice_is_nocase(name, "Content-Disposition")) {
            pyro_multipart_disposition(line, part);
        }
    }

    *end = (size_t) (rest.data - mp->rest.data);

    return PYRO_OK;
}


static pyro_status_e
pyro_multipart_broken(const pyro_multipart_t *mp, const pyro_part_t *part,
    const char *problem, pyro_error_t *err)
{
    return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                          "multipart: part %u \"%.*s\": %s", mp->parts,
                          (int) (part->name.len < PYRO_MULTIPART_SHOW
                                 ? part->name.len : PYRO_MULTIPART_SHOW),
                          part->name.data, problem);
}
