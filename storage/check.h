/*
 * The check of one partition (pyro_store_check() in storage/store.h), in the
 * child process that was made for it.
 *
 * Every function here reports what it finds and goes on.  Its status is not
 * PYRO_OK where it could not go on: what it was about to say is in c->err, and
 * the caller reports that.  All of it sees one snapshot.
 */

#ifndef _PYRO_CHECK_H_INCLUDED_
#define _PYRO_CHECK_H_INCLUDED_


#include "storage/check_wire.h"
#include "storage/reader.h"
#include "storage/series_index.h"


typedef struct {
    pyro_check_sink_t       sink;
    pyro_partition_t        part;
    pyro_error_t            err;
    pyro_view_t             view;
    pyro_store_t            store;      /* its counters alone */
    pyro_store_query_t      query;
    pyro_read_t             read;       /* never renewed */
    pyro_arena_t           *arena;
    pyro_label_room_t       labels;

    pyro_ids_t              ids;
    pyro_rolled_t           rolled;
    int                     dense[PYRO_DB_COUNT];   /* no id is missing */
    int                     raw_checked;    /* record by record, by key */
    uint64_t                posts;          /* labels of all streams */

    uint32_t                orphan;         /* stream that was told last */
    uint32_t                owner;          /* asked for last */
    int                     owner_known;
    pyro_stream_value_t     owner_value;
} pyro_check_t;


#define PYRO_CHECK_MAP_SIZE  (64ULL * 1024 * 1024 * 1024)


/* storage/check_control.c: control.mdb, and what it names */
void pyro_check_control(pyro_check_sink_t *sink, const char *dir);


/* ---- storage/check_part.c ---- */

/* Opens the file and runs all that follows. */
void pyro_check_partition(pyro_check_t *c, const char *dir,
    const pyro_check_part_t *expected);

void pyro_check_damage(pyro_check_t *c, pyro_db_e db, uint64_t id,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* 0: the file does not have the database, which its state allows. */
int pyro_check_has_db(const pyro_check_t *c, pyro_db_e db);

/* 1 if an index has all that it should find: those that only writing needs are
 * not, or not all, in a sealed partition. */
int pyro_check_is_indexed(const pyro_check_t *c, pyro_db_e db);

/* 1 if there is such an entry; a string 0 is there. */
int pyro_check_has(pyro_check_t *c, pyro_db_e db, uint32_t id);

/* The stream that a key belongs to: 1; 0: no such stream. */
int pyro_check_owner(pyro_check_t *c, uint32_t stream);

/* 1 if the stream has the type. */
int pyro_check_stream_has(const pyro_stream_value_t *stream, uint32_t ptype);

/* Bytes of a string; one that is not there is empty. */
pyro_slice_t pyro_check_text(pyro_check_t *c, uint32_t id);


/* ---- each database by its keys ---- */

/* storage/check_keys.c */
pyro_status_e pyro_check_keys(pyro_check_t *c, pyro_db_e db);
pyro_status_e pyro_check_raw_keys(pyro_check_t *c);

/* storage/check_dict.c: entries by id, and the indexes that find them */
pyro_status_e pyro_check_strings(pyro_check_t *c);
pyro_status_e pyro_check_frames(pyro_check_t *c);
pyro_status_e pyro_check_scopes(pyro_check_t *c);
pyro_status_e pyro_check_ptypes(pyro_check_t *c);
pyro_status_e pyro_check_streams(pyro_check_t *c);

/* storage/check_nodes.c */
pyro_status_e pyro_check_nodes(pyro_check_t *c);

/* storage/check_posts.c */
pyro_status_e pyro_check_posts(pyro_check_t *c);
pyro_status_e pyro_check_late(pyro_check_t *c);

/* storage/check_records.c: stream by stream */
pyro_status_e pyro_check_records(pyro_check_t *c);

/* storage/check_thinned.c: the same where no pushes are left */
pyro_status_e pyro_check_thinned(pyro_check_t *c);


/* ---- storage/check_rollups.c ---- */

typedef struct pyro_check_type_s  pyro_check_type_t;


/* What the pushes of one stream add up to. */
typedef struct {
    pyro_check_t           *c;
    uint32_t                stream;
    pyro_arena_t           *arena;      /* the stream's */
    pyro_check_type_t      *types;
    uint32_t                n_types;
    uint32_t               *late;       /* slots, ascending */
    uint32_t                n_late;
    uint32_t                cap_late;
    uint32_t                slot;       /* being gathered */
    int                     started;
    pyro_total_list_t       known;      /* room */
} pyro_check_sums_t;


pyro_status_e pyro_check_sums_begin(pyro_check_sums_t *sums, pyro_check_t *c,
    uint32_t stream, const pyro_stream_value_t *value, pyro_arena_t *arena);

/* Records come in order of time. */
pyro_status_e pyro_check_sums_add(pyro_check_sums_t *sums, int64_t time,
    const pyro_record_section_t *section);

/* Compares what is left, and looks for what nothing explains. */
pyro_status_e pyro_check_sums_end(pyro_check_sums_t *sums);


/* 1 if both have the same pushes, nodes and values, whatever their scales. */
int pyro_check_is_same(const pyro_rollup_t *a, const pyro_rollup_t *b);


#endif /* _PYRO_CHECK_H_INCLUDED_ */
