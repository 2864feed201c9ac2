/*
 * pyro_store_series() and pyro_store_totals(): label sets, and the totals of
 * single profiles.  No pair is ever read here.
 */

#include "storage/select.h"
#include "storage/series_index.h"


typedef struct {
    pyro_store_series_pt                handler;
    void                               *ctx;
    pyro_label_room_t                   stream;
    pyro_label_t                       *items;
    uint32_t                            cap;
} pyro_series_read_t;


typedef struct {
    const pyro_store_totals_handler_t  *handler;
    pyro_series_read_t                  series;
    uint32_t                           *groups;     /* by ptype - 1 */
    uint32_t                            cap_groups;
    uint32_t                            group;      /* set by the handler */
} pyro_totals_read_t;


static pyro_status_e pyro_series_partition(pyro_read_t *read, void *ctx);
static pyro_status_e pyro_series_labels(pyro_read_t *read,
    const pyro_selected_t *selected, uint32_t ptype, pyro_series_read_t *s);
static pyro_status_e pyro_totals_partition(pyro_read_t *read, void *ctx);
static pyro_status_e pyro_totals_series(void *ctx, const pyro_labels_t *labels,
    pyro_error_t *err);
static pyro_status_e pyro_totals_stream(pyro_read_t *read,
    const pyro_selected_t *selected, pyro_totals_read_t *totals);
static pyro_status_e pyro_totals_record(pyro_scan_t *scan,
    pyro_totals_read_t *totals);


pyro_status_e
pyro_store_series(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_store_series_pt handler, void *ctx, pyro_error_t *err)
{
    pyro_series_read_t  s;

    memset(&s, 0, sizeof(pyro_series_read_t));

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
    pyro_series_read_t   *s;

    s = ctx;
    status = pyro_select(read, &selected, &n);

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_read_poll(read);

        for (k = 0; k < selected[i].n && status == PYRO_OK; k++) {
            status = pyro_series_labels(read, &selected[i],
                                        selected[i].ptypes[k], s);
        }
    }

    return status;
}


/* Calls the handler with the labels of the stream and of one type. */
static pyro_status_e
pyro_series_labels(pyro_read_t *read, const pyro_selected_t *selected,
    uint32_t ptype, pyro_series_read_t *s)
{
    uint32_t               n;
    pyro_labels_t          labels;
    pyro_status_e          status;
    const pyro_labels_t   *type, *stream;
    pyro_stream_value_t    value;

    status = pyro_stream_read(&read->view, selected->stream, &value);

    if (status == PYRO_OK) {
        status = pyro_stream_labels(&read->view, read->query->arena, &value,
                                    &s->stream);
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


pyro_status_e
pyro_store_totals(pyro_store_t *store, const pyro_store_query_t *query,
    const pyro_store_totals_handler_t *handler, pyro_error_t *err)
{
    pyro_totals_read_t  totals;

    memset(&totals, 0, sizeof(pyro_totals_read_t));

    totals.handler = handler;
    totals.series.handler = pyro_totals_series;
    totals.series.ctx = &totals;

    return pyro_read_each(store, query, pyro_totals_partition, &totals, err);
}


static pyro_status_e
pyro_totals_partition(pyro_read_t *read, void *ctx)
{
    uint32_t              i, n;
    pyro_status_e         status;
    pyro_selected_t      *selected;
    pyro_totals_read_t   *totals;

    totals = ctx;
    status = pyro_select(read, &selected, &n);

    if (status == PYRO_OK
        && pyro_arena_grow(read->query->arena, &totals->groups,
                           &totals->cap_groups, read->ptypes.n,
                           sizeof(uint32_t)))
    {
        status = pyro_error_memory(read->view.err);
    }

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_totals_stream(read, &selected[i], totals);
    }

    return status;
}


static pyro_status_e
pyro_totals_series(void *ctx, const pyro_labels_t *labels, pyro_error_t *err)
{
    pyro_totals_read_t  *totals;

    totals = ctx;
    totals->group = 0;

    return totals->handler->series(totals->handler->ctx, labels,
                                   &totals->group, err);
}


static pyro_status_e
pyro_totals_stream(pyro_read_t *read, const pyro_selected_t *selected,
    pyro_totals_read_t *totals)
{
    uint32_t       i;
    pyro_scan_t    scan;
    pyro_status_e  status;

    for (i = 0; i < read->ptypes.n; i++) {
        totals->groups[i] = PYRO_NONE;
    }

    for (i = 0; i < selected->n; i++) {
        status = pyro_series_labels(read, selected, selected->ptypes[i],
                                    &totals->series);

        if (status != PYRO_OK) {
            return status;
        }

        totals->groups[selected->ptypes[i] - 1] = totals->group;
    }

    pyro_scan_start(&scan, read, selected->stream, read->query->start,
                    read->query->end);

    while ((status = pyro_scan_next(&scan)) == PYRO_OK) {
        status = pyro_totals_record(&scan, totals);

        if (status != PYRO_OK) {
            return status;
        }
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_totals_record(pyro_scan_t *scan, pyro_totals_read_t *totals)
{
    int                     rc;
    uint32_t                group;
    pyro_read_t            *read;
    pyro_status_e           status;
    pyro_record_section_t   section;

    read = scan->read;

    while ((rc = pyro_record_next(&scan->record, &section)) == 1) {

        if (section.ptype == 0 || section.ptype > read->ptypes.n) {
            continue;
        }

        group = totals->groups[section.ptype - 1];

        if (group == PYRO_NONE) {
            continue;
        }

        status = totals->handler->total(totals->handler->ctx, group,
                                        scan->time, section.total,
                                        read->view.err);

        if (status != PYRO_OK) {
            return status;
        }
    }

    if (rc == -1) {
        read->store->damaged++;
    }

    return PYRO_OK;
}
