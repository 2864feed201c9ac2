#include "unit.h"

#include "core/model/profile.h"


#define L(name, value)  { PYRO_SLICE(name), PYRO_SLICE(value) }

#define CPU    0
#define ALLOC  1
#define TYPES  2

/* of base_rows' first label set */
#define DIGEST_HI  0x59b89352313f5d45ULL
#define DIGEST_LO  0xf5c5f46378df2dc2ULL


/* One sample of a test's table. */
typedef struct {
    const char  *stack;             /* frames, root first: "main:3;work" */
    const char  *label;             /* "name=value", or "" */
    int          type;
    uint64_t     span;
    int64_t      value;
} row_t;


static const pyro_label_limits_t  limits = { 64, 1024, 2048 };

static pyro_label_t   shop_items[] = { L("env", "prod"),
                                       L("service_name", "shop") };
static pyro_labels_t  shop = { shop_items, 2 };


static uint32_t
stack_of(pyro_profile_t *p, const char *stack)
{
    char          text[256], *frame, *line, *save;
    uint32_t      node;
    pyro_frame_t  f;

    snprintf(text, sizeof(text), "%s", stack);
    node = 0;

    for (frame = strtok_r(text, ";", &save);
         frame != NULL;
         frame = strtok_r(NULL, ";", &save))
    {
        memset(&f, 0, sizeof(pyro_frame_t));
        line = strchr(frame, ':');

        if (line != NULL) {
            *line++ = '\0';
            f.line = (uint32_t) atoi(line);
        }

        f.function = pyro_profile_string(p, pyro_slice_str(frame));
        node = pyro_profile_node(p, node, pyro_profile_frame(p, &f));
    }

    return node;
}


static int
add_row(pyro_profile_t *p, const row_t *row)
{
    uint32_t                    set, type;
    pyro_span_t                 span = { row->span, 0, row->span ? 7 : 0 };
    pyro_label_t                label;
    const char                 *equal;
    pyro_labels_t               labels = { &label, 0 };
    static pyro_label_t         event = L("jfr_event", "itimer");
    static pyro_profile_type_t  types[TYPES] = {
        { PYRO_SLICE("process_cpu"), PYRO_SLICE("cpu"),
          PYRO_SLICE("nanoseconds"), PYRO_SLICE("cpu"),
          PYRO_SLICE("nanoseconds") },
        { PYRO_SLICE("memory"), PYRO_SLICE("alloc"), PYRO_SLICE("bytes"),
          PYRO_SLICE("space"), PYRO_SLICE("bytes") }
    };

    equal = strchr(row->label, '=');

    if (equal != NULL) {
        label.name = pyro_slice(row->label, (size_t) (equal - row->label));
        label.value = pyro_slice_str(equal + 1);
        labels.n = 1;
    }

    set = pyro_profile_label_set(p, &labels);
    type = pyro_profile_column(p, &types[row->type]);

    if (type == PYRO_NONE) {
        return -1;
    }

    p->types[type].extra.items = &event;
    p->types[type].extra.n = 1;

    return pyro_profile_add(p, set, type, stack_of(p, row->stack),
                            pyro_profile_span(p, &span), row->value);
}


/* A finished profile of n rows, in the order that order gives. */
static pyro_profile_t *
build(pyro_arena_t *arena, const row_t *rows, const uint32_t *order,
    uint32_t n)
{
    uint32_t         i;
    pyro_error_t     err;
    pyro_profile_t  *p;

    p = pyro_profile_create(arena);
    assert_non_null(p);

    for (i = 0; i < n; i++) {
        assert_int_equal(add_row(p, &rows[order ? order[i] : i]), 0);
    }

    err.message[0] = '\0';

    if (pyro_profile_finish(p, &shop, &limits, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return p;
}


static const pyro_label_set_t *
set_of(const pyro_profile_t *p, const char *name, const char *value)
{
    uint32_t      i;
    pyro_slice_t  v;

    for (i = 0; i < p->n_label_sets; i++) {
        v = pyro_labels_get(&p->label_sets[i].labels, pyro_slice_str(name));

        if (p->label_sets[i].labels.n && pyro_slice_is(v, value)) {
            return &p->label_sets[i];
        }
    }

    return NULL;
}


static void
ids_are_dense_and_by_content(void **state)
{
    uint32_t         a, b, i, node;
    pyro_span_t      span = { 1, 2, 3 }, zero = { 0, 0, 0 };
    pyro_frame_t     frame = { 0, 0, 0, 0 };
    pyro_arena_t    *arena;
    pyro_profile_t  *p;

    (void) state;

    arena = pyro_arena_create(0);
    p = pyro_profile_create(arena);

    assert_int_equal(pyro_profile_string(p, PYRO_SLICE("")), 0);
    a = pyro_profile_string(p, PYRO_SLICE("a"));
    b = pyro_profile_string(p, PYRO_SLICE("b"));
    assert_int_equal(pyro_profile_string(p, PYRO_SLICE("a")), a);
    assert_int_not_equal(a, b);

    /* any field makes another frame */

    frame.function = a;
    assert_int_equal(pyro_profile_frame(p, &frame), 0);
    frame.file = b;
    assert_int_equal(pyro_profile_frame(p, &frame), 1);
    frame.line = 1;
    assert_int_equal(pyro_profile_frame(p, &frame), 2);
    frame.start_line = 1;
    assert_int_equal(pyro_profile_frame(p, &frame), 3);
    assert_int_equal(pyro_profile_frame(p, &frame), 3);

    /* a deep stack, twice */

    for (i = 0, node = 0; i < 10000; i++) {
        node = pyro_profile_node(p, node, i % 4);
        assert_int_equal(node, i + 1);
    }

    for (i = 0, node = 0; i < 10000; i++) {
        assert_int_equal(pyro_profile_node(p, node, i % 4), node + 1);
        node++;
    }

    assert_int_equal(p->n_nodes, 10001);

    assert_int_equal(pyro_profile_span(p, &zero), 0);
    assert_int_equal(pyro_profile_span(p, &span), 1);
    span.trace_hi = 3;
    assert_int_equal(pyro_profile_span(p, &span), 2);
    span.trace_hi = 2;
    assert_int_equal(pyro_profile_span(p, &span), 1);

    /* an id that is none gives none */

    frame.function = PYRO_NONE;
    assert_int_equal(pyro_profile_frame(p, &frame), PYRO_NONE);
    assert_int_equal(pyro_profile_node(p, PYRO_NONE, 0), PYRO_NONE);
    assert_int_equal(pyro_profile_node(p, 0, PYRO_NONE), PYRO_NONE);
    assert_int_equal(pyro_profile_add(p, 0, 0, 0, 0, 1), -1);

    pyro_arena_destroy(arena);
}


static void
strings_are_repaired(void **state)
{
    uint32_t         id;
    pyro_arena_t    *arena;
    pyro_profile_t  *p;

    (void) state;

    arena = pyro_arena_create(0);
    p = pyro_profile_create(arena);

    id = pyro_profile_string(p, PYRO_SLICE("a\xff\xc3\xa4\xc3\n\0z"));
    assert_true(pyro_slice_eq(pyro_profile_text(p, id),
                              PYRO_SLICE("a?\xc3\xa4?\n\0z")));
    assert_int_equal(pyro_profile_string(p, PYRO_SLICE("a?\xc3\xa4?\n\0z")),
                     id);

    pyro_arena_destroy(arena);
}


static void
label_sets_are_copied(void **state)
{
    char             text[16];
    uint32_t         i, n;
    pyro_label_t     item;
    pyro_arena_t    *arena;
    pyro_labels_t    set = { &item, 1 }, none = { NULL, 0 };
    pyro_profile_t  *p;

    (void) state;

    arena = pyro_arena_create(0);
    p = pyro_profile_create(arena);

    assert_int_equal(pyro_profile_label_set(p, &none), 0);

    item.name = PYRO_SLICE("context");

    for (n = 0; n < 2; n++) {
        for (i = 0; i < 1000; i++) {
            snprintf(text, sizeof(text), "c%u", i);
            item.value = pyro_slice_str(text);
            assert_int_equal(pyro_profile_label_set(p, &set), i + 1);
        }
    }

    memset(text, 'x', sizeof(text));
    assert_true(pyro_slice_is(p->label_sets[8].dynamic.items[0].value, "c7"));

    pyro_arena_destroy(arena);
}


static void
values_add_up_and_stop(void **state)
{
    pyro_arena_t    *arena;
    pyro_profile_t  *p;
    const row_t      rows[] = {
        { "a;b", "", CPU,   0, 10 },
        { "a;b", "", CPU,   0, 5 },
        { "a;b", "", CPU,   9, 1 },
        { "a",   "", CPU,   0, 2 },
        { "a",   "", ALLOC, 0, 0 },
        { "a",   "", ALLOC, 0, -1 },
        { "a",   "", ALLOC, 0, INT64_MIN },
    };
    const row_t      large[] = {
        { "a",   "", CPU,   0, INT64_MAX },
        { "a",   "", CPU,   0, INT64_MAX },
        { "b",   "", CPU,   0, INT64_MAX },
    };

    (void) state;

    arena = pyro_arena_create(0);

    p = build(arena, rows, NULL, 7);

    assert_int_equal(p->dropped, 3);
    assert_int_equal(p->n_sections, 1);
    assert_int_equal(p->n_samples, 3);
    assert_int_equal(p->sections[0].n, 3);
    assert_int_equal(p->sections[0].total, 18);
    assert_int_equal(p->sections[0].samples[0].value, 2);
    assert_int_equal(p->sections[0].samples[1].value, 15);
    assert_int_equal(p->sections[0].samples[1].span, 0);
    assert_int_equal(p->sections[0].samples[2].value, 1);
    assert_int_equal(p->sections[0].samples[2].span, 1);

    p = build(arena, large, NULL, 3);

    assert_int_equal(p->sections[0].n, 2);
    assert_true(p->sections[0].samples[0].value == INT64_MAX);
    assert_true(p->sections[0].total == INT64_MAX);

    pyro_arena_destroy(arena);
}


static void
sections_and_samples_are_sorted(void **state)
{
    uint32_t               i, k;
    pyro_arena_t          *arena;
    pyro_profile_t        *p;
    const pyro_section_t  *s;
    const row_t            rows[] = {
        { "c",   "x=2", ALLOC, 0, 1 }, { "a",   "x=1", CPU, 3, 1 },
        { "b",   "",    ALLOC, 0, 1 }, { "a;b", "x=2", CPU, 2, 1 },
        { "a",   "x=1", CPU,   1, 1 }, { "a",   "",    CPU, 0, 1 },
        { "c;d", "x=2", ALLOC, 0, 1 }, { "a",   "x=1", CPU, 0, 1 },
    };

    (void) state;

    arena = pyro_arena_create(0);
    p = build(arena, rows, NULL, 8);

    assert_int_equal(p->n_sections, 5);

    for (i = 0; i < p->n_sections; i++) {
        s = &p->sections[i];

        if (i) {
            assert_true(s[-1].labels < s->labels
                        || (s[-1].labels == s->labels
                            && s[-1].type < s->type));
        }

        for (k = 1; k < s->n; k++) {
            assert_true(s->samples[k - 1].node < s->samples[k].node
                        || (s->samples[k - 1].node == s->samples[k].node
                            && s->samples[k - 1].span < s->samples[k].span));
        }
    }

    pyro_arena_destroy(arena);
}


static void
labels_of_the_streams(void **state)
{
    uint32_t                 i;
    pyro_arena_t            *arena;
    pyro_profile_t          *p;
    const pyro_label_set_t  *set;
    const row_t              rows[] = {
        { "a", "",                 CPU, 0, 1 },
        { "a", "env=hidden",       CPU, 0, 2 },
        { "b", "__private__=x",    CPU, 0, 4 },
        { "a", "jfr_event=x",      CPU, 0, 8 },
        { "a", "__session_id__=x", CPU, 0, 16 },
        { "a", "service_name=x",   CPU, 0, 32 },
        { "a", "span=y",           CPU, 0, 64 },
    };

    (void) state;

    arena = pyro_arena_create(0);
    p = build(arena, rows, NULL, 7);

    /* all but the last are one stream, which is set 0 */

    assert_int_equal(p->n_sections, 2);
    assert_int_equal(p->sections[0].labels, 0);
    assert_int_equal(p->sections[0].n, 2);
    assert_int_equal(p->sections[0].total, 63);
    assert_int_equal(p->sections[0].samples[0].value, 59);
    assert_int_equal(p->sections[0].samples[1].value, 4);
    assert_int_equal(p->sections[1].total, 64);
    assert_int_equal(p->n_samples, 3);

    set = &p->label_sets[0];
    assert_int_equal(set->labels.n, 3);
    assert_true(pyro_slice_is(set->labels.items[0].name, "__service_name__"));
    assert_true(pyro_slice_is(set->labels.items[0].value, "shop"));
    assert_true(pyro_slice_is(set->labels.items[1].name, "env"));
    assert_true(pyro_slice_is(set->labels.items[1].value, "prod"));
    assert_true(pyro_slice_is(set->labels.items[2].name, "service_name"));

    set = &p->label_sets[p->sections[1].labels];
    assert_int_equal(set->labels.n, 4);
    assert_true(pyro_slice_is(set->labels.items[3].value, "y"));

    for (i = 1; i + 1 < p->n_label_sets; i++) {
        assert_int_equal(p->label_sets[i].labels.n, 0);
    }

    pyro_arena_destroy(arena);
}


static void
service_name_is_never_missing(void **state)
{
    pyro_error_t     err;
    pyro_label_t     items[] = { L("__name__", "x"), L("env", ""),
                                 L("jfr_engine", "wall") };
    pyro_arena_t    *arena;
    pyro_labels_t    labels = { items, 3 };
    pyro_profile_t  *p;

    (void) state;

    arena = pyro_arena_create(0);
    p = pyro_profile_create(arena);

    assert_int_equal(pyro_profile_finish(p, &labels, &limits, &err), PYRO_OK);
    assert_int_equal(p->n_sections, 0);
    assert_int_equal(p->label_sets[0].labels.n, 2);
    assert_true(pyro_slice_is(pyro_labels_get(&p->label_sets[0].labels,
                                              PYRO_SLICE("service_name")),
                              "unknown_service"));
    assert_true(pyro_slice_is(pyro_labels_get(&p->label_sets[0].labels,
                                              PYRO_SLICE("__service_name__")),
                              "unknown_service"));

    pyro_arena_destroy(arena);
}


static void
label_limits(void **state)
{
    uint32_t             i, used;
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_profile_t      *p;
    pyro_label_limits_t  tight;
    const row_t          rows[] = {
        { "a", "",         CPU, 0, 1 },
        { "a", "long=123", CPU, 0, 1 },
    };

    (void) state;

    /* three labels with the sample's; __service_name__ does not count */

    for (i = 0; i < 4; i++) {

        for (used = 0; used < 2; used++) {
            arena = pyro_arena_create(0);
            p = pyro_profile_create(arena);
            assert_int_equal(add_row(p, &rows[0]), 0);

            if (used) {
                assert_int_equal(add_row(p, &rows[1]), 0);
            }

            tight.max_names = i == 1 ? 2 : 3;
            tight.max_name_length = i == 2 ? 11 : 12;
            tight.max_value_length = i == 3 ? 5 : 6;

            if (i < 2) {
                assert_int_equal(pyro_profile_finish(p, &shop, &tight, &err),
                                 i && used ? PYRO_UNPROCESSABLE : PYRO_OK);

            } else {
                assert_int_equal(pyro_profile_finish(p, &shop, &tight, &err),
                                 PYRO_UNPROCESSABLE);
                assert_non_null(strstr(err.message, i == 2 ? "service_name"
                                                           : "jfr_event"));
            }

            pyro_arena_destroy(arena);
        }
    }
}


static const row_t  base_rows[] = {
    { "main;work;hash:3",  "",         CPU,   0, 10 },
    { "main;work",         "",         CPU,   0, 20 },
    { "main;work;hash:4",  "",         CPU,   5, 30 },
    { "main;work;hash:4",  "",         CPU,   6, 30 },
    { "main;alloc",        "",         ALLOC, 0, 4096 },
    { "main",              "ctx=a",    CPU,   0, 1 },
    { "main;work",         "ctx=b",    CPU,   0, 1 },
    { "main;alloc;deep;er", "ctx=b",   ALLOC, 0, 7 },
    { "other;work",        "ctx=b",    ALLOC, 0, 7 },
    { "main;work;hash:3",  "",         CPU,   0, 5 },
};

#define ROWS  (sizeof(base_rows) / sizeof(base_rows[0]))


static void
digest_ignores_the_order(void **state)
{
    uint32_t                 i, k, t, round, seed, order[ROWS];
    pyro_arena_t            *arena, *other;
    pyro_profile_t          *p, *q;
    const pyro_label_set_t  *a, *b;

    (void) state;

    arena = pyro_arena_create(0);
    p = build(arena, base_rows, NULL, ROWS);
    seed = 7;

    for (i = 0; i < ROWS; i++) {
        order[i] = i;
    }

    for (round = 0; round < 200; round++) {

        for (i = ROWS - 1; i; i--) {
            seed = seed * 1664525 + 1013904223;
            k = (seed >> 16) % (i + 1);
            t = order[i];
            order[i] = order[k];
            order[k] = t;
        }

        other = pyro_arena_create(0);
        q = build(other, base_rows, order, ROWS);

        for (i = 0; i < p->n_label_sets; i++) {
            a = &p->label_sets[i];
            b = set_of(q, "ctx", i == 0 ? "" : i == 1 ? "a" : "b");

            assert_non_null(b);
            assert_int_equal(pyro_labels_cmp(&a->labels, &b->labels), 0);
            assert_memory_equal(&a->digest, &b->digest,
                                sizeof(pyro_hash128_t));
        }

        pyro_arena_destroy(other);
    }

    pyro_arena_destroy(arena);
}


/* Digests of equal content are equal on every machine, and on disk. */
static void
digest_is_fixed(void **state)
{
    pyro_arena_t    *arena;
    pyro_profile_t  *p;

    (void) state;

    arena = pyro_arena_create(0);
    p = build(arena, base_rows, NULL, ROWS);

    assert_true(p->label_sets[0].digest.hi == DIGEST_HI);
    assert_true(p->label_sets[0].digest.lo == DIGEST_LO);

    pyro_arena_destroy(arena);
}


static void
digest_sees_every_difference(void **state)
{
    uint32_t         i, k, n;
    row_t            rows[ROWS + 1];
    pyro_arena_t    *arena;
    pyro_hash128_t   digests[16];
    const row_t      first[] = {
        { "main;work;hash:3",  "",      CPU,   0, 11 },    /* value */
        { "main;work;hash:4",  "",      CPU,   0, 10 },    /* line */
        { "main;work;hash",    "",      CPU,   0, 10 },
        { "main;work;hasg:3",  "",      CPU,   0, 10 },    /* function */
        { "main;hash:3",       "",      CPU,   0, 10 },    /* depth */
        { "work;main;hash:3",  "",      CPU,   0, 10 },    /* parents */
        { "main;work;hash:3",  "",      ALLOC, 0, 10 },    /* type */
        { "main;work;hash:3",  "",      CPU,   5, 10 },    /* span */
        { "main;work;hash:3",  "ctx=a", CPU,   0, 10 },    /* label set */
    };

    (void) state;

    arena = pyro_arena_create(0);
    n = 0;

    digests[n++] = build(arena, base_rows, NULL, ROWS)->label_sets[0].digest;
    digests[n++] = build(arena, base_rows, NULL, ROWS - 1)->label_sets[0]
                   .digest;
    digests[n++] = build(arena, NULL, NULL, 0)->label_sets[0].digest;

    for (i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        memcpy(rows, base_rows, sizeof(base_rows));
        rows[0] = first[i];
        digests[n++] = build(arena, rows, NULL, ROWS)->label_sets[0].digest;
    }

    shop_items[0].value = PYRO_SLICE("test");
    digests[n++] = build(arena, base_rows, NULL, ROWS)->label_sets[0].digest;
    shop_items[0].value = PYRO_SLICE("prod");

    for (i = 0; i < n; i++) {
        for (k = 0; k < i; k++) {
            assert_memory_not_equal(&digests[i], &digests[k],
                                    sizeof(pyro_hash128_t));
        }
    }

    pyro_arena_destroy(arena);
}


static void
digest_sees_files_and_extra_labels(void **state)
{
    int                  i, k;
    pyro_error_t         err;
    pyro_frame_t         frame;
    pyro_label_t         extra = L("jfr_event", "cpu");
    pyro_arena_t        *arena;
    pyro_profile_t      *p;
    pyro_hash128_t       digests[5];
    pyro_profile_type_t  type = { PYRO_SLICE("a"), PYRO_SLICE("b"),
                                  PYRO_SLICE("c"), PYRO_SLICE(""),
                                  PYRO_SLICE("") };

    (void) state;

    arena = pyro_arena_create(0);

    for (i = 0; i < 5; i++) {
        p = pyro_profile_create(arena);

        frame.function = pyro_profile_string(p, PYRO_SLICE("f"));
        frame.file = i == 1 ? pyro_profile_string(p, PYRO_SLICE("F.java")) : 0;
        frame.start_line = i == 2;
        frame.line = i == 3;

        pyro_profile_column(p, &type);
        assert_int_equal(pyro_profile_add(p, 0, 0,
                             pyro_profile_node(p, 0,
                                 pyro_profile_frame(p, &frame)), 0, 1), 0);

        if (i == 4) {
            p->types[0].extra.items = &extra;
            p->types[0].extra.n = 1;
        }

        assert_int_equal(pyro_profile_finish(p, &shop, &limits, &err),
                         PYRO_OK);
        digests[i] = p->label_sets[0].digest;

        for (k = 0; k < i; k++) {
            assert_memory_not_equal(&digests[i], &digests[k],
                                    sizeof(pyro_hash128_t));
        }
    }

    pyro_arena_destroy(arena);
}


/* Memory that ends at every possible place is told and harms nothing. */
static void
any_allocation_may_fail(void **state)
{
    int              rc;
    size_t           budget;
    uint32_t         i, failures[3] = { 0, 0, 0 };
    pyro_error_t     err;
    pyro_arena_t    *arena;
    pyro_profile_t  *p;
    char             stack[64];
    row_t            row = { stack, "", CPU, 0, 1 };

    (void) state;

    for (budget = 64; budget < 1024 * 1024; budget += 64 + budget / 32) {
        arena = pyro_arena_create(budget);
        p = pyro_profile_create(arena);
        rc = p == NULL ? -1 : 0;
        failures[0] += p == NULL;

        for (i = 0; rc == 0 && i < 300; i++) {
            snprintf(stack, sizeof(stack), "main;f%u;g%u", i % 17, i);
            row.label = i % 3 ? "ctx=a" : "ctx=bc";
            row.span = i % 5;
            rc = add_row(p, &row);
        }

        if (rc == 0) {
            rc = pyro_profile_finish(p, &shop, &limits, &err) != PYRO_OK;

            if (rc) {
                assert_int_equal(err.status, PYRO_UNAVAILABLE);
                failures[2]++;
            }

        } else {
            failures[1] += p != NULL;
        }

        pyro_arena_destroy(arena);
    }

    assert_int_equal(rc, 0);
    assert_true(failures[0] && failures[1] && failures[2]);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(ids_are_dense_and_by_content),
        cmocka_unit_test(strings_are_repaired),
        cmocka_unit_test(label_sets_are_copied),
        cmocka_unit_test(values_add_up_and_stop),
        cmocka_unit_test(sections_and_samples_are_sorted),
        cmocka_unit_test(labels_of_the_streams),
        cmocka_unit_test(service_name_is_never_missing),
        cmocka_unit_test(label_limits),
        cmocka_unit_test(digest_ignores_the_order),
        cmocka_unit_test(digest_is_fixed),
        cmocka_unit_test(digest_sees_every_difference),
        cmocka_unit_test(digest_sees_files_and_extra_labels),
        cmocka_unit_test(any_allocation_may_fail),
    };

    return unit_run(tests);
}
