/*
 * Queries while the files of a time are swapped for a sealed one: each sees all
 * that was acknowledged before it began, nothing twice, and nothing that was
 * not pushed.  A sealing process and several that ask, with threads and with
 * stores that are opened just now.
 *
 * PYRO_SOAK: swaps, 25 unless it is set.
 */

#include "seal_model.h"


#define SWAPS    25
#define LATE     6
#define THREADS  3


typedef struct {
    model_t       *m;
    pyro_store_t  *store;
    int            number;
} reader_t;


static uint64_t  reader_sums[MODEL_MAX + 1];


static uint32_t
reader_swaps(void)
{
    const char  *soak;

    soak = getenv("PYRO_SOAK");

    return soak == NULL ? SWAPS : (uint32_t) atoi(soak);
}


static pyro_status_e
reader_on_total(void *ctx, uint32_t group, int64_t time, uint64_t total,
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
static pyro_status_e
reader_count(pyro_store_t *store, uint64_t *count, pyro_error_t *err)
{
    pyro_status_e                 status;
    fixture_query_t               q;
    pyro_store_totals_handler_t   handler;

    *count = 0;
    memset(&handler, 0, sizeof(handler));
    handler.ctx = count;
    handler.series = model_on_series;
    handler.total = reader_on_total;

    fixture_query(&q, "{__profile_type__=~\"process_cpu.*\"}", 0, INT64_MAX);
    status = pyro_store_totals(store, &q.query, &handler, err);
    fixture_query_end(&q);

    return status;
}


/* One question; the answer lies between what was there before and after. */
static void
reader_ask(model_t *m, pyro_store_t *store, int how)
{
    char            text[256];
    uint32_t        before, after;
    uint64_t        answer, least, most;
    pyro_error_t    err;
    pyro_status_e   status;

    before = atomic_load(&m->shared->done);
    status = how == 2 ? reader_count(store, &answer, &err)
                      : model_total(store, how, &answer, &err);
    after = atomic_load(&m->shared->asked);

    if (status != PYRO_OK) {
        atomic_fetch_add(&m->shared->errors, 1);
        model_fail(m, "an answer", err.message);
    }

    least = how == 2 ? before : reader_sums[before];
    most = how == 2 ? after : reader_sums[after];

    if (answer < least || answer > most) {
        snprintf(text, sizeof(text), "%llu, not %llu to %llu (%u to %u)",
                 (unsigned long long) answer, (unsigned long long) least,
                 (unsigned long long) most, before, after);
        model_fail(m, how == 0 ? "sums" : how == 1 ? "pushes" : "totals",
                   text);
    }

    atomic_fetch_add(&m->shared->answers, 1);
}


static void *
reader_thread(void *ctx)
{
    int        i;
    reader_t  *r;

    r = ctx;

    for (i = r->number; !atomic_load(&r->m->shared->stop); i++) {
        reader_ask(r->m, r->store, i % 3);
    }

    return NULL;
}


/* Threads of one store. */
static void
reader_process(model_t *m)
{
    int            i;
    reader_t       readers[THREADS];
    pthread_t      threads[THREADS];
    pyro_store_t  *store;

    store = model_open(m);

    if (store == NULL) {
        _exit(1);
    }

    for (i = 0; i < THREADS; i++) {
        readers[i].m = m;
        readers[i].store = store;
        readers[i].number = i;

        if (pthread_create(&threads[i], NULL, reader_thread, &readers[i])) {
            model_fail(m, "thread", "");
        }
    }

    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }

    pyro_store_close(store);
    _exit(0);
}


/* A store of its own for each question. */
static void
reader_opens(model_t *m)
{
    int            i;
    pyro_store_t  *store;

    for (i = 0; !atomic_load(&m->shared->stop); i++) {
        store = model_open(m);

        if (store == NULL) {
            _exit(1);
        }

        reader_ask(m, store, i % 3);
        pyro_store_close(store);
    }

    _exit(0);
}


/* Late pushes and sealing, again and again. */
static void
reader_seals(model_t *m, uint32_t swaps)
{
    uint32_t            i, n;
    pyro_error_t        err;
    pyro_store_t       *store;
    pyro_store_push_t   push;
    pyro_store_work_t   work;

    store = model_open(m);

    if (store == NULL) {
        _exit(1);
    }

    for (n = 0; n < swaps && !atomic_load(&m->shared->failed); /* void */ ) {

        for (i = 0; i < LATE; i++) {
            push = model_push(m, store, atomic_fetch_add(&m->shared->asked,
                                                         1));

            if (push.status != PYRO_OK || push.stored != 1) {
                model_fail(m, "push", push.error.message);
            }

            atomic_fetch_add(&m->shared->done, 1);
        }

        do {
            if (model_maintain(store, SEC, MODEL_LATER, &work, &err)
                != PYRO_OK)
            {
                model_fail(m, "maintain", err.message);
            }

            n += work.sealed;

        } while (work.more || work.sealed);
    }

    pyro_store_close(store);
    _exit(0);
}


static pid_t
reader_fork(model_t *m, void (*run)(model_t *m))
{
    pid_t  pid;

    pid = fork();
    assert_true(pid >= 0);

    if (pid == 0) {
        run(m);
    }

    return pid;
}


static void
a_swap_hides_nothing(void **state)
{
    int            rc, other;
    pid_t          pids[3];
    uint32_t       i;
    model_t        m;
    pyro_store_t  *store;

    (void) state;

    for (i = 0; i < MODEL_MAX; i++) {
        reader_sums[i + 1] = reader_sums[i] + model_value(i);
    }

    model_begin(&m, 1, 3600, 2);
    store = model_open(&m);
    model_no_failure(&m);
    model_write(&m, store, 60);
    pyro_store_close(store);

    pids[0] = reader_fork(&m, reader_process);
    pids[1] = reader_fork(&m, reader_opens);
    pids[2] = fork();
    assert_true(pids[2] >= 0);

    if (pids[2] == 0) {
        reader_seals(&m, reader_swaps());
    }

    assert_int_equal(waitpid(pids[2], &rc, 0), pids[2]);
    atomic_store(&m.shared->stop, 1);

    for (i = 0; i < 2; i++) {
        assert_int_equal(waitpid(pids[i], &other, 0), pids[i]);
        rc |= other;
    }

    model_no_failure(&m);
    assert_int_equal(rc, 0);
    assert_true(atomic_load(&m.shared->answers) > 0);
    print_message("# %u answers\n", atomic_load(&m.shared->answers));

    store = model_open(&m);
    model_no_failure(&m);
    model_check(&m, store, atomic_load(&m.shared->done));
    model_files_are_known(&m, store);
    pyro_store_close(store);
    model_end(&m);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_swap_hides_nothing),
    };

    return unit_run(tests);
}
