#include "core/api/stacks.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/format/folded_text.h"


typedef struct {
    pyro_slice_t   stack;
    uint64_t       value;
} pyro_collapsed_t;


static int pyro_collapsed_stack(const pyro_tree_t *tree,
    const pyro_slice_t *frames, uint32_t node, pyro_slice_t *stack);
static pyro_slice_t *pyro_collapsed_frames(const pyro_tree_t *tree);
static int pyro_collapsed_cmp(const void *a, const void *b);


pyro_status_e
pyro_collapsed_write(pyro_tree_t *tree, pyro_rope_t *out, pyro_error_t *err)
{
    uint32_t           i, n;
    uint64_t           value;
    pyro_slice_t      *frames;
    pyro_collapsed_t  *lines;

    frames = pyro_collapsed_frames(tree);
    lines = pyro_arena_calloc(tree->arena, tree->n, sizeof(pyro_collapsed_t));

    if (frames == NULL || lines == NULL) {
        return pyro_error_memory(err);
    }

    for (i = 0, n = 0; i < tree->n; i++) {

        if (tree->nodes[i].self == 0) {
            continue;
        }

        if (pyro_collapsed_stack(tree, frames, i, &lines[n].stack)) {
            return pyro_error_memory(err);
        }

        lines[n++].value = tree->nodes[i].self;
    }

    if (n) {
        qsort(lines, n, sizeof(pyro_collapsed_t), pyro_collapsed_cmp);
    }

    /* what differs in what is not shown is one */

    for (i = 0; i < n; i++) {
        value = lines[i].value;

        while (i + 1 < n && pyro_slice_eq(lines[i].stack, lines[i + 1].stack))
        {
            value += lines[++i].value;
            value = value > INT64_MAX ? INT64_MAX : value;
        }

        pyro_rope_append(out, lines[i].stack.data, lines[i].stack.len);
        pyro_rope_printf(out, " %llu\n", (unsigned long long) value);
    }

    return pyro_rope_status(out, err);
}


/* The texts of all frames, or of all names. */
static pyro_slice_t *
pyro_collapsed_frames(const pyro_tree_t *tree)
{
    char                 line[16];
    uint32_t             i, n;
    pyro_slice_t        *frames, name;
    pyro_folded_text_t   text;

    memset(&text, 0, sizeof(pyro_folded_text_t));
    text.arena = tree->arena;
    n = tree->by_lines ? tree->n_frames : tree->names.n;
    frames = pyro_arena_calloc(tree->arena, n, sizeof(pyro_slice_t));

    for (i = 0; frames != NULL && i < n; i++) {
        name = tree->names.items[tree->by_lines ? tree->frames[i].function
                                                : i];
        name = pyro_folded_function(&text, name, PYRO_FOLDED_STACKS);
        line[0] = '\0';

        if (tree->by_lines) {
            snprintf(line, sizeof(line), ":%u", tree->frames[i].line);
        }

        frames[i].len = name.len + strlen(line);
        frames[i].data = pyro_arena_alloc(tree->arena, frames[i].len + 1);

        if (text.failed || frames[i].data == NULL) {
            return NULL;
        }

        memcpy((char *) frames[i].data, name.data, name.len);
        memcpy((char *) frames[i].data + name.len, line, strlen(line));
    }

    return frames;
}


/* Root first; without a frame it is one that is unknown. */
static int
pyro_collapsed_stack(const pyro_tree_t *tree, const pyro_slice_t *frames,
    uint32_t node, pyro_slice_t *stack)
{
    char                *p;
    size_t               len;
    uint32_t             at;
    const pyro_slice_t  *frame;

    if (node == 0) {
        *stack = PYRO_SLICE("[unknown]");
        return 0;
    }

    for (at = node, len = 0; at; at = tree->nodes[at].parent) {
        len += frames[tree->nodes[at].name].len + 1;
    }

    p = pyro_arena_alloc(tree->arena, len);

    if (p == NULL) {
        return -1;
    }

    *stack = pyro_slice(p, len - 1);

    for (at = node, p += len - 1; at; at = tree->nodes[at].parent) {
        frame = &frames[tree->nodes[at].name];
        p -= frame->len;
        memcpy(p, frame->data, frame->len);

        if (tree->nodes[at].parent) {
            *--p = ';';
        }
    }

    return 0;
}


static int
pyro_collapsed_cmp(const void *a, const void *b)
{
    return pyro_slice_cmp(((const pyro_collapsed_t *) a)->stack,
                          ((const pyro_collapsed_t *) b)->stack);
}
