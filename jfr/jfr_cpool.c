#include "jfr/jfr_cpool.h"


#define PYRO_JFR_MAX_POOLED  16384  /* bytes of a string that is referred to */


static int pyro_jfr_pool_add(pyro_jfr_cpool_t *cpool, pyro_jfr_pool_t *pool,
    uint64_t key, const uint8_t *pos);
static void pyro_jfr_pool_read(pyro_jfr_cpool_t *cpool, pyro_jfr_reader_t *r);
static void pyro_jfr_checkpoint(pyro_jfr_cpool_t *cpool, pyro_jfr_reader_t *r,
    int64_t *delta);


static const char  *pyro_jfr_pool_types[PYRO_JFR_POOL_COUNT] = {
    [PYRO_JFR_POOL_STRING] = "java.lang.String",
    [PYRO_JFR_POOL_SYMBOL] = "jdk.types.Symbol",
    [PYRO_JFR_POOL_CLASS] = "java.lang.Class",
    [PYRO_JFR_POOL_METHOD] = "jdk.types.Method",
    [PYRO_JFR_POOL_STACK] = "jdk.types.StackTrace",
    [PYRO_JFR_POOL_STATE] = "jdk.types.ThreadState",
};


static int
pyro_jfr_pool_add(pyro_jfr_cpool_t *cpool, pyro_jfr_pool_t *pool, uint64_t key,
    const uint8_t *pos)
{
    if (pyro_jfr_index_get(&pool->keys, key) != PYRO_NONE) {
        return 0;
    }

    if ((pool->n == pool->cap
         && pyro_arena_grow(cpool->arena, &pool->positions, &pool->cap,
                            (size_t) pool->n + 1, sizeof(uint32_t)))
        || pyro_jfr_index_put(&pool->keys, key, pool->n))
    {
        return -1;
    }

    pool->positions[pool->n++] = (uint32_t) (pos - cpool->md->chunk->base);

    return 0;
}


/* One pool: type, number of entries, keys and values. */
static void
pyro_jfr_pool_read(pyro_jfr_cpool_t *cpool, pyro_jfr_reader_t *r)
{
    uint32_t                i, class;
    uint64_t                n, key;
    pyro_jfr_pool_t        *pool;
    const pyro_jfr_plan_t  *plan;

    class = pyro_jfr_index_get(&cpool->md->ids, pyro_jfr_long(r));
    n = pyro_jfr_count(r);

    if (n == 0) {
        return;
    }

    if (class == PYRO_NONE || !cpool->md->classes[class].sized) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return;
    }

    pool = NULL;
    plan = &cpool->md->classes[class].plan;

    for (i = 0; i < PYRO_JFR_POOL_COUNT; i++) {
        if (cpool->pools[i].class == class) {
            pool = &cpool->pools[i];
        }
    }

    for ( /* void */ ; n && r->bad == PYRO_JFR_SOUND; n--) {
        key = pyro_jfr_long(r);

        if (pool != NULL && pyro_jfr_pool_add(cpool, pool, key, r->pos)) {
            pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
            return;
        }

        pyro_jfr_plan_run(cpool->md, plan, r, NULL);
    }
}


static void
pyro_jfr_checkpoint(pyro_jfr_cpool_t *cpool, pyro_jfr_reader_t *r,
    int64_t *delta)
{
    uint64_t  n;

    /* start, duration */

    pyro_jfr_long(r);
    pyro_jfr_long(r);

    *delta = (int64_t) pyro_jfr_long(r);
    pyro_jfr_byte(r);

    for (n = pyro_jfr_count(r); n && r->bad == PYRO_JFR_SOUND; n--) {
        pyro_jfr_pool_read(cpool, r);
    }
}


pyro_jfr_bad_e
pyro_jfr_cpool_read(pyro_jfr_cpool_t *cpool, const pyro_jfr_metadata_t *md,
    pyro_arena_t *arena)
{
    int64_t             delta, offset;
    uint32_t            i;
    uint64_t            type;
    pyro_jfr_bad_e      bad;
    pyro_jfr_reader_t   at, r;

    memset(cpool, 0, sizeof(pyro_jfr_cpool_t));

    cpool->arena = arena;
    cpool->md = md;

    for (i = 0; i < PYRO_JFR_POOL_COUNT; i++) {
        pyro_jfr_index_init(&cpool->pools[i].keys, arena);
        cpool->pools[i].class = pyro_jfr_metadata_find(md,
                                                       pyro_jfr_pool_types[i]);
    }

    bad = PYRO_JFR_SOUND;
    offset = md->chunk->checkpoint;

    for ( ;; ) {
        at = pyro_jfr_chunk_reader(md->chunk, (size_t) offset);

        if (pyro_jfr_event_head(&at, &type, &r) || type != 1) {
            return PYRO_JFR_MALFORMED;
        }

        delta = 0;
        pyro_jfr_checkpoint(cpool, &r, &delta);

        if (r.bad == PYRO_JFR_NO_MEMORY) {
            return r.bad;
        }

        /* the chain goes backwards, so it ends whatever the file says */

        if (r.bad || delta > 0 || delta < PYRO_JFR_HEADER_SIZE - offset)
        {
            bad = PYRO_JFR_MALFORMED;
        }

        if (delta >= 0 || delta < PYRO_JFR_HEADER_SIZE - offset) {
            return bad;
        }

        offset += delta;
    }
}


pyro_slice_t
pyro_jfr_cpool_string(const pyro_jfr_cpool_t *cpool, pyro_jfr_reader_t *r)
{
    uint32_t           entry;
    uint64_t           key;
    pyro_slice_t       text;
    pyro_jfr_reader_t  at;

    if (pyro_jfr_string(r, cpool->arena, &text, &key) != PYRO_JFR_KEY
        || r->bad)
    {
        return text;
    }

    entry = pyro_jfr_cpool_entry(cpool, PYRO_JFR_POOL_STRING, key);

    if (entry != PYRO_NONE) {
        at = pyro_jfr_cpool_reader(cpool, PYRO_JFR_POOL_STRING, entry);

        /* it may be decoded as often as there are events */

        if (pyro_jfr_left(&at) > PYRO_JFR_MAX_POOLED) {
            at.end = at.pos + PYRO_JFR_MAX_POOLED;
        }

        pyro_jfr_string(&at, cpool->arena, &text, &key);

        if (at.bad == PYRO_JFR_NO_MEMORY) {
            pyro_jfr_fail(r, at.bad);
        }
    }

    return text;
}
