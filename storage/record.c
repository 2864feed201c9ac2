#include "storage/record.h"


#define PYRO_RECORD_VERSION   1
#define PYRO_RECORD_SPANS     1
#define PYRO_RECORD_HEADER    22
#define PYRO_RECORD_SPAN_MAX  25


static int pyro_record_fill(pyro_arena_t *arena, pyro_pairs_t *room,
    const pyro_section_t *section, const uint32_t *ids, const uint32_t *spans,
    uint32_t *n);
static uint64_t pyro_record_scale(const pyro_section_t *section,
    const pyro_pair_t *items, uint32_t n, int spans);
static int pyro_record_groups(pyro_arena_t *arena, pyro_pairs_t *room,
    uint32_t n, uint64_t scale, pyro_slice_t *groups);
static int pyro_record_take_groups(pyro_record_t *record, pyro_bytes_t *in);
static int pyro_record_take_group(pyro_bytes_t *in, uint32_t n_spans,
    uint64_t *span, uint32_t *count);


/*
 * The pairs of a section by stored node, or, with spans, of those samples that
 * have one, by span and node; equal keys joined.
 */
static int
pyro_record_fill(pyro_arena_t *arena, pyro_pairs_t *room,
    const pyro_section_t *section, const uint32_t *ids, const uint32_t *spans,
    uint32_t *n)
{
    uint32_t              i, count;
    const pyro_sample_t  *s;

    if (pyro_pairs_reserve(arena, room, section->n)) {
        return -1;
    }

    for (i = 0, count = 0; i < section->n; i++) {
        s = &section->samples[i];

        if (spans != NULL && s->span == 0) {
            continue;
        }

        room->items[count].key = ids[s->node];
        room->items[count].value = s->value;

        if (spans != NULL) {
            room->items[count].key |= (uint64_t) spans[s->span] << 32;
        }

        count++;
    }

    pyro_pairs_sort(room, count);
    *n = pyro_pairs_join(room->items, count);

    return 0;
}


/*
 * Sums are multiples of what divides their terms, unless they stopped at
 * INT64_MAX: so sums, total and, for the groups, the terms are all asked.
 */
static uint64_t
pyro_record_scale(const pyro_section_t *section, const pyro_pair_t *items,
    uint32_t n, int spans)
{
    uint32_t  i;
    uint64_t  scale;

    scale = section->total;

    for (i = 0; i < n && scale > 1; i++) {
        scale = pyro_pairs_gcd(items[i].value, scale);
    }

    for (i = 0; spans && i < section->n && scale > 1; i++) {
        scale = pyro_pairs_gcd(section->samples[i].value, scale);
    }

    return scale ? scale : 1;
}


int
pyro_record_section(pyro_arena_t *arena, pyro_pairs_t *room,
    const pyro_section_t *section, const uint32_t *ids, const uint32_t *spans,
    pyro_record_part_t *part)
{
    uint8_t   *p, *start;
    uint32_t   n;
    uint64_t   scale;

    if (pyro_record_fill(arena, room, section, ids, NULL, &n)) {
        return -1;
    }

    scale = pyro_record_scale(section, room->items, n, spans != NULL);
    start = pyro_arena_alloc(arena, 3 * PYRO_VARINT_MAX
                                    + (size_t) n * (5 + PYRO_VARINT_MAX));

    if (start == NULL) {
        return -1;
    }

    p = pyro_put_varint(start, scale);
    p = pyro_put_varint(p, section->total / scale);
    p = pyro_put_varint(p, n);
    p = pyro_pairs_put(p, room->items, n, scale);

    part->body = pyro_slice(start, (size_t) (p - start));
    part->groups = pyro_slice(NULL, 0);

    if (spans == NULL) {
        return 0;
    }

    if (pyro_record_fill(arena, room, section, ids, spans, &n)) {
        return -1;
    }

    return pyro_record_groups(arena, room, n, scale, &part->groups);
}


static int
pyro_record_groups(pyro_arena_t *arena, pyro_pairs_t *room, uint32_t n,
    uint64_t scale, pyro_slice_t *groups)
{
    uint8_t   *p, *start;
    uint32_t   i, end, span, last, count;

    for (i = 0, count = 0, last = 0; i < n; i++) {
        span = (uint32_t) (room->items[i].key >> 32);
        count += span != last;
        last = span;
    }

    start = pyro_arena_alloc(arena, PYRO_VARINT_MAX + (size_t) count * 10
                                    + (size_t) n * (5 + PYRO_VARINT_MAX));

    if (start == NULL) {
        return -1;
    }

    p = pyro_put_varint(start, count);

    for (i = 0, last = 0; i < n; i = end) {
        span = (uint32_t) (room->items[i].key >> 32);

        for (end = i + 1; end < n; end++) {
            if (room->items[end].key >> 32 != span) {
                break;
            }
        }

        p = pyro_put_varint(p, span - last);
        p = pyro_put_varint(p, end - i);
        p = pyro_pairs_put(p, &room->items[i], end - i, scale);

        last = span;
    }

    *groups = pyro_slice(start, (size_t) (p - start));

    return 0;
}


int
pyro_record_span_table(pyro_arena_t *arena, const pyro_span_t *spans,
    const uint32_t *list, uint32_t n, pyro_slice_t *table)
{
    uint8_t            *p, *start;
    uint32_t            i;
    const pyro_span_t  *span;

    start = pyro_arena_alloc(arena, PYRO_VARINT_MAX
                                    + (size_t) n * PYRO_RECORD_SPAN_MAX);

    if (start == NULL) {
        return -1;
    }

    p = pyro_put_varint(start, n);

    for (i = 0; i < n; i++) {
        span = &spans[list[i]];

        *p++ = span->trace_hi || span->trace_lo;
        pyro_put_be64(p, span->id);
        p += 8;

        if (span->trace_hi || span->trace_lo) {
            pyro_put_be64(p, span->trace_hi);
            pyro_put_be64(p + 8, span->trace_lo);
            p += 16;
        }
    }

    *table = pyro_slice(start, (size_t) (p - start));

    return 0;
}


size_t
pyro_record_size(const pyro_record_part_t *parts, uint32_t n, size_t rest)
{
    size_t    size;
    uint32_t  i;

    size = PYRO_RECORD_HEADER + 2 * PYRO_VARINT_MAX + rest;

    for (i = 0; i < n; i++) {
        size += parts[i].body.len + parts[i].groups.len + 3 * PYRO_VARINT_MAX;
    }

    return size;
}


uint8_t *
pyro_record_put(uint8_t *start, pyro_hash128_t digest, uint64_t duration,
    int has_spans, const pyro_record_part_t *parts, uint32_t n)
{
    uint8_t   *p;
    uint32_t   i;

    start[4] = PYRO_RECORD_VERSION;
    start[5] = has_spans ? PYRO_RECORD_SPANS : 0;
    pyro_put_be64(start + 6, digest.hi);
    pyro_put_be64(start + 14, digest.lo);

    p = pyro_put_varint(start + PYRO_RECORD_HEADER, duration);
    p = pyro_put_varint(p, n);

    for (i = 0; i < n; i++) {
        p = pyro_put_varint(p, parts[i].ptype);
        p = pyro_put_varint(p, parts[i].body.len);
        memcpy(p, parts[i].body.data, parts[i].body.len);
        p += parts[i].body.len;
    }

    return p;
}


pyro_slice_t
pyro_record_close(uint8_t *start, const uint8_t *end)
{
    size_t  size;

    size = (size_t) (end - start);
    pyro_put_be32(start, pyro_checksum(start, size));

    return pyro_slice(start, size);
}


int
pyro_record_encode(pyro_arena_t *arena, pyro_hash128_t digest,
    uint64_t duration, const pyro_record_part_t *parts, uint32_t n,
    pyro_slice_t table, pyro_slice_t *record)
{
    uint8_t   *p, *start;
    uint32_t   i;

    start = pyro_arena_alloc(arena, pyro_record_size(parts, n, table.len));

    if (start == NULL) {
        return -1;
    }

    p = pyro_record_put(start, digest, duration, table.len != 0, parts, n);

    if (table.len) {
        memcpy(p, table.data, table.len);
        p += table.len;

        for (i = 0; i < n; i++) {
            p = pyro_put_varint(p, parts[i].groups.len);
            memcpy(p, parts[i].groups.data, parts[i].groups.len);
            p += parts[i].groups.len;
        }
    }

    *record = pyro_record_close(start, p);

    return 0;
}


int
pyro_record_open(pyro_slice_t in, pyro_record_t *record)
{
    const uint8_t  *p;

    if (in.len < PYRO_RECORD_HEADER) {
        return -1;
    }

    p = (const uint8_t *) in.data;

    if (p[4] != PYRO_RECORD_VERSION || (p[5] & ~PYRO_RECORD_SPANS)
        || pyro_get_be32(p) != pyro_checksum(p, in.len))
    {
        return -1;
    }

    record->has_spans = p[5] & PYRO_RECORD_SPANS;
    record->digest = pyro_record_digest(in);
    record->rest = pyro_bytes(p + PYRO_RECORD_HEADER,
                              in.len - PYRO_RECORD_HEADER);

    if (pyro_take(&record->rest, &record->duration)
        || pyro_take_u32(&record->rest, &record->n_sections))
    {
        return -1;
    }

    record->left = record->n_sections;

    return 0;
}


pyro_hash128_t
pyro_record_digest(pyro_slice_t in)
{
    pyro_hash128_t  digest;

    digest.hi = pyro_get_be64((const uint8_t *) in.data + 6);
    digest.lo = pyro_get_be64((const uint8_t *) in.data + 14);

    return digest;
}


int
pyro_record_next(pyro_record_t *record, pyro_record_section_t *section)
{
    uint64_t      len;
    pyro_bytes_t  in;

    if (record->left == 0) {
        return 0;
    }

    if (pyro_take_u32(&record->rest, &section->ptype)
        || pyro_take(&record->rest, &len)
        || len > (uint64_t) (record->rest.end - record->rest.p))
    {
        return -1;
    }

    in = pyro_bytes(record->rest.p, (size_t) len);
    record->rest.p = in.end;
    record->left--;

    return pyro_record_body(in, section) ? -1 : 1;
}


int
pyro_record_body(pyro_bytes_t in, pyro_record_section_t *section)
{
    uint64_t  total;

    if (pyro_take(&in, &section->scale)
        || section->scale == 0 || section->scale > INT64_MAX
        || pyro_take(&in, &total)
        || total > INT64_MAX / section->scale
        || pyro_take_u32(&in, &section->n)
        || section->n > (uint64_t) (in.end - in.p) / 2)
    {
        return -1;
    }

    section->total = total * section->scale;
    section->pairs = in;

    return 0;
}


int
pyro_record_add(const pyro_record_section_t *section, uint64_t *acc,
    uint32_t n)
{
    pyro_bytes_t  in;

    in = section->pairs;

    return pyro_pairs_add(&in, section->n, section->scale, acc, n);
}


int
pyro_record_spans(pyro_record_t *record, uint32_t *n)
{
    *n = 0;

    if (!record->has_spans) {
        return 0;
    }

    return record->left ? -1 : pyro_take_u32(&record->rest, n);
}


int
pyro_record_span(pyro_record_t *record, pyro_span_t *span)
{
    size_t          left;
    const uint8_t  *p;

    p = record->rest.p;
    left = (size_t) (record->rest.end - p);

    if (left < 9 || p[0] > 1 || (p[0] && left < PYRO_RECORD_SPAN_MAX)) {
        return -1;
    }

    span->id = pyro_get_be64(p + 1);
    span->trace_hi = p[0] ? pyro_get_be64(p + 9) : 0;
    span->trace_lo = p[0] ? pyro_get_be64(p + 17) : 0;

    record->rest.p = p + (p[0] ? PYRO_RECORD_SPAN_MAX : 9);

    return 0;
}


/* The groups of the next section. */
static int
pyro_record_take_groups(pyro_record_t *record, pyro_bytes_t *in)
{
    uint64_t  len;

    if (pyro_take(&record->rest, &len)
        || len > (uint64_t) (record->rest.end - record->rest.p))
    {
        return -1;
    }

    *in = pyro_bytes(record->rest.p, (size_t) len);
    record->rest.p = in->end;

    return 0;
}


/* What precedes the pairs of a group: *span is that of the group before. */
static int
pyro_record_take_group(pyro_bytes_t *in, uint32_t n_spans, uint64_t *span,
    uint32_t *count)
{
    uint32_t  delta;

    if (pyro_take_u32(in, &delta) || pyro_take_u32(in, count)) {
        return -1;
    }

    *span += delta;

    return *span == 0 || *span > n_spans ? -1 : 0;
}


int
pyro_record_add_spans(pyro_record_t *record,
    const pyro_record_section_t *section, const uint8_t *wanted,
    uint32_t n_wanted, uint64_t *acc, uint32_t n)
{
    int           rc;
    uint32_t      i, groups, count;
    uint64_t      span;
    pyro_bytes_t  in;

    if (pyro_record_take_groups(record, &in) || pyro_take_u32(&in, &groups)) {
        return -1;
    }

    for (i = 0, span = 0; i < groups; i++) {

        if (pyro_record_take_group(&in, n_wanted, &span, &count)) {
            return -1;
        }

        rc = wanted[span - 1]
             ? pyro_pairs_add(&in, count, section->scale, acc, n)
             : pyro_pairs_skip(&in, count);

        if (rc) {
            return -1;
        }
    }

    return 0;
}


int
pyro_record_sum_spans(pyro_record_t *record,
    const pyro_record_section_t *section, uint64_t *sums, uint32_t n)
{
    uint32_t      i, groups, count;
    uint64_t      span;
    pyro_bytes_t  in;

    if (pyro_record_take_groups(record, &in) || pyro_take_u32(&in, &groups)) {
        return -1;
    }

    for (i = 0, span = 0; i < groups; i++) {

        if (pyro_record_take_group(&in, n, &span, &count)
            || pyro_pairs_sum(&in, count, section->scale, &sums[span - 1]))
        {
            return -1;
        }
    }

    return 0;
}


int
pyro_record_skip_spans(pyro_record_t *record)
{
    pyro_bytes_t  in;

    return pyro_record_take_groups(record, &in);
}
