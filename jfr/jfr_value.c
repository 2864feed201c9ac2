#include "jfr/jfr_value.h"


#define PYRO_JFR_MAX_FLAT   32          /* integers of a flat plan */
#define PYRO_JFR_FLAT_INT   0x80        /* beside the slot: an int */
#define PYRO_JFR_FLAT_SKIP  0x7f        /* in its place */


enum {
    PYRO_JFR_OP_VARINTS,            /* skip n */
    PYRO_JFR_OP_BYTES,              /* skip n */
    PYRO_JFR_OP_STRING,             /* skip */
    PYRO_JFR_OP_KEYS,               /* skip an array of pool keys */
    PYRO_JFR_OP_ARRAY,              /* skip an array of class n */
    PYRO_JFR_OP_STRUCT,             /* skip a value of class n */
    PYRO_JFR_OP_FAIL,               /* a type that is not described */
    PYRO_JFR_OP_LONG,               /* into the slot */
    PYRO_JFR_OP_INT,
    PYRO_JFR_OP_BYTE,
    PYRO_JFR_OP_MARK                /* the position into the slot */
};


typedef enum {
    PYRO_JFR_SIZED_UNKNOWN = 0,
    PYRO_JFR_SIZED_NO,              /* a value takes no bytes */
    PYRO_JFR_SIZED_YES,
    PYRO_JFR_SIZED_NEVER            /* it has no end */
} pyro_jfr_sized_e;


/* The values of one struct or array that are still to be skipped. */
typedef struct {
    uint64_t                left;
    const pyro_jfr_plan_t  *plan;
    uint32_t                step;
} pyro_jfr_nested_t;


static void pyro_jfr_emit(pyro_jfr_step_t *steps, uint32_t *n, uint8_t op,
    uint8_t slot, uint32_t count);
static void pyro_jfr_emit_integer(pyro_jfr_step_t *steps, uint32_t *n,
    int fixed, uint32_t width);
static pyro_jfr_sized_e pyro_jfr_sized(pyro_jfr_metadata_t *md, uint32_t class,
    uint32_t depth);
static void pyro_jfr_emit_plain(pyro_jfr_metadata_t *md, uint32_t class,
    pyro_jfr_step_t *steps, uint32_t *n);
static void pyro_jfr_emit_skip(pyro_jfr_metadata_t *md,
    const pyro_jfr_field_t *field, pyro_jfr_step_t *steps, uint32_t *n);
static void pyro_jfr_emit_read(pyro_jfr_metadata_t *md,
    const pyro_jfr_field_t *field, uint8_t slot, pyro_jfr_step_t *steps,
    uint32_t *n);
static int pyro_jfr_plan_flatten(pyro_jfr_metadata_t *md,
    pyro_jfr_plan_t *plan);
static void pyro_jfr_flat_run(const pyro_jfr_plan_t *plan,
    pyro_jfr_reader_t *r, uint64_t *slots);
static uint32_t pyro_jfr_want(const pyro_jfr_metadata_t *md,
    const pyro_jfr_field_t *field, const pyro_jfr_want_t *wants, uint32_t n);
static int pyro_jfr_skip_flat(const pyro_jfr_plan_t *plan, uint64_t n,
    pyro_jfr_reader_t *r);
static uint64_t pyro_jfr_skip_step(pyro_jfr_metadata_t *md,
    const pyro_jfr_step_t *step, pyro_jfr_reader_t *r);
static void pyro_jfr_skip_values(pyro_jfr_metadata_t *md, uint32_t class,
    uint64_t n, pyro_jfr_reader_t *r);


/*
 * Depth is at most PYRO_JFR_MAX_NESTED, and each class is found out once.  A
 * class that contains itself, or others too deep, cannot be read.
 */
static pyro_jfr_sized_e
pyro_jfr_sized(pyro_jfr_metadata_t *md, uint32_t class, uint32_t depth)
{
    uint32_t                 i;
    pyro_jfr_class_t        *c;
    pyro_jfr_sized_e         inner, sized;
    const pyro_jfr_field_t  *field;

    c = &md->classes[class];

    if (c->type != PYRO_JFR_STRUCT) {
        return PYRO_JFR_SIZED_YES;
    }

    if (c->sized != PYRO_JFR_SIZED_UNKNOWN) {
        return c->sized;
    }

    if (depth == PYRO_JFR_MAX_NESTED) {
        return PYRO_JFR_SIZED_NEVER;
    }

    c->sized = PYRO_JFR_SIZED_NEVER;
    sized = PYRO_JFR_SIZED_NO;

    for (i = 0; i < c->n_fields && sized != PYRO_JFR_SIZED_YES; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        field = &md->fields[c->first_field + i];

        inner = field->pool || field->array || field->class == PYRO_NONE
                ? PYRO_JFR_SIZED_YES
                : pyro_jfr_sized(md, field->class, depth + 1);

        sized = inner == PYRO_JFR_SIZED_NO ? sized : inner;
    }

    c->sized = (uint8_t) sized;

    return sized;
}


int
pyro_jfr_class_is_sized(pyro_jfr_metadata_t *md, uint32_t class)
{
    return pyro_jfr_sized(md, class, 0) == PYRO_JFR_SIZED_YES;
}


static void
pyro_jfr_emit(pyro_jfr_step_t *steps, uint32_t *n, uint8_t op, uint8_t slot,
    uint32_t count)
{
    if (*n && steps[*n - 1].op == op && op <= PYRO_JFR_OP_BYTES) {
        steps[*n - 1].n += count;
        return;
    }

    steps[*n].op = op;
    steps[*n].slot = slot;
    steps[*n].n = count;
    (*n)++;
}


static void
pyro_jfr_emit_integer(pyro_jfr_step_t *steps, uint32_t *n, int fixed,
    uint32_t width)
{
    if (fixed) {
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_BYTES, 0, width);

    } else {
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_VARINTS, 0, 1);
    }
}


static void
pyro_jfr_emit_plain(pyro_jfr_metadata_t *md, uint32_t class,
    pyro_jfr_step_t *steps, uint32_t *n)
{
    switch (md->classes[class].type) {

    case PYRO_JFR_BYTE:
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_BYTES, 0, 1);
        return;

    case PYRO_JFR_SHORT:
        pyro_jfr_emit_integer(steps, n, md->chunk->fixed, 2);
        return;

    case PYRO_JFR_INT:
        pyro_jfr_emit_integer(steps, n, md->chunk->fixed, 4);
        return;

    case PYRO_JFR_LONG:
        pyro_jfr_emit_integer(steps, n, md->chunk->fixed, 8);
        return;

    case PYRO_JFR_FLOAT:
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_BYTES, 0, 4);
        return;

    case PYRO_JFR_DOUBLE:
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_BYTES, 0, 8);
        return;

    case PYRO_JFR_STRING:
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_STRING, 0, 0);
        return;

    case PYRO_JFR_STRUCT:
        switch (pyro_jfr_sized(md, class, 0)) {

        case PYRO_JFR_SIZED_NO:
            return;

        case PYRO_JFR_SIZED_YES:
            pyro_jfr_emit(steps, n, PYRO_JFR_OP_STRUCT, 0, class);
            return;

        default:
            pyro_jfr_emit(steps, n, PYRO_JFR_OP_FAIL, 0, 0);
            return;
        }
    }
}


static void
pyro_jfr_emit_skip(pyro_jfr_metadata_t *md,
    const pyro_jfr_field_t *field, pyro_jfr_step_t *steps, uint32_t *n)
{
    if (field->pool) {
        if (field->array) {
            pyro_jfr_emit(steps, n, PYRO_JFR_OP_KEYS, 0, 0);

        } else {
            pyro_jfr_emit_integer(steps, n, md->chunk->fixed, 8);
        }

        return;
    }

    if (field->class == PYRO_NONE) {
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_FAIL, 0, 0);
        return;
    }

    if (field->array) {
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_ARRAY, 0, field->class);
        return;
    }

    pyro_jfr_emit_plain(md, field->class, steps, n);
}


static void
pyro_jfr_emit_read(pyro_jfr_metadata_t *md,
    const pyro_jfr_field_t *field, uint8_t slot, pyro_jfr_step_t *steps,
    uint32_t *n)
{
    uint8_t  type;

    type = field->pool ? PYRO_JFR_LONG : md->classes[field->class].type;

    if (!field->array && type == PYRO_JFR_LONG) {
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_LONG, slot, 0);

    } else if (!field->array && type == PYRO_JFR_INT) {
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_INT, slot, 0);

    } else if (!field->array && type == PYRO_JFR_BYTE) {
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_BYTE, slot, 0);

    } else {
        pyro_jfr_emit(steps, n, PYRO_JFR_OP_MARK, slot, 0);
        pyro_jfr_emit_skip(md, field, steps, n);
    }
}


/* The number of the want that the field satisfies, or n. */
static uint32_t
pyro_jfr_want(const pyro_jfr_metadata_t *md, const pyro_jfr_field_t *field,
    const pyro_jfr_want_t *wants, uint32_t n)
{
    uint32_t  i;

    if (field->word == PYRO_JFR_WORD_NONE || field->class == PYRO_NONE) {
        return n;
    }

    for (i = 0; i < n; i++) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);

        if (field->word == wants[i].name
            && field->pool == wants[i].pool
            && field->array == wants[i].array
            && md->classes[field->class].word == wants[i].type)
        {
            break;
        }
    }

    return i;
}


/*
 * Of a plan that reads nothing but compressed integers, as most events are: the
 * slot of each, with PYRO_JFR_FLAT_INT for an int, PYRO_JFR_FLAT_SKIP for none.
 */
static int
pyro_jfr_plan_flatten(pyro_jfr_metadata_t *md, pyro_jfr_plan_t *plan)
{
    uint8_t          flat[PYRO_JFR_MAX_FLAT];
    uint32_t         i, k, n;
    pyro_jfr_step_t  step;

    n = 0;

    for (i = 0; i < plan->n; i++) {
        step = plan->steps[i];

        if (md->chunk->fixed
            || (step.op != PYRO_JFR_OP_VARINTS && step.op != PYRO_JFR_OP_LONG
                && step.op != PYRO_JFR_OP_INT)
            || n + (step.op == PYRO_JFR_OP_VARINTS ? step.n : 1)
               > PYRO_JFR_MAX_FLAT)
        {
            return 0;
        }

        if (step.op != PYRO_JFR_OP_VARINTS) {
            flat[n++] = step.slot
                        | (step.op == PYRO_JFR_OP_INT ? PYRO_JFR_FLAT_INT : 0);
            continue;
        }

        for (k = 0; k < step.n; k++) {
            flat[n++] = PYRO_JFR_FLAT_SKIP;
        }
    }

    plan->n_flat = n;
    plan->flat = (const uint8_t *) pyro_arena_dup(md->arena,
                                               pyro_slice(flat, n)).data;

    return plan->flat == NULL ? -1 : 0;
}


static void
pyro_jfr_flat_run(const pyro_jfr_plan_t *plan, pyro_jfr_reader_t *r,
    uint64_t *slots)
{
    uint8_t   slot;
    uint32_t  i;
    uint64_t  v;

    PYRO_COUNT(PYRO_COUNT_STEPS, plan->n_flat);

    for (i = 0; i < plan->n_flat; i++) {
        slot = plan->flat[i];
        v = pyro_jfr_varint(r);

        if (slot == PYRO_JFR_FLAT_SKIP) {
            continue;
        }

        if (slot & PYRO_JFR_FLAT_INT) {
            slot &= (uint8_t) ~PYRO_JFR_FLAT_INT;
            v = (uint64_t) (int64_t) (int32_t) (uint32_t) v;
        }

        slots[slot] = v;
    }
}


int
pyro_jfr_plan_make(pyro_jfr_metadata_t *md, uint32_t class,
    const pyro_jfr_want_t *wants, uint32_t n, pyro_jfr_extent_e extent,
    pyro_jfr_plan_t *plan, uint32_t *found)
{
    uint32_t                 i, want, n_steps, last;
    pyro_jfr_step_t         *steps;
    const pyro_jfr_class_t  *c;
    const pyro_jfr_field_t  *field;

    c = &md->classes[class];
    *found = 0;

    /* a field is two steps at most; a class without fields is one */

    steps = pyro_arena_alloc(md->arena, ((size_t) c->n_fields * 2 + 1)
                                        * sizeof(pyro_jfr_step_t));

    if (steps == NULL) {
        return -1;
    }

    n_steps = 0;
    last = 0;

    if (c->type != PYRO_JFR_STRUCT) {
        pyro_jfr_emit_plain(md, class, steps, &n_steps);
    }

    for (i = 0; i < c->n_fields; i++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);
        field = &md->fields[c->first_field + i];
        want = pyro_jfr_want(md, field, wants, n);

        if (want == n || (*found & 1U << want)) {
            pyro_jfr_emit_skip(md, field, steps, &n_steps);
            continue;
        }

        *found |= 1U << want;
        last = n_steps + 1;
        pyro_jfr_emit_read(md, field, wants[want].slot, steps, &n_steps);

        if (extent != PYRO_JFR_AT_LAST) {
            last = n_steps;
        }
    }

    plan->steps = steps;
    plan->flat = NULL;
    plan->n = extent == PYRO_JFR_TO_END ? n_steps : last;

    return n ? pyro_jfr_plan_flatten(md, plan) : 0;
}


const pyro_jfr_plan_t *
pyro_jfr_class_skip(pyro_jfr_metadata_t *md, uint32_t class)
{
    uint32_t          found;
    pyro_jfr_plan_t  *plan;

    plan = &md->classes[class].skip;

    if (plan->steps == NULL
        && pyro_jfr_plan_make(md, class, NULL, 0, PYRO_JFR_TO_END, plan,
                              &found))
    {
        return NULL;
    }

    return plan;
}


/* n values that are nothing but varints or bytes, at once; 0 if they aren't. */
static int
pyro_jfr_skip_flat(const pyro_jfr_plan_t *plan, uint64_t n,
    pyro_jfr_reader_t *r)
{
    uint64_t  each;

    if (plan->n != 1 || plan->steps[0].op > PYRO_JFR_OP_BYTES) {
        return 0;
    }

    each = plan->steps[0].n;

    if (n > pyro_jfr_left(r) / each) {
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);

    } else if (plan->steps[0].op == PYRO_JFR_OP_VARINTS) {
        pyro_jfr_skip_varints(r, n * each);

    } else {
        pyro_jfr_skip_bytes(r, n * each);
    }

    return 1;
}


/* Returns how many values of class step->n follow and are not skipped yet. */
static uint64_t
pyro_jfr_skip_step(pyro_jfr_metadata_t *md, const pyro_jfr_step_t *step,
    pyro_jfr_reader_t *r)
{
    uint64_t  n;

    PYRO_COUNT(PYRO_COUNT_STEPS, 1);

    switch (step->op) {

    case PYRO_JFR_OP_VARINTS:
        pyro_jfr_skip_varints(r, step->n);
        return 0;

    case PYRO_JFR_OP_BYTES:
        pyro_jfr_skip_bytes(r, step->n);
        return 0;

    case PYRO_JFR_OP_STRING:
        pyro_jfr_skip_string(r);
        return 0;

    case PYRO_JFR_OP_KEYS:
        n = pyro_jfr_count(r);

        if (md->chunk->fixed) {
            pyro_jfr_skip_bytes(r, n * 8);

        } else {
            pyro_jfr_skip_varints(r, n);
        }

        return 0;

    case PYRO_JFR_OP_ARRAY:
        n = pyro_jfr_count(r);

        if (n && !pyro_jfr_class_is_sized(md, step->n)) {
            pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
            return 0;
        }

        return n;

    case PYRO_JFR_OP_STRUCT:
        return 1;

    default:
        pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
        return 0;
    }
}


/* n values of a class that is sized, one behind the other. */
static void
pyro_jfr_skip_values(pyro_jfr_metadata_t *md, uint32_t class, uint64_t n,
    pyro_jfr_reader_t *r)
{
    uint32_t                depth;
    pyro_jfr_nested_t      *top, stack[PYRO_JFR_MAX_NESTED];
    const pyro_jfr_plan_t  *plan;
    const pyro_jfr_step_t  *step;

    depth = 0;
    plan = pyro_jfr_class_skip(md, class);

    for ( ;; ) {
        if (plan == NULL) {
            pyro_jfr_fail(r, PYRO_JFR_NO_MEMORY);
            return;
        }

        if (n && !pyro_jfr_skip_flat(plan, n, r)) {
            if (depth == PYRO_JFR_MAX_NESTED) {
                pyro_jfr_fail(r, PYRO_JFR_MALFORMED);
                return;
            }

            stack[depth].left = n;
            stack[depth].plan = plan;
            stack[depth++].step = 0;
        }

        n = 0;

        while (depth && stack[depth - 1].step == stack[depth - 1].plan->n) {
            top = &stack[depth - 1];

            if (--top->left) {
                top->step = 0;
                break;
            }

            depth--;
        }

        if (depth == 0 || r->bad) {
            return;
        }

        step = &stack[depth - 1].plan->steps[stack[depth - 1].step++];
        n = pyro_jfr_skip_step(md, step, r);

        if (n) {
            plan = pyro_jfr_class_skip(md, step->n);
        }
    }
}


void
pyro_jfr_plan_run(pyro_jfr_metadata_t *md, const pyro_jfr_plan_t *plan,
    pyro_jfr_reader_t *r, uint64_t *slots)
{
    uint64_t                n;
    const pyro_jfr_step_t  *step, *end;

    if (plan->flat != NULL) {
        pyro_jfr_flat_run(plan, r, slots);
        return;
    }

    end = plan->steps + plan->n;

    for (step = plan->steps; step != end; step++) {
        PYRO_COUNT(PYRO_COUNT_STEPS, 1);

        switch (step->op) {

        case PYRO_JFR_OP_VARINTS:
            pyro_jfr_skip_varints(r, step->n);
            break;

        case PYRO_JFR_OP_LONG:
            slots[step->slot] = pyro_jfr_long(r);
            break;

        case PYRO_JFR_OP_INT:
            slots[step->slot] = (uint64_t) (int64_t) pyro_jfr_int(r);
            break;

        case PYRO_JFR_OP_BYTE:
            slots[step->slot] = pyro_jfr_byte(r);
            break;

        case PYRO_JFR_OP_MARK:
            slots[step->slot] = (uint64_t) (r->pos - md->chunk->base);
            break;

        default:
            n = pyro_jfr_skip_step(md, step, r);

            if (n) {
                pyro_jfr_skip_values(md, step->n, n, r);
            }
        }

        if (r->bad) {
            return;
        }
    }
}


uint32_t
pyro_jfr_plan_varints(const pyro_jfr_plan_t *plan, uint32_t *slots)
{
    uint32_t                i, n;
    const pyro_jfr_step_t  *step;

    n = 0;

    for (i = 0; i < plan->n; i++) {
        step = &plan->steps[i];

        if (step->op == PYRO_JFR_OP_VARINTS) {
            n += step->n;

        } else if (step->op == PYRO_JFR_OP_LONG
                   || step->op == PYRO_JFR_OP_INT)
        {
            slots[step->slot] = n++;

        } else {
            return 0;
        }
    }

    return n;
}


int
pyro_jfr_plan_is_string(const pyro_jfr_plan_t *plan)
{
    return plan->n == 1 && plan->steps[0].op == PYRO_JFR_OP_STRING;
}


int
pyro_jfr_plan_is_mark(const pyro_jfr_plan_t *plan)
{
    return plan->n == 1 && plan->steps[0].op == PYRO_JFR_OP_MARK;
}
