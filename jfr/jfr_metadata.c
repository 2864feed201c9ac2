#include "jfr/jfr_metadata.h"

#include "jfr/jfr_value.h"


#define PYRO_JFR_MAX_DEPTH    32            /* of the tree; real ones have 5 */
#define PYRO_JFR_MAX_STRINGS  (1024 * 1024)
#define PYRO_JFR_USUAL_STRINGS  2500        /* room made at once */
#define PYRO_JFR_MAX_CLASSES  32768
#define PYRO_JFR_MAX_FIELDS   262144
#define PYRO_JFR_MAX_NAME     1024          /* bytes; longer ones are empty */
#define PYRO_JFR_MAX_KNOWN    64            /* bytes of a word or a number */
#define PYRO_JFR_NO_NUMBER    UINT64_MAX


/* What is being read: the innermost element is on top. */
typedef struct {
    pyro_jfr_metadata_t  *md;
    pyro_jfr_reader_t    *r;
    uint64_t              left[PYRO_JFR_MAX_DEPTH];     /* children */
    uint32_t              depth;
    uint32_t              class_depth;  /* of the open class, 0 for none */
    uint32_t              class;        /* the open one, PYRO_NONE: ignored */
} pyro_jfr_tree_t;


/* The attributes of one element: strings, PYRO_NONE if there is none. */
typedef struct {
    uint32_t              name;
    uint32_t              id;
    uint32_t              class;
    int                   pool;
    int                   array;
} pyro_jfr_attributes_t;


static uint64_t pyro_jfr_decimal(pyro_slice_t text);
static void pyro_jfr_meta_string(pyro_jfr_metadata_t *md,
    pyro_jfr_reader_t *r);
static void pyro_jfr_meta_strings(pyro_jfr_metadata_t *md,
    pyro_jfr_reader_t *r);
static uint32_t pyro_jfr_meta_index(pyro_jfr_tree_t *tree);
static uint64_t pyro_jfr_meta_number(const pyro_jfr_metadata_t *md,
    uint32_t string);
static uint16_t pyro_jfr_meta_word(const pyro_jfr_metadata_t *md,
    uint32_t string);
static void pyro_jfr_attributes(pyro_jfr_tree_t *tree,
    pyro_jfr_attributes_t *attributes);
static void pyro_jfr_skip_attributes(pyro_jfr_tree_t *tree);
static uint8_t pyro_jfr_type(pyro_jfr_word_e word);
static void pyro_jfr_open_class(pyro_jfr_tree_t *tree);
static void pyro_jfr_add_field(pyro_jfr_tree_t *tree);
static void pyro_jfr_element(pyro_jfr_tree_t *tree);
static void pyro_jfr_tree(pyro_jfr_metadata_t *md, pyro_jfr_reader_t *r);
static void pyro_jfr_link(pyro_jfr_metadata_t *md);


static uint64_t
pyro_jfr_decimal(pyro_slice_t text)
{
    size_t    i;
    uint64_t  v;
    unsigned  digit;

    if (text.len == 0) {
        return PYRO_JFR_NO_NUMBER;
    }

    v = 0;

    for (i = 0; i < text.len; i++) {
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);
        digit = (unsigned) (text.data[i] - '0');

        if (digit > 9 || v > (UINT64_MAX - 1 - digit) / 10) {
            return PYRO_JFR_NO_NUMBER;
        }

        v = v * 10 + digit;
    }

    return v;
}


/*
 * Most of the strings are labels and descriptions that nobody reads: only
 * where they are is kept, and what short ones mean.
 */
static void
pyro_jfr_meta_string(pyro_jfr_metadata_t *md, pyro_jfr_reader_t *r)
{
    uint64_t                 key;
    pyro_slice_t             text;
    pyro_jfr_reader_t        ahead;
    pyro_jfr_meta_string_t  *string;

    ahead = *r;
    pyro_jfr_skip_string(r);

    string = &md->strings[md->n_strings++];
    string->pos = (uint32_t) (ahead.pos - md->chunk->base);
    string->word = PYRO_JFR_WORD_NONE;
    string->number = PYRO_JFR_NO_NUMBER;

    if (r->pos - ahead.pos > PYRO_JFR_MAX_KNOWN) {
        return;
    }

    ahead.end = r->pos;
    pyro_jfr_string(&ahead, md->arena, &text, &key);

    if (text.len && text.data[0] >= '0' && text.data[0] <= '9') {
        string->number = pyro_jfr_decimal(text);
    }

    string->word = (uint16_t) (md->chunk->major == 1 ? pyro_jfr_word_v1(text)
                                                     : pyro_jfr_word(text));
}


static void
pyro_jfr_meta_strings(pyro_jfr_metadata_t *md, pyro_jfr_reader_t *r)
{
    uint64_t  n;

    n = pyro_jfr_count(r);

    if (n > PYRO_JFR_MAX_STRINGS) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return;
    }

    if (pyro_arena_grow(md->arena, &md->strings, &md->cap_strings,
                        n < PYRO_JFR_USUAL_STRINGS ? (size_t) n
                                                   : PYRO_JFR_USUAL_STRINGS,
                        sizeof(pyro_jfr_meta_string_t)))
    {
        pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
        return;
    }

    for ( /* void */ ; n && r->bad == PYRO_JFR_SOUND; n--) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);

        if (pyro_arena_grow(md->arena, &md->strings, &md->cap_strings,
                            (size_t) md->n_strings + 1,
                            sizeof(pyro_jfr_meta_string_t)))
        {
            pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
            return;
        }

        pyro_jfr_meta_string(md, r);
    }
}


/* The number of a string; PYRO_NONE after a failure. */
static uint32_t
pyro_jfr_meta_index(pyro_jfr_tree_t *tree)
{
    uint64_t  i;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);
    i = pyro_jfr_size(tree->r);

    if (i >= tree->md->n_strings) {
        pyro_jfr_fail(tree->r, PYRO_JFR_MALFORMED);
        return PYRO_NONE;
    }

    return (uint32_t) i;
}


static uint64_t
pyro_jfr_meta_number(const pyro_jfr_metadata_t *md, uint32_t string)
{
    return string == PYRO_NONE ? PYRO_JFR_NO_NUMBER
                               : md->strings[string].number;
}


static uint16_t
pyro_jfr_meta_word(const pyro_jfr_metadata_t *md, uint32_t string)
{
    return string == PYRO_NONE ? PYRO_JFR_WORD_NONE : md->strings[string].word;
}


static void
pyro_jfr_attributes(pyro_jfr_tree_t *tree, pyro_jfr_attributes_t *attributes)
{
    uint32_t  key, value;
    uint64_t  n;

    attributes->name = PYRO_NONE;
    attributes->id = PYRO_NONE;
    attributes->class = PYRO_NONE;
    attributes->pool = 0;
    attributes->array = 0;

    for (n = pyro_jfr_count(tree->r); n; n--) {
        key = pyro_jfr_meta_index(tree);
        value = pyro_jfr_meta_index(tree);

        if (tree->r->bad) {
            return;
        }

        switch (tree->md->strings[key].word) {

        case PYRO_JFR_WORD_NAME:
            attributes->name = value;
            break;

        case PYRO_JFR_WORD_ID:
            attributes->id = value;
            break;

        case PYRO_JFR_WORD_CLASS:
            attributes->class = value;
            break;

        case PYRO_JFR_WORD_CONSTANT_POOL:
            attributes->pool = tree->md->strings[value].word
                               == PYRO_JFR_WORD_TRUE;
            break;

        case PYRO_JFR_WORD_DIMENSION:
            attributes->array = tree->md->strings[value].word
                                == PYRO_JFR_WORD_ONE;
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


static uint8_t
pyro_jfr_type(pyro_jfr_word_e word)
{
    switch (word) {

    case PYRO_JFR_WORD_BOOLEAN:
    case PYRO_JFR_WORD_BYTE:
        return PYRO_JFR_BYTE;

    case PYRO_JFR_WORD_SHORT:
    case PYRO_JFR_WORD_CHAR:
        return PYRO_JFR_SHORT;

    case PYRO_JFR_WORD_INT:
        return PYRO_JFR_INT;

    case PYRO_JFR_WORD_LONG:
        return PYRO_JFR_LONG;

    case PYRO_JFR_WORD_FLOAT:
        return PYRO_JFR_FLOAT;

    case PYRO_JFR_WORD_DOUBLE:
        return PYRO_JFR_DOUBLE;

    case PYRO_JFR_WORD_JAVA_LANG_STRING:
        return PYRO_JFR_STRING;

    default:
        return PYRO_JFR_STRUCT;
    }
}


static void
pyro_jfr_open_class(pyro_jfr_tree_t *tree)
{
    int                     is_new;
    uint64_t                id;
    pyro_jfr_class_t       *class;
    pyro_jfr_metadata_t    *md;
    pyro_jfr_attributes_t   attributes;

    md = tree->md;
    tree->class_depth = tree->depth + 1;
    tree->class = PYRO_NONE;

    pyro_jfr_attributes(tree, &attributes);
    id = pyro_jfr_meta_number(md, attributes.id);

    if (tree->r->bad || id == PYRO_JFR_NO_NUMBER) {
        return;
    }

    if (md->n_classes == PYRO_JFR_MAX_CLASSES) {
        pyro_jfr_fail(tree->r, PYRO_JFR_MALFORMED);
        return;
    }

    if (pyro_arena_grow(md->arena, &md->classes, &md->cap_classes,
                        (size_t) md->n_classes + 1, sizeof(pyro_jfr_class_t))
        || pyro_jfr_index_enter(&md->ids, id, &is_new) == PYRO_NONE)
    {
        pyro_jfr_fail(tree->r, PYRO_JFR_NO_MEMORY);
        return;
    }

    if (!is_new) {
        return;
    }

    class = &md->classes[md->n_classes];
    memset(class, 0, sizeof(pyro_jfr_class_t));

    class->name = attributes.name;
    class->word = pyro_jfr_meta_word(md, attributes.name);
    class->first_field = md->n_fields;

    if (md->by_word[class->word] == PYRO_NONE) {
        md->by_word[class->word] = md->n_classes;
    }

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

    field->word = pyro_jfr_meta_word(md, attributes.name);
    field->class = attributes.class;        /* a string until it is linked */
    field->pool = (uint8_t) attributes.pool;
    field->array = (uint8_t) attributes.array;
}


/* One element without its children, which become the top of the stack. */
static void
pyro_jfr_element(pyro_jfr_tree_t *tree)
{
    uint32_t  name;
    uint64_t  n;
    uint16_t  word;

    name = pyro_jfr_meta_index(tree);
    word = pyro_jfr_meta_word(tree->md, name);

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


/* Class ids of fields to classes; a class without fields is a primitive. */
static void
pyro_jfr_link(pyro_jfr_metadata_t *md)
{
    uint32_t           i;
    uint64_t           id;
    pyro_jfr_class_t  *class;

    for (i = 0; i < md->n_fields; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        id = pyro_jfr_meta_number(md, md->fields[i].class);
        md->fields[i].class = id == PYRO_JFR_NO_NUMBER
                              ? PYRO_NONE : pyro_jfr_index_get(&md->ids, id);
    }

    for (i = 0; i < md->n_classes; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        class = &md->classes[i];

        if (class->n_fields == 0) {
            class->type = pyro_jfr_type(class->word);
        }
    }
}


pyro_jfr_bad_e
pyro_jfr_metadata_read(pyro_jfr_metadata_t *md, const pyro_jfr_chunk_t *chunk,
    uint32_t offset, pyro_arena_t *arena)
{
    uint32_t           i;
    uint64_t           type;
    pyro_jfr_reader_t  at, r;

    PYRO_COUNT_MOVED(sizeof(pyro_jfr_metadata_t) + sizeof(md->by_word));
    memset(md, 0, sizeof(pyro_jfr_metadata_t));

    md->arena = arena;
    md->chunk = chunk;
    pyro_jfr_index_init(&md->ids, arena);

    for (i = 0; i < PYRO_JFR_WORD_COUNT; i++) {
        md->by_word[i] = PYRO_NONE;
    }

    at = pyro_jfr_chunk_reader(chunk, offset);

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

    if (r.bad == PYRO_JFR_SOUND) {
        md->by_word[PYRO_JFR_WORD_NONE] = PYRO_NONE;
        pyro_jfr_link(md);
    }

    return r.bad;
}


pyro_slice_t
pyro_jfr_metadata_name(const pyro_jfr_metadata_t *md, uint32_t class)
{
    uint64_t           key;
    uint32_t           string;
    pyro_slice_t       text;
    pyro_jfr_reader_t  r;

    string = md->classes[class].name;

    if (string == PYRO_NONE) {
        return pyro_slice("", 0);
    }

    r = pyro_jfr_chunk_reader(md->chunk, md->strings[string].pos);

    if (pyro_jfr_left(&r) > PYRO_JFR_MAX_NAME) {
        r.end = r.pos + PYRO_JFR_MAX_NAME;
    }

    pyro_jfr_string(&r, md->arena, &text, &key);

    return r.bad ? pyro_slice("", 0) : text;
}
