#include "core/base/status.h"

#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"


static const char  *pyro_reason_texts[] = {
#define PYRO_REASON_TEXT(id, text)  text,
    PYRO_REASONS(PYRO_REASON_TEXT)
#undef PYRO_REASON_TEXT
};


pyro_status_e
pyro_error_set(pyro_error_t *err, pyro_status_e status, pyro_reason_e reason,
    const char *fmt, ...)
{
    char     text[PYRO_ERROR_MESSAGE_MAX];
    int      n;
    size_t   len;
    va_list  args;

    if (err == NULL) {
        return status;
    }

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    len = n < 0 ? 0 : (size_t) n;

    if (len >= sizeof(text)) {
        len = sizeof(text) - 1;
    }

    err->status = status;
    err->reason = reason;
    err->offset = 0;
    err->retry = 0;
    err->damaged = NULL;

    len = pyro_utf8_clean(err->message, sizeof(err->message) - 1, text, len);
    err->message[len] = '\0';

    return status;
}


pyro_status_e
pyro_error_damage(pyro_error_t *err, pyro_status_e status, const void *file)
{
    if (err != NULL) {
        err->damaged = file;
    }

    return status;
}


pyro_status_e
pyro_error_memory(pyro_error_t *err)
{
    return pyro_error_set(err, PYRO_UNAVAILABLE, PYRO_REASON_MEMORY,
                          "out of memory");
}


const char *
pyro_reason_text(pyro_reason_e reason)
{
    return pyro_reason_texts[reason < PYRO_REASON_COUNT ? reason : 0];
}
