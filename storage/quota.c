#include "storage/quota.h"

#include <stdlib.h>

#include "storage/series_index.h"


#define PYRO_QUOTA_RETRY  60        /* seconds: it may be long */


/* The label sets of a push, and which of them are new. */
typedef struct {
    pyro_batch_t    *batch;
    pyro_repeats_t  *repeats;
    uint32_t         tenant;
    int64_t          time;
    uint8_t         *fresh;
    uint32_t         n;         /* that have samples */
} pyro_quota_push_t;


static pyro_status_e pyro_quota_fresh(pyro_quota_push_t *q,
    const pyro_profile_t *p, const pyro_unit_t *units);
static pyro_status_e pyro_quota_find(pyro_quota_push_t *q,
    const pyro_label_set_t *set, uint64_t hash, uint8_t *fresh);
static uint32_t pyro_quota_choose(pyro_quota_push_t *q,
    const pyro_profile_t *p, uint32_t room);
static pyro_status_e pyro_quota_error(pyro_batch_t *batch,
    const pyro_store_push_t *push, uint32_t count);
static pyro_status_e pyro_quota_count(pyro_quota_push_t *q, uint32_t *count);
static pyro_status_e pyro_quota_view(const pyro_view_t *view,
    const pyro_batch_scope_t *scopes, uint32_t last, uint32_t tenant,
    uint32_t *n);
static pyro_status_e pyro_quota_stream(const pyro_view_t *view,
    const pyro_batch_scope_t *scopes, uint32_t id);
static pyro_status_e pyro_quota_tenant(const pyro_view_t *view,
    const pyro_batch_scope_t *scopes, uint32_t id, uint32_t *tenant);
static pyro_quota_tenant_t *pyro_quota_entry(pyro_quota_t *quota,
    uint32_t tenant);


pyro_status_e
pyro_quota_fit(pyro_batch_t *batch, pyro_repeats_t *repeats,
    const pyro_store_push_t *push, uint32_t tenant, const pyro_unit_t *units,
    uint8_t **fold, uint32_t *n)
{
    uint32_t               count, room;
    pyro_status_e          status;
    pyro_quota_push_t      q;
    const pyro_profile_t  *p;

    p = push->profile;
    *n = 0;

    q.batch = batch;
    q.repeats = repeats;
    q.tenant = tenant;
    q.time = push->time;
    q.fresh = pyro_arena_calloc(batch->arena, p->n_label_sets, 1);

    if (q.fresh == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    status = pyro_quota_fresh(&q, p, units);

    if (status != PYRO_OK || q.n == 0) {
        return status;
    }

    status = pyro_quota_count(&q, &count);

    if (status != PYRO_OK) {
        return status;
    }

    room = push->max_series > count ? push->max_series - count : 0;

    if (q.n <= room) {
        return PYRO_OK;
    }

    if (q.fresh[0] && room == 0) {
        return pyro_quota_error(batch, push, count);
    }

    *n = pyro_quota_choose(&q, p, room);
    *fold = q.fresh;

    return PYRO_OK;
}


/* Marks the label sets that would be series which the file has not. */
static pyro_status_e
pyro_quota_fresh(pyro_quota_push_t *q, const pyro_profile_t *p,
    const pyro_unit_t *units)
{
    uint8_t                   *fresh;
    uint64_t                   hash;
    pyro_status_e              status;
    const pyro_unit_t         *unit;
    const pyro_unit_stream_t  *stream;

    q->n = 0;
    status = PYRO_OK;

    for (unit = units; unit != NULL; unit = unit->next) {
        for (stream = unit->streams; stream != NULL; stream = stream->next) {

            if (stream->known) {
                continue;
            }

            fresh = &q->fresh[stream->set - p->label_sets];
            status = pyro_quota_find(q, stream->set, stream->hash, fresh);

            if (status != PYRO_OK) {
                return status;
            }

            q->n += *fresh;
        }
    }

    if (q->n == 0 || q->fresh[0]) {
        return PYRO_OK;
    }

    /* set 0 need have no samples, and takes a place only if others fold */

    hash = pyro_stream_hash(&p->label_sets[0].labels,
                            q->batch->view.part->seed);

    return pyro_quota_find(q, &p->label_sets[0], hash, &q->fresh[0]);
}


static pyro_status_e
pyro_quota_find(pyro_quota_push_t *q, const pyro_label_set_t *set,
    uint64_t hash, uint8_t *fresh)
{
    int                  found;
    uint32_t             id;
    pyro_status_e        status;
    pyro_stream_value_t  value;

    status = pyro_stream_find(&q->batch->view, q->tenant, hash, &set->labels,
                              &id, &value);

    found = status == PYRO_OK;

    if (status == PYRO_NOT_FOUND) {
        status = pyro_repeats_find(q->repeats, q->tenant, &set->labels,
                                   q->time, NULL, &found);
    }

    *fresh = status == PYRO_OK && !found;

    return status;
}


/* Of all files of that time. */
static pyro_status_e
pyro_quota_count(pyro_quota_push_t *q, uint32_t *count)
{
    uint32_t       i, n;
    pyro_ids_t     ids;
    pyro_view_t   *view;
    pyro_status_e  status;

    status = pyro_quota_view(&q->batch->view, q->batch->scopes,
                             q->batch->ids.stream, q->tenant, count);

    for (i = 0; i < q->repeats->n && status == PYRO_OK; i++) {
        view = &q->repeats->reads[i].view;

        if (!pyro_partition_overlaps(view->part, q->time, q->time)) {
            continue;
        }

        n = 0;
        status = pyro_view_ids(view, &ids);

        if (status == PYRO_OK) {
            status = pyro_quota_view(view, NULL, ids.stream, q->tenant, &n);
        }

        if (status != PYRO_OK) {
            n = 0;
            status = pyro_repeats_pass(&q->repeats->reads[i], status);
        }

        *count += n;
    }

    return status;
}


/* Counts what came since, up to the stream last. */
static pyro_status_e
pyro_quota_view(const pyro_view_t *view, const pyro_batch_scope_t *scopes,
    uint32_t last, uint32_t tenant, uint32_t *n)
{
    pyro_quota_t         *quota;
    pyro_status_e         status;
    pyro_quota_tenant_t  *entry;

    quota = &view->part->quota;

    while (quota->seen < last) {
        status = pyro_quota_stream(view, scopes, quota->seen + 1);

        if (status != PYRO_OK) {
            return status;
        }

        quota->seen++;
    }

    entry = pyro_quota_entry(quota, tenant);

    if (entry == NULL) {
        return pyro_error_memory(view->err);
    }

    *n = entry->n;

    return PYRO_OK;
}


/* Set 0 is first to get a place, then the others in their order; left marked
 * are those that get none. */
static uint32_t
pyro_quota_choose(pyro_quota_push_t *q, const pyro_profile_t *p, uint32_t room)
{
    uint32_t  i, n;

    room -= q->fresh[0];
    q->fresh[0] = 0;

    for (i = 1, n = 0; i < p->n_label_sets; i++) {

        if (q->fresh[i] && room) {
            q->fresh[i] = 0;
            room--;
        }

        n += q->fresh[i];
    }

    return n;
}


static pyro_status_e
pyro_quota_error(pyro_batch_t *batch, const pyro_store_push_t *push,
    uint32_t count)
{
    pyro_slice_t  service;

    service = pyro_labels_get(&push->profile->label_sets[0].labels,
                              PYRO_SLICE("service_name"));

    (void) pyro_error_set(batch->view.err, PYRO_EXHAUSTED, PYRO_REASON_SERIES,
                          "limits.max_global_series_per_tenant: tenant "
                          "\"%.*s\" has %u series in %s, the limit is %u, and "
                          "these labels of service \"%.*s\" are new",
                          PYRO_SLICE_ARG(push->tenant), count,
                          batch->view.part->name, push->max_series,
                          PYRO_SLICE_ARG(service));

    batch->view.err->retry = PYRO_QUOTA_RETRY;

    return PYRO_EXHAUSTED;
}


/* One that was deleted leaves its number behind; one that is damaged, of which
 * pushes of others know nothing, is nobody's. */
static pyro_status_e
pyro_quota_stream(const pyro_view_t *view, const pyro_batch_scope_t *scopes,
    uint32_t id)
{
    uint32_t              tenant;
    pyro_status_e         status;
    pyro_stream_value_t   stream;
    pyro_quota_tenant_t  *entry;

    status = pyro_stream_read(view, id, &stream);

    if (status == PYRO_OK) {
        status = pyro_quota_tenant(view, scopes, stream.scope, &tenant);
    }

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND || status == PYRO_UNAVAILABLE
               ? PYRO_OK : status;
    }

    entry = pyro_quota_entry(&view->part->quota, tenant);

    if (entry == NULL) {
        return pyro_error_memory(view->err);
    }

    entry->n++;

    return PYRO_OK;
}


/* A new scope is not in the file before its batch is committed. */
static pyro_status_e
pyro_quota_tenant(const pyro_view_t *view, const pyro_batch_scope_t *scopes,
    uint32_t id, uint32_t *tenant)
{
    pyro_status_e              status;
    pyro_scope_value_t         value;
    const pyro_batch_scope_t  *scope;

    for (scope = scopes; scope != NULL; scope = scope->next) {
        if (scope->id == id) {
            *tenant = scope->tenant;
            return PYRO_OK;
        }
    }

    status = pyro_scope_read(view, id, &value);
    *tenant = status == PYRO_OK ? value.tenant : 0;

    return status;
}


/* Sorted by tenant; entered if it is new.  NULL: no memory. */
static pyro_quota_tenant_t *
pyro_quota_entry(pyro_quota_t *quota, uint32_t tenant)
{
    uint32_t              low, high, middle, cap;
    pyro_quota_tenant_t  *items;

    for (low = 0, high = quota->n; low < high; /* void */ ) {
        middle = low + (high - low) / 2;

        if (quota->items[middle].tenant < tenant) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    if (low < quota->n && quota->items[low].tenant == tenant) {
        return &quota->items[low];
    }

    if (quota->n == quota->cap) {
        cap = quota->cap ? 2 * quota->cap : 8;
        items = realloc(quota->items, cap * sizeof(pyro_quota_tenant_t));

        if (items == NULL) {
            return NULL;
        }

        quota->items = items;
        quota->cap = cap;
    }

    memmove(&quota->items[low + 1], &quota->items[low],
            (quota->n - low) * sizeof(pyro_quota_tenant_t));

    quota->n++;
    quota->items[low].tenant = tenant;
    quota->items[low].n = 0;

    return &quota->items[low];
}


void
pyro_quota_forget(pyro_quota_t *quota)
{
    free(quota->items);
    memset(quota, 0, sizeof(pyro_quota_t));
}
