/*
 * The parameter "name" of an upload, app{key=value,...}, and the labels of the
 * series that it names (Pyroscope API: /ingest).
 *
 * Slices of the result point into the text, which the caller keeps.
 */

#ifndef _PYRO_APP_NAME_H_INCLUDED_
#define _PYRO_APP_NAME_H_INCLUDED_


#include "core/model/labels.h"


/*
 * Parses text into the static labels of a stream: the labels in braces but
 * those that begin with two underscores; service_name (and app_name, where the
 * braces hold a service_name of their own); pyroscope_spy = spy, or unknown
 * where spy is empty.
 *
 * PYRO_INVALID: no name, a character that is not allowed, an empty label name;
 * the message begins with "name: ".  Lengths are pyro_labels_check()'s.
 */
pyro_status_e pyro_app_name_parse(pyro_arena_t *arena, pyro_slice_t text,
    pyro_slice_t spy, pyro_labels_t *labels, pyro_error_t *err);


#endif /* _PYRO_APP_NAME_H_INCLUDED_ */
