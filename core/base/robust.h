/*
 * A mutex in memory that processes share, which the kernel gives back for one
 * that dies.  Who gets it then is not told: what it guards is sound at every
 * moment.  Any thread.
 */

#ifndef _PYRO_ROBUST_H_INCLUDED_
#define _PYRO_ROBUST_H_INCLUDED_


#include <pthread.h>


/* 0, or an error number. */
int pyro_robust_init(pthread_mutex_t *mutex);
int pyro_robust_lock(pthread_mutex_t *mutex);
int pyro_robust_trylock(pthread_mutex_t *mutex);


#endif /* _PYRO_ROBUST_H_INCLUDED_ */
