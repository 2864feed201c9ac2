/*
 * pyroscope-config.yml to one plain struct.
 *
 * Read once, at configuration time, by libyaml; every key is checked against
 * one table (name, type, default, range), an unknown key is an error that names
 * the file, the line and the nearest known key.  ${VAR} and ${VAR:-default} are
 * expanded in scalars after parsing.
 *
 * Everything is in the arena given, which must outlive the struct.  One thread.
 */

#ifndef _PYRO_SETTINGS_H_INCLUDED_
#define _PYRO_SETTINGS_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/slice.h"
#include "core/base/status.h"


typedef enum {
    PYRO_LOG_DEBUG = 0,
    PYRO_LOG_INFO,
    PYRO_LOG_WARN,
    PYRO_LOG_ERROR
} pyro_log_level_e;


typedef struct {
    int64_t     retention_period;       /* s, 0 keeps all: the shortest
                                           non-zero of its three keys */
    uint64_t    max_profile_size_bytes;         /* 64 MiB, inflated; not
                                                   above parse_bytes */
    uint32_t    max_label_names_per_series;     /* 64 */
    uint32_t    max_label_name_length;          /* 1024 bytes */
    uint32_t    max_label_value_length;         /* 2048 bytes */
    uint64_t    max_flamegraph_nodes_default;   /* 8192, not above _max */
    uint64_t    max_flamegraph_nodes_max;       /* 1048576 */
    uint32_t    max_global_series_per_tenant;   /* in a partition, 0 off */
    int64_t     max_query_length;               /* s, 0 off */
    int64_t     max_query_lookback;             /* s, 0 off */
    int64_t     reject_older_than;              /* s, 0 off */
    uint64_t    ingestion_rate;         /* bytes a second, 0 off */
    uint64_t    ingestion_burst;        /* bytes, 0: of a second */
    uint32_t    ingestion_rate_pushes;  /* a second, 0 off */
    uint32_t    ingestion_burst_pushes; /* 0: of a second */
    int64_t     reject_newer_than;              /* s, 600 */
} pyro_limits_t;


/* A tenant that has limits of its own: all of them, those that it does not
 * name as all have them. */
typedef struct {
    pyro_slice_t    name;
    pyro_limits_t   limits;
} pyro_tenant_limits_t;


typedef struct {
    struct {
        char       *http_listen_address;    /* NULL: all addresses */
        uint16_t    http_listen_port;       /* 4040 */
        uint16_t    grpc_listen_port;       /* HTTP/2 only; 0: none */
        uint8_t     log_level;              /* pyro_log_level_e */
        uint8_t     log_level_set;          /* 1 if the file has it */
    } server;

    struct {
        char       *dir;                    /* storage.filesystem.dir */
    } storage;

    pyro_limits_t   limits;

    struct {
        uint32_t    partition;              /* s, 86400 */
        uint8_t     durability;             /* 0 commit, 1 nometasync,
                                               2 periodic */
        uint64_t    map_size;               /* bytes, 0 auto */
        uint64_t    max_disk_size;          /* bytes of all files, 0 off */
        int64_t     seal_after;             /* s, 7200; 0 off */
        int64_t     keep_raw;               /* s, 0 for ever */
        int64_t     keep_1h;                /* s, 0 for ever */
        int64_t     min_free_disk;          /* bytes, or minus a percentage;
                                               -1, 0 off */
        uint32_t    max_late_partitions;    /* 400 an hour, 0 off */
        uint32_t    queue_pushes;           /* 4096 a worker */
        uint64_t    queue_bytes;            /* 64 MiB a worker */
        int64_t     queue_age;              /* ms, 5000 */
        uint64_t    parse_bytes;            /* 256 MiB a worker */
    } lmdb;

    struct {
        int64_t     timeout;                /* ms, 60000 */
        uint32_t    max_concurrent;         /* 64 a worker */
        uint64_t    max_memory;             /* bytes, 512 MiB */
        uint32_t    max_series;             /* 100000 */
        uint64_t    max_response_bytes;     /* 256 MiB */
    } query;

    struct {
        char       *file;                   /* as it is written; or NULL */
    } runtime_config;

    uint8_t         multitenancy_enabled;   /* 0 or 1 */

    /* of overrides and of runtime_config.file */
    pyro_tenant_limits_t  *tenants;
    uint32_t        n_tenants;

    /* names used in ${NAME}, for nginx's env list */
    const char    **variables;
    uint32_t        n_variables;

    /* keys accepted that have no meaning here, "server.grpc_..., ..."; NULL */
    const char     *ignored;
} pyro_settings_t;


/*
 * Reads the file.  PYRO_INVALID with "FILE:LINE: what is wrong, what is
 * allowed"; also when the file cannot be read.
 */
pyro_status_e pyro_settings_read(pyro_arena_t *arena, const char *file,
    pyro_settings_t *settings, pyro_error_t *err);

/* The same for bytes in memory; file is only the name used in messages. */
pyro_status_e pyro_settings_parse(pyro_arena_t *arena, const char *file,
    pyro_slice_t text, pyro_settings_t *settings, pyro_error_t *err);

/* The limits of a tenant, its own or everybody's; as long as settings. */
const pyro_limits_t *pyro_settings_limits(const pyro_settings_t *settings,
    pyro_slice_t tenant);


#endif /* _PYRO_SETTINGS_H_INCLUDED_ */
