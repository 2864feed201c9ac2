#include "settings_fixture.h"

#include "core/settings/yaml.h"


static pyro_yaml_node_t  *root;


static pyro_status_e
parse(pyro_slice_t text)
{
    root = NULL;

    return pyro_yaml_parse(arena, "f.yml", text, &root, &err);
}


static void
refused(const char *text, const char *message)
{
    memset(&err, 0, sizeof(err));
    assert_int_equal(parse(pyro_slice_str(text)), PYRO_INVALID);
    assert_int_equal(err.status, PYRO_INVALID);

    if (strstr(err.message, message) != err.message) {
        fail_msg("\"%s\" does not begin with \"%s\"", err.message, message);
    }
}


static void
yaml_tree(void **state)
{
    char               path[PYRO_YAML_PATH_MAX];
    pyro_yaml_node_t  *node;

    (void) state;

    assert_int_equal(parse(PYRO_SLICE("# top\n"
                                      "a:\n"
                                      "  b: one\n"
                                      "  list:\n"
                                      "    - x\n"
                                      "    - { deep: 'y' }\n"
                                      "c: \"two\"\n")), PYRO_OK);

    assert_int_equal(root->type, PYRO_YAML_MAP);
    assert_int_equal(root->n, 2);
    pyro_yaml_path(root, path);
    assert_string_equal(path, "");

    node = root->first;
    assert_true(pyro_slice_is(node->key, "a"));
    assert_int_equal(node->line, 2);
    assert_int_equal(node->n, 2);

    node = node->first;
    assert_true(pyro_slice_is(node->text, "one"));
    assert_int_equal(node->plain, 1);
    assert_int_equal(node->line, 3);

    node = node->next->first->next->first;
    assert_true(pyro_slice_is(node->text, "y"));
    assert_int_equal(node->plain, 0);
    assert_int_equal(node->line, 6);
    pyro_yaml_path(node, path);
    assert_string_equal(path, "a.list[1].deep");

    node = root->first->next;
    assert_true(pyro_slice_is(node->text, "two"));
    assert_int_equal(node->line, 7);
    assert_null(node->next);
}


static void
yaml_empty(void **state)
{
    size_t              i;
    static const char  *texts[] = {
        "", "# only this\n", "---\n", "~", "null\n", "\n\n", "\xef\xbb\xbf"
    };

    (void) state;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(parse(pyro_slice_str(texts[i])), PYRO_OK);
        assert_int_equal(root->type, PYRO_YAML_SCALAR);
        assert_true(pyro_yaml_is_null(root->text, root->plain));
    }
}


static void
yaml_blank(void **state)
{
    size_t              i;
    static const char  *blank[] = {
        "", "''", "[]", "{}", "a:\n", "a: {b: '', c: {d: ~, e: []}}\nf: {}\n"
    };
    static const char  *full[] = {
        "x", "[~]", "[[]]", "a: {b: '', c: {d: 0}}", "a: ~\nb: [x]\n",
        "a: '~'"
    };

    (void) state;

    for (i = 0; i < sizeof(blank) / sizeof(blank[0]); i++) {
        assert_int_equal(parse(pyro_slice_str(blank[i])), PYRO_OK);
        assert_true(pyro_yaml_is_blank(root));
    }

    for (i = 0; i < sizeof(full) / sizeof(full[0]); i++) {
        assert_int_equal(parse(pyro_slice_str(full[i])), PYRO_OK);
        assert_false(pyro_yaml_is_blank(root));
    }

    /* of a node with others behind it only what is inside counts */

    assert_int_equal(parse(PYRO_SLICE("a: {b: ~}\nc: x\n")), PYRO_OK);
    assert_true(pyro_yaml_is_blank(root->first));
}


static void
yaml_refuses(void **state)
{
    (void) state;

    refused("a: 1\nb: &x 2\nc: *x\n", "f.yml:3: aliases are not allowed");
    refused("a: &x {b: 1}\nc:\n  <<: *x\n", "f.yml:3: aliases are not");
    refused("*x : 1\n", "f.yml:1: aliases are not allowed");
    refused("a: !!int 1\n", "f.yml:1: tags are not allowed");
    refused("\na: !x [1]\n", "f.yml:2: tags are not allowed");
    refused("a: !!map {}\n", "f.yml:1: tags are not allowed");
    refused("a: 1\n---\nb: 2\n", "f.yml:2: a second document");
    refused("a: 1\nb: 2\n\na: 3\n",
            "f.yml:4: a: is there twice, first on line 1");
    refused("x:\n  a: 1\n  'a': 3\n",
            "f.yml:3: a: is there twice, first on line 2");
    refused("a: 1\n? [x]\n: 2\n", "f.yml:2: a key must be a text");
    refused("a: 1\n'': 2\n", "f.yml:2: an empty key");
    refused("a: 1\n\tb: 2\n", "f.yml:2: is not YAML: ");
    refused("a:\n\t- 2\n", "f.yml:2: is not YAML: ");
    refused("a: [1, 2\nb: 3\n", "f.yml:2: is not YAML: ");
    refused("a: 'x\n\n", "f.yml:3: is not YAML: ");
    refused("a: 1\n- b\n", "f.yml:2: is not YAML: ");
    refused("a: b: c\n", "f.yml:1: is not YAML: ");
    refused("a: 1\nb: \x01\n", "f.yml:2: is not YAML: ");
    refused("a: 1\nb: \xff\xfe\n", "f.yml:2: is not UTF-8 text");
    refused("\xff\xfe" "a", "f.yml:1: is not UTF-8 text");
    refused("a: \xc0\xaf\n", "f.yml:1: is not UTF-8 text");
}


static void
yaml_bounds_nesting(void **state)
{
    char    text[2 * PYRO_YAML_DEPTH_MAX + 8];
    char   *deep;
    size_t  n;

    (void) state;

    for (n = PYRO_YAML_DEPTH_MAX; n <= PYRO_YAML_DEPTH_MAX + 1; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        text[2 * n] = '\0';

        if (n == PYRO_YAML_DEPTH_MAX) {
            assert_int_equal(parse(pyro_slice_str(text)), PYRO_OK);

        } else {
            refused(text, "f.yml:1: maps and lists nested deeper than 16");
        }
    }

    deep = malloc(PYRO_YAML_SIZE_MAX);
    assert_non_null(deep);

    memset(deep, '[', PYRO_YAML_SIZE_MAX);
    assert_int_equal(parse(pyro_slice(deep, PYRO_YAML_SIZE_MAX)),
                     PYRO_INVALID);

    for (n = 0; n < PYRO_YAML_SIZE_MAX; n += 2) {
        memcpy(deep + n, "- ", 2);
    }

    assert_int_equal(parse(pyro_slice(deep, PYRO_YAML_SIZE_MAX)),
                     PYRO_INVALID);
    assert_non_null(strstr(err.message, "nested deeper than 16"));

    free(deep);
}


static void
yaml_bounds_size(void **state)
{
    char    *text;
    size_t   n;

    (void) state;

    text = malloc(PYRO_YAML_SIZE_MAX + 1);
    assert_non_null(text);

    memset(text, '\n', PYRO_YAML_SIZE_MAX + 1);
    assert_int_equal(parse(pyro_slice(text, PYRO_YAML_SIZE_MAX)), PYRO_OK);
    assert_int_equal(parse(pyro_slice(text, PYRO_YAML_SIZE_MAX + 1)),
                     PYRO_INVALID);
    assert_string_equal(err.message, "f.yml: has more than 1048576 bytes");

    /* the list itself is a value, too */

    for (n = 0; n < PYRO_YAML_NODES_MAX; n++) {
        memcpy(text + n * 4, "- x\n", 4);
    }

    assert_int_equal(parse(pyro_slice(text, (n - 1) * 4)), PYRO_OK);
    assert_int_equal(parse(pyro_slice(text, n * 4)), PYRO_INVALID);
    assert_string_equal(err.message, "f.yml:10000: more than 10000 values");

    memset(text, 'k', 2 * PYRO_YAML_KEY_MAX);
    memcpy(text + PYRO_YAML_KEY_MAX, ": 1", 4);
    assert_int_equal(parse(pyro_slice_str(text)), PYRO_OK);

    memcpy(text + PYRO_YAML_KEY_MAX, "k: 1", 5);
    refused(text, "f.yml:1: kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...: a key of 151 "
                  "bytes; allowed are 150");

    free(text);
}


static void
yaml_without_memory(void **state)
{
    size_t         budget;
    pyro_arena_t  *small;
    pyro_status_e  rc;

    (void) state;

    for (budget = 1; budget < 1200; budget++) {
        small = pyro_arena_create(budget);
        assert_non_null(small);

        rc = pyro_yaml_parse(small, "f.yml", PYRO_SLICE("a: {b: c, d: [e]}"),
                             &root, &err);
        assert_true(rc == PYRO_OK || rc == PYRO_UNAVAILABLE);

        pyro_arena_destroy(small);
    }

    assert_int_equal(rc, PYRO_OK);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(yaml_tree),
        TEST(yaml_empty),
        TEST(yaml_blank),
        TEST(yaml_refuses),
        TEST(yaml_bounds_nesting),
        TEST(yaml_bounds_size),
        TEST(yaml_without_memory),
    };

    return unit_run(tests);
}
