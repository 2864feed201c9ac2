/*
 * pyro_store_totals(): what single profiles add up to.  No pair is read here,
 * and where a grid is given, hours that are rolled up are read from "tot"
 * instead of from push records (storage/rollup.h): whole hours that lie in one
 * point of the grid as one sum, others push by push.  Who asks for single
 * profiles or spans gets them from push records (storage/exemplars.h).
 */

#include "storage/exemplars.h"
#include "storage/plan.h"
#include "storage/series.h"


typedef struct {
    const pyro_store_totals_handler_t  *handler;
    pyro_series_call_t                  series;
    uint32_t                           *groups;     /* by ptype - 1 */
    uint32_t                            cap_groups;
    uint32_t                            group;      /* set by the handler */
    uint32_t                            ptype;      /* of the series at hand */
    pyro_exemplars_t                    exemplars;

    pyro_plan_read_t                    plan;
    uint32_t                            stream;
    uint32_t                            only;       /* ptype, or 0: all */
    pyro_total_list_t                   list;       /* room, of an hour */
    uint32_t                            day;        /* that hours are of */
    pyro_hour_total_t                   hours[PYRO_HOURS_DAY];
} pyro_totals_read_t;


static pyro_status_e pyro_totals_partition(pyro_read_t *read, void *ctx);
static pyro_status_e pyro_totals_series(void *ctx, const pyro_labels_t *labels,
    pyro_error_t *err);
static void pyro_totals_begin(pyro_read_t *read, pyro_totals_read_t *totals);
static pyro_status_e pyro_totals_stream(pyro_read_t *read,
    const pyro_selected_t *selected, pyro_totals_read_t *totals);
static pyro_status_e pyro_totals_raw(pyro_read_t *read,
    pyro_totals_read_t *totals, int64_t start, int64_t end);
static pyro_status_e pyro_totals_record(pyro_scan_t *scan,
    pyro_totals_read_t *totals);
static pyro_status_e pyro_totals_rolled(pyro_read_t *read,
    pyro_totals_read_t *totals, uint32_t ptype);
static int pyro_totals_is_one(const pyro_totals_read_t *totals, uint32_t from,
    uint32_t to, int64_t *ms);
static pyro_status_e pyro_totals_get(pyro_read_t *read,
    pyro_totals_read_t *totals, uint32_t ptype, pyro_level_e level,
    uint32_t slot, pyro_slice_t *value);
static pyro_status_e pyro_totals_hour(pyro_read_t *read,
    pyro_totals_read_t *totals, uint32_t ptype, uint32_t hour, int *done);
static pyro_status_e pyro_totals_pushes(pyro_read_t *read,
    pyro_totals_read_t *totals, uint32_t ptype, uint32_t from, uint32_t to);
static pyro_status_e pyro_totals_instead(pyro_read_t *read,
    pyro_totals_read_t *totals, uint32_t ptype, uint32_t from, uint32_t to);
static int pyro_totals_is_dirty(const pyro_totals_read_t *totals,
    uint32_t from, uint32_t to);


pyro_status_e
pyro_store_totals(pyro_store_t *store, const pyro_store_query_t *query,
    const pyro_store_totals_handler_t *handler, pyro_error_t *err)
{
    pyro_totals_read_t  totals;

    memset(&totals, 0, sizeof(pyro_totals_read_t));

    totals.handler = handler;
    totals.series.handler = pyro_totals_series;
    totals.series.ctx = &totals;
    pyro_exemplars_init(&totals.exemplars, handler, query->arena);

    return pyro_read_each(store, query, pyro_totals_partition, &totals, err);
}


static pyro_status_e
pyro_totals_partition(pyro_read_t *read, void *ctx)
{
    uint32_t              i, n;
    pyro_status_e         status;
    pyro_selected_t      *selected;
    pyro_totals_read_t   *totals;

    n = 0;
    totals = ctx;

    if (totals->handler->total == NULL && read->view.part->thinned) {
        return PYRO_OK;
    }

    status = pyro_plan_begin(read, &totals->plan);

    if (status == PYRO_OK) {
        pyro_totals_begin(read, totals);
        status = pyro_select(read, &selected, &n);
    }

    if (status == PYRO_OK
        && pyro_arena_grow(read->query->arena, &totals->groups,
                           &totals->cap_groups, read->ptypes.n,
                           sizeof(uint32_t)))
    {
        status = pyro_error_memory(read->view.err);
    }

    if (status == PYRO_OK
        && pyro_exemplars_room(&totals->exemplars, read->ptypes.n))
    {
        status = pyro_error_memory(read->view.err);
    }

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_totals_stream(read, &selected[i], totals);

        if (status == PYRO_NOT_FOUND) {
            status = PYRO_OK;
        }
    }

    return status;
}


/* "tot" has whole milliseconds: so must the range, and a grid must ask. */
static void
pyro_totals_begin(pyro_read_t *read, pyro_totals_read_t *totals)
{
    pyro_plan_read_t  *plan;

    plan = &totals->plan;

    if (read->view.part->thinned) {
        return;
    }

    if (totals->handler->grid == NULL
        || plan->start % PYRO_NS_PER_MS
        || plan->end % PYRO_NS_PER_MS != PYRO_NS_PER_MS - 1
        || read->query->raw || totals->exemplars.wanted)
    {
        plan->from = 0;
        plan->to = 0;
    }
}


static pyro_status_e
pyro_totals_series(void *ctx, const pyro_labels_t *labels, pyro_error_t *err)
{
    pyro_totals_read_t  *totals;

    totals = ctx;
    totals->group = 0;

    if (totals->exemplars.wanted
        && pyro_exemplars_labels(&totals->exemplars, totals->ptype, labels))
    {
        return pyro_error_memory(err);
    }

    return totals->handler->series(totals->handler->ctx, labels,
                                   &totals->group, err);
}


static pyro_status_e
pyro_totals_stream(pyro_read_t *read, const pyro_selected_t *selected,
    pyro_totals_read_t *totals)
{
    uint32_t           i, slot;
    pyro_status_e      status;
    pyro_plan_read_t  *plan;

    for (i = 0; i < read->ptypes.n; i++) {
        totals->groups[i] = PYRO_NONE;
    }

    plan = &totals->plan;
    totals->stream = selected->stream;
    status = pyro_plan_dirty(read, plan, selected->stream);

    for (i = 0; i < selected->n && status == PYRO_OK; i++) {
        totals->ptype = selected->ptypes[i];
        status = pyro_series_call(read, selected, selected->ptypes[i],
                                  &totals->series);

        totals->groups[selected->ptypes[i] - 1] = totals->group;

        if (status == PYRO_OK && plan->from < plan->to) {
            status = pyro_totals_rolled(read, totals, selected->ptypes[i]);
        }
    }

    if (status != PYRO_OK || plan->from == plan->to) {
        return status == PYRO_OK
               ? pyro_totals_raw(read, totals, plan->start, plan->end)
               : status;
    }

    /* what is not rolled up, or late */

    status = pyro_totals_raw(read, totals, plan->start,
                             pyro_slot_start(plan->from) - 1);

    for (i = 0; i < plan->n_dirty && status == PYRO_OK; i++) {
        slot = plan->dirty[i];
        status = pyro_totals_raw(read, totals, pyro_slot_start(slot),
                                 pyro_slot_end(slot) - 1);
    }

    return status == PYRO_OK
           ? pyro_totals_raw(read, totals, pyro_slot_end(plan->to - 1),
                             plan->end)
           : status;
}


static pyro_status_e
pyro_totals_raw(pyro_read_t *read, pyro_totals_read_t *totals, int64_t start,
    int64_t end)
{
    pyro_scan_t    scan;
    pyro_status_e  status;

    if (start > end) {
        return PYRO_OK;
    }

    pyro_scan_start(&scan, read, totals->stream, start, end);

    while ((status = pyro_scan_next(&scan)) == PYRO_OK) {
        status = totals->exemplars.wanted
                 ? pyro_exemplars_record(&totals->exemplars, &scan,
                                         totals->groups)
                 : pyro_totals_record(&scan, totals);

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

        if (section.ptype == 0 || section.ptype > read->ptypes.n
            || (totals->only && section.ptype != totals->only))
        {
            continue;
        }

        group = totals->groups[section.ptype - 1];

        if (group == PYRO_NONE) {
            continue;
        }

        status = totals->handler->total(totals->handler->ctx, group,
                                        scan->time, section.total, 1,
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


/* The plan's slots, hour by hour, but for the dirty ones. */
static pyro_status_e
pyro_totals_rolled(pyro_read_t *read, pyro_totals_read_t *totals,
    uint32_t ptype)
{
    int                done;
    uint32_t           slot, hour, first, last;
    pyro_status_e      status;
    pyro_plan_read_t  *plan;

    plan = &totals->plan;
    status = PYRO_OK;
    totals->day = UINT32_MAX;

    for (slot = plan->from; slot < plan->to && status == PYRO_OK;
         slot = last + 1)
    {
        hour = pyro_slot_at(PYRO_LEVEL_1H, slot);
        pyro_rolled_span(&plan->rolled, PYRO_LEVEL_1H, hour, &first, &last);

        status = pyro_read_poll(read);
        done = 0;

        if (status == PYRO_OK && slot == first && last < plan->to) {
            status = pyro_totals_hour(read, totals, ptype, hour, &done);
        }

        last = last < plan->to ? last : plan->to - 1;

        if (status == PYRO_OK && !done) {
            status = pyro_totals_pushes(read, totals, ptype, slot, last);
        }
    }

    return status;
}


/* 1 if slots from to to are in one point of the grid; *ms is a time in it. */
static int
pyro_totals_is_one(const pyro_totals_read_t *totals, uint32_t from,
    uint32_t to, int64_t *ms)
{
    int64_t  first, last;

    first = pyro_slot_start(from) / PYRO_NS_PER_MS;
    last = pyro_slot_end(to) / PYRO_NS_PER_MS - 1;
    *ms = last;

    return pyro_series_point(totals->handler->grid, first)
           == pyro_series_point(totals->handler->grid, last);
}


static pyro_status_e
pyro_totals_get(pyro_read_t *read, pyro_totals_read_t *totals, uint32_t ptype,
    pyro_level_e level, uint32_t slot, pyro_slice_t *value)
{
    uint8_t  key[PYRO_KEY_MAX];

    return pyro_view_get(&read->view, PYRO_DB_TOT, key,
                         pyro_key_total(key, totals->stream, ptype, level,
                                        slot),
                         value);
}


/* A whole hour as one sum; *done is 0 if its pushes have to be read. */
static pyro_status_e
pyro_totals_hour(pyro_read_t *read, pyro_totals_read_t *totals, uint32_t ptype,
    uint32_t hour, int *done)
{
    int64_t                   ms, end;
    uint32_t                  day, first, last;
    pyro_slice_t              value;
    pyro_status_e             status;
    pyro_hour_total_t         sum;
    const pyro_hour_total_t  *total;

    first = pyro_slot_first(PYRO_LEVEL_1H, hour);
    last = pyro_slot_last(PYRO_LEVEL_1H, hour);

    if (read->view.part->thinned) {
        ms = pyro_slot_end(last) / PYRO_NS_PER_MS - 1;
        end = pyro_partition_end(read->view.part) / PYRO_NS_PER_MS - 1;
        ms = ms < end ? ms : end;

    } else if (!pyro_totals_is_one(totals, first, last, &ms)
               || pyro_totals_is_dirty(totals, first, last))
    {
        return PYRO_OK;
    }

    day = pyro_hour_day(hour);

    if (day != totals->day) {
        status = pyro_totals_get(read, totals, ptype, PYRO_LEVEL_1D, day,
                                 &value);

        if (status == PYRO_NOT_FOUND) {
            memset(totals->hours, 0, sizeof(totals->hours));

        } else if (status != PYRO_OK) {
            return status;

        } else if (pyro_hours_decode(value, totals->hours)) {
            read->store->damaged++;
            return PYRO_OK;
        }

        totals->day = day;
    }

    total = &totals->hours[pyro_hour_of_day(hour)];

    sum = *total;

    if (sum.pushes == 0 && sum.sum && read->view.part->thinned) {
        /* what it was is not known any more, but that it was too much */
        sum.sum = INT64_MAX;
        sum.pushes = 1;
    }

    if (sum.pushes > UINT32_MAX || (sum.pushes == 0 && sum.sum)) {
        return PYRO_OK;
    }

    *done = 1;

    return sum.pushes == 0 ? PYRO_OK
           : totals->handler->total(totals->handler->ctx,
                                    totals->groups[ptype - 1],
                                    ms * PYRO_NS_PER_MS, sum.sum,
                                    (uint32_t) sum.pushes, read->view.err);
}


/* Slots of one hour, push by push. */
static pyro_status_e
pyro_totals_pushes(pyro_read_t *read, pyro_totals_read_t *totals,
    uint32_t ptype, uint32_t from, uint32_t to)
{
    uint32_t             i, hour, slot;
    pyro_slice_t         value;
    pyro_status_e        status;
    const pyro_total_t  *total;

    hour = pyro_slot_at(PYRO_LEVEL_1H, from);
    status = pyro_totals_get(read, totals, ptype, PYRO_LEVEL_1H, hour, &value);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND ? PYRO_OK : status;
    }

    totals->list.n = 0;
    status = pyro_totals_decode(value, hour, read->query->arena,
                                &totals->list);

    if (status == PYRO_UNAVAILABLE) {
        return pyro_error_memory(read->view.err);
    }

    if (status != PYRO_OK) {
        read->store->damaged++;
        return pyro_totals_instead(read, totals, ptype, from, to);
    }

    for (i = 0; i < totals->list.n && status == PYRO_OK; i++) {
        total = &totals->list.items[i];
        slot = pyro_slot(total->time * PYRO_NS_PER_MS);

        if (slot >= from && slot <= to
            && !pyro_totals_is_dirty(totals, slot, slot))
        {
            status = totals->handler->total(totals->handler->ctx,
                                            totals->groups[ptype - 1],
                                            total->time * PYRO_NS_PER_MS,
                                            total->total, 1, read->view.err);
        }
    }

    return status;
}


/* The push records of slots whose totals are damaged; the late ones come by
 * themselves. */
static pyro_status_e
pyro_totals_instead(pyro_read_t *read, pyro_totals_read_t *totals,
    uint32_t ptype, uint32_t from, uint32_t to)
{
    uint32_t       slot;
    pyro_status_e  status;

    totals->only = ptype;
    status = PYRO_OK;

    for (slot = from; slot <= to && status == PYRO_OK; slot++) {
        if (!pyro_totals_is_dirty(totals, slot, slot)) {
            status = pyro_totals_raw(read, totals, pyro_slot_start(slot),
                                     pyro_slot_end(slot) - 1);
        }
    }

    totals->only = 0;

    return status;
}


/* 1 if any of the slots is late. */
static int
pyro_totals_is_dirty(const pyro_totals_read_t *totals, uint32_t from,
    uint32_t to)
{
    uint32_t                 low, high, middle;
    const pyro_plan_read_t  *plan;

    plan = &totals->plan;

    for (low = 0, high = plan->n_dirty; low < high; /* void */ ) {
        middle = low + (high - low) / 2;

        if (plan->dirty[middle] < from) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low < plan->n_dirty && plan->dirty[low] <= to;
}
