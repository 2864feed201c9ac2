/*
 * Single profiles and spans from pyro_store_totals(), against brute force: of
 * open, rolled up, sealed and thinned partitions.
 */

#include "pick_fixture.h"

#include "core/base/uuid.h"


#define GROUPS  64


typedef struct {
    pick_store_t  *s;
    uint32_t       pod[GROUPS];
    int            alloc[GROUPS];
    uint32_t       groups;
    uint64_t       totals[PICK_PUSHES][2];
    uint64_t       spans[PICK_PUSHES][2][PICK_SPANS];
    int64_t        last[GROUPS];    /* time */
    uint64_t       sum;             /* of total() */
} exemplar_seen_t;


/* Any group but 0. */
static pyro_status_e
exemplar_on_series(void *ctx, const pyro_labels_t *labels, uint32_t *group,
    pyro_error_t *err)
{
    pyro_slice_t      pod;
    exemplar_seen_t  *seen;

    (void) err;

    seen = ctx;
    pod = pyro_labels_get(labels, PYRO_SLICE("pod"));

    assert_int_equal(*group, 0);
    assert_true(seen->groups + 1 < GROUPS);
    *group = ++seen->groups;

    seen->pod[*group] = (uint32_t) (pod.data[1] - '0');
    seen->alloc[*group] = pyro_slice_is(pyro_labels_get(labels,
                                            PYRO_SLICE("__name__")),
                                        "memory");
    seen->last[*group] = 0;

    return PYRO_OK;
}


static pyro_status_e
exemplar_on_total(void *ctx, uint32_t group, int64_t time_ns, uint64_t total,
    uint32_t count, pyro_error_t *err)
{
    exemplar_seen_t  *seen;

    (void) time_ns;
    (void) err;

    seen = ctx;
    assert_true(group && group <= seen->groups);
    assert_true(count > 0);
    seen->sum += total;

    return PYRO_OK;
}


/* Which push it is, by its id, and whether that fits. */
static uint32_t
exemplar_push(exemplar_seen_t *seen, uint32_t group,
    const pyro_store_profile_t *profile)
{
    char          text[4];
    uint32_t      i;
    pick_fact_t  *f;

    assert_true(group && group <= seen->groups);

    for (i = 0; i < seen->s->n; i++) {
        if (pyro_uuid_cmp(seen->s->facts[i].id, profile->id) == 0) {
            break;
        }
    }

    assert_true(i < seen->s->n);
    f = &seen->s->facts[i];

    assert_true(profile->time == f->time);
    assert_int_equal(seen->pod[group], f->pod);

    snprintf(text, sizeof(text), "p%u", f->pod);
    assert_true(pyro_slice_is(pyro_labels_get(profile->labels,
                                              PYRO_SLICE("pod")), text));
    assert_true(pyro_slice_is(pyro_labels_get(profile->labels,
                                              PYRO_SLICE("service_name")),
                              "shop"));
    assert_true(pyro_slice_is(pyro_labels_get(profile->labels,
                                              PYRO_SLICE("__name__")),
                              seen->alloc[group] ? "memory" : "process_cpu"));

    return f->push;
}


static pyro_status_e
exemplar_on_profile(void *ctx, uint32_t group,
    const pyro_store_profile_t *profile, pyro_error_t *err)
{
    uint32_t          push;
    exemplar_seen_t  *seen;

    (void) err;

    seen = ctx;
    push = exemplar_push(seen, group, profile);

    assert_null(profile->span);
    assert_true(seen->last[group] < profile->time);
    seen->last[group] = profile->time;

    assert_true(seen->totals[push][seen->alloc[group]] == 0);
    seen->totals[push][seen->alloc[group]] = profile->total;

    return PYRO_OK;
}


static pyro_status_e
exemplar_on_span(void *ctx, uint32_t group,
    const pyro_store_profile_t *profile, pyro_error_t *err)
{
    uint32_t          i, push;
    uint64_t         *total;
    pyro_span_t       span;
    exemplar_seen_t  *seen;

    (void) err;

    seen = ctx;
    push = exemplar_push(seen, group, profile);

    for (i = 1; i < PICK_SPANS; i++) {
        span = pick_span(i);

        if (span.id == profile->span->id
            && span.trace_hi == profile->span->trace_hi
            && span.trace_lo == profile->span->trace_lo)
        {
            break;
        }
    }

    /* of equal ones the first: exemplar_span() */

    assert_true(i < PICK_SPANS);
    total = &seen->spans[push][seen->alloc[group]][i];
    assert_true(*total == 0);
    *total = profile->total;

    return PYRO_OK;
}


/* The same span has the least number. */
static uint32_t
exemplar_span(uint32_t number)
{
    uint32_t     i;
    pyro_span_t  one, two;

    one = pick_span(number);

    for (i = 1; i < number; i++) {
        two = pick_span(i);

        if (memcmp(&one, &two, sizeof(one)) == 0) {
            return i;
        }
    }

    return number;
}


static void
exemplar_ask(pick_store_t *s, exemplar_seen_t *seen,
    const pyro_store_totals_handler_t *how, const char *selector,
    int64_t start, int64_t end)
{
    pyro_error_t                  err;
    fixture_query_t               q;
    pyro_store_totals_handler_t   handler;

    memset(seen, 0, sizeof(exemplar_seen_t));
    seen->s = s;

    handler = *how;
    handler.ctx = seen;
    handler.series = exemplar_on_series;

    fixture_query(&q, selector, start, end);

    if (pyro_store_totals(s->store, &q.query, &handler, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    fixture_query_end(&q);
}


/* Of one type or both. */
static void
exemplar_compare(pick_store_t *s, const pyro_store_totals_handler_t *how,
    int type, int64_t start, int64_t end)
{
    uint32_t         i;
    pick_fact_t     *f;
    exemplar_seen_t  seen, want;

    exemplar_ask(s, &seen, how, type ? "{__name__=\"memory\"}" : "{}", start,
                 end);
    memset(&want, 0, sizeof(want));

    for (i = 0; i < s->n; i++) {
        f = &s->facts[i];

        if ((type && !f->alloc) || f->time < start || f->time > end) {
            continue;
        }

        if (s->stage == PICK_THINNED) {
            want.sum += how->total ? f->value : 0;
            continue;
        }

        if (how->profile) {
            want.totals[f->push][f->alloc] += f->value;
        }

        if (how->span && f->span) {
            want.spans[f->push][f->alloc][exemplar_span(f->span)] += f->value;
        }
    }

    assert_memory_equal(seen.totals, want.totals, sizeof(want.totals));
    assert_memory_equal(seen.spans, want.spans, sizeof(want.spans));
    assert_true(seen.sum == want.sum);
    assert_int_equal(seen.groups == 0,
                     s->stage == PICK_THINNED && how->total == NULL);
}


static void
profiles_and_spans_come_one_by_one(void **state)
{
    int                            i, type;
    pick_store_t                   s;
    pyro_series_options_t          grid;
    pyro_store_totals_handler_t    how;

    (void) state;

    pick_begin(&s, 7);
    memset(&grid, 0, sizeof(grid));
    grid.start = (T0 + 3600 * SEC) / 1000000;
    grid.end = (T0 + DAY * SEC) / 1000000;
    grid.step = 3600 * 1000;

    for ( ;; ) {

        for (i = 0; i < 8; i++) {
            memset(&how, 0, sizeof(how));
            how.total = i & 1 ? exemplar_on_total : NULL;
            how.profile = i & 2 ? exemplar_on_profile : NULL;
            how.span = i & 4 ? exemplar_on_span : NULL;

            if (how.profile == NULL && how.span == NULL) {
                continue;
            }

            for (type = 0; type < 2; type++) {
                how.grid = NULL;
                exemplar_compare(&s, &how, type, 0, INT64_MAX);

                if (s.stage != PICK_THINNED) {
                    exemplar_compare(&s, &how, type, T0 + 20000 * SEC,
                                     T0 + (DAY + 60000) * SEC);

                    how.grid = &grid;
                    exemplar_compare(&s, &how, type, T0,
                                     T0 + DAY * SEC + 999999);
                }
            }
        }

        if (s.stage == PICK_THINNED) {
            break;
        }

        pick_next(&s);
    }

    pick_end(&s);
}


static pyro_status_e
exemplar_on_enough(void *ctx, uint32_t group,
    const pyro_store_profile_t *profile, pyro_error_t *err)
{
    (void) ctx;
    (void) group;
    (void) profile;

    return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_QUERY,
                          "enough");
}


static void
a_handler_may_end_it(void **state)
{
    int                           i;
    pick_store_t                  s;
    pyro_error_t                  err;
    exemplar_seen_t               seen;
    fixture_query_t               q;
    pyro_store_totals_handler_t   handler;

    (void) state;

    pick_begin(&s, 8);

    for (i = 0; i < 2; i++) {
        memset(&seen, 0, sizeof(seen));
        memset(&handler, 0, sizeof(handler));
        handler.ctx = &seen;
        handler.series = exemplar_on_series;
        handler.profile = i ? NULL : exemplar_on_enough;
        handler.span = i ? exemplar_on_enough : NULL;

        fixture_query(&q, "{}", 0, INT64_MAX);
        assert_int_equal(pyro_store_totals(s.store, &q.query, &handler, &err),
                         PYRO_UNPROCESSABLE);
        assert_string_equal(err.message, "enough");
        fixture_query_end(&q);
    }

    pick_end(&s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(profiles_and_spans_come_one_by_one),
        cmocka_unit_test(a_handler_may_end_it),
    };

    return unit_run(tests);
}
