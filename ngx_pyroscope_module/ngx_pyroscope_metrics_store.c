#include "ngx_pyroscope_module/ngx_pyroscope_metrics_zone.h"

#include "core/base/clock.h"


typedef struct {
    size_t       offset;            /* in pyro_store_stats_t */
    const char  *name;
    const char  *help;
} ngx_pyroscope_gauge_t;


static void ngx_pyroscope_metrics_states(pyro_rope_t *out,
    const pyro_store_stats_t *stats);
static void ngx_pyroscope_metrics_extent(pyro_rope_t *out,
    const pyro_store_stats_t *stats);
static void ngx_pyroscope_metrics_lag(pyro_rope_t *out);


#define NGX_PYROSCOPE_STAT(field)  offsetof(pyro_store_stats_t, field)

static const ngx_pyroscope_gauge_t  ngx_pyroscope_gauges[] = {
    { NGX_PYROSCOPE_STAT(aside), "ngx_pyroscope_store_partitions_aside",
      "Partitions that cannot be opened or killed two processes: left alone." },
    { NGX_PYROSCOPE_STAT(readers), "ngx_pyroscope_store_readers",
      "Readers that one file of the store has had at once." },
    { NGX_PYROSCOPE_STAT(readers_limit), "ngx_pyroscope_store_readers_limit",
      "Readers that a file can have at once." },
    { NGX_PYROSCOPE_STAT(disk_free), "ngx_pyroscope_store_disk_free_bytes",
      "Bytes free on the store's file system." },
    { NGX_PYROSCOPE_STAT(disk_limit), "ngx_pyroscope_store_disk_limit_bytes",
      "Bytes that are to stay free there." },
    { NGX_PYROSCOPE_STAT(disk_scarce), "ngx_pyroscope_store_disk_scarce",
      "1 while pushes are refused for lack of room." }
};


void
ngx_pyroscope_metrics_store(pyro_rope_t *out, const pyro_store_stats_t *stats,
    ngx_uint_t available)
{
    ngx_uint_t                    i;
    const ngx_pyroscope_gauge_t  *g;

    ngx_pyroscope_metrics_value(out, "gauge", "ngx_pyroscope_store_available",
                                "1 if this worker has the store open.",
                                available);
    ngx_pyroscope_metrics_lag(out);

    if (stats == NULL) {
        return;
    }

    ngx_pyroscope_metrics_states(out, stats);
    ngx_pyroscope_metrics_extent(out, stats);

    for (i = 0; i < sizeof(ngx_pyroscope_gauges)
                    / sizeof(ngx_pyroscope_gauges[0]); i++)
    {
        g = &ngx_pyroscope_gauges[i];
        ngx_pyroscope_metrics_value(out, "gauge", g->name, g->help,
                                    *(uint64_t *) ((char *) stats
                                                   + g->offset));
    }
}


/* control.mdb is a state of its own, so that the sum is the store's. */

static void
ngx_pyroscope_metrics_states(pyro_rope_t *out, const pyro_store_stats_t *stats)
{
    uint32_t     i;
    const char  *name;

    name = "ngx_pyroscope_store_bytes";
    ngx_pyroscope_metrics_head(out, name, "gauge",
                               "Bytes of the files of the store.");
    pyro_rope_printf(out, "%s{state=\"control\"} %lu\n", name,
                     (unsigned long) stats->control_bytes);

    for (i = 0; i < PYRO_STORE_STATES; i++) {
        pyro_rope_printf(out, "%s{state=\"%s\"} %lu\n", name,
                         pyro_store_state_text(i),
                         (unsigned long) stats->states[i].bytes);
    }

    name = "ngx_pyroscope_store_partitions";
    ngx_pyroscope_metrics_head(out, name, "gauge",
                               "Partition files in the catalogue.");

    for (i = 0; i < PYRO_STORE_STATES; i++) {
        pyro_rope_printf(out, "%s{state=\"%s\"} %lu\n", name,
                         pyro_store_state_text(i),
                         (unsigned long) stats->states[i].partitions);
    }
}


/* An empty store has neither. */

static void
ngx_pyroscope_metrics_extent(pyro_rope_t *out, const pyro_store_stats_t *stats)
{
    if (stats->partitions == 0) {
        return;
    }

    ngx_pyroscope_metrics_value(out, "gauge",
                                "ngx_pyroscope_store_oldest_timestamp_seconds",
                                "When the first partition begins.",
                                (uint64_t) (stats->oldest / PYRO_NS_PER_SEC));
    ngx_pyroscope_metrics_value(out, "gauge",
                                "ngx_pyroscope_store_newest_timestamp_seconds",
                                "When the last partition ends.",
                                (uint64_t) (stats->newest / PYRO_NS_PER_SEC));
}


static void
ngx_pyroscope_metrics_lag(pyro_rope_t *out)
{
    int64_t                   lag;
    const char               *name;
    ngx_pyroscope_metrics_t  *m;

    m = ngx_pyroscope_metrics();
    lag = pyro_clock_mono() - m->rolled;

    name = "ngx_pyroscope_upkeep_timestamp_seconds";
    ngx_pyroscope_metrics_head(out, name, "gauge",
                               "When the store's upkeep last ended well.");
    pyro_rope_printf(out, "%s %.3f\n", name, (double) m->upkeep / 1e9);

    name = "ngx_pyroscope_rollup_lag_seconds";
    ngx_pyroscope_metrics_head(out, name, "gauge",
                               "Since when not all is rolled up that is due.");
    pyro_rope_printf(out, "%s %.3f\n", name,
                     (double) ngx_max(lag, 0) / 1e9);
}
