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


/* An array that grows holds at most its last two sizes at a time. */
static void
arena_takes_back(void **state)
{
    char          *p, *q;
    size_t         i, least;
    uint32_t       cap;
    uint64_t      *items;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(512 * 1024);
    items = NULL;
    cap = 0;

    for (i = 0; i < 32768; i++) {
        assert_int_equal(pyro_arena_grow(arena, &items, &cap, i + 1,
                                         sizeof(uint64_t)), 0);
        items[i] = i;
    }

    for (i = 0; i < 32768; i++) {
        assert_int_equal(items[i], i);
    }

    assert_int_equal(cap, 32768);
    assert_true(pyro_arena_used(arena) < 300 * 1024);

    /* pieces in any order, small ones among them */

    least = pyro_arena_used(arena);
    p = pyro_arena_alloc(arena, 10000);
    q = pyro_arena_alloc(arena, 5000);
    assert_true(pyro_arena_used(arena) >= least + 15000);
    memset(p, 1, 10000);
    memset(q, 2, 5000);
    pyro_arena_free(arena, p, 10000);
    pyro_arena_free(arena, q, 5000);
    assert_int_equal(pyro_arena_used(arena), least);

    p = pyro_arena_alloc(arena, 16);
    least = pyro_arena_used(arena);
    pyro_arena_free(arena, p, 16);
    pyro_arena_free(arena, NULL, 0);
    assert_int_equal(pyro_arena_used(arena), least);

    /* the budget, and a malloc that fails, are different answers */

    assert_int_equal(pyro_arena_exhausted(arena), 0);
    assert_int_equal(pyro_arena_error(arena, &err), PYRO_UNAVAILABLE);
    assert_null(pyro_arena_alloc(arena, 512 * 1024));
    assert_int_equal(pyro_arena_exhausted(arena), 1);
    assert_int_equal(pyro_arena_error(arena, &err), PYRO_TOO_LARGE);
    assert_non_null(strstr(err.message, "524288"));

    pyro_arena_destroy(arena);

    /* a budget is only ever lowered */

    arena = pyro_arena_create(0);
    assert_non_null(pyro_arena_alloc(arena, 100000));
    pyro_arena_limit(arena, SIZE_MAX);
    pyro_arena_limit(arena, 50000);
    pyro_arena_limit(arena, 200000);
    assert_null(pyro_arena_alloc(arena, 60000));
    assert_non_null(pyro_arena_alloc(arena, 40000));
    pyro_arena_destroy(arena);
}


/* What one arena gave back another one may hold: its budget counts it. */
static void
arenas_share_blocks(void **state)
{
    size_t         i, k;
    pyro_arena_t  *arenas[8];

    (void) state;

    for (i = 0; i < 100; i++) {
        for (k = 0; k < 8; k++) {
            arenas[k] = pyro_arena_create(1024 * 1024);
            memset(pyro_arena_alloc(arenas[k], 3000 << (i + k) % 7), 0xff,
                   3000 << (i + k) % 7);
            memset(pyro_arena_calloc(arenas[k], 100, 10), 0xff, 1000);
            assert_true(pyro_arena_used(arenas[k]) <= 1024 * 1024);
        }

        for (k = 0; k < 8; k++) {
            pyro_arena_destroy(arenas[k]);
        }
    }
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
    assert_int_equal(pyro_intern_reserve(&table, 1000), 0);
    assert_int_equal(pyro_intern_reserve(&table, 10), 0);
    assert_int_equal(pyro_intern_reserve(&table, UINT32_MAX), -1);

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
        cmocka_unit_test(arena_takes_back),
        cmocka_unit_test(arenas_share_blocks),
        cmocka_unit_test(intern_gives_dense_ids),
    };

    return unit_run(tests);
}
