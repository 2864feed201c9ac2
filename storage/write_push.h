/*
 * One push of a group that is being written: looked for in other files of its
 * time, and then entered in the transaction of its partition.
 *
 * One thread, under the store's write mutex; memory is the group's arena's.
 */

#ifndef _PYRO_WRITE_PUSH_H_INCLUDED_
#define _PYRO_WRITE_PUSH_H_INCLUDED_


#include "storage/handle.h"
#include "storage/prepare.h"
#include "storage/repeats.h"


typedef struct {
    pyro_store_push_t   *push;
    uint32_t             order;     /* as given */
    uint32_t             tenant;
    int                  again;     /* 1: its file was to be opened anew */
    pyro_unit_t         *units;
} pyro_write_item_t;


typedef struct {
    pyro_store_t        *store;
    pyro_partition_t    *part;
    pyro_arena_t        *arena;
    pyro_repeats_t       repeats;
    pyro_pairs_t         room;
    pyro_write_item_t   *items;
    uint32_t             n;
    size_t               bytes;     /* of records in the transaction */
    pyro_error_t         error;
} pyro_write_group_t;


/* Marks the streams of a push that another file has. */
pyro_status_e pyro_write_repeated(pyro_write_group_t *group,
    pyro_write_item_t *item);

/*
 * Enters a push; group->bytes grows by its records.  What is wrong with this
 * push alone is its own result, not the group's.
 */
pyro_status_e pyro_write_push(pyro_write_group_t *group, pyro_batch_t *batch,
    pyro_write_item_t *item);

/* Nothing of it is stored, for this reason. */
void pyro_write_fail(pyro_store_push_t *push, const pyro_error_t *err);


#endif /* _PYRO_WRITE_PUSH_H_INCLUDED_ */
