#include "storage/suspects.h"

#include <signal.h>
#include <string.h>


#define PYRO_SUSPECTS_HELD  128     /* by one thread; beyond, none is noted */

#define PYRO_SUSPECTS_TEXT(n)    #n
#define PYRO_SUSPECTS_NUMBER(n)  PYRO_SUSPECTS_TEXT(n)


static void pyro_suspects_died(int signo);
static void pyro_suspects_note(uint64_t id);
static pyro_suspect_t *pyro_suspects_enter_file(pyro_suspects_t *table,
    uint64_t id, int max);


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
    pyro_suspect_t  *item;

    item = id ? pyro_suspects_enter_file(pyro_suspects_table, id,
                                         PYRO_SUSPECTS_MAX)
              : NULL;

    if (item != NULL) {
        atomic_fetch_add(&item->deaths, 1);
    }
}


/* Its entry, which is made; NULL: there is no room in the first max. */
static pyro_suspect_t *
pyro_suspects_enter_file(pyro_suspects_t *table, uint64_t id, int max)
{
    int              i;
    uint64_t         free;
    pyro_suspect_t  *item;

    for (i = 0; i < max; i++) {
        item = &table->items[i];
        free = 0;

        if (atomic_load(&item->id) == id
            || atomic_compare_exchange_strong(&item->id, &free, id)
            || free == id)
        {
            return item;
        }
    }

    return NULL;
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


int
pyro_suspects_damage(pyro_suspects_t *table, uint64_t id, uint32_t damage)
{
    int              max;
    pyro_suspect_t  *item;

    max = damage & PYRO_SUSPECT_OPEN ? PYRO_SUSPECTS_MAX : PYRO_SUSPECTS_LEFT;
    item = table != NULL ? pyro_suspects_enter_file(table, id, max) : NULL;

    if (item == NULL) {
        return 0;
    }

    atomic_fetch_or(&item->damage, damage);

    return 1;
}


pyro_suspect_t *
pyro_suspects_find(pyro_suspects_t *table, uint64_t id)
{
    int       i;
    uint64_t  known;

    /* entries fill the table from its beginning, and stay */

    for (i = 0, known = 1; table != NULL && i < PYRO_SUSPECTS_MAX && known;
         i++)
    {
        known = atomic_load(&table->items[i].id);

        if (known == id) {
            return &table->items[i];
        }
    }

    return NULL;
}


int
pyro_suspect_is_aside(const pyro_suspect_t *item)
{
    return item != NULL
           && (atomic_load(&item->deaths) >= PYRO_SUSPECTS_DEATHS
               || atomic_load(&item->damage) & PYRO_SUSPECT_OPEN);
}


int
pyro_suspect_is_left(const pyro_suspect_t *item)
{
    return item != NULL && atomic_load(&item->damage) & PYRO_SUSPECT_WRITE;
}


const char *
pyro_suspect_text(const pyro_suspect_t *item)
{
    if (atomic_load(&item->damage) & PYRO_SUSPECT_OPEN) {
        return "is set aside: it cannot be opened";
    }

    if (pyro_suspect_is_aside(item)) {
        return "is set aside: " PYRO_SUSPECTS_NUMBER(PYRO_SUSPECTS_DEATHS)
               " processes have died of it";
    }

    return "is damaged, and is not written any more";
}


void
pyro_suspect_clear(pyro_suspect_t *item)
{
    atomic_store(&item->verdict, PYRO_SUSPECT_UNKNOWN);
    atomic_store(&item->told, 0);
    atomic_store(&item->damage, 0);
    atomic_store(&item->deaths, 0);
}
