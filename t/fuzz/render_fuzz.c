/*
 * Arguments of the older HTTP API (the first byte chooses the path): decoded,
 * and answered as if there were nothing.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/api/render.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render_fuzz_answer(pyro_arena_t *arena,
    const pyro_render_t *render);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pyro_rpc_e     rpc;
    pyro_error_t   err;
    pyro_arena_t  *arena;
    pyro_render_t  render;

    static const pyro_querier_limits_t  limits = {
        .max_nodes_default = 8192,
        .max_nodes_max = 1048576,
        .max_points = 1000,
        .now = 1700000000LL * 1000000000
    };

    if (size == 0) {
        return 0;
    }

    arena = pyro_arena_create(16 * 1024 * 1024);
    rpc = (pyro_rpc_e) (PYRO_RENDER + data[0] % 4);

    if (pyro_render_decode(arena, rpc,
                           pyro_slice((const char *) data + 1, size - 1),
                           &limits, &render, &err)
        == PYRO_OK)
    {
        render_fuzz_answer(arena, &render);
        pyro_render_free(&render);
    }

    pyro_arena_destroy(arena);

    return 0;
}


static void
render_fuzz_answer(pyro_arena_t *arena, const pyro_render_t *render)
{
    pyro_rope_t         rope;
    pyro_slice_t        name;
    pyro_tree_t        *tree;
    pyro_error_t        err;
    pyro_flamegraph_t   graph;

    pyro_rope_init(&rope, 1024 * 1024);
    tree = pyro_tree_create(arena);

    if (tree != NULL
        && pyro_flamegraph_build(tree, render->plan.max_nodes, &graph, &err)
           == PYRO_OK)
    {
        if (render->rpc == PYRO_RENDER_DIFF) {
            pyro_render_double(render, &graph, 1, 0, &rope);

        } else if (render->rpc == PYRO_RENDER && render->json) {
            pyro_render_single(render, &graph, NULL, 0, &rope);
        }

        (void) pyro_render_type(render, arena, &name);
    }

    pyro_rope_free(&rope);
}
