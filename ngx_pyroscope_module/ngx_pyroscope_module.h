/*
 * What the files of this directory share: configuration, the state of one
 * worker process, the context of one request.
 *
 * Everything here belongs to the event loop, but what a comment gives to a
 * thread.  Code that runs in a pool thread touches no nginx pool, no log, no
 * request and no connection (nginx development guide, "Threads").
 */

#ifndef _NGX_PYROSCOPE_MODULE_H_INCLUDED_
#define _NGX_PYROSCOPE_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include <stdatomic.h>

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/base/version.h"
#include "core/settings/settings.h"
#include "storage/store.h"


#define NGX_PYROSCOPE_VERSION  PYRO_VERSION

/* what a location serves: the parameter of "pyroscope" */
#define NGX_PYROSCOPE_PUSH     0x1
#define NGX_PYROSCOPE_QUERY    0x2
#define NGX_PYROSCOPE_ALL      (NGX_PYROSCOPE_PUSH|NGX_PYROSCOPE_QUERY)


typedef struct {
    pyro_arena_t              *arena;       /* of the settings; the cycle's */
    pyro_settings_t           *settings;    /* NULL: no pyroscope_config */
    pyro_store_retention_t    *retentions;  /* of tenants with their own */
    uint32_t                   n_retentions;
    ngx_str_t                  file;        /* of the YAML, full name */
    ngx_str_t                  dir;         /* of the store, full name */
    ngx_shm_zone_t            *metrics;
} ngx_pyroscope_main_conf_t;


typedef struct {
    unsigned                   configured:1;    /* has pyroscope_config */
} ngx_pyroscope_srv_conf_t;


typedef struct {
    ngx_uint_t                 serves;      /* NGX_PYROSCOPE_*; 0: nothing */
    u_char                    *file_name;   /* of the directive, for errors */
    ngx_uint_t                 line;
    unsigned                   has_root:1;  /* not nginx's default "html" */
} ngx_pyroscope_loc_conf_t;


/* An upload between its body and its answer (ngx_pyroscope_ingest.c). */
typedef struct ngx_pyroscope_upload_s  ngx_pyroscope_upload_t;

/* A query between its body and its answer (ngx_pyroscope_query.c). */
typedef struct ngx_pyroscope_query_s  ngx_pyroscope_query_t;

typedef struct ngx_pyroscope_route_s  ngx_pyroscope_route_t;

/* What a worker has in work, for all to see (ngx_pyroscope_load.c). */
typedef struct ngx_pyroscope_load_s  ngx_pyroscope_load_t;


typedef struct {
    const ngx_pyroscope_route_t  *route;
    int64_t                       start;        /* pyro_clock_mono() */

    /* read by pool threads: the client went away */
    atomic_int                    canceled;

    /* continues a parked request on the event loop */
    void                        (*resume)(ngx_http_request_t *r);

    ngx_pyroscope_upload_t       *upload;
    ngx_pyroscope_query_t        *query;
    void                         *scrape;       /* of /metrics */
    void                         *info;         /* of /api/v1/jfr-info */

    ngx_str_t                     error_page;   /* JSON for nginx's own error */

    /* for variables (ngx_pyroscope_variables.h); empty and 0: not known */
    ngx_str_t                     tenant;
    ngx_str_t                     service;
    uint64_t                      samples;
    int64_t                       parse_time;   /* ns */
    int64_t                       commit_time;  /* ns */

    unsigned                      stored:1;     /* samples is known */

    unsigned                      answered:1;   /* by this module */
    unsigned                      counted:1;    /* in the metrics */
} ngx_pyroscope_ctx_t;


/* The state of this worker; one a process, set up by init_process. */
typedef struct {
    ngx_pyroscope_main_conf_t    *conf;
    pyro_store_t                 *store;        /* NULL: not available */
    pyro_error_t                  store_error;  /* why */
    ngx_thread_pool_t            *parse_pool;
    ngx_thread_pool_t            *query_pool;
    ngx_thread_pool_t            *write_pool;

    ngx_pyroscope_load_t         *load;         /* what it has in work */
} ngx_pyroscope_worker_t;


extern ngx_module_t            ngx_pyroscope_module;
extern ngx_module_t            ngx_pyroscope_pools_module;
extern ngx_pyroscope_worker_t  ngx_pyroscope_worker;


/* The request's context, made on first use; NULL: no memory. */
ngx_pyroscope_ctx_t *ngx_pyroscope_ctx(ngx_http_request_t *r);


static inline pyro_slice_t
ngx_pyroscope_slice(ngx_str_t *s)
{
    return pyro_slice(s->data, s->len);
}


#endif /* _NGX_PYROSCOPE_MODULE_H_INCLUDED_ */
