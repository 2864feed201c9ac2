#include "ngx_pyroscope_module/ngx_pyroscope_conf.h"

#include "ngx_pyroscope_module/ngx_pyroscope_route.h"


/* what a long "name" parameter and a profile of a busy JVM need */
#define NGX_PYROSCOPE_BODY_MIN    (16 * 1024 * 1024)
#define NGX_PYROSCOPE_HEADER_MIN  (16 * 1024)


static char *ngx_pyroscope_conf_read(ngx_conf_t *cf,
    ngx_pyroscope_main_conf_t *pmcf);
static ngx_int_t ngx_pyroscope_conf_retentions(ngx_conf_t *cf,
    ngx_pyroscope_main_conf_t *pmcf, pyro_settings_t *settings);
static void ngx_pyroscope_conf_free(void *data);
static ngx_int_t ngx_pyroscope_conf_env(ngx_conf_t *cf,
    pyro_settings_t *settings);
static char *ngx_pyroscope_conf_log(ngx_conf_t *cf,
    pyro_settings_t *settings);
static void ngx_pyroscope_conf_copy_log(ngx_cycle_t *cycle, ngx_log_t *log,
    ngx_log_t *above, ngx_uint_t level);


char *
ngx_pyroscope_conf_config(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_pyroscope_srv_conf_t  *pscf = conf;

    ngx_str_t                  *value, file;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_pyroscope_main_conf_t  *pmcf;

    if (pscf->configured) {
        return "is duplicate";
    }

    value = cf->args->elts;
    file = value[1];

    if (ngx_conf_full_name(cf->cycle, &file, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_pyroscope_module);

    if (pmcf->settings == NULL) {
        pmcf->file = file;

        if (ngx_pyroscope_conf_read(cf, pmcf) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

    } else if (pmcf->file.len != file.len
               || ngx_memcmp(pmcf->file.data, file.data, file.len) != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"pyroscope_config\" names \"%V\", but another "
                           "server has \"%V\": one nginx has one store",
                           &file, &pmcf->file);
        return NGX_CONF_ERROR;
    }

    pscf->configured = 1;

    /* no implicit "listen *:80"; postconfiguration adds ours if none came */

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    cscf->listen = 1;

    return ngx_pyroscope_conf_log(cf, pmcf->settings);
}


static char *
ngx_pyroscope_conf_read(ngx_conf_t *cf, ngx_pyroscope_main_conf_t *pmcf)
{
    pyro_error_t         err;
    pyro_settings_t     *settings;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    settings = ngx_pcalloc(cf->pool, sizeof(pyro_settings_t));

    if (cln == NULL || settings == NULL) {
        return NGX_CONF_ERROR;
    }

    pmcf->arena = pyro_arena_create(0);

    if (pmcf->arena == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_pyroscope_conf_free;
    cln->data = pmcf->arena;

    if (pyro_settings_read(pmcf->arena, (char *) pmcf->file.data, settings,
                           &err)
        != PYRO_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", err.message);
        return NGX_CONF_ERROR;
    }

    if (settings->ignored != NULL) {
        ngx_conf_log_error(NGX_LOG_NOTICE, cf, 0,
                           "%V: accepted without a meaning here: %s",
                           &pmcf->file, settings->ignored);
    }

    if (ngx_pyroscope_conf_retentions(cf, pmcf, settings) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    pmcf->dir.data = (u_char *) settings->storage.dir;
    pmcf->dir.len = ngx_strlen(settings->storage.dir);

    if (ngx_conf_full_name(cf->cycle, &pmcf->dir, 0) != NGX_OK
        || ngx_pyroscope_conf_env(cf, settings) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    pmcf->settings = settings;

    return NGX_CONF_OK;
}


/* The store is opened with them, and has them as long as it is open. */

static ngx_int_t
ngx_pyroscope_conf_retentions(ngx_conf_t *cf, ngx_pyroscope_main_conf_t *pmcf,
    pyro_settings_t *settings)
{
    int64_t                  retention;
    uint32_t                 i;
    pyro_store_retention_t  *own;

    if (settings->n_tenants == 0) {
        return NGX_OK;
    }

    pmcf->retentions = ngx_palloc(cf->pool, settings->n_tenants
                                            * sizeof(pyro_store_retention_t));

    if (pmcf->retentions == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < settings->n_tenants; i++) {
        retention = settings->tenants[i].limits.retention_period;

        if (retention == settings->limits.retention_period) {
            continue;
        }

        own = &pmcf->retentions[pmcf->n_retentions++];
        own->tenant = settings->tenants[i].name;
        own->retention = retention;
    }

    return NGX_OK;
}


static void
ngx_pyroscope_conf_free(void *data)
{
    pyro_arena_destroy(data);
}


/*
 * nginx empties its environment: a variable that the YAML names must be on the
 * "env" list, or a binary upgrade would read the file without it.
 */

static ngx_int_t
ngx_pyroscope_conf_env(ngx_conf_t *cf, pyro_settings_t *settings)
{
    size_t            len;
    u_char           *name;
    uint32_t          i;
    ngx_str_t        *var;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    for (i = 0; i < settings->n_variables; i++) {
        len = ngx_strlen(settings->variables[i]);
        name = ngx_pnalloc(cf->pool, len + 1);
        var = ngx_array_push(&ccf->env);

        if (name == NULL || var == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(name, settings->variables[i], len + 1);
        var->data = name;
        var->len = len;
    }

    return NGX_OK;
}


char *
ngx_pyroscope_conf_location(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_pyroscope_loc_conf_t  *plcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (plcf->serves) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 1 || ngx_strcmp(value[1].data, "all") == 0) {
        plcf->serves = NGX_PYROSCOPE_ALL;

    } else if (ngx_strcmp(value[1].data, "push") == 0) {
        plcf->serves = NGX_PYROSCOPE_PUSH;

    } else if (ngx_strcmp(value[1].data, "query") == 0) {
        plcf->serves = NGX_PYROSCOPE_QUERY;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"pyroscope\", it must be "
                           "\"all\", \"push\" or \"query\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    plcf->file_name = cf->conf_file->file.name.data;
    plcf->line = cf->conf_file->line;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_pyroscope_handler;

    return NGX_CONF_OK;
}


char *
ngx_pyroscope_conf_check_location(ngx_conf_t *cf,
    ngx_pyroscope_loc_conf_t *plcf)
{
    ngx_str_t                  html;
    ngx_http_core_loc_conf_t  *clcf, *server;
    ngx_http_core_srv_conf_t  *cscf;
    ngx_pyroscope_srv_conf_t  *pscf;

    pscf = ngx_http_conf_get_module_srv_conf(cf, ngx_pyroscope_module);

    if (!pscf->configured) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"pyroscope\" needs \"pyroscope_config FILE;\" in its "
                      "server in %s:%ui", plcf->file_name, plcf->line);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    if ((plcf->serves & NGX_PYROSCOPE_PUSH)
        && clcf->client_max_body_size != 0
        && clcf->client_max_body_size < NGX_PYROSCOPE_BODY_MIN)
    {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"client_max_body_size\" is %O bytes where \"pyroscope\""
                      " takes uploads in %s:%ui: larger profiles get 413, "
                      "16m or more is advised", clcf->client_max_body_size,
                      plcf->file_name, plcf->line);
    }

    if ((plcf->serves & NGX_PYROSCOPE_PUSH)
        && cscf->large_client_header_buffers.size < NGX_PYROSCOPE_HEADER_MIN)
    {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"large_client_header_buffers\" has %uz bytes a buffer "
                      "where \"pyroscope\" takes uploads in %s:%ui: a longer "
                      "\"name=\" gets 414 and the agent drops the profile, "
                      "\"4 32k\" is advised",
                      cscf->large_client_header_buffers.size,
                      plcf->file_name, plcf->line);
    }

    ngx_str_set(&html, "html");

    if (ngx_conf_full_name(cf->cycle, &html, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* an inherited root is the server's very bytes: its default, or not */

    server = cscf->ctx->loc_conf[ngx_http_core_module.ctx_index];

    plcf->has_root = clcf->alias || clcf->root.data != server->root.data
                     || clcf->root.len != html.len
                     || ngx_memcmp(clcf->root.data, html.data, html.len) != 0;

    return NGX_CONF_OK;
}


/*
 * server.log_level: a zeroed log stands in for the error_log that the server
 * does not have, before locations inherit it; an error_log line that follows
 * in the server fills the same object.  ngx_pyroscope_conf_log_levels() fills
 * one that is still empty, once nginx has opened its files.
 */

static char *
ngx_pyroscope_conf_log(ngx_conf_t *cf, pyro_settings_t *settings)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!settings->server.log_level_set || clcf->error_log != NULL) {
        return NGX_CONF_OK;
    }

    clcf->error_log = ngx_pcalloc(cf->pool, sizeof(ngx_log_t));

    return clcf->error_log != NULL ? NGX_CONF_OK : NGX_CONF_ERROR;
}


void
ngx_pyroscope_conf_log_levels(ngx_cycle_t *cycle)
{
    ngx_log_t                   *above;
    ngx_uint_t                   i;
    ngx_http_conf_ctx_t         *http;
    ngx_pyroscope_srv_conf_t    *pscf;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_core_srv_conf_t   **servers;
    ngx_http_core_main_conf_t   *cmcf;
    ngx_pyroscope_main_conf_t   *pmcf;

    static ngx_uint_t  levels[] = {
        NGX_LOG_DEBUG_ALL, NGX_LOG_NOTICE, NGX_LOG_WARN, NGX_LOG_ERR
    };

    http = (ngx_http_conf_ctx_t *) cycle->conf_ctx[ngx_http_module.index];
    clcf = http->loc_conf[ngx_http_core_module.ctx_index];
    above = clcf->error_log != NULL ? clcf->error_log : &cycle->new_log;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module);
    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_pyroscope_module);
    servers = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        pscf = servers[i]->ctx->srv_conf[ngx_pyroscope_module.ctx_index];
        clcf = servers[i]->ctx->loc_conf[ngx_http_core_module.ctx_index];

        if (pscf->configured && clcf->error_log->log_level == 0) {
            ngx_pyroscope_conf_copy_log(cycle, clcf->error_log, above,
                                  levels[pmcf->settings->server.log_level]);
        }
    }
}


/* Every log of the chain, at one level.  Without memory the rest stays out. */

static void
ngx_pyroscope_conf_copy_log(ngx_cycle_t *cycle, ngx_log_t *log,
    ngx_log_t *above, ngx_uint_t level)
{
    for ( ;; ) {
        *log = *above;
        log->log_level = level;
        log->next = NULL;

        above = above->next;

        if (above == NULL) {
            return;
        }

        log->next = ngx_pcalloc(cycle->pool, sizeof(ngx_log_t));

        if (log->next == NULL) {
            return;
        }

        log = log->next;
    }
}
