/*
 * Where a sealing begins and ends: which files are due, the copy that is found
 * or made for them, and the transaction that puts it in their place.
 */

#include "storage/seal_job.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "storage/expiry.h"


/* Files of one start and length. */
typedef struct {
    pyro_partition_t  **parts;
    uint32_t            n;
    uint64_t            bytes;
} pyro_seal_group_t;


static int pyro_seal_is_due(pyro_seal_t *job, pyro_seal_group_t *group);
static int pyro_seal_is_over(const pyro_seal_t *job,
    const pyro_seal_group_t *group, int64_t kept);
static int pyro_seal_is_thin(pyro_seal_t *job, pyro_seal_group_t *group);
static int pyro_seal_is_expired(pyro_seal_t *job, pyro_seal_group_t *group);
static int pyro_seal_is_quiet(pyro_seal_t *job, const pyro_partition_t *part);
static pyro_status_e pyro_seal_start(pyro_seal_t *job,
    const pyro_seal_group_t *group, int *found);
static pyro_status_e pyro_seal_has_room(pyro_seal_t *job,
    const pyro_seal_group_t *group);
static pyro_status_e pyro_seal_acquire(pyro_seal_t *job,
    const pyro_seal_group_t *group, int *found);
static pyro_status_e pyro_seal_mark(pyro_seal_t *job,
    pyro_partition_t *part);
static pyro_status_e pyro_seal_source(pyro_seal_t *job,
    pyro_seal_source_t *source);
static pyro_status_e pyro_seal_copy(pyro_seal_t *job);
static pyro_status_e pyro_seal_find_copy(pyro_seal_t *job);
static pyro_status_e pyro_seal_find_stray(pyro_seal_t *job);
static int pyro_seal_is_copy(pyro_seal_t *job);
static pyro_state_e pyro_seal_copy_target(pyro_seal_t *job);
static int pyro_seal_is_waste(pyro_seal_t *job);
static pyro_status_e pyro_seal_reserve(pyro_seal_t *job,
    uint32_t *generation);
static pyro_status_e pyro_seal_make_copy(pyro_seal_t *job,
    uint32_t generation);
static pyro_status_e pyro_seal_progress(pyro_seal_t *job);
static pyro_status_e pyro_seal_whole(pyro_seal_t *job, int *said);
static pyro_status_e pyro_seal_enter(pyro_seal_t *job,
    const pyro_partition_t *copy);


/* The oldest first. */
pyro_status_e
pyro_seal_find(pyro_seal_t *job, int *found)
{
    uint32_t             i, k, n;
    pyro_arena_t        *arena;
    pyro_error_t         error;
    pyro_status_e        status, first;
    pyro_partition_t   **parts;
    pyro_seal_group_t    group;

    *found = 0;
    arena = pyro_arena_create(0);

    if (arena == NULL) {
        return pyro_error_memory(job->err);
    }

    n = 0;
    first = pyro_catalog_list(&job->store->catalog, 0, INT64_MAX, arena,
                              &parts, &n, job->err);
    n = first == PYRO_OK ? n : 0;
    group.parts = pyro_arena_calloc(arena, n, sizeof(pyro_partition_t *));

    if (group.parts == NULL) {
        n = 0;
        first = pyro_error_memory(job->err);
    }

    for (i = 0; i < n && !*found; i++) {
        group.n = 0;
        group.bytes = 0;

        for (k = 0; k < n && parts[k]->start <= parts[i]->start; k++) {
            if (parts[k]->start == parts[i]->start
                && parts[k]->length == parts[i]->length)
            {
                group.parts[group.n++] = parts[k];
                group.bytes += pyro_catalog_size(&job->store->catalog,
                                                 parts[k]->name);
            }
        }

        if (group.parts[0] == parts[i] && pyro_seal_is_due(job, &group)) {
            error.message[0] = '\0';
            status = pyro_seal_start(job, &group, found);

            if (status != PYRO_OK) {
                error = *job->err;
                pyro_seal_give_up(job, 0);
                group.parts[0]->seal_retry = pyro_clock_mono()
                                             + PYRO_SEAL_RETRY;
            }

            pyro_first_error(status, &error, &first, job->err);
        }
    }

    pyro_arena_destroy(arena);

    return *found ? PYRO_OK : first;
}


int64_t
pyro_seal_time(const pyro_seal_t *job)
{
    return job->store->trusted < job->work->now ? job->store->trusted
                                                : job->work->now;
}


/* 1 if the group's time is over for so many seconds.  What is thinned does not
 * come back: a clock that was set does not count at once. */
static int
pyro_seal_is_over(const pyro_seal_t *job, const pyro_seal_group_t *group,
    int64_t kept)
{
    int64_t  end, now;

    end = pyro_partition_end(group->parts[0]);
    now = pyro_seal_time(job);

    return end <= now && (now - end) / PYRO_NS_PER_SEC >= kept;
}


/*
 * 1 if the group is to be sealed, or one of it to be thinned, which it is then.
 * What is thinned already has no single pushes to be sealed with others.
 */
static int
pyro_seal_is_due(pyro_seal_t *job, pyro_seal_group_t *group)
{
    int                      sealing, sealed, open, quiet;
    uint32_t                 i, n;
    const pyro_partition_t  *part;

    if (!pyro_seal_is_over(job, group,
                           job->store->catalog.options.seal_after))
    {
        return 0;
    }

    sealing = 0;
    sealed = 0;
    open = 0;
    quiet = 1;

    for (i = 0; i < group->n; i++) {
        part = group->parts[i];

        if (part->seal_retry > pyro_clock_mono()
            || pyro_catalog_is_aside(&job->store->catalog, part))
        {
            return 0;
        }

        if (pyro_state_is_sealed(part->state)) {
            sealed = 1;

        } else if (part->state == PYRO_STATE_SEALING) {
            sealing = 1;

        } else {
            open = 1;
            quiet &= pyro_seal_is_quiet(job, part);
        }
    }

    if (!sealing && !open) {
        return pyro_seal_is_thin(job, group)
               || pyro_seal_is_expired(job, group);
    }

    for (i = 0, n = 0; i < group->n; i++) {
        if (group->parts[i]->state != PYRO_STATE_HOURS
            && group->parts[i]->state != PYRO_STATE_DAYS)
        {
            group->parts[n++] = group->parts[i];
        }
    }

    group->n = n;
    job->target = PYRO_STATE_SEALED;

    /* what comes late is waited for, or the day would be copied for each */

    return sealing || !sealed || quiet;
}


/* One file of the group that has more than is kept of it. */
static int
pyro_seal_is_thin(pyro_seal_t *job, pyro_seal_group_t *group)
{
    uint32_t                     i;
    pyro_state_e                 target;
    const pyro_store_options_t  *options;

    options = &job->store->catalog.options;
    target = PYRO_STATE_SEALED;

    if (options->keep_raw && pyro_seal_is_over(job, group, options->keep_raw))
    {
        target = PYRO_STATE_HOURS;
    }

    if (options->keep_1h && pyro_seal_is_over(job, group, options->keep_1h)) {
        target = PYRO_STATE_DAYS;
    }

    for (i = 0; i < group->n; i++) {
        if (group->parts[i]->state < target) {
            group->parts[0] = group->parts[i];
            group->n = 1;
            job->target = target;

            return 1;
        }
    }

    return 0;
}


/* One file of the group that some tenant's data goes from. */
static int
pyro_seal_is_expired(pyro_seal_t *job, pyro_seal_group_t *group)
{
    uint32_t       i;
    pyro_expiry_e  expiry;

    for (i = 0; i < group->n; i++) {
        if (group->parts[i]->state == PYRO_STATE_SEALED
            && pyro_expiry_look(job->store, group->parts[i],
                                pyro_seal_time(job), &expiry, NULL)
               == PYRO_OK
            && expiry == PYRO_EXPIRY_SOME)
        {
            group->parts[0] = group->parts[i];
            group->n = 1;
            job->target = PYRO_STATE_SEALED;

            return 1;
        }
    }

    return 0;
}


static int
pyro_seal_is_quiet(pyro_seal_t *job, const pyro_partition_t *part)
{
    char         path[4096];
    int64_t      since;
    struct stat  st;

    pyro_catalog_path(&job->store->catalog, part->name, path, sizeof(path));

    if (stat(path, &st) != 0) {
        return 0;
    }

    since = job->work->now / PYRO_NS_PER_SEC - (int64_t) st.st_mtim.tv_sec;

    return since >= job->store->catalog.options.seal_after;
}


/* *found: everything is ready for copying. */
static pyro_status_e
pyro_seal_start(pyro_seal_t *job, const pyro_seal_group_t *group, int *found)
{
    uint32_t       i;
    pyro_status_e  status;

    if (group->n > PYRO_SOURCES_MAX) {
        return pyro_error_set(job->err, PYRO_UNAVAILABLE, PYRO_REASON_STORE,
                              "storage: %s cannot be sealed: %u files have "
                              "its time, the limit is %u",
                              group->parts[0]->name, group->n,
                              PYRO_SOURCES_MAX);
    }

    job->next = 0;
    job->scope = 0;
    job->table = 0;
    job->mapped = 0;
    job->n_entries = 0;
    job->entries = NULL;
    job->arena = pyro_arena_create(0);
    job->deflater = pyro_deflater_create();
    job->sources = job->arena == NULL ? NULL
                   : pyro_arena_calloc(job->arena, group->n,
                                       sizeof(pyro_seal_source_t));

    if (job->deflater == NULL || job->sources == NULL) {
        return pyro_error_memory(job->err);
    }

    status = pyro_seal_has_room(job, group);

    if (status == PYRO_OK) {
        status = pyro_seal_acquire(job, group, found);
    }

    for (i = 0; i < job->n_sources && status == PYRO_OK && *found; i++) {
        status = pyro_seal_mark(job, job->sources[i].part);
    }

    for (i = 0; i < job->n_sources && status == PYRO_OK && *found; i++) {
        status = pyro_seal_source(job, &job->sources[i]);
    }

    if (status == PYRO_OK && *found) {
        status = pyro_seal_copy(job);
    }

    if (status == PYRO_OK && *found) {
        status = pyro_seal_progress(job);
    }

    if (status != PYRO_OK) {
        *found = 0;

    } else if (!*found) {
        pyro_seal_give_up(job, 0);
    }

    return status;
}


/* The copy is smaller, but nobody knows by how much; and pushes go on. */
static pyro_status_e
pyro_seal_has_room(pyro_seal_t *job, const pyro_seal_group_t *group)
{
    uint64_t         bytes;
    struct statvfs   vfs;
    pyro_catalog_t  *catalog;

    catalog = &job->store->catalog;

    if (statvfs(catalog->dir, &vfs) != 0) {
        return PYRO_OK;
    }

    bytes = (uint64_t) vfs.f_bavail * vfs.f_frsize;

    return bytes > group->bytes ? PYRO_OK
           : pyro_error_set(job->err, PYRO_UNAVAILABLE, PYRO_REASON_DISK,
                            "storage: %s cannot be sealed: it has %llu bytes, "
                            "and %llu are free", group->parts[0]->name,
                            (unsigned long long) group->bytes,
                            (unsigned long long) bytes);
}


/* The sealed one first: it is the base. */
static pyro_status_e
pyro_seal_acquire(pyro_seal_t *job, const pyro_seal_group_t *group,
    int *found)
{
    uint32_t           i, pass;
    pyro_status_e      status;
    pyro_partition_t  *part;

    *found = 1;

    for (pass = 0; pass < 2; pass++) {
        for (i = 0; i < group->n; i++) {
            part = group->parts[i];

            if ((part->state == PYRO_STATE_SEALED) != (pass == 0)) {
                continue;
            }

            status = pyro_catalog_acquire(&job->store->catalog, part,
                                          job->err);

            if (status == PYRO_NOT_FOUND) {
                *found = 0;
                return PYRO_OK;
            }

            if (status != PYRO_OK) {
                return status;
            }

            job->sources[job->n_sources++].part = part;
        }
    }

    return PYRO_OK;
}


/* From here on its writers go elsewhere. */
static pyro_status_e
pyro_seal_mark(pyro_seal_t *job, pyro_partition_t *part)
{
    int             rc;
    uint8_t         state[1] = { PYRO_STATE_SEALING };
    pyro_kv_txn_t  *txn;
    pyro_view_t     view;
    pyro_slice_t    in;
    pyro_status_e   status;

    if (part->sealed) {
        return PYRO_OK;
    }

    status = pyro_env_begin(part->env, 0, &txn, job->err);

    if (status != PYRO_OK) {
        return status;
    }

    view.part = part;
    view.txn = txn;
    view.err = job->err;

    status = pyro_view_get(&view, PYRO_DB_META, "state", strlen("state"),
                           &in);

    if (status == PYRO_OK && in.len == 1 && in.data[0] == state[0]) {
        pyro_env_abort(part->env, txn);
        return PYRO_OK;
    }

    if (status != PYRO_OK || in.len != 1 || in.data[0] != PYRO_STATE_OPEN) {
        pyro_env_abort(part->env, txn);
        return pyro_env_damaged(part->env, "state of format", PYRO_FORMAT,
                                job->err);
    }

    rc = pyro_meta_put(txn, part->dbi[PYRO_DB_META], "state", state,
                       sizeof(state));

    if (rc) {
        pyro_env_abort(part->env, txn);
        return pyro_env_error(part->env, rc, "be sealed", job->err);
    }

    return pyro_env_commit(part->env, txn, job->err);
}


/* Its transaction, for as long as the job. */
static pyro_status_e
pyro_seal_source(pyro_seal_t *job, pyro_seal_source_t *source)
{
    pyro_read_t    *read;
    pyro_status_e   status;

    read = &source->read;

    source->query.end = INT64_MAX;
    source->query.raw = 1;
    source->query.arena = job->arena;

    read->store = job->store;
    read->query = &source->query;
    read->view.part = source->part;
    read->view.err = job->err;
    read->renewed = pyro_clock_mono();

    status = pyro_env_begin(source->part->env, 1, &read->view.txn, job->err);

    if (status != PYRO_OK) {
        read->view.txn = NULL;
        return status;
    }

    return pyro_view_ids(&read->view, &source->ids);
}


/* The one that was begun, or a new one. */
static pyro_status_e
pyro_seal_copy(pyro_seal_t *job)
{
    uint32_t       generation;
    pyro_status_e  status;

    status = pyro_seal_find_copy(job);

    if (status != PYRO_NOT_FOUND) {
        return status;
    }

    status = pyro_seal_reserve(job, &generation);

    return status == PYRO_OK ? pyro_seal_make_copy(job, generation) : status;
}


/*
 * Under the catalogue's lock: a partition that is being made is a stray, too,
 * and would be open twice in this process when somebody writes to it.
 */
static pyro_status_e
pyro_seal_find_copy(pyro_seal_t *job)
{
    pyro_kv_txn_t   *txn;
    pyro_status_e    status;
    pyro_catalog_t  *catalog;

    catalog = &job->store->catalog;

    pthread_mutex_lock(&catalog->mutex);

    status = pyro_catalog_change(catalog, &txn, job->err);

    if (status == PYRO_OK) {
        status = pyro_seal_find_stray(job);
        pyro_env_abort(catalog->control, txn);
    }

    pthread_mutex_unlock(&catalog->mutex);

    return status;
}


/* Those that nobody will finish are removed on the way. */
static pyro_status_e
pyro_seal_find_stray(pyro_seal_t *job)
{
    char             path[4096];
    uint32_t         i, n;
    pyro_slice_t    *names;
    pyro_catalog_t  *catalog;

    catalog = &job->store->catalog;

    if (pyro_catalog_strays(catalog, job->arena, &names, &n)) {
        return pyro_error_memory(job->err);
    }

    for (i = 0; i < n; i++) {
        memcpy(job->copy.name, names[i].data, names[i].len + 1);
        pyro_catalog_path(catalog, job->copy.name, path, sizeof(path));

        if (pyro_partition_open(&job->copy, path, catalog->options.map_size,
                                PYRO_DURABILITY_COMMIT, PYRO_ACCESS_MAKE, NULL)
            != PYRO_OK)
        {
            continue;
        }

        if (job->copy.state == PYRO_STATE_BUILDING && pyro_seal_is_copy(job)) {
            return PYRO_OK;
        }

        if (job->copy.state == PYRO_STATE_BUILDING && pyro_seal_is_waste(job))
        {
            pyro_partition_close(&job->copy);
            pyro_catalog_unlink(catalog, job->copy.name);
            continue;
        }

        pyro_partition_close(&job->copy);
    }

    return PYRO_NOT_FOUND;
}


/* 1 if it is being made of these sources. */
static int
pyro_seal_is_copy(pyro_seal_t *job)
{
    uint32_t  i, n, list[PYRO_SOURCES_MAX];

    if (job->copy.start != job->sources[0].part->start
        || job->copy.length != job->sources[0].part->length
        || pyro_partition_sources(&job->copy, list, &n) || n != job->n_sources
        || pyro_seal_copy_target(job) != job->target)
    {
        return 0;
    }

    for (i = 0; i < n; i++) {
        if (list[i] != job->sources[i].part->generation) {
            return 0;
        }
    }

    return 1;
}


/* What a copy that was begun is to become. */
static pyro_state_e
pyro_seal_copy_target(pyro_seal_t *job)
{
    pyro_kv_txn_t  *txn;
    uint32_t        target;

    target = PYRO_STATE_BUILDING;

    if (pyro_env_begin(job->copy.env, 1, &txn, NULL) == PYRO_OK) {
        (void) pyro_meta_u32(txn, job->copy.dbi[PYRO_DB_META], "target",
                             &target);
        pyro_env_abort(job->copy.env, txn);
    }

    return (pyro_state_e) target;
}


/* 1 if nobody goes on with it: it is of these sources' time, and something
 * came late since it was begun, or it is to become something else; or its own
 * are gone. */
static int
pyro_seal_is_waste(pyro_seal_t *job)
{
    return (job->copy.start == job->sources[0].part->start
            && job->copy.length == job->sources[0].part->length)
           || pyro_seal_is_orphan(job->store, &job->copy);
}


/* The catalogue says that the sources are sealed, and counts one on. */
static pyro_status_e
pyro_seal_reserve(pyro_seal_t *job, uint32_t *generation)
{
    int                rc;
    pyro_kv_txn_t     *txn;
    uint32_t           i;
    pyro_status_e      status;
    pyro_catalog_t    *catalog;
    pyro_partition_t   entry;

    catalog = &job->store->catalog;

    pthread_mutex_lock(&catalog->mutex);

    status = pyro_catalog_change(catalog, &txn, job->err);

    for (i = 0; i < job->n_sources && status == PYRO_OK; i++) {
        entry = *job->sources[i].part;

        if (entry.state != PYRO_STATE_OPEN) {
            continue;
        }

        entry.state = PYRO_STATE_SEALING;
        rc = pyro_catalog_put_part(catalog, txn, &entry);

        if (rc) {
            pyro_env_abort(catalog->control, txn);
            status = pyro_env_error(catalog->control, rc, "be written",
                                    job->err);
        }
    }

    if (status == PYRO_OK) {
        *generation = catalog->generation + 1;
        status = pyro_catalog_commit(catalog, txn, *generation, job->err);
    }

    pthread_mutex_unlock(&catalog->mutex);

    return status;
}


static pyro_status_e
pyro_seal_make_copy(pyro_seal_t *job, uint32_t generation)
{
    int                      rc;
    char                     path[4096];
    uint8_t                  list[4 * PYRO_SOURCES_MAX], target[4];
    uint32_t                 i;
    pyro_status_e            status;
    pyro_catalog_t          *catalog;
    pyro_partition_value_t   value;

    catalog = &job->store->catalog;

    value.start = job->sources[0].part->start;
    value.length = job->sources[0].part->length;
    value.generation = generation;

    if (getrandom(&value.seed, sizeof(value.seed), 0)
        != (ssize_t) sizeof(value.seed))
    {
        return pyro_env_error(job->sources[0].part->env, errno, "be sealed",
                              job->err);
    }

    if (job->target != PYRO_STATE_SEALED) {
        /* tables of hashes are copied as they are */
        value.seed = job->sources[0].part->seed;
    }

    pyro_partition_name(job->copy.name, value.start, value.length,
                        generation);
    pyro_catalog_path(catalog, job->copy.name, path, sizeof(path));

    status = pyro_partition_create(path, catalog->options.map_size, &value,
                                   PYRO_STATE_BUILDING, job->err);

    if (status == PYRO_OK) {
        status = pyro_partition_open(&job->copy, path,
                                     catalog->options.map_size,
                                     PYRO_DURABILITY_COMMIT, PYRO_ACCESS_MAKE,
                                     job->err);
    }

    if (status == PYRO_OK) {
        status = pyro_seal_begin(job);
    }

    if (status != PYRO_OK) {
        return status;
    }

    /* the base's ids hold here as well, but for streams */

    job->batch.ids = job->sources[0].ids;

    if (job->target == PYRO_STATE_SEALED) {
        job->batch.ids.stream = 0;
    }

    for (i = 0; i < job->n_sources; i++) {
        pyro_put_be32(list + 4 * i, job->sources[i].part->generation);
    }

    pyro_put_be32(target, job->target);
    rc = pyro_meta_put(job->batch.view.txn, job->copy.dbi[PYRO_DB_META],
                       "sources", list, 4 * job->n_sources);

    if (rc == 0) {
        rc = pyro_meta_put(job->batch.view.txn, job->copy.dbi[PYRO_DB_META],
                           "target", target, sizeof(target));
    }

    return rc ? pyro_env_error(job->copy.env, rc, "be written", job->err)
              : pyro_seal_commit(job);
}


/* How far whoever began it has come. */
static pyro_status_e
pyro_seal_progress(pyro_seal_t *job)
{
    uint32_t       next;
    pyro_status_e  status;

    status = pyro_seal_begin(job);

    if (status == PYRO_OK
        && pyro_meta_u32(job->batch.view.txn, job->copy.dbi[PYRO_DB_META],
                         "sealing", &next) == 0)
    {
        job->next = next;
    }

    return status;
}


int
pyro_seal_is_wanted(pyro_seal_t *job)
{
    uint32_t  i;

    if (pyro_catalog_refresh(&job->store->catalog, NULL) != PYRO_OK) {
        return 1;
    }

    for (i = 0; i < job->n_sources; i++) {
        if (job->sources[i].part->state == PYRO_STATE_REMOVED) {
            return 0;
        }
    }

    return 1;
}


pyro_status_e
pyro_seal_swap(pyro_seal_t *job)
{
    int                  said;
    uint32_t             i, n;
    pyro_status_e        status;
    pyro_catalog_t      *catalog;
    pyro_partition_t     copy;
    char               (*names)[PYRO_FILE_NAME_MAX];

    catalog = &job->store->catalog;
    names = pyro_arena_calloc(job->arena, job->n_sources,
                              PYRO_FILE_NAME_MAX);

    if (names == NULL) {
        return pyro_error_memory(job->err);
    }

    n = job->n_sources;

    for (i = 0; i < n; i++) {
        memcpy(names[i], job->sources[i].part->name, PYRO_FILE_NAME_MAX);
    }

    status = pyro_seal_whole(job, &said);

    if (!said) {
        return status;
    }

    /* Whoever opens the store may take it in from here on: it is not ours to
     * remove any more.  The catalogue opens it by itself, and a file is open
     * once only. */

    copy = job->copy;
    copy.state = job->target;
    pyro_partition_close(&job->copy);
    job->copy.env = NULL;

    if (status == PYRO_OK) {
        status = pyro_catalog_sync_dir(catalog, job->err);
    }

    if (status == PYRO_OK) {
        status = pyro_seal_enter(job, &copy);
    }

    for (i = 0; i < n; i++) {
        if (status == PYRO_OK) {
            pyro_catalog_unlink(catalog, names[i]);

        } else {
            /* what is on disk is not known: adopting it will tell */
            job->sources[i].part->seal_retry = INT64_MAX;
        }
    }

    pyro_seal_give_up(job, 0);

    return status;
}


/* Everything is rolled up in it; it says so, and what it is now.  *said: its
 * file may say so, whatever the status. */
static pyro_status_e
pyro_seal_whole(pyro_seal_t *job, int *said)
{
    int             rc;
    uint8_t         state[1];
    pyro_rolled_t   rolled;
    pyro_status_e   status;

    *said = 0;
    state[0] = (uint8_t) job->target;
    status = pyro_seal_begin(job);

    if (status == PYRO_OK) {
        status = pyro_rolled_read(&job->batch.view, &rolled);
    }

    if (status == PYRO_OK) {
        rolled.rolled = rolled.last + 1;
        rolled.rolling = rolled.last + 1;
        status = pyro_rolled_write(&job->batch.view, &rolled);
    }

    if (status != PYRO_OK) {
        return status;
    }

    rc = pyro_meta_put(job->batch.view.txn, job->copy.dbi[PYRO_DB_META],
                       "state", state, sizeof(state));

    if (rc) {
        return pyro_env_error(job->copy.env, rc, "be written", job->err);
    }

    status = pyro_seal_commit(job);
    *said = !job->writing;

    return status;
}


/*
 * In the place of its sources; if one of them was removed meanwhile, it is not
 * wanted any more.  If another process has taken it in, all is done.
 */
static pyro_status_e
pyro_seal_enter(pyro_seal_t *job, const pyro_partition_t *copy)
{
    int               rc;
    uint8_t           bytes[PYRO_KEY_MAX];
    pyro_kv_txn_t    *txn;
    pyro_slice_t      key;
    uint32_t          i;
    pyro_status_e     status;
    pyro_catalog_t   *catalog;

    catalog = &job->store->catalog;
    rc = 0;

    pthread_mutex_lock(&catalog->mutex);

    status = pyro_catalog_change(catalog, &txn, job->err);

    if (status == PYRO_OK
        && pyro_catalog_generation_locked(catalog, copy->start,
                                          copy->generation) != NULL)
    {
        pyro_env_abort(catalog->control, txn);
        pthread_mutex_unlock(&catalog->mutex);
        return PYRO_OK;
    }

    for (i = 0; i < job->n_sources && status == PYRO_OK && rc == 0; i++) {
        key = pyro_slice(bytes,
                         pyro_key_part(bytes, job->sources[i].part->start,
                                       job->sources[i].part->generation));
        rc = pyro_kv_delete(txn, catalog->dbi[PYRO_CONTROL_PART], key);
    }

    if (status == PYRO_OK && rc == 0) {
        rc = pyro_catalog_put_part(catalog, txn, copy);
    }

    if (status == PYRO_OK && rc) {
        pyro_env_abort(catalog->control, txn);

        if (rc == PYRO_KV_NOT_FOUND) {
            pyro_catalog_unlink(catalog, copy->name);
        }

        status = pyro_env_error(catalog->control, rc, "enter a partition",
                                job->err);
    }

    if (status == PYRO_OK) {
        status = pyro_catalog_commit(catalog, txn, catalog->generation + 1,
                                     job->err);
    }

    pthread_mutex_unlock(&catalog->mutex);

    return status;
}
