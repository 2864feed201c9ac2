#include "unit.h"

#include "core/format/folded.h"


#define L(name, value)  { PYRO_SLICE(name), PYRO_SLICE(value) }


typedef struct {
    pyro_arena_t    *arena;
    pyro_profile_t  *p;
    uint32_t         count;
    uint32_t         delay;
    uint32_t         other;
} built_t;


static void
start(built_t *b)
{
    pyro_profile_type_t  type = { PYRO_SLICE("mutex"),
                                  PYRO_SLICE("contentions"),
                                  PYRO_SLICE("count"), PYRO_SLICE("mutex"),
                                  PYRO_SLICE("count") };

    b->arena = pyro_arena_create(0);
    b->p = pyro_profile_create(b->arena);
    assert_non_null(b->p);

    b->count = pyro_profile_column(b->p, &type);
    type.sample_type = PYRO_SLICE("delay");
    b->delay = pyro_profile_column(b->p, &type);
    type.name = PYRO_SLICE("block");
    b->other = pyro_profile_column(b->p, &type);
}


/* Frames "name:line" joined by "|", root first; the last colon counts. */
static uint32_t
stack(built_t *b, const char *text)
{
    char          copy[512], *frame, *line, *save;
    uint32_t      node;
    pyro_frame_t  f;

    snprintf(copy, sizeof(copy), "%s", text);
    node = 0;

    for (frame = strtok_r(copy, "|", &save);
         frame != NULL;
         frame = strtok_r(NULL, "|", &save))
    {
        memset(&f, 0, sizeof(pyro_frame_t));
        line = strrchr(frame, ':');
        assert_non_null(line);
        *line++ = '\0';

        f.line = (uint32_t) strtoul(line, NULL, 10);
        f.function = pyro_profile_string(b->p, pyro_slice_str(frame));
        node = pyro_profile_node(b->p, node, pyro_profile_frame(b->p, &f));
    }

    return node;
}


static void
add(built_t *b, uint32_t labels, uint32_t span, const char *text,
    int64_t count, int64_t delay)
{
    uint32_t  node;

    node = stack(b, text);

    assert_int_equal(pyro_profile_add(b->p, labels, b->count, node, span,
                                      count), 0);
    assert_int_equal(pyro_profile_add(b->p, labels, b->delay, node, span,
                                      delay), 0);
    assert_int_equal(pyro_profile_add(b->p, labels, b->other, node, span, 99),
                     0);
}


/* All of it, written that many bytes at a time. */
static char *
text_of(const built_t *b, const pyro_folded_options_t *options, size_t bytes)
{
    char               *text, *pos;
    pyro_rope_t         rope;
    pyro_folded_t      *folded;
    pyro_rope_chunk_t  *chunk;

    folded = pyro_folded_create(b->arena, b->p, options);
    assert_non_null(folded);

    pyro_rope_init(&rope, 0);

    while (pyro_folded_write(folded, bytes, &rope)) {
        /* the next piece */
    }

    assert_int_equal(rope.failed, 0);

    text = malloc(rope.size + 1);
    assert_non_null(text);
    pos = text;

    for (chunk = rope.first; chunk != NULL; chunk = chunk->next) {
        memcpy(pos, chunk->data, chunk->len);
        pos += chunk->len;
    }

    *pos = '\0';
    pyro_rope_free(&rope);

    return text;
}


static void
check_text(const built_t *b, const pyro_folded_options_t *options,
    const char *expected)
{
    char    *text;
    size_t   i;

    static const size_t  sizes[] = { SIZE_MAX, 1, 7 };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        text = text_of(b, options, sizes[i]);
        assert_string_equal(text, expected);
        free(text);
    }
}


static void
check_samples(const built_t *b, const char *expected)
{
    pyro_folded_options_t  options = { PYRO_FOLDED_SAMPLES, 0, 2,
                                       { b->count, b->delay } };

    check_text(b, &options, expected);
}


static void
check_stacks(const built_t *b, int lines, const char *expected)
{
    pyro_folded_options_t  options = { PYRO_FOLDED_STACKS, lines, 1,
                                       { b->delay, PYRO_NONE } };

    check_text(b, &options, expected);
}


static uint32_t
label_set(built_t *b, pyro_label_t *items, uint32_t n)
{
    pyro_labels_t  labels = { items, pyro_labels_sort(items, n) };

    return pyro_profile_label_set(b->p, &labels);
}


static uint32_t
span(built_t *b, uint64_t id, uint64_t hi, uint64_t lo)
{
    pyro_span_t  s = { id, hi, lo };

    return pyro_profile_span(b->p, &s);
}


/* Sorted by bytes, also where a line number is the beginning of another. */
static void
lines_are_sorted(void **state)
{
    built_t  b;

    (void) state;

    start(&b);
    add(&b, 0, 0, "main:1|b:2", 1, 10);
    add(&b, 0, 0, "main:12|a:1", 1, 20);
    add(&b, 0, 0, "main:1", 1, 30);
    add(&b, 0, 0, "main:1|a:4294967295", 1, 40);
    add(&b, 0, 0, "main:12", 1, 50);
    add(&b, 0, 0, "Z:0", 1, 60);
    add(&b, 0, 0, "main.run:1", 1, 70);
    add(&b, 0, 0, "main\xc3\xa4:1", 1, 80);

    check_samples(&b,
        "\tZ:0\t1 60\n"
        "\tmain.run:1\t1 70\n"
        "\tmain:1\t1 30\n"
        "\tmain:12\t1 50\n"
        "\tmain:12;a:1\t1 20\n"
        "\tmain:1;a:4294967295\t1 40\n"
        "\tmain:1;b:2\t1 10\n"
        "\tmain\xc3\xa4:1\t1 80\n");

    check_stacks(&b, 0,
        "Z 60\n"
        "main 80\n"
        "main.run 70\n"
        "main;a 60\n"
        "main;b 10\n"
        "main\xc3\xa4 80\n");

    check_stacks(&b, 1,
        "Z:0 60\n"
        "main.run:1 70\n"
        "main:1 30\n"
        "main:12 50\n"
        "main:12;a:1 20\n"
        "main:1;a:4294967295 40\n"
        "main:1;b:2 10\n"
        "main\xc3\xa4:1 80\n");

    pyro_arena_destroy(b.arena);
}


static void
labels_are_sorted_with_spans(void **state)
{
    built_t       b;
    uint32_t      one, two;
    pyro_label_t  items[] = { L("thread", "t"), L("a", "b"), L("q", "r"),
                              L("zone", "") };
    pyro_label_t  own[] = { L("profile_id", "mine"), L("trace_id", "too"),
                            L("z", "1") };

    (void) state;

    start(&b);
    one = label_set(&b, items, 4);
    two = label_set(&b, own, 3);

    add(&b, one, span(&b, 0xabc, 0, 0), "f:1", 1, 1);
    add(&b, one, span(&b, 0xabc, 1, 2), "f:1", 2, 2);
    add(&b, one, span(&b, 0, 1, 2), "f:1", 3, 3);
    add(&b, one, 0, "f:1", 4, 4);
    add(&b, 0, span(&b, UINT64_MAX, 0, 0), "f:1", 5, 5);
    add(&b, 0, 0, "f:1", 6, 6);
    add(&b, two, span(&b, 1, 2, 3), "f:1", 7, 7);
    add(&b, two, 0, "f:1", 8, 8);

    check_samples(&b,
        "\tf:1\t6 6\n"
        "a=b,profile_id=0000000000000abc,q=r,thread=t\tf:1\t1 1\n"
        "a=b,profile_id=0000000000000abc,q=r,thread=t,"
            "trace_id=00000000000000010000000000000002\tf:1\t2 2\n"
        "a=b,q=r,thread=t\tf:1\t4 4\n"
        "a=b,q=r,thread=t,"
            "trace_id=00000000000000010000000000000002\tf:1\t3 3\n"
        "profile_id=0000000000000001,"
            "trace_id=00000000000000020000000000000003,z=1\tf:1\t7 7\n"
        "profile_id=ffffffffffffffff\tf:1\t5 5\n"
        "profile_id=mine,trace_id=too,z=1\tf:1\t8 8\n");

    check_stacks(&b, 0, "f 36\n");

    pyro_arena_destroy(b.arena);
}


/* Frames differ in what is not shown; a value may be missing. */
static void
equal_stacks_are_one(void **state)
{
    built_t                b;
    uint32_t               node;
    pyro_frame_t           f = { 0, 0, 7, 3 };
    pyro_folded_options_t  none = { PYRO_FOLDED_SAMPLES, 0, 2,
                                    { PYRO_NONE, PYRO_NONE } };
    pyro_folded_options_t  half = { PYRO_FOLDED_SAMPLES, 0, 2, { 0, 0 } };

    (void) state;

    start(&b);
    add(&b, 0, 0, "a:1|f:7", 1, 10);

    f.function = pyro_profile_string(b.p, PYRO_SLICE("f"));
    f.file = pyro_profile_string(b.p, PYRO_SLICE("f.c"));
    node = pyro_profile_node(b.p, stack(&b, "a:1"),
                             pyro_profile_frame(b.p, &f));
    assert_int_equal(pyro_profile_add(b.p, 0, b.count, node, 0, 5), 0);

    check_samples(&b, "\ta:1;f:7\t6 10\n");
    check_stacks(&b, 1, "a:1;f:7 10\n");
    check_text(&b, &none, "");

    half.types[0] = PYRO_NONE;
    half.types[1] = b.delay;
    check_text(&b, &half, "\ta:1;f:7\t0 10\n");

    pyro_arena_destroy(b.arena);
}


static void
an_empty_stack_can_be_read(void **state)
{
    built_t  b;

    (void) state;

    start(&b);
    check_samples(&b, "");
    check_stacks(&b, 0, "");

    add(&b, 0, 0, "a:0", 1, 2);
    add(&b, 0, 0, "", 3, 4);

    check_samples(&b, "\t\t3 4\n\ta:0\t1 2\n");
    check_stacks(&b, 0, "[unknown] 4\na 2\n");
    check_stacks(&b, 1, "[unknown]:0 4\na:0 2\n");

    pyro_arena_destroy(b.arena);
}


/* Only where it would end a frame a ";" is escaped in the exact form. */
static void
names_do_not_break_lines(void **state)
{
    built_t       b;
    uint32_t      set;
    pyro_frame_t  f = { 0, 0, 0, 0 };
    pyro_label_t  items[] = { L("k=1,\t", "v=2,\n\\") };

    (void) state;

    start(&b);
    set = label_set(&b, items, 1);

    add(&b, 0, 0, "libc;64 (deleted).read:0|x:5", 1, 10);
    add(&b, 0, 0, "a:1;b:12;c;;:;9:3", 1, 20);
    add(&b, 0, 0, "t\tn\nr\r\\\x1b[1m\x7f:4", 1, 30);
    add(&b, set, 0, "f:1", 1, 40);

    assert_int_equal(pyro_profile_add(b.p, 0, b.delay,
                                      pyro_profile_node(b.p, 0,
                                          pyro_profile_frame(b.p, &f)),
                                      0, 5), 0);

    check_samples(&b,
        "\t:0\t0 5\n"
        "\ta:1\\x3bb:12\\x3bc;;:;9:3\t1 20\n"
        "\tlibc;64 (deleted).read:0;x:5\t1 10\n"
        "\tt\\x09n\\x0ar\\x0d\\x5c\\x1b[1m\\x7f:4\t1 30\n"
        "k\\x3d1\\x2c\\x09=v=2\\x2c\\x0a\\x5c\tf:1\t1 40\n");

    check_stacks(&b, 0,
        "[unknown] 5\n"
        "a:1,b:12,c,,:,9 20\n"
        "f 40\n"
        "libc,64 (deleted).read;x 10\n"
        "t n r \\ [1m  30\n");

    pyro_arena_destroy(b.arena);
}


/* What replacing makes equal is summed, up to the largest value. */
static void
replaced_names_are_summed(void **state)
{
    built_t  b;

    (void) state;

    start(&b);
    add(&b, 0, 0, "a;b:1|x:1", 1, 10);
    add(&b, 0, 0, "a,b:2|x:2", 1, 20);
    add(&b, 0, 0, "a\nb:0", 1, INT64_MAX - 1);
    add(&b, 0, 0, "a b:0", 1, 2);
    add(&b, 0, 0, "a\tb:0", 1, INT64_MAX);

    check_stacks(&b, 0, "a b 9223372036854775807\na,b;x 30\n");

    pyro_arena_destroy(b.arena);
}


static void
a_finished_profile_is_the_same(void **state)
{
    built_t                b;
    uint32_t               set;
    pyro_error_t           err;
    pyro_label_t           items[] = { L("dyn", "1") };
    pyro_label_t           all[] = { L("service_name", "shop") };
    pyro_labels_t          shop = { all, 1 };
    pyro_label_limits_t    limits = { 0, 0, 0 };

    (void) state;

    start(&b);
    set = label_set(&b, items, 1);
    add(&b, set, 0, "b:1|c:2", 1, 10);
    add(&b, 0, 0, "a:1", 2, 20);

    assert_int_equal(pyro_profile_finish(b.p, &shop, &limits, &err), PYRO_OK);
    check_samples(&b, "\ta:1\t2 20\ndyn=1\tb:1;c:2\t1 10\n");

    pyro_arena_destroy(b.arena);
}


static int
compare_lines(const void *one, const void *two)
{
    return strcmp(*(char *const *) one, *(char *const *) two);
}


/* Many stacks over few names that are beginnings of each other. */
static void
the_order_is_that_of_strcmp(void **state)
{
    char          text[256], *all, *lines[4096], *save, *end;
    size_t        i, n, len;
    uint32_t      k, seed;
    built_t       b;

    static const char  *names[] = { "a", "ab", "a:1", "a;", "a.", "b", "", "aa",
                                    "a:12", "a!" };

    (void) state;

    pyro_folded_options_t  options = { PYRO_FOLDED_SAMPLES, 0, 1, { 0, 0 } };

    start(&b);
    options.types[0] = b.count;
    seed = 1;

    for (i = 0; i < 3000; i++) {
        len = 0;

        for (k = 0; k < 1 + i % 6; k++) {
            seed = seed * 1103515245 + 12345;
            len += (size_t) snprintf(text + len, sizeof(text) - len,
                                     "%s%s:%u", k ? "|" : "",
                                     names[(seed >> 16) % 10],
                                     (seed >> 8) % 3 * 11);
        }

        add(&b, 0, 0, text, 1, 1);
    }

    all = text_of(&b, &options, SIZE_MAX);
    n = 0;

    for (end = strtok_r(all, "\n", &save);
         end != NULL;
         end = strtok_r(NULL, "\n", &save))
    {
        *strrchr(end, '\t') = '\0';
        lines[n++] = end;
    }

    assert_true(n > 500);

    for (i = 1; i < n; i++) {
        assert_true(compare_lines(&lines[i - 1], &lines[i]) < 0);
    }

    free(all);
    pyro_arena_destroy(b.arena);
}


/* Deeper than a stack of calls could be. */
static void
depth_costs_no_recursion(void **state)
{
    uint32_t      i, node;
    built_t       b;
    pyro_rope_t   rope;
    pyro_frame_t  f = { 0, 0, 1, 0 };
    pyro_folded_t *folded;

    (void) state;

    pyro_folded_options_t  options = { PYRO_FOLDED_SAMPLES, 0, 1, { 0, 0 } };

    start(&b);
    options.types[0] = b.count;
    f.function = pyro_profile_string(b.p, PYRO_SLICE("f"));
    node = 0;

    for (i = 0; i < 1000000; i++) {
        node = pyro_profile_node(b.p, node, pyro_profile_frame(b.p, &f));
    }

    assert_int_equal(pyro_profile_add(b.p, 0, b.count, node, 0, 1), 0);

    folded = pyro_folded_create(b.arena, b.p, &options);
    assert_non_null(folded);

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_folded_write(folded, 1000, &rope), 1);
    assert_in_range(rope.size, 1000, 1010);
    assert_int_equal(pyro_folded_write(folded, SIZE_MAX, &rope), 0);
    assert_int_equal(rope.size, 4000000 - 1 + 1 + 3);

    pyro_rope_free(&rope);
    pyro_arena_destroy(b.arena);
}


static void
a_failed_rope_ends_it(void **state)
{
    built_t                b;
    pyro_rope_t            rope;
    pyro_folded_t         *folded;
    pyro_folded_options_t  options = { PYRO_FOLDED_STACKS, 0, 1, { 0, 0 } };

    (void) state;

    start(&b);
    options.types[0] = b.count;
    add(&b, 0, 0, "function:1", 1, 1);
    add(&b, 0, 0, "other:1", 1, 1);

    folded = pyro_folded_create(b.arena, b.p, &options);
    assert_non_null(folded);

    pyro_rope_init(&rope, 10);
    assert_int_equal(pyro_folded_write(folded, SIZE_MAX, &rope), 0);
    assert_int_equal(rope.failed, 2);

    pyro_rope_free(&rope);
    pyro_arena_destroy(b.arena);
}


/* Whatever the budget, it is NULL or all of the text. */
static void
no_memory_is_told(void **state)
{
    char                   text[64], *whole, *again;
    size_t                 budget;
    built_t                b;
    uint32_t               i, sets[2], failed;
    pyro_arena_t          *arena;
    pyro_label_t           items[] = { L("k", "a,b") };
    pyro_folded_t         *folded;
    pyro_folded_options_t  options = { PYRO_FOLDED_SAMPLES, 0, 2, { 0, 0 } };

    (void) state;

    start(&b);
    sets[0] = 0;
    sets[1] = label_set(&b, items, 1);
    options.types[0] = b.count;
    options.types[1] = b.delay;

    for (i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), "main:1|f\t%u:1|g:%u", i % 17, i);
        add(&b, sets[i % 2], span(&b, i % 5, 0, i % 3), text, 1, i);
    }

    whole = text_of(&b, &options, SIZE_MAX);
    failed = 0;

    for (budget = 64; budget < 1024 * 1024; budget += 64 + budget / 32) {
        arena = pyro_arena_create(budget);
        assert_non_null(arena);

        folded = pyro_folded_create(arena, b.p, &options);
        failed += folded == NULL;
        assert_true(folded == NULL || budget > 16 * 1024);

        pyro_arena_destroy(arena);
    }

    assert_in_range(failed, 10, 300);

    again = text_of(&b, &options, 1);
    assert_string_equal(again, whole);

    free(again);
    free(whole);
    pyro_arena_destroy(b.arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(lines_are_sorted),
        cmocka_unit_test(labels_are_sorted_with_spans),
        cmocka_unit_test(equal_stacks_are_one),
        cmocka_unit_test(an_empty_stack_can_be_read),
        cmocka_unit_test(names_do_not_break_lines),
        cmocka_unit_test(replaced_names_are_summed),
        cmocka_unit_test(a_finished_profile_is_the_same),
        cmocka_unit_test(the_order_is_that_of_strcmp),
        cmocka_unit_test(depth_costs_no_recursion),
        cmocka_unit_test(a_failed_rope_ends_it),
        cmocka_unit_test(no_memory_is_told),
    };

    return unit_run(tests);
}
