#include "core/model/labels.h"

#include "core/base/bytes.h"
#include "core/base/count.h"
#include "core/base/utf8.h"


#define PYRO_LABELS_RUN   12        /* items that insertion sorts by itself */
#define PYRO_LABELS_SHOW  64        /* bytes of a name that a message shows */


static uint32_t pyro_labels_bound(const pyro_label_t *items, uint32_t n,
    pyro_slice_t name, int above);
static void pyro_labels_reverse(pyro_label_t *items, uint32_t n);
static void pyro_labels_merge_runs(pyro_label_t *items, uint32_t mid,
    uint32_t n);
static void pyro_labels_insertion(pyro_label_t *items, uint32_t n);
static pyro_status_e pyro_label_check(const pyro_label_t *label,
    const pyro_label_limits_t *limits, pyro_error_t *err);
static int pyro_label_show(pyro_slice_t name);


pyro_slice_t
pyro_labels_get(const pyro_labels_t *labels, pyro_slice_t name)
{
    uint32_t  i;

    i = pyro_labels_bound(labels->items, labels->n, name, 0);

    if (i < labels->n && pyro_slice_eq(labels->items[i].name, name)) {
        return labels->items[i].value;
    }

    return pyro_slice(NULL, 0);
}


int
pyro_labels_cmp(const pyro_labels_t *a, const pyro_labels_t *b)
{
    int       rc;
    uint32_t  i;

    for (i = 0; i < a->n && i < b->n; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);

        /* sets merged with the same one have its very bytes in common */

        if (memcmp(&a->items[i], &b->items[i], sizeof(pyro_label_t)) == 0) {
            continue;
        }

        rc = pyro_slice_cmp(a->items[i].name, b->items[i].name);

        if (rc == 0) {
            rc = pyro_slice_cmp(a->items[i].value, b->items[i].value);
        }

        if (rc) {
            return rc;
        }
    }

    return (a->n > b->n) - (a->n < b->n);
}


/* The first item whose name is not below (above: is above) the given one. */
static uint32_t
pyro_labels_bound(const pyro_label_t *items, uint32_t n, pyro_slice_t name,
    int above)
{
    int       rc;
    uint32_t  low, mid;

    low = 0;

    while (low < n) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
        mid = low + (n - low) / 2;
        rc = pyro_slice_cmp(items[mid].name, name);

        if (rc < 0 || (above && rc == 0)) {
            low = mid + 1;

        } else {
            n = mid;
        }
    }

    return low;
}


static void
pyro_labels_reverse(pyro_label_t *items, uint32_t n)
{
    uint32_t      i;
    pyro_label_t  t;

    PYRO_COUNT(PYRO_COUNT_STEPS, n / 2);

    for (i = 0; i < n / 2; i++) {
        t = items[i];
        items[i] = items[n - 1 - i];
        items[n - 1 - i] = t;
    }
}


/*
 * Merges two sorted runs in place and keeps the order of equal names: the
 * longer run is halved, the place of its middle in the other one found, and
 * what lies between is rotated.  Needs no memory, so it cannot fail; each call
 * leaves at most three quarters to the next, so the depth is logarithmic.
 */
static void
pyro_labels_merge_runs(pyro_label_t *items, uint32_t mid, uint32_t n)
{
    uint32_t  a, b, cut;

    while (mid != 0 && mid != n) {

        if (pyro_slice_cmp(items[mid - 1].name, items[mid].name) <= 0) {
            return;
        }

        if (n == 2) {
            pyro_labels_reverse(items, 2);
            return;
        }

        if (mid > n - mid) {
            a = mid / 2;
            b = mid + pyro_labels_bound(items + mid, n - mid, items[a].name,
                                        0);

        } else {
            b = mid + (n - mid) / 2;
            a = pyro_labels_bound(items, mid, items[b].name, 1);
        }

        pyro_labels_reverse(items + a, mid - a);
        pyro_labels_reverse(items + mid, b - mid);
        pyro_labels_reverse(items + a, b - a);

        cut = a + (b - mid);
        pyro_labels_merge_runs(items, a, cut);

        items += cut;
        n -= cut;
        mid -= a;
    }
}


static void
pyro_labels_insertion(pyro_label_t *items, uint32_t n)
{
    uint32_t      i, k;
    pyro_label_t  t;

    for (i = 1; i < n; i++) {
        t = items[i];

        for (k = i; k && pyro_slice_cmp(t.name, items[k - 1].name) < 0; k--) {
            PYRO_COUNT(PYRO_COUNT_STEPS, 1);
            items[k] = items[k - 1];
        }

        items[k] = t;
    }
}


uint32_t
pyro_labels_sort(pyro_label_t *items, uint32_t n)
{
    uint32_t  i, out, run, len;

    for (i = 0; i < n; i += len) {
        len = n - i < PYRO_LABELS_RUN ? n - i : PYRO_LABELS_RUN;
        pyro_labels_insertion(items + i, len);
    }

    for (run = PYRO_LABELS_RUN; run < n; run = run > n / 2 ? n : run * 2) {

        for (i = 0; n - i > run; i += len) {
            len = n - i - run < run ? n - i : run * 2;
            pyro_labels_merge_runs(items + i, run, len);
        }
    }

    out = 0;
    PYRO_COUNT(PYRO_COUNT_STEPS, n);

    for (i = 0; i < n; i++) {

        if ((i + 1 < n && pyro_slice_eq(items[i].name, items[i + 1].name))
            || items[i].value.len == 0)
        {
            continue;
        }

        items[out++] = items[i];
    }

    return out;
}


int
pyro_labels_merge(pyro_arena_t *arena, const pyro_labels_t *a,
    const pyro_labels_t *b, pyro_labels_t *out)
{
    int            rc;
    uint32_t       i, k, n;
    pyro_label_t  *items;

    items = pyro_arena_calloc(arena, (size_t) a->n + b->n,
                              sizeof(pyro_label_t));

    if (items == NULL) {
        return -1;
    }

    i = 0;
    k = 0;

    for (n = 0; i < a->n || k < b->n; n++) {

        if (i == a->n) {
            rc = 1;

        } else if (k == b->n) {
            rc = -1;

        } else {
            rc = pyro_slice_cmp(a->items[i].name, b->items[k].name);
        }

        k += rc == 0;
        items[n] = rc <= 0 ? a->items[i++] : b->items[k++];
    }

    PYRO_COUNT(PYRO_COUNT_STEPS, n);
    out->items = items;
    out->n = n;

    return 0;
}


pyro_hash128_t
pyro_labels_hash(const pyro_labels_t *labels)
{
    uint8_t         len[16];
    uint32_t        i;
    XXH3_state_t    state;
    XXH128_hash_t   h;
    pyro_hash128_t  r;

    XXH3_128bits_reset(&state);

    for (i = 0; i < labels->n; i++) {
        pyro_put_be64(len, labels->items[i].name.len);
        pyro_put_be64(len + 8, labels->items[i].value.len);
        PYRO_COUNT(PYRO_COUNT_BYTES, sizeof(len) + labels->items[i].name.len
                                     + labels->items[i].value.len);

        XXH3_128bits_update(&state, len, sizeof(len));
        XXH3_128bits_update(&state, labels->items[i].name.data,
                            labels->items[i].name.len);
        XXH3_128bits_update(&state, labels->items[i].value.data,
                            labels->items[i].value.len);
    }

    h = XXH3_128bits_digest(&state);
    r.lo = h.low64;
    r.hi = h.high64;

    return r;
}


/* How much of a name a message shows: it may be as long as a request. */
static int
pyro_label_show(pyro_slice_t name)
{
    return name.len < PYRO_LABELS_SHOW ? (int) name.len : PYRO_LABELS_SHOW;
}


static pyro_status_e
pyro_label_check(const pyro_label_t *label, const pyro_label_limits_t *limits,
    pyro_error_t *err)
{
    pyro_slice_t  name, value;

    name = label->name;
    value = label->value;

    if (name.len == 0) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_LABELS,
                              "a label has no name");
    }

    if (limits->max_name_length && name.len > limits->max_name_length) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE,
                              PYRO_REASON_LABEL_NAME_LENGTH,
                              "label name \"%.*s...\": %zu bytes, the limit is "
                              "%u (limits.max_label_name_length)",
                              pyro_label_show(name), name.data, name.len,
                              limits->max_name_length);
    }

    if (limits->max_value_length && value.len > limits->max_value_length) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE,
                              PYRO_REASON_LABEL_VALUE_LENGTH,
                              "value of label \"%.*s\": %zu bytes, the limit "
                              "is %u (limits.max_label_value_length)",
                              pyro_label_show(name), name.data, value.len,
                              limits->max_value_length);
    }

    if (!pyro_utf8_valid(name.data, name.len)) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_LABELS,
                              "label name \"%.*s\" is not valid UTF-8",
                              pyro_label_show(name), name.data);
    }

    if (!pyro_utf8_valid(value.data, value.len)) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_LABELS,
                              "value of label \"%.*s\" is not valid UTF-8",
                              pyro_label_show(name), name.data);
    }

    return PYRO_OK;
}


pyro_status_e
pyro_labels_check(const pyro_labels_t *labels,
    const pyro_label_limits_t *limits, pyro_error_t *err)
{
    uint32_t       i;
    pyro_status_e  rc;

    if (limits->max_names && labels->n > limits->max_names) {
        return pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_LABEL_NAMES,
                              "labels: %u names, the limit is %u "
                              "(limits.max_label_names_per_series)",
                              labels->n, limits->max_names);
    }

    for (i = 0; i < labels->n; i++) {
        rc = pyro_label_check(&labels->items[i], limits, err);

        if (rc != PYRO_OK) {
            return rc;
        }
    }

    return PYRO_OK;
}
