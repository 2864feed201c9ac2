#include "jfr/jfr_old_leaf.h"


/* What is known of an entry. */
typedef enum {
    PYRO_JFR_OLD_UNMARKED = 0,
    PYRO_JFR_OLD_OTHER,
    PYRO_JFR_OLD_IS_NEW,            /* of a symbol: the name */
    PYRO_JFR_OLD_IS_SIGNATURE,
    PYRO_JFR_OLD_IS_NATIVE
} pyro_jfr_old_mark_e;


static pyro_jfr_old_mark_e pyro_jfr_old_mark_symbol(
    pyro_jfr_old_leaves_t *leaves);
static pyro_jfr_old_mark_e pyro_jfr_old_mark_method(
    pyro_jfr_old_leaves_t *leaves);
static pyro_jfr_old_mark_e pyro_jfr_old_mark_stack(
    pyro_jfr_old_leaves_t *leaves);
static pyro_jfr_old_mark_e pyro_jfr_old_mark_frame_type(
    pyro_jfr_old_leaves_t *leaves);
static pyro_jfr_old_mark_e pyro_jfr_old_mark(pyro_jfr_old_leaves_t *leaves,
    pyro_jfr_old_pool_e pool, uint64_t key);


static pyro_jfr_old_mark_e
pyro_jfr_old_mark_symbol(pyro_jfr_old_leaves_t *leaves)
{
    pyro_slice_t  text;

    text = pyro_jfr_old_text(leaves->pools->chunk, &leaves->values,
                             PYRO_JFR_OLD_TEXT);

    if (pyro_slice_is(text, "new")) {
        return PYRO_JFR_OLD_IS_NEW;
    }

    return pyro_slice_is(text, "()L;") ? PYRO_JFR_OLD_IS_SIGNATURE
                                       : PYRO_JFR_OLD_OTHER;
}


static pyro_jfr_old_mark_e
pyro_jfr_old_mark_method(pyro_jfr_old_leaves_t *leaves)
{
    uint64_t  name, signature;

    name = pyro_jfr_old_number(&leaves->values, PYRO_JFR_OLD_NAME);
    signature = pyro_jfr_old_number(&leaves->values, PYRO_JFR_OLD_SIGNATURE);

    return pyro_jfr_old_mark(leaves, PYRO_JFR_OLD_POOL_SYMBOL, name)
           == PYRO_JFR_OLD_IS_NEW
           && pyro_jfr_old_mark(leaves, PYRO_JFR_OLD_POOL_SYMBOL, signature)
              == PYRO_JFR_OLD_IS_SIGNATURE
           ? PYRO_JFR_OLD_IS_NEW : PYRO_JFR_OLD_OTHER;
}


static pyro_jfr_old_mark_e
pyro_jfr_old_mark_frame_type(pyro_jfr_old_leaves_t *leaves)
{
    return pyro_slice_is(pyro_jfr_old_text(leaves->pools->chunk,
                                           &leaves->values,
                                           PYRO_JFR_OLD_DESC), "Native")
           ? PYRO_JFR_OLD_IS_NATIVE : PYRO_JFR_OLD_OTHER;
}


/* By the first frame. */
static pyro_jfr_old_mark_e
pyro_jfr_old_mark_stack(pyro_jfr_old_leaves_t *leaves)
{
    uint32_t                     structure;
    uint64_t                     method, type;
    pyro_jfr_reader_t            r;
    const pyro_jfr_old_pools_t  *pools;

    pools = leaves->pools;

    if (pyro_jfr_old_array(pools->chunk, &leaves->values, PYRO_JFR_OLD_FRAMES,
                           &r, &structure) == 0)
    {
        return PYRO_JFR_OLD_OTHER;
    }

    pyro_jfr_old_values_clear(&leaves->values);
    pyro_jfr_old_values(pools->types, pools->chunk, structure, &r,
                        &leaves->values);
    method = pyro_jfr_old_number(&leaves->values, PYRO_JFR_OLD_METHOD);
    type = pyro_jfr_old_number(&leaves->values, PYRO_JFR_OLD_KIND);

    return pyro_jfr_old_mark(leaves, PYRO_JFR_OLD_POOL_FRAME_TYPE, type)
           == PYRO_JFR_OLD_IS_NATIVE
           && pyro_jfr_old_mark(leaves, PYRO_JFR_OLD_POOL_METHOD, method)
              == PYRO_JFR_OLD_IS_NEW
           ? PYRO_JFR_OLD_IS_NEW : PYRO_JFR_OLD_OTHER;
}


/* Calls itself, but as deep as pools lie behind each other: three times. */
static pyro_jfr_old_mark_e
pyro_jfr_old_mark(pyro_jfr_old_leaves_t *leaves, pyro_jfr_old_pool_e pool,
    uint64_t key)
{
    uint8_t   *mark;
    uint32_t   entry;

    entry = pyro_jfr_index_get(&leaves->pools->of[pool].keys, key);

    if (entry == PYRO_NONE) {
        return PYRO_JFR_OLD_OTHER;
    }

    mark = &leaves->marks[pool][entry];

    if (*mark != PYRO_JFR_OLD_UNMARKED) {
        return *mark;
    }

    pyro_jfr_old_pools_value(leaves->pools, pool, entry, &leaves->values);

    switch (pool) {

    case PYRO_JFR_OLD_POOL_SYMBOL:
        *mark = (uint8_t) pyro_jfr_old_mark_symbol(leaves);
        break;

    case PYRO_JFR_OLD_POOL_METHOD:
        *mark = (uint8_t) pyro_jfr_old_mark_method(leaves);
        break;

    case PYRO_JFR_OLD_POOL_STACK:
        *mark = (uint8_t) pyro_jfr_old_mark_stack(leaves);
        break;

    default:
        *mark = (uint8_t) pyro_jfr_old_mark_frame_type(leaves);
    }

    return *mark;
}


int
pyro_jfr_old_leaves_init(pyro_jfr_old_leaves_t *leaves,
    const pyro_jfr_old_pools_t *pools, pyro_arena_t *arena)
{
    uint32_t  i;

    leaves->pools = pools;

    for (i = 0; i < PYRO_JFR_OLD_POOL_NONE; i++) {
        leaves->marks[i] = pyro_arena_calloc(arena, pools->of[i].keys.n, 1);

        if (leaves->marks[i] == NULL) {
            return -1;
        }
    }

    return 0;
}


int
pyro_jfr_old_leaf_is_new(pyro_jfr_old_leaves_t *leaves, uint64_t stack)
{
    return pyro_jfr_old_mark(leaves, PYRO_JFR_OLD_POOL_STACK, stack)
           == PYRO_JFR_OLD_IS_NEW;
}
