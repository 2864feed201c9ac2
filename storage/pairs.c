#include "storage/pairs.h"


int
pyro_pairs_reserve(pyro_arena_t *arena, pyro_pairs_t *room, size_t n)
{
    return pyro_arena_grow(arena, &room->items, &room->cap, n,
                           sizeof(pyro_pair_t))
           || pyro_arena_grow(arena, &room->spare, &room->cap_spare, n,
                              sizeof(pyro_pair_t))
           ? -1 : 0;
}


/* By key, byte by byte, only those bytes in which keys differ. */
void
pyro_pairs_sort(pyro_pairs_t *room, uint32_t n)
{
    uint32_t      i, sum, count, offsets[256];
    uint32_t      cap;
    uint64_t      differ;
    unsigned int  shift;
    pyro_pair_t  *from, *to;

    for (i = 1, differ = 0; i < n; i++) {
        differ |= room->items[i].key ^ room->items[0].key;
    }

    for (shift = 0; shift < 64; shift += 8) {

        if (((differ >> shift) & 0xff) == 0) {
            continue;
        }

        from = room->items;
        to = room->spare;

        memset(offsets, 0, sizeof(offsets));

        for (i = 0; i < n; i++) {
            offsets[(from[i].key >> shift) & 0xff]++;
        }

        for (i = 0, sum = 0; i < 256; i++) {
            count = offsets[i];
            offsets[i] = sum;
            sum += count;
        }

        for (i = 0; i < n; i++) {
            to[offsets[(from[i].key >> shift) & 0xff]++] = from[i];
        }

        cap = room->cap;
        room->items = to;
        room->cap = room->cap_spare;
        room->spare = from;
        room->cap_spare = cap;
    }
}


uint32_t
pyro_pairs_join(pyro_pair_t *items, uint32_t n)
{
    uint32_t  i, last;

    if (n == 0) {
        return 0;
    }

    for (i = 1, last = 0; i < n; i++) {

        if (items[i].key != items[last].key) {
            items[++last] = items[i];
            continue;
        }

        items[last].value += items[i].value;

        if (items[last].value > INT64_MAX) {
            items[last].value = INT64_MAX;
        }
    }

    return last + 1;
}


uint64_t
pyro_pairs_gcd(uint64_t a, uint64_t b)
{
    uint64_t  rest;

    while (b) {
        rest = a % b;
        a = b;
        b = rest;
    }

    return a;
}


uint8_t *
pyro_pairs_put(uint8_t *p, const pyro_pair_t *items, uint32_t n,
    uint64_t scale)
{
    uint32_t  i, node, last;

    for (i = 0, last = 0; i < n; i++) {
        node = (uint32_t) items[i].key;

        p = pyro_put_varint(p, node - last);
        p = pyro_put_varint(p, items[i].value / scale);

        last = node;
    }

    return p;
}


int
pyro_pairs_add(pyro_bytes_t *in, uint32_t count, uint64_t scale,
    uint64_t *acc, uint32_t n)
{
    uint64_t  node, delta, value, most;

    most = INT64_MAX / scale;
    node = 0;

    while (count--) {

        if (pyro_take(in, &delta) || pyro_take(in, &value)) {
            return -1;
        }

        if (delta >= n - node || value > most) {
            return -1;
        }

        node += delta;
        value = acc[node] + value * scale;
        acc[node] = value > INT64_MAX ? INT64_MAX : value;
    }

    return 0;
}


int
pyro_pairs_sum(pyro_bytes_t *in, uint32_t count, uint64_t scale, uint64_t *sum)
{
    uint64_t  node, value, most;

    most = INT64_MAX / scale;

    while (count--) {

        if (pyro_take(in, &node) || pyro_take(in, &value) || value > most) {
            return -1;
        }

        value = *sum + value * scale;
        *sum = value > INT64_MAX ? INT64_MAX : value;
    }

    return 0;
}


int
pyro_pairs_skip(pyro_bytes_t *in, uint32_t count)
{
    uint64_t  skipped;

    while (count--) {
        if (pyro_take(in, &skipped) || pyro_take(in, &skipped)) {
            return -1;
        }
    }

    return 0;
}


int
pyro_pairs_take(pyro_bytes_t *in, uint32_t count, uint64_t scale,
    pyro_pair_t *items)
{
    uint64_t  node, delta, value, most;

    most = INT64_MAX / scale;
    node = 0;

    while (count--) {

        if (pyro_take(in, &delta) || pyro_take(in, &value)) {
            return -1;
        }

        if (delta > UINT32_MAX - node || value > most) {
            return -1;
        }

        node += delta;
        items->key = node;
        items->value = value * scale;
        items++;
    }

    return 0;
}
