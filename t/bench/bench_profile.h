/*
 * Profiles for the benchmarks of the store: like those of a Kafka broker's 10 s
 * CPU recording, some 450 stacks of 22 frames, 2 000 nodes, one section; values
 * are counts of 10 ms.  Stacks are drawn from 4 096 a service with Zipf's law,
 * exponent 1.
 */

#ifndef _PYRO_BENCH_PROFILE_H_INCLUDED_
#define _PYRO_BENCH_PROFILE_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "storage/store.h"


#define STACKS    4096
#define SHARED    9             /* frames that all stacks begin with */
#define DRAWS     1000


static double    bench_zipf[STACKS];
static uint64_t  bench_seed = 1;


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
    char          name[128];
    uint32_t      level, prefix, node, function;
    uint64_t      hash;
    pyro_frame_t  frame;

    memset(&frame, 0, sizeof(frame));

    for (level = 0, node = 0; level < SHARED + 13; level++) {
        prefix = level < SHARED ? 0
                 : level < SHARED + 12 ? stack >> (11 - (level - SHARED))
                 : stack;

        hash = pyro_hash_mix(pyro_hash_mix(service, level), prefix) % 3000;
        snprintf(name, sizeof(name), "org/example/service%02u/component%04u/"
                 "RequestProcessorImpl.handleMessage%04u", service,
                 (uint32_t) hash % 97, (uint32_t) hash);

        function = pyro_profile_string(p, pyro_slice_str(name));
        frame.function = function;
        frame.line = (uint32_t) hash % 500 + 1;
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


/* First of all. */
static inline void
bench_profiles_init(void)
{
    uint32_t  i;

    for (i = 0; i < STACKS; i++) {
        bench_zipf[i] = (i ? bench_zipf[i - 1] : 0) + 1.0 / (i + 1);
    }
}


#endif /* _PYRO_BENCH_PROFILE_H_INCLUDED_ */
