#include "jfr/jfr_old_pool.h"


#define PYRO_JFR_OLD_CHECKPOINT       1
#define PYRO_JFR_OLD_CHECKPOINT_HEAD  24    /* size, type, ticks, before */


static int pyro_jfr_old_enter(pyro_jfr_old_entries_t *pool, uint64_t key,
    const pyro_jfr_chunk_t *chunk, const uint8_t *pos);
static void pyro_jfr_old_locate(pyro_jfr_old_pools_t *pools,
    const pyro_jfr_old_content_t *content, uint64_t n, pyro_jfr_reader_t *r);
static void pyro_jfr_old_checkpoint(pyro_jfr_old_pools_t *pools,
    pyro_jfr_reader_t *r);


/* The first of a key counts: checkpoints are read from the last one. */
static int
pyro_jfr_old_enter(pyro_jfr_old_entries_t *pool, uint64_t key,
    const pyro_jfr_chunk_t *chunk, const uint8_t *pos)
{
    int       is_new;
    uint32_t  entry;

    entry = pyro_jfr_index_enter(&pool->keys, key, &is_new);

    if (entry == PYRO_NONE
        || pyro_arena_grow(pool->keys.arena, &pool->positions, &pool->cap,
                           (size_t) entry + 1, sizeof(uint32_t)))
    {
        return -1;
    }

    if (is_new) {
        pool->positions[entry] = (uint32_t) (pos - chunk->base);
    }

    return 0;
}


/* n entries of a pool: where those that are wanted lie. */
static void
pyro_jfr_old_locate(pyro_jfr_old_pools_t *pools,
    const pyro_jfr_old_content_t *content, uint64_t n, pyro_jfr_reader_t *r)
{
    uint64_t                         key;
    const uint8_t                   *pos;
    pyro_jfr_old_entries_t          *pool;
    const pyro_jfr_old_structure_t  *s;

    s = pyro_jfr_old_structure(pools->types, content->structure);
    pool = content->pool == PYRO_JFR_OLD_POOL_NONE
           ? NULL : &pools->of[content->pool];

    for ( /* void */ ; n && r->bad == PYRO_JFR_SOUND; n--) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        key = pyro_jfr_old_integer(r, content->key);
        pos = r->pos;

        /* with the key there is something, whatever the value is */

        if (s == NULL || s->shape != PYRO_JFR_OLD_NOTHING) {
            pyro_jfr_old_skip(pools->types, content->structure, 1, r);
        }

        if (r->bad == PYRO_JFR_SOUND && pool != NULL
            && pyro_jfr_old_enter(pool, key, pools->chunk, pos))
        {
            pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
        }
    }
}


/* The pools up to the event's end. */
static void
pyro_jfr_old_checkpoint(pyro_jfr_old_pools_t *pools, pyro_jfr_reader_t *r)
{
    uint32_t  id, n, content;

    while (r->pos != r->end) {
        id = (uint32_t) pyro_jfr_fixed(r, 4);
        n = (uint32_t) pyro_jfr_fixed(r, 4);

        if (n == 0) {
            continue;
        }

        /* what is not described has no end that could be found */

        content = pyro_jfr_index_get(&pools->types->content_ids, id);

        if (content == PYRO_NONE) {
            pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
            return;
        }

        pyro_jfr_old_locate(pools, &pools->types->contents[content], n, r);
    }
}


/*
 * From the last checkpoint to the one before: each ends at or before the start
 * of the one that names it, so the chain has an end, and no byte is in two.
 */
pyro_jfr_bad_e
pyro_jfr_old_pools_read(pyro_jfr_old_pools_t *pools,
    const pyro_jfr_old_types_t *types, const pyro_jfr_chunk_t *chunk,
    pyro_arena_t *arena)
{
    uint32_t            i;
    uint64_t            offset, before, end, size, type;
    pyro_jfr_bad_e      bad;
    pyro_jfr_reader_t   r;

    pools->types = types;
    pools->chunk = chunk;

    for (i = 0; i < PYRO_JFR_OLD_POOL_NONE; i++) {
        memset(&pools->of[i], 0, sizeof(pyro_jfr_old_entries_t));
        pyro_jfr_index_init(&pools->of[i].keys, arena);
    }

    bad = PYRO_JFR_SOUND;
    end = chunk->metadata;

    for (offset = types->checkpoint; offset; offset = before) {
        if (offset < PYRO_JFR_OLD_HEADER_SIZE || offset > end) {
            return PYRO_JFR_MALFORMED;
        }

        r = pyro_jfr_old_reader(chunk, offset, end);
        size = pyro_jfr_fixed(&r, 4);
        type = pyro_jfr_fixed(&r, 4);
        pyro_jfr_fixed(&r, 8);
        before = pyro_jfr_fixed(&r, 8);

        if (r.bad || type != PYRO_JFR_OLD_CHECKPOINT
            || size < PYRO_JFR_OLD_CHECKPOINT_HEAD || size > end - offset)
        {
            return PYRO_JFR_MALFORMED;
        }

        r.end = chunk->base + offset + size;
        pyro_jfr_old_checkpoint(pools, &r);

        if (r.bad == PYRO_JFR_NO_MEMORY) {
            return r.bad;
        }

        bad = r.bad ? r.bad : bad;
        end = offset;
    }

    return bad;
}


void
pyro_jfr_old_pools_value(const pyro_jfr_old_pools_t *pools,
    pyro_jfr_old_pool_e pool, uint32_t entry, pyro_jfr_old_values_t *values)
{
    uint32_t           structure;
    pyro_jfr_reader_t  r;

    structure = pools->types->contents[pools->types->by_pool[pool]].structure;
    r = pyro_jfr_old_reader(pools->chunk, pools->of[pool].positions[entry],
                            pools->chunk->metadata);

    pyro_jfr_old_values_clear(values);
    pyro_jfr_old_values(pools->types, pools->chunk, structure, &r, values);
}
