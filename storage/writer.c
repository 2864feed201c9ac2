/*
 * pyro_store_write(): pushes sorted by time, cut into groups of one partition,
 * each group prepared without the lock and then applied in as few transactions
 * as their caps allow; at the end what recordings said of themselves.
 */

#include "storage/write_push.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "storage/quota.h"


#define PYRO_GROUP_PUSHES   256
#define PYRO_GROUP_BYTES    (8 * 1024 * 1024)
#define PYRO_GROUP_TIME     (50 * PYRO_NS_PER_MS)


static uint32_t pyro_write_begin(pyro_store_t *store,
    pyro_store_push_t **pushes, uint32_t n, pyro_write_item_t *items);
static void pyro_write_reset(pyro_store_push_t *push);
static pyro_status_e pyro_write_may(pyro_catalog_t *catalog,
    const pyro_store_push_t *push, pyro_error_t *err);
static int pyro_write_cmp(const void *one, const void *two);
static uint32_t pyro_write_group(pyro_store_t *store, pyro_write_item_t *items,
    uint32_t n);
static pyro_status_e pyro_write_acquire(pyro_write_group_t *group);
static pyro_status_e pyro_write_prepare(pyro_write_group_t *group,
    uint32_t most);
static pyro_status_e pyro_write_repeats(pyro_write_group_t *group);
static void pyro_write_apply(pyro_write_group_t *group);
static uint32_t pyro_write_transaction(pyro_write_group_t *group,
    uint32_t from, int *elsewhere);
static int pyro_write_failed(pyro_write_group_t *group, uint32_t from,
    uint32_t end);
static int pyro_write_again(pyro_write_group_t *group, uint32_t from);
static int pyro_write_leave(const pyro_write_group_t *group);


void
pyro_store_write(pyro_store_t *store, pyro_store_push_t **pushes, uint32_t n)
{
    uint32_t            i, count;
    pyro_error_t        err;
    pyro_status_e       status;
    pyro_write_item_t  *items;

    items = calloc((size_t) n + 1, sizeof(pyro_write_item_t));

    status = items != NULL ? pyro_guard_check(&store->guard, &err)
                           : pyro_error_memory(&err);

    if (status != PYRO_OK) {
        for (i = 0; i < n; i++) {
            pyro_write_fail(pushes[i], &err);
        }

        free(items);
        return;
    }

    count = pyro_write_begin(store, pushes, n, items);

    qsort(items, count, sizeof(pyro_write_item_t), pyro_write_cmp);

    pthread_mutex_lock(&store->writing);

    for (i = 0; i < count; /* void */ ) {
        i += pyro_write_group(store, &items[i], count - i);
    }

    pyro_info_write(store, pushes, n);

    pthread_mutex_unlock(&store->writing);

    free(items);
}


/* Those pushes that have something to store. */
static uint32_t
pyro_write_begin(pyro_store_t *store, pyro_store_push_t **pushes, uint32_t n,
    pyro_write_item_t *items)
{
    uint32_t            i, count;
    pyro_store_push_t  *push;

    /* without it making the partition will fail, and say why */

    (void) pyro_catalog_refresh(&store->catalog, NULL);

    for (i = 0, count = 0; i < n; i++) {
        push = pushes[i];

        pyro_write_reset(push);
        push->status = pyro_write_may(&store->catalog, push, &push->error);

        if (push->status == PYRO_OK && push->profile->n_sections) {
            items[count].push = push;
            items[count].order = i;
            count++;
        }
    }

    return count;
}


/* As if nothing had been tried with it. */
static void
pyro_write_reset(pyro_store_push_t *push)
{
    push->status = PYRO_OK;
    push->stored = 0;
    push->repeated = 0;
    push->folded = 0;
    push->series_folded = 0;
    push->info_failed = 0;
    push->error.message[0] = '\0';
}


/* What is wrong with a push before anything of it is looked at. */
static pyro_status_e
pyro_write_may(pyro_catalog_t *catalog, const pyro_store_push_t *push,
    pyro_error_t *err)
{
    if (push->time < 0 || push->duration < 0) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_WINDOW,
                              "time %lld ns or duration %lld ns is below 0",
                              (long long) push->time,
                              (long long) push->duration);
    }

    if (pyro_catalog_is_thinned(catalog, push->time)) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_WINDOW,
                              "time %lld ns: of that time only sums are kept "
                              "(lmdb.keep_raw)", (long long) push->time);
    }

    return pyro_catalog_may_add_tenant(catalog, push->tenant, err);
}


static int
pyro_write_cmp(const void *one, const void *two)
{
    const pyro_write_item_t  *a = one, *b = two;

    if (a->push->time != b->push->time) {
        return a->push->time < b->push->time ? -1 : 1;
    }

    return (a->order > b->order) - (a->order < b->order);
}


/* Stores the first pushes of one partition; returns how many are done. */
static uint32_t
pyro_write_group(pyro_store_t *store, pyro_write_item_t *items, uint32_t n)
{
    uint32_t             i;
    pyro_status_e        status;
    pyro_write_group_t   group;

    memset(&group, 0, sizeof(pyro_write_group_t));

    group.store = store;
    group.items = items;
    group.n = 1;
    group.arena = pyro_arena_create(0);

    status = group.arena ? PYRO_OK : pyro_error_memory(&group.error);

    if (status == PYRO_OK) {
        status = pyro_catalog_make(&store->catalog, items[0].push->time,
                                   &group.part, &group.error);
    }

    if (status == PYRO_OK) {
        status = pyro_write_acquire(&group);

        if (status == PYRO_NOT_FOUND) {
            /* the next generation takes its place */
            group.part->elsewhere = 1;
            pyro_arena_destroy(group.arena);
            return 0;
        }

        if (status == PYRO_OK) {
            status = pyro_write_prepare(&group, n);

            if (status == PYRO_OK) {
                status = pyro_write_repeats(&group);
            }

            if (status == PYRO_OK) {
                pyro_write_apply(&group);
                pyro_repeats_end(&group.repeats);

            } else if (status == PYRO_NOT_FOUND) {
                /* a file was replaced just now: once more, with the new one */
                group.n = 0;
                status = PYRO_OK;
            }

            pyro_catalog_release(&store->catalog, group.part);
        }
    }

    if (status != PYRO_OK) {
        group.error.status = status == PYRO_EXHAUSTED ? PYRO_EXHAUSTED
                                                      : PYRO_UNAVAILABLE;

        for (i = 0; i < group.n; i++) {
            pyro_write_fail(items[i].push, &group.error);
        }
    }

    pyro_arena_destroy(group.arena);

    return group.n;
}


/* PYRO_NOT_FOUND: somebody has removed the file, another worker has left it, it
 * cannot be opened, or processes die of it. */
static pyro_status_e
pyro_write_acquire(pyro_write_group_t *group)
{
    pyro_status_e    status;
    pyro_catalog_t  *catalog;

    catalog = &group->store->catalog;

    if (pyro_suspect_is_left(pyro_catalog_suspect(catalog, group->part))) {
        return PYRO_NOT_FOUND;
    }

    status = pyro_catalog_acquire(catalog, group->part, &group->error);

    return status == PYRO_UNAVAILABLE
           && pyro_catalog_is_aside(catalog, group->part) ? PYRO_NOT_FOUND
                                                          : status;
}


/* Sets group->n: as many pushes as are of this partition and fit the caps. */
static pyro_status_e
pyro_write_prepare(pyro_write_group_t *group, uint32_t most)
{
    uint32_t               n;
    pyro_status_e          status;
    pyro_write_item_t     *item;
    pyro_prepare_counts_t  counts = { 0, 0 };

    most = most < PYRO_GROUP_PUSHES ? most : PYRO_GROUP_PUSHES;
    status = PYRO_OK;

    for (n = 0; n < most && status == PYRO_OK; n++) {
        item = &group->items[n];

        if (n && (pyro_arena_used(group->arena) > PYRO_GROUP_BYTES
                  || pyro_catalog_find(&group->store->catalog,
                                       item->push->time)
                     != group->part))
        {
            break;
        }

        status = pyro_catalog_add_tenant(&group->store->catalog,
                                         item->push->tenant, &item->tenant,
                                         &group->error);

        if (status == PYRO_OK) {
            item->units = pyro_prepare(item->push, group->part, group->arena,
                                       &group->room, &counts);

            if (item->units == NULL) {
                status = pyro_error_memory(&group->error);
            }
        }
    }

    group->n = n;
    group->store->cache_hits += counts.hits;
    group->store->cache_misses += counts.misses;

    return status;
}


/*
 * Marks what another file of the same time has: it is sealed, or being so.
 * Those files stay open while the pushes are stored.
 */
static pyro_status_e
pyro_write_repeats(pyro_write_group_t *group)
{
    uint32_t       i;
    pyro_status_e  status;

    status = pyro_repeats_begin(&group->repeats, group->store, group->part,
                                group->items[0].push->time,
                                group->items[group->n - 1].push->time,
                                group->arena, &group->error);

    if (status != PYRO_OK || group->repeats.n == 0) {
        return status;
    }

    for (i = 0; i < group->n && status == PYRO_OK; i++) {
        status = pyro_write_repeated(group, &group->items[i]);
    }

    if (status != PYRO_OK) {
        pyro_repeats_end(&group->repeats);
    }

    return status;
}


static void
pyro_write_apply(pyro_write_group_t *group)
{
    int       elsewhere;
    uint32_t  i, end;

    for (i = 0; i < group->n; i = end) {
        end = pyro_write_transaction(group, i, &elsewhere);

        if (elsewhere) {
            /* what is not done is given back and finds its place anew */
            group->n = i;
        }
    }
}


/*
 * One transaction, beginning with push number from; returns the number of the
 * first push that is not in it.
 */
static uint32_t
pyro_write_transaction(pyro_write_group_t *group, uint32_t from,
    int *elsewhere)
{
    int64_t        start;
    uint32_t       i, end;
    pyro_batch_t   batch;
    pyro_status_e  status;

    group->bytes = 0;
    end = group->n;

    status = pyro_batch_begin(&batch, group->part, group->arena, elsewhere,
                              &group->error);

    if (status == PYRO_OK && *elsewhere) {
        group->part->elsewhere = 1;
        return from;
    }

    if (status == PYRO_OK) {
        start = pyro_clock_mono();

        for (i = from; i < group->n && status == PYRO_OK; i++) {

            if (i > from && (group->bytes > PYRO_GROUP_BYTES
                             || pyro_clock_mono() - start > PYRO_GROUP_TIME))
            {
                break;
            }

            status = pyro_write_push(group, &batch, &group->items[i]);
        }

        if (status == PYRO_OK) {
            end = i;
            status = pyro_batch_commit(&batch);

        } else {
            pyro_batch_abort(&batch);
        }
    }

    if (status == PYRO_OK) {
        group->store->commits++;
        return end;
    }

    *elsewhere = pyro_write_failed(group, from, end);

    return *elsewhere ? from : end;
}


/* 1: they are to find their place anew. */
static int
pyro_write_failed(pyro_write_group_t *group, uint32_t from, uint32_t end)
{
    int       elsewhere;
    uint32_t  i;

    group->store->commit_failures++;
    pyro_quota_forget(&group->part->quota);

    elsewhere = pyro_write_again(group, from) || pyro_write_leave(group);

    for (i = from; i < end; i++) {
        if (elsewhere) {
            pyro_write_reset(group->items[i].push);

        } else {
            pyro_write_fail(group->items[i].push, &group->error);
        }
    }

    return elsewhere;
}


/* Once a push: the engine has given the file up, and it is opened anew. */
static int
pyro_write_again(pyro_write_group_t *group, uint32_t from)
{
    pyro_write_item_t  *item;

    item = &group->items[from];

    if (!atomic_load(&group->part->env->broken) || item->again) {
        return 0;
    }

    item->again = 1;

    return 1;
}


/*
 * From a file in which damage was met to the next generation, as after sealing;
 * 0: not any more, so that a fault of the program does not make file after
 * file.
 */
static int
pyro_write_leave(const pyro_write_group_t *group)
{
    return group->error.damaged == group->part->env
           && pyro_catalog_damage(&group->store->catalog, group->part,
                                  PYRO_SUSPECT_WRITE);
}
