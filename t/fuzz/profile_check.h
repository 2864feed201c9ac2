/*
 * What holds for every profile that was built and finished, whatever the bytes
 * said: aborts where it does not.
 */

#ifndef _PYRO_PROFILE_CHECK_H_INCLUDED_
#define _PYRO_PROFILE_CHECK_H_INCLUDED_


#include <stdlib.h>

#include "core/base/utf8.h"
#include "core/model/profile.h"


#define FUZZ_CHECK(what)                                                      \
    do {                                                                      \
        if (!(what)) {                                                        \
            abort();                                                          \
        }                                                                     \
    } while (0)


/* Parents before their children, frames and strings that are there. */
static inline void
profile_check_stacks(const pyro_profile_t *p)
{
    uint32_t      i;
    pyro_slice_t  text;

    for (i = 0; i < p->strings.n; i++) {
        text = pyro_profile_text(p, i);
        FUZZ_CHECK(pyro_utf8_valid(text.data, text.len));
    }

    for (i = 0; i < p->n_frames; i++) {
        FUZZ_CHECK(p->frames[i].function < p->strings.n);
        FUZZ_CHECK(p->frames[i].file < p->strings.n);
        FUZZ_CHECK(p->frames[i].line <= INT32_MAX);
    }

    for (i = 1; i < p->n_nodes; i++) {
        FUZZ_CHECK(p->nodes[i].parent < i);
        FUZZ_CHECK(p->nodes[i].frame < p->n_frames);
    }
}


/* Samples in order, none twice, and the total is their sum. */
static inline void
profile_check_section(const pyro_profile_t *p, const pyro_section_t *section)
{
    uint32_t              i;
    uint64_t              total;
    const pyro_sample_t  *sample;

    FUZZ_CHECK(section->labels < p->n_label_sets);
    FUZZ_CHECK(section->type < p->n_types);
    FUZZ_CHECK(section->n > 0);
    FUZZ_CHECK(p->label_sets[section->labels].labels.n > 0);

    total = 0;

    for (i = 0; i < section->n; i++) {
        sample = &section->samples[i];

        FUZZ_CHECK(sample->node < p->n_nodes && sample->span < p->n_spans);
        FUZZ_CHECK(sample->value > 0 && sample->value <= INT64_MAX);
        FUZZ_CHECK(i == 0 || sample[-1].node < sample->node
                   || (sample[-1].node == sample->node
                       && sample[-1].span < sample->span));

        total += sample->value;
        total = total > INT64_MAX ? INT64_MAX : total;
    }

    FUZZ_CHECK(total == section->total);
}


static inline void
profile_check_labels(const pyro_labels_t *labels)
{
    uint32_t  i;

    for (i = 0; i < labels->n; i++) {
        FUZZ_CHECK(labels->items[i].name.len && labels->items[i].value.len);
        FUZZ_CHECK(i == 0 || pyro_slice_cmp(labels->items[i - 1].name,
                                            labels->items[i].name) < 0);
    }
}


static inline void
profile_check(const pyro_profile_t *p)
{
    uint32_t               i, n;
    const pyro_section_t  *s;

    profile_check_stacks(p);

    for (i = 0; i < p->n_label_sets; i++) {
        profile_check_labels(&p->label_sets[i].labels);
    }

    n = 0;

    for (i = 0; i < p->n_sections; i++) {
        s = &p->sections[i];
        profile_check_section(p, s);
        n += s->n;

        FUZZ_CHECK(i == 0 || s[-1].labels < s->labels
                   || (s[-1].labels == s->labels && s[-1].type < s->type));
    }

    FUZZ_CHECK(n == p->n_samples);
}


#endif /* _PYRO_PROFILE_CHECK_H_INCLUDED_ */
