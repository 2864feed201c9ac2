#include "settings_fixture.h"

#include <unistd.h>

#include "core/settings/known.h"
#include "core/settings/settings.h"


typedef struct {
    const char  *text;
    const char  *message;
} bad_t;


static pyro_settings_t   settings;


static void
accepted(const char *text)
{
    if (pyro_settings_parse(arena, "f.yml", pyro_slice_str(text), &settings,
                            &err) != PYRO_OK)
    {
        fail_msg("\"%s\": %s", text, err.message);
    }
}


static void
refused(const bad_t *bad, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        memset(&err, 0, sizeof(err));
        assert_int_equal(pyro_settings_parse(arena, "f.yml",
                                             pyro_slice_str(bad[i].text),
                                             &settings, &err), PYRO_INVALID);

        if (strstr(err.message, bad[i].message) != err.message) {
            fail_msg("\"%s\": \"%s\" does not begin with \"%s\"", bad[i].text,
                     err.message, bad[i].message);
        }
    }
}


static void
settings_defaults(void **state)
{
    (void) state;

    accepted("");

    assert_null(settings.server.http_listen_address);
    assert_int_equal(settings.server.http_listen_port, 4040);
    assert_int_equal(settings.server.log_level, PYRO_LOG_INFO);
    assert_int_equal(settings.server.log_level_set, 0);
    assert_string_equal(settings.storage.dir, "./data");

    assert_int_equal(settings.limits.retention_period, 0);
    assert_int_equal(settings.limits.max_profile_size_bytes, 64 << 20);
    assert_int_equal(settings.limits.max_label_names_per_series, 64);
    assert_int_equal(settings.limits.max_label_name_length, 1024);
    assert_int_equal(settings.limits.max_label_value_length, 2048);
    assert_int_equal(settings.limits.max_flamegraph_nodes_default, 8192);
    assert_int_equal(settings.limits.max_flamegraph_nodes_max, 1048576);
    assert_int_equal(settings.limits.max_query_length, 0);
    assert_int_equal(settings.limits.max_query_lookback, 0);
    assert_int_equal(settings.limits.reject_older_than, 0);
    assert_int_equal(settings.limits.reject_newer_than, 600);

    assert_int_equal(settings.lmdb.partition, 86400);
    assert_int_equal(settings.lmdb.durability, 0);
    assert_int_equal(settings.lmdb.map_size, 0);
    assert_int_equal(settings.lmdb.queue_pushes, 4096);
    assert_int_equal(settings.lmdb.queue_bytes, 64 << 20);
    assert_int_equal(settings.lmdb.queue_age, 5000);
    assert_int_equal(settings.lmdb.parse_bytes, 256 << 20);

    assert_int_equal(settings.query.timeout, 60000);
    assert_int_equal(settings.query.max_concurrent, 64);
    assert_int_equal(settings.query.max_memory, 512 << 20);
    assert_int_equal(settings.query.max_series, 100000);
    assert_int_equal(settings.query.max_response_bytes, 256 << 20);

    assert_int_equal(settings.n_variables, 0);
    assert_null(settings.ignored);
}


/* all keys without a value are the same as none */

static void
settings_nulls(void **state)
{
    (void) state;

    accepted("server:\n"
             "  http_listen_port:\n"
             "  http_listen_address: ''\n"
             "  log_level: ~\n"
             "  http_tls_config:\n"
             "    cert_file: ''\n"
             "    key_file:\n"
             "storage:\n"
             "  backend: null\n"
             "  filesystem:\n"
             "limits: {}\n"
             "scrape_configs:\n"
             "overrides: {}\n"
             "runtime_config:\n"
             "  file: ''\n"
             "ingest:\n"
             "  relabel: []\n"
             "api:\n");

    assert_int_equal(settings.server.http_listen_port, 4040);
    assert_int_equal(settings.server.log_level_set, 0);
    assert_null(settings.server.http_listen_address);
    assert_string_equal(settings.storage.dir, "./data");
    assert_string_equal(settings.ignored, "api");
}


static void
settings_of_a_deployment(void **state)
{
    (void) state;

    accepted("server:\n"
             "  http_listen_port: 4040\n"
             "  log_level: warn\n"
             "storage:\n"
             "  backend: filesystem\n"
             "  filesystem:\n"
             "    dir: /var/pyroscope/data\n"
             "scrape_configs: []\n");

    assert_int_equal(settings.server.http_listen_port, 4040);
    assert_int_equal(settings.server.log_level, PYRO_LOG_WARN);
    assert_int_equal(settings.server.log_level_set, 1);
    assert_string_equal(settings.storage.dir, "/var/pyroscope/data");
    assert_null(settings.ignored);
}


static void
settings_of_the_shipped_file(void **state)
{
    pyro_settings_t  defaults;

    (void) state;

    accepted("");
    defaults = settings;

    assert_int_equal(pyro_settings_read(arena, "pyroscope-config.yml",
                                        &settings, &err), PYRO_OK);

    assert_int_equal(settings.n_variables, 2);
    assert_string_equal(settings.variables[0], "PYROSCOPE_PORT");
    assert_string_equal(settings.variables[1], "PYROSCOPE_DATA");
    assert_null(settings.ignored);
    assert_null(settings.server.http_listen_address);
    assert_string_equal(settings.storage.dir, defaults.storage.dir);
    assert_int_equal(settings.server.log_level_set, 1);

    /* and all numbers */

    settings.server.log_level_set = 0;
    settings.storage.dir = defaults.storage.dir;
    settings.variables = NULL;
    settings.n_variables = 0;
    assert_memory_equal(&settings, &defaults, sizeof(pyro_settings_t));

    setenv("PYROSCOPE_PORT", "4041", 1);
    setenv("PYROSCOPE_DATA", "/srv/profiles", 1);
    assert_int_equal(pyro_settings_read(arena, "pyroscope-config.yml",
                                        &settings, &err), PYRO_OK);
    assert_int_equal(settings.server.http_listen_port, 4041);
    assert_string_equal(settings.storage.dir, "/srv/profiles");
}


static void
settings_read_values(void **state)
{
    (void) state;

    setenv("PYRO_T_HOST", "127.0.0.1", 1);

    accepted("server:\n"
             "  http_listen_address: ${PYRO_T_HOST}\n"
             "  http_listen_port: '8080'\n"
             "  log_level: error\n"
             "storage: {filesystem: {dir: \"/a b/c\"}}\n"
             "limits:\n"
             "  max_profile_size_bytes: 4194304\n"
             "  max_query_length: 1d\n"
             "  max_query_lookback: 1w\n"
             "  reject_older_than: 1h\n"
             "  reject_newer_than: 0s\n"
             "lmdb:\n"
             "  partition: 1h\n"
             "  durability: periodic\n"
             "  map_size: 10G\n"
             "  queue_age: 1500ms\n"
             "query:\n"
             "  timeout: 1m30s\n"
             "  max_memory: 1GB\n");

    assert_string_equal(settings.server.http_listen_address, "127.0.0.1");
    assert_int_equal(settings.server.http_listen_port, 8080);
    assert_int_equal(settings.server.log_level, PYRO_LOG_ERROR);
    assert_string_equal(settings.storage.dir, "/a b/c");
    assert_int_equal(settings.limits.max_profile_size_bytes, 4194304);
    assert_int_equal(settings.limits.max_query_length, 86400);
    assert_int_equal(settings.limits.max_query_lookback, 7 * 86400);
    assert_int_equal(settings.limits.reject_older_than, 3600);
    assert_int_equal(settings.limits.reject_newer_than, 0);
    assert_int_equal(settings.lmdb.partition, 3600);
    assert_int_equal(settings.lmdb.durability, 2);
    assert_int_equal(settings.lmdb.map_size, 10ULL << 30);
    assert_int_equal(settings.lmdb.queue_age, 1500);
    assert_int_equal(settings.query.timeout, 90000);
    assert_int_equal(settings.query.max_memory, 1000000000);
    assert_int_equal(settings.n_variables, 1);
    assert_string_equal(settings.variables[0], "PYRO_T_HOST");

    accepted("server: {http_listen_port: \"${PYRO_T_NONE:-}4042\"}");
    assert_int_equal(settings.server.http_listen_port, 4042);

    /* an empty expansion is no value, as in a file expanded before parsing */

    accepted("server:\n  http_listen_port: ${PYRO_T_NONE:-}\n");
    assert_int_equal(settings.server.http_listen_port, 4040);
}


static void
settings_keep_the_shortest_retention(void **state)
{
    (void) state;

    accepted("compactor: {retention_period: 30d}");
    assert_int_equal(settings.limits.retention_period, 30 * 86400);

    accepted("compactor: {retention_period: 30d}\n"
             "limits:\n"
             "  retention_period: 1w\n"
             "  compactor_blocks_retention_period: 90d\n");
    assert_int_equal(settings.limits.retention_period, 7 * 86400);

    accepted("limits:\n"
             "  compactor_blocks_retention_period: 24h\n"
             "  retention_period: 0\n");
    assert_int_equal(settings.limits.retention_period, 86400);

    accepted("limits: {retention_period: 0s}\n"
             "compactor: {retention_period: 0}\n");
    assert_int_equal(settings.limits.retention_period, 0);
}


static void
settings_zero_for_the_most(void **state)
{
    (void) state;

    accepted("limits:\n"
             "  max_flamegraph_nodes_max: 0\n"
             "  max_flamegraph_nodes_default: 0\n"
             "  max_profile_size_bytes: 0\n"
             "lmdb: {parse_bytes: 1GiB}\n");
    assert_int_equal(settings.limits.max_flamegraph_nodes_max, 16 << 20);
    assert_int_equal(settings.limits.max_flamegraph_nodes_default, 16 << 20);
    assert_int_equal(settings.limits.max_profile_size_bytes, 1 << 30);

    accepted("limits: {max_flamegraph_nodes_max: 100}");
    assert_int_equal(settings.limits.max_flamegraph_nodes_default, 100);

    accepted("lmdb: {map_size: auto}");
    assert_int_equal(settings.lmdb.map_size, 0);
}


static void
settings_ranges(void **state)
{
    char                 text[128], key[64];
    size_t               i;
    const char          *dot;
    static const struct {
        const char  *path;
        const char  *min;
        const char  *below;
        const char  *max;
        const char  *above;
        const char  *allowed;
    } ranges[] = {
        { "server.http_listen_port", "1", "0", "65535", "65536",
          "1 to 65535" },
        { "limits.max_profile_size_bytes", "1KiB", "1023", "2GiB",
          "2147483649", "0, 1KiB to 2GiB" },
        { "limits.max_label_names_per_series", "1", "0", "1000", "1001",
          "1 to 1000" },
        { "limits.max_label_name_length", "1", "0", "65535", "65536",
          "1 to 65535" },
        { "limits.max_label_value_length", "1", "0", "65535", "65536",
          "1 to 65535" },
        { "limits.max_flamegraph_nodes_default", "1", NULL, "16777216",
          "16777217", "0, 1 to 16777216" },
        { "limits.max_flamegraph_nodes_max", "1", NULL, "16777216",
          "16777217", "0, 1 to 16777216" },
        { "limits.retention_period", "0", NULL, "100y", "100y1s",
          "0 to 100y" },
        { "limits.max_query_length", "0", NULL, "100y", "100y1s",
          "0 to 100y" },
        { "limits.max_query_lookback", "0", NULL, "100y", "100y1s",
          "0 to 100y" },
        { "limits.reject_older_than", "0", NULL, "100y", "100y1s",
          "0 to 100y" },
        { "limits.reject_newer_than", "0", NULL, "100y", "100y1s",
          "0 to 100y" },
        { "lmdb.partition", "1h", "3599s", "7d", "7d1s", "1h to 1w" },
        { "lmdb.map_size", "16MiB", "16777215", "64TiB", "70368744177665",
          "auto, 16MiB to 64TiB" },
        { "lmdb.queue_pushes", "1", "0", "1000000", "1000001",
          "1 to 1000000" },
        { "lmdb.queue_bytes", "1MiB", "1048575", "1TiB", "1099511627777",
          "1MiB to 1TiB" },
        { "lmdb.queue_age", "100ms", "99ms", "10m", "600001ms",
          "100ms to 10m" },
        { "lmdb.parse_bytes", "1MiB", "1048575", "1TiB", "1099511627777",
          "1MiB to 1TiB" },
        { "query.timeout", "100ms", "99ms", "1h", "3600001ms",
          "100ms to 1h" },
        { "query.max_concurrent", "1", "0", "1024", "1025", "1 to 1024" },
        { "query.max_memory", "1MiB", "1048575", "1TiB", "1099511627777",
          "1MiB to 1TiB" },
        { "query.max_series", "1", "0", "10000000", "10000001",
          "1 to 10000000" },
        { "query.max_response_bytes", "64KiB", "65535", "4GiB", "4294967297",
          "64KiB to 4GiB" },
        { "server.grpc_listen_port", "0", NULL, "65535", "65536",
          "0 to 65535" }
    };

    (void) state;

    for (i = 0; i < N(ranges); i++) {
        const char  *value[] = { ranges[i].min, ranges[i].max,
                                 ranges[i].below, ranges[i].above };
        char         message[128];
        size_t       k;

        dot = strchr(ranges[i].path, '.');
        snprintf(key, sizeof(key), "%.*s:\n %s", (int) (dot - ranges[i].path),
                 ranges[i].path, dot + 1);

        for (k = 0; k < N(value); k++) {

            if (value[k] == NULL) {
                continue;
            }

            snprintf(text, sizeof(text), "%s: %s", key, value[k]);

            if (k < 2) {
                accepted(text);
                continue;
            }

            snprintf(message, sizeof(message), "f.yml:2: %s: \"%s\" is out of "
                     "range; allowed: %s", ranges[i].path, value[k],
                     ranges[i].allowed);
            refused(&(bad_t) { text, message }, 1);
        }
    }
}


static void
settings_wrong_values(void **state)
{
    static const bad_t  bad[] = {
        { "server:\n  http_listen_port: http\n",
          "f.yml:2: server.http_listen_port: \"http\" is not a whole number" },
        { "server:\n  http_listen_port: ''\n",
          "f.yml:2: server.http_listen_port: \"\" is not a whole number" },
        { "server:\n  http_listen_port: [4040]\n",
          "f.yml:2: server.http_listen_port: must be a single value, not a "
          "list" },
        { "server:\n  log_level: {a: 1}\n",
          "f.yml:2: server.log_level: must be a single value, not a map" },
        { "\nserver:\n\n  log_level: warning\n",
          "f.yml:4: server.log_level: \"warning\" is unknown; allowed: debug, "
          "info, warn, error" },
        { "lmdb:\n  durability: none\n",
          "f.yml:2: lmdb.durability: \"none\" is unknown; allowed: commit, "
          "nometasync, periodic" },
        { "lmdb:\n  partition: 90m\n",
          "f.yml:2: lmdb.partition: \"90m\" is not a multiple of 1h" },
        { "limits:\n  reject_newer_than: 10\n",
          "f.yml:2: limits.reject_newer_than: \"10\" needs a unit; a duration "
          "is written like 30s, 1h30m or 7d" },
        { "limits:\n  reject_newer_than: 1500ms\n",
          "f.yml:2: limits.reject_newer_than: \"1500ms\" is not in whole "
          "seconds" },
        { "query:\n  timeout: 100.5ms\n",
          "f.yml:2: query.timeout: \"100.5ms\" is not in whole milliseconds" },
        { "query:\n  max_memory: lots\n",
          "f.yml:2: query.max_memory: \"lots\" is not a size; a size is" },
        { "limits:\n  ingestion_rate_mb: fast\n",
          "f.yml:2: limits.ingestion_rate_mb: \"fast\" is not a number" },
        { "storage:\n  filesystem:\n    dir: ''\n",
          "f.yml:3: storage.filesystem.dir: a text of 0 bytes; allowed are 1 "
          "to 4000" },
        { "storage:\n  filesystem:\n    dir: \"a\\0b\"\n",
          "f.yml:3: storage.filesystem.dir: \"a\" has a control character" },
        { "server:\n  http_listen_address: \"a\\nb\"\n",
          "f.yml:2: server.http_listen_address: \"a?b\" has a control" },
        { "server:\n  http_listen_port: ${PYRO_T_NONE}\n",
          "f.yml:2: server.http_listen_port: ${PYRO_T_NONE}: the environment "
          "has no such variable" },
        { "multitenancy_enabled: maybe\n",
          "f.yml:1: multitenancy_enabled: \"maybe\" is neither true nor" }
    };

    (void) state;

    unsetenv("PYRO_T_NONE");
    refused(bad, N(bad));
}


static void
settings_wrong_shapes(void **state)
{
    static const bad_t  bad[] = {
        { "- a\n- b\n", "f.yml:1: the file must be a map of sections" },
        { "\nserver\n", "f.yml:2: the file must be a map of sections" },
        { "server:\n  - http_listen_port: 1\n",
          "f.yml:1: server: must be a map of keys" },
        { "a: 1\n", "f.yml:1: a: is not a known key" },
        { "\nserver: 4040\n", "f.yml:2: server: must be a map of keys" },
        { "storage:\n  filesystem: /data\n",
          "f.yml:2: storage.filesystem: must be a map of keys" },
        { "server:\n  http_listen_port: 1\n  log_level: info\n"
          "  http_listen_port: 2\n",
          "f.yml:4: http_listen_port: is there twice, first on line 2" },
        { "server:\n  log_level: *x\n", "f.yml:2: aliases are not allowed" },
        { "server:\n\thttp_listen_port: 1\n", "f.yml:2: is not YAML: " }
    };

    (void) state;

    refused(bad, N(bad));
}


static void
settings_unknown_keys(void **state)
{
    static const bad_t  bad[] = {
        { "server:\n  http_listen_prot: 1\n",
          "f.yml:2: server.http_listen_prot: is not a known key; did you mean "
          "server.http_listen_port?" },
        { "sever:\n  http_listen_port: 1\n",
          "f.yml:1: sever: is not a known key; did you mean server?" },
        { "limits:\n  max_label_name_lenght: 1\n",
          "f.yml:2: limits.max_label_name_lenght: is not a known key; did you "
          "mean limits.max_label_name_length?" },
        { "http_listen_port: 1\n",
          "f.yml:1: http_listen_port: is not a known key; did you mean "
          "server.http_listen_port?" },
        { "storage:\n  dir: x\n",
          "f.yml:2: storage.dir: is not a known key; did you mean "
          "storage.filesystem.dir?" },
        { "storage:\n  filesystem:\n    dri: x\n",
          "f.yml:3: storage.filesystem.dri: is not a known key; did you mean "
          "storage.filesystem.dir?" },
        { "distributer:\n",
          "f.yml:1: distributer: is not a known key; did you mean "
          "distributor?" },
        { "server.http_listen_port: 1\n",
          "f.yml:1: server.http_listen_port: is not a known key; what is "
          "behind a dot goes on a line of its own" },
        { "\"a\\nb\": 1\n", "f.yml:1: a?b: is not a known key" },
        { "\"server\\0x\": {}\n", "f.yml:1: server" },
        { "'*': 1\n", "f.yml:1: *: is not a known key" },
        { "server: {'*': 1}\n", "f.yml:1: server.*: is not a known key" }
    };

    (void) state;

    refused(bad, N(bad));

    assert_int_equal(pyro_settings_parse(arena, "f.yml",
                                         PYRO_SLICE("zzzzzzzzzz: 1"),
                                         &settings, &err), PYRO_INVALID);
    assert_string_equal(err.message,
                        "f.yml:1: zzzzzzzzzz: is not a known key");
}


static void
settings_not_there(void **state)
{
    static const bad_t  bad[] = {
        { "storage:\n  backend: s3\n",
          "f.yml:2: storage.backend: \"s3\" is not supported; there is one "
          "backend, \"filesystem\": a directory on a local disk, "
          "storage.filesystem.dir" },
        { "server:\n  http_tls_config:\n    cert_file: /a.pem\n",
          "f.yml:2: server.http_tls_config: TLS is set up in nginx.conf: "
          "\"listen ... ssl\" with ssl_certificate" },
        { "server:\n  grpc_tls_config: {key_file: /a.pem}\n",
          "f.yml:2: server.grpc_tls_config: TLS is set up in nginx.conf" },
        { "\nscrape_configs:\n  - job_name: x\n",
          "f.yml:2: scrape_configs: nothing is pulled: let the programs push, "
          "or let Grafana Alloy pull" },
        { "ingest:\n  relabel:\n    - action: drop\n",
          "f.yml:2: ingest.relabel: relabeling is not supported by this "
          "version" },
        { "lmdb:\n  keep_raw: 7x\n",
          "f.yml:2: lmdb.keep_raw: \"7x\" has an unknown unit" },
        { "lmdb: {keep_raw: 30d, seal_after: off}",
          "f.yml:1: lmdb.keep_raw: needs lmdb.seal_after, which is off" },
        { "lmdb: {keep_1h: 30d, seal_after: off}",
          "f.yml:1: lmdb.keep_1h: needs lmdb.seal_after, which is off" },
        { "server:\nlmdb:\n  seal_after: off\n  keep_raw: 1d\n  keep_1h: 1d\n",
          "f.yml:4: lmdb.keep_raw: needs lmdb.seal_after, which is off" },
        { "lmdb: {keep_raw: 30d, keep_1h: 29d}",
          "f.yml:1: lmdb.keep_1h: is shorter than lmdb.keep_raw" },
        { "lmdb: {seal_after: soon}",
          "f.yml:1: lmdb.seal_after: \"soon\" is not a duration" },
        { "lmdb: {min_free_disk: 101%}",
          "f.yml:1: lmdb.min_free_disk: \"101%\" is not a percentage from 0% "
          "to 100%" },
        { "lmdb: {min_free_disk: 5 parts}",
          "f.yml:1: lmdb.min_free_disk: \"5 parts\" has an unknown unit; a "
          "size is written like" },
        { "lmdb: {min_free_disk: -1}",
          "f.yml:1: lmdb.min_free_disk: \"-1\" is not a size" },
        { "lmdb: {max_late_partitions: many}",
          "f.yml:1: lmdb.max_late_partitions: \"many\" is not a whole number" },
        { "lmdb: {max_late_partitions: 2147483648}",
          "f.yml:1: lmdb.max_late_partitions: \"2147483648\" is out of range; "
          "allowed: 0 to 2147483647" },
        { "lmdb: {max_disk_size: x}",
          "f.yml:1: lmdb.max_disk_size: \"x\" is not a size" }
    };

    (void) state;

    refused(bad, N(bad));

    accepted("multitenancy_enabled: no\n"
             "lmdb:\n"
             "  seal_after: 3h\n"
             "  keep_raw: 7d\n"
             "  keep_1h: 90d\n"
             "  max_disk_size: 10G\n"
             "  min_free_disk: 1%\n"
             "  max_late_partitions: 400\n");
    assert_null(settings.ignored);
    assert_true(settings.lmdb.max_disk_size > 9000000000ULL);
    assert_true(settings.lmdb.min_free_disk == -1);
    assert_int_equal(settings.lmdb.seal_after, 3 * 3600);
    assert_int_equal(settings.lmdb.keep_raw, 7 * 86400);
    assert_int_equal(settings.lmdb.keep_1h, 90 * 86400);
    assert_int_equal(settings.lmdb.max_late_partitions, 400);

    accepted("lmdb: {seal_after: off, min_free_disk: 0}");
    assert_true(settings.lmdb.max_disk_size == 0);
    assert_true(settings.lmdb.min_free_disk == 0);
    assert_int_equal(settings.lmdb.seal_after, 0);

    accepted("lmdb: {}");
    assert_int_equal(settings.lmdb.seal_after, 2 * 3600);

    accepted("lmdb: {min_free_disk: 5GiB}");
    assert_true(settings.lmdb.min_free_disk == 5LL << 30);

    accepted("lmdb: {min_free_disk: 10%, max_late_partitions: 0}");
    assert_true(settings.lmdb.min_free_disk == -10);
    assert_int_equal(settings.lmdb.max_late_partitions, 0);
}


static void
settings_ignored(void **state)
{
    (void) state;

    accepted("target: all\n"
             "server:\n"
             "  grpc_listen_port: 9095\n"
             "  log_format: json\n"
             "  http_listen_port: 4040\n"
             "distributor:\n"
             "  anything: {at: [all]}\n"
             "  secret: ${PYRO_T_NONE}\n"
             "compactor:\n"
             "  data_dir: /x\n"
             "  retention_period: 1d\n"
             "storage:\n"
             "  backend: filesystem\n"
             "  s3: {bucket_name: b}\n"
             "limits:\n"
             "  ingestion_rate_mb: 4.5\n"
             "  max_global_series_per_tenant: 5\n"
             "  max_query_parallelism: 0\n"
             "runtime_config: {period: 10s}\n");

    assert_string_equal(settings.ignored,
                        "target, server.log_format, distributor, "
                        "compactor.data_dir, storage.s3, "
                        "limits.max_query_parallelism, runtime_config.period");
    assert_int_equal(settings.server.grpc_listen_port, 9095);
    assert_int_equal(settings.limits.ingestion_rate, 9 << 19);
    assert_int_equal(settings.limits.max_global_series_per_tenant, 5);
    assert_int_equal(settings.limits.retention_period, 86400);
    assert_int_equal(settings.n_variables, 0);
}


/* every known key is accepted with any value, and named within the bound */

static void
settings_all_known_keys(void **state)
{
    char        *text;
    size_t       i, len, size;
    const char  *dot;

    (void) state;

    for (i = 0; i < pyro_known_count; i++) {
        char  one[160];

        dot = strchr(pyro_known[i], '.');

        if (dot == NULL) {
            snprintf(one, sizeof(one), "%s: {x: [1]}", pyro_known[i]);

        } else {
            snprintf(one, sizeof(one), "%.*s:\n  %s: x",
                     (int) (dot - pyro_known[i]), pyro_known[i],
                     dot[1] == '*' ? "other" : dot + 1);
        }

        accepted(one);
        assert_non_null(settings.ignored);
        assert_int_equal(strncmp(settings.ignored, pyro_known[i],
                                 strcspn(pyro_known[i], "*")), 0);
    }

    size = 64 * 1024;
    text = malloc(size);
    assert_non_null(text);

    len = (size_t) snprintf(text, size, "compactor:\n");

    for (i = 0; i < 1000; i++) {
        len += (size_t) snprintf(text + len, size - len, "  \"k\\n%zu\": 1\n",
                                 i);
    }

    accepted(text);
    assert_true(strlen(settings.ignored) < 1024);
    assert_null(strchr(settings.ignored, '\n'));
    assert_string_equal(settings.ignored + strlen(settings.ignored) - 5,
                        ", ...");
    free(text);
}


static void
settings_of_a_file(void **state)
{
    char   name[] = "/tmp/pyro_settings_XXXXXX";
    int    fd;
    FILE  *fp;

    (void) state;

    assert_int_equal(pyro_settings_read(arena, "/nonexistent/f.yml", &settings,
                                        &err), PYRO_INVALID);
    assert_string_equal(err.message, "/nonexistent/f.yml: cannot be opened: "
                                     "No such file or directory");

    assert_int_equal(pyro_settings_read(arena, "/", &settings, &err),
                     PYRO_INVALID);
    assert_string_equal(err.message, "/: cannot be read: Is a directory");

    fd = mkstemp(name);
    assert_true(fd >= 0);
    fp = fdopen(fd, "w");
    assert_non_null(fp);
    fputs("server: {http_listen_port: 5050}\n", fp);
    fclose(fp);

    assert_int_equal(pyro_settings_read(arena, name, &settings, &err),
                     PYRO_OK);
    assert_int_equal(settings.server.http_listen_port, 5050);

    assert_int_equal(truncate(name, 1024 * 1024 + 1), 0);
    assert_int_equal(pyro_settings_read(arena, name, &settings, &err),
                     PYRO_INVALID);
    assert_non_null(strstr(err.message, ": has more than 1048576 bytes"));

    remove(name);
}


static void
settings_without_memory(void **state)
{
    size_t         budget;
    pyro_arena_t  *small;
    pyro_status_e  rc;

    (void) state;

    rc = PYRO_INVALID;

    for (budget = 1; budget < 200000; budget += budget < 4096 ? 7 : 1013) {
        small = pyro_arena_create(budget);
        assert_non_null(small);

        rc = pyro_settings_parse(small, "f.yml",
                                 PYRO_SLICE("storage: {filesystem: {dir: "
                                            "'${PYRO_T_NONE:-x}'}}\napi: 1\n"),
                                 &settings, &err);
        assert_true(rc == PYRO_OK || rc == PYRO_UNAVAILABLE);

        pyro_arena_destroy(small);
    }

    assert_int_equal(rc, PYRO_OK);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(settings_defaults),
        TEST(settings_nulls),
        TEST(settings_of_a_deployment),
        TEST(settings_of_the_shipped_file),
        TEST(settings_read_values),
        TEST(settings_keep_the_shortest_retention),
        TEST(settings_zero_for_the_most),
        TEST(settings_ranges),
        TEST(settings_wrong_values),
        TEST(settings_wrong_shapes),
        TEST(settings_unknown_keys),
        TEST(settings_not_there),
        TEST(settings_ignored),
        TEST(settings_all_known_keys),
        TEST(settings_of_a_file),
        TEST(settings_without_memory),
    };

    return unit_run(tests);
}
