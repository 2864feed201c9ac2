#define _GNU_SOURCE

#include "jfr/jfr_chunk.h"

#include "core/base/clock.h"


/*
 * 1.0 is JDK 9's and 10's, 2.x all later ones': the same but for the number.
 * 0.9, of JDK 7 and 8 and async-profiler 1.x, is another format.
 */
#define PYRO_JFR_MAJOR_OLD        0
#define PYRO_JFR_MINOR_OLD        9
#define PYRO_JFR_MAJOR_LAST       2

#define PYRO_JFR_OLD_EVENT        8     /* bytes of a head: size and type */

#define PYRO_JFR_FLAG_COMPRESSED  1


enum {
    PYRO_JFR_AT_MAJOR = 4,
    PYRO_JFR_AT_MINOR = 6,
    PYRO_JFR_AT_SIZE = 8,
    PYRO_JFR_AT_OLD_METADATA = 8,
    PYRO_JFR_AT_CHECKPOINT = 16,
    PYRO_JFR_AT_METADATA = 24,
    PYRO_JFR_AT_START = 32,
    PYRO_JFR_AT_DURATION = 40,
    PYRO_JFR_AT_FREQUENCY = 56,
    PYRO_JFR_AT_STATE = 64,
    PYRO_JFR_AT_FLAGS = 66
};


static void pyro_jfr_chunk_header(pyro_jfr_chunk_t *chunk, const uint8_t *p);
static int pyro_jfr_chunk_is_known(const pyro_jfr_chunk_t *chunk);
static uint32_t pyro_jfr_chunk_offset(const pyro_jfr_chunk_t *chunk,
    const uint8_t *p);
static int pyro_jfr_chunk_event_is(const pyro_jfr_chunk_t *chunk,
    uint32_t offset, uint64_t type);
static uint64_t pyro_jfr_chunk_size(const pyro_jfr_chunk_t *chunk,
    size_t left);
static int pyro_jfr_chunk_old_is_sound(const uint8_t *p);
static int pyro_jfr_chunk_is_sound(const uint8_t *p, size_t left);
static size_t pyro_jfr_chunk_find(pyro_slice_t recording, size_t from,
    size_t end);


int
pyro_jfr_is_chunk(pyro_slice_t data)
{
    return pyro_slice_starts(data, pyro_slice("FLR\0", 4));
}


/* The fields that need no check. */
static void
pyro_jfr_chunk_header(pyro_jfr_chunk_t *chunk, const uint8_t *p)
{
    chunk->base = p;
    chunk->major = pyro_get_be16(p + PYRO_JFR_AT_MAJOR);
    chunk->minor = pyro_get_be16(p + PYRO_JFR_AT_MINOR);

    if (chunk->major == PYRO_JFR_MAJOR_OLD) {
        chunk->unfinished = pyro_get_be64(p + PYRO_JFR_AT_OLD_METADATA) == 0;
        return;
    }

    chunk->start = (int64_t) pyro_get_be64(p + PYRO_JFR_AT_START);
    chunk->duration = (int64_t) pyro_get_be64(p + PYRO_JFR_AT_DURATION);
    chunk->frequency = (int64_t) pyro_get_be64(p + PYRO_JFR_AT_FREQUENCY);
    chunk->unfinished = p[PYRO_JFR_AT_STATE] != 0;
    chunk->fixed = (pyro_get_be16(p + PYRO_JFR_AT_FLAGS)
                    & PYRO_JFR_FLAG_COMPRESSED) == 0;
}


static int
pyro_jfr_chunk_is_known(const pyro_jfr_chunk_t *chunk)
{
    return chunk->major == PYRO_JFR_MAJOR_OLD
           ? chunk->minor == PYRO_JFR_MINOR_OLD
           : chunk->major <= PYRO_JFR_MAJOR_LAST;
}


/* An offset of the header, 0 if it does not lie in the chunk. */
static uint32_t
pyro_jfr_chunk_offset(const pyro_jfr_chunk_t *chunk, const uint8_t *p)
{
    uint64_t  offset;

    offset = pyro_get_be64(p);

    return offset >= PYRO_JFR_HEADER_SIZE && offset < chunk->size
           ? (uint32_t) offset : 0;
}


static int
pyro_jfr_chunk_event_is(const pyro_jfr_chunk_t *chunk, uint32_t offset,
    uint64_t type)
{
    uint64_t           found;
    pyro_jfr_reader_t  at, event;

    at = pyro_jfr_chunk_reader(chunk, offset);

    return offset && !pyro_jfr_event_head(&at, &found, &event)
           && found == type;
}


/*
 * One of version 0.9 ends with its metadata; 0: that is not where the header
 * says.
 */
static uint64_t
pyro_jfr_chunk_size(const pyro_jfr_chunk_t *chunk, size_t left)
{
    uint32_t        size;
    uint64_t        metadata;
    const uint8_t  *p;

    p = chunk->base;

    if (chunk->major != PYRO_JFR_MAJOR_OLD) {
        return pyro_get_be64(p + PYRO_JFR_AT_SIZE);
    }

    metadata = pyro_get_be64(p + PYRO_JFR_AT_OLD_METADATA);

    if (metadata < PYRO_JFR_OLD_HEADER_SIZE || metadata > left
        || left - metadata < PYRO_JFR_OLD_EVENT)
    {
        return 0;
    }

    p += metadata;
    size = pyro_get_be32(p);

    return size < PYRO_JFR_OLD_EVENT || pyro_get_be32(p + 4) != 0
           ? 0 : metadata + size;
}


/* Of version 0.9: beside the metadata, is the first event one? */
static int
pyro_jfr_chunk_old_is_sound(const uint8_t *p)
{
    uint32_t  size;
    uint64_t  room;

    size = pyro_get_be32(p + PYRO_JFR_OLD_HEADER_SIZE);
    room = pyro_get_be64(p + PYRO_JFR_AT_OLD_METADATA)
           - PYRO_JFR_OLD_HEADER_SIZE;

    return room == 0 || (size >= PYRO_JFR_OLD_EVENT && size <= room);
}


/*
 * A header that may be trusted where nothing else says that there is one: the
 * magic alone may be part of anything.
 */
static int
pyro_jfr_chunk_is_sound(const uint8_t *p, size_t left)
{
    uint64_t          size;
    pyro_jfr_chunk_t  chunk;

    if (left < PYRO_JFR_HEADER_SIZE) {
        return 0;
    }

    pyro_jfr_chunk_header(&chunk, p);

    if (!pyro_jfr_chunk_is_known(&chunk)) {
        return 0;
    }

    size = pyro_jfr_chunk_size(&chunk, left);

    if (size < PYRO_JFR_HEADER_SIZE || size > left || size > UINT32_MAX) {
        return 0;
    }

    if (chunk.major == PYRO_JFR_MAJOR_OLD) {
        return pyro_jfr_chunk_old_is_sound(p);
    }

    chunk.size = size;

    return pyro_jfr_chunk_event_is(&chunk,
                  pyro_jfr_chunk_offset(&chunk, p + PYRO_JFR_AT_METADATA), 0)
           && pyro_jfr_chunk_event_is(&chunk,
                  pyro_jfr_chunk_offset(&chunk, p + PYRO_JFR_AT_CHECKPOINT), 1);
}


/* The first sound header that begins between from and end, or end. */
static size_t
pyro_jfr_chunk_find(pyro_slice_t recording, size_t from, size_t end)
{
    size_t       left;
    const char  *p;

    while (from < end) {
        p = memmem(recording.data + from, end - from, "FLR\0", 4);
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        PYRO_COUNT(PYRO_COUNT_BYTES, p == NULL ? end - from
                   : (size_t) (p - recording.data) + 4 - from);

        if (p == NULL) {
            return end;
        }

        from = (size_t) (p - recording.data);
        left = recording.len - from;

        if (pyro_jfr_chunk_is_sound((const uint8_t *) p, left)) {
            return from;
        }

        from++;
    }

    return end;
}


pyro_jfr_chunk_e
pyro_jfr_chunk_next(pyro_slice_t recording, size_t *offset,
    pyro_jfr_chunk_t *chunk, const char **problem)
{
    size_t          left;
    uint64_t        size;
    const uint8_t  *p;

    left = recording.len - *offset;

    if (left == 0) {
        return PYRO_JFR_CHUNK_END;
    }

    p = (const uint8_t *) recording.data + *offset;
    *problem = NULL;

    memset(chunk, 0, sizeof(pyro_jfr_chunk_t));
    chunk->offset = *offset;
    chunk->base = p;

    if (!pyro_jfr_is_chunk(pyro_slice(p, left))) {
        *problem = "no chunk magic";

    } else if (left < PYRO_JFR_HEADER_SIZE) {
        *problem = "the header is cut off";

    } else {
        pyro_jfr_chunk_header(chunk, p);

        if (!pyro_jfr_chunk_is_known(chunk)) {
            *problem = "its version is not 0.9, 1.x or 2.x";
        }
    }

    if (*problem != NULL) {
        *offset = pyro_jfr_chunk_find(recording, *offset + 1, recording.len);
        chunk->size = *offset - chunk->offset;

        return PYRO_JFR_CHUNK_SKIPPED;
    }

    size = pyro_jfr_chunk_size(chunk, left);

    if (size < PYRO_JFR_HEADER_SIZE || size > left || size > UINT32_MAX) {
        *problem = size > left ? "it ends behind the recording's end"
                   : chunk->unfinished && chunk->major == PYRO_JFR_MAJOR_OLD
                     ? "it was never finished"
                   : "its size is impossible";

        size = left > UINT32_MAX ? UINT32_MAX : left;
        size = pyro_jfr_chunk_find(recording, *offset + PYRO_JFR_HEADER_SIZE,
                                   *offset + size) - *offset;
    }

    chunk->size = size;
    *offset += size;

    if (chunk->major == PYRO_JFR_MAJOR_OLD) {
        chunk->metadata = *problem == NULL
                          ? pyro_get_be32(p + PYRO_JFR_AT_OLD_METADATA + 4)
                          : 0;

        return *problem != NULL ? PYRO_JFR_CHUNK_DAMAGED : PYRO_JFR_CHUNK_OK;
    }

    chunk->checkpoint = pyro_jfr_chunk_offset(chunk,
                                              p + PYRO_JFR_AT_CHECKPOINT);
    chunk->metadata = pyro_jfr_chunk_offset(chunk, p + PYRO_JFR_AT_METADATA);

    if (*problem == NULL && (chunk->checkpoint == 0 || chunk->metadata == 0)) {
        *problem = "its header names no metadata or no constant pool";
    }

    return *problem != NULL ? PYRO_JFR_CHUNK_DAMAGED : PYRO_JFR_CHUNK_OK;
}


size_t
pyro_jfr_chunk_inside(pyro_slice_t recording, const pyro_jfr_chunk_t *chunk)
{
    return pyro_jfr_chunk_find(recording,
                               chunk->offset + PYRO_JFR_HEADER_SIZE,
                               chunk->offset + chunk->size);
}


int
pyro_jfr_event_head(pyro_jfr_reader_t *r, uint64_t *type,
    pyro_jfr_reader_t *event)
{
    uint64_t        size;
    const uint8_t  *start;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);

    start = r->pos;
    *event = *r;
    size = pyro_jfr_size(event);
    *type = pyro_jfr_long(event);

    if (event->bad || size < (uint64_t) (event->pos - start)
        || size > pyro_jfr_left(r))
    {
        return -1;
    }

    r->pos += size;
    event->end = r->pos;

    return 0;
}


int64_t
pyro_jfr_chunk_ns(const pyro_jfr_chunk_t *chunk, int64_t ticks)
{
    unsigned __int128  ns;

    if (ticks < 0 || chunk->frequency <= 0) {
        return -1;
    }

    if (chunk->frequency == PYRO_NS_PER_SEC) {
        return ticks;
    }

    ns = (unsigned __int128) ticks * PYRO_NS_PER_SEC
         / (uint64_t) chunk->frequency;

    return ns > INT64_MAX ? INT64_MAX : (int64_t) ns;
}
