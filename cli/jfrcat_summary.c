#include "cli/jfrcat_summary.h"

#include <inttypes.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/utf8.h"


static void pyro_jfrcat_clean(pyro_rope_t *out, pyro_slice_t s);
static void pyro_jfrcat_name(pyro_rope_t *out, const char *name);
static void pyro_jfrcat_text(pyro_rope_t *out, const char *name,
    pyro_slice_t text);
static void pyro_jfrcat_number(pyro_rope_t *out, const char *name, int64_t n,
    const char *unit);
static void pyro_jfrcat_time(pyro_rope_t *out, const char *name, int64_t ns);
static void pyro_jfrcat_duration(pyro_rope_t *out, const char *name,
    int64_t ns);
static void pyro_jfrcat_facts(pyro_rope_t *out, const pyro_jfr_info_t *info);


static void
pyro_jfrcat_clean(pyro_rope_t *out, pyro_slice_t s)
{
    char    text[4 * PYRO_JFR_INFO_TEXT];
    size_t  n, len;

    while (s.len) {
        n = s.len < sizeof(text) ? s.len : sizeof(text) - 4;

        /* a piece ends with a whole character */

        while (n < s.len && n > sizeof(text) / 2
               && ((unsigned char) s.data[n] & 0xc0) == 0x80)
        {
            n--;
        }

        len = pyro_utf8_clean(text, sizeof(text), s.data, n);
        pyro_rope_append(out, text, len);

        s.data += n;
        s.len -= n;
    }
}


static void
pyro_jfrcat_name(pyro_rope_t *out, const char *name)
{
    pyro_rope_printf(out, "  %-14s ", name);
}


static void
pyro_jfrcat_text(pyro_rope_t *out, const char *name, pyro_slice_t text)
{
    if (text.len) {
        pyro_jfrcat_name(out, name);
        pyro_jfrcat_clean(out, text);
        pyro_rope_append(out, "\n", 1);
    }
}


static void
pyro_jfrcat_number(pyro_rope_t *out, const char *name, int64_t n,
    const char *unit)
{
    pyro_jfrcat_name(out, name);
    pyro_rope_printf(out, "%" PRId64 "%s\n", n, unit);
}


/* RFC 3339, UTC, milliseconds; what is not a time after 1970 is unknown. */
static void
pyro_jfrcat_time(pyro_rope_t *out, const char *name, int64_t ns)
{
    char       text[64];
    size_t     len;
    time_t     seconds;
    struct tm  tm;

    seconds = (time_t) (ns / PYRO_NS_PER_SEC);

    if (ns <= 0 || gmtime_r(&seconds, &tm) == NULL) {
        return;
    }

    len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);

    pyro_jfrcat_name(out, name);
    pyro_rope_printf(out, "%.*s.%03dZ\n", (int) len, text,
                     (int) (ns % PYRO_NS_PER_SEC / PYRO_NS_PER_MS));
}


static void
pyro_jfrcat_duration(pyro_rope_t *out, const char *name, int64_t ns)
{
    if (ns > 0) {
        pyro_jfrcat_name(out, name);
        pyro_rope_printf(out, "%" PRId64 ".%09" PRId64 " s\n",
                         (int64_t) (ns / PYRO_NS_PER_SEC),
                         (int64_t) (ns % PYRO_NS_PER_SEC));
    }
}


void
pyro_jfrcat_chunk(pyro_rope_t *out, uint64_t n,
    const pyro_jfr_chunk_summary_t *chunk)
{
    uint32_t  i;
    uint64_t  events;

    pyro_rope_printf(out, "chunk %" PRIu64 "\n", n);
    pyro_jfrcat_name(out, "offset");
    pyro_rope_printf(out, "%zu\n", chunk->offset);
    pyro_jfrcat_name(out, "size");
    pyro_rope_printf(out, "%zu bytes\n", chunk->size);
    pyro_jfrcat_name(out, "version");
    pyro_rope_printf(out, "%u.%u\n", chunk->major, chunk->minor);
    pyro_jfrcat_name(out, "state");
    pyro_rope_printf(out, "%s%s\n", chunk->broken ? "damaged" : "sound",
                     chunk->unfinished ? ", unfinished" : "");

    pyro_jfrcat_time(out, "start", chunk->start);
    pyro_jfrcat_duration(out, "duration", chunk->duration);
    pyro_jfrcat_number(out, "clock", chunk->frequency, " ticks/s");
    pyro_jfrcat_number(out, "checkpoints", chunk->checkpoints, "");

    events = 0;

    for (i = 0; i < chunk->n_events; i++) {
        events += chunk->events[i].n;
    }

    pyro_jfrcat_name(out, "events");
    pyro_rope_printf(out, "%" PRIu64 "\n", events);

    for (i = 0; i < chunk->n_events; i++) {
        pyro_rope_printf(out, "    %10" PRIu64 "  ", chunk->events[i].n);
        pyro_jfrcat_clean(out, chunk->events[i].type);
        pyro_rope_append(out, "\n", 1);
    }
}


static void
pyro_jfrcat_facts(pyro_rope_t *out, const pyro_jfr_info_t *info)
{
    pyro_jfrcat_time(out, "start", info->start);
    pyro_jfrcat_duration(out, "duration", info->duration);
    pyro_jfrcat_text(out, "recorder", info->recorder);
    pyro_jfrcat_text(out, "JVM", info->jvm_name);
    pyro_jfrcat_text(out, "JVM version", info->jvm_version);
    pyro_jfrcat_text(out, "JVM arguments", info->jvm_arguments);

    if (info->jvm_started > 0
        && info->jvm_started <= INT64_MAX / PYRO_NS_PER_MS)
    {
        pyro_jfrcat_time(out, "JVM started",
                         info->jvm_started * PYRO_NS_PER_MS);
    }

    pyro_jfrcat_text(out, "main class", info->main_class);

    if (info->pid) {
        pyro_jfrcat_number(out, "process id", info->pid, "");
    }

    pyro_jfrcat_text(out, "OS", info->os);
    pyro_jfrcat_text(out, "CPU", info->cpu);

    if (info->threads) {
        pyro_jfrcat_name(out, "processors");
        pyro_rope_printf(out, "%" PRId64 " threads, %" PRId64 " cores, %"
                         PRId64 " sockets\n", info->threads, info->cores,
                         info->sockets);
    }
}


void
pyro_jfrcat_report(pyro_rope_t *out, const pyro_jfr_report_t *report)
{
    char                    lost[PYRO_JFR_LOSSES_MAX];
    uint32_t                i;
    const pyro_jfr_info_t  *info;

    info = &report->info;

    pyro_rope_printf(out, "recording\n");
    pyro_jfrcat_number(out, "chunks",
                       (int64_t) report->counters[PYRO_JFR_CHUNKS], "");
    pyro_jfrcat_number(out, "sample events",
                       (int64_t) report->counters[PYRO_JFR_EVENTS], "");
    pyro_jfrcat_text(out, "event", pyro_slice_str(report->event));
    pyro_jfrcat_text(out, "engine", pyro_slice_str(report->engine));
    pyro_jfrcat_facts(out, info);

    pyro_jfrcat_name(out, "lost");
    pyro_jfr_losses(report, lost);
    pyro_rope_printf(out, "%s\n", lost[0] ? lost : "nothing");
    pyro_jfrcat_text(out, "problem", pyro_slice_str(report->problem));

    if (info->n_settings) {
        pyro_rope_printf(out, "settings\n");
    }

    for (i = 0; i < info->n_settings; i++) {
        pyro_rope_append(out, "  ", 2);
        pyro_jfrcat_clean(out, info->settings[i].name);
        pyro_rope_append(out, "=", 1);
        pyro_jfrcat_clean(out, info->settings[i].value);
        pyro_rope_append(out, "\n", 1);
    }
}
