/*
 * The decoders of sealed hours (storage/sealed_hour.h) and of their slots
 * (storage/sealed_slot.h): the first byte says which.  Checksums are made right
 * first.  What was read has to be sound, and is read the same when it is
 * written again.
 *
 * An hour is as it is stored.  A slot comes behind its sums: u8 how many, each
 * u8 ptype less one and the one before, be16 length, record.
 */

#include <stdlib.h>

#include "core/base/hash.h"
#include "storage/sealed_hour.h"


#define HOUR    498696
#define SLOT    5984345
#define HEADER  9
#define SUMS    16

/* memory that a byte may account for, and what does not depend on any */
#define FACTOR  250
#define ROOM    (1024 * 1024)

#define CHECK(what)  do { if (!(what)) { abort(); } } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* Of a record, of pushes or of a sum, inside of the bytes. */
static void
sealed_fuzz_right(uint8_t *record, size_t len)
{
    if (len >= PYRO_CHECKSUM) {
        pyro_put_be32(record, pyro_checksum(record, len));
    }
}


/* The records of a slot that has them as they are. */
static void
sealed_fuzz_right_records(uint8_t *p, uint8_t *end)
{
    uint32_t      i;
    uint64_t      n, v, len;
    pyro_bytes_t  in;

    in = pyro_bytes(p, (size_t) (end - p));

    if (p == end || *p != PYRO_SEALED_RECORDS) {
        return;
    }

    in.p++;

    if (pyro_take(&in, &n)) {
        return;
    }

    while (n--) {
        for (i = 0; i < 3; i++) {
            if (pyro_take(&in, &v)) {
                return;
            }
        }

        if (pyro_take(&in, &len) || len > (size_t) (in.end - in.p)) {
            return;
        }

        sealed_fuzz_right(p + (in.p - p), (size_t) len);
        in.p += len;
    }
}


/* The sums of a slot of an hour, each behind its length. */
static void
sealed_fuzz_right_sums(uint8_t *p, uint8_t *end)
{
    uint64_t      len;
    pyro_bytes_t  in;

    in = pyro_bytes(p, (size_t) (end - p));

    while (pyro_take(&in, &len) == 0 && len <= (size_t) (in.end - in.p)) {
        sealed_fuzz_right(p + (in.p - p), (size_t) len);
        in.p += len;
    }
}


/* All sections of all records can be walked over, or say that they cannot. */
static void
sealed_fuzz_walk(pyro_slice_t value)
{
    uint32_t                i, n;
    uint64_t                acc[64];
    pyro_span_t             span;
    pyro_record_t           record;
    pyro_record_section_t   section;

    memset(acc, 0, sizeof(acc));
    CHECK(pyro_record_open(value, &record) == 0);

    while (pyro_record_next(&record, &section) == 1) {
        (void) pyro_record_add(&section, acc, 64);
    }

    if (record.left == 0 && record.has_spans
        && pyro_record_spans(&record, &n) == 0)
    {
        for (i = 0; i < n && pyro_record_span(&record, &span) == 0; i++) {
            /* void */
        }
    }
}


static void
sealed_fuzz_pushes(const pyro_sealed_push_t *pushes, uint32_t n,
    uint32_t slot)
{
    uint32_t  i;

    CHECK(n > 0);

    for (i = 0; i < n; i++) {
        CHECK(pyro_slot(pushes[i].key.time) == slot);
        CHECK(i == 0 || pushes[i - 1].key.time < pushes[i].key.time
              || (pushes[i - 1].key.time == pushes[i].key.time
                  && pushes[i - 1].key.ptype <= pushes[i].key.ptype));
        sealed_fuzz_walk(pushes[i].record);
    }
}


/* Written again, it gives the same pushes. */
static void
sealed_fuzz_again(const pyro_sealed_room_t *room, uint32_t slot,
    const pyro_sealed_sum_t *sums, uint32_t n_sums)
{
    char                *all, *p;
    size_t               size;
    uint32_t             i, n;
    pyro_slice_t        *columns;
    pyro_arena_t        *arena;
    pyro_sealed_room_t   again;

    arena = pyro_arena_create(0);
    CHECK(arena != NULL);
    CHECK(pyro_sealed_slot_encode(arena, slot, room->pushes, room->n, sums,
                                  n_sums, &columns, &n) == PYRO_OK);

    for (i = 0, size = 0; i < n; i++) {
        size += columns[i].len;
    }

    all = malloc(size);
    CHECK(all != NULL);

    for (i = 0, p = all; i < n; p += columns[i++].len) {
        if (columns[i].len) {
            memcpy(p, columns[i].data, columns[i].len);
        }
    }

    memset(&again, 0, sizeof(again));
    CHECK(pyro_sealed_slot_decode(pyro_slice(all, size), slot, sums, n_sums,
                                  arena, &again) == PYRO_OK);
    CHECK(again.n == room->n);

    for (i = 0; i < again.n; i++) {
        CHECK(again.pushes[i].key.time == room->pushes[i].key.time);
        CHECK(again.pushes[i].key.ptype == room->pushes[i].key.ptype);
        CHECK(again.pushes[i].key.seq == room->pushes[i].key.seq);
        CHECK(pyro_slice_eq(again.pushes[i].record, room->pushes[i].record));
    }

    free(all);
    pyro_arena_destroy(arena);
}


static void
sealed_fuzz_slot(uint8_t *data, size_t size)
{
    size_t               at, len;
    uint32_t             i, n;
    pyro_arena_t        *arena;
    pyro_status_e        status;
    pyro_sealed_sum_t    sums[SUMS];
    pyro_sealed_room_t   room;

    if (size == 0) {
        return;
    }

    n = data[0] % SUMS;

    for (i = 0, at = 1; i < n; i++) {

        if (size - at < 3) {
            return;
        }

        sums[i].ptype = (i ? sums[i - 1].ptype : 0) + 1u + data[at];
        len = (size_t) data[at + 1] << 8 | data[at + 2];
        at += 3;

        if (len > size - at) {
            return;
        }

        sealed_fuzz_right(data + at, len);
        sums[i].record = pyro_slice(data + at, len);
        at += len;
    }

    sealed_fuzz_right_records(data + at, data + size);

    arena = pyro_arena_create(size * FACTOR + ROOM);
    CHECK(arena != NULL);
    memset(&room, 0, sizeof(room));

    status = pyro_sealed_slot_decode(pyro_slice(data + at, size - at), SLOT,
                                     sums, n, arena, &room);
    CHECK(status == PYRO_OK || status == PYRO_UNPROCESSABLE);

    if (status == PYRO_OK) {
        sealed_fuzz_pushes(room.pushes, room.n, SLOT);
        sealed_fuzz_again(&room, SLOT, sums, n);
    }

    pyro_arena_destroy(arena);
}


/* A part that is not deflated can be made right inside as well. */
static void
sealed_fuzz_right_entry(uint8_t *data, pyro_sealed_entry_t *entry)
{
    uint8_t  *p;

    if (entry->sums.inflated == 0) {
        p = data + ((const uint8_t *) entry->sums.bytes.data - data);
        sealed_fuzz_right_sums(p, p + entry->sums.bytes.len);
    }

    if (entry->columns.inflated == 0) {
        p = data + ((const uint8_t *) entry->columns.bytes.data - data);
        sealed_fuzz_right_records(p, p + entry->columns.bytes.len);
    }

    entry->sums.checksum = (uint32_t) pyro_hash64(entry->sums.bytes.data,
                                                  entry->sums.bytes.len, 0);
    entry->columns.checksum = (uint32_t) pyro_hash64(
                                                entry->columns.bytes.data,
                                                entry->columns.bytes.len, 0);
}


static void
sealed_fuzz_hour(uint8_t *data, size_t size)
{
    size_t                   directory, bytes;
    uint32_t                 i;
    pyro_arena_t            *arena;
    pyro_status_e            status;
    pyro_sealed_hour_t       hour;
    pyro_sealed_entry_t     *entry;
    pyro_sealed_hour_room_t  room, sums;

    if (size >= HEADER) {
        directory = pyro_get_be32(data + 5);

        if (directory <= size - HEADER) {
            pyro_put_be32(data, pyro_checksum(data, HEADER + directory));
        }
    }

    if (pyro_sealed_hour_open(pyro_slice(data, size), HOUR, &hour)) {
        return;
    }

    for (i = 0, bytes = size; i < hour.n; i++) {
        CHECK(pyro_slot_at(PYRO_LEVEL_1H, hour.slots[i].slot) == HOUR);
        CHECK(i == 0 || hour.slots[i - 1].slot < hour.slots[i].slot);

        bytes += hour.slots[i].sums.inflated + hour.slots[i].columns.inflated;
        sealed_fuzz_right_entry(data, &hour.slots[i]);
    }

    arena = pyro_arena_create(bytes * FACTOR + ROOM);
    CHECK(arena != NULL);
    memset(&room, 0, sizeof(room));
    memset(&sums, 0, sizeof(sums));

    for (i = 0; i < hour.n; i++) {
        entry = &hour.slots[i];
        status = pyro_sealed_hour_sums(entry, arena, &sums);
        CHECK(status == PYRO_OK || status == PYRO_UNPROCESSABLE);
        CHECK(status != PYRO_OK || sums.n == entry->n_types);

        status = pyro_sealed_hour_pushes(entry, arena, &room);
        CHECK(status == PYRO_OK || status == PYRO_UNPROCESSABLE);

        if (status == PYRO_OK) {
            CHECK(room.slot.n == entry->pushes);
            sealed_fuzz_pushes(room.slot.pushes, room.slot.n, entry->slot);
            sealed_fuzz_again(&room.slot, entry->slot, room.list, room.n);
        }
    }

    pyro_arena_destroy(arena);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t  *copy;

    if (size == 0) {
        return 0;
    }

    copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, data + 1, size - 1);

    if (data[0] % 2) {
        sealed_fuzz_hour(copy, size - 1);

    } else {
        sealed_fuzz_slot(copy, size - 1);
    }

    free(copy);

    return 0;
}
