#include "storage/roll_stream.h"

#include "storage/series_index.h"


static pyro_status_e pyro_roll_open(pyro_roll_stream_t *s, uint32_t id,
    pyro_stream_value_t *stream);
static pyro_roll_type_t *pyro_roll_type(pyro_roll_stream_t *s,
    uint32_t ptype);
static pyro_status_e pyro_roll_record(pyro_roll_stream_t *s, int64_t time,
    pyro_slice_t value);
static pyro_status_e pyro_roll_damaged(pyro_roll_stream_t *s,
    pyro_level_e level, uint32_t slot);
static pyro_status_e pyro_roll_put(pyro_roll_stream_t *s, pyro_level_e level,
    uint32_t slot);
static pyro_status_e pyro_roll_slots(pyro_roll_stream_t *s, uint32_t from,
    uint32_t to);
static pyro_status_e pyro_roll_totals(pyro_roll_stream_t *s, uint32_t from,
    uint32_t to);
static pyro_status_e pyro_roll_type_totals(pyro_roll_stream_t *s,
    pyro_roll_type_t *type, uint32_t from, uint32_t to);
static pyro_status_e pyro_roll_known(pyro_roll_stream_t *s, uint32_t hour,
    pyro_slice_t record);
static int pyro_roll_join(pyro_roll_stream_t *s, pyro_roll_type_t *type,
    uint32_t from, uint32_t to);
static pyro_status_e pyro_roll_hour_total(pyro_roll_stream_t *s,
    pyro_roll_type_t *type, uint32_t hour);
static pyro_status_e pyro_roll_level(pyro_roll_stream_t *s,
    pyro_level_e level, uint32_t slot);
static pyro_status_e pyro_roll_finer(pyro_roll_stream_t *s,
    pyro_roll_type_t *type, pyro_level_e level, uint32_t first, uint32_t last);
static pyro_status_e pyro_roll_above(pyro_roll_stream_t *s, uint32_t from,
    uint32_t rolled);


pyro_status_e
pyro_roll_stream_begin(pyro_roll_stream_t *s)
{
    pyro_status_e  status;

    s->arena = pyro_arena_create(0);
    s->types = NULL;
    s->n_types = 0;
    s->cap_types = 0;
    memset(&s->known, 0, sizeof(pyro_total_list_t));

    if (s->arena == NULL) {
        return pyro_error_memory(s->view.err);
    }

    status = pyro_rolled_read(&s->view, &s->rolled);

    if (status != PYRO_OK) {
        pyro_arena_destroy(s->arena);
    }

    return status;
}


void
pyro_roll_stream_end(pyro_roll_stream_t *s)
{
    pyro_arena_destroy(s->arena);
    s->arena = NULL;
}


pyro_status_e
pyro_roll_stream_last(pyro_roll_stream_t *s, uint32_t *last)
{
    pyro_ids_t     ids;
    pyro_status_e  status;

    status = pyro_view_ids(&s->view, &ids);
    *last = status == PYRO_OK ? ids.stream : 0;

    return status;
}


/* Begins with a stream; types stay for their room. */
static pyro_status_e
pyro_roll_open(pyro_roll_stream_t *s, uint32_t id, pyro_stream_value_t *stream)
{
    uint32_t           i;
    pyro_status_e      status;
    pyro_roll_type_t  *type;

    status = pyro_stream_read(&s->view, id, stream);

    if (status != PYRO_OK) {
        return status;
    }

    s->stream = id;

    if (pyro_arena_grow(s->arena, &s->types, &s->cap_types, stream->n_ptypes,
                        sizeof(pyro_roll_type_t)))
    {
        return pyro_error_memory(s->view.err);
    }

    for (i = s->n_types; i < stream->n_ptypes; i++) {
        memset(&s->types[i], 0, sizeof(pyro_roll_type_t));
    }

    s->n_types = stream->n_ptypes > s->n_types ? stream->n_ptypes
                                               : s->n_types;

    for (i = 0; i < s->n_types; i++) {
        type = &s->types[i];

        type->ptype = i < stream->n_ptypes
                      ? pyro_take_known(&stream->ptypes)
                        + (i ? s->types[i - 1].ptype : 0)
                      : 0;
        type->totals.n = 0;
    }

    return PYRO_OK;
}


/* NULL: the stream does not have it, which cannot be. */
static pyro_roll_type_t *
pyro_roll_type(pyro_roll_stream_t *s, uint32_t ptype)
{
    uint32_t  i;

    for (i = 0; i < s->n_types && s->types[i].ptype; i++) {
        if (s->types[i].ptype == ptype) {
            return &s->types[i];
        }
    }

    return NULL;
}


static pyro_status_e
pyro_roll_record(pyro_roll_stream_t *s, int64_t time, pyro_slice_t value)
{
    int                     rc;
    pyro_record_t           record;
    pyro_status_e           status;
    pyro_total_list_t      *totals;
    pyro_roll_type_t       *type;
    pyro_record_section_t   section;

    if (pyro_record_open(value, &record)) {
        s->work->damaged++;
        return PYRO_OK;
    }

    while ((rc = pyro_record_next(&record, &section)) == 1) {
        type = pyro_roll_type(s, section.ptype);
        status = type == NULL ? PYRO_UNPROCESSABLE
                 : pyro_rollup_add(&type->sum, s->arena, &section, 1);

        if (status == PYRO_UNPROCESSABLE) {
            break;
        }

        totals = type != NULL ? &type->totals : NULL;

        if (status != PYRO_OK
            || pyro_arena_grow(s->arena, &totals->items, &totals->cap,
                               (size_t) totals->n + 1, sizeof(pyro_total_t)))
        {
            return pyro_error_memory(s->view.err);
        }

        totals->items[totals->n].time = time / PYRO_NS_PER_MS;
        totals->items[totals->n++].total = section.total;
    }

    s->work->damaged += rc != 0;

    return PYRO_OK;
}


/*
 * What was read of a slot's own roll-up is damaged: what is made of it now is
 * not whole.  Its slots are late: they are made anew from push records, and
 * read from them until then.
 */
static pyro_status_e
pyro_roll_damaged(pyro_roll_stream_t *s, pyro_level_e level, uint32_t slot)
{
    uint8_t        key[PYRO_KEY_MAX];
    uint32_t       i, last;
    pyro_status_e  status;

    s->work->damaged++;

    pyro_rolled_span(&s->rolled, level, slot, &i, &last);
    status = PYRO_OK;

    for ( /* void */ ;
         i <= last && i < s->rolled.rolling && status == PYRO_OK;
         i++)
    {
        status = pyro_view_put(&s->view, PYRO_DB_LATE, key,
                               pyro_key_late(key, s->stream, i), "", 0);
    }

    return status;
}


/* Writes what the types have gathered. */
static pyro_status_e
pyro_roll_put(pyro_roll_stream_t *s, pyro_level_e level, uint32_t slot)
{
    uint8_t            key[PYRO_KEY_MAX];
    uint32_t           i;
    pyro_slice_t       record;
    pyro_status_e      status;
    pyro_roll_type_t  *type;

    status = PYRO_OK;

    for (i = 0; i < s->n_types && status == PYRO_OK; i++) {
        type = &s->types[i];

        if (type->sum.pushes == 0) {
            continue;
        }

        if (pyro_rollup_encode(&type->sum, s->arena, &record)) {
            return pyro_error_memory(s->view.err);
        }

        status = pyro_view_put(&s->view, pyro_level_db(level), key,
                               pyro_key_rollup(key, s->stream, type->ptype,
                                               slot),
                               record.data, record.len);
        pyro_arena_free(s->arena, (void *) record.data, record.len);
    }

    return status;
}


/* The push records of the slots from, up to to, exclusive. */
static pyro_status_e
pyro_roll_slots(pyro_roll_stream_t *s, uint32_t from, uint32_t to)
{
    uint8_t            first[PYRO_RAW_KEY];
    uint32_t           slot;
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;
    pyro_raw_key_t     raw = { s->stream, pyro_slot_start(from), 0, 0 };

    status = pyro_view_cursor(&s->view, PYRO_DB_RAW, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    slot = from;
    key = pyro_slice(first, pyro_key_raw(first, &raw));
    status = pyro_view_seek(&s->view, cursor, PYRO_KV_SEEK, &key, &value);

    while (status == PYRO_OK) {

        if (pyro_raw_key_get(key, &raw) || raw.stream != s->stream
            || pyro_slot(raw.time) >= to)
        {
            break;
        }

        if (pyro_slot(raw.time) != slot) {
            status = pyro_roll_put(s, PYRO_LEVEL_5M, slot);
            slot = pyro_slot(raw.time);
            s->work->slots++;
        }

        if (status == PYRO_OK) {
            status = pyro_roll_record(s, raw.time, value);
        }

        if (status == PYRO_OK) {
            status = pyro_view_seek(&s->view, cursor, PYRO_KV_NEXT, &key,
                                    &value);
        }
    }

    pyro_kv_cursor_close(cursor);

    if (status != PYRO_OK && status != PYRO_NOT_FOUND) {
        return status;
    }

    s->work->slots++;

    return pyro_roll_put(s, PYRO_LEVEL_5M, slot);
}


/* The totals that the types have gathered, of slots of one hour. */
static pyro_status_e
pyro_roll_totals(pyro_roll_stream_t *s, uint32_t from, uint32_t to)
{
    uint32_t       i;
    pyro_status_e  status;

    status = PYRO_OK;

    for (i = 0; i < s->n_types && status == PYRO_OK; i++) {
        if (s->types[i].totals.n) {
            status = pyro_roll_type_totals(s, &s->types[i], from, to);
            s->types[i].totals.n = 0;
        }
    }

    return status;
}


static pyro_status_e
pyro_roll_type_totals(pyro_roll_stream_t *s, pyro_roll_type_t *type,
    uint32_t from, uint32_t to)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    uint32_t       hour;
    pyro_slice_t   record;
    pyro_status_e  status;

    hour = pyro_slot_at(PYRO_LEVEL_1H, from);
    len = pyro_key_total(key, s->stream, type->ptype, PYRO_LEVEL_1H, hour);

    s->known.n = 0;
    status = pyro_view_get(&s->view, PYRO_DB_TOT, key, len, &record);

    if (status == PYRO_OK) {
        status = pyro_roll_known(s, hour, record);
    }

    if (status != PYRO_OK && status != PYRO_NOT_FOUND) {
        return status;
    }

    if (pyro_roll_join(s, type, from, to)
        || pyro_totals_encode(&type->totals, hour, s->arena, &record))
    {
        return pyro_error_memory(s->view.err);
    }

    status = pyro_view_put(&s->view, PYRO_DB_TOT, key, len, record.data,
                           record.len);
    pyro_arena_free(s->arena, (void *) record.data, record.len);

    return status;
}


/* Reads an hour's record into s->known. */
static pyro_status_e
pyro_roll_known(pyro_roll_stream_t *s, uint32_t hour, pyro_slice_t record)
{
    pyro_status_e  status;

    s->known.n = 0;
    status = pyro_totals_decode(record, hour, s->arena, &s->known);

    if (status == PYRO_UNPROCESSABLE) {
        s->known.n = 0;
        return pyro_roll_damaged(s, PYRO_LEVEL_1H, hour);
    }

    return status == PYRO_OK ? PYRO_OK : pyro_error_memory(s->view.err);
}


/* Adds to a type's totals those of the hour that are of other slots. */
static int
pyro_roll_join(pyro_roll_stream_t *s, pyro_roll_type_t *type, uint32_t from,
    uint32_t to)
{
    int64_t             start, end;
    uint32_t            i, before, n;
    pyro_total_list_t  *list;

    list = &type->totals;
    start = pyro_slot_start(from) / PYRO_NS_PER_MS;
    end = pyro_slot_end(to - 1) / PYRO_NS_PER_MS;

    for (before = 0; before < s->known.n; before++) {
        if (s->known.items[before].time >= start) {
            break;
        }
    }

    for (i = before; i < s->known.n && s->known.items[i].time < end; i++) {
        /* void */
    }

    n = list->n;

    if (pyro_arena_grow(s->arena, &list->items, &list->cap,
                        (size_t) n + s->known.n, sizeof(pyro_total_t)))
    {
        return -1;
    }

    memmove(list->items + before, list->items, n * sizeof(pyro_total_t));

    if (s->known.n) {
        memcpy(list->items, s->known.items, before * sizeof(pyro_total_t));
        memcpy(list->items + before + n, s->known.items + i,
               (s->known.n - i) * sizeof(pyro_total_t));
    }

    list->n = before + n + s->known.n - i;

    return 0;
}


/* The hour's sum of totals, into the day's record. */
static pyro_status_e
pyro_roll_hour_total(pyro_roll_stream_t *s, pyro_roll_type_t *type,
    uint32_t hour)
{
    size_t              len;
    uint8_t             key[PYRO_KEY_MAX];
    uint32_t            i, day;
    pyro_slice_t        in;
    pyro_status_e       status;
    pyro_hour_total_t   hours[PYRO_HOURS_DAY], *sum;

    len = pyro_key_total(key, s->stream, type->ptype, PYRO_LEVEL_1H, hour);
    status = pyro_view_get(&s->view, PYRO_DB_TOT, key, len, &in);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND ? PYRO_OK : status;
    }

    status = pyro_roll_known(s, hour, in);

    if (status != PYRO_OK) {
        return status;
    }

    day = pyro_hour_day(hour);
    len = pyro_key_total(key, s->stream, type->ptype, PYRO_LEVEL_1D, day);
    status = pyro_view_get(&s->view, PYRO_DB_TOT, key, len, &in);

    if (status == PYRO_OK && pyro_hours_decode(in, hours)) {
        memset(hours, 0, sizeof(hours));
        status = pyro_roll_damaged(s, PYRO_LEVEL_1D, day);

    } else if (status == PYRO_NOT_FOUND) {
        memset(hours, 0, sizeof(hours));
        status = PYRO_OK;
    }

    if (status != PYRO_OK) {
        return status;
    }

    sum = &hours[pyro_hour_of_day(hour)];
    sum->pushes = s->known.n;
    sum->sum = 0;

    for (i = 0; i < s->known.n && sum->sum <= INT64_MAX; i++) {
        sum->sum += s->known.items[i].total;
    }

    if (sum->sum > INT64_MAX) {
        sum->pushes = 0;
        sum->sum = 1;
    }

    if (pyro_hours_encode(hours, s->arena, &in)) {
        return pyro_error_memory(s->view.err);
    }

    return pyro_view_put(&s->view, PYRO_DB_TOT, key, len, in.data, in.len);
}


/* A slot of an hour or a day from the finer ones. */
static pyro_status_e
pyro_roll_level(pyro_roll_stream_t *s, pyro_level_e level, uint32_t slot)
{
    uint32_t       i, first, last;
    pyro_status_e  status;
    pyro_level_e   finer;

    finer = (pyro_level_e) (level - 1);
    first = pyro_slot_at(finer, pyro_slot_first(level, slot));
    last = pyro_slot_at(finer, pyro_slot_last(level, slot));
    status = PYRO_OK;

    for (i = 0; i < s->n_types && s->types[i].ptype && status == PYRO_OK; i++)
    {
        status = pyro_roll_finer(s, &s->types[i], finer, first, last);

        if (status == PYRO_OK && level == PYRO_LEVEL_1H) {
            status = pyro_roll_hour_total(s, &s->types[i], slot);
        }
    }

    return status == PYRO_OK ? pyro_roll_put(s, level, slot) : status;
}


static pyro_status_e
pyro_roll_finer(pyro_roll_stream_t *s, pyro_roll_type_t *type,
    pyro_level_e level, uint32_t first, uint32_t last)
{
    uint8_t            bytes[PYRO_KEY_MAX], end[PYRO_KEY_MAX];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;
    pyro_rollup_t      rollup;

    status = pyro_view_cursor(&s->view, pyro_level_db(level), &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    key = pyro_slice(bytes, pyro_key_rollup(bytes, s->stream, type->ptype,
                                            first));
    pyro_key_rollup(end, s->stream, type->ptype, last);
    status = pyro_view_seek(&s->view, cursor, PYRO_KV_SEEK, &key, &value);

    while (status == PYRO_OK && key.len == PYRO_ROLLUP_KEY
           && memcmp(key.data, end, PYRO_ROLLUP_KEY) <= 0)
    {
        status = pyro_rollup_open(value, &rollup)
                 ? PYRO_UNPROCESSABLE
                 : pyro_rollup_add(&type->sum, s->arena, &rollup.section,
                                   rollup.pushes);

        if (status == PYRO_UNPROCESSABLE) {
            status = pyro_roll_damaged(s, level,
                            pyro_get_be32((const uint8_t *) key.data + 6));

        } else if (status != PYRO_OK) {
            status = pyro_error_memory(s->view.err);
        }

        if (status != PYRO_OK) {
            break;
        }

        status = pyro_view_seek(&s->view, cursor, PYRO_KV_NEXT, &key, &value);
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


/* The hour and the day of a slot, if rolled (exclusive) completes them. */
static pyro_status_e
pyro_roll_above(pyro_roll_stream_t *s, uint32_t from, uint32_t rolled)
{
    pyro_level_e   level;
    pyro_rolled_t  now;
    pyro_status_e  status;

    now = s->rolled;
    now.rolled = rolled;
    status = PYRO_OK;

    for (level = PYRO_LEVEL_1H; level < PYRO_LEVELS && status == PYRO_OK;
         level++)
    {
        if (!pyro_rolled_has(&now, level, pyro_slot_at(level, from))) {
            break;
        }

        status = pyro_roll_level(s, level, pyro_slot_at(level, from));
    }

    return status;
}


pyro_status_e
pyro_roll_stream(pyro_roll_stream_t *s, uint32_t id, uint32_t from,
    uint32_t to, int *did)
{
    uint32_t             day;
    pyro_status_e        status;
    pyro_stream_value_t  stream;

    *did = 0;
    status = pyro_roll_open(s, id, &stream);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND ? PYRO_OK : status;
    }

    /* its day may be complete with slots that it has nothing in */

    day = pyro_slot_at(PYRO_LEVEL_1D, from);

    if (stream.first >= pyro_slot_end(to - 1)
        || stream.last < pyro_slot_start(pyro_slot_first(PYRO_LEVEL_1D, day)))
    {
        return PYRO_OK;
    }

    *did = 1;

    if (stream.last >= pyro_slot_start(from)) {
        status = pyro_roll_slots(s, from, to);

        if (status == PYRO_OK) {
            status = pyro_roll_totals(s, from, to);
        }
    }

    return status == PYRO_OK ? pyro_roll_above(s, from, to) : status;
}


pyro_status_e
pyro_roll_stream_again(pyro_roll_stream_t *s, uint32_t id,
    const uint32_t *slots, uint32_t n)
{
    uint8_t              key[PYRO_KEY_MAX];
    uint32_t             i;
    pyro_status_e        status;
    pyro_stream_value_t  stream;

    status = pyro_roll_open(s, id, &stream);

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_roll_slots(s, slots[i], slots[i] + 1);

        if (status == PYRO_OK) {
            status = pyro_roll_totals(s, slots[i], slots[i] + 1);
        }

        s->work->late++;

        /* the last one of an hour: what is above it knows all of them */

        if (status == PYRO_OK
            && (i + 1 == n || pyro_slot_at(PYRO_LEVEL_1H, slots[i])
                              != pyro_slot_at(PYRO_LEVEL_1H, slots[i + 1])))
        {
            status = pyro_roll_above(s, slots[i], s->rolled.rolled);
        }
    }

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_view_delete(&s->view, PYRO_DB_LATE, key,
                                  pyro_key_late(key, id, slots[i]));
    }

    return status;
}
