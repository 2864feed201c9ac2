/*
 * The store's upkeep (pyro_store_maintain()), in nginx's cache manager process,
 * which the master supervises: a half second at the most, every ten seconds or
 * again soon while there is more to do.
 *
 * With "master_process off" there is no such process and no upkeep: everything
 * is answered from push records.
 */

#ifndef _NGX_PYROSCOPE_UPKEEP_H_INCLUDED_
#define _NGX_PYROSCOPE_UPKEEP_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


/* From init_module: that the master starts the process. */
void ngx_pyroscope_upkeep_init(ngx_cycle_t *cycle,
    ngx_pyroscope_main_conf_t *pmcf);


#endif /* _NGX_PYROSCOPE_UPKEEP_H_INCLUDED_ */
