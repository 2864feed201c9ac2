#include "ngx_pyroscope_module/ngx_pyroscope_querier.h"

#include "core/api/grpc.h"
#include "core/base/clock.h"
#include "core/base/inflate.h"


#define NGX_PYROSCOPE_QUERY_BODY  (4 * 1024 * 1024)     /* inflated bytes */
#define NGX_PYROSCOPE_MAX_POINTS  (10 * 1000 * 1000)    /* of SelectSeries */


static pyro_status_e ngx_pyroscope_querier_answer(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena);
static pyro_status_e ngx_pyroscope_querier_plan(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, pyro_plan_t *plan);
static pyro_status_e ngx_pyroscope_querier_plan_run(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_plan_t *plan);
static pyro_status_e ngx_pyroscope_querier_call(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena);
static pyro_status_e ngx_pyroscope_querier_select(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_store_query_t *query);
static pyro_status_e ngx_pyroscope_querier_totals(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_store_query_t *query,
    pyro_series_set_t *set);
static pyro_status_e ngx_pyroscope_querier_group(void *ctx,
    const pyro_labels_t *labels, uint32_t *group, pyro_error_t *err);
static pyro_status_e ngx_pyroscope_querier_total(void *ctx, uint32_t group,
    int64_t time_ns, uint64_t total, uint32_t count, pyro_error_t *err);
static pyro_status_e ngx_pyroscope_querier_gzip(ngx_pyroscope_query_t *q);
static pyro_status_e ngx_pyroscope_querier_unframe(ngx_pyroscope_query_t *q,
    pyro_slice_t *body, int *packed);
static pyro_status_e ngx_pyroscope_querier_frame(ngx_pyroscope_query_t *q);


void
ngx_pyroscope_querier_run(void *data)
{
    int64_t                 start;
    pyro_arena_t           *arena;
    ngx_pyroscope_query_t  *q = data;

    start = pyro_clock_mono();

    pyro_rope_init(&q->answer, q->settings->query.max_response_bytes);

    if (atomic_load_explicit(q->canceled, memory_order_relaxed)) {
        q->status = pyro_error_set(&q->error, PYRO_CANCELED,
                                   PYRO_REASON_CANCELED,
                                   "the client went away");
        return;
    }

    if (q->deadline && start > q->deadline) {
        q->status = pyro_error_set(&q->error, PYRO_DEADLINE,
                                   PYRO_REASON_DEADLINE,
                                   "the query waited past its deadline "
                                   "(query.timeout or Connect-Timeout-Ms)");
        return;
    }

    arena = pyro_arena_create(q->settings->query.max_memory);

    q->status = arena == NULL ? pyro_error_memory(&q->error)
                              : ngx_pyroscope_querier_answer(q, arena);

    pyro_arena_destroy(arena);

    q->time = pyro_clock_mono() - start;
}


static pyro_status_e
ngx_pyroscope_querier_answer(ngx_pyroscope_query_t *q, pyro_arena_t *arena)
{
    pyro_status_e  status;

    status = q->rpc < PYRO_RPC_COUNT ? ngx_pyroscope_querier_call(q, arena)
                                     : ngx_pyroscope_querier_render(q, arena);

    if (status == PYRO_OK) {
        status = pyro_rope_status(&q->answer, &q->error);
    }

    if (status == PYRO_OK && q->gzip_out && !q->unchanged) {
        status = ngx_pyroscope_querier_gzip(q);
    }

    if (status == PYRO_OK && q->protocol != PYRO_PROTOCOL_CONNECT) {
        status = ngx_pyroscope_querier_frame(q);
    }

    return status;
}


static pyro_status_e
ngx_pyroscope_querier_call(ngx_pyroscope_query_t *q, pyro_arena_t *arena)
{
    pyro_plan_t    plan;
    pyro_status_e  status;

    status = ngx_pyroscope_querier_plan(q, arena, &plan);

    if (status != PYRO_OK) {
        return status;
    }

    status = ngx_pyroscope_querier_plan_run(q, arena, &plan);
    pyro_plan_free(&plan);

    return status;
}


void
ngx_pyroscope_querier_limits(const ngx_pyroscope_query_t *q,
    pyro_querier_limits_t *limits)
{
    limits->max_nodes_default = q->limits.max_flamegraph_nodes_default;
    limits->max_nodes_max = q->limits.max_flamegraph_nodes_max;
    limits->max_query_length = q->limits.max_query_length;
    limits->max_query_lookback = q->limits.max_query_lookback;
    limits->max_points = NGX_PYROSCOPE_MAX_POINTS;
    limits->now = pyro_clock_wall();
}


static pyro_status_e
ngx_pyroscope_querier_plan(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    pyro_plan_t *plan)
{
    int                    packed;
    pyro_slice_t           body;
    pyro_status_e          status;
    pyro_querier_limits_t  limits;

    packed = (int) q->gzip_in;
    status = ngx_pyroscope_body_read(&q->body, arena, &body, &q->error);

    if (status == PYRO_OK && q->protocol != PYRO_PROTOCOL_CONNECT) {
        status = ngx_pyroscope_querier_unframe(q, &body, &packed);
    }

    if (status == PYRO_OK && packed) {
        status = pyro_gunzip(arena, body, NGX_PYROSCOPE_QUERY_BODY,
                             "the inflated size of a query", &body, &q->error);

        /* a profile that is broken is 422, a question is a bad request */

        if (status == PYRO_UNPROCESSABLE) {
            status = PYRO_INVALID;
            q->error.status = PYRO_INVALID;
            q->error.reason = PYRO_REASON_REQUEST;
        }
    }

    if (status != PYRO_OK) {
        return status;
    }

    ngx_pyroscope_querier_limits(q, &limits);

    status = pyro_plan_decode(arena, q->rpc, q->codec, body, &limits, plan,
                              &q->error);

    if (status == PYRO_OK) {
        plan->utf8_names = (int) q->utf8_names;
    }

    return status;
}


void
ngx_pyroscope_querier_query(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan, pyro_store_query_t *query)
{
    memset(query, 0, sizeof(pyro_store_query_t));

    query->missing = &q->missing;
    query->selectors = plan->selectors;
    query->n_selectors = plan->n_selectors;
    query->start = plan->start;
    query->end = plan->end;
    query->max_series = q->settings->query.max_series;
    query->deadline = q->deadline;
    query->cancel = q->canceled;
    query->arena = arena;
}


static pyro_status_e
ngx_pyroscope_querier_plan_run(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan)
{
    pyro_store_query_t  query;

    ngx_pyroscope_querier_query(q, arena, plan, &query);

    switch (plan->rpc) {

    case PYRO_RPC_SELECT_MERGE_STACKTRACES:
    case PYRO_RPC_SELECT_MERGE_SPAN_PROFILE:
    case PYRO_RPC_SELECT_MERGE_PROFILE:
        return ngx_pyroscope_querier_stacks(q, arena, plan);

    case PYRO_RPC_DIFF:
        return ngx_pyroscope_querier_diff(q, arena, plan);

    case PYRO_RPC_SELECT_SERIES:
        return ngx_pyroscope_querier_select(q, plan, &query);

    case PYRO_RPC_SELECT_HEATMAP:
        return ngx_pyroscope_querier_heatmap(q, plan, &query);

    case PYRO_RPC_PROFILE_TYPES:
    case PYRO_RPC_LABEL_NAMES:
    case PYRO_RPC_LABEL_VALUES:
    case PYRO_RPC_SERIES:
        return ngx_pyroscope_querier_labels(q, plan, &query);

    default:
        return ngx_pyroscope_querier_side(q, plan, &query);
    }
}


pyro_status_e
ngx_pyroscope_querier_labels(ngx_pyroscope_query_t *q, const pyro_plan_t *plan,
    pyro_store_query_t *query)
{
    uint32_t              i;
    pyro_status_e         status;
    pyro_label_answer_t  *answer;

    switch (plan->rpc) {

    case PYRO_RPC_PROFILE_TYPES:
        query->distinct = PYRO_DISTINCT_TYPES;
        break;

    case PYRO_RPC_LABEL_NAMES:
        query->distinct = PYRO_DISTINCT_NAMES;
        break;

    case PYRO_RPC_LABEL_VALUES:
        query->distinct = PYRO_DISTINCT_VALUES;
        query->label = plan->label;
        break;

    default:
        query->distinct = PYRO_DISTINCT_SERIES;
    }

    answer = pyro_label_answer_create(query->arena, plan);

    if (answer == NULL) {
        return pyro_error_memory(&q->error);
    }

    status = PYRO_OK;

    for (i = 0; i < q->n_tenants && status == PYRO_OK; i++) {
        query->tenant = q->tenants[i];
        status = pyro_store_series(q->store, query, pyro_label_answer_add,
                                   answer, &q->error);
    }

    if (status != PYRO_OK) {
        return status;
    }

    return q->rpc < PYRO_RPC_COUNT
           ? pyro_label_answer_encode(answer, q->codec, &q->answer, &q->error)
           : pyro_label_answer_list(answer, &q->answer, &q->error);
}


static pyro_status_e
ngx_pyroscope_querier_select(ngx_pyroscope_query_t *q, const pyro_plan_t *plan,
    pyro_store_query_t *query)
{
    uint32_t        n;
    pyro_series_t  *series;
    pyro_status_e   status;

    status = ngx_pyroscope_querier_series(q, plan, query, &series, &n);

    return status == PYRO_OK
           ? pyro_series_encode(query->arena, plan, series, n, q->codec,
                                &q->answer, &q->error)
           : status;
}


pyro_status_e
ngx_pyroscope_querier_series(ngx_pyroscope_query_t *q, const pyro_plan_t *plan,
    pyro_store_query_t *query, pyro_series_t **series, uint32_t *n)
{
    pyro_status_e       status;
    pyro_series_set_t  *set;

    set = pyro_series_create(query->arena, &plan->series);

    if (set == NULL) {
        return pyro_error_memory(&q->error);
    }

    ngx_pyroscope_querier_range(plan, query);

    status = plan->exemplars
             ? ngx_pyroscope_querier_exemplars(q, plan, query, set)
             : ngx_pyroscope_querier_totals(q, plan, query, set);

    return status == PYRO_OK ? pyro_series_finish(set, series, n, &q->error)
                             : status;
}


void
ngx_pyroscope_querier_range(const pyro_plan_t *plan,
    pyro_store_query_t *query)
{
    pyro_series_range(&plan->series, &query->start, &query->end);

    /* limits.max_query_lookback holds within a step as well */

    if (plan->oldest) {
        query->start = ngx_max(query->start, plan->oldest);
        query->end = ngx_max(query->end, query->start);
    }
}


static pyro_status_e
ngx_pyroscope_querier_totals(ngx_pyroscope_query_t *q, const pyro_plan_t *plan,
    pyro_store_query_t *query, pyro_series_set_t *set)
{
    pyro_store_totals_handler_t  handler;

    ngx_memzero(&handler, sizeof(pyro_store_totals_handler_t));

    handler.ctx = set;
    handler.grid = &plan->series;
    handler.series = ngx_pyroscope_querier_group;
    handler.total = ngx_pyroscope_querier_total;

    return ngx_pyroscope_querier_each(q, query, &handler);
}


pyro_status_e
ngx_pyroscope_querier_each(ngx_pyroscope_query_t *q,
    pyro_store_query_t *query, const pyro_store_totals_handler_t *handler)
{
    uint32_t       i;
    pyro_status_e  status;

    status = PYRO_OK;

    for (i = 0; i < q->n_tenants && status == PYRO_OK; i++) {
        query->tenant = q->tenants[i];
        status = pyro_store_totals(q->store, query, handler, &q->error);
    }

    return status;
}


static pyro_status_e
ngx_pyroscope_querier_group(void *ctx, const pyro_labels_t *labels,
    uint32_t *group, pyro_error_t *err)
{
    *group = pyro_series_group(ctx, labels);

    return *group == PYRO_NONE ? pyro_error_memory(err) : PYRO_OK;
}


static pyro_status_e
ngx_pyroscope_querier_total(void *ctx, uint32_t group, int64_t time_ns,
    uint64_t total, uint32_t count, pyro_error_t *err)
{
    return pyro_series_add_sum(ctx, group, time_ns, total, count, err);
}


static pyro_status_e
ngx_pyroscope_querier_gzip(ngx_pyroscope_query_t *q)
{
    pyro_rope_t    packed;
    pyro_status_e  status;

    pyro_rope_init(&packed, 0);

    status = pyro_gzip(&q->answer, &packed, &q->error);

    pyro_rope_free(&q->answer);
    q->answer = packed;

    return status;
}


/* A message says by itself whether it is compressed, a header only how. */

static pyro_status_e
ngx_pyroscope_querier_unframe(ngx_pyroscope_query_t *q, pyro_slice_t *body,
    int *packed)
{
    pyro_status_e  status;

    status = pyro_grpc_message(*body, body, packed, &q->error);

    if (status == PYRO_OK && *packed && !q->gzip_in) {
        return pyro_error_set(&q->error, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "a gRPC message is compressed, but there is no "
                              "header grpc-encoding");
    }

    return status;
}


static pyro_status_e
ngx_pyroscope_querier_frame(ngx_pyroscope_query_t *q)
{
    pyro_grpc_frame(&q->answer, (int) q->gzip_out);

    if (q->protocol == PYRO_PROTOCOL_GRPC_WEB) {
        pyro_grpc_web_end(&q->answer);
    }

    return pyro_rope_status(&q->answer, &q->error);
}
