/*
 * The spans of a record: what each has, what is picked of them, and that a
 * record whose bytes are wrong harms nobody.
 */

#include "store_fixture.h"

#include "storage/pick.h"


#define NODES  64
#define FLIPS  20000


/* Two sections; spans 1 to 3, of which span 2 is in the second one alone. */
static pyro_slice_t
spans_record(pyro_arena_t *arena)
{
    uint32_t              i, ids[NODES], spans[8], list[8];
    pyro_pairs_t          room;
    pyro_slice_t          table, record;
    pyro_profile_t       *p;
    pyro_record_part_t    parts[2];

    p = pyro_profile_create(arena);

    fixture_add(p, 0, &fixture_cpu, "a;b", 1, 10);
    fixture_add(p, 0, &fixture_cpu, "a;c", 1, 20);
    fixture_add(p, 0, &fixture_cpu, "a;b", 3, INT64_MAX - 7);
    fixture_add(p, 0, &fixture_cpu, "a", 3, INT64_MAX - 7);
    fixture_add(p, 0, &fixture_cpu, "a;b", 0, 5);
    fixture_add(p, 0, &fixture_alloc, "a;b", 2, 100);
    fixture_add(p, 0, &fixture_alloc, "a;c", 3, 300);
    fixture_finish(p, "service_name=s");

    memset(&room, 0, sizeof(room));

    for (i = 0; i < p->n_nodes; i++) {
        ids[i] = i;
    }

    for (i = 1; i < p->n_spans; i++) {
        spans[i] = i;
        list[i - 1] = i;
    }

    assert_int_equal(pyro_record_span_table(arena, p->spans, list,
                                            p->n_spans - 1, &table), 0);

    for (i = 0; i < 2; i++) {
        parts[i].ptype = i + 1;
        assert_int_equal(pyro_record_section(arena, &room, &p->sections[i],
                                             ids, spans, &parts[i]), 0);
    }

    assert_int_equal(pyro_record_encode(arena, p->label_sets[0].digest, 10,
                                        parts, 2, table, &record), 0);

    return record;
}


/* What each span has in both sections, by its id. */
static pyro_status_e
spans_read(pyro_spans_t *room, pyro_arena_t *arena, pyro_slice_t bytes,
    int skip, uint64_t sums[2][4])
{
    uint32_t        i, k;
    pyro_status_e   status;
    pyro_record_t   record;

    memset(sums, 0, 8 * sizeof(uint64_t));

    if (pyro_record_open(bytes, &record)) {
        return PYRO_UNPROCESSABLE;
    }

    status = pyro_spans_sections(room, arena, &record);

    if (status == PYRO_OK) {
        status = pyro_spans_table(room, arena, &record);
    }

    for (i = 0; i < room->n_sections && status == PYRO_OK; i++) {

        if ((int) i == skip) {
            status = pyro_record_skip_spans(&record) ? PYRO_UNPROCESSABLE
                                                     : PYRO_OK;
            continue;
        }

        memset(room->sums, 0, room->n_spans * sizeof(uint64_t));

        if (pyro_record_sum_spans(&record, &room->sections[i], room->sums,
                                  room->n_spans))
        {
            return PYRO_UNPROCESSABLE;
        }

        for (k = 0; k < room->n_spans; k++) {
            sums[i % 2][room->spans[k].id % 4] += room->sums[k];
        }
    }

    return status;
}


static void
spans_are_summed(void **state)
{
    int             skip;
    uint32_t        cpu;
    uint64_t        sums[2][4];
    pyro_arena_t   *arena;
    pyro_slice_t    bytes;
    pyro_spans_t    room;

    (void) state;

    arena = pyro_arena_create(0);
    memset(&room, 0, sizeof(room));
    bytes = spans_record(arena);

    for (skip = -1; skip < 2; skip++) {
        assert_int_equal(spans_read(&room, arena, bytes, skip, sums), PYRO_OK);
        assert_int_equal(room.n_sections, 2);
        assert_int_equal(room.n_spans, 3);

        /* sections are by type, whose order is the profile's */
        cpu = room.sections[0].total == INT64_MAX ? 0 : 1;

        if (skip != (int) cpu) {
            assert_int_equal(sums[cpu][1], 30);
            assert_int_equal(sums[cpu][2], 0);
            assert_true(sums[cpu][3] == INT64_MAX);
        }

        if (skip != (int) (1 - cpu)) {
            assert_int_equal(sums[1 - cpu][1], 0);
            assert_int_equal(sums[1 - cpu][2], 100);
            assert_int_equal(sums[1 - cpu][3], 300);
        }
    }

    pyro_arena_destroy(arena);
}


static void
a_wrong_record_harms_nobody(void **state)
{
    uint8_t              *copy, types[2] = { 1, 1 };
    uint32_t              i, k, at, whole;
    uint64_t              seed, sums[2][4], acc[NODES], ids[] = { 1, 3 };
    pyro_arena_t         *arena;
    pyro_pick_t           pick;
    pyro_slice_t          bytes;
    pyro_spans_t          room;
    pyro_record_t         record;
    pyro_store_pick_t     wanted;

    (void) state;

    arena = pyro_arena_create(0);
    memset(&room, 0, sizeof(room));
    memset(&wanted, 0, sizeof(wanted));
    wanted.spans = ids;
    wanted.n_spans = 2;
    assert_int_equal(pyro_pick_prepare(&pick, &wanted, arena), 0);

    bytes = spans_record(arena);
    copy = malloc(bytes.len);
    assert_non_null(copy);
    seed = 5;
    whole = 0;

    for (i = 0; i < FLIPS; i++) {
        memcpy(copy, bytes.data, bytes.len);

        for (k = 0; k < 1 + i % 3; k++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            at = 6 + (uint32_t) (seed >> 33) % (uint32_t) (bytes.len - 6);
            copy[at] = (uint8_t) (i % 5 ? copy[at] ^ 1 << (seed >> 60 & 7)
                                        : 0xff);
        }

        pyro_put_be32(copy, pyro_checksum(copy, bytes.len));

        whole += spans_read(&room, arena,
                            pyro_slice(copy, bytes.len - i % 2), -1, sums)
                 == PYRO_OK;

        if (pyro_record_open(pyro_slice(copy, bytes.len), &record) == 0) {
            memset(acc, 0, sizeof(acc));
            (void) pyro_pick_add(&pick, &record, types, 2, acc, NODES);
        }
    }

    assert_true(whole < FLIPS / 2);
    assert_true(pyro_arena_used(arena) < 16 * 1024 * 1024);

    free(copy);
    pyro_arena_destroy(arena);
}


/* A record that has a table, in which there is nothing. */
static void
a_table_may_be_empty(void **state)
{
    uint8_t         bytes[64], *p;
    pyro_arena_t   *arena;
    pyro_spans_t    room;
    pyro_record_t   record;
    pyro_hash128_t  digest = { 1, 2 };

    (void) state;

    arena = pyro_arena_create(0);
    memset(&room, 0, sizeof(room));

    p = pyro_record_put(bytes, digest, 10, 1, NULL, 0);
    p = pyro_put_varint(p, 0);

    assert_int_equal(pyro_record_open(pyro_record_close(bytes, p), &record),
                     0);
    assert_int_equal(pyro_spans_sections(&room, arena, &record), PYRO_OK);
    assert_int_equal(pyro_spans_table(&room, arena, &record), PYRO_OK);
    assert_int_equal(room.n_spans, 0);
    assert_non_null(room.wanted);
    assert_non_null(room.sums);

    pyro_arena_destroy(arena);
}


/* A table that says it has more spans than it can have takes no memory. */
static void
a_table_is_not_believed(void **state)
{
    uint8_t               bytes[64], *p;
    pyro_arena_t         *arena;
    pyro_spans_t          room;
    pyro_record_t         record;
    pyro_hash128_t        digest = { 1, 2 };

    (void) state;

    arena = pyro_arena_create(1024 * 1024);
    memset(&room, 0, sizeof(room));

    p = pyro_record_put(bytes, digest, 10, 1, NULL, 0);
    p = pyro_put_varint(p, 0xfffffff0);

    assert_int_equal(pyro_record_open(pyro_record_close(bytes, p), &record),
                     0);
    assert_int_equal(pyro_spans_sections(&room, arena, &record), PYRO_OK);
    assert_int_equal(pyro_spans_table(&room, arena, &record),
                     PYRO_UNPROCESSABLE);
    assert_int_equal(room.n_spans, 0);

    pyro_arena_destroy(arena);
}


static void
no_memory_is_said(void **state)
{
    uint64_t        sums[2][4];
    pyro_arena_t   *arena, *small;
    pyro_slice_t    bytes;
    pyro_spans_t    room;

    (void) state;

    arena = pyro_arena_create(0);
    small = pyro_arena_create(1);
    memset(&room, 0, sizeof(room));
    bytes = spans_record(arena);

    assert_int_equal(spans_read(&room, small, bytes, -1, sums),
                     PYRO_UNAVAILABLE);

    pyro_arena_destroy(small);
    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(spans_are_summed),
        cmocka_unit_test(a_wrong_record_harms_nobody),
        cmocka_unit_test(a_table_may_be_empty),
        cmocka_unit_test(a_table_is_not_believed),
        cmocka_unit_test(no_memory_is_said),
    };

    return unit_run(tests);
}
