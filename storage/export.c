/*
 * pyro_store_export(): streams scope by scope, their records in order of time,
 * each with what it needs to be read by itself.
 */

#include "storage/dump.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/dict.h"
#include "storage/nodes.h"
#include "storage/select.h"
#include "storage/series_index.h"


/* A section of the record at hand. */
typedef struct {
    pyro_record_section_t   head;
    pyro_pair_t            *pairs;
    pyro_pairs_t            groups;     /* key: node, span behind it */
    uint32_t                n_groups;
    pyro_section_t          out;
} pyro_export_section_t;


typedef struct {
    pyro_dump_writer_t      w;
    pyro_dump_result_t     *result;

    /* of a scope */
    pyro_arena_t           *arena;
    uint32_t                scope;
    uint32_t                n;          /* nodes that are loaded, and 1 */
    uint32_t               *parents;
    uint32_t                cap_parents;
    uint32_t               *frames;
    uint32_t                cap_frames;
    uint32_t               *numbers;    /* in the dump, 0: none yet */
    uint32_t                cap_numbers;
    uint32_t               *path;
    uint32_t                cap_path;
    pyro_intern_t           frame_ids;  /* stored to dumped */
    uint32_t               *types;      /* the same, by ptype - 1; PYRO_NONE */
    pyro_label_room_t       labels;
} pyro_export_t;


/* A record, in an arena of its own. */
typedef struct {
    pyro_export_t          *e;
    pyro_read_t            *read;
    pyro_arena_t           *arena;
    pyro_export_section_t  *sections;
    pyro_dump_record_t      out;
} pyro_export_record_t;


static pyro_status_e pyro_export_partition(pyro_read_t *read, void *ctx);
static pyro_status_e pyro_export_scope(pyro_read_t *read, pyro_export_t *e,
    const pyro_selected_t *selected, uint32_t n);
static pyro_status_e pyro_export_scope_begin(pyro_read_t *read,
    pyro_export_t *e, uint32_t scope);
static pyro_status_e pyro_export_nodes(pyro_read_t *read, pyro_export_t *e);
static pyro_status_e pyro_export_stream(pyro_read_t *read, pyro_export_t *e,
    const pyro_selected_t *selected);
static int pyro_export_is_wanted(const pyro_record_t *record,
    const pyro_selected_t *selected);
static pyro_status_e pyro_export_push(pyro_export_record_t *r,
    pyro_record_t record);
static pyro_status_e pyro_export_read(pyro_export_record_t *r,
    pyro_record_t *record);
static pyro_status_e pyro_export_spans(pyro_export_record_t *r,
    pyro_record_t *record);
static pyro_status_e pyro_export_groups(pyro_export_record_t *r,
    pyro_export_section_t *section, pyro_bytes_t in);
static pyro_status_e pyro_export_section(pyro_export_record_t *r,
    pyro_export_section_t *section);
static pyro_status_e pyro_export_sample(pyro_export_record_t *r,
    pyro_section_t *out, uint64_t node, uint32_t span, uint64_t value);
static int pyro_export_cmp(const void *one, const void *two);
static pyro_status_e pyro_export_node(pyro_export_record_t *r, uint32_t node,
    uint32_t *number);
static pyro_status_e pyro_export_frame(pyro_export_record_t *r, uint32_t frame,
    uint32_t *number);
static uint32_t pyro_export_type(pyro_export_record_t *r, uint32_t ptype);


pyro_status_e
pyro_store_export(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_store_out_pt out, void *ctx, pyro_dump_result_t *result,
    pyro_error_t *err)
{
    uint64_t       damaged;
    pyro_export_t  e;
    pyro_error_t   end;
    pyro_status_e  status, written;

    memset(&e, 0, sizeof(pyro_export_t));
    memset(result, 0, sizeof(pyro_dump_result_t));

    e.result = result;
    damaged = store->damaged;

    pyro_dump_begin(&e.w, out, ctx);
    status = pyro_read_each(store, query, pyro_export_partition, &e, err);

    /* what was not read to its end is to look like it */

    if (status != PYRO_OK && !e.w.failed) {
        e.w.failed = EPIPE;
        (void) pyro_dump_end(&e.w, NULL);
        return status;
    }

    written = pyro_dump_end(&e.w, &end);

    if (written != PYRO_OK && err != NULL) {
        *err = end;
    }

    result->damaged = store->damaged - damaged;

    return written;
}


static pyro_status_e
pyro_export_partition(pyro_read_t *read, void *ctx)
{
    uint32_t          i, end, n;
    pyro_export_t    *e;
    pyro_status_e     status;
    pyro_selected_t  *selected;

    e = ctx;
    n = 0;
    status = pyro_select(read, &selected, &n);

    for (i = 0; i < n && status == PYRO_OK; i = end) {

        for (end = i + 1; end < n; end++) {
            if (selected[end].scope != selected[i].scope) {
                break;
            }
        }

        status = pyro_export_scope(read, e, &selected[i], end - i);
    }

    return status;
}


static pyro_status_e
pyro_export_scope(pyro_read_t *read, pyro_export_t *e,
    const pyro_selected_t *selected, uint32_t n)
{
    uint32_t       i;
    pyro_status_e  status;

    status = pyro_export_scope_begin(read, e, selected->scope);

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_export_stream(read, e, &selected[i]);
    }

    pyro_arena_destroy(e->arena);
    e->arena = NULL;

    return status;
}


static pyro_status_e
pyro_export_scope_begin(pyro_read_t *read, pyro_export_t *e, uint32_t scope)
{
    uint32_t             i;
    pyro_dump_writer_t   w;
    pyro_dump_result_t  *result;

    w = e->w;
    result = e->result;
    memset(e, 0, sizeof(pyro_export_t));
    e->w = w;
    e->result = result;

    e->scope = scope;
    e->arena = pyro_arena_create(0);
    e->types = e->arena ? pyro_arena_calloc(e->arena, read->ptypes.n,
                                            sizeof(uint32_t)) : NULL;

    if (e->types == NULL) {
        return pyro_error_memory(read->view.err);
    }

    for (i = 0; i < read->ptypes.n; i++) {
        e->types[i] = PYRO_NONE;
    }

    pyro_intern_init(&e->frame_ids, e->arena);
    pyro_dump_scope(&e->w, read->query->tenant);

    return pyro_export_nodes(read, e);
}


/* All nodes that the scope has in the present snapshot. */
static pyro_status_e
pyro_export_nodes(pyro_read_t *read, pyro_export_t *e)
{
    uint32_t             n;
    pyro_status_e        status;
    pyro_scope_value_t   scope;

    status = pyro_scope_read(&read->view, e->scope, &scope);

    if (status != PYRO_OK) {
        return status;
    }

    n = scope.nodes + 1;

    if (pyro_arena_grow(e->arena, &e->parents, &e->cap_parents, n,
                        sizeof(uint32_t))
        || pyro_arena_grow(e->arena, &e->frames, &e->cap_frames, n,
                           sizeof(uint32_t))
        || pyro_arena_grow(e->arena, &e->numbers, &e->cap_numbers, n,
                           sizeof(uint32_t)))
    {
        return pyro_error_memory(read->view.err);
    }

    status = pyro_nodes_load(&read->view, e->scope, scope.nodes, e->parents,
                             e->frames);

    if (status == PYRO_OK && n > e->n) {
        memset(e->numbers + e->n, 0, (size_t) (n - e->n) * sizeof(uint32_t));
        e->n = n;
    }

    return status;
}


static pyro_status_e
pyro_export_stream(pyro_read_t *read, pyro_export_t *e,
    const pyro_selected_t *selected)
{
    uint32_t               labels;
    pyro_scan_t            scan;
    pyro_status_e          status;
    pyro_stream_value_t    stream;
    pyro_export_record_t   r;

    status = pyro_read_stream(read, selected->stream, &stream);

    if (status == PYRO_NOT_FOUND) {
        return PYRO_OK;
    }

    if (status == PYRO_OK) {
        status = pyro_stream_labels(&read->view, e->arena, &stream,
                                    &e->labels);
    }

    if (status != PYRO_OK) {
        return status;
    }

    labels = pyro_dump_labels(&e->w, &e->labels.labels);
    pyro_scan_start(&scan, read, selected->stream, read->query->start,
                    read->query->end);

    while ((status = pyro_scan_next(&scan)) == PYRO_OK) {

        if (!pyro_export_is_wanted(&scan.record, selected)) {
            continue;
        }

        memset(&r, 0, sizeof(pyro_export_record_t));

        r.e = e;
        r.read = read;
        r.arena = pyro_arena_create(0);
        r.out.time = scan.time;
        r.out.labels = labels;

        status = r.arena ? pyro_export_push(&r, scan.record)
                         : pyro_error_memory(read->view.err);
        pyro_arena_destroy(r.arena);

        /* where the dump goes to is full or closed: no partition's fault */

        if (status == PYRO_OK && e->w.failed) {
            return pyro_error_set(read->view.err, PYRO_CANCELED,
                                  PYRO_REASON_STORE, "the dump cannot be "
                                  "written");
        }

        if (status != PYRO_OK && status != PYRO_UNPROCESSABLE) {
            return status;
        }

        if (status == PYRO_UNPROCESSABLE) {
            read->store->damaged++;
        }
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static int
pyro_export_is_wanted(const pyro_record_t *record,
    const pyro_selected_t *selected)
{
    uint32_t                i;
    pyro_record_t           copy;
    pyro_record_section_t   section;

    copy = *record;

    while (pyro_record_next(&copy, &section) == 1) {
        for (i = 0; i < selected->n; i++) {
            if (selected->ptypes[i] == section.ptype) {
                return 1;
            }
        }
    }

    return 0;
}


/* PYRO_UNPROCESSABLE: the record is damaged, nothing was written. */
static pyro_status_e
pyro_export_push(pyro_export_record_t *r, pyro_record_t record)
{
    uint32_t         i;
    pyro_status_e    status;
    pyro_section_t  *out;

    r->out.duration = record.duration;
    r->out.digest = record.digest;

    status = pyro_export_read(r, &record);

    if (status == PYRO_OK) {
        status = pyro_export_spans(r, &record);
    }

    out = pyro_arena_calloc(r->arena, r->out.n_sections,
                            sizeof(pyro_section_t));

    if (out == NULL) {
        return pyro_error_memory(r->read->view.err);
    }

    for (i = 0; i < r->out.n_sections && status == PYRO_OK; i++) {
        status = pyro_export_section(r, &r->sections[i]);
        out[i] = r->sections[i].out;
    }

    if (status == PYRO_OK) {
        r->out.sections = out;
        pyro_dump_push(&r->e->w, &r->out);
        r->e->result->pushes++;
    }

    return status;
}


static pyro_status_e
pyro_export_read(pyro_export_record_t *r, pyro_record_t *record)
{
    int                     rc;
    uint32_t                cap, n;
    pyro_bytes_t            in;
    pyro_export_section_t  *s;
    pyro_record_section_t   section;

    cap = 0;

    for (n = 0; (rc = pyro_record_next(record, &section)) == 1; n++) {

        if (pyro_arena_grow(r->arena, &r->sections, &cap, (size_t) n + 1,
                            sizeof(pyro_export_section_t)))
        {
            return pyro_error_memory(r->read->view.err);
        }

        s = &r->sections[n];
        memset(s, 0, sizeof(pyro_export_section_t));

        s->head = section;
        s->pairs = pyro_arena_alloc(r->arena,
                                    section.n * sizeof(pyro_pair_t));
        in = section.pairs;

        if (s->pairs == NULL) {
            return pyro_error_memory(r->read->view.err);
        }

        if (section.ptype == 0 || section.ptype > r->read->ptypes.n
            || pyro_pairs_take(&in, section.n, section.scale, s->pairs))
        {
            return PYRO_UNPROCESSABLE;
        }
    }

    r->out.n_sections = n;

    return rc || n == 0 ? PYRO_UNPROCESSABLE : PYRO_OK;
}


static pyro_status_e
pyro_export_spans(pyro_export_record_t *r, pyro_record_t *record)
{
    uint32_t        i, n;
    uint64_t        len;
    pyro_span_t    *spans;
    pyro_bytes_t    in;
    pyro_status_e   status;

    if (pyro_record_spans(record, &n)
        || n > (size_t) (record->rest.end - record->rest.p) / 9)
    {
        return PYRO_UNPROCESSABLE;
    }

    spans = pyro_arena_calloc(r->arena, n, sizeof(pyro_span_t));

    if (spans == NULL) {
        return pyro_error_memory(r->read->view.err);
    }

    for (i = 0; i < n; i++) {
        if (pyro_record_span(record, &spans[i])) {
            return PYRO_UNPROCESSABLE;
        }
    }

    r->out.spans = spans;
    r->out.n_spans = n;
    status = PYRO_OK;

    for (i = 0; record->has_spans && i < r->out.n_sections
                && status == PYRO_OK; i++)
    {
        if (pyro_take(&record->rest, &len)
            || len > (uint64_t) (record->rest.end - record->rest.p))
        {
            return PYRO_UNPROCESSABLE;
        }

        in = pyro_bytes(record->rest.p, (size_t) len);
        record->rest.p = in.end;
        status = pyro_export_groups(r, &r->sections[i], in);
    }

    return status;
}


/* The pairs of each span, sorted by node and span. */
static pyro_status_e
pyro_export_groups(pyro_export_record_t *r, pyro_export_section_t *section,
    pyro_bytes_t in)
{
    uint32_t       groups, delta, count, i, n;
    uint64_t       span;
    pyro_pair_t   *pair;

    if (pyro_take_u32(&in, &groups)) {
        return PYRO_UNPROCESSABLE;
    }

    for (span = 0, n = 0; groups; groups--) {

        if (pyro_take_u32(&in, &delta) || pyro_take_u32(&in, &count)
            || count > (size_t) (in.end - in.p) / 2)
        {
            return PYRO_UNPROCESSABLE;
        }

        span += delta;

        if (span == 0 || span > r->out.n_spans) {
            return PYRO_UNPROCESSABLE;
        }

        if (pyro_pairs_reserve(r->arena, &section->groups,
                               (size_t) n + count))
        {
            return pyro_error_memory(r->read->view.err);
        }

        if (pyro_pairs_take(&in, count, section->head.scale,
                            section->groups.items + n))
        {
            return PYRO_UNPROCESSABLE;
        }

        for (i = 0; i < count; i++) {
            pair = &section->groups.items[n + i];
            pair->key = pair->key << 32 | span;
        }

        n += count;
    }

    if (n) {
        pyro_pairs_sort(&section->groups, n);
    }

    section->n_groups = n;

    return PYRO_OK;
}


/* What of a node's value no span has is a sample without one. */
static pyro_status_e
pyro_export_section(pyro_export_record_t *r, pyro_export_section_t *section)
{
    uint32_t         i, k;
    uint64_t         sum;
    pyro_pair_t     *pair, *group;
    pyro_section_t  *out;
    pyro_status_e    status;

    out = &section->out;
    out->type = pyro_export_type(r, section->head.ptype);
    out->samples = pyro_arena_alloc(r->arena, ((size_t) section->head.n
                                               + section->n_groups)
                                              * sizeof(pyro_sample_t));

    if (out->samples == NULL) {
        return pyro_error_memory(r->read->view.err);
    }

    status = PYRO_OK;

    for (i = 0, k = 0; i < section->head.n && status == PYRO_OK; i++) {
        pair = &section->pairs[i];

        for (sum = 0; k < section->n_groups && status == PYRO_OK; k++) {
            group = &section->groups.items[k];

            if (group->key >> 32 != pair->key) {
                break;
            }

            sum += group->value;
            sum = sum > INT64_MAX ? INT64_MAX : sum;
            status = pyro_export_sample(r, out, pair->key,
                                        (uint32_t) group->key, group->value);
        }

        if (status == PYRO_OK && pair->value > sum) {
            status = pyro_export_sample(r, out, pair->key, 0,
                                        pair->value - sum);
        }
    }

    if (status == PYRO_OK && (k != section->n_groups || out->n == 0)) {
        return PYRO_UNPROCESSABLE;
    }

    if (status == PYRO_OK) {
        qsort(out->samples, out->n, sizeof(pyro_sample_t), pyro_export_cmp);
    }

    return status;
}


static pyro_status_e
pyro_export_sample(pyro_export_record_t *r, pyro_section_t *out,
    uint64_t node, uint32_t span, uint64_t value)
{
    pyro_status_e   status;
    pyro_sample_t  *sample;

    if (node > UINT32_MAX || value == 0) {
        return PYRO_UNPROCESSABLE;
    }

    sample = &out->samples[out->n];
    status = pyro_export_node(r, (uint32_t) node, &sample->node);

    if (status == PYRO_OK) {
        sample->span = span;
        sample->value = value;
        out->n++;
    }

    return status;
}


static int
pyro_export_cmp(const void *one, const void *two)
{
    const pyro_sample_t  *a = one, *b = two;

    if (a->node != b->node) {
        return a->node < b->node ? -1 : 1;
    }

    return (a->span > b->span) - (a->span < b->span);
}


/* The node in the dump, defined with those above it where it is new. */
static pyro_status_e
pyro_export_node(pyro_export_record_t *r, uint32_t node, uint32_t *number)
{
    uint32_t        depth, frame;
    pyro_export_t  *e;
    pyro_status_e   status;

    e = r->e;

    if (node >= e->n) {
        status = pyro_export_nodes(r->read, e);

        if (status != PYRO_OK) {
            return status;
        }

        if (node >= e->n) {
            return PYRO_UNPROCESSABLE;
        }
    }

    for (depth = 0; node && e->numbers[node] == 0; depth++) {

        if (pyro_arena_grow(e->arena, &e->path, &e->cap_path,
                            (size_t) depth + 1, sizeof(uint32_t)))
        {
            return pyro_error_memory(r->read->view.err);
        }

        e->path[depth] = node;
        node = e->parents[node];
    }

    *number = e->numbers[node];

    while (depth) {
        node = e->path[--depth];
        status = pyro_export_frame(r, e->frames[node], &frame);

        if (status != PYRO_OK) {
            return status;
        }

        *number = pyro_dump_node(&e->w, *number, frame);
        e->numbers[node] = *number;
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_export_frame(pyro_export_record_t *r, uint32_t frame, uint32_t *number)
{
    uint32_t             n;
    pyro_export_t       *e;
    pyro_slice_t         function, file;
    pyro_status_e        status;
    pyro_frame_value_t   value;

    e = r->e;
    n = e->frame_ids.n;
    *number = pyro_intern(&e->frame_ids, pyro_slice(&frame, sizeof(frame)), 1);

    if (*number == PYRO_NONE) {
        return pyro_error_memory(r->read->view.err);
    }

    if (*number != n) {
        return PYRO_OK;
    }

    status = pyro_dict_frame_get(&r->read->view, frame, &value);

    if (status == PYRO_OK) {
        status = pyro_dict_text(&r->read->view, value.function, &function);
    }

    if (status == PYRO_OK) {
        status = pyro_dict_text(&r->read->view, value.file, &file);
    }

    if (status == PYRO_OK) {
        (void) pyro_dump_frame(&e->w, function, file, value.line,
                               value.start_line);
    }

    return status;
}


static uint32_t
pyro_export_type(pyro_export_record_t *r, uint32_t ptype)
{
    uint32_t  *type;

    type = &r->e->types[ptype - 1];

    if (*type == PYRO_NONE) {
        *type = pyro_dump_type(&r->e->w, &r->read->ptypes.items[ptype - 1]);
    }

    return *type;
}
