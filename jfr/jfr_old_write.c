#include "jfr/jfr_old_write.h"

#include <stdio.h>


#define PYRO_JFR_OUT_FIELDS  4      /* of a type, at most */
#define PYRO_JFR_OUT_SIZE    5      /* bytes of an event's size */


typedef struct {
    const char           *name;     /* NULL: there are no more */
    pyro_jfr_out_type_e   type;
    int                   pool;
    int                   array;
} pyro_jfr_out_field_t;


typedef struct {
    const char            *name;
    pyro_jfr_out_field_t   fields[PYRO_JFR_OUT_FIELDS];
} pyro_jfr_out_class_t;


/* The strings of the metadata that come before those of the types. */
enum {
    PYRO_JFR_OUT_WORD_ROOT = 0,
    PYRO_JFR_OUT_WORD_METADATA,
    PYRO_JFR_OUT_WORD_CLASS,
    PYRO_JFR_OUT_WORD_FIELD,
    PYRO_JFR_OUT_WORD_NAME,
    PYRO_JFR_OUT_WORD_ID,
    PYRO_JFR_OUT_WORD_CONSTANT_POOL,
    PYRO_JFR_OUT_WORD_DIMENSION,
    PYRO_JFR_OUT_WORD_TRUE,
    PYRO_JFR_OUT_WORD_ONE,
    PYRO_JFR_OUT_WORDS
};


static uint8_t *pyro_jfr_out_room(pyro_jfr_out_t *out, size_t n);
static uint32_t pyro_jfr_out_fields(const pyro_jfr_out_class_t *class);
static void pyro_jfr_out_named(pyro_jfr_out_t *out, const char *name,
    pyro_jfr_out_type_e type);
static void pyro_jfr_out_strings(pyro_jfr_out_t *out);
static void pyro_jfr_out_element(pyro_jfr_out_t *out, uint32_t name,
    uint32_t attributes);
static void pyro_jfr_out_attribute(pyro_jfr_out_t *out, uint32_t name,
    uint32_t value);
static void pyro_jfr_out_class(pyro_jfr_out_t *out,
    const pyro_jfr_out_class_t *class, uint32_t *string);
static void pyro_jfr_out_metadata(pyro_jfr_out_t *out);


static const char *const  pyro_jfr_out_words[PYRO_JFR_OUT_WORDS] = {
    "root", "metadata", "class", "field", "name", "id", "constantPool",
    "dimension", "true", "1",
};


/* Frames have four integers, which is what the reader reads fastest. */
static const pyro_jfr_out_class_t  pyro_jfr_out_classes[PYRO_JFR_OUT_COUNT] = {
    [PYRO_JFR_OUT_LONG] = { "long", { { NULL, 0, 0, 0 } } },
    [PYRO_JFR_OUT_INT] = { "int", { { NULL, 0, 0, 0 } } },
    [PYRO_JFR_OUT_BOOLEAN] = { "boolean", { { NULL, 0, 0, 0 } } },
    [PYRO_JFR_OUT_STRING] = { "java.lang.String", { { NULL, 0, 0, 0 } } },

    [PYRO_JFR_OUT_CLASS] = { "java.lang.Class", {
        { "name", PYRO_JFR_OUT_SYMBOL, 1, 0 } } },

    [PYRO_JFR_OUT_METHOD] = { "jdk.types.Method", {
        { "type", PYRO_JFR_OUT_CLASS, 1, 0 },
        { "name", PYRO_JFR_OUT_SYMBOL, 1, 0 } } },

    [PYRO_JFR_OUT_SYMBOL] = { "jdk.types.Symbol", {
        { "string", PYRO_JFR_OUT_STRING, 0, 0 } } },

    [PYRO_JFR_OUT_STACK] = { "jdk.types.StackTrace", {
        { "truncated", PYRO_JFR_OUT_BOOLEAN, 0, 0 },
        { "frames", PYRO_JFR_OUT_FRAME, 0, 1 } } },

    [PYRO_JFR_OUT_FRAME] = { "jdk.types.StackFrame", {
        { "method", PYRO_JFR_OUT_METHOD, 1, 0 },
        { "lineNumber", PYRO_JFR_OUT_INT, 0, 0 },
        { "bytecodeIndex", PYRO_JFR_OUT_INT, 0, 0 },
        { "type", PYRO_JFR_OUT_INT, 0, 0 } } },

    [PYRO_JFR_OUT_STATE] = { "jdk.types.ThreadState", {
        { "name", PYRO_JFR_OUT_STRING, 0, 0 } } },

    [PYRO_JFR_OUT_EXECUTION] = { "jdk.ExecutionSample", {
        { "startTime", PYRO_JFR_OUT_LONG, 0, 0 },
        { "stackTrace", PYRO_JFR_OUT_STACK, 1, 0 },
        { "state", PYRO_JFR_OUT_STATE, 1, 0 } } },

    [PYRO_JFR_OUT_IN_TLAB] = { "jdk.ObjectAllocationInNewTLAB", {
        { "startTime", PYRO_JFR_OUT_LONG, 0, 0 },
        { "stackTrace", PYRO_JFR_OUT_STACK, 1, 0 },
        { "tlabSize", PYRO_JFR_OUT_LONG, 0, 0 } } },

    [PYRO_JFR_OUT_OUTSIDE_TLAB] = { "jdk.ObjectAllocationOutsideTLAB", {
        { "startTime", PYRO_JFR_OUT_LONG, 0, 0 },
        { "stackTrace", PYRO_JFR_OUT_STACK, 1, 0 },
        { "allocationSize", PYRO_JFR_OUT_LONG, 0, 0 } } },

    [PYRO_JFR_OUT_MONITOR] = { "jdk.JavaMonitorEnter", {
        { "startTime", PYRO_JFR_OUT_LONG, 0, 0 },
        { "duration", PYRO_JFR_OUT_LONG, 0, 0 },
        { "stackTrace", PYRO_JFR_OUT_STACK, 1, 0 } } },

    [PYRO_JFR_OUT_PARK] = { "jdk.ThreadPark", {
        { "startTime", PYRO_JFR_OUT_LONG, 0, 0 },
        { "duration", PYRO_JFR_OUT_LONG, 0, 0 },
        { "stackTrace", PYRO_JFR_OUT_STACK, 1, 0 } } },

    [PYRO_JFR_OUT_SETTING] = { "jdk.ActiveSetting", {
        { "startTime", PYRO_JFR_OUT_LONG, 0, 0 },
        { "id", PYRO_JFR_OUT_LONG, 0, 0 },
        { "name", PYRO_JFR_OUT_STRING, 0, 0 },
        { "value", PYRO_JFR_OUT_STRING, 0, 0 } } },

    [PYRO_JFR_OUT_RECORDING] = { "jdk.ActiveRecording", {
        { "startTime", PYRO_JFR_OUT_LONG, 0, 0 },
        { "name", PYRO_JFR_OUT_STRING, 0, 0 } } },
};


/* NULL, and bad is set: there is none for n more bytes. */
static uint8_t *
pyro_jfr_out_room(pyro_jfr_out_t *out, size_t n)
{
    if (out->bad) {
        return NULL;
    }

    if (n > out->max - out->n) {
        out->bad = PYRO_JFR_MALFORMED;
        return NULL;
    }

    if (pyro_arena_grow(out->arena, &out->data, &out->cap, out->n + n, 1)) {
        out->bad = PYRO_JFR_NO_MEMORY;
        return NULL;
    }

    return out->data + out->n;
}


void
pyro_jfr_out_byte(pyro_jfr_out_t *out, uint8_t byte)
{
    uint8_t  *p;

    p = pyro_jfr_out_room(out, 1);

    if (p != NULL) {
        *p = byte;
        out->n++;
    }
}


/* Groups of seven bits; the ninth byte has all eight. */
void
pyro_jfr_out_long(pyro_jfr_out_t *out, uint64_t v)
{
    uint8_t   *p;
    unsigned   i;

    p = pyro_jfr_out_room(out, PYRO_JFR_VARINT_MAX);

    if (p == NULL) {
        return;
    }

    for (i = 0; i < PYRO_JFR_VARINT_MAX - 1 && v >= 0x80; i++) {
        p[i] = (uint8_t) (v | 0x80);
        v >>= 7;
    }

    p[i] = (uint8_t) v;
    out->n += i + 1;
}


void
pyro_jfr_out_text(pyro_jfr_out_t *out, pyro_slice_t text)
{
    uint8_t  *p;

    pyro_jfr_out_byte(out, 3);
    pyro_jfr_out_long(out, text.len);
    p = pyro_jfr_out_room(out, text.len);

    if (p != NULL && text.len) {
        PYRO_COUNT(PYRO_COUNT_BYTES, text.len);
        memcpy(p, text.data, text.len);
        out->n += (uint32_t) text.len;
    }
}


void
pyro_jfr_out_chars(pyro_jfr_out_t *out, const uint8_t *p, uint32_t n)
{
    uint32_t  i;

    pyro_jfr_out_byte(out, 4);
    pyro_jfr_out_long(out, n);

    for (i = 0; i < n && out->bad == PYRO_JFR_SOUND; i++) {
        pyro_jfr_out_long(out, pyro_get_be16(p + 2 * (size_t) i));
    }
}


void
pyro_jfr_out_open(pyro_jfr_out_t *out, uint64_t type)
{
    out->open = out->n;

    if (pyro_jfr_out_room(out, PYRO_JFR_OUT_SIZE) != NULL) {
        out->n += PYRO_JFR_OUT_SIZE;
        pyro_jfr_out_long(out, type);
    }
}


void
pyro_jfr_out_close(pyro_jfr_out_t *out)
{
    uint8_t   *p;
    uint32_t   i, size;

    if (out->bad) {
        return;
    }

    size = out->n - out->open;
    p = out->data + out->open;

    for (i = 0; i < PYRO_JFR_OUT_SIZE - 1; i++) {
        p[i] = (uint8_t) (size | 0x80);
        size >>= 7;
    }

    p[i] = (uint8_t) size;
}


void
pyro_jfr_out_checkpoint(pyro_jfr_out_t *out, uint32_t n)
{
    out->checkpoint = out->n;
    pyro_jfr_out_open(out, 1);

    /* start, duration, the way to the one before, flags */

    pyro_jfr_out_long(out, 0);
    pyro_jfr_out_long(out, 0);
    pyro_jfr_out_long(out, 0);
    pyro_jfr_out_byte(out, 0);
    pyro_jfr_out_long(out, n);
}


void
pyro_jfr_out_pool(pyro_jfr_out_t *out, pyro_jfr_out_type_e type, uint32_t n)
{
    pyro_jfr_out_long(out, PYRO_JFR_OUT_ID(type));
    pyro_jfr_out_long(out, n);
}


static uint32_t
pyro_jfr_out_fields(const pyro_jfr_out_class_t *class)
{
    uint32_t  n;

    for (n = 0; n < PYRO_JFR_OUT_FIELDS && class->fields[n].name != NULL; n++)
    {
        /* void */
    }

    return n;
}


/* Two strings: a name and the id of a type, in decimal. */
static void
pyro_jfr_out_named(pyro_jfr_out_t *out, const char *name,
    pyro_jfr_out_type_e type)
{
    char  id[16];

    snprintf(id, sizeof(id), "%u", (unsigned) PYRO_JFR_OUT_ID(type));

    pyro_jfr_out_text(out, pyro_slice_str(name));
    pyro_jfr_out_text(out, pyro_slice_str(id));
}


static void
pyro_jfr_out_strings(pyro_jfr_out_t *out)
{
    uint32_t                     i, k, n;
    const pyro_jfr_out_class_t  *class;

    n = PYRO_JFR_OUT_WORDS;

    for (i = 0; i < PYRO_JFR_OUT_COUNT; i++) {
        n += 2 + 2 * pyro_jfr_out_fields(&pyro_jfr_out_classes[i]);
    }

    pyro_jfr_out_long(out, n);

    for (i = 0; i < PYRO_JFR_OUT_WORDS; i++) {
        pyro_jfr_out_text(out, pyro_slice_str(pyro_jfr_out_words[i]));
    }

    for (i = 0; i < PYRO_JFR_OUT_COUNT; i++) {
        class = &pyro_jfr_out_classes[i];
        pyro_jfr_out_named(out, class->name, i);

        for (k = 0; k < pyro_jfr_out_fields(class); k++) {
            pyro_jfr_out_named(out, class->fields[k].name,
                               class->fields[k].type);
        }
    }
}


static void
pyro_jfr_out_element(pyro_jfr_out_t *out, uint32_t name, uint32_t attributes)
{
    pyro_jfr_out_long(out, name);
    pyro_jfr_out_long(out, attributes);
}


static void
pyro_jfr_out_attribute(pyro_jfr_out_t *out, uint32_t name, uint32_t value)
{
    pyro_jfr_out_long(out, name);
    pyro_jfr_out_long(out, value);
}


/* The element of a type, whose strings begin at *string. */
static void
pyro_jfr_out_class(pyro_jfr_out_t *out, const pyro_jfr_out_class_t *class,
    uint32_t *string)
{
    uint32_t                     i;
    const pyro_jfr_out_field_t  *field;

    pyro_jfr_out_element(out, PYRO_JFR_OUT_WORD_CLASS, 2);
    pyro_jfr_out_attribute(out, PYRO_JFR_OUT_WORD_NAME, (*string)++);
    pyro_jfr_out_attribute(out, PYRO_JFR_OUT_WORD_ID, (*string)++);
    pyro_jfr_out_long(out, pyro_jfr_out_fields(class));

    for (i = 0; i < pyro_jfr_out_fields(class); i++) {
        field = &class->fields[i];

        pyro_jfr_out_element(out, PYRO_JFR_OUT_WORD_FIELD,
                             2 + (uint32_t) (field->pool + field->array));
        pyro_jfr_out_attribute(out, PYRO_JFR_OUT_WORD_NAME, (*string)++);
        pyro_jfr_out_attribute(out, PYRO_JFR_OUT_WORD_CLASS, (*string)++);

        if (field->pool) {
            pyro_jfr_out_attribute(out, PYRO_JFR_OUT_WORD_CONSTANT_POOL,
                                   PYRO_JFR_OUT_WORD_TRUE);
        }

        if (field->array) {
            pyro_jfr_out_attribute(out, PYRO_JFR_OUT_WORD_DIMENSION,
                                   PYRO_JFR_OUT_WORD_ONE);
        }

        pyro_jfr_out_long(out, 0);
    }
}


static void
pyro_jfr_out_metadata(pyro_jfr_out_t *out)
{
    uint32_t  i, string;

    out->metadata = out->n;
    pyro_jfr_out_open(out, 0);

    /* start, duration, id */

    pyro_jfr_out_long(out, 0);
    pyro_jfr_out_long(out, 0);
    pyro_jfr_out_long(out, 0);

    pyro_jfr_out_strings(out);

    pyro_jfr_out_element(out, PYRO_JFR_OUT_WORD_ROOT, 0);
    pyro_jfr_out_long(out, 1);
    pyro_jfr_out_element(out, PYRO_JFR_OUT_WORD_METADATA, 0);
    pyro_jfr_out_long(out, PYRO_JFR_OUT_COUNT);

    string = PYRO_JFR_OUT_WORDS;

    for (i = 0; i < PYRO_JFR_OUT_COUNT; i++) {
        pyro_jfr_out_class(out, &pyro_jfr_out_classes[i], &string);
    }

    pyro_jfr_out_close(out);
}


void
pyro_jfr_out_begin(pyro_jfr_out_t *out, pyro_arena_t *arena, size_t max)
{
    uint8_t  *p;

    memset(out, 0, sizeof(pyro_jfr_out_t));

    out->arena = arena;
    out->max = max < INT32_MAX ? max : INT32_MAX;

    p = pyro_jfr_out_room(out, PYRO_JFR_HEADER_SIZE);

    if (p != NULL) {
        memset(p, 0, PYRO_JFR_HEADER_SIZE);
        out->n = PYRO_JFR_HEADER_SIZE;
    }

    pyro_jfr_out_metadata(out);
}
