#include "storage/select.h"

#include <stdlib.h>

#include "storage/candidates.h"
#include "storage/dict.h"
#include "storage/distinct.h"
#include "storage/plan.h"
#include "storage/series_index.h"


/* One selector against one partition. */
typedef struct {
    const pyro_selector_t  *selector;   /* NULL: everything */
    uint8_t                *types;      /* by ptype - 1: does it match */
    int                     any;        /* a type matches */
} pyro_select_one_t;


typedef struct {
    pyro_read_t            *read;
    pyro_arena_t           *arena;
    pyro_select_one_t      *ones;
    uint32_t                n_ones;
    const pyro_selector_t **selectors;  /* of which a type matches */
    uint32_t                n_selectors;
    int                     limited;    /* a selector asks for anything */
    int                     labeled;    /* for labels of streams */
    pyro_label_room_t       room;
    uint32_t                scope;      /* the last one, and whose it is */
    uint32_t                tenant;
    uint8_t                *types;      /* of the stream at hand */
    uint8_t                *seen;
    uint32_t                wanted;     /* types of it */
    uint32_t                found;
    pyro_plan_read_t        plan;
    pyro_dict_walk_t        streams;
    pyro_distinct_t         distinct;
    pyro_selected_t        *list;
    uint32_t                n;
    uint32_t                cap;
    uint64_t                series;
} pyro_select_t;


static pyro_status_e pyro_select_values(pyro_select_t *s);
static pyro_status_e pyro_select_candidates(pyro_select_t *s);
static pyro_status_e pyro_select_try(pyro_select_t *s, uint32_t id);
static int pyro_select_is_labeled(const pyro_selector_t *selector);
static pyro_status_e pyro_select_prepare(pyro_select_t *s);
static pyro_status_e pyro_select_types(pyro_select_t *s,
    pyro_select_one_t *one);
static int pyro_select_cmp(const void *one, const void *two);
static pyro_status_e pyro_select_entry(pyro_select_t *s, uint32_t id,
    pyro_stream_value_t *stream);
static pyro_status_e pyro_select_scope(pyro_select_t *s, uint32_t id);
static pyro_status_e pyro_select_stream(pyro_select_t *s, uint32_t id);
static pyro_status_e pyro_select_match(pyro_select_t *s,
    const pyro_stream_value_t *stream, uint32_t *n);
static pyro_status_e pyro_select_test(pyro_select_t *s,
    const pyro_selector_t *selector, int *matches);
static pyro_status_e pyro_select_look(pyro_select_t *s, uint32_t id,
    uint32_t *n);
static pyro_status_e pyro_select_rolled(pyro_select_t *s, uint32_t id);
static pyro_status_e pyro_select_raw(pyro_select_t *s, uint32_t id,
    int64_t start, int64_t end);
static pyro_status_e pyro_select_add(pyro_select_t *s, uint32_t id,
    uint32_t scope, uint32_t n);


pyro_status_e
pyro_select(pyro_read_t *read, pyro_selected_t **selected, uint32_t *n)
{
    pyro_select_t  s;
    pyro_status_e  status;

    memset(&s, 0, sizeof(pyro_select_t));

    s.read = read;
    s.arena = read->query->arena;

    status = pyro_select_prepare(&s);

    if (status == PYRO_OK) {
        status = pyro_plan_begin(read, &s.plan);
    }

    if (status == PYRO_OK) {
        status = pyro_distinct_begin(&s.distinct, read);
    }

    if (status == PYRO_OK) {
        status = !s.limited && pyro_distinct_is_indexed(&s.distinct)
                 ? pyro_select_values(&s) : pyro_select_candidates(&s);
    }

    pyro_dict_walk_end(&s.streams);

    if (s.n) {
        qsort(s.list, s.n, sizeof(pyro_selected_t), pyro_select_cmp);
    }

    *selected = s.list;
    *n = s.n;

    return status;
}


/* A label's values, one after the other, each until a stream of it is found
 * that has data in the range. */
static pyro_status_e
pyro_select_values(pyro_select_t *s)
{
    uint32_t           i, value;
    pyro_status_e      status;
    pyro_stream_ids_t  ids;

    memset(&ids, 0, sizeof(pyro_stream_ids_t));

    for (value = 0; /* void */ ; value++) {
        status = pyro_postings_value(&s->read->view, s->read->tenant,
                                     s->distinct.name, &value);
        ids.n = 0;

        if (status == PYRO_OK) {
            status = pyro_postings_read(&s->read->view, s->arena,
                                        s->read->tenant, s->distinct.name,
                                        value, &ids);
        }

        for (i = 0; i < ids.n && status == PYRO_OK
             && !pyro_distinct_has(&s->distinct, value); i++)
        {
            status = pyro_select_try(s, ids.ids[i]);
        }

        if (status != PYRO_OK || value == UINT32_MAX) {
            return status == PYRO_NOT_FOUND ? PYRO_OK : status;
        }
    }
}


static pyro_status_e
pyro_select_candidates(pyro_select_t *s)
{
    uint32_t           i;
    pyro_status_e      status;
    pyro_stream_ids_t  ids;

    memset(&ids, 0, sizeof(pyro_stream_ids_t));
    status = pyro_candidates(s->read, s->selectors, s->n_selectors, &ids);

    for (i = 0; i < ids.n && status == PYRO_OK; i++) {
        status = pyro_select_try(s, ids.ids[i]);
    }

    return status;
}


/* Adds the stream if it is still there, and matches, and has data. */
static pyro_status_e
pyro_select_try(pyro_select_t *s, uint32_t id)
{
    pyro_status_e  status;

    status = pyro_read_poll(s->read);

    if (status == PYRO_OK) {
        status = pyro_select_stream(s, id);
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static int
pyro_select_is_labeled(const pyro_selector_t *selector)
{
    uint32_t  i;

    for (i = 0; selector != NULL && i < selector->n; i++) {
        if (!pyro_profile_type_owns(selector->items[i].name)) {
            return 1;
        }
    }

    return 0;
}


/* Which types each selector matches. */
static pyro_status_e
pyro_select_prepare(pyro_select_t *s)
{
    uint32_t                   i;
    pyro_status_e              status;
    const pyro_store_query_t  *query;

    query = s->read->query;

    s->n_ones = query->n_selectors ? query->n_selectors : 1;
    s->ones = pyro_arena_calloc(s->arena, s->n_ones,
                                sizeof(pyro_select_one_t));
    s->selectors = pyro_arena_calloc(s->arena, s->n_ones,
                                     sizeof(pyro_selector_t *));
    s->types = pyro_arena_calloc(s->arena, s->read->ptypes.n, 1);
    s->seen = pyro_arena_calloc(s->arena, s->read->ptypes.n, 1);

    if (s->ones == NULL || s->selectors == NULL || s->types == NULL
        || s->seen == NULL)
    {
        return pyro_error_memory(s->read->view.err);
    }

    for (i = 0; i < s->n_ones; i++) {
        s->ones[i].selector = query->n_selectors ? &query->selectors[i] : NULL;
        s->limited |= s->ones[i].selector != NULL && s->ones[i].selector->n;
        s->labeled |= pyro_select_is_labeled(s->ones[i].selector);
        status = pyro_select_types(s, &s->ones[i]);

        if (status != PYRO_OK) {
            return status;
        }

        if (s->ones[i].any) {
            s->selectors[s->n_selectors++] = s->ones[i].selector;
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_select_types(pyro_select_t *s, pyro_select_one_t *one)
{
    int                     rc;
    uint32_t                i, k;
    const pyro_matcher_t   *matcher;

    one->types = pyro_arena_calloc(s->arena, s->read->ptypes.n, 1);

    if (one->types == NULL) {
        return pyro_error_memory(s->read->view.err);
    }

    for (i = 0; i < s->read->ptypes.n; i++) {
        one->types[i] = 1;

        for (k = 0; one->selector && k < one->selector->n; k++) {
            matcher = &one->selector->items[k];

            if (!pyro_profile_type_owns(matcher->name)) {
                continue;
            }

            rc = pyro_matcher_test(matcher,
                                   pyro_labels_get(&s->read->type_labels[i],
                                                   matcher->name),
                                   s->read->view.err);

            if (rc == -1) {
                return PYRO_INVALID;
            }

            one->types[i] &= (uint8_t) rc;
        }

        one->any |= one->types[i];
    }

    return PYRO_OK;
}


static int
pyro_select_cmp(const void *one, const void *two)
{
    const pyro_selected_t  *a = one, *b = two;

    if (a->scope != b->scope) {
        return a->scope < b->scope ? -1 : 1;
    }

    return (a->stream > b->stream) - (a->stream < b->stream);
}


/* The stream's entry, in the map; PYRO_NOT_FOUND: it was deleted meanwhile. */
static pyro_status_e
pyro_select_entry(pyro_select_t *s, uint32_t id, pyro_stream_value_t *stream)
{
    pyro_slice_t   in;
    pyro_status_e  status;

    status = pyro_dict_walk(&s->read->view, PYRO_DB_STREAM, &s->streams,
                            s->read->snapshot, id, &in);

    if (status == PYRO_UNAVAILABLE) {
        return pyro_read_stream(s->read, id, stream);
    }

    return status == PYRO_OK && pyro_stream_get(in, stream)
           ? pyro_env_damaged(s->read->view.part->env, "stream", id,
                              s->read->view.err)
           : status;
}


/* Streams of a scope are many; a scope's tenant never changes. */
static pyro_status_e
pyro_select_scope(pyro_select_t *s, uint32_t id)
{
    pyro_status_e       status;
    pyro_scope_value_t  scope;

    if (id == s->scope) {
        return PYRO_OK;
    }

    status = pyro_scope_read(&s->read->view, id, &scope);

    if (status == PYRO_OK) {
        s->scope = id;
        s->tenant = scope.tenant;
    }

    return status;
}


static pyro_status_e
pyro_select_stream(pyro_select_t *s, uint32_t id)
{
    int                   thinned;
    uint32_t              n;
    pyro_status_e         status;
    pyro_stream_value_t   stream;

    status = pyro_select_entry(s, id, &stream);

    if (status != PYRO_OK || !pyro_distinct_adds(&s->distinct, &stream)) {
        return status;
    }

    thinned = s->read->view.part->thinned;

    if (!thinned && (s->read->query->end < stream.first
                     || s->read->query->start > stream.last))
    {
        return PYRO_OK;
    }

    status = pyro_select_scope(s, stream.scope);

    if (status != PYRO_OK || s->tenant != s->read->tenant) {
        return status;
    }

    status = pyro_select_match(s, &stream, &n);

    if (status == PYRO_OK && n
        && (thinned || s->read->query->start > stream.first
            || s->read->query->end < stream.last))
    {
        status = pyro_select_look(s, id, &n);
    }

    if (status != PYRO_OK || n == 0) {
        return status;
    }

    /* what was read before may be of a snapshot that is gone */

    status = pyro_select_entry(s, id, &stream);

    if (status != PYRO_OK) {
        return status;
    }

    pyro_distinct_mark(&s->distinct, &stream, s->types);

    return pyro_select_add(s, id, stream.scope, n);
}


/* Sets s->types to those of the stream that any selector matches. */
static pyro_status_e
pyro_select_match(pyro_select_t *s, const pyro_stream_value_t *stream,
    uint32_t *n)
{
    int                 matches;
    uint32_t            i, k, id;
    pyro_bytes_t        in;
    pyro_status_e       status;
    pyro_select_one_t  *one;

    *n = 0;
    memset(s->types, 0, s->read->ptypes.n);

    status = s->labeled
             ? pyro_stream_labels(&s->read->view, s->arena, stream, &s->room)
             : PYRO_OK;

    for (i = 0; i < s->n_ones && status == PYRO_OK; i++) {
        one = &s->ones[i];
        matches = one->any;

        if (matches && one->selector != NULL) {
            status = pyro_select_test(s, one->selector, &matches);
        }

        if (status != PYRO_OK || !matches) {
            continue;
        }

        in = stream->ptypes;

        for (k = 0, id = 0; k < stream->n_ptypes; k++) {
            id += pyro_take_known(&in);

            if (id <= s->read->ptypes.n && one->types[id - 1]
                && !s->types[id - 1])
            {
                s->types[id - 1] = 1;
                (*n)++;
            }
        }
    }

    return status;
}


/* The stream's labels are in s->room. */
static pyro_status_e
pyro_select_test(pyro_select_t *s, const pyro_selector_t *selector,
    int *matches)
{
    uint32_t               i;
    pyro_slice_t           name;
    const pyro_matcher_t  *matcher;

    *matches = 1;

    for (i = 0; i < selector->n && *matches; i++) {
        matcher = &selector->items[i];

        if (pyro_profile_type_owns(matcher->name)) {
            continue;
        }

        name = pyro_candidates_name(matcher->name);
        *matches = pyro_matcher_test(matcher,
                                     pyro_labels_get(&s->room.labels, name),
                                     s->read->view.err);

        if (*matches == -1) {
            *matches = 0;
            return PYRO_INVALID;
        }
    }

    return PYRO_OK;
}


/*
 * Leaves in s->types what the stream has in the range: what is rolled up tells
 * by its keys, the push records are read where it is not, or something is late.
 */
static pyro_status_e
pyro_select_look(pyro_select_t *s, uint32_t id, uint32_t *n)
{
    uint32_t           i, slot;
    pyro_status_e      status;
    pyro_plan_read_t  *plan;

    plan = &s->plan;
    memset(s->seen, 0, s->read->ptypes.n);
    s->wanted = *n;
    s->found = 0;

    status = pyro_select_rolled(s, id);

    if (status == PYRO_OK && s->found < s->wanted) {
        status = pyro_plan_dirty(s->read, plan, id);
    }

    for (i = 0; status == PYRO_OK && s->found < s->wanted
                && i < plan->n_dirty; i++)
    {
        slot = plan->dirty[i];
        status = pyro_select_raw(s, id, pyro_slot_start(slot),
                                 pyro_slot_end(slot) - 1);
    }

    if (status == PYRO_OK && plan->from == plan->to) {
        status = pyro_select_raw(s, id, plan->start, plan->end);

    } else if (status == PYRO_OK) {
        status = pyro_select_raw(s, id, plan->start,
                                 pyro_slot_start(plan->from) - 1);

        if (status == PYRO_OK) {
            status = pyro_select_raw(s, id, pyro_slot_end(plan->to - 1),
                                     plan->end);
        }
    }

    memcpy(s->types, s->seen, s->read->ptypes.n);
    *n = s->found;

    return status;
}


static pyro_status_e
pyro_select_rolled(pyro_select_t *s, uint32_t id)
{
    int            has;
    uint32_t       i;
    pyro_status_e  status;

    if (s->plan.from == s->plan.to) {
        return PYRO_OK;
    }

    for (i = 0; i < s->read->ptypes.n && s->found < s->wanted; i++) {

        if (!s->types[i]) {
            continue;
        }

        status = pyro_read_has(s->read, id, i + 1, s->plan.from,
                               s->plan.to - 1, &has);

        if (status != PYRO_OK) {
            return status;
        }

        s->seen[i] = (uint8_t) has;
        s->found += (uint32_t) has;
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_select_raw(pyro_select_t *s, uint32_t id, int64_t start, int64_t end)
{
    int                     rc;
    pyro_scan_t             scan;
    pyro_status_e           status;
    pyro_record_section_t   section;

    if (start > end || s->found == s->wanted) {
        return PYRO_OK;
    }

    pyro_scan_start(&scan, s->read, id, start, end);

    while (s->found < s->wanted) {
        status = pyro_scan_next(&scan);

        if (status != PYRO_OK) {
            return status == PYRO_NOT_FOUND ? PYRO_OK : status;
        }

        while ((rc = pyro_record_next(&scan.record, &section)) == 1) {

            if (section.ptype && section.ptype <= s->read->ptypes.n
                && s->types[section.ptype - 1]
                && !s->seen[section.ptype - 1])
            {
                s->seen[section.ptype - 1] = 1;
                s->found++;
            }
        }

        if (rc == -1) {
            s->read->store->damaged++;
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_select_add(pyro_select_t *s, uint32_t id, uint32_t scope, uint32_t n)
{
    uint32_t          i, max;
    pyro_selected_t  *selected;

    max = s->read->query->max_series;
    s->series += n;

    if (max && s->series > max) {
        return pyro_error_set(s->read->view.err, PYRO_UNPROCESSABLE,
                              PYRO_REASON_QUERY, "the query matches more than "
                              "%u series (query.max_series)", max);
    }

    if (pyro_arena_grow(s->arena, &s->list, &s->cap, s->n + 1,
                        sizeof(pyro_selected_t)))
    {
        return pyro_error_memory(s->read->view.err);
    }

    selected = &s->list[s->n];

    selected->stream = id;
    selected->scope = scope;
    selected->n = 0;
    selected->ptypes = pyro_arena_alloc(s->arena, n * sizeof(uint32_t));

    if (selected->ptypes == NULL) {
        return pyro_error_memory(s->read->view.err);
    }

    for (i = 0; i < s->read->ptypes.n; i++) {
        if (s->types[i]) {
            selected->ptypes[selected->n++] = i + 1;
        }
    }

    s->n++;

    return PYRO_OK;
}
