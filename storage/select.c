#include "storage/select.h"

#include <stdlib.h>

#include "storage/dict.h"
#include "storage/distinct.h"
#include "storage/plan.h"
#include "storage/postings.h"
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
    pyro_label_room_t       room;
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


static pyro_status_e pyro_select_prepare(pyro_select_t *s);
static pyro_status_e pyro_select_types(pyro_select_t *s,
    pyro_select_one_t *one);
static pyro_slice_t pyro_select_name(const pyro_matcher_t *matcher);
static pyro_status_e pyro_select_candidates(pyro_select_t *s,
    pyro_stream_ids_t *ids);
static pyro_status_e pyro_select_indexed(pyro_select_t *s,
    const pyro_selector_t *selector, pyro_stream_ids_t *ids, int *indexed);
static pyro_status_e pyro_select_posting(pyro_select_t *s,
    const pyro_matcher_t *matcher, pyro_stream_ids_t *ids);
static pyro_status_e pyro_select_all(pyro_select_t *s,
    pyro_stream_ids_t *ids);
static pyro_status_e pyro_select_walk(pyro_select_t *s,
    pyro_stream_ids_t *ids);
static void pyro_select_unique(pyro_stream_ids_t *ids);
static int pyro_select_id_cmp(const void *one, const void *two);
static int pyro_select_cmp(const void *one, const void *two);
static pyro_status_e pyro_select_entry(pyro_select_t *s, uint32_t id,
    pyro_stream_value_t *stream);
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
    uint32_t            i;
    pyro_select_t       s;
    pyro_status_e       status;
    pyro_stream_ids_t   ids;

    memset(&s, 0, sizeof(pyro_select_t));
    memset(&ids, 0, sizeof(pyro_stream_ids_t));

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
        status = pyro_select_candidates(&s, &ids);
    }

    for (i = 0; i < ids.n && status == PYRO_OK; i++) {
        status = pyro_read_poll(read);

        if (status == PYRO_OK) {
            status = pyro_select_stream(&s, ids.ids[i]);
        }

        if (status == PYRO_NOT_FOUND) {
            status = PYRO_OK;
        }
    }

    pyro_dict_walk_end(&s.streams);

    if (s.n) {
        qsort(s.list, s.n, sizeof(pyro_selected_t), pyro_select_cmp);
    }

    *selected = s.list;
    *n = s.n;

    return status;
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
    s->types = pyro_arena_calloc(s->arena, s->read->ptypes.n, 1);
    s->seen = pyro_arena_calloc(s->arena, s->read->ptypes.n, 1);

    if (s->ones == NULL || s->types == NULL || s->seen == NULL) {
        return pyro_error_memory(s->read->view.err);
    }

    for (i = 0; i < s->n_ones; i++) {
        s->ones[i].selector = query->n_selectors ? &query->selectors[i] : NULL;
        status = pyro_select_types(s, &s->ones[i]);

        if (status != PYRO_OK) {
            return status;
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


static pyro_slice_t
pyro_select_name(const pyro_matcher_t *matcher)
{
    return pyro_slice_is(matcher->name, "__service_name__")
           ? PYRO_SLICE("service_name") : matcher->name;
}


/* All streams that may match, ascending. */
static pyro_status_e
pyro_select_candidates(pyro_select_t *s, pyro_stream_ids_t *ids)
{
    int                      indexed;
    uint32_t                 i, k;
    pyro_status_e            status;
    pyro_stream_ids_t        some;
    const pyro_selector_t   *selector;

    for (i = 0; i < s->n_ones; i++) {

        if (!s->ones[i].any) {
            continue;
        }

        memset(&some, 0, sizeof(pyro_stream_ids_t));
        selector = s->ones[i].selector;
        indexed = 0;
        status = PYRO_OK;

        if (selector != NULL) {
            status = pyro_select_indexed(s, selector, &some, &indexed);
        }

        if (status == PYRO_OK && !indexed) {
            ids->n = 0;
            return pyro_select_all(s, ids);
        }

        if (status == PYRO_OK
            && pyro_arena_grow(s->arena, &ids->ids, &ids->cap, ids->n + some.n,
                               sizeof(uint32_t)))
        {
            status = pyro_error_memory(s->read->view.err);
        }

        if (status != PYRO_OK) {
            return status;
        }

        for (k = 0; k < some.n; k++) {
            ids->ids[ids->n++] = some.ids[k];
        }
    }

    if (s->n_ones > 1) {
        pyro_select_unique(ids);
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_select_indexed(pyro_select_t *s, const pyro_selector_t *selector,
    pyro_stream_ids_t *ids, int *indexed)
{
    uint32_t                i;
    pyro_status_e           status;
    pyro_stream_ids_t       more;
    const pyro_matcher_t   *matcher;

    for (i = 0; i < selector->n; i++) {
        matcher = &selector->items[i];

        if (matcher->op != PYRO_MATCH_EQUAL || matcher->value.len == 0
            || pyro_profile_type_owns(matcher->name))
        {
            continue;
        }

        memset(&more, 0, sizeof(pyro_stream_ids_t));
        status = pyro_select_posting(s, matcher, &more);

        if (status != PYRO_OK) {
            return status;
        }

        if (*indexed) {
            pyro_postings_intersect(ids, &more);

        } else {
            *ids = more;
            *indexed = 1;
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_select_posting(pyro_select_t *s, const pyro_matcher_t *matcher,
    pyro_stream_ids_t *ids)
{
    uint32_t       name, value;
    pyro_status_e  status;

    status = pyro_dict_find(&s->read->view, pyro_select_name(matcher), &name);

    if (status == PYRO_OK) {
        status = pyro_dict_find(&s->read->view, matcher->value, &value);
    }

    if (status == PYRO_NOT_FOUND) {
        return PYRO_OK;
    }

    return status == PYRO_OK
           ? pyro_postings_read(&s->read->view, s->arena, s->read->tenant,
                                name, value, ids)
           : status;
}


/*
 * Tenants are told apart when the streams are read.  Where no id is missing,
 * which only a deletion makes, they need not be looked for.
 */
static pyro_status_e
pyro_select_all(pyro_select_t *s, pyro_stream_ids_t *ids)
{
    int              rc;
    uint32_t         i;
    pyro_ids_t       last;
    pyro_kv_stat_t   stat;
    pyro_status_e    status;

    status = pyro_view_ids(&s->read->view, &last);

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_kv_stat(s->read->view.txn,
                      s->read->view.part->dbi[PYRO_DB_STREAM], &stat);

    if (rc) {
        return pyro_env_error(s->read->view.part->env, rc, "be read",
                              s->read->view.err);
    }

    if (stat.entries != last.stream) {
        return pyro_select_walk(s, ids);
    }

    if (pyro_arena_grow(s->arena, &ids->ids, &ids->cap, last.stream,
                        sizeof(uint32_t)))
    {
        return pyro_error_memory(s->read->view.err);
    }

    for (i = 1; i <= last.stream; i++) {
        ids->ids[ids->n++] = i;
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_select_walk(pyro_select_t *s, pyro_stream_ids_t *ids)
{
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&s->read->view, PYRO_DB_STREAM, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&s->read->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len != 4) {
            status = pyro_env_damaged(s->read->view.part->env, "stream key",
                                      ids->n, s->read->view.err);
            break;
        }

        if (pyro_arena_grow(s->arena, &ids->ids, &ids->cap, ids->n + 1,
                            sizeof(uint32_t)))
        {
            status = pyro_error_memory(s->read->view.err);
            break;
        }

        ids->ids[ids->n++] = pyro_get_be32((const uint8_t *) key.data);
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static void
pyro_select_unique(pyro_stream_ids_t *ids)
{
    uint32_t  i, n;

    if (ids->n == 0) {
        return;
    }

    qsort(ids->ids, ids->n, sizeof(uint32_t), pyro_select_id_cmp);

    for (i = 1, n = 1; i < ids->n; i++) {
        if (ids->ids[i] != ids->ids[n - 1]) {
            ids->ids[n++] = ids->ids[i];
        }
    }

    ids->n = n;
}


static int
pyro_select_id_cmp(const void *one, const void *two)
{
    const uint32_t  *a = one, *b = two;

    return (*a > *b) - (*a < *b);
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


static pyro_status_e
pyro_select_stream(pyro_select_t *s, uint32_t id)
{
    int                   thinned;
    uint32_t              n;
    pyro_status_e         status;
    pyro_scope_value_t    scope;
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

    status = pyro_scope_read(&s->read->view, stream.scope, &scope);

    if (status != PYRO_OK || scope.tenant != s->read->tenant) {
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

    status = pyro_stream_labels(&s->read->view, s->arena, stream, &s->room);

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
    const pyro_matcher_t  *matcher;

    *matches = 1;

    for (i = 0; i < selector->n && *matches; i++) {
        matcher = &selector->items[i];

        if (pyro_profile_type_owns(matcher->name)) {
            continue;
        }

        *matches = pyro_matcher_test(matcher,
                                     pyro_labels_get(&s->room.labels,
                                                   pyro_select_name(matcher)),
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
