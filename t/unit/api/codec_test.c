#include "unit.h"

#include "core/api/codec.h"
#include "core/api/proto/querier.pb-c.h"


#define SERIES_REQUEST  &querier__v1__select_series_request__descriptor
#define MERGE_REQUEST                                                         \
    &querier__v1__select_merge_stacktraces_request__descriptor


static char *
rope_text(const pyro_rope_t *rope, size_t *len)
{
    char                     *text, *p;
    const pyro_rope_chunk_t  *chunk;

    text = malloc(rope->size + 1);
    p = text;

    for (chunk = rope->first; chunk != NULL; chunk = chunk->next) {
        memcpy(p, chunk->data, chunk->len);
        p += chunk->len;
    }

    *p = '\0';

    if (len != NULL) {
        *len = rope->size;
    }

    return text;
}


static pyro_status_e
decode_json(pyro_arena_t *arena, const ProtobufCMessageDescriptor *type,
    const char *text, void *message, pyro_error_t *err)
{
    ProtobufCMessage  *m;
    pyro_status_e      status;

    m = NULL;
    status = pyro_codec_decode(PYRO_CODEC_JSON, type, pyro_slice_str(text),
                               arena, &m, err);
    memcpy(message, &m, sizeof(m));

    return status;
}


static void
json_is(pyro_codec_e codec, const ProtobufCMessage *m, const char *want)
{
    char         *text;
    pyro_rope_t   rope;

    pyro_rope_init(&rope, 0);
    pyro_codec_encode(codec, m, &rope);
    assert_int_equal(pyro_rope_status(&rope, NULL), PYRO_OK);
    text = rope_text(&rope, NULL);
    assert_string_equal(text, want);
    free(text);
    pyro_rope_free(&rope);
}


static void
json_reads_names_and_numbers(void **state)
{
    size_t                              i;
    pyro_arena_t                       *arena;
    pyro_error_t                        err;
    Querier__V1__SelectSeriesRequest   *m;

    static const char  *texts[] = {
        "{\"profileTypeID\":\"a\",\"labelSelector\":\"{}\","
        "\"start\":1700000000000,"
        "\"end\":\"1700000060000\",\"groupBy\":[\"x\",\"y\"],\"step\":1.5,"
        "\"aggregation\":\"TIME_SERIES_AGGREGATION_TYPE_AVERAGE\","
        "\"limit\":\"3\",\"exemplarType\":1}",
        "{\"profile_typeID\":\"a\",\"label_selector\":\"{}\","
        "\"start\":1.7e12,\"end\":\"1.70000006e12\",\"group_by\":[\"x\",\"y\"],"
        "\"step\":\"1.5\",\"aggregation\":1,\"limit\":3.0,"
        "\"unknown\":{\"a\":[1]},"
        "\"exemplar_type\":\"EXEMPLAR_TYPE_NONE\",\"stackTraceSelector\":null}"
    };

    (void) state;

    for (i = 0; i < 2; i++) {
        arena = pyro_arena_create(0);
        assert_int_equal(decode_json(arena, SERIES_REQUEST, texts[i], &m,
                                     &err), PYRO_OK);
        assert_string_equal(m->profile_typeid, "a");
        assert_string_equal(m->label_selector, "{}");
        assert_int_equal(m->start, 1700000000000);
        assert_int_equal(m->end, 1700000060000);
        assert_int_equal(m->n_group_by, 2);
        assert_string_equal(m->group_by[1], "y");
        assert_true(m->step == 1.5);
        assert_int_equal(m->aggregation_set_case, 7);
        assert_int_equal(m->aggregation, 1);
        assert_int_equal(m->limit_set_case, 9);
        assert_int_equal(m->limit, 3);
        assert_int_equal(m->exemplar_type, 1);
        assert_null(m->stack_trace_selector);
        pyro_arena_destroy(arena);
    }
}


static void
json_maps_values(void **state)
{
    size_t                              i;
    pyro_arena_t                       *arena;
    pyro_error_t                        err;
    pyro_status_e                       status;
    Querier__V1__SelectSeriesRequest   *m;

    static const struct {
        const char  *text;
        int64_t      start;     /* or what the message must hold */
        const char  *error;
    } cases[] = {
        { "{}", 0, NULL },
        { " { } ", 0, NULL },
        { "{\"start\":null}", 0, NULL },
        { "{\"start\":-1}", -1, NULL },
        { "{\"start\":\"-1\"}", -1, NULL },
        { "{\"start\":9223372036854775807}", INT64_MAX, NULL },
        { "{\"start\":\"-9223372036854775808\"}", INT64_MIN, NULL },
        { "{\"start\":-9.223372036854775808e18}", INT64_MIN, NULL },
        { "{\"start\":1.0}", 1, NULL },
        { "{\"start\":\"1e3\"}", 1000, NULL },
        { "{\"exemplarType\":\"NEW_NAME\",\"start\":7}", 7, NULL },
        { "{\"exemplarType\":77,\"start\":7}", 7, NULL },
        { "{\"groupBy\":null,\"start\":7}", 7, NULL },
        { "{\"start\":1,\"start\":2}", 2, NULL },

        { "", 0, "empty" },
        { "{", 0, "JSON" },
        { "{}x", 0, "JSON" },
        { "[]", 0, "array" },
        { "1", 0, "JSON" },
        { "null", 0, "JSON" },
        { "{\"start\":\"abc\"}", 0,
          "field start: expected a whole number, got \"abc\"" },
        { "{\"start\":\"\"}", 0, "field start" },
        { "{\"start\":\" 1\"}", 0, "field start" },
        { "{\"start\":\"0x10\"}", 0, "field start" },
        { "{\"start\":\"1.5\"}", 0, "field start" },
        { "{\"start\":1.5}", 0, "field start" },
        { "{\"start\":true}", 0, "field start" },
        { "{\"start\":[1]}", 0, "field start" },
        { "{\"start\":\"9223372036854775808\"}", 0, "field start" },
        { "{\"start\":9.3e18}", 0, "field start" },
        { "{\"start\":\"1e400\"}", 0, "field start" },
        { "{\"start\":99999999999999999999}", 0, "JSON" },
        { "{\"step\":\"x\"}", 0, "field step: expected a number" },
        { "{\"labelSelector\":1}", 0, "field labelSelector" },
        { "{\"groupBy\":\"x\"}", 0, "field groupBy: expected an array" },
        { "{\"groupBy\":[1]}", 0, "field groupBy" },
        { "{\"groupBy\":[null]}", 0, "field groupBy" },
        { "{\"stackTraceSelector\":[]}", 0, "field stackTraceSelector" },
        { "{\"stackTraceSelector\":{\"callSite\":[{\"name\":1}]}}", 0,
          "field name" },
        { "{\"aggregation\":1.5}", 0, "field aggregation" },
        { "{\"aggregation\":3000000000}", 0, "field aggregation" },
        { "{\"labelSelector\":\"\\u0000\"}", 0, "JSON" },
        { "{\"labelSelector\":\"\xff\"}", 0, "JSON" },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        arena = pyro_arena_create(0);
        status = decode_json(arena, SERIES_REQUEST, cases[i].text, &m, &err);

        if (cases[i].error == NULL) {
            if (status != PYRO_OK || m->start != cases[i].start) {
                fail_msg("%s: %d", cases[i].text, status);
            }

        } else if (status != PYRO_INVALID
                   || strstr(err.message, cases[i].error) == NULL)
        {
            fail_msg("%s: %d %s", cases[i].text, status, err.message);
        }

        pyro_arena_destroy(arena);
    }
}


static void
json_is_bounded(void **state)
{
    char                               *text;
    size_t                              i;
    pyro_arena_t                       *arena;
    pyro_error_t                        err;
    Querier__V1__SelectSeriesRequest   *m;

    (void) state;

    arena = pyro_arena_create(0);
    text = malloc(2 * 1024 * 1024);

    for (i = 31; i <= 32; i++) {
        strcpy(text, "{\"x\":");
        memset(text + 5, '[', i);
        memset(text + 5 + i, ']', i);
        strcpy(text + 5 + 2 * i, "}");
        assert_int_equal(decode_json(arena, SERIES_REQUEST, text, &m, &err),
                         i == 31 ? PYRO_OK : PYRO_INVALID);
    }

    assert_non_null(strstr(err.message, "deeper than 32"));

    /* brackets in strings are none */

    strcpy(text, "{\"labelSelector\":\"\\\"");
    memset(text + 20, '[', 100);
    strcpy(text + 120, "\"}");
    assert_int_equal(decode_json(arena, SERIES_REQUEST, text, &m, &err),
                     PYRO_OK);
    assert_int_equal(strlen(m->label_selector), 101);

    memset(text, ' ', 1024 * 1024 + 1);
    strcpy(text + 1024 * 1024 - 1, "{}");
    assert_int_equal(decode_json(arena, SERIES_REQUEST, text, &m, &err),
                     PYRO_TOO_LARGE);
    strcpy(text + 1024 * 1024 - 2, "{}");
    assert_int_equal(decode_json(arena, SERIES_REQUEST, text, &m, &err),
                     PYRO_OK);

    free(text);
    pyro_arena_destroy(arena);
}


static void
json_writes_by_the_mapping(void **state)
{
    char                               *group[] = { "a\"b\n", "\xc3\xa9" };
    int64_t                             values[] = { 0, -1, INT64_MAX,
                                                     INT64_MIN, 10 };
    double                              zero;
    Types__V1__Point                    point;
    Querier__V1__Level                  level;
    Types__V1__ProfileType              type;
    Querier__V1__SelectSeriesRequest    m;

    (void) state;

    querier__v1__select_series_request__init(&m);
    json_is(PYRO_CODEC_JSON, &m.base, "{}");

    m.profile_typeid = "t";
    m.start = 1700000000000;
    m.group_by = group;
    m.n_group_by = 2;
    m.step = 56.25;
    m.aggregation_set_case = 7;
    m.aggregation = 0;
    m.limit_set_case = 9;
    m.limit = 0;
    m.exemplar_type = 2;
    json_is(PYRO_CODEC_JSON, &m.base,
            "{\"profileTypeID\":\"t\",\"start\":\"1700000000000\","
            "\"groupBy\":[\"a\\\"b\\u000a\",\"\xc3\xa9\"],\"step\":56.25,"
            "\"aggregation\":\"TIME_SERIES_AGGREGATION_TYPE_SUM\","
            "\"limit\":\"0\",\"exemplarType\":\"EXEMPLAR_TYPE_INDIVIDUAL\"}");

    querier__v1__select_series_request__init(&m);
    m.exemplar_type = 99;
    json_is(PYRO_CODEC_JSON, &m.base, "{\"exemplarType\":99}");

    querier__v1__level__init(&level);
    level.values = values;
    level.n_values = 5;
    json_is(PYRO_CODEC_JSON, &level.base,
            "{\"values\":[\"0\",\"-1\",\"9223372036854775807\","
            "\"-9223372036854775808\",\"10\"]}");

    types__v1__profile_type__init(&type);
    type.id = "a:b";
    type.sample_type = "b";
    json_is(PYRO_CODEC_JSON, &type.base,
            "{\"ID\":\"a:b\",\"sampleType\":\"b\"}");

    types__v1__point__init(&point);
    point.value = 6;
    point.timestamp = 1000000;
    json_is(PYRO_CODEC_JSON, &point.base,
            "{\"value\":6,\"timestamp\":\"1000000\"}");
    point.timestamp = 0;
    point.value = 0.1;
    json_is(PYRO_CODEC_JSON, &point.base, "{\"value\":0.1}");
    point.value = 1.0 / 3;
    json_is(PYRO_CODEC_JSON, &point.base, "{\"value\":0.3333333333333333}");
    point.value = -1e300;
    json_is(PYRO_CODEC_JSON, &point.base, "{\"value\":-1e+300}");
    point.value = 4780000000;
    json_is(PYRO_CODEC_JSON, &point.base, "{\"value\":4780000000}");

    zero = 0;
    point.value = 1 / zero;
    json_is(PYRO_CODEC_JSON, &point.base, "{\"value\":\"Infinity\"}");
    point.value = -1 / zero;
    json_is(PYRO_CODEC_JSON, &point.base, "{\"value\":\"-Infinity\"}");
    point.value = zero / zero;
    json_is(PYRO_CODEC_JSON, &point.base, "{\"value\":\"NaN\"}");
}


static void
both_codecs_read_what_they_write(void **state)
{
    int                                 codec;
    char                               *text, *json;
    size_t                              len;
    pyro_rope_t                         rope;
    pyro_arena_t                       *arena;
    pyro_error_t                        err;
    ProtobufCMessage                   *m;

    static const char  *want =
        "{\"profileTypeID\":\"a:b:c:d:e\",\"labelSelector\":\"{x=\\\"y\\\"}\","
        "\"start\":\"-5\",\"end\":\"1700000000000\",\"maxNodes\":\"0\","
        "\"format\":\"PROFILE_FORMAT_PPROF\",\"stackTraceSelector\":"
        "{\"callSite\":[{\"name\":\"main\"},{}]},"
        "\"profileIdSelector\":[\"\",\"p\"],\"spanSelector\":[\"s\"]}";

    (void) state;

    for (codec = PYRO_CODEC_PROTO; codec <= PYRO_CODEC_JSON; codec++) {
        arena = pyro_arena_create(0);
        assert_int_equal(decode_json(arena, MERGE_REQUEST, want, &m, &err),
                         PYRO_OK);

        pyro_rope_init(&rope, 0);
        pyro_codec_encode(codec, m, &rope);
        text = rope_text(&rope, &len);

        if (codec == PYRO_CODEC_PROTO) {
            assert_int_equal(len, protobuf_c_message_get_packed_size(m));
        }

        assert_int_equal(pyro_codec_decode(codec, MERGE_REQUEST,
                                           pyro_slice(text, len), arena, &m,
                                           &err), PYRO_OK);
        pyro_rope_free(&rope);
        free(text);

        pyro_rope_init(&rope, 0);
        pyro_codec_encode(PYRO_CODEC_JSON, m, &rope);
        json = rope_text(&rope, NULL);
        assert_string_equal(json, want);
        free(json);
        pyro_rope_free(&rope);
        pyro_arena_destroy(arena);
    }
}


static void
proto_refuses_what_is_none(void **state)
{
    size_t                               i;
    pyro_arena_t                        *arena;
    pyro_error_t                         err;
    ProtobufCMessage                    *m;

    static const struct {
        pyro_slice_t   in;
        pyro_status_e  status;
    } cases[] = {
        { PYRO_SLICE(""), PYRO_OK },
        { PYRO_SLICE("\x0a\x01x"), PYRO_OK },
        { PYRO_SLICE("\xfa\x3f\x01x"), PYRO_OK },           /* unknown */
        { PYRO_SLICE("\x0a"), PYRO_INVALID },
        { PYRO_SLICE("\x0a\x02x"), PYRO_INVALID },
        { PYRO_SLICE("\x0a\xff\xff\xff\xff\x0fx"), PYRO_INVALID },
        { PYRO_SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),
          PYRO_INVALID },
        { PYRO_SLICE("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
          PYRO_INVALID },
        { PYRO_SLICE("\x0a\x01\xff"), PYRO_INVALID },       /* no UTF-8 */
        { PYRO_SLICE("\x5a\x01\xff"), PYRO_INVALID },
        { PYRO_SLICE("\x3a\x05\x0a\x03\x0a\x01\xff"), PYRO_INVALID },
        { PYRO_SLICE("\x0a\x03" "a\0b"), PYRO_INVALID },    /* a C string
                                                             * would end */
        { PYRO_SLICE("\x0a\x01\0"), PYRO_INVALID },
        { PYRO_SLICE("\x3a\x05\x0a\x03\x0a\x01\0"), PYRO_INVALID },
        { PYRO_SLICE("\x0a\x01x\x0a\x01\xff"), PYRO_INVALID }, /* twice */
        { PYRO_SLICE("garbage"), PYRO_INVALID },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        arena = pyro_arena_create(64 * 1024);

        if (pyro_codec_decode(PYRO_CODEC_PROTO, MERGE_REQUEST, cases[i].in,
                              arena, &m, &err) != cases[i].status)
        {
            fail_msg("case %zu", i);
        }

        pyro_arena_destroy(arena);
    }
}


static void
decoding_stays_in_its_budget(void **state)
{
    int                codec, done;
    char              *body[2], *p;
    size_t             i, budget, len[2];
    pyro_rope_t        rope;
    pyro_arena_t      *arena;
    pyro_error_t       err;
    pyro_status_e      status;
    ProtobufCMessage  *m;

    (void) state;

    body[PYRO_CODEC_JSON] = malloc(64 * 1024);
    p = body[PYRO_CODEC_JSON];
    p += sprintf(p, "{\"stackTraceSelector\":{\"callSite\":[");

    for (i = 0; i < 500; i++) {
        p += sprintf(p, "%s{\"name\":\"main%zu\"}", i ? "," : "", i);
    }

    sprintf(p, "]},\"spanSelector\":[\"a\",\"b\"]}");
    len[PYRO_CODEC_JSON] = strlen(body[PYRO_CODEC_JSON]);

    arena = pyro_arena_create(0);
    assert_int_equal(decode_json(arena, MERGE_REQUEST, body[PYRO_CODEC_JSON],
                                 &m, &err), PYRO_OK);
    pyro_rope_init(&rope, 0);
    pyro_codec_encode(PYRO_CODEC_PROTO, m, &rope);
    body[PYRO_CODEC_PROTO] = rope_text(&rope, &len[PYRO_CODEC_PROTO]);
    pyro_rope_free(&rope);
    pyro_arena_destroy(arena);

    for (codec = PYRO_CODEC_PROTO; codec <= PYRO_CODEC_JSON; codec++) {

        for (budget = 16, done = 0; !done; budget += budget / 16 + 16) {
            assert_true(budget < 4 * 1024 * 1024);
            arena = pyro_arena_create(budget);
            status = pyro_codec_decode(codec, MERGE_REQUEST,
                                       pyro_slice(body[codec], len[codec]),
                                       arena, &m, &err);
            assert_true(pyro_arena_used(arena) <= budget);
            pyro_arena_destroy(arena);
            done = status == PYRO_OK;
            assert_true(done || status == PYRO_UNAVAILABLE);
        }

        free(body[codec]);
    }
}


static void
encoding_stops_at_the_limit(void **state)
{
    int                 codec;
    int64_t            *values;
    pyro_rope_t         rope;
    pyro_error_t        err;
    Querier__V1__Level  level;

    (void) state;

    values = calloc(100000, sizeof(int64_t));
    querier__v1__level__init(&level);
    level.values = values;
    level.n_values = 100000;

    for (codec = PYRO_CODEC_PROTO; codec <= PYRO_CODEC_JSON; codec++) {
        pyro_rope_init(&rope, 50000);
        pyro_codec_encode(codec, &level.base, &rope);
        assert_int_equal(pyro_rope_status(&rope, &err), PYRO_UNPROCESSABLE);
        pyro_rope_free(&rope);
    }

    free(values);
}


static void
connect_errors(void **state)
{
    char         *text;
    pyro_rope_t   rope;

    (void) state;

    pyro_rope_init(&rope, 0);
    pyro_connect_error(&rope, pyro_connect_code(PYRO_INVALID), "a \"b\"");
    pyro_connect_error(&rope, pyro_connect_code(PYRO_EXHAUSTED), "");
    text = rope_text(&rope, NULL);
    assert_string_equal(text, "{\"code\":\"invalid_argument\","
                        "\"message\":\"a \\\"b\\\"\"}"
                        "{\"code\":\"resource_exhausted\"}");
    free(text);
    pyro_rope_free(&rope);

    assert_string_equal(pyro_connect_code(PYRO_NOT_FOUND), "unimplemented");
    assert_string_equal(pyro_connect_code(PYRO_UNIMPLEMENTED), "unimplemented");
    assert_string_equal(pyro_connect_code(PYRO_CONFLICT), "already_exists");
    assert_string_equal(pyro_connect_code(PYRO_UNPROCESSABLE),
                        "resource_exhausted");
    assert_string_equal(pyro_connect_code(PYRO_UNAVAILABLE), "unavailable");
    assert_string_equal(pyro_connect_code(PYRO_DEADLINE), "deadline_exceeded");
    assert_string_equal(pyro_connect_code(PYRO_CANCELED), "canceled");
    assert_string_equal(pyro_connect_code(PYRO_INTERNAL), "internal");
    assert_string_equal(pyro_connect_code((pyro_status_e) 1000), "unknown");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(json_reads_names_and_numbers),
        cmocka_unit_test(json_maps_values),
        cmocka_unit_test(json_is_bounded),
        cmocka_unit_test(json_writes_by_the_mapping),
        cmocka_unit_test(both_codecs_read_what_they_write),
        cmocka_unit_test(proto_refuses_what_is_none),
        cmocka_unit_test(decoding_stays_in_its_budget),
        cmocka_unit_test(encoding_stops_at_the_limit),
        cmocka_unit_test(connect_errors),
    };

    return unit_run(tests);
}
