#include "storage/spans.h"


#define PYRO_SPANS_LEAST  9         /* bytes that a span takes in a table */


pyro_status_e
pyro_spans_sections(pyro_spans_t *room, pyro_arena_t *arena,
    pyro_record_t *record)
{
    int  rc;

    room->n_sections = 0;
    room->n_spans = 0;

    for ( ;; ) {
        if (pyro_arena_grow(arena, &room->sections, &room->cap_sections,
                            (size_t) room->n_sections + 1,
                            sizeof(pyro_record_section_t)))
        {
            return PYRO_UNAVAILABLE;
        }

        rc = pyro_record_next(record, &room->sections[room->n_sections]);

        if (rc != 1) {
            return rc == 0 ? PYRO_OK : PYRO_UNPROCESSABLE;
        }

        room->n_sections++;
    }
}


pyro_status_e
pyro_spans_table(pyro_spans_t *room, pyro_arena_t *arena,
    pyro_record_t *record)
{
    size_t    left;
    uint32_t  i, n;

    if (pyro_record_spans(record, &n)) {
        return PYRO_UNPROCESSABLE;
    }

    /* before it is believed: memory is taken for it */

    left = (size_t) (record->rest.end - record->rest.p);

    if (n > left / PYRO_SPANS_LEAST) {
        return PYRO_UNPROCESSABLE;
    }

    if (pyro_arena_grow(arena, &room->spans, &room->cap_spans, n,
                        sizeof(pyro_span_t))
        || pyro_arena_grow(arena, &room->wanted, &room->cap_wanted,
                           (size_t) n + 1, 1)
        || pyro_arena_grow(arena, &room->sums, &room->cap_sums, (size_t) n + 1,
                           sizeof(uint64_t)))
    {
        return PYRO_UNAVAILABLE;
    }

    for (i = 0; i < n; i++) {
        if (pyro_record_span(record, &room->spans[i])) {
            return PYRO_UNPROCESSABLE;
        }
    }

    room->n_spans = n;

    return PYRO_OK;
}
