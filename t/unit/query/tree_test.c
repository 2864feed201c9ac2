#include "unit.h"

#include "core/query/tree.h"


static void
tree_merges_paths(void **state)
{
    uint32_t       a, b, main_id, foo, node;
    pyro_tree_t   *tree;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(0);
    tree = pyro_tree_create(arena);
    assert_non_null(tree);
    assert_int_equal(tree->n, 1);
    assert_true(pyro_slice_is(tree->names.items[0], "total"));

    main_id = pyro_tree_name(tree, PYRO_SLICE("main"));
    foo = pyro_tree_name(tree, PYRO_SLICE("foo"));
    assert_int_equal(pyro_tree_name(tree, PYRO_SLICE("main")), main_id);
    assert_int_equal(pyro_tree_name(tree, PYRO_SLICE("total")), 0);

    a = pyro_tree_node(tree, 0, main_id);
    b = pyro_tree_node(tree, a, foo);
    assert_int_equal(pyro_tree_node(tree, 0, main_id), a);
    assert_int_equal(pyro_tree_node(tree, a, foo), b);
    node = pyro_tree_node(tree, 0, foo);
    assert_int_not_equal(node, b);

    pyro_tree_add(tree, a, 1);
    pyro_tree_add(tree, b, 2);
    pyro_tree_add(tree, b, 3);
    pyro_tree_add(tree, node, 10);
    pyro_tree_add(tree, 0, 100);

    /* twice: totals are set, not added up */

    pyro_tree_totals(tree);
    pyro_tree_totals(tree);

    assert_int_equal(tree->nodes[b].total, 5);
    assert_int_equal(tree->nodes[a].total, 6);
    assert_int_equal(tree->nodes[node].total, 10);
    assert_int_equal(tree->nodes[0].total, 116);

    pyro_arena_destroy(arena);
}


static void
tree_sums_stop_at_the_limit(void **state)
{
    uint32_t       a, b;
    pyro_tree_t   *tree;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(0);
    tree = pyro_tree_create(arena);
    a = pyro_tree_node(tree, 0, pyro_tree_name(tree, PYRO_SLICE("a")));
    b = pyro_tree_node(tree, a, pyro_tree_name(tree, PYRO_SLICE("b")));

    pyro_tree_add(tree, a, INT64_MAX);
    pyro_tree_add(tree, a, 1);
    assert_int_equal(tree->nodes[a].self, INT64_MAX);

    pyro_tree_add(tree, b, UINT64_MAX);
    assert_int_equal(tree->nodes[b].self, INT64_MAX);

    pyro_tree_totals(tree);
    assert_int_equal(tree->nodes[0].total, INT64_MAX);

    pyro_arena_destroy(arena);
}


static void
tree_is_deep_and_wide(void **state)
{
    char           text[16];
    uint32_t       i, n, node, name;
    pyro_tree_t   *tree;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(0);
    tree = pyro_tree_create(arena);
    name = pyro_tree_name(tree, PYRO_SLICE("f"));

    for (n = 0; n < 2; n++) {
        for (i = 0, node = 0; i < 200000; i++) {
            node = pyro_tree_node(tree, node, name);
            assert_int_not_equal(node, PYRO_NONE);
        }

        pyro_tree_add(tree, node, 1);

        for (i = 0; i < 20000; i++) {
            snprintf(text, sizeof(text), "n%u", i);
            node = pyro_tree_node(tree, 0,
                                  pyro_tree_name(tree, pyro_slice_str(text)));
            pyro_tree_add(tree, node, 1);
        }
    }

    assert_int_equal(tree->n, 1 + 200000 + 20000);

    for (i = 1; i < tree->n; i++) {
        assert_true(tree->nodes[i].parent < i);
    }

    pyro_tree_totals(tree);
    assert_int_equal(tree->nodes[0].total, 2 + 40000);

    pyro_arena_destroy(arena);
}


static void
tree_reports_no_memory(void **state)
{
    size_t         budget;
    uint32_t       i, id, node;
    pyro_tree_t   *tree;
    pyro_arena_t  *arena;

    (void) state;

    for (budget = 16; budget < 512 * 1024; budget *= 2) {
        arena = pyro_arena_create(budget);
        tree = pyro_tree_create(arena);

        if (tree == NULL) {
            pyro_arena_destroy(arena);
            continue;
        }

        for (i = 0, node = 0; i < 100000; i++) {
            id = pyro_tree_name(tree, pyro_slice(&i, sizeof(i)));

            if (id == PYRO_NONE) {
                break;
            }

            node = pyro_tree_node(tree, node, id);

            if (node == PYRO_NONE) {
                break;
            }

            pyro_tree_add(tree, node, 1);
        }

        assert_true(i < 100000);
        pyro_tree_totals(tree);
        assert_int_equal(tree->nodes[0].total, tree->n - 1);
        pyro_arena_destroy(arena);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(tree_merges_paths),
        cmocka_unit_test(tree_sums_stop_at_the_limit),
        cmocka_unit_test(tree_is_deep_and_wide),
        cmocka_unit_test(tree_reports_no_memory),
    };

    return unit_run(tests);
}
