/*
 * A merged stack tree: what a query adds samples to and answers are made of.
 * Nodes are told apart by their function's name, or by name, file and line.
 *
 * Lives in an arena, one thread.  Node 0 is the root; a parent's id is below
 * its children's, so totals are one reverse pass and nothing recurses.
 */

#ifndef _PYRO_TREE_H_INCLUDED_
#define _PYRO_TREE_H_INCLUDED_


#include "core/base/intern.h"
#include "core/base/status.h"


/* Of a tree by lines. */
typedef struct {
    uint32_t        function;       /* id in names */
    uint32_t        file;           /* id in names; PYRO_NONE: unknown */
    uint32_t        line;           /* 0 unknown */
    uint32_t        start_line;     /* of the function, 0 unknown */
} pyro_tree_frame_t;


typedef struct {
    uint32_t        parent;
    uint32_t        name;           /* id in names, or by lines in frames */
    uint64_t        self;
    uint64_t        total;          /* after pyro_tree_totals() */
} pyro_tree_node_t;


typedef struct {
    pyro_arena_t      *arena;
    pyro_intern_t      names;       /* name 0 is "total", the root's */
    pyro_tree_node_t  *nodes;
    uint32_t           n;
    uint32_t           cap;
    uint32_t          *slots;       /* (parent, name) to node */
    uint32_t           mask;

    /* by lines; frame 0 is the root's */
    int                by_lines;
    pyro_tree_frame_t *frames;
    uint32_t           n_frames;
    uint32_t           cap_frames;
    uint32_t          *frame_slots; /* id + 1 */
    uint32_t           frame_mask;
} pyro_tree_t;


/* NULL: no memory. */
pyro_tree_t *pyro_tree_create(pyro_arena_t *arena);
pyro_tree_t *pyro_tree_create_by_lines(pyro_arena_t *arena);

/* The id of a function's or a file's name (copied); PYRO_NONE: no memory. */
uint32_t pyro_tree_name(pyro_tree_t *tree, pyro_slice_t name);

/* By lines: the id of a frame; PYRO_NONE: no memory. */
uint32_t pyro_tree_frame(pyro_tree_t *tree, const pyro_tree_frame_t *frame);

/* The name of a node's function: its id in names. */
static inline uint32_t
pyro_tree_function(const pyro_tree_t *tree, uint32_t node)
{
    return tree->by_lines ? tree->frames[tree->nodes[node].name].function
                          : tree->nodes[node].name;
}

/* The child of parent with this name or frame; PYRO_NONE: no memory. */
uint32_t pyro_tree_node(pyro_tree_t *tree, uint32_t parent, uint32_t name);

/* Adds to a node's own value; sums stop at INT64_MAX. */
void pyro_tree_add(pyro_tree_t *tree, uint32_t node, uint64_t self);

/* Sets each node's total: its own value and its descendants'. */
void pyro_tree_totals(pyro_tree_t *tree);

/*
 * Leaves values only where a stack begins, below the root, with these n
 * functions: of the last of them and its descendants.  -1: no memory.
 */
int pyro_tree_keep(pyro_tree_t *tree, const pyro_slice_t *functions,
    uint32_t n);

/* The same values by function alone, in the same arena; itself if it is so
 * already.  NULL: no memory. */
pyro_tree_t *pyro_tree_by_functions(pyro_tree_t *tree);


#endif /* _PYRO_TREE_H_INCLUDED_ */
