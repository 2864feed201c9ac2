#include "core/base/rate.h"

#include <stddef.h>

#include "core/base/clock.h"


#define PYRO_RATE_PROBES  16
#define PYRO_RATE_FOREVER  (86400 * 365 * PYRO_NS_PER_SEC)


static pyro_rate_slot_t *pyro_rate_find(pyro_rates_t *rates, uint64_t owner,
    int64_t now);
static int64_t pyro_rate_due(pyro_rate_slot_t *slot, pyro_rate_kind_e kind,
    int64_t most);
static int pyro_rate_is_idle(const pyro_rate_slot_t *slot, int64_t now);
static int64_t pyro_rate_time(uint64_t n, uint64_t rate);


int64_t
pyro_rate_take(pyro_rates_t *rates, uint64_t owner, pyro_rate_kind_e kind,
    uint64_t n, uint64_t rate, uint64_t burst, int64_t now)
{
    int64_t            due, base, cost, room;
    pyro_rate_slot_t  *slot;

    if (rate == 0) {
        return 0;
    }

    if (n > burst) {
        return INT64_MAX;
    }

    slot = pyro_rate_find(rates, owner ? owner : 1, now);

    if (slot == NULL) {
        return 0;
    }

    cost = pyro_rate_time(n, rate);
    room = pyro_rate_time(burst, rate);
    due = pyro_rate_due(slot, kind, now + room);

    do {
        base = due > now ? due : now;

        if (base - now > room - cost) {
            return base - now - (room - cost);
        }

    } while (!atomic_compare_exchange_weak_explicit(&slot->due[kind], &due,
                                                    base + cost,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed));

    return 0;
}


/* The owner's, or one that nobody needs: a full bucket is as good as none. */
static pyro_rate_slot_t *
pyro_rate_find(pyro_rates_t *rates, uint64_t owner, int64_t now)
{
    uint32_t           i;
    uint64_t           found;
    pyro_rate_slot_t  *slot;

    for (i = 0; i < PYRO_RATE_PROBES; i++) {
        slot = &rates->slots[(owner + i) % PYRO_RATE_SLOTS];

        if (atomic_load_explicit(&slot->owner, memory_order_relaxed) == owner)
        {
            return slot;
        }
    }

    for (i = 0; i < PYRO_RATE_PROBES; i++) {
        slot = &rates->slots[(owner + i) % PYRO_RATE_SLOTS];
        found = atomic_load_explicit(&slot->owner, memory_order_relaxed);

        if (found && !pyro_rate_is_idle(slot, now)) {
            continue;
        }

        if (atomic_compare_exchange_strong_explicit(&slot->owner, &found,
                                                    owner,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed)
            || found == owner)
        {
            return slot;
        }
    }

    return NULL;
}


/* Under a limit that was lower before a reload more was owed than a bucket
 * holds now: it is empty, and fills from here on. */
static int64_t
pyro_rate_due(pyro_rate_slot_t *slot, pyro_rate_kind_e kind, int64_t most)
{
    int64_t  due;

    due = atomic_load_explicit(&slot->due[kind], memory_order_relaxed);

    while (due > most) {
        if (atomic_compare_exchange_weak_explicit(&slot->due[kind], &due, most,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed))
        {
            return most;
        }
    }

    return due;
}


static int
pyro_rate_is_idle(const pyro_rate_slot_t *slot, int64_t now)
{
    int  kind;

    for (kind = 0; kind < PYRO_RATE_KINDS; kind++) {
        if (atomic_load_explicit(&slot->due[kind], memory_order_relaxed) > now)
        {
            return 0;
        }
    }

    return 1;
}


/* ns that n takes to come; a year at most. */
static int64_t
pyro_rate_time(uint64_t n, uint64_t rate)
{
    uint64_t  seconds;

    seconds = n / rate;

    if (seconds >= PYRO_RATE_FOREVER / PYRO_NS_PER_SEC) {
        return PYRO_RATE_FOREVER;
    }

    return (int64_t) seconds * PYRO_NS_PER_SEC
           + (int64_t) ((unsigned __int128) (n % rate) * PYRO_NS_PER_SEC
                        / rate);
}
