/*
 * Profiles for the benchmarks of the store, with the CPU stacks of a Kafka
 * broker's 10 s recordings (t/data/jfr/cortex-*; run from the root of the
 * project): 22 frames on average, 1 404 different ones.  As in each of these, a
 * profile has some 450 of them, in one section; values are counts of 10 ms.  A
 * stack is drawn from 4 096 with Zipf's law, exponent 1: those beyond the
 * recordings' are theirs with the leaf at another line, as a function that is
 * hot has it in more than one.
 */

#ifndef _PYRO_BENCH_PROFILE_H_INCLUDED_
#define _PYRO_BENCH_PROFILE_H_INCLUDED_


#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/inflate.h"
#include "jfr/jfr.h"
#include "storage/store.h"


#define BENCH_RECORDINGS  "t/data/jfr/cortex-*/recording.jfr.gz"
#define BENCH_FILE        (4 * 1024 * 1024)

#define STACKS    4096
#define DEPTH     1024
#define DRAWS     1000


/* A stack of a recording. */
typedef struct {
    const pyro_profile_t  *profile;
    uint32_t               node;
} bench_stack_t;


static double         bench_zipf[STACKS];
static uint64_t       bench_seed = 1;
static bench_stack_t  bench_stacks[STACKS];
static uint32_t       bench_n_stacks;


static inline uint64_t
bench_random(void)
{
    bench_seed = bench_seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return bench_seed >> 33;
}


static inline uint32_t
bench_draw(void)
{
    double    x;
    uint32_t  low, high, middle;

    x = (double) bench_random() / (double) (1ULL << 31)
        * bench_zipf[STACKS - 1];

    for (low = 0, high = STACKS - 1; low < high; /* void */ ) {
        middle = (low + high) / 2;

        if (bench_zipf[middle] < x) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    /* ranks must not be neighbours in the tree */

    return low * 2654435761U % STACKS;
}


static inline uint32_t
bench_stack(pyro_profile_t *p, uint32_t service, uint32_t stack)
{
    uint32_t               depth, node, at, path[DEPTH];
    pyro_frame_t           frame;
    const bench_stack_t   *known;
    const pyro_profile_t  *from;

    /* what is hot is not the same in all services */

    known = &bench_stacks[(stack + service * 7) % bench_n_stacks];
    from = known->profile;
    at = known->node;

    for (depth = 0; at && depth < DEPTH; depth++) {
        path[depth] = at;
        at = from->nodes[at].parent;
    }

    for (node = 0; depth; depth--) {
        frame = from->frames[from->nodes[path[depth - 1]].frame];
        frame.function = pyro_profile_string(p,
                                             pyro_profile_text(from,
                                                               frame.function));
        frame.file = pyro_profile_string(p,
                                         pyro_profile_text(from, frame.file));

        if (depth == 1) {
            frame.line += stack / bench_n_stacks;
        }

        node = pyro_profile_node(p, node, pyro_profile_frame(p, &frame));
    }

    return node;
}


static inline pyro_profile_t *
bench_profile(pyro_arena_t *arena, uint32_t service, uint32_t pod)
{
    char                 text[2][32];
    uint32_t             i, type, stack, nodes[STACKS];
    pyro_label_t         items[3];
    pyro_error_t         err;
    pyro_labels_t        labels = { items, 3 };
    pyro_profile_t      *p;
    pyro_label_limits_t  limits = { 64, 1024, 2048 };
    pyro_profile_type_t  cpu = {
        PYRO_SLICE("process_cpu"), PYRO_SLICE("cpu"),
        PYRO_SLICE("nanoseconds"), PYRO_SLICE("cpu"),
        PYRO_SLICE("nanoseconds")
    };

    p = pyro_profile_create(arena);
    type = pyro_profile_column(p, &cpu);

    memset(nodes, 0, sizeof(nodes));

    for (i = 0; i < DRAWS; i++) {
        stack = bench_draw();

        if (nodes[stack] == 0) {
            nodes[stack] = bench_stack(p, service, stack);
        }

        pyro_profile_add(p, 0, type, nodes[stack], 0, 10000000);
    }

    snprintf(text[0], sizeof(text[0]), "pod-%u", pod);
    snprintf(text[1], sizeof(text[1]), "service-%02u", service);

    items[0].name = PYRO_SLICE("namespace");
    items[0].value = PYRO_SLICE("production");
    items[1].name = PYRO_SLICE("pod");
    items[1].value = pyro_arena_dup(arena, pyro_slice_str(text[0]));
    items[2].name = PYRO_SLICE("service_name");
    items[2].value = pyro_arena_dup(arena, pyro_slice_str(text[1]));

    if (pyro_profile_finish(p, &labels, &limits, &err) != PYRO_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }

    return p;
}


static inline void
bench_recording(pyro_arena_t *arena, const char *path)
{
    FILE                  *f;
    char                  *data;
    size_t                 size;
    uint32_t               i, k;
    pyro_slice_t           recording;
    pyro_error_t           err;
    pyro_profile_t        *p;
    pyro_jfr_report_t      report;
    const pyro_section_t  *section;
    pyro_jfr_options_t     options = { .sample_rate = 100 };

    data = pyro_arena_alloc(arena, BENCH_FILE);
    f = fopen(path, "rb");
    size = f != NULL ? fread(data, 1, BENCH_FILE, f) : 0;
    p = pyro_profile_create(arena);

    if (pyro_gunzip(arena, pyro_slice(data, size), 16 * BENCH_FILE, "bench",
                    &recording, &err)
        != PYRO_OK
        || pyro_jfr_read(recording, &options, p, &report, &err) != PYRO_OK)
    {
        fprintf(stderr, "%s: %s\n", path, err.message);
        exit(1);
    }

    fclose(f);

    for (i = 0; i < p->n_sections; i++) {
        section = &p->sections[i];

        for (k = 0; k < section->n && bench_n_stacks < STACKS
             && pyro_slice_is(p->types[section->type].type.sample_type, "cpu");
             k++)
        {
            bench_stacks[bench_n_stacks].profile = p;
            bench_stacks[bench_n_stacks++].node = section->samples[k].node;
        }
    }
}


/* First of all; what it reads stays. */
static inline void
bench_profiles_init(void)
{
    size_t         i;
    glob_t         files;
    pyro_arena_t  *arena;

    for (i = 0; i < STACKS; i++) {
        bench_zipf[i] = (i ? bench_zipf[i - 1] : 0) + 1.0 / (double) (i + 1);
    }

    if (glob(BENCH_RECORDINGS, 0, NULL, &files) != 0) {
        fprintf(stderr, "no " BENCH_RECORDINGS ": run it from the root of the "
                "project\n");
        exit(1);
    }

    arena = pyro_arena_create(0);

    for (i = 0; i < files.gl_pathc; i++) {
        bench_recording(arena, files.gl_pathv[i]);
    }

    globfree(&files);
}


#endif /* _PYRO_BENCH_PROFILE_H_INCLUDED_ */
