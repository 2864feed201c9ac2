#include "core/base/crew.h"

#include <string.h>

#include "core/base/robust.h"


#define PYRO_CREW_LINE  64
#define pyro_crew_lines(n)                                                    \
    (((n) + PYRO_CREW_LINE - 1) / PYRO_CREW_LINE * PYRO_CREW_LINE)


/* Slots follow: a mutex each, and the bytes on the next line. */
struct pyro_crew_s {
    pthread_mutex_t  gate;          /* of looking, which holds free slots */
    size_t           data;
};


static pthread_mutex_t *pyro_crew_slot(pyro_crew_t *crew, unsigned i);
static void *pyro_crew_data(pthread_mutex_t *slot);


size_t
pyro_crew_size(size_t data)
{
    return pyro_crew_lines(sizeof(pyro_crew_t))
           + PYRO_CREW_SLOTS * (pyro_crew_lines(sizeof(pthread_mutex_t))
                                + pyro_crew_lines(data));
}


int
pyro_crew_init(pyro_crew_t *crew, size_t data)
{
    unsigned  i;

    memset(crew, 0, pyro_crew_size(data));
    crew->data = data;

    if (pyro_robust_init(&crew->gate) != 0) {
        return -1;
    }

    for (i = 0; i < PYRO_CREW_SLOTS; i++) {
        if (pyro_robust_init(pyro_crew_slot(crew, i)) != 0) {
            return -1;
        }
    }

    return 0;
}


static pthread_mutex_t *
pyro_crew_slot(pyro_crew_t *crew, unsigned i)
{
    return (pthread_mutex_t *) ((char *) crew
                                + pyro_crew_lines(sizeof(pyro_crew_t))
                                + i * (pyro_crew_lines(sizeof(pthread_mutex_t))
                                       + pyro_crew_lines(crew->data)));
}


static void *
pyro_crew_data(pthread_mutex_t *slot)
{
    return (char *) slot + pyro_crew_lines(sizeof(pthread_mutex_t));
}


void *
pyro_crew_join(pyro_crew_t *crew)
{
    void             *data;
    unsigned          i;
    pthread_mutex_t  *slot;

    if (pyro_robust_lock(&crew->gate) != 0) {
        return NULL;
    }

    data = NULL;

    for (i = 0; i < PYRO_CREW_SLOTS && data == NULL; i++) {
        slot = pyro_crew_slot(crew, i);

        /* nobody has it, or nobody alive */

        if (pyro_robust_trylock(slot) == 0) {
            data = pyro_crew_data(slot);
            memset(data, 0, crew->data);
        }
    }

    pthread_mutex_unlock(&crew->gate);

    return data;
}


unsigned
pyro_crew_each(pyro_crew_t *crew, pyro_crew_pt handler, void *ctx)
{
    unsigned          i, n;
    pthread_mutex_t  *slot;

    if (pyro_robust_lock(&crew->gate) != 0) {
        return 0;
    }

    for (i = 0, n = 0; i < PYRO_CREW_SLOTS; i++) {
        slot = pyro_crew_slot(crew, i);

        if (pyro_robust_trylock(slot) == 0) {
            pthread_mutex_unlock(slot);

        } else {
            handler(ctx, pyro_crew_data(slot));
            n++;
        }
    }

    pthread_mutex_unlock(&crew->gate);

    return n;
}
