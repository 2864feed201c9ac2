#include "unit.h"

#include "core/query/flamegraph.h"


typedef struct {
    const char  *stack;         /* frames with ";" between, root first */
    uint64_t     value;
} flame_sample_t;


static pyro_tree_t *
flame_tree(pyro_arena_t *arena, const flame_sample_t *samples)
{
    uint32_t      node;
    const char   *p, *end;
    pyro_tree_t  *tree;

    tree = pyro_tree_create(arena);
    assert_non_null(tree);

    for ( /* void */ ; samples->stack != NULL; samples++) {
        node = 0;

        for (p = samples->stack; *p != '\0'; p = *end ? end + 1 : end) {
            end = strchr(p, ';') ? strchr(p, ';') : p + strlen(p);
            node = pyro_tree_node(tree, node,
                                  pyro_tree_name(tree,
                                                 pyro_slice(p, (size_t)
                                                            (end - p))));
        }

        pyro_tree_add(tree, node, samples->value);
    }

    return tree;
}


/* Levels in brackets, bars as [gap total self name]. */
static const char *
flame_text(const pyro_flamegraph_t *graph)
{
    size_t         j;
    uint32_t       i;
    const int64_t *v;

    static char    text[4096];
    char          *p;

    p = text;

    for (i = 0; i < graph->n_levels; i++) {
        p += sprintf(p, "%s", i ? " | " : "");

        for (j = 0; j < graph->levels[i].n; j += 4) {
            v = &graph->levels[i].values[j];
            assert_in_range(v[3], 0, graph->n_names - 1);
            p += sprintf(p, "%s%ld,%ld,%ld,%.*s", j ? " " : "", (long) v[0],
                         (long) v[1], (long) v[2],
                         PYRO_SLICE_ARG(graph->names[v[3]]));
        }
    }

    return text;
}


static void
flame_is(const flame_sample_t *samples, uint64_t max_nodes, const char *want)
{
    pyro_tree_t        *tree;
    pyro_arena_t       *arena;
    pyro_error_t        err;
    pyro_flamegraph_t   graph;

    arena = pyro_arena_create(0);
    tree = flame_tree(arena, samples);
    assert_int_equal(pyro_flamegraph_build(tree, max_nodes, &graph, &err),
                     PYRO_OK);
    assert_string_equal(flame_text(&graph), want);
    assert_true(pyro_slice_is(graph.names[0], "total"));
    pyro_arena_destroy(arena);
}


static const flame_sample_t  documented[] = {
    { "main;foo;bar", 3 }, { "main;foo", 1 }, { "main;baz", 2 }, { NULL, 0 }
};


static void
flamegraph_of_the_documented_samples(void **state)
{
    pyro_tree_t        *tree;
    pyro_arena_t       *arena;
    pyro_error_t        err;
    pyro_flamegraph_t   graph;

    (void) state;

    flame_is(documented, 0, "0,6,0,total | 0,6,0,main | 0,2,2,baz 0,4,1,foo | "
                            "3,3,3,bar");
    flame_is(documented, 4, "0,6,0,total | 0,6,0,main | 0,2,2,baz 0,4,1,foo | "
                            "3,3,3,bar");

    arena = pyro_arena_create(0);
    tree = flame_tree(arena, documented);
    assert_int_equal(pyro_flamegraph_build(tree, 0, &graph, &err), PYRO_OK);
    assert_int_equal(graph.total, 6);
    assert_int_equal(graph.max_self, 3);
    assert_int_equal(graph.n_names, 5);
    pyro_arena_destroy(arena);
}


static void
flamegraph_of_nothing(void **state)
{
    static const flame_sample_t  none[] = { { NULL, 0 } };
    static const flame_sample_t  zero[] = { { "a;b", 0 }, { NULL, 0 } };
    static const flame_sample_t  rootless[] = { { "", 5 }, { NULL, 0 } };

    (void) state;

    flame_is(none, 0, "0,0,0,total");
    flame_is(none, 8192, "0,0,0,total");
    flame_is(zero, 0, "0,0,0,total");
    flame_is(zero, 1, "0,0,0,total");
    flame_is(rootless, 0, "0,5,5,total");
}


static void
flamegraph_orders_siblings(void **state)
{
    static const flame_sample_t  samples[] = {
        { "z", 1 }, { "a", 2 }, { "other", 3 }, { "\xc3\xa9", 4 }, { "B", 5 },
        { "total", 6 }, { NULL, 0 }
    };

    (void) state;

    flame_is(samples, 0, "0,21,0,total | 0,5,5,B 0,2,2,a 0,3,3,other "
                         "0,6,6,total 0,1,1,z 0,4,4,\xc3\xa9");
}


static void
flamegraph_gaps_are_within_the_row(void **state)
{
    static const flame_sample_t  samples[] = {
        { "a", 10 }, { "a;x", 1 }, { "b", 5 }, { "b;x;y", 2 }, { "c", 7 },
        { "d;z", 3 }, { NULL, 0 }
    };

    (void) state;

    flame_is(samples, 0, "0,28,0,total | 0,11,10,a 0,7,5,b 0,7,7,c 0,3,0,d | "
                         "10,1,1,x 5,2,0,x 7,3,3,z | 16,2,2,y");
}


static void
flamegraph_cuts_to_max_nodes(void **state)
{
    static const flame_sample_t  run[] = {
        { "run;a;x", 10 }, { "run;b", 9 }, { "main", 4 }, { "init", 2 },
        { NULL, 0 }
    };
    static const flame_sample_t  ties[] = {
        { "a", 5 }, { "b", 5 }, { "c", 5 }, { "d", 1 }, { "e", 2 }, { NULL, 0 }
    };
    static const flame_sample_t  others[] = {
        { "a", 9 }, { "other;q", 8 }, { "m", 1 }, { "z", 7 }, { NULL, 0 }
    };

    (void) state;

    flame_is(documented, 1, "0,6,0,total | 0,6,0,main | 0,6,6,other");
    flame_is(documented, 2, "0,6,0,total | 0,6,0,main | 0,4,1,foo 0,2,2,other "
                            "| 1,3,3,other");
    flame_is(documented, 3, "0,6,0,total | 0,6,0,main | 0,4,1,foo 0,2,2,other "
                            "| 1,3,3,bar");

    flame_is(run, 1, "0,25,0,total | 0,19,0,run 0,6,6,other | 0,19,19,other");
    flame_is(run, 2, "0,25,0,total | 0,19,0,run 0,6,6,other | "
                     "0,10,0,a 0,9,9,other | 0,10,10,x");
    flame_is(run, 6, "0,25,0,total | 0,2,2,init 0,4,4,main 0,19,0,run | "
                     "6,10,0,a 0,9,9,b | 6,10,10,x");

    /* all of equal rank stay */

    flame_is(ties, 1, "0,18,0,total | 0,5,5,a 0,5,5,b 0,5,5,c 0,3,3,other");
    flame_is(ties, 2, "0,18,0,total | 0,5,5,a 0,5,5,b 0,5,5,c 0,3,3,other");
    flame_is(ties, 4, "0,18,0,total | 0,5,5,a 0,5,5,b 0,5,5,c 0,2,2,e "
                      "0,1,1,other");

    /* what is cut joins a function of that name */

    flame_is(others, 4, "0,25,0,total | 0,9,9,a 0,7,7,z 0,9,9,other");
    flame_is(others, 0, "0,25,0,total | 0,9,9,a 0,1,1,m 0,8,0,other 0,7,7,z | "
                        "10,8,8,q");
}


static void
flamegraph_sums_stop_at_the_limit(void **state)
{
    int64_t             end;
    size_t              j;
    pyro_tree_t        *tree;
    pyro_arena_t       *arena;
    pyro_error_t        err;
    pyro_flamegraph_t   graph;

    static const flame_sample_t  samples[] = {
        { "a", INT64_MAX - 1 }, { "b", INT64_MAX - 1 }, { "c;d", 7 },
        { "", 5 }, { NULL, 0 }
    };

    (void) state;

    arena = pyro_arena_create(0);
    tree = flame_tree(arena, samples);
    assert_int_equal(pyro_flamegraph_build(tree, 0, &graph, &err), PYRO_OK);
    assert_int_equal(graph.total, INT64_MAX);
    assert_true(graph.n_levels >= 2);

    for (j = 0, end = 0; j < graph.levels[1].n; j += 4) {
        assert_true(graph.levels[1].values[j] <= INT64_MAX - end);
        end += graph.levels[1].values[j];
        assert_true(graph.levels[1].values[j + 1] <= INT64_MAX - end);
        end += graph.levels[1].values[j + 1];
    }

    pyro_arena_destroy(arena);
}


/* Bars inside their parents, no bar without width, selfs make the total. */
static void
flame_check(const pyro_flamegraph_t *graph)
{
    int64_t         x, end, sum, most, own, *v, *starts, *ends, *selfs, *room;
    size_t          j, k, n, above;
    uint32_t        i;

    n = 0;

    for (i = 0; i < graph->n_levels; i++) {
        n = graph->levels[i].n > n ? graph->levels[i].n : n;
    }

    starts = calloc(n * 2, sizeof(int64_t));
    ends = starts + n / 2;
    selfs = calloc(n * 2, sizeof(int64_t));
    room = selfs + n / 2;
    sum = 0;
    most = 0;
    above = 0;

    for (i = 0; i < graph->n_levels; i++) {
        n = graph->levels[i].n / 4;
        assert_true(n > 0);
        v = graph->levels[i].values;
        x = 0;
        k = 0;

        for (j = 0; j < n; j++) {
            assert_true(v[j * 4] >= 0);
            x += v[j * 4];
            end = x + v[j * 4 + 1];
            own = v[j * 4 + 2];
            assert_true(v[j * 4 + 1] > 0 || i == 0);
            assert_in_range(own, 0, v[j * 4 + 1]);
            sum += own;
            most = own > most ? own : most;

            if (i) {
                while (k < above && (x >= ends[k] || x < starts[k])) {
                    k++;
                }

                assert_true(k < above);
                assert_true(x >= starts[k] + selfs[k] && end <= ends[k]);
                room[k] -= v[j * 4 + 1];
            }

            x = end;
        }

        /* children and self fill a bar exactly */

        for (k = 0; i && k < above; k++) {
            assert_true(room[k] == 0 || room[k] == ends[k] - starts[k]
                                                   - selfs[k]);
        }

        for (j = 0, x = 0; j < n; j++) {
            x += v[j * 4];
            starts[j] = x;
            selfs[j] = v[j * 4 + 2];
            x += v[j * 4 + 1];
            ends[j] = x;
            room[j] = ends[j] - starts[j] - selfs[j];
        }

        above = n;
    }

    assert_int_equal(sum, graph->total);
    assert_int_equal(most, graph->max_self);
    free(starts);
    free(selfs);
}


static void
flamegraph_holds_its_properties(void **state)
{
    char                text[16];
    uint32_t            i, node, depth, seed, round;
    pyro_tree_t        *tree;
    pyro_arena_t       *arena;
    pyro_error_t        err;
    pyro_flamegraph_t   graph;

    (void) state;

    seed = 1;

    for (round = 0; round < 60; round++) {
        arena = pyro_arena_create(0);
        tree = pyro_tree_create(arena);

        for (i = 0; i < 300; i++) {
            seed = seed * 1103515245 + 12345;
            node = 0;

            for (depth = seed >> 16 & 15; depth; depth--) {
                seed = seed * 1103515245 + 12345;
                snprintf(text, sizeof(text), "%s%u",
                         seed >> 28 ? "f" : "other", (seed >> 16) % 5);
                node = pyro_tree_node(tree, node,
                                      pyro_tree_name(tree, (seed >> 16) % 11
                                                     ? pyro_slice_str(text)
                                                     : PYRO_SLICE("other")));
            }

            pyro_tree_add(tree, node, seed >> 20);
        }

        assert_int_equal(pyro_flamegraph_build(tree, round * 7, &graph, &err),
                         PYRO_OK);
        flame_check(&graph);

        if (round == 0) {
            assert_true(graph.n_names > 5);
        }

        pyro_arena_destroy(arena);
    }
}


static void
flamegraph_of_a_deep_stack(void **state)
{
    uint32_t            i, name, node;
    pyro_tree_t        *tree;
    pyro_arena_t       *arena;
    pyro_error_t        err;
    pyro_flamegraph_t   graph;

    (void) state;

    arena = pyro_arena_create(0);
    tree = pyro_tree_create(arena);
    name = pyro_tree_name(tree, PYRO_SLICE("f"));

    for (i = 0, node = 0; i < 100000; i++) {
        node = pyro_tree_node(tree, node, name);
    }

    pyro_tree_add(tree, node, 1);
    assert_int_equal(pyro_flamegraph_build(tree, 0, &graph, &err), PYRO_OK);
    assert_int_equal(graph.n_levels, 100001);
    assert_int_equal(graph.n_names, 2);
    pyro_arena_destroy(arena);
}


static void
flamegraph_reports_no_memory(void **state)
{
    size_t              budget;
    pyro_tree_t        *tree;
    pyro_arena_t       *arena, *full;
    pyro_error_t        err;
    pyro_status_e       status;
    pyro_flamegraph_t   graph;

    (void) state;

    full = pyro_arena_create(0);

    for (budget = 16; budget < 64 * 1024; budget += 16) {
        tree = flame_tree(full, documented);
        arena = pyro_arena_create(budget);
        tree->arena = arena;
        tree->names.arena = arena;
        status = pyro_flamegraph_build(tree, 2, &graph, &err);
        pyro_arena_destroy(arena);

        if (status == PYRO_OK) {
            break;
        }

        assert_int_equal(status, PYRO_UNAVAILABLE);
    }

    assert_true(budget > 16 && budget < 64 * 1024);
    pyro_arena_destroy(full);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(flamegraph_of_the_documented_samples),
        cmocka_unit_test(flamegraph_of_nothing),
        cmocka_unit_test(flamegraph_orders_siblings),
        cmocka_unit_test(flamegraph_gaps_are_within_the_row),
        cmocka_unit_test(flamegraph_cuts_to_max_nodes),
        cmocka_unit_test(flamegraph_sums_stop_at_the_limit),
        cmocka_unit_test(flamegraph_holds_its_properties),
        cmocka_unit_test(flamegraph_of_a_deep_stack),
        cmocka_unit_test(flamegraph_reports_no_memory),
    };

    return unit_run(tests);
}
