/*
 * Keys of a Pyroscope server's file that have no meaning here, so that such a
 * file works as it is (Pyroscope's reference of configuration parameters).
 *
 * An entry is a path with all that is below it; "section.*" stands for every
 * key of the section that keys.h does not have.  Constant data, any thread.
 */

#ifndef _PYRO_KNOWN_H_INCLUDED_
#define _PYRO_KNOWN_H_INCLUDED_


#include <stddef.h>


#define PYRO_KNOWN_PATH_MAX  128    /* bytes of the longest known path */


extern const char *const  pyro_known[];
extern const size_t       pyro_known_count;


/* 1 if the path is an entry, or a key right below a "section.*". */
int pyro_known_has(const char *path);

/*
 * 1 if a known or a meaningful key is below path: a map is expected there.
 */
int pyro_known_is_section(const char *path);

/*
 * The path of keys.h or of the list that is most like this unknown one: few
 * letters away, or the same last key elsewhere; and, as a path, a section.
 * Into text, zero-terminated, "" if nothing is near.
 */
void pyro_known_nearest(const char *path, char *text, size_t size);


#endif /* _PYRO_KNOWN_H_INCLUDED_ */
