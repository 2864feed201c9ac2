/*
 * Pushes with lines and spans, and the same in an array; a store that has them
 * open, rolled up, sealed and thinned, one after the other.
 */

#ifndef _PYRO_PICK_FIXTURE_H_INCLUDED_
#define _PYRO_PICK_FIXTURE_H_INCLUDED_


#include "store_fixture.h"

#include "storage/handle.h"
#include "storage/seal_job.h"


#define PICK_PUSHES   60
#define PICK_SAMPLES  12            /* of a push */
#define PICK_PODS     3
#define PICK_SPANS    9             /* 0: none */
#define PICK_FRAMES   18
#define PICK_DAYS     2
#define PICK_FACTS    (PICK_PUSHES * PICK_SAMPLES)


typedef enum {
    PICK_OPEN = 0,
    PICK_ROLLED,
    PICK_SEALED,
    PICK_THINNED
} pick_stage_e;


/* A sample. */
typedef struct {
    uint32_t          push;
    int64_t           time;
    uint32_t          pod;
    int               alloc;        /* type */
    uint32_t          span;
    uint32_t          leaf;         /* frame */
    uint64_t          value;
    pyro_hash128_t    id;           /* of its profile */
} pick_fact_t;


typedef struct {
    char             *dir;
    pyro_store_t     *store;
    pick_stage_e      stage;
    uint64_t          seed;
    pick_fact_t       facts[PICK_FACTS];
    uint32_t          n;
} pick_store_t;


static inline uint32_t
pick_random(pick_store_t *s, uint32_t n)
{
    s->seed = s->seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return (uint32_t) (pyro_hash_mix(s->seed, 0) % n);
}


/* Every third has a trace alone, or an id alone, or both. */
static inline pyro_span_t
pick_span(uint32_t i)
{
    pyro_span_t  span;

    memset(&span, 0, sizeof(span));

    if (i % 3 != 1) {
        span.id = pyro_hash_mix(i, 1);
    }

    if (i % 3 != 2) {
        /* two spans have one trace */
        span.trace_hi = pyro_hash_mix(i / 4, 2);
        span.trace_lo = pyro_hash_mix(i / 4, 3);
    }

    return span;
}


/* Three lines of each function; the first ones have no file. */
static inline pyro_frame_t
pick_frame(pyro_profile_t *p, uint32_t i)
{
    char          text[32];
    pyro_frame_t  frame;

    snprintf(text, sizeof(text), "f%u", i / 3);
    frame.function = pyro_profile_string(p, pyro_slice_str(text));

    snprintf(text, sizeof(text), "File%u.java", i / 6);
    frame.file = i < 3 ? 0 : pyro_profile_string(p, pyro_slice_str(text));

    frame.line = i % 3 * 10;
    frame.start_line = i / 3;

    return frame;
}


static inline void
pick_sample(pick_store_t *s, pyro_profile_t *p, pick_fact_t *f, int spans)
{
    uint32_t       i, node, depth, span;
    pyro_span_t    value;
    pyro_frame_t   frame;

    depth = 1 + pick_random(s, 4);

    for (i = 0, node = 0; i < depth; i++) {
        f->leaf = pick_random(s, PICK_FRAMES);
        frame = pick_frame(p, f->leaf);
        node = pyro_profile_node(p, node, pyro_profile_frame(p, &frame));
    }

    f->span = spans ? pick_random(s, PICK_SPANS) : 0;
    f->alloc = (int) pick_random(s, 2);
    f->value = 1 + pick_random(s, 1000);

    value = pick_span(f->span);
    span = f->span ? pyro_profile_span(p, &value) : 0;

    assert_int_equal(pyro_profile_add(p, 0,
                         pyro_profile_column(p, f->alloc ? &fixture_alloc
                                                         : &fixture_cpu),
                         node, span, (int64_t) f->value), 0);
}


static inline void
pick_push(pick_store_t *s, uint32_t push)
{
    char             labels[64];
    uint32_t         i, pod, first;
    int64_t          time;
    pick_fact_t     *f;
    pyro_arena_t    *arena;
    pyro_profile_t  *p;

    arena = pyro_arena_create(0);
    p = pyro_profile_create(arena);
    pod = pick_random(s, PICK_PODS);
    time = T0 + (int64_t) pick_random(s, PICK_DAYS * DAY) * SEC + push;
    first = s->n;

    for (i = 0; i < PICK_SAMPLES; i++) {
        f = &s->facts[s->n++];
        f->push = push;
        f->pod = pod;
        f->time = time;
        pick_sample(s, p, f, push % 3);
    }

    snprintf(labels, sizeof(labels), "service_name=shop,pod=p%u", pod);
    fixture_finish(p, labels);
    assert_int_equal(fixture_write(s->store, p, time).stored, 1);

    for (i = first; i < s->n; i++) {
        s->facts[i].id = pyro_store_profile_id(p->label_sets[0].digest, time);
    }

    pyro_arena_destroy(arena);
}


static inline void
pick_open(pick_store_t *s)
{
    pyro_error_t          err;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = s->dir;
    options.map_size = 256 * 1024 * 1024;
    options.durability = PYRO_DURABILITY_PERIODIC;
    options.seal_after = s->stage >= PICK_SEALED ? 7200 : 0;
    options.keep_raw = s->stage == PICK_THINNED ? 7200 : 0;

    if (pyro_store_open(&options, &s->store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


static inline void
pick_begin(pick_store_t *s, uint64_t seed)
{
    uint32_t  i;

    memset(s, 0, sizeof(pick_store_t));

    s->seed = seed;
    s->dir = fixture_dir();
    pick_open(s);

    for (i = 0; i < PICK_PUSHES; i++) {
        pick_push(s, i);
    }
}


/* The upkeep until nothing is left to do. */
static inline void
pick_maintain(pick_store_t *s)
{
    int                idle;
    pyro_error_t       err;
    pyro_store_work_t  work;

    for (idle = 0; idle < 2; /* void */ ) {
        memset(&work, 0, sizeof(work));
        work.now = fixture_later();
        work.seal_cpu = SEC;

        if (s->store->seal != NULL) {
            s->store->seal->resume = 0;
        }

        if (pyro_store_maintain(s->store, &work, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }

        idle = work.more || work.sealed || work.thinned ? 0 : idle + 1;
    }
}


/* On to the next stage, in which the files are. */
static inline void
pick_next(pick_store_t *s)
{
    uint32_t           i, n;
    pyro_error_t       err;
    pyro_arena_t      *arena;
    pyro_partition_t **parts;

    static const pyro_state_e  states[] = {
        PYRO_STATE_OPEN, PYRO_STATE_OPEN, PYRO_STATE_SEALED, PYRO_STATE_HOURS
    };

    s->stage++;
    pyro_store_close(s->store);
    pick_open(s);
    pick_maintain(s);

    arena = pyro_arena_create(0);
    assert_int_equal(pyro_catalog_list(&s->store->catalog, 0, INT64_MAX,
                                       arena, &parts, &n, &err), PYRO_OK);
    assert_true(n >= PICK_DAYS);

    for (i = 0; i < n; i++) {
        assert_int_equal(parts[i]->state, states[s->stage]);
    }

    pyro_arena_destroy(arena);
}


static inline void
pick_end(pick_store_t *s)
{
    assert_int_equal(s->store->damaged, 0);
    pyro_store_close(s->store);
    fixture_remove(s->dir);
}


#endif /* _PYRO_PICK_FIXTURE_H_INCLUDED_ */
