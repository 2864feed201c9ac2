/*
 * pyro_store_check(): a child process for each file, and what the catalogue and
 * the directory say of each other.
 */

#include "storage/check.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>


#define PYRO_CHECK_CONTROL  "control.mdb"


/* A tenant as a partition has it, compared when all have been read. */
typedef struct {
    uint32_t              part;         /* its number */
    pyro_check_tenant_t   tenant;
} pyro_check_copy_t;


typedef struct {
    const char           *dir;
    pyro_finding_pt       handler;
    void                 *ctx;
    pyro_check_result_t  *result;
    pyro_error_t         *err;
    pyro_arena_t         *arena;

    pyro_slice_t         *names;        /* in the directory, at the start */
    uint32_t              n_names;
    uint32_t              cap_names;

    pyro_check_part_t    *parts;
    uint32_t              n_parts;
    uint32_t              cap_parts;
    pyro_check_tenant_t  *tenants;      /* the catalogue's */
    uint32_t              n_tenants;
    uint32_t              cap_tenants;
    pyro_check_copy_t    *copies;
    uint32_t              n_copies;
    uint32_t              cap_copies;
} pyro_checking_t;


/* What is known of the child that is running. */
typedef struct {
    pyro_checking_t      *checking;
    const char           *file;
    uint32_t              part;         /* its number, or PYRO_NONE */
    uint64_t              findings;
    int                   gone;
    int                   done;
    char                  at[16];       /* database being read */
} pyro_check_child_t;


/* In the child; part PYRO_NONE: control.mdb. */
typedef void (*pyro_check_work_pt)(pyro_checking_t *k, uint32_t part, int fd);


static pyro_status_e pyro_checking_names(pyro_checking_t *k);
static pyro_status_e pyro_checking_catalog(pyro_checking_t *k, int again);
static pyro_status_e pyro_checking_part(pyro_checking_t *k, uint32_t i);
static int pyro_checking_still(pyro_checking_t *k, uint32_t i);
static pyro_status_e pyro_checking_fork(pyro_checking_t *k,
    pyro_check_child_t *child, pyro_check_work_pt work);
static void pyro_checking_child(pyro_checking_t *k, uint32_t part, int fd,
    pyro_check_work_pt work);
static pyro_status_e pyro_checking_listen(pyro_check_child_t *child, int fd);
static pyro_status_e pyro_checking_message(pyro_check_child_t *child,
    const pyro_check_message_t *message);
static void pyro_checking_report(pyro_check_child_t *child, int note,
    const char *what, uint64_t id, const char *text);
static void pyro_checking_death(pyro_check_child_t *child, int status);
static void pyro_checking_end(pyro_check_child_t *child);
static void pyro_check_control_work(pyro_checking_t *k, uint32_t part, int fd);
static void pyro_check_part_work(pyro_checking_t *k, uint32_t part, int fd);
static void pyro_checking_tenants(pyro_checking_t *k);
static void pyro_checking_strays(pyro_checking_t *k);
static int pyro_checking_is_ours(const char *name);


pyro_status_e
pyro_store_check(const char *dir, pyro_finding_pt handler, void *ctx,
    pyro_check_result_t *result, pyro_error_t *err)
{
    uint32_t          i;
    pyro_status_e     status;
    pyro_checking_t   k;

    memset(&k, 0, sizeof(pyro_checking_t));
    memset(result, 0, sizeof(pyro_check_result_t));

    k.dir = dir;
    k.handler = handler;
    k.ctx = ctx;
    k.result = result;
    k.err = err;
    k.arena = pyro_arena_create(0);

    if (k.arena == NULL) {
        return pyro_error_memory(err);
    }

    /* names before the catalogue: what is made meanwhile is no stray */

    status = pyro_checking_names(&k);

    if (status == PYRO_OK) {
        status = pyro_checking_catalog(&k, 0);
    }

    for (i = 0; i < k.n_parts && status == PYRO_OK; i++) {
        status = pyro_checking_part(&k, i);
    }

    /* a tenant enters the catalogue before any partition */

    if (status == PYRO_OK && k.n_tenants) {
        status = pyro_checking_catalog(&k, 1);
    }

    if (status == PYRO_OK) {
        pyro_checking_tenants(&k);
        pyro_checking_strays(&k);
    }

    pyro_arena_destroy(k.arena);

    return status;
}


static pyro_status_e
pyro_checking_names(pyro_checking_t *k)
{
    int              found;
    DIR             *dir;
    pyro_slice_t    *name;
    struct dirent   *entry;

    found = 0;
    dir = opendir(k->dir);

    if (dir == NULL) {
        return pyro_error_set(k->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "\"%s\": %s", k->dir, strerror(errno));
    }

    while ((entry = readdir(dir)) != NULL) {

        if (entry->d_name[0] == '.') {
            continue;
        }

        found |= strcmp(entry->d_name, PYRO_CHECK_CONTROL) == 0;

        if (pyro_arena_grow(k->arena, &k->names, &k->cap_names,
                            (size_t) k->n_names + 1, sizeof(pyro_slice_t)))
        {
            closedir(dir);
            return pyro_error_memory(k->err);
        }

        name = &k->names[k->n_names++];
        *name = pyro_arena_dup(k->arena, pyro_slice_str(entry->d_name));

        if (name->data == NULL) {
            closedir(dir);
            return pyro_error_memory(k->err);
        }
    }

    closedir(dir);

    return found ? PYRO_OK
           : pyro_error_set(k->err, PYRO_NOT_FOUND, PYRO_REASON_STORE,
                            "\"%s\" holds no store: there is no %s", k->dir,
                            PYRO_CHECK_CONTROL);
}


/*
 * control.mdb, and what it names; again: its tenants alone are taken.  If it
 * cannot be read, the partitions that are there are read by themselves.
 */
static pyro_status_e
pyro_checking_catalog(pyro_checking_t *k, int again)
{
    uint32_t             i, parts;
    pyro_status_e        status;
    pyro_finding_pt      handler;
    pyro_check_part_t   *part;
    pyro_check_child_t   child;

    memset(&child, 0, sizeof(pyro_check_child_t));

    child.checking = k;
    child.file = PYRO_CHECK_CONTROL;
    child.part = PYRO_NONE;

    parts = k->n_parts;
    k->n_tenants = 0;

    handler = k->handler;
    k->handler = again ? NULL : handler;

    status = pyro_checking_fork(k, &child, pyro_check_control_work);

    k->handler = handler;

    if (again) {
        k->n_parts = parts;
        return status;
    }

    pyro_checking_end(&child);

    if (status != PYRO_OK || child.findings == 0) {
        return status;
    }

    k->n_parts = 0;
    k->n_tenants = 0;

    for (i = 0; i < k->n_names; i++) {

        if (!pyro_catalog_is_partition(k->names[i].data)) {
            continue;
        }

        if (pyro_arena_grow(k->arena, &k->parts, &k->cap_parts,
                            (size_t) k->n_parts + 1,
                            sizeof(pyro_check_part_t)))
        {
            return pyro_error_memory(k->err);
        }

        part = &k->parts[k->n_parts++];
        memset(part, 0, sizeof(pyro_check_part_t));
        memcpy(part->name, k->names[i].data, k->names[i].len);
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_checking_part(pyro_checking_t *k, uint32_t i)
{
    pyro_status_e       status;
    pyro_check_child_t  child;

    memset(&child, 0, sizeof(pyro_check_child_t));

    child.checking = k;
    child.file = k->parts[i].name;
    child.part = i;

    status = pyro_checking_fork(k, &child, pyro_check_part_work);

    if (status != PYRO_OK) {
        return status;
    }

    if (child.gone && pyro_checking_still(k, i)) {
        pyro_checking_report(&child, 0, "file", 0, "the catalogue names it, "
                             "and it is not there");
    }

    pyro_checking_end(&child);

    return PYRO_OK;
}


/* 1 if the catalogue names the partition now as well. */
static int
pyro_checking_still(pyro_checking_t *k, uint32_t i)
{
    int                 still;
    uint32_t            n;
    pyro_checking_t     now;
    pyro_check_child_t  child;

    now = *k;
    now.handler = NULL;
    now.parts = NULL;
    now.n_parts = 0;
    now.cap_parts = 0;

    memset(&child, 0, sizeof(pyro_check_child_t));

    child.checking = &now;
    child.file = PYRO_CHECK_CONTROL;
    child.part = PYRO_NONE;

    if (!k->parts[i].known
        || pyro_checking_fork(&now, &child, pyro_check_control_work)
           != PYRO_OK)
    {
        return 0;
    }

    still = 0;

    for (n = 0; n < now.n_parts; n++) {
        still |= strcmp(now.parts[n].name, k->parts[i].name) == 0;
    }

    k->tenants = now.tenants;
    k->cap_tenants = now.cap_tenants;

    return still;
}


/* ---- children ---- */

static pyro_status_e
pyro_checking_fork(pyro_checking_t *k, pyro_check_child_t *child,
    pyro_check_work_pt work)
{
    int            fds[2], status;
    pid_t          pid;
    pyro_status_e  rc;

    if (pipe(fds)) {
        return pyro_error_set(k->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "no pipe for a child process: %s",
                              strerror(errno));
    }

    pid = fork();

    if (pid == -1) {
        close(fds[0]);
        close(fds[1]);
        return pyro_error_set(k->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "no child process: %s", strerror(errno));
    }

    if (pid == 0) {
        close(fds[0]);
        pyro_checking_child(k, child->part, fds[1], work);
    }

    close(fds[1]);
    rc = pyro_checking_listen(child, fds[0]);
    close(fds[0]);

    while (waitpid(pid, &status, 0) == -1 && errno == EINTR) { /* void */ }

    if (rc == PYRO_OK && !child->done) {
        pyro_checking_death(child, status);
    }

    return rc;
}


/* Does not return.  Dying is what it is for: without a handler, or a core. */
static void
pyro_checking_child(pyro_checking_t *k, uint32_t part, int fd,
    pyro_check_work_pt work)
{
    size_t         i;
    struct rlimit  none = { 0, 0 };
    static int     fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

    for (i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        signal(fatal[i], SIG_DFL);
    }

    (void) setrlimit(RLIMIT_CORE, &none);

    work(k, part, fd);
    _exit(0);
}


static pyro_status_e
pyro_checking_listen(pyro_check_child_t *child, int fd)
{
    size_t                 got;
    ssize_t                n;
    pyro_status_e          status;
    pyro_check_message_t   message;

    got = 0;

    for ( ;; ) {
        n = read(fd, (char *) &message + got, sizeof(message) - got);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return PYRO_OK;
        }

        got += n > 0 ? (size_t) n : 0;

        if (got == sizeof(message)) {
            status = pyro_checking_message(child, &message);
            got = 0;

            if (status != PYRO_OK) {
                return status;
            }
        }
    }
}


static pyro_status_e
pyro_checking_message(pyro_check_child_t *child,
    const pyro_check_message_t *message)
{
    pyro_checking_t    *k;
    pyro_check_copy_t  *copy;

    k = child->checking;

    switch (message->kind) {

    case PYRO_CHECK_DAMAGE:
    case PYRO_CHECK_NOTE:
        pyro_checking_report(child, message->kind == PYRO_CHECK_NOTE,
                             message->what, message->id, message->text);
        break;

    case PYRO_CHECK_AT:
        memcpy(child->at, message->what, sizeof(child->at));
        break;

    case PYRO_CHECK_PART:

        if (pyro_arena_grow(k->arena, &k->parts, &k->cap_parts,
                            (size_t) k->n_parts + 1,
                            sizeof(pyro_check_part_t)))
        {
            return pyro_error_memory(k->err);
        }

        k->parts[k->n_parts++] = message->part;
        break;

    case PYRO_CHECK_TENANT:

        if (child->part == PYRO_NONE) {

            if (pyro_arena_grow(k->arena, &k->tenants, &k->cap_tenants,
                                (size_t) k->n_tenants + 1,
                                sizeof(pyro_check_tenant_t)))
            {
                return pyro_error_memory(k->err);
            }

            k->tenants[k->n_tenants++] = message->tenant;
            break;
        }

        if (pyro_arena_grow(k->arena, &k->copies, &k->cap_copies,
                            (size_t) k->n_copies + 1,
                            sizeof(pyro_check_copy_t)))
        {
            return pyro_error_memory(k->err);
        }

        copy = &k->copies[k->n_copies++];
        copy->part = child->part;
        copy->tenant = message->tenant;
        break;

    case PYRO_CHECK_GONE:
        child->gone = 1;
        break;

    case PYRO_CHECK_REFUSED:
        return pyro_error_set(k->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "%s", message->text);

    case PYRO_CHECK_DONE:
        child->done = 1;
        child->findings += message->done.more;
        k->result->findings += message->done.more;
        k->result->pushes += message->done.pushes;
        k->result->rollups += message->done.rollups;
        break;
    }

    return PYRO_OK;
}


static void
pyro_checking_report(pyro_check_child_t *child, int note, const char *what,
    uint64_t id, const char *text)
{
    pyro_finding_t    finding;
    pyro_checking_t  *k;

    k = child->checking;

    /* what is read once more was told the first time */

    if (k->handler == NULL) {
        return;
    }

    finding.file = child->file;
    finding.what = what;
    finding.id = id;
    finding.text = text;
    finding.note = note;

    if (!note) {
        child->findings++;
        k->result->findings++;
    }

    k->handler(k->ctx, &finding);
}


static void
pyro_checking_death(pyro_check_child_t *child, int status)
{
    char  text[128];

    if (WIFSIGNALED(status)) {
        snprintf(text, sizeof(text), "a process that read it died: signal %d "
                 "(%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));

    } else {
        snprintf(text, sizeof(text), "a process that read it ended with status "
                 "%d", WEXITSTATUS(status));
    }

    pyro_checking_report(child, 0, child->at[0] ? child->at : "file", 0, text);
}


static void
pyro_checking_end(pyro_check_child_t *child)
{
    child->checking->result->files++;
    child->checking->result->damaged += child->findings != 0;

    if (child->part != PYRO_NONE) {
        child->checking->parts[child->part].damaged = child->findings != 0;
    }
}


static void
pyro_check_control_work(pyro_checking_t *k, uint32_t part, int fd)
{
    pyro_check_sink_t  sink;

    (void) part;

    memset(&sink, 0, sizeof(pyro_check_sink_t));
    sink.fd = fd;

    pyro_check_control(&sink, k->dir);
    pyro_check_done(&sink);
}


static void
pyro_check_part_work(pyro_checking_t *k, uint32_t part, int fd)
{
    pyro_check_t  *c;

    c = calloc(1, sizeof(pyro_check_t));

    if (c == NULL) {
        _exit(1);
    }

    c->sink.fd = fd;

    pyro_check_partition(c, k->dir, &k->parts[part]);
    pyro_check_done(&c->sink);

    free(c);
}


/* ---- the catalogue and the others ---- */

static void
pyro_checking_tenants(pyro_checking_t *k)
{
    char                  text[128];
    uint32_t              i, n;
    pyro_check_child_t    child;
    pyro_check_copy_t    *copy;

    memset(&child, 0, sizeof(pyro_check_child_t));
    child.checking = k;

    for (i = 0; i < k->n_copies; i++) {
        copy = &k->copies[i];

        if (!k->parts[copy->part].known) {
            continue;
        }

        for (n = 0; n < k->n_tenants; n++) {
            if (k->tenants[n].tenant == copy->tenant.tenant
                && k->tenants[n].hash == copy->tenant.hash)
            {
                break;
            }
        }

        if (n < k->n_tenants) {
            continue;
        }

        snprintf(text, sizeof(text), "its tenant %u is another one, or none, "
                 "in the catalogue", copy->tenant.tenant);

        child.file = k->parts[copy->part].name;
        pyro_checking_report(&child, 0, "tenant", copy->tenant.tenant, text);

        if (!k->parts[copy->part].damaged) {
            k->parts[copy->part].damaged = 1;
            k->result->damaged++;
        }
    }
}


static void
pyro_checking_strays(pyro_checking_t *k)
{
    char                 path[4096];
    uint32_t             i, n;
    const char          *name;
    pyro_check_child_t   child;

    memset(&child, 0, sizeof(pyro_check_child_t));
    child.checking = k;

    for (i = 0; i < k->n_names; i++) {
        name = k->names[i].data;

        for (n = 0; n < k->n_parts; n++) {
            if (strcmp(k->parts[n].name, name) == 0) {
                break;
            }
        }

        snprintf(path, sizeof(path), "%s/%s", k->dir, name);

        if (n < k->n_parts || pyro_checking_is_ours(name)
            || access(path, F_OK))
        {
            continue;
        }

        child.file = name;
        pyro_checking_report(&child, 1, "file", 0,
                             pyro_catalog_is_partition(name)
                             ? "the catalogue does not name it: a server takes "
                               "it in, or removes it, when it opens the store"
                             : "it is no file of the store");
    }
}


/* Files beside the partitions. */
static int
pyro_checking_is_ours(const char *name)
{
    size_t  len;

    len = strlen(name);

    return strcmp(name, PYRO_CHECK_CONTROL) == 0
           || strcmp(name, PYRO_UPKEEP_LOCK) == 0
           || strcmp(name, PYRO_OWNER_FILE) == 0
           || (len > 9 && strcmp(name + len - 9, ".mdb-lock") == 0);
}
