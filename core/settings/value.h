/*
 * Values of a settings file as people write them.
 *
 * Each reader returns NULL, or a constant text that completes the sentence
 * "VALUE ..." ("needs a unit; ...").  Nothing is allocated.  Any thread.
 */

#ifndef _PYRO_VALUE_H_INCLUDED_
#define _PYRO_VALUE_H_INCLUDED_


#include "core/base/slice.h"


#define PYRO_VALUE_SHOW_MAX  32     /* bytes of pyro_value_show_*() */


/* true, false, yes, no, on, off: YAML 1.1, all lower, Title or UPPER case. */
const char *pyro_value_bool(pyro_slice_t s, int64_t *value);

/* Decimal digits only, up to INT64_MAX. */
const char *pyro_value_count(pyro_slice_t s, int64_t *value);

/*
 * A number such as 4 or 0.5, not negative, of units: of its fraction 7 digits
 * count, and what is below one is cut off.
 */
const char *pyro_value_number(pyro_slice_t s, int64_t unit, int64_t *value);

/*
 * Bytes: digits and a unit.  K M G T and KiB MiB GiB TiB are powers of 1024
 * (as in nginx), kB or KB, MB GB TB powers of 1000; B or none is bytes.
 */
const char *pyro_value_size(pyro_slice_t s, int64_t *bytes);

/* A size, or a whole percentage from 0% to 100%, given as minus the number. */
const char *pyro_value_share(pyro_slice_t s, int64_t *value);

/*
 * Nanoseconds: numbers with a unit, one after the other, as Prometheus (1d,
 * 1h30m) and Go (1.5h, 1m30s) write them; units ns us µs ms s m h d w y (365
 * days).  0 needs no unit.  What is below a nanosecond is cut off.
 */
const char *pyro_value_duration(pyro_slice_t s, int64_t *ns);

/* What pyro_value_number() reads as value, of up to 10 000 000 a unit. */
const char *pyro_value_show_number(char *text, int64_t value, int64_t unit);

/* A size or a duration in its largest whole unit; returns text. */
const char *pyro_value_show_size(char *text, int64_t bytes);
const char *pyro_value_show_duration(char *text, int64_t ns);


#endif /* _PYRO_VALUE_H_INCLUDED_ */
