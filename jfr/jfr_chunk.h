/*
 * JFR chunks: a recording is one or more of them back to back, each with its
 * own types, pools and clock.
 *
 * A chunk borrows the recording's bytes.  Offsets are relative to its first
 * byte and below 4 GiB, since positions in a chunk are kept in 32 bits.
 *
 * Damage costs as little as possible.  A chunk that ends behind the data's end
 * is what there is of it; one whose size is impossible reaches up to the next
 * sound header; between chunks everything up to a sound header is skipped.  No
 * byte belongs to two chunks.  JFR chunk header, 68 bytes, big-endian.  One
 * thread.
 */

#ifndef _PYRO_JFR_CHUNK_H_INCLUDED_
#define _PYRO_JFR_CHUNK_H_INCLUDED_


#include "jfr/jfr_reader.h"


#define PYRO_JFR_HEADER_SIZE  68


typedef struct {
    const uint8_t  *base;
    size_t          size;           /* of what there is, header included */
    size_t          offset;         /* in the recording */
    uint32_t        checkpoint;     /* offset of the last one; 0: not known */
    uint32_t        metadata;       /* likewise */
    unsigned        major;
    unsigned        minor;
    int64_t         start;          /* ns since the epoch */
    int64_t         duration;       /* ns */
    int64_t         frequency;      /* ticks a second; <= 0 in broken files */
    int             fixed;          /* integers are not compressed */
    int             unfinished;     /* still being written: valid up to size */
} pyro_jfr_chunk_t;


typedef enum {
    PYRO_JFR_CHUNK_END,             /* no bytes left */
    PYRO_JFR_CHUNK_OK,
    PYRO_JFR_CHUNK_DAMAGED,         /* what there is of it can be read */
    PYRO_JFR_CHUNK_SKIPPED          /* bytes that are no chunk */
} pyro_jfr_chunk_e;


/*
 * The chunk at *offset, which is moved to its end.  What is wrong with one that
 * is not sound is in *problem (static text).
 */
pyro_jfr_chunk_e pyro_jfr_chunk_next(pyro_slice_t recording, size_t *offset,
    pyro_jfr_chunk_t *chunk, const char **problem);

/*
 * Where reading goes on after the chunk broke at pos (relative to it): a sound
 * header inside of it, if there is one, or else its end.  pos is behind all
 * that was read of it: a table that ever new headers refer to is read once.
 */
size_t pyro_jfr_chunk_after(pyro_slice_t recording,
    const pyro_jfr_chunk_t *chunk, size_t pos);

/* 1 if the bytes begin with a chunk's magic. */
int pyro_jfr_is_chunk(pyro_slice_t data);

/* The bytes from an offset within the chunk to the chunk's end. */
static inline pyro_jfr_reader_t
pyro_jfr_chunk_reader(const pyro_jfr_chunk_t *chunk, size_t offset)
{
    pyro_jfr_reader_t  r = { chunk->base + offset, chunk->base + chunk->size,
                             PYRO_JFR_SOUND, chunk->fixed };

    return r;
}


/*
 * Reads the head of the event at r and puts a reader over its payload into
 * *event; r is moved behind it.  -1: a size below the head's own or beyond the
 * chunk.
 */
int pyro_jfr_event_head(pyro_jfr_reader_t *r, uint64_t *type,
    pyro_jfr_reader_t *event);

/* Ticks of this chunk's clock in ns, cut; -1 if that cannot be told. */
int64_t pyro_jfr_chunk_ns(const pyro_jfr_chunk_t *chunk, int64_t ticks);


#endif /* _PYRO_JFR_CHUNK_H_INCLUDED_ */
