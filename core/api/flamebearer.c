/*
 * The JSON of render and render-diff: "flamebearer v1".
 */

#include "core/api/render.h"

#include <stdio.h>


static void pyro_render_graph(const pyro_flamegraph_t *graph,
    pyro_rope_t *out);
static void pyro_render_metadata(const pyro_render_t *render,
    const char *format, pyro_rope_t *out);
static void pyro_render_points(const pyro_render_t *render,
    const pyro_series_t *series, pyro_rope_t *out);
static void pyro_render_groups(const pyro_render_t *render,
    const pyro_series_t *series, uint32_t n, pyro_rope_t *out);
static void pyro_render_text(pyro_rope_t *out, const char *text);


void
pyro_render_single(const pyro_render_t *render, const pyro_flamegraph_t *graph,
    const pyro_series_t *series, uint32_t n, pyro_rope_t *out)
{
    pyro_render_text(out, "{\"version\":1,\"flamebearer\":");
    pyro_render_graph(graph, out);
    pyro_render_metadata(render, "single", out);
    pyro_render_text(out, ",\"timeline\":");
    pyro_render_points(render, n == 1 ? series : NULL, out);
    pyro_render_text(out, ",\"groups\":");

    if (render->timeline.series.n_group_by) {
        pyro_render_groups(render, series, n, out);

    } else {
        pyro_render_text(out, "null");
    }

    pyro_render_text(out, ",\"heatmap\":null}\n");
}


void
pyro_render_double(const pyro_render_t *render, const pyro_flamegraph_t *graph,
    int64_t left, int64_t right, pyro_rope_t *out)
{
    pyro_render_text(out, "{\"version\":1,\"flamebearer\":");
    pyro_render_graph(graph, out);
    pyro_render_metadata(render, "double", out);
    pyro_render_text(out, ",\"timeline\":null,\"groups\":null,"
                     "\"heatmap\":null");

    if (left) {
        pyro_rope_printf(out, ",\"leftTicks\":%lld", (long long) left);
    }

    if (right) {
        pyro_rope_printf(out, ",\"rightTicks\":%lld", (long long) right);
    }

    pyro_render_text(out, "}\n");
}


static void
pyro_render_graph(const pyro_flamegraph_t *graph, pyro_rope_t *out)
{
    size_t    k;
    uint32_t  i;

    pyro_render_text(out, "{\"names\":[");

    for (i = 0; i < graph->n_names; i++) {
        pyro_render_text(out, i ? "," : "");
        pyro_rope_json(out, graph->names[i]);
    }

    pyro_render_text(out, "],\"levels\":[");

    for (i = 0; i < graph->n_levels; i++) {
        pyro_render_text(out, i ? ",[" : "[");

        for (k = 0; k < graph->levels[i].n; k++) {
            pyro_rope_printf(out, k ? ",%lld" : "%lld",
                             (long long) graph->levels[i].values[k]);
        }

        pyro_render_text(out, "]");
    }

    pyro_rope_printf(out, "],\"numTicks\":%lld,\"maxSelf\":%lld}",
                     (long long) graph->total, (long long) graph->max_self);
}


/* The unit that a type's values are shown in, as upstream names it. */
static void
pyro_render_metadata(const pyro_render_t *render, const char *format,
    pyro_rope_t *out)
{
    size_t                      i;
    const pyro_profile_type_t  *type;

    static const char  *const objects[] = {
        "inuse_objects", "alloc_objects", "goroutine", "samples"
    };

    type = &render->plan.type;
    pyro_rope_printf(out, ",\"metadata\":{\"format\":\"%s\",\"spyName\":\"\",",
                     format);

    for (i = 0; i < 4; i++) {
        if (pyro_slice_is(type->sample_type, objects[i])) {
            break;
        }
    }

    if (pyro_slice_is(type->sample_type, "cpu")) {
        pyro_render_text(out, "\"sampleRate\":1000000000,\"units\":"
                         "\"samples\"");

    } else if (i < 4) {
        pyro_render_text(out, "\"sampleRate\":100,\"units\":\"objects\"");

    } else {
        pyro_render_text(out, "\"sampleRate\":100,\"units\":");
        pyro_rope_json(out, type->sample_unit);
    }

    pyro_render_text(out, ",\"name\":");
    pyro_rope_json(out, type->sample_type);
    pyro_render_text(out, "}");
}


/* Gaps are 0; values whole numbers. */
static void
pyro_render_points(const pyro_render_t *render, const pyro_series_t *series,
    pyro_rope_t *out)
{
    double                        value;
    int64_t                       step, at, end;
    uint32_t                      i;
    const pyro_series_options_t  *options;

    options = &render->timeline.series;
    step = options->step;
    end = options->end;

    pyro_rope_printf(out, "{\"startTime\":%lld,\"samples\":[",
                     (long long) (options->start / 1000));

    for (at = options->start, i = 0; at < end && !out->failed; at += step) {

        while (series != NULL && i < series->n
               && series->points[i].time < at)
        {
            i++;
        }

        value = series != NULL && i < series->n && series->points[i].time == at
                ? series->points[i].value : 0;
        pyro_rope_printf(out, at == options->start ? "%llu" : ",%llu",
                         value < 18446744073709551615.0
                         ? (unsigned long long) value : UINT64_MAX);
    }

    pyro_rope_printf(out, "],\"durationDelta\":%lld,\"watermarks\":null}",
                     (long long) (step / 1000));
}


/* Of series that share the first label's value the first is shown. */
static void
pyro_render_groups(const pyro_render_t *render, const pyro_series_t *series,
    uint32_t n, pyro_rope_t *out)
{
    uint32_t      i, k;
    pyro_slice_t  value, other;

    pyro_render_text(out, "{");

    for (i = 0; i < n; i++) {
        value = pyro_labels_get(&series[i].labels, render->group_by);

        for (k = 0; k < i; k++) {
            other = pyro_labels_get(&series[k].labels, render->group_by);

            if (pyro_slice_eq(value, other)) {
                break;
            }
        }

        if (k < i) {
            continue;
        }

        pyro_render_text(out, i ? "," : "");
        pyro_rope_json(out, value.len ? value : PYRO_SLICE("*"));
        pyro_render_text(out, ":");
        pyro_render_points(render, &series[i], out);
    }

    pyro_render_text(out, "}");
}


static void
pyro_render_text(pyro_rope_t *out, const char *text)
{
    pyro_rope_append(out, text, strlen(text));
}


const char *
pyro_render_type(const pyro_render_t *render, pyro_arena_t *arena,
    pyro_slice_t *name)
{
    char          text[160];
    size_t        i, n;
    pyro_slice_t  type;

    static const struct {
        const char  *type;
        const char  *suffix;
    } formats[] = {
        [PYRO_FORMAT_DOT] = { "text/plain; charset=utf-8", NULL },
        [PYRO_FORMAT_PPROF] = { "application/octet-stream", "pb.gz" },
        [PYRO_FORMAT_COLLAPSED] = { "text/plain; charset=utf-8",
                                    "collapsed.txt" },
        [PYRO_FORMAT_SPEEDSCOPE] = { "application/json", "speedscope.json" },
        [PYRO_FORMAT_HTML] = { "text/html; charset=utf-8", "html" }
    };

    *name = pyro_slice(NULL, 0);

    if (render->json || render->rpc == PYRO_RENDER_LABELS
        || render->rpc == PYRO_RENDER_LABEL_VALUES)
    {
        return "application/json";
    }

    if (formats[render->plan.format].suffix == NULL) {
        return formats[render->plan.format].type;
    }

    /* profile_process_cpu_cpu_1700000000-1700003600.html */

    type = pyro_profile_type_id(arena, &render->plan.type);
    n = (size_t) snprintf(text, sizeof(text), "profile_%.*s_%.*s_%lld-%lld.%s",
                          PYRO_SLICE_ARG(render->plan.type.name),
                          PYRO_SLICE_ARG(render->plan.type.sample_type),
                          (long long) (render->plan.start / 1000000000),
                          (long long) (render->plan.end / 1000000000),
                          formats[render->plan.format].suffix);
    n = n < sizeof(text) ? n : sizeof(text) - 1;

    for (i = 0; i < n; i++) {
        if (!((text[i] >= 'a' && text[i] <= 'z')
              || (text[i] >= 'A' && text[i] <= 'Z')
              || (text[i] >= '0' && text[i] <= '9')
              || strchr("_-.", text[i]) != NULL))
        {
            text[i] = '_';
        }
    }

    *name = type.data == NULL ? *name : pyro_arena_dup(arena,
                                                       pyro_slice(text, n));

    return formats[render->plan.format].type;
}
