#include "storage/exemplars.h"


static pyro_slice_t pyro_exemplars_copy(char **p, pyro_slice_t text);
static uint32_t pyro_exemplars_group(const pyro_scan_t *scan,
    const uint32_t *groups, uint32_t ptype);
static pyro_status_e pyro_exemplars_profiles(pyro_exemplars_t *exemplars,
    pyro_scan_t *scan, const uint32_t *groups, pyro_store_profile_t *profile);
static pyro_status_e pyro_exemplars_sections(pyro_exemplars_t *exemplars,
    pyro_scan_t *scan, const uint32_t *groups, pyro_store_profile_t *profile);
static pyro_status_e pyro_exemplars_spans(pyro_exemplars_t *exemplars,
    pyro_scan_t *scan, uint32_t group, pyro_store_profile_t *profile);
static pyro_status_e pyro_exemplars_failed(pyro_scan_t *scan,
    pyro_status_e status);


void
pyro_exemplars_init(pyro_exemplars_t *exemplars,
    const pyro_store_totals_handler_t *handler, pyro_arena_t *arena)
{
    memset(exemplars, 0, sizeof(pyro_exemplars_t));

    exemplars->handler = handler;
    exemplars->arena = arena;
    exemplars->wanted = handler->profile != NULL || handler->span != NULL;
}


int
pyro_exemplars_room(pyro_exemplars_t *exemplars, uint32_t ptypes)
{
    uint32_t  n;

    n = exemplars->n_labels;

    if (!exemplars->wanted || ptypes <= n) {
        return 0;
    }

    if (pyro_arena_grow(exemplars->arena, &exemplars->labels,
                        &exemplars->cap_labels, ptypes,
                        sizeof(pyro_exemplar_labels_t)))
    {
        return -1;
    }

    memset(exemplars->labels + n, 0,
           (ptypes - n) * sizeof(pyro_exemplar_labels_t));
    exemplars->n_labels = ptypes;

    return 0;
}


int
pyro_exemplars_labels(pyro_exemplars_t *exemplars, uint32_t ptype,
    const pyro_labels_t *labels)
{
    char                    *p;
    size_t                   size;
    uint32_t                 i;
    pyro_exemplar_labels_t  *copy;

    copy = &exemplars->labels[ptype - 1];

    for (i = 0, size = 0; i < labels->n; i++) {
        size += labels->items[i].name.len + labels->items[i].value.len;
    }

    if (pyro_arena_grow(exemplars->arena, &copy->items, &copy->cap_items,
                        labels->n, sizeof(pyro_label_t))
        || pyro_arena_grow(exemplars->arena, &copy->bytes, &copy->cap_bytes,
                           size, 1))
    {
        return -1;
    }

    for (i = 0, p = copy->bytes; i < labels->n; i++) {
        copy->items[i].name = pyro_exemplars_copy(&p, labels->items[i].name);
        copy->items[i].value = pyro_exemplars_copy(&p, labels->items[i].value);
    }

    copy->labels.items = copy->items;
    copy->labels.n = labels->n;

    return 0;
}


static pyro_slice_t
pyro_exemplars_copy(char **p, pyro_slice_t text)
{
    pyro_slice_t  copy;

    copy = pyro_slice(*p, text.len);

    if (text.len) {
        memcpy(*p, text.data, text.len);
        *p += text.len;
    }

    return copy;
}


pyro_status_e
pyro_exemplars_record(pyro_exemplars_t *exemplars, pyro_scan_t *scan,
    const uint32_t *groups)
{
    pyro_status_e          status;
    pyro_store_profile_t   profile;

    memset(&profile, 0, sizeof(pyro_store_profile_t));

    profile.id = pyro_store_profile_id(scan->record.digest, scan->time);
    profile.time = scan->time;

    status = pyro_spans_sections(&exemplars->room, exemplars->arena,
                                 &scan->record);

    if (status != PYRO_OK) {
        return pyro_exemplars_failed(scan, status);
    }

    if (exemplars->handler->profile != NULL) {
        status = pyro_exemplars_profiles(exemplars, scan, groups, &profile);
    }

    if (status != PYRO_OK || exemplars->handler->span == NULL
        || !scan->record.has_spans)
    {
        return status;
    }

    status = pyro_spans_table(&exemplars->room, exemplars->arena,
                              &scan->record);

    return status == PYRO_OK
           ? pyro_exemplars_sections(exemplars, scan, groups, &profile)
           : pyro_exemplars_failed(scan, status);
}


static uint32_t
pyro_exemplars_group(const pyro_scan_t *scan, const uint32_t *groups,
    uint32_t ptype)
{
    return ptype && ptype <= scan->read->ptypes.n ? groups[ptype - 1]
                                                  : PYRO_NONE;
}


static pyro_status_e
pyro_exemplars_profiles(pyro_exemplars_t *exemplars, pyro_scan_t *scan,
    const uint32_t *groups, pyro_store_profile_t *profile)
{
    uint32_t                            i, group;
    pyro_status_e                       status;
    const pyro_record_section_t        *section;
    const pyro_store_totals_handler_t  *handler;

    handler = exemplars->handler;
    status = PYRO_OK;

    for (i = 0; i < exemplars->room.n_sections && status == PYRO_OK; i++) {
        section = &exemplars->room.sections[i];
        group = pyro_exemplars_group(scan, groups, section->ptype);

        if (group == PYRO_NONE) {
            continue;
        }

        profile->total = section->total;
        profile->labels = &exemplars->labels[section->ptype - 1].labels;

        status = handler->profile(handler->ctx, group, profile,
                                  scan->read->view.err);
    }

    return status;
}


/* The spans of each section, whose groups come in the sections' order. */
static pyro_status_e
pyro_exemplars_sections(pyro_exemplars_t *exemplars, pyro_scan_t *scan,
    const uint32_t *groups, pyro_store_profile_t *profile)
{
    uint32_t                      i, group;
    pyro_spans_t                 *room;
    pyro_status_e                 status;
    const pyro_record_section_t  *section;

    room = &exemplars->room;
    status = PYRO_OK;

    for (i = 0; i < room->n_sections && status == PYRO_OK; i++) {
        section = &room->sections[i];
        group = pyro_exemplars_group(scan, groups, section->ptype);

        if (group == PYRO_NONE) {
            status = pyro_record_skip_spans(&scan->record)
                     ? PYRO_UNPROCESSABLE : PYRO_OK;

        } else {
            memset(room->sums, 0, room->n_spans * sizeof(uint64_t));
            status = pyro_record_sum_spans(&scan->record, section, room->sums,
                                           room->n_spans)
                     ? PYRO_UNPROCESSABLE : PYRO_OK;
        }

        if (status != PYRO_OK) {
            return pyro_exemplars_failed(scan, status);
        }

        if (group != PYRO_NONE) {
            profile->labels = &exemplars->labels[section->ptype - 1].labels;
            status = pyro_exemplars_spans(exemplars, scan, group, profile);
        }
    }

    return status;
}


static pyro_status_e
pyro_exemplars_spans(pyro_exemplars_t *exemplars, pyro_scan_t *scan,
    uint32_t group, pyro_store_profile_t *profile)
{
    uint32_t                            i;
    pyro_status_e                       status;
    const pyro_store_totals_handler_t  *handler;

    handler = exemplars->handler;
    status = PYRO_OK;

    for (i = 0; i < exemplars->room.n_spans && status == PYRO_OK; i++) {

        if (exemplars->room.sums[i]) {
            profile->total = exemplars->room.sums[i];
            profile->span = &exemplars->room.spans[i];
            status = handler->span(handler->ctx, group, profile,
                                   scan->read->view.err);
        }
    }

    return status;
}


/* A damaged record is counted, and left out from there on. */
static pyro_status_e
pyro_exemplars_failed(pyro_scan_t *scan, pyro_status_e status)
{
    if (status == PYRO_UNAVAILABLE) {
        return pyro_error_memory(scan->read->view.err);
    }

    scan->read->store->damaged++;

    return PYRO_OK;
}
