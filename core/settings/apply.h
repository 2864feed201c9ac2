/*
 * One value of the file by its row of the table (keys.h): read, checked
 * against its range and put into the struct.  One thread.
 */

#ifndef _PYRO_APPLY_H_INCLUDED_
#define _PYRO_APPLY_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/settings/keys.h"
#include "core/settings/settings.h"


/* Defaults into a settings struct of zeros. */
void pyro_apply_defaults(pyro_settings_t *settings);

/*
 * text, variables expanded, as the value of key.
 * PYRO_INVALID: err says what is wrong with the value (no file, line and key,
 * which the caller knows); PYRO_UNAVAILABLE: no memory.
 */
pyro_status_e pyro_apply(pyro_arena_t *arena, const pyro_key_t *key,
    pyro_slice_t text, pyro_settings_t *settings, pyro_error_t *err);

/* A number of key's unit as the file has it, without words; in text, of
 * PYRO_VALUE_SHOW_MAX bytes (value.h), or constant. */
const char *pyro_apply_show(const pyro_key_t *key, int64_t value, char *text);


#endif /* _PYRO_APPLY_H_INCLUDED_ */
