#include "unit.h"

#include "core/api/grpc.h"
#include "core/api/protocol.h"
#include "core/base/clock.h"


#define FRAME(text)  pyro_slice(text, sizeof(text) - 1)


static void
a_content_type_names_both(void **state)
{
    size_t                      i, n;
    const char                 *p, *end;
    pyro_slice_t                name;
    const pyro_content_type_t  *type;

    static const struct {
        const char       *value;
        pyro_protocol_e   protocol;
        pyro_codec_e      codec;
        const char       *name;
    } types[] = {
        { "application/proto", PYRO_PROTOCOL_CONNECT, PYRO_CODEC_PROTO,
          "application/proto" },
        { "application/json; charset=utf-8", PYRO_PROTOCOL_CONNECT,
          PYRO_CODEC_JSON, "application/json" },
        { " Application/JSON ;x=y", PYRO_PROTOCOL_CONNECT, PYRO_CODEC_JSON,
          "application/json" },
        { "application/grpc", PYRO_PROTOCOL_GRPC, PYRO_CODEC_PROTO,
          "application/grpc" },
        { "application/GRPC+proto", PYRO_PROTOCOL_GRPC, PYRO_CODEC_PROTO,
          "application/grpc+proto" },
        { "application/grpc+json", PYRO_PROTOCOL_GRPC, PYRO_CODEC_JSON,
          "application/grpc+json" },
        { "application/grpc-web", PYRO_PROTOCOL_GRPC_WEB, PYRO_CODEC_PROTO,
          "application/grpc-web" },
        { "application/grpc-web+json", PYRO_PROTOCOL_GRPC_WEB,
          PYRO_CODEC_JSON, "application/grpc-web+json" }
    };

    static const char *const  none[] = {
        "", ";", "text/plain", "application/x-protobuf",
        "application/protobuf", "application/grpc-web-text",
        "application/connect+proto", "application/grpc+", "application/jso"
    };

    (void) state;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        type = pyro_content_type_find(pyro_slice_str(types[i].value));
        assert_non_null(type);
        assert_string_equal(type->name, types[i].name);
        assert_int_equal(type->protocol, types[i].protocol);
        assert_int_equal(type->codec, types[i].codec);
    }

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_null(pyro_content_type_find(pyro_slice_str(none[i])));
    }

    assert_null(pyro_content_type_find(pyro_slice(NULL, 0)));

    /* what Accept-Post lists is what is taken */

    for (p = PYRO_CONTENT_TYPES, n = 0; p != NULL;
         p = *end ? end + 1 : NULL, n++)
    {
        end = strchr(p, ',');
        end = end != NULL ? end : p + strlen(p);
        name = pyro_slice_trim(pyro_slice(p, (size_t) (end - p)));
        assert_non_null(pyro_content_type_find(name));
    }

    assert_int_equal(n, 8);
}


static void
a_body_is_one_message(void **state)
{
    int           packed;
    pyro_slice_t  message;

    (void) state;

    assert_int_equal(pyro_grpc_message(FRAME("\0\0\0\0\3abc"), &message,
                                       &packed, NULL), PYRO_OK);
    assert_int_equal(packed, 0);
    assert_true(pyro_slice_is(message, "abc"));

    assert_int_equal(pyro_grpc_message(FRAME("\1\0\0\0\0"), &message, &packed,
                                       NULL), PYRO_OK);
    assert_int_equal(packed, 1);
    assert_int_equal(message.len, 0);
}


static void
other_bodies_are_refused(void **state)
{
    int           packed;
    size_t        i;
    pyro_error_t  err;
    pyro_slice_t  message;

    static const struct {
        pyro_slice_t   body;
        pyro_status_e  status;
        const char    *message;
    } bad[] = {
        { { "", 0 }, PYRO_UNIMPLEMENTED,
          "the body has no gRPC message, one is needed" },
        { { "\0\0\0\0", 4 }, PYRO_INVALID,
          "the body of 4 bytes ends in the 5 bytes before a gRPC message" },
        { { "\2\0\0\0\0", 5 }, PYRO_INVALID,
          "flag 2 of a gRPC message: allowed are 0 and 1" },
        { { "\0\0\0\0\2a", 6 }, PYRO_INVALID,
          "a gRPC message of 2 bytes, 1 are there" },
        { { "\0\377\377\377\377a", 6 }, PYRO_INVALID,
          "a gRPC message of 4294967295 bytes, 1 are there" },
        { { "\0\0\0\0\1ab", 7 }, PYRO_UNIMPLEMENTED,
          "the body has more than one gRPC message, 1 bytes follow the "
          "first" }
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(pyro_grpc_message(bad[i].body, &message, &packed,
                                           &err), bad[i].status);
        assert_string_equal(err.message, bad[i].message);
    }
}


static void
an_answer_is_framed(void **state)
{
    pyro_rope_t    rope;
    pyro_slice_t   flat;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(0);

    pyro_rope_init(&rope, 8);
    pyro_rope_append(&rope, "message", 7);
    pyro_grpc_frame(&rope, 1);
    flat = pyro_rope_flat(&rope, arena);
    assert_int_equal(flat.len, 12);
    assert_memory_equal(flat.data, "\1\0\0\0\7message", 12);
    pyro_rope_free(&rope);

    /* an empty message has a frame as well */

    pyro_rope_init(&rope, 100);
    pyro_grpc_frame(&rope, 0);
    pyro_grpc_web_end(&rope);
    flat = pyro_rope_flat(&rope, arena);
    assert_int_equal(flat.len, 26);
    assert_memory_equal(flat.data, "\0\0\0\0\0" "\200\0\0\0\20"
                                   "grpc-status: 0\r\n", 26);
    pyro_rope_free(&rope);

    pyro_arena_destroy(arena);
}


static void
timeouts(void **state)
{
    size_t        i;
    int64_t       ns;
    pyro_error_t  err;

    static const struct {
        const char  *value;
        int64_t      ns;
    } good[] = {
        { "1H", 3600 * PYRO_NS_PER_SEC }, { "2M", 120 * PYRO_NS_PER_SEC },
        { "10S", 10 * PYRO_NS_PER_SEC }, { "250m", 250 * PYRO_NS_PER_MS },
        { "99999999u", 99999999 * 1000LL }, { "7n", 7 }, { "0S", 0 },
        { "99999999H", 86400 * PYRO_NS_PER_SEC },
        { "24H", 86400 * PYRO_NS_PER_SEC }
    };

    static const char *const  bad[] = {
        "", "S", "10", "10s", "-1S", "1.5S", "100000000S", "1SS", " 1S"
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(pyro_grpc_timeout(pyro_slice_str(good[i].value), &ns,
                                           &err), PYRO_OK);
        assert_int_equal(ns, good[i].ns);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(pyro_grpc_timeout(pyro_slice_str(bad[i]), &ns, &err),
                         PYRO_INVALID);
        assert_non_null(strstr(err.message, "grpc-timeout: \""));
    }

    assert_int_equal(pyro_grpc_timeout(PYRO_SLICE("1\0"), &ns, &err),
                     PYRO_INVALID);
}


static void
codes_and_messages(void **state)
{
    char    out[64];
    size_t  len;

    (void) state;

    assert_int_equal(pyro_grpc_status("ok"), 0);
    assert_int_equal(pyro_grpc_status("invalid_argument"), 3);
    assert_int_equal(pyro_grpc_status("deadline_exceeded"), 4);
    assert_int_equal(pyro_grpc_status("not_found"), 5);
    assert_int_equal(pyro_grpc_status("permission_denied"), 7);
    assert_int_equal(pyro_grpc_status("resource_exhausted"), 8);
    assert_int_equal(pyro_grpc_status("unimplemented"), 12);
    assert_int_equal(pyro_grpc_status("internal"), 13);
    assert_int_equal(pyro_grpc_status("unavailable"), 14);
    assert_int_equal(pyro_grpc_status("unauthenticated"), 16);
    assert_int_equal(pyro_grpc_status("something else"), 2);

    len = pyro_grpc_escape(out, "100% \"\xc3\xa9\"\n");
    assert_int_equal(len, 18);
    assert_memory_equal(out, "100%25 \"%C3%A9\"%0A", 18);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_content_type_names_both),
        cmocka_unit_test(a_body_is_one_message),
        cmocka_unit_test(other_bodies_are_refused),
        cmocka_unit_test(an_answer_is_framed),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(codes_and_messages),
    };

    return unit_run(tests);
}
