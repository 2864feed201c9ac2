/*
 * Settings as the file that would give them: every key of the table (keys.h)
 * that has a field, with the value in effect, in the file's own notation.
 *
 * Nothing is left out or masked: there are no secrets among the settings.  TLS
 * and passwords are nginx's, and a key that can hold one is refused unless it
 * is empty.  What ${NAME} stands for is shown as its value, so a key for
 * something secret must not be added without a mark in the table that is
 * heeded here.
 */

#ifndef _PYRO_SHOW_H_INCLUDED_
#define _PYRO_SHOW_H_INCLUDED_


#include "core/base/rope.h"
#include "core/settings/settings.h"


/*
 * YAML that pyro_settings_parse() makes the same settings of, but for
 * variables and ignored, of which nothing is shown.  Of several keys with one
 * field each has its value; one that counts only where the file has it is a
 * comment where it has not.  One thread; errors stick to the rope.
 */
void pyro_settings_show(const pyro_settings_t *settings, pyro_rope_t *out);


#endif /* _PYRO_SHOW_H_INCLUDED_ */
