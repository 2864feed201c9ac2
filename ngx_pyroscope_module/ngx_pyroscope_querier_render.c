#include "ngx_pyroscope_module/ngx_pyroscope_querier.h"

#include "core/api/export.h"


static pyro_status_e ngx_pyroscope_querier_single(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_render_t *render);
static pyro_status_e ngx_pyroscope_querier_export(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_render_t *render);
static pyro_status_e ngx_pyroscope_querier_double(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_render_t *render);
static pyro_status_e ngx_pyroscope_querier_list(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_render_t *render);


pyro_status_e
ngx_pyroscope_querier_render(ngx_pyroscope_query_t *q, pyro_arena_t *arena)
{
    pyro_slice_t           name;
    pyro_status_e          status;
    pyro_render_t          render;
    pyro_querier_limits_t  limits;

    ngx_pyroscope_querier_limits(q, &limits);

    status = pyro_render_decode(arena, q->rpc, q->args, &limits, &render,
                                &q->error);

    if (status != PYRO_OK) {
        return status;
    }

    if (ngx_pyroscope_querier_is_known(q, arena, &render)) {
        q->unchanged = 1;
        pyro_render_free(&render);
        return PYRO_OK;
    }

    status = q->rpc == PYRO_RENDER
             ? ngx_pyroscope_querier_single(q, arena, &render)
             : q->rpc == PYRO_RENDER_DIFF
             ? ngx_pyroscope_querier_double(q, arena, &render)
             : ngx_pyroscope_querier_list(q, arena, &render);

    if (status == PYRO_OK) {
        q->content_type = pyro_render_type(&render, arena, &name);
        snprintf(q->file, sizeof(q->file), "%.*s", PYRO_SLICE_ARG(name));
    }

    pyro_render_free(&render);

    return status;
}


static pyro_status_e
ngx_pyroscope_querier_single(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_render_t *render)
{
    uint32_t             n;
    pyro_tree_t         *tree;
    pyro_series_t       *series;
    pyro_status_e        status;
    pyro_flamegraph_t    graph;
    pyro_store_query_t   query;

    if (!render->json) {
        return ngx_pyroscope_querier_export(q, arena, render);
    }

    status = ngx_pyroscope_querier_tree(q, arena, &render->plan, 0, &tree);

    if (status == PYRO_OK) {
        status = pyro_flamegraph_build(tree, render->plan.max_nodes, &graph,
                                       &q->error);
    }

    if (status == PYRO_OK) {
        ngx_pyroscope_querier_query(q, arena, &render->timeline, &query);
        status = ngx_pyroscope_querier_series(q, &render->timeline, &query,
                                              &series, &n);
    }

    if (status == PYRO_OK) {
        pyro_render_single(render, &graph, series, n, &q->answer);
    }

    return status;
}


static pyro_status_e
ngx_pyroscope_querier_export(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_render_t *render)
{
    pyro_tree_t    *tree;
    pyro_status_e   status;

    status = ngx_pyroscope_querier_tree(q, arena, &render->plan,
                                   pyro_export_by_lines(render->plan.format),
                                   &tree);

    return status == PYRO_OK
           ? pyro_export_file(tree, render, &q->answer, &q->error) : status;
}


static pyro_status_e
ngx_pyroscope_querier_double(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_render_t *render)
{
    int64_t            left, right;
    pyro_status_e      status;
    pyro_flamegraph_t  graph;

    status = ngx_pyroscope_querier_both(q, arena, &render->plan, &graph, &left,
                                        &right);

    if (status == PYRO_OK) {
        pyro_render_double(render, &graph, left, right, &q->answer);
    }

    return status;
}


static pyro_status_e
ngx_pyroscope_querier_list(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_render_t *render)
{
    pyro_store_query_t  query;

    ngx_pyroscope_querier_query(q, arena, &render->plan, &query);

    return ngx_pyroscope_querier_labels(q, &render->plan, &query);
}
