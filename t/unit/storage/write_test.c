#include "store_fixture.h"


static void
write_then_read(void **state)
{
    char               *dir;
    pyro_arena_t       *arena;
    pyro_store_t       *store;
    pyro_profile_t     *p;
    pyro_store_push_t   push;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);

    p = pyro_profile_create(arena);
    fixture_add(p, 0, &fixture_cpu, "main;work", 0, 30);
    fixture_add(p, 0, &fixture_cpu, "main;work;hash", 0, 20);
    fixture_add(p, 0, &fixture_cpu, "main", 0, 10);
    fixture_add(p, 0, &fixture_alloc, "main;work", 0, 4096);
    fixture_finish(p, "service_name=shop,pod=a");

    push = fixture_write(store, p, T0 + SEC);
    assert_int_equal(push.stored, 1);
    assert_int_equal(push.repeated, 0);

    assert_int_equal(fixture_total(store, "{__name__=\"process_cpu\"}", T0,
                                   T0 + 2 * SEC), 60);
    assert_int_equal(fixture_total(store, "{__type__=\"alloc_in_new_tlab_bytes"
                                   "\"}", T0, T0 + 2 * SEC), 4096);
    assert_int_equal(fixture_total(store, "{service_name=\"shop\"}", T0,
                                   T0 + 2 * SEC), 4156);
    assert_int_equal(fixture_series(store, "{}", T0, T0 + 2 * SEC), 2);

    /* and again by another process's eyes */

    pyro_store_close(store);
    store = fixture_open(dir);

    assert_int_equal(fixture_total(store, "{service_name=\"shop\"}", T0,
                                   T0 + 2 * SEC), 4156);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
write_drops_repeats(void **state)
{
    char               *dir;
    pyro_arena_t       *arena;
    pyro_store_t       *store;
    pyro_profile_t     *p, *again, *other;
    pyro_store_push_t   push, first, second, *list[2];

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);

    /* equal content, ids given in another order */

    p = pyro_profile_create(arena);
    fixture_add(p, 0, &fixture_cpu, "a;b", 0, 5);
    fixture_add(p, 0, &fixture_cpu, "c;d", 0, 7);
    fixture_finish(p, "service_name=s");

    again = pyro_profile_create(arena);
    fixture_add(again, 0, &fixture_cpu, "c;d", 0, 7);
    fixture_add(again, 0, &fixture_cpu, "a;b", 0, 5);
    fixture_finish(again, "service_name=s");

    other = fixture_one(arena, "service_name=s", "a;b", 6);

    fixture_write(store, p, T0);

    push = fixture_write(store, again, T0);
    assert_int_equal(push.stored, 0);
    assert_int_equal(push.repeated, 1);
    assert_int_equal(fixture_total(store, "{}", T0, T0), 12);

    /* two replicas with equal labels in the same second */

    push = fixture_write(store, other, T0);
    assert_int_equal(push.stored, 1);
    assert_int_equal(fixture_total(store, "{}", T0, T0), 18);

    push = fixture_write(store, other, T0);
    assert_int_equal(push.repeated, 1);

    /* in one transaction */

    first = fixture_push(p, T0 + SEC);
    second = fixture_push(again, T0 + SEC);
    list[0] = &first;
    list[1] = &second;

    pyro_store_write(store, list, 2);

    assert_int_equal(first.status, PYRO_OK);
    assert_int_equal(second.status, PYRO_OK);
    assert_int_equal(first.stored + second.stored, 1);
    assert_int_equal(first.repeated + second.repeated, 1);
    assert_int_equal(fixture_total(store, "{}", T0, T0 + SEC), 30);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
write_splits_label_sets(void **state)
{
    char               *dir, name[64];
    uint32_t            i, set;
    pyro_arena_t       *arena;
    pyro_store_t       *store;
    pyro_labels_t       labels;
    pyro_profile_t     *p;
    pyro_store_push_t   push;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);

    p = pyro_profile_create(arena);
    fixture_add(p, 0, &fixture_cpu, "main", 0, 1);

    for (i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "span_name=GET /%u", i);
        labels = fixture_labels(arena, name);
        set = pyro_profile_label_set(p, &labels);
        fixture_add(p, set, &fixture_cpu, "main;serve", 100 + i, 10);
        fixture_add(p, set, &fixture_cpu, "main;serve", 0, 1);
        fixture_add(p, set, &fixture_alloc, "main;serve", 100 + i, 64);
    }

    fixture_finish(p, "service_name=web");

    push = fixture_write(store, p, T0);
    assert_int_equal(push.stored, 6);
    assert_int_equal(fixture_series(store, "{}", T0, T0), 11);
    assert_int_equal(fixture_total(store, "{span_name=\"GET /3\"}", T0, T0),
                     75);
    assert_int_equal(fixture_total(store, "{span_name=\"\"}", T0, T0), 1);
    assert_int_equal(fixture_total(store, "{}", T0, T0), 1 + 5 * 75);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
write_splits_days(void **state)
{
    char                *dir;
    uint32_t             i;
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_store_t        *store;
    pyro_profile_t      *p;
    pyro_store_push_t    pushes[20], *list[20];
    pyro_store_stats_t   stats;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=s", "a;b", 1);

    /* not in order of time, on both sides of midnight */

    for (i = 0; i < 20; i++) {
        pushes[i] = fixture_push(p, T0 + (i % 2 ? SEC : -SEC) * (i + 1));
        list[i] = &pushes[i];
    }

    pyro_store_write(store, list, 20);

    for (i = 0; i < 20; i++) {
        assert_int_equal(pushes[i].status, PYRO_OK);
        assert_int_equal(pushes[i].stored, 1);
    }

    assert_int_equal(pyro_store_stats(store, &stats, &err), PYRO_OK);
    assert_int_equal(stats.partitions, 2);
    assert_int_equal(stats.commits, 2);

    assert_int_equal(fixture_total(store, "{}", T0 - DAY * SEC, T0 - 1), 10);
    assert_int_equal(fixture_total(store, "{}", T0, T0 + DAY * SEC - 1), 10);
    assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 20);
    assert_int_equal(fixture_total(store, "{}", T0 - 3 * SEC, T0 + 2 * SEC),
                     3);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
write_keeps_bad_pushes_apart(void **state)
{
    char               *dir;
    pyro_arena_t       *arena;
    pyro_store_t       *store;
    pyro_profile_t     *p, *empty;
    pyro_store_push_t   good, early, nothing, *list[3];

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);

    p = fixture_one(arena, "service_name=s", "a;b", 1);
    empty = pyro_profile_create(arena);
    fixture_finish(empty, "service_name=s");

    good = fixture_push(p, T0);
    early = fixture_push(p, -1);
    nothing = fixture_push(empty, T0);
    list[0] = &early;
    list[1] = &nothing;
    list[2] = &good;

    pyro_store_write(store, list, 3);

    assert_int_equal(good.status, PYRO_OK);
    assert_int_equal(good.stored, 1);
    assert_int_equal(early.status, PYRO_UNPROCESSABLE);
    assert_non_null(strstr(early.error.message, "-1"));
    assert_int_equal(nothing.status, PYRO_OK);
    assert_int_equal(nothing.stored, 0);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


static void
write_grows_the_tree(void **state)
{
    char                 *dir, stack[128];
    uint32_t              i, k;
    uint64_t              total;
    pyro_tree_t          *tree;
    pyro_error_t          err;
    pyro_arena_t         *arena;
    pyro_store_t         *store;
    pyro_profile_t       *p;
    fixture_query_t       q;
    pyro_store_stats_t    stats;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);
    total = 0;

    /* several chunks of nodes, begun and continued in many transactions */

    for (i = 0; i < 40; i++) {
        p = pyro_profile_create(arena);

        for (k = 0; k < 60; k++) {
            snprintf(stack, sizeof(stack), "main;f%u;g%u;h%u", k % 7,
                     (i * 60 + k) % 900, i * 60 + k);
            fixture_add(p, 0, &fixture_cpu, stack, 0, k + 1);
            total += k + 1;
        }

        fixture_finish(p, "service_name=s");
        fixture_write(store, p, T0 + i * SEC);
        fixture_write(store, p, T0 + (100 + i) * SEC);

        if (i == 20) {
            pyro_store_close(store);
            store = fixture_open(dir);
        }
    }

    fixture_query(&q, "{}", T0, T0 + DAY * SEC);
    tree = pyro_tree_create(q.arena);

    assert_int_equal(pyro_store_merge(store, &q.query, tree, &err), PYRO_OK);
    pyro_tree_totals(tree);

    assert_int_equal(tree->nodes[0].total, 2 * total);

    /* root, main, f, g under its f, h */
    assert_true(tree->n > 1 + 1 + 7 + 900 + 2400 - 1);

    fixture_query_end(&q);

    assert_int_equal(pyro_store_stats(store, &stats, &err), PYRO_OK);
    /* a direct-mapped table loses a few */
    assert_true(stats.node_cache_hits > 18 * 60);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


/* What function two has by itself where one calls it. */
static uint64_t
write_self(pyro_store_t *store, const char *one, const char *two)
{
    uint32_t          i;
    uint64_t          self;
    pyro_tree_t      *tree;
    pyro_error_t      err;
    pyro_slice_t      name, parent;
    fixture_query_t   q;

    self = 0;
    fixture_query(&q, "{}", T0, T0 + DAY * SEC);
    tree = pyro_tree_create(q.arena);
    assert_int_equal(pyro_store_merge(store, &q.query, tree, &err), PYRO_OK);

    for (i = 1; i < tree->n; i++) {
        name = tree->names.items[tree->nodes[i].name];
        parent = tree->names.items[tree->nodes[tree->nodes[i].parent].name];

        if (pyro_slice_is(name, two) && pyro_slice_is(parent, one)) {
            self += tree->nodes[i].self;
        }
    }

    fixture_query_end(&q);

    return self;
}


/* A service without room for more: sums are right, stacks end in "other". */
static void
write_folds_what_there_is_no_room_for(void **state)
{
    int                   i, round;
    char                 *dir, stack[64];
    uint64_t              folded;
    pyro_error_t          err;
    pyro_arena_t         *arena;
    pyro_store_t         *store;
    pyro_profile_t       *p;
    pyro_store_push_t     push;
    pyro_store_options_t  options;

    (void) state;

    dir = fixture_dir();
    arena = pyro_arena_create(0);
    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.map_size = 1024 * 1024 * 1024;
    options.max_nodes = 160;            /* and ten of "other" */

    assert_int_equal(pyro_store_open(&options, &store, &err), PYRO_OK);
    folded = 0;

    /* 101 nodes of main, f0 to f99; then 59 below them, then no room */

    for (round = 0; round < 3; round++) {
        for (i = 0; i < 100; i++) {
            snprintf(stack, sizeof(stack), round ? "main;f%d;g%d;h;i"
                                                 : "main;f%d", i, round);
            p = fixture_one(arena, "service_name=shop", stack, 10);
            push = fixture_write(store, p, T0 + (round * 100 + i) * SEC);
            assert_int_equal(push.stored, 1);
            folded += push.folded;
        }

        assert_int_equal(fixture_total(store, "{}", T0, T0 + DAY * SEC),
                         1000 * (round + 1));

        if (round == 1) {
            pyro_store_close(store);
            assert_int_equal(pyro_store_open(&options, &store, &err), PYRO_OK);
        }
    }

    /* f0 to f18 have their g1;h;i, and of f19 there was room for g1;h;other */

    assert_int_equal(write_self(store, "h", "i"), 19 * 10);
    assert_int_equal(write_self(store, "h", "other"), 10);
    assert_int_equal(write_self(store, "f20", "other"), 10 + 10);
    assert_int_equal(write_self(store, "f29", "other"), 0);
    assert_int_equal(folded, 200 - 19);

    /* beyond ten of "other" frames themselves take the value */

    assert_int_equal(write_self(store, "main", "f99"), 30);
    assert_int_equal(write_self(store, "main", "f0"), 10 + 10);

    /* what is known stays as it is, and another service has room */

    p = fixture_one(arena, "service_name=shop", "main;f0;g1;h;i", 1);
    push = fixture_write(store, p, T0 + 1000 * SEC);
    assert_int_equal(push.folded, 0);
    assert_int_equal(write_self(store, "h", "i"), 19 * 10 + 1);

    p = fixture_one(arena, "service_name=cart", "main;f99;g1;h;i", 1);
    push = fixture_write(store, p, T0 + 1001 * SEC);
    assert_int_equal(push.folded, 0);
    assert_int_equal(write_self(store, "h", "i"), 19 * 10 + 2);

    pyro_store_close(store);
    pyro_arena_destroy(arena);
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(write_then_read),
        cmocka_unit_test(write_drops_repeats),
        cmocka_unit_test(write_splits_label_sets),
        cmocka_unit_test(write_splits_days),
        cmocka_unit_test(write_keeps_bad_pushes_apart),
        cmocka_unit_test(write_grows_the_tree),
        cmocka_unit_test(write_folds_what_there_is_no_room_for),
    };

    return unit_run(tests);
}
