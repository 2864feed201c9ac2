#include "core/api/stacks.h"

#include "core/base/intern.h"


#define PYRO_PPROF_CPU_PERIOD     1000000000
#define PYRO_PPROF_MEMORY_PERIOD  (512 * 1024)


typedef struct {
    const pyro_tree_t           *tree;
    const pyro_pprof_options_t  *options;
    pyro_arena_t                *arena;
    pyro_intern_t                strings;
    pyro_intern_t                functions;     /* name, file, first line */
    pyro_intern_t                locations;     /* function, line */
    pyro_intern_t                stacks;        /* ids of locations */
    uint64_t                    *values;        /* by stack */
    uint32_t                     cap_values;
    uint64_t                    *ids;           /* of the stack at hand */
    uint32_t                     cap_ids;
    uint32_t                    *by_frame;      /* location of a frame */
    Google__V1__Profile         *profile;
} pyro_pprof_t;


static int pyro_pprof_stacks(pyro_pprof_t *p);
static int pyro_pprof_stack(pyro_pprof_t *p, uint32_t node);
static uint32_t pyro_pprof_location(pyro_pprof_t *p, uint32_t frame, int leaf);
static uint32_t pyro_pprof_text(pyro_pprof_t *p, uint32_t name);
static int pyro_pprof_types(pyro_pprof_t *p);
static int pyro_pprof_value_type(pyro_pprof_t *p, pyro_slice_t type,
    pyro_slice_t unit, Google__V1__ValueType **out);
static int pyro_pprof_samples(pyro_pprof_t *p);
static int pyro_pprof_locations(pyro_pprof_t *p);
static int pyro_pprof_functions(pyro_pprof_t *p);
static int pyro_pprof_mapping(pyro_pprof_t *p);
static int pyro_pprof_strings(pyro_pprof_t *p);


pyro_status_e
pyro_pprof_build(const pyro_tree_t *tree, const pyro_pprof_options_t *options,
    Google__V1__Profile **out, pyro_error_t *err)
{
    pyro_pprof_t  p;

    memset(&p, 0, sizeof(pyro_pprof_t));

    p.tree = tree;
    p.options = options;
    p.arena = tree->arena;
    pyro_intern_init(&p.strings, p.arena);
    pyro_intern_init(&p.functions, p.arena);
    pyro_intern_init(&p.locations, p.arena);
    pyro_intern_init(&p.stacks, p.arena);

    p.profile = pyro_arena_alloc(p.arena, sizeof(Google__V1__Profile));
    p.by_frame = pyro_arena_calloc(p.arena, tree->n_frames, sizeof(uint32_t));

    if (p.profile == NULL || p.by_frame == NULL
        || pyro_intern(&p.strings, pyro_slice("", 0), 0) == PYRO_NONE)
    {
        return pyro_error_memory(err);
    }

    google__v1__profile__init(p.profile);
    *out = p.profile;

    if (pyro_pprof_stacks(&p)) {
        return pyro_error_memory(err);
    }

    if (p.stacks.n == 0) {
        return PYRO_OK;
    }

    return pyro_pprof_types(&p) || pyro_pprof_samples(&p)
           || pyro_pprof_locations(&p) || pyro_pprof_functions(&p)
           || pyro_pprof_mapping(&p) || pyro_pprof_strings(&p)
           ? pyro_error_memory(err) : PYRO_OK;
}


static int
pyro_pprof_stacks(pyro_pprof_t *p)
{
    uint32_t  i;

    for (i = 0; i < p->tree->n; i++) {
        if (p->tree->nodes[i].self && pyro_pprof_stack(p, i)) {
            return -1;
        }
    }

    return 0;
}


/* Stacks that are the same, without what is left out of them, are one. */
static int
pyro_pprof_stack(pyro_pprof_t *p, uint32_t node)
{
    uint32_t      n, at, stack;
    uint64_t      id;
    pyro_slice_t  key;

    for (at = node, n = 0; at; at = p->tree->nodes[at].parent) {

        if (p->options->keep_locations && n == p->options->keep_locations) {
            break;
        }

        if (pyro_arena_grow(p->arena, &p->ids, &p->cap_ids, (size_t) n + 1,
                            sizeof(uint64_t)))
        {
            return -1;
        }

        id = pyro_pprof_location(p, p->tree->nodes[at].name, n == 0);

        if (id == PYRO_NONE) {
            return -1;
        }

        p->ids[n++] = id + 1;
    }

    key = pyro_slice((const char *) p->ids, n * sizeof(uint64_t));
    stack = pyro_intern_find(&p->stacks, key);

    if (stack == PYRO_NONE) {
        stack = p->stacks.n;

        if (pyro_arena_grow(p->arena, &p->values, &p->cap_values,
                            (size_t) stack + 1, sizeof(uint64_t))
            || pyro_intern(&p->stacks, key, 1) == PYRO_NONE)
        {
            return -1;
        }

        p->values[stack] = 0;
    }

    id = p->values[stack] + p->tree->nodes[node].self;
    p->values[stack] = id > INT64_MAX ? INT64_MAX : id;

    return 0;
}


/* By function and line; PYRO_NONE: no memory. */
static uint32_t
pyro_pprof_location(pyro_pprof_t *p, uint32_t frame, int leaf)
{
    uint32_t                  key[3], function, location;
    const pyro_tree_frame_t  *f;

    leaf = leaf && p->options->aggregate_callees;

    if (!leaf && p->by_frame[frame]) {
        return p->by_frame[frame] - 1;
    }

    f = &p->tree->frames[frame];

    key[0] = pyro_pprof_text(p, f->function);
    key[1] = f->file == PYRO_NONE ? 0 : pyro_pprof_text(p, f->file);
    key[2] = f->start_line;

    if (key[0] == PYRO_NONE || key[1] == PYRO_NONE) {
        return PYRO_NONE;
    }

    function = pyro_intern(&p->functions,
                           pyro_slice((char *) key, sizeof(key)), 1);

    if (function == PYRO_NONE) {
        return PYRO_NONE;
    }

    key[0] = function;
    key[1] = leaf ? 0 : f->line;
    location = pyro_intern(&p->locations,
                           pyro_slice((char *) key, 2 * sizeof(uint32_t)), 1);

    if (!leaf && location != PYRO_NONE) {
        p->by_frame[frame] = location + 1;
    }

    return location;
}


static uint32_t
pyro_pprof_text(pyro_pprof_t *p, uint32_t name)
{
    return pyro_intern(&p->strings, p->tree->names.items[name], 0);
}


static int
pyro_pprof_types(pyro_pprof_t *p)
{
    Google__V1__Profile        *m;
    const pyro_profile_type_t  *type;

    m = p->profile;
    type = p->options->type;
    m->n_sample_type = 1;
    m->sample_type = pyro_arena_calloc(p->arena, 1, sizeof(void *));

    if (m->sample_type == NULL
        || pyro_pprof_value_type(p, type->sample_type, type->sample_unit,
                                 m->sample_type)
        || (type->period_type.len
            && pyro_pprof_value_type(p, type->period_type, type->period_unit,
                                     &m->period_type)))
    {
        return -1;
    }

    m->default_sample_type = m->sample_type[0]->type;
    m->period = pyro_slice_is(type->name, "process_cpu")
                ? PYRO_PPROF_CPU_PERIOD
                : pyro_slice_is(type->name, "memory")
                ? PYRO_PPROF_MEMORY_PERIOD : 0;
    m->time_nanos = p->options->end;

    return 0;
}


static int
pyro_pprof_value_type(pyro_pprof_t *p, pyro_slice_t type, pyro_slice_t unit,
    Google__V1__ValueType **out)
{
    uint32_t                first, second;
    Google__V1__ValueType  *m;

    m = pyro_arena_alloc(p->arena, sizeof(*m));
    first = pyro_intern(&p->strings, type, 0);
    second = pyro_intern(&p->strings, unit, 0);

    if (m == NULL || first == PYRO_NONE || second == PYRO_NONE) {
        return -1;
    }

    google__v1__value_type__init(m);
    m->type = first;
    m->unit = second;
    *out = m;

    return 0;
}


/* Stacks are in the order in which they came; a stack's ids are its key. */
static int
pyro_pprof_samples(pyro_pprof_t *p)
{
    uint32_t              i, n;
    Google__V1__Sample   *items;
    Google__V1__Profile  *m;

    m = p->profile;
    n = p->stacks.n;
    items = pyro_arena_calloc(p->arena, n, sizeof(*items));
    m->n_sample = n;
    m->sample = pyro_arena_calloc(p->arena, n, sizeof(void *));

    if (items == NULL || m->sample == NULL) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        google__v1__sample__init(&items[i]);

        items[i].n_location_id = p->stacks.items[i].len / sizeof(uint64_t);
        items[i].location_id = pyro_arena_alloc(p->arena,
                                                p->stacks.items[i].len + 1);
        items[i].n_value = 1;
        items[i].value = (int64_t *) &p->values[i];

        if (items[i].location_id == NULL) {
            return -1;
        }

        if (p->stacks.items[i].len) {
            memcpy(items[i].location_id, p->stacks.items[i].data,
                   p->stacks.items[i].len);
        }

        m->sample[i] = &items[i];
    }

    return 0;
}


static int
pyro_pprof_locations(pyro_pprof_t *p)
{
    uint32_t               i, n, key[2];
    Google__V1__Line      *lines, **line;
    Google__V1__Profile   *m;
    Google__V1__Location  *items;

    m = p->profile;
    n = p->locations.n;
    items = pyro_arena_calloc(p->arena, n, sizeof(*items));
    lines = pyro_arena_calloc(p->arena, n, sizeof(*lines));
    line = pyro_arena_calloc(p->arena, n, sizeof(void *));
    m->n_location = n;
    m->location = pyro_arena_calloc(p->arena, n, sizeof(void *));

    if (items == NULL || lines == NULL || line == NULL
        || m->location == NULL)
    {
        return -1;
    }

    for (i = 0; i < n; i++) {
        memcpy(key, p->locations.items[i].data, sizeof(key));

        google__v1__line__init(&lines[i]);
        lines[i].function_id = (uint64_t) key[0] + 1;
        lines[i].line = key[1];
        line[i] = &lines[i];

        google__v1__location__init(&items[i]);
        items[i].id = (uint64_t) i + 1;
        items[i].mapping_id = 1;
        items[i].n_line = 1;
        items[i].line = &line[i];
        m->location[i] = &items[i];
    }

    return 0;
}


static int
pyro_pprof_functions(pyro_pprof_t *p)
{
    uint32_t               i, n, key[3];
    Google__V1__Profile   *m;
    Google__V1__Function  *items;

    m = p->profile;
    n = p->functions.n;
    items = pyro_arena_calloc(p->arena, n, sizeof(*items));
    m->n_function = n;
    m->function = pyro_arena_calloc(p->arena, n, sizeof(void *));

    if (items == NULL || m->function == NULL) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        memcpy(key, p->functions.items[i].data, sizeof(key));

        google__v1__function__init(&items[i]);
        items[i].id = (uint64_t) i + 1;
        items[i].name = key[0];
        items[i].system_name = key[0];
        items[i].filename = key[1];
        items[i].start_line = key[2];
        m->function[i] = &items[i];
    }

    return 0;
}


/* Without one that has everything tools would look for a binary. */
static int
pyro_pprof_mapping(pyro_pprof_t *p)
{
    Google__V1__Mapping  *mapping;
    Google__V1__Profile  *m;

    m = p->profile;
    mapping = pyro_arena_alloc(p->arena, sizeof(*mapping));
    m->n_mapping = 1;
    m->mapping = pyro_arena_calloc(p->arena, 1, sizeof(void *));

    if (mapping == NULL || m->mapping == NULL) {
        return -1;
    }

    google__v1__mapping__init(mapping);
    mapping->id = 1;
    mapping->has_functions = 1;
    mapping->has_filenames = 1;
    mapping->has_line_numbers = 1;
    mapping->has_inline_frames = 1;
    m->mapping[0] = mapping;

    return 0;
}


/* protobuf-c's strings end with a zero byte. */
static int
pyro_pprof_strings(pyro_pprof_t *p)
{
    uint32_t              i;
    Google__V1__Profile  *m;

    m = p->profile;
    m->n_string_table = p->strings.n;
    m->string_table = pyro_arena_calloc(p->arena, p->strings.n,
                                        sizeof(char *));

    for (i = 0; m->string_table != NULL && i < p->strings.n; i++) {
        m->string_table[i] = (char *) pyro_arena_dup(p->arena,
                                                  p->strings.items[i]).data;

        if (m->string_table[i] == NULL) {
            return -1;
        }
    }

    return m->string_table == NULL ? -1 : 0;
}
