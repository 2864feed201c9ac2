/*
 * Pushes by number, for tests of sealing with several processes: each has a
 * time of its own, so that an answer tells of each of them whether it is there,
 * once, with its value and in its series.  What is acknowledged is counted in
 * memory that all processes share.
 *
 * No process has a store open when it forks.
 */

#ifndef _PYRO_SEAL_MODEL_H_INCLUDED_
#define _PYRO_SEAL_MODEL_H_INCLUDED_


#include "store_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "storage/handle.h"
#include "storage/seal_job.h"


#define MODEL_MAX    200000         /* pushes */
#define MODEL_PODS   5
#define MODEL_STEP   48611          /* no divisor in common with a span */
#define MODEL_LATER  fixture_later()


/* One writer's pushes are acknowledged in order: those below done are. */
typedef struct {
    atomic_uint   asked;
    atomic_uint   done;
    atomic_int    pause;
    atomic_int    paused;
    atomic_int    stop;
    atomic_uint   answers;
    atomic_uint   errors;
    atomic_int    failed;
    char          message[1024];
} model_shared_t;


typedef struct {
    char            *dir;
    uint32_t         partition;     /* seconds */
    uint32_t         span;          /* seconds, of all times */
    int64_t          base;          /* ns, where they begin */
    int64_t          seal_after;
    int64_t          retention;
    uint64_t         seed;
    uint64_t        *sums;          /* of the pushes below each */
    model_shared_t  *shared;
} model_t;


/* How often something is done: PYRO_SOAK, or as often as in every test. */
static inline uint32_t
model_rounds(uint32_t rounds)
{
    const char  *soak;

    soak = getenv("PYRO_SOAK");

    return soak == NULL ? rounds : (uint32_t) atoi(soak);
}


static inline uint64_t
model_random(model_t *m, uint64_t n)
{
    m->seed = m->seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return pyro_hash_mix(m->seed, 0) % n;
}


static inline uint64_t
model_value(uint32_t i)
{
    return 1000 * (1 + pyro_hash_mix(i, 1) % 1000);
}


static inline void
model_begin(model_t *m, uint64_t seed, uint32_t partition, uint32_t n)
{
    uint32_t  i;

    memset(m, 0, sizeof(model_t));

    m->dir = fixture_dir();
    m->partition = partition;
    m->span = partition * n;
    m->base = T0;
    m->seal_after = 1;
    m->seed = seed;
    m->shared = mmap(NULL, sizeof(model_shared_t), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(m->shared != MAP_FAILED);

    m->sums = calloc(MODEL_MAX + 1, sizeof(uint64_t));
    assert_non_null(m->sums);

    for (i = 0; i < MODEL_MAX; i++) {
        m->sums[i + 1] = m->sums[i] + model_value(i);
    }
}


static inline void
model_on_finding(void *ctx, const pyro_finding_t *finding)
{
    (void) ctx;

    if (!finding->note) {
        fail_msg("%s: %s: %s", finding->file, finding->what, finding->text);
    }
}


/* The caller has no store open; others may have. */
static inline void
model_is_sound(const model_t *m)
{
    pyro_error_t         err;
    pyro_check_result_t  result;

    assert_int_equal(pyro_store_check(m->dir, model_on_finding, NULL, &result,
                                      &err), PYRO_OK);
    assert_int_equal(result.damaged, 0);
}


static inline void
model_end(model_t *m)
{
    model_is_sound(m);
    munmap(m->shared, sizeof(model_shared_t));
    free(m->sums);
    fixture_remove(m->dir);
}


/* fork(): a process that ends with this one at the latest. */
static inline pid_t
model_child(void)
{
    pid_t  pid, parent;

    parent = getpid();
    pid = fork();
    assert_true(pid >= 0);

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);

        if (getppid() != parent) {
            _exit(1);
        }
    }

    return pid;
}


static inline pid_t
model_fork(model_t *m, void (*run)(model_t *m))
{
    pid_t  pid;

    pid = model_child();

    if (pid == 0) {
        run(m);
    }

    return pid;
}


/* In a process that has no assertions: what is wrong ends it. */
static inline void
model_fail(model_t *m, const char *what, const char *why)
{
    if (!atomic_exchange(&m->shared->failed, 1)) {
        snprintf(m->shared->message, sizeof(m->shared->message), "%s: %s",
                 what, why);
    }

    _exit(1);
}


static inline void
model_no_failure(const model_t *m)
{
    if (atomic_load(&m->shared->failed)) {
        fail_msg("%s", m->shared->message);
    }
}


static inline pyro_store_t *
model_open(model_t *m)
{
    pyro_error_t          err;
    pyro_store_t         *store;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = m->dir;
    options.map_size = 256 * 1024 * 1024;
    options.partition = m->partition;
    options.seal_after = m->seal_after;
    options.retention = m->retention;
    options.durability = PYRO_DURABILITY_PERIODIC;

    if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
        if (atomic_exchange(&m->shared->failed, 1) == 0) {
            snprintf(m->shared->message, sizeof(m->shared->message),
                     "open: %s", err.message);
        }

        return NULL;
    }

    return store;
}


static inline void
model_sleep(int64_t ns)
{
    struct timespec  pause;

    pause.tv_sec = ns / SEC;
    pause.tv_nsec = ns % SEC;
    nanosleep(&pause, NULL);
}


/* ---- pushes ---- */

static inline int64_t
model_time(const model_t *m, uint32_t i)
{
    return m->base + (int64_t) ((uint64_t) i * MODEL_STEP % m->span) * SEC;
}


/* Two stacks of CPU; the sum of both is the value; and one of another type,
 * and spans, in some. */
static inline pyro_profile_t *
model_profile(pyro_arena_t *arena, uint32_t i)
{
    char             stack[64], labels[64];
    uint64_t         value;
    pyro_profile_t  *p;

    p = pyro_profile_create(arena);
    value = model_value(i);

    snprintf(stack, sizeof(stack), "main;f%u;g%u", i % 11, i % 37);
    fixture_add(p, 0, &fixture_cpu, stack, i % 4 ? 0 : 1 + i % 9,
                (int64_t) value - 1);
    fixture_add(p, 0, &fixture_cpu, i % 6 ? "main;idle" : "", 0, 1);

    if (i % 3 == 0) {
        fixture_add(p, 0, &fixture_alloc, stack, 0, (int64_t) value + 1);
    }

    snprintf(labels, sizeof(labels), "service_name=%s,pod=p%u",
             i % 2 ? "shop" : "cart", i % MODEL_PODS);
    fixture_finish(p, labels);

    return p;
}


static inline pyro_store_push_t
model_push(model_t *m, pyro_store_t *store, uint32_t i)
{
    pyro_arena_t       *arena;
    pyro_store_push_t   push, *list[1];

    arena = pyro_arena_create(0);
    push = fixture_push(model_profile(arena, i), model_time(m, i));
    list[0] = &push;
    pyro_store_write(store, list, 1);
    pyro_arena_destroy(arena);

    return push;
}


/* The next n pushes, all of which are stored. */
static inline void
model_write(model_t *m, pyro_store_t *store, uint32_t n)
{
    pyro_store_push_t  push;

    while (n--) {
        push = model_push(m, store, atomic_fetch_add(&m->shared->asked, 1));

        if (push.status != PYRO_OK || push.stored != 1) {
            fail_msg("%s, stored %u, repeated %u", push.error.message,
                     push.stored, push.repeated);
        }

        atomic_fetch_add(&m->shared->done, 1);
    }
}


/* Some of those below n once more: each is known. */
static inline void
model_repeat(model_t *m, pyro_store_t *store, uint32_t n, uint32_t count)
{
    pyro_store_push_t  push;

    while (count-- && n) {
        push = model_push(m, store, (uint32_t) model_random(m, n));

        if (push.status != PYRO_OK || push.stored || push.repeated != 1) {
            fail_msg("a repeat: %s, stored %u, repeated %u",
                     push.error.message, push.stored, push.repeated);
        }
    }
}


/* ---- maintenance ---- */

/* One call; ns of the processor and of the epoch.  Returns its status. */
static inline pyro_status_e
model_maintain(pyro_store_t *store, int64_t cpu, int64_t now,
    pyro_store_work_t *work, pyro_error_t *err)
{
    memset(work, 0, sizeof(pyro_store_work_t));
    work->now = now;
    work->seal_cpu = cpu;

    if (store->seal != NULL) {
        store->seal->resume = 0;
    }

    return pyro_store_maintain(store, work, err);
}


/* Until nothing is left to do; returns how many were sealed. */
static inline uint32_t
model_seal_all(pyro_store_t *store, int64_t cpu)
{
    uint32_t           n, idle;
    pyro_error_t       err;
    pyro_store_work_t  work;

    for (n = 0, idle = 0; idle < 2; n += work.sealed) {

        if (model_maintain(store, cpu, MODEL_LATER, &work, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }

        idle = work.more || work.sealed ? 0 : idle + 1;
    }

    return n;
}


/* ---- answers ---- */

typedef struct {
    model_t   *m;
    int        type;            /* 0 CPU, 1 memory */
    uint8_t   *seen;            /* of MODEL_MAX */
    uint32_t  *numbers;         /* by second of the span; one more */
    uint32_t   strange;
} model_answer_t;


static inline pyro_status_e
model_on_series(void *ctx, const pyro_labels_t *labels, uint32_t *group,
    pyro_error_t *err)
{
    uint32_t        i;
    pyro_slice_t    pod;

    (void) ctx;
    (void) err;
    *group = MODEL_PODS;

    for (i = 0; i < labels->n; i++) {
        pod = labels->items[i].value;

        if (pyro_slice_eq(labels->items[i].name, PYRO_SLICE("pod"))
            && pod.len == 2)
        {
            *group = (uint32_t) (pod.data[1] - '0');
        }
    }

    return PYRO_OK;
}


static inline pyro_status_e
model_on_total(void *ctx, uint32_t group, int64_t time, uint64_t total,
    uint32_t count, pyro_error_t *err)
{
    uint32_t         i;
    int64_t          second;
    model_answer_t  *a;

    (void) err;
    a = ctx;
    second = (time - a->m->base) / SEC;

    if (time < a->m->base || second >= a->m->span || time % SEC
        || a->numbers[second] == 0)
    {
        a->strange++;
        return PYRO_OK;
    }

    i = a->numbers[second] - 1;

    if (group != i % MODEL_PODS || count != 1
        || total != model_value(i) + (uint64_t) a->type)
    {
        a->strange++;
    }

    a->seen[i]++;

    return PYRO_OK;
}


/* seen[i] is how often push i is there; what is there and was never pushed, or
 * is another's, fails. */
static inline void
model_seen(model_t *m, pyro_store_t *store, int type, uint8_t *seen)
{
    uint32_t                      i, n;
    pyro_error_t                  err;
    fixture_query_t               q;
    model_answer_t                answer;
    pyro_store_totals_handler_t   handler;

    n = m->span < MODEL_MAX ? m->span : MODEL_MAX;

    memset(&answer, 0, sizeof(answer));
    answer.m = m;
    answer.type = type;
    answer.seen = seen;
    answer.numbers = calloc(m->span, sizeof(uint32_t));
    assert_non_null(answer.numbers);
    memset(seen, 0, MODEL_MAX);

    for (i = 0; i < n; i++) {
        answer.numbers[(model_time(m, i) - m->base) / SEC] = i + 1;
    }

    fixture_query(&q, type ? "{__profile_type__=~\"memory.*\"}"
                           : "{__profile_type__=~\"process_cpu.*\"}",
                  0, INT64_MAX);
    memset(&handler, 0, sizeof(handler));
    handler.ctx = &answer;
    handler.series = model_on_series;
    handler.total = model_on_total;

    if (pyro_store_totals(store, &q.query, &handler, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    fixture_query_end(&q);
    free(answer.numbers);
    assert_int_equal(answer.strange, 0);
}


/* The sum of one type's flame graph. */
static inline pyro_status_e
model_total(pyro_store_t *store, int raw, uint64_t *total, pyro_error_t *err)
{
    pyro_tree_t      *tree;
    pyro_status_e     status;
    fixture_query_t   q;

    fixture_query(&q, "{__profile_type__=~\"process_cpu.*\"}", 0, INT64_MAX);
    q.query.raw = raw;
    tree = pyro_tree_create(q.arena);
    status = pyro_store_merge(store, &q.query, tree, err);
    *total = 0;

    if (status == PYRO_OK) {
        pyro_tree_totals(tree);
        *total = tree->nodes[0].total;
    }

    fixture_query_end(&q);

    return status;
}


static inline pyro_status_e
model_on_count(void *ctx, uint32_t group, int64_t time, uint64_t total,
    uint32_t count, pyro_error_t *err)
{
    (void) group;
    (void) time;
    (void) total;
    (void) err;

    *(uint64_t *) ctx += count;

    return PYRO_OK;
}


/* The number of pushes that have CPU, which all have. */
static inline pyro_status_e
model_count(pyro_store_t *store, uint64_t *count, pyro_error_t *err)
{
    pyro_status_e                 status;
    fixture_query_t               q;
    pyro_store_totals_handler_t   handler;

    *count = 0;
    memset(&handler, 0, sizeof(handler));
    handler.ctx = count;
    handler.series = model_on_series;
    handler.total = model_on_count;

    fixture_query(&q, "{__profile_type__=~\"process_cpu.*\"}", 0, INT64_MAX);
    status = pyro_store_totals(store, &q.query, &handler, err);
    fixture_query_end(&q);

    return status;
}


/*
 * One question, of a process that has no assertions; the answer lies between
 * what was there before and after.  how: 0 sums as they are rolled up, 1 of the
 * pushes alone, 2 how many pushes.
 */
static inline void
model_ask(model_t *m, pyro_store_t *store, int how)
{
    char            text[256];
    uint32_t        before, after;
    uint64_t        answer, least, most;
    pyro_error_t    err;
    pyro_status_e   status;

    before = atomic_load(&m->shared->done);
    status = how == 2 ? model_count(store, &answer, &err)
                      : model_total(store, how, &answer, &err);
    after = atomic_load(&m->shared->asked);

    if (status != PYRO_OK) {
        atomic_fetch_add(&m->shared->errors, 1);
        model_fail(m, "an answer", err.message);
    }

    least = how == 2 ? before : m->sums[before];
    most = how == 2 ? after : m->sums[after];

    if (answer < least || answer > most) {
        snprintf(text, sizeof(text), "%llu, not %llu to %llu (%u to %u)",
                 (unsigned long long) answer, (unsigned long long) least,
                 (unsigned long long) most, before, after);
        model_fail(m, how == 0 ? "sums" : how == 1 ? "pushes" : "totals",
                   text);
    }

    atomic_fetch_add(&m->shared->answers, 1);
}


/* All pushes below n are there, once, and nothing else. */
static inline void
model_check(model_t *m, pyro_store_t *store, uint32_t n)
{
    int            raw;
    uint8_t       *seen;
    uint32_t       i;
    uint64_t       total, sum;
    pyro_error_t   err;

    seen = malloc(MODEL_MAX);
    assert_non_null(seen);

    model_seen(m, store, 0, seen);

    for (i = 0; i < n; i++) {
        if (seen[i] != 1) {
            fail_msg("push %u of %u is there %u times", i, n, seen[i]);
        }
    }

    for ( /* void */ ; i < MODEL_MAX; i++) {
        assert_int_equal(seen[i], 0);
    }

    model_seen(m, store, 1, seen);

    for (i = 0; i < n; i++) {
        assert_int_equal(seen[i], i % 3 == 0);
    }

    free(seen);
    sum = m->sums[n];

    for (raw = 0; raw < 2; raw++) {
        if (model_total(store, raw, &total, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }

        assert_true(total == sum);
    }

    assert_int_equal(store->damaged, 0);
}


/* ---- files ---- */

static inline pyro_state_e
model_state(model_t *m, const char *name)
{
    char              path[4096];
    pyro_error_t      err;
    pyro_partition_t  part;

    memset(&part, 0, sizeof(part));
    snprintf(part.name, sizeof(part.name), "%.63s", name);
    snprintf(path, sizeof(path), "%s/%.63s", m->dir, name);

    if (pyro_partition_open(&part, path, 256 * 1024 * 1024,
                            PYRO_DURABILITY_PERIODIC, PYRO_ACCESS_MAKE, &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    pyro_partition_close(&part);

    return part.state;
}


/* Names of the directory's partition files, sorted; freed by the caller. */
static inline uint32_t
model_files(const char *dir, char (*names)[PYRO_FILE_NAME_MAX], uint32_t most)
{
    DIR            *d;
    size_t          len;
    uint32_t        n;
    struct dirent  *entry;

    n = 0;
    d = opendir(dir);
    assert_non_null(d);

    while ((entry = readdir(d)) != NULL) {
        len = strlen(entry->d_name);

        if (entry->d_name[0] == 'p' && len > 4
            && strcmp(entry->d_name + len - 4, ".mdb") == 0)
        {
            assert_true(n < most);
            snprintf(names[n++], PYRO_FILE_NAME_MAX, "%.63s", entry->d_name);
        }
    }

    closedir(d);

    if (n) {
        qsort(names, n, PYRO_FILE_NAME_MAX,
              (int (*)(const void *, const void *)) strcmp);
    }

    return n;
}


/* The catalogue and the directory have the same files, each of them in a state
 * that can stay. */
static inline void
model_files_are_known(model_t *m, pyro_store_t *store)
{
    char               names[256][PYRO_FILE_NAME_MAX];
    uint32_t           i, k, n, known;
    pyro_error_t       err;
    pyro_arena_t      *arena;
    pyro_partition_t **parts;

    arena = pyro_arena_create(0);
    n = model_files(m->dir, names, 256);

    if (pyro_catalog_list(&store->catalog, 0, INT64_MAX, arena, &parts,
                          &known, &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    for (i = 0; i < n; i++) {
        for (k = 0; k < known; k++) {
            if (strcmp(names[i], parts[k]->name) == 0) {
                break;
            }
        }

        if (k == known) {
            fail_msg("%s is not known, its state is %d", names[i],
                     model_state(m, names[i]));
        }

        assert_true(parts[k]->state == PYRO_STATE_OPEN
                    || parts[k]->state == PYRO_STATE_SEALED);
    }

    assert_int_equal(n, known);
    pyro_arena_destroy(arena);
}


#endif /* _PYRO_SEAL_MODEL_H_INCLUDED_ */
