/*
 * The commands of pyroscope-store that change or copy a store: seal, drop,
 * backup, delete.
 */

#include "cli/store_tool.h"

#include <inttypes.h>

#include "cli/store_time.h"
#include "core/base/clock.h"


static pyro_status_e pyro_store_on_drop(void *ctx,
    const pyro_store_part_t *part, pyro_error_t *err);
static void pyro_store_deleted(pyro_store_tool_t *tool,
    const pyro_delete_result_t *result);
static pyro_status_e pyro_store_on_delete(void *ctx, const char *file,
    const pyro_labels_t *labels, pyro_error_t *err);
static pyro_status_e pyro_store_on_entry(void *ctx, const char *kind,
    pyro_slice_t name, pyro_error_t *err);


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

    status = pyro_store_drop(tool->store, tool->command.file,
                             tool->command.before, tool->command.dry_run,
                             pyro_store_on_drop, tool, &n, &tool->err);

    if (status == PYRO_NOT_FOUND) {
        return status;
    }

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
pyro_store_tool_seal(pyro_store_tool_t *tool)
{
    uint32_t       n;
    pyro_status_e  status;

    status = pyro_store_tool_open(tool, PYRO_ACCESS_WRITE);

    if (status == PYRO_OK) {
        status = pyro_store_seal(tool->store, pyro_clock_wall(), &n,
                                 &tool->err);

        pyro_rope_printf(&tool->out, "%u partitions sealed\n", n);
    }

    return status;
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


pyro_status_e
pyro_store_tool_delete(pyro_store_tool_t *tool)
{
    int                    dry;
    pyro_status_e          status;
    pyro_store_query_t     query;
    pyro_delete_result_t   result;

    dry = tool->command.dry_run;
    status = pyro_store_tool_open(tool, dry ? PYRO_ACCESS_READ
                                            : PYRO_ACCESS_WRITE);

    if (status != PYRO_OK) {
        return status;
    }

    pyro_store_tool_query(tool, &query);

    status = tool->command.everything
             ? pyro_store_delete_tenant(tool->store, &query, dry,
                                        pyro_store_on_delete,
                                        pyro_store_on_entry, tool, &result,
                                        &tool->err)
             : pyro_store_delete(tool->store, &query, dry,
                                 pyro_store_on_delete, tool, &result,
                                 &tool->err);

    if (status != PYRO_INVALID && status != PYRO_NOT_FOUND) {
        pyro_store_deleted(tool, &result);
    }

    return status;
}


/* What became of it, also where it ended with an error. */
static void
pyro_store_deleted(pyro_store_tool_t *tool, const pyro_delete_result_t *result)
{
    int  dry;

    dry = tool->command.dry_run;

    pyro_rope_printf(&tool->out, "%" PRIu64 " label sets %s",
                     result->streams, dry ? "would be deleted" : "deleted");

    if (!dry) {
        pyro_rope_printf(&tool->out, ", %" PRIu64 " records", result->records);
    }

    if (tool->command.everything) {
        pyro_rope_printf(&tool->out, ", %" PRIu64 " settings, jfr-info of %"
                         PRIu64 " services", result->settings, result->infos);
    }

    pyro_rope_append(&tool->out, "\n", 1);

    if (result->resumed) {
        pyro_store_tool_say("%" PRIu64 " label sets that an earlier \"delete\" "
                            "did not end are gone as well", result->resumed);
    }
}


static pyro_status_e
pyro_store_on_delete(void *ctx, const char *file, const pyro_labels_t *labels,
    pyro_error_t *err)
{
    uint32_t            i;
    pyro_store_tool_t  *tool = ctx;

    (void) err;

    pyro_rope_printf(&tool->out, "%s: {", file);

    for (i = 0; i < labels->n; i++) {
        pyro_rope_printf(&tool->out, "%s%.*s=", i ? ", " : "",
                         PYRO_SLICE_ARG(labels->items[i].name));
        pyro_rope_json(&tool->out, labels->items[i].value);
    }

    pyro_rope_append(&tool->out, "}\n", 2);
    pyro_store_tool_poll(tool);

    return PYRO_OK;
}


static pyro_status_e
pyro_store_on_entry(void *ctx, const char *kind, pyro_slice_t name,
    pyro_error_t *err)
{
    pyro_store_tool_t  *tool = ctx;

    (void) err;

    pyro_rope_printf(&tool->out, "control.mdb: %s ", kind);
    pyro_rope_json(&tool->out, name);
    pyro_rope_append(&tool->out, "\n", 1);
    pyro_store_tool_poll(tool);

    return PYRO_OK;
}
