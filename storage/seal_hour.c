/*
 * One hour of a stream of a copy: the pushes that its sources have, in the
 * order of their keys, each once; the sums of their slots, of the hour and of
 * the day.  An hour that a sealed base alone has is copied as it is.
 */

#include "storage/seal_job.h"

#include <stdlib.h>


/* The pushes of an hour; everything in its arena. */
typedef struct {
    pyro_seal_t            *job;
    pyro_seal_stream_t     *stream;
    pyro_arena_t           *arena;
    uint32_t                hour;
    pyro_sealed_push_t     *pushes;
    uint32_t                n;
    uint32_t                cap;
    pyro_sealed_builder_t   builder;
} pyro_seal_hour_t;


static pyro_seal_input_t *pyro_seal_alone(pyro_seal_stream_t *stream,
    uint32_t hour);
static pyro_status_e pyro_seal_hour_copy(pyro_seal_hour_t *h,
    pyro_seal_input_t *input, int *copied);
static pyro_status_e pyro_seal_hour_sums(pyro_seal_hour_t *h,
    pyro_seal_input_t *input, const pyro_sealed_hour_t *hour, int *copied);
static pyro_status_e pyro_seal_hour_sum(pyro_seal_hour_t *h,
    pyro_seal_input_t *input, pyro_seal_type_t *type, int write, int *copied);
static pyro_status_e pyro_seal_gather(pyro_seal_hour_t *h);
static pyro_status_e pyro_seal_gather_open(pyro_seal_hour_t *h,
    pyro_seal_input_t *input);
static pyro_status_e pyro_seal_gather_sealed(pyro_seal_hour_t *h,
    pyro_seal_input_t *input);
static pyro_status_e pyro_seal_gather_one(pyro_seal_hour_t *h,
    const pyro_seal_source_t *source, const pyro_raw_key_t *key,
    pyro_slice_t record);
static void pyro_seal_order(pyro_seal_hour_t *h);
static int pyro_seal_is_known(const pyro_seal_hour_t *h, uint32_t n,
    const pyro_sealed_push_t *push);
static int pyro_seal_push_cmp(const void *one, const void *two);
static pyro_status_e pyro_seal_slots(pyro_seal_hour_t *h);
static pyro_status_e pyro_seal_slot(pyro_seal_hour_t *h, uint32_t from,
    uint32_t to);
static pyro_status_e pyro_seal_push(pyro_seal_hour_t *h,
    const pyro_sealed_push_t *push);
static pyro_status_e pyro_seal_type(pyro_seal_stream_t *stream,
    uint32_t ptype, pyro_seal_type_t **type);
static pyro_status_e pyro_seal_hour_end(pyro_seal_hour_t *h);
static void pyro_seal_hour_total(pyro_seal_type_t *type, uint32_t hour);
static pyro_status_e pyro_seal_day_type(pyro_seal_t *job,
    pyro_arena_t *arena, pyro_seal_type_t *type);
static pyro_status_e pyro_seal_add_day(pyro_seal_hour_t *h,
    pyro_seal_type_t *type, pyro_slice_t record);


pyro_status_e
pyro_seal_advance(pyro_seal_t *job, pyro_seal_input_t *input)
{
    uint8_t            bytes[PYRO_KEY_MAX];
    uint32_t           from;
    pyro_kv_cursor_t  *cursor;
    pyro_view_t       *view;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    view = &input->source->read.view;
    from = input->has ? input->hour + 1 : 0;

    if (!input->source->part->sealed) {
        status = pyro_scan_next(&input->scan);
        input->has = status == PYRO_OK;
        input->hour = input->has
                      ? pyro_slot_at(PYRO_LEVEL_1H,
                                     pyro_slot(input->scan.time))
                      : UINT32_MAX;

        return status == PYRO_NOT_FOUND ? PYRO_OK : status;
    }

    status = pyro_view_cursor(view, PYRO_DB_RAW, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    key = pyro_slice(bytes, pyro_key_sealed(bytes, input->stream, from));
    status = pyro_view_seek(view, cursor, PYRO_KV_SEEK, &key, &value);

    input->has = status == PYRO_OK && key.len == PYRO_SEALED_KEY
                 && pyro_get_be32((const uint8_t *) key.data)
                    == input->stream;
    input->hour = input->has ? pyro_get_be32((const uint8_t *) key.data + 4)
                             : UINT32_MAX;

    pyro_kv_cursor_close(cursor);
    (void) job;

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


pyro_status_e
pyro_seal_hour(pyro_seal_t *job, uint32_t hour)
{
    int                 copied;
    pyro_status_e       status;
    pyro_seal_hour_t    h;
    pyro_seal_input_t  *input;

    memset(&h, 0, sizeof(pyro_seal_hour_t));

    h.job = job;
    h.stream = &job->stream;
    h.hour = hour;
    h.arena = pyro_arena_create(0);

    if (h.arena == NULL) {
        return pyro_error_memory(job->err);
    }

    copied = 0;
    status = PYRO_OK;
    input = pyro_seal_alone(h.stream, hour);

    if (input != NULL) {
        status = pyro_seal_hour_copy(&h, input, &copied);
    }

    if (status == PYRO_OK && !copied) {
        status = pyro_seal_gather(&h);

        if (status == PYRO_OK) {
            pyro_seal_order(&h);
            status = pyro_seal_slots(&h);
        }
    }

    pyro_arena_destroy(h.arena);

    return status;
}


/* The input that alone has the hour, if it is the base and is sealed. */
static pyro_seal_input_t *
pyro_seal_alone(pyro_seal_stream_t *stream, uint32_t hour)
{
    uint32_t            i;
    pyro_seal_input_t  *alone;

    for (i = 0, alone = NULL; i < stream->n_inputs; i++) {

        if (stream->inputs[i].hour != hour) {
            continue;
        }

        if (alone != NULL || stream->inputs[i].source->strings != NULL
            || !stream->inputs[i].source->part->sealed)
        {
            return NULL;
        }

        alone = &stream->inputs[i];
    }

    return alone;
}


/* *copied is 0 if something of it is damaged: then it is made anew. */
static pyro_status_e
pyro_seal_hour_copy(pyro_seal_hour_t *h, pyro_seal_input_t *input,
    int *copied)
{
    uint8_t              key[PYRO_KEY_MAX];
    pyro_slice_t         value;
    pyro_status_e        status;
    pyro_sealed_hour_t   hour;

    *copied = 0;
    status = pyro_view_get(&input->source->read.view, PYRO_DB_RAW, key,
                           pyro_key_sealed(key, input->stream, h->hour),
                           &value);

    if (status != PYRO_OK || pyro_sealed_hour_open(value, h->hour, &hour)) {
        return status;
    }

    status = pyro_seal_hour_sums(h, input, &hour, copied);

    if (status == PYRO_OK && *copied) {
        status = pyro_seal_put(h->job, PYRO_DB_RAW, key,
                               pyro_key_sealed(key, h->stream->id, h->hour),
                               value.data, value.len, 1);
    }

    return status == PYRO_OK && *copied ? pyro_seal_advance(h->job, input)
                                        : status;
}


/* The sums of the hour are copied as well, and added to the day's: first it is
 * seen whether all are there. */
static pyro_status_e
pyro_seal_hour_sums(pyro_seal_hour_t *h, pyro_seal_input_t *input,
    const pyro_sealed_hour_t *hour, int *copied)
{
    int                write;
    uint32_t           i, k, id;
    pyro_bytes_t       types;
    pyro_status_e      status;
    pyro_seal_type_t  *type;

    for (i = 0; i < hour->n; i++) {
        types = hour->slots[i].types;

        for (k = 0, id = 0; k < hour->slots[i].n_types; k++) {
            id += pyro_take_known(&types);
            status = pyro_seal_type(h->stream, id, &type);

            if (status != PYRO_OK) {
                return pyro_error_memory(h->job->err);
            }

            type->in_hour = 1;
        }
    }

    *copied = 1;
    status = PYRO_OK;

    for (write = 0; write < 2 && *copied; write++) {
        for (i = 0; i < h->stream->n_types && status == PYRO_OK; i++) {
            if (h->stream->types[i]->in_hour) {
                status = pyro_seal_hour_sum(h, input, h->stream->types[i],
                                            write, copied);
            }
        }
    }

    for (i = 0; i < h->stream->n_types; i++) {
        h->stream->types[i]->in_hour = 0;
        h->stream->types[i]->totals.n = 0;
    }

    return status;
}


/* *copied becomes 0 if it is not there or damaged. */
static pyro_status_e
pyro_seal_hour_sum(pyro_seal_hour_t *h, pyro_seal_input_t *input,
    pyro_seal_type_t *type, int write, int *copied)
{
    size_t          len;
    uint8_t         key[PYRO_KEY_MAX];
    pyro_view_t    *view;
    pyro_slice_t    sum, totals;
    pyro_status_e   status;
    pyro_rollup_t   rollup;

    view = &input->source->read.view;
    status = pyro_view_get(view, PYRO_DB_R1H, key,
                           pyro_key_rollup(key, input->stream, type->ptype,
                                           h->hour),
                           &sum);

    if (status == PYRO_OK) {
        status = pyro_view_get(view, PYRO_DB_TOT, key,
                               pyro_key_total(key, input->stream, type->ptype,
                                              PYRO_LEVEL_1H, h->hour),
                               &totals);
    }

    type->totals.n = 0;

    if (status == PYRO_NOT_FOUND
        || (status == PYRO_OK
            && (pyro_rollup_open(sum, &rollup)
                || pyro_totals_decode(totals, h->hour, h->stream->arena,
                                      &type->totals) != PYRO_OK)))
    {
        *copied = 0;
        return PYRO_OK;
    }

    if (status != PYRO_OK || !write) {
        return status;
    }

    pyro_seal_hour_total(type, h->hour);
    len = pyro_key_rollup(key, h->stream->id, type->ptype, h->hour);
    status = pyro_seal_put(h->job, PYRO_DB_R1H, key, len, sum.data, sum.len,
                           0);

    if (status == PYRO_OK) {
        len = pyro_key_total(key, h->stream->id, type->ptype, PYRO_LEVEL_1H,
                             h->hour);
        status = pyro_seal_put(h->job, PYRO_DB_TOT, key, len, totals.data,
                               totals.len, 0);
    }

    return status == PYRO_OK ? pyro_seal_add_day(h, type, sum) : status;
}


static pyro_status_e
pyro_seal_gather(pyro_seal_hour_t *h)
{
    uint32_t            i;
    pyro_status_e       status;
    pyro_seal_input_t  *input;

    status = PYRO_OK;

    for (i = 0; i < h->stream->n_inputs && status == PYRO_OK; i++) {
        input = &h->stream->inputs[i];

        if (input->hour != h->hour) {
            continue;
        }

        status = input->source->part->sealed
                 ? pyro_seal_gather_sealed(h, input)
                 : pyro_seal_gather_open(h, input);
    }

    return status;
}


static pyro_status_e
pyro_seal_gather_open(pyro_seal_hour_t *h, pyro_seal_input_t *input)
{
    pyro_status_e  status;

    status = PYRO_OK;

    while (status == PYRO_OK && input->has && input->hour == h->hour) {
        status = pyro_seal_gather_one(h, input->source, &input->scan.key,
                                      input->scan.value);

        if (status == PYRO_OK) {
            status = pyro_seal_advance(h->job, input);
        }
    }

    return status;
}


static pyro_status_e
pyro_seal_gather_sealed(pyro_seal_hour_t *h, pyro_seal_input_t *input)
{
    uint8_t               key[PYRO_KEY_MAX];
    uint32_t              i, k;
    pyro_read_t          *read;
    pyro_slice_t          value;
    pyro_status_e         status;
    pyro_sealed_push_t   *push;
    pyro_sealed_hour_t    hour;

    read = &input->source->read;
    status = pyro_view_get(&read->view, PYRO_DB_RAW, key,
                           pyro_key_sealed(key, input->stream, h->hour),
                           &value);

    if (status != PYRO_OK) {
        return status;
    }

    if (pyro_sealed_hour_open(value, h->hour, &hour)) {
        return pyro_env_damaged(input->source->part->env, "an hour of stream",
                                input->stream, h->job->err);
    }

    for (i = 0; i < hour.n; i++) {
        status = pyro_sealed_hour_pushes(&hour.slots[i], h->job->arena,
                                         &read->pushes);

        if (status == PYRO_UNPROCESSABLE) {
            return pyro_env_damaged(input->source->part->env,
                                    "an hour of stream", input->stream,
                                    h->job->err);
        }

        for (k = 0; k < read->pushes.slot.n && status == PYRO_OK; k++) {
            push = &read->pushes.slot.pushes[k];
            status = pyro_seal_gather_one(h, input->source, &push->key,
                                          push->record);
        }

        if (status != PYRO_OK) {
            return status;
        }
    }

    return pyro_seal_advance(h->job, input);
}


/* A copy; what cannot be read is counted and left out. */
static pyro_status_e
pyro_seal_gather_one(pyro_seal_hour_t *h, const pyro_seal_source_t *source,
    const pyro_raw_key_t *key, pyro_slice_t record)
{
    pyro_status_e        status;
    pyro_sealed_push_t  *push;

    if (pyro_arena_grow(h->arena, &h->pushes, &h->cap, (size_t) h->n + 1,
                        sizeof(pyro_sealed_push_t)))
    {
        return pyro_error_memory(h->job->err);
    }

    push = &h->pushes[h->n];
    push->key = *key;

    if (source->strings == NULL) {
        push->record = pyro_arena_dup(h->arena, record);
        status = push->record.data == NULL ? PYRO_UNAVAILABLE : PYRO_OK;

    } else {
        status = key->ptype > source->ids.ptype ? PYRO_UNPROCESSABLE
                 : pyro_seal_record(source, record, h->arena, &push->record);
    }

    if (status == PYRO_UNAVAILABLE) {
        return pyro_error_memory(h->job->err);
    }

    if (status != PYRO_OK) {
        h->job->work->damaged++;
        return PYRO_OK;
    }

    h->n++;

    return PYRO_OK;
}


/*
 * By key; the lowest type of a record from elsewhere may be another one now.
 * One that two sources have is one push; different ones of a key are numbered.
 */
static void
pyro_seal_order(pyro_seal_hour_t *h)
{
    uint32_t                i, n;
    pyro_record_t           record;
    pyro_sealed_push_t     *push;
    pyro_record_section_t   section;

    for (i = 0; i < h->n; i++) {
        push = &h->pushes[i];

        if (pyro_record_open(push->record, &record) == 0
            && pyro_record_next(&record, &section) == 1)
        {
            push->key.ptype = (uint16_t) section.ptype;
        }

        push->key.stream = i;
    }

    if (h->n) {
        qsort(h->pushes, h->n, sizeof(pyro_sealed_push_t),
              pyro_seal_push_cmp);
    }

    for (i = 0, n = 0; i < h->n; i++) {
        push = &h->pushes[i];

        if (pyro_seal_is_known(h, n, push)) {
            continue;
        }

        push->key.seq = n && h->pushes[n - 1].key.time == push->key.time
                        && h->pushes[n - 1].key.ptype == push->key.ptype
                        ? (uint16_t) (h->pushes[n - 1].key.seq + 1) : 0;
        h->pushes[n++] = *push;
    }

    h->n = n;
}


/* 1 if one of the n before it, of another source, has its time and digest. */
static int
pyro_seal_is_known(const pyro_seal_hour_t *h, uint32_t n,
    const pyro_sealed_push_t *push)
{
    pyro_hash128_t  digest, other;

    if (h->stream->n_inputs == 1) {
        return 0;
    }

    digest = pyro_record_digest(push->record);

    while (n && h->pushes[n - 1].key.time == push->key.time) {
        other = pyro_record_digest(h->pushes[--n].record);

        if (other.lo == digest.lo && other.hi == digest.hi) {
            return 1;
        }
    }

    return 0;
}


/* Equal ones in the order in which they came. */
static int
pyro_seal_push_cmp(const void *one, const void *two)
{
    const pyro_sealed_push_t  *a = one, *b = two;

    if (a->key.time != b->key.time) {
        return a->key.time < b->key.time ? -1 : 1;
    }

    if (a->key.ptype != b->key.ptype) {
        return a->key.ptype < b->key.ptype ? -1 : 1;
    }

    return (a->key.stream > b->key.stream) - (a->key.stream < b->key.stream);
}


static pyro_status_e
pyro_seal_slots(pyro_seal_hour_t *h)
{
    uint32_t       i, end, slot;
    pyro_status_e  status;

    if (h->n == 0) {
        return PYRO_OK;
    }

    pyro_sealed_builder_begin(&h->builder, h->arena, h->job->deflater,
                              h->hour);
    status = PYRO_OK;

    for (i = 0; i < h->n && status == PYRO_OK; i = end) {
        slot = pyro_slot(h->pushes[i].key.time);

        for (end = i + 1; end < h->n; end++) {
            if (pyro_slot(h->pushes[end].key.time) != slot) {
                break;
            }
        }

        status = pyro_seal_slot(h, i, end);
    }

    return status == PYRO_OK ? pyro_seal_hour_end(h) : status;
}


static pyro_status_e
pyro_seal_slot(pyro_seal_hour_t *h, uint32_t from, uint32_t to)
{
    uint32_t             i, n;
    pyro_rollup_t        rollup;
    pyro_status_e        status;
    pyro_seal_type_t    *type;
    pyro_sealed_sum_t   *sums;

    status = PYRO_OK;

    for (i = from; i < to && status == PYRO_OK; i++) {
        status = pyro_seal_push(h, &h->pushes[i]);
    }

    sums = pyro_arena_calloc(h->arena, h->stream->n_types,
                             sizeof(pyro_sealed_sum_t));

    if (status != PYRO_OK || sums == NULL) {
        return pyro_error_memory(h->job->err);
    }

    for (i = 0, n = 0; i < h->stream->n_types; i++) {
        type = h->stream->types[i];

        if (type->slot.pushes == 0) {
            continue;
        }

        sums[n].ptype = type->ptype;

        if (pyro_rollup_encode(&type->slot, h->arena, &sums[n].record)
            || pyro_rollup_open(sums[n].record, &rollup)
            || pyro_rollup_add(&type->hour, h->stream->arena, &rollup.section,
                               rollup.pushes) != PYRO_OK)
        {
            return pyro_error_memory(h->job->err);
        }

        n++;
    }

    return pyro_sealed_builder_add(&h->builder,
                                   pyro_slot(h->pushes[from].key.time),
                                   &h->pushes[from], to - from, sums, n)
           ? pyro_error_memory(h->job->err) : PYRO_OK;
}


/* Adds a push to the sums of its slot and to the totals of the hour. */
static pyro_status_e
pyro_seal_push(pyro_seal_hour_t *h, const pyro_sealed_push_t *push)
{
    int                     rc;
    pyro_record_t           record;
    pyro_status_e           status;
    pyro_total_list_t      *totals;
    pyro_seal_type_t       *type;
    pyro_record_section_t   section;

    if (pyro_record_open(push->record, &record)) {
        return PYRO_OK;
    }

    while ((rc = pyro_record_next(&record, &section)) == 1) {
        status = pyro_seal_type(h->stream, section.ptype, &type);

        if (status == PYRO_OK) {
            status = pyro_rollup_add(&type->slot, h->stream->arena, &section,
                                     1);
        }

        if (status == PYRO_UNPROCESSABLE) {
            break;
        }

        totals = status == PYRO_OK ? &type->totals : NULL;

        if (totals == NULL
            || pyro_arena_grow(h->stream->arena, &totals->items, &totals->cap,
                               (size_t) totals->n + 1, sizeof(pyro_total_t)))
        {
            return PYRO_UNAVAILABLE;
        }

        totals->items[totals->n].time = push->key.time / PYRO_NS_PER_MS;
        totals->items[totals->n++].total = section.total;
    }

    h->job->work->damaged += rc != 0;

    return PYRO_OK;
}


/* The stream's sums of a type, made if they are new. */
static pyro_status_e
pyro_seal_type(pyro_seal_stream_t *stream, uint32_t ptype,
    pyro_seal_type_t **type)
{
    uint32_t           i, k;
    pyro_seal_type_t  *new;

    for (i = 0; i < stream->n_types; i++) {

        if (stream->types[i]->ptype == ptype) {
            *type = stream->types[i];
            return PYRO_OK;
        }

        if (stream->types[i]->ptype > ptype) {
            break;
        }
    }

    new = pyro_arena_calloc(stream->arena, 1, sizeof(pyro_seal_type_t));

    if (new == NULL
        || pyro_arena_grow(stream->arena, &stream->types, &stream->cap_types,
                           (size_t) stream->n_types + 1,
                           sizeof(pyro_seal_type_t *)))
    {
        return PYRO_UNAVAILABLE;
    }

    for (k = stream->n_types; k > i; k--) {
        stream->types[k] = stream->types[k - 1];
    }

    new->ptype = ptype;
    stream->types[i] = new;
    stream->n_types++;
    *type = new;

    return PYRO_OK;
}


/* The hour itself, and of each type its sum and totals. */
static pyro_status_e
pyro_seal_hour_end(pyro_seal_hour_t *h)
{
    size_t             len;
    uint8_t            key[PYRO_KEY_MAX];
    uint32_t           i;
    pyro_slice_t       value;
    pyro_status_e      status;
    pyro_seal_type_t  *type;

    if (pyro_sealed_builder_end(&h->builder, &value)) {
        return pyro_error_memory(h->job->err);
    }

    len = pyro_key_sealed(key, h->stream->id, h->hour);
    status = pyro_seal_put(h->job, PYRO_DB_RAW, key, len, value.data,
                           value.len, 1);

    for (i = 0; i < h->stream->n_types && status == PYRO_OK; i++) {
        type = h->stream->types[i];

        if (type->hour.pushes == 0) {
            continue;
        }

        pyro_seal_hour_total(type, h->hour);

        if (pyro_totals_encode(&type->totals, h->hour, h->arena, &value)) {
            return pyro_error_memory(h->job->err);
        }

        type->totals.n = 0;
        len = pyro_key_total(key, h->stream->id, type->ptype, PYRO_LEVEL_1H,
                             h->hour);
        status = pyro_seal_put(h->job, PYRO_DB_TOT, key, len, value.data,
                               value.len, 0);

        if (status == PYRO_OK
            && pyro_rollup_encode(&type->hour, h->arena, &value))
        {
            return pyro_error_memory(h->job->err);
        }

        if (status == PYRO_OK) {
            len = pyro_key_rollup(key, h->stream->id, type->ptype, h->hour);
            status = pyro_seal_put(h->job, PYRO_DB_R1H, key, len, value.data,
                                   value.len, 0);
        }

        if (status == PYRO_OK) {
            status = pyro_seal_add_day(h, type, value);
        }
    }

    return status;
}


/* What the totals of an hour add up to: storage/rollup.h. */
static void
pyro_seal_hour_total(pyro_seal_type_t *type, uint32_t hour)
{
    uint32_t            i;
    pyro_hour_total_t  *total;

    type->in_day = 1;
    total = &type->hours[pyro_hour_of_day(hour)];
    total->pushes = type->totals.n;
    total->sum = 0;

    for (i = 0; i < type->totals.n && total->sum <= INT64_MAX; i++) {
        total->sum += type->totals.items[i].total;
    }

    if (total->sum > INT64_MAX) {
        total->pushes = 0;
        total->sum = 1;
    }
}


static pyro_status_e
pyro_seal_add_day(pyro_seal_hour_t *h, pyro_seal_type_t *type,
    pyro_slice_t record)
{
    pyro_rollup_t  rollup;

    return pyro_rollup_open(record, &rollup)
           || pyro_rollup_add(&type->day, h->stream->arena, &rollup.section,
                              rollup.pushes) != PYRO_OK
           ? pyro_error_memory(h->job->err) : PYRO_OK;
}


pyro_status_e
pyro_seal_day(pyro_seal_t *job)
{
    uint32_t             i;
    pyro_arena_t        *arena;
    pyro_status_e        status;
    pyro_seal_stream_t  *stream;

    stream = &job->stream;
    arena = pyro_arena_create(0);
    status = arena == NULL ? pyro_error_memory(job->err) : PYRO_OK;

    for (i = 0; i < stream->n_types && status == PYRO_OK; i++) {
        if (stream->types[i]->in_day) {
            status = pyro_seal_day_type(job, arena, stream->types[i]);
        }
    }

    stream->has_day = 0;
    pyro_arena_destroy(arena);

    return status;
}


static pyro_status_e
pyro_seal_day_type(pyro_seal_t *job, pyro_arena_t *arena,
    pyro_seal_type_t *type)
{
    size_t               len;
    uint8_t              key[PYRO_KEY_MAX];
    pyro_slice_t         sum, hours;
    pyro_status_e        status;
    pyro_seal_stream_t  *stream;

    stream = &job->stream;

    if (pyro_rollup_encode(&type->day, arena, &sum)
        || pyro_hours_encode(type->hours, arena, &hours))
    {
        return pyro_error_memory(job->err);
    }

    memset(type->hours, 0, sizeof(type->hours));
    type->in_day = 0;

    len = pyro_key_rollup(key, stream->id, type->ptype, stream->day);
    status = pyro_seal_put(job, PYRO_DB_R1D, key, len, sum.data, sum.len, 0);

    if (status != PYRO_OK) {
        return status;
    }

    len = pyro_key_total(key, stream->id, type->ptype, PYRO_LEVEL_1D,
                         stream->day);

    return pyro_seal_put(job, PYRO_DB_TOT, key, len, hours.data, hours.len,
                         0);
}
