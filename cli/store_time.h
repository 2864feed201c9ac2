/*
 * Times on a command line, and in what is printed.
 */

#ifndef _PYRO_CLI_STORE_TIME_H_INCLUDED_
#define _PYRO_CLI_STORE_TIME_H_INCLUDED_


#include "core/base/slice.h"
#include "core/base/status.h"


/*
 * Text to ns since the epoch: a date (2026-11-22, midnight UTC), RFC 3339
 * (2026-11-22T13:00:00Z, with a fraction or an offset), a number of seconds,
 * milliseconds, microseconds or nanoseconds since 1970 by its digits (up to 10,
 * 13, 16, 19), "now", "now-1h30m" (s, m, h, d, w, y).
 *
 * Unlike the times of a push (core/base/timespec.h) nothing is guessed:
 * PYRO_INVALID for everything else.  what: the option, for the message.
 */
pyro_status_e pyro_store_time_parse(const char *text, const char *what,
    int64_t now, int64_t *ns, pyro_error_t *err);


#define PYRO_STORE_TIME_MAX  40

/* RFC 3339 in UTC, to the second or, where there is one, the fraction. */
void pyro_store_time_text(int64_t ns, char *text);


#endif /* _PYRO_CLI_STORE_TIME_H_INCLUDED_ */
