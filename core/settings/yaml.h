/*
 * YAML 1.1 text as a small tree of nodes with line numbers (libyaml's events).
 *
 * What a settings file does not need is refused, not guessed at: aliases (so a
 * small file cannot become a large tree), tags, a second document, a key twice
 * in one map.  Size, nodes, nesting and the length of keys are bounded below.
 *
 * Nodes and texts are in the arena given and do not point into the input.
 * Messages are "FILE:LINE: key: what is wrong".  One thread.
 */

#ifndef _PYRO_YAML_H_INCLUDED_
#define _PYRO_YAML_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/status.h"


#define PYRO_YAML_SIZE_MAX   (1024 * 1024)  /* bytes of text */
#define PYRO_YAML_NODES_MAX  10000
#define PYRO_YAML_DEPTH_MAX  16             /* maps and lists in each other */
#define PYRO_YAML_KEY_MAX    150            /* bytes; a tenant's name */

/* room for any path of pyro_yaml_path() */
#define PYRO_YAML_PATH_MAX                                                    \
    (PYRO_YAML_DEPTH_MAX * (PYRO_YAML_KEY_MAX + 1) + 1)


typedef enum {
    PYRO_YAML_SCALAR = 0,
    PYRO_YAML_LIST,
    PYRO_YAML_MAP
} pyro_yaml_type_e;


typedef struct pyro_yaml_node_s  pyro_yaml_node_t;

struct pyro_yaml_node_s {
    pyro_yaml_node_t  *parent;      /* NULL: the root */
    pyro_yaml_node_t  *next;        /* in the parent, in the file's order */
    pyro_yaml_node_t  *first;
    pyro_yaml_node_t  *last;
    pyro_slice_t       key;         /* in a map */
    pyro_slice_t       text;        /* of a scalar */
    uint32_t           index;       /* in a list */
    uint32_t           line;        /* from 1; in a map the key's */
    uint32_t           n;           /* children */
    uint8_t            type;        /* pyro_yaml_type_e */
    uint8_t            plain;       /* a scalar without quotes */
};


/*
 * The document in text; an empty one is a null scalar.  file is only the name
 * used in messages.  PYRO_INVALID; PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_yaml_parse(pyro_arena_t *arena, const char *file,
    pyro_slice_t text, pyro_yaml_node_t **root, pyro_error_t *err);

/* 1 for a scalar of this text and quoting that YAML reads as null. */
int pyro_yaml_is_null(pyro_slice_t text, int plain);

/*
 * 1 if there is no value in it: null, an empty text or list, or a map of
 * nothing else.
 */
int pyro_yaml_is_blank(const pyro_yaml_node_t *node);

/*
 * Keys from the root to the node, "storage.filesystem.dir" or "a.list[3].b",
 * into path (PYRO_YAML_PATH_MAX bytes), zero-terminated; "" for the root.
 */
void pyro_yaml_path(const pyro_yaml_node_t *node, char *path);


#endif /* _PYRO_YAML_H_INCLUDED_ */
