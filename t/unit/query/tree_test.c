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


static uint32_t
tree_line(pyro_tree_t *tree, uint32_t parent, const char *function,
    const char *file, uint32_t line, uint64_t self)
{
    uint32_t           node;
    pyro_tree_frame_t  frame;

    frame.function = pyro_tree_name(tree, pyro_slice_str(function));
    frame.file = file ? pyro_tree_name(tree, pyro_slice_str(file)) : PYRO_NONE;
    frame.line = line;
    frame.start_line = 0;

    node = pyro_tree_node(tree, parent, pyro_tree_frame(tree, &frame));
    assert_int_not_equal(node, PYRO_NONE);
    pyro_tree_add(tree, node, self);

    return node;
}


static void
tree_by_lines(void **state)
{
    uint32_t       i, a, b;
    pyro_tree_t   *tree, *functions;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(0);
    tree = pyro_tree_create_by_lines(arena);
    assert_non_null(tree);

    a = tree_line(tree, 0, "main", "M.java", 1, 1);
    assert_int_equal(tree_line(tree, 0, "main", "M.java", 1, 1), a);
    b = tree_line(tree, 0, "main", "M.java", 2, 4);
    assert_int_not_equal(a, b);
    assert_int_not_equal(tree_line(tree, 0, "main", NULL, 2, 0), b);

    for (i = 0; i < 1000; i++) {
        tree_line(tree, i % 2 ? a : b, "work", "W.java", i, 1);
    }

    assert_int_equal(tree->n, 1004);
    pyro_tree_totals(tree);
    assert_int_equal(tree->nodes[0].total, 1006);
    assert_int_equal(tree->nodes[b].total, 504);

    functions = pyro_tree_by_functions(tree);
    assert_non_null(functions);
    assert_int_equal(functions->n, 3);
    pyro_tree_totals(functions);
    assert_int_equal(functions->nodes[0].total, 1006);
    assert_int_equal(functions->nodes[1].self, 6);
    assert_int_equal(functions->nodes[2].total, 1000);
    assert_ptr_equal(pyro_tree_by_functions(functions), functions);

    pyro_arena_destroy(arena);
}


static void
tree_keeps_call_sites(void **state)
{
    uint32_t       by_lines, a, b, c;
    pyro_tree_t   *tree;
    pyro_arena_t  *arena;
    pyro_slice_t   site[3] = {
        PYRO_SLICE("main"), PYRO_SLICE("a"), PYRO_SLICE("b")
    };

    (void) state;

    for (by_lines = 0; by_lines < 2; by_lines++) {
        arena = pyro_arena_create(0);
        tree = pyro_tree_create_by_lines(arena);

        a = tree_line(tree, 0, "main", NULL, 1, 1);
        b = tree_line(tree, a, "a", NULL, 1, 2);
        c = tree_line(tree, b, "b", NULL, 7, 4);
        tree_line(tree, b, "b", NULL, 8, 8);
        tree_line(tree, c, "c", NULL, 1, 16);
        tree_line(tree, a, "b", NULL, 1, 32);
        tree_line(tree, tree_line(tree, 0, "a", NULL, 1, 64), "b", NULL, 1,
                  128);

        tree = by_lines ? tree : pyro_tree_by_functions(tree);

        assert_int_equal(pyro_tree_keep(tree, site, 0), 0);
        pyro_tree_totals(tree);
        assert_int_equal(tree->nodes[0].total, 255);
        assert_int_equal(pyro_tree_keep(tree, site, 1), 0);
        pyro_tree_totals(tree);
        assert_int_equal(tree->nodes[0].total, 63);
        assert_int_equal(pyro_tree_keep(tree, site, 3), 0);
        pyro_tree_totals(tree);
        assert_int_equal(tree->nodes[0].total, 28);

        site[2] = PYRO_SLICE("x");
        assert_int_equal(pyro_tree_keep(tree, site, 3), 0);
        pyro_tree_totals(tree);
        assert_int_equal(tree->nodes[0].total, 0);
        site[2] = PYRO_SLICE("b");
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
        cmocka_unit_test(tree_by_lines),
        cmocka_unit_test(tree_keeps_call_sites),
        cmocka_unit_test(tree_reports_no_memory),
    };

    return unit_run(tests);
}
