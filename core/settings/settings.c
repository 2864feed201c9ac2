#include "core/settings/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/utf8.h"
#include "core/settings/apply.h"
#include "core/settings/known.h"
#include "core/settings/reader.h"


#define PYRO_IGNORED_MAX  1024      /* bytes of settings->ignored */


static pyro_status_e pyro_settings_walk(pyro_settings_reader_t *reader,
    pyro_yaml_node_t *root);
static pyro_status_e pyro_settings_node(pyro_settings_reader_t *reader,
    pyro_yaml_node_t *node, int *section);
static pyro_status_e pyro_settings_unknown(pyro_settings_reader_t *reader,
    pyro_yaml_node_t *node);
static pyro_status_e pyro_settings_value(pyro_settings_reader_t *reader,
    const pyro_key_t *key, pyro_yaml_node_t *node, pyro_error_t *err);
static pyro_status_e pyro_settings_check(pyro_settings_reader_t *reader);
static pyro_status_e pyro_settings_refuse(pyro_settings_reader_t *reader,
    const char *section, const char *key, const char *text);
static pyro_yaml_node_t *pyro_settings_child(const pyro_yaml_node_t *map,
    const char *key);


pyro_status_e
pyro_settings_read(pyro_arena_t *arena, const char *file,
    pyro_settings_t *settings, pyro_error_t *err)
{
    char           *data;
    size_t          len;
    pyro_status_e   rc;

    rc = pyro_settings_load(file, &data, &len, err);

    if (rc == PYRO_OK) {
        rc = pyro_settings_parse(arena, file, pyro_slice(data, len), settings,
                                 err);
        free(data);
    }

    return rc;
}


pyro_status_e
pyro_settings_load(const char *file, char **data, size_t *len,
    pyro_error_t *err)
{
    FILE  *fp;

    fp = fopen(file, "re");

    if (fp == NULL) {
        return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                              "%s: cannot be opened: %s", file,
                              strerror(errno));
    }

    *data = malloc(PYRO_YAML_SIZE_MAX + 1);

    if (*data == NULL) {
        fclose(fp);
        return pyro_error_memory(err);
    }

    /* one byte more than allowed tells a file that is too large */

    *len = fread(*data, 1, PYRO_YAML_SIZE_MAX + 1, fp);

    if (ferror(fp)) {
        (void) pyro_error_set(err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                              "%s: cannot be read: %s", file, strerror(errno));
        fclose(fp);
        free(*data);
        return PYRO_INVALID;
    }

    fclose(fp);

    return PYRO_OK;
}


pyro_status_e
pyro_settings_parse(pyro_arena_t *arena, const char *file, pyro_slice_t text,
    pyro_settings_t *settings, pyro_error_t *err)
{
    pyro_status_e           rc;
    pyro_settings_reader_t  reader;

    memset(settings, 0, sizeof(pyro_settings_t));
    memset(&reader, 0, sizeof(pyro_settings_reader_t));

    reader.arena = arena;
    reader.err = err;
    reader.settings = settings;
    reader.file = file;

    pyro_apply_defaults(settings);

    rc = pyro_yaml_parse(arena, file, text, &reader.root, err);

    if (rc == PYRO_OK) {
        rc = pyro_settings_walk(&reader, reader.root);
    }

    if (rc == PYRO_OK) {
        rc = pyro_settings_check(&reader);
    }

    if (rc == PYRO_OK) {
        pyro_settings_clamp(settings);
        rc = pyro_overrides_read(&reader);
    }

    settings->variables = reader.variables.names;
    settings->n_variables = reader.variables.n;
    settings->ignored = reader.ignored;

    return rc;
}


static pyro_status_e
pyro_settings_walk(pyro_settings_reader_t *reader, pyro_yaml_node_t *root)
{
    int                section;
    pyro_status_e      rc;
    pyro_yaml_node_t  *node;

    if (root->type == PYRO_YAML_SCALAR
        && pyro_yaml_is_null(root->text, root->plain))
    {
        return PYRO_OK;
    }

    if (root->type != PYRO_YAML_MAP) {
        return pyro_error_set(reader->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                              "%s:%u: the file must be a map of sections",
                              reader->file, root->line);
    }

    for (node = root->first; node != NULL; node = node->next) {
        rc = pyro_settings_node(reader, node, &section);

        if (rc != PYRO_OK) {
            return rc;
        }

        while (section && node->first != NULL) {
            node = node->first;
            rc = pyro_settings_node(reader, node, &section);

            if (rc != PYRO_OK) {
                return rc;
            }
        }

        while (node->next == NULL && node->parent != root) {
            node = node->parent;
        }
    }

    return PYRO_OK;
}


/* section: the node's children are to be read as well */

static pyro_status_e
pyro_settings_node(pyro_settings_reader_t *reader, pyro_yaml_node_t *node,
    int *section)
{
    const pyro_key_t  *key;

    *section = 0;
    pyro_yaml_path(node, reader->path);

    /* "a.b: 1" would pass for b in a, and twice so */

    if (memchr(node->key.data, '.', node->key.len) != NULL
        || memchr(node->key.data, '\0', node->key.len) != NULL)
    {
        return pyro_settings_unknown(reader, node);
    }

    key = pyro_key_find(reader->path);

    if (key != NULL) {
        return pyro_settings_key(reader, key, node);
    }

    if (pyro_known_is_section(reader->path)) {
        *section = 1;

        if (node->type == PYRO_YAML_MAP
            || (node->type == PYRO_YAML_SCALAR
                && pyro_yaml_is_null(node->text, node->plain)))
        {
            return PYRO_OK;
        }

        return pyro_settings_error(reader, node, "must be a map of keys");
    }

    if (pyro_known_has(reader->path)) {
        return pyro_settings_ignore(reader);
    }

    return pyro_settings_unknown(reader, node);
}


static pyro_status_e
pyro_settings_unknown(pyro_settings_reader_t *reader, pyro_yaml_node_t *node)
{
    char  near[PYRO_KNOWN_PATH_MAX], text[PYRO_ERROR_MESSAGE_MAX];

    pyro_known_nearest(reader->path, near, sizeof(near));

    if (near[0] == '\0') {
        return pyro_settings_error(reader, node, "is not a known key");
    }

    if (strcmp(near, reader->path) == 0) {
        return pyro_settings_error(reader, node, "is not a known key; what is "
                                   "behind a dot goes on a line of its own");
    }

    snprintf(text, sizeof(text), "is not a known key; did you mean %s?", near);

    return pyro_settings_error(reader, node, text);
}


pyro_status_e
pyro_settings_key(pyro_settings_reader_t *reader, const pyro_key_t *key,
    pyro_yaml_node_t *node)
{
    pyro_error_t   err;
    pyro_status_e  rc;

    if (key->type == PYRO_KEY_TENANTS) {
        reader->overrides = node;
        return PYRO_OK;
    }

    if (key->type == PYRO_KEY_BLANK) {
        return pyro_yaml_is_blank(node)
               ? PYRO_OK : pyro_settings_error(reader, node, key->why);
    }

    if (node->type != PYRO_YAML_SCALAR) {
        return pyro_settings_error(reader, node,
                                   node->type == PYRO_YAML_MAP
                                   ? "must be a single value, not a map"
                                   : "must be a single value, not a list");
    }

    err.message[0] = '\0';
    rc = pyro_settings_value(reader, key, node, &err);

    if (rc == PYRO_INVALID) {
        return pyro_settings_error(reader, node, err.message);
    }

    if (rc != PYRO_OK) {
        return pyro_error_memory(reader->err);
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_settings_value(pyro_settings_reader_t *reader, const pyro_key_t *key,
    pyro_yaml_node_t *node, pyro_error_t *err)
{
    pyro_slice_t   text;
    pyro_status_e  rc;

    rc = pyro_expand(reader->arena, node->text, &reader->variables, &text, err);

    if (rc != PYRO_OK || pyro_yaml_is_null(text, node->plain)) {
        return rc;
    }

    rc = pyro_apply(reader->arena, key, text, reader->settings, err);

    reader->valued = 1;

    if (rc == PYRO_OK && key->given) {
        *((uint8_t *) reader->settings + key->given) = 1;
    }

    return rc;
}


/* the path at hand into the list; what does not fit is "..." */

pyro_status_e
pyro_settings_ignore(pyro_settings_reader_t *reader)
{
    char    *p;
    size_t   len, room;

    if (reader->ignored == NULL) {
        reader->ignored = pyro_arena_calloc(reader->arena, 1, PYRO_IGNORED_MAX);

        if (reader->ignored == NULL) {
            return pyro_error_memory(reader->err);
        }
    }

    p = reader->ignored + reader->ignored_len;
    len = strlen(reader->path);
    room = PYRO_IGNORED_MAX - sizeof(", ...") - reader->ignored_len;

    if (len + 2 > room) {
        strcpy(p, ", ...");
        return PYRO_OK;
    }

    if (p != reader->ignored) {
        memcpy(p, ", ", 2);
        p += 2;
    }

    p += pyro_utf8_clean(p, len, reader->path, len);
    reader->ignored_len = (size_t) (p - reader->ignored);
    *p = '\0';

    return PYRO_OK;
}


/* Keys that would do nothing without others, or before them. */
static pyro_status_e
pyro_settings_check(pyro_settings_reader_t *reader)
{
    const pyro_settings_t  *settings;

    settings = reader->settings;

    if (settings->lmdb.seal_after == 0) {

        if (settings->lmdb.keep_raw) {
            return pyro_settings_refuse(reader, "lmdb", "keep_raw",
                                        "needs lmdb.seal_after, which is off");
        }

        if (settings->lmdb.keep_1h) {
            return pyro_settings_refuse(reader, "lmdb", "keep_1h",
                                        "needs lmdb.seal_after, which is off");
        }
    }

    if (settings->lmdb.keep_1h
        && settings->lmdb.keep_1h < settings->lmdb.keep_raw)
    {
        return pyro_settings_refuse(reader, "lmdb", "keep_1h",
                                    "is shorter than lmdb.keep_raw");
    }

    return PYRO_OK;
}


/* A key that was read before, and whose value does not go with others. */
static pyro_status_e
pyro_settings_refuse(pyro_settings_reader_t *reader, const char *section,
    const char *key, const char *text)
{
    pyro_yaml_node_t  *node;

    node = pyro_settings_child(reader->root, section);
    node = pyro_settings_child(node, key);
    pyro_yaml_path(node, reader->path);

    return pyro_settings_error(reader, node, text);
}


static pyro_yaml_node_t *
pyro_settings_child(const pyro_yaml_node_t *map, const char *key)
{
    pyro_yaml_node_t  *node;

    for (node = map->first; !pyro_slice_is(node->key, key); node = node->next)
    {
        /* void */
    }

    return node;
}


void
pyro_settings_clamp(pyro_settings_t *settings)
{
    if (settings->limits.max_flamegraph_nodes_default
        > settings->limits.max_flamegraph_nodes_max)
    {
        settings->limits.max_flamegraph_nodes_default =
            settings->limits.max_flamegraph_nodes_max;
    }

    if (settings->limits.max_profile_size_bytes > settings->lmdb.parse_bytes) {
        settings->limits.max_profile_size_bytes = settings->lmdb.parse_bytes;
    }
}


const pyro_limits_t *
pyro_settings_limits(const pyro_settings_t *settings, pyro_slice_t tenant)
{
    const pyro_limits_t  *own;

    own = pyro_overrides_find(settings, tenant);

    return own != NULL ? own : &settings->limits;
}


pyro_status_e
pyro_settings_error(pyro_settings_reader_t *reader,
    const pyro_yaml_node_t *node, const char *text)
{
    return pyro_error_set(reader->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                          "%s:%u: %s: %s", reader->file, node->line,
                          reader->path, text);
}
