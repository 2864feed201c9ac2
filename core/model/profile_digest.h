/*
 * The digests of a profile: what tells a repeated push from another one.
 *
 * Computed from strings and numbers alone, each with its length or in a fixed
 * width and byte order, samples and types in the order of their content: equal
 * profiles give equal digests on every machine, whatever their ids are.
 *
 * A part of pyro_profile_finish(); not to be called by anybody else.
 */

#ifndef _PYRO_PROFILE_DIGEST_H_INCLUDED_
#define _PYRO_PROFILE_DIGEST_H_INCLUDED_


#include "core/model/profile.h"


/*
 * Sets the digest of each label set that has labels.  The sections must be
 * sorted by label set.  Returns -1: no memory.
 */
int pyro_profile_digest(pyro_profile_t *p);


#endif /* _PYRO_PROFILE_DIGEST_H_INCLUDED_ */
