/*
 * What is asked, whoever asks: a decoded request of querier.v1.QuerierService
 * and of the services beside it, or the arguments of a render URL, checked and
 * with its defaults filled in (Pyroscope API: querier, settings, render).
 * Knows no store: the module runs a plan against it.
 *
 * Everything is in the arena given.  One thread.
 */

#ifndef _PYRO_PLAN_H_INCLUDED_
#define _PYRO_PLAN_H_INCLUDED_


#include "core/api/codec.h"
#include "core/base/hash.h"
#include "core/model/profile_type.h"
#include "core/query/selector.h"
#include "core/query/series.h"


typedef enum {
    PYRO_RPC_PROFILE_TYPES = 0,
    PYRO_RPC_LABEL_NAMES,
    PYRO_RPC_LABEL_VALUES,
    PYRO_RPC_SERIES,
    PYRO_RPC_SELECT_SERIES,
    PYRO_RPC_SELECT_MERGE_STACKTRACES,
    PYRO_RPC_SELECT_MERGE_SPAN_PROFILE,
    PYRO_RPC_SELECT_MERGE_PROFILE,
    PYRO_RPC_SELECT_HEATMAP,
    PYRO_RPC_DIFF,
    PYRO_RPC_GET_PROFILE_STATS,
    PYRO_RPC_ANALYZE_QUERY,

    PYRO_RPC_GET_SETTINGS,
    PYRO_RPC_SET_SETTINGS,
    PYRO_RPC_DELETE_SETTINGS,
    PYRO_RPC_VERSION,
    PYRO_RPC_FEATURE_FLAGS,
    PYRO_RPC_HEALTH,
    PYRO_RPC_COUNT,

    /* URLs: pyro_render_decode() (core/api/render.h) */
    PYRO_RENDER = PYRO_RPC_COUNT,
    PYRO_RENDER_DIFF,
    PYRO_RENDER_LABELS,
    PYRO_RENDER_LABEL_VALUES
} pyro_rpc_e;


typedef enum {
    PYRO_FORMAT_FLAMEGRAPH = 0,
    PYRO_FORMAT_TREE,
    PYRO_FORMAT_DOT,
    PYRO_FORMAT_PPROF,
    PYRO_FORMAT_COLLAPSED,          /* of render alone, as the following */
    PYRO_FORMAT_SPEEDSCOPE,
    PYRO_FORMAT_HTML
} pyro_format_e;


typedef struct {
    uint64_t  max_nodes_default;
    uint64_t  max_nodes_max;
    int64_t   max_query_length;     /* s, 0 off */
    int64_t   max_query_lookback;   /* s, 0 off */
    uint32_t  max_points;           /* of SelectSeries, all series together */
    int64_t   now;                  /* ns */
} pyro_querier_limits_t;


/* Which samples count; nothing of a kind: all. */
typedef struct {
    uint64_t               *spans;
    uint32_t                n_spans;
    pyro_hash128_t         *traces;
    uint32_t                n_traces;
    pyro_hash128_t         *profiles;       /* ids */
    uint32_t                n_profiles;
} pyro_plan_pick_t;


typedef struct pyro_plan_s  pyro_plan_t;

/* What is to be asked of the store, and how its answer is to be shaped. */
struct pyro_plan_s {
    pyro_rpc_e              rpc;
    int64_t                 start;          /* ns, included */
    int64_t                 end;            /* ns, included */
    int64_t                 oldest;         /* ns, 0 for all: nothing before it
                                             * is in an answer */
    pyro_selector_t        *selectors;      /* profile type included */
    uint32_t                n_selectors;
    pyro_profile_type_t     type;           /* of what has one */

    pyro_slice_t            label;          /* LabelValues */
    pyro_slice_t           *label_names;    /* Series: wanted names, or none */
    uint32_t                n_label_names;
    int                     utf8_names;     /* client takes dotted names */

    pyro_format_e           format;         /* of merged stacks */
    uint64_t                max_nodes;      /* 0: all */
    pyro_slice_t           *call_site;      /* functions, root first */
    uint32_t                n_call_site;
    uint32_t                keep_locations; /* of pprof: leaves, 0 all */
    int                     aggregate_callees;
    pyro_plan_pick_t        pick;

    pyro_series_options_t   series;         /* SelectSeries, SelectHeatmap */
    int                     exemplars;      /* single profiles, or spans */
    int                     by_span;        /* SelectHeatmap */

    pyro_plan_t            *left;           /* Diff */
    pyro_plan_t            *right;

    pyro_slice_t            name;           /* a setting */
    pyro_slice_t            value;
    int64_t                 modified;       /* ms */
};


/*
 * Decodes and checks a request.  A start or end of 0 is open; a range wholly
 * before max_query_lookback becomes one in which nothing can be stored.
 *
 * On success the selectors own compiled patterns: call pyro_plan_free(); after
 * an error there is nothing to free.  PYRO_INVALID names the field and the
 * value; PYRO_UNIMPLEMENTED a field that is not supported.
 */
pyro_status_e pyro_plan_decode(pyro_arena_t *arena, pyro_rpc_e rpc,
    pyro_codec_e codec, pyro_slice_t body, const pyro_querier_limits_t *limits,
    pyro_plan_t *plan, pyro_error_t *err);

void pyro_plan_free(pyro_plan_t *plan);


#endif /* _PYRO_PLAN_H_INCLUDED_ */
