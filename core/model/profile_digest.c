#include "core/model/profile_digest.h"

#include <stdlib.h>

#include "core/base/bytes.h"
#include "core/base/count.h"


#define PYRO_HASH_SIZE    16
#define PYRO_FRAME_SIZE   (2 * PYRO_HASH_SIZE + 2 * 4)
#define PYRO_SAMPLE_SIZE  (PYRO_HASH_SIZE + 3 * 8 + 8)


/* A type's place among the others: by its id's text, then its extra labels. */
typedef struct {
    pyro_slice_t          id;
    const pyro_labels_t  *extra;
    uint32_t              type;
} pyro_type_order_t;


typedef struct {
    pyro_section_t       *section;
    uint32_t              rank;         /* of its type */
} pyro_section_order_t;


/* What the samples of a section are ordered by in a digest. */
typedef struct {
    pyro_hash128_t        stack;
    const pyro_span_t    *span;
    uint64_t              value;
} pyro_digest_item_t;


typedef struct {
    pyro_profile_t       *profile;
    pyro_hash128_t       *types;        /* of each column */
    uint32_t             *ranks;        /* of each column */
    pyro_digest_item_t   *items;        /* room for the largest section */
} pyro_digest_t;


static uint8_t *pyro_digest_put(uint8_t *p, pyro_hash128_t hash);
static int pyro_digest_stacks(pyro_digest_t *d);
static int pyro_digest_types(pyro_digest_t *d);
static int pyro_digest_cmp_types(const void *one, const void *two);
static int pyro_digest_cmp_items(const void *one, const void *two);
static int pyro_digest_cmp_sections(const void *one, const void *two);
static void pyro_digest_section(pyro_digest_t *d,
    const pyro_section_t *section, XXH3_state_t *state);
static int pyro_digest_sets(pyro_digest_t *d);


int
pyro_profile_digest(pyro_profile_t *p)
{
    uint32_t       i, max;
    pyro_digest_t  d;

    max = 0;

    for (i = 0; i < p->n_sections; i++) {
        if (p->sections[i].n > max) {
            max = p->sections[i].n;
        }
    }

    d.profile = p;
    d.items = pyro_arena_alloc(p->arena, (size_t) max * sizeof(*d.items));

    if (d.items == NULL || pyro_digest_stacks(&d) || pyro_digest_types(&d)) {
        return -1;
    }

    return pyro_digest_sets(&d);
}


static uint8_t *
pyro_digest_put(uint8_t *p, pyro_hash128_t hash)
{
    pyro_put_be64(p, hash.hi);
    pyro_put_be64(p + 8, hash.lo);

    return p + PYRO_HASH_SIZE;
}


/* A hash of each stack by its strings: of its parent's and its own frame's. */
static int
pyro_digest_stacks(pyro_digest_t *d)
{
    uint8_t          text[PYRO_FRAME_SIZE], *end;
    uint32_t         i;
    pyro_frame_t    *frame;
    pyro_slice_t    *s;
    pyro_profile_t  *p;
    pyro_hash128_t  *strings, *frames;

    p = d->profile;

    strings = pyro_arena_alloc(p->arena, p->strings.n * sizeof(*strings));
    frames = pyro_arena_alloc(p->arena, p->n_frames * sizeof(*frames));
    p->stacks = pyro_arena_alloc(p->arena, p->n_nodes * sizeof(*p->stacks));

    if (strings == NULL || frames == NULL || p->stacks == NULL) {
        return -1;
    }

    for (i = 0; i < p->strings.n; i++) {
        s = &p->strings.items[i];
        strings[i] = pyro_hash128(s->data, s->len);
    }

    for (i = 0; i < p->n_frames; i++) {
        frame = &p->frames[i];

        end = pyro_digest_put(text, strings[frame->function]);
        end = pyro_digest_put(end, strings[frame->file]);
        pyro_put_be32(end, frame->line);
        pyro_put_be32(end + 4, frame->start_line);

        frames[i] = pyro_hash128(text, PYRO_FRAME_SIZE);
    }

    memset(&p->stacks[0], 0, sizeof(*p->stacks));

    for (i = 1; i < p->n_nodes; i++) {
        end = pyro_digest_put(text, p->stacks[p->nodes[i].parent]);
        pyro_digest_put(end, frames[p->nodes[i].frame]);

        p->stacks[i] = pyro_hash128(text, 2 * PYRO_HASH_SIZE);
    }

    return 0;
}


static int
pyro_digest_cmp_types(const void *one, const void *two)
{
    int                       rc;
    const pyro_type_order_t  *a = one, *b = two;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);
    rc = pyro_slice_cmp(a->id, b->id);

    return rc ? rc : pyro_labels_cmp(a->extra, b->extra);
}


/* Types in the order of their text, and a hash of each with its labels. */
static int
pyro_digest_types(pyro_digest_t *d)
{
    uint8_t             text[2 * PYRO_HASH_SIZE], *end;
    uint32_t            i;
    pyro_profile_t     *p;
    pyro_type_order_t  *order;

    p = d->profile;

    order = pyro_arena_calloc(p->arena, p->n_types, sizeof(*order));
    d->types = pyro_arena_calloc(p->arena, p->n_types, sizeof(*d->types));
    d->ranks = pyro_arena_calloc(p->arena, p->n_types, sizeof(*d->ranks));

    if (order == NULL || d->types == NULL || d->ranks == NULL) {
        return -1;
    }

    for (i = 0; i < p->n_types; i++) {
        order[i].id = pyro_profile_type_id(p->arena, &p->types[i].type);
        order[i].extra = &p->types[i].extra;
        order[i].type = i;

        if (order[i].id.data == NULL) {
            return -1;
        }

        end = pyro_digest_put(text, pyro_hash128(order[i].id.data,
                                                 order[i].id.len));
        pyro_digest_put(end, pyro_labels_hash(order[i].extra));

        d->types[i] = pyro_hash128(text, sizeof(text));
    }

    qsort(order, p->n_types, sizeof(*order), pyro_digest_cmp_types);

    for (i = 0; i < p->n_types; i++) {
        d->ranks[order[i].type] = i;
    }

    return 0;
}


static int
pyro_digest_cmp_items(const void *one, const void *two)
{
    const pyro_digest_item_t  *a = one, *b = two;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);

#define PYRO_CMP(field)                                                       \
    if (a->field != b->field) {                                               \
        return a->field < b->field ? -1 : 1;                                  \
    }

    PYRO_CMP(stack.hi);
    PYRO_CMP(stack.lo);
    PYRO_CMP(span->id);
    PYRO_CMP(span->trace_hi);
    PYRO_CMP(span->trace_lo);
    PYRO_CMP(value);

#undef PYRO_CMP

    return 0;
}


static int
pyro_digest_cmp_sections(const void *one, const void *two)
{
    const pyro_section_order_t  *a = one, *b = two;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);

    if (a->section->labels != b->section->labels) {
        return a->section->labels < b->section->labels ? -1 : 1;
    }

    return (a->rank > b->rank) - (a->rank < b->rank);
}


static void
pyro_digest_section(pyro_digest_t *d, const pyro_section_t *section,
    XXH3_state_t *state)
{
    uint8_t              text[PYRO_SAMPLE_SIZE], *end;
    uint32_t             i;
    pyro_digest_item_t  *item;

    for (i = 0; i < section->n; i++) {
        item = &d->items[i];
        item->stack = d->profile->stacks[section->samples[i].node];
        item->span = &d->profile->spans[section->samples[i].span];
        item->value = section->samples[i].value;
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
    }

    qsort(d->items, section->n, sizeof(*item), pyro_digest_cmp_items);

    end = pyro_digest_put(text, d->types[section->type]);
    pyro_put_be64(end, section->n);
    XXH3_128bits_update(state, text, PYRO_HASH_SIZE + 8);

    for (i = 0; i < section->n; i++) {
        item = &d->items[i];

        end = pyro_digest_put(text, item->stack);
        pyro_put_be64(end, item->span->id);
        pyro_put_be64(end + 8, item->span->trace_hi);
        pyro_put_be64(end + 16, item->span->trace_lo);
        pyro_put_be64(end + 24, item->value);

        PYRO_COUNT(PYRO_COUNT_BYTES, PYRO_SAMPLE_SIZE);
        XXH3_128bits_update(state, text, PYRO_SAMPLE_SIZE);
    }
}


/* A set's digest is the hash of its labels so far. */
static int
pyro_digest_sets(pyro_digest_t *d)
{
    uint8_t                text[PYRO_HASH_SIZE];
    uint32_t               i, k;
    XXH3_state_t           state;
    XXH128_hash_t          hash;
    pyro_profile_t        *p;
    pyro_label_set_t      *set;
    pyro_section_order_t  *order;

    p = d->profile;
    order = pyro_arena_alloc(p->arena, p->n_sections * sizeof(*order));

    if (order == NULL) {
        return -1;
    }

    for (i = 0; i < p->n_sections; i++) {
        order[i].section = &p->sections[i];
        order[i].rank = d->ranks[p->sections[i].type];
    }

    qsort(order, p->n_sections, sizeof(*order), pyro_digest_cmp_sections);

    k = 0;

    for (i = 0; i < p->n_label_sets; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        set = &p->label_sets[i];

        if (set->labels.n == 0) {
            continue;
        }

        pyro_digest_put(text, set->digest);

        XXH3_128bits_reset(&state);
        XXH3_128bits_update(&state, text, sizeof(text));

        for ( /* void */ ; k < p->n_sections; k++) {

            if (order[k].section->labels != i) {
                break;
            }

            pyro_digest_section(d, order[k].section, &state);
        }

        hash = XXH3_128bits_digest(&state);
        set->digest.lo = hash.low64;
        set->digest.hi = hash.high64;
    }

    return 0;
}
