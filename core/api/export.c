#include "core/api/export.h"

#include "core/api/html.h"
#include "core/base/inflate.h"
#include "core/query/cut.h"


/* A graph is drawn of so many, unless others are asked for. */
#define PYRO_EXPORT_DOT_NODES      512
#define PYRO_EXPORT_DOT_FUNCTIONS  100


static pyro_status_e pyro_export_html(pyro_tree_t *tree,
    const pyro_render_t *render, pyro_rope_t *out, pyro_error_t *err);
static pyro_status_e pyro_export_packed(pyro_tree_t *tree,
    const pyro_plan_t *plan, pyro_rope_t *out, pyro_error_t *err);


int
pyro_export_by_lines(pyro_format_e format)
{
    return format == PYRO_FORMAT_PPROF || format == PYRO_FORMAT_COLLAPSED
           || format == PYRO_FORMAT_SPEEDSCOPE;
}


pyro_status_e
pyro_export_pprof(pyro_tree_t *tree, const pyro_plan_t *plan,
    Google__V1__Profile **profile, pyro_error_t *err)
{
    pyro_status_e         status;
    pyro_pprof_options_t  options;

    status = pyro_cut(tree, plan->max_nodes, &tree, err);

    options.type = &plan->type;
    options.start = plan->start;
    options.end = plan->end;
    options.keep_locations = plan->keep_locations;
    options.aggregate_callees = plan->aggregate_callees;

    return status == PYRO_OK ? pyro_pprof_build(tree, &options, profile, err)
                             : status;
}


pyro_status_e
pyro_export_text(pyro_tree_t *tree, const pyro_plan_t *plan, pyro_rope_t *out,
    pyro_error_t *err)
{
    uint64_t       functions, nodes;
    pyro_status_e  status;

    nodes = plan->max_nodes;
    functions = 0;

    if (plan->format == PYRO_FORMAT_DOT) {
        functions = nodes ? nodes : PYRO_EXPORT_DOT_FUNCTIONS;
        nodes = nodes > PYRO_EXPORT_DOT_NODES ? nodes : PYRO_EXPORT_DOT_NODES;
    }

    status = pyro_cut(tree, nodes, &tree, err);

    if (status != PYRO_OK) {
        return status;
    }

    switch (plan->format) {

    case PYRO_FORMAT_TREE:
        return pyro_tree_bytes(tree, out, err);

    case PYRO_FORMAT_COLLAPSED:
        return pyro_collapsed_write(tree, out, err);

    case PYRO_FORMAT_SPEEDSCOPE:
        return pyro_speedscope_write(tree, &plan->type, plan->type.sample_type,
                                     out, err);

    default:
        return pyro_dot_write(tree, &plan->type, (uint32_t) functions, out,
                              err);
    }
}


pyro_status_e
pyro_export_file(pyro_tree_t *tree, const pyro_render_t *render,
    pyro_rope_t *out, pyro_error_t *err)
{
    switch (render->plan.format) {

    case PYRO_FORMAT_HTML:
        return pyro_export_html(tree, render, out, err);

    case PYRO_FORMAT_PPROF:
        return pyro_export_packed(tree, &render->plan, out, err);

    default:
        return pyro_export_text(tree, &render->plan, out, err);
    }
}


static pyro_status_e
pyro_export_html(pyro_tree_t *tree, const pyro_render_t *render,
    pyro_rope_t *out, pyro_error_t *err)
{
    pyro_status_e        status;
    pyro_flamegraph_t    graph;
    pyro_html_options_t  options;

    status = pyro_flamegraph_build(tree, render->plan.max_nodes, &graph, err);

    options.type = &render->plan.type;
    options.query = render->query;
    options.start = render->plan.start;
    options.end = render->plan.end;

    return status == PYRO_OK
           ? pyro_html_write(tree->arena, &graph, &options, out, err)
           : status;
}


/* pprof's files are packed whatever the client says. */
static pyro_status_e
pyro_export_packed(pyro_tree_t *tree, const pyro_plan_t *plan,
    pyro_rope_t *out, pyro_error_t *err)
{
    pyro_rope_t           plain;
    pyro_status_e         status;
    Google__V1__Profile  *profile;

    status = pyro_export_pprof(tree, plan, &profile, err);

    if (status != PYRO_OK) {
        return status;
    }

    pyro_rope_init(&plain, out->limit);
    pyro_codec_encode(PYRO_CODEC_PROTO, &profile->base, &plain);
    status = pyro_rope_status(&plain, err);

    if (status == PYRO_OK) {
        status = pyro_gzip(&plain, out, err);
    }

    pyro_rope_free(&plain);

    return status;
}
