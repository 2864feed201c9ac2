/*
 * Writing a chunk of version 2.0: what a chunk of 0.9 is turned into.
 *
 * The types are those that the reader wants of it, and no others.  A header is
 * not written, only room for it is left: who reads the chunk has it as a
 * pyro_jfr_chunk_t.  Integers are compressed; sizes take five bytes, so that
 * they can be put in afterwards.
 *
 * Errors stick: after the first one nothing is written.  Lives in an arena.
 * One thread.
 */

#ifndef _PYRO_JFR_OLD_WRITE_H_INCLUDED_
#define _PYRO_JFR_OLD_WRITE_H_INCLUDED_


#include "jfr/jfr_chunk.h"


typedef enum {
    PYRO_JFR_OUT_LONG = 0,
    PYRO_JFR_OUT_INT,
    PYRO_JFR_OUT_BOOLEAN,
    PYRO_JFR_OUT_STRING,
    PYRO_JFR_OUT_CLASS,
    PYRO_JFR_OUT_METHOD,
    PYRO_JFR_OUT_SYMBOL,
    PYRO_JFR_OUT_STACK,
    PYRO_JFR_OUT_FRAME,
    PYRO_JFR_OUT_STATE,
    PYRO_JFR_OUT_EXECUTION,
    PYRO_JFR_OUT_IN_TLAB,
    PYRO_JFR_OUT_OUTSIDE_TLAB,
    PYRO_JFR_OUT_MONITOR,
    PYRO_JFR_OUT_PARK,
    PYRO_JFR_OUT_SETTING,
    PYRO_JFR_OUT_RECORDING,
    PYRO_JFR_OUT_COUNT
} pyro_jfr_out_type_e;


/* A type's id; 0 and 1 are the metadata's and the checkpoints'. */
#define PYRO_JFR_OUT_ID(type)  ((uint64_t) (type) + 2)


typedef struct {
    pyro_arena_t     *arena;
    uint8_t          *data;
    uint32_t          n;
    uint32_t          cap;
    uint32_t          open;         /* of the event being written */
    uint32_t          metadata;     /* offsets */
    uint32_t          checkpoint;
    size_t            max;          /* bytes at most */
    pyro_jfr_bad_e    bad;          /* MALFORMED: more than max */
} pyro_jfr_out_t;


/* Room for the header, then the metadata. */
void pyro_jfr_out_begin(pyro_jfr_out_t *out, pyro_arena_t *arena, size_t max);

void pyro_jfr_out_open(pyro_jfr_out_t *out, uint64_t type);
void pyro_jfr_out_close(pyro_jfr_out_t *out);

/* The head of a checkpoint of n pools, and of one of n entries. */
void pyro_jfr_out_checkpoint(pyro_jfr_out_t *out, uint32_t n);
void pyro_jfr_out_pool(pyro_jfr_out_t *out, pyro_jfr_out_type_e type,
    uint32_t n);

void pyro_jfr_out_byte(pyro_jfr_out_t *out, uint8_t byte);
void pyro_jfr_out_long(pyro_jfr_out_t *out, uint64_t v);

/* A String: of UTF-8, and of n code units, big-endian. */
void pyro_jfr_out_text(pyro_jfr_out_t *out, pyro_slice_t text);
void pyro_jfr_out_chars(pyro_jfr_out_t *out, const uint8_t *p, uint32_t n);


#endif /* _PYRO_JFR_OLD_WRITE_H_INCLUDED_ */
