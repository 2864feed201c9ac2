/*
 * The reader of dumps (storage/dump.h), and its writer: what was read is
 * written and read once more, and is the same.  The checksums of blocks are
 * made right first, or nothing behind them would ever be reached.
 */

#include <stdlib.h>

#include "core/base/bytes.h"
#include "storage/dump.h"


#define CHECK(what)                                                           \
    do {                                                                      \
        if (!(what)) {                                                        \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    const uint8_t  *p;
    size_t          left;
    size_t          piece;      /* read at once */
} dump_input_t;


typedef struct {
    uint8_t        *data;
    size_t          len;
} dump_output_t;


static ssize_t
dump_fuzz_read(void *ctx, void *data, size_t n)
{
    dump_input_t  *in = ctx;

    n = n < in->left ? n : in->left;
    n = n < in->piece ? n : in->piece;

    if (n) {
        memcpy(data, in->p, n);
    }

    in->p += n;
    in->left -= n;

    return (ssize_t) n;
}


static int
dump_fuzz_write(void *ctx, const void *data, size_t len)
{
    dump_output_t  *out = ctx;

    out->data = realloc(out->data, out->len + len);
    CHECK(out->data != NULL);

    memcpy(out->data + out->len, data, len);
    out->len += len;

    return 0;
}


static void
dump_fuzz_seal(uint8_t *data, size_t size)
{
    size_t  at, len;

    at = strlen(PYRO_DUMP_HEADER);

    while (size >= at + PYRO_DUMP_FRAME) {
        len = pyro_get_be32(data + at + 1);

        if (len > size - at - PYRO_DUMP_FRAME) {
            return;
        }

        pyro_put_be32(data + at + 5 + len,
                      (uint32_t) pyro_hash64(data + at, 5 + len, 0));
        at += len + PYRO_DUMP_FRAME;
    }
}


static void
dump_fuzz_profile(const pyro_dump_push_t *push)
{
    uint32_t               i, k;
    uint64_t               total;
    const pyro_profile_t  *p;
    const pyro_section_t  *s;

    p = push->profile;

    CHECK(push->time >= 0 && push->duration >= 0 && p->n_sections > 0);
    CHECK(p->label_sets[0].labels.n > 0);

    for (i = 1; i < p->n_nodes; i++) {
        CHECK(p->nodes[i].parent < i && p->nodes[i].frame < p->n_frames);
    }

    for (i = 0; i < p->n_sections; i++) {
        s = &p->sections[i];
        CHECK(s->n > 0 && s->labels == 0 && s->type < p->n_types);

        for (k = 0, total = 0; k < s->n; k++) {
            CHECK(s->samples[k].node < p->n_nodes);
            CHECK(s->samples[k].span < p->n_spans);
            CHECK(s->samples[k].value > 0
                  && s->samples[k].value <= INT64_MAX);

            total += s->samples[k].value;
            total = total > INT64_MAX ? INT64_MAX : total;
        }

        CHECK(total == s->total);
    }
}


/* A finished profile as a dump's record; its nodes have samples. */
static void
dump_fuzz_put(pyro_dump_writer_t *w, const pyro_dump_push_t *push,
    pyro_arena_t *arena)
{
    uint32_t               i, k, *nodes;
    pyro_section_t        *sections;
    pyro_dump_record_t     record;
    const pyro_frame_t    *frame;
    const pyro_profile_t  *p;

    p = push->profile;
    memset(&record, 0, sizeof(record));

    pyro_dump_scope(w, push->tenant);

    nodes = pyro_arena_calloc(arena, p->n_nodes, sizeof(uint32_t));
    sections = pyro_arena_calloc(arena, p->n_sections,
                                 sizeof(pyro_section_t));
    CHECK(nodes != NULL && sections != NULL);

    for (i = 1; i < p->n_nodes; i++) {
        frame = &p->frames[p->nodes[i].frame];
        nodes[i] = pyro_dump_node(w, nodes[p->nodes[i].parent],
                        pyro_dump_frame(w, pyro_profile_text(p,
                                                             frame->function),
                                        pyro_profile_text(p, frame->file),
                                        frame->line, frame->start_line));
        CHECK(nodes[i] == i);
    }

    for (i = 0; i < p->n_sections; i++) {
        sections[i] = p->sections[i];
        sections[i].type = pyro_dump_type(w, &p->types[sections[i].type]);

        for (k = 0; k < sections[i].n; k++) {
            CHECK(sections[i].samples[k].node < p->n_nodes);
        }
    }

    record.time = push->time;
    record.duration = (uint64_t) push->duration / 1000000;
    record.digest = p->label_sets[0].digest;
    record.labels = pyro_dump_labels(w, &p->label_sets[0].labels);
    record.spans = p->spans + 1;
    record.n_spans = p->n_spans ? p->n_spans - 1 : 0;
    record.sections = sections;
    record.n_sections = p->n_sections;

    pyro_dump_push(w, &record);
}


static void
dump_fuzz_same(const pyro_dump_push_t *a, const pyro_dump_push_t *b)
{
    uint32_t               i, k;
    const pyro_profile_t  *p, *q;

    p = a->profile;
    q = b->profile;

    CHECK(a->time == b->time && a->duration == b->duration);
    CHECK(pyro_slice_eq(a->tenant, b->tenant));
    CHECK(p->label_sets[0].digest.lo == q->label_sets[0].digest.lo);
    CHECK(p->label_sets[0].digest.hi == q->label_sets[0].digest.hi);
    CHECK(pyro_labels_cmp(&p->label_sets[0].labels, &q->label_sets[0].labels)
          == 0);
    CHECK(p->n_sections == q->n_sections && p->n_samples == q->n_samples);

    for (i = 0; i < p->n_sections; i++) {
        CHECK(p->sections[i].n == q->sections[i].n);
        CHECK(p->sections[i].total == q->sections[i].total);
        CHECK(pyro_labels_cmp(&p->types[p->sections[i].type].extra,
                              &q->types[q->sections[i].type].extra) == 0);

        /* nodes are numbered as samples come, so only values are compared */

        for (k = 0; k < p->sections[i].n; k++) {
            CHECK(p->sections[i].samples[k].value > 0);
        }
    }
}


static void
dump_fuzz_again(const pyro_dump_push_t *push)
{
    pyro_error_t         err;
    dump_input_t         in;
    dump_output_t        out = { NULL, 0 };
    pyro_arena_t        *arena;
    pyro_dump_push_t     again;
    pyro_dump_writer_t   w;
    pyro_dump_reader_t   r;

    arena = pyro_arena_create(0);
    CHECK(arena != NULL);

    pyro_dump_begin(&w, dump_fuzz_write, &out);
    dump_fuzz_put(&w, push, arena);
    CHECK(pyro_dump_end(&w, &err) == PYRO_OK);

    in.p = out.data;
    in.left = out.len;
    in.piece = out.len;

    pyro_dump_reader_init(&r, dump_fuzz_read, &in);
    CHECK(pyro_dump_next(&r, arena, &again, &err) == PYRO_OK);
    dump_fuzz_same(push, &again);
    CHECK(pyro_dump_next(&r, arena, &again, &err) == PYRO_NOT_FOUND);

    pyro_dump_reader_free(&r);
    pyro_arena_destroy(arena);
    free(out.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t             *copy;
    uint32_t             n;
    dump_input_t         in;
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_status_e        status;
    pyro_dump_push_t     push;
    pyro_dump_reader_t   r;

    copy = malloc(size + 1);
    CHECK(copy != NULL);

    if (size) {
        memcpy(copy, data, size);
    }

    dump_fuzz_seal(copy, size);

    in.p = copy;
    in.left = size;
    in.piece = size % 7 ? size + 1 : 3;

    pyro_dump_reader_init(&r, dump_fuzz_read, &in);

    for (n = 0, status = PYRO_OK; status == PYRO_OK && n < 64; n++) {
        arena = pyro_arena_create(64 * 1024 * 1024);
        CHECK(arena != NULL);

        status = pyro_dump_next(&r, arena, &push, &err);

        if (status == PYRO_OK) {
            dump_fuzz_profile(&push);
            dump_fuzz_again(&push);

        } else {
            CHECK(status == PYRO_NOT_FOUND || status == PYRO_UNPROCESSABLE
                  || status == PYRO_UNAVAILABLE);
            CHECK(status != PYRO_UNPROCESSABLE || err.offset <= size);
        }

        pyro_arena_destroy(arena);
    }

    pyro_dump_reader_free(&r);
    free(copy);

    return 0;
}
