/*
 * Single profiles of series, and their spans, from push records, for the
 * callers of pyro_store_totals() that want them.  In the query's arena; one
 * thread.
 */

#ifndef _PYRO_EXEMPLARS_H_INCLUDED_
#define _PYRO_EXEMPLARS_H_INCLUDED_


#include "storage/reader.h"
#include "storage/spans.h"


/* The labels of a series, copied: those it was called with are in the map. */
typedef struct {
    pyro_labels_t                       labels;
    pyro_label_t                       *items;
    uint32_t                            cap_items;
    char                               *bytes;
    uint32_t                            cap_bytes;
} pyro_exemplar_labels_t;


typedef struct {
    const pyro_store_totals_handler_t  *handler;
    pyro_arena_t                       *arena;
    int                                 wanted;     /* 0: not used */
    pyro_exemplar_labels_t             *labels;     /* by ptype - 1 */
    uint32_t                            n_labels;
    uint32_t                            cap_labels;
    pyro_spans_t                        room;
} pyro_exemplars_t;


void pyro_exemplars_init(pyro_exemplars_t *exemplars,
    const pyro_store_totals_handler_t *handler, pyro_arena_t *arena);

/* Makes room for so many types.  -1: no memory; so below. */
int pyro_exemplars_room(pyro_exemplars_t *exemplars, uint32_t ptypes);

/* Copies the labels that the stream at hand has with a type. */
int pyro_exemplars_labels(pyro_exemplars_t *exemplars, uint32_t ptype,
    const pyro_labels_t *labels);

/* Calls the handler for the scan's record: for those of its types that have
 * another group (by ptype - 1) than PYRO_NONE. */
pyro_status_e pyro_exemplars_record(pyro_exemplars_t *exemplars,
    pyro_scan_t *scan, const uint32_t *groups);


#endif /* _PYRO_EXEMPLARS_H_INCLUDED_ */
