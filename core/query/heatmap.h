/*
 * Values over time as counts in cells: SelectHeatmap, Pyroscope API.
 *
 * x: the grid of core/query/series.h, a slot's time is its right edge.  y: 20
 * equal parts from the smallest to the largest value of all series.  Lives in
 * an arena, one thread.
 */

#ifndef _PYRO_HEATMAP_H_INCLUDED_
#define _PYRO_HEATMAP_H_INCLUDED_


#include "core/query/series.h"


#define PYRO_HEATMAP_ROWS  20


typedef struct {
    int64_t            time;        /* ms, a grid point */
    int32_t            counts[PYRO_HEATMAP_ROWS];
    const pyro_exemplar_t  *best[PYRO_HEATMAP_ROWS];   /* the largest of
                                     * each cell, NULL: the cell is empty */
} pyro_heatmap_slot_t;


typedef struct {
    pyro_labels_t         labels;   /* the group */
    pyro_heatmap_slot_t  *slots;    /* ascending, those with values */
    uint32_t              n;
    uint64_t              count;    /* of all its values */
} pyro_heatmap_series_t;


typedef struct {
    pyro_heatmap_series_t  *series; /* by count descending, then labels */
    uint32_t                n;
    double                  y_min[PYRO_HEATMAP_ROWS];
} pyro_heatmap_t;


typedef struct pyro_heatmap_set_s  pyro_heatmap_set_t;


/* The options' aggregation means nothing here; they must outlive the set. */
pyro_heatmap_set_t *pyro_heatmap_create(pyro_arena_t *arena,
    const pyro_series_options_t *options);

/* The group that a series with these labels (copied) belongs to; PYRO_NONE. */
uint32_t pyro_heatmap_group(pyro_heatmap_set_t *set,
    const pyro_labels_t *labels);

/*
 * Outside the grid: ignored.  PYRO_UNPROCESSABLE: more than max_points values;
 * PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_heatmap_add(pyro_heatmap_set_t *set, uint32_t group,
    const pyro_exemplar_t *value, pyro_error_t *err);

/* Groups without a value are left out; cut to the limit.  Once. */
pyro_status_e pyro_heatmap_finish(pyro_heatmap_set_t *set, pyro_heatmap_t *out,
    pyro_error_t *err);


#endif /* _PYRO_HEATMAP_H_INCLUDED_ */
