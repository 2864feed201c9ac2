/*
 * The walks of storage/reader.h over a sealed partition, whose "raw" has hours
 * (storage/sealed_hour.h).  Such a file does not change; even so nothing of the
 * map is kept: what is handed out was copied, or is read before the next poll.
 */

#include "storage/reader.h"


static void pyro_sealed_place(pyro_sealed_place_t *place, uint32_t from,
    uint32_t to);
static pyro_status_e pyro_sealed_next_hour(pyro_read_t *read,
    uint32_t stream, pyro_sealed_place_t *place, pyro_sealed_hour_t *hour);
static pyro_status_e pyro_sealed_next_slot(pyro_read_t *read, uint32_t stream,
    pyro_sealed_place_t *place, pyro_sealed_hour_t *hour,
    const pyro_sealed_entry_t **entry);
static int pyro_sealed_has_type(const pyro_sealed_entry_t *entry,
    uint32_t ptype);


static void
pyro_sealed_place(pyro_sealed_place_t *place, uint32_t from, uint32_t to)
{
    place->from = from;
    place->to = to;
    place->hour = pyro_slot_at(PYRO_LEVEL_1H, from);
    place->last = pyro_slot_at(PYRO_LEVEL_1H, to);
    place->next = 0;
}


/* The next hour that the stream has; damaged ones are counted and left out. */
static pyro_status_e
pyro_sealed_next_hour(pyro_read_t *read, uint32_t stream,
    pyro_sealed_place_t *place, pyro_sealed_hour_t *hour)
{
    uint8_t        key[PYRO_KEY_MAX];
    uint32_t       number;
    pyro_slice_t   value;
    pyro_status_e  status;

    while (place->hour <= place->last) {
        status = pyro_read_poll(read);

        if (status != PYRO_OK) {
            return status;
        }

        number = place->hour++;
        status = pyro_view_get(&read->view, PYRO_DB_RAW, key,
                               pyro_key_sealed(key, stream, number), &value);

        if (status == PYRO_NOT_FOUND) {
            continue;
        }

        if (status != PYRO_OK
            || pyro_sealed_hour_open(value, number, hour) == 0)
        {
            return status;
        }

        read->store->damaged++;
    }

    return PYRO_NOT_FOUND;
}


/*
 * The next slot from the place on.  place->next counts those that the walk has
 * seen, so that the hour is looked up again for each slot: after a poll nothing
 * of it would be left.
 */
static pyro_status_e
pyro_sealed_next_slot(pyro_read_t *read, uint32_t stream,
    pyro_sealed_place_t *place, pyro_sealed_hour_t *hour,
    const pyro_sealed_entry_t **entry)
{
    uint32_t       i;
    pyro_status_e  status;

    for ( ;; ) {
        status = pyro_sealed_next_hour(read, stream, place, hour);

        if (status != PYRO_OK) {
            return status;
        }

        for (i = 0; i < hour->n; i++) {
            if (hour->slots[i].slot >= place->from
                && hour->slots[i].slot <= place->to)
            {
                *entry = &hour->slots[i];
                place->from = (*entry)->slot + 1;

                if (i + 1 < hour->n) {
                    place->hour--;
                }

                return PYRO_OK;
            }
        }
    }
}


void
pyro_sealed_scan_start(pyro_scan_t *scan)
{
    int64_t  end;

    end = pyro_partition_end(scan->read->view.part);
    end = scan->end < end ? scan->end : end;

    scan->read->pushes.slot.n = 0;

    if (end < scan->start) {
        pyro_sealed_place(&scan->sealed, 1, 0);

    } else {
        pyro_sealed_place(&scan->sealed, pyro_slot(scan->start),
                          pyro_slot(end));
    }
}


pyro_status_e
pyro_sealed_scan_next(pyro_scan_t *scan)
{
    pyro_read_t                *read;
    pyro_status_e               status;
    pyro_sealed_hour_t          hour;
    const pyro_sealed_push_t   *push;
    const pyro_sealed_entry_t  *entry;

    read = scan->read;

    for ( ;; ) {

        while (scan->sealed.next < read->pushes.slot.n) {
            push = &read->pushes.slot.pushes[scan->sealed.next++];

            if (push->key.time < scan->start) {
                continue;
            }

            if (push->key.time > scan->end) {
                return PYRO_NOT_FOUND;
            }

            scan->key = push->key;
            scan->key.stream = scan->stream;
            scan->time = push->key.time;
            scan->value = push->record;

            if (pyro_record_open(push->record, &scan->record) == 0) {
                return PYRO_OK;
            }

            read->store->damaged++;
        }

        scan->sealed.next = 0;
        status = pyro_sealed_next_slot(read, scan->stream, &scan->sealed,
                                       &hour, &entry);

        if (status != PYRO_OK) {
            return status;
        }

        status = pyro_sealed_hour_pushes(entry, read->query->arena,
                                         &read->pushes);

        if (status == PYRO_UNAVAILABLE) {
            return pyro_error_memory(read->view.err);
        }

        if (status == PYRO_UNPROCESSABLE) {
            read->store->damaged++;
            read->pushes.slot.n = 0;
        }
    }
}


void
pyro_sealed_rollup_start(pyro_rollup_scan_t *scan, uint32_t from, uint32_t to)
{
    pyro_sealed_place(&scan->sealed, from, to);
}


pyro_status_e
pyro_sealed_rollup_next(pyro_rollup_scan_t *scan)
{
    uint32_t                    i;
    pyro_read_t                *read;
    pyro_status_e               status;
    pyro_sealed_hour_t          hour;
    const pyro_sealed_entry_t  *entry;

    read = scan->read;

    for ( ;; ) {
        status = pyro_sealed_next_slot(read, scan->stream, &scan->sealed,
                                       &hour, &entry);

        if (status != PYRO_OK) {
            return status;
        }

        if (!pyro_sealed_has_type(entry, scan->ptype)) {
            continue;
        }

        scan->slot = entry->slot;
        status = pyro_sealed_hour_sums(entry, read->query->arena,
                                       &read->sums);

        if (status == PYRO_UNAVAILABLE) {
            return pyro_error_memory(read->view.err);
        }

        for (i = 0; i < read->sums.n && status == PYRO_OK; i++) {
            if (read->sums.list[i].ptype == scan->ptype
                && pyro_rollup_open(read->sums.list[i].record, &scan->rollup)
                   == 0)
            {
                return PYRO_OK;
            }
        }

        read->store->damaged++;

        return PYRO_UNPROCESSABLE;
    }
}


static int
pyro_sealed_has_type(const pyro_sealed_entry_t *entry, uint32_t ptype)
{
    uint32_t      i, id;
    pyro_bytes_t  types;

    types = entry->types;

    for (i = 0, id = 0; i < entry->n_types && id < ptype; i++) {
        id += pyro_take_known(&types);
    }

    return id == ptype;
}


pyro_status_e
pyro_sealed_has(pyro_read_t *read, uint32_t stream, uint32_t ptype,
    uint32_t from, uint32_t to, int *has)
{
    pyro_status_e               status;
    pyro_sealed_hour_t          hour;
    pyro_sealed_place_t         place;
    const pyro_sealed_entry_t  *entry;

    *has = 0;
    pyro_sealed_place(&place, from, to);

    do {
        status = pyro_sealed_next_slot(read, stream, &place, &hour, &entry);
        *has = status == PYRO_OK && pyro_sealed_has_type(entry, ptype);

    } while (status == PYRO_OK && !*has);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}
