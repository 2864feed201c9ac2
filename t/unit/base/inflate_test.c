#include "unit.h"

#include <zlib.h>

#include "core/base/inflate.h"


#define LIMIT_NAME  "limits.max_profile_size_bytes"


/* A gzip member of data at buf, which has the room; returns its length. */
static size_t
member(char *buf, size_t room, const void *data, size_t len)
{
    z_stream  z;

    memset(&z, 0, sizeof(z_stream));
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);

    z.next_in = (Bytef *) data;
    z.avail_in = (uInt) len;
    z.next_out = (Bytef *) buf;
    z.avail_out = (uInt) room;

    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);

    return room - z.avail_out;
}


static void
expect(pyro_slice_t in, size_t limit, pyro_status_e status,
    pyro_reason_e reason, const char *words)
{
    pyro_slice_t   out;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    arena = pyro_arena_create(0);
    memset(&err, 0, sizeof(pyro_error_t));

    assert_int_equal(pyro_gunzip(arena, in, limit, LIMIT_NAME, &out, &err),
                     status);
    assert_int_equal(err.status, status);
    assert_int_equal(err.reason, reason);

    if (strstr(err.message, words) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", words, err.message);
    }

    pyro_arena_destroy(arena);
}


static void
gives(pyro_slice_t in, size_t limit, pyro_slice_t expected)
{
    pyro_slice_t   out;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    arena = pyro_arena_create(0);

    assert_int_equal(pyro_gunzip(arena, in, limit, LIMIT_NAME, &out, &err),
                     PYRO_OK);
    assert_true(pyro_slice_eq(out, expected));

    pyro_arena_destroy(arena);
}


static void
magic(void **state)
{
    (void) state;

    assert_true(pyro_is_gzip(PYRO_SLICE("\x1f\x8b")));
    assert_true(pyro_is_gzip(PYRO_SLICE("\x1f\x8b\x08")));
    assert_false(pyro_is_gzip(PYRO_SLICE("\x1f")));
    assert_false(pyro_is_gzip(PYRO_SLICE("FLR")));
    assert_false(pyro_is_gzip(PYRO_SLICE("")));
}


static void
limit_is_exact(void **state)
{
    char          in[4096], text[10000];
    size_t        i, len;
    pyro_slice_t  gz, out;

    (void) state;

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (char) (i % 251);
    }

    len = member(in, sizeof(in), text, sizeof(text));
    gz = pyro_slice(in, len);
    out = pyro_slice(text, sizeof(text));

    gives(gz, sizeof(text), out);
    gives(gz, sizeof(text) + 1, out);

    expect(gz, sizeof(text) - 1, PYRO_TOO_LARGE, PYRO_REASON_PROFILE_SIZE,
           "9999");
    expect(gz, sizeof(text) - 1, PYRO_TOO_LARGE, PYRO_REASON_PROFILE_SIZE,
           LIMIT_NAME);
    expect(gz, 0, PYRO_TOO_LARGE, PYRO_REASON_PROFILE_SIZE, "0 bytes");

    len = member(in, sizeof(in), "", 0);
    gives(pyro_slice(in, len), 0, PYRO_SLICE(""));
}


static void
members_follow_each_other(void **state)
{
    char    in[1024];
    size_t  len;

    (void) state;

    len = member(in, sizeof(in), "first,", 6);
    len += member(in + len, sizeof(in) - len, "", 0);
    len += member(in + len, sizeof(in) - len, "second and longer", 17);

    gives(pyro_slice(in, len), 100, PYRO_SLICE("first,second and longer"));
    gives(pyro_slice(in, len), 23, PYRO_SLICE("first,second and longer"));
    expect(pyro_slice(in, len), 22, PYRO_TOO_LARGE, PYRO_REASON_PROFILE_SIZE,
           "22 bytes");

    memset(in + len, 0, 20);
    gives(pyro_slice(in, len + 20), 100,
          PYRO_SLICE("first,second and longer"));

    in[len + 19] = 'x';
    expect(pyro_slice(in, len + 20), 100, PYRO_UNPROCESSABLE,
           PYRO_REASON_PROFILE, "not gzip");
    expect(pyro_slice(in, len + 20), 10, PYRO_TOO_LARGE,
           PYRO_REASON_PROFILE_SIZE, "10 bytes");

    in[len] = '\x1f';
    expect(pyro_slice(in, len + 1), 100, PYRO_UNPROCESSABLE,
           PYRO_REASON_PROFILE, "not gzip");

    in[len + 1] = '\x8b';
    expect(pyro_slice(in, len + 2), 100, PYRO_UNPROCESSABLE,
           PYRO_REASON_PROFILE, "truncated");
}


static void
every_truncation_is_told(void **state)
{
    char    in[1024];
    size_t  i, len;

    (void) state;

    len = member(in, sizeof(in), "some text, some text, some text", 31);

    for (i = 0; i < len; i++) {
        expect(pyro_slice(in, i), 1000, PYRO_UNPROCESSABLE,
               PYRO_REASON_PROFILE, "gzip: truncated at byte");
    }

    expect(pyro_slice(NULL, 0), 1000, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
           "at byte 0 of 0");
}


static void
damage_is_told(void **state)
{
    char           in[1024];
    size_t         len;
    pyro_slice_t   out;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    (void) state;

    len = member(in, sizeof(in), "some text, some text, some text", 31);

    in[len - 5] ^= 1;
    expect(pyro_slice(in, len), 1000, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
           "incorrect data check");
    in[len - 5] ^= 1;

    /* a length that is too large, too small, and one that nobody may believe */

    in[len - 4] ^= 64;
    expect(pyro_slice(in, len), 1000, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
           "incorrect length check");
    in[len - 4] ^= 64 ^ 16;
    expect(pyro_slice(in, len), 1000, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
           "incorrect length check");
    in[len - 4] ^= 16;

    in[len - 1] = '\xff';
    arena = pyro_arena_create(16 * 1024);
    assert_int_equal(pyro_gunzip(arena, pyro_slice(in, len), SIZE_MAX,
                                 LIMIT_NAME, &out, &err), PYRO_UNPROCESSABLE);
    assert_int_equal(pyro_arena_used(arena), 0);
    assert_true(err.offset > 0 && err.offset <= len);
    pyro_arena_destroy(arena);
    in[len - 1] = 0;

    in[3] = '\xe0';
    expect(pyro_slice(in, len), 1000, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
           "header flags");
    in[3] = 0;

    in[10] = '\xff';
    expect(pyro_slice(in, len), 1000, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
           "invalid block type");

    expect(PYRO_SLICE("FLR\0 and this is no gzip at all"), 1000,
           PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE, "incorrect header check");
}


static void
optional_header_fields(void **state)
{
    char      in[1024], out[1024];
    size_t    len, head;
    uint32_t  crc;

    (void) state;

    len = member(in, sizeof(in), "abc", 3);

    /* extra field, name, comment and the header's checksum */

    memcpy(out, in, 10);
    out[3] = 2 | 4 | 8 | 16;
    memcpy(out + 10, "\x03\x00xyzname\0comment\0", 18);
    head = 28;
    crc = (uint32_t) crc32(crc32(0, NULL, 0), (Bytef *) out, (uInt) head);
    out[head++] = (char) crc;
    out[head++] = (char) (crc >> 8);
    memcpy(out + head, in + 10, len - 10);

    gives(pyro_slice(out, head + len - 10), 3, PYRO_SLICE("abc"));

    out[head - 1] ^= 1;
    expect(pyro_slice(out, head + len - 10), 3, PYRO_UNPROCESSABLE,
           PYRO_REASON_PROFILE, "header crc");
}


static void
a_bomb_costs_no_more_than_the_limit(void **state)
{
    char          *in, *zeros;
    size_t         len;
    pyro_slice_t   out;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    (void) state;

    zeros = calloc(1, 32 * 1024 * 1024);
    in = malloc(64 * 1024);
    len = member(in, 64 * 1024, zeros, 32 * 1024 * 1024);

    arena = pyro_arena_create(1024 * 1024);

    assert_int_equal(pyro_gunzip(arena, pyro_slice(in, len), 1000000,
                                 LIMIT_NAME, &out, &err), PYRO_TOO_LARGE);
    assert_int_equal(pyro_arena_used(arena), 0);

    /* a trailer that promises little */

    in[len - 1] = 0;
    assert_int_equal(pyro_gunzip(arena, pyro_slice(in, len), 1000000,
                                 LIMIT_NAME, &out, &err), PYRO_TOO_LARGE);
    assert_true(pyro_arena_used(arena) < 64 * 1024);

    /* memory that is not there */

    in[len - 1] = 2;
    assert_int_equal(pyro_gunzip(arena, pyro_slice(in, len), SIZE_MAX,
                                 LIMIT_NAME, &out, &err), PYRO_UNAVAILABLE);
    assert_int_equal(err.reason, PYRO_REASON_MEMORY);

    pyro_arena_destroy(arena);
    free(in);
    free(zeros);
}


static void
no_memory_for_several_members(void **state)
{
    char          *in, *zeros;
    size_t         len;
    pyro_slice_t   out;
    pyro_error_t   err;
    pyro_arena_t  *arena;

    (void) state;

    zeros = calloc(1, 512 * 1024);
    in = malloc(64 * 1024);
    len = member(in, 64 * 1024, zeros, 512 * 1024);
    len += member(in + len, 64 * 1024 - len, "x", 1);

    arena = pyro_arena_create(100 * 1024);
    assert_int_equal(pyro_gunzip(arena, pyro_slice(in, len), SIZE_MAX,
                                 LIMIT_NAME, &out, &err), PYRO_UNAVAILABLE);
    pyro_arena_destroy(arena);

    arena = pyro_arena_create(0);
    assert_int_equal(pyro_gunzip(arena, pyro_slice(in, len), SIZE_MAX,
                                 LIMIT_NAME, &out, &err), PYRO_OK);
    assert_int_equal(out.len, 512 * 1024 + 1);
    assert_int_equal(out.data[512 * 1024], 'x');
    pyro_arena_destroy(arena);

    free(in);
    free(zeros);
}


static void
round_trip(void **state)
{
    char               *text, *packed;
    size_t              i, n, len;
    pyro_rope_t         in, out;
    pyro_error_t        err;
    pyro_rope_chunk_t  *chunk;
    static size_t       sizes[] = { 0, 1, 4096, 4097, 65536, 1000000 };

    (void) state;

    text = malloc(1000000);
    packed = malloc(2000000);

    for (i = 0; i < 1000000; i++) {
        text[i] = (char) (i * i >> 7);
    }

    for (n = 0; n < sizeof(sizes) / sizeof(size_t); n++) {
        pyro_rope_init(&in, 0);
        pyro_rope_init(&out, 0);
        pyro_rope_append(&in, text, sizes[n]);

        assert_int_equal(pyro_gzip(&in, &out, &err), PYRO_OK);

        len = 0;

        for (chunk = out.first; chunk != NULL; chunk = chunk->next) {
            memcpy(packed + len, chunk->data, chunk->len);
            len += chunk->len;
        }

        assert_int_equal(len, out.size);
        gives(pyro_slice(packed, len), sizes[n], pyro_slice(text, sizes[n]));

        pyro_rope_free(&in);
        pyro_rope_free(&out);
    }

    free(text);
    free(packed);
}


static void
gzip_keeps_the_limit_of_its_output(void **state)
{
    pyro_rope_t   in, out;
    pyro_error_t  err;

    (void) state;

    pyro_rope_init(&in, 0);
    pyro_rope_init(&out, 20);
    pyro_rope_append(&in, "some text that does not shrink much", 35);

    assert_int_equal(pyro_gzip(&in, &out, &err), PYRO_UNPROCESSABLE);
    assert_non_null(strstr(err.message, "20 bytes"));

    pyro_rope_free(&in);
    pyro_rope_free(&out);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(magic),
        cmocka_unit_test(limit_is_exact),
        cmocka_unit_test(members_follow_each_other),
        cmocka_unit_test(every_truncation_is_told),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(optional_header_fields),
        cmocka_unit_test(a_bomb_costs_no_more_than_the_limit),
        cmocka_unit_test(no_memory_for_several_members),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(gzip_keeps_the_limit_of_its_output),
    };

    return unit_run(tests);
}
