#include "craft.h"

#include "jfr/jfr_reader.h"


static pyro_jfr_reader_t
reader(const void *bytes, size_t n)
{
    pyro_jfr_reader_t  r = { bytes, (const uint8_t *) bytes + n,
                             PYRO_JFR_SOUND, 0 };

    return r;
}


static void
varints(void **state)
{
    size_t             i, room;
    uint8_t            bytes[24];
    pyro_jfr_reader_t  r;

    static const struct {
        const char  *bytes;
        size_t       n;
        uint64_t     value;
    } cases[] = {
        { "\x00", 1, 0 },
        { "\x7f", 1, 127 },
        { "\x80\x01", 2, 128 },
        { "\xff\x7f", 2, 16383 },
        { "\x80\x80\x01", 3, 16384 },
        { "\xad\x9f\x80\x80\x80\x80\x80\x00", 8, 0x0fad },
        { "\xff\xff\xff\xff\x0f", 5, 0xffffffff },
        { "\xff\xff\xff\xff\xff\xff\xff\x7f", 8, (1ULL << 56) - 1 },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, UINT64_MAX },
        { "\x80\x80\x80\x80\x80\x80\x80\x80\x80", 9, 1ULL << 63 },
        { "\x81\x80\x80\x80\x80\x80\x80\x80\x00", 9, 1 },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        /* with nothing behind it, and with much */

        for (room = 0; room <= 12; room += 12) {
            memset(bytes, 0xff, sizeof(bytes));
            memcpy(bytes, cases[i].bytes, cases[i].n);

            r = reader(bytes, cases[i].n + room);
            assert_true(pyro_jfr_varint(&r) == cases[i].value);
            assert_int_equal(r.pos - bytes, cases[i].n);
            assert_int_equal(r.bad, PYRO_JFR_SOUND);

            r = reader(bytes, cases[i].n + room);
            pyro_jfr_skip_varints(&r, 1);
            assert_int_equal(r.pos - bytes, cases[i].n);
        }

        if (cases[i].n < 9) {
            r = reader(cases[i].bytes, cases[i].n - 1);
            assert_int_equal(pyro_jfr_varint(&r), 0);
            assert_int_equal(r.bad, PYRO_JFR_MALFORMED);
        }
    }

    r = reader("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    assert_int_equal(pyro_jfr_int(&r), -1);
    r = reader("\xff\xff\xff\xff\x0f", 5);
    assert_int_equal(pyro_jfr_int(&r), -1);
}


static void
skipping_varints(void **state)
{
    size_t             i, n;
    craft_t           *c;
    pyro_jfr_reader_t  one, many;

    (void) state;

    c = calloc(1, sizeof(craft_t));

    for (i = 0; i < 2000; i++) {
        craft_varint(c, i % 3 ? i * i * i : UINT64_MAX >> (i % 64));
    }

    for (n = 0; n <= 2000; n += 7) {
        one = reader(c->data, c->n);
        many = one;

        for (i = 0; i < n; i++) {
            pyro_jfr_varint(&one);
        }

        pyro_jfr_skip_varints(&many, n);
        assert_ptr_equal(one.pos, many.pos);
        assert_int_equal(many.bad, PYRO_JFR_SOUND);
    }

    many = reader(c->data, c->n);
    pyro_jfr_skip_varints(&many, 2001);
    assert_int_equal(many.bad, PYRO_JFR_MALFORMED);

    free(c);
}


static void
fixed_width(void **state)
{
    uint8_t            bytes[] = { 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 1, 2 };
    pyro_jfr_reader_t  r;

    (void) state;

    r = reader(bytes, sizeof(bytes));
    r.fixed = 1;
    assert_int_equal(pyro_jfr_int(&r), -2);
    assert_int_equal(pyro_jfr_count(&r), 1);
    assert_true(pyro_jfr_long(&r) == 0 && r.bad == PYRO_JFR_MALFORMED);

    r = reader(bytes, sizeof(bytes));
    r.fixed = 1;
    assert_true(pyro_jfr_long(&r) == 0xfffffffe00000001ULL);
    assert_int_equal(pyro_jfr_byte(&r), 2);
}


static void
strings(void **state)
{
    size_t              i;
    uint64_t            key;
    pyro_slice_t        text;
    pyro_arena_t       *arena;
    pyro_jfr_reader_t   r, skip;
    pyro_jfr_string_e   kind;

    static const struct {
        const char         *bytes;
        size_t              n;
        pyro_jfr_string_e   kind;
        const char         *text;
    } cases[] = {
        { "\x00", 1, PYRO_JFR_NULL, "" },
        { "\x01", 1, PYRO_JFR_TEXT, "" },
        { "\x02\x85\x01", 3, PYRO_JFR_KEY, "" },
        { "\x03\x02h\xc3", 4, PYRO_JFR_TEXT, "h\xc3" },
        { "\x04\x03run", 5, PYRO_JFR_TEXT, "run" },
        { "\x04\x02\xe9\x01x", 5, PYRO_JFR_TEXT, "\xc3\xa9x" },
        { "\x04\x01\xac\xc1\x00", 5, PYRO_JFR_TEXT, "\xe2\x82\xac" },
        { "\x04\x02\xbd\xb0\x03\x80\xb8\x03", 8, PYRO_JFR_TEXT,
          "\xf0\x9f\x90\x80" },
        { "\x04\x02\xbd\xb0\x03x", 6, PYRO_JFR_TEXT, "\xef\xbf\xbdx" },
        { "\x04\x01\x80\xbc\x03", 5, PYRO_JFR_TEXT, "\xef\xbf\xbd" },
        { "\x05\x02\xe9x", 4, PYRO_JFR_TEXT, "\xc3\xa9x" },
        { "\x05\x02ok", 4, PYRO_JFR_TEXT, "ok" },
    };

    static const struct {
        const char         *bytes;
        size_t              n;
    } bad[] = {
        { "", 0 }, { "\x06", 1 }, { "\xff", 1 }, { "\x02", 1 },
        { "\x03\x02x", 3 }, { "\x04\x02x", 3 }, { "\x05\x02x", 3 },
        { "\x04\x02\x80\x80", 4 },
        { "\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10 },
    };

    (void) state;

    arena = pyro_arena_create(0);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        r = reader(cases[i].bytes, cases[i].n);
        skip = r;
        kind = pyro_jfr_string(&r, arena, &text, &key);

        assert_int_equal(kind, cases[i].kind);
        assert_true(pyro_slice_is(text, cases[i].text));
        assert_int_equal(r.bad, PYRO_JFR_SOUND);
        assert_ptr_equal(r.pos, r.end);
        assert_int_equal(key, kind == PYRO_JFR_KEY ? 133 : 0);

        pyro_jfr_skip_string(&skip);
        assert_ptr_equal(skip.pos, r.end);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        r = reader(bad[i].bytes, bad[i].n);
        pyro_jfr_string(&r, arena, &text, &key);
        assert_int_equal(r.bad, PYRO_JFR_MALFORMED);

        r = reader(bad[i].bytes, bad[i].n);
        pyro_jfr_skip_string(&r);
        assert_int_equal(r.bad, PYRO_JFR_MALFORMED);
    }

    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(varints),
        cmocka_unit_test(skipping_varints),
        cmocka_unit_test(fixed_width),
        cmocka_unit_test(strings),
    };

    return unit_run(tests);
}
