/*
 * The time grammar of "from" and "until" (Pyroscope API: /ingest).  Any thread.
 */

#ifndef _PYRO_TIMESPEC_H_INCLUDED_
#define _PYRO_TIMESPEC_H_INCLUDED_


#include "core/base/slice.h"


/*
 * Text to ns since the epoch; now_ns is what "now" means.  Never fails, as
 * upstream's does not; a value out of range becomes 0 or INT64_MAX.
 */
int64_t pyro_time_parse(pyro_slice_t text, int64_t now_ns);


#endif /* _PYRO_TIMESPEC_H_INCLUDED_ */
