/*
 * A query's view of one partition: a read transaction that is renewed every
 * 20 ms, so that a long query does not keep the writer from reusing pages; the
 * poll of its cancel flag and deadline; and the walk over a stream's records.
 *
 * One thread.  Records never change, so moving to a newer snapshot between two
 * of them only shows more of them.  Nothing from the map may be kept across
 * pyro_read_poll() or pyro_scan_next().
 */

#ifndef _PYRO_READER_H_INCLUDED_
#define _PYRO_READER_H_INCLUDED_


#include "storage/handle.h"
#include "storage/ptypes.h"
#include "storage/rollup.h"
#include "storage/sealed_hour.h"


typedef struct {
    pyro_store_t              *store;
    const pyro_store_query_t  *query;
    pyro_view_t                view;
    pyro_kv_cursor_t          *cursors[PYRO_LEVELS];    /* as needed */
    uint32_t                   tenant;
    pyro_ptypes_t              ptypes;
    pyro_labels_t             *type_labels; /* by ptype - 1: what types own */
    int64_t                    renewed;     /* pyro_clock_mono() */
    uint32_t                   ticks;
    uint32_t                   snapshot;    /* counts renewals */

    /* of a sealed partition: room for pushes, and for sums */
    pyro_sealed_hour_room_t    pushes;
    pyro_sealed_hour_room_t    sums;
} pyro_read_t;


/* Where a walk over a level's database stands. */
typedef struct {
    pyro_level_e               level;
    int                        started;
    uint32_t                   snapshot;
    size_t                     len;
    uint8_t                    key[PYRO_RAW_KEY];
} pyro_place_t;


/* Where a walk over the hours of a sealed partition stands. */
typedef struct {
    uint32_t                   hour;        /* the next one */
    uint32_t                   last;
    uint32_t                   from;        /* slots of five minutes, both */
    uint32_t                   to;
    uint32_t                   next;        /* slot of the hour, or push */
} pyro_sealed_place_t;


/*
 * The records of one stream, from start to end (ns, both included).  Of a
 * sealed partition one at a time is walked over: pushes have one room.
 */
typedef struct {
    pyro_read_t               *read;
    uint32_t                   stream;
    int64_t                    start;
    int64_t                    end;
    pyro_place_t               place;
    pyro_sealed_place_t        sealed;
    pyro_raw_key_t             key;         /* of the record */
    int64_t                    time;
    pyro_slice_t               value;       /* its bytes */
    pyro_record_t              record;
} pyro_scan_t;


/* The roll-ups of one stream and type, slots from and to included. */
typedef struct {
    pyro_read_t               *read;
    pyro_place_t               place;
    pyro_sealed_place_t        sealed;
    uint32_t                   stream;
    uint32_t                   ptype;
    uint8_t                    end[PYRO_ROLLUP_KEY];
    uint32_t                   slot;        /* of the record */
    pyro_rollup_t              rollup;
} pyro_rollup_scan_t;


typedef pyro_status_e (*pyro_read_pt)(pyro_read_t *read, void *ctx);


/*
 * Calls handler for each partition in the query's range.  What the query's
 * arena has no room for becomes PYRO_UNPROCESSABLE, query.max_memory.
 */
pyro_status_e pyro_read_each(pyro_store_t *store,
    const pyro_store_query_t *query, pyro_read_pt handler, void *ctx,
    pyro_error_t *err);

/* PYRO_CANCELED, PYRO_DEADLINE, or PYRO_OK; renews an old snapshot. */
pyro_status_e pyro_read_poll(pyro_read_t *read);

/*
 * A stream's entry, in the map.  PYRO_NOT_FOUND: it has been deleted since it
 * was selected.  In the first snapshot it cannot have been, and is damaged.
 */
pyro_status_e pyro_read_stream(const pyro_read_t *read, uint32_t id,
    pyro_stream_value_t *stream);

void pyro_scan_start(pyro_scan_t *scan, pyro_read_t *read, uint32_t stream,
    int64_t start, int64_t end);

/* The next record; damaged ones are counted and left out.  PYRO_NOT_FOUND
 * behind the last one. */
pyro_status_e pyro_scan_next(pyro_scan_t *scan);

void pyro_rollup_scan_start(pyro_rollup_scan_t *scan, pyro_read_t *read,
    pyro_level_e level, uint32_t stream, uint32_t ptype, uint32_t from,
    uint32_t to);

/* The same; a damaged record is PYRO_UNPROCESSABLE, and the scan goes on: the
 * push records of its slot have what it had. */
pyro_status_e pyro_rollup_scan_next(pyro_rollup_scan_t *scan);

/* 1 if the stream has a roll-up of the type, slots of five minutes from and to
 * included; nothing is said of those that are late.  Of a thinned partition
 * they are whole slots of its finest level. */
pyro_status_e pyro_read_has(pyro_read_t *read, uint32_t stream,
    uint32_t ptype, uint32_t from, uint32_t to, int *has);


/* ---- for reader.c: of a sealed partition ---- */

void pyro_sealed_scan_start(pyro_scan_t *scan);
pyro_status_e pyro_sealed_scan_next(pyro_scan_t *scan);
void pyro_sealed_rollup_start(pyro_rollup_scan_t *scan, uint32_t from,
    uint32_t to);
pyro_status_e pyro_sealed_rollup_next(pyro_rollup_scan_t *scan);
pyro_status_e pyro_sealed_has(pyro_read_t *read, uint32_t stream,
    uint32_t ptype, uint32_t from, uint32_t to, int *has);


#endif /* _PYRO_READER_H_INCLUDED_ */
