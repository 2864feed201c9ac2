#include "jfr/jfr_cpool.h"


/* Bytes that an entry takes at the least, as far as room is made for it. */
#define PYRO_JFR_LEAST_ENTRY  4


static int pyro_jfr_pool_reserve(pyro_jfr_pool_t *pool, uint64_t n,
    const pyro_jfr_reader_t *r);
static int pyro_jfr_pool_add(pyro_jfr_cpool_t *cpool, pyro_jfr_pool_t *pool,
    uint64_t key, const uint8_t *pos);
static void pyro_jfr_pool_read(pyro_jfr_cpool_t *cpool, pyro_jfr_reader_t *r);
static void pyro_jfr_checkpoint(pyro_jfr_cpool_t *cpool,
    pyro_jfr_reader_t *r);


static const pyro_jfr_word_e  pyro_jfr_pool_types[PYRO_JFR_POOL_COUNT] = {
    [PYRO_JFR_POOL_STRING] = PYRO_JFR_WORD_JAVA_LANG_STRING,
    [PYRO_JFR_POOL_SYMBOL] = PYRO_JFR_WORD_JDK_TYPES_SYMBOL,
    [PYRO_JFR_POOL_CLASS] = PYRO_JFR_WORD_JAVA_LANG_CLASS,
    [PYRO_JFR_POOL_METHOD] = PYRO_JFR_WORD_JDK_TYPES_METHOD,
    [PYRO_JFR_POOL_STACK] = PYRO_JFR_WORD_JDK_TYPES_STACK_TRACE,
    [PYRO_JFR_POOL_STATE] = PYRO_JFR_WORD_JDK_TYPES_THREAD_STATE,
};


/* Room for n more entries, but for no more than can be there. */
static int
pyro_jfr_pool_reserve(pyro_jfr_pool_t *pool, uint64_t n,
    const pyro_jfr_reader_t *r)
{
    if (n > pyro_jfr_left(r) / PYRO_JFR_LEAST_ENTRY) {
        n = pyro_jfr_left(r) / PYRO_JFR_LEAST_ENTRY;
    }

    n += pool->keys.n;

    return pyro_jfr_index_reserve(&pool->keys, n)
           || pyro_arena_grow(pool->keys.arena, &pool->positions, &pool->cap,
                              (size_t) n, sizeof(uint32_t));
}


static int
pyro_jfr_pool_add(pyro_jfr_cpool_t *cpool, pyro_jfr_pool_t *pool, uint64_t key,
    const uint8_t *pos)
{
    int       is_new;
    uint32_t  entry;

    entry = pyro_jfr_index_enter(&pool->keys, key, &is_new);

    if (entry == PYRO_NONE
        || pyro_arena_grow(cpool->arena, &pool->positions, &pool->cap,
                           (size_t) entry + 1, sizeof(uint32_t)))
    {
        return -1;
    }

    if (is_new) {
        pool->positions[entry] = (uint32_t) (pos - cpool->md->chunk->base);
    }

    return 0;
}


/* One pool: type, number of entries, keys and values. */
static void
pyro_jfr_pool_read(pyro_jfr_cpool_t *cpool, pyro_jfr_reader_t *r)
{
    int                     text;
    uint32_t                i, class;
    uint64_t                n, key;
    const uint8_t          *pos;
    pyro_jfr_pool_t        *pool;
    const pyro_jfr_plan_t  *plan;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);
    class = pyro_jfr_index_get(&cpool->md->ids, pyro_jfr_long(r));
    n = pyro_jfr_count(r);

    if (n == 0) {
        return;
    }

    if (class == PYRO_NONE || !pyro_jfr_class_is_sized(cpool->md, class)) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return;
    }

    pool = NULL;
    plan = pyro_jfr_class_skip(cpool->md, class);
    text = plan != NULL && pyro_jfr_plan_is_string(plan);

    for (i = 0; i < PYRO_JFR_POOL_COUNT; i++) {
        if (cpool->pools[i].class == class) {
            pool = &cpool->pools[i];
        }
    }

    if (plan == NULL
        || (pool != NULL && pyro_jfr_pool_reserve(pool, n, r)))
    {
        pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
        return;
    }

    for ( /* void */ ; n; n--) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        key = pyro_jfr_long(r);
        pos = r->pos;

        if (text) {
            pyro_jfr_skip_string(r);

        } else {
            pyro_jfr_plan_run(cpool->md, plan, r, NULL);
        }

        if (r->bad) {
            return;
        }

        if (pool != NULL && pyro_jfr_pool_add(cpool, pool, key, pos)) {
            pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
            return;
        }
    }
}


static void
pyro_jfr_checkpoint(pyro_jfr_cpool_t *cpool, pyro_jfr_reader_t *r)
{
    uint64_t  n;

    /* start, duration, the way to the one before, flags */

    pyro_jfr_long(r);
    pyro_jfr_long(r);
    pyro_jfr_long(r);
    pyro_jfr_byte(r);

    for (n = pyro_jfr_count(r); n && r->bad == PYRO_JFR_SOUND; n--) {
        pyro_jfr_pool_read(cpool, r);
    }
}


pyro_jfr_bad_e
pyro_jfr_cpool_read(pyro_jfr_cpool_t *cpool, pyro_jfr_metadata_t *md,
    const pyro_jfr_layout_t *layout, pyro_arena_t *arena)
{
    uint32_t            i;
    uint64_t            type;
    pyro_jfr_bad_e      bad;
    pyro_jfr_reader_t   at, r;

    PYRO_COUNT_MOVED(sizeof(pyro_jfr_cpool_t));
    memset(cpool, 0, sizeof(pyro_jfr_cpool_t));

    cpool->arena = arena;
    cpool->md = md;

    for (i = 0; i < PYRO_JFR_POOL_COUNT; i++) {
        pyro_jfr_index_init(&cpool->pools[i].keys, arena);
        cpool->pools[i].class = pyro_jfr_metadata_find(md,
                                                       pyro_jfr_pool_types[i]);
    }

    bad = PYRO_JFR_SOUND;

    for (i = 0; i < layout->n_checkpoints; i++) {
        at = pyro_jfr_chunk_reader(md->chunk, layout->checkpoints[i]);

        if (pyro_jfr_event_head(&at, &type, &r)) {
            bad = PYRO_JFR_MALFORMED;
            continue;
        }

        pyro_jfr_checkpoint(cpool, &r);

        if (r.bad == PYRO_JFR_NO_MEMORY) {
            return r.bad;
        }

        bad = r.bad ? r.bad : bad;
    }

    return bad;
}


pyro_slice_t
pyro_jfr_cpool_string(pyro_jfr_cpool_t *cpool, pyro_jfr_reader_t *r)
{
    uint32_t           n, entry;
    uint64_t           key;
    pyro_slice_t       text;
    pyro_jfr_reader_t  at;

    if (pyro_jfr_string(r, cpool->arena, &text, &key) != PYRO_JFR_KEY
        || r->bad)
    {
        return text;
    }

    entry = pyro_jfr_cpool_entry(cpool, PYRO_JFR_POOL_STRING, key);

    if (entry == PYRO_NONE) {
        return text;
    }

    if (cpool->texts == NULL) {
        n = pyro_jfr_cpool_size(cpool, PYRO_JFR_POOL_STRING);
        cpool->texts = pyro_arena_calloc(cpool->arena, n,
                                         sizeof(pyro_slice_t));
    }

    if (cpool->texts == NULL) {
        pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
        return text;
    }

    /* decoded once, though there may be as many events that refer to it */

    if (cpool->texts[entry].data == NULL) {
        at = pyro_jfr_cpool_reader(cpool, PYRO_JFR_POOL_STRING, entry);
        pyro_jfr_string(&at, cpool->arena, &cpool->texts[entry], &key);

        if (at.bad) {
            cpool->texts[entry] = pyro_slice("", 0);
        }

        if (at.bad == PYRO_JFR_NO_MEMORY) {
            pyro_jfr_fail(r, at.bad);
        }
    }

    return cpool->texts[entry];
}
