/*
 * multipart/form-data (RFC 7578) over one contiguous range.  Nothing is copied.
 * Any thread.
 */

#ifndef _PYRO_MULTIPART_H_INCLUDED_
#define _PYRO_MULTIPART_H_INCLUDED_


#include "core/base/slice.h"
#include "core/base/status.h"


typedef struct {
    pyro_slice_t  name;             /* of Content-Disposition */
    int           has_filename;
    pyro_slice_t  body;
} pyro_part_t;


typedef struct {
    pyro_slice_t  rest;
    pyro_slice_t  boundary;
    int           started;
    uint32_t      parts;
} pyro_multipart_t;


/* 1 if a Content-Type is multipart/form-data, in any case. */
int pyro_is_multipart(pyro_slice_t content_type);

/*
 * Prepares reading.  PYRO_UNPROCESSABLE: no boundary parameter, or one that is
 * empty or longer than 70 bytes (RFC 2046).
 */
pyro_status_e pyro_multipart_init(pyro_multipart_t *mp,
    pyro_slice_t content_type, pyro_slice_t body, pyro_error_t *err);

/*
 * The next part.  *more is 0 behind the closing delimiter.  PYRO_UNPROCESSABLE:
 * no first delimiter, a part without an end, a header line of more than 8 KiB
 * or more than 64 parts; the message names the part.
 */
pyro_status_e pyro_multipart_next(pyro_multipart_t *mp, pyro_part_t *part,
    int *more, pyro_error_t *err);


#endif /* _PYRO_MULTIPART_H_INCLUDED_ */
