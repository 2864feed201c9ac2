#include "storage/series_index.h"

#include "core/base/hash.h"
#include "storage/dict.h"
#include "storage/postings.h"


static pyro_status_e pyro_scope_find(pyro_batch_t *batch, const uint8_t *key,
    size_t len, pyro_batch_scope_t *scope);
static pyro_status_e pyro_scope_add(pyro_batch_t *batch, const uint8_t *key,
    size_t len, pyro_batch_scope_t *scope, pyro_slice_t tenant_name,
    int64_t time);
static pyro_status_e pyro_ptype_add(pyro_batch_t *batch,
    const pyro_profile_column_t *column, uint32_t ptype);
static pyro_status_e pyro_stream_same(const pyro_view_t *view,
    const pyro_stream_value_t *value, const pyro_labels_t *labels, int *same);
static pyro_status_e pyro_stream_add(pyro_batch_t *batch,
    const pyro_batch_scope_t *scope, const pyro_labels_t *labels,
    uint32_t stream, uint32_t **strings);
static pyro_status_e pyro_stream_update(pyro_batch_t *batch, uint32_t stream,
    const pyro_stream_value_t *value, int64_t time, const uint32_t *ptypes,
    uint32_t n);
static pyro_status_e pyro_stream_write(pyro_batch_t *batch, uint32_t stream,
    const pyro_stream_value_t *value, const uint32_t *ptypes,
    const uint32_t *strings);


pyro_status_e
pyro_scope_resolve(pyro_batch_t *batch, uint32_t tenant,
    pyro_slice_t tenant_name, pyro_slice_t service, int64_t time,
    pyro_batch_scope_t **scope)
{
    size_t               len;
    uint8_t              key[PYRO_KEY_MAX];
    uint64_t             hash;
    pyro_status_e        status;
    pyro_batch_scope_t  *s;

    for (s = batch->scopes; s != NULL; s = s->next) {
        if (s->tenant == tenant && pyro_slice_eq(s->service, service)) {
            *scope = s;
            return PYRO_OK;
        }
    }

    s = pyro_arena_calloc(batch->arena, 1, sizeof(pyro_batch_scope_t));

    if (s == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    s->tenant = tenant;
    s->service = service;

    hash = pyro_hash64(service.data, service.len, batch->view.part->seed);
    len = pyro_key_pair(key, tenant, hash);

    status = pyro_scope_find(batch, key, len, s);

    if (status == PYRO_NOT_FOUND) {
        status = pyro_scope_add(batch, key, len, s, tenant_name, time);
    }

    if (status == PYRO_OK) {
        s->next = batch->scopes;
        batch->scopes = s;
        *scope = s;
    }

    return status;
}


static pyro_status_e
pyro_scope_find(pyro_batch_t *batch, const uint8_t *key, size_t len,
    pyro_batch_scope_t *scope)
{
    size_t         i;
    pyro_slice_t   list, service;
    pyro_status_e  status;

    status = pyro_view_get(&batch->view, PYRO_DB_SCOPEX, key, len, &list);

    if (status != PYRO_OK) {
        return status;
    }

    for (i = 0; (scope->id = pyro_dict_list_get(list, i)) != 0; i++) {
        status = pyro_scope_read(&batch->view, scope->id, &scope->value);

        if (status == PYRO_OK) {
            status = pyro_dict_text(&batch->view, scope->value.service,
                                    &service);
        }

        if (status != PYRO_OK || (scope->value.tenant == scope->tenant
                                  && pyro_slice_eq(service, scope->service)))
        {
            return status;
        }
    }

    return PYRO_NOT_FOUND;
}


static pyro_status_e
pyro_scope_add(pyro_batch_t *batch, const uint8_t *key, size_t len,
    pyro_batch_scope_t *scope, pyro_slice_t tenant_name, int64_t time)
{
    uint8_t        tenant[PYRO_KEY_MAX];
    pyro_status_e  status;

    scope->id = ++batch->ids.scope;
    scope->changed = 1;

    scope->value.tenant = scope->tenant;
    scope->value.nodes = 0;
    scope->value.first = time;
    scope->value.last = pyro_last_round(time);

    status = pyro_dict_string(batch, scope->service, &scope->value.service);

    if (status == PYRO_OK) {
        status = pyro_view_put(&batch->view, PYRO_DB_TENANT, tenant,
                               pyro_key_id(tenant, scope->tenant),
                               tenant_name.data, tenant_name.len);
    }

    return status == PYRO_OK
           ? pyro_dict_list_add(batch, PYRO_DB_SCOPEX, key, len, scope->id)
           : status;
}


pyro_status_e
pyro_scope_read(const pyro_view_t *view, uint32_t id,
    pyro_scope_value_t *scope)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    pyro_slice_t   in;
    pyro_status_e  status;

    len = pyro_key_id(key, id);
    status = pyro_view_get(view, PYRO_DB_SCOPE, key, len, &in);

    if (status == PYRO_NOT_FOUND
        || (status == PYRO_OK && pyro_scope_get(in, scope)))
    {
        return pyro_env_damaged(view->part->env, "scope", id, view->err);
    }

    return status;
}


pyro_status_e
pyro_ptype_resolve(pyro_batch_t *batch, const pyro_profile_column_t *column,
    uint32_t *ptype)
{
    pyro_ptypes_t  *ptypes;
    pyro_status_e   status;

    ptypes = &batch->ptypes;
    *ptype = pyro_ptypes_find(ptypes, column);

    if (*ptype != PYRO_NONE) {
        return PYRO_OK;
    }

    if (ptypes->n == PYRO_PTYPES_MAX) {
        return pyro_error_set(batch->view.err, PYRO_UNPROCESSABLE,
                              PYRO_REASON_PROFILE, "profile type "
                              "\"%.*s:%.*s\": %s has %u types, the limit is "
                              "%u", PYRO_SLICE_ARG(column->type.name),
                              PYRO_SLICE_ARG(column->type.sample_type),
                              batch->view.part->name, ptypes->n,
                              PYRO_PTYPES_MAX);
    }

    if (pyro_arena_grow(batch->arena, &ptypes->items, &ptypes->cap,
                        ptypes->n + 1, sizeof(pyro_profile_column_t)))
    {
        return pyro_error_memory(batch->view.err);
    }

    status = pyro_ptype_add(batch, column, ptypes->n + 1);

    if (status == PYRO_OK) {
        ptypes->items[ptypes->n++] = *column;
        *ptype = ptypes->n;
        batch->ids.ptype = ptypes->n;
    }

    return status;
}


static pyro_status_e
pyro_ptype_add(pyro_batch_t *batch, const pyro_profile_column_t *column,
    uint32_t ptype)
{
    uint8_t               key[PYRO_KEY_MAX], *p, *value;
    uint32_t              i, id, n;
    pyro_slice_t          text;
    pyro_status_e         status;
    const pyro_label_t   *label;
    const pyro_slice_t   *five[5];

    five[0] = &column->type.name;
    five[1] = &column->type.sample_type;
    five[2] = &column->type.sample_unit;
    five[3] = &column->type.period_type;
    five[4] = &column->type.period_unit;

    n = 5 + 2 * column->extra.n;
    value = pyro_arena_alloc(batch->arena, ((size_t) n + 1) * PYRO_VARINT_MAX);

    if (value == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    for (i = 0, p = value; i < n; i++) {

        if (i < 5) {
            text = *five[i];

        } else {
            label = &column->extra.items[(i - 5) / 2];
            text = (i - 5) % 2 ? label->value : label->name;
        }

        status = pyro_dict_string(batch, text, &id);

        if (status != PYRO_OK) {
            return status;
        }

        p = i == 5 ? pyro_put_varint(p, column->extra.n) : p;
        p = pyro_put_varint(p, id);
    }

    p = n == 5 ? pyro_put_varint(p, 0) : p;

    return pyro_view_put(&batch->view, PYRO_DB_PTYPE, key,
                         pyro_key_ptype(key, ptype), value,
                         (size_t) (p - value));
}


uint64_t
pyro_stream_hash(const pyro_labels_t *labels, uint64_t seed)
{
    uint32_t             i;
    uint64_t             hash;
    const pyro_label_t  *label;

    hash = pyro_hash_mix(seed, labels->n);

    for (i = 0; i < labels->n; i++) {
        label = &labels->items[i];

        hash = pyro_hash_mix(hash, pyro_hash64(label->name.data,
                                               label->name.len, seed));
        hash = pyro_hash_mix(hash, pyro_hash64(label->value.data,
                                               label->value.len, seed));
    }

    return hash;
}


pyro_status_e
pyro_stream_resolve(pyro_batch_t *batch, const pyro_batch_scope_t *scope,
    const pyro_labels_t *labels, uint64_t hash, int64_t time,
    const uint32_t *ptypes, uint32_t n, uint32_t *stream)
{
    size_t                len;
    uint8_t               key[PYRO_KEY_MAX];
    uint32_t             *strings;
    pyro_status_e         status;
    pyro_stream_value_t   value;

    strings = NULL;
    len = pyro_key_pair(key, scope->tenant, hash);
    status = pyro_stream_find(&batch->view, scope->tenant, hash, labels, stream,
                              &value);

    if (status == PYRO_OK) {
        return pyro_stream_update(batch, *stream, &value, time, ptypes, n);
    }

    if (status != PYRO_NOT_FOUND) {
        return status;
    }

    *stream = ++batch->ids.stream;

    status = pyro_stream_add(batch, scope, labels, *stream, &strings);

    if (status == PYRO_OK) {
        status = pyro_dict_list_add(batch, PYRO_DB_STREAMX, key, len, *stream);
    }

    if (status != PYRO_OK) {
        return status;
    }

    value.scope = scope->id;
    value.first = time;
    value.last = pyro_last_round(time);
    value.n_ptypes = n;
    value.n_labels = labels->n;

    return pyro_stream_write(batch, *stream, &value, ptypes, strings);
}


pyro_status_e
pyro_stream_find(const pyro_view_t *view, uint32_t tenant, uint64_t hash,
    const pyro_labels_t *labels, uint32_t *stream, pyro_stream_value_t *value)
{
    int            same;
    size_t         i;
    uint8_t        key[PYRO_KEY_MAX];
    pyro_slice_t   list;
    pyro_status_e  status;

    status = pyro_view_get(view, PYRO_DB_STREAMX, key,
                           pyro_key_pair(key, tenant, hash), &list);

    if (status != PYRO_OK) {
        return status;
    }

    for (i = 0; (*stream = pyro_dict_list_get(list, i)) != 0; i++) {
        status = pyro_stream_read(view, *stream, value);

        if (status == PYRO_NOT_FOUND) {
            return pyro_env_damaged(view->part->env, "stream", *stream,
                                    view->err);
        }

        if (status == PYRO_OK) {
            status = pyro_stream_same(view, value, labels, &same);
        }

        if (status != PYRO_OK || same) {
            return status;
        }
    }

    return PYRO_NOT_FOUND;
}


static pyro_status_e
pyro_stream_same(const pyro_view_t *view, const pyro_stream_value_t *value,
    const pyro_labels_t *labels, int *same)
{
    uint32_t       i;
    pyro_bytes_t   in;
    pyro_slice_t   stored, text;
    pyro_status_e  status;

    *same = 0;
    in = value->labels;

    if (value->n_labels != labels->n) {
        return PYRO_OK;
    }

    for (i = 0; i < 2 * labels->n; i++) {

        status = pyro_dict_text(view, pyro_take_known(&in), &stored);

        if (status != PYRO_OK) {
            return status;
        }

        text = i % 2 ? labels->items[i / 2].value : labels->items[i / 2].name;

        if (!pyro_slice_eq(stored, text)) {
            return PYRO_OK;
        }
    }

    *same = 1;

    return PYRO_OK;
}


/* Enters the labels' strings and the postings of a new stream. */
static pyro_status_e
pyro_stream_add(pyro_batch_t *batch, const pyro_batch_scope_t *scope,
    const pyro_labels_t *labels, uint32_t stream, uint32_t **strings)
{
    uint32_t       i, *ids;
    pyro_status_e  status;

    ids = pyro_arena_alloc(batch->arena,
                           2 * (size_t) labels->n * sizeof(uint32_t));

    if (ids == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    for (i = 0; i < labels->n; i++) {
        status = pyro_dict_string(batch, labels->items[i].name, &ids[2 * i]);

        if (status == PYRO_OK) {
            status = pyro_dict_string(batch, labels->items[i].value,
                                      &ids[2 * i + 1]);
        }

        if (status == PYRO_OK) {
            status = pyro_postings_add(batch, scope->tenant, ids[2 * i],
                                       ids[2 * i + 1], stream);
        }

        if (status != PYRO_OK) {
            return status;
        }
    }

    *strings = ids;

    return PYRO_OK;
}


static pyro_status_e
pyro_stream_update(pyro_batch_t *batch, uint32_t stream,
    const pyro_stream_value_t *value, int64_t time, const uint32_t *ptypes,
    uint32_t n)
{
    uint32_t              i, k, id, count, *strings, *all;
    pyro_bytes_t          in;
    pyro_stream_value_t   changed;

    all = pyro_arena_alloc(batch->arena,
                           ((size_t) value->n_ptypes + n) * sizeof(uint32_t));

    if (all == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    /* the union of two ascending lists */

    in = value->ptypes;
    k = 0;
    id = 0;
    count = 0;

    for (i = 0; i < value->n_ptypes; i++) {
        id += pyro_take_known(&in);

        while (k < n && ptypes[k] < id) {
            all[count++] = ptypes[k++];
        }

        k += k < n && ptypes[k] == id;
        all[count++] = id;
    }

    while (k < n) {
        all[count++] = ptypes[k++];
    }

    if (count == value->n_ptypes && time >= value->first
        && time <= value->last)
    {
        return PYRO_OK;
    }

    strings = pyro_arena_alloc(batch->arena,
                               2 * (size_t) value->n_labels
                               * sizeof(uint32_t));

    if (strings == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    in = value->labels;

    for (i = 0; i < 2 * value->n_labels; i++) {
        strings[i] = pyro_take_known(&in);
    }

    changed = *value;
    changed.n_ptypes = count;
    changed.first = time < value->first ? time : value->first;
    changed.last = time > value->last ? pyro_last_round(time) : value->last;

    return pyro_stream_write(batch, stream, &changed, all, strings);
}


static pyro_status_e
pyro_stream_write(pyro_batch_t *batch, uint32_t stream,
    const pyro_stream_value_t *value, const uint32_t *ptypes,
    const uint32_t *strings)
{
    size_t    len;
    uint8_t   key[PYRO_KEY_MAX], *p;

    p = pyro_arena_alloc(batch->arena, pyro_stream_size(value->n_ptypes,
                                                        value->n_labels));

    if (p == NULL) {
        return pyro_error_memory(batch->view.err);
    }

    len = pyro_stream_put(p, value, ptypes, strings);

    return pyro_view_put(&batch->view, PYRO_DB_STREAM, key,
                         pyro_key_id(key, stream), p, len);
}


pyro_status_e
pyro_stream_read(const pyro_view_t *view, uint32_t id,
    pyro_stream_value_t *stream)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    pyro_slice_t   in;
    pyro_status_e  status;

    len = pyro_key_id(key, id);
    status = pyro_view_get(view, PYRO_DB_STREAM, key, len, &in);

    if (status == PYRO_OK && pyro_stream_get(in, stream)) {
        return pyro_env_damaged(view->part->env, "stream", id, view->err);
    }

    return status;
}


pyro_status_e
pyro_stream_labels(const pyro_view_t *view, pyro_arena_t *arena,
    const pyro_stream_value_t *stream, pyro_label_room_t *room)
{
    return pyro_stream_label(view, arena, stream, 0, room);
}


/* 0 is no label's name: all of them. */
pyro_status_e
pyro_stream_label(const pyro_view_t *view, pyro_arena_t *arena,
    const pyro_stream_value_t *stream, uint32_t only, pyro_label_room_t *room)
{
    uint32_t       i, name, value;
    pyro_bytes_t   in;
    pyro_label_t  *label;
    pyro_status_e  status;

    if (pyro_arena_grow(arena, &room->items, &room->cap, stream->n_labels,
                        sizeof(pyro_label_t)))
    {
        return pyro_error_memory(view->err);
    }

    in = stream->labels;
    room->labels.items = room->items;
    room->labels.n = 0;

    for (i = 0; i < stream->n_labels; i++) {
        name = pyro_take_known(&in);
        value = pyro_take_known(&in);

        if (only && name != only) {
            continue;
        }

        label = &room->items[room->labels.n++];
        status = pyro_dict_text(view, name, &label->name);

        if (status == PYRO_OK) {
            status = pyro_dict_text(view, value, &label->value);
        }

        if (status != PYRO_OK) {
            return status;
        }
    }

    return PYRO_OK;
}
