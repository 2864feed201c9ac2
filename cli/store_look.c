/*
 * The commands of pyroscope-store that only look: check, stats, list.
 */

#include "cli/store_tool.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "cli/store_time.h"
#include "core/base/intern.h"


/* The numbers of a partition that are added up. */
#define PYRO_STORE_NUMBERS(X)                                                 \
    X(used) X(free) X(pushes) X(streams) X(series) X(scopes) X(nodes)         \
    X(frames) X(strings) X(types) X(late)


typedef struct {
    pyro_store_tool_t        *tool;
    json_t                   *parts;        /* with --json */
    uint32_t                  n;
    uint32_t                  failed;
    pyro_store_part_stats_t   total;
} pyro_store_totals_t;


typedef struct {
    pyro_store_tool_t        *tool;
    json_t                   *list;         /* with --json */
    pyro_intern_t             seen;
    pyro_rope_t               line;
} pyro_store_seen_t;


static void pyro_store_on_finding(void *ctx, const pyro_finding_t *finding);
static pyro_status_e pyro_store_on_stats(void *ctx,
    const pyro_store_part_stats_t *stats, pyro_error_t *err);
static void pyro_store_stats_add(pyro_store_part_stats_t *total,
    const pyro_store_part_stats_t *stats);
static void pyro_store_stats_lines(pyro_store_tool_t *tool,
    const pyro_store_part_stats_t *stats);
static void pyro_store_time_line(pyro_store_tool_t *tool, const char *name,
    int64_t ns, const char *none);
static json_t *pyro_store_stats_json(const pyro_store_part_stats_t *stats);
static json_t *pyro_store_part_json(const pyro_store_part_t *part);
static void pyro_store_json_time(json_t *object, const char *name,
    int64_t ns);
static pyro_status_e pyro_store_json_out(pyro_store_tool_t *tool,
    json_t *value);
static pyro_status_e pyro_store_on_part(void *ctx,
    const pyro_store_part_t *part, pyro_error_t *err);
static pyro_status_e pyro_store_on_tenant(void *ctx, pyro_slice_t name,
    pyro_error_t *err);
static pyro_status_e pyro_store_list_series(pyro_store_tool_t *tool,
    pyro_store_seen_t *seen);
static pyro_status_e pyro_store_on_series(void *ctx,
    const pyro_labels_t *labels, pyro_error_t *err);
static pyro_status_e pyro_store_series_json(json_t *list,
    const pyro_labels_t *labels, pyro_error_t *err);


/* ---- check ---- */

pyro_status_e
pyro_store_tool_check(pyro_store_tool_t *tool, int *damaged)
{
    pyro_status_e        status;
    pyro_check_result_t  result;

    status = pyro_store_check(tool->command.dir, pyro_store_on_finding, tool,
                              &result, &tool->err);

    if (status != PYRO_OK) {
        return status;
    }

    *damaged = result.damaged != 0;

    pyro_rope_printf(&tool->out, "checked %u files, %" PRIu64 " pushes, %"
                     PRIu64 " roll-ups: %u damaged, %" PRIu64 " findings\n",
                     result.files, result.pushes, result.rollups,
                     result.damaged, result.findings);

    return PYRO_OK;
}


/* At once: it may take long. */
static void
pyro_store_on_finding(void *ctx, const pyro_finding_t *finding)
{
    pyro_store_tool_t  *tool = ctx;

    pyro_rope_printf(&tool->out, "%s: %s: %s: %s\n", finding->file,
                     finding->note ? "note" : "damage", finding->what,
                     finding->text);
    pyro_store_tool_flush(tool);
}


/* ---- stats ---- */

pyro_status_e
pyro_store_tool_stats(pyro_store_tool_t *tool)
{
    json_t               *all;
    pyro_status_e         status, written;
    pyro_store_totals_t   totals;

    memset(&totals, 0, sizeof(pyro_store_totals_t));

    totals.tool = tool;
    totals.parts = tool->command.json ? json_array() : NULL;

    status = pyro_store_tool_open(tool, PYRO_ACCESS_READ);

    if (status == PYRO_OK) {
        status = pyro_store_part_stats(tool->store, pyro_store_on_stats,
                                       &totals, &tool->err);
    }

    if (tool->store == NULL) {
        json_decref(totals.parts);
        return status;
    }

    if (!tool->command.json) {
        pyro_rope_printf(&tool->out, "total\n");
        pyro_rope_printf(&tool->out, "  %-10s %u\n", "partitions", totals.n);
        pyro_store_stats_lines(tool, &totals.total);
        return status;
    }

    all = json_object();
    json_object_set_new(all, "partitions", totals.parts);
    json_object_set_new(all, "total", pyro_store_stats_json(&totals.total));
    written = pyro_store_json_out(tool, all);

    return status == PYRO_OK ? written : status;
}


static pyro_status_e
pyro_store_on_stats(void *ctx, const pyro_store_part_stats_t *stats,
    pyro_error_t *err)
{
    json_t               *object;
    pyro_store_tool_t    *tool;
    pyro_store_totals_t  *totals = ctx;

    (void) err;

    tool = totals->tool;
    totals->n++;
    pyro_store_stats_add(&totals->total, stats);

    if (totals->parts != NULL) {
        object = pyro_store_stats_json(stats);

        if (stats->error != NULL) {
            json_object_set_new(object, "error",
                                json_string(stats->error->message));
        }

        json_array_append_new(totals->parts, object);
        return PYRO_OK;
    }

    pyro_rope_printf(&tool->out, "%s\n", stats->part.name);

    if (stats->error != NULL) {
        pyro_rope_printf(&tool->out, "  %-10s %s\n", "error",
                         stats->error->message);
    }

    pyro_store_stats_lines(tool, stats);
    pyro_store_tool_poll(tool);

    return PYRO_OK;
}


static void
pyro_store_stats_add(pyro_store_part_stats_t *total,
    const pyro_store_part_stats_t *stats)
{
    uint32_t  i, k;

#define PYRO_STORE_ADD(name)  total->name += stats->name;
    PYRO_STORE_NUMBERS(PYRO_STORE_ADD)
#undef PYRO_STORE_ADD

    total->part.bytes += stats->part.bytes;

    if (stats->first && (total->first == 0 || stats->first < total->first)) {
        total->first = stats->first;
    }

    total->last = stats->last > total->last ? stats->last : total->last;

    for (i = 0; i < stats->n_dbs; i++) {

        for (k = 0; k < total->n_dbs; k++) {
            if (strcmp(total->dbs[k].name, stats->dbs[i].name) == 0) {
                break;
            }
        }

        total->n_dbs += k == total->n_dbs;
        total->dbs[k].name = stats->dbs[i].name;
        total->dbs[k].entries += stats->dbs[i].entries;
        total->dbs[k].bytes += stats->dbs[i].bytes;
    }
}


static void
pyro_store_stats_lines(pyro_store_tool_t *tool,
    const pyro_store_part_stats_t *stats)
{
    uint32_t      i;
    pyro_rope_t  *out;

    out = &tool->out;

    if (stats->part.name != NULL) {
        pyro_rope_printf(out, "  %-10s %s\n", "state", stats->part.state);
        pyro_store_time_line(tool, "start", stats->part.start, "");
        pyro_store_time_line(tool, "end", stats->part.end, "");
    }

    pyro_rope_printf(out, "  %-10s %" PRIu64 "\n", "bytes",
                     stats->part.bytes);

#define PYRO_STORE_LINE(name)                                                 \
    pyro_rope_printf(out, "  %-10s %" PRIu64 "\n", #name, stats->name);
    PYRO_STORE_NUMBERS(PYRO_STORE_LINE)
#undef PYRO_STORE_LINE

    pyro_store_time_line(tool, "first", stats->first, "-");
    pyro_store_time_line(tool, "last", stats->last, "-");

    if (stats->part.name != NULL) {
        pyro_store_time_line(tool, "rolled", stats->rolled, "-");
    }

    for (i = 0; i < stats->n_dbs; i++) {
        pyro_rope_printf(out, "  db %-7s %" PRIu64 " entries, %" PRIu64
                         " bytes\n", stats->dbs[i].name,
                         stats->dbs[i].entries, stats->dbs[i].bytes);
    }
}


/* none: in the place of 0; empty: 0 is a time. */
static void
pyro_store_time_line(pyro_store_tool_t *tool, const char *name, int64_t ns,
    const char *none)
{
    char  text[PYRO_STORE_TIME_MAX];

    pyro_store_time_text(ns, text);
    pyro_rope_printf(&tool->out, "  %-10s %s\n", name,
                     ns == 0 && none[0] ? none : text);
}


static json_t *
pyro_store_stats_json(const pyro_store_part_stats_t *stats)
{
    json_t    *object, *dbs, *db;
    uint32_t   i;

    object = stats->part.name != NULL ? pyro_store_part_json(&stats->part)
                                      : json_object();
    json_object_set_new(object, "bytes",
                        json_integer((json_int_t) stats->part.bytes));

#define PYRO_STORE_SET(name)                                                  \
    json_object_set_new(object, #name,                                        \
                        json_integer((json_int_t) stats->name));
    PYRO_STORE_NUMBERS(PYRO_STORE_SET)
#undef PYRO_STORE_SET

    pyro_store_json_time(object, "first", stats->first);
    pyro_store_json_time(object, "last", stats->last);

    if (stats->part.name != NULL) {
        pyro_store_json_time(object, "rolled", stats->rolled);
    }

    dbs = json_object();

    for (i = 0; i < stats->n_dbs; i++) {
        db = json_object();
        json_object_set_new(db, "entries",
                         json_integer((json_int_t) stats->dbs[i].entries));
        json_object_set_new(db, "bytes",
                         json_integer((json_int_t) stats->dbs[i].bytes));
        json_object_set_new(dbs, stats->dbs[i].name, db);
    }

    json_object_set_new(object, "databases", dbs);

    return object;
}


/* null where there is none */
static void
pyro_store_json_time(json_t *object, const char *name, int64_t ns)
{
    char  text[PYRO_STORE_TIME_MAX];

    pyro_store_time_text(ns, text);
    json_object_set_new(object, name, ns ? json_string(text) : json_null());
}


static json_t *
pyro_store_part_json(const pyro_store_part_t *part)
{
    char     text[PYRO_STORE_TIME_MAX];
    json_t  *object;

    object = json_object();

    json_object_set_new(object, "name", json_string(part->name));
    pyro_store_time_text(part->start, text);
    json_object_set_new(object, "start", json_string(text));
    pyro_store_time_text(part->end, text);
    json_object_set_new(object, "end", json_string(text));
    json_object_set_new(object, "state", json_string(part->state));
    json_object_set_new(object, "bytes",
                        json_integer((json_int_t) part->bytes));

    return object;
}


/* Takes the value.  jansson gives NULL where there is no memory. */
static pyro_status_e
pyro_store_json_out(pyro_store_tool_t *tool, json_t *value)
{
    char  *text;

    text = value ? json_dumps(value, JSON_INDENT(2)) : NULL;
    json_decref(value);

    if (text == NULL) {
        return pyro_error_memory(&tool->err);
    }

    pyro_rope_append(&tool->out, text, strlen(text));
    pyro_rope_append(&tool->out, "\n", 1);
    free(text);

    return PYRO_OK;
}


/* ---- list ---- */

pyro_status_e
pyro_store_tool_list(pyro_store_tool_t *tool)
{
    json_t             *list;
    pyro_status_e       status;
    pyro_store_seen_t   seen;

    list = tool->command.json ? json_array() : NULL;
    status = pyro_store_tool_open(tool, PYRO_ACCESS_READ);

    memset(&seen, 0, sizeof(pyro_store_seen_t));
    seen.tool = tool;
    seen.list = list;

    if (status == PYRO_OK && tool->command.series) {
        status = pyro_store_list_series(tool, &seen);

    } else if (status == PYRO_OK && tool->command.tenants) {
        status = pyro_store_tenants(tool->store, pyro_store_on_tenant, &seen,
                                    &tool->err);

    } else if (status == PYRO_OK) {
        status = pyro_store_parts(tool->store, pyro_store_on_part, &seen,
                                  &tool->err);
    }

    if (status != PYRO_OK) {
        json_decref(list);
        return status;
    }

    return list != NULL ? pyro_store_json_out(tool, list) : PYRO_OK;
}


static pyro_status_e
pyro_store_on_part(void *ctx, const pyro_store_part_t *part, pyro_error_t *err)
{
    char                start[PYRO_STORE_TIME_MAX], end[PYRO_STORE_TIME_MAX];
    pyro_store_seen_t  *seen = ctx;

    (void) err;

    if (seen->list != NULL) {
        json_array_append_new(seen->list, pyro_store_part_json(part));
        return PYRO_OK;
    }

    pyro_store_time_text(part->start, start);
    pyro_store_time_text(part->end, end);

    pyro_rope_printf(&seen->tool->out, "%s\t%s\t%s\t%s\t%" PRIu64 "\n",
                     part->name, start, end, part->state, part->bytes);

    return PYRO_OK;
}


static pyro_status_e
pyro_store_on_tenant(void *ctx, pyro_slice_t name, pyro_error_t *err)
{
    pyro_store_seen_t  *seen = ctx;

    if (seen->list != NULL) {
        return json_array_append_new(seen->list,
                                     json_stringn(name.data, name.len))
               ? pyro_error_memory(err) : PYRO_OK;
    }

    pyro_rope_printf(&seen->tool->out, "%.*s\n", PYRO_SLICE_ARG(name));
    pyro_store_tool_poll(seen->tool);

    return PYRO_OK;
}


static pyro_status_e
pyro_store_list_series(pyro_store_tool_t *tool, pyro_store_seen_t *seen)
{
    pyro_status_e        status;
    pyro_store_query_t   query;

    pyro_intern_init(&seen->seen, tool->arena);
    pyro_rope_init(&seen->line, 0);

    pyro_store_tool_query(tool, &query);
    status = pyro_store_series(tool->store, &query, pyro_store_on_series,
                               seen, &tool->err);

    pyro_rope_free(&seen->line);

    return status;
}


/* A series comes once a partition, and is listed once. */
static pyro_status_e
pyro_store_on_series(void *ctx, const pyro_labels_t *labels, pyro_error_t *err)
{
    uint32_t            i, n;
    pyro_slice_t        text;
    pyro_store_seen_t  *seen = ctx;
    pyro_store_tool_t  *tool;

    tool = seen->tool;

    pyro_rope_append(&seen->line, "{", 1);

    for (i = 0; i < labels->n; i++) {
        pyro_rope_printf(&seen->line, "%s%.*s=", i ? ", " : "",
                         PYRO_SLICE_ARG(labels->items[i].name));
        pyro_rope_json(&seen->line, labels->items[i].value);
    }

    pyro_rope_append(&seen->line, "}\n", 2);

    n = seen->seen.n;
    text = pyro_rope_flat(&seen->line, tool->arena);
    pyro_rope_free(&seen->line);

    if (text.data == NULL || pyro_intern(&seen->seen, text, 0) == PYRO_NONE) {
        return pyro_error_memory(err);
    }

    if (seen->seen.n == n) {
        return PYRO_OK;
    }

    if (seen->list != NULL) {
        return pyro_store_series_json(seen->list, labels, err);
    }

    pyro_rope_append(&tool->out, text.data, text.len);
    pyro_store_tool_poll(tool);

    return PYRO_OK;
}


static pyro_status_e
pyro_store_series_json(json_t *list, const pyro_labels_t *labels,
    pyro_error_t *err)
{
    int            rc;
    json_t        *object;
    uint32_t       i;
    pyro_label_t  *label;

    object = json_object();

    for (i = 0, rc = 0; i < labels->n && rc == 0; i++) {
        label = &labels->items[i];
        rc = json_object_setn_new_nocheck(object, label->name.data,
                                          label->name.len,
                                          json_stringn(label->value.data,
                                                       label->value.len));
    }

    return rc || json_array_append_new(list, object)
           ? pyro_error_memory(err) : PYRO_OK;
}
