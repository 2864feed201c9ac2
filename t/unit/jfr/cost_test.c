/*
 * A recording made to be slow costs no more than ten times a sound one of its
 * size.  What it costs is steps, bytes and look-ups from the recording to the
 * finished profile (core/base/count.h), so that the test measures no machine.
 *
 * The sound one is the first of the list: 3.2 a byte when this was written; the
 * others took 0.7 to 3.2, the worst of the attacks 30.  Hashes are seeded anew
 * in each run: the figures differ by a hundredth.
 */

#include "cost_attack.h"

#include "core/base/count.h"


#ifdef PYRO_COUNTING


#define COST_TIMES       10
#define COST_LEAST       (64 * 1024)    /* what any recording may cost */
#define COST_GROWTH      5      /* from 256 KiB to 1 MiB: four, and a log */
#define COST_HELD        40     /* bytes of memory, all arenas, a byte */
#define COST_HELD_LEAST  (256 * 1024)


typedef struct {
    size_t          size;
    uint64_t        cost;
    uint64_t        parts[PYRO_COUNT_KINDS];
    int64_t         held;           /* bytes of all arenas at the most */
    pyro_status_e   status;
} cost_t;


static double   baseline;           /* cost of a byte */
static craft_t  craft, snapshots;


static void
ignore(void *ctx, const pyro_jfr_chunk_summary_t *summary)
{
    (void) ctx;
    (void) summary;
}


static void
measure(pyro_slice_t recording, pyro_slice_t snapshot, cost_t *cost)
{
    int                   i;
    int64_t               held;
    pyro_error_t          err;
    pyro_arena_t         *arena;
    pyro_profile_t       *profile;
    pyro_label_t          items[] = {
        { PYRO_SLICE("process.runtime.name"),
          PYRO_SLICE("OpenJDK Runtime Environment") },
        { PYRO_SLICE("region"), PYRO_SLICE("eu-west-1") },
        { PYRO_SLICE("service_name"), PYRO_SLICE("checkout") },
    };
    pyro_labels_t         labels = { items, 3 };
    pyro_jfr_report_t     report;
    pyro_jfr_options_t    options = { .sample_rate = 100, .chunk = ignore,
                                      .labels = snapshot };
    pyro_label_limits_t   limits = { 0, 0, 0 };

    memset(cost, 0, sizeof(cost_t));
    memset(pyro_counts, 0, sizeof(pyro_counts));
    held = pyro_held;
    pyro_held_most = held;

    arena = pyro_arena_create(0);
    profile = pyro_profile_create(arena);
    cost->status = pyro_jfr_read(recording, &options, profile, &report, &err);

    if (cost->status == PYRO_OK) {
        cost->status = pyro_profile_finish(profile, &labels, &limits, &err);
    }

    for (i = 0; i < PYRO_COUNT_KINDS; i++) {
        cost->parts[i] = pyro_counts[i];
        cost->cost += pyro_counts[i];
    }

    cost->size = recording.len + snapshot.len;
    cost->held = pyro_held_most - held;
    pyro_arena_destroy(arena);
    assert_true(pyro_held == held);
}


static void
cost_show(const char *name, const cost_t *cost)
{
    printf("# %-20s %8zu bytes: %6.1f a byte, %5.2f times; steps %llu, "
           "bytes %llu, look-ups %llu; memory %.1f a byte; %d\n",
           name, cost->size, (double) cost->cost / (double) cost->size,
           (double) cost->cost / (double) cost->size / baseline,
           (unsigned long long) cost->parts[PYRO_COUNT_STEPS],
           (unsigned long long) cost->parts[PYRO_COUNT_BYTES],
           (unsigned long long) cost->parts[PYRO_COUNT_LOOKUPS],
           (double) cost->held / (double) cost->size, cost->status);
}


/* What sound recordings cost; the one that all others are compared with. */
static void
sound(void **state)
{
    size_t         i;
    cost_t         cost;
    pyro_arena_t  *arena;
    pyro_slice_t   data, labels;

    static const char *const  names[] = {
        "cortex-dev-01__kafka-0__cpu__0", "ap45-itimer-alloc-lock-live",
        "ap45-wall", "async-profiler",
        "cortex-dev-01__kafka-0__cpu_lock0_alloc0__0",
        "cortex-dev-01__kafka-0__cpu_lock_alloc__0", "dd-trace-java", "dump1",
        "example", "goland-multichunk", "jdk17-own", "jdk25-cputime",
        "nativemem", "new_spancontext", "object-allocation-sample",
        "parse_failure_repro1", "uint64-ref-id", "wall_tick_sample",
    };

    (void) state;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        arena = pyro_arena_create(0);
        data = recording_file(arena, names[i], "recording.jfr.gz");
        labels = recording_file(arena, names[i], "labels.pb.gz");
        assert_non_null(data.data);

        measure(data, labels, &cost);

        if (i == 0) {
            baseline = (double) cost.cost / (double) cost.size;
        }

        cost_show(names[i], &cost);
        pyro_arena_destroy(arena);
    }
}


static void
attack(const cost_attack_t *attack, size_t size, cost_t *cost)
{
    memset(&craft, 0, sizeof(craft));
    memset(&snapshots, 0, sizeof(snapshots));
    attack->make(&craft, &snapshots, size);
    measure(pyro_slice(craft.data, craft.n),
            pyro_slice(snapshots.data, snapshots.n), cost);
    cost_show(attack->name, cost);
}


static int
judge(const char *name, const cost_t *cost)
{
    int  rc;

    rc = 0;

    if ((double) cost->cost
        > COST_TIMES * baseline * (double) cost->size + COST_LEAST)
    {
        printf("# %s: more than %d times a sound one\n", name, COST_TIMES);
        rc = -1;
    }

    if (cost->held > COST_HELD * (int64_t) cost->size + COST_HELD_LEAST) {
        printf("# %s: memory\n", name);
        rc = -1;
    }

    return rc;
}


static void
adversarial(void **state)
{
    int     rc;
    size_t  i, k;
    cost_t  costs[3];

    static const size_t  sizes[] = { 64 * 1024, 256 * 1024, 1024 * 1024 };

    (void) state;

    rc = 0;

    for (i = 0; i < COST_ATTACKS; i++) {
        for (k = 0; k < 3; k++) {
            attack(&cost_attacks[i], sizes[k], &costs[k]);
            rc |= judge(cost_attacks[i].name, &costs[k]);
        }

        /* of what costs less than a sound one, luck is the greater part */

        if ((double) costs[2].cost > baseline * (double) costs[2].size
            && (double) costs[2].cost > COST_GROWTH * (double) costs[1].cost)
        {
            printf("# %s: grows by %.2f\n", cost_attacks[i].name,
                   (double) costs[2].cost / (double) costs[1].cost);
            rc = -1;
        }
    }

    assert_int_equal(rc, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(sound),
        cmocka_unit_test(adversarial),
    };

    return unit_run(tests);
}


#else


int
main(void)
{
    printf("1..0 # SKIP only builds with PYRO_COUNTING count (make SAN=1)\n");

    return 0;
}


#endif
