/*
 * Profile totals into time series on a grid: SelectSeries,
 * Pyroscope API.
 *
 * Grid: t_k = start + k × step up to end; the point t_k takes the profiles with
 * t_k − step < t <= t_k (the first also t = start − step), t in whole ms.  Only
 * points with data exist.  Lives in an arena, one thread.
 */

#ifndef _PYRO_SERIES_H_INCLUDED_
#define _PYRO_SERIES_H_INCLUDED_


#include "core/base/hash.h"
#include "core/model/labels.h"


typedef enum {
    PYRO_SERIES_SUM = 0,
    PYRO_SERIES_AVERAGE             /* of the profile totals in a bucket */
} pyro_series_aggregation_e;


/* A profile, or a span of one. */
typedef struct {
    int64_t        time;            /* ms */
    uint64_t       value;
    pyro_hash128_t profile;         /* its id */
    uint64_t       span;            /* 0: none */
    pyro_labels_t  labels;          /* of its series; the caller's bytes */
} pyro_exemplar_t;


typedef struct {
    int64_t        time;            /* ms, a grid point */
    double         value;
    const pyro_exemplar_t  *exemplar;   /* its largest profile, or NULL */
} pyro_point_t;


typedef struct {
    pyro_labels_t  labels;          /* the group */
    pyro_point_t  *points;          /* ascending */
    uint32_t       n;
    double         total;           /* of all points' values */
} pyro_series_t;


/* start <= end; none is beyond +-INT64_MAX / 10^6, so nothing overflows. */
typedef struct {
    int64_t                    start;       /* ms */
    int64_t                    end;         /* ms */
    int64_t                    step;        /* ms, >= 1 */
    pyro_series_aggregation_e  aggregation;
    const pyro_slice_t        *group_by;    /* label names */
    uint32_t                   n_group_by;
    uint64_t                   limit;       /* series at most, 0 all */
    uint32_t                   max_points;  /* with data, all series; 0 all */
} pyro_series_options_t;


typedef struct pyro_series_set_s  pyro_series_set_t;


/* Copies nothing of the options: they must outlive the set. */
pyro_series_set_t *pyro_series_create(pyro_arena_t *arena,
    const pyro_series_options_t *options);

/* The range to read profiles of, ns, both ends included: whole ms. */
void pyro_series_range(const pyro_series_options_t *options, int64_t *start_ns,
    int64_t *end_ns);

/* The group that a series with these labels (copied) belongs to; PYRO_NONE. */
uint32_t pyro_series_group(pyro_series_set_t *set, const pyro_labels_t *labels);

/* The labels of a group, in the order of their names. */
const pyro_labels_t *pyro_series_labels_of(const pyro_series_set_t *set,
    uint32_t group);

/* How many groups there are. */
uint32_t pyro_series_groups(const pyro_series_set_t *set);

/* The grid point, from 0, that takes profiles of a time in ms; -1: none. */
int64_t pyro_series_point(const pyro_series_options_t *options, int64_t ms);

/*
 * Adds the totals of count profiles of one grid point: sum, stopped at
 * INT64_MAX.  Outside the grid: ignored.
 * PYRO_UNPROCESSABLE: more than max_points points; PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_series_add_sum(pyro_series_set_t *set, uint32_t group,
    int64_t time_ns, uint64_t sum, uint32_t count, pyro_error_t *err);

/* The same for one profile. */
static inline pyro_status_e
pyro_series_add(pyro_series_set_t *set, uint32_t group, int64_t time_ns,
    uint64_t total, pyro_error_t *err)
{
    return pyro_series_add_sum(set, group, time_ns, total, 1, err);
}


/* Adds a profile, which its point keeps if it is the largest one so far; the
 * labels must live as long as the set. */
pyro_status_e pyro_series_add_profile(pyro_series_set_t *set, uint32_t group,
    const pyro_exemplar_t *profile, pyro_error_t *err);


/*
 * The finished series: by total descending, then by labels; groups without a
 * point are left out; cut to the limit.  Nothing can be added after that.
 */
pyro_status_e pyro_series_finish(pyro_series_set_t *set, pyro_series_t **series,
    uint32_t *n, pyro_error_t *err);


#endif /* _PYRO_SERIES_H_INCLUDED_ */
