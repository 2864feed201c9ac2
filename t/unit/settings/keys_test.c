/*
 * The table of keys: each row makes sense by itself, and its own range takes
 * its default.  With --print the rows as text, for t/110-reference.t, which
 * holds the documentation to them.
 */

#include "settings_fixture.h"

#include <inttypes.h>

#include "core/settings/apply.h"
#include "core/settings/known.h"


static const char *const  types[] = {
    "text", "word", "count", "number", "size", "share", "duration", "bool",
    "tenants", "blank"
};

static pyro_settings_t  settings;


static void
rows_make_sense(void **state)
{
    size_t             i, k;
    const pyro_key_t  *key;

    (void) state;

    for (i = 0; i < pyro_keys_count; i++) {
        key = &pyro_keys[i];

        assert_true(key->type < N(types));
        assert_true(strlen(key->path) < PYRO_KNOWN_PATH_MAX);
        assert_true(key->min <= key->max);
        assert_ptr_equal(pyro_key_find(key->path), key);

        /* a key of the table is none of those that mean nothing */

        for (k = 0; k < pyro_known_count; k++) {
            assert_string_not_equal(pyro_known[k], key->path);
        }
    }
}


static void
defaults_are_in_range(void **state)
{
    char               text[64];
    size_t             i;
    const char        *shown;
    const pyro_key_t  *key;

    (void) state;

    for (i = 0; i < pyro_keys_count; i++) {
        key = &pyro_keys[i];

        if (key->type == PYRO_KEY_TENANTS || key->type == PYRO_KEY_BLANK) {
            continue;
        }

        shown = key->type == PYRO_KEY_TEXT ? key->text ? key->text : ""
                : key->type == PYRO_KEY_WORD ? key->words[key->def]
                : pyro_apply_show(key, key->def, text);

        if (pyro_apply(arena, key, pyro_slice_str(shown), &settings, &err)
            != PYRO_OK)
        {
            fail_msg("%s: %s", key->path, err.message);
        }
    }
}


/* In bytes, ns or as it is; a tab between two columns. */
static void
print_row(const pyro_key_t *key)
{
    size_t   i;
    int64_t  unit;

    unit = key->type == PYRO_KEY_DURATION ? key->unit : 1;

    printf("%s\t%s\t", key->path, types[key->type]);

    if (key->max > INT64_MAX / unit) {
        printf("%" PRId64 "\t\t", key->min * unit);

    } else {
        printf("%" PRId64 "\t%" PRId64 "\t", key->min * unit,
               key->max * unit);
    }

    switch (key->type) {

    case PYRO_KEY_TEXT:
        printf("%s", key->text ? key->text : "");
        break;

    case PYRO_KEY_WORD:
        printf("%s", key->words[key->def]);
        break;

    default:
        printf("%" PRId64, key->def * unit);
    }

    printf("\t%s\t%s\t", key->zero_max ? "max" : key->zero ? "zero" : "",
           key->zero_word ? key->zero_word : "");

    for (i = 0; key->words != NULL && key->words[i] != NULL; i++) {
        printf("%s%s", i ? "," : "", key->words[i]);
    }

    printf("\n");
}


int
main(int argc, char **argv)
{
    size_t  i;

    const struct CMUnitTest  tests[] = {
        TEST(rows_make_sense),
        TEST(defaults_are_in_range),
    };

    if (argc == 2 && strcmp(argv[1], "--print") == 0) {

        for (i = 0; i < pyro_keys_count; i++) {
            print_row(&pyro_keys[i]);
        }

        return 0;
    }

    return unit_run(tests);
}
