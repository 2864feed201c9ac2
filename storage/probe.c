#include "storage/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/check.h"
#include "storage/suspects.h"


static void pyro_probe_part(pyro_store_t *store, const pyro_partition_t *part,
    pyro_suspect_t *item);
static void pyro_probe_begin(pyro_store_t *store, const pyro_partition_t *part,
    pyro_suspect_t *item);
static void pyro_probe_tell(pyro_store_work_t *work,
    const pyro_partition_t *part, pyro_suspect_t *item);
static int pyro_probe_child(const char *dir, const pyro_partition_t *part);
static int pyro_probe_runs(pyro_suspect_t *item);


void
pyro_probe(pyro_store_t *store, pyro_store_work_t *work)
{
    uint32_t            i, n;
    pyro_arena_t       *arena;
    pyro_suspect_t     *item;
    pyro_partition_t  **parts;

    if (store->catalog.options.shared == NULL) {
        return;
    }

    arena = pyro_arena_create(0);
    n = 0;

    if (arena == NULL
        || pyro_catalog_list(&store->catalog, 0, INT64_MAX, arena, &parts, &n,
                             NULL)
           != PYRO_OK)
    {
        n = 0;
    }

    for (i = 0; i < n; i++) {
        item = pyro_catalog_suspect(&store->catalog, parts[i]);

        if (item == NULL) {
            continue;
        }

        if (pyro_suspect_is_aside(item)) {
            pyro_probe_part(store, parts[i], item);
        }

        pyro_probe_tell(work, parts[i], item);
    }

    pyro_arena_destroy(arena);
}


static void
pyro_probe_part(pyro_store_t *store, const pyro_partition_t *part,
    pyro_suspect_t *item)
{
    switch (atomic_load(&item->verdict)) {

    case PYRO_SUSPECT_UNKNOWN:
        pyro_probe_begin(store, part, item);
        break;

    case PYRO_SUSPECT_CHECKED:
        if (!pyro_probe_runs(item)) {
            /* it died without a word, as the others did */
            atomic_store(&item->verdict, PYRO_SUSPECT_DAMAGED);
        }

        break;

    case PYRO_SUSPECT_SOUND:
        pyro_suspect_clear(item);
        break;

    default:
        break;
    }
}


/* One at a time: the others with the next calls. */
static void
pyro_probe_tell(pyro_store_work_t *work, const pyro_partition_t *part,
    pyro_suspect_t *item)
{
    uint32_t  news;

    news = pyro_suspect_is_aside(item) ? 2 : pyro_suspect_is_left(item) ? 1 : 0;

    if (work->found[0] || news <= atomic_load(&item->told)) {
        return;
    }

    atomic_store(&item->told, news);

    snprintf(work->found, sizeof(work->found), "%s %s", part->name,
             pyro_suspect_text(item));
}


static void
pyro_probe_begin(pyro_store_t *store, const pyro_partition_t *part,
    pyro_suspect_t *item)
{
    int       sound;
    pid_t     pid;
    uint32_t  unknown;

    pid = fork();

    if (pid == 0) {
        sound = pyro_probe_child(store->catalog.dir, part);
        atomic_store(&item->verdict, sound ? PYRO_SUSPECT_SOUND
                                           : PYRO_SUSPECT_DAMAGED);
        _exit(0);
    }

    if (pid > 0) {
        /* the child may have its verdict already */

        unknown = PYRO_SUSPECT_UNKNOWN;
        atomic_store(&item->child, (int) pid);
        atomic_compare_exchange_strong(&item->verdict, &unknown,
                                       PYRO_SUSPECT_CHECKED);
    }
}


/* 1: all of the file can be read, and is what it should be. */
static int
pyro_probe_child(const char *dir, const pyro_partition_t *part)
{
    int                 i;
    pyro_check_t       *c;
    struct rlimit       none = { 0, 0 };
    pyro_check_part_t   expected;

    static const int    signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGTERM,
                                      SIGINT, SIGQUIT, SIGHUP };

    for (i = 0; i < (int) (sizeof(signals) / sizeof(signals[0])); i++) {
        signal(signals[i], SIG_DFL);
    }

    (void) setrlimit(RLIMIT_CORE, &none);

    c = calloc(1, sizeof(pyro_check_t));

    if (c == NULL) {
        return 0;
    }

    memset(&expected, 0, sizeof(pyro_check_part_t));
    memcpy(expected.name, part->name, PYRO_FILE_NAME_MAX);

    expected.start = part->start;
    expected.length = part->length;
    expected.generation = part->generation;
    expected.known = 1;

    c->sink.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pyro_check_partition(c, dir, &expected);

    return c->sink.damages == 0;
}


/* Whoever has a handler for SIGCHLD may have waited for it. */
static int
pyro_probe_runs(pyro_suspect_t *item)
{
    pid_t  pid, done;

    pid = atomic_load(&item->child);
    done = waitpid(pid, NULL, WNOHANG);

    return done == 0
           || (done == -1 && errno == ECHILD && kill(pid, 0) == 0
               && atomic_load(&item->verdict) == PYRO_SUSPECT_CHECKED);
}
