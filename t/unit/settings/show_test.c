#include "settings_fixture.h"

#include "core/settings/keys.h"
#include "core/settings/show.h"


static void
parse(const char *text, pyro_settings_t *settings)
{
    if (pyro_settings_parse(arena, "f.yml", pyro_slice_str(text), settings,
                            &err) != PYRO_OK)
    {
        fail_msg("%s\n%s", err.message, text);
    }
}


/* What is shown; ends with a zero byte. */
static const char *
shown(const pyro_settings_t *settings)
{
    pyro_rope_t   rope;
    pyro_slice_t  text;

    pyro_rope_init(&rope, 0);
    pyro_settings_show(settings, &rope);
    pyro_rope_append(&rope, "", 1);
    text = pyro_rope_flat(&rope, arena);
    pyro_rope_free(&rope);

    assert_non_null(text.data);

    return text.data;
}


/* Field by field: a struct has holes, and texts are pointers. */
static void
same(const pyro_settings_t *a, const pyro_settings_t *b, const char *what)
{
    size_t             i;
    const char        *x, *y;
    const pyro_key_t  *key;

    for (i = 0; i < pyro_keys_count; i++) {
        key = &pyro_keys[i];

        if (key->size == 0) {
            continue;
        }

        x = (const char *) a + key->offset;
        y = (const char *) b + key->offset;

        if (key->type == PYRO_KEY_TEXT) {
            memcpy(&x, x, sizeof(x));
            memcpy(&y, y, sizeof(y));
            x = x ? x : "";
            y = y ? y : "";

            if (strcmp(x, y) != 0) {
                fail_msg("%s: %s: \"%s\", \"%s\"", what, key->path, x, y);
            }

        } else if (memcmp(x, y, key->size) != 0) {
            fail_msg("%s: %s differs", what, key->path);
        }

        if (key->given) {
            assert_int_equal(((const uint8_t *) a)[key->given],
                             ((const uint8_t *) b)[key->given]);
        }
    }
}


/* Back again; shown twice it is the same. */
static const char *
trip(const pyro_settings_t *settings, const char *what)
{
    const char       *text;
    pyro_settings_t   back;

    text = shown(settings);
    parse(text, &back);
    same(settings, &back, what);
    assert_string_equal(shown(&back), text);

    return text;
}


static int
has(const char *text, const char *line)
{
    char  whole[256];

    snprintf(whole, sizeof(whole), "\n%s\n", line);

    return strstr(text, whole) != NULL;
}


static void
show_defaults(void **state)
{
    const char       *text;
    pyro_settings_t   settings;

    static const char  begin[] =
        "server:\n"
        "  http_listen_address: \"\"\n"
        "  http_listen_port: 4040\n"
        "  # log_level: info\n"
        "  grpc_listen_port: 0\n"
        "storage:\n"
        "  filesystem:\n"
        "    dir: \"./data\"\n"
        "compactor:\n";

    (void) state;

    parse("", &settings);
    text = trip(&settings, "defaults");

    assert_true(strncmp(text, begin, sizeof(begin) - 1) == 0);
    assert_true(has(text, "  reject_newer_than: 10m"));
    assert_true(has(text, "  max_profile_size_bytes: 64MiB"));
    assert_true(has(text, "  partition: 1d"));
    assert_true(has(text, "  durability: commit"));
    assert_true(has(text, "  map_size: auto"));
    assert_true(has(text, "  seal_after: 2h"));
    assert_true(has(text, "  queue_age: 5s"));
    assert_true(has(text, "  min_free_disk: 1%"));
    assert_true(has(text, "  max_disk_size: 0"));
}


/* A value that is not the default, for each key, alone and with all others;
 * the line that is shown of it then, NULL: see below. */
static const struct {
    const char  *path;
    const char  *file;
    const char  *line;
} values[] = {
    { "server.http_listen_address", "::1", "  http_listen_address: \"::1\"" },
    { "server.http_listen_port", "1", "  http_listen_port: 1" },
    { "server.log_level", "error", "  log_level: error" },
    { "server.grpc_listen_port", "9095", "  grpc_listen_port: 9095" },
    { "storage.filesystem.dir", "/a b", "    dir: \"/a b\"" },
    { "compactor.retention_period", "90d", NULL },
    { "limits.retention_period", "13w", NULL },
    { "limits.compactor_blocks_retention_period", "100y", NULL },
    { "limits.max_profile_size_bytes", "1025", "  max_profile_size_bytes: "
      "1025" },
    { "limits.max_label_names_per_series", "1000",
      "  max_label_names_per_series: 1000" },
    { "limits.max_label_name_length", "65535",
      "  max_label_name_length: 65535" },
    { "limits.max_label_value_length", "7", "  max_label_value_length: 7" },
    { "limits.max_flamegraph_nodes_default", "9",
      "  max_flamegraph_nodes_default: 9" },
    { "limits.max_flamegraph_nodes_max", "0",
      "  max_flamegraph_nodes_max: 16777216" },
    { "limits.max_query_length", "1d1h", "  max_query_length: 25h" },
    { "limits.max_query_lookback", "61s", "  max_query_lookback: 61s" },
    { "limits.reject_older_than", "24h", "  reject_older_than: 1d" },
    { "limits.reject_newer_than", "0", "  reject_newer_than: 0" },
    { "limits.ingestion_rate_mb", "4.25", "  ingestion_rate_mb: 4.25" },
    { "limits.ingestion_burst_size_mb", "0.000001",
      "  ingestion_burst_size_mb: 0.000001" },
    { "limits.ingestion_rate_pushes", "7", "  ingestion_rate_pushes: 7" },
    { "limits.ingestion_burst_pushes", "1000000",
      "  ingestion_burst_pushes: 1000000" },
    { "limits.max_global_series_per_tenant", "5000",
      "  max_global_series_per_tenant: 5000" },
    { "lmdb.partition", "7d", "  partition: 1w" },
    { "lmdb.durability", "periodic", "  durability: periodic" },
    { "lmdb.map_size", "64TiB", "  map_size: 64TiB" },
    { "lmdb.queue_pushes", "1000000", "  queue_pushes: 1000000" },
    { "lmdb.queue_bytes", "1TiB", "  queue_bytes: 1TiB" },
    { "lmdb.queue_age", "1500ms", "  queue_age: 1500ms" },
    { "lmdb.max_disk_size", "9223372036854775807",
      "  max_disk_size: 9223372036854775807" },
    { "lmdb.seal_after", "36500d", "  seal_after: 100y" },
    { "lmdb.keep_raw", "1y", "  keep_raw: 1y" },
    { "lmdb.keep_1h", "2y", "  keep_1h: 2y" },
    { "lmdb.min_free_disk", "100%", "  min_free_disk: 100%" },
    { "lmdb.max_late_partitions", "2147483647",
      "  max_late_partitions: 2147483647" },
    { "lmdb.parse_bytes", "1GB", "  parse_bytes: 1000000000" },
    { "query.timeout", "100ms", "  timeout: 100ms" },
    { "query.max_concurrent", "1024", "  max_concurrent: 1024" },
    { "query.max_memory", "1TB", "  max_memory: 976562500KiB" },
    { "query.max_series", "10000000", "  max_series: 10000000" },
    { "query.max_response_bytes", "4GiB", "  max_response_bytes: 4GiB" },
    { "multitenancy_enabled", "yes", "multitenancy_enabled: true" },
    { "runtime_config.file", "/dev/null", "  file: \"/dev/null\"" },
};

#define VALUES  (sizeof(values) / sizeof(values[0]))


/* "a.b.c: value" to a file; sections of all keys are told once. */
static void
file_add(char *text, size_t size, const char *last, const char *path,
    const char *value)
{
    int          depth, same;
    size_t       len;
    const char  *p, *dot;

    len = strlen(text);
    same = 1;

    for (p = path, depth = 0; (dot = strchr(p, '.')) != NULL; p = dot + 1) {
        same = same && strncmp(path, last, (size_t) (dot + 1 - path)) == 0;

        if (!same) {
            len += (size_t) snprintf(text + len, size - len, "%*s%.*s:\n",
                                     depth * 2, "", (int) (dot - p), p);
        }

        depth++;
    }

    snprintf(text + len, size - len, "%*s%s: \"%s\"\n", depth * 2, "", p,
             value);
}


static void
show_each_key(void **state)
{
    char              text[8192];
    size_t            i, n;
    pyro_settings_t   settings, defaults;

    (void) state;

    parse("", &defaults);

    for (i = 0, n = 0; i < pyro_keys_count; i++) {
        if (pyro_keys[i].size == 0) {
            continue;
        }

        /* a new key needs a row above, in the table's order */

        assert_true(n < VALUES);
        assert_string_equal(values[n].path, pyro_keys[i].path);

        text[0] = '\0';
        file_add(text, sizeof(text), "", values[n].path, values[n].file);
        parse(text, &settings);

        if (pyro_keys[i].type != PYRO_KEY_TEXT) {
            assert_memory_not_equal((char *) &settings + pyro_keys[i].offset,
                                    (char *) &defaults + pyro_keys[i].offset,
                                    pyro_keys[i].size);
        }

        (void) trip(&settings, values[n].path);
        n++;
    }

    assert_int_equal(n, VALUES);
}


static void
show_tenants(void **state)
{
    uint32_t          i;
    const char       *text;
    pyro_settings_t   settings, back;

    (void) state;

    parse("limits: {max_query_length: 1h}\n"
          "overrides:\n"
          "  it's(*): {max_query_length: 2h}\n"
          "  b: {retention_period: 90d, max_flamegraph_nodes_max: 10}\n",
          &settings);
    text = trip(&settings, "tenants");

    assert_true(has(text, "  \"it's(*)\":"));
    assert_true(has(text, "    max_query_length: 2h"));
    assert_true(has(text, "  \"b\":"));
    assert_true(has(text, "    compactor_blocks_retention_period: 90d"));
    assert_true(has(text, "    max_flamegraph_nodes_default: 10"));

    parse(text, &back);
    assert_int_equal(back.n_tenants, 2);

    for (i = 0; i < 2; i++) {
        assert_true(pyro_slice_eq(back.tenants[i].name,
                                  settings.tenants[i].name));
        settings.limits = settings.tenants[i].limits;
        back.limits = back.tenants[i].limits;
        same(&settings, &back, "a tenant");
    }
}


static void
show_all_keys(void **state)
{
    char              text[8192];
    size_t            i;
    const char       *all;
    pyro_settings_t   settings;

    (void) state;

    text[0] = '\0';

    for (i = 0; i < VALUES; i++) {
        file_add(text, sizeof(text), i ? values[i - 1].path : "",
                 values[i].path, values[i].file);
    }

    parse(text, &settings);
    all = trip(&settings, "all");

    for (i = 0; i < VALUES; i++) {
        if (values[i].line != NULL && !has(all, values[i].line)) {
            fail_msg("no \"%s\" in\n%s", values[i].line, all);
        }
    }

    /* of three keys with one field the shortest counts */

    assert_true(has(all, "compactor:\n  retention_period: 90d"));
    assert_true(has(all, "limits:\n  retention_period: 90d\n"
                    "  compactor_blocks_retention_period: 90d"));
}


/* Zeros that are written as words, and 0 that is none. */
static void
show_words(void **state)
{
    const char       *text;
    pyro_settings_t   settings;

    (void) state;

    parse("lmdb:\n  seal_after: off\n  map_size: auto\n"
          "  min_free_disk: 0\n  durability: nometasync\n"
          "server:\n  log_level: info\n", &settings);
    text = trip(&settings, "words");

    assert_true(has(text, "  seal_after: off"));
    assert_true(has(text, "  map_size: auto"));
    assert_true(has(text, "  min_free_disk: 0"));
    assert_true(has(text, "  durability: nometasync"));
    assert_true(has(text, "  log_level: info"));

    parse("lmdb:\n  min_free_disk: 3GiB\n", &settings);
    assert_true(has(trip(&settings, "a share of bytes"),
                    "  min_free_disk: 3GiB"));
}


/* Whatever a variable can bring in. */
static void
show_texts(void **state)
{
    char              dir[4001];
    size_t            i;
    const char       *text;
    pyro_settings_t   settings;

    static const char *const  texts[] = {
        "a\"b\\c", "$", "$$", "${HOME}", "$${HOME:-x}", "# no comment",
        "key: value", " blanks ", "'", "null", "~", "on", "1", "*a", "&a",
        "!tag", "%", "- a", "{}", "[", "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x94\xa5",
        "\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0", "\xe2\x80\xa8\xe2\x80\xa9",
        "\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf",
        "\xf4\x8f\xbf\xbf", "\\n", "a\\"
    };

    (void) state;

    parse("", &settings);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        settings.storage.dir = (char *) texts[i];
        settings.server.http_listen_address = (char *) texts[i];
        (void) trip(&settings, texts[i]);
    }

    for (i = 0; i < sizeof(dir) - 1; i++) {
        dir[i] = "$\"\\a"[i % 4];
    }

    dir[i] = '\0';
    settings.storage.dir = dir;
    settings.server.http_listen_address = NULL;
    text = trip(&settings, "long");
    assert_true(strlen(text) > 7000);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        TEST(show_defaults),
        TEST(show_each_key),
        TEST(show_tenants),
        TEST(show_all_keys),
        TEST(show_words),
        TEST(show_texts),
    };

    return unit_run(tests);
}
