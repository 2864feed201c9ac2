/*
 * Values in a chunk of version 0.9, by the structures that its metadata
 * describes: read or skipped in as many steps as they have bytes.  Iterative;
 * errors stick to the reader.  One thread.
 */

#ifndef _PYRO_JFR_OLD_VALUE_H_INCLUDED_
#define _PYRO_JFR_OLD_VALUE_H_INCLUDED_


#include "jfr/jfr_old_types.h"


/* A field's value: an integer, or where in the chunk what is none begins. */
typedef struct {
    uint64_t                    number;
    uint32_t                    structure;
    uint8_t                     type;       /* NO_TYPE: it is not there */
} pyro_jfr_old_value_t;


typedef struct {
    pyro_jfr_old_value_t        of[PYRO_JFR_OLD_NO_FIELD];
} pyro_jfr_old_values_t;


/* An integer of the type, with its sign; whatever else is not one fails. */
uint64_t pyro_jfr_old_integer(pyro_jfr_reader_t *r, uint8_t type);

/* n values of a structure. */
void pyro_jfr_old_skip(const pyro_jfr_old_types_t *types, uint32_t structure,
    uint64_t n, pyro_jfr_reader_t *r);

/* A value of a structure; fields it does not have stay as they are. */
void pyro_jfr_old_values(const pyro_jfr_old_types_t *types,
    const pyro_jfr_chunk_t *chunk, uint32_t structure, pyro_jfr_reader_t *r,
    pyro_jfr_old_values_t *values);

void pyro_jfr_old_values_clear(pyro_jfr_old_values_t *values);

/* A field that is an integer, or 0. */
static inline uint64_t
pyro_jfr_old_number(const pyro_jfr_old_values_t *values,
    pyro_jfr_old_field_e field)
{
    return values->of[field].type <= PYRO_JFR_OLD_U8
           ? values->of[field].number : 0;
}


/* A field that is a UTF8, or an empty text: the chunk's bytes. */
pyro_slice_t pyro_jfr_old_text(const pyro_jfr_chunk_t *chunk,
    const pyro_jfr_old_values_t *values, pyro_jfr_old_field_e field);

/*
 * The number of structures in a field, a reader at the first of them, and what
 * they are; 0 if it is no array of structures.
 */
uint32_t pyro_jfr_old_array(const pyro_jfr_chunk_t *chunk,
    const pyro_jfr_old_values_t *values, pyro_jfr_old_field_e field,
    pyro_jfr_reader_t *r, uint32_t *structure);


#endif /* _PYRO_JFR_OLD_VALUE_H_INCLUDED_ */
