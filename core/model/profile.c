#include "core/model/profile.h"

#include "core/base/count.h"
#include "core/base/utf8.h"


#define PYRO_INDEX_FIRST    8       /* slots; of sections there are many */
#define PYRO_SAMPLES_FIRST  4


/* What an index has to know of the items of an array. */
typedef struct {
    size_t     size;
    uint64_t (*hash)(const void *item, uint64_t seed);
    int      (*eq)(const void *one, const void *two);
} pyro_item_kind_t;


static uint64_t pyro_frame_hash(const void *item, uint64_t seed);
static int pyro_frame_eq(const void *one, const void *two);
static uint64_t pyro_node_hash(const void *item, uint64_t seed);
static int pyro_node_eq(const void *one, const void *two);
static uint64_t pyro_span_hash(const void *item, uint64_t seed);
static int pyro_span_eq(const void *one, const void *two);
static uint64_t pyro_column_hash(const void *item, uint64_t seed);
static int pyro_column_eq(const void *one, const void *two);
static uint64_t pyro_label_set_hash(const void *item, uint64_t seed);
static int pyro_label_set_eq(const void *one, const void *two);
static uint64_t pyro_section_hash(const void *item, uint64_t seed);
static int pyro_section_eq(const void *one, const void *two);
static uint64_t pyro_sample_hash(const void *item, uint64_t seed);
static int pyro_sample_eq(const void *one, const void *two);
static int pyro_index_grow(pyro_profile_t *p, pyro_profile_index_t *index,
    const char *items, const pyro_item_kind_t *kind, uint32_t n);
static inline uint32_t *pyro_index_slot(const pyro_profile_index_t *index,
    const char *items, const void *item, uint64_t seed,
    const pyro_item_kind_t *kind);
static inline uint32_t pyro_profile_enter(pyro_profile_t *p,
    pyro_profile_index_t *index, void *array, uint32_t *n, uint32_t *cap,
    const void *item, const pyro_item_kind_t *kind);
static pyro_slice_t pyro_profile_repair(pyro_arena_t *arena, pyro_slice_t s);
static int pyro_samples_first(pyro_arena_t *arena, pyro_section_t *section);
static int pyro_labels_copy(pyro_arena_t *arena, pyro_labels_t *set);


static const pyro_item_kind_t  pyro_frame_kind = {
    sizeof(pyro_frame_t), pyro_frame_hash, pyro_frame_eq
};

static const pyro_item_kind_t  pyro_node_kind = {
    sizeof(pyro_node_t), pyro_node_hash, pyro_node_eq
};

static const pyro_item_kind_t  pyro_span_kind = {
    sizeof(pyro_span_t), pyro_span_hash, pyro_span_eq
};

static const pyro_item_kind_t  pyro_column_kind = {
    sizeof(pyro_profile_column_t), pyro_column_hash, pyro_column_eq
};

static const pyro_item_kind_t  pyro_label_set_kind = {
    sizeof(pyro_label_set_t), pyro_label_set_hash, pyro_label_set_eq
};

static const pyro_item_kind_t  pyro_section_kind = {
    sizeof(pyro_section_t), pyro_section_hash, pyro_section_eq
};

static const pyro_item_kind_t  pyro_sample_kind = {
    sizeof(pyro_sample_t), pyro_sample_hash, pyro_sample_eq
};


pyro_profile_t *
pyro_profile_create(pyro_arena_t *arena)
{
    pyro_profile_t  *p;

    p = pyro_arena_calloc(arena, 1, sizeof(pyro_profile_t));

    if (p == NULL) {
        return NULL;
    }

    p->arena = arena;
    pyro_intern_init(&p->strings, arena);

    if (pyro_intern(&p->strings, PYRO_SLICE(""), 0) != 0
        || pyro_arena_grow(arena, &p->nodes, &p->cap_nodes, 1,
                           sizeof(pyro_node_t))
        || pyro_arena_grow(arena, &p->spans, &p->cap_spans, 1,
                           sizeof(pyro_span_t))
        || pyro_arena_grow(arena, &p->label_sets, &p->cap_label_sets, 1,
                           sizeof(pyro_label_set_t)))
    {
        return NULL;
    }

    /* the three first entries are never looked up, so no index holds them */

    p->nodes[0].parent = 0;
    p->nodes[0].frame = PYRO_NONE;
    p->n_nodes = 1;

    memset(&p->spans[0], 0, sizeof(pyro_span_t));
    p->n_spans = 1;

    memset(&p->label_sets[0], 0, sizeof(pyro_label_set_t));
    p->n_label_sets = 1;

    return p;
}


static uint64_t
pyro_frame_hash(const void *item, uint64_t seed)
{
    const pyro_frame_t  *frame = item;

    seed = pyro_profile_hash(frame->file, frame->start_line, seed);

    return pyro_profile_hash(frame->function, frame->line, seed);
}


static int
pyro_frame_eq(const void *one, const void *two)
{
    const pyro_frame_t  *a = one, *b = two;

    return a->function == b->function && a->line == b->line
           && a->file == b->file && a->start_line == b->start_line;
}


static uint64_t
pyro_node_hash(const void *item, uint64_t seed)
{
    const pyro_node_t  *node = item;

    return pyro_profile_hash(node->parent, node->frame, seed);
}


static int
pyro_node_eq(const void *one, const void *two)
{
    const pyro_node_t  *a = one, *b = two;

    return a->parent == b->parent && a->frame == b->frame;
}


static uint64_t
pyro_span_hash(const void *item, uint64_t seed)
{
    const pyro_span_t  *span = item;

    seed = pyro_hash_mix(seed, span->id);
    seed = pyro_hash_mix(seed, span->trace_hi);

    return pyro_hash_mix(seed, span->trace_lo);
}


static int
pyro_span_eq(const void *one, const void *two)
{
    const pyro_span_t  *a = one, *b = two;

    return a->id == b->id && a->trace_hi == b->trace_hi
           && a->trace_lo == b->trace_lo;
}


static uint64_t
pyro_column_hash(const void *item, uint64_t seed)
{
    const pyro_profile_type_t  *type;

    type = &((const pyro_profile_column_t *) item)->type;

    seed = pyro_hash64(type->name.data, type->name.len, seed);
    seed = pyro_hash64(type->sample_type.data, type->sample_type.len, seed);
    seed = pyro_hash64(type->sample_unit.data, type->sample_unit.len, seed);
    seed = pyro_hash64(type->period_type.data, type->period_type.len, seed);

    return pyro_hash64(type->period_unit.data, type->period_unit.len, seed);
}


static int
pyro_column_eq(const void *one, const void *two)
{
    const pyro_profile_type_t  *a, *b;

    a = &((const pyro_profile_column_t *) one)->type;
    b = &((const pyro_profile_column_t *) two)->type;

    return pyro_slice_eq(a->name, b->name)
           && pyro_slice_eq(a->sample_type, b->sample_type)
           && pyro_slice_eq(a->sample_unit, b->sample_unit)
           && pyro_slice_eq(a->period_type, b->period_type)
           && pyro_slice_eq(a->period_unit, b->period_unit);
}


static uint64_t
pyro_label_set_hash(const void *item, uint64_t seed)
{
    uint32_t              i;
    const pyro_labels_t  *set;

    set = &((const pyro_label_set_t *) item)->dynamic;

    for (i = 0; i < set->n; i++) {
        seed = pyro_hash64(set->items[i].name.data, set->items[i].name.len,
                           seed);
        seed = pyro_hash64(set->items[i].value.data, set->items[i].value.len,
                           seed);
    }

    return seed;
}


static int
pyro_label_set_eq(const void *one, const void *two)
{
    const pyro_label_set_t  *a = one, *b = two;

    return pyro_labels_cmp(&a->dynamic, &b->dynamic) == 0;
}


static uint64_t
pyro_section_hash(const void *item, uint64_t seed)
{
    const pyro_section_t  *section = item;

    return pyro_profile_hash(section->labels, section->type, seed);
}


static int
pyro_section_eq(const void *one, const void *two)
{
    const pyro_section_t  *a = one, *b = two;

    return a->labels == b->labels && a->type == b->type;
}


static uint64_t
pyro_sample_hash(const void *item, uint64_t seed)
{
    const pyro_sample_t  *sample = item;

    return pyro_profile_hash(sample->node, sample->span, seed);
}


static int
pyro_sample_eq(const void *one, const void *two)
{
    const pyro_sample_t  *a = one, *b = two;

    return a->node == b->node && a->span == b->span;
}


/*
 * Makes the table large enough for more than n items.  All tables share the
 * strings' seed, so nobody can construct collisions.
 */
static int
pyro_index_grow(pyro_profile_t *p, pyro_profile_index_t *index,
    const char *items, const pyro_item_kind_t *kind, uint32_t n)
{
    uint32_t     i, size, pos, *slots;
    const void  *item;

    size = index->slots ? index->mask + 1 : PYRO_INDEX_FIRST;

    while (size && size - size / 4 <= n) {
        size *= 2;
    }

    slots = size ? pyro_arena_calloc(p->arena, size, sizeof(uint32_t)) : NULL;

    if (slots == NULL) {
        return -1;
    }

    for (i = 0; index->slots != NULL && i <= index->mask; i++) {

        PYRO_COUNT(PYRO_COUNT_STEPS, 1);

        if (index->slots[i] == 0) {
            continue;
        }

        item = items + (size_t) (index->slots[i] - 1) * kind->size;
        pos = (uint32_t) kind->hash(item, p->strings.seed);

        while (slots[pos & (size - 1)]) {
            PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
            pos++;
        }

        slots[pos & (size - 1)] = index->slots[i];
    }

    if (index->slots != NULL) {
        pyro_arena_free(p->arena, index->slots,
                        ((size_t) index->mask + 1) * sizeof(uint32_t));
    }

    index->slots = slots;
    index->mask = size - 1;

    return 0;
}


/* The slot that holds item, or the free one where it belongs. */
static inline __attribute__((always_inline)) uint32_t *
pyro_index_slot(const pyro_profile_index_t *index, const char *items,
    const void *item, uint64_t seed, const pyro_item_kind_t *kind)
{
    uint32_t  pos, *slot;

    pos = (uint32_t) kind->hash(item, seed);

    for (slot = &index->slots[pos & index->mask];
         *slot;
         slot = &index->slots[++pos & index->mask])
    {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);

        if (kind->eq(items + (size_t) (*slot - 1) * kind->size, item)) {
            break;
        }
    }

    return slot;
}


/*
 * The id of item in an array of *n items, appending it if it is new; array is
 * the address of the array's pointer.  Inline with a constant kind, so that
 * the calls by frame, node and sample have their own code.
 */
static inline __attribute__((always_inline)) uint32_t
pyro_profile_enter(pyro_profile_t *p, pyro_profile_index_t *index, void *array,
    uint32_t *n, uint32_t *cap, const void *item, const pyro_item_kind_t *kind)
{
    char      *items;
    uint32_t   id, *slot;

    memcpy(&items, array, sizeof(void *));

    slot = NULL;

    if (index->slots != NULL) {
        slot = pyro_index_slot(index, items, item, p->strings.seed, kind);

        if (*slot) {
            return *slot - 1;
        }
    }

    /* a quarter of the slots stays free */

    if (slot == NULL || *n >= index->mask - index->mask / 4) {
        if (pyro_index_grow(p, index, items, kind, *n)) {
            return PYRO_NONE;
        }

        slot = pyro_index_slot(index, items, item, p->strings.seed, kind);
    }

    if (pyro_arena_grow(p->arena, array, cap, (size_t) *n + 1, kind->size)) {
        return PYRO_NONE;
    }

    memcpy(&items, array, sizeof(void *));
    PYRO_COUNT_MOVED(kind->size);

    id = (*n)++;
    *slot = id + 1;
    memcpy(items + (size_t) id * kind->size, item, kind->size);

    return id;
}


int
pyro_profile_reserve(pyro_profile_t *p, uint32_t strings, uint32_t frames,
    uint32_t nodes)
{
    if (pyro_intern_reserve(&p->strings, strings)
        || pyro_arena_grow(p->arena, &p->frames, &p->cap_frames, frames,
                           sizeof(pyro_frame_t))
        || pyro_arena_grow(p->arena, &p->nodes, &p->cap_nodes, nodes,
                           sizeof(pyro_node_t)))
    {
        return -1;
    }

    return (frames > p->frame_index.mask - p->frame_index.mask / 4
            && pyro_index_grow(p, &p->frame_index, (char *) p->frames,
                               &pyro_frame_kind, frames))
           || (nodes > p->node_index.mask - p->node_index.mask / 4
               && pyro_index_grow(p, &p->node_index, (char *) p->nodes,
                                  &pyro_node_kind, nodes))
           ? -1 : 0;
}


/* Unlike pyro_utf8_clean() it leaves control characters as they are. */
static pyro_slice_t
pyro_profile_repair(pyro_arena_t *arena, pyro_slice_t s)
{
    char    *copy;
    size_t   i, n;

    s = pyro_arena_dup(arena, s);
    copy = (char *) s.data;
    PYRO_COUNT(PYRO_COUNT_BYTES, s.len);

    for (i = 0; i < s.len; i += n) {
        n = pyro_utf8_char(copy + i, s.len - i);

        if (n == 0) {
            copy[i] = '?';
            n = 1;
        }
    }

    return s;
}


uint32_t
pyro_profile_string(pyro_profile_t *p, pyro_slice_t s)
{
    if (pyro_utf8_valid(s.data, s.len)) {
        return pyro_intern(&p->strings, s, 1);
    }

    s = pyro_profile_repair(p->arena, s);

    return s.data != NULL ? pyro_intern(&p->strings, s, 0) : PYRO_NONE;
}


uint32_t
pyro_profile_frame(pyro_profile_t *p, const pyro_frame_t *frame)
{
    if (frame->function >= p->strings.n || frame->file >= p->strings.n) {
        return PYRO_NONE;
    }

    return pyro_profile_enter(p, &p->frame_index, &p->frames, &p->n_frames,
                              &p->cap_frames, frame, &pyro_frame_kind);
}


uint32_t
pyro_profile_node_enter(pyro_profile_t *p, uint32_t parent, uint32_t frame)
{
    pyro_node_t  node = { parent, frame };

    if (parent >= p->n_nodes || frame >= p->n_frames) {
        return PYRO_NONE;
    }

    return pyro_profile_enter(p, &p->node_index, &p->nodes, &p->n_nodes,
                              &p->cap_nodes, &node, &pyro_node_kind);
}


uint32_t
pyro_profile_span(pyro_profile_t *p, const pyro_span_t *span)
{
    if (span->id == 0 && span->trace_hi == 0 && span->trace_lo == 0) {
        return 0;
    }

    return pyro_profile_enter(p, &p->span_index, &p->spans, &p->n_spans,
                              &p->cap_spans, span, &pyro_span_kind);
}


/* Replaces borrowed items by copies; on failure the set becomes empty. */
static int
pyro_labels_copy(pyro_arena_t *arena, pyro_labels_t *set)
{
    uint32_t       i, n;
    pyro_label_t  *items, *old;

    n = set->n;
    old = set->items;
    items = pyro_arena_calloc(arena, n, sizeof(pyro_label_t));

    set->items = NULL;
    set->n = 0;

    if (items == NULL) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        items[i].name = pyro_arena_dup(arena, old[i].name);
        items[i].value = pyro_arena_dup(arena, old[i].value);

        if (items[i].name.data == NULL || items[i].value.data == NULL) {
            return -1;
        }
    }

    set->items = items;
    set->n = n;

    return 0;
}


uint32_t
pyro_profile_label_set(pyro_profile_t *p, const pyro_labels_t *set)
{
    uint32_t          id, n;
    pyro_label_set_t  item;

    if (set->n == 0) {
        return 0;
    }

    memset(&item, 0, sizeof(pyro_label_set_t));
    item.dynamic = *set;

    n = p->n_label_sets;

    id = pyro_profile_enter(p, &p->label_set_index, &p->label_sets,
                            &p->n_label_sets, &p->cap_label_sets, &item,
                            &pyro_label_set_kind);

    if (id == n && pyro_labels_copy(p->arena, &p->label_sets[id].dynamic)) {
        return PYRO_NONE;
    }

    return id;
}


uint32_t
pyro_profile_column(pyro_profile_t *p, const pyro_profile_type_t *type)
{
    pyro_profile_column_t  item;

    memset(&item, 0, sizeof(pyro_profile_column_t));
    item.type = *type;

    return pyro_profile_enter(p, &p->type_index, &p->types, &p->n_types,
                              &p->cap_types, &item, &pyro_column_kind);
}


/* Most sections stay small where there are many: one for each label set. */
static int
pyro_samples_first(pyro_arena_t *arena, pyro_section_t *section)
{
    section->samples = pyro_arena_alloc(arena, PYRO_SAMPLES_FIRST
                                               * sizeof(pyro_sample_t));
    section->cap = section->samples != NULL ? PYRO_SAMPLES_FIRST : 0;

    return section->samples != NULL ? 0 : -1;
}


int
pyro_profile_add(pyro_profile_t *p, uint32_t labels, uint32_t type,
    uint32_t node, uint32_t span, int64_t value)
{
    uint32_t         id, n;
    pyro_sample_t    sample, *s;
    pyro_section_t   section, *in;

    if (labels >= p->n_label_sets || type >= p->n_types || node >= p->n_nodes
        || span >= p->n_spans)
    {
        return -1;
    }

    if (value <= 0) {
        p->dropped++;
        return 0;
    }

    memset(&section, 0, sizeof(pyro_section_t));
    section.labels = labels;
    section.type = type;

    id = pyro_profile_enter(p, &p->section_index, &p->sections, &p->n_sections,
                            &p->cap_sections, &section, &pyro_section_kind);

    if (id == PYRO_NONE) {
        return -1;
    }

    sample.node = node;
    sample.span = span;
    sample.value = 0;

    in = &p->sections[id];
    n = in->n;

    if (n == 0 && pyro_samples_first(p->arena, in)) {
        return -1;
    }

    id = pyro_profile_enter(p, &in->index, &in->samples, &in->n, &in->cap,
                            &sample, &pyro_sample_kind);

    if (id == PYRO_NONE) {
        return -1;
    }

    p->n_samples += id == n;

    s = &in->samples[id];
    s->value += (uint64_t) value;

    if (s->value > INT64_MAX) {
        s->value = INT64_MAX;
    }

    return 0;
}
