/*
 * Roll-ups against push records: summed up once more as the records of a stream
 * go by, slot by slot, and compared value for value where they are finished.
 * A slot that is late, or not below the mark, may be behind; but nothing may be
 * there for which there are no pushes.
 */

#include "storage/check.h"

#include <stdlib.h>


/* Of one type. */
struct pyro_check_type_s {
    uint32_t             ptype;
    pyro_rollup_sum_t    sums[PYRO_LEVELS];
    uint8_t             *slots[PYRO_LEVELS];    /* bits: those with pushes */
    pyro_total_list_t    totals;                /* of the hour */
};


static pyro_status_e pyro_check_sums_types(pyro_check_sums_t *sums,
    const pyro_stream_value_t *value);
static pyro_status_e pyro_check_sums_late(pyro_check_sums_t *sums);
static int pyro_check_is_late(const pyro_check_sums_t *sums,
    pyro_level_e level, uint32_t slot);
static int pyro_check_is_whole(const pyro_check_sums_t *sums,
    pyro_level_e level, uint32_t slot);
static uint32_t pyro_check_first(const pyro_check_sums_t *sums,
    pyro_level_e level);
static uint32_t pyro_check_last(const pyro_check_sums_t *sums,
    pyro_level_e level);
static int pyro_check_had(const pyro_check_sums_t *sums,
    const pyro_check_type_t *type, pyro_level_e level, uint32_t slot);
static pyro_status_e pyro_check_slot_ends(pyro_check_sums_t *sums,
    uint32_t next);
static pyro_status_e pyro_check_level_ends(pyro_check_sums_t *sums,
    pyro_level_e level, uint32_t slot);
static pyro_status_e pyro_check_rollup(pyro_check_sums_t *sums,
    const pyro_check_type_t *type, pyro_level_e level, uint32_t slot,
    const pyro_rollup_t *expected);
static pyro_status_e pyro_check_hour(pyro_check_sums_t *sums, uint32_t hour);
static pyro_status_e pyro_check_totals(pyro_check_sums_t *sums,
    pyro_check_type_t *type, uint32_t hour);
static pyro_status_e pyro_check_hour_total(pyro_check_sums_t *sums,
    pyro_check_type_t *type, uint32_t hour);
static uint32_t pyro_check_finished(const pyro_check_sums_t *sums,
    pyro_total_t *items, uint32_t n);
static pyro_status_e pyro_check_extras(pyro_check_sums_t *sums,
    const pyro_check_type_t *type, pyro_level_e level);
static pyro_status_e pyro_check_extra_totals(pyro_check_sums_t *sums,
    const pyro_check_type_t *type);
static pyro_status_e pyro_check_extra_pushes(pyro_check_sums_t *sums,
    const pyro_check_type_t *type, uint32_t hour, pyro_slice_t value);
static pyro_status_e pyro_check_extra_hours(pyro_check_sums_t *sums,
    const pyro_check_type_t *type, uint32_t day, pyro_slice_t value);


static uint32_t
pyro_check_first(const pyro_check_sums_t *sums, pyro_level_e level)
{
    return pyro_slot_at(level, sums->c->rolled.first);
}


static uint32_t
pyro_check_last(const pyro_check_sums_t *sums, pyro_level_e level)
{
    return pyro_slot_at(level, sums->c->rolled.last);
}


pyro_status_e
pyro_check_sums_begin(pyro_check_sums_t *sums, pyro_check_t *c,
    uint32_t stream, const pyro_stream_value_t *value, pyro_arena_t *arena)
{
    pyro_status_e  status;

    memset(sums, 0, sizeof(pyro_check_sums_t));

    sums->c = c;
    sums->stream = stream;
    sums->arena = arena;

    status = pyro_check_sums_types(sums, value);

    return status == PYRO_OK ? pyro_check_sums_late(sums) : status;
}


static pyro_status_e
pyro_check_sums_types(pyro_check_sums_t *sums,
    const pyro_stream_value_t *value)
{
    uint32_t            i, id, slots;
    pyro_level_e        level;
    pyro_bytes_t        in;
    pyro_check_type_t  *type;

    in = value->ptypes;
    sums->n_types = value->n_ptypes;
    sums->types = pyro_arena_calloc(sums->arena, sums->n_types,
                                    sizeof(pyro_check_type_t));

    if (sums->types == NULL) {
        return pyro_error_memory(&sums->c->err);
    }

    for (i = 0, id = 0; i < sums->n_types; i++) {
        type = &sums->types[i];
        id += pyro_take_known(&in);
        type->ptype = id;

        for (level = PYRO_LEVEL_5M; level < PYRO_LEVELS; level++) {
            slots = pyro_check_last(sums, level) + 1
                    - pyro_check_first(sums, level);
            type->slots[level] = pyro_arena_calloc(sums->arena, slots / 8 + 1,
                                                   1);

            if (type->slots[level] == NULL) {
                return pyro_error_memory(&sums->c->err);
            }
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_check_sums_late(pyro_check_sums_t *sums)
{
    uint8_t            first[PYRO_LATE_KEY];
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    if (!pyro_check_has_db(sums->c, PYRO_DB_LATE)) {
        return PYRO_OK;
    }

    status = pyro_view_cursor(&sums->c->view, PYRO_DB_LATE, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    key = pyro_slice(first, pyro_key_late(first, sums->stream, 0));
    status = pyro_view_seek(&sums->c->view, cursor, PYRO_KV_SEEK, &key,
                            &value);

    while (status == PYRO_OK && key.len == PYRO_LATE_KEY
           && memcmp(key.data, first, 4) == 0)
    {
        if (pyro_arena_grow(sums->arena, &sums->late, &sums->cap_late,
                            (size_t) sums->n_late + 1, sizeof(uint32_t)))
        {
            status = pyro_error_memory(&sums->c->err);
            break;
        }

        sums->late[sums->n_late++]
            = pyro_get_be32((const uint8_t *) key.data + 4);
        status = pyro_view_seek(&sums->c->view, cursor, PYRO_KV_NEXT, &key,
                                &value);
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


/* 1 if a slot of a level has a late one in it. */
static int
pyro_check_is_late(const pyro_check_sums_t *sums, pyro_level_e level,
    uint32_t slot)
{
    uint32_t  i, first, last;

    first = pyro_slot_first(level, slot);
    last = pyro_slot_last(level, slot);

    for (i = 0; i < sums->n_late; i++) {
        if (sums->late[i] >= first && sums->late[i] <= last) {
            return 1;
        }
    }

    return 0;
}


/* 1 if what is stored of the slot is to be what its pushes add up to. */
static int
pyro_check_is_whole(const pyro_check_sums_t *sums, pyro_level_e level,
    uint32_t slot)
{
    return pyro_rolled_has(&sums->c->rolled, level, slot)
           && !pyro_check_is_late(sums, level, slot);
}


static int
pyro_check_had(const pyro_check_sums_t *sums, const pyro_check_type_t *type,
    pyro_level_e level, uint32_t slot)
{
    uint32_t  first;

    first = pyro_check_first(sums, level);

    if (slot < first || slot > pyro_check_last(sums, level)) {
        return 0;
    }

    return (type->slots[level][(slot - first) / 8] >> (slot - first) % 8) & 1;
}


pyro_status_e
pyro_check_sums_add(pyro_check_sums_t *sums, int64_t time,
    const pyro_record_section_t *section)
{
    uint32_t             i, slot, at;
    pyro_level_e         level;
    pyro_status_e        status;
    pyro_check_type_t   *type;

    slot = pyro_slot(time);

    if (slot < sums->c->rolled.first || slot > sums->c->rolled.last) {
        return PYRO_OK;
    }

    if (sums->started && slot != sums->slot) {
        status = pyro_check_slot_ends(sums, slot);

        if (status != PYRO_OK) {
            return status;
        }
    }

    sums->slot = slot;
    sums->started = 1;

    for (i = 0; i < sums->n_types; i++) {
        if (sums->types[i].ptype == section->ptype) {
            break;
        }
    }

    if (i == sums->n_types) {
        return PYRO_OK;
    }

    type = &sums->types[i];

    for (level = PYRO_LEVEL_5M; level < PYRO_LEVELS; level++) {
        at = pyro_slot_at(level, slot) - pyro_check_first(sums, level);
        type->slots[level][at / 8] |= (uint8_t) (1 << at % 8);
    }

    if (pyro_rollup_add(&type->sums[PYRO_LEVEL_5M], sums->arena, section, 1)
        == PYRO_UNAVAILABLE
        || pyro_arena_grow(sums->arena, &type->totals.items, &type->totals.cap,
                           (size_t) type->totals.n + 1, sizeof(pyro_total_t)))
    {
        return pyro_error_memory(&sums->c->err);
    }

    type->totals.items[type->totals.n].time = time / PYRO_NS_PER_MS;
    type->totals.items[type->totals.n++].total = section->total;

    return PYRO_OK;
}


/* What ends with the slot at hand; next: where the following push is, or 0. */
static pyro_status_e
pyro_check_slot_ends(pyro_check_sums_t *sums, uint32_t next)
{
    uint32_t       at;
    pyro_level_e   level;
    pyro_status_e  status;

    status = PYRO_OK;

    for (level = PYRO_LEVEL_5M; level < PYRO_LEVELS && status == PYRO_OK;
         level++)
    {
        at = pyro_slot_at(level, sums->slot);

        if (next && pyro_slot_at(level, next) == at) {
            break;
        }

        status = pyro_check_level_ends(sums, level, at);

        if (status == PYRO_OK && level == PYRO_LEVEL_1H) {
            status = pyro_check_hour(sums, at);
        }
    }

    return status;
}


/* Compares the slot's sums and adds them to the next coarser level's. */
static pyro_status_e
pyro_check_level_ends(pyro_check_sums_t *sums, pyro_level_e level,
    uint32_t slot)
{
    uint32_t            i;
    pyro_slice_t        record;
    pyro_rollup_t       rollup;
    pyro_status_e       status;
    pyro_check_type_t  *type;

    status = PYRO_OK;

    for (i = 0; i < sums->n_types && status == PYRO_OK; i++) {
        type = &sums->types[i];

        if (type->sums[level].pushes == 0) {
            continue;
        }

        if (pyro_rollup_encode(&type->sums[level], sums->arena, &record)) {
            return pyro_error_memory(&sums->c->err);
        }

        if (pyro_rollup_open(record, &rollup)) {
            return pyro_env_damaged(sums->c->part.env, "sum of stream",
                                    sums->stream, &sums->c->err);
        }

        if (level + 1 < PYRO_LEVELS
            && pyro_rollup_add(&type->sums[level + 1], sums->arena,
                               &rollup.section, rollup.pushes)
               == PYRO_UNAVAILABLE)
        {
            return pyro_error_memory(&sums->c->err);
        }

        if (pyro_check_is_whole(sums, level, slot)) {
            status = pyro_check_rollup(sums, type, level, slot, &rollup);
        }

        pyro_arena_free(sums->arena, (void *) record.data, record.len);
    }

    return status;
}


static pyro_status_e
pyro_check_rollup(pyro_check_sums_t *sums, const pyro_check_type_t *type,
    pyro_level_e level, uint32_t slot, const pyro_rollup_t *expected)
{
    pyro_check_t         *c;
    pyro_status_e         status;
    pyro_rollup_scan_t    scan;

    c = sums->c;
    c->sink.rollups++;

    pyro_rollup_scan_start(&scan, &c->read, level, sums->stream, type->ptype,
                           slot, slot);

    status = pyro_rollup_scan_next(&scan);

    if (status == PYRO_OK && pyro_check_is_same(&scan.rollup, expected)) {
        return PYRO_OK;
    }

    if (status != PYRO_OK && status != PYRO_NOT_FOUND
        && status != PYRO_UNPROCESSABLE)
    {
        return status;
    }

    if (status == PYRO_OK) {
        pyro_check_damage(c, pyro_level_db(level), sums->stream, "stream %u, "
                          "type %u, slot %u: it has %llu pushes and a total of "
                          "%llu, raw has %llu and %llu%s", sums->stream,
                          type->ptype, slot,
                          (unsigned long long) scan.rollup.pushes,
                          (unsigned long long) scan.rollup.section.total,
                          (unsigned long long) expected->pushes,
                          (unsigned long long) expected->section.total,
                          scan.rollup.pushes == expected->pushes
                          && scan.rollup.section.total
                             == expected->section.total
                          ? ", of other stacks" : "");
        return PYRO_OK;
    }

    pyro_check_damage(c, pyro_level_db(level), sums->stream, "stream %u, type "
                      "%u, slot %u: it %s", sums->stream, type->ptype, slot,
                      status == PYRO_NOT_FOUND ? "is missing"
                      : "cannot be read: its checksum is wrong");

    return PYRO_OK;
}


int
pyro_check_is_same(const pyro_rollup_t *a, const pyro_rollup_t *b)
{
    uint32_t      i, n;
    uint64_t      node[2], value[2];
    pyro_bytes_t  in[2];

    if (a->pushes != b->pushes || a->section.total != b->section.total
        || a->section.n != b->section.n)
    {
        return 0;
    }

    n = a->section.n;
    in[0] = a->section.pairs;
    in[1] = b->section.pairs;

    for (i = 0; i < n; i++) {

        if (pyro_take(&in[0], &node[0]) || pyro_take(&in[0], &value[0])
            || pyro_take(&in[1], &node[1]) || pyro_take(&in[1], &value[1])
            || node[0] != node[1]
            || value[0] * a->section.scale != value[1] * b->section.scale)
        {
            return 0;
        }
    }

    return in[0].p == in[0].end;
}


/* ---- totals ---- */

static pyro_status_e
pyro_check_hour(pyro_check_sums_t *sums, uint32_t hour)
{
    uint32_t            i;
    pyro_status_e       status;
    pyro_check_type_t  *type;

    status = PYRO_OK;

    for (i = 0; i < sums->n_types && status == PYRO_OK; i++) {
        type = &sums->types[i];

        if (type->totals.n == 0) {
            continue;
        }

        if (pyro_check_is_whole(sums, PYRO_LEVEL_1H, hour)) {
            status = pyro_check_hour_total(sums, type, hour);
        }

        if (status == PYRO_OK) {
            status = pyro_check_totals(sums, type, hour);
        }

        type->totals.n = 0;
    }

    return status;
}


/* Leaves of n totals those of finished slots; returns how many. */
static uint32_t
pyro_check_finished(const pyro_check_sums_t *sums, pyro_total_t *items,
    uint32_t n)
{
    uint32_t  i, left;

    for (i = 0, left = 0; i < n; i++) {
        if (pyro_check_is_whole(sums, PYRO_LEVEL_5M,
                                pyro_slot(items[i].time * PYRO_NS_PER_MS)))
        {
            items[left++] = items[i];
        }
    }

    return left;
}


/* The hour's pushes, one by one. */
static pyro_status_e
pyro_check_totals(pyro_check_sums_t *sums, pyro_check_type_t *type,
    uint32_t hour)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    uint32_t       n, known;
    pyro_check_t  *c;
    pyro_slice_t   value;
    pyro_status_e  status;

    c = sums->c;
    sums->known.n = 0;

    n = pyro_check_finished(sums, type->totals.items, type->totals.n);
    len = pyro_key_total(key, sums->stream, type->ptype, PYRO_LEVEL_1H, hour);
    status = pyro_view_get(&c->view, PYRO_DB_TOT, key, len, &value);

    if (status == PYRO_OK) {
        status = pyro_totals_decode(value, hour, sums->arena, &sums->known);
    }

    if (status == PYRO_UNAVAILABLE) {
        return status;
    }

    if (status == PYRO_UNPROCESSABLE) {
        pyro_check_damage(c, PYRO_DB_TOT, sums->stream, "stream %u, type %u, "
                          "hour %u: it cannot be read", sums->stream,
                          type->ptype, hour);
        return PYRO_OK;
    }

    known = pyro_check_finished(sums, sums->known.items, sums->known.n);
    c->sink.rollups += n != 0;

    if (known != n
        || (n && memcmp(sums->known.items, type->totals.items,
                        n * sizeof(pyro_total_t)) != 0))
    {
        pyro_check_damage(c, PYRO_DB_TOT, sums->stream, "stream %u, type %u, "
                          "hour %u: it has other totals than the %u pushes",
                          sums->stream, type->ptype, hour, n);
    }

    return PYRO_OK;
}


/* The hour in its day's record. */
static pyro_status_e
pyro_check_hour_total(pyro_check_sums_t *sums, pyro_check_type_t *type,
    uint32_t hour)
{
    size_t              len;
    uint8_t             key[PYRO_KEY_MAX];
    uint32_t            i;
    pyro_slice_t        value;
    pyro_status_e       status;
    pyro_hour_total_t   hours[PYRO_HOURS_DAY], *stored, expected;

    expected.pushes = type->totals.n;
    expected.sum = 0;

    for (i = 0; i < type->totals.n && expected.sum <= INT64_MAX; i++) {
        expected.sum += type->totals.items[i].total;
    }

    if (expected.sum > INT64_MAX) {
        expected.pushes = 0;
        expected.sum = 1;
    }

    len = pyro_key_total(key, sums->stream, type->ptype, PYRO_LEVEL_1D,
                         pyro_hour_day(hour));
    status = pyro_view_get(&sums->c->view, PYRO_DB_TOT, key, len, &value);

    if (status == PYRO_NOT_FOUND) {
        memset(hours, 0, sizeof(hours));

    } else if (status != PYRO_OK) {
        return status;

    } else if (pyro_hours_decode(value, hours)) {
        /* told when the day's records are gone through */
        return PYRO_OK;
    }

    stored = &hours[pyro_hour_of_day(hour)];

    if (stored->pushes != expected.pushes || stored->sum != expected.sum) {
        pyro_check_damage(sums->c, PYRO_DB_TOT, sums->stream, "stream %u, type "
                          "%u, hour %u in its day: it has %llu pushes and a "
                          "total of %llu, raw has %llu and %llu", sums->stream,
                          type->ptype, hour,
                          (unsigned long long) stored->pushes,
                          (unsigned long long) stored->sum,
                          (unsigned long long) expected.pushes,
                          (unsigned long long) expected.sum);
    }

    return PYRO_OK;
}


/* ---- what nothing explains ---- */

pyro_status_e
pyro_check_sums_end(pyro_check_sums_t *sums)
{
    uint32_t       i;
    pyro_level_e   level;
    pyro_status_e  status;

    status = sums->started ? pyro_check_slot_ends(sums, 0) : PYRO_OK;

    for (i = 0; i < sums->n_types && status == PYRO_OK; i++) {

        for (level = PYRO_LEVEL_5M; level < PYRO_LEVELS && status == PYRO_OK;
             level++)
        {
            status = pyro_check_extras(sums, &sums->types[i], level);
        }

        if (status == PYRO_OK) {
            status = pyro_check_extra_totals(sums, &sums->types[i]);
        }
    }

    return status;
}


static pyro_status_e
pyro_check_extras(pyro_check_sums_t *sums, const pyro_check_type_t *type,
    pyro_level_e level)
{
    pyro_status_e        status;
    pyro_rollup_scan_t   scan;

    pyro_rollup_scan_start(&scan, &sums->c->read, level, sums->stream,
                           type->ptype, pyro_check_first(sums, level),
                           pyro_check_last(sums, level));

    while ((status = pyro_rollup_scan_next(&scan)) == PYRO_OK
           || status == PYRO_UNPROCESSABLE)
    {
        if (!pyro_check_had(sums, type, level, scan.slot)) {
            pyro_check_damage(sums->c, pyro_level_db(level), sums->stream,
                              "stream %u, type %u, slot %u: there are no "
                              "pushes for it", sums->stream, type->ptype,
                              scan.slot);

        } else if (status == PYRO_UNPROCESSABLE
                   && !pyro_check_is_whole(sums, level, scan.slot))
        {
            pyro_check_damage(sums->c, pyro_level_db(level), sums->stream,
                              "stream %u, type %u, slot %u: its checksum is "
                              "wrong", sums->stream, type->ptype, scan.slot);
        }
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_check_extra_totals(pyro_check_sums_t *sums, const pyro_check_type_t *type)
{
    uint8_t            first[PYRO_TOTAL_KEY];
    uint32_t           slot;
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    key = pyro_slice(first, pyro_key_total(first, sums->stream, type->ptype,
                                           PYRO_LEVEL_RAW, 0));
    status = pyro_view_cursor(&sums->c->view, PYRO_DB_TOT, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_view_seek(&sums->c->view, cursor, PYRO_KV_SEEK, &key,
                            &value);

    while (status == PYRO_OK && key.len == PYRO_TOTAL_KEY
           && memcmp(key.data, first, 6) == 0)
    {
        slot = pyro_get_be32((const uint8_t *) key.data + 7);

        status = key.data[6] == PYRO_LEVEL_1D
                 ? pyro_check_extra_hours(sums, type, slot, value)
                 : pyro_check_extra_pushes(sums, type, slot, value);

        if (status == PYRO_OK) {
            status = pyro_view_seek(&sums->c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value);
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_check_extra_pushes(pyro_check_sums_t *sums, const pyro_check_type_t *type,
    uint32_t hour, pyro_slice_t value)
{
    uint32_t       i, slot;
    pyro_status_e  status;

    sums->known.n = 0;
    status = pyro_totals_decode(value, hour, sums->arena, &sums->known);

    if (status == PYRO_UNAVAILABLE) {
        return pyro_error_memory(&sums->c->err);
    }

    /* one of an hour with pushes was told with them */

    if (status != PYRO_OK) {

        if (!pyro_check_had(sums, type, PYRO_LEVEL_1H, hour)) {
            pyro_check_damage(sums->c, PYRO_DB_TOT, sums->stream, "stream %u, "
                              "type %u, hour %u: it cannot be read",
                              sums->stream, type->ptype, hour);
        }

        return PYRO_OK;
    }

    for (i = 0; i < sums->known.n; i++) {
        slot = pyro_slot(sums->known.items[i].time * PYRO_NS_PER_MS);

        if (!pyro_check_had(sums, type, PYRO_LEVEL_5M, slot)) {
            pyro_check_damage(sums->c, PYRO_DB_TOT, sums->stream, "stream %u, "
                              "type %u, hour %u: there are no pushes for its "
                              "slot %u", sums->stream, type->ptype, hour,
                              slot);
            return PYRO_OK;
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_check_extra_hours(pyro_check_sums_t *sums, const pyro_check_type_t *type,
    uint32_t day, pyro_slice_t value)
{
    uint32_t           i, hour;
    pyro_hour_total_t  hours[PYRO_HOURS_DAY];

    if (pyro_hours_decode(value, hours)) {
        pyro_check_damage(sums->c, PYRO_DB_TOT, sums->stream, "stream %u, type "
                          "%u, day %u: it cannot be read", sums->stream,
                          type->ptype, day);
        return PYRO_OK;
    }

    for (i = 0; i < PYRO_HOURS_DAY; i++) {

        if (hours[i].pushes == 0 && hours[i].sum == 0) {
            continue;
        }

        hour = day * PYRO_HOURS_DAY - (PYRO_HOURS_DAY - 1) + i;

        if (!pyro_check_had(sums, type, PYRO_LEVEL_1H, hour)) {
            pyro_check_damage(sums->c, PYRO_DB_TOT, sums->stream, "stream %u, "
                              "type %u, day %u: there are no pushes for its "
                              "hour %u", sums->stream, type->ptype, day, hour);
        }
    }

    return PYRO_OK;
}
