/*
 * The commands of pyroscope-store that change or copy a store: drop, backup,
 * delete.
 */

#include "cli/store_tool.h"

#include <inttypes.h>

#include "cli/store_time.h"


static pyro_status_e pyro_store_on_drop(void *ctx,
    const pyro_store_part_t *part, pyro_error_t *err);


pyro_status_e
pyro_store_tool_drop(pyro_store_tool_t *tool)
{
    uint32_t       n;
    pyro_status_e  status;

    status = pyro_store_tool_open(tool, tool->command.dry_run
                                        ? PYRO_ACCESS_READ
                                        : PYRO_ACCESS_WRITE);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_store_drop(tool->store, tool->command.before,
                             tool->command.dry_run, pyro_store_on_drop, tool,
                             &n, &tool->err);

    pyro_rope_printf(&tool->out, "%u partitions %s\n", n,
                     tool->command.dry_run ? "would be dropped" : "dropped");

    return status;
}


static pyro_status_e
pyro_store_on_drop(void *ctx, const pyro_store_part_t *part, pyro_error_t *err)
{
    char                end[PYRO_STORE_TIME_MAX];
    pyro_store_tool_t  *tool = ctx;

    (void) err;

    pyro_store_time_text(part->end, end);
    pyro_rope_printf(&tool->out, "%s: %s, ends %s, %" PRIu64 " bytes\n",
                     part->name, tool->command.dry_run ? "would go" : "goes",
                     end, part->bytes);

    return PYRO_OK;
}


pyro_status_e
pyro_store_tool_backup(pyro_store_tool_t *tool)
{
    pyro_status_e         status;
    pyro_backup_result_t  result;

    status = pyro_store_tool_open(tool, PYRO_ACCESS_READ);

    if (status == PYRO_OK) {
        status = pyro_store_backup(tool->store, tool->command.target, &result,
                                   &tool->err);
    }

    if (status == PYRO_OK) {
        pyro_rope_printf(&tool->out, "copied %u files, %" PRIu64 " bytes\n",
                         result.files, result.bytes);
    }

    return status;
}
