#include "core/settings/apply.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/settings/value.h"


#define PYRO_APPLY_SHOWN  64        /* bytes of a value in a message */
#define PYRO_APPLY_WORDS  128


static pyro_status_e pyro_apply_text(pyro_arena_t *arena,
    const pyro_key_t *key, pyro_slice_t text, pyro_settings_t *settings,
    pyro_error_t *err);
static pyro_status_e pyro_apply_word(const pyro_key_t *key, pyro_slice_t text,
    int64_t *value, pyro_error_t *err);
static pyro_status_e pyro_apply_number(const pyro_key_t *key,
    pyro_slice_t text, int64_t *value, pyro_error_t *err);
static const char *pyro_apply_read(const pyro_key_t *key, pyro_slice_t text,
    int64_t *value);
static pyro_status_e pyro_apply_range(const pyro_key_t *key, pyro_slice_t text,
    int64_t value, pyro_error_t *err);
static void pyro_apply_store(const pyro_key_t *key, int64_t value,
    pyro_settings_t *settings);
static int64_t pyro_apply_shortest(const pyro_key_t *key, int64_t value,
    const pyro_settings_t *settings);
static pyro_status_e pyro_apply_error(pyro_error_t *err, pyro_slice_t text,
    const char *what);


void
pyro_apply_defaults(pyro_settings_t *settings)
{
    char              *field;
    size_t             i;
    const pyro_key_t  *key;

    for (i = 0; i < pyro_keys_count; i++) {
        key = &pyro_keys[i];

        if (key->size == 0) {
            continue;
        }

        if (key->type == PYRO_KEY_TEXT) {
            field = (char *) settings + key->offset;
            memcpy(field, &key->text, key->size);
            continue;
        }

        pyro_apply_store(key, key->def, settings);
    }
}


pyro_status_e
pyro_apply(pyro_arena_t *arena, const pyro_key_t *key, pyro_slice_t text,
    pyro_settings_t *settings, pyro_error_t *err)
{
    int64_t        value;
    pyro_status_e  rc;

    switch (key->type) {

    case PYRO_KEY_TEXT:
        return pyro_apply_text(arena, key, text, settings, err);

    case PYRO_KEY_WORD:
        rc = pyro_apply_word(key, text, &value, err);
        break;

    default:
        rc = pyro_apply_number(key, text, &value, err);
    }

    if (rc != PYRO_OK) {
        return rc;
    }

    if (key->size == 0) {
        return PYRO_OK;
    }

    if (key->action == PYRO_KEY_SHORTEST) {
        value = pyro_apply_shortest(key, value, settings);
    }

    if (value == 0 && key->zero_max) {
        value = key->max;
    }

    pyro_apply_store(key, value, settings);

    return PYRO_OK;
}


static pyro_status_e
pyro_apply_text(pyro_arena_t *arena, const pyro_key_t *key, pyro_slice_t text,
    pyro_settings_t *settings, pyro_error_t *err)
{
    size_t        i;
    pyro_slice_t  copy;

    if (text.len > (size_t) key->max || text.len < (size_t) key->min) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                              "a text of %zu bytes; allowed are %" PRId64
                              " to %" PRId64, text.len, key->min, key->max);
    }

    for (i = 0; i < text.len; i++) {

        if ((uint8_t) text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return pyro_apply_error(err, text, "has a control character");
        }
    }

    if (text.len == 0) {
        return PYRO_OK;
    }

    copy = pyro_arena_dup(arena, text);

    if (copy.data == NULL) {
        return pyro_error_memory(err);
    }

    memcpy((char *) settings + key->offset, &copy.data, key->size);

    return PYRO_OK;
}


static pyro_status_e
pyro_apply_word(const pyro_key_t *key, pyro_slice_t text, int64_t *value,
    pyro_error_t *err)
{
    char    words[PYRO_APPLY_WORDS];
    size_t  i, len;

    if (key->why != NULL) {
        snprintf(words, sizeof(words), "is not supported; %s", key->why);

    } else {
        len = (size_t) snprintf(words, sizeof(words), "is unknown; allowed:");

        for (i = 0; key->words[i] != NULL; i++) {
            len += (size_t) snprintf(words + len, sizeof(words) - len, "%s %s",
                                     i ? "," : "", key->words[i]);
        }
    }

    for (i = 0; key->words[i] != NULL; i++) {

        if (pyro_slice_is(text, key->words[i])) {
            *value = (int64_t) i;
            return PYRO_OK;
        }
    }

    return pyro_apply_error(err, text, words);
}


static pyro_status_e
pyro_apply_number(const pyro_key_t *key, pyro_slice_t text, int64_t *value,
    pyro_error_t *err)
{
    const char  *what;

    *value = 0;

    if (key->zero_word != NULL && pyro_slice_is(text, key->zero_word)) {
        return PYRO_OK;
    }

    what = pyro_apply_read(key, text, value);

    if (what != NULL) {
        return pyro_apply_error(err, text, what);
    }

    if (key->type == PYRO_KEY_DURATION) {

        if (*value % key->unit) {
            return pyro_apply_error(err, text, key->unit == 1000000
                                    ? "is not in whole milliseconds"
                                    : "is not in whole seconds");
        }

        *value /= key->unit;
    }

    if (key->type == PYRO_KEY_BOOL
        || (*value == 0 && (key->zero || key->zero_max)))
    {
        return PYRO_OK;
    }

    return pyro_apply_range(key, text, *value, err);
}


static const char *
pyro_apply_read(const pyro_key_t *key, pyro_slice_t text, int64_t *value)
{
    switch (key->type) {

    case PYRO_KEY_NUMBER:
        return pyro_value_number(text, key->unit, value);

    case PYRO_KEY_SIZE:
        return pyro_value_size(text, value);

    case PYRO_KEY_SHARE:
        return pyro_value_share(text, value);

    case PYRO_KEY_DURATION:
        return pyro_value_duration(text, value);

    case PYRO_KEY_BOOL:
        return pyro_value_bool(text, value);

    default:
        return pyro_value_count(text, value);
    }
}


static pyro_status_e
pyro_apply_range(const pyro_key_t *key, pyro_slice_t text, int64_t value,
    pyro_error_t *err)
{
    char         min[PYRO_VALUE_SHOW_MAX], max[PYRO_VALUE_SHOW_MAX];
    char         what[PYRO_APPLY_WORDS], step[PYRO_VALUE_SHOW_MAX];
    const char  *zero;

    if (value < key->min || value > key->max) {
        zero = key->zero_word != NULL ? key->zero_word : "0";

        snprintf(what, sizeof(what), "is out of range; allowed: %s%s%s to %s",
                 key->zero || key->zero_max ? zero : "",
                 key->zero || key->zero_max ? ", " : "",
                 pyro_apply_show(key, key->min, min),
                 pyro_apply_show(key, key->max, max));

        return pyro_apply_error(err, text, what);
    }

    if (key->step && value % key->step) {
        snprintf(what, sizeof(what), "is not a multiple of %s",
                 pyro_apply_show(key, key->step, step));

        return pyro_apply_error(err, text, what);
    }

    return PYRO_OK;
}


const char *
pyro_apply_show(const pyro_key_t *key, int64_t value, char *text)
{
    switch (key->type) {

    case PYRO_KEY_SIZE:
        return pyro_value_show_size(text, value);

    case PYRO_KEY_DURATION:
        return pyro_value_show_duration(text, value * key->unit);

    case PYRO_KEY_NUMBER:
        return pyro_value_show_number(text, value, key->unit);

    case PYRO_KEY_BOOL:
        return value ? "true" : "false";

    case PYRO_KEY_SHARE:
        if (value >= 0) {
            return pyro_value_show_size(text, value);
        }

        snprintf(text, PYRO_VALUE_SHOW_MAX, "%" PRId64 "%%", -value);
        return text;

    default:
        snprintf(text, PYRO_VALUE_SHOW_MAX, "%" PRId64, value);
        return text;
    }
}


static void
pyro_apply_store(const pyro_key_t *key, int64_t value,
    pyro_settings_t *settings)
{
    char      *field;
    uint8_t    u8;
    uint16_t   u16;
    uint32_t   u32;

    field = (char *) settings + key->offset;

    switch (key->size) {

    case 1:
        u8 = (uint8_t) value;
        memcpy(field, &u8, sizeof(uint8_t));
        break;

    case 2:
        u16 = (uint16_t) value;
        memcpy(field, &u16, sizeof(uint16_t));
        break;

    case 4:
        u32 = (uint32_t) value;
        memcpy(field, &u32, sizeof(uint32_t));
        break;

    default:
        memcpy(field, &value, sizeof(int64_t));
    }
}


/* of the value and the one in the field, which has 64 bits */

static int64_t
pyro_apply_shortest(const pyro_key_t *key, int64_t value,
    const pyro_settings_t *settings)
{
    int64_t  old;

    memcpy(&old, (const char *) settings + key->offset, sizeof(int64_t));

    return value == 0 || (old != 0 && old < value) ? old : value;
}


static pyro_status_e
pyro_apply_error(pyro_error_t *err, pyro_slice_t text, const char *what)
{
    int  len;

    len = text.len < PYRO_APPLY_SHOWN ? (int) text.len : PYRO_APPLY_SHOWN;

    return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                          "\"%.*s%s\" %s", len, text.data,
                          (size_t) len < text.len ? "..." : "", what);
}
