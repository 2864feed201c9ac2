#include "storage/dump.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/bytes.h"


static void pyro_dump_block(pyro_dump_writer_t *w, uint8_t kind);
static void pyro_dump_block_begin(pyro_dump_writer_t *w);
static void pyro_dump_defined(pyro_dump_writer_t *w);
static uint8_t *pyro_dump_room(pyro_dump_writer_t *w, pyro_dump_bytes_t *bytes,
    size_t n);
static void pyro_dump_varint(pyro_dump_writer_t *w, pyro_dump_bytes_t *bytes,
    uint64_t v);
static void pyro_dump_append(pyro_dump_writer_t *w, pyro_dump_bytes_t *bytes,
    const void *data, size_t len);
static uint32_t pyro_dump_given(pyro_dump_writer_t *w, int list);
static void pyro_dump_pairs(pyro_dump_writer_t *w, int list,
    const pyro_labels_t *labels);
static void pyro_dump_section(pyro_dump_writer_t *w,
    const pyro_section_t *section);


int
pyro_dump_bytes_grow(pyro_dump_bytes_t *bytes, size_t n)
{
    size_t    cap;
    uint8_t  *data;

    if (n <= bytes->cap - bytes->len) {
        return 0;
    }

    cap = bytes->cap ? bytes->cap : 4096;

    while (cap - bytes->len < n) {

        if (cap > SIZE_MAX / 2) {
            return -1;
        }

        cap *= 2;
    }

    data = realloc(bytes->data, cap);

    if (data == NULL) {
        return -1;
    }

    bytes->data = data;
    bytes->cap = cap;

    return 0;
}


void
pyro_dump_begin(pyro_dump_writer_t *w, pyro_dump_write_pt write, void *ctx)
{
    memset(w, 0, sizeof(pyro_dump_writer_t));

    w->write = write;
    w->ctx = ctx;

    if (write(ctx, PYRO_DUMP_HEADER, strlen(PYRO_DUMP_HEADER))) {
        w->failed = errno;
    }
}


void
pyro_dump_scope(pyro_dump_writer_t *w, pyro_slice_t tenant)
{
    int  i;

    pyro_arena_destroy(w->arena);
    w->arena = pyro_arena_create(0);

    if (w->arena == NULL) {
        w->failed = ENOMEM;
        return;
    }

    pyro_intern_init(&w->strings, w->arena);

    for (i = 0; i < PYRO_DUMP_LISTS; i++) {
        w->lists[i].len = 0;
        w->waiting[i] = 0;
        w->given[i] = 0;
    }

    pyro_dump_block_begin(w);
    pyro_dump_append(w, &w->block, tenant.data, tenant.len);
    pyro_dump_block(w, 'S');
}


static uint8_t *
pyro_dump_room(pyro_dump_writer_t *w, pyro_dump_bytes_t *bytes, size_t n)
{
    if (w->failed) {
        return NULL;
    }

    if (pyro_dump_bytes_grow(bytes, n)) {
        w->failed = ENOMEM;
        return NULL;
    }

    return bytes->data + bytes->len;
}


static void
pyro_dump_varint(pyro_dump_writer_t *w, pyro_dump_bytes_t *bytes, uint64_t v)
{
    uint8_t  *p;

    p = pyro_dump_room(w, bytes, PYRO_VARINT_MAX);

    if (p != NULL) {
        bytes->len += (size_t) (pyro_put_varint(p, v) - p);
    }
}


static void
pyro_dump_append(pyro_dump_writer_t *w, pyro_dump_bytes_t *bytes,
    const void *data, size_t len)
{
    uint8_t  *p;

    p = len ? pyro_dump_room(w, bytes, len) : NULL;

    if (p != NULL) {
        memcpy(p, data, len);
        bytes->len += len;
    }
}


/* The number of a new entry of a list, from 0. */
static uint32_t
pyro_dump_given(pyro_dump_writer_t *w, int list)
{
    w->waiting[list]++;

    return w->given[list]++;
}


uint32_t
pyro_dump_string(pyro_dump_writer_t *w, pyro_slice_t s)
{
    uint32_t  n, id;

    if (s.len == 0 || w->failed) {
        return 0;
    }

    n = w->strings.n;
    id = pyro_intern(&w->strings, s, 1);

    if (id == PYRO_NONE) {
        w->failed = ENOMEM;
        return 0;
    }

    if (id == n) {
        (void) pyro_dump_given(w, PYRO_DUMP_STRINGS);
        pyro_dump_varint(w, &w->lists[PYRO_DUMP_STRINGS], s.len);
        pyro_dump_append(w, &w->lists[PYRO_DUMP_STRINGS], s.data, s.len);
    }

    return id + 1;
}


uint32_t
pyro_dump_frame(pyro_dump_writer_t *w, pyro_slice_t function,
    pyro_slice_t file, uint32_t line, uint32_t start_line)
{
    uint32_t            ids[2];
    pyro_dump_bytes_t  *list;

    ids[0] = pyro_dump_string(w, function);
    ids[1] = pyro_dump_string(w, file);
    list = &w->lists[PYRO_DUMP_FRAMES];

    pyro_dump_varint(w, list, ids[0]);
    pyro_dump_varint(w, list, ids[1]);
    pyro_dump_varint(w, list, line);
    pyro_dump_varint(w, list, start_line);

    return pyro_dump_given(w, PYRO_DUMP_FRAMES);
}


uint32_t
pyro_dump_node(pyro_dump_writer_t *w, uint32_t parent, uint32_t frame)
{
    uint32_t            number;
    pyro_dump_bytes_t  *list;

    number = pyro_dump_given(w, PYRO_DUMP_NODES) + 1;
    list = &w->lists[PYRO_DUMP_NODES];

    pyro_dump_varint(w, list, number - parent);
    pyro_dump_varint(w, list, frame);

    return number;
}


uint32_t
pyro_dump_type(pyro_dump_writer_t *w, const pyro_profile_column_t *column)
{
    int                  i;
    const pyro_slice_t  *five[5];

    five[0] = &column->type.name;
    five[1] = &column->type.sample_type;
    five[2] = &column->type.sample_unit;
    five[3] = &column->type.period_type;
    five[4] = &column->type.period_unit;

    for (i = 0; i < 5; i++) {
        pyro_dump_varint(w, &w->lists[PYRO_DUMP_TYPES],
                         pyro_dump_string(w, *five[i]));
    }

    pyro_dump_pairs(w, PYRO_DUMP_TYPES, &column->extra);

    return pyro_dump_given(w, PYRO_DUMP_TYPES);
}


uint32_t
pyro_dump_labels(pyro_dump_writer_t *w, const pyro_labels_t *labels)
{
    pyro_dump_pairs(w, PYRO_DUMP_LABELS, labels);

    return pyro_dump_given(w, PYRO_DUMP_LABELS);
}


static void
pyro_dump_pairs(pyro_dump_writer_t *w, int list, const pyro_labels_t *labels)
{
    uint32_t  i;

    pyro_dump_varint(w, &w->lists[list], labels->n);

    for (i = 0; i < labels->n; i++) {
        pyro_dump_varint(w, &w->lists[list],
                         pyro_dump_string(w, labels->items[i].name));
        pyro_dump_varint(w, &w->lists[list],
                         pyro_dump_string(w, labels->items[i].value));
    }
}


void
pyro_dump_push(pyro_dump_writer_t *w, const pyro_dump_record_t *record)
{
    uint8_t   fixed[24];
    uint32_t  i;

    pyro_dump_defined(w);
    pyro_dump_block_begin(w);

    pyro_put_be64(fixed, (uint64_t) record->time);
    pyro_dump_append(w, &w->block, fixed, 8);
    pyro_dump_varint(w, &w->block, record->duration);
    pyro_put_be64(fixed, record->digest.hi);
    pyro_put_be64(fixed + 8, record->digest.lo);
    pyro_dump_append(w, &w->block, fixed, 16);
    pyro_dump_varint(w, &w->block, record->labels);
    pyro_dump_varint(w, &w->block, record->n_spans);

    for (i = 0; i < record->n_spans; i++) {
        pyro_put_be64(fixed, record->spans[i].id);
        pyro_put_be64(fixed + 8, record->spans[i].trace_hi);
        pyro_put_be64(fixed + 16, record->spans[i].trace_lo);
        pyro_dump_append(w, &w->block, fixed, 24);
    }

    pyro_dump_varint(w, &w->block, record->n_sections);

    for (i = 0; i < record->n_sections; i++) {
        pyro_dump_section(w, &record->sections[i]);
    }

    pyro_dump_block(w, 'P');
    w->pushes++;
}


static void
pyro_dump_section(pyro_dump_writer_t *w, const pyro_section_t *section)
{
    uint32_t              i, last;
    const pyro_sample_t  *sample;

    pyro_dump_varint(w, &w->block, section->type);
    pyro_dump_varint(w, &w->block, section->n);

    for (i = 0, last = 0; i < section->n; i++) {
        sample = &section->samples[i];

        pyro_dump_varint(w, &w->block, sample->node - last);
        pyro_dump_varint(w, &w->block, sample->span);
        pyro_dump_varint(w, &w->block, sample->value);

        last = sample->node;
    }
}


/* What has been defined since the last block of that kind. */
static void
pyro_dump_defined(pyro_dump_writer_t *w)
{
    int  i, some;

    for (i = 0, some = 0; i < PYRO_DUMP_LISTS; i++) {
        some |= w->waiting[i] != 0;
    }

    if (!some) {
        return;
    }

    pyro_dump_block_begin(w);

    for (i = 0; i < PYRO_DUMP_LISTS; i++) {
        pyro_dump_varint(w, &w->block, w->waiting[i]);
        pyro_dump_append(w, &w->block, w->lists[i].data, w->lists[i].len);

        w->lists[i].len = 0;
        w->waiting[i] = 0;
    }

    pyro_dump_block(w, 'D');
}


/* Room for kind and length, which are known at the end. */
static void
pyro_dump_block_begin(pyro_dump_writer_t *w)
{
    w->block.len = 0;

    if (pyro_dump_room(w, &w->block, 5) != NULL) {
        w->block.len = 5;
    }
}


static void
pyro_dump_block(pyro_dump_writer_t *w, uint8_t kind)
{
    size_t    len;
    uint8_t  *p;

    p = pyro_dump_room(w, &w->block, 4);

    if (p == NULL) {
        return;
    }

    len = w->block.len;

    if (len - 5 > PYRO_DUMP_BLOCK_MAX) {
        w->failed = EFBIG;
        return;
    }

    w->block.data[0] = kind;
    pyro_put_be32(w->block.data + 1, (uint32_t) (len - 5));
    pyro_put_be32(p, (uint32_t) pyro_hash64(w->block.data, len, 0));

    if (w->write(w->ctx, w->block.data, len + 4)) {
        w->failed = errno;
    }
}


pyro_status_e
pyro_dump_end(pyro_dump_writer_t *w, pyro_error_t *err)
{
    int  i;

    pyro_dump_block_begin(w);
    pyro_dump_varint(w, &w->block, w->pushes);
    pyro_dump_block(w, 'E');

    for (i = 0; i < PYRO_DUMP_LISTS; i++) {
        free(w->lists[i].data);
    }

    free(w->block.data);
    pyro_arena_destroy(w->arena);

    if (w->failed == ENOMEM) {
        return pyro_error_memory(err);
    }

    if (w->failed == EFBIG) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_STORE,
                              "a push takes more than %d bytes in a dump",
                              PYRO_DUMP_BLOCK_MAX);
    }

    return w->failed
           ? pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                            "the dump cannot be written: %s",
                            strerror(w->failed))
           : PYRO_OK;
}
