/*
 * The decoder of push records (storage/record.h).  The checksum is made right
 * first, or nothing behind it would ever be reached.
 */

#include <stdlib.h>

#include "core/base/hash.h"
#include "storage/pick.h"


#define NODES  4096


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
record_fuzz_spans(pyro_record_t *record, const pyro_record_section_t *sections,
    uint32_t n_sections, uint64_t *acc)
{
    uint8_t      wanted[64];
    uint32_t     i, n;
    pyro_span_t  span;

    if (pyro_record_spans(record, &n) || n > sizeof(wanted)) {
        return;
    }

    for (i = 0; i < n; i++) {

        if (pyro_record_span(record, &span)) {
            return;
        }

        wanted[i] = span.id % 2;
    }

    for (i = 0; i < n_sections; i++) {
        if (pyro_record_add_spans(record, &sections[i], wanted, n, acc, NODES))
        {
            return;
        }
    }
}


/* The same as the store reads them: all of a record at once. */
static void
record_fuzz_all(pyro_slice_t bytes, pyro_arena_t *arena, uint64_t *acc)
{
    uint8_t              types[4] = { 1, 0, 1, 1 };
    uint32_t             i, k;
    uint64_t             odd[2] = { 1, 3 };
    pyro_pick_t          pick;
    pyro_spans_t         room;
    pyro_record_t        record;
    pyro_store_pick_t    wanted;

    memset(&wanted, 0, sizeof(wanted));
    memset(&room, 0, sizeof(room));
    wanted.spans = odd;
    wanted.n_spans = 2;

    if (pyro_pick_prepare(&pick, &wanted, arena)
        || pyro_record_open(bytes, &record))
    {
        abort();
    }

    (void) pyro_pick_add(&pick, &record, types, 4, acc, NODES);

    if (pyro_record_open(bytes, &record)
        || pyro_spans_sections(&room, arena, &record) != PYRO_OK
        || pyro_spans_table(&room, arena, &record) != PYRO_OK)
    {
        return;
    }

    for (i = 0; i < room.n_sections; i++) {
        memset(room.sums, 0, room.n_spans * sizeof(uint64_t));

        if (pyro_record_sum_spans(&record, &room.sections[i], room.sums,
                                  room.n_spans))
        {
            return;
        }

        for (k = 0; k < room.n_spans; k++) {
            if (room.sums[k] > INT64_MAX) {
                abort();
            }
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                     rc;
    uint8_t                *copy;
    uint32_t                i, n;
    uint64_t               *acc;
    pyro_arena_t           *arena;
    pyro_record_t           record;
    pyro_record_section_t   sections[8];

    arena = pyro_arena_create(64 * 1024 * 1024);
    copy = malloc(size ? size : 1);
    acc = calloc(NODES, sizeof(uint64_t));

    if (arena == NULL || copy == NULL || acc == NULL) {
        abort();
    }

    if (size) {
        memcpy(copy, data, size);
    }

    if (size >= 4) {
        pyro_put_be32(copy, (uint32_t) pyro_hash64(copy + 4, size - 4, 0));
    }

    if (pyro_record_open(pyro_slice(copy, size), &record) == 0) {

        for (n = 0, rc = 1; n < 8 && rc == 1; /* void */ ) {
            rc = pyro_record_next(&record, &sections[n]);

            if (rc == 1) {
                pyro_record_add(&sections[n++], acc, NODES);
            }
        }

        if (rc == 0) {
            record_fuzz_spans(&record, sections, n, acc);
        }

        record_fuzz_all(pyro_slice(copy, size), arena, acc);
    }

    for (i = 0; i < NODES; i++) {
        if (acc[i] > INT64_MAX) {
            abort();
        }
    }

    pyro_arena_destroy(arena);
    free(copy);
    free(acc);

    return 0;
}
