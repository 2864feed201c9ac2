/*
 * Roll-ups: answers with them are those of the push records alone, value for
 * value, wherever ranges begin and end, whatever comes late, and wherever the
 * work was cut off.
 */

#include "store_fixture.h"

#include <sys/wait.h>

#include "storage/handle.h"
#include "storage/plan.h"


#define SLOT     (300 * SEC)
#define MS       1000000LL
#define ROUNDS   250
#define QUERIES  6


typedef struct {
    pyro_store_t  *store;
    char          *dir;
    uint32_t       partition;       /* seconds */
    uint64_t       seed;
    int64_t        now;             /* of the upkeep */
    uint32_t       pods;            /* a service */
    int            huge;            /* some values whose sums stop */
} roll_t;


static uint64_t
roll_random(roll_t *r, uint64_t n)
{
    r->seed = r->seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return pyro_hash_mix(r->seed, 0) % n;
}


/* Somewhere in two days and a half, often where slots and days meet. */
static int64_t
roll_time(roll_t *r)
{
    int64_t  time;

    static const int64_t  units[] = { SLOT, 12 * SLOT, 288 * SLOT };
    static const int64_t  near[] = { 0, 1, -1, MS, -MS, MS - 1, MS + 1 };

    time = T0 + (int64_t) roll_random(r, 60 * 12 * SLOT);

    if (roll_random(r, 2)) {
        time = r->now - (int64_t) roll_random(r, 13 * SLOT);
        time = time < T0 ? T0 : time;
    }

    if (roll_random(r, 2)) {
        time -= time % units[roll_random(r, 3)];
        time += near[roll_random(r, 7)];
    }

    return time;
}


static void
roll_push(roll_t *r, int64_t time)
{
    int              i, n;
    char             stack[64], labels[64];
    uint64_t         value;
    pyro_arena_t    *arena;
    pyro_profile_t  *p;

    arena = pyro_arena_create(0);
    p = pyro_profile_create(arena);
    n = 1 + (int) roll_random(r, 4);

    for (i = 0; i < n; i++) {
        snprintf(stack, sizeof(stack), "a;f%d;g%d", (int) roll_random(r, 5),
                 (int) roll_random(r, 40));

        value = r->huge && roll_random(r, 50) == 0
                ? INT64_MAX / 3 : 1 + roll_random(r, 100) * 10000000;

        fixture_add(p, 0, roll_random(r, 2) ? &fixture_cpu : &fixture_alloc,
                    stack, roll_random(r, 3) ? 0 : 7, (int64_t) value);
    }

    snprintf(labels, sizeof(labels), "service_name=%s,pod=p%d",
             roll_random(r, 3) ? "shop" : "cart",
             (int) roll_random(r, r->pods));
    fixture_finish(p, labels);
    fixture_write(r->store, p, time);
    pyro_arena_destroy(arena);
}


static pyro_tree_t *
roll_tree(roll_t *r, fixture_query_t *q, int raw)
{
    pyro_tree_t   *tree;
    pyro_error_t   err;

    tree = pyro_tree_create(q->arena);
    q->query.raw = raw;

    if (pyro_store_merge(r->store, &q->query, tree, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return tree;
}


/* Nodes come in the order of their ids, which is the same for both. */
static void
roll_compare_trees(roll_t *r, fixture_query_t *q)
{
    uint32_t      i;
    pyro_tree_t  *raw, *rolled;

    raw = roll_tree(r, q, 1);
    rolled = roll_tree(r, q, 0);

    assert_int_equal(rolled->n, raw->n);

    for (i = 0; i < raw->n; i++) {
        assert_int_equal(rolled->nodes[i].parent, raw->nodes[i].parent);
        assert_int_equal(rolled->nodes[i].name, raw->nodes[i].name);
        assert_true(rolled->nodes[i].self == raw->nodes[i].self);
    }
}


static pyro_status_e
roll_on_series(void *ctx, const pyro_labels_t *labels, uint32_t *group,
    pyro_error_t *err)
{
    (void) err;
    *group = pyro_series_group(ctx, labels);

    return PYRO_OK;
}


static pyro_status_e
roll_on_total(void *ctx, uint32_t group, int64_t time, uint64_t total,
    uint32_t count, pyro_error_t *err)
{
    return pyro_series_add_sum(ctx, group, time, total, count, err);
}


static pyro_series_t *
roll_series(roll_t *r, fixture_query_t *q, const pyro_series_options_t *o,
    int raw, uint32_t *n)
{
    pyro_error_t                  err;
    pyro_series_t                *series;
    pyro_series_set_t            *set;
    pyro_store_totals_handler_t   handler;

    set = pyro_series_create(q->arena, o);
    q->query.raw = raw;

    memset(&handler, 0, sizeof(handler));
    handler.ctx = set;
    handler.grid = o;
    handler.series = roll_on_series;
    handler.total = roll_on_total;

    if (pyro_store_totals(r->store, &q->query, &handler, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(pyro_series_finish(set, &series, n, &err), PYRO_OK);

    return series;
}


static void
roll_compare_series(roll_t *r, fixture_query_t *q)
{
    uint32_t               i, k, n, m;
    pyro_slice_t           by[] = { PYRO_SLICE("pod"), PYRO_SLICE("__type__") };
    pyro_series_t         *raw, *rolled;
    pyro_series_options_t  o;

    static const int64_t  steps[] = { 15000, 60000, 300000, 900000, 3600000,
                                      7200000, 86400000, 56250 };

    memset(&o, 0, sizeof(o));

    o.start = q->query.start / MS;
    o.end = q->query.end / MS;
    o.step = steps[roll_random(r, 8)];
    o.aggregation = roll_random(r, 2) ? PYRO_SERIES_SUM : PYRO_SERIES_AVERAGE;
    o.group_by = by;
    o.n_group_by = 2;

    if (roll_random(r, 2)) {
        o.start -= o.start % o.step;
    }

    pyro_series_range(&o, &q->query.start, &q->query.end);

    raw = roll_series(r, q, &o, 1, &n);
    rolled = roll_series(r, q, &o, 0, &m);
    assert_int_equal(m, n);

    for (i = 0; i < n; i++) {
        assert_int_equal(rolled[i].n, raw[i].n);
        assert_int_equal(pyro_labels_cmp(&rolled[i].labels, &raw[i].labels),
                         0);

        for (k = 0; k < raw[i].n; k++) {
            assert_int_equal(rolled[i].points[k].time, raw[i].points[k].time);
            assert_true(rolled[i].points[k].value == raw[i].points[k].value);
        }
    }
}


static void
roll_query(roll_t *r)
{
    int64_t          start, end, t;
    fixture_query_t  q;

    static const char  *selectors[] = {
        "{}", "{service_name=\"shop\"}", "{pod=\"p1\"}",
        "{__type__=\"cpu\"}", "{service_name=\"cart\",pod=~\"p[1-3].*\"}",
    };

    start = roll_time(r);
    end = roll_time(r);

    if (start > end) {
        t = start;
        start = end;
        end = t;
    }

    if (roll_random(r, 8) == 0) {
        start = 0;
    }

    if (roll_random(r, 8) == 0) {
        end = T0 + 10 * DAY * SEC;
    }

    fixture_query(&q, selectors[roll_random(r, 5)], start, end);
    roll_compare_trees(r, &q);
    roll_compare_series(r, &q);
    fixture_query_end(&q);
}


/* The upkeep, cut off after a transaction or two every other time. */
static void
roll_work(roll_t *r)
{
    pyro_error_t       err;
    pyro_store_work_t  work;

    memset(&work, 0, sizeof(work));
    work.now = r->now;

    if (roll_random(r, 2)) {
        work.deadline = pyro_clock_mono()
                        + (int64_t) roll_random(r, 6 * MS);
    }

    if (pyro_store_maintain(r->store, &work, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(work.damaged, 0);
}


static void
roll_reopen(roll_t *r)
{
    pyro_error_t          err;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = r->dir;
    options.map_size = 1024 * 1024 * 1024;
    options.partition = r->partition;

    if (pyro_store_open(&options, &r->store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


static void
roll_open(roll_t *r, uint64_t seed, uint32_t partition)
{
    memset(r, 0, sizeof(roll_t));
    r->dir = fixture_dir();
    r->partition = partition;
    r->seed = seed;
    r->now = T0;
    r->pods = 1;
    roll_reopen(r);
}


static void
roll_close(roll_t *r)
{
    pyro_store_close(r->store);
    fixture_remove(r->dir);
}


/* ---- the tests ---- */

static void
roll_agrees(uint64_t seed, uint32_t partition, uint32_t pods, int huge)
{
    int     i, k, n;
    roll_t  r;

    roll_open(&r, seed, partition);
    r.pods = pods;
    r.huge = huge;

    for (i = 0; i < ROUNDS; i++) {
        n = (int) roll_random(&r, 12);

        for (k = 0; k < n; k++) {
            roll_push(&r, roll_time(&r));
        }

        if (roll_random(&r, 3) == 0) {
            r.now += (int64_t) roll_random(&r, 12 * SLOT);
            roll_work(&r);
        }

        if (roll_random(&r, 40) == 0) {
            pyro_store_close(r.store);
            roll_reopen(&r);
        }

        for (k = 0; k < QUERIES && i % 4 == 0; k++) {
            roll_query(&r);
        }
    }

    roll_close(&r);
}


static void
answers_are_those_of_the_push_records(void **state)
{
    (void) state;

    roll_agrees(20261126, DAY, 1, 0);
    roll_agrees(20261127, DAY, 3, 1);
    roll_agrees(20261129, 3600, 2, 0);
    roll_agrees(20261130, 7 * DAY, 2, 0);
}


/* More streams than a transaction takes: passes end between two of them. */
static void
answers_are_the_same_where_passes_were_cut_off(void **state)
{
    (void) state;

    roll_agrees(20261128, DAY, 150, 0);
}


/* Done again, a slot leaves its neighbours' first and last milliseconds. */
static void
late_slots_leave_their_neighbours_alone(void **state)
{
    int                 i;
    roll_t              r;
    pyro_arena_t       *arena;
    pyro_error_t        err;
    pyro_profile_t     *p;
    fixture_query_t     q;
    pyro_store_work_t   work;

    static const int64_t  times[] = { 2 * SLOT, 2 * SLOT + MS - 1,
                                      2 * SLOT + MS, 3 * SLOT + MS - 1,
                                      3 * SLOT + MS, 3 * SLOT + 2 * MS };

    (void) state;

    roll_open(&r, 5, DAY);
    arena = pyro_arena_create(0);
    memset(&work, 0, sizeof(work));
    work.now = T0 + 2 * DAY * SEC;

    for (i = 0; i < 7; i++) {
        p = fixture_one(arena, "service_name=shop", "a;b", 1 << i);
        fixture_write(r.store, p, i < 6 ? T0 + times[i] : T0 + 5 * SLOT / 2);

        if (i >= 5) {
            assert_int_equal(pyro_store_maintain(r.store, &work, &err),
                             PYRO_OK);
        }
    }

    for (i = 0; i < 20; i++) {
        fixture_query(&q, "{}", T0, T0 + 6 * SLOT);
        roll_compare_trees(&r, &q);
        roll_compare_series(&r, &q);
        fixture_query_end(&q);
    }

    pyro_arena_destroy(arena);
    roll_close(&r);
}


typedef struct {
    roll_t         *r;
    atomic_int      end;
    atomic_llong    now;
} roll_thread_t;


static void *
roll_upkeep(void *data)
{
    pyro_error_t        err;
    roll_thread_t      *thread;
    pyro_store_work_t   work;

    thread = data;
    memset(&work, 0, sizeof(work));
    work.now = T0;

    while (!atomic_load(&thread->end)) {
        work.now += SLOT;
        atomic_store(&thread->now, work.now);

        if (pyro_store_maintain(thread->r->store, &work, &err) != PYRO_OK) {
            return thread;
        }
    }

    return NULL;
}


/* Pushes into slots that are being rolled up at that moment. */
static void
pushes_during_a_pass_are_not_lost(void **state)
{
    int             i;
    void           *failed;
    roll_t          r;
    pthread_t       id;
    roll_thread_t   thread;
    fixture_query_t q;

    (void) state;

    roll_open(&r, 6, DAY);
    r.pods = 200;

    for (i = 0; i < 1000; i++) {
        roll_push(&r, T0 + (int64_t) roll_random(&r, 20 * SLOT));
    }

    thread.r = &r;
    atomic_init(&thread.now, T0);
    atomic_init(&thread.end, 0);
    assert_int_equal(pthread_create(&id, NULL, roll_upkeep, &thread), 0);

    for (i = 0; i < 1500; i++) {
        roll_push(&r, atomic_load(&thread.now) - 60 * SEC
                      - (int64_t) roll_random(&r, SLOT));
    }

    atomic_store(&thread.end, 1);
    assert_int_equal(pthread_join(id, &failed), 0);
    assert_null(failed);

    for (i = 0; i < 3; i++) {
        fixture_query(&q, "{}", T0, T0 + 9 * DAY * SEC);
        roll_compare_trees(&r, &q);
        roll_compare_series(&r, &q);
        fixture_query_end(&q);
    }

    roll_close(&r);
}


static void
roll_compare_both(roll_t *r)
{
    fixture_query_t  q;

    fixture_query(&q, "{}", T0, T0 + 2 * DAY * SEC);
    roll_compare_trees(r, &q);
    roll_compare_series(r, &q);
    fixture_query_end(&q);
}


/* A clock that was years ahead for a while: slots that were summed up before
 * their time get their pushes nevertheless. */
static void
a_clock_that_was_ahead_costs_no_value(void **state)
{
    int                 i, k;
    roll_t              r;
    pyro_error_t        err;
    pyro_store_work_t   work;

    static const int64_t  clocks[] = {
        T0 + 3600 * SEC, T0 + 3650LL * DAY * SEC, T0 + 3600 * SEC + 10 * SEC,
        100 * SEC, T0 + 2 * 3600 * SEC, T0 + DAY * SEC, T0 + 3 * DAY * SEC
    };

    (void) state;

    roll_open(&r, 8, DAY);
    r.pods = 3;

    for (i = 0; i < 7; i++) {
        memset(&work, 0, sizeof(work));
        work.now = clocks[i];

        for (k = 0; k < 60; k++) {
            roll_push(&r, T0 + (int64_t) roll_random(&r, 2 * DAY * SEC));
        }

        roll_compare_both(&r);

        do {
            assert_int_equal(pyro_store_maintain(r.store, &work, &err),
                             PYRO_OK);
        } while (work.more);

        roll_compare_both(&r);

        /* from the first time ahead on there are late ones */

        assert_true(work.late > 0 || i < 2);
    }

    roll_close(&r);
}


/* The upkeep of another process has nothing to do, and the lock is not its. */
static void
roll_elsewhere(const char *dir, pyro_store_work_t work)
{
    int            rc;
    pid_t          pid;
    pyro_error_t   err;
    pyro_store_t  *store;

    pid = fork();
    assert_true(pid >= 0);

    if (pid == 0) {
        store = fixture_open(dir);

        if (pyro_store_maintain(store, &work, &err) != PYRO_OK) {
            _exit(1);
        }

        pyro_store_close(store);
        _exit(work.held || work.rolled ? 2 : 0);
    }

    assert_int_equal(waitpid(pid, &rc, 0), pid);
    assert_int_equal(rc, 0);
}


/* Whether all is rolled up is known to who had to do it. */
static void
the_end_of_the_work_is_told(void **state)
{
    roll_t              r;
    pyro_error_t        err;
    pyro_store_work_t   work;

    (void) state;

    roll_open(&r, 3, DAY);
    roll_push(&r, T0);

    memset(&work, 0, sizeof(work));
    work.now = T0 + 2 * DAY * SEC;
    work.deadline = 1;
    assert_int_equal(pyro_store_maintain(r.store, &work, &err), PYRO_OK);
    assert_int_equal(work.held, 1);
    assert_int_equal(work.more, 1);
    assert_int_equal(work.rolled, 0);

    work.deadline = 0;
    roll_elsewhere(r.dir, work);

    assert_int_equal(pyro_store_maintain(r.store, &work, &err), PYRO_OK);
    assert_int_equal(work.held, 1);
    assert_int_equal(work.rolled, 1);

    roll_close(&r);
}


/* Everything that the plan of a stream has, as text. */
typedef struct {
    char        text[512];
    uint32_t    stream;
} roll_plan_t;


static pyro_status_e
roll_on_read(pyro_read_t *read, void *ctx)
{
    size_t             len;
    uint32_t           i;
    roll_plan_t       *plan;
    pyro_plan_read_t   p;

    static const char  *names[] = { "raw", "5m", "1h", "1d" };

    plan = ctx;
    memset(&p, 0, sizeof(p));

    assert_int_equal(pyro_plan_begin(read, &p), PYRO_OK);
    assert_int_equal(pyro_plan_stream(read, &p, plan->stream), PYRO_OK);

    for (i = 0; i < p.n; i++) {
        len = strlen(plan->text);
        snprintf(plan->text + len, sizeof(plan->text) - len, "%s%s:%d",
                 len ? " " : "", names[p.items[i].level],
                 p.items[i].level == PYRO_LEVEL_RAW
                 ? (int) ((p.items[i].end - p.items[i].start + 1) / SEC)
                 : (int) (p.items[i].to - p.items[i].from + 1));
    }

    return PYRO_OK;
}


static void
roll_plan_is(roll_t *r, int64_t start, int64_t end, const char *expected)
{
    roll_plan_t       plan;
    pyro_error_t      err;
    fixture_query_t   q;

    memset(&plan, 0, sizeof(plan));
    plan.stream = 1;

    fixture_query(&q, "{}", start, end);
    assert_int_equal(pyro_read_each(r->store, &q.query, roll_on_read, &plan,
                                    &err), PYRO_OK);
    assert_string_equal(plan.text, expected);
    fixture_query_end(&q);
}


static void
plans_take_the_coarsest_level(void **state)
{
    int64_t             day;
    roll_t              r;
    pyro_arena_t       *arena;
    pyro_profile_t     *p;
    pyro_store_work_t   work;
    pyro_error_t        err;

    (void) state;

    day = T0;
    roll_open(&r, 1, DAY);
    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=shop", "a;b", 10);

    fixture_write(r.store, p, day + 100 * SEC);
    fixture_write(r.store, p, day + 23 * 3600 * SEC);
    roll_plan_is(&r, 0, INT64_MAX, "raw:86700");

    memset(&work, 0, sizeof(work));
    work.now = day + 6 * 3600 * SEC + 61 * SEC;
    assert_int_equal(pyro_store_maintain(r.store, &work, &err), PYRO_OK);
    assert_int_equal(work.more, 0);

    /* midnight's instant is of the day before's slot */

    roll_plan_is(&r, 0, INT64_MAX, "1d:1 1h:6 raw:64800");
    roll_plan_is(&r, day + MS, day + 2 * 3600 * SEC + MS - 1, "1h:2");
    roll_plan_is(&r, day + 10 * SEC, day + 2 * 3600 * SEC + MS - 1,
                 "raw:290 5m:11 1h:1");
    roll_plan_is(&r, day + MS, day + 299 * SEC, "raw:298");

    work.now = day + 2 * DAY * SEC;
    assert_int_equal(pyro_store_maintain(r.store, &work, &err), PYRO_OK);
    roll_plan_is(&r, 0, INT64_MAX, "1d:2");
    roll_plan_is(&r, day + 3600 * SEC + MS, INT64_MAX, "1h:23");

    /* late: one slot of the day by its push records, until it is done again */

    fixture_write(r.store, p, day + 7300 * SEC);
    roll_plan_is(&r, 0, INT64_MAX, "1d:1 1h:2 raw:300 5m:11 1h:21");

    work.late = 0;
    assert_int_equal(pyro_store_maintain(r.store, &work, &err), PYRO_OK);
    assert_int_equal(work.late, 1);
    roll_plan_is(&r, 0, INT64_MAX, "1d:2");
    assert_int_equal(fixture_total(r.store, "{}", 0, INT64_MAX), 30);

    /* nothing has changed: nothing is done */

    work.slots = 0;
    assert_int_equal(pyro_store_maintain(r.store, &work, &err), PYRO_OK);
    assert_int_equal(pyro_store_maintain(r.store, &work, &err), PYRO_OK);
    assert_int_equal(work.slots, 0);

    pyro_arena_destroy(arena);
    roll_close(&r);
}


/* Turns a bit of each record that is rolled up on the first day. */
static void
roll_damage(roll_t *r)
{
    int                 i;
    uint8_t             copy[4096];
    pyro_kv_txn_t      *txn;
    pyro_slice_t        key, value;
    pyro_kv_cursor_t   *cursor;
    pyro_error_t        err;
    pyro_partition_t   *part;

    static const pyro_db_e  dbs[] = { PYRO_DB_R5M, PYRO_DB_R1H, PYRO_DB_R1D,
                                      PYRO_DB_TOT };

    part = pyro_catalog_find(&r->store->catalog, T0);
    assert_int_equal(pyro_catalog_acquire(&r->store->catalog, part, &err),
                     PYRO_OK);

    for (i = 0; i < 4; i++) {
        assert_int_equal(pyro_env_begin(part->env, 0, &txn, &err), PYRO_OK);
        assert_int_equal(pyro_kv_cursor(txn, part->dbi[dbs[i]], &cursor), 0);

        while (pyro_kv_move(cursor, PYRO_KV_NEXT, &key, &value) == 0) {
            assert_true(value.len <= sizeof(copy));
            memcpy(copy, value.data, value.len);
            copy[value.len - 1] ^= 1;
            assert_int_equal(pyro_kv_put(txn, part->dbi[dbs[i]], key,
                                         pyro_slice(copy, value.len)), 0);
        }

        pyro_kv_cursor_close(cursor);
        assert_int_equal(pyro_env_commit(part->env, txn, &err), PYRO_OK);
    }

    pyro_catalog_release(&r->store->catalog, part);
}


static void
roll_compare_some(roll_t *r)
{
    int              i;
    fixture_query_t  q;

    assert_int_equal(fixture_total(r->store, "{}", 0, INT64_MAX), 1000);

    for (i = 0; i < 20; i++) {
        fixture_query(&q, "{}", T0, T0 + DAY * SEC);
        roll_compare_trees(r, &q);
        roll_compare_series(r, &q);
        fixture_query_end(&q);
    }
}


/* A hundred pushes of one day, rolled up as far as now, then damaged. */
static void
roll_open_damaged(roll_t *r, pyro_store_work_t *work, int64_t now)
{
    int              i;
    pyro_arena_t    *arena;
    pyro_error_t     err;
    pyro_profile_t  *p;

    roll_open(r, 3, DAY);
    arena = pyro_arena_create(0);
    p = fixture_one(arena, "service_name=shop", "a;b", 10);

    for (i = 0; i < 100; i++) {
        fixture_write(r->store, p, T0 + i * 600 * SEC);
    }

    memset(work, 0, sizeof(pyro_store_work_t));
    work->now = now;
    assert_int_equal(pyro_store_maintain(r->store, work, &err), PYRO_OK);

    roll_damage(r);
    pyro_arena_destroy(arena);
}


/* What a damaged record of a level had comes from the push records. */
static void
damaged_rollups_are_read_from_pushes(void **state)
{
    roll_t              r;
    pyro_error_t        err;
    pyro_store_work_t   work;
    pyro_store_stats_t  stats;

    (void) state;

    roll_open_damaged(&r, &work, T0 + 2 * DAY * SEC);
    roll_compare_some(&r);

    assert_int_equal(pyro_store_stats(r.store, &stats, &err), PYRO_OK);
    assert_true(stats.damaged_records > 0);
    roll_close(&r);
}


/* What is built of damaged records is not whole: it is built anew. */
static void
damaged_rollups_are_made_anew(void **state)
{
    int                i;
    roll_t             r;
    pyro_error_t       err;
    pyro_store_work_t  work;

    (void) state;

    roll_open_damaged(&r, &work, T0 + 13 * SLOT + 31 * 60 * SEC);
    work.now = T0 + 2 * DAY * SEC;

    /* what was not read for others is damaged still, and read from pushes */

    for (i = 0; i < 3; i++) {
        assert_int_equal(pyro_store_maintain(r.store, &work, &err), PYRO_OK);
        roll_compare_some(&r);
    }

    assert_true(work.damaged > 0);
    roll_plan_is(&r, 0, INT64_MAX, "1d:2");
    roll_close(&r);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(the_end_of_the_work_is_told),
        cmocka_unit_test(plans_take_the_coarsest_level),
        cmocka_unit_test(answers_are_those_of_the_push_records),
        cmocka_unit_test(answers_are_the_same_where_passes_were_cut_off),
        cmocka_unit_test(late_slots_leave_their_neighbours_alone),
        cmocka_unit_test(pushes_during_a_pass_are_not_lost),
        cmocka_unit_test(a_clock_that_was_ahead_costs_no_value),
        cmocka_unit_test(damaged_rollups_are_read_from_pushes),
        cmocka_unit_test(damaged_rollups_are_made_anew),
    };

    return unit_run(tests);
}
