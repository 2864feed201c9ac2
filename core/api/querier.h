/*
 * querier.v1.QuerierService: decoded requests to plain plans, results to
 * response messages (Pyroscope API: querier).  Knows no store: the module runs
 * a plan against it.
 *
 * Everything is in the arena given.  One thread.
 */

#ifndef _PYRO_QUERIER_H_INCLUDED_
#define _PYRO_QUERIER_H_INCLUDED_


#include "core/api/codec.h"
#include "core/model/profile_type.h"
#include "core/query/flamegraph.h"
#include "core/query/selector.h"
#include "core/query/series.h"


typedef enum {
    PYRO_RPC_PROFILE_TYPES = 0,
    PYRO_RPC_LABEL_NAMES,
    PYRO_RPC_LABEL_VALUES,
    PYRO_RPC_SERIES,
    PYRO_RPC_SELECT_SERIES,
    PYRO_RPC_SELECT_MERGE_STACKTRACES,
    PYRO_RPC_COUNT
} pyro_rpc_e;


typedef struct {
    uint64_t  max_nodes_default;
    uint64_t  max_nodes_max;
    int64_t   max_query_length;     /* s, 0 off */
    int64_t   max_query_lookback;   /* s, 0 off */
    uint32_t  max_points;           /* of SelectSeries, all series together */
    int64_t   now;                  /* ns */
} pyro_querier_limits_t;


/* What is to be asked of the store, and how its answer is to be shaped. */
typedef struct {
    pyro_rpc_e              rpc;
    int64_t                 start;          /* ns, included */
    int64_t                 end;            /* ns, included */
    pyro_selector_t        *selectors;      /* profile type included */
    uint32_t                n_selectors;
    pyro_slice_t            label;          /* LabelValues */
    pyro_slice_t           *label_names;    /* Series: wanted names, or none */
    uint32_t                n_label_names;
    uint64_t                max_nodes;
    pyro_series_options_t   series;
    int                     utf8_names;     /* client takes dotted names */
} pyro_plan_t;


/*
 * Decodes and checks a request.  A start or end of 0 is open; a range wholly
 * before max_query_lookback becomes one in which nothing can be stored.
 *
 * On success the selectors own compiled patterns: call pyro_plan_free(); after
 * an error there is nothing to free.  PYRO_INVALID names the field and the
 * value; PYRO_UNIMPLEMENTED a field that is not supported yet.
 */
pyro_status_e pyro_plan_decode(pyro_arena_t *arena, pyro_rpc_e rpc,
    pyro_codec_e codec, pyro_slice_t body, const pyro_querier_limits_t *limits,
    pyro_plan_t *plan, pyro_error_t *err);

void pyro_plan_free(pyro_plan_t *plan);


/*
 * Collects the label sets that the store reports for the four label RPCs and
 * answers them: sorted, each once.
 */
typedef struct pyro_label_answer_s  pyro_label_answer_t;

pyro_label_answer_t *pyro_label_answer_create(pyro_arena_t *arena,
    const pyro_plan_t *plan);

/* Fits pyro_store_series_pt: ctx is the answer. */
pyro_status_e pyro_label_answer_add(void *ctx, const pyro_labels_t *labels,
    pyro_error_t *err);

/* Once, after the last set. */
pyro_status_e pyro_label_answer_encode(pyro_label_answer_t *answer,
    pyro_codec_e codec, pyro_rope_t *out, pyro_error_t *err);

pyro_status_e pyro_series_encode(pyro_arena_t *arena,
    const pyro_series_t *series, uint32_t n, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err);

pyro_status_e pyro_flamegraph_encode(pyro_arena_t *arena,
    const pyro_flamegraph_t *graph, pyro_codec_e codec, pyro_rope_t *out,
    pyro_error_t *err);


#endif /* _PYRO_QUERIER_H_INCLUDED_ */
