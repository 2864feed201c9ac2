/*
 * The store alone: pushes through storage/store.h and queries, one line each.
 *
 *     make bench, or build/store_bench DIR (empty; its files stay)
 *
 *     build/store_bench --pushes N --days N --dir DIR [--services N] [--pods N]
 *                       [--seal]
 *
 * The second form fills a store: so many pushes, evenly over the days and the
 * instances (10 services of 20 pods), in groups of 16, each synced; rolls them
 * up, seals them if that is asked for, and compares totals by push records and
 * by roll-ups.  Building the profiles is not timed.
 */

#include "bench_profile.h"

#include <getopt.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>


#define SERVICES  10
#define PODS      20            /* a service */
#define GROUP     16
#define START     1795305600000000000LL


static double
bench_cpu(void)
{
    struct rusage  usage;

    getrusage(RUSAGE_SELF, &usage);

    return (double) usage.ru_utime.tv_sec + (double) usage.ru_stime.tv_sec
           + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}


/* Pushes number from to to of all instances in turn, group at a time. */
static void
bench_write(pyro_store_t *store, const char *what, uint32_t from, uint32_t to,
    uint32_t group)
{
    double              cpu;
    int64_t             start, spent;
    uint32_t            i, k, n, pairs, nodes, service;
    pyro_arena_t       *arena;
    pyro_error_t        err;
    pyro_store_push_t   pushes[GROUP], *list[GROUP];
    pyro_store_stats_t  before, after;

    pyro_store_stats(store, &before, &err);

    spent = 0;
    cpu = 0;
    pairs = 0;
    nodes = 0;

    for (i = from; i < to; i += n) {
        n = to - i < group ? to - i : group;
        arena = pyro_arena_create(0);

        for (k = 0; k < n; k++) {
            service = (i + k) % SERVICES;

            memset(&pushes[k], 0, sizeof(pyro_store_push_t));
            pushes[k].tenant = PYRO_SLICE("anonymous");
            pushes[k].profile = bench_profile(arena, service,
                                              (i + k) / SERVICES % PODS);
            pushes[k].time = START + (int64_t) ((i + k) / (SERVICES * PODS))
                                     * 10 * PYRO_NS_PER_SEC + (i + k);
            pushes[k].duration = 10 * PYRO_NS_PER_SEC;
            list[k] = &pushes[k];
            pairs += pushes[k].profile->n_samples;
            nodes += pushes[k].profile->n_nodes;
        }

        cpu -= bench_cpu();
        start = pyro_clock_mono();
        pyro_store_write(store, list, n);
        spent += pyro_clock_mono() - start;
        cpu += bench_cpu();

        for (k = 0; k < n; k++) {
            if (pushes[k].status != PYRO_OK) {
                fprintf(stderr, "%s\n", pushes[k].error.message);
                exit(1);
            }
        }

        pyro_arena_destroy(arena);
    }

    pyro_store_stats(store, &after, &err);
    n = to - from;

    printf("write %-22s %7.0f push/s  %6.1f us CPU/push  %6.0f B/push on disk"
           "  (%u pairs, %u nodes, %.1f %% cached)\n", what,
           n * 1e9 / (double) spent, cpu * 1e6 / n,
           (double) (after.bytes - before.bytes) / n, pairs / n, nodes / n,
           100.0 * (double) (after.node_cache_hits - before.node_cache_hits)
           / (double) (after.node_cache_hits - before.node_cache_hits
                       + after.node_cache_misses - before.node_cache_misses));
}


/* The same profile of each instance again and again, 10 s later each time. */
static void
bench_known(pyro_store_t *store, const char *what, uint32_t rounds,
    uint32_t group)
{
    double               cpu;
    int64_t              start, spent;
    uint32_t             i, k, n;
    pyro_arena_t        *arena;
    pyro_profile_t      *profiles[SERVICES * PODS];
    pyro_store_push_t    pushes[GROUP], *list[GROUP];

    arena = pyro_arena_create(0);

    for (i = 0; i < SERVICES * PODS; i++) {
        profiles[i] = bench_profile(arena, i % SERVICES, i / SERVICES);
    }

    n = SERVICES * PODS * rounds;
    cpu = bench_cpu();
    start = pyro_clock_mono();

    for (i = 0; i < n; i += k) {
        for (k = 0; k < group && i + k < n; k++) {
            memset(&pushes[k], 0, sizeof(pyro_store_push_t));
            pushes[k].tenant = PYRO_SLICE("anonymous");
            pushes[k].profile = profiles[(i + k) % (SERVICES * PODS)];
            pushes[k].time = START + 40000 * PYRO_NS_PER_SEC
                             + (int64_t) ((i + k) / (SERVICES * PODS)) * 10
                               * PYRO_NS_PER_SEC;
            list[k] = &pushes[k];
        }

        pyro_store_write(store, list, k);

        if (pushes[0].status != PYRO_OK) {
            fprintf(stderr, "%s\n", pushes[0].error.message);
            exit(1);
        }
    }

    spent = pyro_clock_mono() - start;
    cpu = bench_cpu() - cpu;

    printf("write %-22s %7.0f push/s  %6.1f us CPU/push\n", what,
           n * 1e9 / (double) spent, cpu * 1e6 / n);

    pyro_arena_destroy(arena);
}


static void
bench_read(pyro_store_t *store, const char *what, const char *text,
    int64_t start, int64_t end)
{
    int64_t             began, best;
    uint32_t            i, nodes;
    pyro_tree_t        *tree;
    pyro_error_t        err;
    pyro_arena_t       *arena;
    pyro_selector_t     selector;
    pyro_store_query_t  query;

    best = INT64_MAX;
    nodes = 0;

    for (i = 0; i < 5; i++) {
        arena = pyro_arena_create(0);
        began = pyro_clock_mono();

        memset(&query, 0, sizeof(query));

        if (pyro_selector_parse(arena, pyro_slice_str(text), &selector, &err)
            != PYRO_OK)
        {
            fprintf(stderr, "%s\n", err.message);
            exit(1);
        }

        query.tenant = PYRO_SLICE("anonymous");
        query.selectors = &selector;
        query.n_selectors = 1;
        query.start = start;
        query.end = end;
        query.arena = arena;

        tree = pyro_tree_create(arena);

        if (pyro_store_merge(store, &query, tree, &err) != PYRO_OK) {
            fprintf(stderr, "%s\n", err.message);
            exit(1);
        }

        began = pyro_clock_mono() - began;
        best = began < best ? began : best;
        nodes = tree->n;

        pyro_selector_free(&selector);
        pyro_arena_destroy(arena);
    }

    printf("merge %-22s %7.2f ms  (%u nodes in the tree)\n", what,
           (double) best / 1e6, nodes);
}


/* ---- filling a store ---- */

#define VARIANTS  16            /* profiles of an instance */


typedef struct {
    const char  *dir;
    uint64_t     pushes;
    uint32_t     days;
    uint32_t     services;
    uint32_t     pods;
    int          seal;
} fill_t;


static void
fill_fail(const pyro_error_t *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}


/* Push i of all: instances in turn, a moment between any two. */
static void
fill_write(const fill_t *f, pyro_store_t *store)
{
    double               cpu;
    int64_t              start, spent, step;
    uint32_t             k, n, instance, instances;
    uint64_t             i;
    pyro_arena_t        *arena;
    pyro_error_t         err;
    pyro_profile_t     **profiles;
    pyro_store_push_t    pushes[GROUP], *list[GROUP];
    pyro_store_stats_t   stats;

    arena = pyro_arena_create(0);
    instances = f->services * f->pods;
    profiles = calloc((size_t) instances * VARIANTS,
                      sizeof(pyro_profile_t *));
    step = (int64_t) f->days * 86400 * PYRO_NS_PER_SEC / (int64_t) f->pushes;
    spent = 0;
    cpu = 0;

    for (i = 0; i < f->pushes; i += n) {
        n = f->pushes - i < GROUP ? (uint32_t) (f->pushes - i) : GROUP;

        for (k = 0; k < n; k++) {
            instance = (uint32_t) ((i + k) % instances);
            instance = instance * VARIANTS
                       + (uint32_t) (bench_random() % VARIANTS);

            if (profiles[instance] == NULL) {
                profiles[instance] = bench_profile(arena,
                                      instance / VARIANTS % f->services,
                                      instance / VARIANTS / f->services);
            }

            memset(&pushes[k], 0, sizeof(pyro_store_push_t));
            pushes[k].tenant = PYRO_SLICE("anonymous");
            pushes[k].profile = profiles[instance];
            pushes[k].time = START + (int64_t) (i + k) * step;
            pushes[k].duration = 10 * PYRO_NS_PER_SEC;
            list[k] = &pushes[k];
        }

        cpu -= bench_cpu();
        start = pyro_clock_mono();
        pyro_store_write(store, list, n);
        spent += pyro_clock_mono() - start;
        cpu += bench_cpu();

        if (pushes[0].status != PYRO_OK) {
            fill_fail(&pushes[0].error);
        }
    }

    pyro_store_stats(store, &stats, &err);
    printf("write    %llu pushes of %u instances: %.0f a second, synced, "
           "%.1f us CPU and %llu B a push\n", (unsigned long long) f->pushes,
           instances, (double) f->pushes * 1e9 / (double) spent,
           cpu * 1e6 / (double) f->pushes,
           (unsigned long long) (stats.bytes / f->pushes));

    free(profiles);
    pyro_arena_destroy(arena);
}


static void
fill_maintain(const fill_t *f, pyro_store_t *store)
{
    double              cpu;
    uint32_t            sealed;
    pyro_error_t        err;
    pyro_store_work_t   work;
    pyro_store_stats_t  stats;

    memset(&work, 0, sizeof(work));
    work.now = START + (int64_t) (f->days + 2) * 86400 * PYRO_NS_PER_SEC;
    cpu = bench_cpu();

    if (pyro_store_maintain(store, &work, &err) != PYRO_OK) {
        fill_fail(&err);
    }

    cpu = bench_cpu() - cpu;
    pyro_store_stats(store, &stats, &err);
    printf("roll up  %llu slots: %.1f us CPU and %llu B a push\n",
           (unsigned long long) work.slots, cpu * 1e6 / (double) f->pushes,
           (unsigned long long) (stats.bytes / f->pushes));

    if (!f->seal) {
        return;
    }

    cpu = bench_cpu();

    if (pyro_store_seal(store, work.now, &sealed, &err) != PYRO_OK) {
        fill_fail(&err);
    }

    cpu = bench_cpu() - cpu;
    pyro_store_stats(store, &stats, &err);
    printf("seal     %u partitions: %.1f us CPU and %llu B a push\n", sealed,
           cpu * 1e6 / (double) f->pushes,
           (unsigned long long) (stats.bytes / f->pushes));
}


static uint64_t
fill_total(pyro_store_t *store, int raw, double *ms)
{
    int64_t             began;
    uint64_t            total;
    pyro_tree_t        *tree;
    pyro_error_t        err;
    pyro_arena_t       *arena;
    pyro_store_query_t  query;

    arena = pyro_arena_create(0);
    memset(&query, 0, sizeof(query));
    query.tenant = PYRO_SLICE("anonymous");
    query.end = INT64_MAX;
    query.raw = raw;
    query.arena = arena;

    tree = pyro_tree_create(arena);
    began = pyro_clock_mono();

    if (pyro_store_merge(store, &query, tree, &err) != PYRO_OK) {
        fill_fail(&err);
    }

    *ms = (double) (pyro_clock_mono() - began) / 1e6;
    pyro_tree_totals(tree);
    total = tree->nodes[0].total;
    pyro_arena_destroy(arena);

    return total;
}


static int
fill(const fill_t *f)
{
    double                 raw, rolled;
    uint64_t               one, two;
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_options_t   options;

    (void) mkdir(f->dir, 0755);
    memset(&options, 0, sizeof(options));
    options.dir = f->dir;
    options.seal_after = 3600;

    if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
        fill_fail(&err);
    }

    fill_write(f, store);
    fill_maintain(f, store);

    one = fill_total(store, 1, &raw);
    two = fill_total(store, 0, &rolled);
    printf("total    %llu by pushes, %.0f ms; %llu by roll-ups, %.0f ms: %s\n",
           (unsigned long long) one, raw, (unsigned long long) two, rolled,
           one == two ? "the same" : "NOT THE SAME");

    pyro_store_close(store);

    return one != two;
}


static int
fill_options(int argc, char **argv, fill_t *f)
{
    int                         c;

    static const struct option  options[] = {
        { "pushes",   required_argument, NULL, 'p' },
        { "days",     required_argument, NULL, 'd' },
        { "dir",      required_argument, NULL, 'D' },
        { "services", required_argument, NULL, 's' },
        { "pods",     required_argument, NULL, 'P' },
        { "seal",     no_argument,       NULL, 'S' },
        { NULL, 0, NULL, 0 }
    };

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        switch (c) {

        case 'p': f->pushes = (uint64_t) atoll(optarg); break;
        case 'd': f->days = (uint32_t) atoi(optarg); break;
        case 'D': f->dir = optarg; break;
        case 's': f->services = (uint32_t) atoi(optarg); break;
        case 'P': f->pods = (uint32_t) atoi(optarg); break;
        case 'S': f->seal = 1; break;

        default:
            return -1;
        }
    }

    return f->pushes && f->days && f->services && f->pods ? 0 : -1;
}


int
main(int argc, char **argv)
{
    char                   dir[] = "build/bench-XXXXXX";
    fill_t                 f = { NULL, 1000000, 7, SERVICES, PODS, 0 };
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_options_t   options;

    setvbuf(stdout, NULL, _IOLBF, 0);
    bench_profiles_init();

    if (fill_options(argc, argv, &f)) {
        fprintf(stderr, "usage: store_bench DIR, or store_bench --pushes N "
                "--days N --dir DIR [--services N] [--pods N] [--seal]\n");
        return 2;
    }

    if (f.dir != NULL) {
        return fill(&f);
    }

    memset(&options, 0, sizeof(options));
    options.dir = optind < argc ? argv[optind] : mkdtemp(dir);

    if (options.dir == NULL
        || pyro_store_open(&options, &store, &err) != PYRO_OK)
    {
        fprintf(stderr, "%s\n", options.dir ? err.message : "mkdtemp");
        return 1;
    }

    bench_write(store, "first, groups of 16", 0, 2000, GROUP);
    bench_write(store, "groups of 16", 2000, 8000, GROUP);
    bench_write(store, "one at a time", 8000, 9000, 1);

    bench_known(store, "known, groups of 16", 100, GROUP);
    bench_known(store, "known, repeats", 100, GROUP);

    bench_read(store, "one instance, 30 min",
               "{service_name=\"service-03\",pod=\"pod-7\"}", START,
               START + 1800 * PYRO_NS_PER_SEC);
    bench_read(store, "a service, 30 min", "{service_name=\"service-03\"}",
               START, START + 1800 * PYRO_NS_PER_SEC);
    bench_read(store, "all 200, 30 min", "{}", START,
               START + 1800 * PYRO_NS_PER_SEC);

    pyro_store_close(store);

    return 0;
}
