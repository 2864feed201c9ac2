/*
 * The commands of pyroscope-store that write and read dumps.
 */

#include "cli/store_tool.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>


#define PYRO_STORE_MODE   0750
#define PYRO_STORE_CHUNK  (1024 * 1024 * 1024)      /* one write() */


static int pyro_store_nowhere(void *ctx, const void *data, size_t len);
static int pyro_store_out(void *ctx, const void *data, size_t len);
static ssize_t pyro_store_in(void *ctx, void *data, size_t n);
static pyro_status_e pyro_store_dump(pyro_store_tool_t *tool,
    pyro_store_out_pt out, pyro_dump_result_t *result,
    pyro_store_missing_t *missing);
static pyro_status_e pyro_store_create(pyro_store_tool_t *tool,
    pyro_access_e *access);


static int
pyro_store_nowhere(void *ctx, const void *data, size_t len)
{
    (void) ctx;
    (void) data;
    (void) len;

    return 0;
}


static int
pyro_store_out(void *ctx, const void *data, size_t len)
{
    ssize_t      n;
    const char  *p;

    (void) ctx;

    for (p = data; len; /* void */ ) {
        n = write(STDOUT_FILENO, p,
                  len < PYRO_STORE_CHUNK ? len : PYRO_STORE_CHUNK);

        if (n > 0) {
            p += n;
            len -= (size_t) n;

        } else if (n == 0 || errno != EINTR) {
            return -1;
        }
    }

    return 0;
}


static ssize_t
pyro_store_in(void *ctx, void *data, size_t n)
{
    (void) ctx;

    return read(STDIN_FILENO, data, n);
}


/*
 * A dump is written as it is read, and cannot be taken back where a damaged
 * page kills the process in the midst of it.  So all is read once before.
 */
pyro_status_e
pyro_store_tool_export(pyro_store_tool_t *tool, int *damaged)
{
    pyro_status_e          status;
    pyro_dump_result_t     result;
    pyro_store_missing_t   missing;

    if (isatty(STDOUT_FILENO)) {
        return pyro_error_set(&tool->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "a dump is no text: send standard output to a "
                              "file or a pipe");
    }

    status = pyro_store_tool_open(tool, PYRO_ACCESS_READ);

    if (status == PYRO_OK) {
        status = pyro_store_dump(tool, pyro_store_nowhere, &result, &missing);
    }

    if (status != PYRO_OK) {
        return status;
    }

    pyro_store_tool_begun();
    status = pyro_store_dump(tool, pyro_store_out, &result, &missing);

    *damaged |= pyro_store_tool_lacks(&missing);

    if (status == PYRO_OK) {
        pyro_store_tool_say("exported %" PRIu64 " pushes", result.pushes);
    }

    if (status == PYRO_OK && result.damaged) {
        pyro_store_tool_say("warning: %" PRIu64 " damaged records were left "
                            "out", result.damaged);
    }

    return status;
}


static pyro_status_e
pyro_store_dump(pyro_store_tool_t *tool, pyro_store_out_pt out,
    pyro_dump_result_t *result, pyro_store_missing_t *missing)
{
    pyro_status_e       status;
    pyro_store_query_t  query;

    memset(missing, 0, sizeof(pyro_store_missing_t));
    pyro_store_tool_query(tool, &query);
    query.missing = missing;
    query.arena = pyro_arena_create(0);

    if (query.arena == NULL) {
        return pyro_error_memory(&tool->err);
    }

    status = pyro_store_export(tool->store, &query, out, NULL, result,
                               &tool->err);
    pyro_arena_destroy(query.arena);

    return status;
}


pyro_status_e
pyro_store_tool_import(pyro_store_tool_t *tool)
{
    pyro_access_e        access;
    pyro_status_e        status;
    pyro_dump_result_t   result;

    access = PYRO_ACCESS_WRITE;
    status = tool->command.create ? pyro_store_create(tool, &access) : PYRO_OK;

    if (status == PYRO_OK) {
        status = pyro_store_tool_open(tool, access);
    }

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_store_import(tool->store, pyro_store_in, NULL, &result,
                               &tool->err);

    pyro_rope_printf(&tool->out, "imported %" PRIu64 " pushes: %" PRIu64
                     " stored, %" PRIu64 " repeated\n", result.pushes,
                     result.stored, result.repeated);

    if (result.folded) {
        pyro_store_tool_say("warning: %" PRIu64 " stacks ended in \"other\" "
                            "for lack of room", result.folded);
    }

    return status;
}


/* A store may be made in a directory that is empty or not there. */
static pyro_status_e
pyro_store_create(pyro_store_tool_t *tool, pyro_access_e *access)
{
    int             empty, is;
    DIR            *dir;
    struct dirent  *entry;

    if (mkdir(tool->command.dir, PYRO_STORE_MODE) == 0) {
        *access = PYRO_ACCESS_MAKE;
        return PYRO_OK;
    }

    dir = errno == EEXIST ? opendir(tool->command.dir) : NULL;

    if (dir == NULL) {
        return pyro_error_set(&tool->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "\"%s\" cannot be made: %s", tool->command.dir,
                              strerror(errno));
    }

    empty = 1;
    is = 0;

    while ((entry = readdir(dir)) != NULL) {
        is |= strcmp(entry->d_name, "control.mdb") == 0;
        empty &= strcmp(entry->d_name, ".") == 0
                 || strcmp(entry->d_name, "..") == 0;
    }

    closedir(dir);

    if (!is && !empty) {
        return pyro_error_set(&tool->err, PYRO_NOT_FOUND, PYRO_REASON_STORE,
                              "\"%s\" holds no store and is not empty",
                              tool->command.dir);
    }

    *access = is ? PYRO_ACCESS_WRITE : PYRO_ACCESS_MAKE;

    return PYRO_OK;
}
