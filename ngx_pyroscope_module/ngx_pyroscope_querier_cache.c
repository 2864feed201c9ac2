/*
 * What a client may keep of an answer to a URL (RFC 9110, 8.8.3; RFC 9111): its
 * ETag stands for the question, its times as they are now, and the version of
 * the files that they lie in, so a client that has the answer still is told so
 * without making it again.
 */

#include "ngx_pyroscope_module/ngx_pyroscope_querier.h"

#include "core/base/clock.h"
#include "core/base/etag.h"
#include "core/base/hash.h"


/* Agents have pushed by then what they had of a time, with their retries. */
#define NGX_PYROSCOPE_CLOSED  (300 * PYRO_NS_PER_SEC)


static uint64_t ngx_pyroscope_cache_plan(ngx_pyroscope_query_t *q,
    pyro_arena_t *arena, const pyro_plan_t *plan, uint64_t hash);
static uint64_t ngx_pyroscope_cache_number(uint64_t hash, uint64_t n);


int
ngx_pyroscope_querier_is_known(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_render_t *render)
{
    int64_t             end;
    uint64_t            hash;
    const pyro_plan_t  *plan;

    plan = &render->plan;

    hash = pyro_hash64(q->args.data, q->args.len, q->rpc);
    hash = pyro_hash64(PYRO_VERSION, sizeof(PYRO_VERSION), hash);
    hash = ngx_pyroscope_cache_number(hash, q->gzip_out);
    hash = ngx_pyroscope_cache_number(hash,
                                      q->limits.max_flamegraph_nodes_default);

    if (plan->left != NULL) {
        end = ngx_max(plan->left->end, plan->right->end);
        hash = ngx_pyroscope_cache_plan(q, arena, plan->left, hash);
        hash = ngx_pyroscope_cache_plan(q, arena, plan->right, hash);

    } else {
        end = plan->end;
        hash = ngx_pyroscope_cache_plan(q, arena, plan, hash);
    }

    if (hash == 0) {
        return 0;
    }

    q->etag_len = snprintf(q->etag, sizeof(q->etag), "\"%016llx\"",
                           (unsigned long long) hash);
    q->closed = !render->relative
                && end < pyro_clock_wall() - NGX_PYROSCOPE_CLOSED;

    return pyro_etag_listed(q->if_none_match,
                            pyro_slice(q->etag, q->etag_len));
}


/* 0 once it was 0, and where there is no version. */

static uint64_t
ngx_pyroscope_cache_plan(ngx_pyroscope_query_t *q, pyro_arena_t *arena,
    const pyro_plan_t *plan, uint64_t hash)
{
    uint32_t            i;
    uint64_t            version;
    pyro_error_t        err;
    pyro_store_query_t  query;

    ngx_pyroscope_querier_query(q, arena, plan, &query);

    for (i = 0; i < q->n_tenants && hash; i++) {
        query.tenant = q->tenants[i];

        if (pyro_store_version(q->store, &query, &version, &err) != PYRO_OK
            || version == 0)
        {
            return 0;
        }

        hash = pyro_hash64(query.tenant.data, query.tenant.len, hash);
        hash = ngx_pyroscope_cache_number(hash, version);
    }

    if (hash == 0) {
        return 0;
    }

    hash = ngx_pyroscope_cache_number(hash, (uint64_t) plan->start);

    return ngx_pyroscope_cache_number(hash, (uint64_t) plan->end);
}


static uint64_t
ngx_pyroscope_cache_number(uint64_t hash, uint64_t n)
{
    return pyro_hash64(&n, sizeof(n), hash);
}
