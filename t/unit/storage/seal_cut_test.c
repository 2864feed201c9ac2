/*
 * Sealing that was cut off: each state that a kill leaves on the disk, made by
 * hand, and what the next opening and the next maintenance make of it.  No push
 * is lost or counted twice, and no file stays that nobody knows.
 */

#include "seal_model.h"


#define PUSHES  300


/* ---- states by hand ---- */

/* A file of the store's directory, as it was. */
typedef struct {
    char     name[PYRO_FILE_NAME_MAX];
    char    *data;
    size_t   len;
} cut_file_t;


static void
cut_path(model_t *m, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%.63s", m->dir, name);
}


static cut_file_t
cut_keep(model_t *m, const char *name)
{
    FILE         *f;
    char          path[4096];
    cut_file_t    file;
    struct stat   st;

    memset(&file, 0, sizeof(file));
    snprintf(file.name, sizeof(file.name), "%.63s", name);
    cut_path(m, name, path, sizeof(path));

    f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    file.len = (size_t) st.st_size;
    file.data = malloc(file.len);
    assert_non_null(file.data);
    assert_int_equal(fread(file.data, 1, file.len, f), file.len);
    fclose(f);

    return file;
}


static void
cut_remove(model_t *m, const char *name)
{
    char  path[4096];

    cut_path(m, name, path, sizeof(path));
    pyro_partition_unlink(path);
}


/* No store is open. */
static void
cut_restore(model_t *m, cut_file_t *file)
{
    FILE  *f;
    char   path[4096];

    cut_remove(m, file->name);
    cut_path(m, file->name, path, sizeof(path));
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(file->data, 1, file->len, f), file->len);
    fclose(f);
    free(file->data);
    file->data = NULL;
}


static uint32_t
cut_files(model_t *m)
{
    char  names[64][PYRO_FILE_NAME_MAX];

    return model_files(m->dir, names, 64);
}


/* The file in this state; there is one at most.  1 if there is none. */
static int
cut_find(model_t *m, pyro_state_e state, char *name)
{
    char      names[64][PYRO_FILE_NAME_MAX];
    uint32_t  i, n, found;

    n = model_files(m->dir, names, 64);

    for (i = 0, found = 0; i < n; i++) {
        if (model_state(m, names[i]) == state) {
            memcpy(name, names[i], PYRO_FILE_NAME_MAX);
            found++;
        }
    }

    assert_true(found < 2);

    return found == 0;
}


/* Sealing of what there is has begun; the store is closed then. */
static void
cut_begin(model_t *m, pyro_store_t *store, char *copy)
{
    pyro_error_t       err;
    pyro_store_work_t  work;

    do {
        assert_int_equal(model_maintain(store, 1, MODEL_LATER, &work, &err),
                         PYRO_OK);
        assert_int_equal(work.sealed, 0);

    } while (store->seal == NULL || store->seal->copy.env == NULL);

    pyro_store_close(store);
    assert_int_equal(cut_find(m, PYRO_STATE_BUILDING, copy), 0);
}


static pyro_store_t *
cut_open(model_t *m)
{
    pyro_store_t  *store;

    store = model_open(m);
    model_no_failure(m);

    return store;
}


static pyro_store_t *
cut_start(model_t *m, uint64_t seed)
{
    pyro_store_t  *store;

    model_begin(m, seed, DAY, 1);
    store = cut_open(m);
    model_write(m, store, PUSHES);

    return store;
}


/*
 * Everything is there, now and when all is done; as many files as that.  A
 * repeat may make a file that has nothing: it comes last.
 */
static void
cut_check(model_t *m, uint32_t files)
{
    uint32_t       n;
    pyro_store_t  *store;

    n = atomic_load(&m->shared->done);
    store = cut_open(m);
    model_check(m, store, n);
    model_repeat(m, store, n, 20);

    model_seal_all(store, SEC);
    model_check(m, store, n);
    model_files_are_known(m, store);
    assert_int_equal(cut_files(m), files);
    model_repeat(m, store, n, 20);

    /* once more with what comes late */

    model_write(m, store, 30);
    n = atomic_load(&m->shared->done);
    model_check(m, store, n);
    assert_int_equal(model_seal_all(store, SEC), 1);
    model_check(m, store, n);
    model_files_are_known(m, store);
    assert_int_equal(cut_files(m), files);
    model_repeat(m, store, n, 20);
    pyro_store_close(store);

    store = cut_open(m);
    model_check(m, store, n);
    model_seal_all(store, SEC);
    model_check(m, store, n);
    assert_int_equal(cut_files(m), files);
    pyro_store_close(store);
}


/* ---- between two transactions of the copy ---- */

/* As often as it goes on it is the same copy, which is finished at last. */
static void
a_copy_is_gone_on_with(void **state)
{
    int                i;
    char               copy[PYRO_FILE_NAME_MAX], again[PYRO_FILE_NAME_MAX];
    model_t            m;
    pyro_error_t       err;
    pyro_store_t      *store;
    pyro_store_work_t  work;

    (void) state;

    store = cut_start(&m, 1);
    cut_begin(&m, store, copy);

    for (i = 0; i < 10; i++) {
        store = cut_open(&m);
        assert_int_equal(model_maintain(store, 300000, MODEL_LATER, &work,
                                        &err), PYRO_OK);
        model_check(&m, store, PUSHES);
        pyro_store_close(store);

        if (work.sealed) {
            break;
        }

        assert_int_equal(cut_find(&m, PYRO_STATE_BUILDING, again), 0);
        assert_string_equal(again, copy);
    }

    cut_check(&m, 1);
    assert_int_equal(cut_find(&m, PYRO_STATE_BUILDING, again), 1);
    model_end(&m);
}


/* What comes late meanwhile is sealed as well: the copy is another one then. */
static void
a_copy_of_fewer_files_goes(void **state)
{
    char           copy[PYRO_FILE_NAME_MAX];
    model_t        m;
    pyro_store_t  *store;

    (void) state;

    store = cut_start(&m, 2);
    cut_begin(&m, store, copy);

    store = cut_open(&m);
    model_write(&m, store, 40);
    pyro_store_close(store);
    assert_int_equal(cut_files(&m), 3);

    cut_check(&m, 1);
    model_end(&m);
}


/* Killed before the copy says what it is made of. */
static void
a_copy_without_a_list_goes(void **state)
{
    int                      how;
    char                     copy[PYRO_FILE_NAME_MAX], path[4096];
    model_t                  m;
    pyro_error_t             err;
    pyro_store_t            *store;
    pyro_partition_t         part;
    pyro_partition_value_t   value;

    (void) state;

    for (how = 0; how < 2; how++) {
        store = cut_start(&m, 3);
        cut_begin(&m, store, copy);

        memset(&part, 0, sizeof(part));
        snprintf(part.name, sizeof(part.name), "%.63s", copy);
        cut_path(&m, copy, path, sizeof(path));
        assert_int_equal(pyro_partition_open(&part, path, 256 * 1024 * 1024,
                                             PYRO_DURABILITY_PERIODIC,
                                             PYRO_ACCESS_MAKE, &err),
                         PYRO_OK);
        value.start = part.start;
        value.length = part.length;
        value.generation = part.generation;
        value.seed = part.seed;
        pyro_partition_close(&part);
        cut_remove(&m, copy);

        if (how == 0) {
            assert_int_equal(pyro_partition_create(path, 256 * 1024 * 1024,
                                                   &value,
                                                   PYRO_STATE_BUILDING, &err),
                             PYRO_OK);
        }

        cut_check(&m, 1);
        model_end(&m);
    }
}


/* The day was removed while nobody sealed it: its copy goes, too, whether or
 * not anything is sealed again. */
static void
a_copy_without_sources_goes(void **state)
{
    int                how;
    char               copy[PYRO_FILE_NAME_MAX];
    model_t            m;
    pyro_error_t       err;
    pyro_store_t      *store;
    pyro_store_work_t  work;

    (void) state;

    for (how = 0; how < 2; how++) {
        store = cut_start(&m, 4);
        cut_begin(&m, store, copy);

        /* by the one that removes, or before it came */

        m.seal_after = 0;
        m.retention = 1;
        store = cut_open(&m);
        assert_int_equal(model_maintain(store, SEC, MODEL_LATER, &work, &err),
                         PYRO_OK);
        assert_int_equal(work.removed, 1);

        if (how == 0) {
            pyro_store_close(store);
            m.seal_after = 1;
            store = cut_open(&m);
            model_seal_all(store, SEC);
        }

        assert_int_equal(cut_files(&m), 0);
        assert_int_equal(fixture_total(store, "{}", 0, INT64_MAX), 0);
        pyro_store_close(store);
        model_end(&m);
    }
}


/* Killed over a file that has nothing yet, or not even that; what is no
 * partition and has something stays. */
static void
a_file_without_anything_goes(void **state)
{
    FILE          *f;
    char           path[4096];
    model_t        m;
    pyro_env_t    *env;
    pyro_error_t   err;
    pyro_store_t  *store;

    (void) state;

    store = cut_start(&m, 12);
    pyro_store_close(store);

    cut_path(&m, "p-20261122.77.mdb", path, sizeof(path));
    assert_int_equal(pyro_env_open(path, 256 * 1024 * 1024,
                                   PYRO_DURABILITY_COMMIT, PYRO_ACCESS_MAKE,
                                   &env, &err),
                     PYRO_OK);
    pyro_env_close(env);

    cut_path(&m, "p-20261122.78.mdb", path, sizeof(path));
    f = fopen(path, "wb");
    assert_non_null(f);
    fclose(f);

    cut_path(&m, "p-20261122.79.mdb", path, sizeof(path));
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(fprintf(f, "%5000s", "somebody's") > 0);
    fclose(f);

    store = cut_open(&m);
    model_seal_all(store, SEC);
    model_check(&m, store, PUSHES);
    assert_int_equal(cut_files(&m), 2);
    pyro_store_close(store);

    assert_int_equal(access(path, F_OK), 0);
    cut_remove(&m, "p-20261122.79.mdb");
    cut_check(&m, 1);
    model_end(&m);
}


/* ---- marks ---- */

static void
cut_mark(model_t *m, const char *name, pyro_state_e state)
{
    char              path[4096];
    uint8_t           byte[1];
    pyro_kv_txn_t    *txn;
    pyro_error_t      err;
    pyro_partition_t  part;

    memset(&part, 0, sizeof(part));
    snprintf(part.name, sizeof(part.name), "%.63s", name);
    cut_path(m, name, path, sizeof(path));
    byte[0] = (uint8_t) state;

    assert_int_equal(pyro_partition_open(&part, path, 256 * 1024 * 1024,
                                         PYRO_DURABILITY_PERIODIC,
                                             PYRO_ACCESS_MAKE, &err),
                     PYRO_OK);
    assert_int_equal(pyro_env_begin(part.env, 0, &txn, &err), PYRO_OK);
    assert_int_equal(pyro_meta_put(txn, part.dbi[PYRO_DB_META], "state", byte,
                                   1), 0);
    assert_int_equal(pyro_env_commit(part.env, txn, &err), PYRO_OK);
    pyro_partition_close(&part);
}


/* Its own meta says so, and the catalogue does not, yet. */
static void
a_mark_is_enough(void **state)
{
    int            how;
    char           name[PYRO_FILE_NAME_MAX];
    model_t        m;
    pyro_store_t  *store;

    (void) state;

    for (how = 0; how < 2; how++) {
        store = cut_start(&m, 5);
        pyro_store_close(store);
        assert_int_equal(cut_find(&m, PYRO_STATE_OPEN, name), 0);
        cut_mark(&m, name, PYRO_STATE_SEALING);

        if (how) {
            store = cut_open(&m);
            model_repeat(&m, store, PUSHES, 20);
            model_write(&m, store, 40);
            model_repeat(&m, store, PUSHES + 40, 20);
            pyro_store_close(store);
            assert_int_equal(cut_files(&m), 2);
        }

        cut_check(&m, 1);
        model_end(&m);
    }
}


/* ---- the swap ---- */

/*
 * A day that is sealed, with what there was before: the source, the catalogue
 * that had it, and the copy's name.  Closed.
 */
static void
cut_sealed(model_t *m, uint64_t seed, cut_file_t *source, cut_file_t *control,
    char *copy)
{
    char           name[PYRO_FILE_NAME_MAX];
    pyro_store_t  *store;

    store = cut_start(m, seed);
    cut_begin(m, store, copy);
    assert_int_equal(cut_find(m, PYRO_STATE_SEALING, name), 0);

    *source = cut_keep(m, name);
    *control = cut_keep(m, "control.mdb");

    store = cut_open(m);
    assert_int_equal(model_seal_all(store, SEC), 1);
    pyro_store_close(store);
    assert_int_equal(cut_files(m), 1);
    assert_int_equal(cut_find(m, PYRO_STATE_SEALED, name), 0);
    assert_string_equal(name, copy);
}


/* It is whole, and the catalogue does not have it. */
static void
a_whole_copy_is_taken_in(void **state)
{
    char        copy[PYRO_FILE_NAME_MAX], name[PYRO_FILE_NAME_MAX];
    model_t     m;
    cut_file_t  source, control;

    (void) state;

    cut_sealed(&m, 6, &source, &control, copy);
    cut_restore(&m, &control);
    cut_restore(&m, &source);
    assert_int_equal(cut_files(&m), 2);

    pyro_store_close(cut_open(&m));
    assert_int_equal(cut_files(&m), 1);
    assert_int_equal(cut_find(&m, PYRO_STATE_SEALED, name), 0);
    assert_string_equal(name, copy);

    cut_check(&m, 1);
    model_end(&m);
}


/* The catalogue has the copy; its source was not unlinked. */
static void
a_source_that_was_left_goes(void **state)
{
    char        copy[PYRO_FILE_NAME_MAX], name[PYRO_FILE_NAME_MAX];
    model_t     m;
    cut_file_t  source, control;

    (void) state;

    cut_sealed(&m, 7, &source, &control, copy);
    free(control.data);
    cut_restore(&m, &source);

    pyro_store_close(cut_open(&m));
    assert_int_equal(cut_files(&m), 1);
    assert_int_equal(cut_find(&m, PYRO_STATE_SEALED, name), 0);

    cut_check(&m, 1);
    model_end(&m);
}


/* control.mdb is lost: with copy and source, with the copy alone, and with a
 * copy that is being built. */
static void
without_a_catalogue(void **state)
{
    int           how;
    char          copy[PYRO_FILE_NAME_MAX];
    model_t       m;
    cut_file_t    source, control;
    pyro_store_t *store;

    (void) state;

    for (how = 0; how < 3; how++) {

        if (how < 2) {
            cut_sealed(&m, 8, &source, &control, copy);
            free(control.data);

        } else {
            store = cut_start(&m, 8);
            cut_begin(&m, store, copy);
        }

        if (how == 0) {
            cut_restore(&m, &source);

        } else if (how == 1) {
            free(source.data);
        }

        cut_remove(&m, "control.mdb");
        cut_check(&m, 1);
        model_end(&m);
    }
}


/*
 * Sealed again with a late file; what there was before of both, and of the
 * catalogue, comes back one by one.
 */
static void
the_second_time_is_as_the_first(void **state)
{
    int            how;
    char           copy[PYRO_FILE_NAME_MAX], first[PYRO_FILE_NAME_MAX];
    char           late[PYRO_FILE_NAME_MAX];
    model_t        m;
    cut_file_t     source, control, sealed, other;
    pyro_store_t  *store;

    (void) state;

    for (how = 1; how < 12; how++) {
        cut_sealed(&m, 9, &source, &control, first);
        free(source.data);
        free(control.data);

        store = cut_open(&m);
        model_write(&m, store, 40);
        cut_begin(&m, store, copy);
        assert_int_equal(cut_find(&m, PYRO_STATE_SEALING, late), 0);
        sealed = cut_keep(&m, first);
        other = cut_keep(&m, late);
        control = cut_keep(&m, "control.mdb");

        store = cut_open(&m);
        assert_int_equal(model_seal_all(store, SEC), 1);
        pyro_store_close(store);
        assert_int_equal(cut_files(&m), 1);

        /* which of the three come back; or the catalogue is lost */

        if (how & 1) {
            cut_restore(&m, &sealed);
        }

        if (how & 2) {
            cut_restore(&m, &other);
        }

        if (how & 4) {
            cut_restore(&m, &control);

        } else if (how & 8) {
            cut_remove(&m, "control.mdb");
        }

        cut_check(&m, 1);

        free(sealed.data);
        free(other.data);
        free(control.data);
        model_end(&m);
    }
}


/* ---- another process ---- */

static void
cut_tell(int fd)
{
    if (write(fd, "+", 1) != 1) {
        _exit(1);
    }
}


static void
cut_wait(int fd)
{
    char  c;

    if (read(fd, &c, 1) != 1) {
        _exit(1);
    }
}


/* Opens the directory as a process that starts just now, again and again, when
 * it is told to begin. */
static void
cut_opens(model_t *m, int begin, int tell)
{
    pyro_store_t  *store;

    cut_wait(begin);
    cut_tell(tell);

    while (!atomic_load(&m->shared->stop)) {
        store = model_open(m);

        if (store == NULL) {
            _exit(1);
        }

        pyro_store_close(store);
        atomic_fetch_add(&m->shared->answers, 1);
    }

    _exit(0);
}


/*
 * A store that is opened between the end of a copy and its entry takes it in,
 * as if whoever made it had been killed; and whoever made it finds it there.
 */
static void
a_copy_is_taken_in_by_another(void **state)
{
    int            rc, begin[2], tell[2], round;
    pid_t          pid;
    model_t        m;
    uint32_t       i, n, sealed;
    pyro_store_t  *store;

    (void) state;

    model_begin(&m, 10, 3600, 4);
    assert_int_equal(pipe(begin), 0);
    assert_int_equal(pipe(tell), 0);

    pid = model_child();

    if (pid == 0) {
        cut_opens(&m, begin[0], tell[1]);
    }

    store = cut_open(&m);
    model_write(&m, store, 40);
    cut_tell(begin[1]);
    cut_wait(tell[0]);

    for (round = 0, sealed = 0; round < 12; round++) {
        model_write(&m, store, 8);
        n = atomic_load(&m.shared->done);
        sealed += model_seal_all(store, SEC);

        /* the other one reads the directory once more */

        for (i = atomic_load(&m.shared->answers);
             atomic_load(&m.shared->answers) < i + 2
             && !atomic_load(&m.shared->failed); )
        {
            model_sleep(1000000);
        }

        model_check(&m, store, n);
        model_repeat(&m, store, n, 3);
    }

    atomic_store(&m.shared->stop, 1);
    assert_int_equal(waitpid(pid, &rc, 0), pid);
    model_no_failure(&m);
    assert_int_equal(rc, 0);
    assert_true(sealed >= 12);

    model_files_are_known(&m, store);
    pyro_store_close(store);
    close(begin[0]);
    close(begin[1]);
    close(tell[0]);
    close(tell[1]);
    model_end(&m);
}


/*
 * The same in the one order that matters, made sure of by the catalogue's lock:
 * the child has it while the parent wants to enter its copy, and does what
 * adopting does.
 */
static void
cut_adopts(model_t *m, const char *source, const char *copy, int begin,
    int tell)
{
    int                rc;
    char               path[4096];
    uint8_t            bytes[PYRO_KEY_MAX];
    pyro_kv_txn_t     *txn;
    pyro_slice_t       key;
    uint32_t           i, n, list[PYRO_SOURCES_MAX];
    pyro_error_t       err;
    pyro_store_t      *store;
    pyro_partition_t   part;

    cut_wait(begin);

    store = model_open(m);

    if (store == NULL
        || pyro_catalog_change(&store->catalog, &txn, &err) != PYRO_OK)
    {
        model_fail(m, "change", store ? err.message : "open");
    }

    cut_tell(tell);
    cut_path(m, copy, path, sizeof(path));

    for ( ;; ) {
        memset(&part, 0, sizeof(part));
        snprintf(part.name, sizeof(part.name), "%.63s", copy);

        if (pyro_partition_open(&part, path, 256 * 1024 * 1024,
                                PYRO_DURABILITY_PERIODIC,
                                PYRO_ACCESS_MAKE, &err)
            != PYRO_OK)
        {
            model_fail(m, "copy", err.message);
        }

        if (part.state == PYRO_STATE_SEALED) {
            break;
        }

        pyro_partition_close(&part);
        model_sleep(1000000);
    }

    if (pyro_partition_sources(&part, list, &n) || n == 0) {
        model_fail(m, "sources", "");
    }

    for (i = 0, rc = 0; i < n; i++) {
        key = pyro_slice(bytes, pyro_key_part(bytes, part.start, list[i]));
        rc |= pyro_kv_delete(txn, store->catalog.dbi[PYRO_CONTROL_PART], key);
    }

    if (rc || pyro_catalog_put_part(&store->catalog, txn, &part)) {
        model_fail(m, "put", "");
    }

    pyro_partition_close(&part);
    cut_remove(m, source);

    if (pyro_catalog_commit(&store->catalog, txn,
                            store->catalog.generation + 1, &err)
        != PYRO_OK)
    {
        model_fail(m, "commit", err.message);
    }

    pyro_store_close(store);
    _exit(0);
}


static void
a_copy_that_is_entered_stays(void **state)
{
    int                rc, begin[2], tell[2];
    char               copy[PYRO_FILE_NAME_MAX], source[PYRO_FILE_NAME_MAX];
    pid_t              pid;
    model_t            m;
    pyro_error_t       err;
    pyro_store_t      *store;
    pyro_store_work_t  work;

    (void) state;

    store = cut_start(&m, 11);
    cut_begin(&m, store, copy);
    assert_int_equal(cut_find(&m, PYRO_STATE_SEALING, source), 0);
    assert_int_equal(pipe(begin), 0);
    assert_int_equal(pipe(tell), 0);

    pid = model_child();

    if (pid == 0) {
        cut_adopts(&m, source, copy, begin[0], tell[1]);
    }

    store = cut_open(&m);

    do {
        assert_int_equal(model_maintain(store, 1, MODEL_LATER, &work, &err),
                         PYRO_OK);

    } while (store->seal == NULL || store->seal->copy.env == NULL);

    cut_tell(begin[1]);
    cut_wait(tell[0]);

    while (store->seal->arena != NULL) {
        rc = model_maintain(store, SEC, MODEL_LATER, &work, &err);

        if (rc != PYRO_OK) {
            fail_msg("%s", err.message);
        }
    }

    assert_int_equal(waitpid(pid, &rc, 0), pid);
    model_no_failure(&m);
    assert_int_equal(rc, 0);

    model_check(&m, store, PUSHES);
    pyro_store_close(store);

    cut_check(&m, 1);
    close(begin[0]);
    close(begin[1]);
    close(tell[0]);
    close(tell[1]);
    model_end(&m);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_copy_is_gone_on_with),
        cmocka_unit_test(a_copy_of_fewer_files_goes),
        cmocka_unit_test(a_copy_without_a_list_goes),
        cmocka_unit_test(a_copy_without_sources_goes),
        cmocka_unit_test(a_file_without_anything_goes),
        cmocka_unit_test(a_mark_is_enough),
        cmocka_unit_test(a_whole_copy_is_taken_in),
        cmocka_unit_test(a_source_that_was_left_goes),
        cmocka_unit_test(without_a_catalogue),
        cmocka_unit_test(the_second_time_is_as_the_first),
        cmocka_unit_test(a_copy_is_taken_in_by_another),
        cmocka_unit_test(a_copy_that_is_entered_stays),
    };

    return unit_run(tests);
}
