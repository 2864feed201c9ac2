#include "storage/prepare.h"

#include "core/base/hash.h"
#include "storage/series_index.h"


#define PYRO_PREPARE_AHEAD  8       /* samples whose cache entry is fetched */


static pyro_unit_t *pyro_prepare_unit(const pyro_store_push_t *push,
    pyro_slice_t service, const pyro_partition_t *part, pyro_arena_t *arena);
static int pyro_prepare_stream(pyro_unit_t *unit,
    const pyro_section_t *sections, uint32_t n, const pyro_partition_t *part,
    pyro_arena_t *arena, pyro_prepare_counts_t *counts);
static int pyro_prepare_spans(pyro_unit_t *unit, pyro_unit_stream_t *stream,
    pyro_arena_t *arena);


pyro_unit_t *
pyro_prepare(const pyro_store_push_t *push, const pyro_partition_t *part,
    pyro_arena_t *arena, pyro_pairs_t *room, pyro_prepare_counts_t *counts)
{
    uint32_t               i, end;
    pyro_unit_t           *units, *unit;
    pyro_slice_t           service;
    const pyro_profile_t  *profile;

    profile = push->profile;
    units = NULL;

    for (i = 0; i < profile->n_sections; i = end) {

        for (end = i + 1; end < profile->n_sections; end++) {
            if (profile->sections[end].labels != profile->sections[i].labels) {
                break;
            }
        }

        service = pyro_labels_get(
                      &profile->label_sets[profile->sections[i].labels].labels,
                      PYRO_SLICE("service_name"));

        for (unit = units; unit != NULL; unit = unit->next) {
            if (pyro_slice_eq(unit->service, service)) {
                break;
            }
        }

        if (unit == NULL) {
            unit = pyro_prepare_unit(push, service, part, arena);

            if (unit == NULL) {
                return NULL;
            }

            unit->next = units;
            units = unit;
        }

        if (pyro_prepare_stream(unit, &profile->sections[i], end - i, part,
                                arena, counts))
        {
            return NULL;
        }
    }

    for (unit = units; unit != NULL; unit = unit->next) {
        if (unit->encoded && pyro_prepare_encode(unit, arena, room)) {
            return NULL;
        }
    }

    return units;
}


static pyro_unit_t *
pyro_prepare_unit(const pyro_store_push_t *push, pyro_slice_t service,
    const pyro_partition_t *part, pyro_arena_t *arena)
{
    uint64_t      root;
    pyro_unit_t  *unit;

    unit = pyro_arena_calloc(arena, 1, sizeof(pyro_unit_t));

    if (unit == NULL) {
        return NULL;
    }

    root = pyro_hash_mix(pyro_hash64(push->tenant.data, push->tenant.len,
                                     part->seed),
                         pyro_hash64(service.data, service.len, part->seed));

    unit->service = service;
    unit->last = &unit->streams;
    unit->encoded = 1;

    if (pyro_nodes_begin(&unit->nodes, push->profile, part, root, arena)) {
        return NULL;
    }

    return unit;
}


static int
pyro_prepare_stream(pyro_unit_t *unit, const pyro_section_t *sections,
    uint32_t n, const pyro_partition_t *part, pyro_arena_t *arena,
    pyro_prepare_counts_t *counts)
{
    uint32_t             i, k, ahead, check;
    uint64_t             key;
    pyro_unit_stream_t  *stream;

    stream = pyro_arena_calloc(arena, 1, sizeof(pyro_unit_stream_t));

    if (stream == NULL) {
        return -1;
    }

    stream->set = &unit->nodes.profile->label_sets[sections->labels];
    stream->hash = pyro_stream_hash(&stream->set->labels, part->seed);
    stream->sections = sections;
    stream->n = n;
    stream->parts = pyro_arena_calloc(arena, n, sizeof(pyro_record_part_t));

    if (stream->parts == NULL) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        for (k = 0; k < sections[i].n; k++) {

            if (k + PYRO_PREPARE_AHEAD < sections[i].n) {
                ahead = sections[i].samples[k + PYRO_PREPARE_AHEAD].node;
                key = pyro_nodes_key(&unit->nodes, ahead, &check);
                pyro_node_cache_prefetch(&part->cache, key);
            }

            if (pyro_nodes_cached(&unit->nodes, part,
                                  sections[i].samples[k].node))
            {
                counts->hits++;

            } else {
                counts->misses++;
                unit->encoded = 0;
            }

            stream->has_spans |= sections[i].samples[k].span != 0;
        }
    }

    *unit->last = stream;
    unit->last = &stream->next;

    return 0;
}


int
pyro_prepare_encode(pyro_unit_t *unit, pyro_arena_t *arena, pyro_pairs_t *room)
{
    uint32_t             i;
    pyro_unit_stream_t  *stream;

    for (stream = unit->streams; stream != NULL; stream = stream->next) {

        if (stream->has_spans && pyro_prepare_spans(unit, stream, arena)) {
            return -1;
        }

        for (i = 0; i < stream->n; i++) {
            if (pyro_record_section(arena, room, &stream->sections[i],
                                    unit->nodes.ids,
                                    stream->has_spans ? unit->spans : NULL,
                                    &stream->parts[i]))
            {
                return -1;
            }
        }
    }

    return 0;
}


/* Numbers the spans that the stream has, from 1, in order of appearance. */
static int
pyro_prepare_spans(pyro_unit_t *unit, pyro_unit_stream_t *stream,
    pyro_arena_t *arena)
{
    uint32_t               i, k, n, span, cap, *list;
    const pyro_profile_t  *profile;

    profile = unit->nodes.profile;

    if (unit->spans == NULL) {
        unit->spans = pyro_arena_alloc(arena, (size_t) profile->n_spans
                                              * sizeof(uint32_t));

        if (unit->spans == NULL) {
            return -1;
        }
    }

    /* only the entries of this stream's spans are ever read */

    for (i = 0; i < stream->n; i++) {
        for (k = 0; k < stream->sections[i].n; k++) {
            unit->spans[stream->sections[i].samples[k].span] = 0;
        }
    }

    list = NULL;
    cap = 0;
    n = 0;

    for (i = 0; i < stream->n; i++) {
        for (k = 0; k < stream->sections[i].n; k++) {
            span = stream->sections[i].samples[k].span;

            if (span == 0 || unit->spans[span]) {
                continue;
            }

            if (pyro_arena_grow(arena, &list, &cap, n + 1, sizeof(uint32_t))) {
                return -1;
            }

            list[n++] = span;
            unit->spans[span] = n;
        }
    }

    return pyro_record_span_table(arena, profile->spans, list, n,
                                  &stream->spans);
}
