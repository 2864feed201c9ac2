/*
 * nginx's own errors (413, 414, 404, 500, ...) as JSON, like all other errors
 * of this server: a header and a body filter for the main request of a
 * "pyroscope" location, or of a server with pyroscope_config where no location
 * was found, unless the user set an error_page there.
 */

#ifndef _NGX_PYROSCOPE_ERROR_PAGE_H_INCLUDED_
#define _NGX_PYROSCOPE_ERROR_PAGE_H_INCLUDED_


/* Enters the filters into the chain: postconfiguration. */
void ngx_pyroscope_error_page_init(void);


#endif /* _NGX_PYROSCOPE_ERROR_PAGE_H_INCLUDED_ */
