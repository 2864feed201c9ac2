/*
 * Queries over many days: the same from single pushes and from roll-ups, warm.
 *
 *     build/bench/query_bench DIR [DAYS [PODS]]      (7 and 2)
 *
 * Writes a push of each pod every 10 s, through storage/store.h and without
 * waiting for the disk, then rolls up what there is, which is timed, then asks.
 * A pod has 64 profiles that come again and again.  Last, label queries over
 * 10 000 series in a store of their own.  DIR is empty; its files stay.
 */

#include "bench_profile.h"

#include <sys/stat.h>

#include "storage/seal_job.h"


#define START      1795305600000000000LL
#define VARIANTS   64
#define GROUP      64
#define STEP       (10 * PYRO_NS_PER_SEC)
#define DAY        (86400 * PYRO_NS_PER_SEC)
#define HOUR       (3600 * PYRO_NS_PER_SEC)
#define REPEATS    5
#define SERIES     10000


typedef struct {
    pyro_arena_t       *arena;
    pyro_selector_t     selector;
    pyro_store_query_t  query;
} bench_query_t;


static void
bench_fail(const pyro_error_t *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}


static void
bench_write(pyro_store_t *store, uint32_t days, uint32_t pods)
{
    int64_t             time, began;
    uint32_t            i, k, pod;
    uint64_t            all;
    pyro_arena_t       *arena;
    pyro_profile_t    **profiles;
    pyro_store_push_t   pushes[GROUP], *list[GROUP];

    arena = pyro_arena_create(0);
    profiles = pyro_arena_calloc(arena, (size_t) pods * VARIANTS,
                                 sizeof(pyro_profile_t *));

    for (i = 0; i < pods * VARIANTS; i++) {
        profiles[i] = bench_profile(arena, 0, i / VARIANTS);
    }

    began = pyro_clock_mono();
    all = 0;
    k = 0;

    for (time = START; time < START + days * DAY; time += STEP) {
        for (pod = 0; pod < pods; pod++) {
            memset(&pushes[k], 0, sizeof(pyro_store_push_t));
            pushes[k].tenant = PYRO_SLICE("anonymous");
            pushes[k].profile = profiles[pod * VARIANTS + all % VARIANTS];
            pushes[k].time = time + pod * PYRO_NS_PER_MS;
            pushes[k].duration = STEP;
            list[k] = &pushes[k];
            all++;

            if (++k == GROUP) {
                pyro_store_write(store, list, k);
                k = 0;

                if (pushes[0].status != PYRO_OK) {
                    bench_fail(&pushes[0].error);
                }
            }
        }
    }

    pyro_store_write(store, list, k);
    pyro_arena_destroy(arena);

    printf("write    %8llu pushes  %8.0f a second, not synced\n",
           (unsigned long long) all,
           (double) all * 1e9 / (double) (pyro_clock_mono() - began));
}


static void
bench_roll(pyro_store_t *store, uint32_t days)
{
    int64_t             began;
    pyro_error_t        err;
    pyro_store_work_t   work;
    pyro_store_stats_t  before, after;

    memset(&work, 0, sizeof(work));
    work.now = START + (days + 1) * DAY;

    pyro_store_stats(store, &before, &err);
    began = pyro_clock_mono();

    if (pyro_store_maintain(store, &work, &err) != PYRO_OK) {
        bench_fail(&err);
    }

    began = pyro_clock_mono() - began;
    pyro_store_stats(store, &after, &err);

    printf("roll up  %8llu slots   %8.0f a second, %llu MB beside %llu MB\n",
           (unsigned long long) work.slots,
           (double) work.slots * 1e9 / (double) began,
           (unsigned long long) ((after.bytes - before.bytes) >> 20),
           (unsigned long long) (before.bytes >> 20));
}


/* As fast as it goes: a server takes a tenth of a core for it. */
static void
bench_seal(pyro_store_t *store, uint32_t days, uint64_t pushes)
{
    double              cpu;
    int64_t             began;
    uint32_t            idle;
    pyro_error_t        err;
    pyro_store_work_t   work;
    pyro_store_stats_t  before, after;

    memset(&work, 0, sizeof(work));
    pyro_store_stats(store, &before, &err);
    began = pyro_clock_mono();
    cpu = (double) clock();

    for (idle = 0; idle < 2; idle = work.more ? 0 : idle + 1) {
        work.now = START + (days + 1) * DAY;
        work.seal_cpu = INT32_MAX;
        store->seal != NULL ? store->seal->resume = 0 : 0;

        if (pyro_store_maintain(store, &work, &err) != PYRO_OK) {
            bench_fail(&err);
        }
    }

    cpu = ((double) clock() - cpu) / CLOCKS_PER_SEC;
    began = pyro_clock_mono() - began;
    pyro_store_stats(store, &after, &err);

    printf("seal %u files: %.1f s, %.0f us CPU a push, %llu MB to %llu MB, "
           "%llu to %llu B a push\n", work.sealed, (double) began / 1e9,
           cpu * 1e6 / (double) pushes,
           (unsigned long long) (before.bytes >> 20),
           (unsigned long long) (after.bytes >> 20),
           (unsigned long long) (before.bytes / pushes),
           (unsigned long long) (after.bytes / pushes));
}


static void
bench_query(bench_query_t *q, const char *text, int64_t start, int64_t end,
    int raw)
{
    pyro_error_t  err;

    memset(q, 0, sizeof(bench_query_t));
    q->arena = pyro_arena_create(0);

    if (pyro_selector_parse(q->arena, pyro_slice_str(text), &q->selector, &err)
        != PYRO_OK)
    {
        bench_fail(&err);
    }

    q->query.tenant = PYRO_SLICE("anonymous");
    q->query.selectors = &q->selector;
    q->query.n_selectors = 1;
    q->query.start = start;
    q->query.end = end;
    q->query.raw = raw;
    q->query.arena = q->arena;
}


static void
bench_query_end(bench_query_t *q)
{
    pyro_selector_free(&q->selector);
    pyro_arena_destroy(q->arena);
}


/* Best time in ms; *total is what the answer sums up to. */
static double
bench_merge(pyro_store_t *store, const char *text, int64_t start, int64_t end,
    int raw, uint64_t *total)
{
    int64_t         began, best;
    uint32_t        i;
    pyro_tree_t    *tree;
    pyro_error_t    err;
    bench_query_t   q;

    best = INT64_MAX;

    for (i = 0; i < REPEATS; i++) {
        bench_query(&q, text, start, end, raw);
        tree = pyro_tree_create(q.arena);
        began = pyro_clock_mono();

        if (pyro_store_merge(store, &q.query, tree, &err) != PYRO_OK) {
            bench_fail(&err);
        }

        began = pyro_clock_mono() - began;
        best = began < best ? began : best;

        pyro_tree_totals(tree);
        *total = tree->nodes[0].total;
        bench_query_end(&q);
    }

    return (double) best / 1e6;
}


static pyro_status_e
bench_on_series(void *ctx, const pyro_labels_t *labels, uint32_t *group,
    pyro_error_t *err)
{
    (void) err;
    *group = pyro_series_group(ctx, labels);

    return PYRO_OK;
}


static pyro_status_e
bench_on_total(void *ctx, uint32_t group, int64_t time, uint64_t total,
    uint32_t count, pyro_error_t *err)
{
    return pyro_series_add_sum(ctx, group, time, total, count, err);
}


static double
bench_series(pyro_store_t *store, const char *text, int64_t start, int64_t end,
    int64_t step, int raw, uint64_t *total)
{
    int64_t                       began, best;
    uint32_t                      i, k, n;
    pyro_slice_t                  by = PYRO_SLICE("pod");
    pyro_error_t                  err;
    bench_query_t                 q;
    pyro_series_t                *series;
    pyro_series_options_t         o;
    pyro_store_totals_handler_t   handler;

    best = INT64_MAX;
    memset(&o, 0, sizeof(o));
    o.start = (start + step) / PYRO_NS_PER_MS;
    o.end = end / PYRO_NS_PER_MS;
    o.step = step / PYRO_NS_PER_MS;
    o.group_by = &by;
    o.n_group_by = 1;

    for (i = 0; i < REPEATS; i++) {
        bench_query(&q, text, start, end, raw);
        pyro_series_range(&o, &q.query.start, &q.query.end);
        began = pyro_clock_mono();

        memset(&handler, 0, sizeof(handler));
        handler.ctx = pyro_series_create(q.arena, &o);
        handler.grid = &o;
        handler.series = bench_on_series;
        handler.total = bench_on_total;

        if (pyro_store_totals(store, &q.query, &handler, &err) != PYRO_OK
            || pyro_series_finish(handler.ctx, &series, &n, &err) != PYRO_OK)
        {
            bench_fail(&err);
        }

        began = pyro_clock_mono() - began;
        best = began < best ? began : best;
        *total = 0;

        for (k = 0; k < n; k++) {
            *total += (uint64_t) series[k].total;
        }

        bench_query_end(&q);
    }

    return (double) best / 1e6;
}


static pyro_status_e
bench_on_labels(void *ctx, const pyro_labels_t *labels, pyro_error_t *err)
{
    (void) labels;
    (void) err;
    (*(uint32_t *) ctx)++;

    return PYRO_OK;
}


/* Small pushes, each of a series of its own, in another store. */
static void
bench_write_series(pyro_store_t *store)
{
    char                  text[2][32];
    uint32_t              i, k, type;
    pyro_arena_t         *arena;
    pyro_label_t          items[2];
    pyro_error_t          err;
    pyro_labels_t         labels = { items, 2 };
    pyro_profile_t       *p;
    pyro_store_push_t     pushes[GROUP], *list[GROUP];
    pyro_label_limits_t   limits = { 64, 1024, 2048 };
    pyro_profile_type_t   cpu = {
        PYRO_SLICE("process_cpu"), PYRO_SLICE("cpu"), PYRO_SLICE("nanoseconds"),
        PYRO_SLICE("cpu"), PYRO_SLICE("nanoseconds")
    };

    for (i = 0; i < SERIES; i += k) {
        arena = pyro_arena_create(0);

        for (k = 0; k < GROUP && i + k < SERIES; k++) {
            snprintf(text[0], sizeof(text[0]), "pod-%u", (i + k) / 10);
            snprintf(text[1], sizeof(text[1]), "service-%u", (i + k) % 10);

            items[0].name = PYRO_SLICE("pod");
            items[0].value = pyro_arena_dup(arena, pyro_slice_str(text[0]));
            items[1].name = PYRO_SLICE("service_name");
            items[1].value = pyro_arena_dup(arena, pyro_slice_str(text[1]));

            p = pyro_profile_create(arena);
            type = pyro_profile_column(p, &cpu);
            pyro_profile_add(p, 0, type, bench_stack(p, 0, 0), 0, 10000000);

            if (pyro_profile_finish(p, &labels, &limits, &err) != PYRO_OK) {
                bench_fail(&err);
            }

            memset(&pushes[k], 0, sizeof(pyro_store_push_t));
            pushes[k].tenant = PYRO_SLICE("anonymous");
            pushes[k].profile = p;
            pushes[k].time = START + i + k;
            list[k] = &pushes[k];
        }

        pyro_store_write(store, list, k);
        pyro_arena_destroy(arena);
    }
}


static void
bench_labels(pyro_store_t *store, const char *what,
    pyro_store_distinct_e distinct, const char *label, const char *selector)
{
    int64_t        began, best;
    uint32_t       i, n;
    pyro_error_t   err;
    bench_query_t  q;

    best = INT64_MAX;

    for (i = 0, n = 0; i < 6 * REPEATS; i++, n = i < 6 * REPEATS ? 0 : n) {
        bench_query(&q, selector, START, START + HOUR, 0);
        q.query.distinct = distinct;
        q.query.label = pyro_slice_str(label);
        began = pyro_clock_mono();

        if (pyro_store_series(store, &q.query, bench_on_labels, &n, &err)
            != PYRO_OK)
        {
            bench_fail(&err);
        }

        began = pyro_clock_mono() - began;
        best = began < best ? began : best;
        bench_query_end(&q);
    }

    printf("%-28s %9.2f ms, %u streams read\n", what, (double) best / 1e6, n);
}


static void
bench_series_alone(const char *dir)
{
    char                   path[4096];
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_options_t   options;

    snprintf(path, sizeof(path), "%s/series", dir);
    (void) mkdir(path, 0755);
    memset(&options, 0, sizeof(options));
    options.dir = path;
    options.durability = PYRO_DURABILITY_PERIODIC;

    if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
        bench_fail(&err);
    }

    bench_write_series(store);

    printf("%u series:\n", SERIES);
    bench_labels(store, "names", PYRO_DISTINCT_NAMES, "", "{}");
    bench_labels(store, "profile types", PYRO_DISTINCT_TYPES, "", "{}");
    bench_labels(store, "values of service_name", PYRO_DISTINCT_VALUES,
                 "service_name", "{}");
    bench_labels(store, "values of pod", PYRO_DISTINCT_VALUES, "pod", "{}");
    bench_labels(store, "pods of a service", PYRO_DISTINCT_VALUES, "pod",
                 "{service_name=\"service-3\"}");
    bench_labels(store, "all series", PYRO_DISTINCT_SERIES, "", "{}");

    pyro_store_close(store);
}


static void
bench_show(const char *what, double raw, double rolled, uint64_t one,
    uint64_t two)
{
    printf("%-28s %9.2f ms of pushes %8.2f ms of roll-ups%s\n", what, raw,
           rolled, one == two ? "" : "  NOT THE SAME");
}


static void
bench_ask(pyro_store_t *store, uint32_t days)
{
    char         what[64];
    double       raw, rolled;
    int64_t      start, end;
    uint32_t     i;
    uint64_t     one, two;
    const char  *selector;

    static const struct {
        const char  *name;
        int64_t      length;            /* 0: all */
    } ranges[] = {
        { "1 h", HOUR }, { "24 h", DAY }, { "all days", 0 }
    };
    static const char  *const  selectors[] = { "{pod=\"pod-0\"}", "{}" };

    for (i = 0; i < 6; i++) {
        selector = selectors[i / 3];
        end = START + days * DAY - 1234 * PYRO_NS_PER_SEC;
        start = ranges[i % 3].length ? end - ranges[i % 3].length : START + 1;

        raw = bench_merge(store, selector, start, end, 1, &one);
        snprintf(what, sizeof(what), "flame graph %s, %s", ranges[i % 3].name,
                 i / 3 ? "all pods" : "one pod");
        rolled = bench_merge(store, selector, start, end, 0, &two);
        bench_show(what, raw, rolled, one, two);
    }

    for (i = 0; i < 2; i++) {
        raw = bench_series(store, selectors[i], START, START + days * DAY,
                           HOUR, 1, &one);
        snprintf(what, sizeof(what), "time line 1 h steps, %s",
                 i ? "all pods" : "one pod");
        rolled = bench_series(store, selectors[i], START, START + days * DAY,
                              HOUR, 0, &two);
        bench_show(what, raw, rolled, one, two);
    }
}


int
main(int argc, char **argv)
{
    uint32_t               days, pods;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_options_t   options;

    if (argc < 2) {
        fprintf(stderr, "usage: query_bench DIR [DAYS [PODS]]\n");
        return 1;
    }

    days = argc > 2 ? (uint32_t) atoi(argv[2]) : 7;
    pods = argc > 3 ? (uint32_t) atoi(argv[3]) : 2;

    bench_profiles_init();
    memset(&options, 0, sizeof(options));
    options.dir = argv[1];
    options.durability = PYRO_DURABILITY_PERIODIC;
    options.seal_after = 3600;

    if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
        bench_fail(&err);
    }

    setvbuf(stdout, NULL, _IOLBF, 0);

    bench_write(store, days, pods);
    bench_roll(store, days);
    bench_ask(store, days);
    bench_seal(store, days, (uint64_t) days * pods * 8640);
    bench_ask(store, days);
    pyro_store_close(store);

    bench_series_alone(argv[1]);

    return 0;
}
