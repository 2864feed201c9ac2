/*
 * The streams of a copy: which there are, in which order, and one after the
 * other.  A stream has new ids in the copy, by scope; its labels, postings and
 * types are entered behind its hours, so that between two streams nothing is
 * half done.
 */

#include "storage/seal_job.h"

#include <stdlib.h>

#include "storage/dict.h"
#include "storage/expiry.h"
#include "storage/series_index.h"


static pyro_status_e pyro_seal_list_source(pyro_seal_t *job, uint32_t source,
    uint32_t *cap);
static pyro_status_e pyro_seal_entry(pyro_seal_t *job, uint32_t source,
    uint32_t id);
static pyro_status_e pyro_seal_is_over(const pyro_seal_source_t *source,
    uint32_t scope, int64_t now, int *over);
static int pyro_seal_entry_cmp(const void *one, const void *two);
static pyro_status_e pyro_seal_stream_begin(pyro_seal_t *job);
static pyro_status_e pyro_seal_input(pyro_seal_t *job,
    const pyro_seal_entry_t *entry);
static pyro_status_e pyro_seal_same(pyro_seal_t *job,
    const pyro_seal_entry_t *one, const pyro_seal_entry_t *two, int *same);
static pyro_status_e pyro_seal_stream_go(pyro_seal_t *job, int *done);
static pyro_status_e pyro_seal_stream_enter(pyro_seal_t *job);
static pyro_status_e pyro_seal_stream_labels(pyro_seal_t *job,
    const pyro_seal_input_t *input, pyro_label_room_t *room);
static pyro_status_e pyro_seal_stream_types(pyro_seal_t *job,
    uint32_t **ptypes, uint32_t *n);
static int pyro_seal_ptype_cmp(const void *one, const void *two);


pyro_status_e
pyro_seal_list(pyro_seal_t *job)
{
    uint32_t       i, cap;
    pyro_status_e  status;

    status = PYRO_OK;
    job->n_entries = 0;
    cap = 0;

    for (i = 0; i < job->n_sources && status == PYRO_OK; i++) {
        status = pyro_seal_list_source(job, i, &cap);
    }

    if (status == PYRO_OK && job->n_entries) {
        qsort(job->entries, job->n_entries, sizeof(pyro_seal_entry_t),
              pyro_seal_entry_cmp);
    }

    return status;
}


static pyro_status_e
pyro_seal_list_source(pyro_seal_t *job, uint32_t source, uint32_t *cap)
{
    uint32_t       id, last;
    pyro_status_e  status;

    last = job->sources[source].ids.stream;
    status = PYRO_OK;

    if (pyro_arena_grow(job->arena, &job->entries, cap,
                        (size_t) job->n_entries + last,
                        sizeof(pyro_seal_entry_t)))
    {
        return pyro_error_memory(job->err);
    }

    for (id = 1; id <= last && status == PYRO_OK; id++) {
        status = pyro_seal_entry(job, source, id);
    }

    return status;
}


/* A stream that was deleted is not there. */
static pyro_status_e
pyro_seal_entry(pyro_seal_t *job, uint32_t source, uint32_t id)
{
    int                   over;
    uint32_t              i;
    uint64_t              hash;
    pyro_status_e         status;
    pyro_seal_entry_t    *entry;
    pyro_seal_source_t   *s;
    pyro_stream_value_t   stream;

    s = &job->sources[source];
    status = pyro_stream_read(&s->read.view, id, &stream);

    if (status != PYRO_OK) {
        return status == PYRO_NOT_FOUND ? PYRO_OK : status;
    }

    if (stream.scope > s->ids.scope) {
        return pyro_env_damaged(s->part->env, "stream", id, job->err);
    }

    for (i = 0, hash = job->copy.seed; i < 2 * stream.n_labels; i++) {
        hash = pyro_hash_mix(hash,
                             pyro_seal_id(s->strings,
                                          pyro_take_known(&stream.labels)));
    }

    status = pyro_seal_is_over(s, stream.scope, pyro_seal_time(job), &over);

    if (status != PYRO_OK) {
        return status;
    }

    entry = &job->entries[job->n_entries++];

    entry->over = over;
    entry->hash = hash;
    entry->scope = pyro_seal_id(s->scopes, stream.scope);
    entry->source = source;
    entry->stream = id;

    return PYRO_OK;
}


/* 1 if the tenant's data is over.  An entry stays: whoever goes on with the
 * copy finds the same ones, whatever the time. */
static pyro_status_e
pyro_seal_is_over(const pyro_seal_source_t *source, uint32_t scope,
    int64_t now, int *over)
{
    size_t                       len;
    uint8_t                      key[PYRO_KEY_MAX];
    pyro_slice_t                 name;
    pyro_status_e                status;
    pyro_scope_value_t           value;
    const pyro_store_options_t  *options;

    *over = 0;
    options = &source->read.store->catalog.options;

    if (options->n_retentions == 0) {
        return PYRO_OK;
    }

    status = pyro_scope_read(&source->read.view, scope, &value);

    if (status == PYRO_OK) {
        len = pyro_key_id(key, value.tenant);
        status = pyro_view_get(&source->read.view, PYRO_DB_TENANT, key, len,
                               &name);
    }

    if (status == PYRO_OK) {
        *over = pyro_expiry_is_over(options, name, source->part, now);
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static int
pyro_seal_entry_cmp(const void *one, const void *two)
{
    const pyro_seal_entry_t  *a = one, *b = two;

    if (a->scope != b->scope) {
        return a->scope < b->scope ? -1 : 1;
    }

    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }

    if (a->source != b->source) {
        return a->source < b->source ? -1 : 1;
    }

    return (a->stream > b->stream) - (a->stream < b->stream);
}


pyro_status_e
pyro_seal_streams(pyro_seal_t *job, int *done)
{
    int            over;
    uint32_t       scope;
    pyro_status_e  status;

    *done = 0;
    status = PYRO_OK;

    while (status == PYRO_OK && job->next < job->n_entries) {

        if (pyro_seal_pauses(job)) {
            return PYRO_OK;
        }

        if (job->stream.arena == NULL && job->entries[job->next].over) {
            job->next++;
            continue;
        }

        scope = job->entries[job->next].scope;

        if (job->stream.arena == NULL && job->scope != scope) {
            status = pyro_seal_nodes(job, scope);

            if (status == PYRO_OK) {
                job->scope = scope;
                status = pyro_seal_settle(job);
            }
        }

        if (status == PYRO_OK && job->stream.arena == NULL) {
            status = pyro_seal_stream_begin(job);
        }

        if (status == PYRO_OK) {
            status = pyro_seal_stream_go(job, &over);
        }

        if (status == PYRO_OK && over) {
            job->next += job->stream.entries;
            pyro_seal_stream_end(&job->stream);
            status = pyro_seal_settle(job);
        }
    }

    if (status == PYRO_OK) {
        status = pyro_seal_bare_scopes(job);
    }

    *done = status == PYRO_OK;

    return status;
}


/* The entries of one label set, of as many sources. */
static pyro_status_e
pyro_seal_stream_begin(pyro_seal_t *job)
{
    int                   same;
    uint32_t              i;
    pyro_status_e         status;
    pyro_seal_stream_t   *stream;

    stream = &job->stream;
    status = pyro_seal_begin(job);

    if (status != PYRO_OK) {
        return status;
    }

    memset(stream, 0, sizeof(pyro_seal_stream_t));

    stream->arena = pyro_arena_create(0);
    stream->inputs = stream->arena == NULL ? NULL
                     : pyro_arena_calloc(stream->arena, job->n_sources,
                                         sizeof(pyro_seal_input_t));

    if (stream->inputs == NULL) {
        return pyro_error_memory(job->err);
    }

    stream->id = job->batch.ids.stream + 1;
    stream->first = INT64_MAX;
    status = pyro_seal_input(job, &job->entries[job->next]);

    for (i = job->next + 1; i < job->n_entries && status == PYRO_OK; i++) {
        status = pyro_seal_same(job, &job->entries[job->next],
                                &job->entries[i], &same);

        if (status == PYRO_OK && !same) {
            break;
        }

        if (status == PYRO_OK) {
            status = pyro_seal_input(job, &job->entries[i]);
        }
    }

    stream->entries = stream->n_inputs;

    return status;
}


static pyro_status_e
pyro_seal_input(pyro_seal_t *job, const pyro_seal_entry_t *entry)
{
    pyro_status_e          status;
    pyro_seal_input_t     *input;
    pyro_seal_stream_t    *stream;
    pyro_stream_value_t    value;

    stream = &job->stream;
    input = &stream->inputs[stream->n_inputs++];

    input->source = &job->sources[entry->source];
    input->stream = entry->stream;

    status = pyro_stream_read(&input->source->read.view, entry->stream,
                              &value);

    if (status != PYRO_OK) {
        return status;
    }

    stream->first = value.first < stream->first ? value.first : stream->first;
    stream->last = value.last > stream->last ? value.last : stream->last;

    pyro_scan_start(&input->scan, &input->source->read, entry->stream, 0,
                    INT64_MAX);

    return pyro_seal_advance(job, input);
}


/* 1 if the label sets are equal; a source has each of them once. */
static pyro_status_e
pyro_seal_same(pyro_seal_t *job, const pyro_seal_entry_t *one,
    const pyro_seal_entry_t *two, int *same)
{
    uint32_t              i;
    pyro_status_e         status;
    pyro_stream_value_t   a, b;
    pyro_seal_source_t   *s, *t;

    *same = 0;

    if (one->scope != two->scope || one->hash != two->hash
        || one->source == two->source)
    {
        return PYRO_OK;
    }

    s = &job->sources[one->source];
    t = &job->sources[two->source];
    status = pyro_stream_read(&s->read.view, one->stream, &a);

    if (status == PYRO_OK) {
        status = pyro_stream_read(&t->read.view, two->stream, &b);
    }

    if (status != PYRO_OK || a.n_labels != b.n_labels) {
        return status;
    }

    for (i = 0; i < 2 * a.n_labels; i++) {
        if (pyro_seal_id(s->strings, pyro_take_known(&a.labels))
            != pyro_seal_id(t->strings, pyro_take_known(&b.labels)))
        {
            return PYRO_OK;
        }
    }

    *same = 1;

    return PYRO_OK;
}


/* Hour by hour; *done when the stream is in the copy. */
static pyro_status_e
pyro_seal_stream_go(pyro_seal_t *job, int *done)
{
    uint32_t              i, hour, day;
    pyro_status_e         status;
    pyro_seal_stream_t   *stream;

    *done = 0;
    stream = &job->stream;
    status = PYRO_OK;

    while (status == PYRO_OK && !pyro_seal_pauses(job)) {
        hour = UINT32_MAX;

        for (i = 0; i < stream->n_inputs; i++) {
            hour = stream->inputs[i].hour < hour ? stream->inputs[i].hour
                                                 : hour;
        }

        day = pyro_hour_day(hour);

        if (stream->has_day && (hour == UINT32_MAX || day != stream->day)) {
            status = pyro_seal_day(job);
        }

        if (hour == UINT32_MAX) {
            *done = 1;
            return status == PYRO_OK ? pyro_seal_stream_enter(job) : status;
        }

        stream->day = day;
        stream->has_day = 1;

        if (status == PYRO_OK) {
            status = pyro_seal_hour(job, hour);
        }
    }

    return status;
}


void
pyro_seal_stream_end(pyro_seal_stream_t *stream)
{
    pyro_arena_destroy(stream->arena);
    memset(stream, 0, sizeof(pyro_seal_stream_t));
}


static pyro_status_e
pyro_seal_stream_enter(pyro_seal_t *job)
{
    uint32_t              n, id, *ptypes;
    uint64_t              hash;
    pyro_status_e         status;
    pyro_label_room_t     room;
    pyro_batch_scope_t    scope;
    pyro_seal_stream_t   *stream;

    n = 0;
    ptypes = NULL;
    stream = &job->stream;
    memset(&room, 0, sizeof(pyro_label_room_t));
    memset(&scope, 0, sizeof(pyro_batch_scope_t));

    scope.id = job->scope;
    status = pyro_scope_read(&job->batch.view, scope.id, &scope.value);
    scope.tenant = scope.value.tenant;

    if (status == PYRO_OK) {
        status = pyro_seal_stream_labels(job, &stream->inputs[0], &room);
    }

    if (status == PYRO_OK) {
        status = pyro_seal_stream_types(job, &ptypes, &n);
    }

    if (status != PYRO_OK) {
        return status;
    }

    hash = pyro_stream_hash(&room.labels, job->copy.seed);
    status = pyro_stream_resolve(&job->batch, &scope, &room.labels, hash,
                                 stream->first, ptypes, n, &id);

    if (status == PYRO_OK) {
        status = pyro_stream_resolve(&job->batch, &scope, &room.labels, hash,
                                     stream->last, ptypes, n, &id);
    }

    return status == PYRO_OK && id != stream->id
           ? pyro_env_damaged(job->copy.env, "stream", id, job->err) : status;
}


/* They are in the map of the source; their strings are in the copy, but not in
 * its index. */
static pyro_status_e
pyro_seal_stream_labels(pyro_seal_t *job, const pyro_seal_input_t *input,
    pyro_label_room_t *room)
{
    uint32_t              i, id;
    pyro_bytes_t          in;
    pyro_slice_t          text;
    pyro_status_e         status;
    const pyro_label_t   *label;
    pyro_stream_value_t   value;

    status = pyro_stream_read(&input->source->read.view, input->stream,
                              &value);

    if (status == PYRO_OK) {
        status = pyro_stream_labels(&input->source->read.view,
                                    job->stream.arena, &value, room);
    }

    if (status != PYRO_OK) {
        return status;
    }

    in = value.labels;

    for (i = 0; i < 2 * value.n_labels && status == PYRO_OK; i++) {
        label = &room->labels.items[i / 2];
        text = i % 2 ? label->value : label->name;
        id = pyro_seal_id(input->source->strings, pyro_take_known(&in));

        status = text.len ? pyro_dict_index(&job->batch, text, id) : PYRO_OK;
    }

    return status;
}


/* All types of all inputs. */
static pyro_status_e
pyro_seal_stream_types(pyro_seal_t *job, uint32_t **ptypes, uint32_t *n)
{
    uint32_t              i, k, id, ptype, cap, *list;
    pyro_status_e         status;
    pyro_stream_value_t   value;
    pyro_seal_input_t    *input;

    list = NULL;
    cap = 0;
    *n = 0;
    *ptypes = NULL;

    for (i = 0; i < job->stream.n_inputs; i++) {
        input = &job->stream.inputs[i];
        status = pyro_stream_read(&input->source->read.view, input->stream,
                                  &value);

        if (status != PYRO_OK) {
            return status;
        }

        if (pyro_arena_grow(job->stream.arena, &list, &cap,
                            (size_t) *n + value.n_ptypes, sizeof(uint32_t)))
        {
            return pyro_error_memory(job->err);
        }

        for (k = 0, id = 0; k < value.n_ptypes; k++) {
            id += pyro_take_known(&value.ptypes);

            if (id > input->source->ids.ptype) {
                return pyro_env_damaged(input->source->part->env, "stream",
                                        input->stream, job->err);
            }

            list[(*n)++] = pyro_seal_id(input->source->ptypes, id);
        }
    }

    if (*n) {
        qsort(list, *n, sizeof(uint32_t), pyro_seal_ptype_cmp);
    }

    for (i = 0, k = 0, ptype = 0; i < *n; i++) {
        if (list[i] != ptype) {
            ptype = list[i];
            list[k++] = ptype;
        }
    }

    *n = k;
    *ptypes = list;

    return PYRO_OK;
}


static int
pyro_seal_ptype_cmp(const void *one, const void *two)
{
    const uint32_t  *a = one, *b = two;

    return (*a > *b) - (*a < *b);
}
