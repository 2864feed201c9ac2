/*
 * Push records, stream by stream, as queries read them: what a record says of
 * itself, what its stream says of it, and what roll-ups make of it.
 */

#include "storage/check.h"


/* A stream at hand. */
typedef struct {
    pyro_check_t         *c;
    uint32_t              stream;
    pyro_stream_value_t   value;
    uint32_t              nodes;        /* of its scope */
    pyro_arena_t         *arena;
    uint8_t              *seen;         /* by ptype - 1 */
    pyro_pairs_t          room;
    pyro_check_sums_t     sums;
    uint64_t              records;
} pyro_check_stream_t;


static pyro_status_e pyro_check_stream(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *value);
static pyro_status_e pyro_check_stream_read(pyro_check_stream_t *s);
static pyro_status_e pyro_check_record(pyro_check_stream_t *s, int64_t time,
    const pyro_record_t *record);
static pyro_status_e pyro_check_section(pyro_check_stream_t *s, int64_t time,
    const pyro_record_section_t *section, uint32_t last);
static pyro_status_e pyro_check_pairs(pyro_check_stream_t *s, int64_t time,
    const pyro_record_section_t *section);
static int pyro_check_spans(pyro_check_stream_t *s,
    const pyro_record_t *record);
static int pyro_check_groups(pyro_check_stream_t *s, pyro_bytes_t in,
    uint32_t n_spans, uint64_t scale);
static void pyro_check_types_seen(pyro_check_stream_t *s);


pyro_status_e
pyro_check_records(pyro_check_t *c)
{
    pyro_kv_cursor_t     *cursor;
    pyro_slice_t          key, value;
    pyro_status_e         status;
    pyro_stream_value_t   stream;

    if (c->part.thinned) {
        return pyro_check_thinned(c);
    }

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, PYRO_DB_STREAM, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len != 4 || pyro_stream_get(value, &stream)) {
            continue;
        }

        status = pyro_check_stream(c,
                                   pyro_get_be32((const uint8_t *) key.data),
                                   &stream);

        if (status != PYRO_OK) {
            break;
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_check_stream(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *value)
{
    pyro_status_e        status;
    pyro_scope_value_t   scope;
    pyro_check_stream_t  s;

    if (pyro_scope_read(&c->view, value->scope, &scope) != PYRO_OK) {
        return PYRO_OK;
    }

    memset(&s, 0, sizeof(pyro_check_stream_t));

    s.c = c;
    s.stream = id;
    s.value = *value;
    s.nodes = scope.nodes;
    s.arena = pyro_arena_create(0);
    s.seen = s.arena ? pyro_arena_calloc(s.arena, PYRO_PTYPES_MAX, 1) : NULL;

    if (s.seen == NULL) {
        pyro_arena_destroy(s.arena);
        return pyro_error_memory(&c->err);
    }

    status = pyro_check_sums_begin(&s.sums, c, id, value, s.arena);

    if (status == PYRO_OK) {
        status = pyro_check_stream_read(&s);
    }

    if (status == PYRO_OK) {
        status = pyro_check_sums_end(&s.sums);
    }

    if (status == PYRO_OK) {
        pyro_check_types_seen(&s);
    }

    pyro_arena_destroy(s.arena);

    return status;
}


static pyro_status_e
pyro_check_stream_read(pyro_check_stream_t *s)
{
    uint64_t        damaged;
    pyro_scan_t     scan;
    pyro_check_t   *c;
    pyro_status_e   status;

    c = s->c;
    damaged = c->store.damaged;

    pyro_scan_start(&scan, &c->read, s->stream, 0, INT64_MAX);

    while ((status = pyro_scan_next(&scan)) == PYRO_OK) {
        c->sink.pushes++;
        s->records++;

        if (scan.time < s->value.first || scan.time > s->value.last) {
            pyro_check_damage(c, PYRO_DB_STREAM, s->stream, "stream %u is from "
                              "%lld to %lld, and has a record of %lld",
                              s->stream, (long long) s->value.first,
                              (long long) s->value.last,
                              (long long) scan.time);
        }

        status = pyro_check_record(s, scan.time, &scan.record);

        if (status != PYRO_OK) {
            return status;
        }
    }

    /* those that were looked at one by one have been told */

    if (c->store.damaged != damaged && !c->raw_checked) {
        pyro_check_damage(c, PYRO_DB_RAW, s->stream, "stream %u has %llu "
                          "records that cannot be read", s->stream,
                          (unsigned long long) (c->store.damaged - damaged));
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_check_record(pyro_check_stream_t *s, int64_t time,
    const pyro_record_t *record)
{
    int                     rc;
    uint32_t                last;
    pyro_record_t           copy;
    pyro_status_e           status;
    pyro_record_section_t   section;

    copy = *record;
    status = PYRO_OK;

    if (record->n_sections == 0) {
        pyro_check_damage(s->c, PYRO_DB_RAW, s->stream, "stream %u, time %lld: "
                          "it has no section", s->stream, (long long) time);
    }

    for (last = 0; status == PYRO_OK; last = section.ptype) {
        rc = pyro_record_next(&copy, &section);

        if (rc != 1) {
            break;
        }

        status = pyro_check_section(s, time, &section, last);
    }

    if (status == PYRO_OK
        && (rc == -1 || pyro_check_spans(s, record)))
    {
        pyro_check_damage(s->c, PYRO_DB_RAW, s->stream, "stream %u, time %lld: "
                          "its %s cannot be read", s->stream, (long long) time,
                          rc == -1 ? "sections" : "spans");
    }

    return status;
}


static pyro_status_e
pyro_check_section(pyro_check_stream_t *s, int64_t time,
    const pyro_record_section_t *section, uint32_t last)
{
    pyro_status_e  status;

    if (section->ptype <= last) {
        pyro_check_damage(s->c, PYRO_DB_RAW, s->stream, "stream %u, time %lld: "
                          "section %u follows %u", s->stream, (long long) time,
                          section->ptype, last);
    }

    if (!pyro_check_stream_has(&s->value, section->ptype)) {
        pyro_check_damage(s->c, PYRO_DB_STREAM, s->stream, "stream %u does not "
                          "have type %u, its record of %lld does", s->stream,
                          section->ptype, (long long) time);

    } else {
        s->seen[section->ptype - 1] = 1;
    }

    status = pyro_check_pairs(s, time, section);

    return status == PYRO_OK ? pyro_check_sums_add(&s->sums, time, section)
                             : status;
}


static pyro_status_e
pyro_check_pairs(pyro_check_stream_t *s, int64_t time,
    const pyro_record_section_t *section)
{
    uint32_t       i;
    uint64_t       total;
    pyro_pair_t   *pair;
    pyro_bytes_t   in;

    if (pyro_pairs_reserve(s->arena, &s->room, section->n)) {
        return pyro_error_memory(&s->c->err);
    }

    in = section->pairs;

    if (pyro_pairs_take(&in, section->n, section->scale, s->room.items)
        || in.p != in.end)
    {
        pyro_check_damage(s->c, PYRO_DB_RAW, s->stream, "stream %u, time %lld, "
                          "type %u: its values cannot be read", s->stream,
                          (long long) time, section->ptype);
        return PYRO_OK;
    }

    for (i = 0, total = 0; i < section->n; i++) {
        pair = &s->room.items[i];
        total += pair->value;
        total = total > INT64_MAX ? INT64_MAX : total;

        if (pair->key > s->nodes || pair->value == 0
            || (i && pair->key <= pair[-1].key))
        {
            pyro_check_damage(s->c, PYRO_DB_RAW, s->stream, "stream %u, time "
                              "%lld, type %u: node %llu with value %llu; the "
                              "scope has %u nodes", s->stream,
                              (long long) time, section->ptype,
                              (unsigned long long) pair->key,
                              (unsigned long long) pair->value, s->nodes);
            return PYRO_OK;
        }
    }

    if (total != section->total) {
        pyro_check_damage(s->c, PYRO_DB_RAW, s->stream, "stream %u, time %lld, "
                          "type %u: the total is %llu, its values add up to "
                          "%llu", s->stream, (long long) time, section->ptype,
                          (unsigned long long) section->total,
                          (unsigned long long) total);
    }

    return PYRO_OK;
}


/* -1: the part behind the sections cannot be read, or there is one too many. */
static int
pyro_check_spans(pyro_check_stream_t *s, const pyro_record_t *record)
{
    uint32_t               i, n;
    uint64_t               len;
    pyro_span_t            span;
    pyro_bytes_t           in;
    pyro_record_t          copy, sections;
    pyro_record_section_t  section;

    copy = *record;
    sections = *record;

    while (pyro_record_next(&copy, &section) == 1) {
        /* void */
    }

    if (pyro_record_spans(&copy, &n)) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        if (pyro_record_span(&copy, &span)) {
            return -1;
        }
    }

    while (copy.has_spans && pyro_record_next(&sections, &section) == 1) {

        if (pyro_take(&copy.rest, &len)
            || len > (uint64_t) (copy.rest.end - copy.rest.p))
        {
            return -1;
        }

        in = pyro_bytes(copy.rest.p, (size_t) len);
        copy.rest.p = in.end;

        if (pyro_check_groups(s, in, n, section.scale)) {
            return -1;
        }
    }

    return copy.rest.p == copy.rest.end ? 0 : -1;
}


/* Groups ascending by span, pairs of nodes that are there. */
static int
pyro_check_groups(pyro_check_stream_t *s, pyro_bytes_t in, uint32_t n_spans,
    uint64_t scale)
{
    uint32_t  groups, delta, count;
    uint64_t  span, node, value, distance;

    if (pyro_take_u32(&in, &groups)) {
        return -1;
    }

    for (span = 0; groups; groups--) {

        if (pyro_take_u32(&in, &delta) || pyro_take_u32(&in, &count)) {
            return -1;
        }

        span += delta;

        if (delta == 0 || span > n_spans) {
            return -1;
        }

        for (node = 0; count; count--) {

            if (pyro_take(&in, &distance) || pyro_take(&in, &value)
                || distance > s->nodes - node || value == 0
                || value > INT64_MAX / scale)
            {
                return -1;
            }

            node += distance;
        }
    }

    return in.p == in.end ? 0 : -1;
}


/* What the stream lists came with some record. */
static void
pyro_check_types_seen(pyro_check_stream_t *s)
{
    uint32_t      i, id;
    pyro_bytes_t  in;

    if (s->records == 0) {
        pyro_check_damage(s->c, PYRO_DB_STREAM, s->stream, "stream %u has no "
                          "record", s->stream);
        return;
    }

    in = s->value.ptypes;

    for (i = 0, id = 0; i < s->value.n_ptypes; i++) {
        id += pyro_take_known(&in);

        if (!s->seen[id - 1]) {
            pyro_check_damage(s->c, PYRO_DB_STREAM, s->stream, "stream %u has "
                              "type %u, and no record of it", s->stream, id);
        }
    }
}
