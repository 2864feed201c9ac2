/*
 * The whole label set of a series, its stream's labels and its type's, put
 * together for a handler.
 */

#ifndef _PYRO_STORE_SERIES_H_INCLUDED_
#define _PYRO_STORE_SERIES_H_INCLUDED_


#include "storage/select.h"
#include "storage/series_index.h"


typedef struct {
    pyro_store_series_pt    handler;
    void                   *ctx;
    uint32_t                only;       /* string of the stream's label that is
                                         * wanted; 0: all are */
    pyro_label_room_t       stream;     /* room, used again and again */
    pyro_label_t           *items;
    uint32_t                cap;
} pyro_series_call_t;


/* Calls the handler with the labels of the stream and of one type.
 * PYRO_NOT_FOUND: it has been deleted meanwhile. */
pyro_status_e pyro_series_call(pyro_read_t *read,
    const pyro_selected_t *selected, uint32_t ptype, pyro_series_call_t *call);


#endif /* _PYRO_STORE_SERIES_H_INCLUDED_ */
