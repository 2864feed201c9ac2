#include "ngx_pyroscope_module/ngx_pyroscope_querier.h"

#include "core/api/export.h"
#include "core/query/cut.h"
#include "core/query/diff.h"


static pyro_status_e ngx_pyroscope_querier_graph(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_plan_t *plan);
static pyro_status_e ngx_pyroscope_querier_pprof(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_plan_t *plan,
    Google__V1__Profile **profile);
static pyro_status_e ngx_pyroscope_querier_text(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_plan_t *plan, pyro_rope_t *out);
static void ngx_pyroscope_querier_pick(const pyro_plan_t *plan,
    pyro_store_pick_t *pick);


pyro_status_e
ngx_pyroscope_querier_tree(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan, int by_lines, pyro_tree_t **tree)
{
    uint32_t            i;
    pyro_status_e       status;
    pyro_store_pick_t   pick;
    pyro_store_query_t  query;

    *tree = by_lines ? pyro_tree_create_by_lines(arena)
                     : pyro_tree_create(arena);

    if (*tree == NULL) {
        return pyro_error_memory(&q->error);
    }

    ngx_pyroscope_querier_query(q, arena, plan, &query);
    ngx_pyroscope_querier_pick(plan, &pick);

    if (pick.n_spans || pick.n_traces || pick.n_profiles) {
        query.pick = &pick;
    }

    status = PYRO_OK;

    for (i = 0; i < q->n_tenants && status == PYRO_OK; i++) {
        query.tenant = q->tenants[i];
        status = pyro_store_merge(q->store, &query, *tree, &q->error);
    }

    if (status == PYRO_OK && plan->n_call_site
        && pyro_tree_keep(*tree, plan->call_site, plan->n_call_site))
    {
        status = pyro_error_memory(&q->error);
    }

    return status;
}


static void
ngx_pyroscope_querier_pick(const pyro_plan_t *plan, pyro_store_pick_t *pick)
{
    pick->spans = plan->pick.spans;
    pick->n_spans = plan->pick.n_spans;
    pick->traces = plan->pick.traces;
    pick->n_traces = plan->pick.n_traces;
    pick->profiles = plan->pick.profiles;
    pick->n_profiles = plan->pick.n_profiles;
}


pyro_status_e
ngx_pyroscope_querier_stacks(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan)
{
    pyro_rope_t           text;
    pyro_slice_t          flat;
    pyro_status_e         status;
    Google__V1__Profile  *profile;

    if (plan->format == PYRO_FORMAT_FLAMEGRAPH) {
        return ngx_pyroscope_querier_graph(q, arena, plan);
    }

    if (plan->format == PYRO_FORMAT_PPROF) {
        status = ngx_pyroscope_querier_pprof(q, arena, plan, &profile);

        return status == PYRO_OK
               ? pyro_pprof_encode(plan->rpc, profile, q->codec, &q->answer,
                                   &q->error)
               : status;
    }

    pyro_rope_init(&text, q->settings->query.max_response_bytes);
    status = ngx_pyroscope_querier_text(q, arena, plan, &text);
    flat = pyro_slice(NULL, 0);

    if (status == PYRO_OK) {
        pyro_rope_append(&text, "", 1);
        flat = pyro_rope_flat(&text, arena);
        status = flat.data == NULL ? pyro_error_memory(&q->error) : PYRO_OK;
        flat.len -= flat.data != NULL;
    }

    pyro_rope_free(&text);

    if (status != PYRO_OK) {
        return status;
    }

    return plan->format == PYRO_FORMAT_TREE
           ? pyro_tree_encode(flat, q->codec, &q->answer, &q->error)
           : pyro_dot_encode(flat, q->codec, &q->answer, &q->error);
}


static pyro_status_e
ngx_pyroscope_querier_graph(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan)
{
    pyro_tree_t        *tree;
    pyro_status_e       status;
    pyro_flamegraph_t   graph;

    status = ngx_pyroscope_querier_tree(q, arena, plan, 0, &tree);

    if (status == PYRO_OK) {
        status = pyro_flamegraph_build(tree, plan->max_nodes, &graph,
                                       &q->error);
    }

    return status == PYRO_OK
           ? pyro_flamegraph_encode(arena, &graph, q->codec, &q->answer,
                                    &q->error)
           : status;
}


static pyro_status_e
ngx_pyroscope_querier_pprof(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan, Google__V1__Profile **profile)
{
    pyro_tree_t    *tree;
    pyro_status_e   status;

    status = ngx_pyroscope_querier_tree(q, arena, plan, 1, &tree);

    return status == PYRO_OK
           ? pyro_export_pprof(tree, plan, profile, &q->error) : status;
}


static pyro_status_e
ngx_pyroscope_querier_text(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan, pyro_rope_t *out)
{
    pyro_tree_t    *tree;
    pyro_status_e   status;

    status = ngx_pyroscope_querier_tree(q, arena, plan, 0, &tree);

    return status == PYRO_OK ? pyro_export_text(tree, plan, out, &q->error)
                             : status;
}


pyro_status_e
ngx_pyroscope_querier_both(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan, pyro_flamegraph_t *graph, int64_t *left,
    int64_t *right)
{
    pyro_tree_t    *trees[2];
    pyro_status_e   status;

    status = ngx_pyroscope_querier_tree(q, arena, plan->left, 0, &trees[0]);

    if (status == PYRO_OK) {
        status = pyro_cut(trees[0], plan->left->max_nodes, &trees[0],
                          &q->error);
    }

    if (status == PYRO_OK) {
        status = ngx_pyroscope_querier_tree(q, arena, plan->right, 0,
                                            &trees[1]);
    }

    if (status == PYRO_OK) {
        status = pyro_cut(trees[1], plan->right->max_nodes, &trees[1],
                          &q->error);
    }

    return status == PYRO_OK
           ? pyro_diff_build(trees[0], trees[1], graph, left, right,
                             &q->error)
           : status;
}


pyro_status_e
ngx_pyroscope_querier_diff(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan)
{
    int64_t            left, right;
    pyro_status_e      status;
    pyro_flamegraph_t  graph;

    status = ngx_pyroscope_querier_both(q, arena, plan, &graph, &left, &right);

    return status == PYRO_OK
           ? pyro_diff_encode(arena, &graph, left, right, q->codec, &q->answer,
                              &q->error)
           : status;
}
