#include "ngx_pyroscope_module/ngx_pyroscope_module.h"

#include "ngx_pyroscope_module/ngx_pyroscope_conf.h"
#include "ngx_pyroscope_module/ngx_pyroscope_error_page.h"
#include "ngx_pyroscope_module/ngx_pyroscope_listen.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_process.h"
#include "ngx_pyroscope_module/ngx_pyroscope_route.h"
#include "ngx_pyroscope_module/ngx_pyroscope_variables.h"

#include "core/base/clock.h"


static void *ngx_pyroscope_create_main_conf(ngx_conf_t *cf);
static char *ngx_pyroscope_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_pyroscope_create_srv_conf(ngx_conf_t *cf);
static void *ngx_pyroscope_create_loc_conf(ngx_conf_t *cf);
static char *ngx_pyroscope_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_pyroscope_postconfiguration(ngx_conf_t *cf);


static ngx_command_t  ngx_pyroscope_commands[] = {

    { ngx_string("pyroscope_config"),
      NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_pyroscope_conf_config,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("pyroscope"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_pyroscope_conf_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_pyroscope_module_ctx = {
    ngx_pyroscope_variables_add,           /* preconfiguration */
    ngx_pyroscope_postconfiguration,       /* postconfiguration */

    ngx_pyroscope_create_main_conf,        /* create main configuration */
    ngx_pyroscope_init_main_conf,          /* init main configuration */

    ngx_pyroscope_create_srv_conf,         /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_pyroscope_create_loc_conf,         /* create location configuration */
    ngx_pyroscope_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_pyroscope_module = {
    NGX_MODULE_V1,
    &ngx_pyroscope_module_ctx,             /* module context */
    ngx_pyroscope_commands,                /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_pyroscope_init_module,             /* init module */
    ngx_pyroscope_init_process,            /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_pyroscope_exit_process,            /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


ngx_pyroscope_worker_t  ngx_pyroscope_worker;


ngx_pyroscope_ctx_t *
ngx_pyroscope_ctx(ngx_http_request_t *r)
{
    ngx_pyroscope_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_pyroscope_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_pyroscope_ctx_t));

        if (ctx != NULL) {
            ctx->start = pyro_clock_mono();
            ngx_http_set_ctx(r, ctx, ngx_pyroscope_module);
        }
    }

    return ctx;
}


static void *
ngx_pyroscope_create_main_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->arena = NULL;
     *     conf->settings = NULL;
     *     conf->file = { 0, NULL };
     *     conf->dir = { 0, NULL };
     *     conf->metrics = NULL;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_pyroscope_main_conf_t));
}


static char *
ngx_pyroscope_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_pyroscope_main_conf_t  *pmcf = conf;

    if (pmcf->settings == NULL) {
        return NGX_CONF_OK;
    }

    return ngx_pyroscope_metrics_zone(cf, pmcf);
}


static void *
ngx_pyroscope_create_srv_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_pyroscope_srv_conf_t));
}


static void *
ngx_pyroscope_create_loc_conf(ngx_conf_t *cf)
{
    /* serves is not inherited: a content handler is its location's own */

    return ngx_pcalloc(cf->pool, sizeof(ngx_pyroscope_loc_conf_t));
}


static char *
ngx_pyroscope_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_pyroscope_loc_conf_t  *prev = parent;
    ngx_pyroscope_loc_conf_t  *plcf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "if" and "limit_except" blocks are nameless locations of their own */

    if (clcf->noname && plcf->serves == 0 && prev->serves) {
        *plcf = *prev;

        if (clcf->lmt_excpt && clcf->handler == NULL) {
            clcf->handler = ngx_pyroscope_handler;
        }

        return NGX_CONF_OK;
    }

    if (plcf->serves == 0) {
        return NGX_CONF_OK;
    }

    return ngx_pyroscope_conf_check_location(cf, plcf);
}


static ngx_int_t
ngx_pyroscope_postconfiguration(ngx_conf_t *cf)
{
    ngx_pyroscope_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_pyroscope_module);

    if (pmcf->settings == NULL) {
        return NGX_OK;
    }

    ngx_pyroscope_error_page_init();

    return ngx_pyroscope_listen(cf, pmcf);
}
