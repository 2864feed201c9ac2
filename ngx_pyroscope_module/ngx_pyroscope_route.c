#include "ngx_pyroscope_module/ngx_pyroscope_route.h"

#include "ngx_pyroscope_module/ngx_pyroscope_info.h"
#include "ngx_pyroscope_module/ngx_pyroscope_ingest.h"
#include "ngx_pyroscope_module/ngx_pyroscope_load.h"
#include "ngx_pyroscope_module/ngx_pyroscope_query.h"
#include "ngx_pyroscope_module/ngx_pyroscope_reply.h"
#include "ngx_pyroscope_module/ngx_pyroscope_status.h"


#define NGX_PYROSCOPE_GET  (NGX_HTTP_GET|NGX_HTTP_HEAD)

#define NGX_PYROSCOPE_CALL(path, name, call)                                  \
    { ngx_string(path), name, NGX_PYROSCOPE_QUERY, NGX_HTTP_POST,             \
      1, call, ngx_pyroscope_query_handler }

#define NGX_PYROSCOPE_URL(path, name, call)                                   \
    { ngx_string(path), name, NGX_PYROSCOPE_QUERY, NGX_PYROSCOPE_GET,         \
      0, call, ngx_pyroscope_query_get_handler }

#define NGX_PYROSCOPE_RPC(method, name, call)                                 \
    NGX_PYROSCOPE_CALL("/querier.v1.QuerierService/" method,                  \
                       "querier_v1_querierservice_" name, call)


static ngx_pyroscope_route_t *ngx_pyroscope_route_find(ngx_str_t *uri,
    ngx_uint_t serves);
static ngx_int_t ngx_pyroscope_route_unknown(ngx_http_request_t *r,
    ngx_pyroscope_loc_conf_t *plcf);
static ngx_int_t ngx_pyroscope_route_not_allowed(ngx_http_request_t *r,
    const ngx_pyroscope_route_t *route);


static ngx_pyroscope_route_t  ngx_pyroscope_routes[] = {

    { ngx_string("/ingest"), "ingest", NGX_PYROSCOPE_PUSH, NGX_HTTP_POST,
      0, 0, ngx_pyroscope_ingest_handler },

    { ngx_string("/pyroscope/ingest"), "pyroscope_ingest", NGX_PYROSCOPE_PUSH,
      NGX_HTTP_POST, 0, 0, ngx_pyroscope_ingest_handler },

    NGX_PYROSCOPE_RPC("ProfileTypes", "profiletypes", PYRO_RPC_PROFILE_TYPES),
    NGX_PYROSCOPE_RPC("LabelNames", "labelnames", PYRO_RPC_LABEL_NAMES),
    NGX_PYROSCOPE_RPC("LabelValues", "labelvalues", PYRO_RPC_LABEL_VALUES),
    NGX_PYROSCOPE_RPC("Series", "series", PYRO_RPC_SERIES),
    NGX_PYROSCOPE_RPC("SelectSeries", "selectseries", PYRO_RPC_SELECT_SERIES),
    NGX_PYROSCOPE_RPC("SelectMergeStacktraces", "selectmergestacktraces",
                      PYRO_RPC_SELECT_MERGE_STACKTRACES),
    NGX_PYROSCOPE_RPC("SelectMergeSpanProfile", "selectmergespanprofile",
                      PYRO_RPC_SELECT_MERGE_SPAN_PROFILE),
    NGX_PYROSCOPE_RPC("SelectMergeProfile", "selectmergeprofile",
                      PYRO_RPC_SELECT_MERGE_PROFILE),
    NGX_PYROSCOPE_RPC("SelectHeatmap", "selectheatmap",
                      PYRO_RPC_SELECT_HEATMAP),
    NGX_PYROSCOPE_RPC("Diff", "diff", PYRO_RPC_DIFF),
    NGX_PYROSCOPE_RPC("GetProfileStats", "getprofilestats",
                      PYRO_RPC_GET_PROFILE_STATS),
    NGX_PYROSCOPE_RPC("AnalyzeQuery", "analyzequery",
                      PYRO_RPC_ANALYZE_QUERY),

    NGX_PYROSCOPE_CALL("/settings.v1.SettingsService/Get",
                       "settings_v1_settingsservice_get",
                       PYRO_RPC_GET_SETTINGS),
    NGX_PYROSCOPE_CALL("/settings.v1.SettingsService/Set",
                       "settings_v1_settingsservice_set",
                       PYRO_RPC_SET_SETTINGS),
    NGX_PYROSCOPE_CALL("/settings.v1.SettingsService/Delete",
                       "settings_v1_settingsservice_delete",
                       PYRO_RPC_DELETE_SETTINGS),
    NGX_PYROSCOPE_CALL("/version.v1.Version/Version",
                       "version_v1_version_version", PYRO_RPC_VERSION),
    NGX_PYROSCOPE_CALL("/capabilities.v1.FeatureFlagsService/GetFeatureFlags",
                       "capabilities_v1_featureflagsservice_getfeatureflags",
                       PYRO_RPC_FEATURE_FLAGS),
    NGX_PYROSCOPE_CALL("/grpc.health.v1.Health/Check",
                       "grpc_health_v1_health_check", PYRO_RPC_HEALTH),

    NGX_PYROSCOPE_URL("/pyroscope/render", "pyroscope_render", PYRO_RENDER),
    NGX_PYROSCOPE_URL("/render", "render", PYRO_RENDER),
    NGX_PYROSCOPE_URL("/pyroscope/render-diff", "pyroscope_render_diff",
                      PYRO_RENDER_DIFF),
    NGX_PYROSCOPE_URL("/render-diff", "render_diff", PYRO_RENDER_DIFF),
    NGX_PYROSCOPE_URL("/pyroscope/label-values", "pyroscope_label_values",
                      PYRO_RENDER_LABEL_VALUES),
    NGX_PYROSCOPE_URL("/label-values", "label_values",
                      PYRO_RENDER_LABEL_VALUES),
    NGX_PYROSCOPE_URL("/pyroscope/labels", "pyroscope_labels",
                      PYRO_RENDER_LABELS),
    NGX_PYROSCOPE_URL("/labels", "labels", PYRO_RENDER_LABELS),

    { ngx_string("/ready"), "ready", NGX_PYROSCOPE_ALL, NGX_PYROSCOPE_GET,
      0, 0, ngx_pyroscope_ready_handler },

    { ngx_string("/healthz"), "healthz", NGX_PYROSCOPE_ALL, NGX_PYROSCOPE_GET,
      0, 0, ngx_pyroscope_healthz_handler },

    { ngx_string("/metrics"), "metrics", NGX_PYROSCOPE_ALL, NGX_PYROSCOPE_GET,
      0, 0, ngx_pyroscope_metrics_handler },

    { ngx_string("/api/v1/status/buildinfo"), "api_v1_status_buildinfo",
      NGX_PYROSCOPE_QUERY, NGX_PYROSCOPE_GET, 0, 0,
      ngx_pyroscope_buildinfo_handler },

    { ngx_string("/api/v1/status/config"), "api_v1_status_config",
      NGX_PYROSCOPE_QUERY, NGX_PYROSCOPE_GET, 0, 0,
      ngx_pyroscope_config_handler },

    { ngx_string("/api/v1/jfr-info"), "api_v1_jfr_info", NGX_PYROSCOPE_QUERY,
      NGX_PYROSCOPE_GET, 0, 0, ngx_pyroscope_info_handler },
};


_Static_assert(sizeof(ngx_pyroscope_routes) / sizeof(ngx_pyroscope_routes[0])
               + 1 == NGX_PYROSCOPE_ROUTES, "NGX_PYROSCOPE_ROUTES");


ngx_int_t
ngx_pyroscope_handler(ngx_http_request_t *r)
{
    ngx_pyroscope_ctx_t       *ctx;
    ngx_pyroscope_route_t     *route;
    ngx_pyroscope_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_pyroscope_module);

    route = ngx_pyroscope_route_find(&r->uri, plcf->serves);

    if (route == NULL) {
        return ngx_pyroscope_route_unknown(r, plcf);
    }

    ctx = ngx_pyroscope_ctx(r);

    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->route = route;

    if ((r->method & route->methods) == 0) {
        return ngx_pyroscope_route_not_allowed(r, route);
    }

    if (ngx_pyroscope_load_request(r, route) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return route->handler(r, ctx);
}


const ngx_pyroscope_route_t *
ngx_pyroscope_route_of(ngx_http_request_t *r)
{
    ngx_pyroscope_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_pyroscope_module);

    return ngx_pyroscope_route_find(&r->uri, plcf->serves);
}


static ngx_pyroscope_route_t *
ngx_pyroscope_route_find(ngx_str_t *uri, ngx_uint_t serves)
{
    ngx_uint_t              i;
    ngx_pyroscope_route_t  *route;

    for (i = 0; i < NGX_PYROSCOPE_ROUTES - 1; i++) {
        route = &ngx_pyroscope_routes[i];

        if ((route->serves & serves)
            && route->path.len == uri->len
            && ngx_memcmp(route->path.data, uri->data, uri->len) == 0)
        {
            return route;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_pyroscope_route_is_rpc(ngx_str_t *uri)
{
    u_char  *last, *slash;

    /* a request line that nginx could not read has none */

    if (uri->len == 0) {
        return 0;
    }

    last = uri->data + uri->len;
    slash = ngx_strlchr(uri->data + 1, last, '/');

    return slash != NULL
           && ngx_strlchr(slash + 1, last, '/') == NULL
           && ngx_strlchr(uri->data + 1, slash, '.') != NULL;
}


/*
 * A GET that no route has goes on to nginx's static files, where the location
 * has a root of its own.
 */

static ngx_int_t
ngx_pyroscope_route_unknown(ngx_http_request_t *r,
    ngx_pyroscope_loc_conf_t *plcf)
{
    ngx_int_t     rc;
    pyro_error_t  err;

    if (ngx_pyroscope_route_is_rpc(&r->uri)) {
        (void) pyro_error_set(&err, PYRO_NOT_FOUND, PYRO_REASON_REQUEST,
                              "unknown RPC: %.*s", (int) r->uri.len,
                              (char *) r->uri.data);

    } else if ((r->method & NGX_PYROSCOPE_GET) && plcf->has_root) {
        return NGX_DECLINED;

    } else {
        (void) pyro_error_set(&err, PYRO_NOT_FOUND, PYRO_REASON_REQUEST,
                              "no such path: %.*s", (int) r->uri.len,
                              (char *) r->uri.data);
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_pyroscope_reply_error(r, &err);
}


static ngx_int_t
ngx_pyroscope_route_not_allowed(ngx_http_request_t *r,
    const ngx_pyroscope_route_t *route)
{
    ngx_int_t    rc;
    const char  *allow, *text;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    allow = route->methods == NGX_HTTP_POST ? "POST" : "GET, HEAD";

    if (ngx_pyroscope_reply_header(r, "Allow", allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text = route->rpc ? ""
           : route->methods == NGX_HTTP_POST
           ? "{\"code\":\"unimplemented\",\"message\":\"the method must be "
             "POST\"}"
           : "{\"code\":\"unimplemented\",\"message\":\"the method must be "
             "GET or HEAD\"}";

    return ngx_pyroscope_reply_text(r, NGX_HTTP_NOT_ALLOWED,
                                    "application/json", text);
}


ngx_uint_t
ngx_pyroscope_route_index(const ngx_pyroscope_route_t *route)
{
    return route == NULL ? NGX_PYROSCOPE_ROUTES - 1
                         : (ngx_uint_t) (route - ngx_pyroscope_routes);
}


const char *
ngx_pyroscope_route_name(ngx_uint_t index)
{
    return index < NGX_PYROSCOPE_ROUTES - 1 ? ngx_pyroscope_routes[index].name
                                            : "other";
}
