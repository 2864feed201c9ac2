/*
 * Heatmaps and exemplars: answers that know single profiles.
 */

#include "ngx_pyroscope_module/ngx_pyroscope_querier.h"

#include "core/base/clock.h"


/* What the store tells of single profiles goes to one of both sets. */
typedef struct {
    pyro_arena_t        *arena;
    pyro_heatmap_set_t  *heatmap;
    pyro_series_set_t   *series;
    pyro_labels_t        labels;        /* of the series at hand, copied */
} ngx_pyroscope_profiles_t;


static pyro_status_e ngx_pyroscope_profiles_group(void *ctx,
    const pyro_labels_t *labels, uint32_t *group, pyro_error_t *err);
static pyro_status_e ngx_pyroscope_profiles_total(void *ctx, uint32_t group,
    int64_t time_ns, uint64_t total, uint32_t count, pyro_error_t *err);
static pyro_status_e ngx_pyroscope_profiles_add(void *ctx, uint32_t group,
    const pyro_store_profile_t *profile, pyro_error_t *err);
static pyro_status_e ngx_pyroscope_profiles_labels(pyro_arena_t *arena,
    const pyro_labels_t *labels, pyro_labels_t *copy, pyro_error_t *err);


pyro_status_e
ngx_pyroscope_querier_heatmap(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_store_query_t *query)
{
    pyro_status_e                status;
    pyro_heatmap_t               heatmap;
    ngx_pyroscope_profiles_t      ctx;
    pyro_store_totals_handler_t  handler;

    ngx_memzero(&ctx, sizeof(ngx_pyroscope_profiles_t));
    ngx_memzero(&handler, sizeof(pyro_store_totals_handler_t));

    ctx.arena = query->arena;
    ctx.heatmap = pyro_heatmap_create(query->arena, &plan->series);

    if (ctx.heatmap == NULL) {
        return pyro_error_memory(&q->error);
    }

    ngx_pyroscope_querier_range(plan, query);

    handler.ctx = &ctx;
    handler.series = ngx_pyroscope_profiles_group;

    if (plan->by_span) {
        handler.span = ngx_pyroscope_profiles_add;

    } else {
        handler.profile = ngx_pyroscope_profiles_add;
    }

    status = ngx_pyroscope_querier_each(q, query, &handler);

    if (status == PYRO_OK) {
        status = pyro_heatmap_finish(ctx.heatmap, &heatmap, &q->error);
    }

    return status == PYRO_OK
           ? pyro_heatmap_encode(query->arena, plan, &heatmap, q->codec,
                                 &q->answer, &q->error)
           : status;
}


pyro_status_e
ngx_pyroscope_querier_exemplars(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_store_query_t *query,
    pyro_series_set_t *set)
{
    ngx_pyroscope_profiles_t     ctx;
    pyro_store_totals_handler_t  handler;

    ngx_memzero(&ctx, sizeof(ngx_pyroscope_profiles_t));
    ngx_memzero(&handler, sizeof(pyro_store_totals_handler_t));

    ctx.arena = query->arena;
    ctx.series = set;

    handler.ctx = &ctx;
    handler.grid = &plan->series;
    handler.series = ngx_pyroscope_profiles_group;
    handler.total = ngx_pyroscope_profiles_total;
    handler.profile = ngx_pyroscope_profiles_add;

    return ngx_pyroscope_querier_each(q, query, &handler);
}


/* Of a thinned partition, whose profiles are not known any more. */

static pyro_status_e
ngx_pyroscope_profiles_total(void *data, uint32_t group, int64_t time_ns,
    uint64_t total, uint32_t count, pyro_error_t *err)
{
    ngx_pyroscope_profiles_t *ctx = data;

    return pyro_series_add_sum(ctx->series, group, time_ns, total, count, err);
}


static pyro_status_e
ngx_pyroscope_profiles_group(void *data, const pyro_labels_t *labels,
    uint32_t *group, pyro_error_t *err)
{
    ngx_pyroscope_profiles_t *ctx = data;

    *group = ctx->heatmap != NULL ? pyro_heatmap_group(ctx->heatmap, labels)
                                  : pyro_series_group(ctx->series, labels);

    return *group == PYRO_NONE ? pyro_error_memory(err) : PYRO_OK;
}


static pyro_status_e
ngx_pyroscope_profiles_add(void *data, uint32_t group,
    const pyro_store_profile_t *profile, pyro_error_t *err)
{
    pyro_status_e             status;
    pyro_exemplar_t      value;
    ngx_pyroscope_profiles_t  *ctx = data;

    /* profiles of one series follow one another */

    if (ctx->labels.items == NULL
        || pyro_labels_cmp(&ctx->labels, profile->labels) != 0)
    {
        status = ngx_pyroscope_profiles_labels(ctx->arena, profile->labels,
                                           &ctx->labels, err);

        if (status != PYRO_OK) {
            return status;
        }
    }

    value.time = profile->time / PYRO_NS_PER_MS;
    value.value = profile->total;
    value.profile = profile->id;
    value.span = profile->span != NULL ? profile->span->id : 0;
    value.labels = ctx->labels;

    return ctx->heatmap != NULL
           ? pyro_heatmap_add(ctx->heatmap, group, &value, err)
           : pyro_series_add_profile(ctx->series, group, &value, err);
}


/* The store's are gone with the call. */

static pyro_status_e
ngx_pyroscope_profiles_labels(pyro_arena_t *arena, const pyro_labels_t *labels,
    pyro_labels_t *copy, pyro_error_t *err)
{
    uint32_t       i;
    pyro_label_t  *items;

    items = pyro_arena_calloc(arena, labels->n, sizeof(pyro_label_t));

    if (items == NULL) {
        return pyro_error_memory(err);
    }

    for (i = 0; i < labels->n; i++) {
        items[i].name = pyro_arena_dup(arena, labels->items[i].name);
        items[i].value = pyro_arena_dup(arena, labels->items[i].value);

        if (items[i].name.data == NULL || items[i].value.data == NULL) {
            return pyro_error_memory(err);
        }
    }

    copy->items = items;
    copy->n = labels->n;

    return PYRO_OK;
}
