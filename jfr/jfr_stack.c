#include "jfr/jfr_stack.h"

#include "jfr/jfr_symbol.h"


#define PYRO_JFR_MAX_SYMBOL  8191

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
static pyro_slice_t pyro_jfr_symbol_read(pyro_jfr_stacks_t *stacks,
    uint32_t entry);
static pyro_slice_t pyro_jfr_symbol_text(pyro_jfr_stacks_t *stacks,
    uint64_t key);
static pyro_slice_t pyro_jfr_class_text(pyro_jfr_stacks_t *stacks,
    uint32_t entry);
static uint32_t pyro_jfr_function_text(pyro_jfr_stacks_t *stacks,
    pyro_slice_t class, pyro_slice_t name);
static uint32_t pyro_jfr_function(pyro_jfr_stacks_t *stacks, uint32_t entry);
static void pyro_jfr_frame_read(pyro_jfr_stacks_t *stacks,
    pyro_jfr_reader_t *r, pyro_jfr_frame_t *frame);
static pyro_jfr_bad_e pyro_jfr_path_read(pyro_jfr_stacks_t *stacks,
    uint32_t entry);
static uint32_t pyro_jfr_frame_id(pyro_jfr_stacks_t *stacks,
    const pyro_jfr_frame_t *frame);
static uint32_t pyro_jfr_path_node(pyro_jfr_stacks_t *stacks);


static const pyro_jfr_want_t  pyro_jfr_stack_wants[] = {
    { "truncated", "boolean", 0, 0, PYRO_JFR_SLOT_TRUNCATED },
    { "frames", "jdk.types.StackFrame", 0, 1, PYRO_JFR_SLOT_FRAMES },
};


static const pyro_jfr_want_t  pyro_jfr_frame_wants[] = {
    { "method", "jdk.types.Method", 1, 0, PYRO_JFR_SLOT_METHOD },
    { "lineNumber", "int", 0, 0, PYRO_JFR_SLOT_LINE },
};


static const pyro_jfr_want_t  pyro_jfr_method_wants[] = {
    { "type", "java.lang.Class", 1, 0, PYRO_JFR_SLOT_TYPE },
    { "name", "jdk.types.Symbol", 1, 0, PYRO_JFR_SLOT_NAME },
};


static const pyro_jfr_want_t  pyro_jfr_class_wants[] = {
    { "name", "jdk.types.Symbol", 1, 0, 0 },
};


static const pyro_jfr_want_t  pyro_jfr_symbol_wants[] = {
    { "string", "java.lang.String", 0, 0, 0 },
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

    return pyro_jfr_plan_make(stacks->cpool->md, class, wants, n, 0, plan,
                              &found);
}


/*
 * Frames lie one behind the other, so their plan reads them whole.  All known
 * writers have frames of nothing but integers, method and line at the front,
 * which is worth a way of its own.
 */
static int
pyro_jfr_plan_frame(pyro_jfr_stacks_t *stacks)
{
    uint32_t  class, found, order[PYRO_JFR_FRAME_SLOTS];

    class = pyro_jfr_metadata_find(stacks->cpool->md, "jdk.types.StackFrame");

    if (class == PYRO_NONE || !stacks->cpool->md->classes[class].sized) {
        return 0;
    }

    if (pyro_jfr_plan_make(stacks->cpool->md, class, pyro_jfr_frame_wants,
                           2, 1, &stacks->frame_plan, &found))
    {
        return -1;
    }

    if (found == 3 && !stacks->cpool->md->chunk->fixed) {
        stacks->varints = pyro_jfr_plan_varints(&stacks->frame_plan, order);
        stacks->usual = stacks->varints && order[PYRO_JFR_SLOT_METHOD] == 0
                        && order[PYRO_JFR_SLOT_LINE] == 1;
    }

    return 0;
}


int
pyro_jfr_stacks_init(pyro_jfr_stacks_t *stacks, const pyro_jfr_cpool_t *cpool,
    pyro_profile_t *profile, pyro_jfr_report_t *report)
{
    pyro_arena_t  *arena;

    memset(stacks, 0, sizeof(pyro_jfr_stacks_t));

    arena = cpool->arena;

    stacks->cpool = cpool;
    stacks->arena = arena;
    stacks->profile = profile;
    stacks->report = report;

    stacks->nodes = pyro_arena_calloc(arena,
                                      cpool->pools[PYRO_JFR_POOL_STACK].n,
                                      sizeof(uint32_t));
    stacks->methods = pyro_arena_calloc(arena,
                                      cpool->pools[PYRO_JFR_POOL_METHOD].n,
                                      sizeof(pyro_jfr_method_t));
    stacks->symbols = pyro_arena_calloc(arena,
                                      cpool->pools[PYRO_JFR_POOL_SYMBOL].n,
                                      sizeof(pyro_slice_t));
    stacks->unknown = pyro_profile_string(profile, PYRO_SLICE("[unknown]"));

    if (stacks->nodes == NULL || stacks->methods == NULL
        || stacks->symbols == NULL || stacks->unknown == PYRO_NONE)
    {
        return -1;
    }

    if (pyro_jfr_plan_pool(stacks, PYRO_JFR_POOL_STACK, pyro_jfr_stack_wants,
                           2, &stacks->stack_plan)
        || pyro_jfr_plan_pool(stacks, PYRO_JFR_POOL_METHOD,
                              pyro_jfr_method_wants, 2, &stacks->method_plan)
        || pyro_jfr_plan_pool(stacks, PYRO_JFR_POOL_CLASS,
                              pyro_jfr_class_wants, 1, &stacks->class_plan)
        || pyro_jfr_plan_pool(stacks, PYRO_JFR_POOL_SYMBOL,
                              pyro_jfr_symbol_wants, 1, &stacks->symbol_plan))
    {
        return -1;
    }

    return pyro_jfr_plan_frame(stacks);
}


static pyro_slice_t
pyro_jfr_symbol_read(pyro_jfr_stacks_t *stacks, uint32_t entry)
{
    uint64_t                 slot;
    pyro_slice_t             text;
    pyro_jfr_reader_t        r;
    const pyro_jfr_cpool_t  *cpool;

    slot = 0;
    cpool = stacks->cpool;
    r = pyro_jfr_cpool_reader(cpool, PYRO_JFR_POOL_SYMBOL, entry);
    pyro_jfr_plan_run(cpool->md, &stacks->symbol_plan, &r, &slot);

    if (r.bad || slot == 0) {
        return pyro_slice("", 0);
    }

    r = pyro_jfr_chunk_reader(cpool->md->chunk, slot);
    text = pyro_jfr_cpool_string(cpool, &r);

    if (r.bad) {
        return r.bad == PYRO_JFR_NO_MEMORY ? pyro_slice(NULL, 0)
                                           : pyro_slice("", 0);
    }

    text = pyro_jfr_symbol(stacks->arena, text);

    if (text.len > PYRO_JFR_MAX_SYMBOL) {
        text.len = PYRO_JFR_MAX_SYMBOL;
    }

    return text;
}


/* Empty if the symbol is missing; data NULL: no memory. */
static pyro_slice_t
pyro_jfr_symbol_text(pyro_jfr_stacks_t *stacks, uint64_t key)
{
    uint32_t  entry;

    entry = pyro_jfr_cpool_entry(stacks->cpool, PYRO_JFR_POOL_SYMBOL, key);

    if (entry == PYRO_NONE) {
        return pyro_slice("", 0);
    }

    if (stacks->symbols[entry].data == NULL) {
        stacks->symbols[entry] = pyro_jfr_symbol_read(stacks, entry);
    }

    return stacks->symbols[entry];
}


static pyro_slice_t
pyro_jfr_class_text(pyro_jfr_stacks_t *stacks, uint32_t entry)
{
    uint64_t           slot;
    pyro_jfr_reader_t  r;

    slot = 0;
    r = pyro_jfr_cpool_reader(stacks->cpool, PYRO_JFR_POOL_CLASS, entry);
    pyro_jfr_plan_run(stacks->cpool->md, &stacks->class_plan, &r, &slot);

    return pyro_jfr_symbol_text(stacks, slot);
}


static uint32_t
pyro_jfr_function_text(pyro_jfr_stacks_t *stacks, pyro_slice_t class,
    pyro_slice_t name)
{
    size_t  len;

    len = class.len + 1 + name.len;

    if (len > stacks->text_cap) {
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

    return pyro_profile_string(stacks->profile,
                               pyro_slice(stacks->text, len));
}


/* The function string of a method, "[unknown]" if its class is missing. */
static uint32_t
pyro_jfr_function(pyro_jfr_stacks_t *stacks, uint32_t entry)
{
    uint32_t           class, function;
    uint64_t           slots[PYRO_JFR_METHOD_SLOTS] = { 0 };
    pyro_slice_t       class_text, name;
    pyro_jfr_reader_t  r;

    if (stacks->methods[entry].function) {
        return stacks->methods[entry].function - 1;
    }

    r = pyro_jfr_cpool_reader(stacks->cpool, PYRO_JFR_POOL_METHOD, entry);
    pyro_jfr_plan_run(stacks->cpool->md, &stacks->method_plan, &r, slots);

    class = r.bad ? PYRO_NONE
                  : pyro_jfr_cpool_entry(stacks->cpool, PYRO_JFR_POOL_CLASS,
                                         slots[PYRO_JFR_SLOT_TYPE]);

    if (class == PYRO_NONE) {
        function = stacks->unknown;

    } else {
        class_text = pyro_jfr_class_text(stacks, class);
        name = pyro_jfr_symbol_text(stacks, slots[PYRO_JFR_SLOT_NAME]);

        if (class_text.data == NULL || name.data == NULL) {
            return PYRO_NONE;
        }

        function = pyro_jfr_function_text(stacks, class_text, name);

        if (function == PYRO_NONE) {
            return PYRO_NONE;
        }
    }

    stacks->methods[entry].function = function + 1;

    return function;
}


static void
pyro_jfr_frame_read(pyro_jfr_stacks_t *stacks, pyro_jfr_reader_t *r,
    pyro_jfr_frame_t *frame)
{
    uint32_t  i;
    uint64_t  slots[PYRO_JFR_FRAME_SLOTS] = { 0 };

    if (stacks->usual
        && pyro_jfr_left(r) >= stacks->varints * PYRO_JFR_VARINT_MAX)
    {
        slots[PYRO_JFR_SLOT_METHOD] = pyro_jfr_varint(r);
        slots[PYRO_JFR_SLOT_LINE] = pyro_jfr_varint(r);

        for (i = 2; i < stacks->varints; i++) {
            pyro_jfr_pass(r);
        }

    } else {
        pyro_jfr_plan_run(stacks->cpool->md, &stacks->frame_plan, r, slots);
    }

    frame->method = pyro_jfr_cpool_entry(stacks->cpool, PYRO_JFR_POOL_METHOD,
                                         slots[PYRO_JFR_SLOT_METHOD]);
    frame->line = (int32_t) (uint32_t) slots[PYRO_JFR_SLOT_LINE];
}


/* The frames of a stack into stacks->path. */
static pyro_jfr_bad_e
pyro_jfr_path_read(pyro_jfr_stacks_t *stacks, uint32_t entry)
{
    uint64_t                    n, slots[PYRO_JFR_STACK_SLOTS] = { 0 };
    pyro_jfr_path_t            *path;
    pyro_jfr_reader_t           r;
    const pyro_jfr_metadata_t  *md;

    md = stacks->cpool->md;
    path = &stacks->path;
    path->n = 0;

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

    for (n = pyro_jfr_count(&r); n && r.bad == PYRO_JFR_SOUND; n--) {
        if (path->n == path->cap
            && pyro_arena_grow(stacks->arena, &path->items, &path->cap,
                               (size_t) path->n + 1, sizeof(pyro_jfr_frame_t)))
        {
            return PYRO_JFR_NO_MEMORY;
        }

        pyro_jfr_frame_read(stacks, &r, &path->items[path->n++]);
    }

    return r.bad;
}


/* The profile's frame; most methods are met at one line again and again. */
static uint32_t
pyro_jfr_frame_id(pyro_jfr_stacks_t *stacks, const pyro_jfr_frame_t *frame)
{
    uint32_t            id;
    pyro_frame_t        f;
    pyro_jfr_method_t  *method;

    memset(&f, 0, sizeof(pyro_frame_t));

    if (frame->method == PYRO_NONE) {
        pyro_jfr_count_add(stacks->report, PYRO_JFR_METHOD_MISSING, 1);
        f.function = stacks->unknown;

        return pyro_profile_frame(stacks->profile, &f);
    }

    method = &stacks->methods[frame->method];

    if (method->frame && method->line == frame->line) {
        return method->frame - 1;
    }

    f.function = pyro_jfr_function(stacks, frame->method);

    if (f.function == PYRO_NONE) {
        return PYRO_NONE;
    }

    if (f.function == stacks->unknown) {
        pyro_jfr_count_add(stacks->report, PYRO_JFR_METHOD_MISSING, 1);

    } else if (frame->line > 0) {
        f.line = (uint32_t) frame->line;
    }

    id = pyro_profile_frame(stacks->profile, &f);

    method->line = frame->line;
    method->frame = id + 1;

    return id;
}


/* From the root to the leaf; the outer frames of two stacks are often equal. */
static uint32_t
pyro_jfr_path_node(pyro_jfr_stacks_t *stacks)
{
    uint32_t           i, id, node, left;
    pyro_jfr_path_t    path;
    pyro_jfr_frame_t  *frame, *last;

    node = 0;
    left = stacks->last.n;

    for (i = stacks->path.n; i; i--) {
        frame = &stacks->path.items[i - 1];

        if (left) {
            last = &stacks->last.items[--left];

            if (last->method == frame->method && last->line == frame->line) {
                node = last->node;
                frame->node = node;
                continue;
            }

            left = 0;
        }

        id = pyro_jfr_frame_id(stacks, frame);
        node = id == PYRO_NONE
               ? PYRO_NONE : pyro_profile_node(stacks->profile, node, id);
        frame->node = node;

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
