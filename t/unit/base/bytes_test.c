#include "unit.h"

#include "core/base/bytes.h"


static void
big_endian_sorts_as_numbers_do(void **state)
{
    size_t                 i;
    uint8_t                a[9], b[9];
    static const uint64_t  values[] = {
        0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffffff,
        0x100000000ULL, 0x0123456789abcdefULL, INT64_MAX,
        0x8000000000000000ULL, UINT64_MAX
    };

    (void) state;

    /* at an odd address, too */

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        pyro_put_be64(b + 1, values[i]);
        assert_true(pyro_get_be64(b + 1) == values[i]);

        if (i) {
            assert_true(memcmp(a + 1, b + 1, 8) < 0);
        }

        memcpy(a, b, sizeof(a));

        pyro_put_be32(b + 1, (uint32_t) values[i]);
        assert_int_equal(pyro_get_be32(b + 1), (uint32_t) values[i]);

        pyro_put_be16(b + 1, (uint16_t) values[i]);
        assert_int_equal(pyro_get_be16(b + 1), (uint16_t) values[i]);
    }

    pyro_put_be64(a, 0x0102030405060708ULL);
    assert_memory_equal(a, "\1\2\3\4\5\6\7\10", 8);
}


static void
varints_round_trip(void **state)
{
    uint8_t         text[PYRO_VARINT_MAX], *end;
    uint64_t        v, got;
    unsigned        shift;
    const uint8_t  *p;

    (void) state;

    for (shift = 0; shift <= 64; shift++) {
        for (v = shift < 64 ? ((uint64_t) 1 << shift) - 1 : UINT64_MAX - 1;
             ;
             v++)
        {
            end = pyro_put_varint(text, v);
            assert_int_equal(pyro_get_varint(text, end, &got) - text,
                             end - text);
            assert_true(got == v);

            /* no byte of it may be missing */

            for (p = text; p != end; p++) {
                assert_null(pyro_get_varint(text, p, &got));
            }

            if (v == UINT64_MAX || (shift < 64 && v >> shift)) {
                break;
            }
        }
    }
}


static void
varints_that_do_not_fit(void **state)
{
    uint64_t        v;
    const uint8_t   max[] = { 0xff, 0xff, 0xff, 0xff, 0xff,
                              0xff, 0xff, 0xff, 0xff, 0x01 };
    const uint8_t   over[] = { 0xff, 0xff, 0xff, 0xff, 0xff,
                               0xff, 0xff, 0xff, 0xff, 0x02 };
    const uint8_t   more[] = { 0x80, 0x80, 0x80, 0x80, 0x80,
                               0x80, 0x80, 0x80, 0x80, 0x80, 0x01 };
    const uint8_t   padded[] = { 0x81, 0x80, 0x00 };

    (void) state;

    assert_ptr_equal(pyro_get_varint(max, max + 10, &v), max + 10);
    assert_true(v == UINT64_MAX);

    assert_null(pyro_get_varint(over, over + 10, &v));
    assert_null(pyro_get_varint(more, more + 11, &v));

    assert_ptr_equal(pyro_get_varint(padded, padded + 3, &v), padded + 3);
    assert_int_equal(v, 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(big_endian_sorts_as_numbers_do),
        cmocka_unit_test(varints_round_trip),
        cmocka_unit_test(varints_that_do_not_fit),
    };

    return unit_run(tests);
}
