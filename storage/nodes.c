#include "storage/nodes.h"

#include "core/base/hash.h"
#include "storage/dict.h"


#define PYRO_NODE_ENTRY_MAX  10         /* two varints of 32 bits */
#define PYRO_NODE_POINTER    8          /* node and check in nodex */


static inline uint32_t pyro_nodes_check(uint32_t parent, uint32_t frame);
static int pyro_nodes_frames(pyro_node_map_t *map, uint64_t seed,
    pyro_arena_t *arena);
static pyro_status_e pyro_nodes_find(pyro_batch_t *batch, uint32_t scope,
    pyro_node_map_t *map, uint32_t node);
static pyro_status_e pyro_nodes_add(pyro_batch_t *batch,
    pyro_batch_scope_t *scope, pyro_node_map_t *map, uint32_t node,
    uint32_t parent);
static pyro_status_e pyro_nodes_append(pyro_batch_t *batch,
    pyro_batch_scope_t *scope, uint32_t parent, uint32_t frame);
static pyro_status_e pyro_nodes_tail(pyro_batch_t *batch,
    pyro_batch_scope_t *scope);
static pyro_status_e pyro_nodes_frame(pyro_batch_t *batch,
    pyro_node_map_t *map, uint32_t frame, uint32_t *id);
static pyro_status_e pyro_nodes_string(pyro_batch_t *batch,
    pyro_node_map_t *map, uint32_t string, uint32_t *id);
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


/* The second chain: another mix of other bits than the first one's. */
static inline uint32_t
pyro_nodes_check(uint32_t parent, uint32_t frame)
{
    parent = (parent << 13 | parent >> 19) * 5 + 0xe6546b64;

    return (parent ^ frame) * 0x85ebca6b;
}


/* A string is hashed once, however many frames have it. */
static int
pyro_nodes_frames(pyro_node_map_t *map, uint64_t seed, pyro_arena_t *arena)
{
    uint32_t               i, k, ids[2];
    uint64_t               lines;
    uint8_t               *known;
    pyro_slice_t           text;
    XXH128_hash_t          hash;
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

        lines = (uint64_t) frame->line << 32 | frame->start_line;

        out->hash = pyro_hash_mix(seed, lines);
        out->check = pyro_nodes_check(frame->line, frame->start_line);

        for (k = 0; k < 2; k++) {

            if (!known[ids[k]]) {
                text = pyro_profile_text(profile, ids[k]);
                hash = XXH3_128bits_withSeed(text.data, text.len, seed);

                strings[ids[k]].hash = hash.low64;
                strings[ids[k]].check = (uint32_t) hash.high64;
                known[ids[k]] = 1;
            }

            out->hash = pyro_hash_mix(out->hash, strings[ids[k]].hash);
            out->check = pyro_nodes_check(out->check, strings[ids[k]].check);
        }
    }

    return 0;
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
pyro_nodes_resolve(pyro_batch_t *batch, pyro_batch_scope_t *scope,
    pyro_node_map_t *map, uint32_t node)
{
    uint32_t       n, depth, parent;
    pyro_status_e  status;

    if (map->path == NULL) {
        n = map->profile->n_nodes;
        map->path = pyro_arena_alloc(batch->arena, n * sizeof(uint32_t));

        if (map->path == NULL) {
            return pyro_error_memory(batch->view.err);
        }
    }

    for (n = node, depth = 0;
         !pyro_nodes_cached(map, batch->view.part, n);
         n = map->profile->nodes[n].parent)
    {
        status = pyro_nodes_find(batch, scope->id, map, n);

        if (status == PYRO_OK) {
            break;
        }

        if (status != PYRO_NOT_FOUND) {
            return status;
        }

        map->path[depth++] = n;
    }

    parent = map->ids[n];

    while (depth) {
        n = map->path[--depth];
        status = pyro_nodes_add(batch, scope, map, n, parent);

        if (status != PYRO_OK) {
            return status;
        }

        parent = map->ids[n];
    }

    return pyro_batch_node(batch, map->chains[node], map->checks[node],
                           map->ids[node])
           ? pyro_error_memory(batch->view.err) : PYRO_OK;
}


static pyro_status_e
pyro_nodes_find(pyro_batch_t *batch, uint32_t scope, pyro_node_map_t *map,
    uint32_t node)
{
    size_t          i, len;
    uint8_t         key[PYRO_KEY_MAX];
    pyro_slice_t    list;
    pyro_status_e   status;
    const uint8_t  *p;

    len = pyro_key_pair(key, scope, map->chains[node]);
    status = pyro_view_get(&batch->view, PYRO_DB_NODEX, key, len, &list);

    if (status != PYRO_OK) {
        return status;
    }

    for (i = 0; i + PYRO_NODE_POINTER <= list.len; i += PYRO_NODE_POINTER) {
        p = (const uint8_t *) list.data + i;

        if (pyro_get_be32(p + 4) == map->checks[node]) {
            map->ids[node] = pyro_get_be32(p);
            return PYRO_OK;
        }
    }

    return PYRO_NOT_FOUND;
}


static pyro_status_e
pyro_nodes_add(pyro_batch_t *batch, pyro_batch_scope_t *scope,
    pyro_node_map_t *map, uint32_t node, uint32_t parent)
{
    size_t          len;
    uint8_t         key[PYRO_KEY_MAX], *value;
    uint32_t        frame;
    pyro_slice_t    list;
    pyro_status_e   status;

    if (scope->value.nodes == PYRO_NODES_MAX) {
        map->ids[node] = parent;
        return PYRO_OK;
    }

    status = pyro_nodes_frame(batch, map, map->profile->nodes[node].frame,
                              &frame);

    if (status == PYRO_OK) {
        status = pyro_nodes_append(batch, scope, parent, frame);
    }

    if (status != PYRO_OK) {
        return status;
    }

    map->ids[node] = scope->value.nodes;

    len = pyro_key_pair(key, scope->id, map->chains[node]);
    status = pyro_view_get(&batch->view, PYRO_DB_NODEX, key, len, &list);

    if (status == PYRO_NOT_FOUND) {
        list.len = 0;

    } else if (status != PYRO_OK) {
        return status;
    }

    value = pyro_arena_alloc(batch->arena, list.len + PYRO_NODE_POINTER);

    if (value == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    if (list.len) {
        memcpy(value, list.data, list.len);
    }

    pyro_put_be32(value + list.len, map->ids[node]);
    pyro_put_be32(value + list.len + 4, map->checks[node]);

    return pyro_view_put(&batch->view, PYRO_DB_NODEX, key, len, value,
                         list.len + PYRO_NODE_POINTER);
}


static pyro_status_e
pyro_nodes_append(pyro_batch_t *batch, pyro_batch_scope_t *scope,
    uint32_t parent, uint32_t frame)
{
    uint8_t        *p;
    uint32_t        node;
    pyro_status_e   status;

    status = pyro_nodes_tail(batch, scope);

    if (status != PYRO_OK) {
        return status;
    }

    node = ++scope->value.nodes;
    scope->changed = 1;

    p = scope->tail + scope->tail_len;
    p = pyro_put_varint(p, node - parent);
    p = pyro_put_varint(p, frame);
    scope->tail_len = (size_t) (p - scope->tail);

    if (node % PYRO_NODES_PER_CHUNK == 0) {
        status = pyro_nodes_flush(batch, scope);
        scope->tail_len = 0;
    }

    return status;
}


/* Has the incomplete chunk's bytes in memory. */
static pyro_status_e
pyro_nodes_tail(pyro_batch_t *batch, pyro_batch_scope_t *scope)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    pyro_slice_t   chunk;
    pyro_status_e  status;

    if (scope->loaded) {
        return PYRO_OK;
    }

    scope->tail = pyro_arena_alloc(batch->arena, PYRO_NODES_PER_CHUNK
                                                 * PYRO_NODE_ENTRY_MAX);

    if (scope->tail == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    scope->loaded = 1;
    scope->tail_len = 0;

    if (scope->value.nodes % PYRO_NODES_PER_CHUNK == 0) {
        return PYRO_OK;
    }

    len = pyro_key_chunk(key, scope->id,
                         scope->value.nodes / PYRO_NODES_PER_CHUNK);
    status = pyro_view_get(&batch->view, PYRO_DB_NODE, key, len, &chunk);

    if (status == PYRO_NOT_FOUND
        || (status == PYRO_OK
            && chunk.len > scope->value.nodes % PYRO_NODES_PER_CHUNK
                           * PYRO_NODE_ENTRY_MAX))
    {
        return pyro_env_damaged(batch->view.part->env, "node chunk of scope",
                                scope->id, batch->view.err);
    }

    if (status == PYRO_OK) {
        memcpy(scope->tail, chunk.data, chunk.len);
        scope->tail_len = chunk.len;
    }

    return status;
}


pyro_status_e
pyro_nodes_flush(pyro_batch_t *batch, pyro_batch_scope_t *scope)
{
    size_t   len;
    uint8_t  key[PYRO_KEY_MAX];

    if (!scope->loaded || scope->tail_len == 0) {
        return PYRO_OK;
    }

    len = pyro_key_chunk(key, scope->id,
                         (scope->value.nodes - 1) / PYRO_NODES_PER_CHUNK);

    return pyro_view_put(&batch->view, PYRO_DB_NODE, key, len, scope->tail,
                         scope->tail_len);
}


static pyro_status_e
pyro_nodes_frame(pyro_batch_t *batch, pyro_node_map_t *map, uint32_t frame,
    uint32_t *id)
{
    pyro_status_e        status;
    const pyro_frame_t  *f;
    pyro_frame_value_t   value;

    if (map->frame_ids == NULL) {
        map->frame_ids = pyro_arena_calloc(batch->arena,
                                           map->profile->n_frames,
                                           sizeof(uint32_t));
        map->strings = pyro_arena_calloc(batch->arena,
                                         map->profile->strings.n + 1,
                                         sizeof(uint32_t));

        if (map->frame_ids == NULL || map->strings == NULL) {
            return pyro_error_memory(batch->view.err);
        }
    }

    *id = map->frame_ids[frame];

    if (*id) {
        return PYRO_OK;
    }

    f = &map->profile->frames[frame];

    value.line = f->line;
    value.start_line = f->start_line;

    status = pyro_nodes_string(batch, map, f->function, &value.function);

    if (status == PYRO_OK) {
        status = pyro_nodes_string(batch, map, f->file, &value.file);
    }

    if (status == PYRO_OK) {
        status = pyro_dict_frame(batch, &value, map->frames[frame].hash, id);
    }

    map->frame_ids[frame] = *id;

    return status;
}


static pyro_status_e
pyro_nodes_string(pyro_batch_t *batch, pyro_node_map_t *map, uint32_t string,
    uint32_t *id)
{
    pyro_status_e  status;

    if (map->strings[string]) {
        *id = map->strings[string] - 1;
        return PYRO_OK;
    }

    status = pyro_dict_string(batch, pyro_profile_text(map->profile, string),
                              id);

    if (status == PYRO_OK) {
        map->strings[string] = *id + 1;
    }

    return status;
}


pyro_status_e
pyro_nodes_load(const pyro_view_t *view, uint32_t scope, uint32_t n,
    uint32_t *parents, uint32_t *frames)
{
    uint8_t         bytes[PYRO_KEY_MAX];
    uint32_t        first;
    MDB_cursor     *cursor;
    pyro_slice_t    key, chunk;
    pyro_status_e   status;

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
                                first == 1 ? MDB_SET_RANGE : MDB_NEXT, &key,
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

    mdb_cursor_close(cursor);

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
