/*
 * What tools read of stack trees: known bytes, hostile names, deep stacks, and
 * that nothing is lost.
 */

#include "unit.h"

#include "core/api/codec.h"
#include "core/api/html.h"
#include "core/api/stacks.h"


#define CPU  "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


static pyro_profile_type_t
stacks_type(const char *id)
{
    pyro_error_t         err;
    pyro_profile_type_t  type;

    assert_int_equal(pyro_profile_type_parse(pyro_slice_str(id), &type, &err),
                     PYRO_OK);

    return type;
}


/* "main:1;foo:2", with lines in both kinds of trees. */
static void
stacks_add(pyro_tree_t *tree, const char *stack, uint64_t value)
{
    char               *text, *name, *rest, *line;
    uint32_t            node, id;
    pyro_tree_frame_t   frame = { 0, PYRO_NONE, 0, 0 };

    text = strdup(stack);
    rest = text;

    for (node = 0; (name = strsep(&rest, ";")) != NULL; /* void */ ) {
        line = strchr(name, '@');
        frame.line = line ? (uint32_t) atoi(line + 1) : 0;

        if (line) {
            *line = '\0';
        }

        id = pyro_tree_name(tree, pyro_slice_str(name));

        if (tree->by_lines) {
            frame.function = id;
            frame.file = pyro_tree_name(tree, PYRO_SLICE("A.java"));
            id = pyro_tree_frame(tree, &frame);
        }

        node = pyro_tree_node(tree, node, id);
    }

    pyro_tree_add(tree, node, value);
    free(text);
}


static pyro_tree_t *
stacks_example(pyro_arena_t *arena, int by_lines)
{
    pyro_tree_t  *tree;

    tree = by_lines ? pyro_tree_create_by_lines(arena)
                    : pyro_tree_create(arena);
    stacks_add(tree, "main@1;foo@2;bar@3", 3);
    stacks_add(tree, "main@1;foo@2", 1);
    stacks_add(tree, "main@1;baz@9", 2);

    return tree;
}


static pyro_slice_t
stacks_text(pyro_arena_t *arena, pyro_rope_t *rope)
{
    pyro_slice_t  text;

    pyro_rope_append(rope, "", 1);
    text = pyro_rope_flat(rope, arena);
    assert_non_null(text.data);
    pyro_rope_free(rope);
    text.len--;

    return text;
}


static void
tree_bytes_of_the_documented_example(void **state)
{
    pyro_rope_t    rope;
    pyro_slice_t   text;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    static const char  expected[] =
        "\0\0\1" "\4main\0\2" "\3foo\1\1" "\3bar\3\0" "\3baz\2\0";

    (void) state;

    arena = pyro_arena_create(0);
    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_tree_bytes(stacks_example(arena, 0), &rope, &err),
                     PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_int_equal(text.len, sizeof(expected) - 1);
    assert_memory_equal(text.data, expected, text.len);

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_tree_bytes(pyro_tree_create(arena), &rope, &err),
                     PYRO_OK);
    assert_int_equal(rope.size, 0);
    pyro_rope_free(&rope);
    pyro_arena_destroy(arena);
}


static void
pprof_of_an_example(void **state)
{
    uint32_t               i;
    pyro_error_t           err;
    pyro_arena_t          *arena;
    pyro_profile_type_t    type;
    Google__V1__Profile   *p;
    pyro_pprof_options_t   options;

    (void) state;

    arena = pyro_arena_create(0);
    type = stacks_type(CPU);
    memset(&options, 0, sizeof(options));
    options.type = &type;
    options.end = 1795381200000000000LL;

    assert_int_equal(pyro_pprof_build(stacks_example(arena, 1), &options, &p,
                                      &err), PYRO_OK);
    assert_string_equal(p->string_table[0], "");
    assert_int_equal(p->n_sample_type, 1);
    assert_string_equal(p->string_table[p->sample_type[0]->type], "cpu");
    assert_string_equal(p->string_table[p->sample_type[0]->unit],
                        "nanoseconds");
    assert_int_equal(p->period, 1000000000);
    assert_int_equal(p->time_nanos, 1795381200000000000LL);
    assert_int_equal(p->n_sample, 3);
    assert_int_equal(p->n_location, 4);
    assert_int_equal(p->n_function, 4);

    for (i = 0; i < p->n_sample; i++) {
        if (p->sample[i]->n_location_id == 3) {
            assert_int_equal(p->sample[i]->value[0], 3);
            assert_int_equal(p->location[p->sample[i]->location_id[0] - 1]
                             ->line[0]->line, 3);
            assert_int_equal(p->location[p->sample[i]->location_id[2] - 1]
                             ->line[0]->line, 1);
        }
    }

    /* go-pgo: leaves alone, their lines joined */

    options.keep_locations = 1;
    options.aggregate_callees = 1;
    assert_int_equal(pyro_pprof_build(stacks_example(arena, 1), &options, &p,
                                      &err), PYRO_OK);
    assert_int_equal(p->n_sample, 3);

    for (i = 0; i < p->n_sample; i++) {
        assert_int_equal(p->sample[i]->n_location_id, 1);
        assert_int_equal(p->location[p->sample[i]->location_id[0] - 1]
                         ->line[0]->line, 0);
    }

    assert_int_equal(pyro_pprof_build(pyro_tree_create_by_lines(arena),
                                      &options, &p, &err), PYRO_OK);
    assert_int_equal(protobuf_c_message_get_packed_size(&p->base), 0);
    pyro_arena_destroy(arena);
}


static void
texts_of_an_example(void **state)
{
    pyro_rope_t           rope;
    pyro_slice_t          text;
    pyro_error_t          err;
    pyro_arena_t         *arena;
    pyro_profile_type_t   type;

    (void) state;

    arena = pyro_arena_create(0);
    type = stacks_type(CPU);

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_collapsed_write(stacks_example(arena, 1), &rope,
                                          &err), PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_true(pyro_slice_is(text, "main:1;baz:9 2\nmain:1;foo:2 1\n"
                              "main:1;foo:2;bar:3 3\n"));

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_collapsed_write(stacks_example(arena, 0), &rope,
                                          &err), PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_true(pyro_slice_is(text, "main;baz 2\nmain;foo 1\n"
                              "main;foo;bar 3\n"));

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_speedscope_write(stacks_example(arena, 1), &type,
                                           PYRO_SLICE("cpu"), &rope, &err),
                     PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_non_null(strstr(text.data, "{\"name\":\"foo\",\"file\":\"A.java\","
                           "\"line\":2}"));
    assert_non_null(strstr(text.data, "\"unit\":\"nanoseconds\",\"startValue\""
                           ":0,\"endValue\":6,\"samples\":[[0,1],[0,1,2],[0,3]]"
                           ",\"weights\":[1,3,2]"));

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_dot_write(stacks_example(arena, 0), &type, 0, &rope,
                                    &err), PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_non_null(strstr(text.data, "N1 [label=\"main\\n0.00ms (0.00%)\\nof "
                           "0.00ms (100.00%)\"]"));
    assert_non_null(strstr(text.data, "N1 -> N2"));

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_dot_write(stacks_example(arena, 0), &type, 2, &rope,
                                    &err), PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_null(strstr(text.data, "baz"));
    pyro_arena_destroy(arena);
}


/* A recursion counts once. */
static void
dot_of_a_recursion(void **state)
{
    pyro_rope_t           rope;
    pyro_tree_t          *tree;
    pyro_slice_t          text;
    pyro_error_t          err;
    pyro_arena_t         *arena;
    pyro_profile_type_t   type;

    (void) state;

    arena = pyro_arena_create(0);
    type = stacks_type("mutex:contentions:count:mutex:count");
    tree = pyro_tree_create(arena);
    stacks_add(tree, "a;b;a;b;a", 10);

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_dot_write(tree, &type, 0, &rope, &err), PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_non_null(strstr(text.data, "label=\"a\\n10 (100.00%)\\nof 10 "
                           "(100.00%)\""));
    assert_non_null(strstr(text.data, "label=\"b\\n0 (0.00%)\\nof 10 "
                           "(100.00%)\""));
    assert_null(strstr(text.data, " 20"));
    pyro_arena_destroy(arena);
}


static void
hostile_names(void **state)
{
    pyro_rope_t           rope;
    pyro_tree_t          *tree, *lines;
    pyro_slice_t          text;
    pyro_error_t          err;
    pyro_arena_t         *arena;
    pyro_flamegraph_t     graph;
    pyro_profile_type_t   type;
    pyro_html_options_t   options;

    static const char  bad[] = "</script><script>alert(1)//\"\\\n\xff<!--";

    (void) state;

    arena = pyro_arena_create(0);
    type = stacks_type(CPU);
    tree = pyro_tree_create(arena);
    lines = pyro_tree_create_by_lines(arena);
    stacks_add(tree, bad, 1);
    stacks_add(lines, bad, 1);

    memset(&options, 0, sizeof(options));
    options.type = &type;
    options.query = pyro_slice_str(bad);
    options.end = INT64_MAX;

    assert_int_equal(pyro_flamegraph_build(tree, 0, &graph, &err), PYRO_OK);
    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_html_write(arena, &graph, &options, &rope, &err),
                     PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_null(strstr(text.data, "alert(1)//\""));
    assert_null(strstr(text.data, "</script><script>alert"));
    assert_null(strstr(text.data, "<!--"));
    assert_non_null(strstr(text.data, "\\u003c/script>\\u003cscript>alert(1)"));
    assert_non_null(strstr(text.data, "&lt;/script&gt;&lt;script&gt;alert"));

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_dot_write(tree, &type, 0, &rope, &err), PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_non_null(strstr(text.data, "//\\\"\\\\ "));

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_collapsed_write(lines, &rope, &err), PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_ptr_equal(strchr(text.data, '\n'), text.data + text.len - 1);

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_speedscope_write(lines, &type, options.query, &rope,
                                           &err), PYRO_OK);
    text = stacks_text(arena, &rope);
    assert_non_null(strstr(text.data, "alert(1)//\\\"\\\\\\"));
    pyro_arena_destroy(arena);
}


/* Nothing recurses. */
static void
deep_stacks(void **state)
{
    uint32_t               i, node;
    pyro_rope_t            rope;
    pyro_tree_t           *tree, *lines;
    pyro_error_t           err;
    pyro_arena_t          *arena;
    pyro_tree_frame_t      frame = { 0, PYRO_NONE, 1, 0 };
    pyro_profile_type_t    type;
    Google__V1__Profile   *profile;
    pyro_pprof_options_t   options;

    (void) state;

    arena = pyro_arena_create(0);
    type = stacks_type(CPU);
    tree = pyro_tree_create(arena);
    lines = pyro_tree_create_by_lines(arena);
    frame.function = pyro_tree_name(lines, PYRO_SLICE("f"));

    for (i = 0, node = 0; i < 100000; i++) {
        node = pyro_tree_node(tree, node,
                              pyro_tree_name(tree, PYRO_SLICE("f")));
    }

    pyro_tree_add(tree, node, 1);

    for (i = 0, node = 0; i < 100000; i++) {
        node = pyro_tree_node(lines, node, pyro_tree_frame(lines, &frame));
    }

    pyro_tree_add(lines, node, 1);
    memset(&options, 0, sizeof(options));
    options.type = &type;

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_tree_bytes(tree, &rope, &err), PYRO_OK);
    assert_int_equal(rope.size, 3 + 100000 * 4);
    pyro_rope_free(&rope);

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_collapsed_write(lines, &rope, &err), PYRO_OK);
    assert_int_equal(rope.size, 100000 * 4 + 2);
    pyro_rope_free(&rope);

    assert_int_equal(pyro_pprof_build(lines, &options, &profile, &err),
                     PYRO_OK);
    assert_int_equal(profile->sample[0]->n_location_id, 100000);
    assert_int_equal(profile->n_location, 1);
    pyro_arena_destroy(arena);
}


static void
stacks_report_no_memory(void **state)
{
    int                    i;
    char                   name[32];
    pyro_rope_t            rope;
    pyro_tree_t           *tree;
    pyro_error_t           err;
    pyro_arena_t          *arena;
    pyro_status_e          status;
    pyro_profile_type_t    type;
    Google__V1__Profile   *profile;
    pyro_pprof_options_t   options;

    (void) state;

    type = stacks_type(CPU);
    memset(&options, 0, sizeof(options));
    options.type = &type;
    arena = pyro_arena_create(2 * 1024 * 1024);
    tree = pyro_tree_create_by_lines(arena);

    for (i = 0; i < 4000; i++) {
        snprintf(name, sizeof(name), "main;f%d", i);
        stacks_add(tree, name, 1);
    }

    for (i = 0, status = PYRO_OK; i < 100 && status == PYRO_OK; i++) {
        status = pyro_pprof_build(tree, &options, &profile, &err);
    }

    assert_int_equal(status, PYRO_UNAVAILABLE);
    pyro_rope_init(&rope, 100);
    assert_int_not_equal(pyro_collapsed_write(tree, &rope, &err), PYRO_OK);
    pyro_rope_free(&rope);
    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(tree_bytes_of_the_documented_example),
        cmocka_unit_test(pprof_of_an_example),
        cmocka_unit_test(texts_of_an_example),
        cmocka_unit_test(dot_of_a_recursion),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(deep_stacks),
        cmocka_unit_test(stacks_report_no_memory),
    };

    return unit_run(tests);
}
