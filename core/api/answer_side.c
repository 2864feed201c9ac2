/*
 * Answers of the services beside the profiles.
 */

#include "core/api/answer.h"

#include "core/api/proto/side.pb-c.h"
#include "core/base/clock.h"


static pyro_status_e pyro_flags_encode(pyro_codec_e codec, pyro_rope_t *out,
    pyro_error_t *err);


pyro_status_e
pyro_stats_encode(int64_t oldest, int64_t newest, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err)
{
    Types__V1__GetProfileStatsResponse  m;

    types__v1__get_profile_stats_response__init(&m);

    if (newest >= 0) {
        m.data_ingested = 1;
        m.oldest_profile_time = oldest / PYRO_NS_PER_MS;
        m.newest_profile_time = newest / PYRO_NS_PER_MS;
    }

    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}


pyro_status_e
pyro_analysis_encode(const pyro_analysis_t *analysis, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err)
{
    Querier__V1__QueryScope             scope, *scopes[1] = { &scope };
    Querier__V1__QueryImpact            impact;
    Querier__V1__AnalyzeQueryResponse   m;

    querier__v1__query_scope__init(&scope);
    scope.component_type = "Store";
    scope.component_count = 1;
    scope.block_count = analysis->partitions;
    scope.series_count = analysis->series;
    scope.profile_count = analysis->profiles;
    scope.index_bytes = analysis->index_bytes;
    scope.symbol_bytes = analysis->symbol_bytes;
    scope.profile_bytes = analysis->profile_bytes;

    querier__v1__query_impact__init(&impact);
    impact.total_bytes_in_time_range = analysis->index_bytes
                                       + analysis->symbol_bytes
                                       + analysis->profile_bytes;
    impact.total_queried_series = analysis->series;

    querier__v1__analyze_query_response__init(&m);
    m.n_query_scopes = 1;
    m.query_scopes = scopes;
    m.query_impact = &impact;

    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}


pyro_status_e
pyro_settings_encode(pyro_arena_t *arena, pyro_rpc_e rpc,
    const pyro_setting_t *settings, uint32_t n, pyro_codec_e codec,
    pyro_rope_t *out, pyro_error_t *err)
{
    uint32_t                       i;
    Side__V1__Setting             *items;
    Side__V1__GetSettingsResponse  all;
    Side__V1__SetSettingsResponse  one;

    side__v1__get_settings_response__init(&all);
    side__v1__set_settings_response__init(&one);

    items = pyro_arena_calloc(arena, n, sizeof(*items));
    all.n_settings = n;
    all.settings = pyro_arena_calloc(arena, n, sizeof(*all.settings));

    if (items == NULL || all.settings == NULL) {
        return pyro_error_memory(err);
    }

    for (i = 0; i < n; i++) {
        side__v1__setting__init(&items[i]);
        items[i].name = (char *) settings[i].name.data;
        items[i].value = (char *) settings[i].value.data;
        items[i].modifiedat = settings[i].modified;
        all.settings[i] = &items[i];
    }

    one.setting = n ? items : NULL;
    pyro_codec_encode(codec, rpc == PYRO_RPC_SET_SETTINGS ? &one.base
                                                          : &all.base, out);

    return pyro_rope_status(out, err);
}


pyro_status_e
pyro_side_encode(pyro_rpc_e rpc, pyro_codec_e codec, pyro_rope_t *out,
    pyro_error_t *err)
{
    Side__V1__VersionResponse         version;
    Side__V1__HealthCheckResponse     health;
    Side__V1__DeleteSettingsResponse  deleted;

    switch (rpc) {

    case PYRO_RPC_FEATURE_FLAGS:
        return pyro_flags_encode(codec, out, err);

    case PYRO_RPC_VERSION:
        side__v1__version_response__init(&version);
        version.querierapi = 1;
        pyro_codec_encode(codec, &version.base, out);
        break;

    case PYRO_RPC_HEALTH:
        side__v1__health_check_response__init(&health);
        health.status =
                    SIDE__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
        pyro_codec_encode(codec, &health.base, out);
        break;

    default:
        side__v1__delete_settings_response__init(&deleted);
        pyro_codec_encode(codec, &deleted.base, out);
    }

    return pyro_rope_status(out, err);
}


/* Clients ask what they may use: names with dots, and of the newer engine what
 * it has and the older one had not. */
static pyro_status_e
pyro_flags_encode(pyro_codec_e codec, pyro_rope_t *out, pyro_error_t *err)
{
    size_t                              i;
    Side__V1__FeatureFlag               items[4], *flags[4];
    Side__V1__GetFeatureFlagsResponse   m;

    static const struct {
        const char  *name;
        int          enabled;
    } known[4] = {
        { "pyroscopeRuler", 0 }, { "pyroscopeRulerFunctions", 0 },
        { "utf8LabelNames", 1 }, { "v2StorageLayer", 1 }
    };

    side__v1__get_feature_flags_response__init(&m);
    m.n_feature_flags = 4;
    m.feature_flags = flags;

    for (i = 0; i < 4; i++) {
        side__v1__feature_flag__init(&items[i]);
        items[i].name = (char *) known[i].name;
        items[i].enabled = known[i].enabled;
        flags[i] = &items[i];
    }

    pyro_codec_encode(codec, &m.base, out);

    return pyro_rope_status(out, err);
}
