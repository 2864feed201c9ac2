#include "storage/distinct.h"

#include "storage/dict.h"


pyro_status_e
pyro_distinct_begin(pyro_distinct_t *d, const pyro_read_t *read)
{
    uint32_t       i;
    pyro_ids_t     ids;
    pyro_slice_t   label;
    pyro_status_e  status;

    memset(d, 0, sizeof(pyro_distinct_t));
    d->what = read->query->distinct;

    if (d->what == PYRO_DISTINCT_SERIES) {
        return PYRO_OK;
    }

    d->by_string = d->what != PYRO_DISTINCT_TYPES;
    d->by_type = d->what != PYRO_DISTINCT_VALUES;

    if (d->what == PYRO_DISTINCT_VALUES) {
        label = read->query->label;

        for (i = 0; i < read->ptypes.n; i++) {
            d->by_type |= pyro_labels_get(&read->type_labels[i], label).len
                          != 0;
        }

        if (pyro_slice_is(label, "__service_name__")) {
            label = PYRO_SLICE("service_name");
        }

        status = pyro_dict_find(&read->view, label, &d->name);

        if (status == PYRO_NOT_FOUND) {
            d->by_string = 0;

        } else if (status != PYRO_OK) {
            return status;
        }
    }

    status = pyro_view_ids(&read->view, &ids);

    if (status != PYRO_OK) {
        return status;
    }

    d->n_strings = ids.string + 1;
    d->n_types = read->ptypes.n;
    d->strings = pyro_arena_calloc(read->query->arena,
                                   (size_t) d->n_strings / 8 + 1, 1);
    d->types = pyro_arena_calloc(read->query->arena, d->n_types + 1, 1);

    return d->strings == NULL || d->types == NULL
           ? pyro_error_memory(read->view.err) : PYRO_OK;
}


int
pyro_distinct_is_indexed(const pyro_distinct_t *d)
{
    return d->what == PYRO_DISTINCT_VALUES && d->by_string && !d->by_type;
}


/* What came while the query ran counts as not seen. */
int
pyro_distinct_has(const pyro_distinct_t *d, uint32_t string)
{
    return string < d->n_strings
           && (d->strings[string / 8] & 1 << string % 8) != 0;
}


int
pyro_distinct_adds(const pyro_distinct_t *d, const pyro_stream_value_t *stream)
{
    uint32_t      i, id, name, value;
    pyro_bytes_t  in;

    if (d->what == PYRO_DISTINCT_SERIES) {
        return 1;
    }

    in = stream->ptypes;

    for (i = 0, id = 0; d->by_type && i < stream->n_ptypes; i++) {
        id += pyro_take_known(&in);

        if (id > d->n_types || !d->types[id - 1]) {
            return 1;
        }
    }

    in = stream->labels;

    for (i = 0; d->by_string && i < stream->n_labels; i++) {
        name = pyro_take_known(&in);
        value = pyro_take_known(&in);

        if (d->what == PYRO_DISTINCT_NAMES
            ? !pyro_distinct_has(d, name)
            : name == d->name && !pyro_distinct_has(d, value))
        {
            return 1;
        }
    }

    return 0;
}


void
pyro_distinct_mark(pyro_distinct_t *d, const pyro_stream_value_t *stream,
    const uint8_t *types)
{
    uint32_t      i, name, value, seen;
    pyro_bytes_t  in;

    if (d->what == PYRO_DISTINCT_SERIES) {
        return;
    }

    for (i = 0; i < d->n_types; i++) {
        d->types[i] |= types[i];
    }

    in = stream->labels;

    for (i = 0; i < stream->n_labels; i++) {
        name = pyro_take_known(&in);
        value = pyro_take_known(&in);

        if (d->what != PYRO_DISTINCT_NAMES && name != d->name) {
            continue;
        }

        seen = d->what == PYRO_DISTINCT_NAMES ? name : value;

        if (seen < d->n_strings) {
            d->strings[seen / 8] |= (uint8_t) (1 << seen % 8);
        }
    }
}
