/*
 * The three thread pools of the module.  Event loop only.
 */

#ifndef _NGX_PYROSCOPE_POOLS_H_INCLUDED_
#define _NGX_PYROSCOPE_POOLS_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


extern ngx_module_t  ngx_thread_pool_module;


/* Sets the worker's pools; they exist wherever pyroscope_config is used. */
void ngx_pyroscope_pools_find(ngx_cycle_t *cycle,
    ngx_pyroscope_worker_t *worker);


#endif /* _NGX_PYROSCOPE_POOLS_H_INCLUDED_ */
