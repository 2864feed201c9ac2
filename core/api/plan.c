#include "core/api/querier.h"

#include "core/api/proto/querier.pb-c.h"
#include "core/base/clock.h"


#define PYRO_PLAN_MAX_SELECTORS  100
#define PYRO_PLAN_MAX_MS         (INT64_MAX / PYRO_NS_PER_MS)


/* enum values, which protobuf-c calls by their type's name and their own */
#define PYRO_PLAN_AVERAGE                                                     \
  TYPES__V1__TIME_SERIES_AGGREGATION_TYPE__TIME_SERIES_AGGREGATION_TYPE_AVERAGE
#define PYRO_PLAN_ANY_FORMAT                                                  \
    QUERIER__V1__PROFILE_FORMAT__PROFILE_FORMAT_UNSPECIFIED
#define PYRO_PLAN_FLAMEGRAPH                                                  \
    QUERIER__V1__PROFILE_FORMAT__PROFILE_FORMAT_FLAMEGRAPH
#define PYRO_PLAN_ANY_EXEMPLARS                                               \
    TYPES__V1__EXEMPLAR_TYPE__EXEMPLAR_TYPE_UNSPECIFIED
#define PYRO_PLAN_NO_EXEMPLARS                                                \
    TYPES__V1__EXEMPLAR_TYPE__EXEMPLAR_TYPE_NONE


/* A request's fields that several RPCs have, whatever its message. */
typedef struct {
    int64_t                          start;     /* ms */
    int64_t                          end;       /* ms */
    const char                      *type;      /* profile_typeID, or NULL */
    char                           **matchers;
    size_t                           n_matchers;
    const Types__V1__StackTraceSelector  *stacks;
} pyro_plan_common_t;


typedef struct {
    pyro_arena_t                    *arena;
    pyro_plan_t                     *plan;
    pyro_error_t                    *err;
    const pyro_querier_limits_t     *limits;
    pyro_plan_common_t               common;
} pyro_planner_t;


static void pyro_plan_labels(pyro_planner_t *p, const ProtobufCMessage *m);
static pyro_status_e pyro_plan_label_values(pyro_planner_t *p,
    const Types__V1__LabelValuesRequest *m);
static pyro_status_e pyro_plan_label_sets(pyro_planner_t *p,
    const Querier__V1__SeriesRequest *m);
static pyro_status_e pyro_plan_stacktraces(pyro_planner_t *p,
    Querier__V1__SelectMergeStacktracesRequest *m);
static pyro_status_e pyro_plan_series(pyro_planner_t *p,
    Querier__V1__SelectSeriesRequest *m);
static pyro_status_e pyro_plan_series_options(pyro_planner_t *p,
    const Querier__V1__SelectSeriesRequest *m);
static pyro_status_e pyro_plan_message(pyro_planner_t *p,
    ProtobufCMessage *m);
static pyro_status_e pyro_plan_range(pyro_planner_t *p);
static pyro_status_e pyro_plan_selectors(pyro_planner_t *p);
static pyro_status_e pyro_plan_profile_type(pyro_planner_t *p);
static pyro_status_e pyro_plan_max_nodes(pyro_planner_t *p, int64_t n);
static pyro_slice_t *pyro_plan_names(pyro_planner_t *p, char **names,
    size_t n);
static pyro_status_e pyro_plan_not_yet(pyro_planner_t *p, const char *field,
    const char *hint);


static const char  *pyro_plan_rpcs[PYRO_RPC_COUNT] = {
    "ProfileTypes", "LabelNames", "LabelValues", "Series", "SelectSeries",
    "SelectMergeStacktraces"
};


pyro_status_e
pyro_plan_decode(pyro_arena_t *arena, pyro_rpc_e rpc, pyro_codec_e codec,
    pyro_slice_t body, const pyro_querier_limits_t *limits, pyro_plan_t *plan,
    pyro_error_t *err)
{
    pyro_status_e      status;
    pyro_planner_t     planner;
    ProtobufCMessage  *message;

    const ProtobufCMessageDescriptor  *types[PYRO_RPC_COUNT] = {
        &querier__v1__profile_types_request__descriptor,
        &types__v1__label_names_request__descriptor,
        &types__v1__label_values_request__descriptor,
        &querier__v1__series_request__descriptor,
        &querier__v1__select_series_request__descriptor,
        &querier__v1__select_merge_stacktraces_request__descriptor
    };

    memset(plan, 0, sizeof(pyro_plan_t));
    plan->rpc = rpc;

    status = pyro_codec_decode(codec, types[rpc], body, arena, &message, err);

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
}


/* What only one RPC has, then the range, which series need, then selectors. */
static pyro_status_e
pyro_plan_message(pyro_planner_t *p, ProtobufCMessage *m)
{
    pyro_status_e  status;

    status = PYRO_OK;

    switch (p->plan->rpc) {

    case PYRO_RPC_LABEL_VALUES:
        status = pyro_plan_label_values(p, (void *) m);
        break;

    case PYRO_RPC_SERIES:
        status = pyro_plan_label_sets(p, (void *) m);
        break;

    case PYRO_RPC_SELECT_SERIES:
        status = pyro_plan_series(p, (void *) m);
        break;

    case PYRO_RPC_SELECT_MERGE_STACKTRACES:
        status = pyro_plan_stacktraces(p, (void *) m);
        break;

    default:
        pyro_plan_labels(p, m);
    }

    if (status == PYRO_OK) {
        status = pyro_plan_range(p);
    }

    if (status == PYRO_OK && p->plan->rpc == PYRO_RPC_SELECT_SERIES) {
        status = pyro_plan_series_options(p, (void *) m);
    }

    return status == PYRO_OK ? pyro_plan_selectors(p) : status;
}


static void
pyro_plan_labels(pyro_planner_t *p, const ProtobufCMessage *m)
{
    const Types__V1__LabelNamesRequest     *names;
    const Querier__V1__ProfileTypesRequest  *types;

    if (p->plan->rpc == PYRO_RPC_PROFILE_TYPES) {
        types = (const void *) m;
        p->common.start = types->start;
        p->common.end = types->end;
        return;
    }

    names = (const void *) m;
    p->common.start = names->start;
    p->common.end = names->end;
    p->common.matchers = names->matchers;
    p->common.n_matchers = names->n_matchers;
}


static pyro_status_e
pyro_plan_label_values(pyro_planner_t *p,
    const Types__V1__LabelValuesRequest *m)
{
    if (m->name[0] == '\0') {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "name is required");
    }

    p->plan->label = pyro_slice_str(m->name);
    p->common.start = m->start;
    p->common.end = m->end;
    p->common.matchers = m->matchers;
    p->common.n_matchers = m->n_matchers;

    return PYRO_OK;
}


static pyro_status_e
pyro_plan_label_sets(pyro_planner_t *p, const Querier__V1__SeriesRequest *m)
{
    p->plan->label_names = pyro_plan_names(p, m->label_names,
                                           m->n_label_names);
    p->plan->n_label_names = (uint32_t) m->n_label_names;
    p->common.start = m->start;
    p->common.end = m->end;
    p->common.matchers = m->matchers;
    p->common.n_matchers = m->n_matchers;

    return p->plan->label_names ? PYRO_OK : pyro_error_memory(p->err);
}


static pyro_status_e
pyro_plan_stacktraces(pyro_planner_t *p,
    Querier__V1__SelectMergeStacktracesRequest *m)
{
    if (m->format != PYRO_PLAN_ANY_FORMAT
        && m->format != PYRO_PLAN_FLAMEGRAPH)
    {
        return pyro_plan_not_yet(p, "format", "only flame graphs are");
    }

    if (m->n_profile_id_selector) {
        return pyro_plan_not_yet(p, "profile_id_selector", "leave it out");
    }

    if (m->n_trace_id_selector) {
        return pyro_plan_not_yet(p, "trace_id_selector", "leave it out");
    }

    if (m->n_span_selector) {
        return pyro_plan_not_yet(p, "span_selector", "leave it out");
    }

    p->common.start = m->start;
    p->common.end = m->end;
    p->common.type = m->profile_typeid;
    p->common.matchers = &m->label_selector;
    p->common.n_matchers = 1;
    p->common.stacks = m->stack_trace_selector;

    return pyro_plan_max_nodes(p, m->max_nodes_set_case ? m->max_nodes : 0);
}


static pyro_status_e
pyro_plan_max_nodes(pyro_planner_t *p, int64_t n)
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

    p->plan->max_nodes = n ? (uint64_t) n : p->limits->max_nodes_default;

    return PYRO_OK;
}


static pyro_status_e
pyro_plan_series(pyro_planner_t *p, Querier__V1__SelectSeriesRequest *m)
{
    pyro_series_options_t  *series;

    if (m->exemplar_type != PYRO_PLAN_ANY_EXEMPLARS
        && m->exemplar_type != PYRO_PLAN_NO_EXEMPLARS)
    {
        return pyro_plan_not_yet(p, "exemplar_type", "only NONE is");
    }

    /* written so that NaN fails */

    if (!(m->step >= 0.001)) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "step must be >= 1ms, got %g s", m->step);
    }

    series = &p->plan->series;
    series->step = PYRO_PLAN_MAX_MS;

    if (m->step * 1000 < (double) PYRO_PLAN_MAX_MS) {
        series->step = (int64_t) (m->step * 1000);
    }

    if (m->limit_set_case && m->limit > 0) {
        series->limit = (uint64_t) m->limit;
    }

    p->common.start = m->start;
    p->common.end = m->end;
    p->common.type = m->profile_typeid;
    p->common.matchers = &m->label_selector;
    p->common.n_matchers = 1;
    p->common.stacks = m->stack_trace_selector;

    return PYRO_OK;
}


/* The grid is that of the range as it was clipped. */
static pyro_status_e
pyro_plan_series_options(pyro_planner_t *p,
    const Querier__V1__SelectSeriesRequest *m)
{
    pyro_series_options_t  *series;

    series = &p->plan->series;
    series->start = p->common.start;
    series->end = p->common.end;
    series->max_points = p->limits->max_points;
    series->aggregation = PYRO_SERIES_SUM;

    if (m->aggregation_set_case && m->aggregation) {
        if (m->aggregation != PYRO_PLAN_AVERAGE) {
            return pyro_plan_not_yet(p, "aggregation",
                                     "only sum and average are");
        }

        series->aggregation = PYRO_SERIES_AVERAGE;
    }

    series->group_by = pyro_plan_names(p, m->group_by, m->n_group_by);
    series->n_group_by = (uint32_t) m->n_group_by;

    if (series->group_by == NULL) {
        return pyro_error_memory(p->err);
    }

    pyro_series_range(series, &p->plan->start, &p->plan->end);

    return PYRO_OK;
}


/*
 * Milliseconds to an inclusive range.  A start or end of 0 is open; ranges
 * wholly before max_query_lookback become one in which nothing can be.
 */
static pyro_status_e
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


static pyro_status_e
pyro_plan_selectors(pyro_planner_t *p)
{
    size_t            i;
    pyro_plan_t      *plan;
    pyro_status_e     status;

    plan = p->plan;

    if (p->common.stacks != NULL && p->common.stacks->n_call_site) {
        return pyro_plan_not_yet(p, "stack_trace_selector.call_site",
                                 "leave it out");
    }

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
    uint32_t              i;
    pyro_slice_t          id, given;
    pyro_status_e         status;
    pyro_profile_type_t   type;

    given = pyro_slice_str(p->common.type);
    status = pyro_profile_type_parse(given, &type, p->err);

    if (status != PYRO_OK) {
        return status;
    }

    id = pyro_profile_type_id(p->arena, &type);

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


/* NULL: no memory.  The strings are the message's. */
static pyro_slice_t *
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


static pyro_status_e
pyro_plan_not_yet(pyro_planner_t *p, const char *field, const char *hint)
{
    return pyro_error_set(p->err, PYRO_UNIMPLEMENTED, PYRO_REASON_REQUEST,
                          "%s: field %s with this value is not supported, %s",
                          pyro_plan_rpcs[p->plan->rpc], field, hint);
}
