/*
 * The roll-ups of one stream, inside of a write transaction: slots of five
 * minutes from its push records, hours from those, days from hours, and the
 * totals beside them.
 *
 * One thread; memory is an arena's that lives as long as the transaction.
 */

#ifndef _PYRO_ROLL_STREAM_H_INCLUDED_
#define _PYRO_ROLL_STREAM_H_INCLUDED_


#include "storage/roll.h"
#include "storage/rollup.h"


/* What is gathered of one type of the stream at hand. */
typedef struct {
    uint32_t             ptype;
    pyro_rollup_sum_t    sum;
    pyro_total_list_t    totals;
} pyro_roll_type_t;


typedef struct {
    pyro_view_t          view;
    pyro_store_work_t   *work;
    pyro_arena_t        *arena;
    pyro_rolled_t        rolled;

    uint32_t             stream;        /* the one at hand */
    pyro_roll_type_t    *types;
    uint32_t             n_types;
    uint32_t             cap_types;
    pyro_total_list_t    known;         /* of an hour's record */
} pyro_roll_stream_t;


/* The view has its transaction. */
pyro_status_e pyro_roll_stream_begin(pyro_roll_stream_t *s);
void pyro_roll_stream_end(pyro_roll_stream_t *s);

/* The last stream that the partition has. */
pyro_status_e pyro_roll_stream_last(pyro_roll_stream_t *s, uint32_t *last);

/*
 * Slots from, up to to, exclusive, all of one hour; then the hour and the day
 * if they are complete with them.  *did: there was something to do.
 */
pyro_status_e pyro_roll_stream(pyro_roll_stream_t *s, uint32_t id,
    uint32_t from, uint32_t to, int *did);

/* Late slots, ascending, and what they are part of; then they are not late
 * any more. */
pyro_status_e pyro_roll_stream_again(pyro_roll_stream_t *s, uint32_t id,
    const uint32_t *slots, uint32_t n);


#endif /* _PYRO_ROLL_STREAM_H_INCLUDED_ */
