#include "unit.h"

#include "core/model/profile_type.h"


static void
parse(void **state)
{
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_profile_type_t  type;

    (void) state;

    assert_int_equal(pyro_profile_type_parse(
                         PYRO_SLICE("process_cpu:cpu:nanoseconds:c:n"), &type,
                         &err), PYRO_OK);
    assert_true(pyro_slice_is(type.name, "process_cpu"));
    assert_true(pyro_slice_is(type.sample_type, "cpu"));
    assert_true(pyro_slice_is(type.sample_unit, "nanoseconds"));
    assert_true(pyro_slice_is(type.period_type, "c"));
    assert_true(pyro_slice_is(type.period_unit, "n"));

    assert_int_equal(pyro_profile_type_parse(
                         PYRO_SLICE("memory:alloc_space:bytes:::delta"), &type,
                         &err), PYRO_OK);
    assert_int_equal(type.period_type.len, 0);
    assert_int_equal(type.period_unit.len, 0);

    arena = pyro_arena_create(0);
    assert_string_equal(pyro_profile_type_id(arena, &type).data,
                        "memory:alloc_space:bytes::");
    assert_int_equal(pyro_profile_type_id(arena, &type).len, 26);
    pyro_arena_destroy(arena);

    arena = pyro_arena_create(16);
    assert_null(pyro_profile_type_id(arena, &type).data);
    pyro_arena_destroy(arena);
}


static void
parse_errors(void **state)
{
    size_t               i;
    char                 text[1000];
    pyro_error_t         err;
    pyro_profile_type_t  type;
    static const char   *ids[] = { "", "a", "a:b:c:d", "a:b:c:d:e:f:g" };
    static const char   *words[] = { "got 1 pieces", "\"a\"", "got 4 pieces",
                                     "got 7 pieces" };

    (void) state;

    for (i = 0; i < 4; i++) {
        assert_int_equal(pyro_profile_type_parse(pyro_slice_str(ids[i]), &type,
                                                 &err), PYRO_INVALID);
        assert_non_null(strstr(err.message, words[i]));
        assert_non_null(strstr(err.message, "name:sample_type:sample_unit:"
                                            "period_type:period_unit"));
    }

    memset(text, 'x', sizeof(text));
    assert_int_equal(pyro_profile_type_parse(pyro_slice(text, sizeof(text)),
                                             &type, &err), PYRO_INVALID);
    assert_non_null(strstr(err.message, "got 1 pieces"));
}


static void
owned_labels(void **state)
{
    (void) state;

    assert_true(pyro_profile_type_owns(PYRO_SLICE("__name__")));
    assert_true(pyro_profile_type_owns(PYRO_SLICE("__profile_type__")));
    assert_true(pyro_profile_type_owns(PYRO_SLICE("__type__")));
    assert_true(pyro_profile_type_owns(PYRO_SLICE("__unit__")));
    assert_true(pyro_profile_type_owns(PYRO_SLICE("__period_type__")));
    assert_true(pyro_profile_type_owns(PYRO_SLICE("__period_unit__")));
    assert_true(pyro_profile_type_owns(PYRO_SLICE("jfr_event")));
    assert_true(pyro_profile_type_owns(PYRO_SLICE("jfr_engine")));

    assert_false(pyro_profile_type_owns(PYRO_SLICE("__service_name__")));
    assert_false(pyro_profile_type_owns(PYRO_SLICE("service_name")));
    assert_false(pyro_profile_type_owns(PYRO_SLICE("jfr_events")));
    assert_false(pyro_profile_type_owns(PYRO_SLICE("")));
}


static void
labels(void **state)
{
    uint32_t              i;
    pyro_error_t          err;
    pyro_label_t          event = { PYRO_SLICE("jfr_event"),
                                    PYRO_SLICE("itimer") };
    pyro_arena_t         *arena;
    pyro_labels_t         extra = { &event, 1 }, none = { NULL, 0 }, out;
    pyro_profile_type_t   type;
    static const char    *expected[][2] = {
        { "__name__",         "mutex" },
        { "__period_type__",  "mutex" },
        { "__period_unit__",  "count" },
        { "__profile_type__", "mutex:delay:nanoseconds:mutex:count" },
        { "__type__",         "delay" },
        { "__unit__",         "nanoseconds" },
        { "jfr_event",        "itimer" }
    };

    (void) state;

    arena = pyro_arena_create(0);

    assert_int_equal(pyro_profile_type_parse(
                         PYRO_SLICE("mutex:delay:nanoseconds:mutex:count"),
                         &type, &err), PYRO_OK);
    assert_int_equal(pyro_profile_type_labels(arena, &type, &extra, &out), 0);
    assert_int_equal(out.n, 7);

    for (i = 0; i < 7; i++) {
        assert_true(pyro_slice_is(out.items[i].name, expected[i][0]));
        assert_true(pyro_slice_is(out.items[i].value, expected[i][1]));
    }

    assert_int_equal(pyro_profile_type_parse(PYRO_SLICE("a:b:c::"), &type,
                                             &err), PYRO_OK);
    assert_int_equal(pyro_profile_type_labels(arena, &type, &none, &out), 0);
    assert_int_equal(out.n, 4);

    pyro_arena_destroy(arena);

    arena = pyro_arena_create(16);
    assert_int_equal(pyro_profile_type_labels(arena, &type, &none, &out), -1);
    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(parse),
        cmocka_unit_test(parse_errors),
        cmocka_unit_test(owned_labels),
        cmocka_unit_test(labels),
    };

    return unit_run(tests);
}
