#include "storage/sealed_hour.h"


#define PYRO_SEALED_VERSION  1
#define PYRO_SEALED_HEADER   9
#define PYRO_SEALED_GAIN     85         /* percent: deflate has to be below */
#define PYRO_SEALED_ENTRY    (7 * PYRO_VARINT_MAX + 2 * PYRO_CHECKSUM)


static int pyro_sealed_take_entry(pyro_bytes_t *in, uint32_t first,
    pyro_sealed_entry_t *entry);
static int pyro_sealed_take_piece(pyro_bytes_t *in,
    pyro_sealed_piece_t *piece);
static int pyro_sealed_take_bytes(pyro_bytes_t *in,
    pyro_sealed_piece_t *piece);
static pyro_status_e pyro_sealed_open_piece(const pyro_sealed_piece_t *piece,
    pyro_arena_t *arena, uint8_t **buf, uint32_t *cap, pyro_slice_t *out);
static int pyro_sealed_pack(pyro_sealed_builder_t *builder,
    const pyro_slice_t *columns, uint32_t n, pyro_sealed_piece_t *piece);
static int pyro_sealed_pack_sums(pyro_sealed_builder_t *builder,
    const pyro_sealed_sum_t *sums, uint32_t n, pyro_sealed_piece_t *piece);
static uint8_t *pyro_sealed_put_entry(const pyro_sealed_builder_t *builder,
    uint32_t i, uint8_t *p);
static uint8_t *pyro_sealed_put_piece(const pyro_sealed_piece_t *piece,
    uint8_t *p);


size_t
pyro_key_sealed(uint8_t *key, uint32_t stream, uint32_t hour)
{
    pyro_put_be32(key, stream);
    pyro_put_be32(key + 4, hour);

    return PYRO_SEALED_KEY;
}


int
pyro_sealed_hour_open(pyro_slice_t value, uint32_t hour,
    pyro_sealed_hour_t *out)
{
    size_t          size;
    uint32_t        i, n, first;
    pyro_bytes_t    in, parts;
    const uint8_t  *p;

    p = (const uint8_t *) value.data;

    if (value.len < PYRO_SEALED_HEADER || p[4] != PYRO_SEALED_VERSION) {
        return -1;
    }

    size = pyro_get_be32(p + 5);

    if (size > value.len - PYRO_SEALED_HEADER
        || pyro_get_be32(p) != pyro_checksum(p, PYRO_SEALED_HEADER + size))
    {
        return -1;
    }

    in = pyro_bytes(p + PYRO_SEALED_HEADER, size);
    parts = pyro_bytes(in.end, value.len - PYRO_SEALED_HEADER - size);
    first = pyro_slot_first(PYRO_LEVEL_1H, hour);

    if (pyro_take_u32(&in, &n) || n > PYRO_SLOTS_HOUR) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        if (pyro_sealed_take_entry(&in, first, &out->slots[i])
            || (i && out->slots[i].slot <= out->slots[i - 1].slot)
            || pyro_sealed_take_bytes(&parts, &out->slots[i].sums)
            || pyro_sealed_take_bytes(&parts, &out->slots[i].columns))
        {
            return -1;
        }
    }

    out->n = n;

    return in.p == in.end && parts.p == parts.end ? 0 : -1;
}


static int
pyro_sealed_take_entry(pyro_bytes_t *in, uint32_t first,
    pyro_sealed_entry_t *entry)
{
    uint32_t  i, ptype, last;

    if (pyro_take_u32(in, &entry->slot) || entry->slot >= PYRO_SLOTS_HOUR
        || pyro_take_u32(in, &entry->pushes)
        || pyro_take_u32(in, &entry->n_types)
        || entry->n_types > (size_t) (in->end - in->p))
    {
        return -1;
    }

    entry->slot += first;
    entry->types = *in;

    for (i = 0, last = 0; i < entry->n_types; i++) {

        if (pyro_take_u32(in, &ptype) || ptype == 0
            || ptype > UINT16_MAX - last)
        {
            return -1;
        }

        last += ptype;
    }

    return pyro_sealed_take_piece(in, &entry->sums)
           || pyro_sealed_take_piece(in, &entry->columns)
           ? -1 : 0;
}


/* Its bytes are known once the directory has been read. */
static int
pyro_sealed_take_piece(pyro_bytes_t *in, pyro_sealed_piece_t *piece)
{
    uint64_t  len, inflated;

    if (pyro_take(in, &len) || len > UINT32_MAX
        || pyro_take(in, &inflated)
        || inflated > len * PYRO_DEFLATE_RATIO || inflated > UINT32_MAX
        || in->end - in->p < PYRO_CHECKSUM)
    {
        return -1;
    }

    piece->bytes = pyro_slice(NULL, (size_t) len);
    piece->inflated = (size_t) inflated;
    piece->checksum = pyro_get_be32(in->p);
    in->p += PYRO_CHECKSUM;

    return 0;
}


static int
pyro_sealed_take_bytes(pyro_bytes_t *in, pyro_sealed_piece_t *piece)
{
    if (piece->bytes.len > (size_t) (in->end - in->p)) {
        return -1;
    }

    piece->bytes.data = (const char *) in->p;
    in->p += piece->bytes.len;

    return 0;
}


static pyro_status_e
pyro_sealed_open_piece(const pyro_sealed_piece_t *piece, pyro_arena_t *arena,
    uint8_t **buf, uint32_t *cap, pyro_slice_t *out)
{
    if ((uint32_t) pyro_hash64(piece->bytes.data, piece->bytes.len, 0)
        != piece->checksum)
    {
        return PYRO_UNPROCESSABLE;
    }

    if (piece->inflated == 0) {
        *out = piece->bytes;
        return PYRO_OK;
    }

    if (pyro_arena_grow(arena, buf, cap, piece->inflated, 1)) {
        return PYRO_UNAVAILABLE;
    }

    if (pyro_inflate(piece->bytes, *buf, piece->inflated)) {
        return PYRO_UNPROCESSABLE;
    }

    *out = pyro_slice(*buf, piece->inflated);

    return PYRO_OK;
}


pyro_status_e
pyro_sealed_hour_sums(const pyro_sealed_entry_t *entry, pyro_arena_t *arena,
    pyro_sealed_hour_room_t *room)
{
    uint32_t        i, ptype;
    uint64_t        len;
    pyro_bytes_t    in, types;
    pyro_slice_t    sums;
    pyro_status_e   status;

    room->n = 0;
    status = pyro_sealed_open_piece(&entry->sums, arena, &room->sums,
                                    &room->cap_sums, &sums);

    if (status != PYRO_OK) {
        return status;
    }

    if (pyro_arena_grow(arena, &room->list, &room->cap_list, entry->n_types,
                        sizeof(pyro_sealed_sum_t)))
    {
        return PYRO_UNAVAILABLE;
    }

    in = pyro_bytes(sums.data, sums.len);
    types = entry->types;

    for (i = 0, ptype = 0; i < entry->n_types; i++) {

        if (pyro_take(&in, &len) || len > (size_t) (in.end - in.p)) {
            return PYRO_UNPROCESSABLE;
        }

        ptype += pyro_take_known(&types);
        room->list[i].ptype = ptype;
        room->list[i].record = pyro_slice(in.p, (size_t) len);
        in.p += len;
    }

    room->n = entry->n_types;

    return in.p == in.end ? PYRO_OK : PYRO_UNPROCESSABLE;
}


pyro_status_e
pyro_sealed_hour_pushes(const pyro_sealed_entry_t *entry, pyro_arena_t *arena,
    pyro_sealed_hour_room_t *room)
{
    pyro_slice_t   columns;
    pyro_status_e  status;

    status = pyro_sealed_hour_sums(entry, arena, room);

    if (status == PYRO_OK) {
        status = pyro_sealed_open_piece(&entry->columns, arena,
                                        &room->columns, &room->cap_columns,
                                        &columns);
    }

    if (status == PYRO_OK) {
        status = pyro_sealed_slot_decode(columns, entry->slot, room->list,
                                         room->n, arena, &room->slot);
    }

    if (status == PYRO_OK && room->slot.n != entry->pushes) {
        status = PYRO_UNPROCESSABLE;
    }

    return status;
}


void
pyro_sealed_builder_begin(pyro_sealed_builder_t *builder, pyro_arena_t *arena,
    pyro_deflater_t *deflater, uint32_t hour)
{
    builder->arena = arena;
    builder->deflater = deflater;
    builder->hour = hour;
    builder->n = 0;
}


int
pyro_sealed_builder_add(pyro_sealed_builder_t *builder, uint32_t slot,
    const pyro_sealed_push_t *pushes, uint32_t n,
    const pyro_sealed_sum_t *sums, uint32_t n_sums)
{
    uint32_t       i, n_columns;
    pyro_slice_t  *columns;

    i = builder->n;

    builder->slots[i].slot = slot;
    builder->slots[i].pushes = n;
    builder->slots[i].types = sums;
    builder->slots[i].n_types = n_sums;

    if (pyro_sealed_slot_encode(builder->arena, slot, pushes, n, sums, n_sums,
                                &columns, &n_columns) != PYRO_OK
        || pyro_sealed_pack(builder, columns, n_columns,
                            &builder->slots[i].columns)
        || pyro_sealed_pack_sums(builder, sums, n_sums,
                                 &builder->slots[i].sums))
    {
        return -1;
    }

    builder->n++;

    return 0;
}


static int
pyro_sealed_pack(pyro_sealed_builder_t *builder, const pyro_slice_t *columns,
    uint32_t n, pyro_sealed_piece_t *piece)
{
    char      *all;
    size_t     size;
    uint32_t   i;

    for (i = 0, size = 0; i < n; i++) {
        size += columns[i].len;
    }

    if (pyro_deflate(builder->deflater, builder->arena, columns, n,
                     &piece->bytes))
    {
        return -1;
    }

    piece->inflated = size;

    if (size == 0 || piece->bytes.len > size / 100 * PYRO_SEALED_GAIN) {
        all = pyro_arena_alloc(builder->arena, size);

        if (all == NULL) {
            return -1;
        }

        piece->bytes = pyro_slice(all, size);
        piece->inflated = 0;

        for (i = 0; i < n; all += columns[i++].len) {
            if (columns[i].len) {
                memcpy(all, columns[i].data, columns[i].len);
            }
        }
    }

    piece->checksum = (uint32_t) pyro_hash64(piece->bytes.data,
                                             piece->bytes.len, 0);

    return 0;
}


/* Each behind its length. */
static int
pyro_sealed_pack_sums(pyro_sealed_builder_t *builder,
    const pyro_sealed_sum_t *sums, uint32_t n, pyro_sealed_piece_t *piece)
{
    uint8_t       *p;
    uint32_t       i;
    pyro_slice_t  *columns;

    columns = pyro_arena_calloc(builder->arena, (size_t) n * 2,
                                sizeof(pyro_slice_t));
    p = pyro_arena_alloc(builder->arena, (size_t) n * PYRO_VARINT_MAX);

    if (columns == NULL || p == NULL) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        columns[i * 2].data = (const char *) p;
        columns[i * 2].len = (size_t) (pyro_put_varint(p, sums[i].record.len)
                                       - p);
        columns[i * 2 + 1] = sums[i].record;
        p += columns[i * 2].len;
    }

    return pyro_sealed_pack(builder, columns, n * 2, piece);
}


int
pyro_sealed_builder_end(pyro_sealed_builder_t *builder, pyro_slice_t *value)
{
    size_t         size;
    uint8_t       *p, *start;
    uint32_t       i, k;
    pyro_slice_t  *part;

    size = PYRO_SEALED_HEADER + PYRO_VARINT_MAX;

    for (i = 0; i < builder->n; i++) {
        size += PYRO_SEALED_ENTRY
                + (size_t) builder->slots[i].n_types * PYRO_VARINT_MAX
                + builder->slots[i].sums.bytes.len
                + builder->slots[i].columns.bytes.len;
    }

    start = pyro_arena_alloc(builder->arena, size);

    if (start == NULL) {
        return -1;
    }

    p = pyro_put_varint(start + PYRO_SEALED_HEADER, builder->n);

    for (i = 0; i < builder->n; i++) {
        p = pyro_sealed_put_entry(builder, i, p);
    }

    start[4] = PYRO_SEALED_VERSION;
    pyro_put_be32(start + 5, (uint32_t) (p - start - PYRO_SEALED_HEADER));
    pyro_put_be32(start, pyro_checksum(start, (size_t) (p - start)));

    for (i = 0; i < builder->n; i++) {
        for (k = 0; k < 2; k++) {
            part = k ? &builder->slots[i].columns.bytes
                     : &builder->slots[i].sums.bytes;
            memcpy(p, part->data, part->len);
            p += part->len;
        }
    }

    *value = pyro_slice(start, (size_t) (p - start));

    return 0;
}


static uint8_t *
pyro_sealed_put_entry(const pyro_sealed_builder_t *builder, uint32_t i,
    uint8_t *p)
{
    uint32_t  k, last;

    p = pyro_put_varint(p, builder->slots[i].slot
                           - pyro_slot_first(PYRO_LEVEL_1H, builder->hour));
    p = pyro_put_varint(p, builder->slots[i].pushes);
    p = pyro_put_varint(p, builder->slots[i].n_types);

    for (k = 0, last = 0; k < builder->slots[i].n_types; k++) {
        p = pyro_put_varint(p, builder->slots[i].types[k].ptype - last);
        last = builder->slots[i].types[k].ptype;
    }

    p = pyro_sealed_put_piece(&builder->slots[i].sums, p);

    return pyro_sealed_put_piece(&builder->slots[i].columns, p);
}


static uint8_t *
pyro_sealed_put_piece(const pyro_sealed_piece_t *piece, uint8_t *p)
{
    p = pyro_put_varint(p, piece->bytes.len);
    p = pyro_put_varint(p, piece->inflated);
    pyro_put_be32(p, piece->checksum);

    return p + PYRO_CHECKSUM;
}
