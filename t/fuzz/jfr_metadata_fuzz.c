/*
 * A metadata event, and values of the classes that it describes.
 *
 * The first byte: bit 0 integers of fixed width, bit 1 version 1, the rest how
 * much of the input is values, in 64ths.
 */

#include "profile_check.h"
#include "jfr_make.h"

#include "jfr/jfr_value.h"


#define FUZZ_CLASSES  256
#define FUZZ_VALUES   1024


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void values(pyro_jfr_metadata_t *md, uint32_t class, size_t at);
static void wanted(pyro_jfr_metadata_t *md, uint32_t class, size_t at);


static void
values(pyro_jfr_metadata_t *md, uint32_t class, size_t at)
{
    int                     n;
    const uint8_t          *pos;
    pyro_jfr_reader_t       r;
    const pyro_jfr_plan_t  *plan;

    plan = pyro_jfr_class_skip(md, class);

    if (plan == NULL) {
        return;
    }

    r = pyro_jfr_chunk_reader(md->chunk, at);

    for (n = 0; n < FUZZ_VALUES && r.pos != r.end; n++) {
        pos = r.pos;
        pyro_jfr_plan_run(md, plan, &r, NULL);
        FUZZ_CHECK(r.pos >= pos && r.pos <= r.end);

        if (pyro_jfr_class_is_sized(md, class)) {
            FUZZ_CHECK(r.pos > pos);
        }
    }
}


static void
wanted(pyro_jfr_metadata_t *md, uint32_t class, size_t at)
{
    uint32_t           i, found, order[5];
    uint64_t           slots[5] = { 0 };
    pyro_jfr_plan_t    plan;
    pyro_jfr_reader_t  r;

    static const pyro_jfr_want_t  wants[] = {
        { PYRO_JFR_WORD_STACK_TRACE, PYRO_JFR_WORD_JDK_TYPES_STACK_TRACE, 1,
          0, 0 },
        { PYRO_JFR_WORD_NAME, PYRO_JFR_WORD_JAVA_LANG_STRING, 0, 0, 1 },
        { PYRO_JFR_WORD_FRAMES, PYRO_JFR_WORD_JDK_TYPES_STACK_FRAME, 0, 1, 2 },
        { PYRO_JFR_WORD_LINE_NUMBER, PYRO_JFR_WORD_INT, 0, 0, 3 },
        { PYRO_JFR_WORD_TRUNCATED, PYRO_JFR_WORD_BOOLEAN, 0, 0, 4 },
    };

    if (pyro_jfr_plan_make(md, class, wants, 5, 1, &plan, &found)) {
        return;
    }

    FUZZ_CHECK(found < 1U << 5);
    FUZZ_CHECK(pyro_jfr_plan_varints(&plan, order)
               <= 2 * md->classes[class].n_fields + 1);

    r = pyro_jfr_chunk_reader(md->chunk, at);
    pyro_jfr_plan_run(md, &plan, &r, slots);

    for (i = 1; i < 3; i++) {
        FUZZ_CHECK(slots[i] <= md->chunk->size);
    }

    FUZZ_CHECK(slots[4] <= UINT8_MAX);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                at, n;
    uint32_t              i;
    jfr_make_t            m;
    pyro_arena_t         *arena;
    pyro_slice_t          text;
    const char           *problem;
    pyro_jfr_chunk_t      chunk;
    pyro_jfr_metadata_t   md;

    if (size == 0) {
        return 0;
    }

    n = (size - 1) - (size - 1) * (data[0] >> 2) / 64;

    jfr_make_begin(&m);
    m.fixed = data[0] & 1;
    m.metadata = m.n;
    jfr_make_open(&m, 0);
    jfr_make_bytes(&m, data + 1, n);
    jfr_make_close(&m);
    at = m.n;
    jfr_make_bytes(&m, data + 1 + n, size - 1 - n);
    text = jfr_make_end(&m);

    arena = pyro_arena_create(64 * 1024 * 1024);

    FUZZ_CHECK(pyro_jfr_chunk_next(text, &(size_t) { 0 }, &chunk, &problem)
               != PYRO_JFR_CHUNK_SKIPPED);
    chunk.major = data[0] & 2 ? 1 : 2;

    if (arena != NULL
        && pyro_jfr_metadata_read(&md, &chunk, chunk.metadata, arena)
           == PYRO_JFR_SOUND)
    {
        FUZZ_CHECK(md.n_classes == md.ids.n);

        for (i = 0; i < md.n_classes && i < FUZZ_CLASSES; i++) {
            FUZZ_CHECK(md.classes[i].first_field + md.classes[i].n_fields
                       <= md.n_fields);
            pyro_jfr_metadata_name(&md, i);
            values(&md, i, at);
            wanted(&md, i, at);
        }
    }

    pyro_arena_destroy(arena);
    free(m.data);

    return 0;
}
