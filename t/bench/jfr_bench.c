/*
 * How fast recordings are read.  For each recording given (.jfr.gz files), in a
 * process of its own:
 *
 *     raw      bytes of the recording after inflating
 *     ms       CPU time of one reading, inflating left out: best of a second
 *     MB/s     raw bytes by that time
 *     Ms/s     million samples (events that are mapped) by that time
 *     first, then  calls of malloc of the first reading, and of a later one
 *     peak     the most that was allocated at a time, and that by the raw size
 *     inflate  its share of inflating and reading together
 *
 *     build/bench/jfr_bench [-n TIMES] t/data/jfr/<name>/recording.jfr.gz ...
 *
 * -n reads so many times and measures nothing: for profilers.  malloc and free
 * are wrapped by the linker: -Wl,--wrap=malloc,--wrap=free,--wrap=calloc.
 */

#include <libgen.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/inflate.h"
#include "jfr/jfr.h"


#define BENCH_NS        1000000000LL
#define BENCH_MAX_FILE  (64 * 1024 * 1024)


typedef struct {
    size_t    now;
    size_t    peak;
    uint64_t  calls;
} bench_memory_t;


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *p);

static void *bench_took(void *p);
static int64_t bench_cpu(void);
static int bench_read(pyro_slice_t recording, uint64_t *samples);
static pyro_slice_t bench_file(pyro_arena_t *arena, const char *path);
static pyro_slice_t bench_inflate(pyro_arena_t *arena, pyro_slice_t file,
    const char *path);
static int64_t bench_best(pyro_slice_t recording);
static int64_t bench_best_inflate(pyro_slice_t file, const char *path);
static int bench_measure(const char *path);
static int bench_repeat(const char *path, long n);


static bench_memory_t  bench_memory;


static void *
bench_took(void *p)
{
    bench_memory.calls++;
    bench_memory.now += p != NULL ? malloc_usable_size(p) : 0;

    if (bench_memory.now > bench_memory.peak) {
        bench_memory.peak = bench_memory.now;
    }

    return p;
}


void *
__wrap_malloc(size_t size)
{
    return bench_took(__real_malloc(size));
}


void *
__wrap_calloc(size_t n, size_t size)
{
    return bench_took(__real_calloc(n, size));
}


void
__wrap_free(void *p)
{
    bench_memory.now -= p != NULL ? malloc_usable_size(p) : 0;
    __real_free(p);
}


static int64_t
bench_cpu(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (int64_t) ts.tv_sec * PYRO_NS_PER_SEC + ts.tv_nsec;
}


static int
bench_read(pyro_slice_t recording, uint64_t *samples)
{
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_status_e        status;
    pyro_profile_t      *profile;
    pyro_jfr_report_t    report;
    pyro_jfr_options_t   options = { .sample_rate = 100 };

    arena = pyro_arena_create(0);
    profile = pyro_profile_create(arena);
    status = pyro_jfr_read(recording, &options, profile, &report, &err);
    *samples = report.counters[PYRO_JFR_EVENTS];
    pyro_arena_destroy(arena);

    if (status != PYRO_OK) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }

    return 0;
}


static pyro_slice_t
bench_file(pyro_arena_t *arena, const char *path)
{
    FILE    *f;
    char    *data;
    size_t   n;

    f = fopen(path, "rb");
    data = pyro_arena_alloc(arena, BENCH_MAX_FILE);

    if (f == NULL || data == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }

    n = fread(data, 1, BENCH_MAX_FILE, f);
    fclose(f);

    return pyro_slice(data, n);
}


static pyro_slice_t
bench_inflate(pyro_arena_t *arena, pyro_slice_t file, const char *path)
{
    pyro_slice_t  out;
    pyro_error_t  err;

    if (pyro_gunzip(arena, file, BENCH_MAX_FILE, "bench", &out, &err)
        != PYRO_OK)
    {
        fprintf(stderr, "%s: %s\n", path, err.message);
        exit(1);
    }

    return out;
}


static int64_t
bench_best(pyro_slice_t recording)
{
    int64_t   start, took, total, best;
    uint64_t  samples;

    best = INT64_MAX;

    for (total = 0; total < BENCH_NS; total += took) {
        start = bench_cpu();

        if (bench_read(recording, &samples)) {
            exit(1);
        }

        took = bench_cpu() - start;
        best = took < best ? took : best;
    }

    return best;
}


static int64_t
bench_best_inflate(pyro_slice_t file, const char *path)
{
    int64_t        start, took, total, best;
    pyro_arena_t  *arena;

    best = INT64_MAX;

    for (total = 0; total < BENCH_NS / 2; total += took) {
        start = bench_cpu();
        arena = pyro_arena_create(0);
        bench_inflate(arena, file, path);
        pyro_arena_destroy(arena);
        took = bench_cpu() - start;
        best = took < best ? took : best;
    }

    return best;
}


static int
bench_measure(const char *path)
{
    char             *name;
    double            seconds, inflate;
    size_t            peak, before;
    uint64_t          first, later, samples;
    pyro_arena_t     *arena;
    pyro_slice_t      file, recording;

    arena = pyro_arena_create(0);
    file = bench_file(arena, path);
    recording = bench_inflate(arena, file, path);

    before = bench_memory.now;
    bench_memory.peak = before;
    bench_memory.calls = 0;

    if (bench_read(recording, &samples)) {
        return 1;
    }

    first = bench_memory.calls;
    peak = bench_memory.peak - before;
    bench_memory.calls = 0;
    bench_read(recording, &samples);
    later = bench_memory.calls;

    seconds = (double) bench_best(recording) / PYRO_NS_PER_SEC;
    inflate = (double) bench_best_inflate(file, path) / PYRO_NS_PER_SEC;
    name = strdup(path);

    printf("%-42s %9zu %8.3f %7.1f %6.2f %5llu %4llu %8.3f %5.2f %5.0f%%\n",
           basename(dirname(name)), recording.len, seconds * 1e3,
           (double) recording.len / 1e6 / seconds,
           (double) samples / 1e6 / seconds, (unsigned long long) first,
           (unsigned long long) later, (double) peak / 1e6,
           (double) peak / (double) recording.len,
           inflate / (inflate + seconds) * 100);

    free(name);
    pyro_arena_destroy(arena);

    return 0;
}


static int
bench_repeat(const char *path, long n)
{
    uint64_t       samples;
    pyro_arena_t  *arena;
    pyro_slice_t   recording;

    arena = pyro_arena_create(0);
    recording = bench_inflate(arena, bench_file(arena, path), path);

    while (n--) {
        if (bench_read(recording, &samples)) {
            return 1;
        }
    }

    pyro_arena_destroy(arena);

    return 0;
}


int
main(int argc, char **argv)
{
    int    i, rc, status;
    long   n;
    pid_t  pid;

    rc = 0;
    n = 0;
    i = 1;

    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        n = atol(argv[2]);
        i = 3;

    } else {
        printf("%-42s %9s %8s %7s %6s %5s %4s %8s %5s %6s\n", "recording",
               "raw", "ms", "MB/s", "Ms/s", "first", "then", "peak MB", "x raw",
               "inflate");
        fflush(stdout);
    }

    for ( /* void */ ; i < argc; i++) {
        if (n) {
            rc |= bench_repeat(argv[i], n);
            continue;
        }

        pid = fork();

        if (pid == 0) {
            rc = bench_measure(argv[i]);
            fflush(stdout);
            _exit(rc);
        }

        rc |= pid == -1 || waitpid(pid, &status, 0) != pid || status != 0;
    }

    return rc;
}
