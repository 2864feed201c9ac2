/*
 * Pyroscope's older HTTP API: /pyroscope/render, /render-diff, /label-values
 * and /labels, whose arguments are in the URL (Pyroscope API: render).  They
 * ask the same as RPCs do, so they become plans.
 *
 * Everything is in the arena given.  One thread.
 */

#ifndef _PYRO_RENDER_H_INCLUDED_
#define _PYRO_RENDER_H_INCLUDED_


#include "core/api/plan.h"
#include "core/query/flamegraph.h"


typedef struct {
    pyro_rpc_e      rpc;            /* PYRO_RENDER... */
    pyro_plan_t     plan;           /* stacks, two of them, or labels */

    int             json;           /* flamebearer; else plan.format */
    int             relative;       /* 1: "now" is in a time, or none is */
    pyro_slice_t    query;          /* as it came, for titles */

    /* render: its time line; step in series.step */
    pyro_plan_t     timeline;
    pyro_slice_t    group_by;       /* the first label; empty: none */
} pyro_render_t;


/*
 * Decodes and checks the arguments (a query string).  now of the limits is what
 * "now" means.  On success call pyro_render_free().  PYRO_INVALID names the
 * argument and its value.
 */
pyro_status_e pyro_render_decode(pyro_arena_t *arena, pyro_rpc_e rpc,
    pyro_slice_t args, const pyro_querier_limits_t *limits,
    pyro_render_t *render, pyro_error_t *err);

void pyro_render_free(pyro_render_t *render);


/* ---- downloads, for who has no URL ---- */

typedef struct {
    const char     *name;           /* NULL: the end */
    pyro_format_e   format;
} pyro_render_format_t;

/* What "format" may be. */
extern const pyro_render_format_t  pyro_render_formats[];

typedef struct {
    pyro_format_e   format;         /* one of those */
    pyro_slice_t    query;          /* TYPE{SELECTOR}; ends with a zero byte,
                                     * as long as what becomes of it */
    const char     *name;           /* of query, in messages */
    int64_t         start;          /* ms, included; 0: open */
    int64_t         end;
    int64_t         max_nodes;      /* 0: what a URL without it gets */
} pyro_download_t;

/* What pyro_render_decode() makes of a URL that asks for this. */
pyro_status_e pyro_render_download(pyro_arena_t *arena,
    const pyro_download_t *download, const pyro_querier_limits_t *limits,
    pyro_render_t *render, pyro_error_t *err);

/* The step of a time line, seconds, for a range of so many ms. */
int64_t pyro_render_step(int64_t range);


/* ---- answers ---- */

/* One tree, with its time lines; series NULL: there is none. */
void pyro_render_single(const pyro_render_t *render,
    const pyro_flamegraph_t *graph, const pyro_series_t *series, uint32_t n,
    pyro_rope_t *out);

void pyro_render_double(const pyro_render_t *render,
    const pyro_flamegraph_t *graph, int64_t left, int64_t right,
    pyro_rope_t *out);

/* The media type of the answer; *name is that of the file that a browser makes
 * of it, in the arena, or empty. */
const char *pyro_render_type(const pyro_render_t *render, pyro_arena_t *arena,
    pyro_slice_t *name);


#endif /* _PYRO_RENDER_H_INCLUDED_ */
