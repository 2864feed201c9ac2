#include "unit.h"

#include "core/model/app_name.h"


static void
gives(const char *text, const char *expected)
{
    char            got[1024];
    size_t          len;
    uint32_t        i;
    pyro_error_t    err;
    pyro_arena_t   *arena;
    pyro_labels_t   labels;

    arena = pyro_arena_create(0);
    err.message[0] = '\0';

    if (pyro_app_name_parse(arena, pyro_slice_str(text), PYRO_SLICE("s"),
                            &labels, &err) != PYRO_OK)
    {
        fail_msg("%s: %s", text, err.message);
    }

    len = 0;
    got[0] = '\0';

    for (i = 0; i < labels.n; i++) {

        if (pyro_slice_is(labels.items[i].name, "pyroscope_spy")) {
            assert_true(pyro_slice_is(labels.items[i].value, "s"));
            continue;
        }

        len += (size_t) snprintf(got + len, sizeof(got) - len, "%s%.*s=%.*s",
                                 len ? "|" : "",
                                 PYRO_SLICE_ARG(labels.items[i].name),
                                 PYRO_SLICE_ARG(labels.items[i].value));
    }

    assert_string_equal(got, expected);

    pyro_arena_destroy(arena);
}


static void
refused(const char *text, const char *message)
{
    pyro_error_t    err;
    pyro_arena_t   *arena;
    pyro_labels_t   labels;

    arena = pyro_arena_create(0);

    assert_int_equal(pyro_app_name_parse(arena, pyro_slice_str(text),
                                         PYRO_SLICE("s"), &labels, &err),
                     PYRO_INVALID);
    assert_string_equal(err.message, message);

    pyro_arena_destroy(arena);
}


static void
plain_names(void **state)
{
    (void) state;

    gives("shop", "service_name=shop");
    gives("  shop.checkout-1/a_B9 ", "service_name=shop.checkout-1/a_B9");
    gives("shop{}", "service_name=shop");
    gives(" shop {", "service_name=shop");
}


static void
labels_in_braces(void **state)
{
    (void) state;

    gives("shop{env=prod}", "env=prod|service_name=shop");
    gives("shop{ env = prod , b.c = x=y z }",
          "b.c=x=y z|env=prod|service_name=shop");
    gives("shop{a=1,}", "a=1|service_name=shop");
    gives("shop{a=1,a=2}", "a=2|service_name=shop");
    gives("shop{a=1,a=}", "service_name=shop");
    gives("shop{a=,b=\xc3\xa4}", "b=\xc3\xa4|service_name=shop");

    gives("shop.checkout{env=prod,host=node-7,otel.scope.name="
          "com.grafana.pyroscope/java,otel.scope.version=2.9.1,"
          "process.runtime.name=OpenJDK Runtime Environment,"
          "process.runtime.version=21.0.4+7-LTS}",
          "env=prod|host=node-7|otel.scope.name=com.grafana.pyroscope/java|"
          "otel.scope.version=2.9.1|"
          "process.runtime.name=OpenJDK Runtime Environment|"
          "process.runtime.version=21.0.4+7-LTS|service_name=shop.checkout");
}


static void
habits_of_the_reference(void **state)
{
    (void) state;

    gives("shop{a}", "service_name=shop");
    gives("shop{a=1,b}", "a=1|service_name=shop");
    gives("shop{a=1", "service_name=shop");
    gives("shop{a=1,b=2", "a=1|service_name=shop");
    gives("shop{a=1,b", "a=1|service_name=shop");
    gives("shop{a=1,b c=2", "a=1|service_name=shop");
    gives("shop{a b}", "service_name=shop");
    gives("shop{}x=1}", "service_name=shop");
    gives("shop{a=1}ignored", "a=1|service_name=shop");
    gives("shop{a=1}b=2}", "a=1|b=2|service_name=shop");
    gives("shop{a=1}b}c=2}", "a=1|service_name=shop");
}


static void
names_with_a_meaning(void **state)
{
    (void) state;

    gives("shop{__name__=other}", "service_name=other");
    gives("shop{__name__=}", "service_name=shop");
    gives("shop{__session_id__=5,__x__=1,_a=1}", "_a=1|service_name=shop");
    gives("shop{service_name=mine}", "app_name=shop|service_name=mine");
    gives("shop{service_name=mine,app_name=a}",
          "app_name=a|service_name=mine");
    gives("shop{app_name=a}", "app_name=a|service_name=shop");
    gives("shop{service_name=}", "service_name=shop");
    gives("shop{pyroscope_spy=mine}", "service_name=shop");
}


static void
spy_names(void **state)
{
    pyro_error_t    err;
    pyro_arena_t   *arena;
    pyro_labels_t   labels;

    (void) state;

    arena = pyro_arena_create(0);
    assert_int_equal(pyro_app_name_parse(arena, PYRO_SLICE("a"),
                                         pyro_slice(NULL, 0), &labels, &err),
                     PYRO_OK);
    assert_true(pyro_slice_is(pyro_labels_get(&labels,
                                              PYRO_SLICE("pyroscope_spy")),
                              "unknown"));
    pyro_arena_destroy(arena);
}


static void
errors(void **state)
{
    pyro_error_t    err;
    pyro_arena_t   *arena;
    pyro_labels_t   labels;

    (void) state;

    refused("", "name: service name is required");
    refused(" \t", "name: service name is required");
    refused("{a=1}", "name: service name is required");
    refused("sh op", "name: invalid service name: sh op: character is not "
                     "allowed: ' '");
    refused("sh\xc3\xa4", "name: invalid service name: sh\xc3\xa4: character "
                          "is not allowed: '?'");
    refused("shop}", "name: invalid service name: shop}: character is not "
                     "allowed: '}'");
    refused("shop{a-b=1}", "name: invalid label name: a-b: character is not "
                           "allowed: '-'");
    refused("shop{a,b=1}", "name: invalid label name: a,b: character is not "
                           "allowed: ','");
    refused("shop{a=1,,b=1}", "name: invalid label name: ,b: character is not "
                              "allowed: ','");
    refused("shop{=v}", "name: label name is required");
    refused("shop{a=1}{b=2}", "name: invalid label name: {b: character is not "
                              "allowed: '{'");

    arena = pyro_arena_create(16);
    assert_int_equal(pyro_app_name_parse(arena, PYRO_SLICE("a{b=c}"),
                                         PYRO_SLICE("s"), &labels, &err),
                     PYRO_UNAVAILABLE);
    assert_int_equal(pyro_app_name_parse(arena, PYRO_SLICE("a"),
                                         PYRO_SLICE("s"), &labels, &err),
                     PYRO_UNAVAILABLE);
    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(plain_names),
        cmocka_unit_test(labels_in_braces),
        cmocka_unit_test(habits_of_the_reference),
        cmocka_unit_test(names_with_a_meaning),
        cmocka_unit_test(spy_names),
        cmocka_unit_test(errors),
    };

    return unit_run(tests);
}
