#include "unit.h"

#include "core/api/querier.h"


#define CPU  "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
#define HOUR_MS  3600000LL


static const pyro_querier_limits_t  defaults = {
    .max_nodes_default = 8192,
    .max_nodes_max = 1048576,
    .max_points = 10000,
    .now = 1795388400LL * 1000000000
};


static char *
rope_text(const pyro_rope_t *rope)
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

    return text;
}


static pyro_status_e
plan_json(pyro_arena_t *arena, pyro_rpc_e rpc, const char *body,
    pyro_plan_t *plan, pyro_error_t *err)
{
    return pyro_plan_decode(arena, rpc, PYRO_CODEC_JSON, pyro_slice_str(body),
                            &defaults, plan, err);
}


static void
plans_are_refused(void **state)
{
    size_t         i;
    pyro_plan_t    plan;
    pyro_arena_t  *arena;
    pyro_error_t   err;
    pyro_status_e  status;

    static const struct {
        pyro_rpc_e     rpc;
        const char    *body;
        pyro_status_e  status;
        const char    *message;
    } cases[] = {
        { PYRO_RPC_PROFILE_TYPES, "{", PYRO_INVALID, "JSON" },
        { PYRO_RPC_PROFILE_TYPES, "{\"start\":\"abc\"}", PYRO_INVALID,
          "start" },
        { PYRO_RPC_PROFILE_TYPES, "{\"start\":2,\"end\":1}", PYRO_INVALID,
          "query start time is after end time" },
        { PYRO_RPC_LABEL_VALUES, "{}", PYRO_INVALID, "name is required" },
        { PYRO_RPC_LABEL_NAMES, "{\"matchers\":[\"{}\",\"{a=\"]}",
          PYRO_INVALID, "parse error" },
        { PYRO_RPC_SERIES, "{\"matchers\":[\"{a=~\\\"b\\\"}\",\"{a=~\\\"(\\\"}"
          "\"]}", PYRO_INVALID, "regular expression" },

        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"x\"}",
          PYRO_INVALID, "\"x\"" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{}", PYRO_INVALID,
          "profile type" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          ":delta:x\"}", PYRO_INVALID, "7" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          "\",\"labelSelector\":\"{a=\"}", PYRO_INVALID, "parse error" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          "\",\"start\":\"1795381300000\",\"end\":\"1795381200000\"}",
          PYRO_INVALID, "after end" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          "\",\"maxNodes\":1048577}", PYRO_INVALID,
          "max flamegraph nodes limit 1048577 is greater than allowed 1048576"
        },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          "\",\"maxNodes\":-1}", PYRO_INVALID,
          "max flamegraph nodes limit must be set (max allowed 1048576)" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          "\",\"spanSelector\":[\"0123456789abcdef\",\"a\"]}",
          PYRO_INVALID,
          "span_selector: \"a\" is not 16 hexadecimal digits" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          "\",\"spanSelector\":[\"0123456789abcdef0\"]}", PYRO_INVALID,
          "span_selector" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          "\",\"traceIdSelector\":[\"0123456789abcdeg\"]}", PYRO_INVALID,
          "trace_id_selector: \"0123456789abcdeg\" is not 32" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          "\",\"profileIdSelector\":[\"00000000-0000-0000-0000_000000000000"
          "\"]}", PYRO_INVALID, "is no UUID" },
        { PYRO_RPC_SELECT_MERGE_STACKTRACES, "{\"profileTypeID\":\"" CPU
          "\",\"spanSelector\":[\"0123456789abcdef\"],\"traceIdSelector\":"
          "[\"a\"]}", PYRO_INVALID, "cannot be combined" },
        { PYRO_RPC_SELECT_MERGE_SPAN_PROFILE, "{\"profileTypeID\":\"" CPU
          "\",\"spanSelector\":[\"\"]}", PYRO_INVALID, "span_selector" },
        { PYRO_RPC_SELECT_MERGE_PROFILE, "{\"profileTypeID\":\"" CPU
          "\",\"maxNodes\":-1}", PYRO_INVALID, "max_nodes -1" },

        { PYRO_RPC_DIFF, "{}", PYRO_INVALID, "left is required" },
        { PYRO_RPC_DIFF, "{\"left\":{\"profileTypeID\":\"" CPU
          "\",\"labelSelector\":\"{a=~\\\"b\\\"}\"}}", PYRO_INVALID,
          "right is required" },
        { PYRO_RPC_DIFF, "{\"left\":{\"profileTypeID\":\"" CPU
          "\",\"labelSelector\":\"{a=~\\\"b\\\"}\"},\"right\":{}}",
          PYRO_INVALID, "profile type" },

        { PYRO_RPC_SELECT_HEATMAP, "{\"profileTypeID\":\"" CPU
          "\",\"queryType\":1}", PYRO_INVALID, "step must be >= 1ms" },
        { PYRO_RPC_SELECT_HEATMAP, "{\"profileTypeID\":\"" CPU
          "\",\"step\":15}", PYRO_INVALID, "query_type 0" },
        { PYRO_RPC_SELECT_HEATMAP, "{\"profileTypeID\":\"" CPU
          "\",\"step\":15,\"queryType\":1,\"exemplarType\":3}",
          PYRO_INVALID, "exemplar_type 3" },
        { PYRO_RPC_SELECT_HEATMAP, "{\"profileTypeID\":\"" CPU
          "\",\"step\":15,\"queryType\":2,\"limit\":-2}", PYRO_INVALID,
          "limit -2" },

        { PYRO_RPC_SET_SETTINGS, "{}", PYRO_INVALID,
          "no setting values provided" },
        { PYRO_RPC_DELETE_SETTINGS, "{}", PYRO_INVALID,
          "no setting name provided" },
        { PYRO_RPC_ANALYZE_QUERY, "{\"query\":\"{a=\"}", PYRO_INVALID,
          "parse error" },

        { PYRO_RPC_SELECT_SERIES, "{\"profileTypeID\":\"" CPU "\"}",
          PYRO_INVALID, "step must be >= 1ms" },
        { PYRO_RPC_SELECT_SERIES, "{\"profileTypeID\":\"" CPU
          "\",\"step\":0.0009}", PYRO_INVALID, "step must be >= 1ms" },
        { PYRO_RPC_SELECT_SERIES, "{\"profileTypeID\":\"" CPU
          "\",\"step\":-15}", PYRO_INVALID, "step must be >= 1ms" },
        { PYRO_RPC_SELECT_SERIES, "{\"profileTypeID\":\"" CPU
          "\",\"step\":\"NaN\"}", PYRO_INVALID, "step must be >= 1ms" },
        { PYRO_RPC_SELECT_SERIES, "{\"profileTypeID\":\"" CPU
          "\",\"step\":15,\"labelSelector\":\"{a=~\\\"(\\\"}\"}",
          PYRO_INVALID, "regular expression" },
        { PYRO_RPC_SELECT_SERIES, "{\"profileTypeID\":\"" CPU
          "\",\"step\":15,\"exemplarType\":3}", PYRO_UNIMPLEMENTED,
          "exemplar_type" },
        { PYRO_RPC_SELECT_SERIES, "{\"profileTypeID\":\"" CPU
          "\",\"step\":15,\"stackTraceSelector\":{\"callSite\":[{\"name\":"
          "\"a\"}]}}", PYRO_UNIMPLEMENTED, "call_site" },
        { PYRO_RPC_SELECT_SERIES, "{\"profileTypeID\":\"" CPU
          "\",\"step\":15,\"aggregation\":5}", PYRO_UNIMPLEMENTED,
          "aggregation" },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        arena = pyro_arena_create(0);
        status = plan_json(arena, cases[i].rpc, cases[i].body, &plan, &err);

        if (status != cases[i].status
            || strstr(err.message, cases[i].message) == NULL)
        {
            fail_msg("%s: %d %s", cases[i].body, status, err.message);
        }

        pyro_arena_destroy(arena);
    }
}


static void
plan_of_a_flame_graph(void **state)
{
    pyro_plan_t    plan;
    pyro_arena_t  *arena;
    pyro_error_t   err;

    (void) state;

    arena = pyro_arena_create(0);
    assert_int_equal(plan_json(arena, PYRO_RPC_SELECT_MERGE_STACKTRACES,
        "{\"profileTypeID\":\"" CPU ":delta\",\"labelSelector\":"
        "\"{service_name=~\\\"shop.*\\\"}\",\"start\":\"1795381140000\","
        "\"end\":\"1795388400000\",\"format\":1,\"stackTraceSelector\":{}}",
        &plan, &err), PYRO_OK);

    assert_int_equal(plan.start, 1795381140000LL * 1000000);
    assert_int_equal(plan.end, 1795388400000LL * 1000000);
    assert_int_equal(plan.max_nodes, 8192);
    assert_int_equal(plan.n_selectors, 1);
    assert_int_equal(plan.selectors[0].n, 2);
    assert_true(pyro_slice_is(plan.selectors[0].items[1].name,
                              "__profile_type__"));
    assert_true(pyro_slice_is(plan.selectors[0].items[1].value, CPU));
    pyro_plan_free(&plan);

    assert_int_equal(plan_json(arena, PYRO_RPC_SELECT_MERGE_STACKTRACES,
        "{\"profileTypeID\":\"" CPU "\",\"maxNodes\":\"0\"}", &plan, &err),
        PYRO_OK);
    assert_int_equal(plan.max_nodes, 8192);
    assert_int_equal(plan.start, 0);
    assert_int_equal(plan.end, INT64_MAX);
    assert_int_equal(plan.selectors[0].n, 1);
    pyro_plan_free(&plan);

    assert_int_equal(plan_json(arena, PYRO_RPC_SELECT_MERGE_STACKTRACES,
        "{\"profileTypeID\":\"" CPU "\",\"maxNodes\":\"1048576\"}", &plan,
        &err), PYRO_OK);
    assert_int_equal(plan.max_nodes, 1048576);
    pyro_plan_free(&plan);
    pyro_arena_destroy(arena);
}


static void
plan_of_a_time_series(void **state)
{
    pyro_plan_t    plan;
    pyro_arena_t  *arena;
    pyro_error_t   err;

    (void) state;

    arena = pyro_arena_create(0);
    assert_int_equal(plan_json(arena, PYRO_RPC_SELECT_SERIES,
        "{\"profileTypeID\":\"" CPU "\",\"labelSelector\":\"{}\","
        "\"start\":\"1000000\",\"end\":\"1030000\",\"step\":15,"
        "\"groupBy\":[\"b\",\"a\"],\"limit\":3,\"aggregation\":1,"
        "\"exemplarType\":\"EXEMPLAR_TYPE_NONE\"}", &plan, &err), PYRO_OK);

    assert_int_equal(plan.series.start, 1000000);
    assert_int_equal(plan.series.end, 1030000);
    assert_int_equal(plan.series.step, 15000);
    assert_int_equal(plan.series.aggregation, PYRO_SERIES_AVERAGE);
    assert_int_equal(plan.series.n_group_by, 2);
    assert_int_equal(plan.series.limit, 3);
    assert_int_equal(plan.series.max_points, 10000);
    assert_int_equal(plan.start, 985000LL * 1000000);
    assert_int_equal(plan.end, 1030001LL * 1000000 - 1);
    pyro_plan_free(&plan);

    assert_int_equal(plan_json(arena, PYRO_RPC_SELECT_SERIES,
        "{\"profileTypeID\":\"" CPU "\",\"step\":56.25}", &plan, &err),
        PYRO_OK);
    assert_int_equal(plan.series.step, 56250);
    assert_int_equal(plan.series.start, 0);
    assert_int_equal(plan.series.limit, 0);
    assert_true(plan.end > defaults.now);
    pyro_plan_free(&plan);

    /* nothing overflows */

    assert_int_equal(plan_json(arena, PYRO_RPC_SELECT_SERIES,
        "{\"profileTypeID\":\"" CPU "\",\"step\":1e300,"
        "\"start\":\"-9223372036854775808\",\"end\":\"9223372036854775807\"}",
        &plan, &err), PYRO_OK);
    assert_int_equal(plan.start, INT64_MIN);
    assert_true(plan.end > defaults.now);
    pyro_plan_free(&plan);

    assert_int_equal(plan_json(arena, PYRO_RPC_SELECT_SERIES,
        "{\"profileTypeID\":\"" CPU "\",\"step\":\"Infinity\","
        "\"start\":\"9223372036854775807\",\"end\":\"9223372036854775807\"}",
        &plan, &err), PYRO_OK);
    pyro_plan_free(&plan);
    pyro_arena_destroy(arena);
}


static void
plan_ranges(void **state)
{
    size_t                  i;
    char                    body[128];
    int64_t                 now;
    pyro_plan_t             plan;
    pyro_arena_t           *arena;
    pyro_error_t            err;
    pyro_status_e           status;
    pyro_querier_limits_t   limits;

    static const struct {
        int64_t  start;         /* ms, as they come */
        int64_t  end;
        int64_t  from;          /* ms, -1: 400 */
        int64_t  until;         /* ms, 0: open */
    } cases[] = {
        { 0, 0, 0, 0 },
        { 1000, 0, 1000, 0 },
        { 0, 1000, 0, 1000 },
        { 1000, 4000, 1000, 4000 },
        { 1000, 1000, 1000, 1000 },
        { 1001, 1000, -1, 0 },
        { 1, -1, -1, 0 },
    };

    (void) state;

    arena = pyro_arena_create(0);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(body, sizeof(body), "{\"start\":%ld,\"end\":\"%ld\"}",
                 (long) cases[i].start, (long) cases[i].end);
        status = plan_json(arena, PYRO_RPC_PROFILE_TYPES, body, &plan, &err);
        assert_int_equal(status, cases[i].from < 0 ? PYRO_INVALID : PYRO_OK);

        if (status == PYRO_OK) {
            assert_int_equal(plan.n_selectors, 0);
            assert_int_equal(plan.start, cases[i].from * 1000000);
            assert_int_equal(plan.end, cases[i].until
                                       ? cases[i].until * 1000000 : INT64_MAX);
        }
    }

    limits = defaults;
    limits.max_query_length = 24 * 3600;
    limits.max_query_lookback = 7 * 24 * 3600;
    now = limits.now / 1000000;

    /* the last two days: longer than a day */

    snprintf(body, sizeof(body), "{\"start\":%ld,\"end\":%ld}",
             (long) (now - 48 * HOUR_MS), (long) now);
    assert_int_equal(pyro_plan_decode(arena, PYRO_RPC_LABEL_NAMES,
                                      PYRO_CODEC_JSON, pyro_slice_str(body),
                                      &limits, &plan, &err), PYRO_INVALID);
    assert_non_null(strstr(err.message,
                           "max_query_length, actual: 172800s, limit: 86400s"));

    /* eight days ago until six and a half days ago: clipped to half a day */

    snprintf(body, sizeof(body), "{\"start\":%ld,\"end\":%ld}",
             (long) (now - 8 * 24 * HOUR_MS), (long) (now - 156 * HOUR_MS));
    assert_int_equal(pyro_plan_decode(arena, PYRO_RPC_LABEL_NAMES,
                                      PYRO_CODEC_JSON, pyro_slice_str(body),
                                      &limits, &plan, &err), PYRO_OK);
    assert_int_equal(plan.start, (now - 7 * 24 * HOUR_MS) * 1000000);
    assert_int_equal(plan.end, (now - 156 * HOUR_MS) * 1000000);

    /* wholly before: nothing can be there */

    assert_int_equal(pyro_plan_decode(arena, PYRO_RPC_PROFILE_TYPES,
                                      PYRO_CODEC_JSON, PYRO_SLICE(
                                      "{\"start\":1000,\"end\":4000}"),
                                      &limits, &plan, &err), PYRO_OK);
    assert_true(plan.start > limits.now * 2);
    assert_true(plan.end >= plan.start);

    pyro_arena_destroy(arena);
}


static void
plan_of_label_calls(void **state)
{
    pyro_plan_t    plan;
    pyro_arena_t  *arena;
    pyro_error_t   err;

    (void) state;

    arena = pyro_arena_create(0);
    assert_int_equal(plan_json(arena, PYRO_RPC_SERIES,
        "{\"matchers\":[\"{a=\\\"b\\\"}\",\"\",\"" CPU "{}\"],"
        "\"labelNames\":[\"service_name\",\"__profile_type__\"]}", &plan,
        &err), PYRO_OK);
    assert_int_equal(plan.n_selectors, 3);
    assert_int_equal(plan.selectors[1].n, 0);
    assert_true(pyro_slice_is(plan.selectors[2].items[0].value, CPU));
    assert_int_equal(plan.n_label_names, 2);
    pyro_plan_free(&plan);

    assert_int_equal(plan_json(arena, PYRO_RPC_LABEL_VALUES,
                               "{\"name\":\"service_name\"}", &plan, &err),
                     PYRO_OK);
    assert_true(pyro_slice_is(plan.label, "service_name"));
    assert_int_equal(plan.n_selectors, 0);
    pyro_plan_free(&plan);

    /* an empty binary body is the empty message */

    assert_int_equal(pyro_plan_decode(arena, PYRO_RPC_PROFILE_TYPES,
                                      PYRO_CODEC_PROTO, PYRO_SLICE(""),
                                      &defaults, &plan, &err), PYRO_OK);
    assert_int_equal(plan.end, INT64_MAX);
    pyro_plan_free(&plan);
    pyro_arena_destroy(arena);
}


static pyro_label_t  order_cpu[] = {
    { PYRO_SLICE("__profile_type__"), PYRO_SLICE(CPU) },
    { PYRO_SLICE("otel.scope.name"), PYRO_SLICE("s") },
    { PYRO_SLICE("region"), PYRO_SLICE("us") },
    { PYRO_SLICE("service_name"), PYRO_SLICE("order") },
};

static pyro_label_t  catalog_cpu[] = {
    { PYRO_SLICE("__profile_type__"), PYRO_SLICE(CPU) },
    { PYRO_SLICE("service_name"), PYRO_SLICE("catalog") },
};

static pyro_label_t  catalog_alloc[] = {
    { PYRO_SLICE("__profile_type__"), PYRO_SLICE("memory:alloc:bytes::") },
    { PYRO_SLICE("service_name"), PYRO_SLICE("catalog") },
};


static char *
label_answer(pyro_arena_t *arena, pyro_rpc_e rpc, const char *body, int utf8,
    int empty, pyro_status_e *status)
{
    char                 *text;
    size_t                i;
    pyro_plan_t           plan;
    pyro_rope_t           rope;
    pyro_error_t          err;
    pyro_label_answer_t  *answer;

    const pyro_labels_t  sets[] = {
        { order_cpu, 4 }, { catalog_cpu, 2 }, { catalog_alloc, 2 },
        { order_cpu, 4 }
    };

    *status = plan_json(arena, rpc, body, &plan, &err);
    plan.utf8_names = utf8;
    answer = *status == PYRO_OK ? pyro_label_answer_create(arena, &plan) : NULL;

    if (answer == NULL) {
        *status = PYRO_UNAVAILABLE;
        return NULL;
    }

    for (i = 0; !empty && *status == PYRO_OK && i < 4; i++) {
        *status = pyro_label_answer_add(answer, &sets[i], &err);
    }

    text = NULL;
    pyro_rope_init(&rope, 0);

    if (*status == PYRO_OK) {
        *status = pyro_label_answer_encode(answer, PYRO_CODEC_JSON, &rope,
                                           &err);
        text = rope_text(&rope);
    }

    pyro_rope_free(&rope);
    pyro_plan_free(&plan);

    return text;
}


static void
label_answer_is(pyro_rpc_e rpc, const char *body, int utf8, const char *want)
{
    char           *text;
    pyro_arena_t   *arena;
    pyro_status_e   status;

    arena = pyro_arena_create(0);
    text = label_answer(arena, rpc, body, utf8, 0, &status);
    assert_int_equal(status, PYRO_OK);
    assert_string_equal(text, want);
    free(text);

    text = label_answer(arena, rpc, body, utf8, 1, &status);
    assert_int_equal(status, PYRO_OK);
    assert_string_equal(text, "{}");
    free(text);

    pyro_arena_destroy(arena);
}


static void
label_answers(void **state)
{
    (void) state;

    label_answer_is(PYRO_RPC_PROFILE_TYPES, "{}", 0,
        "{\"profileTypes\":[{\"ID\":\"memory:alloc:bytes::\",\"name\":"
        "\"memory\",\"sampleType\":\"alloc\",\"sampleUnit\":\"bytes\"},"
        "{\"ID\":\"" CPU "\",\"name\":\"process_cpu\",\"sampleType\":\"cpu\","
        "\"sampleUnit\":\"nanoseconds\",\"periodType\":\"cpu\","
        "\"periodUnit\":\"nanoseconds\"}]}");

    label_answer_is(PYRO_RPC_LABEL_NAMES, "{}", 0,
        "{\"names\":[\"__profile_type__\",\"region\",\"service_name\"]}");
    label_answer_is(PYRO_RPC_LABEL_NAMES, "{}", 1,
        "{\"names\":[\"__profile_type__\",\"otel.scope.name\",\"region\","
        "\"service_name\"]}");

    label_answer_is(PYRO_RPC_LABEL_VALUES, "{\"name\":\"service_name\"}", 0,
        "{\"names\":[\"catalog\",\"order\"]}");
    label_answer_is(PYRO_RPC_LABEL_VALUES, "{\"name\":\"otel.scope.name\"}", 0,
        "{\"names\":[\"s\"]}");
    label_answer_is(PYRO_RPC_LABEL_VALUES, "{\"name\":\"none\"}", 0, "{}");

    label_answer_is(PYRO_RPC_SERIES, "{\"labelNames\":[\"service_name\"]}", 0,
        "{\"labelsSet\":[{\"labels\":[{\"name\":\"service_name\",\"value\":"
        "\"catalog\"}]},{\"labels\":[{\"name\":\"service_name\",\"value\":"
        "\"order\"}]}]}");

    /* two of them have no region: one empty set */

    label_answer_is(PYRO_RPC_SERIES, "{\"labelNames\":[\"region\"]}", 0,
        "{\"labelsSet\":[{},{\"labels\":[{\"name\":\"region\",\"value\":"
        "\"us\"}]}]}");
    label_answer_is(PYRO_RPC_SERIES,
        "{\"labelNames\":[\"otel.scope.name\"]}", 0, "{\"labelsSet\":[{}]}");
    label_answer_is(PYRO_RPC_SERIES,
        "{\"labelNames\":[\"otel.scope.name\"]}", 1,
        "{\"labelsSet\":[{},{\"labels\":[{\"name\":\"otel.scope.name\","
        "\"value\":\"s\"}]}]}");
    label_answer_is(PYRO_RPC_SERIES, "{}", 0,
        "{\"labelsSet\":[{\"labels\":[{\"name\":\"__profile_type__\",\"value\":"
        "\"memory:alloc:bytes::\"},{\"name\":\"service_name\",\"value\":"
        "\"catalog\"}]},{\"labels\":[{\"name\":\"__profile_type__\",\"value\":"
        "\"" CPU "\"},{\"name\":\"region\",\"value\":\"us\"},{\"name\":"
        "\"service_name\",\"value\":\"order\"}]},{\"labels\":[{\"name\":"
        "\"__profile_type__\",\"value\":\"" CPU "\"},{\"name\":"
        "\"service_name\",\"value\":\"catalog\"}]}]}");
}


static void
label_answers_report_no_memory(void **state)
{
    int             rpc, done;
    char           *text;
    size_t          budget;
    pyro_arena_t   *arena;
    pyro_status_e   status;

    (void) state;

    for (rpc = PYRO_RPC_PROFILE_TYPES; rpc <= PYRO_RPC_SERIES; rpc++) {

        for (budget = 16, done = 0; !done; budget += 64) {
            assert_true(budget < 256 * 1024);
            arena = pyro_arena_create(budget);
            text = label_answer(arena, rpc, "{\"name\":\"service_name\","
                                "\"labelNames\":[\"service_name\"]}", 0, 0,
                                &status);
            done = status == PYRO_OK;
            assert_true(done || status == PYRO_UNAVAILABLE);
            free(text);
            pyro_arena_destroy(arena);
        }
    }
}


static void
flamegraph_answers(void **state)
{
    pyro_plan_t  plan;
    char               *text;
    uint32_t            node;
    pyro_tree_t        *tree;
    pyro_rope_t         rope;
    pyro_arena_t       *arena;
    pyro_error_t        err;
    pyro_flamegraph_t   graph;

    (void) state;
    memset(&plan, 0, sizeof(plan));

    arena = pyro_arena_create(0);
    tree = pyro_tree_create(arena);
    assert_int_equal(pyro_flamegraph_build(tree, 0, &graph, &err), PYRO_OK);
    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_flamegraph_encode(arena, &graph, PYRO_CODEC_JSON,
                                            &rope, &err), PYRO_OK);
    text = rope_text(&rope);
    assert_string_equal(text, "{\"flamegraph\":{\"names\":[\"total\"],"
                        "\"levels\":[{\"values\":[\"0\",\"0\",\"0\",\"0\"]}]"
                        "}}");
    free(text);
    pyro_rope_free(&rope);

    node = pyro_tree_node(tree, 0, pyro_tree_name(tree, PYRO_SLICE("a\"b")));
    pyro_tree_add(tree, node, 7);
    assert_int_equal(pyro_flamegraph_build(tree, 0, &graph, &err), PYRO_OK);
    assert_int_equal(pyro_flamegraph_encode(arena, &graph, PYRO_CODEC_JSON,
                                            &rope, &err), PYRO_OK);
    text = rope_text(&rope);
    assert_string_equal(text, "{\"flamegraph\":{\"names\":[\"total\","
                        "\"a\\\"b\"],\"levels\":[{\"values\":[\"0\",\"7\","
                        "\"0\",\"0\"]},{\"values\":[\"0\",\"7\",\"7\",\"1\"]}"
                        "],\"total\":\"7\",\"maxSelf\":\"7\"}}");
    free(text);
    pyro_rope_free(&rope);

    assert_int_equal(pyro_flamegraph_encode(arena, &graph, PYRO_CODEC_PROTO,
                                            &rope, &err), PYRO_OK);
    text = rope_text(&rope);
    assert_int_equal(rope.size, 2 + 7 + 5 + 8 + 8 + 2 + 2);
    assert_memory_equal(text, "\x0a\x20\x0a\x05total\x0a\x03" "a\"b"
                        "\x12\x06\x0a\x04\0\x07\0\0"
                        "\x12\x06\x0a\x04\0\x07\x07\x01\x18\x07\x20\x07",
                        rope.size);
    free(text);
    pyro_rope_free(&rope);

    pyro_rope_init(&rope, 10);
    assert_int_equal(pyro_flamegraph_encode(arena, &graph, PYRO_CODEC_JSON,
                                            &rope, &err), PYRO_UNPROCESSABLE);
    pyro_rope_free(&rope);
    pyro_arena_destroy(arena);

    arena = pyro_arena_create(16);
    assert_int_equal(pyro_flamegraph_encode(arena, &graph, PYRO_CODEC_JSON,
                                            &rope, &err), PYRO_UNAVAILABLE);
    assert_int_equal(pyro_series_encode(arena, &plan, NULL, 0,
                                        PYRO_CODEC_JSON, &rope, &err),
                     PYRO_UNAVAILABLE);
    pyro_arena_destroy(arena);
}


static void
series_answers(void **state)
{
    pyro_plan_t  plan;
    char           *text;
    pyro_rope_t     rope;
    pyro_point_t    points[] = {
        { 1000000, 6, NULL }, { 1015000, 2.5, NULL }
    };
    pyro_label_t    label = { PYRO_SLICE("jfr_event"), PYRO_SLICE("itimer") };
    pyro_arena_t   *arena;
    pyro_error_t    err;
    pyro_series_t   series[] = {
        { { &label, 1 }, points, 2, 8.5 }, { { NULL, 0 }, points, 1, 6 }
    };

    (void) state;
    memset(&plan, 0, sizeof(plan));

    arena = pyro_arena_create(0);
    pyro_rope_init(&rope, 0);
    assert_int_equal(pyro_series_encode(arena, &plan, series, 2,
                                        PYRO_CODEC_JSON, &rope, &err), PYRO_OK);
    text = rope_text(&rope);
    assert_string_equal(text, "{\"series\":[{\"labels\":[{\"name\":"
        "\"jfr_event\",\"value\":\"itimer\"}],\"points\":[{\"value\":6,"
        "\"timestamp\":\"1000000\"},{\"value\":2.5,\"timestamp\":\"1015000\"}]"
        "},{\"points\":[{\"value\":6,\"timestamp\":\"1000000\"}]}]}");
    free(text);
    pyro_rope_free(&rope);

    assert_int_equal(pyro_series_encode(arena, &plan, series, 0,
                                        PYRO_CODEC_JSON, &rope, &err), PYRO_OK);
    text = rope_text(&rope);
    assert_string_equal(text, "{}");
    free(text);
    pyro_rope_free(&rope);
    pyro_arena_destroy(arena);
}


static void
plans_report_no_memory(void **state)
{
    int             done;
    size_t          budget;
    pyro_plan_t     plan;
    pyro_arena_t   *arena;
    pyro_error_t    err;
    pyro_status_e   status;

    (void) state;

    for (budget = 16, done = 0; !done; budget += 16) {
        assert_true(budget < 256 * 1024);
        arena = pyro_arena_create(budget);
        status = plan_json(arena, PYRO_RPC_SELECT_SERIES,
            "{\"profileTypeID\":\"" CPU "\",\"step\":1,\"groupBy\":[\"a\"],"
            "\"labelSelector\":\"{a=~\\\"b\\\",c=\\\"\\\\t\\\"}\"}", &plan,
            &err);
        done = status == PYRO_OK;
        assert_true(done || status == PYRO_UNAVAILABLE);

        if (done) {
            pyro_plan_free(&plan);
        }

        pyro_arena_destroy(arena);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(plans_are_refused),
        cmocka_unit_test(plan_of_a_flame_graph),
        cmocka_unit_test(plan_of_a_time_series),
        cmocka_unit_test(plan_ranges),
        cmocka_unit_test(plan_of_label_calls),
        cmocka_unit_test(plans_report_no_memory),
        cmocka_unit_test(label_answers),
        cmocka_unit_test(label_answers_report_no_memory),
        cmocka_unit_test(flamegraph_answers),
        cmocka_unit_test(series_answers),
    };

    return unit_run(tests);
}
