#define _GNU_SOURCE

#include "jfr/jfr_fact.h"

#include "jfr/jfr_secret.h"


enum {
    PYRO_JFR_JVM_NAME = 0,
    PYRO_JFR_JVM_VERSION,
    PYRO_JFR_JVM_ARGUMENTS,
    PYRO_JFR_JVM_PROGRAM,
    PYRO_JFR_JVM_STARTED,
    PYRO_JFR_JVM_PID
};


enum {
    PYRO_JFR_CPU_NAME = 0,
    PYRO_JFR_CPU_DESCRIPTION,
    PYRO_JFR_CPU_SOCKETS,
    PYRO_JFR_CPU_CORES,
    PYRO_JFR_CPU_THREADS
};


typedef struct {
    pyro_jfr_word_e         type;
    uint32_t                n;
    pyro_jfr_want_t         wants[PYRO_JFR_FACT_SLOTS];
} pyro_jfr_fact_type_t;


static pyro_slice_t pyro_jfr_fact_text(const pyro_jfr_fact_t *fact,
    uint32_t slot, pyro_jfr_cpool_t *cpool);
static int pyro_jfr_fact_put(pyro_arena_t *arena, pyro_slice_t *to,
    pyro_slice_t text, size_t max);
static int pyro_jfr_fact_set(const pyro_jfr_fact_t *fact, uint32_t slot,
    pyro_jfr_cpool_t *cpool, pyro_arena_t *arena, pyro_slice_t *to);
static int pyro_jfr_fact_jvm(const pyro_jfr_fact_t *fact,
    pyro_jfr_cpool_t *cpool, pyro_arena_t *arena, pyro_jfr_info_t *info);
static int pyro_jfr_fact_arguments(pyro_slice_t text, pyro_arena_t *arena,
    pyro_jfr_info_t *info);
static pyro_slice_t pyro_jfr_fact_model(pyro_slice_t description);
static int pyro_jfr_fact_cpu(const pyro_jfr_fact_t *fact,
    pyro_jfr_cpool_t *cpool, pyro_arena_t *arena, pyro_jfr_info_t *info);
static int pyro_jfr_fact_recording(const pyro_jfr_fact_t *fact,
    pyro_jfr_cpool_t *cpool, pyro_arena_t *arena, pyro_jfr_info_t *info);


#define PYRO_JFR_TEXT(word, slot)                                             \
    { PYRO_JFR_WORD_##word, PYRO_JFR_WORD_JAVA_LANG_STRING, 0, 0, slot }
#define PYRO_JFR_NUMBER(word, type, slot)                                     \
    { PYRO_JFR_WORD_##word, PYRO_JFR_WORD_##type, 0, 0, slot }


static const pyro_jfr_fact_type_t  pyro_jfr_fact_types[] = {

    [PYRO_JFR_FACT_JVM] = { PYRO_JFR_WORD_JDK_JVM_INFORMATION, 6, {
        PYRO_JFR_TEXT(JVM_NAME, PYRO_JFR_JVM_NAME),
        PYRO_JFR_TEXT(JVM_VERSION, PYRO_JFR_JVM_VERSION),
        PYRO_JFR_TEXT(JVM_ARGUMENTS, PYRO_JFR_JVM_ARGUMENTS),
        PYRO_JFR_TEXT(JAVA_ARGUMENTS, PYRO_JFR_JVM_PROGRAM),
        PYRO_JFR_NUMBER(JVM_START_TIME, LONG, PYRO_JFR_JVM_STARTED),
        PYRO_JFR_NUMBER(PID, LONG, PYRO_JFR_JVM_PID) } },

    [PYRO_JFR_FACT_OS] = { PYRO_JFR_WORD_JDK_OS_INFORMATION, 1, {
        PYRO_JFR_TEXT(OS_VERSION, 0) } },

    [PYRO_JFR_FACT_CPU] = { PYRO_JFR_WORD_JDK_CPU_INFORMATION, 5, {
        PYRO_JFR_TEXT(CPU, PYRO_JFR_CPU_NAME),
        PYRO_JFR_TEXT(DESCRIPTION, PYRO_JFR_CPU_DESCRIPTION),
        PYRO_JFR_NUMBER(SOCKETS, INT, PYRO_JFR_CPU_SOCKETS),
        PYRO_JFR_NUMBER(CORES, INT, PYRO_JFR_CPU_CORES),
        PYRO_JFR_NUMBER(HW_THREADS, INT, PYRO_JFR_CPU_THREADS) } },

    [PYRO_JFR_FACT_RECORDING] = { PYRO_JFR_WORD_JDK_ACTIVE_RECORDING, 1, {
        PYRO_JFR_TEXT(NAME, 0) } },
};


pyro_jfr_word_e
pyro_jfr_fact_type(pyro_jfr_fact_e fact)
{
    return pyro_jfr_fact_types[fact].type;
}


int
pyro_jfr_fact_bind(pyro_jfr_facts_t *facts, pyro_jfr_fact_e fact,
    pyro_jfr_metadata_t *md, uint32_t class)
{
    uint32_t  found;

    return pyro_jfr_plan_make(md, class, pyro_jfr_fact_types[fact].wants,
                              pyro_jfr_fact_types[fact].n, PYRO_JFR_TO_LAST,
                              &facts->plans[fact], &found);
}


void
pyro_jfr_fact_read(pyro_jfr_facts_t *facts, pyro_jfr_fact_e fact,
    pyro_jfr_metadata_t *md, pyro_jfr_reader_t *r)
{
    pyro_jfr_fact_t  *f;

    f = &facts->facts[fact];

    if (f->found) {
        return;
    }

    memset(f->slots, 0, sizeof(f->slots));
    pyro_jfr_plan_run(md, &facts->plans[fact], r, f->slots);

    f->found = r->bad == PYRO_JFR_SOUND;
}


static pyro_slice_t
pyro_jfr_fact_text(const pyro_jfr_fact_t *fact, uint32_t slot,
    pyro_jfr_cpool_t *cpool)
{
    pyro_slice_t       text;
    pyro_jfr_reader_t  r;

    if (fact->slots[slot] == 0) {
        return pyro_slice("", 0);
    }

    r = pyro_jfr_chunk_reader(cpool->md->chunk, fact->slots[slot]);
    text = pyro_jfr_cpool_string(cpool, &r);

    /* as whoever asks for it looks for a blank or a line in it */

    PYRO_COUNT(PYRO_COUNT_BYTES, text.len);

    return r.bad ? pyro_slice("", 0) : text;
}


/* Facts are said once, but for the recorder. */
static int
pyro_jfr_fact_put(pyro_arena_t *arena, pyro_slice_t *to, pyro_slice_t text,
    size_t max)
{
    size_t  room;

    room = 0;

    return text.len ? pyro_jfr_info_set(arena, to, &room, text, max) : 0;
}


static int
pyro_jfr_fact_set(const pyro_jfr_fact_t *fact, uint32_t slot,
    pyro_jfr_cpool_t *cpool, pyro_arena_t *arena, pyro_slice_t *to)
{
    return to->len == 0
           ? pyro_jfr_fact_put(arena, to,
                               pyro_jfr_fact_text(fact, slot, cpool),
                               PYRO_JFR_INFO_TEXT)
           : 0;
}


static int
pyro_jfr_fact_arguments(pyro_slice_t text, pyro_arena_t *arena,
    pyro_jfr_info_t *info)
{
    char  shown[PYRO_JFR_INFO_LONG];

    if (text.len == 0 || info->jvm_arguments.len) {
        return 0;
    }

    return pyro_jfr_fact_put(arena, &info->jvm_arguments,
                             pyro_slice(shown,
                                        pyro_jfr_arguments(shown,
                                                           sizeof(shown),
                                                           text)),
                             PYRO_JFR_INFO_LONG);
}


static int
pyro_jfr_fact_jvm(const pyro_jfr_fact_t *fact, pyro_jfr_cpool_t *cpool,
    pyro_arena_t *arena, pyro_jfr_info_t *info)
{
    const char    *blank;
    pyro_slice_t   text;

    /* of the program's own arguments nobody knows which are secret */

    text = pyro_jfr_fact_text(fact, PYRO_JFR_JVM_PROGRAM, cpool);
    blank = text.len ? memchr(text.data, ' ', text.len) : NULL;

    if (blank != NULL) {
        text.len = (size_t) (blank - text.data);
    }

    if (info->main_class.len == 0
        && pyro_jfr_fact_put(arena, &info->main_class, text,
                             PYRO_JFR_INFO_TEXT))
    {
        return -1;
    }

    if (info->jvm_started == 0) {
        info->jvm_started = (int64_t) fact->slots[PYRO_JFR_JVM_STARTED];
    }

    if (info->pid == 0) {
        info->pid = (int64_t) fact->slots[PYRO_JFR_JVM_PID];
    }

    text = pyro_jfr_fact_text(fact, PYRO_JFR_JVM_ARGUMENTS, cpool);

    return pyro_jfr_fact_set(fact, PYRO_JFR_JVM_NAME, cpool, arena,
                             &info->jvm_name)
           || pyro_jfr_fact_set(fact, PYRO_JFR_JVM_VERSION, cpool, arena,
                                &info->jvm_version)
           || pyro_jfr_fact_arguments(text, arena, info)
           ? -1 : 0;
}


/* async-profiler's description is /proc/cpuinfo, with a line "model name". */
static pyro_slice_t
pyro_jfr_fact_model(pyro_slice_t description)
{
    const char  *p, *end;

    p = description.len ? memmem(description.data, description.len,
                                 "model name", 10) : NULL;

    if (p == NULL) {
        return pyro_slice("", 0);
    }

    description.len -= (size_t) (p - description.data);
    end = memchr(p, '\n', description.len);
    description.len = end != NULL ? (size_t) (end - p) : description.len;
    end = p + description.len;
    p = memchr(p, ':', description.len);

    return p == NULL ? pyro_slice("", 0)
                     : pyro_slice_trim(pyro_slice(p + 1,
                                                  (size_t) (end - p - 1)));
}


static int
pyro_jfr_fact_cpu(const pyro_jfr_fact_t *fact, pyro_jfr_cpool_t *cpool,
    pyro_arena_t *arena, pyro_jfr_info_t *info)
{
    pyro_slice_t  model;

    if (info->cores == 0) {
        info->sockets = (int64_t) fact->slots[PYRO_JFR_CPU_SOCKETS];
        info->cores = (int64_t) fact->slots[PYRO_JFR_CPU_CORES];
        info->threads = (int64_t) fact->slots[PYRO_JFR_CPU_THREADS];
    }

    model = pyro_jfr_fact_model(pyro_jfr_fact_text(fact,
                                                   PYRO_JFR_CPU_DESCRIPTION,
                                                   cpool));

    if (model.len && info->cpu.len == 0) {
        return pyro_jfr_fact_put(arena, &info->cpu, model,
                                 PYRO_JFR_INFO_TEXT);
    }

    return pyro_jfr_fact_set(fact, PYRO_JFR_CPU_NAME, cpool, arena,
                             &info->cpu);
}


static int
pyro_jfr_fact_recording(const pyro_jfr_fact_t *fact, pyro_jfr_cpool_t *cpool,
    pyro_arena_t *arena, pyro_jfr_info_t *info)
{
    pyro_slice_t  text;

    text = pyro_jfr_fact_text(fact, 0, cpool);

    if (text.len
        && (info->recorder.len == 0
            || (pyro_slice_starts(text, PYRO_SLICE("async-profiler"))
                && !pyro_slice_starts(info->recorder,
                                      PYRO_SLICE("async-profiler")))))
    {
        info->recorder.data = NULL;

        return pyro_jfr_fact_put(arena, &info->recorder, text,
                                 PYRO_JFR_INFO_TEXT);
    }

    return 0;
}


int
pyro_jfr_facts_end(pyro_jfr_facts_t *facts, pyro_jfr_cpool_t *cpool,
    pyro_arena_t *arena, pyro_jfr_info_t *info)
{
    const pyro_jfr_fact_t  *f;

    f = facts->facts;

    return (f[PYRO_JFR_FACT_JVM].found
            && pyro_jfr_fact_jvm(&f[PYRO_JFR_FACT_JVM], cpool, arena, info))
           || (f[PYRO_JFR_FACT_OS].found
               && pyro_jfr_fact_set(&f[PYRO_JFR_FACT_OS], 0, cpool, arena,
                                    &info->os))
           || (f[PYRO_JFR_FACT_CPU].found
               && pyro_jfr_fact_cpu(&f[PYRO_JFR_FACT_CPU], cpool, arena,
                                    info))
           || (f[PYRO_JFR_FACT_RECORDING].found
               && pyro_jfr_fact_recording(&f[PYRO_JFR_FACT_RECORDING], cpool,
                                          arena, info))
           ? -1 : 0;
}
