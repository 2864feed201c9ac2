#include "ngx_pyroscope_module/ngx_pyroscope_querier.h"

#include "core/api/html.h"
#include "core/base/inflate.h"


static pyro_status_e ngx_pyroscope_querier_single(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_render_t *render);
static pyro_status_e ngx_pyroscope_querier_export(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_render_t *render);
static pyro_status_e ngx_pyroscope_querier_html(ngx_pyroscope_query_t *q,
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


/* pprof's files are packed whatever the client says. */

static pyro_status_e
ngx_pyroscope_querier_export(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_render_t *render)
{
    pyro_rope_t           plain;
    pyro_status_e         status;
    const pyro_plan_t    *plan;
    Google__V1__Profile  *profile;

    plan = &render->plan;

    if (plan->format == PYRO_FORMAT_HTML) {
        return ngx_pyroscope_querier_html(q, arena, render);
    }

    if (plan->format != PYRO_FORMAT_PPROF) {
        return ngx_pyroscope_querier_text(q, arena, plan, &q->answer);
    }

    status = ngx_pyroscope_querier_pprof(q, arena, plan, &profile);

    if (status != PYRO_OK) {
        return status;
    }

    pyro_rope_init(&plain, q->settings->query.max_response_bytes);
    pyro_codec_encode(PYRO_CODEC_PROTO, &profile->base, &plain);
    status = pyro_rope_status(&plain, &q->error);

    if (status == PYRO_OK) {
        status = pyro_gzip(&plain, &q->answer, &q->error);
    }

    pyro_rope_free(&plain);

    return status;
}


static pyro_status_e
ngx_pyroscope_querier_html(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_render_t *render)
{
    pyro_tree_t          *tree;
    pyro_status_e         status;
    pyro_flamegraph_t     graph;
    pyro_html_options_t   options;

    status = ngx_pyroscope_querier_tree(q, arena, &render->plan, 0, &tree);

    if (status == PYRO_OK) {
        status = pyro_flamegraph_build(tree, render->plan.max_nodes, &graph,
                                       &q->error);
    }

    options.type = &render->plan.type;
    options.query = render->query;
    options.start = render->plan.start;
    options.end = render->plan.end;

    return status == PYRO_OK
           ? pyro_html_write(arena, &graph, &options, &q->answer, &q->error)
           : status;
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
