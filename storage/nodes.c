/*
 * Hashing a profile's nodes, and reading all nodes of a scope.
 */

#include "storage/nodes.h"

#include "core/base/hash.h"


static pyro_chain_t pyro_nodes_lines(uint32_t line, uint32_t start_line,
    uint64_t seed);
static pyro_chain_t pyro_nodes_text(pyro_slice_t text, uint64_t seed);
static void pyro_nodes_mix(pyro_chain_t *out, const pyro_chain_t *text);
static int pyro_nodes_room(pyro_node_map_t *map, pyro_arena_t *arena);
static const pyro_chain_t *pyro_nodes_frame(pyro_node_map_t *map,
    uint32_t frame);
static int pyro_nodes_decode(pyro_slice_t chunk, uint32_t first, uint32_t n,
    uint32_t *parents, uint32_t *frames);


int
pyro_nodes_begin(pyro_node_map_t *map, const pyro_profile_t *profile,
    const pyro_partition_t *part, uint64_t scope, pyro_arena_t *arena)
{
    size_t  n;

    memset(map, 0, sizeof(pyro_node_map_t));

    n = profile->n_nodes ? profile->n_nodes : 1;

    map->profile = profile;
    map->seed = part->seed;
    map->root = pyro_hash_mix(part->seed, scope);
    map->ids = pyro_arena_alloc(arena, n * sizeof(uint32_t));

    if (map->ids == NULL) {
        return -1;
    }

    memset(map->ids, 0xff, n * sizeof(uint32_t));
    map->ids[0] = 0;

    return 0;
}


_Static_assert(PYRO_NONE == UINT32_MAX, "bytes of 0xff");


/* A frame's hash begins with its lines; function and file are mixed in. */
static pyro_chain_t
pyro_nodes_lines(uint32_t line, uint32_t start_line, uint64_t seed)
{
    pyro_chain_t  out;

    out.hash = pyro_hash_mix(seed, (uint64_t) line << 32 | start_line);
    out.check = pyro_nodes_check(line, start_line);
    out.known = 1;

    return out;
}


static pyro_chain_t
pyro_nodes_text(pyro_slice_t text, uint64_t seed)
{
    XXH128_hash_t      hash;
    pyro_chain_t  out;

    hash = XXH3_128bits_withSeed(text.data, text.len, seed);
    out.hash = hash.low64;
    out.check = (uint32_t) hash.high64;
    out.known = 1;

    return out;
}


static void
pyro_nodes_mix(pyro_chain_t *out, const pyro_chain_t *text)
{
    out->hash = pyro_hash_mix(out->hash, text->hash);
    out->check = pyro_nodes_check(out->check, text->check);
}


pyro_chain_t
pyro_nodes_frame_hash(uint64_t seed, const pyro_frame_value_t *frame,
    pyro_slice_t function, pyro_slice_t file)
{
    pyro_chain_t  out, text;

    out = pyro_nodes_lines(frame->line, frame->start_line, seed);
    text = pyro_nodes_text(function, seed);
    pyro_nodes_mix(&out, &text);
    text = pyro_nodes_text(file, seed);
    pyro_nodes_mix(&out, &text);

    return out;
}


int
pyro_nodes_cached(pyro_node_map_t *map, const pyro_partition_t *part,
    uint32_t node)
{
    uint32_t  check;
    uint64_t  key;

    if (map->ids[node] == PYRO_NONE) {
        key = pyro_nodes_key(map, node, &check);
        map->ids[node] = pyro_node_cache_get(&part->cache, key, check);
    }

    return map->ids[node] != PYRO_NONE;
}


pyro_status_e
pyro_nodes_chain(pyro_node_map_t *map, uint32_t node, pyro_arena_t *arena,
    pyro_error_t *err)
{
    uint32_t             n, depth;
    pyro_chain_t        *chain;
    const pyro_node_t   *nodes;
    const pyro_chain_t  *parent, *frame;

    if (map->chains == NULL && pyro_nodes_room(map, arena)) {
        return pyro_error_memory(err);
    }

    nodes = map->profile->nodes;

    for (n = node, depth = 0; !map->chains[n].known; n = nodes[n].parent) {
        map->path[depth++] = n;
    }

    while (depth) {
        n = map->path[--depth];
        chain = &map->chains[n];
        parent = &map->chains[nodes[n].parent];
        frame = pyro_nodes_frame(map, nodes[n].frame);

        chain->hash = pyro_hash_mix(parent->hash, frame->hash);
        chain->check = pyro_nodes_check(parent->check, frame->check);
        chain->known = 1;
    }

    return PYRO_OK;
}


static int
pyro_nodes_room(pyro_node_map_t *map, pyro_arena_t *arena)
{
    size_t                 n;
    const pyro_profile_t  *profile;

    profile = map->profile;
    n = profile->n_nodes ? profile->n_nodes : 1;

    map->path = pyro_arena_alloc(arena, n * sizeof(uint32_t));
    map->texts = pyro_arena_calloc(arena, (size_t) profile->strings.n + 1,
                                   sizeof(pyro_chain_t));
    map->frames = pyro_arena_calloc(arena, (size_t) profile->n_frames + 1,
                                    sizeof(pyro_chain_t));
    map->chains = pyro_arena_calloc(arena, n, sizeof(pyro_chain_t));

    if (map->path == NULL || map->texts == NULL || map->frames == NULL
        || map->chains == NULL)
    {
        map->chains = NULL;
        return -1;
    }

    map->chains[0].hash = map->root;
    map->chains[0].check = (uint32_t) map->root;
    map->chains[0].known = 1;

    return 0;
}


/* A string is hashed once, however many frames have it. */
static const pyro_chain_t *
pyro_nodes_frame(pyro_node_map_t *map, uint32_t frame)
{
    uint32_t             k, ids[2];
    pyro_chain_t        *out, *text;
    const pyro_frame_t  *f;

    out = &map->frames[frame];

    if (out->known) {
        return out;
    }

    f = &map->profile->frames[frame];
    ids[0] = f->function;
    ids[1] = f->file;

    *out = pyro_nodes_lines(f->line, f->start_line, map->seed);

    for (k = 0; k < 2; k++) {
        text = &map->texts[ids[k]];

        if (!text->known) {
            *text = pyro_nodes_text(pyro_profile_text(map->profile, ids[k]),
                                    map->seed);
        }

        pyro_nodes_mix(out, text);
    }

    return out;
}


pyro_status_e
pyro_nodes_load(const pyro_view_t *view, uint32_t scope, uint32_t n,
    uint32_t *parents, uint32_t *frames)
{
    uint8_t            bytes[PYRO_KEY_MAX];
    uint32_t           first;
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, chunk;
    pyro_status_e      status;

    parents[0] = 0;
    frames[0] = 0;

    status = pyro_view_cursor(view, PYRO_DB_NODE, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    for (first = 1; first <= n; first += PYRO_NODES_PER_CHUNK) {

        key = pyro_slice(bytes, pyro_key_chunk(bytes, scope,
                                          (first - 1) / PYRO_NODES_PER_CHUNK));

        status = pyro_view_seek(view, cursor,
                                first == 1 ? PYRO_KV_SEEK : PYRO_KV_NEXT, &key,
                                &chunk);

        if (status != PYRO_OK && status != PYRO_NOT_FOUND) {
            break;
        }

        if (status == PYRO_NOT_FOUND
            || key.len != 8
            || pyro_get_be32((const uint8_t *) key.data) != scope
            || pyro_get_be32((const uint8_t *) key.data + 4)
               != (first - 1) / PYRO_NODES_PER_CHUNK
            || pyro_nodes_decode(chunk, first, n, parents, frames))
        {
            status = pyro_env_damaged(view->part->env, "node chunk of scope",
                                      scope, view->err);
            break;
        }
    }

    pyro_kv_cursor_close(cursor);

    return status;
}


/* Nodes first to n, at most a chunk of them; the value may hold more. */
static int
pyro_nodes_decode(pyro_slice_t chunk, uint32_t first, uint32_t n,
    uint32_t *parents, uint32_t *frames)
{
    uint32_t      i, last, distance;
    pyro_bytes_t  in;

    in = pyro_bytes(chunk.data, chunk.len);
    last = n - first < PYRO_NODES_PER_CHUNK ? n
                                            : first + PYRO_NODES_PER_CHUNK - 1;

    for (i = first; i <= last; i++) {

        if (pyro_take_u32(&in, &distance) || distance == 0 || distance > i
            || pyro_take_u32(&in, &frames[i]))
        {
            return -1;
        }

        parents[i] = i - distance;
    }

    return 0;
}
