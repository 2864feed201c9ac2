/*
 * What an answer of labels is missing still: streams that would add nothing to
 * it are passed over, so that such an answer costs a look at each stream's
 * entry, and not its labels, range and types.
 *
 * Of one partition, whose ids it goes by; in the query's arena, one thread.
 */

#ifndef _PYRO_DISTINCT_H_INCLUDED_
#define _PYRO_DISTINCT_H_INCLUDED_


#include "storage/reader.h"


typedef struct {
    pyro_store_distinct_e  what;
    uint32_t               name;        /* string of the label; 0: none */
    int                    by_string;   /* a name or a value may be new */
    int                    by_type;     /* a type may be */
    uint8_t               *strings;     /* bits: seen */
    uint32_t               n_strings;
    uint8_t               *types;       /* by ptype - 1: seen */
    uint32_t               n_types;
} pyro_distinct_t;


/* As the query says; its types have been read. */
pyro_status_e pyro_distinct_begin(pyro_distinct_t *d, const pyro_read_t *read);

/* 1 if the index of the label has all that may be new. */
int pyro_distinct_is_indexed(const pyro_distinct_t *d);

/* 1 if a value of the label is in the answer. */
int pyro_distinct_has(const pyro_distinct_t *d, uint32_t string);

/* 1 if the stream may add something. */
int pyro_distinct_adds(const pyro_distinct_t *d,
    const pyro_stream_value_t *stream);

/* The stream is in the answer, with those types that are set. */
void pyro_distinct_mark(pyro_distinct_t *d, const pyro_stream_value_t *stream,
    const uint8_t *types);


#endif /* _PYRO_DISTINCT_H_INCLUDED_ */
