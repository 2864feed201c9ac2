/*
 * The command line of a JVM without its secrets, since what is kept of a
 * recording is shown to whoever may query profiles.  Any thread.
 */

#ifndef _PYRO_JFR_SECRET_H_INCLUDED_
#define _PYRO_JFR_SECRET_H_INCLUDED_


#include <stddef.h>

#include "core/base/slice.h"


/*
 * Copies the arguments of a JVM to dst, at most max bytes, and returns the
 * length.  "***" stands for: the value of -Dname=value whose name has a word
 * such as password, secret, token, key or auth, or of such a name=value within
 * a value; options of -javaagent and the like; user and password of a URL.
 */
size_t pyro_jfr_arguments(char *dst, size_t max, pyro_slice_t arguments);


#endif /* _PYRO_JFR_SECRET_H_INCLUDED_ */
