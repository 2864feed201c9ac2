#include "cli/jfrcat_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>


#define PYRO_JFRCAT_RATE_MAX  1000000000


enum {
    PYRO_OPTION_KIND = 256,
    PYRO_OPTION_RATE,
    PYRO_OPTION_LABELS,
    PYRO_OPTION_SUMMARY,
    PYRO_OPTION_COLLAPSED,
    PYRO_OPTION_COUNT,
    PYRO_OPTION_LINES,
    PYRO_OPTION_HELP,
    PYRO_OPTION_VERSION
};


static pyro_status_e pyro_jfrcat_wrong(pyro_error_t *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static pyro_status_e pyro_jfrcat_bad_option(int c, char **argv,
    pyro_error_t *err);
static pyro_status_e pyro_jfrcat_kind(const char *value,
    pyro_jfrcat_options_t *options, pyro_error_t *err);
static pyro_status_e pyro_jfrcat_rate(const char *value,
    pyro_jfrcat_options_t *options, pyro_error_t *err);
static pyro_status_e pyro_jfrcat_option(int c, char **argv,
    pyro_jfrcat_options_t *options, pyro_error_t *err);
static pyro_status_e pyro_jfrcat_together(pyro_jfrcat_options_t *options,
    int summary, int collapsed, pyro_error_t *err);
static void pyro_jfrcat_kind_names(char *text, size_t size);


static const pyro_jfrcat_kind_t  pyro_jfrcat_kinds[] = {
    { "cpu", "process_cpu", NULL, "cpu", PYRO_JFR_CPU_BY_SAMPLING },
    { "cpu_time_extension", "process_cpu", NULL, "cpu", PYRO_JFR_CPU_BY_TIME },
    { "wall", "wall", NULL, "wall", PYRO_JFR_CPU_BY_ANY },
    { "alloc_in_new_tlab", "memory", "alloc_in_new_tlab_objects",
      "alloc_in_new_tlab_bytes", PYRO_JFR_CPU_BY_ANY },
    { "alloc_outside_tlab", "memory", "alloc_outside_tlab_objects",
      "alloc_outside_tlab_bytes", PYRO_JFR_CPU_BY_ANY },
    { "alloc_sample", "memory", "alloc_sample_objects", "alloc_sample_bytes",
      PYRO_JFR_CPU_BY_ANY },
    { "mutex", "mutex", "contentions", "delay", PYRO_JFR_CPU_BY_ANY },
    { "block", "block", "contentions", "delay", PYRO_JFR_CPU_BY_ANY },
    { "live", "memory", "live", NULL, PYRO_JFR_CPU_BY_ANY },
    { "malloc", "memory", "malloc_objects", "malloc_bytes",
      PYRO_JFR_CPU_BY_ANY },
};

#define PYRO_JFRCAT_KINDS                                                     \
    (sizeof(pyro_jfrcat_kinds) / sizeof(pyro_jfrcat_kinds[0]))


static const struct option  pyro_jfrcat_long[] = {
    { "kind",        required_argument, NULL, PYRO_OPTION_KIND },
    { "sample-rate", required_argument, NULL, PYRO_OPTION_RATE },
    { "labels",      required_argument, NULL, PYRO_OPTION_LABELS },
    { "summary",     no_argument,       NULL, PYRO_OPTION_SUMMARY },
    { "collapsed",   no_argument,       NULL, PYRO_OPTION_COLLAPSED },
    { "count",       no_argument,       NULL, PYRO_OPTION_COUNT },
    { "lines",       no_argument,       NULL, PYRO_OPTION_LINES },
    { "help",        no_argument,       NULL, PYRO_OPTION_HELP },
    { "version",     no_argument,       NULL, PYRO_OPTION_VERSION },
    { NULL, 0, NULL, 0 }
};


static const char  pyro_jfrcat_usage[] =
    "usage: jfrcat --kind=KIND [OPTIONS] RECORDING\n"
    "       jfrcat --kind=KIND --collapsed [--count] [--lines] RECORDING\n"
    "       jfrcat --summary RECORDING\n"
    "\n"
    "Prints what is in a JFR recording, as ngx_pyroscope reads it.  RECORDING\n"
    "is a file, plain or gzip, or - for standard input.\n"
    "\n"
    "  --kind=KIND      the samples to print, one of";

static const char  pyro_jfrcat_usage_options[] =
    "  --collapsed      folded stacks, as flame graph tools read them\n"
    "  --count          the number of events or objects, not time or bytes\n"
    "  --lines          functions with their line numbers\n"
    "  --summary        chunks, numbers of events, facts, settings, losses\n"
    "  --sample-rate=N  samples a second, 1 to 1000000000, as the server is\n"
    "                   told; an interval that async-profiler wrote into the\n"
    "                   recording wins\n"
    "  --labels=FILE    the label snapshot that an agent sends beside the\n"
    "                   recording, plain or gzip\n"
    "  -h, --help       this text\n"
    "  --version        the version\n"
    "\n"
    "Exit status: 0 printed, 1 not readable or not writable, 2 wrong usage.\n";


static pyro_status_e
pyro_jfrcat_wrong(pyro_error_t *err, const char *fmt, ...)
{
    char     text[PYRO_ERROR_MESSAGE_MAX];
    va_list  args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST, "%s", text);
}


pyro_status_e
pyro_jfrcat_options(int argc, char **argv, pyro_jfrcat_options_t *options,
    pyro_error_t *err)
{
    int            c, summary, collapsed;
    pyro_status_e  rc;

    memset(options, 0, sizeof(pyro_jfrcat_options_t));
    options->sample_rate = -1;
    summary = 0;
    collapsed = 0;

    while ((c = getopt_long(argc, argv, ":h", pyro_jfrcat_long, NULL)) != -1) {

        if (c == 'h' || c == PYRO_OPTION_HELP || c == PYRO_OPTION_VERSION) {
            options->mode = c == PYRO_OPTION_VERSION ? PYRO_JFRCAT_VERSION
                                                     : PYRO_JFRCAT_HELP;
            return PYRO_OK;
        }

        summary |= c == PYRO_OPTION_SUMMARY;
        collapsed |= c == PYRO_OPTION_COLLAPSED;
        rc = pyro_jfrcat_option(c, argv, options, err);

        if (rc != PYRO_OK) {
            return rc;
        }
    }

    if (optind == argc) {
        return pyro_jfrcat_wrong(err, "RECORDING is missing: a file, or - for "
                                 "standard input");
    }

    if (optind + 1 < argc) {
        return pyro_jfrcat_wrong(err, "%s: only one RECORDING is allowed",
                                 argv[optind + 1]);
    }

    options->recording = argv[optind];

    return pyro_jfrcat_together(options, summary, collapsed, err);
}


static pyro_status_e
pyro_jfrcat_option(int c, char **argv, pyro_jfrcat_options_t *options,
    pyro_error_t *err)
{
    switch (c) {

    case PYRO_OPTION_KIND:
        return pyro_jfrcat_kind(optarg, options, err);

    case PYRO_OPTION_RATE:
        return pyro_jfrcat_rate(optarg, options, err);

    case PYRO_OPTION_LABELS:
        options->labels = optarg;
        return PYRO_OK;

    case PYRO_OPTION_COUNT:
        options->count = 1;
        return PYRO_OK;

    case PYRO_OPTION_LINES:
        options->lines = 1;
        return PYRO_OK;

    case PYRO_OPTION_SUMMARY:
    case PYRO_OPTION_COLLAPSED:
        return PYRO_OK;

    default:
        return pyro_jfrcat_bad_option(c, argv, err);
    }
}


/* getopt's word: an unknown option, or one with too much or too little. */
static pyro_status_e
pyro_jfrcat_bad_option(int c, char **argv, pyro_error_t *err)
{
    const char  *option;

    option = argv[optind - 1];

    if (c == ':') {
        return pyro_jfrcat_wrong(err, "%s: a value is missing", option);
    }

    if (optopt >= PYRO_OPTION_KIND) {
        return pyro_jfrcat_wrong(err, "%s: the option takes no value", option);
    }

    if (optopt) {
        return pyro_jfrcat_wrong(err, "-%c: there is no such option, "
                                 "jfrcat --help names all", optopt);
    }

    return pyro_jfrcat_wrong(err, "%s: there is no such option, "
                             "jfrcat --help names all", option);
}


static pyro_status_e
pyro_jfrcat_kind(const char *value, pyro_jfrcat_options_t *options,
    pyro_error_t *err)
{
    char    names[256];
    size_t  i;

    for (i = 0; i < PYRO_JFRCAT_KINDS; i++) {
        if (strcmp(pyro_jfrcat_kinds[i].name, value) == 0) {
            options->kind = &pyro_jfrcat_kinds[i];
            return PYRO_OK;
        }
    }

    pyro_jfrcat_kind_names(names, sizeof(names));

    return pyro_jfrcat_wrong(err, "--kind=%.64s: there is no such kind, "
                             "allowed are %s", value, names);
}


static pyro_status_e
pyro_jfrcat_rate(const char *value, pyro_jfrcat_options_t *options,
    pyro_error_t *err)
{
    size_t  len;

    len = strlen(value);

    if (len >= 1 && len <= 10 && strspn(value, "0123456789") == len) {
        options->sample_rate = strtoll(value, NULL, 10);

        if (options->sample_rate >= 1
            && options->sample_rate <= PYRO_JFRCAT_RATE_MAX)
        {
            return PYRO_OK;
        }
    }

    return pyro_jfrcat_wrong(err, "--sample-rate=%.64s: a number from 1 to %d "
                             "is allowed", value, PYRO_JFRCAT_RATE_MAX);
}


/* What goes together, and what is missing. */
static pyro_status_e
pyro_jfrcat_together(pyro_jfrcat_options_t *options, int summary, int collapsed,
    pyro_error_t *err)
{
    char  names[256];

    options->mode = summary ? PYRO_JFRCAT_SUMMARY
                    : collapsed ? PYRO_JFRCAT_COLLAPSED : PYRO_JFRCAT_SAMPLES;

    if (summary && (options->kind != NULL || collapsed)) {
        return pyro_jfrcat_wrong(err, "--summary: not together with %s",
                                 collapsed ? "--collapsed" : "--kind");
    }

    if (!collapsed && (options->count || options->lines)) {
        return pyro_jfrcat_wrong(err, "%s: only together with --collapsed",
                                 options->count ? "--count" : "--lines");
    }

    if (!summary && options->kind == NULL) {
        pyro_jfrcat_kind_names(names, sizeof(names));
        return pyro_jfrcat_wrong(err, "--kind is missing (or --summary), "
                                 "allowed are %s", names);
    }

    if (options->count && options->kind->count == NULL) {
        return pyro_jfrcat_wrong(err, "--count: samples of --kind=%s have only "
                                 "nanoseconds", options->kind->name);
    }

    if (options->labels != NULL && strcmp(options->labels, "-") == 0
        && strcmp(options->recording, "-") == 0)
    {
        return pyro_jfrcat_wrong(err, "--labels=-: RECORDING is standard input "
                                 "already");
    }

    return PYRO_OK;
}


static void
pyro_jfrcat_kind_names(char *text, size_t size)
{
    size_t  i, len;

    len = 0;

    for (i = 0; i < PYRO_JFRCAT_KINDS && len < size; i++) {
        len += (size_t) snprintf(text + len, size - len, "%s%s", i ? ", " : "",
                                 pyro_jfrcat_kinds[i].name);
    }
}


void
pyro_jfrcat_help(pyro_rope_t *out)
{
    size_t  i;

    pyro_rope_append(out, pyro_jfrcat_usage, sizeof(pyro_jfrcat_usage) - 1);

    for (i = 0; i < PYRO_JFRCAT_KINDS; i++) {
        pyro_rope_printf(out, "%s%s", i % 4 ? ", " : i ? ",\n"
                         "                   " : "\n                   ",
                         pyro_jfrcat_kinds[i].name);
    }

    pyro_rope_append(out, "\n", 1);
    pyro_rope_append(out, pyro_jfrcat_usage_options,
                     sizeof(pyro_jfrcat_usage_options) - 1);
}
