#include "ngx_pyroscope_module/ngx_pyroscope_process.h"

#include "ngx_pyroscope_module/ngx_pyroscope_commit.h"
#include "ngx_pyroscope_module/ngx_pyroscope_conf.h"
#include "ngx_pyroscope_module/ngx_pyroscope_load.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_pools.h"
#include "ngx_pyroscope_module/ngx_pyroscope_upkeep.h"


#define NGX_PYROSCOPE_RETRY    1000     /* ms between attempts to open */
#define NGX_PYROSCOPE_REFRESH  10000    /* ms between looks at the catalogue */
#define NGX_PYROSCOPE_SYNC     1000     /* the same, with PERIODIC */


/* An attempt to open the store off the event loop. */
typedef struct {
    pyro_store_options_t   options;     /* read by the thread */
    pyro_store_t          *store;       /* its results */
    pyro_error_t           error;
} ngx_pyroscope_open_t;


static void ngx_pyroscope_make_dir(ngx_cycle_t *cycle,
    ngx_pyroscope_main_conf_t *pmcf);
static void ngx_pyroscope_open_result(ngx_pyroscope_open_t *open,
    ngx_log_t *log);
static void ngx_pyroscope_open_retry(ngx_event_t *ev);
static void ngx_pyroscope_open_thread(void *data, ngx_log_t *log);
static void ngx_pyroscope_open_done(ngx_event_t *ev);
static void ngx_pyroscope_refresh_init(ngx_cycle_t *cycle);
static void ngx_pyroscope_refresh_start(ngx_event_t *ev);
static void ngx_pyroscope_refresh_thread(void *data, ngx_log_t *log);
static void ngx_pyroscope_refresh_done(ngx_event_t *ev);
static ngx_msec_t ngx_pyroscope_refresh_room(ngx_log_t *log);


static ngx_event_t         ngx_pyroscope_retry_event;
static ngx_thread_task_t  *ngx_pyroscope_open_task;
static ngx_event_t         ngx_pyroscope_refresh_event;
static ngx_thread_task_t  *ngx_pyroscope_refresh_task;
static ngx_connection_t    ngx_pyroscope_dumb;     /* for debug logs */
static ngx_uint_t          ngx_pyroscope_scarce;   /* said in the log */


ngx_int_t
ngx_pyroscope_init_module(ngx_cycle_t *cycle)
{
    ngx_pyroscope_main_conf_t  *pmcf;

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_pyroscope_module);

    if (pmcf == NULL || pmcf->settings == NULL) {
        return NGX_OK;
    }

    if (pmcf->settings->server.log_level_set) {
        ngx_pyroscope_conf_log_levels(cycle);
    }

    if (!ngx_test_config) {
        ngx_pyroscope_make_dir(cycle, pmcf);
        ngx_pyroscope_upkeep_init(cycle, pmcf);
    }

    return NGX_OK;
}


/*
 * mkdir -p, the last one owned by the workers' user.  What goes wrong is said
 * here and shows as 503 with the store's own reason later.
 */

static void
ngx_pyroscope_make_dir(ngx_cycle_t *cycle, ngx_pyroscope_main_conf_t *pmcf)
{
    u_char           *p, *dir;
    ngx_file_info_t   fi;
    ngx_core_conf_t  *ccf;

    dir = pmcf->dir.data;

    for (p = dir + 1; *p; p++) {
        if (*p != '/') {
            continue;
        }

        *p = '\0';

        if (ngx_create_dir(dir, 0755) == NGX_FILE_ERROR
            && ngx_errno != NGX_EEXIST)
        {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                          ngx_create_dir_n " \"%s\" failed", dir);
        }

        *p = '/';
    }

    if (ngx_create_dir(dir, 0750) == NGX_FILE_ERROR
        && ngx_errno != NGX_EEXIST)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_create_dir_n " \"%s\" failed", dir);
        return;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (geteuid() != 0 || ccf->user == (uid_t) NGX_CONF_UNSET_UINT
        || ngx_file_info(dir, &fi) == NGX_FILE_ERROR
        || fi.st_uid == ccf->user)
    {
        return;
    }

    if (chown((char *) dir, ccf->user, (gid_t) -1) == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "chown(\"%s\", %d) failed", dir, ccf->user);
    }
}


ngx_int_t
ngx_pyroscope_init_process(ngx_cycle_t *cycle)
{
    ngx_pyroscope_open_t       *open;
    ngx_pyroscope_worker_t     *worker;
    ngx_pyroscope_main_conf_t  *pmcf;

    /* helper processes come here as well and have no thread pools */

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_pyroscope_module);

    if (pmcf == NULL || pmcf->settings == NULL) {
        return NGX_OK;
    }

    worker = &ngx_pyroscope_worker;
    worker->conf = pmcf;

    ngx_pyroscope_load_init(worker);
    ngx_pyroscope_pools_find(cycle, worker);
    ngx_pyroscope_commit_init(cycle);

    ngx_pyroscope_open_task = ngx_thread_task_alloc(cycle->pool,
                                                 sizeof(ngx_pyroscope_open_t));

    if (ngx_pyroscope_open_task == NULL) {
        pyro_error_memory(&worker->store_error);
        return NGX_OK;
    }

    open = ngx_pyroscope_open_task->ctx;
    ngx_memzero(open, sizeof(ngx_pyroscope_open_t));

    ngx_pyroscope_store_options(pmcf, &open->options);
    pyro_store_watch(open->options.shared);

    ngx_pyroscope_open_task->handler = ngx_pyroscope_open_thread;
    ngx_pyroscope_open_task->event.handler = ngx_pyroscope_open_done;
    ngx_pyroscope_open_task->event.data = open;
    ngx_pyroscope_open_task->event.log = cycle->log;

    ngx_pyroscope_retry_event.handler = ngx_pyroscope_open_retry;
    ngx_pyroscope_retry_event.data = open;
    ngx_pyroscope_retry_event.log = cycle->log;
    ngx_pyroscope_retry_event.cancelable = 1;

    /*
     * The first attempt blocks, on purpose: the loop does not run yet, and
     * after a reload the first request must find a store.
     */

    ngx_pyroscope_open_thread(open, cycle->log);
    ngx_pyroscope_open_result(open, cycle->log);
    ngx_pyroscope_refresh_init(cycle);

    return NGX_OK;
}


void
ngx_pyroscope_store_options(ngx_pyroscope_main_conf_t *pmcf,
    pyro_store_options_t *options)
{
    ngx_memzero(options, sizeof(pyro_store_options_t));

    options->dir = (char *) pmcf->dir.data;
    options->map_size = pmcf->settings->lmdb.map_size;
    options->partition = pmcf->settings->lmdb.partition;
    options->durability = pmcf->settings->lmdb.durability;
    options->retention = pmcf->settings->limits.retention_period;
    options->retentions = pmcf->retentions;
    options->n_retentions = pmcf->n_retentions;
    options->max_disk_size = pmcf->settings->lmdb.max_disk_size;
    options->seal_after = pmcf->settings->lmdb.seal_after;
    options->keep_raw = pmcf->settings->lmdb.keep_raw;
    options->keep_1h = pmcf->settings->lmdb.keep_1h;
    options->shared = ngx_pyroscope_metrics_shared(pmcf);
    options->min_free_disk = pmcf->settings->lmdb.min_free_disk;
    options->max_late_partitions = pmcf->settings->lmdb.max_late_partitions;
}


static void
ngx_pyroscope_open_thread(void *data, ngx_log_t *log)
{
    ngx_pyroscope_open_t *open = data;

    open->store = NULL;
    open->error.status = PYRO_OK;

    (void) pyro_store_open(&open->options, &open->store, &open->error);
}


static void
ngx_pyroscope_open_result(ngx_pyroscope_open_t *open, ngx_log_t *log)
{
    ngx_pyroscope_worker_t  *worker;

    worker = &ngx_pyroscope_worker;

    if (open->store != NULL) {
        if (worker->store_error.status != PYRO_OK) {
            ngx_log_error(NGX_LOG_NOTICE, log, 0, "pyroscope store \"%V\" is "
                          "available", &worker->conf->dir);
        }

        worker->store = open->store;
        worker->store_error.status = PYRO_OK;
        return;
    }

    /* once for each reason, not once a second */

    if (ngx_strcmp(worker->store_error.message, open->error.message) != 0) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "pyroscope store \"%V\" is not "
                      "available: %s", &worker->conf->dir,
                      open->error.message);
    }

    worker->store_error = open->error;

    ngx_add_timer(&ngx_pyroscope_retry_event, NGX_PYROSCOPE_RETRY);
}


static void
ngx_pyroscope_open_retry(ngx_event_t *ev)
{
    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (ngx_thread_task_post(ngx_pyroscope_worker.write_pool,
                             ngx_pyroscope_open_task)
        != NGX_OK)
    {
        ngx_add_timer(ev, NGX_PYROSCOPE_RETRY);
    }
}


static void
ngx_pyroscope_open_done(ngx_event_t *ev)
{
    ngx_pyroscope_open_result(ev->data, ev->log);
}


/*
 * A worker that nobody asks anything keeps the files open that retention has
 * removed, and with them their room on the disk: it looks now and then.  It
 * also sees then whether there is room for pushes, for /ready to say; once it
 * was scarce, as often as a store is tried that is not there.
 */

static void
ngx_pyroscope_refresh_init(ngx_cycle_t *cycle)
{
    ngx_thread_task_t  *task;

    task = ngx_thread_task_alloc(cycle->pool, sizeof(pyro_store_t *));

    if (task == NULL) {
        return;
    }

    task->handler = ngx_pyroscope_refresh_thread;
    task->event.handler = ngx_pyroscope_refresh_done;
    task->event.log = cycle->log;
    ngx_pyroscope_refresh_task = task;

    ngx_pyroscope_dumb.fd = (ngx_socket_t) -1;

    ngx_pyroscope_refresh_event.handler = ngx_pyroscope_refresh_start;
    ngx_pyroscope_refresh_event.data = &ngx_pyroscope_dumb;
    ngx_pyroscope_refresh_event.log = cycle->log;
    ngx_pyroscope_refresh_event.cancelable = 1;

    ngx_add_timer(&ngx_pyroscope_refresh_event, NGX_PYROSCOPE_REFRESH);
}


static void
ngx_pyroscope_refresh_start(ngx_event_t *ev)
{
    pyro_store_t  **store;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    store = ngx_pyroscope_refresh_task->ctx;
    *store = ngx_pyroscope_worker.store;

    if (*store == NULL
        || ngx_thread_task_post(ngx_pyroscope_worker.query_pool,
                                ngx_pyroscope_refresh_task)
           != NGX_OK)
    {
        ngx_add_timer(ev, NGX_PYROSCOPE_REFRESH);
    }
}


/* What goes wrong here, pushes and queries will tell. */

static void
ngx_pyroscope_refresh_thread(void *data, ngx_log_t *log)
{
    (void) pyro_store_refresh(*(pyro_store_t **) data, NULL);
}


static void
ngx_pyroscope_refresh_done(ngx_event_t *ev)
{
    ngx_msec_t  pause;

    pause = ngx_pyroscope_refresh_room(ev->log);

    if (!ngx_exiting) {
        ngx_add_timer(&ngx_pyroscope_refresh_event, pause);
    }
}


/* Says it when it changes; the time until the next look. */

static ngx_msec_t
ngx_pyroscope_refresh_room(ngx_log_t *log)
{
    pyro_error_t             err;
    pyro_status_e            status;
    ngx_pyroscope_worker_t  *worker;

    worker = &ngx_pyroscope_worker;
    status = pyro_store_room(worker->store, &err);

    if (status != PYRO_OK && !ngx_pyroscope_scarce) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "pyroscope store \"%V\" takes no "
                      "pushes: %s", &worker->conf->dir, err.message);
    }

    if (status == PYRO_OK && ngx_pyroscope_scarce) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0, "pyroscope store \"%V\" takes "
                      "pushes again", &worker->conf->dir);
    }

    ngx_pyroscope_scarce = status != PYRO_OK;

    if (ngx_pyroscope_scarce) {
        return NGX_PYROSCOPE_RETRY;
    }

    return worker->conf->settings->lmdb.durability == PYRO_DURABILITY_PERIODIC
           ? NGX_PYROSCOPE_SYNC : NGX_PYROSCOPE_REFRESH;
}


void
ngx_pyroscope_exit_process(ngx_cycle_t *cycle)
{
    ngx_pyroscope_worker_t  *worker;

    worker = &ngx_pyroscope_worker;

    /* the thread pools, static modules, have ended before us */

    if (worker->store == NULL && ngx_pyroscope_open_task != NULL) {
        worker->store =
            ((ngx_pyroscope_open_t *) ngx_pyroscope_open_task->ctx)->store;
    }

    if (worker->store != NULL) {
        pyro_store_close(worker->store);
        worker->store = NULL;
    }
}
