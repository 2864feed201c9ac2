#include "core/model/profile.h"

#include <stdlib.h>

#include "core/base/count.h"
#include "core/model/profile_digest.h"


/* A label set's place among the others, by the hash of its labels. */
typedef struct {
    const pyro_label_set_t  *set;
    uint32_t                 id;
} pyro_set_order_t;


static int pyro_finish_theirs(pyro_slice_t name);
static int pyro_finish_strip(pyro_arena_t *arena, const pyro_labels_t *in,
    pyro_labels_t *out);
static pyro_status_e pyro_finish_static(pyro_profile_t *p,
    const pyro_labels_t *labels, pyro_labels_t *out, pyro_error_t *err);
static pyro_status_e pyro_finish_set(pyro_profile_t *p, pyro_label_set_t *set,
    const pyro_labels_t *labels, const pyro_label_limits_t *limits,
    pyro_error_t *err);
static pyro_status_e pyro_finish_labels(pyro_profile_t *p,
    const pyro_labels_t *labels, const pyro_label_limits_t *limits,
    pyro_error_t *err);
static int pyro_finish_cmp_labels(const pyro_label_set_t *a,
    const pyro_label_set_t *b);
static int pyro_finish_cmp_sets(const void *one, const void *two);
static int pyro_finish_join_sets(pyro_profile_t *p);
static int pyro_finish_cmp_sections(const void *one, const void *two);
static int pyro_finish_append(pyro_profile_t *p, pyro_section_t *to,
    const pyro_section_t *from);
static int pyro_finish_sections(pyro_profile_t *p);
static int pyro_finish_cmp_samples(const void *one, const void *two);
static void pyro_finish_samples(pyro_section_t *section);
static int pyro_finish_sums(pyro_profile_t *p);
static int pyro_fold_sets(pyro_profile_t *p, const uint8_t *fold);
static int pyro_fold_sections(pyro_profile_t *p, const uint8_t *fold);


pyro_status_e
pyro_profile_finish(pyro_profile_t *p, const pyro_labels_t *labels,
    const pyro_label_limits_t *limits, pyro_error_t *err)
{
    pyro_status_e  rc;

    rc = pyro_finish_labels(p, labels, limits, err);

    if (rc != PYRO_OK) {
        return rc;
    }

    if (pyro_finish_join_sets(p) || pyro_finish_sums(p)) {
        return pyro_error_memory(err);
    }

    return PYRO_OK;
}


/* Sections in their order, what they add up to, and the digests of that. */
static int
pyro_finish_sums(pyro_profile_t *p)
{
    uint32_t  i;

    if (pyro_finish_sections(p)) {
        return -1;
    }

    p->n_samples = 0;

    for (i = 0; i < p->n_sections; i++) {
        pyro_finish_samples(&p->sections[i]);
        p->n_samples += p->sections[i].n;
    }

    return pyro_profile_digest(p);
}


/* Labels that a client may send but a stream does not keep. */
static int
pyro_finish_theirs(pyro_slice_t name)
{
    return pyro_slice_starts(name, PYRO_SLICE("__"))
           || pyro_profile_type_owns(name);
}


static int
pyro_finish_strip(pyro_arena_t *arena, const pyro_labels_t *in,
    pyro_labels_t *out)
{
    uint32_t  i;

    out->items = pyro_arena_calloc(arena, in->n, sizeof(pyro_label_t));
    out->n = 0;

    if (out->items == NULL) {
        return -1;
    }

    for (i = 0; i < in->n; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);

        if (!pyro_finish_theirs(in->items[i].name)) {
            out->items[out->n++] = in->items[i];
        }
    }

    out->n = pyro_labels_sort(out->items, out->n);

    return 0;
}


/* The labels that every set gets, service_name among them. */
static pyro_status_e
pyro_finish_static(pyro_profile_t *p, const pyro_labels_t *labels,
    pyro_labels_t *out, pyro_error_t *err)
{
    pyro_label_t   service = { PYRO_SLICE("service_name"),
                               PYRO_SLICE("unknown_service") };
    pyro_labels_t  own, missing = { &service, 1 };

    if (pyro_finish_strip(p->arena, labels, &own)
        || pyro_labels_merge(p->arena, &own, &missing, out))
    {
        return pyro_error_memory(err);
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_finish_set(pyro_profile_t *p, pyro_label_set_t *set,
    const pyro_labels_t *labels, const pyro_label_limits_t *limits,
    pyro_error_t *err)
{
    pyro_label_t   copy;
    pyro_labels_t  own, merged, service = { &copy, 1 };
    pyro_status_e  rc;

    if (pyro_finish_strip(p->arena, &set->dynamic, &own)
        || pyro_labels_merge(p->arena, labels, &own, &merged))
    {
        return pyro_error_memory(err);
    }

    rc = pyro_labels_check(&merged, limits, err);

    if (rc != PYRO_OK) {
        return rc;
    }

    copy.name = PYRO_SLICE("__service_name__");
    copy.value = pyro_labels_get(&merged, PYRO_SLICE("service_name"));

    if (pyro_labels_merge(p->arena, &service, &merged, &set->labels)) {
        return pyro_error_memory(err);
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_finish_labels(pyro_profile_t *p, const pyro_labels_t *labels,
    const pyro_label_limits_t *limits, pyro_error_t *err)
{
    uint32_t           i;
    pyro_labels_t      shared;
    pyro_status_e      rc;
    pyro_label_set_t  *set;

    rc = pyro_finish_static(p, labels, &shared, err);

    if (rc == PYRO_OK) {
        rc = pyro_finish_set(p, &p->label_sets[0], &shared, limits, err);
    }

    for (i = 0; rc == PYRO_OK && i < p->n_sections; i++) {
        set = &p->label_sets[p->sections[i].labels];

        if (set->labels.n == 0) {
            rc = pyro_finish_set(p, set, &shared, limits, err);
        }
    }

    for (i = 0; rc == PYRO_OK && i < p->n_types; i++) {
        rc = pyro_labels_check(&p->types[i].extra, limits, err);
    }

    return rc;
}


/* By the labels themselves only where their hashes do not tell them apart. */
static int
pyro_finish_cmp_labels(const pyro_label_set_t *a, const pyro_label_set_t *b)
{
    if (a->digest.hi != b->digest.hi) {
        return a->digest.hi < b->digest.hi ? -1 : 1;
    }

    if (a->digest.lo != b->digest.lo) {
        return a->digest.lo < b->digest.lo ? -1 : 1;
    }

    return pyro_labels_cmp(&a->labels, &b->labels);
}


static int
pyro_finish_cmp_sets(const void *one, const void *two)
{
    int                      rc;
    const pyro_set_order_t  *a = one, *b = two;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);
    rc = pyro_finish_cmp_labels(a->set, b->set);

    return rc ? rc : (a->id > b->id) - (a->id < b->id);
}


/*
 * Different dynamic labels can end as the same stream, where a static label
 * hides what distinguished them: their sections move to the lowest such set.
 */
static int
pyro_finish_join_sets(pyro_profile_t *p)
{
    uint32_t           i, first, *target;
    pyro_label_set_t  *set;
    pyro_set_order_t  *order;

    order = pyro_arena_alloc(p->arena, p->n_label_sets
                                       * sizeof(pyro_set_order_t));
    target = pyro_arena_alloc(p->arena, p->n_label_sets * sizeof(uint32_t));

    if (order == NULL || target == NULL) {
        return -1;
    }

    for (i = 0; i < p->n_label_sets; i++) {
        set = &p->label_sets[i];
        set->digest = pyro_labels_hash(&set->labels);
        order[i].set = set;
        order[i].id = i;
    }

    qsort(order, p->n_label_sets, sizeof(pyro_set_order_t),
          pyro_finish_cmp_sets);

    first = 0;
    PYRO_COUNT(PYRO_COUNT_STEPS, 2 * (uint64_t) p->n_label_sets
                                 + p->n_sections);

    for (i = 0; i < p->n_label_sets; i++) {

        if (pyro_finish_cmp_labels(order[i].set, order[first].set) != 0) {
            first = i;
        }

        target[order[i].id] = order[first].id;
    }

    for (i = 0; i < p->n_sections; i++) {
        first = target[p->sections[i].labels];

        if (first != p->sections[i].labels) {
            p->label_sets[p->sections[i].labels].labels.n = 0;
            p->sections[i].labels = first;
        }
    }

    return 0;
}


static int
pyro_finish_cmp_sections(const void *one, const void *two)
{
    const pyro_section_t  *a = one, *b = two;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);

    if (a->labels != b->labels) {
        return a->labels < b->labels ? -1 : 1;
    }

    return (a->type > b->type) - (a->type < b->type);
}


static int
pyro_finish_append(pyro_profile_t *p, pyro_section_t *to,
    const pyro_section_t *from)
{
    if (pyro_arena_grow(p->arena, &to->samples, &to->cap,
                        (size_t) to->n + from->n, sizeof(pyro_sample_t)))
    {
        return -1;
    }

    PYRO_COUNT_MOVED(from->n * sizeof(pyro_sample_t));
    memcpy(to->samples + to->n, from->samples,
           from->n * sizeof(pyro_sample_t));
    to->n += from->n;

    return 0;
}


/* Sorts the sections and joins those of equal labels and type. */
static int
pyro_finish_sections(pyro_profile_t *p)
{
    uint32_t         i, n;
    pyro_section_t  *last;

    if (p->n_sections == 0) {
        return 0;
    }

    qsort(p->sections, p->n_sections, sizeof(pyro_section_t),
          pyro_finish_cmp_sections);

    n = 1;

    for (i = 1; i < p->n_sections; i++) {
        last = &p->sections[n - 1];

        if (pyro_finish_cmp_sections(last, &p->sections[i]) != 0) {
            p->sections[n++] = p->sections[i];
            continue;
        }

        if (pyro_finish_append(p, last, &p->sections[i])) {
            return -1;
        }
    }

    p->n_sections = n;

    return 0;
}


static int
pyro_finish_cmp_samples(const void *one, const void *two)
{
    uint64_t              x, y;
    const pyro_sample_t  *a = one, *b = two;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);

    x = (uint64_t) a->node << 32 | a->span;
    y = (uint64_t) b->node << 32 | b->span;

    return (x > y) - (x < y);
}


/* Sorts and adds up; every sum stops where a signed 64-bit number does. */
static void
pyro_finish_samples(pyro_section_t *section)
{
    uint32_t        i, n;
    pyro_sample_t  *sample;

    qsort(section->samples, section->n, sizeof(pyro_sample_t),
          pyro_finish_cmp_samples);

    n = 0;
    section->total = 0;

    for (i = 0; i < section->n; i++) {
        sample = &section->samples[i];

        section->total += sample->value;

        if (section->total > INT64_MAX) {
            section->total = INT64_MAX;
        }

        if (n == 0
            || pyro_finish_cmp_samples(&section->samples[n - 1], sample) != 0)
        {
            section->samples[n++] = *sample;
            continue;
        }

        section->samples[n - 1].value += sample->value;

        if (section->samples[n - 1].value > INT64_MAX) {
            section->samples[n - 1].value = INT64_MAX;
        }
    }

    section->n = n;
}


const pyro_profile_t *
pyro_profile_fold(const pyro_profile_t *p, const uint8_t *fold,
    pyro_arena_t *arena)
{
    pyro_profile_t  *folded;

    folded = pyro_arena_calloc(arena, 1, sizeof(pyro_profile_t));

    if (folded == NULL) {
        return NULL;
    }

    *folded = *p;
    folded->arena = arena;

    if (pyro_fold_sets(folded, fold) || pyro_fold_sections(folded, fold)
        || pyro_finish_sums(folded))
    {
        return NULL;
    }

    return folded;
}


/* A digest begins with the hash of its labels. */
static int
pyro_fold_sets(pyro_profile_t *p, const uint8_t *fold)
{
    uint32_t           i;
    pyro_label_set_t  *sets;

    sets = pyro_arena_alloc(p->arena, p->n_label_sets
                                      * sizeof(pyro_label_set_t));

    if (sets == NULL) {
        return -1;
    }

    memcpy(sets, p->label_sets, p->n_label_sets * sizeof(pyro_label_set_t));

    for (i = 0; i < p->n_label_sets; i++) {
        sets[i].labels.n = fold[i] ? 0 : sets[i].labels.n;
        sets[i].digest = pyro_labels_hash(&sets[i].labels);
    }

    p->label_sets = sets;

    return 0;
}


/* Samples are copied since they are sorted and added up where they are. */
static int
pyro_fold_sections(pyro_profile_t *p, const uint8_t *fold)
{
    uint32_t               i;
    const pyro_section_t  *from;
    pyro_section_t        *sections, *section;

    sections = pyro_arena_calloc(p->arena, p->n_sections,
                                 sizeof(pyro_section_t));

    if (sections == NULL) {
        return -1;
    }

    for (i = 0; i < p->n_sections; i++) {
        from = &p->sections[i];
        section = &sections[i];

        section->labels = fold[from->labels] ? 0 : from->labels;
        section->type = from->type;

        if (pyro_finish_append(p, section, from)) {
            return -1;
        }
    }

    p->sections = sections;

    return 0;
}
