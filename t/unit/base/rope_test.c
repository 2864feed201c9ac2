#include "unit.h"

#include "core/base/rope.h"


/* The rope's bytes as one string; the caller frees it. */
static char *
flat(const pyro_rope_t *rope)
{
    char               *text;
    size_t              len;
    pyro_rope_chunk_t  *chunk;

    text = malloc(rope->size + 1);
    len = 0;

    for (chunk = rope->first; chunk != NULL; chunk = chunk->next) {
        assert_true(chunk->len <= chunk->cap);
        assert_true(chunk->cap <= 64 * 1024);
        memcpy(text + len, chunk->data, chunk->len);
        len += chunk->len;
    }

    assert_int_equal(len, rope->size);
    text[len] = '\0';

    return text;
}


static void
appends(void **state)
{
    char         *text, piece[1000];
    size_t        i;
    pyro_rope_t   rope;

    (void) state;

    for (i = 0; i < sizeof(piece); i++) {
        piece[i] = (char) ('a' + i % 26);
    }

    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_rope_status(&rope, NULL), PYRO_OK);

    for (i = 0; i < 300; i++) {
        pyro_rope_append(&rope, piece, sizeof(piece));
    }

    pyro_rope_append(&rope, NULL, 0);
    text = flat(&rope);
    assert_int_equal(rope.size, 300000);

    for (i = 0; i < 300; i++) {
        assert_memory_equal(text + i * sizeof(piece), piece, sizeof(piece));
    }

    free(text);
    pyro_rope_free(&rope);
    assert_int_equal(rope.size, 0);
    assert_null(rope.first);

    pyro_rope_printf(&rope, "%d-%s", 5, "x");
    text = flat(&rope);
    assert_string_equal(text, "5-x");

    free(text);
    pyro_rope_printf(&rope, "<%.*s>", 1000, piece);
    pyro_rope_printf(&rope, "<%.*s%.*s>", 1000, piece, 1000, piece);
    text = flat(&rope);
    assert_int_equal(rope.size, 3 + 1002 + 2002);
    assert_memory_equal(text + 3 + 1002, "<", 1);
    assert_memory_equal(text + 3 + 1002 + 1001, piece, 1000);
    assert_string_equal(text + rope.size - 1, ">");

    free(text);
    pyro_rope_free(&rope);
}


static void
limit_is_exact_and_sticks(void **state)
{
    pyro_rope_t   rope;
    pyro_error_t  err;

    (void) state;

    pyro_rope_init(&rope, 10);
    pyro_rope_append(&rope, "0123456789", 10);
    assert_int_equal(pyro_rope_status(&rope, &err), PYRO_OK);

    pyro_rope_append(&rope, "x", 1);
    assert_int_equal(pyro_rope_status(&rope, &err), PYRO_UNPROCESSABLE);
    assert_int_equal(err.reason, PYRO_REASON_QUERY);
    assert_non_null(strstr(err.message, "10 bytes"));
    assert_non_null(strstr(err.message, "query.max_response_bytes"));

    pyro_rope_append(&rope, "", 0);
    pyro_rope_printf(&rope, "y");
    assert_int_equal(rope.size, 10);
    assert_int_equal(pyro_rope_status(&rope, NULL), PYRO_UNPROCESSABLE);

    pyro_rope_free(&rope);
    assert_int_equal(rope.limit, 10);
    assert_int_equal(pyro_rope_status(&rope, NULL), PYRO_OK);
}


static void
json_strings(void **state)
{
    char         *text;
    pyro_rope_t   rope;

    (void) state;

    pyro_rope_init(&rope, 0);
    pyro_rope_json(&rope, PYRO_SLICE(""));
    pyro_rope_json(&rope, PYRO_SLICE("plain \xc3\xa4 </\x7f"));
    pyro_rope_json(&rope, PYRO_SLICE("\"\\\n\0\x1f"));
    pyro_rope_json(&rope, PYRO_SLICE("a\xff" "b\xc3"));

    text = flat(&rope);
    assert_string_equal(text, "\"\"" "\"plain \xc3\xa4 </\x7f\""
                              "\"\\\"\\\\\\u000a\\u0000\\u001f\""
                              "\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"");
    free(text);
    pyro_rope_free(&rope);
}


static void
flat_in_an_arena(void **state)
{
    char           part[1000];
    size_t         i;
    pyro_rope_t    rope;
    pyro_slice_t   all;
    pyro_arena_t  *arena, *small;

    (void) state;

    arena = pyro_arena_create(0);
    small = pyro_arena_create(8);
    pyro_rope_init(&rope, 150 * sizeof(part));

    all = pyro_rope_flat(&rope, arena);
    assert_non_null(all.data);
    assert_int_equal(all.len, 0);

    for (i = 0; i < 150; i++) {
        memset(part, 'a' + (int) (i % 26), sizeof(part));
        pyro_rope_append(&rope, part, sizeof(part));
    }

    all = pyro_rope_flat(&rope, arena);
    assert_int_equal(all.len, 150 * sizeof(part));

    for (i = 0; i < all.len; i++) {
        assert_int_equal(all.data[i], 'a' + (int) (i / sizeof(part) % 26));
    }

    assert_null(pyro_rope_flat(&rope, small).data);

    pyro_rope_append(&rope, "x", 1);
    assert_null(pyro_rope_flat(&rope, arena).data);

    pyro_rope_free(&rope);
    pyro_arena_destroy(small);
    pyro_arena_destroy(arena);
}


static void
prepends(void **state)
{
    char         *text;
    pyro_rope_t   rope;

    (void) state;

    pyro_rope_init(&rope, 6);
    pyro_rope_prepend(&rope, "head", 4);
    pyro_rope_append(&rope, "tail", 4);
    pyro_rope_prepend(&rope, "1", 1);

    /* the limit is of what was appended */

    pyro_rope_append(&rope, "56", 2);
    assert_int_equal(pyro_rope_status(&rope, NULL), PYRO_OK);

    text = flat(&rope);
    assert_string_equal(text, "1headtail56");
    free(text);

    pyro_rope_append(&rope, "7", 1);
    assert_int_not_equal(pyro_rope_status(&rope, NULL), PYRO_OK);
    pyro_rope_prepend(&rope, "0", 1);
    assert_int_equal(rope.size, 11);

    pyro_rope_free(&rope);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(prepends),
        cmocka_unit_test(limit_is_exact_and_sticks),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(flat_in_an_arena),
    };

    return unit_run(tests);
}
