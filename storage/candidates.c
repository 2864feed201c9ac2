#include "storage/candidates.h"

#include <stdlib.h>

#include "core/model/profile_type.h"
#include "storage/dict.h"


static pyro_status_e pyro_candidates_indexed(pyro_read_t *read,
    const pyro_selector_t *selector, pyro_stream_ids_t *ids, int *indexed);
static int pyro_candidates_is_indexed(const pyro_matcher_t *matcher);
static pyro_status_e pyro_candidates_matcher(pyro_read_t *read,
    const pyro_matcher_t *matcher, pyro_stream_ids_t *ids);
static pyro_status_e pyro_candidates_value(pyro_read_t *read, uint32_t name,
    pyro_slice_t text, pyro_stream_ids_t *ids);
static pyro_status_e pyro_candidates_all(pyro_read_t *read,
    pyro_stream_ids_t *ids);
static pyro_status_e pyro_candidates_walk(pyro_read_t *read,
    pyro_stream_ids_t *ids);
static void pyro_candidates_unique(pyro_stream_ids_t *ids);
static int pyro_candidates_id_cmp(const void *one, const void *two);


pyro_status_e
pyro_candidates(pyro_read_t *read, const pyro_selector_t *const *selectors,
    uint32_t n, pyro_stream_ids_t *ids)
{
    int                indexed;
    uint32_t           i;
    pyro_status_e      status;
    pyro_stream_ids_t  some;

    for (i = 0; i < n; i++) {
        memset(&some, 0, sizeof(pyro_stream_ids_t));
        indexed = 0;
        status = PYRO_OK;

        if (selectors[i] != NULL) {
            status = pyro_candidates_indexed(read, selectors[i], &some,
                                             &indexed);
        }

        if (status == PYRO_OK && !indexed) {
            ids->n = 0;
            return pyro_candidates_all(read, ids);
        }

        if (status == PYRO_OK
            && pyro_arena_grow(read->query->arena, &ids->ids, &ids->cap,
                               ids->n + some.n, sizeof(uint32_t)))
        {
            status = pyro_error_memory(read->view.err);
        }

        if (status != PYRO_OK) {
            return status;
        }

        if (some.n) {
            memcpy(ids->ids + ids->n, some.ids, some.n * sizeof(uint32_t));
            ids->n += some.n;
        }
    }

    if (n > 1) {
        pyro_candidates_unique(ids);
    }

    return PYRO_OK;
}


pyro_slice_t
pyro_candidates_name(pyro_slice_t name)
{
    return pyro_slice_is(name, "__service_name__") ? PYRO_SLICE("service_name")
                                                   : name;
}


static pyro_status_e
pyro_candidates_indexed(pyro_read_t *read, const pyro_selector_t *selector,
    pyro_stream_ids_t *ids, int *indexed)
{
    uint32_t                i;
    pyro_status_e           status;
    pyro_stream_ids_t       more;
    const pyro_matcher_t   *matcher;

    for (i = 0; i < selector->n; i++) {
        matcher = &selector->items[i];

        if (!pyro_candidates_is_indexed(matcher)) {
            continue;
        }

        memset(&more, 0, sizeof(pyro_stream_ids_t));
        status = pyro_candidates_matcher(read, matcher, &more);

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


/* 1 if what it matches are values that lists are there of. */
static int
pyro_candidates_is_indexed(const pyro_matcher_t *matcher)
{
    return !pyro_profile_type_owns(matcher->name)
           && ((matcher->op == PYRO_MATCH_EQUAL && matcher->value.len)
               || (matcher->op == PYRO_MATCH_REGEX && matcher->n_literals));
}


static pyro_status_e
pyro_candidates_matcher(pyro_read_t *read, const pyro_matcher_t *matcher,
    pyro_stream_ids_t *ids)
{
    uint32_t       i, name;
    pyro_status_e  status;

    status = pyro_dict_find(&read->view, pyro_candidates_name(matcher->name),
                            &name);

    if (status == PYRO_OK && matcher->op == PYRO_MATCH_EQUAL) {
        return pyro_candidates_value(read, name, matcher->value, ids);
    }

    for (i = 0; status == PYRO_OK && i < matcher->n_literals; i++) {
        status = pyro_candidates_value(read, name, matcher->literals[i], ids);
    }

    if (status == PYRO_OK) {
        pyro_candidates_unique(ids);
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


/* Nobody has the value: no list. */
static pyro_status_e
pyro_candidates_value(pyro_read_t *read, uint32_t name, pyro_slice_t text,
    pyro_stream_ids_t *ids)
{
    uint32_t       value;
    pyro_status_e  status;

    status = pyro_dict_find(&read->view, text, &value);

    if (status == PYRO_NOT_FOUND) {
        return PYRO_OK;
    }

    return status == PYRO_OK
           ? pyro_postings_read(&read->view, read->query->arena, read->tenant,
                                name, value, ids)
           : status;
}


/*
 * Tenants are told apart when the streams are read.  Where no id is missing,
 * which only a deletion makes, they need not be looked for.
 */
static pyro_status_e
pyro_candidates_all(pyro_read_t *read, pyro_stream_ids_t *ids)
{
    int              rc;
    uint32_t         i;
    pyro_ids_t       last;
    pyro_kv_stat_t   stat;
    pyro_status_e    status;

    status = pyro_view_ids(&read->view, &last);

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_kv_stat(read->view.txn,
                      read->view.part->dbi[PYRO_DB_STREAM], &stat);

    if (rc) {
        return pyro_env_error(read->view.part->env, rc, "be read",
                              read->view.err);
    }

    if (stat.entries != last.stream) {
        return pyro_candidates_walk(read, ids);
    }

    if (pyro_arena_grow(read->query->arena, &ids->ids, &ids->cap, last.stream,
                        sizeof(uint32_t)))
    {
        return pyro_error_memory(read->view.err);
    }

    for (i = 1; i <= last.stream; i++) {
        ids->ids[ids->n++] = i;
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_candidates_walk(pyro_read_t *read, pyro_stream_ids_t *ids)
{
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&read->view, PYRO_DB_STREAM, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&read->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len != 4) {
            status = pyro_env_damaged(read->view.part->env, "stream key",
                                      ids->n, read->view.err);
            break;
        }

        if (pyro_arena_grow(read->query->arena, &ids->ids, &ids->cap,
                            ids->n + 1, sizeof(uint32_t)))
        {
            status = pyro_error_memory(read->view.err);
            break;
        }

        ids->ids[ids->n++] = pyro_get_be32((const uint8_t *) key.data);
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static void
pyro_candidates_unique(pyro_stream_ids_t *ids)
{
    uint32_t  i, n;

    if (ids->n == 0) {
        return;
    }

    qsort(ids->ids, ids->n, sizeof(uint32_t), pyro_candidates_id_cmp);

    for (i = 1, n = 1; i < ids->n; i++) {
        if (ids->ids[i] != ids->ids[n - 1]) {
            ids->ids[n++] = ids->ids[i];
        }
    }

    ids->n = n;
}


static int
pyro_candidates_id_cmp(const void *one, const void *two)
{
    const uint32_t  *a = one, *b = two;

    return (*a > *b) - (*a < *b);
}
