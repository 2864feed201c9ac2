/*
 * Constant pools, and all stacks that can be made of them.
 *
 * The input is checkpoints, each a byte with its length before it: what comes
 * behind the flags, from the number of pools on.
 */

#include "profile_check.h"
#include "jfr_make.h"

#include "jfr/jfr_stack.h"


#define FUZZ_TYPES                                                            \
    JFR_MAKE_TYPES                                                            \
    "a.Inner:30 x:12 y:10\n"                                                  \
    "a.Outer:31 inner:30 all:30[] keys:22*[] text:13\n"                       \
    "a.Self:32 all:32[]\n"                                                    \
    "a.Nothing:33\n"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void entries(pyro_jfr_cpool_t *cpool);
static void stacks(pyro_jfr_cpool_t *cpool, pyro_arena_t *arena);


/* Each entry lies in the chunk and is found by its key. */
static void
entries(pyro_jfr_cpool_t *cpool)
{
    uint32_t            i, pool;
    pyro_slice_t        text;
    pyro_jfr_pool_t    *p;
    pyro_jfr_reader_t   r;

    for (pool = 0; pool < PYRO_JFR_POOL_COUNT; pool++) {
        p = &cpool->pools[pool];

        for (i = 0; i < p->keys.n; i++) {
            FUZZ_CHECK(p->positions[i] > PYRO_JFR_HEADER_SIZE);
            FUZZ_CHECK(p->positions[i] < cpool->md->chunk->size);
            FUZZ_CHECK(pyro_jfr_cpool_entry(cpool, pool, p->keys.keys[i])
                       == i);

            if (pool == PYRO_JFR_POOL_STRING || pool == PYRO_JFR_POOL_STATE) {
                r = pyro_jfr_cpool_reader(cpool, pool, i);
                text = pyro_jfr_cpool_string(cpool, &r);
                FUZZ_CHECK(r.bad || text.len <= 3 * cpool->md->chunk->size);
            }
        }
    }
}


static void
stacks(pyro_jfr_cpool_t *cpool, pyro_arena_t *arena)
{
    size_t              left;
    uint32_t            i, node;
    pyro_profile_t     *profile;
    pyro_jfr_report_t   report;
    pyro_jfr_stacks_t   s;

    memset(&report, 0, sizeof(report));
    left = cpool->md->chunk->size;
    profile = pyro_profile_create(arena);

    if (profile == NULL
        || pyro_jfr_stacks_init(&s, cpool, profile, &report, &left))
    {
        return;
    }

    for (i = 0; i < pyro_jfr_cpool_size(cpool, PYRO_JFR_POOL_STACK); i++) {
        node = pyro_jfr_stack(&s, i);
        FUZZ_CHECK(node >= PYRO_JFR_NO_STACK || node < profile->n_nodes);
        FUZZ_CHECK(pyro_jfr_stack(&s, i) == node);
    }

    FUZZ_CHECK(left <= cpool->md->chunk->size);
    FUZZ_CHECK(report.counters[PYRO_JFR_METHOD_MISSING]
               <= cpool->md->chunk->size);
    profile_check_stacks(profile);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    jfr_make_t            m;
    const char           *problem;
    pyro_arena_t         *arena;
    pyro_slice_t          record, all;
    pyro_jfr_chunk_t      chunk;
    pyro_jfr_cpool_t      cpool;
    pyro_jfr_layout_t     layout;
    pyro_jfr_metadata_t   md;

    jfr_make_begin(&m);
    jfr_make_metadata(&m, FUZZ_TYPES);

    do {
        record = size ? jfr_make_record(&data, &size) : pyro_slice("", 1);
        jfr_make_checkpoint(&m);
        jfr_make_bytes(&m, record.data, record.len);
        jfr_make_close(&m);
    } while (size);

    all = jfr_make_end(&m);
    arena = pyro_arena_create(64 * 1024 * 1024);

    FUZZ_CHECK(pyro_jfr_chunk_next(all, &(size_t) { 0 }, &chunk, &problem)
               == PYRO_JFR_CHUNK_OK);

    if (arena != NULL && pyro_jfr_layout_read(&layout, &chunk, arena) == 0) {
        FUZZ_CHECK(!layout.walked);
        FUZZ_CHECK(pyro_jfr_metadata_read(&md, &chunk, layout.metadata, arena)
                   == PYRO_JFR_SOUND);

        if (pyro_jfr_cpool_read(&cpool, &md, &layout, arena)
            != PYRO_JFR_NO_MEMORY)
        {
            entries(&cpool);
            stacks(&cpool, arena);
        }
    }

    pyro_arena_destroy(arena);
    free(m.data);

    return 0;
}
