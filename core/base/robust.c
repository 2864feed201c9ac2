#include "core/base/robust.h"

#include <errno.h>


static int pyro_robust_taken(pthread_mutex_t *mutex, int rc);


int
pyro_robust_init(pthread_mutex_t *mutex)
{
    int                  rc;
    pthread_mutexattr_t  attr;

    rc = pthread_mutexattr_init(&attr);

    if (rc != 0) {
        return rc;
    }

    (void) pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    (void) pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);

    rc = pthread_mutex_init(mutex, &attr);
    pthread_mutexattr_destroy(&attr);

    return rc;
}


int
pyro_robust_lock(pthread_mutex_t *mutex)
{
    return pyro_robust_taken(mutex, pthread_mutex_lock(mutex));
}


int
pyro_robust_trylock(pthread_mutex_t *mutex)
{
    return pyro_robust_taken(mutex, pthread_mutex_trylock(mutex));
}


static int
pyro_robust_taken(pthread_mutex_t *mutex, int rc)
{
    return rc == EOWNERDEAD ? pthread_mutex_consistent(mutex) : rc;
}
