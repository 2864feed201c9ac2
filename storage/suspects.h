/*
 * Partitions that are damaged.
 *
 * Those that kill: a damaged page can end a process inside of LMDB, by
 * SIGSEGV or SIGBUS where a number in it points beyond the map, or by SIGABRT.
 * The next process would read the same page, and so on.
 *
 * So each thread says which files it has transactions of; the handler of those
 * signals writes them into a table that all processes of a store share, and
 * lets the process die.  A file that was named twice is set aside: nobody opens
 * it, until a child process has read all of it and lived, or this table is
 * gone.  Of several files of one thread all are named, since LMDB does not
 * tell; the child clears those that are sound.
 *
 * Those that cannot be opened are set aside at once.  Those in which a writer
 * has met damage are left: read on, as far as they can be, while the pushes of
 * their time go to another file.  In all three cases the operator is told,
 * once.
 *
 * The table is anonymous shared memory, made before the fork and zeroed.
 * All of it: any thread; the handler is async-signal-safe.
 */

#ifndef _PYRO_SUSPECTS_H_INCLUDED_
#define _PYRO_SUSPECTS_H_INCLUDED_


#include <stdatomic.h>
#include <stdint.h>

#include "core/base/hash.h"
#include "core/base/slice.h"


#define PYRO_SUSPECTS_MAX     64    /* in the table; beyond, none is noted */
#define PYRO_SUSPECTS_LEFT    32    /* and from there on, none that is left */
#define PYRO_SUSPECTS_DEATHS  2     /* that set a file aside */


typedef enum {
    PYRO_SUSPECT_UNKNOWN = 0,
    PYRO_SUSPECT_CHECKED,           /* a child reads it */
    PYRO_SUSPECT_SOUND,             /* it lived: deaths are forgotten */
    PYRO_SUSPECT_DAMAGED
} pyro_suspect_e;


/* What else is known of a file. */
#define PYRO_SUSPECT_OPEN   1       /* it cannot be opened */
#define PYRO_SUSPECT_WRITE  2       /* damage was met while it was written:
                                     * it is left */


typedef struct {
    _Atomic uint64_t  id;           /* of the file; 0: free */
    _Atomic uint32_t  deaths;
    _Atomic uint32_t  damage;       /* bits PYRO_SUSPECT_... */
    _Atomic uint32_t  told;         /* 1: it was said; 2: that it is aside */
    _Atomic uint32_t  verdict;
    _Atomic int       child;        /* process that reads it */
} pyro_suspect_t;


typedef struct {
    pyro_suspect_t    items[PYRO_SUSPECTS_MAX];
} pyro_suspects_t;


/*
 * From here on the process notes what it dies of.  Signals that something else
 * handles stay with that.  table NULL: no more.
 */
void pyro_suspects_watch(pyro_suspects_t *table);

/* The calling thread begins, or ends, to read or write the file; id 0: not a
 * partition.  One may be entered several times. */
void pyro_suspects_enter(uint64_t id);
void pyro_suspects_leave(uint64_t id);

/* Notes what was found of a file.  0: there is no table, or no room in it. */
int pyro_suspects_damage(pyro_suspects_t *table, uint64_t id, uint32_t damage);

/* The file's entry, or NULL: nothing is known against it. */
pyro_suspect_t *pyro_suspects_find(pyro_suspects_t *table, uint64_t id);

/* 1 if the file of this entry, which may be NULL, is not to be opened. */
int pyro_suspect_is_aside(const pyro_suspect_t *item);

/* 1 if the file of this entry, which may be NULL, is not to be written. */
int pyro_suspect_is_left(const pyro_suspect_t *item);

/* What is known of it, as the end of a sentence about it. */
const char *pyro_suspect_text(const pyro_suspect_t *item);

/* It is sound. */
void pyro_suspect_clear(pyro_suspect_t *item);

/*
 * An id that no other file has; start: seconds.  Of the directory as well: a
 * reload may turn to another store, that is a copy of the one before.
 */
static inline uint64_t
pyro_suspects_id(pyro_slice_t dir, uint64_t start, uint32_t generation)
{
    uint64_t  id;

    id = pyro_hash64(dir.data, dir.len, (start / 3600) << 32 | generation);

    return id + (id == 0);
}


#endif /* _PYRO_SUSPECTS_H_INCLUDED_ */
