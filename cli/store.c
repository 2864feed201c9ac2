/*
 * pyroscope-store: looks after a store, beside a server or without one.
 *
 * Exit status: 0 fine; 1 it failed, or a check found damage; 2 wrong usage.
 */

#include <signal.h>
#include <string.h>

#include "cli/store_tool.h"
#include "core/base/version.h"


static int pyro_store_tool_run(pyro_store_tool_t *tool);
static int pyro_store_tool_written(pyro_store_tool_t *tool);


int
main(int argc, char **argv)
{
    int                       rc;
    static pyro_store_tool_t  tool;

    /* a closed pipe is an error like a full disk */

    signal(SIGPIPE, SIG_IGN);

    pyro_rope_init(&tool.out, 0);

    if (pyro_store_arguments(argc, argv, &tool.command, &tool.err) != PYRO_OK)
    {
        pyro_store_tool_say("%s", tool.err.message);
        return PYRO_STORE_USAGE;
    }

    switch (tool.command.command) {

    case PYRO_STORE_HELP:
        pyro_store_help(&tool.out);
        return pyro_store_tool_written(&tool);

    case PYRO_STORE_VERSION:
        pyro_rope_printf(&tool.out, "pyroscope-store (ngx_pyroscope) %s\n",
                         PYRO_VERSION);
        return pyro_store_tool_written(&tool);

    default:
        rc = tool.command.command == PYRO_STORE_EXPORT
             ? pyro_store_tool_apart(&tool) : -1;

        if (rc == -1) {
            rc = pyro_store_tool_run(&tool);
        }
    }

    if (tool.store != NULL) {
        pyro_store_close(tool.store);
    }

    if (tool.selects) {
        pyro_selector_free(&tool.selector);
    }

    pyro_rope_free(&tool.out);
    pyro_arena_destroy(tool.arena);

    return rc;
}


static int
pyro_store_tool_run(pyro_store_tool_t *tool)
{
    int            damaged;
    pyro_status_e  status;

    damaged = 0;
    tool->arena = pyro_arena_create(0);
    status = tool->arena ? PYRO_OK : pyro_error_memory(&tool->err);

    if (status == PYRO_OK && tool->command.selector != NULL) {
        status = pyro_selector_parse(tool->arena,
                                     pyro_slice_str(tool->command.selector),
                                     &tool->selector, &tool->err);

        if (status != PYRO_OK) {
            pyro_store_tool_say("--selector: %s", tool->err.message);
            return PYRO_STORE_USAGE;
        }

        tool->selects = 1;
    }

    if (status == PYRO_OK) {

        switch (tool->command.command) {

        case PYRO_STORE_CHECK:
            status = pyro_store_tool_check(tool, &damaged);
            break;

        case PYRO_STORE_STATS:
            status = pyro_store_tool_stats(tool);
            break;

        case PYRO_STORE_LIST:
            status = pyro_store_tool_list(tool);
            break;

        case PYRO_STORE_EXPORT:
            status = tool->command.format == NULL
                     ? pyro_store_tool_export(tool, &damaged)
                     : pyro_store_tool_document(tool, &damaged);
            break;

        case PYRO_STORE_IMPORT:
            status = pyro_store_tool_import(tool);
            break;

        case PYRO_STORE_SEAL:
            status = pyro_store_tool_seal(tool);
            break;

        case PYRO_STORE_DROP:
            status = pyro_store_tool_drop(tool);
            break;

        case PYRO_STORE_BACKUP:
            status = pyro_store_tool_backup(tool);
            break;

        default:
            status = pyro_store_tool_delete(tool);
            break;
        }
    }

    if (pyro_store_tool_written(tool)) {
        return PYRO_STORE_FAILED;
    }

    if (status != PYRO_OK) {
        pyro_store_tool_say("%s: %s", tool->command.name, tool->err.message);
        return status == PYRO_INVALID ? PYRO_STORE_USAGE : PYRO_STORE_FAILED;
    }

    return damaged ? PYRO_STORE_FAILED : 0;
}


/* The rest is written; the exit status. */
static int
pyro_store_tool_written(pyro_store_tool_t *tool)
{
    pyro_store_tool_flush(tool);

    if (tool->output_error) {
        pyro_store_tool_say("standard output: %s",
                            strerror(tool->output_error));
        return PYRO_STORE_FAILED;
    }

    return 0;
}
