/*
 * Commands that only read, in a process of their own: a damaged page can kill
 * it inside of LMDB (storage/suspects.h).  The next one leaves out the file
 * that two have died of.
 */

#include "cli/store_tool.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>


/* More than files can be set aside: each kills two. */
#define PYRO_STORE_DEATHS  200


typedef struct {
    atomic_int  begun;          /* something is on standard output */
} pyro_store_apart_t;


static pyro_store_apart_t  *pyro_store_apart;


static int pyro_store_apart_share(pyro_store_tool_t *tool);
static void pyro_store_apart_begin(pyro_store_tool_t *tool, pid_t parent);
static int pyro_store_apart_died(int status);
static int pyro_store_wait(pid_t pid, int *status);


int
pyro_store_tool_apart(pyro_store_tool_t *tool)
{
    int    i, status;
    pid_t  pid, parent;

    if (pyro_store_apart_share(tool)) {
        pyro_store_tool_say("%s: mmap() failed: %s", tool->command.name,
                            strerror(errno));
        return PYRO_STORE_FAILED;
    }

    parent = getpid();

    for (i = 0, status = 0; i < PYRO_STORE_DEATHS; i++) {
        pid = fork();

        if (pid == 0) {
            pyro_store_apart_begin(tool, parent);
            return -1;
        }

        if (pid == -1 || pyro_store_wait(pid, &status)) {
            pyro_store_tool_say("%s: no process: %s", tool->command.name,
                                strerror(errno));
            return PYRO_STORE_FAILED;
        }

        if (WIFEXITED(status)) {
            return WEXITSTATUS(status);
        }

        if (!pyro_store_apart_died(status)
            || atomic_load(&pyro_store_apart->begun))
        {
            break;
        }
    }

    pyro_store_tool_say("%s: killed by signal %d%s", tool->command.name,
                        WTERMSIG(status),
                        atomic_load(&pyro_store_apart->begun)
                        ? ", and standard output is cut off" : "");

    return PYRO_STORE_FAILED;
}


/* What all of the processes write to. */
static int
pyro_store_apart_share(pyro_store_tool_t *tool)
{
    char    *shared;
    size_t   size;

    size = pyro_store_shared_size();
    shared = mmap(NULL, size + sizeof(pyro_store_apart_t),
                  PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        return -1;
    }

    tool->shared = shared;
    pyro_store_apart = (pyro_store_apart_t *) (shared + size);

    return 0;
}


/* Whoever ends the tool knows of the process that he has started alone. */
static void
pyro_store_apart_begin(pyro_store_tool_t *tool, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent) {
        _exit(PYRO_STORE_FAILED);
    }

    pyro_store_watch(tool->shared);
}


/* Of what a damaged page does. */
static int
pyro_store_apart_died(int status)
{
    return WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS
           || WTERMSIG(status) == SIGABRT;
}


static int
pyro_store_wait(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) == -1) {
        if (errno != EINTR) {
            return -1;
        }
    }

    return 0;
}


void
pyro_store_tool_begun(void)
{
    atomic_store(&pyro_store_apart->begun, 1);
}
