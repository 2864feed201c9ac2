#include "core/model/app_name.h"


#define PYRO_APP_NAME_SHOW  64      /* bytes of the text that a message shows */


typedef struct {
    pyro_arena_t  *arena;
    pyro_label_t  *items;
    uint32_t       n;
    uint32_t       cap;
    pyro_slice_t   app;
} pyro_app_name_t;


static pyro_status_e pyro_app_name_check(pyro_slice_t text, const char *what,
    const char *allowed, pyro_error_t *err);
static pyro_status_e pyro_app_name_pairs(pyro_app_name_t *name,
    pyro_slice_t text, pyro_error_t *err);
static pyro_status_e pyro_app_name_pair(pyro_app_name_t *name,
    pyro_slice_t key, pyro_slice_t value, pyro_error_t *err);
static int pyro_app_name_add(pyro_app_name_t *name, pyro_slice_t key,
    pyro_slice_t value);
static pyro_status_e pyro_app_name_finish(pyro_app_name_t *name,
    pyro_slice_t spy, pyro_labels_t *labels, pyro_error_t *err);


pyro_status_e
pyro_app_name_parse(pyro_arena_t *arena, pyro_slice_t text, pyro_slice_t spy,
    pyro_labels_t *labels, pyro_error_t *err)
{
    size_t            len;
    const char       *brace;
    pyro_status_e     rc;
    pyro_app_name_t   name;

    memset(&name, 0, sizeof(pyro_app_name_t));

    name.arena = arena;

    brace = text.len ? memchr(text.data, '{', text.len) : NULL;
    len = brace != NULL ? (size_t) (brace - text.data) : text.len;

    name.app = pyro_slice_trim(pyro_slice(text.data, len));

    rc = pyro_app_name_check(name.app, "service", "_.-/", err);

    if (rc == PYRO_OK && brace != NULL) {
        rc = pyro_app_name_pairs(&name, pyro_slice(brace + 1,
                                                   text.len - len - 1), err);
    }

    if (rc != PYRO_OK) {
        return rc;
    }

    return pyro_app_name_finish(&name, spy, labels, err);
}


/* A name of letters, digits and the allowed others, and not an empty one. */
static pyro_status_e
pyro_app_name_check(pyro_slice_t text, const char *what, const char *allowed,
    pyro_error_t *err)
{
    char    c;
    size_t  i;

    if (text.len == 0) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "name: %s name is required", what);
    }

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9')
            || (c != '\0' && strchr(allowed, c) != NULL))
        {
            continue;
        }

        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "name: invalid %s name: %.*s: character is not "
                              "allowed: '%c'", what,
                              (int) (text.len < PYRO_APP_NAME_SHOW
                                     ? text.len : PYRO_APP_NAME_SHOW),
                              text.data, c ? c : '?');
    }

    return PYRO_OK;
}


/*
 * The reference reads this text a character at a time, and its habits are kept
 * because clients rely on them: a brace that closes a key ends everything, one
 * that closes a value does not, and a value that nothing closes is dropped.
 */
static pyro_status_e
pyro_app_name_pairs(pyro_app_name_t *name, pyro_slice_t text,
    pyro_error_t *err)
{
    size_t         i, start;
    pyro_slice_t   key;
    pyro_status_e  rc;

    for (i = 0; i < text.len; i++) {

        start = i;

        while (i < text.len && text.data[i] != '=' && text.data[i] != '}') {
            i++;
        }

        if (i == text.len || text.data[i] == '}') {
            break;
        }

        key = pyro_slice_trim(pyro_slice(text.data + start, i - start));
        start = ++i;

        while (i < text.len && text.data[i] != ',' && text.data[i] != '}') {
            i++;
        }

        if (i == text.len) {
            break;
        }

        rc = pyro_app_name_pair(name, key,
                                pyro_slice_trim(pyro_slice(text.data + start,
                                                           i - start)), err);

        if (rc != PYRO_OK) {
            return rc;
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_app_name_pair(pyro_app_name_t *name, pyro_slice_t key, pyro_slice_t value,
    pyro_error_t *err)
{
    pyro_status_e  rc;

    rc = pyro_app_name_check(key, "label", "_.", err);

    if (rc != PYRO_OK) {
        return rc;
    }

    if (pyro_slice_is(key, "__name__")) {

        if (value.len) {
            name->app = value;
        }

        return PYRO_OK;
    }

    if (pyro_slice_starts(key, PYRO_SLICE("__"))) {
        return PYRO_OK;
    }

    if (pyro_app_name_add(name, key, value)) {
        return pyro_error_memory(err);
    }

    return PYRO_OK;
}


static int
pyro_app_name_add(pyro_app_name_t *name, pyro_slice_t key, pyro_slice_t value)
{
    if (pyro_arena_grow(name->arena, &name->items, &name->cap,
                        (size_t) name->n + 1, sizeof(pyro_label_t)))
    {
        return -1;
    }

    name->items[name->n].name = key;
    name->items[name->n].value = value;
    name->n++;

    return 0;
}


static pyro_status_e
pyro_app_name_finish(pyro_app_name_t *name, pyro_slice_t spy,
    pyro_labels_t *labels, pyro_error_t *err)
{
    const char     *own;
    pyro_slice_t    value;
    pyro_labels_t   given;

    name->n = pyro_labels_sort(name->items, name->n);

    given.items = name->items;
    given.n = name->n;

    own = "service_name";
    value = pyro_labels_get(&given, PYRO_SLICE("app_name"));

    if (pyro_labels_get(&given, PYRO_SLICE("service_name")).len) {
        own = value.len ? NULL : "app_name";
    }

    if (own != NULL
        && pyro_app_name_add(name, pyro_slice_str(own), name->app))
    {
        return pyro_error_memory(err);
    }

    if (spy.len == 0) {
        spy = PYRO_SLICE("unknown");
    }

    if (pyro_app_name_add(name, PYRO_SLICE("pyroscope_spy"), spy)) {
        return pyro_error_memory(err);
    }

    labels->items = name->items;
    labels->n = pyro_labels_sort(name->items, name->n);

    return PYRO_OK;
}
