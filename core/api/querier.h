/*
 * Results to response messages: querier.v1.QuerierService and the services
 * beside it (Pyroscope API: querier, settings).
 *
 * Everything is in the arena given.  One thread.
 */

#ifndef _PYRO_QUERIER_H_INCLUDED_
#define _PYRO_QUERIER_H_INCLUDED_


#include "core/api/plan.h"
#include "core/api/proto/profile.pb-c.h"
#include "core/query/flamegraph.h"
#include "core/query/heatmap.h"


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

/* The same of names or values as a JSON array; "null" without any. */
pyro_status_e pyro_label_answer_list(pyro_label_answer_t *answer,
    pyro_rope_t *out, pyro_error_t *err);

pyro_status_e pyro_series_encode(pyro_arena_t *arena, const pyro_plan_t *plan,
    const pyro_series_t *series, uint32_t n, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err);

/* ---- merged stacks: answer_stacks.c ---- */

/* Also of SelectMergeSpanProfile, whose fields are the same ones. */
pyro_status_e pyro_flamegraph_encode(pyro_arena_t *arena,
    const pyro_flamegraph_t *graph, pyro_codec_e codec, pyro_rope_t *out,
    pyro_error_t *err);

/* TREE, as bytes; DOT, which ends with a zero byte. */
pyro_status_e pyro_tree_encode(pyro_slice_t tree, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err);
pyro_status_e pyro_dot_encode(pyro_slice_t dot, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err);

/* Of SelectMergeProfile, or as the pprof of SelectMergeStacktraces. */
pyro_status_e pyro_pprof_encode(pyro_rpc_e rpc,
    const Google__V1__Profile *profile, pyro_codec_e codec, pyro_rope_t *out,
    pyro_error_t *err);

pyro_status_e pyro_diff_encode(pyro_arena_t *arena,
    const pyro_flamegraph_t *graph, int64_t left, int64_t right,
    pyro_codec_e codec, pyro_rope_t *out, pyro_error_t *err);


/* ---- answer_heatmap.c ---- */

/* With the plan's kind of exemplars. */
pyro_status_e pyro_heatmap_encode(pyro_arena_t *arena,
    const pyro_plan_t *plan, const pyro_heatmap_t *heatmap,
    pyro_codec_e codec, pyro_rope_t *out, pyro_error_t *err);


/* ---- the services beside: answer_side.c ---- */

/* Nothing is stored: both are -1.  Times in ns. */
pyro_status_e pyro_stats_encode(int64_t oldest, int64_t newest,
    pyro_codec_e codec, pyro_rope_t *out, pyro_error_t *err);

typedef struct {
    uint64_t        partitions;
    uint64_t        series;
    uint64_t        profiles;
    uint64_t        index_bytes;    /* of the partitions' files */
    uint64_t        symbol_bytes;
    uint64_t        profile_bytes;
} pyro_analysis_t;

pyro_status_e pyro_analysis_encode(const pyro_analysis_t *analysis,
    pyro_codec_e codec, pyro_rope_t *out, pyro_error_t *err);

typedef struct {
    pyro_slice_t    name;           /* these end with a zero byte */
    pyro_slice_t    value;
    int64_t         modified;       /* ms */
} pyro_setting_t;

/* Get has all, Set the one that was set. */
pyro_status_e pyro_settings_encode(pyro_arena_t *arena, pyro_rpc_e rpc,
    const pyro_setting_t *settings, uint32_t n, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err);

/* Of PYRO_RPC_DELETE_SETTINGS, VERSION, FEATURE_FLAGS and HEALTH: always the
 * same. */
pyro_status_e pyro_side_encode(pyro_rpc_e rpc, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err);


#endif /* _PYRO_QUERIER_H_INCLUDED_ */
