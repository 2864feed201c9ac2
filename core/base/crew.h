/*
 * What living processes have in work, in memory that they share: each has a
 * slot of its own, and what one leaves behind counts for nothing, however it
 * ended.
 *
 * A slot is held by a robust mutex, which the kernel gives back for a process
 * that dies; its number would be another one's sooner or later.
 */

#ifndef _PYRO_CREW_H_INCLUDED_
#define _PYRO_CREW_H_INCLUDED_


#include <stddef.h>


#define PYRO_CREW_SLOTS  256


typedef struct pyro_crew_s  pyro_crew_t;

typedef void (*pyro_crew_pt)(void *ctx, const void *data);


/* Bytes of a crew whose members have so much each. */
size_t pyro_crew_size(size_t data);

/* Before anybody joins, in memory aligned to 64 bytes.  -1: it cannot be. */
int pyro_crew_init(pyro_crew_t *crew, size_t data);

/*
 * The member's own bytes, zeroed and aligned to 64, until the calling thread
 * ends: that of main().  NULL: all slots are taken.
 */
void *pyro_crew_join(pyro_crew_t *crew);

/* Shows the bytes of each member that lives, which writes to them meanwhile;
 * the number of them.  Any thread. */
unsigned pyro_crew_each(pyro_crew_t *crew, pyro_crew_pt handler, void *ctx);


#endif /* _PYRO_CREW_H_INCLUDED_ */
