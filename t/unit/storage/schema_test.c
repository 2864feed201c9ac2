#include "unit.h"

#include "storage/schema.h"


static void
schema_keys_sort(void **state)
{
    uint8_t         a[PYRO_KEY_MAX], b[PYRO_KEY_MAX];
    pyro_raw_key_t  one = { 7, 1000, 3, 0 }, two = { 7, 1000, 3, 1 }, back;

    (void) state;

    assert_int_equal(pyro_key_raw(a, &one), PYRO_RAW_KEY);
    pyro_key_raw(b, &two);
    assert_true(memcmp(a, b, PYRO_RAW_KEY) < 0);

    two = one;
    two.time = 1001;
    two.ptype = 0;
    pyro_key_raw(b, &two);
    assert_true(memcmp(a, b, PYRO_RAW_KEY) < 0);

    two.stream = 6;
    pyro_key_raw(b, &two);
    assert_true(memcmp(a, b, PYRO_RAW_KEY) > 0);

    assert_int_equal(pyro_raw_key_get(pyro_slice(a, PYRO_RAW_KEY), &back), 0);
    assert_int_equal(back.stream, 7);
    assert_int_equal(back.time, 1000);
    assert_int_equal(back.ptype, 3);
    assert_int_equal(back.seq, 0);
    assert_int_equal(pyro_raw_key_get(pyro_slice(a, 15), &back), -1);

    a[4] = 0xff;
    assert_int_equal(pyro_raw_key_get(pyro_slice(a, PYRO_RAW_KEY), &back), -1);

    assert_true(pyro_key_post(a, 1, 2, 3, 4) <= PYRO_KEY_MAX);
    assert_true(pyro_key_part(a, 1, 2) <= PYRO_KEY_MAX);
    assert_true(pyro_key_pair(a, 1, 2) <= PYRO_KEY_MAX);
}


static void
schema_values_round_trip(void **state)
{
    uint8_t                 p[PYRO_FRAME_MAX];
    pyro_ids_t              ids = { 1, 2, 3, 4, UINT32_MAX }, ids2;
    pyro_scope_value_t      scope = { 1, 2, 3, 4, 5 }, scope2;
    pyro_frame_value_t      frame = { UINT32_MAX, 2, 3, UINT32_MAX }, frame2;
    pyro_partition_value_t  part = { UINT64_MAX, 86400, 9, 77 }, part2;
    size_t                  len;

    (void) state;

    pyro_ids_put(p, &ids);
    assert_int_equal(pyro_ids_get(pyro_slice(p, PYRO_IDS_SIZE), &ids2), 0);
    assert_memory_equal(&ids, &ids2, sizeof(ids));
    assert_int_equal(pyro_ids_get(pyro_slice(p, 4), &ids2), -1);

    pyro_scope_put(p, &scope);
    assert_int_equal(pyro_scope_get(pyro_slice(p, PYRO_SCOPE_SIZE), &scope2),
                     0);
    assert_int_equal(scope2.nodes, 3);
    assert_int_equal(scope2.last, 5);

    scope.nodes = PYRO_NODES_MAX + 1;
    pyro_scope_put(p, &scope);
    assert_int_equal(pyro_scope_get(pyro_slice(p, PYRO_SCOPE_SIZE), &scope2),
                     -1);

    pyro_partition_put(p, &part);
    assert_int_equal(pyro_partition_get(pyro_slice(p, PYRO_PARTITION_SIZE),
                                        &part2), 0);
    assert_int_equal(part2.start, UINT64_MAX);
    assert_int_equal(part2.seed, 77);

    len = pyro_frame_put(p, &frame);
    assert_int_equal(pyro_frame_get(pyro_slice(p, len), &frame2), 0);
    assert_memory_equal(&frame, &frame2, sizeof(frame));

    while (len--) {
        assert_int_equal(pyro_frame_get(pyro_slice(p, len), &frame2), -1);
    }
}


static void
schema_stream_round_trips(void **state)
{
    uint8_t               p[256];
    size_t                len;
    uint32_t              i, id;
    uint32_t              ptypes[] = { 1, 5, 6, 300 };
    uint32_t              strings[] = { 9, 10, 11, UINT32_MAX };
    pyro_stream_value_t   head, back;

    (void) state;

    memset(&head, 0, sizeof(head));

    head.scope = 3;
    head.first = 1;
    head.last = INT64_MAX;
    head.n_ptypes = 4;
    head.n_labels = 2;

    assert_true(pyro_stream_size(4, 2) <= sizeof(p));
    len = pyro_stream_put(p, &head, ptypes, strings);

    assert_int_equal(pyro_stream_get(pyro_slice(p, len), &back), 0);
    assert_int_equal(back.scope, 3);
    assert_int_equal(back.last, INT64_MAX);
    assert_int_equal(back.n_ptypes, 4);
    assert_int_equal(back.n_labels, 2);

    for (i = 0, id = 0; i < 4; i++) {
        id += pyro_take_known(&back.ptypes);
        assert_int_equal(id, ptypes[i]);
    }

    for (i = 0; i < 4; i++) {
        assert_int_equal(pyro_take_known(&back.labels), strings[i]);
    }

    while (len--) {
        assert_int_equal(pyro_stream_get(pyro_slice(p, len), &back), -1);
    }
}


static void
schema_rounds_and_names(void **state)
{
    char  name[PYRO_FILE_NAME_MAX];

    (void) state;

    assert_int_equal(pyro_last_round(0), PYRO_LAST_SLOT - 1);
    assert_int_equal(pyro_last_round(PYRO_LAST_SLOT), 2 * PYRO_LAST_SLOT - 1);
    assert_int_equal(pyro_last_round(INT64_MAX), INT64_MAX);

    pyro_partition_name(name, 1795305600, 86400, 1);
    assert_string_equal(name, "p-20261122.1.mdb");

    pyro_partition_name(name, 1795305600, 7 * 86400, 12);
    assert_string_equal(name, "p-20261122.12.mdb");

    pyro_partition_name(name, 1795305600 + 13 * 3600, 3600, 1);
    assert_string_equal(name, "p-20261122T13.1.mdb");
}


static void
schema_infos_round_trip(void **state)
{
    size_t              len;
    uint8_t             p[PYRO_INFO_HEADER + 8];
    pyro_info_value_t   v = { 1795305600000000001, PYRO_SLICE("shop"),
                              PYRO_SLICE("{}") }, v2;

    (void) state;

    pyro_info_put(p, &v);
    len = PYRO_INFO_HEADER + 6;

    assert_int_equal(pyro_info_get(pyro_slice(p, len), &v2), 0);
    assert_int_equal(v2.time, v.time);
    assert_true(pyro_slice_is(v2.service, "shop"));
    assert_true(pyro_slice_is(v2.info, "{}"));

    assert_int_equal(pyro_info_get(pyro_slice(p, len - 2), &v2), 0);
    assert_int_equal(v2.info.len, 0);
    assert_int_equal(pyro_info_get(pyro_slice(p, len - 3), &v2), -1);
    assert_int_equal(pyro_info_get(pyro_slice(p, PYRO_INFO_HEADER - 1), &v2),
                     -1);

    p[8] = 0xff;
    assert_int_equal(pyro_info_get(pyro_slice(p, len), &v2), -1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(schema_keys_sort),
        cmocka_unit_test(schema_values_round_trip),
        cmocka_unit_test(schema_stream_round_trips),
        cmocka_unit_test(schema_rounds_and_names),
        cmocka_unit_test(schema_infos_round_trip),
    };

    return unit_run(tests);
}
