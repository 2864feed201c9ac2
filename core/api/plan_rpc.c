/*
 * The messages of the RPCs to plans, one after the other.
 */

#include "core/api/plan_job.h"

#include "core/api/proto/querier.pb-c.h"
#include "core/api/proto/side.pb-c.h"


/* enum values, which protobuf-c calls by their type's name and their own */
#define PYRO_PLAN_AVERAGE                                                     \
  TYPES__V1__TIME_SERIES_AGGREGATION_TYPE__TIME_SERIES_AGGREGATION_TYPE_AVERAGE
#define PYRO_PLAN_EXEMPLARS(name)                                             \
    TYPES__V1__EXEMPLAR_TYPE__EXEMPLAR_TYPE_##name
#define PYRO_PLAN_HEATMAP(name)                                               \
    QUERIER__V1__HEATMAP_QUERY_TYPE__HEATMAP_QUERY_TYPE_##name
#define PYRO_PLAN_FORMAT(name)                                                \
    QUERIER__V1__PROFILE_FORMAT__PROFILE_FORMAT_##name



static pyro_status_e pyro_plan_labels(pyro_planner_t *p,
    const Types__V1__LabelNamesRequest *m);
static pyro_status_e pyro_plan_types(pyro_planner_t *p,
    const Querier__V1__ProfileTypesRequest *m);
static pyro_status_e pyro_plan_label_values(pyro_planner_t *p,
    const Types__V1__LabelValuesRequest *m);
static pyro_status_e pyro_plan_label_sets(pyro_planner_t *p,
    const Querier__V1__SeriesRequest *m);
static pyro_status_e pyro_plan_series(pyro_planner_t *p,
    Querier__V1__SelectSeriesRequest *m);
static pyro_status_e pyro_plan_aggregation(pyro_planner_t *p,
    const Querier__V1__SelectSeriesRequest *m);
static pyro_status_e pyro_plan_heatmap(pyro_planner_t *p,
    Querier__V1__SelectHeatmapRequest *m);
static pyro_status_e pyro_plan_heatmap_kind(pyro_planner_t *p,
    const Querier__V1__SelectHeatmapRequest *m);
static pyro_status_e pyro_plan_group_by(pyro_planner_t *p, char **names,
    size_t n);
static pyro_status_e pyro_plan_stacktraces(pyro_planner_t *p,
    Querier__V1__SelectMergeStacktracesRequest *m);
static pyro_status_e pyro_plan_span_profile(pyro_planner_t *p,
    Querier__V1__SelectMergeSpanProfileRequest *m);
static pyro_status_e pyro_plan_profile(pyro_planner_t *p,
    Querier__V1__SelectMergeProfileRequest *m);
static pyro_status_e pyro_plan_ids(pyro_planner_t *p, char **profiles,
    size_t n_profiles, char **traces, size_t n_traces);
static pyro_status_e pyro_plan_format(pyro_planner_t *p,
    Querier__V1__ProfileFormat format);
static pyro_status_e pyro_plan_stacks(pyro_planner_t *p,
    const Types__V1__StackTraceSelector *m);
static pyro_status_e pyro_plan_diff(pyro_planner_t *p,
    Querier__V1__DiffRequest *m);
static pyro_status_e pyro_plan_side(pyro_planner_t *p, pyro_plan_t **side,
    const char *name, Querier__V1__SelectMergeStacktracesRequest *m);
static pyro_status_e pyro_plan_analyze(pyro_planner_t *p,
    Querier__V1__AnalyzeQueryRequest *m);
static void pyro_plan_select(pyro_planner_t *p, const char *type,
    char **selector, int64_t start, int64_t end);


const ProtobufCMessageDescriptor  *const pyro_plan_messages[PYRO_RPC_COUNT] = {
    &querier__v1__profile_types_request__descriptor,
    &types__v1__label_names_request__descriptor,
    &types__v1__label_values_request__descriptor,
    &querier__v1__series_request__descriptor,
    &querier__v1__select_series_request__descriptor,
    &querier__v1__select_merge_stacktraces_request__descriptor,
    &querier__v1__select_merge_span_profile_request__descriptor,
    &querier__v1__select_merge_profile_request__descriptor,
    &querier__v1__select_heatmap_request__descriptor,
    &querier__v1__diff_request__descriptor,
    &types__v1__get_profile_stats_request__descriptor,
    &querier__v1__analyze_query_request__descriptor,
    &side__v1__get_settings_request__descriptor,
    &side__v1__set_settings_request__descriptor,
    &side__v1__delete_settings_request__descriptor,
    &side__v1__version_request__descriptor,
    &side__v1__get_feature_flags_request__descriptor,
    &side__v1__health_check_request__descriptor
};


const char  *const pyro_plan_names_of_rpcs[PYRO_RPC_COUNT] = {
    "ProfileTypes", "LabelNames", "LabelValues", "Series", "SelectSeries",
    "SelectMergeStacktraces", "SelectMergeSpanProfile", "SelectMergeProfile",
    "SelectHeatmap", "Diff", "GetProfileStats", "AnalyzeQuery", "Get", "Set",
    "Delete", "Version", "GetFeatureFlags", "Check"
};


/* What only one RPC has, then the range, which series need, then selectors. */
pyro_status_e
pyro_plan_message(pyro_planner_t *p, ProtobufCMessage *m)
{
    pyro_status_e  status;

    switch (p->plan->rpc) {

    case PYRO_RPC_PROFILE_TYPES:
        status = pyro_plan_types(p, (void *) m);
        break;

    case PYRO_RPC_LABEL_NAMES:
        status = pyro_plan_labels(p, (void *) m);
        break;

    case PYRO_RPC_LABEL_VALUES:
        status = pyro_plan_label_values(p, (void *) m);
        break;

    case PYRO_RPC_SERIES:
        status = pyro_plan_label_sets(p, (void *) m);
        break;

    case PYRO_RPC_SELECT_SERIES:
        return pyro_plan_series(p, (void *) m);

    case PYRO_RPC_SELECT_HEATMAP:
        return pyro_plan_heatmap(p, (void *) m);

    case PYRO_RPC_SELECT_MERGE_STACKTRACES:
        status = pyro_plan_stacktraces(p, (void *) m);
        break;

    case PYRO_RPC_SELECT_MERGE_SPAN_PROFILE:
        status = pyro_plan_span_profile(p, (void *) m);
        break;

    case PYRO_RPC_SELECT_MERGE_PROFILE:
        status = pyro_plan_profile(p, (void *) m);
        break;

    case PYRO_RPC_ANALYZE_QUERY:
        status = pyro_plan_analyze(p, (void *) m);
        break;

    case PYRO_RPC_DIFF:
        return pyro_plan_diff(p, (void *) m);

    default:
        return pyro_plan_beside(p, m);
    }

    if (status == PYRO_OK) {
        status = pyro_plan_range(p);
    }

    return status == PYRO_OK ? pyro_plan_selectors(p) : status;
}


/* ---- labels ---- */

static pyro_status_e
pyro_plan_types(pyro_planner_t *p, const Querier__V1__ProfileTypesRequest *m)
{
    p->common.start = m->start;
    p->common.end = m->end;

    return PYRO_OK;
}


static pyro_status_e
pyro_plan_labels(pyro_planner_t *p, const Types__V1__LabelNamesRequest *m)
{
    p->common.start = m->start;
    p->common.end = m->end;
    p->common.matchers = m->matchers;
    p->common.n_matchers = m->n_matchers;

    return PYRO_OK;
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


/* ---- series ---- */

static void
pyro_plan_select(pyro_planner_t *p, const char *type, char **selector,
    int64_t start, int64_t end)
{
    p->common.start = start;
    p->common.end = end;
    p->common.type = type;
    p->common.matchers = selector;
    p->common.n_matchers = 1;
}


static pyro_status_e
pyro_plan_series(pyro_planner_t *p, Querier__V1__SelectSeriesRequest *m)
{
    pyro_status_e  status;

    if (m->exemplar_type == PYRO_PLAN_EXEMPLARS(SPAN)) {
        return pyro_plan_not_supported(p, "exemplar_type",
                                       "only NONE and INDIVIDUAL are");
    }

    p->plan->exemplars = m->exemplar_type == PYRO_PLAN_EXEMPLARS(INDIVIDUAL);
    pyro_plan_select(p, m->profile_typeid, &m->label_selector, m->start,
                     m->end);

    status = pyro_plan_step(p, m->step);

    if (status == PYRO_OK) {
        status = pyro_plan_stacks(p, m->stack_trace_selector);
    }

    if (status == PYRO_OK) {
        status = pyro_plan_range(p);
    }

    if (status == PYRO_OK) {
        status = pyro_plan_aggregation(p, m);
    }

    if (m->limit_set_case && m->limit > 0) {
        p->plan->series.limit = (uint64_t) m->limit;
    }

    if (status == PYRO_OK) {
        status = pyro_plan_group_by(p, m->group_by, m->n_group_by);
    }

    return status == PYRO_OK ? pyro_plan_selectors(p) : status;
}


static pyro_status_e
pyro_plan_aggregation(pyro_planner_t *p,
    const Querier__V1__SelectSeriesRequest *m)
{
    p->plan->series.aggregation = PYRO_SERIES_SUM;

    if (m->aggregation_set_case && m->aggregation) {
        if (m->aggregation != PYRO_PLAN_AVERAGE) {
            return pyro_plan_not_supported(p, "aggregation",
                                           "only sum and average are");
        }

        p->plan->series.aggregation = PYRO_SERIES_AVERAGE;
    }

    return PYRO_OK;
}


/* The grid is that of the range as it was clipped. */
static pyro_status_e
pyro_plan_group_by(pyro_planner_t *p, char **names, size_t n)
{
    pyro_series_options_t  *series;

    series = &p->plan->series;
    series->start = p->common.start;
    series->end = p->common.end;
    series->max_points = p->limits->max_points;
    series->group_by = pyro_plan_names(p, names, n);
    series->n_group_by = (uint32_t) n;

    if (series->group_by == NULL) {
        return pyro_error_memory(p->err);
    }

    pyro_series_range(series, &p->plan->start, &p->plan->end);

    return PYRO_OK;
}


static pyro_status_e
pyro_plan_heatmap(pyro_planner_t *p, Querier__V1__SelectHeatmapRequest *m)
{
    pyro_status_e  status;

    status = pyro_plan_step(p, m->step);

    if (status == PYRO_OK) {
        status = pyro_plan_heatmap_kind(p, m);
    }

    if (status != PYRO_OK) {
        return status;
    }

    pyro_plan_select(p, m->profile_typeid, &m->label_selector, m->start,
                     m->end);

    if (m->limit_set_case) {
        if (m->limit < 0) {
            return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                                  "limit %lld: must be 0, for all, or more",
                                  (long long) m->limit);
        }

        p->plan->series.limit = (uint64_t) m->limit;
    }

    status = pyro_plan_range(p);

    if (status == PYRO_OK) {
        status = pyro_plan_group_by(p, m->group_by, m->n_group_by);
    }

    return status == PYRO_OK ? pyro_plan_selectors(p) : status;
}


static pyro_status_e
pyro_plan_heatmap_kind(pyro_planner_t *p,
    const Querier__V1__SelectHeatmapRequest *m)
{
    int  kind, exemplars;

    kind = m->query_type;
    exemplars = m->exemplar_type;

    if (kind != PYRO_PLAN_HEATMAP(INDIVIDUAL)
        && kind != PYRO_PLAN_HEATMAP(SPAN))
    {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "query_type %d: must be "
                              "HEATMAP_QUERY_TYPE_INDIVIDUAL or "
                              "HEATMAP_QUERY_TYPE_SPAN", kind);
    }

    p->plan->by_span = kind == PYRO_PLAN_HEATMAP(SPAN);
    p->plan->exemplars = exemplars != PYRO_PLAN_EXEMPLARS(UNSPECIFIED)
                         && exemplars != PYRO_PLAN_EXEMPLARS(NONE);

    if (p->plan->exemplars
        && exemplars != (p->plan->by_span ? PYRO_PLAN_EXEMPLARS(SPAN)
                                          : PYRO_PLAN_EXEMPLARS(INDIVIDUAL)))
    {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "exemplar_type %d: must be none, or the same as "
                              "query_type, %d", exemplars, kind);
    }

    return PYRO_OK;
}


/* ---- merged stacks ---- */

static pyro_status_e
pyro_plan_stacktraces(pyro_planner_t *p,
    Querier__V1__SelectMergeStacktracesRequest *m)
{
    pyro_status_e  status;

    pyro_plan_select(p, m->profile_typeid, &m->label_selector, m->start,
                     m->end);

    if (m->n_span_selector && m->n_trace_id_selector) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "span_selector and trace_id_selector cannot be "
                              "combined");
    }

    status = pyro_plan_format(p, m->format);

    if (status == PYRO_OK) {
        status = pyro_plan_stacks(p, m->stack_trace_selector);
    }

    if (status == PYRO_OK) {
        status = pyro_plan_spans(p, m->span_selector, m->n_span_selector);
    }

    if (status == PYRO_OK) {
        status = pyro_plan_ids(p, m->profile_id_selector,
                               m->n_profile_id_selector, m->trace_id_selector,
                               m->n_trace_id_selector);
    }

    return status == PYRO_OK
           ? pyro_plan_max_nodes(p, m->max_nodes_set_case ? m->max_nodes : 0,
                                 p->plan->format != PYRO_FORMAT_PPROF
                                 && p->plan->format != PYRO_FORMAT_DOT)
           : status;
}


static pyro_status_e
pyro_plan_span_profile(pyro_planner_t *p,
    Querier__V1__SelectMergeSpanProfileRequest *m)
{
    pyro_status_e  status;

    pyro_plan_select(p, m->profile_typeid, &m->label_selector, m->start,
                     m->end);

    status = pyro_plan_format(p, m->format);

    /* the answer has no place for others */

    if (status == PYRO_OK && p->plan->format != PYRO_FORMAT_TREE) {
        p->plan->format = PYRO_FORMAT_FLAMEGRAPH;
    }

    if (status == PYRO_OK) {
        status = pyro_plan_spans(p, m->span_selector, m->n_span_selector);
    }

    return status == PYRO_OK
           ? pyro_plan_max_nodes(p, m->max_nodes_set_case ? m->max_nodes : 0,
                                 1)
           : status;
}


static pyro_status_e
pyro_plan_profile(pyro_planner_t *p, Querier__V1__SelectMergeProfileRequest *m)
{
    pyro_status_e  status;

    pyro_plan_select(p, m->profile_typeid, &m->label_selector, m->start,
                     m->end);

    p->plan->format = PYRO_FORMAT_PPROF;
    status = pyro_plan_stacks(p, m->stack_trace_selector);

    if (status == PYRO_OK) {
        status = pyro_plan_ids(p, m->profile_id_selector,
                               m->n_profile_id_selector, m->trace_id_selector,
                               m->n_trace_id_selector);
    }

    return status == PYRO_OK
           ? pyro_plan_max_nodes(p, m->max_nodes_set_case ? m->max_nodes : 0,
                                 0)
           : status;
}


static pyro_status_e
pyro_plan_ids(pyro_planner_t *p, char **profiles, size_t n_profiles,
    char **traces, size_t n_traces)
{
    pyro_status_e  status;

    status = pyro_plan_profiles(p, profiles, n_profiles);

    return status == PYRO_OK ? pyro_plan_traces(p, traces, n_traces) : status;
}


/* A format that a newer client knows gives a flame graph, as upstream does. */
static pyro_status_e
pyro_plan_format(pyro_planner_t *p, Querier__V1__ProfileFormat format)
{
    p->plan->format = format == PYRO_PLAN_FORMAT(TREE) ? PYRO_FORMAT_TREE
                      : format == PYRO_PLAN_FORMAT(DOT) ? PYRO_FORMAT_DOT
                      : format == PYRO_PLAN_FORMAT(PPROF) ? PYRO_FORMAT_PPROF
                                                     : PYRO_FORMAT_FLAMEGRAPH;
    return PYRO_OK;
}


static pyro_status_e
pyro_plan_stacks(pyro_planner_t *p, const Types__V1__StackTraceSelector *m)
{
    size_t        i;
    pyro_plan_t  *plan;

    if (m == NULL) {
        return PYRO_OK;
    }

    plan = p->plan;

    if (m->n_call_site && plan->rpc == PYRO_RPC_SELECT_SERIES) {
        return pyro_plan_not_supported(p, "stack_trace_selector.call_site",
                                       "leave it out");
    }

    plan->call_site = pyro_arena_calloc(p->arena, m->n_call_site,
                                        sizeof(pyro_slice_t));

    if (plan->call_site == NULL) {
        return pyro_error_memory(p->err);
    }

    for (i = 0; i < m->n_call_site; i++) {
        plan->call_site[plan->n_call_site++] =
                                       pyro_slice_str(m->call_site[i]->name);
    }

    if (m->go_pgo != NULL) {
        plan->keep_locations = m->go_pgo->keep_locations;
        plan->aggregate_callees = m->go_pgo->aggregate_callees;
    }

    return PYRO_OK;
}


/* A side that is missing is an empty request, and fails as such. */
static pyro_status_e
pyro_plan_diff(pyro_planner_t *p, Querier__V1__DiffRequest *m)
{
    pyro_status_e  status;

    status = pyro_plan_side(p, &p->plan->left, "left", m->left);

    return status == PYRO_OK
           ? pyro_plan_side(p, &p->plan->right, "right", m->right) : status;
}


static pyro_status_e
pyro_plan_side(pyro_planner_t *p, pyro_plan_t **side, const char *name,
    Querier__V1__SelectMergeStacktracesRequest *m)
{
    pyro_status_e   status;
    pyro_planner_t  one;

    if (m == NULL) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "%s is required", name);
    }

    memset(&one, 0, sizeof(pyro_planner_t));
    one.arena = p->arena;
    one.err = p->err;
    one.limits = p->limits;
    one.plan = pyro_arena_calloc(p->arena, 1, sizeof(pyro_plan_t));

    if (one.plan == NULL) {
        return pyro_error_memory(p->err);
    }

    *side = one.plan;
    one.plan->rpc = PYRO_RPC_SELECT_MERGE_STACKTRACES;
    status = pyro_plan_message(&one, &m->base);
    one.plan->format = PYRO_FORMAT_FLAMEGRAPH;

    return status;
}


/* ---- beside ---- */

/* Without a query: of everything. */
static pyro_status_e
pyro_plan_analyze(pyro_planner_t *p, Querier__V1__AnalyzeQueryRequest *m)
{
    p->common.start = m->start;
    p->common.end = m->end;
    p->common.matchers = &m->query;
    p->common.n_matchers = m->query[0] != '\0';

    return PYRO_OK;
}
