/*
 * How fast recordings are read, without inflating: for each recording given
 * (.jfr.gz files) the best time of half a second of runs, MB of raw bytes and
 * samples a second, and what the arenas took from malloc at the most, against
 * the raw size.
 *
 *     build/bench/jfr_bench t/data/jfr/<name>/recording.jfr.gz
 *
 * malloc and free are wrapped by the linker: -Wl,--wrap=malloc,--wrap=free.
 */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/inflate.h"
#include "jfr/jfr.h"


#define BENCH_NS        500000000LL
#define BENCH_MAX_FILE  (64 * 1024 * 1024)


void *__real_malloc(size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void __wrap_free(void *p);

static int bench_file(const char *path);
static int bench_read(pyro_slice_t recording, pyro_jfr_report_t *report,
    uint32_t *distinct);
static pyro_slice_t bench_load(pyro_arena_t *arena, const char *path);


static size_t  bench_now;
static size_t  bench_peak;


void *
__wrap_malloc(size_t size)
{
    void  *p;

    p = __real_malloc(size);
    bench_now += p != NULL ? malloc_usable_size(p) : 0;
    bench_peak = bench_now > bench_peak ? bench_now : bench_peak;

    return p;
}


void
__wrap_free(void *p)
{
    bench_now -= p != NULL ? malloc_usable_size(p) : 0;
    __real_free(p);
}


static int
bench_read(pyro_slice_t recording, pyro_jfr_report_t *report,
    uint32_t *distinct)
{
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_status_e        status;
    pyro_profile_t      *profile;
    pyro_jfr_options_t   options = { .sample_rate = 100 };

    arena = pyro_arena_create(0);
    profile = pyro_profile_create(arena);
    status = pyro_jfr_read(recording, &options, profile, report, &err);
    *distinct = profile->n_samples;
    pyro_arena_destroy(arena);

    if (status != PYRO_OK) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }

    return 0;
}


static pyro_slice_t
bench_load(pyro_arena_t *arena, const char *path)
{
    FILE          *f;
    char          *data;
    size_t         n;
    pyro_slice_t   out;
    pyro_error_t   err;

    f = fopen(path, "rb");
    data = pyro_arena_alloc(arena, BENCH_MAX_FILE);

    if (f == NULL || data == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }

    n = fread(data, 1, BENCH_MAX_FILE, f);
    fclose(f);

    if (pyro_gunzip(arena, pyro_slice(data, n), BENCH_MAX_FILE, "bench", &out,
                    &err) != PYRO_OK)
    {
        fprintf(stderr, "%s: %s\n", path, err.message);
        exit(1);
    }

    return out;
}


static int
bench_file(const char *path)
{
    double              seconds;
    size_t              before;
    int64_t             start, end, total, best;
    uint32_t            distinct;
    pyro_arena_t       *arena;
    pyro_slice_t        recording;
    pyro_jfr_report_t   report;

    arena = pyro_arena_create(0);
    recording = bench_load(arena, path);

    before = bench_now;
    bench_peak = bench_now;
    best = INT64_MAX;

    for (total = 0; total < BENCH_NS; total += end - start) {
        start = pyro_clock_mono();

        if (bench_read(recording, &report, &distinct)) {
            return 1;
        }

        end = pyro_clock_mono();
        best = end - start < best ? end - start : best;
    }

    seconds = (double) best / PYRO_NS_PER_SEC;

    printf("%8.3f ms %7.1f MB/s %8.2f Msamples/s  %6.2f MB (%.2f x raw) "
           "%6u distinct  %s\n", seconds * 1e3,
           (double) recording.len / 1e6 / seconds,
           (double) report.counters[PYRO_JFR_EVENTS] / 1e6 / seconds,
           (double) (bench_peak - before) / 1e6,
           (double) (bench_peak - before) / (double) recording.len,
           distinct, path);

    pyro_arena_destroy(arena);

    return 0;
}


int
main(int argc, char **argv)
{
    int  i, rc;

    rc = 0;

    for (i = 1; i < argc; i++) {
        rc |= bench_file(argv[i]);
    }

    return rc;
}
