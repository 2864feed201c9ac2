/*
 * The module's life in a process: the store's directory before the fork, the
 * store itself after it, its retry while it cannot be had, its end.
 *
 * None of these ever fails: a store that cannot be opened gives 503 with the
 * reason and is tried again every second, and the server lives on.
 */

#ifndef _NGX_PYROSCOPE_PROCESS_H_INCLUDED_
#define _NGX_PYROSCOPE_PROCESS_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


ngx_int_t ngx_pyroscope_init_module(ngx_cycle_t *cycle);
ngx_int_t ngx_pyroscope_init_process(ngx_cycle_t *cycle);
void ngx_pyroscope_exit_process(ngx_cycle_t *cycle);

/* What the settings say of the store; its directory is the configuration's. */
void ngx_pyroscope_store_options(ngx_pyroscope_main_conf_t *pmcf,
    pyro_store_options_t *options);


#endif /* _NGX_PYROSCOPE_PROCESS_H_INCLUDED_ */
