#include "core/base/tally.h"

#include <string.h>

#include "core/base/hash.h"
#include "core/base/robust.h"
#include "core/base/utf8.h"


static pyro_tally_row_t *pyro_tally_find(pyro_tally_t *tally, uint64_t hash,
    pyro_slice_t tenant, pyro_slice_t name, uint32_t *at);
static pyro_tally_row_t *pyro_tally_enter(pyro_tally_t *tally, uint64_t hash,
    pyro_slice_t tenant, pyro_slice_t name);
static pyro_tally_row_t *pyro_tally_put(pyro_tally_t *tally, uint64_t hash,
    pyro_slice_t tenant, pyro_slice_t name, uint32_t at);


int
pyro_tally_init(pyro_tally_t *tally)
{
    return pyro_robust_init(&tally->mutex) == 0 ? 0 : -1;
}


void
pyro_tally_add(pyro_tally_t *tally, pyro_slice_t tenant, pyro_slice_t name,
    const uint64_t sums[PYRO_TALLY_SUMS], int make, int64_t now)
{
    int                i;
    char               text[PYRO_TALLY_NAME];
    uint32_t           at;
    uint64_t           hash;
    pyro_tally_row_t  *row;

    row = &tally->rest;

    if (name.len <= PYRO_TALLY_NAME && tenant.len <= PYRO_TENANT_MAX) {
        name = pyro_slice(text, pyro_utf8_clean(text, sizeof(text), name.data,
                                                name.len));
        hash = pyro_hash64(name.data, name.len,
                           pyro_hash64(tenant.data, tenant.len, 0));
        hash += hash == 0;

        row = pyro_tally_find(tally, hash, tenant, name, &at);

        if (row == NULL) {
            row = make ? pyro_tally_enter(tally, hash, tenant, name)
                       : &tally->rest;
        }
    }

    for (i = 0; i < PYRO_TALLY_SUMS; i++) {
        atomic_fetch_add_explicit(&row->sums[i], sums[i],
                                  memory_order_relaxed);
    }

    if (make) {
        atomic_store_explicit(&row->last, now, memory_order_relaxed);
    }
}


/* NULL: it has none; *at is where its hash belongs. */
static pyro_tally_row_t *
pyro_tally_find(pyro_tally_t *tally, uint64_t hash, pyro_slice_t tenant,
    pyro_slice_t name, uint32_t *at)
{
    uint32_t           i;
    uint64_t           found;
    pyro_tally_row_t  *row;

    for (i = hash % PYRO_TALLY_HASH; /* void */ ;
         i = (i + 1) % PYRO_TALLY_HASH)
    {
        found = atomic_load_explicit(&tally->hashes[i], memory_order_acquire);

        if (found == 0) {
            *at = i;
            return NULL;
        }

        row = &tally->rows[tally->ids[i]];

        if (found == hash
            && pyro_slice_eq(pyro_slice(row->name, row->name_len), name)
            && pyro_slice_eq(pyro_slice(row->tenant, row->tenant_len),
                             tenant))
        {
            return row;
        }
    }
}


/* The row, which somebody else may have made meanwhile, or the rest's. */
static pyro_tally_row_t *
pyro_tally_enter(pyro_tally_t *tally, uint64_t hash, pyro_slice_t tenant,
    pyro_slice_t name)
{
    uint32_t           at;
    pyro_tally_row_t  *row;

    if (pyro_tally_rows(tally) == PYRO_TALLY_ROWS) {
        return &tally->rest;
    }

    if (pyro_robust_lock(&tally->mutex) != 0) {
        return &tally->rest;
    }

    row = pyro_tally_find(tally, hash, tenant, name, &at);

    if (row == NULL) {
        row = pyro_tally_put(tally, hash, tenant, name, at);
    }

    pthread_mutex_unlock(&tally->mutex);

    return row;
}


/*
 * Under the mutex.  Killed between the two last steps it leaves a hash whose
 * row the next name takes; the other way round it would leave a row that is
 * shown, and another of the same name.
 */
static pyro_tally_row_t *
pyro_tally_put(pyro_tally_t *tally, uint64_t hash, pyro_slice_t tenant,
    pyro_slice_t name, uint32_t at)
{
    uint32_t           n;
    pyro_tally_row_t  *row;

    n = pyro_tally_rows(tally);

    if (n == PYRO_TALLY_ROWS) {
        return &tally->rest;
    }

    row = &tally->rows[n];

    memset(row, 0, sizeof(pyro_tally_row_t));
    memcpy(row->tenant, tenant.data, tenant.len);
    memcpy(row->name, name.data, name.len);
    row->tenant_len = (uint32_t) tenant.len;
    row->name_len = (uint32_t) name.len;

    tally->ids[at] = n;

    atomic_store_explicit(&tally->hashes[at], hash, memory_order_release);
    atomic_store_explicit(&tally->n, n + 1, memory_order_release);

    return row;
}
