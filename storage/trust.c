#include "storage/trust.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"


#define PYRO_TRUST_KEY    "clock"
#define PYRO_TRUST_SIZE   16
#define PYRO_TRUST_NEAR   (3600 * PYRO_NS_PER_SEC)
#define PYRO_TRUST_LONG   (24 * 3600 * PYRO_NS_PER_SEC)
#define PYRO_TRUST_WRITE  (600 * PYRO_NS_PER_SEC)


static void pyro_trust_step(pyro_trust_t *trust, int64_t wall, int64_t mono);
static void pyro_trust_believe(pyro_trust_t *trust, int64_t wall);
static void pyro_trust_read(pyro_catalog_t *catalog, pyro_trust_t *trust);
static void pyro_trust_write(pyro_catalog_t *catalog,
    const pyro_trust_t *trust);


int64_t
pyro_trust(pyro_catalog_t *catalog, pyro_trust_t *trust, int64_t wall,
    int64_t mono)
{
    int64_t  distance;

    if (trust->mono == 0) {
        trust->time = wall;
        trust->mono = mono;
        pyro_trust_read(catalog, trust);
    }

    distance = trust->distance;
    pyro_trust_step(trust, wall, mono);

    /* not each time: it costs a sync */

    if (trust->written == 0 || mono - trust->written >= PYRO_TRUST_WRITE
        || (distance == 0) != (trust->distance == 0))
    {
        trust->written = mono;
        pyro_trust_write(catalog, trust);
    }

    return trust->time < wall ? trust->time : wall;
}


static void
pyro_trust_step(pyro_trust_t *trust, int64_t wall, int64_t mono)
{
    int64_t  passed, distance;

    passed = mono > trust->mono ? mono - trust->mono : 0;

    trust->mono = mono;
    trust->time += passed;

    distance = wall - trust->time;

    if (llabs(distance) <= PYRO_TRUST_NEAR) {
        pyro_trust_believe(trust, wall);
        return;
    }

    /* how long it was off is not known to the first call of a process */

    if (trust->distance
        && llabs(distance - trust->distance) > PYRO_TRUST_NEAR)
    {
        trust->held = 0;

    } else {
        trust->held += passed;
    }

    trust->distance = distance;

    if (trust->held >= PYRO_TRUST_LONG) {
        pyro_trust_believe(trust, wall);
    }
}


static void
pyro_trust_believe(pyro_trust_t *trust, int64_t wall)
{
    trust->time = wall;
    trust->held = 0;
    trust->distance = 0;
}


/* A store that remembers nothing believes its first clock. */
static void
pyro_trust_read(pyro_catalog_t *catalog, pyro_trust_t *trust)
{
    pyro_slice_t    value;
    const uint8_t  *p;
    pyro_kv_txn_t  *txn;

    if (pyro_catalog_hold(catalog, PYRO_CONTROL_META, 0, NULL) != PYRO_OK) {
        return;
    }

    if (pyro_env_begin(catalog->control, 1, &txn, NULL) == PYRO_OK) {

        if (pyro_kv_get(txn, catalog->dbi[PYRO_CONTROL_META],
                        pyro_slice_str(PYRO_TRUST_KEY), &value) == 0
            && value.len == PYRO_TRUST_SIZE)
        {
            p = (const uint8_t *) value.data;
            trust->time = (int64_t) pyro_get_be64(p);
            trust->held = (int64_t) pyro_get_be64(p + 8);
        }

        pyro_env_abort(catalog->control, txn);
    }

    pyro_catalog_unhold(catalog);
}


/* What goes wrong here goes wrong elsewhere too, and is said there. */
static void
pyro_trust_write(pyro_catalog_t *catalog, const pyro_trust_t *trust)
{
    uint8_t         value[PYRO_TRUST_SIZE];
    pyro_kv_txn_t  *txn;

    pyro_put_be64(value, (uint64_t) trust->time);
    pyro_put_be64(value + 8, (uint64_t) trust->held);

    if (pyro_catalog_hold(catalog, PYRO_CONTROL_META, 0, NULL) != PYRO_OK) {
        return;
    }

    if (pyro_env_begin(catalog->control, 0, &txn, NULL) == PYRO_OK) {

        if (pyro_meta_put(txn, catalog->dbi[PYRO_CONTROL_META], PYRO_TRUST_KEY,
                          value, sizeof(value)))
        {
            pyro_env_abort(catalog->control, txn);

        } else {
            (void) pyro_env_commit(catalog->control, txn, NULL);
        }
    }

    pyro_catalog_unhold(catalog);
}
