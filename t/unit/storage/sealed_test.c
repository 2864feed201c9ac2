/*
 * The codec of sealed slots and hours: what comes out is what went in, byte for
 * byte, or nothing; and damage is found, whatever it is.
 */

#include "sealed_fixture.h"


#define ROUNDS  300

/* memory a byte read may account for: a pair and its varints, and places */
#define FACTOR  200
#define ROOM    (1024 * 1024)


/* Decodes a copy without a byte to spare, which is gone when it is compared. */
static pyro_status_e
sealed_decode(sealed_t *s, pyro_slice_t in, pyro_arena_t *arena,
    pyro_sealed_room_t *room)
{
    char           *copy;
    pyro_status_e   status;

    copy = malloc(in.len ? in.len : 1);
    assert_non_null(copy);

    if (in.len) {
        memcpy(copy, in.data, in.len);
    }

    status = pyro_sealed_slot_decode(pyro_slice(copy, in.len), s->slot,
                                     s->sums, s->n_sums, arena, room);
    free(copy);

    return status;
}


static void
a_slot_gives_back_its_pushes(void **state)
{
    int                  round;
    sealed_t             s;
    uint32_t             n, columns;
    pyro_slice_t         in;
    pyro_arena_t        *arena;
    pyro_sealed_room_t   room;

    static const uint32_t  counts[] = { 1, 1, 2, 3, 30, 60, 150 };

    (void) state;

    /* one room for all, as a walk over a stream has it */

    sealed_begin(&s, 1);
    arena = pyro_arena_create(0);
    memset(&room, 0, sizeof(room));
    columns = 0;

    for (round = 0; round < ROUNDS; round++) {
        sealed_shape(&s);
        n = counts[sealed_random(&s, 7)];
        sealed_fill(&s, s.pairs > 20 && n > 30 ? 30 : n);

        in = sealed_encode(&s);
        columns += in.data[0] == PYRO_SEALED_COLUMNS;
        assert_int_equal(sealed_decode(&s, in, arena, &room), PYRO_OK);
        sealed_is(&s, room.pushes, room.n);
        sealed_again(&s);
    }

    /* the other form is for what no server writes */

    assert_int_equal(columns, ROUNDS);

    pyro_arena_destroy(arena);
    pyro_arena_destroy(s.arena);
}


static void
thousands_of_pushes(void **state)
{
    int                  i;
    sealed_t             s;
    pyro_slice_t         in;
    pyro_arena_t        *arena;
    pyro_sealed_room_t   room;

    (void) state;

    /* all of one moment and type, then of any */

    for (i = 0; i < 2; i++) {
        sealed_begin(&s, 10 + i);
        s.types = 1 + 2 * i;
        s.pairs = 5;
        s.moments = i ? 0 : 1;
        s.spans = i;
        arena = pyro_arena_create(0);
        memset(&room, 0, sizeof(room));

        sealed_fill(&s, 6000);
        in = sealed_encode(&s);
        assert_int_equal(in.data[0], PYRO_SEALED_COLUMNS);
        assert_int_equal(sealed_decode(&s, in, arena, &room), PYRO_OK);
        sealed_is(&s, room.pushes, room.n);

        pyro_arena_destroy(arena);
        pyro_arena_destroy(s.arena);
    }
}


/* The first moments of time have a slot of their own. */
static void
the_first_and_the_last_slot(void **state)
{
    uint32_t             i, k;
    sealed_t             s;
    pyro_arena_t        *arena;
    pyro_sealed_room_t   room;

    static const uint32_t  slots[] = { 0, 1, 2, 12, 13, 30744573 };

    (void) state;

    sealed_begin(&s, 20);
    arena = pyro_arena_create(0);
    memset(&room, 0, sizeof(room));

    for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        s.slot = slots[i];
        s.types = 1;
        s.pairs = 3;
        s.moments = s.slot ? 30 : 1;
        sealed_fill(&s, 10);

        /* as early and as late as it has them */

        s.pushes[0].key.time = pyro_slot_start(s.slot);

        for (k = s.slot ? 8 : 10; k < 10; k++) {
            s.pushes[k].key.time = pyro_slot_end(s.slot) - 10 + k;
        }

        sealed_order(&s);
        assert_int_equal(sealed_decode(&s, sealed_encode(&s), arena, &room),
                         PYRO_OK);
        sealed_is(&s, room.pushes, room.n);
        sealed_again(&s);
    }

    pyro_arena_destroy(arena);
    pyro_arena_destroy(s.arena);
}


/* ---- records that columns cannot give back ---- */

/* The first push's record again, with other bytes. */
static pyro_slice_t
sealed_other(sealed_t *s, int how)
{
    uint8_t             *p, *start, *bytes;
    uint64_t             scale, total;
    pyro_bytes_t         in;
    pyro_slice_t         body;
    pyro_record_t        record;
    pyro_record_part_t   parts[2];
    pyro_record_section_t  section;

    assert_int_equal(pyro_record_open(s->pushes[0].record, &record), 0);
    assert_int_equal(pyro_record_next(&record, &section), 1);

    bytes = pyro_arena_alloc(s->arena, 4096);
    start = pyro_arena_alloc(s->arena, 8192);
    assert_true(bytes != NULL && start != NULL);

    in = section.pairs;
    scale = how == 1 ? 1 : section.scale;
    total = section.total + (how == 2 ? scale : 0);

    p = pyro_put_varint(bytes, scale);
    p = pyro_put_varint(p, total / scale);
    p = pyro_put_varint(p, section.n);

    if (how == 1) {
        pyro_pair_t  pairs[64];

        assert_int_equal(pyro_pairs_take(&in, section.n, section.scale,
                                         pairs), 0);
        p = pyro_pairs_put(p, pairs, section.n, scale);

    } else {
        memcpy(p, in.p, (size_t) (in.end - in.p));
        p += in.end - in.p;
    }

    /* bytes behind the pairs, which readers skip */

    if (how == 3) {
        *p++ = 0;
    }

    body = pyro_slice(bytes, (size_t) (p - bytes));
    parts[0].ptype = section.ptype;
    parts[0].body = body;
    parts[1] = parts[0];
    parts[1].ptype = section.ptype;
    p = pyro_record_put(start, record.digest, record.duration, 0, parts,
                        how == 4 ? 2 : 1);

    if (how == 5) {
        *p++ = 1;
    }

    return pyro_record_close(start, p);
}


static void
other_records_stay_as_they_are(void **state)
{
    int                  how;
    sealed_t             s;
    pyro_slice_t         in;
    pyro_arena_t        *arena;
    pyro_sealed_room_t   room;

    (void) state;

    for (how = 1; how <= 5; how++) {
        sealed_begin(&s, 30);
        s.types = 1;
        s.pairs = 20;
        s.moments = 3;
        arena = pyro_arena_create(0);
        memset(&room, 0, sizeof(room));

        sealed_fill(&s, 12);
        s.pushes[0].record = sealed_other(&s, how);
        sealed_sum_up(&s);
        in = sealed_encode(&s);

        /* a scale that is not the greatest is taken as it is */

        assert_int_equal(in.data[0], how == 1 ? PYRO_SEALED_COLUMNS
                                              : PYRO_SEALED_RECORDS);
        assert_int_equal(sealed_decode(&s, in, arena, &room), PYRO_OK);
        sealed_is(&s, room.pushes, room.n);

        pyro_arena_destroy(arena);
        pyro_arena_destroy(s.arena);
    }
}


/* Sums of other pushes, or none, are no reason to lose any. */
static void
wrong_sums_lose_nothing(void **state)
{
    int                  how;
    sealed_t             s, other;
    pyro_slice_t         in;
    pyro_arena_t        *arena;
    pyro_sealed_room_t   room;

    (void) state;

    for (how = 0; how < 3; how++) {
        sealed_begin(&s, 40);
        sealed_begin(&other, 41);
        s.types = 3;
        s.pairs = 20;
        other.types = 3;
        other.pairs = 20;
        arena = pyro_arena_create(0);
        memset(&room, 0, sizeof(room));

        sealed_fill(&s, 12);
        sealed_fill(&other, 12);

        switch (how) {
        case 0:
            s.n_sums = 0;
            break;
        case 1:
            s.n_sums--;
            break;
        default:
            s.sums = other.sums;
            s.n_sums = other.n_sums;
        }

        in = sealed_encode(&s);
        assert_int_equal(in.data[0], PYRO_SEALED_RECORDS);
        assert_int_equal(sealed_decode(&s, in, arena, &room), PYRO_OK);
        sealed_is(&s, room.pushes, room.n);

        pyro_arena_destroy(arena);
        pyro_arena_destroy(s.arena);
        pyro_arena_destroy(other.arena);
    }
}


/* ---- damage of a slot, which has no checksum of its own ---- */

/* What is read is sound as a whole, whatever the bytes say. */
static void
sealed_is_sound(sealed_t *s, const pyro_sealed_room_t *room)
{
    uint32_t                   i;
    pyro_record_t              record;
    const pyro_sealed_push_t  *push;

    for (i = 0; i < room->n; i++) {
        push = &room->pushes[i];
        assert_int_equal(pyro_record_open(push->record, &record), 0);
        assert_int_equal(pyro_slot(push->key.time), s->slot);
        assert_true(i == 0 || sealed_push_cmp(push - 1, push) <= 0);
    }
}


/* Some changes are not found out here, other numbers being as good. */
static void
sealed_damage(sealed_t *s, pyro_slice_t in)
{
    size_t               i, most;
    uint8_t             *copy, old;
    pyro_arena_t        *arena;
    pyro_status_e        status;
    pyro_sealed_room_t   room;

    static const uint8_t  masks[] = { 0x01, 0x02, 0x40, 0x80, 0xff };

    copy = malloc(in.len);
    assert_non_null(copy);
    memcpy(copy, in.data, in.len);

    for (i = 0, most = in.len; i < s->n_sums; i++) {
        most += s->sums[i].record.len;
    }

    most = most * FACTOR + ROOM;

    for (i = 0; i < 5 * in.len; i++) {
        arena = pyro_arena_create(0);
        memset(&room, 0, sizeof(room));
        old = copy[i / 5];
        copy[i / 5] ^= masks[i % 5];

        status = sealed_decode(s, pyro_slice(copy, in.len), arena, &room);
        assert_true(status == PYRO_OK || status == PYRO_UNPROCESSABLE);
        sealed_is_sound(s, &room);
        assert_true(pyro_arena_used(arena) <= most);

        copy[i / 5] = old;
        pyro_arena_destroy(arena);
    }

    arena = pyro_arena_create(0);
    memset(&room, 0, sizeof(room));

    for (i = 0; i < in.len; i++) {
        assert_int_equal(sealed_decode(s, pyro_slice(copy, i), arena, &room),
                         PYRO_UNPROCESSABLE);
        assert_int_equal(room.n, 0);
    }

    pyro_arena_destroy(arena);
    free(copy);
}


static void
damaged_slots_are_sound_or_refused(void **state)
{
    int       i;
    sealed_t  s;

    (void) state;

    for (i = 0; i < 12; i++) {
        sealed_begin(&s, 50 + i);
        sealed_shape(&s);
        s.pairs = s.pairs > 6 ? 6 : s.pairs;
        sealed_fill(&s, 1 + i % 7);
        sealed_damage(&s, sealed_encode(&s));

        if (i == 3) {
            s.n_sums = 0;
            sealed_damage(&s, sealed_encode(&s));
        }

        pyro_arena_destroy(s.arena);
    }
}


/* A slot of many pushes and of many types, of which there is nothing. */
static void
memory_is_what_bytes_account_for(void **state)
{
    size_t               len;
    uint8_t             *in, *p;
    uint32_t             i, n, types;
    sealed_t             s;
    pyro_rollup_sum_t    sum;
    pyro_sealed_room_t   room;

    (void) state;

    sealed_begin(&s, 60);
    n = 4000;
    types = 4000;
    len = (size_t) n * (PYRO_SEALED_DIGEST + 3) + 16;
    in = calloc(1, len);
    assert_non_null(in);

    p = in;
    *p++ = PYRO_SEALED_COLUMNS;
    p = pyro_put_varint(p, n);
    p = pyro_put_varint(p, PYRO_NS_PER_MS);
    *p = 1;

    memset(&sum, 0, sizeof(sum));
    memset(&room, 0, sizeof(room));
    s.sums = pyro_arena_calloc(s.arena, types, sizeof(pyro_sealed_sum_t));

    for (i = 0; i < types; i++) {
        s.sums[i].ptype = i + 1;
        sum.pushes = 1;
        assert_int_equal(pyro_rollup_encode(&sum, s.arena, &s.sums[i].record),
                         0);
    }

    s.n_sums = types;
    i = (uint32_t) (pyro_arena_used(s.arena) / 1024);
    assert_int_equal(sealed_decode(&s, pyro_slice(in, len), s.arena, &room),
                     PYRO_UNPROCESSABLE);
    assert_true(pyro_arena_used(s.arena) / 1024 - i
                <= (len * FACTOR + ROOM) / 1024);

    free(in);
    pyro_arena_destroy(s.arena);
}


/* ---- hours ---- */

typedef struct {
    pyro_deflater_t  *deflater;
    sealed_t          slots[PYRO_SLOTS_HOUR];
    uint32_t          n;
    pyro_slice_t      value;
    pyro_arena_t     *arena;
} sealed_hour_t;


/* Some slots of the hour; pairs and pushes at most. */
static void
sealed_hour_begin(sealed_hour_t *h, uint64_t seed, uint32_t pushes,
    uint32_t pairs)
{
    uint32_t                i;
    sealed_t               *s;
    pyro_sealed_builder_t   builder;

    memset(h, 0, sizeof(sealed_hour_t));
    h->arena = pyro_arena_create(0);
    h->deflater = pyro_deflater_create();
    assert_true(h->arena != NULL && h->deflater != NULL);

    pyro_sealed_builder_begin(&builder, h->arena, h->deflater, SEALED_HOUR);

    for (i = 0; i < PYRO_SLOTS_HOUR; i++) {
        s = &h->slots[h->n];
        sealed_begin(s, seed + i);
        sealed_shape(s);
        s->pairs = s->pairs > pairs ? pairs : s->pairs;
        s->slot = pyro_slot_first(PYRO_LEVEL_1H, SEALED_HOUR) + i;

        if (sealed_random(s, 3) && h->n + 12 > i) {
            sealed_fill(s, 1 + (uint32_t) sealed_random(s, pushes));
            assert_int_equal(pyro_sealed_builder_add(&builder, s->slot,
                                                     s->pushes, s->n, s->sums,
                                                     s->n_sums), 0);
            h->n++;

        } else {
            pyro_arena_destroy(s->arena);
        }
    }

    assert_int_equal(pyro_sealed_builder_end(&builder, &h->value), 0);
}


static void
sealed_hour_end(sealed_hour_t *h)
{
    while (h->n) {
        pyro_arena_destroy(h->slots[--h->n].arena);
    }

    pyro_deflater_destroy(h->deflater);
    pyro_arena_destroy(h->arena);
}


static void
sealed_sums_are(const sealed_t *s, const pyro_sealed_hour_room_t *room)
{
    uint32_t  i;

    assert_int_equal(room->n, s->n_sums);

    for (i = 0; i < room->n; i++) {
        assert_int_equal(room->list[i].ptype, s->sums[i].ptype);
        assert_true(pyro_slice_eq(room->list[i].record, s->sums[i].record));
    }
}


/* Reads all of it; returns how many parts were refused.  What is read is what
 * was written. */
static uint32_t
sealed_hour_read(sealed_hour_t *h, pyro_slice_t value, pyro_arena_t *arena)
{
    uint32_t                 i, bad;
    pyro_status_e            status;
    pyro_sealed_hour_t       hour;
    pyro_sealed_hour_room_t  room, sums;

    memset(&room, 0, sizeof(room));
    memset(&sums, 0, sizeof(sums));

    if (pyro_sealed_hour_open(value, SEALED_HOUR, &hour)) {
        return 1;
    }

    assert_int_equal(hour.n, h->n);

    for (i = 0, bad = 0; i < hour.n; i++) {
        assert_int_equal(hour.slots[i].slot, h->slots[i].slot);
        assert_int_equal(hour.slots[i].pushes, h->slots[i].n);

        status = pyro_sealed_hour_sums(&hour.slots[i], arena, &sums);

        if (status == PYRO_OK) {
            sealed_sums_are(&h->slots[i], &sums);
        }

        bad += status != PYRO_OK;
        assert_true(status == PYRO_OK || status == PYRO_UNPROCESSABLE);

        status = pyro_sealed_hour_pushes(&hour.slots[i], arena, &room);

        if (status == PYRO_OK) {
            sealed_sums_are(&h->slots[i], &room);
            sealed_is(&h->slots[i], room.slot.pushes, room.slot.n);
        }

        bad += status != PYRO_OK;
        assert_true(status == PYRO_OK || status == PYRO_UNPROCESSABLE);
    }

    return bad;
}


static void
an_hour_gives_back_its_slots(void **state)
{
    int             i;
    sealed_hour_t   h;
    pyro_arena_t   *arena;

    (void) state;

    for (i = 0; i < 30; i++) {
        sealed_hour_begin(&h, 1000 + 100 * i, 40, i % 3 ? 12 : 100);
        arena = pyro_arena_create(0);
        assert_int_equal(sealed_hour_read(&h, h.value, arena), 0);
        pyro_arena_destroy(arena);
        sealed_hour_end(&h);
    }
}


static void
an_hour_without_slots(void **state)
{
    sealed_hour_t           h;
    pyro_sealed_builder_t   builder;

    (void) state;

    sealed_hour_begin(&h, 1, 1, 1);

    while (h.n) {
        pyro_arena_destroy(h.slots[--h.n].arena);
    }

    pyro_sealed_builder_begin(&builder, h.arena, h.deflater, SEALED_HOUR);
    assert_int_equal(pyro_sealed_builder_end(&builder, &h.value), 0);
    assert_int_equal(sealed_hour_read(&h, h.value, h.arena), 0);
    sealed_hour_end(&h);
}


/* Every bit is under some checksum. */
static void
any_bit_of_an_hour_is_missed(void **state)
{
    int              round;
    char            *copy;
    size_t           i;
    sealed_hour_t    h;
    pyro_arena_t    *arena;

    (void) state;

    for (round = 0; round < 3; round++) {
        sealed_hour_begin(&h, 7000 + 100 * round, 3, 3);
        copy = malloc(h.value.len);
        assert_non_null(copy);
        memcpy(copy, h.value.data, h.value.len);

        for (i = 0; i < 8 * h.value.len; i++) {

            /* all bits of one of three bytes */

            if (i / 8 % 3 != (size_t) round && h.value.len > 500) {
                continue;
            }

            arena = pyro_arena_create(0);
            copy[i / 8] ^= (char) (1 << i % 8);
            assert_true(sealed_hour_read(&h, pyro_slice(copy, h.value.len),
                                         arena) > 0);
            copy[i / 8] ^= (char) (1 << i % 8);
            pyro_arena_destroy(arena);
        }

        assert_int_equal(memcmp(copy, h.value.data, h.value.len), 0);
        free(copy);
        sealed_hour_end(&h);
    }
}


static void
an_hour_has_one_length(void **state)
{
    char           *copy;
    size_t          len;
    sealed_hour_t   h;

    (void) state;

    sealed_hour_begin(&h, 8000, 3, 3);

    for (len = 0; len < h.value.len + 3; len++) {
        copy = calloc(1, len ? len : 1);
        assert_non_null(copy);
        memcpy(copy, h.value.data, len < h.value.len ? len : h.value.len);
        assert_int_equal(sealed_hour_read(&h, pyro_slice(copy, len), h.arena)
                         > 0, len != h.value.len);
        free(copy);
    }

    sealed_hour_end(&h);
}


static void
without_memory(void **state)
{
    size_t                   more;
    sealed_hour_t            h;
    pyro_arena_t            *arena;
    pyro_status_e            status;
    pyro_sealed_hour_t       hour;
    pyro_sealed_hour_room_t  room;

    (void) state;

    sealed_hour_begin(&h, 9000, 40, 50);
    assert_int_equal(pyro_sealed_hour_open(h.value, SEALED_HOUR, &hour), 0);

    for (more = 1000, status = PYRO_UNAVAILABLE; status != PYRO_OK;
         more += more / 8)
    {
        arena = pyro_arena_create(more);
        memset(&room, 0, sizeof(room));
        status = pyro_sealed_hour_pushes(&hour.slots[0], arena, &room);
        assert_true(status == PYRO_OK || status == PYRO_UNAVAILABLE);
        pyro_arena_destroy(arena);
    }

    sealed_hour_end(&h);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_slot_gives_back_its_pushes),
        cmocka_unit_test(thousands_of_pushes),
        cmocka_unit_test(the_first_and_the_last_slot),
        cmocka_unit_test(other_records_stay_as_they_are),
        cmocka_unit_test(wrong_sums_lose_nothing),
        cmocka_unit_test(damaged_slots_are_sound_or_refused),
        cmocka_unit_test(memory_is_what_bytes_account_for),
        cmocka_unit_test(an_hour_gives_back_its_slots),
        cmocka_unit_test(an_hour_without_slots),
        cmocka_unit_test(any_bit_of_an_hour_is_missed),
        cmocka_unit_test(an_hour_has_one_length),
        cmocka_unit_test(without_memory),
    };

    return unit_run(tests);
}
