#include "storage/dump.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/tenant.h"


#define PYRO_DUMP_PIECE  (64 * 1024)        /* read at once */


/* The bytes of a block that are left. */
typedef struct {
    const uint8_t       *p;
    const uint8_t       *end;
    const char          *wrong;     /* what was, first */
} pyro_dump_in_t;


/* A push being read. */
typedef struct {
    pyro_dump_reader_t  *r;
    pyro_dump_in_t      *in;
    pyro_profile_t      *profile;
    uint32_t            *spans;     /* by number: the profile's */
    uint32_t             n_spans;
} pyro_dump_build_t;


static pyro_status_e pyro_dump_wrong(const pyro_dump_reader_t *r,
    const char *what, pyro_error_t *err);
static pyro_status_e pyro_dump_start(pyro_dump_reader_t *r,
    pyro_error_t *err);
static pyro_status_e pyro_dump_fill(pyro_dump_reader_t *r, size_t n,
    pyro_error_t *err);
static pyro_status_e pyro_dump_take_block(pyro_dump_reader_t *r,
    pyro_error_t *err);
static pyro_status_e pyro_dump_take_scope(pyro_dump_reader_t *r,
    pyro_error_t *err);
static pyro_status_e pyro_dump_take_defined(pyro_dump_reader_t *r,
    pyro_dump_in_t *in, pyro_error_t *err);
static int pyro_dump_take_strings(pyro_dump_reader_t *r, pyro_dump_in_t *in);
static int pyro_dump_take_frames(pyro_dump_reader_t *r, pyro_dump_in_t *in);
static int pyro_dump_take_nodes(pyro_dump_reader_t *r, pyro_dump_in_t *in);
static int pyro_dump_take_types(pyro_dump_reader_t *r, pyro_dump_in_t *in);
static int pyro_dump_take_sets(pyro_dump_reader_t *r, pyro_dump_in_t *in);
static int pyro_dump_take_pairs(pyro_dump_reader_t *r, pyro_dump_in_t *in,
    pyro_labels_t *labels);
static pyro_slice_t pyro_dump_take_text(pyro_dump_reader_t *r,
    pyro_dump_in_t *in);
static pyro_status_e pyro_dump_take_push(pyro_dump_reader_t *r,
    pyro_dump_in_t *in, pyro_arena_t *arena, pyro_dump_push_t *push,
    pyro_error_t *err);
static int pyro_dump_copy_labels(pyro_arena_t *arena,
    const pyro_labels_t *from, pyro_labels_t *to);
static int pyro_dump_take_spans(pyro_dump_build_t *b);
static int pyro_dump_take_section(pyro_dump_build_t *b);
static uint32_t pyro_dump_column(pyro_dump_build_t *b,
    const pyro_profile_column_t *column);
static uint32_t pyro_dump_stack(pyro_dump_build_t *b, uint32_t number);
static uint64_t pyro_dump_take(pyro_dump_in_t *in, uint64_t most,
    const char *what);
static uint64_t pyro_dump_take_be64(pyro_dump_in_t *in);
static uint32_t pyro_dump_take_count(pyro_dump_in_t *in, size_t size,
    const char *what);


void
pyro_dump_reader_init(pyro_dump_reader_t *r, pyro_dump_read_pt read,
    void *ctx)
{
    memset(r, 0, sizeof(pyro_dump_reader_t));

    r->read = read;
    r->ctx = ctx;
}


void
pyro_dump_reader_free(pyro_dump_reader_t *r)
{
    free(r->block.data);
    pyro_arena_destroy(r->arena);
}


static pyro_status_e
pyro_dump_wrong(const pyro_dump_reader_t *r, const char *what,
    pyro_error_t *err)
{
    pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                   "the dump, at byte %llu: %s",
                   (unsigned long long) r->offset, what);

    if (err != NULL) {
        err->offset = r->offset;
    }

    return PYRO_UNPROCESSABLE;
}


pyro_status_e
pyro_dump_next(pyro_dump_reader_t *r, pyro_arena_t *arena,
    pyro_dump_push_t *push, pyro_error_t *err)
{
    uint8_t          kind;
    pyro_status_e    status;
    pyro_dump_in_t   in;

    status = pyro_dump_start(r, err);

    while (status == PYRO_OK && !r->ended) {
        status = pyro_dump_take_block(r, err);

        if (status != PYRO_OK) {
            return status;
        }

        in.p = r->block.data + 5;
        in.end = r->block.data + r->block.len - 4;
        in.wrong = NULL;
        kind = r->block.data[0];

        if (kind == 'S') {
            status = pyro_dump_take_scope(r, err);

        } else if (kind == 'E') {
            r->ended = 1;

            if (pyro_dump_take(&in, UINT64_MAX, "") != r->pushes
                || in.p != in.end)
            {
                return pyro_dump_wrong(r, "it ends with another number of "
                                       "pushes than it has", err);
            }

        } else if (r->arena == NULL) {
            return pyro_dump_wrong(r, "a block before the first scope", err);

        } else if (kind == 'D') {
            status = pyro_dump_take_defined(r, &in, err);

        } else if (kind == 'P') {
            r->pushes++;

            return pyro_dump_take_push(r, &in, arena, push, err);

        } else {
            return pyro_dump_wrong(r, "a block of an unknown kind", err);
        }
    }

    if (status != PYRO_OK) {
        return status;
    }

    r->offset = r->next;
    r->block.len = 0;
    status = pyro_dump_fill(r, 1, err);

    return status == PYRO_NOT_FOUND && r->block.len == 0
           ? PYRO_NOT_FOUND
           : status == PYRO_OK
             ? pyro_dump_wrong(r, "bytes behind the end", err) : status;
}


static pyro_status_e
pyro_dump_start(pyro_dump_reader_t *r, pyro_error_t *err)
{
    size_t         len;
    pyro_status_e  status;

    if (r->started) {
        return PYRO_OK;
    }

    len = strlen(PYRO_DUMP_HEADER);
    status = pyro_dump_fill(r, len, err);

    if (status == PYRO_NOT_FOUND
        || (status == PYRO_OK
            && memcmp(r->block.data, PYRO_DUMP_HEADER, len) != 0))
    {
        return pyro_dump_wrong(r, "it does not begin with \"pyroscope-store "
                               "dump 1\"", err);
    }

    r->started = 1;
    r->next = len;

    return status;
}


/* Reads on until the block has n bytes.  PYRO_NOT_FOUND: it ends before. */
static pyro_status_e
pyro_dump_fill(pyro_dump_reader_t *r, size_t n, pyro_error_t *err)
{
    size_t   want;
    ssize_t  got;

    while (r->block.len < n) {

        /* a length is believed only as far as bytes come */

        want = n - r->block.len;
        want = want < PYRO_DUMP_PIECE ? want : PYRO_DUMP_PIECE;

        if (pyro_dump_bytes_grow(&r->block, want)) {
            return pyro_error_memory(err);
        }

        got = r->read(r->ctx, r->block.data + r->block.len, want);

        if (got == 0) {
            return PYRO_NOT_FOUND;
        }

        if (got > 0) {
            r->block.len += (size_t) got;

        } else if (errno != EINTR) {
            return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                                  "the dump cannot be read: %s",
                                  strerror(errno));
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_dump_take_block(pyro_dump_reader_t *r, pyro_error_t *err)
{
    size_t         len;
    pyro_status_e  status;

    len = 0;
    r->offset = r->next;
    r->block.len = 0;

    status = pyro_dump_fill(r, 5, err);

    if (status == PYRO_OK) {
        len = pyro_get_be32(r->block.data + 1);

        if (len > PYRO_DUMP_BLOCK_MAX) {
            return pyro_dump_wrong(r, "a block of more than 256 MiB", err);
        }

        status = pyro_dump_fill(r, len + PYRO_DUMP_FRAME, err);
    }

    if (status == PYRO_NOT_FOUND) {
        return pyro_dump_wrong(r, "it was cut off", err);
    }

    if (status != PYRO_OK) {
        return status;
    }

    if (pyro_get_be32(r->block.data + 5 + len)
        != (uint32_t) pyro_hash64(r->block.data, 5 + len, 0))
    {
        return pyro_dump_wrong(r, "the checksum of a block is wrong", err);
    }

    r->next = r->offset + r->block.len;

    return PYRO_OK;
}


static pyro_status_e
pyro_dump_take_scope(pyro_dump_reader_t *r, pyro_error_t *err)
{
    pyro_slice_t        tenant;
    pyro_dump_reader_t  fresh;

    tenant = pyro_slice(r->block.data + 5, r->block.len - PYRO_DUMP_FRAME);

    if (pyro_tenant_check(tenant, NULL) != PYRO_OK) {
        return pyro_dump_wrong(r, "a scope that is no tenant's", err);
    }

    memset(&fresh, 0, sizeof(pyro_dump_reader_t));

    fresh.read = r->read;
    fresh.ctx = r->ctx;
    fresh.offset = r->offset;
    fresh.next = r->next;
    fresh.block = r->block;
    fresh.started = 1;
    fresh.pushes = r->pushes;

    pyro_arena_destroy(r->arena);
    *r = fresh;

    r->arena = pyro_arena_create(0);

    if (r->arena == NULL) {
        return pyro_error_memory(err);
    }

    r->tenant = pyro_arena_dup(r->arena, tenant);

    if (r->tenant.data == NULL
        || pyro_arena_grow(r->arena, &r->strings, &r->cap_strings, 1,
                           sizeof(pyro_slice_t))
        || pyro_arena_grow(r->arena, &r->nodes, &r->cap_nodes, 1,
                           sizeof(pyro_dump_node_t)))
    {
        return pyro_error_memory(err);
    }

    r->strings[r->n_strings++] = pyro_slice("", 0);
    memset(&r->nodes[r->n_nodes++], 0, sizeof(pyro_dump_node_t));

    return PYRO_OK;
}


/* ---- definitions; -1: no memory, in->wrong: what is wrong ---- */

static pyro_status_e
pyro_dump_take_defined(pyro_dump_reader_t *r, pyro_dump_in_t *in,
    pyro_error_t *err)
{
    int     rc;
    size_t  i;
    int   (*const lists[])(pyro_dump_reader_t *r, pyro_dump_in_t *in) = {
        pyro_dump_take_strings, pyro_dump_take_frames, pyro_dump_take_nodes,
        pyro_dump_take_types, pyro_dump_take_sets
    };

    for (i = 0, rc = 0; i < PYRO_DUMP_LISTS && rc == 0 && !in->wrong; i++) {
        rc = lists[i](r, in);
    }

    if (rc) {
        return pyro_error_memory(err);
    }

    if (!in->wrong && in->p != in->end) {
        in->wrong = "bytes behind the definitions of a block";
    }

    return in->wrong ? pyro_dump_wrong(r, in->wrong, err) : PYRO_OK;
}


static int
pyro_dump_take_strings(pyro_dump_reader_t *r, pyro_dump_in_t *in)
{
    size_t         len;
    uint32_t       n;
    pyro_slice_t  *s;

    n = pyro_dump_take_count(in, 1, "a number of strings");

    if (pyro_arena_grow(r->arena, &r->strings, &r->cap_strings,
                        (size_t) r->n_strings + n, sizeof(pyro_slice_t)))
    {
        return -1;
    }

    for ( /* void */ ; n && !in->wrong; n--) {
        len = (size_t) pyro_dump_take(in, (uint64_t) (in->end - in->p),
                                      "a string's length");

        if (len > (size_t) (in->end - in->p)) {
            in->wrong = "a string's length";
            break;
        }

        s = &r->strings[r->n_strings];
        *s = pyro_arena_dup(r->arena, pyro_slice(in->p, len));

        if (s->data == NULL) {
            return -1;
        }

        r->n_strings++;
        in->p += len;
    }

    return 0;
}


static int
pyro_dump_take_frames(pyro_dump_reader_t *r, pyro_dump_in_t *in)
{
    uint32_t       n;
    pyro_frame_t   frame;

    n = pyro_dump_take_count(in, 4, "a number of frames");

    if (pyro_arena_grow(r->arena, &r->frames, &r->cap_frames,
                        (size_t) r->n_frames + n, sizeof(pyro_frame_t)))
    {
        return -1;
    }

    for ( /* void */ ; n && !in->wrong; n--) {
        frame.function = (uint32_t) pyro_dump_take(in, r->n_strings - 1,
                                                   "a frame's function");
        frame.file = (uint32_t) pyro_dump_take(in, r->n_strings - 1,
                                               "a frame's file");
        frame.line = (uint32_t) pyro_dump_take(in, UINT32_MAX,
                                               "a frame's line");
        frame.start_line = (uint32_t) pyro_dump_take(in, UINT32_MAX,
                                                     "a frame's line");
        r->frames[r->n_frames++] = frame;
    }

    return 0;
}


static int
pyro_dump_take_nodes(pyro_dump_reader_t *r, pyro_dump_in_t *in)
{
    uint32_t           n, distance;
    pyro_dump_node_t  *node;

    n = pyro_dump_take_count(in, 2, "a number of nodes");

    if (pyro_arena_grow(r->arena, &r->nodes, &r->cap_nodes,
                        (size_t) r->n_nodes + n, sizeof(pyro_dump_node_t)))
    {
        return -1;
    }

    for ( /* void */ ; n && !in->wrong; n--) {
        node = &r->nodes[r->n_nodes];
        distance = (uint32_t) pyro_dump_take(in, r->n_nodes,
                                             "a node's parent");

        if (distance == 0 || r->n_frames == 0) {
            in->wrong = distance ? "a node's frame" : "a node's parent";
            break;
        }

        node->parent = r->n_nodes - distance;
        node->frame = (uint32_t) pyro_dump_take(in, r->n_frames - 1,
                                                "a node's frame");
        node->push = 0;
        node->node = 0;
        r->n_nodes++;
    }

    return 0;
}


static int
pyro_dump_take_types(pyro_dump_reader_t *r, pyro_dump_in_t *in)
{
    uint32_t                n;
    pyro_profile_type_t    *type;
    pyro_profile_column_t  *column;

    n = pyro_dump_take_count(in, 6, "a number of types");

    if (pyro_arena_grow(r->arena, &r->types, &r->cap_types,
                        (size_t) r->n_types + n,
                        sizeof(pyro_profile_column_t)))
    {
        return -1;
    }

    for ( /* void */ ; n && !in->wrong; n--) {
        column = &r->types[r->n_types];
        type = &column->type;

        type->name = pyro_dump_take_text(r, in);
        type->sample_type = pyro_dump_take_text(r, in);
        type->sample_unit = pyro_dump_take_text(r, in);
        type->period_type = pyro_dump_take_text(r, in);
        type->period_unit = pyro_dump_take_text(r, in);

        if (pyro_dump_take_pairs(r, in, &column->extra)) {
            return -1;
        }

        r->n_types++;
    }

    return 0;
}


static int
pyro_dump_take_sets(pyro_dump_reader_t *r, pyro_dump_in_t *in)
{
    uint32_t  n;

    n = pyro_dump_take_count(in, 1, "a number of label sets");

    if (pyro_arena_grow(r->arena, &r->labels, &r->cap_labels,
                        (size_t) r->n_labels + n, sizeof(pyro_labels_t)))
    {
        return -1;
    }

    for ( /* void */ ; n && !in->wrong; n--) {

        if (pyro_dump_take_pairs(r, in, &r->labels[r->n_labels])) {
            return -1;
        }

        r->n_labels++;
    }

    return 0;
}


/* Sorted by name, none twice, none empty, as they are in a store. */
static int
pyro_dump_take_pairs(pyro_dump_reader_t *r, pyro_dump_in_t *in,
    pyro_labels_t *labels)
{
    uint32_t       i, n;
    pyro_label_t  *label;

    n = pyro_dump_take_count(in, 2, "a number of labels");
    labels->n = 0;
    labels->items = pyro_arena_calloc(r->arena, n, sizeof(pyro_label_t));

    if (labels->items == NULL) {
        return -1;
    }

    for (i = 0; i < n && !in->wrong; i++) {
        label = &labels->items[i];
        label->name = pyro_dump_take_text(r, in);
        label->value = pyro_dump_take_text(r, in);

        if (!in->wrong
            && (label->name.len == 0 || label->value.len == 0
                || (i && pyro_slice_cmp(label[-1].name, label->name) >= 0)))
        {
            in->wrong = "labels that are empty or not in order";
        }
    }

    labels->n = i;

    return 0;
}


static pyro_slice_t
pyro_dump_take_text(pyro_dump_reader_t *r, pyro_dump_in_t *in)
{
    return r->strings[pyro_dump_take(in, r->n_strings - 1, "a string")];
}


/* ---- pushes ---- */

static pyro_status_e
pyro_dump_take_push(pyro_dump_reader_t *r, pyro_dump_in_t *in,
    pyro_arena_t *arena, pyro_dump_push_t *push, pyro_error_t *err)
{
    uint32_t             n, set;
    pyro_error_t         one;
    pyro_labels_t        labels;
    pyro_status_e        status;
    pyro_hash128_t       digest;
    pyro_dump_build_t    b;
    pyro_label_limits_t  limits = { 0, 0, 0 };

    memset(&b, 0, sizeof(pyro_dump_build_t));

    b.r = r;
    b.in = in;
    b.profile = pyro_profile_create(arena);

    if (b.profile == NULL) {
        return pyro_error_memory(err);
    }

    push->profile = b.profile;
    push->time = (int64_t) pyro_dump_take_be64(in);
    push->duration = (int64_t) pyro_dump_take(in, INT64_MAX / PYRO_NS_PER_MS,
                                              "a duration") * PYRO_NS_PER_MS;
    digest.hi = pyro_dump_take_be64(in);
    digest.lo = pyro_dump_take_be64(in);
    set = (uint32_t) pyro_dump_take(in, r->n_labels ? r->n_labels - 1 : 0,
                                    "a label set");

    if (!in->wrong && (push->time < 0 || r->n_labels == 0)) {
        in->wrong = push->time < 0 ? "a time" : "a label set";
    }

    if (pyro_dump_take_spans(&b)) {
        return pyro_error_memory(err);
    }

    n = pyro_dump_take_count(in, 2, "a number of sections");

    if (!in->wrong && n == 0) {
        in->wrong = "a push without sections";
    }

    for ( /* void */ ; n && !in->wrong; n--) {
        if (pyro_dump_take_section(&b)) {
            return pyro_error_memory(err);
        }
    }

    if (!in->wrong && in->p != in->end) {
        in->wrong = "bytes behind a push";
    }

    if (in->wrong) {
        return pyro_dump_wrong(r, in->wrong, err);
    }

    push->tenant = pyro_arena_dup(arena, r->tenant);

    if (push->tenant.data == NULL
        || pyro_dump_copy_labels(arena, &r->labels[set], &labels))
    {
        return pyro_error_memory(err);
    }

    status = pyro_profile_finish(b.profile, &labels, &limits, &one);

    if (status == PYRO_UNPROCESSABLE) {
        return pyro_dump_wrong(r, one.message, err);
    }

    if (status != PYRO_OK) {
        return pyro_error_memory(err);
    }

    /* what was folded or joined when it was stored has another one by now */

    b.profile->label_sets[0].digest = digest;

    return PYRO_OK;
}


static int
pyro_dump_copy_labels(pyro_arena_t *arena, const pyro_labels_t *from,
    pyro_labels_t *to)
{
    uint32_t  i;

    to->n = from->n;
    to->items = pyro_arena_calloc(arena, from->n, sizeof(pyro_label_t));

    if (to->items == NULL) {
        return -1;
    }

    for (i = 0; i < from->n; i++) {
        to->items[i].name = pyro_arena_dup(arena, from->items[i].name);
        to->items[i].value = pyro_arena_dup(arena, from->items[i].value);

        if (to->items[i].name.data == NULL || to->items[i].value.data == NULL)
        {
            return -1;
        }
    }

    return 0;
}


static int
pyro_dump_take_spans(pyro_dump_build_t *b)
{
    uint32_t      i;
    pyro_span_t   span;

    b->n_spans = pyro_dump_take_count(b->in, 24, "a number of spans");
    b->spans = pyro_arena_calloc(b->profile->arena, (size_t) b->n_spans + 1,
                                 sizeof(uint32_t));

    if (b->spans == NULL) {
        return -1;
    }

    for (i = 1; i <= b->n_spans && !b->in->wrong; i++) {
        span.id = pyro_dump_take_be64(b->in);
        span.trace_hi = pyro_dump_take_be64(b->in);
        span.trace_lo = pyro_dump_take_be64(b->in);

        b->spans[i] = pyro_profile_span(b->profile, &span);

        if (b->spans[i] == PYRO_NONE) {
            return -1;
        }
    }

    return 0;
}


static int
pyro_dump_take_section(pyro_dump_build_t *b)
{
    uint32_t                n, i, type, span, node, column, profile_node;
    uint64_t                value;
    pyro_dump_in_t         *in;
    pyro_dump_reader_t     *r;

    r = b->r;
    in = b->in;

    type = (uint32_t) pyro_dump_take(in, r->n_types ? r->n_types - 1 : 0,
                                     "a section's type");
    n = pyro_dump_take_count(in, 3, "a number of samples");

    if (!in->wrong && (r->n_types == 0 || n == 0)) {
        in->wrong = n ? "a section's type" : "a section without samples";
    }

    if (in->wrong) {
        return 0;
    }

    i = b->profile->n_types;
    column = pyro_dump_column(b, &r->types[type]);

    if (column == PYRO_NONE) {
        return -1;
    }

    if (column != i) {
        in->wrong = "two sections of one type";
        return 0;
    }

    for (node = 0; n; n--) {
        node += (uint32_t) pyro_dump_take(in, r->n_nodes - 1 - node,
                                          "a sample's node");
        span = (uint32_t) pyro_dump_take(in, b->n_spans, "a sample's span");
        value = pyro_dump_take(in, INT64_MAX, "a sample's value");

        if (!in->wrong && value == 0) {
            in->wrong = "a sample's value";
        }

        if (in->wrong) {
            return 0;
        }

        profile_node = pyro_dump_stack(b, node);

        if (profile_node == PYRO_NONE
            || pyro_profile_add(b->profile, 0, column, profile_node,
                                b->spans[span], (int64_t) value))
        {
            return -1;
        }
    }

    return 0;
}


/* The type in the profile, with bytes of its own. */
static uint32_t
pyro_dump_column(pyro_dump_build_t *b, const pyro_profile_column_t *column)
{
    int                   i;
    uint32_t              id, n;
    pyro_arena_t         *arena;
    pyro_slice_t         *five[5];
    pyro_labels_t         extra;
    pyro_profile_type_t   type;

    arena = b->profile->arena;
    type = column->type;

    five[0] = &type.name;
    five[1] = &type.sample_type;
    five[2] = &type.sample_unit;
    five[3] = &type.period_type;
    five[4] = &type.period_unit;

    for (i = 0; i < 5; i++) {
        *five[i] = pyro_arena_dup(arena, *five[i]);

        if (five[i]->data == NULL) {
            return PYRO_NONE;
        }
    }

    n = b->profile->n_types;
    id = pyro_profile_column(b->profile, &type);

    if (id == n && id != PYRO_NONE) {

        if (pyro_dump_copy_labels(arena, &column->extra, &extra)) {
            return PYRO_NONE;
        }

        b->profile->types[id].extra = extra;
    }

    return id;
}


/* The profile's node for one of the dump's, with those above it. */
static uint32_t
pyro_dump_stack(pyro_dump_build_t *b, uint32_t number)
{
    uint32_t             depth, id;
    pyro_frame_t         frame;
    pyro_profile_t      *p;
    pyro_dump_node_t    *node;
    pyro_dump_reader_t  *r;

    r = b->r;
    p = b->profile;

    for (depth = 0; number && r->nodes[number].push != r->pushes; depth++) {

        if (pyro_arena_grow(r->arena, &r->path, &r->cap_path,
                            (size_t) depth + 1, sizeof(uint32_t)))
        {
            return PYRO_NONE;
        }

        r->path[depth] = number;
        number = r->nodes[number].parent;
    }

    id = number ? r->nodes[number].node : 0;

    while (depth) {
        node = &r->nodes[r->path[--depth]];
        frame = r->frames[node->frame];

        frame.function = pyro_profile_string(p, r->strings[frame.function]);
        frame.file = pyro_profile_string(p, r->strings[frame.file]);

        if (frame.function == PYRO_NONE || frame.file == PYRO_NONE) {
            return PYRO_NONE;
        }

        id = pyro_profile_node(p, id, pyro_profile_frame(p, &frame));

        if (id == PYRO_NONE) {
            return PYRO_NONE;
        }

        node->push = r->pushes;
        node->node = id;
    }

    return id;
}


/* ---- numbers ---- */

/* A varint up to most; 0 where something is wrong. */
static uint64_t
pyro_dump_take(pyro_dump_in_t *in, uint64_t most, const char *what)
{
    uint64_t        v;
    const uint8_t  *p;

    if (in->wrong) {
        return 0;
    }

    p = pyro_get_varint(in->p, in->end, &v);

    if (p == NULL || v > most) {
        in->wrong = what;
        return 0;
    }

    in->p = p;

    return v;
}


static uint64_t
pyro_dump_take_be64(pyro_dump_in_t *in)
{
    uint64_t  v;

    if (in->wrong || in->end - in->p < 8) {
        in->wrong = in->wrong ? in->wrong : "a push that is too short";
        return 0;
    }

    v = pyro_get_be64(in->p);
    in->p += 8;

    return v;
}


/* A number of things that take size bytes at least: as many as can follow. */
static uint32_t
pyro_dump_take_count(pyro_dump_in_t *in, size_t size, const char *what)
{
    return (uint32_t) pyro_dump_take(in, (uint64_t) (in->end - in->p) / size,
                                     what);
}
