#include "unit.h"

#include "core/base/arena.h"
#include "core/base/intern.h"


static void
arena_aligns_and_bounds(void **state)
{
    char          *p;
    size_t         i;
    pyro_slice_t   s;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(1024 * 1024);
    assert_non_null(arena);

    for (i = 0; i < 1000; i++) {
        p = pyro_arena_alloc(arena, i);
        assert_non_null(p);
        assert_int_equal((uintptr_t) p % 16, 0);
        memset(p, 0xff, i);
    }

    assert_null(pyro_arena_alloc(arena, 1024 * 1024));
    assert_null(pyro_arena_alloc(arena, SIZE_MAX));
    assert_null(pyro_arena_calloc(arena, SIZE_MAX, 2));
    assert_true(pyro_arena_used(arena) <= 1024 * 1024);

    s = pyro_arena_dup(arena, PYRO_SLICE("abc"));
    assert_string_equal(s.data, "abc");
    assert_int_equal(s.len, 3);

    pyro_arena_destroy(arena);
}


static void
arena_grows_arrays(void **state)
{
    uint32_t       i, cap, *items;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(64 * 1024);
    items = NULL;
    cap = 0;

    for (i = 0; i < 4000; i++) {
        assert_int_equal(pyro_arena_grow(arena, &items, &cap, i + 1,
                                         sizeof(uint32_t)), 0);
        items[i] = i;
    }

    for (i = 0; i < 4000; i++) {
        assert_int_equal(items[i], i);
    }

    assert_int_equal(pyro_arena_grow(arena, &items, &cap, UINT32_MAX,
                                     sizeof(uint32_t)), -1);
    assert_int_equal(items[3999], 3999);

    pyro_arena_destroy(arena);
}


static void
intern_gives_dense_ids(void **state)
{
    char            text[32];
    uint32_t        i, n;
    pyro_arena_t   *arena;
    pyro_intern_t   table;

    (void) state;

    arena = pyro_arena_create(0);
    pyro_intern_init(&table, arena);

    assert_int_equal(pyro_intern_find(&table, PYRO_SLICE("x")), PYRO_NONE);

    for (n = 0; n < 2; n++) {
        for (i = 0; i < 5000; i++) {
            snprintf(text, sizeof(text), "name%u", i);
            assert_int_equal(pyro_intern(&table, pyro_slice_str(text), 1), i);
        }
    }

    assert_int_equal(table.n, 5000);
    assert_int_equal(pyro_intern_find(&table, PYRO_SLICE("name77")), 77);
    assert_int_equal(pyro_intern_find(&table, PYRO_SLICE("name5000")),
                     PYRO_NONE);

    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(arena_aligns_and_bounds),
        cmocka_unit_test(arena_grows_arrays),
        cmocka_unit_test(intern_gives_dense_ids),
    };

    return unit_run(tests);
}
