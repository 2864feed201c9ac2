/*
 * Hashing a profile's nodes, and reading all nodes of a scope.
 */

#include "storage/nodes.h"

#include "core/base/hash.h"


static pyro_frame_hash_t pyro_nodes_lines(uint32_t line, uint32_t start_line,
    uint64_t seed);
static pyro_frame_hash_t pyro_nodes_text(pyro_slice_t text, uint64_t seed);
static void pyro_nodes_mix(pyro_frame_hash_t *out,
    const pyro_frame_hash_t *text);
static int pyro_nodes_frames(pyro_node_map_t *map, uint64_t seed,
    pyro_arena_t *arena);
static int pyro_nodes_decode(pyro_slice_t chunk, uint32_t first, uint32_t n,
    uint32_t *parents, uint32_t *frames);


int
pyro_nodes_hash(pyro_node_map_t *map, const pyro_profile_t *profile,
    const pyro_partition_t *part, uint64_t root, pyro_arena_t *arena)
{
    uint32_t                  i, n;
    const pyro_node_t        *node;
    const pyro_frame_hash_t  *frame;

    memset(map, 0, sizeof(pyro_node_map_t));

    n = profile->n_nodes ? profile->n_nodes : 1;

    map->profile = profile;
    map->chains = pyro_arena_alloc(arena, n * sizeof(uint64_t));
    map->checks = pyro_arena_alloc(arena, n * sizeof(uint32_t));
    map->ids = pyro_arena_alloc(arena, n * sizeof(uint32_t));

    if (map->chains == NULL || map->checks == NULL || map->ids == NULL
        || pyro_nodes_frames(map, part->seed, arena))
    {
        return -1;
    }

    map->chains[0] = pyro_hash_mix(part->seed, root);
    map->checks[0] = (uint32_t) map->chains[0];
    map->ids[0] = 0;

    for (i = 1; i < profile->n_nodes; i++) {
        node = &profile->nodes[i];
        frame = &map->frames[node->frame];

        map->chains[i] = pyro_hash_mix(map->chains[node->parent], frame->hash);
        map->checks[i] = pyro_nodes_check(map->checks[node->parent],
                                          frame->check);
        map->ids[i] = PYRO_NONE;
    }

    return 0;
}


/* A frame's hash begins with its lines; function and file are mixed in. */
static pyro_frame_hash_t
pyro_nodes_lines(uint32_t line, uint32_t start_line, uint64_t seed)
{
    pyro_frame_hash_t  out;

    out.hash = pyro_hash_mix(seed, (uint64_t) line << 32 | start_line);
    out.check = pyro_nodes_check(line, start_line);

    return out;
}


static pyro_frame_hash_t
pyro_nodes_text(pyro_slice_t text, uint64_t seed)
{
    XXH128_hash_t      hash;
    pyro_frame_hash_t  out;

    hash = XXH3_128bits_withSeed(text.data, text.len, seed);
    out.hash = hash.low64;
    out.check = (uint32_t) hash.high64;

    return out;
}


static void
pyro_nodes_mix(pyro_frame_hash_t *out, const pyro_frame_hash_t *text)
{
    out->hash = pyro_hash_mix(out->hash, text->hash);
    out->check = pyro_nodes_check(out->check, text->check);
}


/* A string is hashed once, however many frames have it. */
static int
pyro_nodes_frames(pyro_node_map_t *map, uint64_t seed, pyro_arena_t *arena)
{
    uint32_t               i, k, ids[2];
    uint8_t               *known;
    const pyro_frame_t    *frame;
    pyro_frame_hash_t     *strings, *out;
    const pyro_profile_t  *profile;

    profile = map->profile;

    strings = pyro_arena_alloc(arena, ((size_t) profile->strings.n + 1)
                                      * sizeof(pyro_frame_hash_t));
    known = pyro_arena_calloc(arena, (size_t) profile->strings.n + 1, 1);
    map->frames = pyro_arena_alloc(arena, (size_t) profile->n_frames
                                          * sizeof(pyro_frame_hash_t));

    if (strings == NULL || known == NULL || map->frames == NULL) {
        return -1;
    }

    for (i = 0; i < profile->n_frames; i++) {
        frame = &profile->frames[i];
        out = &map->frames[i];

        ids[0] = frame->function;
        ids[1] = frame->file;

        *out = pyro_nodes_lines(frame->line, frame->start_line, seed);

        for (k = 0; k < 2; k++) {

            if (!known[ids[k]]) {
                strings[ids[k]] = pyro_nodes_text(pyro_profile_text(profile,
                                                                    ids[k]),
                                                  seed);
                known[ids[k]] = 1;
            }

            pyro_nodes_mix(out, &strings[ids[k]]);
        }
    }

    return 0;
}


pyro_frame_hash_t
pyro_nodes_frame_hash(uint64_t seed, const pyro_frame_value_t *frame,
    pyro_slice_t function, pyro_slice_t file)
{
    pyro_frame_hash_t  out, text;

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
    if (map->ids[node] == PYRO_NONE) {
        map->ids[node] = pyro_node_cache_get(&part->cache, map->chains[node],
                                             map->checks[node]);
    }

    return map->ids[node] != PYRO_NONE;
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
