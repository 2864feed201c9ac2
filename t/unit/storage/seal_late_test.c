/*
 * Pushes that come late, from threads and from another process, into hours that
 * are sealed and others that are removed at the same time.  What was
 * acknowledged is there, once, unless its hour is too old at last.
 *
 * PYRO_SOAK: sealings and removals, 100 unless it is set.
 */

#include "seal_model.h"


#define CHANGES    100
#define HOURS      40
#define KEPT       12               /* hours */
#define WRITERS    3                /* the last one is a process */


typedef struct {
    atomic_uint   next[WRITERS];
    atomic_uchar  done[MODEL_MAX];
} late_shared_t;


typedef struct {
    model_t        *m;
    late_shared_t  *shared;
    pyro_store_t   *store;
    uint32_t        writer;
} late_t;


/* Each writer has every WRITERS-th push. */
static void
late_writes(late_t *l)
{
    uint32_t            i, k;
    pyro_store_push_t   push;

    while (!atomic_load(&l->m->shared->stop)) {
        k = atomic_fetch_add(&l->shared->next[l->writer], 1);
        i = k * WRITERS + l->writer;

        if (i >= HOURS * 3600 || i >= MODEL_MAX) {
            break;
        }

        push = model_push(l->m, l->store, i);

        if (push.status != PYRO_OK || push.stored != 1) {
            model_fail(l->m, "a push", push.error.message);
        }

        atomic_store(&l->shared->done[i], 1);

        if (k % 4 == 0) {
            model_sleep(5000000);
        }
    }
}


static void *
late_thread(void *ctx)
{
    late_writes(ctx);

    return NULL;
}


static void
late_process(late_t *l)
{
    l->store = model_open(l->m);

    if (l->store == NULL) {
        _exit(1);
    }

    late_writes(l);
    pyro_store_close(l->store);
    _exit(0);
}


/* Some time passes with each call; returns what it is at last. */
static int64_t
late_maintain(model_t *m, pyro_store_t *store, uint32_t *changes)
{
    int64_t             now, end;
    uint32_t            least;
    pyro_error_t        err;
    pyro_store_work_t   work;

    least = model_rounds(CHANGES);
    now = m->base + KEPT * 3600 * SEC;
    end = m->base + (HOURS - 8) * 3600 * SEC;

    for (*changes = 0; *changes < least || now < end; /* void */ ) {

        if (model_maintain(store, 20000000, now, &work, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }

        model_no_failure(m);
        *changes += work.sealed + work.removed;

        now += now < end ? 600 * SEC : 0;

        model_sleep(2000000);
    }

    return now;
}


static void
late_check(late_t *l, int64_t now)
{
    uint8_t       *seen;
    int64_t        hour;
    uint32_t       i, n;
    uint64_t       raw, rolled;
    pyro_error_t   err;

    seen = malloc(MODEL_MAX);
    assert_non_null(seen);
    model_seen(l->m, l->store, 0, seen);

    for (i = 0, n = 0; i < HOURS * 3600 && i < MODEL_MAX; i++) {
        hour = (model_time(l->m, i) - l->m->base) / (3600 * SEC);

        if (l->m->base + (hour + 1 + KEPT) * 3600 * SEC <= now) {
            assert_true(seen[i] <= l->shared->done[i]);

        } else if (seen[i] != l->shared->done[i]) {
            fail_msg("push %u of hour %d is there %u times, %u were told", i,
                     (int) hour, seen[i], l->shared->done[i]);
        }

        n += seen[i];
    }

    assert_true(n > 0);
    free(seen);

    assert_int_equal(model_total(l->store, 1, &raw, &err), PYRO_OK);
    assert_int_equal(model_total(l->store, 0, &rolled, &err), PYRO_OK);
    assert_true(raw == rolled && raw > 0);
    assert_int_equal(l->store->damaged, 0);
}


/* Some of what is kept once more. */
static void
late_repeats(late_t *l, int64_t now)
{
    uint32_t            i, n, count;
    pyro_store_push_t   push;

    n = WRITERS * atomic_load(&l->shared->next[0]);

    for (count = 0; count < 50; /* void */ ) {
        i = (uint32_t) model_random(l->m, n);

        if (!l->shared->done[i]
            || model_time(l->m, i) + KEPT * 3600 * SEC <= now)
        {
            continue;
        }

        push = model_push(l->m, l->store, i);
        assert_int_equal(push.status, PYRO_OK);
        assert_int_equal(push.stored, 0);
        assert_int_equal(push.repeated, 1);
        count++;
    }
}


static void
late_pushes_meet_sealing_and_removal(void **state)
{
    int                 rc;
    pid_t               pid;
    late_t              l[WRITERS];
    int64_t             now;
    model_t             m;
    uint32_t            i, changes;
    pthread_t           threads[WRITERS];
    pyro_error_t        err;
    pyro_store_t       *store;
    late_shared_t      *shared;
    pyro_store_work_t   work;

    (void) state;

    model_begin(&m, 1, 3600, HOURS);

    /* files that have just changed are not quiet by an earlier clock */

    m.base = (fixture_later() / (3600 * SEC) + 1) * 3600 * SEC;
    m.retention = KEPT * 3600;

    shared = mmap(NULL, sizeof(late_shared_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);

    for (i = 0; i < WRITERS; i++) {
        l[i].m = &m;
        l[i].shared = shared;
        l[i].writer = i;
    }

    pid = model_child();

    if (pid == 0) {
        late_process(&l[WRITERS - 1]);
    }

    store = model_open(&m);
    model_no_failure(&m);

    for (i = 0; i < WRITERS - 1; i++) {
        l[i].store = store;
        assert_int_equal(pthread_create(&threads[i], NULL, late_thread,
                                        &l[i]), 0);
    }

    now = late_maintain(&m, store, &changes);
    atomic_store(&m.shared->stop, 1);

    for (i = 0; i < WRITERS - 1; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }

    assert_int_equal(waitpid(pid, &rc, 0), pid);
    model_no_failure(&m);
    assert_int_equal(rc, 0);

    late_check(&l[0], now);
    late_repeats(&l[0], now);

    do {
        if (model_maintain(store, SEC, now, &work, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }

    } while (work.more || work.sealed || work.removed);

    late_check(&l[0], now);
    model_files_are_known(&m, store);
    pyro_store_close(store);

    l[0].store = model_open(&m);
    model_no_failure(&m);
    late_check(&l[0], now);
    pyro_store_close(l[0].store);

    print_message("# %u sealings and removals, %u pushes\n", changes,
                  atomic_load(&shared->next[0]) + atomic_load(&shared->next[1])
                  + atomic_load(&shared->next[2]));
    munmap(shared, sizeof(late_shared_t));
    model_end(&m);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(late_pushes_meet_sealing_and_removal),
    };

    return unit_run(tests);
}
