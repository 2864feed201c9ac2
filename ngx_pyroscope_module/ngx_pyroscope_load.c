#include "ngx_pyroscope_module/ngx_pyroscope_load.h"

#include "ngx_pyroscope_module/ngx_pyroscope_metrics.h"
#include "ngx_pyroscope_module/ngx_pyroscope_metrics_zone.h"

#include "core/base/clock.h"


typedef enum {
    NGX_PYROSCOPE_LIMIT_PUSHES = 0,
    NGX_PYROSCOPE_LIMIT_BYTES,
    NGX_PYROSCOPE_LIMIT_AGE,
    NGX_PYROSCOPE_LIMIT_PARSE,
    NGX_PYROSCOPE_LIMIT_QUERIES,
    NGX_PYROSCOPE_LIMITS
} ngx_pyroscope_limit_e;


/* The sum of all workers; of the age and of what limits the largest. */
typedef struct {
    uint64_t    now;                    /* ms */
    uint64_t    pushes;
    uint64_t    queued;
    uint64_t    committing;
    uint64_t    push_bytes;
    uint64_t    parse_bytes;
    uint64_t    queries;
    uint64_t    running;
    uint64_t    most[NGX_PYROSCOPE_LIMITS];
    uint64_t    requests[NGX_PYROSCOPE_ROUTES][NGX_PYROSCOPE_METHODS];
} ngx_pyroscope_load_sum_t;


static void ngx_pyroscope_load_end(void *data);
static void ngx_pyroscope_load_add(void *ctx, const void *data);
static void ngx_pyroscope_load_uploads(pyro_rope_t *out,
    const ngx_pyroscope_load_sum_t *sum);
static void ngx_pyroscope_load_queries(pyro_rope_t *out,
    const ngx_pyroscope_load_sum_t *sum);
static void ngx_pyroscope_load_requests(pyro_rope_t *out,
    const ngx_pyroscope_load_sum_t *sum,
    u_char seen[NGX_PYROSCOPE_ROUTES][NGX_PYROSCOPE_METHODS]);
static void ngx_pyroscope_load_limits(pyro_rope_t *out,
    const ngx_pyroscope_load_sum_t *sum);
static uint64_t ngx_pyroscope_load_limit(ngx_uint_t limit);


/* of a worker for which there is no slot: it is not in the sums */

static ngx_pyroscope_load_t  ngx_pyroscope_load_alone;

static const char  *ngx_pyroscope_methods[NGX_PYROSCOPE_METHODS] = {
    "GET", "HEAD", "POST", "other"
};


static const struct {
    const char  *setting;
    const char  *name;
    const char  *help;
} ngx_pyroscope_limits[NGX_PYROSCOPE_LIMITS] = {
    { "lmdb.queue_pushes", "ngx_pyroscope_queue_limit_pushes",
      "lmdb.queue_pushes, of each worker." },
    { "lmdb.queue_bytes", "ngx_pyroscope_queue_limit_bytes",
      "lmdb.queue_bytes, of each worker." },
    { "lmdb.queue_age", "ngx_pyroscope_queue_age_limit_seconds",
      "lmdb.queue_age, of each worker." },
    { "lmdb.parse_bytes", "ngx_pyroscope_parse_limit_bytes",
      "lmdb.parse_bytes, of each worker." },
    { "query.max_concurrent", "ngx_pyroscope_queries_limit",
      "query.max_concurrent, of each worker." }
};


void
ngx_pyroscope_load_init(ngx_pyroscope_worker_t *worker)
{
    worker->load = pyro_crew_join(ngx_pyroscope_metrics()->crew);

    if (worker->load == NULL) {
        worker->load = &ngx_pyroscope_load_alone;
    }
}


ngx_pyroscope_method_e
ngx_pyroscope_load_method(ngx_http_request_t *r)
{
    switch (r->method) {

    case NGX_HTTP_GET:
        return NGX_PYROSCOPE_METHOD_GET;

    case NGX_HTTP_HEAD:
        return NGX_PYROSCOPE_METHOD_HEAD;

    case NGX_HTTP_POST:
        return NGX_PYROSCOPE_METHOD_POST;

    default:
        return NGX_PYROSCOPE_METHOD_OTHER;
    }
}


const char *
ngx_pyroscope_load_method_name(ngx_uint_t method)
{
    return ngx_pyroscope_methods[method];
}


ngx_int_t
ngx_pyroscope_load_request(ngx_http_request_t *r,
    const ngx_pyroscope_route_t *route)
{
    _Atomic uint32_t    *n;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (cln == NULL) {
        return NGX_ERROR;
    }

    n = &ngx_pyroscope_worker.load->requests[ngx_pyroscope_route_index(route)]
                                            [ngx_pyroscope_load_method(r)];
    atomic_fetch_add_explicit(n, 1, memory_order_relaxed);

    cln->handler = ngx_pyroscope_load_end;
    cln->data = (void *) n;

    return NGX_OK;
}


static void
ngx_pyroscope_load_end(void *data)
{
    atomic_fetch_sub_explicit((_Atomic uint32_t *) data, 1,
                              memory_order_relaxed);
}


void
ngx_pyroscope_load_text(pyro_rope_t *out,
    u_char seen[NGX_PYROSCOPE_ROUTES][NGX_PYROSCOPE_METHODS])
{
    unsigned                  workers;
    ngx_pyroscope_load_sum_t  sum;

    ngx_memzero(&sum, sizeof(ngx_pyroscope_load_sum_t));
    sum.now = (uint64_t) ngx_current_msec;

    workers = pyro_crew_each(ngx_pyroscope_metrics()->crew,
                             ngx_pyroscope_load_add, &sum);

    ngx_pyroscope_metrics_value(out, "gauge", "ngx_pyroscope_workers",
                                "Worker processes, with those that end.",
                                workers);
    ngx_pyroscope_load_requests(out, &sum, seen);
    ngx_pyroscope_load_uploads(out, &sum);
    ngx_pyroscope_load_queries(out, &sum);
    ngx_pyroscope_load_limits(out, &sum);
}


static void
ngx_pyroscope_load_add(void *ctx, const void *data)
{
    uint64_t                     used[NGX_PYROSCOPE_LIMITS], oldest;
    ngx_uint_t                   r, m, i;
    ngx_pyroscope_load_sum_t    *sum = ctx;
    const ngx_pyroscope_load_t  *load = data;

    oldest = load->oldest;

    used[NGX_PYROSCOPE_LIMIT_PUSHES] = load->pushes;
    used[NGX_PYROSCOPE_LIMIT_BYTES] = load->push_bytes;
    used[NGX_PYROSCOPE_LIMIT_AGE] = oldest && oldest < sum->now
                                    ? sum->now - oldest : 0;
    used[NGX_PYROSCOPE_LIMIT_PARSE] = load->parse_bytes;
    used[NGX_PYROSCOPE_LIMIT_QUERIES] = load->queries;

    for (i = 0; i < NGX_PYROSCOPE_LIMITS; i++) {
        sum->most[i] = ngx_max(sum->most[i], used[i]);
    }

    sum->pushes += used[NGX_PYROSCOPE_LIMIT_PUSHES];
    sum->push_bytes += used[NGX_PYROSCOPE_LIMIT_BYTES];
    sum->parse_bytes += used[NGX_PYROSCOPE_LIMIT_PARSE];
    sum->queries += used[NGX_PYROSCOPE_LIMIT_QUERIES];
    sum->queued += load->queued;
    sum->committing += load->committing;
    sum->running += load->running;

    for (r = 0; r < NGX_PYROSCOPE_ROUTES; r++) {
        for (m = 0; m < NGX_PYROSCOPE_METHODS; m++) {
            sum->requests[r][m] += load->requests[r][m];
        }
    }
}


/* Numbers are read one after the other, while they change. */

static void
ngx_pyroscope_load_uploads(pyro_rope_t *out,
    const ngx_pyroscope_load_sum_t *sum)
{
    uint64_t     stored;
    const char  *name;

    name = "ngx_pyroscope_queue_pushes";
    stored = sum->queued + sum->committing;

    ngx_pyroscope_metrics_head(out, name, "gauge",
                               "Uploads between their body and their answer.");
    pyro_rope_printf(out, "%s{stage=\"parse\"} %lu\n%s{stage=\"wait\"} %lu\n"
                     "%s{stage=\"commit\"} %lu\n", name,
                     (unsigned long) (sum->pushes > stored
                                      ? sum->pushes - stored : 0),
                     name, (unsigned long) sum->queued, name,
                     (unsigned long) sum->committing);

    ngx_pyroscope_metrics_value(out, "gauge", "ngx_pyroscope_queue_bytes",
                                "Bytes of their bodies.", sum->push_bytes);

    name = "ngx_pyroscope_queue_age_seconds";
    ngx_pyroscope_metrics_head(out, name, "gauge",
                               "Since when the first one waits for a commit.");
    pyro_rope_printf(out, "%s %.3f\n", name,
                     (double) sum->most[NGX_PYROSCOPE_LIMIT_AGE] / 1e3);

    ngx_pyroscope_metrics_value(out, "gauge", "ngx_pyroscope_parse_bytes",
                                "Bytes of their recordings after gzip.",
                                sum->parse_bytes);
}


static void
ngx_pyroscope_load_queries(pyro_rope_t *out,
    const ngx_pyroscope_load_sum_t *sum)
{
    const char  *name;

    name = "ngx_pyroscope_queries";

    ngx_pyroscope_metrics_head(out, name, "gauge",
                               "Queries that run, and that wait for a thread.");
    pyro_rope_printf(out, "%s{state=\"running\"} %lu\n"
                     "%s{state=\"waiting\"} %lu\n", name,
                     (unsigned long) sum->running, name,
                     (unsigned long) (sum->queries > sum->running
                                      ? sum->queries - sum->running : 0));
}


static void
ngx_pyroscope_load_requests(pyro_rope_t *out,
    const ngx_pyroscope_load_sum_t *sum,
    u_char seen[NGX_PYROSCOPE_ROUTES][NGX_PYROSCOPE_METHODS])
{
    ngx_uint_t   r, m;
    const char  *name;

    name = "pyroscope_inflight_requests";

    ngx_pyroscope_metrics_head(out, name, "gauge",
                               "Requests in work, by route.");

    for (r = 0; r < NGX_PYROSCOPE_ROUTES; r++) {
        for (m = 0; m < NGX_PYROSCOPE_METHODS; m++) {

            if (sum->requests[r][m] == 0 && !seen[r][m]) {
                continue;
            }

            pyro_rope_printf(out, "%s{method=\"%s\",route=\"%s\"} %lu\n", name,
                             ngx_pyroscope_methods[m],
                             ngx_pyroscope_route_name(r),
                             (unsigned long) sum->requests[r][m]);
        }
    }
}


/* Sums hide one worker that is full beside others that are not. */

static void
ngx_pyroscope_load_limits(pyro_rope_t *out,
    const ngx_pyroscope_load_sum_t *sum)
{
    uint64_t     limit;
    ngx_uint_t   i;
    const char  *name;

    for (i = 0; i < NGX_PYROSCOPE_LIMITS; i++) {
        limit = ngx_pyroscope_load_limit(i);
        name = ngx_pyroscope_limits[i].name;

        ngx_pyroscope_metrics_head(out, name, "gauge",
                                   ngx_pyroscope_limits[i].help);
        pyro_rope_printf(out, "%s %.15g\n", name,
                         (double) limit
                         / (i == NGX_PYROSCOPE_LIMIT_AGE ? 1e3 : 1));
    }

    name = "ngx_pyroscope_limit_used_ratio";

    ngx_pyroscope_metrics_head(out, name, "gauge",
                               "What of a limit the fullest worker uses.");

    for (i = 0; i < NGX_PYROSCOPE_LIMITS; i++) {
        limit = ngx_pyroscope_load_limit(i);

        pyro_rope_printf(out, "%s{limit=\"%s\"} %.6g\n", name,
                         ngx_pyroscope_limits[i].setting,
                         limit ? (double) sum->most[i] / (double) limit : 0);
    }
}


/* As the answering worker has it; of the age ms. */

static uint64_t
ngx_pyroscope_load_limit(ngx_uint_t limit)
{
    const pyro_settings_t  *settings;

    settings = ngx_pyroscope_worker.conf->settings;

    switch (limit) {

    case NGX_PYROSCOPE_LIMIT_PUSHES:
        return settings->lmdb.queue_pushes;

    case NGX_PYROSCOPE_LIMIT_BYTES:
        return settings->lmdb.queue_bytes;

    case NGX_PYROSCOPE_LIMIT_AGE:
        return (uint64_t) settings->lmdb.queue_age;

    case NGX_PYROSCOPE_LIMIT_PARSE:
        return settings->lmdb.parse_bytes;

    default:
        return settings->query.max_concurrent;
    }
}
