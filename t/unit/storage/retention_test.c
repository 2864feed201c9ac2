/*
 * Removing partitions: by age and by size, while others read and write, and
 * where it was cut off.
 */

#include "store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "storage/handle.h"
#include "storage/seal_job.h"


#define DAYS  6


typedef struct {
    char                  *dir;
    pyro_store_options_t   options;
    pyro_store_t          *store;
    pyro_arena_t          *arena;
    pyro_profile_t        *profile;
    int64_t                now;         /* of the last upkeep */
    int64_t                mono;
} keep_t;


static void
keep_reopen(keep_t *k, int64_t retention, uint64_t max_disk_size)
{
    pyro_error_t  err;

    if (k->store != NULL) {
        pyro_store_close(k->store);
    }

    k->options.retention = retention;
    k->options.max_disk_size = max_disk_size;

    if (pyro_store_open(&k->options, &k->store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


static void
keep_open_empty(keep_t *k)
{
    memset(k, 0, sizeof(keep_t));
    k->dir = fixture_dir();
    k->options.dir = k->dir;
    k->options.map_size = 1024 * 1024 * 1024;
    k->arena = pyro_arena_create(0);
    k->profile = fixture_one(k->arena, "service_name=shop", "a;b", 10);
    keep_reopen(k, 0, 0);
}


/* A push on each of some days. */
static void
keep_open(keep_t *k)
{
    int  i;

    keep_open_empty(k);

    for (i = 0; i < DAYS; i++) {
        fixture_write(k->store, k->profile, T0 + i * DAY * SEC + SEC);
    }
}


static void
keep_close(keep_t *k)
{
    pyro_store_close(k->store);
    pyro_arena_destroy(k->arena);
    fixture_remove(k->dir);
}


/* Partition files that are there. */
static int
keep_files(const keep_t *k)
{
    int             n;
    DIR            *dir;
    struct dirent  *entry;

    n = 0;
    dir = opendir(k->dir);

    while ((entry = readdir(dir)) != NULL) {
        n += strncmp(entry->d_name, "p-", 2) == 0
             && strstr(entry->d_name, "-lock") == NULL;
    }

    closedir(dir);

    return n;
}


static uint64_t
keep_total(const keep_t *k)
{
    return fixture_total(k->store, "{}", 0, INT64_MAX);
}


/* The upkeep when the clocks say this; how many were removed. */
static uint32_t
keep_at(keep_t *k, int64_t now, int64_t mono)
{
    pyro_error_t       err;
    pyro_store_work_t  work;

    memset(&work, 0, sizeof(work));
    work.now = k->now = now;
    work.mono = k->mono = mono;

    if (pyro_store_maintain(k->store, &work, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return work.removed;
}


/* All of the time between has passed; a clock that is set back was set back. */
static uint32_t
keep_work(keep_t *k, int64_t now)
{
    return keep_at(k, now, k->mono == 0 ? SEC
                           : k->mono + (now > k->now ? now - k->now : 0));
}


/* ---- the tests ---- */

static void
nothing_goes_without_a_retention(void **state)
{
    keep_t  k;

    (void) state;

    keep_open(&k);
    assert_int_equal(keep_work(&k, T0 + 4000 * DAY * SEC), 0);
    assert_int_equal(keep_files(&k), DAYS);
    assert_int_equal(keep_total(&k), 10 * DAYS);
    keep_close(&k);
}


static void
partitions_go_by_age(void **state)
{
    keep_t  k;

    (void) state;

    keep_open(&k);
    keep_reopen(&k, 2 * DAY, 0);

    /* day 0 ends at T0 + 1 day: its last profile is two days old at 3 */

    assert_int_equal(keep_work(&k, T0 + 3 * DAY * SEC - 1), 0);
    assert_int_equal(keep_work(&k, T0 + 3 * DAY * SEC), 1);
    assert_int_equal(keep_files(&k), DAYS - 1);
    assert_int_equal(keep_total(&k), 10 * (DAYS - 1));

    /* a clock that was set back brings nothing back and removes nothing */

    assert_int_equal(keep_work(&k, T0), 0);
    assert_int_equal(keep_work(&k, T0 + 5 * DAY * SEC), 2);
    assert_int_equal(keep_files(&k), DAYS - 3);

    keep_reopen(&k, 0, 0);
    assert_int_equal(keep_total(&k), 10 * (DAYS - 3));

    /* what is pushed into such a day makes it anew, under another name */

    fixture_write(k.store, k.profile, T0 + SEC);
    assert_int_equal(keep_files(&k), DAYS - 2);
    assert_int_equal(keep_total(&k), 10 * (DAYS - 2));
    keep_close(&k);
}


static void
the_oldest_go_by_size(void **state)
{
    keep_t               k;
    pyro_error_t         err;
    pyro_store_stats_t   stats;

    (void) state;

    keep_open(&k);
    assert_int_equal(pyro_store_stats(k.store, &stats, &err), PYRO_OK);

    /* two thirds of it: the first days go, no more than need be */

    keep_reopen(&k, 0, stats.bytes * 2 / 3);
    assert_in_range(keep_work(&k, T0 + DAYS * DAY * SEC), 1, 3);
    assert_in_range(keep_files(&k), DAYS - 3, DAYS - 1);
    assert_int_equal(fixture_total(k.store, "{}", T0 + 3 * DAY * SEC,
                                   INT64_MAX), 30);

    /* never the one that is written, however small the limit */

    keep_reopen(&k, 0, 1);
    keep_work(&k, T0 + (DAYS - 1) * DAY * SEC + 100 * SEC);
    assert_int_equal(keep_files(&k), 1);
    assert_int_equal(keep_total(&k), 10);
    keep_close(&k);
}


/* What a tenant's queries add up to. */
static uint64_t
keep_tenant(const keep_t *k, const char *tenant)
{
    uint64_t         total;
    pyro_tree_t     *tree;
    pyro_error_t     err;
    fixture_query_t  q;

    fixture_query(&q, "{}", 0, INT64_MAX);
    q.query.tenant = pyro_slice_str(tenant);
    tree = pyro_tree_create(q.query.arena);

    if (pyro_store_merge(k->store, &q.query, tree, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    pyro_tree_totals(tree);
    total = tree->nodes[0].total;
    fixture_query_end(&q);

    return total;
}


static void
keep_check(const keep_t *k)
{
    pyro_error_t         err;
    pyro_check_result_t  result;

    if (pyro_store_check(k->dir, NULL, NULL, &result, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(result.findings, 0);
}


static void
keep_push(keep_t *k, const char *tenant, const pyro_profile_t *profile,
    int64_t time)
{
    pyro_store_push_t  push, *list;

    push = fixture_push(profile, time);
    push.tenant = pyro_slice_str(tenant);
    list = &push;
    pyro_store_write(k->store, &list, 1);
    assert_int_equal(push.status, PYRO_OK);
}


/* Seals what is due, and drops what goes. */
static pyro_store_work_t
keep_seal(keep_t *k, int64_t now)
{
    uint32_t           n;
    pyro_error_t       err;
    pyro_store_work_t  work;

    memset(&work, 0, sizeof(work));

    for (n = 0; n == 0 || work.more; n++) {
        assert_true(n < 1000);

        work.now = now;
        work.mono = SEC + now - k->now;
        work.seal_cpu = INT32_MAX;
        work.more = 0;

        if (k->store->seal != NULL) {
            k->store->seal->resume = 0;
        }

        if (pyro_store_maintain(k->store, &work, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }
    }

    return work;
}


/*
 * short is kept for two days, long for eight, the others for four.  Queries go
 * by the clock: the days are those before today.
 */
static void
tenants_have_retentions(void **state)
{
    int                i;
    keep_t             k;
    int64_t            today, now;
    pyro_profile_t    *other;
    pyro_store_work_t  work;

    static const pyro_store_retention_t  retentions[] = {
        { { "short", 5 }, 2 * DAY }, { { "long", 4 }, 8 * DAY }
    };

    (void) state;

    today = pyro_clock_wall() / (DAY * SEC) * DAY * SEC;
    now = today + 100 * SEC;

    keep_open_empty(&k);
    k.options.seal_after = 1;
    other = fixture_one(k.arena, "service_name=cart", "a;c;d", 3);
    keep_reopen(&k, 0, 0);

    /* day 1 is yesterday, over since 100 s; of day 6 nobody but others */

    for (i = 1; i <= 10; i++) {
        if (i != 6) {
            keep_push(&k, "short", k.profile, today - i * DAY * SEC + SEC);
            keep_push(&k, "long", other, today - i * DAY * SEC + SEC);
        }

        keep_push(&k, "anonymous", other, today - i * DAY * SEC + SEC);
    }

    k.now = now - SEC;
    work = keep_seal(&k, now);
    assert_int_equal(work.sealed, 10);
    assert_int_equal(keep_tenant(&k, "short"), 90);

    k.options.retentions = retentions;
    k.options.n_retentions = 2;
    keep_reopen(&k, 4 * DAY, 0);

    /* at once, for who asks */

    assert_int_equal(keep_tenant(&k, "short"), 20);
    assert_int_equal(keep_tenant(&k, "anonymous"), 12);
    assert_int_equal(keep_tenant(&k, "long"), 3 * 7);

    /* days 9 and 10 go as all of theirs is over, 6 as it has no other */

    work = keep_seal(&k, now);
    assert_int_equal(work.removed, 3);
    assert_int_equal(work.sealed, 5);
    assert_int_equal(keep_files(&k), 7);
    keep_check(&k);

    work = keep_seal(&k, now);
    assert_int_equal(work.sealed, 0);

    /* what has gone does not come back with the retention */

    k.options.retentions = NULL;
    k.options.n_retentions = 0;
    keep_reopen(&k, 0, 0);
    assert_int_equal(keep_tenant(&k, "short"), 20);
    assert_int_equal(keep_tenant(&k, "anonymous"), 12);
    assert_int_equal(keep_tenant(&k, "long"), 21);

    /* and may be pushed again, beside what is there */

    keep_push(&k, "short", k.profile, today - 7 * DAY * SEC + SEC);
    assert_int_equal(keep_tenant(&k, "short"), 30);
    work = keep_seal(&k, now + fixture_later());
    assert_int_equal(keep_tenant(&k, "short"), 30);
    assert_int_equal(keep_tenant(&k, "long"), 21);
    keep_check(&k);
    keep_close(&k);
}


/* Nothing is sealed: a tenant's data is hidden, and goes with the last. */
static void
tenants_wait_for_others(void **state)
{
    keep_t   k;
    int64_t  today, time;

    static const pyro_store_retention_t  retentions[] = {
        { { "short", 5 }, 2 * DAY }
    };

    (void) state;

    today = pyro_clock_wall() / (DAY * SEC) * DAY * SEC;
    time = today - 5 * DAY * SEC;

    keep_open_empty(&k);
    k.options.retentions = retentions;
    k.options.n_retentions = 1;
    keep_reopen(&k, 0, 0);

    keep_push(&k, "short", k.profile, time);
    assert_int_equal(keep_tenant(&k, "short"), 0);
    assert_int_equal(keep_work(&k, time + 2 * DAY * SEC), 0);
    assert_int_equal(keep_work(&k, time + 3 * DAY * SEC), 1);

    keep_push(&k, "short", k.profile, time);
    keep_push(&k, "anonymous", k.profile, time);
    assert_int_equal(keep_work(&k, time + 900 * DAY * SEC), 0);
    assert_int_equal(keep_tenant(&k, "short"), 0);
    keep_check(&k);
    keep_close(&k);
}


/* A copy that sealing makes takes room as well. */
static void
copies_count(void **state)
{
    int                  fd;
    char                 name[64], path[4096];
    keep_t               k;
    pyro_error_t         err;
    pyro_partition_t    *part;
    pyro_store_stats_t   stats;

    (void) state;

    keep_open(&k);
    assert_int_equal(pyro_store_stats(k.store, &stats, &err), PYRO_OK);
    keep_reopen(&k, 0, stats.bytes * 3 / 2);
    assert_int_equal(keep_work(&k, T0 + DAYS * DAY * SEC), 0);

    part = pyro_catalog_find(&k.store->catalog, T0 + DAY * SEC);
    pyro_partition_name(name, part->start, part->length, 999);
    pyro_catalog_path(&k.store->catalog, name, path, sizeof(path));
    fd = open(path, O_WRONLY | O_CREAT, 0640);
    assert_true(fd != -1);
    assert_int_equal(ftruncate(fd, (off_t) stats.bytes), 0);
    close(fd);

    assert_in_range(keep_work(&k, T0 + DAYS * DAY * SEC), 2, DAYS - 2);
    assert_int_equal(unlink(path), 0);
    keep_close(&k);
}


/* A query that has begun with a file ends with it. */
static void
readers_end_with_what_they_began(void **state)
{
    keep_t              k;
    char                path[4096];
    pyro_kv_txn_t      *txn;
    pyro_kv_stat_t      stat_;
    struct stat         st;
    pyro_error_t        err;
    pyro_catalog_t     *catalog;
    pyro_partition_t   *part;

    (void) state;

    keep_open(&k);
    keep_reopen(&k, DAY, 0);
    catalog = &k.store->catalog;

    part = pyro_catalog_find(catalog, T0);
    assert_non_null(part);
    assert_int_equal(pyro_catalog_refresh(catalog, &err), PYRO_OK);
    assert_int_equal(pyro_catalog_acquire(catalog, part, &err), PYRO_OK);
    assert_int_equal(pyro_env_begin(part->env, 1, &txn, &err), PYRO_OK);

    /* a thread holds one transaction of an environment: from another one */

    pyro_env_abort(part->env, txn);
    assert_int_equal(keep_work(&k, T0 + 2 * DAY * SEC), 1);

    pyro_catalog_path(catalog, part->name, path, sizeof(path));
    assert_int_equal(stat(path, &st), -1);
    assert_non_null(part->env);

    assert_int_equal(pyro_env_begin(part->env, 1, &txn, &err), PYRO_OK);
    assert_int_equal(pyro_kv_stat(txn, part->dbi[PYRO_DB_RAW], &stat_), 0);
    assert_int_equal(stat_.entries, 1);
    pyro_env_abort(part->env, txn);

    pyro_catalog_release(catalog, part);
    assert_null(part->env);
    assert_int_equal(pyro_catalog_acquire(catalog, part, &err),
                     PYRO_NOT_FOUND);
    keep_close(&k);
}


/* Another process has the files open, and is told by the catalogue. */
static void
other_processes_let_go(void **state)
{
    int     status, to[2], from[2];
    char    c;
    pid_t   pid;
    keep_t  k;

    (void) state;

    keep_open(&k);
    pyro_store_close(k.store);
    k.store = NULL;
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);

    pid = fork();
    assert_true(pid != -1);

    if (pid == 0) {
        keep_reopen(&k, 0, 0);
        status = keep_total(&k) == 10 * DAYS ? 0 : 1;
        status |= write(from[1], "a", 1) != 1 || read(to[0], &c, 1) != 1;

        status |= pyro_store_refresh(k.store, NULL) != PYRO_OK;
        status |= k.store->catalog.n_open != 1;
        status |= keep_total(&k) != 10;
        fixture_write(k.store, k.profile, T0 + SEC);
        status |= keep_total(&k) != 20;
        pyro_store_close(k.store);
        _exit(status);
    }

    assert_int_equal(read(from[0], &c, 1), 1);
    keep_reopen(&k, DAY, 0);
    assert_int_equal(keep_work(&k, T0 + DAYS * DAY * SEC), DAYS - 1);
    assert_int_equal(write(to[1], "b", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(keep_total(&k), 20);

    close(to[0]);
    close(to[1]);
    close(from[0]);
    close(from[1]);
    keep_close(&k);
}


/* Killed behind the first step, and behind the second one. */
static void
removals_that_were_cut_off_are_finished(void **state)
{
    uint8_t             removed[1] = { PYRO_STATE_REMOVED };
    keep_t              k;
    char                from[4096], to[4096];
    pyro_kv_txn_t      *txn;
    pyro_error_t        err;
    pyro_catalog_t     *catalog;
    pyro_partition_t   *part;

    (void) state;

    keep_open(&k);
    catalog = &k.store->catalog;
    part = pyro_catalog_find(catalog, T0);

    assert_int_equal(pyro_catalog_acquire(catalog, part, &err), PYRO_OK);
    assert_int_equal(pyro_env_begin(part->env, 0, &txn, &err), PYRO_OK);
    assert_int_equal(pyro_meta_put(txn, part->dbi[PYRO_DB_META], "state",
                                   removed, 1), 0);
    assert_int_equal(pyro_env_commit(part->env, txn, &err), PYRO_OK);
    pyro_catalog_release(catalog, part);

    /* even if it would not be due any more */

    keep_reopen(&k, 0, 0);
    keep_work(&k, T0 + DAYS * DAY * SEC);
    assert_int_equal(keep_files(&k), DAYS - 1);
    assert_int_equal(keep_total(&k), 10 * (DAYS - 1));

    /* a link to the file is what is left where unlinking did not happen */

    catalog = &k.store->catalog;
    part = pyro_catalog_find(catalog, T0 + DAY * SEC);
    pyro_catalog_path(catalog, part->name, from, sizeof(from));
    snprintf(to, sizeof(to), "%s/kept", k.dir);
    assert_int_equal(link(from, to), 0);

    keep_reopen(&k, DAY, 0);
    assert_int_equal(keep_work(&k, T0 + 3 * DAY * SEC), 1);
    assert_int_equal(rename(to, from), 0);
    assert_int_equal(keep_files(&k), DAYS - 1);

    keep_reopen(&k, 0, 0);
    assert_int_equal(keep_files(&k), DAYS - 2);
    assert_int_equal(keep_total(&k), 10 * (DAYS - 2));
    keep_close(&k);
}


/* One that cannot be opened is in nobody's way. */
static void
a_broken_partition_keeps_no_other_one(void **state)
{
    int                 fd;
    keep_t              k;
    char                path[4096] = "";
    pyro_error_t        err;
    pyro_partition_t   *part;
    pyro_store_work_t   work;

    (void) state;

    keep_open(&k);
    part = pyro_catalog_find(&k.store->catalog, T0);
    pyro_catalog_path(&k.store->catalog, part->name, path, sizeof(path));
    keep_reopen(&k, DAY, 0);

    fd = open(path, O_WRONLY);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(write(fd, path, sizeof(path)), sizeof(path));
    close(fd);

    memset(&work, 0, sizeof(work));
    work.now = T0 + 4 * DAY * SEC;
    assert_int_not_equal(pyro_store_maintain(k.store, &work, &err), PYRO_OK);
    assert_non_null(strstr(err.message, "p-20261122"));
    assert_int_equal(work.removed, 2);
    assert_true(work.slots > 0);
    assert_int_equal(fixture_total(k.store, "{}", T0 + 3 * DAY * SEC,
                                   INT64_MAX), 30);
    keep_close(&k);
}


/* By years, from one run to the next: nothing goes that would not have. */
static void
a_clock_that_is_set_ahead_removes_nothing(void **state)
{
    keep_t   k;
    int64_t  ahead, day;

    (void) state;

    day = DAY * SEC;
    ahead = 10 * 365 * day;
    keep_open(&k);
    keep_reopen(&k, 2 * DAY, 0);
    k.mono = 1000 * SEC;

    assert_int_equal(keep_at(&k, T0 + 5 * day / 2, k.mono), 0);
    assert_int_equal(keep_at(&k, T0 + ahead, k.mono + 10 * SEC), 0);
    assert_int_equal(k.store->trust.distance > 9 * 365 * day, 1);
    assert_int_equal(keep_files(&k), DAYS);

    /* what is due by the time that has passed goes as it would have */

    assert_int_equal(keep_at(&k, T0 + ahead + day / 2, k.mono + day / 2), 1);
    assert_int_equal(keep_files(&k), DAYS - 1);

    /* and back: as if nothing had been */

    assert_int_equal(keep_at(&k, T0 + 3 * day + SEC, k.mono + SEC), 0);
    assert_int_equal(k.store->trust.distance, 0);
    assert_int_equal(keep_at(&k, T0 + 4 * day, k.mono + day), 1);
    assert_int_equal(keep_files(&k), DAYS - 2);

    /* an hour or less is what clocks are set by */

    assert_int_equal(keep_at(&k, T0 + 5 * day - 1800 * SEC,
                             k.mono + day - 3600 * SEC - SEC), 0);
    assert_int_equal(keep_at(&k, T0 + 5 * day, k.mono), 1);
    assert_int_equal(k.store->trust.distance, 0);
    keep_close(&k);
}


/* A day of it, while it stays where it is; over restarts. */
static void
a_clock_that_stays_ahead_is_believed(void **state)
{
    int      i;
    keep_t   k;
    int64_t  ahead, day, now;

    (void) state;

    day = DAY * SEC;
    ahead = 365 * day;
    keep_open(&k);
    keep_reopen(&k, 100 * DAY, 0);
    k.mono = SEC;
    now = T0 + DAYS * day;

    assert_int_equal(keep_at(&k, now, k.mono), 0);

    for (i = 0, now += ahead; i < 23; i++, now += day / 24) {
        assert_int_equal(keep_at(&k, now, k.mono + day / 24), 0);
    }

    /* set once more: it begins anew */

    now += ahead;

    for (i = 0; i < 24; i++, now += day / 24) {
        assert_int_equal(keep_at(&k, now, k.mono + day / 24), 0);
    }

    /* the next process knows of twenty-three hours, and that it was off */

    keep_reopen(&k, 100 * DAY, 0);
    k.mono = SEC;
    now += 5 * day;
    assert_int_equal(keep_at(&k, now, k.mono), 0);
    assert_int_equal(keep_at(&k, now + day / 25, k.mono + day / 25), 0);
    assert_int_equal(keep_files(&k), DAYS);
    assert_int_equal(keep_at(&k, now + day / 23, k.mono + day / 23), DAYS);
    assert_int_equal(k.store->trust.distance, 0);
    keep_close(&k);
}


/* The partition of now is that of a clock that is right. */
static void
a_clock_that_is_set_protects_what_is_written(void **state)
{
    keep_t   k;
    int64_t  day;

    (void) state;

    day = DAY * SEC;
    keep_open(&k);
    keep_reopen(&k, 0, 1);
    k.mono = SEC;

    assert_int_equal(keep_at(&k, T0 + SEC, k.mono), 0);
    assert_int_equal(keep_at(&k, T0 + 400 * day, k.mono + SEC), 0);
    assert_int_equal(keep_files(&k), DAYS);

    /* from 1970 on and right then, as machines without a battery do */

    assert_int_equal(keep_at(&k, 100 * SEC, k.mono + SEC), 0);
    assert_int_equal(keep_at(&k, T0 + 10 * SEC, k.mono + SEC), 0);
    assert_int_equal(k.store->trust.distance, 0);
    assert_int_equal(keep_files(&k), DAYS);
    assert_int_equal(keep_at(&k, T0 + 2 * day, k.mono + 2 * day), 2);
    keep_close(&k);
}


/* What a process that is no more has remembered. */
static void
a_restart_is_no_reason_to_believe(void **state)
{
    keep_t  k;

    (void) state;

    keep_open(&k);
    keep_reopen(&k, 2 * DAY, 0);
    assert_int_equal(keep_at(&k, T0 + DAY * SEC, SEC), 0);

    keep_reopen(&k, 2 * DAY, 0);
    assert_int_equal(keep_at(&k, T0 + 4000 * DAY * SEC, SEC), 0);
    keep_reopen(&k, 2 * DAY, 0);
    assert_int_equal(keep_at(&k, T0 + 4000 * DAY * SEC, 5 * SEC), 0);
    assert_int_equal(keep_files(&k), DAYS);
    assert_int_equal(keep_total(&k), DAYS * 10);

    /* a day later */

    assert_int_equal(keep_at(&k, T0 + 4001 * DAY * SEC, (DAY + 6) * SEC),
                     DAYS);
    keep_close(&k);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(nothing_goes_without_a_retention),
        cmocka_unit_test(partitions_go_by_age),
        cmocka_unit_test(the_oldest_go_by_size),
        cmocka_unit_test(tenants_have_retentions),
        cmocka_unit_test(tenants_wait_for_others),
        cmocka_unit_test(copies_count),
        cmocka_unit_test(readers_end_with_what_they_began),
        cmocka_unit_test(other_processes_let_go),
        cmocka_unit_test(removals_that_were_cut_off_are_finished),
        cmocka_unit_test(a_broken_partition_keeps_no_other_one),
        cmocka_unit_test(a_clock_that_is_set_ahead_removes_nothing),
        cmocka_unit_test(a_clock_that_stays_ahead_is_believed),
        cmocka_unit_test(a_clock_that_is_set_protects_what_is_written),
        cmocka_unit_test(a_restart_is_no_reason_to_believe),
    };

    return unit_run(tests);
}
