/*
 * Recordings made to cost as much as they can: each fills about the size asked
 * for, the label snapshot included.
 */

#ifndef _PYRO_COST_ATTACK_H_INCLUDED_
#define _PYRO_COST_ATTACK_H_INCLUDED_


#include "cost_craft.h"


typedef struct {
    const char  *name;
    void       (*make)(craft_t *c, craft_t *labels, size_t size);
} cost_attack_t;


/* ---- chunks ---- */

/* Metadata of one string and one element, a checkpoint without pools. */
static void
tiny_chunks(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    while (c->n + 100 < size) {
        craft_begin(c);
        c->metadata = c->n - c->start;
        cost_event(c, 0, 8, (uint64_t) 0, (uint64_t) 0, (uint64_t) 0,
                   (uint64_t) 1, (uint64_t) 0, (uint64_t) 0, (uint64_t) 0,
                   (uint64_t) 0);
        c->checkpoint = c->n - c->start;
        cost_event(c, 1, 5, (uint64_t) 0, (uint64_t) 0, (uint64_t) 0,
                   (uint64_t) 0, (uint64_t) 0);
        craft_end(c);
    }
}


static void
small_chunks(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    while (c->n + 1000 < size) {
        craft_chunk(c, 1);
    }
}


/* Each with as many methods of one long name as fit. */
static void
chunks_of_names(craft_t *c, craft_t *labels, size_t size)
{
    size_t  end;

    (void) labels;

    while (c->n + 2600 < size) {
        end = c->n + 2600;
        cost_begin(c);
        craft_checkpoint(c, 0, 4);
        craft_pool(c, CRAFT_SYMBOL, 2);
        craft_long(c, 1);
        cost_string(c, 3, 600, 'c');
        craft_long(c, 2);
        cost_string(c, 3, 600, 'm');
        cost_one_sample(c, end);
    }
}


/* One that names many settings, each of which was set before. */
static void
chunks_of_settings(craft_t *c, craft_t *labels, size_t size)
{
    int   i;
    char  name[64];

    (void) labels;

    while (c->n + 8000 < size) {
        cost_begin(c);

        for (i = 0; i < 64; i++) {
            snprintf(name, sizeof(name), "setting-%048d", i);
            c->open = c->n++;
            craft_long(c, COST_SETTING);
            craft_long(c, 0);
            craft_text(c, name);
            craft_text(c, "1");
            c->data[c->open] = (uint8_t) (c->n - c->open);
        }

        craft_pools(c);
        craft_end(c);
    }
}


/* In a chunk without an end, headers that are nearly sound. */
static void
magics(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    craft_begin(c);
    craft_end(c);
    pyro_put_be64(c->data + 8, 1 << 30);

    while (c->n + 80 < size) {
        craft_begin(c);
        c->metadata = 68;
        c->checkpoint = 68;
        cost_event(c, 0, 1, (uint64_t) 0);
        craft_end(c);
    }
}


static void
magics_alone(craft_t *c, craft_t *labels, size_t size)
{
    magics(c, labels, 200);

    while (c->n + 4 < size) {
        craft_fixed(c, 0x464c5200, 4);
    }
}


/* Each reaches to the end, where metadata and checkpoint are everybody's. */
static void
nested_chunks(craft_t *c, craft_t *labels, size_t size)
{
    size_t    at, metadata, checkpoint;
    uint8_t  *p;

    (void) labels;

    while (c->n < size / 2) {
        craft_begin(c);
        craft_end(c);
        craft_byte(c, 0);
    }

    c->start = 0;
    cost_begin(c);
    metadata = c->metadata + c->start;
    craft_checkpoint(c, 0, 1);
    craft_pool(c, CRAFT_STATE, cost_room(c, size, 5));

    for (at = cost_room(c, size, 5); at; at--) {
        cost_key(c, at);
        cost_string(c, 3, 0, 0);
    }

    craft_close(c);
    checkpoint = c->checkpoint + c->start;

    for (at = 0; at < size / 2; at += 69) {
        p = c->data + at;
        pyro_put_be64(p + 8, c->n - at);
        pyro_put_be64(p + 16, checkpoint - at);
        pyro_put_be64(p + 24, metadata - at);
    }
}


static void
garbage(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    craft_chunk(c, 1);
    c->data[64] = 6;

    while (c->n + 4 < size) {
        craft_fixed(c, 0x464c5246, 4);
    }
}


/* ---- checkpoints and pools ---- */

static void
checkpoint_chain(craft_t *c, craft_t *labels, size_t size)
{
    size_t  before;

    (void) labels;

    cost_begin(c);
    craft_pools(c);

    while (c->n + 100 < size) {
        before = c->checkpoint;
        c->checkpoint = c->n - c->start;
        cost_event(c, 1, 3, (uint64_t) 0, (uint64_t) 0,
                   (uint64_t) ((int64_t) before - (int64_t) c->checkpoint));
        craft_byte(c, 0);
        craft_byte(c, 0);
        c->data[c->start + c->checkpoint] += 2;
    }

    craft_end(c);
}


static void
pools_repeated(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, n;

    (void) labels;

    cost_begin(c);
    n = cost_room(c, size, 5);
    craft_checkpoint(c, 0, n);

    for (i = 0; i < n; i++) {
        craft_pool(c, i % 2 ? CRAFT_CLASS : CRAFT_FRAME, 1);
        craft_long(c, i % 100);
        craft_long(c, 1);
        craft_byte(c, 1);
        c->n -= i % 2;
    }

    craft_close(c);
    craft_end(c);
}


/* A chain of checkpoints, each with a pool that claims all its bytes. */
static void
pools_claim(craft_t *c, craft_t *labels, size_t size)
{
    size_t  before;

    (void) labels;

    cost_begin(c);
    craft_pools(c);

    while (c->n + 300 < size) {
        before = c->checkpoint;
        craft_checkpoint(c, 0, 1);
        c->n = c->open;
        craft_open(c, 1);
        craft_long(c, 0);
        craft_long(c, 0);
        craft_long(c, (uint64_t) ((int64_t) before - (int64_t) c->checkpoint));
        craft_byte(c, 0);
        craft_varint(c, 1);
        craft_pool(c, CRAFT_STACK, 200);
        craft_long(c, c->n);
        c->n += 200;
        memset(c->data + c->n - 200, 0xff, 200);
        craft_close(c);
    }

    craft_end(c);
}


static void
pool_entries(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, n;

    (void) labels;

    cost_begin(c);
    n = cost_room(c, size, 4);
    craft_checkpoint(c, 0, 2);
    craft_pool(c, CRAFT_CLASS, n / 2);

    for (i = 0; i < n / 2; i++) {
        cost_key(c, i);
        craft_long(c, 1);
    }

    craft_pool(c, CRAFT_STATE, n / 2);

    for (i = 0; i < n / 2; i++) {
        cost_key(c, i);
        craft_byte(c, 0);
    }

    craft_close(c);
    craft_end(c);
}


/* Structs of one byte, eight deep. */
static void
nested_structs(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t       i, n;
    craft_class_t  classes[8] = { { NULL, 0, { { NULL, 0, 0, 0 } } } };

    (void) labels;

    for (i = 0; i < 8; i++) {
        classes[i].name = "a.Nested";
        classes[i].id = COST_OTHER + (int) i;
        classes[i].fields[0].name = "x";
        classes[i].fields[0].class = i < 7 ? COST_OTHER + (int) i + 1
                                           : CRAFT_BOOLEAN;
    }

    craft_begin(c);
    craft_metadata(c, classes, 8);
    n = cost_room(c, size, 2);
    craft_checkpoint(c, 0, 1);
    craft_pool(c, COST_OTHER + 1, n);

    for (i = 0; i < n; i++) {
        craft_long(c, 1);
        craft_byte(c, 1);
    }

    craft_close(c);
    craft_end(c);
}


/* An array of itself, with one element that has none, as often as it fits. */
static void
nested_arrays(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, n;

    static const craft_class_t  class
        = { "a.Array", COST_OTHER, { { "all", COST_OTHER, 0, 1 } } };

    (void) labels;

    craft_begin(c);
    craft_metadata(c, &class, 1);
    n = cost_room(c, size, 8);
    craft_checkpoint(c, 0, 1);
    craft_pool(c, COST_OTHER, n);

    for (i = 0; i < n; i++) {
        craft_fixed(c, 0x0101010101010100, 8);
    }

    craft_close(c);
    craft_end(c);
}


static void
flat_arrays(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, n;

    static const craft_class_t  class
        = { "a.Array", COST_OTHER, { { "a", CRAFT_BOOLEAN, 0, 1 },
                                     { "b", CRAFT_STRING, 0, 1 },
                                     { "c", CRAFT_STACK, 1, 1 } } };

    (void) labels;

    craft_begin(c);
    craft_metadata(c, &class, 1);
    n = cost_room(c, size, 4);
    craft_checkpoint(c, 0, 1);
    craft_pool(c, COST_OTHER, n);

    for (i = 0; i < n; i++) {
        craft_fixed(c, 0, 4);
    }

    craft_close(c);
    craft_end(c);
}


/* States that are read for one sample each. */
static void
states(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, n;

    (void) labels;

    cost_begin(c);
    n = cost_room(c, size, 3 + 16 + 12);

    for (i = 0; i < n; i++) {
        cost_event(c, COST_WALL, 6, (uint64_t) 1, (uint64_t) 1, (uint64_t) 0,
                   (uint64_t) 0, (uint64_t) 0, i + 128);
    }

    craft_pools(c);
    i = c->checkpoint;
    craft_checkpoint(c, (int64_t) i - (int64_t) (c->n - c->start), 1);
    craft_pool(c, CRAFT_STATE, n);

    for (i = 0; i < n; i++) {
        cost_key(c, i + 128);
        craft_text(c, "STATE_RUNNABLE");
    }

    craft_close(c);
    craft_end(c);
}


/* ---- metadata ---- */

/* The head of a metadata event of n strings, which follow. */
static void
meta_begin(craft_t *c, uint64_t n)
{
    craft_begin(c);
    c->metadata = c->n - c->start;
    craft_open(c, 0);
    craft_long(c, 0);
    craft_long(c, 0);
    craft_long(c, 0);
    craft_varint(c, n);
}


static void
meta_end(craft_t *c)
{
    craft_close(c);
    craft_checkpoint(c, 0, 0);
    craft_close(c);
    craft_end(c);
}


static void
meta_classes(craft_t *c, craft_t *labels, size_t size)
{
    char      id[16];
    uint64_t  i, n;

    (void) labels;

    n = cost_room(c, size, 10 + 12);
    n = n < 32000 ? n : 32000;
    meta_begin(c, n + 4);
    craft_text(c, "class");
    craft_text(c, "name");
    craft_text(c, "id");
    craft_text(c, "jdk.ObjectAllocationOutsideTLAB");

    for (i = 0; i < n; i++) {
        snprintf(id, sizeof(id), "%06u", (unsigned) i);
        craft_text(c, id);
    }

    craft_varint(c, 3);
    craft_varint(c, 0);
    craft_varint(c, n);

    for (i = 0; i < n; i++) {
        craft_varint(c, 0);
        craft_varint(c, 2);
        craft_varint(c, 1);
        craft_varint(c, 3);
        craft_varint(c, 2);
        cost_key(c, i + 4);
        craft_varint(c, 0);
    }

    meta_end(c);
}


/* One class of as many fields as fit; it is an event's, and a pool's. */
static void
fields(craft_t *c, size_t size, int attributes)
{
    uint64_t  i, n;

    n = cost_room(c, size - 200, 3 + 2 * (size_t) attributes);
    meta_begin(c, 8);
    craft_text(c, "class");
    craft_text(c, "name");
    craft_text(c, "id");
    craft_text(c, "field");
    craft_text(c, "jdk.types.Method");
    craft_text(c, "1");
    craft_text(c, "boolean");
    craft_text(c, "0");

    craft_varint(c, 6);
    craft_varint(c, 0);
    craft_varint(c, 2);

    craft_varint(c, 0);
    craft_varint(c, 2);
    craft_varint(c, 1);
    craft_varint(c, 6);
    craft_varint(c, 2);
    craft_varint(c, 7);
    craft_varint(c, 0);

    craft_varint(c, 0);
    craft_varint(c, 2);
    craft_varint(c, 1);
    craft_varint(c, 4);
    craft_varint(c, 2);
    craft_varint(c, 5);
    craft_varint(c, n);

    for (i = 0; i < n; i++) {
        craft_varint(c, 3);
        craft_varint(c, attributes);

        if (attributes) {
            craft_varint(c, 1);
            craft_varint(c, 1);
        }

        if (attributes > 1) {
            craft_varint(c, 0);
            craft_varint(c, 7);
        }

        craft_varint(c, 0);
    }

    craft_close(c);
    craft_checkpoint(c, 0, 1);
    craft_pool(c, 1, 1);
    craft_long(c, 1);
    craft_close(c);
    craft_end(c);
}


static void
meta_fields(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    fields(c, size, 0);
}


static void
meta_fields_wanted(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    fields(c, size, 2);
}


static void
meta_strings(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  n;

    (void) labels;

    n = size - 256;
    meta_begin(c, n);
    memset(c->data + c->n, 1, n);
    c->n += n;
    craft_varint(c, 0);
    craft_varint(c, 0);
    craft_varint(c, 0);
    meta_end(c);
}


static void
meta_words(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, n;

    (void) labels;

    n = cost_room(c, size - 256, 7);
    meta_begin(c, n);

    for (i = 0; i < n; i++) {
        craft_text(c, i % 2 ? "cores" : "99999");
    }

    craft_varint(c, 0);
    craft_varint(c, 0);
    craft_varint(c, 0);
    meta_end(c);
}


/* Characters that are not ASCII, in strings that might be words. */
static void
meta_wide(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, n;

    (void) labels;

    n = cost_room(c, size - 256, 62);
    meta_begin(c, n);

    for (i = 0; i < n; i++) {
        cost_wide(c, 20);
    }

    craft_varint(c, 0);
    craft_varint(c, 0);
    craft_varint(c, 0);
    meta_end(c);
}


static void
meta_attributes(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, n;

    (void) labels;

    meta_begin(c, 2);
    craft_text(c, "class");
    cost_string(c, 3, size / 4, 'x');
    n = cost_room(c, size - 256, 2);

    craft_varint(c, 0);
    craft_varint(c, n);

    for (i = 0; i < n; i++) {
        craft_varint(c, 0);
        craft_varint(c, 1);
    }

    craft_varint(c, 0);
    meta_end(c);
}


/* Branches as deep as may be. */
static void
meta_deep(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, k, n;

    (void) labels;

    meta_begin(c, 1);
    craft_text(c, "class");
    n = cost_room(c, size - 256, 3 * 30);

    craft_varint(c, 0);
    craft_varint(c, 0);
    craft_varint(c, n);

    for (i = 0; i < n; i++) {
        for (k = 30; k; k--) {
            craft_varint(c, 0);
            craft_varint(c, 0);
            craft_varint(c, k > 1);
        }
    }

    meta_end(c);
}


/* ---- names ---- */

static void
names(craft_t *c, size_t size, int encoding, size_t len, int byte)
{
    cost_begin(c);
    craft_checkpoint(c, 0, 4);
    craft_pool(c, CRAFT_SYMBOL, 2);
    craft_long(c, 1);
    cost_string(c, encoding, len, byte);
    craft_long(c, 2);
    cost_string(c, encoding, len, byte);
    cost_one_sample(c, size);
}


static void
names_long(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    names(c, size, 3, 8191, 'x');
}


static void
names_huge(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    names(c, size, 5, size / 4, 'x');
}


static void
names_dollars(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    names(c, size, 3, 8191, '$');
}


/* Each byte of it becomes a question mark. */
static void
names_broken(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    names(c, size, 3, 8191, 0xff);
}


/* A name of 8191 bytes that ends as a few. */
static void
names_shrunk(craft_t *c, size_t size, const char *head, const char *tail)
{
    size_t  at;

    cost_begin(c);
    craft_checkpoint(c, 0, 4);
    craft_pool(c, CRAFT_SYMBOL, 2);
    craft_long(c, 1);
    craft_text(c, "C");
    craft_long(c, 2);
    cost_string(c, 3, 8191, '0');
    at = c->n - 8191;
    memcpy(c->data + at, head, strlen(head));
    memcpy(c->data + c->n - strlen(tail), tail, strlen(tail));
    cost_one_sample(c, size);
}


static void
names_lambda(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    names_shrunk(c, size, "a$$Lambda$1/0x", "f");
}


static void
names_zstd(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    names_shrunk(c, size, "/tmp/libzstd-jni-0.0.0-", ".so (deleted)");
}


/* Characters of three bytes, decoded for whoever asks. */
static void
names_wide(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    cost_begin(c);
    craft_checkpoint(c, 0, 4);
    craft_pool(c, CRAFT_SYMBOL, 2);
    craft_long(c, 1);
    craft_text(c, "C");
    craft_long(c, 2);
    cost_wide(c, size / 16);
    cost_one_sample(c, size);
}


/* Symbols that refer to one string, which is long. */
static void
names_by_key(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i, n;

    (void) labels;

    cost_begin(c);
    craft_checkpoint(c, 0, 5);
    craft_pool(c, CRAFT_STRING, 1);
    craft_long(c, 1);
    cost_wide(c, size / 16);

    n = cost_room(c, size, 5 + 9 + 6);
    craft_pool(c, CRAFT_SYMBOL, n);

    for (i = 1; i <= n; i++) {
        cost_key(c, i);
        craft_byte(c, 2);
        craft_long(c, 1);
    }

    cost_class_pool(c);
    craft_pool(c, CRAFT_METHOD, n);

    for (i = 1; i <= n; i++) {
        cost_key(c, i);
        cost_key(c, 1);
        cost_key(c, i);
    }

    cost_stack_of_methods(c, n);
    craft_close(c);
    cost_event(c, COST_MALLOC, 5, (uint64_t) 1, (uint64_t) 1, (uint64_t) 0,
               (uint64_t) 0, (uint64_t) 0);
    craft_end(c);
}


/* Symbols with an array in front of the text, one symbol of all methods. */
static void
names_behind_junk(craft_t *c, craft_t *labels, size_t size)
{
    static const craft_class_t  symbol
        = { "jdk.types.Symbol", CRAFT_SYMBOL,
            { { "junk", CRAFT_LONG, 0, 1 },
              { "string", CRAFT_STRING, 0, 0 } } };

    (void) labels;

    craft_begin(c);
    craft_types(c, &symbol, 1, craft_classes, (int) CRAFT_CLASSES);
    craft_checkpoint(c, 0, 4);
    craft_pool(c, CRAFT_SYMBOL, 2);
    craft_long(c, 1);
    craft_varint(c, 0);
    craft_text(c, "C");
    craft_long(c, 2);
    craft_varint(c, size / 4);
    memset(c->data + c->n, 1, size / 4);
    c->n += size / 4;
    craft_text(c, "m");
    cost_one_sample(c, size);
    c->n -= 7;
    cost_event(c, CRAFT_MONITOR, 3, (uint64_t) 1, (uint64_t) 1, (uint64_t) 1);
    craft_end(c);
}


/* Each method has a name of its own. */
static void
names_distinct(craft_t *c, craft_t *labels, size_t size)
{
    char      name[16];
    uint64_t  i, n;

    (void) labels;

    cost_begin(c);
    craft_checkpoint(c, 0, 4);
    n = cost_room(c, size, 8 + 9 + 6);
    craft_pool(c, CRAFT_SYMBOL, n);

    for (i = 1; i <= n; i++) {
        cost_key(c, i);
        snprintf(name, sizeof(name), "%03x", (unsigned) i & 0xfff);
        name[0] = (char) ('a' + (i >> 12));
        craft_text(c, name);
    }

    cost_class_pool(c);
    craft_pool(c, CRAFT_METHOD, n);

    for (i = 1; i <= n; i++) {
        cost_key(c, i);
        cost_key(c, 1);
        cost_key(c, i);
    }

    cost_stack_of_methods(c, n);
    craft_close(c);
    cost_event(c, COST_MALLOC, 5, (uint64_t) 1, (uint64_t) 1, (uint64_t) 0,
               (uint64_t) 0, (uint64_t) 0);
    craft_end(c);
}


/* ---- stacks ---- */

static void
one_stack(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  n;

    (void) labels;

    cost_begin(c);

    while (c->n < size / 2) {
        cost_event(c, COST_MALLOC, 5, (uint64_t) 1, (uint64_t) 1, (uint64_t) 0,
                   (uint64_t) 0, (uint64_t) 0);
    }

    craft_checkpoint(c, 0, 4);
    craft_pool(c, CRAFT_SYMBOL, 1);
    craft_long(c, 1);
    craft_text(c, "C");
    cost_class_pool(c);
    cost_methods(c, 1, 1);

    n = cost_room(c, size, 2);
    craft_pool(c, CRAFT_STACK, 1);
    craft_long(c, 1);
    craft_byte(c, 0);
    craft_varint(c, n);

    while (n--) {
        craft_long(c, 1);
        craft_varint(c, 7);
    }

    craft_close(c);
    craft_end(c);
}


/* Frames of a byte or two: a method, or nothing that is known. */
static void
thin_frames(craft_t *c, size_t size, uint64_t method, size_t bytes)
{
    uint64_t  n;

    static const craft_class_t  frame
        = { "jdk.types.StackFrame", CRAFT_FRAME,
            { { "method", CRAFT_METHOD, 1, 0 } } };

    craft_begin(c);
    craft_types(c, &frame, bytes == 1, craft_classes, (int) CRAFT_CLASSES);
    craft_pools(c);
    c->n = c->start + c->checkpoint;

    craft_checkpoint(c, 0, 4);
    craft_pool(c, CRAFT_SYMBOL, 1);
    craft_long(c, 1);
    craft_text(c, "C");
    cost_class_pool(c);
    cost_methods(c, 1, 1);
    n = cost_room(c, size, bytes);
    craft_pool(c, CRAFT_STACK, 1);
    craft_long(c, 1);
    craft_byte(c, 0);
    craft_varint(c, n);

    while (n--) {
        craft_long(c, method);

        if (bytes == 2) {
            craft_varint(c, 7);
        }
    }

    craft_close(c);
    cost_event(c, CRAFT_MONITOR, 3, (uint64_t) 1, (uint64_t) 1, (uint64_t) 1);
    craft_end(c);
}


static void
frames_thin(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    thin_frames(c, size, 1, 1);
}


static void
frames_unknown(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    thin_frames(c, size, 2, 2);
}


static void
frames_least(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    thin_frames(c, size, 1, 2);
}


/* A sample and a stack for each other; frames of a line that nobody had. */
static void
stacks(craft_t *c, size_t size, int depth, int lines)
{
    int       k;
    uint64_t  i, n;

    cost_begin(c);
    n = cost_room(c, size - 200, 9 + 5 + 4 * (size_t) depth);

    for (i = 0; i < n; i++) {
        c->n++;
        craft_long(c, COST_MALLOC);
        cost_key(c, i + 1);
        craft_fixed(c, 0x01000000, 4);
        c->data[c->n - 9] = 9;
    }

    craft_checkpoint(c, 0, 4);
    craft_pool(c, CRAFT_SYMBOL, 1);
    craft_long(c, 1);
    craft_text(c, "C");
    cost_class_pool(c);
    craft_pool(c, CRAFT_METHOD, 1);
    craft_long(c, 1);
    craft_long(c, 1);
    craft_long(c, 1);
    craft_pool(c, CRAFT_STACK, n);

    for (i = 0; i < n; i++) {
        cost_key(c, i + 1);
        craft_byte(c, 0);
        craft_varint(c, (uint64_t) depth);

        for (k = 0; k < depth; k++) {
            craft_long(c, 1);
            cost_key(c, lines ? i * (uint64_t) depth + (uint64_t) k
                              : i >> k & 1);
        }
    }

    craft_close(c);
    craft_end(c);
}


static void
stacks_distinct(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    stacks(c, size, 30, 1);
}


static void
stacks_short(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    stacks(c, size, 1, 1);
}


/* Their roots differ most, so that no stack goes on from the one before. */
static void
stacks_tree(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    stacks(c, size, 20, 0);
}


/* ---- events ---- */

static void
events_of(craft_t *c, size_t size, uint64_t type, int fields)
{
    cost_begin(c);

    while (c->n + 300 < size) {
        cost_event(c, type, fields, (uint64_t) 1, (uint64_t) 1, (uint64_t) 0,
                   (uint64_t) 0, (uint64_t) 0, (uint64_t) 1);
    }

    craft_pools(c);
    craft_end(c);
}


static void
events_short(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    events_of(c, size, COST_WALL, 0);
}


static void
events_skipped(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    events_of(c, size, COST_OTHER, 0);
}


static void
events_wall(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    events_of(c, size, COST_WALL, 6);
}


static void
events_of_all_kinds(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i;

    (void) labels;

    cost_begin(c);

    for (i = 0; c->n + 300 < size; i++) {
        cost_event(c, cost_kinds[i % COST_KINDS].id,
                   i % COST_KINDS == COST_SAMPLED - 1 ? 6 : 5,
                   (uint64_t) 1, (uint64_t) 1, (uint64_t) 0, (uint64_t) 0,
                   (uint64_t) 0, (uint64_t) 1);
    }

    craft_pools(c);
    craft_end(c);
}


static void
events_of_losses(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    events_of(c, size, COST_DATA_LOSS, 1);
}


/* A type whose number no small table has. */
static void
types_huge(craft_t *c, craft_t *labels, size_t size)
{
    static const craft_class_t  other
        = { "jdk.DataLoss", 2000000000, { { "amount", CRAFT_LONG, 0, 0 } } };

    (void) labels;

    craft_begin(c);
    craft_types(c, &other, 1, craft_classes, (int) CRAFT_CLASSES);

    while (c->n + 300 < size) {
        cost_event(c, 2000000000, 1, (uint64_t) 1);
    }

    craft_pools(c);
    craft_end(c);
}


static void
fixed_width(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    c->fixed = 1;
    events_of(c, size, COST_MALLOC, 5);
}


/* Ever new spans. */
static void
spans(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i;

    (void) labels;

    cost_begin(c);

    for (i = 1; c->n + 300 < size; i++) {
        cost_event(c, i % 2 ? COST_MALLOC : COST_WALL, 6, (uint64_t) 1,
                   (uint64_t) 1, (uint64_t) 0, i, (uint64_t) 0, (uint64_t) 1);
    }

    craft_pools(c);
    craft_end(c);
}


/* All settings have one value, which is half of the recording. */
static void
settings_by_key(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i;

    (void) labels;

    cost_begin(c);

    for (i = 0; c->n < size / 2; i++) {
        c->open = c->n++;
        craft_long(c, COST_SETTING);
        craft_long(c, i % 3 ? COST_WALL : i);
        craft_byte(c, 3);
        craft_byte(c, 3);
        cost_key(c, i);
        craft_byte(c, 2);
        craft_long(c, 1);
        c->data[c->open] = (uint8_t) (c->n - c->open);
    }

    craft_checkpoint(c, 0, 1);
    craft_pool(c, CRAFT_STRING, 1);
    craft_long(c, 1);
    cost_wide(c, cost_room(c, size, 3));
    craft_close(c);
    craft_end(c);
}


/* One argument that is looked through for words. */
static void
facts(craft_t *c, craft_t *labels, size_t size)
{
    size_t  at, room;

    (void) labels;

    cost_begin(c);
    room = size - c->n - 600;
    craft_open(c, COST_JVM);
    craft_text(c, "");
    cost_string(c, 3, room, 'k');
    at = c->n - room;
    c->data[c->n - 1] = '=';
    memcpy(c->data + at, "-Dx://", 6);
    craft_text(c, "");
    craft_close(c);

    craft_pools(c);
    craft_end(c);
}


static void
facts_by_key(craft_t *c, craft_t *labels, size_t size)
{
    (void) labels;

    cost_begin(c);

    while (c->n < size / 2) {
        cost_event(c, COST_JVM, 6, (uint64_t) 2, (uint64_t) 1, (uint64_t) 2,
                   (uint64_t) 1, (uint64_t) 2, (uint64_t) 1);
    }

    craft_checkpoint(c, 0, 1);
    craft_pool(c, CRAFT_STRING, 1);
    craft_long(c, 1);
    cost_string(c, 5, cost_room(c, size, 1), ':');
    craft_close(c);
    craft_end(c);
}


/* ---- labels ---- */

/* Events of n kinds over contexts 1 to last, in turn. */
static void
labelled(craft_t *c, size_t size, uint64_t n, uint64_t last, uint64_t names)
{
    uint64_t  i, kind;

    cost_begin(c);

    for (i = 0; c->n + 300 < size; i++) {
        kind = n == 1 ? COST_SAMPLED - 1 : i % n;
        cost_event(c, cost_kinds[kind].id, kind == COST_SAMPLED - 1 ? 6 : 5,
                   (uint64_t) 1, (uint64_t) 1, i / n % last + 1, (uint64_t) 0,
                   names ? i / n / last % names + 1 : 0, (uint64_t) 1);
    }

    craft_pools(c);
    craft_end(c);
}


/* Contexts of 256 labels, all strings long and equal but for their ends. */
static void
labels_long(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i;

    for (i = 0; i < 300; i++) {
        cost_labels_string(labels, i, size / 2 / 300 - 24, 'l', i);
    }

    for (i = 1; labels->n < size / 2 + size / 4; i++) {
        cost_labels_context(labels, i, 256, i % 40, 256 - i % 40);
    }

    labelled(c, size - labels->n, 1, i - 1, 300);
}


/* A label or two a context, long names in the wrong order. */
static void
labels_few(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i;

    for (i = 0; i < 100; i++) {
        cost_labels_string(labels, i, size / 4 / 100, 'l', 100 - i);
    }

    for (i = 1; labels->n < size / 2; i++) {
        cost_labels_context(labels, i, 2, i % 100, i / 100 % 100);
    }

    labelled(c, size - labels->n, 1, i - 1, 0);
}


/* As many sets as may be: one short label, and a span's name. */
static void
labels_many(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i;

    for (i = 0; labels->n < size / 8; i++) {
        cost_labels_string(labels, i + 1, 8, 'l', i);
    }

    for (i = 1; labels->n < size / 4; i++) {
        cost_labels_context(labels, i, 1, 1, i);
    }

    labelled(c, size - labels->n, 1, i - 1, 1000);
}


/* The same with samples of each type: a section for each pair of both. */
static void
labels_and_types(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i;

    for (i = 0; labels->n < size / 16; i++) {
        cost_labels_string(labels, i + 1, 8, 'l', i);
    }

    for (i = 1; labels->n < size / 8; i++) {
        cost_labels_context(labels, i, 1, 1, i);
    }

    labelled(c, size - labels->n, COST_SAMPLED, i - 1, 1000);
}


/* Sets of which nothing is left when the static label has its way. */
static void
labels_hidden(craft_t *c, craft_t *labels, size_t size)
{
    uint64_t  i;

    cost_labels_string(labels, 1, 12, 's', 0);
    memcpy(labels->data + labels->n - 12, "service_name", 12);

    for (i = 0; labels->n < size / 8; i++) {
        cost_labels_string(labels, i + 2, 8, 'l', i);
    }

    for (i = 1; labels->n < size / 4; i++) {
        cost_labels_context(labels, i, 1, 1, i + 1);
    }

    labelled(c, size - labels->n, 1, i - 1, 0);
}


/* Contexts full of span ids that are none: one long string of digits. */
static void
labels_of_digits(craft_t *c, craft_t *labels, size_t size)
{
    int       k;
    uint64_t  i;

    cost_labels_string(labels, 1, 10, 's', 0);
    memcpy(labels->data + labels->n - 10, "profile_id", 10);
    cost_labels_string(labels, 2, size / 4, '0', 0);

    for (i = 1; labels->n < size / 2; i++) {
        craft_byte(labels, 1 << 3 | 2);
        cost_key(labels, 4 + 4 + 256 * 6);
        craft_byte(labels, 1 << 3);
        cost_key(labels, i);
        craft_byte(labels, 2 << 3 | 2);
        cost_key(labels, 256 * 6);

        for (k = 0; k < 256; k++) {
            craft_fixed(labels, 0x0a0408011002, 6);
        }
    }

    labelled(c, size - labels->n, 1, i - 1, 0);
}


/* A snapshot of the least entries: a context's labels, strings, contexts. */
static void
snapshot(craft_t *c, craft_t *labels, size_t size)
{
    int       i;
    uint64_t  k;

    for (k = 0; labels->n + 6000 < size; k++) {
        craft_byte(labels, 1 << 3 | 2);
        cost_key(labels, 4 + 4 + 500);
        craft_byte(labels, 1 << 3);
        cost_key(labels, k);
        craft_byte(labels, 2 << 3 | 2);
        cost_key(labels, 500);

        for (i = 0; i < 250; i++) {
            craft_byte(labels, 1 << 3 | 2);
            craft_byte(labels, 0);
        }

        for (i = 0; i < 50; i++) {
            craft_byte(labels, 2 << 3 | 2);
            craft_byte(labels, 4);
            craft_byte(labels, 1 << 3);
            cost_key(labels, k * 50 + (uint64_t) i);
        }
    }

    craft_chunk(c, 1);
}


#define COST_ATTACK(name)  { #name, name }

static const cost_attack_t  cost_attacks[] = {
    COST_ATTACK(tiny_chunks),       COST_ATTACK(small_chunks),
    COST_ATTACK(chunks_of_names),   COST_ATTACK(chunks_of_settings),
    COST_ATTACK(magics),            COST_ATTACK(magics_alone),
    COST_ATTACK(nested_chunks),     COST_ATTACK(garbage),
    COST_ATTACK(checkpoint_chain),  COST_ATTACK(pools_repeated),
    COST_ATTACK(pools_claim),       COST_ATTACK(pool_entries),
    COST_ATTACK(nested_structs),    COST_ATTACK(nested_arrays),
    COST_ATTACK(flat_arrays),       COST_ATTACK(states),
    COST_ATTACK(meta_classes),      COST_ATTACK(meta_fields),
    COST_ATTACK(meta_fields_wanted), COST_ATTACK(meta_strings),
    COST_ATTACK(meta_words),        COST_ATTACK(meta_wide),
    COST_ATTACK(meta_attributes),   COST_ATTACK(meta_deep),
    COST_ATTACK(names_long),        COST_ATTACK(names_huge),
    COST_ATTACK(names_dollars),     COST_ATTACK(names_broken),
    COST_ATTACK(names_lambda),      COST_ATTACK(names_zstd),
    COST_ATTACK(names_wide),        COST_ATTACK(names_by_key),
    COST_ATTACK(one_stack),         COST_ATTACK(frames_thin),
    COST_ATTACK(frames_unknown),    COST_ATTACK(stacks_distinct),
    COST_ATTACK(stacks_short),      COST_ATTACK(stacks_tree),
    COST_ATTACK(events_short),      COST_ATTACK(events_skipped),
    COST_ATTACK(events_wall),       COST_ATTACK(events_of_all_kinds),
    COST_ATTACK(events_of_losses),  COST_ATTACK(types_huge),
    COST_ATTACK(fixed_width),       COST_ATTACK(spans),
    COST_ATTACK(settings_by_key),   COST_ATTACK(facts),
    COST_ATTACK(facts_by_key),      COST_ATTACK(labels_long),
    COST_ATTACK(labels_few),        COST_ATTACK(labels_many),
    COST_ATTACK(labels_and_types),  COST_ATTACK(labels_hidden),
    COST_ATTACK(snapshot),          COST_ATTACK(frames_least),
    COST_ATTACK(names_behind_junk), COST_ATTACK(names_distinct),
    COST_ATTACK(labels_of_digits),
};


#define COST_ATTACKS  (sizeof(cost_attacks) / sizeof(cost_attacks[0]))


#endif /* _PYRO_COST_ATTACK_H_INCLUDED_ */
