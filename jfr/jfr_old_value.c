#include "jfr/jfr_old_value.h"


/* The values of one structure that are still to be skipped. */
typedef struct {
    const pyro_jfr_old_structure_t  *structure;
    uint64_t                         left;
    uint32_t                         field;
} pyro_jfr_old_nested_t;


static void pyro_jfr_old_skip_array(uint32_t type, pyro_jfr_reader_t *r);
static void pyro_jfr_old_skip_plain(const pyro_jfr_old_field_t *field,
    pyro_jfr_reader_t *r);
static uint64_t pyro_jfr_old_skip_field(const pyro_jfr_old_field_t *field,
    pyro_jfr_reader_t *r);
static void pyro_jfr_old_skip_open(const pyro_jfr_old_structure_t *s,
    uint64_t n, pyro_jfr_old_nested_t *stack, uint32_t *depth,
    pyro_jfr_reader_t *r);


uint64_t
pyro_jfr_old_integer(pyro_jfr_reader_t *r, uint8_t type)
{
    uint64_t  v;

    if (type > PYRO_JFR_OLD_U8) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return 0;
    }

    v = pyro_jfr_fixed(r, pyro_jfr_old_width(type));

    switch (type) {

    case PYRO_JFR_OLD_BYTE:
        return (uint64_t) (int8_t) v;

    case PYRO_JFR_OLD_SHORT:
        return (uint64_t) (int16_t) v;

    case PYRO_JFR_OLD_INTEGER:
        return (uint64_t) (int32_t) v;

    default:
        return v;
    }
}


/* The elements, of a type without structure. */
static void
pyro_jfr_old_skip_array(uint32_t type, pyro_jfr_reader_t *r)
{
    uint64_t  n;

    n = pyro_jfr_fixed(r, 4);

    if (type <= PYRO_JFR_OLD_DOUBLE) {
        pyro_jfr_skip_bytes(r, n * pyro_jfr_old_width(type));
        return;
    }

    for ( /* void */ ; n && r->bad == PYRO_JFR_SOUND; n--) {
        if (type == PYRO_JFR_OLD_UTF8) {
            pyro_jfr_skip_bytes(r, pyro_jfr_fixed(r, 2));

        } else if (type == PYRO_JFR_OLD_STRING) {
            pyro_jfr_skip_bytes(r, pyro_jfr_fixed(r, 4) * 2);

        } else {
            pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        }
    }
}


/* A value that is neither a structure nor some of them. */
static void
pyro_jfr_old_skip_plain(const pyro_jfr_old_field_t *field,
    pyro_jfr_reader_t *r)
{
    switch (field->type) {

    case PYRO_JFR_OLD_UTF8:
        pyro_jfr_skip_bytes(r, pyro_jfr_fixed(r, 2));
        return;

    case PYRO_JFR_OLD_STRING:
        pyro_jfr_skip_bytes(r, pyro_jfr_fixed(r, 4) * 2);
        return;

    case PYRO_JFR_OLD_ARRAY:
        pyro_jfr_old_skip_array(field->structure, r);
        return;

    default:
        pyro_jfr_skip_bytes(r, pyro_jfr_old_width(field->type));
    }
}


/* Skips a plain value, or tells how many structures are to be skipped. */
static uint64_t
pyro_jfr_old_skip_field(const pyro_jfr_old_field_t *field,
    pyro_jfr_reader_t *r)
{
    switch (field->type) {

    case PYRO_JFR_OLD_STRUCT:
        return 1;

    case PYRO_JFR_OLD_STRUCTARRAY:
        return pyro_jfr_fixed(r, 4);

    default:
        pyro_jfr_old_skip_plain(field, r);
        return 0;
    }
}


/* n values at once, or as the top of the stack. */
static void
pyro_jfr_old_skip_open(const pyro_jfr_old_structure_t *s, uint64_t n,
    pyro_jfr_old_nested_t *stack, uint32_t *depth, pyro_jfr_reader_t *r)
{
    if (s != NULL && s->shape == PYRO_JFR_OLD_FIXED) {
        pyro_jfr_skip_bytes(r, n > pyro_jfr_left(r) ? UINT64_MAX
                                                    : n * s->size);

    } else if (s != NULL && s->shape == PYRO_JFR_OLD_VARIABLE
               && *depth < PYRO_JFR_OLD_NESTED)
    {
        stack[(*depth)++] = (pyro_jfr_old_nested_t) { s, n, 0 };

    } else {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
    }
}


/* Iterative, since structures nest as the file says. */
void
pyro_jfr_old_skip(const pyro_jfr_old_types_t *types, uint32_t structure,
    uint64_t n, pyro_jfr_reader_t *r)
{
    uint32_t                      depth;
    pyro_jfr_old_nested_t         stack[PYRO_JFR_OLD_NESTED], *top;
    const pyro_jfr_old_field_t   *field;

    depth = 0;

    for ( ;; ) {
        if (n) {
            pyro_jfr_old_skip_open(pyro_jfr_old_structure(types, structure), n,
                                   stack, &depth, r);
        }

        if (r->bad) {
            return;
        }

        while (depth && stack[depth - 1].field
                        == stack[depth - 1].structure->n_fields)
        {
            top = &stack[depth - 1];
            top->field = 0;

            if (--top->left == 0) {
                depth--;
            }
        }

        if (depth == 0) {
            return;
        }

        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        top = &stack[depth - 1];
        field = &types->fields[top->structure->first_field + top->field++];
        n = pyro_jfr_old_skip_field(field, r);
        structure = field->structure;
    }
}


void
pyro_jfr_old_values_clear(pyro_jfr_old_values_t *values)
{
    uint32_t  i;

    for (i = 0; i < PYRO_JFR_OLD_NO_FIELD; i++) {
        values->of[i].type = PYRO_JFR_OLD_NO_TYPE;
    }
}


void
pyro_jfr_old_values(const pyro_jfr_old_types_t *types,
    const pyro_jfr_chunk_t *chunk, uint32_t structure, pyro_jfr_reader_t *r,
    pyro_jfr_old_values_t *values)
{
    uint32_t                         i;
    uint64_t                         n;
    pyro_jfr_old_value_t            *value, nobody;
    const pyro_jfr_old_field_t      *field;
    const pyro_jfr_old_structure_t  *s;

    s = pyro_jfr_old_structure(types, structure);

    if (s == NULL || s->shape == PYRO_JFR_OLD_NEVER) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return;
    }

    for (i = 0; i < s->n_fields && r->bad == PYRO_JFR_SOUND; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);

        field = &types->fields[s->first_field + i];
        value = field->word < PYRO_JFR_OLD_NO_FIELD ? &values->of[field->word]
                                                    : &nobody;
        value->type = field->type;
        value->structure = field->structure;

        if (field->type <= PYRO_JFR_OLD_U8) {
            value->number = pyro_jfr_old_integer(r, field->type);
            continue;
        }

        value->number = (uint64_t) (r->pos - chunk->base);
        n = pyro_jfr_old_skip_field(field, r);
        pyro_jfr_old_skip(types, field->structure, n, r);
    }
}


pyro_slice_t
pyro_jfr_old_text(const pyro_jfr_chunk_t *chunk,
    const pyro_jfr_old_values_t *values, pyro_jfr_old_field_e field)
{
    size_t             n;
    pyro_jfr_reader_t  r;

    if (values->of[field].type != PYRO_JFR_OLD_UTF8) {
        return pyro_slice("", 0);
    }

    r = pyro_jfr_old_reader(chunk, values->of[field].number, chunk->size);
    n = (size_t) pyro_jfr_fixed(&r, 2);

    return pyro_slice(r.pos, n <= pyro_jfr_left(&r) ? n : 0);
}


uint32_t
pyro_jfr_old_array(const pyro_jfr_chunk_t *chunk,
    const pyro_jfr_old_values_t *values, pyro_jfr_old_field_e field,
    pyro_jfr_reader_t *r, uint32_t *structure)
{
    const pyro_jfr_old_value_t  *array;

    array = &values->of[field];

    if (array->type != PYRO_JFR_OLD_STRUCTARRAY) {
        return 0;
    }

    *structure = array->structure;
    *r = pyro_jfr_old_reader(chunk, array->number, chunk->metadata);

    return (uint32_t) pyro_jfr_fixed(r, 4);
}
