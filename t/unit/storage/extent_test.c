/*
 * How far data reaches and what a query has to do with, against brute force.
 */

#include "pick_fixture.h"


static pyro_status_e
extent_of(pyro_store_t *store, const char *tenant, int64_t *oldest,
    int64_t *newest, pyro_error_t *err)
{
    return pyro_store_extent(store, pyro_slice_str(tenant), oldest, newest,
                             err);
}


static void
extent_is(pyro_store_t *store, const char *tenant, int64_t oldest,
    int64_t newest)
{
    int64_t       one, two;
    pyro_error_t  err;

    if (extent_of(store, tenant, &one, &two, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_true(one == oldest);
    assert_true(two == newest);
}


/* What a tenant pushes at a time; one value. */
static void
extent_push(pyro_store_t *store, const char *tenant, const char *labels,
    int64_t time)
{
    pyro_arena_t       *arena;
    pyro_store_push_t   push, *list[1];

    arena = pyro_arena_create(0);
    push = fixture_push(fixture_one(arena, labels, "a;b", 7), time);
    push.tenant = pyro_slice_str(tenant);
    list[0] = &push;

    pyro_store_write(store, list, 1);
    assert_int_equal(push.status, PYRO_OK);
    pyro_arena_destroy(arena);
}


/* Partitions that have been opened. */
static uint64_t
extent_open_files(pyro_store_t *store)
{
    pyro_error_t        err;
    pyro_store_stats_t  stats;

    assert_int_equal(pyro_store_stats(store, &stats, &err), PYRO_OK);

    return stats.open_partitions;
}


static void
the_ends_of_all_data(void **state)
{
    char          *dir;
    int            i;
    int64_t        one, two;
    pyro_error_t   err;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);

    assert_int_equal(extent_of(store, "anonymous", &one, &two, &err),
                     PYRO_NOT_FOUND);
    assert_string_equal(err.message,
                        "the tenant \"anonymous\" has no profiles");

    for (i = 0; i < 6; i++) {
        extent_push(store, "anonymous", "service_name=a",
                    T0 + i * DAY * SEC + 1000 * SEC + 5);
    }

    extent_push(store, "other", "service_name=a", T0 + 2 * DAY * SEC + 1);
    extent_push(store, "other", "service_name=b", T0 + 2 * DAY * SEC + 9);
    pyro_store_close(store);

    /* no more files than it needs */

    store = fixture_open(dir);
    extent_is(store, "anonymous", T0 + 1000 * SEC + 5,
              T0 + 5 * DAY * SEC + 1000 * SEC + 5);
    assert_int_equal(extent_open_files(store), 2);

    extent_is(store, "other", T0 + 2 * DAY * SEC + 1,
              T0 + 2 * DAY * SEC + 9);
    assert_int_equal(extent_of(store, "nobody", &one, &two, &err),
                     PYRO_NOT_FOUND);

    /* the last slot of a day ends with the day */

    extent_push(store, "late", "service_name=a", T0 + DAY * SEC - 1);
    extent_is(store, "late", T0 + DAY * SEC - 1, T0 + DAY * SEC - 1);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* An hour's files within those of days, and the other way round. */
static void
partitions_that_overlap(void **state)
{
    int                    i;
    char                  *dir;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_options_t   options;

    static const struct {
        uint32_t   partition;
        int64_t    time;
    } pushes[] = {
        { DAY, T0 + 5000 * SEC }, { 3600, T0 + DAY * SEC + 10 * SEC },
        { 2 * DAY, T0 + 30 * SEC }, { 3600, T0 + DAY * SEC + 80000 * SEC },
        { 2 * DAY, T0 + DAY * SEC + 86000 * SEC }
    };
    int64_t  oldest = INT64_MAX, newest = 0;

    (void) state;

    dir = fixture_dir();

    for (i = 0; i < 5; i++) {
        memset(&options, 0, sizeof(options));
        options.dir = dir;
        options.map_size = 64 * 1024 * 1024;
        options.partition = pushes[i].partition;

        if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }

        extent_push(store, "t", "service_name=a", pushes[i].time);
        oldest = pushes[i].time < oldest ? pushes[i].time : oldest;
        newest = pushes[i].time > newest ? pushes[i].time : newest;

        extent_is(store, "t", oldest, newest);
        pyro_store_close(store);
    }

    fixture_remove(dir);
}


static void
what_is_deleted_does_not_count(void **state)
{
    char                  *dir;
    int64_t                one, two;
    pyro_error_t           err;
    pyro_store_t          *store;
    fixture_query_t        q;
    pyro_delete_result_t   result;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    extent_push(store, "anonymous", "service_name=a", T0 + 10 * SEC);
    extent_push(store, "anonymous", "service_name=b", T0 + 500 * SEC);
    extent_is(store, "anonymous", T0 + 10 * SEC, T0 + 500 * SEC);

    fixture_query(&q, "{service_name=\"a\"}", 0, INT64_MAX);
    assert_int_equal(pyro_store_delete(store, &q.query, 0, NULL, NULL,
                                       &result, &err), PYRO_OK);
    fixture_query_end(&q);
    extent_is(store, "anonymous", T0 + 500 * SEC, T0 + 500 * SEC);

    fixture_query(&q, "{service_name=\"b\"}", 0, INT64_MAX);
    assert_int_equal(pyro_store_delete(store, &q.query, 0, NULL, NULL,
                                       &result, &err), PYRO_OK);
    fixture_query_end(&q);
    assert_int_equal(extent_of(store, "anonymous", &one, &two, &err),
                     PYRO_NOT_FOUND);

    pyro_store_close(store);
    fixture_remove(dir);
}


/* A file of which nothing is right, of that day. */
static void
extent_spoil(const char *dir, const char *day)
{
    char            path[512], junk[8192];
    DIR            *d;
    FILE           *f;
    struct dirent  *entry;

    memset(junk, 'x', sizeof(junk));
    d = opendir(dir);
    assert_non_null(d);

    while ((entry = readdir(d)) != NULL) {
        if (strncmp(entry->d_name, day, strlen(day)) == 0
            && strstr(entry->d_name, "-lock") == NULL)
        {
            snprintf(path, sizeof(path), "%s/%.200s", dir, entry->d_name);
            f = fopen(path, "w");
            assert_non_null(f);
            assert_int_equal(fwrite(junk, 1, sizeof(junk), f), sizeof(junk));
            assert_int_equal(fclose(f), 0);
        }
    }

    closedir(d);
}


static void
what_cannot_be_read_is_left_out(void **state)
{
    int            i;
    char          *dir;
    int64_t        one, two;
    pyro_error_t   err;
    pyro_store_t  *store;

    static const char  *days[] = { "p-20261122.", "p-20261124.",
                                   "p-20261123." };
    static const int64_t  oldest[] = { T0 + DAY * SEC, T0 + DAY * SEC };
    static const int64_t  newest[] = { T0 + 2 * DAY * SEC, T0 + DAY * SEC };

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);

    for (i = 0; i < 3; i++) {
        extent_push(store, "t", "service_name=a", T0 + i * DAY * SEC);
    }

    pyro_store_close(store);

    for (i = 0; i < 2; i++) {
        extent_spoil(dir, days[i]);
        store = fixture_open(dir);
        extent_is(store, "t", oldest[i], newest[i]);
        pyro_store_close(store);
    }

    extent_spoil(dir, days[2]);
    store = fixture_open(dir);
    assert_int_equal(extent_of(store, "t", &one, &two, &err),
                     PYRO_UNAVAILABLE);
    assert_non_null(strstr(err.message, "p-202611"));
    pyro_store_close(store);
    fixture_remove(dir);
}


static void
extent_analyze(pick_store_t *s, const char *selector, int64_t start,
    int64_t end)
{
    char                    seen[PICK_PUSHES][2], text[64];
    uint32_t                i, pods[PICK_PODS][2], files[PICK_DAYS];
    uint64_t                profiles, series, partitions;
    pick_fact_t            *f;
    pyro_error_t            err;
    pyro_labels_t           labels;
    fixture_query_t         q;
    pyro_store_analysis_t   result;

    memset(seen, 0, sizeof(seen));
    memset(pods, 0, sizeof(pods));
    memset(files, 0, sizeof(files));
    profiles = series = partitions = 0;

    fixture_query(&q, selector, start, end);

    if (pyro_store_analyze(s->store, &q.query, &result, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    for (i = 0; i < s->n; i++) {
        f = &s->facts[i];
        snprintf(text, sizeof(text), "pod=p%u,__name__=%s", f->pod,
                 f->alloc ? "memory" : "process_cpu");
        labels = fixture_labels(q.arena, text);

        if (f->time < start || f->time > end
            || pyro_selector_test(&q.selector, &labels, &err) != 1)
        {
            continue;
        }

        profiles += !seen[f->push][f->alloc];
        series += !pods[f->pod][f->alloc];
        partitions += !files[(f->time - T0) / (DAY * SEC)];

        seen[f->push][f->alloc] = 1;
        pods[f->pod][f->alloc] = 1;
        files[(f->time - T0) / (DAY * SEC)] = 1;
    }

    assert_int_equal(result.profiles, profiles);
    assert_int_equal(result.series, series);
    assert_int_equal(result.partitions, partitions);
    assert_int_equal(result.index_bytes != 0, partitions != 0);
    assert_int_equal(result.symbol_bytes != 0, partitions != 0);
    assert_int_equal(result.profile_bytes != 0, partitions != 0);

    fixture_query_end(&q);
}


static void
analyses_count_what_is_there(void **state)
{
    size_t        i;
    pick_store_t  s;

    static const char  *selectors[] = {
        "{}", "{pod=\"p1\"}", "{pod!=\"p1\",__name__=\"memory\"}",
        "{pod=\"nobody\"}"
    };

    (void) state;

    pick_begin(&s, 11);

    for ( ;; ) {

        for (i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
            extent_analyze(&s, selectors[i], 0, INT64_MAX);
            extent_analyze(&s, selectors[i], T0, T0 + DAY * SEC - 1);

            if (s.stage != PICK_THINNED) {
                extent_analyze(&s, selectors[i], T0 + 12345 * SEC,
                               T0 + (DAY + 4321) * SEC + 999999);
                extent_analyze(&s, selectors[i], T0 + 50000 * SEC + 7,
                               T0 + 60000 * SEC);
                extent_analyze(&s, selectors[i], T0 + 5, T0);
            }
        }

        if (s.stage == PICK_THINNED) {
            break;
        }

        pick_next(&s);
    }

    pick_end(&s);
}


/* The ends stay as they are, whatever becomes of the files. */
static void
ends_of_what_is_sealed(void **state)
{
    uint32_t      i;
    int64_t       oldest, newest;
    pick_store_t  s;

    (void) state;

    pick_begin(&s, 12);

    for (i = 0, oldest = INT64_MAX, newest = 0; i < s.n; i++) {
        oldest = s.facts[i].time < oldest ? s.facts[i].time : oldest;
        newest = s.facts[i].time > newest ? s.facts[i].time : newest;
    }

    for ( /* void */ ; s.stage < PICK_THINNED; pick_next(&s)) {
        extent_is(s.store, "anonymous", oldest, newest);
    }

    newest = (newest / (300 * SEC) + 1) * 300 * SEC - 1;
    extent_is(s.store, "anonymous", oldest, newest);
    pick_end(&s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(the_ends_of_all_data),
        cmocka_unit_test(partitions_that_overlap),
        cmocka_unit_test(what_is_deleted_does_not_count),
        cmocka_unit_test(what_cannot_be_read_is_left_out),
        cmocka_unit_test(analyses_count_what_is_there),
        cmocka_unit_test(ends_of_what_is_sealed),
    };

    return unit_run(tests);
}
