/*
 * The thread pools pyroscope_parse, pyroscope_query and pyroscope_write exist
 * by default; a "thread_pool" line of that name, before or after http{}, sets
 * the size.
 *
 * A module of its own, of type CORE, because nginx checks its pools when the
 * core modules' configuration is closed, after all of the file was read: only
 * then is it known which pools the user did not name.
 */

#include "ngx_pyroscope_module/ngx_pyroscope_module.h"
#include "ngx_pyroscope_module/ngx_pyroscope_pools.h"


static char *ngx_pyroscope_pools_init(ngx_cycle_t *cycle, void *conf);
static char *ngx_pyroscope_pool_add(ngx_cycle_t *cycle, ngx_str_t *name,
    ngx_str_t *threads);


static ngx_core_module_t  ngx_pyroscope_pools_module_ctx = {
    ngx_string("pyroscope_pools"),
    NULL,
    ngx_pyroscope_pools_init
};


static ngx_command_t  ngx_pyroscope_pools_commands[] = {
    ngx_null_command
};


ngx_module_t  ngx_pyroscope_pools_module = {
    NGX_MODULE_V1,
    &ngx_pyroscope_pools_module_ctx,       /* module context */
    ngx_pyroscope_pools_commands,          /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/*
 * Writing is one thread: LMDB has one writer at a time, and a second one would
 * only wait.  Parsing and queries get two each, so that one long query does not
 * hold the others; more workers, not more threads, use more cores.
 */

static struct {
    ngx_str_t  name;
    ngx_str_t  threads;
} ngx_pyroscope_pools[] = {
    { ngx_string("pyroscope_parse"), ngx_string("threads=2") },
    { ngx_string("pyroscope_query"), ngx_string("threads=2") },
    { ngx_string("pyroscope_write"), ngx_string("threads=1") }
};


static char *
ngx_pyroscope_pools_init(ngx_cycle_t *cycle, void *conf)
{
    ngx_uint_t                  i;
    ngx_pyroscope_main_conf_t  *pmcf;

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_pyroscope_module);

    if (pmcf == NULL || pmcf->settings == NULL) {
        return NGX_CONF_OK;
    }

    for (i = 0;
         i < sizeof(ngx_pyroscope_pools) / sizeof(ngx_pyroscope_pools[0]);
         i++)
    {
        if (ngx_thread_pool_get(cycle, &ngx_pyroscope_pools[i].name) == NULL
            && ngx_pyroscope_pool_add(cycle, &ngx_pyroscope_pools[i].name,
                                      &ngx_pyroscope_pools[i].threads)
               != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/*
 * As if the line "thread_pool NAME threads=N;" stood in the file: the pool's
 * structure is private to nginx, its directive is not.
 */

static char *
ngx_pyroscope_pool_add(ngx_cycle_t *cycle, ngx_str_t *name, ngx_str_t *threads)
{
    void             *conf;
    ngx_str_t        *arg;
    ngx_conf_t        cf;
    ngx_array_t       args;
    ngx_command_t    *cmd;
    ngx_conf_file_t   file;

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    ngx_memzero(&file, sizeof(ngx_conf_file_t));

    if (ngx_array_init(&args, cycle->pool, 3, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    arg = ngx_array_push_n(&args, 3);

    if (arg == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_set(&arg[0], "thread_pool");
    arg[1] = *name;
    arg[2] = *threads;

    file.file.fd = NGX_INVALID_FILE;
    file.file.name = cycle->conf_file;

    cf.args = &args;
    cf.cycle = cycle;
    cf.pool = cycle->pool;
    cf.log = cycle->log;
    cf.conf_file = &file;
    cf.module_type = NGX_CORE_MODULE;
    cf.cmd_type = NGX_MAIN_CONF;

    conf = ngx_get_conf(cycle->conf_ctx, ngx_thread_pool_module);

    for (cmd = ngx_thread_pool_module.commands; cmd->name.len; cmd++) {
        if (cmd->name.len == arg[0].len
            && ngx_memcmp(cmd->name.data, arg[0].data, arg[0].len) == 0)
        {
            return cmd->set(&cf, cmd, conf);
        }
    }

    return NGX_CONF_ERROR;
}


void
ngx_pyroscope_pools_find(ngx_cycle_t *cycle, ngx_pyroscope_worker_t *worker)
{
    worker->parse_pool = ngx_thread_pool_get(cycle,
                                             &ngx_pyroscope_pools[0].name);
    worker->query_pool = ngx_thread_pool_get(cycle,
                                             &ngx_pyroscope_pools[1].name);
    worker->write_pool = ngx_thread_pool_get(cycle,
                                             &ngx_pyroscope_pools[2].name);
}
