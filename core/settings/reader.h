/*
 * What the files that read settings share: the file at hand, the struct that
 * is filled, and how mistakes are told.
 */

#ifndef _PYRO_READER_H_INCLUDED_
#define _PYRO_READER_H_INCLUDED_


#include "core/settings/expand.h"
#include "core/settings/keys.h"
#include "core/settings/settings.h"
#include "core/settings/yaml.h"


typedef struct {
    pyro_arena_t      *arena;
    pyro_error_t      *err;
    pyro_settings_t   *settings;
    const char        *file;
    char              *ignored;
    size_t             ignored_len;
    pyro_variables_t   variables;
    pyro_yaml_node_t  *root;        /* of the file */
    pyro_yaml_node_t  *overrides;   /* of the file, or NULL */
    int                valued;      /* set to 1 by a key that has a value */
    char               path[PYRO_YAML_PATH_MAX];    /* of the node at hand */
} pyro_settings_reader_t;


/* A node whose key is a row of the table, which is at reader->path. */
pyro_status_e pyro_settings_key(pyro_settings_reader_t *reader,
    const pyro_key_t *key, pyro_yaml_node_t *node);

/* The path at hand into the list of what has no meaning here. */
pyro_status_e pyro_settings_ignore(pyro_settings_reader_t *reader);

/* PYRO_INVALID: "FILE:LINE: path: text". */
pyro_status_e pyro_settings_error(pyro_settings_reader_t *reader,
    const pyro_yaml_node_t *node, const char *text);

/* A limit that a wider one makes unreachable would mislead in messages. */
void pyro_settings_clamp(pyro_settings_t *settings);

/* The bytes of a file, at most PYRO_YAML_SIZE_MAX + 1 of them, to be freed. */
pyro_status_e pyro_settings_load(const char *file, char **data, size_t *len,
    pyro_error_t *err);


/* ---- overrides.c ---- */

/*
 * The limits of tenants: of the file's overrides, then of the file that
 * runtime_config.file names.  To be called when all else is read.
 */
pyro_status_e pyro_overrides_read(pyro_settings_reader_t *reader);

/* A tenant's own limits, or NULL. */
pyro_limits_t *pyro_overrides_find(const pyro_settings_t *settings,
    pyro_slice_t tenant);


#endif /* _PYRO_READER_H_INCLUDED_ */
