/*
 * Two trees side by side: the documented example, what only one side has, and
 * on random trees that both sides add up.
 */

#include "unit.h"

#include "core/query/diff.h"


static void
diff_add(pyro_tree_t *tree, const char *stack, uint64_t value)
{
    char       *text, *name, *rest;
    uint32_t    node;

    text = strdup(stack);
    rest = text;

    for (node = 0; (name = strsep(&rest, ";")) != NULL; /* void */ ) {
        node = pyro_tree_node(tree, node,
                              pyro_tree_name(tree, pyro_slice_str(name)));
    }

    pyro_tree_add(tree, node, value);
    free(text);
}


static void
diff_level(const pyro_flamegraph_t *graph, uint32_t level,
    const int64_t *values, size_t n)
{
    assert_int_equal(graph->levels[level].n, n * PYRO_DIFF_VALUES);
    assert_memory_equal(graph->levels[level].values, values,
                        n * PYRO_DIFF_VALUES * sizeof(int64_t));
}


static void
diff_of_the_documented_example(void **state)
{
    int64_t             left, right;
    pyro_tree_t        *a, *b;
    pyro_error_t        err;
    pyro_arena_t       *arena;
    pyro_flamegraph_t   graph;

    static const int64_t  one[] = { 0, 4, 0, 0, 1, 0, 0 };
    static const int64_t  two[] = { 0, 4, 0, 0, 1, 0, 1 };
    static const int64_t  three[] = {
        0, 1, 1, 0, 0, 0, 2,   0, 3, 3, 0, 1, 1, 3
    };

    (void) state;

    arena = pyro_arena_create(0);
    a = pyro_tree_create(arena);
    b = pyro_tree_create(arena);
    diff_add(a, "main;foo", 3);
    diff_add(a, "main;baz", 1);
    diff_add(b, "main;foo", 1);

    assert_int_equal(pyro_diff_build(a, b, &graph, &left, &right, &err),
                     PYRO_OK);
    assert_int_equal(graph.n_levels, 3);
    diff_level(&graph, 0, one, 1);
    diff_level(&graph, 1, two, 1);
    diff_level(&graph, 2, three, 2);
    assert_int_equal(graph.n_names, 4);
    assert_true(pyro_slice_is(graph.names[0], "total"));
    assert_true(pyro_slice_is(graph.names[1], "main"));
    assert_true(pyro_slice_is(graph.names[2], "baz"));
    assert_int_equal(left, 4);
    assert_int_equal(right, 1);
    assert_int_equal(graph.total, 5);
    assert_int_equal(graph.max_self, 3);

    pyro_arena_destroy(arena);
}


static void
diff_of_nothing(void **state)
{
    int64_t             left, right;
    pyro_tree_t        *a, *b;
    pyro_error_t        err;
    pyro_arena_t       *arena;
    pyro_flamegraph_t   graph;

    static const int64_t  zero[PYRO_DIFF_VALUES];

    (void) state;

    arena = pyro_arena_create(0);
    a = pyro_tree_create(arena);
    b = pyro_tree_create(arena);

    assert_int_equal(pyro_diff_build(a, b, &graph, &left, &right, &err),
                     PYRO_OK);
    assert_int_equal(graph.n_levels, 1);
    diff_level(&graph, 0, zero, 1);
    assert_int_equal(graph.n_names, 1);
    assert_int_equal(graph.total, 0);

    pyro_arena_destroy(arena);
}


/* Children are within their parents, whatever the trees. */
static void
diff_check(const pyro_flamegraph_t *graph, uint32_t side, int64_t total)
{
    int64_t         x, end, self, *starts, *ends;
    size_t          i, k, level;
    size_t          n;
    const int64_t  *v;

    starts = NULL;
    ends = NULL;
    n = 0;
    self = 0;

    for (level = 0; level < graph->n_levels; level++) {
        int64_t  *s, *e;
        size_t    m;

        m = graph->levels[level].n / PYRO_DIFF_VALUES;
        s = calloc(m, sizeof(int64_t));
        e = calloc(m, sizeof(int64_t));
        end = 0;

        for (i = 0; i < m; i++) {
            v = graph->levels[level].values + i * PYRO_DIFF_VALUES + 3 * side;
            x = end + v[0];
            assert_true(v[0] >= 0 && v[1] >= v[2] && v[2] >= 0);
            end = x + v[1];
            self += v[2];
            s[i] = x + v[2];
            e[i] = end;

            for (k = 0; k < n; k++) {
                if (x >= starts[k] && end <= ends[k]) {
                    break;
                }
            }

            assert_true(level == 0 || k < n);
        }

        free(starts);
        free(ends);
        starts = s;
        ends = e;
        n = m;
    }

    free(starts);
    free(ends);
    assert_int_equal(self, total);
}


static void
diff_holds_its_properties(void **state)
{
    char                stack[64];
    int64_t             left, right, sums[2];
    uint32_t            i, round, depth, k;
    uint64_t            seed;
    pyro_tree_t        *trees[2];
    pyro_error_t        err;
    pyro_arena_t       *arena;
    pyro_flamegraph_t   graph;

    (void) state;

    seed = 42;

    for (round = 0; round < 200; round++) {
        arena = pyro_arena_create(0);
        trees[0] = pyro_tree_create(arena);
        trees[1] = pyro_tree_create(arena);
        memset(sums, 0, sizeof(sums));

        for (i = 0; i < round; i++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            depth = (uint32_t) (seed >> 60) % 6;
            stack[0] = 'r';
            stack[1] = '\0';

            for (k = 0; k < depth; k++) {
                stack[1 + 2 * k] = ';';
                stack[2 + 2 * k] = (char) ('a' + (seed >> (10 + 4 * k)) % 3);
                stack[3 + 2 * k] = '\0';
            }

            diff_add(trees[seed >> 40 & 1], stack, seed >> 33 & 7);
            sums[seed >> 40 & 1] += (int64_t) (seed >> 33 & 7);
        }

        assert_int_equal(pyro_diff_build(trees[0], trees[1], &graph, &left,
                                         &right, &err), PYRO_OK);
        assert_int_equal(left, sums[0]);
        assert_int_equal(right, sums[1]);
        assert_int_equal(graph.total, sums[0] + sums[1]);
        diff_check(&graph, 0, left);
        diff_check(&graph, 1, right);
        pyro_arena_destroy(arena);
    }
}


static void
diff_reports_no_memory(void **state)
{
    char                name[16];
    int64_t             left, right;
    uint32_t            i;
    pyro_tree_t        *a, *b;
    pyro_error_t        err;
    pyro_arena_t       *arena;
    pyro_status_e       status;
    pyro_flamegraph_t   graph;

    (void) state;

    arena = pyro_arena_create(512 * 1024);
    a = pyro_tree_create(arena);
    b = pyro_tree_create(arena);

    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        diff_add(i % 2 ? a : b, name, 1);
    }

    for (i = 0, status = PYRO_OK; i < 100 && status == PYRO_OK; i++) {
        status = pyro_diff_build(a, b, &graph, &left, &right, &err);
    }

    assert_int_equal(status, PYRO_UNAVAILABLE);
    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(diff_of_the_documented_example),
        cmocka_unit_test(diff_of_nothing),
        cmocka_unit_test(diff_holds_its_properties),
        cmocka_unit_test(diff_reports_no_memory),
    };

    return unit_run(tests);
}
