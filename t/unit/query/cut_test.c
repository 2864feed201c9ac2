/*
 * A tree cut to its largest nodes: what goes is in "other", nothing is lost.
 */

#include "unit.h"

#include "core/query/cut.h"


static uint32_t
cut_add(pyro_tree_t *tree, uint32_t parent, const char *name, uint64_t self)
{
    uint32_t           id, node;
    pyro_tree_frame_t  frame = { 0, PYRO_NONE, 3, 0 };

    id = pyro_tree_name(tree, pyro_slice_str(name));

    if (tree->by_lines) {
        frame.function = id;
        id = pyro_tree_frame(tree, &frame);
    }

    node = pyro_tree_node(tree, parent, id);
    assert_int_not_equal(node, PYRO_NONE);
    pyro_tree_add(tree, node, self);

    return node;
}


static const pyro_tree_node_t *
cut_find(const pyro_tree_t *tree, const char *parent, const char *name)
{
    uint32_t                 i;
    const pyro_tree_node_t  *node;

    for (i = 1; i < tree->n; i++) {
        node = &tree->nodes[i];

        if (pyro_slice_is(tree->names.items[pyro_tree_function(tree, i)], name)
            && pyro_slice_is(tree->names.items[pyro_tree_function(tree,
                                                              node->parent)],
                             parent))
        {
            return node;
        }
    }

    return NULL;
}


static void
cut_keeps_the_largest(void **state)
{
    int            by_lines;
    uint32_t       a, b;
    uint64_t       min;
    pyro_tree_t   *tree, *out;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    (void) state;

    for (by_lines = 0; by_lines < 2; by_lines++) {
        arena = pyro_arena_create(0);
        tree = by_lines ? pyro_tree_create_by_lines(arena)
                        : pyro_tree_create(arena);

        a = cut_add(tree, 0, "a", 10);
        b = cut_add(tree, a, "b", 20);
        cut_add(tree, b, "c", 1);
        cut_add(tree, b, "d", 2);
        cut_add(tree, a, "e", 3);
        cut_add(tree, 0, "f", 0);
        cut_add(tree, cut_add(tree, 0, "g", 1), "h", 4);

        assert_int_equal(pyro_cut(tree, 0, &out, &err), PYRO_OK);
        assert_ptr_equal(out, tree);
        assert_int_equal(pyro_cut(tree, 8, &out, &err), PYRO_OK);
        assert_ptr_equal(out, tree);
        assert_int_equal(tree->nodes[0].total, 41);

        assert_int_equal(pyro_cut_min(tree, 3, &min, &err), PYRO_OK);
        assert_int_equal(min, 5);
        assert_int_equal(pyro_cut(tree, 3, &out, &err), PYRO_OK);

        /* a 36, b 23, g 5, and an "other" below each */

        assert_int_equal(out->n, 7);
        assert_int_equal(out->by_lines, by_lines);
        assert_int_equal(out->nodes[0].total, 41);
        assert_int_equal(cut_find(out, "total", "a")->total, 36);
        assert_int_equal(cut_find(out, "a", "b")->total, 23);
        assert_int_equal(cut_find(out, "a", "other")->self, 3);
        assert_int_equal(cut_find(out, "b", "other")->self, 3);
        assert_int_equal(cut_find(out, "g", "other")->self, 4);
        assert_null(cut_find(out, "total", "f"));
        assert_null(cut_find(out, "total", "other"));

        pyro_arena_destroy(arena);
    }
}


static void
cut_joins_what_is_called_so(void **state)
{
    uint32_t       i, a;
    char           name[16];
    pyro_tree_t   *tree, *out;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(0);
    tree = pyro_tree_create(arena);
    a = cut_add(tree, 0, "a", 1);
    cut_add(tree, a, "other", 50);

    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        cut_add(tree, a, name, 1);
    }

    assert_int_equal(pyro_cut(tree, 2, &out, &err), PYRO_OK);
    assert_int_equal(out->n, 3);
    assert_int_equal(cut_find(out, "a", "other")->total, 150);
    assert_int_equal(out->nodes[0].total, 151);
    pyro_arena_destroy(arena);
}


static void
cut_reports_no_memory(void **state)
{
    size_t         limit;
    uint32_t       i, a;
    char           name[16];
    pyro_tree_t   *tree, *out;
    pyro_error_t   err;
    pyro_arena_t  *arena;
    pyro_status_e  status;

    (void) state;

    arena = pyro_arena_create(400 * 1024);
    tree = pyro_tree_create(arena);
    a = cut_add(tree, 0, "a", 1);

    for (i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        cut_add(tree, a, name, i);
    }

    for (limit = 0, status = PYRO_OK; limit < 100 && status == PYRO_OK;
         limit++)
    {
        status = pyro_cut(tree, 1000, &out, &err);
    }

    assert_int_equal(status, PYRO_UNAVAILABLE);
    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(cut_keeps_the_largest),
        cmocka_unit_test(cut_joins_what_is_called_so),
        cmocka_unit_test(cut_reports_no_memory),
    };

    return unit_run(tests);
}
