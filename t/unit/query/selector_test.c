#include "unit.h"

#include "core/query/regex.h"
#include "core/query/selector.h"


typedef struct {
    const char  *text;
    const char  *want;      /* matchers as name op value, "|" between; NULL: an
                               error */
} selector_case_t;


static const selector_case_t  grammar[] = {
    { "", "" },
    { "  \t\r\n ", "" },
    { "{}", "" },
    { " { } ", "" },
    { "{a=\"b\"}", "a=b" },
    { "{a=\"b\",}", "a=b" },
    { "{ a = \"b\" , }", "a=b" },
    { "{\na=\"b\",\n\tc!=\"d\"\n}", "a=b|c!=d" },
    { "{a!=\"b\", c=~\"d.*\", e!~\"f|g\"}", "a!=b|c=~d.*|e!~f|g" },
    { "{a='b', c=`d`}", "a=b|c=d" },
    { "{a=\"\"}", "a=" },
    { "{a=\"x\\\"y\\\\z\"}", "a=x\"y\\z" },
    { "{a='it\\'s'}", "a=it's" },
    { "{a=`x\\n\"y'`}", "a=x\\n\"y'" },
    { "{a=\"\\a\\b\\f\\n\\r\\t\\v\"}", "a=\a\b\f\n\r\t\v" },
    { "{a=\"\\x41\\101\\u00e9\\u20ac\\U0001F600\"}",
      "a=AA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
    { "{a=\"\xc3\xa9\"}", "a=\xc3\xa9" },
    { "{a.b=\"c\"}", "a.b=c" },
    { "{\"a.b\"=\"c\"}", "a.b=c" },
    { "{\"otel scope\"!~\"c\"}", "otel scope!~c" },
    { "service_name=\"x\"", "service_name=x" },
    { "service_name=~\"x.*\", b!=\"y\" ,", "service_name=~x.*|b!=y" },
    { "\"a.b\"=\"c\"", "a.b=c" },
    { "shop", "__name__=shop" },
    { "shop.order-eu.cpu{}", "__name__=shop.order-eu.cpu" },
    { "process_cpu{a=\"b\"}", "__name__=process_cpu|a=b" },
    { "process_cpu:cpu:nanoseconds:cpu:nanoseconds{}",
      "__profile_type__=process_cpu:cpu:nanoseconds:cpu:nanoseconds" },
    { "process_cpu:cpu:nanoseconds:cpu:nanoseconds:delta {a=\"b\"}",
      "__profile_type__=process_cpu:cpu:nanoseconds:cpu:nanoseconds|a=b" },
    { "memory:alloc_space:bytes::{}",
      "__profile_type__=memory:alloc_space:bytes::" },
    { "a:b:c{}", "__name__=a:b:c" },
    { "a:b:c:d:e:f:g{}", "__name__=a:b:c:d:e:f:g" },
    { "{a=\"1\",a=\"2\"}", "a=1|a=2" },

    { "{", NULL },
    { "}", NULL },
    { "{a", NULL },
    { "{a=", NULL },
    { "{a=}", NULL },
    { "{a=b}", NULL },
    { "{a=\"b", NULL },
    { "{a=\"b\\\"}", NULL },
    { "{a=\"b\"", NULL },
    { "{a=\"b\" c=\"d\"}", NULL },
    { "{a=\"b\"} x", NULL },
    { "{a=\"b\"}}", NULL },
    { "{,}", NULL },
    { "{a=\"b\",,}", NULL },
    { "{a==\"b\"}", NULL },
    { "{a! =\"b\"}", NULL },
    { "{a!\"b\"}", NULL },
    { "{a>\"b\"}", NULL },
    { "{1a=\"b\"}", NULL },
    { "{\"\"=\"b\"}", NULL },
    { "{a=\"\\q\"}", NULL },
    { "{a=\"\\x4\"}", NULL },
    { "{a=\"\\400\"}", NULL },
    { "{a=\"\\ud800\"}", NULL },
    { "{a=\"\\U00110000\"}", NULL },
    { "{a=\"\\xff\"}", NULL },
    { "{a=\"\xff\"}", NULL },
    { "a=\"b\"}", NULL },
    { "a=\"b\" c=\"d\"", NULL },
    { "x a=\"b\"", NULL },
    { "{a=~\"(\"}", NULL },
    { "{a=~\"[\"}", NULL },
    { "{a=~\"*\"}", NULL },
};


typedef struct {
    const char  *pattern;
    const char  *value;
    int          match;         /* -1: the pattern is refused */
} regex_case_t;


static const regex_case_t  regexes[] = {
    { "abc", "abc", 1 },
    { "abc", "xabc", 0 },
    { "abc", "abcd", 0 },
    { "a|bc", "bc", 1 },
    { "a|bc", "ac", 0 },
    { "", "", 1 },
    { "", "x", 0 },
    { ".*", "", 1 },
    { ".+", "", 0 },
    { ".*", "a\nb", 1 },
    { "a$", "a\n", 0 },
    { "shop\\.(order|payment)", "shop.payment", 1 },
    { "(?i)ABC", "abc", 1 },
    { "(?i:A)bc", "abc", 1 },
    { "(?P<n>a)b", "ab", 1 },
    { "(?:a)(b)", "ab", 1 },
    { "(?s-m).", "\n", 1 },
    { ".", "\xc3\xa9", 1 },
    { "\\x{e9}", "\xc3\xa9", 1 },
    { "\\pL+", "\xc3\xa9z", 1 },
    { "\\p{Greek}", "a", 0 },
    { "\\d+", "\xd9\xa1", 0 },
    { "[[:alpha:](?=]+", "a(?=b", 1 },
    { "[]x[]+", "]x[", 1 },
    { "[^\\d]+", "abc", 1 },
    { "\\Q(?=\\E", "(?=", 1 },
    { "\\Qa.c", "a.c", 1 },
    { "\\(\\*", "(*", 1 },
    { "a{2}", "aa", 1 },
    { "a{,}", "a{,}", 1 },

    /* Grafana's form of several values */
    { "{a,b.c}", "b.c", 1 },
    { "{a,b.c}", "bxc", 0 },
    { "{a,b.c}", "a", 1 },
    { "{a(,b\\}", "b\\", 1 },
    { "{a}", "{a}", 1 },
    { "{10,20,30}", "20", 1 },

    { "(a)\\1", "aa", -1 },
    { "(?=a)a", "a", -1 },
    { "(?!b)a", "a", -1 },
    { "(?<=a)b", "b", -1 },
    { "(?<!a)b", "b", -1 },
    { "(?>a)", "a", -1 },
    { "(?R)?", "a", -1 },
    { "(?1)", "a", -1 },
    { "(?P=n)", "a", -1 },
    { "(?P>n)", "a", -1 },
    { "(?(1)a)", "a", -1 },
    { "(?#x)a", "a", -1 },
    { "(?|a)", "a", -1 },
    { "(?C1)a", "a", -1 },
    { "(?", "a", -1 },
    { "(?i", "a", -1 },
    { "(*UTF)a", "a", -1 },
    { "(*LIMIT_MATCH=1)a", "a", -1 },
    { "\\Ka", "a", -1 },
    { "\\Ga", "a", -1 },
    { "\\k<n>", "a", -1 },
    { "\\g1", "a", -1 },
    { "\\C", "a", -1 },
    { "\\R", "a", -1 },
    { "[\\h]", "a", -1 },
    { "a\\", "a", -1 },
    { "a)", "a", -1 },
    { "((ab{1000}){1000}){1000}", "a", -1 },
};


static void
selector_text(const pyro_selector_t *selector, char *out, size_t size)
{
    int                    n;
    size_t                 len;
    uint32_t               i;
    const pyro_matcher_t  *m;

    static const char  *ops[] = { "=", "!=", "=~", "!~" };

    out[0] = '\0';
    len = 0;

    for (i = 0; i < selector->n; i++) {
        m = &selector->items[i];
        n = snprintf(out + len, size - len, "%s%.*s%s%.*s", i ? "|" : "",
                     PYRO_SLICE_ARG(m->name), ops[m->op],
                     PYRO_SLICE_ARG(m->value));
        len += (size_t) n;
    }
}


static void
selector_reads_its_grammar(void **state)
{
    char              text[1024];
    size_t            i;
    pyro_arena_t     *arena;
    pyro_error_t      err;
    pyro_status_e     status;
    pyro_selector_t   selector;

    (void) state;

    for (i = 0; i < sizeof(grammar) / sizeof(grammar[0]); i++) {
        arena = pyro_arena_create(0);
        err.message[0] = '\0';
        status = pyro_selector_parse(arena, pyro_slice_str(grammar[i].text),
                                     &selector, &err);

        if (grammar[i].want == NULL) {
            if (status != PYRO_INVALID || err.message[0] == '\0') {
                fail_msg("accepted: %s", grammar[i].text);
            }

        } else if (status != PYRO_OK) {
            fail_msg("%s: %s", grammar[i].text, err.message);

        } else {
            selector_text(&selector, text, sizeof(text));
            assert_string_equal(text, grammar[i].want);
            pyro_selector_free(&selector);
        }

        pyro_arena_destroy(arena);
    }
}


static void
selector_errors_name_the_position(void **state)
{
    pyro_arena_t     *arena;
    pyro_error_t      err;
    pyro_selector_t   selector;

    (void) state;

    arena = pyro_arena_create(0);

    pyro_selector_parse(arena, PYRO_SLICE("{a="), &selector, &err);
    assert_string_equal(err.message, "label selector: parse error: position 3: "
                        "expected a quoted string, got the end of the text");
    assert_int_equal(err.offset, 3);

    pyro_selector_parse(arena, PYRO_SLICE("{a=\"b\" c"), &selector, &err);
    assert_string_equal(err.message, "label selector: parse error: position 7: "
                        "expected \",\" or \"}\", got \"c\"");

    pyro_selector_parse(arena, PYRO_SLICE("{a=~\"(x\"}"), &selector, &err);
    assert_non_null(strstr(err.message, "error parsing regular expression "
                           "\"(x\" at offset 2"));

    pyro_selector_parse(arena, PYRO_SLICE("{a=~\"b(?=x)\"}"), &selector, &err);
    assert_non_null(strstr(err.message, "at offset 1: \"(?=x\" is not"));

    assert_int_equal(pyro_selector_parse(arena, PYRO_SLICE("{a="), &selector,
                                         NULL), PYRO_INVALID);
    assert_int_equal(pyro_selector_parse(arena, PYRO_SLICE("{a=~\"(\"}"),
                                         &selector, NULL), PYRO_INVALID);

    pyro_arena_destroy(arena);
}


static void
selector_tests_labels(void **state)
{
    size_t            i;
    pyro_arena_t     *arena;
    pyro_error_t      err;
    pyro_selector_t   selector;

    static const struct {
        const char  *text;
        int          match;
    } cases[] = {
        { "{}", 1 },
        { "{service_name=\"shop\"}", 1 },
        { "{service_name=\"shop2\"}", 0 },
        { "{service_name!=\"shop\"}", 0 },
        { "{region=~\"e.|us\"}", 1 },
        { "{region!~\"e.\"}", 0 },
        { "{region!~\"e\"}", 1 },
        { "{none=\"\"}", 1 },
        { "{none!=\"\"}", 0 },
        { "{none!=\"x\"}", 1 },
        { "{none=~\".*\"}", 1 },
        { "{none=~\".+\"}", 0 },
        { "{none!~\".+\"}", 1 },
        { "{service_name=\"shop\", region=\"us\"}", 0 },
        { "{service_name=\"shop\", region!=\"us\", none=\"\"}", 1 },
    };

    pyro_label_t   items[] = {
        { PYRO_SLICE("region"), PYRO_SLICE("eu") },
        { PYRO_SLICE("service_name"), PYRO_SLICE("shop") },
    };
    pyro_labels_t  labels = { items, 2 };

    (void) state;

    arena = pyro_arena_create(0);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(pyro_selector_parse(arena,
                                             pyro_slice_str(cases[i].text),
                                             &selector, &err), PYRO_OK);

        if (pyro_selector_test(&selector, &labels, &err) != cases[i].match) {
            fail_msg("%s", cases[i].text);
        }

        pyro_selector_free(&selector);
    }

    assert_int_equal(pyro_selector_parse(arena, PYRO_SLICE("region=\"eu\""),
                                         &selector, &err), PYRO_OK);
    assert_int_equal(pyro_selector_add(&selector, PYRO_SLICE("service_name"),
                                       PYRO_SLICE("other")), 0);
    assert_int_equal(selector.n, 2);
    assert_int_equal(pyro_selector_test(&selector, &labels, &err), 0);
    pyro_selector_free(&selector);

    pyro_arena_destroy(arena);
}


static void
regex_is_anchored_and_of_re2(void **state)
{
    int            rc;
    size_t         i;
    pyro_arena_t  *arena;
    pyro_error_t   err;
    pyro_regex_t  *regex;

    (void) state;

    arena = pyro_arena_create(0);

    for (i = 0; i < sizeof(regexes) / sizeof(regexes[0]); i++) {
        err.message[0] = '\0';
        regex = pyro_regex_compile(arena, pyro_slice_str(regexes[i].pattern),
                                   &err);
        rc = -1;

        if (regex != NULL) {
            rc = pyro_regex_test(regex, pyro_slice_str(regexes[i].value), &err);
            pyro_regex_free(regex);

        } else {
            assert_int_equal(err.status, PYRO_INVALID);
        }

        if (rc != regexes[i].match) {
            fail_msg("%s on %s: %d %s", regexes[i].pattern, regexes[i].value,
                     rc, err.message);
        }
    }

    pyro_arena_destroy(arena);
}


static void
regex_cannot_hold_a_thread(void **state)
{
    size_t         i;
    char           value[2048], *pattern;
    pyro_arena_t  *arena;
    pyro_error_t   err;
    pyro_regex_t  *regex;

    static const char  *patterns[] = {
        "(a*)*b", "(a|a)*b", "(a+)+b", "(?:a|aa)+b", "(.*)(.*)(.*)(.*)b",
        "((((((((((a*)*)*)*)*)*)*)*)*)*)*b",
    };

    (void) state;

    arena = pyro_arena_create(0);
    memset(value, 'a', sizeof(value));

    for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        regex = pyro_regex_compile(arena, pyro_slice_str(patterns[i]), &err);
        assert_non_null(regex);

        err.message[0] = '\0';

        if (pyro_regex_test(regex, pyro_slice(value, sizeof(value)), &err)) {
            assert_int_equal(err.status, PYRO_INVALID);
            assert_non_null(strstr(err.message, "limit"));
        }

        pyro_regex_free(regex);
    }

    /* what cannot be matched is an error, not a crash */

    regex = pyro_regex_compile(arena, PYRO_SLICE("a.*"), &err);
    assert_int_equal(pyro_regex_test(regex, PYRO_SLICE("a\xff"), &err), -1);
    assert_int_equal(pyro_regex_test(regex, pyro_slice(NULL, 0), &err), 0);
    pyro_regex_free(regex);

    pattern = malloc(PYRO_REGEX_MAX_LENGTH + 1);
    memset(pattern, 'a', PYRO_REGEX_MAX_LENGTH + 1);
    assert_null(pyro_regex_compile(arena,
                                   pyro_slice(pattern,
                                              PYRO_REGEX_MAX_LENGTH + 1),
                                   &err));
    regex = pyro_regex_compile(arena, pyro_slice(pattern,
                                                 PYRO_REGEX_MAX_LENGTH), &err);
    assert_non_null(regex);
    pyro_regex_free(regex);

    memset(pattern, '(', PYRO_REGEX_MAX_LENGTH);
    assert_null(pyro_regex_compile(arena, pyro_slice(pattern,
                                                     PYRO_REGEX_MAX_LENGTH),
                                   &err));
    free(pattern);

    pyro_arena_destroy(arena);
}


static void
selector_bounds_its_matchers(void **state)
{
    int               i;
    char              text[4096], *p;
    pyro_arena_t     *arena;
    pyro_error_t      err;
    pyro_selector_t   selector;

    (void) state;

    arena = pyro_arena_create(0);
    p = text;

    for (i = 0; i < 100; i++) {
        p += sprintf(p, "a=~\"b\",");
    }

    assert_int_equal(pyro_selector_parse(arena, pyro_slice_str(text),
                                         &selector, &err), PYRO_OK);
    assert_int_equal(selector.n, 100);
    pyro_selector_free(&selector);

    sprintf(p, "a=~\"b\"");
    assert_int_equal(pyro_selector_parse(arena, pyro_slice_str(text),
                                         &selector, &err), PYRO_INVALID);
    assert_non_null(strstr(err.message, "100"));

    pyro_arena_destroy(arena);
}


static void
selector_reports_no_memory(void **state)
{
    size_t            budget;
    pyro_arena_t     *arena;
    pyro_error_t      err;
    pyro_status_e     status;
    pyro_selector_t   selector;

    (void) state;

    for (budget = 16; budget < 64 * 1024; budget += 16) {
        arena = pyro_arena_create(budget);
        status = pyro_selector_parse(arena, PYRO_SLICE(
            "a:b:c:d:e{a=\"x\\ty\", b=~\"{a,b}\", c=~\"x\"}"), &selector, &err);

        if (status == PYRO_OK) {
            assert_int_equal(selector.n, 4);
            pyro_selector_free(&selector);
            pyro_arena_destroy(arena);
            break;
        }

        assert_int_equal(status, PYRO_UNAVAILABLE);
        pyro_arena_destroy(arena);
    }

    assert_true(budget < 64 * 1024);
}


/* What an index can answer, and what it cannot. */
static void
regex_literals(void **state)
{
    size_t         i;
    char           text[256];
    uint32_t       k, n;
    pyro_arena_t  *arena;
    pyro_slice_t  *list;

    static const struct {
        const char  *pattern;
        const char  *literals;          /* each with a space behind it */
    } cases[] = {
        { "a", "a " }, { "a|b", "a b " }, { "(a|bc)", "a bc " },
        { "(?:a|bc)", "a bc " }, { "a\\.b\\-c|d", "a.b-c d " },
        { "{a,b.c}", "a b.c " }, { "a,b", "a,b " }, { "a/b:c", "a/b:c " },
        { "", "" }, { "a|", "" }, { "|a", "" }, { "a||b", "" }, { "()", "" },
        { "a.", "" }, { "a*", "" }, { "a\\d", "" }, { "[a]", "" },
        { "(a|b)c", "" }, { "(a)|(b)", "" }, { "(?i:a)", "" }, { "^a$", "" },
        { "a\\", "" }, { "{a,}", "" }, { "{a", "" }, { "(?P<x>a)", "" },
        { "x{2}", "" }
    };

    (void) state;

    arena = pyro_arena_create(0);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(pyro_regex_literals(arena,
                                             pyro_slice_str(cases[i].pattern),
                                             &list, &n), 0);
        text[0] = '\0';

        for (k = 0; k < n; k++) {
            strncat(text, list[k].data, list[k].len);
            strcat(text, " ");
        }

        if (strcmp(text, cases[i].literals) != 0) {
            fail_msg("%s: \"%s\"", cases[i].pattern, text);
        }
    }

    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(selector_reads_its_grammar),
        cmocka_unit_test(selector_errors_name_the_position),
        cmocka_unit_test(selector_tests_labels),
        cmocka_unit_test(selector_bounds_its_matchers),
        cmocka_unit_test(selector_reports_no_memory),
        cmocka_unit_test(regex_is_anchored_and_of_re2),
        cmocka_unit_test(regex_cannot_hold_a_thread),
        cmocka_unit_test(regex_literals),
    };

    return unit_run(tests);
}
