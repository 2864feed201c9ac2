#include "unit.h"

#include "jfr/jfr_context.h"


#define READ(bytes)  read_context(bytes, sizeof(bytes) - 1)

/* strings 1 a, 2 b, 3 GET; context 1 { a = b } */
#define SNAPSHOT                                                              \
    "\x12\x05\x08\x01\x12\x01" "a" "\x12\x05\x08\x02\x12\x01" "b"            \
    "\x12\x07\x08\x03\x12\x03" "GET"                                          \
    "\x0a\x0a\x08\x01\x12\x06\x0a\x04\x08\x01\x10\x02"


static pyro_arena_t        *arena;
static pyro_error_t         err;
static pyro_jfr_context_t   context;
static pyro_label_t         items[PYRO_JFR_MAX_LABELS + 1];


static pyro_status_e
read_context(const void *bytes, size_t n)
{
    return pyro_jfr_context_read(&context, pyro_slice(bytes, n), arena, &err);
}


static uint32_t
labels_of(pyro_jfr_tag_t tag, pyro_span_t *span)
{
    uint64_t       key;
    pyro_span_t    named;
    pyro_labels_t  labels = { items, 0 };

    memset(span, 0, sizeof(pyro_span_t));
    span->id = tag.span;
    span->trace_hi = tag.trace_hi;
    span->trace_lo = tag.trace_lo;

    key = pyro_jfr_context_key(&context, &tag);

    if (key) {
        pyro_jfr_context_labels(&context, key, &labels, &named);
        span->id = span->id ? span->id : named.id;

        if ((span->trace_hi | span->trace_lo) == 0) {
            span->trace_hi = named.trace_hi;
            span->trace_lo = named.trace_lo;
        }
    }

    return pyro_labels_sort(items, labels.n);
}


static void
labels_and_spans(void **state)
{
    pyro_span_t     span;
    pyro_jfr_tag_t  tag = { 1, 0xf0f1, 3, 0, 9 };

    (void) state;

    assert_int_equal(READ(SNAPSHOT), PYRO_OK);
    assert_int_equal(labels_of(tag, &span), 2);
    assert_true(pyro_slice_is(items[0].name, "a"));
    assert_true(pyro_slice_is(items[0].value, "b"));
    assert_true(pyro_slice_is(items[1].name, "span_name"));
    assert_true(pyro_slice_is(items[1].value, "GET"));
    assert_int_equal(span.id, 0xf0f1);
    assert_int_equal(span.trace_lo, 9);

    /* a context and a name that are not there */

    tag.context = 7;
    tag.span_name = 7;
    assert_int_equal(labels_of(tag, &span), 0);

    assert_int_equal(read_context(NULL, 0), PYRO_OK);
    tag.context = 1;
    assert_int_equal(labels_of(tag, &span), 0);
}


static void
the_last_key_counts(void **state)
{
    pyro_span_t     span;
    pyro_jfr_tag_t  tag = { 1, 0, 0, 0, 0 };

    (void) state;

    /* string 2 again; an unknown field; context 1 again, then with a = a */

    assert_int_equal(READ(SNAPSHOT "\x12\x05\x08\x02\x12\x01" "c" "\x18\x05"
                          "\x21" "12345678" "\x2d" "1234"), PYRO_OK);
    assert_int_equal(labels_of(tag, &span), 1);
    assert_true(pyro_slice_is(items[0].value, "c"));

    assert_int_equal(READ(SNAPSHOT "\x0a\x0a\x08\x01\x12\x06\x0a\x04\x08\x01"
                          "\x10\x01"), PYRO_OK);
    assert_int_equal(labels_of(tag, &span), 1);
    assert_true(pyro_slice_is(items[0].value, "a"));

    /* a missing value, an empty name, a context of nothing */

    assert_int_equal(READ("\x12\x05\x08\x01\x12\x01" "a" "\x12\x02\x08\x02"
                          "\x0a\x10\x08\x01\x12\x0c\x0a\x04\x08\x01\x10\x09"
                          "\x0a\x04\x08\x02\x10\x01"), PYRO_OK);
    assert_int_equal(labels_of(tag, &span), 0);
    assert_int_equal(READ("\x0a\x02\x08\x01"), PYRO_OK);
    assert_int_equal(labels_of(tag, &span), 0);
}


/* Ids of ten bytes are negative ones. */
static void
negative_ids(void **state)
{
    pyro_span_t     span;
    pyro_jfr_tag_t  tag = { 0, 0, UINT64_MAX, 0, 0 };

    (void) state;

    assert_int_equal(READ("\x12\x0e\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                          "\x01\x12\x01" "n"), PYRO_OK);
    assert_int_equal(labels_of(tag, &span), 1);
    assert_true(pyro_slice_is(items[0].value, "n"));
}


static void
spans_among_the_labels(void **state)
{
    pyro_span_t     span;
    pyro_jfr_tag_t  tag = { 1, 0, 0, 0, 0 };

    (void) state;

    assert_int_equal(READ("\x12\x0e\x08\x01\x12\x0a" "profile_id"
                          "\x12\x14\x08\x02\x12\x10" "00f067aa0ba902B7"
                          "\x0a\x0a\x08\x01\x12\x06\x0a\x04\x08\x01\x10\x02"),
                     PYRO_OK);
    assert_int_equal(labels_of(tag, &span), 0);
    assert_true(span.id == 0x00f067aa0ba902b7);

    /* what the event itself says goes before */

    tag.span = 5;
    labels_of(tag, &span);
    assert_int_equal(span.id, 5);
}


static void
broken(void **state)
{
    size_t  n, i;
    char    many[8192];

    (void) state;

    static const struct {
        const char  *bytes;
        size_t       n;
    } cases[] = {
        { "\x0a", 1 },                          /* no length */
        { "\x0a\x05\x08", 3 },                  /* past the end */
        { "\x08\x01", 2 },                      /* wrong wire types */
        { "\x10\x01", 2 },
        { "\x12\x03\x0a\x01" "a", 5 },
        { "\x12\x04\x08\x01\x10\x01", 6 },
        { "\x0a\x04\x08\x01\x10\x01", 6 },
        { "\x0a\x06\x08\x01\x12\x02\x08\x01", 8 },
        { "\x0a\x08\x08\x01\x12\x04\x0a\x02\x0a\x00", 10 },
        { "\x0b", 1 },                          /* a group */
        { "\x02\x00", 2 },                      /* field number 0 */
        { "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
        { "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 },
        { "\x0a\x03\x08\x80\x80", 5 },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_context(cases[i].bytes, cases[i].n),
                         PYRO_UNPROCESSABLE);
        assert_non_null(strstr(err.message, "labels"));
    }

    /* each prefix is either sound or not */

    for (n = 0; n < sizeof(SNAPSHOT); n++) {
        assert_true(read_context(SNAPSHOT, n) != PYRO_UNAVAILABLE);
    }

    /* a context of 257 labels */

    memcpy(many, "\x0a\x8b\x0c\x08\x01\x12\x86\x0c", 8);

    for (i = 0; i < 257; i++) {
        memcpy(many + 8 + i * 6, "\x0a\x04\x08\x01\x10\x01", 6);
    }

    assert_int_equal(read_context(many, 8 + 257 * 6), PYRO_UNPROCESSABLE);
    assert_non_null(strstr(err.message, "256"));
}


static int
set_up(void **state)
{
    (void) state;

    arena = pyro_arena_create(0);

    return arena == NULL;
}


static int
tear_down(void **state)
{
    (void) state;

    pyro_arena_destroy(arena);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(labels_and_spans, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_key_counts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(negative_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spans_among_the_labels, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(broken, set_up, tear_down),
    };

    return unit_run(tests);
}
