#include "storage/ptypes.h"

#include "storage/dict.h"


static pyro_status_e pyro_ptypes_read(const pyro_view_t *view,
    pyro_arena_t *arena, pyro_slice_t in, pyro_profile_column_t *column);
static pyro_status_e pyro_ptypes_text(const pyro_view_t *view,
    pyro_arena_t *arena, pyro_bytes_t *in, pyro_slice_t *text);


pyro_status_e
pyro_ptypes_load(const pyro_view_t *view, pyro_arena_t *arena,
    pyro_ptypes_t *ptypes)
{
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    memset(ptypes, 0, sizeof(pyro_ptypes_t));
    key = pyro_slice(NULL, 0);

    status = pyro_view_cursor(view, PYRO_DB_PTYPE, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    for ( ;; ) {
        status = pyro_view_seek(view, cursor, PYRO_KV_NEXT, &key, &value);

        if (status != PYRO_OK) {
            break;
        }

        /* ids are dense, so position and id are the same */

        if (key.len != 2 || pyro_get_be16((const uint8_t *) key.data)
                            != ptypes->n + 1)
        {
            status = pyro_env_damaged(view->part->env, "ptype", ptypes->n + 1,
                                      view->err);
            break;
        }

        if (pyro_arena_grow(arena, &ptypes->items, &ptypes->cap, ptypes->n + 1,
                            sizeof(pyro_profile_column_t)))
        {
            status = pyro_error_memory(view->err);
            break;
        }

        status = pyro_ptypes_read(view, arena, value,
                                  &ptypes->items[ptypes->n]);

        if (status != PYRO_OK) {
            break;
        }

        ptypes->n++;
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_ptypes_read(const pyro_view_t *view, pyro_arena_t *arena, pyro_slice_t in,
    pyro_profile_column_t *column)
{
    uint32_t       i, n;
    pyro_bytes_t   bytes;
    pyro_label_t  *label;
    pyro_slice_t  *five[5];
    pyro_status_e  status;

    five[0] = &column->type.name;
    five[1] = &column->type.sample_type;
    five[2] = &column->type.sample_unit;
    five[3] = &column->type.period_type;
    five[4] = &column->type.period_unit;

    bytes = pyro_bytes(in.data, in.len);
    status = PYRO_OK;

    for (i = 0; i < 5 && status == PYRO_OK; i++) {
        status = pyro_ptypes_text(view, arena, &bytes, five[i]);
    }

    if (status != PYRO_OK) {
        return status;
    }

    if (pyro_take_u32(&bytes, &n) || n > (size_t) (bytes.end - bytes.p) / 2) {
        return pyro_env_damaged(view->part->env, "extra labels of a ptype", 0,
                                view->err);
    }

    column->extra.n = n;
    column->extra.items = pyro_arena_calloc(arena, n, sizeof(pyro_label_t));

    if (column->extra.items == NULL) {
        return pyro_error_memory(view->err);
    }

    for (i = 0; i < n && status == PYRO_OK; i++) {
        label = &column->extra.items[i];
        status = pyro_ptypes_text(view, arena, &bytes, &label->name);

        if (status == PYRO_OK) {
            status = pyro_ptypes_text(view, arena, &bytes, &label->value);
        }
    }

    return status;
}


static pyro_status_e
pyro_ptypes_text(const pyro_view_t *view, pyro_arena_t *arena,
    pyro_bytes_t *in, pyro_slice_t *text)
{
    uint32_t       id;
    pyro_slice_t   stored;
    pyro_status_e  status;

    if (pyro_take_u32(in, &id)) {
        return pyro_env_damaged(view->part->env, "a string of a ptype", 0,
                                view->err);
    }

    status = pyro_dict_text(view, id, &stored);

    if (status != PYRO_OK) {
        return status;
    }

    *text = pyro_arena_dup(arena, stored);

    return text->data ? PYRO_OK : pyro_error_memory(view->err);
}


uint32_t
pyro_ptypes_find(const pyro_ptypes_t *ptypes,
    const pyro_profile_column_t *column)
{
    uint32_t                    i;
    const pyro_profile_type_t  *a, *b;

    b = &column->type;

    for (i = 0; i < ptypes->n; i++) {
        a = &ptypes->items[i].type;

        if (pyro_slice_eq(a->name, b->name)
            && pyro_slice_eq(a->sample_type, b->sample_type)
            && pyro_slice_eq(a->sample_unit, b->sample_unit)
            && pyro_slice_eq(a->period_type, b->period_type)
            && pyro_slice_eq(a->period_unit, b->period_unit)
            && pyro_labels_cmp(&ptypes->items[i].extra, &column->extra) == 0)
        {
            return i + 1;
        }
    }

    return PYRO_NONE;
}
