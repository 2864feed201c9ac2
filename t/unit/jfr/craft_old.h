/*
 * Chunks of version 0.9 made by hand, with the types that Oracle's JDK 8
 * describes.
 *
 * old_begin(), events, old_pools(), old_metadata(), old_end().
 */

#ifndef _PYRO_CRAFT_OLD_H_INCLUDED_
#define _PYRO_CRAFT_OLD_H_INCLUDED_


#include "recording.h"

#include "core/base/bytes.h"


enum {                                  /* data types */
    OLD_BOOLEAN = 0,
    OLD_U1 = 2,
    OLD_SHORT = 3,
    OLD_U2 = 4,
    OLD_INTEGER = 5,
    OLD_U4 = 6,
    OLD_LONG = 7,
    OLD_U8 = 8,
    OLD_DOUBLE = 10,
    OLD_UTF8 = 11,
    OLD_STRING = 12,
    OLD_ARRAY = 13,
    OLD_STRUCT = 14,
    OLD_STRUCTARRAY = 15
};


enum {                                  /* content types */
    OLD_STACKS = 9,
    OLD_CLASSES = 10,
    OLD_METHODS = 32,
    OLD_SYMBOLS,
    OLD_STATES,
    OLD_FRAME_TYPES,
    OLD_EXTRA_POOL = 100
};


enum {                                  /* event types */
    OLD_EXECUTION = 20,
    OLD_IN_TLAB,
    OLD_OUTSIDE_TLAB,
    OLD_MONITOR,
    OLD_PARK,
    OLD_SETTING,
    OLD_RECORDING,
    OLD_EXTRA_EVENT = 200
};


enum {                                  /* structures */
    OLD_FRAME_STRUCT = 0,
    OLD_STACK_STRUCT,
    OLD_METHOD_STRUCT,
    OLD_CLASS_STRUCT,
    OLD_SYMBOL_STRUCT,
    OLD_STATE_STRUCT,
    OLD_EXECUTION_STRUCT,
    OLD_ALLOCATION_STRUCT,
    OLD_LOCK_STRUCT,
    OLD_SETTING_STRUCT,
    OLD_RECORDING_STRUCT,
    OLD_FRAME_TYPE_STRUCT,
    OLD_EXTRA_STRUCT                    /* and the tests' own behind it */
};


typedef struct {
    uint8_t      data[1024 * 1024];
    size_t       n;
    size_t       start;                 /* of this chunk */
    size_t       open;                  /* of the event being written */
    size_t       metadata;              /* in the chunk */
    size_t       checkpoint;            /* the last one */
} old_t;


typedef struct {
    const char  *id;                    /* NULL: there are no more */
    int          type;
    int          structure;
} old_field_t;


typedef struct {
    old_field_t  fields[6];
} old_struct_t;


static const old_struct_t  old_structs[OLD_EXTRA_STRUCT] = {
    [OLD_FRAME_STRUCT] = { { { "method", OLD_U8, 0 },
                             { "line", OLD_INTEGER, 0 },
                             { "bci", OLD_INTEGER, 0 },
                             { "type", OLD_U1, 0 } } },
    [OLD_STACK_STRUCT] = { { { "truncated", OLD_BOOLEAN, 0 },
                             { "frames", OLD_STRUCTARRAY,
                               OLD_FRAME_STRUCT } } },
    [OLD_METHOD_STRUCT] = { { { "class", OLD_U8, 0 }, { "name", OLD_U8, 0 },
                              { "signature", OLD_U8, 0 },
                              { "modifiers", OLD_SHORT, 0 } } },
    [OLD_CLASS_STRUCT] = { { { "loaderClass", OLD_U8, 0 },
                             { "name", OLD_U8, 0 } } },
    [OLD_SYMBOL_STRUCT] = { { { "utf8", OLD_UTF8, 0 } } },
    [OLD_STATE_STRUCT] = { { { "name", OLD_UTF8, 0 } } },
    [OLD_EXECUTION_STRUCT] = { { { "sampledThread", OLD_U4, 0 },
                                 { "stackTrace", OLD_U8, 0 },
                                 { "state", OLD_U2, 0 } } },
    [OLD_ALLOCATION_STRUCT] = { { { "class", OLD_U8, 0 },
                                  { "allocationSize", OLD_U8, 0 },
                                  { "tlabSize", OLD_U8, 0 } } },
    [OLD_LOCK_STRUCT] = { { { "klass", OLD_U8, 0 } } },
    [OLD_SETTING_STRUCT] = { { { "period", OLD_LONG, 0 },
                               { "enabled", OLD_BOOLEAN, 0 },
                               { "path", OLD_STRING, 0 },
                               { "id", OLD_INTEGER, 0 } } },
    [OLD_RECORDING_STRUCT] = { { { "name", OLD_STRING, 0 },
                                 { "id", OLD_LONG, 0 } } },
    [OLD_FRAME_TYPE_STRUCT] = { { { "desc", OLD_UTF8, 0 } } },
};


static const struct {
    int          id;
    const char  *path;
    int          structure;
    int          has_start;
    int          has_stack;             /* and a thread */
} old_events[] = {
    { OLD_EXECUTION, "vm/prof/execution_sample", OLD_EXECUTION_STRUCT, 0, 0 },
    { OLD_IN_TLAB, "java/object_alloc_in_new_TLAB", OLD_ALLOCATION_STRUCT, 0,
      1 },
    { OLD_OUTSIDE_TLAB, "java/object_alloc_outside_TLAB",
      OLD_ALLOCATION_STRUCT, 0, 1 },
    { OLD_MONITOR, "java/monitor_enter", OLD_LOCK_STRUCT, 1, 1 },
    { OLD_PARK, "java/thread_park", OLD_LOCK_STRUCT, 1, 1 },
    { OLD_SETTING, "recordings/recording_setting", OLD_SETTING_STRUCT, 0, 0 },
    { OLD_RECORDING, "recordings/recording", OLD_RECORDING_STRUCT, 0, 0 },
};


static const struct {
    int          id;
    const char  *name;
    int          key;
    int          structure;
} old_pool_types[] = {
    { OLD_STACKS, "StackTrace", OLD_U8, OLD_STACK_STRUCT },
    { OLD_CLASSES, "Class", OLD_U8, OLD_CLASS_STRUCT },
    { OLD_METHODS, "Method", OLD_U8, OLD_METHOD_STRUCT },
    { OLD_SYMBOLS, "UTFConstant", OLD_U8, OLD_SYMBOL_STRUCT },
    { OLD_STATES, "ThreadState", OLD_U2, OLD_STATE_STRUCT },
    { OLD_FRAME_TYPES, "FrameType", OLD_U1, OLD_FRAME_TYPE_STRUCT },
};


#define OLD_N(array)  ((int) (sizeof(array) / sizeof((array)[0])))


static inline void
old_put(old_t *o, uint64_t v, int width)
{
    assert_true(o->n + 8 < sizeof(o->data));

    while (width--) {
        o->data[o->n++] = (uint8_t) (v >> (8 * width));
    }
}


static inline void
old_text(old_t *o, const char *text)
{
    old_put(o, strlen(text), 2);

    while (*text) {
        old_put(o, (uint8_t) *text++, 1);
    }
}


static inline void
old_string(old_t *o, const char *text)
{
    old_put(o, strlen(text), 4);

    while (*text) {
        old_put(o, (uint8_t) *text++, 2);
    }
}


static inline void
old_open(old_t *o, uint32_t type)
{
    o->open = o->n;
    old_put(o, 0, 4);
    old_put(o, type, 4);
}


static inline void
old_close(old_t *o)
{
    pyro_put_be32(o->data + o->open, (uint32_t) (o->n - o->open));
}


static inline void
old_begin(old_t *o)
{
    o->start = o->n;
    o->checkpoint = 0;
    old_put(o, 0x464c5200, 4);
    old_put(o, 9, 4);
    old_put(o, 0, 8);
}


static inline void
old_struct(old_t *o, const old_struct_t *s)
{
    int  i, n;

    for (n = 0; n < 6 && s->fields[n].id != NULL; n++) { /* void */ }

    old_put(o, n, 4);

    for (i = 0; i < n; i++) {
        old_text(o, s->fields[i].id);
        old_text(o, "Name");
        old_text(o, "");
        old_put(o, 0, 1);
        old_put(o, s->fields[i].type, 1);
        old_put(o, 0, 4);
        old_put(o, s->fields[i].structure, 4);
        old_put(o, 0, 4);
    }
}


static inline void
old_event_type(old_t *o, int id, const char *path, int has_start,
    int has_stack, int structure)
{
    old_put(o, id, 4);
    old_text(o, "Name");
    old_text(o, "");
    old_text(o, path);
    old_put(o, has_start, 1);
    old_put(o, has_stack, 1);
    old_put(o, has_stack, 1);
    old_put(o, 0, 1);
    old_put(o, structure, 4);
    old_put(o, 0, 4);
}


static inline void
old_content(old_t *o, int id, const char *name, int key, int structure)
{
    old_put(o, id, 4);
    old_text(o, name);
    old_text(o, "");
    old_put(o, key, 1);
    old_put(o, structure, 4);
}


/* Each extra structure has a pool of its own, with keys of a byte. */
static inline void
old_producer(old_t *o, const old_struct_t *extra, int n)
{
    int  i;

    old_put(o, 1, 4);
    old_text(o, "Name");
    old_text(o, "");
    old_text(o, "http://www.oracle.com/hotspot/jvm/");
    old_put(o, 1, 4);
    old_text(o, "relation");

    old_put(o, OLD_EXTRA_STRUCT + n, 4);

    for (i = 0; i < OLD_EXTRA_STRUCT + n; i++) {
        old_struct(o, i < OLD_EXTRA_STRUCT ? &old_structs[i]
                                           : &extra[i - OLD_EXTRA_STRUCT]);
    }

    old_put(o, OLD_N(old_events) + n, 4);

    for (i = 0; i < OLD_N(old_events); i++) {
        old_event_type(o, old_events[i].id, old_events[i].path,
                       old_events[i].has_start, old_events[i].has_stack,
                       old_events[i].structure);
    }

    for (i = 0; i < n; i++) {
        old_event_type(o, OLD_EXTRA_EVENT + i, "extra", 0, 0,
                       OLD_EXTRA_STRUCT + i);
    }

    old_put(o, OLD_N(old_pool_types) + n, 4);

    for (i = 0; i < OLD_N(old_pool_types); i++) {
        old_content(o, old_pool_types[i].id, old_pool_types[i].name,
                    old_pool_types[i].key, old_pool_types[i].structure);
    }

    for (i = 0; i < n; i++) {
        old_content(o, OLD_EXTRA_POOL + i, "Extra", OLD_U1,
                    OLD_EXTRA_STRUCT + i);
    }
}


/* Behind the producers: a clock of two ticks a nanosecond. */
static inline void
old_tail(old_t *o)
{
    old_put(o, 1000, 8);
    old_put(o, 3000, 8);
    old_put(o, 77, 8);
    old_put(o, 2000000000, 8);
    old_put(o, o->checkpoint, 8);
    old_close(o);
}


static inline void
old_end(old_t *o)
{
    pyro_put_be64(o->data + o->start + 8, o->metadata);
}


static inline void
old_metadata(old_t *o, const old_struct_t *extra, int n)
{
    o->metadata = o->n - o->start;
    old_open(o, 0);
    old_put(o, 1, 4);
    old_producer(o, extra, n);
    old_tail(o);
    old_end(o);
}


static inline void
old_checkpoint(old_t *o)
{
    size_t  before;

    before = o->checkpoint;
    o->checkpoint = o->n - o->start;
    old_open(o, 1);
    old_put(o, 5, 8);
    old_put(o, before, 8);
}


static inline void
old_pool(old_t *o, int type, uint32_t n)
{
    old_put(o, type, 4);
    old_put(o, n, 4);
}


static inline void
old_method(old_t *o, uint64_t key, uint64_t class, uint64_t name,
    uint64_t signature)
{
    old_put(o, key, 8);
    old_put(o, class, 8);
    old_put(o, name, 8);
    old_put(o, signature, 8);
    old_put(o, 1, 2);
}


/* A stack of one frame. */
static inline void
old_stack(old_t *o, uint64_t key, uint64_t method, int line, int type)
{
    old_put(o, key, 8);
    old_put(o, 0, 1);
    old_put(o, 1, 4);
    old_put(o, method, 8);
    old_put(o, (uint32_t) line, 4);
    old_put(o, 3, 4);
    old_put(o, type, 1);
}


static inline void
old_symbol(old_t *o, uint64_t key, const char *text)
{
    old_put(o, key, 8);
    old_text(o, text);
}


/* Stack 1 is App.run:7, 2 is (native) App.new with ()L;; state 1 runnable. */
static inline void
old_pools(old_t *o)
{
    old_checkpoint(o);

    old_pool(o, OLD_FRAME_TYPES, 2);
    old_put(o, 1, 1);
    old_text(o, "JIT compiled");
    old_put(o, 4, 1);
    old_text(o, "Native");

    old_pool(o, OLD_STATES, 2);
    old_put(o, 1, 2);
    old_text(o, "STATE_RUNNABLE");
    old_put(o, 2, 2);
    old_text(o, "STATE_SLEEPING");

    old_pool(o, OLD_STACKS, 2);
    old_stack(o, 1, 1, 7, 1);
    old_stack(o, 2, 2, -1, 4);

    old_pool(o, OLD_METHODS, 2);
    old_method(o, 1, 1, 2, 3);
    old_method(o, 2, 1, 4, 5);

    old_pool(o, OLD_CLASSES, 1);
    old_put(o, 1, 8);
    old_put(o, 0, 8);
    old_put(o, 1, 8);

    old_pool(o, OLD_SYMBOLS, 5);
    old_symbol(o, 1, "App");
    old_symbol(o, 2, "run");
    old_symbol(o, 3, "()V");
    old_symbol(o, 4, "new");
    old_symbol(o, 5, "()L;");

    old_close(o);
}


static inline void
old_execution(old_t *o, uint64_t stack, int state)
{
    old_open(o, OLD_EXECUTION);
    old_put(o, 90, 8);
    old_put(o, 1, 4);
    old_put(o, stack, 8);
    old_put(o, state, 2);
    old_close(o);
}


static inline void
old_allocation(old_t *o, int event, uint64_t stack, uint64_t size,
    uint64_t tlab)
{
    old_open(o, event);
    old_put(o, 90, 8);
    old_put(o, 1, 4);
    old_put(o, stack, 8);
    old_put(o, 1, 8);
    old_put(o, size, 8);
    old_put(o, tlab, 8);
    old_close(o);
}


static inline void
old_lock(old_t *o, int event, uint64_t stack, uint64_t start, uint64_t end)
{
    old_open(o, event);
    old_put(o, end, 8);
    old_put(o, start, 8);
    old_put(o, 1, 4);
    old_put(o, stack, 8);
    old_put(o, 1, 8);
    old_close(o);
}


static inline void
old_setting(old_t *o, int64_t period, int enabled, int id)
{
    old_open(o, OLD_SETTING);
    old_put(o, 90, 8);
    old_put(o, (uint64_t) period, 8);
    old_put(o, enabled, 1);
    old_string(o, "path");
    old_put(o, id, 4);
    old_close(o);
}


/* A sound chunk with n execution samples. */
static inline void
old_chunk(old_t *o, int n)
{
    old_begin(o);

    while (n--) {
        old_execution(o, 1, 1);
    }

    old_pools(o);
    old_metadata(o, NULL, 0);
}


static inline void
old_read(const old_t *o, reading_t *reading)
{
    recording_read(reading, pyro_slice(o->data, o->n), pyro_slice(NULL, 0),
                   100);
}


#endif /* _PYRO_CRAFT_OLD_H_INCLUDED_ */
