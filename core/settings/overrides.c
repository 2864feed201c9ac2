/*
 * Limits of single tenants: a map from names to keys of "limits", in the file
 * itself or in one of its own (Pyroscope: runtime configuration).
 */

#include <stdio.h>
#include <stdlib.h>

#include "core/base/tenant.h"
#include "core/settings/known.h"
#include "core/settings/reader.h"


#define PYRO_OVERRIDES_TENANTS  1024


static pyro_status_e pyro_overrides_file(pyro_settings_reader_t *reader);
static const char *pyro_overrides_name(pyro_settings_reader_t *reader);
static pyro_status_e pyro_overrides_map(pyro_settings_reader_t *reader,
    pyro_yaml_node_t *map);
static pyro_status_e pyro_overrides_tenant(pyro_settings_reader_t *reader,
    pyro_yaml_node_t *tenant);
static pyro_status_e pyro_overrides_keys(pyro_settings_reader_t *reader,
    pyro_yaml_node_t *tenant);
static pyro_status_e pyro_overrides_key(pyro_settings_reader_t *reader,
    pyro_yaml_node_t *node, int *retention);
static pyro_status_e pyro_overrides_retention(pyro_settings_reader_t *reader,
    const pyro_key_t *key, pyro_yaml_node_t *node, int *retention);
static pyro_status_e pyro_overrides_unknown(pyro_settings_reader_t *reader,
    pyro_yaml_node_t *node, const char *path);
static pyro_limits_t *pyro_overrides_limits(pyro_settings_reader_t *reader,
    pyro_slice_t tenant);


pyro_status_e
pyro_overrides_read(pyro_settings_reader_t *reader)
{
    pyro_status_e  status;

    status = PYRO_OK;

    if (reader->overrides != NULL) {
        status = pyro_overrides_map(reader, reader->overrides);
    }

    if (status == PYRO_OK
        && reader->settings->runtime_config.file != NULL
        && reader->settings->runtime_config.file[0] != '\0')
    {
        status = pyro_overrides_file(reader);
    }

    return status;
}


/* Messages name that file, its lines are its own. */
static pyro_status_e
pyro_overrides_file(pyro_settings_reader_t *reader)
{
    char              *data;
    size_t             len;
    const char        *outer;
    pyro_status_e      status;
    pyro_yaml_node_t  *root, *node;

    outer = reader->file;
    reader->file = pyro_overrides_name(reader);

    if (reader->file == NULL) {
        reader->file = outer;
        return pyro_error_memory(reader->err);
    }

    status = pyro_settings_load(reader->file, &data, &len, reader->err);

    if (status == PYRO_OK) {
        status = pyro_yaml_parse(reader->arena, reader->file,
                                 pyro_slice(data, len), &root, reader->err);
        free(data);
    }

    if (status == PYRO_OK && root->type != PYRO_YAML_MAP
        && !pyro_yaml_is_blank(root))
    {
        status = pyro_error_set(reader->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                                "%s:%u: the file must be a map, allowed is "
                                "overrides", reader->file, root->line);
    }

    for (node = status == PYRO_OK ? root->first : NULL;
         node != NULL && status == PYRO_OK;
         node = node->next)
    {
        pyro_yaml_path(node, reader->path);

        status = pyro_slice_is(node->key, "overrides")
                 ? pyro_overrides_map(reader, node)
                 : pyro_settings_error(reader, node, "is not a known key; "
                                       "allowed is overrides");
    }

    reader->file = outer;

    return status;
}


/* A relative one lies beside the file that names it. */
static const char *
pyro_overrides_name(pyro_settings_reader_t *reader)
{
    char        *name;
    size_t       len, size;
    const char  *file, *slash;

    file = reader->settings->runtime_config.file;
    slash = strrchr(reader->file, '/');

    if (file[0] == '/' || slash == NULL) {
        return file;
    }

    len = (size_t) (slash + 1 - reader->file);
    size = len + strlen(file) + 1;
    name = pyro_arena_alloc(reader->arena, size);

    if (name != NULL) {
        snprintf(name, size, "%.*s%s", (int) len, reader->file, file);
    }

    return name;
}


static pyro_status_e
pyro_overrides_map(pyro_settings_reader_t *reader, pyro_yaml_node_t *map)
{
    pyro_status_e      status;
    pyro_yaml_node_t  *tenant;

    pyro_yaml_path(map, reader->path);

    if (map->type != PYRO_YAML_MAP) {
        return pyro_yaml_is_blank(map) ? PYRO_OK
               : pyro_settings_error(reader, map, "must be a map of tenants");
    }

    status = PYRO_OK;

    for (tenant = map->first; tenant != NULL && status == PYRO_OK;
         tenant = tenant->next)
    {
        pyro_yaml_path(tenant, reader->path);
        status = pyro_overrides_tenant(reader, tenant);
    }

    return status;
}


static pyro_status_e
pyro_overrides_tenant(pyro_settings_reader_t *reader, pyro_yaml_node_t *tenant)
{
    pyro_error_t      err;
    pyro_limits_t    *limits;
    pyro_status_e     status;
    pyro_settings_t  *settings, copy;

    if (pyro_tenant_check(tenant->key, &err) != PYRO_OK) {
        return pyro_settings_error(reader, tenant, err.message);
    }

    if (tenant->type != PYRO_YAML_MAP) {
        return pyro_yaml_is_blank(tenant) ? PYRO_OK
               : pyro_settings_error(reader, tenant, "must be a map of limits");
    }

    /* it has what all have */

    if (tenant->first == NULL) {
        return PYRO_OK;
    }

    if (reader->settings->n_tenants == PYRO_OVERRIDES_TENANTS
        && pyro_overrides_find(reader->settings, tenant->key) == NULL)
    {
        return pyro_settings_error(reader, tenant, "is one more than the 1024 "
                                   "tenants that may have limits");
    }

    limits = pyro_overrides_limits(reader, tenant->key);

    if (limits == NULL) {
        return pyro_error_memory(reader->err);
    }

    /* the table's rows lead to fields of the whole */

    settings = reader->settings;
    copy = *settings;
    copy.limits = *limits;
    reader->settings = &copy;

    status = pyro_overrides_keys(reader, tenant);

    reader->settings = settings;
    pyro_settings_clamp(&copy);
    *limits = copy.limits;

    return status;
}


static pyro_status_e
pyro_overrides_keys(pyro_settings_reader_t *reader, pyro_yaml_node_t *tenant)
{
    int                retention;
    pyro_status_e      status;
    pyro_yaml_node_t  *node;

    status = PYRO_OK;
    retention = 0;

    for (node = tenant->first; node != NULL && status == PYRO_OK;
         node = node->next)
    {
        pyro_yaml_path(node, reader->path);
        status = pyro_overrides_key(reader, node, &retention);
    }

    return status;
}


static pyro_status_e
pyro_overrides_key(pyro_settings_reader_t *reader, pyro_yaml_node_t *node,
    int *retention)
{
    char               path[PYRO_YAML_KEY_MAX + sizeof("limits.")];
    const pyro_key_t  *key;

    snprintf(path, sizeof(path), "limits.%.*s", PYRO_SLICE_ARG(node->key));

    /* what is behind a zero byte is not in the path */

    if (memchr(node->key.data, '\0', node->key.len) != NULL) {
        return pyro_overrides_unknown(reader, node, path);
    }

    key = pyro_key_find(path);

    if (key != NULL) {
        return key->action == PYRO_KEY_SHORTEST
               ? pyro_overrides_retention(reader, key, node, retention)
               : pyro_settings_key(reader, key, node);
    }

    return pyro_known_has(path) ? pyro_settings_ignore(reader)
                                : pyro_overrides_unknown(reader, node, path);
}


/*
 * The first one that has a value replaces what all have; of more of them the
 * shortest holds.
 */
static pyro_status_e
pyro_overrides_retention(pyro_settings_reader_t *reader, const pyro_key_t *key,
    pyro_yaml_node_t *node, int *retention)
{
    int64_t         old;
    pyro_limits_t  *limits;
    pyro_status_e   status;

    limits = &reader->settings->limits;
    old = limits->retention_period;

    if (!*retention) {
        limits->retention_period = 0;
    }

    reader->valued = 0;
    status = pyro_settings_key(reader, key, node);

    if (reader->valued) {
        *retention = 1;

    } else {
        limits->retention_period = old;
    }

    return status;
}


static pyro_status_e
pyro_overrides_unknown(pyro_settings_reader_t *reader, pyro_yaml_node_t *node,
    const char *path)
{
    char  near[PYRO_KNOWN_PATH_MAX], text[PYRO_ERROR_MESSAGE_MAX];

    pyro_known_nearest(path, near, sizeof(near));

    if (strncmp(near, "limits.", 7) != 0) {
        return pyro_settings_error(reader, node, "is not a limit");
    }

    snprintf(text, sizeof(text), "is not a limit; did you mean %s?", near + 7);

    return pyro_settings_error(reader, node, text);
}


/* Those of the tenant so far: it may be in both files. */
static pyro_limits_t *
pyro_overrides_limits(pyro_settings_reader_t *reader, pyro_slice_t tenant)
{
    uint32_t               cap;
    pyro_slice_t           name;
    pyro_limits_t         *limits;
    pyro_settings_t       *settings;
    pyro_tenant_limits_t  *list;

    settings = reader->settings;
    limits = pyro_overrides_find(settings, tenant);

    if (limits != NULL) {
        return limits;
    }

    if ((settings->n_tenants & (settings->n_tenants - 1)) == 0) {
        cap = settings->n_tenants ? 2 * settings->n_tenants : 1;
        list = pyro_arena_calloc(reader->arena, cap,
                                 sizeof(pyro_tenant_limits_t));

        if (list == NULL) {
            return NULL;
        }

        if (settings->n_tenants) {
            memcpy(list, settings->tenants,
                   settings->n_tenants * sizeof(pyro_tenant_limits_t));
        }

        settings->tenants = list;
    }

    name = pyro_arena_dup(reader->arena, tenant);

    if (name.data == NULL) {
        return NULL;
    }

    list = &settings->tenants[settings->n_tenants++];
    list->name = name;
    list->limits = settings->limits;

    return &list->limits;
}


pyro_limits_t *
pyro_overrides_find(const pyro_settings_t *settings, pyro_slice_t tenant)
{
    uint32_t  i;

    for (i = 0; i < settings->n_tenants; i++) {
        if (pyro_slice_eq(settings->tenants[i].name, tenant)) {
            return &settings->tenants[i].limits;
        }
    }

    return NULL;
}
