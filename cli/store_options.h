/*
 * The command line of pyroscope-store.
 */

#ifndef _PYRO_CLI_STORE_OPTIONS_H_INCLUDED_
#define _PYRO_CLI_STORE_OPTIONS_H_INCLUDED_


#include "core/api/render.h"
#include "core/base/rope.h"
#include "core/base/status.h"


typedef enum {
    PYRO_STORE_HELP = 0,
    PYRO_STORE_VERSION,
    PYRO_STORE_CHECK,
    PYRO_STORE_STATS,
    PYRO_STORE_LIST,
    PYRO_STORE_EXPORT,
    PYRO_STORE_IMPORT,
    PYRO_STORE_SEAL,
    PYRO_STORE_DROP,
    PYRO_STORE_BACKUP,
    PYRO_STORE_DELETE
} pyro_store_command_e;


typedef struct {
    pyro_store_command_e   command;
    const char            *name;        /* of the command */
    const char            *dir;
    const char            *target;      /* of backup */
    const char            *selector;    /* NULL: not given */
    const char            *tenant;      /* NULL: not given */
    int64_t                from;        /* ns, included */
    int64_t                to;          /* ns, included */
    int64_t                before;      /* ns */
    const char            *file;        /* of drop; NULL: not given */
    const char            *type;        /* of a document; NULL: not given */
    const char            *format;      /* of export; NULL: a dump */
    pyro_format_e          document;    /* which one format is */
    int64_t                max_nodes;   /* 0: not given */
    int                    json;
    int                    series;      /* of list */
    int                    tenants;     /* of list */
    int                    dry_run;
    int                    create;
    int                    everything;  /* of a tenant, to be deleted */
} pyro_store_command_t;


/* PYRO_INVALID: what is wrong, named by its option, and what is allowed. */
pyro_status_e pyro_store_arguments(int argc, char **argv,
    pyro_store_command_t *command, pyro_error_t *err);

void pyro_store_help(pyro_rope_t *out);


#endif /* _PYRO_CLI_STORE_OPTIONS_H_INCLUDED_ */
