/*
 * Push records whose nodes and types get other ids: decoded, mapped, and put
 * together again in the order of the new ones.
 */

#include "storage/seal_job.h"

#include <stdlib.h>


typedef struct {
    const pyro_seal_source_t  *source;
    pyro_arena_t              *arena;
    pyro_record_t              record;
    pyro_record_section_t     *sections;
    pyro_record_part_t        *parts;
    pyro_pairs_t               room;
} pyro_seal_record_t;


static pyro_status_e pyro_seal_sections(pyro_seal_record_t *r);
static pyro_status_e pyro_seal_pairs(pyro_seal_record_t *r, pyro_bytes_t *in,
    uint32_t n, uint64_t scale);
static pyro_status_e pyro_seal_body(pyro_seal_record_t *r, uint32_t i);
static pyro_status_e pyro_seal_spans(pyro_seal_record_t *r,
    pyro_slice_t *table);
static pyro_status_e pyro_seal_groups(pyro_seal_record_t *r, uint32_t i);
static int pyro_seal_part_cmp(const void *one, const void *two);


pyro_status_e
pyro_seal_record(const pyro_seal_source_t *source, pyro_slice_t in,
    pyro_arena_t *arena, pyro_slice_t *out)
{
    uint32_t             n;
    pyro_slice_t         table;
    pyro_status_e        status;
    pyro_seal_record_t   r;

    memset(&r, 0, sizeof(pyro_seal_record_t));

    r.source = source;
    r.arena = arena;

    if (pyro_record_open(in, &r.record)
        || r.record.n_sections > (size_t) (r.record.rest.end
                                           - r.record.rest.p))
    {
        return PYRO_UNPROCESSABLE;
    }

    n = r.record.n_sections;
    r.sections = pyro_arena_calloc(arena, n, sizeof(pyro_record_section_t));
    r.parts = pyro_arena_calloc(arena, n, sizeof(pyro_record_part_t));

    if (r.sections == NULL || r.parts == NULL) {
        return PYRO_UNAVAILABLE;
    }

    status = pyro_seal_sections(&r);

    if (status == PYRO_OK) {
        status = pyro_seal_spans(&r, &table);
    }

    if (status != PYRO_OK) {
        return status;
    }

    qsort(r.parts, n, sizeof(pyro_record_part_t), pyro_seal_part_cmp);

    return pyro_record_encode(arena, r.record.digest, r.record.duration,
                              r.parts, n, table, out)
           ? PYRO_UNAVAILABLE : PYRO_OK;
}


static pyro_status_e
pyro_seal_sections(pyro_seal_record_t *r)
{
    uint32_t                i;
    pyro_status_e           status;
    pyro_record_section_t  *section;

    for (i = 0; i < r->record.n_sections; i++) {
        section = &r->sections[i];

        if (pyro_record_next(&r->record, section) != 1
            || section->ptype == 0 || section->ptype > r->source->ids.ptype)
        {
            return PYRO_UNPROCESSABLE;
        }

        r->parts[i].ptype = r->source->ptypes[section->ptype];
        status = pyro_seal_body(r, i);

        if (status != PYRO_OK) {
            return status;
        }
    }

    return PYRO_OK;
}


/* So many pairs into the room, by their new nodes. */
static pyro_status_e
pyro_seal_pairs(pyro_seal_record_t *r, pyro_bytes_t *in, uint32_t n,
    uint64_t scale)
{
    uint32_t  i;

    if (n > (size_t) (in->end - in->p) / 2) {
        return PYRO_UNPROCESSABLE;
    }

    if (pyro_pairs_reserve(r->arena, &r->room, n)) {
        return PYRO_UNAVAILABLE;
    }

    if (pyro_pairs_take(in, n, scale, r->room.items)) {
        return PYRO_UNPROCESSABLE;
    }

    for (i = 0; i < n; i++) {

        if (r->room.items[i].key >= r->source->n_nodes) {
            return PYRO_UNPROCESSABLE;
        }

        r->room.items[i].key = r->source->nodes[r->room.items[i].key];
    }

    pyro_pairs_sort(&r->room, n);

    return PYRO_OK;
}


static pyro_status_e
pyro_seal_body(pyro_seal_record_t *r, uint32_t i)
{
    uint8_t                *p, *start;
    pyro_bytes_t            in;
    pyro_status_e           status;
    pyro_record_section_t  *section;

    section = &r->sections[i];
    in = section->pairs;
    status = pyro_seal_pairs(r, &in, section->n, section->scale);

    if (status != PYRO_OK) {
        return status;
    }

    start = pyro_arena_alloc(r->arena, 3 * PYRO_VARINT_MAX
                             + (size_t) section->n * (5 + PYRO_VARINT_MAX));

    if (start == NULL) {
        return PYRO_UNAVAILABLE;
    }

    p = pyro_put_varint(start, section->scale);
    p = pyro_put_varint(p, section->total / section->scale);
    p = pyro_put_varint(p, section->n);
    p = pyro_pairs_put(p, r->room.items, section->n, section->scale);

    r->parts[i].body = pyro_slice(start, (size_t) (p - start));

    return PYRO_OK;
}


/* The table stays as it is. */
static pyro_status_e
pyro_seal_spans(pyro_seal_record_t *r, pyro_slice_t *table)
{
    uint32_t        i, n;
    pyro_span_t     span;
    pyro_status_e   status;
    const uint8_t  *start;

    *table = pyro_slice(NULL, 0);
    start = r->record.rest.p;

    if (!r->record.has_spans) {
        return PYRO_OK;
    }

    if (pyro_record_spans(&r->record, &n)) {
        return PYRO_UNPROCESSABLE;
    }

    for (i = 0; i < n; i++) {
        if (pyro_record_span(&r->record, &span)) {
            return PYRO_UNPROCESSABLE;
        }
    }

    *table = pyro_slice(start, (size_t) (r->record.rest.p - start));
    status = PYRO_OK;

    for (i = 0; i < r->record.n_sections && status == PYRO_OK; i++) {
        status = pyro_seal_groups(r, i);
    }

    return status;
}


static pyro_status_e
pyro_seal_groups(pyro_seal_record_t *r, uint32_t i)
{
    uint8_t        *p, *start;
    uint32_t        groups, span, count;
    uint64_t        len;
    pyro_bytes_t    in;
    pyro_status_e   status;

    if (pyro_take(&r->record.rest, &len)
        || len > (size_t) (r->record.rest.end - r->record.rest.p))
    {
        return PYRO_UNPROCESSABLE;
    }

    in = pyro_bytes(r->record.rest.p, (size_t) len);
    r->record.rest.p = in.end;

    /* two bytes of a pair become fifteen at the most */

    start = pyro_arena_alloc(r->arena, PYRO_VARINT_MAX
                             + (size_t) len * (5 + PYRO_VARINT_MAX));

    if (start == NULL) {
        return PYRO_UNAVAILABLE;
    }

    if (pyro_take_u32(&in, &groups)) {
        return PYRO_UNPROCESSABLE;
    }

    p = pyro_put_varint(start, groups);

    while (groups--) {

        if (pyro_take_u32(&in, &span) || pyro_take_u32(&in, &count)) {
            return PYRO_UNPROCESSABLE;
        }

        status = pyro_seal_pairs(r, &in, count, r->sections[i].scale);

        if (status != PYRO_OK) {
            return status;
        }

        p = pyro_put_varint(p, span);
        p = pyro_put_varint(p, count);
        p = pyro_pairs_put(p, r->room.items, count, r->sections[i].scale);
    }

    r->parts[i].groups = pyro_slice(start, (size_t) (p - start));

    return PYRO_OK;
}


static int
pyro_seal_part_cmp(const void *one, const void *two)
{
    const pyro_record_part_t  *a = one, *b = two;

    return (a->ptype > b->ptype) - (a->ptype < b->ptype);
}
