#include "jfr/jfr_layout.h"


#define PYRO_JFR_METADATA    0      /* types of events */
#define PYRO_JFR_CHECKPOINT  1


static int pyro_jfr_layout_add(pyro_jfr_layout_t *layout, uint32_t offset,
    pyro_arena_t *arena);
static void pyro_jfr_layout_reach(pyro_jfr_layout_t *layout,
    const pyro_jfr_chunk_t *chunk, const pyro_jfr_reader_t *event);
static int pyro_jfr_layout_chain(pyro_jfr_layout_t *layout,
    const pyro_jfr_chunk_t *chunk, pyro_arena_t *arena);
static int pyro_jfr_layout_metadata(pyro_jfr_layout_t *layout,
    const pyro_jfr_chunk_t *chunk);


static int
pyro_jfr_layout_add(pyro_jfr_layout_t *layout, uint32_t offset,
    pyro_arena_t *arena)
{
    if (pyro_arena_grow(arena, &layout->checkpoints, &layout->cap_checkpoints,
                        (size_t) layout->n_checkpoints + 1, sizeof(uint32_t)))
    {
        return -1;
    }

    layout->checkpoints[layout->n_checkpoints++] = offset;

    return 0;
}


static void
pyro_jfr_layout_reach(pyro_jfr_layout_t *layout, const pyro_jfr_chunk_t *chunk,
    const pyro_jfr_reader_t *event)
{
    size_t  end;

    end = (size_t) (event->end - chunk->base);

    if (end > layout->end) {
        layout->end = end;
    }
}


/*
 * From the last checkpoint to the one before: each ends at or before the start
 * of the one that names it, as events do that do not overlap; so the chain has
 * an end, and no byte is read twice, whatever the file says.  1: it is sound.
 */
static int
pyro_jfr_layout_chain(pyro_jfr_layout_t *layout, const pyro_jfr_chunk_t *chunk,
    pyro_arena_t *arena)
{
    size_t             offset, end;
    int64_t            delta;
    uint64_t           type;
    pyro_jfr_reader_t  at, r;

    offset = chunk->checkpoint;
    end = chunk->size;

    for ( ;; ) {
        if (offset == 0) {
            return 0;
        }

        at = pyro_jfr_chunk_reader(chunk, offset);
        at.end = chunk->base + end;

        if (pyro_jfr_event_head(&at, &type, &r) || type != PYRO_JFR_CHECKPOINT)
        {
            return 0;
        }

        pyro_jfr_layout_reach(layout, chunk, &r);

        /* start, duration, the way to the one before */

        pyro_jfr_long(&r);
        pyro_jfr_long(&r);
        delta = (int64_t) pyro_jfr_long(&r);

        if (r.bad) {
            return 0;
        }

        if (pyro_jfr_layout_add(layout, (uint32_t) offset, arena)) {
            return -1;
        }

        if (delta == 0) {
            return 1;
        }

        if (delta > 0 || delta < PYRO_JFR_HEADER_SIZE - (int64_t) offset) {
            return 0;
        }

        end = offset;
        offset = (size_t) ((int64_t) offset + delta);
    }
}


static int
pyro_jfr_layout_metadata(pyro_jfr_layout_t *layout,
    const pyro_jfr_chunk_t *chunk)
{
    uint64_t           type;
    pyro_jfr_reader_t  at, r;

    if (chunk->metadata == 0) {
        return 0;
    }

    at = pyro_jfr_chunk_reader(chunk, chunk->metadata);

    if (pyro_jfr_event_head(&at, &type, &r) || type != PYRO_JFR_METADATA) {
        return 0;
    }

    pyro_jfr_layout_reach(layout, chunk, &r);
    layout->metadata = chunk->metadata;

    return 1;
}


/* All events up to the first that is broken. */
int
pyro_jfr_layout_walk(pyro_jfr_layout_t *layout, const pyro_jfr_chunk_t *chunk,
    pyro_arena_t *arena)
{
    uint32_t           i, n, offset;
    uint64_t           type;
    pyro_jfr_reader_t  r, event;

    layout->metadata = 0;
    layout->n_checkpoints = 0;
    layout->walked = 1;

    r = pyro_jfr_chunk_reader(chunk, PYRO_JFR_HEADER_SIZE);

    while (r.pos != r.end) {
        offset = (uint32_t) (r.pos - chunk->base);

        if (pyro_jfr_event_head(&r, &type, &event)) {
            break;
        }

        if (type == PYRO_JFR_METADATA) {
            layout->metadata = offset;

        } else if (type == PYRO_JFR_CHECKPOINT
                   && pyro_jfr_layout_add(layout, offset, arena))
        {
            return -1;
        }
    }

    n = layout->n_checkpoints;

    for (i = 0; i < n / 2; i++) {
        offset = layout->checkpoints[i];
        layout->checkpoints[i] = layout->checkpoints[n - 1 - i];
        layout->checkpoints[n - 1 - i] = offset;
    }

    return 0;
}


int
pyro_jfr_layout_read(pyro_jfr_layout_t *layout, const pyro_jfr_chunk_t *chunk,
    pyro_arena_t *arena)
{
    int  sound;

    memset(layout, 0, sizeof(pyro_jfr_layout_t));

    sound = pyro_jfr_layout_chain(layout, chunk, arena);

    if (sound == -1) {
        return -1;
    }

    if (sound && pyro_jfr_layout_metadata(layout, chunk)) {
        return 0;
    }

    return pyro_jfr_layout_walk(layout, chunk, arena);
}
