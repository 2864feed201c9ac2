/*
 * What the commands of pyroscope-store share.  One thread.
 */

#ifndef _PYRO_CLI_STORE_TOOL_H_INCLUDED_
#define _PYRO_CLI_STORE_TOOL_H_INCLUDED_


#include "cli/store_options.h"
#include "core/query/selector.h"
#include "storage/store.h"


#define PYRO_STORE_FAILED  1
#define PYRO_STORE_USAGE   2


typedef struct {
    pyro_store_command_t   command;
    pyro_store_t          *store;
    void                  *shared;          /* of the store, or NULL */
    pyro_arena_t          *arena;
    pyro_selector_t        selector;
    int                    selects;         /* selector is to be freed */
    pyro_rope_t            out;
    int                    output_error;    /* errno, once writing failed */
    pyro_error_t           err;
} pyro_store_tool_t;


/* Opens the store for what the command needs; the status is err's. */
pyro_status_e pyro_store_tool_open(pyro_store_tool_t *tool,
    pyro_access_e access);

/* A query of the command's selector and range. */
void pyro_store_tool_query(pyro_store_tool_t *tool,
    pyro_store_query_t *query);

/* Writes what has gathered, now and then. */
void pyro_store_tool_flush(pyro_store_tool_t *tool);
void pyro_store_tool_poll(pyro_store_tool_t *tool);

/* "pyroscope-store: ..." on standard error. */
void pyro_store_tool_say(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));


/*
 * The commands.  The status is what became of it, err has why; *damaged is set
 * where what was found is no error but the exit status is 1.
 */
pyro_status_e pyro_store_tool_check(pyro_store_tool_t *tool, int *damaged);
pyro_status_e pyro_store_tool_stats(pyro_store_tool_t *tool);
pyro_status_e pyro_store_tool_list(pyro_store_tool_t *tool);
pyro_status_e pyro_store_tool_export(pyro_store_tool_t *tool, int *damaged);
pyro_status_e pyro_store_tool_document(pyro_store_tool_t *tool, int *damaged);

/*
 * For an export, before it is begun: goes on in a child, and in another one
 * when a damaged page killed that, until the file is left out as damaged.
 * -1: this is the child; else the exit status, of the last one.
 */
int pyro_store_tool_apart(pyro_store_tool_t *tool);

/* In the child: from here on it writes, and no other can begin again. */
void pyro_store_tool_begun(void);

/* Says what an answer is without; 1 if it is. */
int pyro_store_tool_lacks(const pyro_store_missing_t *missing);

pyro_status_e pyro_store_tool_import(pyro_store_tool_t *tool);
pyro_status_e pyro_store_tool_seal(pyro_store_tool_t *tool);
pyro_status_e pyro_store_tool_drop(pyro_store_tool_t *tool);
pyro_status_e pyro_store_tool_backup(pyro_store_tool_t *tool);
pyro_status_e pyro_store_tool_delete(pyro_store_tool_t *tool);


#endif /* _PYRO_CLI_STORE_TOOL_H_INCLUDED_ */
