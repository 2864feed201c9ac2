/*
 * Sealing: a store whose days are sealed, cut off, sealed again with what came
 * late, answers as one does that never was, push for push and value for value.
 */

#include "store_fixture.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "storage/handle.h"
#include "storage/seal_job.h"


#define MS        1000000LL
#define ROUNDS    16
#define PUSHES    40
#define LATER     fixture_later()       /* files are quiet by then */


typedef struct {
    pyro_store_t  *sealed;
    pyro_store_t  *plain;
    char          *dirs[2];
    uint32_t       partition;       /* seconds */
    uint32_t       span;            /* seconds, of all times */
    uint64_t       seed;
    int            huge;            /* some values whose sums stop */
} seal_t;


static uint64_t
seal_random(seal_t *s, uint64_t n)
{
    s->seed = s->seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return pyro_hash_mix(s->seed, 0) % n;
}


static pyro_store_t *
seal_open(seal_t *s, int which)
{
    pyro_error_t          err;
    pyro_store_t         *store;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = s->dirs[which];
    options.map_size = 256 * 1024 * 1024;
    options.partition = s->partition;
    options.seal_after = which ? 0 : 7200;
    options.max_open = 3;
    options.durability = PYRO_DURABILITY_PERIODIC;

    if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return store;
}


static void
seal_begin(seal_t *s, uint64_t seed, uint32_t partition)
{
    memset(s, 0, sizeof(seal_t));

    s->seed = seed;
    s->partition = partition;
    s->span = partition < DAY ? 5 * partition : 2 * DAY;
    s->dirs[0] = fixture_dir();
    s->dirs[1] = fixture_dir();
    s->sealed = seal_open(s, 0);
    s->plain = seal_open(s, 1);
}


static void
seal_end(seal_t *s)
{
    pyro_store_close(s->sealed);
    pyro_store_close(s->plain);
    fixture_remove(s->dirs[0]);
    fixture_remove(s->dirs[1]);
}


/* As after a restart; what was begun is taken up again. */
static void
seal_reopen(seal_t *s)
{
    pyro_store_close(s->sealed);
    s->sealed = seal_open(s, 0);
}


/* One call; cpu in ns. */
static void
seal_once(seal_t *s, int64_t cpu, pyro_store_work_t *work)
{
    pyro_error_t  err;

    memset(work, 0, sizeof(pyro_store_work_t));
    work->now = LATER;
    work->seal_cpu = cpu;

    if (pyro_store_maintain(s->sealed, work, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


/* Until nothing is left to do; returns how many were sealed. */
static uint32_t
seal_all(seal_t *s, int64_t cpu)
{
    uint32_t           n, idle;
    struct timespec    pause = { 0, 0 };
    pyro_store_work_t  work;

    n = 0;
    idle = 0;

    while (idle < 2) {
        seal_once(s, cpu, &work);
        n += work.sealed;
        idle = work.more || work.sealed ? 0 : idle + 1;
        s->sealed->seal->resume = 0;
        nanosleep(&pause, NULL);
    }

    return n;
}


static pyro_profile_t *
seal_profile(seal_t *s, pyro_arena_t *arena)
{
    int              i, n, pod;
    char             stack[64], labels[64];
    uint64_t         value;
    pyro_profile_t  *p;

    p = pyro_profile_create(arena);
    n = 1 + (int) seal_random(s, 6);

    for (i = 0; i < n; i++) {
        snprintf(stack, sizeof(stack), "a;f%d;g%d", (int) seal_random(s, 5),
                 (int) seal_random(s, 60));

        value = s->huge && seal_random(s, 20) == 0
                ? INT64_MAX / 3 : 1 + seal_random(s, 100) * 10000000;

        fixture_add(p, 0, seal_random(s, 2) ? &fixture_cpu : &fixture_alloc,
                    seal_random(s, 30) ? stack : "",
                    seal_random(s, 3) ? 0 : 1 + seal_random(s, 9),
                    (int64_t) value);
    }

    pod = (int) seal_random(s, 3);
    snprintf(labels, sizeof(labels), "service_name=%s,pod=p%d",
             seal_random(s, 3) ? "shop" : "cart", pod);
    fixture_finish(p, labels);

    return p;
}


static int64_t
seal_time(seal_t *s)
{
    int64_t  time;

    time = T0 + (int64_t) seal_random(s, s->span) * SEC;

    if (seal_random(s, 2)) {
        time -= time % (300 * SEC);
        time += ((int64_t) seal_random(s, 5) - 2) * MS;
        time = time < T0 ? T0 : time;
    }

    /* now and then two in one moment, and two of one slot */

    if (seal_random(s, 3) == 0) {
        time = T0 + 3 * 3600 * SEC + (int64_t) seal_random(s, 4) * 10 * SEC;
    }

    return time;
}


/* The same into both stores, sometimes once more; each says the same. */
static void
seal_push(seal_t *s)
{
    int                 i, again;
    int64_t             time;
    pyro_arena_t       *arena;
    pyro_profile_t     *p;
    pyro_store_push_t   one, two;

    arena = pyro_arena_create(0);
    p = seal_profile(s, arena);
    time = seal_time(s);
    again = seal_random(s, 4) == 0;

    for (i = 0; i <= again; i++) {
        one = fixture_write(s->sealed, p, time);
        two = fixture_write(s->plain, p, time);

        assert_int_equal(one.stored, two.stored);
        assert_int_equal(one.repeated, two.repeated);
    }

    pyro_arena_destroy(arena);
}


/* ---- comparing ---- */

typedef struct {
    char      *text;
    uint64_t   value;
} seal_line_t;


static int
seal_line_cmp(const void *one, const void *two)
{
    const seal_line_t  *a = one, *b = two;

    return strcmp(a->text, b->text);
}


/* "frame;frame" and its own value, sorted. */
static uint32_t
seal_lines(pyro_store_t *store, fixture_query_t *q, int raw,
    seal_line_t **lines)
{
    char           text[512], name[128];
    uint32_t       i, n, node, path[16], depth;
    pyro_tree_t   *tree;
    pyro_error_t   err;
    pyro_slice_t   slice;

    q->query.raw = raw;
    tree = pyro_tree_create(q->arena);

    if (pyro_store_merge(store, &q->query, tree, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    *lines = calloc(tree->n + 1, sizeof(seal_line_t));

    for (i = 0, n = 0; i < tree->n; i++) {

        if (tree->nodes[i].self == 0) {
            continue;
        }

        for (node = i, depth = 0; node; node = tree->nodes[node].parent) {
            path[depth++] = node;
        }

        text[0] = '\0';

        while (depth) {
            slice = tree->names.items[tree->nodes[path[--depth]].name];
            snprintf(name, sizeof(name), ";%.*s", PYRO_SLICE_ARG(slice));
            strcat(text, name);
        }

        (*lines)[n].text = strdup(text);
        (*lines)[n++].value = tree->nodes[i].self;
    }

    qsort(*lines, n, sizeof(seal_line_t), seal_line_cmp);

    return n;
}


static void
seal_compare_one(seal_t *s, const char *selector, int64_t start, int64_t end,
    int raw)
{
    uint32_t          i, n, m;
    seal_line_t      *one, *two;
    fixture_query_t   q;

    fixture_query(&q, selector, start, end);
    n = seal_lines(s->sealed, &q, raw, &one);
    m = seal_lines(s->plain, &q, 1, &two);

    assert_int_equal(n, m);

    for (i = 0; i < n; i++) {
        assert_string_equal(one[i].text, two[i].text);
        assert_true(one[i].value == two[i].value);
        free(one[i].text);
        free(two[i].text);
    }

    free(one);
    free(two);
    fixture_query_end(&q);

    assert_int_equal(fixture_series(s->sealed, selector, start, end) > 0,
                     fixture_series(s->plain, selector, start, end) > 0);
}


typedef struct {
    uint64_t  sum;
    uint64_t  count;
} seal_total_t;


static pyro_status_e
seal_on_series(void *ctx, const pyro_labels_t *labels, uint32_t *group,
    pyro_error_t *err)
{
    (void) ctx;
    (void) labels;
    (void) err;

    *group = 0;

    return PYRO_OK;
}


static pyro_status_e
seal_on_total(void *ctx, uint32_t group, int64_t time, uint64_t total,
    uint32_t count, pyro_error_t *err)
{
    seal_total_t  *t;

    (void) group;
    (void) err;

    /* a checksum in which no time is like another; times are whole ms */

    t = ctx;
    t->sum += total * pyro_hash_mix(0, (uint64_t) (time / MS));
    t->count += count;

    return PYRO_OK;
}


static void
seal_compare_totals(seal_t *s, const char *selector, int64_t start,
    int64_t end)
{
    int                           i;
    pyro_error_t                  err;
    seal_total_t                  totals[2];
    fixture_query_t               q;
    pyro_store_totals_handler_t   handler;

    memset(totals, 0, sizeof(totals));
    memset(&handler, 0, sizeof(handler));
    handler.series = seal_on_series;
    handler.total = seal_on_total;

    for (i = 0; i < 2; i++) {
        fixture_query(&q, selector, start, end);
        handler.ctx = &totals[i];

        if (pyro_store_totals(i ? s->plain : s->sealed, &q.query, &handler,
                              &err)
            != PYRO_OK)
        {
            fail_msg("%s", err.message);
        }

        fixture_query_end(&q);
    }

    assert_true(totals[0].sum == totals[1].sum);
    assert_true(totals[0].count == totals[1].count);
}


static void
seal_compare(seal_t *s)
{
    int                 i;
    int64_t             start, end;
    const char         *selector;

    static const char  *selectors[] = {
        "{}", "{service_name=\"shop\"}", "{pod=~\"p[01]\"}",
        "{__profile_type__=\"process_cpu:cpu:nanoseconds:cpu:nanoseconds\"}",
        "{service_name=\"cart\",pod!=\"p2\"}"
    };

    for (i = 0; i < 8; i++) {
        selector = selectors[seal_random(s, 5)];
        start = i ? seal_time(s) : 0;
        end = i ? start + (int64_t) seal_random(s, 30 * 3600) * SEC
                : INT64_MAX;

        seal_compare_one(s, selector, start, end, 0);
        seal_compare_one(s, selector, start, end, 1);
        seal_compare_totals(s, selector, start, end);
    }
}


static uint32_t
seal_files(const char *dir)
{
    DIR            *d;
    uint32_t        n;
    struct dirent  *entry;

    n = 0;
    d = opendir(dir);

    while ((entry = readdir(d)) != NULL) {
        n += entry->d_name[0] == 'p'
             && strcmp(entry->d_name + strlen(entry->d_name) - 4, ".mdb") == 0;
    }

    closedir(d);

    return n;
}


static void
seal_on_finding(void *ctx, const pyro_finding_t *finding)
{
    (void) ctx;

    if (!finding->note) {
        fail_msg("%s: %s %llu: %s", finding->file, finding->what,
                 (unsigned long long) finding->id, finding->text);
    }
}


/* Everything that is stored, level against level; no store may be open. */
static void
seal_check(seal_t *s)
{
    pyro_error_t          err;
    pyro_check_result_t   result;

    pyro_store_close(s->sealed);

    if (pyro_store_check(s->dirs[0], seal_on_finding, NULL, &result, &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    assert_int_equal(result.damaged, 0);
    assert_true(result.rollups > 0);
    s->sealed = seal_open(s, 0);
}


static void
a_sealed_day_answers_as_before(void **state)
{
    int       i;
    seal_t    s;
    uint32_t  files;

    (void) state;

    seal_begin(&s, 1, DAY);

    for (i = 0; i < 300; i++) {
        seal_push(&s);
    }

    seal_compare(&s);
    files = seal_files(s.dirs[0]);
    assert_int_equal(seal_all(&s, SEC), files);
    seal_compare(&s);
    assert_int_equal(seal_files(s.dirs[0]), files);

    seal_check(&s);
    seal_compare(&s);

    /* and nothing is sealed twice */

    assert_int_equal(seal_all(&s, SEC), 0);

    seal_end(&s);
}


/* Cut off anywhere, with pushes and repeats at any moment. */
static void
late_pushes_and_restarts_lose_nothing(void **state)
{
    int                i, k, round;
    seal_t             s;
    pyro_store_work_t  work;

    static const uint32_t  partitions[] = { DAY, 3600, 7 * DAY };

    (void) state;

    for (round = 0; round < 3; round++) {
        seal_begin(&s, 100 + round, partitions[round]);
        s.huge = round == 2;

        for (i = 0; i < ROUNDS; i++) {

            for (k = 0; k < PUSHES / 4; k++) {
                seal_push(&s);
            }

            for (k = (int) seal_random(&s, 30); k; k--) {
                seal_once(&s, 1 + (int64_t) seal_random(&s, 3000000), &work);
                s.sealed->seal->resume = 0;

                if (seal_random(&s, 4) == 0) {
                    seal_push(&s);
                }
            }

            if (seal_random(&s, 3) == 0) {
                seal_reopen(&s);
            }

            if (i % 10 == 0) {
                seal_compare(&s);
            }
        }

        seal_all(&s, SEC);
        seal_compare(&s);
        seal_check(&s);
        seal_compare(&s);
        seal_end(&s);
    }
}


/* The store once more, with other periods. */
static void
seal_thin(seal_t *s, int64_t keep_raw, int64_t keep_1h)
{
    pyro_error_t          err;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = s->dirs[0];
    options.map_size = 256 * 1024 * 1024;
    options.partition = s->partition;
    options.seal_after = 7200;
    options.keep_raw = keep_raw;
    options.keep_1h = keep_1h;

    pyro_store_close(s->sealed);

    if (pyro_store_open(&options, &s->sealed, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


/* What the slots of a day that end from start to end have; all, of the other
 * store.  Slots are (a, b] in whole ms, cut where the day begins and ends. */
static uint64_t
seal_slots_of(seal_t *s, const char *selector, int64_t slot, int64_t day,
    int64_t start, int64_t end)
{
    int64_t   from, to;
    uint64_t  total;

    total = 0;

    for (from = day; from < day + DAY * SEC; from = to + 1) {
        to = (from + slot - MS) / slot * slot + MS - 1;
        to = to < day + DAY * SEC ? to : day + DAY * SEC - 1;

        if (to >= start && to <= end) {
            total += fixture_total(s->plain, selector, from, to);
        }
    }

    return total;
}


static void
seal_compare_thinned(seal_t *s, int64_t slot)
{
    int                 i;
    int64_t             start, end, day;
    uint64_t            total;
    const char         *selector;

    static const char  *selectors[] = {
        "{}", "{service_name=\"shop\"}",
        "{__profile_type__=\"process_cpu:cpu:nanoseconds:cpu:nanoseconds\"}"
    };

    for (i = 0; i < 12; i++) {
        selector = selectors[i % 3];
        start = seal_time(s);
        end = start + (int64_t) seal_random(s, 2 * DAY) * SEC;
        total = 0;

        for (day = T0; day <= end; day += DAY * SEC) {
            total += seal_slots_of(s, selector, slot, day, start, end);
        }

        assert_true(fixture_total(s->sealed, selector, start, end) == total);
    }
}


static void
a_thinned_day_has_whole_slots(void **state)
{
    int                 i;
    seal_t              s;
    pyro_arena_t       *arena;
    pyro_store_push_t   push, *list[1];

    (void) state;

    seal_begin(&s, 7, DAY);

    for (i = 0; i < 300; i++) {
        seal_push(&s);
    }

    seal_thin(&s, 8 * 3600, 0);
    assert_true(seal_all(&s, SEC) > 0);
    assert_int_equal(fixture_total(s.sealed, "{}", 0, INT64_MAX),
                     fixture_total(s.plain, "{}", 0, INT64_MAX));
    seal_compare_thinned(&s, 12 * 300 * SEC);
    seal_check(&s);

    /* a push of that time is refused, and says why */

    arena = pyro_arena_create(0);
    push = fixture_push(fixture_one(arena, "service_name=shop", "a", 1),
                        T0 + SEC);
    list[0] = &push;
    pyro_store_write(s.sealed, list, 1);
    assert_int_equal(push.status, PYRO_UNPROCESSABLE);
    assert_non_null(strstr(push.error.message, "lmdb.keep_raw"));
    pyro_arena_destroy(arena);

    seal_thin(&s, 8 * 3600, 16 * 3600);
    seal_all(&s, 1);
    assert_int_equal(fixture_total(s.sealed, "{}", 0, INT64_MAX),
                     fixture_total(s.plain, "{}", 0, INT64_MAX));
    seal_compare_thinned(&s, 288 * 300 * SEC);
    seal_check(&s);

    seal_end(&s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_sealed_day_answers_as_before),
        cmocka_unit_test(late_pushes_and_restarts_lose_nothing),
        cmocka_unit_test(a_thinned_day_has_whole_slots),
    };

    return unit_run(tests);
}
