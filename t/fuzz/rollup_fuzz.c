/*
 * The decoders of roll-ups (storage/rollup.h): the first byte says which.  The
 * checksum is made right first.  What was read and is written again reads the
 * same.
 */

#include <stdlib.h>

#include "core/base/hash.h"
#include "storage/rollup.h"


#define HOUR    498000
#define HEADER  5

#define CHECK(what)  do { if (!(what)) { abort(); } } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
rollup_fuzz_stacks(pyro_slice_t in, pyro_arena_t *arena)
{
    pyro_slice_t       out;
    pyro_rollup_t      rollup, again;
    pyro_rollup_sum_t  sum;

    memset(&sum, 0, sizeof(sum));

    if (pyro_rollup_open(in, &rollup) || rollup.pushes == 0
        || pyro_rollup_add(&sum, arena, &rollup.section, rollup.pushes)
           != PYRO_OK)
    {
        return;
    }

    CHECK(pyro_rollup_encode(&sum, arena, &out) == 0);
    CHECK(pyro_rollup_open(out, &again) == 0);
    CHECK(again.pushes == rollup.pushes);
    CHECK(again.section.n <= rollup.section.n);
}


static void
rollup_fuzz_totals(pyro_slice_t in, pyro_arena_t *arena)
{
    uint32_t            i;
    pyro_slice_t        out;
    pyro_total_list_t   list, again;

    memset(&list, 0, sizeof(list));
    memset(&again, 0, sizeof(again));

    if (pyro_totals_decode(in, HOUR, arena, &list) != PYRO_OK) {
        return;
    }

    CHECK(pyro_totals_encode(&list, HOUR, arena, &out) == 0);
    CHECK(pyro_totals_decode(out, HOUR, arena, &again) == PYRO_OK);
    CHECK(again.n == list.n);

    for (i = 0; i < list.n; i++) {
        CHECK(again.items[i].time == list.items[i].time);
        CHECK(again.items[i].total == list.items[i].total);
    }
}


static void
rollup_fuzz_hours(pyro_slice_t in, pyro_arena_t *arena)
{
    pyro_slice_t       out;
    pyro_hour_total_t  hours[PYRO_HOURS_DAY], again[PYRO_HOURS_DAY];

    if (pyro_hours_decode(in, hours)) {
        return;
    }

    CHECK(pyro_hours_encode(hours, arena, &out) == 0);
    CHECK(pyro_hours_decode(out, again) == 0);
    CHECK(memcmp(hours, again, sizeof(hours)) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t       *copy;
    pyro_slice_t   in;
    pyro_arena_t  *arena;

    if (size < 1 + HEADER) {
        return 0;
    }

    copy = malloc(size - 1);
    arena = pyro_arena_create(64 * 1024 * 1024);
    CHECK(copy != NULL && arena != NULL);

    memcpy(copy, data + 1, size - 1);
    pyro_put_be32(copy, (uint32_t) pyro_hash64(copy + 4, size - 5, 0));
    in = pyro_slice(copy, size - 1);

    switch (data[0] % 3) {
    case 0:
        rollup_fuzz_stacks(in, arena);
        break;
    case 1:
        rollup_fuzz_totals(in, arena);
        break;
    default:
        rollup_fuzz_hours(in, arena);
    }

    pyro_arena_destroy(arena);
    free(copy);

    return 0;
}
