/*
 * Writing a sealed slot (storage/sealed_slot.h).  What was written is read
 * again and compared: columns that do not give back the same records are not
 * taken, whatever the reason.
 */

#include "storage/sealed_slot.h"


#define PYRO_SEALED_TYPE_COLUMNS  3
#define PYRO_SEALED_OTHER         3         /* head, digests, spans */


/* A growing column; failed: no memory. */
typedef struct {
    pyro_arena_t              *arena;
    uint8_t                   *data;
    uint32_t                   n;
    uint32_t                   cap;
    int                        failed;
} pyro_sealed_column_t;


/* A push that is opened: its record is read section by section. */
typedef struct {
    pyro_record_t              record;
    pyro_record_section_t      section;     /* the one at hand */
    int                        more;        /* 1: section is set */
    pyro_pair_t               *pairs;       /* of the section */
    uint32_t                   cap;
} pyro_sealed_open_t;


typedef struct {
    pyro_arena_t              *arena;
    uint32_t                   slot;
    const pyro_sealed_push_t  *pushes;
    pyro_sealed_open_t        *open;
    uint32_t                   n;
    const pyro_sealed_sum_t   *sums;
    uint32_t                   n_sums;
    pyro_sealed_column_t      *columns;     /* head, digests, types, spans */
    uint32_t                   n_columns;

    pyro_pair_t               *nodes;       /* of the type at hand */
    uint32_t                   cap_nodes;
    uint32_t                  *havers;
    uint32_t                   have;
    uint32_t                  *begin;       /* in turned, by node; then end */
    uint32_t                   cap_begin;
    pyro_pair_t               *turned;      /* number in havers, value */
    uint32_t                   cap_turned;
} pyro_sealed_encode_t;


static int pyro_sealed_begin(pyro_sealed_encode_t *e);
static void pyro_sealed_write_head(pyro_sealed_encode_t *e);
static int pyro_sealed_write_type(pyro_sealed_encode_t *e, uint32_t type);
static int pyro_sealed_find_havers(pyro_sealed_encode_t *e, uint32_t ptype);
static int pyro_sealed_turn(pyro_sealed_encode_t *e, uint32_t n);
static void pyro_sealed_write_node(pyro_sealed_encode_t *e, uint32_t i,
    uint32_t from, pyro_sealed_column_t *column);
static void pyro_sealed_write_gaps(pyro_sealed_encode_t *e,
    const pyro_pair_t *places, uint32_t count, pyro_sealed_column_t *column);
static void pyro_sealed_write_spans(pyro_sealed_encode_t *e);
static int pyro_sealed_gives_back(pyro_sealed_encode_t *e);
static void pyro_sealed_write_plain(pyro_sealed_encode_t *e);
static int pyro_sealed_slices(pyro_sealed_encode_t *e, pyro_slice_t **columns);


static void
pyro_sealed_bytes(pyro_sealed_column_t *column, const void *data, size_t len)
{
    if (pyro_arena_grow(column->arena, &column->data, &column->cap,
                        column->n + len, 1))
    {
        column->failed = 1;
        return;
    }

    if (len) {
        memcpy(column->data + column->n, data, len);
        column->n += (uint32_t) len;
    }
}


static void
pyro_sealed_varint(pyro_sealed_column_t *column, uint64_t v)
{
    if (column->cap - column->n < PYRO_VARINT_MAX
        && pyro_arena_grow(column->arena, &column->data, &column->cap,
                           (size_t) column->n + PYRO_VARINT_MAX, 1))
    {
        column->failed = 1;
        return;
    }

    column->n = (uint32_t) (pyro_put_varint(column->data + column->n, v)
                            - column->data);
}


pyro_status_e
pyro_sealed_slot_encode(pyro_arena_t *arena, uint32_t slot,
    const pyro_sealed_push_t *pushes, uint32_t n,
    const pyro_sealed_sum_t *sums, uint32_t n_sums, pyro_slice_t **columns,
    uint32_t *n_columns)
{
    int                    rc;
    uint32_t               i;
    pyro_sealed_encode_t   e;

    memset(&e, 0, sizeof(pyro_sealed_encode_t));

    e.arena = arena;
    e.slot = slot;
    e.pushes = pushes;
    e.n = n;
    e.sums = sums;
    e.n_sums = n_sums;

    rc = pyro_sealed_begin(&e);

    if (rc == 0) {
        pyro_sealed_write_head(&e);

        for (i = 0; i < n_sums && rc == 0; i++) {
            rc = pyro_sealed_write_type(&e, i);
        }

        pyro_sealed_write_spans(&e);
    }

    for (i = 0; i < e.n_columns; i++) {
        rc |= e.columns[i].failed;
    }

    if (rc || pyro_sealed_slices(&e, columns)) {
        return PYRO_UNAVAILABLE;
    }

    rc = pyro_sealed_gives_back(&e);

    if (rc == 0) {
        e.n_columns = 1;
        e.columns[0].n = 0;
        pyro_sealed_write_plain(&e);
        rc = e.columns[0].failed || pyro_sealed_slices(&e, columns) ? -1 : 1;
    }

    *n_columns = e.n_columns;

    return rc == 1 ? PYRO_OK : PYRO_UNAVAILABLE;
}


/* -1: no memory, as below. */
static int
pyro_sealed_begin(pyro_sealed_encode_t *e)
{
    uint32_t             i;
    pyro_sealed_open_t  *open;

    e->n_columns = PYRO_SEALED_OTHER + e->n_sums * PYRO_SEALED_TYPE_COLUMNS;
    e->columns = pyro_arena_calloc(e->arena, e->n_columns,
                                   sizeof(pyro_sealed_column_t));
    e->open = pyro_arena_calloc(e->arena, e->n, sizeof(pyro_sealed_open_t));
    e->havers = pyro_arena_calloc(e->arena, e->n, sizeof(uint32_t));

    if (e->columns == NULL || e->open == NULL || e->havers == NULL) {
        e->n_columns = 0;
        return -1;
    }

    for (i = 0; i < e->n_columns; i++) {
        e->columns[i].arena = e->arena;
    }

    /* a record that does not open is one that columns do not give back */

    for (i = 0; i < e->n; i++) {
        open = &e->open[i];
        open->more = pyro_record_open(e->pushes[i].record, &open->record) == 0
                     && pyro_record_next(&open->record, &open->section) == 1;
    }

    return 0;
}


static void
pyro_sealed_write_head(pyro_sealed_encode_t *e)
{
    int64_t                last;
    uint8_t                digest[PYRO_SEALED_DIGEST];
    uint32_t               i;
    uint64_t               scale;
    pyro_sealed_column_t  *head;

    head = &e->columns[0];
    last = pyro_sealed_base(e->slot);

    for (i = 0, scale = 0; i < e->n; i++) {
        scale = pyro_pairs_gcd((uint64_t) (e->pushes[i].key.time - last),
                               scale);
        last = e->pushes[i].key.time;
    }

    scale = scale ? scale : 1;

    pyro_sealed_varint(head, PYRO_SEALED_COLUMNS);
    pyro_sealed_varint(head, e->n);
    pyro_sealed_varint(head, scale);

    last = pyro_sealed_base(e->slot);

    for (i = 0; i < e->n; i++) {
        pyro_sealed_varint(head, (uint64_t) (e->pushes[i].key.time - last)
                                 / scale);
        last = e->pushes[i].key.time;
    }

    for (i = 0; i < e->n; i++) {
        pyro_sealed_varint(head, e->open[i].record.duration);
    }

    for (i = 0; i < e->n; i++) {
        pyro_put_be64(digest, e->open[i].record.digest.hi);
        pyro_put_be64(digest + 8, e->open[i].record.digest.lo);
        pyro_sealed_bytes(&e->columns[1], digest, sizeof(digest));
    }
}


static int
pyro_sealed_write_type(pyro_sealed_encode_t *e, uint32_t type)
{
    uint32_t               i, k, n;
    pyro_bytes_t           in;
    pyro_rollup_t          rollup;
    pyro_sealed_open_t    *open;
    pyro_sealed_column_t  *column;

    column = &e->columns[2 + type * PYRO_SEALED_TYPE_COLUMNS];

    if (pyro_rollup_open(e->sums[type].record, &rollup)) {
        return 0;
    }

    n = rollup.section.n;
    in = rollup.section.pairs;

    if (pyro_arena_grow(e->arena, &e->nodes, &e->cap_nodes, n,
                        sizeof(pyro_pair_t))
        || pyro_sealed_find_havers(e, e->sums[type].ptype))
    {
        return -1;
    }

    for (i = 0, k = 0; i < e->n; i++) {

        if (k < e->have && e->havers[k] == i) {
            pyro_sealed_varint(column, e->open[i].section.scale);
            k++;

        } else {
            pyro_sealed_varint(column, 0);
        }
    }

    if (pyro_pairs_take(&in, n, rollup.section.scale, e->nodes)) {
        return 0;
    }

    if (pyro_sealed_turn(e, n)) {
        return -1;
    }

    for (i = 0, k = 0; i < n; k = e->begin[i++]) {
        pyro_sealed_write_node(e, i, k, column);
    }

    for (i = 0; i < e->have; i++) {
        open = &e->open[e->havers[i]];
        open->more = pyro_record_next(&open->record, &open->section) == 1;
    }

    return 0;
}


/* The pushes whose next section is of the type; their pairs are read. */
static int
pyro_sealed_find_havers(pyro_sealed_encode_t *e, uint32_t ptype)
{
    uint32_t             i;
    pyro_bytes_t         in;
    pyro_sealed_open_t  *open;

    e->have = 0;

    for (i = 0; i < e->n; i++) {
        open = &e->open[i];

        if (!open->more || open->section.ptype != ptype) {
            continue;
        }

        if (pyro_arena_grow(e->arena, &open->pairs, &open->cap,
                            open->section.n, sizeof(pyro_pair_t)))
        {
            return -1;
        }

        in = open->section.pairs;

        if (pyro_pairs_take(&in, open->section.n, open->section.scale,
                            open->pairs))
        {
            open->section.n = 0;
        }

        e->havers[e->have++] = i;
    }

    return 0;
}


/*
 * Turns the pairs of the pushes round: for each node, which of the pushes have
 * it, and its values.
 */
static int
pyro_sealed_turn(pyro_sealed_encode_t *e, uint32_t n)
{
    size_t               sum;
    uint32_t             i, k, node, count;
    pyro_pair_t         *pair;
    pyro_sealed_open_t  *open;

    for (k = 0, sum = 0; k < e->have; k++) {
        sum += e->open[e->havers[k]].section.n;
    }

    if (pyro_arena_grow(e->arena, &e->begin, &e->cap_begin, (size_t) n + 1,
                        sizeof(uint32_t))
        || pyro_arena_grow(e->arena, &e->turned, &e->cap_turned, sum,
                           sizeof(pyro_pair_t)))
    {
        return -1;
    }

    memset(e->begin, 0, ((size_t) n + 1) * sizeof(uint32_t));

    /* a pair's key becomes the number of its node in the sum, n: it has none */

    for (k = 0; k < e->have; k++) {
        open = &e->open[e->havers[k]];

        for (i = 0, node = 0; i < open->section.n; i++) {
            pair = &open->pairs[i];

            while (node < n && e->nodes[node].key < pair->key) {
                node++;
            }

            pair->key = node < n && e->nodes[node].key == pair->key ? node : n;
            e->begin[pair->key]++;
        }
    }

    for (i = 0, sum = 0; i <= n; i++) {
        count = e->begin[i];
        e->begin[i] = (uint32_t) sum;
        sum += count;
    }

    for (k = 0; k < e->have; k++) {
        open = &e->open[e->havers[k]];

        for (i = 0; i < open->section.n; i++) {
            pair = &e->turned[e->begin[open->pairs[i].key]++];
            pair->key = k;
            pair->value = open->pairs[i].value / open->section.scale;
        }
    }

    return 0;
}


/* Which pushes have a node, and all their values but one. */
static void
pyro_sealed_write_node(pyro_sealed_encode_t *e, uint32_t i, uint32_t from,
    pyro_sealed_column_t *column)
{
    uint32_t  k, count;

    count = e->begin[i] - from;

    pyro_sealed_varint(column, count);
    pyro_sealed_write_gaps(e, &e->turned[from], count, column + 1);

    for (k = 0; k < count; k++) {
        if (k + 1 < count || e->nodes[i].value == INT64_MAX) {
            pyro_sealed_varint(column + 2, e->turned[from + k].value);
        }
    }
}


static void
pyro_sealed_write_gaps(pyro_sealed_encode_t *e, const pyro_pair_t *places,
    uint32_t count, pyro_sealed_column_t *column)
{
    uint32_t  i, k, next;

    if (count <= e->have / 2) {
        for (k = 0, next = 0; k < count; k++) {
            pyro_sealed_varint(column, places[k].key - next);
            next = (uint32_t) places[k].key + 1;
        }

        return;
    }

    for (i = 0, k = 0, next = 0; i < e->have; i++) {

        if (k < count && places[k].key == i) {
            k++;
            continue;
        }

        pyro_sealed_varint(column, i - next);
        next = i + 1;
    }
}


/* What is left of a record, its sections read. */
static void
pyro_sealed_write_spans(pyro_sealed_encode_t *e)
{
    size_t                 len;
    uint32_t               i;
    pyro_bytes_t           rest;
    pyro_sealed_column_t  *spans;

    spans = &e->columns[e->n_columns - 1];

    for (i = 0; i < e->n; i++) {
        rest = e->open[i].record.rest;
        len = e->open[i].record.has_spans ? (size_t) (rest.end - rest.p) : 0;

        pyro_sealed_varint(&e->columns[0], len);
        pyro_sealed_bytes(spans, rest.p, len);
    }
}


/* 1 if the columns give back the pushes, 0 if not, -1: no memory. */
static int
pyro_sealed_gives_back(pyro_sealed_encode_t *e)
{
    uint32_t               i;
    pyro_status_e          status;
    pyro_sealed_room_t     room;
    pyro_sealed_column_t   all;

    memset(&room, 0, sizeof(pyro_sealed_room_t));
    memset(&all, 0, sizeof(pyro_sealed_column_t));

    all.arena = e->arena;

    for (i = 0; i < e->n_columns; i++) {
        pyro_sealed_bytes(&all, e->columns[i].data, e->columns[i].n);
    }

    if (all.failed) {
        return -1;
    }

    status = pyro_sealed_slot_decode(pyro_slice(all.data, all.n), e->slot,
                                     e->sums, e->n_sums, e->arena, &room);

    if (status != PYRO_OK) {
        return status == PYRO_UNAVAILABLE ? -1 : 0;
    }

    for (i = 0; i < e->n && room.n == e->n; i++) {
        if (room.pushes[i].key.time != e->pushes[i].key.time
            || room.pushes[i].key.ptype != e->pushes[i].key.ptype
            || room.pushes[i].key.seq != e->pushes[i].key.seq
            || !pyro_slice_eq(room.pushes[i].record, e->pushes[i].record))
        {
            return 0;
        }
    }

    return room.n == e->n;
}


static void
pyro_sealed_write_plain(pyro_sealed_encode_t *e)
{
    uint32_t                   i;
    pyro_sealed_column_t      *column;
    const pyro_sealed_push_t  *push;

    column = &e->columns[0];

    pyro_sealed_varint(column, PYRO_SEALED_RECORDS);
    pyro_sealed_varint(column, e->n);

    for (i = 0; i < e->n; i++) {
        push = &e->pushes[i];

        pyro_sealed_varint(column, (uint64_t) (push->key.time
                                               - pyro_sealed_base(e->slot)));
        pyro_sealed_varint(column, push->key.ptype);
        pyro_sealed_varint(column, push->key.seq);
        pyro_sealed_varint(column, push->record.len);
        pyro_sealed_bytes(column, push->record.data, push->record.len);
    }
}


static int
pyro_sealed_slices(pyro_sealed_encode_t *e, pyro_slice_t **columns)
{
    uint32_t  i;

    *columns = pyro_arena_calloc(e->arena, e->n_columns,
                                 sizeof(pyro_slice_t));

    for (i = 0; *columns != NULL && i < e->n_columns; i++) {
        (*columns)[i] = pyro_slice(e->columns[i].data, e->columns[i].n);
    }

    return *columns == NULL ? -1 : 0;
}
