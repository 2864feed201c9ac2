/*
 * Files that are set aside (storage/suspects.h) are read by a child process,
 * once: one that it can read as a whole, and finds sound, is used again.
 *
 * Part of the upkeep, whose process has one thread: the child opens the file by
 * itself and touches nothing that it inherited.
 */

#ifndef _PYRO_PROBE_H_INCLUDED_
#define _PYRO_PROBE_H_INCLUDED_


#include "storage/handle.h"


/* Begins with files that nobody has looked at, and takes in what children have
 * found; does not wait for them.  Sets work->found. */
void pyro_probe(pyro_store_t *store, pyro_store_work_t *work);


#endif /* _PYRO_PROBE_H_INCLUDED_ */
