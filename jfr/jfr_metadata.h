/*
 * The metadata of a chunk: which types there are and what fields they have.
 *
 * Lives in the chunk's arena and borrows its bytes.  Of classes with the same
 * id, and of those with the same name, the first counts.  Ids are the file's,
 * 64 bits; a class or field that has none is left out, or fails whoever wants
 * to read past it.  JFR metadata event.  One thread.
 */

#ifndef _PYRO_JFR_METADATA_H_INCLUDED_
#define _PYRO_JFR_METADATA_H_INCLUDED_


#include "jfr/jfr_chunk.h"
#include "jfr/jfr_index.h"
#include "jfr/jfr_word.h"


typedef enum {
    PYRO_JFR_STRUCT = 0,            /* has fields, or takes no bytes at all */
    PYRO_JFR_BYTE,                  /* boolean, byte: one byte as it is */
    PYRO_JFR_SHORT,
    PYRO_JFR_INT,
    PYRO_JFR_LONG,
    PYRO_JFR_FLOAT,
    PYRO_JFR_DOUBLE,
    PYRO_JFR_STRING
} pyro_jfr_type_e;


typedef struct {
    uint32_t               class;   /* PYRO_NONE: not described */
    uint16_t               word;    /* the name, if it is a known one */
    uint8_t                pool;    /* a pool key stands for the value */
    uint8_t                array;
} pyro_jfr_field_t;


/* A step of reading a value; made by jfr_value.h. */
typedef struct {
    uint8_t                op;
    uint8_t                slot;
    uint32_t               n;
} pyro_jfr_step_t;


typedef struct {
    const pyro_jfr_step_t *steps;   /* NULL: not made yet */
    const uint8_t         *flat;    /* if all is varints: the slot of each */
    uint32_t               n;
    uint32_t               n_flat;
} pyro_jfr_plan_t;


typedef struct {
    pyro_jfr_plan_t        skip;    /* by pyro_jfr_class_skip() */
    uint32_t               name;    /* string */
    uint32_t               first_field;
    uint32_t               n_fields;
    uint16_t               word;    /* the name, if it is a known one */
    uint8_t                type;    /* pyro_jfr_type_e */
    uint8_t                sized;   /* pyro_jfr_sized_e */
} pyro_jfr_class_t;


typedef struct {
    uint64_t               number;  /* if it is one; else UINT64_MAX */
    uint32_t               pos;     /* in the chunk */
    uint16_t               word;
} pyro_jfr_meta_string_t;


typedef struct {
    pyro_arena_t           *arena;
    const pyro_jfr_chunk_t *chunk;
    pyro_jfr_meta_string_t *strings;
    pyro_jfr_class_t       *classes;
    pyro_jfr_field_t       *fields;
    pyro_jfr_index_t        ids;    /* class id to number */
    uint32_t                n_strings;
    uint32_t                cap_strings;
    uint32_t                n_classes;
    uint32_t                cap_classes;
    uint32_t                n_fields;
    uint32_t                cap_fields;
    uint32_t                by_word[PYRO_JFR_WORD_COUNT];   /* class, or NONE */
} pyro_jfr_metadata_t;


/* Reads the metadata event at offset. */
pyro_jfr_bad_e pyro_jfr_metadata_read(pyro_jfr_metadata_t *md,
    const pyro_jfr_chunk_t *chunk, uint32_t offset, pyro_arena_t *arena);

/* The first class of this name, or PYRO_NONE. */
static inline uint32_t
pyro_jfr_metadata_find(const pyro_jfr_metadata_t *md, pyro_jfr_word_e name)
{
    return md->by_word[name];
}


/* A class' name as the file has it; empty if it is too long or broken. */
pyro_slice_t pyro_jfr_metadata_name(const pyro_jfr_metadata_t *md,
    uint32_t class);


#endif /* _PYRO_JFR_METADATA_H_INCLUDED_ */
