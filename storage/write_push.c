#include "storage/write_push.h"

#include <stdlib.h>

#include "storage/quota.h"
#include "storage/rollup.h"
#include "storage/series_index.h"


static pyro_status_e pyro_write_quota(pyro_write_group_t *group,
    pyro_batch_t *batch, pyro_write_item_t *item);
static pyro_status_e pyro_write_unit(pyro_write_group_t *group,
    pyro_batch_t *batch, pyro_write_item_t *item, pyro_unit_t *unit);
static pyro_status_e pyro_write_nodes(pyro_batch_t *batch,
    pyro_batch_scope_t *scope, pyro_unit_t *unit);
static pyro_status_e pyro_write_stream(pyro_write_group_t *group,
    pyro_batch_t *batch, pyro_batch_scope_t *scope, pyro_store_push_t *push,
    const pyro_unit_stream_t *stream);
static int pyro_write_part_cmp(const void *one, const void *two);
static pyro_status_e pyro_write_record(pyro_batch_t *batch,
    pyro_store_push_t *push, uint32_t stream, uint32_t ptype,
    pyro_hash128_t digest, pyro_slice_t record);
static pyro_status_e pyro_write_late(pyro_batch_t *batch, uint32_t stream,
    int64_t time);


pyro_status_e
pyro_write_repeated(pyro_write_group_t *group, pyro_write_item_t *item)
{
    pyro_unit_t         *unit;
    pyro_status_e        status;
    pyro_unit_stream_t  *stream;

    for (unit = item->units; unit != NULL; unit = unit->next) {
        for (stream = unit->streams; stream != NULL; stream = stream->next) {
            status = pyro_repeats_find(&group->repeats, item->tenant,
                                       &stream->set->labels, item->push->time,
                                       &stream->set->digest, &stream->known);

            if (status != PYRO_OK) {
                return status;
            }
        }
    }

    return PYRO_OK;
}


pyro_status_e
pyro_write_push(pyro_write_group_t *group, pyro_batch_t *batch,
    pyro_write_item_t *item)
{
    uint32_t        folded;
    pyro_unit_t    *unit;
    pyro_status_e   status;

    folded = batch->folded;

    status = item->push->max_series ? pyro_write_quota(group, batch, item)
                                    : PYRO_OK;

    for (unit = item->units; unit && status == PYRO_OK; unit = unit->next) {
        status = pyro_write_unit(group, batch, item, unit);
    }

    item->push->folded = batch->folded - folded;

    if (status == PYRO_UNPROCESSABLE || status == PYRO_EXHAUSTED) {
        pyro_write_fail(item->push, &group->error);
        status = PYRO_OK;
    }

    return status;
}


/* Without the label sets that there is no room for the push is made ready once
 * more. */
static pyro_status_e
pyro_write_quota(pyro_write_group_t *group, pyro_batch_t *batch,
    pyro_write_item_t *item)
{
    uint8_t                *fold;
    uint32_t                n;
    pyro_status_e           status;
    pyro_store_push_t       folded;
    pyro_prepare_counts_t   counts = { 0, 0 };

    status = pyro_quota_fit(batch, &group->repeats, item->push, item->tenant,
                            item->units, &fold, &n);

    if (status != PYRO_OK || n == 0) {
        return status;
    }

    folded = *item->push;
    folded.profile = pyro_profile_fold(item->push->profile, fold,
                                       group->arena);

    item->units = folded.profile != NULL
                  ? pyro_prepare(&folded, group->part, group->arena,
                                 &group->room, &counts)
                  : NULL;

    if (item->units == NULL) {
        return pyro_error_memory(&group->error);
    }

    item->push->series_folded = n;

    return pyro_write_repeated(group, item);
}


static pyro_status_e
pyro_write_unit(pyro_write_group_t *group, pyro_batch_t *batch,
    pyro_write_item_t *item, pyro_unit_t *unit)
{
    uint32_t             known;
    pyro_status_e        status;
    pyro_batch_scope_t  *scope;
    pyro_unit_stream_t  *stream;

    known = 0;

    for (stream = unit->streams; stream != NULL; stream = stream->next) {

        if (!stream->known) {
            break;
        }

        known++;
    }

    if (stream == NULL) {
        item->push->repeated += known;
        return PYRO_OK;
    }

    status = pyro_scope_resolve(batch, item->tenant, item->push->tenant,
                                unit->service, item->push->time, &scope);

    if (status == PYRO_OK && !unit->encoded) {
        status = pyro_write_nodes(batch, scope, unit);

        if (status == PYRO_OK
            && pyro_prepare_encode(unit, group->arena, &group->room))
        {
            status = pyro_error_memory(&group->error);
        }
    }

    if (status != PYRO_OK) {
        return status;
    }

    pyro_batch_touch(scope, item->push->time);

    for (stream = unit->streams;
         stream != NULL && status == PYRO_OK;
         stream = stream->next)
    {
        status = pyro_write_stream(group, batch, scope, item->push, stream);
    }

    return status;
}


static pyro_status_e
pyro_write_nodes(pyro_batch_t *batch, pyro_batch_scope_t *scope,
    pyro_unit_t *unit)
{
    uint32_t             i, k, node;
    pyro_status_e        status;
    pyro_unit_stream_t  *stream;

    for (stream = unit->streams; stream != NULL; stream = stream->next) {
        for (i = 0; i < stream->n; i++) {
            for (k = 0; k < stream->sections[i].n; k++) {
                node = stream->sections[i].samples[k].node;

                if (unit->nodes.ids[node] != PYRO_NONE) {
                    continue;
                }

                status = pyro_nodes_resolve(batch, scope, &unit->nodes, node);

                if (status != PYRO_OK) {
                    return status;
                }
            }
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_write_stream(pyro_write_group_t *group, pyro_batch_t *batch,
    pyro_batch_scope_t *scope, pyro_store_push_t *push,
    const pyro_unit_stream_t *stream)
{
    uint32_t                      i, id, *ptypes;
    pyro_slice_t                  record;
    pyro_status_e                 status;
    const pyro_profile_column_t  *column;

    if (stream->known) {
        push->repeated++;
        return PYRO_OK;
    }

    ptypes = pyro_arena_alloc(group->arena, stream->n * sizeof(uint32_t));

    if (ptypes == NULL) {
        return pyro_error_memory(&group->error);
    }

    for (i = 0; i < stream->n; i++) {
        column = &push->profile->types[stream->sections[i].type];
        status = pyro_ptype_resolve(batch, column, &stream->parts[i].ptype);

        if (status != PYRO_OK) {
            return status;
        }
    }

    qsort(stream->parts, stream->n, sizeof(pyro_record_part_t),
          pyro_write_part_cmp);

    for (i = 0; i < stream->n; i++) {
        ptypes[i] = stream->parts[i].ptype;
    }

    if (pyro_record_encode(group->arena, stream->set->digest,
                           (uint64_t) (push->duration / PYRO_NS_PER_MS),
                           stream->parts, stream->n, stream->spans, &record))
    {
        return pyro_error_memory(&group->error);
    }

    group->bytes += record.len;

    status = pyro_stream_resolve(batch, scope, &stream->set->labels,
                                 stream->hash, push->time, ptypes, stream->n,
                                 &id);

    if (status != PYRO_OK) {
        return status;
    }

    return pyro_write_record(batch, push, id, ptypes[0], stream->set->digest,
                             record);
}


static int
pyro_write_part_cmp(const void *one, const void *two)
{
    const pyro_record_part_t  *a = one, *b = two;

    return (a->ptype > b->ptype) - (a->ptype < b->ptype);
}


/* An equal key with an equal digest is a repeat, with another a neighbour. */
static pyro_status_e
pyro_write_record(pyro_batch_t *batch, pyro_store_push_t *push,
    uint32_t stream, uint32_t ptype, pyro_hash128_t digest,
    pyro_slice_t record)
{
    int               rc;
    uint8_t           bytes[PYRO_RAW_KEY];
    pyro_slice_t      key, value;
    uint32_t          seq;
    pyro_record_t     known;
    pyro_raw_key_t    raw;

    raw.stream = stream;
    raw.time = push->time;
    raw.ptype = (uint16_t) ptype;

    for (seq = 0; seq < PYRO_SEQ_MAX; seq++) {
        raw.seq = (uint16_t) seq;

        key = pyro_slice(bytes, pyro_key_raw(bytes, &raw));
        value = record;

        rc = pyro_kv_add(batch->view.txn, batch->view.part->dbi[PYRO_DB_RAW],
                         key, &value);

        if (rc == 0) {
            push->stored++;
            return pyro_write_late(batch, stream, push->time);
        }

        if (rc != PYRO_KV_EXISTS) {
            return pyro_env_error(batch->view.part->env, rc, "be written",
                                  batch->view.err);
        }

        if (pyro_record_open(value, &known) == 0
            && known.digest.lo == digest.lo && known.digest.hi == digest.hi)
        {
            push->repeated++;
            return PYRO_OK;
        }
    }

    return pyro_error_set(batch->view.err, PYRO_UNPROCESSABLE,
                          PYRO_REASON_PROFILE, "%u different pushes have these "
                          "labels and the time %lld ns, the limit is %u", seq,
                          (long long) push->time, PYRO_SEQ_MAX);
}


/* A slot that is rolled up, or being so, is to be done once more. */
static pyro_status_e
pyro_write_late(pyro_batch_t *batch, uint32_t stream, int64_t time)
{
    uint8_t   key[PYRO_KEY_MAX];
    uint32_t  slot;

    slot = pyro_slot(time);

    if (slot >= batch->rolled.rolling) {
        return PYRO_OK;
    }

    return pyro_view_put(&batch->view, PYRO_DB_LATE, key,
                         pyro_key_late(key, stream, slot), "", 0);
}


void
pyro_write_fail(pyro_store_push_t *push, const pyro_error_t *err)
{
    push->status = err->status;
    push->stored = 0;
    push->repeated = 0;
    push->folded = 0;
    push->series_folded = 0;
    push->info_failed = 0;
    push->error = *err;
}
