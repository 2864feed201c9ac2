/*
 * The types of a chunk of version 0.9: what its metadata event says of events,
 * pools and structures.
 *
 * Structures are numbered
 * through all producers; of event types and pools with the same id, and of
 * those with the same name, the first counts.  Structures nest at most
 * PYRO_JFR_OLD_NESTED deep; what goes deeper, or contains itself, cannot be
 * read.  Every field that is kept takes at least a byte.
 *
 * Lives in an arena; paths of events are the chunk's.  One thread.
 */

#ifndef _PYRO_JFR_OLD_TYPES_H_INCLUDED_
#define _PYRO_JFR_OLD_TYPES_H_INCLUDED_


#include "jfr/jfr_chunk.h"
#include "jfr/jfr_index.h"


#define PYRO_JFR_OLD_NESTED  8          /* real ones: 2 */


/* The data types, as the file numbers them. */
typedef enum {
    PYRO_JFR_OLD_BOOLEAN = 0,
    PYRO_JFR_OLD_BYTE,
    PYRO_JFR_OLD_U1,
    PYRO_JFR_OLD_SHORT,
    PYRO_JFR_OLD_U2,
    PYRO_JFR_OLD_INTEGER,
    PYRO_JFR_OLD_U4,
    PYRO_JFR_OLD_LONG,
    PYRO_JFR_OLD_U8,                    /* integers up to here */
    PYRO_JFR_OLD_FLOAT,
    PYRO_JFR_OLD_DOUBLE,
    PYRO_JFR_OLD_UTF8,
    PYRO_JFR_OLD_STRING,
    PYRO_JFR_OLD_ARRAY,
    PYRO_JFR_OLD_STRUCT,
    PYRO_JFR_OLD_STRUCTARRAY,
    PYRO_JFR_OLD_NO_TYPE
} pyro_jfr_old_type_e;


/* The fields that are read, by their id. */
typedef enum {
    PYRO_JFR_OLD_ID = 0,
    PYRO_JFR_OLD_DESC,
    PYRO_JFR_OLD_LINE,
    PYRO_JFR_OLD_NAME,
    PYRO_JFR_OLD_KIND,                  /* "type" */
    PYRO_JFR_OLD_TEXT,                  /* "utf8" */
    PYRO_JFR_OLD_CLASS,
    PYRO_JFR_OLD_STATE,
    PYRO_JFR_OLD_FRAMES,
    PYRO_JFR_OLD_METHOD,
    PYRO_JFR_OLD_PERIOD,
    PYRO_JFR_OLD_ENABLED,
    PYRO_JFR_OLD_TLAB_SIZE,
    PYRO_JFR_OLD_SIGNATURE,
    PYRO_JFR_OLD_TRUNCATED,
    PYRO_JFR_OLD_STACK,                 /* "stackTrace" */
    PYRO_JFR_OLD_SIZE,                  /* "allocationSize" */
    PYRO_JFR_OLD_NO_FIELD
} pyro_jfr_old_field_e;


/* The events that are read, by their path. */
typedef enum {
    PYRO_JFR_OLD_EV_EXECUTION = 0,
    PYRO_JFR_OLD_EV_IN_TLAB,
    PYRO_JFR_OLD_EV_OUTSIDE_TLAB,
    PYRO_JFR_OLD_EV_MONITOR,
    PYRO_JFR_OLD_EV_PARK,
    PYRO_JFR_OLD_EV_SETTING,
    PYRO_JFR_OLD_EV_RECORDING,
    PYRO_JFR_OLD_EV_NONE
} pyro_jfr_old_event_e;


/* The pools that are read, by their name. */
typedef enum {
    PYRO_JFR_OLD_POOL_SYMBOL = 0,
    PYRO_JFR_OLD_POOL_CLASS,
    PYRO_JFR_OLD_POOL_METHOD,
    PYRO_JFR_OLD_POOL_STACK,
    PYRO_JFR_OLD_POOL_STATE,
    PYRO_JFR_OLD_POOL_FRAME_TYPE,
    PYRO_JFR_OLD_POOL_NONE
} pyro_jfr_old_pool_e;


/* How many bytes a value of a structure takes. */
typedef enum {
    PYRO_JFR_OLD_UNKNOWN = 0,
    PYRO_JFR_OLD_NOTHING,               /* none */
    PYRO_JFR_OLD_FIXED,
    PYRO_JFR_OLD_VARIABLE,              /* at least one */
    PYRO_JFR_OLD_NEVER                  /* it cannot be read */
} pyro_jfr_old_shape_e;


typedef struct {
    uint32_t                    structure;  /* of an array: its data type */
    uint8_t                     type;
    uint8_t                     word;       /* pyro_jfr_old_field_e */
} pyro_jfr_old_field_t;


typedef struct {
    uint32_t                    first_field;
    uint32_t                    n_fields;
    uint32_t                    size;       /* bytes, if all have as many */
    uint8_t                     shape;      /* pyro_jfr_old_shape_e */
} pyro_jfr_old_structure_t;


typedef struct {
    pyro_slice_t                path;       /* in the chunk */
    uint64_t                    n;          /* events met */
    uint32_t                    structure;
    uint8_t                     event;      /* pyro_jfr_old_event_e */
    uint8_t                     has_start;
    uint8_t                     has_thread;
    uint8_t                     has_stack;
} pyro_jfr_old_event_type_t;


typedef struct {
    uint32_t                    structure;
    uint8_t                     pool;       /* pyro_jfr_old_pool_e */
    uint8_t                     key;        /* data type */
} pyro_jfr_old_content_t;


typedef struct {
    pyro_arena_t               *arena;
    pyro_jfr_old_field_t       *fields;
    pyro_jfr_old_structure_t   *structures;
    pyro_jfr_old_event_type_t  *events;
    pyro_jfr_old_content_t     *contents;
    pyro_jfr_index_t            event_ids;
    pyro_jfr_index_t            content_ids;
    uint32_t                    n_fields;
    uint32_t                    cap_fields;
    uint32_t                    n_structures;
    uint32_t                    cap_structures;
    uint32_t                    cap_events;
    uint32_t                    cap_contents;
    uint32_t                    by_event[PYRO_JFR_OLD_EV_NONE];
    uint32_t                    by_pool[PYRO_JFR_OLD_POOL_NONE];
    int64_t                     start;      /* ms since the epoch */
    int64_t                     end;
    int64_t                     frequency;
    uint64_t                    checkpoint; /* offset of the last; 0: none */
} pyro_jfr_old_types_t;


/* Reads the metadata event, which begins at chunk->metadata. */
pyro_jfr_bad_e pyro_jfr_old_types_read(pyro_jfr_old_types_t *types,
    const pyro_jfr_chunk_t *chunk, pyro_arena_t *arena);

/* A reader over integers of their type's width. */
static inline pyro_jfr_reader_t
pyro_jfr_old_reader(const pyro_jfr_chunk_t *chunk, size_t offset, size_t end)
{
    pyro_jfr_reader_t  r = { chunk->base + offset, chunk->base + end,
                             PYRO_JFR_SOUND, 1 };

    return r;
}


/* Bytes of a type with a width of its own: DOUBLE and those before it. */
static inline uint32_t
pyro_jfr_old_width(uint32_t type)
{
    static const uint8_t  widths[] = { 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8 };

    return widths[type];
}


/* NULL: there is none. */
static inline const pyro_jfr_old_structure_t *
pyro_jfr_old_structure(const pyro_jfr_old_types_t *types, uint32_t structure)
{
    return structure == PYRO_NONE ? NULL : &types->structures[structure];
}


#endif /* _PYRO_JFR_OLD_TYPES_H_INCLUDED_ */
