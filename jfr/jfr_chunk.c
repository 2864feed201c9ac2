#include "jfr/jfr_chunk.h"

#include "core/base/clock.h"


#define PYRO_JFR_MAJOR            2
#define PYRO_JFR_FLAG_COMPRESSED  1


enum {
    PYRO_JFR_AT_MAJOR = 4,
    PYRO_JFR_AT_SIZE = 8,
    PYRO_JFR_AT_CHECKPOINT = 16,
    PYRO_JFR_AT_METADATA = 24,
    PYRO_JFR_AT_FREQUENCY = 56,
    PYRO_JFR_AT_STATE = 64,
    PYRO_JFR_AT_FLAGS = 66
};


static pyro_jfr_chunk_e pyro_jfr_chunk_header(pyro_jfr_chunk_t *chunk,
    const char **problem);


int
pyro_jfr_is_chunk(pyro_slice_t data)
{
    return pyro_slice_starts(data, pyro_slice("FLR\0", 4));
}


/* All of the header but the size, which is plausible. */
static pyro_jfr_chunk_e
pyro_jfr_chunk_header(pyro_jfr_chunk_t *chunk, const char **problem)
{
    uint64_t        checkpoint, metadata;
    const uint8_t  *p;

    p = chunk->base;
    checkpoint = pyro_get_be64(p + PYRO_JFR_AT_CHECKPOINT);
    metadata = pyro_get_be64(p + PYRO_JFR_AT_METADATA);

    if (pyro_get_be16(p + PYRO_JFR_AT_MAJOR) != PYRO_JFR_MAJOR) {
        *problem = "its version is not 2.x";
        return PYRO_JFR_CHUNK_DAMAGED;
    }

    if (checkpoint < PYRO_JFR_HEADER_SIZE || checkpoint >= chunk->size
        || metadata < PYRO_JFR_HEADER_SIZE || metadata >= chunk->size)
    {
        *problem = "it has no metadata or constant pool";
        return PYRO_JFR_CHUNK_DAMAGED;
    }

    chunk->checkpoint = (uint32_t) checkpoint;
    chunk->metadata = (uint32_t) metadata;
    chunk->frequency = (int64_t) pyro_get_be64(p + PYRO_JFR_AT_FREQUENCY);
    chunk->unfinished = p[PYRO_JFR_AT_STATE] != 0;
    chunk->fixed = (pyro_get_be16(p + PYRO_JFR_AT_FLAGS)
                    & PYRO_JFR_FLAG_COMPRESSED) == 0;

    return PYRO_JFR_CHUNK_OK;
}


pyro_jfr_chunk_e
pyro_jfr_chunk_next(pyro_slice_t recording, size_t *offset,
    pyro_jfr_chunk_t *chunk, const char **problem)
{
    size_t    left;
    uint64_t  size;

    left = recording.len - *offset;

    if (left == 0) {
        return PYRO_JFR_CHUNK_END;
    }

    chunk->base = (const uint8_t *) recording.data + *offset;
    chunk->offset = *offset;

    if (!pyro_jfr_is_chunk(pyro_slice(chunk->base, left))) {
        *problem = "no chunk magic";
        return PYRO_JFR_CHUNK_LAST;
    }

    if (left < PYRO_JFR_HEADER_SIZE) {
        *problem = "the header is cut off";
        return PYRO_JFR_CHUNK_LAST;
    }

    size = pyro_get_be64(chunk->base + PYRO_JFR_AT_SIZE);

    if (size < PYRO_JFR_HEADER_SIZE || size > left || size > UINT32_MAX) {
        *problem = size > left ? "it ends behind the recording's end"
                               : "its size is impossible";
        return PYRO_JFR_CHUNK_LAST;
    }

    chunk->size = size;
    *offset += size;

    return pyro_jfr_chunk_header(chunk, problem);
}


int
pyro_jfr_event_head(pyro_jfr_reader_t *r, uint64_t *type,
    pyro_jfr_reader_t *event)
{
    uint64_t        size;
    const uint8_t  *start;

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
