/*
 * Reading a sealed slot; sealed_encode.c writes it.
 */

#include "storage/sealed_slot.h"


/* the columns of numbers by push */
#define PYRO_SEALED_TIME      0
#define PYRO_SEALED_DURATION  1
#define PYRO_SEALED_SPANS     2
#define PYRO_SEALED_SCALE     3
#define PYRO_SEALED_PLACE     4         /* in pairs */
#define PYRO_SEALED_NUMBERS   5


typedef struct {
    pyro_bytes_t              in;
    pyro_arena_t             *arena;
    pyro_sealed_room_t       *room;
    const pyro_sealed_sum_t  *sums;
    uint32_t                  n_sums;
    uint32_t                  slot;
    const uint8_t            *digests;

    /* of the type at hand */
    uint32_t                  have;         /* pushes that have it */
    uint32_t                 *havers;       /* which, in counts' room */
    uint32_t                  n_nodes;
    size_t                    n_places;
} pyro_sealed_decode_t;


static pyro_status_e pyro_sealed_head(pyro_sealed_decode_t *d);
static pyro_status_e pyro_sealed_numbers(pyro_sealed_decode_t *d);
static pyro_status_e pyro_sealed_type(pyro_sealed_decode_t *d,
    uint32_t type);
static pyro_status_e pyro_sealed_nodes(pyro_sealed_decode_t *d,
    const pyro_sealed_sum_t *sum);
static pyro_status_e pyro_sealed_counts(pyro_sealed_decode_t *d);
static pyro_status_e pyro_sealed_places(pyro_sealed_decode_t *d);
static int pyro_sealed_gaps(pyro_sealed_decode_t *d, uint32_t count,
    uint32_t *places);
static pyro_status_e pyro_sealed_values(pyro_sealed_decode_t *d);
static int pyro_sealed_value(pyro_sealed_decode_t *d, uint64_t scale,
    uint64_t *value);
static pyro_status_e pyro_sealed_bodies(pyro_sealed_decode_t *d,
    uint32_t type);
static pyro_status_e pyro_sealed_records(pyro_sealed_decode_t *d);
static pyro_status_e pyro_sealed_record(pyro_sealed_decode_t *d, uint32_t i,
    uint8_t **p);
static void pyro_sealed_key(pyro_sealed_room_t *room, uint32_t i);
static int pyro_sealed_is_next(const pyro_sealed_decode_t *d, uint32_t i);
static pyro_status_e pyro_sealed_plain(pyro_sealed_decode_t *d);


static inline uint64_t *
pyro_sealed_column(const pyro_sealed_decode_t *d, uint32_t column)
{
    return d->room->numbers + (size_t) column * d->room->n;
}


pyro_status_e
pyro_sealed_slot_decode(pyro_slice_t in, uint32_t slot,
    const pyro_sealed_sum_t *sums, uint32_t n_sums, pyro_arena_t *arena,
    pyro_sealed_room_t *room)
{
    uint32_t              i;
    pyro_status_e         status;
    pyro_sealed_decode_t  d;

    memset(&d, 0, sizeof(pyro_sealed_decode_t));

    room->n = 0;
    room->n_bodies = 0;

    d.in = pyro_bytes(in.data, in.len);
    d.arena = arena;
    d.room = room;
    d.sums = sums;
    d.n_sums = n_sums;
    d.slot = slot;

    if (in.len && in.data[0] == PYRO_SEALED_RECORDS) {
        d.in.p++;
        status = pyro_sealed_plain(&d);

    } else if (in.len && in.data[0] == PYRO_SEALED_COLUMNS) {
        d.in.p++;
        status = pyro_sealed_head(&d);

        for (i = 0; i < n_sums && status == PYRO_OK; i++) {
            status = pyro_sealed_type(&d, i);
        }

        if (status == PYRO_OK) {
            status = pyro_sealed_records(&d);
        }

    } else {
        status = PYRO_UNPROCESSABLE;
    }

    if (status == PYRO_OK && d.in.p != d.in.end) {
        status = PYRO_UNPROCESSABLE;
    }

    if (status != PYRO_OK) {
        room->n = 0;
    }

    return status;
}


static pyro_status_e
pyro_sealed_head(pyro_sealed_decode_t *d)
{
    uint32_t             n;
    pyro_sealed_room_t  *room;

    room = d->room;

    /* each push has a digest, three numbers, and a scale of each type */

    if (pyro_take_u32(&d->in, &n) || n == 0
        || n > (size_t) (d->in.end - d->in.p)
               / ((size_t) d->n_sums + PYRO_SEALED_DIGEST + 3))
    {
        return PYRO_UNPROCESSABLE;
    }

    if (pyro_arena_grow(d->arena, &room->numbers, &room->cap_numbers,
                        (size_t) n * PYRO_SEALED_NUMBERS, sizeof(uint64_t))
        || pyro_arena_grow(d->arena, &room->pushes, &room->cap_pushes, n,
                           sizeof(pyro_sealed_push_t))
        || pyro_arena_grow(d->arena, &room->parts, &room->cap_parts,
                           (size_t) n * d->n_sums,
                           sizeof(pyro_sealed_part_t))
        || pyro_arena_grow(d->arena, &room->sections, &room->cap_sections,
                           d->n_sums, sizeof(pyro_record_part_t)))
    {
        return PYRO_UNAVAILABLE;
    }

    room->n = n;

    return pyro_sealed_numbers(d);
}


static pyro_status_e
pyro_sealed_numbers(pyro_sealed_decode_t *d)
{
    uint32_t   i, n;
    uint64_t   scale, most, *times, *durations, *spans;

    n = d->room->n;
    times = pyro_sealed_column(d, PYRO_SEALED_TIME);
    durations = pyro_sealed_column(d, PYRO_SEALED_DURATION);
    spans = pyro_sealed_column(d, PYRO_SEALED_SPANS);
    most = PYRO_SLOT + PYRO_NS_PER_MS;

    if (pyro_take(&d->in, &scale) || scale == 0 || scale > most) {
        return PYRO_UNPROCESSABLE;
    }

    for (i = 0; i < n; i++) {

        if (pyro_take(&d->in, &times[i]) || times[i] > most / scale) {
            return PYRO_UNPROCESSABLE;
        }

        times[i] = times[i] * scale + (i ? times[i - 1] : 0);

        if (times[i] > most) {
            return PYRO_UNPROCESSABLE;
        }
    }

    for (i = 0; i < n; i++) {
        if (pyro_take(&d->in, &durations[i])) {
            return PYRO_UNPROCESSABLE;
        }
    }

    for (i = 0; i < n; i++) {
        if (pyro_take(&d->in, &spans[i])) {
            return PYRO_UNPROCESSABLE;
        }
    }

    if ((size_t) (d->in.end - d->in.p) / PYRO_SEALED_DIGEST < n) {
        return PYRO_UNPROCESSABLE;
    }

    d->digests = d->in.p;
    d->in.p += (size_t) n * PYRO_SEALED_DIGEST;

    return PYRO_OK;
}


/* The bodies of one type's sections. */
static pyro_status_e
pyro_sealed_type(pyro_sealed_decode_t *d, uint32_t type)
{
    pyro_status_e  status;

    status = pyro_sealed_nodes(d, &d->sums[type]);

    if (status == PYRO_OK) {
        status = pyro_sealed_counts(d);
    }

    if (status == PYRO_OK) {
        status = pyro_sealed_places(d);
    }

    if (status == PYRO_OK) {
        status = pyro_sealed_values(d);
    }

    return status == PYRO_OK ? pyro_sealed_bodies(d, type) : status;
}


static pyro_status_e
pyro_sealed_nodes(pyro_sealed_decode_t *d, const pyro_sealed_sum_t *sum)
{
    pyro_bytes_t         in;
    pyro_rollup_t        rollup;
    pyro_sealed_room_t  *room;

    room = d->room;

    if (pyro_rollup_open(sum->record, &rollup)) {
        return PYRO_UNPROCESSABLE;
    }

    if (pyro_arena_grow(d->arena, &room->nodes, &room->cap_nodes,
                        rollup.section.n, sizeof(pyro_pair_t)))
    {
        return PYRO_UNAVAILABLE;
    }

    in = rollup.section.pairs;
    d->n_nodes = rollup.section.n;

    return pyro_pairs_take(&in, d->n_nodes, rollup.section.scale, room->nodes)
           ? PYRO_UNPROCESSABLE : PYRO_OK;
}


/* Which pushes have the type, and how many of them each node. */
static pyro_status_e
pyro_sealed_counts(pyro_sealed_decode_t *d)
{
    uint32_t             i;
    uint64_t            *scales;
    pyro_sealed_room_t  *room;

    room = d->room;
    scales = pyro_sealed_column(d, PYRO_SEALED_SCALE);

    if (pyro_arena_grow(d->arena, &room->counts, &room->cap_counts,
                        (size_t) d->n_nodes + room->n, sizeof(uint32_t)))
    {
        return PYRO_UNAVAILABLE;
    }

    d->havers = room->counts + d->n_nodes;
    d->have = 0;
    d->n_places = 0;

    for (i = 0; i < room->n; i++) {

        if (pyro_take(&d->in, &scales[i]) || scales[i] > INT64_MAX) {
            return PYRO_UNPROCESSABLE;
        }

        if (scales[i]) {
            d->havers[d->have++] = i;
        }
    }

    for (i = 0; i < d->n_nodes; i++) {

        if (pyro_take_u32(&d->in, &room->counts[i])
            || room->counts[i] == 0 || room->counts[i] > d->have)
        {
            return PYRO_UNPROCESSABLE;
        }

        d->n_places += room->counts[i];
    }

    /* of each node all values but one follow, at least */

    return d->n_places - d->n_nodes > (size_t) (d->in.end - d->in.p)
           ? PYRO_UNPROCESSABLE : PYRO_OK;
}


/* Which of the pushes have a node; and where a push's pairs will begin. */
static pyro_status_e
pyro_sealed_places(pyro_sealed_decode_t *d)
{
    size_t               at, sum;
    uint32_t             i, k;
    uint64_t            *begin, count;
    pyro_sealed_room_t  *room;

    room = d->room;
    begin = pyro_sealed_column(d, PYRO_SEALED_PLACE);

    if (pyro_arena_grow(d->arena, &room->places, &room->cap_places,
                        d->n_places, sizeof(uint32_t))
        || pyro_arena_grow(d->arena, &room->pairs, &room->cap_pairs,
                           d->n_places, sizeof(pyro_pair_t)))
    {
        return PYRO_UNAVAILABLE;
    }

    memset(begin, 0, room->n * sizeof(uint64_t));

    for (i = 0, at = 0; i < d->n_nodes; at += room->counts[i++]) {

        if (pyro_sealed_gaps(d, room->counts[i], &room->places[at])) {
            return PYRO_UNPROCESSABLE;
        }

        for (k = 0; k < room->counts[i]; k++) {
            begin[room->places[at + k]]++;
        }
    }

    for (i = 0, sum = 0; i < room->n; i++) {
        count = begin[i];
        begin[i] = sum;
        sum += count;
    }

    return PYRO_OK;
}


/* The pushes that have one node, ascending. */
static int
pyro_sealed_gaps(pyro_sealed_decode_t *d, uint32_t count, uint32_t *places)
{
    int       has;
    uint32_t  i, k, n, gap, next;

    has = count <= d->have / 2;
    n = has ? count : d->have - count;

    for (i = 0, k = 0, next = 0; i < n; i++) {

        if (pyro_take_u32(&d->in, &gap) || gap >= d->have - next) {
            return -1;
        }

        if (has) {
            next += gap;
            places[k++] = d->havers[next++];
            continue;
        }

        for ( /* void */ ; gap; gap--) {
            places[k++] = d->havers[next++];
        }

        next++;
    }

    for ( /* void */ ; !has && next < d->have; next++) {
        places[k++] = d->havers[next];
    }

    return 0;
}


/* Spreads the sums over the pushes: the pairs of each, ascending by node. */
static pyro_status_e
pyro_sealed_values(pyro_sealed_decode_t *d)
{
    uint32_t             i, k, n, push, *place;
    uint64_t             rest, value, *at, *scales;
    pyro_sealed_room_t  *room;

    room = d->room;
    place = room->places;
    at = pyro_sealed_column(d, PYRO_SEALED_PLACE);
    scales = pyro_sealed_column(d, PYRO_SEALED_SCALE);

    for (i = 0; i < d->n_nodes; i++) {
        n = room->counts[i];
        rest = room->nodes[i].value;

        for (k = 0; k < n; k++, place++) {
            push = *place;

            if (k + 1 == n && room->nodes[i].value != INT64_MAX) {
                value = rest;

            } else if (pyro_sealed_value(d, scales[push], &value)) {
                return PYRO_UNPROCESSABLE;

            } else if (room->nodes[i].value != INT64_MAX) {
                if (value >= rest) {
                    return PYRO_UNPROCESSABLE;
                }

                rest -= value;
            }

            room->pairs[at[push]].key = room->nodes[i].key;
            room->pairs[at[push]++].value = value;
        }
    }

    return PYRO_OK;
}


static int
pyro_sealed_value(pyro_sealed_decode_t *d, uint64_t scale, uint64_t *value)
{
    if (pyro_take(&d->in, value) || *value > INT64_MAX / scale) {
        return -1;
    }

    *value *= scale;

    return 0;
}


/* What follows the length of a section: storage/record.h. */
static pyro_status_e
pyro_sealed_bodies(pyro_sealed_decode_t *d, uint32_t type)
{
    size_t               from;
    uint8_t             *p;
    uint32_t             i, k, n;
    uint64_t             total, *end, *scales;
    pyro_pair_t         *pairs;
    pyro_sealed_part_t  *part;
    pyro_sealed_room_t  *room;

    room = d->room;
    end = pyro_sealed_column(d, PYRO_SEALED_PLACE);
    scales = pyro_sealed_column(d, PYRO_SEALED_SCALE);

    if (pyro_arena_grow(d->arena, &room->bodies, &room->cap_bodies,
                        room->n_bodies
                        + (size_t) d->have * 3 * PYRO_VARINT_MAX
                        + d->n_places * (5 + PYRO_VARINT_MAX), 1))
    {
        return PYRO_UNAVAILABLE;
    }

    for (i = 0, from = 0; i < room->n; i++) {
        part = &room->parts[(size_t) i * d->n_sums + type];
        part->at = room->n_bodies;
        part->len = 0;

        if (scales[i] == 0) {
            continue;
        }

        n = (uint32_t) (end[i] - from);
        pairs = n ? room->pairs + from : NULL;
        from = end[i];

        for (k = 0, total = 0; k < n; k++) {
            total += pairs[k].value;
            total = total > INT64_MAX ? INT64_MAX : total;
        }

        p = pyro_put_varint(room->bodies + part->at, scales[i]);
        p = pyro_put_varint(p, total / scales[i]);
        p = pyro_put_varint(p, n);
        p = pyro_pairs_put(p, pairs, n, scales[i]);

        part->len = (size_t) (p - room->bodies) - part->at;
        room->n_bodies += part->len;
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_sealed_records(pyro_sealed_decode_t *d)
{
    size_t               size;
    uint8_t             *p;
    uint32_t             i;
    uint64_t            *spans;
    pyro_status_e        status;
    pyro_sealed_room_t  *room;

    room = d->room;
    spans = pyro_sealed_column(d, PYRO_SEALED_SPANS);

    size = room->n_bodies
           + (size_t) room->n * (pyro_record_size(NULL, 0, 0)
                                 + (size_t) d->n_sums * 3 * PYRO_VARINT_MAX);

    for (i = 0; i < room->n; i++) {

        if (spans[i] > (size_t) (d->in.end - d->in.p)) {
            return PYRO_UNPROCESSABLE;
        }

        size += spans[i];
    }

    if (pyro_arena_grow(d->arena, &room->data, &room->cap_data, size, 1)) {
        return PYRO_UNAVAILABLE;
    }

    p = room->data;
    status = PYRO_OK;

    for (i = 0; i < room->n && status == PYRO_OK; i++) {
        status = pyro_sealed_record(d, i, &p);
    }

    return status;
}


static pyro_status_e
pyro_sealed_record(pyro_sealed_decode_t *d, uint32_t i, uint8_t **p)
{
    uint8_t             *start, *end;
    uint32_t             k, n;
    uint64_t             spans;
    pyro_hash128_t       digest;
    pyro_sealed_part_t  *part;
    pyro_sealed_push_t  *push;
    pyro_sealed_room_t  *room;

    room = d->room;
    push = &room->pushes[i];
    spans = pyro_sealed_column(d, PYRO_SEALED_SPANS)[i];

    for (k = 0, n = 0; k < d->n_sums; k++) {
        part = &room->parts[(size_t) i * d->n_sums + k];

        if (part->len) {
            room->sections[n].ptype = d->sums[k].ptype;
            room->sections[n++].body = pyro_slice(room->bodies + part->at,
                                                  part->len);
        }
    }

    if (n == 0 || spans > (size_t) (d->in.end - d->in.p)) {
        return PYRO_UNPROCESSABLE;
    }

    digest.hi = pyro_get_be64(d->digests + (size_t) i * PYRO_SEALED_DIGEST);
    digest.lo = pyro_get_be64(d->digests + (size_t) i * PYRO_SEALED_DIGEST
                              + 8);
    start = *p;
    end = pyro_record_put(start, digest,
                          pyro_sealed_column(d, PYRO_SEALED_DURATION)[i],
                          spans != 0, room->sections, n);

    if (spans) {
        memcpy(end, d->in.p, spans);
        end += spans;
        d->in.p += spans;
    }

    push->key.stream = 0;
    push->key.time = pyro_sealed_base(d->slot)
                     + (int64_t) pyro_sealed_column(d, PYRO_SEALED_TIME)[i];
    push->key.ptype = (uint16_t) room->sections[0].ptype;
    push->record = pyro_record_close(start, end);
    pyro_sealed_key(room, i);
    *p = end;

    return pyro_sealed_is_next(d, i) ? PYRO_OK : PYRO_UNPROCESSABLE;
}


/* Of equal times and types the next number. */
static void
pyro_sealed_key(pyro_sealed_room_t *room, uint32_t i)
{
    pyro_raw_key_t  *key;

    key = &room->pushes[i].key;

    key->seq = i && key[0].time == room->pushes[i - 1].key.time
               && key[0].ptype == room->pushes[i - 1].key.ptype
               ? (uint16_t) (room->pushes[i - 1].key.seq + 1) : 0;
}


/* 1 if the push is of the slot, and not before the one before it: readers end
 * where times are beyond theirs. */
static int
pyro_sealed_is_next(const pyro_sealed_decode_t *d, uint32_t i)
{
    const pyro_raw_key_t  *key, *last;

    key = &d->room->pushes[i].key;

    if (pyro_slot(key->time) != d->slot) {
        return 0;
    }

    if (i == 0) {
        return 1;
    }

    last = &d->room->pushes[i - 1].key;

    return last->time < key->time
           || (last->time == key->time && last->ptype <= key->ptype);
}


static pyro_status_e
pyro_sealed_plain(pyro_sealed_decode_t *d)
{
    uint32_t             i, n, ptype, seq;
    uint64_t             time, len;
    pyro_record_t        record;
    pyro_sealed_push_t  *push;
    pyro_sealed_room_t  *room;

    room = d->room;

    if (pyro_take_u32(&d->in, &n) || n == 0
        || n > (size_t) (d->in.end - d->in.p) / 4)
    {
        return PYRO_UNPROCESSABLE;
    }

    if (pyro_arena_grow(d->arena, &room->pushes, &room->cap_pushes, n,
                        sizeof(pyro_sealed_push_t))
        || pyro_arena_grow(d->arena, &room->data, &room->cap_data,
                           (size_t) (d->in.end - d->in.p), 1))
    {
        return PYRO_UNAVAILABLE;
    }

    /* what was read may be lent: the records are copied as the others are */

    memcpy(room->data, d->in.p, (size_t) (d->in.end - d->in.p));
    d->in = pyro_bytes(room->data, (size_t) (d->in.end - d->in.p));

    for (i = 0; i < n; i++) {
        push = &room->pushes[i];

        if (pyro_take(&d->in, &time) || time > PYRO_SLOT + PYRO_NS_PER_MS
            || pyro_take_u32(&d->in, &ptype) || ptype > UINT16_MAX
            || pyro_take_u32(&d->in, &seq) || seq > UINT16_MAX
            || pyro_take(&d->in, &len)
            || len > (size_t) (d->in.end - d->in.p))
        {
            return PYRO_UNPROCESSABLE;
        }

        push->key.stream = 0;
        push->key.time = pyro_sealed_base(d->slot) + (int64_t) time;
        push->key.ptype = (uint16_t) ptype;
        push->key.seq = (uint16_t) seq;
        push->record = pyro_slice(d->in.p, (size_t) len);
        d->in.p += len;

        if (pyro_record_open(push->record, &record)
            || !pyro_sealed_is_next(d, i))
        {
            return PYRO_UNPROCESSABLE;
        }
    }

    room->n = n;

    return PYRO_OK;
}
