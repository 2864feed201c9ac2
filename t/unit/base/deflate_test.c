/*
 * Raw deflate of columns: what went in comes out, whatever its size and bytes,
 * and nothing else does.
 */

#include "unit.h"

#include "core/base/deflate.h"
#include "core/base/hash.h"


#define COLUMNS  24
#define ROUNDS   400


typedef struct {
    pyro_arena_t     *arena;
    pyro_deflater_t  *deflater;
    uint64_t          seed;
} deflate_t;


static uint64_t
deflate_random(deflate_t *d, uint64_t n)
{
    d->seed = d->seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return pyro_hash_mix(d->seed, 0) % n;
}


static void
deflate_begin(deflate_t *d, uint64_t seed)
{
    d->seed = seed;
    d->arena = pyro_arena_create(0);
    d->deflater = pyro_deflater_create();

    assert_non_null(d->arena);
    assert_non_null(d->deflater);
}


static void
deflate_end(deflate_t *d)
{
    pyro_deflater_destroy(d->deflater);
    pyro_arena_destroy(d->arena);
}


/* Bytes of one kind: all the same, small numbers, or noise. */
static pyro_slice_t
deflate_column(deflate_t *d, size_t len)
{
    char      *p;
    size_t     i;
    uint64_t   kind;

    p = pyro_arena_alloc(d->arena, len);
    assert_non_null(p);
    kind = deflate_random(d, 3);

    for (i = 0; i < len; i++) {
        p[i] = (char) (kind == 0 ? 0
                       : kind == 1 ? deflate_random(d, 4)
                       : deflate_random(d, 256));
    }

    return pyro_slice(p, len);
}


/* Deflates and inflates; the columns end to end are the bytes. */
static void
deflate_check(deflate_t *d, const pyro_slice_t *columns, uint32_t n,
    pyro_slice_t *out)
{
    char      *all, *p;
    size_t     size;
    uint32_t   i;

    for (i = 0, size = 0; i < n; i++) {
        size += columns[i].len;
    }

    assert_int_equal(pyro_deflate(d->deflater, d->arena, columns, n, out), 0);

    /* as much as is announced, not a byte less or more: under sanitizers a
     * write behind it is seen */

    all = malloc(size ? size : 1);
    assert_non_null(all);
    assert_int_equal(pyro_inflate(*out, all, size), 0);

    for (i = 0, p = all; i < n; p += columns[i++].len) {
        assert_true(pyro_slice_eq(pyro_slice(p, columns[i].len), columns[i]));
    }

    free(all);
}


static void
what_goes_in_comes_out(void **state)
{
    int            round;
    size_t         len;
    uint32_t       i, n;
    deflate_t      d;
    pyro_slice_t   out, columns[COLUMNS];

    (void) state;

    deflate_begin(&d, 1);

    for (round = 0; round < ROUNDS; round++) {
        n = (uint32_t) deflate_random(&d, COLUMNS + 1);

        for (i = 0; i < n; i++) {
            len = deflate_random(&d, 4) == 0 ? 0
                  : deflate_random(&d, deflate_random(&d, 30) ? 500 : 150000);
            columns[i] = deflate_column(&d, len);
        }

        deflate_check(&d, columns, n, &out);

        if (round % 20 == 0) {
            pyro_arena_destroy(d.arena);
            d.arena = pyro_arena_create(0);
        }
    }

    deflate_end(&d);
}


/* Columns without bytes, at the ends and in a row; and no column at all. */
static void
empty_columns(void **state)
{
    uint32_t       i;
    deflate_t      d;
    pyro_slice_t   out, columns[COLUMNS];

    (void) state;

    deflate_begin(&d, 2);

    for (i = 0; i < COLUMNS; i++) {
        columns[i] = pyro_slice(NULL, 0);
    }

    deflate_check(&d, columns, 0, &out);
    deflate_check(&d, columns, 1, &out);
    deflate_check(&d, columns, COLUMNS, &out);

    columns[COLUMNS / 2] = PYRO_SLICE("middle");
    deflate_check(&d, columns, COLUMNS, &out);

    columns[0] = PYRO_SLICE("first");
    columns[COLUMNS - 1] = PYRO_SLICE("last");
    deflate_check(&d, columns, COLUMNS, &out);

    deflate_end(&d);
}


/* Noise has no code that makes it shorter: it must fit all the same. */
static void
noise_fits(void **state)
{
    char          *p;
    size_t         i, len;
    deflate_t      d;
    pyro_slice_t   out, columns[2];

    (void) state;

    deflate_begin(&d, 3);

    for (len = 1; len < 3000000; len = len * 3 + 1) {
        p = malloc(len);
        assert_non_null(p);

        for (i = 0; i < len; i++) {
            p[i] = (char) deflate_random(&d, 256);
        }

        columns[0] = pyro_slice(p, len / 2);
        columns[1] = pyro_slice(p + len / 2, len - len / 2);
        deflate_check(&d, columns, 2, &out);
        free(p);
    }

    deflate_end(&d);
}


/* A deflater forgets: the same columns give the same bytes each time. */
static void
one_deflater_many_times(void **state)
{
    deflate_t      d;
    pyro_slice_t   first, out, columns[3];

    (void) state;

    deflate_begin(&d, 4);

    columns[0] = deflate_column(&d, 5000);
    columns[1] = deflate_column(&d, 0);
    columns[2] = deflate_column(&d, 300);

    deflate_check(&d, columns, 3, &first);
    deflate_check(&d, columns, 1, &out);
    deflate_check(&d, columns, 3, &out);
    assert_true(pyro_slice_eq(first, out));

    pyro_deflater_destroy(d.deflater);
    d.deflater = pyro_deflater_create();
    deflate_check(&d, columns, 3, &out);
    assert_true(pyro_slice_eq(first, out));

    pyro_deflater_destroy(NULL);
    deflate_end(&d);
}


static void
other_sizes_are_refused(void **state)
{
    char          *room;
    size_t         size, len;
    deflate_t      d;
    pyro_slice_t   out, columns[3];

    (void) state;

    deflate_begin(&d, 5);

    columns[0] = deflate_column(&d, 700);
    columns[1] = PYRO_SLICE("and some text behind it, some text");
    columns[2] = deflate_column(&d, 90);
    deflate_check(&d, columns, 3, &out);
    size = columns[0].len + columns[1].len + columns[2].len;

    for (len = 0; len < 2 * size; len++) {
        room = malloc(len ? len : 1);
        assert_non_null(room);
        assert_int_equal(pyro_inflate(out, room, len), len == size ? 0 : -1);
        free(room);
    }

    deflate_end(&d);
}


static void
cut_off_is_refused(void **state)
{
    char          *in, room[2048];
    size_t         size, len;
    deflate_t      d;
    pyro_slice_t   out, columns[2];

    (void) state;

    deflate_begin(&d, 6);

    columns[0] = deflate_column(&d, 900);
    columns[1] = deflate_column(&d, 900);
    deflate_check(&d, columns, 2, &out);
    size = columns[0].len + columns[1].len;

    for (len = 0; len < out.len; len++) {
        in = malloc(len ? len : 1);
        assert_non_null(in);
        memcpy(in, out.data, len);
        assert_int_equal(pyro_inflate(pyro_slice(in, len), room, size), -1);
        free(in);
    }

    deflate_end(&d);
}


/* Not found out by inflating alone, but never more than the room is written. */
static void
any_bytes_do_no_harm(void **state)
{
    char          *in, *room;
    size_t         size, i;
    deflate_t      d;
    pyro_slice_t   out, columns[1];

    (void) state;

    deflate_begin(&d, 7);

    columns[0] = deflate_column(&d, 400);
    deflate_check(&d, columns, 1, &out);
    size = columns[0].len;
    in = malloc(out.len);
    room = malloc(size);
    assert_true(in != NULL && room != NULL);

    for (i = 0; i < 8 * out.len; i++) {
        memcpy(in, out.data, out.len);
        in[i / 8] ^= (char) (1 << i % 8);
        (void) pyro_inflate(pyro_slice(in, out.len), room, size);
    }

    for (i = 0; i < 2000; i++) {
        memset(in, (int) i, out.len);
        in[deflate_random(&d, out.len)] = (char) deflate_random(&d, 256);
        in[0] = (char) deflate_random(&d, 256);
        (void) pyro_inflate(pyro_slice(in, deflate_random(&d, out.len)), room,
                            deflate_random(&d, size + 1));
    }

    free(in);
    free(room);
    deflate_end(&d);
}


/* The bound that readers take for what a piece can inflate to. */
static void
no_more_than_the_ratio(void **state)
{
    char          *p;
    size_t         len;
    deflate_t      d;
    pyro_slice_t   out, columns[1];

    (void) state;

    deflate_begin(&d, 8);

    for (len = 1; len < 20000000; len *= 7) {
        p = calloc(1, len);
        assert_non_null(p);
        columns[0] = pyro_slice(p, len);
        deflate_check(&d, columns, 1, &out);
        assert_true(len <= out.len * PYRO_DEFLATE_RATIO);
        free(p);
    }

    deflate_end(&d);
}


static void
without_memory(void **state)
{
    deflate_t      d;
    pyro_slice_t   out, columns[1];

    (void) state;

    deflate_begin(&d, 9);
    columns[0] = deflate_column(&d, 100000);
    pyro_arena_limit(d.arena, 1000);
    assert_int_equal(pyro_deflate(d.deflater, d.arena, columns, 1, &out), -1);
    deflate_end(&d);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(empty_columns),
        cmocka_unit_test(noise_fits),
        cmocka_unit_test(one_deflater_many_times),
        cmocka_unit_test(other_sizes_are_refused),
        cmocka_unit_test(cut_off_is_refused),
        cmocka_unit_test(any_bytes_do_no_harm),
        cmocka_unit_test(no_more_than_the_ratio),
        cmocka_unit_test(without_memory),
    };

    return unit_run(tests);
}
