/*
 * Pushes that another file of their time has: a day that is sealed, or being
 * sealed, has its late pushes in a file beside it, and a retry of one that was
 * stored before must be found there.
 *
 * Such files do not change.  The one that is written came into being after the
 * last of them was closed to writers, and whoever writes to it sees in his own
 * transaction that it is not closed yet: so what is not found here before that
 * transaction is nowhere but in the file itself.
 *
 * One thread, under the store's write mutex; memory is the arena's.
 */

#ifndef _PYRO_REPEATS_H_INCLUDED_
#define _PYRO_REPEATS_H_INCLUDED_


#include "storage/reader.h"


typedef struct {
    pyro_store_t         *store;
    pyro_store_query_t    query;
    pyro_read_t          *reads;        /* a file each */
    uint32_t              n;
} pyro_repeats_t;


/*
 * Opens all files but part that have times from start to end (ns, both
 * included).  PYRO_NOT_FOUND: one of them was just replaced, begin again.
 */
pyro_status_e pyro_repeats_begin(pyro_repeats_t *repeats, pyro_store_t *store,
    const pyro_partition_t *part, int64_t start, int64_t end,
    pyro_arena_t *arena, pyro_error_t *err);

/* *found: a push with these labels, time and digest is there; with digest NULL
 * a stream with these labels is enough.  In what is damaged nothing is found:
 * the push would not be stored at all else, for as long as that file is there.
 */
pyro_status_e pyro_repeats_find(pyro_repeats_t *repeats, uint32_t tenant,
    const pyro_labels_t *labels, int64_t time, const pyro_hash128_t *digest,
    int *found);

/* After an error of a read: PYRO_OK if it was damage, and the read can go on,
 * in a new transaction; or the error. */
pyro_status_e pyro_repeats_pass(pyro_read_t *read, pyro_status_e status);

void pyro_repeats_end(pyro_repeats_t *repeats);


#endif /* _PYRO_REPEATS_H_INCLUDED_ */
