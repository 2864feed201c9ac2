#include "ngx_pyroscope_module/ngx_pyroscope_upload.h"

#include "ngx_pyroscope_module/ngx_pyroscope_tenant.h"

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/inflate.h"
#include "core/base/multipart.h"
#include "core/base/timespec.h"
#include "core/base/urlform.h"
#include "core/model/app_name.h"


/*
 * An arena holds the body, what comes out of it, and the profile: a small
 * multiple of the largest recording, and room for a small one's tables.  Once
 * the recording is there its own size bounds the profile.
 */
#define NGX_PYROSCOPE_ARENA_FACTOR    6
#define NGX_PYROSCOPE_ARENA_BASE      (32 * 1024 * 1024)

#define NGX_PYROSCOPE_PROFILE_FACTOR  32
#define NGX_PYROSCOPE_PROFILE_BASE    (4 * 1024 * 1024)


typedef struct {
    pyro_slice_t  recording;
    pyro_slice_t  labels;           /* snapshot of dynamic labels, or empty */
} ngx_pyroscope_parts_t;


static pyro_status_e ngx_pyroscope_upload_run(ngx_pyroscope_upload_t *u);
static pyro_status_e ngx_pyroscope_upload_parameter(ngx_pyroscope_upload_t *u,
    const char *name, pyro_slice_t *value, int *found);
static pyro_status_e ngx_pyroscope_upload_labels(ngx_pyroscope_upload_t *u,
    pyro_labels_t *labels);
static pyro_status_e ngx_pyroscope_upload_times(ngx_pyroscope_upload_t *u);
static pyro_status_e ngx_pyroscope_upload_window(ngx_pyroscope_upload_t *u,
    int64_t now);
static pyro_status_e ngx_pyroscope_upload_rate(ngx_pyroscope_upload_t *u,
    int64_t *rate);
static pyro_status_e ngx_pyroscope_upload_parts(ngx_pyroscope_upload_t *u,
    ngx_pyroscope_parts_t *parts);
static pyro_status_e ngx_pyroscope_upload_multipart(ngx_pyroscope_upload_t *u,
    pyro_slice_t body, ngx_pyroscope_parts_t *parts);
static pyro_status_e ngx_pyroscope_upload_gunzip(ngx_pyroscope_upload_t *u,
    pyro_slice_t *bytes);
static pyro_status_e ngx_pyroscope_upload_size(ngx_pyroscope_upload_t *u,
    size_t size);
static void ngx_pyroscope_upload_info(ngx_pyroscope_upload_t *u,
    const pyro_labels_t *labels);
static pyro_slice_t ngx_pyroscope_upload_json(ngx_pyroscope_upload_t *u,
    const pyro_jfr_seen_t *seen);


pyro_status_e
ngx_pyroscope_upload_check(ngx_pyroscope_upload_t *u, pyro_error_t *err)
{
    int            found;
    pyro_arena_t  *arena;
    pyro_slice_t   format;
    pyro_status_e  status;

    arena = pyro_arena_create(NGX_PYROSCOPE_ARENA_BASE);

    if (arena == NULL) {
        return pyro_error_memory(err);
    }

    status = pyro_urlform_get(arena, u->query, "format", &format, &found, err);

    if (status == PYRO_OK && !pyro_slice_is(format, "jfr")) {
        status = pyro_error_set(err, PYRO_INVALID, PYRO_REASON_FORMAT,
                                "format: \"%.*s\" is not supported by this "
                                "version, format=jfr is",
                                (int) ngx_min(format.len, 64), format.data);
    }

    pyro_arena_destroy(arena);

    return status;
}


void
ngx_pyroscope_upload_parse(void *data)
{
    int64_t                 start;
    ngx_pyroscope_upload_t *u = data;

    if (atomic_load_explicit(u->canceled, memory_order_relaxed)) {
        u->status = pyro_error_set(&u->error, PYRO_CANCELED,
                                   PYRO_REASON_CANCELED,
                                   "the client went away");
        return;
    }

    start = pyro_clock_mono();

    u->arena = pyro_arena_create(NGX_PYROSCOPE_ARENA_BASE
                                 + NGX_PYROSCOPE_ARENA_FACTOR
                                   * u->limits->max_profile_size_bytes
                                 + u->body.size);

    u->status = u->arena == NULL ? pyro_error_memory(&u->error)
                                 : ngx_pyroscope_upload_run(u);

    u->parse_time = pyro_clock_mono() - start;
}


static pyro_status_e
ngx_pyroscope_upload_run(ngx_pyroscope_upload_t *u)
{
    int64_t                 rate;
    pyro_labels_t           labels;
    pyro_status_e           status;
    pyro_profile_t         *profile;
    pyro_jfr_options_t      options;
    pyro_label_limits_t     limits;
    ngx_pyroscope_parts_t   parts;

    /* the cheap checks first */

    status = ngx_pyroscope_upload_labels(u, &labels);

    if (status == PYRO_OK) {
        u->service = pyro_labels_get(&labels, PYRO_SLICE("service_name"));
        status = ngx_pyroscope_upload_times(u);
    }

    if (status == PYRO_OK) {
        status = ngx_pyroscope_upload_rate(u, &rate);
    }

    if (status == PYRO_OK) {
        status = ngx_pyroscope_upload_parts(u, &parts);
    }

    if (status != PYRO_OK) {
        return status;
    }

    status = ngx_pyroscope_tenant_take(u->push.tenant, u->limits,
                                       PYRO_RATE_BYTES, u->inflated,
                                       &u->error);

    if (status != PYRO_OK) {
        return status;
    }

    pyro_arena_limit(u->arena, NGX_PYROSCOPE_PROFILE_BASE
                               + NGX_PYROSCOPE_PROFILE_FACTOR
                                 * (parts.recording.len + parts.labels.len));

    profile = pyro_profile_create(u->arena);

    if (profile == NULL) {
        return pyro_error_memory(&u->error);
    }

    ngx_memzero(&options, sizeof(pyro_jfr_options_t));
    options.labels = parts.labels;
    options.sample_rate = rate;
    options.max_memory = NGX_PYROSCOPE_ARENA_BASE
                         + NGX_PYROSCOPE_ARENA_FACTOR
                           * u->limits->max_profile_size_bytes;
    status = pyro_jfr_read(parts.recording, &options, profile, &u->report,
                           &u->error);

    if (status != PYRO_OK) {
        return status;
    }

    limits.max_names = u->limits->max_label_names_per_series;
    limits.max_name_length = u->limits->max_label_name_length;
    limits.max_value_length = u->limits->max_label_value_length;

    u->push.profile = profile;

    status = pyro_profile_finish(profile, &labels, &limits, &u->error);

    if (status == PYRO_OK) {
        ngx_pyroscope_upload_info(u, &labels);
    }

    return status;
}


static pyro_status_e
ngx_pyroscope_upload_parameter(ngx_pyroscope_upload_t *u, const char *name,
    pyro_slice_t *value, int *found)
{
    return pyro_urlform_get(u->arena, u->query, name, value, found, &u->error);
}


static pyro_status_e
ngx_pyroscope_upload_labels(ngx_pyroscope_upload_t *u, pyro_labels_t *labels)
{
    int            found;
    pyro_slice_t   name, spy;
    pyro_status_e  status;

    status = ngx_pyroscope_upload_parameter(u, "spyName", &spy, &found);

    if (status != PYRO_OK) {
        return status;
    }

    if (spy.len == 0) {
        spy = PYRO_SLICE("unknown");
    }

    status = ngx_pyroscope_upload_parameter(u, "name", &name, &found);

    if (status != PYRO_OK) {
        return status;
    }

    return pyro_app_name_parse(u->arena, name, spy, labels, &u->error);
}


static pyro_status_e
ngx_pyroscope_upload_times(ngx_pyroscope_upload_t *u)
{
    int            found;
    int64_t        now, from, until;
    pyro_slice_t   text;
    pyro_status_e  status;

    now = pyro_clock_wall();

    status = ngx_pyroscope_upload_parameter(u, "from", &text, &found);

    if (status != PYRO_OK) {
        return status;
    }

    from = text.len ? pyro_time_parse(text, now) : now;

    status = ngx_pyroscope_upload_parameter(u, "until", &text, &found);

    if (status != PYRO_OK) {
        return status;
    }

    until = text.len ? pyro_time_parse(text, now) : now;

    /* Go's SDK rounds "until" down, below "from": the profile is kept */

    u->push.time = from;
    u->push.duration = until > from ? until - from : 0;

    return ngx_pyroscope_upload_window(u, now);
}


static pyro_status_e
ngx_pyroscope_upload_window(ngx_pyroscope_upload_t *u, int64_t now)
{
    int64_t      time, older, newer;
    const char  *name;

    time = u->push.time / PYRO_NS_PER_SEC;
    now /= PYRO_NS_PER_SEC;

    older = u->limits->reject_older_than;
    newer = u->limits->reject_newer_than;
    name = "limits.reject_older_than";

    if (u->limits->retention_period
        && (older == 0 || u->limits->retention_period < older))
    {
        older = u->limits->retention_period;
        name = "the retention period";
    }

    if (older && time < now - older) {
        return pyro_error_set(&u->error, PYRO_UNPROCESSABLE,
                              PYRO_REASON_WINDOW,
                              "from: %lld is older than %s allows, %lld s "
                              "before now", (long long) time, name,
                              (long long) older);
    }

    if (newer && time > now + newer) {
        return pyro_error_set(&u->error, PYRO_UNPROCESSABLE,
                              PYRO_REASON_WINDOW,
                              "from: %lld is later than "
                              "limits.reject_newer_than allows, %lld s after "
                              "now", (long long) time, (long long) newer);
    }

    return PYRO_OK;
}


/* What is not a number, or negative, is as good as absent. */

static pyro_status_e
ngx_pyroscope_upload_rate(ngx_pyroscope_upload_t *u, int64_t *rate)
{
    int            found;
    size_t         i;
    int64_t        n;
    pyro_slice_t   text;
    pyro_status_e  status;

    *rate = -1;

    status = ngx_pyroscope_upload_parameter(u, "sampleRate", &text, &found);

    if (status != PYRO_OK || text.len == 0 || text.len > 18) {
        return status;
    }

    n = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return PYRO_OK;
        }

        n = n * 10 + (text.data[i] - '0');
    }

    *rate = n;

    return PYRO_OK;
}


static pyro_status_e
ngx_pyroscope_upload_parts(ngx_pyroscope_upload_t *u,
    ngx_pyroscope_parts_t *parts)
{
    pyro_slice_t   body;
    pyro_status_e  status;

    parts->labels = pyro_slice(NULL, 0);

    status = ngx_pyroscope_body_read(&u->body, u->arena, &body, &u->error);

    if (status != PYRO_OK) {
        return status;
    }

    if (u->content_encoding.len
        && !pyro_slice_is(u->content_encoding, "identity"))
    {
        if (!pyro_slice_is(u->content_encoding, "gzip")) {
            return pyro_error_set(&u->error, PYRO_INVALID, PYRO_REASON_REQUEST,
                                  "Content-Encoding: \"%.*s\" is not "
                                  "supported, gzip is",
                                  (int) ngx_min(u->content_encoding.len, 64),
                                  u->content_encoding.data);
        }

        status = pyro_gunzip(u->arena, body,
                             u->limits->max_profile_size_bytes,
                             "limits.max_profile_size_bytes", &body,
                             &u->error);

        if (status != PYRO_OK) {
            return status;
        }
    }

    if (pyro_is_multipart(u->content_type)) {
        status = ngx_pyroscope_upload_multipart(u, body, parts);

        if (status != PYRO_OK) {
            return status;
        }

    } else {
        parts->recording = body;
    }

    status = ngx_pyroscope_upload_gunzip(u, &parts->recording);

    if (status == PYRO_OK) {
        status = ngx_pyroscope_upload_gunzip(u, &parts->labels);
    }

    return status;
}


/* The first part of a name counts, and an empty one is a missing one. */

static pyro_status_e
ngx_pyroscope_upload_multipart(ngx_pyroscope_upload_t *u, pyro_slice_t body,
    ngx_pyroscope_parts_t *parts)
{
    int               more;
    pyro_part_t       part;
    pyro_status_e     status;
    pyro_multipart_t  mp;

    parts->recording = pyro_slice(NULL, 0);

    status = pyro_multipart_init(&mp, u->content_type, body, &u->error);

    if (status != PYRO_OK) {
        return status;
    }

    for ( ;; ) {
        status = pyro_multipart_next(&mp, &part, &more, &u->error);

        if (status != PYRO_OK) {
            return status;
        }

        if (!more) {
            break;
        }

        if (pyro_slice_is(part.name, "jfr") && parts->recording.len == 0) {
            parts->recording = part.body;

        } else if (pyro_slice_is(part.name, "labels")
                   && parts->labels.len == 0)
        {
            parts->labels = part.body;
        }
    }

    if (parts->recording.len == 0) {
        return pyro_error_set(&u->error, PYRO_UNPROCESSABLE,
                              PYRO_REASON_PROFILE, "multipart/form-data has no "
                              "part \"jfr\", or it is empty");
    }

    return PYRO_OK;
}


static pyro_status_e
ngx_pyroscope_upload_gunzip(ngx_pyroscope_upload_t *u, pyro_slice_t *bytes)
{
    size_t         limit;
    pyro_status_e  status;

    limit = u->limits->max_profile_size_bytes;

    if (pyro_is_gzip(*bytes)) {
        status = pyro_gunzip(u->arena, *bytes, limit,
                             "limits.max_profile_size_bytes", bytes,
                             &u->error);

        if (status != PYRO_OK) {
            return status;
        }

    } else if (bytes->len > limit) {
        return pyro_error_set(&u->error, PYRO_TOO_LARGE,
                              PYRO_REASON_PROFILE_SIZE,
                              "the recording has %zu bytes, "
                              "limits.max_profile_size_bytes is %zu",
                              bytes->len, limit);
    }

    return ngx_pyroscope_upload_size(u, bytes->len);
}


/* Inflated bytes in work in this worker: a first one always passes. */

static pyro_status_e
ngx_pyroscope_upload_size(ngx_pyroscope_upload_t *u, size_t size)
{
    size_t  before;

    before = atomic_fetch_add(u->parse_bytes, size);
    u->inflated += size;

    if (before > u->inflated - size
        && before + size > u->settings->lmdb.parse_bytes)
    {
        return pyro_error_set(&u->error, PYRO_EXHAUSTED, PYRO_REASON_QUEUE,
                              "%zu inflated bytes are in work, "
                              "lmdb.parse_bytes is %llu", before + size,
                              (unsigned long long)
                              u->settings->lmdb.parse_bytes);
    }

    return PYRO_OK;
}


/*
 * What the recording says of itself, beside the profile.  Without memory for it
 * there is none; the push is as good.
 */

static void
ngx_pyroscope_upload_info(ngx_pyroscope_upload_t *u,
    const pyro_labels_t *labels)
{
    int                      found;
    pyro_slice_t             facts;
    pyro_jfr_seen_t          seen;
    const pyro_label_set_t  *set;

    set = &u->push.profile->label_sets[0];

    ngx_memzero(&seen, sizeof(pyro_jfr_seen_t));

    seen.service = pyro_labels_get(&set->labels, PYRO_SLICE("service_name"));
    seen.agent_version = pyro_labels_get(labels,
                                         PYRO_SLICE("otel.scope.version"));

    if (ngx_pyroscope_upload_parameter(u, "spyName", &seen.spy, &found)
        != PYRO_OK)
    {
        return;
    }

    /* that time goes by is no change */

    facts = ngx_pyroscope_upload_json(u, &seen);
    seen.time = u->push.time;

    u->push.service = seen.service;
    u->push.info = ngx_pyroscope_upload_json(u, &seen);
    u->push.info_hash = pyro_hash64(facts.data, facts.len, 0);
}


static pyro_slice_t
ngx_pyroscope_upload_json(ngx_pyroscope_upload_t *u,
    const pyro_jfr_seen_t *seen)
{
    pyro_rope_t   rope;
    pyro_slice_t  json;

    pyro_rope_init(&rope, 0);
    pyro_jfr_info_json(&u->report, seen, &rope);

    json = pyro_rope_flat(&rope, u->arena);
    pyro_rope_free(&rope);

    return json;
}
