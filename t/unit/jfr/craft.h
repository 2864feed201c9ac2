/*
 * Recordings made by hand: a chunk with the types, pools and events that a test
 * wants, right or wrong.
 *
 * craft_begin(), craft_metadata(), events, craft_pools(), craft_end().
 */

#ifndef _PYRO_CRAFT_H_INCLUDED_
#define _PYRO_CRAFT_H_INCLUDED_


#include "recording.h"

#include "core/base/bytes.h"


enum {
    CRAFT_BOOLEAN = 10,
    CRAFT_INT,
    CRAFT_LONG,
    CRAFT_STRING,
    CRAFT_CLASS = 20,
    CRAFT_METHOD,
    CRAFT_SYMBOL,
    CRAFT_STACK,
    CRAFT_FRAME,
    CRAFT_STATE,
    CRAFT_EXECUTION = 100,
    CRAFT_MONITOR,
    CRAFT_EXTRA = 200
};


#ifndef CRAFT_SIZE
#define CRAFT_SIZE  (256 * 1024)
#endif


typedef struct {
    uint8_t      data[CRAFT_SIZE];
    size_t       n;
    size_t       start;             /* of this chunk */
    size_t       metadata;
    size_t       checkpoint;
    size_t       open;              /* of the event being written */
    int          fixed;             /* integers of their type's width */
} craft_t;


typedef struct {
    const char  *name;
    int          class;
    int          pool;
    int          array;
} craft_field_t;


typedef struct {
    const char     *name;
    int             id;
    craft_field_t   fields[6];
} craft_class_t;


static const craft_class_t  craft_classes[] = {
    { "boolean", CRAFT_BOOLEAN, { { NULL, 0, 0, 0 } } },
    { "int", CRAFT_INT, { { NULL, 0, 0, 0 } } },
    { "long", CRAFT_LONG, { { NULL, 0, 0, 0 } } },
    { "java.lang.String", CRAFT_STRING, { { NULL, 0, 0, 0 } } },
    { "java.lang.Class", CRAFT_CLASS, { { "name", CRAFT_SYMBOL, 1, 0 } } },
    { "jdk.types.Method", CRAFT_METHOD,
      { { "type", CRAFT_CLASS, 1, 0 }, { "name", CRAFT_SYMBOL, 1, 0 } } },
    { "jdk.types.Symbol", CRAFT_SYMBOL, { { "string", CRAFT_STRING, 0, 0 } } },
    { "jdk.types.StackTrace", CRAFT_STACK,
      { { "truncated", CRAFT_BOOLEAN, 0, 0 },
        { "frames", CRAFT_FRAME, 0, 1 } } },
    { "jdk.types.StackFrame", CRAFT_FRAME,
      { { "method", CRAFT_METHOD, 1, 0 }, { "lineNumber", CRAFT_INT, 0, 0 } } },
    { "jdk.types.ThreadState", CRAFT_STATE,
      { { "name", CRAFT_STRING, 0, 0 } } },
    { "jdk.ExecutionSample", CRAFT_EXECUTION,
      { { "startTime", CRAFT_LONG, 0, 0 },
        { "stackTrace", CRAFT_STACK, 1, 0 }, { "state", CRAFT_STATE, 1, 0 } } },
    { "jdk.JavaMonitorEnter", CRAFT_MONITOR,
      { { "startTime", CRAFT_LONG, 0, 0 }, { "duration", CRAFT_LONG, 0, 0 },
        { "stackTrace", CRAFT_STACK, 1, 0 } } },
};


#define CRAFT_CLASSES  (sizeof(craft_classes) / sizeof(craft_classes[0]))


static inline void
craft_byte(craft_t *c, int byte)
{
    assert_true(c->n < sizeof(c->data));
    c->data[c->n++] = (uint8_t) byte;
}


static inline void
craft_fixed(craft_t *c, uint64_t v, int width)
{
    while (width--) {
        craft_byte(c, (int) (v >> (8 * width) & 0xff));
    }
}


/* A count, an index or an int. */
static inline void
craft_varint(craft_t *c, uint64_t v)
{
    int  i;

    if (c->fixed) {
        craft_fixed(c, v, 4);
        return;
    }

    for (i = 0; i < 8 && v >= 0x80; i++) {
        craft_byte(c, (int) (v & 0x7f) | 0x80);
        v >>= 7;
    }

    craft_byte(c, (int) v);
}


/* A long, a type or a key. */
static inline void
craft_long(craft_t *c, uint64_t v)
{
    if (c->fixed) {
        craft_fixed(c, v, 8);

    } else {
        craft_varint(c, v);
    }
}


static inline void
craft_text(craft_t *c, const char *text)
{
    craft_byte(c, 3);
    craft_varint(c, strlen(text));

    while (*text) {
        craft_byte(c, *text++);
    }
}


static inline void
craft_open(craft_t *c, uint64_t type)
{
    c->open = c->n;
    c->n += 4;
    craft_long(c, type);
}


/* The size in four bytes, as the JDK has it. */
static inline void
craft_close(craft_t *c)
{
    int     i;
    size_t  size;

    size = c->n - c->open;

    if (c->fixed) {
        pyro_put_be32(c->data + c->open, (uint32_t) size);
        return;
    }

    for (i = 0; i < 4; i++) {
        c->data[c->open + i] = (uint8_t) ((size >> (7 * i) & 0x7f)
                                          | (i < 3 ? 0x80 : 0));
    }
}


static inline void
craft_begin(craft_t *c)
{
    c->start = c->n;
    memset(c->data + c->n, 0, 68);
    c->n += 68;
}


static inline int
craft_fields(const craft_class_t *class)
{
    int  n;

    for (n = 0; n < 6 && class->fields[n].name != NULL; n++) { /* void */ }

    return n;
}


/* Strings: 0-8 the words, then a name and an id for each class and field. */
static inline void
craft_class_strings(craft_t *c, const craft_class_t *class)
{
    int   i;
    char  id[24];

    craft_text(c, class->name);
    snprintf(id, sizeof(id), "%d", class->id);
    craft_text(c, id);

    for (i = 0; i < craft_fields(class); i++) {
        craft_text(c, class->fields[i].name);
        snprintf(id, sizeof(id), "%d", class->fields[i].class);
        craft_text(c, id);
    }
}


static inline void
craft_class_element(craft_t *c, const craft_class_t *class, int *string)
{
    int                   i, attributes;
    const craft_field_t  *field;

    craft_varint(c, 2);
    craft_varint(c, 2);
    craft_varint(c, 4);
    craft_varint(c, (*string)++);
    craft_varint(c, 5);
    craft_varint(c, (*string)++);
    craft_varint(c, craft_fields(class));

    for (i = 0; i < craft_fields(class); i++) {
        field = &class->fields[i];
        attributes = 2 + (field->pool != 0) + (field->array != 0);

        craft_varint(c, 3);
        craft_varint(c, attributes);
        craft_varint(c, 4);
        craft_varint(c, (*string)++);
        craft_varint(c, 2);
        craft_varint(c, (*string)++);

        if (field->pool) {
            craft_varint(c, 6);
            craft_varint(c, 8);
        }

        if (field->array) {
            craft_varint(c, 7);
            craft_varint(c, 9);
        }

        craft_varint(c, 0);
    }
}


/* The metadata event: first these classes, then the others. */
static inline void
craft_types(craft_t *c, const craft_class_t *first, int n_first,
    const craft_class_t *others, int n_others)
{
    int                   i, n, all, string;
    const char           *words[] = { "root", "metadata", "class", "field",
                                      "name", "id", "constantPool",
                                      "dimension", "true", "1" };
    const craft_class_t  *class;

    c->metadata = c->n - c->start;
    craft_open(c, 0);
    craft_long(c, 0);
    craft_long(c, 0);
    craft_long(c, 0);

    n = 10;
    all = n_first + n_others;

    for (i = 0; i < all; i++) {
        class = i < n_first ? &first[i] : &others[i - n_first];
        n += 2 + 2 * craft_fields(class);
    }

    craft_varint(c, n);

    for (i = 0; i < 10; i++) {
        craft_text(c, words[i]);
    }

    for (i = 0; i < all; i++) {
        class = i < n_first ? &first[i] : &others[i - n_first];
        craft_class_strings(c, class);
    }

    craft_varint(c, 0);
    craft_varint(c, 0);
    craft_varint(c, 1);
    craft_varint(c, 1);
    craft_varint(c, 0);
    craft_varint(c, all);

    string = 10;

    for (i = 0; i < all; i++) {
        class = i < n_first ? &first[i] : &others[i - n_first];
        craft_class_element(c, class, &string);
    }

    craft_close(c);
}


static inline void
craft_metadata(craft_t *c, const craft_class_t *extra, int n_extra)
{
    craft_types(c, craft_classes, (int) CRAFT_CLASSES, extra, n_extra);
}


static inline void
craft_checkpoint(craft_t *c, int64_t delta, int pools)
{
    c->checkpoint = c->n - c->start;
    craft_open(c, 1);
    craft_long(c, 0);
    craft_long(c, 0);
    craft_long(c, (uint64_t) delta);
    craft_byte(c, 0);
    craft_varint(c, pools);
}


/* The head of a pool of n entries. */
static inline void
craft_pool(craft_t *c, uint64_t type, uint64_t n)
{
    craft_long(c, type);
    craft_varint(c, n);
}


/* Stack 1 is App.run:7; state 1 is runnable. */
static inline void
craft_pools(craft_t *c)
{
    craft_checkpoint(c, 0, 5);

    craft_pool(c, CRAFT_SYMBOL, 2);
    craft_long(c, 1);
    craft_text(c, "App");
    craft_long(c, 2);
    craft_text(c, "run");

    craft_pool(c, CRAFT_CLASS, 1);
    craft_long(c, 1);
    craft_long(c, 1);

    craft_pool(c, CRAFT_METHOD, 1);
    craft_long(c, 1);
    craft_long(c, 1);
    craft_long(c, 2);

    craft_pool(c, CRAFT_STACK, 1);
    craft_long(c, 1);
    craft_byte(c, 0);
    craft_varint(c, 1);
    craft_long(c, 1);
    craft_varint(c, 7);

    craft_pool(c, CRAFT_STATE, 1);
    craft_long(c, 1);
    craft_text(c, "STATE_RUNNABLE");

    craft_close(c);
}


static inline void
craft_execution(craft_t *c, uint64_t stack, uint64_t state)
{
    craft_open(c, CRAFT_EXECUTION);
    craft_long(c, 1);
    craft_long(c, stack);
    craft_long(c, state);
    craft_close(c);
}


static inline void
craft_end(craft_t *c)
{
    uint8_t  *p;

    p = c->data + c->start;
    memcpy(p, "FLR", 4);
    p[5] = 2;
    pyro_put_be64(p + 8, c->n - c->start);
    pyro_put_be64(p + 16, c->checkpoint);
    pyro_put_be64(p + 24, c->metadata);
    pyro_put_be64(p + 56, 2000000000);
    p[67] = !c->fixed;
}


/* A sound chunk with n execution samples. */
static inline void
craft_chunk(craft_t *c, int n)
{
    craft_begin(c);
    craft_metadata(c, NULL, 0);

    while (n--) {
        craft_execution(c, 1, 1);
    }

    craft_pools(c);
    craft_end(c);
}


static inline void
craft_read(const craft_t *c, reading_t *reading)
{
    recording_read(reading, pyro_slice(c->data, c->n), pyro_slice(NULL, 0),
                   100);
}


#endif /* _PYRO_CRAFT_H_INCLUDED_ */
