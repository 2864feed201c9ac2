/*
 * Variables for access logs, and for whatever else nginx does with them after
 * an answer:
 *
 *     $pyroscope_tenant       whose a push or query is, as X-Scope-OrgID has it
 *     $pyroscope_service      of a push: its service_name
 *     $pyroscope_samples      of a push that is stored: distinct samples
 *     $pyroscope_parse_time   seconds that reading a push took, 0.001234
 *     $pyroscope_commit_time  seconds that the transaction took that has it
 *
 * What is not known is not found: "-" in a log.  Event loop only.
 */

#ifndef _NGX_PYROSCOPE_VARIABLES_H_INCLUDED_
#define _NGX_PYROSCOPE_VARIABLES_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


/* At preconfiguration. */
ngx_int_t ngx_pyroscope_variables_add(ngx_conf_t *cf);


#endif /* _NGX_PYROSCOPE_VARIABLES_H_INCLUDED_ */
