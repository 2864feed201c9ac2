#include "core/format/folded_text.h"

#include <inttypes.h>
#include <stdio.h>


#define PYRO_FOLDED_UNKNOWN  "[unknown]"


static void pyro_folded_append(pyro_folded_text_t *text, const char *data,
    size_t len);
static void pyro_folded_escaped(pyro_folded_text_t *text, pyro_slice_t s,
    const char *also);
static inline int pyro_folded_is_control(char c);
static pyro_slice_t pyro_folded_exact(pyro_folded_text_t *text,
    pyro_slice_t s);
static pyro_slice_t pyro_folded_replaced(pyro_folded_text_t *text,
    pyro_slice_t s);
static uint32_t pyro_folded_span(const pyro_span_t *span, pyro_label_t *items,
    char id[17], char trace[33]);
static void pyro_folded_label(pyro_folded_text_t *text,
    const pyro_label_t *label);


static void
pyro_folded_append(pyro_folded_text_t *text, const char *data, size_t len)
{
    if (len == 0 || text->failed) {
        return;
    }

    if (len > UINT32_MAX - text->len
        || pyro_arena_grow(text->arena, &text->data, &text->cap,
                           text->len + len, 1))
    {
        text->failed = 1;
        return;
    }

    memcpy(text->data + text->len, data, len);
    text->len += (uint32_t) len;
}


static inline int
pyro_folded_is_control(char c)
{
    return (unsigned char) c < 0x20 || c == 0x7f;
}


/* Backslashes, control characters and those of also as \xHH. */
static void
pyro_folded_escaped(pyro_folded_text_t *text, pyro_slice_t s, const char *also)
{
    char    escape[8];
    size_t  i, plain;

    plain = 0;

    for (i = 0; i < s.len; i++) {

        if (s.data[i] != '\\' && !pyro_folded_is_control(s.data[i])
            && strchr(also, s.data[i]) == NULL)
        {
            continue;
        }

        pyro_folded_append(text, s.data + plain, i - plain);
        snprintf(escape, sizeof(escape), "\\x%02x", (unsigned char) s.data[i]);
        pyro_folded_append(text, escape, 4);
        plain = i + 1;
    }

    pyro_folded_append(text, s.data + plain, s.len - plain);
}


/* A ";" that would look like the end of a frame is escaped, others are not:
 * they are in names of native libraries. */
static pyro_slice_t
pyro_folded_exact(pyro_folded_text_t *text, pyro_slice_t s)
{
    size_t  i, piece;
    int     line;               /* 1 behind ":", 2 behind ":" and digits */

    text->len = 0;
    line = 0;
    piece = 0;

    for (i = 0; i < s.len; i++) {

        if (s.data[i] == ';' && line == 2) {
            pyro_folded_escaped(text, pyro_slice(s.data + piece, i - piece),
                                "");
            pyro_folded_escaped(text, pyro_slice(s.data + i, 1), ";");
            piece = i + 1;
        }

        if (s.data[i] == ':') {
            line = 1;

        } else {
            line = line && s.data[i] >= '0' && s.data[i] <= '9' ? 2 : 0;
        }
    }

    pyro_folded_escaped(text, pyro_slice(s.data + piece, s.len - piece), "");

    return pyro_slice(text->data, text->len);
}


static pyro_slice_t
pyro_folded_replaced(pyro_folded_text_t *text, pyro_slice_t s)
{
    char    c;
    size_t  i;

    text->len = 0;

    for (i = 0; i < s.len; i++) {
        c = s.data[i] == ';' ? ','
            : pyro_folded_is_control(s.data[i]) ? ' ' : s.data[i];

        pyro_folded_append(text, &c, 1);
    }

    return pyro_slice(text->data, text->len);
}


pyro_slice_t
pyro_folded_function(pyro_folded_text_t *text, pyro_slice_t s,
    pyro_folded_form_e form)
{
    size_t  i;

    if (form == PYRO_FOLDED_STACKS && s.len == 0) {
        return PYRO_SLICE(PYRO_FOLDED_UNKNOWN);
    }

    /* nearly all names stay as they are */

    for (i = 0; i < s.len; i++) {
        if (s.data[i] == ';' || s.data[i] == '\\'
            || pyro_folded_is_control(s.data[i]))
        {
            return form == PYRO_FOLDED_SAMPLES ? pyro_folded_exact(text, s)
                                               : pyro_folded_replaced(text, s);
        }
    }

    return s;
}


/* A span's labels; returns their number. */
static uint32_t
pyro_folded_span(const pyro_span_t *span, pyro_label_t *items, char id[17],
    char trace[33])
{
    uint32_t  n;

    n = 0;

    if (span->id) {
        snprintf(id, 17, "%016" PRIx64, span->id);
        items[n].name = PYRO_SLICE("profile_id");
        items[n++].value = pyro_slice(id, 16);
    }

    if (span->trace_hi | span->trace_lo) {
        snprintf(trace, 33, "%016" PRIx64 "%016" PRIx64, span->trace_hi,
                 span->trace_lo);
        items[n].name = PYRO_SLICE("trace_id");
        items[n++].value = pyro_slice(trace, 32);
    }

    return n;
}


static void
pyro_folded_label(pyro_folded_text_t *text, const pyro_label_t *label)
{
    if (text->len) {
        pyro_folded_append(text, ",", 1);
    }

    pyro_folded_escaped(text, label->name, ",=");
    pyro_folded_append(text, "=", 1);
    pyro_folded_escaped(text, label->value, ",");
}


pyro_slice_t
pyro_folded_labels(pyro_folded_text_t *text, const pyro_labels_t *labels,
    const pyro_span_t *span)
{
    int            rc;
    char           id[17], trace[33];
    uint32_t       i, k, n;
    pyro_label_t   ids[2];

    text->len = 0;
    n = pyro_folded_span(span, ids, id, trace);
    k = 0;

    for (i = 0; i < labels->n; i++) {

        for (rc = 1; k < n; k++) {
            rc = pyro_slice_cmp(ids[k].name, labels->items[i].name);

            if (rc >= 0) {
                break;
            }

            pyro_folded_label(text, &ids[k]);
        }

        /* where both have a name, the span's value */

        if (rc) {
            pyro_folded_label(text, &labels->items[i]);
        }
    }

    while (k < n) {
        pyro_folded_label(text, &ids[k++]);
    }

    return pyro_slice(text->data, text->len);
}
