/*
 * Entity tags of HTTP (RFC 9110, 8.8.3 and 13.1.2).  Any thread.
 */

#ifndef _PYRO_ETAG_H_INCLUDED_
#define _PYRO_ETAG_H_INCLUDED_


#include "core/base/slice.h"


/*
 * 1 if an If-None-Match of this value has the tag, which is in its quotes, or
 * is "*".  The comparison is weak: W/ before a tag means nothing.  What is no
 * list of tags has none.
 */
int pyro_etag_listed(pyro_slice_t list, pyro_slice_t etag);


#endif /* _PYRO_ETAG_H_INCLUDED_ */
