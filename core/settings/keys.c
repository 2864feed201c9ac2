#include "core/settings/keys.h"

#include "core/base/clock.h"
#include "core/settings/settings.h"


#define KIB  (1LL << 10)
#define MIB  (1LL << 20)
#define GIB  (1LL << 30)
#define TIB  (1LL << 40)

#define HOUR  3600LL
#define DAY   (24 * HOUR)
#define AGE   (100 * 365 * DAY)     /* of anything that has an age */


/* the columns that a type and a field have in common */

#define FIELD(field)                                                          \
    .offset = offsetof(pyro_settings_t, field),                               \
    .size = sizeof(((pyro_settings_t *) NULL)->field)

#define COUNT(name, field, lo, hi, value)                                     \
    .path = name, .type = PYRO_KEY_COUNT, FIELD(field), .min = lo, .max = hi, \
    .def = value

#define SIZE(name, field, lo, hi, value)                                      \
    .path = name, .type = PYRO_KEY_SIZE, FIELD(field), .min = lo, .max = hi,  \
    .def = value

#define SECONDS(name, field, lo, hi, value)                                   \
    .path = name, .type = PYRO_KEY_DURATION, .unit = PYRO_NS_PER_SEC,         \
    FIELD(field), .min = lo, .max = hi, .def = value

#define MILLISECONDS(name, field, lo, hi, value)                              \
    .path = name, .type = PYRO_KEY_DURATION, .unit = PYRO_NS_PER_MS,          \
    FIELD(field), .min = lo, .max = hi, .def = value

/* a number of MiB with a fraction, as the key is called; the field has bytes */

#define MEBIBYTES(name, field)                                                \
    .path = name, .type = PYRO_KEY_NUMBER, .unit = MIB, FIELD(field),         \
    .max = TIB

#define RETENTION(name)                                                       \
    SECONDS(name, limits.retention_period, 0, AGE, 0),                        \
    .action = PYRO_KEY_SHORTEST

#define BLANK(name, text)                                                     \
    .path = name, .type = PYRO_KEY_BLANK, .why = text


static const char *const  pyro_log_levels[] = {
    "debug", "info", "warn", "error", NULL
};

static const char *const  pyro_backends[] = { "filesystem", NULL };

static const char *const  pyro_durabilities[] = {
    "commit", "nometasync", "periodic", NULL
};


const pyro_key_t  pyro_keys[] = {

    { .path = "server.http_listen_address", .type = PYRO_KEY_TEXT,
      FIELD(server.http_listen_address), .max = 255 },

    { COUNT("server.http_listen_port", server.http_listen_port, 1, 65535,
            4040) },

    { .path = "server.log_level", .type = PYRO_KEY_WORD,
      FIELD(server.log_level), .words = pyro_log_levels, .def = PYRO_LOG_INFO,
      .given = offsetof(pyro_settings_t, server.log_level_set) },

    { COUNT("server.grpc_listen_port", server.grpc_listen_port, 0, 65535,
            0) },

    { BLANK("server.http_tls_config",
            "TLS is set up in nginx.conf: \"listen ... ssl\" with "
            "ssl_certificate and ssl_certificate_key, ssl_client_certificate "
            "for client certificates") },

    { BLANK("server.grpc_tls_config",
            "TLS is set up in nginx.conf: \"listen ... ssl\" with "
            "ssl_certificate and ssl_certificate_key, ssl_client_certificate "
            "for client certificates") },

    { .path = "storage.backend", .type = PYRO_KEY_WORD, .words = pyro_backends,
      .why = "there is one backend, \"filesystem\": a directory on a local "
             "disk, storage.filesystem.dir" },

    { .path = "storage.filesystem.dir", .type = PYRO_KEY_TEXT,
      FIELD(storage.dir), .min = 1, .max = 4000, .text = "./data" },

    { RETENTION("compactor.retention_period") },
    { RETENTION("limits.retention_period") },
    { RETENTION("limits.compactor_blocks_retention_period") },

    { SIZE("limits.max_profile_size_bytes", limits.max_profile_size_bytes,
           KIB, 2 * GIB, 64 * MIB), .zero_max = 1 },

    { COUNT("limits.max_label_names_per_series",
            limits.max_label_names_per_series, 1, 1000, 64) },

    { COUNT("limits.max_label_name_length", limits.max_label_name_length,
            1, 65535, 1024) },

    { COUNT("limits.max_label_value_length", limits.max_label_value_length,
            1, 65535, 2048) },

    { COUNT("limits.max_flamegraph_nodes_default",
            limits.max_flamegraph_nodes_default, 1, 16 * MIB, 8192),
      .zero_max = 1 },

    { COUNT("limits.max_flamegraph_nodes_max", limits.max_flamegraph_nodes_max,
            1, 16 * MIB, MIB), .zero_max = 1 },

    { SECONDS("limits.max_query_length", limits.max_query_length, 0, AGE, 0) },

    { SECONDS("limits.max_query_lookback", limits.max_query_lookback, 0, AGE,
              0) },

    { SECONDS("limits.reject_older_than", limits.reject_older_than, 0, AGE,
              0) },

    { SECONDS("limits.reject_newer_than", limits.reject_newer_than, 0, AGE,
              600) },

    { MEBIBYTES("limits.ingestion_rate_mb", limits.ingestion_rate) },

    { MEBIBYTES("limits.ingestion_burst_size_mb", limits.ingestion_burst) },

    { COUNT("limits.ingestion_rate_pushes", limits.ingestion_rate_pushes, 0,
            1000000, 0) },

    { COUNT("limits.ingestion_burst_pushes", limits.ingestion_burst_pushes, 0,
            1000000, 0) },

    { COUNT("limits.max_global_series_per_tenant",
            limits.max_global_series_per_tenant, 0, INT32_MAX, 0) },

    /* an hour's roll-up must not lie in two partitions */

    { SECONDS("lmdb.partition", lmdb.partition, HOUR, 7 * DAY, DAY),
      .step = HOUR },

    { .path = "lmdb.durability", .type = PYRO_KEY_WORD, FIELD(lmdb.durability),
      .words = pyro_durabilities },

    { SIZE("lmdb.map_size", lmdb.map_size, 16 * MIB, 64 * TIB, 0), .zero = 1,
      .zero_word = "auto" },

    { COUNT("lmdb.queue_pushes", lmdb.queue_pushes, 1, 1000000, 4096) },

    { SIZE("lmdb.queue_bytes", lmdb.queue_bytes, MIB, TIB, 64 * MIB) },

    { MILLISECONDS("lmdb.queue_age", lmdb.queue_age, 100, 600 * 1000, 5000) },

    { SIZE("lmdb.max_disk_size", lmdb.max_disk_size, 0, INT64_MAX, 0) },

    { SECONDS("lmdb.seal_after", lmdb.seal_after, 0, AGE, 2 * HOUR),
      .zero_word = "off" },

    { SECONDS("lmdb.keep_raw", lmdb.keep_raw, 0, AGE, 0) },

    { SECONDS("lmdb.keep_1h", lmdb.keep_1h, 0, AGE, 0) },

    { .path = "lmdb.min_free_disk", .type = PYRO_KEY_SHARE,
      FIELD(lmdb.min_free_disk), .min = -100, .max = INT64_MAX, .def = -1 },

    { COUNT("lmdb.max_late_partitions", lmdb.max_late_partitions, 0, INT32_MAX,
            400) },

    { SIZE("lmdb.parse_bytes", lmdb.parse_bytes, MIB, TIB, 256 * MIB) },

    { MILLISECONDS("query.timeout", query.timeout, 100, HOUR * 1000, 60000) },

    { COUNT("query.max_concurrent", query.max_concurrent, 1, 1024, 64) },

    { SIZE("query.max_memory", query.max_memory, MIB, TIB, 512 * MIB) },

    { COUNT("query.max_series", query.max_series, 1, 10000000, 100000) },

    { SIZE("query.max_response_bytes", query.max_response_bytes, 64 * KIB,
           4 * GIB, 256 * MIB) },

    { .path = "multitenancy_enabled", .type = PYRO_KEY_BOOL,
      FIELD(multitenancy_enabled) },

    { BLANK("scrape_configs",
            "nothing is pulled: let the programs push, or let Grafana Alloy "
            "pull and push to here; allowed is an empty list") },

    { BLANK("ingest.relabel",
            "relabeling is not supported by this version; allowed is an empty "
            "list") },

    { .path = "overrides", .type = PYRO_KEY_TENANTS },

    { .path = "runtime_config.file", .type = PYRO_KEY_TEXT,
      FIELD(runtime_config.file), .max = 4000 },
};

const size_t  pyro_keys_count = sizeof(pyro_keys) / sizeof(pyro_keys[0]);


const pyro_key_t *
pyro_key_find(const char *path)
{
    size_t  i;

    for (i = 0; i < pyro_keys_count; i++) {

        if (strcmp(pyro_keys[i].path, path) == 0) {
            return &pyro_keys[i];
        }
    }

    return NULL;
}
