#include "jfr/jfr.h"

#include <inttypes.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/utf8.h"


/* A member at a time; the first one has no comma before it. */
typedef struct {
    pyro_rope_t  *out;
    int           more;
} pyro_jfr_members_t;


static void pyro_jfr_member(pyro_jfr_members_t *m, const char *name);
static void pyro_jfr_member_text(pyro_jfr_members_t *m, const char *name,
    pyro_slice_t text);
static void pyro_jfr_member_number(pyro_jfr_members_t *m, const char *name,
    int64_t n);
static void pyro_jfr_member_time(pyro_jfr_members_t *m, const char *name,
    int64_t ms);
static void pyro_jfr_open(pyro_jfr_members_t *m, const char *name);
static void pyro_jfr_close(pyro_jfr_members_t *m);
static void pyro_jfr_lost(const pyro_jfr_report_t *report,
    pyro_jfr_members_t *m);


/* What the counters of a report say was lost. */
static const pyro_jfr_counter_e  pyro_jfr_losses[] = {
    PYRO_JFR_CHUNKS_BROKEN, PYRO_JFR_EVENTS_BROKEN, PYRO_JFR_STACK_MISSING,
    PYRO_JFR_METHOD_MISSING, PYRO_JFR_STACK_TRUNCATED, PYRO_JFR_STATE_UNKNOWN,
    PYRO_JFR_VALUE_NEGATIVE, PYRO_JFR_CPU_TIME_LOST, PYRO_JFR_KIND_UNKNOWN,
};


int
pyro_jfr_info_set(pyro_arena_t *arena, pyro_slice_t *to, pyro_slice_t text,
    size_t max)
{
    char  *p;

    p = (char *) to->data;

    if (p == NULL) {
        p = pyro_arena_alloc(arena, max);

        if (p == NULL) {
            return -1;
        }
    }

    *to = pyro_slice(p, pyro_utf8_clean(p, max, text.data, text.len));

    return 0;
}


static void
pyro_jfr_member(pyro_jfr_members_t *m, const char *name)
{
    if (m->more) {
        pyro_rope_append(m->out, ",", 1);
    }

    m->more = 1;
    pyro_rope_printf(m->out, "\"%s\":", name);
}


static void
pyro_jfr_member_text(pyro_jfr_members_t *m, const char *name,
    pyro_slice_t text)
{
    if (text.len) {
        pyro_jfr_member(m, name);
        pyro_rope_json(m->out, text);
    }
}


static void
pyro_jfr_member_number(pyro_jfr_members_t *m, const char *name, int64_t n)
{
    if (n) {
        pyro_jfr_member(m, name);
        pyro_rope_printf(m->out, "%" PRId64, n);
    }
}


/* RFC 3339, UTC, milliseconds. */
static void
pyro_jfr_member_time(pyro_jfr_members_t *m, const char *name, int64_t ms)
{
    char       text[64];
    size_t     len;
    time_t     seconds;
    struct tm  tm;

    seconds = (time_t) (ms / 1000);

    if (ms <= 0 || gmtime_r(&seconds, &tm) == NULL) {
        return;
    }

    len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);

    pyro_jfr_member(m, name);
    pyro_rope_printf(m->out, "\"%.*s.%03dZ\"", (int) len, text,
                     (int) (ms % 1000));
}


static void
pyro_jfr_open(pyro_jfr_members_t *m, const char *name)
{
    pyro_jfr_member(m, name);
    pyro_rope_append(m->out, "{", 1);
    m->more = 0;
}


static void
pyro_jfr_close(pyro_jfr_members_t *m)
{
    pyro_rope_append(m->out, "}", 1);
    m->more = 1;
}


static void
pyro_jfr_lost(const pyro_jfr_report_t *report, pyro_jfr_members_t *m)
{
    size_t              i;
    pyro_jfr_counter_e  counter;

    pyro_jfr_open(m, "lost");

    for (i = 0; i < sizeof(pyro_jfr_losses) / sizeof(pyro_jfr_losses[0]); i++) {
        counter = pyro_jfr_losses[i];
        pyro_jfr_member_number(m, pyro_jfr_counter_text(counter),
                               (int64_t) report->counters[counter]);
    }

    pyro_jfr_close(m);
}


void
pyro_jfr_info_json(const pyro_jfr_report_t *report, const pyro_jfr_seen_t *seen,
    pyro_rope_t *out)
{
    uint32_t                i;
    pyro_jfr_members_t      m = { out, 0 };
    const pyro_jfr_info_t  *info;

    info = &report->info;

    pyro_rope_append(out, "{", 1);
    pyro_jfr_member_text(&m, "service", seen->service);
    pyro_jfr_member_time(&m, "lastSeen", seen->time / PYRO_NS_PER_MS);

    pyro_jfr_open(&m, "jvm");
    pyro_jfr_member_text(&m, "name", info->jvm_name);
    pyro_jfr_member_text(&m, "version", info->jvm_version);
    pyro_jfr_member_text(&m, "arguments", info->jvm_arguments);
    pyro_jfr_member_text(&m, "mainClass", info->main_class);
    pyro_jfr_member_number(&m, "pid", info->pid);
    pyro_jfr_member_time(&m, "started", info->jvm_started);
    pyro_jfr_close(&m);

    pyro_jfr_open(&m, "os");
    pyro_jfr_member_text(&m, "version", info->os);
    pyro_jfr_member_text(&m, "cpu", info->cpu);
    pyro_jfr_member_number(&m, "sockets", info->sockets);
    pyro_jfr_member_number(&m, "cores", info->cores);
    pyro_jfr_member_number(&m, "threads", info->threads);
    pyro_jfr_close(&m);

    pyro_jfr_open(&m, "agent");
    pyro_jfr_member_text(&m, "spyName", seen->spy);
    pyro_jfr_member_text(&m, "version", seen->agent_version);
    pyro_jfr_member_text(&m, "recorder", info->recorder);
    pyro_jfr_close(&m);

    pyro_jfr_open(&m, "settings");

    for (i = 0; i < info->n_settings; i++) {
        if (m.more) {
            pyro_rope_append(out, ",", 1);
        }

        m.more = 1;
        pyro_rope_json(out, info->settings[i].name);
        pyro_rope_append(out, ":", 1);
        pyro_rope_json(out, info->settings[i].value);
    }

    pyro_jfr_close(&m);
    pyro_jfr_lost(report, &m);
    pyro_rope_append(out, "}", 1);
}
