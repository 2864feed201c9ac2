/*
 * What cost_attack.h puts recordings together of: events and keys of known
 * width, types with every field that costs something, label snapshots.
 */

#ifndef _PYRO_COST_CRAFT_H_INCLUDED_
#define _PYRO_COST_CRAFT_H_INCLUDED_


#define CRAFT_SIZE  (2 * 1024 * 1024)

#include "craft.h"


/* Ids of one byte as a varint. */
enum {
    COST_TLAB = 102,
    COST_OUTSIDE,
    COST_SAMPLE,
    COST_PARK,
    COST_LIVE,
    COST_MALLOC,
    COST_MONITOR,
    COST_CPU_TIME,
    COST_WALL,
    COST_SETTING,
    COST_JVM,
    COST_LOST,
    COST_DATA_LOSS,
    COST_OTHER,
    COST_INNER
};


#define COST_TAGS                                                             \
    { "contextId", CRAFT_LONG, 0, 0 }, { "spanId", CRAFT_LONG, 0, 0 },        \
    { "spanName", CRAFT_LONG, 0, 0 }


/* All have: stack, amount, context, span, name of the span. */
static const craft_class_t  cost_kinds[] = {
    { "jdk.ObjectAllocationInNewTLAB", COST_TLAB,
      { { "stackTrace", CRAFT_STACK, 1, 0 }, { "tlabSize", CRAFT_LONG, 0, 0 },
        COST_TAGS } },
    { "jdk.ObjectAllocationOutsideTLAB", COST_OUTSIDE,
      { { "stackTrace", CRAFT_STACK, 1, 0 },
        { "allocationSize", CRAFT_LONG, 0, 0 }, COST_TAGS } },
    { "jdk.ObjectAllocationSample", COST_SAMPLE,
      { { "stackTrace", CRAFT_STACK, 1, 0 }, { "weight", CRAFT_LONG, 0, 0 },
        COST_TAGS } },
    { "jdk.ThreadPark", COST_PARK,
      { { "stackTrace", CRAFT_STACK, 1, 0 }, { "duration", CRAFT_LONG, 0, 0 },
        COST_TAGS } },
    { "profiler.LiveObject", COST_LIVE,
      { { "stackTrace", CRAFT_STACK, 1, 0 }, { "age", CRAFT_LONG, 0, 0 },
        COST_TAGS } },
    { "profiler.Malloc", COST_MALLOC,
      { { "stackTrace", CRAFT_STACK, 1, 0 }, { "size", CRAFT_LONG, 0, 0 },
        COST_TAGS } },
    { "jdk.JavaMonitorEnter", COST_MONITOR,
      { { "stackTrace", CRAFT_STACK, 1, 0 }, { "duration", CRAFT_LONG, 0, 0 },
        COST_TAGS } },
    { "jdk.CPUTimeSample", COST_CPU_TIME,
      { { "stackTrace", CRAFT_STACK, 1, 0 },
        { "samplingPeriod", CRAFT_LONG, 0, 0 }, COST_TAGS } },
    { "profiler.WallClockSample", COST_WALL,
      { { "stackTrace", CRAFT_STACK, 1, 0 }, { "samples", CRAFT_INT, 0, 0 },
        COST_TAGS, { "state", CRAFT_STATE, 1, 0 } } },
    { "jdk.ActiveSetting", COST_SETTING,
      { { "id", CRAFT_LONG, 0, 0 }, { "name", CRAFT_STRING, 0, 0 },
        { "value", CRAFT_STRING, 0, 0 } } },
    { "jdk.JVMInformation", COST_JVM,
      { { "jvmName", CRAFT_STRING, 0, 0 },
        { "jvmArguments", CRAFT_STRING, 0, 0 },
        { "javaArguments", CRAFT_STRING, 0, 0 } } },
    { "jdk.CPUTimeSamplesLost", COST_LOST,
      { { "lostSamples", CRAFT_INT, 0, 0 } } },
    { "jdk.DataLoss", COST_DATA_LOSS, { { "amount", CRAFT_LONG, 0, 0 } } },
};


#define COST_KINDS    (sizeof(cost_kinds) / sizeof(cost_kinds[0]))
#define COST_SAMPLED  9             /* the first of them are samples */


static inline void
cost_begin(craft_t *c)
{
    craft_begin(c);
    craft_types(c, cost_kinds, (int) COST_KINDS, craft_classes,
                (int) CRAFT_CLASSES);
}


/* An event of integers, with a size of one byte. */
static inline void
cost_event(craft_t *c, uint64_t type, int n, ...)
{
    size_t   at;
    va_list  args;

    at = c->n;
    c->n += c->fixed ? 4 : 1;
    craft_long(c, type);
    va_start(args, n);

    while (n--) {
        craft_long(c, va_arg(args, uint64_t));
    }

    va_end(args);

    if (c->fixed) {
        pyro_put_be32(c->data + at, (uint32_t) (c->n - at));

    } else {
        assert_true(c->n - at < 128);
        c->data[at] = (uint8_t) (c->n - at);
    }
}


/* In three bytes, whatever the number is. */
static inline void
cost_key(craft_t *c, uint64_t v)
{
    craft_byte(c, (int) (v & 0x7f) | 0x80);
    craft_byte(c, (int) (v >> 7 & 0x7f) | 0x80);
    craft_byte(c, (int) (v >> 14 & 0x7f));
}


/* A string of n equal bytes, in one of the encodings 3 to 5. */
static inline void
cost_string(craft_t *c, int encoding, size_t n, int byte)
{
    craft_byte(c, encoding);
    craft_varint(c, n);
    assert_true(c->n + n < sizeof(c->data));
    memset(c->data + c->n, byte, n);
    c->n += n;
}


/* n UTF-16 units that are three bytes of UTF-8 each. */
static inline void
cost_wide(craft_t *c, size_t n)
{
    craft_byte(c, 4);
    craft_varint(c, n);

    while (n--) {
        cost_key(c, 0x4e2d);
    }
}


/* The number of items of so many bytes that still fit. */
static inline uint64_t
cost_room(const craft_t *c, size_t size, size_t each)
{
    return size > c->n + each + 64 ? (size - c->n - 64) / each : 1;
}


/* Methods from 1 on, in nine bytes each, all of class 1. */
static inline void
cost_methods(craft_t *c, uint64_t n, uint64_t name)
{
    uint64_t  i;

    craft_pool(c, CRAFT_METHOD, n);

    for (i = 1; i <= n; i++) {
        cost_key(c, i);
        cost_key(c, 1);
        cost_key(c, name);
    }
}


/* Stack 1 has methods 1 to n, a frame in six bytes. */
static inline void
cost_stack_of_methods(craft_t *c, uint64_t n)
{
    uint64_t  i;

    craft_pool(c, CRAFT_STACK, 1);
    craft_long(c, 1);
    craft_byte(c, 0);
    craft_varint(c, n);

    for (i = 1; i <= n; i++) {
        cost_key(c, i);
        cost_key(c, 7);
    }
}


static inline void
cost_class_pool(craft_t *c)
{
    craft_pool(c, CRAFT_CLASS, 1);
    craft_long(c, 1);
    craft_long(c, 1);
}


/*
 * One sample of a stack of all methods that fit, whose class has symbol 1 and
 * whose name is symbol 2.  The symbols are there already, in an open checkpoint
 * of four pools.
 */
static inline void
cost_one_sample(craft_t *c, size_t size)
{
    uint64_t  n;

    n = cost_room(c, size, 9 + 6);

    cost_class_pool(c);
    cost_methods(c, n, 2);
    cost_stack_of_methods(c, n);
    craft_close(c);
    cost_event(c, COST_MALLOC, 5, (uint64_t) 1, (uint64_t) 1, (uint64_t) 0,
               (uint64_t) 0, (uint64_t) 0);
    craft_end(c);
}


/* Label snapshots: protobuf, whose varints are the same up to 63 bits. */

static inline void
cost_labels_string(craft_t *c, uint64_t id, size_t len, int fill, uint64_t end)
{
    size_t  at;
    char    text[32];

    snprintf(text, sizeof(text), "%08llu", (unsigned long long) end);

    if (len < 8) {
        len = 8;
    }

    /* entry { 1: id, 2: bytes }, all lengths in three bytes */

    craft_byte(c, 2 << 3 | 2);
    cost_key(c, 4 + 4 + len);
    craft_byte(c, 1 << 3);
    cost_key(c, id);
    craft_byte(c, 2 << 3 | 2);
    cost_key(c, len);

    at = c->n;
    assert_true(at + len < sizeof(c->data));
    memset(c->data + at, fill, len);
    memcpy(c->data + at + len - 8, text, 8);
    c->n += len;
}


/* A context of n labels: names first, first + 1, ... and values likewise. */
static inline void
cost_labels_context(craft_t *c, uint64_t id, int n, uint64_t name,
    uint64_t value)
{
    int  i;

    craft_byte(c, 1 << 3 | 2);
    cost_key(c, 4 + 4 + (size_t) n * 12);
    craft_byte(c, 1 << 3);
    cost_key(c, id);
    craft_byte(c, 2 << 3 | 2);
    cost_key(c, (size_t) n * 12);

    for (i = 0; i < n; i++) {
        craft_byte(c, 1 << 3 | 2);
        cost_key(c, 8);
        craft_byte(c, 1 << 3);
        cost_key(c, name + (uint64_t) i);
        craft_byte(c, 2 << 3);
        cost_key(c, value + (uint64_t) i);
    }
}


#endif /* _PYRO_COST_CRAFT_H_INCLUDED_ */
