/*
 * What the error log says of a request to a "pyroscope" location, in lines of
 * nginx as of this module: its URL without the values of parameters that this
 * server does not read, since a token may be among them, and no referrer, which
 * is such a URL as well.  Headers and bodies are in no line below debug.
 *
 * Lines from before a location is found, and those of a request line that
 * nginx refuses, are nginx's own.
 */

#ifndef _NGX_PYROSCOPE_LOG_H_INCLUDED_
#define _NGX_PYROSCOPE_LOG_H_INCLUDED_


/* Enters the handler that begins a request's time in its location. */
ngx_int_t ngx_pyroscope_log_init(ngx_conf_t *cf);


#endif /* _NGX_PYROSCOPE_LOG_H_INCLUDED_ */
