#include "ngx_pyroscope_module/ngx_pyroscope_upkeep.h"

#include "core/base/clock.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_process.h"


#define NGX_PYROSCOPE_UPKEEP_PAUSE  10000       /* ms, when all is done */
#define NGX_PYROSCOPE_UPKEEP_SOON   50          /* ms, when there is more */
#define NGX_PYROSCOPE_UPKEEP_TIME   (500 * PYRO_NS_PER_MS)
#define NGX_PYROSCOPE_UPKEEP_SEAL   (50 * PYRO_NS_PER_MS)   /* processor */


static ngx_msec_t ngx_pyroscope_upkeep(void *data);
static void ngx_pyroscope_upkeep_clock(ngx_pyroscope_main_conf_t *pmcf,
    int64_t distance);
static void ngx_pyroscope_upkeep_failed(ngx_pyroscope_main_conf_t *pmcf,
    const pyro_error_t *err);


/* Of the one process that does it. */
static pyro_store_t  *ngx_pyroscope_upkeep_store;
static pyro_error_t   ngx_pyroscope_upkeep_error;
static ngx_uint_t     ngx_pyroscope_upkeep_runs;
static int64_t        ngx_pyroscope_upkeep_distance;


/*
 * Paths are made, and given to the workers' user, before modules are
 * initialized: what is added here is only asked for its manager.
 */

void
ngx_pyroscope_upkeep_init(ngx_cycle_t *cycle, ngx_pyroscope_main_conf_t *pmcf)
{
    ngx_path_t  *path, **p;

    path = ngx_pcalloc(cycle->pool, sizeof(ngx_path_t));
    p = path != NULL ? ngx_array_push(&cycle->paths) : NULL;

    if (p == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "pyroscope: no memory for the store's upkeep");
        return;
    }

    path->name = pmcf->dir;
    path->manager = ngx_pyroscope_upkeep;
    path->data = pmcf;

    *p = path;
}


static ngx_msec_t
ngx_pyroscope_upkeep(void *data)
{
    ngx_msec_t                  wait;
    pyro_error_t                err;
    pyro_status_e               status;
    pyro_store_work_t           work;
    pyro_store_options_t        options;
    ngx_pyroscope_main_conf_t  *pmcf;

    pmcf = data;
    ngx_pyroscope_worker.conf = pmcf;

    /*
     * If the master was killed nobody tells this process to end, and it would
     * keep the lock from the next server's.
     */

    if (getppid() != ngx_parent) {
        ngx_terminate = 1;
        return NGX_PYROSCOPE_UPKEEP_PAUSE;
    }

    status = PYRO_OK;
    ngx_memzero(&work, sizeof(pyro_store_work_t));

    if (ngx_pyroscope_upkeep_store == NULL) {
        ngx_pyroscope_store_options(pmcf, &options);
        pyro_store_watch(options.shared);
        status = pyro_store_open(&options, &ngx_pyroscope_upkeep_store, &err);
    }

    if (status == PYRO_OK) {
        work.now = pyro_clock_wall();
        work.deadline = pyro_clock_mono() + NGX_PYROSCOPE_UPKEEP_TIME;
        work.seal_cpu = NGX_PYROSCOPE_UPKEEP_SEAL;

        status = pyro_store_maintain(ngx_pyroscope_upkeep_store, &work, &err);

        if (work.held) {
            ngx_pyroscope_upkeep_clock(pmcf, work.distance);
        }
    }

    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_ROLLED, work.slots);
    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_ROLLED_LATE, work.late);
    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_DAMAGED, work.damaged);
    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_REMOVED, work.removed);
    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_SEALED, work.sealed);
    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_THINNED, work.thinned);

    if (work.removed) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "pyroscope store "
                      "\"%V\": %uD partitions removed", &pmcf->dir,
                      work.removed);
    }

    if (work.sealed || work.thinned) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "pyroscope store "
                      "\"%V\": a partition was %s", &pmcf->dir,
                      work.sealed ? "sealed" : "thinned");
    }

    if (work.found[0]) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "pyroscope store "
                      "\"%V\": %s: pushes of its time go to a file beside it",
                      &pmcf->dir, work.found);
    }

    if (status != PYRO_OK) {
        ngx_pyroscope_upkeep_failed(pmcf, &err);
        return NGX_PYROSCOPE_UPKEEP_PAUSE;
    }

    ngx_pyroscope_upkeep_error.message[0] = '\0';

    if (work.held) {
        ngx_pyroscope_metrics_upkeep(work.rolled);
    }

    if (!work.more) {
        return NGX_PYROSCOPE_UPKEEP_PAUSE;
    }

    wait = (ngx_msec_t) (work.wait / PYRO_NS_PER_MS);

    return ngx_max(wait, NGX_PYROSCOPE_UPKEEP_SOON);
}


/*
 * Said when it begins and when it ends.  After a start it is most likely that
 * the server was off for a while.
 */

static void
ngx_pyroscope_upkeep_clock(ngx_pyroscope_main_conf_t *pmcf, int64_t distance)
{
    int64_t     ahead;
    ngx_uint_t  first, level;

    first = ngx_pyroscope_upkeep_runs++ == 0;
    level = first ? NGX_LOG_NOTICE : NGX_LOG_WARN;
    ahead = distance / PYRO_NS_PER_SEC;

    if (distance && ngx_pyroscope_upkeep_distance == 0) {
        ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_CLOCK_STEPS, 1);

        ngx_log_error(level, ngx_cycle->log, 0,
                      "pyroscope store \"%V\": the clock is %L seconds %s of "
                      "the time that has passed%s: partitions are removed by "
                      "the earlier of the two until it has been so for a day",
                      &pmcf->dir, ahead < 0 ? -ahead : ahead,
                      ahead < 0 ? "behind" : "ahead",
                      first ? " since the store was last kept" : "");
    }

    if (distance == 0 && ngx_pyroscope_upkeep_distance) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "pyroscope store "
                      "\"%V\": partitions are removed by the clock again",
                      &pmcf->dir);
    }

    ngx_pyroscope_upkeep_distance = distance;
}


/* Once for each reason, not every ten seconds. */

static void
ngx_pyroscope_upkeep_failed(ngx_pyroscope_main_conf_t *pmcf,
    const pyro_error_t *err)
{
    ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_UPKEEP_FAILURES, 1);

    if (ngx_strcmp(ngx_pyroscope_upkeep_error.message, err->message) != 0) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "pyroscope store \"%V\": "
                      "its upkeep failed: %s", &pmcf->dir, err->message);
    }

    ngx_pyroscope_upkeep_error = *err;
}
