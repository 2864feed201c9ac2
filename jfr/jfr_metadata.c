#include "jfr/jfr_metadata.h"

#include "jfr/jfr_value.h"


#define PYRO_JFR_MAX_DEPTH    32            /* of the tree; real ones have 5 */
#define PYRO_JFR_MAX_STRINGS  (1024 * 1024)
#define PYRO_JFR_MAX_CLASSES  32768
#define PYRO_JFR_MAX_FIELDS   262144
#define PYRO_JFR_MAX_NAME     1024          /* bytes; longer ones are empty */
#define PYRO_JFR_MAX_WORD     32            /* bytes that a known word takes */
#define PYRO_JFR_MAX_SIZED    32            /* classes inlined in each other */


typedef enum {
    PYRO_JFR_WORD_NONE = 0,
    PYRO_JFR_WORD_CLASS,            /* also the attribute "class" */
    PYRO_JFR_WORD_FIELD,
    PYRO_JFR_WORD_NAME,
    PYRO_JFR_WORD_ID,
    PYRO_JFR_WORD_POOL,
    PYRO_JFR_WORD_DIMENSION,
    PYRO_JFR_WORD_TRUE,
    PYRO_JFR_WORD_ONE,
    PYRO_JFR_WORD_COUNT
} pyro_jfr_word_e;


/* What is being read: the innermost element is on top. */
typedef struct {
    pyro_jfr_metadata_t  *md;
    pyro_jfr_reader_t    *r;
    uint64_t              left[PYRO_JFR_MAX_DEPTH];     /* children */
    uint32_t              depth;
    uint32_t              class_depth;  /* of the open class, 0 for none */
    uint32_t              class;        /* the open one, PYRO_NONE: ignored */
} pyro_jfr_tree_t;


/* The attributes of one element. */
typedef struct {
    pyro_slice_t          name;
    uint64_t              id;
    uint64_t              class_id;
    int                   has_id;
    int                   has_class;
    int                   pool;
    int                   array;
} pyro_jfr_attributes_t;


static pyro_jfr_word_e pyro_jfr_word(pyro_slice_t text);
static void pyro_jfr_meta_strings(pyro_jfr_metadata_t *md,
    pyro_jfr_reader_t *r);
static pyro_slice_t pyro_jfr_meta_text(pyro_jfr_metadata_t *md,
    pyro_jfr_reader_t *r, uint64_t i);
static pyro_jfr_word_e pyro_jfr_meta_word(pyro_jfr_tree_t *tree);
static int pyro_jfr_decimal(pyro_slice_t text, uint64_t *v);
static void pyro_jfr_attributes(pyro_jfr_tree_t *tree,
    pyro_jfr_attributes_t *attributes);
static void pyro_jfr_skip_attributes(pyro_jfr_tree_t *tree);
static void pyro_jfr_open_class(pyro_jfr_tree_t *tree);
static void pyro_jfr_add_field(pyro_jfr_tree_t *tree);
static void pyro_jfr_element(pyro_jfr_tree_t *tree);
static void pyro_jfr_tree(pyro_jfr_metadata_t *md, pyro_jfr_reader_t *r);
static pyro_jfr_type_e pyro_jfr_type(pyro_slice_t name);
static int pyro_jfr_class_sized(const pyro_jfr_metadata_t *md,
    const pyro_jfr_class_t *class);
static int pyro_jfr_link(pyro_jfr_metadata_t *md);


static const pyro_slice_t  pyro_jfr_words[PYRO_JFR_WORD_COUNT] = {
    [PYRO_JFR_WORD_CLASS] = PYRO_SLICE("class"),
    [PYRO_JFR_WORD_FIELD] = PYRO_SLICE("field"),
    [PYRO_JFR_WORD_NAME] = PYRO_SLICE("name"),
    [PYRO_JFR_WORD_ID] = PYRO_SLICE("id"),
    [PYRO_JFR_WORD_POOL] = PYRO_SLICE("constantPool"),
    [PYRO_JFR_WORD_DIMENSION] = PYRO_SLICE("dimension"),
    [PYRO_JFR_WORD_TRUE] = PYRO_SLICE("true"),
    [PYRO_JFR_WORD_ONE] = PYRO_SLICE("1"),
};


static pyro_jfr_word_e
pyro_jfr_word(pyro_slice_t text)
{
    uint32_t  i;

    for (i = 1; i < PYRO_JFR_WORD_COUNT; i++) {
        if (pyro_slice_eq(text, pyro_jfr_words[i])) {
            return i;
        }
    }

    return PYRO_JFR_WORD_NONE;
}


/*
 * Most of the strings are labels and descriptions that nobody reads: only
 * where they are is kept, and which of the known words they are.
 */
static void
pyro_jfr_meta_strings(pyro_jfr_metadata_t *md, pyro_jfr_reader_t *r)
{
    uint64_t                 n, key;
    pyro_slice_t             text;
    pyro_jfr_reader_t        ahead;
    pyro_jfr_meta_string_t  *string;

    n = pyro_jfr_count(r);

    if (n > PYRO_JFR_MAX_STRINGS) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return;
    }

    for ( /* void */ ; n && r->bad == PYRO_JFR_SOUND; n--) {
        if (pyro_arena_grow(md->arena, &md->strings, &md->cap_strings,
                            (size_t) md->n_strings + 1,
                            sizeof(pyro_jfr_meta_string_t)))
        {
            pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
            return;
        }

        ahead = *r;
        pyro_jfr_skip_string(r);

        string = &md->strings[md->n_strings++];
        string->pos = (uint32_t) (ahead.pos - md->chunk->base);
        string->len = (uint32_t) (r->pos - ahead.pos);
        string->word = PYRO_JFR_WORD_NONE;

        if (string->len <= PYRO_JFR_MAX_WORD) {
            ahead.end = r->pos;
            pyro_jfr_string(&ahead, md->arena, &text, &key);
            string->word = pyro_jfr_word(text);
        }
    }
}


static pyro_slice_t
pyro_jfr_meta_text(pyro_jfr_metadata_t *md, pyro_jfr_reader_t *r, uint64_t i)
{
    uint64_t           key;
    pyro_slice_t       text;
    pyro_jfr_reader_t  at;

    if (i >= md->n_strings) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return pyro_slice("", 0);
    }

    if (md->strings[i].len > PYRO_JFR_MAX_NAME) {
        return pyro_slice("", 0);
    }

    at = pyro_jfr_chunk_reader(md->chunk, md->strings[i].pos);
    pyro_jfr_string(&at, md->arena, &text, &key);

    if (at.bad) {
        pyro_jfr_fail(r, at.bad);
    }

    return text;
}


static pyro_jfr_word_e
pyro_jfr_meta_word(pyro_jfr_tree_t *tree)
{
    uint64_t  i;

    i = pyro_jfr_size(tree->r);

    if (i >= tree->md->n_strings) {
        pyro_jfr_fail(tree->r, PYRO_JFR_MALFORMED);
        return PYRO_JFR_WORD_NONE;
    }

    return tree->md->strings[i].word;
}


static int
pyro_jfr_decimal(pyro_slice_t text, uint64_t *v)
{
    size_t    i;
    unsigned  digit;

    *v = 0;

    for (i = 0; i < text.len; i++) {
        digit = (unsigned) (text.data[i] - '0');

        if (digit > 9 || *v > (UINT64_MAX - digit) / 10) {
            return -1;
        }

        *v = *v * 10 + digit;
    }

    return text.len ? 0 : -1;
}


static void
pyro_jfr_attributes(pyro_jfr_tree_t *tree, pyro_jfr_attributes_t *attributes)
{
    uint64_t              n, value;
    pyro_slice_t          text;
    pyro_jfr_word_e       key;
    pyro_jfr_metadata_t  *md;

    md = tree->md;
    memset(attributes, 0, sizeof(pyro_jfr_attributes_t));

    for (n = pyro_jfr_count(tree->r); n && !tree->r->bad; n--) {
        key = pyro_jfr_meta_word(tree);
        value = pyro_jfr_size(tree->r);

        if (key == PYRO_JFR_WORD_NONE) {
            continue;
        }

        text = pyro_jfr_meta_text(md, tree->r, value);

        if (tree->r->bad) {
            return;
        }

        switch (key) {

        case PYRO_JFR_WORD_NAME:
            attributes->name = text;
            break;

        case PYRO_JFR_WORD_ID:
            attributes->has_id = !pyro_jfr_decimal(text, &attributes->id);
            break;

        case PYRO_JFR_WORD_CLASS:
            attributes->has_class = !pyro_jfr_decimal(text,
                                                      &attributes->class_id);
            break;

        case PYRO_JFR_WORD_POOL:
            attributes->pool = md->strings[value].word == PYRO_JFR_WORD_TRUE;
            break;

        case PYRO_JFR_WORD_DIMENSION:
            attributes->array = md->strings[value].word == PYRO_JFR_WORD_ONE;
            break;

        default:
            break;
        }
    }
}


static void
pyro_jfr_skip_attributes(pyro_jfr_tree_t *tree)
{
    uint64_t  n;

    n = pyro_jfr_count(tree->r);

    if (tree->r->fixed) {
        pyro_jfr_skip_bytes(tree->r, n * 2 * 4);

    } else {
        pyro_jfr_skip_varints(tree->r, n * 2);
    }
}


static void
pyro_jfr_open_class(pyro_jfr_tree_t *tree)
{
    pyro_jfr_class_t       *class;
    pyro_jfr_metadata_t    *md;
    pyro_jfr_attributes_t   attributes;

    md = tree->md;
    tree->class_depth = tree->depth + 1;
    tree->class = PYRO_NONE;

    pyro_jfr_attributes(tree, &attributes);

    if (tree->r->bad || !attributes.has_id
        || pyro_jfr_index_get(&md->ids, attributes.id) != PYRO_NONE)
    {
        return;
    }

    if (md->n_classes == PYRO_JFR_MAX_CLASSES) {
        pyro_jfr_fail(tree->r, PYRO_JFR_MALFORMED);
        return;
    }

    if (pyro_arena_grow(md->arena, &md->classes, &md->cap_classes,
                        (size_t) md->n_classes + 1, sizeof(pyro_jfr_class_t))
        || pyro_jfr_index_put(&md->ids, attributes.id, md->n_classes))
    {
        pyro_jfr_fail(tree->r, PYRO_JFR_NO_MEMORY);
        return;
    }

    class = &md->classes[md->n_classes];
    memset(class, 0, sizeof(pyro_jfr_class_t));

    class->name = attributes.name;
    class->id = attributes.id;
    class->first_field = md->n_fields;

    tree->class = md->n_classes++;
}


static void
pyro_jfr_add_field(pyro_jfr_tree_t *tree)
{
    pyro_jfr_field_t       *field;
    pyro_jfr_metadata_t    *md;
    pyro_jfr_attributes_t   attributes;

    md = tree->md;
    pyro_jfr_attributes(tree, &attributes);

    if (tree->r->bad || tree->class == PYRO_NONE) {
        return;
    }

    if (md->n_fields == PYRO_JFR_MAX_FIELDS) {
        pyro_jfr_fail(tree->r, PYRO_JFR_MALFORMED);
        return;
    }

    if (pyro_arena_grow(md->arena, &md->fields, &md->cap_fields,
                        (size_t) md->n_fields + 1, sizeof(pyro_jfr_field_t)))
    {
        pyro_jfr_fail(tree->r, PYRO_JFR_NO_MEMORY);
        return;
    }

    field = &md->fields[md->n_fields++];
    md->classes[tree->class].n_fields++;

    field->name = attributes.name;
    field->class_id = attributes.class_id;
    field->class = attributes.has_class ? 0 : PYRO_NONE;
    field->pool = (uint8_t) attributes.pool;
    field->array = (uint8_t) attributes.array;
}


/* One element without its children, which become the top of the stack. */
static void
pyro_jfr_element(pyro_jfr_tree_t *tree)
{
    uint64_t         n;
    pyro_jfr_word_e  word;

    word = pyro_jfr_meta_word(tree);

    if (word == PYRO_JFR_WORD_CLASS && tree->class_depth == 0) {
        pyro_jfr_open_class(tree);

    } else if (word == PYRO_JFR_WORD_FIELD
               && tree->class_depth && tree->class_depth == tree->depth)
    {
        pyro_jfr_add_field(tree);

    } else {
        pyro_jfr_skip_attributes(tree);
    }

    n = pyro_jfr_count(tree->r);

    if (tree->depth + 1 == PYRO_JFR_MAX_DEPTH) {
        pyro_jfr_fail(tree->r, PYRO_JFR_MALFORMED);
        return;
    }

    tree->left[++tree->depth] = n;
}


static void
pyro_jfr_tree(pyro_jfr_metadata_t *md, pyro_jfr_reader_t *r)
{
    pyro_jfr_tree_t  tree;

    tree.md = md;
    tree.r = r;
    tree.left[0] = 1;
    tree.depth = 0;
    tree.class_depth = 0;
    tree.class = PYRO_NONE;

    for ( ;; ) {
        if (tree.left[tree.depth]) {
            tree.left[tree.depth]--;
            pyro_jfr_element(&tree);

            if (r->bad) {
                return;
            }

            continue;
        }

        if (tree.class_depth == tree.depth) {
            tree.class_depth = 0;
            tree.class = PYRO_NONE;
        }

        if (tree.depth-- == 0) {
            return;
        }
    }
}


static pyro_jfr_type_e
pyro_jfr_type(pyro_slice_t name)
{
    size_t  i;

    static const struct {
        const char       *name;
        pyro_jfr_type_e   type;
    } types[] = {
        { "boolean",          PYRO_JFR_BYTE },
        { "byte",             PYRO_JFR_BYTE },
        { "short",            PYRO_JFR_SHORT },
        { "char",             PYRO_JFR_SHORT },
        { "int",              PYRO_JFR_INT },
        { "long",             PYRO_JFR_LONG },
        { "float",            PYRO_JFR_FLOAT },
        { "double",           PYRO_JFR_DOUBLE },
        { "java.lang.String", PYRO_JFR_STRING },
    };

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (pyro_slice_is(name, types[i].name)) {
            return types[i].type;
        }
    }

    return PYRO_JFR_STRUCT;
}


static int
pyro_jfr_class_sized(const pyro_jfr_metadata_t *md,
    const pyro_jfr_class_t *class)
{
    uint32_t                 i;
    const pyro_jfr_field_t  *field;

    if (class->type != PYRO_JFR_STRUCT) {
        return 1;
    }

    for (i = 0; i < class->n_fields; i++) {
        field = &md->fields[class->first_field + i];

        if (field->pool || field->array
            || (field->class != PYRO_NONE && md->classes[field->class].sized))
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Class ids to classes; which classes take bytes, in as many rounds as structs
 * are nested; and how to skip a value of each.
 */
static int
pyro_jfr_link(pyro_jfr_metadata_t *md)
{
    int                changed;
    uint32_t           i, round;
    pyro_jfr_class_t  *class;

    for (i = 0; i < md->n_fields; i++) {
        if (md->fields[i].class != PYRO_NONE) {
            md->fields[i].class = pyro_jfr_index_get(&md->ids,
                                                     md->fields[i].class_id);
        }
    }

    for (i = 0; i < md->n_classes; i++) {
        if (md->classes[i].n_fields == 0) {
            md->classes[i].type = pyro_jfr_type(md->classes[i].name);
        }
    }

    changed = 1;

    for (round = 0; changed && round < PYRO_JFR_MAX_SIZED; round++) {
        changed = 0;

        for (i = 0; i < md->n_classes; i++) {
            class = &md->classes[i];

            if (!class->sized && pyro_jfr_class_sized(md, class)) {
                class->sized = 1;
                changed = 1;
            }
        }
    }

    for (i = 0; i < md->n_classes; i++) {
        if (pyro_jfr_plan_skip(md, i, &md->classes[i].plan)) {
            return -1;
        }
    }

    return 0;
}


pyro_jfr_bad_e
pyro_jfr_metadata_read(pyro_jfr_metadata_t *md, const pyro_jfr_chunk_t *chunk,
    pyro_arena_t *arena)
{
    uint64_t           type;
    pyro_jfr_reader_t  at, r;

    memset(md, 0, sizeof(pyro_jfr_metadata_t));

    md->arena = arena;
    md->chunk = chunk;
    pyro_jfr_index_init(&md->ids, arena);

    at = pyro_jfr_chunk_reader(chunk, chunk->metadata);

    if (pyro_jfr_event_head(&at, &type, &r) || type != 0) {
        return PYRO_JFR_MALFORMED;
    }

    /* start, duration, metadata id */

    pyro_jfr_long(&r);
    pyro_jfr_long(&r);
    pyro_jfr_long(&r);

    pyro_jfr_meta_strings(md, &r);

    if (r.bad == PYRO_JFR_SOUND) {
        pyro_jfr_tree(md, &r);
    }

    if (r.bad == PYRO_JFR_SOUND && pyro_jfr_link(md)) {
        return PYRO_JFR_NO_MEMORY;
    }

    return r.bad;
}


uint32_t
pyro_jfr_metadata_find(const pyro_jfr_metadata_t *md, const char *name)
{
    uint32_t  i;

    for (i = 0; i < md->n_classes; i++) {
        if (pyro_slice_is(md->classes[i].name, name)) {
            return i;
        }
    }

    return PYRO_NONE;
}
