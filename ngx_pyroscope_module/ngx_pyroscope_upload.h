/*
 * An upload's bytes to a finished profile: what the parse pool runs.
 *
 * Knows no request: everything it needs is in the upload.
 */

#ifndef _NGX_PYROSCOPE_UPLOAD_H_INCLUDED_
#define _NGX_PYROSCOPE_UPLOAD_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_ingest.h"


/*
 * Checks the parameters that decide before the body is read: PYRO_INVALID with
 * the field, the value and what there is.  Event loop.
 */
pyro_status_e ngx_pyroscope_upload_check(ngx_pyroscope_upload_t *upload,
    pyro_error_t *err);

/* Parse pool: sets status, error, report, push. */
void ngx_pyroscope_upload_parse(void *data);


#endif /* _NGX_PYROSCOPE_UPLOAD_H_INCLUDED_ */
