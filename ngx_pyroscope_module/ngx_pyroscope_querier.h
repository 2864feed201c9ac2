/*
 * One query from its bytes to the bytes of its answer: what the query pool
 * runs.  Plan (core/api), store, merge (core/query), encode (core/api,
 * core/format).
 *
 * Knows no request: everything it needs is in the query.  All functions return
 * the query's status; what is wrong is in q->error.
 */

#ifndef _NGX_PYROSCOPE_QUERIER_H_INCLUDED_
#define _NGX_PYROSCOPE_QUERIER_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_query.h"

#include "core/api/render.h"
#include "core/api/stacks.h"


/* data is a ngx_pyroscope_query_t; sets status, error or answer, time. */
void ngx_pyroscope_querier_run(void *data);

void ngx_pyroscope_querier_limits(const ngx_pyroscope_query_t *q,
    pyro_querier_limits_t *limits);

/* A plan's range and selectors for the store, with the query's limits, but
 * for the tenant: a question is put for each of q->tenants. */
void ngx_pyroscope_querier_query(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan, pyro_store_query_t *query);

/* The range that the plan's grid has, which begins a step before its start. */
void ngx_pyroscope_querier_range(const pyro_plan_t *plan,
    pyro_store_query_t *query);

/* pyro_store_totals() of each tenant. */
pyro_status_e ngx_pyroscope_querier_each(ngx_pyroscope_query_t *q,
    pyro_store_query_t *query, const pyro_store_totals_handler_t *handler);

pyro_status_e ngx_pyroscope_querier_labels(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_store_query_t *query);

pyro_status_e ngx_pyroscope_querier_series(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_store_query_t *query, pyro_series_t **series,
    uint32_t *n);


/* ---- ngx_pyroscope_querier_stacks.c ---- */

/* What stacks merge to, and what is cut of it, in the plan's format. */
pyro_status_e ngx_pyroscope_querier_stacks(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_plan_t *plan);

pyro_status_e ngx_pyroscope_querier_diff(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_plan_t *plan);

/* The tree of a plan's stacks, of its call site, cut to max_nodes. */
pyro_status_e ngx_pyroscope_querier_tree(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_plan_t *plan, int by_lines,
    pyro_tree_t **tree);

/* The trees of both sides, by functions, as one graph. */
pyro_status_e ngx_pyroscope_querier_both(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_plan_t *plan, pyro_flamegraph_t *graph,
    int64_t *left, int64_t *right);


/* ---- ngx_pyroscope_querier_render.c ---- */

pyro_status_e ngx_pyroscope_querier_render(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena);


/* ---- ngx_pyroscope_querier_cache.c ---- */

/*
 * Sets etag and closed, where there is something to stand for; to be called
 * before anything is read.  1: the client has this answer.
 */
int ngx_pyroscope_querier_is_known(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_render_t *render);


/* ---- ngx_pyroscope_querier_profiles.c ---- */

pyro_status_e ngx_pyroscope_querier_heatmap(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_store_query_t *query);

/* Adds profiles one by one, so that points know their largest one. */
pyro_status_e ngx_pyroscope_querier_exemplars(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_store_query_t *query,
    pyro_series_set_t *set);


/* ---- ngx_pyroscope_querier_side.c ---- */

pyro_status_e ngx_pyroscope_querier_side(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_store_query_t *query);


#endif /* _NGX_PYROSCOPE_QUERIER_H_INCLUDED_ */
