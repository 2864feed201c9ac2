/*
 * The commit queue of a worker: all uploads that wait are stored in one
 * transaction, while it syncs the next group collects.  One commit is in
 * flight at a time, so the size of a group follows the load.
 *
 * Event loop only; the thread that stores sees nothing but the group's pushes.
 */

#ifndef _NGX_PYROSCOPE_COMMIT_H_INCLUDED_
#define _NGX_PYROSCOPE_COMMIT_H_INCLUDED_


#include "ngx_pyroscope_module/ngx_pyroscope_ingest.h"


void ngx_pyroscope_commit_init(ngx_cycle_t *cycle);

/*
 * Queues a parsed upload.  Its request, parked, is woken when the upload is
 * stored or failed: status and error say which.
 */
void ngx_pyroscope_commit_enqueue(ngx_pyroscope_upload_t *upload);

/* How long the oldest upload waits, ms. */
ngx_msec_int_t ngx_pyroscope_commit_age(void);


#endif /* _NGX_PYROSCOPE_COMMIT_H_INCLUDED_ */
