/*
 * Profile types: name:sample_type:sample_unit:period_type:period_unit
 * (Pyroscope API: profile types).  Slices are borrowed.  Any thread.
 */

#ifndef _PYRO_PROFILE_TYPE_H_INCLUDED_
#define _PYRO_PROFILE_TYPE_H_INCLUDED_


#include "core/model/labels.h"


typedef struct {
    pyro_slice_t  name;             /* __name__, such as process_cpu */
    pyro_slice_t  sample_type;
    pyro_slice_t  sample_unit;
    pyro_slice_t  period_type;      /* may be empty */
    pyro_slice_t  period_unit;      /* may be empty */
} pyro_profile_type_t;


/*
 * Parses an id of five pieces, or six, of which the last is ignored.
 * PYRO_INVALID with the form and what came instead.
 */
pyro_status_e pyro_profile_type_parse(pyro_slice_t id,
    pyro_profile_type_t *type, pyro_error_t *err);

/* The id of five pieces, in the arena; data NULL: no memory. */
pyro_slice_t pyro_profile_type_id(pyro_arena_t *arena,
    const pyro_profile_type_t *type);

/*
 * 1 if a label of this name belongs to the profile type and not to the stream:
 * __name__, __profile_type__, __type__, __unit__, __period_type__,
 * __period_unit__, jfr_event, jfr_engine.
 */
int pyro_profile_type_owns(pyro_slice_t label);

/*
 * The six private labels of a type together with its extra ones (jfr_event,
 * jfr_engine), sorted.  -1: no memory.
 */
int pyro_profile_type_labels(pyro_arena_t *arena,
    const pyro_profile_type_t *type, const pyro_labels_t *extra,
    pyro_labels_t *out);


#endif /* _PYRO_PROFILE_TYPE_H_INCLUDED_ */
