/*
 * Time, as numbers.  core never asks nginx for it.  Any thread.
 */

#ifndef _PYRO_CLOCK_H_INCLUDED_
#define _PYRO_CLOCK_H_INCLUDED_


#include <stdint.h>
#include <time.h>


#define PYRO_NS_PER_SEC  1000000000LL
#define PYRO_NS_PER_MS   1000000LL


/* Nanoseconds since the Unix epoch. */
static inline int64_t
pyro_clock_wall(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * PYRO_NS_PER_SEC + ts.tv_nsec;
}


/* Nanoseconds that never run backwards: deadlines and durations. */
static inline int64_t
pyro_clock_mono(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * PYRO_NS_PER_SEC + ts.tv_nsec;
}


#endif /* _PYRO_CLOCK_H_INCLUDED_ */
