#include "core/format/folded.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/format/folded_text.h"
#include "core/format/folded_tree.h"


typedef struct {
    uint32_t                labels;     /* text; once sorted: its rank */
    uint32_t                node;
    uint32_t                rank;       /* of the node */
    uint64_t                values[PYRO_FOLDED_VALUES];
} pyro_folded_line_t;


typedef struct {
    pyro_slice_t            text;
    uint32_t                id;
} pyro_folded_order_t;


struct pyro_folded_s {
    const pyro_profile_t   *profile;
    pyro_arena_t           *arena;
    pyro_folded_options_t   options;
    pyro_folded_text_t      text;

    pyro_folded_tree_t      tree;
    uint32_t               *of_string;  /* the profile's string to text */
    uint32_t               *of_node;    /* the profile's node to node */

    pyro_intern_t           labels;     /* texts */
    pyro_intern_t           tags;       /* (label set, span) */
    uint32_t               *of_tag;     /* to text of labels */
    uint32_t                cap_tags;
    pyro_slice_t           *sorted;     /* texts of labels by rank */

    pyro_intern_t           line_keys;
    pyro_folded_line_t     *lines;
    uint32_t                cap_lines;

    /* where writing is */
    uint32_t                line;
    uint32_t                depth;      /* frames that are left of it */
    uint32_t               *path;       /* its nodes, leaf first */
    int                     begun;
};


static int pyro_folded_init(pyro_folded_t *f);
static int pyro_folded_column(const pyro_folded_t *f,
    const pyro_section_t *section);
static void pyro_folded_mark(pyro_folded_t *f, const pyro_section_t *section);
static uint32_t pyro_folded_text(pyro_folded_t *f, uint32_t string);
static int pyro_folded_root(pyro_folded_t *f);
static int pyro_folded_nodes(pyro_folded_t *f);
static uint32_t pyro_folded_tag(pyro_folded_t *f, uint32_t set, uint32_t span);
static int pyro_folded_add(pyro_folded_t *f, const pyro_section_t *section,
    const pyro_sample_t *sample, int column);
static int pyro_folded_lines(pyro_folded_t *f);
static int pyro_folded_cmp_texts(const void *one, const void *two);
static int pyro_folded_rank(pyro_folded_t *f);
static int pyro_folded_cmp_lines(const void *one, const void *two);
static void pyro_folded_begin(pyro_folded_t *f, pyro_rope_t *out);
static void pyro_folded_end(pyro_folded_t *f, pyro_rope_t *out);


pyro_folded_t *
pyro_folded_create(pyro_arena_t *arena, const pyro_profile_t *profile,
    const pyro_folded_options_t *options)
{
    uint32_t        i;
    pyro_folded_t  *f;

    f = pyro_arena_calloc(arena, 1, sizeof(pyro_folded_t));

    if (f == NULL) {
        return NULL;
    }

    f->profile = profile;
    f->arena = arena;
    f->options = *options;

    if (pyro_folded_init(f)) {
        return NULL;
    }

    for (i = 0; i < profile->n_sections; i++) {
        if (pyro_folded_column(f, &profile->sections[i]) >= 0) {
            pyro_folded_mark(f, &profile->sections[i]);
        }
    }

    f->path = pyro_folded_nodes(f) == 0
              ? pyro_arena_alloc(arena, f->tree.n * sizeof(uint32_t)) : NULL;

    if (f->path == NULL || pyro_folded_lines(f)
        || pyro_folded_tree_rank(&f->tree) || pyro_folded_rank(f))
    {
        return NULL;
    }

    if (f->line_keys.n) {
        qsort(f->lines, f->line_keys.n, sizeof(pyro_folded_line_t),
              pyro_folded_cmp_lines);
    }

    return f;
}


static int
pyro_folded_init(pyro_folded_t *f)
{
    uint32_t  i;

    f->text.arena = f->arena;

    pyro_intern_init(&f->labels, f->arena);
    pyro_intern_init(&f->tags, f->arena);
    pyro_intern_init(&f->line_keys, f->arena);

    f->of_string = pyro_arena_alloc(f->arena, f->profile->strings.n
                                              * sizeof(uint32_t));
    f->of_node = pyro_arena_calloc(f->arena, f->profile->n_nodes,
                                   sizeof(uint32_t));

    if (f->of_string == NULL || f->of_node == NULL
        || pyro_folded_tree_init(&f->tree, f->arena,
                                 f->options.form == PYRO_FOLDED_SAMPLES
                                 || f->options.lines)
        || pyro_intern(&f->labels, PYRO_SLICE(""), 0) == PYRO_NONE)
    {
        return -1;
    }

    for (i = 0; i < f->profile->strings.n; i++) {
        f->of_string[i] = PYRO_NONE;
    }

    return 0;
}


/* Which value a section's samples are; -1: none. */
static int
pyro_folded_column(const pyro_folded_t *f, const pyro_section_t *section)
{
    uint32_t  i;

    for (i = 0; i < f->options.n_values; i++) {
        if (f->options.types[i] == section->type) {
            return (int) i;
        }
    }

    return -1;
}


/* The profile's nodes that its stacks need. */
static void
pyro_folded_mark(pyro_folded_t *f, const pyro_section_t *section)
{
    uint32_t  i, node;

    for (i = 0; i < section->n; i++) {

        for (node = section->samples[i].node;
             node && f->of_node[node] == 0;
             node = f->profile->nodes[node].parent)
        {
            f->of_node[node] = PYRO_NONE;
        }

        if (section->samples[i].node == 0) {
            f->of_node[0] = PYRO_NONE;
        }
    }
}


static uint32_t
pyro_folded_text(pyro_folded_t *f, uint32_t string)
{
    uint32_t      *text;
    pyro_slice_t   name, s;

    text = &f->of_string[string];

    if (*text == PYRO_NONE) {
        name = pyro_profile_text(f->profile, string);
        s = pyro_folded_function(&f->text, name, f->options.form);

        if (!f->text.failed) {
            *text = pyro_intern(&f->tree.functions, s, s.data != name.data);
        }
    }

    return *text;
}


/* An empty stack has a frame where a line could not be read without. */
static int
pyro_folded_root(pyro_folded_t *f)
{
    uint32_t  text;

    if (f->of_node[0] == 0) {
        return 0;
    }

    f->of_node[0] = 0;

    if (f->options.form == PYRO_FOLDED_SAMPLES) {
        return 0;
    }

    text = pyro_folded_text(f, 0);
    f->of_node[0] = pyro_folded_tree_node(&f->tree, 0, text, 0);

    return f->of_node[0] == PYRO_NONE ? -1 : 0;
}


static int
pyro_folded_nodes(pyro_folded_t *f)
{
    uint32_t              i, parent, text;
    const pyro_node_t    *node;
    const pyro_frame_t   *frame;

    if (pyro_folded_root(f)) {
        return -1;
    }

    for (i = 1; i < f->profile->n_nodes; i++) {

        if (f->of_node[i] == 0) {
            continue;
        }

        node = &f->profile->nodes[i];
        frame = &f->profile->frames[node->frame];

        parent = node->parent ? f->of_node[node->parent] : 0;
        text = pyro_folded_text(f, frame->function);

        f->of_node[i] = pyro_folded_tree_node(&f->tree, parent, text,
                                              frame->line);

        if (f->of_node[i] == PYRO_NONE) {
            return -1;
        }
    }

    return 0;
}


/* The text of a sample's labels. */
static uint32_t
pyro_folded_tag(pyro_folded_t *f, uint32_t set, uint32_t span)
{
    uint32_t               id, n, key[2] = { set, span };
    pyro_slice_t           text;
    const pyro_profile_t  *p;

    if (f->options.form == PYRO_FOLDED_STACKS || (set == 0 && span == 0)) {
        return 0;
    }

    p = f->profile;
    n = f->tags.n;

    if (pyro_arena_grow(f->arena, &f->of_tag, &f->cap_tags, (size_t) n + 1,
                        sizeof(uint32_t)))
    {
        return PYRO_NONE;
    }

    id = pyro_intern(&f->tags, pyro_slice(key, sizeof(key)), 1);

    if (id == n) {
        text = pyro_folded_labels(&f->text, &p->label_sets[set].dynamic,
                                  &p->spans[span]);

        f->of_tag[id] = f->text.failed ? PYRO_NONE
                                       : pyro_intern(&f->labels, text, 1);
    }

    return id == PYRO_NONE ? PYRO_NONE : f->of_tag[id];
}


static int
pyro_folded_add(pyro_folded_t *f, const pyro_section_t *section,
    const pyro_sample_t *sample, int column)
{
    uint32_t             id, n, key[2];
    uint64_t            *value;
    pyro_folded_line_t  *line;

    key[0] = pyro_folded_tag(f, section->labels, sample->span);
    key[1] = f->of_node[sample->node];
    n = f->line_keys.n;

    if (key[0] == PYRO_NONE
        || pyro_arena_grow(f->arena, &f->lines, &f->cap_lines, (size_t) n + 1,
                           sizeof(pyro_folded_line_t)))
    {
        return -1;
    }

    id = pyro_intern(&f->line_keys, pyro_slice(key, sizeof(key)), 1);

    if (id == PYRO_NONE) {
        return -1;
    }

    line = &f->lines[id];

    if (id == n) {
        memset(line, 0, sizeof(pyro_folded_line_t));
        line->labels = key[0];
        line->node = key[1];
    }

    value = &line->values[column];
    *value = sample->value > INT64_MAX - *value ? INT64_MAX
                                                : *value + sample->value;

    return 0;
}


static int
pyro_folded_lines(pyro_folded_t *f)
{
    int                     column;
    uint32_t                i, k;
    const pyro_section_t   *section;

    for (i = 0; i < f->profile->n_sections; i++) {
        section = &f->profile->sections[i];
        column = pyro_folded_column(f, section);

        if (column < 0) {
            continue;
        }

        for (k = 0; k < section->n; k++) {
            if (pyro_folded_add(f, section, &section->samples[k], column)) {
                return -1;
            }
        }
    }

    return 0;
}


static int
pyro_folded_cmp_texts(const void *one, const void *two)
{
    const pyro_folded_order_t  *a = one, *b = two;

    return pyro_slice_cmp(a->text, b->text);
}


static int
pyro_folded_rank(pyro_folded_t *f)
{
    uint32_t              i, n, *rank;
    pyro_folded_order_t  *order;

    n = f->labels.n;
    rank = pyro_arena_alloc(f->arena, n * sizeof(uint32_t));
    order = pyro_arena_alloc(f->arena, n * sizeof(pyro_folded_order_t));
    f->sorted = pyro_arena_alloc(f->arena, n * sizeof(pyro_slice_t));

    if (rank == NULL || order == NULL || f->sorted == NULL) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        order[i].text = f->labels.items[i];
        order[i].id = i;
    }

    qsort(order, n, sizeof(pyro_folded_order_t), pyro_folded_cmp_texts);

    for (i = 0; i < n; i++) {
        f->sorted[i] = order[i].text;
        rank[order[i].id] = i;
    }

    for (i = 0; i < f->line_keys.n; i++) {
        f->lines[i].labels = rank[f->lines[i].labels];
        f->lines[i].rank = f->tree.nodes[f->lines[i].node].rank;
    }

    return 0;
}


static int
pyro_folded_cmp_lines(const void *one, const void *two)
{
    const pyro_folded_line_t  *a = one, *b = two;

    if (a->labels != b->labels) {
        return a->labels < b->labels ? -1 : 1;
    }

    return (a->rank > b->rank) - (a->rank < b->rank);
}


int
pyro_folded_write(pyro_folded_t *f, size_t bytes, pyro_rope_t *out)
{
    size_t  start;

    start = out->size;

    while (f->line < f->line_keys.n && !out->failed
           && out->size - start < bytes)
    {
        if (!f->begun) {
            pyro_folded_begin(f, out);

        } else if (f->depth) {
            f->depth--;
            pyro_folded_tree_frame(&f->tree, f->path[f->depth], f->depth != 0,
                                   out);

        } else {
            pyro_folded_end(f, out);
        }
    }

    return f->line < f->line_keys.n && !out->failed;
}


static void
pyro_folded_begin(pyro_folded_t *f, pyro_rope_t *out)
{
    uint32_t             node;
    pyro_slice_t         labels;
    pyro_folded_line_t  *line;

    line = &f->lines[f->line];
    f->begun = 1;

    for (node = line->node; node; node = f->tree.nodes[node].parent) {
        f->path[f->depth++] = node;
    }

    if (f->options.form == PYRO_FOLDED_SAMPLES) {
        labels = f->sorted[line->labels];
        pyro_rope_append(out, labels.data, labels.len);
        pyro_rope_append(out, "\t", 1);
    }
}


static void
pyro_folded_end(pyro_folded_t *f, pyro_rope_t *out)
{
    uint32_t  i;

    pyro_rope_append(out, f->options.form == PYRO_FOLDED_SAMPLES ? "\t" : " ",
                     1);

    for (i = 0; i < f->options.n_values; i++) {
        pyro_rope_printf(out, i ? " %" PRIu64 : "%" PRIu64,
                         f->lines[f->line].values[i]);
    }

    pyro_rope_append(out, "\n", 1);

    f->begun = 0;
    f->line++;
}
