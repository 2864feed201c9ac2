#include "storage/plan.h"

#include "storage/rollup.h"


static void pyro_plan_range(pyro_plan_read_t *plan,
    const pyro_partition_t *part, const pyro_store_query_t *query);
static void pyro_plan_slots(pyro_plan_read_t *plan);
static void pyro_plan_thinned(pyro_plan_read_t *plan,
    const pyro_partition_t *part, const pyro_store_query_t *query);
static int64_t pyro_plan_moment(const pyro_plan_read_t *plan,
    const pyro_partition_t *part, pyro_level_e level, uint32_t slot);
static pyro_segment_t *pyro_plan_add(pyro_read_t *read,
    pyro_plan_read_t *plan);
static int pyro_plan_raw(pyro_read_t *read, pyro_plan_read_t *plan,
    int64_t start, int64_t end);
static int pyro_plan_slot(pyro_read_t *read, pyro_plan_read_t *plan,
    pyro_level_e level, uint32_t slot);
static uint32_t pyro_plan_take(const pyro_plan_read_t *plan, uint32_t slot,
    uint32_t dirty, pyro_level_e *level);
static int pyro_plan_cut(pyro_read_t *read, pyro_plan_read_t *plan);


pyro_status_e
pyro_plan_begin(pyro_read_t *read, pyro_plan_read_t *plan)
{
    int             rc;
    pyro_kv_stat_t  stat;
    pyro_status_e   status;

    status = pyro_rolled_read(&read->view, &plan->rolled);

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_kv_stat(read->view.txn, read->view.part->dbi[PYRO_DB_LATE],
                      &stat);

    if (rc) {
        return pyro_env_error(read->view.part->env, rc, "be read",
                              read->view.err);
    }

    plan->late = stat.entries != 0;

    if (read->view.part->thinned) {
        pyro_plan_thinned(plan, read->view.part, read->query);
        return PYRO_OK;
    }

    pyro_plan_range(plan, read->view.part, read->query);
    pyro_plan_slots(plan);

    if (read->query->raw) {
        plan->to = plan->from;
    }

    return PYRO_OK;
}


int
pyro_plan_pushes(const pyro_read_t *read, pyro_plan_read_t *plan)
{
    plan->from = 0;
    plan->to = 0;

    return read->view.part->thinned || plan->start > plan->end ? -1 : 0;
}


/*
 * Beyond the partition's ends there is nothing: a range that reaches there
 * takes the first and the last slot as a whole.
 */
static void
pyro_plan_range(pyro_plan_read_t *plan, const pyro_partition_t *part,
    const pyro_store_query_t *query)
{
    int64_t  start, end;

    start = pyro_partition_start(part);
    end = pyro_partition_end(part) - 1;

    plan->start = query->start > start ? query->start
                                       : pyro_slot_start(plan->rolled.first);
    plan->end = query->end < end ? query->end
                                 : pyro_slot_end(plan->rolled.last) - 1;
}


/* Those slots that lie in the range wholly and are rolled up. */
static void
pyro_plan_slots(pyro_plan_read_t *plan)
{
    uint32_t  slot;

    plan->from = pyro_slot(plan->start);

    if (pyro_slot_start(plan->from) < plan->start) {
        plan->from++;
    }

    slot = pyro_slot(plan->end);
    plan->to = plan->end == pyro_slot_end(slot) - 1 ? slot + 1 : slot;

    if (plan->to > plan->rolled.rolled) {
        plan->to = plan->rolled.rolled;
    }

    if (plan->to < plan->from) {
        plan->to = plan->from;
    }
}


/* Single pushes are not there any more, whoever asks for them. */
static void
pyro_plan_thinned(pyro_plan_read_t *plan, const pyro_partition_t *part,
    const pyro_store_query_t *query)
{
    uint32_t      slot, last, first_slot, last_slot;
    pyro_level_e  level;

    level = pyro_level_kept(part);
    slot = pyro_slot_at(level, plan->rolled.first);
    last = pyro_slot_at(level, plan->rolled.last);

    plan->from = 0;
    plan->to = 0;
    plan->start = 1;
    plan->end = 0;

    while (slot <= last
           && pyro_plan_moment(plan, part, level, slot) < query->start)
    {
        slot++;
    }

    while (slot <= last
           && pyro_plan_moment(plan, part, level, last) > query->end)
    {
        last--;
    }

    if (slot > last) {
        return;
    }

    pyro_rolled_span(&plan->rolled, level, slot, &plan->from, &last_slot);
    pyro_rolled_span(&plan->rolled, level, last, &first_slot, &last_slot);

    plan->to = last_slot + 1;
    plan->start = pyro_slot_start(plan->from);
    plan->end = pyro_slot_end(last_slot) - 1;
}


/* The last moment that a slot has in the partition. */
static int64_t
pyro_plan_moment(const pyro_plan_read_t *plan, const pyro_partition_t *part,
    pyro_level_e level, uint32_t slot)
{
    int64_t   end;
    uint32_t  first, last;

    pyro_rolled_span(&plan->rolled, level, slot, &first, &last);
    end = pyro_slot_end(last);

    return (end < pyro_partition_end(part) ? end : pyro_partition_end(part))
           - 1;
}


pyro_status_e
pyro_plan_dirty(pyro_read_t *read, pyro_plan_read_t *plan, uint32_t stream)
{
    uint32_t           slot;
    uint8_t            bytes[PYRO_LATE_KEY];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    plan->n_dirty = 0;

    if (!plan->late || plan->from == plan->to) {
        return PYRO_OK;
    }

    status = pyro_view_cursor(&read->view, PYRO_DB_LATE, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    key = pyro_slice(bytes, pyro_key_late(bytes, stream, plan->from));
    status = pyro_view_seek(&read->view, cursor, PYRO_KV_SEEK, &key, &value);

    while (status == PYRO_OK && key.len == PYRO_LATE_KEY
           && pyro_get_be32((const uint8_t *) key.data) == stream)
    {
        slot = pyro_get_be32((const uint8_t *) key.data + 4);

        if (slot >= plan->to) {
            break;
        }

        if (pyro_arena_grow(read->query->arena, &plan->dirty,
                            &plan->cap_dirty, (size_t) plan->n_dirty + 1,
                            sizeof(uint32_t)))
        {
            status = pyro_error_memory(read->view.err);
            break;
        }

        plan->dirty[plan->n_dirty++] = slot;
        status = pyro_view_seek(&read->view, cursor, PYRO_KV_NEXT, &key,
                                &value);
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


pyro_status_e
pyro_plan_stream(pyro_read_t *read, pyro_plan_read_t *plan, uint32_t stream)
{
    int64_t        end;
    pyro_status_e  status;

    plan->n = 0;
    status = pyro_plan_dirty(read, plan, stream);

    if (status != PYRO_OK) {
        return status;
    }

    if (plan->from == plan->to) {
        return pyro_plan_raw(read, plan, plan->start, plan->end)
               ? pyro_error_memory(read->view.err) : PYRO_OK;
    }

    end = pyro_slot_end(plan->to - 1);

    return pyro_plan_raw(read, plan, plan->start,
                         pyro_slot_start(plan->from) - 1)
           || pyro_plan_cut(read, plan)
           || pyro_plan_raw(read, plan, end, plan->end)
           ? pyro_error_memory(read->view.err) : PYRO_OK;
}


static pyro_segment_t *
pyro_plan_add(pyro_read_t *read, pyro_plan_read_t *plan)
{
    if (pyro_arena_grow(read->query->arena, &plan->items, &plan->cap,
                        (size_t) plan->n + 1, sizeof(pyro_segment_t)))
    {
        return NULL;
    }

    return &plan->items[plan->n++];
}


/* -1: no memory; so below. */
static int
pyro_plan_raw(pyro_read_t *read, pyro_plan_read_t *plan, int64_t start,
    int64_t end)
{
    pyro_segment_t  *segment;

    if (start > end) {
        return 0;
    }

    segment = plan->n ? &plan->items[plan->n - 1] : NULL;

    if (segment == NULL || segment->level != PYRO_LEVEL_RAW) {
        segment = pyro_plan_add(read, plan);

        if (segment == NULL) {
            return -1;
        }

        segment->level = PYRO_LEVEL_RAW;
        segment->start = start;
    }

    segment->end = end;

    return 0;
}


static int
pyro_plan_slot(pyro_read_t *read, pyro_plan_read_t *plan, pyro_level_e level,
    uint32_t slot)
{
    pyro_segment_t  *segment;

    segment = plan->n ? &plan->items[plan->n - 1] : NULL;

    if (segment == NULL || segment->level != level) {
        segment = pyro_plan_add(read, plan);

        if (segment == NULL) {
            return -1;
        }

        segment->level = level;
        segment->from = slot;
    }

    segment->to = slot;

    return 0;
}


/*
 * The coarsest level of which a slot begins with this one, as far as the
 * partition has it, and ends before the next dirty one and the plan's end.
 * Returns the slot of five minutes behind it.
 */
static uint32_t
pyro_plan_take(const pyro_plan_read_t *plan, uint32_t slot, uint32_t dirty,
    pyro_level_e *level)
{
    uint32_t  at, first, last;

    for (*level = PYRO_LEVEL_1D; *level > PYRO_LEVEL_5M; (*level)--) {
        at = pyro_slot_at(*level, slot);
        pyro_rolled_span(&plan->rolled, *level, at, &first, &last);

        if (first == slot && last < plan->to && last < dirty) {
            return last + 1;
        }
    }

    return slot + 1;
}


static int
pyro_plan_cut(pyro_read_t *read, pyro_plan_read_t *plan)
{
    int           rc;
    uint32_t      slot, next, k, dirty;
    pyro_level_e  level;

    k = 0;

    for (slot = plan->from; slot < plan->to; slot = next) {
        dirty = k < plan->n_dirty ? plan->dirty[k] : UINT32_MAX;

        if (slot == dirty) {
            k++;
            next = slot + 1;
            rc = pyro_plan_raw(read, plan, pyro_slot_start(slot),
                               pyro_slot_end(slot) - 1);

        } else {
            next = pyro_plan_take(plan, slot, dirty, &level);
            rc = pyro_plan_slot(read, plan, level, pyro_slot_at(level, slot));
        }

        if (rc) {
            return -1;
        }
    }

    return 0;
}
