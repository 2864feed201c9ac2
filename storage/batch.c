#include "storage/batch.h"

#include "storage/nodes.h"


static pyro_status_e pyro_batch_flush(pyro_batch_t *batch);


pyro_status_e
pyro_batch_begin(pyro_batch_t *batch, pyro_partition_t *part,
    pyro_arena_t *arena, int *elsewhere, pyro_error_t *err)
{
    pyro_slice_t   in;
    pyro_status_e  status;

    *elsewhere = 0;
    status = pyro_batch_open(batch, part, arena, err);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_view_get(&batch->view, PYRO_DB_META, "state",
                           strlen("state"), &in);

    if (status == PYRO_NOT_FOUND) {
        status = pyro_env_damaged(part->env, "meta of format", PYRO_FORMAT,
                                  err);

    } else if (status == PYRO_OK) {
        *elsewhere = in.len != 1 || in.data[0] != PYRO_STATE_OPEN;
    }

    if (status != PYRO_OK || *elsewhere) {
        pyro_batch_abort(batch);
    }

    return status;
}


pyro_status_e
pyro_batch_open(pyro_batch_t *batch, pyro_partition_t *part,
    pyro_arena_t *arena, pyro_error_t *err)
{
    pyro_status_e  status;

    memset(batch, 0, sizeof(pyro_batch_t));
    batch->view.part = part;
    batch->view.err = err;
    batch->arena = arena;

    status = pyro_env_begin(part->env, 0, &batch->view.txn, err);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_view_ids(&batch->view, &batch->ids);
    batch->stored = batch->ids;

    if (status == PYRO_OK) {
        status = pyro_rolled_read(&batch->view, &batch->rolled);
    }

    if (status == PYRO_OK) {
        status = pyro_ptypes_load(&batch->view, arena, &batch->ptypes);
    }

    if (status != PYRO_OK) {
        pyro_batch_abort(batch);
    }

    return status;
}


static pyro_status_e
pyro_batch_flush(pyro_batch_t *batch)
{
    size_t               len;
    uint8_t              key[PYRO_KEY_MAX], value[PYRO_SCOPE_SIZE];
    uint8_t              ids[PYRO_IDS_SIZE];
    pyro_status_e        status;
    pyro_batch_scope_t  *scope;

    status = PYRO_OK;

    for (scope = batch->scopes;
         scope != NULL && status == PYRO_OK;
         scope = scope->next)
    {
        if (!scope->changed) {
            continue;
        }

        status = pyro_nodes_flush(batch, scope);

        if (status == PYRO_OK) {
            len = pyro_key_id(key, scope->id);
            pyro_scope_put(value, &scope->value);

            status = pyro_view_put(&batch->view, PYRO_DB_SCOPE, key, len,
                                   value, sizeof(value));
        }
    }

    if (status != PYRO_OK
        || memcmp(&batch->ids, &batch->stored, sizeof(pyro_ids_t)) == 0)
    {
        return status;
    }

    pyro_ids_put(ids, &batch->ids);

    return pyro_view_put(&batch->view, PYRO_DB_META, "ids", strlen("ids"),
                         ids, sizeof(ids));
}


pyro_status_e
pyro_batch_commit(pyro_batch_t *batch)
{
    uint32_t            i;
    pyro_status_e       status;
    pyro_batch_node_t  *node;

    status = pyro_batch_flush(batch);

    if (status != PYRO_OK) {
        pyro_batch_abort(batch);
        return status;
    }

    status = pyro_env_commit(batch->view.part->env, batch->view.txn,
                             batch->view.err);

    for (i = 0; status == PYRO_OK && i < batch->n_nodes; i++) {
        node = &batch->nodes[i];
        pyro_node_cache_put(&batch->view.part->cache, node->key, node->check,
                            node->node);
    }

    return status;
}


void
pyro_batch_abort(pyro_batch_t *batch)
{
    pyro_env_abort(batch->view.part->env, batch->view.txn);
}


int
pyro_batch_node(pyro_batch_t *batch, uint64_t key, uint32_t check,
    uint32_t node)
{
    pyro_batch_node_t  *n;

    if (pyro_arena_grow(batch->arena, &batch->nodes, &batch->cap_nodes,
                        batch->n_nodes + 1, sizeof(pyro_batch_node_t)))
    {
        return -1;
    }

    n = &batch->nodes[batch->n_nodes++];

    n->key = key;
    n->check = check;
    n->node = node;

    return 0;
}


void
pyro_batch_touch(pyro_batch_scope_t *scope, int64_t time)
{
    if (time < scope->value.first) {
        scope->value.first = time;
        scope->changed = 1;
    }

    if (time > scope->value.last) {
        scope->value.last = pyro_last_round(time);
        scope->changed = 1;
    }
}
