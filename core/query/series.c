#include "core/query/series.h"

#include <stdlib.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/intern.h"


#define PYRO_SERIES_FIRST  256      /* slots, a power of two */


typedef struct {
    uint32_t                      group;
    uint32_t                      count;    /* profiles */
    int64_t                       time;     /* ms, a grid point */
    uint64_t                      sum;
    pyro_exemplar_t              *best;     /* NULL: none is known */
} pyro_series_bucket_t;


struct pyro_series_set_s {
    pyro_arena_t                 *arena;
    const pyro_series_options_t  *options;

    pyro_slice_t                 *names;    /* group_by, sorted, each once */
    uint32_t                      n_names;

    pyro_intern_t                 keys;     /* values of names to group */
    char                         *key;      /* scratch */
    uint32_t                      cap_key;
    pyro_labels_t                *groups;
    uint32_t                      cap_groups;

    pyro_series_bucket_t         *buckets;
    uint32_t                      n;
    uint32_t                      cap;
    uint32_t                     *slots;    /* (group, time) to bucket + 1 */
    uint32_t                      mask;
};


static int pyro_series_names(pyro_series_set_t *set);
static int pyro_series_key(pyro_series_set_t *set,
    const pyro_labels_t *labels, pyro_slice_t *key);
static int pyro_series_labels(pyro_series_set_t *set,
    const pyro_labels_t *labels, pyro_labels_t *out);
static int64_t pyro_series_ns(int64_t ms);
static uint32_t pyro_series_slot(const pyro_series_set_t *set, uint32_t group,
    int64_t time);
static int pyro_series_rehash(pyro_series_set_t *set);
static pyro_series_bucket_t *pyro_series_bucket(pyro_series_set_t *set,
    uint32_t group, int64_t time);
static pyro_status_e pyro_series_put(pyro_series_set_t *set, uint32_t group,
    int64_t ms, uint64_t sum, uint32_t count, pyro_series_bucket_t **at,
    pyro_error_t *err);
static int pyro_series_bucket_cmp(const void *a, const void *b);
static int pyro_series_cmp(const void *a, const void *b);
static uint32_t pyro_series_fill(const pyro_series_set_t *set,
    pyro_series_t *series, pyro_point_t *points);


pyro_series_set_t *
pyro_series_create(pyro_arena_t *arena, const pyro_series_options_t *options)
{
    pyro_series_set_t  *set;

    set = pyro_arena_calloc(arena, 1, sizeof(pyro_series_set_t));

    if (set == NULL) {
        return NULL;
    }

    set->arena = arena;
    set->options = options;
    pyro_intern_init(&set->keys, arena);

    return pyro_series_names(set) ? NULL : set;
}


static int
pyro_series_names(pyro_series_set_t *set)
{
    uint32_t                      i;
    pyro_slice_t                 *names;
    const pyro_series_options_t  *options;

    options = set->options;
    names = pyro_arena_calloc(set->arena, options->n_group_by,
                              sizeof(pyro_slice_t));

    if (names == NULL) {
        return -1;
    }

    set->names = names;

    if (options->n_group_by == 0) {
        return 0;
    }

    memcpy(names, options->group_by,
           options->n_group_by * sizeof(pyro_slice_t));
    qsort(names, options->n_group_by, sizeof(pyro_slice_t), pyro_slice_order);

    set->n_names = 1;

    for (i = 1; i < options->n_group_by; i++) {
        if (!pyro_slice_eq(names[i], names[set->n_names - 1])) {
            names[set->n_names++] = names[i];
        }
    }

    return 0;
}


static int64_t
pyro_series_ns(int64_t ms)
{
    if (ms > INT64_MAX / PYRO_NS_PER_MS) {
        return INT64_MAX;
    }

    if (ms < INT64_MIN / PYRO_NS_PER_MS) {
        return INT64_MIN;
    }

    return ms * PYRO_NS_PER_MS;
}


void
pyro_series_range(const pyro_series_options_t *options, int64_t *start_ns,
    int64_t *end_ns)
{
    *start_ns = pyro_series_ns(options->start - options->step);
    *end_ns = pyro_series_ns(options->end);
    *end_ns = *end_ns > INT64_MAX - PYRO_NS_PER_MS
              ? INT64_MAX : *end_ns + PYRO_NS_PER_MS - 1;
}


/* The values of the group's labels, each with its length in front. */
static int
pyro_series_key(pyro_series_set_t *set, const pyro_labels_t *labels,
    pyro_slice_t *key)
{
    size_t        len;
    uint32_t      i;
    pyro_slice_t  value;

    len = 0;

    for (i = 0; i < set->n_names; i++) {
        value = pyro_labels_get(labels, set->names[i]);

        if (value.len > UINT32_MAX
            || pyro_arena_grow(set->arena, &set->key, &set->cap_key,
                               len + 4 + value.len, 1))
        {
            return -1;
        }

        pyro_put_be32((uint8_t *) set->key + len, (uint32_t) value.len);
        len += 4;

        if (value.len) {
            memcpy(set->key + len, value.data, value.len);
            len += value.len;
        }
    }

    *key = pyro_slice(set->key, len);

    return 0;
}


static int
pyro_series_labels(pyro_series_set_t *set, const pyro_labels_t *labels,
    pyro_labels_t *out)
{
    uint32_t      i;
    pyro_slice_t  value;

    out->n = 0;
    out->items = pyro_arena_calloc(set->arena, set->n_names,
                                   sizeof(pyro_label_t));

    if (out->items == NULL) {
        return -1;
    }

    for (i = 0; i < set->n_names; i++) {
        value = pyro_labels_get(labels, set->names[i]);

        if (value.len == 0) {
            continue;
        }

        out->items[out->n].name = set->names[i];
        out->items[out->n].value = pyro_arena_dup(set->arena, value);

        if (out->items[out->n++].value.data == NULL) {
            return -1;
        }
    }

    return 0;
}


const pyro_labels_t *
pyro_series_labels_of(const pyro_series_set_t *set, uint32_t group)
{
    return &set->groups[group];
}


uint32_t
pyro_series_groups(const pyro_series_set_t *set)
{
    return set->keys.n;
}


uint32_t
pyro_series_group(pyro_series_set_t *set, const pyro_labels_t *labels)
{
    uint32_t      group;
    pyro_slice_t  key;

    if (pyro_series_key(set, labels, &key)) {
        return PYRO_NONE;
    }

    group = pyro_intern_find(&set->keys, key);

    if (group != PYRO_NONE) {
        return group;
    }

    group = set->keys.n;

    if (pyro_arena_grow(set->arena, &set->groups, &set->cap_groups,
                        (size_t) group + 1, sizeof(pyro_labels_t))
        || pyro_series_labels(set, labels, &set->groups[group]))
    {
        return PYRO_NONE;
    }

    return pyro_intern(&set->keys, key, 1);
}


/* The slot of (group, time): its bucket's, or the free one for it. */
static uint32_t
pyro_series_slot(const pyro_series_set_t *set, uint32_t group, int64_t time)
{
    uint32_t                     slot;
    const pyro_series_bucket_t  *bucket;

    slot = (uint32_t) pyro_hash_mix((uint64_t) time ^ set->keys.seed, group)
           & set->mask;

    while (set->slots[slot]) {
        bucket = &set->buckets[set->slots[slot] - 1];

        if (bucket->group == group && bucket->time == time) {
            break;
        }

        slot = (slot + 1) & set->mask;
    }

    return slot;
}


static int
pyro_series_rehash(pyro_series_set_t *set)
{
    uint32_t               i, n, *slots;
    pyro_series_bucket_t  *bucket;

    n = set->mask ? (set->mask + 1) * 2 : PYRO_SERIES_FIRST;
    slots = n ? pyro_arena_calloc(set->arena, n, sizeof(uint32_t)) : NULL;

    if (slots == NULL) {
        return -1;
    }

    set->slots = slots;
    set->mask = n - 1;

    for (i = 0; i < set->n; i++) {
        bucket = &set->buckets[i];
        slots[pyro_series_slot(set, bucket->group, bucket->time)] = i + 1;
    }

    return 0;
}


static pyro_series_bucket_t *
pyro_series_bucket(pyro_series_set_t *set, uint32_t group, int64_t time)
{
    uint32_t               slot;
    pyro_series_bucket_t  *bucket;

    if (set->n >= set->mask / 2 && pyro_series_rehash(set)) {
        return NULL;
    }

    slot = pyro_series_slot(set, group, time);

    if (set->slots[slot]) {
        return &set->buckets[set->slots[slot] - 1];
    }

    if (pyro_arena_grow(set->arena, &set->buckets, &set->cap,
                        (size_t) set->n + 1, sizeof(pyro_series_bucket_t)))
    {
        return NULL;
    }

    bucket = &set->buckets[set->n++];
    bucket->group = group;
    bucket->count = 0;
    bucket->time = time;
    bucket->sum = 0;
    bucket->best = NULL;
    set->slots[slot] = set->n;

    return bucket;
}


int64_t
pyro_series_point(const pyro_series_options_t *options, int64_t ms)
{
    int64_t  k;

    if (ms < options->start - options->step || ms > options->end) {
        return -1;
    }

    k = ms <= options->start
        ? 0 : (ms - options->start - 1) / options->step + 1;

    /* the last grid point, if the range is no multiple of the step */

    return k > (options->end - options->start) / options->step ? -1 : k;
}


pyro_status_e
pyro_series_add_sum(pyro_series_set_t *set, uint32_t group, int64_t time_ns,
    uint64_t sum, uint32_t count, pyro_error_t *err)
{
    pyro_series_bucket_t  *bucket;

    /* whole ms, rounded down also before the epoch */

    return pyro_series_put(set, group,
                           time_ns / PYRO_NS_PER_MS
                           - (time_ns % PYRO_NS_PER_MS < 0),
                           sum, count, &bucket, err);
}


pyro_status_e
pyro_series_add_profile(pyro_series_set_t *set, uint32_t group,
    const pyro_exemplar_t *profile, pyro_error_t *err)
{
    pyro_status_e          status;
    pyro_series_bucket_t  *bucket;

    status = pyro_series_put(set, group, profile->time, profile->value, 1,
                             &bucket, err);

    if (status != PYRO_OK || bucket == NULL
        || (bucket->best != NULL && bucket->best->value >= profile->value))
    {
        return status;
    }

    if (bucket->best == NULL) {
        bucket->best = pyro_arena_alloc(set->arena, sizeof(pyro_exemplar_t));

        if (bucket->best == NULL) {
            return pyro_error_memory(err);
        }
    }

    *bucket->best = *profile;

    return PYRO_OK;
}


/* *bucket: where it went, valid up to the next one; NULL: outside the grid. */
static pyro_status_e
pyro_series_put(pyro_series_set_t *set, uint32_t group, int64_t ms,
    uint64_t sum, uint32_t count, pyro_series_bucket_t **at,
    pyro_error_t *err)
{
    int64_t                       k;
    pyro_series_bucket_t         *bucket;
    const pyro_series_options_t  *options;

    *at = NULL;
    options = set->options;
    k = pyro_series_point(options, ms);

    if (k == -1) {
        return PYRO_OK;
    }

    bucket = pyro_series_bucket(set, group,
                                options->start + k * options->step);

    if (bucket == NULL) {
        return pyro_error_memory(err);
    }

    if (options->max_points && set->n > options->max_points) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_QUERY,
                              "the answer has more than the limit of %u points "
                              "(step %lld ms, range %lld ms)",
                              options->max_points, (long long) options->step,
                              (long long) (options->end - options->start));
    }

    bucket->count += count;
    bucket->sum = sum > INT64_MAX || bucket->sum > INT64_MAX - sum
                  ? INT64_MAX : bucket->sum + sum;
    *at = bucket;

    return PYRO_OK;
}


static int
pyro_series_bucket_cmp(const void *a, const void *b)
{
    const pyro_series_bucket_t  *x, *y;

    x = a;
    y = b;

    if (x->group != y->group) {
        return x->group < y->group ? -1 : 1;
    }

    return (x->time > y->time) - (x->time < y->time);
}


static int
pyro_series_cmp(const void *a, const void *b)
{
    const pyro_series_t  *x, *y;

    x = a;
    y = b;

    if (x->total != y->total) {
        return x->total > y->total ? -1 : 1;
    }

    return pyro_labels_cmp(&x->labels, &y->labels);
}


pyro_status_e
pyro_series_finish(pyro_series_set_t *set, pyro_series_t **series,
    uint32_t *n, pyro_error_t *err)
{
    pyro_point_t  *points;

    *series = pyro_arena_calloc(set->arena, set->keys.n,
                                sizeof(pyro_series_t));
    points = pyro_arena_calloc(set->arena, set->n, sizeof(pyro_point_t));

    if (*series == NULL || points == NULL) {
        return pyro_error_memory(err);
    }

    *n = 0;

    if (set->n) {
        qsort(set->buckets, set->n, sizeof(pyro_series_bucket_t),
              pyro_series_bucket_cmp);
        *n = pyro_series_fill(set, *series, points);
        qsort(*series, *n, sizeof(pyro_series_t), pyro_series_cmp);
    }

    if (set->options->limit && *n > set->options->limit) {
        *n = (uint32_t) set->options->limit;
    }

    return PYRO_OK;
}


static uint32_t
pyro_series_fill(const pyro_series_set_t *set, pyro_series_t *series,
    pyro_point_t *points)
{
    uint32_t                     i, n;
    pyro_series_t               *one;
    const pyro_series_bucket_t  *bucket;

    n = 0;

    for (i = 0; i < set->n; i++) {
        bucket = &set->buckets[i];

        if (i == 0 || bucket->group != bucket[-1].group) {
            series[n].labels = set->groups[bucket->group];
            series[n++].points = &points[i];
        }

        points[i].time = bucket->time;
        points[i].value = (double) bucket->sum;
        points[i].exemplar = bucket->best;

        if (set->options->aggregation == PYRO_SERIES_AVERAGE) {
            points[i].value /= bucket->count;
        }

        one = &series[n - 1];
        one->n++;
        one->total += points[i].value;
    }

    return n;
}
