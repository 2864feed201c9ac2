#include "storage/late.h"

#include <string.h>

#include "core/base/clock.h"


#define PYRO_LATE_KEY     "late"
#define PYRO_LATE_HOUR    (3600 * PYRO_NS_PER_SEC)
#define PYRO_LATE_BEHIND  (48 * PYRO_LATE_HOUR)
#define PYRO_LATE_AHEAD   PYRO_LATE_HOUR        /* clocks differ */


static int pyro_late_is(const pyro_catalog_t *catalog, int64_t time,
    int64_t now);
static int64_t pyro_late_get(pyro_catalog_t *catalog, pyro_kv_txn_t *txn);
static pyro_status_e pyro_late_refuse(const pyro_catalog_t *catalog,
    int64_t time, int64_t wait, pyro_error_t *err);


pyro_status_e
pyro_late_take(pyro_catalog_t *catalog, pyro_kv_txn_t *txn, int64_t time,
    int64_t now, pyro_error_t *err)
{
    int      rc;
    uint8_t  value[8];
    int64_t  full, most, share;

    if (catalog->options.max_late_partitions == 0
        || !pyro_late_is(catalog, time, now))
    {
        return PYRO_OK;
    }

    most = now + PYRO_LATE_HOUR;
    share = PYRO_LATE_HOUR / catalog->options.max_late_partitions;
    full = pyro_late_get(catalog, txn);

    /* nobody takes more than an hour's: the clock has been set back, which
     * costs an hour at the most, and begins anew if it was by more */

    full = full < now || full > most + PYRO_LATE_HOUR ? now
           : full > most ? most : full;

    if (full + share > most) {
        return pyro_late_refuse(catalog, time, full + share - most, err);
    }

    pyro_put_be64(value, (uint64_t) (full + share));

    rc = pyro_meta_put(txn, catalog->dbi[PYRO_CONTROL_META], PYRO_LATE_KEY,
                       value, sizeof(value));

    return rc ? pyro_env_error(catalog->control, rc, "be written", err)
              : PYRO_OK;
}


static int
pyro_late_is(const pyro_catalog_t *catalog, int64_t time, int64_t now)
{
    int64_t  length, start;

    length = (int64_t) catalog->options.partition * PYRO_NS_PER_SEC;
    start = time / length * length;

    return start > now + PYRO_LATE_AHEAD
           || start <= now - PYRO_LATE_BEHIND - length;
}


/* What cannot be read allows everything: the next one writes it. */
static int64_t
pyro_late_get(pyro_catalog_t *catalog, pyro_kv_txn_t *txn)
{
    pyro_slice_t  value;

    if (pyro_kv_get(txn, catalog->dbi[PYRO_CONTROL_META],
                    pyro_slice_str(PYRO_LATE_KEY), &value)
        || value.len != 8)
    {
        return 0;
    }

    return (int64_t) pyro_get_be64((const uint8_t *) value.data);
}


static pyro_status_e
pyro_late_refuse(const pyro_catalog_t *catalog, int64_t time, int64_t wait,
    pyro_error_t *err)
{
    char       date[32];
    time_t     seconds;
    struct tm  tm;

    seconds = (time_t) (time / PYRO_NS_PER_SEC);

    if (gmtime_r(&seconds, &tm) == NULL
        || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
    {
        date[0] = '\0';
    }

    wait = wait / PYRO_NS_PER_SEC + 1;

    (void) pyro_error_set(err, PYRO_EXHAUSTED, PYRO_REASON_LATE,
                          "the profile's time is %s, for which there is no "
                          "partition; lmdb.max_late_partitions allows %u new "
                          "ones an hour outside of the last 2 days, the next "
                          "one in %lld s", date,
                          catalog->options.max_late_partitions,
                          (long long) wait);

    err->retry = (uint32_t) wait;

    return PYRO_EXHAUSTED;
}
