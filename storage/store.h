/*
 * The store: its whole interface.  Nothing outside storage/ knows LMDB.
 *
 * All calls are plain blocking C calls, made from pool threads, never from an
 * event loop, with a deadline and a cancel flag where they may take long.  A
 * store handle belongs to one process (opened after the fork); its calls may
 * come from any number of threads at once, writes one after the other.  Several
 * processes may have the same directory open.
 *
 * Behind it is one store, of files that storage/kv.h keeps.  Another kind, say
 * a column store elsewhere, answers the same calls: pyro_store_t is known to no
 * caller, and which kind a handle is of is for pyro_store_open() to choose and
 * for the calls to look up; values, labels and stacks cross this line as the
 * model has them, never by an id of the store.
 *
 * What pyro_store_write() reported as stored is on disk (fsync) when it
 * returns.  Errors: PYRO_UNAVAILABLE for everything that may pass (directory,
 * disk full, map full, I/O), with the reason in the message.
 */

#ifndef _PYRO_STORE_H_INCLUDED_
#define _PYRO_STORE_H_INCLUDED_


#include <stdatomic.h>
#include <sys/types.h>

#include "core/model/profile.h"
#include "core/query/selector.h"
#include "core/query/series.h"
#include "core/query/tree.h"


typedef struct pyro_store_s  pyro_store_t;


typedef enum {
    PYRO_DURABILITY_COMMIT = 0,     /* fsync each commit: loses nothing */
    PYRO_DURABILITY_NOMETASYNC,     /* power loss: the last commit at most */
    PYRO_DURABILITY_PERIODIC        /* power loss: since the last sync, each
                                     * second or pyro_store_refresh() */
} pyro_durability_e;


/* What opening a store may do to its directory. */
typedef enum {
    PYRO_ACCESS_MAKE = 0,           /* a store is made where there is none */
    PYRO_ACCESS_WRITE,              /* only one that is there; its strays, and
                                     * what has another format, stay as they
                                     * are, to the byte */
    PYRO_ACCESS_READ                /* the same, and nothing is written but
                                     * lock files, where that is allowed */
} pyro_access_e;


/* How long a tenant's data is kept, seconds; 0 = for ever. */
typedef struct {
    pyro_slice_t        tenant;
    int64_t             retention;
} pyro_store_retention_t;


typedef struct {
    const char         *dir;            /* exists already */
    pyro_access_e       access;
    uint64_t            map_size;       /* bytes a file, 0 = 64 GiB */
    uint32_t            partition;      /* seconds: 3600 to 604800; 0 = 86400,
                                         * or with WRITE as the latest one */
    pyro_durability_e   durability;
    uint32_t            max_open;       /* partitions open at once; 0 = 64 */
    uint32_t            max_nodes;      /* of stacks of a service, in a
                                         * partition; 0 and at most 3 932 160 */

    /* what the upkeep removes: a partition as a whole, of which the data of a
     * tenant may be over before others'.  It answers no query then, and is left
     * out when what is sealed is copied once more; what is thinned keeps it. */
    int64_t             retention;      /* seconds since its end; 0 = never */
    const pyro_store_retention_t  *retentions;  /* of tenants that have one of
                                         * their own; as long as the store */
    uint32_t            n_retentions;
    uint64_t            max_disk_size;  /* bytes of all files; 0 = no limit */

    /* seconds since a partition's end: when it is sealed, 0 = never; and what
     * is kept of it then, single pushes and sums of hours, 0 = for ever */
    int64_t             seal_after;
    int64_t             keep_raw;
    int64_t             keep_1h;

    /* pyro_store_shared_size() bytes that the processes of a store share,
     * zeroed, or NULL: damaged files are not set aside then */
    void               *shared;

    int64_t             min_free_disk;  /* bytes that stay free on the file
                                         * system, or minus a percentage of its
                                         * size; 0 = off */
    uint32_t            max_late_partitions;    /* new ones an hour outside of
                                                 * the last 2 days, of all
                                                 * processes; 0 = no limit */
} pyro_store_options_t;

size_t pyro_store_shared_size(void);

/* Once a process that has the store, before it is opened: it notes what it
 * dies of in options->shared. */
void pyro_store_watch(void *shared);

/*
 * Opens or makes the store in options->dir.  It is one PID namespace's at a
 * time (storage/owner.h); on a read-only file system it can be read.
 * PYRO_NOT_FOUND: none is there, and options->access does not let it be made.
 *
 * Reading where lock files cannot be written goes without locks: it is refused
 * while another process has the file open, and nothing may begin to write it
 * until it is closed.
 */
pyro_status_e pyro_store_open(const pyro_store_options_t *options,
    pyro_store_t **store, pyro_error_t *err);

/* No call may be running. */
void pyro_store_close(pyro_store_t *store);


/* ---- writing ---- */

#define PYRO_STORE_INFO_MAX  (16 * 1024)    /* bytes of one info */


/*
 * One finished profile to store, and what its recording said of itself, of
 * which the last is kept for each tenant and service (pyro_store_info()).  A
 * profile without sections is sound: its info alone is kept.
 */
typedef struct {
    pyro_slice_t           tenant;      /* "anonymous" without tenants */
    const pyro_profile_t  *profile;     /* read-only during the call */
    int64_t                time;        /* ns since the epoch, >= 0 */
    int64_t                duration;    /* ns, >= 0 */
    uint32_t               max_series;  /* of the tenant, in a partition; 0: no
                                         * limit */

    pyro_slice_t           service;     /* whose info it is */
    pyro_slice_t           info;        /* any bytes; none of both: no info */
    uint64_t               info_hash;   /* of what counts as a change of info
                                         * (not a time in it); 0: of all */

    /* results */
    pyro_status_e          status;
    uint32_t               stored;      /* records written */
    uint32_t               repeated;    /* records that were there already */
    uint32_t               folded;      /* stacks that ended in "other" for
                                         * lack of room */
    uint32_t               series_folded;   /* label sets beyond max_series */
    int                    info_failed; /* due and not kept; never an error */
    pyro_error_t           error;       /* if status is not PYRO_OK */
} pyro_store_push_t;


/*
 * Stores all pushes, in as few transactions as the partitions and the caps of a
 * transaction (256 pushes, 8 MiB, 50 ms) allow, and sets each one's result:
 * PYRO_OK means on disk.  One bad push does not harm another; a failing commit
 * fails the pushes of its transaction and leaves no trace.
 *
 * A push that would need one partition more than options.max_late_partitions
 * allows is PYRO_EXHAUSTED.
 *
 * A series is a label set here, whatever the types of its profiles.  Of one
 * that would be the tenant's max_series + 1st in the partition the samples go
 * to the profile's label set 0, its own labels without those of samples.  If
 * that itself is one too many the push is PYRO_EXHAUSTED, and nothing of it is
 * stored.
 *
 * Where less than options.min_free_disk is free all of them are
 * PYRO_UNAVAILABLE, and nothing is written, until there is a little more.
 *
 * The info of pushes that are PYRO_OK is written last, in one transaction, and
 * not each time: by this process once in 10 s for a service if it has changed,
 * else once in 60 s.  More than PYRO_STORE_INFO_MAX bytes are not kept.
 */
void pyro_store_write(pyro_store_t *store, pyro_store_push_t **pushes,
    uint32_t n);

/*
 * PYRO_UNAVAILABLE, and why, if pyro_store_write() would store nothing for lack
 * of room, as far as is known from the last pyro_store_write(),
 * pyro_store_refresh() or pyro_store_stats() of this process.  Does not block:
 * also for an event loop.
 */
pyro_status_e pyro_store_room(pyro_store_t *store, pyro_error_t *err);


/* ---- reading ---- */

/* What an answer is without, since it could not be read. */
typedef struct {
    uint32_t                n;          /* partitions */
    char                    name[64];   /* the file of the first one */
    pyro_error_t            error;      /* why */
} pyro_store_missing_t;


/* What pyro_store_series() is asked for. */
typedef enum {
    PYRO_DISTINCT_SERIES = 0,       /* each */
    PYRO_DISTINCT_TYPES,            /* so many that each profile type, */
    PYRO_DISTINCT_NAMES,            /* each name of a label, */
    PYRO_DISTINCT_VALUES            /* or each value of query->label is there,
                                     * of whose labels others may be missing */
} pyro_store_distinct_e;


/*
 * Which profiles are meant, and which of their samples: of profiles those that
 * are named (pyro_store_profile_id()), of samples those of a span or of a trace
 * that is named.  A list of n 0 names all; ids are in any order, and 0 is no
 * span and no trace.  Of a thinned partition there are no profiles any more:
 * nothing in it is meant.
 */
typedef struct {
    const uint64_t         *spans;
    uint32_t                n_spans;
    const pyro_hash128_t   *traces;
    uint32_t                n_traces;
    const pyro_hash128_t   *profiles;
    uint32_t                n_profiles;
} pyro_store_pick_t;

/*
 * The id of a profile, one push of one series of labels: a UUID of version 8
 * (core/base/uuid.h) from XXH3-128, without a seed, over the digest that its
 * record has and its time in ns, both big-endian.  It is the same in every
 * store, in every type of the profile, sealed or not; equal profiles of two
 * times have two.  Any thread.
 */
pyro_hash128_t pyro_store_profile_id(pyro_hash128_t digest, int64_t time);


typedef struct {
    pyro_slice_t            tenant;
    const pyro_selector_t  *selectors;  /* a series matches any of them */
    uint32_t                n_selectors;    /* 0: every series */
    int64_t                 start;      /* ns, included */
    int64_t                 end;        /* ns, included */
    uint32_t                max_series; /* 0: no limit; beyond: 422 */
    pyro_store_distinct_e   distinct;   /* of pyro_store_series() */
    pyro_slice_t            label;
    int                     raw;        /* 1: from push records alone, as a
                                         * check of what is rolled up */
    const pyro_store_pick_t  *pick;     /* of pyro_store_merge(), which reads
                                         * push records alone then; NULL:
                                         * everything is meant */
    int64_t                 deadline;   /* pyro_clock_mono(), 0: none */
    const atomic_int       *cancel;     /* not 0: stop; may be NULL */
    pyro_arena_t           *arena;      /* for what the call needs */

    /* Added to for partitions that cannot be read, which the answer is
     * without, or with a part of; NULL: the first of them ends the call. */
    pyro_store_missing_t   *missing;
} pyro_store_query_t;


/*
 * Called for each matching series that has data in the range, with its whole
 * label set (stream and type labels, sorted; valid during the call), once a
 * partition.  Another status than PYRO_OK ends the call with it.
 */
typedef pyro_status_e (*pyro_store_series_pt)(void *ctx,
    const pyro_labels_t *labels, pyro_error_t *err);

pyro_status_e pyro_store_series(pyro_store_t *store,
    const pyro_store_query_t *query, pyro_store_series_pt handler, void *ctx,
    pyro_error_t *err);


/*
 * Adds the stacks and values of all matching series in the range to tree, by
 * functions or by lines, as the tree is.
 */
pyro_status_e pyro_store_merge(pyro_store_t *store,
    const pyro_store_query_t *query, pyro_tree_t *tree, pyro_error_t *err);


/* One profile of a series, or a span of it; valid during the call. */
typedef struct {
    pyro_hash128_t         id;          /* pyro_store_profile_id() */
    int64_t                time;        /* ns */
    uint64_t               total;
    const pyro_labels_t   *labels;      /* of the series, as series() has it */
    const pyro_span_t     *span;        /* NULL: total is the profile's */
} pyro_store_profile_t;

/*
 * The totals of profiles: series() is called as above and may set *group;
 * total() follows for its profiles.  With a grid, which has to have the query's
 * range (pyro_series_range()), totals of one grid point may come as one, count
 * profiles together, and times are whole ms; without, each comes by itself, in
 * order of time.
 *
 * profile() and span() may be NULL, and so may total() if one of them is not.
 * With any of them push records are read, which takes longer, and total() is
 * called only for partitions that are thinned, of which no single profile is
 * known (without total() they are left out): profile() is called for each
 * profile of each series in its place, in order of time within a series of a
 * partition, and span() for each span that a profile of a series has samples
 * of, with what these add up to; samples without a span do not come.
 */
typedef struct {
    void                         *ctx;
    const pyro_series_options_t  *grid;         /* may be NULL */
    pyro_status_e               (*series)(void *ctx,
                                          const pyro_labels_t *labels,
                                          uint32_t *group, pyro_error_t *err);
    pyro_status_e               (*total)(void *ctx, uint32_t group,
                                         int64_t time_ns, uint64_t total,
                                         uint32_t count, pyro_error_t *err);
    pyro_status_e               (*profile)(void *ctx, uint32_t group,
                                        const pyro_store_profile_t *profile,
                                        pyro_error_t *err);
    pyro_status_e               (*span)(void *ctx, uint32_t group,
                                        const pyro_store_profile_t *span,
                                        pyro_error_t *err);
} pyro_store_totals_handler_t;

pyro_status_e pyro_store_totals(pyro_store_t *store,
    const pyro_store_query_t *query, const pyro_store_totals_handler_t *handler,
    pyro_error_t *err);


/*
 * When the oldest and the newest profile of a tenant were taken, ns; of a
 * thinned partition newest is the end of its five minutes.  Opens the first and
 * the last partition that the tenant has.  Partitions that cannot be read are
 * left out.
 * PYRO_NOT_FOUND: there is none.
 */
pyro_status_e pyro_store_extent(pyro_store_t *store, pyro_slice_t tenant,
    int64_t *oldest, int64_t *newest, pyro_error_t *err);


/*
 * A number that is another one as soon as an answer over the query's tenant and
 * range may be another one: of the files that the range lies in, not of what
 * was pushed to just that range.  Reads no data; to be asked before what it is
 * to stand for.  *version is 0, which stands for nothing, where an answer would
 * be without a partition, or on an error.
 */
pyro_status_e pyro_store_version(pyro_store_t *store,
    const pyro_store_query_t *query, uint64_t *version, pyro_error_t *err);


/* What a query has to do with. */
typedef struct {
    uint64_t  partitions;           /* files that have matching series */
    uint64_t  series;               /* that match and have data, each once */
    uint64_t  profiles;             /* of each of them, in the range */

    /* of pages of those files, whoever's they are: streams and their labels,
     * frames and stacks, and profiles with what is rolled up */
    uint64_t  index_bytes;
    uint64_t  symbol_bytes;
    uint64_t  profile_bytes;
} pyro_store_analysis_t;

/* The numbers are exact; what takes long is left to sums, as for one point of
 * pyro_store_totals(). */
pyro_status_e pyro_store_analyze(pyro_store_t *store,
    const pyro_store_query_t *query, pyro_store_analysis_t *result,
    pyro_error_t *err);


/*
 * What the latest recording of a service said of itself, whichever process
 * wrote it: a copy in the arena, up to 60 s behind the latest push.
 * PYRO_NOT_FOUND, with the service in the message: nothing is known.
 */
pyro_status_e pyro_store_info(pyro_store_t *store, pyro_slice_t tenant,
    pyro_slice_t service, pyro_arena_t *arena, pyro_slice_t *info,
    pyro_error_t *err);


/* ---- settings of a tenant, which others than this program make of it ---- */

#define PYRO_STORE_SETTING_NAME   128           /* bytes of UTF-8 at most */
#define PYRO_STORE_SETTING_VALUE  (64 * 1024)   /* bytes at most */
#define PYRO_STORE_SETTINGS       256           /* of a tenant */

typedef struct {
    pyro_slice_t  name;
    pyro_slice_t  value;            /* any bytes */
    int64_t       modified_at;      /* ms since the epoch, > 0 */
} pyro_store_setting_t;

/* All of a tenant, by name: copies in the arena.  None is no error. */
pyro_status_e pyro_store_settings_get(pyro_store_t *store, pyro_slice_t tenant,
    pyro_arena_t *arena, pyro_store_setting_t **settings, uint32_t *n,
    pyro_error_t *err);

/*
 * Sets one; it is on disk when this returns.  modified_at <= 0 is now, and
 * becomes that in setting.
 *
 * PYRO_CONFLICT: what is stored was changed later than modified_at, and stays.
 * PYRO_INVALID: the name.  PYRO_TOO_LARGE: the value.  PYRO_UNPROCESSABLE: it
 * would be one more than PYRO_STORE_SETTINGS.  PYRO_UNAVAILABLE also: those of
 * all tenants take 32 MiB.
 */
pyro_status_e pyro_store_settings_set(pyro_store_t *store, pyro_slice_t tenant,
    pyro_store_setting_t *setting, pyro_error_t *err);

/* On disk when this returns.  A name that is not there is no error; one that
 * cannot be is PYRO_INVALID. */
pyro_status_e pyro_store_settings_delete(pyro_store_t *store,
    pyro_slice_t tenant, pyro_slice_t name, pyro_error_t *err);


/* ---- upkeep ---- */

/*
 * What one process at a time has to do for all: removing what is older than
 * options.retention, or the oldest beyond options.max_disk_size, and where one
 * of these is set the oldest also while less than options.min_free_disk is
 * free, but never the partition of now or later; rolling up what lies a minute
 * back, and once more what came later; sealing what is over for
 * options.seal_after, together with what came late, if there is room; and
 * thinning what is over for options.keep_raw and keep_1h, after which a push of
 * that time is refused (PYRO_UNPROCESSABLE), and a query gets whole hours or
 * days, those that end in its range.  Partitions whose files have not changed
 * since are left alone.
 *
 * now: ns since the epoch; deadline: pyro_clock_mono(), 0: none; cancel: as in
 * a query.
 *
 * A wall clock that was set by more than an hour removes nothing for a day:
 * storage/trust.h says which time counts until then.
 *
 * A file that was removed lives until the last query that reads it has ended;
 * other handles give theirs up when they are used next, or by
 * pyro_store_refresh().
 */
typedef struct {
    int64_t            now;
    int64_t            mono;        /* pyro_clock_mono() then; 0: as it is */
    int64_t            deadline;
    const atomic_int  *cancel;
    int64_t            seal_cpu;    /* ns of the processor that sealing may
                                     * take in this call; 0: none is done */

    /* results, added up */
    uint64_t           slots;       /* of streams, of five minutes */
    uint64_t           late;        /* of them: once more */
    uint64_t           damaged;     /* records left out */
    uint32_t           removed;     /* partitions */
    uint32_t           sealed;      /* partitions */
    uint32_t           thinned;     /* partitions */
    int64_t            distance;    /* ns from the time that removing goes by to
                                     * now; 0: the clock is believed */
    int                held;        /* 1: it was this handle's to do, and it
                                     * was begun: distance is known */
    int                rolled;      /* 1: and all is rolled up that is due */
    int                more;        /* 1: it ended before all was done */
    int64_t            wait;        /* and there is nothing to do for so many
                                     * ns: sealing takes a tenth of a core */
    char               found[128];  /* what is wrong with a partition, once for
                                     * each, its name first; or "" */
} pyro_store_work_t;

/*
 * One handle does it, of one process, from the first call to its closing; for
 * others, meanwhile, there is nothing to do.  One thread.
 * The first error; the other partitions are done nevertheless.
 */
pyro_status_e pyro_store_maintain(pyro_store_t *store,
    pyro_store_work_t *work, pyro_error_t *err);


#define PYRO_STORE_STATES  7

/* "open", "sealing", "removed", "building", "sealed", "hours", "days"; what is
 * none of PYRO_STORE_STATES is "unknown". */
const char *pyro_store_state_text(unsigned state);


typedef struct {
    uint64_t  partitions;
    uint64_t  bytes;                /* of their files */
} pyro_store_state_t;


typedef struct {
    uint64_t  partitions;           /* in the catalogue */
    uint64_t  open_partitions;      /* in this process */
    uint64_t  bytes;                /* of all files, as stat has them */
    uint64_t  control_bytes;        /* of them: control.mdb */
    pyro_store_state_t  states[PYRO_STORE_STATES];
    uint64_t  aside;                /* partitions that nobody opens: they
                                     * cannot be, or processes died of them */
    int64_t   oldest;               /* ns: when the first partition begins, */
    int64_t   newest;               /* and the last one ends; 0: none */
    uint64_t  readers;              /* that one file has had at once, of those
                                     * that are open here */
    uint64_t  readers_limit;
    uint64_t  disk_free;            /* of the file system, for this user */
    uint64_t  disk_limit;           /* options.min_free_disk in bytes */
    uint64_t  disk_scarce;          /* 1: pushes are refused for it */
    uint64_t  commits;              /* by this process since it opened */
    uint64_t  commit_failures;
    uint64_t  node_cache_hits;
    uint64_t  node_cache_misses;
    uint64_t  damaged_records;      /* met and left out by this process */
    uint64_t  info_failures;        /* infos that this process did not keep */
} pyro_store_stats_t;

pyro_status_e pyro_store_stats(pyro_store_t *store, pyro_store_stats_t *stats,
    pyro_error_t *err);

/* stats.damaged_records alone, at no cost. */
uint64_t pyro_store_damaged(pyro_store_t *store);

/*
 * To be called now and then, each second with PERIODIC: gives up what others
 * have removed, looks how much room there is, syncs what is due, and once in
 * 10 s clears what dead readers have left.
 */
pyro_status_e pyro_store_refresh(pyro_store_t *store, pyro_error_t *err);

/* ---- looking after a store: what cli/store.c is made of ---- */

/* A partition; strings are valid in the call that gives them. */
typedef struct {
    const char  *name;              /* of its file */
    const char  *state;             /* pyro_store_state_text() */
    int64_t      start;             /* ns */
    int64_t      end;               /* ns, not included */
    uint32_t     generation;
    uint64_t     bytes;             /* as stat has them */
} pyro_store_part_t;

/* Another status than PYRO_OK ends the call with it. */
typedef pyro_status_e (*pyro_store_part_pt)(void *ctx,
    const pyro_store_part_t *part, pyro_error_t *err);

/* All partitions, by start.  Opens none of them. */
pyro_status_e pyro_store_parts(pyro_store_t *store, pyro_store_part_pt handler,
    void *ctx, pyro_error_t *err);


/* Another status than PYRO_OK ends the call with it; name: as long as the
 * store. */
typedef pyro_status_e (*pyro_store_tenant_pt)(void *ctx, pyro_slice_t name,
    pyro_error_t *err);

/* All tenants that have pushed, in the order of pyro_slice_cmp(); those that
 * were deleted since are among them. */
pyro_status_e pyro_store_tenants(pyro_store_t *store,
    pyro_store_tenant_pt handler, void *ctx, pyro_error_t *err);


#define PYRO_STORE_DBS  32

typedef struct {
    const char   *name;
    uint64_t      entries;
    uint64_t      bytes;            /* of its pages */
} pyro_store_db_t;


/* What is in a partition, in one snapshot. */
typedef struct {
    pyro_store_part_t   part;
    const pyro_error_t *error;      /* not NULL: it cannot be opened, and the
                                     * rest is 0 */
    uint64_t            used;       /* bytes of pages */
    uint64_t            free;       /* of those that will be used again */
    pyro_store_db_t     dbs[PYRO_STORE_DBS];
    uint32_t            n_dbs;

    uint64_t            pushes;
    uint64_t            streams;
    uint64_t            series;     /* a type of a stream */
    uint64_t            scopes;     /* a service of a tenant */
    uint64_t            nodes;
    uint64_t            frames;
    uint64_t            strings;
    uint64_t            types;
    int64_t             first;      /* ns; 0: no push */
    int64_t             last;       /* the end of its slot of five minutes */
    int64_t             rolled;     /* pushes before it are; 0: none */
    uint64_t            late;       /* slots to be rolled up once more */
} pyro_store_part_stats_t;

typedef pyro_status_e (*pyro_store_part_stats_pt)(void *ctx,
    const pyro_store_part_stats_t *stats, pyro_error_t *err);

/* One partition after the other; the first error of any, when all are done. */
pyro_status_e pyro_store_part_stats(pyro_store_t *store,
    pyro_store_part_stats_pt handler, void *ctx, pyro_error_t *err);


/*
 * Removes the partitions that end at before (ns) or earlier, as the upkeep
 * does, while others write and read; file (may be NULL): that one alone of
 * them, also if it is gone from the directory, and what it had is lost.  The
 * handler, which may be NULL, is asked first for each; only: nothing is
 * removed.  The first error; what else is due goes nevertheless.
 * PYRO_NOT_FOUND: there is no such file.
 */
pyro_status_e pyro_store_drop(pyro_store_t *store, const char *file,
    int64_t before, int only, pyro_store_part_pt handler, void *ctx,
    uint32_t *dropped, pyro_error_t *err);


/*
 * Seals all that is over for options.seal_after, as pyro_store_maintain()
 * does, but at once and as fast as it goes; others may write and read.
 * PYRO_UNAVAILABLE also: the upkeep of a server runs, whose work it is.
 */
pyro_status_e pyro_store_seal(pyro_store_t *store, int64_t now,
    uint32_t *sealed, pyro_error_t *err);


typedef struct {
    uint32_t  files;
    uint64_t  bytes;
} pyro_backup_result_t;

/*
 * Copies the store into a directory that is empty or not there, while others
 * write: it has at least what was stored when the call began, and is synced.
 * Each file is copied from one snapshot, so that it grows faster meanwhile.
 * After an error nothing of it is left.
 */
pyro_status_e pyro_store_backup(pyro_store_t *store, const char *target,
    pyro_backup_result_t *result, pyro_error_t *err);


typedef struct {
    uint64_t  streams;              /* of all partitions */
    uint64_t  records;              /* pushes, or hours of a sealed partition;
                                     * 0 where nothing was to be deleted */
    uint64_t  resumed;              /* streams of an earlier call */
    uint64_t  settings;             /* of a tenant that is deleted whole */
    uint64_t  infos;                /* services of it, of pyro_store_info() */
} pyro_delete_result_t;

/* file: of the partition. */
typedef pyro_status_e (*pyro_store_stream_pt)(void *ctx, const char *file,
    const pyro_labels_t *labels, pyro_error_t *err);

/*
 * Deletes the streams that the query's one selector matches, whole, in every
 * partition; only: nothing is deleted.  The handler, which may be NULL, is
 * asked first for each.  What an earlier call did not end is ended as well.
 * Nobody sees a stream that is half deleted; what it took in the file is used
 * again, and the file does not shrink.
 *
 * PYRO_INVALID: no matcher says what is to go, but only what is not, or one is
 * on a label of profile types.  PYRO_UNAVAILABLE also: the upkeep of a server
 * runs, with which this must not.
 */
pyro_status_e pyro_store_delete(pyro_store_t *store,
    const pyro_store_query_t *query, int only, pyro_store_stream_pt handler,
    void *ctx, pyro_delete_result_t *result, pyro_error_t *err);

/* kind: "setting" or "jfr-info"; name: the setting's, or the service. */
typedef pyro_status_e (*pyro_store_entry_pt)(void *ctx, const char *kind,
    pyro_slice_t name, pyro_error_t *err);

/*
 * The same for all that the query's tenant has, which has no selector: its
 * streams, its settings, and what recordings said of themselves.  Its name and
 * number stay.  Whoever pushes for it meanwhile, or has pushed a minute ago and
 * runs on, may keep something of it.  entry, which may be NULL, is asked for
 * what is no stream.
 *
 * Cut off, some of it is left, which the next call deletes.  PYRO_NOT_FOUND:
 * the store knows no such tenant.
 */
pyro_status_e pyro_store_delete_tenant(pyro_store_t *store,
    const pyro_store_query_t *query, int only, pyro_store_stream_pt handler,
    pyro_store_entry_pt entry, void *ctx, pyro_delete_result_t *result,
    pyro_error_t *err);


/* Bytes out and in, as write() and read(); an error is in errno. */
typedef int (*pyro_store_out_pt)(void *ctx, const void *data, size_t len);
typedef ssize_t (*pyro_store_in_pt)(void *ctx, void *data, size_t n);


typedef struct {
    uint64_t  pushes;               /* in the dump */
    uint64_t  stored;               /* records written */
    uint64_t  repeated;             /* that were there already */
    uint64_t  folded;               /* stacks that ended in "other" */
    uint64_t  damaged;              /* records that were left out */
} pyro_dump_result_t;

/*
 * Writes the pushes of the query's streams and range as a dump
 * (storage/dump.h).  A push of which a type matches is written as a whole.
 * Others may write meanwhile; out may block.
 */
pyro_status_e pyro_store_export(pyro_store_t *store,
    const pyro_store_query_t *query, pyro_store_out_pt out, void *ctx,
    pyro_dump_result_t *result, pyro_error_t *err);

/*
 * Stores the pushes of a dump, as pyro_store_write() does: what is there stays.
 * Ends at the first error; what came before is stored, and counted, and may be
 * given once more.  PYRO_UNPROCESSABLE: the dump; its offset is in err.
 */
pyro_status_e pyro_store_import(pyro_store_t *store, pyro_store_in_pt in,
    void *ctx, pyro_dump_result_t *result, pyro_error_t *err);


/* What a check says of one file; slices and strings are valid in the call. */
typedef struct {
    const char  *file;              /* its name in the directory */
    const char  *what;              /* a database in it, or "file" */
    uint64_t     id;                /* of its stream, string, ...; 0: none */
    const char  *text;
    int          note;              /* 1: worth knowing, no damage */
} pyro_finding_t;

typedef void (*pyro_finding_pt)(void *ctx, const pyro_finding_t *finding);


typedef struct {
    uint32_t  files;                /* looked at, control.mdb among them */
    uint32_t  damaged;              /* of them */
    uint64_t  findings;             /* the notes not counted */
    uint64_t  pushes;
    uint64_t  rollups;              /* compared with what pushes give */
} pyro_check_result_t;

/*
 * Reads everything: that what is stored is what was written, that all that
 * refers to something finds it, that indexes have everything and nothing else,
 * and that roll-ups are what the pushes add up to.  PYRO_OK: it was done, the
 * result says with what outcome.
 *
 * A damaged page can kill the process that reads it, so each file is read by a
 * child.  The caller has one thread and no store open.  A file is read in one
 * snapshot, so it grows faster if it is written meanwhile.  Memory is that of
 * the largest scope and stream.
 */
pyro_status_e pyro_store_check(const char *dir, pyro_finding_pt handler,
    void *ctx, pyro_check_result_t *result, pyro_error_t *err);


/* Clears reader slots of dead processes; returns how many, -1 on an error. */
int pyro_store_reader_check(pyro_store_t *store, pyro_error_t *err);


#endif /* _PYRO_STORE_H_INCLUDED_ */
