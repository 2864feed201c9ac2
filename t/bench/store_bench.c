/*
 * The store alone: pushes through storage/store.h and queries, one line each.
 *
 *     make bench, or build/bench/store_bench DIR (empty; its files stay)
 *
 * Building the profiles is not timed.
 */

#include "bench_profile.h"

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


int
main(int argc, char **argv)
{
    char                   dir[] = "build/bench-XXXXXX";
    pyro_error_t           err;
    pyro_store_t          *store;
    pyro_store_options_t   options;

    bench_profiles_init();

    memset(&options, 0, sizeof(options));
    options.dir = argc > 1 ? argv[1] : mkdtemp(dir);

    if (options.dir == NULL
        || pyro_store_open(&options, &store, &err) != PYRO_OK)
    {
        fprintf(stderr, "%s\n", options.dir ? err.message : "mkdtemp");
        return 1;
    }

    setvbuf(stdout, NULL, _IOLBF, 0);

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
