#include "core/model/profile_type.h"


#define PYRO_TYPE_PIECES  5
#define PYRO_TYPE_SHOW    128       /* bytes of an id that a message shows */


static const char  *pyro_type_labels[] = {
    "__name__", "__period_type__", "__period_unit__", "__profile_type__",
    "__type__", "__unit__", "jfr_engine", "jfr_event"
};


pyro_status_e
pyro_profile_type_parse(pyro_slice_t id, pyro_profile_type_t *type,
    pyro_error_t *err)
{
    size_t         i, start;
    uint32_t       n;
    pyro_slice_t  *pieces[] = { &type->name, &type->sample_type,
                                &type->sample_unit, &type->period_type,
                                &type->period_unit };

    n = 0;
    start = 0;

    for (i = 0; i <= id.len; i++) {

        if (i < id.len && id.data[i] != ':') {
            continue;
        }

        if (n < PYRO_TYPE_PIECES) {
            *pieces[n] = pyro_slice(id.data + start, i - start);
        }

        start = i + 1;
        n++;
    }

    if (n != PYRO_TYPE_PIECES && n != PYRO_TYPE_PIECES + 1) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "profile type \"%.*s\": expected "
                              "name:sample_type:sample_unit:period_type:"
                              "period_unit, got %u pieces",
                              (int) (id.len < PYRO_TYPE_SHOW ? id.len
                                                             : PYRO_TYPE_SHOW),
                              id.data, n);
    }

    return PYRO_OK;
}


pyro_slice_t
pyro_profile_type_id(pyro_arena_t *arena, const pyro_profile_type_t *type)
{
    char                *p, *data;
    size_t               i, len;
    const pyro_slice_t  *pieces[] = { &type->name, &type->sample_type,
                                      &type->sample_unit, &type->period_type,
                                      &type->period_unit };

    len = PYRO_TYPE_PIECES - 1;

    for (i = 0; i < PYRO_TYPE_PIECES; i++) {
        len += pieces[i]->len;
    }

    data = pyro_arena_alloc(arena, len + 1);

    if (data == NULL) {
        return pyro_slice(NULL, 0);
    }

    p = data;

    for (i = 0; i < PYRO_TYPE_PIECES; i++) {

        if (pieces[i]->len) {
            memcpy(p, pieces[i]->data, pieces[i]->len);
            p += pieces[i]->len;
        }

        *p++ = i < PYRO_TYPE_PIECES - 1 ? ':' : '\0';
    }

    return pyro_slice(data, len);
}


int
pyro_profile_type_owns(pyro_slice_t label)
{
    size_t  i;

    for (i = 0; i < sizeof(pyro_type_labels) / sizeof(char *); i++) {
        if (pyro_slice_is(label, pyro_type_labels[i])) {
            return 1;
        }
    }

    return 0;
}


int
pyro_profile_type_labels(pyro_arena_t *arena, const pyro_profile_type_t *type,
    const pyro_labels_t *extra, pyro_labels_t *out)
{
    pyro_slice_t   id;
    pyro_label_t   items[] = {
        { PYRO_SLICE("__name__"),         type->name },
        { PYRO_SLICE("__period_type__"),  type->period_type },
        { PYRO_SLICE("__period_unit__"),  type->period_unit },
        { PYRO_SLICE("__profile_type__"), { NULL, 0 } },
        { PYRO_SLICE("__type__"),         type->sample_type },
        { PYRO_SLICE("__unit__"),         type->sample_unit },
    };
    pyro_labels_t  own;

    id = pyro_profile_type_id(arena, type);

    if (id.data == NULL) {
        return -1;
    }

    items[3].value = id;

    own.items = items;
    own.n = pyro_labels_sort(items, sizeof(items) / sizeof(pyro_label_t));

    return pyro_labels_merge(arena, &own, extra, out);
}
