/*
 * Stack traces of a chunk into nodes of the profile.
 *
 * Everything is resolved when a sample first refers to it, and once a chunk:
 * stacks to nodes, methods to function strings, classes to texts.  A frame is
 * looked up by its encoded bytes first, and a stack that shares its outer
 * frames with the one resolved before goes on from there.
 *
 * Function text is class, dot, method, both as pyro_jfr_symbol() has them, and
 * both cut at 8191 bytes, the longest that async-profiler writes.  All function
 * texts of a recording together, and what is read to make them, are bounded by
 * what the recording has bytes, see PYRO_JFR_NAMES_TIMES: a method beyond that
 * is "[unknown]" and counted.
 * Lives in the chunk's arena; one thread.
 */

#ifndef _PYRO_JFR_STACK_H_INCLUDED_
#define _PYRO_JFR_STACK_H_INCLUDED_


#include "jfr/jfr_cpool.h"
#include "jfr/jfr_report.h"


#define PYRO_JFR_NO_STACK      (PYRO_NONE - 1)

/* Names of a recording, at most: real ones take a third of a byte a byte. */
#define PYRO_JFR_NAMES_TIMES   3
#define PYRO_JFR_NAMES_FIXED   16384


/* A method, and the frame of the line where it was met last. */
typedef struct {
    uint32_t                 function;      /* + 1, 0 not yet */
    uint32_t                 line;
    uint32_t                 frame;         /* + 1, 0 not yet */
} pyro_jfr_method_t;


/* A frame of the profile, and the node that it became. */
typedef struct {
    uint32_t                 frame;
    uint32_t                 node;
} pyro_jfr_step_of_path_t;


typedef struct {
    pyro_jfr_step_of_path_t *items;         /* leaf first */
    uint32_t                 n;
    uint32_t                 cap;
} pyro_jfr_path_t;


typedef struct {
    pyro_jfr_cpool_t        *cpool;
    pyro_arena_t            *arena;
    pyro_profile_t          *profile;
    pyro_jfr_report_t       *report;

    uint32_t                *nodes;         /* of stacks: + 1, 0 not yet */
    pyro_jfr_method_t       *methods;
    pyro_slice_t            *classes;       /* texts; data NULL: not yet */
    uint64_t                *known_bytes;   /* what a frame was read from, */
    uint32_t                *known_frames;  /* the last of a slot; + 1 */
    uint32_t                 known_shift;

    pyro_jfr_plan_t          stack_plan;
    pyro_jfr_plan_t          frame_plan;
    pyro_jfr_plan_t          method_plan;
    pyro_jfr_plan_t          class_plan;
    pyro_jfr_plan_t          symbol_plan;
    int                      usual;         /* frames are four varints */
    int                      symbol_first;  /* a symbol begins with its text */

    pyro_jfr_path_t          path;
    pyro_jfr_path_t          last;          /* the stack before */
    uint32_t                 unknown;       /* frame "[unknown]"; + 1 */
    size_t                  *names_left;    /* the recording's; 0: no more */
    char                    *text;          /* where names are put together */
    size_t                   text_cap;
} pyro_jfr_stacks_t;


/*
 * names_left is the recording's: PYRO_JFR_NAMES_TIMES its bytes at first, and
 * PYRO_JFR_NAMES_FIXED.  -1: no memory.
 */
int pyro_jfr_stacks_init(pyro_jfr_stacks_t *stacks, pyro_jfr_cpool_t *cpool,
    pyro_profile_t *profile, pyro_jfr_report_t *report, size_t *names_left);

/*
 * The leaf node of a stack pool entry, 0 (the root) if it has no frames;
 * PYRO_JFR_NO_STACK: it is malformed; PYRO_NONE: no memory.
 */
uint32_t pyro_jfr_stack(pyro_jfr_stacks_t *stacks, uint32_t entry);


#endif /* _PYRO_JFR_STACK_H_INCLUDED_ */
