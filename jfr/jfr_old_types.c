#include "jfr/jfr_old_types.h"


static uint32_t pyro_jfr_old_word(pyro_slice_t text, const char *const *words,
    uint32_t n);
static pyro_slice_t pyro_jfr_old_utf8(pyro_jfr_reader_t *r);
static uint32_t pyro_jfr_old_count(pyro_jfr_reader_t *r, uint32_t least);
static void pyro_jfr_old_skip_utf8(pyro_jfr_reader_t *r, uint32_t n);
static uint32_t pyro_jfr_old_index(uint32_t i, uint32_t first, uint32_t n);
static void pyro_jfr_old_read_field(pyro_jfr_old_types_t *types,
    pyro_jfr_reader_t *r, uint32_t first, uint32_t n);
static void pyro_jfr_old_read_structures(pyro_jfr_old_types_t *types,
    pyro_jfr_reader_t *r);
static int pyro_jfr_old_add_event(pyro_jfr_old_types_t *types, uint32_t id,
    const pyro_jfr_old_event_type_t *event);
static void pyro_jfr_old_read_event(pyro_jfr_old_types_t *types,
    pyro_jfr_reader_t *r, uint32_t first);
static int pyro_jfr_old_add_content(pyro_jfr_old_types_t *types, uint32_t id,
    const pyro_jfr_old_content_t *content);
static void pyro_jfr_old_read_content(pyro_jfr_old_types_t *types,
    pyro_jfr_reader_t *r, uint32_t first);
static void pyro_jfr_old_read_producer(pyro_jfr_old_types_t *types,
    pyro_jfr_reader_t *r);
static pyro_jfr_old_shape_e pyro_jfr_old_field_shape(
    pyro_jfr_old_types_t *types, const pyro_jfr_old_field_t *field,
    uint32_t depth, uint32_t *size);
static pyro_jfr_old_shape_e pyro_jfr_old_shape(pyro_jfr_old_types_t *types,
    uint32_t structure, uint32_t depth);


/* In the order of pyro_jfr_old_field_e. */
static const char *const  pyro_jfr_old_fields[] = {
    "id", "desc", "line", "name", "type", "utf8", "class", "state", "frames",
    "method", "period", "enabled", "tlabSize", "signature", "truncated",
    "stackTrace", "allocationSize",
};


/* In the order of pyro_jfr_old_event_e. */
static const char *const  pyro_jfr_old_events[] = {
    "vm/prof/execution_sample", "java/object_alloc_in_new_TLAB",
    "java/object_alloc_outside_TLAB", "java/monitor_enter",
    "java/thread_park", "recordings/recording_setting", "recordings/recording",
};


/* In the order of pyro_jfr_old_pool_e. */
static const char *const  pyro_jfr_old_pools[] = {
    "UTFConstant", "Class", "Method", "StackTrace", "ThreadState", "FrameType",
};


/* What the parts of the metadata take at the least. */
enum {
    PYRO_JFR_OLD_LEAST_PRODUCER = 26,
    PYRO_JFR_OLD_LEAST_TEXT = 2,
    PYRO_JFR_OLD_LEAST_STRUCTURE = 4,
    PYRO_JFR_OLD_LEAST_FIELD = 20,
    PYRO_JFR_OLD_LEAST_EVENT = 22,
    PYRO_JFR_OLD_LEAST_CONTENT = 13
};


static uint32_t
pyro_jfr_old_word(pyro_slice_t text, const char *const *words, uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n && !pyro_slice_is(text, words[i]); i++) { /* void */ }

    return i;
}


static pyro_slice_t
pyro_jfr_old_utf8(pyro_jfr_reader_t *r)
{
    size_t         n;
    const uint8_t *text;

    n = (size_t) pyro_jfr_fixed(r, 2);
    text = r->pos;
    pyro_jfr_skip_bytes(r, n);

    return r->bad ? pyro_slice("", 0) : pyro_slice(text, n);
}


/* The number of things of so many bytes at the least that follow. */
static uint32_t
pyro_jfr_old_count(pyro_jfr_reader_t *r, uint32_t least)
{
    uint64_t  n;

    n = pyro_jfr_fixed(r, 4);

    if (n > pyro_jfr_left(r) / least) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return 0;
    }

    return (uint32_t) n;
}


static void
pyro_jfr_old_skip_utf8(pyro_jfr_reader_t *r, uint32_t n)
{
    for ( /* void */ ; n && r->bad == PYRO_JFR_SOUND; n--) {
        pyro_jfr_old_utf8(r);
    }
}


/* A structure of the producer, which may come later; PYRO_NONE: none. */
static uint32_t
pyro_jfr_old_index(uint32_t i, uint32_t first, uint32_t n)
{
    return i < n ? first + i : PYRO_NONE;
}


/* first, n: the producer's structures. */
static void
pyro_jfr_old_read_field(pyro_jfr_old_types_t *types, pyro_jfr_reader_t *r,
    uint32_t first, uint32_t n)
{
    uint32_t               structure;
    pyro_slice_t           id;
    pyro_jfr_old_field_t  *field;

    if (pyro_arena_grow(types->arena, &types->fields, &types->cap_fields,
                        (size_t) types->n_fields + 1,
                        sizeof(pyro_jfr_old_field_t)))
    {
        pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
        return;
    }

    field = &types->fields[types->n_fields++];

    /* id, name, description, transition, type, content type */

    id = pyro_jfr_old_utf8(r);
    pyro_jfr_old_skip_utf8(r, 2);
    pyro_jfr_byte(r);
    field->type = pyro_jfr_byte(r);
    pyro_jfr_fixed(r, 4);
    structure = (uint32_t) pyro_jfr_fixed(r, 4);
    pyro_jfr_fixed(r, 4);

    field->word = (uint8_t) pyro_jfr_old_word(id, pyro_jfr_old_fields,
                                              PYRO_JFR_OLD_NO_FIELD);
    field->structure = field->type == PYRO_JFR_OLD_ARRAY
                       ? structure : pyro_jfr_old_index(structure, first, n);
}


static void
pyro_jfr_old_read_structures(pyro_jfr_old_types_t *types,
    pyro_jfr_reader_t *r)
{
    uint32_t                   i, n, left, first;
    pyro_jfr_old_structure_t  *structure;

    n = pyro_jfr_old_count(r, PYRO_JFR_OLD_LEAST_STRUCTURE);
    first = types->n_structures;

    if (pyro_arena_grow(types->arena, &types->structures,
                        &types->cap_structures, (size_t) first + n,
                        sizeof(pyro_jfr_old_structure_t)))
    {
        pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
        return;
    }

    types->n_structures += n;

    for (i = 0; i < n && r->bad == PYRO_JFR_SOUND; i++) {
        structure = &types->structures[first + i];
        structure->first_field = types->n_fields;
        structure->shape = PYRO_JFR_OLD_UNKNOWN;

        left = pyro_jfr_old_count(r, PYRO_JFR_OLD_LEAST_FIELD);

        for ( /* void */ ; left && r->bad == PYRO_JFR_SOUND; left--) {
            pyro_jfr_old_read_field(types, r, first, n);
        }

        structure->n_fields = types->n_fields - structure->first_field;
    }
}


/* The first of an id and of a path counts.  -1: no memory. */
static int
pyro_jfr_old_add_event(pyro_jfr_old_types_t *types, uint32_t id,
    const pyro_jfr_old_event_type_t *event)
{
    int                         is_new;
    uint32_t                    entry;
    pyro_jfr_old_event_type_t  *item;

    entry = pyro_jfr_index_enter(&types->event_ids, id, &is_new);

    if (entry == PYRO_NONE
        || pyro_arena_grow(types->arena, &types->events, &types->cap_events,
                           (size_t) entry + 1,
                           sizeof(pyro_jfr_old_event_type_t)))
    {
        return -1;
    }

    if (!is_new) {
        return 0;
    }

    item = &types->events[entry];
    *item = *event;

    if (item->event == PYRO_JFR_OLD_EV_NONE) {
        return 0;
    }

    if (types->by_event[item->event] != PYRO_NONE) {
        item->event = PYRO_JFR_OLD_EV_NONE;
        return 0;
    }

    types->by_event[item->event] = entry;

    return 0;
}


static void
pyro_jfr_old_read_event(pyro_jfr_old_types_t *types, pyro_jfr_reader_t *r,
    uint32_t first)
{
    uint32_t                    id;
    pyro_jfr_old_event_type_t   event;

    event.n = 0;
    id = (uint32_t) pyro_jfr_fixed(r, 4);
    pyro_jfr_old_skip_utf8(r, 2);
    event.path = pyro_jfr_old_utf8(r);
    event.has_start = pyro_jfr_byte(r) != 0;
    event.has_thread = pyro_jfr_byte(r) != 0;
    event.has_stack = pyro_jfr_byte(r) != 0;
    pyro_jfr_byte(r);
    event.structure = pyro_jfr_old_index((uint32_t) pyro_jfr_fixed(r, 4),
                                         first, types->n_structures - first);
    pyro_jfr_fixed(r, 4);

    event.event = (uint8_t) pyro_jfr_old_word(event.path, pyro_jfr_old_events,
                                              PYRO_JFR_OLD_EV_NONE);

    if (r->bad == PYRO_JFR_SOUND
        && pyro_jfr_old_add_event(types, id, &event))
    {
        pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
    }
}


/* The first of an id and of a name counts.  -1: no memory. */
static int
pyro_jfr_old_add_content(pyro_jfr_old_types_t *types, uint32_t id,
    const pyro_jfr_old_content_t *content)
{
    int                      is_new;
    uint32_t                 entry;
    pyro_jfr_old_content_t  *item;

    entry = pyro_jfr_index_enter(&types->content_ids, id, &is_new);

    if (entry == PYRO_NONE
        || pyro_arena_grow(types->arena, &types->contents,
                           &types->cap_contents, (size_t) entry + 1,
                           sizeof(pyro_jfr_old_content_t)))
    {
        return -1;
    }

    if (!is_new) {
        return 0;
    }

    item = &types->contents[entry];
    *item = *content;

    if (item->pool == PYRO_JFR_OLD_POOL_NONE) {
        return 0;
    }

    if (types->by_pool[item->pool] != PYRO_NONE) {
        item->pool = PYRO_JFR_OLD_POOL_NONE;
        return 0;
    }

    types->by_pool[item->pool] = entry;

    return 0;
}


static void
pyro_jfr_old_read_content(pyro_jfr_old_types_t *types, pyro_jfr_reader_t *r,
    uint32_t first)
{
    uint32_t                 id;
    pyro_slice_t             name;
    pyro_jfr_old_content_t   content;

    id = (uint32_t) pyro_jfr_fixed(r, 4);
    name = pyro_jfr_old_utf8(r);
    pyro_jfr_old_skip_utf8(r, 1);
    content.key = pyro_jfr_byte(r);
    content.structure = pyro_jfr_old_index((uint32_t) pyro_jfr_fixed(r, 4),
                                           first,
                                           types->n_structures - first);
    content.pool = (uint8_t) pyro_jfr_old_word(name, pyro_jfr_old_pools,
                                               PYRO_JFR_OLD_POOL_NONE);

    if (r->bad == PYRO_JFR_SOUND
        && pyro_jfr_old_add_content(types, id, &content))
    {
        pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
    }
}


static void
pyro_jfr_old_read_producer(pyro_jfr_old_types_t *types, pyro_jfr_reader_t *r)
{
    uint32_t  n, first;

    /* id, name, description, uri, relations */

    pyro_jfr_fixed(r, 4);
    pyro_jfr_old_skip_utf8(r, 3);
    n = pyro_jfr_old_count(r, PYRO_JFR_OLD_LEAST_TEXT);
    pyro_jfr_old_skip_utf8(r, n);

    first = types->n_structures;
    pyro_jfr_old_read_structures(types, r);

    n = pyro_jfr_old_count(r, PYRO_JFR_OLD_LEAST_EVENT);

    for ( /* void */ ; n && r->bad == PYRO_JFR_SOUND; n--) {
        pyro_jfr_old_read_event(types, r, first);
    }

    n = pyro_jfr_old_count(r, PYRO_JFR_OLD_LEAST_CONTENT);

    for ( /* void */ ; n && r->bad == PYRO_JFR_SOUND; n--) {
        pyro_jfr_old_read_content(types, r, first);
    }
}


/* Adds what a field takes to *size, which stops at UINT32_MAX. */
static pyro_jfr_old_shape_e
pyro_jfr_old_field_shape(pyro_jfr_old_types_t *types,
    const pyro_jfr_old_field_t *field, uint32_t depth, uint32_t *size)
{
    uint32_t              more;
    pyro_jfr_old_shape_e  shape;

    if (field->type <= PYRO_JFR_OLD_DOUBLE) {
        shape = PYRO_JFR_OLD_FIXED;
        more = pyro_jfr_old_width(field->type);

    } else if (field->type == PYRO_JFR_OLD_STRUCT) {
        shape = field->structure == PYRO_NONE
                ? PYRO_JFR_OLD_NEVER
                : pyro_jfr_old_shape(types, field->structure, depth + 1);
        more = shape == PYRO_JFR_OLD_FIXED
               ? types->structures[field->structure].size : 0;

    } else {
        shape = field->type < PYRO_JFR_OLD_NO_TYPE ? PYRO_JFR_OLD_VARIABLE
                                                   : PYRO_JFR_OLD_NEVER;
        more = 0;
    }

    *size = more > UINT32_MAX - *size ? UINT32_MAX : *size + more;

    return shape;
}


/*
 * Depth is at most PYRO_JFR_OLD_NESTED, and each structure is found out once.
 * Fields that take no bytes are left out, so that what is left takes as many
 * bytes as it takes steps.
 */
static pyro_jfr_old_shape_e
pyro_jfr_old_shape(pyro_jfr_old_types_t *types, uint32_t structure,
    uint32_t depth)
{
    uint32_t                   i, n, size;
    pyro_jfr_old_field_t      *fields;
    pyro_jfr_old_shape_e       shape, inner;
    pyro_jfr_old_structure_t  *s;

    s = &types->structures[structure];

    if (s->shape != PYRO_JFR_OLD_UNKNOWN) {
        return s->shape;
    }

    if (depth == PYRO_JFR_OLD_NESTED) {
        return PYRO_JFR_OLD_NEVER;
    }

    /* what it is if it contains itself */

    s->shape = PYRO_JFR_OLD_NEVER;
    shape = PYRO_JFR_OLD_NOTHING;
    size = 0;
    n = 0;

    fields = types->n_fields ? &types->fields[s->first_field] : NULL;

    for (i = 0; i < s->n_fields; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        inner = pyro_jfr_old_field_shape(types, &fields[i], depth, &size);

        if (inner == PYRO_JFR_OLD_NEVER) {
            return PYRO_JFR_OLD_NEVER;
        }

        if (inner != PYRO_JFR_OLD_NOTHING) {
            fields[n++] = fields[i];
            shape = inner > shape ? inner : shape;
        }
    }

    s->n_fields = n;
    s->size = size;
    s->shape = (uint8_t) shape;

    return shape;
}


pyro_jfr_bad_e
pyro_jfr_old_types_read(pyro_jfr_old_types_t *types,
    const pyro_jfr_chunk_t *chunk, pyro_arena_t *arena)
{
    uint32_t           i, n;
    pyro_jfr_reader_t  r;

    memset(types, 0, sizeof(pyro_jfr_old_types_t));

    types->arena = arena;
    pyro_jfr_index_init(&types->event_ids, arena);
    pyro_jfr_index_init(&types->content_ids, arena);
    memset(types->by_event, 0xff, sizeof(types->by_event));
    memset(types->by_pool, 0xff, sizeof(types->by_pool));

    /* the event's size has said where the chunk ends; then its type, 0 */

    r = pyro_jfr_old_reader(chunk, chunk->metadata, chunk->size);
    pyro_jfr_fixed(&r, 8);

    n = pyro_jfr_old_count(&r, PYRO_JFR_OLD_LEAST_PRODUCER);

    for ( /* void */ ; n && r.bad == PYRO_JFR_SOUND; n--) {
        pyro_jfr_old_read_producer(types, &r);
    }

    types->start = (int64_t) pyro_jfr_fixed(&r, 8);
    types->end = (int64_t) pyro_jfr_fixed(&r, 8);
    pyro_jfr_fixed(&r, 8);
    types->frequency = (int64_t) pyro_jfr_fixed(&r, 8);
    types->checkpoint = pyro_jfr_fixed(&r, 8);

    if (r.bad) {
        return r.bad;
    }

    for (i = 0; i < types->n_structures; i++) {
        pyro_jfr_old_shape(types, i, 0);
    }

    return PYRO_JFR_SOUND;
}
