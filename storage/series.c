/*
 * pyro_store_series(): label sets.  No record is read here but to find out
 * which types a stream has in the range.
 */

#include "storage/series.h"

#include "storage/candidates.h"
#include "storage/dict.h"
#include "storage/series_index.h"


static pyro_status_e pyro_series_partition(pyro_read_t *read, void *ctx);
static pyro_status_e pyro_series_only(pyro_read_t *read, uint32_t *only);


pyro_status_e
pyro_store_series(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_store_series_pt handler, void *ctx, pyro_error_t *err)
{
    pyro_series_call_t  s;

    memset(&s, 0, sizeof(pyro_series_call_t));

    s.handler = handler;
    s.ctx = ctx;

    return pyro_read_each(store, query, pyro_series_partition, &s, err);
}


static pyro_status_e
pyro_series_partition(pyro_read_t *read, void *ctx)
{
    uint32_t              i, k, n;
    pyro_status_e         status;
    pyro_selected_t      *selected;
    pyro_series_call_t   *s;

    s = ctx;
    n = 0;
    status = pyro_series_only(read, &s->only);

    if (status == PYRO_OK) {
        status = pyro_select(read, &selected, &n);
    }

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_read_poll(read);

        for (k = 0; k < selected[i].n && status == PYRO_OK; k++) {
            status = pyro_series_call(read, &selected[i],
                                        selected[i].ptypes[k], s);
        }

        if (status == PYRO_NOT_FOUND) {
            status = PYRO_OK;
        }
    }

    return status;
}


/* The string of the one label that is asked for. */
static pyro_status_e
pyro_series_only(pyro_read_t *read, uint32_t *only)
{
    pyro_status_e  status;

    *only = 0;

    if (read->query->distinct != PYRO_DISTINCT_VALUES) {
        return PYRO_OK;
    }

    status = pyro_dict_find(&read->view,
                            pyro_candidates_name(read->query->label), only);

    if (status == PYRO_NOT_FOUND) {
        *only = PYRO_NONE;
        return PYRO_OK;
    }

    return status;
}


pyro_status_e
pyro_series_call(pyro_read_t *read, const pyro_selected_t *selected,
    uint32_t ptype, pyro_series_call_t *s)
{
    uint32_t               n;
    pyro_labels_t          labels;
    pyro_status_e          status;
    const pyro_labels_t   *type, *stream;
    pyro_stream_value_t    value;

    status = pyro_read_stream(read, selected->stream, &value);

    if (status == PYRO_OK) {
        status = pyro_stream_label(&read->view, read->query->arena, &value,
                                   s->only, &s->stream);
    }

    if (status != PYRO_OK) {
        return status;
    }

    stream = &s->stream.labels;
    type = &read->type_labels[ptype - 1];
    n = stream->n + type->n + 1;

    if (pyro_arena_grow(read->query->arena, &s->items, &s->cap, n,
                        sizeof(pyro_label_t)))
    {
        return pyro_error_memory(read->view.err);
    }

    if (stream->n) {
        memcpy(s->items, stream->items, stream->n * sizeof(pyro_label_t));
    }

    memcpy(s->items + stream->n, type->items, type->n * sizeof(pyro_label_t));

    s->items[n - 1].name = PYRO_SLICE("__service_name__");
    s->items[n - 1].value = pyro_labels_get(stream,
                                            PYRO_SLICE("service_name"));

    labels.items = s->items;
    labels.n = pyro_labels_sort(s->items, n);

    return s->handler(s->ctx, &labels, read->view.err);
}
