/*
 * jfrcat: what the server reads in a recording, as text.
 *
 * Exit status: 0 printed; 1 the recording cannot be read, or the output not be
 * written; 2 wrong usage.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/jfrcat_options.h"
#include "cli/jfrcat_summary.h"
#include "core/base/version.h"
#include "core/format/folded.h"


#define PYRO_JFRCAT_FAILED  1
#define PYRO_JFRCAT_USAGE   2

#define PYRO_JFRCAT_LIMIT   ((size_t) 2 << 30)  /* bytes of a recording */
#define PYRO_JFRCAT_WHAT    "2 GiB"
#define PYRO_JFRCAT_PIECE   (256 * 1024)        /* bytes between two writes */

/* what a profile may take for each byte of its recording, and beyond that */
#define PYRO_JFRCAT_TIMES   16
#define PYRO_JFRCAT_FIXED   (64 * 1024 * 1024)


typedef struct {
    pyro_jfrcat_options_t   options;
    pyro_file_t             recording;
    pyro_file_t             labels;
    pyro_arena_t           *arena;          /* the profile's */
    pyro_profile_t         *profile;
    pyro_jfr_report_t       report;
    pyro_rope_t             out;
    uint64_t                n_chunks;
    int                     output_error;   /* errno, once writing failed */
    pyro_error_t            err;
} pyro_jfrcat_t;


static int pyro_jfrcat_run(pyro_jfrcat_t *cat);
static pyro_status_e pyro_jfrcat_input(pyro_jfrcat_t *cat, const char **name);
static void pyro_jfrcat_on_chunk(void *ctx,
    const pyro_jfr_chunk_summary_t *chunk);
static pyro_arena_t *pyro_jfrcat_arena(size_t bytes);
static pyro_status_e pyro_jfrcat_read(pyro_jfrcat_t *cat);
static pyro_status_e pyro_jfrcat_print(pyro_jfrcat_t *cat);
static uint32_t pyro_jfrcat_type(const pyro_jfrcat_t *cat, const char *sample);
static void pyro_jfrcat_form(const pyro_jfrcat_t *cat,
    pyro_folded_options_t *form);
static pyro_status_e pyro_jfrcat_lines(pyro_jfrcat_t *cat);
static void pyro_jfrcat_flush(pyro_jfrcat_t *cat);
static int pyro_jfrcat_written(pyro_jfrcat_t *cat);
static void pyro_jfrcat_warn(pyro_jfrcat_t *cat);


int
main(int argc, char **argv)
{
    int                   rc;
    static pyro_jfrcat_t  cat;

    /* a closed pipe is an error like a full disk */

    signal(SIGPIPE, SIG_IGN);

    pyro_rope_init(&cat.out, 0);

    if (pyro_jfrcat_options(argc, argv, &cat.options, &cat.err) != PYRO_OK) {
        fprintf(stderr, "jfrcat: %s\n", cat.err.message);
        return PYRO_JFRCAT_USAGE;
    }

    switch (cat.options.mode) {

    case PYRO_JFRCAT_HELP:
        pyro_jfrcat_help(&cat.out);
        return pyro_jfrcat_written(&cat);

    case PYRO_JFRCAT_VERSION:
        pyro_rope_printf(&cat.out, "jfrcat (ngx_pyroscope) %s\n",
                         PYRO_VERSION);
        return pyro_jfrcat_written(&cat);

    default:
        rc = pyro_jfrcat_run(&cat);
    }

    pyro_rope_free(&cat.out);
    pyro_arena_destroy(cat.arena);
    pyro_file_free(&cat.labels);
    pyro_file_free(&cat.recording);

    return rc;
}


static int
pyro_jfrcat_run(pyro_jfrcat_t *cat)
{
    const char     *name;
    pyro_status_e   rc;

    rc = pyro_jfrcat_input(cat, &name);

    if (rc == PYRO_OK) {
        rc = pyro_jfrcat_read(cat);
    }

    if (rc == PYRO_OK) {
        pyro_jfrcat_warn(cat);
        rc = pyro_jfrcat_print(cat);
    }

    if (pyro_jfrcat_written(cat)) {
        return PYRO_JFRCAT_FAILED;
    }

    if (rc != PYRO_OK) {
        fprintf(stderr, "jfrcat: %s: %s\n", name, cat->err.message);
        return PYRO_JFRCAT_FAILED;
    }

    return 0;
}


/* name: of the file that an error is about. */
static pyro_status_e
pyro_jfrcat_input(pyro_jfrcat_t *cat, const char **name)
{
    pyro_status_e  rc;

    if (cat->options.labels != NULL) {
        *name = cat->options.labels;
        rc = pyro_file_read(&cat->labels, *name, PYRO_JFRCAT_LIMIT,
                            PYRO_JFRCAT_WHAT, &cat->err);

        if (rc != PYRO_OK) {
            return rc;
        }
    }

    *name = cat->options.recording;

    return pyro_file_read(&cat->recording, *name, PYRO_JFRCAT_LIMIT,
                          PYRO_JFRCAT_WHAT, &cat->err);
}


static void
pyro_jfrcat_on_chunk(void *ctx, const pyro_jfr_chunk_summary_t *chunk)
{
    pyro_jfrcat_t  *cat = ctx;

    pyro_jfrcat_chunk(&cat->out, cat->n_chunks++, chunk);

    if (cat->out.size >= PYRO_JFRCAT_PIECE) {
        pyro_jfrcat_flush(cat);
    }
}


/* A budget in proportion to what is put into it. */
static pyro_arena_t *
pyro_jfrcat_arena(size_t bytes)
{
    return pyro_arena_create(bytes > SIZE_MAX / PYRO_JFRCAT_TIMES / 2
                             ? SIZE_MAX
                             : bytes * PYRO_JFRCAT_TIMES
                               + PYRO_JFRCAT_FIXED);
}


static pyro_status_e
pyro_jfrcat_read(pyro_jfrcat_t *cat)
{
    pyro_jfr_options_t  options;

    cat->arena = pyro_jfrcat_arena(cat->recording.bytes.len
                                   + cat->labels.bytes.len);
    cat->profile = cat->arena != NULL ? pyro_profile_create(cat->arena) : NULL;

    if (cat->profile == NULL) {
        return pyro_error_memory(&cat->err);
    }

    memset(&options, 0, sizeof(pyro_jfr_options_t));
    options.sample_rate = cat->options.sample_rate;
    options.labels = cat->labels.bytes;

    if (cat->options.mode == PYRO_JFRCAT_SUMMARY) {
        options.chunk = pyro_jfrcat_on_chunk;
        options.ctx = cat;

    } else {
        options.cpu = cat->options.kind->cpu;
    }

    return pyro_jfr_read(cat->recording.bytes, &options, cat->profile,
                         &cat->report, &cat->err);
}


static pyro_status_e
pyro_jfrcat_print(pyro_jfrcat_t *cat)
{
    if (cat->options.mode != PYRO_JFRCAT_SUMMARY) {
        return pyro_jfrcat_lines(cat);
    }

    pyro_jfrcat_report(&cat->out, &cat->report);

    return PYRO_OK;
}


/* The profile's type for a sample type of the kind. */
static uint32_t
pyro_jfrcat_type(const pyro_jfrcat_t *cat, const char *sample)
{
    uint32_t                    i;
    const pyro_profile_type_t  *type;

    for (i = 0; i < cat->profile->n_types; i++) {
        type = &cat->profile->types[i].type;

        if (pyro_slice_is(type->name, cat->options.kind->profile)
            && pyro_slice_is(type->sample_type, sample))
        {
            return i;
        }
    }

    return PYRO_NONE;
}


static void
pyro_jfrcat_form(const pyro_jfrcat_t *cat, pyro_folded_options_t *form)
{
    const char                *value;
    const pyro_jfrcat_kind_t  *kind;

    kind = cat->options.kind;
    memset(form, 0, sizeof(pyro_folded_options_t));

    if (cat->options.mode == PYRO_JFRCAT_COLLAPSED) {
        value = cat->options.count || kind->value == NULL ? kind->count
                                                          : kind->value;
        form->form = PYRO_FOLDED_STACKS;
        form->lines = cat->options.lines;
        form->types[form->n_values++] = pyro_jfrcat_type(cat, value);
        return;
    }

    form->form = PYRO_FOLDED_SAMPLES;

    if (kind->count != NULL) {
        form->types[form->n_values++] = pyro_jfrcat_type(cat, kind->count);
    }

    if (kind->value != NULL) {
        form->types[form->n_values++] = pyro_jfrcat_type(cat, kind->value);
    }
}


static pyro_status_e
pyro_jfrcat_lines(pyro_jfrcat_t *cat)
{
    int                     more;
    pyro_arena_t           *arena;
    pyro_folded_t          *folded;
    pyro_folded_options_t   form;

    pyro_jfrcat_form(cat, &form);

    arena = pyro_jfrcat_arena(pyro_arena_used(cat->arena));
    folded = arena != NULL ? pyro_folded_create(arena, cat->profile, &form)
                           : NULL;

    for (more = folded != NULL; more && !cat->output_error; /* void */ ) {
        more = pyro_folded_write(folded, PYRO_JFRCAT_PIECE, &cat->out);
        pyro_jfrcat_flush(cat);
    }

    pyro_arena_destroy(arena);

    return folded != NULL ? PYRO_OK : pyro_error_memory(&cat->err);
}


static void
pyro_jfrcat_flush(pyro_jfrcat_t *cat)
{
    pyro_file_write(STDOUT_FILENO, &cat->out, &cat->output_error);
}


/* The rest is written; the exit status. */
static int
pyro_jfrcat_written(pyro_jfrcat_t *cat)
{
    pyro_jfrcat_flush(cat);

    if (cat->output_error) {
        fprintf(stderr, "jfrcat: standard output: %s\n",
                strerror(cat->output_error));
        return PYRO_JFRCAT_FAILED;
    }

    return 0;
}


/* What is missing in what is printed. */
static void
pyro_jfrcat_warn(pyro_jfrcat_t *cat)
{
    char  lost[PYRO_JFR_LOSSES_MAX];

    pyro_jfr_losses(&cat->report, lost);

    if (lost[0]) {
        fprintf(stderr, "jfrcat: %s: warning: lost: %s\n",
                cat->options.recording, lost);
    }

    if (cat->report.problem[0]) {
        fprintf(stderr, "jfrcat: %s: warning: %s\n", cat->options.recording,
                cat->report.problem);
    }
}
