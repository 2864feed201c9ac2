#include "storage/rollup.h"


#define PYRO_ROLLUP_VERSION  1
#define PYRO_ROLLUP_HEADER   5
#define PYRO_ROLLUP_JOIN     65536  /* pairs that are joined now and then */


static void pyro_rollup_join(pyro_rollup_sum_t *sum);
static uint8_t *pyro_rollup_begin(pyro_arena_t *arena, size_t size);
static pyro_slice_t pyro_rollup_end(uint8_t *start, const uint8_t *p);
static int pyro_rollup_check(pyro_slice_t in, pyro_bytes_t *rest);


/* Between joins the pairs at most double, so that sorting costs n log n. */
pyro_status_e
pyro_rollup_add(pyro_rollup_sum_t *sum, pyro_arena_t *arena,
    const pyro_record_section_t *section, uint64_t pushes)
{
    pyro_bytes_t  in;

    if (section->n == 0) {
        sum->pushes += pushes;
        return PYRO_OK;
    }

    if (sum->n >= PYRO_ROLLUP_JOIN && sum->n / 2 >= sum->joined) {
        pyro_rollup_join(sum);
    }

    if (pyro_pairs_reserve(arena, &sum->room, (size_t) sum->n + section->n)) {
        return PYRO_UNAVAILABLE;
    }

    in = section->pairs;

    if (pyro_pairs_take(&in, section->n, section->scale,
                        sum->room.items + sum->n))
    {
        return PYRO_UNPROCESSABLE;
    }

    sum->n += section->n;
    sum->pushes += pushes;

    return PYRO_OK;
}


static void
pyro_rollup_join(pyro_rollup_sum_t *sum)
{
    pyro_pairs_sort(&sum->room, sum->n);
    sum->n = pyro_pairs_join(sum->room.items, sum->n);
    sum->joined = sum->n;
}


int
pyro_rollup_encode(pyro_rollup_sum_t *sum, pyro_arena_t *arena,
    pyro_slice_t *record)
{
    uint8_t   *p, *start;
    uint32_t   i;
    uint64_t   scale, total;

    pyro_rollup_join(sum);

    for (i = 0, scale = 0, total = 0; i < sum->n; i++) {
        scale = scale == 1 ? 1
                : pyro_pairs_gcd(sum->room.items[i].value, scale);
        total += sum->room.items[i].value;
        total = total > INT64_MAX ? INT64_MAX : total;
    }

    /* a total that stopped is a multiple of nothing else */

    scale = scale && total != INT64_MAX ? scale : 1;

    start = pyro_rollup_begin(arena, 4 * PYRO_VARINT_MAX
                              + (size_t) sum->n * (5 + PYRO_VARINT_MAX));

    if (start == NULL) {
        return -1;
    }

    p = pyro_put_varint(start + PYRO_ROLLUP_HEADER, sum->pushes);
    p = pyro_put_varint(p, scale);
    p = pyro_put_varint(p, total / scale);
    p = pyro_put_varint(p, sum->n);
    p = pyro_pairs_put(p, sum->room.items, sum->n, scale);

    *record = pyro_rollup_end(start, p);

    sum->n = 0;
    sum->joined = 0;
    sum->pushes = 0;

    return 0;
}


int
pyro_rollup_open(pyro_slice_t in, pyro_rollup_t *rollup)
{
    pyro_bytes_t  rest;

    rollup->section.ptype = 0;

    return pyro_rollup_check(in, &rest)
           || pyro_take(&rest, &rollup->pushes)
           || pyro_record_body(rest, &rollup->section)
           ? -1 : 0;
}


int
pyro_totals_encode(const pyro_total_list_t *list, uint32_t hour,
    pyro_arena_t *arena, pyro_slice_t *record)
{
    uint8_t   *p, *start;
    int64_t    last;
    uint32_t   i;
    uint64_t   scale;

    for (i = 0, scale = 0; i < list->n && scale != 1; i++) {
        scale = pyro_pairs_gcd(list->items[i].total, scale);
    }

    scale = scale ? scale : 1;

    start = pyro_rollup_begin(arena, 2 * PYRO_VARINT_MAX
                              + (size_t) list->n * 2 * PYRO_VARINT_MAX);

    if (start == NULL) {
        return -1;
    }

    p = pyro_put_varint(start + PYRO_ROLLUP_HEADER, scale);
    p = pyro_put_varint(p, list->n);
    last = pyro_slot_start(pyro_slot_first(PYRO_LEVEL_1H, hour))
           / PYRO_NS_PER_MS;

    for (i = 0; i < list->n; i++) {
        p = pyro_put_varint(p, (uint64_t) (list->items[i].time - last));
        p = pyro_put_varint(p, list->items[i].total / scale);
        last = list->items[i].time;
    }

    *record = pyro_rollup_end(start, p);

    return 0;
}


pyro_status_e
pyro_totals_decode(pyro_slice_t in, uint32_t hour, pyro_arena_t *arena,
    pyro_total_list_t *list)
{
    int64_t        time, end;
    uint32_t       n;
    uint64_t       scale, delta, total;
    pyro_bytes_t   rest;
    pyro_total_t  *item;

    if (pyro_rollup_check(in, &rest)
        || pyro_take(&rest, &scale) || scale == 0 || scale > INT64_MAX
        || pyro_take_u32(&rest, &n)
        || n > (uint64_t) (rest.end - rest.p) / 2)
    {
        return PYRO_UNPROCESSABLE;
    }

    if (n == 0) {
        return PYRO_OK;
    }

    if (pyro_arena_grow(arena, &list->items, &list->cap,
                        (size_t) list->n + n, sizeof(pyro_total_t)))
    {
        return PYRO_UNAVAILABLE;
    }

    time = pyro_slot_start(pyro_slot_first(PYRO_LEVEL_1H, hour))
           / PYRO_NS_PER_MS;
    end = pyro_slot_end(pyro_slot_last(PYRO_LEVEL_1H, hour)) / PYRO_NS_PER_MS;

    for (item = list->items + list->n; n; n--, item++) {

        if (pyro_take(&rest, &delta) || pyro_take(&rest, &total)
            || delta >= (uint64_t) (end - time) || total > INT64_MAX / scale)
        {
            return PYRO_UNPROCESSABLE;
        }

        time += (int64_t) delta;
        item->time = time;
        item->total = total * scale;
    }

    list->n = (uint32_t) (item - list->items);

    return PYRO_OK;
}


int
pyro_hours_encode(const pyro_hour_total_t *hours, pyro_arena_t *arena,
    pyro_slice_t *record)
{
    uint8_t   *p, *start;
    uint32_t   i, n;

    for (i = 0, n = 0; i < PYRO_HOURS_DAY; i++) {
        n += hours[i].pushes || hours[i].sum;
    }

    start = pyro_rollup_begin(arena, PYRO_VARINT_MAX
                              + (size_t) n * (1 + 2 * PYRO_VARINT_MAX));

    if (start == NULL) {
        return -1;
    }

    p = pyro_put_varint(start + PYRO_ROLLUP_HEADER, n);

    for (i = 0; i < PYRO_HOURS_DAY; i++) {
        if (hours[i].pushes || hours[i].sum) {
            p = pyro_put_varint(p, i);
            p = pyro_put_varint(p, hours[i].pushes);
            p = pyro_put_varint(p, hours[i].sum);
        }
    }

    *record = pyro_rollup_end(start, p);

    return 0;
}


int
pyro_hours_decode(pyro_slice_t in, pyro_hour_total_t *hours)
{
    uint32_t      n, hour;
    pyro_bytes_t  rest;

    memset(hours, 0, PYRO_HOURS_DAY * sizeof(pyro_hour_total_t));

    if (pyro_rollup_check(in, &rest) || pyro_take_u32(&rest, &n)) {
        return -1;
    }

    while (n--) {
        if (pyro_take_u32(&rest, &hour) || hour >= PYRO_HOURS_DAY
            || pyro_take(&rest, &hours[hour].pushes)
            || pyro_take(&rest, &hours[hour].sum)
            || hours[hour].sum > INT64_MAX)
        {
            return -1;
        }
    }

    return 0;
}


static uint8_t *
pyro_rollup_begin(pyro_arena_t *arena, size_t size)
{
    uint8_t  *start;

    start = pyro_arena_alloc(arena, PYRO_ROLLUP_HEADER + size);

    if (start != NULL) {
        start[PYRO_CHECKSUM] = PYRO_ROLLUP_VERSION;
    }

    return start;
}


static pyro_slice_t
pyro_rollup_end(uint8_t *start, const uint8_t *p)
{
    size_t  size;

    size = (size_t) (p - start);
    pyro_put_be32(start, pyro_checksum(start, size));

    return pyro_slice(start, size);
}


static int
pyro_rollup_check(pyro_slice_t in, pyro_bytes_t *rest)
{
    const uint8_t  *p;

    p = (const uint8_t *) in.data;

    if (in.len < PYRO_ROLLUP_HEADER
        || p[PYRO_CHECKSUM] != PYRO_ROLLUP_VERSION
        || pyro_get_be32(p) != pyro_checksum(p, in.len))
    {
        return -1;
    }

    *rest = pyro_bytes(p + PYRO_ROLLUP_HEADER, in.len - PYRO_ROLLUP_HEADER);

    return 0;
}


size_t
pyro_key_rollup(uint8_t *key, uint32_t stream, uint32_t ptype, uint32_t slot)
{
    pyro_put_be32(key, stream);
    pyro_put_be16(key + 4, (uint16_t) ptype);
    pyro_put_be32(key + 6, slot);

    return PYRO_ROLLUP_KEY;
}


size_t
pyro_key_total(uint8_t *key, uint32_t stream, uint32_t ptype,
    pyro_level_e level, uint32_t slot)
{
    pyro_put_be32(key, stream);
    pyro_put_be16(key + 4, (uint16_t) ptype);
    key[6] = (uint8_t) level;
    pyro_put_be32(key + 7, slot);

    return PYRO_TOTAL_KEY;
}


size_t
pyro_key_late(uint8_t *key, uint32_t stream, uint32_t slot)
{
    pyro_put_be32(key, stream);
    pyro_put_be32(key + 4, slot);

    return PYRO_LATE_KEY;
}
