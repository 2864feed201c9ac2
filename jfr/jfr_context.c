#include "jfr/jfr_context.h"

#include "core/base/bytes.h"


typedef enum {
    PYRO_JFR_WIRE_VARINT = 0,
    PYRO_JFR_WIRE_64 = 1,
    PYRO_JFR_WIRE_BYTES = 2,
    PYRO_JFR_WIRE_32 = 5
} pyro_jfr_wire_e;


/* A field of a protobuf message: its number, and a varint or bytes. */
typedef struct {
    uint64_t         number;
    uint64_t         wire;
    uint64_t         varint;
    pyro_slice_t     bytes;
} pyro_jfr_proto_t;


/* An entry of a map: field 1 is the key, field 2 the value. */
typedef struct {
    uint64_t         key;
    uint64_t         varint;
    pyro_slice_t     bytes;
} pyro_jfr_entry_t;


static int pyro_jfr_proto_next(pyro_slice_t *rest, pyro_jfr_proto_t *field);
static int pyro_jfr_proto_entry(pyro_slice_t rest, pyro_jfr_wire_e wire,
    pyro_jfr_entry_t *entry);
static pyro_status_e pyro_jfr_context_pairs(pyro_jfr_context_t *context,
    pyro_slice_t rest, pyro_jfr_labels_t *labels, pyro_error_t *err);
static pyro_status_e pyro_jfr_context_add(pyro_jfr_context_t *context,
    const pyro_jfr_entry_t *entry, pyro_error_t *err);
static pyro_status_e pyro_jfr_context_string(pyro_jfr_context_t *context,
    const pyro_jfr_entry_t *entry, pyro_error_t *err);
static pyro_status_e pyro_jfr_context_bad(pyro_error_t *err);
static pyro_slice_t pyro_jfr_context_text(const pyro_jfr_context_t *context,
    uint64_t id);
static int pyro_jfr_hex(pyro_slice_t text, uint64_t *v);
static int pyro_jfr_span_label(pyro_slice_t name, pyro_slice_t value,
    pyro_span_t *span);


/* 1: a field, 0: the end, -1: malformed. */
static int
pyro_jfr_proto_next(pyro_slice_t *rest, pyro_jfr_proto_t *field)
{
    uint64_t        tag, len;
    const uint8_t  *p, *end;

    if (rest->len == 0) {
        return 0;
    }

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);

    p = (const uint8_t *) rest->data;
    end = p + rest->len;
    p = pyro_get_varint(p, end, &tag);

    if (p == NULL || tag >> 3 == 0) {
        return -1;
    }

    field->number = tag >> 3;
    field->wire = tag & 7;
    field->varint = 0;
    len = 0;

    switch (field->wire) {

    case PYRO_JFR_WIRE_VARINT:
        p = pyro_get_varint(p, end, &field->varint);
        break;

    case PYRO_JFR_WIRE_64:
        len = 8;
        break;

    case PYRO_JFR_WIRE_BYTES:
        p = pyro_get_varint(p, end, &len);
        break;

    case PYRO_JFR_WIRE_32:
        len = 4;
        break;

    default:
        return -1;
    }

    if (p == NULL || len > (size_t) (end - p)) {
        return -1;
    }

    field->bytes = pyro_slice(p, len);
    p += len;
    *rest = pyro_slice(p, (size_t) (end - p));

    return 1;
}


static int
pyro_jfr_proto_entry(pyro_slice_t rest, pyro_jfr_wire_e wire,
    pyro_jfr_entry_t *entry)
{
    int               rc;
    pyro_jfr_proto_t  field;

    entry->key = 0;
    entry->varint = 0;
    entry->bytes = pyro_slice("", 0);

    while ((rc = pyro_jfr_proto_next(&rest, &field)) == 1) {
        if (field.number > 2) {
            continue;
        }

        if (field.wire != (field.number == 1 ? PYRO_JFR_WIRE_VARINT : wire)) {
            return -1;
        }

        if (field.number == 1) {
            entry->key = field.varint;

        } else {
            entry->varint = field.varint;
            entry->bytes = field.bytes;
        }
    }

    return rc;
}


static pyro_status_e
pyro_jfr_context_bad(pyro_error_t *err)
{
    return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                          "labels: not a label snapshot");
}


static pyro_status_e
pyro_jfr_context_pairs(pyro_jfr_context_t *context, pyro_slice_t rest,
    pyro_jfr_labels_t *labels, pyro_error_t *err)
{
    int                rc;
    pyro_jfr_pair_t   *pair;
    pyro_jfr_proto_t   field;
    pyro_jfr_entry_t   entry;

    labels->first = context->n_pairs;
    labels->n = 0;

    while ((rc = pyro_jfr_proto_next(&rest, &field)) == 1) {
        if (field.number != 1) {
            continue;
        }

        if (field.wire != PYRO_JFR_WIRE_BYTES
            || pyro_jfr_proto_entry(field.bytes, PYRO_JFR_WIRE_VARINT, &entry))
        {
            return pyro_jfr_context_bad(err);
        }

        if (labels->n == PYRO_JFR_MAX_LABELS) {
            return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_LABELS,
                                  "labels: a context has more than %d labels",
                                  PYRO_JFR_MAX_LABELS);
        }

        if (pyro_arena_grow(context->context_ids.arena, &context->pairs,
                            &context->cap_pairs, (size_t) context->n_pairs + 1,
                            sizeof(pyro_jfr_pair_t)))
        {
            return pyro_error_memory(err);
        }

        pair = &context->pairs[context->n_pairs++];
        pair->name = entry.key;
        pair->value = entry.varint;
        labels->n++;
    }

    return rc ? pyro_jfr_context_bad(err) : PYRO_OK;
}


static pyro_status_e
pyro_jfr_context_add(pyro_jfr_context_t *context,
    const pyro_jfr_entry_t *entry, pyro_error_t *err)
{
    int                is_new;
    uint32_t           id;
    pyro_status_e      status;
    pyro_jfr_labels_t  labels;

    status = pyro_jfr_context_pairs(context, entry->bytes, &labels, err);

    if (status != PYRO_OK) {
        return status;
    }

    id = pyro_jfr_index_enter(&context->context_ids, entry->key, &is_new);

    if (id == PYRO_NONE
        || pyro_arena_grow(context->context_ids.arena, &context->contexts,
                           &context->cap_contexts, (size_t) id + 1,
                           sizeof(pyro_jfr_labels_t)))
    {
        return pyro_error_memory(err);
    }

    context->contexts[id] = labels;

    return PYRO_OK;
}


static pyro_status_e
pyro_jfr_context_string(pyro_jfr_context_t *context,
    const pyro_jfr_entry_t *entry, pyro_error_t *err)
{
    int       is_new;
    uint32_t  id;

    id = pyro_jfr_index_enter(&context->string_ids, entry->key, &is_new);

    if (id == PYRO_NONE
        || pyro_arena_grow(context->string_ids.arena, &context->strings,
                           &context->cap_strings, (size_t) id + 1,
                           sizeof(pyro_slice_t)))
    {
        return pyro_error_memory(err);
    }

    context->strings[id] = entry->bytes;

    return PYRO_OK;
}


pyro_status_e
pyro_jfr_context_read(pyro_jfr_context_t *context, pyro_slice_t snapshot,
    pyro_arena_t *arena, pyro_error_t *err)
{
    int               rc;
    pyro_status_e     status;
    pyro_jfr_proto_t  field;
    pyro_jfr_entry_t  entry;

    memset(context, 0, sizeof(pyro_jfr_context_t));

    pyro_jfr_index_init(&context->context_ids, arena);
    pyro_jfr_index_init(&context->string_ids, arena);

    while ((rc = pyro_jfr_proto_next(&snapshot, &field)) == 1) {
        if (field.number > 2) {
            continue;
        }

        if (field.wire != PYRO_JFR_WIRE_BYTES
            || pyro_jfr_proto_entry(field.bytes, PYRO_JFR_WIRE_BYTES, &entry))
        {
            return pyro_jfr_context_bad(err);
        }

        status = field.number == 1
                 ? pyro_jfr_context_add(context, &entry, err)
                 : pyro_jfr_context_string(context, &entry, err);

        if (status != PYRO_OK) {
            return status;
        }
    }

    return rc ? pyro_jfr_context_bad(err) : PYRO_OK;
}


static pyro_slice_t
pyro_jfr_context_text(const pyro_jfr_context_t *context, uint64_t id)
{
    uint32_t  i;

    i = pyro_jfr_index_get(&context->string_ids, id);

    return i == PYRO_NONE ? pyro_slice("", 0) : context->strings[i];
}


/* Sixteen hexadecimal digits. */
static int
pyro_jfr_hex(pyro_slice_t text, uint64_t *v)
{
    char    c;
    size_t  i;

    *v = 0;

    if (text.len != 16) {
        return -1;
    }

    for (i = 0; i < text.len; i++) {
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);
        c = text.data[i];

        if (c >= '0' && c <= '9') {
            c -= '0';

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            c = (char) ((c | 0x20) - 'a' + 10);

        } else {
            return -1;
        }

        *v = *v << 4 | (uint64_t) c;
    }

    return 0;
}


/* 1 if the label is part of the span, which an event's own ids go before. */
static int
pyro_jfr_span_label(pyro_slice_t name, pyro_slice_t value, pyro_span_t *span)
{
    uint64_t  hi, lo;

    if (pyro_slice_is(name, "profile_id") || pyro_slice_is(name, "span_id")) {
        if (span->id == 0 && pyro_jfr_hex(value, &lo) == 0) {
            span->id = lo;
        }

        return 1;
    }

    if (pyro_slice_is(name, "trace_id")) {
        if ((span->trace_hi | span->trace_lo) == 0 && value.len == 32
            && pyro_jfr_hex(pyro_slice(value.data, 16), &hi) == 0
            && pyro_jfr_hex(pyro_slice(value.data + 16, 16), &lo) == 0)
        {
            span->trace_hi = hi;
            span->trace_lo = lo;
        }

        return 1;
    }

    return 0;
}


/* Numbers plus one: of the context in the upper half, of the span's name. */
uint64_t
pyro_jfr_context_key(const pyro_jfr_context_t *context,
    const pyro_jfr_tag_t *tag)
{
    uint32_t  id, name;

    id = tag->context ? pyro_jfr_index_get(&context->context_ids, tag->context)
                      : PYRO_NONE;
    name = tag->span_name
           ? pyro_jfr_index_get(&context->string_ids, tag->span_name)
           : PYRO_NONE;

    if (name != PYRO_NONE && context->strings[name].len == 0) {
        name = PYRO_NONE;
    }

    /* PYRO_NONE becomes 0 */

    return (uint64_t) (uint32_t) (id + 1) << 32 | (uint32_t) (name + 1);
}


void
pyro_jfr_context_labels(const pyro_jfr_context_t *context, uint64_t key,
    pyro_labels_t *labels, pyro_span_t *span)
{
    uint32_t                  i;
    pyro_slice_t              name, value;
    const pyro_jfr_pair_t    *pair;
    const pyro_jfr_labels_t  *found;

    labels->n = 0;
    memset(span, 0, sizeof(pyro_span_t));

    if (key >> 32) {
        found = &context->contexts[(key >> 32) - 1];

        for (i = 0; i < found->n; i++) {
            PYRO_COUNT(PYRO_COUNT_STEPS, 1);
            pair = &context->pairs[found->first + i];
            name = pyro_jfr_context_text(context, pair->name);
            value = pyro_jfr_context_text(context, pair->value);

            if (name.len && value.len
                && !pyro_jfr_span_label(name, value, span))
            {
                labels->items[labels->n].name = name;
                labels->items[labels->n++].value = value;
            }
        }
    }

    if ((uint32_t) key) {
        labels->items[labels->n].name = PYRO_SLICE("span_name");
        labels->items[labels->n++].value = context->strings[(uint32_t) key
                                                            - 1];
    }
}
