/*
 * pyroscope-store export --format=: a flame graph as a document, the same that
 * the server's /pyroscope/render gives for this query.
 */

#include "cli/store_tool.h"

#include <stdio.h>
#include <unistd.h>

#include "core/api/export.h"
#include "core/base/clock.h"
#include "core/settings/keys.h"



static pyro_status_e pyro_store_plan(pyro_store_tool_t *tool,
    pyro_render_t *render);
static pyro_slice_t pyro_store_query_text(pyro_store_tool_t *tool);
static pyro_status_e pyro_store_write_document(pyro_store_tool_t *tool,
    const pyro_render_t *render, int *damaged);
static int pyro_store_has_values(const pyro_tree_t *tree);
static pyro_status_e pyro_store_nothing(pyro_store_tool_t *tool);
static pyro_status_e pyro_store_on_type(void *ctx, const pyro_labels_t *labels,
    pyro_error_t *err);


/* What is looked for among the store's types, and their names. */
typedef struct {
    pyro_arena_t   *arena;
    pyro_slice_t    wanted;
    int             found;
    pyro_intern_t   names;
} pyro_store_types_t;


pyro_status_e
pyro_store_tool_document(pyro_store_tool_t *tool, int *damaged)
{
    pyro_status_e  status;
    pyro_render_t  render;

    if (tool->command.document == PYRO_FORMAT_PPROF
        && isatty(STDOUT_FILENO))
    {
        return pyro_error_set(&tool->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "pprof is no text: send standard output to a "
                              "file or a pipe");
    }

    status = pyro_store_plan(tool, &render);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_store_tool_open(tool, PYRO_ACCESS_READ);

    if (status == PYRO_OK) {
        status = pyro_store_write_document(tool, &render, damaged);
    }

    pyro_render_free(&render);

    return status;
}


/* As the server does it whose settings are the default ones. */
static pyro_status_e
pyro_store_plan(pyro_store_tool_t *tool, pyro_render_t *render)
{
    pyro_status_e           status;
    pyro_download_t         download;
    pyro_profile_type_t     type;
    pyro_querier_limits_t   limits;

    status = pyro_profile_type_parse(pyro_slice_str(tool->command.type), &type,
                                     &tool->err);

    if (status != PYRO_OK) {
        return pyro_error_set(&tool->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "--type=%.64s: no profile type; one is written "
                              "like process_cpu:cpu:nanoseconds:cpu:"
                              "nanoseconds", tool->command.type);
    }

    memset(&limits, 0, sizeof(pyro_querier_limits_t));
    limits.max_nodes_default = (uint64_t)
        pyro_key_find("limits.max_flamegraph_nodes_default")->def;
    limits.now = pyro_clock_wall();

    download.format = tool->command.document;
    download.query = pyro_store_query_text(tool);
    download.name = "--type and --selector";
    download.start = tool->command.from / PYRO_NS_PER_MS;
    download.end = tool->command.to / PYRO_NS_PER_MS;
    download.max_nodes = tool->command.max_nodes;

    /* 0 would be everything */

    if (download.end == 0) {
        download.end = -1;
    }

    return download.query.data == NULL
           ? pyro_error_memory(&tool->err)
           : pyro_render_download(tool->arena, &download, &limits, render,
                                  &tool->err);
}


/* TYPE{SELECTOR}, whose braces may be left out on the command line. */
static pyro_slice_t
pyro_store_query_text(pyro_store_tool_t *tool)
{
    int            braced;
    pyro_rope_t    text;
    pyro_slice_t   selector, flat;

    selector = pyro_slice_trim(pyro_slice_str(tool->command.selector
                                              ? tool->command.selector : ""));
    braced = selector.len && selector.data[0] == '{';

    pyro_rope_init(&text, 0);
    pyro_rope_printf(&text, "%s%s%.*s%s", tool->command.type,
                     braced ? "" : "{", PYRO_SLICE_ARG(selector),
                     braced ? "" : "}");
    pyro_rope_append(&text, "", 1);
    flat = pyro_rope_flat(&text, tool->arena);
    pyro_rope_free(&text);

    flat.len -= flat.data != NULL;

    return flat;
}


static pyro_status_e
pyro_store_write_document(pyro_store_tool_t *tool, const pyro_render_t *render,
    int *damaged)
{
    int                    by_lines;
    pyro_tree_t           *tree;
    pyro_status_e          status;
    pyro_store_query_t     query;
    pyro_store_missing_t   missing;

    by_lines = pyro_export_by_lines(render->plan.format);
    tree = by_lines ? pyro_tree_create_by_lines(tool->arena)
                    : pyro_tree_create(tool->arena);

    if (tree == NULL) {
        return pyro_error_memory(&tool->err);
    }

    memset(&missing, 0, sizeof(pyro_store_missing_t));
    pyro_store_tool_query(tool, &query);
    query.selectors = render->plan.selectors;
    query.n_selectors = render->plan.n_selectors;
    query.start = render->plan.start;
    query.end = render->plan.end;
    query.missing = &missing;

    status = pyro_store_merge(tool->store, &query, tree, &tool->err);

    *damaged |= pyro_store_tool_lacks(&missing);

    if (status == PYRO_OK && !pyro_store_has_values(tree)) {
        return pyro_store_nothing(tool);
    }

    if (status == PYRO_OK) {
        status = pyro_export_file(tree, render, &tool->out, &tool->err);
    }

    if (status != PYRO_OK) {
        pyro_rope_free(&tool->out);
    }

    return status;
}


static int
pyro_store_has_values(const pyro_tree_t *tree)
{
    uint32_t  i;

    for (i = 0; i < tree->n; i++) {
        if (tree->nodes[i].self) {
            return 1;
        }
    }

    return 0;
}


/* Where the type itself is not there, it is likely a slip. */
static pyro_status_e
pyro_store_nothing(pyro_store_tool_t *tool)
{
    int                    n;
    uint32_t               i;
    char                   names[PYRO_ERROR_MESSAGE_MAX / 2];
    pyro_status_e          status;
    pyro_store_query_t     query;
    pyro_store_types_t     types;
    pyro_store_missing_t   missing;

    memset(&types, 0, sizeof(pyro_store_types_t));
    types.arena = tool->arena;
    types.wanted = pyro_slice_str(tool->command.type);
    pyro_intern_init(&types.names, tool->arena);

    memset(&missing, 0, sizeof(pyro_store_missing_t));
    pyro_store_tool_query(tool, &query);
    query.n_selectors = 0;
    query.start = 0;
    query.end = INT64_MAX;
    query.distinct = PYRO_DISTINCT_TYPES;
    query.missing = &missing;

    status = pyro_store_series(tool->store, &query, pyro_store_on_type, &types,
                               &tool->err);

    if (status != PYRO_OK) {
        return status;
    }

    if (types.found) {
        return pyro_error_set(&tool->err, PYRO_NOT_FOUND, PYRO_REASON_REQUEST,
                              "nothing of this type is there for the selector "
                              "and the range");
    }

    names[0] = '\0';

    for (i = 0, n = 0; i < types.names.n && n < (int) sizeof(names); i++) {
        n += snprintf(names + n, sizeof(names) - (size_t) n, "%s%.*s",
                      i ? ", " : "",
                      PYRO_SLICE_ARG(types.names.items[i]));
    }

    return pyro_error_set(&tool->err, PYRO_NOT_FOUND, PYRO_REASON_REQUEST,
                          "--type=%.64s: the store has no such profile type; "
                          "it has %s%s", tool->command.type,
                          i ? names : "none",
                          n < (int) sizeof(names) ? "" : "...");
}


static pyro_status_e
pyro_store_on_type(void *ctx, const pyro_labels_t *labels, pyro_error_t *err)
{
    pyro_slice_t         id;
    pyro_store_types_t  *types = ctx;

    id = pyro_labels_get(labels, PYRO_SLICE("__profile_type__"));
    types->found |= pyro_slice_eq(id, types->wanted);

    return pyro_intern(&types->names, id, 1) == PYRO_NONE
           ? pyro_error_memory(err) : PYRO_OK;
}
