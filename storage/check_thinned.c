/*
 * Thinned partitions: no pushes are left to explain their roll-ups, so each
 * level is compared with the one above it, and with the totals of hours.
 */

#include "storage/check.h"


/* A type of a stream. */
typedef struct {
    pyro_check_t         *c;
    uint32_t              stream;
    uint32_t              ptype;
    uint32_t              nodes;        /* of the scope */
    pyro_arena_t         *arena;
    pyro_rollup_sum_t     sum;          /* of the day at hand */
    uint32_t              day;
    pyro_pairs_t          room;
} pyro_check_thin_t;


static pyro_status_e pyro_check_thinned_stream(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *value);
static pyro_status_e pyro_check_thinned_type(pyro_check_thin_t *t);
static pyro_status_e pyro_check_thinned_hours(pyro_check_thin_t *t);
static pyro_status_e pyro_check_thinned_days(pyro_check_thin_t *t);
static pyro_status_e pyro_check_day_ends(pyro_check_thin_t *t);
static void pyro_check_thinned_pairs(pyro_check_thin_t *t,
    const pyro_rollup_scan_t *scan);
static pyro_status_e pyro_check_hours_of(pyro_check_thin_t *t, uint32_t day,
    pyro_hour_total_t *hours);
static void pyro_check_thinned_total(pyro_check_thin_t *t, uint32_t slot,
    const pyro_rollup_t *rollup, uint64_t pushes, uint64_t sum, int known);


pyro_status_e
pyro_check_thinned(pyro_check_t *c)
{
    pyro_kv_cursor_t     *cursor;
    pyro_slice_t          key, value;
    pyro_status_e         status;
    pyro_stream_value_t   stream;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, PYRO_DB_STREAM, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len == 4 && pyro_stream_get(value, &stream) == 0) {
            status = pyro_check_thinned_stream(c,
                                   pyro_get_be32((const uint8_t *) key.data),
                                   &stream);
        }

        if (status != PYRO_OK) {
            break;
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_check_thinned_stream(pyro_check_t *c, uint32_t id,
    const pyro_stream_value_t *value)
{
    uint32_t             i, ptype;
    pyro_bytes_t         in;
    pyro_status_e        status;
    pyro_scope_value_t   scope;
    pyro_check_thin_t    t;

    if (pyro_scope_read(&c->view, value->scope, &scope) != PYRO_OK) {
        /* told with the streams */
        return PYRO_OK;
    }

    in = value->ptypes;
    status = PYRO_OK;

    for (i = 0, ptype = 0; i < value->n_ptypes && status == PYRO_OK; i++) {
        ptype += pyro_take_known(&in);
        memset(&t, 0, sizeof(pyro_check_thin_t));

        t.c = c;
        t.stream = id;
        t.ptype = ptype;
        t.nodes = scope.nodes;
        t.arena = pyro_arena_create(0);

        status = t.arena == NULL ? pyro_error_memory(&c->err)
                                 : pyro_check_thinned_type(&t);
        pyro_arena_destroy(t.arena);
    }

    return status;
}


static pyro_status_e
pyro_check_thinned_type(pyro_check_thin_t *t)
{
    return t->c->part.thinned == 1 ? pyro_check_thinned_hours(t)
                                   : pyro_check_thinned_days(t);
}


static pyro_status_e
pyro_check_thinned_hours(pyro_check_thin_t *t)
{
    uint32_t             day;
    pyro_status_e        status;
    pyro_hour_total_t    hours[PYRO_HOURS_DAY], *hour;
    pyro_rollup_scan_t   scan;

    memset(hours, 0, sizeof(hours));
    pyro_rollup_scan_start(&scan, &t->c->read, PYRO_LEVEL_1H, t->stream,
                           t->ptype, 0, UINT32_MAX);

    while ((status = pyro_rollup_scan_next(&scan)) == PYRO_OK) {
        day = pyro_hour_day(scan.slot);

        if (day != t->day) {
            status = pyro_check_day_ends(t);
            t->day = day;

            if (status == PYRO_OK) {
                status = pyro_check_hours_of(t, day, hours);
            }
        }

        if (status != PYRO_OK) {
            return status;
        }

        pyro_check_thinned_pairs(t, &scan);
        hour = &hours[pyro_hour_of_day(scan.slot)];
        pyro_check_thinned_total(t, scan.slot, &scan.rollup, hour->pushes,
                                 hour->sum, hour->pushes || !hour->sum);

        if (pyro_rollup_add(&t->sum, t->arena, &scan.rollup.section,
                            scan.rollup.pushes)
            == PYRO_UNAVAILABLE)
        {
            return pyro_error_memory(&t->c->err);
        }
    }

    if (status == PYRO_UNPROCESSABLE) {
        pyro_check_damage(t->c, PYRO_DB_R1H, t->stream, "stream %u, type %u, "
                          "slot %u: its checksum is wrong", t->stream,
                          t->ptype, scan.slot);
        return PYRO_OK;
    }

    return status == PYRO_NOT_FOUND ? pyro_check_day_ends(t) : status;
}


/* The day's own sum is that of its hours. */
static pyro_status_e
pyro_check_day_ends(pyro_check_thin_t *t)
{
    pyro_slice_t         record;
    pyro_rollup_t        expected;
    pyro_status_e        status;
    pyro_rollup_scan_t   scan;

    if (t->sum.pushes == 0) {
        return PYRO_OK;
    }

    if (pyro_rollup_encode(&t->sum, t->arena, &record)
        || pyro_rollup_open(record, &expected))
    {
        return pyro_error_memory(&t->c->err);
    }

    t->c->sink.rollups++;
    pyro_rollup_scan_start(&scan, &t->c->read, PYRO_LEVEL_1D, t->stream,
                           t->ptype, t->day, t->day);
    status = pyro_rollup_scan_next(&scan);

    if (status == PYRO_UNAVAILABLE) {
        return status;
    }

    if (status != PYRO_OK || !pyro_check_is_same(&scan.rollup, &expected)) {
        pyro_check_damage(t->c, PYRO_DB_R1D, t->stream, "stream %u, type %u, "
                          "slot %u: it is not what its hours add up to",
                          t->stream, t->ptype, t->day);
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_check_thinned_days(pyro_check_thin_t *t)
{
    int                  i, known;
    uint64_t             pushes, sum;
    pyro_status_e        status;
    pyro_hour_total_t    hours[PYRO_HOURS_DAY];
    pyro_rollup_scan_t   scan;

    pyro_rollup_scan_start(&scan, &t->c->read, PYRO_LEVEL_1D, t->stream,
                           t->ptype, 0, UINT32_MAX);

    while ((status = pyro_rollup_scan_next(&scan)) == PYRO_OK) {
        pyro_check_thinned_pairs(t, &scan);
        status = pyro_check_hours_of(t, scan.slot, hours);

        if (status != PYRO_OK) {
            return status;
        }

        known = 1;

        for (i = 0, pushes = 0, sum = 0; i < PYRO_HOURS_DAY; i++) {
            known &= hours[i].pushes || !hours[i].sum;
            pushes += hours[i].pushes;
            sum += hours[i].sum;
            sum = sum > INT64_MAX ? INT64_MAX : sum;
        }

        pyro_check_thinned_total(t, scan.slot, &scan.rollup, pushes, sum,
                                 known);
    }

    if (status == PYRO_UNPROCESSABLE) {
        pyro_check_damage(t->c, PYRO_DB_R1D, t->stream, "stream %u, type %u, "
                          "slot %u: its checksum is wrong", t->stream,
                          t->ptype, scan.slot);
        return PYRO_OK;
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static void
pyro_check_thinned_pairs(pyro_check_thin_t *t, const pyro_rollup_scan_t *scan)
{
    uint32_t                      i;
    pyro_bytes_t                  in;
    const pyro_record_section_t  *section;

    section = &scan->rollup.section;
    in = section->pairs;

    if (pyro_pairs_reserve(t->arena, &t->room, section->n)
        || pyro_pairs_take(&in, section->n, section->scale, t->room.items))
    {
        pyro_check_damage(t->c, pyro_level_db(scan->place.level), t->stream,
                          "stream %u, type %u, slot %u: it cannot be read",
                          t->stream, t->ptype, scan->slot);
        return;
    }

    for (i = 0; i < section->n; i++) {
        if (t->room.items[i].key > t->nodes) {
            pyro_check_damage(t->c, pyro_level_db(scan->place.level),
                              t->stream, "stream %u, type %u, slot %u: node "
                              "%llu; the scope has %u nodes", t->stream,
                              t->ptype, scan->slot,
                              (unsigned long long) t->room.items[i].key,
                              t->nodes);
            return;
        }
    }
}


/* The totals of a day's hours; those that cannot be read are none. */
static pyro_status_e
pyro_check_hours_of(pyro_check_thin_t *t, uint32_t day,
    pyro_hour_total_t *hours)
{
    uint8_t        key[PYRO_KEY_MAX];
    pyro_slice_t   value;
    pyro_status_e  status;

    memset(hours, 0, PYRO_HOURS_DAY * sizeof(pyro_hour_total_t));
    status = pyro_view_get(&t->c->view, PYRO_DB_TOT, key,
                           pyro_key_total(key, t->stream, t->ptype,
                                          PYRO_LEVEL_1D, day),
                           &value);

    if (status == PYRO_OK && pyro_hours_decode(value, hours)) {
        pyro_check_damage(t->c, PYRO_DB_TOT, t->stream, "stream %u, type %u, "
                          "day %u: it cannot be read", t->stream, t->ptype,
                          day);
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


/* known is 0 if all that is known of the sum is that it is too much. */
static void
pyro_check_thinned_total(pyro_check_thin_t *t, uint32_t slot,
    const pyro_rollup_t *rollup, uint64_t pushes, uint64_t sum, int known)
{
    t->c->sink.rollups++;

    if (known
        && (rollup->pushes != pushes
            || (sum != INT64_MAX && rollup->section.total != sum)))
    {
        pyro_check_damage(t->c, PYRO_DB_TOT, t->stream, "stream %u, type %u, "
                          "slot %u: it has %llu pushes and a total of %llu, "
                          "its stacks have %llu and %llu", t->stream,
                          t->ptype, slot, (unsigned long long) pushes,
                          (unsigned long long) sum,
                          (unsigned long long) rollup->pushes,
                          (unsigned long long) rollup->section.total);
    }
}
