/*
 * The nodes of a scope of a copy: those of the base, and behind them what other
 * sources have of their own.
 */

#include "storage/seal_job.h"

#include "storage/nodes.h"
#include "storage/series_index.h"


/* The nodes of a scope, as they will be in the copy. */
typedef struct {
    pyro_arena_t   *arena;
    uint32_t       *parents;
    uint32_t        cap_parents;
    uint32_t       *frames;
    uint32_t        cap_frames;
    uint32_t        n;              /* without the root */
    pyro_idmap_t    map;
} pyro_seal_tree_t;


static pyro_status_e pyro_seal_copy_nodes(pyro_seal_t *job, uint32_t scope);
static pyro_status_e pyro_seal_join_nodes(pyro_seal_t *job, uint32_t scope,
    pyro_scope_value_t *value, int write);
static pyro_status_e pyro_seal_tree_begin(pyro_seal_t *job, uint32_t scope,
    pyro_seal_tree_t *tree, size_t more);
static pyro_status_e pyro_seal_tree_join(pyro_seal_t *job,
    pyro_seal_tree_t *tree, pyro_seal_source_t *source, uint32_t scope,
    uint32_t n);
static uint32_t pyro_seal_tree_node(pyro_seal_tree_t *tree, uint32_t parent,
    uint32_t frame);
static pyro_status_e pyro_seal_tree_write(pyro_seal_t *job, uint32_t scope,
    const pyro_seal_tree_t *tree);
static uint32_t pyro_seal_scope_of(const pyro_seal_source_t *source,
    uint32_t scope);


pyro_status_e
pyro_seal_nodes(pyro_seal_t *job, uint32_t scope)
{
    int                  others, written;
    uint8_t              key[PYRO_KEY_MAX], bytes[PYRO_SCOPE_SIZE];
    uint32_t             i, of;
    pyro_slice_t         in;
    pyro_status_e        status;
    pyro_scope_value_t   value, other;

    status = pyro_seal_begin(job);

    if (status == PYRO_OK) {
        status = pyro_view_get(&job->batch.view, PYRO_DB_NODE, key,
                               pyro_key_chunk(key, scope, 0), &in);
    }

    written = status == PYRO_OK;

    if (status == PYRO_OK || status == PYRO_NOT_FOUND) {
        status = pyro_scope_read(&job->batch.view, scope, &value);
    }

    for (i = 1, others = 0; i < job->n_sources && status == PYRO_OK; i++) {
        of = pyro_seal_scope_of(&job->sources[i], scope);

        if (of == 0) {
            continue;
        }

        others = 1;
        status = pyro_scope_read(&job->sources[i].read.view, of, &other);
        value.first = other.first < value.first ? other.first : value.first;
        value.last = other.last > value.last ? other.last : value.last;
    }

    if (status == PYRO_OK && others) {
        status = pyro_seal_join_nodes(job, scope, &value, !written);

    } else if (status == PYRO_OK && !written) {
        status = pyro_seal_copy_nodes(job, scope);
    }

    if (status != PYRO_OK || !others || written) {
        return status;
    }

    pyro_scope_put(bytes, &value);

    return pyro_seal_put(job, PYRO_DB_SCOPE, key, pyro_key_id(key, scope),
                         bytes, sizeof(bytes), 0);
}


pyro_status_e
pyro_seal_bare_scopes(pyro_seal_t *job)
{
    uint8_t              key[PYRO_KEY_MAX], bytes[PYRO_SCOPE_SIZE];
    uint32_t             scope;
    pyro_slice_t         in;
    pyro_status_e        status;
    pyro_scope_value_t   value;

    status = pyro_seal_begin(job);

    for (scope = 1; status == PYRO_OK && scope <= job->batch.ids.scope;
         scope++)
    {
        status = pyro_view_get(&job->batch.view, PYRO_DB_NODE, key,
                               pyro_key_chunk(key, scope, 0), &in);

        if (status != PYRO_NOT_FOUND) {
            continue;
        }

        status = pyro_scope_read(&job->batch.view, scope, &value);

        if (status == PYRO_OK && value.nodes) {
            value.nodes = 0;
            pyro_scope_put(bytes, &value);
            status = pyro_seal_put(job, PYRO_DB_SCOPE, key,
                                   pyro_key_id(key, scope), bytes,
                                   sizeof(bytes), 0);
        }
    }

    return status;
}


/* Chunk by chunk. */
static pyro_status_e
pyro_seal_copy_nodes(pyro_seal_t *job, uint32_t scope)
{
    uint8_t            bytes[PYRO_KEY_MAX];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    key = pyro_slice(bytes, pyro_key_chunk(bytes, scope, 0));
    status = pyro_view_cursor(&job->sources[0].read.view, PYRO_DB_NODE,
                              &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_view_seek(&job->sources[0].read.view, cursor, PYRO_KV_SEEK,
                            &key, &value);

    while (status == PYRO_OK
           && pyro_get_be32((const uint8_t *) key.data) == scope)
    {
        status = pyro_seal_put(job, PYRO_DB_NODE, key.data, key.len,
                               value.data, value.len, 1);

        if (status == PYRO_OK) {
            status = pyro_view_seek(&job->sources[0].read.view, cursor,
                                    PYRO_KV_NEXT, &key, &value);
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


/* Maps the nodes of all sources but the base; sets value->nodes. */
static pyro_status_e
pyro_seal_join_nodes(pyro_seal_t *job, uint32_t scope,
    pyro_scope_value_t *value, int write)
{
    size_t               more;
    uint32_t             i, of;
    pyro_status_e        status;
    pyro_seal_tree_t     tree;
    pyro_scope_value_t   other;

    memset(&tree, 0, sizeof(pyro_seal_tree_t));
    tree.arena = pyro_arena_create(0);

    if (tree.arena == NULL) {
        return pyro_error_memory(job->err);
    }

    status = PYRO_OK;

    for (i = 1, more = 0; i < job->n_sources && status == PYRO_OK; i++) {
        of = pyro_seal_scope_of(&job->sources[i], scope);

        if (of) {
            status = pyro_scope_read(&job->sources[i].read.view, of, &other);
            more += other.nodes;
        }
    }

    if (status == PYRO_OK) {
        status = pyro_seal_tree_begin(job, scope, &tree, more);
    }

    for (i = 1; i < job->n_sources && status == PYRO_OK; i++) {
        of = pyro_seal_scope_of(&job->sources[i], scope);

        if (of) {
            status = pyro_scope_read(&job->sources[i].read.view, of, &other);
        }

        if (of && status == PYRO_OK) {
            status = pyro_seal_tree_join(job, &tree, &job->sources[i], of,
                                         other.nodes);
        }
    }

    if (status == PYRO_OK && write) {
        status = pyro_seal_tree_write(job, scope, &tree);
    }

    value->nodes = tree.n;
    pyro_arena_destroy(tree.arena);

    return status;
}


/* The base's nodes, and room for more. */
static pyro_status_e
pyro_seal_tree_begin(pyro_seal_t *job, uint32_t scope, pyro_seal_tree_t *tree,
    size_t more)
{
    uint32_t             i;
    pyro_status_e        status;
    pyro_scope_value_t   base;

    base.nodes = 0;

    if (scope <= job->sources[0].ids.scope) {
        status = pyro_scope_read(&job->sources[0].read.view, scope, &base);

        if (status != PYRO_OK) {
            return status;
        }
    }

    more += (size_t) base.nodes + 1;

    if (pyro_arena_grow(tree->arena, &tree->parents, &tree->cap_parents, more,
                        sizeof(uint32_t))
        || pyro_arena_grow(tree->arena, &tree->frames, &tree->cap_frames, more,
                           sizeof(uint32_t))
        || pyro_idmap_init(&tree->map, tree->arena, more))
    {
        return pyro_error_memory(job->err);
    }

    status = pyro_nodes_load(&job->sources[0].read.view, scope, base.nodes,
                             tree->parents, tree->frames);

    for (i = 1; i <= base.nodes && status == PYRO_OK; i++) {
        pyro_idmap_add(&tree->map,
                       pyro_hash_mix(tree->parents[i], tree->frames[i]), i);
    }

    tree->n = base.nodes;

    return status;
}


static pyro_status_e
pyro_seal_tree_join(pyro_seal_t *job, pyro_seal_tree_t *tree,
    pyro_seal_source_t *source, uint32_t scope, uint32_t n)
{
    uint32_t        i, *parents, *frames;
    pyro_status_e   status;

    parents = pyro_arena_alloc(tree->arena,
                               ((size_t) n + 1) * sizeof(uint32_t));
    frames = pyro_arena_alloc(tree->arena,
                              ((size_t) n + 1) * sizeof(uint32_t));

    if (parents == NULL || frames == NULL
        || pyro_arena_grow(job->arena, &source->nodes, &source->cap_nodes,
                           (size_t) n + 1, sizeof(uint32_t)))
    {
        return pyro_error_memory(job->err);
    }

    status = pyro_nodes_load(&source->read.view, scope, n, parents, frames);
    source->nodes[0] = 0;
    source->n_nodes = n + 1;

    for (i = 1; i <= n && status == PYRO_OK; i++) {

        if (frames[i] > source->ids.frame) {
            return pyro_env_damaged(source->part->env, "node of scope", scope,
                                    job->err);
        }

        source->nodes[i] = pyro_seal_tree_node(tree, source->nodes[parents[i]],
                                               source->frames[frames[i]]);
    }

    return status;
}


static uint32_t
pyro_seal_tree_node(pyro_seal_tree_t *tree, uint32_t parent, uint32_t frame)
{
    size_t    at;
    uint32_t  id;
    uint64_t  hash;

    at = 0;
    hash = pyro_hash_mix(parent, frame);

    while ((id = pyro_idmap_next(&tree->map, hash, &at)) != 0) {
        if (tree->parents[id] == parent && tree->frames[id] == frame) {
            return id;
        }
    }

    id = ++tree->n;
    tree->parents[id] = parent;
    tree->frames[id] = frame;
    pyro_idmap_add(&tree->map, hash, id);

    return id;
}


static pyro_status_e
pyro_seal_tree_write(pyro_seal_t *job, uint32_t scope,
    const pyro_seal_tree_t *tree)
{
    uint8_t        *p, key[PYRO_KEY_MAX];
    uint8_t         chunk[PYRO_NODES_PER_CHUNK * 2 * PYRO_VARINT_MAX];
    uint32_t        i, first;
    pyro_status_e   status;

    status = PYRO_OK;

    for (first = 1; first <= tree->n && status == PYRO_OK; first = i) {
        p = chunk;

        for (i = first; i <= tree->n && i < first + PYRO_NODES_PER_CHUNK; i++)
        {
            p = pyro_put_varint(p, i - tree->parents[i]);
            p = pyro_put_varint(p, tree->frames[i]);
        }

        status = pyro_seal_put(job, PYRO_DB_NODE, key,
                               pyro_key_chunk(key, scope, (first - 1)
                                              / PYRO_NODES_PER_CHUNK),
                               chunk, (size_t) (p - chunk), 1);
    }

    return status;
}


/* The source's scope that is this one of the copy; 0: it has none. */
static uint32_t
pyro_seal_scope_of(const pyro_seal_source_t *source, uint32_t scope)
{
    uint32_t  i;

    for (i = 1; i <= source->ids.scope; i++) {
        if (source->scopes[i] == scope) {
            return i;
        }
    }

    return 0;
}
