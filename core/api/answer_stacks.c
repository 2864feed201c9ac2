/*
 * Answers of merged stacks: flame graphs of one tree or of two, trees, graphs.
 */

#include "core/api/answer.h"


static char **pyro_answer_names(pyro_arena_t *arena,
    const pyro_flamegraph_t *graph);
static Querier__V1__Level **pyro_answer_levels(pyro_arena_t *arena,
    const pyro_flamegraph_t *graph);


static char **
pyro_answer_names(pyro_arena_t *arena, const pyro_flamegraph_t *graph)
{
    char      **names;
    uint32_t    i;

    names = pyro_arena_calloc(arena, graph->n_names, sizeof(char *));

    for (i = 0; names != NULL && i < graph->n_names; i++) {
        names[i] = pyro_answer_text(arena, graph->names[i]);

        if (names[i] == NULL) {
            return NULL;
        }
    }

    return names;
}


/* The values stay where they are. */
static Querier__V1__Level **
pyro_answer_levels(pyro_arena_t *arena, const pyro_flamegraph_t *graph)
{
    uint32_t              i;
    Querier__V1__Level   *items, **levels;

    items = pyro_arena_calloc(arena, graph->n_levels, sizeof(*items));
    levels = pyro_arena_calloc(arena, graph->n_levels, sizeof(*levels));

    if (items == NULL || levels == NULL) {
        return NULL;
    }

    for (i = 0; i < graph->n_levels; i++) {
        querier__v1__level__init(&items[i]);
        items[i].n_values = graph->levels[i].n;
        items[i].values = graph->levels[i].values;
        levels[i] = &items[i];
    }

    return levels;
}


pyro_status_e
pyro_flamegraph_encode(pyro_arena_t *arena, const pyro_flamegraph_t *graph,
    pyro_codec_e codec, pyro_rope_t *out, pyro_error_t *err)
{
    Querier__V1__FlameGraph                       flamegraph;
    Querier__V1__SelectMergeStacktracesResponse   m;

    querier__v1__flame_graph__init(&flamegraph);
    flamegraph.n_names = graph->n_names;
    flamegraph.names = pyro_answer_names(arena, graph);
    flamegraph.n_levels = graph->n_levels;
    flamegraph.levels = pyro_answer_levels(arena, graph);
    flamegraph.total = graph->total;
    flamegraph.max_self = graph->max_self;

    if (flamegraph.names == NULL || flamegraph.levels == NULL) {
        return pyro_error_memory(err);
    }

    querier__v1__select_merge_stacktraces_response__init(&m);
    m.flamegraph = &flamegraph;
    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}


pyro_status_e
pyro_diff_encode(pyro_arena_t *arena, const pyro_flamegraph_t *graph,
    int64_t left, int64_t right, pyro_codec_e codec, pyro_rope_t *out,
    pyro_error_t *err)
{
    Querier__V1__DiffResponse     m;
    Querier__V1__FlameGraphDiff   diff;

    querier__v1__flame_graph_diff__init(&diff);
    diff.n_names = graph->n_names;
    diff.names = pyro_answer_names(arena, graph);
    diff.n_levels = graph->n_levels;
    diff.levels = pyro_answer_levels(arena, graph);
    diff.total = graph->total;
    diff.max_self = graph->max_self;
    diff.leftticks = left;
    diff.rightticks = right;

    if (diff.names == NULL || diff.levels == NULL) {
        return pyro_error_memory(err);
    }

    querier__v1__diff_response__init(&m);
    m.flamegraph = &diff;
    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}


pyro_status_e
pyro_tree_encode(pyro_slice_t tree, pyro_codec_e codec, pyro_rope_t *out,
    pyro_error_t *err)
{
    Querier__V1__SelectMergeStacktracesResponse  m;

    querier__v1__select_merge_stacktraces_response__init(&m);
    m.tree.data = (uint8_t *) tree.data;
    m.tree.len = tree.len;
    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}


pyro_status_e
pyro_dot_encode(pyro_slice_t dot, pyro_codec_e codec, pyro_rope_t *out,
    pyro_error_t *err)
{
    Querier__V1__SelectMergeStacktracesResponse  m;

    querier__v1__select_merge_stacktraces_response__init(&m);

    if (dot.len) {
        m.dot = (char *) dot.data;
    }

    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}


pyro_status_e
pyro_pprof_encode(pyro_rpc_e rpc, const Google__V1__Profile *profile,
    pyro_codec_e codec, pyro_rope_t *out, pyro_error_t *err)
{
    Querier__V1__PprofProfile                    pprof;
    Querier__V1__SelectMergeStacktracesResponse  m;

    if (rpc == PYRO_RPC_SELECT_MERGE_PROFILE) {
        pyro_codec_encode(codec, &profile->base, out);
        return pyro_rope_status(out, err);
    }

    querier__v1__pprof_profile__init(&pprof);
    pprof.profile = (Google__V1__Profile *) profile;

    querier__v1__select_merge_stacktraces_response__init(&m);
    m.pprof = &pprof;
    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}
