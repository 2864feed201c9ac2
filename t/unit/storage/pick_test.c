/*
 * Merging by lines, and by a pick of spans, traces and profiles, against brute
 * force: of open, rolled up, sealed and thinned partitions.
 */

#include "pick_fixture.h"

#include "core/base/uuid.h"


/* The number of a frame of a tree by lines. */
static uint32_t
pick_frame_of(const pyro_tree_t *tree, uint32_t node)
{
    char                      file[32];
    unsigned                  function;
    uint32_t                  i;
    const pyro_tree_frame_t  *frame;

    frame = &tree->frames[tree->nodes[node].name];
    assert_int_equal(sscanf(tree->names.items[frame->function].data, "f%u",
                            &function), 1);
    i = function * 3 + frame->line / 10;

    assert_true(i < PICK_FRAMES);
    assert_int_equal(frame->start_line, function);

    if (i < 3) {
        assert_int_equal(frame->file, PYRO_NONE);

    } else {
        snprintf(file, sizeof(file), "File%u.java", i / 6);
        assert_true(pyro_slice_is(tree->names.items[frame->file], file));
    }

    return i;
}


/* Each node of one is in the other, with the same value, and no other. */
static void
pick_same(pyro_tree_t *one, pyro_tree_t *two)
{
    uint32_t  i, n, name, *ids;

    n = two->n;
    ids = pyro_arena_calloc(one->arena, one->n, sizeof(uint32_t));
    assert_int_equal(one->n, n);
    assert_true(one->nodes[0].self == two->nodes[0].self);

    for (i = 1; i < one->n; i++) {
        name = pyro_tree_name(two,
                              one->names.items[pyro_tree_function(one, i)]);
        ids[i] = pyro_tree_node(two, ids[one->nodes[i].parent], name);

        assert_true(ids[i] < n);
        assert_true(one->nodes[i].self == two->nodes[ids[i]].self);
    }
}


static void
pick_merge(pick_store_t *s, fixture_query_t *q, pyro_tree_t *tree)
{
    pyro_error_t  err;

    if (pyro_store_merge(s->store, &q->query, tree, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


/* By lines as brute force has it, and folded as by functions. */
static void
pick_lines(pick_store_t *s, int64_t start, int64_t end)
{
    uint32_t          i;
    uint64_t          sums[PICK_FRAMES];
    pyro_tree_t      *tree, *lines;
    fixture_query_t   q;

    memset(sums, 0, sizeof(sums));
    fixture_query(&q, "{__name__=\"memory\"}", start, end);

    tree = pyro_tree_create(q.arena);
    lines = pyro_tree_create_by_lines(q.arena);
    pick_merge(s, &q, tree);
    pick_merge(s, &q, lines);

    for (i = 0; i < s->n; i++) {
        if (s->facts[i].alloc && s->facts[i].time >= start
            && s->facts[i].time <= end)
        {
            sums[s->facts[i].leaf] += s->facts[i].value;
        }
    }

    for (i = 1; i < lines->n; i++) {
        sums[pick_frame_of(lines, i)] -= lines->nodes[i].self;
    }

    for (i = 0; i < PICK_FRAMES; i++) {
        assert_true(sums[i] == 0);
    }

    pick_same(pyro_tree_by_functions(lines), tree);
    fixture_query_end(&q);
}


static void
lines_are_merged(void **state)
{
    pick_store_t  s;

    (void) state;

    pick_begin(&s, 1);

    for ( ;; ) {
        pick_lines(&s, 0, INT64_MAX);
        pick_lines(&s, T0, T0 + DAY * SEC - 1);
        pick_lines(&s, T0 + DAY * SEC, INT64_MAX);

        if (s.stage == PICK_THINNED) {
            break;
        }

        pick_lines(&s, T0 + 3333 * SEC, T0 + DAY * SEC + 55555 * SEC);
        pick_lines(&s, T0 + 1, T0 + 50000 * SEC);
        pick_next(&s);
    }

    pick_end(&s);
}


static int
pick_has_span(const pyro_store_pick_t *pick, uint32_t span)
{
    uint32_t     i;
    pyro_span_t  value;

    if (span == 0) {
        return 0;
    }

    value = pick_span(span);

    for (i = 0; i < pick->n_spans; i++) {
        if (value.id && value.id == pick->spans[i]) {
            return 1;
        }
    }

    for (i = 0; i < pick->n_traces; i++) {
        if ((value.trace_hi || value.trace_lo)
            && value.trace_hi == pick->traces[i].hi
            && value.trace_lo == pick->traces[i].lo)
        {
            return 1;
        }
    }

    return 0;
}


static int
pick_is(const pyro_store_pick_t *pick, const pick_fact_t *f)
{
    uint32_t  i;

    if ((pick->n_spans || pick->n_traces) && !pick_has_span(pick, f->span)) {
        return 0;
    }

    for (i = 0; i < pick->n_profiles; i++) {
        if (pyro_uuid_cmp(pick->profiles[i], f->id) == 0) {
            return 1;
        }
    }

    return pick->n_profiles == 0;
}


/* Returns the sum of what was picked. */
static uint64_t
pick_compare(pick_store_t *s, const pyro_store_pick_t *pick,
    const char *selector, int64_t start, int64_t end)
{
    uint32_t          i;
    uint64_t          sums[PICK_FRAMES], total;
    pick_fact_t      *f;
    pyro_tree_t      *tree;
    pyro_error_t      err;
    pyro_labels_t     labels;
    fixture_query_t   q;

    char  text[64];

    memset(sums, 0, sizeof(sums));
    fixture_query(&q, selector, start, end);
    q.query.pick = pick;
    tree = pyro_tree_create_by_lines(q.arena);
    pick_merge(s, &q, tree);
    total = 0;

    for (i = 0; i < s->n && s->stage != PICK_THINNED; i++) {
        f = &s->facts[i];
        snprintf(text, sizeof(text), "pod=p%u,__name__=%s", f->pod,
                 f->alloc ? "memory" : "process_cpu");
        labels = fixture_labels(q.arena, text);

        if (f->time >= start && f->time <= end && pick_is(pick, f)
            && pyro_selector_test(&q.selector, &labels, &err) == 1)
        {
            sums[f->leaf] += f->value;
            total += f->value;
        }
    }

    for (i = 1; i < tree->n; i++) {
        sums[pick_frame_of(tree, i)] -= tree->nodes[i].self;
    }

    for (i = 0; i < PICK_FRAMES; i++) {
        assert_true(sums[i] == 0);
    }

    fixture_query_end(&q);

    return total;
}


static void
picks_agree_with_brute_force(void **state)
{
    int                 round;
    uint32_t            i, n, picked;
    uint64_t            spans[8];
    pyro_span_t         span;
    pick_store_t        s;
    pyro_hash128_t      traces[8], profiles[8];
    pyro_store_pick_t   pick;

    static const char  *selectors[] = {
        "{}", "{__name__=\"memory\"}", "{pod=\"p1\"}",
        "{pod!=\"p1\",__name__=\"process_cpu\"}"
    };

    (void) state;

    pick_begin(&s, 2);

    for ( ;; ) {

        for (round = 0, picked = 0; round < 120; round++) {
            memset(&pick, 0, sizeof(pick));
            pick.spans = spans;
            pick.traces = traces;
            pick.profiles = profiles;

            n = pick_random(&s, 4);

            for (i = 0; i < n; i++) {
                /* some that are nowhere, and some twice */
                span = pick_span(1 + pick_random(&s, PICK_SPANS + 2));
                spans[i] = span.id;
                traces[i].hi = span.trace_hi;
                traces[i].lo = span.trace_lo;
                profiles[i] = s.facts[pick_random(&s, s.n)].id;
                profiles[i].lo ^= pick_random(&s, 5) == 0;
            }

            pick.n_spans = round % 3 == 0 ? n : 0;
            pick.n_traces = round % 3 == 1 ? n : 0;
            pick.n_profiles = round % 3 == 2 || round % 4 == 0 ? n : 0;

            picked += pick_compare(&s, &pick, selectors[round % 4],
                                   round % 5 ? 0 : T0 + 20000 * SEC,
                                   round % 5 ? INT64_MAX
                                             : T0 + (DAY + 60000) * SEC)
                      != 0;
        }

        if (s.stage == PICK_THINNED) {
            break;
        }

        assert_true(picked > 40);
        pick_next(&s);
    }

    assert_int_equal(picked, 0);
    pick_end(&s);
}


static void
an_empty_pick_is_everything(void **state)
{
    uint32_t           i;
    uint64_t           total;
    pick_store_t       s;
    pyro_store_pick_t  pick;

    (void) state;

    memset(&pick, 0, sizeof(pick));
    pick_begin(&s, 3);

    for (i = 0, total = 0; i < s.n; i++) {
        total += s.facts[i].value;
    }

    for ( /* void */ ; s.stage < PICK_THINNED; pick_next(&s)) {
        assert_true(pick_compare(&s, &pick, "{}", 0, INT64_MAX) == total);
    }

    assert_true(pick_compare(&s, &pick, "{}", 0, INT64_MAX) == 0);
    pick_end(&s);
}


/* 0 is what a span has that has no id, or no trace. */
static void
nothing_has_the_id_0(void **state)
{
    uint64_t           none = 0;
    pick_store_t       s;
    pyro_hash128_t     id = { 0, 0 };
    pyro_store_pick_t  pick;

    (void) state;

    pick_begin(&s, 4);
    memset(&pick, 0, sizeof(pick));

    pick.spans = &none;
    pick.n_spans = 1;
    pick.traces = &id;
    pick.n_traces = 1;

    assert_true(pick_compare(&s, &pick, "{}", 0, INT64_MAX) == 0);
    pick_end(&s);
}


static void
profiles_have_ids(void **state)
{
    char            text[PYRO_UUID_TEXT + 1];
    uint32_t        i, k;
    pick_store_t    s;
    pyro_hash128_t  digest = { 2, 1 }, other = { 1, 2 }, id;

    (void) state;

    id = pyro_store_profile_id(digest, T0);
    assert_int_equal(pyro_uuid_cmp(id, pyro_store_profile_id(digest, T0)), 0);
    assert_true(pyro_uuid_cmp(id, pyro_store_profile_id(digest, T0 + 1)));
    assert_true(pyro_uuid_cmp(id, pyro_store_profile_id(other, T0)));

    /* what it is must never change: links have it */

    pyro_uuid_text(id, text);
    assert_string_equal(text, "5d95baee-d3ce-89fd-ae1f-ce020fe01302");

    pick_begin(&s, 5);

    for (i = 0; i < s.n; i++) {
        for (k = 0; k < i; k++) {
            assert_int_equal(pyro_uuid_cmp(s.facts[i].id, s.facts[k].id) == 0,
                             s.facts[i].push == s.facts[k].push);
        }
    }

    pick_end(&s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(lines_are_merged),
        cmocka_unit_test(picks_agree_with_brute_force),
        cmocka_unit_test(an_empty_pick_is_everything),
        cmocka_unit_test(nothing_has_the_id_0),
        cmocka_unit_test(profiles_have_ids),
    };

    return unit_run(tests);
}
