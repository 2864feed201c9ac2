/*
 * A query's selectors to the streams and types of one partition that have data
 * in its range.
 *
 * Matchers on names that belong to profile types are tested against types, all
 * others against the streams' labels; __service_name__ means service_name.
 */

#ifndef _PYRO_SELECT_H_INCLUDED_
#define _PYRO_SELECT_H_INCLUDED_


#include "storage/reader.h"


typedef struct {
    uint32_t   stream;
    uint32_t   scope;
    uint32_t   n;               /* types, at least 1 */
    uint32_t  *ptypes;          /* ascending */
} pyro_selected_t;


/*
 * In the query's arena, by scope, then stream.  Where the range cuts into a
 * stream's life, only types are there that it has data of in the range.
 *
 * PYRO_UNPROCESSABLE: more than query->max_series streams and types.
 */
pyro_status_e pyro_select(pyro_read_t *read, pyro_selected_t **selected,
    uint32_t *n);


#endif /* _PYRO_SELECT_H_INCLUDED_ */
