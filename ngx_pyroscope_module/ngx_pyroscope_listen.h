/*
 * The listen sockets of pyroscope-config.yml, for servers that have none of
 * their own: http_listen_port, and grpc_listen_port for HTTP/2 without TLS,
 * which nginx before 1.25.1 cannot tell from HTTP/1.1 on one port.
 *
 * Configuration time only.
 */

#ifndef _NGX_PYROSCOPE_LISTEN_H_INCLUDED_
#define _NGX_PYROSCOPE_LISTEN_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_module.h"


/* Of each server with pyroscope_config; NGX_ERROR after a message. */
ngx_int_t ngx_pyroscope_listen(ngx_conf_t *cf,
    ngx_pyroscope_main_conf_t *pmcf);


#endif /* _NGX_PYROSCOPE_LISTEN_H_INCLUDED_ */
