/*
 * The directives, and what follows from pyroscope-config.yml for nginx's own
 * configuration: log level, environment variables.
 *
 *     pyroscope_config FILE;              context: server
 *     pyroscope [all | push | query];     context: location; default all
 *
 * Configuration time only.  Every mistake fails "nginx -t" with the file and
 * the line, so that a running server is never touched by one.
 */

#ifndef _NGX_PYROSCOPE_CONF_H_INCLUDED_
#define _NGX_PYROSCOPE_CONF_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


char *ngx_pyroscope_conf_config(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_pyroscope_conf_location(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Of a location with "pyroscope", after core's settings were merged. */
char *ngx_pyroscope_conf_check_location(ngx_conf_t *cf,
    ngx_pyroscope_loc_conf_t *plcf);

/* At init_module: the chain of each server's error log, one level changed. */
void ngx_pyroscope_conf_log_levels(ngx_cycle_t *cycle);


#endif /* _NGX_PYROSCOPE_CONF_H_INCLUDED_ */
