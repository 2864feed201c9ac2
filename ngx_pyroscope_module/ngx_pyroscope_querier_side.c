#include "ngx_pyroscope_module/ngx_pyroscope_querier.h"


pyro_status_e
ngx_pyroscope_querier_side(ngx_pyroscope_query_t *q, const pyro_plan_t *plan,
    pyro_store_query_t *query)
{
    return pyro_side_encode(plan->rpc, q->codec, &q->answer, &q->error);
}
