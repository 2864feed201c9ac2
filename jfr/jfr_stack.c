#include "jfr/jfr_stack.h"

#include "jfr/jfr_symbol.h"


#define PYRO_JFR_MAX_SYMBOL   8191
#define PYRO_JFR_USUAL_FRAME  4         /* method, line, bytecode, type */
#define PYRO_JFR_KNOWN_LEAST  6         /* 2^6 slots */
#define PYRO_JFR_KNOWN_MOST   15
#define PYRO_JFR_KNOWN_FACTOR 0x9e3779b97f4a7c15ULL

/* Nodes that a chunk's methods become, as real recordings have it. */
#define PYRO_JFR_METHOD_NODES 2


enum {
    PYRO_JFR_SLOT_TRUNCATED,
    PYRO_JFR_SLOT_FRAMES,
    PYRO_JFR_STACK_SLOTS
};


enum {
    PYRO_JFR_SLOT_METHOD,
    PYRO_JFR_SLOT_LINE,
    PYRO_JFR_FRAME_SLOTS
};


enum {
    PYRO_JFR_SLOT_TYPE,
    PYRO_JFR_SLOT_NAME,
    PYRO_JFR_METHOD_SLOTS
};


static int pyro_jfr_plan_pool(pyro_jfr_stacks_t *stacks, pyro_jfr_pool_e pool,
    const pyro_jfr_want_t *wants, uint32_t n, pyro_jfr_plan_t *plan);
static int pyro_jfr_plan_frame(pyro_jfr_stacks_t *stacks);
static int pyro_jfr_stacks_tables(pyro_jfr_stacks_t *stacks);
static uint32_t pyro_jfr_unknown(pyro_jfr_stacks_t *stacks);
static void pyro_jfr_names_take(pyro_jfr_stacks_t *stacks, size_t n);
static pyro_slice_t pyro_jfr_symbol_text(pyro_jfr_stacks_t *stacks,
    uint64_t key);
static pyro_slice_t pyro_jfr_class_text(pyro_jfr_stacks_t *stacks,
    uint64_t key);
static uint32_t pyro_jfr_function_text(pyro_jfr_stacks_t *stacks,
    pyro_slice_t class, pyro_slice_t name);
static uint32_t pyro_jfr_function(pyro_jfr_stacks_t *stacks, uint32_t entry);
static uint32_t pyro_jfr_frame(pyro_jfr_stacks_t *stacks, uint64_t key,
    uint32_t line);
static uint32_t pyro_jfr_frame_read(pyro_jfr_stacks_t *stacks,
    pyro_jfr_reader_t *r);
static uint32_t pyro_jfr_frames_usual(pyro_jfr_stacks_t *stacks,
    pyro_jfr_reader_t *r, uint32_t n);
static void pyro_jfr_count_unknown(pyro_jfr_stacks_t *stacks);
static pyro_jfr_bad_e pyro_jfr_path_read(pyro_jfr_stacks_t *stacks,
    uint32_t entry);
static uint32_t pyro_jfr_path_node(pyro_jfr_stacks_t *stacks);


static const pyro_jfr_want_t  pyro_jfr_stack_wants[] = {
    { PYRO_JFR_WORD_TRUNCATED, PYRO_JFR_WORD_BOOLEAN, 0, 0,
      PYRO_JFR_SLOT_TRUNCATED },
    { PYRO_JFR_WORD_FRAMES, PYRO_JFR_WORD_JDK_TYPES_STACK_FRAME, 0, 1,
      PYRO_JFR_SLOT_FRAMES },
};


static const pyro_jfr_want_t  pyro_jfr_frame_wants[] = {
    { PYRO_JFR_WORD_METHOD, PYRO_JFR_WORD_JDK_TYPES_METHOD, 1, 0,
      PYRO_JFR_SLOT_METHOD },
    { PYRO_JFR_WORD_LINE_NUMBER, PYRO_JFR_WORD_INT, 0, 0,
      PYRO_JFR_SLOT_LINE },
};


static const pyro_jfr_want_t  pyro_jfr_method_wants[] = {
    { PYRO_JFR_WORD_TYPE, PYRO_JFR_WORD_JAVA_LANG_CLASS, 1, 0,
      PYRO_JFR_SLOT_TYPE },
    { PYRO_JFR_WORD_NAME, PYRO_JFR_WORD_JDK_TYPES_SYMBOL, 1, 0,
      PYRO_JFR_SLOT_NAME },
};


static const pyro_jfr_want_t  pyro_jfr_class_wants[] = {
    { PYRO_JFR_WORD_NAME, PYRO_JFR_WORD_JDK_TYPES_SYMBOL, 1, 0, 0 },
};


static const pyro_jfr_want_t  pyro_jfr_symbol_wants[] = {
    { PYRO_JFR_WORD_STRING_FIELD, PYRO_JFR_WORD_JAVA_LANG_STRING, 0, 0, 0 },
};


static int
pyro_jfr_plan_pool(pyro_jfr_stacks_t *stacks, pyro_jfr_pool_e pool,
    const pyro_jfr_want_t *wants, uint32_t n, pyro_jfr_plan_t *plan)
{
    uint32_t  class, found;

    class = stacks->cpool->pools[pool].class;

    if (class == PYRO_NONE) {
        return 0;
    }

    return pyro_jfr_plan_make(stacks->cpool->md, class, wants, n,
                              PYRO_JFR_AT_LAST, plan, &found);
}


/*
 * Frames lie one behind the other, so their plan reads them whole.  All known
 * writers have frames of four integers, method and line at the front, which is
 * worth a way of its own.
 */
static int
pyro_jfr_plan_frame(pyro_jfr_stacks_t *stacks)
{
    uint32_t              class, found, order[PYRO_JFR_FRAME_SLOTS];
    pyro_jfr_metadata_t  *md;

    md = stacks->cpool->md;
    class = pyro_jfr_metadata_find(md, PYRO_JFR_WORD_JDK_TYPES_STACK_FRAME);

    if (class == PYRO_NONE || !pyro_jfr_class_is_sized(md, class)) {
        return 0;
    }

    if (pyro_jfr_plan_make(md, class, pyro_jfr_frame_wants, 2,
                           PYRO_JFR_TO_END, &stacks->frame_plan, &found))
    {
        return -1;
    }

    /* each frame may become a node, for which a byte would be too little */

    if (found != 3) {
        stacks->frame_plan.n = 0;
        return 0;
    }

    stacks->usual = !md->chunk->fixed
                    && pyro_jfr_plan_varints(&stacks->frame_plan, order)
                       == PYRO_JFR_USUAL_FRAME
                    && order[PYRO_JFR_SLOT_METHOD] == 0
                    && order[PYRO_JFR_SLOT_LINE] == 1;

    return 0;
}


static int
pyro_jfr_stacks_tables(pyro_jfr_stacks_t *stacks)
{
    uint32_t           methods, bits;
    pyro_arena_t      *arena;
    pyro_jfr_cpool_t  *cpool;

    cpool = stacks->cpool;
    arena = cpool->arena;
    methods = pyro_jfr_cpool_size(cpool, PYRO_JFR_POOL_METHOD);

    stacks->nodes = pyro_arena_calloc(arena,
                           pyro_jfr_cpool_size(cpool, PYRO_JFR_POOL_STACK),
                           sizeof(uint32_t));
    stacks->methods = pyro_arena_calloc(arena, methods,
                                        sizeof(pyro_jfr_method_t));
    stacks->classes = pyro_arena_calloc(arena,
                           pyro_jfr_cpool_size(cpool, PYRO_JFR_POOL_CLASS),
                           sizeof(pyro_slice_t));

    bits = PYRO_JFR_KNOWN_LEAST;

    while (1U << bits < 2 * methods && bits < PYRO_JFR_KNOWN_MOST) {
        bits++;
    }

    stacks->known_shift = 64 - bits;
    stacks->known_bytes = pyro_arena_alloc(arena, sizeof(uint64_t) << bits);
    stacks->known_frames = pyro_arena_calloc(arena, 1U << bits,
                                             sizeof(uint32_t));

    return stacks->nodes == NULL || stacks->methods == NULL
           || stacks->classes == NULL || stacks->known_bytes == NULL
           || stacks->known_frames == NULL
           ? -1 : pyro_profile_reserve(stacks->profile, methods, methods,
                                       methods * PYRO_JFR_METHOD_NODES);
}


int
pyro_jfr_stacks_init(pyro_jfr_stacks_t *stacks, pyro_jfr_cpool_t *cpool,
    pyro_profile_t *profile, pyro_jfr_report_t *report, size_t *names_left)
{
    PYRO_COUNT_MOVED(sizeof(pyro_jfr_stacks_t));
    memset(stacks, 0, sizeof(pyro_jfr_stacks_t));

    stacks->cpool = cpool;
    stacks->arena = cpool->arena;
    stacks->profile = profile;
    stacks->report = report;
    stacks->names_left = names_left;

    if (pyro_jfr_stacks_tables(stacks)
        || pyro_jfr_plan_pool(stacks, PYRO_JFR_POOL_STACK,
                              pyro_jfr_stack_wants, 2, &stacks->stack_plan)
        || pyro_jfr_plan_pool(stacks, PYRO_JFR_POOL_METHOD,
                              pyro_jfr_method_wants, 2, &stacks->method_plan)
        || pyro_jfr_plan_pool(stacks, PYRO_JFR_POOL_CLASS,
                              pyro_jfr_class_wants, 1, &stacks->class_plan)
        || pyro_jfr_plan_pool(stacks, PYRO_JFR_POOL_SYMBOL,
                              pyro_jfr_symbol_wants, 1, &stacks->symbol_plan))
    {
        return -1;
    }

    stacks->symbol_first = pyro_jfr_plan_is_mark(&stacks->symbol_plan);

    return pyro_jfr_plan_frame(stacks);
}


/* The frame of a method that is missing. */
static uint32_t
pyro_jfr_unknown(pyro_jfr_stacks_t *stacks)
{
    uint32_t      id;
    pyro_frame_t  f;

    if (stacks->unknown == 0) {
        memset(&f, 0, sizeof(pyro_frame_t));
        f.function = pyro_profile_string(stacks->profile,
                                         PYRO_SLICE("[unknown]"));
        id = f.function == PYRO_NONE
             ? PYRO_NONE : pyro_profile_frame(stacks->profile, &f);
        stacks->unknown = id + 1;
    }

    return stacks->unknown - 1;
}


/* What n bytes of names cost; 0 is left when they have cost too much. */
static void
pyro_jfr_names_take(pyro_jfr_stacks_t *stacks, size_t n)
{
    if (n < *stacks->names_left) {
        *stacks->names_left -= n;
        return;
    }

    *stacks->names_left = 0;
    pyro_jfr_problem(stacks->report, "chunk at byte %zu: the names of methods "
                     "take more than %d times the recording's bytes",
                     stacks->cpool->md->chunk->offset, PYRO_JFR_NAMES_TIMES);
}


/* Empty if the symbol is missing; data NULL: no memory. */
static pyro_slice_t
pyro_jfr_symbol_text(pyro_jfr_stacks_t *stacks, uint64_t key)
{
    size_t              read;
    uint32_t            entry;
    uint64_t            slot;
    pyro_slice_t        text;
    const uint8_t      *start;
    pyro_jfr_reader_t   r;
    pyro_jfr_cpool_t   *cpool;

    cpool = stacks->cpool;
    entry = pyro_jfr_cpool_entry(cpool, PYRO_JFR_POOL_SYMBOL, key);

    if (entry == PYRO_NONE) {
        return pyro_slice("", 0);
    }

    r = pyro_jfr_cpool_reader(cpool, PYRO_JFR_POOL_SYMBOL, entry);
    start = r.pos;

    if (!stacks->symbol_first) {
        slot = 0;
        pyro_jfr_plan_run(cpool->md, &stacks->symbol_plan, &r, &slot);

        if (r.bad || slot == 0) {
            return pyro_slice("", 0);
        }

        r = pyro_jfr_chunk_reader(cpool->md->chunk, slot);
    }

    text = pyro_jfr_cpool_string(cpool, &r);

    if (r.bad) {
        return r.bad == PYRO_JFR_NO_MEMORY ? pyro_slice(NULL, 0)
                                           : pyro_slice("", 0);
    }

    if (text.len > PYRO_JFR_MAX_SYMBOL) {
        text.len = PYRO_JFR_MAX_SYMBOL;
    }

    PYRO_COUNT(PYRO_COUNT_BYTES, text.len);

    read = (size_t) (r.pos - start) > text.len ? (size_t) (r.pos - start)
                                               : text.len;
    text = pyro_jfr_symbol(stacks->arena, text);

    /* the function takes what it gets; here is what was read for nothing */

    if (read > text.len) {
        pyro_jfr_names_take(stacks, read - text.len);
    }

    return text;
}


/* The name of a class; data NULL with len 1: missing, with len 0: no memory. */
static pyro_slice_t
pyro_jfr_class_text(pyro_jfr_stacks_t *stacks, uint64_t key)
{
    uint32_t           entry;
    uint64_t           slot;
    pyro_jfr_reader_t  r;

    entry = pyro_jfr_cpool_entry(stacks->cpool, PYRO_JFR_POOL_CLASS, key);

    if (entry == PYRO_NONE) {
        return pyro_slice(NULL, 1);
    }

    if (stacks->classes[entry].data == NULL) {
        slot = 0;
        r = pyro_jfr_cpool_reader(stacks->cpool, PYRO_JFR_POOL_CLASS, entry);
        pyro_jfr_plan_run(stacks->cpool->md, &stacks->class_plan, &r, &slot);

        stacks->classes[entry] = pyro_jfr_symbol_text(stacks, slot);
    }

    return stacks->classes[entry];
}


static uint32_t
pyro_jfr_function_text(pyro_jfr_stacks_t *stacks, pyro_slice_t class,
    pyro_slice_t name)
{
    size_t  len;

    len = class.len + 1 + name.len;

    if (len > stacks->text_cap) {
        pyro_arena_free(stacks->arena, stacks->text, stacks->text_cap);
        stacks->text = pyro_arena_alloc(stacks->arena, len * 2);

        if (stacks->text == NULL) {
            stacks->text_cap = 0;
            return PYRO_NONE;
        }

        stacks->text_cap = len * 2;
    }

    memcpy(stacks->text, class.data, class.len);
    stacks->text[class.len] = '.';
    memcpy(stacks->text + class.len + 1, name.data, name.len);
    PYRO_COUNT_MOVED(len);

    return pyro_profile_string(stacks->profile,
                               pyro_slice(stacks->text, len));
}


/*
 * The function string of a method: PYRO_JFR_NO_STACK if its class is missing or
 * names have taken too many bytes already; PYRO_NONE: no memory.
 */
static uint32_t
pyro_jfr_function(pyro_jfr_stacks_t *stacks, uint32_t entry)
{
    uint64_t           slots[PYRO_JFR_METHOD_SLOTS] = { 0 };
    pyro_slice_t       class, name;
    pyro_jfr_reader_t  r;

    if (*stacks->names_left == 0) {
        pyro_jfr_count_add(stacks->report, PYRO_JFR_NAMES_FOLDED, 1);
        return PYRO_JFR_NO_STACK;
    }

    r = pyro_jfr_cpool_reader(stacks->cpool, PYRO_JFR_POOL_METHOD, entry);
    pyro_jfr_plan_run(stacks->cpool->md, &stacks->method_plan, &r, slots);

    class = r.bad ? pyro_slice(NULL, 1)
                  : pyro_jfr_class_text(stacks, slots[PYRO_JFR_SLOT_TYPE]);

    if (class.data == NULL) {
        return class.len ? PYRO_JFR_NO_STACK : PYRO_NONE;
    }

    name = pyro_jfr_symbol_text(stacks, slots[PYRO_JFR_SLOT_NAME]);

    if (name.data == NULL) {
        return PYRO_NONE;
    }

    pyro_jfr_names_take(stacks, class.len + name.len);

    return pyro_jfr_function_text(stacks, class, name);
}


/*
 * The profile's frame, "[unknown]" for a method that is missing; PYRO_NONE: no
 * memory.  Most methods are met at one line again and again.
 */
static uint32_t
pyro_jfr_frame(pyro_jfr_stacks_t *stacks, uint64_t key, uint32_t line)
{
    uint32_t            id, entry;
    pyro_frame_t        f;
    pyro_jfr_method_t  *method;

    entry = pyro_jfr_cpool_entry(stacks->cpool, PYRO_JFR_POOL_METHOD, key);

    if (entry == PYRO_NONE) {
        return pyro_jfr_unknown(stacks);
    }

    method = &stacks->methods[entry];

    if (method->frame && method->line == line) {
        return method->frame - 1;
    }

    if (method->function == 0) {
        id = pyro_jfr_function(stacks, entry);

        if (id == PYRO_NONE) {
            return PYRO_NONE;
        }

        method->function = id + 1;
    }

    if (method->function - 1 == PYRO_JFR_NO_STACK) {
        return pyro_jfr_unknown(stacks);
    }

    memset(&f, 0, sizeof(pyro_frame_t));
    f.function = method->function - 1;
    f.line = (int32_t) line > 0 ? line : 0;

    id = pyro_profile_frame(stacks->profile, &f);

    method->line = line;
    method->frame = id + 1;

    return id;
}


/* The frame at r, whatever fields it has; PYRO_NONE: no memory. */
static uint32_t
pyro_jfr_frame_read(pyro_jfr_stacks_t *stacks, pyro_jfr_reader_t *r)
{
    uint64_t  slots[PYRO_JFR_FRAME_SLOTS] = { 0 };

    pyro_jfr_plan_run(stacks->cpool->md, &stacks->frame_plan, r, slots);

    return pyro_jfr_frame(stacks, slots[PYRO_JFR_SLOT_METHOD],
                          (uint32_t) slots[PYRO_JFR_SLOT_LINE]);
}


/*
 * The frames from the leaf on that are four varints in eight bytes, found by
 * the bytes of the first two: nearly all of async-profiler's.  Returns how many
 * of the n were read; PYRO_NONE: no memory.
 */
static uint32_t
pyro_jfr_frames_usual(pyro_jfr_stacks_t *stacks, pyro_jfr_reader_t *r,
    uint32_t n)
{
    uint32_t        i, id, slot;
    uint64_t        bytes, ends, first, second, fourth;
    const uint8_t  *p, *last;

    p = r->pos;
    last = pyro_jfr_left(r) < 8 ? NULL : r->end - 8;

    for (i = 0; i < n && last != NULL && p <= last; i++) {
        bytes = pyro_jfr_word_at(p);
        ends = ~bytes & PYRO_JFR_HIGH_BITS;

        first = ends & -ends;
        second = ends ^ first;
        fourth = second & (second - 1);
        fourth &= fourth - 1;

        if (fourth == 0) {
            break;
        }

        bytes &= second ^ (second - 1);
        slot = (uint32_t) (bytes * PYRO_JFR_KNOWN_FACTOR
                           >> stacks->known_shift);
        id = stacks->known_frames[slot] - 1;

        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);

        if (id == PYRO_NONE || stacks->known_bytes[slot] != bytes) {
            id = pyro_jfr_frame(stacks, pyro_jfr_groups(bytes & (first - 1)),
                                (uint32_t) pyro_jfr_groups(bytes
                                           >> (__builtin_ctzll(first) + 1)));

            if (id == PYRO_NONE) {
                return PYRO_NONE;
            }

            stacks->known_bytes[slot] = bytes;
            stacks->known_frames[slot] = id + 1;
        }

        p += __builtin_ctzll(fourth) / 8 + 1;
        stacks->path.items[i].frame = id;
    }

    r->pos = p;

    return i;
}


static void
pyro_jfr_count_unknown(pyro_jfr_stacks_t *stacks)
{
    uint32_t  i;

    for (i = 0; i < stacks->path.n; i++) {
        if (stacks->path.items[i].frame == stacks->unknown - 1) {
            pyro_jfr_count_add(stacks->report, PYRO_JFR_METHOD_MISSING, 1);
        }
    }
}


/* The frames of a stack into stacks->path. */
static pyro_jfr_bad_e
pyro_jfr_path_read(pyro_jfr_stacks_t *stacks, uint32_t entry)
{
    uint32_t              i, id;
    uint64_t              n, slots[PYRO_JFR_STACK_SLOTS] = { 0 };
    pyro_jfr_path_t      *path;
    pyro_jfr_reader_t     r;
    pyro_jfr_metadata_t  *md;

    md = stacks->cpool->md;
    path = &stacks->path;

    r = pyro_jfr_cpool_reader(stacks->cpool, PYRO_JFR_POOL_STACK, entry);
    pyro_jfr_plan_run(md, &stacks->stack_plan, &r, slots);

    if (r.bad || slots[PYRO_JFR_SLOT_FRAMES] == 0
        || stacks->frame_plan.n == 0)
    {
        return PYRO_JFR_MALFORMED;
    }

    if (slots[PYRO_JFR_SLOT_TRUNCATED]) {
        pyro_jfr_count_add(stacks->report, PYRO_JFR_STACK_TRUNCATED, 1);
    }

    r = pyro_jfr_chunk_reader(md->chunk, slots[PYRO_JFR_SLOT_FRAMES]);
    n = pyro_jfr_count(&r);

    if (n && pyro_arena_grow(stacks->arena, &path->items, &path->cap,
                             (size_t) n, sizeof(pyro_jfr_step_of_path_t)))
    {
        return PYRO_JFR_NO_MEMORY;
    }

    PYRO_COUNT(PYRO_COUNT_STEPS, n);

    path->n = (uint32_t) n;
    i = stacks->usual ? pyro_jfr_frames_usual(stacks, &r, path->n) : 0;

    if (i == PYRO_NONE) {
        return PYRO_JFR_NO_MEMORY;
    }

    for ( /* void */ ; i < path->n; i++) {
        id = pyro_jfr_frame_read(stacks, &r);

        if (r.bad || id == PYRO_NONE) {
            return r.bad ? r.bad : PYRO_JFR_NO_MEMORY;
        }

        path->items[i].frame = id;
    }

    if (stacks->unknown) {
        pyro_jfr_count_unknown(stacks);
    }

    return PYRO_JFR_SOUND;
}


/* From the root to the leaf; the outer frames of two stacks are often equal. */
static uint32_t
pyro_jfr_path_node(pyro_jfr_stacks_t *stacks)
{
    uint32_t                  i, node, left;
    pyro_jfr_path_t           path;
    pyro_jfr_step_of_path_t  *step, *last;

    node = 0;
    step = stacks->path.items;
    last = stacks->last.items;
    i = stacks->path.n;

    for (left = stacks->last.n; left && i; left--) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);

        if (last[left - 1].frame != step[i - 1].frame) {
            break;
        }

        node = last[left - 1].node;
        step[--i].node = node;
    }

    while (i) {
        node = pyro_profile_node(stacks->profile, node, step[--i].frame);
        step[i].node = node;

        if (node == PYRO_NONE) {
            return PYRO_NONE;
        }
    }

    path = stacks->last;
    stacks->last = stacks->path;
    stacks->path = path;

    return node;
}


uint32_t
pyro_jfr_stack(pyro_jfr_stacks_t *stacks, uint32_t entry)
{
    uint32_t        node;
    pyro_jfr_bad_e  bad;

    if (stacks->nodes[entry]) {
        return stacks->nodes[entry] - 1;
    }

    bad = pyro_jfr_path_read(stacks, entry);

    if (bad == PYRO_JFR_NO_MEMORY) {
        return PYRO_NONE;
    }

    node = bad ? PYRO_JFR_NO_STACK : pyro_jfr_path_node(stacks);

    if (node != PYRO_NONE) {
        stacks->nodes[entry] = node + 1;
    }

    return node;
}
