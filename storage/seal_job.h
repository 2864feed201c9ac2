/*
 * What the files of sealing share: one copy that is being made of its sources
 * (storage/seal.h).  The tables of the first source, the base, are copied as
 * they are, so that its ids, and with them its records, stay what they are; ids
 * of other sources are mapped.
 */

#ifndef _PYRO_SEAL_JOB_H_INCLUDED_
#define _PYRO_SEAL_JOB_H_INCLUDED_


#include "storage/batch.h"
#include "storage/idmap.h"
#include "storage/reader.h"
#include "storage/roll.h"
#include "storage/seal.h"


#define PYRO_SEAL_TRANSACTION  (4 * 1024 * 1024)    /* bytes put, about */
#define PYRO_SEAL_RETRY        (600 * PYRO_NS_PER_SEC)  /* after an error */


/* Maps are by id, NULL in the base; arrays are the job's arena's. */
typedef struct {
    pyro_partition_t     *part;         /* acquired */
    pyro_store_query_t    query;
    pyro_read_t           read;         /* its transaction */
    pyro_ids_t            ids;
    uint32_t             *strings;
    uint32_t             *frames;
    uint32_t             *ptypes;
    uint32_t             *scopes;
    uint32_t             *nodes;        /* of the scope at hand */
    uint32_t              n_nodes;      /* with the root */
    uint32_t              cap_nodes;
} pyro_seal_source_t;


/* A stream of a source. */
typedef struct {
    uint64_t              hash;         /* of its labels, as the copy's ids */
    uint32_t              scope;        /* the copy's */
    uint32_t              source;
    uint32_t              stream;
    int                   over;         /* its tenant's retention: left out */
} pyro_seal_entry_t;


/* What is summed up of one type of the stream at hand. */
typedef struct {
    uint32_t              ptype;
    pyro_rollup_sum_t     slot;
    pyro_rollup_sum_t     hour;
    pyro_rollup_sum_t     day;
    pyro_total_list_t     totals;       /* of the hour */
    pyro_hour_total_t     hours[PYRO_HOURS_DAY];
    int                   in_hour;      /* it has the type */
    int                   in_day;       /* hours has some */
} pyro_seal_type_t;


/* One source's part of the stream at hand. */
typedef struct {
    pyro_seal_source_t   *source;
    uint32_t              stream;
    pyro_scan_t           scan;         /* of an open source */
    int                   has;          /* scan has a record */
    uint32_t              hour;         /* the next; UINT32_MAX: none */
} pyro_seal_input_t;


/* The stream at hand; its arena lives as long. */
typedef struct {
    pyro_arena_t         *arena;        /* NULL: there is none */
    uint32_t              id;           /* in the copy */
    int64_t               first;
    int64_t               last;
    pyro_seal_input_t    *inputs;
    uint32_t              n_inputs;
    pyro_seal_type_t    **types;        /* ascending by ptype */
    uint32_t              n_types;
    uint32_t              cap_types;
    int                   has_day;
    uint32_t              day;          /* whose sums the types have */
    uint32_t              entries;      /* that it was made of */
} pyro_seal_stream_t;


struct pyro_seal_s {
    pyro_store_t         *store;
    pyro_store_work_t    *work;         /* of the call */
    pyro_error_t         *err;
    int64_t               resume;       /* pyro_clock_mono(): not before */
    int64_t               cpu;          /* of the thread, when it has to end */
    uint32_t              units;        /* of work, in the call */

    pyro_state_e          target;       /* of the copy */
    pyro_arena_t         *arena;
    pyro_seal_source_t   *sources;
    uint32_t              n_sources;
    pyro_partition_t      copy;
    pyro_deflater_t      *deflater;

    pyro_batch_t          batch;        /* of the copy, if writing */
    int                   writing;
    size_t                bytes;        /* put in the transaction */

    uint32_t              table;        /* of the base, that is being copied */
    pyro_idmap_t          strings;      /* of the copy, by content */
    pyro_idmap_t          frames;
    int                   mapped;

    pyro_seal_entry_t    *entries;
    uint32_t              n_entries;
    uint32_t              next;
    uint32_t              scope;        /* at hand; 0: none yet */
    pyro_seal_stream_t    stream;
};


/* ---- seal.c ---- */

/* Begins a transaction on the copy, if there is none. */
pyro_status_e pyro_seal_begin(pyro_seal_t *job);

/* Commits it, with the ids and how far the job is. */
pyro_status_e pyro_seal_commit(pyro_seal_t *job);

/* The same if much has been put: where the job can begin again. */
pyro_status_e pyro_seal_settle(pyro_seal_t *job);

/* Puts into the copy; append: behind all keys of the database. */
pyro_status_e pyro_seal_put(pyro_seal_t *job, pyro_db_e db, const void *key,
    size_t key_len, const void *value, size_t len, int append);

/* Ends the job, done or not; with unlink its copy goes. */
void pyro_seal_give_up(pyro_seal_t *job, int unlink);

/* Before each piece of work: 1 if the call's time is over.  Of a call one is
 * done at least. */
int pyro_seal_pauses(pyro_seal_t *job);


/* ---- seal_tables.c ---- */

/* Copies the base's tables, as many as the target has of them; *done if they
 * all are copied. */
pyro_status_e pyro_seal_tables(pyro_seal_t *job, int *done);

/* Maps the ids of the other sources, entering in the copy what is new. */
pyro_status_e pyro_seal_map(pyro_seal_t *job);

/* The copy's id of what a source has. */
static inline uint32_t
pyro_seal_id(const uint32_t *map, uint32_t id)
{
    return map == NULL || id == 0 ? id : map[id];
}


/* ---- seal_nodes.c ---- */

/* Enters the nodes of a scope of the copy, and maps those of the sources. */
pyro_status_e pyro_seal_nodes(pyro_seal_t *job, uint32_t scope);

/* Scopes of which no stream is left have no nodes either. */
pyro_status_e pyro_seal_bare_scopes(pyro_seal_t *job);


/* ---- seal_streams.c ---- */

/* All streams of all sources, in the order of the copy. */
pyro_status_e pyro_seal_list(pyro_seal_t *job);

/* Goes on with streams; *done if there is none left. */
pyro_status_e pyro_seal_streams(pyro_seal_t *job, int *done);

void pyro_seal_stream_end(pyro_seal_stream_t *stream);


/* ---- seal_hour.c ---- */

/* Enters the next hour of the stream at hand: the one of the earliest input. */
pyro_status_e pyro_seal_hour(pyro_seal_t *job, uint32_t hour);

/* Enters the sums of the day at hand. */
pyro_status_e pyro_seal_day(pyro_seal_t *job);

/* Moves an input to its next hour. */
pyro_status_e pyro_seal_advance(pyro_seal_t *job, pyro_seal_input_t *input);


/* ---- seal_record.c ---- */

/* A push record of a source that is not the base, with the copy's ids; in the
 * arena.  PYRO_UNPROCESSABLE: damaged. */
pyro_status_e pyro_seal_record(const pyro_seal_source_t *source,
    pyro_slice_t in, pyro_arena_t *arena, pyro_slice_t *out);


/* ---- seal_swap.c ---- */

/*
 * Looks for sources that are due; if there are any, marks them and opens the
 * copy.  *found tells.
 */
pyro_status_e pyro_seal_find(pyro_seal_t *job, int *found);

/* 0 if one of its sources was removed meanwhile. */
int pyro_seal_is_wanted(pyro_seal_t *job);

/* The time that what goes for ever goes by. */
int64_t pyro_seal_time(const pyro_seal_t *job);

/* The copy is whole: it takes its sources' place. */
pyro_status_e pyro_seal_swap(pyro_seal_t *job);


/* ---- seal_tidy.c ---- */

/* 1 if not all that a copy is made of is there; under the catalogue's mutex. */
int pyro_seal_is_orphan(pyro_store_t *store, pyro_partition_t *copy);


#endif /* _PYRO_SEAL_JOB_H_INCLUDED_ */
