/*
 * Whose the directory is: LMDB's lock files tell living processes by their ids
 * and by locks in memory that they share, so all that have a store open must be
 * of one machine and one PID namespace.  Two containers on one volume would
 * write at once, and each would take the other's readers for dead.
 *
 * owner.lock holds the machine's boot id and the PID namespace; who has the
 * store open holds a shared flock() on it, all processes of a namespace alike:
 * workers of two generations, the upkeep, tools.  Where it names somebody else
 * who holds it, the store is not to be had; where nobody holds it the name is
 * replaced, under an exclusive lock.  flock() gives a lock up between exclusive
 * and shared, so the name is read again after that: under a shared lock nobody
 * can change it.
 *
 * The lock is the descriptor's, which belongs to the process that opened it
 * (never across a fork), and ends with it, however that ends.
 *
 * Where owner.lock is not there and cannot be made or written, on a read-only
 * or full disk, the store is opened without it: queries are answered.  A file
 * system without flock() is refused.
 */

#ifndef _PYRO_OWNER_H_INCLUDED_
#define _PYRO_OWNER_H_INCLUDED_


#include "core/base/status.h"


#define PYRO_OWNER_FILE  "owner.lock"


/*
 * *fd is the lock, or -1 for none; it is only made if make is set: a tool
 * leaves a directory as it is, and a server would have made it.
 * PYRO_UNAVAILABLE: another namespace or machine has the store open, or there
 * is no such directory.  Waits for a quarter of a second at the most.
 */
pyro_status_e pyro_owner_take(const char *dir, int make, int *fd,
    pyro_error_t *err);

/* When nothing of the store is open any more. */
void pyro_owner_leave(int fd);


#endif /* _PYRO_OWNER_H_INCLUDED_ */
