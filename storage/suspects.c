#include "storage/suspects.h"

#include <signal.h>
#include <string.h>


#define PYRO_SUSPECTS_HELD  128     /* by one thread; beyond, none is noted */


static void pyro_suspects_died(int signo);
static void pyro_suspects_note(uint64_t id);


static pyro_suspects_t         *pyro_suspects_table;
static __thread uint64_t        pyro_suspects_held[PYRO_SUSPECTS_HELD];
static __thread volatile int    pyro_suspects_n;


void
pyro_suspects_watch(pyro_suspects_t *table)
{
    size_t             i;
    struct sigaction   action, known;

    static const int   signals[] = { SIGSEGV, SIGBUS, SIGABRT };

    pyro_suspects_table = table;

    if (table == NULL) {
        return;
    }

    memset(&action, 0, sizeof(action));
    action.sa_handler = pyro_suspects_died;
    action.sa_flags = SA_RESETHAND;
    sigemptyset(&action.sa_mask);

    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (sigaction(signals[i], NULL, &known) == 0
            && known.sa_handler == SIG_DFL)
        {
            (void) sigaction(signals[i], &action, NULL);
        }
    }
}


/* What was interrupted is done again, and now has its default end. */
static void
pyro_suspects_died(int signo)
{
    int  i, n;

    (void) signo;

    n = pyro_suspects_n;
    n = n < PYRO_SUSPECTS_HELD ? n : PYRO_SUSPECTS_HELD;

    for (i = 0; i < n; i++) {
        pyro_suspects_note(pyro_suspects_held[i]);
    }
}


static void
pyro_suspects_note(uint64_t id)
{
    int              i;
    uint64_t         free;
    pyro_suspect_t  *item;

    for (i = 0; id && i < PYRO_SUSPECTS_MAX; i++) {
        item = &pyro_suspects_table->items[i];
        free = 0;

        if (atomic_load(&item->id) == id
            || atomic_compare_exchange_strong(&item->id, &free, id)
            || free == id)
        {
            atomic_fetch_add(&item->deaths, 1);
            return;
        }
    }
}


void
pyro_suspects_enter(uint64_t id)
{
    int  n;

    n = pyro_suspects_n;

    if (n < PYRO_SUSPECTS_HELD) {
        pyro_suspects_held[n] = id;
    }

    /* the handler may run between these two */

    atomic_signal_fence(memory_order_seq_cst);
    pyro_suspects_n = n + 1;
}


void
pyro_suspects_leave(uint64_t id)
{
    int  i, n;

    n = pyro_suspects_n;

    for (i = n < PYRO_SUSPECTS_HELD ? n - 1 : PYRO_SUSPECTS_HELD - 1; i >= 0;
         i--)
    {
        if (pyro_suspects_held[i] == id) {
            break;
        }
    }

    if (i >= 0 && n <= PYRO_SUSPECTS_HELD) {
        pyro_suspects_held[i] = pyro_suspects_held[n - 1];
    }

    atomic_signal_fence(memory_order_seq_cst);
    pyro_suspects_n = n ? n - 1 : 0;
}


pyro_suspect_t *
pyro_suspects_aside(pyro_suspects_t *table, uint64_t id)
{
    int              i;
    pyro_suspect_t  *item;

    for (i = 0; table != NULL && i < PYRO_SUSPECTS_MAX; i++) {
        item = &table->items[i];

        if (atomic_load(&item->id) == id) {
            return atomic_load(&item->deaths) >= PYRO_SUSPECTS_DEATHS ? item
                                                                      : NULL;
        }
    }

    return NULL;
}
