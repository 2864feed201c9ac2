/*
 * A profile's nodes in a write transaction: found by their chain hashes, or
 * entered.
 */

#include "core/base/hash.h"
#include "storage/dict.h"
#include "storage/nodes.h"


#define PYRO_NODE_ENTRY_MAX  10         /* two varints of 32 bits */
#define PYRO_NODE_POINTER    8          /* node and check in nodex */


static pyro_status_e pyro_nodes_find(pyro_batch_t *batch, uint32_t scope,
    const pyro_chain_t *chain, uint32_t *id);
static pyro_status_e pyro_nodes_add(pyro_batch_t *batch,
    pyro_batch_scope_t *scope, pyro_node_map_t *map, uint32_t node,
    uint32_t parent);
static pyro_status_e pyro_nodes_fold(pyro_batch_t *batch,
    pyro_batch_scope_t *scope, pyro_node_map_t *map, uint32_t parent,
    uint32_t *id);
static pyro_status_e pyro_nodes_other(pyro_batch_t *batch, uint32_t *frame,
    pyro_chain_t *hash);
static pyro_status_e pyro_nodes_put(pyro_batch_t *batch, uint32_t scope,
    const pyro_chain_t *chain, uint32_t id);
static pyro_status_e pyro_nodes_append(pyro_batch_t *batch,
    pyro_batch_scope_t *scope, uint32_t parent, uint32_t frame);
static pyro_status_e pyro_nodes_tail(pyro_batch_t *batch,
    pyro_batch_scope_t *scope);
static pyro_status_e pyro_nodes_frame_id(pyro_batch_t *batch,
    pyro_node_map_t *map, uint32_t frame, uint32_t *id);
static pyro_status_e pyro_nodes_string(pyro_batch_t *batch,
    pyro_node_map_t *map, uint32_t string, uint32_t *id);


pyro_status_e
pyro_nodes_resolve(pyro_batch_t *batch, pyro_batch_scope_t *scope,
    pyro_node_map_t *map, uint32_t node)
{
    uint32_t       n, depth, parent, check;
    uint64_t       key;
    pyro_status_e  status;

    status = pyro_nodes_chain(map, node, batch->arena, batch->view.err);

    if (status != PYRO_OK) {
        return status;
    }

    for (n = node, depth = 0;
         !pyro_nodes_cached(map, batch->view.part, n);
         n = map->profile->nodes[n].parent)
    {
        status = pyro_nodes_find(batch, scope->id, &map->chains[n],
                                 &map->ids[n]);

        if (status == PYRO_OK) {
            break;
        }

        if (status != PYRO_NOT_FOUND) {
            return status;
        }

        map->path[depth++] = n;
    }

    while (depth && scope->value.nodes < batch->view.part->max_nodes) {
        parent = map->ids[n];
        n = map->path[--depth];
        status = pyro_nodes_add(batch, scope, map, n, parent);

        if (status != PYRO_OK) {
            return status;
        }
    }

    if (depth) {
        status = pyro_nodes_fold(batch, scope, map, n, &map->ids[node]);

        if (status != PYRO_OK) {
            return status;
        }
    }

    key = pyro_nodes_key(map, node, &check);

    return pyro_batch_node(batch, key, check, map->ids[node])
           ? pyro_error_memory(batch->view.err) : PYRO_OK;
}


/*
 * What the scope has no room for becomes a child "other" of the deepest frame
 * that it knows.  There is room for a sixteenth as many of these; beyond, that
 * frame itself takes the value.
 */
static pyro_status_e
pyro_nodes_fold(pyro_batch_t *batch, pyro_batch_scope_t *scope,
    pyro_node_map_t *map, uint32_t parent, uint32_t *id)
{
    uint32_t        frame, most;
    pyro_chain_t    chain, hash;
    pyro_status_e   status;

    batch->folded++;

    status = pyro_nodes_other(batch, &frame, &hash);

    if (status != PYRO_OK) {
        return status;
    }

    chain.hash = pyro_hash_mix(map->chains[parent].hash, hash.hash);
    chain.check = pyro_nodes_check(map->chains[parent].check, hash.check);
    status = pyro_nodes_find(batch, scope->id, &chain, id);

    if (status != PYRO_NOT_FOUND) {
        return status;
    }

    most = batch->view.part->max_nodes;

    if (scope->value.nodes >= most + most / 16) {
        *id = map->ids[parent];
        return PYRO_OK;
    }

    status = pyro_nodes_append(batch, scope, map->ids[parent], frame);
    *id = scope->value.nodes;

    return status == PYRO_OK
           ? pyro_nodes_put(batch, scope->id, &chain, *id) : status;
}


/* The frame "other", as a profile could have it as well. */
static pyro_status_e
pyro_nodes_other(pyro_batch_t *batch, uint32_t *frame, pyro_chain_t *hash)
{
    pyro_slice_t         name;
    pyro_status_e        status;
    pyro_frame_value_t   value;

    name = PYRO_SLICE(PYRO_NODES_OTHER);
    memset(&value, 0, sizeof(pyro_frame_value_t));
    *hash = pyro_nodes_frame_hash(batch->view.part->seed, &value, name,
                                  pyro_slice("", 0));

    status = pyro_dict_string(batch, name, &value.function);

    return status == PYRO_OK
           ? pyro_dict_frame(batch, &value, hash->hash, frame) : status;
}


static pyro_status_e
pyro_nodes_find(pyro_batch_t *batch, uint32_t scope, const pyro_chain_t *chain,
    uint32_t *id)
{
    size_t          i, len;
    uint8_t         key[PYRO_KEY_MAX];
    pyro_slice_t    list;
    pyro_status_e   status;
    const uint8_t  *p;

    len = pyro_key_pair(key, scope, chain->hash);
    status = pyro_view_get(&batch->view, PYRO_DB_NODEX, key, len, &list);

    if (status != PYRO_OK) {
        return status;
    }

    for (i = 0; i + PYRO_NODE_POINTER <= list.len; i += PYRO_NODE_POINTER) {
        p = (const uint8_t *) list.data + i;

        if (pyro_get_be32(p + 4) == chain->check) {
            *id = pyro_get_be32(p);
            return PYRO_OK;
        }
    }

    return PYRO_NOT_FOUND;
}


static pyro_status_e
pyro_nodes_add(pyro_batch_t *batch, pyro_batch_scope_t *scope,
    pyro_node_map_t *map, uint32_t node, uint32_t parent)
{
    uint32_t       frame;
    pyro_status_e  status;

    status = pyro_nodes_frame_id(batch, map, map->profile->nodes[node].frame,
                                 &frame);

    if (status == PYRO_OK) {
        status = pyro_nodes_append(batch, scope, parent, frame);
    }

    if (status != PYRO_OK) {
        return status;
    }

    map->ids[node] = scope->value.nodes;

    return pyro_nodes_put(batch, scope->id, &map->chains[node], map->ids[node]);
}


static pyro_status_e
pyro_nodes_put(pyro_batch_t *batch, uint32_t scope, const pyro_chain_t *chain,
    uint32_t id)
{
    size_t          len;
    uint8_t         key[PYRO_KEY_MAX], *value;
    pyro_slice_t    list;
    pyro_status_e   status;

    len = pyro_key_pair(key, scope, chain->hash);
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

    pyro_put_be32(value + list.len, id);
    pyro_put_be32(value + list.len + 4, chain->check);

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
pyro_nodes_frame_id(pyro_batch_t *batch, pyro_node_map_t *map, uint32_t frame,
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
