/*
 * The command line of jfrcat, and the kinds of samples it knows.
 */

#ifndef _PYRO_JFRCAT_OPTIONS_H_INCLUDED_
#define _PYRO_JFRCAT_OPTIONS_H_INCLUDED_


#include "core/base/rope.h"
#include "core/base/status.h"
#include "jfr/jfr.h"


/* Sample types of one profile type name; count or value may be NULL. */
typedef struct {
    const char                 *name;
    const char                 *profile;    /* "process_cpu" */
    const char                 *count;      /* a number of things */
    const char                 *value;      /* nanoseconds or bytes */
    pyro_jfr_cpu_e              cpu;
} pyro_jfrcat_kind_t;


typedef enum {
    PYRO_JFRCAT_SAMPLES = 0,
    PYRO_JFRCAT_COLLAPSED,
    PYRO_JFRCAT_SUMMARY,
    PYRO_JFRCAT_HELP,
    PYRO_JFRCAT_VERSION
} pyro_jfrcat_mode_e;


typedef struct {
    pyro_jfrcat_mode_e          mode;
    const pyro_jfrcat_kind_t   *kind;
    int64_t                     sample_rate;    /* -1: not given */
    const char                 *labels;         /* a file, or NULL */
    const char                 *recording;      /* "-": standard input */
    int                         lines;
    int                         count;
} pyro_jfrcat_options_t;


/* PYRO_INVALID: what is wrong, named by its option, and what is allowed. */
pyro_status_e pyro_jfrcat_options(int argc, char **argv,
    pyro_jfrcat_options_t *options, pyro_error_t *err);

void pyro_jfrcat_help(pyro_rope_t *out);


#endif /* _PYRO_JFRCAT_OPTIONS_H_INCLUDED_ */
