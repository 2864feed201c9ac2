#include "store_fixture.h"

#include "storage/record.h"


/* One section with spans and one without; node i is stored as node 10 + i. */
static pyro_slice_t
record_make(pyro_arena_t *arena, const pyro_profile_t *p)
{
    uint32_t              i, ids[64], spans[64], list[64];
    pyro_pairs_t          room;
    pyro_slice_t          table, record;
    pyro_record_part_t    parts[8];

    memset(&room, 0, sizeof(room));

    for (i = 0; i < p->n_nodes; i++) {
        ids[i] = i ? 1000 - 7 * i : 0;
    }

    for (i = 1; i < p->n_spans; i++) {
        spans[i] = i;
        list[i - 1] = i;
    }

    table = pyro_slice(NULL, 0);

    if (p->n_spans > 1) {
        assert_int_equal(pyro_record_span_table(arena, p->spans, list,
                                                p->n_spans - 1, &table), 0);
    }

    for (i = 0; i < p->n_sections; i++) {
        parts[i].ptype = i + 1;
        assert_int_equal(pyro_record_section(arena, &room, &p->sections[i],
                                             ids, table.len ? spans : NULL,
                                             &parts[i]), 0);
    }

    assert_int_equal(pyro_record_encode(arena, p->label_sets[0].digest, 10000,
                                        parts, p->n_sections, table, &record),
                     0);

    return record;
}


static void
record_round_trips(void **state)
{
    uint32_t                i, n, k;
    uint8_t                 wanted[4];
    uint64_t                acc[1024], sum;
    pyro_span_t             span;
    pyro_slice_t            bytes;
    pyro_arena_t           *arena;
    pyro_record_t           record;
    pyro_profile_t         *p;
    pyro_record_section_t   sections[2], end;

    (void) state;

    arena = pyro_arena_create(0);
    p = pyro_profile_create(arena);

    fixture_add(p, 0, &fixture_cpu, "a;b", 0, 10000000);
    fixture_add(p, 0, &fixture_cpu, "a;b", 1, 20000000);
    fixture_add(p, 0, &fixture_cpu, "a;c", 2, 30000000);
    fixture_add(p, 0, &fixture_cpu, "a", 0, 50000000);
    fixture_add(p, 0, &fixture_alloc, "a;c", 2, 77);
    fixture_finish(p, "service_name=s");

    bytes = record_make(arena, p);

    assert_int_equal(pyro_record_open(bytes, &record), 0);
    assert_int_equal(record.duration, 10000);
    assert_int_equal(record.n_sections, 2);
    assert_int_equal(record.digest.lo, p->label_sets[0].digest.lo);
    assert_int_equal(record.digest.hi, p->label_sets[0].digest.hi);

    for (i = 0; i < 2; i++) {
        assert_int_equal(pyro_record_next(&record, &sections[i]), 1);
        assert_int_equal(sections[i].ptype, i + 1);
        assert_int_equal(sections[i].total, p->sections[i].total);

        memset(acc, 0, sizeof(acc));
        assert_int_equal(pyro_record_add(&sections[i], acc, 1024), 0);

        for (k = 0, sum = 0; k < 1024; k++) {
            sum += acc[k];
        }

        assert_int_equal(sum, sections[i].total);

        /* a node beyond the accumulator is an error, not a write */
        assert_int_equal(pyro_record_add(&sections[i], acc, 900), -1);
    }

    /* the greatest common divisor of the values */
    i = sections[0].total == 110000000 ? 0 : 1;
    assert_int_equal(sections[i].scale, 10000000);
    assert_int_equal(sections[i].n, 3);
    assert_int_equal(sections[1 - i].scale, 77);

    assert_int_equal(pyro_record_next(&record, &end), 0);
    assert_int_equal(pyro_record_spans(&record, &n), 0);
    assert_int_equal(n, 2);

    for (k = 0; k < n; k++) {
        assert_int_equal(pyro_record_span(&record, &span), 0);
        assert_int_equal(span.id, p->spans[k + 1].id);
        assert_int_equal(span.trace_hi, p->spans[k + 1].trace_hi);
        wanted[k] = span.id == 2;
    }

    memset(acc, 0, sizeof(acc));

    for (k = 0; k < 2; k++) {
        assert_int_equal(pyro_record_add_spans(&record, &sections[k], wanted,
                                               n, acc, 1024), 0);
    }

    for (k = 0, sum = 0; k < 1024; k++) {
        sum += acc[k];
    }

    assert_int_equal(sum, 30000077);
    assert_ptr_equal(record.rest.p, record.rest.end);

    pyro_arena_destroy(arena);
}


static void
record_joins_and_saturates(void **state)
{
    uint64_t                acc[1024];
    uint32_t                ids[8] = { 0, 5, 5, 5, 5, 5, 5, 5 };
    pyro_arena_t           *arena;
    pyro_pairs_t            room;
    pyro_slice_t            bytes;
    pyro_record_t           record;
    pyro_profile_t         *p;
    pyro_record_part_t      part;
    pyro_record_section_t   section;

    (void) state;

    arena = pyro_arena_create(0);
    p = pyro_profile_create(arena);

    fixture_add(p, 0, &fixture_cpu, "a", 0, INT64_MAX - 1);
    fixture_add(p, 0, &fixture_cpu, "b", 0, INT64_MAX - 1);
    fixture_finish(p, "service_name=s");

    memset(&room, 0, sizeof(room));
    assert_int_equal(pyro_record_section(arena, &room, &p->sections[0], ids,
                                         NULL, &part), 0);
    part.ptype = 1;
    assert_int_equal(pyro_record_encode(arena, p->label_sets[0].digest, 0,
                                        &part, 1, pyro_slice(NULL, 0),
                                        &bytes), 0);

    assert_int_equal(pyro_record_open(bytes, &record), 0);
    assert_int_equal(pyro_record_next(&record, &section), 1);
    assert_int_equal(section.n, 1);
    assert_int_equal(section.total, INT64_MAX);

    memset(acc, 0, sizeof(acc));
    assert_int_equal(pyro_record_add(&section, acc, 1024), 0);
    assert_int_equal(pyro_record_add(&section, acc, 1024), 0);
    assert_int_equal(acc[5], INT64_MAX);

    pyro_arena_destroy(arena);
}


/* Every flipped bit and every cut is noticed. */
static void
record_notices_damage(void **state)
{
    char           *copy;
    size_t          i;
    pyro_slice_t    bytes;
    pyro_arena_t   *arena;
    pyro_record_t   record;

    (void) state;

    arena = pyro_arena_create(0);
    bytes = record_make(arena, fixture_one(arena, "service_name=s", "a;b;c",
                                           123));
    copy = malloc(bytes.len);
    assert_non_null(copy);

    for (i = 0; i < bytes.len * 8; i++) {
        memcpy(copy, bytes.data, bytes.len);
        copy[i / 8] ^= (char) (1 << i % 8);
        assert_int_equal(pyro_record_open(pyro_slice(copy, bytes.len),
                                          &record), -1);
    }

    for (i = 0; i < bytes.len; i++) {
        memcpy(copy, bytes.data, i);
        assert_int_equal(pyro_record_open(pyro_slice(copy, i), &record), -1);
    }

    free(copy);
    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(record_round_trips),
        cmocka_unit_test(record_joins_and_saturates),
        cmocka_unit_test(record_notices_damage),
    };

    return unit_run(tests);
}
