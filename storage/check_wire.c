#include "storage/check_wire.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>


static int pyro_check_is_much(pyro_check_sink_t *sink, const char *what);


void
pyro_check_send(pyro_check_sink_t *sink, const pyro_check_message_t *message)
{
    size_t       left;
    ssize_t      n;
    const char  *p;

    p = (const char *) message;

    for (left = sizeof(pyro_check_message_t); left; /* void */ ) {
        n = write(sink->fd, p, left);

        if (n > 0) {
            p += n;
            left -= (size_t) n;

        } else if (errno != EINTR) {
            _exit(1);
        }
    }
}


void
pyro_check_vtell(pyro_check_sink_t *sink, pyro_check_kind_e kind,
    const char *what, uint64_t id, const char *fmt, va_list args)
{
    pyro_error_t          clean;
    pyro_check_message_t  message;

    sink->damages += kind == PYRO_CHECK_DAMAGE;

    if (kind == PYRO_CHECK_DAMAGE && pyro_check_is_much(sink, what)) {
        sink->more++;
        return;
    }

    memset(&clean, 0, sizeof(clean));
    memset(&message, 0, sizeof(message));

    message.kind = kind;
    message.id = id;
    snprintf(message.what, sizeof(message.what), "%s", what);
    vsnprintf(message.text, sizeof(message.text), fmt, args);

    /* what stands in the store is not to reach a terminal as it is */

    pyro_error_set(&clean, PYRO_INVALID, PYRO_REASON_STORE, "%s",
                   message.text);
    memcpy(message.text, clean.message, sizeof(message.text));

    pyro_check_send(sink, &message);
}


static int
pyro_check_is_much(pyro_check_sink_t *sink, const char *what)
{
    uint32_t  i;

    for (i = 0; i < PYRO_CHECK_KINDS - 1; i++) {
        if (sink->kinds[i] == NULL || strcmp(sink->kinds[i], what) == 0) {
            break;
        }
    }

    sink->kinds[i] = what;

    return sink->told[i]++ >= PYRO_CHECK_MOST;
}


void
pyro_check_tell(pyro_check_sink_t *sink, pyro_check_kind_e kind,
    const char *what, uint64_t id, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    pyro_check_vtell(sink, kind, what, id, fmt, args);
    va_end(args);
}


void
pyro_check_done(pyro_check_sink_t *sink)
{
    pyro_check_message_t  message;

    memset(&message, 0, sizeof(message));

    message.kind = PYRO_CHECK_DONE;
    message.done.pushes = sink->pushes;
    message.done.rollups = sink->rollups;
    message.done.more = sink->more;

    pyro_check_send(sink, &message);
}
