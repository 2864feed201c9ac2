/*
 * A request of the querier (the first byte chooses RPC and codec): decoded to a
 * plan, whose grid or label answer is then used.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/api/querier.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void plan_fuzz_run(pyro_arena_t *arena, const pyro_plan_t *plan,
    pyro_codec_e codec);


static void
plan_fuzz_run(pyro_arena_t *arena, const pyro_plan_t *plan, pyro_codec_e codec)
{
    uint32_t              n, group;
    pyro_rope_t           rope;
    pyro_error_t          err;
    pyro_label_t          label;
    pyro_labels_t         labels;
    pyro_series_t        *series;
    pyro_series_set_t    *set;
    pyro_label_answer_t  *answer;

    label.name = PYRO_SLICE("service_name");
    label.value = PYRO_SLICE("shop");
    labels.items = &label;
    labels.n = 1;
    pyro_rope_init(&rope, 1024 * 1024);

    if (plan->rpc <= PYRO_RPC_SERIES) {
        answer = pyro_label_answer_create(arena, plan);

        if (answer != NULL
            && pyro_label_answer_add(answer, &labels, &err) == PYRO_OK)
        {
            (void) pyro_label_answer_encode(answer, codec, &rope, &err);
        }

    } else if (plan->rpc == PYRO_RPC_SELECT_SERIES) {
        set = pyro_series_create(arena, &plan->series);
        group = set ? pyro_series_group(set, &labels) : PYRO_NONE;

        if (group != PYRO_NONE) {
            (void) pyro_series_add(set, group, plan->start, 1, &err);
            (void) pyro_series_add(set, group, plan->end, UINT64_MAX, &err);

            if (pyro_series_finish(set, &series, &n, &err) == PYRO_OK) {
                (void) pyro_series_encode(arena, plan, series, n, codec, &rope,
                                          &err);
            }
        }
    }

    pyro_rope_free(&rope);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pyro_plan_t    plan;
    pyro_rpc_e     rpc;
    pyro_codec_e   codec;
    pyro_arena_t  *arena;
    pyro_error_t   err;

    static const pyro_querier_limits_t  limits = {
        .max_nodes_default = 8192,
        .max_nodes_max = 1048576,
        .max_query_lookback = 604800,
        .max_points = 1000,
        .now = 1700000000LL * 1000000000
    };

    if (size == 0) {
        return 0;
    }

    arena = pyro_arena_create(4 * 1024 * 1024);

    if (arena == NULL) {
        return 0;
    }

    codec = data[0] & 1 ? PYRO_CODEC_JSON : PYRO_CODEC_PROTO;
    rpc = (pyro_rpc_e) ((data[0] >> 1) % PYRO_RPC_COUNT);

    if (pyro_plan_decode(arena, rpc, codec, pyro_slice(data + 1, size - 1),
                         &limits, &plan, &err) == PYRO_OK)
    {
        plan_fuzz_run(arena, &plan, codec);
        pyro_plan_free(&plan);
    }

    pyro_arena_destroy(arena);

    return 0;
}
