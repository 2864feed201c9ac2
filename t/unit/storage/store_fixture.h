/*
 * What the tests of the store share: directories under build/, profiles from
 * "a;b;c" stacks, and queries in one call.
 */

#ifndef _PYRO_STORE_FIXTURE_H_INCLUDED_
#define _PYRO_STORE_FIXTURE_H_INCLUDED_


#include "unit.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "storage/store.h"


#define DAY   86400
#define T0    1795305600000000000LL     /* 2026-11-22 00:00 UTC */
#define SEC   1000000000LL


static const pyro_profile_type_t  fixture_cpu = {
    { "process_cpu", 11 }, { "cpu", 3 }, { "nanoseconds", 11 },
    { "cpu", 3 }, { "nanoseconds", 11 }
};

static const pyro_profile_type_t  fixture_alloc = {
    { "memory", 6 }, { "alloc_in_new_tlab_bytes", 23 }, { "bytes", 5 },
    { "space", 5 }, { "bytes", 5 }
};


/* A month behind T0, and behind whatever is written now: files that have not
 * changed for long are looked at by the clock. */
static inline int64_t
fixture_later(void)
{
    int64_t  later, now;

    later = T0 + 30LL * DAY * SEC;
    now = ((int64_t) time(NULL) + DAY) * SEC;

    return now > later ? now : later;
}


static inline char *
fixture_dir(void)
{
    char  *dir;

    dir = strdup("build/store-XXXXXX");
    assert_non_null(mkdtemp(dir));

    return dir;
}


static inline void
fixture_remove(char *dir)
{
    DIR            *d;
    char            path[4096];
    struct dirent  *entry;

    d = opendir(dir);
    assert_non_null(d);

    while ((entry = readdir(d)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        unlink(path);
    }

    closedir(d);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
}


static inline pyro_store_t *
fixture_open_as(const char *dir, pyro_durability_e durability)
{
    pyro_error_t          err;
    pyro_store_t         *store;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.map_size = 1024 * 1024 * 1024;
    options.durability = durability;

    if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return store;
}


static inline pyro_store_t *
fixture_open(const char *dir)
{
    return fixture_open_as(dir, PYRO_DURABILITY_COMMIT);
}


/* "a=1,b=2" to labels. */
static inline pyro_labels_t
fixture_labels(pyro_arena_t *arena, const char *text)
{
    const char     *p, *eq, *end;
    pyro_labels_t   labels;

    labels.items = pyro_arena_calloc(arena, 32, sizeof(pyro_label_t));
    labels.n = 0;

    for (p = text; *p; p = *end ? end + 1 : end) {
        eq = strchr(p, '=');
        end = strchr(p, ',');
        end = end ? end : p + strlen(p);

        labels.items[labels.n].name =
                           pyro_arena_dup(arena, pyro_slice(p, eq - p));
        labels.items[labels.n++].value =
                           pyro_arena_dup(arena, pyro_slice(eq + 1,
                                                            end - eq - 1));
    }

    labels.n = pyro_labels_sort(labels.items, labels.n);

    return labels;
}


/* Adds "a;b;c" to label set and type. */
static inline void
fixture_add(pyro_profile_t *p, uint32_t set, const pyro_profile_type_t *type,
    const char *stack, uint64_t span, int64_t value)
{
    uint32_t       node, span_id;
    const char    *end;
    pyro_span_t    s;
    pyro_frame_t   frame;

    memset(&frame, 0, sizeof(frame));
    memset(&s, 0, sizeof(s));

    s.id = span;
    s.trace_hi = span % 2 ? span * 3 : 0;

    for (node = 0; *stack; stack = *end ? end + 1 : end) {
        end = strchr(stack, ';');
        end = end ? end : stack + strlen(stack);

        frame.function = pyro_profile_string(p, pyro_slice(stack,
                                                           end - stack));
        node = pyro_profile_node(p, node, pyro_profile_frame(p, &frame));
    }

    span_id = span ? pyro_profile_span(p, &s) : 0;

    assert_int_equal(pyro_profile_add(p, set, pyro_profile_column(p, type),
                                      node, span_id, value), 0);
}


static inline void
fixture_finish(pyro_profile_t *p, const char *labels)
{
    pyro_error_t         err;
    pyro_labels_t        set;
    pyro_label_limits_t  limits = { 64, 1024, 2048 };

    set = fixture_labels(p->arena, labels);

    if (pyro_profile_finish(p, &set, &limits, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


/* One stack, one CPU value. */
static inline pyro_profile_t *
fixture_one(pyro_arena_t *arena, const char *labels, const char *stack,
    int64_t value)
{
    pyro_profile_t  *p;

    p = pyro_profile_create(arena);
    assert_non_null(p);

    fixture_add(p, 0, &fixture_cpu, stack, 0, value);
    fixture_finish(p, labels);

    return p;
}


static inline pyro_store_push_t
fixture_push(const pyro_profile_t *profile, int64_t time)
{
    pyro_store_push_t  push;

    memset(&push, 0, sizeof(push));

    push.tenant = PYRO_SLICE("anonymous");
    push.profile = profile;
    push.time = time;
    push.duration = 10 * SEC;

    return push;
}


/* Writes one push, which must succeed. */
static inline pyro_store_push_t
fixture_write(pyro_store_t *store, const pyro_profile_t *profile, int64_t time)
{
    pyro_store_push_t  push, *list[1];

    push = fixture_push(profile, time);
    list[0] = &push;

    pyro_store_write(store, list, 1);

    if (push.status != PYRO_OK) {
        fail_msg("%s", push.error.message);
    }

    return push;
}


typedef struct {
    pyro_arena_t        *arena;
    pyro_selector_t      selector;
    pyro_store_query_t   query;
} fixture_query_t;


static inline void
fixture_query(fixture_query_t *q, const char *selector, int64_t start,
    int64_t end)
{
    pyro_error_t  err;

    memset(q, 0, sizeof(fixture_query_t));

    q->arena = pyro_arena_create(0);

    if (pyro_selector_parse(q->arena, pyro_slice_str(selector), &q->selector,
                            &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    q->query.tenant = PYRO_SLICE("anonymous");
    q->query.selectors = &q->selector;
    q->query.n_selectors = 1;
    q->query.start = start;
    q->query.end = end;
    q->query.arena = q->arena;
}


static inline void
fixture_query_end(fixture_query_t *q)
{
    pyro_selector_free(&q->selector);
    pyro_arena_destroy(q->arena);
}


/* The sum of all values that match. */
static inline uint64_t
fixture_total(pyro_store_t *store, const char *selector, int64_t start,
    int64_t end)
{
    uint64_t          total;
    pyro_tree_t      *tree;
    pyro_error_t      err;
    fixture_query_t   q;

    fixture_query(&q, selector, start, end);
    tree = pyro_tree_create(q.arena);

    if (pyro_store_merge(store, &q.query, tree, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    pyro_tree_totals(tree);
    total = tree->nodes[0].total;

    fixture_query_end(&q);

    return total;
}


static inline pyro_status_e
fixture_count(void *ctx, const pyro_labels_t *labels, pyro_error_t *err)
{
    (void) labels;
    (void) err;

    (*(uint32_t *) ctx)++;

    return PYRO_OK;
}


/* The number of series that match. */
static inline uint32_t
fixture_series(pyro_store_t *store, const char *selector, int64_t start,
    int64_t end)
{
    uint32_t          n;
    pyro_error_t      err;
    fixture_query_t   q;

    n = 0;
    fixture_query(&q, selector, start, end);

    if (pyro_store_series(store, &q.query, fixture_count, &n, &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    fixture_query_end(&q);

    return n;
}


#endif /* _PYRO_STORE_FIXTURE_H_INCLUDED_ */
