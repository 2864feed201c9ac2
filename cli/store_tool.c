#include "cli/store_tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/file.h"
#include "core/base/tenant.h"


#define PYRO_STORE_SEAL_AFTER  1            /* seconds: what is over at all */
#define PYRO_STORE_PIECE  (64 * 1024)       /* bytes between two writes */


pyro_status_e
pyro_store_tool_open(pyro_store_tool_t *tool, pyro_access_e access)
{
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(pyro_store_options_t));

    options.dir = tool->command.dir;
    options.access = access;
    options.shared = tool->shared;
    options.seal_after = PYRO_STORE_SEAL_AFTER;

    return pyro_store_open(&options, &tool->store, &tool->err);
}


void
pyro_store_tool_query(pyro_store_tool_t *tool, pyro_store_query_t *query)
{
    memset(query, 0, sizeof(pyro_store_query_t));

    query->tenant = pyro_slice_str(tool->command.tenant != NULL
                                   ? tool->command.tenant
                                   : PYRO_TENANT_DEFAULT);
    query->selectors = tool->selects ? &tool->selector : NULL;
    query->n_selectors = tool->selects ? 1 : 0;
    query->start = tool->command.from;
    query->end = tool->command.to;
    query->arena = tool->arena;
}


void
pyro_store_tool_flush(pyro_store_tool_t *tool)
{
    pyro_file_write(STDOUT_FILENO, &tool->out, &tool->output_error);
}


void
pyro_store_tool_poll(pyro_store_tool_t *tool)
{
    if (tool->out.size >= PYRO_STORE_PIECE) {
        pyro_store_tool_flush(tool);
    }
}


void
pyro_store_tool_say(const char *fmt, ...)
{
    char          text[2 * PYRO_ERROR_MESSAGE_MAX];
    va_list       args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    fprintf(stderr, "pyroscope-store: %s\n", text);
}


int
pyro_store_tool_lacks(const pyro_store_missing_t *missing)
{
    if (missing->n == 0) {
        return 0;
    }

    pyro_store_tool_say("%u partitions could not be read and are left out, "
                        "the first one: %s: %s", missing->n, missing->name,
                        missing->error.message);

    return 1;
}
