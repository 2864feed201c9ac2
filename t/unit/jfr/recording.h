/*
 * Recordings of t/data/jfr for the tests, and what a reading made of them as
 * text: one sample a line, "labels TAB stack TAB values", sorted.
 */

#ifndef _PYRO_RECORDING_H_INCLUDED_
#define _PYRO_RECORDING_H_INCLUDED_


#include "unit.h"

#include "core/base/inflate.h"
#include "jfr/jfr.h"


typedef struct {
    pyro_arena_t       *arena;
    pyro_profile_t     *profile;
    pyro_jfr_report_t   report;
    pyro_error_t        err;
    pyro_status_e       status;
} reading_t;


/* A file of t/data/jfr/<name>/, inflated; data NULL if there is none. */
static inline pyro_slice_t
recording_file(pyro_arena_t *arena, const char *name, const char *file)
{
    FILE          *f;
    char           path[256];
    size_t         n, cap;
    char          *data;
    pyro_slice_t   out;
    pyro_error_t   err;

    snprintf(path, sizeof(path), "t/data/jfr/%s/%s", name, file);
    f = fopen(path, "rb");

    if (f == NULL) {
        return pyro_slice(NULL, 0);
    }

    cap = 4 * 1024 * 1024;
    data = pyro_arena_alloc(arena, cap);
    n = fread(data, 1, cap, f);
    fclose(f);

    assert_int_equal(pyro_gunzip(arena, pyro_slice(data, n), 64 * 1024 * 1024,
                                 "test", &out, &err), PYRO_OK);

    return out;
}


static inline void
recording_read(reading_t *reading, pyro_slice_t recording, pyro_slice_t labels,
    int64_t sample_rate)
{
    pyro_jfr_options_t  options = { .sample_rate = sample_rate,
                                    .labels = labels };

    memset(reading, 0, sizeof(reading_t));

    reading->arena = pyro_arena_create(256 * 1024 * 1024);
    reading->profile = pyro_profile_create(reading->arena);
    assert_non_null(reading->profile);
    reading->status = pyro_jfr_read(recording, &options, reading->profile,
                                    &reading->report, &reading->err);
}


/* The sum of all samples of a type, 0 if there is none. */
static inline uint64_t
recording_total(const reading_t *reading, const char *sample_type)
{
    uint32_t                i, k;
    uint64_t                total;
    const pyro_section_t   *section;
    const pyro_profile_t   *p;

    p = reading->profile;
    total = 0;

    for (i = 0; i < p->n_sections; i++) {
        section = &p->sections[i];

        if (pyro_slice_is(p->types[section->type].type.sample_type,
                          sample_type))
        {
            for (k = 0; k < section->n; k++) {
                total += section->samples[k].value;
            }
        }
    }

    return total;
}


/* Some bytes turned, in each of some rounds: it is read or refused. */
static inline void
recording_mutate(pyro_slice_t data, pyro_slice_t labels, size_t rounds,
    uint64_t *seed)
{
    char          *copy;
    size_t         k, n;
    reading_t      reading;

    copy = malloc(data.len);
    assert_non_null(copy);

    for (n = 0; n < rounds; n++) {
        memcpy(copy, data.data, data.len);

        for (k = 0; k < 1 + n % 8; k++) {
            *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
            copy[(*seed >> 33) % data.len] ^= (char) (1 + (*seed >> 20) % 255);
        }

        recording_read(&reading, pyro_slice(copy, data.len), labels, 100);
        assert_true(reading.status == PYRO_OK
                    || reading.status == PYRO_UNPROCESSABLE);
        pyro_arena_destroy(reading.arena);
    }

    free(copy);
}


/* A profile that has less room than it needs: refused, whatever it has. */
static inline void
recording_without_room(const char *name, size_t most)
{
    size_t              budget;
    reading_t           reading;
    pyro_arena_t       *arena;
    pyro_slice_t        data;
    pyro_profile_t     *profile;
    pyro_jfr_options_t  options = { .sample_rate = 100 };

    arena = pyro_arena_create(0);
    data = recording_file(arena, name, "recording.jfr.gz");

    for (budget = 16 * 1024; budget < most; budget += 8 * 1024) {
        reading.arena = pyro_arena_create(budget);
        profile = pyro_profile_create(reading.arena);
        assert_non_null(profile);
        assert_int_equal(pyro_jfr_read(data, &options, profile,
                                       &reading.report, &reading.err),
                         PYRO_TOO_LARGE);
        pyro_arena_destroy(reading.arena);
    }

    pyro_arena_destroy(arena);
}


#endif /* _PYRO_RECORDING_H_INCLUDED_ */
