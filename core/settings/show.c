#include "core/settings/show.h"

#include "core/base/utf8.h"
#include "core/settings/apply.h"
#include "core/settings/value.h"


#define PYRO_SHOW_INDENT  2


static void pyro_show_tenants(const pyro_settings_t *settings,
    pyro_rope_t *out);
static int pyro_show_path(const char *path, const char *last,
    pyro_rope_t *out);
static void pyro_show_value(const pyro_settings_t *settings,
    const pyro_key_t *key, pyro_rope_t *out);
static void pyro_show_text(const char *text, pyro_rope_t *out);
static size_t pyro_show_char(pyro_slice_t text, pyro_rope_t *out);
static uint32_t pyro_show_code(pyro_slice_t text, size_t n);
static int64_t pyro_show_number(const pyro_settings_t *settings,
    const pyro_key_t *key);


void
pyro_settings_show(const pyro_settings_t *settings, pyro_rope_t *out)
{
    int                depth;
    size_t             i;
    const char        *last, *name;
    const pyro_key_t  *key;

    for (i = 0, last = ""; i < pyro_keys_count; i++) {
        key = &pyro_keys[i];

        if (key->size == 0) {
            continue;
        }

        depth = pyro_show_path(key->path, last, out);
        name = strrchr(key->path, '.');
        last = key->path;

        pyro_rope_printf(out, "%*s%s%s: ", depth * PYRO_SHOW_INDENT, "",
                         key->given && !((const uint8_t *) settings)[key->given]
                         ? "# " : "", name != NULL ? name + 1 : key->path);
        pyro_show_value(settings, key, out);
        pyro_rope_append(out, "\n", 1);
    }

    pyro_show_tenants(settings, out);
}


/* All limits of each, those as well that are everybody's. */
static void
pyro_show_tenants(const pyro_settings_t *settings, pyro_rope_t *out)
{
    size_t            k;
    uint32_t          i;
    pyro_settings_t   copy;

    copy = *settings;

    for (i = 0; i < settings->n_tenants; i++) {
        copy.limits = settings->tenants[i].limits;

        pyro_rope_printf(out, "%s  \"%.*s\":\n", i ? "" : "overrides:\n",
                         PYRO_SLICE_ARG(settings->tenants[i].name));

        for (k = 0; k < pyro_keys_count; k++) {

            if (pyro_keys[k].size == 0
                || strncmp(pyro_keys[k].path, "limits.", 7) != 0)
            {
                continue;
            }

            pyro_rope_printf(out, "    %s: ", pyro_keys[k].path + 7);
            pyro_show_value(&copy, &pyro_keys[k], out);
            pyro_rope_append(out, "\n", 1);
        }
    }
}


/* The sections that the key before was not in; how many there are in all. */
static int
pyro_show_path(const char *path, const char *last, pyro_rope_t *out)
{
    int          depth, same;
    size_t       len;
    const char  *p, *dot;

    same = 1;

    for (p = path, depth = 0; (dot = strchr(p, '.')) != NULL; p = dot + 1) {
        len = (size_t) (dot + 1 - path);
        same = same && strncmp(path, last, len) == 0;

        if (!same) {
            pyro_rope_printf(out, "%*s%.*s:\n", depth * PYRO_SHOW_INDENT, "",
                             (int) (dot - p), p);
        }

        depth++;
    }

    return depth;
}


static void
pyro_show_value(const pyro_settings_t *settings, const pyro_key_t *key,
    pyro_rope_t *out)
{
    char         buf[PYRO_VALUE_SHOW_MAX];
    int64_t      value;
    const char  *text;

    if (key->type == PYRO_KEY_TEXT) {
        memcpy(&text, (const char *) settings + key->offset, sizeof(text));
        pyro_show_text(text != NULL ? text : "", out);
        return;
    }

    value = pyro_show_number(settings, key);

    text = key->type == PYRO_KEY_WORD ? key->words[value]
           : value == 0 && key->zero_word != NULL ? key->zero_word
           : pyro_apply_show(key, value, buf);

    pyro_rope_append(out, text, strlen(text));
}


/* In quotes: whatever is in it is no other type, and no comment. */
static void
pyro_show_text(const char *text, pyro_rope_t *out)
{
    size_t        n;
    pyro_slice_t  rest;

    pyro_rope_append(out, "\"", 1);

    for (rest = pyro_slice_str(text); rest.len; /* void */ ) {
        n = pyro_show_char(rest, out);
        rest = pyro_slice(rest.data + n, rest.len - n);
    }

    pyro_rope_append(out, "\"", 1);
}


/*
 * "$$" is one "$" to the reader.  What is no plain character to YAML, breaks a
 * line or cannot be seen is written by its number.
 */
static size_t
pyro_show_char(pyro_slice_t text, pyro_rope_t *out)
{
    size_t    n;
    uint32_t  code;

    n = pyro_utf8_char(text.data, text.len);
    n = n ? n : 1;
    code = pyro_show_code(text, n);

    if (code == '"' || code == '\\') {
        pyro_rope_printf(out, "\\%c", (int) code);

    } else if (code == '$') {
        pyro_rope_append(out, "$$", 2);

    } else if (code < 0x20 || (code >= 0x7f && code <= 0xa0)
               || code == 0x2028 || code == 0x2029
               || (code >= 0xfeff && code <= 0xffff))
    {
        pyro_rope_printf(out, "\\u%04x", (unsigned int) code);

    } else {
        pyro_rope_append(out, text.data, n);
    }

    return n;
}


/* Of n well-formed bytes, or of one that is none: its own number. */
static uint32_t
pyro_show_code(pyro_slice_t text, size_t n)
{
    size_t    i;
    uint32_t  code;

    code = (uint8_t) text.data[0];

    if (n > 1) {
        code &= 0xffu >> (n + 1);
    }

    for (i = 1; i < n; i++) {
        code = code << 6 | ((uint8_t) text.data[i] & 0x3f);
    }

    return code;
}


static int64_t
pyro_show_number(const pyro_settings_t *settings, const pyro_key_t *key)
{
    int64_t      value;
    uint8_t      u8;
    uint16_t     u16;
    uint32_t     u32;
    const char  *field;

    field = (const char *) settings + key->offset;

    switch (key->size) {

    case 1:
        memcpy(&u8, field, sizeof(uint8_t));
        return u8;

    case 2:
        memcpy(&u16, field, sizeof(uint16_t));
        return u16;

    case 4:
        memcpy(&u32, field, sizeof(uint32_t));
        return u32;

    default:
        memcpy(&value, field, sizeof(int64_t));
        return value;
    }
}
