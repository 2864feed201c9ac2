/*
 * How a query reads one stream of a partition: its range, cut into push records
 * at the edges and the coarsest roll-ups that lie inside of it wholly.  Answers
 * are the same as from push records alone, value for value: a slot is taken
 * only if it is rolled up to its end and nothing late is noted in it.
 *
 * Of a thinned partition slots of its finest level are taken as a whole: those
 * whose last moment is in the range, so that ranges side by side have each of
 * them once.
 *
 * A plan is made when its stream is begun and holds to its end, also when the
 * snapshot moves on: what was rolled up stays, and a push that comes meanwhile
 * may be seen or not.
 */

#ifndef _PYRO_PLAN_H_INCLUDED_
#define _PYRO_PLAN_H_INCLUDED_


#include "storage/level.h"
#include "storage/reader.h"


typedef struct {
    pyro_level_e     level;
    int64_t          start;         /* RAW: ns, both included */
    int64_t          end;
    uint32_t         from;          /* else: slots of the level, both */
    uint32_t         to;
} pyro_segment_t;


/* Made once a partition, used for each stream. */
typedef struct {
    pyro_rolled_t    rolled;
    int              late;          /* some stream has something late */
    int64_t          start;         /* the range, in the partition; may be */
    int64_t          end;           /* nothing, then start is above end */
    uint32_t         from;          /* slots inside of it that are rolled up */
    uint32_t         to;            /* exclusive */

    uint32_t        *dirty;         /* late slots of the stream, ascending */
    uint32_t         n_dirty;
    uint32_t         cap_dirty;
    pyro_segment_t  *items;
    uint32_t         n;
    uint32_t         cap;
} pyro_plan_read_t;


/* For a partition; in the query's arena. */
pyro_status_e pyro_plan_begin(pyro_read_t *read, pyro_plan_read_t *plan);

/*
 * From here on it is push records alone: no segment is a roll-up.  -1: the
 * partition has none any more, or none of the range.
 */
int pyro_plan_pushes(const pyro_read_t *read, pyro_plan_read_t *plan);

/* The late slots of a stream that are in the plan's range. */
pyro_status_e pyro_plan_dirty(pyro_read_t *read, pyro_plan_read_t *plan,
    uint32_t stream);

/* The segments of a stream, in order of time. */
pyro_status_e pyro_plan_stream(pyro_read_t *read, pyro_plan_read_t *plan,
    uint32_t stream);


#endif /* _PYRO_PLAN_H_INCLUDED_ */
