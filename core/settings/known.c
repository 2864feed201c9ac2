#include "core/settings/known.h"

#include <stdint.h>
#include <string.h>

#include "core/settings/keys.h"


#define PYRO_NEAR_MAX   4       /* letters between two like keys */
#define PYRO_NEAR_PATH  256     /* bytes of a path that are compared */


typedef struct {
    const char  *path;          /* the unknown one */
    const char  *best;
    size_t       best_len;
    size_t       distance;
} pyro_nearest_t;


static int pyro_known_below(const char *entry, const char *path);
static void pyro_known_compare(pyro_nearest_t *nearest, const char *entry);
static size_t pyro_known_distance(const char *path, const char *entry,
    size_t len);
static const char *pyro_known_last(const char *path, size_t len);
static size_t pyro_known_letters(const char *a, size_t a_len, const char *b,
    size_t b_len);


const char *const  pyro_known[] = {
    "adaptive_placement",
    "admin_server",
    "analytics",
    "api",
    "architecture_storage",
    "compaction_worker",
    "compactor.*",
    "distributor",
    "embedded_grafana",
    "frontend",
    "frontend_worker",
    "ingester",
    "limits.compactor_downsampler_enabled",
    "limits.compactor_partial_block_deletion_delay",
    "limits.compactor_split_and_merge_shards",
    "limits.compactor_split_and_merge_stage_size",
    "limits.compactor_split_groups",
    "limits.compactor_tenant_shard_size",
    "limits.disable_label_sanitization",
    "limits.distributor_aggregation_period",
    "limits.distributor_aggregation_window",
    "limits.distributor_sampling",
    "limits.distributor_usage_groups",
    "limits.enforce_labels_order",
    "limits.include_stripped_profiles",
    "limits.ingestion_artificial_delay",
    "limits.ingestion_body_limit_mb",
    "limits.ingestion_limit",
    "limits.ingestion_relabeling_default_rules_position",
    "limits.ingestion_relabeling_rules",
    "limits.ingestion_tenant_shard_size",
    "limits.keep_stripped_profiles",
    "limits.max_async_query_concurrency",
    "limits.max_flamegraph_nodes_on_select_merge_profile",
    "limits.max_local_series_per_tenant",
    "limits.max_profile_stacktrace_depth",
    "limits.max_profile_stacktrace_sample_labels",
    "limits.max_profile_stacktrace_samples",
    "limits.max_profile_symbol_value_length",
    "limits.max_query_parallelism",
    "limits.max_recording_rules",
    "limits.max_sessions_per_series",
    "limits.push_max_concurrency",
    "limits.query_analysis_enabled",
    "limits.query_analysis_series_enabled",
    "limits.query_sanitize_on_merge",
    "limits.recording_rules",
    "limits.s3_sse_kms_encryption_context",
    "limits.s3_sse_kms_key_id",
    "limits.s3_sse_type",
    "limits.sample_type_relabeling_rules",
    "limits.split_queries_by_interval",
    "limits.store_gateway_tenant_shard_size",
    "limits.symbolizer",
    "memberlist",
    "metastore",
    "overrides_exporter",
    "pyroscopedb",
    "querier",
    "query_backend",
    "query_scheduler",
    "runtime_config.*",
    "segment_writer",
    "self_profiling",
    "server.cluster_validation",
    "server.create_new_traces",
    "server.graceful_shutdown_timeout",
    "server.grpc_collect_max_streams_by_conn",
    "server.grpc_listen_address",
    "server.grpc_listen_conn_limit",
    "server.grpc_listen_network",
    "server.grpc_server_keepalive_time",
    "server.grpc_server_keepalive_timeout",
    "server.grpc_server_max_concurrent_streams",
    "server.grpc_server_max_connection_age",
    "server.grpc_server_max_connection_age_grace",
    "server.grpc_server_max_connection_idle",
    "server.grpc_server_max_recv_msg_size",
    "server.grpc_server_max_send_msg_size",
    "server.grpc_server_min_time_between_pings",
    "server.grpc_server_num_workers",
    "server.grpc_server_ping_without_stream_allowed",
    "server.grpc_server_read_buffer_size",
    "server.grpc_server_recv_buffer_pools_enabled",
    "server.grpc_server_stats_tracking_enabled",
    "server.grpc_server_write_buffer_size",
    "server.http_listen_conn_limit",
    "server.http_listen_network",
    "server.http_log_closed_connections_without_response_enabled",
    "server.http_path_prefix",
    "server.http_server_idle_timeout",
    "server.http_server_read_header_timeout",
    "server.http_server_read_timeout",
    "server.http_server_write_timeout",
    "server.log_format",
    "server.log_request_at_info_level_enabled",
    "server.log_request_exclude_headers_list",
    "server.log_request_headers",
    "server.log_source_ips_enabled",
    "server.log_source_ips_full",
    "server.log_source_ips_header",
    "server.log_source_ips_regex",
    "server.proxy_protocol_enabled",
    "server.register_instrumentation",
    "server.report_grpc_codes_in_instrumentation_label_enabled",
    "server.tls_cipher_suites",
    "server.tls_min_version",
    "server.trace_request_exclude_headers_list",
    "server.trace_request_headers",
    "show_banner",
    "shutdown_delay",
    "storage.azure",
    "storage.cos",
    "storage.gcs",
    "storage.prefix",
    "storage.s3",
    "storage.storage_prefix",
    "storage.swift",
    "store_gateway",
    "symbolizer",
    "target",
    "tenant_settings",
    "tracing",
};

const size_t  pyro_known_count = sizeof(pyro_known) / sizeof(pyro_known[0]);


int
pyro_known_has(const char *path)
{
    size_t       i, len;
    const char  *last;

    last = pyro_known_last(path, strlen(path));
    len = (size_t) (last - path);

    for (i = 0; i < pyro_known_count; i++) {

        if (strcmp(pyro_known[i], path) == 0
            || (len && strncmp(pyro_known[i], path, len) == 0
                && strcmp(pyro_known[i] + len, "*") == 0))
        {
            return 1;
        }
    }

    return 0;
}


int
pyro_known_is_section(const char *path)
{
    size_t  i;

    for (i = 0; i < pyro_keys_count; i++) {

        if (pyro_known_below(pyro_keys[i].path, path)) {
            return 1;
        }
    }

    for (i = 0; i < pyro_known_count; i++) {

        if (pyro_known_below(pyro_known[i], path)) {
            return 1;
        }
    }

    return 0;
}


static int
pyro_known_below(const char *entry, const char *path)
{
    size_t  len;

    len = strlen(path);

    return strncmp(entry, path, len) == 0 && entry[len] == '.';
}


void
pyro_known_nearest(const char *path, char *text, size_t size)
{
    size_t          i;
    pyro_nearest_t  nearest;

    nearest.path = path;
    nearest.best = NULL;
    nearest.best_len = 0;
    nearest.distance = PYRO_NEAR_MAX + 1;

    for (i = 0; i < pyro_keys_count; i++) {
        pyro_known_compare(&nearest, pyro_keys[i].path);
    }

    for (i = 0; i < pyro_known_count; i++) {
        pyro_known_compare(&nearest, pyro_known[i]);
    }

    if (nearest.best_len >= size) {
        nearest.best_len = 0;
    }

    if (nearest.best_len) {
        memcpy(text, nearest.best, nearest.best_len);
    }

    text[nearest.best_len] = '\0';
}


/* the entry, and each section that it is in */

static void
pyro_known_compare(pyro_nearest_t *nearest, const char *entry)
{
    size_t  len, distance;

    for (len = 1; ; len++) {

        if (entry[len] == '\0' || entry[len] == '.') {
            distance = pyro_known_distance(nearest->path, entry, len);

            if (distance < nearest->distance) {
                nearest->best = entry;
                nearest->best_len = len;
                nearest->distance = distance;
            }
        }

        if (entry[len] == '\0' || strcmp(entry + len, ".*") == 0) {
            break;
        }
    }
}


static size_t
pyro_known_distance(const char *path, const char *entry, size_t len)
{
    size_t       distance, last_len, path_len;
    const char  *last, *entry_last;

    path_len = strlen(path);
    last = pyro_known_last(path, path_len);
    last_len = (size_t) (path + path_len - last);

    entry_last = pyro_known_last(entry, len);

    /* the right key at the wrong place */

    if (last_len == (size_t) (entry + len - entry_last)
        && memcmp(last, entry_last, last_len) == 0)
    {
        return 1;
    }

    distance = pyro_known_letters(path, path_len, entry, len);

    /* of a short key most letters must be right */

    return distance <= 1 + last_len / 3 ? distance : PYRO_NEAR_MAX + 1;
}


static const char *
pyro_known_last(const char *path, size_t len)
{
    const char  *p;

    for (p = path + len; p > path && p[-1] != '.'; p--) { /* void */ }

    return p;
}


/*
 * Letters to put in, take out or change (Levenshtein's distance), one row of
 * the matrix at a time.
 */

static size_t
pyro_known_letters(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t    i, j;
    uint32_t  old, next, row[PYRO_NEAR_PATH + 1];

    if (a_len > PYRO_NEAR_PATH || b_len > PYRO_NEAR_PATH) {
        return PYRO_NEAR_PATH;
    }

    for (j = 0; j <= b_len; j++) {
        row[j] = (uint32_t) j;
    }

    for (i = 1; i <= a_len; i++) {
        old = row[0];
        row[0] = (uint32_t) i;

        for (j = 1; j <= b_len; j++) {
            next = old + (a[i - 1] != b[j - 1]);
            old = row[j];

            if (next > row[j] + 1) {
                next = row[j] + 1;
            }

            if (next > row[j - 1] + 1) {
                next = row[j - 1] + 1;
            }

            row[j] = next;
        }
    }

    return row[b_len];
}
