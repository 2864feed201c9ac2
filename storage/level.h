/*
 * The levels of roll-ups, and their slots of time.
 *
 * Slot i of a level of length L has the profiles whose time in whole
 * milliseconds, t, is in (i - 1) × L < t <= i × L: as the points of a time line
 * take them (core/query/series.h), so that a line's steps are sums of slots.
 * Slots count from the epoch and nest: twelve of five minutes make an hour,
 * twenty-four hours a day.  A partition has those parts of its first and last
 * slots that lie inside of it; the neighbours have the rest.
 *
 * Times are nanoseconds since the epoch, not below 0.
 */

#ifndef _PYRO_LEVEL_H_INCLUDED_
#define _PYRO_LEVEL_H_INCLUDED_


#include "core/base/clock.h"
#include "storage/partition.h"


typedef enum {
    PYRO_LEVEL_RAW = 0,
    PYRO_LEVEL_5M,
    PYRO_LEVEL_1H,
    PYRO_LEVEL_1D,
    PYRO_LEVELS
} pyro_level_e;


#define PYRO_SLOT          (300 * PYRO_NS_PER_SEC)
#define PYRO_SLOTS_HOUR    12
#define PYRO_SLOTS_DAY     288
#define PYRO_HOURS_DAY     24


/* The database of a level. */
static inline pyro_db_e
pyro_level_db(pyro_level_e level)
{
    return level == PYRO_LEVEL_5M ? PYRO_DB_R5M
           : level == PYRO_LEVEL_1H ? PYRO_DB_R1H
           : level == PYRO_LEVEL_1D ? PYRO_DB_R1D : PYRO_DB_RAW;
}


/* Slots of five minutes in one of a level. */
static inline uint32_t
pyro_level_slots(pyro_level_e level)
{
    return level == PYRO_LEVEL_1D ? PYRO_SLOTS_DAY
           : level == PYRO_LEVEL_1H ? PYRO_SLOTS_HOUR : 1;
}


/* The slot of five minutes that a time is in. */
static inline uint32_t
pyro_slot(int64_t time)
{
    return (uint32_t) (((uint64_t) time + PYRO_SLOT - PYRO_NS_PER_MS)
                       / PYRO_SLOT);
}


/* Where it begins. */
static inline int64_t
pyro_slot_start(uint32_t slot)
{
    return slot ? (int64_t) (slot - 1) * PYRO_SLOT + PYRO_NS_PER_MS : 0;
}


/* Behind its end. */
static inline int64_t
pyro_slot_end(uint32_t slot)
{
    return (int64_t) slot * PYRO_SLOT + PYRO_NS_PER_MS;
}


/* The slot of a level that a slot of five minutes is in. */
static inline uint32_t
pyro_slot_at(pyro_level_e level, uint32_t slot)
{
    uint32_t  n;

    n = pyro_level_slots(level);

    return (slot + n - 1) / n;
}


/* The slots of five minutes in a slot of a level: the first and the last. */
static inline uint32_t
pyro_slot_first(pyro_level_e level, uint32_t slot)
{
    return slot ? (slot - 1) * pyro_level_slots(level) + 1 : 0;
}


static inline uint32_t
pyro_slot_last(pyro_level_e level, uint32_t slot)
{
    return slot * pyro_level_slots(level);
}


/* The slot of a day that one of an hour is in, and its number there, from 0. */
static inline uint32_t
pyro_hour_day(uint32_t hour)
{
    return (hour + PYRO_HOURS_DAY - 1) / PYRO_HOURS_DAY;
}


static inline uint32_t
pyro_hour_of_day(uint32_t hour)
{
    return (hour + PYRO_HOURS_DAY - 1) % PYRO_HOURS_DAY;
}


/* How far a partition is rolled up, as its meta has it. */
typedef struct {
    uint32_t  first;            /* slots of five minutes of the partition */
    uint32_t  last;
    uint32_t  rolled;           /* slots below it are */
    uint32_t  rolling;          /* slots below it may be: it is being done */
} pyro_rolled_t;


/* The slots of five minutes in a slot of a level that the partition has. */
static inline void
pyro_rolled_span(const pyro_rolled_t *rolled, pyro_level_e level,
    uint32_t slot, uint32_t *first, uint32_t *last)
{
    *first = pyro_slot_first(level, slot);
    *last = pyro_slot_last(level, slot);

    *first = *first > rolled->first ? *first : rolled->first;
    *last = *last < rolled->last ? *last : rolled->last;
}


/* The finest level that a partition has. */
static inline pyro_level_e
pyro_level_kept(const pyro_partition_t *part)
{
    return part->thinned == 2 ? PYRO_LEVEL_1D
           : part->thinned ? PYRO_LEVEL_1H : PYRO_LEVEL_RAW;
}


/* What the partition says in the view's snapshot. */
pyro_status_e pyro_rolled_read(const pyro_view_t *view, pyro_rolled_t *rolled);

pyro_status_e pyro_rolled_write(const pyro_view_t *view,
    const pyro_rolled_t *rolled);

/* 1 if a slot of a level is complete, as far as the partition has it. */
static inline int
pyro_rolled_has(const pyro_rolled_t *rolled, pyro_level_e level, uint32_t slot)
{
    uint32_t  first, last;

    pyro_rolled_span(rolled, level, slot, &first, &last);

    return last < rolled->rolled;
}


#endif /* _PYRO_LEVEL_H_INCLUDED_ */
