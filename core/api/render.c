#include "core/api/render.h"

#include <stdlib.h>

#include "core/api/plan_job.h"
#include "core/base/clock.h"
#include "core/base/timespec.h"
#include "core/base/urlform.h"


#define PYRO_RENDER_GROUPS  16      /* groupBy, at most */


const pyro_render_format_t  pyro_render_formats[] = {
    { "pprof", PYRO_FORMAT_PPROF },
    { "collapsed", PYRO_FORMAT_COLLAPSED },
    { "speedscope", PYRO_FORMAT_SPEEDSCOPE },
    { "html", PYRO_FORMAT_HTML },
    { "dot", PYRO_FORMAT_DOT },
    { NULL, PYRO_FORMAT_FLAMEGRAPH }
};


typedef struct {
    pyro_arena_t                 *arena;
    pyro_slice_t                  args;
    const pyro_querier_limits_t  *limits;
    pyro_render_t                *render;
    pyro_error_t                 *err;
} pyro_renderer_t;


static pyro_status_e pyro_render_args(pyro_renderer_t *r);
static pyro_status_e pyro_render_both(pyro_renderer_t *r);
static pyro_status_e pyro_render_side(pyro_renderer_t *r, pyro_plan_t **side,
    const char *query, const char *from, const char *until);
static pyro_status_e pyro_render_labels(pyro_renderer_t *r);
static pyro_status_e pyro_render_plan(pyro_renderer_t *r, pyro_plan_t *plan,
    const char *query, const char *from, const char *until);
static pyro_status_e pyro_render_query(pyro_renderer_t *r, pyro_planner_t *p,
    const char *query, int64_t max_nodes);
static pyro_status_e pyro_render_profile_type(pyro_renderer_t *r,
    pyro_plan_t *plan, const char *query);
static pyro_status_e pyro_render_nodes(pyro_renderer_t *r, int64_t *nodes);
static pyro_status_e pyro_render_timeline(pyro_renderer_t *r);
static pyro_status_e pyro_render_group_by(pyro_renderer_t *r);
static pyro_status_e pyro_render_format(pyro_renderer_t *r);
static pyro_status_e pyro_render_time(pyro_renderer_t *r, const char *name,
    int64_t missing, int64_t *ms);
static void pyro_render_planner(pyro_renderer_t *r, pyro_planner_t *p,
    pyro_plan_t *plan);


pyro_status_e
pyro_render_decode(pyro_arena_t *arena, pyro_rpc_e rpc, pyro_slice_t args,
    const pyro_querier_limits_t *limits, pyro_render_t *render,
    pyro_error_t *err)
{
    pyro_status_e    status;
    pyro_renderer_t  r;

    memset(render, 0, sizeof(pyro_render_t));
    render->rpc = rpc;

    r.arena = arena;
    r.args = args;
    r.limits = limits;
    r.render = render;
    r.err = err;

    status = rpc == PYRO_RENDER ? pyro_render_args(&r)
             : rpc == PYRO_RENDER_DIFF ? pyro_render_both(&r)
                                       : pyro_render_labels(&r);

    if (status != PYRO_OK) {
        pyro_render_free(render);
    }

    return status;
}


pyro_status_e
pyro_render_download(pyro_arena_t *arena, const pyro_download_t *download,
    const pyro_querier_limits_t *limits, pyro_render_t *render,
    pyro_error_t *err)
{
    pyro_status_e    status;
    pyro_planner_t   p;
    pyro_renderer_t  r;

    memset(render, 0, sizeof(pyro_render_t));
    render->rpc = PYRO_RENDER;
    render->query = download->query;
    render->plan.rpc = PYRO_RPC_SELECT_MERGE_STACKTRACES;
    render->plan.format = download->format;

    memset(&r, 0, sizeof(pyro_renderer_t));
    r.arena = arena;
    r.limits = limits;
    r.render = render;
    r.err = err;

    pyro_render_planner(&r, &p, &render->plan);
    p.common.start = download->start;
    p.common.end = download->end;
    status = pyro_render_query(&r, &p, download->name, download->max_nodes);

    if (status != PYRO_OK) {
        pyro_render_free(render);
    }

    return status;
}


void
pyro_render_free(pyro_render_t *render)
{
    pyro_plan_free(&render->plan);
    pyro_plan_free(&render->timeline);
}


static void
pyro_render_planner(pyro_renderer_t *r, pyro_planner_t *p, pyro_plan_t *plan)
{
    memset(p, 0, sizeof(pyro_planner_t));

    p->arena = r->arena;
    p->plan = plan;
    p->err = r->err;
    p->limits = r->limits;
}


static pyro_status_e
pyro_render_args(pyro_renderer_t *r)
{
    pyro_status_e  status;

    r->render->plan.rpc = PYRO_RPC_SELECT_MERGE_STACKTRACES;
    status = pyro_render_format(r);

    if (status == PYRO_OK) {
        status = pyro_render_plan(r, &r->render->plan, "query", "from",
                                  "until");
    }

    return status == PYRO_OK && r->render->json ? pyro_render_timeline(r)
                                                : status;
}


static pyro_status_e
pyro_render_both(pyro_renderer_t *r)
{
    pyro_plan_t    *plan;
    pyro_status_e   status;

    plan = &r->render->plan;
    plan->rpc = PYRO_RPC_DIFF;
    r->render->json = 1;

    status = pyro_render_side(r, &plan->left, "leftQuery", "leftFrom",
                              "leftUntil");

    if (status == PYRO_OK) {
        status = pyro_render_side(r, &plan->right, "rightQuery", "rightFrom",
                                  "rightUntil");
    }

    if (status != PYRO_OK) {
        return status;
    }

    plan->type = plan->left->type;

    return pyro_slice_eq(pyro_profile_type_id(r->arena, &plan->left->type),
                         pyro_profile_type_id(r->arena, &plan->right->type))
           ? PYRO_OK
           : pyro_error_set(r->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                            "leftQuery, rightQuery: profile types must match");
}


static pyro_status_e
pyro_render_side(pyro_renderer_t *r, pyro_plan_t **side, const char *query,
    const char *from, const char *until)
{
    *side = pyro_arena_calloc(r->arena, 1, sizeof(pyro_plan_t));

    if (*side == NULL) {
        return pyro_error_memory(r->err);
    }

    (*side)->rpc = PYRO_RPC_SELECT_MERGE_STACKTRACES;

    return pyro_render_plan(r, *side, query, from, until);
}


/* Of everything, unless they are asked for a range or a selector. */
static pyro_status_e
pyro_render_labels(pyro_renderer_t *r)
{
    int              found;
    pyro_slice_t     label, query;
    pyro_plan_t     *plan;
    pyro_status_e    status;
    pyro_planner_t   p;

    plan = &r->render->plan;
    plan->utf8_names = 1;
    plan->rpc = r->render->rpc == PYRO_RENDER_LABELS ? PYRO_RPC_LABEL_NAMES
                                                     : PYRO_RPC_LABEL_VALUES;
    pyro_render_planner(r, &p, plan);

    status = pyro_urlform_get(r->arena, r->args, "label", &label, &found,
                              r->err);

    if (status == PYRO_OK && label.len == 0
        && plan->rpc == PYRO_RPC_LABEL_VALUES)
    {
        return pyro_error_set(r->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "label parameter is required");
    }

    /* a profile type's name is its id here */

    plan->label = pyro_slice_is(label, "__name__")
                  ? PYRO_SLICE("__profile_type__") : label;

    if (status == PYRO_OK) {
        status = pyro_urlform_get(r->arena, r->args, "query", &query, &found,
                                  r->err);
    }

    if (status == PYRO_OK) {
        status = pyro_render_time(r, "from", 0, &p.common.start);
    }

    if (status == PYRO_OK) {
        status = pyro_render_time(r, "until", 0, &p.common.end);
    }

    if (status != PYRO_OK) {
        return status;
    }

    p.common.matchers = (char **) &query.data;
    p.common.n_matchers = query.len != 0;
    status = pyro_plan_range(&p);

    return status == PYRO_OK ? pyro_plan_selectors(&p) : status;
}


static pyro_status_e
pyro_render_plan(pyro_renderer_t *r, pyro_plan_t *plan, const char *query,
    const char *from, const char *until)
{
    int              found;
    int64_t          nodes;
    pyro_status_e    status;
    pyro_planner_t   p;

    pyro_render_planner(r, &p, plan);
    status = pyro_urlform_get(r->arena, r->args, query, &r->render->query,
                              &found, r->err);

    if (status == PYRO_OK && r->render->query.len == 0) {
        return pyro_error_set(r->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "\"%s\" is required", query);
    }

    if (status == PYRO_OK) {
        status = pyro_render_time(r, from, r->limits->now, &p.common.start);
    }

    if (status == PYRO_OK) {
        status = pyro_render_time(r, until, r->limits->now, &p.common.end);
    }

    if (status == PYRO_OK) {
        status = pyro_render_nodes(r, &nodes);
    }

    return status == PYRO_OK ? pyro_render_query(r, &p, query, nodes)
                             : status;
}


/* Range, type and selector, max_nodes; query is the argument's name. */
static pyro_status_e
pyro_render_query(pyro_renderer_t *r, pyro_planner_t *p, const char *query,
    int64_t max_nodes)
{
    pyro_error_t    error;
    pyro_format_e   format;
    pyro_status_e   status;

    format = p->plan->format;
    status = pyro_plan_range(p);

    if (status == PYRO_OK) {
        p->common.matchers = (char **) &r->render->query.data;
        p->common.n_matchers = 1;
        status = pyro_plan_selectors(p);

        if (status == PYRO_INVALID) {
            error = *r->err;
            return pyro_error_set(r->err, PYRO_INVALID, error.reason,
                                  "failed to parse \"%s\": %s", query,
                                  error.message);
        }
    }

    if (status == PYRO_OK) {
        status = pyro_render_profile_type(r, p->plan, query);
    }

    return status == PYRO_OK
           ? pyro_plan_max_nodes(p, max_nodes,
                                 format != PYRO_FORMAT_PPROF
                                 && format != PYRO_FORMAT_DOT
                                 && format != PYRO_FORMAT_COLLAPSED
                                 && format != PYRO_FORMAT_SPEEDSCOPE)
           : status;
}


/* The selector's __name__, or __profile_type__, is the id. */
static pyro_status_e
pyro_render_profile_type(pyro_renderer_t *r, pyro_plan_t *plan,
    const char *query)
{
    uint32_t          i;
    pyro_slice_t      id;
    pyro_status_e     status;
    pyro_matcher_t   *matcher;

    for (i = 0; i < plan->selectors->n; i++) {
        matcher = &plan->selectors->items[i];

        if (matcher->op != PYRO_MATCH_EQUAL
            || (!pyro_slice_is(matcher->name, "__name__")
                && !pyro_slice_is(matcher->name, "__profile_type__")))
        {
            continue;
        }

        status = pyro_profile_type_parse(matcher->value, &plan->type, r->err);

        if (status != PYRO_OK) {
            return pyro_error_set(r->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                                  "failed to parse \"%s\": \"%.*s\" is no "
                                  "profile type", query,
                                  PYRO_SLICE_ARG(matcher->value));
        }

        id = pyro_profile_type_id(r->arena, &plan->type);

        if (id.data == NULL) {
            return pyro_error_memory(r->err);
        }

        matcher->name = PYRO_SLICE("__profile_type__");
        matcher->value = id;

        return PYRO_OK;
    }

    return pyro_error_set(r->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                          "\"%s\" must contain a profile-type selection",
                          query);
}


/* What is no number counts as missing, as upstream has it. */
static pyro_status_e
pyro_render_nodes(pyro_renderer_t *r, int64_t *nodes)
{
    int             found;
    char           *end;
    pyro_slice_t    text;
    pyro_status_e   status;

    *nodes = 0;
    status = pyro_urlform_get(r->arena, r->args, "maxNodes", &text, &found,
                              r->err);

    if (status == PYRO_OK && !found) {
        status = pyro_urlform_get(r->arena, r->args, "max-nodes", &text,
                                  &found, r->err);
    }

    if (status == PYRO_OK && found && text.len) {
        *nodes = strtoll(text.data, &end, 10);
        *nodes = *end == '\0' ? *nodes : 0;
    }

    return status;
}


int64_t
pyro_render_step(int64_t range)
{
    size_t  i;
    double  step;

    /* up to so many seconds, the step is */

    static const struct {
        double   up_to;
        int64_t  step;
    } steps[] = {
        { 17.5, 15 }, { 25, 20 }, { 45, 30 }, { 90, 60 }, { 210, 120 },
        { 450, 300 }, { 750, 600 }, { 1050, 900 }, { 1500, 1200 },
        { 2700, 1800 }, { 5400, 3600 }, { 9000, 7200 }, { 16200, 10800 },
        { 32400, 21600 }, { 86400, 43200 }, { 604800, 86400 },
        { 1814400, 604800 }, { 3628799.999, 2592000 }
    };

    step = (double) range / 1000 / 1500;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (step <= steps[i].up_to) {
            return steps[i].step;
        }
    }

    return 365 * 86400;
}


static pyro_status_e
pyro_render_timeline(pyro_renderer_t *r)
{
    int              found;
    int64_t          step;
    pyro_slice_t     text;
    pyro_plan_t     *plan, *timeline;
    pyro_status_e    status;
    pyro_planner_t   p;

    plan = &r->render->plan;
    timeline = &r->render->timeline;
    timeline->rpc = PYRO_RPC_SELECT_SERIES;
    timeline->type = plan->type;

    pyro_render_planner(r, &p, timeline);

    p.common.start = plan->start / PYRO_NS_PER_MS;
    p.common.end = plan->end / PYRO_NS_PER_MS;
    step = pyro_render_step(p.common.end - p.common.start);

    status = pyro_plan_range(&p);

    if (status == PYRO_OK) {
        status = pyro_plan_step(&p, (double) step);
    }

    if (status == PYRO_OK) {
        status = pyro_urlform_get(r->arena, r->args, "aggregation", &text,
                                  &found, r->err);
    }

    if (status == PYRO_OK) {
        timeline->series.aggregation = pyro_slice_is(text, "avg")
                                       ? PYRO_SERIES_AVERAGE : PYRO_SERIES_SUM;
        timeline->series.start = p.common.start / 1000 / step * step * 1000;
        timeline->series.end = p.common.end / 1000 / step * step * 1000;
        timeline->series.max_points = r->limits->max_points;
        status = pyro_render_group_by(r);
    }

    if (status != PYRO_OK) {
        return status;
    }

    pyro_series_range(&timeline->series, &timeline->start, &timeline->end);
    p.common.matchers = (char **) &r->render->query.data;
    p.common.n_matchers = 1;
    status = pyro_plan_selectors(&p);

    return status == PYRO_OK ? pyro_render_profile_type(r, timeline, "query")
                             : status;
}


/* All group, the first one names the groups. */
static pyro_status_e
pyro_render_group_by(pyro_renderer_t *r)
{
    uint32_t                n;
    pyro_slice_t           *names;
    pyro_status_e           status;
    pyro_series_options_t  *series;

    series = &r->render->timeline.series;
    n = pyro_urlform_count(r->args, "groupBy");

    if (n > PYRO_RENDER_GROUPS) {
        return pyro_error_set(r->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "groupBy: is there %u times, at most %d are "
                              "allowed", n, PYRO_RENDER_GROUPS);
    }

    names = pyro_arena_calloc(r->arena, n, sizeof(pyro_slice_t));

    if (names == NULL) {
        return pyro_error_memory(r->err);
    }

    status = pyro_urlform_all(r->arena, r->args, "groupBy", names, n, r->err);
    series->group_by = names;
    series->n_group_by = n;
    r->render->group_by = n ? names[0] : pyro_slice(NULL, 0);

    return status;
}


static pyro_status_e
pyro_render_format(pyro_renderer_t *r)
{
    int                          found;
    pyro_slice_t                 text;
    pyro_status_e                status;
    const pyro_render_format_t  *format;

    status = pyro_urlform_get(r->arena, r->args, "format", &text, &found,
                              r->err);

    if (status != PYRO_OK) {
        return status;
    }

    for (format = pyro_render_formats; format->name != NULL; format++) {
        if (pyro_slice_is(text, format->name)) {
            r->render->plan.format = format->format;
            return PYRO_OK;
        }
    }

    r->render->json = 1;

    return PYRO_OK;
}


/* To ms; missing (ns) is what it is if it is not there. */
static pyro_status_e
pyro_render_time(pyro_renderer_t *r, const char *name, int64_t missing,
    int64_t *ms)
{
    int            found;
    int64_t        now, time;
    pyro_slice_t   text;
    pyro_status_e  status;

    now = r->limits->now;
    status = pyro_urlform_get(r->arena, r->args, name, &text, &found, r->err);

    if (status == PYRO_OK && found && text.len) {
        time = pyro_time_parse(text, now);
        r->render->relative |= time != pyro_time_parse(text,
                                                       now + PYRO_NS_PER_SEC);
    } else {
        time = missing;
        r->render->relative |= missing == now;
    }

    *ms = time / PYRO_NS_PER_MS;

    return status;
}
