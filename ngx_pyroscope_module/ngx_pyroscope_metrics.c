#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"

#include "ngx_pyroscope_module/ngx_pyroscope_metrics_zone.h"
#include "ngx_pyroscope_module/ngx_pyroscope_route.h"

#include "core/base/clock.h"


#define NGX_PYROSCOPE_ZONE  "pyroscope_metrics"
#define NGX_PYROSCOPE_PAGES(size)  (((size) / ngx_pagesize + 1) * ngx_pagesize)


static ngx_int_t ngx_pyroscope_metrics_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_pyroscope_metrics_init(ngx_slab_pool_t *shpool,
    ngx_pyroscope_metrics_t *m);


char *
ngx_pyroscope_metrics_zone(ngx_conf_t *cf, ngx_pyroscope_main_conf_t *pmcf)
{
    size_t           size;
    ngx_str_t        name;
    ngx_shm_zone_t  *zone;

    ngx_str_set(&name, NGX_PYROSCOPE_ZONE);

    size = 8 * ngx_pagesize
           + NGX_PYROSCOPE_PAGES(sizeof(ngx_pyroscope_metrics_t))
           + NGX_PYROSCOPE_PAGES(pyro_crew_size(sizeof(ngx_pyroscope_load_t)));

    /* and what the slab keeps of each page */
    size += size / 64;

    zone = ngx_shared_memory_add(cf, &name, size, &ngx_pyroscope_module);

    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->init = ngx_pyroscope_metrics_init_zone;
    pmcf->metrics = zone;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_pyroscope_metrics_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t          *shpool;
    ngx_pyroscope_metrics_t  *m;

    if (data != NULL) {
        zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    m = ngx_slab_calloc(shpool, sizeof(ngx_pyroscope_metrics_t));

    if (m == NULL) {
        return NGX_ERROR;
    }

    zone->data = m;
    shpool->data = m;

    return ngx_pyroscope_metrics_init(shpool, m);
}


static ngx_int_t
ngx_pyroscope_metrics_init(ngx_slab_pool_t *shpool,
    ngx_pyroscope_metrics_t *m)
{
    size_t  size;

    size = sizeof(ngx_pyroscope_load_t);

    m->rolled = pyro_clock_mono();
    m->store = ngx_slab_calloc(shpool, pyro_store_shared_size());
    m->crew = ngx_slab_alloc(shpool, pyro_crew_size(size));

    return m->store != NULL && m->crew != NULL
           && pyro_crew_init(m->crew, size) == 0
           && pyro_tally_init(&m->services) == 0
           ? NGX_OK : NGX_ERROR;
}


void *
ngx_pyroscope_metrics_shared(ngx_pyroscope_main_conf_t *pmcf)
{
    return ((ngx_pyroscope_metrics_t *) pmcf->metrics->data)->store;
}


ngx_pyroscope_metrics_t *
ngx_pyroscope_metrics(void)
{
    return ngx_pyroscope_worker.conf->metrics->data;
}


pyro_rates_t *
ngx_pyroscope_metrics_rates(void)
{
    return &ngx_pyroscope_metrics()->rates;
}


void
ngx_pyroscope_metrics_add(ngx_pyroscope_counter_e counter, uint64_t n)
{
    (void) ngx_atomic_fetch_add(&ngx_pyroscope_metrics()->counters[counter],
                                n);
}


void
ngx_pyroscope_metrics_discarded(pyro_reason_e reason, size_t bytes)
{
    ngx_pyroscope_metrics_t  *m;

    m = ngx_pyroscope_metrics();

    (void) ngx_atomic_fetch_add(&m->discarded[reason], 1);
    (void) ngx_atomic_fetch_add(&m->discarded_bytes[reason], bytes);
}


void
ngx_pyroscope_metrics_jfr(const pyro_jfr_report_t *report)
{
    ngx_uint_t                i;
    ngx_pyroscope_metrics_t  *m;

    m = ngx_pyroscope_metrics();

    for (i = 0; i < PYRO_JFR_COUNTER_COUNT; i++) {
        if (report->counters[i]) {
            (void) ngx_atomic_fetch_add(&m->jfr[i], report->counters[i]);
        }
    }
}


void
ngx_pyroscope_metrics_damaged(void)
{
    uint64_t                damaged;
    ngx_pyroscope_worker_t  *worker;

    static uint64_t         counted;

    worker = &ngx_pyroscope_worker;

    if (worker->store == NULL) {
        return;
    }

    damaged = pyro_store_damaged(worker->store);

    if (damaged != counted) {
        ngx_pyroscope_metrics_add(NGX_PYROSCOPE_COUNT_DAMAGED,
                                  damaged - counted);
        counted = damaged;
    }
}


void
ngx_pyroscope_metrics_upkeep(ngx_uint_t rolled)
{
    ngx_pyroscope_metrics_t  *m;

    m = ngx_pyroscope_metrics();
    m->upkeep = pyro_clock_wall();

    if (rolled) {
        m->rolled = pyro_clock_mono();
    }
}
