/*
 * The one in-memory profile: what a push holds, whatever its format.
 *
 * Readers (jfr/, core/format/) build it through the functions below; the store
 * takes it as it is.  Everything is interned to dense ids: strings, frames,
 * nodes of one stack tree, label sets, profile types, spans.  A stack trace is
 * the id of its leaf node.
 *
 * Lives in the arena given, is built by one thread, and is read-only once
 * pyro_profile_finish() has returned.  A function that returns an id returns
 * PYRO_NONE when the arena has no memory left or an id given to it is none;
 * after that the profile can only be thrown away.
 */

#ifndef _PYRO_PROFILE_H_INCLUDED_
#define _PYRO_PROFILE_H_INCLUDED_


#include "core/base/count.h"
#include "core/base/intern.h"
#include "core/model/labels.h"
#include "core/model/profile_type.h"


typedef struct {
    uint32_t        function;       /* string id */
    uint32_t        file;           /* string id, 0 unknown */
    uint32_t        line;           /* 0 unknown */
    uint32_t        start_line;     /* of the function, 0 unknown */
} pyro_frame_t;


/* Node 0 is the root and has no frame; a parent's id is below its child's. */
typedef struct {
    uint32_t        parent;
    uint32_t        frame;
} pyro_node_t;


/* Span 0 is "none". */
typedef struct {
    uint64_t        id;
    uint64_t        trace_hi;
    uint64_t        trace_lo;
} pyro_span_t;


typedef struct {
    uint32_t        node;
    uint32_t        span;
    uint64_t        value;
} pyro_sample_t;


/* An index by content over a growing array; nothing outside looks into it. */
typedef struct {
    uint32_t       *slots;          /* id + 1, 0 is free */
    uint32_t        mask;
} pyro_profile_index_t;


/* The samples of one label set and one profile type; (node, span) is unique. */
typedef struct {
    uint32_t        labels;         /* label set */
    uint32_t        type;
    uint32_t        n;
    uint32_t        cap;
    uint64_t        total;          /* set by finish; INT64_MAX at most */
    pyro_sample_t  *samples;        /* finished: sorted by node, then span */

    pyro_profile_index_t  index;    /* of (node, span), building only */
} pyro_section_t;


typedef struct {
    pyro_profile_type_t  type;
    pyro_labels_t        extra;     /* jfr_event, jfr_engine: of the series */
} pyro_profile_column_t;


typedef struct {
    pyro_labels_t   dynamic;        /* labels of the samples alone */
    pyro_labels_t   labels;         /* of the stream; set by finish */
    pyro_hash128_t  digest;         /* of the stream's part; set by finish */
} pyro_label_set_t;


typedef struct {
    pyro_arena_t           *arena;
    pyro_intern_t           strings;        /* string 0 is empty */

    pyro_frame_t           *frames;
    uint32_t                n_frames;
    uint32_t                cap_frames;

    pyro_node_t            *nodes;
    uint32_t                n_nodes;
    uint32_t                cap_nodes;

    pyro_span_t            *spans;
    uint32_t                n_spans;
    uint32_t                cap_spans;

    pyro_profile_column_t  *types;
    uint32_t                n_types;
    uint32_t                cap_types;

    pyro_label_set_t       *label_sets;     /* set 0: no dynamic label */
    uint32_t                n_label_sets;
    uint32_t                cap_label_sets;

    pyro_section_t         *sections;       /* finished: by labels, then type */
    uint32_t                n_sections;
    uint32_t                cap_sections;

    /* finished: of each node a hash of its stack's strings and lines, unseeded;
     * equal in all profiles; the root's is 0 */
    pyro_hash128_t         *stacks;

    uint32_t                n_samples;      /* in all sections */
    uint64_t                dropped;        /* samples of a value <= 0 */

    /* building only */
    pyro_profile_index_t    frame_index;
    pyro_profile_index_t    node_index;
    pyro_profile_index_t    span_index;
    pyro_profile_index_t    type_index;
    pyro_profile_index_t    label_set_index;
    pyro_profile_index_t    section_index;
} pyro_profile_t;


/* An empty profile in the arena; NULL: no memory. */
pyro_profile_t *pyro_profile_create(pyro_arena_t *arena);

/*
 * Makes room for so many of each in all, where it is known beforehand: saves
 * growing, changes nothing else.  -1: no memory.
 */
int pyro_profile_reserve(pyro_profile_t *p, uint32_t strings, uint32_t frames,
    uint32_t nodes);

/* The id of a string.  Bytes that are not UTF-8 are replaced ("?" each). */
uint32_t pyro_profile_string(pyro_profile_t *p, pyro_slice_t s);

uint32_t pyro_profile_frame(pyro_profile_t *p, const pyro_frame_t *frame);

/*
 * By a secret factor: the product folded depends on all of both.  The second
 * one breaks up the runs that regular pairs would still fall into.
 */
static inline uint64_t
pyro_profile_hash(uint32_t a, uint32_t b, uint64_t seed)
{
    unsigned __int128  product;

    product = (unsigned __int128) (((uint64_t) a << 32 | b) ^ seed)
              * (seed | 1);

    product = ((uint64_t) (product >> 64) ^ (uint64_t) product)
              * 0x9e3779b97f4a7c15ULL;

    return (uint64_t) product >> 32 | (uint64_t) product << 32;
}


/* pyro_profile_node() where the first look does not find it. */
uint32_t pyro_profile_node_enter(pyro_profile_t *p, uint32_t parent,
    uint32_t frame);

/*
 * The child of parent (0: the root) that has this frame.  Most are there
 * already, and where their hash says.
 */
static inline uint32_t
pyro_profile_node(pyro_profile_t *p, uint32_t parent, uint32_t frame)
{
    uint32_t            id;
    const pyro_node_t  *node;

    if (p->node_index.slots != NULL) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);

        id = p->node_index.slots[pyro_profile_hash(parent, frame,
                                                   p->strings.seed)
                                 & p->node_index.mask];
        node = &p->nodes[id - (id != 0)];

        if (id && node->parent == parent && node->frame == frame) {
            return id - 1;
        }
    }

    return pyro_profile_node_enter(p, parent, frame);
}

/* The id of a span; all zero gives 0. */
uint32_t pyro_profile_span(pyro_profile_t *p, const pyro_span_t *span);

/* The set's items and bytes are copied.  An empty set is 0. */
uint32_t pyro_profile_label_set(pyro_profile_t *p, const pyro_labels_t *set);

/*
 * The id of a profile type; its bytes must live as long as the arena.  Extra
 * labels may be given later, in types[id].extra, before finish.
 */
uint32_t pyro_profile_column(pyro_profile_t *p,
    const pyro_profile_type_t *type);

/*
 * Adds value to the sample (labels, type, node, span).  A value of 0 or below
 * is dropped and counted; sums stop at INT64_MAX.  Returns -1: no memory, or an
 * id is PYRO_NONE (so that a caller may check once).
 */
int pyro_profile_add(pyro_profile_t *p, uint32_t labels, uint32_t type,
    uint32_t node, uint32_t span, int64_t value);

/*
 * Closes the profile: merges the static labels into set 0 and each set that has
 * samples (a static one wins), leaving to the types what is theirs and out what
 * begins with two underscores; adds service_name where it is missing and, when
 * the labels have been checked, its copy __service_name__; joins the samples of
 * sets that have become equal; sorts sections and samples; computes totals and
 * digests.  Sets without samples, but for set 0, stay without labels.
 *
 * The bytes of labels must live as long as the arena.
 *
 * The digest of a label set is XXH3-128, unseeded, over its labels, and for
 * each section its type, extra labels and samples, stacks by their strings:
 * equal content gives equal digests on every machine, in whatever order the
 * ids were given; it tells a repeated push from a second one.
 *
 * PYRO_UNPROCESSABLE: labels, also a type's extra ones.  PYRO_UNAVAILABLE: no
 * memory.
 */
pyro_status_e pyro_profile_finish(pyro_profile_t *p,
    const pyro_labels_t *labels, const pyro_label_limits_t *limits,
    pyro_error_t *err);

/*
 * The same finished profile, but that the samples of those label sets whose
 * byte in fold is 1 are set 0's: for who has no room for them.  fold[0] is 0.
 * A copy in the arena as far as it is another one; the rest is shared, and p
 * stays as it is.  NULL: no memory.
 */
const pyro_profile_t *pyro_profile_fold(const pyro_profile_t *p,
    const uint8_t *fold, pyro_arena_t *arena);

static inline pyro_slice_t
pyro_profile_text(const pyro_profile_t *p, uint32_t string)
{
    return p->strings.items[string];
}


#endif /* _PYRO_PROFILE_H_INCLUDED_ */
