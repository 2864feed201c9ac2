/*
 * A sealing from call to call: its transactions, its share of the processor,
 * and its end, good or bad.
 */

#include "storage/seal_job.h"

#include <stdlib.h>
#include <time.h>


#define PYRO_SEAL_SHARE  10         /* a tenth of a core */


static pyro_status_e pyro_seal_go(pyro_seal_t *job, int *done);
static pyro_status_e pyro_seal_map_once(pyro_seal_t *job);
static void pyro_seal_failed(pyro_seal_t *job, pyro_status_e status);
static int64_t pyro_seal_clock(void);


pyro_status_e
pyro_seal(pyro_store_t *store, pyro_store_work_t *work, pyro_error_t *err)
{
    int             done;
    int64_t         now, cpu;
    pyro_seal_t    *job;
    pyro_status_e   status;

    if (store->catalog.options.seal_after == 0 || work->seal_cpu == 0) {
        return PYRO_OK;
    }

    if (store->seal == NULL) {
        store->seal = calloc(1, sizeof(pyro_seal_t));

        if (store->seal == NULL) {
            return pyro_error_memory(err);
        }

        store->seal->store = store;
    }

    job = store->seal;
    job->work = work;
    job->err = err;
    now = pyro_clock_mono();
    cpu = pyro_seal_clock();
    job->cpu = cpu + work->seal_cpu;
    job->units = 0;

    done = job->arena == NULL;
    status = PYRO_OK;

    if (now >= job->resume) {
        status = pyro_seal_go(job, &done);
        job->resume = now + (pyro_seal_clock() - cpu) * PYRO_SEAL_SHARE;
    }

    if (!done && status == PYRO_OK) {
        work->more = 1;
        now = pyro_clock_mono();
        work->wait = job->resume > now ? job->resume - now : 0;
    }

    return status;
}


pyro_status_e
pyro_seal_now(pyro_store_t *store, pyro_store_work_t *work, pyro_error_t *err)
{
    if (store->seal != NULL) {
        store->seal->resume = 0;
    }

    return pyro_seal(store, work, err);
}


/* *done: there is nothing that has begun. */
static pyro_status_e
pyro_seal_go(pyro_seal_t *job, int *done)
{
    int            found;
    pyro_status_e  status;

    *done = 0;
    found = 1;
    status = PYRO_OK;

    if (job->arena == NULL) {
        status = pyro_seal_find(job, &found);

    } else if (!pyro_seal_is_wanted(job)) {
        pyro_seal_give_up(job, 1);
        return PYRO_OK;
    }

    if (status == PYRO_OK && found) {
        status = pyro_seal_tables(job, done);
    }

    if (status == PYRO_OK && *done && job->target == PYRO_STATE_SEALED) {
        status = pyro_seal_map_once(job);

        if (status == PYRO_OK) {
            status = pyro_seal_streams(job, done);
        }
    }

    if (status == PYRO_OK && *done) {
        status = pyro_seal_swap(job);
        job->work->sealed += status == PYRO_OK
                             && job->target == PYRO_STATE_SEALED;
        job->work->thinned += status == PYRO_OK
                              && job->target != PYRO_STATE_SEALED;
        *done = 0;
    }

    if (status != PYRO_OK) {
        pyro_seal_failed(job, status);
    }

    *done = !found || status != PYRO_OK;

    return status;
}


static pyro_status_e
pyro_seal_map_once(pyro_seal_t *job)
{
    pyro_status_e  status;

    if (job->mapped) {
        return PYRO_OK;
    }

    /* the next transaction reads the types that were copied */

    status = job->writing ? pyro_seal_commit(job) : PYRO_OK;

    if (status == PYRO_OK) {
        status = pyro_seal_map(job);
    }

    if (status == PYRO_OK) {
        status = pyro_seal_list(job);
    }

    job->mapped = status == PYRO_OK;

    return status;
}


/* Other partitions may do better meanwhile. */
static void
pyro_seal_failed(pyro_seal_t *job, pyro_status_e status)
{
    uint32_t  i;

    if (status == PYRO_UNPROCESSABLE) {
        job->err->status = PYRO_UNAVAILABLE;
    }

    for (i = 0; i < job->n_sources; i++) {
        job->sources[i].part->seal_retry = pyro_clock_mono()
                                           + PYRO_SEAL_RETRY;
    }

    pyro_seal_give_up(job, 1);
}


void
pyro_seal_give_up(pyro_seal_t *job, int unlink)
{
    uint32_t             i;
    pyro_level_e         level;
    pyro_seal_source_t  *source;

    if (job->writing) {
        pyro_batch_abort(&job->batch);
        pyro_arena_destroy(job->batch.arena);
        job->writing = 0;
    }

    pyro_seal_stream_end(&job->stream);

    for (i = 0; i < job->n_sources; i++) {
        source = &job->sources[i];

        for (level = PYRO_LEVEL_RAW; level < PYRO_LEVELS; level++) {
            if (source->read.cursors[level] != NULL) {
                pyro_kv_cursor_close(source->read.cursors[level]);
            }
        }

        if (source->read.view.txn != NULL) {
            pyro_env_abort(source->part->env, source->read.view.txn);
        }

        pyro_catalog_release(&job->store->catalog, source->part);
    }

    if (job->copy.env != NULL) {
        pyro_partition_close(&job->copy);

        if (unlink) {
            pyro_catalog_unlink(&job->store->catalog, job->copy.name);
        }
    }

    pyro_deflater_destroy(job->deflater);
    pyro_arena_destroy(job->arena);

    job->arena = NULL;
    job->deflater = NULL;
    job->n_sources = 0;
    memset(&job->copy, 0, sizeof(pyro_partition_t));
}


void
pyro_seal_close(pyro_store_t *store)
{
    if (store->seal != NULL) {
        pyro_seal_give_up(store->seal, 0);
        free(store->seal);
        store->seal = NULL;
    }
}


/* What was put in between is on disk, or is not there at all. */
pyro_status_e
pyro_seal_begin(pyro_seal_t *job)
{
    pyro_arena_t   *arena;
    pyro_status_e   status;

    if (job->writing) {
        return PYRO_OK;
    }

    arena = pyro_arena_create(0);

    if (arena == NULL) {
        return pyro_error_memory(job->err);
    }

    status = pyro_batch_open(&job->batch, &job->copy, arena, job->err);

    if (status != PYRO_OK) {
        pyro_arena_destroy(arena);
        return status;
    }

    job->writing = 1;
    job->bytes = 0;

    return PYRO_OK;
}


pyro_status_e
pyro_seal_commit(pyro_seal_t *job)
{
    uint8_t        next[4];
    pyro_status_e  status;

    pyro_put_be32(next, job->next);
    status = pyro_view_put(&job->batch.view, PYRO_DB_META, "sealing",
                           strlen("sealing"), next, sizeof(next));

    if (status != PYRO_OK) {
        return status;
    }

    job->writing = 0;
    status = pyro_batch_commit(&job->batch);
    pyro_arena_destroy(job->batch.arena);

    return status;
}


pyro_status_e
pyro_seal_settle(pyro_seal_t *job)
{
    return job->writing && job->bytes >= PYRO_SEAL_TRANSACTION
           ? pyro_seal_commit(job) : PYRO_OK;
}


pyro_status_e
pyro_seal_put(pyro_seal_t *job, pyro_db_e db, const void *key, size_t key_len,
    const void *value, size_t len, int append)
{
    int             rc;
    pyro_slice_t    k, v;
    pyro_kv_txn_t  *txn;
    pyro_status_e   status;

    status = pyro_seal_begin(job);

    if (status != PYRO_OK) {
        return status;
    }

    k = pyro_slice(key, key_len);
    v = pyro_slice(value, len);
    txn = job->batch.view.txn;

    rc = append ? pyro_kv_append(txn, job->copy.dbi[db], k, v)
                : pyro_kv_put(txn, job->copy.dbi[db], k, v);

    job->bytes += key_len + len;

    return rc ? pyro_env_error(job->copy.env, rc, "be written", job->err)
              : PYRO_OK;
}


int
pyro_seal_pauses(pyro_seal_t *job)
{
    return job->units++
           && (pyro_work_ends(job->work) || pyro_seal_clock() >= job->cpu);
}


static int64_t
pyro_seal_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (int64_t) ts.tv_sec * PYRO_NS_PER_SEC + ts.tv_nsec;
}
