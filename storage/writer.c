/*
 * pyro_store_write(): pushes sorted by time, cut into groups of one partition,
 * each group prepared without the lock and then applied in as few transactions
 * as their caps allow; at the end what recordings said of themselves.
 */

#include "storage/handle.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "storage/prepare.h"
#include "storage/repeats.h"
#include "storage/rollup.h"
#include "storage/series_index.h"


#define PYRO_GROUP_PUSHES   256
#define PYRO_GROUP_BYTES    (8 * 1024 * 1024)
#define PYRO_GROUP_TIME     (50 * PYRO_NS_PER_MS)


typedef struct {
    pyro_store_push_t   *push;
    uint32_t             order;     /* as given */
    uint32_t             tenant;
    pyro_unit_t         *units;
} pyro_write_item_t;


typedef struct {
    pyro_store_t        *store;
    pyro_partition_t    *part;
    pyro_arena_t        *arena;
    pyro_pairs_t         room;
    pyro_write_item_t   *items;
    uint32_t             n;
    size_t               bytes;     /* of records in the transaction */
    pyro_error_t         error;
} pyro_write_group_t;


static uint32_t pyro_write_begin(pyro_store_t *store,
    pyro_store_push_t **pushes, uint32_t n, pyro_write_item_t *items);
static int pyro_write_cmp(const void *one, const void *two);
static void pyro_write_fail(pyro_store_push_t *push, const pyro_error_t *err);
static uint32_t pyro_write_group(pyro_store_t *store, pyro_write_item_t *items,
    uint32_t n);
static pyro_status_e pyro_write_prepare(pyro_write_group_t *group,
    uint32_t most);
static pyro_status_e pyro_write_repeats(pyro_write_group_t *group);
static pyro_status_e pyro_write_item_repeats(pyro_repeats_t *repeats,
    pyro_write_item_t *item);
static void pyro_write_apply(pyro_write_group_t *group);
static uint32_t pyro_write_transaction(pyro_write_group_t *group,
    uint32_t from, int *elsewhere);
static pyro_status_e pyro_write_push(pyro_write_group_t *group,
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


void
pyro_store_write(pyro_store_t *store, pyro_store_push_t **pushes, uint32_t n)
{
    uint32_t            i, count;
    pyro_error_t        err;
    pyro_status_e       status;
    pyro_write_item_t  *items;

    items = calloc((size_t) n + 1, sizeof(pyro_write_item_t));

    status = items != NULL ? pyro_guard_check(&store->guard, &err)
                           : pyro_error_memory(&err);

    if (status != PYRO_OK) {
        for (i = 0; i < n; i++) {
            pyro_write_fail(pushes[i], &err);
        }

        free(items);
        return;
    }

    count = pyro_write_begin(store, pushes, n, items);

    qsort(items, count, sizeof(pyro_write_item_t), pyro_write_cmp);

    pthread_mutex_lock(&store->writing);

    for (i = 0; i < count; /* void */ ) {
        i += pyro_write_group(store, &items[i], count - i);
    }

    pyro_info_write(store, pushes, n);

    pthread_mutex_unlock(&store->writing);

    free(items);
}


/* Those pushes that have something to store. */
static uint32_t
pyro_write_begin(pyro_store_t *store, pyro_store_push_t **pushes, uint32_t n,
    pyro_write_item_t *items)
{
    uint32_t            i, count;
    pyro_store_push_t  *push;

    /* without it making the partition will fail, and say why */

    (void) pyro_catalog_refresh(&store->catalog, NULL);

    for (i = 0, count = 0; i < n; i++) {
        push = pushes[i];

        push->status = PYRO_OK;
        push->stored = 0;
        push->repeated = 0;
        push->folded = 0;
        push->info_failed = 0;
        push->error.message[0] = '\0';

        if (push->time < 0 || push->duration < 0) {
            push->status = pyro_error_set(&push->error, PYRO_UNPROCESSABLE,
                                          PYRO_REASON_WINDOW, "time %lld ns or "
                                          "duration %lld ns is below 0",
                                          (long long) push->time,
                                          (long long) push->duration);

        } else if (pyro_catalog_is_thinned(&store->catalog, push->time)) {
            push->status = pyro_error_set(&push->error, PYRO_UNPROCESSABLE,
                                          PYRO_REASON_WINDOW, "time %lld ns: "
                                          "of that time only sums are kept "
                                          "(lmdb.keep_raw)",
                                          (long long) push->time);

        } else if (push->profile->n_sections) {
            items[count].push = push;
            items[count].order = i;
            count++;
        }
    }

    return count;
}


static int
pyro_write_cmp(const void *one, const void *two)
{
    const pyro_write_item_t  *a = one, *b = two;

    if (a->push->time != b->push->time) {
        return a->push->time < b->push->time ? -1 : 1;
    }

    return (a->order > b->order) - (a->order < b->order);
}


static void
pyro_write_fail(pyro_store_push_t *push, const pyro_error_t *err)
{
    push->status = err->status;
    push->stored = 0;
    push->repeated = 0;
    push->folded = 0;
    push->info_failed = 0;
    push->error = *err;
}


/* Stores the first pushes of one partition; returns how many are done. */
static uint32_t
pyro_write_group(pyro_store_t *store, pyro_write_item_t *items, uint32_t n)
{
    uint32_t             i;
    pyro_status_e        status;
    pyro_write_group_t   group;

    memset(&group, 0, sizeof(pyro_write_group_t));

    group.store = store;
    group.items = items;
    group.n = 1;
    group.arena = pyro_arena_create(0);

    status = group.arena ? PYRO_OK : pyro_error_memory(&group.error);

    if (status == PYRO_OK) {
        status = pyro_catalog_make(&store->catalog, items[0].push->time,
                                   &group.part, &group.error);
    }

    if (status == PYRO_OK) {
        status = pyro_catalog_acquire(&store->catalog, group.part,
                                      &group.error);

        if (status == PYRO_NOT_FOUND
            || (status == PYRO_UNAVAILABLE
                && pyro_catalog_is_aside(&store->catalog, group.part)))
        {
            /* somebody removed the file, or processes die of it: the next
             * generation takes its place */
            group.part->elsewhere = 1;
            pyro_arena_destroy(group.arena);
            return 0;
        }

        if (status == PYRO_OK) {
            status = pyro_write_prepare(&group, n);

            if (status == PYRO_OK) {
                status = pyro_write_repeats(&group);
            }

            if (status == PYRO_OK) {
                pyro_write_apply(&group);

            } else if (status == PYRO_NOT_FOUND) {
                /* a file was replaced just now: once more, with the new one */
                group.n = 0;
                status = PYRO_OK;
            }

            pyro_catalog_release(&store->catalog, group.part);
        }
    }

    if (status != PYRO_OK) {
        group.error.status = status == PYRO_EXHAUSTED ? PYRO_EXHAUSTED
                                                      : PYRO_UNAVAILABLE;

        for (i = 0; i < group.n; i++) {
            pyro_write_fail(items[i].push, &group.error);
        }
    }

    pyro_arena_destroy(group.arena);

    return group.n;
}


/* Sets group->n: as many pushes as are of this partition and fit the caps. */
static pyro_status_e
pyro_write_prepare(pyro_write_group_t *group, uint32_t most)
{
    uint32_t               n;
    pyro_status_e          status;
    pyro_write_item_t     *item;
    pyro_prepare_counts_t  counts = { 0, 0 };

    most = most < PYRO_GROUP_PUSHES ? most : PYRO_GROUP_PUSHES;
    status = PYRO_OK;

    for (n = 0; n < most && status == PYRO_OK; n++) {
        item = &group->items[n];

        if (n && (pyro_arena_used(group->arena) > PYRO_GROUP_BYTES
                  || pyro_catalog_find(&group->store->catalog,
                                       item->push->time)
                     != group->part))
        {
            break;
        }

        status = pyro_catalog_add_tenant(&group->store->catalog,
                                         item->push->tenant, &item->tenant,
                                         &group->error);

        if (status == PYRO_OK) {
            item->units = pyro_prepare(item->push, group->part, group->arena,
                                       &group->room, &counts);

            if (item->units == NULL) {
                status = pyro_error_memory(&group->error);
            }
        }
    }

    group->n = n;
    group->store->cache_hits += counts.hits;
    group->store->cache_misses += counts.misses;

    return status;
}


/* Marks what another file of the same time has: it is sealed, or being so. */
static pyro_status_e
pyro_write_repeats(pyro_write_group_t *group)
{
    uint32_t        i;
    pyro_status_e   status;
    pyro_repeats_t  repeats;

    status = pyro_repeats_begin(&repeats, group->store, group->part,
                                group->items[0].push->time,
                                group->items[group->n - 1].push->time,
                                group->arena, &group->error);

    if (status != PYRO_OK || repeats.n == 0) {
        return status;
    }

    for (i = 0; i < group->n && status == PYRO_OK; i++) {
        status = pyro_write_item_repeats(&repeats, &group->items[i]);
    }

    pyro_repeats_end(&repeats);

    return status;
}


static pyro_status_e
pyro_write_item_repeats(pyro_repeats_t *repeats, pyro_write_item_t *item)
{
    pyro_unit_t         *unit;
    pyro_status_e        status;
    pyro_unit_stream_t  *stream;

    for (unit = item->units; unit != NULL; unit = unit->next) {
        for (stream = unit->streams; stream != NULL; stream = stream->next) {
            status = pyro_repeats_find(repeats, item->tenant,
                                       &stream->set->labels, item->push->time,
                                       stream->set->digest, &stream->known);

            if (status != PYRO_OK) {
                return status;
            }
        }
    }

    return PYRO_OK;
}


static void
pyro_write_apply(pyro_write_group_t *group)
{
    int       elsewhere;
    uint32_t  i, end;

    for (i = 0; i < group->n; i = end) {
        end = pyro_write_transaction(group, i, &elsewhere);

        if (elsewhere) {
            /* what is not done is given back and finds its new place */
            group->n = i;
        }
    }
}


/*
 * One transaction, beginning with push number from; returns the number of the
 * first push that is not in it.
 */
static uint32_t
pyro_write_transaction(pyro_write_group_t *group, uint32_t from,
    int *elsewhere)
{
    int64_t        start;
    uint32_t       i, end;
    pyro_batch_t   batch;
    pyro_status_e  status;

    group->bytes = 0;
    end = group->n;

    status = pyro_batch_begin(&batch, group->part, group->arena, elsewhere,
                              &group->error);

    if (status == PYRO_OK && *elsewhere) {
        group->part->elsewhere = 1;
        return from;
    }

    if (status == PYRO_OK) {
        start = pyro_clock_mono();

        for (i = from; i < group->n && status == PYRO_OK; i++) {

            if (i > from && (group->bytes > PYRO_GROUP_BYTES
                             || pyro_clock_mono() - start > PYRO_GROUP_TIME))
            {
                break;
            }

            status = pyro_write_push(group, &batch, &group->items[i]);
        }

        if (status == PYRO_OK) {
            end = i;
            status = pyro_batch_commit(&batch);

        } else {
            pyro_batch_abort(&batch);
        }
    }

    if (status == PYRO_OK) {
        group->store->commits++;
        return end;
    }

    group->store->commit_failures++;

    for (i = from; i < end; i++) {
        pyro_write_fail(group->items[i].push, &group->error);
    }

    return end;
}


/* What is wrong with one push alone is its own result, not the group's. */
static pyro_status_e
pyro_write_push(pyro_write_group_t *group, pyro_batch_t *batch,
    pyro_write_item_t *item)
{
    uint32_t        folded;
    pyro_unit_t    *unit;
    pyro_status_e   status;

    status = PYRO_OK;
    folded = batch->folded;

    for (unit = item->units; unit && status == PYRO_OK; unit = unit->next) {
        status = pyro_write_unit(group, batch, item, unit);
    }

    item->push->folded = batch->folded - folded;

    if (status == PYRO_UNPROCESSABLE) {
        pyro_write_fail(item->push, &group->error);
        status = PYRO_OK;
    }

    return status;
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
