#include "core/api/plan_job.h"

#include "core/base/clock.h"


#define PYRO_PLAN_MAX_SELECTORS  100


static pyro_status_e pyro_plan_profile_type(pyro_planner_t *p);


pyro_status_e
pyro_plan_decode(pyro_arena_t *arena, pyro_rpc_e rpc, pyro_codec_e codec,
    pyro_slice_t body, const pyro_querier_limits_t *limits, pyro_plan_t *plan,
    pyro_error_t *err)
{
    pyro_status_e      status;
    pyro_planner_t     planner;
    ProtobufCMessage  *message;

    memset(plan, 0, sizeof(pyro_plan_t));
    plan->rpc = rpc;

    status = pyro_codec_decode(codec, pyro_plan_messages[rpc], body, arena,
                               &message, err);

    if (status != PYRO_OK) {
        return status;
    }

    memset(&planner, 0, sizeof(pyro_planner_t));
    planner.arena = arena;
    planner.plan = plan;
    planner.err = err;
    planner.limits = limits;

    status = pyro_plan_message(&planner, message);

    if (status != PYRO_OK) {
        pyro_plan_free(plan);
    }

    return status;
}


void
pyro_plan_free(pyro_plan_t *plan)
{
    uint32_t  i;

    for (i = 0; i < plan->n_selectors; i++) {
        pyro_selector_free(&plan->selectors[i]);
    }

    plan->n_selectors = 0;

    if (plan->left != NULL) {
        pyro_plan_free(plan->left);
    }

    if (plan->right != NULL) {
        pyro_plan_free(plan->right);
    }
}


pyro_status_e
pyro_plan_max_nodes(pyro_planner_t *p, int64_t n, int limited)
{
    uint64_t  max;

    max = p->limits->max_nodes_max;

    if (n < 0) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_QUERY,
                              "max_nodes %lld: max flamegraph nodes limit must "
                              "be set (max allowed %llu)", (long long) n,
                              (unsigned long long) max);
    }

    if (max && (uint64_t) n > max) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_QUERY,
                              "max flamegraph nodes limit %lld is greater than "
                              "allowed %llu", (long long) n,
                              (unsigned long long) max);
    }

    p->plan->max_nodes = n || !limited ? (uint64_t) n
                                       : p->limits->max_nodes_default;

    return PYRO_OK;
}


pyro_status_e
pyro_plan_step(pyro_planner_t *p, double seconds)
{
    /* written so that NaN fails */

    if (!(seconds >= 0.001)) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "step must be >= 1ms, got %g s", seconds);
    }

    p->plan->series.step = PYRO_PLAN_MAX_MS;

    if (seconds * 1000 < (double) PYRO_PLAN_MAX_MS) {
        p->plan->series.step = (int64_t) (seconds * 1000);
    }

    return PYRO_OK;
}


/*
 * Milliseconds to an inclusive range.  A start or end of 0 is open; ranges
 * wholly before max_query_lookback become one in which nothing can be.
 */
pyro_status_e
pyro_plan_range(pyro_planner_t *p)
{
    int64_t  now, start, end, oldest, length;

    now = p->limits->now / PYRO_NS_PER_MS;
    start = p->common.start;
    end = p->common.end ? p->common.end : PYRO_PLAN_MAX_MS;

    if (start > end && p->common.start && p->common.end) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "query start time is after end time "
                              "(start %lld, end %lld)", (long long) start,
                              (long long) end);
    }

    start = start < -PYRO_PLAN_MAX_MS ? -PYRO_PLAN_MAX_MS
            : start > PYRO_PLAN_MAX_MS ? PYRO_PLAN_MAX_MS : start;
    end = end > PYRO_PLAN_MAX_MS ? PYRO_PLAN_MAX_MS
          : end < start ? start : end;

    oldest = now / 1000 - p->limits->max_query_lookback;

    if (p->limits->max_query_lookback && oldest > 0 && start < oldest * 1000) {
        start = end < oldest * 1000 ? PYRO_PLAN_MAX_MS : oldest * 1000;
        end = end < start ? start : end;
    }

    p->plan->oldest = p->limits->max_query_lookback && oldest > 0
                      ? oldest * PYRO_NS_PER_SEC : 0;

    length = ((end < now || start > now ? end : now) - start + 999) / 1000;

    if (p->limits->max_query_length && length > p->limits->max_query_length) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_QUERY,
                              "the query time range exceeds the limit "
                              "(max_query_length, actual: %llds, limit: %llds)",
                              (long long) length,
                              (long long) p->limits->max_query_length);
    }

    p->common.start = start;
    p->common.end = end;
    p->plan->start = start * PYRO_NS_PER_MS;
    p->plan->end = end == PYRO_PLAN_MAX_MS ? INT64_MAX : end * PYRO_NS_PER_MS;

    return PYRO_OK;
}


pyro_status_e
pyro_plan_selectors(pyro_planner_t *p)
{
    size_t          i;
    pyro_plan_t    *plan;
    pyro_status_e   status;

    plan = p->plan;

    if (p->common.n_matchers > PYRO_PLAN_MAX_SELECTORS) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_QUERY,
                              "matchers: %zu selectors, at most %d are allowed",
                              p->common.n_matchers, PYRO_PLAN_MAX_SELECTORS);
    }

    plan->selectors = pyro_arena_calloc(p->arena, p->common.n_matchers,
                                        sizeof(pyro_selector_t));

    if (plan->selectors == NULL) {
        return pyro_error_memory(p->err);
    }

    for (i = 0; i < p->common.n_matchers; i++) {
        status = pyro_selector_parse(p->arena,
                                     pyro_slice_str(p->common.matchers[i]),
                                     &plan->selectors[i], p->err);

        if (status != PYRO_OK) {
            return status;
        }

        plan->n_selectors++;
    }

    return p->common.type != NULL ? pyro_plan_profile_type(p) : PYRO_OK;
}


static pyro_status_e
pyro_plan_profile_type(pyro_planner_t *p)
{
    uint32_t       i;
    pyro_slice_t   id;
    pyro_status_e  status;

    status = pyro_profile_type_parse(pyro_slice_str(p->common.type),
                                     &p->plan->type, p->err);

    if (status != PYRO_OK) {
        return status;
    }

    id = pyro_profile_type_id(p->arena, &p->plan->type);

    if (id.data == NULL) {
        return pyro_error_memory(p->err);
    }

    for (i = 0; i < p->plan->n_selectors; i++) {
        if (pyro_selector_add(&p->plan->selectors[i],
                              PYRO_SLICE("__profile_type__"), id))
        {
            return pyro_error_memory(p->err);
        }
    }

    return PYRO_OK;
}


pyro_slice_t *
pyro_plan_names(pyro_planner_t *p, char **names, size_t n)
{
    size_t         i;
    pyro_slice_t  *slices;

    slices = pyro_arena_calloc(p->arena, n, sizeof(pyro_slice_t));

    for (i = 0; slices != NULL && i < n; i++) {
        slices[i] = pyro_slice_str(names[i]);
    }

    return slices;
}


pyro_status_e
pyro_plan_not_supported(pyro_planner_t *p, const char *field, const char *hint)
{
    return pyro_error_set(p->err, PYRO_UNIMPLEMENTED, PYRO_REASON_REQUEST,
                          "%s: field %s with this value is not supported, %s",
                          pyro_plan_names_of_rpcs[p->plan->rpc], field, hint);
}
