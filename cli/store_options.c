#include "cli/store_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/store_time.h"
#include "core/base/clock.h"
#include "core/base/tenant.h"


/* Options, and which of them a command takes. */
enum {
    PYRO_TAKES_JSON     = 1,
    PYRO_TAKES_SERIES   = 2,
    PYRO_TAKES_SELECTOR = 4,
    PYRO_TAKES_FROM     = 8,
    PYRO_TAKES_TO       = 16,
    PYRO_TAKES_BEFORE   = 32,
    PYRO_TAKES_DRY_RUN  = 64,
    PYRO_TAKES_CREATE   = 128,
    PYRO_TAKES_FORMAT   = 256,
    PYRO_TAKES_TYPE     = 512,
    PYRO_TAKES_NODES    = 1024,
    PYRO_TAKES_TENANT   = 2048,
    PYRO_TAKES_EVERYTHING = 4096,
    PYRO_TAKES_FILE     = 8192,
    PYRO_TAKES_TENANTS  = 16384,
    PYRO_TAKES_TARGET   = 32768
};

#define PYRO_OPTION_FIRST  256

/* an option's number is PYRO_OPTION_FIRST and its bit's */
enum {
    PYRO_OPTION_JSON = PYRO_OPTION_FIRST,
    PYRO_OPTION_SERIES,
    PYRO_OPTION_SELECTOR,
    PYRO_OPTION_FROM,
    PYRO_OPTION_TO,
    PYRO_OPTION_BEFORE,
    PYRO_OPTION_DRY_RUN,
    PYRO_OPTION_CREATE,
    PYRO_OPTION_FORMAT,
    PYRO_OPTION_TYPE,
    PYRO_OPTION_NODES,
    PYRO_OPTION_TENANT,
    PYRO_OPTION_EVERYTHING,
    PYRO_OPTION_FILE,
    PYRO_OPTION_TENANTS,
    PYRO_OPTION_HELP,
    PYRO_OPTION_VERSION
};


typedef struct {
    const char            *name;
    pyro_store_command_e   command;
    unsigned int           takes;
    const char            *about;
} pyro_store_known_t;


static pyro_status_e pyro_store_wrong(pyro_error_t *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static pyro_status_e pyro_store_bad_option(int c, char **argv,
    pyro_error_t *err);
static pyro_status_e pyro_store_option(int c, pyro_store_command_t *command,
    int64_t now, pyro_error_t *err);
static pyro_status_e pyro_store_format(pyro_store_command_t *command,
    pyro_error_t *err);
static pyro_status_e pyro_store_nodes(pyro_store_command_t *command,
    pyro_error_t *err);
static pyro_status_e pyro_store_tenant(pyro_store_command_t *command,
    pyro_error_t *err);
static pyro_status_e pyro_store_words(int argc, char **argv,
    pyro_store_command_t *command, unsigned int *takes, pyro_error_t *err);
static pyro_status_e pyro_store_together(pyro_store_command_t *command,
    unsigned int given, unsigned int takes, int64_t now, pyro_error_t *err);
static pyro_status_e pyro_store_loss(pyro_store_command_t *command,
    unsigned int given, int64_t now, pyro_error_t *err);
static pyro_status_e pyro_store_deletion(const pyro_store_command_t *command,
    pyro_error_t *err);
static pyro_status_e pyro_store_document(const pyro_store_command_t *command,
    unsigned int given, pyro_error_t *err);


static const pyro_store_known_t  pyro_store_commands[] = {
    { "check", PYRO_STORE_CHECK, 0,
      "read everything and say what is damaged" },
    { "stats", PYRO_STORE_STATS, PYRO_TAKES_JSON,
      "sizes and numbers, by partition and in all" },
    { "list", PYRO_STORE_LIST,
      PYRO_TAKES_JSON | PYRO_TAKES_SERIES | PYRO_TAKES_SELECTOR
      | PYRO_TAKES_FROM | PYRO_TAKES_TO | PYRO_TAKES_TENANT
      | PYRO_TAKES_TENANTS,
      "partitions; with --series label sets, with --tenants tenants" },
    { "export", PYRO_STORE_EXPORT,
      PYRO_TAKES_SELECTOR | PYRO_TAKES_FROM | PYRO_TAKES_TO
      | PYRO_TAKES_FORMAT | PYRO_TAKES_TYPE | PYRO_TAKES_NODES
      | PYRO_TAKES_TENANT,
      "to standard output: pushes as a dump, or a flame graph" },
    { "import", PYRO_STORE_IMPORT, PYRO_TAKES_CREATE,
      "a dump from standard input; repeats are left out" },
    { "seal", PYRO_STORE_SEAL, 0,
      "rewrite compactly the partitions whose time is over" },
    { "drop", PYRO_STORE_DROP,
      PYRO_TAKES_BEFORE | PYRO_TAKES_FILE | PYRO_TAKES_DRY_RUN,
      "remove the partitions that end before a time, or one" },
    { "backup", PYRO_STORE_BACKUP, PYRO_TAKES_TARGET,
      "copy the store into an empty directory" },
    { "delete", PYRO_STORE_DELETE,
      PYRO_TAKES_SELECTOR | PYRO_TAKES_DRY_RUN | PYRO_TAKES_TENANT
      | PYRO_TAKES_EVERYTHING,
      "remove a service or label sets, or a tenant" },
};

#define PYRO_STORE_COMMANDS                                                   \
    (sizeof(pyro_store_commands) / sizeof(pyro_store_commands[0]))


static const struct option  pyro_store_long[] = {
    { "json",     no_argument,       NULL, PYRO_OPTION_JSON },
    { "series",   no_argument,       NULL, PYRO_OPTION_SERIES },
    { "selector", required_argument, NULL, PYRO_OPTION_SELECTOR },
    { "from",     required_argument, NULL, PYRO_OPTION_FROM },
    { "to",       required_argument, NULL, PYRO_OPTION_TO },
    { "before",   required_argument, NULL, PYRO_OPTION_BEFORE },
    { "file",     required_argument, NULL, PYRO_OPTION_FILE },
    { "dry-run",  no_argument,       NULL, PYRO_OPTION_DRY_RUN },
    { "create",   no_argument,       NULL, PYRO_OPTION_CREATE },
    { "format",   required_argument, NULL, PYRO_OPTION_FORMAT },
    { "type",     required_argument, NULL, PYRO_OPTION_TYPE },
    { "max-nodes", required_argument, NULL, PYRO_OPTION_NODES },
    { "tenant",   required_argument, NULL, PYRO_OPTION_TENANT },
    { "tenants",  no_argument,       NULL, PYRO_OPTION_TENANTS },
    { "everything", no_argument,     NULL, PYRO_OPTION_EVERYTHING },
    { "help",     no_argument,       NULL, PYRO_OPTION_HELP },
    { "version",  no_argument,       NULL, PYRO_OPTION_VERSION },
    { NULL, 0, NULL, 0 }
};


static const char  pyro_store_usage[] =
    "usage: pyroscope-store COMMAND [OPTIONS] DIR\n"
    "       pyroscope-store backup DIR TARGET\n"
    "\n"
    "Looks after a store of ngx_pyroscope.  DIR is storage.filesystem.dir.\n"
    "\n";

static const char  pyro_store_usage_options[] =
    "\n"
    "  --selector='{a=\"b\"}'  label sets: of list --series, export, delete\n"
    "  --tenant=NAME           whose they are, default anonymous: of the same\n"
    "  --from=TIME, --to=TIME  of list --series and export; both included\n"
    "  --format=FORMAT         export: dump (default), or what tools open:\n"
    "                          pprof, collapsed, speedscope, html, dot\n"
    "  --type=ID               of such a format: the profile type, as\n"
    "                          process_cpu:cpu:nanoseconds:cpu:nanoseconds\n"
    "  --max-nodes=N           of such a format: the N largest nodes\n"
    "  --before=TIME           drop: those that end then or before\n"
    "  --file=NAME             drop: that one, also if it is gone already\n"
    "  --series                list: label sets instead of partitions\n"
    "  --tenants               list: tenants that have pushed instead of them\n"
    "  --everything            delete: all that the tenant named has\n"
    "  --dry-run               drop, delete: say what would go\n"
    "  --create                import: make the store if DIR is empty\n"
    "  --json                  list, stats: JSON\n"
    "  -h, --help              this text\n"
    "  --version               the version\n"
    "\n"
    "TIME is 2026-11-22, 2026-11-22T13:00:00Z, seconds, ms, us or ns since\n"
    "1970, now, or now-1h30m.\n"
    "\n"
    "Exit status: 0 fine, 1 failed or something is damaged, 2 wrong usage.\n";


static pyro_status_e
pyro_store_wrong(pyro_error_t *err, const char *fmt, ...)
{
    char     text[PYRO_ERROR_MESSAGE_MAX];
    va_list  args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST, "%s", text);
}


pyro_status_e
pyro_store_arguments(int argc, char **argv, pyro_store_command_t *command,
    pyro_error_t *err)
{
    int            c;
    int64_t        now;
    unsigned int   given, takes = 0;
    pyro_status_e  status;

    memset(command, 0, sizeof(pyro_store_command_t));

    command->to = INT64_MAX;
    now = pyro_clock_wall();
    given = 0;

    while ((c = getopt_long(argc, argv, ":h", pyro_store_long, NULL)) != -1) {

        if (c == 'h' || c == PYRO_OPTION_HELP || c == PYRO_OPTION_VERSION) {
            command->command = c == PYRO_OPTION_VERSION ? PYRO_STORE_VERSION
                                                        : PYRO_STORE_HELP;
            return PYRO_OK;
        }

        if (c < PYRO_OPTION_FIRST) {
            return pyro_store_bad_option(c, argv, err);
        }

        given |= 1u << (c - PYRO_OPTION_FIRST);
        status = pyro_store_option(c, command, now, err);

        if (status != PYRO_OK) {
            return status;
        }
    }

    status = pyro_store_words(argc, argv, command, &takes, err);

    return status == PYRO_OK
           ? pyro_store_together(command, given, takes, now, err) : status;
}


/* getopt's word: an unknown option, or one with too much or too little. */
static pyro_status_e
pyro_store_bad_option(int c, char **argv, pyro_error_t *err)
{
    const char  *option;

    option = argv[optind - 1];

    if (c == ':') {
        return pyro_store_wrong(err, "%s: a value is missing", option);
    }

    if (optopt >= PYRO_OPTION_FIRST) {
        return pyro_store_wrong(err, "%s: the option takes no value", option);
    }

    if (optopt) {
        return pyro_store_wrong(err, "-%c: there is no such option, "
                                "pyroscope-store --help names all", optopt);
    }

    return pyro_store_wrong(err, "%s: there is no such option, "
                            "pyroscope-store --help names all", option);
}


static pyro_status_e
pyro_store_option(int c, pyro_store_command_t *command, int64_t now,
    pyro_error_t *err)
{
    switch (c) {

    case PYRO_OPTION_JSON:
        command->json = 1;
        break;

    case PYRO_OPTION_SERIES:
        command->series = 1;
        break;

    case PYRO_OPTION_TENANTS:
        command->tenants = 1;
        break;

    case PYRO_OPTION_DRY_RUN:
        command->dry_run = 1;
        break;

    case PYRO_OPTION_CREATE:
        command->create = 1;
        break;

    case PYRO_OPTION_EVERYTHING:
        command->everything = 1;
        break;

    case PYRO_OPTION_SELECTOR:
        command->selector = optarg;
        break;

    case PYRO_OPTION_TYPE:
        command->type = optarg;
        break;

    case PYRO_OPTION_FORMAT:
        return pyro_store_format(command, err);

    case PYRO_OPTION_NODES:
        return pyro_store_nodes(command, err);

    case PYRO_OPTION_TENANT:
        return pyro_store_tenant(command, err);

    case PYRO_OPTION_FROM:
        return pyro_store_time_parse(optarg, "--from", now, &command->from,
                                     err);

    case PYRO_OPTION_TO:
        return pyro_store_time_parse(optarg, "--to", now, &command->to, err);

    case PYRO_OPTION_FILE:
        command->file = optarg;
        break;

    case PYRO_OPTION_BEFORE:
        return pyro_store_time_parse(optarg, "--before", now,
                                     &command->before, err);
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_store_format(pyro_store_command_t *command, pyro_error_t *err)
{
    char                         names[128];
    size_t                       len;
    const pyro_render_format_t  *format;

    command->format = NULL;

    if (strcmp(optarg, "dump") == 0) {
        return PYRO_OK;
    }

    names[0] = '\0';

    for (len = 0, format = pyro_render_formats; format->name; format++) {

        if (strcmp(optarg, format->name) == 0) {
            command->format = format->name;
            command->document = format->format;
            return PYRO_OK;
        }

        len += (size_t) snprintf(names + len, sizeof(names) - len, ", %s",
                                 format->name);
    }

    return pyro_store_wrong(err, "--format=%.64s: there is no such format; "
                            "allowed are dump%s", optarg, names);
}


static pyro_status_e
pyro_store_nodes(pyro_store_command_t *command, pyro_error_t *err)
{
    size_t  len;

    len = strspn(optarg, "0123456789");
    command->max_nodes = len && len < 10 ? atoll(optarg) : 0;

    return optarg[len] == '\0' && command->max_nodes > 0 ? PYRO_OK
           : pyro_store_wrong(err, "--max-nodes=%.64s: allowed are 1 to "
                              "999999999", optarg);
}


static pyro_status_e
pyro_store_tenant(pyro_store_command_t *command, pyro_error_t *err)
{
    pyro_error_t  why;

    command->tenant = optarg;

    return pyro_tenant_check(pyro_slice_str(optarg), &why) == PYRO_OK
           ? PYRO_OK : pyro_store_wrong(err, "--tenant: %s", why.message);
}


/* The command, the directory, and for backup another one. */
static pyro_status_e
pyro_store_words(int argc, char **argv, pyro_store_command_t *command,
    unsigned int *takes, pyro_error_t *err)
{
    size_t  i;

    if (optind == argc) {
        return pyro_store_wrong(err, "COMMAND is missing, pyroscope-store "
                                "--help names all");
    }

    for (i = 0; i < PYRO_STORE_COMMANDS; i++) {
        if (strcmp(pyro_store_commands[i].name, argv[optind]) == 0) {
            break;
        }
    }

    if (i == PYRO_STORE_COMMANDS) {
        return pyro_store_wrong(err, "%.64s: there is no such command, "
                                "pyroscope-store --help names all",
                                argv[optind]);
    }

    command->command = pyro_store_commands[i].command;
    command->name = pyro_store_commands[i].name;
    *takes = pyro_store_commands[i].takes;
    optind++;

    if (optind == argc || argv[optind][0] == '\0') {
        return pyro_store_wrong(err, "%s: DIR is missing: the directory of the "
                                "store", command->name);
    }

    command->dir = argv[optind++];

    if (*takes & PYRO_TAKES_TARGET) {

        if (optind == argc || argv[optind][0] == '\0') {
            return pyro_store_wrong(err, "%s: TARGET is missing: a directory "
                                    "that is empty or not there",
                                    command->name);
        }

        command->target = argv[optind++];
    }

    return optind == argc ? PYRO_OK
           : pyro_store_wrong(err, "%s: %.64s is one word too many",
                              command->name, argv[optind]);
}


/* What goes together, and what is missing. */
static pyro_status_e
pyro_store_together(pyro_store_command_t *command, unsigned int given,
    unsigned int takes, int64_t now, pyro_error_t *err)
{
    size_t        i;
    unsigned int  ranged;

    for (i = 0; pyro_store_long[i].name != NULL; i++) {
        if (given & ~takes & 1u << (pyro_store_long[i].val
                                    - PYRO_OPTION_FIRST))
        {
            return pyro_store_wrong(err, "%s: --%s is no option of this "
                                    "command", command->name,
                                    pyro_store_long[i].name);
        }
    }

    ranged = PYRO_TAKES_SELECTOR | PYRO_TAKES_FROM | PYRO_TAKES_TO
             | PYRO_TAKES_TENANT;

    if (command->tenants && given & (ranged | PYRO_TAKES_SERIES)) {
        return pyro_store_wrong(err, "list: --tenants goes together with "
                                "--json alone");
    }

    if (command->command == PYRO_STORE_LIST && !command->series
        && (given & ranged))
    {
        return pyro_store_wrong(err, "list: --selector, --from, --to and "
                                "--tenant only together with --series");
    }

    if (command->from > command->to) {
        return pyro_store_wrong(err, "%s: --from is behind --to",
                                command->name);
    }

    switch (command->command) {

    case PYRO_STORE_DROP:
        return pyro_store_loss(command, given, now, err);

    case PYRO_STORE_EXPORT:
        return pyro_store_document(command, given, err);

    case PYRO_STORE_DELETE:
        return pyro_store_deletion(command, err);

    default:
        return PYRO_OK;
    }
}


/* What is written now goes only where it is named. */
static pyro_status_e
pyro_store_loss(pyro_store_command_t *command, unsigned int given, int64_t now,
    pyro_error_t *err)
{
    if ((given & PYRO_TAKES_BEFORE) && command->file != NULL) {
        return pyro_store_wrong(err, "drop: --file leaves nothing to --before");
    }

    if (command->file != NULL) {
        command->before = INT64_MAX;
        return PYRO_OK;
    }

    if ((given & PYRO_TAKES_BEFORE) == 0) {
        return pyro_store_wrong(err, "drop: --before=TIME is missing, or "
                                "--file=NAME");
    }

    if (command->before > now) {
        return pyro_store_wrong(err, "drop: --before lies in the future: what "
                                "is written now would go");
    }

    return PYRO_OK;
}


/* Everything is a named tenant's: anonymous may have the whole store. */
static pyro_status_e
pyro_store_deletion(const pyro_store_command_t *command, pyro_error_t *err)
{
    if (!command->everything) {
        return command->selector != NULL ? PYRO_OK
               : pyro_store_wrong(err, "delete: --selector is missing, or "
                                  "--everything");
    }

    if (command->selector != NULL) {
        return pyro_store_wrong(err, "delete: --everything leaves nothing to "
                                "--selector");
    }

    return command->tenant != NULL ? PYRO_OK
           : pyro_store_wrong(err, "delete: --everything only together with "
                              "--tenant, which says whose");
}


/* A dump has all types of a push, a flame graph is of one. */
static pyro_status_e
pyro_store_document(const pyro_store_command_t *command, unsigned int given,
    pyro_error_t *err)
{
    if (command->format == NULL) {
        return given & (PYRO_TAKES_TYPE | PYRO_TAKES_NODES)
               ? pyro_store_wrong(err, "export: --type and --max-nodes only "
                                  "together with a --format that is no dump")
               : PYRO_OK;
    }

    return command->type != NULL ? PYRO_OK
           : pyro_store_wrong(err, "export: --type is missing, the profile "
                              "type, such as process_cpu:cpu:nanoseconds:cpu:"
                              "nanoseconds");
}


void
pyro_store_help(pyro_rope_t *out)
{
    size_t  i;

    pyro_rope_append(out, pyro_store_usage, sizeof(pyro_store_usage) - 1);

    for (i = 0; i < PYRO_STORE_COMMANDS; i++) {
        pyro_rope_printf(out, "  %-8s %s\n", pyro_store_commands[i].name,
                         pyro_store_commands[i].about);
    }

    pyro_rope_append(out, pyro_store_usage_options,
                     sizeof(pyro_store_usage_options) - 1);
}
