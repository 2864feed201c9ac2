#include "unit.h"

#include "core/model/labels.h"


#define L(name, value)  { PYRO_SLICE(name), PYRO_SLICE(value) }


static void
sort_keeps_the_last_and_drops_empty_values(void **state)
{
    uint32_t      n;
    pyro_label_t  items[] = {
        L("b", "1"), L("a", "x"), L("c", ""), L("b", "2"), L("ab", "y"),
        L("d", "gone"), L("d", ""), L("", "z")
    };

    (void) state;

    n = pyro_labels_sort(items, sizeof(items) / sizeof(items[0]));

    assert_int_equal(n, 4);
    assert_true(pyro_slice_is(items[0].name, ""));
    assert_true(pyro_slice_is(items[1].name, "a"));
    assert_true(pyro_slice_is(items[2].name, "ab"));
    assert_true(pyro_slice_is(items[3].name, "b"));
    assert_true(pyro_slice_is(items[3].value, "2"));

    assert_int_equal(pyro_labels_sort(NULL, 0), 0);
}


/* Every length, so that all shapes of runs and rests occur. */
static void
sort_is_stable_at_any_length(void **state)
{
    char          (*names)[8], (*values)[12];
    uint32_t        i, k, n, left, seed;
    pyro_label_t   *items;

    (void) state;

    items = calloc(3000, sizeof(pyro_label_t));
    names = calloc(3000, sizeof(*names));
    values = calloc(3000, sizeof(*values));
    seed = 1;

    for (n = 1; n <= 3000; n = n < 200 ? n + 1 : n + 350) {

        for (i = 0; i < n; i++) {
            seed = seed * 1664525 + 1013904223;
            snprintf(names[i], sizeof(*names), "n%u",
                     (seed >> 16) % (n / 2 + 1));
            snprintf(values[i], sizeof(*values), "%u", i);
            items[i].name = pyro_slice_str(names[i]);
            items[i].value = pyro_slice_str(values[i]);
        }

        left = pyro_labels_sort(items, n);

        for (i = 0; i + 1 < left; i++) {
            assert_true(pyro_slice_cmp(items[i].name, items[i + 1].name) < 0);
        }

        /* the last of each name is there, with its value */

        for (i = 0; i < left; i++) {
            k = (uint32_t) atoi(items[i].value.data);
            assert_string_equal(names[k], items[i].name.data);

            while (++k < n) {
                assert_string_not_equal(names[k], items[i].name.data);
            }
        }
    }

    free(items);
    free(names);
    free(values);
}


static void
get_and_compare(void **state)
{
    uint32_t       i, k;
    pyro_label_t   ab[] = { L("a", "1"), L("b", "2") };
    pyro_label_t   ac[] = { L("a", "1"), L("c", "0") };
    pyro_label_t   b[] = { L("a", "2") };
    pyro_labels_t  sets[] = { { NULL, 0 }, { ab, 1 }, { ab, 2 }, { ac, 2 },
                              { b, 1 } };

    (void) state;

    assert_true(pyro_slice_is(pyro_labels_get(&sets[2], PYRO_SLICE("b")),
                              "2"));
    assert_int_equal(pyro_labels_get(&sets[2], PYRO_SLICE("c")).len, 0);
    assert_int_equal(pyro_labels_get(&sets[0], PYRO_SLICE("a")).len, 0);

    for (i = 0; i < 5; i++) {
        for (k = 0; k < 5; k++) {
            assert_int_equal((pyro_labels_cmp(&sets[i], &sets[k]) > 0)
                             - (pyro_labels_cmp(&sets[i], &sets[k]) < 0),
                             (i > k) - (i < k));
        }
    }
}


static void
merge_prefers_the_first(void **state)
{
    pyro_label_t   one[] = { L("b", "1"), L("d", "1") };
    pyro_label_t   two[] = { L("a", "2"), L("b", "2"), L("e", "2") };
    pyro_label_t   all[] = { L("a", "2"), L("b", "1"), L("d", "1"),
                             L("e", "2") };
    pyro_labels_t  a = { one, 2 }, b = { two, 3 }, none = { NULL, 0 }, out;
    pyro_labels_t  expected = { all, 4 };
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(0);

    assert_int_equal(pyro_labels_merge(arena, &a, &b, &out), 0);
    assert_int_equal(pyro_labels_cmp(&out, &expected), 0);

    assert_int_equal(pyro_labels_merge(arena, &none, &b, &out), 0);
    assert_int_equal(pyro_labels_cmp(&out, &b), 0);

    assert_int_equal(pyro_labels_merge(arena, &a, &none, &out), 0);
    assert_int_equal(pyro_labels_cmp(&out, &a), 0);

    assert_int_equal(pyro_labels_merge(arena, &none, &none, &out), 0);
    assert_int_equal(out.n, 0);

    pyro_arena_destroy(arena);

    arena = pyro_arena_create(16);
    assert_int_equal(pyro_labels_merge(arena, &a, &b, &out), -1);
    pyro_arena_destroy(arena);
}


static void
hash_knows_where_a_text_ends(void **state)
{
    uint32_t        i, k;
    pyro_label_t    one[] = { L("ab", "c") }, two[] = { L("a", "bc") };
    pyro_label_t    three[] = { L("a", "b"), L("c", "d") };
    pyro_label_t    four[] = { L("a", "bcd") };
    pyro_labels_t   sets[] = { { one, 1 }, { two, 1 }, { three, 2 },
                               { four, 1 }, { NULL, 0 }, { three, 1 } };
    pyro_hash128_t  a, b;

    (void) state;

    for (i = 0; i < 6; i++) {
        for (k = 0; k < 6; k++) {
            a = pyro_labels_hash(&sets[i]);
            b = pyro_labels_hash(&sets[k]);
            assert_int_equal(a.lo == b.lo && a.hi == b.hi, i == k);
        }
    }
}


static void
refused(pyro_slice_t name, pyro_slice_t value, uint32_t max_names,
    pyro_reason_e reason, const char *words)
{
    pyro_label_t         item = { name, value };
    pyro_error_t         err;
    pyro_labels_t        set = { &item, 1 };
    pyro_label_limits_t  limits = { max_names, 10, 20 };

    assert_int_equal(pyro_labels_check(&set, &limits, &err),
                     PYRO_UNPROCESSABLE);
    assert_int_equal(err.reason, reason);

    if (strstr(err.message, words) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", words, err.message);
    }
}


static void
check(void **state)
{
    pyro_label_t         items[] = { L("1234567890", "12345678901234567890"),
                                     L("b", "\xc3\xa4") };
    pyro_error_t         err;
    pyro_labels_t        set = { items, 2 };
    pyro_label_limits_t  limits = { 2, 10, 20 }, none = { 0, 0, 0 };

    (void) state;

    assert_int_equal(pyro_labels_check(&set, &limits, &err), PYRO_OK);
    assert_int_equal(pyro_labels_check(&set, &none, &err), PYRO_OK);

    limits.max_names = 1;
    assert_int_equal(pyro_labels_check(&set, &limits, &err),
                     PYRO_UNPROCESSABLE);
    assert_int_equal(err.reason, PYRO_REASON_LABEL_NAMES);
    assert_non_null(strstr(err.message, "2 names, the limit is 1 "
                                        "(limits.max_label_names_per_series)"));

    refused(PYRO_SLICE("12345678901"), PYRO_SLICE("x"), 1,
            PYRO_REASON_LABEL_NAME_LENGTH,
            "12345678901...\": 11 bytes, the limit is 10 "
            "(limits.max_label_name_length)");
    refused(PYRO_SLICE("name"), PYRO_SLICE("123456789012345678901"), 1,
            PYRO_REASON_LABEL_VALUE_LENGTH,
            "\"name\": 21 bytes, the limit is 20 "
            "(limits.max_label_value_length)");
    refused(PYRO_SLICE(""), PYRO_SLICE("x"), 1, PYRO_REASON_LABELS,
            "no name");
    refused(PYRO_SLICE("a\xff"), PYRO_SLICE("x"), 1, PYRO_REASON_LABELS,
            "label name \"a?\" is not valid UTF-8");
    refused(PYRO_SLICE("name"), PYRO_SLICE("\xc3"), 1, PYRO_REASON_LABELS,
            "value of label \"name\" is not valid UTF-8");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(sort_keeps_the_last_and_drops_empty_values),
        cmocka_unit_test(sort_is_stable_at_any_length),
        cmocka_unit_test(get_and_compare),
        cmocka_unit_test(merge_prefers_the_first),
        cmocka_unit_test(hash_knows_where_a_text_ends),
        cmocka_unit_test(check),
    };

    return unit_run(tests);
}
