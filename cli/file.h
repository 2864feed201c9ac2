/*
 * Whole files in, ropes out: what tools do with files.  One thread.
 */

#ifndef _PYRO_CLI_FILE_H_INCLUDED_
#define _PYRO_CLI_FILE_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/rope.h"


typedef struct {
    pyro_slice_t    bytes;
    char           *data;           /* of malloc: the bytes as they are */
    pyro_arena_t   *arena;          /* or where they were inflated to */
} pyro_file_t;


/*
 * The bytes of a file, or of standard input ("-"), inflated where they are
 * gzip.  Neither they nor what comes out may be more than limit bytes; what
 * names the limit ("2 GiB").  The file is to be freed whatever comes of it.
 *
 * It is read and not mapped: it may be written or cut at that moment.
 */
pyro_status_e pyro_file_read(pyro_file_t *file, const char *name, size_t limit,
    const char *what, pyro_error_t *err);

void pyro_file_free(pyro_file_t *file);

/*
 * Writes the rope's bytes and empties it.  *error is 0, or the errno of the
 * first failure, ENOMEM for the rope's own, after which nothing is written.
 */
void pyro_file_write(int fd, pyro_rope_t *rope, int *error);


#endif /* _PYRO_CLI_FILE_H_INCLUDED_ */
