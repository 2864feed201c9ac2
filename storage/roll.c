/*
 * The passes over a partition: how far it is rolled up, and which streams are
 * next; what is done for one stream is in roll_stream.c.
 */

#include "storage/roll.h"

#include "storage/roll_stream.h"
#include "storage/rollup.h"


#define PYRO_ROLL_STREAMS  64                       /* a transaction */
#define PYRO_ROLL_TIME     (8 * PYRO_NS_PER_MS)     /* with the lock held */
#define PYRO_ROLL_PAUSE    (20 * PYRO_NS_PER_MS)    /* at the most */
#define PYRO_ROLL_LATE     512                      /* slots of a stream */


typedef struct {
    pyro_partition_t   *part;
    pyro_error_t       *err;
    int                 done;
    int64_t             began;          /* the transaction */
    uint32_t            in;             /* streams in it */
    pyro_roll_stream_t  stream;         /* its arena lives a transaction */
} pyro_rolling_t;


static pyro_status_e pyro_roll_begin(pyro_rolling_t *r);
static pyro_status_e pyro_roll_end(pyro_rolling_t *r, pyro_status_e status);
static void pyro_roll_pause(int64_t held);
static int pyro_roll_full(const pyro_rolling_t *r);
static pyro_status_e pyro_roll_mark(pyro_rolling_t *r, uint32_t rolled,
    uint32_t rolling);
static pyro_status_e pyro_roll_streams(pyro_rolling_t *r, uint32_t id,
    uint32_t from, uint32_t to, uint32_t *next);
static pyro_status_e pyro_roll_pass(pyro_rolling_t *r, uint32_t from,
    uint32_t to);
static pyro_status_e pyro_roll_forward(pyro_rolling_t *r, uint32_t bound);
static pyro_status_e pyro_roll_take_late(pyro_rolling_t *r, uint32_t *stream,
    uint32_t **slots, uint32_t *n);
static pyro_status_e pyro_roll_again(pyro_rolling_t *r, uint32_t *stream,
    int *more);
static pyro_status_e pyro_roll_late(pyro_rolling_t *r);


pyro_status_e
pyro_roll(pyro_partition_t *part, uint32_t bound, pyro_store_work_t *work,
    int *done, pyro_error_t *err)
{
    pyro_rolling_t  r;
    pyro_status_e   status;

    memset(&r, 0, sizeof(pyro_rolling_t));

    r.part = part;
    r.err = err;
    r.done = 1;
    r.stream.work = work;

    status = pyro_roll_forward(&r, bound);

    if (status == PYRO_OK && r.done) {
        status = pyro_roll_late(&r);
    }

    *done = r.done;

    return status;
}


static pyro_status_e
pyro_roll_begin(pyro_rolling_t *r)
{
    pyro_status_e  status;

    r->in = 0;
    r->stream.view.part = r->part;
    r->stream.view.err = r->err;

    status = pyro_env_begin(r->part->env, 0, &r->stream.view.txn, r->err);
    r->began = pyro_clock_mono();

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_roll_stream_begin(&r->stream);

    if (status != PYRO_OK) {
        pyro_env_abort(r->part->env, r->stream.view.txn);
    }

    return status;
}


/* Commits, or aborts after an error, and gives the others their turn. */
static pyro_status_e
pyro_roll_end(pyro_rolling_t *r, pyro_status_e status)
{
    pyro_roll_stream_end(&r->stream);

    if (status == PYRO_OK) {
        status = pyro_env_commit(r->part->env, r->stream.view.txn, r->err);

    } else {
        pyro_env_abort(r->part->env, r->stream.view.txn);
    }

    pyro_roll_pause(pyro_clock_mono() - r->began);

    return status;
}


/*
 * LMDB's lock is not fair: who takes it again at once keeps it.  So it is left
 * alone for as long as it was held.
 */
static void
pyro_roll_pause(int64_t held)
{
    struct timespec  pause = { 0, 0 };

    pause.tv_nsec = held < PYRO_ROLL_PAUSE ? held : PYRO_ROLL_PAUSE;
    nanosleep(&pause, NULL);
}


/* Writers wait for the lock: not for long. */
static int
pyro_roll_full(const pyro_rolling_t *r)
{
    return r->in >= PYRO_ROLL_STREAMS
           || (r->in && pyro_clock_mono() - r->began >= PYRO_ROLL_TIME);
}


int
pyro_work_ends(const pyro_store_work_t *work)
{
    return (work->cancel != NULL
            && atomic_load_explicit(work->cancel, memory_order_relaxed))
           || (work->deadline && pyro_clock_mono() >= work->deadline);
}


static pyro_status_e
pyro_roll_mark(pyro_rolling_t *r, uint32_t rolled, uint32_t rolling)
{
    pyro_status_e  status;

    status = pyro_roll_begin(r);

    if (status != PYRO_OK) {
        return status;
    }

    r->stream.rolled.rolled = rolled;
    r->stream.rolled.rolling = rolling;

    return pyro_roll_end(r, pyro_rolled_write(&r->stream.view,
                                              &r->stream.rolled));
}


/* As many streams from id on as one transaction takes; *next 0: all. */
static pyro_status_e
pyro_roll_streams(pyro_rolling_t *r, uint32_t id, uint32_t from, uint32_t to,
    uint32_t *next)
{
    int            did;
    uint32_t       last;
    pyro_status_e  status;

    status = pyro_roll_begin(r);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_roll_stream_last(&r->stream, &last);

    while (status == PYRO_OK && id <= last && !pyro_roll_full(r)) {
        status = pyro_roll_stream(&r->stream, id++, from, to, &did);
        r->in += (uint32_t) did;
    }

    *next = id <= last ? id : 0;

    return pyro_roll_end(r, status);
}


/* The slots from and up to to, exclusive, which are of one hour. */
static pyro_status_e
pyro_roll_pass(pyro_rolling_t *r, uint32_t from, uint32_t to)
{
    uint32_t       id;
    pyro_status_e  status;

    status = pyro_roll_mark(r, from, to);

    for (id = 1; status == PYRO_OK && id; /* void */ ) {

        if (pyro_work_ends(r->stream.work)) {
            r->done = 0;
            return PYRO_OK;
        }

        status = pyro_roll_streams(r, id, from, to, &id);
    }

    return status == PYRO_OK ? pyro_roll_mark(r, to, to) : status;
}


static pyro_status_e
pyro_roll_forward(pyro_rolling_t *r, uint32_t bound)
{
    pyro_kv_txn_t  *txn;
    uint32_t        from, to;
    pyro_view_t     view;
    pyro_status_e   status;
    pyro_rolled_t   rolled;

    status = pyro_env_begin(r->part->env, 1, &txn, r->err);

    if (status != PYRO_OK) {
        return status;
    }

    view.part = r->part;
    view.txn = txn;
    view.err = r->err;

    status = pyro_rolled_read(&view, &rolled);
    pyro_env_abort(r->part->env, txn);

    if (bound > rolled.last + 1) {
        bound = rolled.last + 1;
    }

    from = rolled.rolled > rolled.first ? rolled.rolled : rolled.first;

    for ( /* void */ ; status == PYRO_OK && r->done && from < bound;
         from = to)
    {
        to = pyro_slot_last(PYRO_LEVEL_1H,
                            pyro_slot_at(PYRO_LEVEL_1H, from)) + 1;
        to = to < bound ? to : bound;
        status = pyro_roll_pass(r, from, to);
    }

    return status;
}


/*
 * The late slots of the first stream from *stream on that are below the mark,
 * some of them if there are very many.  PYRO_NOT_FOUND: no stream has any.
 */
static pyro_status_e
pyro_roll_take_late(pyro_rolling_t *r, uint32_t *stream, uint32_t **slots,
    uint32_t *n)
{
    uint32_t           id, slot;
    uint8_t            first[PYRO_LATE_KEY];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    *n = 0;
    *slots = pyro_arena_alloc(r->stream.arena, PYRO_ROLL_LATE
                                               * sizeof(uint32_t));

    if (*slots == NULL) {
        return pyro_error_memory(r->err);
    }

    status = pyro_view_cursor(&r->stream.view, PYRO_DB_LATE, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    key = pyro_slice(first, pyro_key_late(first, *stream, 0));
    status = pyro_view_seek(&r->stream.view, cursor, PYRO_KV_SEEK, &key,
                            &value);

    while (status == PYRO_OK && *n < PYRO_ROLL_LATE
           && key.len == PYRO_LATE_KEY)
    {
        id = pyro_get_be32((const uint8_t *) key.data);
        slot = pyro_get_be32((const uint8_t *) key.data + 4);

        if (*n && id != *stream) {
            break;
        }

        if (slot < r->stream.rolled.rolled) {
            *stream = id;
            (*slots)[(*n)++] = slot;
        }

        status = pyro_view_seek(&r->stream.view, cursor, PYRO_KV_NEXT, &key,
                                &value);
    }

    pyro_kv_cursor_close(cursor);

    if (status != PYRO_OK && status != PYRO_NOT_FOUND) {
        return status;
    }

    return *n ? PYRO_OK : PYRO_NOT_FOUND;
}


/* The late slots of as many streams as one transaction takes. */
static pyro_status_e
pyro_roll_again(pyro_rolling_t *r, uint32_t *stream, int *more)
{
    uint32_t       n, *slots;
    pyro_status_e  status;

    *more = 0;
    status = pyro_roll_begin(r);

    if (status != PYRO_OK) {
        return status;
    }

    while (status == PYRO_OK && !pyro_roll_full(r)) {
        status = pyro_roll_take_late(r, stream, &slots, &n);

        if (status != PYRO_OK) {
            break;
        }

        status = pyro_roll_stream_again(&r->stream, *stream, slots, n);
        *stream += n < PYRO_ROLL_LATE;
        r->in++;
    }

    *more = status == PYRO_OK;

    return pyro_roll_end(r, status == PYRO_NOT_FOUND ? PYRO_OK : status);
}


static pyro_status_e
pyro_roll_late(pyro_rolling_t *r)
{
    int             more;
    uint32_t        stream;
    pyro_kv_stat_t  stat;
    pyro_status_e   status;

    /* without any there is no need to commit */

    status = pyro_env_begin(r->part->env, 1, &r->stream.view.txn, r->err);

    if (status != PYRO_OK) {
        return status;
    }

    more = pyro_kv_stat(r->stream.view.txn, r->part->dbi[PYRO_DB_LATE], &stat)
           == 0
           && stat.entries;
    pyro_env_abort(r->part->env, r->stream.view.txn);

    for (stream = 0; status == PYRO_OK && more; /* void */ ) {

        if (pyro_work_ends(r->stream.work)) {
            r->done = 0;
            break;
        }

        status = pyro_roll_again(r, &stream, &more);
    }

    return status;
}
