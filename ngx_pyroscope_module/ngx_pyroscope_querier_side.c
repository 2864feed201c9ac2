#include "ngx_pyroscope_module/ngx_pyroscope_querier.h"


static pyro_status_e ngx_pyroscope_querier_stats(ngx_pyroscope_query_t *q);
static pyro_status_e ngx_pyroscope_querier_analyze(ngx_pyroscope_query_t *q,
    pyro_store_query_t *query);
static pyro_status_e ngx_pyroscope_querier_settings(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena);
static pyro_status_e ngx_pyroscope_querier_set(ngx_pyroscope_query_t *q,
    const pyro_plan_t *plan, pyro_arena_t *arena);


pyro_status_e
ngx_pyroscope_querier_side(ngx_pyroscope_query_t *q, const pyro_plan_t *plan,
    pyro_store_query_t *query)
{
    pyro_status_e  status;

    status = PYRO_OK;

    switch (plan->rpc) {

    case PYRO_RPC_GET_PROFILE_STATS:
        return ngx_pyroscope_querier_stats(q);

    case PYRO_RPC_ANALYZE_QUERY:
        return ngx_pyroscope_querier_analyze(q, query);

    case PYRO_RPC_GET_SETTINGS:
        return ngx_pyroscope_querier_settings(q, query->arena);

    case PYRO_RPC_SET_SETTINGS:
        return ngx_pyroscope_querier_set(q, plan, query->arena);

    case PYRO_RPC_DELETE_SETTINGS:
        status = pyro_store_settings_delete(q->store, q->tenants[0],
                                            plan->name, &q->error);
        break;

    default:
        break;
    }

    return status == PYRO_OK
           ? pyro_side_encode(plan->rpc, q->codec, &q->answer, &q->error)
           : status;
}


static pyro_status_e
ngx_pyroscope_querier_stats(ngx_pyroscope_query_t *q)
{
    int64_t        oldest, newest, first, last;
    uint32_t       i;
    pyro_status_e  status;

    oldest = -1;
    newest = -1;

    for (i = 0; i < q->n_tenants; i++) {
        status = pyro_store_extent(q->store, q->tenants[i], &first, &last,
                                   &q->error);

        if (status == PYRO_NOT_FOUND) {
            continue;
        }

        if (status != PYRO_OK) {
            return status;
        }

        oldest = oldest == -1 ? first : ngx_min(oldest, first);
        newest = ngx_max(newest, last);
    }

    return pyro_stats_encode(oldest, newest, q->codec, &q->answer, &q->error);
}


static pyro_status_e
ngx_pyroscope_querier_analyze(ngx_pyroscope_query_t *q,
    pyro_store_query_t *query)
{
    uint32_t               i;
    pyro_status_e          status;
    pyro_analysis_t        analysis;
    pyro_store_analysis_t  found;

    ngx_memzero(&analysis, sizeof(pyro_analysis_t));

    for (i = 0; i < q->n_tenants; i++) {
        query->tenant = q->tenants[i];
        status = pyro_store_analyze(q->store, query, &found, &q->error);

        if (status != PYRO_OK) {
            return status;
        }

        /* files are not one tenant's */

        analysis.partitions = ngx_max(analysis.partitions, found.partitions);
        analysis.series += found.series;
        analysis.profiles += found.profiles;
        analysis.index_bytes = ngx_max(analysis.index_bytes,
                                       found.index_bytes);
        analysis.symbol_bytes = ngx_max(analysis.symbol_bytes,
                                        found.symbol_bytes);
        analysis.profile_bytes = ngx_max(analysis.profile_bytes,
                                         found.profile_bytes);
    }

    return pyro_analysis_encode(&analysis, q->codec, &q->answer, &q->error);
}


static pyro_status_e
ngx_pyroscope_querier_settings(ngx_pyroscope_query_t *q, pyro_arena_t *arena)
{
    uint32_t               i, n;
    pyro_status_e          status;
    pyro_setting_t        *list;
    pyro_store_setting_t  *settings;

    status = pyro_store_settings_get(q->store,
                                     q->tenants[0], arena,
                                     &settings, &n, &q->error);

    if (status != PYRO_OK) {
        return status;
    }

    list = pyro_arena_calloc(arena, n, sizeof(pyro_setting_t));

    if (list == NULL) {
        return pyro_error_memory(&q->error);
    }

    for (i = 0; i < n; i++) {
        list[i].name = settings[i].name;
        list[i].value = settings[i].value;
        list[i].modified = settings[i].modified_at;
    }

    return pyro_settings_encode(arena, PYRO_RPC_GET_SETTINGS, list, n,
                                q->codec, &q->answer, &q->error);
}


static pyro_status_e
ngx_pyroscope_querier_set(ngx_pyroscope_query_t *q, const pyro_plan_t *plan,
    pyro_arena_t *arena)
{
    pyro_status_e         status;
    pyro_setting_t        set;
    pyro_store_setting_t  setting;

    setting.name = plan->name;
    setting.value = plan->value;
    setting.modified_at = plan->modified;

    status = pyro_store_settings_set(q->store,
                                     q->tenants[0],
                                     &setting, &q->error);

    if (status != PYRO_OK) {
        return status;
    }

    set.name = setting.name;
    set.value = setting.value;
    set.modified = setting.modified_at;

    return pyro_settings_encode(arena, PYRO_RPC_SET_SETTINGS, &set, 1,
                                q->codec, &q->answer, &q->error);
}
