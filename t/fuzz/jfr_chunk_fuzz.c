/*
 * From chunk to chunk, and from an event that is broken to the next header: it
 * goes on, no byte belongs to two chunks, all offsets lie inside.
 */

#include "profile_check.h"

#include "jfr/jfr_chunk.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t events(const pyro_jfr_chunk_t *chunk);


/* Where its events break, or its end. */
static size_t
events(const pyro_jfr_chunk_t *chunk)
{
    uint64_t           type;
    pyro_jfr_reader_t  r, event;

    if (chunk->size < PYRO_JFR_HEADER_SIZE) {
        return chunk->size;
    }

    r = pyro_jfr_chunk_reader(chunk, PYRO_JFR_HEADER_SIZE);

    while (r.pos != r.end && pyro_jfr_event_head(&r, &type, &event) == 0) {
        FUZZ_CHECK(event.pos <= event.end && event.end == r.pos);
    }

    return (size_t) (r.pos - chunk->base);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             offset, start, inside;
    const char        *problem;
    pyro_slice_t       all;
    pyro_jfr_chunk_e   found;
    pyro_jfr_chunk_t   chunk;

    all = pyro_slice(data, size);
    offset = 0;
    start = 0;

    while ((found = pyro_jfr_chunk_next(all, &offset, &chunk, &problem))
           != PYRO_JFR_CHUNK_END)
    {
        FUZZ_CHECK(chunk.offset == start && offset > start && offset <= size);
        FUZZ_CHECK(chunk.offset + chunk.size == offset);
        FUZZ_CHECK((found == PYRO_JFR_CHUNK_OK) == (problem == NULL));
        start = offset;

        if (found == PYRO_JFR_CHUNK_SKIPPED) {
            continue;
        }

        FUZZ_CHECK(chunk.base == data + chunk.offset);
        FUZZ_CHECK(chunk.size >= PYRO_JFR_HEADER_SIZE);
        FUZZ_CHECK(chunk.checkpoint < chunk.size);
        FUZZ_CHECK(chunk.metadata < chunk.size);

        if (events(&chunk) < chunk.size) {
            inside = pyro_jfr_chunk_inside(all, &chunk);
            FUZZ_CHECK(inside > chunk.offset && inside <= offset);
            offset = inside;
            start = inside;
        }
    }

    FUZZ_CHECK(offset == size);

    return 0;
}
