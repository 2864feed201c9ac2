#include "unit.h"

#include "jfr/jfr_index.h"


static pyro_arena_t  *arena;


/* Small ones side by side, addresses, and both ends of 64 bits. */
static uint64_t
key(uint32_t i)
{
    switch (i % 4) {

    case 0:
        return i;

    case 1:
        return UINT64_MAX - i;

    case 2:
        return (uint64_t) i << 40;

    default:
        return 0x7f0000000000ULL + (uint64_t) i * 64;
    }
}


static void
numbers_in_order_of_arrival(void **state)
{
    int                is_new;
    uint32_t           i, n;
    pyro_jfr_index_t   index;

    (void) state;

    arena = pyro_arena_create(0);
    pyro_jfr_index_init(&index, arena);

    assert_int_equal(pyro_jfr_index_get(&index, 0), PYRO_NONE);

    for (n = 0; n < 2; n++) {
        for (i = 0; i < 10000; i++) {
            assert_int_equal(pyro_jfr_index_enter(&index, key(i), &is_new), i);
            assert_int_equal(is_new, n == 0);
        }
    }

    assert_int_equal(index.n, 10000);

    for (i = 0; i < 10000; i++) {
        assert_int_equal(pyro_jfr_index_get(&index, key(i)), i);
        assert_true(index.keys[i] == key(i));
    }

    assert_int_equal(pyro_jfr_index_get(&index, 1), PYRO_NONE);
    assert_int_equal(pyro_jfr_index_get(&index, 1ULL << 63), PYRO_NONE);

    pyro_arena_destroy(arena);
}


static void
room_beforehand(void **state)
{
    int                is_new;
    size_t             used;
    uint32_t           i;
    pyro_jfr_index_t   index;

    (void) state;

    arena = pyro_arena_create(1024 * 1024);
    pyro_jfr_index_init(&index, arena);

    assert_int_equal(pyro_jfr_index_reserve(&index, 5000), 0);
    used = pyro_arena_used(arena);

    for (i = 0; i < 5000; i++) {
        assert_int_equal(pyro_jfr_index_enter(&index, key(i), &is_new), i);
    }

    assert_int_equal(pyro_arena_used(arena), used);

    /* more than there is memory for: an answer, and all is as it was */

    assert_int_equal(pyro_jfr_index_reserve(&index, 1ULL << 20), -1);
    assert_int_equal(pyro_jfr_index_reserve(&index, UINT64_MAX), -1);
    assert_int_equal(pyro_jfr_index_get(&index, key(4999)), 4999);

    while (pyro_jfr_index_enter(&index, key(i), &is_new) != PYRO_NONE) {
        i++;
    }

    assert_int_equal(pyro_jfr_index_get(&index, key(i - 1)), i - 1);
    assert_int_equal(pyro_jfr_index_get(&index, key(i)), PYRO_NONE);

    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(numbers_in_order_of_arrival),
        cmocka_unit_test(room_beforehand),
    };

    return unit_run(tests);
}
