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


static void *
reader_thread(void *ctx)
{
    int        i;
    reader_t  *r;

    r = ctx;

    for (i = r->number; !atomic_load(&r->m->shared->stop); i++) {
        model_ask(r->m, r->store, i % 3);
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

        model_ask(m, store, i % 3);
        pyro_store_close(store);
    }

    _exit(0);
}


/* Late pushes and sealing, again and again. */
static void
reader_seals(model_t *m)
{
    uint32_t            i, n, swaps;
    pyro_error_t        err;
    pyro_store_t       *store;
    pyro_store_push_t   push;
    pyro_store_work_t   work;

    swaps = model_rounds(SWAPS);
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


static void
a_swap_hides_nothing(void **state)
{
    int            rc, other;
    pid_t          pids[3];
    uint32_t       i;
    model_t        m;
    pyro_store_t  *store;

    (void) state;

    model_begin(&m, 1, 3600, 2);
    store = model_open(&m);
    model_no_failure(&m);
    model_write(&m, store, 60);
    pyro_store_close(store);

    pids[0] = model_fork(&m, reader_process);
    pids[1] = model_fork(&m, reader_opens);
    pids[2] = model_fork(&m, reader_seals);

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
