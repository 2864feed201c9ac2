/*
 * Sealing: a partition whose time is over is copied into a compact file that
 * is not written any more (storage/sealed_hour.h), which takes its place.  What
 * comes late goes to a file beside it, and with that the next sealing begins
 * again.
 *
 * The files to copy ("sources": those of one start and length) are first marked
 * "sealing" in their own meta, so that nobody writes to them from then on, and
 * in the catalogue.  The copy is built under a name of its own with the state
 * "building", which nobody else reads, and with the list of its sources;
 * between two transactions it says how far it is, so that whoever finds it goes
 * on.  Whole, its state becomes "sealed"; then the catalogue has it in the
 * place of its sources, in one transaction, and they are unlinked.  Killed
 * between these two, pyro_catalog_adopt() does the second.
 *
 * Thinning is the same of one sealed file: its tables are copied, but for those
 * of single pushes, or of hours as well.
 *
 * One thread of the process that does the upkeep.
 */

#ifndef _PYRO_SEAL_H_INCLUDED_
#define _PYRO_SEAL_H_INCLUDED_


#include "storage/handle.h"


typedef struct pyro_seal_s  pyro_seal_t;


/*
 * Goes on with the sealing that has begun, or begins with the oldest partitions
 * that are due (options.seal_after); as long as work->seal_cpu allows, and not
 * sooner after the last call than nine times as long.  Sets work->more, and
 * work->wait.
 *
 * After an error the copy is removed, and its sources are left alone for a
 * while; they are read as before.
 */
pyro_status_e pyro_seal(pyro_store_t *store, pyro_store_work_t *work,
    pyro_error_t *err);

/* The same without waiting for its share of the processor. */
pyro_status_e pyro_seal_now(pyro_store_t *store, pyro_store_work_t *work,
    pyro_error_t *err);

/* Removes what those who were killed have left: copies whose sources are gone,
 * and files in which there is nothing yet. */
void pyro_seal_tidy(pyro_store_t *store);

/* Gives up what has begun; the copy stays for the next one. */
void pyro_seal_close(pyro_store_t *store);


#endif /* _PYRO_SEAL_H_INCLUDED_ */
